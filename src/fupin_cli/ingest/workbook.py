"""The sheets of a spreadsheet file → columns of text. Runs in the sandbox's process; it is handed bytes that passed the guards.

Numbers keep their type only as far as it matters: one that a spreadsheet stored as a float of 16 or more digits has lost its
last ones, so it becomes `5.22401198506153E+17` and the ID cleaner sees the damage.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Sequence
from itertools import islice

import polars as pl
import python_calamine as calamine

from fupin_cli.ingest.columns import LOSSY, MOST_COLUMNS, blank_to_null, trim
from fupin_cli.ingest.sandbox import MOST_SHEETS, ParsedSheet, ParserFailed

_ROWS = 50_000  # rows that stand in memory as Python objects at one time


def parse_workbook(data: bytes) -> list[ParsedSheet]:
    """Every worksheet, hidden ones included. Raises ParserFailed for a locked workbook and for one that is damaged."""
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as workbook:
            sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet]
            if len(sheets) > MOST_SHEETS:
                raise ParserFailed("sheets")
            return [
                _parsed(
                    workbook.get_sheet_by_name(sheet.name), visible=sheet.visible == calamine.SheetVisibleEnum.Visible
                )
                for sheet in sheets
            ]
    except calamine.PasswordError:
        raise ParserFailed("password") from None
    except calamine.CalamineError:
        raise ParserFailed("damaged") from None


def _parsed(sheet: calamine.CalamineSheet, *, visible: bool) -> ParsedSheet:
    if sheet.start is not None and sheet.start[1] + sheet.width > MOST_COLUMNS:
        raise ParserFailed("stretched")
    merged = tuple((*first, *last) for first, last in (sheet.merged_cell_ranges or ()))
    frames = list(_frames(sheet))
    cells = pl.concat(frames) if frames else pl.DataFrame()
    return ParsedSheet(sheet.name, visible, merged, trim(cells))


def _frames(sheet: calamine.CalamineSheet) -> Iterator[pl.DataFrame]:
    """The sheet in frames of some thousand rows, from its first row and column on."""
    if sheet.start is None:
        return
    left = sheet.start[1]
    rows = sheet.iter_rows()  # begins with row 0, but with the first column that holds anything
    while block := list(islice(rows, _ROWS)):
        columns = zip(*block, strict=True)
        blank = [pl.repeat(None, len(block), dtype=pl.String, eager=True).alias(f"c{n}") for n in range(left)]
        texts = [_column(f"c{n}", column) for n, column in enumerate(columns, left)]
        yield pl.DataFrame([*blank, *texts]).lazy().with_columns(blank_to_null(pl.all())).collect()


def _column(name: str, cells: Sequence[object]) -> pl.Series:
    texts = [cell if cell.__class__ is str else _text(cell) for cell in cells]
    return pl.Series(name, texts, dtype=pl.String)


def _text(cell: object) -> str:
    """What a reader of the sheet would type for this cell; dates as ISO, damaged long numbers in exponent form."""
    match cell:
        case bool():
            return str(cell).upper()
        case int() | float():
            return _number_text(cell)
        case dt.datetime():
            return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ", "seconds")
        case dt.date() | dt.time():
            return cell.isoformat()
        case _:
            return str(cell)


def _number_text(number: float) -> str:
    if abs(number) >= LOSSY:
        return f"{number:.14E}"
    return str(int(number)) if number == int(number) else repr(number)
