"""Out and back: real workbooks, answered by a script, sorted, damaged, doubled, re-saved, encrypted, late."""

import random
import re
import shutil
import stat
from datetime import date

import polars as pl
import pytest
from openpyxl import load_workbook

from conftest import fupin
from fupin_cli.cases import open_ledger
from fupin_cli.cases.ledger import check_ledger
from fupin_cli.casework import book_round, dispatch
from fupin_cli.errors import UsageError
from fupin_cli.feedback import settle, sign, take_back
from fupin_cli.report.dispatch_book import SHOWN
from loop_world import OFFICE, RULES, World, answer, case_rows, resave, sort_rows, village_sheets

SENT, DUE, BACK = date(2020, 1, 2), date(2020, 1, 20), date(2020, 1, 15)
STEPS = ("核查人", "村党组织书记", "第一书记", "乡镇审核人")
TRUE = lambda _: "属实"  # noqa: E731
needs_soffice = pytest.mark.skipif(not OFFICE, reason="LibreOffice is not here")


@pytest.fixture
def out(tmp_path):
    """A ledger with one batch out: 16 people, 48 findings, four villages, three townships."""
    world = World(people=16, said={(person, rule): 1 for person in range(16) for rule in RULES})
    folder = tmp_path / "cases"
    book_round(folder, world.run(tmp_path / "r0", date(2020, 1, 1)), date(2020, 1, 1))
    batch = dispatch(folder, SENT, DUE)
    assert [book.cases for book in batch.books] == [12, 12, 24]
    return folder


def books(folder, batch=1):
    return sorted((folder / "batches" / f"B{batch:04d}").glob("*.xlsx"))


def states(folder):
    with open_ledger(folder) as ledger:
        assert check_ledger(ledger) == []
        return dict(ledger.cases().group_by("state").len().rows())


def listed(feedback, part):
    """The rows of one part over the units' lists, below their headers: case numbers or what stands first."""
    found = []
    for path in sorted(feedback.folder.glob("*.xlsx")):
        book = load_workbook(path)
        if part in book.sheetnames:
            found += [[cell.value for cell in row] for row in book[part].iter_rows(min_row=4)]
    return found


# --- out --------------------------------------------------------------------------------------------------------------


def test_nothing_is_sent_twice(out):
    """A second dispatch sends nothing; its first batch stays as it is, with a manifest of what went to whom."""
    assert dispatch(out, SENT, DUE).books == ()
    assert [path.name for path in (out / "batches").iterdir()] == ["B0001"]
    names = {path.name for path in (out / "batches" / "B0001").iterdir()}
    assert {"manifest.json", "sent.parquet"} < names


def test_a_workbook_holds_its_own_places_only(out):
    """Nobody of another township is in a township's workbook, and no page of it is open to others."""
    for path in books(out):
        book = load_workbook(path)
        text = {str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value}
        others = {"河口镇", "云台乡", "白石镇"} - {name for name in ("河口镇", "云台乡", "白石镇") if name in path.name}
        assert len(others) == 2
        assert not [cell for cell in text for name in others if name in cell]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_only_answers_can_be_typed(out):
    """Everything but the answer cells is locked; lists hang on the answers; the page is A4 across with its header repeated."""
    for sheet, heads in village_sheets(load_workbook(books(out)[0])):
        assert sheet.protection.sheet
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
        assert sheet.print_title_rows == "$4:$5"
        assert "&P" in sheet.oddFooter.center.text
        free = {header for header, column in heads.items() if not sheet.cell(6, column).protection.locked}
        assert free == {
            "是否属实",
            "情况说明",
            "处理意见",
            "佐证材料",
            "户主签字",
            "核查人",
            "联系电话",
            "核查时间",
            "村级(盖章)",
        }
        assert {str(v.sqref).split(":")[0] for v in sheet.data_validations.dataValidation} == {"L6", "M6", "N6"}
        foot = [
            str(row[0].value) + str(row[5].value) for row in sheet.iter_rows(min_row=6 + len(case_rows(sheet, heads)))
        ]
        assert "核查人（签字）" in foot[0]
        assert "村党组织书记（签字）" in foot[0]


