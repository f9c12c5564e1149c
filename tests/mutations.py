"""Small real files of every kind that can be read, and what happens to files on their way, or is done to them by enemies.

Every mutation is drawn from a `random.Random`, so that a seed and a number give the same file again.
"""

from __future__ import annotations

import io
import random
import re
import struct
import warnings
import zipfile
from datetime import date
from typing import NamedTuple

import olefile
import polars as pl
from xlwt.CompoundDoc import XlsDoc

from office_files import (
    Error,
    Formula,
    Look,
    write_html_xls,
    write_mht,
    write_ods,
    write_xls,
    write_xlsm,
    write_xlsx,
    write_xml2003,
)
from raw_files import write_text, write_xlsb, zipped

CANARIES = ("金丝雀", "99012119")  # every name and ID number of the seeds holds one; no message may
_ROWS = [
    ["青禾县低保花名册", None, None, None, None, None],
    ["姓名", "身份证号", "低保证号", "家庭人口", "出生日期", "备注"],
    ["金丝雀甲", "990121198001011234", "D001", 3, date(1980, 1, 1), "x, y"],
    [None, "99012119750202234X", 1.5, True, None, 'says "no"'],
    ["金丝雀乙", 990121198001011234, "D002", None, date(1990, 2, 28), Error("#N/A")],
    ["金丝雀丙", "990121199003033459", "D003", -2, None, "two\nlines"],
    ["金丝雀丁", "990121196509099912", Formula("D3+1"), 4, None, None],
    ["合计", None, None, None, None, None],
]
_SHEETS = {"名单": _ROWS, "旧表": _ROWS[1:4]}
_LOOKS = {
    "名单": Look(merges=((0, 0, 0, 5), (2, 0, 3, 0)), hidden_rows=(4,), hidden_columns=(3,)),
    "旧表": Look(state="hidden"),
}
_WRITERS = {
    "xlsx": write_xlsx,
    "xlsm": write_xlsm,
    "xlsb": lambda *what: write_xlsb(*what, shared=True),
    "xls": write_xls,
    "ods": write_ods,
    "html": write_html_xls,
    "xml2003": write_xml2003,
    "mht": write_mht,
}
_TEXTS = (("utf-8", ","), ("utf-8-sig", ","), ("gb18030", ","), ("utf-16", "\t"), ("utf-16-be", ";"), ("gb18030", "|"))
_XML = frozenset(("html", "xml2003", "mht"))
_ZIPS = frozenset(("xlsx", "xlsm", "xlsb", "ods"))

NUMBERS = (0, 1, 2, 127, 128, 255, 256, 16_383, 16_384, 32_767, 65_535, 65_536, 1_048_575, 1_048_576)
NUMBERS += (2**24, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1, 2**63 - 1, 2**64 - 1, 10**30)
_AS_TEXT = (*(str(n).encode() for n in NUMBERS), b"", b"-1", b"1e308", b"NaN", b"0x10", b"\xef\xbc\x91", b"A" * 300)
_PLACES = (
    b"A0",
    b"A1",
    b"A",
    b"1",
    b"XFD1048576",
    b"XFE1",
    b"ZZZZ9",
    b"a1",
    b"$A$1",
    b"A1:XFD1048576",
    b"A99999999999",
)
_PIECES = (
    b"<",
    b">",
    b"&",
    b"&a;",
    b"&#0;",
    b"&#xD800;",
    b"&#x110000;",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<?",
    b"<!",
    b"<![",
)
_PIECES += (
    b"\x00",
    b"\xff\xfe",
    b"'",
    b'"',
    b"</",
    b"/>",
    b"</table>",
    b"<table>",
    b"<tr>",
    b"<td ",
    b"<script>",
    b"<style>",
)
_PIECES += (
    b"<tr ss:Index=1048576>",
    b"<td rowspan=9999 colspan=9999>",
    b"<Row ss:Index='70000'>",
    b"<Cell ss:Index='16384'>",
)
_LARGEST = 8 << 20
_DTD = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
_TOKENS = (
    '"',
    '""',
    '"""',
    ",",
    ",,,,,,",
    ";",
    "|",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "\n\n\n",
    "\0",
    "\ufeff",
    '="',
    "sep=;\n",
    "\x1e",
    "\x1c",
)
_TOKENS += (
    "\u2028",
    "\x85",
    "\x0b",
    "\u3000",
    "，",
    "\ud800".encode("utf-16-le", "surrogatepass").decode("latin-1"),
    "𠮷",
    "E+17",
    "'",
)
_TEARS = (b"\xed\xa0\x80", b"\x81", b"\xff", b"\x00\xd8", b"\xd8\x00", b"\xf0\x9f", b"\x84\x31\xa4\x37", b"\xe3\x80")
_TAG, _DIGITS, _PLACE = (
    re.compile(rb"<[^<>]*>"),
    re.compile(rb"\d+"),
    re.compile(rb'(?<=r=")[A-Z]+\d+|(?<=ref=")[A-Z0-9:]+'),
)
_ATTRIBUTE = re.compile(rb"""(?<==["'])[^"'<>]*(?=["'])|(?<==)[^"'<>\s]+(?=[\s>])""")


