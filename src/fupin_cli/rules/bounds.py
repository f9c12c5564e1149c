"""Numbers that are not known exactly, but between two bounds: counts, points and shares with unknowns among them.

A condition is asked at every corner of the bounds. Where all corners answer alike the answer is sure, else it is unknown:

    count of members   || count >= 2
    2 sure             || true
    1 sure, 1 unknown  || unknown
    0 sure, 1 unknown  || false

That is right only for conditions that never turn back as the number grows, so such a fact may stand once in a condition, beside
< <= > or >=; the loader sees to it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import polars as pl

from fupin_cli.rules.predicate import Predicate, evaluate

LOW, HIGH = "_low:", "_high:"
UNBOUNDED = float(2**40)  # more than any count or amount


def ask(frame: pl.DataFrame, condition: Predicate, where: str) -> pl.Series:
    """True, false or null per row, as `evaluate`; facts that are only known between two bounds are asked at both."""
    bounded = [name for name in condition.names if LOW + name in frame.columns]
    if not bounded:
        return evaluate(frame, condition, where)
    frame = frame[[*condition.names, *(end + name for name in bounded for end in (LOW, HIGH))]]
    corners = [
        evaluate(frame.with_columns(pl.col(end + name).alias(name) for end, name in corner), condition, where)
        for corner in _corners(bounded)
    ]
    first = corners[0]
    agree = pl.all_horizontal(pl.lit(other).eq_missing(pl.lit(first)) for other in corners)
    return pl.select(pl.when(agree).then(pl.lit(first))).to_series().cast(pl.Boolean)


def answers(frame: pl.DataFrame, yes: Predicate | None, where: str, no: Predicate | None = None) -> pl.Series:
    """True, false or null per row: whether `yes` holds, for everybody where there is none.

    With `no`, false is only what `no` says; what neither of them knows is unknown.
    """
    if yes is None:
        return pl.repeat(value=True, n=frame.height, dtype=pl.Boolean, eager=True)
    holds = ask(frame, yes, where)
    if no is None:
        return holds
    denied = pl.when("no").then(pl.lit(value=False))
    both = pl.DataFrame({"yes": holds, "no": ask(frame, no, where)})
    return both.select(pl.when("yes").then(pl.lit(value=True)).otherwise(denied)).to_series()


def _corners(names: Sequence[str]) -> list[tuple[tuple[str, str], ...]]:
    ends = itertools.product((LOW, HIGH), repeat=len(names))
    return [tuple(zip(corner, names, strict=True)) for corner in ends]
