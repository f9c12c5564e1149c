"""One source → typed rows, and an account of every row that was read: used, or set aside with a reason.

Files and sheets of a source are read one after the other as one table. Nothing is dropped without a line in `set_aside`:
rows read = rows used + rows set aside, for each sheet, and a breach stops the run as a bug.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from fupin_cli.errors import BadDataError, FupinError, Place
from fupin_cli.ingest.headers import Header, Mapping, find_header, map_columns, nearest_field, unit_in
from fupin_cli.ingest.profile import Field, SourceProfile
from fupin_cli.ingest.readers import Grid, merged_fills, read_file
from fupin_cli.ingest.rows import classify, count_people
from fupin_cli.normalise.spelling import once_per_spelling
from fupin_cli.normalise.values import is_blank, is_lost
from fupin_cli.vocabulary import ACCOUNTS, SET_ASIDE, SOURCE_REF

_FEW = 4  # parse distinct spellings once where they are at most a quarter of the rows
_SAMPLE = 250_000  # rows that tell whether counting all spellings is worth it: a century has 36,525 days


@dataclass(frozen=True)
class SheetReport:
    """What was made of one sheet; holds headers and counts only, never a cell."""

    source: str
    sheet: str
    rows_read: int
    rows_used: int
    header_rows: tuple[int, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()
    unmapped: tuple[tuple[str, str | None], ...] = ()
    missing: tuple[str, ...] = ()
    unparsed: tuple[tuple[str, int], ...] = ()
    unknown_labels: tuple[tuple[str, int], ...] = ()
    lost_digits: tuple[tuple[str, int], ...] = ()
    visible: bool = True
    hidden: int = 0
    errors: int = 0
    empty_formulas: int = 0
    likely_cut: bool = False
    only_identity: bool = False
    other_table: bool = False
    people_unread: int = 0

    @property
    def rows_set_aside(self) -> int:
        """Rows read but not used."""
        return self.rows_read - self.rows_used

    def problems(self) -> list[tuple[str, str]]:
        """(kind, detail) of everything a person should know about how this sheet was read; headers and counts only."""
        found = [("missing_column", name) for name in self.missing]
        found += [("unmapped_column", f"{header}（{near}?）" if near else header) for header, near in self.unmapped]
        found += [("duplicate_column", f"{header} → {name}") for name, header in self.duplicates]
        found += [("unparsed_cells", f"{name}: {count}") for name, count in self.unparsed]
        found += [("unknown_labels", f"{name}: {count}") for name, count in self.unknown_labels]
        found += [("lost_digits", f"{name}: {count}") for name, count in self.lost_digits]
        counted = (("hidden", self.hidden), ("error_cells", self.errors), ("empty_formulas", self.empty_formulas))
        found += [(kind, str(count)) for kind, count in counted if count]
        if not self.visible:
            found.append(("hidden_sheet", str(self.rows_read)))
        if self.only_identity:
            found.append(("only_identity", str(self.rows_used)))
        if self.other_table:
            found.append(("not_a_table", str(self.rows_read)))
        if self.people_unread:
            found.append(("unreadable", f"no header; {self.people_unread} of {self.rows_read} rows look like people"))
        if self.likely_cut:
            found.append(("unreadable", f"likely cut off at {self.rows_read} rows"))
        return found


@dataclass(frozen=True)
class SourceTable:
    """One source, read. `rows` has SOURCE_REF, name_raw, id_raw and every field of the profile, null where absent."""

    profile: SourceProfile
    rows: pl.DataFrame = field(repr=False)
    accounts: pl.DataFrame
    set_aside: pl.DataFrame = field(repr=False)
    reports: tuple[SheetReport, ...]


@dataclass(frozen=True)
class _Part:
    rows: pl.DataFrame
    set_aside: pl.DataFrame
    report: SheetReport
    data_rows: int = 0
    problem: BadDataError | None = None


def read_source(files: Sequence[tuple[str, Path]], profile: SourceProfile) -> SourceTable:
    """The files as one table under one profile; `files` pairs the name that people see with the path.

    Raises BadDataError where a file holds no sheet that the profile knows, or a sheet lacks a required column.
    """
    return read_grids(((name, read_file(name, path).grids) for name, path in files), profile)


def read_grids(files: Iterable[tuple[str, Sequence[Grid]]], profile: SourceProfile) -> SourceTable:
    """The same for files that have been opened already."""
    parts: list[_Part] = []
    offset = 0
    for name, grids in files:
        sheets = [_find_table(grid, profile) for grid in grids]
        kind_seen = any(table.tells_kind for table in sheets if table)
        read: list[_Part] = []
        for grid, table in zip(grids, sheets, strict=True):
            read.append(_read_sheet(name, grid, table, profile, offset, kind_seen=kind_seen))
            offset += read[-1].data_rows
        if not any(part.report.columns for part in read):
            problems = [part.problem for part in read if part.problem]
            raise problems[0] if problems else _no_header(name, [part.report for part in read], profile)
        parts += read
    return _joined(parts, profile)


def _joined(parts: Sequence[_Part], profile: SourceProfile) -> SourceTable:
    accounts = [
        {
            "source": r.source,
            "sheet": r.sheet,
            "rows_read": r.rows_read,
            "rows_used": r.rows_used,
            "rows_set_aside": r.rows_set_aside,
        }
        for r in (part.report for part in parts)
    ]
    return SourceTable(
        profile=profile,
        rows=parts[0].rows if len(parts) == 1 else pl.concat([part.rows for part in parts], rechunk=True),
        accounts=pl.DataFrame(accounts, schema=ACCOUNTS.schema),
        set_aside=pl.concat([SET_ASIDE.empty(), *(part.set_aside for part in parts)]),
        reports=tuple(part.report for part in parts),
    )


def _no_rows(profile: SourceProfile) -> pl.DataFrame:
    return pl.DataFrame(schema=SOURCE_REF.schema | {f.column: f.dtype for f in _ordered(profile)})


def _ordered(profile: SourceProfile) -> list[Field]:
    """The fields of a profile as columns stand: name and ID number first, the rest as declared."""
    return sorted(profile.fields, key=lambda f: ("name_raw", "id_raw", f.column).index(f.column))


@dataclass(frozen=True)
class _Table:
    """Where the table of a sheet begins and what its columns mean; `tells_kind` if more than who somebody is."""

    header: Header
    mapping: Mapping
    tells_kind: bool


def _find_table(grid: Grid, profile: SourceProfile) -> _Table | None:
    """The table of a visible sheet, or None where no header of people was found."""
    header = find_header(grid, profile) if grid.visible and (grid.cells.height or grid.header) else None
    if header is None:
        return None
    mapping = map_columns(header, profile)
    return _Table(header, mapping, bool(profile.own & mapping.by_field.keys()))


def _read_sheet(
    name: str, grid: Grid, table: _Table | None, profile: SourceProfile, offset: int, *, kind_seen: bool
) -> _Part:
    """The rows of one sheet; `kind_seen` if some sheet of the file is surely of the profile's kind."""
    if not grid.visible:
        return _whole_sheet_aside(name, grid, profile, "hidden_sheet")
    if table is None:
        return _whole_sheet_aside(name, grid, profile, "not_a_table", people_unread=count_people(grid.cells))
    header, mapping = table.header, table.mapping
    if kind_seen and not table.tells_kind:
        return _whole_sheet_aside(name, grid, profile, "not_a_table", other_table=True)
    if lacking := mapping.lacks(profile):
        problem = _missing_column(name, grid, header, mapping, lacking[0], profile)
        if 2 * len(lacking) <= len(profile.required):
            raise problem
        # hardly anything fits: another kind of table beside the one that is meant, unless the file has no better sheet
        return replace(_whole_sheet_aside(name, grid, profile, "not_a_table", other_table=True), problem=problem)
    cells = _fill_merged(grid, header.end)
    reasons = classify(cells, grid, header, mapping, profile)
    used = cells.with_row_index("_at")
    used = used.filter(reasons.is_null()) if reasons.null_count() < used.height else used
    values, unparsed = _typed(used, header, mapping, profile)
    rows = values.with_columns(
        pl.lit(name).alias("source"),
        pl.lit(grid.sheet).alias("sheet"),
        (pl.col("_at").cast(pl.Int64) + 1).alias("row"),
        (pl.col("_at").cast(pl.Int64) - header.end + offset).alias("data_row"),
    ).select(_no_rows(profile).columns)
    aside = _set_aside(name, grid.sheet, cells, reasons)
    if rows.height + aside.height != grid.cells.height:
        raise FupinError("rows were lost while reading: this is a bug in fupin", where=Place(name, grid.sheet))
    kinds = {f.name: f.type for f in profile.fields}
    report = SheetReport(
        source=name,
        sheet=grid.sheet,
        rows_read=grid.cells.height,
        rows_used=rows.height,
        header_rows=tuple(range(header.first + 1, header.end + 1)),
        columns=tuple((f, header.shown[c]) for f, c in mapping.columns),
        duplicates=tuple((f, header.shown[c]) for f, c in mapping.duplicates),
        unmapped=tuple((header.shown[c], near) for c, near in mapping.unmapped),
        missing=mapping.missing,
        unparsed=tuple((f, n) for f, n in unparsed.items() if n and kinds[f] != "code"),
        unknown_labels=tuple((f, n) for f, n in unparsed.items() if n and kinds[f] == "code"),
        lost_digits=_lost_digits(used, mapping, profile),
        hidden=grid.notes.hidden,
        errors=grid.notes.errors,
        empty_formulas=grid.notes.empty_formulas,
        likely_cut=grid.header is None and grid.cells.height in (65_536, 1_048_576),
        only_identity=bool(profile.own) and not table.tells_kind,
    )
    return _Part(rows, aside, report, grid.cells.height - header.end)


