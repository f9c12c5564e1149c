"""Kleene logic, named in this one place: how true, false and unknown become outcomes, and outcomes a household's.

One person or household. `applies` is the rule's `when`, `holds` its `met` or `hit`; `-` means that it does not matter:

    applies | holds   || criterion      | check
    true    | true    || met            | hit
    true    | false   || not_met        | clear
    true    | unknown || unknown        | unknown
    unknown | -       || unknown        | unknown
    false   | -       || not_applicable | not_applicable

Many persons, one household (and many criteria, one verdict). The first outcome of this order that any of them has:

    criterion, verdict || not_met > unknown > met   > not_applicable
    check              || hit     > unknown > clear > not_applicable

This is Kleene's all (criterion) and any (check) over those to whom the rule applies; nobody is not_applicable.

A verdict is made of one kind of members, again the first outcome that any of them has:

    all_of  || not_met > unknown > met     > not_applicable
    any_of  || met     > unknown > not_met > not_applicable
    none_of || hit     > unknown > clear   > not_applicable

none_of asks vetoes: a hit makes the verdict not_met, all clear make it met.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import cache

import numpy as np
import polars as pl

from fupin_cli.vocabulary import Outcome

# one order for both kinds of rule, so that of many outcomes the first one is the least
OUTCOME = pl.Enum(
    [o.value for o in (Outcome.NOT_MET, Outcome.HIT, Outcome.UNKNOWN, Outcome.MET, Outcome.CLEAR)]
    + [Outcome.NOT_APPLICABLE.value]
)


class Kind(StrEnum):
    """What a rule is: a standard that a household meets, a comparison that may hit, or the sum of several standards."""

    CRITERION = "criterion"
    CHECK = "check"
    VERDICT = "verdict"


ORDER: dict[Kind, tuple[Outcome, ...]] = {
    Kind.CRITERION: (Outcome.NOT_MET, Outcome.UNKNOWN, Outcome.MET, Outcome.NOT_APPLICABLE),
    Kind.VERDICT: (Outcome.NOT_MET, Outcome.UNKNOWN, Outcome.MET, Outcome.NOT_APPLICABLE),
    Kind.CHECK: (Outcome.HIT, Outcome.UNKNOWN, Outcome.CLEAR, Outcome.NOT_APPLICABLE),
}


def when_holds(kind: Kind) -> tuple[Outcome, Outcome]:
    """The two decided outcomes of a kind: for a condition that holds, and for one that does not."""
    return (Outcome.HIT, Outcome.CLEAR) if kind is Kind.CHECK else (Outcome.MET, Outcome.NOT_MET)


def decide(kind: Kind, applies: pl.Expr, holds: pl.Expr) -> pl.Expr:
    """The OUTCOME of one person, household or extract row, by the first table above."""
    yes, no = when_holds(kind)
    return (
        pl.when(applies.is_null())
        .then(said(Outcome.UNKNOWN))
        .when(~applies)
        .then(said(Outcome.NOT_APPLICABLE))
        .when(holds.is_null())
        .then(said(Outcome.UNKNOWN))
        .when(holds)
        .then(said(yes))
        .otherwise(said(no))
    )


@cache
def said(outcome: Outcome) -> pl.Expr:
    """One outcome for everybody."""
    return pl.lit(outcome.value, OUTCOME)


def roll_up(outcome: str = "outcome") -> pl.Expr:
    """The outcome of many out of an OUTCOME column, as an aggregation: the second table above."""
    return pl.col(outcome).min()


def of_households(outcomes: pl.Series, home: pl.Series, homes: int) -> pl.Series:
    """The same for each of so many households; `home` says which one each outcome's person belongs to, null for none."""
    rolled = np.full(homes, OUTCOME.categories.len() - 1, dtype=np.uint8)  # nobody: not applicable
    at_home = home.is_not_null()
    codes = outcomes.to_physical()
    if home.null_count():
        codes, home = codes.filter(at_home), home.filter(at_home)
    np.minimum.at(rolled, home.to_numpy(), codes.to_numpy())
    return pl.Series("outcome", rolled).cat.to(OUTCOME)


class Join(StrEnum):
    """How a verdict is made of its members."""

    ALL_OF = "all_of"
    ANY_OF = "any_of"
    NONE_OF = "none_of"


JOIN_ORDER: dict[Join, tuple[Outcome, ...]] = {
    Join.ALL_OF: ORDER[Kind.VERDICT],
    Join.ANY_OF: (Outcome.MET, Outcome.UNKNOWN, Outcome.NOT_MET, Outcome.NOT_APPLICABLE),
    Join.NONE_OF: ORDER[Kind.CHECK],
}
_VETOED = {Outcome.HIT: Outcome.NOT_MET, Outcome.CLEAR: Outcome.MET}


def conclude(join: Join, outcomes: Iterable[str]) -> pl.Expr:
    """The verdict out of several OUTCOME columns, row by row: the third table above."""
    members = [pl.col(name).cast(OUTCOME) for name in outcomes]
    vetoed = _VETOED if join is Join.NONE_OF else {}
    return pl.coalesce(
        pl.when(pl.any_horizontal(member == outcome.value for member in members)).then(
            said(vetoed.get(outcome, outcome))
        )
        for outcome in JOIN_ORDER[join]
    )


def as_fact(outcome: str = "outcome") -> pl.Expr:
    """An outcome as a fact that later rules read: met and hit are true, not_met and clear false, the rest unknown."""
    return (
        pl.when(pl.col(outcome).is_in([Outcome.MET.value, Outcome.HIT.value]))
        .then(pl.lit(True))
        .when(pl.col(outcome).is_in([Outcome.NOT_MET.value, Outcome.CLEAR.value]))
        .then(pl.lit(False))
    )


def any_true(truth: pl.Expr) -> pl.Expr:
    """Kleene's OR over a group: true if any is, else unknown if any is unknown, else false (also where there is none)."""
    return truth.any(ignore_nulls=False)
