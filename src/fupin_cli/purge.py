"""What retention no longer allows is deleted, and that is recorded: runs, sealed files, cache, a ledger's sheets and persons."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl

from fupin_cli.cases.ledger import Ledger
from fupin_cli.cases.schema import OPEN
from fupin_cli.casework import BATCHES, PEOPLE, write_people, writing_ledger
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

    A run in which files were changed or added is left alone, and so is a batch that still waits for answers. The ledger's
    database stays, the memory of which case was asked when: it has keyed hashes instead of the persons that cases are about.
    Those stand beside it, and go where the case is done.
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
        told += _persons(ledger, days, really=really)
        returns = [path for path in sorted((folder / RETURNS).glob("*")) if _is_old(path, days)]
        told += [_delete("returns", path, really=really) for path in returns]
    return told


def _persons(ledger: Ledger, days: float, *, really: bool) -> list[Deleted]:
    """What cases show, for those that are done, and that for so many days neither moved nor were found by the newest round.

    That of open cases is kept, for the next batch sends it, and of exempt ones, which are asked again when the exemption ends.
    """
    people, last = ledger.people(), ledger.last("rounds")
    if people is None or last is None:
        return []
    today = datetime.now(tz=UTC).astimezone().date()
    seen = pl.max_horizontal("moved", pl.when(pl.col("present") == 1).then(pl.lit(last["day"])))
    old = ledger.cases(columns=("case_id", "state", "moved", "present")).filter(
        (pl.lit(today) - seen.str.to_date()).dt.total_days() >= days
    )
    needed = pl.col("state").is_in((*OPEN, "exempt"))
    path = ledger.folder / PEOPLE / last["people"]
    before = _size(path)
    why = tr("these cases are open or exempt, and what they show is needed to ask about them")
    told = []
    for cases, left in ((old.filter(~needed), None), (old.filter(needed), why)):
        if count := people.join(cases, on="case_id", how="semi").height:
            told.append(
                Deleted("people", f"{path.name} {count}/{people.height}", before * count // people.height, left)
            )
    kept = people.join(old.filter(~needed), on="case_id", how="anti")
    if really and kept.height < people.height:
        write_people(path, kept, partial(ledger.note_purge, today.isoformat()))
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
