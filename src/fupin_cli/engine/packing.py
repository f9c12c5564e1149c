"""A thing made of frames → rows of four columns, which any version of Spark carries as they are; and back.

    part    tag         nth   data
    17      frame-0     0     the first 4 MiB of one frame, as an Arrow file
    17      frame-0     1     …
    17      rest        0     what holds the frames together, pickled

Every side of a comparison is a tag of one table, so that one shuffle by `part` brings together what belongs together. No type of
a frame is ever shown to Spark: it would change some of them (Date, Enum, lists), and which ones depends on its version.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

CHUNK = 4 << 20  # bytes in one row
ROWS = pl.Schema({"part": pl.Int64(), "tag": pl.String(), "nth": pl.Int64(), "data": pl.Binary()})
REST = "rest"


def pack(thing: Any) -> dict[str, bytes]:
    """Each frame inside the thing under a tag of its own, once however often it stands there; and what holds them together."""
    rest = io.BytesIO()
    packer = _Packer(rest)
    packer.dump(thing)
    return {f"frame-{n}": _written(frame) for n, frame in enumerate(packer.frames)} | {REST: rest.getvalue()}


def unpack(tagged: Mapping[str, bytes]) -> Any:
    """The thing that was packed."""
    return _Unpacker(tagged).load()


def as_rows(part: int, tagged: Iterable[tuple[str, bytes]]) -> Iterator[tuple[int, str, int, bytes]]:
    """The rows that carry this; what is empty is one row, too."""
    for tag, data in tagged:
        for nth, start in enumerate(range(0, max(len(data), 1), CHUNK)):
            yield part, tag, nth, data[start : start + CHUNK]


def of_rows(rows: Iterable[tuple[int, str, int, bytes]]) -> dict[int, dict[str, bytes]]:
    """By part and tag what rows carry, in whatever order they come."""
    found: dict[int, dict[str, dict[int, bytes]]] = {}
    for part, tag, nth, data in rows:
        found.setdefault(part, {}).setdefault(tag, {})[nth] = data
    return {
        part: {tag: b"".join(data for _, data in sorted(pieces.items())) for tag, pieces in sorted(tagged.items())}
        for part, tagged in sorted(found.items())
    }


def _written(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_ipc(file)
    return file.getvalue()


class _Packer(pickle.Pickler):
    """Leaves frames out, and a number in the place of each."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self.frames: list[pl.DataFrame] = []
        self._known: dict[int, int] = {}

    def persistent_id(self, thing: Any) -> int | None:
        """The frame's number; None for whatever is no frame, and for one without columns, which pickle takes."""
        if not isinstance(thing, pl.DataFrame) or not thing.width:
            return None
        if id(thing) not in self._known:
            self._known[id(thing)] = len(self.frames)
            self.frames.append(thing)
        return self._known[id(thing)]


class _Unpacker(pickle.Unpickler):
    """Puts the frames back; it reads what this program has packed and nothing else."""

    def __init__(self, tagged: Mapping[str, bytes]) -> None:
        super().__init__(io.BytesIO(tagged[REST]))
        self._tagged = tagged
        self._frames: dict[int, pl.DataFrame] = {}

    def persistent_load(self, number: Any) -> pl.DataFrame:
        """The frame of this number, read once."""
        if number not in self._frames:
            self._frames[number] = pl.read_ipc(io.BytesIO(self._tagged[f"frame-{number}"]))
        return self._frames[number]