def test_the_statistics_sheet_counts_the_answers(out):
    """Its formulas point at the answers of each village, and say what is so before anybody answered."""
    sheet = load_workbook(books(out)[0])["统计表"]
    assert sheet["F4"].value.startswith("=COUNTA('东沟村'!$L$6:$L$")
    assert sheet["G4"].value.endswith(',"属实")')
    assert load_workbook(books(out)[0], data_only=True)["统计表"]["J4"].value == 12


def test_units_may_be_villages(tmp_path):
    """By village every village gets a workbook of its own."""
    world = World(people=8, said={(person, "CMP-VH1"): 1 for person in range(8)})
    book_round(tmp_path / "cases", world.run(tmp_path / "r", date(2020, 1, 1)), SENT)
    assert len(dispatch(tmp_path / "cases", SENT, DUE, by="village").books) == 4


def test_encrypted_books_open_with_their_own_password_only(tmp_path):
    """Each recipient's workbook is encrypted as Excel does it; a recipient without a password stops everything."""
    world = World(people=8, said={(person, "CMP-VH1"): 1 for person in range(8)})
    folder, file = tmp_path / "cases", tmp_path / "passwords.toml"
    book_round(folder, world.run(tmp_path / "r", date(2020, 1, 1)), SENT)
    with pytest.raises(UsageError, match="2 of 3 recipients have no password"):
        dispatch(folder, SENT, DUE, passwords={"青禾县/河口镇": "a"})
    assert not (folder / "batches").exists() or not list((folder / "batches").iterdir())
    file.write_text('"青禾县/河口镇" = "hk-1"\n"青禾县/云台乡" = "yt-2"\n"白石县/白石镇" = "bs-3"\n', encoding="utf-8")
    words = ("cases", "dispatch", "--due", DUE, "--ledger", folder, "--on", SENT, "--passwords", file)
    assert fupin(*words).returncode == 77  # others may read it
    file.chmod(0o600)
    done = fupin(*words)
    assert done.returncode == 0, done.stderr
    assert all(path.read_bytes().startswith(b"\xd0\xcf\x11\xe0") for path in books(folder))
    back = ("cases", "import", *books(folder), "--ledger", folder, "--on", BACK)
    shut = fupin(*back)
    assert shut.returncode == 3
    assert "password" in shut.stderr
    opened = fupin(*back, "--passwords", file, "--json")
    assert opened.returncode == 0, opened.stderr
    assert '"未反馈": 8' in opened.stdout


# --- and back ---------------------------------------------------------------------------------------------------------


def test_answers_close_their_cases(out, tmp_path):
    """Answered, signed along the chain and with proof: closed. The same files again: nothing. Sent again: nothing."""
    files = [tmp_path / "back" / path.name for path in books(out)]
    for path, target in zip(books(out), files, strict=True):
        answer(path, target, TRUE)
    first = take_back(out, files, BACK)
    assert (first.booked, first.closed) == (48, 48)
    before = sorted(first.folder.iterdir())
    again = take_back(out, list(reversed(files)), BACK)
    assert (again.booked, again.known, again.closed) == (0, 48, 0)
    assert sorted(again.folder.iterdir()) == before
    assert states(out) == {"closed": 48}
    assert dispatch(out, date(2020, 2, 1), date(2020, 2, 2)).books == ()


def test_without_signatures_nothing_is_closed(out, tmp_path):
    """Answered is not closed: the units' lists say which signatures are lacking, and `sign` gives them, step by step."""
    target = tmp_path / "back.xlsx"
    answer(books(out)[2], target, TRUE, sign=False)
    told = take_back(out, [target], BACK)
    assert (told.booked, told.closed, told.counts["待补正"]) == (24, 0, 24)
    assert "缺核查人签字、缺村党组织书记签字" in str(listed(told, "待补正")[0])
    assert told.lacks == {f"缺{step}签字": 24 for step in STEPS}
    said = fupin("cases", "import", target, "--ledger", out, "--on", BACK).stdout
    assert re.search(r"answered, incomplete +24\n  signature: 核查人 +24\n  signature: 村党组织书记 +24\n", said)
    assert "sheet 待补正" in said
    for step in STEPS[:-1]:
        assert sign(out, 1, step, f"{step}甲", BACK, BACK, place={"township": "河口镇"})[1] == 0
    assert sign(out, 1, STEPS[-1], "某人", BACK, BACK, place={"village": "上坪村"})[1] == 12
    with pytest.raises(UsageError, match="not in the chain"):
        sign(out, 1, "县长", "某人", BACK, BACK, place={})
    assert states(out) == {"closed": 12, "answered": 12, "dispatched": 24}


