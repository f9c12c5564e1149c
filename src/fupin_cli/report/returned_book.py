"""A returned workbook as rows: sorted, columns moved, rows gone or added, saved by another program.

Columns are found by their headers, wherever these stand; what a row is about is its 疑点编号. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fupin_cli.errors import FupinError
from fupin_cli.ingest import Ask, no_password
from fupin_cli.ingest.readers import read_file
from fupin_cli.report.dispatch_book import ANSWER_HEADERS, BATCH, CASE, PLACE, SHOWN, SIGNED_ON, SIGNER, STEP

_SEARCHED = 40  # rows in which the header is looked for
_HEADERS = {"case_text": CASE, "batch_text": BATCH, **ANSWER_HEADERS, **SHOWN}
_NEEDED = (CASE, ANSWER_HEADERS["verdict"])
_SIGNATURES = {"batch_text": BATCH, "village": PLACE, "step": STEP, "by": SIGNER, "on": SIGNED_ON}
_AT = {"file": pl.String(), "source": pl.String(), "sheet": pl.String(), "row": pl.Int64()}


@dataclass(frozen=True)
class ReturnedBooks:
    """All rows of all files, their signatures, and what could not be read: file name → why."""

    rows: pl.DataFrame
    signatures: pl.DataFrame
    unreadable: Mapping[str, str]


def read_returned(files: Sequence[tuple[str, Path]], ask: Ask = no_password) -> ReturnedBooks:
    """The rows of returned workbooks: file, source, sheet, row, case_text, batch_text, answers and what was shown, as text.

    `files` pairs each file's content hash with its path. A file that is none of ours, or cannot be opened, is named and left.
    """
    (rows, signatures), unreadable = _read(files, ((_HEADERS, _NEEDED), (_SIGNATURES, (STEP, SIGNER))), ask)
    return ReturnedBooks(rows, signatures, unreadable)


def read_tables(
    files: Sequence[tuple[str, Path]], headers: Mapping[str, str], needed: Sequence[str], ask: Ask = no_password
) -> tuple[pl.DataFrame, dict[str, str]]:
    """The rows below one kind of header in all sheets of all files: file, source, sheet, row and a text column for each header.

    Also what could not be read: file name → why.
    """
    (rows,), unreadable = _read(files, ((headers, needed),), ask)
    return rows, unreadable


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
            unreadable[path.name] = f"no sheet with {' and '.join(kinds[0][1])}"
    return [pl.concat(found) for found in parts], unreadable


def _table(cells: pl.DataFrame, headers: Mapping[str, str], needed: Sequence[str]) -> pl.DataFrame | None:
    """Row and one text column for each header, below the row in which those needed stand; None where there is no such row."""
    found = (
        (at, where)
        for at, row in enumerate(cells.head(_SEARCHED).rows())
        if set(needed)
        <= (where := {"".join(str(text).split()): f"c{n}" for n, text in reversed(list(enumerate(row))) if text}).keys()
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
