"""An .xlsx book in memory that holds nothing but text and counts, and its way to disk.

What a department wrote stays text: every cell goes through `write_string` in a text format, so that `=1+1` or a web address
is neither a formula nor a link, now or after somebody edits the cell. Two writings of the same content are the same bytes.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from fupin_cli.errors import DiskError, NoPermissionError, OutputError, system_words
from fupin_cli.language import later, on_paper, pick_on_paper, tr
from fupin_cli.report.long_table import Block, Cells, Sheet
from fupin_cli.report.wording import CLUE_NOTE

_A4 = 9  # Excel's code of the paper
FONT = "宋体"  # on every office computer in China, and what official lists are printed in
_NUMBERS = re.compile(r"([0-9A-Za-z]{6,})")  # what is not broken at a line's end
_WORDS = re.compile("[A-Za-z]{3,}")
LINE_HEIGHT = 12  # points that one line of a table takes at 9 points
TALLEST = 400  # points; Excel's limit is 409
_MAX_CELL = 32_000  # Excel refuses 32,768 characters; what is cut says so
_CUT = later(" … (too long, cut here)")
_NAVY, _LINE, _BAND, _AMBER, _CREAM = "#1F3864", "#8EA9C8", "#E8F0F8", "#FFE699", "#FFFDF0"

# darker where there is more; a scale of two colours needs no extension of the format, as data bars do
_SCALE = {"type": "2_color_scale", "min_type": "num", "min_value": 0, "min_color": "#FFFFFF", "max_color": _LINE}


@dataclass(frozen=True)
class Styles:
    """The formats of a book; all cells are text unless the name says number: counts, or plain ones as of rows and weights."""

    title: Format
    subtitle: Format
    heading: Format
    body: Format
    note: Format
    note_left: Format
    group: Format
    group_answer: Format
    header: Format
    header_answer: Format
    cell: Format
    cell_alt: Format
    cell_centre: Format
    cell_centre_alt: Format
    review: Format
    answer: Format
    same: Format
    number: Format
    number_total: Format
    plain_number: Format
    plain_number_alt: Format
    total: Format
    bad: Format
    unsure: Format
    waiting: Format
    sign: Format


class Book:
    """One workbook being written: `sheet` adds a sheet, `save` puts the file where it belongs."""

    def __init__(self, title: str, as_of: date) -> None:
        self._bytes = io.BytesIO()
        # in_memory: the rows of a book never pass through the temp directory.
        self._workbook = Workbook(
            self._bytes,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                # Excel counts a column's width in digits of the default font: with the table's own font one unit is one
                # narrow character, wherever Calibri is missing too.
                "default_format_properties": {"font_name": FONT, "font_size": 9},
                "default_column_width": 56,
            },
        )
        day = datetime.combine(as_of, time(), tzinfo=UTC).replace(tzinfo=None)
        self._workbook.set_properties(
            {"title": title, "author": "fupin", "comments": pick_on_paper(CLUE_NOTE), "created": day}
        )
        self._workbook.set_calc_mode("auto")
        self.styles = _styles(self._workbook)

    def sheet(self, name: str) -> Sheet:
        """A new sheet set up for printing: A4 landscape, one page wide."""
        sheet: Sheet = self._workbook.add_worksheet(name, worksheet_class=Sheet)
        sheet.hide_gridlines(2)
        sheet.set_paper(_A4)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.24, right=0.24, top=0.4, bottom=0.55)
        sheet.center_horizontally()
        return sheet

    def save(self, path: Path, password: str | None = None) -> Path:
        """The path, once the finished book stands there for its owner alone; with a password it was never open on the disk."""
        self._workbook.close()
        content = self._bytes.getvalue()
        return write_private(path, content if password is None else _encrypted(content, password))


def _encrypted(plain: bytes, password: str) -> bytes:
    """The workbook as Excel encrypts it (agile AES): opened with the password by Excel, WPS and LibreOffice."""
    import msoffcrypto  # noqa: PLC0415 - most books are open

    written = io.BytesIO()
    msoffcrypto.OfficeFile(io.BytesIO(plain)).encrypt(password, written)
    return written.getvalue()


def put(sheet: Worksheet, row: int, column: int, value: object, style: Format) -> None:
    """Write one value as text; nothing becomes a blank cell, which still carries its format."""
    text = "" if value is None else str(value)
    if text == "":
        code = sheet.write_blank(row, column, None, style)
    else:
        if len(text) > _MAX_CELL:
            text = text[:_MAX_CELL] + on_paper(_CUT)
        code = sheet.write_string(row, column, text, style)
    check(code, sheet)


def put_long_table(sheet: Sheet, first: int, columns: Sequence[Cells], heights: pl.Series) -> int:
    """The last row of a table that begins at the `first`, with texts as text and counts as numbers; rows have these heights.

    What `put` and `put_count` would write, in a tenth of their time; a table of a few dozen rows is written faster by them.
    """
    if not len(heights):
        return first - 1
    whole = tuple(replace(column, values=_shortened(column.values)) for column in columns)
    check(sheet.add_block(Block(first, whole, heights)), sheet)
    return first + len(heights) - 1


def _shortened(values: pl.Series) -> pl.Series:
    """Texts of a length that Excel takes, and no text where there is nothing in it."""
    if values.dtype != pl.String:
        return values
    text = pl.col(values.name)
    short = pl.when(text.str.len_chars() <= _MAX_CELL).then(text)
    cut = text.str.slice(0, _MAX_CELL) + pl.lit(on_paper(_CUT))
    return values.to_frame().select(pl.when(text != "").then(pl.coalesce(short, cut))).to_series()


def put_count(sheet: Worksheet, row: int, column: int, count: float, style: Format) -> None:
    """Write one count, or another number that people sort and reckon with, as a number."""
    check(sheet.write_number(row, column, count, style), sheet)


def put_formula(sheet: Worksheet, row: int, column: int, formula: str, now: int, style: Format) -> None:
    """Write a count of our own that follows what people type; `now` is what it comes to before anybody has."""
    check(sheet.write_formula(row, column, formula, style, now), sheet)


def put_across(sheet: Worksheet, row: int, first: int, last: int, text: str, style: Format) -> None:
    """Write one text over several cells of a row."""
    if last > first:
        check(sheet.merge_range(row, first, row, last, "", style), sheet)
    put(sheet, row, first, text, style)


def put_heading(sheet: Worksheet, row: int, last: int, text: str, styles: Styles) -> None:
    """Write a heading over the columns of a cover, with the room it needs."""
    put_across(sheet, row, 0, last, text, styles.heading)
    sheet.set_row(row, 26)


def put_paragraph(sheet: Worksheet, row: int, last: int, text: str, styles: Styles, width: float) -> None:
    """Write a paragraph over the columns of a cover, which together have the given width."""
    put_across(sheet, row, 0, last, text, styles.body)
    sheet.set_row(row, 17 * lines_needed(text, width * 9 / 11) + 4)  # set in 11 points, not 9


def put_table_top(
    sheet: Worksheet,
    styles: Styles,
    title: str,
    columns: Sequence[tuple[str, float]],
    note: str | None = None,
    printed: int | None = None,
) -> None:
    """Write title, note (that of clues, unless there is another) and header row: the frame that every table has.

    Title and note stand over the `printed` columns, all if not told.
    """
    over = (printed or len(columns)) - 1
    columns = [
        (said, max(width, _longest_word(said))) for said, width in ((on_paper(h), width) for h, width in columns)
    ]
    note = pick_on_paper(CLUE_NOTE) if note is None else note
    set_widths(sheet, [width for _, width in columns])
    put_across(sheet, 0, 0, over, title, styles.title)
    if note:
        put_across(sheet, 1, 0, over, note, styles.note)
    for column, (header, _) in enumerate(columns):
        put(sheet, 2, column, header, styles.header)
    sheet.set_row(0, 32)
    sheet.set_row(1, 18)
    sheet.set_row(2, LINE_HEIGHT * max(lines_needed(header, width) for header, width in columns) + 8)
    sheet.repeat_rows(2)


def _longest_word(header: str) -> float:
    """The width that lets no word of Latin letters be broken in a header, which is bold."""
    return max((1.2 * len(word) + 1 for word in _WORDS.findall(header)), default=0)


def finish_table(sheet: Worksheet, last: int, last_column: int, name: str) -> None:
    """Let a table be filtered, and name it at the foot of its pages."""
    sheet.autofilter(2, 0, last, last_column)
    sheet.ignore_errors({"number_stored_as_text": f"A1:{xl_col_to_name(last_column)}{last + 1}"})
    put_footer(sheet, name)


def set_widths(sheet: Worksheet, widths: Sequence[float]) -> None:
    """Set the widths of the first columns."""
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)


def put_legend(
    sheet: Worksheet, row: int, last: int, samples: Sequence[tuple[str, Format, str]], styles: Styles
) -> int:
    """The row after a list of colours: a cell that looks like it, with its word, and beside it what it means."""
    put_heading(sheet, row, last, on_paper("Colours"), styles)
    for at, (word, style, meaning) in enumerate(samples, row + 1):
        put(sheet, at, 0, word, style)
        put_across(sheet, at, 1, last, meaning, styles.cell)
        sheet.set_row(at, LINE_HEIGHT + 6)
    return row + 1 + len(samples)


def mark_counts(sheet: Worksheet, first: int, last: int, total: int, review: int, styles: Styles) -> None:
    """Totals darker where there is more, and amber where anything waits for a person; both follow what is typed."""
    check(sheet.conditional_format(first, total, last, total, _SCALE), sheet)
    amber = {"type": "cell", "criteria": ">", "value": 0, "format": styles.waiting}
    check(sheet.conditional_format(first, review, last, review, amber), sheet)


def put_footer(sheet: Worksheet, left: str) -> None:
    """Page x of y at the foot of every printed page, with the place's name at its left."""
    # XlsxWriter drops a footer of more than 255 characters, so the name is cut well before.
    sheet.set_footer(on_paper("&L&9{value}&C&9Page &P of &N", value=left.replace("&", "&&")[:120]))


