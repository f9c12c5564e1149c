"""fupin inspect: how a file would be read, before anything is done with it."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from fupin_cli.cli.console import show
from fupin_cli.ingest import ColumnReport, FileReport, SheetInspection, inspect_file, load_profiles
from fupin_cli.normalise.id_number import clean_id_numbers
from fupin_cli.project import shipped_rules
from fupin_cli.report.masking import mask_id, mask_name, mask_text
from fupin_cli.vocabulary import ID_STATUS_LABELS

_EXAMPLES = 2


@click.command("inspect")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
def command(files: tuple[Path, ...]) -> int:
    """看一个文件怎样被读懂。 Show how a file would be read: container, sheets, header, columns, ID health.

    Examples of cells are masked; nothing is written.

    \b
    Examples:
      fupin inspect 民政低保.xls
      fupin inspect county/*.xlsx
    """
    profiles = load_profiles([shipped_rules() / "sources"])
    for path in files:
        _show_file(inspect_file(path.name, path, profiles), {name: p.title for name, p in profiles.items()})
    return 0


def _show_file(report: FileReport, titles: dict[str, str]) -> None:
    encoding = f", {report.encoding}" if report.encoding else ""
    show(f"[bold]{report.name}[/bold]  {report.container}{encoding}, {len(report.sheets)} sheet(s)", to_stdout=True)
    for sheet in report.sheets:
        _show_sheet(sheet, titles)


def _show_sheet(sheet: SheetInspection, titles: dict[str, str]) -> None:
    name = sheet.sheet or "—"
    hidden = "" if sheet.visible else " (隐藏 hidden)"
    if not sheet.guesses:
        show(
            f"  工作表 {name}{hidden}: {sheet.rows} 行 rows, 未识别到表头 no header that any profile knows",
            to_stdout=True,
        )
        return
    best, score = sheet.guesses[0]
    others = ", ".join(f"{other} {value:.0%}" for other, value in sheet.guesses[1:3])
    rows = "–".join(str(n) for n in dict.fromkeys((sheet.header_rows[0], sheet.header_rows[-1])))
    show(
        f"  工作表 {name}{hidden}: {sheet.rows} 行 rows; 表头 header in row {rows}\n"
        f"  像是 looks like: [bold]{best}[/bold] {titles[best]} ({score:.0%})"
        + (f"; 其次 or: {others}" if others else ""),
        to_stdout=True,
    )
    show(_columns(sheet), to_stdout=True)
    for column in sheet.columns:
        if column.field == "id_number":
            show(_id_health(column), to_stdout=True)
    if sheet.missing:
        show(f"  缺少 missing fields: {', '.join(sheet.missing)}", to_stdout=True)
    for count, words in ((sheet.hidden, "隐藏行列 hidden rows or columns, read all the same"),
                         (sheet.errors, "错误单元格 error cells (#N/A …)"),
                         (sheet.empty_formulas, "未计算的公式 formulas without a stored value")):  # fmt: skip
        if count:
            show(f"  {count} {words}", to_stdout=True)


def _columns(sheet: SheetInspection) -> Table:
    near = dict(sheet.unmapped)
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("表头 header", "字段 field", "非空 filled", "示例 examples (masked)"):
        table.add_column(heading)
    for column in sheet.columns:
        guess = near.get(column.header)
        field = column.field or (f"— ({guess}?)" if guess else "—")
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
    if column.field is None or column.field in ("address", "location"):
        return "***"  # nobody knows what an unknown column holds
    return ", ".join(mask_text(cell) for cell in cells)


def _id_health(column: ColumnReport) -> str:
    counts = (
        clean_id_numbers(column.cells)["id_status"]
        .value_counts()
        .sort(["count", "id_status"], descending=[True, False])
    )
    parts = [f"{ID_STATUS_LABELS[status][0]} {status} {count}" for status, count in counts.rows()]
    return f"  证件号码 {column.header}: " + ", ".join(parts)
