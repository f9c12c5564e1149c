"""What the ledger tells: statistics, ranking, warnings, trend, precision, labels; on a terminal, as JSON, as a workbook."""

import json
import re
from collections import Counter
from datetime import date

import polars as pl
import pytest
from openpyxl import load_workbook

from conftest import fupin
from fupin_cli.cases import open_ledger
from fupin_cli.cases.figures import _LOOK, _TOO_FEW, _counted, _performed, labels, precision
from fupin_cli.cases.schema import COUNTY, VILLAGE
from fupin_cli.casework import book_round, dispatch
from fupin_cli.feedback import take_back
from fupin_cli.report.masking import mask_named
from fupin_cli.rules.pack import Limits
from loop_world import COUNTY_RULES, RULES, World, answer, case_rows, village_sheets

NAMES = ("赵甲", "赵户主", "990121196", "9901000000")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A ledger of two rounds: one township answered in time and refuted everything of one rule, one late, one not at all."""
    home = tmp_path_factory.mktemp("told")
    folder = home / "cases"
    world = World(people=48, said={(person, rule): 1 for person in range(48) for rule in RULES})
    book_round(folder, world.run(home / "r0", date(2020, 1, 1)), date(2020, 1, 1))
    sent = dispatch(folder, date(2020, 1, 2), date(2020, 1, 20))
    books = sorted(sent.folder.glob("*.xlsx"))
    rules = dict(json_lines(fupin("cases", "list", "--json", "--ledger", folder).stdout))
    for number, (path, day) in enumerate(zip(books[1:], (date(2020, 1, 10), date(2020, 1, 25)), strict=True)):
        target = home / f"{number}.xlsx"
        answer(path, target, lambda case: "不属实" if rules[case] == "CMP-VH1" else "属实")
        take_back(folder, [target], day)
    world.said[0, "CMP-VH1"], world.gone = None, {9}
    book_round(folder, world.run(home / "r1", date(2020, 2, 1)), date(2020, 2, 1))
    return folder


def json_lines(text):
    return [(case["case_id"], case["rule_id"]) for case in json.loads(text)]


def ask(folder, *words):
    done = fupin("cases", *words, "--ledger", folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_lists_are_filtered_and_nobody_is_named(told):
    """By state, place, rule and household; no name and no number of anybody is printed."""
    every = json.loads(ask(told, "list", "--json"))
    assert len(every) == 144
    assert len(json.loads(ask(told, "list", "--json", "--county", "白石县"))) == 36
    assert len(json.loads(ask(told, "list", "--json", "--rule", "CMP-VH1", "--state", "open", "--limit", "5"))) == 5
    assert len(json.loads(ask(told, "list", "--json", "--household", "9901000000000000"))) == 6
    late = json.loads(ask(told, "list", "--json", "--overdue", "--on", "2020-02-02"))
    assert {case["township"] for case in late} == {"白石镇"}
    printed = ask(told, "list") + ask(told, "stats") + ask(told, "warn") + ask(told, "trend")
    assert not [name for name in NAMES if name in printed]


def test_warnings_name_rules_in_the_language_spoken(told):
    """Rules are called as their packs call them in English; JSON and workbooks keep the ledger's own words."""
    english = fupin("cases", "stats", "--section", "by_rule", "--ledger", told, COLUMNS="200").stdout
    assert "Owns a motor vehicle" in english
    assert not [line for line in english.splitlines() if "CMP-" in line and re.search("[\u4e00-\u9fff]", line)]
    assert re.search("[\u4e00-\u9fff]", ask(told, "stats", "--section", "by_rule", "--json"))


def test_one_case_is_told_masked(told):
    """Its events in order, its answer, and the person masked."""
    closed = json.loads(ask(told, "list", "--json", "--state", "closed", "--rule", "CMP-ED1", "--township", "云台乡"))
    case = closed[-1]["case_id"]
    shown = json.loads(ask(told, "show", case.lower(), "--json"))
    assert [event["kind"] for event in shown["events"]] == [
        "found",
        "dispatched",
        "answered",
        *["signed"] * 4,
        "closed",
    ]
    assert shown["name"] == "赵*"
    assert "*" in shown["id_number"]
    assert fupin("cases", "show", "C000", "--ledger", told).returncode == 2


