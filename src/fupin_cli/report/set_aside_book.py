"""The rows that could not be used, given back to whoever sent them: one workbook per department, ready to be corrected.

The first sheet says what to do and counts every row set aside; then each file and sheet with rows to mend has a sheet of its
own: where each row stood, why it could not be used, how to mend it, and its cells as received under their own headers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath

import polars as pl
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from fupin_cli.language import later, listed_on_paper, on_paper, report_language
from fupin_cli.report import book
from fupin_cli.report.book import (
    LINE_HEIGHT,
    TALLEST,
    Book,
    Styles,
    lines_needed,
    put,
    put_across,
    put_count,
    set_widths,
    text_width,
)
from fupin_cli.report.naming import file_names, sheet_names
from fupin_cli.report.set_aside_rows import Fate, mending_words, with_fate
from fupin_cli.report.wording import reason_words
from fupin_cli.vocabulary import SET_ASIDE

_NOBODY = later("Sender not given")
_TOP = 3  # title, note, header
_MOST_ROWS = 1_048_576 - _TOP  # of one sheet in Excel
_BATCH = 10_000  # rows that are Python objects at a time
_SAMPLE = 200  # rows that tell how wide a column must be
_NARROWEST, _WIDEST = 6, 28
_PAGE = 200  # units that A4 across takes in letters of eight points
_COORDINATES = (
    (later("No."), 5),
    (later("Original file"), 20),
    (later("Original sheet"), 10),
    (later("Original row"), 7),
    (later("Why set aside"), 15),
    (later("How to correct it"), 30),
)
_PLACE = ["source", "sheet"]


@dataclass(frozen=True)
class _Sheet:
    """The rows of one file and sheet that go back, as far as they fit on one sheet of ours; `first` numbers its first row."""

    source: str
    sheet: str | None
    labels: tuple[str, ...]
    rows: pl.DataFrame
    first: int = 1
    name: str = ""

    @property
    def title(self) -> str:
        """The name that our sheet would have if it were the only one."""
        stem = PurePosixPath(self.source).stem
        return f"{stem[: max(8, 30 - len(self.sheet))]}_{self.sheet}" if self.sheet else stem


@report_language()
def write_set_aside_books(
    folder: Path,
    set_aside: pl.DataFrame,
    headers: Mapping[tuple[str, str], tuple[str, ...]],
    owners: Mapping[str, str],
    *,
    as_of: date,
) -> list[Path]:
    """The paths of the workbooks written under the folder, sorted: one for each owner who has rows to mend, none otherwise.

    `set_aside` has the columns of SET_ASIDE; `headers` gives the labels of the columns of a file and sheet, as printed there;
    `owners` says who sent a file, and files of one owner share a workbook. Cells are shown as received, masked nowhere.
    """
    known = SET_ASIDE.conform(set_aside).select(SET_ASIDE.names)
    rows = with_fate(known).filter(pl.col("fate") != Fate.ELSEWHERE)
    # Two extracts that share a sheet set the same rows aside, and each is to be mended once.
    by = [*_PLACE, "row", "set_aside_reason"]
    rows = rows.sort(by, nulls_last=True).unique(by, keep="first", maintain_order=True)
    owner = pl.col("source").replace_strict(dict(owners), default=on_paper(_NOBODY), return_dtype=pl.String)
    rows = rows.with_columns(owner=owner.replace("", on_paper(_NOBODY)))
    asked = rows.filter(pl.col("fate") == Fate.RETURNED)["owner"].unique().sort().to_list()
    paths = []
    for name, safe in zip(asked, file_names(asked), strict=True):
        path = folder / f"{safe}_退回更正_{as_of}.xlsx"
        paths.append(_write_book(path, name, rows.filter(pl.col("owner") == name), headers, as_of))
    return sorted(paths)


def _write_book(
    path: Path, owner: str, rows: pl.DataFrame, headers: Mapping[tuple[str, str], tuple[str, ...]], as_of: date
) -> Path:
    sheets = list(_sheets(rows.filter(pl.col("fate") == Fate.RETURNED), headers))
    names = sheet_names([on_paper("About"), *(sheet.title for sheet in sheets)])[1:]
    sheets = [replace(sheet, name=name) for sheet, name in zip(sheets, names, strict=True)]
    written = Book(on_paper("{owner}: rows to correct", owner=owner), as_of)
    _write_cover(written, owner, rows, sheets, as_of)
    for sheet in sheets:
        _write_sheet(written, sheet)
    return written.save(path)


def _sheets(returned: pl.DataFrame, headers: Mapping[tuple[str, str], tuple[str, ...]]) -> Iterator[_Sheet]:
    for (source, sheet), rows in returned.partition_by(_PLACE, maintain_order=True, as_dict=True).items():
        labels = _labels(headers.get((source, sheet or ""), ()), rows)
        for at in range(0, rows.height, _MOST_ROWS):
            yield _Sheet(source, sheet, labels, rows.slice(at, _MOST_ROWS), at + 1)


def _labels(header: tuple[str, ...], rows: pl.DataFrame) -> tuple[str, ...]:
    """A label for each column that has a header or a value; the column's letter stands in where no header was found."""
    filled = (
        rows.select(cell="cells", at=pl.int_ranges(pl.col("cells").list.len()))
        .explode("cell", "at")
        .filter(pl.col("cell").is_not_null())["at"]
        .max()
    )
    width = max(len(header), 1 + int(filled) if isinstance(filled, int) else 0)
    labels = [*header, *[""] * (width - len(header))]
    return tuple(label.strip() or xl_col_to_name(at) for at, label in enumerate(labels))


