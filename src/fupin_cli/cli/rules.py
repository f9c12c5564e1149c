"""fupin rules: what would be judged, where it is written, and whether its worked examples still hold."""

from __future__ import annotations

import difflib
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import click

from fupin_cli.cli import complete
from fupin_cli.cli.cases_options import json_option
from fupin_cli.cli.rule_changes import compare_packs, diff_packs
from fupin_cli.cli.rule_packs import open_rules, pick_pack, project_option
from fupin_cli.cli.rule_trace import explain_household
from fupin_cli.errors import OutputError, UsageError, typed
from fupin_cli.language import tr
from fupin_cli.project import shipped_rules
from fupin_cli.report.english import as_spoken
from fupin_cli.report.rule_words import described, labeller, pack_line, rule_line, rule_told
from fupin_cli.rulebook import labels_of
from fupin_cli.rules import load_lines, run_examples

_FAILED = 78


@click.group("rules")
def command() -> None:
    """The rules: list, show, check, test them; explain a household by a pack, compare two packs.

    \b
    Examples:
      fupin rules list --pack shaanxi
      fupin rules show NAT-H-1
      fupin rules check --project .
      fupin rules explain 9901211002000011 --pack shaanxi --run demo
      fupin rules compare --pack exit-national --pack shaanxi --run demo
    """


@command.command("list")
@click.option("--pack", "only", shell_complete=complete.packs, help="the rules of this pack")
@click.option("--all", "every", is_flag=True, help="the rules of every pack")
@project_option
@json_option
def list_rules(only: str | None, project: Path | None, *, every: bool, as_json: bool) -> int:
    """List the packs: where and when each is judged; with --pack or --all their rules, one a line.

    \b
    Examples:
      fupin rules list
      fupin rules list --pack shaanxi
      fupin rules list --json | jq -r .[].id
    """
    packs = open_rules(project).packs
    shown = (pick_pack(packs, only),) if only else packs
    if as_json:
        told = [
            {
                "id": pack.id, "title": pack.title, "jurisdiction": pack.jurisdiction, "regime": pack.regime,
                "rules": [{"id": rule.id, "title": rule.title, "enabled": rule.enabled} for rule in pack.rules],
            }
            for pack in shown
        ]  # fmt: skip
        click.echo(json.dumps(told, ensure_ascii=False))
        return 0
    if not only and not every:
        click.echo("\n".join(pack_line(pack) for pack in packs))
        at = _in_project(project)
        listing, showing = (
            typed("fupin", "rules", "list", "--pack", "ID", *at),
            typed("fupin", "rules", "show", "RULE", *at),
        )
        click.echo(f"→ {listing}; {showing}")
        return 0
    for pack in shown:
        click.echo(pack_line(pack))
        click.echo("\n".join(f"  {rule_line(rule)}" for rule in pack.rules))
    return 0


@command.command("show")
@click.argument("rule_id", shell_complete=complete.rules)
@project_option
@json_option
def show_rule(rule_id: str, project: Path | None, *, as_json: bool) -> int:
    """Show one rule: condition, facts it reads, citation, worked examples.

    \b
    Examples:
      fupin rules show NAT-H-1
      fupin rules show CMP-CZ1 --project .
      fupin rules show NAT-H-1 --json | jq -r .condition
    """
    known = open_rules(project)
    packs = known.packs
    rules = {rule.id: (pack, rule) for pack in packs for rule in pack.rules}
    rule_id = rule_id.upper()
    if rule_id not in rules:
        near = difflib.get_close_matches(rule_id, rules, 3) or list(rules)[:3]
        raise UsageError(
            tr("no rule is called {rule_id!r}", rule_id=rule_id),
            try_=" / ".join(typed("fupin", "rules", "show", name, *_in_project(project)) for name in near),
        )
    pack, rule = rules[rule_id]
    if as_json:
        click.echo(json.dumps(rule_told(pack, rule), ensure_ascii=False, default=str))
        return 0
    called, said = labeller(packs, labels_of(known.profiles)), as_spoken(packs, known.profiles)
    click.echo("\n".join(described(pack, rule, packs, called, said)))
    return 0


@command.command("check")
@project_option
@json_option
def check_rules(project: Path | None, *, as_json: bool) -> int:
    """Load every pack, line and source profile; say what is wrong, and where.

    \b
    Examples:
      fupin rules check
      fupin rules check --project .
      fupin rules check --json | jq .rules
    """
    known = open_rules(project)
    packs, lines = known.packs, known.lines
    rules = [rule for pack in packs for rule in pack.rules]
    if as_json:
        counts = {"packs": len(packs), "rules": len(rules), "rules_enabled": sum(rule.enabled for rule in rules)}
        rows = {"lines": len(lines.rows), "lines_enabled": sum(line.enabled for line in lines.rows)}
        click.echo(json.dumps({**counts, **rows, "profiles": len(known.profiles)}))
        return 0
    click.echo(
        tr(
            "packs {count}, rules {count_2} (enabled {sum}), lines {count_3} (enabled {sum_2}): ok",
            count=len(packs),
            count_2=len(rules),
            sum=sum(rule.enabled for rule in rules),
            count_3=len(lines.rows),
            sum_2=sum(line.enabled for line in lines.rows),
        )
    )
    return 0


@command.command("test")
@project_option
@json_option
def test_rules(project: Path | None, *, as_json: bool) -> int:
    """Run every rule's worked examples; exit with 78 if one fails.

    \b
    Examples:
      fupin rules test
      fupin rules test --project .
      fupin rules test --json | jq '.failed[].id'
    """
    known = open_rules(project)
    own = project / "rules" if project else None
    shipped = load_lines([shipped_rules()])
    beside = {pack.where: shipped for pack in known.packs if not (own and (own / pack.where).is_file())}
    results = run_examples(known.packs, known.lines, beside)
    failed = [result for result in results if not result.passed]
    if as_json:
        told = {"examples": len(results), "failed": [asdict(result) for result in failed]}
        click.echo(json.dumps(told, ensure_ascii=False, default=str))
        return _FAILED if failed else 0
    for result in failed:
        click.echo(
            tr(
                "{id} example {number} ({where}): expected {expected}, got {outcome}",
                id=result.id,
                number=result.number,
                where=result.where,
                expected=result.expected,
                outcome=result.outcome,
            )
        )
    click.echo(
        tr(
            "examples {count}, passed {what}, failed {count_2}",
            count=len(results),
            what=len(results) - len(failed),
            count_2=len(failed),
        )
    )
    return _FAILED if failed else 0


@command.command("copy")
@click.argument("folder", type=click.Path(path_type=Path))
def copy_rules(folder: Path) -> int:
    """Copy the shipped rules to a folder, to be changed there for one project.

    \b
    Examples:
      fupin rules copy my-project/rules
    """
    if folder.exists() and any(folder.iterdir()):
        raise OutputError(tr("this folder is not empty"), where=str(folder), try_=tr("name a new folder"))
    shutil.copytree(shipped_rules(), folder, dirs_exist_ok=True)
    click.echo(
        tr(
            "→ {folder}\nkeep only the files you change; a file of the same name replaces the shipped one",
            folder=folder,
        )
    )
    return 0


def _in_project(project: Path | None) -> tuple[str, ...]:
    """The option that names a project, where one was named."""
    return ("--project", str(project)) if project else ()


for further in (explain_household, compare_packs, diff_packs):
    command.add_command(further)
