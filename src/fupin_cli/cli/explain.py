"""fupin explain: why a person, household or finding got its result: which fact, from which row, under which rule."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import polars as pl

from fupin_cli.cases.keys import read_case_id
from fupin_cli.cli import complete
from fupin_cli.cli.cases_options import json_option
from fupin_cli.cli.explain_lines import (
    Masked,
    finding_lines,
    finding_told,
    household_lines,
    idle_lines,
    link_lines,
    person_lines,
    rule_lines,
)
from fupin_cli.cli.explain_pair import explain_row_pair
from fupin_cli.cli.explain_run import Run, newest_run, open_run, people_in_row
from fupin_cli.cli.rule_packs import judged_project_option, open_rules
from fupin_cli.errors import UsageError, typed
from fupin_cli.language import pick, tr
from fupin_cli.report.english import as_spoken
from fupin_cli.report.masking import mask_id, mask_text
from fupin_cli.rules import Rule, nearest
from fupin_cli.rules.pack import HOUSEHOLD_FACTS, PERSON_FACTS
from fupin_cli.traces import ACCESS, record

_DERIVED = PERSON_FACTS | HOUSEHOLD_FACTS | {"line_yuan": ("标准线", "the line")}
_SHORTEST_KEY = 4  # characters of a finding's key


class _Told(NamedTuple):
    """What is said of a target: what it turned out to be, the findings about it, the lines for a person."""

    kind: str
    lines: Sequence[str]
    findings: pl.DataFrame | None = None


@click.command("explain")
@click.argument("target", shell_complete=complete.rules)
@click.option(
    "--run",
    "folder",
    type=click.Path(path_type=Path),
    help="run directory, or links.parquet of fupin link [newest under ./runs, or ./demo]",
)
@judged_project_option
@click.option(
    "--ledger",
    type=click.Path(path_type=Path),
    help="the ledger of a case's number [cases here, in the project or beside the run]",
)
@click.option("--unmask", is_flag=True, help="show names and ID numbers in full")
@json_option
def command(
    target: str, folder: Path | None, project: Path | None, ledger: Path | None, *, unmask: bool, as_json: bool
) -> int:
    """Explain a person, a household, a finding, a case or a link.

    TARGET is a rule ID, for the findings of that rule; the key of a finding (or its first characters), the number of a case, as
    it was sent out; a household ID, a person ID or an ID number; or row:N for whoever stands in row N of the register, as
    the spreadsheet counts its rows: row:N@TEXT where several sheets have such a row and one has TEXT in the name of its file
    or in its own. A link is link:N:EXTRACT:M, to be copied from what is said of its person, or, in the file that fupin link
    wrote, link:N:M (row numbers as they stand there); it is told field by field, with the bits that each adds. Names and
    numbers are masked unless --unmask is given; who asked for that, and when, is recorded in .fupin/access.jsonl beside
    the run.

    \b
    Examples:
      fupin explain CMP-PS1 --run demo
      fupin explain 9901211002000011 --run demo
      fupin explain 3f2a9c
      fupin explain C4G7Q2M9KX0BD5T1Z --ledger cases
      fupin explain row:17@青禾县 --unmask
      fupin explain link:17:hukou:203 --run demo
      fupin explain link:17:203 --run links.parquet
      fupin explain CMP-PS1 --run demo --json | jq -r .findings[].finding_key
    """
    if folder and folder.is_file():
        if unmask:
            raise UsageError(
                tr("a file of links holds nobody's name or number: there is nothing to unmask"),
                where=folder.name,
                try_=tr("the same without --unmask; a run directory has the names"),
            )
        lines = explain_row_pair(target, folder)
        click.echo(_as_json(target, _Told("link", lines)) if as_json else "\n".join(lines))
        return 0
    run = open_run(folder or newest_run())
    known = open_rules(project, run=run.folder)
    rules = {rule.id: rule for pack in known.packs for rule in pack.rules}
    say = Masked(
        unmask=unmask,
        labels={field.column: pick((field.zh, field.en)) for field in known.profiles["register"].fields}
        | {name: pick(both) for name, both in _DERIVED.items()},
        said=as_spoken(known.packs, known.profiles),
    )
    case = read_case_id(target)
    told = _case(run, case, ledger, project, rules, say) if case else _told(run, target, rules, say)
    if unmask:
        record(run.folder.absolute().parent, ACCESS, run=run.folder.name, shown=_shown(target, case, told))
    if known.note:
        click.echo(known.note, err=as_json)
    if as_json:
        found = [] if told.findings is None else told.findings.to_dicts()
        click.echo(_as_json(target, told, [finding_told(row, rules, say) for row in found]))
    else:
        click.echo("\n".join(told.lines))
    return 0


def _shown(target: str, case: str | None, told: _Told) -> str:
    """What the record of access says was shown: a rule, the key of a finding or the number of a case; of people nothing more."""
    if case:
        return case
    if told.kind == "rule":
        return target.upper()
    if told.kind == "finding" and told.findings is not None:
        return str(told.findings["finding_key"][0])
    return mask_id(target) or ""


def _as_json(target: str, told: _Told, findings: Sequence[Mapping[str, Any]] = ()) -> str:
    """What is said for programs, masked as it is for people."""
    said = {"target": mask_text(target), "kind": told.kind, "findings": findings, "lines": told.lines}
    return json.dumps(said, ensure_ascii=False)


def _told(run: Run, target: str, rules: Mapping[str, Rule], say: Masked) -> _Told:
    """What is said of whatever this run calls so. Raises UsageError where that is nothing, or more than one finding."""
    if target.startswith("link:"):
        return _Told("link", link_lines(run, target, say))
    if target.startswith("row:"):
        return _people(run, people_in_row(run, target), rules, say)
    of_rule = run.findings.filter(pl.col("rule_id") == target.upper())
    if of_rule.height:
        return _Told("rule", rule_lines(of_rule, run, rules, say), of_rule.sort("finding_key"))
    begun = run.findings.filter(pl.col("finding_key").str.starts_with(target.lower()), len(target) >= _SHORTEST_KEY)
    if begun.height == 1:
        return _Told("finding", finding_lines(run, begun.row(0, named=True), rules, say), begun)
    if (household := run.households.filter(pl.col("household_id") == target)).height:
        of_home = run.findings.filter(pl.col("household_id") == target).sort("rule_id", "finding_key")
        return _Told("household", household_lines(run, household.row(0, named=True), rules, say), of_home)
    person = run.persons.filter((pl.col("person_id") == target) | (pl.col("id_number") == target.upper()))
    idle = [] if person.height else idle_lines(run, target.upper(), rules, say)
    if person.height or idle:
        return _Told("rule", idle) if idle else _people(run, person.sort("register_row"), rules, say)
    looked = tr(
        "looked for a rule, finding key, case number, household ID, person ID, ID number, row:N and link:N:EXTRACT:M"
    )
    raise UsageError(
        tr("several findings begin like that") if begun.height else tr("nothing in this run is called that"),
        where=str(run.folder),
        why=looked,
        try_=_instead(run, target),
    )


def _people(run: Run, people: pl.DataFrame, rules: Mapping[str, Rule], say: Masked) -> _Told:
    lines = [line for person in people.to_dicts() for line in person_lines(run, person, rules, say)]
    found = run.findings.join(people.select("register_row"), on="register_row", how="semi")
    return _Told("person", lines, found.sort("register_row", "rule_id", "finding_key"))


def _case(
    run: Run, case: str, ledger: Path | None, project: Path | None, rules: Mapping[str, Rule], say: Masked
) -> _Told:
    from fupin_cli.cli.explain_case import finding_of_case  # noqa: PLC0415 - nothing else here needs the ledger

    state, finding = finding_of_case(case, run.folder, ledger, project)
    found = run.findings.filter(pl.col("finding_key") == finding["finding_key"])
    return _Told("case", [state, *finding_lines(run, finding, rules, say)], found)


def _instead(run: Run, target: str) -> str:
    """What to type where nothing is called like the target: a rule that is spelled nearly so, else where names are found."""
    near = nearest(target.upper(), run.findings["rule_id"].unique().sort().to_list())
    return (
        typed("fupin", "explain", near, "--run", run.folder)
        if near
        else tr("copy the number of a finding or of a household from a workbook of this run")
    )
