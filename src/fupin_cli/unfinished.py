"""What is being written and not yet finished: files and folders that must not outlive the program, however it ends.

A command that ends in order removes its own. One that must end at once, in the middle of a library's long call, cannot: then
whoever ends it calls `remove_unfinished`, from any thread, and the program is gone before anything else happens.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_paths: set[Path] = set()
_settling = threading.Lock()
_settlers: list[int] = []  # the thread that settles something
_held: list[BaseException] = []  # what must wait until it has
_landed = threading.Event()
_PATIENCE = 0.3  # seconds: renames take a thousandth of that
_ATTEMPTS = 5  # another thread may still be putting files into a folder that is being removed


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """The path, to be written to; whatever is there when the block ends is removed, unless `finished` was said of it."""
    _paths.add(path)
    try:
        yield path
    finally:
        if path in _paths:
            try:
                remove(path)
            except BaseException:  # a signal, which comes once: what it broke off is done again
                remove(path)
                raise
            finally:
                _paths.discard(path)


def finished(path: Path) -> None:
    """From now on the path stays."""
    _paths.discard(path)


@contextmanager
def settling() -> Iterator[None]:
    """For the moment in which what was written gets its name: nothing is removed from under it, and no signal breaks it off."""
    with _settling:
        _settlers.append(threading.get_ident())
        try:
            yield
        finally:
            _settlers.pop()
            if _held and threading.current_thread() is threading.main_thread():
                raise _held.pop()


def hold(error: BaseException) -> bool:
    """Whether the error waits until the main thread, which asks, has settled what it is at; False where it is at nothing."""
    waits = threading.get_ident() in _settlers
    if waits:
        _held.append(error)
    return waits


def landed() -> None:
    """What was written has its name: whatever ends the program now, it does not leave earlier results in place."""
    _landed.set()


def has_landed() -> bool:
    """Whether anything of this process has taken the place of earlier results."""
    return _landed.is_set()


def remove_unfinished() -> None:
    """Removes everything that is unfinished. The program must end right after: nothing can be finished any more."""
    if _settling.acquire(timeout=_PATIENCE):  # and never given back
        for path in tuple(_paths):
            remove(path)


def remove(path: Path) -> None:
    """The path is gone afterwards, be it a file, a folder with everything in it, a link, or nothing."""
    with contextlib.suppress(OSError):
        if not path.is_dir() or path.is_symlink():
            path.unlink(missing_ok=True)
            return
    for _ in range(_ATTEMPTS):
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            return
