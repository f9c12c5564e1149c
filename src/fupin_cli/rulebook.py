"""Everything an official may change, opened together: source profiles, rule packs, lines and the linkage model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from fupin_cli.errors import ConfigurationError, typed
from fupin_cli.ingest import SourceProfile
from fupin_cli.language import tr
from fupin_cli.linkage import Model, load_model
from fupin_cli.project import Project, profiles_of
from fupin_cli.rules import (
    Lines,
    Occasion,
    Pack,
    applies_to,
    choose_packs,
    gives,
    leaves,
    load_lines,
    load_packs,
    run_examples,
)
from fupin_cli.rules.asking import year_of
from fupin_cli.rules.shapes import Every
from fupin_cli.vocabulary import PackReport


@dataclass(frozen=True)
class RuleBook:
    """Everything an official may change, read once: source profiles, rule packs, lines and the linkage model.

    `choices` tells of each pack of the place whether it is judged, once that was chosen, and `every` keeps all that were read.
    """

    profiles: dict[str, SourceProfile]
    packs: tuple[Pack, ...]
    lines: Lines
    model: Model
    choices: tuple[PackReport, ...] = ()
    every: tuple[Pack, ...] = ()


def open_rule_book(project: Project) -> RuleBook:
    """The rules of this project, of every place: the shipped ones, overridden file by file by the project's own."""
    folders = project.rules_folders
    profiles = profiles_of(folders)
    for source in (project.register, *project.extracts):
        if source.profile not in profiles:
            raise ConfigurationError(
                tr("{id}: no source profile is called {profile!r}", id=source.id, profile=source.profile),
                where=str(project.path),
                try_=tr("one of: {names}", names=", ".join(sorted(profiles))),
            )
    return RuleBook(
        profiles=profiles,
        packs=all_packs(folders, profiles),
        lines=load_lines(folders),
        model=load_model(project.linkage_model),
    )


def refuse_failing_examples(project: Project, book: RuleBook) -> None:
    """Raises ConfigurationError where a worked example of the project's own packs does not hold; the shipped ones' do.

    A file that is still a copy of the shipped one is not the project's own.
    """
    shipped, *own = project.rules_folders
    theirs = {
        pack.where
        for pack in book.packs
        for folder in own
        if (path := folder / pack.where).is_file() and not _is_copy(path, shipped / pack.where)
    }
    failed = [result for result in run_examples(book.packs, book.lines, only=theirs) if not result.passed]
    if failed:
        first, more = failed[0], len(failed) - 1
        raise ConfigurationError(
            tr(
                "{id} example {number}: expected {expected}, got {outcome}",
                id=first.id,
                number=first.number,
                expected=first.expected,
                outcome=first.outcome,
            ),
            where=first.where,
            why=tr(
                "a rule that fails its own worked example is not judged by; further examples that fail: {n}", n=more
            ),
            try_=typed("fupin", "rules", "test", "--project", project.path.parent),
        )


def _is_copy(path: Path, shipped: Path) -> bool:
    return shipped.is_file() and path.read_bytes() == shipped.read_bytes()


def all_packs(
    folders: Sequence[Path], profiles: Mapping[str, SourceProfile], instead: Path | None = None
) -> tuple[Pack, ...]:
    """Every pack of the folders, opted into or not; the file `instead` takes the place of the pack of its id."""
    return load_packs(
        folders,
        {name: frozenset(f.column for f in p.fields) for name, p in profiles.items()},
        {name: p.undeclared_money for name, p in profiles.items()},
        instead,
        columns_by_header(profiles),
    )


def columns_by_header(profiles: Mapping[str, SourceProfile]) -> dict[str, set[str]]:
    """Header, or what people call a field → the columns that it is in any kind of source."""
    found: dict[str, set[str]] = {}
    for field in (field for profile in profiles.values() for field in profile.fields):
        for header in (field.zh, *field.headers):
            found.setdefault(header, set()).add(field.column)
    return found


def for_round(
    book: RuleBook, project: Project, persons: pl.DataFrame, households: pl.DataFrame, kinds: Sequence[str]
) -> RuleBook:
    """The rule book with the packs that judge this register beside these kinds of extract, and why those."""
    frames = [("register", persons), ("register", households)]
    given = {f"{kind}.{name}" for kind, frame in frames for name in frame.columns if frame[name].is_not_null().any()}
    occasion = Occasion(
        project.jurisdiction,
        project.as_of,
        _exits(households),
        given | set(kinds),
        project.packs,
        project.packs_left_out,
    )
    labels = labels_of(book.profiles)

    def called(name: str) -> str:
        column = name.removeprefix("register.")
        return f"台账“{labels.get(column, column)}”列" if column != name else book.profiles[name].title

    packs, choices = choose_packs(book.packs, occasion, called, str(project.path))
    return replace(book, packs=packs, choices=choices, every=book.packs)


def _exits(households: pl.DataFrame) -> dict[int, int]:
    """Exit year → how many households left poverty in it."""
    years = households.select(year_of(households, "exit_year").alias("year")).to_series()
    return dict(years.drop_nulls().value_counts(sort=True).rows())


def documents_of(book: RuleBook, kind: str, jurisdiction: str) -> tuple[str, ...]:
    """The papers that the packs of this place ask for of a kind of extract, each once."""
    packs = [pack for pack in book.packs if applies_to(pack, jurisdiction)]
    kinds = {fact.name: fact.kinds for pack in packs for fact in pack.facts}
    sets = [fact.shape for pack in packs for fact in pack.derived if isinstance(fact.shape, Every)]
    return tuple(dict.fromkeys(zh for papers in sets for name, zh in papers.parts if kind in kinds.get(name, ())))


def labels_of(profiles: Mapping[str, SourceProfile]) -> dict[str, str]:
    """What people read for each field: by its name, and by `profile.name` where kinds of extract call it differently."""
    fields = [(profile, field) for profile in profiles.values() for field in profile.fields]
    plain = {field.column: field.zh for _, field in fields}
    own = {field.column: field.zh for field in profiles["register"].fields} if "register" in profiles else {}
    return plain | own | {f"{profile.name}.{field.column}": field.zh for profile, field in fields}


def columns_read(book: RuleBook) -> dict[str, frozenset[str]]:
    """Kind of source → the columns of it that some enabled rule needs; the register's stand under its profile's name.

    The brief checks of the register against itself ask of whatever columns it has; none of theirs is missed.
    """
    rules = [rule for pack in book.packs for rule in pack.rules if rule.enabled and not rule.brief]
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
    return all_packs(folders, profiles_of(folders))


def finding_uncompared(packs: Sequence[Pack]) -> list[str]:
    """The IDs of the rules that find entries which skipped the county's comparison: those that read whether it was made."""
    return sorted({rule.id for pack in packs for rule in pack.rules if "county_compared" in rule.names})
