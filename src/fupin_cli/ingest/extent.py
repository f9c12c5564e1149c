"""How far a sheet reaches, and whether that is a table's size or a stray cell's doing.

A reader holds the whole rectangle from the first to the last cell: a single one in the last corner makes it ask for 550 GB.
"""

from __future__ import annotations

from fupin_cli.errors import BadDataError
from fupin_cli.ingest.grid import Merge
from fupin_cli.language import tr

_ROWS, _COLUMNS = 1 << 20, 1 << 14  # of any sheet
_MAX_CELLS = 200_000_000  # a dense sheet of this size needs about 6 GiB
_SPARSE_CELLS, _SPARSE = 20_000_000, 50  # from this size on, at least one cell in 50 must be there


class Extent:
    """What is known of a sheet's rectangle while it is read. `rows` and `columns` are how many there are, from the first on."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._hidden: list[tuple[int, int]] = []
        self.cells = self.rows = self.columns = 0
        self.merged: list[Merge] = []

    def add(self, cells: int, rows: int, columns: int) -> None:
        """Takes in cells that reach this far. Raises BadDataError where no reader could hold the sheet."""
        self.cells += cells
        self.rows, self.columns = max(self.rows, rows), max(self.columns, columns)
        if self.rows * self.columns > _MAX_CELLS:
            self.refuse_stretched()

    def merge(self, top: int, left: int, bottom: int, right: int) -> None:
        """Takes in a merged range, 0-based and inclusive. Raises BadDataError where there are more than a sheet has rows."""
        if len(self.merged) == _ROWS:
            raise self._stretched(tr("there are more merged ranges than a sheet has rows"))
        if top <= bottom and left <= right:
            self.merged.append(Merge(top, left, min(bottom, _ROWS - 1), min(right, _COLUMNS - 1)))

    def hide_columns(self, first: int, last: int) -> None:
        """Takes in hidden columns, 0-based and inclusive."""
        if len(self._hidden) < _COLUMNS:
            self._hidden.append((first, last))

    def hides_columns(self) -> bool:
        """Whether any column is hidden, whatever stands in it."""
        return bool(self._hidden)

    def hidden_columns(self) -> int:
        """How many columns are hidden, of those that the sheet reaches."""
        count = reached = 0
        for first, last in sorted(self._hidden):
            end = min(last + 1, self.columns)
            count += max(end - max(first, reached), 0)
            reached = max(reached, end)
        return count

    def refuse_stretched(self) -> None:
        """Raises BadDataError where there are too few cells for so large a rectangle; for the end of the sheet."""
        if self.rows * self.columns > min(_MAX_CELLS, max(_SPARSE_CELLS, self.cells * _SPARSE)):
            raise self._stretched(
                tr("something stands in column {column} and something in row {row}", column=self.columns, row=self.rows)
            )

    def _stretched(self, why: str) -> BadDataError:
        return BadDataError(
            tr("a stray cell stretches the sheet far beyond its table"),
            where=self._name,
            why=why,
            try_=tr("copy the table alone into a new workbook and use that"),
        )
