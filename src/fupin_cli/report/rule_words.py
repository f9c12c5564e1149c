"""A rule and its facts in words that an official can read aloud: where a value comes from, what is asked, where it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from fupin_cli.language import pick, tr
from fupin_cli.report.wording import kind_words
from fupin_cli.rules import Derived, Fact, Pack, Rule, gives
from fupin_cli.rules.pack import (
    AREA_FACTS,
    DEPT,
    EXTRACT_FACTS,
    GIVEN,
    HOUSEHOLD_FACTS,
    LINK_FACTS,
    LIST_FACTS,
    NATIONAL,
    PERSON_FACTS,
)
from fupin_cli.rules.predicate import Predicate, spoken
from fupin_cli.rules.shapes import Elapsed, Every, FirstOf, InOrder, Item, Members, Named, Rate, Reported, Score, Total
from fupin_cli.vocabulary import CODED, OUTCOME_LABELS, SEVERITY_LABELS, label

Label = Callable[[str], str]
_HOW = {
    "any": "有任一成员",
    "all": "所有成员",
    "count": "成员人数",
    "sum": "成员合计",
    "max": "成员中最大",
    "min": "成员中最小",
}
_KINDS = {"criterion": "标准", "check": "比对检查", "verdict": "综合判定"}
_LEVELS = {"person": "每个人", "household": "每户", "village": "每村", "county": "每县", "extract": "部门名单上的人"}
_JOINS = {"all_of": "全部达到", "any_of": "达到其一", "none_of": "一项也不命中"}
_UNITS = {"days": "天数", "months": "月数"}


def labeller(packs: Sequence[Pack], fields: Mapping[str, str]) -> Label:
    """What people call a fact, a column (`dept_x` of a department, `given_x` whether it is filled in), a number, a rule."""
    own = {
        name: zh
        for group in (PERSON_FACTS, HOUSEHOLD_FACTS, AREA_FACTS, LINK_FACTS, EXTRACT_FACTS, LIST_FACTS)
        for name, (zh, _) in group.items()
    }
    rules = [rule for pack in packs for rule in pack.rules]
    told = {rule.id: f"{rule.id} {rule.title}" for rule in rules}
    told |= {rule.provides: rule.title for rule in rules if rule.provides}
    told |= {rule.line.as_fact: "标准线" for rule in rules if rule.line}
    told |= {number.name: number.zh for pack in packs for number in pack.parameters}
    for name, fact in facts_by_name(packs).items():
        if fact.zh != fact.name:  # a column of working records is called as its profile calls it
            told[name] = fact.zh + ("（来源不一致）" if name != fact.name else "")
    known = own | dict(fields) | told

    def called(name: str) -> str:
        if name in known:
            return known[name]
        plain = name.removeprefix(DEPT)
        if plain.startswith(GIVEN):
            return f"填有“{called(plain.removeprefix(GIVEN))}”"
        return fields.get(plain) or own.get(plain) or label(plain)

    return called


def pack_line(pack: Pack) -> str:
    """A pack on one line: what it is, where and in which years it is judged, and what has it judged."""
    where = tr("everywhere") if pack.jurisdiction == NATIONAL else tr("region {region}", region=pack.jurisdiction)
    years = tr("any year") if pack.regime == "any" else pack.regime
    asked = tr("asked for by name") if pack.opt_in and not pack.when_given else ""
    given = tr("with {input}", input=tr(" or ").join(pack.when_given)) if pack.when_given else ""
    rules = tr("rules: {count}", count=len(pack.rules))
    told = tr(", ").join(part for part in (where, years, asked or given, rules) if part)
    return tr("{id}  {title} ({told})", id=pack.id, title=_title(pack), told=told)


def _title(pack: Pack) -> str:
    return pick((pack.title, pack.title_en))


def rule_line(rule: Rule) -> str:
    """A rule on one line: what it is called, of whom it asks, what it weighs, and where it is written."""
    off = "" if rule.enabled else tr(" (off)")
    title = pick((rule.title, rule.title_en)) + off
    kind = pick((f"{_KINDS[rule.kind]}·{_LEVELS[rule.level]}", f"{rule.kind.value}·{rule.level.value}"))
    cited = f"[{rule.citation.provenance.value}] {rule.citation}"
    return f"{rule.id:<9} {title}  {kind}·{rule.severity.value}  {cited}"


def described(
    pack: Pack, rule: Rule, packs: Sequence[Pack], called: Label, said: Callable[[str], str] = str
) -> list[str]:
    """Everything about one rule, a line each: what it asks, of which facts, by which document, with which examples.

    `said` puts it into the language spoken, but for what is quoted: the document and the pack's own advice.
    """
    title, *lines = _described(pack, rule, packs, called)
    quoted = tuple(_heading(*both) for both in (("依据", "citation"), ("提示", "advice"), ("规则包", "pack")))
    wide = len(_heading("", ""))
    told = (line if line.startswith(quoted) else f"{line[:wide]}{said(line[wide:])}" for line in lines)
    return [title, *(told if pick((False, True)) else lines)]


def _described(pack: Pack, rule: Rule, packs: Sequence[Pack], called: Label) -> list[str]:
    asked_of_whom = pick(
        (
            f"{_KINDS[rule.kind]}（{rule.kind}），问{_LEVELS[rule.level]}（{rule.level}）",
            f"{rule.kind}, asked of each {rule.level}",
        )
    )
    lines = [
        f"{rule.id}  {rule.title}  {rule.title_en}",
        f"{_heading('规则包', 'pack')}{pack.id}{pick(('（{}），', ' ({}), ')).format(_title(pack))}{rule.where}",
        f"{_heading('类型', 'kind')}{asked_of_whom}{pick(('，', ', '))}{pick(SEVERITY_LABELS[rule.severity])}"
        + ("" if rule.enabled else pick(("（停用）", " (off)"))),
        f"{_heading('有效期', 'effective')}{rule.effective_from or '…'} – {rule.effective_to or '…'}，"
        + ("按脱贫年度" if rule.dated_by == "exit_year" else "按比对日期"),
    ]
    lines += [f"{_heading('官方编号', 'number')}{rule.official}"] if rule.official else []
    lines += asked_of(rule, called, with_code=True)
    facts = facts_by_name(packs)
    for name in rule.names:
        if name in facts:
            lines.append(f"{_heading('事实', 'fact')}{called(name)}（{name}）← {source_of(facts[name], called)}")
    lines.append(f"{_heading('依据', 'citation')}{rule.citation} [{rule.citation.provenance.value}]")
    lines += [f"{_heading('确认', 'confirmed')}{rule.confirmed}"] if rule.confirmed else []
    lines += (
        [f"{_heading('提示', 'advice')}{pick((rule.advice, rule.advice_en or rule.advice))}"] if rule.advice else []
    )
    for example in rule.examples:
        given = "，".join(f"{called(name)} {said(name, value)}" for name, value in example.given.items())
        given = given or pick(("一无所知", "nothing known"))
        lines.append(f"{_heading('算例', 'example')}{given} → {pick(_outcome(example.then))}")
    return lines


def rule_told(pack: Pack, rule: Rule) -> dict[str, Any]:
    """One rule for programs: what it asks as it is written in its pack, in force from when to when, by which document."""

    def written(asked: Predicate | None) -> str | None:
        return " ".join(asked.text.split()) if asked else None

    return {
        **{name: getattr(rule, name) for name in ("id", "title", "title_en", "kind", "level", "severity", "enabled")},
        "pack": pack.id,
        "file": rule.where,
        **{name: getattr(rule, name) for name in ("effective_from", "effective_to", "dated_by", "on_unknown")},
        "when": written(rule.when),
        "condition": written(rule.condition),
        "not_met": written(rule.denied),
        "unless": [{"when": written(exception.when), "title": exception.zh} for exception in rule.unless],
        "made_of": rule.members,
        "join": rule.join if rule.members else None,
        "line": {"table": rule.line.table, "year": rule.line.year} if rule.line else None,
        "facts": rule.names,
        "citation": str(rule.citation),
        "provenance": rule.citation.provenance,
        "confirmed": str(rule.confirmed) if rule.confirmed else None,
        **{name: getattr(rule, name) or None for name in ("official", "advice", "advice_en")},
        "examples": [{"given": example.given, "then": example.then} for example in rule.examples],
    }


def _heading(zh: str, en: str, *, both: bool = False) -> str:
    """What stands before a line, in the language spoken or in both, as wide as all of them."""
    words, wide = (f"{zh} {en}", 17) if both else (pick((zh, en)), 11)
    return f"  {words}" + " " * (wide - sum(1 + (not letter.isascii()) for letter in words))


def outcome_said(outcome: str) -> str:
    """An outcome in both languages."""
    return " ".join(_outcome(outcome))


def _outcome(outcome: str) -> tuple[str, str]:
    return OUTCOME_LABELS[next(known for known in OUTCOME_LABELS if known.value == outcome)]


def said(name: str, value: object) -> str:
    """A value as people say it: 是, 否, 2952元, 不详."""
    if value is None:
        return "不详 unknown"
    if isinstance(value, bool):
        return "是" if value else "否"
    if name in CODED:
        return CODED[name].get(str(value), (str(value),))[0]
    if isinstance(value, float):
        value = f"{value:.2f}".rstrip("0").rstrip(".")
    elif isinstance(value, date):
        value = value.isoformat()
    return f"{value}元" if name.endswith("_yuan") and str(value)[-1:].isdigit() else str(value)


def asked_of(rule: Rule, called: Label, *, with_code: bool = False) -> list[str]:
    """What a rule asks: to whom it applies, its condition, exceptions, line, and the rules that a verdict is made of.

    In Chinese; `with_code` adds each condition as it is written in the pack, where that says more.
    """

    def head(zh: str, en: str) -> str:
        return _heading(zh, en, both=not with_code)

    def told(heading: str, condition: Predicate, before: str = "") -> list[str]:
        words, code = spoken(condition, called), " ".join(condition.text.split())
        return [f"{heading}{before}{words}", *([f"{head('', '')}{code}"] if with_code and code != words else [])]

    asked = [
        (head("适用", "when"), rule.when),
        (head("条件", "condition"), rule.condition),
        (head("否定", "not met"), rule.denied),
    ]
    lines = [line for heading, part in asked if part for line in told(heading, part)]
    for exception in rule.unless:
        lines += told(head("例外", "unless"), exception.when, f"{exception.zh}：")
    if rule.members:
        lines.append(f"{head('组成', 'made of')}{_JOINS[rule.join]}：{'；'.join(map(called, rule.members))}")
    if rule.line:
        lines.append(f"{head('标准线', 'line')}lines.toml 的 {rule.line.table}，按{called(rule.line.year)}")
    return lines


def facts_by_name(packs: Sequence[Pack]) -> Mapping[str, Fact | Derived]:
    """Every fact of the packs, by each name that it gives."""
    found: dict[str, Fact | Derived] = {fact.name: fact for pack in packs for fact in pack.facts}
    return found | {name: fact for pack in packs for fact in pack.derived for name in gives(fact)}


def kinds_said(kinds: Sequence[str]) -> str:
    """How people call these kinds of extract."""
    return "、".join("台账自身" if kind == "register" else kind_words(kind) for kind in kinds)


def _only_where(item: Item, called: Label) -> str:
    return f"（只在 {spoken(item.when, called)} 时）" if item.when else ""


def source_of(fact: Fact | Derived, called: Label) -> str:
    """Where a fact comes from, in a phrase."""
    if isinstance(fact, Fact):
        asked = spoken(fact.condition, called)
        value = called(fact.value) if fact.value else ""
        what = {"any": "有一条", "count": "条数", "sum": f"{value}合计", "value": value}[fact.gives]
        only = f"；只用有 {spoken(fact.covers, called)} 的行的名单" if fact.covers else ""
        return f"{kinds_said(fact.kinds)}：{what}" + ("" if asked == "是" else f"（{asked}）") + only
    match fact.shape:
        case Named(condition):
            told = spoken(condition, called)
        case Total(items, per):
            each = "".join(
                (" －" if item.minus else " ＋") + called(item.name) + _only_where(item, called) for item in items
            )
            told = each.removeprefix(" ＋")
            told = f"（{told}）÷ {called(per)}" if per else told
        case Score(items, direction):
            told = f"{len(items)} 项计分，{'分低为贫' if direction == 'low_is_poor' else '分高为贫'}"
        case Elapsed(start, end, unit):
            told = f"{called(start)} 至 {called(end)} 的{_UNITS[unit]}"
        case FirstOf(sources):
            told = " 优先于 ".join(map(called, sources))
        case Every(parts):
            told = "须有：" + "、".join(zh for _, zh in parts)
        case InOrder(steps):
            told = "须依次：" + " → ".join(
                step.zh + (f"（隔{step.after_days}天）" if step.after_days else "") for step in steps
            )
        case Members(how, condition, summed, where, by):
            whom = ("（同一原户的各户）" if by else "") + (f"（只计 {spoken(where, called)} 的）" if where else "")
            told = f"{_HOW[how]}{whom}：{spoken(condition, called) if condition else called(summed or '')}"
        case Rate(_, condition, among, _, frame):
            told = (
                f"{frame}中"
                + (f"（{spoken(among, called)}的）" if among else "")
                + f" {spoken(condition, called)} 的比例"
            )
        case Reported(kind, value):
            told = f"{kinds_said([kind])}填报的{called(value)}"
    return told
