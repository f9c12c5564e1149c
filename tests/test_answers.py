"""What an answer may do: when it counts as late, which signatures are believed, how a promise is kept, who may overrule it."""

import json
import re
import shutil
from datetime import date

import pytest
from openpyxl import load_workbook

from conftest import fupin
from fupin_cli.cases import open_ledger
from fupin_cli.cases.ledger import check_ledger
from fupin_cli.casework import book_round, dispatch, exempt, reopen
from fupin_cli.errors import UsageError
from fupin_cli.feedback import settle, sign, take_back
from loop_world import COUNTY_RULES, World, answer, case_rows, village_sheets
from office_files import write_xlsx

SENT, DUE, BACK = date(2020, 1, 2), date(2020, 1, 20), date(2020, 1, 15)


def send(tmp_path, **more):
    """A ledger with one batch out: four people with a vehicle each, in four villages of three townships."""
    world = World(people=4, said={(person, "CMP-VH1"): 1 for person in range(4)}, **more)
    folder = tmp_path / "cases"
    book_round(folder, world.run(tmp_path / "r0", date(2020, 1, 1)), date(2020, 1, 1))
    return world, folder, sorted(dispatch(folder, SENT, DUE).folder.glob("*.xlsx"))


def states(folder):
    with open_ledger(folder) as ledger:
        assert check_ledger(ledger) == []
        return dict(ledger.cases().group_by("state").len().sort("state").rows())


def give_back(folder, books, target, day=BACK, **how):
    """All workbooks answered, 属实 where nothing else is said, and imported."""
    for path in books:
        answer(path, target / path.name, **({"say": lambda _: "属实"} | how))
    return take_back(folder, sorted(target.iterdir()), day)


def events(folder):
    with open_ledger(folder) as ledger:
        return ledger.rows("SELECT * FROM events ORDER BY seq")


def test_reading_a_file_again_does_not_make_it_late(tmp_path):
    """A punctual unit's file, read again after the day: nothing is booked, and nothing is 逾期."""
    _, folder, books = send(tmp_path)
    give_back(folder, books, tmp_path / "back")
    before = events(folder)
    again = take_back(folder, sorted((tmp_path / "back").iterdir()), date(2020, 3, 1))
    assert (again.booked, again.closed, again.counts["逾期反馈"]) == (0, 0, 0)
    assert events(folder) == before
    late = send(tmp_path / "late")
    assert give_back(late[1], late[2], tmp_path / "lb", date(2020, 1, 25)).counts["逾期反馈"] == 4


# typed under the signatures | closed | refused (a row a village)
DAYS = [
    ("2020-01-05", 4, 0),
    ("2020年1月5日", 4, 0),
    ("2020.1.5", 4, 0),
    ("20200105", 4, 0),
    (43835, 4, 0),  # the serial of that day
    (date(2020, 1, 5), 4, 0),
    ("2020-13-05", 0, 4),
    ("2020-02-30", 0, 4),
    ("2019-12-31", 0, 4),  # before it went out
    ("2020-01-16", 0, 4),  # after it came back
    ("正月", 0, 4),
    (None, 0, 4),
]


@pytest.mark.parametrize(("typed", "closed", "refused"), DAYS)
def test_a_signature_needs_a_day_that_can_be(tmp_path, typed, closed, refused):
    """Read as people and spreadsheets write it; what cannot be is told with file and row, and closes nothing."""
    _, folder, books = send(tmp_path)
    told = give_back(folder, books, tmp_path / "back", sign=typed)
    assert (told.closed, told.counts["签字有误"]) == (closed, refused * 4)  # four steps each
    if refused:
        rows = [row for path in told.folder.iterdir() for row in load_workbook(path)["签字有误"].iter_rows(min_row=4)]
        assert all(row[0].value and row[2].value and row[-1].value for row in rows)
        give_back(folder, books, tmp_path / "again", sign="2020-01-05")  # corrected: it counts
        assert states(folder) == {"closed": 4}


