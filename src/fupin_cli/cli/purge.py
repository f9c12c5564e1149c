"""fupin purge: deletes what retention no longer allows."""

from __future__ import annotations

from pathlib import Path

import click

from fupin_cli.errors import InputMissingError
from fupin_cli.language import tr
from fupin_cli.layout import CASES
from fupin_cli.purge import purge


@click.command("purge")
@click.argument("project", type=click.Path(path_type=Path), default=Path())
@click.option("--older-than", "days", type=click.FloatRange(min=0), required=True, help="days since it was written")
@click.option("--ledger", type=click.Path(path_type=Path), help="the ledger's folder [PROJECT/cases, if there]")
@click.option("--dry-run", is_flag=True, help="only say what would be deleted")
def command(project: Path, days: float, ledger: Path | None, *, dry_run: bool) -> int:
    """Delete what is older than so many days, and record that it was.

    Runs and sealed files in PROJECT/runs, cached rows, workbooks of batches that nobody waits for any more, lists that went
    back to the units, and the names and numbers of cases that are done: those of open and exempt cases are kept, and that is
    said. The ledger's database stays; it has cases by number and place, and what was answered and signed. What was deleted, when
    and by whom stands in .fupin/purged.jsonl. A file system that keeps old versions, and backups, must be purged by their own
    means.

    \b
    Examples:
      fupin purge --older-than 365 --dry-run
      fupin purge /data/county --older-than 365
    """
    project = project.parent if project.suffix == ".toml" else project
    if ledger is None and (project / CASES).is_dir():
        ledger = project / CASES
    if not project.is_dir():
        raise InputMissingError(tr("no such folder"), where=str(project))
    told = purge(project, days, ledger, really=not dry_run)
    kinds = {
        "run": tr("run"), "sealed": tr("sealed file"), "cache": tr("cached entries"), "batch": tr("batch"),
        "returns": tr("returned lists"), "people": tr("persons of cases"),
    }  # fmt: skip
    for one in told:
        what = (
            tr("left alone: {left}", left=one.left)
            if one.left
            else tr("would be deleted")
            if dry_run
            else tr("deleted")
        )
        size = tr("{size:,} bytes", size=one.size)
        click.echo(f"{kinds[one.kind]} {one.name}　{size}　{what}")
    if not told:
        click.echo(tr("nothing is that old"))
    return 0