def test_one_case_is_a_workbook(told, tmp_path):
    """What both sides say and the person in full, for whoever keeps a file of the case; then what happened, in order."""
    case = json.loads(ask(told, "list", "--json", "--state", "closed", "--limit", "1"))[0]["case_id"]
    ask(told, "show", case, "-o", tmp_path / "case.xlsx")
    book = load_workbook(tmp_path / "case.xlsx")
    facts = {row[0]: row[1] for row in book["核查件"].iter_rows(min_row=4, values_only=True)}
    assert (facts["核查件编号"], facts["状态"]) == (case, "已销号")
    assert "*" not in facts["姓名"] + facts["证件号码"] + facts["疑点说明"]
    assert "疑点" in facts["疑点说明"] or "。" in facts["疑点说明"]
    kinds = [row[1] for row in book["经过"].iter_rows(min_row=4, values_only=True)]
    assert kinds == ["发现", "下发", "反馈", *["签字"] * 4, "销号"]


def test_words_of_the_screen_may_be_typed(told):
    """A state, a weight and a batch are asked for by their names here, or as screens and forms have them."""
    codes = ask(told, "list", "--json", "--state", "closed", "--severity", "lead", "--batch", "1")
    assert json.loads(codes)
    assert (
        ask(told, "list", "--json", "--state", "已销号", "--severity", "比对疑点，建议核实", "--batch", "b0001")
        == codes
    )
    assert "B0001" in ask(told, "list", "--state", "closed")
    slip = fupin("cases", "list", "--state", "已消号", "--ledger", told)
    assert (slip.returncode, "Did you mean '已销号'?" in slip.stderr) == (2, True)
    assert "write B0001" in fupin("cases", "list", "--batch", "eins", "--ledger", told).stderr


def test_units_are_ranked(told):
    """Who answers, in time, and puts right: the township that answered first leads, the silent one is last."""
    ranking = json.loads(ask(told, "stats", "--json", "--on", "2020-02-02"))["performance"]
    assert [(row["township"], row["back"], row["in_time"], row["late"]) for row in ranking] == [
        ("云台乡", 36, 36, 0), ("河口镇", 72, 0, 0), ("白石镇", 0, 0, 36)
    ]  # fmt: skip
    assert ranking[0]["so_share"] == 66.7


def test_a_case_is_counted_once_by_its_state(told):
    """Every state of the total is the number of cases in it; what was never sent is nobody's delay."""
    figures = json.loads(ask(told, "stats", "--json", "--on", "2020-02-02"))
    cases = json.loads(ask(told, "list", "--json"))
    total = figures["total"][0]
    counted = Counter(case["state"] for case in cases)
    assert total["cases"] == len(cases)
    assert {name: total[name] for name in ("answered", "disputed", "promised", "closed", "cleared", "exempt")} == {
        name: counted[name] for name in ("answered", "disputed", "promised", "closed", "cleared", "exempt")
    }
    assert (total["to_send"], total["out"]) == (counted["new"] + counted["reopened"], counted["dispatched"])
    ranked = figures["performance"] + figures["county_offices"]
    assert sum(row["sent"] for row in ranked) == sum(case["sent_batch"] is not None for case in cases)
    overdue = json.loads(ask(told, "warn", "--json", "--on", "2020-02-02"))["overdue"]
    assert {(row["township"], row["cases"]) for row in overdue if row["county"]} == {("白石镇", 36)}


@pytest.mark.parametrize(("not_so", "remark"), [(5, None), (6, "多数不属实")])
def test_half_is_not_most(not_so, remark):
    """Refuted is what more than the limit says, in percent of the answers."""
    rows = [{"verdict": verdict, "note": False, "rule_id": "R", "title": "t", "n": n}
            for verdict, n in (("属实", 10 - not_so), ("不属实", not_so))]  # fmt: skip
    told_by = precision(pl.DataFrame(rows), ("rule_id", "title"), Limits(not_so_percent=50, enough=10)).row(
        0, named=True
    )
    assert (told_by["told"], told_by["not_so"]) == (10, not_so)
    assert (told_by["remark"] or "")[:5] == (remark or "")


