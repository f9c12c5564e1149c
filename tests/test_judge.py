"""What the shipped rules say of small drawn worlds; what must hold in any world."""

import re
import sys
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from conftest import examples
from fupin_cli.judged import judge_in_parts
from fupin_cli.report.masking import mask_sentence
from fupin_cli.rules import Line, Lines, applies_to, inquire, standards
from fupin_cli.rules.findings import readable
from fupin_cli.rules.pack import Citation, Provenance
from fupin_cli.vocabulary import FINDINGS, OUTCOMES
from rules_world import AS_OF, World, called, shipped, usual

GONE = {"id_number": None, "id_status": "missing"}
GOOD_HOME = {
    "exit_status": "已脱贫", "exit_year": 2016, "income_per_head_yuan": 4000.0, "house_grade": "A", "dilapidated": False,
    "safe_water": True, "food_ok": True, "clothing_ok": True,
}  # fmt: skip
GOOD_PERSON = {"resident_medical": True, "employee_medical": False, "critical_illness_ins": True}
PUPIL = {"id_birth_on": date(2009, 8, 31), "birth_on": date(2009, 8, 31)}  # ten on 1 September 2019


# --- criteria: the register alone ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("home", "rule", "outcome"),
    [
        ({}, "NAT-H-0", "met"),
        ({"income_per_head_yuan": 2952.0}, "NAT-H-1", "not_met"),
        ({"income_per_head_yuan": 2952.01}, "NAT-H-1", "met"),
        ({"income_per_head_yuan": None}, "NAT-H-1", "unknown"),
        ({"exit_year": 2017}, "NAT-H-1", "unknown"),  # no verified line of that year
        ({"exit_year": 2019, "income_per_head_yuan": 3218.0}, "NAT-H-1", "not_met"),
        ({"exit_year": None}, "NAT-H-1", "unknown"),  # exited, and nobody says when
        ({"exit_year": None, "exit_status": "未脱贫"}, "NAT-H-1", "met"),  # this year's line
        ({"exit_year": 2021}, "NAT-H-1", "not_applicable"),  # the standard ended with 2020
        ({"food_ok": False}, "NAT-H-2", "not_met"),
        ({"food_ok": None}, "NAT-H-2", "unknown"),
        ({"clothing_ok": False}, "NAT-H-3", "not_met"),
        ({"clothing_ok": None}, "NAT-H-3", "unknown"),
        (
            {"house_grade": "C"},
            "NAT-H-6",
            "unknown",
        ),  # nobody's year of renovation is given: the register has no such column
        ({"house_grade": "D", "renovation_year": 2018}, "NAT-H-6", "met"),
        ({"house_grade": None, "dilapidated": True}, "NAT-H-6", "not_met"),
        ({"house_grade": None, "dilapidated": None}, "NAT-H-6", "unknown"),
        ({"safe_water": False}, "NAT-H-7", "not_met"),
        ({"safe_water": None}, "NAT-H-7", "unknown"),
        ({"safe_water": None}, "NAT-H-0", "unknown"),
        ({"safe_water": None, "food_ok": False}, "NAT-H-0", "not_met"),
    ],
)
def test_household_criteria(home, rule, outcome):
    """One household that meets everything, but for what is named."""
    world = World()
    world.person(**GOOD_PERSON)
    world.home(**GOOD_HOME | home)
    assert world.outcome(rule) == [outcome]


@pytest.mark.parametrize(
    ("members", "rule", "outcome"),
    [
        ([{}, {}], "NAT-H-5", "met"),
        ([{}, {"resident_medical": False}], "NAT-H-5", "not_met"),
        ([{}, {"resident_medical": None}], "NAT-H-5", "unknown"),
        ([{"resident_medical": False}, {"resident_medical": None}], "NAT-H-5", "not_met"),
        ([{"resident_medical": False, "employee_medical": True}], "NAT-H-5", "met"),
        ([{"critical_illness_ins": False}], "NAT-H-5", "not_met"),
        ([{}, {}], "NAT-H-4", "not_applicable"),
        ([{}, PUPIL | {"student_status": "小学"}], "NAT-H-4", "met"),
        (
            [PUPIL | {"student_status": "非在校生", "home_teaching": False, "education_exempt": False}],
            "NAT-H-4",
            "not_met",
        ),
        ([PUPIL | {"student_status": "非在校生", "home_teaching": False, "education_exempt": True}], "NAT-H-4", "met"),
        ([PUPIL | {"student_status": "非在校生"}], "NAT-H-4", "unknown"),
        ([PUPIL], "NAT-H-4", "unknown"),
        ([{"id_birth_on": None, "birth_on": None}], "NAT-H-4", "unknown"),
    ],
)
def test_person_criteria_of_a_household(members, rule, outcome):
    """All members to whom a standard applies must meet it."""
    world = World()
    for member in members:
        world.person(**GOOD_PERSON | member)
    assert world.outcome(rule) == [outcome]


@pytest.mark.parametrize(("born", "age"), [(date(2013, 9, 1), 6), (date(2013, 9, 2), 5), (date(2003, 9, 1), 16)])
def test_age_at_school_start(born, age):
    """Whole years on 1 September of the school year that holds the as-of date."""
    world = World()
    world.person(id_birth_on=born)
    facts = world.judge().facts.persons
    assert facts["age_at_school_start"].to_list() == [age]
    assert world.judge(as_of=date(2020, 8, 31)).facts.persons["age_at_school_start"].to_list() == [age]
    assert world.judge(as_of=date(2020, 9, 1)).facts.persons["age_at_school_start"].to_list() == [age + 1]


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (date(2000, 11, 29), 19), (date(2000, 11, 30), 19), (date(2000, 12, 1), 18), (date(2000, 10, 31), 19), (date(2001, 1, 1), 18),
        (date(2000, 2, 29), 19), (None, None),
    ],
)  # fmt: skip
def test_age_in_completed_years(born, age):
    """On the as-of date, 30 November 2019: the month goes before the day of the month."""
    world = World()
    world.person(id_birth_on=born, birth_on=None)
    assert world.judge().facts.persons["age"].to_list() == [age]


def lines(*rows: tuple[str, float]) -> Lines:
    citation = Citation("文件", Provenance.VERIFIED)
    return Lines(
        tuple(Line("income", "00", 2017, s, "net_income", yuan, citation, "", enabled=True) for s, yuan in rows)
    )


def test_the_line_is_printed_and_a_rival_series_is_told():
    """The reason names the line used; where another series gives another answer it says line-dependent."""
    world = World()
    world.person(**GOOD_PERSON)
    world.home(**GOOD_HOME | {"exit_year": 2017, "income_per_head_yuan": 3000.0})
    both = lines(("nbs", 2952), ("working", 3335))
    for series, outcome in (("nbs", "met"), ("working", "not_met")):
        judged = world.judge("NAT-H-1", lines=both, series=series)
        row = judged.outcomes.row(0, named=True)
        assert row["outcome"] == outcome
        assert "2952" in row["reason"]
        assert "3335" in row["reason"]
        assert "line-dependent" in row["reason"]
        assert judged.reports[0].line_dependent == 1
        assert [(used.year, used.yuan) for used in judged.lines] == [(2017, 2952 if series == "nbs" else 3335)]
    agreed = world.judge("NAT-H-1", lines=lines(("nbs", 2952), ("working", 2990))).outcomes["reason"].item()
    assert "line-dependent" not in agreed
    missing = world.judge("NAT-H-1").outcomes.row(0, named=True)
    assert missing["missing"] == ["line_yuan"]
    assert "2017年" in missing["reason"]
    assert "nbs" in missing["reason"]


