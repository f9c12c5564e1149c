"""Rounds and returned rows without a file: which case a finding belongs to, what a round can say is gone, which row may be booked."""

from dataclasses import replace
from datetime import date
from functools import partial

import polars as pl
import pytest

from fupin_cli.cases import LedgerKey, open_ledger
from fupin_cli.cases.answers import compare_returns
from fupin_cli.cases.asked import chosen
from fupin_cli.cases.identity import identify
from fupin_cli.cases.reconcile import KNOWN, RoundFrames, reconcile_round
from fupin_cli.cases.schema import ANSWER_FIELDS
from fupin_cli.errors import UsageError
from fupin_cli.vocabulary import EXTRACTS, FINDINGS, HOUSEHOLDS, OUTCOMES, PERSONS

KEY = LedgerKey(b"k" * 32)
LEVELS = {"P": "person", "H": "household", "V": "village", "E": "extract"}
WHO = {"household_id": "H1", "person_id": "P1", "id_number": "N1", "name": "甲", "relation": "户主",
       "county": "青禾县", "township": "平川镇", "village": "柳树村"}  # fmt: skip


def findings(*rows):
    told = [
        {"finding_key": f"k{n}", "rule_id": "P", "stage": "county", "department": "公安", **WHO, **row}
        for n, row in enumerate(rows)
    ]
    return FINDINGS.conform(pl.DataFrame(told, infer_schema_length=None)) if told else FINDINGS.empty()


def number_of(**said) -> str:
    return identify(findings(said), LEVELS, KEY)["case_id"].item()


# --- which case -------------------------------------------------------------------------------------------------------

SAME = [  # what two findings differ in, whether they are one case
    ({"department_value": "x"}, True), ({"register_row": 9}, True), ({"extract_row": 4}, True), ({"as_of": date(2020, 1, 1)}, True),
    ({"name": "乙"}, True), ({"person_id": "P2"}, False), ({"household_id": "H2"}, False), ({"rule_id": "Q"}, False),
    ({"rule_id": "H"}, False), ({"id_number": "N2"}, True),
]  # fmt: skip


@pytest.mark.parametrize(("other", "same"), SAME)
def test_a_case_is_its_rule_household_and_person(other, same):
    """The person is the 人口编号: neither name, row, day nor what the department says makes another case."""
    assert (number_of(**other) == number_of()) is same


@pytest.mark.parametrize(
    ("base", "other", "same"),
    [
        ({"person_id": ""}, {"name": "乙"}, True),  # the ID number tells
        ({"person_id": None}, {"id_number": "N2"}, False),
        ({"person_id": " ", "id_number": None}, {"relation": "子"}, False),  # name, relation and village tell
        ({"person_id": None, "id_number": ""}, {"village": "石桥村"}, False),
        ({"person_id": None, "id_number": None}, {"county": "白石县"}, True),
        ({"rule_id": "H"}, {"person_id": "P2", "name": "乙"}, True),
        ({"rule_id": "V", "household_id": None}, {"person_id": "P2"}, True),
        ({"rule_id": "V", "household_id": None}, {"village": "石桥村"}, False),
        ({"rule_id": "V", "household_id": None}, {"county": "白石县"}, False),
        ({"rule_id": "E", "household_id": None}, {"person_id": "P2", "name": "乙"}, True),
        ({"rule_id": "E", "household_id": None, "id_number": None}, {"name": "乙"}, False),
        ({"rule_id": "E", "household_id": None, "id_number": None}, {"township": "河口镇"}, True),
        ({"rule_id": "unknown"}, {"person_id": "P2"}, False),  # a rule that nobody knows speaks of a person
    ],
)
def test_what_tells_a_person_where_there_is_no_number(base, other, same):
    """人口编号, else ID number, else name, relation and village; a household's and a place's cases are theirs alone."""
    assert (number_of(**base, **{k: v for k, v in other.items() if k not in base}) == number_of(**base)) is same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"rule_id": "H"}),
        ({"person_id": "P1"}, {"person_id": "P1", "rule_id": "Q"}),
        ({"person_id": None, "id_number": None, "relation": None, "name": "乙", "department_value": "b"},
         {"person_id": None, "id_number": None, "relation": None, "name": "甲", "department_value": "a"}),
        ({"rule_id": "E", "household_id": None, "id_number": None, "village": None, "name": "乙", "department_value": "b"},
         {"rule_id": "E", "household_id": None, "id_number": None, "village": None, "name": "甲", "department_value": "a"}),
    ],
)  # fmt: skip
def test_a_case_keeps_its_number_whoever_is_found_beside_it(one, other):
    """Another rule about the same person, or a neighbour of whom as little is known, makes no other case of it."""
    alone, beside = identify(findings(one), LEVELS, KEY), identify(findings(one, other), LEVELS, KEY)
    again = alone.join(beside, on=["rule_id", "person_id", "name"], nulls_equal=True, suffix="_beside")
    assert again["case_id_beside"].to_list() == alone["case_id"].to_list()
    assert beside["case_id"].n_unique() == 2


