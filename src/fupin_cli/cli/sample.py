"""fupin sample: who is to be audited, drawn by a plan, and what the answers say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

import click
import polars as pl
from rich import box
from rich.table import Table

from fupin_cli.audit import OUTSIDE, Estimate
from fupin_cli.audit.estimate import rate_rows
from fupin_cli.cli.cases_options import day_option, json_option
from fupin_cli.cli.console import password_from, progress, show
from fupin_cli.cli.groups import Workbook
from fupin_cli.cli.rule_packs import project_option
from fupin_cli.fieldwork import draw, estimate, plans_of
from fupin_cli.language import pick, tr
from fupin_cli.recipients import ask_by_recipient, read_passwords
from fupin_cli.vocabulary import SET_ASIDE_REASONS

PARTLY_UNREADABLE = 3
passwords_option = click.option(
    "--passwords", "group_passwords", type=click.Path(path_type=Path), help="passwords per group: encrypted workbooks"
)
_SHOWN = 12


@click.group("sample")
def command() -> None:
    """Draw households to audit by a plan, and work out rates from the answers.

    A plan (rules/sampling/) says who is drawn in which stages, what is asked, and which rates follow. The seed and the frame's
    fingerprint are kept: the same seed and frame give the same sample on any machine. How it is done: docs/sampling.md.

    \b
    Examples:
      fupin sample plans
      fupin sample draw county runs/2019-11 -o audit --list 未建档立卡农户名单.xlsx
      fupin sample estimate --sample audit 报回/*.xlsx -o 估计结果.xlsx
    """


@command.command("plans")
@project_option
@json_option
def plans_(project: Path | None, *, as_json: bool) -> int:
    """List the plans, and check them.

    \b
    Examples:
      fupin sample plans
      fupin sample plans --project . --json
    """
    plans = plans_of(project)
    if as_json:
        told = [{"plan": plan.id, "title": plan.title, "levels": plan.levels, "strata": [s.name for s in plan.strata],
                 "rates": [rate.id for rate in plan.rates], "citation": str(plan.citation)} for plan in plans]  # fmt: skip
        click.echo(json.dumps(told, ensure_ascii=False))
        return 0
    for plan in plans:
        click.echo(
            tr(
                "{id}  {pick}\n  {note}\n  cited: {citation}",
                id=plan.id,
                pick=pick((plan.title, plan.title_en)),
                note=pick((plan.note, plan.note_en or plan.note)),
                citation=plan.citation,
            )
        )
    return 0


@command.command("draw")
@click.argument("plan")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="the sample's folder")
@click.option("--seed", type=click.IntRange(min=0), help="the seed; drawn and kept if not given")
@click.option("--list", "listed", type=click.Path(path_type=Path), help="households outside the register")
@click.option("--villages", type=click.Path(path_type=Path), help="draw in these villages only")
@passwords_option
@project_option
@day_option
@json_option
def draw_(
    plan: str, source: Path, output: Path, seed: int | None, listed: Path | None, villages: Path | None,
    group_passwords: Path | None, project: Path | None, day: date, *, as_json: bool,
) -> int:  # fmt: skip
    """Draw a sample by PLAN (a name from `fupin sample plans`, or a file.toml) and write a workbook for each audit group.

    SOURCE is the frame: a run directory, or a project. Units smaller than asked are taken wholly, and told.
    With --passwords every workbook is encrypted as Excel does it; the file has a line for each group, "第1组" = "…", and only its
    owner may read it.

    \b
    Examples:
      fupin sample draw county demo -o audit
      fupin sample draw jiangsu runs/2017-10 -o audit --villages 省定经济薄弱村.txt --seed 20171102
    """
    with progress(quiet=as_json) as say:
        drawn = draw(
            plan, source, output, day, seed=seed, listed=listed, villages=villages, project=project, say=say,
            passwords=password_from, group_passwords=read_passwords(group_passwords) if group_passwords else None,
        )  # fmt: skip
    if as_json:
        told = {
            "plan": drawn.plan.id, "seed": drawn.seed, "frame_sha256": drawn.frame, "frame_households": drawn.framed,
            "households": drawn.households, "villages": drawn.villages, "workbooks": drawn.books,
            "short": drawn.short.to_dicts(), "outside": dict(drawn.outside), "list_set_aside": dict(drawn.set_aside),
            "folder": str(drawn.folder),
        }  # fmt: skip
        click.echo(json.dumps(told, ensure_ascii=False))
        return 0
    click.echo(
        tr(
            "{title}: households drawn {households}, villages {villages}, workbooks {books}",
            title=pick((drawn.plan.title, drawn.plan.title_en)),
            households=drawn.households,
            villages=drawn.villages,
            books=drawn.books,
        )
    )
    click.echo(
        tr(
            "seed: {seed}, frame: households {framed:,}, {what}",
            seed=drawn.seed,
            framed=drawn.framed,
            what=drawn.frame[:16],
        )
    )
    for reason, count in drawn.outside.items():
        click.echo(tr("outside the frame: {count:,}  {outside}", count=count, outside=OUTSIDE[reason]))
    for reason, count in drawn.set_aside.items():
        click.echo(
            tr("rows of the list set aside: {count:,}  {pick}", count=count, pick=pick(SET_ASIDE_REASONS[reason]))
        )
    if drawn.short.height:
        click.echo(tr("units smaller than asked, taken wholly: {height}", height=drawn.short.height))
        for level, place, stratum, asked, present in drawn.short.head(_SHOWN).rows():
            where = "　".join(part for part in (place.strip("/"), stratum) if part)
            click.echo(
                tr(
                    "  {what}: {present} / {what_2}",
                    what=where or level,
                    present=present,
                    what_2=asked if asked is not None else "—",
                )
            )
    click.echo(f"→ {drawn.folder}")
    return 0


@command.command("estimate")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--sample", type=click.Path(path_type=Path), required=True, help="the sample's folder")
@click.option(
    "-o",
    "--output",
    type=Workbook(),
    help="write a workbook with all that is wrong, too",
)
@passwords_option
@day_option
@json_option
def estimate_(
    files: tuple[Path, ...],
    sample: Path,
    output: Path | None,
    group_passwords: Path | None,
    day: date,
    *,
    as_json: bool,
) -> int:
    """Work out rates with intervals from returned workbooks.

    Rows are known by their 样本编号, in any order and column. Weighted, with 95 % intervals that follow from how the sample
    was drawn; who did not answer is counted, and what that could hide is shown.

    \b
    Example:
      fupin sample estimate --sample audit 报回/*.xlsx -o 估计结果.xlsx
    """
    ask = password_from()
    if group_passwords:
        ask = ask_by_recipient(read_passwords(group_passwords), ask)
    told = estimate(sample, files, day, output=output, ask=ask)
    if as_json:
        estimates = [asdict(each) for each in told.estimates]
        counts = {"counts": dict(told.counts), "unreadable": len(told.unreadable)}
        click.echo(json.dumps({"plan": told.plan.title, "estimates": estimates, **counts}, ensure_ascii=False))
    else:
        show(_table(told.estimates), to_stdout=True)
        click.echo("；".join(f"{name} {count:,}" for name, count in told.counts.items()))
    if output:
        click.echo(f"→ {output}", err=as_json)
    for name, why in told.unreadable.items():
        click.echo(tr("unreadable: {name}: {why}", name=name, why=why), err=True)
    return PARTLY_UNREADABLE if told.unreadable else 0


def _table(estimates: Sequence[Estimate]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    heads = {
        "title": tr("rate"),
        "place": tr("place"),
        "drawn": tr("drawn"),
        "answered": tr("valid"),
        "value": tr("estimate"),
        "interval": tr("95% interval"),
        "extremes": tr("unanswered all no–all yes"),
        "against": tr("against the standard"),
    }
    for name, head in heads.items():
        number = name in ("drawn", "answered", "value", "interval", "extremes")
        table.add_column(head, justify="right" if number else "left", overflow="fold", no_wrap=number)
    against = pl.concat_str("limit", "verdict", separator="\n").str.strip_chars()
    for row in rate_rows(estimates).with_columns(against=against).select(*heads).rows():
        table.add_row(*map(str, row))
    return table
