"""How far the extracts of a kind speak of a fact: which of them, and of which counties.

An extract says nothing of papers or steps of which it names none, and nothing of a time of which it has no row: whoever stands
on last year's list of the insured is not uninsured because this year's is not there yet.
"""

from __future__ import annotations

import polars as pl

from fupin_cli.rules.comparison import Comparison, days, department_columns
from fupin_cli.rules.pack import DEPT, Fact
from fupin_cli.rules.predicate import evaluate


def speaking(fact: Fact, kind: str, compared: Comparison) -> pl.DataFrame:
    """The fresh extracts of a kind that can tell of this fact, their coverage no wider than what they tell of.

    They name it or any of its siblings; with `covers`, they reach the counties in which some row of theirs is like that.
    """
    covers = fact.covers.sql if fact.covers else ""
    key = ("speaking", kind, fact.max_age_days, fact.each, fact.siblings, covers)
    return compared.once(key, lambda whole: _speaking(fact, kind, whole))


def _speaking(fact: Fact, kind: str, compared: Comparison) -> pl.DataFrame:
    fresh, rows = compared.extracts_of(kind, fact.max_age_days), compared.evidence.get(kind)
    if rows is None:
        return fresh
    column = fact.each.removeprefix(DEPT)
    if fact.siblings and column in rows.columns:
        naming = rows.filter(pl.col(column).is_in(fact.siblings))["extract"].unique()
        fresh = fresh.filter(pl.col("extract").is_in(naming.implode()))
    return _of_the_time(fact, fresh, rows, compared) if fact.covers else fresh


def _of_the_time(fact: Fact, fresh: pl.DataFrame, rows: pl.DataFrame, compared: Comparison) -> pl.DataFrame:
    """Of these extracts those with a row that satisfies `covers`, and only for the counties of such rows.

    A row that names no county may be of any that its extract covers.
    """
    asked = fact.covers
    if asked is None:
        return fresh
    frame = rows.select(
        "extract",
        "county_key",
        *department_columns(asked.names, rows),
        **days(compared.as_of),
    )
    frame = frame.join(fresh.select("extract", list_as_of="as_of"), on="extract", how="inner")
    frame = frame.with_columns(pl.lit(None).alias(name) for name in asked.names if name not in frame.columns)
    held = frame.filter(evaluate(frame, asked, fact.where)).group_by("extract").agg(
        pl.col("county_key").drop_nulls().unique().sort().alias("_there"),
        pl.col("county_key").is_null().any().alias("_anywhere"),
    )  # fmt: skip
    met = fresh.join(held, on="extract", how="inner", maintain_order="left")
    everywhere = pl.col("coverage").list.len().fill_null(0) == 0
    narrowed = pl.when(everywhere).then("_there").otherwise(pl.col("coverage").list.set_intersection("_there"))
    met = met.with_columns(pl.when("_anywhere").then("coverage").otherwise(narrowed).alias("coverage"))
    return met.filter(pl.col("_anywhere") | (pl.col("coverage").list.len() > 0)).select(fresh.columns)
