"""Files → grids: every cell as text, in the place where the spreadsheet program shows it.

A file is what its first bytes say, not what its name says: half of the `.xls` files of a county are something else. Numbers keep
their type only as far as it matters: one that a spreadsheet stored as a float of 16 or more digits has lost its last ones,
so it becomes `5.22401198506153E+17` and the ID cleaner sees the damage.

What foreign libraries say when they fail may quote cells, which are personal data: it is caught here and never shown.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import polars as pl
import python_calamine as calamine

from fupin_cli.errors import BadDataError, DiskError, FupinError, InputMissingError, NoPermissionError
from fupin_cli.ingest.delimited import decode, read_delimited
from fupin_cli.ingest.markup import read_markup
from fupin_cli.ingest.package import PackageNotes, check_package

_LOSSY = 1e15  # a float holds every integer below 2**53, but a spreadsheet keeps 15 digits and pads with noughts
_ZIP, _COMPOUND, _PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1"
_MARKUP = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<head", b"<div", b"<style", b"mime-version")
_MUST_BE_TABLE = "xlsx, xls, ods, csv, tsv, txt, parquet and web pages with tables can be read"


Choice = Callable[[Sequence[str]], Sequence[str]]


class Merge(NamedTuple):
    """A merged range, 0-based and inclusive."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Grid:
    """One sheet as text. Column `c3` is the fourth; row 0 is the first row of the sheet, blank ones included.

    `header` is set where the container itself names its columns (Parquet): then `cells` holds data rows only.
    """

    sheet: str
    cells: pl.DataFrame = field(repr=False)
    merged: tuple[Merge, ...] = ()
    visible: bool = True
    header: tuple[str, ...] | None = None
    notes: PackageNotes = field(default_factory=PackageNotes)


@dataclass(frozen=True)
class Contents:
    """A file after opening: what it really is, how its text was encoded, and its sheets."""

    container: str
    encoding: str | None
    grids: tuple[Grid, ...]


def read_file(name: str, path: Path, only: Choice | None = None) -> Contents:
    """The sheets of a file, opened by content; `name` is what messages call it.

    `only` picks columns by their headers where the container can leave others unread (Parquet); if it picks none, all come.

    Raises InputMissingError, NoPermissionError or DiskError if it cannot be opened, BadDataError if it is empty, damaged,
    locked by a password or no table at all.
    """
    data = _bytes(name, path)
    if not data.strip(b"\x00 \r\n\t\xef\xbb\xbf"):
        raise BadDataError("the file is empty", where=name, try_="ask the department to send it again")
    try:
        return _open(name, data, only)
    except FupinError:
        raise
    except MemoryError:
        raise BadDataError("the file needs more memory than there is", where=name) from None
    except Exception:  # noqa: BLE001 - whatever a parser of untrusted files throws, its text may quote cells
        raise BadDataError(
            "the file cannot be read: it is damaged or not what it seems",
            where=name,
            why="it may have been cut off while it was copied",
            try_="open it in Excel or WPS, save it as .xlsx, and run again",
        ) from None


