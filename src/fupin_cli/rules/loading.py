"""Rule packs: TOML → checked rules and facts.

A rules folder holds packs in `exit/`, `checks/` and `monitor/`. A later folder overrides an earlier one file by file, so a
project changes a shipped pack by putting a file of the same name into its own rules folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.rules.outcome import Kind, when_holds
from fupin_cli.rules.pack import (
    DEPT,
    EXTRACT_FACTS,
    GIVEN,
    HOUSEHOLD_FACTS,
    LINK_FACTS,
    PERSON_FACTS,
    REGISTER,
    Citation,
    Example,
    Fact,
    Level,
    LineUse,
    Pack,
    Provenance,
    Rule,
    in_order,
)
from fupin_cli.rules.predicate import Predicate, nearest, parse_condition
from fupin_cli.rules.toml import Table, read_toml
from fupin_cli.vocabulary import EVIDENCE, HOUSEHOLDS, PERSONS, Outcome, Severity

PACK_FOLDERS = ("exit", "checks", "monitor")


def load_packs(
    folders: Sequence[Path],
    known_fields: Mapping[str, frozenset[str]],
    undeclared: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[Pack, ...]:
    """All packs of the folders, checked against the fields that the source profiles know, in file-name order.

    `undeclared` gives, by profile, the money fields that do not say what they count, each with what is to be written there:
    a condition may show such an amount but not compare it.
    Raises ConfigurationError for anything in them that cannot be, naming the file, the rule and the key.
    """
    tables = {name: Table(read_toml(path), name) for name, path in _files(folders).items()}
    facts = {
        where: tuple(_fact(entry, known_fields) for entry in table.tables("fact")) for where, table in tables.items()
    }
    everyone = [fact for group in facts.values() for fact in group]
    _refuse_twins([(fact.name, fact.where) for fact in everyone], "fact")
    provided = frozenset(
        str(entry.data["provides"])
        for table in tables.values()
        for entry in table.tables("rule")
        if "provides" in entry.data
    )
    packs = tuple(_pack(table, facts[where], everyone, provided, known_fields) for where, table in tables.items())
    rules = [rule for pack in packs for rule in pack.rules]
    _refuse_twins([(rule.id, rule.where) for rule in rules], "rule")
    _refuse_twins([(rule.provides, rule.where) for rule in rules if rule.provides], "provided fact")
    _check_members(rules)
    _refuse_undeclared_money(everyone, rules, undeclared or {})
    return packs


def _files(folders: Sequence[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for root in folders:
        if not root.is_dir():
            raise InputMissingError(
                "no such rules folder", where=str(root), try_="give the folder that holds exit/ and checks/"
            )
        for name in PACK_FOLDERS:
            found |= {f"{name}/{path.name}": path for path in sorted((root / name).glob("*.toml"))}
    return dict(sorted(found.items()))


def _pack(
    table: Table,
    facts: tuple[Fact, ...],
    everyone: Sequence[Fact],
    provided: frozenset[str],
    fields: Mapping[str, frozenset[str]],
) -> Pack:
    table.allow("pack", "kinds", "fact", "rule")
    head = table.table("pack")
    head.allow("id", "title", "title_en", "jurisdiction", "regime")
    names = _Names(fields, everyone, provided)
    kinds = table.table("kinds") if "kinds" in table.data else Table({}, table.where)
    return Pack(
        id=head.text("id"),
        title=head.text("title"),
        title_en=head.text("title_en"),
        jurisdiction=head.text("jurisdiction"),
        regime=head.text("regime"),
        kinds={kind: kinds.text(kind) for kind in kinds.data},
        facts=facts,
        rules=tuple(_rule(entry, names) for entry in table.tables("rule")),
        where=table.where,
    )


@dataclass(frozen=True)
class _Names:
    """Which facts a condition may name, at each level."""

    fields: Mapping[str, frozenset[str]]
    facts: Sequence[Fact]
    provided: frozenset[str]

    @property
    def derived(self) -> frozenset[str]:
        """Facts whose null means more than an empty cell, so that asking for null would turn unknown into an answer."""
        return frozenset(fact.name for fact in self.facts) | self.provided | {"county_compared", "registered"}

    def at(self, level: Level, kinds: Sequence[str], where: str) -> frozenset[str]:
        if level is Level.EXTRACT:
            return _dept_fields(kinds, self.fields, where) | EXTRACT_FACTS.keys()
        if level is Level.HOUSEHOLD:
            own = {fact.name for fact in self.facts if fact.level is Level.HOUSEHOLD} | self.provided
            return _and_given(_register_fields(self.fields)) | set(HOUSEHOLDS.names) | HOUSEHOLD_FACTS.keys() | own
        return person_facts(self.fields) | {fact.name for fact in self.facts} | self.provided


def person_facts(fields: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """What a condition may read of a register person, before any comparison."""
    return _and_given(_register_fields(fields)) | set(PERSONS.names) | PERSON_FACTS.keys() | HOUSEHOLD_FACTS.keys()


def _register_fields(fields: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return fields.get(REGISTER, frozenset())


def _dept_fields(kinds: Sequence[str], fields: Mapping[str, frozenset[str]], where: str) -> frozenset[str]:
    known: set[str] = set()
    for kind in kinds:
        if kind not in fields and kind != REGISTER:
            close = nearest(kind, fields)
            raise ConfigurationError(
                f"extract: {kind!r} is no source profile", where=where, try_=close and f"extract = {close!r}"
            )
        own = set(PERSONS.names) if kind == REGISTER else set(EVIDENCE.names)
        known |= {DEPT + name for name in _and_given(fields.get(kind, frozenset())) | own | {"former_name_key"}}
    return frozenset(known)


def _and_given(fields: frozenset[str]) -> frozenset[str]:
    """The fields, and for each whether a row's file gives it at all."""
    return fields | {GIVEN + name for name in fields}