# --- comparison: something is there -------------------------------------------------------------------------------------

PRESENCE = {
    "CMP-PS1": ("deaths", {"death_on": date(2019, 3, 1)}, {"death_on": date(2020, 3, 1)}),
    "CMP-PS2": ("household_registration", {"hukou_status": "迁出"}, {"hukou_status": "正常"}),
    "CMP-VH1": ("vehicles", {"vehicle_type": "小型轿车"}, {"vehicle_type": "残疾人机动轮椅车"}),
    "CMP-RE1": (
        "real_estate",
        {"use": "成套住宅", "obtain_mode": "购买商品房"},
        {"use": "住宅", "obtain_mode": "易地扶贫搬迁"},
    ),
    "CMP-IC1": (
        "companies",
        {"role": "法定代表人", "company_status": "存续"},
        {"role": "合作社成员", "company_status": "存续"},
    ),
    "CMP-CZ1": ("payroll", {"post_kind": "在编在职"}, {"post_kind": "公益性岗位"}),
    "CMP-MZ2": ("dibao", {"covered": True}, {"covered": False}),
    "CMP-CL2": ("disability", {"cert_status": "有效"}, {"cert_status": "注销"}),
}
DECLARED = {"dibao": False, "health": "健康"}  # what MZ2 and CL2 ask of the register


@pytest.mark.parametrize("rule", PRESENCE)
@pytest.mark.parametrize(
    ("row", "decision", "person", "outcome", "band"),
    [
        ("bad", "accepted", {}, "hit", "accepted"),
        ("bad", "review", {}, "unknown", "review"),
        ("fine", "accepted", {}, "clear", None),
        ("fine", "review", {}, "clear", None),
        ("none", "", {}, "clear", None),
        ("none", "", GONE, "unknown", None),  # nobody can look for a person without number: no clue
        ("bad", "accepted", GONE, "hit", "accepted"),
        ("fine", "accepted", GONE, "clear", None),  # found all the same
    ],
)
def test_presence(rule, row, decision, person, outcome, band):
    """A linked row that satisfies the condition is a hit; under review it is unknown, and a clue of the lower band."""
    kind, bad, fine = PRESENCE[rule]
    world = World()
    who = world.person(**DECLARED | person)
    world.extract(kind)
    if row != "none":
        world.row(kind, who, decision, **(bad if row == "bad" else fine))
    assert world.outcome(rule) == [outcome]
    assert world.found(rule) == ([(who, band)] if band else [])


@pytest.mark.parametrize(
    ("values", "hit"),
    [
        ({"vehicle_type": "普通二轮摩托车"}, False),
        ({"vehicle_type": "小型客车", "vehicle_status": "已报废"}, False),
        ({"vehicle_type": None, "vehicle_status": None}, True),
    ],
)
def test_an_exception_must_be_stated(values, hit):
    """A blank cell excuses nothing: the department must say that the car is scrapped."""
    world = World()
    world.row("vehicles", world.person(), **values)
    assert world.outcome("CMP-VH1") == ["hit" if hit else "clear"]


def test_a_household_level_comparison():
    """An appraisal of any member's house speaks for the household, unless it was renovated afterwards."""
    drawn = {
        "H1": (date(2018, 1, 1), None, {"house_grade": "A"}, "hit"),
        "H2": (date(2018, 1, 1), date(2018, 9, 1), {"house_grade": "A"}, "clear"),
        "H3": (date(2018, 1, 1), date(2017, 9, 1), {"house_grade": "A"}, "hit"),
        "H4": (date(2018, 1, 1), None, {"house_grade": "C"}, "unknown"),
        "H5": (date(2018, 1, 1), None, {"house_grade": "C", "dilapidated": True}, "clear"),
        "H6": (date(2018, 1, 1), None, {"dilapidated": False}, "hit"),
    }
    world = World()
    for home, (appraised, renovated, values, _) in drawn.items():
        world.person(home)
        member = world.person(home)
        world.home(home, **values)
        world.row("housing_appraisals", member, house_grade="D", appraised_on=appraised, renovated_on=renovated)
    assert world.outcome("CMP-RE2") == [outcome for *_, outcome in drawn.values()]
    found = world.judge("CMP-RE2").findings
    assert found["household_id"].to_list() == ["H1", "H3", "H6"]
    assert found["extract_at"].to_list() == [2, 4, 7]
    assert "D" in found["department_value"][0]


# --- comparison: something is missing -----------------------------------------------------------------------------------

ABSENCE = {
    "CMP-MZ1": ("dibao", {"dibao": True}, {"covered": True}),
    "CMP-CL1": ("disability", {"health": "长期慢性病,残疾"}, {"cert_status": "有效"}),
    "CMP-ED1": ("school_roll", PUPIL, {"attendance": "在读"}),
    "CMP-YB1": ("medical_insurance", {"resident_medical": True}, {"insured_status": "正常参保"}),
}


@pytest.mark.parametrize("rule", ABSENCE)
@pytest.mark.parametrize(
    ("row", "extract", "person", "outcome", "band"),
    [
        (None, {}, {}, "hit", "accepted"),
        (None, {"coverage": ["青禾县"]}, {}, "hit", "accepted"),
        (None, {"coverage": ["白石县"]}, {}, "unknown", None),
        (None, {"coverage": []}, {}, "hit", "accepted"),
        (None, {"coverage": ["青禾县"]}, {"county": None, "county_key": None}, "unknown", None),
        (None, {}, GONE, "unknown", "review"),
        ("accepted", {}, {}, "clear", None),
        ("review", {}, {}, "unknown", None),
        ("accepted", {}, GONE, "clear", None),
    ],
)
def test_absence(rule, row, extract, person, outcome, band):
    """Not being on a list is a hit only where the list reaches, and only for somebody who could be found on it."""
    kind, declared, good = ABSENCE[rule]
    world = World()
    who = world.person(**declared | person)
    world.extract(kind, **extract)
    if row:
        world.row(kind, who, row, **good)
    assert world.outcome(rule) == [outcome]
    assert world.found(rule) == ([(who, band)] if band else [])


@pytest.mark.parametrize(
    ("here", "elsewhere", "outcome", "found"),
    [
        ("review", None, "unknown", []),  # the number is on the list, under another spelling: no clue
        ("rejected", None, "unknown", ["review"]),  # the number is somebody else's: nobody can say
        (None, "rejected", "unknown", ["review"]),
        (None, "review", "unknown", ["review"]),
        ("rejected", "accepted", "hit", ["accepted"]),  # another department confirms the number
        (None, "accepted", "hit", ["accepted"]),
    ],
)
def test_a_number_under_another_name(here, elsewhere, outcome, found):
    """A number that is also somebody else's proves no absence, unless another department confirms it."""
    world = World()
    who = world.person(dibao=True)
    world.extract("dibao")
    for kind, decision in (("dibao", here), ("vehicles", elsewhere)):
        if decision:
            world.link(who, f"{kind}-1", world.row(kind), decision, "exact_id")
    assert world.outcome("CMP-MZ1") == [outcome]
    assert [band for _, band in world.found("CMP-MZ1")] == found


