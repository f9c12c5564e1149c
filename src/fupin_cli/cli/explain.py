"""fupin explain: why a person, household or finding got its result: which fact, from which row, under which rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import polars as pl

from fupin_cli.cli import complete
from fupin_cli.cli.explain_pair import explain_row_pair, link_named
from fupin_cli.cli.next_step import typed
from fupin_cli.cli.pairs_shown import DECISIONS
from fupin_cli.cli.rule_packs import judged_project_option, open_rules
from fupin_cli.errors import BadDataError, InputMissingError, UsageError
from fupin_cli.language import pick, tr
from fupin_cli.report.link_words import waterfall
from fupin_cli.report.masking import mask_id, mask_name, mask_sentence
from fupin_cli.rules import Rule, nearest
from fupin_cli.traces import ACCESS, record
from fupin_cli.vocabulary import BASES, CODED, ID_STATUS_LABELS, OUTCOME_LABELS, Outcome, label

DERIVED = {
    "age": "年龄", "age_at_school_start": "学年开始时年龄", "line_yuan": "标准线", "days_since_entry": "录入天数",
    "county_compared": "录入前已县级比对", "member_count_actual": "台账人数", "as_of": "比对日期",
}  # fmt: skip
_SHOWN_OF_RULE, _KEY_SHOWN = 20, 8  # findings listed; characters of a key that tell it from the others
_FRAMES = ("persons", "households", "outcomes", "person_outcomes", "findings", "links", "evidence")


@click.command("explain")
@click.argument("target", shell_complete=complete.rules)
@click.option(
    "--run",
    "folder",
    type=click.Path(path_type=Path),
    help="run directory, or links.parquet of fupin link [newest under ./runs, or ./demo]",
)
@judged_project_option
@click.option("--unmask", is_flag=True, help="show names and ID numbers in full")
def command(target: str, folder: Path | None, project: Path | None, *, unmask: bool) -> int:
    """Explain a person, a household, a finding or a link.

    TARGET is a rule ID, for the findings of that rule; a finding key (or its first characters), a household ID, a person ID,
    an ID number, row:N for the N-th register row, link:N:EXTRACT:M for the link between it and row M of an extract, or, in
    the file that fupin link wrote, link:N:M (row numbers as they stand there). A link is told field by field, with the bits
    that each adds. Names and numbers are masked unless --unmask is given; who asked for that, and when, is recorded in
    .fupin/access.jsonl beside the run.

    \b
    Examples:
      fupin explain CMP-PS1 --run demo
      fupin explain 9901210000012 --run demo
      fupin explain 3f2a9c
      fupin explain row:17 --unmask
      fupin explain link:17:hukou:203 --run demo
      fupin explain link:17:203 --run links.parquet
    """
    if folder and folder.is_file():
        click.echo("\n".join(explain_row_pair(target, folder)))
        return 0
    run = _open(folder or _newest())
    if unmask:
        record(run.folder.absolute().parent, ACCESS, run=run.folder.name, shown=mask_id(target) or "")
    known = open_rules(project, run=run.folder)
    rules = {rule.id: rule for pack in known.packs for rule in pack.rules}
    say = _Masked(
        unmask=unmask, labels={field.column: field.zh for field in known.profiles["register"].fields} | DERIVED
    )
    finding = (
        run.findings.filter(_col("finding_key").str.starts_with(target.lower()))
        if len(target) >= 4
        else run.findings.clear()
    )
    household = run.households.filter(_col("household_id") == target)
    person = run.persons.filter(_matches_person(target))
    if target.startswith("link:"):
        lines = _one_link(run, target, say)
    elif (of_rule := run.findings.filter(_col("rule_id") == target.upper())).height:
        lines = _of_rule(of_rule, run.folder, rules, say)
    elif finding.height == 1:
        lines = _finding(finding.row(0, named=True), rules, say)
    elif household.height:
        lines = _household(run, household.row(0, named=True), rules, say)
    elif person.height:
        lines = [line for row in person.sort("register_row").to_dicts() for line in _person(run, row, rules, say)]
    else:
        raise UsageError(
            tr("nothing in this run is called that") if finding.height == 0 else tr("several findings begin like that"),
            where=str(run.folder),
            why=tr("looked for a rule, finding key, household ID, person ID, ID number, row:N and link:N:EXTRACT:M"),
            try_=_instead(run, target),
        )
    if known.note:
        click.echo(known.note)
    click.echo("\n".join(lines))
    return 0


@dataclass(frozen=True)
class _Run:
    """The frames of one run directory."""

    folder: Path
    persons: pl.DataFrame
    households: pl.DataFrame
    outcomes: pl.DataFrame
    person_outcomes: pl.DataFrame
    findings: pl.DataFrame
    links: pl.DataFrame
    evidence: pl.DataFrame


class _Masked:
    """Shows what may be shown: names and numbers hidden unless asked for in full."""

    def __init__(self, *, unmask: bool, labels: Mapping[str, str]) -> None:
        self.unmask = unmask
        self.labels = labels

    def fact(self, name: str, value: object) -> str:
        return f"{self.labels.get(name, label(name))} {self.value(name, value)}"

    def name(self, text: str | None) -> str:
        return (text if self.unmask else mask_name(text)) or tr("(no name)")

    def number(self, text: str | None) -> str:
        return (text if self.unmask else mask_id(text)) or tr("(no valid ID number)")

    def value(self, name: str, value: object) -> str:
        if value is None:
            return tr("unknown")
        if isinstance(value, bool):
            return tr("yes") if value else tr("no")
        if name in CODED and value in CODED[name]:
            return pick(CODED[name][str(value)])
        if "name" in name:
            return self.name(str(value))
        return str(value) if self.unmask else mask_sentence(str(value))


def _instead(run: _Run, target: str) -> str:
    """What to type where nothing is called like the target: a rule that is spelled nearly so, else where names are found."""
    near = nearest(target.upper(), run.findings["rule_id"].unique().sort().to_list())
    return (
        typed("fupin", "explain", near, "--run", run.folder)
        if near
        else tr("copy 疑点编号 or 户编号 from a workbook of this run")
    )


def _col(name: str) -> pl.Expr:
    return pl.col(name)


def _matches_person(target: str) -> pl.Expr:
    if target.startswith("row:") and target[4:].isdigit():
        return _col("register_row") == int(target[4:])
    return (_col("person_id") == target) | (_col("id_number") == target.upper())


def _newest() -> Path:
    runs = sorted(path.parent for path in Path("runs").glob("*/manifest.json"))
    if runs:
        return runs[-1]
    if (Path("demo") / "manifest.json").exists():
        return Path("demo")
    raise InputMissingError(tr("no run found under ./runs or ./demo"), try_=tr("fupin explain TARGET --run DIR"))


def _open(folder: Path) -> _Run:
    if not (folder / "manifest.json").exists():
        raise InputMissingError(
            tr("this is not a run directory"), where=str(folder), try_=tr("fupin run -o DIR, then --run DIR")
        )
    frames = {}
    for name in _FRAMES:
        try:
            frames[name] = pl.read_parquet(folder / f"{name}.parquet")
        except (OSError, pl.exceptions.PolarsError):
            raise BadDataError(
                tr("{name}.parquet cannot be read", name=name), where=str(folder), try_=tr("run again")
            ) from None
    return _Run(folder, **frames)


def _where(row: Mapping[str, Any], source: str = "source", sheet: str = "sheet", at: str = "row") -> str:
    parts = [row[source], row[sheet] or None, tr("row {row}", row=row[at]) if row[at] is not None else None]
    return tr(", ").join(str(part) for part in parts if part)


def _household(run: _Run, home: Mapping[str, Any], rules: Mapping[str, Rule], say: _Masked) -> list[str]:
    """The household's verdict, criterion by criterion, each with its facts, their row and the citation; then its findings."""
    members = run.persons.filter(_col("household_id") == home["household_id"]).sort("register_row")
    lines = [
        (
            tr(
                "household {household_id}  head {what}  {names}  persons {height}",
                household_id=home["household_id"],
                what=say.name(home["head_name"]),
                names="".join(home[p] or "" for p in ("county", "township", "village")),
                height=members.height,
            )
        ),
        tr("  register: {where}", where=_where(home)),
    ]
    outcomes = run.outcomes.filter(_col("household_id") == home["household_id"]).sort("rule_id")
    judged = [
        row for row in outcomes.to_dicts() if row["rule_id"] in rules and rules[row["rule_id"]].kind.value != "check"
    ]
    judged.sort(key=lambda row: (rules[row["rule_id"]].kind.value != "verdict", row["rule_id"]))
    for row in judged:
        asked = run.person_outcomes.filter((_col("rule_id") == row["rule_id"]) & (_col("outcome") != "not_applicable"))
        lines += _outcome(row, rules[row["rule_id"]], home, members, set(asked["register_row"]), say)
    findings = run.findings.filter(_col("household_id") == home["household_id"]).sort("rule_id", "finding_key")
    lines.append(tr("findings: {height}", height=findings.height))
    for row in findings.to_dicts():
        lines += [f"  {line}" for line in _finding(row, rules, say)]
    return lines


