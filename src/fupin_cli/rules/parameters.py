"""Numbers that a place sets (warning thresholds, shares): which value holds here, on which day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from fupin_cli.rules.pack import NATIONAL, Dated, Parameter, significant, within


def in_force_here(parameters: Sequence[Parameter], jurisdiction: str) -> dict[str, Parameter]:
    """Name → the parameter of the most specific place that holds this one and has any value enabled."""
    found: dict[str, Parameter] = {}
    for parameter in sorted(parameters, key=_breadth):
        binds = parameter.jurisdiction == NATIONAL or within(jurisdiction, parameter.jurisdiction)
        if binds and any(value.enabled for value in parameter.values):
            found[parameter.name] = parameter
    return found


def value_on(parameter: Parameter, day: date) -> Dated | None:
    """The enabled value of a day, or None."""
    return next((v for v in parameter.values if v.enabled and v.start <= day <= (v.end or date.max)), None)


def column(parameter: Parameter, day: pl.Expr, before: pl.Expr | None = None) -> pl.Expr:
    """The parameter's value on each row's day; `before`, or null, where none is enabled then."""
    value = pl.lit(None, pl.Float64) if before is None else before
    for dated in parameter.values:
        if dated.enabled:
            holds = (day >= pl.lit(dated.start)) & (day <= pl.lit(dated.end or date.max))
            value = pl.when(holds).then(pl.lit(dated.value)).otherwise(value)
    return value.alias(parameter.name)


def _breadth(parameter: Parameter) -> tuple[bool, int]:
    return (parameter.jurisdiction != NATIONAL, len(significant(parameter.jurisdiction)))
