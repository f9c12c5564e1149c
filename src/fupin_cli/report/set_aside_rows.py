"""Which of the rows set aside go back to whoever sent them, and what they are asked to do about it."""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from fupin_cli.language import later, on_paper

# What people write around a table, and what nobody asked for: counted, never given back row by row.
FURNITURE = ("title", "header", "blank", "footer", "repeated_header", "other_header", "sheet_not_asked")
# A whole sheet that was not understood: it goes back only if there are people in it.
WHOLE_SHEET = ("not_a_table", "hidden_sheet")
MENDING = {  # why a row could not be used → how to mend it; every other reason is furniture
    "no_identity": later(
        "Fill in name and ID number (make the ID column text first); delete the row if it is not a person."
    ),
    "no_household": later(
        "Fill in the household ID; make the column text before typing or exporting, or its last digits are lost."
    ),
    "too_long": later(
        "A comma in the text made one cell into two and moved the rest: put the text in quotes, "
        "or send the file as .xlsx."
    ),
    "unnamed_file": later(
        "Put it into a folder named by the household ID, or write the ID into the file's name, and send it again."
    ),
    "not_a_table": later(
        "If it was meant to be sent, write the column names above the data (name, ID number … as "
        "in the form); else delete the sheet."
    ),
    "hidden_sheet": later(
        "If it was meant to be sent, unhide it and write the column names above the data; else delete the sheet."
    ),
}
MENDING_UNKNOWN = later("Please check this row, correct it and send it again.")
_NOTHING_BUT_ID = r"^\s*(?:\d{17}[\dXx]|\d{15}|\d\.\d+[eE]\+?1\d)\s*$"


class Fate(StrEnum):
    """What becomes of a row that was set aside."""

    RETURNED = "returned"
    COUNTED = "counted"
    ELSEWHERE = "elsewhere"  # another extract reads this sheet as its table


def with_fate(set_aside: pl.DataFrame) -> pl.DataFrame:
    """SET_ASIDE rows with their `fate`, one of Fate, in the same order.

    Two extracts may share a workbook: what one of them takes for another kind of table is then the other's own table, which is
    known by the header rows that the other set aside from it.
    """
    place = ["source", "sheet"]
    reason = pl.col("set_aside_reason").fill_null("")
    whole = reason.is_in(WHOLE_SHEET)
    cells = set_aside.filter(whole).select(*place, "cells").explode("cells")
    peopled = cells.filter(pl.col("cells").str.contains(_NOTHING_BUT_ID)).select(place).unique()
    read = set_aside.filter(reason == "header").select(place).unique()
    known = set_aside.join(
        peopled.with_columns(_people=True), on=place, how="left", nulls_equal=True, maintain_order="left"
    ).join(read.with_columns(_read=True), on=place, how="left", nulls_equal=True, maintain_order="left")
    empty = (pl.col("cells").list.drop_nulls().list.len() == 0).fill_null(value=False)
    nobody = whole & pl.col("_people").is_null()
    fate = (
        pl.when(whole & pl.col("_read").is_not_null())
        .then(pl.lit(Fate.ELSEWHERE.value))
        .when(reason.is_in(FURNITURE) | nobody | empty)
        .then(pl.lit(Fate.COUNTED.value))
        .otherwise(pl.lit(Fate.RETURNED.value))
    )
    return known.with_columns(fate.alias("fate")).drop("_people", "_read")


def mending_words(reason: str | None) -> str:
    """What whoever sent such a row is asked to do."""
    return on_paper(MENDING.get(reason or "", MENDING_UNKNOWN))
