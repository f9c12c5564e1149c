"""The whole program on one page: files → persons and evidence → links → judgement → digest → workbooks.

One direction, no way back. Only this page and the command line know the whole; the rooms it calls do not know each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fupin_cli import __version__
from fupin_cli.errors import ConfigurationError, UsageError
from fupin_cli.ingest import (
    SourceProfile,
    SourceTable,
    load_profiles,
    read_people,
    read_source,
    to_evidence,
    to_households,
    to_persons,
)  # fmt: skip
from fupin_cli.linkage import Model, find_duplicates, link_people, load_model
from fupin_cli.normalise.keys import person_keys
from fupin_cli.normalise.regions import place_codes, settle_places
from fupin_cli.project import Project, Source, shipped_rules
from fupin_cli.report.digest import Digest, LineUsed, Problem, RuleReport, build_digest, to_json
from fupin_cli.report.page import write_page
from fupin_cli.report.workbook import write_workbooks
from fupin_cli.rules import Judgement, Lines, Pack, judge, load_lines, load_packs
from fupin_cli.rundir import publish, replace_file, sha256, write_manifest
from fupin_cli.vocabulary import EXTRACTS, FINDINGS, LINKS, PLACES, STAGES

Say = Callable[[str], None]


def reconcile(project: Project, target: Path, *, stage: str | None = None, say: Say = lambda _: None) -> Digest:
    """Compares, judges and reports a whole project into the run directory `target`; the digest comes back.

    With `stage`, only the rounds up to that one. Nothing appears under `target` unless everything does.
    """
    stages = rounds_up_to(project, stage)
    with publish(target) as folder:
        book = open_rule_book(project)
        register = read_register(project, book, say)
        extracts = read_extracts(project, book, register, stages, say)
        links = link_everyone(register, extracts, book, say)
        rounds = [
            judge_round(project, book, register, extracts, links, stages[: n + 1], say) for n in range(len(stages))
        ]
        verdict = conclude(rounds, stages, register, extracts)
        digest = sum_up(project, register, extracts, links, verdict, stages)
        say("写出结果 writing results")
        write_frames(folder, register, extracts, links, verdict)
        write_faces(folder, project, book, register, verdict, digest)
        write_manifest(folder, manifest(project, book, stages))
    return digest


def link_files(
    register: Path,
    extract: Path,
    target: Path,
    *,
    profiles: Sequence[Path] = (),
    model: Path | None = None,
    say: Say = lambda _: None,
) -> pl.DataFrame:
    """LINKS between two files without a project, also written to `target`; rows are 0-based data rows after the header.

    With one profile file it describes both files; with two, first the register's and then the extract's.
    """
    shipped = shipped_rules()
    identity = shipped / "sources" / "_identity.toml"
    known = [load_profiles([identity, profile]) for profile in profiles] or [load_profiles([shipped / "sources"])]
    say("读取、比对 reading and linking")
    with ThreadPoolExecutor() as pool:
        people = list(pool.map(read_people, (register, extract), (known[0], known[-1])))
    links = link_people(people[0], people[1], load_model(model or shipped / "linkage" / "default.toml")).drop("extract")
    with replace_file(target) as staged:
        if target.suffix.lower() == ".csv":
            links.write_csv(staged, include_bom=True)  # the byte-order mark tells Excel that this is UTF-8
        else:
            links.write_parquet(staged)
    return links


@dataclass(frozen=True)
class RuleBook:
    """Everything an official may change, read once: source profiles, rule packs, lines and the linkage model."""

    profiles: dict[str, SourceProfile]
    packs: tuple[Pack, ...]
    lines: Lines
    model: Model
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Register:
    """The register as read: its accounts, its persons and its households."""

    table: SourceTable
    persons: pl.DataFrame
    households: pl.DataFrame


@dataclass(frozen=True)
class Extract:
    """One extract as read: where it comes from, its accounts and its rows as evidence."""

    source: Source
    table: SourceTable
    evidence: pl.DataFrame


@dataclass(frozen=True)
class Verdict:
    """What the last round says, with each finding dated by the round that first saw it, and what later rounds cleared."""

    judgement: Judgement
    findings: pl.DataFrame
    cleared: pl.DataFrame


def rounds_up_to(project: Project, stage: str | None) -> tuple[str, ...]:
    """The stages to run, in order: a later round knows what the earlier ones knew."""
    if stage is None:
        return project.stages
    if stage not in project.stages:
        raise UsageError(
            f"the project has no extract of stage {stage}",
            where=str(project.path),
            try_=f"--stage with one of: {', '.join(project.stages)}",
        )
    return tuple(s for s in project.stages if STAGES.index(s) <= STAGES.index(stage))


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
        packs=load_packs(folders, {name: frozenset(f.column for f in p.fields) for name, p in profiles.items()}),
        lines=load_lines(folders),
        model=load_model(project.linkage_model),
        files=tuple(sorted(path for folder in folders for path in folder.rglob("*.toml"))),
    )


def read_register(project: Project, book: RuleBook, say: Say) -> Register:
    """The register's persons and households; rows that cannot be used are in its accounts."""
    say(f"读取台账 reading the register ({len(project.register.files)} file(s))")
    profile = book.profiles[project.register.profile]
    table = read_source(project.register.files, profile)
    persons = to_persons(table.rows)
    persons = settle_places(persons, persons)
    return Register(table, persons, to_households(persons, profile))


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


