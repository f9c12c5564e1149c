"""Every container that an office receives reads the same; archives, passwords and hidden sheets included."""

import io
import itertools
import random
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import examples
from fupin_cli.errors import BadDataError
from fupin_cli.ingest import Ask, delimited, inspect_file, load_profiles, read_source, sandbox
from fupin_cli.ingest.members import UNREADABLE, unpack
from fupin_cli.ingest.readers import read_file
from fupin_cli.ingest.received import Received
from fupin_cli.ingest.transcode import Transcoder
from office_files import (
    Look,
    web_page,
    write_encrypted,
    write_html_xls,
    write_mht,
    write_ods,
    write_xls,
    write_xlsm,
    write_xlsx,
    write_xml2003,
    xlsx,
)
from raw_files import write_text, write_xlsb, write_zip, zipped

PROFILES = load_profiles([Path(__file__).parents[1] / "rules" / "sources"])
ID_1, ID_2, ID_3 = "990121198001011234", "990121197502022345", "99012119900303345X"
EAST = [["姓名", "身份证号", "住址"], ["张三", ID_1, "东村"], ["李四", ID_2, ""]]
WEST = [["住址", "身份证号", "姓名"], ["西村", ID_3, "王五"]]
SHEETS = {"东乡": EAST, "西乡": WEST}


def people(*files, **how):
    return read_source([(path.name, path) for path in files], PROFILES["people"], **how)


def who(source):
    return source.rows.select("name_raw", "id_raw", "address").rows()


EVERYBODY = [("张三", ID_1, "东村"), ("李四", ID_2, None), ("王五", ID_3, "西村")]
WRITERS = {
    "xlsx": write_xlsx, "xlsm": write_xlsm, "xlsb": write_xlsb, "xls": write_xls, "ods": write_ods,
    "html": write_html_xls, "mht": write_mht, "xml": write_xml2003,
}  # fmt: skip


@pytest.mark.parametrize("kind", WRITERS)
def test_two_townships_with_their_columns_in_another_order_are_one_source(tmp_path, kind):
    """One sheet per township, whatever the container, under a name that says nothing."""
    path = tmp_path / "报送.dat"
    WRITERS[kind](path, SHEETS)
    source = people(path)
    assert who(source) == EVERYBODY
    assert source.accounts.select("rows_read", "rows_used", "rows_set_aside").rows() == [(3, 2, 1), (2, 1, 1)]


@pytest.mark.parametrize("kind", ["xlsx", "xlsb", "xls", "ods", "html", "xml"])
def test_what_is_hidden_is_read_and_counted(tmp_path, kind):
    """A hidden row is a person all the same; rows and columns that nobody sees are told."""
    path = tmp_path / "a.xls"
    WRITERS[kind](path, {"东乡": EAST}, {"东乡": Look(hidden_rows=(2,), hidden_columns=(2,))})
    source = people(path)
    assert who(source) == EVERYBODY[:2]
    assert source.accounts.select("rows_hidden", "columns_hidden").row(0) == (1, 1)
    assert {("hidden_rows", "1"), ("hidden_columns", "1")} <= set(source.reports[0].problems())


@pytest.mark.parametrize("kind", ["xlsx", "xlsb", "xls", "ods", "xml"])
def test_a_hidden_sheet_is_read_and_said(tmp_path, kind):
    """It was sent: all its rows are hidden rows, and the summary asks whether it was meant."""
    path = tmp_path / "a.xls"
    WRITERS[kind](path, SHEETS, {"西乡": Look(state="hidden")})
    source = people(path)
    assert who(source) == EVERYBODY
    assert source.accounts["rows_hidden"].to_list() == [0, 2]
    assert ("hidden_sheet", "2") in source.reports[1].problems()


@pytest.mark.parametrize("kind", ["xlsx", "xlsb", "xls", "ods", "html", "xml"])
def test_merged_cells_are_filled_inside_the_merge_only(tmp_path, kind):
    """The village merged over two people is theirs; the third row has none."""
    rows = [["行政村", "姓名", "身份证号"], ["东村", "张三", ID_1], [None, "李四", ID_2], [None, "王五", ID_3]]
    path = tmp_path / "a.xls"
    WRITERS[kind](path, {"s": rows}, {"s": Look(merges=((1, 0, 2, 0),))})
    assert people(path).rows["village"].to_list() == ["东村", "东村", None]


