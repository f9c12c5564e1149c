"""Rules and facts in words: what `fupin rules show` says of each shape of fact, and of every rule that is shipped."""

from dataclasses import replace
from datetime import date

import pytest

from fupin_cli.report.rule_words import (
    described,
    facts_by_name,
    labeller,
    outcome_said,
    pack_line,
    rule_line,
    said,
    source_of,
)
from fupin_cli.rules import load_packs
from rules_world import KNOWN, shipped
from test_pack import GOOD, write_pack

FACT = '\n[[fact]]\nname = "f"\nzh = "甲"\nen = "f"\n'
CAR = 'extract = "vehicles"\n'
PAPER = 'extract = "household_documents"\neach = "dept_document"\n'
COLUMNS = {
    "use": "使用性质",
    "plate_no": "号牌",
    "salary_month_yuan": "月工资",
    "post_kind": "编制",
    "food_ok": "吃得饱",
    "clothing_ok": "穿得暖",
}
SOURCES = [  # what is written below a fact's names, in words
    (CAR + 'any = "TRUE"', "车辆：有一条"),
    (CAR + "count = \"dept_use = '营运'\"", "车辆：条数（使用性质 = “营运”）"),
    ('extract = "payroll"\nsum = "dept_salary_month_yuan"', "财政供养：月工资合计"),
    ('extract = "payroll"\nvalue = "dept_post_kind"', "财政供养：编制"),
    (CAR + 'any = "TRUE"\ncovers = "dept_plate_no IS NOT NULL"', "车辆：有一条；只用有 号牌 已填 的行的名单"),
    (PAPER + 'documents = ["照片", "协议"]', "须有：照片、协议"),
    (PAPER.replace("household_documents", "visits").replace("dept_document", "dept_household_id") + 'on = "dept_visited_on"\nevents = [{ event = "公示" }, { event = "公告", after_days = 7 }]', "须依次：公示 → 公告（隔7天）"),
    ('is = "food_ok AND clothing_ok"', "吃得饱 且 穿得暖"),
    ('add = ["income_wage_yuan", "income_per_head_yuan"]\nsubtract = [{ item = "renovation_year", when = "dibao" }]\nper = "member_count"', "（只在 "),
    ('add = ["income_wage_yuan"]\nsubtract = ["renovation_year"]\nper = "member_count"', "）÷ "),
    ('points = [{ zh = "甲", when = "food_ok", points = 1 }]\ndirection = "low_is_poor"', "1 项计分，分低为贫"),
    ('points = [{ zh = "甲", when = "food_ok", points = 1 }]\ndirection = "high_is_poor"', "1 项计分，分高为贫"),
    ('elapsed = ["entered_on", "as_of"]\nunit = "months"\nlevel = "person"', "至 比对日期 的月数"),
    ('first_of = ["income_per_head_yuan", "income_wage_yuan"]\nconflict = "f_differs"\non_conflict = "first"', " 优先于 "),
    ('members = "any"\nof = "dibao"', "有任一成员："),
    ('members = "sum"\nof = "work_months"\nwhere = "dibao"', "成员合计（只计 "),
    ('rate = "dibao"\nover = "persons"\namong = "tekun"\nframe = "全村人口"\nlevel = "village"', "全村人口中（"),
    (CAR + 'reported = "dept_use"\nlevel = "village"', "填报的使用性质"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "words"), SOURCES, ids=[row[1] for row in SOURCES])
def test_where_a_fact_comes_from_is_said_in_a_phrase(tmp_path, written, words):
    """One fact of each shape, in the words of the people who read it."""
    packs = load_packs([write_pack(tmp_path, GOOD + FACT + written + "\n")], KNOWN)
    assert words in source_of(facts_by_name(packs)["f"], labeller(packs, COLUMNS))


def test_every_shipped_rule_and_fact_can_be_read_aloud():
    """Each says what it asks and where it is written; where a fact comes from is said without any name of our own."""
    packs = shipped()[0]
    called = labeller(packs, {})
    for pack in packs:
        assert pack.id in pack_line(pack)
        for rule in pack.rules:
            lines = described(pack, rule, packs, called)
            assert rule.citation.title in "\n".join(lines)
            assert rule.id in rule_line(rule)
            assert all(line.strip() for line in lines)
    for fact in facts_by_name(packs).values():
        assert "dept_" not in source_of(fact, called)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("x", None, "不详 unknown"), ("x", True, "是"), ("x", False, "否"), ("income_yuan", 2952.0, "2952元"),
        ("income_yuan", 0.5, "0.5元"), ("x", 3.10, "3.1"), ("x", date(2020, 1, 5), "2020-01-05"), ("x", "甲", "甲"),
        ("income_yuan", "约两千", "约两千"),
    ],
)  # fmt: skip
def test_a_value_as_people_say_it(name, value, words):
    """Yes, no, money with its unit, days as they are written; an empty cell is not known."""
    assert said(name, value) == words


def test_what_has_a_pack_judged_is_said(tmp_path):
    """Everywhere or in a region, in which years, and whether it is asked for or comes with an input; a rule that is off is so."""
    (pack,) = load_packs([write_pack(tmp_path, GOOD)], KNOWN)
    assert pack_line(pack) == "p  pack (everywhere, any year, rules: 1)"
    asked = replace(pack, jurisdiction="99", regime="2021+", opt_in=True)
    assert pack_line(asked) == "p  pack (region 99, 2021+, asked for by name, rules: 1)"
    assert "with vehicles or payroll" in pack_line(replace(asked, when_given=("vehicles", "payroll")))
    rule = replace(pack.rules[0], enabled=False)
    assert "(off)" in rule_line(rule)
    assert " (off)" in described(pack, rule, [pack], labeller([pack], {}))[2]
    assert len(outcome_said("hit").split()) == 2