def _signed_by(path, hands):
    """Types signers and days into a returned workbook: step → (signer, day)."""
    book = load_workbook(path)
    for row in book["签字登记"].iter_rows(min_row=4):
        row[3].value, row[4].value = hands[row[2].value]
    book.save(path)


CHAIN = ("核查人", "村党组织书记", "第一书记", "乡镇审核人")
IMPOSSIBLE = (  # signers, days of the four steps, what is said, signatures refused
    ("甲甲甲丁", (5, 6, 7, 8), "一人签了多个环节（核查人、村党组织书记、第一书记）", 3),
    ("甲乙丙丁", (5, 6, 8, 7), "签字未逐级", 2),
    ("甲乙丙丁", (9, 6, 7, 8), "签字未逐级", 4),
)


@pytest.mark.parametrize(("signers", "days", "said", "refused"), IMPOSSIBLE)
def test_a_chain_that_cannot_be_closes_nothing(tmp_path, signers, days, said, refused):
    """One hand in several steps, or a later step dated before an earlier one: told with file, sheet and row, and left open."""
    _, folder, books = send(tmp_path)
    give_back(folder, books, tmp_path / "back", sign=False)
    back = sorted((tmp_path / "back").glob("*.xlsx"))
    hands = {step: (who, f"2020-01-{day:02d}") for step, who, day in zip(CHAIN, signers, days, strict=True)}
    for path in back:
        _signed_by(path, hands)
    told = take_back(folder, back, BACK)
    assert (told.closed, told.counts["签字有误"]) == (0, refused * 4)  # four villages
    rows = [row for path in told.folder.iterdir() if "签字有误" in load_workbook(path).sheetnames
            for row in load_workbook(path)["签字有误"].iter_rows(min_row=4, values_only=True)]  # fmt: skip
    assert rows
    assert all(row[0] and row[1] == "签字登记" and row[2] and said in row[-1] for row in rows)
    for path in back:  # put right, they count
        _signed_by(
            path,
            {step: (who, f"2020-01-{day:02d}") for step, who, day in zip(CHAIN, "甲乙丙丁", range(5, 9), strict=True)},
        )
    take_back(folder, back, BACK)
    assert states(folder) == {"closed": 4}


def test_an_answer_that_contradicts_itself_is_not_booked(tmp_path):
    """What is not so needs no correction: the row is told with what to do, and its case stays out."""
    _, folder, books = send(tmp_path)
    told = give_back(folder, books, tmp_path / "back", say=lambda _: "不属实", action="已修改")
    assert (told.booked, told.closed, told.counts["未采用的行"]) == (0, 0, 4)
    rows = [row for path in told.folder.iterdir() for row in load_workbook(path)["未采用的行"].iter_rows(min_row=4)]
    assert all(row[0].value and row[1].value and row[2].value and "矛盾" in row[4].value for row in rows)
    assert states(folder) == {"dispatched": 4}
    back = sorted((tmp_path / "back").iterdir())
    done = fupin("cases", "import", *back, "--ledger", folder, "--on", BACK)
    assert re.search(r"rows not taken +4\n", done.stdout)
    assert not re.search("新计入|未采用|逾期反馈", done.stdout)
    assert f"not taken: {back[0].name}: rows " in done.stderr
    assert "不属实, and yet something is done about it: mend one of the two" in done.stderr
    assert "row by row: sheet 未采用的行 of these workbooks" in done.stderr
    done = fupin("cases", "import", *back, "--ledger", folder, "--on", BACK, FUPIN_LANG="zh")
    assert re.search(r"未采用的行 +4\n", done.stdout)
    assert "请核实后改其中一处" in done.stderr


def test_sign_refuses_an_impossible_chain(tmp_path):
    """On the command line neither: the same hand twice, or a day before that of the step above."""
    _, folder, books = send(tmp_path)
    give_back(folder, books, tmp_path / "back", sign=False)
    sign(folder, 1, "核查人", "甲", date(2020, 1, 9), BACK, place={})
    for who, day in (("甲", 10), ("乙", 8)):
        with pytest.raises(UsageError, match="cannot stand"):
            sign(folder, 1, "村党组织书记", who, date(2020, 1, day), BACK, place={})


