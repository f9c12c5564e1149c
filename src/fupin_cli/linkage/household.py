"""Household context: others of one register household who are found in one household of the extract vouch for each other."""

from __future__ import annotations

import polars as pl

from fupin_cli.linkage.blocking import PAIR
from fupin_cli.linkage.comparison import levels_of

_BOTH = ["register_household", "extract_household"]


def households(settled: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame) -> pl.DataFrame:
    """register_household, extract_household, `people` settled in both: which household of the register stands on which card."""
    return _with_households(settled, r, e).drop_nulls(_BOTH).group_by(_BOTH).len("people").sort(_BOTH)


def block_on_household(known: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame) -> pl.DataFrame:
    """Pairs of people whose households are known to be one."""
    register = r.select(pl.col("at").alias(PAIR[0]), pl.col("household").alias(_BOTH[0]))
    extract = e.select(pl.col("at").alias(PAIR[1]), pl.col("household").alias(_BOTH[1]))
    return known.select(_BOTH).join(register, on=_BOTH[0]).join(extract, on=_BOTH[1]).select(PAIR)


def household_level(pairs: pl.DataFrame, known: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame) -> pl.Series:
    """joined: others of the register household were found in this household; apart: only in others; null: nobody can tell."""
    found = _with_households(pairs, r, e)
    if not known.height or not found.height:
        return pl.repeat(None, pairs.height, dtype=levels_of("household"), eager=True).alias("household_level")
    anybody = known.select(pl.col(_BOTH[0]).unique(), pl.lit(value=True).alias("anybody"))
    found = found.join(known, on=_BOTH, how="left", maintain_order="left").join(
        anybody, on=_BOTH[0], how="left", maintain_order="left"
    )
    level = pl.when(pl.col("people").is_not_null()).then(pl.lit("joined")).when(
        pl.col("anybody") & pl.col(_BOTH[1]).is_not_null()
    ).then(pl.lit("apart"))  # fmt: skip
    return found.select(level.cast(levels_of("household")).alias("household_level")).to_series()


def context(known: pl.DataFrame, r: pl.DataFrame, rows: int) -> tuple[float, float, int]:
    """How often others vouch for a person who was found without them, and for two people at random; and from how many people.

    The extract has so many `rows`.
    """
    people = known["people"].cast(pl.Int64)
    together = int((people * (people > 1)).sum())
    with_others = known.group_by(_BOTH[0]).agg(pl.col("people").sum()).filter(pl.col("people") > 1)["people"].sum()
    # the two households are of about one size: whoever stands on one register card may be any of those on the other
    size = known.join(
        r.select(pl.col("household").alias(_BOTH[0])).drop_nulls().group_by(_BOTH[0]).len("size"), on=_BOTH[0]
    )["size"].cast(pl.Float64)
    return (
        together / max(int(with_others), 1),
        float((size * size).sum()) / max(r.height * rows, 1),
        int(with_others),
    )


def _with_households(pairs: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(
        [r["household"].gather(pairs[PAIR[0]]).alias(_BOTH[0]), e["household"].gather(pairs[PAIR[1]]).alias(_BOTH[1])]
    )
