"""Audits on one page: a plan and a frame → a sample and its workbooks; returned workbooks → rates with intervals."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from fupin_cli import __version__
from fupin_cli.audit import (
    OUTSIDE,
    PROBLEMS,
    Estimate,
    compare_answers,
    draw_sample,
    estimate_all,
    frame_of,
    new_seed,
)
from fupin_cli.audit.estimate import rate_rows
from fupin_cli.errors import BadDataError, ConfigurationError, InputMissingError, OutputError
from fupin_cli.ingest import Ask, load_profiles, no_password, read_source, to_evidence
from fupin_cli.intake import Passwords, nobody_knows, read_register
from fupin_cli.language import tr
from fupin_cli.layout import PROJECT_FILE
from fupin_cli.manifest import refuse_changed
from fupin_cli.normalise.regions import KnownPlaces, settle_places
from fupin_cli.parquet import write_parquet
from fupin_cli.progress import Say, silent
from fupin_cli.project import load_project, rules_folders
from fupin_cli.recipients import refuse_lacking
from fupin_cli.report.audit_account import method_part, result_parts, trouble_parts, write_account
from fupin_cli.report.audit_book import SAMPLE_NUMBER, AuditSheet, shown_headers, shown_text, write_audit_book
from fupin_cli.report.naming import file_names
from fupin_cli.report.returned_book import read_tables
from fupin_cli.report.table_book import write_table_book
from fupin_cli.rulebook import labels_of, open_rule_book
from fupin_cli.rules.sampling import Plan, find_plans, load_plan, open_plan
from fupin_cli.rundir import MANIFEST, SAMPLE, publish, replace_file, sha256, write_manifest
from fupin_cli.vocabulary import PLACES

SAMPLE_FILE, OUTSIDE_FILE, PLAN_FILE, BOOKS = "sample.parquet", "outside.parquet", "plan.toml", "workbooks"
LIST_PROFILE = "rural_households"
_OF_A_LIST = ("household_id", "hamlet", "group_stated")


@dataclass(frozen=True)
class Base:
    """What a sample is drawn from: the register's persons and households, and the rules beside it."""

    persons: pl.DataFrame
    households: pl.DataFrame
    folders: tuple[Path, ...]
    facts: Mapping[str, str]


@dataclass(frozen=True)
class SampleDrawn:
    """A sample on disk: its plan and seed, how many households in how many villages, what was short, what lies outside."""

    folder: Path
    plan: Plan
    seed: int
    frame: str
    households: int
    villages: int
    books: int
    framed: int
    short: pl.DataFrame
    outside: Mapping[str, int]
    set_aside: Mapping[str, int]


@dataclass(frozen=True)
class SampleEstimated:
    """What came back, counted, and what it says."""

    plan: Plan
    estimates: tuple[Estimate, ...]
    counts: Mapping[str, int]
    unreadable: Mapping[str, str]


def plans_of(project: Path | None) -> list[Plan]:
    """Every plan that may be drawn by, checked."""
    folders = rules_folders(project / "rules" if project else None)
    columns = _register_columns(folders)
    return [load_plan(path, columns) for _, path in sorted(find_plans(folders).items())]


