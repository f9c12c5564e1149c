"""What a rule pack is: frozen rules and facts, each dated and cited. Nothing here knows any data or any file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from fupin_cli.rules.outcome import Join, Kind
from fupin_cli.rules.predicate import Predicate
from fupin_cli.rules.shapes import Shape
from fupin_cli.vocabulary import Outcome, Severity

REGISTER = "register"  # the kind whose evidence is the register itself, linked to itself by its duplicates
NATIONAL = "00"
DEPT = "dept_"
GIVEN = "given_"  # given_x: whether the file that a row comes from says x of anybody

# facts that every register has, because we derive them: name → (Chinese, English)
DAY_FACTS = {
    "as_of": ("比对日期", "as-of date"),
    "as_of_year": ("比对年度", "as-of year"),
    "year_on": ("比对年度的1月1日", "1 January of the as-of year"),
    "school_year_on": ("比对日期所在学年的9月1日", "1 September of the school year"),
}
PERSON_FACTS = DAY_FACTS | {
    "age": ("年龄", "age"),
    "age_at_school_start": ("学年开始（9月1日）时的年龄", "age on 1 September of the school year"),
    "days_since_entry": ("录入至今天数", "days since entry"),
    "county_compared": ("录入前经过县级比对", "compared by the county before entry"),
    "former_name_key": ("曾用名比对键", "former-name key"),
}
HOUSEHOLD_FACTS = DAY_FACTS | {
    "member_count_actual": ("台账实有人数", "members in the register"),
}
LINK_FACTS = {
    "link_basis": ("匹配依据", "match basis"),
    "link_weight": ("匹配权重", "match weight"),
    "link_accepted": ("比对关系已确认", "link accepted"),
}
LIST_FACTS = {"list_as_of": ("名单日期", "date of the list")}
EXTRACT_FACTS = {"as_of": ("比对日期", "as-of date"), "registered": ("台账中有此人", "is in the register")}


AREA_FACTS = {
    "as_of": ("比对日期", "as-of date"),
    "county": ("县（市、区）", "county"),
    "township": ("乡镇", "township"),
    "village": ("行政村", "village"),
}


class Level(StrEnum):
    """Of whom a rule speaks: one person, the household, a village, a county, or one person on a department's list."""

    PERSON = "person"
    HOUSEHOLD = "household"
    VILLAGE = "village"
    COUNTY = "county"
    EXTRACT = "extract"


AREAS = (Level.VILLAGE, Level.COUNTY)


class OnUnknown(StrEnum):
    """What becomes of those whom a rule cannot decide: counted as unknown, or also listed for somebody to look at.

    There is no third way: an unknown that passes would lose a family in need, one that fails would accuse it.
    """

    UNKNOWN = "unknown"
    REVIEW = "review"


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
class Confirmation:
    """Who found where a recalled number is written: without it what is only recalled stays off."""

    by: str
    document: str
    date: date

    def __str__(self) -> str:
        return f"{self.by}，{self.date}，《{self.document}》"


@dataclass(frozen=True)
class Unless:
    """An exception to a veto: where it holds there is no hit, where nobody knows whether it holds the hit is unknown."""

    zh: str
    when: Predicate


@dataclass(frozen=True)
class Example:
    """A worked example: facts that are given, all others unknown, and the outcome that must follow."""

    given: Mapping[str, Any]
    then: Outcome


@dataclass(frozen=True)
class LineUse:
    """Which year's line a rule is held against; `this_year_when` lets the as-of year stand in for a year not given.

    `series` is named where the table has but one; otherwise the project chooses among competing ones.
    """

    table: str
    year: str
    as_fact: str
    this_year_when: Predicate | None
    series: str | None = None


