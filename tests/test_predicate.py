"""Conditions: what is allowed, what is refused and how it is said, and that nothing unknown becomes an answer."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fupin_cli.errors import ConfigurationError
from fupin_cli.rules.predicate import evaluate, parse_condition

FACTS = {
    "age": pl.Int64,
    "sex": pl.String,
    "dibao": pl.Boolean,
    "use": pl.String,
    "income": pl.Float64,
    "born": pl.Date,
}
WHERE = "checks/x.toml, rule X-1"


def ask(text: str, **values: object) -> bool | None:
    frame = pl.DataFrame({name: [values.get(name)] for name in FACTS}, schema=FACTS)
    return evaluate(frame, parse_condition(text, FACTS, WHERE, "hit"), WHERE).item()


@pytest.mark.parametrize(
    ("text", "values", "truth"),
    [
        ("age BETWEEN 6 AND 15", {"age": 15}, True),
        ("age BETWEEN 6 AND 15", {}, None),
        ("sex IN ('男', '女')", {"sex": "男"}, True),
        ("sex NOT IN ('男')", {}, None),
        ("dibao AND age > 5", {"age": 3}, False),
        ("dibao OR age > 5", {"age": 9}, True),
        ("dibao OR age > 5", {"age": 3}, None),
        ("NOT dibao", {}, None),
        ("use LIKE '%商%'", {"use": "商业服务"}, True),
        ("use NOT LIKE '%商%'", {}, None),
        ("sex IS NULL", {}, True),
        ("sex IS NOT NULL and age = 3", {"sex": "女", "age": 3}, True),
        ("income / 2 + 1 > 10 * 5 - 3", {"income": 100.0}, True),
        ("sex <> 'it''s'", {"sex": "女"}, True),
        ("TRUE", {}, True),
        ("dibao = FALSE", {"dibao": False}, True),
    ],
)
def test_three_valued(text, values, truth):
    """Every operator keeps an unknown unknown, unless the rest decides."""
    assert ask(text, **values) is truth


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("COALESCE(dibao, FALSE)", "'COALESCE' is not a known fact"),
        ("CASE WHEN dibao THEN 1 ELSE 0 END = 1", "'CASE'"),
        ("age IN (SELECT 1)", "'SELECT'"),
        ("dibao IS TRUE", "IS may only ask for NULL"),
        ("sex = NULL", "NULL may only follow IS"),
        ("sex IN ('男', NULL)", "NULL may only follow IS"),
        ('"sex" = 1', "not allowed"),
        ("age > 1; dibao", "not allowed"),
        ("age > 1 -- all", "not allowed"),
        ("age > 1 /* all */", "'all' is not a known fact"),
        ("age(1)", "'age' is not a known fact"),
        ("age AND AND dibao", "not a condition"),
        ("age dibao", "not a condition"),
        ("age >", "not a condition"),
        ("(age > 1", "not a condition"),
        ("age, dibao", "not a condition"),
        ("*", "not a condition"),
        ("  ", "is empty"),
        ("agee > 3", "'agee' is not a known fact"),
    ],
)
def test_refused(text, said):
    """Whatever is not in the small language is refused, and the word is named."""
    with pytest.raises(ConfigurationError) as caught:
        parse_condition(text, FACTS, WHERE, "hit")
    assert said in str(caught.value)
    assert WHERE in str(caught.value)


def test_a_misspelt_fact_gets_a_suggestion():
    """The error ends with what the writer may have meant."""
    with pytest.raises(ConfigurationError) as caught:
        parse_condition("incom > 3", FACTS, WHERE, "met")
    assert caught.value.try_ == "income"


@pytest.mark.parametrize(
    "text", ["sex > 3", "dibao = 'yes'", "dibao IN ('yes', 'y')", "'3' = age", "age NOT LIKE '%1%'"]
)
def test_types_must_fit(text):
    """A comparison across types says which fact has which type, and quotes no value."""
    with pytest.raises(ConfigurationError) as caught:
        ask(text, sex="张三丰", age=3, dibao=True)
    assert "张三丰" not in str(caught.value)


def test_a_number_is_no_answer():
    """A condition must be a yes-or-no question."""
    with pytest.raises(ConfigurationError, match="not a yes-or-no question"):
        ask("age + 1", age=3)


def test_an_absent_column_may_be_searched_for_text():
    """A fact that no extract has is unknown under LIKE too."""
    frame = pl.DataFrame({"use": [None, None]})
    condition = parse_condition("use NOT LIKE '%宅%'", FACTS, WHERE, "any")
    assert evaluate(frame, condition, WHERE).to_list() == [None, None]


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    """No text of a pack crashes: it is a condition over known facts, or a configuration error."""
    try:
        condition = parse_condition(text, FACTS, WHERE, "hit")
    except ConfigurationError:
        return
    assert set(condition.names) <= set(FACTS)


@pytest.mark.parametrize(
    ("text", "as_text", "matched", "alone", "null"),
    [
        ("sex = '男'", {"sex"}, {"sex"}, set(), set()),
        ("'男' <> sex", {"sex"}, {"sex"}, set(), set()),
        ("sex IN ('男', '女')", {"sex"}, {"sex"}, set(), set()),
        ("sex NOT LIKE '%a'", {"sex"}, {"sex"}, set(), set()),
        ("sex BETWEEN 'a' AND 'b'", {"sex"}, {"sex"}, set(), set()),
        ("5 BETWEEN age AND income", set(), {"age"}, set(), set()),
        ("born >= DATE '2000-01-01'", set(), set(), set(), set()),
        ("dibao AND sex = '男'", {"sex"}, {"sex"}, {"dibao"}, set()),
        ("NOT (dibao OR age > 5) AND born IS NULL", set(), set(), {"dibao"}, {"born"}),
        ("sex IS NOT NULL OR use LIKE '商%'", {"use"}, {"use"}, set(), {"sex"}),
    ],
)
def test_how_facts_are_asked(text, as_text, matched, alone, null):
    """Which facts are compared with a text, asked whether they are something, answers by themselves, or looked at for a blank."""
    read = parse_condition(text, FACTS, WHERE, "hit")
    assert (read.read_as_text, read.matched, read.alone, read.tested_for_null) == (as_text, matched, alone, null)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("(dibao", "1 '(' and 0 ')'"),
        ("dibao AND", "something to join by AND"),
        ("OR dibao", "something to join by OR"),
        ("dibao OR NOT", "something to join by NOT"),
        ("age = = 3", "= once, not =="),
        ("dibao age > 3", "AND or OR between two questions"),
    ],
)
def test_words_that_make_no_condition_are_told_why(text, hint):
    """All of them are allowed, and still they ask nothing."""
    with pytest.raises(ConfigurationError) as refused:
        parse_condition(text, FACTS, WHERE, "hit")
    assert hint in str(refused.value)


def test_a_departments_columns_are_offered_where_nothing_is_near():
    """Its own, and not those that every list has, nor whether they are given."""
    known = {"dept_use", "dept_given_use", "dept_name", "age"}
    with pytest.raises(ConfigurationError) as refused:
        parse_condition("dept_qqqqqqqqqqqq = 1", known, WHERE, "hit")
    assert refused.value.try_ == "one of: dept_use"
    with pytest.raises(ConfigurationError) as refused:
        parse_condition("qqqqqqqqqqqq = 1", known, WHERE, "hit")
    assert refused.value.try_ == "see docs/rules.md"


def test_an_absent_upper_end_leaves_it_unknown():
    """The AND of BETWEEN joins no questions: what stands behind it is a number, also where no file gives it."""
    frame = pl.DataFrame({"age": [3, 0], "income": [None, None]})
    condition = parse_condition("age BETWEEN 1 AND income", FACTS, WHERE, "hit")
    assert evaluate(frame, condition, WHERE).to_list() == [None, False]
