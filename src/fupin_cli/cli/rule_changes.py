"""fupin rules diff and compare: what two packs ask differently, and which households would get another answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import click
import polars as pl

from fupin_cli.cli import complete
from fupin_cli.cli.cases_options import json_option
from fupin_cli.cli.rule_packs import judged_project_option, open_pack, project_option
from fupin_cli.cli.rule_trace import folder_of, run_option
from fupin_cli.errors import UsageError
from fupin_cli.language import pick, tr
from fupin_cli.report.english import as_spoken
from fupin_cli.report.masking import mask_sentence
from fupin_cli.rulebook import labels_of
from fupin_cli.rules import Pack, Parameter, Rule
from fupin_cli.rundir import replace_file
from fupin_cli.vocabulary import OUTCOME_LABELS, Outcome
from fupin_cli.what_if import changed_outcomes, judge_again, other_verdicts, pair_rules, read_round

_SHOWN = 20
_REASONS = ("reason_a", "reason_b")


@click.command("diff")
@click.argument("first")
@click.argument("second")
@project_option
@json_option
def diff_packs(first: str, second: str, project: Path | None, *, as_json: bool) -> int:
    """Show rule by rule what two packs ask differently.

    FIRST and SECOND are ids of packs, or TOML files.

    \b
    Examples:
      fupin rules diff exit-national my-rules/national.toml
      fupin rules diff nine-red-lines shangrao
      fupin rules diff exit-national shaanxi --json | jq -r .only_in_b[]
    """
    ours, theirs = open_pack(first, project)[0], open_pack(second, project)[0]
    told = _differences(ours, theirs)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return 0
    lines = list(_in_lines(told, ours, theirs))
    click.echo(_both(ours, theirs))
    click.echo("\n".join(lines) if lines else tr("no difference"))
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
@json_option
def compare_packs(
    names: tuple[str, ...],
    rules: tuple[str, ...],
    folder: Path | None,
    project: Path | None,
    target: Path | None,
    *,
    as_json: bool,
) -> int:
    """Judge a finished round by two packs: which households change their outcome, and why.

    Rules of one ID are compared with each other; packs without a rule in common, verdict with verdict, or as --rule says.

    \b
    Examples:
      fupin rules compare --pack exit-national --pack shaanxi --run demo
      fupin rules compare --pack exit-national --pack guangxi --rule NAT-H-0 --rule GX-X-0 --run demo
      fupin rules compare --pack exit-national --pack my-rules/national.toml --csv changes.csv
      fupin rules compare --pack exit-national --pack shaanxi --run demo --json | jq .households
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
        click.echo(known.note, err=as_json)
    changes = changed_outcomes(told[0], told[1], pairs)
    if target:
        with replace_file(target) as staged:
            changes.write_csv(staged, include_bom=True)
    if as_json:
        click.echo(json.dumps(_compared(ours, theirs, pairs, changes), ensure_ascii=False))
        return 0
    click.echo(_both(ours, theirs))
    for first, second in pairs:
        click.echo("\n".join(_summary(changes.filter(pl.col("rule_a") == first.id), first, second)))
    if len(pairs) == 1 and (more := other_verdicts(pairs[0], ours, theirs)):
        listed = pick(("；", "; ")).join(f"{rule.id} {_title(rule)}" for rule in more)
        click.echo(tr("  other verdicts (--rule A --rule B): {listed}", listed=listed))
    said = as_spoken((*known.packs, theirs), known.profiles)
    for row in changes.head(_SHOWN).rows(named=True):
        click.echo("\n".join(_household(row, said)))
    if target:
        click.echo(tr("→ {target}: rows {height}", target=target, height=changes.height))
    elif changes.height > _SHOWN:
        click.echo(tr("… {what} more rows; try: --csv changes.csv", what=changes.height - _SHOWN))
    return 0


def _household(row: Mapping[str, Any], said: Callable[[str], str]) -> Iterator[str]:
    """A household that would get another answer, and why by either pack."""
    yield tr(
        "household {household_id}  {rule_a} → {rule_b}",
        household_id=row["household_id"],
        rule_a=row["rule_a"],
        rule_b=row["rule_b"],
    )
    none = tr("everything met, or no hit")  # a verdict that finds nothing gives no reason
    for side in ("a", "b"):
        reason = said(mask_sentence(row[f"reason_{side}"])) if row[f"reason_{side}"] else none
        outcome = _words(row[f"outcome_{side}"])
        yield tr("  {side} {outcome}: {reason}", side=side.upper(), outcome=outcome, reason=reason)


