"""Names as numbers: one code per character, in arrays that hold a whole column of names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from fupin_cli.characters.table import END, Array, NameTable, code_points


@dataclass(frozen=True)
class Coded:
    """The codes of all names one after another, and where each name starts and how long it is."""

    codes: Array
    start: Array
    length: Array

    @classmethod
    def of(cls, names: pl.Series, table: NameTable | None = None) -> Coded:
        """The names in this table's codes, or in code points; null is an empty name.

        Raises ValueError for a character that the table lacks.
        """
        codes = code_points(names)
        if table:
            codes = table.code_of[codes]
            if not codes.all():
                raise ValueError("the table was made for other names")
        length = names.str.len_chars().fill_null(0).to_numpy().astype(np.int32)
        return cls(codes, np.cumsum(length, dtype=np.int64) - length, length)

    def columns(self, rows: Array, width: int) -> Array:
        """The first, second, … codes of these names, END beyond a name's end: an array of width x rows."""
        start, length = self.start[rows], self.length[rows]
        last = max(len(self.codes) - 1, 0)
        out = np.full((width, len(rows)), END, dtype=self.codes.dtype)
        if len(self.codes):
            for at in range(width):
                np.copyto(out[at], self.codes[np.minimum(start + at, last)], where=at < length)
        return out

    def holds(self, flags: Array) -> Array:
        """For each name whether it has a code that is flagged."""
        if not flags.any():
            return np.zeros(len(self.length), dtype=bool)
        total = np.concatenate([[0], np.cumsum(flags[self.codes])])
        found: Array = total[self.start + self.length] > total[self.start]
        return found


def by_width(length: Array) -> list[tuple[int, Array]]:
    """Widths 4, 8, 16, … with the rows that fit in each and in none before: one endless name costs itself only."""
    found, low, width = [], -1, 4
    top = int(length.max(initial=0))
    while low < top:
        rows = np.flatnonzero((length > low) & (length <= width))
        if len(rows):
            found.append((width, rows))
        low, width = width, 2 * width
    return found
