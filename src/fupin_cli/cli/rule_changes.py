"""fupin rules diff and compare: what two packs ask differently, and which households would get another answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import polars as pl

from fupin_cli.cli import complete
from fupin_cli.cli.rule_packs import judged_project_option, open_pack, project_option
from fupin_cli.cli.rule_trace import folder_of, run_option
from fupin_cli.errors import UsageError
from fupin_cli.language import tr
from fupin_cli.rulebook import labels_of
from fupin_cli.rules import Pack, Parameter, Rule
from fupin_cli.rundir import replace_file
from fupin_cli.vocabulary import OUTCOME_LABELS, Outcome
from fupin_cli.what_if import changed_outcomes, judge_again, other_verdicts, pair_rules, read_round

_SHOWN = 20
_WITHOUT = "各项都达标，或没有命中"  # a verdict that finds nothing gives no reason


@click.command("diff")
@click.argument("first")
@click.argument("second")
@project_option
def diff_packs(first: str, second: str, project: Path | None) -> int:
    """Show rule by rule what two packs ask differently.

    FIRST and SECOND are ids of packs, or TOML files.

    \b
    Examples:
      fupin rules diff exit-national my-rules/national.toml
      fupin rules diff nine-red-lines shangrao
    """
    ours, theirs = open_pack(first, project)[0], open_pack(second, project)[0]
    lines = list(_differences(ours, theirs))
    click.echo(f"A {ours.id}（{ours.title}）  B {theirs.id}（{theirs.title}）")
    click.echo("\n".join(lines) if lines else "没有不同 no difference")
    return 0


@click.command("compare")
@click.option(
    "--pack",
    "names",
    shell_complete=complete.packs,
    multiple=True,
    required=True,
    help="id or file of a pack, twice",
)
@click.option(
    "--rule",
    "rules",
    shell_complete=complete.rules,
    multiple=True,
    help="compare these two rules, one of each pack [by ID, else verdict with verdict]",
)
@run_option
@judged_project_option
@click.option(
    "--csv",
    "target",
    type=click.Path(path_type=Path),
    help="write all of them to a CSV file",
)
def compare_packs(
    names: tuple[str, ...], rules: tuple[str, ...], folder: Path | None, project: Path | None, target: Path | None
) -> int:
    """Judge a finished round by two packs: which households change their outcome, and why.

    Rules of one ID are compared with each other; packs without a rule in common, verdict with verdict, or as --rule says.

    \b
    Examples:
      fupin rules compare --pack exit-national --pack shaanxi --run demo
      fupin rules compare --pack exit-national --pack guangxi --rule NAT-H-0 --rule GX-X-0 --run demo
      fupin rules compare --pack exit-national --pack my-rules/national.toml --csv changes.csv
    """
    if len(names) != 2:
        raise UsageError(tr("compare takes two packs"), try_=tr("fupin rules compare --pack A --pack B --run DIR"))
    run = folder_of(folder)
    (ours, known), (theirs, others) = (open_pack(name, project, run) for name in names)
    pairs = pair_rules(ours, theirs, rules)
    told = [
        judge_again(read_round(run, among.packs), among.packs, pack, among.lines, labels_of(among.profiles))
        for pack, among in ((ours, known), (theirs, others))
    ]
    if known.note:
        click.echo(known.note)
    changes = changed_outcomes(told[0], told[1], pairs)
    click.echo(f"A {ours.id}（{ours.title}）  B {theirs.id}（{theirs.title}）")
    for first, second in pairs:
        click.echo("\n".join(_summary(changes.filter(pl.col("rule_a") == first.id), first, second)))
    if len(pairs) == 1 and (more := other_verdicts(pairs[0], ours, theirs)):
        listed = "；".join(f"{rule.id} {rule.title}" for rule in more)
        click.echo(f"  其他综合判定 other verdicts（--rule A --rule B）：{listed}")
    for row in changes.head(_SHOWN).rows(named=True):
        click.echo(f"户 {row['household_id']}  {row['rule_a']} → {row['rule_b']}")
        click.echo(
            f"  A {_zh(row['outcome_a'])}：{row['reason_a'] or _WITHOUT}\n"
            f"  B {_zh(row['outcome_b'])}：{row['reason_b'] or _WITHOUT}"
        )
    if target:
        with replace_file(target) as staged:
            changes.write_csv(staged, include_bom=True)
        click.echo(f"→ {target}：{changes.height} 行 rows")
    elif changes.height > _SHOWN:
        click.echo(f"…… 其余 {changes.height - _SHOWN} 行 more rows; try: --csv changes.csv")
    return 0


def _summary(changes: pl.DataFrame, first: Rule, second: Rule) -> Iterator[str]:
    named = f"{first.id} {first.title}" + ("" if first.id == second.id else f" ↔ {second.id} {second.title}")
    yield f"{named}：{changes.height} 户结论不同 households differ"
    counts = changes.group_by("outcome_a", "outcome_b").len().sort("outcome_a", "outcome_b")
    for before, after, count in counts.rows():
        yield f"  {_zh(before)} → {_zh(after)}：{count}"


def _zh(outcome: str) -> str:
    return " ".join(OUTCOME_LABELS[Outcome(outcome)])


def _differences(first: Pack, second: Pack) -> Iterator[str]:
    ours, theirs = ({rule.id: rule for rule in pack.rules} for pack in (first, second))
    yield from (f"- {rule.id} {rule.title}（只在 A only in A）" for id_, rule in ours.items() if id_ not in theirs)
    yield from (f"+ {rule.id} {rule.title}（只在 B only in B）" for id_, rule in theirs.items() if id_ not in ours)
    for id_ in (id_ for id_ in ours if id_ in theirs):
        changed = list(_changed(_asks(ours[id_]), _asks(theirs[id_])))
        yield from ([f"~ {id_} {theirs[id_].title}", *changed] if changed else [])
    numbers = [{number.name: number for number in pack.parameters} for pack in (first, second)]
    for name in sorted({*numbers[0], *numbers[1]}):
        sides = [_values(found[name]) if name in found else "（无 none）" for found in numbers]
        if sides[0] != sides[1]:
            yield f"~ {name}\n    {sides[0]} → {sides[1]}"


def _changed(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    for key, value in before.items():
        if value != after[key]:
            yield f"    {key}: {value or '（无 none）'} → {after[key] or '（无 none）'}"


def _asks(rule: Rule) -> dict[str, str]:
    """What somebody would call a change of this rule, in words."""
    return {
        "when": " ".join(rule.when.text.split()) if rule.when else "",
        "condition": " ".join(rule.condition.text.split()) if rule.condition else "",
        "not_met": " ".join(rule.denied.text.split()) if rule.denied else "",
        "unless": "；".join(exception.when.text for exception in rule.unless),
        "members": ", ".join(rule.members),
        "line": f"{rule.line.table} {rule.line.year}" if rule.line else "",
        "level": rule.level.value,
        "severity": rule.severity.value,
        "on_unknown": rule.on_unknown.value,
        "effective": f"{rule.effective_from or '…'} – {rule.effective_to or '…'}",
        "enabled": str(rule.enabled).lower(),
        "citation": f"{rule.citation} [{rule.citation.provenance.value}]",
    }


def _values(number: Parameter) -> str:
    return "，".join(f"{value.value:g}（{value.start} – {value.end or '…'}）" for value in number.values)
