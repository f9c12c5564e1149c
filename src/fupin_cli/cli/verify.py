"""fupin verify: whether a run and a ledger are still what was written."""

from __future__ import annotations

from pathlib import Path

import click

from fupin_cli.errors import UsageError
from fupin_cli.language import tr
from fupin_cli.project import load_project
from fupin_cli.proof import prove_ledger, prove_run


@click.command("verify")
@click.argument("run", type=click.Path(path_type=Path), required=False)
@click.option("--ledger", type=click.Path(path_type=Path), help="the ledger's folder, too")
@click.option("--project", type=click.Path(path_type=Path), help="also the inputs, rules and program that it came from")
def command(run: Path | None, ledger: Path | None, project: Path | None) -> int:
    """Check that a run and a ledger are what was written, and name the first thing that differs.

    A run is held against its manifest; with --project also what went in; with --ledger the manifest against the rounds that were
    booked, their chain, and the workbooks that went out. The chain's last link, written down on paper, proves all rounds before.

    \b
    Examples:
      fupin verify runs/2019-11-30
      fupin verify runs/2019-11-30 --project . --ledger cases
      fupin verify --ledger cases

    Exit code 65 where something differs.
    """
    if run is None and ledger is None:
        raise UsageError(tr("nothing to verify was named"), try_=tr("fupin verify RUN, or fupin verify --ledger DIR"))
    if run:
        proved = prove_run(run, load_project(project) if project else None)
        also = tr(", inputs and rules {sources}", sources=proved.sources) if project else ""
        click.echo(
            tr(
                "ok: {run}  files {outputs}{also}  manifest {what}",
                run=run,
                outputs=proved.outputs,
                also=also,
                what=proved.manifest[:16],
            )
        )
    if ledger:
        whole = prove_ledger(ledger, run)
        click.echo(
            tr(
                "ok: {ledger}  events {events:,}, rounds {rounds}, batches {batches} ({here} here), chain {what}",
                ledger=ledger,
                events=whole.events,
                rounds=whole.rounds,
                batches=whole.batches,
                here=whole.here,
                what=(whole.chain or "-")[:16],
            )
        )
    return 0
