"""One source → typed rows, and an account of every row that was read: used, or set aside with a reason.

Files and sheets of a source are read one after the other as one table. Nothing is dropped without a line in `set_aside`:
rows read = rows used + rows set aside, for each sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from fupin_cli.errors import BadDataError, FupinError
from fupin_cli.ingest.cells import Counts, Doubt
from fupin_cli.ingest.locked import Ask, no_password
from fupin_cli.ingest.profile import SourceProfile
from fupin_cli.ingest.readers import Contents, read_received
from fupin_cli.ingest.received import Received
from fupin_cli.ingest.sheet_report import SheetReport
from fupin_cli.ingest.sheets import Keep, Kept, Part, in_memory, no_rows, no_table, read_sheets
from fupin_cli.ingest.store import Store
from fupin_cli.language import tr
from fupin_cli.parked import gathered
from fupin_cli.vocabulary import ACCOUNTS, SET_ASIDE

Each = Callable[[pl.DataFrame], pl.DataFrame]  # what becomes of some of a source's rows before further ones are at hand
_AT_ONCE = 500_000  # rows; a long source is gone through in pieces of so many at least


def as_it_is(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows: an Each that makes nothing of them."""
    return rows


@dataclass(frozen=True)
class SourceTable:
    """One source, read.

    `rows` has SOURCE_REF, person_of_row, name_raw, id_raw and every field of the profile, null where absent; or what `each` made
    of these. A row that names several people stands in `rows` once for each of them. `mentioned` are the valid ID numbers that
    stand elsewhere in the files: in rows set aside, in columns that nobody knows, in cells where none belongs.
    """

    profile: SourceProfile
    rows: pl.DataFrame = field(repr=False)
    accounts: pl.DataFrame
    set_aside: pl.DataFrame = field(repr=False)
    reports: tuple[SheetReport, ...]
    mentioned: pl.Series = field(default_factory=lambda: pl.Series("mentioned", [], pl.String), repr=False)


def read_source(
    files: Sequence[tuple[str, Path]],
    profile: SourceProfile,
    *,
    sheets: Sequence[str] = (),
    ask: Ask = no_password,
    store: Store | None = None,
    each: Each = as_it_is,
) -> SourceTable:
    """The files as one table under one profile; `files` pairs the name that people see with the path.

    `sheets` are globs of the sheets that are wanted; `ask` knows passwords; what `store` has read before is not read again.
    The table's rows are what `each` makes of them, some hundred thousand at a time.
    Raises BadDataError where a file holds no sheet that the profile knows, or a sheet lacks a required column.
    """
    return _joined(source_parts(files, profile, sheets=sheets, ask=ask, store=store), profile, each)


def counties_in(files: Sequence[Path], register: SourceProfile, ask: Ask = no_password) -> list[str]:
    """The counties that a register holds, as it writes them; none where it cannot be read yet."""
    try:
        rows = read_source([(path.name, path) for path in files], register, ask=ask).rows
    except FupinError:
        return []
    return list(rows["county"].drop_nulls().unique().sort())


def source_parts(
    files: Sequence[tuple[str, Path]],
    profile: SourceProfile,
    *,
    sheets: Sequence[str] = (),
    ask: Ask = no_password,
    store: Store | None = None,
) -> list[Part]:
    """The same sheet by sheet; with a store, rows stay in its files, so that a source of any size fits."""
    store = store or Store()
    _refuse_copies(files)

    def read(doubt: Doubt) -> Iterator[Part]:
        for name, path in files:
            file = Received(name, path)

            def opened(keep: Keep, file: Received = file) -> Iterator[Part]:
                return _parts(file.name, read_received(file, ask), profile, doubt, sheets, keep)

            yield from store.parts(file, profile, doubt, sheets, opened)

    return _settled(read)


def _refuse_copies(files: Sequence[tuple[str, Path]]) -> None:
    """BadDataError where two files of a source are one: everybody in them would count twice."""
    sizes = [Received(name, path).size() for name, path in files]
    seen: dict[str, str] = {}
    for (name, path), size in zip(files, sizes, strict=True):
        if sizes.count(size) > 1 and (twin := seen.setdefault(Received(name, path).sha256(), name)) != name:
            raise BadDataError(
                tr("this file and {twin} have the same content", twin=twin),
                where=name,
                try_=tr("take one of them out of files = [...]"),
            )


