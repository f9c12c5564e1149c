"""Rule packs: what the shipped ones promise, what a wrong one is told, and how a project overrides a file."""

import re
import shutil
from pathlib import Path

import pytest

from conftest import fupin
from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.ingest import load_profiles
from fupin_cli.rules import applies_to, load_lines, load_packs, run_examples
from fupin_cli.rules.outcome import Kind
from fupin_cli.rules.pack import HOUSEHOLD_FACTS, LINK_FACTS, PERSON_FACTS, Provenance
from fupin_cli.rules.predicate import KEYWORDS
from rules_world import KNOWN, RULES, shipped, usual

PROMISED = {
    "NAT": "H-0 H-1 H-2 H-3 H-4 H-5 H-6 H-7",
    "CMP": (
        "PS1 PS2 PS5 PS8 VH1 RE1 RE2 RE4 IC1 CZ1 MZ1 MZ2 MZ3 MZ4 MZ5 MZ6 MZ7 CL1 CL2 CL3 DUP1 DUP2 ID1 ID2 ID3 ID4 NM1 ED1 ED2 ED3 "
        "YB1 YB2 EX1 UR1 UR2 ST1"
    ),
    "REG": " ".join(
        f"{family}{number:02}"
        for family, numbers in {
            "C": range(1, 15), "D": range(1, 26), "E": range(12, 17), "F": range(1, 18), "J": range(1, 13), "L": range(1, 14),
            "M": (*range(1, 8), *range(9, 13)), "N": range(1, 27), "S": range(1, 18), "W": range(1, 21),
        }.items()
        for number in numbers
    ),
}  # fmt: skip

GOOD = """
[pack]
id = "p"
title = "包"
title_en = "pack"
jurisdiction = "00"
regime = "any"

[defaults]
on_unknown = "unknown"

[[fact]]
name = "has_car"
zh = "有车"
en = "has a car"
extract = "vehicles"
any = "dept_vehicle_type <> '摩托车'"

[[rule]]
id = "X-1"
title = "有车"
title_en = "car"
kind = "check"
level = "person"
severity = "lead"
hit = "has_car AND NOT dibao"
advice = "疑点：建议复核。"
[rule.citation]
title = "文件"
provenance = "V"
[[rule.example]]
given = { has_car = true, dibao = false }
then = "hit"
[[rule.example]]
given = { has_car = false }
then = "clear"
[[rule.example]]
given = {}
then = "unknown"
"""


