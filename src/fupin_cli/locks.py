"""One writer at a time: an operating-system lock, which a killed process cannot leave behind, and who holds it.

The lock is the file's, not its content: what is written there only tells the next one whom to wait for. On a network drive it
holds as far as the drive's own locks do.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from fupin_cli.errors import BusyError
from fupin_cli.language import tr

_POLL = 0.2  # seconds
_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: the process, its machine, and since when (local time with its offset)."""

    pid: int
    host: str
    since: str

    def __str__(self) -> str:
        return tr("process {pid} on {host}, since {since}", pid=self.pid, host=self.host, since=self.since)


@dataclass(frozen=True)
class Patience:
    """How many seconds to wait for another process, and where to say that we do."""

    seconds: float = 0.0
    say: Callable[[str], None] = lambda _: None


patience: ContextVar[Patience] = ContextVar("patience", default=Patience())  # noqa: B039 - it is frozen


@contextmanager
def locked(path: Path, target: Path, try_: str) -> Iterator[Holder | None]:
    """Holds the lock in the file `path` while the block runs; what comes back is who died holding it, if anybody did.

    Waits as `patience` says. Raises BusyError, which names the holder, where that is not enough.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        _wait_for(descriptor, target, try_)
        died = _holder(descriptor)
        _write(descriptor, json.dumps(asdict(_myself())))
        try:
            yield died
        finally:
            with contextlib.suppress(OSError):  # even that may fail on a failing disk, and it is no reason to
                _write(descriptor, "")
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, target: Path, try_: str) -> None:
    allowed, told = patience.get(), False
    until = time.monotonic() + allowed.seconds
    while not _taken(descriptor):
        holder = _holder(descriptor)
        who = str(holder) if holder else tr("its process has not said who it is")
        if time.monotonic() >= until:
            raise BusyError(tr("another run is writing here"), where=str(target), why=who, try_=tr(try_))
        if not told:
            allowed.say(tr("waiting for: {who}", who=who))
            told = True
        time.sleep(_POLL)


def _taken(descriptor: int) -> bool:
    try:
        _lock(descriptor)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        return False
    return True


def _myself() -> Holder:
    return Holder(os.getpid(), socket.gethostname(), datetime.now(tz=UTC).astimezone().isoformat(" ", "seconds"))


def _holder(descriptor: int) -> Holder | None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        told = json.loads(os.read(descriptor, 4096))
        return Holder(int(told["pid"]), str(told["host"]), str(told["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(descriptor: int, text: str) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.truncate(descriptor, 0)
    os.write(descriptor, text.encode())


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # a locked byte cannot be read: the holder's name stands before it
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
