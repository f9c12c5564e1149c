"""The truth tables drawn in rules/derived.py, rules/grouped.py and rules/bounds.py are what the code does; docs/rules.md prints them."""

import re
from datetime import date, timedelta

import polars as pl
import pytest

from fupin_cli.rules import bounds, derived, grouped
from fupin_cli.rules.bounds import HIGH, LOW, ask
from fupin_cli.rules.derived import derive
from fupin_cli.rules.grouped import over_members
from fupin_cli.rules.predicate import parse_condition
from fupin_cli.rules.shapes import FirstOf, InOrder, Item, Members, Named, Step, Total

TRUTH = {"T": True, "F": False, "?": None}
VALUE = {"A": "A", "B": "B", "?": None}


def table(first_heading: str, text: str) -> list[list[str]]:
    """The rows below the line of headings that begins so, each as its cells."""
    lines = text.splitlines()
    start = next(n for n, line in enumerate(lines) if re.match(rf" +{re.escape(first_heading)} +\|", line))
    rows = []
    for line in lines[start + 1 :]:
        if "|" not in line:
            break
        rows.append([cell.strip() for cell in re.split(r"\|+", line)])
    return rows


def one(shape, **facts):
    frame = pl.DataFrame({name: [value] for name, value in facts.items()})
    return [column.item() for column in derive("x", shape, frame, "here")]


@pytest.mark.parametrize("row", table("members", grouped.__doc__))
@pytest.mark.parametrize(("how", "cell"), [("any", 1), ("all", 2), ("count", 3)])
def test_three_members(row, how, cell):
    """any, all and count of three members; a count that holds an unknown lies between two bounds."""
    members = [TRUTH[word] for word in row[0].split()]
    rows = pl.DataFrame({"g": [1] * 3, "a": members}, schema={"g": pl.Int64, "a": pl.Boolean})
    found = over_members("x", Members(how, condition("a"), None, None, None), rows, "g", "here")
    if how != "count":
        assert found["x"].item() is TRUTH[row[cell]]
        return
    low, high = (int(end) for end in row[cell].split(".."))
    assert (found[LOW + "x"].item(), found[HIGH + "x"].item()) == (low, high)
    assert found["x"].item() == (low if low == high else None)


def condition(text: str):
    return parse_condition(text, {"a", "b", "n"}, "here", "is")


@pytest.mark.parametrize("row", table("a", derived.__doc__))
def test_and_or_not(row):
    """Kleene's logic, and it does not matter which side is which."""
    a, b, both, either, negated = (TRUTH[cell] for cell in row)
    for left, right in ((a, b), (b, a)):
        frame = pl.DataFrame({"a": [left], "b": [right]}, schema={"a": pl.Boolean, "b": pl.Boolean})
        assert derive("x", Named(condition("a AND b")), frame, "here")[0].item() is both
        assert derive("x", Named(condition("a OR b")), frame, "here")[0].item() is either
    frame = pl.DataFrame({"a": [a]}, schema={"a": pl.Boolean})
    assert derive("x", Named(condition("NOT a")), frame, "here")[0].item() is negated


@pytest.mark.parametrize("row", table("counts", derived.__doc__))
def test_what_an_item_adds(row):
    """An amount of nothing adds nothing; an amount that may count is unknown."""
    amount, adds = (None if cell == "?" else float(cell) for cell in row[1:])
    shape = Total((Item("n", condition("a"), minus=False),), None)
    frame = pl.DataFrame({"a": [TRUTH[row[0]]], "n": [amount]}, schema={"a": pl.Boolean, "n": pl.Float64})
    assert derive("x", shape, frame, "here")[0].item() == adds


@pytest.mark.parametrize("row", table("first", derived.__doc__)[:5])
def test_which_source_outranks_which(row):
    """The first that speaks; what a difference means is said in the pack."""
    first, second, kept, doubted = (VALUE[cell] for cell in row[:4])
    for how, expected in (("first", kept), ("unknown", doubted)):
        shape = FirstOf(("a", "b"), "conflict", how)
        frame = pl.DataFrame({"a": [first], "b": [second]}, schema={"a": pl.String, "b": pl.String})
        said, conflict = (column.item() for column in derive("x", shape, frame, "here"))
        assert said == expected
        assert conflict is TRUTH[row[4]]


def events() -> list[list[str]]:
    return table("first", derived.__doc__.split("Two events")[1])


@pytest.mark.parametrize("row", events())
def test_two_events(row):
    """Both happened, the second at least seven days later."""
    start = date(2017, 9, 1)
    shape = InOrder((Step("甲", "a", "a_on", 0), Step("乙", "b", "b_on", 7)))
    frame = pl.DataFrame(
        {"a": [TRUTH[row[0]]], "b": [TRUTH[row[1]]], "a_on": [start], "b_on": [None if row[2] == "?" else start + timedelta(int(row[2]))]},
        schema={"a": pl.Boolean, "b": pl.Boolean, "a_on": pl.Date, "b_on": pl.Date},
    )  # fmt: skip
    assert derive("x", shape, frame, "here")[0].item() is TRUTH[row[3]]


@pytest.mark.parametrize("row", table("count of members", bounds.__doc__))
def test_a_count_between_two_bounds(row):
    """Asked at both ends; unknown where the ends do not agree."""
    sure = int(row[0].split()[0])
    maybe = 1 if "unknown" in row[0] else 0
    frame = pl.DataFrame(
        {"n": [sure if not maybe else None], LOW + "n": [sure], HIGH + "n": [sure + maybe]},
        schema={"n": pl.Float64, LOW + "n": pl.Float64, HIGH + "n": pl.Float64},
    )
    assert ask(frame, condition("n >= 2"), "here").item() is {"true": True, "false": False, "unknown": None}[row[1]]