def text_width(text: str) -> int:
    """How many narrow columns the text needs: a Chinese character takes two."""
    return (len(text.encode()) + len(text)) // 2


def lines_needed(value: object, width: float) -> int:
    """How many lines the text takes in a table column of that width, so that no printed row is cut."""
    text, room = "" if value is None else str(value), max(1, int(width))
    if 2 * len(text) <= room and "\n" not in text:
        return 1
    return sum(_wrapped(line, room) for line in text.split("\n"))


def lines_of(values: pl.Series, width: float) -> pl.Series:
    """`lines_needed` of a whole column: texts that plainly fit on one line are not looked at one by one."""
    texts = values.cast(pl.String)
    long = ((texts.str.len_chars() * 2 > int(width)) | texts.str.contains("\n", literal=True)).fill_null(value=False)
    unique = texts.filter(long).unique()
    needed = pl.Series([lines_needed(text, width) for text in unique], dtype=pl.Int64)
    return texts.replace_strict(unique, needed, default=1)


def row_heights(columns: Sequence[pl.Series], widths: Sequence[float]) -> pl.Series:
    """The points that each row of a long table needs for the fullest of its cells."""
    lines = [
        lines_of(values, width).alias(str(n)) for n, (values, width) in enumerate(zip(columns, widths, strict=True))
    ]
    most = pl.DataFrame(lines).select(pl.max_horizontal(pl.all())).to_series()
    return (most * LINE_HEIGHT + 4).clip(upper_bound=TALLEST)