def test_sign_believes_no_impossible_day(tmp_path):
    """On the command line neither."""
    _, folder, books = send(tmp_path)
    give_back(folder, books, tmp_path / "back", sign=False)
    for day in (date(2019, 12, 31), date(2020, 1, 16)):
        with pytest.raises(UsageError, match="cannot have been signed"):
            sign(folder, 1, "核查人", "某人", day, BACK, place={})
    with pytest.raises(UsageError, match="township 河口村"):
        sign(folder, 1, "核查人", "某人", BACK, BACK, place={"township": "河口村"})


def test_a_promised_correction_waits_for_the_data(tmp_path):
    """属实 and 拟修改: not closed until a round no longer finds it; meanwhile every round and `warn` say so."""
    world, folder, books = send(tmp_path)
    told = give_back(folder, books, tmp_path / "back", action="拟修改")
    assert (told.closed, told.promised) == (0, 4)
    assert states(folder) == {"promised": 4}
    assert dispatch(folder, date(2020, 2, 1), date(2020, 2, 9)).books == ()  # not asked twice
    world.said[0, "CMP-VH1"] = None
    world.said[1, "CMP-VH1"] = 2
    figures = book_round(folder, world.run(tmp_path / "r1", date(2020, 2, 1)), date(2020, 2, 1)).figures
    assert {name: figures[name] for name in ("promised", "confirmed", "cleared", "reopened")} == {
        "promised": 2, "confirmed": 1, "cleared": 0, "reopened": 1
    }  # fmt: skip
    assert states(folder) == {"closed": 1, "promised": 2, "reopened": 1}
    asked = ("cases", "warn", "--json", "--ledger", folder, "--on")
    assert '"promised": []' in fupin(*asked, "2020-02-10").stdout
    assert fupin(*asked, "2020-02-14").stdout.count('"answered_on": "2020-01-15"') == 2


def test_only_a_contradiction_is_ruled_on(tmp_path):
    """What was answered without contradiction is not overturned by a ruling; `reopen` has it asked again, and says why."""
    _, folder, books = send(tmp_path)
    give_back(folder, books, tmp_path / "back")
    with open_ledger(folder) as ledger:
        case = ledger.cases()["case_id"][0]
    with pytest.raises(UsageError, match="not disputed"):
        settle(folder, case, {"verdict": "不属实", "reason": "另有说法"}, BACK, "张主任")
    assert states(folder) == {"closed": 4}
    reopen(folder, [case], BACK, reason="群众举报", by="张主任")
    assert states(folder) == {"closed": 3, "reopened": 1}
    with pytest.raises(UsageError, match="cannot be reopened"):
        reopen(folder, [case], BACK, reason="再来", by="张主任")
    batch = dispatch(folder, BACK, date(2020, 1, 30))
    assert [book.cases for book in batch.books] == [1]
    path = next(batch.folder.glob("*.xlsx"))
    answer(path, tmp_path / "second.xlsx", lambda _: "不属实", sign="2020-01-20")
    take_back(folder, [tmp_path / "second.xlsx"], date(2020, 1, 25))
    with open_ledger(folder) as ledger:
        assert ledger.cases("case_id = ?", [case])["verdict"].to_list() == ["不属实"]
        assert ledger.cases("case_id = ?", [case])["state"].to_list() == ["closed"]
    shown = fupin("cases", "show", case, "--ledger", folder, FUPIN_LANG="zh").stdout
    assert "重新核查" in shown
    assert "群众举报" in shown
    assert "reopened" not in shown
    shown = " ".join(fupin("cases", "show", case, "--ledger", folder, FUPIN_LANG="en").stdout.split())
    assert all(said in shown for said in ("is it so: not so", "explanation: 群众举报", "signed or handled by: 张主任"))
    assert not {"是否属实", "台账登记", "疑点："} & set(re.findall("[\u4e00-\u9fff]+：?", shown))