def _whole_sheet_aside(
    name: str,
    grid: Grid,
    profile: SourceProfile,
    reason: str,
    *,
    other_table: bool = False,
    people_unread: int = 0,
) -> _Part:
    reasons = pl.Series("reason", [reason] * grid.cells.height, dtype=pl.String)
    report = SheetReport(
        name,
        grid.sheet,
        rows_read=grid.cells.height,
        rows_used=0,
        visible=grid.visible,
        hidden=grid.notes.hidden,
        other_table=other_table,
        people_unread=people_unread,
    )
    return _Part(_no_rows(profile), _set_aside(name, grid.sheet, grid.cells, reasons), report)


def _set_aside(name: str, sheet: str, cells: pl.DataFrame, reasons: pl.Series) -> pl.DataFrame:
    if not cells.height:
        return SET_ASIDE.empty()
    columns = pl.col(cells.columns)
    return (
        cells.with_row_index("_at")
        .with_columns(reasons.alias("set_aside_reason"))
        .filter(pl.col("set_aside_reason").is_not_null())
        .select(
            pl.lit(name).alias("source"),
            pl.lit(sheet).alias("sheet"),
            (pl.col("_at").cast(pl.Int64) + 1).alias("row"),
            "set_aside_reason",
            pl.concat_str(columns, separator=" | ", ignore_nulls=True).alias("cells"),
        )
    )