def _write_cover(written: Book, owner: str, rows: pl.DataFrame, sheets: list[_Sheet], as_of: date) -> None:
    """The first sheet: what the book is, the rows to mend by file, sheet and reason, and all others that were set aside."""
    sheet, styles = written.sheet(on_paper("About")), written.styles
    set_widths(sheet, _COVER_WIDTHS)
    last = len(_COVER_WIDTHS) - 1
    back = rows.filter(pl.col("fate") == Fate.RETURNED)
    put_across(sheet, 0, 0, last, on_paper("{owner}: returned to be corrected", owner=owner), styles.title)
    about = on_paper(
        "Compared as of {as_of} · rows returned: {height:,} · files: {n_unique:,}",
        as_of=as_of,
        height=back.height,
        n_unique=back["source"].n_unique(),
    )
    put_across(sheet, 1, 0, last, about, styles.subtitle)
    sheet.set_row(0, 34)
    for row, line in enumerate(_HOW_TO, 3):
        book.put_paragraph(sheet, row, last, on_paper(line), styles, width=sum(_COVER_WIDTHS))
    named: dict[tuple[str, str | None], list[str]] = {}
    for ours in sheets:
        named.setdefault((ours.source, ours.sheet), []).append(ours.name)
    row = _write_counts(sheet, styles, 4 + len(_HOW_TO), on_paper("1. Rows to be corrected"), back, named)
    rest = rows.filter(pl.col("fate") != Fate.RETURNED)
    if rest.height:
        _write_counts(
            sheet,
            styles,
            row + 1,
            on_paper("2. Other rows set aside (titles, headers, sums …: nothing to correct, for the count alone)"),
            rest,
            {},
        )
    book.put_footer(sheet, on_paper("{owner}: rows to correct, about", owner=owner))


def _write_counts(
    sheet: Worksheet,
    styles: Styles,
    row: int,
    title: str,
    rows: pl.DataFrame,
    named: Mapping[tuple[str, str | None], list[str]],
) -> int:
    """The row after a table of counts by file, sheet and reason, with their sum; `named` are the sheets that list them."""
    book.put_heading(sheet, row, len(_COVER_WIDTHS) - 1, title, styles)
    for column, header in enumerate(_COVER):
        put(sheet, row + 1, column, on_paper(header), styles.header)
    sheet.set_row(row + 1, LINE_HEIGHT + 8)
    by = [*_PLACE, "set_aside_reason"]
    at = row + 1
    for at, (source, name, reason, count) in enumerate(
        rows.group_by(by).len().sort(by, nulls_last=True).rows(), row + 2
    ):
        where = named.get((source, name), [])
        mend = mending_words(reason) if where else on_paper("nothing to correct")
        words = {
            0: source,
            1: name,
            2: reason_words(reason),
            4: listed_on_paper(where) or "–",
            5: mend,
        }
        for column, value in words.items():
            put(sheet, at, column, value, styles.cell_centre if column in {1, 4} else styles.cell)
        put_count(sheet, at, 3, count, styles.number)
        lines = max(lines_needed(value, _COVER_WIDTHS[column] - 2) for column, value in words.items())
        sheet.set_row(at, LINE_HEIGHT * lines + 6)
    put_across(sheet, at + 1, 0, 2, on_paper("Total"), styles.total)
    put_count(sheet, at + 1, 3, rows.height, styles.number_total)
    put_across(sheet, at + 1, 4, 5, "", styles.total)
    return at + 2


