"""Facts that a pack declares, in drawn worlds: out of two lists at once, of households without members, of those that were one."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from fupin_cli.rules import inquire, load_packs
from fupin_cli.rules.evidence import World as Wide
from fupin_cli.rules.pack import Level
from rules_world import AS_OF, KNOWN, World, keep, shipped, usual
from test_judge import GOOD_HOME, GOOD_PERSON
from test_pack import GOOD, write_pack

STANDARDS = tuple(f"NAT-H-{n}" for n in range(8))
TWO_LISTS = """
[[fact]]
name = "aided"
zh = "在民政名单中"
en = "is on a list of civil affairs"
extract = ["dibao", "tekun"]
any = "dept_covered"
shows = ["dept_welfare_cert_no"]
"""
WERE_ONE = """
[[fact]]
name = "were_together"
zh = "同一来源的户中有饭吃的户数"
en = "households of one origin that have food"
level = "household"
members = "count"
of = "food_ok"
linked_by = "poverty_attr"
"""


def packs_with(tmp_path, fact: str, level: str, hit: str, yes: str, no: str):
    """A pack of one fact, and of one check of that level, which hits where the fact is like `yes`."""
    pack, rest = GOOD.split("[[fact]]")
    rule, *_ = rest.partition("[[rule.example]]")
    _, rule = rule.replace("has_car AND NOT dibao", hit).replace('"person"', f'"{level}"').split("[[rule]]")
    said = {yes: "hit", no: "clear", "": "unknown"}
    examples = (f'[[rule.example]]\ngiven = {{ {given} }}\nthen = "{then}"\n' for given, then in said.items())
    return load_packs([write_pack(tmp_path, f"{pack}{fact}\n[[rule]]{rule}{''.join(examples)}")], KNOWN)


def test_a_fact_out_of_two_lists(tmp_path):
    """Who is on either list is; the rows of both stand behind it, a person's together; who is on neither is not."""
    world = World()
    for n in range(4):
        world.person(f"H{n}")
    for list_, of in (("tekun", 0), ("dibao", 1), ("tekun", 2), ("dibao", 2)):
        world.row(list_, of=of, covered=True)
    facts = world.judge(packs=packs_with(tmp_path, TWO_LISTS, "person", "aided", "aided = true", "aided = false")).facts
    assert facts.persons["aided"].to_list() == [True, True, True, False]
    behind = [(0, "tekun-1"), (1, "dibao-1"), (2, "dibao-1"), (2, "tekun-1")]
    assert facts.rows["aided"].select("register_row", "extract").rows() == behind


def test_a_household_without_members_is_asked_too():
    """Nobody's sheet has its members: what it says of itself counts, no member's standard applies, and no other's name stands there."""
    world = World()
    for home in ("H0", "H2"):
        world.person(home, name=f"人{home}", resident_medical=False, employee_medical=False)
        world.home(home, **GOOD_HOME)
    persons, households, *others = world.frames()
    alone = households.head(1).with_columns(household_id=pl.lit("H1"), head_name=None, row=9, safe_water=False)
    everybody = pl.concat([households, alone.cast(dict(households.schema))])
    judged = inquire(
        persons, everybody, *others, keep(usual(), (*STANDARDS, "CMP-EX1")), shipped()[1], as_of=AS_OF, jurisdiction="990121",
        stages=("county",),
    ).judge()  # fmt: skip
    said = judged.outcomes.filter(pl.col("household_id") == "H1").select("rule_id", "outcome")
    told = dict(said.rows())
    assert (told["NAT-H-5"], told["NAT-H-6"], told["NAT-H-7"]) == ("not_applicable", "met", "not_met")
    found = judged.findings.filter(pl.col("rule_id") == "CMP-EX1").sort("household_id")
    assert found.select("household_id", "name", "register_at").rows() == [
        ("H0", "人H0", 2),
        ("H1", None, 9),
        ("H2", "人H2", 3),
    ]


def test_households_that_were_one_are_counted_together(tmp_path):
    """By a column that both fill in; a household that leaves it empty stands alone."""
    world = World()
    for home, group in (("H0", "甲"), ("H1", "甲"), ("H2", None), ("H3", None)):
        world.person(home)
        world.home(home, poverty_attr=group, food_ok=True)
    facts = world.judge(
        packs=packs_with(tmp_path, WERE_ONE, "household", "were_together < 5", "were_together = 1", "were_together = 9")
    ).facts
    assert facts.households.sort("household_id")["were_together"].to_list() == [2, 2, 1, 1]


