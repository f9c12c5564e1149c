"""What a workbook's cells do not show is counted; what would harm its reader is refused, quickly and in plain words."""

from __future__ import annotations

import csv
import email
import io
import re
import struct
import zipfile
from datetime import date
from email import policy
from xml.etree import ElementTree as ET

import msoffcrypto
import openpyxl
import pytest
import python_calamine as calamine
from hypothesis import given, settings
from hypothesis import strategies as st

from fupin_cli.errors import BadDataError
from fupin_cli.ingest import binary_workbook, sheet_xml
from fupin_cli.ingest.biff import _Book, is_encrypted_xls
from fupin_cli.ingest.grid import SheetNotes
from fupin_cli.ingest.package import check_package, kind_of
from office_files import (
    ods,
    repacked,
    write_encrypted,
    write_html_xls,
    write_mht,
    write_ods,
    write_xls,
    write_xlsx,
    write_xml2003,
    xlsx,
)
from office_world import ID_1, ID_2, LOOKS, NOTES, SHEETS, WRITERS, biff, notes_of, opened
from raw_files import write_text, write_xlsb, write_zip, zipped

# --- the files themselves ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", WRITERS.values(), ids=list(WRITERS))
def test_workbooks_are_real(tmp_path, write):
    """Another reader finds in every kind of workbook what was written."""
    book = opened(write(tmp_path / "a", SHEETS, LOOKS).read_bytes())
    assert [sheet.visible != calamine.SheetVisibleEnum.Visible for sheet in book.sheets_metadata] == [False, True, True]
    assert book.get_sheet_by_name("名单").to_python() == [
        ["姓名", "身份证号", "年龄", "低保", "出生日期", "金额"],
        ["张三", ID_1, 44, True, date(1980, 1, 1), ""],
        ["", ID_2, 3.5, False, "", ""],
        ["李四", "x", float(990121198001011234), "", "", ""],
        ["王五", "", "", "", "", ""],
    ]


def test_pages_mails_and_xml_are_real(tmp_path):
    """The standard library's parsers find the cells."""
    page = write_html_xls(tmp_path / "a.xls", SHEETS, LOOKS).read_bytes().decode("gb18030")
    assert page.count("<table") == 3
    assert "<td rowspan=2>张三</td>" in page
    mail = email.message_from_bytes(write_mht(tmp_path / "a.mht", SHEETS, LOOKS).read_bytes(), policy=policy.default)
    pages = [part.get_content() for part in mail.iter_parts()]
    assert len(pages) == 3
    assert f"<td>{ID_2}</td>" in pages[0]
    tree = ET.parse(write_xml2003(tmp_path / "a.xml", SHEETS, LOOKS))
    assert [data.text for data in tree.iter("{urn:schemas-microsoft-com:office:spreadsheet}Data")][6:8] == [
        "张三",
        ID_1,
    ]


def test_archives_and_text_are_real(tmp_path):
    """Names in GB18030 without a sign of it, a password, quotation marks where they are needed."""
    with zipfile.ZipFile(write_zip(tmp_path / "a.zip", {"低保/名单.csv": b"x" * 100}, password="扶贫")) as archive:
        (name,) = archive.namelist()
        assert name.encode("cp437").decode("gb18030") == "低保/名单.csv"
        assert archive.read(name, pwd="扶贫".encode()) == b"x" * 100
    inner = zipped({"名单.csv": b"x"})
    with zipfile.ZipFile(write_zip(tmp_path / "b.zip", {"镇.zip": inner}, "utf-8")) as archive:
        assert archive.read("镇.zip") == inner
    text = (
        write_text(tmp_path / "a.csv", [["张,三", '5"管'], ["东村\n一组", None]], "gb18030")
        .read_bytes()
        .decode("gb18030")
    )
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["张,三", '5"管'], ["东村\n一组", ""]]


def test_an_encrypted_workbook_opens_with_its_password(tmp_path):
    """And the workbook stream of an ordinary .xls says that it is not encrypted."""
    locked = msoffcrypto.OfficeFile(io.BytesIO(write_encrypted(tmp_path / "a.xlsx", SHEETS, "扶贫").read_bytes()))
    assert locked.is_encrypted()
    locked.load_key(password="扶贫")
    plain = io.BytesIO()
    locked.decrypt(plain)
    assert opened(plain.getvalue()).sheet_names == list(SHEETS)
    assert not is_encrypted_xls(write_xls(tmp_path / "a.xls", SHEETS).read_bytes())


# --- notes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NOTES)
def test_every_sheet_is_noted(tmp_path, kind):
    """What is hidden, wrong, missing or merged, by sheet; a hidden row that holds nothing is no note."""
    data = WRITERS[kind](tmp_path / "a", SHEETS, LOOKS).read_bytes()
    assert notes_of(data) == {"名单": NOTES[kind], "说明": SheetNotes(), "旧表": SheetNotes()}
    if kind != "xls":
        assert check_package("a", data)[0] == kind.partition(" ")[0]


