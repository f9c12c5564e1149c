"""Web pages and Parquet files as the other process reads them, asked here in this one."""

import json
from types import SimpleNamespace

import polars as pl
import pytest

from fupin_cli.ingest import parquet
from fupin_cli.ingest.columns import MOST_COLUMNS
from fupin_cli.ingest.markup import pages_of_mail, parse_markup
from fupin_cli.ingest.sandbox import MOST_SHEETS, MOST_TEXT, ParserFailed

WIDE = "<table><tr>" + "<td colspan=16000>a" * 500 + "</table>"


def cells(text):
    """The cells of the only sheet of a page."""
    (sheet,) = parse_markup(text)
    return sheet.cells.rows()


# --- pages ------------------------------------------------------------------------------------------------------------

PAGES = [  # what is odd about it, the page, its rows
    ("a row without cells", "<table><tr></tr><tr><td>a</table>", [(None,), ("a",)]),
    ("tags that nobody closes", "<table><tr><td>a<td>b<tr><td>c</table>", [("a", "b"), ("c", None)]),
    ("a cell before any row", "<table><td>a</td><tr><td>b</table>", [("b",)]),
    ("text between cells", "<table>x<tr>y<td>a</td>z</table>", [("a",)]),
    ("a break", "<table><tr><td>a<br>b</table>", [("a b",)]),
    ("a break outside", "<br><table><tr><td>a</table>", [("a",)]),
    ("a table inside a cell", "<table><tr><td>a<table><tr><td>b</table>c</table>", [("abc",)]),
    ("a span to the right", "<table><tr><td colspan=2>a<td>b</table>", [("a", None, "b")]),
    ("a span downwards", "<table><tr><td rowspan=2>a<td>b<tr><td>c</table>", [("a", "b"), (None, "c")]),
    ("a span that is no number", "<table><tr><td colspan='２'>a<td rowspan=x>b</table>", [("a", "b")]),
    ("CDATA", "<table><tr><td><![CDATA[a]]></table>", [("a",)]),
    ("another section", "<table><tr><td>a<![if IE]>b</table>", [("ab",)]),
]  # fmt: skip


@pytest.mark.parametrize(("page", "rows"), [row[1:] for row in PAGES], ids=[row[0] for row in PAGES])
def test_a_page_is_read_as_a_browser_shows_it(page, rows):
    """However carelessly it was written: no cell is lost, and none slips into another column."""
    assert cells(page) == rows


def test_an_xml_spreadsheet_is_read_by_its_positions():
    """Index, merged cells, hidden rows, columns and sheets; a sheet of no rows is none."""
    text = """<Workbook><Worksheet ss:Name="一"><Table><Column ss:Hidden="1" ss:Span="1"/><Row ss:Index="2">
      <Cell ss:Index="2" ss:MergeAcross="1" ss:MergeDown="1"><Data>a</Data></Cell></Row>
      <Row ss:Hidden="1"><Cell><Data>b</Data></Cell></Row></Table>
      <WorksheetOptions><Visible>SheetHidden</Visible></WorksheetOptions></Worksheet><Worksheet ss:Name="二"/></Workbook>"""
    (sheet,) = parse_markup(text.replace('ss:Name="二"/>', 'ss:Name="二"></Worksheet>'))
    assert (sheet.name, sheet.visible, sheet.hidden) == ("一", False, (1, 2))
    assert sheet.merged == ((1, 1, 2, 2),)
    assert sheet.cells.rows() == [(None, None), (None, "a"), ("b", None)]


BAD_PAGES = {
    "cut off in a table": ("<table><tr><td>a", "damaged"),
    "cut off in a tag": ("<table><tr><td>a</table><p", "damaged"),
    "too many sheets": ("<table><tr><td>a</table>" * (MOST_SHEETS + 1), "sheets"),
    "spans without end": (WIDE, "stretched"),
    "a cell far away": ("<table><tr index=1048576><td index=16384>a</table>", "stretched"),
    "rows of nothing": ("<table>" + '<tr index="1048576">' + "<td>a" * 9 + "</table>", "stretched"),
}  # fmt: skip


@pytest.mark.parametrize(("page", "reason"), BAD_PAGES.values(), ids=list(BAD_PAGES))
def test_a_page_beyond_any_real_one_is_refused(page, reason):
    """Cut off, or stretched far beyond what it holds."""
    with pytest.raises(ParserFailed) as refused:
        parse_markup(page)
    assert refused.value.reason == reason


def test_the_pages_of_a_mail_are_found_in_whatever_encoding():
    """HTML parts alone, as UTF-8 or else as GB18030; what a part says of itself is not believed."""
    head = b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=B\n\n"
    parts = [
        b"--B\nContent-Type: text/plain\n\nno page\n",
        b"--B\nContent-Type: text/html; charset=us-ascii\nContent-Transfer-Encoding: 8bit\n\n" + "甲".encode() + b"\n",
        b"--B\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
        + "乙".encode("gb18030")
        + b"\n",
    ]
    assert [page.strip() for page in pages_of_mail(head + b"".join(parts) + b"--B--\n")] == ["甲", "乙"]


