"""How far a damaged workbook can be read, for the message that asks for another copy.

The directory of a zip stands at its end, so a file that was cut off has none: the members are followed from the first on, each
by its own header. Names of sheets and parts are said, never a cell.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from itertools import islice

from fupin_cli.ingest.biff import last_readable_row
from fupin_cli.language import tr

_ZIP, _COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCAL, _DESCRIPTOR = struct.Struct("<6x2H4x2I4x2H"), struct.Struct("<4xI")
_SIZE_FOLLOWS, _STORED, _DEFLATED = 0x8, 0, 8
_PIECE, _PACKED_PIECE, _MOST = 1 << 20, 1 << 18, 256 << 20
_MOST_PARTS, _MOST_SHEETS, _LONGEST_NAMES, _LONGEST_TITLE = 10_000, 1_000, 8 << 20, 31
_SHEET_PART = re.compile(r"xl/(?:\w+/)?sheet(\d+)\.xml", re.IGNORECASE)
_ROW_NUMBER = re.compile(rb"row [^<>]*?\br=[\"'](\d{1,7})")
_SHEET = re.compile(rb"<(?:\w+:)?sheet [^<>]+")
_LINK = re.compile(rb"<(?:\w+:)?Relationship [^<>]+")
_SAFE_NAME = re.compile(r"[\w./\[\]-]{1,80}", re.ASCII)


def how_far(data: bytes) -> str | None:
    """Up to which row of which sheet a workbook can be read, or which of its parts is damaged; None where that cannot be told."""
    try:
        if data.startswith(_COMPOUND):
            place = last_readable_row(data)
            return _readable(place[1], place[0]) if place else None
        return _how_far_package(data) if data.startswith(_ZIP) else None
    except (struct.error, zlib.error, ValueError, LookupError, MemoryError):
        return None


@dataclass
class _Part:
    """One member: whether it is whole, its last whole row if it is a sheet, and its content if it tells the sheets' names."""

    name: str
    state: str = "whole"  # or cut, or changed
    last_row: int = 0
    content: bytes = b""

    def take(self, piece: bytes) -> None:
        """Takes in a piece of what was unpacked."""
        self.content += piece
        if self.is_sheet:
            end = self.content.rfind(b"row>")
            start = self.content.rfind(b"row ", 0, max(end, 0))
            if start >= 0 and (number := _ROW_NUMBER.match(self.content, start)):
                self.last_row = int(number[1])
            self.content = self.content[max(end, len(self.content) - _PIECE, 0) :]
        elif not self.tells_names or len(self.content) > _LONGEST_NAMES:
            self.content = b""

    @property
    def is_sheet(self) -> bool:
        return bool(_SHEET_PART.fullmatch(self.name))

    @property
    def tells_names(self) -> bool:
        return self.name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")


def _how_far_package(data: bytes) -> str | None:
    parts = []
    for part in islice(_parts(data), _MOST_PARTS):
        parts.append(part)
        if part.state != "whole" and part.is_sheet:
            break
    broken = next((part for part in parts if part.state != "whole"), None)
    sheet = broken or next((part for part in reversed(parts) if part.is_sheet), None)
    if sheet is None:
        return None
    if not sheet.is_sheet:
        return tr("the damage is in its part {name}", name=sheet.name) if _SAFE_NAME.fullmatch(sheet.name) else None
    title = _titles(parts).get(sheet.name) or tr("no. {number}", number=_SHEET_PART.sub(r"\1", sheet.name))
    if sheet.state == "changed":
        return tr("sheet {title} is not as it was stored", title=title)
    return _readable(sheet.last_row, title)


def _readable(row: int, sheet: object) -> str:
    return tr("readable up to row {row:,} of sheet {sheet}", row=row, sheet=sheet)


def _parts(data: bytes) -> Iterator[_Part]:
    """The members from the first on, as long as they can be followed."""
    at, left = 0, _MOST
    while at >= 0 and len(data) - at >= _LOCAL.size and left > 0:
        flags, method, checksum, packed_size, name_size, extra_size = _LOCAL.unpack_from(data, at)
        at += _LOCAL.size
        part = _Part(data[at : at + name_size].decode("utf-8", errors="replace"))
        at += name_size + extra_size
        size_follows = flags & _SIZE_FOLLOWS > 0
        packed = memoryview(data)[at:] if size_follows else memoryview(data)[at : at + packed_size]
        used, found, left = _unpack(part, packed, method, left)
        at += used
        if size_follows and len(data) - at >= _DESCRIPTOR.size:
            checksum = _DESCRIPTOR.unpack_from(data, at)[0]
        if part.state == "whole" and found != checksum:
            part.state = "cut" if method == _STORED and len(packed) < packed_size else "changed"
        if left > 0:
            yield part
        at = data.find(_ZIP, at)


def _unpack(part: _Part, packed: memoryview, method: int, left: int) -> tuple[int, int, int]:
    """How many packed bytes the member took, the checksum of what came out, and how much more may come out of others."""
    if method != _DEFLATED:
        part.take(bytes(packed[:left]))
        return len(packed), zlib.crc32(packed), left - len(packed)
    inflater, checksum, at = zlib.decompressobj(-zlib.MAX_WBITS), 0, 0
    waiting = b""
    try:
        while not inflater.eof and left > 0 and (waiting or at < len(packed)):
            if not waiting:
                waiting, at = bytes(packed[at : at + _PACKED_PIECE]), at + _PACKED_PIECE
            piece = inflater.decompress(waiting, _PIECE)
            waiting = inflater.unconsumed_tail
            checksum, left = zlib.crc32(piece, checksum), left - len(piece)
            part.take(piece)
    except zlib.error:
        part.state = "changed"
    if not inflater.eof and part.state == "whole":
        part.state = "cut"
    return min(at, len(packed)) - len(waiting) - len(inflater.unused_data), checksum, left


def _titles(parts: list[_Part]) -> dict[str, str]:
    """Sheet parts → names, as far as the parts that tell them are whole."""
    content = {part.name: part.content for part in parts if part.state == "whole"}
    book, links = content.get("xl/workbook.xml", b""), content.get("xl/_rels/workbook.xml.rels", b"")
    targets = {_attribute(link, "Id"): _attribute(link, "Target") for link in _LINK.findall(links)[:_MOST_SHEETS]}
    return {
        "xl/" + targets.get(_attribute(sheet, "r:id"), "").removeprefix("/xl/"): _attribute(sheet, "name")[
            :_LONGEST_TITLE
        ]
        for sheet in _SHEET.findall(book)[:_MOST_SHEETS]
    }


def _attribute(tag: bytes, name: str) -> str:
    found = re.search(rf"\s{name}=[\"']([^\"']*)", tag.decode("utf-8", errors="replace"))
    return unescape(found[1]) if found else ""
