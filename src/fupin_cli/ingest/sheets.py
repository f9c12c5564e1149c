"""One sheet → typed rows of people, the rows set aside with their reasons, and a report of how it was read.

A sheet is read batch by batch, so that a file of any size passes through little memory; each batch balances: rows read = rows
used + rows set aside, and a breach stops the run as a bug.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

import polars as pl

from fupin_cli.errors import BadDataError, FupinError, Place
from fupin_cli.ingest.cells import Counts, Doubt, first_rows, type_cells
from fupin_cli.ingest.grid import Grid, ahead, numbered
from fupin_cli.ingest.headers import Header, Mapping, find_header, map_columns, nearest_field, unit_above
from fupin_cli.ingest.mentioned import loose_columns, numbers_in, without_number
from fupin_cli.ingest.people_of_row import NTH, Further, every_person
from fupin_cli.ingest.profile import Field, SourceProfile
from fupin_cli.ingest.rows import classify, count_people
from fupin_cli.ingest.sheet_report import SheetReport
from fupin_cli.language import tr
from fupin_cli.vocabulary import SET_ASIDE, SOURCE_REF

_LIMITS = (65_536, 1_048_576)  # rows of a sheet in .xls and .xlsx: a table that ends exactly there was probably cut


Kept = pl.DataFrame | Path  # rows in memory, or in a file of the store
Keep = Callable[[pl.DataFrame], Kept]


def in_memory(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame itself: a Keep that stores nothing."""
    return frame


@dataclass(frozen=True)
class Part:
    """What became of one sheet. `data_rows` is how many rows stand below the header; `mentioned` is SourceTable's."""

    report: SheetReport
    rows: tuple[Kept, ...] = field(default=(), repr=False)
    set_aside: tuple[Kept, ...] = field(default=(), repr=False)
    mentioned: tuple[Kept, ...] = field(default=(), repr=False)
    data_rows: int = 0
    counts: Counts = field(default_factory=Counts, repr=False)
    problem: BadDataError | None = None


@dataclass(frozen=True)
class Table:
    """Where the table of a sheet begins and what its columns mean; `tells_kind` if more than who somebody is."""

    header: Header
    mapping: Mapping
    tells_kind: bool


def no_rows(profile: SourceProfile) -> pl.DataFrame:
    """The columns of a source's rows: SOURCE_REF, NTH, name and ID number, then the fields as declared."""
    fields = sorted(profile.fields, key=lambda f: ("name_raw", "id_raw", f.column).index(f.column))
    return pl.DataFrame(schema=SOURCE_REF.schema | {NTH: pl.Int64} | {f.column: f.dtype for f in fields})


def find_table(grid: Grid, profile: SourceProfile) -> Table | None:
    """The table of a sheet, or None where no header of people was found."""
    header = find_header(grid, profile) if grid.head.width and (grid.head.height or grid.header) else None
    if header is None:
        return None
    mapping = map_columns(header, profile)
    return Table(header, mapping, bool(profile.own & mapping.by_field.keys()))


def read_sheets(
    name: str,
    grids: Sequence[Grid],
    profile: SourceProfile,
    doubt: Doubt,
    sheets: Sequence[str] = (),
    keep: Keep = in_memory,
) -> list[Part]:
    """The sheets of one file; `sheets` are globs of those that are wanted, `keep` says where their rows go.

    Raises BadDataError where the sheet that is meant lacks a required column.
    """
    tables = [find_table(grid, profile) for grid in grids]
    kind_seen = any(table.tells_kind for table in tables if table)
    return [
        _whole_sheet_aside(name, grid, "sheet_not_asked", keep)
        if sheets and not any(fnmatchcase(grid.sheet, pattern) for pattern in sheets)
        else _read_sheet(name, grid, table, profile, doubt, keep, kind_seen=kind_seen)
        for grid, table in zip(grids, tables, strict=True)
    ]


def no_table(name: str, parts: Sequence[Part], profile: SourceProfile, sheets: Sequence[str]) -> BadDataError | None:
    """The error that no sheet of a file has a header that the profile knows; None where one has."""
    if any(part.report.columns for part in parts):
        return None
    problems = [part.problem for part in parts if part.problem]
    return problems[0] if problems else _no_header(name, [part.report for part in parts], profile, sheets)


