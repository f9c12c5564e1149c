"""What has been read before: rows as canonical Parquet, found again by the hash of the file, its profile and the program.

An entry appears whole or not at all, is readable by its owner only, and may be deleted at any time. Files under a password are
never kept: they would lie here without it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl

from fupin_cli import __version__
from fupin_cli.ingest.cells import Doubt
from fupin_cli.ingest.profile import SourceProfile
from fupin_cli.ingest.received import Received
from fupin_cli.ingest.sheet_report import SheetReport
from fupin_cli.ingest.sheets import Keep, Part, in_memory
from fupin_cli.parquet import write_parquet
from fupin_cli.unfinished import settling, unfinished

_INDEX, _PARTIAL, _DAY = "parts.json", ".partial-", 86_400
_PROGRAM = ("ingest", "normalise", "vocabulary.py")  # what decides how a file is read


class Store:
    """A folder of entries, one for each file that was read under one profile; without a folder nothing is remembered."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def parts(
        self,
        file: Received,
        profile: SourceProfile,
        doubt: Doubt,
        sheets: Sequence[str],
        read: Callable[[Keep], Iterator[Part]],
    ) -> list[Part]:
        """The parts of a file, from the store if it has them; else as `read` gives them, and kept.

        Where the store cannot be written or is damaged, the file is read as if there were none.
        """
        if self.folder is None:
            return list(read(in_memory))
        with ThreadPoolExecutor(1) as pool:  # where nothing here can be the file, it is hashed while it is read
            key = pool.submit(_key, file, profile, doubt, sheets)
            if any(entry.name.startswith(_size_of(file)) for entry in self._entries()):
                with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                    return _loaded(self.folder / key.result())
            with unfinished(self.folder / f"{_PARTIAL}{uuid4().hex}") as partial:
                try:
                    partial.mkdir(mode=0o700, parents=True)
                except OSError:
                    return list(read(in_memory))
                found = list(read(_keeper(partial)))
                if not all(
                    isinstance(frame, Path)
                    for part in found
                    for frame in (*part.rows, *part.set_aside, *part.mentioned)
                ):
                    return found
                _publish(found, partial, self.folder / key.result())
                return _loaded(self.folder / key.result())

    def prune(self, days: float, *, really: bool = True) -> tuple[int, int]:
        """How many entries unused for so many days were deleted, and how many bytes; unfinished ones go after a day.

        With `really` false they stay, and are only counted.
        """
        count = size = 0
        now = time.time()
        for entry in self._entries():
            oldest = min(days, 1.0) if entry.name.startswith(_PARTIAL) else days
            with contextlib.suppress(OSError):
                if now - entry.stat().st_mtime >= oldest * _DAY:
                    size += sum(file.stat().st_size for file in entry.iterdir())
                    if really:
                        shutil.rmtree(entry)
                    count += 1
        return count, size

    def size(self) -> tuple[int, int]:
        """How many entries there are, and their bytes."""
        entries = self._entries()
        return len(entries), sum(file.stat().st_size for entry in entries for file in entry.iterdir())

    def _entries(self) -> list[Path]:
        found = self.folder.iterdir() if self.folder and self.folder.is_dir() else ()
        return [entry for entry in found if entry.is_dir()]


def _key(file: Received, profile: SourceProfile, doubt: Doubt, sheets: Sequence[str]) -> str:
    # a set is written in another order by every process
    known = (replace(profile, own=frozenset()), sorted(profile.own))
    said = repr((file.name, file.sha256(), known, sorted(doubt.codes), doubt.float_ids, tuple(sheets), _program()))
    return _size_of(file) + hashlib.sha256(said.encode()).hexdigest()[:32]


def _size_of(file: Received) -> str:
    """How the names of a file's entries begin: most files are told apart by their size alone."""
    return f"{file.size():x}-"


@cache
def _program() -> str:
    """The version of everything that reads: a change of the code must never meet rows that the old code made."""
    digest = hashlib.sha256(f"{__version__} {pl.__version__}".encode())
    home = Path(str(resources.files("fupin_cli")))
    for name in _PROGRAM:
        place = home / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _keeper(folder: Path) -> Keep:
    counter = iter(range(1 << 31))

    def keep(frame: pl.DataFrame) -> Path:
        path = folder / f"{next(counter):06}.parquet"
        path.touch(mode=0o600, exist_ok=False)
        # columns that the file lacks are the same for every row: they come back from the profile
        frame = frame.select(column for column in frame.columns if frame[column].null_count() < frame.height)
        write_parquet(frame, path, compression="lz4", statistics=False)
        return path

    return keep


def _publish(parts: Sequence[Part], partial: Path, entry: Path) -> None:
    index = [
        {
            "report": asdict(part.report),
            "rows": [path.name for path in part.rows if isinstance(path, Path)],
            "set_aside": [path.name for path in part.set_aside if isinstance(path, Path)],
            "mentioned": [path.name for path in part.mentioned if isinstance(path, Path)],
            "data_rows": part.data_rows,
            "counts": [[*key, count] for key, count in part.counts.items()],
        }
        for part in parts
    ]
    (partial / _INDEX).touch(mode=0o600, exist_ok=False)
    (partial / _INDEX).write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")
    for path in partial.iterdir():
        with path.open("rb") as written:
            os.fsync(written.fileno())
    try:
        with settling():
            partial.rename(entry)
    except OSError:  # something is there: the same, from another run meanwhile, or a damaged one
        try:
            _loaded(entry)
        except (OSError, ValueError, KeyError, TypeError):
            shutil.rmtree(entry, ignore_errors=True)
            partial.rename(entry)


def _loaded(entry: Path) -> list[Part]:
    index = json.loads((entry / _INDEX).read_text(encoding="utf-8"))
    parts = [
        Part(
            report=SheetReport(**{key: _tuples(value) for key, value in part["report"].items()}),
            rows=tuple(entry / name for name in part["rows"]),
            set_aside=tuple(entry / name for name in part["set_aside"]),
            mentioned=tuple(entry / name for name in part["mentioned"]),
            data_rows=part["data_rows"],
            counts=Counter({(kind, name): count for kind, name, count in part["counts"]}),
        )
        for part in index
    ]
    if not all(
        (entry / name).is_file() for part in index for name in (*part["rows"], *part["set_aside"], *part["mentioned"])
    ):
        raise ValueError
    os.utime(entry)
    return parts


def _tuples(value: Any) -> Any:
    """JSON's lists as the tuples that they were."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
