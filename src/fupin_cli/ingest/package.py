"""What a zip-based workbook hides from its readers: damage, bombs, stray cells, hidden rows, error values.

Every member is unpacked once, in pieces, beside the parser; the same pass counts what the parser would not mention.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
from collections import deque
from collections.abc import Iterator
from itertools import chain
from xml.etree import ElementTree as ET

from fupin_cli.errors import BadDataError
from fupin_cli.ingest import binary_workbook, sheet_xml
from fupin_cli.ingest.biff import claims_too_much
from fupin_cli.ingest.damage import how_far
from fupin_cli.ingest.grid import SheetNotes
from fupin_cli.ingest.members import UNREADABLE, part_name, read_small, unpack
from fupin_cli.ingest.opendocument import ods_notes
from fupin_cli.language import tr

_ZIP, _COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAX_RATIO, _MAX_UNPACKED, _MAX_MEMBERS = 200, 4 << 30, 10_000  # ordinary workbooks unpack to 7-10 times their size
_DEEPEST = 1_000  # each open element costs its parser half a kilobyte
_SMALL = 1 << 20  # of parts that say what kind of thing the package is
_FREE = 64 << 20  # below this size a high ratio harms nobody
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
# what may stand before the document type, or else before the root element
_PROLOG = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?(?:\s|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)


def kind_of(package: zipfile.ZipFile) -> str | None:
    """xlsx, xlsm, xlsb or ods; None for an archive of files, and for a workbook too damaged to tell its kind."""
    stored = {part_name(info.filename): info for info in package.infolist()}

    def says(part: str, word: bytes) -> bool:
        try:
            if part not in stored:
                return False
            with package.open(stored[part]) as member:
                return word in member.read(_SMALL)
        except (*UNREADABLE, OSError, RuntimeError):
            return False

    if "xl/workbook.bin" in stored:
        return "xlsb"
    if "xl/workbook.xml" in stored:
        return "xlsm" if says("[content_types].xml", b"macroEnabled") else "xlsx"
    if "content.xml" in stored and (says("mimetype", _ODS) or says("meta-inf/manifest.xml", _ODS)):
        return "ods"
    return None


def refuse_at_a_glance(name: str, data: bytes) -> None:
    """Raises BadDataError for a package or container whose directory shows that it must not be opened; other files pass."""
    if data.startswith(_COMPOUND) and claims_too_much(data):
        raise BadDataError(
            tr("the file cannot be read: it claims to be longer than it is"),
            where=name,
            why=how_far(data) or tr("it was cut off or changed while it was copied"),
            try_=tr("copy it again from where it came from"),
        )
    if not data.startswith(_ZIP):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            count, unpacked = len(package.infolist()), sum(info.file_size for info in package.infolist())
    except UNREADABLE:
        raise _damaged(name, data) from None
    # measured against the whole file: members may share their packed bytes
    if unpacked > _MAX_UNPACKED or unpacked > max(_FREE, _MAX_RATIO * len(data)) or count > _MAX_MEMBERS:
        raise BadDataError(
            tr("the workbook unpacks to an unreasonable size"),
            where=name,
            why=tr(
                "{what:,} MiB in {count:,} parts out of {what_2:,} MiB",
                what=unpacked >> 20,
                count=count,
                what_2=len(data) >> 20,
            ),
            try_=tr("save the sheet that is needed as .csv and use that"),
        )


def unpacked_size(data: bytes) -> int:
    """How large the parts of a package say they are; any other file's own size."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return sum(info.file_size for info in package.infolist())
    except UNREADABLE:
        return len(data)