@dataclass(frozen=True)
class Fact:
    """A fact out of the rows of extracts that are linked to a person, or that carry the household's number.

    `gives` says what comes of the rows that satisfy `condition`: whether there are any, how many, the sum of `value`, or the
    one value that they name. `by_number`: rows are found by household number, not by who is on them. With `links = "any"` a
    link under review counts like an accepted one. `optional` names columns, of the extract or the register, that may be
    absent: they are then unknown. Extracts older than `max_age_days` say nothing, and of a person's rows those with an
    earlier `latest` than another one are superseded. `by_household`: a list of one person a household names no other
    member, so it proves nobody else's absence. `siblings` are the papers or steps of which this is one, in the column `each`: an
    extract that names none of them says nothing of this one, as a list of photos says nothing of signatures. With `covers`, an
    extract says nothing where no row of it is like this: one of last year's payments tells of no payment of this year.
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
    gives: str = "any"
    value: str | None = None
    by_number: bool = False
    hidden: bool = False
    each: str = ""
    siblings: tuple[str, ...] = ()
    covers: Predicate | None = None
    examples: tuple[FactExample, ...] = ()


@dataclass(frozen=True)
class FactExample:
    """A worked example of a fact: the register's fields, the linked rows of a list that is complete, and what follows.

    `others` are rows of other people on that list.
    """

    given: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...]
    then: Any
    others: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Derived:
    """A fact that follows from other facts: `shape` says how."""

    name: str
    zh: str
    en: str
    level: Level
    shape: Shape
    examples: tuple[FactExample, ...]
    where: str


@dataclass(frozen=True)
class Dated:
    """One value of a parameter, from a day to a day; no `to` means that it still holds."""

    value: float
    start: date
    end: date | None
    citation: Citation
    enabled: bool


@dataclass(frozen=True)
class Parameter:
    """A number that a place may set: its values follow each other without a gap. Named in conditions like a fact.

    The value of the as-of date counts, or with `by = "exit_year"` that of the end of a household's exit year.
    """

    name: str
    zh: str
    en: str
    jurisdiction: str
    by: str
    values: tuple[Dated, ...]
    where: str
    counties: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gap:
    """What was looked for and not found, so that nobody takes its absence for an oversight, or fills it from memory."""

    id: str
    zh: str
    looked: str


@dataclass(frozen=True)
class Limits:
    """When the ledger warns: percent of a rule's verified clues that are refuted, percent of a unit's cases that are overdue.

    Below `enough` answers a share says nothing. A correction that was promised is asked for after `promised_days`.
    """

    not_so_percent: float = 50
    late_percent: float = 20
    enough: int = 10
    promised_days: int = 30


@dataclass(frozen=True)
class SignOff:
    """Who signs the answer to a case, and what must lie beside it, before the case may be closed.

    `ordered`: each step signs on no earlier day than the one before. `material_for` are the verdicts that need proof of any
    kind, `documents` what must be named beside every answer. `county_steps` sign what the county's
    office answers itself. `same_signer`: one person may sign several steps of an answer. Without a citation it is our own
    arrangement, and no policy.
    """

    title: str
    steps: tuple[str, ...]
    ordered: bool
    material_for: tuple[str, ...]
    documents: tuple[str, ...]
    enabled: bool
    citation: Citation | None
    limits: Limits = Limits()
    county_steps: tuple[str, ...] = ("经办人", "分管负责人")
    same_signer: bool = False


@dataclass(frozen=True)
class Rule:
    """One dated, cited condition. `optional` facts may be absent from the register; any other absent fact stops the rule.

    With `denied`, a criterion is not met only where that holds, and unknown where neither condition does. A verdict is made
    of exactly one of `all_of`, `any_of` and `none_of`. `dated_by` says by which day it is in force: the end of a household's
    `exit_year`, or the `as_of` date. `receiver` says who answers its cases: the village, or the county's own
    office, which is asked once for each household or for all of its cases with the same evidence (`asked_per`).
    `official` is the number that an official list of checks gives it. With `counties`, keys of some, it binds those alone.
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
    advice_en: str
    effective_from: date | None
    effective_to: date | None
    enabled: bool
    citation: Citation
    line: LineUse | None
    examples: tuple[Example, ...]
    where: str
    on_unknown: OnUnknown = OnUnknown.UNKNOWN
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    unless: tuple[Unless, ...] = ()
    confirmed: Confirmation | None = None
    official: str = ""
    brief: bool = False
    dated_by: str = ""
    receiver: str = "village"
    asked_per: str = "household"
    counties: tuple[str, ...] = ()

    @property
    def conditions(self) -> tuple[Predicate, ...]:
        """Everything that the rule asks, in the order in which it is asked."""
        asked = (self.when, self.condition, self.denied, *(exception.when for exception in self.unless))
        return tuple(part for part in asked if part)

    @property
    def names(self) -> tuple[str, ...]:
        """The facts that the rule reads, each once."""
        return tuple(dict.fromkeys(name for part in self.conditions for name in part.names))

    @property
    def members(self) -> tuple[str, ...]:
        """The rules that a verdict is made of."""
        return self.all_of or self.any_of or self.none_of

    @property
    def join(self) -> Join:
        """How a verdict is made of its members."""
        return Join.ANY_OF if self.any_of else Join.NONE_OF if self.none_of else Join.ALL_OF


