"""fupin inspect: how a file would be read, before anything is done with it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import polars as pl
from rich.markup import escape
from rich.table import Table

from fupin_cli.cli.cases_options import json_option
from fupin_cli.cli.console import password_from, show
from fupin_cli.ingest import ColumnReport, FileReport, SheetInspection, SourceProfile, inspect_file, load_profiles
from fupin_cli.ingest.headers import header_key
from fupin_cli.normalise.id_number import clean_id_numbers
from fupin_cli.project import rules_folders
from fupin_cli.report.masking import mask_id, mask_name, mask_text
from fupin_cli.vocabulary import ID_STATUS_LABELS, PLACES, SET_ASIDE_REASONS

_EXAMPLES = 2
_PLACES = frozenset(PLACES)
_PLAIN = re.compile(r"-?[0-9]{1,4}([.,年/-][0-9]{1,4}){0,2}[月日]{0,2}|-?[0-9,.]{1,7}")  # a date, an amount, a count
_MOST_WORDS, _LEAST_ALIKE = 30, 5


@click.command("inspect")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--rows", "first_rows", type=click.IntRange(0, 200), default=0,
              help="also show the first rows, masked")  # fmt: skip
@click.option("--project", type=click.Path(path_type=Path), help="project whose rules/ win")
@json_option
def command(files: tuple[Path, ...], first_rows: int, project: Path | None, *, as_json: bool) -> int:
    """Show how a file would be read: container, sheets, header, columns, ID health.

    Examples of cells are masked; nothing is written. A workbook under a password asks for it, or takes it from the
    environment variable FUPIN_PASSWORD.

    \b
    Examples:
      fupin inspect 民政低保.xls
      fupin inspect 民政低保.xlsx --rows 40
      fupin inspect county/*.zip
      fupin inspect county/*.xlsx --json | jq '.[].sheets[].profile'
    """
    folders = [folder / "sources" for folder in rules_folders(project / "rules" if project else None)]
    profiles = load_profiles([folder for folder in folders if folder.is_dir()])
    reports = (
        report for path in files for report in inspect_file(path.name, path, profiles, password_from(), head=first_rows)
    )
    if as_json:
        click.echo(json.dumps([_told(report) for report in reports], ensure_ascii=False))
        return 0
    for report in reports:
        _show_file(report, profiles)
    return 0


def _told(report: FileReport) -> dict[str, Any]:
    """The same for scripts; no cell is told."""
    sheets = [
        {
            "sheet": sheet.sheet, "visible": sheet.visible, "rows": sheet.rows, "header_rows": list(sheet.header_rows),
            "profile": sheet.guesses[0][0] if sheet.guesses else None,
            "score": sheet.guesses[0][1] if sheet.guesses else None,
            "columns": [{"header": mask_text(c.header), "field": c.field, "filled": c.filled} for c in sheet.columns],
            "unmapped": [mask_text(header) for header, _ in sheet.unmapped],
            "missing": list(sheet.missing), "set_aside": dict(sheet.set_aside),
        }
        for sheet in report.sheets
    ]  # fmt: skip
    return {"file": report.name, "container": report.container, "encoding": report.encoding, "sheets": sheets}


def _show_file(report: FileReport, profiles: Mapping[str, SourceProfile]) -> None:
    encoding = f", {report.encoding}" if report.encoding else ""
    lock = "，有密码 password" if report.was_locked else ""
    say(f"[bold]{escape(report.name)}[/bold]  {report.container}{encoding}, {len(report.sheets)} sheet(s){lock}")
    for other in report.others:
        say(f"  不是表格，未读 not a table, not read: {escape(other)}")
    for sheet in report.sheets:
        _show_sheet(sheet, profiles)


def say(text: str) -> None:
    """Prints a line of the answer."""
    show(text, to_stdout=True)


def _show_sheet(sheet: SheetInspection, profiles: Mapping[str, SourceProfile]) -> None:
    name = escape(sheet.sheet or "—")
    hidden = "" if sheet.visible else " (隐藏 hidden，照样读入 read all the same)"
    if sheet.head.height:
        show(_first_rows(sheet, profiles), to_stdout=True)
    if not sheet.guesses:
        say(f"  工作表 {name}{hidden}: {sheet.rows} 行 rows, 未识别到表头 no header that any profile knows")
        return
    best, score = sheet.guesses[0]
    others = ", ".join(f"{other} {value:.0%}" for other, value in sheet.guesses[1:3])
    header = "–".join(str(n) for n in dict.fromkeys((*sheet.header_rows[:1], *sheet.header_rows[-1:])))
    say(
        f"  工作表 {name}{hidden}: {sheet.rows} 行 rows; "
        + (f"表头 header in row {header}" if header else "列名由文件给出 the file names its columns")
        + f"\n  像是 looks like: [bold]{best}[/bold] {profiles[best].department} {profiles[best].title} ({score:.0%})"
        + (f"; 其次 or: {others}" if others else "")
    )
    show(_columns(sheet), to_stdout=True)
    for column in sheet.columns:
        if column.field == "id_number":
            say(_id_health(column))
    if sheet.missing:
        say(f"  缺少 missing fields: {', '.join(sheet.missing)}")
    aside = "、".join(f"{SET_ASIDE_REASONS[reason][0]} {reason} {count}" for reason, count in sheet.set_aside)
    used = sheet.rows - sum(count for _, count in sheet.set_aside)
    total = f"读入 read {sheet.rows} = 采用 used {used} + 搁置 set aside {sheet.rows - used}"
    say(f"  读入对账 rows: {total}" + (f"（{aside}）" if aside else ""))
    notes = sheet.notes
    for count, words in ((notes.hidden_rows, "隐藏行 hidden rows, read all the same"),
                         (notes.hidden_columns, "隐藏列 hidden columns, read all the same"),
                         (notes.errors, "错误单元格 error cells (#N/A …)"),
                         (notes.empty_formulas, "未计算的公式 formulas without a stored value")):  # fmt: skip
        if count:
            say(f"  {count} {words}")


def _first_rows(sheet: SheetInspection, profiles: Mapping[str, SourceProfile]) -> Table:
    """The first rows as they stand: words that are headers somewhere in full, everything else masked."""
    known = {header_key(alias) for profile in profiles.values() for f in profile.fields for alias in f.aliases}
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("行 row", *(f"{n}" for n in range(1, sheet.head.width + 1))):
        table.add_column(heading, overflow="ellipsis", no_wrap=True, max_width=16)
    for at, row in enumerate(sheet.head.rows(), 1):
        cells = (escape(cell if header_key(cell) in known else _covered(cell)) if cell else "" for cell in row)
        table.add_row(str(at), *cells)
    return table


def _covered(cell: str) -> str:
    """A cell nobody knows the meaning of: its first character and its length."""
    return f"{cell.strip()[:1]}＊（{len(cell.strip())} 字）"


def _columns(sheet: SheetInspection) -> Table:
    near = {header: f"疑为 near {field}" if field else "" for header, field in sheet.unmapped}
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("表头 header", "字段 field", "非空 filled", "示例 examples (masked)"):
        table.add_column(heading)
    for column in sheet.columns:
        guess = near.get(column.header)
        field = column.field or (f"— （{guess}）" if guess else "—")
        filled = f"{column.filled / column.rows:.0%}" if column.rows else "—"
        table.add_row(escape(column.header), field, filled, escape(_examples(column)))
    return table


def _examples(column: ColumnReport) -> str:
    """The first two different cells, with everything that could name a person hidden."""
    cells = [str(cell) for cell in column.cells.drop_nulls().unique(maintain_order=True).head(_EXAMPLES)]
    if column.field in ("name", "former_name", "head_name"):
        return ", ".join(mask_name(cell) or "" for cell in cells)
    if column.field in ("id_number", "disability_no", "student_no", "household_id", "person_id", "phone"):
        return ", ".join(mask_id(cell) or "" for cell in cells)
    if column.field is None or not (
        column.field in _PLACES or _are_words(column.cells) or all(map(_PLAIN.fullmatch, cells))
    ):
        return "***"  # nobody knows what it holds: a guardian's name, a number plate, a certificate
    return ", ".join(mask_text(cell) for cell in cells)


def _are_words(cells: pl.Series) -> bool:
    """Whether a column repeats a few words, as of a list: what stands beside many people names none of them."""
    filled = cells.drop_nulls()
    return filled.n_unique() <= min(_MOST_WORDS, len(filled) // _LEAST_ALIKE)


def _id_health(column: ColumnReport) -> str:
    counts = (
        clean_id_numbers(column.cells)["id_status"]
        .value_counts()
        .sort(["count", "id_status"], descending=[True, False])
    )
    parts = [f"{ID_STATUS_LABELS[status][0]} {status} {count}" for status, count in counts.rows()]
    return f"  证件号码 {column.header}: " + ", ".join(parts)
