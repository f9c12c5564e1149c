"""Facts that a pack declares, in drawn worlds: out of two lists at once, of households without members, of those that were one."""

import polars as pl

from fupin_cli.rules import inquire, load_packs
from rules_world import AS_OF, KNOWN, World, shipped, usual
from test_judge import GOOD_HOME
from test_pack import GOOD, write_pack

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
        persons, everybody, *others, usual(), shipped()[1], as_of=AS_OF, jurisdiction="990121", stages=("county",)
    ).judge()
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