def check_package(name: str, data: bytes) -> tuple[str, dict[str, SheetNotes]]:
    """The kind of a workbook and the notes of its sheets by their names, after every member passed its checksum.

    Raises BadDataError for a damaged or truncated archive, for one that unpacks beyond reason, for XML that declares entities,
    for a locked ods, and for a sheet whose stray cells stretch it beyond any real table.
    """
    refuse_at_a_glance(name, data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            kind = kind_of(package)
            parts = {part_name(info.filename): info for info in package.infolist()}
        if kind is None:
            raise BadDataError(tr("this archive is no workbook"), where=name)
        return kind, _Parts(name, data, parts).notes(kind)
    except UNREADABLE:
        raise _damaged(name, data) from None


class _Parts:
    """The parts of one workbook. Its methods raise one of UNREADABLE for a damaged part."""

    def __init__(self, name: str, data: bytes, parts: dict[str, zipfile.ZipInfo]) -> None:
        self._name, self._data, self._parts = name, data, parts

    def notes(self, kind: str) -> dict[str, SheetNotes]:
        """The notes by sheet, after a look at every part."""
        if kind == "ods":
            return self._ods()
        sheets = self._sheets(kind)
        scan = binary_workbook.sheet_notes if kind == "xlsb" else sheet_xml.sheet_notes
        found = {}
        for part in self._parts:
            pieces = self._pieces(part)
            if part in sheets:
                found[sheets[part]] = scan(self._name, pieces)
            deque(pieces, maxlen=0)  # to the end, for the checksum
        return found

    def _ods(self) -> dict[str, SheetNotes]:
        if b"manifest:encryption-data" in self._read("meta-inf/manifest.xml"):
            raise BadDataError(
                tr("the file is protected by a password"),
                where=self._name,
                try_=tr("open it with the password, save a copy without one, and run again"),
            )
        for part in self._parts:
            if part != "content.xml":
                deque(
                    unpack(self._data, self._parts[part]), maxlen=0
                )  # manifests of old writers do have a document type
        pieces = self._pieces("content.xml")
        notes = ods_notes(self._name, pieces)
        deque(pieces, maxlen=0)
        return notes

    def _sheets(self, kind: str) -> dict[str, str]:
        """Part → name of the sheet in it; nothing where the parts that tell are missing or no XML."""
        book, relations = ("xl/workbook.bin", "bin") if kind == "xlsb" else ("xl/workbook.xml", "xml")
        try:
            links = _elements(self._read(f"xl/_rels/workbook.{relations}.rels"), "Relationship")
            sheets = binary_workbook.sheets(self._read(book)) if kind == "xlsb" else _sheets_in_xml(self._read(book))
        except (ET.ParseError, struct.error, ValueError, LookupError):
            return {}
        targets = {link.get("Id"): link.get("Target") or "" for link in links}
        parts = {
            sheet: posixpath.normpath(posixpath.join("/xl", targets.get(id_, ""))) for sheet, id_ in sheets.items()
        }
        return {part_name(part): sheet for sheet, part in parts.items()}

    def _read(self, part: str) -> bytes:
        return read_small(self._pieces(part)) if part in self._parts else b""

    def _pieces(self, part: str) -> Iterator[bytes]:
        """The part in pieces. Raises BadDataError where its XML may declare entities: they are how XML bombs are made."""
        pieces = unpack(self._data, self._parts[part])
        if not part.endswith((".xml", ".rels")):
            return pieces
        first = next(pieces, b"")
        plain = first.replace(b"\x00", b"") if b"\x00" in first[:4] else first  # UTF-16
        prolog = _PROLOG.match(plain)
        if prolog and plain.startswith(b"<!", prolog.end()):
            raise BadDataError(
                tr("the workbook declares entities, which no spreadsheet program does"),
                where=self._name,
                why=tr("such files are made to harm their reader"),
                try_=tr("open it in Excel or WPS, save it as .xlsx, and run again"),
            )
        return chain((first,), pieces)


def _sheets_in_xml(book: bytes) -> dict[str, str | None]:
    return {
        sheet.get("name") or "": next((value for key, value in sheet.items() if key.endswith("}id")), None)
        for sheet in _elements(book, "sheet")
    }


class _Attributes:
    """A target of the XML parser that keeps the attributes of one kind of element, and builds no tree."""

    def __init__(self, tag: str) -> None:
        self._suffix, self._depth, self.found = f"}}{tag}", 0, list[dict[str, str]]()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Takes in an element."""
        self._depth += 1
        if tag.endswith(self._suffix):
            self.found.append(attributes)
        if len(self.found) > _MAX_MEMBERS or self._depth > _DEEPEST:
            raise ValueError

    def end(self, tag: str) -> None:  # noqa: ARG002 - the shape of a target
        """Takes in its end."""
        self._depth -= 1


def _elements(xml: bytes, tag: str) -> list[dict[str, str]]:
    """The attributes of each such element. Raises ValueError where there are more than a workbook has parts."""
    target = _Attributes(tag)
    parser = ET.XMLParser(target=target)  # noqa: S314 - no entities, see _pieces
    parser.feed(xml)
    parser.close()
    return target.found


def _damaged(name: str, data: bytes) -> BadDataError:
    return BadDataError(
        tr("the workbook is damaged: its parts do not match their checksums"),
        where=name,
        why=how_far(data) or tr("it was cut off or changed while it was copied"),
        try_=tr("copy it again from where it came from"),
    )