def test_a_countys_case_is_of_the_place_and_of_nobody_in_it():
    """As a village's: whoever the row names beside it makes no other case."""
    place = {"rule_id": "C", "household_id": None}
    told = [
        identify(findings(place | who), {"C": "county"}, KEY)["case_id"].item() for who in ({}, {"person_id": "P2"})
    ]
    assert told[0] == told[1]


def test_two_whom_nothing_tells_apart_are_two_cases_in_any_order():
    """The one whose evidence sorts first is the first; the evidence is what both sides say."""
    one, two = {"department_value": "a"}, {"department_value": "b"}
    there, back = identify(findings(one, two), LEVELS, KEY), identify(findings(two, one), LEVELS, KEY)
    assert there.select("case_id", "department_value").equals(back.select("case_id", "department_value"))
    assert there["case_id"].n_unique() == 2
    assert number_of(**one) in there.filter(pl.col("department_value") == "a")["case_id"]
    assert there["case_id"].is_sorted()
    codes = identify(
        findings({}, {"rule_id": "H", "department": "民政"}, {"rule_id": "V", "household_id": None}), LEVELS, KEY
    )
    assert codes["evidence_code"].n_unique() == 2
    assert codes.sort("rule_id")["household_code"].is_null().to_list() == [False, False, True]
    assert set(codes.columns) == {*FINDINGS.names, "case_id", "evidence_code", "household_code"}


# --- what a round changes ---------------------------------------------------------------------------------------------


def frames(
    found, *, outcome="clear", person=None, homes=("H1",), members=("P1",), stages=("county",), village="柳树村", **more
):
    """A round that found these, in which rule P answered `outcome` for the household, `person` for the person."""
    place = {"county": "青禾县", "township": "平川镇", "village": village}
    outcomes = [{"household_id": home, "rule_id": rule, "outcome": outcome} for home in homes for rule in LEVELS]
    persons = [{"register_row": n, "household_id": "H1", "person_id": one} for n, one in enumerate(members)]
    own = [{"register_row": n, "rule_id": "P", "outcome": person} for n, _ in enumerate(members) if person]
    text = {"rule_id": pl.String, "outcome": pl.String}
    return RoundFrames(
        findings=findings(*found),
        persons=PERSONS.conform(pl.DataFrame(persons)),
        households=HOUSEHOLDS.conform(pl.DataFrame([{"household_id": home, **place} for home in (*homes, "H9")])),
        outcomes=OUTCOMES.conform(pl.DataFrame(outcomes)) if outcomes else OUTCOMES.empty(),
        person_outcomes=pl.DataFrame(own, schema={"register_row": pl.Int64, **text}),
        extracts=EXTRACTS.conform(pl.DataFrame(more.pop("extracts", None) or [{"extract": "none"}])),
        levels=more.pop("levels", LEVELS), stages=stages, as_of=date(2020, 6, 1), **more,
    )  # fmt: skip


def known_of(people, **said):
    """The cases of an earlier round as the ledger has them."""
    row = dict.fromkeys(KNOWN) | {"state": "new", "present": 1} | said
    ids = identify(people, LEVELS, KEY).select("case_id", _code="evidence_code").rows()
    schema = {name: pl.Int64 if name == "present" else pl.String for name in KNOWN}
    return pl.DataFrame(
        [{**row, "case_id": case, "evidence": said.get("evidence", code)} for case, code in ids], schema=schema
    )


def moved(before, now, **said):
    """(kinds of event, figures that are not 0) of a round after one that found `before`."""
    shown = identify(findings(*before), LEVELS, KEY).select("case_id", *FINDINGS.names)
    moves = reconcile_round(now, known_of(findings(*before), **said), shown, KEY, date(2020, 6, 2))
    return moves.events["kind"].to_list(), {name: n for name, n in moves.figures.items() if n}


