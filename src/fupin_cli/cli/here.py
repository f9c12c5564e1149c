"""What `fupin` alone says: the project here or above, its last run, its ledger, and the one next thing to type.

Loads nothing heavy, changes nothing and never fails: what cannot be read is said to be so, with the command that says more.
Counts, dates and names of folders only; no name of a file within a project, which may be a person's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from fupin_cli.cli.next_step import (
    dispatch_from,
    import_to,
    look_at_overdue,
    look_at_states,
    round_of,
    rule_to_look_at,
    run_of,
    start_with,
)
from fupin_cli.errors import ConfigurationError, system_words, typed
from fupin_cli.language import clues, listed, tr
from fupin_cli.layout import CASES, DIGEST, LEDGER_FILE, PROJECT_FILE, RUNS, project_above
from fupin_cli.rundir import MANIFEST, PROGRAM, sha256
from fupin_cli.toml_text import read_toml

_TABLES = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".csv", ".tsv", ".parquet")
NOTE = "info"  # the severity of what accuses nobody
SETTLED = ("closed", "cleared", "exempt")  # states of a case that waits for nobody
_LOOKED_AT = 2_000  # files; a share on the network holds more than anybody waits for


def whereabouts(here: Path, today: date) -> list[str]:
    """Lines about the folder `here`; the last one is what to type next."""
    project = project_above(here)
    if project is None:
        return _outside(here)
    about = _read_project(project)
    lines = [tr("project: {shown}", shown=_shown(project, here))]
    if isinstance(about, str):
        return [*lines, f"  {about}", tr("next: {step}  says what is wrong", step=run_of(_shown(project, here)))]
    lines += [
        tr(
            "  {name}  {as_of}  extracts: {extracts}, files: {files:,}",
            name=about.name,
            as_of=about.as_of,
            extracts=about.extracts,
            files=about.files,
        )
    ]
    lines += (
        [tr("  entries of fupin.toml that no file matches: {missing}", missing=about.missing)] if about.missing else []
    )
    runs = _runs(project)
    lines += [tr("latest run: {told}", told=_told(runs[0], here))] if runs else [tr("no run here")]
    ledger = project / CASES
    book = _read_ledger(ledger, today) if (ledger / LEDGER_FILE).exists() else None
    lines += [_ledger_line(book)] if book is not None else []
    return [*lines, tr("next: {step}", step=_next(project, about, runs, book, here))]


@dataclass(frozen=True)
class _Project:
    """What fupin.toml says at a glance; `newest` is when a file of it was last changed, in seconds since 1970."""

    name: str
    as_of: str
    extracts: int
    files: int
    missing: int
    newest: float


@dataclass(frozen=True)
class _Run:
    """A run directory: its findings and notes, None where they cannot be read, and the rule that found most of them."""

    folder: Path
    found: tuple[int, int] | None
    rule: str | None
    made: float


@dataclass(frozen=True)
class _Ledger:
    """Cases by what they wait for, and the hashes of the runs that were booked."""

    states: Mapping[str, int]
    overdue: int
    runs: frozenset[str]

    @property
    def to_ask(self) -> int:
        """Cases that the next batch sends."""
        return sum(self.states.get(state, 0) for state in ("new", "reopened"))

    @property
    def out(self) -> int:
        """Cases that are out and not back."""
        return self.states.get("dispatched", 0)


def _outside(here: Path) -> list[str]:
    """How to start, by what lies in the folder."""
    lines = [tr("no fupin.toml here or above")]
    if runs := _runs(here):
        lines.append(tr("latest run: {told}", told=_told(runs[0], here)))
    below = sorted(path.parent.name for path in _quietly(here.glob(f"*/{PROJECT_FILE}")))
    if below:
        lines.append(tr("projects below: {names}", names=listed(below[:5])))
    if runs and runs[0].rule:
        step = typed("fupin", "explain", runs[0].rule, "--run", _shown(runs[0].folder, here))
    elif below:
        step = typed("fupin", "run", below[0])
    else:
        step = start_with(
            "." if any(path.suffix.lower() in _TABLES for path in _quietly(here.rglob("*"))) else tr("FOLDER")
        )
    return [*lines, tr("next: {step}", step=step)]


def _read_project(folder: Path) -> _Project | str:
    """The project, or what is wrong with its fupin.toml."""
    try:
        data = read_toml(folder / PROJECT_FILE)[0]
        sources = [data["register"], *data.get("extract", [])]
        found = [
            [path for pattern in source.get("files", []) for path in _matches(folder, pattern)] for source in sources
        ]
        return _Project(
            name=str(data["project"]["name"]),
            as_of=str(data["project"]["as_of"]),
            extracts=len(sources) - 1,
            files=len({path for paths in found for path in paths}),
            missing=sum(not paths and "files" in source for source, paths in zip(sources, found, strict=True)),
            newest=max((path.stat().st_mtime for paths in found for path in paths), default=0.0),
        )
    except ConfigurationError as error:
        return "\n  ".join(filter(None, (f"{PROJECT_FILE}: {error.what}", error.why)))
    except OSError as error:
        return tr("cannot be read: {strerror}", strerror=system_words(error.errno))
    except (KeyError, TypeError, AttributeError, ValueError):
        return tr("fupin.toml lacks [project], [register] or a key in them")


def _matches(folder: Path, pattern: str) -> list[Path]:
    literal = folder / pattern
    if literal.is_dir():
        return [path for path in _quietly(literal.rglob("*")) if path.is_file()]
    return [literal] if literal.is_file() else [path for path in _quietly(folder.glob(pattern)) if path.is_file()]


def _quietly(paths: Iterator[Path]) -> Iterator[Path]:
    """The first of the paths, as many as may be looked at, until the operating system refuses."""
    try:
        yield from islice(paths, _LOOKED_AT)
    except (OSError, ValueError, NotImplementedError):
        return


def _runs(folder: Path) -> list[_Run]:
    """Run directories under the folder's `runs`, or right below it, the newest first."""
    places = [*_quietly(folder.glob(f"{RUNS}/*/{MANIFEST}")), *_quietly(folder.glob(f"*/{MANIFEST}"))]
    found = [_read_run(path) for path in places if _is_ours(path)]
    return sorted(found, key=lambda run: (-run.made, run.folder.name))


