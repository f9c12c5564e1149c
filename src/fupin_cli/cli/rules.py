"""fupin rules: what would be judged, where it is written, and whether its worked examples still hold."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from fupin_cli.cli.console import show
from fupin_cli.errors import InputMissingError, OutputError, UsageError
from fupin_cli.ingest import load_profiles
from fupin_cli.project import rules_folders, shipped_rules
from fupin_cli.rules import Fact, Lines, Pack, Rule, load_lines, load_packs, run_examples
from fupin_cli.vocabulary import OUTCOME_LABELS, SEVERITY_LABELS

_FAILED = 78
_project_option = click.option(
    "--project", type=click.Path(path_type=Path), help="项目文件夹，其 rules/ 覆盖随附规则 · project whose rules/ win"
)  # fmt: skip


@click.group("rules")
def command() -> None:
    """查看、检查规则。 The rules: list them, show one, check the packs, run their worked examples.

    \b
    Examples:
      fupin rules list
      fupin rules show NAT-H-1
      fupin rules check --project .
      fupin rules copy my-project/rules
    """


@command.command("list")
@_project_option
def list_rules(project: Path | None) -> int:
    """列出全部规则。 List every rule with its kind, weight, citation and provenance."""
    packs, _ = load_rules(project)
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("规则 rule", "名称 title", "类型 kind", "性质 severity", "依据 citation", "出处 provenance"):
        table.add_column(heading, overflow="fold")
    for pack in packs:
        for rule in pack.rules:
            off = "" if rule.enabled else " (停用 off)"
            table.add_row(
                rule.id + off,
                escape(f"{rule.title} {rule.title_en}"),
                rule.kind.value,
                rule.severity.value,
                escape(str(rule.citation)),
                rule.citation.provenance.value,
            )
    show(table, to_stdout=True)
    return 0


@command.command("show")
@click.argument("rule_id")
@_project_option
def show_rule(rule_id: str, project: Path | None) -> int:
    """说明一条规则。 Show one rule: condition, facts it reads, citation, worked examples."""
    packs, _ = load_rules(project)
    rules = {rule.id: (pack, rule) for pack in packs for rule in pack.rules}
    rule_id = rule_id.upper()
    if rule_id not in rules:
        near = difflib.get_close_matches(rule_id, rules, 3) or list(rules)[:3]
        raise UsageError(f"no rule is called {rule_id!r}", try_=" / ".join(f"fupin rules show {name}" for name in near))
    pack, rule = rules[rule_id]
    facts = {fact.name: fact for p in packs for fact in p.facts}
    click.echo("\n".join(_described(pack, rule, facts)))
    return 0


@command.command("check")
@_project_option
def check_rules(project: Path | None) -> int:
    """检查规则文件。 Load every pack, line and source profile; say what is wrong, and where."""
    packs, lines = load_rules(project)
    rules = [rule for pack in packs for rule in pack.rules]
    click.echo(
        f"规则包 packs {len(packs)}, 规则 rules {len(rules)} (启用 enabled {sum(rule.enabled for rule in rules)}), "
        f"标准线 lines {len(lines.rows)} (启用 enabled {sum(line.enabled for line in lines.rows)}): 无误 ok"
    )
    return 0


@command.command("test")
@_project_option
def test_rules(project: Path | None) -> int:
    """运行规则的算例。 Run every rule's worked examples; exit with 78 if one fails."""
    packs, lines = load_rules(project)
    results = run_examples(packs, lines)
    failed = [result for result in results if not result.passed]
    for result in failed:
        click.echo(
            f"{result.id} 算例 example {result.number} ({result.where}): 应为 expected {result.expected}, "
            f"得到 got {result.outcome}"
        )
    click.echo(f"算例 examples {len(results)}, 通过 passed {len(results) - len(failed)}, 未通过 failed {len(failed)}")
    return _FAILED if failed else 0


@command.command("copy")
@click.argument("folder", type=click.Path(path_type=Path))
def copy_rules(folder: Path) -> int:
    """复制随附规则，供本项目修改。 Copy the shipped rules to a folder, to be changed there for one project."""
    if folder.exists() and any(folder.iterdir()):
        raise OutputError("this folder is not empty", where=str(folder), try_="name a new folder")
    shutil.copytree(shipped_rules(), folder, dirs_exist_ok=True)
    click.echo(
        f"→ {folder}\n只留下要改的文件 · keep only the files you change; a file of the same name replaces the shipped one"
    )
    return 0


def load_rules(project: Path | None) -> tuple[tuple[Pack, ...], Lines]:
    """The packs and lines that a project would use; the shipped ones without a project."""
    if project and not project.is_dir():
        raise InputMissingError("no such project folder", where=str(project))
    folders = rules_folders(project / "rules" if project else None)
    profiles = load_profiles([folder / "sources" for folder in folders if (folder / "sources").is_dir()])
    known = {name: frozenset(field.column for field in profile.fields) for name, profile in profiles.items()}
    undeclared = {name: profile.undeclared_money for name, profile in profiles.items()}
    return load_packs(folders, known, undeclared), load_lines(folders)


def _described(pack: Pack, rule: Rule, facts: dict[str, Fact]) -> list[str]:
    lines = [
        f"{rule.id}  {rule.title}  {rule.title_en}",
        f"  规则包 pack      {pack.id}（{pack.title}），{rule.where}",
        f"  类型 kind        {rule.kind.value}, {rule.level.value}, {SEVERITY_LABELS[rule.severity][0]}"
        + ("" if rule.enabled else "（停用 off）"),
        f"  有效期 effective {rule.effective_from or '…'} – {rule.effective_to or '…'}",
    ]
    if rule.when:
        lines.append(f"  适用 when        {rule.when.text}")
    if rule.condition:
        lines.append(f"  条件 condition   {rule.condition.text}")
    if rule.all_of:
        lines.append(f"  全部满足 all of  {', '.join(rule.all_of)}")
    for name in rule.names:
        if name in facts:
            fact = facts[name]
            lines.append(f"  事实 fact        {name}（{fact.zh}）← {', '.join(fact.kinds)}: {fact.condition.text}")
    if rule.line:
        lines.append(f"  标准线 line      {rule.line.table}, 年度 year = {rule.line.year}")
    lines.append(f"  依据 citation    {rule.citation} [{rule.citation.provenance.value}]")
    if rule.advice:
        lines.append(f"  提示 advice      {rule.advice}")
    for example in rule.examples:
        given = ", ".join(f"{name} = {value}" for name, value in example.given.items()) or "（一无所知 nothing known）"
        lines.append(f"  算例 example     {given} → {OUTCOME_LABELS[example.then][0]} {example.then.value}")
    return lines
