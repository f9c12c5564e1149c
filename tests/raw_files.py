"""Files that no library writes as offices send them: xlsb, archives with names in GB18030, text in every encoding."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from datetime import date

from office_files import ERRORS, PLAIN, Error, Formula, Look, starts, text_of

# --- text ----------------------------------------------------------------------------------------------------------------


def write_text(path, rows, encoding="utf-8", mark=",", *, quote="needed", line_end="\r\n", last_line_end=True):
    """The path of a text file; `quote` is needed, all or none."""

    def quoted(cell):
        text = text_of(cell)
        wants = quote == "all" or (quote == "needed" and any(sign in text for sign in (mark, '"', "\r", "\n")))
        return '"' + text.replace('"', '""') + '"' if wants else text

    text = line_end.join(mark.join(map(quoted, row)) for row in rows) + (line_end if last_line_end else "")
    path.write_bytes(text.encode(encoding))
    return path


# --- archives ------------------------------------------------------------------------------------------------------------


def write_zip(path, members: Mapping[str, bytes], name_encoding="gb18030", password: str | None = None):
    """The path of an archive; see `zipped`."""
    path.write_bytes(zipped(members, name_encoding, password))
    return path


def zipped(members: Mapping[str, bytes], name_encoding="gb18030", password: str | None = None):
    """The bytes of an archive. Only names in UTF-8 are declared as what they are, as Windows in China does.

    With a password the members are encrypted in the old way of PKZIP, which is what every program offers first.
    """
    local, directory = io.BytesIO(), io.BytesIO()
    for name, content in members.items():
        stored_name = name.encode(name_encoding)
        flags = (0x800 if name_encoding == "utf-8" else 0) | (1 if password is not None else 0)
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed, checksum = packer.compress(content) + packer.flush(), zlib.crc32(content)
        if password is not None:
            packed = _encrypted(packed, password.encode("utf-8"), checksum >> 24)
        about = struct.pack(
            "<HHHHHIIIHH", 20, flags, 8, 0, 0x5821, checksum, len(packed), len(content), len(stored_name), 0
        )
        place = local.tell()
        local.write(b"PK\x03\x04" + about + stored_name + packed)
        directory.write(
            b"PK\x01\x02" + struct.pack("<H", 20) + about + struct.pack("<HHHII", 0, 0, 0, 0x20, place) + stored_name
        )
    size, end = directory.tell(), local.tell()
    return (
        local.getvalue()
        + directory.getvalue()
        + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(members), len(members), size, end, 0)
    )


def _encrypted(data, password, check):
    """The old stream cipher: three keys that every plain byte changes; twelve bytes come first, the last of them a check."""
    table = [zlib.crc32(bytes([n]), 0xFFFFFFFF) ^ 0xFFFFFFFF for n in range(256)]
    keys = [0x12345678, 0x23456789, 0x34567890]

    def turn(byte):
        keys[0] = (keys[0] >> 8) ^ table[(keys[0] ^ byte) & 0xFF]
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = (keys[2] >> 8) ^ table[(keys[2] ^ (keys[1] >> 24)) & 0xFF]

    def cover(byte):
        mask = (keys[2] | 2) & 0xFFFF
        turn(byte)
        return byte ^ ((mask * (mask ^ 1)) >> 8) & 0xFF

    for byte in password:
        turn(byte)
    return bytes(map(cover, bytes(11) + bytes([check]) + data))


# --- xlsb ----------------------------------------------------------------------------------------------------------------

_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>{}</Types>'
)
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


def record(kind, payload=b""):
    """One BIFF12 record: its kind and size in groups of seven bits."""
    return _sevens(kind) + _sevens(len(payload)) + payload


def write_xlsb(path, sheets, looks: Mapping[str, Look] = {}, *, shared=False):
    """The path of an .xlsb; with `shared`, texts stand in a table of their own, as Excel writes them."""
    strings: dict[str, int] | None = {} if shared else None
    parts = {
        f"xl/worksheets/sheet{n}.bin": _sheet(rows, looks.get(name, PLAIN), strings)
        for n, (name, rows) in enumerate(sheets.items(), 1)
    }
    states = ("visible", "hidden", "very hidden")
    bundle = b"".join(
        record(156, struct.pack("<2I", states.index(looks.get(name, PLAIN).state), n) + _wide(f"rId{n}") + _wide(name))
        for n, name in enumerate(sheets, 1)
    )
    book = record(131) + record(153, bytes(8) + _wide("")) + record(143) + bundle + record(144) + record(132)
    formats = struct.pack("<2H12x", 0xFFFF, 0), struct.pack("<2H12x", 0, 14)  # general; a date
    styles = (
        record(278)
        + record(617, struct.pack("<I", 2))
        + b"".join(record(47, f) for f in formats)
        + record(618)
        + record(279)
    )
    links = {f"rId{n}": ("worksheet", f"worksheets/sheet{n}.bin") for n in range(1, len(sheets) + 1)}
    links["rIdStyles"] = ("styles", "styles.bin")
    if strings is not None:
        items = b"".join(record(19, b"\x00" + _wide(text)) for text in strings)
        parts["xl/sharedStrings.bin"] = (
            record(159, struct.pack("<2I", len(strings), len(strings))) + items + record(160)
        )
        links["rIdStrings"] = ("sharedStrings", "sharedStrings.bin")
    kinds = [(f"/{part}", "worksheet") for part in parts if "sheet" in part.rpartition("/")[2]] + [
        ("/xl/styles.bin", "styles")
    ]
    overrides = "".join(
        f'<Override PartName="{part}" ContentType="application/vnd.ms-excel.{kind}"/>' for part, kind in kinds
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", _TYPES.format(overrides))
        package.writestr("_rels/.rels", _relations({"rId1": ("officeDocument", "xl/workbook.bin")}))
        package.writestr("xl/workbook.bin", book)
        package.writestr("xl/_rels/workbook.bin.rels", _relations(links))
        package.writestr("xl/styles.bin", styles)
        for part, content in parts.items():
            package.writestr(part, content)
    return path


def _relations(links):
    inside = "".join(
        f'<Relationship Id="{i}" Type="{_RELATION}{kind}" Target="{to}"/>' for i, (kind, to) in links.items()
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="{space}">{inside}</Relationships>'


def _sheet(rows, look, strings):
    width = max(map(len, rows), default=1)
    columns = b"".join(record(60, struct.pack("<4IH", c, c, 2048, 0, 1)) for c in look.hidden_columns)
    columns = record(390) + columns + record(391) if columns else b""
    merges = b"".join(
        record(176, struct.pack("<4I", top, bottom, left, right)) for top, left, bottom, right in look.merges
    )
    merges = record(177, struct.pack("<I", len(look.merges))) + merges + record(178) if merges else b""
    data = b"".join(
        record(0, struct.pack("<IIHBBBI", r, 0, 300, 0, 0x10 if r in look.hidden_rows else 0, 0, 0))
        + b"".join(_cell(c, cell, strings) for c, cell, *_ in cells)
        for r, cells in enumerate(starts(rows, look))
    )
    size = record(148, struct.pack("<4I", 0, max(len(rows) - 1, 0), 0, width - 1))
    return record(129) + size + columns + record(145) + data + record(146) + merges + record(130)


def _cell(column, cell, strings):
    kind, value = _stored(cell, strings)
    return record(kind, struct.pack("<2I", column, 1 if isinstance(cell, date) else 0) + value)


def _stored(cell, strings):
    """The kind of record and the value in it."""
    match cell:
        case None:
            stored = 1, b""
        case bool():
            stored = 4, bytes([cell])
        case int() if abs(cell) < 1 << 28:
            stored = 2, struct.pack("<i", cell << 2 | 2)
        case int() | float():
            stored = 5, struct.pack("<d", cell)
        case date():
            stored = 5, struct.pack("<d", (cell - date(1899, 12, 30)).days)
        case Error():
            stored = 3, bytes([ERRORS[cell.text]])
        case Formula(_, value):  # its text is a token for 1: nobody here reads it
            stored = 8, _wide(str(value or "")) + struct.pack("<HI3BI", 0, 3, 0x1E, 1, 0, 0)
        case _ if strings is not None:
            stored = 7, struct.pack("<I", strings.setdefault(cell, len(strings)))
        case _:
            stored = 6, _wide(cell)
    return stored


def _wide(text):
    stored = text.encode("utf-16-le")
    return struct.pack("<I", len(stored) // 2) + stored


def _sevens(number):
    stored = bytearray()
    while number > 0x7F:
        stored.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*stored, number])
