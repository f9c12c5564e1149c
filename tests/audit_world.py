"""Auditors who fill in real workbooks, as people do."""

from __future__ import annotations

import random
from pathlib import Path

from openpyxl import load_workbook

NUMBER, HEADER = "样本编号", 5  # the row of a village's sheet in which the headers stand
NOT_ASKED = "—"


def village_sheets(book):
    """The sheets with households, each with header → column."""
    for sheet in book:
        heads = {cell.value: cell.column for cell in sheet[HEADER] if cell.value}
        if NUMBER in heads:
            yield sheet, heads


def rows_of(sheet, heads) -> dict[str, int]:
    """Sample number → row."""
    rows = range(HEADER + 1, sheet.max_row + 1)
    return {sheet.cell(row, heads[NUMBER]).value: row for row in rows if sheet.cell(row, heads[NUMBER]).value}


def fill(path: Path, target: Path, say) -> dict[str, dict[str, str]]:
    """Fills a workbook in; `say(number, header)` gives an answer, None for a cell left blank. number → header → answer."""
    book, said = load_workbook(path), {}
    for sheet, heads in village_sheets(book):
        for number, row in rows_of(sheet, heads).items():
            for header, column in heads.items():
                cell = sheet.cell(row, column)
                if cell.protection.locked or cell.value == NOT_ASKED or (answer := say(number, header)) is None:
                    continue
                cell.value = answer
                said.setdefault(number, {})[header] = answer
    target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)
    return said


def shuffle(path: Path, rnd: random.Random) -> None:
    """Whole rows in another order, columns moved by one, as sorting and inserting do it."""
    book = load_workbook(path)
    for sheet, heads in village_sheets(book):
        rows = list(rows_of(sheet, heads).values())
        values = [[cell.value for cell in sheet[row]] for row in rows]
        rnd.shuffle(values)
        for row, line in zip(rows, values, strict=True):
            for cell, value in zip(sheet[row], line, strict=True):
                cell.value = value
    book.save(path)