@pytest.mark.parametrize(
    ("person", "row", "basis", "doubt"),
    [
        (GONE, None, "", "待核：证件号码不可用，是否同一人无法确认"),
        ({}, ("vehicles", "review"), "", "待核：是否同一人尚未确认"),  # the number may be somebody else's
        ({}, ("deaths", "review"), "匹配依据：证件号码一致", "待核：是否同一人尚未确认"),
    ],
)
def test_a_doubt_does_not_contradict_its_basis(person, row, basis, doubt):
    """A number that agrees is not called unusable; where there is none, that is said."""
    world = World()
    who = world.person(dibao=True, **person)
    world.extract("dibao")
    if row:
        kind, decision = row
        world.link(who, f"{kind}-1", world.row(kind), decision, "exact_id")
    rule = "CMP-PS1" if row and row[0] == "deaths" else "CMP-MZ1"
    (evidence,) = world.judge(rule).findings["evidence"]
    assert basis in evidence
    assert doubt in evidence
    assert "不可用" not in evidence or not basis


def test_an_excused_pupil():
    """Taught at home or exempt: no clue; no extract at all: not run."""
    world = World()
    world.person("H1", **PUPIL, home_teaching=True)
    world.person("H2", **PUPIL, education_exempt=True)
    world.person("H3", **PUPIL, home_teaching=False)
    world.extract("school_roll")
    assert world.outcome("CMP-ED1") == ["clear", "clear", "hit"]


# --- the register itself ------------------------------------------------------------------------------------------------


def test_duplicates():
    """The same person in two households of one county, or in two counties; links may come one way round only."""
    world = World()
    a, b, c = world.person("H1"), world.person("H2"), world.person("H3", county="白石县", county_key="白石")
    world.link(a, "register", b)
    world.link(b, "register", c, "review", "name_birth")
    assert world.outcome("CMP-DUP1") == ["hit", "hit", "clear"]
    assert world.outcome("CMP-DUP2") == ["clear", "unknown", "unknown"]
    assert world.found("CMP-DUP1") == [(a, "accepted"), (b, "accepted")]
    assert world.found("CMP-DUP2") == [(b, "review"), (c, "review")]
    assert "H2" in world.judge("CMP-DUP1").findings["department_value"][0]


def test_one_number_on_two_names():
    """The same number is a fact, so a link under review is enough; it is not told a second time as a duplicate."""
    world = World()
    a, b = world.person("H1", id_number="X", name_key="张三"), world.person("H2", id_number="X", name_key="李四")
    world.link(a, "register", b, "review")
    assert world.found("CMP-ID4") == [(a, "accepted"), (b, "accepted")]
    assert world.found("CMP-DUP1") == []


@pytest.mark.parametrize(
    ("rule", "person", "outcome"),
    [
        ("CMP-ID1", {"sex": "女"}, "hit"),
        ("CMP-ID1", {"sex": None}, "unknown"),
        ("CMP-ID2", {"birth_on": date(1981, 1, 5)}, "hit"),
        ("CMP-ID2", {"id_birth_on": None}, "unknown"),
        ("CMP-ID3", {"id_status": "truncated"}, "hit"),
        ("CMP-ID3", {"id_status": "from_15"}, "clear"),
        ("CMP-MZ3", {"dibao": True, "tekun": True}, "hit"),
        ("CMP-MZ3", {"dibao": True}, "unknown"),
        ("CMP-MZ3", {"dibao": False}, "clear"),
    ],
)
def test_register_checks(rule, person, outcome):
    """What the register says against itself."""
    world = World()
    world.person(**person)
    assert world.outcome(rule) == [outcome]


@pytest.mark.parametrize(
    ("person", "row", "outcome"),
    [
        ({"name_key": "张三"}, {"name_key": "张三"}, "clear"),
        ({"name_key": "张三"}, {"name_key": "张山"}, "hit"),
        ({"name_key": "张三"}, {"name_key": "张山", "former_name_key": "张三"}, "clear"),
        ({"name_key": "张三", "former_name_key": "张山"}, {"name_key": "张山"}, "clear"),
        ({"name_key": "张三"}, {"name_key": "张山", "id_number": "other"}, "clear"),
    ],
)
def test_name_under_the_same_number(person, row, outcome):
    """Another name under the same number is a fact, whatever linkage made of the pair; former names are excepted."""
    for decision in ("accepted", "review", "rejected"):
        world = World()
        who = world.person(id_number="X", **person)
        world.link(
            who, "household_registration-1", world.row("household_registration", **{"id_number": "X"} | row), decision
        )
        world.row("vehicles", who)  # another department confirms the number
        assert world.outcome("CMP-NM1") == [outcome]


def test_exited_below_the_standard():
    """A household that exited and does not meet the standard is a clue, with the criteria that failed."""
    world = World()
    for home, values in {
        "H1": {"safe_water": False},
        "H2": {},
        "H3": {"safe_water": None},
        "H4": {"exit_status": "未脱贫"},
    }.items():
        world.person(home, **GOOD_PERSON)
        world.home(home, **GOOD_HOME | values)
    assert world.outcome("CMP-EX1") == ["hit", "clear", "unknown", "not_applicable"]
    (evidence,) = world.judge(labels=called()).findings.filter(pl.col("rule_id") == "CMP-EX1")["evidence"]
    assert "未达到：解决安全饮用水 否" in evidence
    assert "建议复核" in evidence


FAILING = [
    # home | person | lines of what is not met; nothing of what is fine, no citation
    ({"income_per_head_yuan": 2000.0}, {}, ["人均纯收入 2000元 ＜ 2016年标准线 2952元"]),
    ({"income_per_head_yuan": 2952.0}, {}, ["人均纯收入 2952元 ＝ 2016年标准线 2952元"]),
    ({"house_grade": "D", "dilapidated": True}, {}, ["住房安全有保障：危房等级 D，危房户 是"]),
    ({"safe_water": False, "food_ok": False}, {}, ["不愁吃 否", "解决安全饮用水 否"]),
    ({"safe_water": False, "food_ok": None}, {}, ["解决安全饮用水 否", "无法判断：不愁吃"]),
    (
        {"safe_water": False, "food_ok": None, "clothing_ok": None, "income_per_head_yuan": None},
        {},
        ["解决安全饮用水 否", "无法判断：年人均纯收入超过标准等3项"],
    ),
    (
        {},
        {"resident_medical": False, "employee_medical": False, "critical_illness_ins": None},
        ["基本医疗有保障（姓名：张三，参加城乡居民基本医疗保险 否，参加城镇职工基本医疗保险 否）"],
    ),
]


@pytest.mark.parametrize(("home", "person", "lines"), FAILING)
def test_what_failed_is_said_in_short_lines(home, person, lines):
    """A drawn table: each criterion on a line of its own, those that nobody could answer in one."""
    world = World()
    world.person(**GOOD_PERSON | {"name": "张三"} | person)
    world.home(**GOOD_HOME | {"exit_year": 2016} | home)
    (told,) = world.judge(labels=called()).findings.filter(pl.col("rule_id") == "CMP-EX1")["register_value"]
    assert told.split("；") == ["未达到：" + lines[0], *lines[1:], "脱贫年度：2016"]


