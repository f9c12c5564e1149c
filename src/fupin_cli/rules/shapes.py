"""How a fact may follow from other facts: a small set of shapes, each with the names that it reads. Nothing here computes.

shape     | says                                          | unknown when
named     | a condition under a name                      | the condition is
total     | items added, items taken off, divided         | an item that counts, or whether it counts, is unknown
score     | points of a table, with its direction         | an item is; then it lies between two bounds
elapsed   | days or whole months between two dates        | either date is
first of  | the first source that speaks, and a conflict  | no source speaks, or sources disagree where that matters
every     | all of several facts                          | Kleene's AND
in order  | events in their order, so many days apart     | an event is there without its date
members   | any, all, count, sum … over a household       | Kleene's any, all; a count lies between two bounds
rate      | a share of persons, households or sample rows | it lies between two bounds
reported  | a number that a village's or county's row says | there is no row, or rows disagree
"""

from __future__ import annotations

from dataclasses import dataclass

from fupin_cli.rules.predicate import Predicate


def _names(*parts: Predicate | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts if part for name in part.names))


@dataclass(frozen=True)
class Named:
    """A condition under a name."""

    condition: Predicate

    @property
    def reads(self) -> tuple[str, ...]:
        """The facts that it needs."""
        return self.condition.names


@dataclass(frozen=True)
class Item:
    """One item of a total: counted where `when` holds, taken off instead of added where `minus`."""

    name: str
    when: Predicate | None
    minus: bool


@dataclass(frozen=True)
class Total:
    """Items added and taken off, divided by `per`: an income by one jurisdiction's inclusions and exclusions."""

    items: tuple[Item, ...]
    per: str | None

    @property
    def reads(self) -> tuple[str, ...]:
        """The facts that it needs."""
        items = [name for item in self.items for name in (item.name, *_names(item.when))]
        return tuple(dict.fromkeys([*items, *([self.per] if self.per else [])]))


@dataclass(frozen=True)
class Points:
    """Points for those of whom a condition holds."""

    zh: str
    when: Predicate
    points: float


@dataclass(frozen=True)
class Score:
    """Points of a table. `direction` says who is poor, and has no default: two provinces may read a number oppositely."""

    items: tuple[Points, ...]
    direction: str

    @property
    def reads(self) -> tuple[str, ...]:
        """The facts that it needs."""
        return _names(*(item.when for item in self.items))


@dataclass(frozen=True)
class Elapsed:
    """Days, or whole months, from one date to another; negative where the second comes first."""

    start: str
    end: str
    unit: str

    @property
    def reads(self) -> tuple[str, ...]:
        """The facts that it needs."""
        return (self.start, self.end)


@dataclass(frozen=True)
class FirstOf:
    """The value of the first source that gives one. `conflict` names the fact that is true where two sources differ."""

    sources: tuple[str, ...]
    conflict: str
    on_conflict: str

    @property
    def reads(self) -> tuple[str, ...]:
        """The facts that it needs."""
        return self.sources


@dataclass(frozen=True)
class Every:
    """All of several facts, each with what people call it: a complete set of documents."""

    parts: tuple[tuple[str, str], ...]

    @property
    def reads(self) -> tuple[str, ...]:
        """The facts that it needs."""
        return tuple(name for name, _ in self.parts)


@dataclass(frozen=True)
class Step:
    """One event: whether it happened, when, and how many days at least after the one before."""

    zh: str
    happened: str
    on: str
    after_days: int


@dataclass(frozen=True)
class InOrder:
    """Events that all happened, none before the one that precedes it, each so many days later."""

    steps: tuple[Step, ...]

    @property
    def reads(self) -> tuple[str, ...]:
        """The facts that it needs."""
        return tuple(name for step in self.steps for name in (step.happened, step.on))


@dataclass(frozen=True)
class Members:
    """any, all, count, sum, max or min of a condition or value over members, or over households that were one (`by`)."""

    how: str
    condition: Predicate | None
    value: str | None
    where: Predicate | None
    by: str | None

    @property
    def reads(self) -> tuple[str, ...]:
        """The facts that it needs, of members or of linked households."""
        extra = [name for name in (self.value, self.by) if name]
        return tuple(dict.fromkeys([*_names(self.condition, self.where), *extra]))


@dataclass(frozen=True)
class Rate:
    """The share of those `among` whom `condition` holds; `over` is persons, households or a kind of sample.

    The sample frame is said in words, and fewer than `at_least` tell nothing. Several rows of one village are added up.
    """

    over: str
    condition: Predicate
    among: Predicate | None
    at_least: int
    frame: str

    @property
    def sampled(self) -> bool:
        """Whether it is asked of the rows of an extract."""
        return self.over not in ("persons", "households")

    @property
    def reads(self) -> tuple[str, ...]:
        """The facts that it needs, of persons or households; a sample reads its own rows."""
        return () if self.sampled else _names(self.condition, self.among)


@dataclass(frozen=True)
class Reported:
    """A value that the row of a village or county says in a table about places."""

    kind: str
    value: str

    @property
    def reads(self) -> tuple[str, ...]:
        """Nothing but its own table."""
        return ()


Shape = Named | Total | Score | Elapsed | FirstOf | Every | InOrder | Members | Rate | Reported
