"""A run directory that appears whole or not at all: lock, staging, manifest, one rename.

Order, and why: the lock first (a second run stops at once and touches nothing); files into a hidden staging folder beside the
target; each flushed to disk; the manifest last; then the old run steps aside and the new one takes its name. Whatever a killed
run left behind is put right by the next one, under the lock.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fupin_cli.errors import BusyError, DiskError, OutputError
from fupin_cli.language import tr

MANIFEST = "manifest.json"
PROGRAM = "fupin"


@contextmanager
def publish(target: Path) -> Iterator[Path]:
    """A staging folder to write into; when the block ends well it becomes `target`, when it fails nothing has changed.

    Raises BusyError while another run holds the target, OutputError where it cannot be created or is somebody else's folder.
    """
    target = target.absolute()
    mask = os.umask(0o077)  # outputs are about people: readable by their owner only
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target.with_name(f".{target.name}.lock"), target):
            staging, aside = (target.with_name(f".{target.name}.{part}") for part in ("partial", "previous"))
            _recover(target, staging, aside)
            _refuse_strangers(target)
            staging.mkdir(mode=0o700)
            try:
                yield staging
                flush(staging)
                _swap(staging, target, aside)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise _explained(error, target) from None
    finally:
        os.umask(mask)


@contextmanager
def replace_file(target: Path) -> Iterator[Path]:
    """A name to write to beside `target`; when the block ends well the file takes its place, else nothing has changed."""
    target = target.absolute()
    staged = target.with_name(f".{target.name}.partial")
    mask = os.umask(0o077)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.touch()
        yield staged
        staged.replace(target)
    except OSError as error:
        raise _explained(error, target) from None
    finally:
        staged.unlink(missing_ok=True)
        os.umask(mask)


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """manifest.json: the given facts, and the sha256 of every file already in the folder."""
    outputs = {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    text = json.dumps({"program": PROGRAM, **facts, "outputs": outputs}, ensure_ascii=False, indent=2, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def sha256(path: Path) -> str:
    """The file's SHA-256, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(*texts: str) -> str:
    """The SHA-256 of some texts, in hex, in whatever order they are given."""
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()


@contextmanager
def locked(path: Path, target: Path) -> Iterator[None]:
    """Holds an operating-system lock, which a killed process cannot leave behind."""
    with path.open("a") as file:
        try:
            _lock(file.fileno())
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                raise
            raise BusyError(
                tr("another run is writing here"),
                where=str(target),
                try_=tr("wait for it to finish, or name another folder with -o"),
            ) from None
        yield


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _recover(target: Path, staging: Path, aside: Path) -> None:
    """Puts right what a killed run left: a half-written staging goes, a run that had stepped aside comes back."""
    shutil.rmtree(staging, ignore_errors=True)
    if aside.exists():
        if target.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(target)


def _refuse_strangers(target: Path) -> None:
    """Only an untouched run of ours is ever replaced: an answered checklist, or anybody's own file, is worth more."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    outputs = _outputs_of(target)
    if outputs is None:
        raise OutputError(
            tr("this is not a fupin run, so it is left alone"),
            where=str(target),
            try_=tr("name a new or empty folder with -o"),
        )
    present = {path.relative_to(target).as_posix(): path for path in target.rglob("*") if path.is_file()}
    present.pop(MANIFEST, None)
    touched = sum(outputs.get(name) != sha256(path) for name, path in present.items())
    if touched:
        raise OutputError(
            tr("{touched} file(s) here were changed or added after the run, so it is left alone", touched=touched),
            where=str(target),
            why=tr("a checklist that somebody filled in would be lost"),
            try_=tr("name a new folder with -o, or move those files away"),
        )


def _outputs_of(target: Path) -> dict[str, str] | None:
    """What the run in this folder wrote, by its manifest; None where there is no manifest of ours."""
    try:
        manifest = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
        return dict(manifest["outputs"]) if manifest["program"] == PROGRAM else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def flush(folder: Path) -> None:
    """Waits until everything in the folder is on the disk."""
    for path in [*folder.rglob("*"), folder]:
        if path.is_file() or sys.platform != "win32":
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _swap(staging: Path, target: Path, aside: Path) -> None:
    if target.exists():
        target.rename(aside)
    staging.rename(target)
    shutil.rmtree(aside, ignore_errors=True)


def _explained(error: OSError, target: Path) -> OutputError | DiskError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
        return DiskError(
            tr("writing the results failed"),
            where=str(target),
            why=os.strerror(error.errno),
            try_=tr("free some space; earlier results are untouched"),
        )
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return OutputError(
        tr("the results cannot be written here"), where=str(target), why=reason, try_=tr("name another folder with -o")
    )