def test_a_ground_of_two_criteria_is_said_once():
    """Guizhou's seven cases ask of income and water again: no double negative, and nothing twice."""
    world = World()
    world.person(**GOOD_PERSON)
    world.home(**GOOD_HOME | {"exit_year": 2019, "income_per_head_yuan": 3000.0, "safe_water": False})
    verdicts = ("GZ-T1", "GZ-T2", "GZ-T-0", "GZ-H-0")
    judged = world.judge(*(f"NAT-H-{n}" for n in range(8)), *verdicts, "CMP-EX1", jurisdiction="52", labels=called())
    (told,) = judged.findings.filter(pl.col("rule_id") == "CMP-EX1")["register_value"]
    assert told == "未达到：人均纯收入 3000元 ＜ 2019年标准线 3218元；解决安全饮用水 否；脱贫年度：2019"


def test_exits_of_a_year_without_a_line_are_counted():
    """Nobody judged their income; the report of the rule says of which year, and how many."""
    world = World()
    for home, year in (("H1", 2016), ("H2", 2017), ("H3", 2018), ("H4", 2018)):
        world.person(home, **GOOD_PERSON)
        world.home(home, **GOOD_HOME | {"exit_year": year})
    reports = {report.rule_id: report for report in world.judge().reports}
    assert reports["NAT-H-1"].years_without_line == ((2017, 1), (2018, 2))
    assert reports["NAT-H-7"].years_without_line == ()


SHAANXI = (*(f"NAT-H-{n}" for n in range(8)), "SN-H1", "SN-H4", "SN-H-0", "CMP-EX1")
INSURED = {"resident_medical": True, "critical_illness_ins": True}


@pytest.mark.parametrize(
    ("home", "person", "outcome", "said"),
    [
        # the nation's standard | the province's, from 2017 on, whose income line nobody has found
        ({"exit_year": 2016}, {}, "clear", ""),
        ({"exit_year": 2018}, INSURED, "unknown", ""),
        ({"exit_year": 2018}, INSURED | {"critical_illness_ins": False}, "hit", "全员参加新农合和大病保险"),
        ({"exit_year": 2019, "income_per_head_yuan": 2000.0}, INSURED, "hit", "人均纯收入 2000元 ＜ 2019年标准线"),
        ({"exit_year": 2018, "safe_water": False}, INSURED, "hit", "解决安全饮用水 否"),
        ({"exit_year": 2016, "safe_water": False}, {}, "hit", "解决安全饮用水 否"),
    ],
)
def test_a_provinces_standard_stands_beside_the_nations(home, person, outcome, said):
    """Who exited must meet both, where both were in force; the clue names what is missed under either."""
    world = World()
    world.person(**GOOD_PERSON | person)
    world.home(**GOOD_HOME | home)
    judged = world.judge(*SHAANXI, jurisdiction="610124", labels=called())
    assert judged.outcomes.filter(pl.col("rule_id") == "CMP-EX1")["outcome"].to_list() == [outcome]
    found = judged.findings.filter(pl.col("rule_id") == "CMP-EX1")["evidence"].to_list()
    assert [said in evidence for evidence in found] == [True] * (outcome == "hit")


@pytest.mark.parametrize(
    ("entered", "extract", "stages", "outcome"),
    [
        (date(2019, 11, 10), {"as_of": date(2019, 10, 31)}, ("county",), "clear"),
        (date(2019, 10, 31), {"as_of": date(2019, 10, 31)}, ("county",), "clear"),
        (date(2019, 10, 10), {"as_of": date(2019, 10, 31)}, ("county",), "hit"),
        (date(2019, 11, 10), {"as_of": date(2019, 10, 31), "coverage": ["白石县"]}, ("county", "province"), "hit"),
        (date(2019, 11, 10), {"as_of": date(2019, 10, 31), "coverage": ["白石县"]}, ("county",), "unknown"),
        (date(2019, 11, 10), {"as_of": date(2019, 10, 31), "stage": "province"}, ("county", "province"), "unknown"),
        (date(2014, 11, 10), {"as_of": date(2019, 10, 31)}, ("county",), "not_applicable"),
        (None, {"as_of": date(2019, 10, 31)}, ("county",), "unknown"),
    ],
)
def test_the_county_compares_before_entry(entered, extract, stages, outcome):
    """Two rounds bracket the entry: the county before it, the province after it."""
    world = World()
    world.person(entered_on=entered)
    world.extract("vehicles", **extract)
    assert world.outcome("CMP-ST1", stages=stages) == [outcome]


# --- from the list's side -----------------------------------------------------------------------------------------------


def test_on_the_list_and_not_registered():
    """One finding per person on the list, not per row; without number it is the lower band, under review it is none."""
    world = World()
    who = world.person()
    world.row("dibao", who, covered=True)
    world.row("dibao", id_number="A", name="甲", covered=True)
    world.row("dibao", id_number="A", name="甲", covered=True)
    world.row("tekun", id_number="A", name="甲")
    world.row("dibao", who, "review", id_number="B", name="乙", covered=True)
    world.row("dibao", id_number=None, name="丙", name_key="丙", covered=True)
    # the register does not hold that county
    world.row("dibao", id_number="C", name="丁", county="白石县", county_key="白石", covered=True)
    world.row("dibao", id_number="D", name="戊", covered=False)
    for name, decision in (("己", "review"), ("庚", "rejected")):  # the register has the number under another name
        world.link(who, "dibao-1", world.row("dibao", id_number=name, name=name, covered=True), decision)
    judged = world.judge("CMP-UR1")
    found = judged.findings.sort("name").select("name", "band", "household_id")
    assert sorted(found.rows()) == [(name, "review", None) for name in "丙庚"] + [("甲", "accepted", None)]
    assert "另有2条" in judged.findings.filter(pl.col("name") == "甲")["evidence"].item()
    (report,) = judged.reports
    assert (report.examined, report.hits, report.clears, report.unknowns, report.not_applicable) == (8, 1, 1, 4, 2)
    assert judged.outcomes.height == 0


def test_only_the_severe_are_asked():
    """Levels one and two, certificate in force; a blank status beside others excuses and accuses nobody."""
    world = World()
    world.person()
    for level, status in (("一级", "有效"), ("二级", None), ("三级", "有效"), ("一级", "注销")):
        world.row("disability", disability_level=level, cert_status=status)
    assert len(world.found("CMP-UR2")) == 1
    (report,) = world.judge("CMP-UR2").reports
    assert (report.hits, report.unknowns, report.not_applicable) == (1, 1, 2)


# --- places, lists that cannot be searched, labels ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coverage", "county", "outcome"),
    [
        (["青禾"], ("青禾县", "青禾"), "hit"),
        (["青禾县"], ("青禾", "青禾"), "hit"),
        ([" 青禾县"], ("青禾县", "青禾"), "hit"),
        (["白石"], ("青禾县", "青禾"), "unknown"),
        (["青禾"], (None, None), "unknown"),
    ],
)
def test_a_county_is_one_however_it_is_spelled(coverage, county, outcome):
    """青禾 covers 青禾县; the finding names the list, and whoever has no county is nowhere for sure."""
    world = World()
    world.person(dibao=True, county=county[0], county_key=county[1])
    world.extract("dibao", coverage=coverage)
    assert world.outcome("CMP-MZ1") == [outcome]
    assert world.judge("CMP-MZ1").findings["extract"].to_list() == (["dibao-1"] if outcome == "hit" else [])