def draw(
    name: str,
    source: Path,
    target: Path,
    day: date,
    *,
    seed: int | None = None,
    listed: Path | None = None,
    villages: Path | None = None,
    project: Path | None = None,
    say: Say = silent,
    passwords: Passwords = nobody_knows,
    group_passwords: Mapping[str, str] | None = None,
) -> SampleDrawn:
    """Draws by the plan of this name from a run directory or a project, and writes sample and workbooks to `target`.

    `listed` is a list of households outside the register, `villages` a text file with a line 县/乡镇/村 for each village that the
    plan is limited to. Without a seed one is drawn. `group_passwords` gives for each group (第1组) what its workbook is
    encrypted with. Nothing appears under `target` unless everything does. Raises OutputError where another sample lies there.
    """
    base = _base(source, project, say, passwords)
    plan = open_plan(name, base.folders, _register_columns(base.folders))
    labels = labels_of(load_profiles([folder / "sources" for folder in base.folders if (folder / "sources").is_dir()]))
    _refuse_same_headers(plan, labels)
    others, set_aside = _listed(listed, base, passwords) if listed else (None, {})
    say(tr("drawing"))
    frame = frame_of(plan, base.persons, base.households, others, _lines(villages) if villages else None)
    if not frame.households.height:
        raise BadDataError(
            tr("nobody can be drawn: the frame is empty"), where=str(source), why=_outside_words(frame.outside)
        )
    seed = new_seed() if seed is None else seed
    drawn = draw_sample(frame.households, plan, seed)
    refuse_lacking([_group(number) for number in drawn.rows["group"].unique().sort()], group_passwords)
    population = frame.households.group_by("stratum").agg(
        households=pl.len(), persons=pl.col("member_count").sum(), unsized=pl.col("member_count").is_null().sum()
    )
    outside = dict(frame.outside["reason"].value_counts().sort("reason").rows())
    same = _the_same_sample(target, {"plan": plan.id, "seed": seed, "frame_sha256": frame.sha256})
    with publish(target, kind=SAMPLE, may_replace=same) as folder:
        write_parquet(drawn.rows, folder / SAMPLE_FILE)
        write_parquet(frame.outside, folder / OUTSIDE_FILE)
        shutil.copyfile(plan.path, folder / PLAN_FILE)
        facts = {
            "样本": f"{drawn.rows.height} 户，{drawn.rows.select(PLACES).n_unique()} 个村",
            "抽样框": f"{frame.households.height} 户，指纹 {frame.sha256[:16]}",
            **({"名单": _list_words(others)} if others is not None else {}),
            "随机种子": f"{seed}（同一抽样框、同一种子，抽出的是同一个样本）",
        }
        books = _write_books(folder / BOOKS, plan, drawn.rows, facts, day, labels, group_passwords or {})
        told = frame.outside.with_columns(pl.col("reason").replace(OUTSIDE))
        write_account(folder / "抽样说明.xlsx", plan, drawn.rows, drawn.short, told, population, facts, day)
        manifest = {
            "version": __version__, "kind": SAMPLE, "plan": plan.id, "title": plan.title, "day": day.isoformat(), "seed": seed,
            "frame_sha256": frame.sha256, "frame_households": frame.households.height, "outside": outside,
            "list_set_aside": set_aside, "from": dict(base.facts),
            "columns": sorted(_columns_read(plan)), "shows": {name: labels.get(name, name) for name in plan.shows},
            "encrypted": group_passwords is not None,
            "population": population.sort("stratum").to_dicts(),
            **({"list_sha256": sha256(listed)} if listed else {}), **({"villages_sha256": sha256(villages)} if villages else {}),
        }  # fmt: skip
        write_manifest(folder, manifest)
    return SampleDrawn(
        target, plan, seed, frame.sha256, drawn.rows.height, drawn.rows.select(PLACES).n_unique(), books,
        frame.households.height, drawn.short, outside, set_aside,
    )  # fmt: skip


def estimate(
    folder: Path, files: Sequence[Path], day: date, *, output: Path | None = None, ask: Ask = no_password
) -> SampleEstimated:
    """The rates of a sample out of its returned workbooks; with `output` also as a workbook, with everything that is wrong.

    Rows are known by their 样本编号. A file that cannot be read is named, and the others are used.
    """
    for path in files:
        if not path.is_file():
            raise InputMissingError(tr("no such file"), where=str(path))
    plan, sample, manifest = _opened(folder)
    labels = manifest["shows"]
    headers = shown_headers(plan, labels)
    asked = {f"q_{question.id}": _plain(question.title) for question in plan.questions}
    wanted = {"sample_text": SAMPLE_NUMBER, **asked, **{name: _plain(header) for name, header in headers.items()}}
    needed = (SAMPLE_NUMBER, _plain(plan.questions[0].title))
    rows, unreadable = read_tables([(sha256(path), path) for path in sorted(files)], wanted, needed, ask)
    text = shown_text(sample, plan)
    kept = sample.with_columns(text[name].alias(f"shown_{name}") for name in headers)
    answers = compare_answers(rows, kept, plan.questions, headers)
    estimates = estimate_all(answers.sample, plan, pl.DataFrame(manifest["population"]))
    problems = answers.problems.with_columns(pl.col("problem").replace(PROBLEMS))
    parts = trouble_parts(answers.sample, plan, problems, answers.conflicts, answers.altered, unreadable)
    counts = {"样本（户）": sample.height, **{part.name: part.rows.height for part in parts}}
    if output:
        with replace_file(output) as path:
            told = [*result_parts(plan, rate_rows(estimates), answers.sample), *parts, method_part(plan)]
            write_table_book(path, plan.title, day, counts, told)
    return SampleEstimated(plan, tuple(estimates), counts, unreadable)


