"""A rule and its facts in words that an official can read aloud: where a value comes from, what is asked, where it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fupin_cli.rules import Derived, Fact, Pack, Rule, gives
from fupin_cli.rules.shapes import Elapsed, Every, FirstOf, InOrder, Members, Named, Rate, Reported, Score, Total
from fupin_cli.vocabulary import OUTCOME_LABELS, SEVERITY_LABELS

_HOW = {
    "any": "有任一成员",
    "all": "所有成员",
    "count": "成员人数",
    "sum": "成员合计",
    "max": "成员中最大",
    "min": "成员中最小",
}


def described(pack: Pack, rule: Rule, packs: Sequence[Pack]) -> list[str]:
    """Everything about one rule, a line each: what it asks, of which facts, by which document, with which examples."""
    lines = [
        f"{rule.id}  {rule.title}  {rule.title_en}",
        f"  规则包 pack      {pack.id}（{pack.title}），{rule.where}",
        f"  类型 kind        {rule.kind.value}, {rule.level.value}, {SEVERITY_LABELS[rule.severity][0]}"
        + ("" if rule.enabled else "（停用 off）"),
        f"  有效期 effective {rule.effective_from or '…'} – {rule.effective_to or '…'}",
    ]
    lines += [f"  官方编号 number  {rule.official}"] if rule.official else []
    lines += asked_of(rule)
    facts = facts_by_name(packs)
    for name in rule.names:
        if name in facts:
            lines.append(f"  事实 fact        {name}（{facts[name].zh}）← {source_of(facts[name])}")
    lines.append(f"  依据 citation    {rule.citation} [{rule.citation.provenance.value}]")
    lines += [f"  确认 confirmed   {rule.confirmed}"] if rule.confirmed else []
    lines += [f"  提示 advice      {rule.advice}"] if rule.advice else []
    for example in rule.examples:
        given = ", ".join(f"{name} = {value}" for name, value in example.given.items()) or "（一无所知 nothing known）"
        lines.append(f"  算例 example     {given} → {OUTCOME_LABELS[example.then][0]} {example.then.value}")
    return lines


def asked_of(rule: Rule) -> list[str]:
    """What a rule asks: to whom it applies, its condition, exceptions, line, and the rules that a verdict is made of."""
    parts = [
        ("适用 when        ", rule.when),
        ("条件 condition   ", rule.condition),
        ("否定 not met     ", rule.denied),
    ]
    lines = [f"  {name}{' '.join(part.text.split())}" for name, part in parts if part]
    lines += [f"  例外 unless      {exception.zh}：{exception.when.text}" for exception in rule.unless]
    if rule.members:
        lines.append(f"  组成 {rule.join.value:<12}{', '.join(rule.members)}")
    if rule.line:
        lines.append(f"  标准线 line      {rule.line.table}, 年度 year = {rule.line.year}")
    return lines


def facts_by_name(packs: Sequence[Pack]) -> Mapping[str, Fact | Derived]:
    """Every fact of the packs, by each name that it gives."""
    found: dict[str, Fact | Derived] = {fact.name: fact for pack in packs for fact in pack.facts}
    return found | {name: fact for pack in packs for fact in pack.derived for name in gives(fact)}


def source_of(fact: Fact | Derived) -> str:
    """Where a fact comes from, in a phrase."""
    if isinstance(fact, Fact):
        asked = " ".join(fact.condition.text.split())
        what = {"any": "有一条", "count": "条数", "sum": f"{fact.value} 合计", "value": f"{fact.value}"}[fact.gives]
        return f"{'、'.join(fact.kinds)}：{what}" + ("" if asked == "TRUE" else f"（{asked}）")
    match fact.shape:
        case Named(condition):
            said = " ".join(condition.text.split())
        case Total(items, per):
            said = " ".join(f"{'-' if item.minus else '+'} {item.name}" for item in items) + (
                f" ÷ {per}" if per else ""
            )
        case Score(items, direction):
            said = f"{len(items)} 项计分，{direction}"
        case Elapsed(start, end, unit):
            said = f"{start} 至 {end}（{unit}）"
        case FirstOf(sources):
            said = " 优先于 ".join(sources)
        case Every(parts):
            said = "、".join(zh for _, zh in parts) + " 齐全"
        case InOrder(steps):
            said = " → ".join(step.zh for step in steps)
        case Members(how, condition, value):
            said = f"{_HOW[how]}：{condition.text if condition else value}"
        case Rate(over, condition, _, _, frame):
            said = f"{frame}（{over}）中 {condition.text} 的比例"
        case Reported(kind, value):
            said = f"{kind} 填报的 {value.removeprefix('dept_')}"
    return said