@pytest.mark.parametrize(("county", "coverage"), [("青禾县", "青禾"), ("青禾", "青禾县")])
def test_the_county_comparison_knows_a_county_by_its_key(county, coverage):
    """The county compared before the entry, however it spells itself; without a county nobody knows."""
    world = World()
    world.person("H1", entered_on=date(2019, 11, 10), county=county)
    world.person("H2", entered_on=date(2019, 11, 10), county=None, county_key=None)
    world.extract("dibao", coverage=[coverage], as_of=date(2019, 10, 31))
    assert world.outcome("CMP-ST1") == ["clear", "unknown"]


def test_a_list_of_a_county_spelled_otherwise():
    """Rows without county go by their list's coverage; its spelling does not matter."""
    world = World()
    world.person()
    world.row("dibao", id_number="A", name="甲", county=None, county_key=None)
    world.extracts[0]["coverage"] = ["青禾"]
    assert len(world.found("CMP-UR1")) == 1


def test_duplicates_under_two_spellings_of_a_county():
    """青禾 and 青禾县 are one county: a duplicate of it, not of two."""
    world = World()
    a, b = world.person("H1"), world.person("H2", county="青禾")
    world.link(a, "register", b)
    assert len(world.found("CMP-DUP1")) == 2
    assert world.outcome("CMP-DUP2") == ["clear", "clear"]


@pytest.mark.parametrize("rule", ABSENCE)
def test_an_empty_list_is_no_list(rule):
    """A list without any row proves no absence, and the rule says so."""
    kind, declared, _ = ABSENCE[rule]
    world = World()
    world.person(**declared)
    world.extract(kind, empty=True)
    judged = world.judge(rule)
    assert judged.outcomes["outcome"].to_list() == ["unknown"]
    assert judged.findings.height == 0
    assert "没有数据行" in judged.reports[0].not_run


def test_a_list_without_numbers_cannot_be_searched():
    """Where no row has a usable number nobody can be shown to be absent; whoever was found is found all the same."""
    world = World()
    world.person("H1", dibao=True)
    world.row("dibao", id_number=None, name_key="别人")
    world.row("dibao", world.person("H2", dibao=True), id_number=None, covered=True)
    judged = world.judge("CMP-MZ1")
    assert world.outcome("CMP-MZ1") == ["unknown", "clear"]
    assert judged.findings.height == 0
    assert "没有可用的证件号码" in judged.outcomes["reason"][0]


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({}, "unknown"),
        ({"county": None, "county_key": None}, "unknown"),
        ({"county": "白石县", "county_key": "白石"}, "hit"),
        ({"name_key": "别人"}, "hit"),
        ({"id_number": "X"}, "hit"),
    ],
)
def test_a_namesake_without_number_may_be_the_person(row, outcome):
    """A row of the same name and county, whose number cannot be used: not absent, and no finding."""
    world = World()
    world.person(dibao=True, name_key="王小甲")
    world.extract("dibao")
    world.row("dibao", **{"id_number": None, "name_key": "王小甲"} | row)
    assert world.outcome("CMP-MZ1") == [outcome]
    assert len(world.found("CMP-MZ1")) == (outcome == "hit")


def test_a_list_of_heads_says_nothing_of_the_others():
    """Where one of each household was found on a list, a spouse is not absent from it; with two of one found, others are."""
    world = World()
    world.row("dibao", world.person("H1", dibao=True), covered=True)
    world.person("H1", dibao=True, relation="配偶")
    world.person("H2", dibao=True)
    assert world.outcome("CMP-MZ1") == ["unknown", "hit"]
    assert world.found("CMP-MZ1") == [(2, "accepted")]
    world.row("dibao", world.person("H3", dibao=True), covered=True)
    world.row("dibao", world.person("H3", dibao=True, relation="之子"), covered=True)
    assert world.found("CMP-MZ1") == [(1, "accepted"), (2, "accepted")]


def test_a_namesake_who_is_somebody_else_is_no_doubt():
    """A row without number that is linked to another person says nothing of this one."""
    world = World()
    world.person("H1", dibao=True, name_key="王小甲")
    world.extract("dibao")
    world.row("dibao", world.person("H2", name_key="王小甲"), id_number=None, name_key="王小甲")
    assert world.outcome("CMP-MZ1") == ["hit", "unknown"]


@pytest.mark.parametrize(
    ("status", "born", "outcome"),
    [
        *((status, 2009, "met") for status in ("小学", "七年级", "九年级", "初中二年级", "普通高中一年级", "高中", "中职二年级", "小学三年级")),
        *((status, 2009, "not_met") for status in ("非在校生", "失学", "辍学", "未上学", "辍学在家", "无", "学龄前儿童", "学前教育")),
        *((status, 2009, "unknown") for status in ("否", "-", "不详", "其他", "1", None)),
        ("学前教育", 2013, "met"),
    ],
)  # fmt: skip
def test_at_school_is_a_label_that_says_so(status, born, outcome):
    """Labels of a school are met, labels of none not met, and what nobody understands is unknown."""
    world = World()
    world.person(id_birth_on=date(born, 8, 1), student_status=status, home_teaching=False, education_exempt=False)
    assert world.outcome("NAT-H-4") == [outcome]


def test_a_house_not_renovated_and_a_column_not_there():
    """A blank year of renovation counts where other households' years are given in the same file."""
    world = World()
    for home, year in (("H1", None), ("H2", 2018)):
        world.person(home)
        world.home(home, house_grade="C", dilapidated=False, renovation_year=year)
    assert world.outcome("NAT-H-6") == ["not_met", "met"]
    world.home("H2", renovation_year=None)
    assert world.outcome("NAT-H-6") == ["unknown", "unknown"]


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([("D", date(2015, 5, 1)), ("A", date(2019, 5, 1))], "clear"),
        ([("A", date(2015, 5, 1)), ("D", date(2019, 5, 1))], "hit"),
        ([("D", None), ("A", date(2019, 5, 1))], "hit"),  # nobody says that it is older
        ([("D", date(2019, 5, 1)), ("A", date(2019, 5, 1))], "hit"),
    ],
)
def test_the_latest_appraisal_counts(rows, outcome):
    """A house appraised again and found safe is no evidence any more."""
    world = World()
    who = world.person()
    world.home(house_grade="A", dilapidated=False)
    for grade, on in rows:
        world.row("housing_appraisals", who, house_grade=grade, appraised_on=on)
    assert world.outcome("CMP-RE2") == [outcome]


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({"insured_status": "正常", "insured_year": 2019}, "clear"),
        ({"insured_status": "正常", "insured_year": None}, "clear"),
        ({"insured_status": "正常", "insured_year": 2012}, "hit"),
        *(({"insured_status": status}, "hit") for status in ("未缴费", "欠费", "停保", "暂停参保")),
    ],
)
def test_insured_this_year(row, outcome):
    """On the medical insurance list, paid, and for the year in which we stand."""
    world = World()
    world.row("medical_insurance", world.person(resident_medical=True), **row)
    world.row("medical_insurance", insured_year=2019)
    assert world.outcome("CMP-YB1") == [outcome]


@pytest.mark.parametrize(
    ("rule", "kind", "column", "good"),
    [("CMP-MZ2", "dibao", "covered", True), ("CMP-CL2", "disability", "cert_status", "有效")],
)
def test_a_label_that_is_not_understood(rule, kind, column, good):
    """A blank where the list fills the column is unknown; a list without the column means everybody who is on it."""
    world = World()
    for home in ("H1", "H2"):
        world.row(kind, world.person(home, **DECLARED))
    assert world.outcome(rule) == ["hit", "hit"]
    world.rows[kind][1][column] = good
    assert world.outcome(rule) == ["unknown", "hit"]
    assert world.found(rule) == [(1, "accepted")]


