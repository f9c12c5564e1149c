"""A long list in many Parquet files, as platforms write them → the rows of one bucket, numbered as the rows of one long table.

    list/bucket=0/part-0.parquet   rows 0, 1, 2 …      files in the order of their buckets, then of their paths;
    list/bucket=0/part-1.parquet   …                   what begins with _ or . is a platform's own and is left out
    list/bucket=1/part-0.parquet   …

A folder without buckets, or one file, is cut into buckets of equally many rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import polars as pl

from fupin_cli.errors import BadDataError, InputMissingError, UsageError
from fupin_cli.ingest.columns import trimmed
from fupin_cli.ingest.grid import HEAD_ROWS, Grid
from fupin_cli.ingest.parquet import count_rows, read_rows
from fupin_cli.ingest.readers import Choice, Contents, opening_parquet, parquet_columns
from fupin_cli.ingest.received import Received
from fupin_cli.language import tr

_BUCKET = re.compile(r"bucket=(\d+)")
_TABLE = re.compile(r".*\.(xlsx?|xlsm|xlsb|et|ods|csv|tsv|txt|orc|avro|json|zip|gz)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Piece:
    """Some rows of one file: from its row `first` on so many, which are the rows from `at` on of the whole table."""

    file: Received
    first: int
    rows: int
    at: int


@dataclass(frozen=True)
class Pieces:
    """The pieces of one bucket, in order; how many rows the whole table has, and (name, rows) of each of its files.

    `header` and `head` are the whole table's: by them its kind is told, whichever bucket is read.
    """

    pieces: tuple[Piece, ...]
    rows: int
    files: tuple[tuple[str, int], ...]
    header: tuple[str, ...]
    head: pl.DataFrame

    @property
    def at(self) -> int:
        """The row of the whole table at which the bucket begins."""
        return self.pieces[0].at if self.pieces else 0

    def cells(self) -> Iterator[pl.DataFrame]:
        """All rows of the bucket in batches: as text, called c0, c1 …; one batch at least."""
        if not self.pieces:
            yield self.head.clear()
        for piece in self.pieces:
            with opening_parquet(piece.file):
                yield from read_rows(piece.file, self.header, piece.first, piece.rows)

    def contents(self, name: str) -> Contents:
        """The bucket as a table that was opened."""
        return Contents(
            name, "parquet", None, (Grid("", self.head, lambda: trimmed(self.cells()), header=self.header),)
        )


def read_pieces(path: Path, only: Choice | None, bucket: tuple[int, int] | None = None) -> Pieces:
    """A file, or the files in a folder; or of them one `bucket`: which (from 0), of how many.

    Raises UsageError where the folder has more buckets, or the file is no Parquet.
    """
    files = _files(path)
    received = [Received(file.relative_to(path).as_posix() if file != path else path.name, file) for file, _ in files]
    for file in received:
        if file.kind() != "parquet":
            raise UsageError(
                tr("only Parquet can be read in buckets") if bucket else tr("this is no Parquet, or it is damaged"),
                where=file.name,
                try_=tr("the same command without --bucket")
                if bucket and file.path == path
                else tr("take it out of the folder"),
            )
    header = tuple(parquet_columns(received[0], only))
    rows = [_rows_of(file, header) for file in received]
    with opening_parquet(received[0]):
        head = next(read_rows(received[0], header, 0, HEAD_ROWS), pl.DataFrame())
    nth, of = bucket or (0, 1)
    named = [own for _, own in files if own is not None] if bucket else []
    if named and max(named) >= of:
        raise UsageError(
            tr("there is a bucket={last}, and only buckets below {of} were asked for", last=max(named), of=of),
            where=path.name,
            try_=tr("--bucket {nth}/{all}", nth=nth, all=max(named) + 1),
        )
    total, pieces, at = sum(rows), list[Piece](), 0
    begin, end = total * nth // of, total * (nth + 1) // of
    for file, count, (_, own) in zip(received, rows, files, strict=True):
        first, last = (0, count * (own == nth)) if named else (max(begin - at, 0), min(end - at, count))
        if first < last:
            pieces.append(Piece(file, first, last - first, at + first))
        at += count
    told = tuple((file.name, count) for file, count in zip(received, rows, strict=True))
    return Pieces(tuple(pieces), total, told, header, head)


def buckets_of(path: Path) -> int | None:
    """How many buckets a folder has by its names bucket=K; None where it has none."""
    named = [own for _, own in _files(path) if own is not None]
    return max(named) + 1 if named else None


def in_order(names: Iterable[str], where: str) -> list[tuple[str, int | None]]:
    """The Parquet files of a folder, by their paths in it, in the order in which their rows are counted; each with its bucket."""
    found = [PurePosixPath(name) for name in names]
    found = [name for name in found if not any(part.startswith(("_", ".")) for part in name.parts)]
    if not found:
        raise InputMissingError(
            tr("no Parquet file lies in this folder"),
            where=where,
            why=tr("names that begin with _ or . are a platform's own and are left out"),
            try_=tr("the folder in which the files *.parquet, or folders bucket=K, lie"),
        )
    buckets = [int(told[1]) if (told := _BUCKET.fullmatch(name.parts[0])) else None for name in found]
    if len({bucket is None for bucket in buckets}) > 1:
        astray = next(name for name, bucket in zip(found, buckets, strict=True) if bucket is None)
        raise BadDataError(
            tr("some files lie in folders bucket=K, and this one does not"),
            where=f"{where}/{astray}",
            try_=tr("take it out of the folder, or put it into its bucket"),
        )
    named = ((name.as_posix(), bucket) for name, bucket in zip(found, buckets, strict=True))
    return sorted(named, key=lambda each: (each[1] or 0, each[0]))


def _files(path: Path) -> list[tuple[Path, int | None]]:
    """The Parquet files, in order, each with its bucket."""
    if not path.is_dir():
        return [(path, None)]
    names = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    inside = [name for name in names if name.lower().endswith(".parquet")]
    others = [name for name in names if name not in set(inside) and _may_be_a_table(name)]
    if inside and others:
        raise UsageError(
            tr("between files of Parquet lies another one, which would not be read"),
            where=f"{path.name}/{others[0]}",
            try_=tr("take it out of the folder, or give it by a command of its own"),
        )
    return [(path / name, bucket) for name, bucket in in_order(inside, path.name)]


def _may_be_a_table(name: str) -> bool:
    """Whether people would miss its rows; what begins with _ or . is a platform's own."""
    return bool(_TABLE.fullmatch(name)) and not any(part.startswith(("_", ".")) for part in PurePosixPath(name).parts)


def _rows_of(file: Received, header: Sequence[str]) -> int:
    """How many rows there are. Raises BadDataError where a file lacks a column of the first one."""
    lacking = set(header) - set(parquet_columns(file))
    if lacking:
        raise BadDataError(
            tr("this file has not the columns of the first one"),
            where=file.name,
            try_=tr("one folder for each kind of table"),
        )
    with opening_parquet(file):
        return count_rows(file)
