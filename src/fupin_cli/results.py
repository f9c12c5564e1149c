"""What a run leaves behind: the last round's word, one digest of it, and that digest's faces."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fupin_cli import __version__
from fupin_cli.ingest import SourceTable, counted_cells
from fupin_cli.intake import Extract, Register, describe
from fupin_cli.judged import Judged
from fupin_cli.kept_rules import keep_rules, rule_files
from fupin_cli.normalise.regions import place_keys
from fupin_cli.parked import Park, in_memory
from fupin_cli.parquet import write_parquet
from fupin_cli.project import Project
from fupin_cli.report.digest import Digest, Problem, build_digest, to_json
from fupin_cli.report.page import write_page
from fupin_cli.report.page_parts import PageFrames
from fupin_cli.report.set_aside_book import write_set_aside_books
from fupin_cli.report.workbook import write_workbooks
from fupin_cli.rulebook import RuleBook
from fupin_cli.rules import standards
from fupin_cli.rundir import code_hash, sha256
from fupin_cli.vocabulary import FINDINGS, LINKS, PLACES

_MOST_VILLAGES = 3
_ROW = ["extract", "extract_row"]  # a row of two people has two numbers, so each finding shows its own
_AT_ONCE = 500_000  # findings that are dated and completed together


@dataclass(frozen=True)
class Verdict:
    """What the last round says, with each finding dated by the round that first saw it, and what later rounds cleared."""

    judged: Judged
    findings: pl.DataFrame
    cleared: pl.DataFrame


def conclude(
    rounds: Sequence[Judged],
    stages: Sequence[str],
    register: Register,
    extracts: Sequence[Extract],
    park: Park = in_memory,
) -> Verdict:
    """The last round's judgement; its findings carry the stage of the round that first saw them, and lie where `park` puts them.

    What an earlier round found and the last one no longer does was cleared by better evidence, and is kept apart.
    """
    seen = pl.concat(
        [
            r.findings.select("finding_key", pl.lit(stage).alias("first_stage"))
            for r, stage in zip(rounds, stages, strict=True)
        ]
    ).unique("finding_key", keep="first", maintain_order=True)
    final = rounds[-1].findings
    ours, theirs = both_identities(final, register, extracts)

    def told(some: pl.DataFrame) -> pl.DataFrame:
        dated = some.join(seen, on="finding_key", how="left", maintain_order="left")
        dated = dated.with_columns(pl.col("first_stage").alias("stage")).drop("first_stage")
        return FINDINGS.conform(with_both_identities(dated, ours, theirs))

    findings = [park(told(some)) for some in final.iter_slices(_AT_ONCE)]
    before = pl.concat(r.findings.join(final, on="finding_key", how="anti", maintain_order="left") for r in rounds)
    cleared = before.unique("finding_key", keep="first", maintain_order=True)
    return Verdict(rounds[-1], pl.concat([told(final.clear()), *findings]), FINDINGS.conform(cleared))


def both_identities(
    findings: pl.DataFrame, register: Register, extracts: Sequence[Extract]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The ID as received of each register person, and how departments write those of whom the findings speak."""
    wanted = findings.select(_ROW).unique()  # few of a long extract's rows
    listed = [
        *(e.evidence.select(*_ROW, "name", "id_raw", *PLACES) for e in extracts),
        register.persons.select(
            pl.lit("register").alias("extract"), pl.col("register_row").alias("extract_row"), "name", "id_raw", *PLACES
        ),
    ]
    theirs = pl.concat(rows.join(wanted, on=_ROW, how="semi") for rows in listed).select(
        *_ROW,
        pl.col("name").alias("listed_name"),
        pl.col("id_raw").alias("listed_id"),
        pl.concat_str(*PLACES, ignore_nulls=True).alias("listed_place"),
    )
    return register.persons.select("register_row", "id_raw"), theirs


