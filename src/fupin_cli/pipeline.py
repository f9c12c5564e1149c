"""The whole program on one page: files → persons and evidence → links → judgement → digest → workbooks.

One direction, no way back. Only this page and the command line know the whole; the rooms it calls do not know each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from fupin_cli.engine import Engine
from fupin_cli.errors import BadDataError, ConfigurationError, UsageError, typed
from fupin_cli.intake import Extract, Passwords, Register, describe, nobody_knows, read_extracts, read_register
from fupin_cli.judged import HERE, Judged, judge_in_parts, least_memory, persons_at_once
from fupin_cli.language import tr
from fupin_cli.linkage import find_duplicates, link_long
from fupin_cli.normalise.keys import person_keys
from fupin_cli.normalise.regions import place_codes
from fupin_cli.parked import Park, in_memory, on_disk
from fupin_cli.progress import Say, silent
from fupin_cli.project import Project, Source
from fupin_cli.report.digest import Digest
from fupin_cli.results import conclude, manifest, sum_up, write_faces, write_frames
from fupin_cli.round_page import PLAIN, Page, page_frames
from fupin_cli.rulebook import RuleBook, columns_read, for_round, labels_of, open_rule_book, refuse_failing_examples
from fupin_cli.rules import inquire
from fupin_cli.rundir import publish, require_space, write_manifest
from fupin_cli.vocabulary import STAGES


def reconcile(
    project: Project,
    target: Path,
    *,
    stage: str | None = None,
    say: Say = silent,
    passwords: Passwords = nobody_knows,
    page: Page = PLAIN,
    max_memory: int | None = None,
    engine: Engine = HERE,
    warn: Callable[[str], None] = silent,
) -> Digest:
    """Compares, judges and reports a whole project into the run directory `target`; the digest comes back.

    With `stage`, only the rounds up to that one; `page` says what report.html shows beside the round itself. With `max_memory`,
    in bytes, tables wait on the disk, and as many persons are judged at a time as fit; `engine` is where they are judged. Neither
    changes what is said of them. `warn` is told where less memory than the least was given, and where an earlier run had
    been killed here. Nothing appears under `target` unless everything does.
    """
    stages = rounds_up_to(project, stage)
    with publish(target, warn) as folder:
        seen = stamps(project)
        require_space(folder, sum(size for _, size, _ in seen.values()), tables=max_memory is not None)
        book = open_rule_book(project)
        refuse_failing_examples(project, book)
        park = in_memory if max_memory is None else on_disk(folder)
        register = read_register(project, book, say, passwords, park)
        extracts = read_extracts(project, book, register, stages, say, passwords, park)
        kinds = [extract.source.profile for extract in extracts if extract.evidence.height]
        book = for_round(book, project, register.persons, register.households, kinds)
        links = link_everyone(register, extracts, book, say)
        tables = [register.persons, register.households, *(extract.evidence for extract in extracts)]
        held = [links, *(tables if park is in_memory else ())]
        if max_memory is not None and max_memory < (least := least_memory(held)):
            warn(
                tr(
                    "--max-memory cannot be kept, and the run goes on: what it holds takes at least {gib:.1f} GiB",
                    gib=least / 1024**3,
                )
            )
        most = persons_at_once(max_memory, held)
        at_once = engine.at_once(register.persons.height, most)
        rounds = [
            judge_round(
                folder, project, book, register, extracts, links, stages[: n + 1], at_once, engine, park, say, last=last
            )
            for n, last in enumerate(stage == stages[-1] for stage in stages)
        ]
        verdict = conclude(rounds, stages, register, extracts, park)
        digest = sum_up(project, book, register, extracts, links, rounds, verdict, stages, columns_read(book))
        say(tr("writing results"))
        write_frames(folder, project, register, extracts, links, verdict)
        shown = page_frames(
            folder, project, book, register, extracts, links, verdict.judged, verdict.findings, verdict.cleared, page
        )
        write_faces(folder, project, book, register, extracts, verdict, digest, shown)
        refuse_changed(project, seen)
        try:
            write_manifest(folder, manifest(project, register, extracts, stages, page.on_record))
        except FileNotFoundError:
            refuse_changed(project, seen)
            raise
        refuse_changed(project, seen)  # what is in the manifest is what was read
    return digest


def stamps(project: Project) -> dict[str, tuple[int, int, int]]:
    """Name → when it was last changed, bytes, and which file it is, of every file that is there; the configuration is one."""
    sources = (project.register, *project.extracts)
    files = {name: path for source in sources for name, path in source.files} | {project.path.name: project.path}
    found = {name: path.stat() for name, path in files.items() if path.is_file()}
    return {name: (stat.st_mtime_ns, stat.st_size, stat.st_ino) for name, stat in found.items()}


def refuse_changed(project: Project, seen: Mapping[str, tuple[int, int, int]]) -> None:
    """Raises BadDataError where a file is not what it was when the run began: part of it would be of another day."""
    now = stamps(project)
    for name, stamp in seen.items():
        if now.get(name) != stamp:
            raise BadDataError(
                tr("this file was changed while it was read")
                if name in now
                else tr("this file vanished while it was read"),
                where=name,
                try_=tr("run again when the file is complete and nobody writes to it"),
            )


def rounds_up_to(project: Project, stage: str | None) -> tuple[str, ...]:
    """The stages to run, in order: a later round knows what the earlier ones knew."""
    if not project.stages:
        raise ConfigurationError(
            tr("there is no [[extract]]: the register has nothing to be compared with"),
            where=str(project.path),
            try_=tr(
                "{step}  writes one for each file, and keeps this",
                step=typed("fupin", "init", project.path.parent, "--force"),
            ),
        )
    if stage is None:
        return project.stages
    if stage not in project.stages:
        raise UsageError(
            tr("the project has no extract of stage {stage}", stage=stage),
            where=str(project.path),
            try_=tr("--stage with one of: {names}", names=", ".join(project.stages)),
        )
    return tuple(s for s in project.stages if STAGES.index(s) <= STAGES.index(stage))


def link_everyone(register: Register, extracts: Sequence[Extract], book: RuleBook, say: Say) -> pl.DataFrame:
    """LINKS of the register with itself and with every extract, all stages: every person is compared again at each.

    An extract that covers some counties only meets the persons of those, and those whose county nobody wrote down.
    """
    say(tr("looking for duplicates inside the register"))
    everyone = person_keys(register.persons, "register_row")
    links = [find_duplicates(everyone, book.model)]
    rows = [extract.evidence.height for extract in extracts]
    for n, extract in enumerate(extracts):
        source = extract.source
        say(
            tr("linking {id} ({number}/{count})", id=source.id, number=n + 1, count=len(extracts)),
            sum(rows[:n]),
            sum(rows),
            tr("rows"),
        )
        reached = place_codes(pl.DataFrame({"county": source.coverage}, schema={"county": pl.String}))["county_code"]
        refuse_unknown_coverage(source, reached, everyone["county_code"], register)
        here = everyone.filter(pl.col("county_code").is_in(reached.implode()) | pl.col("county_code").is_null())
        keys = partial(person_keys, row="extract_row", household=extract.table.profile.household)
        met = here if source.coverage else everyone
        links.append(link_long(met, extract.evidence, keys, book.model, name=source.id))
    return pl.concat(links).sort("extract", "register_row", "extract_row")


def refuse_unknown_coverage(source: Source, reached: pl.Series, held: pl.Series, register: Register) -> None:
    """An extract that covers no county of the register is a slip of the pen: it would make everybody absent, or nobody."""
    if len(reached) and held.drop_nulls().len() and not reached.is_in(held.unique().implode()).any():
        counties = "、".join(register.persons["county"].drop_nulls().unique().sort())
        raise ConfigurationError(
            tr(
                "[[extract]] {id} covers {names}, and the register has nobody there",
                id=source.id,
                names="、".join(source.coverage),
            ),
            why=tr("the register holds: {counties}", counties=counties),
            try_=tr("coverage with one of: {counties}", counties=counties),
        )


def judge_round(
    folder: Path,
    project: Project,
    book: RuleBook,
    register: Register,
    extracts: Sequence[Extract],
    links: pl.DataFrame,
    stages: Sequence[str],
    at_once: int,
    engine: Engine,
    park: Park,
    say: Say,
    *,
    last: bool,
) -> Judged:
    """What the rules say of every household when the evidence of these stages is known; `at_once` persons at a time.

    Of a round that is not the `last` the outcomes of single households are not kept.
    """
    doing = tr("judging, with the evidence of: {stages}", stages=", ".join(stages))
    say(doing)
    known = [extract for extract in extracts if extract.source.stage in stages]
    kinds = sorted({extract.source.profile for extract in known})
    evidence = {
        kind: pl.concat([e.evidence for e in known if e.source.profile == kind], how="diagonal_relaxed")
        for kind in kinds
    }
    seen = ["register", *(extract.source.id for extract in known)]
    inquiry = inquire(
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
        labels=labels_of(book.profiles),
        unread=register.unread,
    )
    parts = folder / f"{stages[-1]}.parts"
    return judge_in_parts(inquiry, parts, at_once, keep=last, tell=partial(say, doing), engine=engine, park=park)
