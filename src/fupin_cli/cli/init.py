"""fupin init: a draft of fupin.toml from the files that lie in a folder."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import click

from fupin_cli.cli.cases_options import today
from fupin_cli.cli.console import password_from
from fupin_cli.cli.next_step import run_of
from fupin_cli.errors import FupinError, InputMissingError, OutputError, typed
from fupin_cli.ingest import FileReport, SourceProfile, counties_in, inspect_file
from fupin_cli.language import listed, pick, tr
from fupin_cli.layout import PROJECT_FILE
from fupin_cli.project import profiles_of, received_files, rules_folders
from fupin_cli.report.masking import mask_text
from fupin_cli.vocabulary import label

_DAY = re.compile(r"(20\d{2})[-_.年]?(0[1-9]|1[0-2])[-_.月]?(0[1-9]|[12]\d|3[01])")
_MONTH = re.compile(r"(?<!\d)(20\d{2})[-_.年]?(0[1-9]|1[0-2])(?!\d)")
_YEAR = re.compile(r"(?<!\d)(20\d{2})(?!\d)")
_TITLE_ROWS = 10  # above a header
_SURE = 0.4  # below this share of understood headers a guess would only mislead
_CLOSE = 0.1  # a second kind that explains the headers almost as well is named
_WIDER = re.compile("省|市|province|city", re.IGNORECASE)  # in a file's name: it is not of one county
_OLD = ".bak"  # what is added to the name of a fupin.toml that is replaced


@dataclass(frozen=True)
class _Placed:
    """What a file seems to be: its kind, how sure that is, and what else to say of it. No kind: it could not be placed.

    `strange` are headers that nobody knows, each with the field that it looks like and that the file otherwise lacks. `day` is
    the newest one that its name tells, or else a title above its tables.
    """

    file: str
    kind: str | None
    score: float
    note: str
    strange: tuple[tuple[str, str], ...] = ()
    day: date | None = None
    in_title: bool = False


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option("--force", is_flag=True, help="replace an existing fupin.toml; the old one is kept as fupin.toml.bak")
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
            tr("there is a project here already"),
            where=str(target),
            try_=tr("edit it, or {step}", step=typed("fupin", "init", folder, "--force")),
        )
    profiles = profiles_of(rules_folders(folder / "rules"))
    files = received_files(folder)
    if not files:
        raise InputMissingError(
            tr("no table here"), where=str(folder), try_=tr("put the received files (xlsx, xls, csv, zip …) into it")
        )
    placed = [_place(path, path.relative_to(folder).as_posix(), profiles) for path in files]
    registers = [path for path, found in zip(files, placed, strict=True) if found.kind == "register"]
    draft = _draft(
        folder.resolve().name, placed, counties_in(registers, profiles["register"], password_from()), profiles
    )
    kept = _keep(target)
    target.write_text(draft, encoding="utf-8")
    for found in placed:
        click.echo(_line(found, profiles))
        for header, field in found.strange:
            click.echo(
                tr("    unknown column: {header} (like {field})", header=header, field=_named(field, found, profiles))
            )
    if strange := [found for found in placed if found.strange]:
        click.echo(_how_to_declare(strange[0], folder))
    count = sum(found.kind is not None for found in placed)
    click.echo(
        tr("placed {count} of {count_2}; not placed {what}", count=count, count_2=len(placed), what=len(placed) - count)
    )
    if kept:
        click.echo(tr("the old one is kept: {kept}", kept=kept))
    click.echo(tr("→ {target}\nread it, then: {step}", target=target, step=run_of(folder)))
    return 0


def _line(found: _Placed, profiles: Mapping[str, SourceProfile]) -> str:
    note = f" — {found.note}" if found.note else ""
    if found.kind is None:
        return tr("{file}: not placed{note}", file=found.file, note=note)
    profile = profiles[found.kind]
    return f"{found.file}: {profile.department} {profile.title} {found.kind} ({found.score:.0%}){note}"


def _keep(target: Path) -> Path | None:
    """Where the file that is to be replaced lies from now on; None where there is none."""
    return target.replace(target.with_name(target.name + _OLD)) if target.exists() else None


def _named(field: str, found: _Placed, profiles: Mapping[str, SourceProfile]) -> str:
    """What people call a field of the file's kind."""
    fields = profiles[found.kind].fields if found.kind else ()
    return next((pick((one.zh, one.en)) for one in fields if one.name == field and one.zh), "") or pick(
        (label(field), label(field, "en"))
    )


def _how_to_declare(found: _Placed, folder: Path) -> str:
    """What to do about a column that is one of a field, told by the first of them."""
    return tr(
        "if a column is what it looks like: {copy}\n  keep sources/{kind}.toml and add the header to headers of [fields.{field}]",
        copy=typed("fupin", "rules", "copy", folder / "rules"),
        kind=found.kind,
        field=found.strange[0][1],
    )


