"""What an executor's Python does: rows of whole parts come in, the stage runs on each part, rows of what it says go out.

Errors are told by their type and by the line of ours that met them. Their text may quote a cell, and would stand in the logs of
every computer that it passes.
"""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from fupin_cli import __version__
from fupin_cli.engine.packing import as_rows, of_rows, pack, unpack
from fupin_cli.rundir import code_hash

if TYPE_CHECKING:
    import pyarrow as pa

SAID, FILE, FAILED, OTHER = "said/", "file/", "failed", "other program"
_HOME = Path(__file__).parents[1]


@dataclass(frozen=True)
class Order:
    """Which stage to run, what all parts share (a broadcast of Spark's, packed and pickled), and by which program."""

    stage: Callable[[Any, Any, Path], Any]
    shared: Any
    program: str

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """What Spark calls for each partition, by mapInArrow."""
        import pyarrow as pa  # noqa: PLC0415 - takes a tenth of a second to load, and only executors need it

        # to the letter what was declared to Spark: plain strings, plain binaries, no large ones
        schema = pa.schema([("part", pa.int64()), ("tag", pa.string()), ("nth", pa.int64()), ("data", pa.binary())])
        rows = (tuple(row.values()) for batch in batches for row in batch.to_pylist())
        parts = of_rows(rows)
        shared = unpack(self.shared.value) if parts and self.program == this_program() else None
        while parts:
            part = min(parts)
            for row in as_rows(part, self._answer(shared, parts.pop(part))):
                columns = [pa.array([value], field.type) for value, field in zip(row, schema, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def _answer(self, shared: Any, tagged: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
        """What the stage says of one part, and the files that it left; or why there is nothing of that."""
        if self.program != this_program():
            yield OTHER, this_program().encode()
            return
        with tempfile.TemporaryDirectory(prefix="fupin-") as folder:
            try:
                said = pack(self.stage(shared, unpack(tagged), Path(folder)))
            except OSError as error:
                # a full disk, perhaps: Spark tries again, on another computer where it can
                raise OSError(error.errno, "a part could not be worked on here") from None
            except Exception as error:  # noqa: BLE001 - the same part would fail anywhere
                yield FAILED, told(error).encode()
                return
            yield from ((SAID + tag, data) for tag, data in said.items())
            for path in sorted(Path(folder).iterdir()):
                yield FILE + path.name, path.read_bytes()


def this_program() -> str:
    """Which program this is: two that differ need not say the same of one household."""
    return f"fupin {__version__} ({code_hash()[:12]}), polars {pl.__version__}"


def told(error: BaseException) -> str:
    """An error by its type and the innermost line of ours."""
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(_HOME)]
    at = f" ({Path(lines[-1].filename).relative_to(_HOME)}, {lines[-1].lineno})" if lines else ""
    return f"{type(error).__name__}{at}"
