"""The answers in a review workbook that came back: sorted, filtered, saved by another program, perhaps in several copies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from fupin_cli.errors import BadDataError, Place
from fupin_cli.ingest import Ask, no_password
from fupin_cli.ingest.readers import read_file
from fupin_cli.language import tr
from fupin_cli.linkage.blocking import PAIR
from fupin_cli.report.review_book import ANSWER, ANSWERS, CHECK, NO, ROWS, YES

_SEARCHED = 20  # rows in which the header is looked for
_HEADERS = (*ROWS, CHECK, ANSWER)
_COLUMNS = (*PAIR, "check", "said")
_SAID = {"是": YES, "不是": NO, "否": NO}  # in people's own words


def read_answers(paths: Sequence[Path], ask: Ask = no_password) -> pl.DataFrame:
    """register_row, extract_row, check, answer (null: nobody can tell), one row for each pair; source, sheet, row of one answer.

    Raises BadDataError where a file is no review workbook, a word is none of the three answers, or two answers contradict.
    """
    found = [_read(path, ask) for path in paths]
    answers = pl.concat(found).with_columns(
        pl.col("said").replace_strict({YES: True, NO: False}, default=None, return_dtype=pl.Boolean).alias("answer")
    )
    key = [*PAIR, "check"]
    both = (
        answers.drop_nulls("answer")
        .filter(pl.col("answer").n_unique().over(key) > 1)
        .sort(*key, "source", "sheet", "row")
    )
    if both.height:
        first, other = (
            both.filter(pl.struct(key) == pl.struct(key).first()).unique("answer", maintain_order=True).to_dicts()
        )
        raise BadDataError(
            tr("two answers contradict each other: {said} and {said_2}", said=first["said"], said_2=other["said"]),
            where=_place(first),
            why=tr("the other one stands in {place}", place=_place(other)),
            try_=tr("ask again, and leave one of them"),
        )
    # whoever was sure knows more than whoever was not
    return answers.sort(*key, "answer", "source", "sheet", "row", nulls_last=True).unique(
        key, maintain_order=True, keep="first"
    )


def _read(path: Path, ask: Ask) -> pl.DataFrame:
    parts = [
        answers.with_columns(pl.lit(path.name).alias("source"), pl.lit(grid.sheet).alias("sheet"))
        for table in read_file(path.name, path, ask)
        for grid in table.grids
        if (answers := _answers(grid.cells(), Place(path.name, grid.sheet))) is not None
    ]
    if not parts:
        raise BadDataError(
            tr("this is no review workbook"),
            where=path.name,
            why=tr("looked for a header with {headers}", headers="、".join(_HEADERS)),
            try_=tr("fupin link A B -o links.parquet --review FILE.xlsx writes one"),
        )
    given = pl.concat(parts)
    unknown = given.filter(~pl.col("said").is_in(ANSWERS) | pl.any_horizontal(pl.col(PAIR).is_null()))
    if unknown.height:
        raise BadDataError(
            tr("an answer is none of {answers}, or its row lost its number", answers="、".join(ANSWERS)),
            where=_place(unknown.row(0, named=True)),
            why=tr("{height} row(s) of this workbook are like that", height=unknown.height),
            try_=tr("choose from the list, and leave the columns right of the printed page as they were"),
        )
    return given


def _answers(cells: pl.DataFrame, place: Place) -> pl.DataFrame | None:
    """The answered rows below the header, or None where there is none."""
    heads = (
        (at, {text.strip(): f"c{n}" for n, text in enumerate(row) if text})
        for at, row in enumerate(cells.head(_SEARCHED).rows())
    )
    at, columns = next((found for found in heads if ANSWER in found[1]), (0, None))
    if columns is None:
        return None
    lost = [header for header in _HEADERS if header not in columns]
    if lost:
        raise BadDataError(
            tr("this sheet has lost a column: {lost}", lost="、".join(lost)),
            where=place,
            why=tr("without it nobody can tell which rows the answers are about"),
            try_=tr("ask whoever returned it for the workbook with all its columns"),
        )
    ours, theirs, check, said = (pl.col(columns[header]) for header in _HEADERS)
    rows = (
        cells.with_row_index("row", 1).slice(at + 1).with_columns(said.str.strip_chars().replace(_SAID).alias("said"))
    )
    number = [n.cast(pl.Float64, strict=False).cast(pl.Int64, strict=False) for n in (ours, theirs)]
    return rows.filter(pl.col("said") != "").select(
        number[0].alias(PAIR[0]), number[1].alias(PAIR[1]), check.alias("check"), "said", pl.col("row").cast(pl.Int64)
    )


def _place(row: dict[str, object]) -> Place:
    return Place(str(row["source"]), str(row["sheet"]), int(str(row["row"])))
