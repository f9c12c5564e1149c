"""The truth tables drawn in rules/outcome.py are what the code does."""

import itertools
import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fupin_cli.rules import outcome
from fupin_cli.rules.outcome import (
    ORDER,
    OUTCOME,
    Join,
    Kind,
    any_true,
    as_fact,
    conclude,
    decide,
    of_households,
    roll_up,
)

TRUTH = {"true": [True], "false": [False], "unknown": [None], "-": [True, False, None]}


def drawn_rows() -> list[tuple[str, str, str, str]]:
    """The rows of the first table in the docstring."""
    row = re.compile(r"^ +(\w+) +\| +(\S+) +\|\| +(\w+) +\| +(\w+)$", re.MULTILINE)
    return [found for found in row.findall(outcome.__doc__) if found[0] != "applies"]


def test_the_drawn_table_is_whole():
    """Every pair of truth values stands in the drawn table, once."""
    pairs = [pair for a, h, _, _ in drawn_rows() for pair in itertools.product(TRUTH[a], TRUTH[h])]
    assert sorted(pairs, key=str) == sorted(itertools.product([True, False, None], repeat=2), key=str)


@pytest.mark.parametrize(("applies", "holds", "criterion", "check"), drawn_rows())
def test_decide_follows_the_drawn_table(applies, holds, criterion, check):
    """One person: the outcome stands in the table."""
    for a, h in itertools.product(TRUTH[applies], TRUTH[holds]):
        frame = pl.DataFrame({"a": [a], "h": [h]}, schema={"a": pl.Boolean, "h": pl.Boolean})
        assert frame.select(decide(Kind.CRITERION, pl.col("a"), pl.col("h"))).item() == criterion
        assert frame.select(decide(Kind.CHECK, pl.col("a"), pl.col("h"))).item() == check


@pytest.mark.parametrize("kind", [Kind.CRITERION, Kind.CHECK])
def test_the_drawn_order_is_the_order(kind):
    """The docstring's order of outcomes is the one in use."""
    names = [line for line in outcome.__doc__.splitlines() if line.strip().startswith(kind.value)][-1].split("||")[1]
    assert [name.strip() for name in names.split(">")] == [o.value for o in ORDER[kind]]


@pytest.mark.parametrize(
    ("kind", "members", "household"),
    [
        (Kind.CRITERION, ["met", "unknown", "met"], "unknown"),
        (Kind.CRITERION, ["not_met", "unknown", "met"], "not_met"),
        (Kind.CRITERION, ["met", "not_applicable"], "met"),
        (Kind.CRITERION, ["not_applicable"], "not_applicable"),
        (Kind.CHECK, ["clear", "unknown"], "unknown"),
        (Kind.CHECK, ["clear", "unknown", "hit"], "hit"),
        (Kind.CHECK, ["clear", "not_applicable"], "clear"),
    ],
)
def test_household_of_its_members(kind, members, household):
    """One failing member fails the household, one unknown member keeps it from being met."""
    frame = pl.DataFrame({"outcome": members}, schema={"outcome": OUTCOME})
    assert frame.select(roll_up()).item() == household
    nobodys = pl.Series([*([1] * len(members)), None], dtype=pl.UInt32)  # the last person belongs to no household
    outcomes = pl.concat([frame["outcome"], pl.Series([ORDER[kind][0].value], dtype=OUTCOME)])
    assert of_households(outcomes, nobodys, 2).to_list() == ["not_applicable", household]
    if kind is Kind.CRITERION:
        assert joined(Join.ALL_OF, members) == household


def joined(join, members):
    """The verdict of these outcomes."""
    names = [f"m{n}" for n in range(len(members))]
    return pl.DataFrame([members], schema=names, orient="row").select(conclude(join, names)).item()


def drawn_joins() -> list[tuple[Join, list[str]]]:
    """The rows of the third table in the docstring."""
    rows = re.findall(r"^ +(all_of|any_of|none_of) +\|\| (.+)$", outcome.__doc__, re.MULTILINE)
    return [(Join(name), [word.strip() for word in order.split(">")]) for name, order in rows]


@pytest.mark.parametrize(("join", "order"), drawn_joins())
def test_a_verdict_is_the_first_outcome_that_any_member_has(join, order):
    """All pairs of members, whichever comes first; a veto that hits is a standard not met."""
    vetoed = {"hit": "not_met", "clear": "met"}
    for pair in itertools.product(order, repeat=2):
        first = min(pair, key=order.index)
        assert joined(join, list(pair)) == (vetoed.get(first, first) if join is Join.NONE_OF else first)


def test_every_join_is_drawn():
    """The docstring forgets no way of making a verdict."""
    assert [join for join, _ in drawn_joins()] == list(Join)


@given(st.lists(st.sampled_from([True, False, None]), max_size=6))
def test_any_is_kleene(values):
    """OR: one true decides, else one unknown, else false."""
    expected = True if True in values else None if None in values else False
    assert pl.DataFrame({"x": values}, schema={"x": pl.Boolean}).select(any_true(pl.col("x"))).item() is expected


def test_as_fact():
    """What is unknown or does not apply is an unknown fact for later rules."""
    frame = pl.DataFrame({"outcome": ["met", "hit", "not_met", "clear", "unknown", "not_applicable"]})
    assert frame.select(as_fact()).to_series().to_list() == [True, True, False, False, None, None]
