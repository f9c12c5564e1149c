"""Findings about a village or county: nobody's name in them, only what the place's own numbers say."""

from __future__ import annotations

from hashlib import blake2b

import polars as pl

from fupin_cli.rules.comparison import Comparison, Label
from fupin_cli.rules.findings import describe
from fupin_cli.rules.pack import Rule
from fupin_cli.vocabulary import FINDINGS, Band


def place_findings(
    rule: Rule, hits: pl.DataFrame, places: pl.DataFrame, compared: Comparison, label: Label
) -> pl.DataFrame:
    """FINDINGS of a rule about villages or counties; `hits` holds the places `at` which they stand, and `band`."""
    found = places[hits["at"]].with_columns(hits["band"])
    where = pl.concat_str("county", "township", "village", ignore_nulls=True)
    doubt = (
        pl.when(pl.col("band") == Band.REVIEW.value).then(pl.lit("；待核（数据不全，无法判断）")).otherwise(pl.lit(""))
    )
    keys = [blake2b(f"{rule.id}|{place}".encode(), digest_size=8).hexdigest() for place in found["place"]]
    found = found.with_columns(
        describe(rule.shows, found, label).alias("register_value"),
        pl.lit(rule.id).alias("rule_id"),
        pl.lit(rule.severity.value).alias("severity"),
        pl.lit(rule.title).alias("title"),
        pl.lit(str(rule.citation)).alias("citation"),
        pl.lit("台账").alias("department"),
        pl.lit(next(iter(compared.stages), None), pl.String).alias("stage"),
        pl.lit(compared.as_of).alias("as_of"),
        pl.Series("finding_key", keys, pl.String),
    )
    found = found.with_columns(
        pl.format("{}：{}{}。{}", where, "register_value", doubt, pl.lit(rule.advice)).alias("evidence")
    )
    return FINDINGS.conform(found).select(FINDINGS.names)
