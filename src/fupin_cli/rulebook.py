"""Everything an official may change, opened together: source profiles, rule packs, lines and the linkage model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fupin_cli.errors import ConfigurationError
from fupin_cli.ingest import SourceProfile, load_profiles
from fupin_cli.linkage import Model, load_model
from fupin_cli.project import Project
from fupin_cli.rules import Lines, Pack, load_lines, load_packs


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
        packs=load_packs(
            folders,
            {name: frozenset(f.column for f in p.fields) for name, p in profiles.items()},
            {name: p.undeclared_money for name, p in profiles.items()},
        ),
        lines=load_lines(folders),
        model=load_model(project.linkage_model),
        files=tuple(sorted(path for folder in folders for path in folder.rglob("*.toml"))),
    )


def labels_of(book: RuleBook) -> dict[str, str]:
    """What people read for each field: by its name, and by `profile.name` where kinds of extract call it differently."""
    fields = [(profile, field) for profile in book.profiles.values() for field in profile.fields]
    plain = {field.column: field.zh for _, field in fields}
    own = {field.column: field.zh for field in book.profiles["register"].fields} if "register" in book.profiles else {}
    return plain | own | {f"{profile.name}.{field.column}": field.zh for profile, field in fields}


def columns_read(book: RuleBook) -> dict[str, frozenset[str]]:
    """Kind of source → the columns of it that some enabled rule needs; the register's stand under its profile's name."""
    rules = [rule for pack in book.packs for rule in pack.rules if rule.enabled]
    facts = {fact.name: fact for pack in book.packs for fact in pack.facts}
    asked = [facts[name] for rule in rules for name in rule.names if name in facts]
    # what a rule may do without is not missed
    named = [(rule.kinds, set(rule.names) - rule.optional) for rule in rules]
    named += [
        (fact.kinds, {*fact.condition.names, *([fact.latest] if fact.latest else [])} - set(fact.optional))
        for fact in asked
    ]
    read: dict[str, set[str]] = {"register": set()}
    for kinds, names in named:
        theirs = {name.removeprefix("dept_").removeprefix("given_") for name in names if name.startswith("dept_")}
        for kind in kinds:
            read.setdefault(kind, set()).update(theirs)
        read["register"] |= {name for name in names if not name.startswith("dept_")}
    return {kind: frozenset(names) for kind, names in read.items()}