def _outcome(
    row: Mapping[str, Any], rule: Rule, home: Mapping[str, Any], members: pl.DataFrame, applies: set[int], say: _Masked
) -> list[str]:
    lines = [f"{rule.id} {rule.title}{pick(('：', ': '))}{pick(OUTCOME_LABELS[Outcome(row['outcome'])])}"]
    if row["reason"] and (rule.level.value == "person" or rule.kind.value == "verdict" or rule.line):
        lines.append(f"    {say.value('reason', row['reason'])}")
    names = list(dict.fromkeys((*rule.names, *rule.shows)))
    if rule.level.value == "person":
        for member in members.to_dicts():
            if member["register_row"] in applies:
                facts = "，".join(say.fact(name, member[name]) for name in names if name in member)
                lines.append(f"    {say.name(member['name'])}：{facts}（{_where(member)}）")
    elif names:
        facts = "，".join(say.fact(name, home[name]) for name in names if name in home)
        lines.append(f"    {facts}（{_where(home)}）")
    if rule.kind.value != "verdict":
        lines.append(tr("    cited: {citation}", citation=rule.citation))
    return lines


def _person(run: _Run, person: Mapping[str, Any], rules: Mapping[str, Rule], say: _Masked) -> list[str]:
    """Who this is, whom the departments know as the same person and why, and what was found."""
    lines = [
        (
            tr(
                "person row:{register_row}  {what}  {what_2}  household {what_3}",
                register_row=person["register_row"],
                what=say.name(person["name"]),
                what_2=say.number(person["id_number"]),
                what_3=say.number(person["household_id"]),
            )
        ),
        tr(
            "  register: {place}; ID number: {status}",
            place=_where(person),
            status=pick(ID_STATUS_LABELS[person["id_status"]]),
        ),
    ]
    links = run.links.filter(_col("register_row") == person["register_row"]).sort("extract", "extract_row")
    for link in links.to_dicts():
        lines += _link(run, link, say)
    if not links.height:
        lines.append(tr("  no links"))
    findings = run.findings.filter(_col("register_row") == person["register_row"]).sort("rule_id", "finding_key")
    lines.append(tr("  findings: {height}", height=findings.height))
    for row in findings.to_dicts():
        lines += [f"    {line}" for line in _finding(row, rules, say)]
    return lines


