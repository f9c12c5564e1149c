"""A returned workbook as rows: sorted, columns moved, rows gone or added, saved by another program.

Columns are found by their headers, wherever these stand; what a row is about is its 核查件编号. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fupin_cli.errors import FupinError
from fupin_cli.ingest import Ask, no_password
from fupin_cli.ingest.readers import read_file
from fupin_cli.language import listed, tr
from fupin_cli.report.dispatch_book import ANSWER_HEADERS, BATCH, CASE, PLACE, SHEET, SHOWN, SIGNED_ON, SIGNER, STEP

_SEARCHED = 40  # rows in which the header is looked for
_HEADERS = {"case_text": CASE, "batch_text": BATCH, **ANSWER_HEADERS, **SHOWN}
_NEEDED = (CASE, ANSWER_HEADERS["verdict"])
# what stands there in workbooks that went out before, and in a county office's: it has no villages
_EARLIER = {CASE: "疑点编号", PLACE: SHEET}
_NUMBERS = {"number": CASE}
_FINDING_KEYS, _A_CASE = r"^[0-9a-f]{16}(、[0-9a-f]{16})*$", r"^[Cc][0-9A-Za-z]{16}$"
_SIGNATURES = {"batch_text": BATCH, "village": PLACE, "step": STEP, "by": SIGNER, "on": SIGNED_ON}
_AT = {"file": pl.String(), "source": pl.String(), "sheet": pl.String(), "row": pl.Int64()}


@dataclass(frozen=True)
class ReturnedBooks:
    """All rows of all files, their signatures, and what could not be read: file name → why.

    `of_runs` are the files that `fupin run` wrote, which are no forms: file, source, `findings`, and how many are `answered`.
    None of their rows is in `rows`.
    """

    rows: pl.DataFrame
    signatures: pl.DataFrame
    unreadable: Mapping[str, str]
    of_runs: pl.DataFrame


def read_returned(files: Sequence[tuple[str, Path]], ask: Ask = no_password) -> ReturnedBooks:
    """The rows of returned workbooks: file, source, sheet, row, case_text, batch_text, answers and what was shown, as text.

    `files` pairs each file's content hash with its path. A file that is none of ours, or cannot be opened, is named and left.
    """
    kinds = ((_HEADERS, _NEEDED), (_SIGNATURES, (STEP, SIGNER)), (_NUMBERS, (CASE,)))
    (rows, signatures, numbers), unreadable = _read(files, kinds, ask)
    of_runs = _of_runs(numbers, rows)
    ours = rows.join(of_runs, on="file", how="anti", maintain_order="left")
    unreadable = {name: why for name, why in unreadable.items() if name not in set(of_runs["source"])}
    return ReturnedBooks(ours, signatures, unreadable, of_runs)


def read_tables(
    files: Sequence[tuple[str, Path]], headers: Mapping[str, str], needed: Sequence[str], ask: Ask = no_password
) -> tuple[pl.DataFrame, dict[str, str]]:
    """The rows below one kind of header in all sheets of all files: file, source, sheet, row and a text column for each header.

    Also what could not be read: file name → why.
    """
    (rows,), unreadable = _read(files, ((headers, needed),), ask)
    return rows, unreadable


def _of_runs(numbers: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The files in which keys of findings stand where a form has numbers of cases: lists that a run wrote."""
    told = numbers.group_by("file", "source").agg(
        _reads("number", _FINDING_KEYS).sum().cast(pl.Int64).alias("findings"),
        _reads("number", _A_CASE).any().alias("ours"),
    )
    lists = told.filter(pl.col("findings") > 0, ~pl.col("ours")).drop("ours")
    typed = pl.any_horizontal(pl.col(name) != "" for name in ANSWER_HEADERS).fill_null(value=False)
    answered = (
        rows.filter(typed, _reads("case_text", _FINDING_KEYS)).group_by("file").agg(answered=pl.len().cast(pl.Int64))
    )
    lists = lists.join(answered, on="file", how="left")
    return lists.with_columns(pl.col("answered").fill_null(0)).sort("source", "file")


def _reads(name: str, pattern: str) -> pl.Expr:
    """Whether a cell reads so, blanks aside."""
    return pl.col(name).str.replace_all(r"\s", "").str.contains(pattern).fill_null(value=False)


def _read(
    files: Sequence[tuple[str, Path]], kinds: Sequence[tuple[Mapping[str, str], Sequence[str]]], ask: Ask
) -> tuple[list[pl.DataFrame], dict[str, str]]:
    """The rows below each kind of header; a file without a row of the first kind could not be read."""
    parts = [[pl.DataFrame(schema=_AT | dict.fromkeys(headers, pl.String()))] for headers, _ in kinds]
    unreadable: dict[str, str] = {}
    for digest, path in files:
        try:
            sheets = [(grid.sheet, grid.cells()) for table in read_file(path.name, path, ask) for grid in table.grids]
        except FupinError as error:
            unreadable[path.name] = error.what
            continue
        before = len(parts[0])
        for name, cells in sheets:
            at = {"file": digest, "source": path.name, "sheet": name}
            for found, (headers, needed) in zip(parts, kinds, strict=True):
                if (table := _table(cells, headers, needed)) is not None:
                    found.append(table.select(*(pl.lit(text).alias(place) for place, text in at.items()), pl.all()))
        if len(parts[0]) == before:
            unreadable[path.name] = tr("no sheet with the columns {names}", names=listed(kinds[0][1]))
    return [pl.concat(found) for found in parts], unreadable


def _table(cells: pl.DataFrame, headers: Mapping[str, str], needed: Sequence[str]) -> pl.DataFrame | None:
    """Row and one text column for each header, below the row in which those needed stand; None where there is no such row."""
    found = (
        (at, where)
        for at, row in enumerate(cells.head(_SEARCHED).rows())
        if set(needed) <= (where := _headers(row)).keys()
    )
    first = next(found, None)
    if first is None:
        return None
    at, where = first
    columns = [
        (pl.col(where[header]) if header in where else pl.lit(None, pl.String)).cast(pl.String).alias(name)
        for name, header in headers.items()
    ]
    table = cells.with_row_index("row", 1).slice(at + 1).select(pl.col("row").cast(pl.Int64), *columns)
    return table.filter(pl.any_horizontal(pl.col(name).is_not_null() & (pl.col(name) != "") for name in headers))


def _headers(row: Sequence[object]) -> dict[str, str]:
    """What stands in a row → its column, the first where it stands twice; an earlier heading is also the one of today."""
    where = {"".join(str(text).split()): f"c{n}" for n, text in reversed(list(enumerate(row))) if text}
    return {today: where[before] for today, before in _EARLIER.items() if before in where} | where
