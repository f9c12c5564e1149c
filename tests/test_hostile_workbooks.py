"""What would harm its reader is refused, quickly and in plain words; what is damaged says how far it can be read."""

from __future__ import annotations

import contextlib
import io
import random
import re
import struct
import time
import zipfile
import zlib

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from conftest import examples, patient
from fupin_cli.errors import BadDataError
from fupin_cli.ingest import binary_workbook, package, sheet_xml
from fupin_cli.ingest.biff import _Book, last_readable_row, xls_notes
from fupin_cli.ingest.damage import how_far
from fupin_cli.ingest.grid import SheetNotes
from fupin_cli.ingest.package import check_package, refuse_at_a_glance, unpacked_size
from office_files import (
    ods,
    repacked,
    write_xls,
    xlsx,
)
from office_world import LOOKS, SHEETS, WRITERS, biff, notes_of, opened
from raw_files import record, write_xlsb, zipped

# --- what is refused -----------------------------------------------------------------------------------------------------


def stretched_xlsx(row, column, cell=None):
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet, bold = book.add_worksheet("名单"), book.add_format({"bold": True})
    sheet.write(0, 0, "姓名")
    sheet.write(row, column, cell, bold)
    book.close()
    return file.getvalue()


def stretched_ods(rows, columns, text="x"):
    cell = f'<table:table-cell office:value-type="string" table:number-columns-repeated="{columns}"><text:p>{text}</text:p></table:table-cell>'
    row = f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>'
    return ods(f'<office:spreadsheet><table:table table:name="名单">{row}</table:table></office:spreadsheet>')


def stretched_xlsb(tmp_path):
    """The only cell stands in the last corner."""
    path = write_xlsb(tmp_path / "ghost.xlsb", {"名单": [["姓名"]]})
    row = record(0, struct.pack("<IIHBBBI", 1_048_575, 0, 300, 0, 0, 0, 0))
    ghost = row + record(5, struct.pack("<2Id", 16_383, 0, 1.0)) + record(146)
    return repacked(path.read_bytes(), {"xl/worksheets/sheet1.bin": lambda part: part.replace(record(146), ghost)})


def test_a_stray_cell_is_refused_in_every_kind(tmp_path):
    """A reader would ask for 550 GB."""
    for data in (stretched_xlsx(1_048_575, 16_383, "x"), stretched_ods(1_048_576, 1024), stretched_xlsb(tmp_path)):
        with pytest.raises(BadDataError, match="a stray cell stretches the sheet"):
            check_package("a", data)


def test_formatting_in_the_last_corner_is_no_stray_cell():
    """It holds no value, and readers leave it out."""
    data = stretched_xlsx(1_048_575, 16_383)
    assert check_package("a", data) == ("xlsx", {"名单": SheetNotes()})
    assert opened(data).get_sheet_by_index(0).height == 1


def test_repeated_rows_are_no_bomb_as_long_as_they_fit():
    """A column of a few thousand equal rows is ordinary, and so is an empty tail down to the last row."""
    assert check_package("a", stretched_ods(5000, 3))[0] == "ods"


DTD = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def declared(part):
    head, mark, tail = part.partition(b"?>")
    return head + mark + b"\n<!-- a comment -->" + DTD + tail


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet2.xml", "xl/sharedStrings.xml"]
)
@pytest.mark.parametrize(
    "encode", [lambda part: part, lambda part: part.decode().encode("utf-16")], ids=["utf-8", "utf-16"]
)
def test_entities_are_refused_before_any_parser_sees_them(part, encode):
    """No spreadsheet program declares any."""
    with pytest.raises(BadDataError, match="declares entities"):
        check_package("a", repacked(xlsx(SHEETS), {part: lambda old: encode(declared(old))}))


def test_entities_are_refused_in_ods():
    """In its content; manifests of old writers do have a document type."""
    with pytest.raises(BadDataError, match="declares entities"):
        check_package("a", ods("", before=DTD.decode()))
    assert check_package("a", repacked(ods(""), {"META-INF/manifest.xml": declared}))[0] == "ods"