def test_registered_in_another_county():
    """Whoever the register holds under number and name, linked or not, is never said to be missing from it."""
    world = World()
    world.person("H1", id_number="A", name_key="甲", county="白石县", county_key="白石")
    world.person("H2", id_number="B", name_key="乙")
    world.row("dibao", id_number="A", name="甲", name_key="甲")
    world.row("dibao", id_number="B", name="丙", name_key="丙")
    judged = world.judge("CMP-UR1")
    (report,) = judged.reports
    assert (report.hits, report.clears, report.unknowns) == (0, 1, 1)
    assert judged.findings["band"].to_list() == ["review"]
    assert "台账中该证件号码登记为他人" in judged.findings["evidence"].item()
    assert "未找到" not in judged.findings["evidence"].item()


def test_listed_namesakes_stay_apart():
    """People without number are one only where nothing, place included, tells them apart, and never within one list."""
    world = World()
    world.person()
    for township, list_ in (("平川", "a"), ("白云", "a"), ("平川", "b"), (None, "a"), (None, "a")):
        world.row("dibao", id_number=None, name="张伟", name_key="张伟", township_key=township, extract=list_)
    judged = world.judge("CMP-UR1")
    assert judged.reports[0].examined == 4
    assert judged.findings["finding_key"].n_unique() == judged.findings.height == 4


def test_keys_do_not_lean_on_blanks():
    """无 is no person ID: two people under it keep their keys in any row order."""
    keys = []
    for names in ("甲乙", "乙甲"):
        world = World()
        for name in names:
            world.person(person_id="无", name=name, name_key=name, **GONE)
        found = world.judge("CMP-ID3").findings
        keys.append(dict(found.select("name", "finding_key").rows()))
    assert keys[0] == keys[1]
    assert len(set(keys[0].values())) == 2


def test_money_below_zero():
    """A loss is written as people write it."""
    frame = pl.DataFrame({"x_yuan": [-1234.5, -0.25, -3.0, 1234.5]})
    texts = frame.select(readable("x_yuan", pl.Float64())).to_series().to_list()
    assert texts == ["-1234.50元", "-0.25元", "-3元", "1234.50元"]


# --- not run ------------------------------------------------------------------------------------------------------------


def test_no_extract_is_not_run():
    """A rule without its extract is unknown where it applies, and its report says why."""
    world = World()
    world.person("H1", dibao=True)
    world.person("H2", dibao=False)
    judged = world.judge("CMP-MZ1", "CMP-MZ2", "CMP-VH1", "CMP-UR1")
    assert world.outcome("CMP-MZ1") == ["unknown", "not_applicable"]
    assert [report.not_run for report in judged.reports] == [
        "没有公安车辆数据",
        "没有民政低保数据",
        "没有民政低保数据",
        "没有民政低保、民政特困数据",
    ]
    assert judged.findings.height == 0


@pytest.mark.parametrize(
    ("dropped", "rule", "outcomes"),
    [
        ("safe_water", "NAT-H-7", ["unknown"]),
        ("dibao", "CMP-MZ2", ["unknown"]),
        ("exit_status", "CMP-EX1", ["unknown"]),
        ("sex", "CMP-ID1", ["unknown"]),
    ],
)
def test_an_absent_column_is_not_run(dropped, rule, outcomes):
    """A column that the register lacks stops the rule; it is never clear."""
    world = World(dropped=(dropped,))
    world.person(**GOOD_PERSON)
    world.home(**GOOD_HOME)
    world.extract("dibao")
    assert world.outcome(rule) == outcomes
    (report,) = [report for report in world.judge().reports if report.rule_id == rule]
    assert "没有" in report.not_run


def test_an_entry_date_may_be_absent():
    """Without 录入时间 the county comparison before entry is unknown, whatever the extracts cover."""
    world = World(dropped=("entered_on",))
    world.person("H1")
    world.person("H2")
    world.extract("vehicles")
    assert world.outcome("CMP-ST1") == ["unknown", "unknown"]


def test_an_optional_column_may_be_absent():
    """Without 职工医保 the rest still decides."""
    world = World(dropped=("employee_medical", "critical_illness_ins"))
    world.person("H1", resident_medical=True)
    world.person("H2", resident_medical=False)
    assert world.outcome("NAT-H-5") == ["met", "unknown"]


def test_an_empty_column_is_told():
    """A column that is there and empty from top to bottom decides nothing, and the report says so."""
    world = World()
    world.person()
    (report,) = world.judge("NAT-H-7").reports
    assert report.not_run
    assert report.unknowns == 1


def test_only_the_stages_that_were_run_count():
    """The province's extract does not exist yet in the county's round."""
    world = World()
    world.row("vehicles", world.person(), extract="sheng-cheliang")
    world.extracts[0]["stage"] = "province"
    assert world.outcome("CMP-VH1", stages=("county",)) == ["unknown"]
    assert world.outcome("CMP-VH1") == ["hit"]
    assert world.judge("CMP-VH1").findings["stage"].to_list() == ["province"]


def test_stale_extracts_prove_no_absence():
    """Beyond max_age_days a list shows neither who is on it nor who is not."""
    packs = tuple(
        replace(
            pack,
            facts=tuple(replace(f, max_age_days=30) for f in pack.facts),
            rules=tuple(r for r in pack.rules if r.id == "CMP-MZ1"),
        )
        for pack in usual()
    )
    world = World()
    world.person("H1", dibao=True)
    world.row("dibao", world.person("H2", dibao=True))
    world.extracts[0]["as_of"] = date(2019, 1, 1)
    assert world.outcome("CMP-MZ1", packs=packs) == ["unknown", "unknown"]
    world.person("H3", dibao=False)
    world.link(2, "dibao-1", world.row("dibao"))
    assert world.outcome("CMP-MZ2") == ["not_applicable", "not_applicable", "hit"]
    world.extracts[0]["as_of"] = date(2012, 1, 31)
    assert world.outcome("CMP-MZ1") == ["unknown", "unknown", "not_applicable"]
    assert world.outcome("CMP-MZ2") == ["not_applicable", "not_applicable", "unknown"]
    assert world.found("CMP-MZ1") == world.found("CMP-MZ2") == world.found("CMP-UR1") == []
    assert {r.not_run for r in world.judge("CMP-MZ1", "CMP-UR1").reports} == {"民政低保数据早于比对日期400天以上"}


# --- findings -----------------------------------------------------------------------------------------------------------


def test_a_finding_stands_on_two_legs():
    """Register value, department value, as-of date and match basis stand side by side, in words that people read."""
    world = World()
    who = world.person(dibao=True)
    world.home(exit_status="已脱贫")
    world.row("vehicles", who, vehicle_type="小型轿车", plate_no="溟A00001", first_registered_on=date(2017, 5, 8))
    world.row("vehicles", who, vehicle_type="小型客车")
    labels = {"vehicle_type": "车辆类型", "vehicles.plate_no": "号牌", "exit_status": "脱贫属性"}
    (row,) = world.judge("CMP-VH1", labels=labels).findings.to_dicts()
    assert row["register_value"] == "poverty_attr：未填；脱贫属性：已脱贫"
    assert row["department_value"] == "车辆类型：小型轿车；号牌：溟A00001；first_registered_on：2017-05-08"
    for words in ("2019-11-30", "证件号码一致", "另有1条", "疑点", "车辆类型：小型轿车"):
        assert words in row["evidence"]
    assert (row["extract"], row["extract_source"], row["extract_sheet"], row["extract_at"]) == (
        "vehicles-1",
        "vehicles-1.xlsx",
        "S",
        2,
    )
    assert (row["register_source"], row["register_at"], row["register_row"]) == ("台账.xlsx", 2, who)
    assert (row["as_of"], row["stage"], row["severity"], row["basis"]) == (AS_OF, "county", "lead", "exact_id")
    assert re.fullmatch("[0-9a-f]{16}", row["finding_key"])