def test_sorting_moving_and_deleting_do_no_harm(out, tmp_path):
    """Rows sorted, columns moved, rows deleted and added: each answer reaches its own case, each missing row is missed."""
    rnd, target = random.Random(4), tmp_path / "back.xlsx"
    said = answer(books(out)[2], target, lambda _: rnd.choice(["属实", "不属实", "部分属实"]))
    sort_rows(target, rnd)
    book = load_workbook(target)
    sheet, heads = next(village_sheets(book))
    for merged in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(merged))
    rows = case_rows(sheet, heads)
    lost = next(iter(rows))
    sheet.delete_rows(rows[lost])
    for row in sheet.iter_rows(min_row=5, max_row=5 + len(rows) - 1):  # the answer columns move to the far right
        for column in (14, 15):
            row_number = row[0].row
            sheet.cell(row_number, 60 + column).value, sheet.cell(row_number, column).value = (
                sheet.cell(row_number, column).value,
                None,
            )
    new = sheet.max_row + 1
    for column, text in ((heads["核查件编号"], "C0000000000000000"), (74, "属实"), (heads["姓名"], "钱新增")):
        sheet.cell(new, column).value = text
    book.save(target)
    told = take_back(out, [target], BACK)
    assert told.booked == 23
    assert told.counts["未采用的行"] == 1
    assert [row[0] for row in listed(told, "未反馈")] == [lost]
    with open_ledger(out) as ledger:
        cases = dict(ledger.cases("verdict IS NOT NULL", columns=("case_id", "verdict")).rows())
        assert len(ledger.cases()) == 48  # nobody was added
    assert cases == {case: verdict for case, verdict in said.items() if case != lost}


def test_numbers_sorted_apart_from_their_people_are_not_believed(out, tmp_path):
    """Only the column of numbers was sorted: no answer is booked under somebody else's case."""
    target = tmp_path / "back.xlsx"
    answer(books(out)[0], target, TRUE)
    book = load_workbook(target)
    for sheet, heads in village_sheets(book):
        rows = list(case_rows(sheet, heads).values())
        numbers = [sheet.cell(row, heads["核查件编号"]).value for row in rows]
        for row, number in zip(rows, numbers[1:] + numbers[:1], strict=True):
            sheet.cell(row, heads["核查件编号"]).value = number
    book.save(target)
    told = take_back(out, [target], BACK)
    assert (told.booked, told.counts["未采用的行"], told.counts["未反馈"]) == (0, 12, 12)


def test_changed_cells_are_told_and_change_nothing(out, tmp_path):
    """A corrected ID number is reported with both values; the answer beside it counts. Retyped alike is no change."""
    target = tmp_path / "back.xlsx"
    answer(books(out)[0], target, TRUE)
    book = load_workbook(target)
    sheet, heads = next(village_sheets(book))
    first, second, *_ = case_rows(sheet, heads).items()
    sheet.cell(first[1], heads["证件号码"]).value = "990121196001019999"
    sheet.cell(second[1], heads["核查件编号"]).value = f" {second[0][:9].lower()} {second[0][9:]}"
    name = sheet.cell(second[1], heads["姓名"])
    name.value = f"　{name.value[0]} {name.value[1:]}"
    book.save(target)
    told = take_back(out, [target], BACK)
    assert (told.booked, told.counts["改动的内容"]) == (12, 1)
    assert listed(told, "改动的内容")[0][3:] == [
        first[0],
        "东沟村",
        "赵丁四",
        "证件号码",
        "99012119630101003X",
        "990121196001019999",
    ]


