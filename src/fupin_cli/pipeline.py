"""The whole program on one page: files → persons and evidence → links → judgement → digest → workbooks.

One direction, no way back. Only this page and the command line know the whole; the rooms it calls do not know each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from fupin_cli.errors import ConfigurationError, UsageError
from fupin_cli.ingest import (
    Ask,
    ComparedField,
    People,
    SourceProfile,
    load_profiles,
    no_password,
    read_compared,
    read_people,
    refuse_other_comparison,
)
from fupin_cli.intake import Extract, Passwords, Register, Say, describe, nobody_knows, read_extracts, read_register
from fupin_cli.linkage import find_declared_duplicates, find_duplicates, link_declared, link_people, load_model
from fupin_cli.linkage.evaluation import audit, expected_errors
from fupin_cli.linkage.labels import decide_as_answered, relearn
from fupin_cli.linkage.model import as_toml
from fupin_cli.linkage.stages import link_and_learn
from fupin_cli.normalise.keys import person_keys
from fupin_cli.normalise.regions import place_codes
from fupin_cli.pairs import LinkedFiles, add_clusters, answers_of, counted, in_files, with_answers, write_review
from fupin_cli.project import Project, Source, shipped_rules
from fupin_cli.report.digest import Digest
from fupin_cli.results import conclude, manifest, sum_up, write_faces, write_frames
from fupin_cli.rulebook import RuleBook, columns_read, labels_of, open_rule_book
from fupin_cli.rules import Judgement, judge
from fupin_cli.rundir import publish, replace_file, write_manifest
from fupin_cli.vocabulary import STAGES


def reconcile(
    project: Project,
    target: Path,
    *,
    stage: str | None = None,
    say: Say = lambda _: None,
    passwords: Passwords = nobody_knows,
) -> Digest:
    """Compares, judges and reports a whole project into the run directory `target`; the digest comes back.

    With `stage`, only the rounds up to that one. Nothing appears under `target` unless everything does.
    """
    stages = rounds_up_to(project, stage)
    with publish(target) as folder:
        book = open_rule_book(project)
        register = read_register(project, book, say, passwords)
        extracts = read_extracts(project, book, register, stages, say, passwords)
        links = link_everyone(register, extracts, book, say)
        rounds = [
            judge_round(project, book, register, extracts, links, stages[: n + 1], say) for n in range(len(stages))
        ]
        verdict = conclude(rounds, stages, register, extracts)
        digest = sum_up(project, register, extracts, links, verdict, stages, columns_read(book))
        say("写出结果 writing results")
        write_frames(folder, register, extracts, links, verdict)
        write_faces(folder, project, book, register, extracts, verdict, digest)
        write_manifest(folder, manifest(project, book, register, extracts, stages))
    return digest


def rounds_up_to(project: Project, stage: str | None) -> tuple[str, ...]:
    """The stages to run, in order: a later round knows what the earlier ones knew."""
    if not project.stages:
        raise ConfigurationError(
            "there is no [[extract]]: the register has nothing to be compared with",
            where=str(project.path),
            try_="fupin init FOLDER shows how one is written",
        )
    if stage is None:
        return project.stages
    if stage not in project.stages:
        raise UsageError(
            f"the project has no extract of stage {stage}",
            where=str(project.path),
            try_=f"--stage with one of: {', '.join(project.stages)}",
        )
    return tuple(s for s in project.stages if STAGES.index(s) <= STAGES.index(stage))


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
        people = person_keys(extract.evidence, "extract_row", extract.table.profile.household)
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


def link_files(
    register: Path,
    extract: Path,
    target: Path,
    *,
    profiles: Sequence[Path] = (),
    model: Path | None = None,
    labels: Sequence[Path] = (),
    review: Path | None = None,
    save_model: Path | None = None,
    say: Say = lambda _: None,
    ask: Ask = no_password,
) -> LinkedFiles:
    """Links two files without a project and writes them to `target`; rows are 0-based data rows after the header.

    With one profile file it describes both files; with two, first the register's and then the extract's. `labels` are answered
    review workbooks: they move the weights, and decide the pairs that they are about. Files of profiles with [compare] are
    linked by the columns named there.
    """
    kinds = _kinds(profiles)
    if declared := [_declared(known, path) for known, path in zip(kinds, profiles, strict=False) if _declares(known)]:
        _refuse_with_compare({"--model": model, "--save-model": save_model, "--labels": labels, "--review": review})
        if len(declared) < len(profiles):
            raise ConfigurationError("one profile has [compare], and the other one has not", where=str(profiles[-1]))
        return _link_declared(register, extract, target, (declared[0], declared[-1]), str(profiles[-1]), say, ask)
    answers = answers_of(labels, ask)
    say("读取、比对 reading and linking")
    shown = review is not None or answers is not None
    with ThreadPoolExecutor() as pool:
        ours, theirs = pool.map(
            lambda file, known: read_people(file, known, ask, shown=shown), (register, extract), (kinds[0], kinds[-1])
        )
    linked = link_and_learn(ours.keys, theirs.keys, load_model(model or _default_model()))
    links, learned, counts, checked = linked.links, linked.model, (0, 0, 0, 0), None
    if answers is not None:
        say("按核查结果调整权重 learning from the answers")
        links = with_answers(links, ours, theirs, answers)
        counts, checked = counted(answers, links), audit(links)
        learned = relearn(links, ours.keys, theirs.keys, learned)
        links = link_and_learn(ours.keys, theirs.keys, learned).links
        links = decide_as_answered(with_answers(links, ours, theirs, answers))
    written = in_files(links, ours, theirs).drop("extract", "answer", strict=False)
    _write_frame(written, target)
    if save_model:
        with replace_file(save_model) as staged:
            staged.write_text(as_toml(learned, f"{register.name} · {extract.name}"), encoding="utf-8")
    if review:
        back = f"fupin link {register.name} {extract.name} -o {target.name} --labels {review.name}"
        files = {"台账": register.name, "部门数据": extract.name}
        with replace_file(review) as staged:
            write_review(staged, links, ours, theirs, files, back)
    return LinkedFiles(written, (ours, theirs), learned, expected_errors(links), checked, counts)


def dedupe_file(
    file: Path,
    target: Path | None,
    *,
    profile: Path | None = None,
    model: Path | None = None,
    review: Path | None = None,
    say: Say = lambda _: None,
    ask: Ask = no_password,
) -> tuple[pl.DataFrame, People]:
    """Pairs of rows of one file that may be one person, also written to `target`: row < other_row, 0-based data rows.

    `cluster` is the first row of everybody whom accepted pairs make one person.
    """
    say("读取、查重 reading, and looking for duplicates")
    known = _kinds([profile] if profile else [])[0]
    if profile and _declares(known):
        _refuse_with_compare({"--model": model, "--review": review})
        fields = _declared(known, profile)
        people = read_compared(file, fields, ask)
        pairs = find_declared_duplicates(people.keys, fields, load_model(_default_model()))
    else:
        people = read_people(file, known, ask, shown=review is not None)
        pairs = find_duplicates(people.keys, load_model(model or _default_model()))
    pairs = add_clusters(pairs.filter(pl.col("register_row") < pl.col("extract_row")).drop("extract"))
    rows = ["register_row", "extract_row"]
    found = in_files(pairs, people, people).with_columns(people.rows_of(pairs["cluster"]).alias("cluster"))
    found = found.with_columns(pl.min_horizontal(rows).alias("row"), pl.max_horizontal(rows).alias("other_row"))
    found = found.select("row", "other_row", pl.exclude(*rows, "row", "other_row")).sort("row", "other_row")
    if target:
        _write_frame(found, target)
    if review:
        with replace_file(review) as staged:
            write_review(staged, pairs, people, people, {"一行": file.name, "另一行": file.name}, None)
    return found, people


def _link_declared(
    register: Path,
    extract: Path,
    target: Path,
    fields: tuple[Sequence[ComparedField], Sequence[ComparedField]],
    where: str,
    say: Say,
    ask: Ask,
) -> LinkedFiles:
    """Links two files by the columns of [compare], which may have other headers in each but must mean the same."""
    refuse_other_comparison(*fields, where)
    say("读取、比对 reading and linking")
    ours, theirs = (read_compared(file, own, ask) for file, own in zip((register, extract), fields, strict=True))
    model = load_model(_default_model())
    links = link_declared(ours.keys, theirs.keys, fields[0], model)
    _write_frame(links.drop("extract"), target)
    return LinkedFiles(links.drop("extract"), (ours, theirs), model, expected_errors(links))


def _declares(known: Mapping[str, SourceProfile]) -> bool:
    return any(profile.compare for profile in known.values())


def _declared(known: Mapping[str, SourceProfile], path: Path) -> Sequence[ComparedField]:
    """The [compare] of the only profile that there is."""
    if len(known) > 1:
        raise ConfigurationError(
            "several profiles, and [compare] in one of them", where=str(path), try_="--profile with that one file"
        )
    return next(iter(known.values())).compare


def _refuse_with_compare(options: Mapping[str, object]) -> None:
    """These are about names and resident ID numbers: quietly to leave them aside would be worse than to say so."""
    for option, value in options.items():
        if value:
            raise UsageError(
                f"{option} does not go with a profile that has [compare]",
                why="it is about people known by name and resident ID; columns of [compare] are weighed from the files alone",
                try_=f"the same command without {option}",
            )


def _kinds(profiles: Sequence[Path]) -> list[dict[str, SourceProfile]]:
    """The known kinds of tables: those of each profile file, or all that are shipped."""
    shipped = shipped_rules() / "sources"
    return [load_profiles([shipped / "_identity.toml", profile]) for profile in profiles] or [load_profiles([shipped])]


def _default_model() -> Path:
    return shipped_rules() / "linkage" / "default.toml"


def _write_frame(frame: pl.DataFrame, target: Path) -> None:
    with replace_file(target) as staged:
        if target.suffix.lower() == ".csv":
            frame.write_csv(staged, include_bom=True)  # the byte-order mark tells Excel that this is UTF-8
        else:
            frame.write_parquet(staged)
