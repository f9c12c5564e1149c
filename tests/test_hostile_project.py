"""Cells, places and file names made to do harm, through the whole program: nothing becomes code, nothing gets out of its folder."""

import re
import shutil
import zipfile
from pathlib import Path

import pytest
from openpyxl import load_workbook

from conftest import SAMPLE, fupin

NAMES = (
    '=HYPERLINK("http://example.invalid","领取")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "+1+1",
    "[red]王[/red]",
)
TOWNSHIPS = ("../../../evil", "CON", "=1+1", "a\\..\\b:c*?[d]" + "长" * 40, "<b>镇</b>")
VILLAGES = ("'引号'", "History", "..", "村/村", "\t村\x0b", "=cmd|' /C calc'!A0")
OUR_FORMULAS = re.compile(rb"<f>((COUNTA?|COUNTIFS?|SUM|IF|SUMPRODUCT|SUBTOTAL)\(|[A-Z]{1,2}[0-9]+-[A-Z]{1,2}[0-9]+<)")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    """The sample, its larger register full of such cells under such a name; run, booked and sent out."""
    home = tmp_path_factory.mktemp("hostile")
    shutil.copytree(SAMPLE, home / "project")
    path = next((home / "project" / "register").glob("青禾县*"))
    book = load_workbook(path)
    for sheet in book:
        header = next(
            row for row in sheet.iter_rows() if {"姓名", "户编号"} & {str(cell.value).strip() for cell in row}
        )
        for cell in header:
            told = next(
                (v for k, v in (("姓名", NAMES), ("镇", TOWNSHIPS), ("村", VILLAGES)) if k in str(cell.value)), None
            )
            if told is None:
                continue
            for n, row in enumerate(range(cell.row + 1, sheet.max_row + 1)):
                if n % 3:
                    text = told[n % len(told)]
                    target = sheet.cell(row, cell.column)
                    target.value = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", text)
                    target.data_type = "s"
    book.save(path.with_name("=cmd [bold]$(touch x);' .xlsx"))
    path.unlink()
    done = fupin("run", home / "project", "-o", home / "out" / "run", "--stage", "county")
    assert done.returncode in (0, 3), done.stderr
    assert fupin("cases", "round", home / "out" / "run", "--ledger", home / "out" / "cases").returncode == 0
    sent = fupin("cases", "dispatch", "--due", "2100-01-01", "--ledger", home / "out" / "cases")
    assert sent.returncode == 0, sent.stderr
    return home


def test_nothing_gets_out_of_its_folder(hostile):
    """Only the folders that were named hold anything; no name in them climbs, is reserved, or is hidden."""
    assert {p.name for p in hostile.iterdir()} == {"project", "out"}
    assert {p.name for p in (hostile / "out").iterdir()} == {".run.lock", "run", "cases"}
    for path in (hostile / "out").rglob("*.xlsx"):
        assert path.resolve().is_relative_to(hostile / "out")
        assert not set(path.name) & set('<>:"\\|?*\t')
        assert path.stem.split("_")[0].casefold() not in {"con", "nul", ".."}


def test_nothing_becomes_code(hostile):
    """Every formula in every workbook is one of our own counts; no link, no external part; every sheet opens under a legal name."""
    books = list((hostile / "out").rglob("*.xlsx"))
    assert len(books) > 5
    seen = 0
    for path in books:
        with zipfile.ZipFile(path) as package:
            for part in package.namelist():
                data = package.read(part)
                assert "external" not in part.casefold()
                assert b"<hyperlink " not in data
                seen += b"HYPERLINK" in data
                for formula in re.findall(rb"<f[ >].{0,60}", data):
                    assert OUR_FORMULAS.match(formula), formula
                    ours = re.sub(
                        rb"'(?:[^']|'')*'!", b"", formula
                    )  # a village's sheet keeps what is legal of its name
                    assert not re.search(rb"HYPERLINK|cmd|DDE|WEBSERVICE|http", ours)
        for sheet in load_workbook(path, read_only=True).sheetnames:
            assert 1 <= len(sheet) <= 31
            assert not set(sheet) & set("[]:*?/\\")
    assert seen  # as text it is there: what was written is shown as it was written


def test_nothing_becomes_markup(hostile):
    """On the page a tag is text, and on the terminal brackets change no colour."""
    page = (hostile / "out" / "run" / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<b>镇" not in page
    shown = fupin("cases", "list", "--ledger", hostile / "out" / "cases")
    assert shown.returncode == 0, shown.stderr
    assert "\x1b]" not in shown.stdout