def _wrapped(line: str, room: int) -> int:
    """The lines that one line of text becomes: Chinese breaks anywhere, a number only where it is longer than a line."""
    if text_width(line) <= room:
        return 1
    lines, filled = 1, 0
    for nth, piece in enumerate(_NUMBERS.split(line)):
        wide = text_width(piece)
        if nth % 2 and filled + wide > room and filled:
            lines, filled = lines + 1, 0
        full = max(filled + wide - 1, 0) // room
        lines, filled = lines + full, filled + wide - full * room
    return lines


def write_private(path: Path, content: bytes) -> Path:
    """The path, once a new file there holds the content and only its owner may read it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(path, "wb", opener=_private) as file:
            path.chmod(0o600)  # a file that was there before keeps its old mode until told otherwise
            file.write(content)
    except PermissionError:
        raise NoPermissionError(
            tr("this file may not be written"), where=str(path), try_=tr("ls -ld ") + str(path.parent)
        ) from None
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise OutputError(
            tr("the folder for this file cannot be made"), where=str(path), try_=tr("fupin run -o DIR")
        ) from None
    except OSError as error:
        why = system_words(error.errno)
        raise DiskError(
            tr("writing failed part-way"), where=str(path), why=why, try_=tr("df -h ") + str(path.parent)
        ) from None
    return path


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def check(code: Any, sheet: Worksheet) -> None:
    """Refuse the negative code with which XlsxWriter answers a limit and goes on; a lost cell must not go on."""
    if isinstance(code, int) and code < 0:
        raise OutputError(
            tr("a workbook reached a limit of Excel"),
            where=tr("sheet {name}", name=sheet.name),
            why=tr("a sheet holds at most 1,048,576 rows"),
            try_=tr("run counties apart, with one fupin.toml each"),
        )


def _styles(workbook: Workbook) -> Styles:
    base = {"font_name": FONT, "font_size": 9, "valign": "vcenter", "text_wrap": True, "num_format": "@"}
    boxed = {**base, "border": 1, "border_color": _LINE}
    head = {**boxed, "bold": True, "align": "center", "font_color": "#FFFFFF", "bg_color": _NAVY}
    looks: dict[str, dict[str, Any]] = {
        "title": {**base, "font_size": 18, "bold": True, "align": "center", "font_color": _NAVY},
        "subtitle": {**base, "font_size": 11, "align": "center", "font_color": "#404040"},
        "heading": {**base, "font_size": 12, "bold": True, "font_color": _NAVY},
        "body": {**base, "font_size": 11, "valign": "top"},
        "note": {**base, "font_size": 11, "bold": True, "font_color": "#9C2A00", "align": "center"},
        "note_left": {**base, "bold": True, "font_color": "#9C2A00"},
        "group": {**boxed, "bold": True, "align": "center", "bg_color": "#D6E0EE", "font_color": _NAVY},
        "group_answer": {**boxed, "bold": True, "align": "center", "bg_color": "#FFF2CC", "font_color": "#7F6000"},
        "header": head,
        "header_answer": {**head, "bg_color": "#7F6000"},
        "cell": boxed,
        "cell_alt": {**boxed, "bg_color": _BAND},
        "cell_centre": {**boxed, "align": "center"},
        "cell_centre_alt": {**boxed, "align": "center", "bg_color": _BAND},
        "review": {**boxed, "align": "center", "bold": True, "bg_color": _AMBER, "font_color": "#7F3F00"},
        "answer": {**boxed, "bg_color": _CREAM, "locked": False},
        "same": {**boxed, "align": "center", "font_color": "#8C8C8C"},
        "number": {**boxed, "num_format": '#,##0;-#,##0;"–"', "align": "center"},
        "number_total": {
            **boxed,
            "num_format": '#,##0;-#,##0;"–"',
            "align": "center",
            "bold": True,
            "bg_color": "#D6E0EE",
        },
        "plain_number": {**boxed, "num_format": "General", "align": "center"},
        "plain_number_alt": {**boxed, "num_format": "General", "align": "center", "bg_color": _BAND},
        "total": {**boxed, "bold": True, "align": "center", "bg_color": "#D6E0EE"},
        "bad": {**boxed, "align": "center", "bold": True, "font_color": "#9C2A00", "bg_color": "#FBE5D6"},
        "unsure": {**boxed, "align": "center", "font_color": "#595959", "bg_color": "#EDEDED"},
        "waiting": {"bold": True, "bg_color": _AMBER, "font_color": "#7F3F00"},
        "sign": {**base, "font_size": 10, "valign": "bottom", "text_wrap": False},
    }
    return Styles(**{field.name: workbook.add_format(looks[field.name]) for field in fields(Styles)})