def test_an_exemption_names_its_document_and_its_day(tmp_path):
    """无 is no document, and 2099 no day on which anybody will look again."""
    _, folder, _ = send(tmp_path)
    with open_ledger(folder) as ledger:
        case = ledger.cases()["case_id"].to_list()[:1]
    good = {"reason": "低保家庭", "document": "青扶办〔2020〕3号", "until": date(2020, 12, 31)}
    for wrong in ({"document": "无"}, {"document": " "}, {"until": date(2099, 1, 1)}, {"until": date(2020, 1, 1)}):
        with pytest.raises(UsageError):
            exempt(folder, case, BACK, **(good | wrong))
    exempt(folder, case, BACK, **good)
    assert states(folder) == {"dispatched": 3, "exempt": 1}


def test_a_wrong_file_leaves_no_folder(tmp_path):
    """A file that is none of ours is named; no folder of lists is made for it."""
    _, folder, _ = send(tmp_path)
    (tmp_path / "wrong.xlsx").write_bytes(b"nothing")
    done = fupin("cases", "import", tmp_path / "wrong.xlsx", "--ledger", folder, "--on", BACK)
    assert done.returncode == 3
    assert not (folder / "returns").exists()
    assert "→" not in done.stdout


def test_the_countys_office_is_asked_once_for_what_is_one_question(tmp_path):
    """One row for an entry batch, no householder's signature, its own signers; the answer holds for everybody in it."""
    said = {(person, "CMP-ST1"): 1 + (person == 4) for person in range(8)}
    world = World(people=8, said=said, rules=dict(COUNTY_RULES))
    folder = tmp_path / "cases"
    book_round(folder, world.run(tmp_path / "r0", date(2020, 1, 1)), date(2020, 1, 1))
    batch = dispatch(folder, SENT, DUE)
    assert [(book.unit, book.cases) for book in batch.books] == [("白石县县级", 2), ("青禾县县级", 6)]
    path = sorted(batch.folder.glob("*.xlsx"))[1]
    book = load_workbook(path)
    ((sheet, heads),) = village_sheets(book)
    assert len(case_rows(sheet, heads)) == 2
    text = {str(cell.value) for row in sheet.iter_rows() for cell in row}
    assert "户主签字" not in heads
    assert not [said for said in text if "村级" in said or "请村级填写" in said]
    assert {row[2].value for row in book["签字登记"].iter_rows(min_row=4)} == {"经办人", "分管负责人"}
    assert book["涉及人员"].max_row == 3 + 6
    told = answer(path, tmp_path / "back.xlsx", lambda _: "属实")
    done = take_back(folder, [tmp_path / "back.xlsx"], BACK)
    assert (len(told), done.booked, done.closed) == (2, 6, 6)
    assert (done.counts["未反馈"], done.counts["改动的内容"], done.counts["未采用的行"]) == (0, 0, 0)
    assert take_back(folder, [tmp_path / "back.xlsx"], BACK).booked == 0
    other = answer(path, tmp_path / "other.xlsx", lambda _: "不属实")
    done = take_back(folder, [tmp_path / "other.xlsx"], BACK)
    assert (len(other), done.counts["反馈矛盾"]) == (2, 6)  # cases, as the ledger counts them
    assert states(folder) == {"dispatched": 2, "disputed": 6}


def test_what_is_not_answered_is_counted_in_cases(tmp_path):
    """A row of the county's office may stand for five cases: screen, workbook and ledger count five."""
    said = {(person, "CMP-ST1"): 1 + (person == 4) for person in range(8)}
    folder = tmp_path / "cases"
    book_round(
        folder, World(people=8, said=said, rules=dict(COUNTY_RULES)).run(tmp_path / "r0", date(2020, 1, 1)), SENT
    )
    path = sorted(dispatch(folder, SENT, DUE).folder.glob("*.xlsx"))[1]
    first = []
    answer(path, tmp_path / "back.xlsx", lambda case: None if first.append(case) or len(first) > 1 else "属实")
    done = take_back(folder, [tmp_path / "back.xlsx"], BACK)
    assert done.booked + done.counts["未反馈"] == 6
    assert states(folder)["dispatched"] == done.counts["未反馈"] + 2  # two at the other county
    sheet = load_workbook(next(done.folder.glob("*.xlsx")))["未反馈"]
    rows = [row for row in sheet.iter_rows(values_only=True) if any(row)]
    heads = next(row for row in rows if "核查件编号" in row)
    below = rows[rows.index(heads) + 1 :]
    at = heads.index("核查件数") if "核查件数" in heads else None
    assert sum(1 if at is None else row[at] for row in below) == done.counts["未反馈"]


