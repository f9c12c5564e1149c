"""What a project's files hold: the register as persons and households, each extract as evidence, and their accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from fupin_cli.errors import ConfigurationError
from fupin_cli.ingest import (
    SourceTable,
    household_conflicts,
    inspect_file,
    read_source,
    to_evidence,
    to_households,
    to_persons,
)
from fupin_cli.normalise.regions import settle_places
from fupin_cli.project import Project, Source
from fupin_cli.rulebook import RuleBook
from fupin_cli.vocabulary import EXTRACTS

_PLAINLY = 0.3  # how much better another kind must explain the headers
Say = Callable[[str], None]


@dataclass(frozen=True)
class Register:
    """The register as read: its accounts, its persons and its households, and where members' rows contradict each other."""

    table: SourceTable
    persons: pl.DataFrame
    households: pl.DataFrame
    conflicts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Extract:
    """One extract as read: where it comes from, its accounts and its rows as evidence."""

    source: Source
    table: SourceTable
    evidence: pl.DataFrame


def read_register(project: Project, book: RuleBook, say: Say) -> Register:
    """The register's persons and households; rows that cannot be used are in its accounts."""
    say(f"读取台账 reading the register ({len(project.register.files)} file(s))")
    profile = book.profiles[project.register.profile]
    table = read_source(project.register.files, profile)
    persons = to_persons(table.rows)
    persons = settle_places(persons, persons)
    return Register(table, persons, to_households(persons, profile), tuple(household_conflicts(persons, profile)))


def read_extracts(
    project: Project, book: RuleBook, register: Register, stages: Sequence[str], say: Say
) -> list[Extract]:
    """The extracts of the given stages, each with its rows as evidence, their places named as the register names them."""
    wanted = [source for source in project.extracts if source.stage in stages]
    extracts = []
    for n, source in enumerate(wanted, 1):
        say(f"读取部门数据 reading {source.id} ({n}/{len(wanted)})")
        profile = book.profiles[source.profile]
        table = read_source(source.files, profile)
        if any(report.only_identity for report in table.reports):
            refuse_another_kind(source, book)
        origin = {
            "extract": source.id,
            "kind": source.profile,
            "department": source.department or profile.department,
            "stage": source.stage,
            "as_of": source.as_of,
        }
        only = source.coverage[0] if len(source.coverage) == 1 else None
        evidence = settle_places(to_evidence(table.rows, origin), register.persons, only)
        extracts.append(Extract(source, table, evidence))
    return extracts


def refuse_another_kind(source: Source, book: RuleBook) -> None:
    """ConfigurationError where a file without any column of its declared kind is plainly of another kind.

    Read as the declared kind it would say of everybody on a list of beneficiaries that they own vehicles.
    """
    for name, path in source.files:
        for sheet in inspect_file(name, path, book.profiles).sheets:
            guesses = dict(sheet.guesses)
            best = max(guesses, key=lambda kind: guesses[kind], default=source.profile)
            if guesses.get(best, 0.0) >= guesses.get(source.profile, 0.0) + _PLAINLY:
                raise ConfigurationError(
                    f"[[extract]] {source.id}: {name} has no column of {source.profile}, and looks like {best}",
                    try_=f'profile = "{best}"',
                )


def describe(extracts: Iterable[Extract]) -> pl.DataFrame:
    """EXTRACTS: what each extract is, how far it reaches and how fresh it is."""
    rows = [
        (e.source.id, e.source.profile, e.source.department or e.table.profile.department, e.source.stage, e.source.as_of,
         list(e.source.coverage) or None)
        for e in extracts
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=EXTRACTS.schema, orient="row")