def test_a_dimension_that_lies_hides_nothing(tmp_path):
    """Exports of the national system say A1 and hold thousands of rows."""
    write_xlsx(tmp_path / "a.xlsx", SHEETS, wrong_dimension=True)
    assert who(people(tmp_path / "a.xlsx")) == EVERYBODY


def test_only_the_sheets_that_are_asked_for(tmp_path):
    """sheets = ["东*"]: the others are set aside with their reason; a name that no sheet has is an error that lists them."""
    write_xlsx(tmp_path / "a.xlsx", SHEETS)
    source = people(tmp_path / "a.xlsx", sheets=["东*"])
    assert who(source) == EVERYBODY[:2]
    assert source.set_aside["set_aside_reason"].to_list() == ["header", "sheet_not_asked", "sheet_not_asked"]
    with pytest.raises(BadDataError, match="no sheet is called 南乡") as caught:
        people(tmp_path / "a.xlsx", sheets=["南乡"])
    assert "东乡、西乡" in str(caught.value)


# --- archives ------------------------------------------------------------------------------------------------------------


def text(rows, encoding="gb18030"):
    target = io.BytesIO()
    target.write("\r\n".join(",".join(cell or "" for cell in row) for row in rows).encode(encoding))
    return target.getvalue()


@pytest.mark.parametrize("names", ["gb18030", "utf-8"])
def test_an_archive_is_a_folder(tmp_path, names):
    """Its tables are one source; their names are those that the sender saw, and what is no table is told."""
    members = {
        "民政/东乡.xlsx": xlsx({"东乡": EAST}), "民政/西乡.csv": text(WEST), "说明.docx": b"PK", "图.png": b"\x89PNG",
        "__MACOSX/._东乡.xlsx": b"x", "扫描件.dat": b"%PDF-1.4",
    }  # fmt: skip
    path = write_zip(tmp_path / "报送.zip", members, names)
    source = people(path)
    assert who(source) == EVERYBODY
    assert source.accounts["source"].to_list() == ["报送.zip/民政/东乡.xlsx", "报送.zip/民政/西乡.csv"]
    others = [detail for report in source.reports for kind, detail in report.problems() if kind == "other_file"]
    assert others == ["报送.zip/图.png", "报送.zip/扫描件.dat", "报送.zip/说明.docx"]


def test_archives_inside_archives_have_an_end(tmp_path):
    """Three deep is what people send; deeper is refused."""
    inner = zipped({"东乡.csv": text(EAST)})
    for depth in range(2):
        inner = zipped({f"{depth}.zip": inner})
    (tmp_path / "a.zip").write_bytes(inner)
    assert who(people(tmp_path / "a.zip")) == EVERYBODY[:2]
    (tmp_path / "b.zip").write_bytes(zipped({"x.zip": inner}))
    with pytest.raises(BadDataError, match="more than 3 deep"):
        people(tmp_path / "b.zip")


def test_an_archive_without_a_table(tmp_path):
    """It says how many files it holds that are none."""
    path = write_zip(tmp_path / "a.zip", {"说明.docx": b"x", "图.png": b"x"})
    with pytest.raises(BadDataError, match="no table in this archive") as caught:
        people(path)
    assert "2 other file(s)" in str(caught.value)


def test_an_archive_that_unpacks_beyond_reason_is_refused(tmp_path):
    """100 MB of noughts in 100 KB: the directory tells, and nothing is unpacked."""
    path = write_zip(tmp_path / "a.zip", {"a.csv": bytes(100 << 20)})
    started = time.monotonic()
    with pytest.raises(BadDataError, match="unreasonable size"):
        people(path)
    assert time.monotonic() - started < 20


# --- passwords -------------------------------------------------------------------------------------------------------------


def asked(password, seen):
    def ask(name):
        seen.append(name)
        return password

    return Ask(answer=ask)


def test_a_workbook_under_a_password(tmp_path):
    """It opens with the right one; without, and with a wrong one, the error says what to do and never the password."""
    write_encrypted(tmp_path / "a.xlsx", SHEETS, "密码123")
    seen = []
    source = people(tmp_path / "a.xlsx", ask=asked("密码123", seen))
    assert who(source) == EVERYBODY
    assert seen == ["a.xlsx"]
    assert ("password_used", "") in source.reports[0].problems()
    with pytest.raises(BadDataError, match="protected by a password") as caught:
        people(tmp_path / "a.xlsx")
    assert "FUPIN_PASSWORD" in str(caught.value)
    with pytest.raises(BadDataError, match="does not open") as caught:
        people(tmp_path / "a.xlsx", ask=asked("falsch", []))
    assert "falsch" not in str(caught.value)


