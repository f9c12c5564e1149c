"""What an executor's Python does: rows of whole parts come in, the stage runs on each part, rows of what it says go out.

Errors are told by their type and by the line of ours that met them. Their text may quote a cell, and would stand in the logs of
every computer that it passes.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from fupin_cli import __version__
from fupin_cli.engine.packing import REST, as_rows, of_rows, pack, unpack
from fupin_cli.errors import FupinError
from fupin_cli.language import speak
from fupin_cli.rundir import code_hash

if TYPE_CHECKING:
    import pyarrow as pa

SAID, FILE, REFUSED, FAILED, OTHER = "said/", "file/", "refused/", "failed", "other program"
_HOME = Path(__file__).parents[1]


@dataclass(frozen=True)
class Order:
    """Which stage to run, what all parts share (a broadcast of Spark's, packed), by which program, and how it speaks."""

    stage: Callable[[Any, Any, Path], Any]
    shared: Any
    program: str
    language: str = "en"

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """What Spark calls for each partition, by mapInArrow."""
        import pyarrow as pa  # noqa: PLC0415 - takes a tenth of a second to load, and only executors need it

        # to the letter what was declared to Spark: plain strings, plain binaries, no large ones
        schema = pa.schema([("part", pa.int64()), ("tag", pa.string()), ("nth", pa.int64()), ("data", pa.binary())])
        rows = (tuple(row.values()) for batch in batches for row in batch.to_pylist())
        parts = of_rows(rows)
        speak(self.language)
        shared = unpack(self.shared.value) if parts and self.program == this_program() else None
        while parts:
            part = min(parts)
            for row in as_rows(part, self._answer(shared, part, parts.pop(part))):
                columns = [pa.array([value], field.type) for value, field in zip(row, schema, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def _answer(self, shared: Any, number: int, tagged: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
        """What the stage says of one part, and the files that it left; or why there is nothing of that."""
        if self.program != this_program():
            yield OTHER, this_program().encode()
            return
        with tempfile.TemporaryDirectory(prefix="fupin-", dir=_own_disk()) as folder:
            try:
                # a part that was sent, or a file that lay there, or was left there by an earlier stage
                part = unpack(tagged) if REST in tagged else (number, files_in(tagged))
                said = pack(self.stage(shared, part, Path(folder)))
            except FupinError as refused:
                yield from ((REFUSED + tag, data) for tag, data in pack(refused).items())  # in words of ours
                return
            except OSError as error:
                # a full disk, perhaps: Spark tries again, on another computer where it can
                raise OSError(error.errno, "a part could not be worked on here") from None
            except Exception as error:  # noqa: BLE001 - the same part would fail anywhere
                yield FAILED, told(error).encode()
                return
            yield from ((SAID + tag, data) for tag, data in said.items())
            for path in sorted(Path(folder).iterdir()):
                yield FILE + path.name, path.read_bytes()


def _own_disk() -> str | None:
    """A folder that Spark removes at its end, however a worker ends; the system's own where this is no worker."""
    pyspark = sys.modules.get("pyspark")
    return str(pyspark.SparkFiles.getRootDirectory()) if pyspark else None


def files_in(tagged: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files among what is carried, by their names."""
    return {tag.removeprefix(FILE): data for tag, data in tagged.items() if tag.startswith(FILE)}


def this_program() -> str:
    """Which program this is: two that differ need not say the same of one household."""
    return f"fupin {__version__} ({code_hash()[:12]}), polars {pl.__version__}"


def told(error: BaseException) -> str:
    """An error by its type and the innermost line of ours."""
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(_HOME)]
    at = f" ({Path(lines[-1].filename).relative_to(_HOME)}, {lines[-1].lineno})" if lines else ""
    return f"{type(error).__name__}{at}"
