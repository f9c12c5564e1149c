"""The sentence of a finding, and the key by which later rounds know it."""

from __future__ import annotations

from hashlib import blake2b

import polars as pl

from fupin_cli.rules.pack import Level, Rule
from fupin_cli.vocabulary import BASES, FINDINGS, Band


def written(rule: Rule, found: pl.DataFrame) -> pl.DataFrame:
    """FINDINGS with the sentence that the village reads, and a key that is the same in every round and row order."""
    basis = pl.col("basis").replace_strict(
        {code: zh for code, (zh, _) in BASES.items()}, default=pl.col("basis"), return_dtype=pl.String
    )
    said = pl.when(pl.col("department_value").fill_null("") != "").then(
        pl.format(
            "；{}数据（截至{}）：{}",
            pl.col("department").fill_null("部门"),
            pl.col("as_of").dt.to_string("%Y-%m-%d").fill_null("日期不明"),
            pl.col("department_value"),
        )
    )
    sentence = pl.concat_str(
        pl.lit("台账登记：" if rule.level is not Level.EXTRACT else "")
        + pl.when(pl.col("register_value") == "").then(pl.lit("在册")).otherwise(pl.col("register_value")),
        pl.when(pl.col("_told").is_not_null()).then(pl.format("；{}", "_told")),
        said,
        pl.when(pl.col("basis").is_not_null()).then(pl.format("；匹配依据：{}", basis)),
        pl.when(pl.col("more") > 0).then(pl.format("；另有{}条", "more")),
        pl.when(pl.col("band") == Band.REVIEW.value).then(pl.lit("；待核（比对关系未确认，或证件号码不可用）")),
        pl.lit(f"。{rule.advice}"),
        ignore_nulls=True,
    )
    found = found.with_columns(
        pl.lit(rule.id).alias("rule_id"),
        pl.lit(rule.severity.value).alias("severity"),
        pl.lit(rule.title).alias("title"),
        pl.lit(str(rule.citation)).alias("citation"),
        sentence.alias("evidence"),
    )
    # two people whom nothing tells apart still are two findings: number them
    twins = pl.struct(pl.col("household_id"), "_key")
    found = (
        found.sort("_key", "household_id", "register_row", nulls_last=True)
        if "register_row" in found.columns
        else found
    )
    found = found.with_columns(pl.int_range(pl.len()).over(twins).alias("_nth"))
    text = pl.concat_str(
        pl.lit(rule.id),
        pl.col("household_id").fill_null(""),
        pl.col("_key"),
        pl.when(pl.col("_nth") > 0).then(pl.col("_nth").cast(pl.String)),
        separator="|",
        ignore_nulls=True,
    )
    keys = [blake2b(key.encode(), digest_size=8).hexdigest() for key in found.select(text).to_series()]
    return FINDINGS.conform(found.with_columns(pl.Series("finding_key", keys, pl.String))).select(FINDINGS.names)
