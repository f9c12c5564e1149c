"""Rule packs: TOML → checked rules and facts.

A rules folder holds packs in `exit/`, `checks/`, `monitor/` and `provinces/`. A later folder overrides an earlier one file by
file, so a project changes a shipped pack by putting a file of the same name into its own rules folder.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from fupin_cli.below import files_in
from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.language import tr
from fupin_cli.normalise.regions import place_keys
from fupin_cli.rules.fact_loading import all_facts, load_columns, load_fact
from fupin_cli.rules.names import Names, declare, declare_columns
from fupin_cli.rules.order import in_order
from fupin_cli.rules.outcome import Kind
from fupin_cli.rules.pack import (
    AREAS,
    DEPT,
    REGISTER,
    Derived,
    Fact,
    Gap,
    Level,
    Limits,
    Pack,
    Provenance,
    Rule,
    SignOff,
)
from fupin_cli.rules.predicate import Predicate, nearest
from fupin_cli.rules.rule_loading import citation, division, load_defaults, load_parameter, load_rule
from fupin_cli.rules.shapes import Rate
from fupin_cli.rules.toml import Table, open_toml

PACK_FOLDERS = ("exit", "checks", "monitor", "provinces")


def load_packs(
    folders: Sequence[Path],
    known_fields: Mapping[str, frozenset[str]],
    undeclared: Mapping[str, Mapping[str, str]] | None = None,
    instead: Path | None = None,
    called: Mapping[str, Collection[str]] | None = None,
) -> tuple[Pack, ...]:
    """All packs of the folders, checked against the fields that the source profiles know, in file-name order.

    `undeclared` gives, by profile, the money fields that do not say what they count, each with what is to be written there:
    a condition may show such an amount but not compare it. The file `instead` takes the place of the pack of the same id.
    `called` gives the columns that files print under a header, for whoever writes the header into a condition.
    Raises ConfigurationError for anything in them that cannot be, naming the file, the line, the rule and the key.
    """
    tables = {name: open_toml(path, name) for name, path in _files(folders).items()}
    if instead is not None:
        ours = open_toml(instead, instead.name)
        same = ours.table("pack").text("id")
        tables = {name: table for name, table in tables.items() if table.table("pack").text("id") != same}
        tables[instead.name] = ours
    names = replace(_names(tables, known_fields), called=called or {})
    packs = tuple(_pack(table, names) for table in tables.values())
    rules = [rule for pack in packs for rule in pack.rules]
    facts = [fact for pack in packs for fact in pack.facts]
    derived = [fact for pack in packs for fact in pack.derived]
    named = [(fact.name, fact.where) for fact in facts] + [(fact.name, fact.where) for fact in derived]
    _refuse_twins(named, "fact")
    _refuse_twins([(rule.id, rule.where) for rule in rules], "rule")
    _refuse_twins([(rule.provides, rule.where) for rule in rules if rule.provides], "provided fact")
    _check_members(rules)
    in_order([*derived, *rules])
    _check_extends(packs, {table.where: table.table("pack").at("extends") for table in tables.values()})
    _refuse_undeclared_money(facts, derived, rules, undeclared or {})
    return packs


def _names(tables: Mapping[str, Table], known_fields: Mapping[str, frozenset[str]]) -> Names:
    """Every name that the packs bring, told before any condition is read."""
    declared = {
        fact.name: fact
        for table in tables.values()
        for fact in (
            *(fact for entry in table.tables("fact") for fact in declare(entry)),
            *(fact for entry in table.tables("columns") for fact in declare_columns(entry)),
        )
    }
    provided = frozenset(
        str(entry.data["provides"])
        for table in tables.values()
        for entry in table.tables("rule")
        if "provides" in entry.data
    )
    numbers = frozenset(str(entry.data.get("name")) for table in tables.values() for entry in table.tables("parameter"))
    return Names(known_fields, declared, provided, numbers)


def _files(folders: Sequence[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for root in folders:
        if not root.is_dir():
            raise InputMissingError(
                tr("no such rules folder"), where=str(root), try_=tr("give the folder that holds exit/ and checks/")
            )
        for name in PACK_FOLDERS:
            found |= {f"{name}/{path.name}": path for path in files_in(root / name, ".toml")}
    return dict(sorted(found.items()))


def _pack(table: Table, names: Names) -> Pack:
    table.allow("pack", "defaults", "kinds", "columns", "fact", "rule", "parameter", "gap", "signoff")
    head = table.table("pack")
    head.allow(
        "id", "title", "title_en", "jurisdiction", "regime", "extends", "opt_in", "when_given", "standard", "county"
    )
    kinds = table.table("kinds") if "kinds" in table.data else Table({}, table.where)
    defaults = load_defaults(table.table("defaults")) if "defaults" in table.data else {}
    columns = [load_columns(entry, names) for entry in table.tables("columns")]
    facts, derived = all_facts([*columns, *(load_fact(entry, names) for entry in table.tables("fact"))])
    pack = Pack(
        id=head.text("id"),
        title=head.text("title"),
        title_en=head.text("title_en"),
        jurisdiction=division(head),
        regime=_regime(head),
        kinds={kind: kinds.text(kind) for kind in kinds.data},
        facts=facts,
        rules=tuple(load_rule(entry, names, defaults) for entry in table.tables("rule")),
        where=table.where,
        derived=derived,
        parameters=tuple(load_parameter(entry, division(head)) for entry in table.tables("parameter")),
        gaps=tuple(_gap(entry) for entry in table.tables("gap")),
        extends=head.texts("extends", required=False),
        opt_in=head.flag("opt_in", default=False),
        when_given=_inputs(head, names),
        signoff=_sign_off(table.table("signoff")) if "signoff" in table.data else None,
        standard=head.text("standard", required=False),
        counties=_counties(head),
    )
    _check_standard(pack, head)
    return pack


def _counties(head: Table) -> tuple[str, ...]:
    """The keys of the counties that a pack names, as registers are keyed."""
    named = head.texts("county", required=False)
    return tuple(place_keys(pl.DataFrame({"county": named}, schema={"county": pl.String}))["county_key"].drop_nulls())


def _check_standard(pack: Pack, head: Table) -> None:
    """What decides who exits is a verdict about households of the pack's own, and no weak or recalled one."""
    if not pack.standard:
        return
    verdicts = {r.id: r for r in pack.rules if r.kind is Kind.VERDICT and r.level is Level.HOUSEHOLD and r.enabled}
    if pack.standard not in verdicts:
        raise ConfigurationError(
            tr("standard: this pack has no enabled verdict {standard!r} about households", standard=pack.standard),
            where=head.at("standard"),
            try_=nearest(pack.standard, verdicts) or tr('a [[rule]] with kind = "verdict" and level = "household"'),
        )
    provenance = verdicts[pack.standard].citation.provenance
    if provenance in (Provenance.WEAK, Provenance.RECALLED):
        raise ConfigurationError(
            tr(
                "standard: {standard} rests on a weak source ({provenance}), and cannot decide who exits",
                standard=pack.standard,
                provenance=provenance,
            ),
            where=head.at("standard"),
            try_=tr("leave standard out: the standard of the wider place decides, and this verdict is told beside it"),
        )