class Seed(NamedTuple):
    """A file that nothing is wrong with."""

    kind: str
    data: bytes


def make_seeds(folder):
    """Seeds by kind, each written once by way of a folder."""
    seeds = {
        kind: [Seed(kind, write(folder / "seed", _SHEETS, _LOOKS).read_bytes())] for kind, write in _WRITERS.items()
    }
    seeds["csv"] = [
        Seed(
            "csv",
            write_text(
                folder / "seed", [*_ROWS, ["金丝雀戊"], ["多", *"abcdefgh"]], encoding, mark, quote=quote
            ).read_bytes(),
        )
        for encoding, mark in _TEXTS
        for quote in ("needed", "all")
    ]
    seeds["tsv"] = [Seed("tsv", write_text(folder / "seed", _ROWS, "gb18030", "\t", line_end="\n").read_bytes())]
    packed = {f"镇{kind}.{kind}": seeds[kind][0].data for kind in ("csv", "xlsx", "xls", "html")} | {"说明.txt": b"\n"}
    seeds["zip"] = [Seed("zip", zipped({**packed, "内/内.zip": zipped({"村.csv": packed["镇csv.csv"]})}))]
    table = pl.DataFrame({str(label): [str(row[n] or "") for row in _ROWS[2:]] for n, label in enumerate(_ROWS[1])})
    numbers = table.with_columns(
        pl.lit(date(1980, 1, 1)).alias("出生日期"), pl.Series("家庭人口", range(6)).cast(pl.Float32)
    )
    for frame, compression in ((table, "zstd"), (numbers, "uncompressed"), (numbers, "snappy")):
        frame.write_parquet(folder / "seed", compression=compression)
        seeds.setdefault("parquet", []).append(Seed("parquet", (folder / "seed").read_bytes()))
    return seeds


def mutated(seeds, kind, draw: random.Random):
    """The bytes of a file of this kind to which something has happened, often more than once."""
    data = draw.choice(seeds[kind]).data
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        data = mutate(kind, data, draw)[:_LARGEST]
    if draw.random() < 0.1:
        other = draw.choice(seeds[draw.choice(list(seeds))]).data
        data = data[: draw.randrange(len(data) + 1)] + other[draw.randrange(len(other)) :]
    return data[:_LARGEST]


def mutate(kind, data, draw: random.Random):
    """The data with one thing done to it: to its bytes, or to what its kind is made of."""
    if draw.random() < 0.25:
        return mutate_bytes(data, draw)
    if kind in _ZIPS or kind == "zip":
        return _mutate_package(data, draw)
    if kind == "xls":
        return _mutate_compound(data, draw)
    if kind in _XML:
        return mutate_xml(data, draw)
    return _mutate_parquet(data, draw) if kind == "parquet" else _mutate_text(data, draw)


def mutate_bytes(data, draw: random.Random):
    """The data with bytes flipped, overwritten, put in, taken out, doubled or cut off."""
    at, end = sorted((draw.randrange(len(data) + 1), draw.randrange(len(data) + 1)))
    near = min(end, at + draw.choice((1, 2, 4, 16, 300)))
    match draw.randrange(7):
        case 0 if at < len(data):
            return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]
        case 1:
            size, order = draw.choice((1, 2, 4, 8)), draw.choice(("little", "big"))
            number = (draw.choice(NUMBERS) % (1 << 8 * size)).to_bytes(size, order)
            return data[:at] + number + data[at + size :]
        case 2:
            return data[:at] + draw.randbytes(draw.choice((1, 2, 8, 100))) + data[at:]
        case 3:
            return data[:at] + data[near:]
        case 4:
            return data[:at] + data[at:near] * draw.choice((2, 3, 500)) + data[near:]
        case 5:
            return data[:at]
        case _:
            return data[:at] + bytes(near - at) + data[near:]


