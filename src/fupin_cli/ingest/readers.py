"""Files → grids: every cell as text, in the place where the spreadsheet program shows it.

A file is what its first bytes say, not what its name says: half of the `.xls` files of a county are something else. Binary
formats are parsed in a process of their own, beside which the guards of `package` look for damage and for what the parser
would not mention. What foreign libraries say when they fail may quote cells, which are personal data: it is caught here and
never shown.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from fupin_cli.errors import BadDataError, FupinError, Place
from fupin_cli.ingest.archive import Archive
from fupin_cli.ingest.biff import xls_notes
from fupin_cli.ingest.columns import MOST_COLUMNS, trimmed
from fupin_cli.ingest.damage import how_far
from fupin_cli.ingest.delimited import decode, read_delimited
from fupin_cli.ingest.grid import HEAD_ROWS, Grid, Merge, SheetNotes
from fupin_cli.ingest.locked import Ask, is_locked, no_password, unlocked
from fupin_cli.ingest.package import check_package, kind_of, refuse_at_a_glance, unpacked_size
from fupin_cli.ingest.parquet import column_names, read_columns
from fupin_cli.ingest.received import COMPOUND, ZIP, NotATableError, Received
from fupin_cli.ingest.sandbox import MOST_SHEETS, ParsedSheet, ParserFailed, parsing
from fupin_cli.language import later, tr

Choice = Callable[[Sequence[str]], Sequence[str]]
_TEXT_DOCUMENTS = frozenset(("word/document.xml", "ppt/presentation.xml"))
_MIME_BYTES = 200
_OVERLAPS = 4  # careless writers merge the same range twice
_WIDE, _SPARSE = 512, 20  # from so many columns on, one cell in 20 of the first rows must be there
_SAVE_AS = later("open it in Excel or WPS, save it as .xlsx, and run again")


@dataclass(frozen=True)
class Contents:
    """A file after opening: what it really is, how its text was encoded, whether it was locked, and its sheets.

    `others` are files of an archive that are no tables, or that could not be opened as one.
    """

    name: str
    container: str
    encoding: str | None
    grids: tuple[Grid, ...]
    was_locked: bool = False
    others: tuple[str, ...] = ()


def read_file(name: str, path: Path, ask: Ask = no_password, only: Choice | None = None) -> tuple[Contents, ...]:
    """What a file holds, opened by content; an archive gives one entry for each table in it. `name` is what messages say.

    `only` picks columns by their headers where the container can leave others unread (Parquet); if it picks none, all come.

    Raises InputMissingError, NoPermissionError or DiskError if it cannot be opened, BadDataError if it is empty, damaged,
    locked by a password that nobody gave, or no table at all.
    """
    return read_received(Received(name, path), ask, only)


def read_received(file: Received, ask: Ask = no_password, only: Choice | None = None) -> tuple[Contents, ...]:
    """The same for a file that somebody holds already."""
    return tuple(_opened(file, ask, only))


def _refuse_too_wide(contents: Contents) -> Contents:
    """The contents; BadDataError where a sheet is wider than any table of people, or a stray cell makes it so.

    Every column is looked at in a dozen ways: thousands of empty ones would take minutes.
    """
    for grid in contents.grids:
        width, cells = grid.head.width, grid.head.width * grid.head.height
        filled = cells - sum(grid.head.null_count().row(0)) if width > _WIDE else cells
        if width > MOST_COLUMNS or filled * _SPARSE < cells:
            raise BadDataError(
                tr("a stray cell stretches the sheet far beyond its table"),
                where=Place(contents.name, grid.sheet or None),
                why=tr("it has {width:,} columns, and hardly anything in them", width=width),
                try_=tr("copy the table alone into a new workbook and use that"),
            )
    return contents


def _opened(file: Received, ask: Ask, only: Choice | None) -> Iterator[Contents]:
    """The contents of a file, whatever happens inside the libraries that open it."""
    with _guarded(file):
        kind = file.kind()
        if kind == "zip" and _is_archive(file):
            yield from _read_archive(Archive(file, ask), file, ask, only)
        else:
            yield _refuse_too_wide(_read_one(kind, file, ask, only))


@contextmanager
def _guarded(file: Received) -> Iterator[None]:
    """Whatever a library says inside is a BadDataError of ours about the file."""
    try:
        yield
    except FupinError:
        raise
    except MemoryError:
        raise BadDataError(tr("the file needs more memory than there is"), where=file.name) from None
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a parser's panic is no Exception; whatever it says, its text may quote cells
        if type(error).__module__.startswith("fupin_cli"):
            raise  # the boundary's own signals
        raise _damaged(file, "") from None


def _read_one(kind: str, file: Received, ask: Ask, only: Choice | None) -> Contents:
    match kind:
        case "parquet":
            return Contents(file.name, "parquet", None, (_read_parquet(file, only),))
        case "zip" | "compound":
            return _read_workbook(file, ask)
        case "markup" | "mail":
            return _read_markup(kind, file)
        case _:
            grid, encoding, container = read_delimited(file)
            return Contents(file.name, container, encoding, (grid,))


def _is_archive(file: Received) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(file.read())) as package:
            members = package.namelist()
            if _TEXT_DOCUMENTS.intersection(members) or _opendocument_text(package, members):
                raise NotATableError(
                    tr("this is a text document or a presentation, not a table"),
                    where=file.name,
                    try_=tr("copy the table into a workbook and save it as .xlsx"),
                )
            return kind_of(package) is None
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise _damaged(file, how_far(file.read())) from None


def _opendocument_text(package: zipfile.ZipFile, members: Sequence[str]) -> bool:
    """Whether an OpenDocument package says that it is no spreadsheet."""
    if "mimetype" not in members or package.getinfo("mimetype").file_size > _MIME_BYTES:
        return False
    mime = package.read("mimetype")
    return mime.startswith(b"application/vnd.oasis.opendocument.") and b"spreadsheet" not in mime


def _read_archive(archive: Archive, file: Received, ask: Ask, only: Choice | None) -> Iterator[Contents]:
    """The tables of an archive; what is no table is named, and the first table carries those names."""
    found: list[Contents] = []
    for member in archive.tables():
        try:
            if member.read(4) == ZIP and _is_archive(member):
                found += _read_archive(archive.inner(member), member, ask, only)
            else:
                found += _opened(member, ask, only)
        except NotATableError:
            archive.others.append(member.name)
    found = [replace(table, was_locked=table.was_locked or archive.was_locked) for table in found]
    if not found:
        raise BadDataError(
            tr("no table in this archive"),
            where=file.name,
            why=tr("{count} other file(s) in it were not read", count=len(archive.others)),
        )
    yield replace(found[0], others=(*archive.others, *found[0].others))
    yield from found[1:]


# --- workbooks ---------------------------------------------------------------------------------------------------------


def _read_workbook(file: Received, ask: Ask) -> Contents:
    data = file.read()
    refuse_at_a_glance(file.name, data)
    was_locked = data.startswith(COMPOUND) and is_locked(data)
    if was_locked:
        data = unlocked(file.name, data, ask)
        refuse_at_a_glance(file.name, data)
    # the guards' long look at every byte runs beside the parser
    with parsing("workbook", data, unpacked_size(data)) as coming:
        container, notes = (
            check_package(file.name, data) if data.startswith(ZIP) else ("xls", xls_notes(file.name, data))
        )
        try:
            sheets = coming.result()
        except ParserFailed as failure:
            raise _failed(file, data, failure) from None
    grids = tuple(_grid(file, sheet, notes.get(sheet.name, SheetNotes())) for sheet in sheets)
    return Contents(file.name, container, None, grids, was_locked)


def _failed(file: Received, data: bytes, failure: ParserFailed) -> BadDataError:
    match failure.reason:
        case "memory":
            return BadDataError(
                tr("the file needs far more memory than its size explains"),
                where=file.name,
                why=tr("a stray cell may stretch a sheet, or the file was made to harm"),
                try_=tr("copy the table alone into a new workbook and use that"),
            )
        case "time":
            return BadDataError(
                tr("the file takes far longer to read than its size explains"), where=file.name, try_=_SAVE_AS
            )
        case "sheets":
            return BadDataError(
                tr("the file holds more than {most_sheets:,} sheets", most_sheets=MOST_SHEETS),
                where=file.name,
                try_=tr("copy those with people into one workbook and use that"),
            )
        case "stretched":
            return BadDataError(
                tr("a stray cell, or a merged one, stretches the table beyond any real one"),
                where=file.name,
                try_=_SAVE_AS,
            )
        case _:
            return _damaged(file, how_far(data))


def _damaged(file: Received, readable: str | None) -> BadDataError:
    return BadDataError(
        tr("the file cannot be read: it is damaged or not what it seems"),
        where=file.name,
        why=readable or tr("it may have been cut off while it was copied"),
        try_=tr("copy it again from where it came from; or open it in Excel or WPS, save it as .xlsx, and run again"),
    )


def _grid(file: Received, sheet: ParsedSheet, notes: SheetNotes) -> Grid:
    height, width = sheet.cells.shape
    told = (Merge(*merge) for merge in sheet.merged or notes.merged)
    merged = tuple(
        Merge(top, left, min(bottom, height - 1), right)
        for top, left, bottom, right in told
        if top < height and left < width and top <= bottom and left <= right
    )
    # merged ranges do not overlap; each is walked row by row, so thousands over the same rows would take for ever
    covered = sum((m.bottom - m.top + 1) * (min(m.right, width - 1) - m.left + 1) for m in merged)
    if covered > _OVERLAPS * height * width:
        raise _failed(file, b"", ParserFailed("stretched"))
    return Grid.of(sheet.name, sheet.cells, visible=sheet.visible, notes=replace(notes, merged=merged))


# --- web pages, XML spreadsheets, Parquet --------------------------------------------------------------------------------


def _read_markup(kind: str, file: Received) -> Contents:
    text, encoding = decode(file) if kind == "markup" else ("", None)
    data = text.encode("utf-8") if kind == "markup" else file.read()
    try:
        with parsing(kind, data, len(data)) as coming:
            sheets = coming.result()
    except ParserFailed as failure:
        raise _failed(file, data, failure) from None
    if not sheets:
        raise NotATableError(
            tr("this is a web page without a table"),
            where=file.name,
            why=tr("xlsx, xls, xlsb, ods, csv, tsv, txt, parquet and web pages with tables can be read"),
            try_=_SAVE_AS,
        )
    notes = (SheetNotes(*sheet.hidden) for sheet in sheets)
    grids = tuple(_grid(file, sheet, note) for sheet, note in zip(sheets, notes, strict=True))
    return Contents(file.name, "html" if kind == "markup" else "mht", encoding, grids)


def _read_parquet(file: Received, only: Choice | None) -> Grid:
    wanted = parquet_columns(file, only)
    try:
        head, frames = read_columns(file, wanted, HEAD_ROWS)
    except ParserFailed as failure:
        raise _failed(file, b"", failure) from None

    def batches() -> Iterator[pl.DataFrame]:
        with opening_parquet(file):
            yield from trimmed(frames())

    return Grid("", head, batches, header=tuple(wanted))


def parquet_columns(file: Received, only: Choice | None = None) -> Sequence[str]:
    """The columns of a Parquet file that `only` picks; all, where it picks none."""
    with opening_parquet(file):
        names = column_names(file)
    return (only(names) if only else None) or names


@contextmanager
def opening_parquet(file: Received) -> Iterator[None]:
    """Whatever a library says of a Parquet file inside is a BadDataError of ours about it."""
    with _guarded(file):
        try:
            yield
        except ParserFailed as failure:
            raise _failed(file, b"", failure) from None
