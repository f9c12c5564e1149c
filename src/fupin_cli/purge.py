"""What retention no longer allows is deleted, and that is recorded: runs, sealed files, cached rows, sheets of the ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fupin_cli.casework import BATCHES, writing_ledger
from fupin_cli.errors import FupinError
from fupin_cli.feedback import RETURNS
from fupin_cli.ingest import Store
from fupin_cli.intake import CACHE
from fupin_cli.language import tr
from fupin_cli.layout import RUNS
from fupin_cli.locks import locked
from fupin_cli.report.dispatch_book import batch_name
from fupin_cli.rundir import MANIFEST, refuse_strangers, sha256
from fupin_cli.seal import SEALED
from fupin_cli.traces import PURGED, record
from fupin_cli.unfinished import remove

_DAY = 86_400


@dataclass(frozen=True)
class Deleted:
    """One thing that was deleted, or would be, or was left alone for a reason; `size` is in bytes."""

    kind: str
    name: str
    size: int
    left: str | None = None


def purge(project: Path, days: float, ledger: Path | None = None, *, really: bool = True) -> list[Deleted]:
    """Everything older than so many days, deleted and recorded in .fupin/purged.jsonl; with `really` false, only what would be.

    A run in which files were changed or added is left alone, and so is a batch that still waits for answers. The ledger
    itself stays: it holds no names, and it is the memory of who was asked about what.
    """
    told = list(_runs(project / RUNS, days, really=really))
    count, size = Store(project / CACHE).prune(days, really=really)
    told += [Deleted("cache", str(count), size)] if count else []
    if ledger:
        told += _sheets(ledger, days, really=really)
    for one in told if really else ():
        if one.left is None:
            record(project, PURGED, kind=one.kind, what=one.name, bytes=one.size, older_than_days=days)
    return told


def _runs(folder: Path, days: float, *, really: bool) -> Iterator[Deleted]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_symlink():
            continue
        if path.suffix == SEALED and path.is_file() and _is_old(path, days):
            yield _delete("sealed", path, really=really)
        elif (path / MANIFEST).is_file() and _is_old(path / MANIFEST, days):
            try:
                with locked(path.with_name(f".{path.name}.lock"), path, "later"):
                    refuse_strangers(path)
                    yield _delete("run", path, really=really)
            except FupinError as error:
                yield Deleted("run", path.name, _size(path), left=error.what)


def _sheets(folder: Path, days: float, *, really: bool) -> list[Deleted]:
    """Workbooks that went out and lists that went back; a batch only when nobody is still waiting for its answers."""
    told = []
    with writing_ledger(folder) as ledger:
        waiting = {
            row["sent_batch"] for row in ledger.rows("SELECT DISTINCT sent_batch FROM cases WHERE state = 'dispatched'")
        }
        for batch in ledger.rows("SELECT batch FROM batches ORDER BY batch"):
            path = folder / BATCHES / batch_name(batch["batch"])
            if not (path / MANIFEST).is_file() or not _is_old(path / MANIFEST, days):
                continue
            if batch["batch"] in waiting:
                told.append(Deleted("batch", path.name, _size(path), left=tr("cases of this batch wait for answers")))
            else:
                told.append(_delete("batch", path, really=really))
        returns = [path for path in sorted((folder / RETURNS).glob("*")) if _is_old(path, days)]
        told += [_delete("returns", path, really=really) for path in returns]
    return told


def _delete(kind: str, path: Path, *, really: bool) -> Deleted:
    size = _size(path)
    name = f"{path.name} {sha256(path / MANIFEST)[:16]}" if (path / MANIFEST).is_file() else path.name
    if really:
        remove(path)
        if path.exists():
            return Deleted(kind, name, _size(path), left=tr("it could not be deleted"))
    return Deleted(kind, name, size)


def _size(path: Path) -> int:
    """The bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _is_old(path: Path, days: float) -> bool:
    return time.time() - path.stat().st_mtime >= days * _DAY