@dataclass(frozen=True)
class Pack:
    """A file of facts and rules for one jurisdiction and regime; `kinds` says how people call each kind of extract.

    `regime` is `any`, `2014-2020` or `2021+`. `extends` names packs whose rules this one builds on. `opt_in`: judged only where
    a project asks for it by name, or where one of the inputs `when_given` is there (kinds of extract, `register.column`).
    `standard` is the verdict by which its place decides who exits. `counties` are the keys of those that a pack narrower than
    the project's place binds: registers name counties and hold no code of them.
    """

    id: str
    title: str
    title_en: str
    jurisdiction: str
    regime: str
    kinds: Mapping[str, str]
    facts: tuple[Fact, ...]
    rules: tuple[Rule, ...]
    where: str
    derived: tuple[Derived, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    gaps: tuple[Gap, ...] = ()
    extends: tuple[str, ...] = ()
    opt_in: bool = False
    when_given: tuple[str, ...] = ()
    signoff: SignOff | None = None
    standard: str = ""
    counties: tuple[str, ...] = ()


def applies_to(pack: Pack, jurisdiction: str) -> bool:
    """Whether a pack binds this place: national ones do, others where their division code is a prefix of the place's."""
    return pack.jurisdiction == NATIONAL or within(jurisdiction, pack.jurisdiction)


def binds_part(pack: Pack, jurisdiction: str) -> bool:
    """Whether a pack binds counties that it names inside this place."""
    inside = not applies_to(pack, jurisdiction) and within(pack.jurisdiction, jurisdiction)
    return bool(pack.counties) and inside


def standards(packs: Sequence[Pack], jurisdiction: str) -> tuple[Rule, ...]:
    """The verdicts by which a place decides who exits, the narrowest place's first: where one does not apply, the next does."""
    binding = [pack for pack in packs if applies_to(pack, jurisdiction) or binds_part(pack, jurisdiction)]
    binding.sort(key=lambda pack: (pack.jurisdiction == NATIONAL, -len(significant(pack.jurisdiction)), pack.id))
    return tuple(rule for pack in binding for rule in pack.rules if rule.id == pack.standard and rule.enabled)


def sign_off(packs: Sequence[Pack], jurisdiction: str) -> SignOff | None:
    """The chain that binds a place: that of the narrowest division that has one enabled; None where no pack has any."""
    chains = [
        (len(significant(pack.jurisdiction)) if pack.jurisdiction != NATIONAL else 0, pack.id, pack.signoff)
        for pack in packs
        if pack.signoff and pack.signoff.enabled and applies_to(pack, jurisdiction)
    ]
    return max(chains, key=lambda chain: chain[:2])[2] if chains else None


def within(place: str, jurisdiction: str) -> bool:
    """Whether a division code lies inside another; trailing 00 pairs say nothing, so 990000 is 99."""
    return significant(place).startswith(significant(jurisdiction))


def significant(code: str) -> str:
    """A division code without the trailing zero pairs that say nothing."""
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code
