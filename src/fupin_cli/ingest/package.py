"""What a zip-based workbook hides from its readers: damage, bombs, stray cells, hidden rows, error values.

A reader that trusts the archive's directory can return a damaged workbook as if it were whole (measured), and a single cell
in the last corner of a sheet makes it ask for 550 GB and die. So every member is unpacked once, in pieces, before anything
parses it; the same pass counts what the parser would not mention.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from fupin_cli.errors import BadDataError

_PIECE = 1 << 22
_MAX_RATIO, _MAX_UNPACKED = 200, 4 << 30  # ordinary workbooks unpack to 7-10 times their size
_MAX_CELLS = 200_000_000  # a dense sheet of this size needs about 6 GiB
_SPARSE_CELLS, _SPARSE = 20_000_000, 50  # from this size on, at least one cell in 50 must be there
_LAST_ROW = re.compile(rb'<row [^>]{0,40}?r="(\d{1,7})"')
_FAR_COLUMN = re.compile(rb' r="([A-Z]{2,3})\d')
_HIDDEN = re.compile(rb'<(?:row|col) [^>]{0,300}?hidden="(?:1|true)"')
_ERROR = re.compile(rb'<c [^>]{0,80}?t="e"')
_EMPTY_FORMULA = re.compile(rb"</f>\s*(?:<v\s*/>|<v></v>)?\s*</c>")


@dataclass(frozen=True)
class PackageNotes:
    """Things of one sheet that its cells alone do not show."""

    hidden: int = 0
    errors: int = 0
    empty_formulas: int = 0


def check_package(name: str, data: bytes) -> dict[str, PackageNotes]:
    """Notes by sheet name (empty for ods, which has other parts), after every member passed its checksum.

    Raises BadDataError for a damaged or truncated archive, for one that unpacks beyond reason, and for a sheet whose stray
    cells stretch it beyond any real table.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            _refuse_bomb(name, package)
            notes = {info.filename: _scan(name, package, info) for info in package.infolist()}
            parts = _sheet_parts(package)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, LookupError):
        raise BadDataError(
            "the workbook is damaged: its parts do not match their checksums",
            where=name,
            why="it was cut off or changed while it was copied",
            try_="copy it again from where it came from",
        ) from None
    return {sheet: notes[part] for sheet, part in parts.items() if part in notes}


def _refuse_bomb(name: str, package: zipfile.ZipFile) -> None:
    unpacked = sum(info.file_size for info in package.infolist())
    packed = sum(info.compress_size for info in package.infolist())
    if unpacked > _MAX_UNPACKED or (unpacked > _PIECE * 16 and unpacked > _MAX_RATIO * packed):
        raise BadDataError(
            "the workbook unpacks to an unreasonable size",
            where=name,
            why=f"{unpacked >> 20} MiB out of {packed >> 20} MiB",
            try_="save the sheet that is needed as .csv and use that",
        )


def _scan(name: str, package: zipfile.ZipFile, info: zipfile.ZipInfo) -> PackageNotes:
    """Reads the member to its end, which checks its CRC; counts what sheets hide on the way."""
    is_sheet = info.filename.startswith("xl/worksheets/") and info.filename.endswith(".xml")
    last_row = widest = cells = hidden = errors = empty = 0
    for piece in _pieces(package, info):
        if not is_sheet:
            continue
        cells += piece.count(b"<c ")
        hidden += len(_HIDDEN.findall(piece))
        errors += piece.count(b't="e"') and len(_ERROR.findall(piece))
        empty += piece.count(b"</f>") and len(_EMPTY_FORMULA.findall(piece))
        if rows := _LAST_ROW.findall(piece[-(1 << 20) :]):
            last_row = max(last_row, int(rows[-1]))
        widest = max(widest, *map(_column_number, set(_FAR_COLUMN.findall(piece))), 1)
        if last_row * widest > _MAX_CELLS:
            raise _stretched(name, last_row, widest)
    if last_row * widest > max(_SPARSE_CELLS, cells * _SPARSE):
        raise _stretched(name, last_row, widest)
    return PackageNotes(hidden, errors, empty)


def _stretched(name: str, row: int, column: int) -> BadDataError:
    return BadDataError(
        "a stray cell stretches the sheet far beyond its table",
        where=name,
        why=f"something stands in column {column} and something in row {row}",
        try_="copy the table alone into a new workbook and use that",
    )


def _pieces(package: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The member in pieces that end at the end of a tag, so that no pattern is cut in two."""
    rest = b""
    with package.open(info) as member:
        while chunk := member.read(_PIECE):
            whole, mark, tail = (rest + chunk).rpartition(b"</c>")
            if mark:
                yield whole + mark
                rest = tail
            else:
                yield tail[:-200]
                rest = tail[-200:]
    yield rest


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _sheet_parts(package: zipfile.ZipFile) -> dict[str, str]:
    """Sheet name → name of its part; nothing where the archive is no xlsx."""
    if "xl/workbook.xml" not in package.namelist() or "xl/_rels/workbook.xml.rels" not in package.namelist():
        return {}
    try:
        relations = ET.fromstring(package.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - expat bounds entities
        book = ET.fromstring(package.read("xl/workbook.xml"))  # noqa: S314
    except ET.ParseError:
        return {}
    targets = {r.get("Id"): (r.get("Target") or "").lstrip("/").removeprefix("xl/") for r in relations}
    parts = {}
    for sheet in (element for element in book.iter() if element.tag.endswith("}sheet")):
        link = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), None)
        parts[sheet.get("name") or ""] = f"xl/{targets.get(link, '')}"
    return parts
