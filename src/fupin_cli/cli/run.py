"""fupin run: the whole job."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click
from rich.markup import escape

from fupin_cli.casework import ledger_tables
from fupin_cli.cli.cases_options import today
from fupin_cli.cli.console import home, password_from, progress, show
from fupin_cli.cli.engines import cluster, engine_options
from fupin_cli.cli.groups import Choice
from fupin_cli.cli.journal import LOG, journal
from fupin_cli.cli.memory import Size
from fupin_cli.cli.next_step import after_run, rule_to_look_at
from fupin_cli.cli.waiting import wait_option
from fupin_cli.engine import Engine
from fupin_cli.judged import HERE
from fupin_cli.language import listed, pick, tr
from fupin_cli.pipeline import reconcile
from fupin_cli.project import Project, load_project
from fupin_cli.report.digest import Digest, to_json
from fupin_cli.report.terminal import summary
from fupin_cli.report.wording import problem_words
from fupin_cli.round_page import Page, round_before
from fupin_cli.rundir import sha256_of
from fupin_cli.traces import ACCESS, record
from fupin_cli.vocabulary import STAGES

FINDINGS_OPEN, PARTLY_UNREADABLE = 10, 3
# rows without a header, a sheet that ends where the format ends, a whole column of ID numbers without their last digits
UNREADABLE_KINDS = ("unreadable", "likely_cut", "numeric_id_column")


@click.command("run")
@click.argument("project", type=click.Path(path_type=Path), required=False)
@click.option("--stage", type=Choice(STAGES), help="only the rounds up to this one")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="run directory [PROJECT/runs/AS-OF[-STAGE]]")
@click.option("--files", is_flag=True, help="list every file, pack and kind of finding")
@click.option(
    "--previous",
    type=click.Path(path_type=Path),
    help="the last round's run directory",
)
@click.option("--ledger", type=click.Path(path_type=Path), help="the ledger, for the page")
@click.option("--unmask", is_flag=True, help="persons in full on the page")
@click.option("--json", "as_json", is_flag=True, help="print the digest to stdout, the summary to stderr")
@click.option("--exit-code", is_flag=True, help="exit with 10 when there are findings or notes")
@click.option("--max-memory", type=Size(), help="judge in parts that fit: 4GiB  [a good size]")
@engine_options
@click.option("-q", "--quiet", is_flag=True, help="no progress, no summary")
@click.option("--log", type=click.Path(path_type=Path), help="the log of runs [PROJECT/.fupin/log.jsonl]")
@wait_option
def command(
    project: Path | None,
    stage: str | None,
    output: Path | None,
    previous: Path | None,
    ledger: Path | None,
    log: Path | None,
    max_memory: int | None,
    engine: str,
    master: str | None,
    scratch: str | None,
    *,
    unmask: bool,
    files: bool,
    as_json: bool,
    exit_code: bool,
    quiet: bool,
) -> int:
    """Reconcile a project: link, judge, and write the lists.

    PROJECT is a fupin.toml or the folder that holds one; without it, the nearest from here upwards.

    \b
    Examples:
      fupin run
      fupin run sample_data -o demo
      fupin run --stage county --json | jq .findings
      fupin run /data/county --quiet --wait=600      from cron
      fupin run --previous runs/2019-10-31 --ledger cases
      fupin run province --max-memory=4GiB
      fupin run province --engine spark --master spark://HOST:7077

    A discrepancy is a normal result: the exit code is 0. Earlier results stay untouched until the new ones are complete.
    """
    loaded = load_project(project or home(quiet=quiet))
    name = loaded.as_of.isoformat() + (f"-{stage}" if stage and stage != loaded.stages[-1] else "")
    target = output or loaded.path.parent / "runs" / name
    if not quiet:
        _warn_of_days_ahead(loaded)
    if unmask:
        record(target.absolute().parent, ACCESS, run=target.name, shown="report.html")
    page = _page(previous, ledger, unmask=unmask)
    with (
        _engine(engine, master, scratch) as where,
        journal(log or loaded.path.parent / LOG, "run") as note,
        progress(quiet=quiet) as shown,
    ):

        def say(what: str, done: int = 0, total: int = 0, unit: str = "", /) -> None:
            shown(what, done, total, unit)
            if not done:
                note("doing", what=what)

        def warn(what: str) -> None:
            note("doing", what=what)
            if not quiet:
                show(f"[yellow]{escape(what)}[/yellow]")

        digest = reconcile(
            loaded,
            target,
            stage=stage,
            say=say,
            passwords=password_from,
            page=page,
            max_memory=max_memory,
            engine=where,
            warn=warn,
        )
        code = _code(digest, exit_code=exit_code)
        note("done", code=code, households=digest.households, persons=digest.persons, findings=digest.findings)
    if as_json:
        click.echo(to_json(digest), nl=False)
    if not quiet:
        rule = rule_to_look_at((t.rule_id, t.severity or "", t.count) for t in digest.findings_by_rule)
        told = summary(digest, str(target), every=files, then=after_run(target, loaded.path, rule))
        show(told, to_stdout=not as_json)
        if code == PARTLY_UNREADABLE:
            click.echo(_partly(digest), err=True)
    return code


def _engine(engine: str, master: str | None, scratch: str | None) -> AbstractContextManager[Engine]:
    """Where the households are judged."""
    return cluster(engine, master, scratch) or nullcontext(HERE)


def _warn_of_days_ahead(project: Project) -> None:
    """Says which dates of the project lie ahead: ages, lines and deadlines would be told of a day that nobody knows yet."""
    now = today()
    for where, day in (("[project]", project.as_of), *((f"[[extract]] {e.id}", e.as_of) for e in project.extracts)):
        if day > now:
            told = tr("{where}: as_of = {day} lies in the future; today is {today}", where=where, day=day, today=now)
            show(f"[yellow]{escape(told)}[/yellow]")


def _partly(digest: Digest) -> str:
    """What the exit code 3 means here: the run is done, and which doubt about its sources is why it says so."""
    kinds = dict.fromkeys(problem.kind for problem in digest.problems if problem.kind in UNREADABLE_KINDS)
    what = listed(problem_words(kind, pick) for kind in kinds)
    return tr("exit code 3: done, but of some source not everything may have been read: {what}", what=what)


def _code(digest: Digest, *, exit_code: bool) -> int:
    if any(problem.kind in UNREADABLE_KINDS for problem in digest.problems):
        return PARTLY_UNREADABLE
    return FINDINGS_OPEN if exit_code and (digest.findings or digest.notes) else 0


def _page(previous: Path | None, ledger: Path | None, *, unmask: bool) -> Page:
    """What report.html shows beside the round: the change since the last one, and what the ledger knows."""
    before = round_before(previous) if previous else None
    inputs = {"previous": before.manifest} if before else {}
    tables = ledger_tables(ledger) if ledger else ()
    if tables:
        inputs["ledger"] = sha256_of(*(table.rows.write_csv() for table in tables))
    return Page(unmask, tables, before, inputs)
