"""Web pages and XML spreadsheets that are called `.xls` → sheets of rows. Many government systems export such files.

Both are read by the same forgiving parser, since neither is reliably well-formed: a `tr` is a `Row`, a `td` a `Cell`. It runs in
the sandbox's process: the standard library's parser can be made to take quadratic time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from html.parser import HTMLParser
from itertools import zip_longest

import polars as pl

from fupin_cli.ingest.columns import blank_to_null, trim
from fupin_cli.ingest.sandbox import MOST_SHEETS, ParsedSheet, ParserFailed

_ROWS, _CELLS, _SHEETS, _COLUMNS = {"tr", "row"}, {"td", "th", "cell"}, {"table", "worksheet"}, {"col", "column"}
_MOST_COLUMNS, _MOST_ROWS = 16_384, 1_048_576  # of a sheet; anything beyond is nonsense
_FREE_CELLS = 5_000_000  # that a small page may have by its spans and positions
_SPARSE = 20  # above that, at least one cell in 20 must be there
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden")


def parse_markup(text: str) -> list[ParsedSheet]:
    """The tables of a web page, or the worksheets of an XML spreadsheet, that hold anything; a nested table is text.

    Raises ParserFailed for a page that ends inside a tag or a table, and for spans and positions that stretch a sheet beyond
    any real table.
    """
    parser = _Tables(_FREE_CELLS + len(text))
    parser.feed(text)
    parser.close()
    return [_parsed(sheet) for sheet in parser.sheets if sheet.rows]


def pages_of_mail(data: bytes) -> Iterator[str]:
    """The web pages inside a MIME message: what Excel calls a single file web page (.mht)."""
    # with its plainest policy, which does not take long headers to pieces
    for part in message_from_bytes(data).walk():
        if part.get_content_type() in ("text/html", "application/vnd.ms-excel"):
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                yield _decoded(payload)


def _decoded(page: bytes) -> str:
    # what the part declares is wrong often enough; the bytes themselves are not
    try:
        return page.decode("utf-8-sig")
    except UnicodeDecodeError:
        return page.decode("gb18030", errors="replace")


@dataclass
class _Sheet:
    """One table while it is read."""

    name: str
    hidden: bool = False
    rows: list[list[str]] = field(default_factory=list, repr=False)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: int = 0
    hidden_columns: int = 0


def _parsed(sheet: _Sheet) -> ParsedSheet:
    width, filled = max(map(len, sheet.rows)), sum(map(len, sheet.rows))
    if width * len(sheet.rows) > max(_FREE_CELLS, _SPARSE * filled):
        raise ParserFailed("stretched")
    columns = (pl.Series(f"c{n}", column, dtype=pl.String) for n, column in enumerate(zip_longest(*sheet.rows)))
    cells = pl.DataFrame(columns).with_columns(blank_to_null(pl.all()))
    notes = (sheet.hidden_rows, sheet.hidden_columns)
    return ParsedSheet(sheet.name, not sheet.hidden, tuple(sheet.merged), trim(cells), notes)


class _Tables(HTMLParser):
    def __init__(self, most_cells: int) -> None:
        super().__init__(convert_charrefs=True)
        self.sheets: list[_Sheet] = []
        self._opened_by = ""  # in XML a Worksheet holds one Table, which is no nesting: only the opening tag counts
        self._depth = 0
        self._cell: list[str] | None = None
        self._taken: dict[int, int] = {}  # column → the last row that a span from above covers
        self._budget = most_cells

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name.rpartition(":")[2]: value or "" for name, value in attrs}
        if not self._depth and tag in _SHEETS:
            self._opened_by, self._depth, self._taken = tag, 1, {}
            if len(self.sheets) == MOST_SHEETS:
                raise ParserFailed("sheets")
            self.sheets.append(_Sheet(said.get("name") or f"表{len(self.sheets) + 1}"))
        elif self._depth and tag == self._opened_by:
            self._depth += 1
        elif self._depth == 1 and tag in _ROWS:
            self._start_row(said)
        elif self._depth == 1 and tag in _CELLS and self.sheets[-1].rows:
            self._start_cell(said)
        elif self._depth == 1 and tag in _COLUMNS:
            self.sheets[-1].hidden_columns += _is_hidden(said) and 1 + _number(said.get("span"), _MOST_COLUMNS)
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._depth and tag == self._opened_by:
            self._depth -= 1
        if not self._depth or (self._depth == 1 and tag in _CELLS | _ROWS):
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(re.sub(r"[\r\n\t]+", " ", data))
        elif self._depth == 1 and self._opened_by == "worksheet" and data.strip() in ("SheetHidden", "SheetVeryHidden"):
            self.sheets[-1].hidden = True

    def unknown_decl(self, data: str) -> None:
        """The text of a CDATA section, in which an XML spreadsheet may hold a cell."""
        if data.startswith("CDATA["):
            self.handle_data(data.removeprefix("CDATA["))

    def close(self) -> None:
        # the page was cut off; besides, the parent class would search for the end again from every "<" that is left
        if self._depth or "<" in self.rawdata:
            raise ParserFailed("damaged")
        super().close()
        self._end_cell()

    def _end_cell(self) -> None:
        if self._cell is not None:
            self.sheets[-1].rows[-1][-1] = "".join(self._cell)
            self._cell = None

    def _start_row(self, said: dict[str, str]) -> None:
        self._end_cell()
        sheet = self.sheets[-1]
        gap = max(_number(said.get("index"), _MOST_ROWS) - len(sheet.rows) - 1, 0)
        sheet.rows.extend([] for _ in range(gap))
        sheet.rows.append([])
        sheet.hidden_rows += _is_hidden(said)
        self._spend(gap + 1)

    def _start_cell(self, said: dict[str, str]) -> None:
        self._end_cell()
        sheet = self.sheets[-1]
        at, row = len(sheet.rows) - 1, sheet.rows[-1]
        wanted = max(_number(said.get("index"), _MOST_COLUMNS) - 1, len(row))
        before = len(row)
        while len(row) < wanted or self._taken.get(len(row), -1) >= at:
            row.append("")
        left = len(row)
        down = max(_number(said.get("rowspan"), _MOST_ROWS) - 1, _number(said.get("mergedown"), _MOST_ROWS), 0)
        across = max(
            _number(said.get("colspan"), _MOST_COLUMNS) - 1, _number(said.get("mergeacross"), _MOST_COLUMNS), 0
        )
        self._spend(left - before + 1 + across)
        if down or across:
            sheet.merged.append((at, left, at + down, left + across))
            self._taken |= dict.fromkeys(range(left, left + across + 1), at + down)
        row.append("")
        self._cell = []

    def _spend(self, cells: int) -> None:
        self._budget -= cells
        if self._budget < 0:
            raise ParserFailed("stretched")


def _is_hidden(said: dict[str, str]) -> bool:
    style = said.get("style", "").lower()
    return bool(_INVISIBLE.search(style)) or said.get("hidden", "0") in ("1", "", "hidden", "true")


def _number(text: str | None, most: int) -> int:
    return min(int(text), most) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