def test_an_archive_under_a_password(tmp_path):
    """Old PKZIP encryption, as every program offers first."""
    path = write_zip(tmp_path / "a.zip", {"东乡.csv": text(EAST)}, password="123")
    assert who(people(path, ask=asked("123", []))) == EVERYBODY[:2]
    with pytest.raises(BadDataError, match="protected by a password"):
        people(path)
    with pytest.raises(BadDataError, match="does not open"):
        people(path, ask=asked("321", []))


# --- things that are no tables -----------------------------------------------------------------------------------------------


NO_TABLES = {
    "%PDF-1.4\n": "a PDF document", "Rar!\x1a\x07": "a RAR archive", "{\\rtf1": r"a text document \(RTF\)",
    "<html><p>x</p></html>": "a web page without a table",
}  # fmt: skip


@pytest.mark.parametrize(("start", "what"), NO_TABLES.items())
def test_what_is_no_table_is_named(tmp_path, start, what):
    """The error says what the file is, and what helps."""
    (tmp_path / "a.xlsx").write_bytes(start.encode("latin-1") * 3)
    with pytest.raises(BadDataError, match=what) as caught:
        people(tmp_path / "a.xlsx")
    assert caught.value.try_


def test_a_cut_workbook_says_how_far_it_goes(tmp_path):
    """The last whole row that the stored bytes hold, with the sheet's name, and no cell of it."""
    rows = [EAST[0], *([f"张{n}", ID_1, f"东村{n}组"] for n in range(20_000))]
    whole = xlsx({"东乡": rows})
    (tmp_path / "a.xlsx").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(BadDataError, match=r"readable up to row [\d,]+ of sheet") as caught:
        people(tmp_path / "a.xlsx")
    assert "张" not in str(caught.value)


# --- delimited text, piece by piece ------------------------------------------------------------------------------------------


FIELDS = st.sampled_from(["张三", "", "东村\n一组", 'a"b', "1,5", " ", "𬱖", "x", '="01"'])


