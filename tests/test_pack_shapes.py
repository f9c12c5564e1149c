"""Every shape of a fact, rule and pack with one thing wrong in it: refused when the pack is read, with what to type next."""

import pytest

from fupin_cli.errors import ConfigurationError
from fupin_cli.rules import load_lines, load_packs
from rules_world import KNOWN
from test_pack import GOOD, line, write_pack

FACT = '\n[[fact]]\nname = "f"\nzh = "甲"\nen = "f"\n'
CAR = 'extract = "vehicles"\n'
CITED = 'citation = { title = "文件", provenance = "V" }\n'
RULE = '\n[[rule]]\nid = "X-2"\ntitle = "乙"\ntitle_en = "b"\nseverity = "lead"\nadvice = "疑点：建议复核。"\n' + CITED
TOLD = "".join(f'\n[[rule.example]]\ngiven = {{}}\nthen = "{one}"' for one in ("met", "not_met", "unknown"))
CRITERION = RULE.replace("X-2", "X-3") + 'kind = "criterion"\n'
VERDICT = RULE + 'kind = "verdict"\nlevel = "household"\n'
CHECK = RULE + 'kind = "check"\nlevel = "person"\nhit = "dibao"\n'
NUMBER = '\n[[parameter]]\nname = "n"\nzh = "数"\nen = "n"\n'
DAYS = 'extract = "household_documents"\n'

FACTS = [  # what is written below a fact's names, words of the message, words of what to type
    (CAR + 'any = "TRUE"\nexample = [{ given = {} }]', "an example needs then", "then = true"),
    (CAR + 'any = "TRUE"\nexample = [{ given = 3, then = true }]', "given is a table", ""),
    (CAR + 'any = "TRUE"\nexample = [{ rows = [3], then = true }]', "rows and others are lists of tables", ""),
    (CAR + 'any = "TRUE"\nlevel = "village"', "rows cannot tell of a village", 'level = "household"'),
    (DAYS + 'documents = ["照片"]\nlevel = "person"', "rows cannot tell of a person", 'level = "household"'),
    (DAYS + 'documents = ["照片"]', "each is missing", 'each = "dept_'),
    ('add = [{ when = "dibao" }]', "add: an item needs its name", "{ item ="),
    ('points = [{ zh = "甲", when = "food_ok", points = 1 }]', "a score table needs its direction", "low_is_poor"),
    ('points = [{ zh = "甲", points = 1 }]\ndirection = "low_is_poor"', "when must be a condition", 'when = "…"'),
    ('elapsed = ["exit_year"]', "elapsed is from a date to a date", "as_of"),
    ('first_of = ["food_ok"]\nconflict = "f_differs"', "first_of needs two sources", "dept fact"),
    ('members = "count"\nof = "dibao"\nlevel = "person"', "members are a household's or a place's", 'level = "household"'),
    ('members = "count"\nof = "food_ok"\nover = "households"', "members are a household's", 'level = "household"'),
    ('members = "sum"', "sum of what?", 'of = "work_months"'),
    ('members = "any"', "of must be a condition", 'of = "…"'),
    ('rate = "dibao"\nover = "persons"\nframe = "全村"', "a rate is of a village or county", 'level = "village"'),
    (CAR + 'reported = "dept_use"', "a place's table tells of places", 'level = "village"'),
    ('is = ""', "is must be a condition", 'is = "…"'),
]  # fmt: skip

RULES = [  # what stands below the rules, words of the message, words of what to type
    (CHECK + 'unless = [{ zh = "甲" }]', "an exception needs when", "when ="),
    (CHECK + '[rule.line]\ntable = "income"\nyear = "exit_yaer"\nas_fact = "l"', "'exit_yaer' is not a known fact", "exit_year"),
    (CHECK + '[rule.confirmed]\nby = "县"\ndocument = "文"', "date is missing", "date = 2020-01-01"),
    (CHECK + "effective_from = 2019-01-01\neffective_to = 2018-01-01", "effective_to lies before", "2019-01-01 or later"),
    (CHECK + "effective_from = 2018", "effective_from must be a date", "effective_from = 2018-01-01, without quotes"),
    (CHECK + 'effective_from = "去年"', "effective_from must be a date", "= 2014-01-01, without quotes"),
    (CRITERION + 'level = "person"\nmet = "NOT has_car"', "has_car is a department fact", "first_of"),
    (NUMBER, "a parameter needs a value", "[[parameter.value]]"),
    (NUMBER + "[[parameter.value]]\nvalue = 3\n" + CITED, "from is missing", "from = 2020-01-01"),
    (VERDICT + 'all_of = ["X-9"]' + TOLD, "all_of: no rule 'X-9'", "X-"),
    (VERDICT + 'all_of = ["X-1"]' + TOLD, "all_of: X-1 is a check", "none_of"),
    (VERDICT + 'none_of = ["X-3"]' + TOLD + CRITERION + 'level = "household"\nmet = "food_ok"' + TOLD, "none_of: X-3 is not a check", "none_of"),
    (VERDICT + 'all_of = ["X-3"]' + TOLD + CRITERION + 'level = "village"\nmet = "township = village"' + TOLD, "X-3 speaks of a village", 'level = "village"'),
]  # fmt: skip

