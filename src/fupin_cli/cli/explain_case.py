"""A case's number in `fupin explain`: the finding of the run that is that case, by the ledger that gave the number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from fupin_cli.cases.identity import identify
from fupin_cli.cases.ledger import open_ledger
from fupin_cli.cases.schema import STATES
from fupin_cli.casework import read_run
from fupin_cli.errors import InputMissingError, UsageError, typed
from fupin_cli.language import pick, tr
from fupin_cli.layout import CASES, LEDGER_FILE, in_ledger


def finding_of_case(number: str, run: Path, ledger: Path | None, project: Path | None) -> tuple[str, dict[str, Any]]:
    """What the ledger says of the case in a line, and its row of FINDINGS in this run.

    Only the ledger's key can tell: without `ledger` those that stand here, in the project and around the run are asked in turn.
    Raises InputMissingError where none of them has the case, UsageError where this run does not have it.
    """
    for folder in [ledger] if ledger else _ledgers(run.absolute(), project):
        with open_ledger(folder) as opened:
            case = opened.cases("case_id = ?", [number], ("state",))
            if not case.height:
                continue
            frames, _ = read_run(run)
            found = identify(frames.findings, frames.levels, opened.key).filter(pl.col("case_id") == number)
        state = pick(STATES[case["state"][0]])
        if not found.height:
            raise UsageError(
                tr("this run has no finding of the case {number}", number=number),
                where=str(run),
                why=tr("its state in the ledger: {state}; another run found it, or the data cleared it", state=state),
                try_=typed("fupin", "cases", "show", number, *in_ledger(folder)),
            )
        return tr("case {number}  {state}", number=number, state=state), found.row(0, named=True)
    raise InputMissingError(
        tr("the ledger has no case {number}", number=number)
        if ledger
        else tr("no ledger found here has the case {number}", number=number),
        where=str(ledger) if ledger else None,
        why=tr("only the ledger that gave a case its number can tell whose it is"),
        try_=tr(
            "{explain}, or {show}",
            explain=typed("fupin", "explain", number, "--run", run, "--ledger", "DIR"),
            show=typed("fupin", "cases", "show", number, "--ledger", "DIR"),
        ),
    )


def _ledgers(run: Path, project: Path | None) -> Iterator[Path]:
    """The ledgers here, in the project, beside the run or its folder of runs, then in the folders beside those."""
    homes = list(dict.fromkeys([Path(), *([project] if project else []), run.parent, run.parent.parent]))
    near = [home / CASES for home in homes]
    near += [path.parent for home in homes for path in sorted(home.glob(f"*/{CASES}/{LEDGER_FILE}"))]
    yield from (folder for folder in dict.fromkeys(near) if (folder / LEDGER_FILE).is_file())