def _bytes(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputMissingError("no such file", where=name, try_="check files = [...] in fupin.toml") from None
    except IsADirectoryError:
        raise InputMissingError("this is a folder, not a file", where=name) from None
    except PermissionError:
        raise NoPermissionError("not allowed to read this file", where=name) from None
    except OSError as error:
        raise DiskError("reading failed", where=name, why=error.strerror) from None


def _open(name: str, data: bytes, only: Choice | None) -> Contents:
    if data.startswith(_PARQUET):
        return Contents("parquet", None, (_read_parquet(data, only),))
    if data.startswith(_ZIP):
        return _read_workbook(name, data, check_package(name, data))
    if data.startswith(_COMPOUND):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise _locked(name)
        return _read_workbook(name, data, {})
    if data[:512].lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(_MARKUP):
        return _read_page(name, data)
    cells, encoding, kind = read_delimited(name, data)
    return Contents(kind, encoding, (Grid("", _trim(cells)),))


def _locked(name: str) -> BadDataError:
    return BadDataError(
        "the workbook is protected by a password",
        where=name,
        try_="open it with the password, save a copy without one, and run again",
    )


def _read_workbook(name: str, data: bytes, notes: dict[str, PackageNotes]) -> Contents:
    container = {"PK": "xlsx" if notes else "ods"}.get(data[:2].decode("latin-1"), "xls")
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as workbook:
            sheets = [s for s in workbook.sheets_metadata if s.typ == calamine.SheetTypeEnum.WorkSheet]
            grids = tuple(
                _grid(
                    workbook.get_sheet_by_name(sheet.name),
                    visible=sheet.visible == calamine.SheetVisibleEnum.Visible,
                    notes=notes.get(sheet.name, PackageNotes()),
                )
                for sheet in sheets
            )
    except calamine.PasswordError:
        raise _locked(name) from None
    return Contents(container, None, grids)


def _read_page(name: str, data: bytes) -> Contents:
    text, encoding = decode(name, data)
    sheets = read_markup(text.decode("utf-8"))
    if not sheets:
        raise BadDataError(
            "this is a web page without a table",
            where=name,
            why=_MUST_BE_TABLE,
            try_="open it in Excel or WPS, save it as .xlsx, and run again",
        )
    grids = tuple(Grid(s.name, _cells(s.rows), tuple(Merge(*merge) for merge in s.merged)) for s in sheets)
    return Contents("html", encoding, grids)


def _grid(sheet: calamine.CalamineSheet, *, visible: bool, notes: PackageNotes) -> Grid:
    rows = sheet.to_python(skip_empty_area=False)
    merged = tuple(Merge(*first, *last) for first, last in (sheet.merged_cell_ranges or ()))
    return Grid(sheet.name, _cells(rows), merged, visible, notes=notes)


def _cells(rows: Sequence[Sequence[object]]) -> pl.DataFrame:
    """Rows of cells, which may be of different lengths, as columns of text."""
    columns = [
        pl.Series(f"c{n}", [cell if cell.__class__ is str else _text(cell) for cell in column], dtype=pl.String)
        for n, column in enumerate(zip_longest(*rows, fillvalue=""))
    ]
    return _trim(pl.DataFrame(columns).with_columns(_blank_to_null(pl.all()))) if columns else pl.DataFrame()


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
    if abs(number) >= _LOSSY:
        return f"{number:.14E}"
    return str(int(number)) if number == int(number) else repr(number)


def _read_parquet(data: bytes, only: Choice | None) -> Grid:
    scan = pl.scan_parquet(io.BytesIO(data))
    wanted = only(scan.collect_schema().names()) if only else []
    frame = scan.select(wanted or pl.all()).collect()
    cells = frame.select(
        _column_text(pl.col(name), dtype).alias(f"c{n}") for n, (name, dtype) in enumerate(frame.schema.items())
    )
    blank = cells.lazy().select((pl.all().str.strip_chars() == "").any()).collect().row(0, named=True)
    cells = cells.with_columns(_blank_to_null(pl.col(name)) for name, some in blank.items() if some)
    return Grid("", _trim(cells), header=tuple(frame.columns))


def _column_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A typed column as the text that a spreadsheet would show."""
    if dtype.is_float():
        return _float_text(column.cast(pl.Float64))
    if isinstance(dtype, pl.Datetime):
        midnight = column.dt.time() == dt.time()
        return (
            pl.when(midnight).then(column.dt.to_string("%Y-%m-%d")).otherwise(column.dt.to_string("%Y-%m-%d %H:%M:%S"))
        )
    if isinstance(dtype, pl.List):
        return column.cast(pl.List(pl.String)).list.join("、")
    if isinstance(dtype, pl.Struct):
        return column.struct.json_encode()
    return column.cast(pl.String)


def _float_text(column: pl.Expr) -> pl.Expr:
    shortest = column.cast(pl.String).str.replace("e", "E+", literal=True)
    # 15 digits are what a double holds for certain; the rest of a shortest form only looks like digits of the number
    damaged = column.cast(pl.Int128, strict=False).cast(pl.String)
    sign = pl.when(column < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    digits = damaged.str.strip_prefix("-")
    exponent = pl.format(
        "{}{}.{}E+{}", sign, digits.str.slice(0, 1), digits.str.slice(1, 14), digits.str.len_chars() - 1
    )
    whole = column.cast(pl.Int64, strict=False)
    return (
        pl.when(column.is_nan())
        .then(None)
        .when(column.abs() >= _LOSSY)
        .then(exponent)
        .when(column == whole)
        .then(whole.cast(pl.String))
        .otherwise(shortest)
    )


def _blank_to_null(cells: pl.Expr) -> pl.Expr:
    return pl.when(cells.str.strip_chars() != "").then(cells)


def _trim(cells: pl.DataFrame) -> pl.DataFrame:
    """The rows up to the last that holds anything: a sheet's formatted but empty tail is no data."""
    if not cells.width:
        return cells
    filled = cells.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    last = filled.arg_true().max()
    return cells.head(int(last) + 1 if isinstance(last, int) else 0)


def merged_fills(grid: Grid, first: int) -> Iterator[tuple[int, int, int]]:
    """(column, top, bottom) of each merge that runs down through data rows; `first` is the first data row."""
    for merge in grid.merged:
        if merge.bottom > merge.top and merge.top >= first and merge.left < grid.cells.width:
            yield merge.left, merge.top, min(merge.bottom, grid.cells.height - 1)