@pytest.mark.parametrize(("group", "counted"), [(None, None), ("甲", 2)])
def test_where_no_household_names_another_nothing_is_known(tmp_path, group, counted):
    """An empty column tells of nobody's division; where all are filled in, all are counted."""
    world = World()
    for home in ("H0", "H1"):
        world.person(home)
        world.home(home, poverty_attr=group, food_ok=True)
    asked = packs_with(tmp_path, WERE_ONE, "household", "were_together < 5", "were_together = 1", "were_together = 9")
    assert world.judge(packs=asked).facts.households["were_together"].to_list() == [counted, counted]


def test_a_household_has_the_village_of_its_first_member_who_names_one():
    """In the order of the register, in whatever order the rows come."""
    world = World()
    for village in (None, "甲村", "乙村"):
        world.person("H0", village=village, village_key=village, county=None, county_key="青禾" if village else None)
    told = [world.judge("NAT-H-7", shuffle=seed)._setting.facts for seed in range(6)]
    homes = [facts.households[Wide.STRICT] for facts in told]
    assert {(home["_village"].item(), home["_county"].item()) for home in homes} == {("青禾||甲村", "青禾")}


def test_two_persons_on_one_row_are_one_household():
    """A row that speaks of two is no two households: what is said of the household stands on the first of them, once."""
    world = World()
    for name in ("张三", "李四"):
        world.person("H0", name=name, row=2)
    world.person("H1", name="王五")
    for home in ("H0", "H1"):
        world.home(home, **GOOD_HOME | {"safe_water": False})
    found = world.judge(*STANDARDS, "CMP-EX1").findings.filter(pl.col("rule_id") == "CMP-EX1")
    assert found.sort("household_id")["name"].to_list() == ["张三", "王五"]


@pytest.mark.parametrize(("level", "column"), [("person", "health"), ("person", "food_ok"), ("household", "food_ok")])
def test_whether_a_file_says_something_of_anybody(tmp_path, level, column):
    """Of two registers one has the column: there whoever leaves it empty is asked, in the other nobody; also of members."""
    world = World()
    for n, (source, value) in enumerate([("甲.xlsx", True), ("甲.xlsx", None), ("乙.xlsx", None)]):
        world.person(f"H{n}", source=source, health="健康" if value else None)
        world.home(f"H{n}", source=source, food_ok=value)
    asked = packs_with(
        tmp_path, "", level, f"given_{column} AND {column} IS NULL", f"given_{column} = true", f"given_{column} = false"
    )
    found = world.judge(packs=asked).findings
    assert found["household_id"].to_list() == ["H1"]


def test_nothing_of_our_own_is_shown_among_the_facts():
    """Columns that join tables are no facts of anybody."""
    world = World()
    world.person(**GOOD_PERSON)
    world.home(**GOOD_HOME)
    facts = world.judge(*STANDARDS, shuffle=1).facts
    for frame in (facts.persons, facts.households):
        assert not [name for name in frame.columns if name.startswith(("_", "given_"))]
        assert {"household_id", "house_grade", "as_of"} <= set(frame.columns)
        assert "warn_exited_yuan" not in frame.columns  # a number that no rule asks for


def test_everything_is_called_by_its_name():
    """A pack's facts, both columns of a fact from two sources, numbers, lines, rules and kinds of list."""
    called = World().inquire(packs=tuple(replace(pack, opt_in=False) for pack in shipped()[0])).label
    assert called("deceased") == "公安死亡名单中有此人"
    assert called("warn_exited_yuan") == "脱贫人口住院自付预警线"
    assert called("NAT-H-7") == "NAT-H-7 饮水安全有保障"
    assert called("line_yuan") == "标准线"
    assert called("water_disputed").endswith("（来源不一致）")


def test_a_fact_without_a_name_of_its_own_is_called_as_its_column(tmp_path):
    """Whoever declares it may leave that to the file."""
    fact = TWO_LISTS.replace("在民政名单中", "aided")
    packs = packs_with(tmp_path, fact, "person", "aided", "aided = true", "aided = false")
    assert World().inquire(packs=packs, labels={"aided": "有救助"}).label("aided") == "有救助"


def test_every_outcome_is_counted():
    """Of a criterion and of a check: what speaks against a household is a hit."""
    world = World()
    for n, (water, exited) in enumerate([(True, "已脱贫"), (False, "已脱贫"), (False, "已脱贫"), (None, "已脱贫")]):
        world.person(f"H{n}", **GOOD_PERSON)
        world.home(f"H{n}", **GOOD_HOME | {"safe_water": water, "exit_status": exited})
    asked = ("NAT-H-7", "NAT-H-2", "NAT-H-4", "CMP-PS1")
    reports = {report.rule_id: report for report in world.judge(*asked).reports}
    told = [reports[rule] for rule in asked]
    counts = [(r.examined, r.hits, r.clears, r.unknowns, r.not_applicable) for r in told]
    assert counts == [(4, 2, 1, 1, 0), (4, 0, 4, 0, 0), (4, 0, 0, 0, 4), (4, 0, 0, 4, 0)]