def test_an_absence_names_the_list():
    """Where somebody is not on a list, the list, its department and its date are named."""
    world = World()
    world.person(dibao=True)
    world.extract("dibao", as_of=date(2019, 9, 30), coverage=["青禾县"])
    (row,) = world.judge("CMP-MZ1").findings.to_dicts()
    assert row["department_value"] == "民政低保名单中未找到"
    assert (row["extract"], row["as_of"], row["extract_at"]) == ("dibao-1", date(2019, 9, 30), None)


def test_keys_survive_another_row_order_and_round():
    """The key of a finding knows neither row numbers nor the extract."""
    world, later = World(), World()
    world.row("vehicles", world.person("H1", person_id="P", id_number="X"))
    later.person("H0")
    later.row("vehicles", later.person("H1", person_id="P", id_number="X"), extract="other")
    keys = [w.judge("CMP-VH1").findings["finding_key"].to_list() for w in (world, later)]
    assert keys[0] == keys[1]


# --- what must hold in any world ----------------------------------------------------------------------------------------


@st.composite
def worlds(draw) -> World:
    maybe = st.sampled_from([True, False, None])
    world = World()
    for _ in range(draw(st.integers(1, 6))):
        world.person(
            draw(st.sampled_from(["H1", "H2", "H3"])),
            dibao=draw(maybe), tekun=draw(maybe), resident_medical=draw(maybe), employee_medical=draw(maybe),
            health=draw(st.sampled_from(["健康", "残疾", None])), county=draw(st.sampled_from(["青禾县", "白石县", None])),
            county_key=None, student_status=draw(st.sampled_from(["小学", "非在校生", None])),
            **draw(st.sampled_from([{}, GONE, PUPIL])),
        )  # fmt: skip
    for home in list(world.homes):
        world.home(
            home,
            exit_status=draw(st.sampled_from(["已脱贫", "未脱贫", None])), exit_year=draw(st.sampled_from([2016, 2017, 2019, None])),
            income_per_head_yuan=draw(st.sampled_from([2000.0, 5000.0, None])), house_grade=draw(st.sampled_from(["A", "D", None])),
            safe_water=draw(maybe), food_ok=draw(maybe), clothing_ok=draw(maybe),
        )  # fmt: skip
    for kind in draw(
        st.lists(st.sampled_from(["dibao", "vehicles", "disability", "school_roll", "housing_appraisals"]), unique=True)
    ):
        world.extract(kind, coverage=draw(st.sampled_from([None, ["青禾县"]])))
        for _ in range(draw(st.integers(0, 3))):
            values = {"house_grade": "D"} if kind == "housing_appraisals" else {}
            of = draw(st.none() | st.integers(0, len(world.people) - 1))
            number = {"id_number": draw(st.sampled_from(["A", "B", None])), "name_key": "甲"}
            world.row(kind, of, draw(st.sampled_from(["accepted", "review", "rejected"])), **number | values)
    if len(world.people) > 1 and draw(st.booleans()):
        world.link(0, "register", 1, draw(st.sampled_from(["accepted", "review", "rejected"])))
    return world


@examples(4)
@given(worlds(), st.integers(0, 99))
def test_outcomes_partition_households_in_any_row_order(world, seed):
    """Every household has one outcome per rule, the report counts them all, and shuffled rows change nothing."""
    judged, shuffled = world.judge(), world.judge(shuffle=seed)
    homes = len(world.homes)
    for report in judged.reports:
        parts = report.hits + report.clears + report.unknowns + report.not_applicable
        assert parts == report.examined
        if not report.rule_id.startswith("CMP-UR"):
            assert report.examined == homes
            told = report.hits if report.brief else homes  # of brief rules only who must be looked at
            assert judged.outcomes.filter(pl.col("rule_id") == report.rule_id).n_unique("household_id") == told
    full = [r for r in judged.reports if not r.rule_id.startswith("CMP-UR")]
    assert judged.outcomes.height == sum(r.hits if r.brief else homes for r in full)
    assert judged.outcomes.filter((pl.col("outcome") == "unknown") & (pl.col("missing").list.len() == 0)).height == 0
    assert judged.outcomes.filter((pl.col("outcome") != "unknown") & (pl.col("missing").list.len() > 0)).height == 0
    assert_frame_equal(judged.outcomes, shuffled.outcomes)
    assert_frame_equal(judged.person_outcomes, shuffled.person_outcomes)
    assert_frame_equal(judged.findings, shuffled.findings)
    assert judged.reports == shuffled.reports


@examples(4)
@given(worlds())
def test_findings_follow_from_outcomes(world):
    """A sure finding is a person's or household's hit; a doubtful one is unknown there; keys are unique; the shape is declared."""
    judged = world.judge()
    found, outcomes = judged.findings, judged.outcomes
    assert found.schema == FINDINGS.schema
    assert outcomes.schema == OUTCOMES.schema
    assert found["finding_key"].n_unique() == found.height
    told = found.join(judged.person_outcomes, on=["register_row", "rule_id"], how="inner")
    assert set(told.filter(pl.col("band") == "accepted")["outcome"]) <= {"hit"}
    assert set(told.filter(pl.col("band") == "review")["outcome"]) <= {"unknown"}
    people_hit = judged.person_outcomes.filter(pl.col("outcome") == "hit")
    assert people_hit.height == told.filter(pl.col("band") == "accepted").height


def test_an_empty_register():
    """Nobody to judge: no outcome, no finding, every rule reported."""
    world = World()
    world.person()
    persons, households, evidence, links, extracts = world.frames()
    packs, lines_ = usual(), shipped()[1]
    judged = inquire(
        persons.clear(),
        households.clear(),
        evidence,
        links,
        extracts,
        packs,
        lines_,
        as_of=AS_OF,
        jurisdiction="990121",
        stages=("county",),
    ).judge()
    assert judged.outcomes.height == judged.findings.height == 0
    assert {report.rule_id for report in judged.reports} == {
        rule.id for pack in packs if applies_to(pack, "990121") for rule in pack.rules if rule.enabled
    }