def write_pack(folder: Path, text: str, name: str = "checks/x.toml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


def test_every_promised_rule_is_shipped():
    """The rules that SYNTH plants and the documents name are there, and enabled."""
    ids = {rule.id for pack in usual() if applies_to(pack, "990121") for rule in pack.rules if rule.enabled}
    assert ids == {f"{family}-{rule}" for family, rules in PROMISED.items() for rule in rules.split()}


def test_every_worked_example_holds():
    """What a rule's author expects is what the rule says."""
    results = run_examples(*shipped())
    assert [f"{r.id} #{r.number}: {r.outcome}" for r in results if not r.passed] == []


def test_every_outcome_that_a_rule_can_give_has_an_example():
    """Yes and no, unknown wherever a value is read, and not applicable wherever the rule is not for everybody."""
    for pack in shipped()[0]:
        for rule in pack.rules:
            told = {example.then.value for example in rule.examples}
            yes_and_no = {"hit", "clear"} if rule.kind is Kind.CHECK else {"met", "not_met"}
            assert yes_and_no <= told, rule.id
            assert "not_applicable" in told or not rule.when, rule.id
            assert "unknown" in told or all(set(part.names) <= part.tested_for_null for part in rule.conditions), (
                rule.id
            )


def test_nothing_recalled_is_enabled():
    """A number from memory ships disabled, a weak source weighs no more than a lead, and every rule is dated and cited."""
    packs, lines = shipped()
    assert all(
        line.citation.provenance not in (Provenance.RECALLED, Provenance.WEAK) for line in lines.rows if line.enabled
    )
    for pack in packs:
        for rule in pack.rules:
            assert rule.citation.title
            assert rule.effective_from
            assert rule.citation.provenance is not Provenance.RECALLED or not rule.enabled
        for number in pack.parameters:
            assert all(v.citation.provenance is not Provenance.RECALLED or not v.enabled for v in number.values)


def test_wording_is_a_clue():
    """No shipped rule speaks as a judge."""
    for pack in shipped()[0]:
        for rule in pack.rules:
            assert "取消" not in rule.advice
            assert rule.kind is not Kind.CHECK or "疑点" in rule.advice


def test_advice_is_said_in_both_languages():
    """Every shipped rule advises in English, too; a rule with words of its own does not take over the English of others."""
    rules = [rule for pack in shipped()[0] for rule in pack.rules if rule.advice]
    assert all(rule.advice_en.startswith("clue: ") and rule.advice_en.endswith(".") for rule in rules)
    assert len({rule.advice_en for rule in rules}) > 80


@pytest.mark.parametrize(
    ("own", "said"), [("", "ask"), ('advice = "疑点：核实。"\n', ""), ('advice_en = "look"\n', "look")]
)
def test_english_advice_belongs_to_its_chinese(tmp_path, own, said):
    """A rule with Chinese words of its own does not take over the English of [defaults]."""
    pack = GOOD.replace("[defaults]\n", '[defaults]\nadvice = "疑点：建议复核。"\nadvice_en = "ask"\n')
    pack = pack.replace('advice = "疑点：建议复核。"\n[rule.c', f"{own}[rule.c")
    assert load_packs([write_pack(tmp_path, pack)], KNOWN)[0].rules[0].advice_en == said


def test_a_good_pack_loads(tmp_path):
    """The smallest pack that works."""
    (pack,) = load_packs([write_pack(tmp_path, GOOD)], KNOWN)
    assert pack.rules[0].names == ("has_car", "dibao")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('hit = "has_car', 'hitt = "has_car', "'hitt' is not a key here"),
        ("NOT dibao", "NOT dibaoo", "'dibaoo' is not a known fact"),
        ("dept_vehicle_type", "dept_vehicle_typ", "'dept_vehicle_typ' is not a known fact"),
        ('extract = "vehicles"', 'extract = "vehicle"', "'vehicle' is no source profile"),
        ('severity = "lead"', 'severity = "high"', "severity must be one of veto, fail, lead, dq, info"),
        ('provenance = "V"', 'provenance = "R"', "provenance R is recalled"),
        ('severity = "lead"\nhit', 'severity = "lead"\nmet = "dibao"\nhit', "a check needs hit"),
        ("疑点：建议复核。", "取消资格。", "a hit is a clue, never a verdict"),
        ('then = "unknown"', 'then = "clear"', "no worked example shows when this rule says unknown"),
        ('then = "clear"', 'then = "hit"', "no worked example shows when this rule says clear"),
        ("NOT dibao", "DATE dibao > 1", "DATE is followed by a day"),
        ('on_unknown = "unknown"', "", "on_unknown is missing"),
        ('on_unknown = "unknown"', 'on_unknown = "fail"', "would turn an empty cell into an answer"),
        ('on_unknown = "unknown"', 'on_unknow = "unknown"', "'on_unknow' is not a key here"),
        ('then = "hit"', 'then = "met"', "then must be one of"),
        ("NOT dibao", "has_car IS NULL", "would turn unknown into an answer"),
        ('kind = "check"\n', 'kind = "criterion"\n', "a criterion needs met"),
        ('severity = "lead"\nhit', 'severity = "lead"\nnot_met = "dibao"\nhit', "only a criterion says not_met"),
        ('severity = "lead"\nhit', 'severity = "lead"\nmax_age_days = 9\nhit', "it is a key of the fact"),
        ('extract = "vehicles"', 'extract = "vehicles"\nlatest = "dept_seen_on"', "'dept_seen_on' is not a known fact"),
        ("[rule.citation]\n", 'effective_from = "2014-01-01"\n[rule.citation]\n', "effective_from must be a date"),
        ("has_car = true, dibao = false", "has_cart = true", "'has_cart' is not a known fact"),
        ('title = "文件"\n', "", "title must be text"),
        ('id = "p"', "id = p", "not readable as TOML: a text without quotes"),
    ],
)
def test_a_wrong_pack_is_told_where(tmp_path, old, new, said):
    """File and rule stand before what is wrong."""
    assert old in GOOD
    with pytest.raises(ConfigurationError) as caught:
        load_packs([write_pack(tmp_path, GOOD.replace(old, new, 1))], KNOWN)
    assert said in str(caught.value)
    assert "x.toml" in str(caught.value)


