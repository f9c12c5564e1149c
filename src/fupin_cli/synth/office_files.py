"""Writes tables as offices do: titles, merged headers of two rows, totals and signatures; xlsx, old xls, csv.

The same table gives the same bytes: workbooks carry a fixed date of creation.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

_CREATED = dt.datetime(2019, 11, 30, 9, 0, 0)  # noqa: DTZ001 (a wall-clock time of nowhere)
_NUMBERS = ("amount_month_yuan", "salary_month_yuan", "area", "member_count", "work_months")
_DATES = {
    "iso": "%Y-%m-%d",
    "compact": "%Y%m%d",
    "chinese": "%Y年%-m月%-d日",
    "dots": "%Y.%-m.%-d",
    "slashes": "%Y/%-m/%-d",
}
_NOTES = ["填表说明", "1. 本表由县残联从全国残疾人人口基础数据库导出。", "2. 残疾人证号前18位为公民身份号码。"]


@dataclass(frozen=True)
class Layout:
    """Columns of a sheet from left to right: field, header; `#` is the running number."""

    columns: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, text: str) -> Layout:
        """From `field=header field=header …`."""
        pairs = (item.split("=", 1) for item in text.split())
        return cls(tuple((field, header) for field, header in pairs))

    def moved(self, fields: str, before: str) -> Layout:
        """The layout with the named columns, in the order named, in front of another column."""
        header = dict(self.columns)
        rest = [field for field in header if field not in fields.split()]
        at = rest.index(before)
        return Layout(tuple((field, header[field]) for field in [*rest[:at], *fields.split(), *rest[at:]]))

    @property
    def header_rows(self) -> int:
        """Two where any header has an upper half."""
        return 2 if any("/" in header for _, header in self.columns) else 1


@dataclass(frozen=True)
class Sheet:
    """One sheet: its cells (text, one column per field, and `_typed`) and what stands around them."""

    name: str
    cells: pl.DataFrame
    layout: Layout
    title: tuple[str, ...] = ()
    total: str | None = None
    footer: tuple[str, ...] = ()
    dates: str = "iso"

    def rows(self) -> list[list[Any]]:
        """Cell values row by row: text, float for a number cell, date for a date cell, None for a blank one."""
        columns = [self._column(field) for field, _ in self.layout.columns]
        rows = [list(row) for row in zip(*columns, strict=True)] if self.cells.height else []
        if self.total:
            rows.append([self.total, None, f"共{self.cells.height}人", *[None] * (len(columns) - 3)])
        return rows + [[line, *[None] * (len(columns) - 1)] for line in self.footer]

    def _column(self, field: str) -> list[Any]:
        if field == "#":
            return [float(n) for n in range(1, self.cells.height + 1)]
        text = self.cells[field]
        if field.endswith("_on"):
            days = text.str.to_date("%Y-%m-%d", strict=False)
            return days.to_list() if self.dates == "cell" else days.dt.strftime(_DATES[self.dates]).to_list()
        if field in _NUMBERS or field.startswith("income_"):
            return text.cast(pl.Float64).to_list()
        if field in ("id_number", "disability_no"):
            return [float(value) if typed else value for value, typed in zip(text, self.cells["_typed"], strict=True)]
        return text.to_list()


def write_file(path: Path, sheets: Sequence[Sheet], *, encoding: str = "utf-8-sig", notes: bool = False) -> None:
    """Writes the sheets in the format that the suffix names; csv holds one sheet."""
    if path.suffix == ".csv":
        _write_csv(path, sheets[0], encoding)
    elif path.suffix == ".xls":
        _write_xls(path, sheets)
    else:
        _write_xlsx(path, sheets, notes=notes)


def _write_csv(path: Path, sheet: Sheet, encoding: str) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(header for _, header in sheet.layout.columns)
    for row in sheet.rows():
        writer.writerow(_csv_cell(value) for value in row)
    path.write_bytes(buffer.getvalue().encode(encoding))


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if isinstance(value, float) else str(value)


def _write_xlsx(path: Path, sheets: Sequence[Sheet], *, notes: bool) -> None:
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": _CREATED})
        centred = book.add_format({"align": "center", "valign": "vcenter", "bold": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            first = _xlsx_header(page, sheet, centred)
            for r, row in enumerate(sheet.rows(), first):
                for c, value in enumerate(row):
                    if isinstance(value, float):
                        page.write_number(r, c, value)
                    elif isinstance(value, dt.date):
                        page.write_datetime(r, c, value, day)
                    elif value is not None:
                        page.write_string(r, c, value)
        if notes:
            page = book.add_worksheet("填表说明")
            for r, line in enumerate(_NOTES):
                page.write_string(r, 0, line)


def _xlsx_header(page: Any, sheet: Sheet, centred: Any) -> int:
    """Writes titles and header, and returns the row where the data begins."""
    columns = sheet.layout.columns
    for r, line in enumerate(sheet.title):
        page.merge_range(r, 0, r, len(columns) - 1, line, centred)
    top = len(sheet.title)
    if sheet.layout.header_rows == 1:
        for c, (_, header) in enumerate(columns):
            page.write_string(top, c, header, centred)
        return top + 1
    parts = [header.split("/") for _, header in columns]
    at = 0
    for group, members in groupby(parts, key=lambda part: part[0]):
        width = len(list(members))
        if len(parts[at]) == 1:
            page.merge_range(top, at, top + 1, at, group, centred)
        elif width == 1:
            page.write_string(top, at, group, centred)
        else:
            page.merge_range(top, at, top, at + width - 1, group, centred)
        at += width
    for c, part in enumerate(parts):
        if len(part) == 2:
            page.write_string(top + 1, c, part[1], centred)
    return top + 2


def _write_xls(path: Path, sheets: Sequence[Sheet]) -> None:
    import xlwt  # noqa: PLC0415 (only the sample needs it: extra `synth`)

    book = xlwt.Workbook(encoding="utf-8")
    day = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for sheet in sheets:
        page = book.add_sheet(sheet.name)
        columns = sheet.layout.columns
        for r, line in enumerate(sheet.title):
            page.write_merge(r, r, 0, len(columns) - 1, line)
        top = len(sheet.title)
        for c, (_, header) in enumerate(columns):
            page.write(top, c, header)
        for r, row in enumerate(sheet.rows(), top + 1):
            for c, value in enumerate(row):
                if isinstance(value, dt.date):
                    page.write(r, c, value, day)
                elif value is not None:
                    page.write(r, c, value)
    book.save(str(path))
