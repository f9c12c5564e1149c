"""A workbook of plain tables: a summary, then a sheet for each table that has rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from fupin_cli.report import book
from fupin_cli.report.book import LINE_HEIGHT, TALLEST, Book, lines_needed, put, put_across, put_count, set_widths
from fupin_cli.report.naming import sheet_names

SUMMARY = "汇总"


@dataclass(frozen=True)
class Part:
    """One table: what it is called, why it is shown, its columns (column, header, width), its rows."""

    name: str
    why: str
    columns: tuple[tuple[str, str, float], ...]
    rows: pl.DataFrame


def write_table_book(path: Path, title: str, day: date, counts: Mapping[str, int], parts: Sequence[Part]) -> Path:
    """The path of the workbook with a summary of `counts`, explained by the tables of the same names, and the tables."""
    written = Book(title, day)
    told = [part for part in parts if part.rows.height]
    names = sheet_names([SUMMARY, *(part.name for part in told)])[1:]
    _write_summary(written, title, day, counts, parts)
    for name, part in zip(names, told, strict=True):
        _write_part(written, name, title, part)
    return written.save(path)


def _write_summary(written: Book, title: str, day: date, counts: Mapping[str, int], parts: Sequence[Part]) -> None:
    sheet, styles = written.sheet(SUMMARY), written.styles
    widths = (34, 14, 92)
    set_widths(sheet, widths)
    put_across(sheet, 0, 0, 2, title, styles.title)
    put_across(sheet, 1, 0, 2, f"日期：{day}", styles.subtitle)
    sheet.set_row(0, 34)
    for column, header in enumerate(("项目", "数量", "说明")):
        put(sheet, 3, column, header, styles.header)
    why = {part.name: part.why for part in parts}
    for at, (name, count) in enumerate(counts.items(), 4):
        put(sheet, at, 0, name, styles.cell_centre)
        put_count(sheet, at, 1, count, styles.number)
        put(sheet, at, 2, why.get(name, ""), styles.cell)
        sheet.set_row(at, LINE_HEIGHT * lines_needed(why.get(name, ""), widths[2]) + 8)
    sheet.protect("", {"format_columns": True, "format_rows": True})
    book.put_footer(sheet, title)


def _write_part(written: Book, name: str, title: str, part: Part) -> None:
    sheet, styles = written.sheet(name), written.styles
    heads = [(header, width) for _, header, width in part.columns]
    book.put_table_top(sheet, styles, f"{title}　{part.name}", heads, part.why)
    at = 2
    for at, row in enumerate(part.rows.select(column for column, _, _ in part.columns).rows(), 3):
        lines = 1
        for place, value in enumerate(row):
            if isinstance(value, int | float):
                put_count(sheet, at, place, value, styles.number if isinstance(value, int) else styles.plain_number)
                continue
            put(sheet, at, place, value, styles.cell_alt if at % 2 else styles.cell)
            lines = max(lines, lines_needed(value, part.columns[place][2]))
        sheet.set_row(at, min(TALLEST, LINE_HEIGHT * lines + 8))
    sheet.freeze_panes(3, 0)
    book.finish_table(sheet, at, len(part.columns) - 1, f"{title}　{part.name}")
