"""fupin rules explain: one household under any pack, as a trace that an official can read aloud."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import polars as pl

from fupin_cli.cli import complete
from fupin_cli.cli.cases_options import json_option
from fupin_cli.cli.rule_packs import judged_project_option, open_pack, open_rules
from fupin_cli.errors import InputMissingError, UsageError
from fupin_cli.language import tr
from fupin_cli.report.english import as_spoken
from fupin_cli.report.masking import mask_id, mask_sentence
from fupin_cli.report.rule_trace import in_one_language, trace
from fupin_cli.rulebook import labels_of
from fupin_cli.rules import Judgement
from fupin_cli.traces import ACCESS, record
from fupin_cli.what_if import judge_again, read_round, standard_of

run_option = click.option(
    "--run", "folder", type=click.Path(path_type=Path), help="run directory [newest under ./runs, or ./demo]"
)  # fmt: skip


@click.command("explain")
@click.argument("household_id")
@click.option(
    "--pack",
    "name",
    shell_complete=complete.packs,
    help="id or file of a pack [the one whose verdict binds the place]",
)
@run_option
@judged_project_option
@click.option("--unmask", is_flag=True, help="show names in full")
@json_option
def explain_household(
    household_id: str, name: str | None, folder: Path | None, project: Path | None, *, unmask: bool, as_json: bool
) -> int:
    """Explain one household under any pack: fact, value, file and row, condition, outcome, citation.

    Names are masked unless --unmask is given; who asked for that, and when, is recorded in .fupin/access.jsonl beside the run.

    \b
    Examples:
      fupin rules explain 9901211002000011 --run demo
      fupin rules explain 9901211002000011 --pack guangxi --run demo
      fupin rules explain 9901211002000011 --run demo --json | jq .outcomes
    """
    run = folder_of(folder)
    if name is None:
        known = open_rules(project, run=run)
        found = read_round(run, known.packs)
        pack = standard_of(found, known.packs)
    else:
        pack, known = open_pack(name, project, run)
        found = read_round(run, known.packs)
    if household_id not in found.households["household_id"]:
        raise UsageError(
            tr("no household {household_id!r} in this run", household_id=household_id),
            where=str(run),
            try_=tr("copy 户编号 from a workbook"),
        )
    if unmask:
        record(run.absolute().parent, ACCESS, run=run.name, shown=mask_id(household_id) or "")
    labels = labels_of(known.profiles)
    if known.note:
        click.echo(known.note, err=as_json)
    judged = judge_again(found, known.packs, pack, known.lines, labels)
    told = trace(household_id, pack, known.packs, judged, found.evidence, found.as_of, labels, unmask=unmask)
    lines = list(map(in_one_language(as_spoken(known.packs, known.profiles)), told))
    if as_json:
        about = {
            "household_id": household_id if unmask else mask_id(household_id),
            "pack": pack.id,
            "as_of": f"{found.as_of}",
        }
        outcomes = _outcomes(judged, household_id, unmask=unmask)
        click.echo(json.dumps({**about, "outcomes": outcomes, "lines": lines}, ensure_ascii=False))
    else:
        click.echo("\n".join(lines))
    return 0


def _outcomes(judged: Judgement, household_id: str, *, unmask: bool) -> list[dict[str, Any]]:
    """What each rule says of the household, for programs: outcome, reason and the facts that are missing."""
    told = judged.outcomes.filter(pl.col("household_id") == household_id).drop("household_id").sort("rule_id")
    return [
        {**row, "reason": row["reason"] if unmask or not row["reason"] else mask_sentence(row["reason"])}
        for row in told.to_dicts()
    ]


def folder_of(folder: Path | None) -> Path:
    """The run directory meant: the one given, else the newest under ./runs, else ./demo."""
    if folder is not None:
        return folder
    runs = sorted(path.parent for path in Path("runs").glob("*/manifest.json"))
    if runs:
        return runs[-1]
    if (Path("demo") / "manifest.json").exists():
        return Path("demo")
    raise InputMissingError(tr("no run found under ./runs or ./demo"), try_=tr("--run DIR"))
