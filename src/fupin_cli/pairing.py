"""Two files, or one with itself, on one page: files → people → pairs → decisions, without a project.

Beside pipeline, and as free as it is to know the whole; it loads no rules and no reports, so that `fupin link` starts at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import polars as pl

from fupin_cli.bucketed import join_buckets, keep_bucket
from fupin_cli.engine.spark import Spark
from fupin_cli.errors import ConfigurationError, InputMissingError, UsageError
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
from fupin_cli.ingest.received import Received
from fupin_cli.language import listed, tr
from fupin_cli.linkage import find_declared_duplicates, find_duplicates, link_declared, load_model
from fupin_cli.linkage.blocking import PAIR
from fupin_cli.linkage.evaluation import expected_errors
from fupin_cli.linkage.model import Model, as_toml
from fupin_cli.linkage.stages import link_and_learn, link_parted
from fupin_cli.on_cluster import read_there
from fupin_cli.pairs import LinkedFiles, add_clusters, in_files
from fupin_cli.parquet import write_parquet
from fupin_cli.progress import Say, silent
from fupin_cli.project import shipped_rules
from fupin_cli.rundir import replace_file
from fupin_cli.unfinished import remove, unfinished


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
    buckets: Path | None = None,
    say: Say = silent,
    ask: Ask = no_password,
) -> LinkedFiles:
    """Links two files without a project and writes them to `target`; rows are 0-based data rows after the header.

    With `buckets` the extract was read before, by `read_one_bucket`, into that folder.

    With one profile file it describes both files; with two, first the register's and then the extract's. `labels` are answered
    review workbooks: they move the weights, and decide the pairs that they are about. Files of profiles with [compare] are
    linked by the columns named there.
    """
    kinds = _kinds(profiles)
    if buckets is not None:
        _refuse_with_buckets({"--labels": labels, "--review": review}, kinds, "--buckets")
        return _link_buckets(register, extract, target, buckets, kinds[0], profiles, model, save_model, say, ask)
    if declared := [_declared(known, path) for known, path in zip(kinds, profiles, strict=False) if _declares(known)]:
        _refuse_with_compare({"--model": model, "--save-model": save_model, "--labels": labels, "--review": review})
        if len(declared) < len(profiles):
            raise ConfigurationError(
                tr("one profile has [compare], and the other one has not"), where=str(profiles[-1])
            )
        return _link_declared(register, extract, target, (declared[0], declared[-1]), str(profiles[-1]), say, ask)
    answers = None
    if review or labels:
        from fupin_cli import clerical  # noqa: PLC0415 - loads slower than a small file is linked; few ask for it

        clerical.refuse_answered(review, ask)
        answers = clerical.given_answers(labels, ask)
    say(tr("reading"))
    shown = review is not None or answers is not None
    with ThreadPoolExecutor() as pool:
        ours, theirs = pool.map(
            lambda file, known: read_people(file, known, ask, shown=shown), (register, extract), (kinds[0], kinds[-1])
        )
    say(tr("linking {ours:,} × {theirs:,}", ours=ours.keys.height, theirs=theirs.keys.height))
    linked = link_and_learn(ours.keys, theirs.keys, load_model(model or _default_model()))
    links, found = linked.links, LinkedFiles(linked.links, (ours, theirs), linked.model, None)
    if answers is not None:
        say(tr("learning from the answers"))
        links, found = clerical.with_labels(found, answers)
    written = in_files(links, ours, theirs).drop("extract")
    _write_frame(written, target)
    _save_model(found.model, save_model, f"{register.name} · {extract.name}")
    if review:
        back = f"fupin link {register.name} {extract.name} -o {target.name} --labels {review.name}"
        files = {"台账": register.name, "部门数据": extract.name}
        with replace_file(review) as staged:
            clerical.write_review(staged, links, ours, theirs, files, back)
    return replace(found, links=written, expected=expected_errors(links))


def read_one_bucket(
    register: Path, extract: Path, folder: Path, nth: int, of: int, *, profiles: Sequence[Path] = (), say: Say = silent
) -> Path:
    """The file in `folder` that holds what linking compares of one bucket (from 0) of so many.

    The register is not read, and must be there: that its name is wrong would be told when all buckets are made.
    """
    Received(register.name, register).open().close()
    kinds = _kinds(profiles)[-1]
    _refuse_with_buckets({}, [kinds])
    say(tr("reading"))
    return keep_bucket(extract, folder, nth, of, kinds)


def dedupe_file(
    file: Path,
    target: Path | None,
    *,
    profile: Path | None = None,
    model: Path | None = None,
    review: Path | None = None,
    say: Say = silent,
    ask: Ask = no_password,
) -> tuple[pl.DataFrame, People]:
    """Pairs of rows of one file that may be one person, also written to `target`: row < other_row, 0-based data rows.

    `cluster` is the first row of everybody whom accepted pairs make one person.
    """
    if review:
        from fupin_cli import clerical  # noqa: PLC0415 - as above

        clerical.refuse_answered(review, ask)
    say(tr("reading, and looking for duplicates"))
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
    found = in_files(pairs, people, people).with_columns(people.rows_of(pairs["cluster"]).alias("cluster"))
    found = found.with_columns(pl.min_horizontal(PAIR).alias("row"), pl.max_horizontal(PAIR).alias("other_row"))
    found = found.select("row", "other_row", pl.exclude(*PAIR, "row", "other_row")).sort("row", "other_row")
    if target:
        _write_frame(found, target)
    if review:
        with replace_file(review) as staged:
            clerical.write_review(staged, pairs, people, people, {"一行": file.name, "另一行": file.name}, None)
    return found, people


def _link_buckets(
    register: Path,
    extract: Path,
    target: Path,
    folder: Path,
    known: Mapping[str, SourceProfile],
    profiles: Sequence[Path],
    model: Path | None,
    save_model: Path | None,
    say: Say,
    ask: Ask,
) -> LinkedFiles:
    """Links the register with the buckets of a list, of which only those rows are held that somebody may be."""
    say(tr("reading"))
    of_profiles = [word for profile in profiles for word in ("--profile", profile)]
    joined = join_buckets(extract, folder, ["fupin", "link", register, extract, *of_profiles])
    ours = read_people(register, known, ask)
    say(tr("linking {ours:,} × {theirs:,}", ours=ours.height, theirs=joined.people.height))
    linked = link_parted(ours.keys, joined.part(ours.keys), load_model(model or _default_model()))
    people = ours, joined.rows_of(linked.links)
    written = in_files(linked.links, *people).drop("extract")
    _write_frame(written, target)
    _save_model(linked.model, save_model, f"{register.name} · {extract.name}")
    return LinkedFiles(written, people, linked.model, expected_errors(linked.links))


def link_on_cluster(
    register: Path,
    extract: str,
    target: Path,
    engine: Spark,
    *,
    profiles: Sequence[Path] = (),
    model: Path | None = None,
    save_model: Path | None = None,
    say: Say = silent,
    ask: Ask = no_password,
) -> LinkedFiles:
    """Links the register with a list that lies where Spark reads it, and is read there; links are the same."""
    kinds, name = _kinds(profiles), extract.rstrip("/").rpartition("/")[2]
    _refuse_with_buckets({}, kinds, "--engine spark")
    say(tr("reading"))
    ours = read_people(register, kinds[0], ask)
    target.parent.mkdir(parents=True, exist_ok=True)
    meanwhile = target.with_name(f".{target.name}.spark")
    remove(meanwhile)  # of a run that was killed
    with unfinished(meanwhile):
        meanwhile.mkdir(mode=0o700)
        with read_there(engine, extract, kinds[-1], ours.keys, meanwhile) as there:
            say(tr("linking {ours:,} × {theirs:,}", ours=ours.height, theirs=there.rows))
            linked = link_parted(ours.keys, there, load_model(model or _default_model()))
            people = ours, there.rows_of(linked.links)
    written = in_files(linked.links, *people).drop("extract")
    _write_frame(written, target)
    _save_model(linked.model, save_model, f"{register.name} · {name}")
    return LinkedFiles(written, people, linked.model, expected_errors(linked.links))


def _refuse_with_buckets(
    options: Mapping[str, object], kinds: Sequence[Mapping[str, SourceProfile]], instead: str = "--bucket"
) -> None:
    """What people compare by eye is not kept of a bucket, nor columns of [compare]; `instead` is the option that asked for it."""
    given = [option for option, value in options.items() if value]
    if given or any(map(_declares, kinds)):
        raise UsageError(
            tr("{option} does not go with buckets", option=given[0] if given else "[compare]"),
            try_=tr("the same command without {option}", option=instead),
        )


def _save_model(model: Model, path: Path | None, learned_from: str) -> None:
    if path is not None:
        with replace_file(path) as staged:
            staged.write_text(as_toml(model, learned_from), encoding="utf-8")


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
    say(tr("reading and linking"))
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
            tr("several profiles, and [compare] in one of them"),
            where=str(path),
            try_=tr("--profile with that one file"),
        )
    return next(iter(known.values())).compare


def _refuse_with_compare(options: Mapping[str, object]) -> None:
    """These are about names and resident ID numbers: quietly to leave them aside would be worse than to say so."""
    for option, value in options.items():
        if value:
            raise UsageError(
                tr("{option} does not go with a profile that has [compare]", option=option),
                why=tr(
                    "it is about people known by name and resident ID; columns of [compare] are weighed from the "
                    "files alone"
                ),
                try_=tr("the same command without {option}", option=option),
            )


def _kinds(profiles: Sequence[Path]) -> list[dict[str, SourceProfile]]:
    """The known kinds of tables: those of each profile file, or all that are shipped."""
    shipped = shipped_rules() / "sources"
    files = [profile if profile.exists() else _shipped_profile(shipped, profile) for profile in profiles]
    return [load_profiles([shipped / "_identity.toml", file]) for file in files] or [load_profiles([shipped])]


def _shipped_profile(shipped: Path, name: Path) -> Path:
    """The file of the shipped profile that is called so; InputMissingError, with the names that there are, where none is."""
    known = {file.stem: file for file in sorted(shipped.glob("[!_]*.toml"))}
    if str(name) not in known:
        near = next(iter(difflib.get_close_matches(str(name), known, 1)), "dibao")
        raise InputMissingError(
            tr("no such file, and no shipped profile is called that"),
            where=str(name),
            why=tr("the shipped profiles: {names}", names=listed(known)),
            try_=tr("--profile {near}, or --profile with the path of a file", near=near),
        )
    return known[str(name)]


def _default_model() -> Path:
    return shipped_rules() / "linkage" / "default.toml"


def _write_frame(frame: pl.DataFrame, target: Path) -> None:
    with replace_file(target) as staged:
        if target.suffix.lower() == ".csv":
            frame.write_csv(staged, include_bom=True)  # the byte-order mark tells Excel that this is UTF-8
        else:
            write_parquet(frame, staged)