HEADS = [  # what stands in [pack] or beside it, words of the message, words of what to type
    ('standard = "X-1"', "", "no enabled verdict 'X-1' about households", 'kind = "verdict"'),
    ('standard = "X-2"', VERDICT.replace('"V"', '"VW"') + 'all_of = ["X-3"]' + TOLD + CRITERION + 'level = "household"\nmet = "food_ok"' + TOLD, "X-2 rests on a weak source", "leave standard out"),
    ('opt_in = "yes"', "", "opt_in must be true or false", "opt_in = true, without quotes"),
    ("", '\n[signoff]\ntitle = "签"\nsteps = 3\n', "steps must be text or a list of texts", 'steps = ["…", "…"]'),
    ('extends = ["p"]', "", "extends: p builds on itself", "take one of the extends out"),
    ("", '\n[signoff]\ntitle = "签"\nsteps = ["村", "村"]\n', "a step of the chain stands twice", ""),
    ("", '\n[signoff]\ntitle = "签"\nsteps = ["村"]\ncitation = { title = "忆", provenance = "R" }\n', "only recalled must be off", "enabled = false"),
]  # fmt: skip


def refusal(folder, text) -> tuple[str, str]:
    """What a pack of this text is told, and what it is told to type."""
    with pytest.raises(ConfigurationError) as caught:
        load_packs([write_pack(folder, text)], KNOWN)
    assert "x.toml" in str(caught.value.where)
    return caught.value.what, caught.value.try_ or ""


@pytest.mark.parametrize(("written", "said", "to_type"), FACTS, ids=[row[1] for row in FACTS])
def test_a_fact_that_cannot_be_is_refused(tmp_path, written, said, to_type):
    """One fact of each shape, one thing wrong."""
    what, try_ = refusal(tmp_path, GOOD + FACT + written + "\n")
    assert said in what
    assert to_type in try_


@pytest.mark.parametrize(("written", "said", "to_type"), RULES, ids=[row[1] for row in RULES])
def test_a_rule_that_cannot_be_is_refused(tmp_path, written, said, to_type):
    """One rule or number beside a good one, one thing wrong."""
    what, try_ = refusal(tmp_path, GOOD + written + "\n")
    assert said in what
    assert to_type in try_


@pytest.mark.parametrize(("head", "below", "said", "to_type"), HEADS, ids=[row[2] for row in HEADS])
def test_a_pack_that_cannot_be_is_refused(tmp_path, head, below, said, to_type):
    """The standard, what a pack builds on, who signs."""
    what, try_ = refusal(tmp_path, GOOD.replace('regime = "any"', f'regime = "any"\n{head}') + below)
    assert said in what
    assert to_type in try_


@pytest.mark.parametrize(
    ("instead", "said", "to_type"),
    [
        ("[packs]", "'packs' is not a key here", "[pack]"),
        ("[gap]", "[pack] is missing", "[pack] with its keys below it"),
    ],
)
def test_a_file_without_its_head_is_told_what_it_lacks(tmp_path, instead, said, to_type):
    """A misspelt table is answered with the right one, a missing one with its name."""
    what, try_ = refusal(tmp_path, GOOD.replace("[pack]", instead, 1))
    assert said in what
    assert to_type in try_


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (line() + line(), "this line is given twice"),
        (line().replace("year = 2017\n", ""), "year must be a whole number"),
    ],
)
def test_a_line_that_could_mean_two_things_is_refused(tmp_path, lines, said):
    """Two numbers for one year and place, or a number of no year."""
    with pytest.raises(ConfigurationError, match=said):
        load_lines([write_pack(tmp_path, lines, "lines.toml")])
