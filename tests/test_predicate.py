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


@pytest.mark.parametrize(
    ("text", "said", "why", "to_type"),
    [
        ("CASE WHEN dibao THEN 1 ELSE 0 END = 1", "SQL that conditions do not have", "turn an unknown into an answer", "two rules"),
        ("ifnull(dibao, FALSE)", "SQL that conditions do not have", "allowed are known facts", "first_of"),
        ("age IN (SELECT 1)", "SQL that conditions do not have", "", "any, count, sum, value"),
        ("upper(sex) = 'A'", "SQL that conditions do not have", "", "a fact of its own, named in [[fact]]"),
        ("dibao XOR sex = 'A'", "SQL that conditions do not have", "", "a <> b"),
        ("age(1)", "'age' is not a known fact", "numbers, 'text', = <> < <=", "see docs/rules.md"),
        ("born > DATE 'x'", "DATE is followed by a day", "allowed are", "DATE '2020-01-31'"),
        ("born > DATE 3", "DATE is followed by a day", "allowed are", "DATE '2020-01-31'"),
        ("born > DATE", "DATE is followed by a day", "allowed are", "DATE '2020-01-31'"),
        ("born > DATE '2019-02-29'", "DATE is followed by a day", "allowed are", "DATE '2020-01-31'"),
        ("dibao AND NOT NULL", "NULL may only follow IS or IS NOT", "allowed are", None),
        ("dibao IS NOT TRUE", "IS may only ask for NULL", "IS TRUE would answer no", None),
        ("sex = “男”", "'“男”' is not allowed in a condition", "allowed are", "straight quotes"),
        ("age ≥ 3", "'≥' is not allowed", "allowed are", ">="),
        ("dibao & age > 3", "'&' is not allowed", "allowed are", "AND"),
        ("dibao ； age", "'；' is not allowed", "allowed are", "one condition, joined by AND or OR"),
        ("dibao; age", "';' is not allowed", "allowed are", "one condition, joined by AND or OR"),
        ("age > 1 -- all", "'--' is not allowed", "allowed are", "a comment of TOML"),
        ("dibao #", "'#' is not allowed", "allowed are", "see docs/rules.md"),
        ("  ", "hit is empty", "a condition is needed, such as dibao = TRUE", None),
        ("dibao age > 3", "hit is not a condition: 'dibao age > 3'", "its words are allowed, their order is not", "AND or OR between"),
    ],
)  # fmt: skip
def test_what_to_type_instead(text, said, why, to_type):
    """Whoever writes what is not allowed is told why, and what there is for it."""
    with pytest.raises(ConfigurationError) as caught:
        parse_condition(text, FACTS, WHERE, "hit")
    assert said in caught.value.what
    assert why in (caught.value.why or "")
    assert (caught.value.try_ is None) if to_type is None else (to_type in caught.value.try_)


@pytest.mark.parametrize(
    ("text", "known", "to_type"),
    [
        ("是否低保 = TRUE", {"dibao", "dept_dibao"}, "dibao（是否低保）"),
        ("是否低保 = TRUE", {"dept_dibao", "use"}, "dept_dibao（是否低保）"),
        ("是否低保户 = TRUE", {"dibao"}, "dibao（是否低保）"),
        ("使用性质 = '营运'", {"dept_use", "use", "kind"}, "kind（使用性质）"),
        ("是否低保 = TRUE", {"use"}, "see docs/rules.md, Conditions"),
        ("耕地面积 > 3", {"dibao"}, "see docs/rules.md, Conditions"),
    ],
)
def test_a_header_is_answered_with_its_column(text, known, to_type):
    """Who writes what stands over the column in the file is told what the column is called here."""
    called = {"是否低保": {"dibao"}, "使用性质": {"use", "kind"}}
    with pytest.raises(ConfigurationError) as caught:
        parse_condition(text, known, WHERE, "hit", called)
    assert caught.value.try_ == to_type


@pytest.mark.parametrize(
    ("word", "to_type"),
    [("dept_given_uze", "dept_given_use"), ("dept_uze", "dept_use"), ("given_sax", "given_sex"), ("uze", "use")],
)
def test_a_likeness_is_looked_for_among_its_own_kind(word, to_type):
    """What all of a kind begin with likens nothing."""
    known = {"dept_given_use", "dept_use", "given_sex", "use", "dept_given_age"}
    with pytest.raises(ConfigurationError) as caught:
        parse_condition(f"{word} = 1", known, WHERE, "hit")
    assert caught.value.try_ == to_type


def test_a_misspelt_fact_gets_a_suggestion():
    """The error ends with what the writer may have meant."""
    with pytest.raises(ConfigurationError) as caught:
        parse_condition("incom > 3", FACTS, WHERE, "met")
    assert caught.value.try_ == "income"


@pytest.mark.parametrize(
    ("text", "said", "why", "to_type"),
    [
        ("dibao = 'yes'", "compares dibao with a text", "dibao is Boolean", "dibao with TRUE or FALSE, or alone"),
        (
            "dibao IN ('yes', 'y')",
            "compares dibao with a text",
            "dibao is Boolean",
            "dibao with TRUE or FALSE, or alone",
        ),
        ("'3' = age", "compares age with a text", "age is Int64", "age with a number, without quotes"),
        ("age NOT LIKE '%1%'", "compares age with a text", "age is Int64", "age with a number, without quotes"),
        ("born = '2000-01-01'", "compares born with a text", "born is Date", "born with DATE '2020-01-31'"),
        ("sex > 3", "cannot evaluate", "sex is String: compare each with its own type", None),
        ("age + 1", "is not a yes-or-no question", "it gives Int64", None),
    ],
)
def test_types_must_fit(text, said, why, to_type):
    """A comparison across types says which fact has which type and what to type instead, and quotes no value."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        ask(text, sex="张三丰", age=3, dibao=True)
    assert (caught.value.why, caught.value.try_) == (why, to_type)
    assert "张三丰" not in str(caught.value)


def test_a_condition_that_reads_nothing_is_asked_of_every_row():
    """TRUE is true of each of three."""
    frame = pl.DataFrame({"age": [1, 2, 3]})
    assert evaluate(frame, parse_condition("TRUE", FACTS, WHERE, "hit"), WHERE).to_list() == [True, True, True]


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
        ("dibao AND (sex = '男')", {"sex"}, {"sex"}, {"dibao"}, set()),
        ("age > (- income)", set(), set(), set(), set()),
    ],
)
def test_how_facts_are_asked(text, as_text, matched, alone, null):
    """Which facts are compared with a text, asked whether they are something, answers by themselves, or looked at for a blank."""
    read = parse_condition(text, FACTS, WHERE, "hit")
    assert (read.read_as_text, read.matched, read.alone, read.tested_for_null) == (as_text, matched, alone, null)
    assert not read.repeated
    twice = parse_condition(f"({text}) AND born IS NULL AND born IS NULL", FACTS, WHERE, "hit")
    assert "born" in twice.repeated


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("(dibao", "1 '(' and 0 ')'"),
        ("dibao AND", "something to join by AND"),
        ("OR dibao", "something to join by OR"),
        ("dibao OR NOT", "something to join by NOT"),
        ("dibao AND age > 3 OR", "something to join by OR"),
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
