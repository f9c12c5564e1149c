"""The sentence of a finding, and the key by which later rounds know it.

Two people whom nothing tells apart have the same key until all that a rule found is together: then they are numbered.
"""

from __future__ import annotations

from hashlib import blake2b

import polars as pl

from fupin_cli.rules.pack import Level, OnUnknown, Rule
from fupin_cli.vocabulary import BASES, FINDINGS, Band

_WHO, _UNKNOWN = "_about", "_unknown"


# FINDINGS, what the key of each is made of, and whether it is one only where the rule has decided something
TOLD = pl.Schema(FINDINGS.schema | {_WHO: pl.String(), _UNKNOWN: pl.Boolean()})
NOTHING_TOLD = pl.DataFrame(schema=TOLD)


def written(rule: Rule, found: pl.DataFrame) -> pl.DataFrame:
    """TOLD, with the sentence that the village reads; `_key` says whom each is about, `_unknown` that nobody knows of them."""
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
        pl.when(pl.col("more") > 0).then(pl.format("；该数据中另有{}条同类记录", "more")),
        pl.when(pl.col("band") == Band.REVIEW.value).then(_doubt(rule)),
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
    about = pl.concat_str(
        pl.lit(rule.id), pl.col("household_id").fill_null(""), "_key", separator="|", ignore_nulls=True
    )
    return told(found, about)


def _doubt(rule: Rule) -> pl.Expr:
    """Why a finding must be confirmed first: what is not known, or who is it; a number that can be used is never blamed."""
    if rule.on_unknown is OnUnknown.REVIEW:
        return pl.lit("；待核：现有数据不足以判断")
    numbered = pl.col("basis").is_not_null() | pl.col("id_number").is_not_null()
    who = pl.when(numbered).then(pl.lit("是否同一人尚未确认"))
    return pl.format("；待核：{}", who.otherwise(pl.lit("证件号码不可用，是否同一人无法确认")))


def told(found: pl.DataFrame, about: pl.Expr) -> pl.DataFrame:
    """TOLD out of what has all its other columns; `about` names whom each finding is about."""
    found = found.with_columns(about.alias(_WHO))
    return FINDINGS.conform(found.with_columns(_keys(found[_WHO]))).select(TOLD.names())


def keyed(found: pl.DataFrame, *, decided: bool) -> pl.DataFrame:
    """FINDINGS of one rule, sorted, each with a key that is the same in every round and row order.

    Where the rule has `decided` nothing at all, those of whom nobody knows are no findings.
    """
    if not decided:
        found = found.filter(~pl.col(_UNKNOWN))
    twins = found[_WHO].is_duplicated()
    if twins.any():
        # two people whom nothing tells apart still are two findings: number them, as they stand in the register
        order = found.select(_WHO, "register_row").with_row_index("at").filter(twins)
        nth = order.sort("register_row", nulls_last=True).with_columns(n=pl.int_range(pl.len()).over(_WHO))
        nth = nth.filter(pl.col("n") > 0)
        texts = nth.select(pl.format("{}|{}", _WHO, "n")).to_series()
        found = found.with_columns(found["finding_key"].scatter(nth["at"], _keys(texts)))
    return found.select(FINDINGS.names).sort("household_id", "register_row", "finding_key")


def _keys(texts: pl.Series) -> pl.Series:
    """The key of each text: sixteen hexadecimal digits."""
    keys = [blake2b(text.encode(), digest_size=8).hexdigest() for text in texts.to_list()]
    return pl.Series("finding_key", keys, pl.String)