def _fill_merged(grid: Grid, first: int) -> pl.DataFrame:
    """The cells with each value that is merged down over several rows repeated in them, and nowhere else."""
    wanted: dict[int, list[tuple[int, int]]] = {}
    for column, top, bottom in merged_fills(grid, first):
        wanted.setdefault(column, []).append((top, bottom))
    filled = []
    for column, spans in sorted(wanted.items()):
        rows = [row for top, bottom in spans for row in range(top + 1, bottom + 1)]
        origin = [top for top, bottom in spans for _ in range(top + 1, bottom + 1)]
        series = grid.cells.to_series(column)
        filled.append(series.scatter(rows, series.gather(origin)) if rows else series)
    return grid.cells.with_columns(filled)


def _typed(
    used: pl.DataFrame, header: Header, mapping: Mapping, profile: SourceProfile
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The profile's columns with their types, and how many cells of each field held something that meant nothing."""
    by_field = mapping.by_field
    columns, unparsed = [used.to_series(0)], {}
    for f in profile.fields:
        if f.name not in by_field:
            constant = pl.Series(f.column, [_said_by_header(f, header, by_field)], dtype=f.dtype)
            columns.append(constant.new_from_index(0, used.height))
            continue
        column = by_field[f.name]
        text = used.to_series(column + 1)
        if f.type == "raw" or f.column in ("name_raw", "id_raw"):
            columns.append(text.alias(f.column))
            continue
        value = _parse(text, f, unit_in(header.texts[column]))
        columns.append(value)
        unparsed[f.name] = _count_unparsed(text, value)
    frame = pl.DataFrame(columns)
    stand_ins = [pl.col(name) for name in profile.id_from if name in by_field]
    return (frame.with_columns(pl.coalesce("id_raw", *stand_ins)) if stand_ins else frame), unparsed


def _said_by_header(f: Field, header: Header, by_field: dict[str, int]) -> str | None:
    """The value that the header over the names gives to a field without a column; the longest word that fits."""
    over_names = header.texts[by_field["name"]] if "name" in by_field else ""
    return next(
        (value for word, value in sorted(f.by_name_header, key=lambda p: -len(p[0])) if word in over_names), None
    )


def _parse(text: pl.Series, f: Field, unit: str | None) -> pl.Series:
    """The parsed column; where spellings repeat, as dates, labels and places do, each is parsed once."""

    def parse(spellings: pl.Series) -> pl.DataFrame:
        return spellings.to_frame("text").select(f.parse(pl.col("text"), unit).alias(f.column))

    sample = text.head(_SAMPLE)
    repeats = sample.n_unique() * _FEW <= len(sample)
    return (once_per_spelling(text, parse) if repeats else parse(text)).to_series()


def _count_unparsed(text: pl.Series, value: pl.Series) -> int:
    lost = text.filter(value.is_null() & text.is_not_null())
    return int(pl.DataFrame({"text": lost}).select((~is_blank(pl.col("text"))).sum()).item())


def _lost_digits(used: pl.DataFrame, mapping: Mapping, profile: SourceProfile) -> tuple[tuple[str, int], ...]:
    """How many codes of each text field came as numbers that had lost their last digits."""
    long = [
        (f.name, f"c{mapping.by_field[f.name]}")
        for f in profile.fields
        if f.type in ("id", "text") and f.name in mapping.by_field
    ]
    found = []
    for name, column in long:
        text = used[column]
        suspects = text.filter(text.str.contains_any(["e", "E"]))
        if count := int(suspects.to_frame("text").select(is_lost(pl.col("text")).sum()).item()):
            found.append((name, count))
    return tuple(found)


def _names(fields: Iterable[str], profile: SourceProfile) -> str:
    return "、".join(profile.field(name).zh for name in fields)


def _no_header(name: str, reports: Sequence[SheetReport], profile: SourceProfile) -> BadDataError:
    if any(not report.visible for report in reports) and not any(report.visible for report in reports):
        return BadDataError(
            "every sheet of this workbook is hidden",
            where=name,
            why="what is hidden was not meant to be sent",
            try_="show the sheet that is meant, save the workbook, and run again",
        )
    wanted = " and ".join(_names(entry.split("|"), profile).replace("、", " or ") for entry in profile.required)
    return BadDataError(
        "no header row in the first 30 rows",
        where=Place(name, next((report.sheet for report in reports if report.sheet), None)),
        why=f"looked for {wanted or _names(('name', 'id_number'), profile)} (profile {profile.name})",
        try_=f"fupin inspect {name}",
    )


def _missing_column(
    name: str, grid: Grid, header: Header, mapping: Mapping, lacking: Sequence[str], profile: SourceProfile
) -> BadDataError:
    near = [header.shown[c] for c, _ in mapping.unmapped if nearest_field(header.paths[c][-1], profile) in lacking]
    known = [alias for field_name in lacking for alias in profile.field(field_name).headers][:6]
    hint = f"; nearest header here: {near[0]}" if near else ""
    row = header.first + 1 if grid.header is None else None
    return BadDataError(
        f"no column for {_names(lacking, profile)}",
        where=Place(name, grid.sheet or None, row),
        why=f"looked for {', '.join(known)} (profile {profile.name}){hint}",
        try_=f"fupin inspect {name}",
    )