def _base(source: Path, project: Path | None, say: Say, passwords: Passwords) -> Base:
    """Persons and households of a run directory, or read anew from a project."""
    if (source / MANIFEST).is_file():
        files = [f"{name}.parquet" for name in ("persons", "households")]
        refuse_changed(source, files)
        persons, households = (pl.read_parquet(source / name) for name in files)
        folders = rules_folders(project / "rules" if project else None)
        return Base(persons, households, folders, {"run_sha256": sha256(source / MANIFEST)})
    if not (source.is_file() or (source / PROJECT_FILE).is_file()):
        raise InputMissingError(
            tr("this is neither a run directory nor a project"),
            where=str(source),
            try_=tr("fupin run PROJECT -o DIR makes one"),
        )
    loaded = load_project(source)
    register = read_register(loaded, open_rule_book(loaded), say, passwords)
    inputs = {name: sha256(path) for name, path in loaded.register.files}
    return Base(register.persons, register.households, loaded.rules_folders, inputs)


def _listed(path: Path, base: Base, passwords: Passwords) -> tuple[pl.DataFrame, dict[str, int]]:
    """Households outside the register out of a list, their places named as the register names them; rows set aside, by reason."""
    if not path.is_file():
        raise InputMissingError(tr("no such list"), where=str(path))
    profiles = load_profiles([folder / "sources" for folder in base.folders if (folder / "sources").is_dir()])
    table = read_source([(path.name, path)], profiles[LIST_PROFILE], ask=passwords(Ask.variable))
    if not table.rows.height:
        raise BadDataError(
            tr("no row of the list can be used"), where=path.name, try_=tr("fupin inspect {name}", name=path.name)
        )
    origin = {"extract": LIST_PROFILE, "kind": LIST_PROFILE, "department": "", "stage": None, "as_of": None}
    only = base.persons["county"].drop_nulls().unique().to_list()
    rows = settle_places(
        to_evidence(table.rows, origin), KnownPlaces.of(base.persons), only[0] if len(only) == 1 else None
    )
    city = (
        base.persons.group_by("county").agg(pl.col("city").drop_nulls().min())
        if "city" in base.persons.columns
        else None
    )
    rows = rows.drop("city", strict=False)
    rows = rows.join(city, on="county", how="left") if city is not None else rows
    households = rows.select(
        "id_number", *PLACES, *(["city"] if city is not None else []),
        *(name if name in rows.columns else pl.lit(None, pl.String).alias(name) for name in _OF_A_LIST),
        head_name="name", member_count=pl.col("member_count").cast(pl.Int64),
    )  # fmt: skip
    lost = table.set_aside.filter(~pl.col("set_aside_reason").is_in(["title", "header", "blank"]))
    return households, dict(lost["set_aside_reason"].value_counts().sort("set_aside_reason").rows())


def _list_words(listed: pl.DataFrame) -> str:
    """How many households the list has, and of how many nobody can tell whether they are in the register."""
    blind = listed["id_number"].null_count()
    doubt = f"，其中 {blind} 户的户主没有可用证件号码，是否在册未能核对" if blind else ""
    return f"{listed.height} 户{doubt}"