def _is_ours(manifest: Path) -> bool:
    facts = _json(manifest)
    return facts.get("program") == PROGRAM and "stages" in facts


def _read_run(manifest: Path) -> _Run:
    told = _json(manifest.with_name(DIGEST))
    try:
        kinds = told["findings_by_rule"]  # counted from these, for older programs called notes findings, too
        rule = rule_to_look_at((t["rule_id"], t["severity"], t["count"]) for t in kinds)
        findings, notes = (sum(t["count"] for t in kinds if (t["severity"] == NOTE) is note) for note in (False, True))
        return _Run(manifest.parent, (findings, notes), rule, manifest.stat().st_mtime)
    except (OSError, KeyError, TypeError, ValueError):
        return _Run(manifest.parent, None, None, 0.0)


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _told(run: _Run, here: Path) -> str:
    words = tr("digest.json cannot be read") if run.found is None else clues(*run.found)
    return f"{_shown(run.folder, here)}　{words}"


def _read_ledger(folder: Path, today: date) -> _Ledger | str:
    """The ledger's figures, or what is wrong with it."""
    try:
        with closing(
            sqlite3.connect(f"{(folder / LEDGER_FILE).absolute().as_uri()}?mode=ro", uri=True, timeout=0.1)
        ) as opened:
            states = dict(
                opened.execute("SELECT state, count(*) FROM cases WHERE first_round IS NOT NULL GROUP BY state")
            )
            late = "SELECT count(*) FROM cases WHERE first_round IS NOT NULL AND state = 'dispatched' AND due < ?"
            overdue = opened.execute(late, (today.isoformat(),)).fetchone()[0]
            runs = frozenset(row[0] for row in opened.execute("SELECT run FROM rounds"))
    except sqlite3.Error:
        return tr("the ledger cannot be read, or is in use: fupin cases verify")
    return _Ledger(states, overdue, runs)


def _ledger_line(book: _Ledger | str) -> str:
    if isinstance(book, str):
        return book
    open_ = sum(count for state, count in book.states.items() if state not in SETTLED)
    return tr(
        "cases: open {open:,}, to send {to_ask:,}, out {out:,}, overdue {overdue:,}, closed {closed:,}",
        open=open_,
        to_ask=book.to_ask,
        out=book.out,
        overdue=book.overdue,
        closed=book.states.get("closed", 0),
    )


def _next(project: Path, about: _Project, runs: list[_Run], book: _Ledger | str | None, here: Path) -> str:
    """The first of the steps that was not taken yet."""
    shown, ledger = _shown(project, here), _shown(project / CASES, here)
    booked = book.runs if isinstance(book, _Ledger) else frozenset()
    if about.missing or not (runs or booked):
        return run_of(shown)
    if runs and about.newest > runs[0].made:
        return tr("{step}  files are newer than the run", step=run_of(shown))
    if runs and (book is None or (isinstance(book, _Ledger) and _hash(runs[0].folder) not in booked)):
        return round_of(_shown(runs[0].folder, here), ledger)
    if not isinstance(book, _Ledger):
        return look_at_states(ledger)
    waiting = ((book.overdue, look_at_overdue), (book.to_ask, dispatch_from), (book.out, import_to))
    return next((step(ledger) for count, step in waiting if count), look_at_states(ledger))


def _hash(run: Path) -> str | None:
    try:
        return sha256(run / MANIFEST)
    except OSError:
        return None


def _shown(path: Path, here: Path) -> Path:
    """The path as short as it can be typed from here."""
    return path.relative_to(here) if path.is_relative_to(here) else path
