"""What goes back to a unit after its answers were read: what is missing, what does not fit, what contradicts itself.

It is the unit's own list of what to do again: nothing in it comes from another unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from fupin_cli.report import book
from fupin_cli.report.book import LINE_HEIGHT, Book, lines_needed, put, put_across, put_count, set_widths

SUMMARY = "汇总"
_TALLEST = 400  # points; Excel's limit is 409


@dataclass(frozen=True)
class Part:
    """One sheet: what it is called, what is to be done about it, its columns (column, header, width), its rows."""

    name: str
    why: str
    columns: tuple[tuple[str, str, float], ...]
    rows: pl.DataFrame


def write_return_book(path: Path, unit: str, day: date, counts: Mapping[str, int], parts: Sequence[Part]) -> Path:
    """The path of the workbook with a summary and a sheet for each part that has rows."""
    written = Book(f"{unit}反馈接收情况", day)
    told = [part for part in parts if part.rows.height]
    names = book.sheet_names([SUMMARY, *(part.name for part in told)])[1:]
    _write_summary(written, unit, day, counts, told)
    for name, part in zip(names, told, strict=True):
        _write_part(written, name, unit, part)
    return written.save(path)


def _write_summary(written: Book, unit: str, day: date, counts: Mapping[str, int], parts: Sequence[Part]) -> None:
    sheet, styles = written.sheet(SUMMARY), written.styles
    widths = (34, 14, 92)
    set_widths(sheet, widths)
    put_across(sheet, 0, 0, 2, f"{unit}反馈接收情况", styles.title)
    put_across(sheet, 1, 0, 2, f"接收日期：{day}", styles.subtitle)
    sheet.set_row(0, 34)
    for column, header in enumerate(("项目", "数量", "说明")):
        put(sheet, 3, column, header, styles.header)
    at = 3
    why = {part.name: part.why for part in parts}
    for at, (name, count) in enumerate(counts.items(), 4):
        put(sheet, at, 0, name, styles.cell_centre)
        put_count(sheet, at, 1, count, styles.number)
        put(sheet, at, 2, why.get(name, ""), styles.cell)
        sheet.set_row(at, LINE_HEIGHT * lines_needed(why.get(name, ""), widths[2]) + 8)
    sheet.protect("", {"format_columns": True, "format_rows": True})
    book.put_footer(sheet, f"{unit}　反馈接收情况")


def _write_part(written: Book, name: str, unit: str, part: Part) -> None:
    sheet, styles = written.sheet(name), written.styles
    book.put_table_top(
        sheet, styles, f"{unit}　{part.name}", [(header, width) for _, header, width in part.columns], part.why
    )
    at = 2
    for at, row in enumerate(part.rows.select(column for column, _, _ in part.columns).rows(), 3):
        lines = 1
        for place, value in enumerate(row):
            put(sheet, at, place, value, styles.cell_alt if at % 2 else styles.cell)
            lines = max(lines, lines_needed(value, part.columns[place][2]))
        sheet.set_row(at, min(_TALLEST, LINE_HEIGHT * lines + 8))
    sheet.freeze_panes(3, 0)
    book.finish_table(sheet, at, len(part.columns) - 1, f"{unit}　{part.name}")