def _place(path: Path, name: str, profiles: Mapping[str, SourceProfile]) -> _Placed:
    """The kind of source a file seems to be, how sure that is, and why not where it is nothing."""
    try:
        reports = inspect_file(path.name, path, profiles, password_from(), head=_TITLE_ROWS)
    except FupinError as error:
        return _Placed(name, None, 0.0, error.what)
    sheets = [sheet for report in reports for sheet in report.sheets if sheet.guesses]
    best = max(sheets, key=lambda sheet: (sheet.guesses[0][1], sheet.rows), default=None)
    if best is None:
        return _Placed(name, None, 0.0, tr("no header known; fupin inspect"))
    (kind, score), *others = best.guesses
    if score < _SURE:
        return _Placed(name, None, score, tr("nearest: {kind} ({score:.0%})", kind=kind, score=score))
    close = [f"{other} ({value:.0%})" for other, value in others[:2] if value > score - _CLOSE]
    left = [sheet.sheet for report in reports for sheet in report.sheets if not sheet.guesses and sheet.rows]
    notes = [tr("or: {listed}", listed=listed(close))] if close else []
    notes += [tr("sheets not placed: {listed}", listed=listed(left))] if left else []
    strange = {
        (mask_text(header), near)
        for report in reports
        for sheet in report.sheets
        if sheet.guesses and sheet.guesses[0][0] == kind
        for header, near in sheet.unmapped
        if near and near in sheet.missing
    }
    day, in_title = _day(name), False
    if day is None:
        day, in_title = _day(" ".join(_titles(reports))), True
    return _Placed(name, kind, score, pick(("；", "; ")).join(notes), tuple(sorted(strange)), day, in_title)


def _titles(reports: Sequence[FileReport]) -> Iterator[str]:
    """What stands above the headers of a file's sheets."""
    for sheet in (sheet for report in reports for sheet in report.sheets if sheet.header_rows):
        above = sheet.head.head(sheet.header_rows[0] - 1)
        yield from (cell for row in above.rows() for cell in row if cell)


def _draft(name: str, placed: Sequence[_Placed], counties: Sequence[str], profiles: Mapping[str, SourceProfile]) -> str:
    told = max((found for found in placed if found.day), key=lambda found: (found.day, found.file), default=None)
    as_of = told.day if told and told.day else today()
    if told is None:
        whence = tr("today: no file name and no title tells a day")
    else:
        whence = tr("from a title in {file}", file=told.file) if told.in_title else tr("from {file}", file=told.file)
    registers = [found for found in placed if found.kind == "register"]
    lines = [
        tr("# A draft: check dates, stages and coverage."),
        "",
        "[project]",
        f"name = {_quoted(name)}",
        tr(
            "as_of = {what}        # the day of which everything is told ({whence})",
            what=as_of.isoformat(),
            whence=_one_line(whence),
        ),
        tr(
            'jurisdiction = "00"         # how the region code begins: it chooses rules and income '
            "lines; 00 = the whole country"
        ),
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
        if not here and len(counties) == 1 and not _WIDER.search(found.file):
            here = list(counties)
        stage = "county" if here else "province"
        day = found.day
        guess = "" if day else tr("  # a guess: the day that the data reach")
        lines += [
            "",
            tr(
                "[[extract]]                # {department} {title}, sure to {score:.0%}",
                department=profiles[kind].department,
                title=profiles[kind].title,
                score=found.score,
            ),
            *([f"# {found.note}"] if found.note else []),
            *(
                tr(
                    "# unknown column: {header} (like {field})",
                    header=_one_line(header),
                    field=_named(field, found, profiles),
                )
                for header, field in found.strange
            ),
            f'id = "{kind.replace("_", "-")}{"" if seen[kind] == 1 else f"-{seen[kind]}"}"',
            f'profile = "{kind}"',
            f'stage = "{stage}"',
            f"files = [{_quoted(found.file)}]",
            f"as_of = {(day or as_of).isoformat()}{guess}",
        ]
        covered = ", ".join(_quoted(county) for county in here or counties or ["…"])
        reach = tr("  # the counties that it reaches; without this line: all")
        lines.append(f"coverage = [{covered}]" if here else f"# coverage = [{covered}]{reach}")
    left = [found for found in placed if found.kind is None]
    if left:
        lines += ["", tr("# not placed:"), *(f"#   {_one_line(found.file)}: {found.note}" for found in left)]
    return "\n".join(lines) + "\n"


def _day(text: str) -> date | None:
    """The newest date that a file's name, or a title, tells; of a month or year its last day. None lies ahead of us."""
    now = today()
    days = [(int(y), int(m), int(d)) for y, m, d in _DAY.findall(text)]
    spans = [(date(y, m, d),) * 2 for y, m, d in days if d <= monthrange(y, m)[1]]
    if not spans:
        months = [(int(y), int(m)) for y, m in _MONTH.findall(text)]
        spans = [(date(y, m, 1), date(y, m, monthrange(y, m)[1])) for y, m in months]
    if not spans:
        spans = [(date(int(y), 1, 1), date(int(y), 12, 31)) for y in _YEAR.findall(text)]
    return max((min(last, now) for first, last in spans if first <= now), default=None)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
