"""fupin init: a draft of fupin.toml from the files that lie in a folder."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import click

from fupin_cli.errors import FupinError, InputMissingError, OutputError
from fupin_cli.ingest import SourceProfile, inspect_file, load_profiles, read_source
from fupin_cli.project import PROJECT_FILE, shipped_rules

_TABLES = {".xlsx", ".xlsm", ".xls", ".ods", ".csv", ".tsv", ".txt", ".parquet"}
_DAY = re.compile(r"(20\d{2})[-_.年]?(0[1-9]|1[0-2])[-_.月]?(0[1-9]|[12]\d|3[01])")
_MONTH = re.compile(r"(?<!\d)(20\d{2})[-_.年]?(0[1-9]|1[0-2])(?!\d)")
_SURE = 0.4


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option("--force", is_flag=True, help="覆盖已有的 fupin.toml · replace an existing fupin.toml")
def command(folder: Path, *, force: bool) -> int:
    """看一个文件夹，写出 fupin.toml 草稿。 Look at the files of a folder and draft a project.

    Each file is opened and compared with the known kinds of source. What could not be placed is left as a comment. Read
    the draft before you run it: dates, stages and coverage are guesses.

    \b
    Examples:
      fupin init 2019年度比对
    """
    if not folder.is_dir():
        raise InputMissingError("no such folder", where=str(folder))
    target = folder / PROJECT_FILE
    if target.exists() and not force:
        raise OutputError("there is a project here already", where=str(target), try_="edit it, or fupin init --force")
    profiles = load_profiles([shipped_rules() / "sources"])
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _TABLES and not p.name.startswith(("~$", ".")))
    files = [p for p in files if "runs" not in p.relative_to(folder).parts]
    if not files:
        raise InputMissingError(
            "no table here", where=str(folder), try_="put the received files (xlsx, xls, csv …) into it"
        )
    placed = [(path.relative_to(folder).as_posix(), *_place(path, profiles)) for path in files]
    registers = [path for path, (_, kind, *_) in zip(files, placed, strict=True) if kind == "register"]
    target.write_text(_draft(folder.resolve().name, placed, _counties(registers, profiles)), encoding="utf-8")
    for name, kind, score, note in placed:
        click.echo(f"{name}: {f'{kind} ({score:.0%})' if kind else '未识别 not placed'}{f' — {note}' if note else ''}")
    click.echo(f"→ {target}\n请核对后运行 · read it, then: fupin run {folder}")
    return 0


def _place(path: Path, profiles: Mapping[str, SourceProfile]) -> tuple[str | None, float, str]:
    """The kind of source a file seems to be, how sure that is, and why not where it is nothing."""
    try:
        report = inspect_file(path.name, path, profiles)
    except FupinError as error:
        return None, 0.0, error.what
    guesses = [sheet.guesses[0] for sheet in report.sheets if sheet.guesses]
    kind, score = max(guesses, key=lambda guess: guess[1], default=(None, 0.0))
    return (
        (kind, score, "")
        if kind and score >= _SURE
        else (None, score, f"最像 nearest: {kind}" if kind else "no header known")
    )


def _counties(registers: Sequence[Path], profiles: Mapping[str, SourceProfile]) -> list[str]:
    """The counties that the register holds, as it writes them; none where it cannot be read yet."""
    try:
        rows = read_source([(path.name, path) for path in registers], profiles["register"]).rows
    except FupinError:
        return []
    return list(rows["county"].drop_nulls().unique().sort())


def _draft(name: str, placed: Sequence[tuple[str, str | None, float, str]], counties: Sequence[str]) -> str:
    days = [day for file, *_ in placed if (day := _day(file))]
    as_of = max(days, default=date(date.today().year, 1, 1))  # noqa: DTZ011 a draft's guess, to be read by a person
    lines = [
        "# 草稿：请核对日期、环节（stage）和覆盖范围（coverage）。 A draft: check dates, stages and coverage.",
        "",
        "[project]",
        f'name = "{name}"',
        f"as_of = {as_of.isoformat()}        # 比对基准日",
        'jurisdiction = "00"         # 行政区划代码前缀，用来选规则和收入线；00 = 全国',
        "",
        "[register]",
        f"files = [{', '.join(_quoted(file) for file, kind, *_ in placed if kind == 'register')}]",
    ]
    seen: dict[str, int] = {}
    for file, kind, score, _ in placed:
        if kind in (None, "register"):
            continue
        seen[kind] = seen.get(kind, 0) + 1
        here = [county for county in counties if county in file]
        stage = "county" if here else "province"
        day = _day(file)
        lines += [
            "",
            f"[[extract]]                # {score:.0%}",
            f'id = "{kind.replace("_", "-")}{"" if seen[kind] == 1 else f"-{seen[kind]}"}"',
            f'profile = "{kind}"',
            f'stage = "{stage}"',
            f"files = [{_quoted(file)}]",
            f"as_of = {(day or as_of).isoformat()}{'' if day else '  # 猜测，请改成数据截止日期 · a guess'}",
        ]
        if here:
            lines.append(f"coverage = [{', '.join(_quoted(county) for county in here)}]")
    left = [(file, note) for file, kind, _, note in placed if kind is None]
    if left:
        lines += ["", "# 未能识别 not placed:", *(f"#   {file}: {note}" for file, note in left)]
    return "\n".join(lines) + "\n"


def _day(file: str) -> date | None:
    """The date in a file's name; of a month its last day."""
    if match := _DAY.search(file):
        year, month, day = (int(part) for part in match.groups())
        if day <= monthrange(year, month)[1]:
            return date(year, month, day)
    if match := _MONTH.search(file):
        year, month = (int(part) for part in match.groups())
        return date(year, month, monthrange(year, month)[1])
    return None


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