def test_a_rule_that_is_mostly_refuted_is_shown_as_such(told):
    """Shares with an interval; nothing changes by itself."""
    told_by = json.loads(ask(told, "stats", "--json"))["precision_by_rule"]
    assert [(row["rule_id"], row["not_so"], (row["remark"] or "")[:5]) for row in told_by] == [
        ("CMP-VH1", 36, "多数不属实"), ("CMP-ED1", 0, ""), ("CMP-RE1", 0, "")
    ]  # fmt: skip
    assert told_by[0]["high"] < 15
    assert told_by[1]["low"] > 85


def test_warnings_and_trend(told):
    """Overdue by unit with days, refuted rules; rounds in order, with households that left."""
    warned = json.loads(ask(told, "warn", "--json", "--on", "2020-02-02"))
    assert [(row["township"], row["cases"], row["days"]) for row in warned["overdue"]] == [("白石镇", 36, 13)]
    assert [row["township"] for row in warned["slow_units"]] == ["白石镇"]
    assert [row["rule_id"] for row in warned["refuted"]] == ["CMP-VH1"]
    rounds = json.loads(ask(told, "trend", "--json"))["trend"]
    moved = ("new", "cleared", "gone", "confirmed", "homes_in", "homes_out")
    assert [tuple(row[name] for name in moved) for row in rounds] == [
        (144, 0, 0, 0, 24, 0),
        (0, 0, 0, 4, 0, 1),  # all four were closed before: the data agree, and nothing becomes 数据已消除
    ]
    assert json.loads(ask(told, "list", "--json", "--state", "cleared")) == []


def test_a_finding_leads_to_its_case(tmp_path):
    """The 疑点编号 of a run's lists is as good as the case's number, and stands beside it in the workbook that goes out."""
    world = World(people=4, said={(person, "CMP-VH1"): 1 for person in range(4)})
    folder, run = tmp_path / "cases", world.run(tmp_path / "r0", date(2020, 1, 1))
    book_round(folder, run, date(2020, 1, 1))
    sent = dispatch(folder, date(2020, 1, 2), date(2020, 1, 20))
    for path in sent.folder.glob("*.xlsx"):
        for sheet, heads in village_sheets(load_workbook(path)):
            for case, row in case_rows(sheet, heads).items():
                key = sheet.cell(row, heads["疑点编号"]).value
                told = fupin("cases", "show", key, "--json", "--ledger", folder)
                assert (json.loads(told.stdout)["case_id"], json.loads(told.stdout)["finding_key"]) == (case, key)
    assert key in pl.read_parquet(run / "findings.parquet")["finding_key"]
    assert fupin("cases", "show", "0" * 16, "--ledger", folder).returncode == 2


def test_a_share_never_passes_a_hundred(tmp_path):
    """整改率 is of what is to be corrected, and counts what is closed: no answer that nobody signed, no promise before it is kept."""
    world = World(people=8, said={(person, "CMP-VH1"): 1 for person in range(8)})
    folder = tmp_path / "cases"
    book_round(folder, world.run(tmp_path / "r0", date(2020, 1, 1)), date(2020, 1, 1))
    sent = dispatch(folder, date(2020, 1, 2), date(2020, 1, 20))
    signed: set[str] = set()
    for number, path in enumerate(sorted(sent.folder.glob("*.xlsx"))):
        said = iter(["属实", "部分属实", *["不属实"] * 6])
        target, action = tmp_path / path.name, ("已修改", "拟修改")[number % 2]
        answer(path, target, lambda _, said=said: next(said), action=action, sign=False)
        take_back(folder, [target], date(2020, 1, 10))
        unsigned = json.loads(ask(folder, "stats", "--json", "--on", "2020-01-11"))["performance"]
        assert not any(row["corrected"] for row in unsigned if row["township"] not in signed)
        said = iter(["属实", "部分属实", *["不属实"] * 6])
        answer(path, target, lambda _, said=said: next(said), action=action)
        take_back(folder, [target], date(2020, 1, 10))
        signed |= {row["township"] for row in unsigned if row["to_correct"]}
    ranked = json.loads(ask(folder, "stats", "--json", "--on", "2020-01-11"))["performance"]
    assert [(row["to_correct"], row["corrected"], row["corrected_share"]) for row in ranked] == [
        (2, 2, 100.0), (2, 0, 0.0), (2, 2, 100.0)
    ]  # fmt: skip
    assert all(row[name] is None or row[name] <= 100 for row in ranked for name in row if name.endswith("share"))


