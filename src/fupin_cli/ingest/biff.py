"""What an old `.xls` (Excel 5 to 2003) says besides its cells: hidden rows and columns, errors, formulas without a value.

Its workbook stream is a chain of records: kind, size, payload [MS-XLS 2.1.4]. It is walked once, as far as it holds together;
whether a break in it is damage is for the reader to say.
"""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import olefile

from fupin_cli.ingest.extent import Extent
from fupin_cli.ingest.grid import SheetNotes

_BEGIN, _END, _TITLE, _CODE_PAGE, _LOCKED, _CALCULATED_BY = 0x0809, 0x000A, 0x0085, 0x0042, 0x002F, 0x01C1
_ROW, _COLUMNS, _FORMULA, _BOOL_OR_ERROR, _NUMBER_RUN = 0x0208, 0x007D, 0x0006, 0x0205, 0x00BD
_VALUES = frozenset(
    (0x0203, 0x0204, 0x027E, 0x00D6, 0x00FD, _NUMBER_RUN, _FORMULA, _BOOL_OR_ERROR)
)  # numbers and texts
_NOTED = frozenset(
    (_BEGIN, _END, _TITLE, _CODE_PAGE, _LOCKED, _CALCULATED_BY, _ROW, _COLUMNS, _FORMULA, _BOOL_OR_ERROR)
)
_HEAD, _PAIR = struct.Struct("<HH"), struct.Struct("<HH")
_BIFF8, _FIRST_RECORD, _SECTOR = b"\x00\x06", b"\x09\x08\x10\x00\x00\x06\x05\x00", 512
_CLAIMS, _SHIFTS, _FAT_IN_HEAD = struct.Struct("<30xH12xI16xI4xI"), (9, 12), 109  # [MS-CFB 2.2]
_LONGEST = {"encryptioninfo": 1 << 16}  # some XML, of which a tree is built that is 150 times as large
_HIDDEN_ROW, _HIDDEN_COLUMN, _CALCULATE_ON_LOAD = 0x20, 0x01, 0x02
_ERROR_RESULT, _EMPTY_RESULT = 2, 3
_ENCODINGS = {936: "gb18030", 950: "cp950", 932: "cp932", 949: "cp949", 65001: "utf-8"}
_MOST_SHEETS = 10_000
_LONGEST_HEAD = 1 << 16  # of a stream: whether it is locked stands in its second record or soon after


def xls_notes(name: str, data: bytes) -> dict[str, SheetNotes]:
    """The notes by sheet, as far as the stream can be followed."""
    book = _Book.walked(_workbook_stream(data))
    return {title: sheet.notes(name, calculated=book.calculated) for title, sheet in book.by_title()}


def is_encrypted_xls(data: bytes) -> bool:
    """Whether the workbook stream says that it is encrypted."""
    return _Book.walked(_workbook_stream(data)[:_LONGEST_HEAD]).locked


def claims_too_much(data: bytes) -> bool:
    """Whether a compound file claims more sectors or longer streams than it has bytes; False where it cannot be opened.

    Readers believe such claims: a chain of sectors that bites its own tail yields whatever is asked of it, for hours.
    """
    shift, fat, small_fat, indirect = _CLAIMS.unpack_from(data.ljust(_SECTOR, b"\x00"))
    sectors = len(data) // _SECTOR
    if shift not in _SHIFTS or fat > sectors // 64 + _FAT_IN_HEAD or max(small_fat, indirect) > sectors:
        return True
    with contextlib.suppress(Exception), olefile.OleFileIO(io.BytesIO(data)) as compound:
        kinds = (olefile.STGTY_STREAM, olefile.STGTY_ROOT)
        entries = [entry for entry in compound.direntries if entry and entry.entry_type in kinds]
        return any(entry.size > _LONGEST.get(entry.name.lower(), len(data)) for entry in entries)
    return False


def last_readable_row(data: bytes) -> tuple[str, int] | None:
    """The sheet in which the stream breaks off, and its last whole row, counted from 1; None where it does not break."""
    book = _Book.walked(_workbook_stream(data))
    begun = list(book.by_title())
    if not begun or (begun[-1][1].whole and len(begun) == len(book.titles)):
        return None
    title, sheet = begun[-1]
    last = max(sheet.rows, default=-1)
    return title, max(last + sheet.whole, 0)  # of a sheet that breaks off, the last row may not be whole


