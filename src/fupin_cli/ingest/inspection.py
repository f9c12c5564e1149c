"""What an unknown file seems to be: for each sheet the likeliest profile, its header, and how full its columns are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fupin_cli.ingest.grid import Grid, SheetNotes
from fupin_cli.ingest.headers import Header, find_header, map_columns
from fupin_cli.ingest.locked import Ask, no_password
from fupin_cli.ingest.profile import SourceProfile
from fupin_cli.ingest.readers import read_file
from fupin_cli.ingest.rows import classify
from fupin_cli.ingest.sheets import fill_merged

_HINT = 0.1  # what a title is worth: it decides between tables that look alike, and no more
_UNSURE = 0.5  # what a profile keeps of its score if a required column is absent, or if only identity fields fit


@dataclass(frozen=True)
class ColumnReport:
    """One column: its header as printed, the field it means, how full it is; `cells` are as received, so never print them."""

    header: str
    field: str | None
    filled: int
    rows: int
    cells: pl.Series = dataclasses.field(repr=False, compare=False)


@dataclass(frozen=True)
class SheetInspection:
    """One sheet. `guesses` are ranked; the columns are mapped by the first. No guess means no header was found."""

    sheet: str
    visible: bool
    rows: int
    guesses: tuple[tuple[str, float], ...] = ()
    header_rows: tuple[int, ...] = ()
    columns: tuple[ColumnReport, ...] = ()
    unmapped: tuple[tuple[str, str | None], ...] = ()
    missing: tuple[str, ...] = ()
    set_aside: tuple[tuple[str, int], ...] = ()
    head: pl.DataFrame = dataclasses.field(default_factory=pl.DataFrame, repr=False, compare=False)
    notes: SheetNotes = dataclasses.field(default_factory=SheetNotes)


@dataclass(frozen=True)
class FileReport:
    """One file (or one table of an archive), looked at but not read as data; `others` are files that are no tables."""

    name: str
    container: str
    encoding: str | None
    sheets: tuple[SheetInspection, ...]
    was_locked: bool = False
    others: tuple[str, ...] = ()


def guess_profile(
    headers: Sequence[str], profiles: MappingOf[str, SourceProfile], hint: str = ""
) -> list[tuple[str, float]]:
    """(profile, score) by falling score from 0 to 1: the share of headers that the profile explains.

    Half of the score is lost where a required column is absent, or where nothing but who the person is fits. `hint` is a
    title or file name; profiles whose `hints` it contains win against their like.
    """
    paths = tuple((header,) for header in headers if header)
    ranked = [(name, _score(Header(0, 1, paths), profile, hint)) for name, profile in profiles.items()]
    return sorted(((name, score) for name, score in ranked if score > 0), key=lambda guess: (-guess[1], guess[0]))


def _score(header: Header, profile: SourceProfile, hint: str) -> float:
    mapping = map_columns(header, profile, suggest=False)
    if not header.paths or not mapping.hits:
        return 0.0
    score = mapping.hits / len(header.paths)
    if mapping.lacks(profile):
        score *= _UNSURE
    if profile.own and not profile.own & mapping.by_field.keys():
        score *= _UNSURE
    hinted = any(word in hint for word in profile.hints)
    return round((1 - _HINT) * score + _HINT * hinted, 4)


def inspect_file(
    name: str, path: Path, profiles: MappingOf[str, SourceProfile], ask: Ask = no_password, *, head: int = 0
) -> tuple[FileReport, ...]:
    """What a file seems to hold, an archive each of its tables; the errors of reading, but none for an unknown table.

    `head` asks for so many first rows of each sheet, as received.
    """
    return tuple(
        FileReport(
            table.name,
            table.container,
            table.encoding,
            tuple(_inspect_sheet(grid, profiles, table.name, head) for grid in table.grids),
            table.was_locked,
            table.others,
        )
        for table in read_file(name, path, ask)
    )


def guess_sheet(grid: Grid, profiles: MappingOf[str, SourceProfile], name: str) -> list[tuple[str, float]]:
    """(profile, score) of one sheet by falling score; its own title and the file's name count as hints."""
    return [(key, score) for key, score, _ in _guesses(grid, profiles, name)]


def _guesses(grid: Grid, profiles: MappingOf[str, SourceProfile], name: str) -> list[tuple[str, float, Header]]:
    found = []
    for profile in profiles.values() if grid.head.width else ():
        header = find_header(grid, profile)
        if header is not None:
            hint = f"{name} {grid.sheet} {_title(grid, header)}"
            named = tuple(path for path in header.paths if path)
            score = _score(Header(header.first, header.levels, named), profile, hint)
            if score > 0:
                found.append((profile.name, score, header))
    return sorted(found, key=lambda guess: (-guess[1], guess[0]))


def _inspect_sheet(grid: Grid, profiles: MappingOf[str, SourceProfile], name: str, head: int) -> SheetInspection:
    guesses = _guesses(grid, profiles, name)
    cells = grid.cells()
    plain = SheetInspection(grid.sheet, grid.visible, cells.height, notes=grid.notes, head=cells.head(head))
    if not guesses:
        return plain
    best, _, header = guesses[0]
    return _described(plain, grid, cells, header, profiles[best], tuple((key, score) for key, score, _ in guesses))


def _described(
    plain: SheetInspection,
    grid: Grid,
    cells: pl.DataFrame,
    header: Header,
    profile: SourceProfile,
    guesses: tuple[tuple[str, float], ...],
) -> SheetInspection:
    mapping = map_columns(header, profile)
    cells = fill_merged(grid, cells, header.end)
    # a table without its required columns would be refused: there is no telling which of its rows are people
    reasons = None if mapping.lacks(profile) else classify(cells, grid, header, mapping, profile)
    meaning = {column: name for name, column in reversed(mapping.columns)}
    data = cells.slice(header.end) if reasons is None else cells.filter(reasons.is_null())
    return dataclasses.replace(
        plain,
        guesses=guesses,
        header_rows=tuple(range(header.first + 1, header.end + 1)),
        columns=tuple(
            ColumnReport(text, meaning.get(n), data.height - series.null_count(), data.height, series)
            for n, (text, series) in enumerate(zip(header.shown, data.get_columns(), strict=False))
        ),
        unmapped=tuple((header.shown[c], near) for c, near in mapping.unmapped),
        missing=mapping.missing,
        set_aside=tuple(sorted(reasons.drop_nulls().value_counts().rows())) if reasons is not None else (),
    )


def _title(grid: Grid, header: Header) -> str:
    """Whatever stands above the header."""
    return " ".join(cell for row in grid.head.head(header.first).rows() for cell in row if cell)
