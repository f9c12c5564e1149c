"""A batch's workbooks: one for each receiving unit, with its own cases only."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import polars as pl

from fupin_cli.language import tr
from fupin_cli.progress import Say
from fupin_cli.report.dispatch_book import SHOWN, Sending, Unit, batch_name, write_dispatch_book
from fupin_cli.report.finding_words import worded
from fupin_cli.report.naming import file_names
from fupin_cli.report.wording import place
from fupin_cli.report.workbook import located, numbered, ordered
from fupin_cli.vocabulary import FINDINGS, is_note

VILLAGE, COUNTY = "village", "county"  # who answers
BY = ("township", "village")
COUNTY_OWN, COUNTY_SHEET = "县级", "县级答复"  # the unit that gets what no township can answer, and its sheet
_OF_A_HOME = ("head_name", "household_id", "household_block")
_OF_ONE = (*_OF_A_HOME, "name", "id_shown", "id_number", "id_raw", "person_id", "listed_name", "listed_id", "listed_place",
           "register_ref", "extract_ref", "basis_words", "of_finding")  # fmt: skip
_NOT_AT_A_HOME = ("hamlet", "relation", "band_words")
_WORTH_A_PROCESS = 60  # books; below that starting another one costs more than it saves
_UNIT = ["_county", "_township", "_village"]


@dataclass(frozen=True)
class SentBook:
    """One workbook of a batch: its file's name, its unit, how many cases and of those notes, on how many rows to be answered.

    And whether it is encrypted. The county's office answers many cases on one row.
    """

    file: str
    county: str
    unit: str
    cases: int
    notes: int
    rows: int
    encrypted: bool


def laid_out(cases: pl.DataFrame, sending: Sending, *, by: str, mask_ids: bool) -> pl.DataFrame:
    """The cases as rows of workbooks: worded, ordered, with `book` (file name), `unit`, `place` (sheet) and `batch`.

    `cases` are FINDINGS with case_id, evidence_code, `times` (how often it was sent before), `receiver` and `question`. What the
    county answers itself, or for want of a township, goes to the county: there those of one `question` are one row, under the
    number of its first (`asked`).
    """
    told = worded(ordered(located(FINDINGS.conform(cases))), mask_ids=mask_ids)
    own = pl.col("receiver") == COUNTY
    county, township, village = (
        pl.col(level).fill_null(place(None, level)) for level in ("county", "township", "village")
    )
    told = told.with_columns(
        _county=county,
        _township=pl.when(own).then(pl.lit(COUNTY_OWN)).otherwise(township),
        _village=pl.when(own).then(pl.lit("")).when(pl.lit(by == "village")).then(village).otherwise(pl.lit("")),
        place=pl.when(own).then(pl.lit(COUNTY_SHEET)).otherwise(village),
        asked=pl.when(own).then(pl.col("case_id").first().over("question")).otherwise(pl.col("case_id")),
        finding_key=pl.col("case_id"),
        of_finding=pl.col("finding_key"),
        batch=pl.lit(batch_name(sending.batch)),
        again=pl.when(pl.col("times") > 0).then(pl.format("第{}次", pl.col("times") + 1)).otherwise(pl.lit("首次")),
    )
    units = told.select(_UNIT).unique().sort(_UNIT)
    names = units.select(pl.concat_str(_UNIT, separator=" ").str.strip_chars()).to_series()
    files = [f"{name}_疑点核查反馈表_{batch_name(sending.batch)}.xlsx" for name in file_names(names)]
    units = units.with_columns(
        unit=pl.concat_str(_UNIT), book=pl.Series(files, dtype=pl.String), recipient=pl.concat_str(
            "_county", "_township", pl.when(pl.col("_village") != "").then("_village"), separator="/", ignore_nulls=True
        ),
    )  # fmt: skip
    return told.join(units, on=_UNIT, how="left", maintain_order="left")


def questions(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as they stand in the workbooks: one for all cases of a question, which says whom it is about (`whom`)."""
    own = rows.filter(pl.col("_township") == COUNTY_OWN)
    each = [name for name in (*_OF_ONE, "_village") if name in rows.columns]
    one, homes = pl.len() == 1, pl.col("household_id").drop_nulls().n_unique()
    township = pl.col("township").fill_null(place(None, "township"))
    by_place = own.group_by("asked", township.alias("_at"), maintain_order=True).agg(
        pl.format("{} {}户{}条", township.first(), homes, pl.len()).alias("_said")
    )
    whom = by_place.group_by("asked", maintain_order=True).agg(pl.col("_said").str.join("；").alias("whom"))
    # what is said of one person, or of one household, stands only where the row is about no other
    asked = own.group_by("asked", maintain_order=True).agg(
        *(pl.col(name).first() for name in own.columns if name not in (*each, "asked")),
        *(pl.when(one).then(pl.col(name).first()).alias(name) for name in each if name not in _OF_A_HOME),
        *(pl.when(homes <= 1).then(pl.col(name).first()).alias(name) for name in each if name in _OF_A_HOME),
    )
    asked = asked.join(whom, on="asked", maintain_order="left").with_columns(
        pl.lit(None, pl.String).alias(name) for name in _NOT_AT_A_HOME
    )
    rest = rows.filter(pl.col("_township") != COUNTY_OWN).with_columns(whom=pl.lit(None, pl.String))
    return pl.concat([rest, asked.select(rest.columns)])


