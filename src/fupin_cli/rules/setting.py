"""What stays the same while rules are judged one by one, and why a fact can say nothing of anybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from fupin_cli.rules.comparison import Comparison, Label
from fupin_cli.rules.evidence import World
from fupin_cli.rules.facts import Facts
from fupin_cli.rules.lines import Lines
from fupin_cli.rules.pack import GIVEN, Derived, Fact, Level, Rule
from fupin_cli.rules.shapes import FirstOf, Members, Rate, Reported, Score


@dataclass(frozen=True)
class Answer:
    """What one rule says, row by row of the facts of its level; words are found for it only where somebody reads them.

    `outcome` is that of each person, household or place, `homes` that of each household (or place), `found` the band of those
    whom somebody must look at. `stopped` says why nobody could be asked at all, `why_not` why nothing was decided,
    `missing` which columns or lists it could not read.
    """

    outcome: pl.Series
    homes: pl.Series
    found: pl.Series | None
    stopped: tuple[str, ...]
    why_not: str | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """What rules are judged by, and what those before this one have answered; `provided` is which rules give a fact.

    One rule does, but where a place has standards of its own beside a wider place's: together they say who meets the standard.
    """

    facts: Facts
    compared: Comparison
    definitions: Mapping[str, Fact]
    derived: Mapping[str, Derived]
    lines: Lines
    jurisdiction: str
    series: str
    basis: str
    label: Label
    rules: Mapping[str, Rule]
    provided: Mapping[str, tuple[Rule, ...]]
    answers: Mapping[str, Answer]


def why_absent(rule: Rule, name: str, setting: Setting) -> str | None:
    """Why a fact that the rule reads is unknown for everybody, or None."""
    if rule.line and name == rule.line.as_fact:
        return None
    return _why(name, rule.level, setting)


def bottom(names: Iterable[str], derived: Mapping[str, Derived]) -> tuple[str, ...]:
    """The facts that the given ones follow from within one row: what an official would have to fill in."""
    found: dict[str, None] = {}
    for name in names:
        shape = derived[name].shape if name in derived else None
        inside = shape is not None and not isinstance(shape, Members | Rate | Reported)
        found |= dict.fromkeys(bottom(shape.reads, derived)) if shape is not None and inside else {name: None}
    return tuple(found)


def _why(name: str, level: Level, setting: Setting) -> str | None:
    if name in setting.facts.absent:
        return setting.facts.absent[name]
    if name in setting.derived:
        return _why_underived(setting.derived[name], setting)
    if name.startswith(GIVEN) or name in setting.facts.of(level, World.STRICT).columns:
        return None
    return f"台账没有“{setting.label(name)}”列"


def _why_underived(fact: Derived, setting: Setting) -> str | None:
    """Why a fact that follows from others can follow for nobody: a column of theirs, or a table, is absent."""
    shape = fact.shape
    if isinstance(shape, Reported) or (isinstance(shape, Rate) and shape.sampled):
        kind = shape.kind if isinstance(shape, Reported) else shape.over
        return setting.compared.no_extract([kind], None, setting.label)
    at = _level_below(fact) if isinstance(shape, Members | Rate) else fact.level
    lost = [reason for name in shape.reads if (reason := _why(name, at, setting))]
    alternatives = isinstance(shape, FirstOf | Score)
    return "；".join(dict.fromkeys(lost)) if lost and (not alternatives or len(lost) == len(shape.reads)) else None


def _level_below(fact: Derived) -> Level:
    """Of whom a fact about members is asked: of persons, or of households that were one or lie in one place."""
    shape = fact.shape
    over = shape.over if isinstance(shape, Rate) else shape.by if isinstance(shape, Members) else None
    return Level.PERSON if over in (None, "persons") else Level.HOUSEHOLD
