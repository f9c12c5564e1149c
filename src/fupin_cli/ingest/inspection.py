"""What an unknown file seems to be: for each sheet the likeliest profile, its header, and how full its columns are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fupin_cli.ingest.headers import Header, find_header, map_columns
from fupin_cli.ingest.profile import SourceProfile
from fupin_cli.ingest.readers import Grid, read_file

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
    hidden: int = 0
    errors: int = 0
    empty_formulas: int = 0


@dataclass(frozen=True)
class FileReport:
    """One file, looked at but not read as data."""

    name: str
    container: str
    encoding: str | None
    sheets: tuple[SheetInspection, ...]


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
    mapping = map_columns(header, profile)
    if not header.paths or not mapping.hits:
        return 0.0
    score = mapping.hits / len(header.paths)
    if mapping.lacks(profile):
        score *= _UNSURE
    if profile.own and not profile.own & mapping.by_field.keys():
        score *= _UNSURE
    hinted = any(word in hint for word in profile.hints)
    return round((1 - _HINT) * score + _HINT * hinted, 4)


def inspect_file(name: str, path: Path, profiles: MappingOf[str, SourceProfile]) -> FileReport:
    """What a file seems to hold; raises the same errors as reading it does, but none for an unknown table."""
    contents = read_file(name, path)
    sheets = tuple(_inspect_sheet(grid, profiles, name) for grid in contents.grids)
    return FileReport(name, contents.container, contents.encoding, sheets)


def guess_sheet(grid: Grid, profiles: MappingOf[str, SourceProfile], name: str) -> list[tuple[str, float]]:
    """(profile, score) of one sheet by falling score; its own title and the file's name count as hints."""
    return [(key, score) for key, score, _ in _guesses(grid, profiles, name)]


def _guesses(grid: Grid, profiles: MappingOf[str, SourceProfile], name: str) -> list[tuple[str, float, Header]]:
    found = []
    for profile in profiles.values() if grid.cells.width else ():
        header = find_header(grid, profile)
        if header is not None:
            hint = f"{name} {grid.sheet} {_title(grid, header)}"
            named = tuple(path for path in header.paths if path)
            score = _score(Header(header.first, header.levels, named), profile, hint)
            if score > 0:
                found.append((profile.name, score, header))
    return sorted(found, key=lambda guess: (-guess[1], guess[0]))


def _inspect_sheet(grid: Grid, profiles: MappingOf[str, SourceProfile], name: str) -> SheetInspection:
    guesses = _guesses(grid, profiles, name)
    plain = SheetInspection(
        grid.sheet,
        grid.visible,
        grid.cells.height,
        hidden=grid.notes.hidden,
        errors=grid.notes.errors,
        empty_formulas=grid.notes.empty_formulas,
    )
    if not guesses:
        return plain
    best, _, header = guesses[0]
    return _described(plain, grid, header, profiles[best], tuple((key, score) for key, score, _ in guesses))


def _described(
    plain: SheetInspection, grid: Grid, header: Header, profile: SourceProfile, guesses: tuple[tuple[str, float], ...]
) -> SheetInspection:
    mapping = map_columns(header, profile)
    meaning = {column: name for name, column in reversed(mapping.columns)}
    data = grid.cells.slice(header.end)
    return dataclasses.replace(
        plain,
        guesses=guesses,
        header_rows=tuple(range(header.first + 1, header.end + 1)),
        columns=tuple(
            ColumnReport(text, meaning.get(n), data.height - series.null_count(), data.height, series)
            for n, (text, series) in enumerate(zip(header.shown, data.get_columns(), strict=True))
        ),
        unmapped=tuple((header.shown[c], near) for c, near in mapping.unmapped),
        missing=mapping.missing,
    )


def _title(grid: Grid, header: Header) -> str:
    """Whatever stands above the header."""
    return " ".join(cell for row in grid.cells.head(header.first).rows() for cell in row if cell)