def _lines(path: Path) -> list[str]:
    """The lines of a list of villages, blanks and comments left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputMissingError(tr("no such list of villages"), where=str(path)) from None
    except UnicodeDecodeError:
        raise BadDataError(
            tr("the list of villages is not UTF-8 text"), where=str(path), try_=tr("save it as UTF-8")
        ) from None
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _register_columns(folders: Sequence[Path]) -> set[str]:
    profiles = load_profiles([folder / "sources" for folder in folders if (folder / "sources").is_dir()])
    return {field.column for field in profiles["register"].fields}


def _columns_read(plan: Plan) -> set[str]:
    return {*plan.shows, *(name for stratum in plan.strata if stratum.where for name in stratum.where.names)}


def _the_same_sample(target: Path, drawn: Mapping[str, object]) -> Callable[[Mapping[str, Any]], None]:
    """A sample may be out with the audit groups: drawn over, their answers would fit nothing. The same one may be drawn again."""

    def refuse_another(there: Mapping[str, Any]) -> None:
        if any(there.get(name) != value for name, value in drawn.items()):
            day, seed = there.get("day"), there.get("seed")
            raise OutputError(
                tr("another sample lies here: drawn on {day} with seed {seed}", day=day, seed=seed),
                where=str(target),
                why=tr(
                    "its workbooks may be out with the audit groups, and their answers would fit no sample any more"
                ),
                try_=tr("another folder with -o; --seed {seed} draws this one again", seed=seed),
            )

    return refuse_another


def _refuse_same_headers(plan: Plan, labels: Mapping[str, str]) -> None:
    """Answers are found by what stands above them: no question may bear the header of what is shown."""
    taken = {_plain(header) for header in shown_headers(plan, labels).values()} | {SAMPLE_NUMBER}
    for question in plan.questions:
        if _plain(question.title) in taken:
            raise ConfigurationError(
                tr(
                    "question {id} bears the header of a column that is shown: {title}",
                    id=question.id,
                    title=question.title,
                ),
                where=plan.path.name,
                try_=tr('title = "核查：{title}"', title=question.title),
            )
    if not plan.questions:
        raise ConfigurationError(
            tr("the plan asks nothing"), where=plan.path.name, try_=tr("[[question]] with id and title")
        )


def _write_books(
    folder: Path,
    plan: Plan,
    rows: pl.DataFrame,
    facts: Mapping[str, str],
    day: date,
    labels: Mapping[str, str],
    passwords: Mapping[str, str],
) -> int:
    """How many workbooks were written, one for each audit group."""
    groups = rows["group"].unique().sort().to_list()
    names = file_names(f"{_group(group)}_审计核查表_{plan.id}_{day}" for group in groups)
    for group, name in zip(groups, names, strict=True):
        own = rows.filter(pl.col("group") == group)
        sheets = [
            AuditSheet(_place(part), str(part["village"][0]), shown_text(part, plan))
            for part in own.partition_by(["city", *PLACES], maintain_order=True)
        ]
        title = f"{plan.title}　{_group(group)}" if len(groups) > 1 else plan.title
        write_audit_book(folder / f"{name}.xlsx", plan, title, facts, sheets, day, labels, passwords.get(_group(group)))
    return len(groups)


def _group(number: int) -> str:
    return f"第{number}组"


def _place(part: pl.DataFrame) -> str:
    return "　".join(part[level][0] for level in ("city", *PLACES) if part[level][0])


def _opened(folder: Path) -> tuple[Plan, pl.DataFrame, dict[str, Any]]:
    """The plan, the sample and the manifest of a sample folder; refused where the sample is not what was drawn."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        outputs, columns = manifest["outputs"], set(manifest["columns"])
        is_sample = manifest["kind"] == "sample"
    except (OSError, ValueError, KeyError, TypeError):
        raise InputMissingError(
            tr("this is no sample"), where=str(folder), try_=tr("--sample DIR, as fupin sample draw wrote it")
        ) from None
    for name in (SAMPLE_FILE, PLAN_FILE):
        if not is_sample or not (folder / name).is_file() or sha256(folder / name) != outputs.get(name):
            raise BadDataError(
                tr("{name} is not as it was drawn", name=name),
                where=str(folder),
                try_=tr("put the saved copy back, or draw again with the same seed and frame"),
            )
    return load_plan(folder / PLAN_FILE, columns), pl.read_parquet(folder / SAMPLE_FILE), manifest


def _outside_words(outside: pl.DataFrame) -> str:
    counts = outside["reason"].value_counts().sort("reason").rows()
    return "；".join(f"{OUTSIDE[reason]} {n}" for reason, n in counts) or tr("the register holds nobody")


def _plain(text: str) -> str:
    return "".join(text.split())
