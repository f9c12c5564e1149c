"""Everything an official may change, opened together: source profiles, rule packs, lines and the linkage model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fupin_cli.errors import ConfigurationError
from fupin_cli.ingest import SourceProfile, load_profiles
from fupin_cli.linkage import Model, load_model
from fupin_cli.project import Project
from fupin_cli.rules import Lines, Pack, applies_to, gives, leaves, load_lines, load_packs, nearest


@dataclass(frozen=True)
class RuleBook:
    """Everything an official may change, read once: source profiles, rule packs, lines and the linkage model."""

    profiles: dict[str, SourceProfile]
    packs: tuple[Pack, ...]
    lines: Lines
    model: Model
    files: tuple[Path, ...]


def open_rule_book(project: Project) -> RuleBook:
    """The rules of this project: the shipped ones, overridden file by file by the project's own."""
    folders = project.rules_folders
    sources = [folder / "sources" for folder in folders if (folder / "sources").is_dir()]
    profiles = load_profiles(sources)
    for source in (project.register, *project.extracts):
        if source.profile not in profiles:
            raise ConfigurationError(
                f"{source.id}: no source profile is called {source.profile!r}",
                where=str(project.path),
                try_=f"one of: {', '.join(sorted(profiles))}",
            )
    return RuleBook(
        profiles=profiles,
        packs=chosen(all_packs(folders, profiles), project.packs, project.jurisdiction, str(project.path)),
        lines=load_lines(folders),
        model=load_model(project.linkage_model),
        files=tuple(sorted(path for folder in folders for path in folder.rglob("*.toml"))),
    )


def all_packs(
    folders: Sequence[Path], profiles: Mapping[str, SourceProfile], instead: Path | None = None
) -> tuple[Pack, ...]:
    """Every pack of the folders, opted into or not; the file `instead` takes the place of the pack of its id."""
    return load_packs(
        folders,
        {name: frozenset(f.column for f in p.fields) for name, p in profiles.items()},
        {name: p.undeclared_money for name, p in profiles.items()},
        instead,
    )


def chosen(packs: Sequence[Pack], asked: Sequence[str], jurisdiction: str, where: str) -> tuple[Pack, ...]:
    """The packs that a project judges by: those that bind its place, without what must be asked for and was not."""
    known = {pack.id: pack for pack in packs}
    for name in asked:
        if name not in known:
            raise ConfigurationError(
                f"[rules] packs: no pack is called {name!r}",
                where=where,
                try_=nearest(name, known) or f"one of: {', '.join(known)}",
            )
    wanted, waiting = set[str](), list(asked)
    while waiting:
        name = waiting.pop()
        waiting += [other for other in known[name].extends if other not in wanted]
        wanted.add(name)
    return tuple(pack for pack in packs if applies_to(pack, jurisdiction) and (not pack.opt_in or pack.id in wanted))


def labels_of(profiles: Mapping[str, SourceProfile]) -> dict[str, str]:
    """What people read for each field: by its name, and by `profile.name` where kinds of extract call it differently."""
    fields = [(profile, field) for profile in profiles.values() for field in profile.fields]
    plain = {field.column: field.zh for _, field in fields}
    own = {field.column: field.zh for field in profiles["register"].fields} if "register" in profiles else {}
    return plain | own | {f"{profile.name}.{field.column}": field.zh for profile, field in fields}


def columns_read(book: RuleBook) -> dict[str, frozenset[str]]:
    """Kind of source → the columns of it that some enabled rule needs; the register's stand under its profile's name."""
    rules = [rule for pack in book.packs for rule in pack.rules if rule.enabled]
    facts = {fact.name: fact for pack in book.packs for fact in pack.facts}
    derived = {name: fact for pack in book.packs for fact in pack.derived for name in gives(fact)}
    names = {name for rule in rules for name in leaves(rule.names, derived)}
    asked = [facts[name] for name in sorted(names) if name in facts]
    # what a rule may do without is not missed
    named = [(rule.kinds, {*leaves(set(rule.names) - rule.optional, derived)} - derived.keys()) for rule in rules]
    named += [
        (fact.kinds, {*fact.condition.names, *(n for n in (fact.latest, fact.value) if n)} - set(fact.optional))
        for fact in asked
    ]
    read: dict[str, set[str]] = {"register": set()}
    for kinds, names in named:
        theirs = {name.removeprefix("dept_").removeprefix("given_") for name in names if name.startswith("dept_")}
        for kind in kinds:
            read.setdefault(kind, set()).update(theirs)
        read["register"] |= {name for name in names if not name.startswith("dept_")}
    return {kind: frozenset(names) for kind, names in read.items()}


def packs_of(folders: Sequence[Path]) -> tuple[Pack, ...]:
    """Every pack of the folders, without a project."""
    return all_packs(
        folders, load_profiles([folder / "sources" for folder in folders if (folder / "sources").is_dir()])
    )