def _sign_off(entry: Table) -> SignOff:
    entry.allow(
        "title", "steps", "ordered", "material_for", "documents", "enabled", "citation", "limits", "county_steps",
        "same_signer",
    )  # fmt: skip
    steps = entry.texts("steps")
    if len(set(steps)) < len(steps):
        raise ConfigurationError(tr("a step of the chain stands twice"), where=entry.at("steps"))
    county_steps = entry.texts("county_steps", required=False) or SignOff.county_steps
    cited = citation(entry.table("citation")) if "citation" in entry.data else None
    enabled = entry.flag("enabled", default=True)
    if enabled and cited and cited.provenance is Provenance.RECALLED:
        raise ConfigurationError(
            tr("a chain that is only recalled must be off"), where=entry.at("enabled"), try_=tr("enabled = false")
        )
    return SignOff(
        title=entry.text("title"),
        steps=steps,
        ordered=entry.flag("ordered", default=False),
        material_for=entry.texts("material_for", required=False),
        documents=entry.texts("documents", required=False),
        enabled=enabled,
        citation=cited,
        limits=_limits(entry.table("limits")) if "limits" in entry.data else Limits(),
        county_steps=county_steps,
        same_signer=entry.flag("same_signer", default=False),
    )


def _limits(entry: Table) -> Limits:
    entry.allow("not_so_percent", "late_percent", "enough", "promised_days")
    usual = Limits()
    return Limits(
        not_so_percent=entry.number("not_so_percent") if "not_so_percent" in entry.data else usual.not_so_percent,
        late_percent=entry.number("late_percent") if "late_percent" in entry.data else usual.late_percent,
        enough=entry.integer("enough") or usual.enough,
        promised_days=entry.integer("promised_days") or usual.promised_days,
    )


def _regime(head: Table) -> str:
    regime = head.text("regime")
    if not re.fullmatch(r"any|\d{4}-\d{4}|\d{4}\+", regime):
        raise ConfigurationError(
            tr("regime = {regime!r} names no years", regime=regime),
            where=head.at("regime"),
            try_=tr('regime = "2014-2020", "2021+" or "any"'),
        )
    return regime


def _inputs(head: Table, names: Names) -> tuple[str, ...]:
    """The inputs that have an opt-in pack judged without being asked for, each of them known."""
    known = {*names.fields, *(f"{REGISTER}.{column}" for column in names.fields.get(REGISTER, ()))}
    given = head.texts("when_given", required=False)
    if given and not head.flag("opt_in", default=False):
        raise ConfigurationError(tr("when_given is for packs with opt_in = true"), where=head.at("when_given"))
    for name in given:
        if name not in known:
            raise ConfigurationError(
                tr("when_given: {name!r} is no source profile and no register.column", name=name),
                where=head.at("when_given"),
                try_=nearest(name, known),
            )
    return given


