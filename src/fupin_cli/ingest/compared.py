"""Any file of people whose profile has [compare]: the columns that it names, as they are compared."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from fupin_cli.errors import BadDataError, Place
from fupin_cli.ingest.compare_section import ComparedField
from fupin_cli.ingest.grid import Grid
from fupin_cli.ingest.headers import header_key
from fupin_cli.ingest.locked import Ask, no_password
from fupin_cli.ingest.people import People
from fupin_cli.ingest.readers import read_file
from fupin_cli.language import tr
from fupin_cli.normalise.compared import clean_compared

_SEARCH_ROWS = 30


def read_compared(path: Path, fields: Sequence[ComparedField], ask: Ask = no_password) -> People:
    """The rows of a file: `keys` has `at`, the 0-based data row, and a cleaned column for each part of each field.

    Sheets are read one after the other; those that have none of the columns are left out. Raises BadDataError, with the nearest
    header, where a sheet has some of the columns and not all.
    """
    wanted = {part: headers for f in fields for part, headers in zip(f.parts, f.headers, strict=True)}
    kinds = {part: f.kind for f in fields for part in f.parts}
    known = {header_key(header) for headers in wanted.values() for header in headers}

    def only(headers: Sequence[str]) -> list[str]:
        return [header for header in headers if header_key(header) in known]

    frames, columns, strangers, offset = [], dict[str, str](), list[str](), 0
    for table in read_file(path.name, path, ask, only=only):
        for grid in table.grids:
            row, headers = _header(grid, known)
            if not any(header_key(header) in known for header in headers):
                continue
            found = _find(headers, wanted, Place(path.name, grid.sheet or None, None if grid.header else row + 1))
            cells = grid.cells()
            cells = cells if grid.header is not None else cells.slice(row + 1)
            cleaned = [clean_compared(pl.col(f"c{at}"), kinds[part]).alias(part) for part, at in found.items()]
            frames.append(cells.lazy().select(pl.int_range(pl.len()).alias("at") + offset, *cleaned).collect())
            offset += cells.height
            columns |= {part: headers[at] for part, at in found.items()}
            strangers += [header for at, header in enumerate(headers) if header and at not in found.values()]
    if not frames:
        raise BadDataError(
            tr("no header row in the first {search_rows} rows", search_rows=_SEARCH_ROWS),
            where=path.name,
            why=tr(
                "looked for {names} ([compare] of the profile)",
                names=", ".join(headers[0] for headers in wanted.values()),
            ),
            try_=tr("fupin inspect {name}", name=path.name),
        )
    return People(pl.concat(frames), None, tuple(columns.items()), tuple(dict.fromkeys(strangers)), declared=True)


def _header(grid: Grid, known: set[str]) -> tuple[int, tuple[str, ...]]:
    """The row (0-based) that has most of the headers, the highest of equals, and its cells."""
    if grid.header is not None:
        return 0, grid.header
    rows = [tuple(cell or "" for cell in row) for row in grid.head.head(_SEARCH_ROWS).rows()]
    hits = [sum(header_key(cell) in known for cell in row) for row in rows]
    best = hits.index(max(hits)) if hits else 0
    return best, rows[best] if rows else ()


def _find(headers: Sequence[str], wanted: Mapping[str, Sequence[str]], where: Place) -> dict[str, int]:
    """Part → column (0-based)."""
    keys = [header_key(header) for header in headers]
    found = {}
    for part, aliases in wanted.items():
        at = next((keys.index(key) for alias in aliases if (key := header_key(alias)) in keys), None)
        if at is None:
            near = difflib.get_close_matches(header_key(aliases[0]), keys, 1)
            hint = tr("; nearest header here: {header}", header=headers[keys.index(near[0])]) if near else ""
            raise BadDataError(
                tr("no column for {part}", part=part),
                where=where,
                why=tr("looked for {aliases} ([compare] of the profile){hint}", aliases=", ".join(aliases), hint=hint),
                try_=tr(
                    "fupin inspect {file}; headers = [...] in the profile says what its columns are called",
                    file=where.file,
                ),
            )
        found[part] = at
    return found
