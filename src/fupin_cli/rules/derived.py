"""Facts that follow from other facts of the same person, household or place, row by row; null is unknown throughout.

Kleene's tables, drawn; `?` is unknown. `every` is AND of its parts, the conflict of two sources is their difference:

    a | b || a AND b | a OR b | NOT a
    T | T || T       | T      | F
    T | F || F       | T      | F
    T | ? || ?       | T      | F
    F | F || F       | F      | T
    F | ? || F       | ?      | T
    ? | ? || ?       | ?      | ?

An item of a total, and what it adds. An amount of nothing adds nothing, whether it counts or not:

    counts | amount || adds
    T      | 500    || 500
    T      | ?      || ?
    F      | 500    || 0
    F      | ?      || 0
    ?      | 500    || ?
    ?      | 0      || 0

A value that several sources give, the first of them ranking highest; what a difference means is written in the pack:

    first | second || on_conflict first | on_conflict unknown | conflict
    A     | A      || A                 | A                   | F
    A     | B      || A                 | ?                   | T
    A     | ?      || A                 | A                   | ?
    ?     | B      || B                 | B                   | ?
    ?     | ?      || ?                 | ?                   | ?

Two events, the second at least 7 days after the first:

    first | second | days || in order
    T     | T      | 7    || T
    T     | T      | 6    || F
    T     | T      | -1   || F
    T     | T      | ?    || ?
    F     | T      | ?    || F
    T     | F      | ?    || F
    T     | ?      | ?    || ?
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import polars as pl

from fupin_cli.rules.bounds import HIGH, LOW, ask
from fupin_cli.rules.predicate import Predicate
from fupin_cli.rules.shapes import Elapsed, Every, FirstOf, InOrder, Named, Score, Shape, Total

LACKING = "_lacking:"  # prefix: which parts of a set are surely lacking, in words


def derive(name: str, shape: Shape, frame: pl.DataFrame, where: str) -> list[pl.Series]:
    """The columns of one fact: its value, and what belongs to it (bounds, a conflict, what is lacking)."""
    lacking = [read for read in shape.reads if read not in frame.columns]
    frame = frame.with_columns(pl.lit(None).alias(read) for read in lacking)
    match shape:
        case Named(condition):
            found = [ask(frame, condition, where).alias(name)]
        case Total():
            found = [_total(shape, frame, where).alias(name)]
        case Score():
            found = _score(name, shape, frame, where)
        case Elapsed():
            found = [frame.select(_elapsed(shape, frame).alias(name)).to_series()]
        case FirstOf():
            found = _first_of(name, shape, frame)
        case Every():
            found = _every(name, shape, frame)
        case InOrder():
            found = [frame.select(_in_order(shape, frame).alias(name)).to_series()]
        case _:
            raise AssertionError(name)
    return found


def _total(shape: Total, frame: pl.DataFrame, where: str) -> pl.Series:
    nothing = pl.lit(0.0)
    parts = []
    for item in shape.items:
        counts = _truth(frame, item.when, where)
        amount = pl.col(item.name).cast(pl.Float64)
        part = pl.when(~counts | (amount == 0)).then(nothing).when(counts).then(-amount if item.minus else amount)
        parts.append(part)
    total = pl.sum_horizontal(parts, ignore_nulls=False)
    if shape.per is None:
        return frame.select(total.alias("total")).to_series()
    heads = pl.col(shape.per).cast(pl.Float64)
    return frame.select((total / pl.when(heads > 0).then(heads)).alias("total")).to_series()


def _score(name: str, shape: Score, frame: pl.DataFrame, where: str) -> list[pl.Series]:
    """The points, and between which two sums they lie where an item is unknown."""
    held = [(_truth(frame, item.when, where), item.points) for item in shape.items]
    low = pl.sum_horizontal(
        pl.when(truth).then(points).when(truth.is_null()).then(min(points, 0.0)).otherwise(0.0)
        for truth, points in held
    )
    high = pl.sum_horizontal(
        pl.when(truth).then(points).when(truth.is_null()).then(max(points, 0.0)).otherwise(0.0)
        for truth, points in held
    )
    bounds = frame.select(low.alias(LOW + name), high.alias(HIGH + name))
    exact = pl.when(pl.col(LOW + name) == pl.col(HIGH + name)).then(pl.col(LOW + name))
    return bounds.select(exact.alias(name), LOW + name, HIGH + name).get_columns()


def _elapsed(shape: Elapsed, frame: pl.DataFrame) -> pl.Expr:
    start, end = (_as_date(name, frame) for name in (shape.start, shape.end))
    if shape.unit == "days":
        return (end - start).dt.total_days()
    months = (end.dt.year() - start.dt.year()) * 12 + end.dt.month().cast(pl.Int32) - start.dt.month().cast(pl.Int32)
    return (months - (end.dt.day() < start.dt.day()).cast(pl.Int32)).cast(pl.Int64)


def _as_date(name: str, frame: pl.DataFrame) -> pl.Expr:
    return pl.col(name) if frame.schema[name] == pl.Date else pl.col(name).cast(pl.Date, strict=False)


def _first_of(name: str, shape: FirstOf, frame: pl.DataFrame) -> list[pl.Series]:
    sources = [pl.col(source) for source in shape.sources]
    differs = pl.any_horizontal(a != b for a, b in itertools.combinations(sources, 2))
    spoken = frame.select(pl.coalesce(sources).alias(name), differs.alias(shape.conflict))
    if shape.on_conflict == "unknown":
        # a difference that nobody settled leaves no value; where only one source speaks there is none to see
        spoken = spoken.with_columns(pl.when(pl.col(shape.conflict).fill_null(value=False).not_()).then(name))
    return spoken.select(name, shape.conflict).get_columns()


def _every(name: str, shape: Every, frame: pl.DataFrame) -> list[pl.Series]:
    parts = [pl.col(part).cast(pl.Boolean) for part, _ in shape.parts]
    said = [pl.when(~part).then(pl.lit(zh)) for part, (_, zh) in zip(parts, shape.parts, strict=True)]
    lacking = pl.concat_str(said, separator="、", ignore_nulls=True)
    return frame.select(pl.all_horizontal(parts).alias(name), lacking.alias(LACKING + name)).get_columns()


def _in_order(shape: InOrder, frame: pl.DataFrame) -> pl.Expr:
    """All happened, and every two of them in order: also two between which a date is missing."""
    happened = [pl.col(step.happened).cast(pl.Boolean) for step in shape.steps]
    apart = []
    for first, last in itertools.combinations(range(len(shape.steps)), 2):
        days = sum(step.after_days for step in shape.steps[first + 1 : last + 1])
        start, end = (_as_date(shape.steps[n].on, frame) for n in (first, last))
        apart.append((end - start).dt.total_days() >= days)
    return pl.all_horizontal([*happened, *apart])


def _truth(frame: pl.DataFrame, condition: Predicate | None, where: str) -> pl.Expr:
    return pl.lit(value=True) if condition is None else pl.lit(ask(frame, condition, where))


def readable_lacking(names: Sequence[str], frame: pl.DataFrame) -> pl.Expr | None:
    """`缺少：房前、灶前` per row, for the sets among these facts of which something is surely lacking."""
    known = [LACKING + name for name in names if LACKING + name in frame.columns]
    texts = [pl.when(pl.col(column) != "").then(pl.lit("缺少") + pl.col(column)) for column in known]
    return pl.concat_str(texts, separator="；", ignore_nulls=True) if texts else None