@dataclass
class _Sheet:
    """One sheet while it is read; `rows` and `columns` are those in which a value stands, counted from 0."""

    rows: set[int] = field(default_factory=set)
    columns: set[int] = field(default_factory=set)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    errors: int = 0
    empty_texts: int = 0  # formulas whose result is an empty text
    never_calculated: int = 0
    whole: bool = False

    def notes(self, name: str, *, calculated: bool) -> SheetNotes:
        """What the sheet does not show. Where the book says which program calculated it, an empty result is a result."""
        extent = Extent(name)
        extent.add(0, 0, max(self.columns, default=-1) + 1)
        for first, last in self.hidden_columns:
            extent.hide_columns(first, last)
        empty = 0 if calculated else self.empty_texts + self.never_calculated
        return SheetNotes(len(self.hidden_rows & self.rows), extent.hidden_columns(), self.errors, empty)

    def note(self, kind: int, payload: bytes) -> None:
        """Takes in a record that is no plain value."""
        if kind == _ROW and len(payload) > 12 and payload[12] & _HIDDEN_ROW:
            self.hidden_rows.add(_PAIR.unpack_from(payload)[0])
        elif kind == _COLUMNS and len(payload) > 8 and payload[8] & _HIDDEN_COLUMN:
            self.hidden_columns.append(_PAIR.unpack_from(payload))
        elif kind == _BOOL_OR_ERROR and len(payload) > 7:
            self.errors += payload[7] == 1
        elif kind == _FORMULA and len(payload) > 15:
            result, flags = payload[6:14], payload[14]
            if result.endswith(b"\xff\xff"):
                self.errors += result[0] == _ERROR_RESULT
                self.empty_texts += result[0] == _EMPTY_RESULT
            else:  # programs that cannot calculate store nought and ask the next one to do it
                self.never_calculated += not any(result) and flags & _CALCULATE_ON_LOAD > 0


class _Book:
    """What was read of a workbook stream. `titles` are the sheets' names by the places at which they begin."""

    def __init__(self) -> None:
        self.locked = self.calculated = False
        self.titles: dict[int, str] = {}
        self._sheets: dict[int, _Sheet] = {}
        self._encoding: str | None = None  # of names before Excel 97; later ones are in Unicode

    def by_title(self) -> Iterator[tuple[str, _Sheet]]:
        """The sheets that were begun, with their names, in the order of the stream."""
        return ((self.titles[start], sheet) for start, sheet in self._sheets.items() if start in self.titles)

    @classmethod
    def walked(cls, stream: bytes) -> _Book:
        """The book, read to the end of the stream or to where its chain of records breaks."""
        book, at, last = cls(), 0, len(stream) - _HEAD.size
        aside = sheet = _Sheet()  # takes what stands outside of sheets, and the numbers in their charts
        inside: list[_Sheet] = []
        while at <= last and len(book._sheets) <= _MOST_SHEETS:
            kind, size = _HEAD.unpack_from(stream, at)
            start, at = at, at + _HEAD.size + size
            if not kind or at > len(stream):
                break
            if kind in _VALUES and size >= _PAIR.size:
                row, column = _PAIR.unpack_from(stream, start + _HEAD.size)
                sheet.rows.add(row)
                if kind == _NUMBER_RUN:
                    column = int.from_bytes(stream[at - 2 : at], "little")
                sheet.columns.add(column)
            if kind in _NOTED:
                payload = stream[start + _HEAD.size : at]
                sheet.note(kind, payload)
                if kind == _BEGIN:
                    inside.append(aside if inside else book._begin(start, payload))
                    sheet = inside[-1]
                elif kind == _END and inside:
                    inside.pop().whole = True
                    sheet = inside[-1] if inside else aside
                elif len(inside) == 1:
                    book._note(kind, payload)
        return book

    def _begin(self, start: int, payload: bytes) -> _Sheet:
        if not self._sheets and payload[:2] != _BIFF8:
            self._encoding = "latin-1"
        return self._sheets.setdefault(start, _Sheet())

    def _note(self, kind: int, payload: bytes) -> None:
        """Takes in a record about the book."""
        if kind == _LOCKED:
            self.locked = True
        elif kind == _CALCULATED_BY:
            self.calculated = True
        elif kind == _CODE_PAGE and self._encoding and len(payload) >= 2:
            self._encoding = _ENCODINGS.get(int.from_bytes(payload[:2], "little"), self._encoding)
        elif kind == _TITLE and len(payload) > 8:
            self.titles[int.from_bytes(payload[:4], "little")] = self._title(payload)

    def _title(self, payload: bytes) -> str:
        if self._encoding:
            return payload[7 : 7 + payload[6]].decode(self._encoding, errors="replace")
        wide = payload[7] & 1
        return payload[8 : 8 + payload[6] * (1 + wide)].decode("utf-16-le" if wide else "latin-1", errors="replace")


def _workbook_stream(data: bytes) -> bytes:
    """The stream of records; where the container itself is broken, what begins like one and lies in one piece."""
    # a foreign parser of foreign bytes: whatever it says, the container is broken
    with (
        contextlib.suppress(Exception),
        olefile.OleFileIO(io.BytesIO(b"" if claims_too_much(data) else data)) as compound,
    ):
        for stream in ("Workbook", "Book"):
            if compound.exists(stream):
                return bytes(compound.openstream(stream).read())
    start = data.find(_FIRST_RECORD, _SECTOR)
    return data[start:] if start > 0 and start % _SECTOR == 0 else b""