def link_everyone(register: Register, extracts: Sequence[Extract], book: RuleBook, say: Say) -> pl.DataFrame:
    """LINKS of the register with itself and with every extract, all stages: every person is compared again at each.

    An extract that covers some counties only meets the persons of those, and those whose county nobody wrote down.
    """
    say("台账内部查重 looking for duplicates inside the register")
    everyone = person_keys(register.persons, "register_row")
    links = [find_duplicates(everyone, book.model)]
    for n, extract in enumerate(extracts, 1):
        source = extract.source
        say(f"比对人员 linking {source.id} ({n}/{len(extracts)})")
        reached = place_codes(pl.DataFrame({"county": source.coverage}, schema={"county": pl.String}))["county_code"]
        refuse_unknown_coverage(source, reached, everyone["county_code"], register)
        here = everyone.filter(pl.col("county_code").is_in(reached.implode()) | pl.col("county_code").is_null())
        people = person_keys(extract.evidence, "extract_row")
        links.append(link_people(here if source.coverage else everyone, people, book.model, name=source.id))
    return pl.concat(links).sort("extract", "register_row", "extract_row")


def refuse_unknown_coverage(source: Source, reached: pl.Series, held: pl.Series, register: Register) -> None:
    """An extract that covers no county of the register is a slip of the pen: it would make everybody absent, or nobody."""
    if len(reached) and held.drop_nulls().len() and not reached.is_in(held.unique().implode()).any():
        counties = "、".join(register.persons["county"].drop_nulls().unique().sort())
        raise ConfigurationError(
            f"[[extract]] {source.id} covers {'、'.join(source.coverage)}, and the register has nobody there",
            why=f"the register holds: {counties}",
            try_=f"coverage with one of: {counties}",
        )


def judge_round(
    project: Project,
    book: RuleBook,
    register: Register,
    extracts: Sequence[Extract],
    links: pl.DataFrame,
    stages: Sequence[str],
    say: Say,
) -> Judgement:
    """What the rules say of every household when the evidence of these stages is known."""
    say(f"研判 judging, with the evidence of: {', '.join(stages)}")
    known = [extract for extract in extracts if extract.source.stage in stages]
    kinds = sorted({extract.source.profile for extract in known})
    evidence = {
        kind: pl.concat([e.evidence for e in known if e.source.profile == kind], how="diagonal_relaxed")
        for kind in kinds
    }
    seen = ["register", *(extract.source.id for extract in known)]
    return judge(
        register.persons,
        register.households,
        evidence,
        links.filter(pl.col("extract").is_in(seen)),
        describe(known),
        book.packs,
        book.lines,
        as_of=project.as_of,
        jurisdiction=project.jurisdiction,
        series=project.line_series,
        basis=project.income_basis,
        stages=stages,
        labels=labels_of(book),
    )


def labels_of(book: RuleBook) -> dict[str, str]:
    """What people read for each field: by its name, and by `profile.name` where kinds of extract call it differently."""
    fields = [(profile, field) for profile in book.profiles.values() for field in profile.fields]
    plain = {field.column: field.zh for _, field in fields}
    own = {field.column: field.zh for field in book.profiles["register"].fields} if "register" in book.profiles else {}
    return plain | own | {f"{profile.name}.{field.column}": field.zh for profile, field in fields}


def describe(extracts: Iterable[Extract]) -> pl.DataFrame:
    """EXTRACTS: what each extract is, how far it reaches and how fresh it is."""
    rows = [
        (e.source.id, e.source.profile, e.source.department or e.table.profile.department, e.source.stage, e.source.as_of,
         list(e.source.coverage) or None)
        for e in extracts
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=EXTRACTS.schema, orient="row")


def conclude(
    rounds: Sequence[Judgement], stages: Sequence[str], register: Register, extracts: Sequence[Extract]
) -> Verdict:
    """The last round's judgement; its findings carry the stage of the round that first saw them.

    What an earlier round found and the last one no longer does was cleared by better evidence, and is kept apart.
    """
    seen = pl.concat(
        [
            r.findings.select("finding_key", pl.lit(stage).alias("first_stage"))
            for r, stage in zip(rounds, stages, strict=True)
        ]
    ).unique("finding_key", keep="first", maintain_order=True)
    final = rounds[-1].findings
    findings = final.join(seen, on="finding_key", how="left", maintain_order="left").with_columns(
        pl.col("first_stage").alias("stage")
    )
    before = pl.concat([r.findings for r in rounds]).unique("finding_key", keep="first", maintain_order=True)
    cleared = before.join(final, on="finding_key", how="anti", maintain_order="left")
    findings = with_both_identities(findings.drop("first_stage"), register, extracts)
    return Verdict(rounds[-1], FINDINGS.conform(findings), FINDINGS.conform(cleared))