# --- markup, and the XML in packages -------------------------------------------------------------------------------------


def mutate_xml(xml, draw: random.Random):
    """The markup with a number, a place, an attribute or a tag that is not as it was."""
    what = draw.randrange(9)
    if what < 4:
        pattern = (_DIGITS, _PLACE, _ATTRIBUTE, _ATTRIBUTE)[what]
        with_what = (_AS_TEXT, _PLACES, _AS_TEXT, (b"s", b"e", b"b", b"inlineStr", b"str", b"d", b"x", b"1", b"true"))[
            what
        ]
        return _exchanged(xml, list(pattern.finditer(xml)), draw.choice(with_what), draw)
    tags = list(_TAG.finditer(xml)) or [None]
    tag = draw.choice(tags)
    at = tag.start() if tag else 0
    if what == 4:
        return _exchanged(xml, tags, b"", draw)
    if what == 5:
        return _exchanged(xml, tags, (tag[0] if tag else b"<x>") * draw.choice((2, 2, 50, 2000)), draw)
    if what == 6:
        return xml[:at] + draw.choice(_PIECES) * draw.choice((1, 1, 3, 3000)) + xml[at:]
    if what == 7:
        head, mark, tail = xml.partition(b"?>")
        return draw.choice((head + mark + _DTD + tail, _DTD + xml, xml.replace(b"<", b"<x:"), xml.replace(b'"', b"'")))
    try:
        return xml.decode("utf-8").encode(draw.choice(("utf-16", "utf-16-be", "gb18030", "utf-8-sig")))
    except UnicodeError:
        return xml[at:]


def _exchanged(data, found, new, draw):
    if not found or found[0] is None:
        return mutate_bytes(data, draw)
    one = draw.choice(found)
    return data[: one.start()] + new + data[one.end() :]


# --- packages ------------------------------------------------------------------------------------------------------------


