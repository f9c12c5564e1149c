"""Who must be visited, who was, who is left: the outcomes of rules that ask whether a household was visited, put together.

A rule says of each household whether it must be visited and was (clear), was not (hit), or neither can be told. Of one household:

must be visited by | visit | household
-------------------+-------+-------------------------------
any rule           | yes   | visited
any rule           | no    | left
any rule           | ?     | untold: nobody knows of a visit
none, one unsure   | yes   | done: visited, needed or not
none, one unsure   | no, ? | unsure: nobody knows if it must be
none               |       | not on the list
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from fupin_cli.rules import Level, Pack, Rule
from fupin_cli.rules.outcome import Kind
from fupin_cli.vocabulary import HOUSEHOLDS, PLACES, Outcome

VISITS = "visits"  # the kind of extract that says who was visited
STATES = {
    "visited": "已到",
    "left": "未到",
    "untold": "是否到访无法判断",
    "done": "是否应到无法判断，已到",
    "unsure": "是否应到无法判断",
}
TO_DO = ("left", "untold", "unsure")


@dataclass(frozen=True)
class MustVisit:
    """Rules that say who must be visited, the facts of theirs that say who was, and rules about villages in the same packs."""

    rules: tuple[Rule, ...]
    facts: frozenset[str]
    villages: tuple[Rule, ...]


@dataclass(frozen=True)
class Coverage:
    """Households on the list (HOUSEHOLDS, `state`, `because`: titles of rules, `why` it cannot be told), and rules not judged."""

    households: pl.DataFrame
    not_judged: Mapping[str, str]


def must_visit_rules(packs: Sequence[Pack]) -> MustVisit:
    """The rules of these packs that ask of a household whether it was visited."""
    seen = {fact.name for pack in packs for fact in pack.facts if VISITS in fact.kinds}
    found, villages = [], []
    for pack in packs:
        own = [
            r
            for r in pack.rules
            if r.kind is Kind.CHECK and r.level is Level.HOUSEHOLD and seen & set(r.names) and r.enabled
        ]
        found += own
        villages += [r for r in pack.rules if own and r.kind is Kind.CHECK and r.level is Level.VILLAGE and r.enabled]
    return MustVisit(tuple(found), frozenset(seen), tuple(villages))


def cover(households: pl.DataFrame, outcomes: pl.DataFrame, must: MustVisit, not_run: Mapping[str, str]) -> Coverage:
    """Every household that must be visited, or of which nobody knows whether it must be, in one of STATES.

    `outcomes` are a run's, `not_run` says why rules could not run. A rule that could not tell of anybody whether they must be
    visited is not judged: it is named with the reason, and makes nobody doubtful.
    """
    titles = {rule.id: rule.title for rule in must.rules}
    own = outcomes.filter(pl.col("rule_id").is_in(list(titles)), pl.col("outcome") != Outcome.NOT_APPLICABLE)
    lacking = pl.col("missing").list.set_difference(pl.lit(sorted(must.facts), pl.List(pl.String))).list.len()
    # only where nothing but the visit is lacking it is known that they must be visited; a rule that did not run says nothing
    only_visit = (pl.col("missing").list.len() > 0) & (lacking == 0)
    own = own.with_columns(needed=(pl.col("outcome") != Outcome.UNKNOWN) | only_visit)
    unsure = set(own.filter(~pl.col("needed"))["rule_id"].unique())
    blind = {rule: not_run[rule] for rule in titles if rule in not_run and rule in unsure}
    own = own.filter(~pl.col("rule_id").is_in(list(blind)))
    seen = [pl.col(name) for name in sorted(must.facts & set(households.columns))]
    was = pl.coalesce(seen) if seen else pl.lit(None, pl.Boolean)
    each = own.group_by("household_id").agg(
        pl.col("needed").any(),
        (pl.col("outcome") == Outcome.CLEAR).any().alias("yes"),
        (pl.col("outcome") == Outcome.HIT).any().alias("no"),
        pl.col("rule_id")
        .filter("needed")
        .replace_strict(titles, return_dtype=pl.String)
        .unique()
        .sort()
        .str.join("、")
        .alias("because"),
        pl.col("reason").filter(~pl.col("needed")).unique().sort().str.join("；").alias("doubt"),
    )
    homes = HOUSEHOLDS.conform(households).select(HOUSEHOLDS.names)
    known = households.with_columns(was=was.cast(pl.Boolean)).select("household_id", "was")
    rows = homes.join(known, on="household_id").join(each, on="household_id")
    state = (
        pl.when(pl.col("needed") & pl.col("yes"))
        .then(pl.lit("visited"))
        .when(pl.col("needed") & pl.col("no"))
        .then(pl.lit("left"))
        .when("needed")
        .then(pl.lit("untold"))
        .when(pl.col("was").fill_null(value=False))
        .then(pl.lit("done"))
        .otherwise(pl.lit("unsure"))
    )
    rows = rows.with_columns(state=state)
    why = (
        pl.when(pl.col("state") == "untold")
        .then(pl.lit("走访记录没有，或不覆盖本县、本日期"))
        .when(pl.col("state").is_in(["unsure", "done"]))
        .then("doubt")
    )
    rows = rows.with_columns(why=why).drop("was", "needed", "yes", "no", "doubt")
    return Coverage(rows.sort(*PLACES, "hamlet", "household_id", nulls_last=True), blind)


def coverage_of(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """By place: how many must be visited, were, are left, cannot be told; and the share visited between its two bounds.

    `low` takes every doubt against, `high` for; they are one number where there is none. Without anybody to visit both are null.
    """
    counts = {state: (pl.col("state") == state).sum().cast(pl.Int64) for state in STATES}
    told = rows.group_by(by).agg(**counts) if by else rows.select(**counts)
    told = told.with_columns(must=pl.col("visited") + pl.col("left") + pl.col("untold"))
    # whoever may be on the list and was not visited, or may be and was
    most = pl.col("must") + pl.col("unsure")
    told = told.with_columns(
        low=pl.when(most > 0).then(pl.col("visited") / most),
        high=pl.when(pl.col("must") + pl.col("done") > 0).then(
            (pl.col("visited") + pl.col("untold") + pl.col("done")) / (pl.col("must") + pl.col("done"))
        ),
    )
    return told.sort(by, nulls_last=True) if by else told