def test_people_and_households_stand_in_one_order():
    """By the register's rows and the households' numbers, in whatever order they come."""
    world = World()
    for home in ("H2", "H0", "H1"):
        world.person(home)
    orders = [world.judge("NAT-H-7", shuffle=seed).facts for seed in range(4)]
    assert {tuple(facts.households["household_id"]) for facts in orders} == {("H0", "H1", "H2")}
    assert {tuple(facts.persons["register_row"]) for facts in orders} == {(0, 1, 2)}


def test_a_rule_that_is_switched_off_says_nothing():
    """It is not among the reports, nor are its outcomes."""
    world = World()
    world.person()
    off = tuple(
        replace(pack, rules=tuple(replace(rule, enabled=rule.id != "NAT-H-7") for rule in pack.rules))
        for pack in keep(usual(), ("NAT-H-6", "NAT-H-7"))
    )
    judged = world.judge(packs=off)
    assert [report.rule_id for report in judged.reports] == ["NAT-H-6"]
    assert judged.outcomes["rule_id"].unique().to_list() == ["NAT-H-6"]


def packs_with_number(tmp_path, by: str):
    """A pack with a number that was 10, 20 and 30, one year after the other, and a check that reads it."""
    values = "".join(
        f'[[parameter.value]]\nfrom = {start}\n{end}value = {value}\ncitation = {{ title = "文件", provenance = "V" }}\n'
        for start, end, value in (
            ("2014-01-01", "to = 2016-12-31\n", 10), ("2017-01-01", "to = 2017-12-31\n", 20), ("2018-01-01", "", 30),
        )
    )  # fmt: skip
    number = f'[[parameter]]\nname = "most"\nzh = "上限"\nen = "most"\nby = "{by}"\n{values}\n'
    asked = [f"income_per_head_yuan = {income}, most = 9" for income in (99, 1)]
    return packs_with(tmp_path, number, "household", "income_per_head_yuan > most", *asked)


@pytest.mark.parametrize(("by", "told"), [("as_of", [30.0, 30.0, 30.0]), ("exit_year", [10.0, 20.0, 30.0])])
def test_a_number_is_of_the_day_that_it_asks_for(tmp_path, by, told):
    """Of today, or of the end of the year in which the household left; of who has not left, of today. Of places, of today."""
    world = World()
    for home, year in (("H0", 2016), ("H1", 2017), ("H2", None)):
        world.person(home, township="平川镇", township_key="平川", village="柳树村", village_key="柳树")
        world.home(home, exit_year=year, income_per_head_yuan=15.0)
    judged = world.judge(packs=packs_with_number(tmp_path, by))
    assert judged.facts.households["most"].to_list() == judged.facts.persons["most"].to_list() == told
    assert judged._setting.facts.areas[Level.VILLAGE]["most"].to_list() == [30.0]


def test_a_countys_number_is_that_of_its_places(tmp_path):
    """Of its villages too; another county's have the wider place's, whatever they are called."""
    (pack,) = packs_with_number(tmp_path, "as_of")
    (wider,) = pack.parameters
    own = replace(wider, jurisdiction="990121", counties=("青禾",), values=(replace(wider.values[-1], value=5.0),))
    world = World()
    for n, (county, village) in enumerate((("青禾", "柳树"), ("白石", "青禾"))):
        world.person(f"H{n}", county_key=county, township_key="平川", village_key=village)
    places = world.judge(packs=(replace(pack, parameters=(wider, own)),))._setting.facts.areas
    assert [places[level]["most"].to_list() for level in (Level.VILLAGE, Level.COUNTY)] == [[30.0, 5.0], [30.0, 5.0]]


@pytest.mark.parametrize("first", [0, 1])
def test_each_county_list_counts_for_its_own_counties_alone(first):
    """Who entered after another county's list was made, and before their own, was compared before nobody."""
    lists = [
        ({"coverage": ["白石县"], "as_of": date(2019, 10, 31)}),
        ({"coverage": ["青禾县"], "as_of": date(2019, 11, 25)}),
    ]
    world = World()
    world.person(entered_on=date(2019, 11, 10))
    for n, values in enumerate([lists[first], lists[1 - first]]):
        world.extract("vehicles", f"vehicles-{n}", **values)
    assert world.outcome("CMP-ST1") == ["hit"]
