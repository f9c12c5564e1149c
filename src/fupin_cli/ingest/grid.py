"""A sheet as it was sent: cells as text where the spreadsheet program shows them, and what the cells do not show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import polars as pl

HEAD_ROWS = 64
T = TypeVar("T")


class Merge(NamedTuple):
    """A merged range, 0-based and inclusive."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class SheetNotes:
    """Things of one sheet that its cells alone do not show.

    `hidden_rows` and `hidden_columns` count those that hold anything the sheet could have shown; `errors` cells such as #N/A;
    `empty_formulas` those whose result was never stored, so that the value is missing and not blank. `cut`
    says that the last row of a text stops in its middle; `delimited`, that its cells are parted by a sign that texts hold too.
    """

    hidden_rows: int = 0
    hidden_columns: int = 0
    errors: int = 0
    empty_formulas: int = 0
    merged: tuple[Merge, ...] = ()
    cut: bool = False
    delimited: bool = False


@dataclass(frozen=True)
class Grid:
    """One sheet as text. Column `c3` is the fourth; row 0 is the first row of the sheet, blank ones included.

    `head` holds the first rows, enough to find a header in; `batches` gives all rows from the first, in order, in frames
    that fit into memory (a later one may be wider). `header` is set where the container itself names its columns (Parquet,
    a database): then rows are data only. `sheet` is empty where the container has no sheets.
    """

    sheet: str
    head: pl.DataFrame = field(repr=False)
    batches: Callable[[], Iterator[pl.DataFrame]] = field(repr=False)
    visible: bool = True
    header: tuple[str, ...] | None = None
    notes: SheetNotes = field(default_factory=SheetNotes)

    @classmethod
    def of(
        cls,
        sheet: str,
        cells: pl.DataFrame,
        *,
        visible: bool = True,
        header: tuple[str, ...] | None = None,
        notes: SheetNotes | None = None,
    ) -> Grid:
        """The grid of a sheet that is in memory as a whole."""
        return cls(sheet, cells.head(HEAD_ROWS), lambda: iter((cells,)), visible, header, notes or SheetNotes())

    @property
    def merged(self) -> tuple[Merge, ...]:
        """The merged ranges."""
        return self.notes.merged

    def cells(self) -> pl.DataFrame:
        """All rows in one frame; for sheets that fit into memory."""
        frames = list(self.batches())
        return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal") if frames else pl.DataFrame()


def numbered(batches: Iterator[pl.DataFrame]) -> Iterator[tuple[int, pl.DataFrame]]:
    """The batches, each with the row of the sheet (0-based) at which it begins."""
    at = 0
    for cells in batches:
        yield at, cells
        at += cells.height


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, the next one made in another thread meanwhile; Polars and hashing let both run."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(_next, items)
        while item := coming.result():
            coming = pool.submit(_next, items)
            yield item[0]


def _next(items: Iterator[T]) -> tuple[T] | None:
    return next(((item,) for item in items), None)