def _write_sheet(written: Book, ours: _Sheet) -> None:
    """A sheet of rows to mend, with the room for corrections in the colour of answers."""
    sheet, styles = written.sheet(ours.name), written.styles
    widths = [width for _, width in _COORDINATES] + _widths(ours)
    set_widths(sheet, widths)
    own, last_column = len(_COORDINATES), len(widths) - 1
    # Neither over the column that every page repeats nor over all of a wide table: it would be cut there.
    put_across(sheet, 0, 1, own - 1, f"{ours.source}　{ours.sheet or ''}".strip("　"), styles.heading)
    put_across(sheet, 1, 1, own - 1, on_paper(_NOTE), styles.note_left)
    for column, (header, _) in enumerate(_COORDINATES):
        put(sheet, _TOP - 1, column, on_paper(header), styles.header)
    for column, label in enumerate(ours.labels, own):
        put(sheet, _TOP - 1, column, label, styles.header_answer)
    last = _write_rows(sheet, styles, ours, widths)
    sheet.set_row(0, 24)
    sheet.set_row(1, 18)
    heads = zip((*(on_paper(header) for header, _ in _COORDINATES), *ours.labels), widths, strict=True)
    sheet.set_row(_TOP - 1, min(TALLEST, LINE_HEIGHT * max(lines_needed(*head) for head in heads) + 8))
    sheet.repeat_rows(_TOP - 1)
    sheet.repeat_columns(0)  # the number leads across the pages of a wide table
    sheet.fit_to_pages(max(1, -(-int(sum(widths)) // _PAGE)), 0)
    sheet.autofilter(_TOP - 1, 0, last, last_column)
    sheet.freeze_panes(_TOP, 4)
    sheet.ignore_errors({"number_stored_as_text": f"A1:{xl_col_to_name(last_column)}{last + 1}"})
    book.put_footer(sheet, on_paper("Rows to correct: {source} {sheet}", source=ours.source, sheet=ours.sheet or ""))


def _write_rows(sheet: Worksheet, styles: Styles, ours: _Sheet, widths: list[float]) -> int:
    """The last row written; every cell is text, also those that are still blank."""
    at, own = _TOP - 1, len(_COORDINATES)
    for batch in ours.rows.iter_slices(_BATCH):
        for row, reason, cells in batch.select("row", "set_aside_reason", "cells").rows():
            at += 1
            number = ours.first + at - _TOP
            where = (number, ours.source, ours.sheet, row, reason_words(reason), mending_words(reason))
            values = (*where, *(cells or ())[: len(ours.labels)])
            for column, value in enumerate(where):
                put(sheet, at, column, value, styles.cell if column in _WORDY else styles.cell_centre)
            for column in range(own, len(widths)):
                put(sheet, at, column, values[column] if column < len(values) else None, styles.answer)
            lines = (lines_needed(value, width) for value, width in zip(values, widths, strict=False))
            sheet.set_row(at, min(TALLEST, LINE_HEIGHT * max(lines) + 6))
    return at


def _widths(ours: _Sheet) -> list[float]:
    """How wide each original column must be for its header and for what the first rows hold."""
    widest = [max(_NARROWEST, min(12, text_width(label))) for label in ours.labels]
    for (cells,) in ours.rows.head(_SAMPLE).select("cells").rows():
        for column, value in enumerate((cells or ())[: len(widest)]):
            widest[column] = max(widest[column], text_width(value or ""))
    return [min(_WIDEST, width) + 1.0 for width in widest]


_WORDY = {1, 4, 5}
_COVER = (
    later("Original file"),
    later("Original sheet"),
    later("Why set aside"),
    later("Rows"),
    later("On sheet"),
    later("How to correct it"),
)
_COVER_WIDTHS = (36, 18, 24, 9, 24, 39)
_NOTE = later(
    "Left: where the row stood, why it was set aside, how to correct it; right: its cells as "
    "received, to be corrected in the yellow cells."
)
_HOW_TO = (
    later(
        "1. These rows lacked the person or the household, or could not be read, and were not "
        "compared; uncorrected they count as not sent."
    ),
    later(
        '2. Correct each as "How to correct it" says: best in the original file, to be sent '
        "again whole; or in the yellow cells of this book, to be sent back with it."
    ),
    later(
        '3. "Original row" is the row\'s number on the original sheet, titles and headers '
        "included. All columns are text: write ID numbers and household IDs as they are."
    ),
    later(
        "4. Where no header was recognised, the letters A, B, C … stand for the columns; please "
        "send again with column names."
    ),
    later(
        "5. This book holds personal data. It goes back to the sender only; do not pass it on, "
        "and store or destroy it as the rules demand."
    ),
)