def test_contradicting_answers_are_neither_so_nor_not_so(tmp_path):
    """Two of one township are so, then another copy says otherwise of one: the share is one of one, and not one of two."""
    _, folder, books = send(tmp_path)
    give_back(folder, books, tmp_path / "back")
    said = {path: answer(path, tmp_path / "none.xlsx", lambda _: "属实") for path in books}
    path, cases = next((path, sorted(cases)) for path, cases in said.items() if len(cases) == 2)
    answer(path, tmp_path / "other.xlsx", lambda case: "不属实" if case == cases[0] else None)
    take_back(folder, [tmp_path / "other.xlsx"], BACK)
    told = json.loads(fupin("cases", "stats", "--json", "--ledger", folder).stdout)["performance"]
    assert [(row["back"], row["so"], row["so_share"]) for row in told if row["back"] == 2] == [(2, 1, 100.0)]


def test_townships_that_answer_alike_are_ranked_by_name(tmp_path):
    """Nobody has answered: all are first, in the order of counties and townships."""
    _, folder, _ = send(tmp_path)
    told = json.loads(fupin("cases", "stats", "--json", "--ledger", folder).stdout)["performance"]
    names = [(row["county"], row["township"]) for row in told]
    assert (names, {row["rank"] for row in told}) == (sorted(names), {1})


def test_an_answered_case_says_what_it_waits_for(tmp_path):
    """Without signatures it is not closed: the case itself says so, not the import's workbook alone."""
    _, folder, books = send(tmp_path)
    give_back(folder, books, tmp_path / "back", sign=False)
    case = events(folder)[0]["case_id"]
    told = fupin("cases", "show", case, "--ledger", folder).stdout
    assert "not closed yet, for want of: signature: 核查人, signature: 村党组织书记" in told
    assert json.loads(fupin("cases", "show", case, "--json", "--ledger", folder).stdout)["lacks"][0] == "缺核查人签字"


def test_a_foreign_workbook_is_told_and_what_is_taken_back(tmp_path):
    """Nothing came back: no table of zeros, but which workbooks are waited for."""
    _, folder, _ = send(tmp_path)
    write_xlsx(tmp_path / "别的表.xlsx", {"s": [["村", "数"], ["甲村", 1]]})
    done = fupin("cases", "import", tmp_path / "别的表.xlsx", "--ledger", folder)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"only the workbooks in {folder / 'batches'}" in done.stderr


def test_a_ledger_of_the_first_version_is_told_again(tmp_path):
    """Opened by this program it says what it said; what it had not known follows from its events."""
    _, folder, books = send(tmp_path)
    give_back(folder, books, tmp_path / "back")
    with open_ledger(folder) as ledger:
        now = ledger.cases()
        connection = ledger.connection
        connection.execute("PRAGMA foreign_keys = OFF")
        for name in ("known", "happened"):
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM {'cases' if name == 'known' else 'events'}")
        connection.execute("DROP TABLE events")
        connection.execute("DROP TABLE cases")
        connection.execute("ALTER TABLE known RENAME TO cases")
        connection.execute("ALTER TABLE happened RENAME TO events")
        for name in ("rounds_are_never_changed", "rounds_are_never_deleted"):
            connection.execute(f"DROP TRIGGER {name}")
        for name in ("confirmed", "promised", "chain", "chained_until", "notes", "holds", "people_sha256"):
            connection.execute(f"ALTER TABLE rounds DROP COLUMN {name}")
        connection.execute("PRAGMA user_version = 1")
    shutil.copytree(folder, tmp_path / "copy")
    with open_ledger(tmp_path / "copy") as ledger:
        assert ledger.cases().equals(now)
        assert check_ledger(ledger) == []