def _one_link(run: _Run, target: str, say: _Masked) -> list[str]:
    """One link of the run: whose it is on the register, then the other side and the sum of bits."""
    ours, extract, theirs = link_named(target, of_run=True)
    link = run.links.filter(
        _col("register_row") == ours, _col("extract") == extract, _col("extract_row") == theirs
    ).to_dicts()
    if not link:
        known = run.links.filter(_col("register_row") == ours).sort("extract", "extract_row")
        near = " ".join(f"link:{ours}:{e}:{m}" for e, m in known.select("extract", "extract_row").head(5).rows())
        raise UsageError(
            tr("no such link in this run"),
            where=str(run.folder),
            try_=tr("fupin explain row:{ours}, or {near}", ours=ours, near=near),
        )
    person = run.persons.filter(_col("register_row") == ours).row(0, named=True)
    head = tr(
        "register row:{ours}  {what} {what_2} ({where})",
        ours=ours,
        what=say.name(person["name"]),
        what_2=say.number(person["id_number"]),
        where=_where(person),
    )
    return [head, *_link(run, link[0], say)]


def _link(run: _Run, link: Mapping[str, Any], say: _Masked) -> list[str]:
    """One link in words, and its match weight as a sum of bits."""
    inside = link["extract"] == "register"
    others = run.persons if inside else run.evidence.filter(_col("extract") == link["extract"])
    other = others.filter(_col("register_row" if inside else "extract_row") == link["extract_row"]).to_dicts()[0]
    words = pick((DECISIONS[link["decision"]], link["decision"]))
    tied = tr(", tied") if link["tied"] else ""
    return [
        f"  {link['extract']}: {words}{tied} — {pick(BASES[link['basis']])}",
        f"    {say.name(other['name'])} {say.number(other['id_number'])}（{_where(other)}）",
        *(f"    {line}" for line in waterfall(link)),
    ]


