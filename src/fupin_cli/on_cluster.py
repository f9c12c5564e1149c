"""A long list that lies on a cluster is read there, and linked here: only rows that somebody of the register may be come back.

    file by file, there        rows ──► KEYS, kept there ──► near ones come back                        how many there are
    here                       near ones ──► settled by their numbers ──► households that are joined
    file by file, there        what was kept ──► those whom a key leads to, and a sample of all, come back
    here                       pairs ──► weights ──► links

It is one program: each of these steps is the function that links a list here, asked of one file.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import polars as pl

from fupin_cli.engine import Kept
from fupin_cli.engine.spark import Files, Spark
from fupin_cli.errors import BadDataError
from fupin_cli.ingest import People, SourceProfile, read_bucket
from fupin_cli.ingest.pieces import in_order
from fupin_cli.language import tr
from fupin_cli.linkage.frequency import represent
from fupin_cli.linkage.reach import near_among, reached, strangers_among
from fupin_cli.parquet import write_parquet
from fupin_cli.vocabulary import KEYS

_KEYS = "keys.parquet"


@dataclass(frozen=True)
class Asked:
    """What each file is read by: the kinds of tables, the list's name (and whether it is one file), the register's numbers."""

    kinds: Mapping[str, SourceProfile]
    name: str
    alone: bool
    codes: pl.Series


@dataclass(frozen=True)
class FileRead:
    """What is told of one file: its near rows, how many it has, where the last one with anything in it ends, who was read.

    Rows are numbered from 0 in each file, and further people of a row from -1 downwards; `further` are their rows.
    """

    near: pl.DataFrame
    rows: int
    end: int
    further: pl.Series
    told: People


@dataclass(frozen=True)
class Numbering:
    """Where each file's rows begin in the whole list; behind which numbers its further people stand; where the list ends."""

    starts: Sequence[int]
    behind: Sequence[int]
    end: int

    def of_all(self, file: int, keys: pl.DataFrame) -> pl.DataFrame:
        """The keys of a file with the numbers that they have in the list, without rows that are empty at its end."""
        start, behind = self.starts[file], self.behind[file]
        row, at = pl.col("data_row") + start, pl.col("at")
        numbered = pl.when(at < 0).then(behind - at - 1).otherwise(at + start)
        return keys.filter(row < self.end).with_columns(numbered.alias("at"), row.alias("data_row"))


@dataclass(frozen=True)
class Meeting:
    """What decides whom a key leads to, on whichever computer: people of the register, joined households, numbers, all rows."""

    r: pl.DataFrame
    known: pl.DataFrame
    numbering: Numbering
    rows: int


@dataclass(frozen=True)
class Listed:
    """The list as linkage takes it."""

    near: pl.DataFrame
    rows: int
    people: People
    further: pl.DataFrame
    numbering: Numbering
    kept: Kept

    def meet(self, r: pl.DataFrame, known: pl.DataFrame) -> tuple[Sequence[pl.DataFrame], pl.DataFrame]:
        """Those whom a key leads to, file by file, and the rows that stand for all."""
        told = self.kept.map(meet_there, Meeting(r, known, self.numbering, self.rows))
        return [met for met, _ in told], pl.concat([counted for _, counted in told])

    def rows_of(self, links: pl.DataFrame) -> People:
        """The people, who know the data rows of everybody in these links."""
        return self.people.with_rows(self.further, links["extract_row"])


@contextmanager
def read_there(
    engine: Spark, uri: str, kinds: Mapping[str, SourceProfile], register: pl.DataFrame, folder: Path
) -> Iterator[Listed]:
    """The list under this name, a folder of Parquet or one file, read where it lies to be linked with this register (KEYS).

    Raises BadDataError for a list whose rows must be seen all at once, or whose files are of several kinds.
    """
    where = _bare(uri).rpartition("/")[2]
    called = {_bare(path).removeprefix(_bare(uri)).lstrip("/"): path for path in engine.list_there(uri)}
    alone = list(called) == [""]
    names = [""] if alone else [name for name, _ in in_order(called, where)]
    files = Files(uri, {called[name]: name or where for name in names})
    with engine.keep(read_file_there, Asked(kinds, where, alone, register["code"]), files, folder) as kept:
        yield _listed(kept, names, where)


def read_file_there(asked: Asked, part: tuple[int, Mapping[str, bytes]], folder: Path) -> FileRead:
    """What is told of one file; the keys of everybody in it stay in `folder`."""
    ((_, data),) = part[1].items()
    with tempfile.TemporaryDirectory(dir=folder) as here:
        path = Path(here) / asked.name
        if not asked.alone:
            path.mkdir()
        (path if asked.alone else path / _KEYS).write_bytes(data)
        bucket = read_bucket(path, asked.kinds, 0, 1)
    further = pl.col("at").is_null()
    keys = bucket.keys.with_columns(pl.col("at").fill_null(-further.cum_sum().cast(pl.Int64)))
    write_parquet(keys, folder / _KEYS, compression="zstd")
    rows = keys.filter(pl.col("at") < 0)["data_row"]
    return FileRead(near_among(keys, asked.codes), bucket.rows, bucket.end, rows, bucket.told)


def meet_there(
    meeting: Meeting, part: tuple[int, Mapping[str, bytes]], folder: Path
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of one file those whom a key leads to, prepared; and its share of the rows that stand for all."""
    del folder
    file, kept = part
    keys = meeting.numbering.of_all(file, pl.read_parquet(io.BytesIO(kept[_KEYS])))
    people = KEYS.conform(keys.select(KEYS.names))
    strangers = strangers_among(people, meeting.r["code"])
    return reached([strangers.clone], meeting.r, meeting.known)[0], represent(people, meeting.rows)


def _listed(kept: Kept, names: Sequence[str], where: str) -> Listed:
    said: Sequence[FileRead] = kept.said
    for name, file in zip(names, said, strict=True):
        if file.told.columns != said[0].told.columns:
            raise BadDataError(
                tr("this file has not the columns of the first one"),
                where=name or where,
                try_=tr("one folder for each kind of table"),
            )
    starts = list(accumulate((file.rows for file in said[:-1]), initial=0))
    end = max(start + file.end if file.end else 0 for start, file in zip(starts, said, strict=True))
    behind = list(accumulate((file.further.len() for file in said[:-1]), initial=end))
    numbering = Numbering(starts, behind, end)
    near = pl.concat([numbering.of_all(nth, file.near) for nth, file in enumerate(said)])
    further = pl.concat(
        [
            pl.DataFrame({"data_row": file.further + start}).with_columns(
                pl.int_range(first, first + pl.len(), dtype=pl.Int64).alias("at")
            )
            for start, first, file in zip(starts, behind, said, strict=True)
        ]
    ).select("at", "data_row")
    rows = end + further.height
    people = replace(said[0].told, count=rows)
    return Listed(KEYS.conform(near.select(KEYS.names)), rows, people, further, numbering, kept)


def _bare(uri: str) -> str:
    """The path alone: Hadoop writes file:///x as file:/x."""
    return re.sub(r"^[a-zA-Z][a-zA-Z0-9+.-]*:(//[^/]*)?", "", uri).rstrip("/")
