"""A pack with one mistake in it: the message names file and line, what is wrong, and what to type next."""

import re

import pytest

from fupin_cli.cli.rule_packs import open_rules
from fupin_cli.errors import ConfigurationError
from fupin_cli.rules import run_examples

GOOD = """[pack]
id = "county-checks"
title = "本县规则"
title_en = "our county's rules"
jurisdiction = "990121"
regime = "2014-2020"

[defaults]
on_unknown = "unknown"
kind = "check"
level = "person"
severity = "lead"
effective_from = 2018-01-01
[defaults.citation]
title = "办法"
provenance = "V"

[[parameter]]
name = "truck_limit"
zh = "上限"
en = "limit"
[[parameter.value]]
value = 3
from = 2014-01-01
to = 2018-12-31
citation = { title = "办法", provenance = "V" }
[[parameter.value]]
value = 4
from = 2019-01-01
citation = { title = "办法", provenance = "V" }

[[fact]]
name = "owns_truck"
zh = "名下有货车"
en = "owns a truck"
extract = "vehicles"
any = "dept_vehicle_type LIKE '%货车%'"
shows = ["dept_vehicle_type"]
example = [{ rows = [{ dept_vehicle_type = "货车" }], then = true }]

[[rule]]
id = "X-TRUCK"
title = "低保对象名下有货车"
title_en = "truck"
when = "dibao"
hit = "owns_truck AND age >= 18"
advice = "疑点：建议核实。"
citation = { locator = "第三条" }
example = [
  { given = { dibao = true, owns_truck = true, age = 18 }, then = "hit" },
  { given = { dibao = true, owns_truck = true, age = 17 }, then = "clear" },
  { given = { dibao = true, age = 40 }, then = "unknown" },
  { given = { dibao = false }, then = "not_applicable" },
]
"""
FACT = '[[fact]]\nname = "{}"\nzh = "a"\nen = "a"\nis = "{}"\n'
HIT = "owns_truck AND age >= 18"
BROKEN = [  # what stands there, what somebody wrote instead, the line that is named, words of the message, what to type
    (HIT, "owns_truk AND age >= 18", 46, "'owns_truk' is not a known fact", "owns_truck"),
    ("dept_vehicle_type LIKE", "dept_vehicel_type LIKE", 37, "not a known fact", "dept_vehicle_type"),
    ("advice =", "advise =", 47, "'advise' is not a key here", "advice = …"),
    ("regime =", "regim =", 6, "'regim' is not a key here", "regime = …"),
    ('"2014-2020"', '"2014—2020"', 6, "names no years", 'regime = "2014-2020"'),
    ("[[rule]]", "[[rules]]", 41, "'rules' is not a key here", "[[rule]]"),
    ("[[rule]]", "[rule]", 41, "rule is written [[rule]]", "[[rule]]"),
    ('severity = "lead"', "severity = 3", 12, "severity must be one of", "severity ="),
    ('severity = "lead"', 'severity = "leed"', 12, "severity must be one of", 'severity = "lead"'),
    ('level = "person"', 'level = "persons"', 11, "level must be one of", 'level = "person"'),
    ("= 2018-01-01", '= "2018-01-01"', 13, "must be a date", "effective_from = 2018-01-01, without quotes"),
    ("= 2018-01-01", '= "2018年1月5日"', 13, "must be a date", "effective_from = 2018-01-05, without quotes"),
    ('severity = "lead"', 'severity = "严重"', 12, "severity must be one of", "one of these words"),
    ("dept_vehicle_type LIKE", "dept_car LIKE", 37, "not a known fact", "dept_vehicle_status, dept_vehicle_type"),
    ('when = "dibao"', 'when = "是否低保"', 45, "'是否低保' is not allowed", "dibao（是否低保）"),
    ('when = "dibao"', 'when = "是否低保户 = TRUE"', 45, "not allowed", "dibao（是否低保户）"),
    ("value = 4", 'value = "4元"', 27, "must be a number", "value = 4, without quotes"),
    ('"990121"', '"青禾县"', 5, "is no division code", '"610124" for a county'),
    ("from = 2019-01-01", "from = 2019-02-01", 22, "date gap", "to = 2019-01-31"),
    ("to = 2018-12-31\n", "", 22, "no end", "to = 2018-12-31"),
    (HIT, "CASE WHEN owns_truck THEN TRUE END", 46, "'CASE' is not a known fact, but SQL", "two rules"),
    (HIT, "(SELECT 1) = 1", 46, "'SELECT' is not a known fact, but SQL", "[[fact]]"),
    (HIT, "COALESCE(owns_truck, TRUE)", 46, "'COALESCE' is not a known fact, but SQL", "first_of"),
    (HIT, "LENGTH(name) > 1", 46, "'LENGTH' is not a known fact, but SQL", "[[fact]]"),
    ("'%货车%'", "‘%货车%’", 37, "not allowed in a condition", "straight quotes"),
    ("age >= 18", "age ≥ 18", 46, "not allowed in a condition", ">="),
    ("age >= 18", "age == 18", 46, "is not a condition", "= once, not =="),
    ("owns_truck AND", "owns_truck &&", 46, "not allowed in a condition", "AND"),
    ("AND age >= 18", "AND (age >= 18", 46, "is not a condition", "1 '(' and 0 ')'"),
    ("AND age >= 18", "AND", 46, "is not a condition", "something to join by AND"),
    ('  { given = { dibao = true, age = 40 }, then = "unknown" },\n', "", 41, "says unknown", "[[rule.example]]"),
    ('locator = "第三条"', 'title = ""', 43, "title must be text", 'title = "…"'),
    ('regime = "2014-2020"', 'regime = "any"\nextends = ["exit-nationl"]', 7, "no pack 'exit-nationl'", "exit-national"),
    ("[[rule]]", FACT.format("a_fact", "b_fact") + FACT.format("b_fact", "a_fact") + "[[rule]]", 41, "a_fact → b_fact", "what the facts read"),
    ('"vehicles"', '"vehicle"', 36, "no source profile", "vehicles"),
    ('provenance = "V"\n\n[[par', 'provenance = "R"\n\n[[par', 41, "recalled, not verified", "enabled = false"),
    ('advice = "疑点：建议核实。"', 'advice = "取消资格"', 47, "never a verdict", "疑点：建议"),
    ('"clear"', '"clera"', 50, "then must be one of", 'then = "clear"'),
    ('on_unknown = "unknown"', 'on_unknown = "pass"', 9, "turn an empty cell into an answer", "review"),
    ('title = "本县规则"', "title = 本县规则", 3, "not readable as TOML", "straight quotes"),
    ('id = "X-TRUCK"', 'id = "NAT-H-1"', r"\d+", "defined twice", "another name"),
    (HIT, "owns_truck IS NULL", 46, "would turn unknown into an answer", "NOT owns_truck"),
    ('regime = "2014-2020"', 'regime = "any"\nopt_in = true\nwhen_given = ["vehicels"]', 8, "no source profile", "vehicles"),
    ('regime = "2014-2020"', 'regime = "any"\nwhen_given = ["vehicles"]', 7, "opt_in = true", None),
    ('"owns_truck"', '"Owns_Truck"', 33, "lower-case", 'name = "owns_truck"'),
    ('any = "dept', 'count = "TRUE"\nany = "dept', 32, "exactly one way", "any ="),
    ("dibao = false", "dibaoo = false", 50, "'dibaoo' is not a known fact", "dibao"),
    ('"990121"', "990121", 5, "jurisdiction must be text", 'jurisdiction = "…"'),
    ('kind = "check"', 'kind = "verdict"', 41, "a verdict is made of", "all_of"),
]  # fmt: skip


