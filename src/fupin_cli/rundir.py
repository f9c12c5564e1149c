"""A run directory that appears whole or not at all: lock, staging, manifest, one rename.

Order, and why: the lock first (a second run stops at once and touches nothing); files into a hidden staging folder beside the
target; each flushed to disk; the manifest last; then the old run and the new one change names, at one stroke where that can be.
Whatever a killed run left behind is put right by the next one, under the lock.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from fupin_cli.below import files_below
from fupin_cli.errors import DiskError, OutputError, system_words
from fupin_cli.language import later, pick, tr
from fupin_cli.locks import locked
from fupin_cli.unfinished import landed, remove, settling, unfinished

MANIFEST = "manifest.json"
RUN, SAMPLE, VISITS, BATCH = "run", "sample", "visits", "batch"
_KINDS = {  # what a folder of ours holds, by its manifest's kind
    RUN: ("比对结果", "the results of a run"),
    SAMPLE: ("抽查样本", "an audit sample"),
    VISITS: ("走访名单", "lists of visits"),
    BATCH: ("已下发的批次", "a batch that went out"),
}
PROGRAM = "fupin"
_TRY_RUN = later("fupin run … --wait waits for it; or name another folder with -o")
_LEAST_SPACE = 32 << 20
_RESULTS, _TABLES = 4, 6  # times the bytes of the input
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of Linux, <fcntl.h> and <linux/fs.h>


@contextmanager
def publish(
    target: Path,
    say: Callable[[str], None] = lambda _: None,
    kind: str = RUN,
    may_replace: Callable[[Mapping[str, Any]], None] = lambda _: None,
) -> Iterator[Path]:
    """A staging folder to write into; when the block ends well it becomes `target`, when it fails nothing has changed.

    `kind` is what is written: results of another kind are never replaced. `may_replace` is asked, with the manifest of what lies
    there, before results of the same kind are. `say` hears when an earlier run had been killed here. Raises BusyError while
    another run holds the target, OutputError where it cannot be created or is somebody else's folder.
    """
    mask = os.umask(0o077)  # outputs are about people: readable by their owner only
    try:
        target = _a_place(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target.with_name(f".{target.name}.lock"), target, _TRY_RUN) as died:
            if died:
                say(tr("note: an earlier run was cut short and is cleaned up: {died}", died=died))
            staging, aside = (target.with_name(f".{target.name}.{part}") for part in ("partial", "previous"))
            _recover(target, staging, aside)
            there = _manifest_of(target)
            _refuse_other_kind(target, there, kind)
            refuse_strangers(target)
            if there:
                may_replace(there)
            with unfinished(staging):
                staging.mkdir(mode=0o700)
                yield staging
                flush(staging)
                with settling():
                    _swap(staging, target, aside)
                    landed()
    except OSError as error:
        raise _explained(error, target) from None
    finally:
        os.umask(mask)


@contextmanager
def replace_file(target: Path) -> Iterator[Path]:
    """A name to write to beside `target`; when the block ends well the file takes its place, else nothing has changed."""
    mask = os.umask(0o077)
    try:
        target = _a_place(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished(target.with_name(f".{target.name}.partial")) as staged:
            remove(staged)
            staged.touch(mode=0o600, exist_ok=False)
            yield staged
            with staged.open("rb") as file:
                os.fsync(file.fileno())
            with settling():
                staged.replace(target)
    except OSError as error:
        raise _explained(error, target) from None
    finally:
        os.umask(mask)


def require_space(folder: Path, inputs: int, *, tables: bool = False) -> None:
    """Nothing, where the disk of `folder` has room for what so many bytes of input become. Raises DiskError otherwise.

    With `tables`, those of register and extracts wait there too. Workbooks of the sample become four times as much results, and
    eleven times as much tables; text becomes less, and a disk that fills up later is told then.
    """
    needed = _LEAST_SPACE + inputs * (_RESULTS + _TABLES * tables)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskError(
            tr(
                "there is not enough room on the disk: {what:,} MiB free, about {what_2:,} MiB needed",
                what=free >> 20,
                what_2=needed >> 20,
            ),
            where=str(folder.parent),
            try_=tr("free some space, or name a folder on another disk with -o; earlier results are untouched"),
        )


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """manifest.json: the given facts, and the sha256 of every file already in the folder."""
    outputs = {name: sha256(path) for name, path in present_files(folder).items()}
    text = json.dumps({"program": PROGRAM, **facts, "outputs": outputs}, ensure_ascii=False, indent=2, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def present_files(folder: Path) -> dict[str, Path]:
    """Every file in the folder by its name there, in order, but not the manifest itself."""
    files = {path.relative_to(folder).as_posix(): path for path in files_below(folder)}
    files.pop(MANIFEST, None)
    return dict(sorted(files.items()))


@cache
def code_hash() -> str:
    """The SHA-256 of the program's own code, in hex: two programs of one version may still differ."""
    home = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(home.rglob("*.py")):
        digest.update(f"{path.relative_to(home).as_posix()} {sha256(path)}\n".encode())
    return digest.hexdigest()


