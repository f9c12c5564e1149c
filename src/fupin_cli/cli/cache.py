"""fupin cache: what has been read before, so that it need not be read again."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fupin_cli.cli.cases_options import json_option
from fupin_cli.ingest import Store
from fupin_cli.intake import CACHE
from fupin_cli.language import tr

_KEEP_DAYS = 90.0


@click.command("cache")
@click.argument("project", type=click.Path(path_type=Path), default=Path())
@click.option("--prune", is_flag=True, help="delete what has not been used for --days")
@click.option("--clear", is_flag=True, help="delete everything")
@click.option("--days", type=click.FloatRange(min=0), default=_KEEP_DAYS, show_default=True, help="days without use")
@json_option
def command(project: Path, *, prune: bool, clear: bool, days: float, as_json: bool) -> int:
    """Show or prune what fupin keeps of files that it has read.

    Unchanged files are not parsed twice: their rows lie in .fupin/cache beside fupin.toml, readable by their owner only. They
    are data about people, so delete them when the work is done; nothing but time is lost.

    \b
    Examples:
      fupin cache
      fupin cache --prune --days 30
      fupin cache --json | jq .bytes
      fupin cache 2019年度比对 --clear
    """
    store = Store((project if project.is_dir() else project.parent) / CACHE)
    gone = store.prune(0 if clear else days) if prune or clear else None
    count, size = store.size()
    if as_json:
        deleted = {"entries": gone[0], "bytes": gone[1]} if gone else None
        click.echo(json.dumps({"folder": str(store.folder), "entries": count, "bytes": size, "deleted": deleted}))
        return 0
    if gone:
        click.echo(tr("deleted: {count} entries, {mebibytes}", count=gone[0], mebibytes=_mebibytes(gone[1])))
    click.echo(
        tr("{folder}: {count} entries, {mebibytes}", folder=store.folder, count=count, mebibytes=_mebibytes(size))
    )
    return 0


def _mebibytes(size: int) -> str:
    return f"{size / (1 << 20):,.1f} MiB"
