"""Worklists of visits: for each township a workbook with a sheet per village of who is left; and the coverage of all places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl
from xlsxwriter.worksheet import Worksheet

from fupin_cli.report import book
from fupin_cli.report.book import Book, Styles, put, put_across, put_count, put_heading, put_paragraph, set_widths
from fupin_cli.report.finding_rows import Field, write_findings
from fupin_cli.report.naming import sheet_names
from fupin_cli.report.table_book import Part, write_table_book

_TOP = 4
_COLUMNS = (
    Field("seq", "序号", 4),
    Field("hamlet", "组", 6),
    Field("head_name", "户主姓名", 9),
    Field("household_id", "户编号", 19),
    Field("member_count", "家庭人口", 5),
    Field("because", "应到依据", 24, centred=False),
    Field("state_words", "现状", 14),
    Field("why", "无法判断的原因", 20, centred=False),
    Field(None, "走访日期", 11),
    Field(None, "走访人", 10),
    Field(None, "户主签字", 11),
)
_ANSWERS = 3
_COVER = (24, 12, 12, 12, 18, 18, 22)
_COUNTS = ("must", "visited", "left", "untold", "unsure")
COUNT_HEADERS = ("应到", "已到", "未到", "是否到访不明", "是否应到不明")


def write_worklist(
    path: Path,
    county: str,
    township: str,
    villages: Sequence[tuple[str, pl.DataFrame, Mapping[str, object]]],
    lines: Sequence[str],
    as_of: date,
) -> Path:
    """The path of a township's workbook. A village comes with its households to visit (with `state_words`) and its counts."""
    title = f"{county}{township}必到户走访清单"
    written = Book(title, as_of)
    with_rows = [(name, rows) for name, rows, _ in villages if rows.height]
    names = sheet_names(["说明", *(name for name, _ in with_rows)])[1:]
    _write_cover(written, title, villages, lines, as_of)
    for name, (village, rows) in zip(names, with_rows, strict=True):
        _write_village(written, name, f"{county}　{township}　{village}", rows, as_of)
    return written.save(path)


def write_coverage(path: Path, title: str, as_of: date, parts: Sequence[Part], counts: Mapping[str, int]) -> Path:
    """The path of the workbook with the coverage of counties, townships and villages."""
    return write_table_book(path, title, as_of, counts, parts)


def share_words(low: float | None, high: float | None) -> str:
    """A share of visits: one number, or the two that it lies between."""
    if low is None or high is None:
        return "—"
    if (low, high) == (0, 1):
        return "无法判断"
    # rounded down: nothing but all of them is 100 %
    first, second = (int(share * 1000) / 10 for share in (low, high))
    return f"{first:.1f}%" if low == high else f"{first:.1f}–{second:.1f}%"


def _write_cover(
    written: Book,
    title: str,
    villages: Sequence[tuple[str, pl.DataFrame, Mapping[str, object]]],
    lines: Sequence[str],
    as_of: date,
) -> None:
    sheet, styles = written.sheet("说明"), written.styles
    set_widths(sheet, _COVER)
    last = len(_COVER) - 1
    put_across(sheet, 0, 0, last, title, styles.title)
    put_across(sheet, 1, 0, last, f"比对日期：{as_of}", styles.subtitle)
    put_across(sheet, 2, 0, last, "“未到”是走访记录里没有，不等于没有去过：去过的请补记。", styles.note)
    sheet.set_row(0, 34)
    put_heading(sheet, 4, last, "说明", styles)
    for row, line in enumerate(lines, 5):
        put_paragraph(sheet, row, last, line, styles, width=sum(_COVER))
    top = 6 + len(lines)
    put_heading(sheet, top, last, "各村走访情况", styles)
    for column, header in enumerate(("行政村", *COUNT_HEADERS, "覆盖率")):
        put(sheet, top + 1, column, header, styles.header)
    for at, (village, _, counts) in enumerate(villages, top + 2):
        put(sheet, at, 0, village, styles.cell_centre)
        for column, name in enumerate(_COUNTS, 1):
            put_count(sheet, at, column, int(str(counts[name])), styles.number)
        put(sheet, at, last, counts["share"], styles.cell_centre)
    sheet.repeat_rows(top + 1)  # the one table stands last: a page that it goes on to has its header
    sheet.protect("", {"format_columns": True, "format_rows": True})
    book.put_footer(sheet, title)


def _write_village(written: Book, name: str, where: str, rows: pl.DataFrame, as_of: date) -> None:
    sheet, styles = written.sheet(name), written.styles
    set_widths(sheet, [field.width for field in _COLUMNS])
    last_column, first_answer = len(_COLUMNS) - 1, len(_COLUMNS) - _ANSWERS
    put_across(sheet, 0, 0, last_column, "必到户走访清单", styles.title)
    put_across(sheet, 1, 0, last_column, f"{where}　　比对日期：{as_of}　　待走访 {rows.height} 户", styles.subtitle)
    put_across(sheet, 2, 0, first_answer - 1, "由系统生成，已锁定", styles.group)
    put_across(sheet, 2, first_answer, last_column, "走访后填写，并补记到走访记录", styles.group_answer)
    for column, field in enumerate(_COLUMNS):
        put(sheet, _TOP - 1, column, field.header, styles.header_answer if column >= first_answer else styles.header)
    for row, height in enumerate((34, 22, 20, 30)):
        sheet.set_row(row, height)
    numbered = rows.with_columns(seq=pl.int_range(1, pl.len() + 1), household_block=pl.int_range(pl.len()))
    placed = [(column, field) for column, field in enumerate(_COLUMNS) if field.column]
    last = write_findings(sheet, styles, numbered, placed, _TOP, least=26)
    for row in range(_TOP, last + 1):
        for column in range(first_answer, last_column + 1):
            put(sheet, row, column, None, styles.answer)
    _sign(sheet, styles, last + 1, last_column)
    sheet.autofilter(_TOP - 1, 0, last, last_column)
    sheet.freeze_panes(_TOP, 4)
    sheet.repeat_rows(_TOP - 2, _TOP - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:Z{last + 1}"})
    sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})
    book.put_footer(sheet, where)


def _sign(sheet: Worksheet, styles: Styles, row: int, last_column: int) -> None:
    texts = (
        f"走访人（签字）：{'＿' * 8}",
        f"村党组织书记（签字）：{'＿' * 6}",
        f"日期：{'＿' * 3} 年 {'＿' * 2} 月 {'＿' * 2} 日",
    )
    width = (last_column + 1) / len(texts)
    for n, text in enumerate(texts):
        put_across(sheet, row, round(n * width), round((n + 1) * width) - 1, text, styles.sign)
    sheet.set_row(row, 36)
