"""Which of the rows set aside go back to whoever sent them, and what they are asked to do about it."""

from __future__ import annotations

from enum import StrEnum

import polars as pl

# What people write around a table, and what nobody asked for: counted, never given back row by row.
FURNITURE = ("title", "header", "blank", "footer", "repeated_header", "other_header", "sheet_not_asked")
# A whole sheet that was not understood: it goes back only if there are people in it.
WHOLE_SHEET = ("not_a_table", "hidden_sheet")
MENDING = {  # why a row could not be used → how to mend it; every other reason is furniture
    "no_identity": "补填姓名和证件号码（证件号码列先设为文本格式）；不是人员的行请删除。",
    "no_household": "补填户编号；户编号列先设为文本格式再录入或导出，以免末几位丢失。",
    "too_long": "文字里的逗号使这一行多出单元格、其后各栏错位：请给该文字加上引号，或另存为 .xlsx 再报送。",
    "unnamed_file": "放入以户编号命名的文件夹，或把户编号写进文件名（与台账一致），再报送。",
    "not_a_table": "应报送的，在数据上方补上列名（姓名、证件号码等，与报送模板一致）；不需报送的，请删除该工作表。",
    "hidden_sheet": "应报送的，请取消隐藏并在数据上方补上列名；不需报送的，请删除该工作表。",
}
MENDING_UNKNOWN = "请核对该行内容，更正后重报。"
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
    return MENDING.get(reason or "", MENDING_UNKNOWN)