def test_rows_hidden_by_a_filter_count_in_ods(tmp_path):
    """LibreOffice says `filter` where a person said `collapse`."""
    data = write_ods(tmp_path / "a", SHEETS, LOOKS, filtered=True).read_bytes()
    assert notes_of(data)["名单"].hidden_rows == 2


def test_a_wrong_dimension_changes_nothing(tmp_path):
    """Some exports claim that a sheet ends at A1."""
    data = write_xlsx(tmp_path / "a", SHEETS, LOOKS, wrong_dimension=True).read_bytes()
    assert b'<dimension ref="A1"/>' in zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")
    assert notes_of(data)["名单"] == NOTES["xlsx"]


def sheet_part(data):
    return zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")


def prefixed(part):
    return re.sub(rb"<(/?)([a-zA-Z])", rb"<\1x:\2", part).replace(b"xmlns=", b"xmlns:x=")


SPELLINGS = {
    "as it is": lambda part: part,
    "prefixed": prefixed,
    "single quotes": lambda part: part.replace(b'"', b"'"),
    "pretty": lambda part: part.replace(b"><", b">\n  <"),
    "true for 1": lambda part: part.replace(b'hidden="1"', b'hidden="true"'),
    "said of all": lambda part: part.replace(b"<row ", b'<row collapsed="0" ').replace(b"<c ", b'<c hidden="false" '),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=list(SPELLINGS))
def test_xml_may_be_spelled_in_many_ways(spelling):
    """Programs write the same sheet with prefixes, other quotation marks and line ends."""
    data = repacked(xlsx(SHEETS, LOOKS), {"xl/worksheets/sheet1.xml": spelling})
    assert notes_of(data)["名单"] == NOTES["xlsx"]
    assert opened(data).get_sheet_by_name("名单").height == 5


@settings(deadline=None)
@given(size=st.integers(1, 3000))
def test_pieces_may_end_anywhere(size):
    """The notes are the same wherever the unpacked bytes are cut."""
    part = sheet_part(xlsx(SHEETS, LOOKS))
    pieces = (part[at : at + size] for at in range(0, len(part), size))
    assert sheet_xml.sheet_notes("a", pieces) == NOTES["xlsx"]


@settings(deadline=None)
@given(size=st.integers(1, 300))
def test_binary_pieces_may_end_anywhere(tmp_path_factory, size):
    """The same for the records of an xlsb."""
    path = tmp_path_factory.getbasetemp() / "pieces.xlsb"
    with zipfile.ZipFile(write_xlsb(path, SHEETS, LOOKS)) as book:
        part = book.read("xl/worksheets/sheet1.bin")
    pieces = (part[at : at + size] for at in range(0, len(part), size))
    assert binary_workbook.sheet_notes("a", pieces) == NOTES["xlsb"]


FORMULAS = {
    # cell                                                    || without a value?
    '<c r="A1"><f>1+1</f></c>': 1,
    '<c r="A1"><f>1+1</f><v></v></c>': 1,
    '<c r="A1"><f>1+1</f><v/></c>': 1,
    '<c r="A1"><f t="shared" si="0"/></c>': 1,
    '<c r="A1" t="str"><f>1+1</f></c>': 1,
    '<c r="A1" t="str"><f>IF(B1,1,"")</f><v></v></c>': 0,  # came to an empty text, as Excel stores it
    '<c r="A1"><f>1+1</f><v>2</v></c>': 0,
    '<c r="A1"><f t="shared" si="0"/><v>2</v></c>': 0,
    '<c r="A1" s="1"/>': 0,
}


@pytest.mark.parametrize(("cell", "missing"), FORMULAS.items(), ids=list(FORMULAS))
def test_a_formula_without_a_value_is_not_one_with_an_empty_text(cell, missing):
    """The first is missing, the second is blank."""
    part = f'<worksheet><sheetData><row r="1">{cell}<c r="B1"><v>1</v></c></row></sheetData></worksheet>'
    assert sheet_xml.sheet_notes("a", [part.encode()]).empty_formulas == missing


def test_workbooks_of_openpyxl_have_no_values(tmp_path):
    """It writes formulas without calculating them."""
    book = openpyxl.Workbook()
    book.active.append(["姓名", "=1+1"])
    book.save(tmp_path / "a.xlsx")
    assert notes_of((tmp_path / "a.xlsx").read_bytes())["Sheet"].empty_formulas == 1


def with_manifest(locked):
    entry = b"<manifest:encryption-data/></manifest:manifest>" if locked else b"</manifest:manifest>"
    old = repacked(ods(""), {"META-INF/manifest.xml": lambda part: part.replace(b"</manifest:manifest>", entry)})
    return repacked(old, {"content.xml": lambda _: b"\x00garbage"}) if locked else old


def test_a_locked_ods_says_so():
    """Its content is encrypted and would look damaged."""
    with pytest.raises(BadDataError, match="protected by a password"):
        check_package("a", with_manifest(locked=True))


