"""Findings about a village or county: nobody's name in them, only what the place's own numbers say."""

from __future__ import annotations

import polars as pl

from fupin_cli.rules.comparison import Comparison, Label
from fupin_cli.rules.finding_text import told
from fupin_cli.rules.findings import describe
from fupin_cli.rules.pack import Rule
from fupin_cli.vocabulary import Band


def place_findings(
    rule: Rule, hits: pl.DataFrame, places: pl.DataFrame, compared: Comparison, label: Label
) -> pl.DataFrame:
    """FINDINGS of a rule about villages or counties; `hits` holds the places `at` which they stand, and `band`."""
    found = places[hits["at"]].with_columns(hits["band"], hits["_unknown"])
    where = pl.concat_str("county", "township", "village", ignore_nulls=True)
    doubt = (
        pl.when(pl.col("band") == Band.REVIEW.value).then(pl.lit("；待核（数据不全，无法判断）")).otherwise(pl.lit(""))
    )
    found = found.with_columns(
        describe(rule.shows, found, label).alias("register_value"),
        pl.lit(rule.id).alias("rule_id"),
        pl.lit(rule.severity.value).alias("severity"),
        pl.lit(rule.title).alias("title"),
        pl.lit(str(rule.citation)).alias("citation"),
        pl.lit("台账").alias("department"),
        pl.lit(next(iter(compared.stages), None), pl.String).alias("stage"),
        pl.lit(compared.as_of).alias("as_of"),
    )
    found = found.with_columns(
        pl.format("{}：{}{}。{}", where, "register_value", doubt, pl.lit(rule.advice)).alias("evidence")
    )
    return told(found, pl.format("{}|{}", pl.lit(rule.id), "place"))
