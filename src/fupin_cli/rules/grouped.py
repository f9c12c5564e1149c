"""Facts of a household or place that follow from its members: any, all, count, sum, max, min, and shares with their frame.

Three members, drawn; `?` is unknown. A count that holds an unknown lies between two bounds, a sum that holds one is unknown:

    members | any | all | count
    T T T   | T   | T   | 3..3
    T T F   | T   | F   | 2..2
    T T ?   | T   | ?   | 2..3
    T F ?   | T   | F   | 1..2
    T ? ?   | T   | ?   | 1..3
    F F F   | F   | F   | 0..0
    F F ?   | ?   | F   | 0..1
    F ? ?   | ?   | F   | 0..2
    ? ? ?   | ?   | ?   | 0..3

With `where`, only members for whom it holds are meant: any asks for `where AND x`, all for `NOT where OR x`.
Nobody at all: any is false, all is true, a count and a sum are 0, a share is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from fupin_cli.rules.bounds import HIGH, LOW, ask
from fupin_cli.rules.predicate import Predicate
from fupin_cli.rules.shapes import Members, Rate


def over_members(name: str, shape: Members, rows: pl.DataFrame, group: str, where: str) -> pl.DataFrame:
    """One row per value of `group`: the fact, and its bounds where it has any; rows whose group is null belong nowhere."""
    rows = _with_absent(rows, (*shape.reads, *([shape.value] if shape.value else [])))
    asked = rows.select(
        pl.col(group), *[_asked(shape, rows, where)], *([pl.col(shape.value).alias("value")] if shape.value else [])
    ).drop_nulls(group)
    return asked.group_by(group).agg(_aggregate(name, shape.how))


def holding(shape: Members, rows: pl.DataFrame, where: str) -> pl.Series:
    """For each of these rows what `over_members` asks of it: true, false or null."""
    rows = _with_absent(rows, shape.reads)
    return rows.select(_asked(shape, rows, where)).to_series()


def share(name: str, shape: Rate, rows: pl.DataFrame, group: str, where: str) -> pl.DataFrame:
    """One row per value of `group`: the share, its two bounds, and how many rows were in the frame."""
    rows = _with_absent(rows, [name for part in (shape.condition, shape.among) if part for name in part.names])
    among = _truth(shape.among, rows, where)
    holds = rows.select(pl.col(group), among.alias("among"), _truth(shape.condition, rows, where).alias("holds"))
    both = pl.col("among") & pl.col("holds")
    counts = holds.drop_nulls(group).group_by(group).agg(
        both.sum().alias("sure"), both.is_null().sum().alias("maybe"),
        pl.col("among").sum().alias("in"), pl.col("among").is_null().sum().alias("perhaps"),
    )  # fmt: skip
    most, least = pl.col("in") + pl.col("perhaps"), pl.col("in")
    enough = least >= max(shape.at_least, 1)
    low = pl.when(enough).then(pl.col("sure") / most).otherwise(0.0)
    high = pl.when(enough).then(pl.min_horizontal((pl.col("sure") + pl.col("maybe")) / least, 1.0)).otherwise(1.0)
    bounds = counts.select(group, low.alias(LOW + name), high.alias(HIGH + name), least.alias(f"_frame:{name}"))
    return bounds.with_columns(_exact(name))


def _with_absent(rows: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """The rows with a column of nulls for each name that no file gives."""
    return rows.with_columns(pl.lit(None).alias(name) for name in dict.fromkeys(names) if name not in rows.columns)


def _asked(shape: Members, rows: pl.DataFrame, where: str) -> pl.Expr:
    """What is asked of each member: `where AND x`, or `NOT where OR x` where all must."""
    within, holds = _truth(shape.where, rows, where), _truth(shape.condition, rows, where)
    return ((~within | holds) if shape.how == "all" else (within & holds)).alias("holds")


def _aggregate(name: str, how: str) -> list[pl.Expr]:
    holds, value = pl.col("holds"), pl.col("value")
    # a value of nobody who counts adds nothing; of somebody who may count, it makes the whole unknown
    counted = value.filter(holds.fill_null(value=True))
    unknown = (holds.is_null() | (holds & value.is_null())).any()
    match how:
        case "any":
            return [holds.any(ignore_nulls=False).alias(name)]
        case "all":
            return [holds.all(ignore_nulls=False).alias(name)]
        case "count":
            low = holds.sum().cast(pl.Float64)
            high = low + holds.is_null().sum()
            return [pl.when(low == high).then(low).alias(name), low.alias(LOW + name), high.alias(HIGH + name)]
        case "sum":
            return [pl.when(~unknown).then(counted.sum()).alias(name)]
        case "max":
            return [pl.when(~unknown).then(counted.max()).alias(name)]
        case _:
            return [pl.when(~unknown).then(counted.min()).alias(name)]


def _exact(name: str) -> pl.Expr:
    return pl.when(pl.col(LOW + name) == pl.col(HIGH + name)).then(pl.col(LOW + name)).alias(name)


def _truth(condition: Predicate | None, rows: pl.DataFrame, where: str) -> pl.Expr:
    return pl.lit(value=True) if condition is None else pl.lit(ask(rows, condition, where))
