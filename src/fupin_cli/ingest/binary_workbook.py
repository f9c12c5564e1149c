"""What an xlsb says besides its cells: hidden rows and columns, errors, merged ranges, and how far each sheet reaches.

A part is a chain of records, each with its kind and its size in groups of seven bits [MS-XLSB 2.1.4].
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import chain

from fupin_cli.ingest.extent import Extent
from fupin_cli.ingest.grid import SheetNotes

# kinds; cells with a value are those between a blank one and a formula that shows an error
_ROW, _BLANK, _ERROR, _FORMULA_ERROR, _COLUMNS, _SHEET, _MERGE = 0, 1, 3, 11, 60, 156, 176
_SHOWS_ERROR, _NOTED = (_ERROR, _FORMULA_ERROR), (_ROW, _COLUMNS, _MERGE)
_HIDDEN_ROW, _HIDDEN_COLUMN = 0x10, 0x1  # bits; the first stands in the twelfth byte of a row
_AHEAD = 32  # as far as this module looks into a record, its kind and size included
_LONG, _COLUMN_RANGE, _RANGE = struct.Struct("<I"), struct.Struct("<2I8xH"), struct.Struct("<4I")


def sheets(book: bytes) -> dict[str, str | None]:
    """Sheet name → id of the relation that leads to its part. Raises struct.error where the part ends in the middle."""
    found: dict[str, str | None] = {}
    padded, at = book + bytes(_AHEAD), 0
    while at < len(book):
        kind, size, at = _head(padded, at)
        if kind == _SHEET:
            relation, end = _text(padded, at + 8)
            found[_text(padded, end)[0]] = relation
        at += size
    return found


def sheet_notes(name: str, pieces: Iterable[bytes]) -> SheetNotes:
    """The notes of a sheet whose part comes in pieces. Raises BadDataError where it is stretched beyond any real table."""
    sheet, rest, skip = _Sheet(name), b"", 0
    for piece in chain(pieces, (bytes(_AHEAD),)):
        if skip >= len(piece):
            skip -= len(piece)
            continue
        buffer = rest + piece[skip:]
        at = sheet.walk(buffer, len(buffer) - _AHEAD)
        rest, skip = buffer[at:], max(at - len(buffer), 0)
    return sheet.notes()


class _Sheet:
    """One sheet while it is read."""

    def __init__(self, name: str) -> None:
        self._extent = Extent(name)
        self._hidden_rows = self._errors = 0
        self._row, self._row_hidden, self._values, self._last = 0, False, 0, bytes(4)

    def walk(self, buffer: bytes, end: int) -> int:
        """Takes in the records that begin before `end`; where the next one begins, perhaps behind the buffer."""
        at, values, last = 0, self._values, self._last
        while at < end:
            kind, size = buffer[at], buffer[at + 1]
            if kind < 0x80 and size < 0x80:
                at += 2  # nearly always; a call would double the time
            else:
                kind, size, at = _head(buffer, at)
            if _BLANK < kind <= _FORMULA_ERROR:
                values += 1
                last = buffer[at : at + 4]
                self._errors += kind in _SHOWS_ERROR
            elif kind in _NOTED:
                self._values, self._last = values, last
                self._note(kind, buffer, at)
                values = self._values
            at += size
        self._values, self._last = values, last
        return at

    def notes(self) -> SheetNotes:
        """All that was counted."""
        self._end_row()
        self._extent.refuse_stretched()
        hidden = self._hidden_rows, self._extent.hidden_columns()
        return SheetNotes(*hidden, self._errors, 0, tuple(self._extent.merged))

    def _note(self, kind: int, buffer: bytes, at: int) -> None:
        if kind == _ROW:
            self._end_row()
            self._row, self._row_hidden = _LONG.unpack_from(buffer, at)[0], bool(buffer[at + 11] & _HIDDEN_ROW)
        elif kind == _COLUMNS:
            first, last, flags = _COLUMN_RANGE.unpack_from(buffer, at)
            if flags & _HIDDEN_COLUMN:
                self._extent.hide_columns(first, last)
        else:
            top, bottom, left, right = _RANGE.unpack_from(buffer, at)
            self._extent.merge(top, left, bottom, right)

    def _end_row(self) -> None:
        if self._values:
            self._extent.add(self._values, self._row + 1, _LONG.unpack(self._last)[0] + 1)
            self._hidden_rows += self._row_hidden
            self._values = 0


def _head(buffer: bytes, at: int) -> tuple[int, int, int]:
    """Kind, size and start of the record's payload."""
    kind = buffer[at]
    at += 1
    if kind & 0x80:
        kind = kind & 0x7F | (buffer[at] & 0x7F) << 7
        at += 1
    size = shift = 0
    while shift < 28:
        byte = buffer[at]
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return kind, size, at


def _text(buffer: bytes, at: int) -> tuple[str, int]:
    """A text and where it ends; a missing one is empty."""
    (length,) = _LONG.unpack_from(buffer, at)
    length = 0 if length == 0xFFFFFFFF else length
    end = at + 4 + 2 * length
    return buffer[at + 4 : end].decode("utf-16-le", errors="replace"), end