def _of_rule(findings: pl.DataFrame, folder: Path, rules: Mapping[str, Rule], say: _Masked) -> list[str]:
    """The findings of one rule, by place, each with the first characters of its key; then how to see one."""
    first = findings.row(0, named=True)
    places = ("county", "township", "village")
    shown = findings.sort(*places, "finding_key", nulls_last=True).head(_SHOWN_OF_RULE)
    lines = [
        tr(
            "{rule_id} {title}: findings {height:,}",
            rule_id=first["rule_id"],
            title=first["title"],
            height=findings.height,
        )
    ]
    lines += [tr("  cited: {citation}", citation=rules[first["rule_id"]].citation)] if first["rule_id"] in rules else []
    lines += [
        f"  {row['finding_key'][:_KEY_SHOWN]}  {''.join(row[place] or '' for place in places)}  "
        f"{say.name(row['name'] or row['head_name'])}" + (tr("  ▲review") if row["band"] == "review" else "")
        for row in shown.to_dicts()
    ]
    if findings.height > shown.height:
        lines.append(tr("  … {what:,} more, in the workbooks", what=findings.height - shown.height))
    key = shown["finding_key"][0][:_KEY_SHOWN]
    return [*lines, tr("next: {step}", step=typed("fupin", "explain", key, "--run", folder))]


def _finding(row: Mapping[str, Any], rules: Mapping[str, Rule], say: _Masked) -> list[str]:
    """One finding: both sides' values, the evidence sentence, where each comes from, and the citation."""
    lines = [
        tr(
            "finding {finding_key}  {rule_id} {title}  {what}",
            finding_key=row["finding_key"],
            rule_id=row["rule_id"],
            title=row["title"],
            what=say.name(row["name"] or row["head_name"]),
        )
        + (tr("  ▲review") if row["band"] == "review" else ""),
        f"  {say.value('evidence', row['evidence'])}",
    ]
    if row["register_source"]:
        lines.append(tr("  register: {where}", where=_where(row, "register_source", "register_sheet", "register_at")))
    if row["extract_source"]:
        lines.append(
            tr(
                "  department {department}: {where}",
                department=row["department"],
                where=_where(row, "extract_source", "extract_sheet", "extract_at"),
            )
        )
    if row["rule_id"] in rules:
        lines.append(tr("  cited: {citation}", citation=rules[row["rule_id"]].citation))
    return lines
