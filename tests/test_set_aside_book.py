"""Rows given back to whoever sent them: every row with its place and reason, as it was received, once, and as text."""

import stat
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from fupin_cli.errors import OutputError
from fupin_cli.report import set_aside_book
from fupin_cli.report.set_aside_book import write_set_aside_books
from fupin_cli.report.set_aside_rows import FURNITURE, MENDING, WHOLE_SHEET, Fate, mending_words, with_fate
from fupin_cli.report.wording import reason_words
from fupin_cli.vocabulary import SET_ASIDE, SET_ASIDE_REASONS
from report_world import AS_OF, HEADERS, HOSTILE, OWNERS, World, id_number, make_world

HEADER, FIRST = 3, 4  # rows of a sheet, as Excel counts
COORDINATES = ["序号", "原文件", "原工作表", "原行号", "搁置原因", "如何更正"]


@pytest.fixture(scope="module")
def world() -> World:
    """One invented run."""
    return make_world()


@pytest.fixture(scope="module")
def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The books of that run."""
    target = tmp_path_factory.mktemp("returned")
    _write(target, world.set_aside)
    return target


def _write(folder: Path, set_aside: pl.DataFrame, headers=HEADERS, owners=OWNERS) -> list[Path]:
    return write_set_aside_books(folder, set_aside, headers, owners, as_of=AS_OF)


def _aside(*rows: tuple[str, str, int, str | None, list[str | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SET_ASIDE.schema, orient="row")


def _book(folder: Path, owner: str):
    return load_workbook(folder / f"{owner}_退回更正_2019-11-30.xlsx")


def _rows(sheet: Worksheet, first: int = FIRST) -> list[list[object]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=first)]


def _counts(sheet: Worksheet) -> list[tuple[object, ...]]:
    """(file, sheet, reason, count) of every line of 说明 that counts rows."""
    lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    return [tuple(line[:4]) for line in lines if isinstance(line[3], int) and line[0] != "合计"]


def test_one_book_per_owner_who_has_something_to_mend(folder: Path):
    """公安 sent nothing that could not be used, so it gets no book; files are for their owner's eyes only."""
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["建档立卡台账_退回更正_2019-11-30.xlsx", "民政_退回更正_2019-11-30.xlsx"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_the_rows_come_back_as_they_were(folder: Path, world: World):
    """Every row to mend stands on the sheet of its file and sheet, with place, reason, remedy and its own cells."""
    book = _book(folder, "建档立卡台账")
    assert book.sheetnames == ["说明", "register_台账", "register_旧台账"]
    sheet = book["register_台账"]
    assert [cell.value for cell in sheet[HEADER]] == [
        *COORDINATES,
        "户编号",
        "户主姓名",
        "姓名",
        "证件号码",
        "E",
        "备注",
        "G",
    ]
    wanted = world.set_aside.filter(pl.col("row").is_between(90, 92), sheet="台账").sort("row")
    for seq, (told, row) in enumerate(zip(_rows(sheet), wanted.to_dicts(), strict=True), 1):
        reason = row["set_aside_reason"]
        where = [str(seq), row["source"], row["sheet"], str(row["row"]), reason_words(reason), mending_words(reason)]
        assert told == [*where, *row["cells"], *[None] * (7 - len(row["cells"]))]


def test_letters_stand_in_for_headers(folder: Path):
    """Where no header was found, columns are called as the spreadsheet calls them; a blank row is not given back."""
    sheet = _book(folder, "建档立卡台账")["register_旧台账"]
    assert [cell.value for cell in sheet[HEADER]] == [*COORDINATES, "A", "B", "C"]
    assert [row[3] for row in _rows(sheet)] == ["1", "2", "3"]
    assert _rows(sheet)[0][6:] == ["钱秀英", id_number(1), "河口镇"]


def test_everything_is_text(folder: Path):
    """No formula, no link and no number but counts; hostile cells come back letter by letter, blank cells stay text cells."""
    for path in folder.iterdir():
        with zipfile.ZipFile(path) as package:
            inside = "".join(package.read(n).decode() for n in package.namelist() if n.endswith((".xml", ".rels")))
        assert "<f>" not in inside
        assert "hyperlink" not in inside
        for sheet in load_workbook(path):
            for cell in (cell for row in sheet.iter_rows() for cell in row):
                if cell.data_type == "n" and cell.value is not None:
                    assert sheet.title == "说明"
                    assert cell.number_format.startswith("#,##0")
                elif cell.value is not None or (sheet.title != "说明" and cell.row >= FIRST):
                    assert cell.number_format == "@", cell.coordinate
    hostile = {cell for row in _rows(_book(folder, "建档立卡台账")["register_台账"]) for cell in row}
    assert set(HOSTILE) <= hostile


def test_the_first_sheet_counts_what_the_frame_holds(folder: Path, world: World):
    """Per file, sheet and reason the lines of 说明 add up to the frame, furniture included; rows to mend come first."""
    for owner in ("建档立卡台账", "民政"):
        told: dict[tuple[object, ...], int] = {}
        for *key, count in _counts(_book(folder, owner)["说明"]):
            told[tuple(key)] = told.get(tuple(key), 0) + count
        sources = [source for source, name in OWNERS.items() if name == owner]
        frame = world.set_aside.filter(pl.col("source").is_in(sources))
        counts = frame.group_by("source", "sheet", "set_aside_reason").len().rows()
        assert told == {(source, sheet, reason_words(reason)): count for source, sheet, reason, count in counts}
    lines = _rows(_book(folder, "民政")["说明"], 1)
    back = next(line for line in lines if line[2] == reason_words("no_identity"))
    assert back == [
        "qinghe/民政低保.xlsx",
        "Sheet1",
        reason_words("no_identity"),
        1,
        "民政低保_Sheet1",
        mending_words("no_identity"),
    ]
    assert next(line for line in lines if line[2] == reason_words("footer"))[5] == "不需更正"


def test_print_setup(folder: Path):
    """A4 landscape, header and number repeated, header frozen, filter over all columns, page x of y."""
    sheet = _book(folder, "建档立卡台账")["register_台账"]
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
    assert (sheet.print_title_rows, sheet.print_title_cols) == ("$3:$3", "$A:$A")
    assert sheet.freeze_panes == "E4"
    assert sheet.auto_filter.ref == f"A3:M{FIRST + 2}"
    assert "&P" in str(sheet.oddFooter.center.text)
    assert not sheet.protection.sheet


@pytest.mark.parametrize("seed", [1, 2])
def test_same_bytes(world: World, folder: Path, tmp_path: Path, seed: int):
    """Shuffled rows give the same bytes."""
    for path in _write(tmp_path, world.set_aside.sample(fraction=1, shuffle=True, seed=seed)):
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_nothing_offends_nothing_is_written(world: World, tmp_path: Path):
    """Titles, headers, totals and sheets that nobody asked for are no reason for a book; nor is an empty frame."""
    furniture = world.set_aside.filter(pl.col("set_aside_reason").is_in(FURNITURE))
    for frame in (furniture, SET_ASIDE.empty()):
        assert _write(tmp_path / "none", frame) == []
    assert not (tmp_path / "none").exists()


def test_every_reason_is_known():
    """A reason is furniture or says how to mend it, never both; one that this version does not know is given back."""
    assert set(SET_ASIDE_REASONS) <= set(FURNITURE) | set(MENDING)
    assert not set(FURNITURE) & set(MENDING)
    assert set(WHOLE_SHEET) <= set(MENDING)
    strange = _aside(("a.csv", "", 5, "new_reason", ["x"]), ("a.csv", "", 6, None, ["y"]))
    assert with_fate(strange)["fate"].to_list() == [Fate.RETURNED] * 2


@pytest.mark.parametrize(
    ("reason", "other", "cells", "fate"),
    [
        ("not_a_table", "not_a_table", [id_number(1), "张三"], Fate.RETURNED),
        ("hidden_sheet", "hidden_sheet", ["张三", id_number(1)[:15]], Fate.RETURNED),
        ("not_a_table", "not_a_table", ["9.90121197012077E+17"], Fate.RETURNED),
        ("not_a_table", "not_a_table", [f"编号{id_number(1)}"], Fate.COUNTED),
        ("not_a_table", "header", [id_number(1), "张三"], Fate.ELSEWHERE),
        ("sheet_not_asked", "sheet_not_asked", [id_number(1)], Fate.COUNTED),
        ("no_identity", "header", ["1"], Fate.RETURNED),
    ],
)
def test_what_becomes_of_a_row(reason: str, other: str, cells: list[str | None], fate: Fate):
    """reason | of another row of the sheet | cells || fate: a sheet goes back if people are in it and nobody reads it."""
    rows = with_fate(_aside(("a.xlsx", "s", 1, reason, cells), ("a.xlsx", "s", 2, other, ["表"])))
    assert rows["fate"][0] == fate


def test_two_extracts_of_one_workbook(tmp_path: Path):
    """A row that both set aside is asked for once; a sheet that one of them reads is no unknown sheet of the other."""
    both = ("民政.xlsx", "低保", 9, "no_identity", ["8", None])
    rows = [
        ("民政.xlsx", "低保", 1, "header", ["序号", "姓名"]),
        both,
        both,
        *(("民政.xlsx", "低保", n, "not_a_table", ["1", id_number(n)]) for n in range(1, 10)),
    ]
    (path,) = _write(tmp_path, _aside(*rows), {("民政.xlsx", "低保"): ("序号", "姓名")}, {"民政.xlsx": "民政"})
    book = load_workbook(path)
    assert len(_rows(book["民政_低保"])) == 1
    assert {line[2] for line in _counts(book["说明"])} == {reason_words("no_identity"), reason_words("header")}


def test_rows_beyond_a_sheet_go_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Rows are numbered through, and 说明 names both sheets."""
    monkeypatch.setattr(set_aside_book, "_MOST_ROWS", 3)
    rows = [("a.xlsx", "s", n, "no_identity", [str(n)]) for n in range(10, 15)]
    (path,) = _write(tmp_path, _aside(*rows), {}, {})
    book = load_workbook(path)
    assert book.sheetnames == ["说明", "a_s", "a_s-2"]
    assert [row[0] for name in book.sheetnames[1:] for row in _rows(book[name])] == ["1", "2", "3", "4", "5"]
    assert path.name == "未注明报送单位_退回更正_2019-11-30.xlsx"
    assert "a_s、a_s-2" in {line[4] for line in _rows(book["说明"], 1)}


def test_odd_names(tmp_path: Path):
    """Owners, files and sheets of any name give legal names; a CSV has no sheet name; two owners may differ in case only."""
    rows = [
        ("甲/2019年11月全县农村最低生活保障对象花名册.xlsx", "第一季度[1]/城镇", 3, "no_identity", ["1"]),
        ("乙/2019年11月全县农村最低生活保障对象花名册.xlsx", "第一季度[1]/城镇", 3, "no_identity", ["1"]),
        ("丙.csv", "", 3, "no_identity", ["=1", "长" * 40_000, "a\x00b\nc"]),
    ]
    owners = {rows[0][0]: "a/b", rows[1][0]: "a/b", rows[2][0]: "A:B"}
    paths = _write(tmp_path, _aside(*rows), {}, owners)
    assert [path.name for path in paths] == ["A_B_退回更正_2019-11-30.xlsx", "a_b-2_退回更正_2019-11-30.xlsx"]
    names = load_workbook(paths[1]).sheetnames[1:]
    assert len({name.casefold() for name in names}) == 2
    assert all(len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)
    sheet = load_workbook(paths[0])["丙"]
    assert sheet.cell(FIRST, 8).value.endswith("已截断）")


def test_more_columns_than_excel_has_is_our_error(tmp_path: Path):
    """A row of 20,000 cells cannot be given back whole: an error says so, and nothing is dropped in silence."""
    with pytest.raises(OutputError):
        _write(tmp_path, _aside(("a.csv", "", 1, "no_identity", ["1"] * 20_000)), {}, {})


def test_the_date_is_given_never_looked_up(tmp_path: Path, world: World):
    """The as-of date names the file; nothing else knows what day it is."""
    paths = write_set_aside_books(tmp_path, world.set_aside, HEADERS, OWNERS, as_of=date(2020, 1, 31))
    assert all(path.name.endswith("_退回更正_2020-01-31.xlsx") for path in paths)