def sha256(path: Path) -> str:
    """The file's SHA-256, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(*texts: str) -> str:
    """The SHA-256 of some texts, in hex, in whatever order they are given."""
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()


def _recover(target: Path, staging: Path, aside: Path) -> None:
    """Puts right what a killed run left: a half-written staging goes, a run that had stepped aside comes back."""
    remove(staging)
    if aside.exists():
        if target.exists():
            remove(aside)
        else:
            aside.rename(target)


def refuse_strangers(target: Path) -> None:
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
    touched = sum(outputs.get(name) != sha256(path) for name, path in present_files(target).items())
    if touched:
        raise OutputError(
            tr("{touched} file(s) here were changed or added after the run, so it is left alone", touched=touched),
            where=str(target),
            why=tr("a checklist that somebody filled in would be lost"),
            try_=tr("name a new folder with -o, or move those files away"),
        )


def _refuse_other_kind(target: Path, there: Mapping[str, Any] | None, kind: str) -> None:
    """A sample or a batch is out with people, and their answers fit nothing else: no run takes its place, nor the other way."""
    if there is None or (found := kind_of(there)) == kind:
        return
    raise OutputError(
        tr("{what} lies here, and is not replaced", what=pick(_KINDS.get(found, (found, found)))),
        where=str(target),
        why=tr("this command writes {what}", what=pick(_KINDS[kind])),
        try_=tr("name a new or empty folder with -o"),
    )


def kind_of(manifest: Mapping[str, Any]) -> str:
    """What its manifest says that a folder holds; a run's says nothing, nor does that of an older batch."""
    return str(manifest.get("kind") or (BATCH if "batch" in manifest else RUN))


def _manifest_of(target: Path) -> dict[str, Any] | None:
    """The manifest in this folder; None where there is none of ours."""
    try:
        manifest = dict(json.loads((target / MANIFEST).read_text(encoding="utf-8")))
        return manifest if manifest["program"] == PROGRAM else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _outputs_of(target: Path) -> dict[str, str] | None:
    """What the run in this folder wrote, by its manifest; None where there is no manifest of ours."""
    try:
        return dict((_manifest_of(target) or {})["outputs"])
    except (KeyError, TypeError, ValueError):
        return None


def flush(folder: Path) -> None:
    """Waits until everything in the folder is on the disk."""
    for path in [*folder.rglob("*"), folder]:
        if path.is_file() or sys.platform != "win32":
            _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap(staging: Path, target: Path, aside: Path) -> None:
    """The new run has the name; the old one, if there was one, is in the staging folder's place, or gone.

    In one step where the system can; else in two, between which the old run stands aside.
    """
    if not target.exists():
        staging.rename(target)
    elif not _exchanged(staging, target):
        target.rename(aside)
        try:
            staging.rename(target)
        except BaseException:
            if not target.exists():
                aside.rename(target)
            raise
        remove(aside)
    if sys.platform != "win32":
        _sync(target.parent)


def _exchanged(one: Path, other: Path) -> bool:
    """Whether the two have changed names at one stroke; False where the system or the disk cannot, and nothing has happened."""
    if sys.platform != "linux":
        return False
    try:
        return bool(_renameat2()(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)
    except AttributeError:  # a C library older than the call
        return False


@cache
def _renameat2() -> Any:
    import ctypes  # noqa: PLC0415 - only who publishes a run needs it

    return ctypes.CDLL(None).renameat2


def _a_place(target: Path) -> Path:
    """Where a link leads: the link itself stays. Raises OutputError for the root of a disk, beside which nothing can stand."""
    place = target.resolve()
    if not place.name:
        raise OutputError(
            tr("nothing can take the place of a whole disk"),
            where=str(target),
            try_=tr("-o with a new folder or file on it: {path}", path=place / "fupin"),
        )
    return place


def _explained(error: OSError, target: Path) -> OSError | OutputError | DiskError:
    """What the user can do about it, where it befell the results; what befell another file is not told of them."""
    if isinstance(error.filename, str) and not _concerns(Path(error.filename).absolute(), target):
        return error
    number = error.errno
    if number is None and (told := re.search(r"\(os error (\d+)\)", str(error))):  # as Polars says it
        number = int(told[1])
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
        return DiskError(
            tr("writing the results failed"),
            where=str(target),
            why=system_words(number),
            try_=tr("free some space; earlier results are untouched"),
        )
    reason = system_words(number) if number else type(error).__name__
    return OutputError(
        tr("the results cannot be written here"), where=str(target), why=reason, try_=tr("name another folder with -o")
    )


def _concerns(path: Path, target: Path) -> bool:
    """Whether a path is the target, below or above it, or what stands beside it under its name while it is written."""
    beside = path.is_relative_to(target.parent) and path.relative_to(target.parent).parts[:1]
    return (
        path.is_relative_to(target)
        or target.is_relative_to(path)
        or bool(beside and beside[0].startswith(f".{target.name}."))
    )