def with_both_identities(findings: pl.DataFrame, ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """The findings with the register's ID as received, and how the department writes the person: whoever checks compares."""
    findings = findings.drop("id_raw", "listed_name", "listed_id", "listed_place", strict=False)
    return findings.join(ours, on="register_row", how="left", maintain_order="left").join(
        theirs, on=_ROW, how="left", maintain_order="left"
    )


def sum_up(
    project: Project,
    book: RuleBook,
    register: Register,
    extracts: Sequence[Extract],
    links: pl.DataFrame,
    rounds: Sequence[Judged],
    verdict: Verdict,
    stages: Sequence[str],
    read: Mapping[str, Container[str]],
) -> Digest:
    """The one result object that every face renders; `read` are the columns of each kind that rules read."""
    tables = {"register": register.table} | {extract.source.id: extract.table for extract in extracts}
    judged, decisive = verdict.judged, standards(book.packs, project.jurisdiction)
    return build_digest(
        project=project.name,
        as_of=project.as_of,
        stages=stages,
        program_version=__version__,
        persons=register.persons,
        households=register.households,
        accounts=pl.concat([table.accounts.with_columns(extract=pl.lit(name)) for name, table in tables.items()]),
        set_aside=pl.concat([table.set_aside.with_columns(extract=pl.lit(name)) for name, table in tables.items()]),
        extracts=describe(extracts),
        links=links,
        outcomes=judged.outcomes_of([rule.id for rule in decisive]),
        findings=verdict.findings,
        rules=judged.reports,
        problems=[
            *contradictions(register),
            *out_of_reach(register, judged.uncovered),
            *(problem for extract in extracts for problem in strange_places(extract)),
            *(problem for extract in extracts for problem in impossible_dates(extract)),
            *(problem for extract in extracts for problem in unseen_villages(extract, register, book)),
            *(problem for table in tables.values() for problem in problems_of(table, read.get(table.profile.name, ()))),
        ],
        lines=judged.lines,
        standards=[rule.id for rule in decisive],
        cleared=verdict.cleared,
        packs=book.choices,
        earlier={stage: told.reports for stage, told in zip(stages[:-1], rounds[:-1], strict=True)},
    )


def contradictions(register: Register) -> list[Problem]:
    """Household-level fields on which members' rows disagree, people without a place, telephones that several households gave."""
    names = {field.column: field.zh for field in register.table.profile.fields}
    source = "、".join(dict.fromkeys(report.source for report in register.table.reports))
    found = [
        Problem("conflicting_household_values", source, None, f"{names.get(field, field)}: {households}")
        for field, households in register.conflicts
    ]
    if register.persons.height and not register.persons["county_key"].drop_nulls().len():
        found.append(Problem("no_county", source, None, str(register.persons.height)))
    if nowhere := register.persons["township"].null_count():
        found.append(Problem("no_township", source, None, str(nowhere)))
    if register.shared_phones:
        found.append(Problem("shared_phone", source, None, str(register.shared_phones)))
    return found


def out_of_reach(register: Register, uncovered: pl.DataFrame) -> list[Problem]:
    """Townships whose people stand on the lists while the register holds nobody there: a sheet may have been left out."""
    source = "、".join(dict.fromkeys(report.source for report in register.table.reports))
    told = uncovered.select(pl.concat_str(pl.col("county").fill_null(""), "township"), "listed").rows()
    return [Problem("uncovered_township", source, None, f"{place}: {listed}") for place, listed in told]


def strange_places(extract: Extract) -> list[Problem]:
    """Townships and villages of an extract that the register does not know: merged or renamed, perhaps; nobody guesses."""
    source = "、".join(dict.fromkeys(report.source for report in extract.table.reports))
    return [
        Problem("unmatched_place", source, None, f"{'、'.join(names)}{' 等' if len(names) > 1 else ''}: {rows}")
        for _, names, rows in extract.strange_places
    ]


def impossible_dates(extract: Extract) -> list[Problem]:
    """Dates of an extract that cannot be: before the person's birth, or after the day of the list."""
    words = {field.column: field.zh for field in extract.table.profile.fields}
    return [
        Problem("impossible_dates", source, sheet, counted_cells(words.get(field, field), cells, rows))
        for source, sheet, field, cells, rows in extract.impossible_dates
    ]


def unseen_villages(extract: Extract, register: Register, book: RuleBook) -> list[Problem]:
    """Villages of which a list of papers or steps names no household, though it names some of others that it covers."""
    if not any(fact.siblings and extract.source.profile in fact.kinds for pack in book.packs for fact in pack.facts):
        return []
    people = register.persons.drop_nulls("household_id")
    if extract.source.coverage:
        keys = place_keys(pl.DataFrame({"county": extract.source.coverage}))["county_key"]
        people = people.filter(pl.col("county_key").is_in(keys.implode()))
    listed = pl.col("household_id").is_in(extract.evidence["household_id"].drop_nulls().unique().implode())
    villages = people.drop_nulls("village_key").group_by("county_key", "township_key", "village_key").agg(
        pl.col("village").drop_nulls().min(), listed.any().alias("listed")
    )  # fmt: skip
    unseen = villages.filter(~pl.col("listed")).sort("county_key", "township_key", "village_key")["village"].to_list()
    if not unseen or len(unseen) == villages.height:
        return []
    source = "、".join(dict.fromkeys(report.source for report in extract.table.reports))
    names = "、".join(unseen[:_MOST_VILLAGES]) + (" 等" if len(unseen) > 1 else "")
    return [Problem("unseen_village", source, None, f"{names}: {len(unseen)}")]


def problems_of(table: SourceTable, read: Container[str]) -> list[Problem]:
    """What a person should know about a source: columns it lacks or that nobody reads, cells that make no sense.

    Missing is a column of the kind's own that some rule reads: what no rule asks for is not missed.
    """
    words = {name: field.zh for field in table.profile.fields for name in (field.column, field.name)}
    named = re.compile(rf"\b({'|'.join(map(re.escape, sorted(words)))})\b", re.ASCII)
    asked = {name for name in table.profile.own if name in read}
    asked |= {"township", "village"} if table.profile.needs_household else set()  # whose list a finding goes to
    return [
        Problem(kind, report.source, report.sheet, named.sub(lambda field: words[field[0]], detail))
        for report in table.reports
        for kind, detail in report.problems(asked)
    ]


def write_frames(
    folder: Path,
    project: Project,
    register: Register,
    extracts: Sequence[Extract],
    links: pl.DataFrame,
    verdict: Verdict,
) -> None:
    """The Parquet outputs: the contract's four, and what `fupin explain` and `fupin rules compare` read; and the rules."""
    tables = [register.table, *(extract.table for extract in extracts)]
    frames = {
        "links": LINKS.conform(links),
        "findings": verdict.findings,
        "set_aside": pl.concat([table.set_aside for table in tables]),
        "evidence": pl.concat([e.evidence for e in extracts], how="diagonal_relaxed"),
        "extracts": describe(extracts),
    }
    for name, frame in frames.items():
        write_parquet(frame, folder / f"{name}.parquet")
    verdict.judged.write(folder)
    keep_rules(folder, project.rules_folders)


def write_faces(
    folder: Path,
    project: Project,
    book: RuleBook,
    register: Register,
    extracts: Sequence[Extract],
    verdict: Verdict,
    digest: Digest,
    page: PageFrames,
) -> None:
    """The same digest, as JSON, page and workbooks; and what could not be used, for whoever sent it."""
    (folder / "digest.json").write_text(to_json(digest), encoding="utf-8")
    write_page(folder / "report.html", digest, page)
    write_workbooks(
        folder / "workbooks",
        digest,
        verdict.findings,
        pl.scan_parquet(folder / "outcomes.parquet"),
        register.households,
        {rule.id: rule.title for pack in book.packs for rule in pack.rules},
        as_of=project.as_of,
        mask_ids=project.mask_ids,
        said=page.said,
    )
    owners = owners_of_registers(register) | {
        report.source: owner_of(extract) for extract in extracts for report in extract.table.reports
    }
    everything = [register.table, *(extract.table for extract in extracts)]
    write_set_aside_books(
        folder / "workbooks" / "退回更正",
        pl.concat([table.set_aside for table in everything]),
        headers_of(everything),
        owners,
        as_of=project.as_of,
    )


def headers_of(tables: Sequence[SourceTable]) -> dict[tuple[str, str], tuple[str, ...]]:
    """The labels of each sheet; of one that two sources share, as whichever of them read it saw them."""
    headers: dict[tuple[str, str], tuple[str, ...]] = {}
    for report in (report for table in tables for report in table.reports):
        key = (report.source, report.sheet)
        headers[key] = headers.get(key) or report.headers
    return headers


def owner_of(extract: Extract) -> str:
    """Who sent an extract; two counties' offices of one name are two."""
    department = extract.source.department or extract.table.profile.department
    only = extract.source.coverage[0] if len(extract.source.coverage) == 1 else ""
    return f"{only}{department}"


def owners_of_registers(register: Register) -> dict[str, str]:
    """Register file → who keeps it: its county, where all its persons are of one."""
    counties = register.persons.group_by("source").agg(pl.col("county").drop_nulls().unique())
    only = {source: names[0] for source, names in counties.rows() if len(names) == 1}
    return {report.source: f"{only.get(report.source, '')}建档立卡台账" for report in register.table.reports}


def manifest(
    project: Project,
    register: Register,
    extracts: Sequence[Extract],
    stages: Sequence[str],
    page: Mapping[str, object],
) -> dict[str, object]:
    """What went in: the hash of every input and rule file, versions, the as-of date, whether persons are masked. No clock."""
    sources = (project.register, *(extract for extract in project.extracts if extract.stage in stages))
    tables = {project.register.id: register.table} | {extract.source.id: extract.table for extract in extracts}
    asked = {
        f"{source.id} {origin.name}": content_hash(tables[source.id].rows)
        for source in sources
        if (origin := source.database or source.listing)
    }
    return {
        "version": __version__,
        "code": code_hash(),
        "polars": pl.__version__,
        "as_of": project.as_of.isoformat(),
        "stages": list(stages),
        "judged_for": {
            "jurisdiction": project.jurisdiction,
            "line_series": project.line_series,
            "income_basis": project.income_basis,
        },
        "inputs": {name: sha256(path) for source in sources for name, path in source.files}
        | asked
        | {"fupin.toml": sha256(project.path)},
        "report": dict(page),
        "rules": {name: sha256(path) for name, path in rule_files(project.rules_folders).items()},
    }


def content_hash(rows: pl.DataFrame) -> str:
    """The hash of what a database answered, or of a folder's list: there is no one file whose bytes could be hashed."""
    written = io.BytesIO()
    rows.rechunk().write_ipc(written)
    return hashlib.sha256(written.getbuffer()).hexdigest()