def test_two_copies_that_disagree_are_a_conflict(out, tmp_path):
    """Neither of two answers wins, in whatever order they come; a ruling ends it, and a late third copy changes nothing."""
    one, other, third = (tmp_path / f"{n}.xlsx" for n in "123")
    case = next(iter(answer(books(out)[0], one, TRUE)))
    answer(books(out)[0], other, lambda c: "不属实" if c == case else "属实")
    answer(books(out)[0], third, lambda c: "部分属实" if c == case else "属实")
    copy = shutil.copytree(out, tmp_path / "copy")
    told = take_back(out, [one, other], BACK)
    for path in (other, one):
        take_back(copy, [path], BACK)
    assert states(out)["disputed"] == 1
    assert told.counts["反馈矛盾"] == 1  # one case, both answers of which are listed
    assert len(listed(told, "反馈矛盾")) == 2
    with open_ledger(out) as ledger, open_ledger(copy) as second:
        both = [one.cases("disputed = 1", columns=("case_id", "state", "verdict")).rows() for one in (ledger, second)]
    assert both[0] == both[1]
    with pytest.raises(UsageError, match="reason"):
        settle(out, case, {"verdict": "不属实"}, BACK, "张主任")
    settle(out, case, {"verdict": "不属实", "reason": "已过户", "material": "过户协议"}, BACK, "张主任")
    with pytest.raises(UsageError, match="not disputed"):
        settle(out, case, {"verdict": "属实", "reason": "又改主意"}, BACK, "张主任")
    take_back(out, [third], BACK)
    with open_ledger(out) as ledger:
        assert ledger.cases("case_id = ?", [case])["verdict"].to_list() == ["不属实"]
        assert ledger.cases("case_id = ?", [case])["state"].to_list() == ["closed"]


def test_blank_wrong_and_late_answers(out, tmp_path):
    """A blank row is asked again; a word that was not offered, and an explanation without a verdict, are not booked; late is told."""
    target = tmp_path / "back.xlsx"
    cases = iter(range(12))
    answer(books(out)[0], target, lambda _: ["属实", None, "大概吧"][min(next(cases), 2)])
    book = load_workbook(target)
    sheet, heads = next(village_sheets(book))
    sheet.cell(list(case_rows(sheet, heads).values())[1], heads["情况说明"]).value = "录入错误"
    book.save(target)
    told = take_back(out, [target], date(2020, 1, 21))
    assert told.booked == 1
    assert {name: told.counts[name] for name in ("未反馈", "未采用的行", "逾期反馈")} == {
        "未反馈": 11,
        "未采用的行": 11,
        "逾期反馈": 1,
    }


def test_a_workbook_of_an_earlier_version_is_read(out, tmp_path):
    """It calls the case's number 疑点编号, as those did that are still out."""
    target = tmp_path / "back.xlsx"
    answer(books(out)[0], target, TRUE)
    book = load_workbook(target)
    for sheet, heads in list(village_sheets(book)):
        sheet.cell(5, heads["核查件编号"]).value = "疑点编号"
    book.save(target)
    told = take_back(out, [target], BACK)
    assert (told.booked, told.closed, told.counts["不是下发的表"]) == (12, 12, 0)


def test_a_list_of_a_run_is_no_form(out, demo, tmp_path):
    """Its 疑点编号 are keys of findings: it is named, with what to fill in instead; the forms beside it are booked."""
    form = tmp_path / "form.xlsx"
    answer(books(out)[0], form, TRUE)
    checklist, master = (min((demo / "workbooks").rglob(f"*_{name}_*.xlsx")) for name in ("疑点核查表", "疑点总表"))
    filled = load_workbook(checklist)
    sheet = filled[filled.sheetnames[1]]
    sheet.cell(6, next(cell.column for cell in sheet[5] if cell.value == "是否属实")).value = "属实"
    filled.save(tmp_path / checklist.name)
    done = fupin("cases", "import", tmp_path / checklist.name, form, master, "--ledger", out, "--on", BACK)
    assert done.returncode == 3
    assert "unreadable" not in done.stderr
    for words in (
        checklist.name,
        master.name,
        "a list that fupin run wrote",
        str(out / "batches"),
        "fupin cases round RUN",
    ):
        assert words in done.stderr
    told = take_back(out, [tmp_path / checklist.name, form, master], BACK)
    assert (told.known, told.counts["未采用的行"], told.counts["不是下发的表"]) == (12, 0, 2)
    assert {row[0]: row[2] for row in listed(told, "不是下发的表")} == {master.name: 0, checklist.name: 1}