def _read_sheet(
    name: str,
    grid: Grid,
    table: Table | None,
    profile: SourceProfile,
    doubt: Doubt,
    keep: Keep,
    *,
    kind_seen: bool,
) -> Part:
    """The rows of one sheet; `kind_seen` if some sheet of the file is surely of the profile's kind."""
    if table is None:
        return _whole_sheet_aside(name, grid, "not_a_table" if grid.visible else "hidden_sheet", keep, unread=True)
    header, mapping = table.header, table.mapping
    if kind_seen and not table.tells_kind:
        return _whole_sheet_aside(name, grid, "not_a_table", keep, other_table=True)
    if lacking := mapping.lacks(profile):
        problem = _missing_column(name, grid, header, mapping, lacking[0], profile)
        if 2 * len(lacking) <= len(profile.required) and grid.visible:
            raise problem
        # hardly anything fits: another kind of table beside the one that is meant, unless the file has no better sheet
        return replace(_whole_sheet_aside(name, grid, "not_a_table", keep, other_table=True), problem=problem)
    unit = unit_above(grid, header)
    counts, rows, aside, mentioned, read, used = Counts(), [], [], [], 0, 0
    batch_others: list[int] = []
    # three batches are under way at a time: one is parsed, one is understood, one is stored
    parsed = ahead(numbered(grid.batches()))
    for batch in ahead(_read_batch(name, grid, cells, table, profile, unit, doubt, at=at) for at, cells in parsed):
        rows.append(keep(batch.rows))
        if batch.set_aside.height:
            aside.append(keep(batch.set_aside))
        if batch.mentioned.height:
            mentioned.append(keep(batch.mentioned))
        counts.update(batch.counts)
        batch_others.append(int((batch.set_aside["set_aside_reason"] == "other_header").sum()))
        read, used = read + batch.read, used + batch.used
    lost = counts["lost_digits", "id_number"] + counts["float_ids", "id_number"]
    if lost and lost * 2 >= counts["_ids", ""]:
        counts["numeric_id_column", "id_number"] = lost
        counts.pop(("lost_digits", "id_number"), None)
    others = sum(batch_others)
    report = replace(
        _described(name, grid, header, mapping),
        other_headers=others,
        rows_read=read,
        rows_used=used,
        counts=tuple((kind, f, n) for (kind, f), n in sorted(counts.items()) if n and not kind.startswith("_")),
        odd_dates=first_rows(counts),
        likely_cut=grid.notes.cut or (grid.header is None and read in _LIMITS),
        only_identity=bool(profile.own) and not table.tells_kind,
    )
    return Part(report, tuple(rows), tuple(aside), tuple(mentioned), read - header.end, counts)


def _described(name: str, grid: Grid, header: Header, mapping: Mapping) -> SheetReport:
    """The part of a sheet's report that its header and its notes tell."""
    return SheetReport(
        source=name,
        sheet=grid.sheet,
        rows_read=0,
        rows_used=0,
        header_rows=tuple(range(header.first + 1, header.end + 1)),
        headers=header.shown,
        columns=tuple((f, header.shown[c]) for f, c in mapping.columns),
        duplicates=tuple((f, header.shown[c]) for f, c in mapping.duplicates),
        unmapped=tuple((header.shown[c], near) for c, near in mapping.unmapped),
        missing=mapping.missing,
        visible=grid.visible,
        hidden_rows=grid.notes.hidden_rows,
        hidden_columns=grid.notes.hidden_columns,
        errors=grid.notes.errors,
        empty_formulas=grid.notes.empty_formulas,
    )


@dataclass(frozen=True)
class _Batch:
    rows: pl.DataFrame = field(repr=False)
    set_aside: pl.DataFrame = field(repr=False)
    mentioned: pl.DataFrame = field(repr=False)
    read: int
    used: int
    counts: Counts


def _read_batch(
    name: str,
    grid: Grid,
    cells: pl.DataFrame,
    table: Table,
    profile: SourceProfile,
    unit: str | None,
    doubt: Doubt,
    *,
    at: int,
) -> _Batch:
    """The rows of a batch whose first row is row `at` of the sheet (0-based)."""
    header, mapping = table.header, table.mapping
    cells = fill_merged(grid, cells, header.end) if at == 0 else cells
    reasons = classify(cells, grid, header, mapping, profile, at)
    numbered = cells.with_row_index("_at", at)
    used = numbered.filter(reasons.is_null()) if reasons.null_count() < cells.height else numbered
    values, counts = type_cells(used, header, mapping, profile, unit, doubt)
    nobody = pl.repeat(None, used.height, dtype=pl.String, eager=True)
    further = [
        Further(profile.also[n], *(nobody if c is None else used.to_series(c + 1) for c in columns))
        for n, *columns in mapping.also
    ]
    first = profile.also[mapping.first].set if mapping.first is not None else ()
    people, several = every_person(values, profile, further, first)
    counts["several_people", ""] += several
    rows = people.with_columns(
        pl.lit(name).alias("source"),
        pl.lit(grid.sheet).alias("sheet"),
        (pl.col("_at").cast(pl.Int64) + 1).alias("row"),
        (pl.col("_at").cast(pl.Int64) - header.end).alias("data_row"),
    ).select(no_rows(profile).columns)
    aside = _set_aside(name, grid.sheet, numbered, reasons)
    if used.height + aside.height != cells.height:
        raise FupinError(tr("rows were lost while reading: this is a bug in fupin"), where=Place(name, grid.sheet))
    strangers = used.select(f"c{c}" for c in loose_columns(mapping) if f"c{c}" in used.columns)
    mentioned = numbers_in(numbered.filter(reasons.is_not_null()).drop("_at"), without_number(used, mapping), strangers)
    return _Batch(rows, aside, mentioned, cells.height, used.height, counts)