def _fact(entry: Table, fields: Mapping[str, frozenset[str]]) -> Fact:
    name = entry.text("name")
    entry = entry.named(f"fact {name}")
    entry.allow(
        "name",
        "zh",
        "en",
        "extract",
        "any",
        "level",
        "links",
        "max_age_days",
        "latest",
        "by_household",
        "shows",
        "optional",
    )
    if not name.isidentifier() or not name.islower():
        raise ConfigurationError("name must be lower-case letters, digits and _", where=entry.where)
    kinds = entry.texts("extract")
    columns = _dept_fields(kinds, fields, entry.where)
    known = columns | person_facts(fields) | LINK_FACTS.keys()
    optional = entry.known("optional", known)
    return Fact(
        name=name,
        zh=entry.text("zh"),
        en=entry.text("en"),
        kinds=kinds,
        condition=parse_condition(entry.text("any"), known, entry.where, "any"),
        level=Level(entry.one_of("level", (Level.PERSON, Level.HOUSEHOLD), Level.PERSON)),
        links=entry.one_of("links", ("accepted", "any"), "accepted"),
        max_age_days=entry.integer("max_age_days"),
        latest=next(iter(entry.known("latest", columns)), None),
        by_household=entry.flag("by_household", default=False),
        shows=entry.known("shows", columns),
        optional=frozenset(optional),
        where=entry.where,
    )


