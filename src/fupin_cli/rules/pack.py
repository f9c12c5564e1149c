"""What a rule pack is: frozen rules and facts, each dated and cited. Nothing here knows any data or any file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from fupin_cli.errors import ConfigurationError
from fupin_cli.rules.outcome import Kind
from fupin_cli.rules.predicate import Predicate
from fupin_cli.vocabulary import Outcome, Severity

REGISTER = "register"  # the kind whose evidence is the register itself, linked to itself by its duplicates
NATIONAL = "00"
DEPT = "dept_"
GIVEN = "given_"  # given_x: whether the file that a row comes from says x of anybody

# facts that every register has, because we derive them: name → (Chinese, English)
PERSON_FACTS = {
    "as_of": ("比对日期", "as-of date"),
    "as_of_year": ("比对年度", "as-of year"),
    "age": ("年龄", "age"),
    "age_at_school_start": ("学年开始（9月1日）时的年龄", "age on 1 September of the school year"),
    "days_since_entry": ("录入至今天数", "days since entry"),
    "county_compared": ("录入前经过县级比对", "compared by the county before entry"),
    "former_name_key": ("曾用名比对键", "former-name key"),
}
HOUSEHOLD_FACTS = {
    "as_of": ("比对日期", "as-of date"),
    "member_count_actual": ("台账实有人数", "members in the register"),
}
LINK_FACTS = {
    "link_basis": ("匹配依据", "match basis"),
    "link_weight": ("匹配权重", "match weight"),
    "link_accepted": ("比对关系已确认", "link accepted"),
}
EXTRACT_FACTS = {"as_of": ("比对日期", "as-of date"), "registered": ("台账中有此人", "is in the register")}


class Level(StrEnum):
    """Of whom a rule speaks: one person, the household, or one person on a department's list."""

    PERSON = "person"
    HOUSEHOLD = "household"
    EXTRACT = "extract"


class Provenance(StrEnum):
    """How sure we are of a rule's source: verified, in public code, weak, in the bulletin, or only recalled."""

    VERIFIED = "V"
    CODE = "VC"
    WEAK = "VW"
    BULLETIN = "B"
    RECALLED = "R"


@dataclass(frozen=True)
class Citation:
    """Where a rule or line is written, and how sure we are of it."""

    title: str
    provenance: Provenance
    doc_no: str = ""
    date: str = ""
    locator: str = ""

    def __str__(self) -> str:
        number = "，".join(part for part in (self.doc_no, self.date) if part)
        return f"《{self.title}》" + (f"（{number}）" if number else "") + self.locator


@dataclass(frozen=True)
class Example:
    """A worked example: facts that are given, all others unknown, and the outcome that must follow."""

    given: Mapping[str, Any]
    then: Outcome


@dataclass(frozen=True)
class LineUse:
    """Which year's line a rule is held against; `this_year_when` lets the as-of year stand in for a year not given."""

    table: str
    year: str
    as_fact: str
    this_year_when: Predicate | None


@dataclass(frozen=True)
class Fact:
    """A department fact: true where a linked row of one of `kinds` satisfies `condition`.

    With `links = "any"` a link under review counts like an accepted one. `optional` names columns, of the extract or the
    register, that may be absent: they are then unknown. Extracts older than `max_age_days` say nothing, and of a person's
    rows those with an earlier `latest` than another one are superseded. `by_household`: a list of one person a household
    names no other member, so it proves nobody else's absence.
    """

    name: str
    zh: str
    en: str
    kinds: tuple[str, ...]
    condition: Predicate
    level: Level
    links: str
    max_age_days: int | None
    latest: str | None
    by_household: bool
    shows: tuple[str, ...]
    optional: frozenset[str]
    where: str


@dataclass(frozen=True)
class Rule:
    """One dated, cited condition. `optional` facts may be absent from the register; any other absent fact stops the rule.

    With `denied`, a criterion is not met only where that holds, and unknown where neither condition does.
    """

    id: str
    title: str
    title_en: str
    kind: Kind
    level: Level
    severity: Severity
    when: Predicate | None
    condition: Predicate | None
    denied: Predicate | None
    all_of: tuple[str, ...]
    kinds: tuple[str, ...]
    max_age_days: int | None
    provides: str | None
    shows: tuple[str, ...]
    optional: frozenset[str]
    advice: str
    effective_from: date | None
    effective_to: date | None
    enabled: bool
    citation: Citation
    line: LineUse | None
    examples: tuple[Example, ...]
    where: str

    @property
    def names(self) -> tuple[str, ...]:
        """The facts that the rule reads, each once."""
        read = [name for part in (self.when, self.condition, self.denied) if part for name in part.names]
        return tuple(dict.fromkeys(read))


@dataclass(frozen=True)
class Pack:
    """A file of facts and rules for one jurisdiction and regime; `kinds` says how people call each kind of extract."""

    id: str
    title: str
    title_en: str
    jurisdiction: str
    regime: str
    kinds: Mapping[str, str]
    facts: tuple[Fact, ...]
    rules: tuple[Rule, ...]
    where: str


def applies_to(pack: Pack, jurisdiction: str) -> bool:
    """Whether a pack binds this place: national ones do, others where their division code is a prefix of the place's."""
    return pack.jurisdiction == NATIONAL or within(jurisdiction, pack.jurisdiction)


def within(place: str, jurisdiction: str) -> bool:
    """Whether a division code lies inside another; trailing 00 pairs say nothing, so 990000 is 99."""
    return significant(place).startswith(significant(jurisdiction))


def significant(code: str) -> str:
    """A division code without the trailing zero pairs that say nothing."""
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code


def in_order(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules, each after those whose outcomes it reads; otherwise as they were. Raises ConfigurationError for a circle."""
    provider = {rule.provides: rule.id for rule in rules if rule.provides}
    ids = {rule.id for rule in rules}
    waiting, done = list(rules), dict[str, Rule]()
    while waiting:
        ready = [
            rule for rule in waiting
            if all(need in done or need not in ids for need in (*rule.all_of, *(provider.get(name, "") for name in rule.names)))
        ]  # fmt: skip
        if not ready:
            raise ConfigurationError(
                "this rule waits for its own outcome", where=waiting[0].where, why="see provides and all_of"
            )
        done |= {rule.id: rule for rule in ready}
        waiting = [rule for rule in waiting if rule.id not in done]
    return tuple(done.values())
