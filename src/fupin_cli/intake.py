"""What a project's files hold: the register as persons and households, each extract as evidence, and their accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import polars as pl

from fupin_cli.errors import BadDataError, ConfigurationError, typed
from fupin_cli.ingest import (
    Ask,
    Contents,
    Each,
    FileList,
    SourceProfile,
    SourceTable,
    Store,
    as_it_is,
    household_conflicts,
    impossible_together,
    inspect_file,
    list_files,
    read_contents,
    read_source,
    to_evidence,
    to_households,
    to_persons,
    without_impossible_dates,
)
from fupin_cli.ingest.database import open_query
from fupin_cli.ingest.mentioned import numbers_in
from fupin_cli.language import tr
from fupin_cli.normalise.regions import (
    KnownPlaces,
    Renamed,
    place_keys,
    rename_places,
    settle_places,
    unmatched_places,
)
from fupin_cli.parked import Park, in_memory
from fupin_cli.progress import Say
from fupin_cli.project import Project, Source
from fupin_cli.rulebook import RuleBook, documents_of
from fupin_cli.vocabulary import EXTRACTS

_PLAINLY = 0.3  # how much better another kind must explain the headers
_MOST_NAMES = 5  # of places that the register does not know
CACHE = Path(".fupin") / "cache"
Passwords = Callable[[str], Ask]  # the environment variable that a source names → who knows its passwords


def nobody_knows(variable: str) -> Ask:
    """No passwords at all."""
    return Ask(variable)


@dataclass(frozen=True)
class Register:
    """The register as read: its accounts, its persons and its households, and where members' rows contradict each other.

    The table's rows are given up for these. `shared_phones` counts households whose telephone other households gave as well.
    """

    table: SourceTable
    persons: pl.DataFrame
    households: pl.DataFrame
    conflicts: tuple[tuple[str, int], ...] = ()
    shared_phones: int = 0

    @cached_property  # every round asks
    def unread(self) -> pl.Series:
        """The ID numbers that stand on rows which could not be used."""
        cells = self.table.set_aside.select("cells").explode("cells", empty_as_null=True)
        return numbers_in(cells).to_series()


@dataclass(frozen=True)
class Extract:
    """One extract as read: where it comes from, its accounts and its rows as evidence, for which the table's are given up.

    `strange_places` are (level, names, rows) of places in the register's counties that the register does not know.
    `impossible_dates` are (source, sheet, field, cells, first rows) of dates that cannot be, and were taken as unknown.
    """

    source: Source
    table: SourceTable
    evidence: pl.DataFrame
    strange_places: tuple[tuple[str, tuple[str, ...], int], ...] = ()
    impossible_dates: tuple[tuple[str, str | None, str, int, list[int]], ...] = ()


def read_register(
    project: Project, book: RuleBook, say: Say, passwords: Passwords = nobody_knows, park: Park = in_memory
) -> Register:
    """The register's persons and households; rows that cannot be used are in its accounts. `park` says where tables are kept."""
    say(tr("reading the register (files: {count})", count=len(project.register.files)))
    profile = book.profiles[project.register.profile]
    table = read_table(project, project.register, profile, passwords)
    if not table.rows.height:
        reasons = table.set_aside["set_aside_reason"].value_counts(sort=True).rows()
        raise BadDataError(
            tr("no row of the register can be used"),
            where="、".join(dict.fromkeys(report.source for report in table.reports)),
            why=tr("set aside: ") + ", ".join(f"{reason} {count}" for reason, count in reasons),
            try_=tr(
                "fupin inspect on the file; a 户编号 stored as a number has lost its last digits: store it as text"
            ),
        )
    persons = in_county(rename_places(to_persons(table.rows), renamed(project)), project.register_county)
    persons = settle_places(persons, KnownPlaces.of(persons))
    return Register(
        replace(table, rows=table.rows.clear()),  # they are persons now
        park(persons),
        park(to_households(persons, profile)),
        tuple(household_conflicts(persons, profile)),
        count_shared_phones(persons),
    )


def in_county(persons: pl.DataFrame, county: str | None) -> pl.DataFrame:
    """The persons, those whose row names no county in this one: a county's own register often leaves it out."""
    if county is None:
        return persons
    key = place_keys(pl.DataFrame({"county": [county]}))["county_key"].item()
    return persons.with_columns(pl.col("county").fill_null(pl.lit(county)), pl.col("county_key").fill_null(pl.lit(key)))


def count_shared_phones(persons: pl.DataFrame) -> int:
    """How many households gave a telephone that another household gave, too."""
    if "phone" not in persons.columns:
        return 0
    given = persons.select("household_id", pl.col("phone").str.split("、")).explode("phone").drop_nulls().unique()
    shared = given.filter(pl.col("household_id").n_unique().over("phone") > 1)
    return shared["household_id"].n_unique()


def read_table(
    project: Project, source: Source, profile: SourceProfile, passwords: Passwords, each: Each = as_it_is
) -> SourceTable:
    """A source's rows, as `each` has them, and accounts, from its files or its database; unchanged files are not parsed again."""
    if source.database is not None:
        grid = open_query(source.database)
        contents = [Contents(source.database.name, "database", None, (grid,))]
        return read_contents(source.database.name, contents, profile, each)
    store = Store(project.path.parent / CACHE)
    try:
        ask = passwords(source.password_env)
        return read_source(source.files, profile, sheets=source.sheets, ask=ask, store=store, each=each)
    except BadDataError as error:
        # a file is named as it stands in the project; what is typed must find it from here
        from_here = {
            tr("fupin inspect {name}", name=name): typed("fupin", "inspect", path) for name, path in source.files
        }
        error.try_ = from_here.get(error.try_ or "", error.try_)
        raise


