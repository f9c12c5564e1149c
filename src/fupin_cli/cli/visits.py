"""fupin visits: who must be visited, who was, who is left."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich import box
from rich.table import Table

from fupin_cli.cli import complete
from fupin_cli.cli.cases_options import json_option
from fupin_cli.cli.console import show
from fupin_cli.cli.rule_packs import project_option
from fupin_cli.language import tr
from fupin_cli.report.visit_book import share_words
from fupin_cli.visiting import Visits, must_visit


@click.command("visits")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--rule",
    "rules",
    shell_complete=complete.rules,
    multiple=True,
    help="only who must be visited by this rule",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="write a worklist for each township")
@project_option
@json_option
def command(run: Path, rules: tuple[str, ...], output: Path | None, project: Path | None, *, as_json: bool) -> int:
    """Who must be visited by the rules of a run, who was, who is left.

    Rules that ask whether a household was visited are put together: Henan's 四个必到, Gansu's 重点人群, and those of your own.
    Where the record of visits does not reach a county or day, that is unknown, not unvisited; coverage is then told between
    two bounds.

    \b
    Examples:
      fupin visits runs/2017-11
      fupin visits runs/2017-11 -o 走访清单
      fupin visits runs/2018-11 --rule GS-SPV --json
    """
    visits = must_visit(run, only=rules, target=output, project=project)
    if as_json:
        told = {
            "as_of": visits.as_of.isoformat(), "rules": [rule for rule, _ in visits.rules], "not_judged": dict(visits.not_judged),
            "all": dict(visits.whole), "townships": visits.townships.to_dicts(), "villages": visits.villages.to_dicts(),
            "villages_without_registered": visits.empty_villages.height, "workbooks": visits.books,
        }  # fmt: skip
        click.echo(json.dumps(told, ensure_ascii=False))
        return 0
    show(_table(visits), to_stdout=True)
    for rule, title in visits.rules:
        if rule in visits.not_judged:
            click.echo(tr("not judged: {rule} {title} ({what})", rule=rule, title=title, what=visits.not_judged[rule]))
    if visits.empty_villages.height:
        click.echo(tr("must-visit villages without a registered person: {height}", height=visits.empty_villages.height))
    if output:
        click.echo(tr("workbooks {books} → {output}", books=visits.books, output=output))
    return 0


def _table(visits: Visits) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for head in (tr("county"), tr("township")):
        table.add_column(head)
    for head in (tr("must"), tr("been"), tr("left"), tr("visit unknown"), tr("must unknown"), tr("share")):
        table.add_column(head, justify="right")
    names = ("county", "township", "must", "visited", "left", "untold", "unsure", "share")
    for row in visits.townships.select(names).rows():
        table.add_row(*("—" if cell is None else str(cell) for cell in row))
    whole = dict(visits.whole)
    low, high = (None if whole[name] is None else float(str(whole[name])) for name in ("low", "high"))
    table.add_row(tr("total"), "", *(str(whole[name]) for name in names[2:-1]), share_words(low, high))
    return table