@pytest.fixture
def mistaken(tmp_path):
    """The message about a project's pack of this text."""
    (tmp_path / "rules" / "checks").mkdir(parents=True)

    def read(text):
        (tmp_path / "rules" / "checks" / "county.toml").write_text(text, encoding="utf-8")
        with pytest.raises(ConfigurationError) as caught:
            open_rules(tmp_path)
        return str(caught.value)

    return read


@pytest.mark.parametrize(("stands", "written", "line", "said", "to_type"), BROKEN, ids=[row[3] for row in BROKEN])
def test_a_mistake_is_named_with_its_line_and_what_to_type(mistaken, stands, written, line, said, to_type):
    """One mistake at a time, in a pack that is sound otherwise."""
    assert stands in GOOD
    message = mistaken(GOOD.replace(stands, written, 1))
    where, _, rest = message.partition(": ")
    assert said in message
    assert re.search(rf"(county|national)\.toml:{line}\b", message), message
    if to_type:
        assert to_type in message.partition("try: ")[2]
    assert where
    assert rest


def test_a_weak_source_bears_no_veto(mistaken):
    """Two lines that are right by themselves and wrong together."""
    text = GOOD.replace('"V"\n\n[[par', '"VW"\n\n[[par').replace('severity = "lead"', 'severity = "veto"')
    assert 'try: severity = "lead"' in mistaken(text)


def test_a_comparison_of_the_wrong_type_is_found_by_its_example(tmp_path):
    """A number compared with a text loads, and its worked example refuses it."""
    (tmp_path / "rules" / "checks").mkdir(parents=True)
    pack = tmp_path / "rules" / "checks" / "county.toml"
    pack.write_text(GOOD.replace("age >= 18", "age >= '十八'"), encoding="utf-8")
    known = open_rules(tmp_path)
    with pytest.raises(ConfigurationError, match=r"compares age with a text[\s\S]*without quotes"):
        run_examples([p for p in known.packs if p.id == "county-checks"], known.lines)


@pytest.mark.parametrize(
    ("old", "new", "said", "try_"),
    [
        ("year = 2019", 'year = "2019"', "must be a whole number", "year = 2019, without quotes"),
        ("year = 2019", "year = 2091", "there is no income line of 2091", "year = 2019"),
        ("yuan = 3218", 'yuan = "3,218元"', "must be a number", "yuan = 3218, without quotes"),
        ('"00"', '"全国"', "no division code", '"00" for the whole country'),
    ],
)
def test_a_line_with_one_mistake_in_it(tmp_path, old, new, said, try_):
    """A row of lines.toml that could never be used, or not as it is meant."""
    row = '[[line]]\ntable = "income"\njurisdiction = "00"\nyear = 2019\nseries = "nbs"\nbasis = "net_income"\nyuan = 3218\n'
    row += 'citation = { title = "文件", provenance = "V" }\n'
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "lines.toml").write_text(row.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        open_rules(tmp_path)
    assert said in str(caught.value)
    assert try_ in (caught.value.try_ or "")
