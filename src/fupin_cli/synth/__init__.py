"""Invented people with known truth, at any scale: `generate` for Parquet, `write_office_files` for files as offices send them.

Everything is a function of (seed, size): no clock, no random state, no library hash. Region codes begin with 9901, which no
county has, so no number belongs to anybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import polars as pl
import pyarrow.parquet as pq

from fupin_cli.errors import OutputError, UsageError, system_words
from fupin_cli.language import tr
from fupin_cli.synth import extracts as _extracts
from fupin_cli.synth import register as _register
from fupin_cli.synth.errors import CLASSES, PRESETS, SAMPLE
from fupin_cli.synth.extracts import SHUFFLED, Source
from fupin_cli.synth.facts import add_facts
from fupin_cli.synth.people import World, people
from fupin_cli.synth.plans import add_plans
from fupin_cli.synth.planted import faulty_rows, planted_rows, truth_links

__all__ = [
    "CLASSES", "PRESETS", "SAMPLE", "Source", "SynthReport", "Tables", "World", "generate", "invent", "number_rows", "people",
    "write_office_files",
]  # fmt: skip

CHUNK = 64 * SHUFFLED  # 66,560 people
_LARGEST = 14_000_000  # beyond it the region codes 990121 … 990199 run out of numbers


@dataclass(frozen=True)
class SynthReport:
    """What was written: rows per file, planted findings per rule, true links per extract."""

    folder: Path
    rows: dict[str, int] = field(default_factory=dict)
    planted: dict[str, int] = field(default_factory=dict)
    links: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Tables:
    """One chunk of the world: frames with true and written columns side by side, before they are numbered and written."""

    register: pl.DataFrame
    extracts: list[tuple[Source, pl.DataFrame]]


def invent(
    world: World, start: int, stop: int, sources: Sequence[Source], errors: Mapping[str, float], discrepancies: float
) -> Tables:
    """Register and extracts about the people start … stop − 1; both must be whole blocks, or the end of the world."""
    facts = add_facts(add_plans(people(world, start, stop), world, discrepancies), world)
    number = pl.col("id_number")
    relative = pl.when(pl.col("slot") > 0).then(number.shift(1)).when(pl.col("size") > 1).then(number.shift(-1))
    facts = facts.with_columns(relative_id=relative)
    return Tables(
        _register.register_rows(facts, world, errors),
        [(source, _extracts.extract_rows(facts, source, world, errors)) for source in sources],
    )


def number_rows(tables: Tables, offsets: Mapping[str, int]) -> Tables:
    """The tables with register_row and extract_row, counted on from the offsets (key `register`, or the extract's id)."""

    def numbered(frame: pl.DataFrame, name: str, offset: int) -> pl.DataFrame:
        return frame.with_row_index(name, offset).with_columns(pl.col(name).cast(pl.Int64))

    return Tables(
        numbered(tables.register, "register_row", offsets.get("register", 0)),
        [(source, numbered(rows, "extract_row", offsets.get(source.id, 0))) for source, rows in tables.extracts],
    )


def generate(
    folder: Path,
    *,
    seed: int,
    persons: int,
    counties: int = 2,
    errors: Mapping[str, float] | None = None,
    format: Literal["parquet"] = "parquet",  # noqa: A002 (the word users type)
    discrepancies: float = 0.002,
    registered_share: float = 0.2,
    absent_share: float = 0.0,
    unlisted_share: float = 0.0,
    namesakes: float = 0.0,
    dense: bool = False,
    kinds: Sequence[str] = (),
    with_people: bool = False,
    with_faults: bool = False,
) -> SynthReport:
    """What was written to the folder: register.parquet, one Parquet per kind of extract, truth.parquet, planted.parquet.

    `errors` maps error classes (see CLASSES; `register.…`, `extract.…` or a kind may stand before it) to rates; None is no
    error at all, and PRESETS has easy, hard, sample and bench. `discrepancies` is the share of households per planted rule.
    `absent_share` of the registered, drawn one by one, stand in no extract; `unlisted_share` of the members of their households
    are not in the register themselves. `namesakes` is the share of people who bear one of the ten commonest full names, and
    `dense` gives each county a single region code, so that every number has neighbours.
    `kinds` limits the extracts to these. `with_faults` adds faults.parquet: what is wrong with each row that has anything wrong,
    linked or not. Written chunk by chunk: memory does not grow with the number of people.
    """
    if format != "parquet":
        raise UsageError(tr("no such format: {format}", format=format), try_="format='parquet'")
    if not 1 <= persons <= _LARGEST or not 1 <= counties <= 20:
        raise UsageError(
            tr("cannot invent so many people or counties"),
            why=tr("1 to {largest} people in 1 to 20 counties have numbers that belong to nobody", largest=_LARGEST),
        )
    world = World(seed, persons, counties, registered_share, absent_share, unlisted_share, namesakes, dense)
    sources = [Source(kind, kind, "province") for kind in kinds or _extracts.FIELDS]
    report = SynthReport(folder)
    with _ParquetFolder(folder, report) as files:
        for start in range(0, persons, CHUNK):
            stop = min(start + CHUNK, persons)
            tables = invent(world, start, stop, sources, errors or {}, discrepancies)
            tables = number_rows(tables, report.rows)
            planted = planted_rows(tables.register, tables.extracts)
            links = truth_links(tables.register, tables.extracts)
            _count(report.planted, planted, "rule_id")
            _count(report.links, links, "extract")
            files.add("register", _register.written(tables.register))
            for source, rows in tables.extracts:
                files.add(source.id, _extracts.written(rows, source.kind))
            files.add("truth", links)
            files.add("planted", planted)
            if with_faults:
                files.add("faults", faulty_rows(tables.register, tables.extracts))
            if with_people:
                files.add("people", people(world, start, stop))
    return report


def write_office_files(folder: Path, *, seed: int, persons: int) -> None:
    """Writes the tree of files that the offices of two counties and their province would send, and truth/ beside it."""
    from fupin_cli.synth.office import write_tree  # noqa: PLC0415 (the writers of workbooks are heavy)

    write_tree(folder, seed=seed, persons=persons)


def _count(totals: dict[str, int], frame: pl.DataFrame, column: str) -> None:
    for name, count in frame.group_by(column, maintain_order=True).len().sort(column).rows():
        totals[name] = totals.get(name, 0) + count


class _ParquetFolder:
    """Parquet files that grow by a row group per chunk; all are closed together, and counted in the report."""

    def __init__(self, folder: Path, report: SynthReport) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                tr("cannot create the folder"), where=str(folder), why=system_words(error.errno)
            ) from None
        self._folder, self._report = folder, report
        self._writers: dict[str, pq.ParquetWriter] = {}

    def add(self, name: str, frame: pl.DataFrame) -> None:
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        if name not in self._writers:
            self._writers[name] = pq.ParquetWriter(self._folder / f"{name}.parquet", table.schema, compression="zstd")
        self._writers[name].write_table(table)
        self._report.rows[name] = self._report.rows.get(name, 0) + frame.height

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()
