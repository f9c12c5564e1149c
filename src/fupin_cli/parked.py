"""Tables that lie on the disk while the program works, mapped into memory: only what is looked at takes any of it.

Such a file has no name once it is mapped. It is gone with the last frame that reads it, or with the process, however that ends.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import polars as pl

from fupin_cli.parquet import disk_faults

Park: TypeAlias = Callable[[pl.DataFrame], pl.DataFrame]
_ROWS = 100_000  # in one batch at least
_BATCHES = 7  # rows are looked up quickly in so many, and not in more


def in_memory(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame as it is: for registers that fit, and where a file that is mapped cannot be removed (Windows)."""
    return frame


def on_disk(folder: Path) -> Park:
    """What puts a frame into a private file of `folder`, and gives back the same frame out of it.

    It raises OSError where the disk does not take it.
    """

    def park(frame: pl.DataFrame) -> pl.DataFrame:
        if not (frame.height and frame.width):
            return frame
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".arrow") as file:
            with disk_faults(Path(file.name)):
                # a single batch would be put together in memory first, and take twice as long
                frame.write_ipc(file.name, record_batch_size=max(_ROWS, frame.height // _BATCHES))
            return mapped(Path(file.name)).cast(frame.schema)

    return in_memory if os.name == "nt" else park


def gathered(frames: Iterable[pl.DataFrame], least: int | None) -> Iterator[pl.DataFrame]:
    """The frames in order, short ones put together to so many rows at `least`; all of them into one, where it is None."""
    together: list[pl.DataFrame] = []
    for frame in frames:
        together.append(frame)
        if least is not None and sum(part.height for part in together) >= least:
            yield _whole(together)
            together = []
    if together:
        yield _whole(together)


def _whole(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return frames[0] if len(frames) == 1 else pl.concat(frames, rechunk=True)


def mapped(path: Path) -> pl.DataFrame:
    """The frame of an Arrow file as it lies there: Polars would read it into memory, pyarrow maps it."""
    import pyarrow as pa  # noqa: PLC0415 - takes a tenth of a second to load, and only large registers need it

    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    return pl.DataFrame(pl.from_arrow(table, rechunk=False))