def _rule(entry: Table, names: _Names) -> Rule:
    entry = entry.named(f"rule {entry.text('id')}")
    entry.allow(
        "id", "title", "title_en", "kind", "level", "severity", "when", "met", "not_met", "hit", "all_of", "extract",
        "max_age_days", "provides",
        "shows", "optional", "advice", "effective_from", "effective_to", "enabled", "citation", "line", "example",
    )  # fmt: skip
    kind, level = Kind(entry.one_of("kind", tuple(Kind))), Level(entry.one_of("level", tuple(Level)))
    kinds = entry.texts("extract") if level is Level.EXTRACT else ()
    known = names.at(level, kinds, entry.where)
    line = _line(entry, known)
    readable = known | {line.as_fact} if line else known
    rule = Rule(
        id=entry.text("id"),
        title=entry.text("title"),
        title_en=entry.text("title_en"),
        kind=kind,
        level=level,
        severity=Severity(entry.one_of("severity", tuple(Severity))),
        when=_condition(entry, "when", readable),
        condition=_condition(entry, "hit" if kind is Kind.CHECK else "met", readable),
        denied=_condition(entry, "not_met", readable),
        all_of=entry.texts("all_of", required=False),
        kinds=kinds,
        max_age_days=entry.integer("max_age_days"),
        provides=entry.text("provides", required=False) or None,
        shows=entry.known("shows", readable),
        optional=frozenset(entry.known("optional", readable)),
        advice=entry.text("advice", required=kind is Kind.CHECK),
        effective_from=entry.day("effective_from"),
        effective_to=entry.day("effective_to"),
        enabled=entry.flag("enabled", default=True),
        citation=citation(entry.table("citation")),
        line=line,
        examples=(),
        where=entry.where,
    )
    _check_rule(rule, entry, names)
    return replace(rule, examples=tuple(_example(rule, item, readable) for item in entry.tables("example")))


def _condition(entry: Table, key: str, known: frozenset[str]) -> Predicate | None:
    text = entry.text(key, required=False)
    return parse_condition(text, known, entry.where, key) if text else None


def _line(entry: Table, known: frozenset[str]) -> LineUse | None:
    if "line" not in entry.data:
        return None
    table = entry.table("line")
    table.allow("table", "year", "as_fact", "this_year_when")
    if table.text("year") not in known:
        raise ConfigurationError(f"year: {table.text('year')!r} is not a known fact", where=table.where)
    return LineUse(
        table.text("table"), table.text("year"), table.text("as_fact"), _condition(table, "this_year_when", known)
    )


def citation(table: Table) -> Citation:
    """The citation of a rule or line; title and provenance are required."""
    table.allow("title", "doc_no", "date", "locator", "provenance")
    return Citation(
        title=table.text("title"),
        provenance=Provenance(table.one_of("provenance", tuple(Provenance))),
        doc_no=table.text("doc_no", required=False),
        date=table.text("date", required=False),
        locator=table.text("locator", required=False),
    )


def _example(rule: Rule, entry: Table, known: frozenset[str]) -> Example:
    entry.allow("given", "then")
    yes, no = when_holds(rule.kind)
    then = entry.one_of("then", (yes, no, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE))
    given = entry.table("given").data
    strangers = sorted(given.keys() - known - set(rule.all_of))
    if strangers:
        raise ConfigurationError(
            f"given: {strangers[0]!r} is not a known fact", where=entry.where, try_=nearest(strangers[0], known)
        )
    return Example(given, Outcome(then))


def _check_rule(rule: Rule, entry: Table, names: _Names) -> None:
    """Refuse what no single key can show to be wrong."""
    if problem := _wrong_shape(rule, entry) or _too_bold(rule) or _unreadable(rule, names) or _untested(entry):
        raise ConfigurationError(problem, where=rule.where, try_="see docs/rules.md")


def _wrong_shape(rule: Rule, entry: Table) -> str | None:
    key = "hit" if rule.kind is Kind.CHECK else "met"
    if rule.kind is Kind.VERDICT:
        right = rule.all_of and not rule.condition and rule.level is Level.HOUSEHOLD
        return None if right else "a verdict is made of all_of, has no met or hit, and speaks of a household"
    if rule.condition is None or rule.all_of or {"met", "hit"} <= entry.data.keys():
        return f"a {rule.kind} needs {key}, and nothing else, to say what it asks"
    if rule.max_age_days is not None and rule.level is not Level.EXTRACT:
        return "max_age_days of a rule is about an extract's people; elsewhere it is a key of the fact"
    if rule.denied and rule.kind is not Kind.CRITERION:
        return "only a criterion says not_met"
    if rule.level is Level.EXTRACT and (rule.kind is not Kind.CHECK or rule.provides):
        return "a rule about an extract's people is a check and provides no fact"
    return None