ROUNDS = [  # what was known, what the round is, events, figures
    ({}, partial(frames, [{}]), [], {"found": 1, "continuing": 1}),
    ({"evidence": "other"}, partial(frames, [{}]), ["changed"], {"found": 1, "changed": 1}),
    ({"evidence": "other", "state": "closed"}, partial(frames, [{}]), ["changed"], {"found": 1, "changed": 1, "reopened": 1}),
    ({"present": 0, "state": "cleared"}, partial(frames, [{}]), ["returned"], {"found": 1, "reopened": 1}),
    ({"state": "promised"}, partial(frames, [{}]), [], {"found": 1, "continuing": 1, "promised": 1}),
    ({}, partial(frames, []), ["cleared"], {"cleared": 1}),
    ({}, partial(frames, [], outcome="met"), ["cleared"], {"cleared": 1}),
    ({}, partial(frames, [], outcome="not_applicable"), ["cleared"], {"cleared": 1}),
    ({}, partial(frames, [], outcome="hit"), [], {"untold": 1}),
    ({}, partial(frames, [], outcome="unknown"), [], {"untold": 1}),
    ({}, partial(frames, [], outcome="hit", person="clear"), ["cleared"], {"cleared": 1}),
    ({}, partial(frames, [], outcome="unknown", person="unknown"), [], {"untold": 1}),
    ({}, partial(frames, [], outcome="hit", members=("P2",)), ["cleared"], {"gone": 1}),
    ({}, partial(frames, [], homes=()), ["cleared"], {"gone": 1}),
    ({}, partial(frames, [], homes=(), village="石桥村"), [], {"untold": 1}),
    ({}, partial(frames, [], levels={"H": "household"}), [], {"untold": 1}),
    ({"state": "closed"}, partial(frames, []), ["cleared"], {"confirmed": 1}),
    ({"state": "promised"}, partial(frames, []), ["cleared"], {"confirmed": 1}),
    ({"present": 0, "state": "cleared"}, partial(frames, []), [], {}),
    ({"exempt_until": "2020-05-31"}, partial(frames, [{}]), ["lapsed"], {"found": 1, "continuing": 1}),
    ({"exempt_until": "2020-06-01"}, partial(frames, [{}]), [], {"found": 1, "continuing": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("known", "now", "events", "figures"), ROUNDS, ids=range(len(ROUNDS)))
def test_what_a_round_changes(known, now, events, figures):
    """Gone is only what the round can say is gone; whoever left, left a register that reaches the village."""
    assert moved([{}], now(), **known) == (events, figures)


def test_what_was_said_about_this_evidence_is_not_reopened_by_it():
    """Data that change back to what was closed, answered or exempt are a change, and nobody is asked again."""
    code = identify(findings({}), LEVELS, KEY)["evidence_code"].item()
    for name in ("closed_evidence", "answered_evidence", "exempt_evidence"):
        known = {"evidence": "other", "state": "closed", name: code}
        assert moved([{}], frames([{}]), **known) == (["changed"], {"found": 1, "changed": 1})


def test_a_person_on_two_rows_is_clear_where_both_are():
    """One row that still shows it keeps the case; a household whose village nobody wrote down left where others are so."""
    twice = frames([], outcome="hit", members=("P1", "P1"))
    for said, events in ((("clear", "hit"), []), (("clear", "clear"), ["cleared"])):
        own = pl.DataFrame({"register_row": [0, 1], "rule_id": "P", "outcome": said})
        assert moved([{}], replace(twice, person_outcomes=own))[0] == events
    assert moved([{"village": None}], frames([], homes=(), village=None)) == (["cleared"], {"gone": 1})


def test_a_round_of_less_evidence_clears_nothing_of_more():
    """What the province found the county cannot clear; what the county missed the province's round counts."""
    for more in ("city", "province"):
        assert moved([{"stage": more}], frames([])) == ([], {"untold": 1})
    assert moved([{"stage": "province"}], frames([], stages=("county", "province")))[0] == ["cleared"]
    assert moved([{"stage": None}], frames([]))[0] == ["cleared"]
    both = frames([{"stage": "province"}, {"stage": "county", "person_id": "P2"}], stages=("county", "province"))
    moves = reconcile_round(both, known_of(findings()), None, KEY, date(2020, 6, 2))
    assert (moves.figures["new"], moves.figures["missed_before"]) == (2, 1)
    assert moves.cases.height == moves.people.height == 2
    back = moved([{"stage": "province"}], frames([{"stage": "province"}], stages=("county", "province")), present=0)
    assert back[1]["cleared_before"] == 1


@pytest.mark.parametrize(
    ("lists", "gone"),
    [
        ({"complete": True, "coverage": ["青禾县"]}, True), ({"complete": True, "coverage": []}, True),
        ({"complete": True, "coverage": None}, True), ({"complete": True, "coverage": ["白石县"]}, False),
        ({"complete": False, "coverage": ["青禾县"]}, False), ({"complete": None, "coverage": ["青禾县"]}, False),
        ({"extract": "another", "complete": True, "coverage": []}, False),
    ],
)  # fmt: skip
def test_whoever_is_no_longer_on_a_list_is_gone_only_if_it_was_read_whole(lists, gone):
    """For their county; a list that is cut off, or of another place, says nothing of them."""
    person = {"rule_id": "E", "household_id": None, "extract": "deaths"}
    now = frames([], extracts=[{"extract": "deaths", **lists}])
    assert moved([person], now) == ((["cleared"], {"cleared": 1}) if gone else ([], {"untold": 1}))
    anywhere = gone and not lists["coverage"]
    assert moved([person | {"county": None}], now)[0] == (["cleared"] if anywhere else [])


def test_what_is_said_of_others_clears_nothing():
    """Another household's clear is not this one's; a member who is listed in another household has left this one."""
    hit = frames([], outcome="hit")
    others = [
        {"household_id": home, "rule_id": "P", "outcome": said} for home, said in (("H1", "hit"), ("H2", "clear"))
    ]
    assert moved([{}], replace(hit, outcomes=OUTCOMES.conform(pl.DataFrame(others)))) == ([], {"untold": 1})
    rows = [
        {"register_row": n, "household_id": home, "person_id": one}
        for n, (home, one) in enumerate([("H1", "P2"), ("H2", "P1")])
    ]
    elsewhere = replace(hit, persons=PERSONS.conform(pl.DataFrame(rows)))
    assert moved([{}], elsewhere) == (["cleared"], {"gone": 1})
    own = pl.DataFrame({"register_row": [1], "rule_id": ["P"], "outcome": ["clear"]})  # of P1, as a member of H2
    assert moved([{"person_id": "P2"}], replace(elsewhere, person_outcomes=own)) == ([], {"untold": 1})
    twice = PERSONS.conform(pl.DataFrame([row | {"person_id": "P1"} for row in rows]))  # one number in two households
    assert moved([{}], replace(elsewhere, persons=twice, person_outcomes=own)) == ([], {"untold": 1})


def test_a_list_clears_those_whom_it_alone_is_about():
    """A household's case stays, however whole the list is that its evidence came from, while its rule cannot tell."""
    whole = [{"extract": "deaths", "complete": True, "coverage": None}]
    assert moved([{"extract": "deaths"}], frames([], outcome="unknown", extracts=whole)) == ([], {"untold": 1})


def test_what_goes_on_was_not_missed_before():
    """The stage before missed, or had cleared, what this round found anew; what goes on is neither."""
    now = frames([{"stage": "province"}], stages=("county", "province"))
    assert moved([{"stage": "province"}], now) == ([], {"found": 1, "continuing": 1})


def test_who_answers_a_case_and_what_it_shows_from_now_on():
    """Each event says its stage and who is asked; a case not found keeps what it showed."""
    now = replace(frames([{"rule_id": "H"}], outcome="hit"), receivers={"H": "county"})
    shown = identify(findings({}), LEVELS, KEY).select("case_id", *FINDINGS.names)
    moves = reconcile_round(now, known_of(findings({})), shown, KEY, date(2020, 6, 2))
    assert moves.events.select("kind", "day", "detail").rows() == [
        ("found", "2020-06-02", '{"receiver": "county", "stage": "county"}')
    ]
    assert moves.cases["rule_id"].to_list() == ["H"]
    assert sorted(moves.people["rule_id"]) == ["H", "P"]
    assert moves.people["case_id"].is_sorted()


# --- which row may be booked ------------------------------------------------------------------------------------------

HEADERS = {"name": "姓名", "id_shown": "证件", "household_id": "户编号", "title": "疑点类型"}
CHOICES = {"verdict": ("属实", "部分属实", "不属实"), "action": ("已修改", "拟修改", "清退", "不予处理")}
CASE = KEY.case_ids(["x"])[0]
SHOWN = {"name": "甲", "id_shown": "990121********0023", "household_id": "H1", "title": "名下有车"}


def returned(**said):
    row = {"file": "f", "source": "a.xlsx", "sheet": "s", "row": 6, "case_text": CASE, "batch_text": "B0001"}
    return {**row, **dict.fromkeys(ANSWER_FIELDS), **SHOWN, **said}


def compared(*rows, sent=None):
    asked = {"batch": 1, "case_id": CASE, "evidence_code": "e1", "asked": CASE, **SHOWN}
    text = dict.fromkeys(("file", "source", "sheet", "case_text", "batch_text", *ANSWER_FIELDS, *SHOWN), pl.String)
    frame = pl.DataFrame(list(rows), schema_overrides=text)
    return compare_returns(
        frame, pl.DataFrame(sent or [asked, {**asked, "batch": 2, "evidence_code": "e2"}]), HEADERS, CHOICES
    )


ANSWERED = [  # what a returned row says, what is wrong with it (None: booked)
    ({"verdict": "属实"}, None), ({"verdict": " 是。"}, None), ({"verdict": "否", "action": "不予处理"}, None),
    ({"verdict": "属实", "name": "乙"}, None),  # one of the three may have been retyped
    ({"verdict": "属实", "household_id": "H2"}, None), ({"verdict": "属实", "name": " 甲 ", "title": "名下 有车"}, None),
    ({"verdict": "属实", "id_shown": "x"}, None), ({"verdict": "属实", "id_shown": "x", "household_id": "H2"}, "misplaced"),
    ({"verdict": "属实", "name": "乙", "id_shown": "x"}, "misplaced"), ({"verdict": "属实", "title": "名下有房"}, "misplaced"),
    ({"verdict": "也许"}, "not_offered"), ({"verdict": "属实", "action": "再说"}, "not_offered"),
    ({"verdict": "不属实", "action": "已修改"}, "contradictory"), ({"verdict": "不属实", "action": "拟修改"}, "contradictory"),
    ({"verdict": "属实", "action": " 已修改\n"}, None), ({"verdict": "部分属实", "action": "清退"}, None), ({"reason": "外出"}, "no_verdict"), ({"action": "已修改"}, "no_verdict"),
    ({"verdict": "属实", "case_text": "C123"}, "no_number"), ({"verdict": "属实", "case_text": KEY.case_ids(["y"])[0]}, "unknown"),
    ({"verdict": "属实", "batch_text": "B0007"}, "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "problem"), ANSWERED, ids=range(len(ANSWERED)))
def test_which_returned_row_is_booked(said, problem):
    """Known by its number, of the person that was sent, with an answer that was offered: anything else is a problem."""
    whole = {
        "batch": 1,
        "case_id": CASE,
        "evidence_code": "e1",
        "asked": CASE,
        **SHOWN,
        "id_shown": "990121194912310023",
    }
    given = returned(**({"id_shown": whole["id_shown"]} | said))
    told = compared(given, sent=[whole])
    assert told.problems["problem"].to_list() == ([problem] if problem else [])
    assert told.answers.height == (problem is None)


def test_what_people_write_for_a_choice_is_that_choice():
    """Yes and no in their own words."""
    words = {
        "是": "属实",
        "真": "属实",
        "否": "不属实",
        "不是": "不属实",
        "不实": "不属实",
        "假": "不属实",
        "部分": "部分属实",
    }
    said = [compared(returned(verdict=word)).answers["verdict"].item() for word in words]
    assert said == list(words.values())


def test_a_name_retyped_beside_a_masked_number_is_not_the_same_person():
    """Stars fit many: only a whole number stands in for a name."""
    assert compared(returned(verdict="属实", name="乙")).problems["problem"].to_list() == ["misplaced"]


def test_an_answer_without_its_batch_is_of_the_last_one():
    """The batch that stands there, else the last that asked; an empty row and a signature below the table are nothing."""
    told = compared(returned(verdict="属实"), returned(verdict="属实", batch_text=None, row=7), returned(row=8))
    assert told.answers.select("batch", "evidence_code", "row").rows() == [(1, "e1", 6), (2, "e2", 7)]
    assert told.answers["once"].n_unique() == 2
    below = returned(case_text=" ", reason="签字：", batch_text=None, **dict.fromkeys(SHOWN))
    assert compared(below).problems.height == 0
    assert compared({**below, "verdict": "属实"}).problems["problem"].to_list() == ["no_number"]


def test_the_same_answer_twice_is_one_and_the_county_answers_for_all():
    """Copies that say the same have one mark; a case asked for others is booked for each of them."""
    asked = {"batch": 1, "case_id": CASE, "evidence_code": "e1", "asked": CASE, **SHOWN}
    other = {**asked, "case_id": KEY.case_ids(["z"])[0], "evidence_code": "e9"}
    told = compared(returned(verdict="属实"), returned(verdict="属实", row=9, file="g"), sent=[asked, other])
    assert sorted(told.answers.select("case_id", "evidence_code").unique().rows()) == sorted(
        [(CASE, "e1"), (other["case_id"], "e9")]
    )
    assert told.answers["once"].n_unique() == 2
    differs = compared(returned(verdict="属实"), returned(verdict="不属实"), sent=[asked])
    assert differs.answers["once"].n_unique() == 2


def test_what_was_typed_is_trimmed_and_a_changed_cell_is_told():
    """Choices in one spelling of widths, own words as they are, a day without its midnight, a page of text at most.

    A column that is gone is no change.
    """
    long = "长" * 3000
    told = compared(
        returned(
            verdict="属实", reason=f" {long} ", checker="Ａ", checked_on="2020-01-05 00:00:00", name="甲1", id_shown="x"
        )
    )
    assert told.problems["problem"].to_list() == ["misplaced"]
    assert told.altered.height == 0
    told = compared(
        returned(verdict="属实", reason=f" {long} ", checker="Ａ", checked_on="2020-01-05 00:00:00", household_id="H2")
    )
    row = told.answers.row(0, named=True)
    assert (len(row["reason"]), row["checker"], row["checked_on"]) == (2000, "Ａ", "2020-01-05")
    own = [
        compared(returned(verdict="属实", reason=f"看过{mark}情况属实")).answers.row(0, named=True) for mark in "，,"
    ]
    assert [answer["reason"] for answer in own] == ["看过，情况属实", "看过,情况属实"]
    assert own[0]["once"] == own[1]["once"]  # one answer, however wide its comma
    assert told.altered.select("header", "sent", "came_back").rows() == [("户编号", "H1", "H2")]
    assert compared(returned(verdict="属实", household_id=None)).altered.height == 0


# --- which cases are asked for ----------------------------------------------------------------------------------------


def test_a_name_that_no_case_has_is_answered_with_the_nearest(tmp_path):
    """An empty list would be read as good news: what is asked for must be there, within what was asked beside it."""
    with open_ledger(tmp_path, make=True) as ledger:
        places = [("青禾县", "平川镇", "柳树村"), ("青禾县", "平川区", None), ("白石县", "白石镇", "东沟村")]
        rows = [{"case_id": f"C{n}", "rule_id": "R", "severity": "lead", "department": "公安", "title": "t", "county": c,
                 "township": t, "village": v, "household": "h"} for n, (c, t, v) in enumerate(places)]  # fmt: skip
        ledger.add_cases(pl.DataFrame(rows))
        assert chosen(ledger, {"county": "青禾县", "village": "柳树村", "rule_id": None}) == (
            ["county = ?", "village = ?"],
            ["青禾县", "柳树村"],
        )
        with pytest.raises(UsageError, match="no case has the township 平川镇乡") as near:
            chosen(ledger, {"township": "平川镇乡"})
        assert near.value.try_ == "did you mean: 平川镇"  # the nearest alone
        with pytest.raises(UsageError, match="no case in 白石县 has the village 柳树村") as other:
            chosen(ledger, {"county": "白石县", "village": "柳树村"})
        assert other.value.try_ == "one of: 东沟村"
        with pytest.raises(UsageError, match="has the rule CMP"):
            chosen(ledger, {"rule_id": "CMP"})
        with pytest.raises(UsageError, match="has the batch 3") as none:
            chosen(ledger, {"sent_batch": 3})
        assert "fupin cases stats" in none.value.try_