def tallies(*rows, **common):
    """Cases as they are tallied: of one township, sent, answered in time, one each, but for what is said."""
    usual = {
        "county": "青禾县", "township": "平川镇", "receiver": VILLAGE, "note": False, "rule_id": "R", "state": "answered", "past": False,
        "sent": True, "back": True, "in_time": True, "verdict": None, "mended": False, "n": 1,
    }  # fmt: skip
    return pl.DataFrame([usual | common | row for row in rows])


def test_what_contradicts_itself_is_neither_so_nor_to_be_corrected():
    """It came back; until somebody decides, no share counts it. What was not sent, or to another office, is in no ranking."""
    answers = [{"verdict": "属实", "mended": True}, {"verdict": "部分属实"}, {"verdict": "不属实"}, {}]
    others = [{"sent": False}, {"receiver": COUNTY}, {"township": None}]
    ranked = _performed(tallies(*answers, *others), VILLAGE)
    assert ranked["township"].to_list() == ["平川镇", None]
    told = ranked.row(0, named=True)
    assert (told["sent"], told["back"], told["so"], told["to_correct"], told["corrected"]) == (4, 4, 1, 2, 1)
    assert (told["back_share"], told["so_share"], told["corrected_share"]) == (100.0, 33.3, 50.0)


def test_each_state_is_counted_and_only_what_is_out_can_be_late():
    """One case of each state, all past their day; several at once count as many."""
    states = ("new", "reopened", "dispatched", "answered", "disputed", "promised", "closed", "cleared", "exempt")
    rows = [{"state": state, "past": True, "n": 2} for state in states]
    told = _counted(tallies(*rows, {"state": "dispatched"}, {"state": "new", "note": True, "township": None}), ())
    assert told.row(0, named=True) == {
        "cases": 20, "notes": 1, "to_send": 5, "out": 3, "overdue": 2,
        **dict.fromkeys(("answered", "disputed", "promised", "closed", "cleared", "exempt"), 2),
    }  # fmt: skip
    by_place = _counted(tallies({}, {"township": None}), ("township",))
    assert by_place["township"].to_list() == ["平川镇", None]


def test_notes_are_no_clues_that_could_be_refuted():
    """Nor is a case that nobody has verified; the most refuted rule stands first."""
    said = [
        {"verdict": "属实"},
        {"verdict": "不属实"},
        {"verdict": "部分属实"},
        {},
        {"verdict": "不属实", "note": True},
    ]
    told = precision(tallies(*said, {"verdict": "不属实", "rule_id": "S", "n": 12}), ["rule_id"], Limits())
    assert told.select("rule_id", "told", "so", "partly", "not_so", "so_share").rows() == [
        ("S", 12, 0, 0, 12, 0.0), ("R", 3, 1, 1, 1, 33.3)
    ]  # fmt: skip
    assert told["remark"].to_list() == [_LOOK, _TOO_FEW]


def test_answers_that_tell_persons_apart(monkeypatch, told):
    """Both sides of the link beside what was said; who is in it in part, or was found without a link, teaches nothing."""
    said = {"C1": ("属实", None), "C2": ("不属实", "同名非本人"), "C3": ("部分属实", None), "C4": ("属实", None)}
    sides = ("extract", "name", "id_number", "listed_name", "listed_id", "basis", "match_weight")
    people = pl.DataFrame({"case_id": list(said), **dict.fromkeys(sides, "x")}).with_columns(
        basis=pl.when(pl.col("case_id") != "C4").then(pl.lit("exact_id"))
    )
    answers = pl.DataFrame(
        [(case, *words) for case, words in said.items()], schema=["case_id", "verdict", "reason"], orient="row"
    )
    with open_ledger(told) as ledger:
        monkeypatch.setattr(type(ledger), "cases", lambda *_, **__: answers)
        taught = labels(ledger, people)
    assert taught.columns == ["case_id", *sides, "same_person"]
    assert taught.select("case_id", "same_person").rows() == [("C1", True), ("C2", False)]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("--township", "河口"), "河口镇"),
        (("--county", "青木县"), "青禾县"),
        (("--rule", "CMP-VH7"), "CMP-VH1"),
        (("--severity", "leda"), "lead"),
        (("--batch", "7"), "1"),
        (("--county", "白石县", "--township", "河口镇"), "白石镇"),
        (("--township", "河口镇", "--village", "松岭村"), "上坪村"),
    ],
)
def test_a_name_that_no_case_has_is_a_slip_of_the_pen(told, words, meant):
    """An empty list would be read as good news: it is an error, with what may have been meant."""
    done = fupin("cases", "list", "--ledger", told, *words)
    assert done.returncode == 2
    assert meant in done.stderr


