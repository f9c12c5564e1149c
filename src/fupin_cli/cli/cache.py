"""fupin cache: what has been read before, so that it need not be read again."""

from __future__ import annotations

from pathlib import Path

import click

from fupin_cli.ingest import Store
from fupin_cli.intake import CACHE

_KEEP_DAYS = 90.0


@click.command("cache")
@click.argument("project", type=click.Path(path_type=Path), default=Path())
@click.option("--prune", is_flag=True, help="delete what has not been used for --days")
@click.option("--clear", is_flag=True, help="delete everything")
@click.option("--days", type=click.FloatRange(min=0), default=_KEEP_DAYS, show_default=True, help="days without use")
def command(project: Path, *, prune: bool, clear: bool, days: float) -> int:
    """Show or prune what fupin keeps of files that it has read.

    Unchanged files are not parsed twice: their rows lie in .fupin/cache beside fupin.toml, readable by their owner only. They
    are data about people, so delete them when the work is done; nothing but time is lost.

    \b
    Examples:
      fupin cache
      fupin cache --prune --days 30
      fupin cache 2019年度比对 --clear
    """
    store = Store((project if project.is_dir() else project.parent) / CACHE)
    if prune or clear:
        count, size = store.prune(0 if clear else days)
        click.echo(f"已删除 deleted: {count} 项 entries, {_mebibytes(size)}")
    count, size = store.size()
    click.echo(f"{store.folder}: {count} 项 entries, {_mebibytes(size)}")
    return 0


def _mebibytes(size: int) -> str:
    return f"{size / (1 << 20):,.1f} MiB"