def lying(data, part):
    """A workbook whose directory says that the part is shorter than it is, with the checksum of the shorter one."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        content = book.read(part)
    short = content[: len(content) // 2]
    before, after = (struct.pack("<I", zlib.crc32(content)), struct.pack("<I", zlib.crc32(short)))
    sizes = struct.pack("<I", len(content)), struct.pack("<I", len(short))
    assert data.count(before) == 2
    return data.replace(before, after).replace(sizes[0], sizes[1])


def test_a_directory_that_lies_is_caught():
    """What is stored counts, not what the directory says about it."""
    data = lying(xlsx(SHEETS), "xl/worksheets/sheet1.xml")
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        assert book.testzip() is None  # the standard library believes it
    with pytest.raises(BadDataError, match="damaged"):
        check_package("a", data)


def test_bombs_are_refused_at_a_glance():
    """By their size or the number of their parts, before anything is unpacked; what is no zip passes."""
    bomb = zipped({"xl/workbook.xml": bytes(100 << 20)})
    for data in (bomb, zipped({f"xl/{n}": b"" for n in range(10_001)})):
        with pytest.raises(BadDataError, match="unpacks to an unreasonable size"):
            refuse_at_a_glance("a", data)
    assert unpacked_size(bomb) == 100 << 20
    refuse_at_a_glance("a", b"anything else")
    assert unpacked_size(b"anything else") == 13


HOSTILE_XML = {
    "tags that never end": b"<row " * 800_000,
    "hidden rows that never end": b'<row hidden="1" ' * 250_000,
    "columns that never end": b'<col hidden="1" ' * 250_000,
    "many columns": b'<col min="1" max="16384" hidden="1"/>' * 100_000 + b'<c r="A1"><v>1</v></c>',
    "formulas without cells": b'<f></f></c><v t="e">' * 200_000,
    "cells without an end": b'<c r="AA1" t="e" ' * 200_000,
    "spaces": b'<row hidden="1">' + b" " * 4_000_000 + b"</c>",
    "empty cells": b'<row hidden="1">' + b"<c />" * 800_000,
    "nothing that ends": b"x" * 4_000_000,
}


@pytest.mark.parametrize("part", HOSTILE_XML.values(), ids=list(HOSTILE_XML))
def test_xml_made_to_take_time_does_not(part):
    """Every search is linear."""
    start = time.process_time()
    pieces = [b"<worksheet>", *(part[at : at + (1 << 20)] for at in range(0, len(part), 1 << 20))]
    sheet_xml.sheet_notes("a", pieces)
    assert time.process_time() - start < patient(10)


HOSTILE_STREAMS = {
    "nothing but noughts": bytes(8_000_000),
    "records without a payload": struct.pack("<HH", 0x0809, 0) * 500_000,
    "beginnings and ends": (biff(0x0809, bytes(4)) + biff(0x000A)) * 300_000,
    "a record larger than all": struct.pack("<HH", 0x0203, 0xFFFF),
    "values without a payload": (biff(0x0203) + biff(0x0208) + biff(0x007D) + biff(0x0006) + biff(0x0085)) * 50_000,
}


@pytest.mark.parametrize("stream", HOSTILE_STREAMS.values(), ids=list(HOSTILE_STREAMS))
def test_streams_made_to_take_time_do_not(stream):
    """The walk goes forward and ends."""
    start = time.process_time()
    book = _Book.walked(stream)
    assert list(book.by_title()) == []
    with contextlib.suppress(BadDataError):
        binary_workbook.sheet_notes("a", [stream])
    assert time.process_time() - start < patient(10)


# --- how far -------------------------------------------------------------------------------------------------------------

# digits that do not pack well, so that a cut falls into the sheet
LONG = [["姓名", "身份证号"], *([f"张{n}", f"9901{random.Random(n).randrange(10**14):014}"] for n in range(4000))]


def reordered(data):
    """The same workbook with the parts in Excel's order: names first."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        names = sorted(book.namelist(), key=lambda name: ("worksheets" in name, "sharedStrings" in name, name))
        return zipped({name: book.read(name) for name in names})