def _gap(entry: Table) -> Gap:
    entry.allow("id", "zh", "looked")
    return Gap(entry.text("id"), entry.text("zh"), entry.text("looked"))


def _refuse_undeclared_money(
    facts: Sequence[Fact],
    derived: Sequence[Derived],
    rules: Sequence[Rule],
    undeclared: Mapping[str, Mapping[str, str]],
) -> None:
    """Refuse a condition that reads an amount of unknown unit or period: 元 and 万元, a month and a year look the same."""
    read = [
        (f"fact {fact.name}", fact.where, fact.kinds, (*fact.condition.names, *([fact.value] if fact.value else [])))
        for fact in facts
    ]
    for derivation in derived:
        shape = derivation.shape
        sample = isinstance(shape, Rate) and shape.sampled
        parts = [part for part in (shape.condition, shape.among) if part] if isinstance(shape, Rate) and sample else []
        names = [name for part in parts for name in part.names] if sample else list(shape.reads)
        kinds: tuple[str, ...] = (shape.over,) if isinstance(shape, Rate) and sample else (REGISTER,)
        read.append((f"fact {derivation.name}", derivation.where, kinds, tuple(names)))
    for rule in rules:
        parts_of_rule: list[Predicate | None] = [*rule.conditions, rule.line.this_year_when if rule.line else None]
        read += [(f"rule {rule.id}", rule.where, rule.kinds, part.names) for part in parts_of_rule if part]
    for what, where, kinds, names_read in read:
        for name in names_read:
            field = name.removeprefix(DEPT)
            for kind in kinds if name.startswith(DEPT) else (REGISTER,):
                if hint := undeclared.get(kind, {}).get(field):
                    raise ConfigurationError(
                        tr(
                            "{what} compares {name}, but profile {kind} does not say what its {field} counts",
                            what=what,
                            name=name,
                            kind=kind,
                            field=field,
                        ),
                        where=where,
                        why=tr("an amount of unknown unit or period would be compared as if it were the right one"),
                        try_=tr(
                            "{hint} in [fields.{field}] of rules/sources/{kind}.toml", hint=hint, field=field, kind=kind
                        ),
                    )


def _refuse_twins(named: Sequence[tuple[str, str]], what: str) -> None:
    seen: dict[str, str] = {}
    for name, where in named:
        if name in seen:
            raise ConfigurationError(
                tr("{what} {name} is defined twice", what=what, name=name),
                where=where,
                why=tr("first in {seen}", seen=seen[name]),
                try_=tr(
                    "another name for one; a file of the same name as a shipped one would take its place as a whole"
                ),
            )
        seen[name] = where


def _check_members(rules: Sequence[Rule]) -> None:
    """Every verdict's members exist, speak of the same kind of unit, and are what the verdict can join."""
    known = {rule.id: rule for rule in rules}
    for rule in rules:
        for member in rule.members:
            if member not in known:
                raise ConfigurationError(
                    tr("{join}: no rule {member!r}", join=rule.join, member=member),
                    where=rule.where,
                    try_=nearest(member, known),
                )
            other, checks = known[member], bool(rule.none_of)
            if checks != (other.kind is Kind.CHECK):
                raise ConfigurationError(
                    tr("{join}: {member} is not a check", join=rule.join, member=member)
                    if checks
                    else tr("{join}: {member} is a check", join=rule.join, member=member),
                    where=rule.where,
                    why=tr("none_of joins checks, all_of and any_of join criteria and verdicts"),
                    try_=tr("none_of = […] for vetoes"),
                )
            if other.level in (*AREAS, Level.EXTRACT) and other.level is not rule.level:
                raise ConfigurationError(
                    tr("{join}: {member} speaks of a {level}", join=rule.join, member=member, level=other.level),
                    where=rule.where,
                    try_=tr('level = "{level}"', level=other.level),
                )


def _check_extends(packs: Sequence[Pack], places: Mapping[str, str]) -> None:
    """A pack builds on packs that exist, and never on itself; `places` says where each file says so."""
    known = {pack.id: pack for pack in packs}
    for pack in packs:
        waiting, seen = list(pack.extends), set[str]()
        while waiting:
            name = waiting.pop()
            if name not in known:
                raise ConfigurationError(
                    tr("extends: no pack {name!r}", name=name),
                    where=places[pack.where],
                    try_=nearest(name, known) or tr("fupin rules list"),
                )
            if name == pack.id:
                raise ConfigurationError(
                    tr("extends: {id} builds on itself", id=pack.id),
                    where=places[pack.where],
                    try_=tr("take one of the extends out"),
                )
            waiting += [other for other in known[name].extends if name not in seen]
            seen.add(name)