@examples(60)
@given(
    rows=st.lists(st.tuples(FIELDS, FIELDS, FIELDS), min_size=1, max_size=60),
    encoding=st.sampled_from(["utf-8", "gb18030", "utf-16"]),
    piece=st.integers(1, 400),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_file_read_in_pieces_is_the_file(tmp_path_factory, rows, encoding, piece, end):
    """Wherever a piece ends — inside a character, a quoted cell, a line break — the rows are those of the whole file."""
    path = tmp_path_factory.mktemp("t") / "a.csv"
    write_text(path, [["姓名", "住址", "备注"], *rows], encoding, line_end=end)
    whole = delimited.read_delimited(Received("a.csv", path))[0].cells()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(delimited, "_PIECE", piece)
        patched.setattr(delimited, "_MOST_LINE", 100)
        grid = delimited.read_delimited(Received("a.csv", path))[0]
        pieces = grid.cells()
        assert grid.head.equals(whole.head(grid.head.height).select(grid.head.columns))
    assert pieces.select(whole.columns).equals(whole)


def test_both_ways_of_decoding_gb18030_agree():
    """The C library's converter and Python's codec give the same text, rare characters of all editions included."""
    everything = "".join(map(chr, itertools.chain(range(0x20, 0xD800), range(0xE000, 0x30000)))).encode("gb18030")
    patient = Transcoder("gb18030")
    patient._converter = None
    expected = patient.feed(everything, final=True)
    cuts, quick, at, parts = random.Random(1), Transcoder("gb18030"), 0, []
    while at < len(everything):
        size = cuts.randint(1, 9_000)
        parts.append(quick.feed(everything[at : at + size], final=False))
        at += size
    assert b"".join(parts) + quick.feed(b"", final=True) == expected
    assert Transcoder("gb18030").feed(b"\xfe\x59", final=True).decode() == "龴", "the newer edition, on every machine"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_byte_that_means_nothing_is_found_where_it_stands(tmp_path, monkeypatch, encoding):
    """The row in which decoding stops, also when it is many pieces into the file."""
    monkeypatch.setattr(delimited, "_PIECE", 64)
    body = "".join(f"张{n},{ID_1}\n" for n in range(50)).encode(encoding)
    (tmp_path / "a.csv").write_bytes("姓名,身份证号\n".encode(encoding) + body + b"\xff\xff,1\n" + body)
    with pytest.raises(BadDataError, match="neither UTF-8 nor GB18030") as caught:
        people(tmp_path / "a.csv")
    assert caught.value.where.row == 52


# --- the process apart -------------------------------------------------------------------------------------------------------


def test_a_parser_that_dies_is_an_error_and_the_next_file_is_read(tmp_path, monkeypatch):
    """Whatever kills it: the file is refused in plain words, and a new process takes over."""
    rows = [EAST[0], *([f"张{n}", ID_1, f"东村{n}组"] for n in range(60_000))]
    write_xlsx(tmp_path / "large.xlsx", {"东乡": rows})
    write_xlsx(tmp_path / "a.xlsx", SHEETS)
    monkeypatch.setattr(sandbox, "_FREE_MEMORY", 1 << 20)
    monkeypatch.setattr(sandbox, "_PER_BYTE", 0)
    with pytest.raises(BadDataError, match="more memory"):
        people(tmp_path / "large.xlsx")
    monkeypatch.undo()
    assert who(people(tmp_path / "a.xlsx")) == EVERYBODY


def test_a_parser_that_never_ends_is_stopped(tmp_path, monkeypatch):
    """Time is limited by the size of the file; this one is not read within a moment."""
    write_xlsx(tmp_path / "a.xlsx", {"东乡": [*EAST, *EAST[-1:] * 5000]})
    monkeypatch.setattr(sandbox, "_FREE_SECONDS", 0.0)
    monkeypatch.setattr(sandbox, "_BYTES_A_SECOND", 1 << 40)
    with pytest.raises(BadDataError, match="far longer"):
        people(tmp_path / "a.xlsx")


def test_a_module_beside_the_data_is_not_run(tmp_path):
    """The parser's process starts in the folder of the data; a file called polars.py there must stay a file."""
    (tmp_path / "polars.py").write_text("raise SystemExit('run!')", encoding="utf-8")
    write_xlsx(tmp_path / "a.xlsx", SHEETS)
    script = (
        "from pathlib import Path; import sys; sys.path.pop(0);"
        "from fupin_cli.ingest.readers import read_file; print(len(read_file('a.xlsx', Path('a.xlsx'))[0].grids))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "2", done.stderr


# --- inspect -----------------------------------------------------------------------------------------------------------------


def test_inspect_shows_every_table_of_an_archive(tmp_path):
    """Each with its container, its rows by what became of them, and its notes."""
    members = {
        "东乡.xlsx": xlsx({"东乡": [*EAST, ["合计", "2"]]}),
        "西乡.xls": web_page(WEST).encode("gb18030"),
        "图.png": b"x",
    }
    path = write_zip(tmp_path / "a.zip", members)
    reports = inspect_file("a.zip", path, PROFILES)
    assert [(r.name, r.container) for r in reports] == [("a.zip/东乡.xlsx", "xlsx"), ("a.zip/西乡.xls", "html")]
    assert reports[0].sheets[0].set_aside == (("footer", 1), ("header", 1))
    assert reports[0].others == ("a.zip/图.png",)


def test_parquet_is_read_from_its_place(tmp_path):
    """A typed file needs no header search."""
    pl.DataFrame({"姓名": ["张三"], "身份证号": [int(ID_1)]}).write_parquet(tmp_path / "a.parquet")
    (contents,) = read_file("a.parquet", tmp_path / "a.parquet")
    assert contents.grids[0].header == ("姓名", "身份证号")
    assert people(tmp_path / "a.parquet").rows["id_raw"].to_list() == [ID_1]


def test_a_member_is_whole_or_refused():
    """Stored members come as they are; a method that no office uses, a size or a checksum that lie, a changed head are refused."""

    def archive(method):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", method) as file:
            file.writestr("a.txt", "张三" * 9)
        return data.getvalue(), zipfile.ZipFile(data).getinfo("a.txt")

    stored, info = archive(zipfile.ZIP_STORED)
    assert b"".join(unpack(stored, info)).decode() == "张三" * 9
    for change in ({"file_size": 5}, {"file_size": 500}, {"CRC": 1}):
        _, lying = archive(zipfile.ZIP_STORED)
        for name, value in change.items():
            setattr(lying, name, value)
        with pytest.raises(UNREADABLE):
            list(unpack(stored, lying))
    with pytest.raises(UNREADABLE):
        list(unpack(b"XX" + stored[2:], info))
    with pytest.raises(UNREADABLE):
        list(unpack(*archive(zipfile.ZIP_BZIP2)))
    packed, info = archive(zipfile.ZIP_DEFLATED)
    info.compress_size = 3
    with pytest.raises(UNREADABLE):
        list(unpack(packed, info))