def _too_bold(rule: Rule) -> str | None:
    """A rule may not weigh more than its source bears, nor speak as a judge."""
    source = rule.citation.provenance
    if rule.enabled and source is Provenance.RECALLED:
        return "provenance R is recalled, not verified: it cannot be enabled"
    if rule.enabled and source is Provenance.WEAK and rule.severity in (Severity.VETO, Severity.FAIL):
        return "provenance VW is a weak source: it cannot be more than severity lead"
    if rule.kind is Kind.CHECK and not ("疑点" in rule.advice or "建议" in rule.advice):
        return "advice must speak of 疑点 or 建议复核: a hit is a clue, never a verdict"
    return None


def _unreadable(rule: Rule, names: _Names) -> str | None:
    tested = {name for part in (rule.when, rule.condition, rule.denied) if part for name in part.tested_for_null}
    if derived := sorted(tested & names.derived):
        return f"{derived[0]} IS NULL asks whether a comparison could be made, and would turn unknown into an answer"
    used = sorted(set(rule.names) & {fact.name for fact in names.facts})
    if rule.kind is not Kind.CHECK and used:
        return f"{used[0]} is a department fact: a criterion reads the register only, differences are checks"
    return None


def _untested(entry: Table) -> str | None:
    outcomes = [item.data.get("then") for item in entry.tables("example")]
    if len(outcomes) < 2 or Outcome.UNKNOWN not in outcomes:
        return "at least two worked examples are needed ([[rule.example]]), one of them with then = 'unknown'"
    return None


def _refuse_undeclared_money(
    facts: Sequence[Fact], rules: Sequence[Rule], undeclared: Mapping[str, Mapping[str, str]]
) -> None:
    """Refuse a condition that reads an amount of unknown unit or period: 元 and 万元, a month and a year look the same."""
    conditions = [(f"fact {fact.name}", fact.where, fact.kinds, fact.condition) for fact in facts]
    for rule in rules:
        parts = (rule.when, rule.condition, rule.denied, rule.line.this_year_when if rule.line else None)
        conditions += [(f"rule {rule.id}", rule.where, rule.kinds, part) for part in parts if part]
    for what, where, kinds, condition in conditions:
        for name in condition.names:
            kinds_read = kinds if name.startswith(DEPT) else (REGISTER,)
            field = name.removeprefix(DEPT)
            for kind in kinds_read:
                if hint := undeclared.get(kind, {}).get(field):
                    raise ConfigurationError(
                        f"{what} compares {name}, but profile {kind} does not say what its {field} counts",
                        where=where,
                        why="an amount of unknown unit or period would be compared as if it were the right one",
                        try_=f"{hint} in [fields.{field}] of rules/sources/{kind}.toml",
                    )


def _refuse_twins(named: Sequence[tuple[str, str]], what: str) -> None:
    seen: dict[str, str] = {}
    for name, where in named:
        if name in seen:
            raise ConfigurationError(f"{what} {name} is defined twice", where=where, why=f"first in {seen[name]}")
        seen[name] = where


def _check_members(rules: Sequence[Rule]) -> None:
    """Every verdict's members exist, and no rule waits, through others, for itself."""
    known = {rule.id: rule for rule in rules}
    for rule in rules:
        for member in rule.all_of:
            if member not in known:
                raise ConfigurationError(f"all_of: no rule {member!r}", where=rule.where, try_=nearest(member, known))
            if known[member].kind is not Kind.CRITERION:
                raise ConfigurationError(f"all_of: {member} is not a criterion", where=rule.where)
    in_order(rules)