def _mutate_package(data, draw):
    """The package with one part changed, and checksums that are right."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = [(info.filename, package.read(info)) for info in package.infolist()]
    except Exception:  # an earlier mutation broke it
        return mutate_bytes(data, draw)
    if not parts:
        return data
    at = draw.randrange(len(parts))
    if draw.random() < 0.5:  # sheets are the most of a workbook
        at = next((n for n, (name, _) in enumerate(parts) if "sheet1" in name or name == "content.xml"), at)
    name, content = parts[at]
    match draw.randrange(16):
        case 0:
            del parts[at]
        case 1:
            parts.append((name, draw.choice(parts)[1]))
        case 2:
            parts[at] = (
                draw.choice((name.upper(), "/" + name, name.replace("/", "\\"), "", "a" * 3000, "../" + name)),
                content,
            )
        case 3:
            parts[at] = (name, draw.choice((b"", bytes(1 << 22), draw.choice(parts)[1])))
        case 4:
            parts += [(f"x/{n}", b"") for n in range(draw.choice((10, 2500)))]
        case _:
            parts[at] = (name, _mutate_part(name, content, draw))
    return _packed(parts, draw.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED)))


def _mutate_part(name, content, draw):
    suffix = name.lower().rpartition(".")[2]
    if suffix in ("xml", "rels", "html"):
        return mutate_xml(content, draw)
    if suffix == "bin":
        return _mutate_chain(content, draw, _sevens_head, _sevens)
    return mutate({"zip": "zip", "xlsx": "xlsx", "xls": "xls", "csv": "csv"}.get(suffix, "text"), content, draw)


def _packed(parts, method):
    packed = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(packed, "w", method) as package:
        warnings.simplefilter("ignore")  # names that stand twice are what is wanted
        for name, content in parts:
            package.writestr(zipfile.ZipInfo(name), content, method)
    return packed.getvalue()


# --- chains of records: xls and xlsb -------------------------------------------------------------------------------------


def _mutate_compound(data, draw):
    """The .xls with a record of its stream changed, dropped or doubled, in a container that is whole; or a lying container."""
    if draw.random() < 0.2:  # header or directory
        at = draw.choice(
            (draw.randrange(0, 76, 2), draw.randrange(76, 512, 4), max(len(data) - 512 + draw.randrange(0, 512, 4), 0))
        )
        size = draw.choice((2, 4))
        return data[:at] + (draw.choice(NUMBERS) % (1 << 8 * size)).to_bytes(size, "little") + data[at + size :]
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as compound:
            stream = compound.openstream("Workbook").read()
    except Exception:  # an earlier mutation broke it
        return mutate_bytes(data, draw)
    packed = io.BytesIO()
    XlsDoc().save(
        packed,
        _mutate_chain(stream, draw, _biff_head, lambda kind, size: struct.pack("<HH", kind % 65536, size % 65536)),
    )
    return packed.getvalue()


def _mutate_chain(stream, draw, head, packed_head):
    """The chain with something done to one of its records; `head` reads kind, size and start of a payload."""
    records, at = [], 0
    while at < len(stream) - 4 and len(records) < 5000:
        kind, size, start = head(stream, at)
        records.append((kind, stream[start : start + size]))
        at = start + size
    if not records:
        return mutate_bytes(stream, draw)
    n = draw.randrange(len(records))
    kind, payload = records[n]
    size = len(payload)
    match draw.randrange(8):
        case 0:
            payload = b""
            records[n : n + 1] = []
        case 1:
            records[n : n + 1] = [records[n]] * draw.choice((2, 100))
        case 2:
            kind = draw.choice((draw.choice(records)[0], draw.randrange(1024)))
        case 3:
            size = draw.choice((*NUMBERS[:13], size + 1, max(size - 1, 0)))
        case 4:
            payload = payload[: draw.randrange(len(payload) + 1)] if draw.random() < 0.5 else payload * 2
            size = len(payload)
        case _:
            at = draw.randrange(0, max(len(payload), 1), draw.choice((1, 2)))
            width = draw.choice((1, 2, 4))
            payload = (
                payload[:at]
                + (draw.choice(NUMBERS) % (1 << 8 * width)).to_bytes(width, "little")
                + payload[at + width :]
            )
    changed = (kind, size, payload)
    heads = ((*record, len(record[1])) for record in records)
    return b"".join(
        packed_head(changed[0], changed[1]) + changed[2] if at == n else packed_head(kind, size) + payload
        for at, (kind, payload, size) in enumerate(heads)
    )


def _biff_head(stream, at):
    kind, size = struct.unpack_from("<HH", stream, at)
    return kind, size, at + 4


def _sevens_head(stream, at):
    numbers = []
    for _ in range(2):
        number = shift = 0
        while at < len(stream) and shift < 28:
            number |= (stream[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if stream[at - 1] < 0x80:
                break
        numbers.append(number)
    return *numbers, at


def _sevens(kind, size):
    packed = bytearray()
    for number in (kind, size % (1 << 28)):
        left = number
        while left > 0x7F:
            packed.append(left & 0x7F | 0x80)
            left >>= 7
        packed.append(left)
    return bytes(packed)


# --- text, Parquet -------------------------------------------------------------------------------------------------------


def _mutate_text(data, draw):
    """The text with quotes, marks, half characters or whole megabytes where none belong."""
    at = draw.randrange(len(data) + 1)
    encoding = "utf-16-le" if data[:2] == b"\xff\xfe" or b"\x00" in data[1:40:2] else draw.choice(("utf-8", "gb18030"))
    token = draw.choice(_TOKENS).encode(encoding, "surrogatepass" if encoding != "gb18030" else "replace")
    match draw.randrange(8):
        case 0:
            return data[:at] + draw.choice(_TEARS) + data[at:]
        case 1:
            return data[:at] + token * draw.choice((2, 7, 400, 20_000)) + data[at:]
        case 2:
            return data[:at] + ("长" * draw.choice((100, 40_000, 600_000))).encode(encoding) + data[at:]
        case 3:
            lines = data.split(b"\n")
            draw.shuffle(lines)
            return b"\n".join(lines)
        case 4:
            return (
                data.replace(token, draw.choice(_TOKENS).encode(encoding, "replace")) if token in data else data + token
            )
        case 5:
            return data * draw.choice((2, 100))
        case _:
            return data[:at] + token + data[at:]


def _mutate_parquet(data, draw):
    """The file with something changed in its footer, which says what all the rest means."""
    if len(data) < 12:
        return mutate_bytes(data, draw)
    size = min(int.from_bytes(data[-8:-4], "little"), len(data) - 12)
    start = len(data) - 8 - size
    footer = mutate_bytes(data[start:-8], draw)
    told = len(footer) if draw.random() < 0.9 else draw.choice(NUMBERS) % (1 << 32)
    return data[:start] + footer + told.to_bytes(4, "little") + b"PAR1"
