"""Which facts a condition may name: the register's columns, what follows from them, what packs declare, and numbers of places."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from fupin_cli.errors import ConfigurationError
from fupin_cli.language import tr
from fupin_cli.rules.pack import (
    AREA_FACTS,
    AREAS,
    DEPT,
    EXTRACT_FACTS,
    GIVEN,
    HOUSEHOLD_FACTS,
    LINK_FACTS,
    PERSON_FACTS,
    REGISTER,
    Level,
)
from fupin_cli.rules.predicate import Predicate, nearest, parse_condition
from fupin_cli.rules.toml import Table
from fupin_cli.vocabulary import EVIDENCE, HOUSEHOLDS, PERSONS

_EXTRACT_FORMS = ("any", "all", "count", "sum", "value", "documents", "events")
_BOUNDED = ("count", "points", "rate")


@dataclass(frozen=True)
class Declared:
    """A fact that a pack declares, before its conditions are read: its level, and what kind of answer it gives."""

    name: str
    level: Level
    from_rows: bool
    bounded: bool
    own_records: bool


@dataclass(frozen=True)
class Names:
    """Which facts a condition may name, at each level."""

    fields: Mapping[str, frozenset[str]]
    declared: Mapping[str, Declared]
    provided: frozenset[str]
    parameters: frozenset[str]
    called: Mapping[str, Collection[str]] = field(default_factory=dict)  # header → columns that files print under it

    @property
    def derived(self) -> frozenset[str]:
        """Facts whose null means more than an empty cell, so that asking for null would turn unknown into an answer."""
        return frozenset(self.declared) | self.provided | self.parameters | {"county_compared", "registered"}

    def at(self, level: Level, kinds: Sequence[str], where: str) -> frozenset[str]:
        """Every name that a rule or fact of this level may read."""
        if level is Level.EXTRACT:
            return dept_fields(kinds, self.fields, where) | EXTRACT_FACTS.keys()
        extra = self.provided | self.parameters
        if level in AREAS:
            return frozenset(AREA_FACTS) | self._of(level) | extra
        if level is Level.HOUSEHOLD:
            own = and_given(register_fields(self.fields)) | set(HOUSEHOLDS.names) | HOUSEHOLD_FACTS.keys()
            return own | self._of(Level.HOUSEHOLD) | extra
        return person_facts(self.fields) | self._of(Level.PERSON) | self._of(Level.HOUSEHOLD) | extra

    def _of(self, level: Level) -> frozenset[str]:
        return frozenset(name for name, fact in self.declared.items() if fact.level is level)

    def condition(self, entry: Table, key: str, known: Collection[str]) -> Predicate | None:
        """The condition under a key, or None. Refuses a number between two bounds where it would not be asked of both."""
        text = entry.text(key, required=False)
        if not text:
            return None
        found = parse_condition(text, known, entry.at(key), key, self.called)
        self.refuse_turning_back(found, entry.at(key), key)
        return found

    def refuse_turning_back(self, condition: Predicate, where: str, key: str) -> None:
        """A number known only between two bounds may stand once, beside < <= > >=: elsewhere two corners prove nothing."""
        for name in condition.names:
            fact = self.declared.get(name)
            if fact and fact.bounded and (name in condition.matched or name in condition.repeated):
                raise ConfigurationError(
                    tr(
                        "{key}: {name} may be known only between two bounds: use it once, with < <= > or >=",
                        key=key,
                        name=name,
                    ),
                    where=where,
                    try_=tr("{name} >= 2, or two rules", name=name),
                )


def declare(entry: Table) -> tuple[Declared, ...]:
    """What a [[fact]] brings, by its keys alone: its own name, and that of its conflict."""
    name = entry.text("name")
    from_rows = "extract" in entry.data and "reported" not in entry.data
    default = Level.PERSON if from_rows and not {"documents", "events"} & entry.data.keys() else Level.HOUSEHOLD
    level = Level(entry.one_of("level", tuple(Level), default))
    bounded = any(key in entry.data for key in _BOUNDED) or entry.data.get("members") == "count"
    own = entry.data.get("by") == "household_id" or bool({"documents", "events"} & entry.data.keys())
    raw = from_rows and not own and any(key in entry.data for key in _EXTRACT_FORMS)
    first = Declared(name, level, raw, bounded, own)
    if "conflict" not in entry.data:
        return (first,)
    return (first, Declared(entry.text("conflict"), level, from_rows=False, bounded=False, own_records=False))


def declare_columns(entry: Table) -> tuple[Declared, ...]:
    """What a [[columns]] brings: one household fact for each column of a table that carries household numbers."""
    names = [name.removeprefix(DEPT) for name in entry.texts("names")]
    return tuple(Declared(name, Level.HOUSEHOLD, from_rows=False, bounded=False, own_records=True) for name in names)


def person_facts(fields: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """What a condition may read of a register person, before any comparison."""
    return and_given(register_fields(fields)) | set(PERSONS.names) | PERSON_FACTS.keys() | HOUSEHOLD_FACTS.keys()


def row_facts(kinds: Sequence[str], fields: Mapping[str, frozenset[str]], where: str) -> frozenset[str]:
    """What a condition on an extract's row may read: its columns, the register person's, and the link between them."""
    return dept_fields(kinds, fields, where) | person_facts(fields) | LINK_FACTS.keys()


def register_fields(fields: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The register's own columns."""
    return fields.get(REGISTER, frozenset())


def dept_fields(kinds: Sequence[str], fields: Mapping[str, frozenset[str]], where: str) -> frozenset[str]:
    """The columns of these kinds of extract, as conditions name them."""
    known: set[str] = set()
    for kind in kinds:
        if kind not in fields and kind != REGISTER:
            close = nearest(kind, fields)
            raise ConfigurationError(
                tr("extract: {kind!r} is no source profile", kind=kind),
                where=where,
                try_=close and tr("extract = {close!r}", close=close),
            )
        own = set(PERSONS.names) if kind == REGISTER else set(EVIDENCE.names)
        known |= {DEPT + name for name in and_given(fields.get(kind, frozenset())) | own | {"former_name_key"}}
    return frozenset(known)


def and_given(fields: frozenset[str]) -> frozenset[str]:
    """The fields, and for each whether a row's file gives it at all."""
    return fields | {GIVEN + name for name in fields}
