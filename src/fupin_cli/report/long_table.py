"""Tables of many thousand rows on a sheet: their cells become the sheet's XML column by column; none is an object of its own.

XlsxWriter keeps each cell as an object and writes it by itself, which took two thirds of a large county's run. The texts of a
long table stand in its table of shared strings all the same: what a department wrote stays text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter

import polars as pl
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

_AT_ONCE = 20_000  # rows that become XML together
_AT = pl.col("at").cast(pl.String)


@dataclass(frozen=True)
class Cells:
    """One column: texts or counts, null where a cell is blank, and their `style`.

    Where rows look differently, `others` are further styles, and `which` says whose each row has: 0 is `style`.
    """

    values: pl.Series
    style: Format
    others: tuple[Format, ...] = ()
    which: pl.Series | None = None


@dataclass(frozen=True)
class Block:
    """A long table on its sheet: the `first` row, counted from 0, its columns, and the rows' heights in points."""

    first: int
    columns: tuple[Cells, ...]
    heights: pl.Series

    @property
    def last(self) -> int:
        """Its last row."""
        return self.first + len(self.heights) - 1


class Sheet(Worksheet):  # type: ignore[misc]  # XlsxWriter tells no types
    """A sheet with long tables between the rows that are written cell by cell."""

    dim_rowmin: int
    dim_rowmax: int

    def __init__(self) -> None:
        super().__init__()
        self._blocks: list[Block] = []

    def add_block(self, block: Block) -> int:
        """0, or as all of XlsxWriter's methods a negative code: the table has more rows than a sheet holds."""
        end = len(block.columns) - 1
        if self._check_dimensions(block.first, 0) or self._check_dimensions(block.last, end):
            return -1
        columns = tuple(replace(column, values=self._shared(column.values)) for column in block.columns)
        self._blocks.append(replace(block, columns=columns))
        return 0

    def _shared(self, values: pl.Series) -> pl.Series:
        """Each text's place in the table of shared strings, as text; counts stay what they are."""
        if values.dtype != pl.String:
            return values
        texts = values.drop_nulls()
        unique = texts.unique(maintain_order=True)
        places = [self.str_table._get_shared_string_index(text) for text in unique]  # noqa: SLF001 - as write_string does
        self.str_table.count += len(texts) - len(unique)
        return values.replace_strict(unique, places, default=None, return_dtype=pl.Int64).cast(pl.String)

    def _write_rows(self) -> None:
        """All rows into the sheet's XML: XlsxWriter's own before and after each long table."""
        whole = start, end = self.dim_rowmin, self.dim_rowmax
        for block in sorted(self._blocks, key=attrgetter("first")):
            self._write_own(start, block.first - 1)
            for at in range(0, len(block.heights), _AT_ONCE):
                self.fh.write(_xml(block, at))
            start = block.last + 1
        self._write_own(start, end)
        self.dim_rowmin, self.dim_rowmax = whole

    def _write_own(self, first: int, last: int) -> None:
        if first <= last:
            self.dim_rowmin, self.dim_rowmax = first, last
            super()._write_rows()


def _xml(block: Block, start: int) -> str:
    """So many rows of the block, from this one of its own."""
    rows = block.heights.slice(start, _AT_ONCE)
    pixels = (rows * 4 / 3 + 0.5).floor()  # Excel's points are whole pixels, as set_row has them
    frame = pl.DataFrame([(pixels * 0.75).alias("height")]).with_row_index("at", block.first + start + 1)
    parts = ['<row r="', _AT, f'" spans="1:{len(block.columns)}" ht="', pl.col("height"), '" customHeight="1">']
    for n, column in enumerate(block.columns):
        parts += [f'<c r="{xl_col_to_name(n)}', _AT, '" s="', *_cell(column, start)]
    told = [pl.lit(part) if isinstance(part, str) else part for part in [*parts, "</row>"]]
    return str(frame.select(pl.concat_str(told).str.join()).item())


def _cell(column: Cells, start: int) -> list[str | pl.Expr]:
    """A column's cells behind the words `s="`: the style's number, and the value."""
    styles = [str(style._get_xf_index()) for style in (column.style, *column.others)]  # noqa: SLF001 - as _write_cell does
    which = styles[0] if column.which is None else pl.lit(pl.Series(styles).gather(column.which.slice(start, _AT_ONCE)))
    values = pl.lit(column.values.slice(start, _AT_ONCE))
    kind = ' t="s"' if column.values.dtype == pl.String else ""
    return [which, pl.coalesce(pl.format(f'"{kind}><v>{{}}</v></c>', values), pl.lit('"/>'))]