def with_both_identities(findings: pl.DataFrame, register: Register, extracts: Sequence[Extract]) -> pl.DataFrame:
    """The findings with the register's ID as received, and how the department writes the person: whoever checks compares."""
    row = ["extract", "source", "sheet", "row"]
    listed = [
        *(e.evidence.select(*row, "name", "id_raw", *PLACES) for e in extracts),
        register.persons.select(pl.lit("register").alias("extract"), *row[1:], "name", "id_raw", *PLACES),
    ]
    theirs = pl.concat(listed).select(
        *row,
        pl.col("name").alias("listed_name"),
        pl.col("id_raw").alias("listed_id"),
        pl.concat_str(*PLACES, ignore_nulls=True).alias("listed_place"),
    )
    ours = register.persons.select("register_row", "id_raw")
    findings = findings.drop("id_raw", "listed_name", "listed_id", "listed_place", strict=False)
    at = ["extract", "extract_source", "extract_sheet", "extract_at"]
    return findings.join(ours, on="register_row", how="left", maintain_order="left").join(
        theirs, left_on=at, right_on=row, how="left", maintain_order="left", nulls_equal=True
    )


def sum_up(
    project: Project,
    register: Register,
    extracts: Sequence[Extract],
    links: pl.DataFrame,
    verdict: Verdict,
    stages: Sequence[str],
) -> Digest:
    """The one result object that every face renders."""
    tables = {"register": register.table} | {extract.source.id: extract.table for extract in extracts}
    judgement = verdict.judgement
    return build_digest(
        project=project.name,
        as_of=project.as_of,
        stages=stages,
        program_version=__version__,
        persons=register.persons,
        households=register.households,
        accounts=pl.concat([table.accounts.with_columns(extract=pl.lit(name)) for name, table in tables.items()]),
        set_aside=pl.concat([table.set_aside for table in tables.values()]),
        extracts=describe(extracts),
        links=links,
        outcomes=judgement.outcomes,
        findings=verdict.findings,
        rules=[RuleReport(**vars(report)) for report in judgement.reports],
        problems=[problem for table in tables.values() for problem in problems_of(table)],
        lines=[LineUsed(**vars(line)) for line in judgement.lines],
        cleared=verdict.cleared,
    )


def problems_of(table: SourceTable) -> list[Problem]:
    """What a person should know about a source: columns it lacks or that nobody reads, cells that make no sense.

    Of the fields that every profile shares, a table has those it has: only the kind's own columns can be missing.
    """
    return [
        Problem(kind=kind, source=report.source, sheet=report.sheet, detail=detail)
        for report in table.reports
        for kind, detail in report.problems()
        if kind != "missing_column" or detail in table.profile.own
    ]


def write_frames(
    folder: Path, register: Register, extracts: Sequence[Extract], links: pl.DataFrame, verdict: Verdict
) -> None:
    """The Parquet outputs: the contract's four, and what `fupin explain` reads."""
    tables = [register.table, *(extract.table for extract in extracts)]
    facts = verdict.judgement.facts
    frames = {
        "links": LINKS.conform(links),
        "outcomes": verdict.judgement.outcomes,
        "person_outcomes": verdict.judgement.person_outcomes,
        "findings": verdict.findings,
        "set_aside": pl.concat([table.set_aside for table in tables]),
        "persons": facts.persons,
        "households": facts.households,
        "evidence": pl.concat([e.evidence for e in extracts], how="diagonal_relaxed"),
    }
    for name, frame in frames.items():
        frame.write_parquet(folder / f"{name}.parquet")


def write_faces(
    folder: Path, project: Project, book: RuleBook, register: Register, verdict: Verdict, digest: Digest
) -> None:
    """The same digest, as JSON, page and workbooks."""
    (folder / "digest.json").write_text(to_json(digest), encoding="utf-8")
    write_page(folder / "report.html", digest)
    write_workbooks(
        folder / "workbooks",
        digest,
        verdict.findings,
        verdict.judgement.outcomes,
        register.households,
        {rule.id: rule.title for pack in book.packs for rule in pack.rules},
        as_of=project.as_of,
        mask_ids=project.mask_ids,
    )


def manifest(project: Project, book: RuleBook, stages: Sequence[str]) -> dict[str, object]:
    """What went in: the hash of every input and rule file, versions, and the as-of date. No clock."""
    sources = (project.register, *(extract for extract in project.extracts if extract.stage in stages))
    folders = sorted(project.rules_folders, key=lambda folder: len(folder.parts), reverse=True)

    def shown(path: Path) -> str:
        home = next(folder for folder in folders if path.is_relative_to(folder))
        own = home != project.rules_folders[0]
        return f"{'project' if own else 'shipped'}/{path.relative_to(home).as_posix()}"

    return {
        "version": __version__,
        "polars": pl.__version__,
        "as_of": project.as_of.isoformat(),
        "stages": list(stages),
        "inputs": {name: sha256(path) for source in sources for name, path in source.files}
        | {"fupin.toml": sha256(project.path)},
        "rules": {shown(path): sha256(path) for path in book.files},
    }