def test_a_cut_xlsx_says_how_far_it_can_be_read():
    """Up to the last whole row, in a sheet that is named if its name was read before."""
    data = reordered(xlsx({"名单": LONG}))
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        sheet = book.getinfo("xl/worksheets/sheet1.xml")
        middle = sheet.header_offset + sheet.compress_size // 2
    said = re.fullmatch(r"readable up to row ([\d,]+) of sheet 名单", how_far(data[:middle]) or "")
    assert said
    assert 1500 < int(said[1].replace(",", "")) < 2500
    names_last = xlsx({"名单": LONG})
    with zipfile.ZipFile(io.BytesIO(names_last)) as book:
        sheet = book.getinfo("xl/worksheets/sheet1.xml")
    assert "of sheet no. 1" in how_far(names_last[: sheet.header_offset + sheet.compress_size // 2])
    assert how_far(data[:-30]) == "the damage is in its part xl/sharedStrings.xml" or "row 4,001" in how_far(data[:-30])


def test_a_changed_byte_is_told_apart_from_a_cut():
    """What was changed may be wrong from anywhere on; no row is promised."""
    data = bytearray(reordered(xlsx({"名单": LONG})))
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        sheet = book.getinfo("xl/worksheets/sheet1.xml")
    data[sheet.header_offset + sheet.compress_size // 2] ^= 0xFF
    assert how_far(bytes(data)) == "sheet 名单 is not as it was stored"
    with pytest.raises(BadDataError, match="sheet 名单 is not as it was stored"):
        check_package("a", bytes(data))


def test_a_cut_xls_says_how_far_it_can_be_read(tmp_path):
    """Its container is broken, but the stream in it can be followed; a whole one has nothing to say."""
    data = write_xls(tmp_path / "a.xls", {"名单": LONG, "说明": [["无"]]}).read_bytes()
    assert last_readable_row(data) is None
    cut = last_readable_row(data[: len(data) * 3 // 4])
    assert cut
    assert cut[0] == "名单"
    assert 1000 < cut[1] < 4000
    assert how_far(data[: len(data) * 3 // 4]) == f"readable up to row {cut[1]:,} of sheet 名单"


def test_other_damage_has_no_words():
    """Nothing is known about text, Parquet or rubbish."""
    for data in (
        b"",
        b"PAR1" + bytes(100),
        b"\x1f\x8b" + bytes(100),
        b"PK\x03\x04",
        b"PK\x03\x04" + b"\xff" * 99,
        bytes(50),
    ):
        assert how_far(data) is None


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Every kind of workbook once."""
    folder = tmp_path_factory.mktemp("whole")
    return {kind: write(folder / "a", SHEETS, LOOKS).read_bytes() for kind, write in WRITERS.items()}


@examples(200, deadline=10_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(list(WRITERS)), at=st.floats(0, 1), flip=st.integers(0, 255), where=st.floats(0, 1))
def test_damaged_files_give_an_error_or_a_result(whole, kind, at, flip, where):
    """Cut off anywhere, one byte changed anywhere: never another exception, never a cell in the words."""
    data = bytearray(whole[kind])
    data[int(where * (len(data) - 1))] ^= flip
    data = bytes(data[: int(at * len(data)) if at < 0.9 else len(data)])
    refused = None
    try:
        notes_of(data)
        refuse_at_a_glance("a", data)
    except BadDataError as error:
        refused = error
    assert "张三" not in f"{refused} {how_far(data)}"
    assert not refused or refused.__suppress_context__ or refused.__context__ is None
    assert unpacked_size(data) >= 0


@examples(200, deadline=10_000)
@given(st.binary(max_size=2000))
def test_rubbish_parts_give_an_error_or_a_result(rubbish):
    """The same for parts that are whole as bytes but hold rubbish."""
    parts = {"xl/workbook.xml": rubbish, "xl/_rels/workbook.xml.rels": rubbish, "xl/worksheets/sheet1.xml": rubbish}
    for data in (
        zipped(parts),
        zipped({name.replace(".xml", ".bin", 1): rubbish for name in parts}),
        repacked(ods(""), {"content.xml": lambda _: rubbish}),
    ):
        with contextlib.suppress(BadDataError):
            check_package("a", data)
    with contextlib.suppress(BadDataError):
        binary_workbook.sheet_notes("a", [rubbish])
    xls_notes("a", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + rubbish)
    _Book.walked(rubbish)


def test_the_largest_archives_are_bounded(monkeypatch):
    """The limit on the unpacked size holds, whatever the ratio is."""
    monkeypatch.setattr(package, "_MAX_UNPACKED", 1000)
    with pytest.raises(BadDataError, match="unreasonable size"):
        check_package("a", xlsx(SHEETS))
