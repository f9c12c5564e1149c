"""What an ods says besides its cells: merged ranges, hidden rows and columns, errors, and how far each sheet reaches.

Runs of equal cells and rows are stored once with a count. Readers write them out, so that a file of a few bytes can ask for
any amount of memory; here they count once when it is judged whether a sheet of that size is a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from xml.parsers import expat

from fupin_cli.errors import BadDataError
from fupin_cli.ingest.extent import Extent
from fupin_cli.ingest.grid import SheetNotes
from fupin_cli.language import tr

_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!)|Err:\d{3}")
_LONGEST_TEXT = (
    32 << 20
)  # without the end of a tag: no cell holds that much, and the parser would read it again and again
_PARTS = frozenset(("table:table-column", "table:table-row", "table:table-cell", "table:covered-table-cell"))
_MOST_SHEETS = 10_000
_DEEPEST = 1_000  # each open element costs its parser half a kilobyte


def ods_notes(name: str, pieces: Iterable[bytes]) -> dict[str, SheetNotes]:
    """The notes by sheet, from content.xml in pieces; as far as it is XML. Raises BadDataError for a stretched sheet."""
    content, waiting = _Content(name), 0
    for piece in pieces:
        waiting = 0 if b">" in piece else waiting + len(piece)
        try:
            content.parser.Parse(piece)
        except expat.ExpatError:
            break
        if waiting > _LONGEST_TEXT or len(content.notes) > _MOST_SHEETS:
            break
    content.end_table()
    return content.notes


class _Content:
    """Follows the elements; prefixes are taken as they are written, as readers of these files do."""

    def __init__(self, name: str) -> None:
        self.notes: dict[str, SheetNotes] = {}
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._start, self._end
        self._depth = 0
        self._name = name
        self._sheet: _Sheet | None = None
        self._text: list[str] = []  # of a formula's cell
        self._listening = False

    def end_table(self) -> None:
        """Notes down what the sheet held that was read last."""
        self._end_formula()
        if self._sheet is not None:
            self.notes[self._sheet.title] = self._sheet.notes()

    def _end(self, tag: str) -> None:  # noqa: ARG002 - the shape of a handler
        self._depth -= 1

    def _start(self, tag: str, said: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadDataError(
                tr("the workbook nests its parts deeper than any spreadsheet program does"),
                where=self._name,
                why=tr("such files are made to harm their reader"),
                try_=tr("open it in LibreOffice, save it as .xlsx, and run again"),
            )
        if tag == "table:table":
            self.end_table()
            self._sheet = _Sheet(said.get("table:name", ""), self._name)
        elif self._sheet is None or tag not in _PARTS:
            return
        elif tag == "table:table-column":
            self._sheet.add_column(said)
        else:
            if self._listening:
                self._end_formula()
            if tag == "table:table-row":
                self._sheet.add_row(said)
            elif self._sheet.add_cell(said):
                self.parser.CharacterDataHandler, self._listening = self._text.append, True

    def _end_formula(self) -> None:
        if self._text and self._sheet is not None and _ERROR.fullmatch("".join(self._text).strip()):
            self._sheet.errors += 1
        self._text.clear()
        self.parser.CharacterDataHandler, self._listening = None, False


class _Sheet:
    """One sheet while it is read. Rows and columns are counted from 0."""

    def __init__(self, title: str, name: str) -> None:
        self.title = title
        self.errors = 0
        self._extent = Extent(name)
        self._next_row = self._row = self._repeated = self._column = self._columns = 0
        self._values = self._last = self._hidden_rows = self._empty = 0
        self._row_hidden = False

    def add_column(self, said: Mapping[str, str]) -> None:
        """Takes in a column, or a run of them."""
        first, self._columns = self._columns, self._columns + _count(said.get("table:number-columns-repeated"))
        if _is_hidden(said):
            self._extent.hide_columns(first, self._columns - 1)

    def add_row(self, said: Mapping[str, str]) -> None:
        """Takes in the beginning of a row, or of a run of them."""
        self._end_row()
        self._repeated = _count(said.get("table:number-rows-repeated"))
        self._row, self._next_row = self._next_row, self._next_row + self._repeated
        self._column, self._row_hidden = 0, _is_hidden(said)

    def add_cell(self, said: Mapping[str, str]) -> bool:
        """Takes in a cell, or a run of them; whether its text must be read to know whether it is an error."""
        column = self._column
        self._column += _count(said["table:number-columns-repeated"]) if "table:number-columns-repeated" in said else 1
        if "table:number-rows-spanned" in said or "table:number-columns-spanned" in said:
            down, across = (
                _count(said.get("table:number-rows-spanned")),
                _count(said.get("table:number-columns-spanned")),
            )
            if down * across > 1:
                self._extent.merge(self._row, column, self._row + down - 1, column + across - 1)
        type_, formula = said.get("calcext:value-type") or said.get("office:value-type"), "table:formula" in said
        if type_ is None:
            self._empty += formula
            return False
        self._values, self._last = self._values + 1, self._column
        if type_ == "error":
            self.errors += 1
            return False
        return formula

    def notes(self) -> SheetNotes:
        """All that was counted. Raises BadDataError where the sheet is stretched beyond any real table."""
        self._end_row()
        self._extent.refuse_stretched()
        hidden = self._hidden_rows, self._extent.hidden_columns()
        return SheetNotes(*hidden, self.errors, self._empty, tuple(self._extent.merged))

    def _end_row(self) -> None:
        if self._values:
            self._extent.add(self._values, self._row + self._repeated, self._last)
            self._hidden_rows += self._repeated * self._row_hidden
            self._values = 0


def _is_hidden(said: Mapping[str, str]) -> bool:
    return said.get("table:visibility", "visible") != "visible"


def _count(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 1
