"""What stays the same while rules are judged one by one, and why a fact can say nothing of anybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from fupin_cli.rules.comparison import Comparison, Label
from fupin_cli.rules.evidence import World
from fupin_cli.rules.facts import Facts
from fupin_cli.rules.lines import Lines
from fupin_cli.rules.pack import GIVEN, Derived, Fact, Level, Rule
from fupin_cli.rules.shapes import FirstOf, Members, Rate, Reported, Score


@dataclass(frozen=True)
class Undecided:
    """What a rule lacks where it could decide nothing at all: of some counties, and of all of them when added up.

    `asked` and `decided` say whether anybody was asked, and decided. `empty` are columns that nobody filled in, `lacks` what the
    undecided lack, in words, `unknown` whether anybody is undecided, and `absent` why columns and lists could not be read.
    """

    asked: bool = False
    decided: bool = False
    unknown: bool = False
    empty: tuple[str, ...] = ()
    lacks: frozenset[str] = frozenset()
    absent: tuple[str, ...] = ()

    def __add__(self, other: Undecided) -> Undecided:
        if not (self.asked and other.asked):
            return self if self.asked else other
        return Undecided(
            asked=True,
            decided=self.decided or other.decided,
            unknown=self.unknown or other.unknown,
            empty=tuple(text for text in self.empty if text in other.empty),
            lacks=self.lacks | other.lacks,
            absent=self.absent,
        )

    @property
    def why(self) -> str | None:
        """The reason in words, where one holds for everybody."""
        if not self.asked or self.decided:
            return None
        if self.empty:
            return self.empty[0]
        if not self.unknown or (len(self.lacks) > 1 and not self.absent):
            return None
        return "；".join([*self.absent, *sorted(self.lacks)]) or None


def why_not(stopped: Sequence[str], lost: Sequence[str], undecided: Undecided) -> str | None:
    """Why a rule decided nothing: it could not run, members of a verdict are switched off, or all lack the same."""
    return "；".join(stopped) or ("未启用：" + "、".join(lost) if lost else undecided.why)


@dataclass(frozen=True)
class Answer:
    """What one rule says, row by row of the facts of its level; words are found for it only where somebody reads them.

    `outcome` is that of each person, household or place, `homes` that of each household (or place), `found` the band of those
    whom somebody must look at, and `only_unknown` marks those among them of whom nothing else is known than that nobody knows.
    `stopped` says why nobody could be asked at all, `missing` which columns or lists it could not read; `undecided` is what was
    lacking where nothing at all was decided, and `lost` which members of a verdict are switched off.
    """

    outcome: pl.Series
    homes: pl.Series
    found: pl.Series | None
    only_unknown: pl.Series
    stopped: tuple[str, ...]
    undecided: Undecided
    missing: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def why_not(self) -> str | None:
        """Why nothing was decided, or what is lacking for all of it to be; None where there is an answer."""
        return why_not(self.stopped, self.lost, self.undecided)


@dataclass(frozen=True)
class Setting:
    """What rules are judged by, and what those before this one have answered; `provided` is which rules give a fact.

    One rule does, but where a place has standards of its own beside a wider place's: together they say who meets the standard.
    `said` are the words last found for each rule, and for whom: verdicts and rules that read others ask for them again.
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
    said: dict[str, tuple[pl.Series, pl.DataFrame]] = field(default_factory=dict, repr=False, compare=False)


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
