"""What `fupin` alone says: the project here or above, its last run, its ledger, and the one next thing to type.

Loads nothing heavy, changes nothing and never fails: what cannot be read is said to be so, with the command that says more.
Counts, dates and names of folders only; no name of a file within a project, which may be a person's.
"""

from __future__ import annotations

import json
import sqlite3
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from fupin_cli.cli.next_step import (
    NEXT,
    dispatch_from,
    import_to,
    look_at_overdue,
    look_at_states,
    round_of,
    rule_to_look_at,
    run_of,
    start_with,
    typed,
)
from fupin_cli.layout import CASES, DIGEST, LEDGER_FILE, PROJECT_FILE, RUNS
from fupin_cli.rundir import MANIFEST, PROGRAM, sha256

_TABLES = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".csv", ".tsv", ".parquet")
SETTLED = ("closed", "cleared", "exempt")  # states of a case that waits for nobody
_LOOKED_AT = 2_000  # files; a share on the network holds more than anybody waits for


def whereabouts(here: Path, today: date) -> list[str]:
    """Lines about the folder `here`; the last one is what to type next."""
    project = _project_of(here)
    if project is None:
        return _outside(here)
    about = _read_project(project)
    lines = [f"项目 project: {_shown(project, here)}"]
    if isinstance(about, str):
        return [*lines, f"  {about}", f"{NEXT}: {run_of(_shown(project, here))}　说明问题所在 says what is wrong"]
    lines += [f"  {about.name}　{about.as_of}　{about.extracts} 份部门数据 extracts，{about.files:,} 个文件 files"]
    lines += [f"  没有文件 no file matches: {about.missing} 处 entries of fupin.toml"] if about.missing else []
    runs = _runs(project)
    lines += [f"最近一次比对 latest run: {_told(runs[0], here)}"] if runs else ["还没有比对 no run yet"]
    ledger = project / CASES
    book = _read_ledger(ledger, today) if (ledger / LEDGER_FILE).exists() else None
    lines += [_ledger_line(book)] if book is not None else []
    return [*lines, f"{NEXT}: {_next(project, about, runs, book, here)}"]


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
    """A run directory: its findings, None where they cannot be read, and the rule that found most of them."""

    folder: Path
    findings: int | None
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


def _project_of(here: Path) -> Path | None:
    return next((folder for folder in (here, *here.parents) if (folder / PROJECT_FILE).is_file()), None)


def _outside(here: Path) -> list[str]:
    """How to start, by what lies in the folder."""
    lines = ["这里和上级文件夹都没有 fupin.toml no project here or above"]
    if runs := _runs(here):
        lines.append(f"最近一次比对 latest run: {_told(runs[0], here)}")
    below = sorted(path.parent.name for path in _quietly(here.glob(f"*/{PROJECT_FILE}")))
    if below:
        lines.append(f"下级文件夹中有项目 projects below: {'、'.join(below[:5])}")
    if runs and runs[0].rule:
        step = typed("fupin", "explain", runs[0].rule, "--run", _shown(runs[0].folder, here))
    elif below:
        step = typed("fupin", "run", below[0])
    else:
        step = start_with(
            "." if any(path.suffix.lower() in _TABLES for path in _quietly(here.rglob("*"))) else "文件夹"
        )
    return [*lines, f"{NEXT}: {step}"]


def _read_project(folder: Path) -> _Project | str:
    """The project, or what is wrong with its fupin.toml."""
    try:
        data = tomllib.loads((folder / PROJECT_FILE).read_text(encoding="utf-8-sig"))
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
    except tomllib.TOMLDecodeError as error:
        return f"fupin.toml 不合 TOML 格式 not readable as TOML: {error}"
    except UnicodeDecodeError:
        return "fupin.toml 不是 UTF-8 文本 is no UTF-8 text"
    except OSError as error:
        return f"无法读取 cannot be read: {error.strerror}"
    except (KeyError, TypeError, AttributeError, ValueError):
        return "fupin.toml 缺少 [project]、[register] 或其中的项 lacks a section or a key"


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
        rule = rule_to_look_at((t["rule_id"], t["severity"], t["count"]) for t in told["findings_by_rule"])
        return _Run(manifest.parent, int(told["findings"]), rule, manifest.stat().st_mtime)
    except (OSError, KeyError, TypeError, ValueError):
        return _Run(manifest.parent, None, None, 0.0)


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _told(run: _Run, here: Path) -> str:
    words = "digest.json 无法读取 cannot be read" if run.findings is None else f"{run.findings:,} 条疑点 findings"
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
        return "疑点台账无法读取或正在使用 the ledger cannot be read, or is in use: fupin cases verify"
    return _Ledger(states, overdue, runs)


def _ledger_line(book: _Ledger | str) -> str:
    if isinstance(book, str):
        return book
    open_ = sum(count for state, count in book.states.items() if state not in SETTLED)
    return (
        f"疑点台账 ledger: 未结 open {open_:,}　待下发 to send {book.to_ask:,}　已下发 out {book.out:,}"
        f"　逾期 overdue {book.overdue:,}　已销号 closed {book.states.get('closed', 0):,}"
    )


def _next(project: Path, about: _Project, runs: list[_Run], book: _Ledger | str | None, here: Path) -> str:
    """The first of the steps that was not taken yet."""
    shown, ledger = _shown(project, here), _shown(project / CASES, here)
    if not runs or about.missing:
        return run_of(shown)
    if about.newest > runs[0].made:
        return f"{run_of(shown)}　文件比上次比对新 files are newer than the run"
    if book is None or (isinstance(book, _Ledger) and _hash(runs[0].folder) not in book.runs):
        return round_of(_shown(runs[0].folder, here), ledger)
    if isinstance(book, str):
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
