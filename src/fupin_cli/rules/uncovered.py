"""Townships that the register evidently does not reach: the lists name people there, and it holds nobody.

A sheet that was left out makes everybody of its township look missed. Whether they are nobody can tell from such a register.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from fupin_cli.rules.comparison import Comparison

_KEYS = ["county_key", "township_key"]
_ENOUGH = 5  # listed people; a name or two may be a slip of the pen, and stays a clue
_MOST_KNOWN = 0.1  # share of them that the register knows elsewhere: more, and the township was merged or renamed


def uncovered_townships(compared: Comparison, people: pl.DataFrame, kinds: Collection[str]) -> pl.DataFrame:
    """county_key, township_key, county, township and `listed` (people) of the townships that the register does not reach.

    Asked of the lists of these kinds, in the counties that the register holds. Empty where the register names no townships.
    """
    held = people.select(_KEYS).drop_nulls().unique()
    parts = [
        rows.select(*_KEYS, "county", "township", "id_number")
        for kind in sorted(kinds)
        if (rows := compared.evidence.get(kind)) is not None
    ]
    names = [pl.col(name).drop_nulls().mode().min() for name in ("county", "township")]
    if not parts or held.is_empty():
        return pl.DataFrame(schema=dict.fromkeys([*_KEYS, "county", "township"], pl.String) | {"listed": pl.Int64})
    there = pl.concat(parts).drop_nulls([*_KEYS, "id_number"]).join(held, on=_KEYS, how="anti")
    there = there.join(held.select("county_key").unique(), on="county_key", how="semi").unique(
        [*_KEYS, "id_number"], keep="any"
    )
    known = people.select("id_number").drop_nulls().unique().with_columns(_known=pl.lit(value=True))
    told = there.join(known, on="id_number", how="left").group_by(_KEYS).agg(
        *names, pl.len().cast(pl.Int64).alias("listed"), pl.col("_known").fill_null(value=False).mean()
    )  # fmt: skip
    told = told.filter(pl.col("listed") >= _ENOUGH, pl.col("_known") <= _MOST_KNOWN)
    return told.select(*_KEYS, "county", "township", "listed").sort(_KEYS)
