"""A list that is read in buckets, each by a program of its own, and linked when all of them are there.

    fupin link REGISTER EXTRACT --bucket 0/64 -o FOLDER ──► FOLDER/bucket-00000-of-00064.parquet    keys of a bucket's people
    …                                                  ──► …
    fupin link REGISTER EXTRACT --buckets FOLDER -o links.parquet                                    links of all of them

Who is whose match hangs on everybody: how common a name is, who else bears a number, which households are joined already. So a
bucket is only read, and what linking compares of it kept, as small as it can be. Links are the same as of the list read at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import polars as pl

from fupin_cli import __version__
from fupin_cli.errors import BadDataError, InputMissingError, typed
from fupin_cli.ingest import People, PeopleBucket, SourceProfile, read_bucket
from fupin_cli.ingest.pieces import buckets_of, read_pieces
from fupin_cli.language import tr
from fupin_cli.linkage.reach import Parted, part_buckets
from fupin_cli.parquet import write_parquet
from fupin_cli.rundir import code_hash, replace_file
from fupin_cli.vocabulary import KEYS

_TOLD = "fupin"  # under which a bucket's file says what it is of


@dataclass(frozen=True)
class Joined:
    """All buckets of a list: each call of `buckets` gives the keys of one; `people` says who was read, without their keys."""

    buckets: Sequence[partial[pl.DataFrame]]
    people: People
    further: pl.DataFrame  # at and data_row of further people of a row

    def part(self, register: pl.DataFrame) -> Parted:
        """The list as it is linked with this register (KEYS)."""
        return part_buckets(self.buckets, self.people.height, register)

    def rows_of(self, links: pl.DataFrame) -> People:
        """The people, who know the data rows of everybody in these links."""
        return self.people.with_rows(self.further, links["extract_row"])


def keep_bucket(extract: Path, folder: Path, nth: int, of: int, profiles: Mapping[str, SourceProfile]) -> Path:
    """Reads one bucket (from 0) of so many; gives back the file of its keys, which appears whole or not at all."""
    content = {piece.file.name: piece.file.sha256() for piece in read_pieces(extract, None, (nth, of)).pieces}
    bucket = read_bucket(extract, profiles, nth, of)
    target = folder / _name(nth, of)
    with replace_file(target) as staged:
        told = json.dumps(_told(bucket) | {"content": content}, ensure_ascii=False)
        write_parquet(bucket.keys, staged, compression="zstd", metadata={_TOLD: told})
    return target


def join_buckets(extract: Path, folder: Path, this_command: Sequence[str | Path]) -> Joined:
    """All buckets of the list that lie in the folder; none of them is read yet.

    Raises InputMissingError where one is not there, BadDataError where one is of another list or by another program.
    `this_command` is what a bucket is made by.
    """
    found = {path: _said(path) for path in sorted(folder.glob("bucket-*-of-*.parquet"))}
    counts = {path.stem.rpartition("-")[2] for path in found}
    if len(counts) != 1:
        divisions = ", ".join(str(int(count)) for count in sorted(counts))
        raise InputMissingError(
            tr("buckets of several divisions lie here: {counts}", counts=divisions)
            if counts
            else tr("there are no buckets here"),
            where=str(folder),
            try_=tr("keep the files of one division only, or make all of them in an empty folder")
            if counts
            else typed(*this_command, "--bucket", f"0/{buckets_of(extract) or 64}", "-o", folder),
        )
    of = int(counts.pop())
    lost = [n for n in range(of) if folder / _name(n, of) not in found]
    if lost:
        raise InputMissingError(
            tr("of {of} buckets these are not there: {lost}", of=of, lost=", ".join(map(str, lost))),
            where=str(folder),
            try_=typed(*this_command, "--bucket", f"{lost[0]}/{of}", "-o", folder),
        )
    _refuse_others(found, extract, [*this_command, "-o", folder])
    said = list(found.values())
    end = max(each["end"] for each in said)
    # further people of a row are numbered behind the last row, as in a list that is read at once
    starts = list(accumulate((each["further"] for each in said[:-1]), initial=end))
    buckets = [partial(_keys_of, path, end, first) for path, first in zip(found, starts, strict=True)]
    further = [_further(_file(path, end), first) for path, first in zip(found, starts, strict=True)]
    first = said[0]
    people = People(
        pl.DataFrame(),
        columns=tuple((field, header) for field, header in first["columns"]),
        strangers=tuple(first["strangers"]),
        near=tuple(first["near"]),
        count=end + sum(each["further"] for each in said),
    )
    return Joined(buckets, people, pl.concat(further))


def _refuse_others(found: Mapping[Path, Mapping[str, Any]], extract: Path, this_command: Sequence[str | Path]) -> None:
    """BadDataError, which names all of them, where buckets are not of this list as it is now, or not made alike."""
    pieces = read_pieces(extract, None)
    files = [[name, rows] for name, rows in pieces.files]
    content = {piece.file.name: piece.file.sha256() for piece in pieces.pieces}
    columns = next(iter(found.values()))["columns"]
    of_another = [
        path
        for path, told in found.items()
        if told["files"] != files or any(content.get(name) != was for name, was in told["content"].items())
    ]
    faults = {
        tr("this bucket is not of this list, or the list has changed since"): of_another,
        tr("this bucket was made by another version of the program"): [
            path for path, told in found.items() if told["program"] != _program()
        ],
        tr("this bucket was read by another profile than the first one"): [
            path for path, told in found.items() if told["columns"] != columns
        ],
    }
    for why, stale in faults.items():
        if stale:
            numbers = [int(path.stem.split("-")[1]) for path in stale]
            raise BadDataError(
                why,
                where=stale[0].name if len(stale) == 1 else str(stale[0].parent),
                why=tr("to be made again: {numbers} of {of}", numbers=", ".join(map(str, numbers)), of=len(found)),
                try_=typed(*this_command, "--bucket", f"{numbers[0]}/{len(found)}"),
            )


def _keys_of(path: Path, end: int, behind: int) -> pl.DataFrame:
    """KEYS of one bucket; further people of a row are numbered from `behind` on."""
    nth = (pl.col("at").is_null()).cum_sum() - 1
    keys = _file(path, end).with_columns(pl.col("at").fill_null(nth.cast(pl.Int64) + behind)).collect()
    return KEYS.conform(keys.select(KEYS.names))


def _further(keys: pl.LazyFrame, behind: int) -> pl.DataFrame:
    """`at` and `data_row` of further people of a row."""
    rows = keys.filter(pl.col("at").is_null()).select("data_row").collect()
    return rows.select(pl.int_range(behind, behind + pl.len(), dtype=pl.Int64).alias("at"), "data_row")


def _file(path: Path, end: int) -> pl.LazyFrame:
    """A bucket's rows, without those that are empty at the whole list's end."""
    return pl.scan_parquet(path).filter(pl.col("data_row") < end)


def _name(nth: int, of: int) -> str:
    return f"bucket-{nth:05}-of-{of:05}.parquet"


def _told(bucket: PeopleBucket) -> dict[str, Any]:
    """What a bucket's file says of itself."""
    return {
        "program": _program(),
        "files": bucket.files,
        "end": bucket.end,
        "further": bucket.keys["at"].null_count(),
        "columns": bucket.told.columns,
        "strangers": bucket.told.strangers,
        "near": bucket.told.near,
    }


def _said(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(pl.read_parquet_metadata(path)[_TOLD]))
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError):
        raise BadDataError(tr("this is no bucket of ours"), where=path.name) from None


def _program() -> str:
    return f"fupin {__version__} {code_hash()}, polars {pl.__version__}"