def _whole_sheet_aside(
    name: str, grid: Grid, reason: str, keep: Keep, *, other_table: bool = False, unread: bool = False
) -> Part:
    aside, mentioned, people, read = [], [], 0, 0
    for at, cells in numbered(grid.batches()):
        reasons = pl.Series("reason", [reason], dtype=pl.String).new_from_index(0, cells.height)
        aside.append(keep(_set_aside(name, grid.sheet, cells.with_row_index("_at", at), reasons)))
        people += count_people(cells) if unread else 0
        if reason != "sheet_not_asked" and (found := numbers_in(cells)).height:
            mentioned.append(keep(found))
        read = at + cells.height
    report = SheetReport(
        name,
        grid.sheet,
        rows_read=read,
        rows_used=0,
        visible=grid.visible,
        hidden_rows=grid.notes.hidden_rows,
        hidden_columns=grid.notes.hidden_columns,
        other_table=other_table,
        not_asked=reason == "sheet_not_asked",
        people_unread=people,
    )
    return Part(report, set_aside=tuple(aside), mentioned=tuple(mentioned))


def _set_aside(name: str, sheet: str, numbered: pl.DataFrame, reasons: pl.Series) -> pl.DataFrame:
    columns = [column for column in numbered.columns if column != "_at"]
    if not numbered.height or reasons.null_count() == numbered.height:
        return SET_ASIDE.empty()
    return (
        numbered.with_columns(reasons.alias("set_aside_reason"))
        .filter(pl.col("set_aside_reason").is_not_null())
        .select(
            pl.lit(name).alias("source"),
            pl.lit(sheet).alias("sheet"),
            (pl.col("_at").cast(pl.Int64) + 1).alias("row"),
            "set_aside_reason",
            pl.concat_list(columns).alias("cells"),
        )
    )


def fill_merged(grid: Grid, cells: pl.DataFrame, first: int) -> pl.DataFrame:
    """The cells with each value that is merged down over several data rows repeated in them, and nowhere else."""
    wanted: dict[int, list[tuple[int, int]]] = {}
    for merge in grid.merged:
        if merge.bottom > merge.top and merge.top >= first and merge.left < cells.width:
            wanted.setdefault(merge.left, []).append((merge.top, min(merge.bottom, cells.height - 1)))
    filled = []
    for column, spans in sorted(wanted.items()):
        rows = [row for top, bottom in spans for row in range(top + 1, bottom + 1)]
        origin = [top for top, bottom in spans for _ in range(top + 1, bottom + 1)]
        series = cells.to_series(column)
        filled.append(series.clone().scatter(rows, series.gather(origin)) if rows else series)
    return cells.with_columns(filled)


def _names(fields: Sequence[str], profile: SourceProfile) -> str:
    return "、".join(profile.field(name).zh for name in fields)


def _no_header(
    name: str, reports: Sequence[SheetReport], profile: SourceProfile, sheets: Sequence[str]
) -> BadDataError:
    if sheets and all(report.not_asked for report in reports):
        return BadDataError(
            tr("no sheet is called {sheets}", sheets=tr(" or ").join(sheets)),
            where=name,
            why=tr("sheets here: {names}", names="、".join(report.sheet for report in reports)),
            try_=tr("correct sheets = [...] in fupin.toml"),
        )
    wanted = tr(" and ").join(_names(entry.split("|"), profile).replace("、", tr(" or ")) for entry in profile.required)
    return BadDataError(
        tr("no header row in the first 30 rows"),
        where=Place(name, next((report.sheet for report in reports if report.sheet), None)),
        why=tr(
            "looked for {what} (profile {name})",
            what=wanted or _names(("name", "id_number"), profile),
            name=profile.name,
        ),
        try_=tr("fupin inspect {name}", name=name),
    )


def _missing_column(
    name: str, grid: Grid, header: Header, mapping: Mapping, lacking: Sequence[str], profile: SourceProfile
) -> BadDataError:
    near = [header.shown[c] for c, _ in mapping.unmapped if nearest_field(header.paths[c][-1], profile) in lacking]
    known = [alias for field_name in lacking for alias in _field(profile, field_name).headers][:6]
    hint = tr("; nearest header here: {header}", header=near[0]) if near else ""
    row = header.first + 1 if grid.header is None else None
    return BadDataError(
        tr("no column for {names}", names=_names(lacking, profile)),
        where=Place(name, grid.sheet or None, row),
        why=tr("looked for {known} (profile {name}){hint}", known=", ".join(known), name=profile.name, hint=hint),
        try_=tr("fupin inspect {name}", name=name),
    )


def _field(profile: SourceProfile, name: str) -> Field:
    return profile.field(name)