def read_contents(
    name: str, contents: Sequence[Contents], profile: SourceProfile, each: Each = as_it_is
) -> SourceTable:
    """The same for one file that has been opened already, and for a database's answer."""
    return _joined(_settled(lambda doubt: _parts(name, contents, profile, doubt, (), in_memory)), profile, each)


def _parts(
    name: str,
    contents: Sequence[Contents],
    profile: SourceProfile,
    doubt: Doubt,
    sheets: Sequence[str],
    keep: Keep,
) -> Iterator[Part]:
    """The sheets of the tables that one file holds. In an archive what has no header is set aside, if something else has."""
    found = []
    for table in contents:
        # what was under a password must not lie in a store without it
        parts = read_sheets(table.name, table.grids, profile, doubt, sheets, in_memory if table.was_locked else keep)
        told = replace(parts[0].report, was_locked=table.was_locked, others=table.others) if parts else None
        found.append([replace(parts[0], report=told), *parts[1:]] if told else parts)
    everything = [part for parts in found for part in parts]
    if problem := no_table(contents[0].name if len(contents) == 1 else name, everything, profile, sheets):
        raise problem
    yield from everything


def _settled(read: Callable[[Doubt], Iterator[Part]]) -> list[Part]:
    """The parts, read a second time where the first reading gave reason for doubt."""
    parts = list(read(Doubt()))
    counts = Counts()
    for part in parts:
        counts.update(part.counts)
    doubt = Doubt.of(counts)
    return list(read(doubt)) if doubt != Doubt() else parts


def _joined(parts: Sequence[Part], profile: SourceProfile, each: Each) -> SourceTable:
    accounts = [
        {
            "source": r.source,
            "sheet": r.sheet,
            "rows_read": r.rows_read,
            "rows_used": r.rows_used,
            "rows_set_aside": r.rows_set_aside,
            "rows_hidden": r.rows_hidden,
            "columns_hidden": r.hidden_columns,
        }
        for r in (part.report for part in parts)
    ]
    aside = [_loaded(frame, SET_ASIDE.schema) for part in parts for frame in part.set_aside]
    # further people of a row are numbered behind everybody else
    several = bool(profile.also) or any(part.counts["several_people", ""] for part in parts)
    at_once = None if several or each is as_it_is else _AT_ONCE
    made = [each(rows) for rows in gathered(_rows(parts, profile), at_once)]
    return SourceTable(
        profile=profile,
        rows=pl.concat(made) if made else each(no_rows(profile)),
        accounts=pl.DataFrame(accounts, schema=ACCOUNTS.schema),
        set_aside=pl.concat([SET_ASIDE.empty(), *aside]),
        reports=tuple(part.report for part in parts),
        mentioned=_mentioned(parts),
    )


def _rows(parts: Sequence[Part], profile: SourceProfile) -> Iterator[pl.DataFrame]:
    """The parts' rows, numbered as rows of one table."""
    offset, schema = 0, no_rows(profile).schema
    for part in parts:
        for rows in part.rows:
            loaded = _loaded(rows, schema)
            yield loaded.with_columns(pl.col("data_row") + offset) if offset else loaded
        offset += part.data_rows


def _mentioned(parts: Sequence[Part]) -> pl.Series:
    empty = pl.DataFrame(schema={"mentioned": pl.String})
    found = [_loaded(frame, empty.schema) for part in parts for frame in part.mentioned]
    return pl.concat([empty, *found]).to_series().unique().sort()


def _loaded(kept: Kept, schema: pl.Schema) -> pl.DataFrame:
    """The frame, from the store where it lies there; columns of the schema that are null throughout were left out of it."""
    if not isinstance(kept, Path):
        return kept
    frame = pl.read_parquet(kept)
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in frame.columns]
    return frame.with_columns(absent).select(schema.names())