def test_a_township_that_the_register_does_not_reach():
    """Its sheet was left out: whether anybody is missed there nobody can tell. A name or two stay clues; so does a merged place."""
    world = World()
    for n in range(3):
        world.person(f"H{n}", id_number=f"R{n}", name_key=f"人{n}", township="平川镇", township_key="平川")
    lists = {"云台": 6, "白云": 2, "平川": 2}
    for township, people in lists.items():
        for n in range(people):
            who = {"id_number": f"{township}{n}", "name": f"{township}{n}", "name_key": f"{township}{n}"}
            world.row("dibao", **who, township=f"{township}镇", township_key=township, covered=True)
    for n in range(6):  # three of these six are registered elsewhere: the township was merged
        who = {"id_number": f"R{n}" if n < 3 else f"S{n}", "name": f"人{n}", "name_key": f"人{n}"}
        world.row("dibao", **who, township="旧镇", township_key="旧", covered=True)
    judged = world.judge("CMP-UR1")
    found = judged.findings.group_by("township").len().sort("township").rows()
    assert found == [("平川镇", 2), ("旧镇", 3), ("白云镇", 2)]
    assert judged.uncovered.select("county", "township", "listed").rows() == [("青禾县", "云台镇", 6)]
    assert judged.reports[0].unknowns >= 6


# --- a county inside a province -----------------------------------------------------------------------------------------


def in_county(pack_id: str, **changes):
    """The shipped packs, one of them made the pack of 青禾县 alone."""
    return tuple(
        replace(pack, jurisdiction="990121", counties=("青禾",), opt_in=False, **changes)
        if pack.id == pack_id
        else pack
        for pack in shipped()[0]
        if not pack.opt_in or pack.id == pack_id
    )


def test_a_countys_pack_binds_its_county_in_a_provinces_round():
    """Its rules ask its own rows, not the next county's; who names no county is unknown; without `county` nobody is asked."""
    world = World()
    for n, county in enumerate(("青禾", "白石", None)):
        world.person(f"H{n}", county_key=county, **GOOD_PERSON)
        world.home(f"H{n}", first_identified_year=2017, **GOOD_HOME | {"exit_year": 2017})
    told = world.judge(jurisdiction="99", packs=in_county("shaanxi")).outcomes
    mine = told.filter(pl.col("rule_id") == "SN-H6").sort("household_id")
    assert mine["outcome"].to_list() == ["not_met", "not_applicable", "unknown"]
    verdict = told.filter(pl.col("rule_id") == "SN-H-0").sort("household_id")
    assert verdict["outcome"].to_list()[1:] == ["not_applicable", "unknown"]
    unnamed = tuple(replace(pack, counties=()) for pack in in_county("shaanxi"))
    assert not world.judge(jurisdiction="99", packs=unnamed).outcomes.filter(pl.col("rule_id") == "SN-H6").height


def test_a_countys_number_holds_in_its_own_rows():
    """The county's limit in its county, the province's or nation's everywhere else."""
    world = World()
    for n, county in enumerate(("青禾", "白石")):
        world.person(f"H{n}", county_key=county)
    (limit,) = (p for pack in shipped()[0] for p in pack.parameters if p.name == "warn_exited_yuan")
    lower = replace(limit, jurisdiction="990121", values=tuple(replace(v, value=100.0) for v in limit.values))
    packs = tuple(
        replace(pack, parameters=(*pack.parameters, lower)) if pack.id == "shaanxi" else pack
        for pack in in_county("shaanxi")
    )
    asking = tuple(replace(pack, opt_in=False) for pack in shipped()[0] if pack.id == "monitoring")
    facts = world.judge(jurisdiction="99", packs=(*packs, *asking), as_of=date(2022, 6, 30)).facts
    assert facts.persons["warn_exited_yuan"].to_list() == [100.0, 5000.0]


def test_the_narrowest_standard_that_applies_decides():
    """A province's verdict before the nation's, a county's before both; the weak one of Sichuan is no standard."""
    packs = usual()
    ids = {place: [rule.id for rule in standards(packs, place)] for place in ("61", "4501", "5101", "52", "62", "32")}
    assert ids == {
        "61": ["SN-H-0", "NAT-H-0"], "4501": ["GX-H-0", "NAT-H-0"], "5101": ["NAT-H-0"], "52": ["GZ-H-0", "NAT-H-0"],
        "62": ["GS-18-0", "NAT-H-0"], "32": ["NAT-H-0"],
    }  # fmt: skip
    assert [rule.id for rule in standards(in_county("shaanxi"), "99")] == ["SN-H-0", "NAT-H-0"]
    provided = World().inquire(jurisdiction="450121").provided
    asked = {name: [rule.id for rule in rules] for name, rules in provided.items()}
    assert asked == {"exit_standard": ["GX-H-0", "NAT-H-0"], "guangxi_standard": ["GX-H-0"]}


# --- a batch at a time --------------------------------------------------------------------------------------------------


def test_outcomes_come_in_batches_and_are_the_same(monkeypatch, tmp_path):
    """Two households at a time, or all at once: the same rows in the same order, and the same file again and again."""
    world = World()
    for n in range(7):
        for member in range(1 + n % 3):
            world.person(f"H{n}", **GOOD_PERSON | {"resident_medical": (n + member) % 2 == 0})
        world.home(f"H{n}", **GOOD_HOME | {"income_per_head_yuan": 2900.0 + 20 * n})
    packs = tuple(pack for pack in usual() if not pack.id.startswith("self-"))
    whole = world.judge(packs=packs)
    monkeypatch.setattr(sys.modules["fupin_cli.rules.judge"], "BATCH", 2)
    judged = world.judge(packs=packs, shuffle=7)
    assert len(list(judged.outcome_batches())) == 4
    assert_frame_equal(judged.outcomes, whole.outcomes)
    assert_frame_equal(judged.person_outcomes, whole.person_outcomes)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        judge_in_parts(world.inquire(packs=packs), tmp_path / name / "parts", 10, keep=True).write(tmp_path / name)
    assert (tmp_path / "a" / "outcomes.parquet").read_bytes() == (tmp_path / "b" / "outcomes.parquet").read_bytes()
    assert_frame_equal(pl.read_parquet(tmp_path / "a" / "outcomes.parquet"), whole.outcomes)
    told = {"households.parquet", "outcomes.parquet", "person_outcomes.parquet", "persons.parquet"}
    assert {path.name for path in (tmp_path / "a").iterdir()} == told
    decided = judged.outcomes_of(["NAT-H-0"])
    assert decided.rows() == [
        (*row[:3], None, None) for row in whole.outcomes.filter(pl.col("rule_id") == "NAT-H-0").rows()
    ]


def test_a_households_finding_is_about_whoever_has_its_row():
    """What is said of the household stands on the row of one member, who need not be the first of the sheet."""
    world = World()
    world.person(**GOOD_PERSON | {"name": "张三"})
    world.person(**GOOD_PERSON | {"name": "李四", "relation": "配偶"})
    world.home(**GOOD_HOME | {"safe_water": False, "row": 3})
    found = world.judge().findings.filter(pl.col("rule_id") == "CMP-EX1")
    assert found.select("name", "relation", "register_at").rows() == [("李四", "配偶", 3)]


def test_a_household_finding_names_the_members_behind_it():
    """Head and spouse of one sex: both stand in the finding, each with their row; somebody else does not."""
    world = World()
    world.person(relation="户主", sex="男", name="张三")
    world.person(relation="配偶", sex="男", name="李四")
    world.person(relation="之子", sex="男", name="张小")
    found = world.judge("REG-F03").findings.filter(pl.col("rule_id") == "REG-F03")
    assert found["register_value"].to_list() == [
        "姓名：张三（与户主关系：户主，性别：男，台账Sheet1第2行）；姓名：李四（与户主关系：配偶，性别：男，台账Sheet1第3行）"
    ]
    assert "李四（与户主关系：配偶" in found["evidence"].item()
    assert "李四" not in mask_sentence(found["evidence"].item())