def test_a_weak_source_may_not_weigh(tmp_path):
    """VW with severity veto is refused, and accepted as a lead."""
    weak = GOOD.replace('provenance = "V"', 'provenance = "VW"')
    load_packs([write_pack(tmp_path, weak)], KNOWN)
    with pytest.raises(ConfigurationError, match="weak source"):
        load_packs([write_pack(tmp_path, weak.replace('severity = "lead"', 'severity = "veto"'))], KNOWN)


def test_twins_and_circles_are_refused(tmp_path):
    """A rule id stands once; a rule that waits for its own outcome cannot be judged."""
    write_pack(tmp_path, GOOD)
    write_pack(tmp_path, GOOD.replace("has_car", "has_cart"), "exit/y.toml")
    with pytest.raises(ConfigurationError, match="rule X-1 is defined twice"):
        load_packs([tmp_path], KNOWN)
    circle = GOOD.replace('advice = "', 'provides = "round"\nadvice = "').replace("NOT dibao", "NOT round")
    shutil.rmtree(tmp_path / "exit")
    with pytest.raises(ConfigurationError, match="waits for its own outcome"):
        load_packs([write_pack(tmp_path, circle)], KNOWN)


def test_a_project_overrides_file_by_file(tmp_path):
    """A file of the same name in a later folder takes the shipped one's place; new files are added."""
    ours = write_pack(tmp_path / "ours", GOOD)
    theirs = write_pack(tmp_path / "theirs", GOOD.replace('"包"', '"改过的包"'))
    write_pack(theirs, GOOD.replace("has_car", "has_cart").replace("X-1", "X-2"), "monitor/z.toml")
    packs = load_packs([ours, theirs], KNOWN)
    assert [pack.title for pack in packs] == ["改过的包", "包"]
    with pytest.raises(InputMissingError):
        load_packs([tmp_path / "nowhere"], KNOWN)


LINE = """
[[line]]
table = "income"
jurisdiction = "{place}"
year = {year}
series = "{series}"
basis = "net_income"
yuan = {yuan}
enabled = {enabled}
citation = {{ title = "文件", provenance = "{provenance}" }}
"""


def line(place="00", year=2017, series="nbs", yuan=2952, enabled="true", provenance="V") -> str:
    return LINE.format(place=place, year=year, series=series, yuan=yuan, enabled=enabled, provenance=provenance)


def test_the_most_specific_place_wins(tmp_path):
    """County before province before nation; trailing zeros of a code say nothing."""
    write_pack(
        tmp_path, line(yuan=1) + line("990000", yuan=2) + line("9901", yuan=3) + line("52", yuan=4), "lines.toml"
    )
    lines = load_lines([tmp_path])
    found = {
        code: lines.find("income", code, 2017, "nbs", "net_income") for code in ("990121", "990221", "110000", "522729")
    }
    assert {code: row.yuan for code, row in found.items()} == {"990121": 3, "990221": 2, "110000": 1, "522729": 4}