def read_listing(
    files: FileList, book: RuleBook, project: Project, register: Register, understanding: Understanding
) -> SourceTable:
    """A folder's files as evidence, told by their names; those of no household of the register are set aside.

    Raises ConfigurationError for a kind of extract that is not about papers.
    """
    profile = understanding.profile
    if not {"document", "file"} <= profile.own:
        raise ConfigurationError(
            tr("a folder of files is no {name}", name=profile.name),
            where=files.name,
            try_=tr('profile = "household_documents"'),
        )
    documents = documents_of(book, profile.name, project.jurisdiction)
    grid = list_files(files, documents, register.persons.select("household_id", "id_number"))
    table = read_contents(files.name, [Contents(files.name, "files", None, (grid,))], profile, understanding.evidence)
    # a row of this table is a file: what its name lacks is a household
    reason = pl.col("set_aside_reason").replace("no_identity", "unnamed_file")
    return replace(table, set_aside=table.set_aside.with_columns(reason))


def renamed(project: Project) -> tuple[Renamed, ...]:
    """The divisions that the project says were merged or renamed."""
    return tuple(Renamed(*place) for place in project.places)


def read_extracts(
    project: Project,
    book: RuleBook,
    register: Register,
    stages: Sequence[str],
    say: Say,
    passwords: Passwords = nobody_knows,
    park: Park = in_memory,
) -> list[Extract]:
    """The extracts of the given stages, each with its rows as evidence, their places named as the register names them.

    `park` says where evidence is kept.
    """
    wanted = [source for source in project.extracts if source.stage in stages]
    known, extracts = KnownPlaces.of(register.persons), list[Extract]()
    sizes = [sum(path.stat().st_size for _, path in source.files if path.is_file()) for source in wanted]
    for n, source in enumerate(wanted):
        say(
            tr("reading {id} ({number}/{count})", id=source.id, number=n + 1, count=len(wanted)),
            sum(sizes[:n]),
            sum(sizes),
            "B",
        )
        understanding = Understanding(project, source, book.profiles[source.profile], known, park)
        table = (
            read_listing(source.listing, book, project, register, understanding)
            if source.listing
            else read_table(project, source, understanding.profile, passwords, understanding.evidence)
        )
        if any(report.only_identity for report in table.reports):
            refuse_another_kind(source, book, passwords)
        extracts.append(understanding.extract(table))
    return extracts


@dataclass
class Understanding:
    """How the rows of one extract become evidence, some hundred thousand at a time; what is told of them comes together here."""

    project: Project
    source: Source
    profile: SourceProfile
    known: KnownPlaces
    park: Park
    strange: list[tuple[str, tuple[str, ...], int]] = field(default_factory=list)
    impossible: list[pl.DataFrame] = field(default_factory=list)

    def evidence(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows as evidence, where it is kept."""
        source = self.source
        origin = {
            "extract": source.id,
            "kind": source.profile,
            "department": source.department or self.profile.department,
            "stage": source.stage,
            "as_of": source.as_of,
        }
        only = source.coverage[0] if len(source.coverage) == 1 else None
        evidence, impossible = without_impossible_dates(to_evidence(rows, origin), self.profile)
        evidence = settle_places(rename_places(evidence, renamed(self.project)), self.known, only)
        self.strange.extend(unmatched_places(evidence, self.known, _MOST_NAMES))
        self.impossible.append(impossible)
        return self.park(evidence)

    def extract(self, table: SourceTable) -> Extract:
        """The extract, once all of its table's rows are evidence."""
        strange = tuple(
            (
                level,
                tuple(sorted({name for at, names, _ in self.strange if at == level for name in names})[:_MOST_NAMES]),
                sum(rows for at, _, rows in self.strange if at == level),
            )
            for level in ("township", "village")
            if any(at == level for at, _, _ in self.strange)
        )
        impossible = impossible_together(self.impossible, self.profile)
        read = replace(table, rows=table.rows.clear())
        return Extract(self.source, read, table.rows, strange, tuple(impossible.rows()))


def refuse_another_kind(source: Source, book: RuleBook, passwords: Passwords) -> None:
    """ConfigurationError where a file without any column of its declared kind is plainly of another kind.

    Read as the declared kind it would say of everybody on a list of beneficiaries that they own vehicles.
    """
    ask = passwords(source.password_env)
    for name, path in source.files:
        for sheet in (sheet for file in inspect_file(name, path, book.profiles, ask) for sheet in file.sheets):
            guesses = dict(sheet.guesses)
            best = max(guesses, key=lambda kind: guesses[kind], default=source.profile)
            if guesses.get(best, 0.0) >= guesses.get(source.profile, 0.0) + _PLAINLY:
                raise ConfigurationError(
                    tr(
                        "[[extract]] {id}: {name} has no column of {profile}, and looks like {best}",
                        id=source.id,
                        name=name,
                        profile=source.profile,
                        best=best,
                    ),
                    try_=tr('profile = "{best}"', best=best),
                )


def describe(extracts: Iterable[Extract]) -> pl.DataFrame:
    """EXTRACTS: what each extract is, how far it reaches and how fresh it is."""
    rows = [
        (e.source.id, e.source.profile, e.source.department or e.table.profile.department, e.source.stage, e.source.as_of,
         list(e.source.coverage) or None, not any(report.incomplete for report in e.table.reports), e.table.mentioned.to_list())
        for e in extracts
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=EXTRACTS.schema, orient="row")