def test_statistics_fit_one_screen(told):
    """The terminal shows the whole and its ends; every table is there on request."""
    short = ask(told, "stats")
    assert len(short.splitlines()) <= 40
    whole = ask(told, "stats", "--section", "by_township", "--section", "precision_by_rule")
    assert "where cases stand, by township" in whole
    assert "where cases stand, by county" not in whole


def test_weighty_findings_are_told_until_they_are_dealt_with(tmp_path):
    """Sent out or not: a finding of weight that the last round began is no 'none'."""
    world = World(people=4, said={(person, "CMP-VH1"): 1 for person in range(4)}, severity="fail")
    folder = tmp_path / "cases"
    book_round(folder, world.run(tmp_path / "r0", date(2020, 1, 1)), date(2020, 1, 1))
    for to_send in (1, 0):
        rows = json.loads(ask(folder, "warn", "--json"))["new_weighty"]
        assert [(row["cases"], row["to_send"]) for row in rows] == [(1, to_send)] * 2 + [(2, 2 * to_send)]
        dispatch(folder, date(2020, 1, 2), date(2020, 1, 20))


def test_what_the_county_must_answer_is_not_the_townships_fault(tmp_path):
    """Cases of a rule that the county's office answers are its own in every figure; the township is not ranked by them."""
    world = World(people=8, said={(person, "CMP-ST1"): 1 for person in range(8)}, rules=dict(COUNTY_RULES))
    world.rules["CMP-VH1"], world.said[0, "CMP-VH1"] = "名下有机动车", 1
    folder = tmp_path / "cases"
    book_round(folder, world.run(tmp_path / "r0", date(2020, 1, 1)), date(2020, 1, 1))
    dispatch(folder, date(2020, 1, 2), date(2020, 1, 20))
    told = json.loads(ask(folder, "stats", "--json", "--on", "2020-02-02"))
    assert [(row["township"], row["sent"], row["late"]) for row in told["performance"]] == [("河口镇", 1, 1)]
    assert [(row["county"], row["township"], row["late"]) for row in told["county_offices"]] == [
        ("白石县", "县级", 2), ("青禾县", "县级", 6)
    ]  # fmt: skip
    assert {row["township"]: row["cases"] for row in told["by_township"]} == {"县级": 6, "河口镇": 1}
    assert [
        row["township"] for row in json.loads(ask(folder, "warn", "--json", "--on", "2020-02-02"))["slow_units"]
    ] == ["河口镇"]


def test_figures_are_a_workbook_too(told, tmp_path):
    """A sheet for each table that has rows; and labels for linkage."""
    ask(told, "stats", "-o", tmp_path / "stats.xlsx")
    assert "各乡镇反馈情况排行" in load_workbook(tmp_path / "stats.xlsx").sheetnames
    ask(told, "labels", "-o", tmp_path / "labels.csv")
    for name in ("stats.csv", "stats"):
        refused = fupin("cases", "stats", "-o", tmp_path / name, "--ledger", told)
        assert (refused.returncode, "-o stats.xlsx" in refused.stderr) == (2, True)
        assert not (tmp_path / name).exists()
    assert fupin("cases", "labels", "-o", tmp_path / "labels.xlsx", "--ledger", told).returncode == 2
    assert len((tmp_path / "labels.csv").read_text(encoding="utf-8-sig").splitlines()) == 73
    assert "ok" in ask(told, "verify")


def test_names_inside_a_finding_are_masked():
    """What a finding says of both sides names people; whoever shows a case hides them."""
    said = "台账登记：姓名：诸葛青山；户主姓名：赵甲乙。公安数据：姓名：肖青山，曾用名：肖乙"
    assert mask_named(said) == "台账登记：姓名：诸*；户主姓名：赵*。公安数据：姓名：肖*，曾用名：肖*"