# --- Parquet ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A function that writes a Parquet file and gives it as a large one."""
    monkeypatch.setattr(parquet, "_SMALL", 0)

    def write(frame):
        path = tmp_path / "a.parquet"
        frame.write_parquet(path)
        return SimpleNamespace(path=path, size=lambda: path.stat().st_size)

    return write


def question(file, columns, size=None):
    said = {"path": str(file.path), "columns": columns, "size": file.size() if size is None else size}
    return json.dumps(said).encode() + b"\n"


def test_a_large_file_is_read_in_batches_without_a_rehearsal(written, monkeypatch):
    """Its footer is flat: names, first rows and all rows are what was written, as text, in order."""
    monkeypatch.setattr(parquet, "_BATCH", 2)
    file = written(pl.DataFrame({"a": [1, 2, 3, 4, 5], "b": ["x", None, "z", "", "é"]}))
    assert parquet.column_names(file) == ["a", "b"]
    head, batches = parquet.read_columns(file, ["b", "a"], 2)
    assert head.rows() == [("x", "1"), (None, "2")]
    assert [part.height for part in batches()] == [2, 2, 1]
    assert pl.concat(batches()).rows() == [("x", "1"), (None, "2"), ("z", "3"), (None, "4"), ("é", "5")]
    empty = written(pl.DataFrame({"a": [1]}).clear())
    assert [part.height for part in parquet.read_columns(empty, ["a"], 2)[1]()] == [0]


def test_a_large_file_that_promises_more_than_it_holds_is_refused(written, monkeypatch):
    """More rows than there is room for, or a text longer than any cell: refused, the latter when it is reached."""
    file = written(pl.DataFrame({"a": ["x" * (MOST_TEXT + 1), "b"]}))
    with pytest.raises(ParserFailed, match="stretched"):
        list(parquet.read_columns(file, ["a"], 0)[1]())
    monkeypatch.setattr(parquet, "_FREE", 0)
    monkeypatch.setattr(parquet, "_PER_BYTE", 0)
    with pytest.raises(ParserFailed, match="memory"):
        parquet.read_columns(file, ["a"], 1)


def test_many_columns_are_no_flat_footer(written):
    """A file of many columns is large by its number of columns: up to the limit it is read as it is."""
    few = written(pl.DataFrame({f"c{n}": [n] for n in range(20)}))
    assert parquet._is_large(few)
    assert parquet.column_names(few) == [f"c{n}" for n in range(20)]


FOOTERS = {  # the first bytes of a footer → how many columns it declares, None where it does not begin as every writer's
    b"\x15\x04\x19\x3c": 3,
    b"\x15\x84\x01\x19\xec": 14,
    b"\x15\x04\x19\xfc\x90\x03": 400,
    b"\x15\x04\x19\xfc\x7f": 127,
    b"\x15\x04\x19\x35": None,  # a list of something else
    b"\x25\x04\x19\x3c": None,
    b"\x15\x04\x18\x3c": None,
    b"\x15\x84\x84\x84\x84\x84\x84": None,
    b"\x15\x04\x19\xfc\xff\xff\xff\xff\xff\xff": None,
    b"": None,
}


@pytest.mark.parametrize(
    ("head", "columns"), FOOTERS.items(), ids=lambda value: value.hex() if isinstance(value, bytes) else ""
)
def test_how_many_columns_a_footer_declares(head, columns):
    """Told from its first bytes, before any library believes the rest."""
    assert parquet._columns_declared(head) == columns


def test_what_the_other_process_says_of_a_file(written, monkeypatch):
    """Its names; nothing where its columns fit; and that they do not."""
    file = written(pl.DataFrame({"a": ["x" * 10, "y"], "b": [1, 2]}))
    (names,) = parquet.tell_names(question(file, []))
    assert names.cells["c0"].to_list() == ["a", "b"]
    (sheet,) = parquet.rehearse(question(file, ["a", "b"]))
    assert sheet.cells.is_empty()
    monkeypatch.setattr(parquet, "MOST_TEXT", 9)
    with pytest.raises(ParserFailed, match="stretched"):
        parquet.rehearse(question(file, ["a"]))
    monkeypatch.setattr(parquet, "MOST_TEXT", 10)
    monkeypatch.setattr(parquet, "_FREE", 42)  # two views and eleven bytes are 43
    with pytest.raises(ParserFailed, match="memory"):
        parquet.rehearse(question(file, ["a"], 0))
    monkeypatch.setattr(parquet, "MOST_COLUMNS", 1)
    with pytest.raises(ParserFailed, match="stretched"):
        parquet.tell_names(question(file, []))
    assert MOST_COLUMNS > 1
