"""Parquet files that fail as other files do: a disk that takes no more is an OSError, whatever the library calls it."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

_TOLD = re.compile(r"\(os error (\d+)\)")


def write_parquet(frame: pl.DataFrame, path: Path, **how: Any) -> None:
    """The frame is in the file; `how` is what Polars takes. Raises OSError where the disk does not take it."""
    with disk_faults(path):
        frame.write_parquet(path, **how)


@contextmanager
def disk_faults(path: Path) -> Iterator[None]:
    """Around nothing but the writing of a Parquet file: Polars' ComputeError becomes the OSError that was behind it.

    Where the disk fills up at the end of the file Polars keeps silent about the reason ("transport error"): that is EIO then.
    """
    try:
        yield
    except pl.exceptions.ComputeError as error:
        number = int(told[1]) if (told := _TOLD.search(str(error))) else errno.EIO
        raise OSError(number, os.strerror(number), str(path)) from None