def test_a_list_of_a_run_before_anything_was_sent(demo, tmp_path):
    """There is no ledger yet: the error says the same, and what to type."""
    checklist = min((demo / "workbooks").rglob("*_疑点核查表_*.xlsx"))
    done = fupin("cases", "import", checklist, "--ledger", tmp_path / "cases")
    assert done.returncode == 2
    assert "a list that fupin run wrote" in done.stderr
    assert "fupin cases round RUN" in done.stderr


@needs_soffice
@pytest.mark.parametrize("suffix", ["xlsx", "xls", "ods"])
def test_libreoffice_saves_it_and_nothing_is_lost(out, tmp_path, suffix):
    """Saved by LibreOffice in each of its formats, every answer and signature comes back, and no cell counts as altered."""
    target = tmp_path / "back.xlsx"
    answer(books(out)[2], target, TRUE)
    told = take_back(out, [resave(target, suffix, tmp_path / "lo")], BACK)
    assert (told.booked, told.closed, told.counts["改动的内容"], told.counts["未采用的行"]) == (24, 24, 0, 0)


def test_a_file_of_somebody_elses_is_named_and_left(out, tmp_path):
    """A file that is no workbook of ours is named; the others are booked; the exit code says so."""
    good, bad = tmp_path / "good.xlsx", tmp_path / "bad.xlsx"
    answer(books(out)[0], good, TRUE)
    bad.write_bytes(b"not a workbook")
    done = fupin("cases", "import", good, bad, "--ledger", out, "--on", BACK)
    assert done.returncode == 3
    assert "bad.xlsx" in done.stderr
    assert states(out)["closed"] == 12


def test_nobody_is_asked_again_without_new_evidence(out, tmp_path):
    """Answered cases stay away while their evidence is the same; the one whose record changed is asked again, and says so."""
    for path in books(out):
        answer(path, tmp_path / "back" / path.name, TRUE)
    take_back(out, sorted((tmp_path / "back").iterdir()), BACK)
    world = World(people=16, said={(person, rule): 1 for person in range(16) for rule in RULES})
    world.said[0, "CMP-VH1"] = 2
    assert book_round(out, world.run(tmp_path / "r1", date(2020, 2, 1)), date(2020, 2, 1)).figures["reopened"] == 1
    batch = dispatch(out, date(2020, 2, 2), date(2020, 2, 9))
    assert [book.cases for book in batch.books] == [1]
    sheet, heads = next(village_sheets(load_workbook(books(out, 2)[0])))
    assert sheet.cell(6, heads["是否重复疑点"]).value == "第2次"


def test_an_answer_about_old_evidence_does_not_silence_the_new(out, tmp_path):
    """The record changed while the workbook was out: the answer is kept, and the case is asked again."""
    world = World(people=16, said={(person, rule): 1 for person in range(16) for rule in RULES})
    world.said[0, "CMP-VH1"] = 2
    book_round(out, world.run(tmp_path / "r1", date(2020, 1, 10)), date(2020, 1, 10))
    assert states(out) == {"dispatched": 48}  # still out: not sent a second time
    for path in books(out):
        answer(path, tmp_path / "back" / path.name, TRUE)
    take_back(out, sorted((tmp_path / "back").iterdir()), BACK)
    assert states(out) == {"closed": 47, "reopened": 1}


def test_what_was_sent_is_what_is_compared(out):
    """Every column that is shown and locked is kept with the batch, so that a change of any of them is seen."""
    sent = pl.read_parquet(out / "batches" / "B0001" / "sent.parquet")
    assert set(SHOWN) <= set(sent.columns)
