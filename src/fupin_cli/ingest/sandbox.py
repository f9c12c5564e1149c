"""A process of its own for the parsers of binary workbooks: it may run out of memory, hang or die without taking fupin along.

Parsers of untrusted files abort the process on an impossible allocation (measured: one stray cell asks for 550 GB). The child
gets a limit of memory and a limit of time for each file; whatever happens to it becomes `ParserFailed` here. It speaks over
its standard streams only: a line of JSON, then the bytes that it announces. What it prints on stderr may quote cells, so
nobody hears it.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

import polars as pl

from fupin_cli.errors import FupinError

_FREE_MEMORY = 1 << 30  # what a small file may use, the interpreter included
_PER_BYTE = 40  # a cell costs some 30 bytes of XML and up to a kilobyte of objects while it is converted
_FREE_SECONDS, _BYTES_A_SECOND = 20.0, 1 << 19  # ordinary workbooks unpack and parse at 20 MB a second and more
_MOMENT = 0.5
_LARGE = 16 << 20
MOST_TEXT = 1 << 20  # of a cell, in bytes; Excel allows 32,767 characters
MOST_SHEETS = 1_000  # of a file; to look for a table in each takes some hundredths of a second


class ParserFailed(Exception):  # noqa: N818 - it is an answer, not a fault of ours
    """The child could not read a file. `reason` is password, damaged, stretched, sheets, memory or time."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ParsedSheet(NamedTuple):
    """One sheet as the child hands it over: its cells as text, whether it is shown, its merged ranges.

    `hidden` counts hidden rows and columns where the parser sees them.
    """

    name: str
    visible: bool
    merged: tuple[tuple[int, int, int, int], ...]
    cells: pl.DataFrame
    hidden: tuple[int, int] = (0, 0)


@contextmanager
def parsing(kind: str, data: bytes, unpacked: int) -> Iterator[Future[list[ParsedSheet]]]:
    """The sheets of a file, coming from a process of its own while the block goes on; `unpacked` is its size without compression.

    `kind` is workbook, markup (UTF-8), mail, or a question about a Parquet file.

    The result raises ParserFailed; if the block raises, nobody waits for it.
    """
    with _borrowed() as child, ThreadPoolExecutor(1) as pool:
        coming = pool.submit(child.parse, kind, data, unpacked)
        try:
            yield coming
        except BaseException as error:
            # a file that is refused is mostly parsed in a moment, and a new process would take longer than that
            wait((coming,), _MOMENT if isinstance(error, FupinError) else 0)
            if not coming.done():
                child.stop()
            raise


class _Child:
    """One parser process; it reads file after file until it dies or is no longer needed."""

    def __init__(self) -> None:
        # -P: a file called polars.py in the folder of the data is not our polars
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "fupin_cli.ingest.parser"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.late = self.was_large = False

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def parse(self, kind: str, data: bytes, unpacked: int) -> list[ParsedSheet]:
        to_child, from_child = self._process.stdin, self._process.stdout
        if to_child is None or from_child is None:
            raise AssertionError
        self.was_large |= unpacked > _LARGE
        watchdog = threading.Timer(_FREE_SECONDS + unpacked / _BYTES_A_SECOND, self._stop_late)
        watchdog.daemon = True
        watchdog.start()
        try:
            send(to_child, {"kind": kind, "memory": _FREE_MEMORY + _PER_BYTE * unpacked}, [data])
            said, frames = receive(from_child)
        except (EOFError, OSError, ValueError):
            self.stop()
            raise ParserFailed("time" if self.late else "memory") from None
        except BaseException:
            self.stop()  # interrupted in the middle of an answer: the rest of it must not answer the next question
            raise
        finally:
            watchdog.cancel()
        if "failed" in said:
            raise ParserFailed(said["failed"])
        return [
            ParsedSheet(name, visible, tuple(map(tuple, merged)), pl.read_ipc_stream(io.BytesIO(frame)), tuple(hidden))
            for (name, visible, merged, hidden), frame in zip(said["sheets"], frames, strict=True)
        ]

    def _stop_late(self) -> None:
        self.late = True
        self.stop()

    def end(self) -> None:
        """Lets an idle process end as programs do: nobody asks any more. One that does not within a moment is stopped."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_MOMENT)
        self.stop()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # what was still to be sent is no longer wanted
                    stream.close()


_idle: list[_Child] = []
_lock = threading.Lock()


@contextmanager
def _borrowed() -> Iterator[_Child]:
    with _lock:
        child = _idle.pop() if _idle else None
    if child is None or not child.alive:
        child = _Child()
    try:
        yield child
    finally:
        if child.was_large:
            child.end()  # it keeps the memory that it used, which would count against the next file
        elif child.alive:
            with _lock:
                _idle.append(child)


@atexit.register
def _stop_all() -> None:
    with _lock:
        for child in _idle:
            child.end()
        _idle.clear()


def send(stream: IO[bytes], said: Mapping[str, Any], payloads: Sequence[bytes]) -> None:
    """One message: a line of JSON that announces the bytes behind it."""
    head = json.dumps({**said, "sizes": [len(p) for p in payloads]}).encode() + b"\n"
    stream.write(head)
    for payload in payloads:
        stream.write(payload)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """The next message; EOFError where the other side has gone."""
    head = stream.readline()
    if not head:
        raise EOFError
    said = json.loads(head)
    payloads = []
    for size in said["sizes"]:
        payload = stream.read(size)
        if len(payload) < size:
            raise EOFError
        payloads.append(payload)
    return said, payloads