def test_why_there_is_no_line(tmp_path):
    """The reason names year and series, and tells a row that waits for its source from no row at all."""
    write_pack(tmp_path, line(enabled="false", provenance="R"), "lines.toml")
    lines = load_lines([tmp_path])
    assert lines.find("income", "990121", 2017, "nbs", "net_income") is None
    assert "2017年" in lines.why_not("income", "990121", 2017, "nbs", "net_income")
    assert "未启用" in lines.why_not("income", "990121", 2017, "nbs", "net_income")
    lacking = lines.why_not("income", "990121", 2016, "nbs", "net_income")
    assert "没有这一行" in lacking
    assert '写 [[line]]：table = "income"，jurisdiction = "990121"，year = 2016' in lacking  # what to write


def test_a_recalled_line_cannot_be_enabled(tmp_path):
    """A number from memory stays off until somebody finds where it is written."""
    write_pack(tmp_path, line(provenance="R"), "lines.toml")
    with pytest.raises(ConfigurationError, match="recalled"):
        load_lines([tmp_path])


def test_a_project_adds_and_replaces_lines(tmp_path):
    """Rows of a later folder replace the same row of an earlier one; all others stay."""
    write_pack(tmp_path, line(year=2016, yuan=1), "lines.toml")
    lines = load_lines([RULES, tmp_path])
    assert lines.find("income", "990121", 2016, "nbs", "net_income").yuan == 1
    assert lines.find("income", "990121", 2019, "nbs", "net_income").yuan == 3218


@pytest.mark.parametrize(
    ("year", "yuan"), [(2014, 2800), (2015, 2855), (2016, 2952), (2017, None), (2018, None), (2019, 3218)]
)
def test_shipped_lines(year, yuan):
    """The statistics office's line, as far as a source was seen."""
    found = shipped()[1].find("income", "990121", year, "nbs", "net_income")
    assert (found.yuan if found else None) == yuan


def test_the_page_for_officials_is_right(tmp_path):
    """The rule and the line that docs/rules.md shows load, and the rule's examples hold."""
    page = (RULES.parent / "docs" / "rules.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    for n, pack in enumerate(block for block in blocks if block.startswith("[pack]")):
        write_pack(tmp_path, pack, f"provinces/{n}.toml")
    write_pack(tmp_path, next(block for block in blocks if block.startswith("[[line]]")), "lines.toml")
    profiles = load_profiles([RULES / "sources"])
    known = {name: frozenset(field.column for field in profile.fields) for name, profile in profiles.items()}
    packs, lines = load_packs([RULES, tmp_path], known), load_lines([RULES, tmp_path])
    ours = [r for r in run_examples(packs, lines) if r.where.startswith(("provinces/0.toml", "provinces/1.toml"))]
    assert [result.passed for result in ours] == [True] * 11
    assert lines.find("income", "990121", 2017, "nbs", "net_income").yuan == 2952


def test_the_page_for_officials_works_by_copy_and_paste(tmp_path):
    """A check, a province and the line of a year, put where the page says: loaded, and every example holds, shipped ones too."""
    page = (RULES.parent / "docs" / "rules.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    write_pack(tmp_path / "rules", blocks[0], "checks/county.toml")
    write_pack(tmp_path / "rules", blocks[1], "provinces/ours.toml")
    write_pack(tmp_path / "rules", blocks[-1], "lines.toml")
    done = fupin("rules", "test", "--project", tmp_path)
    assert done.returncode == 0, done.stdout
    assert ", failed 0" in done.stdout
    assert "our-province" in fupin("rules", "list", "--project", tmp_path).stdout


def test_the_page_names_every_derived_fact_and_keyword():
    """docs/rules.md tells all words that a condition may use beyond the columns."""
    page = (RULES.parent / "docs" / "rules.md").read_text(encoding="utf-8")
    hidden = {"former_name_key"}  # for one shipped rule only
    for word in (PERSON_FACTS | HOUSEHOLD_FACTS | LINK_FACTS).keys() - hidden | KEYWORDS:
        assert word in page, word