# --- kinds ---------------------------------------------------------------------------------------------------------------


def test_kinds_are_told_by_their_parts(tmp_path):
    """A zip without the parts of a workbook is an archive of files."""
    for kind, write in WRITERS.items():
        if kind != "xls":
            with zipfile.ZipFile(write(tmp_path / "a", SHEETS)) as book:
                assert kind_of(book) == kind.partition(" ")[0]
    backslashes = zipped({name.replace("/", "\\"): b"" for name in ("xl/workbook.xml", "xl/worksheets/sheet1.xml")})
    for data, kind in (
        (zipped({"名单.csv": b""}), None),
        (zipped({"content.xml": b"<a/>"}), None),
        (backslashes, "xlsx"),
    ):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert kind_of(archive) == kind


def test_parts_may_lie_elsewhere_and_begin_with_a_slash():
    """Relations lead to a sheet, not its usual name."""
    old = xlsx(SHEETS, LOOKS)
    with zipfile.ZipFile(io.BytesIO(old)) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    parts["xl/data/first.xml"] = parts.pop("xl/worksheets/sheet1.xml")
    links = "xl/_rels/workbook.xml.rels"
    parts[links] = parts[links].replace(b"worksheets/sheet1.xml", b"/xl/data/first.xml")
    assert notes_of(zipped(parts))["名单"] == NOTES["xlsx"]


# --- xls, record by record -----------------------------------------------------------------------------------------------


def biff_stream(sheet, *, globals_=b"", version=0x0600):
    """A workbook stream with one sheet called S."""
    begin = biff(0x0809, struct.pack("<2H", version, 5) + bytes(12))
    title = b"\x01\x00S" if version == 0x0600 else b"\x01S\x00"
    place = len(begin) + len(globals_) + 4 + 9 + 4
    return (
        begin
        + globals_
        + biff(0x0085, struct.pack("<IBB", place, 0, 0) + title)
        + biff(0x000A)
        + begin
        + sheet
        + biff(0x000A)
    )


def formula(result, flags=0):
    return biff(0x0006, struct.pack("<3H", 0, 0, 0) + result + struct.pack("<HI", flags, 0) + bytes(4))


NUMBER = biff(0x0203, struct.pack("<3Hd", 0, 0, 0, 1.0))
CHART = biff(0x0809, struct.pack("<2H", 0x0600, 0x20) + bytes(12)) + NUMBER * 9 + biff(0x000A)
HIDDEN_ROW = biff(0x0208, struct.pack("<6HI", 0, 0, 1, 300, 0, 0, 0x20))
BIFF = {
    # sheet, globals                                                        || hidden rows, hidden columns, errors, missing
    "an error as result": (formula(b"\x02\x00\x2a\x00\x00\x00\xff\xff"), b"", (0, 0, 1, 0)),
    "no result, calculated by nobody": (formula(b"\x03\x00\x00\x00\x00\x00\xff\xff"), b"", (0, 0, 0, 1)),
    "no result, calculated by Excel": (
        formula(b"\x03\x00\x00\x00\x00\x00\xff\xff"),
        biff(0x01C1, bytes(8)),
        (0, 0, 0, 0),
    ),
    "nought, to be calculated": (formula(bytes(8), 2), b"", (0, 0, 0, 1)),
    "nought": (formula(bytes(8)), b"", (0, 0, 0, 0)),
    "a hidden row": (HIDDEN_ROW + NUMBER, b"", (1, 0, 0, 0)),
    "a hidden row without a value": (HIDDEN_ROW, b"", (0, 0, 0, 0)),
    "numbers of a chart": (HIDDEN_ROW + CHART, b"", (0, 0, 0, 0)),
    "columns of a run": (
        biff(0x007D, struct.pack("<6H", 2, 255, 0, 0, 1, 0))
        + biff(0x00BD, struct.pack("<2H", 0, 0) + bytes(24) + b"\x03\x00"),
        b"",
        (0, 2, 0, 0),
    ),
    "true is no error": (biff(0x0205, struct.pack("<3HBB", 0, 0, 0, 1, 0)), b"", (0, 0, 0, 0)),
}


@pytest.mark.parametrize(("sheet", "globals_", "expected"), BIFF.values(), ids=list(BIFF))
@pytest.mark.parametrize("version", [0x0600, 0x0500], ids=["excel 97", "excel 5"])
def test_records_of_an_xls(sheet, globals_, expected, version):
    """One record at a time, in both of the formats that still come."""
    book = _Book.walked(biff_stream(sheet, globals_=globals_, version=version))
    assert {title: found.notes("a", calculated=book.calculated) for title, found in book.by_title()} == {
        "S": SheetNotes(*expected)
    }


def test_a_locked_xls_is_known_by_its_second_record():
    """Excel's own encryption leaves the kinds of records readable."""
    assert _Book.walked(biff_stream(b"", globals_=biff(0x002F, bytes(54)))).locked
    assert not _Book.walked(biff_stream(b"")).locked
