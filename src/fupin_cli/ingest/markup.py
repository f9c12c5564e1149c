"""Web pages and XML spreadsheets that are called `.xls` → sheets of rows. Many government systems export such files.

Both are read by the same forgiving parser, since neither is reliably well-formed: a `tr` is a `Row`, a `td` a `Cell`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_ROWS, _CELLS, _SHEETS = {"tr", "row"}, {"td", "th", "cell"}, {"table", "worksheet"}
_MOST = 16_384  # columns of a sheet; a wider span is nonsense


@dataclass
class MarkupSheet:
    """One table while it is read: rows of text, and merges as (top, left, bottom, right)."""

    name: str
    rows: list[list[str]] = field(default_factory=list, repr=False)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


def read_markup(text: str) -> tuple[MarkupSheet, ...]:
    """The tables of a web page, or the worksheets of an XML spreadsheet, that hold anything; a nested table is text."""
    parser = _Tables()
    parser.feed(text)
    parser.close()
    return tuple(sheet for sheet in parser.sheets if sheet.rows)


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sheets: list[MarkupSheet] = []
        self._opened_by = ""  # in XML a Worksheet holds one Table, which is no nesting: only the opening tag counts
        self._depth = 0
        self._in_cell = False
        self._taken: set[tuple[int, int]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name.rpartition(":")[2]: value or "" for name, value in attrs}
        if not self._depth and tag in _SHEETS:
            self._opened_by, self._depth, self._taken = tag, 1, set()
            self.sheets.append(MarkupSheet(said.get("name") or f"表{len(self.sheets) + 1}"))
        elif self._depth and tag == self._opened_by:
            self._depth += 1
        elif self._depth == 1 and tag in _ROWS:
            self._start_row(said)
        elif self._depth == 1 and tag in _CELLS and self.sheets[-1].rows:
            self._start_cell(said)
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._depth and tag == self._opened_by:
            self._depth -= 1
        if not self._depth or (self._depth == 1 and tag in _CELLS | _ROWS):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.sheets[-1].rows[-1][-1] += re.sub(r"[\r\n\t]+", " ", data)

    def _start_row(self, said: dict[str, str]) -> None:
        rows = self.sheets[-1].rows
        rows.extend([] for _ in range(_number(said.get("index")) - len(rows) - 1))
        rows.append([])
        self._in_cell = False

    def _start_cell(self, said: dict[str, str]) -> None:
        sheet = self.sheets[-1]
        at, row = len(sheet.rows) - 1, sheet.rows[-1]
        wanted = max(_number(said.get("index")) - 1, len(row))
        while len(row) < wanted or (at, len(row)) in self._taken:
            row.append("")
        left = len(row)
        down = max(_number(said.get("rowspan")) - 1, _number(said.get("mergedown")), 0)
        across = min(max(_number(said.get("colspan")) - 1, _number(said.get("mergeacross")), 0), _MOST)
        if down or across:
            sheet.merged.append((at, left, at + down, left + across))
            self._taken |= {(r, c) for r in range(at, at + down + 1) for c in range(left, left + across + 1)}
        row.append("")
        self._in_cell = True


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0
