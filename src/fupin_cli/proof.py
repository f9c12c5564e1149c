"""What a run and a ledger are held to afterwards: every byte that was written, what it came from, and the order of the rounds.

Who can change a file can also change the manifest beside it; who can change the ledger, its chain. So each is held against the
other, and the last link of the chain is printed, to be written down where neither can be reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fupin_cli.cases import open_ledger
from fupin_cli.cases.ledger import check_ledger
from fupin_cli.casework import BATCHES, PEOPLE
from fupin_cli.errors import BadDataError
from fupin_cli.kept_rules import rule_files
from fupin_cli.language import tr
from fupin_cli.manifest import differences, differs, read_manifest
from fupin_cli.project import Project
from fupin_cli.report.dispatch_book import batch_name
from fupin_cli.rundir import MANIFEST, code_hash, sha256


@dataclass(frozen=True)
class RunProof:
    """A run that is as it was written: its files, the inputs and rules that were looked at again, the manifest's hash."""

    outputs: int
    sources: int
    manifest: str


@dataclass(frozen=True)
class LedgerProof:
    """A ledger that is whole: events, rounds, batches, those whose folder is still `here`, and the last link of its chain."""

    events: int
    rounds: int
    batches: int
    here: int
    chain: str | None


def prove_run(folder: Path, project: Project | None = None) -> RunProof:
    """A run directory held against its manifest, and with `project` the manifest against inputs, rules and program.

    Raises InputMissingError where there is no run, BadDataError for the first thing that differs.
    """
    told = read_manifest(folder)
    for fault in differences(folder, told["outputs"]):
        raise differs(fault, folder)
    sources = list(_sources(told, project)) if project else []
    for fault in (fault for fault in sources if fault):
        raise differs(fault, folder)
    return RunProof(len(told["outputs"]), len(sources), sha256(folder / MANIFEST))


def prove_ledger(folder: Path, run: Path | None = None) -> LedgerProof:
    """A ledger held against its own events, its chain of rounds and the manifests of its batches; and `run` against its rounds.

    A batch whose folder was purged is no fault. Raises BadDataError for the first thing that differs.
    """
    with open_ledger(folder) as ledger:
        for fault in check_ledger(ledger):
            raise _not_booked(fault, folder)
        events = ledger.rows("SELECT count(*) AS n FROM events")[0]["n"]
        rounds = ledger.rows("SELECT * FROM rounds ORDER BY round")
        batches = ledger.rows("SELECT batch, manifest FROM batches ORDER BY batch")
        purged = ledger.purged_file()
    for one in rounds:
        shown = folder / PEOPLE / one["people"]
        if shown.is_file() and one["people_sha256"] and sha256(shown) not in (one["people_sha256"], purged):
            raise _not_booked(tr("{name} was changed", name=f"{PEOPLE}/{shown.name}"), folder)
    here = 0
    for batch in batches:
        place = folder / BATCHES / batch_name(batch["batch"])
        if not place.is_dir():
            continue
        here += 1
        if not (place / MANIFEST).is_file() or sha256(place / MANIFEST) != batch["manifest"]:
            raise _not_booked(tr("{name} is not the one that was booked", name=f"{place.name}/{MANIFEST}"), folder)
        for fault in differences(place, read_manifest(place)["outputs"]):
            raise _not_booked(f"{place.name}: {fault}", folder)
    if run:
        _refuse_unbooked(run, rounds)
    return LedgerProof(events, len(rounds), len(batches), here, rounds[-1]["chain"] if rounds else None)


def _refuse_unbooked(run: Path, rounds: Sequence[Mapping[str, Any]]) -> None:
    """A run that no round was booked from; where another one was, of its day and stage, that one's manifest is named."""
    told, own = read_manifest(run), sha256(run / MANIFEST)
    if own in {one["run"] for one in rounds}:
        return
    day, stages = told.get("as_of"), told.get("stages") or [None]
    of_its_day = [one for one in rounds if (one["as_of"], one["stage"]) == (day, stages[-1])]
    for one in of_its_day[-1:]:
        raise BadDataError(
            tr("this is not the run that round {nr} was booked from", nr=one["round"]),
            where=str(run),
            why=tr("its manifest is {own}…, and {booked}… was booked", own=own[:8], booked=one["run"][:8]),
            try_=tr("the saved copy of the run that was booked"),
        )
    raise BadDataError(
        tr("the ledger knows no round with this run's manifest"),
        where=str(run),
        why=tr("it was not booked, or its manifest was changed afterwards"),
        try_=tr("fupin cases round RUN books it"),
    )


def _sources(told: Mapping[str, Any], project: Project) -> Iterator[str | None]:
    """For each thing that went in what differs, or None. What a database answered cannot be asked again, and is left out."""
    changed = tr("the program differs: the run is of fupin {version}", version=told.get("version"))
    yield None if told.get("code") == code_hash() else changed
    files = {name: path for source in (project.register, *project.extracts) for name, path in source.files}
    asked = {
        f"{source.id} {origin.name}"
        for source in (project.register, *project.extracts)
        if (origin := source.database or source.listing)
    }
    rules = rule_files(project.rules_folders)
    for name, digest in sorted(told["inputs"].items()):
        if name not in asked:
            yield _source(name, project.path if name == project.path.name else files.get(name), digest)
    for name, digest in sorted(told["rules"].items()):
        yield _source(f"rules {name}", rules.get(name), digest)


def _source(name: str, path: Path | None, digest: str) -> str | None:
    if path is None or not path.is_file():
        return tr("{name}, which went in, is gone", name=name)
    return None if sha256(path) == digest else tr("{name}, which went in, was changed", name=name)


def _not_booked(fault: str, ledger: Path) -> BadDataError:
    return BadDataError(fault, where=str(ledger), try_=tr("put the saved copy of the ledger back"))