def _compared(ours: Pack, theirs: Pack, pairs: Iterable[tuple[Rule, Rule]], changes: pl.DataFrame) -> dict[str, Any]:
    """Every household that would get another answer, for programs; reasons masked as they are for people."""
    reasons = [pl.Series(name, [text and mask_sentence(text) for text in changes[name]]) for name in _REASONS]
    return {
        "a": ours.id,
        "b": theirs.id,
        "rules": [{"a": first.id, "b": second.id} for first, second in pairs],
        "differ": changes.group_by("rule_a", "outcome_a", "outcome_b").len("households").sort(pl.all()).to_dicts(),
        "households": changes.with_columns(reasons).to_dicts(),
    }


def _summary(changes: pl.DataFrame, first: Rule, second: Rule) -> Iterator[str]:
    named = f"{first.id} {_title(first)}" + ("" if first.id == second.id else f" ↔ {second.id} {_title(second)}")
    yield tr("{named}: households that differ {height}", named=named, height=changes.height)
    counts = changes.group_by("outcome_a", "outcome_b").len().sort("outcome_a", "outcome_b")
    for before, after, count in counts.rows():
        yield tr("  {before} → {after}: {count}", before=_words(before), after=_words(after), count=count)


def _both(ours: Pack, theirs: Pack) -> str:
    return pick(("A {}（{}）  B {}（{}）", "A {} ({})  B {} ({})")).format(
        ours.id, _title(ours), theirs.id, _title(theirs)
    )


def _title(of: Pack | Rule) -> str:
    return pick((of.title, of.title_en))


def _words(outcome: str) -> str:
    return pick(OUTCOME_LABELS[Outcome(outcome)])


def _differences(first: Pack, second: Pack) -> dict[str, Any]:
    """What two packs ask differently, for programs: rules that one alone has, what changed in those of both, numbers."""
    ours, theirs = ({rule.id: rule for rule in pack.rules} for pack in (first, second))
    numbers = [{number.name: number for number in pack.parameters} for pack in (first, second)]
    asked = [(id_, _asks(ours[id_]), _asks(theirs[id_])) for id_ in ours if id_ in theirs]
    sides = [
        (name, *(_values(found[name]) if name in found else None for found in numbers))
        for name in sorted({*numbers[0], *numbers[1]})
    ]
    return {
        "a": first.id,
        "b": second.id,
        "only_in_a": [id_ for id_ in ours if id_ not in theirs],
        "only_in_b": [id_ for id_ in theirs if id_ not in ours],
        "changed": [
            {"rule_id": id_, "key": key, "a": before or None, "b": after[key] or None}
            for id_, old, after in asked
            for key, before in old.items()
            if before != after[key]
        ],
        "numbers": [{"name": name, "a": before, "b": now} for name, before, now in sides if before != now],
    }


def _in_lines(told: Mapping[str, Any], first: Pack, second: Pack) -> Iterator[str]:
    """The same for people."""
    titles = [{rule.id: _title(rule) for rule in pack.rules} for pack in (first, second)]
    none = tr("(none)")
    yield from (tr("- {id} {title} (only in A)", id=id_, title=titles[0][id_]) for id_ in told["only_in_a"])
    yield from (tr("+ {id} {title} (only in B)", id=id_, title=titles[1][id_]) for id_ in told["only_in_b"])
    for id_, changes in groupby(told["changed"], key=itemgetter("rule_id")):
        yield f"~ {id_} {titles[1][id_]}"
        yield from (f"    {one['key']}: {one['a'] or none} → {one['b'] or none}" for one in changes)
    for one in told["numbers"]:
        yield f"~ {one['name']}\n    {one['a'] or none} → {one['b'] or none}"


def _asks(rule: Rule) -> dict[str, str]:
    """What somebody would call a change of this rule, in words."""
    return {
        "when": " ".join(rule.when.text.split()) if rule.when else "",
        "condition": " ".join(rule.condition.text.split()) if rule.condition else "",
        "not_met": " ".join(rule.denied.text.split()) if rule.denied else "",
        "unless": pick(("；", "; ")).join(exception.when.text for exception in rule.unless),
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
