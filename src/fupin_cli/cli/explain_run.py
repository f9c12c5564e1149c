"""A run that is explained: its frames, and where its people stand in the register as whoever holds the file says it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from fupin_cli.cli.console import home
from fupin_cli.errors import BadDataError, InputMissingError, UsageError, typed
from fupin_cli.language import tr
from fupin_cli.layout import DIGEST, RUNS
from fupin_cli.manifest import refuse_changed
from fupin_cli.rundir import MANIFEST

_FRAMES = ("persons", "households", "outcomes", "person_outcomes", "findings", "links", "evidence")
_ROW = re.compile(r"row:([0-9]{1,12})(?:@(.+))?")
_EXPLAINED, _OFFERED = 5, 12  # sheets whose row N is explained at once; choices that an error names
_SHEET = pl.concat_str("source", pl.when(pl.col("sheet") != "").then("sheet"), separator="/", ignore_nulls=True)


@dataclass(frozen=True)
class Run:
    """The frames of one run directory."""

    folder: Path
    persons: pl.DataFrame
    households: pl.DataFrame
    outcomes: pl.DataFrame
    person_outcomes: pl.DataFrame
    findings: pl.DataFrame
    links: pl.DataFrame
    evidence: pl.DataFrame


def newest_run() -> Path:
    """The run directory that is meant where none is named: here, else in the nearest project above."""
    if found := _newest(Path()) or _newest(home()):
        return found
    raise InputMissingError(tr("no run found under ./runs or ./demo"), try_=tr("fupin explain TARGET --run DIR"))


def _newest(folder: Path) -> Path | None:
    runs = sorted(path.parent for path in folder.glob(f"{RUNS}/*/{MANIFEST}"))
    demo = folder / "demo"
    return runs[-1] if runs else demo if (demo / MANIFEST).exists() else None


def open_run(folder: Path) -> Run:
    """The run in a directory. Raises InputMissingError where there is none, BadDataError where it is not as it was written."""
    refuse_changed(folder, (DIGEST, *(f"{name}.parquet" for name in _FRAMES)))
    frames = {}
    for name in _FRAMES:
        try:
            frames[name] = pl.read_parquet(folder / f"{name}.parquet")
        except (OSError, pl.exceptions.PolarsError):
            raise BadDataError(
                tr("{name}.parquet cannot be read", name=name), where=str(folder), try_=tr("run again")
            ) from None
    return Run(folder, **frames)


def judged_rules(folder: Path) -> list[dict[str, Any]]:
    """What the run's digest says of each rule that was judged, or was to be."""
    try:
        rules = json.loads((folder / DIGEST).read_text(encoding="utf-8"))["rules"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [rule for rule in rules if isinstance(rule, dict) and "rule_id" in rule]


def people_in_row(run: Run, target: str) -> pl.DataFrame:
    """PERSONS in the row of the register that is named row:N, as the spreadsheet counts, or row:N@TEXT.

    TEXT is of the name of a file or sheet. Raises UsageError for a row without a person, and where more sheets have that row than
    anybody wants to read at once.
    """
    named = _ROW.fullmatch(target)
    if named is None:
        raise UsageError(
            tr("a row of the register is named by its number"),
            why=tr("it is written {form}", form="row:N, row:N@TEXT"),
            try_=typed("fupin", "explain", "row:17", "--run", run.folder),
        )
    here = _in_row(run, int(named[1]))
    found = _narrowed(here, named[2])
    if not here.height:
        raise UsageError(
            tr("no person stands in row {row} of the register", row=named[1]),
            where=str(run.folder),
            why=tr("rows count as in the spreadsheet; one that was set aside holds no person"),
            try_=tr("the row number that stands beside a finding in the workbooks of this run"),
        )
    if not 0 < found["at"].n_unique() <= _EXPLAINED:
        sheets = here["at"].unique().sort().to_list()
        offered = (typed(_shortest(here, int(named[1]), sheet)) for sheet in sheets[:_OFFERED])
        raise UsageError(
            tr("row {row} stands in {count} sheets of the register", row=named[1], count=len(sheets)),
            where=str(run.folder),
            why=None if found.height else tr("none of them has {part!r} in its name", part=named[2]),
            try_=tr(
                "{step} with one of: {names}",
                step=typed("fupin", "explain", "--run", run.folder),
                names=" ".join(offered),
            )
            + (" …" if len(sheets) > _OFFERED else ""),
        )
    return found.drop("at")


def locator(run: Run, source: str | None, sheet: str | None, row: int | None) -> str | None:
    """How `people_in_row` is asked for this row alone; None for what stands in no row."""
    if source is None or row is None:
        return None
    return _shortest(_in_row(run, row), row, f"{source}/{sheet}" if sheet else source)


def _in_row(run: Run, row: int) -> pl.DataFrame:
    """The persons in this row of any sheet, with the sheet's whole name as `at`."""
    return run.persons.filter(pl.col("row") == row).with_columns(at=_SHEET).sort("at", "register_row")


def _narrowed(people: pl.DataFrame, text: str | None) -> pl.DataFrame:
    """Those in a sheet of this name, else those in sheets with this text in their names."""
    if text is None:
        return people
    whole = people.filter(pl.col("at") == text)
    return whole if whole.height else people.filter(pl.col("at").str.contains(text, literal=True))


def _shortest(people: pl.DataFrame, row: int, sheet: str) -> str:
    """row:N where one sheet has that row; else with the first word of file or sheet that no other of them has, or all of it."""
    if people["at"].n_unique() <= 1:
        return f"row:{row}"
    words = [word for word in re.split(r"[\W_]+", sheet) if word]
    text = next((word for word in words if _narrowed(people, word)["at"].unique().to_list() == [sheet]), sheet)
    return f"row:{row}@{text}"
