"""fupin init: a draft of fupin.toml from the files that lie in a folder."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import click

from fupin_cli.cli.console import password_from
from fupin_cli.errors import FupinError, InputMissingError, OutputError
from fupin_cli.ingest import SourceProfile, inspect_file, load_profiles, read_source
from fupin_cli.language import tr
from fupin_cli.layout import PROJECT_FILE
from fupin_cli.project import received_files, shipped_rules

_DAY = re.compile(r"(20\d{2})[-_.年]?(0[1-9]|1[0-2])[-_.月]?(0[1-9]|[12]\d|3[01])")
_MONTH = re.compile(r"(?<!\d)(20\d{2})[-_.年]?(0[1-9]|1[0-2])(?!\d)")
_SURE = 0.4  # below this share of understood headers a guess would only mislead
_CLOSE = 0.1  # a second kind that explains the headers almost as well is named


@dataclass(frozen=True)
class _Placed:
    """What a file seems to be: its kind, how sure that is, and what else to say of it. No kind: it could not be placed."""

    file: str
    kind: str | None
    score: float
    note: str


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option("--force", is_flag=True, help="replace an existing fupin.toml")
def command(folder: Path, *, force: bool) -> int:
    """Look at the files of a folder and draft a project.

    Each file is opened by its content and compared with the known kinds of source; the percentage is the share of its
    headers that the kind explains. What could not be placed is said, and left as a comment. Read the draft before you run
    it: dates, stages and coverage are guesses.

    \b
    Examples:
      fupin init 2019年度比对
    """
    if not folder.is_dir():
        raise InputMissingError(tr("no such folder"), where=str(folder))
    target = folder / PROJECT_FILE
    if target.exists() and not force:
        raise OutputError(
            tr("there is a project here already"), where=str(target), try_=tr("edit it, or fupin init --force")
        )
    profiles = load_profiles([shipped_rules() / "sources"])
    files = received_files(folder)
    if not files:
        raise InputMissingError(
            tr("no table here"), where=str(folder), try_=tr("put the received files (xlsx, xls, csv, zip …) into it")
        )
    placed = [_place(path, path.relative_to(folder).as_posix(), profiles) for path in files]
    registers = [path for path, found in zip(files, placed, strict=True) if found.kind == "register"]
    target.write_text(_draft(folder.resolve().name, placed, _counties(registers, profiles), profiles), encoding="utf-8")
    for found in placed:
        click.echo(_line(found, profiles))
    count = sum(found.kind is not None for found in placed)
    click.echo(f"已识别 placed {count} / {len(placed)}；未识别 not placed {len(placed) - count}")
    click.echo(f"→ {target}\n请核对后运行 · read it, then: fupin run {folder}")
    return 0


def _line(found: _Placed, profiles: Mapping[str, SourceProfile]) -> str:
    note = f" — {found.note}" if found.note else ""
    if found.kind is None:
        return f"{found.file}: 未识别 not placed{note}"
    profile = profiles[found.kind]
    return f"{found.file}: {profile.department} {profile.title} {found.kind} ({found.score:.0%}){note}"


def _place(path: Path, name: str, profiles: Mapping[str, SourceProfile]) -> _Placed:
    """The kind of source a file seems to be, how sure that is, and why not where it is nothing."""
    try:
        reports = inspect_file(path.name, path, profiles, password_from())
    except FupinError as error:
        return _Placed(name, None, 0.0, error.what)
    sheets = [sheet for report in reports for sheet in report.sheets if sheet.guesses]
    best = max(sheets, key=lambda sheet: (sheet.guesses[0][1], sheet.rows), default=None)
    if best is None:
        return _Placed(name, None, 0.0, "没有认识的表头 no header known; fupin inspect")
    (kind, score), *others = best.guesses
    if score < _SURE:
        return _Placed(name, None, score, f"最像 nearest: {kind} ({score:.0%})")
    close = [f"{other} ({value:.0%})" for other, value in others[:2] if value > score - _CLOSE]
    left = [sheet.sheet for report in reports for sheet in report.sheets if not sheet.guesses and sheet.rows]
    notes = [f"也像 or: {'、'.join(close)}"] if close else []
    notes += [f"未识别的工作表 sheets not placed: {'、'.join(left)}"] if left else []
    return _Placed(name, kind, score, "；".join(notes))


def _counties(registers: Sequence[Path], profiles: Mapping[str, SourceProfile]) -> list[str]:
    """The counties that the register holds, as it writes them; none where it cannot be read yet."""
    try:
        files = [(path.name, path) for path in registers]
        rows = read_source(files, profiles["register"], ask=password_from()).rows
    except FupinError:
        return []
    return list(rows["county"].drop_nulls().unique().sort())


def _draft(name: str, placed: Sequence[_Placed], counties: Sequence[str], profiles: Mapping[str, SourceProfile]) -> str:
    days = [day for found in placed if (day := _day(found.file))]
    as_of = max(days, default=date(date.today().year, 1, 1))  # noqa: DTZ011 a draft's guess, to be read by a person
    registers = [found for found in placed if found.kind == "register"]
    lines = [
        "# 草稿：请核对日期、环节（stage）和覆盖范围（coverage）。 A draft: check dates, stages and coverage.",
        "",
        "[project]",
        f"name = {_quoted(name)}",
        f"as_of = {as_of.isoformat()}        # 比对基准日",
        'jurisdiction = "00"         # 行政区划代码前缀，用来选规则和收入线；00 = 全国',
        "",
        "[register]",
        f"files = [{', '.join(_quoted(found.file) for found in registers)}]",
    ]
    seen: dict[str, int] = {}
    for found in placed:
        if found.kind is None or found.kind == "register":
            continue
        kind = found.kind
        seen[kind] = seen.get(kind, 0) + 1
        here = [county for county in counties if county in found.file]
        stage = "county" if here else "province"
        day = _day(found.file)
        lines += [
            "",
            f"[[extract]]                # {profiles[kind].department} {profiles[kind].title}，把握 {found.score:.0%}",
            *([f"# {found.note}"] if found.note else []),
            f'id = "{kind.replace("_", "-")}{"" if seen[kind] == 1 else f"-{seen[kind]}"}"',
            f'profile = "{kind}"',
            f'stage = "{stage}"',
            f"files = [{_quoted(found.file)}]",
            f"as_of = {(day or as_of).isoformat()}{'' if day else '  # 猜测，请改成数据截止日期 · a guess'}",
        ]
        if here:
            lines.append(f"coverage = [{', '.join(_quoted(county) for county in here)}]")
    left = [found for found in placed if found.kind is None]
    if left:
        lines += ["", "# 未能识别 not placed:", *(f"#   {_one_line(found.file)}: {found.note}" for found in left)]
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


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