def write_dispatch(
    folder: Path, rows: pl.DataFrame, sending: Sending, passwords: Mapping[str, str], say: Say
) -> list[SentBook]:
    """The workbooks written under the folder, by file name; with a password for its recipient a book is encrypted."""
    parts = [
        part for _, part in sorted(questions(rows).partition_by("book", as_dict=True, maintain_order=True).items())
    ]
    own = rows.filter(pl.col("_township") == COUNTY_OWN)
    whom = {name: part for (name,), part in own.partition_by("book", as_dict=True, maintain_order=True).items()}
    jobs = [(folder, part, sending, passwords.get(part["recipient"][0]), whom.get(part["book"][0])) for part in parts]
    what = tr("writing {count} workbooks", count=len(jobs))
    say(what, 0, len(jobs), tr("workbooks"))
    if len(jobs) < _WORTH_A_PROCESS:
        return [_write(*job) for job in jobs]
    sent = []
    # not forked: Polars holds threads
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=_settle_in) as pool:
        for written in pool.map(_apart, *zip(*jobs, strict=True), chunksize=8):
            sent.append(written)
            say(what, len(sent), len(jobs), tr("workbooks"))
    return sent


def _settle_in() -> None:
    """Looking for garbage again and again among a book's many small cells takes a sixth of the time: `_apart` looks once."""
    gc.freeze()
    gc.disable()


def _apart(*job: Any) -> SentBook:
    """Writes one book in a process of its own, and clears up behind it."""
    try:
        return _write(*job)
    finally:
        gc.collect()


def sent_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """What went out, as it is kept to be held against what comes back: a row a case, the first of a question as it is printed."""
    printed = questions(rows)
    others = rows.filter(pl.col("case_id") != pl.col("asked")).with_columns(whom=pl.lit(None, pl.String))
    return pl.concat([printed, others.select(printed.columns)]).select(
        "case_id", "evidence_code", "asked", "book", "unit", "place", *(pl.col(name).cast(pl.String) for name in SHOWN)
    )


def _write(
    folder: Path, rows: pl.DataFrame, sending: Sending, password: str | None, whom: pl.DataFrame | None
) -> SentBook:
    first = rows.row(0, named=True)
    township = None if first["_township"] == COUNTY_OWN else first["_township"]
    unit = Unit(first["_county"], township, first["unit"])
    path = folder / first["book"]
    write_dispatch_book(path, unit, _sheets(rows), sending, whom, password)
    cases = rows if whom is None else whom
    notes = cases.filter(is_note()).height
    return SentBook(path.name, unit.county, unit.name, cases.height, notes, rows.height, password is not None)


def _sheets(rows: pl.DataFrame) -> Sequence[tuple[str, pl.DataFrame]]:
    """A unit's places in order, each with its cases numbered from 1."""
    return [(str(part["place"][0]), numbered(part)) for part in rows.partition_by("place", maintain_order=True)]
