"""report.html: the digest as one page to show, print or attach: Chinese first, inline style, drawn bars, no script.

It holds counts only. Every text is escaped, and digit runs that could be numbers of persons are masked. No count is of a
place smaller than a township and none crosses a township with a kind of finding, so every number is told as it is: one
hidden in one table and told in another would protect nobody and make the page lie.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from fupin_cli.report.book import write_private
from fupin_cli.report.digest import Digest, PlaceTally, RulePlaceTally
from fupin_cli.report.masking import mask_text
from fupin_cli.report.page_style import STYLE
from fupin_cli.report.wording import (
    CLUE_NOTE,
    basis_words,
    coverage_words,
    decision_words,
    exit_status_words,
    id_status_words,
    kind_words,
    place,
    problem_detail,
    problem_totals,
    problem_words,
    reasons_words,
    severity_words,
    stage_words,
    standards_words,
)

_BAR, _HEIGHT = 260, 14  # pixels


def write_page(path: Path, digest: Digest) -> None:
    """Write report.html, readable by its owner only."""
    write_private(path, render_page(digest).encode())


def render_page(digest: Digest) -> str:
    """The whole page as text; the same digest gives the same page."""
    sections = (
        _kinds(digest),
        _townships(digest),
        _verdicts(digest),
        _stages(digest),
        _accounts(digest),
        _links(digest),
        _packs(digest),
        _rules(digest),
        _lines(digest),
        _problems(digest),
    )
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(digest.project)} 比对报告</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + _head(digest)
        + "".join(sections)
        + f"<footer>fupin {_text(digest.program_version)}　·　本页只列全部、各县、各乡镇的汇总数，均为实数；"
        "不列村、户和个人，也不按乡镇分列疑点类型。供主管部门内部使用。 Aggregates only, exact, none below township."
        "</footer>\n</main>\n</body>\n</html>\n"
    )


def _text(value: object) -> str:
    return escape(mask_text("" if value is None else str(value)), quote=True)


def _head(digest: Digest) -> str:
    stages = "、".join(stage_words(stage) for stage in digest.stages)
    silent = (("", len(digest.not_run)), ("自查 ", len(digest.self_checks_not_run)))
    not_run = "，".join(f"{which}{count} 条" for which, count in silent if count) or "无"
    figures = (
        ("在册户 households", f"{digest.households:,}"),
        ("在册人 persons", f"{digest.persons:,}"),
        ("疑点 findings", f"{digest.findings:,}"),
        ("读入行 rows read", f"{digest.rows_read:,}"),
        ("未运行规则 not run", not_run),
    )
    cards = "".join(f"<div><b>{_text(value)}</b><span>{_text(name)}</span></div>" for name, value in figures)
    return (
        f"<header><h1>{_text(digest.project)}</h1><p>建档立卡数据比对报告　·　比对日期 {digest.as_of}　·　{_text(stages)}</p>"
        f'</header>\n<p class="clue">{CLUE_NOTE}</p>\n<div class="cards">{cards}</div>\n'
    )


def _section(title: str, english: str, body: str, note: str = "") -> str:
    told = f'<p class="note">{note}</p>' if note else ""
    return f"<section><h2>{title} <small>{english}</small></h2>{told}{body}</section>\n"


def _table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = (), whole: Iterable[int] = ()
) -> str:
    """A table of cells that are already markup; `numbers` are the columns to set right, `whole` those never to break.

    Every cell carries its header: on a narrow screen a row becomes a list of header and value.
    """
    classes = dict.fromkeys(whole, ' class="w"') | dict.fromkeys(numbers, ' class="n"')
    align = [classes.get(at, "") for at in range(len(headers))]
    head = "".join(f"<th{how}>{header}</th>" for how, header in zip(align, headers, strict=True))
    names = [f' data-h="{_text(re.sub("<[^>]*>", "", header))}"' for header in headers]
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{how}{'' if cell.startswith('<svg') else name}>{cell}</td>" if cell else f"<td{how}></td>"
            for how, name, cell in zip(align, names, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _bar(parts: Sequence[tuple[int, str]], longest: int) -> str:
    """A bar of parts, each a count and a class, in true proportion to the longest."""
    drawn, at = [], 0.0
    for count, kind in parts:
        if count:
            width = count * _BAR / longest
            drawn.append(f'<rect class="{kind}" x="{at:.1f}" width="{width:.1f}" height="{_HEIGHT}"/>')
            at += width
    return f'<svg class="bar" viewBox="0 0 {_BAR} {_HEIGHT}" preserveAspectRatio="none">{"".join(drawn)}</svg>'


def _legend(*words: tuple[str, str]) -> str:
    return "　".join(f'<i class="key {kind}"></i>{word}' for kind, word in words)


def _kinds(digest: Digest) -> str:
    totals: dict[tuple[str, str], list[int]] = {}
    names: dict[tuple[str, str], str] = {}
    for tally in digest.findings_by_rule:
        key = (tally.rule_id, tally.severity or "")
        bands = totals.setdefault(key, [0, 0])
        bands[tally.band == "review"] += tally.count
        names.setdefault(key, tally.title or tally.rule_id)
    longest = max((sum(counts) for counts in totals.values()), default=0)
    rows = []
    for key in sorted(totals, key=lambda key: (-sum(totals[key]), key)):
        accepted, review = totals[key]
        bar = _bar([(accepted, "accepted"), (review, "review")], longest)
        what = (_text(names[key]), f"<code>{_text(key[0])}</code>", _text(severity_words(key[1])))
        rows.append((*what, bar, f"{accepted + review:,}", f"{review:,}"))
    legend = _legend(("accepted", "可信"), ("review", "待核"))
    table = _table(("疑点类型", "规则", "性质", legend, "条数", "其中待核"), rows, (4, 5), (0, 1, 2))
    return _section("各类疑点", "Findings by kind", table if rows else "<p>没有疑点。</p>")


def _townships(digest: Digest) -> str:
    counties: dict[str | None, list[PlaceTally]] = {}
    for tally in digest.findings_by_place:
        counties.setdefault(tally.county, []).append(tally)
    longest = max((tally.findings for tally in digest.findings_by_place), default=0)
    rows = []
    for county, tallies in counties.items():
        sums = (sum(t.findings for t in tallies), sum(t.review for t in tallies), sum(t.notes for t in tallies))
        told = (f"<b>{count:,}</b>" for count in sums)
        rows.append((f"<b>{_text(place(county, 'county'))}</b>", "<b>合计</b>", "", *told, ""))
        for tally in tallies:
            asked = tally.findings - tally.review - tally.notes
            parts = [(asked, "accepted"), (tally.review, "review"), (tally.notes, "notes")]
            counts = (tally.findings, tally.review, tally.notes, tally.households)
            name = _text(place(tally.township, "township"))
            rows.append(("", name, _bar(parts, longest), *(f"{count:,}" for count in counts)))
    legend = _legend(("accepted", "可信"), ("review", "待核"), ("notes", "县级自查"))
    headers = ("县（市、区）", "乡镇", legend, "条数", "其中待核", "其中县级自查", "涉及户")
    note = "“县级自查”为提示类，不下发乡镇，由县级办理。"
    return _section("各乡镇疑点", "Findings by township", _table(headers, rows, range(3, 7), (0, 1)), note)


def _verdicts(digest: Digest) -> str:
    if not digest.verdicts:
        return ""
    statuses = digest.exit_statuses
    rows = []
    for verdict in digest.verdicts:
        split = {tally.label: tally.count for tally in verdict.not_met_by_status}
        counts = (verdict.met, verdict.not_met, verdict.unknown, verdict.not_applicable)
        bar = _bar(list(zip(counts, ("met", "not_met", "unknown", "not_applicable"), strict=True)), max(1, sum(counts)))
        told = (sum(counts), *counts[:2], *(split.get(status, 0) for status in statuses), *counts[2:])
        rows.append((_text(place(verdict.county, "county")), bar, *(f"{count:,}" for count in told)))
    words = (("met", "达标"), ("not_met", "未达标"), ("unknown", "无法判断"), ("not_applicable", "不适用"))
    of_those = (f"其中{_text(exit_status_words(status))}" for status in statuses)
    headers = ("县（市、区）", _legend(*words), "户数", "达标", "未达标", *of_those, "无法判断", "不适用")
    note = (
        f"依：{_text(standards_words((use.rule_id, use.title, use.households) for use in digest.standards))}。"
        "依据台账登记内容逐条判定，供复核参考；“无法判断”是事实缺失，不等于达标或未达标。"
    )
    return _section(
        "退出标准判定（户）",
        "Household verdicts (clues, not conclusions)",
        _table(headers, rows, range(2, len(headers)), (0,)),
        note,
    )


def _stages(digest: Digest) -> str:
    """What each comparison added, all counties together."""
    if "province" not in digest.stages:
        return ""
    missed, cleared = _by_rule(digest.missed_by_county), _by_rule(digest.cleared_by_province)
    names = {t.rule_id: t.title or t.rule_id for t in (*digest.missed_by_county, *digest.cleared_by_province)}
    rows = [
        (_text(names[rule]), f"<code>{_text(rule)}</code>", f"{missed[rule]:,}", f"{cleared[rule]:,}")
        for rule in sorted(names, key=lambda rule: (-missed[rule], rule))
    ]
    headers = ("疑点类型", "规则", "仅省级比对发现", "县级疑点经省级数据排除")
    body = _table(headers, rows, (2, 3), (0, 1)) if rows else "<p>没有。</p>"
    english = "Two comparisons: found by the province only, and cleared by its evidence"
    return _section("县级与省级两次比对", english, body)


def _by_rule(tallies: Sequence[RulePlaceTally]) -> Counter[str]:
    counts = Counter[str]()
    for tally in tallies:
        counts[tally.rule_id] += tally.count
    return counts


def _accounts(digest: Digest) -> str:
    rows: list[tuple[str, ...]] = []
    for account in digest.accounts:
        state = "相符" if account.balanced else '<b class="bad">不符</b>'
        counts = (account.rows_read, account.rows_used, account.rows_set_aside, account.rows_footer)
        hidden = (account.rows_hidden, account.columns_hidden)
        told = (*(f"{n:,}" for n in counts), _text(reasons_words(account.other_reasons)), *(f"{n:,}" for n in hidden))
        rows.append((_text(account.source), _text(account.sheet), *told, state))
    totals = (digest.rows_read, digest.rows_used, digest.rows_set_aside, sum(a.rows_footer for a in digest.accounts))
    hidden = (sum(a.rows_hidden for a in digest.accounts), sum(a.columns_hidden for a in digest.accounts))
    told = (*(f"<b>{n:,}</b>" for n in totals), "", *(f"<b>{n:,}</b>" for n in hidden))
    rows.append(("<b>合计</b>", "", *told, ""))
    headers = ("文件", "工作表", "读入", "采用", "搁置", "其中表尾", "其余搁置原因", "隐藏行", "隐藏列", "对账")
    note = "逐文件、逐工作表；隐藏的行和列照常读入。"
    if digest.rows_returned:
        note += f"搁置的行中有 {digest.rows_returned:,} 行退回报送单位更正，见 workbooks/退回更正。"
    table = _table(headers, rows, (2, 3, 4, 5, 7, 8), (9,))
    return _section("读入对账", "Control totals: read = used + set aside", table, note)


def _links(digest: Digest) -> str:
    rows = []
    for extract in digest.extracts:
        bases: dict[str, list[str]] = {}
        for link in extract.links:
            tied = f"（并列 {link.tied:,}）" if link.tied else ""
            bases.setdefault(link.basis, []).append(f"{decision_words(link.decision)} {link.persons:,}{tied}")
        how = "；".join(f"{basis_words(basis)}：{'、'.join(counts)}" for basis, counts in bases.items())
        what = f"{extract.department or ''} {kind_words(extract.kind)}"
        about = (what, extract.as_of, coverage_words(extract.coverage), stage_words(extract.stage))
        rows.append((*(_text(value) for value in about), _text(how or "未关联到人员")))
    without = "；".join(
        f"{_text(id_status_words(tally.label))} {tally.count:,} 人" for tally in digest.persons_without_id
    )
    note = f"台账中没有可用证件号码的人员：{without or '无'}。"
    table = _table(("部门数据", "截止日期", "覆盖县区", "比对环节", "关联依据与人数"), rows, whole=(0, 1, 3))
    return _section("部门数据与人员关联", "Extracts and links", table, note)


def _packs(digest: Digest) -> str:
    if not digest.packs:
        return ""
    rows = [
        (
            f"<code>{_text(pack.pack)}</code>",
            _text(pack.title),
            f"{pack.rules} 条" if pack.judged else "未用",
            _text(pack.why),
        )
        for pack in digest.packs
    ]
    return _section("规则包", "Rule packs", _table(("规则包", "名称", "采用的规则", "原因"), rows, (2,), (0, 1)))


def _rules(digest: Digest) -> str:
    rows: list[tuple[str, ...]] = []
    few = digest.self_checks_not_run
    for rule in (rule for rule in digest.rules if rule not in few):
        words = (f"<code>{_text(rule.rule_id)}</code>", _text(rule.title), _text(severity_words(rule.severity)))
        if rule.not_run:
            rows.append((*words, "–", "–", "–", f'<b class="bad">未运行：{_text(rule.not_run)}</b>'))
        else:
            counts = (f"{n:,}" for n in (rule.examined, rule.unknowns, rule.not_applicable))
            rows.append((*words, *counts, _text(rule.citation)))
    if few:
        ids = _text("、".join(rule.rule_id for rule in few))
        words = ("<code>REG-…</code>", f"台账自查 {len(few)} 条", _text(severity_words("dq")))
        rows.append((*words, "–", "–", "–", f"未运行，台账没有所读的列：{ids}"))
    headers = ("规则", "名称", "性质", "检查数", "无法判断", "不适用", "依据 / 未运行的原因")
    return _section(
        "规则运行情况",
        "Rules",
        _table(headers, rows, (3, 4, 5), (0, 1, 2)),
        "未运行的规则没有检查任何人，不得理解为没有疑点。",
    )


def _lines(digest: Digest) -> str:
    if not digest.lines:
        return ""
    rows = [(_text(line.name), f"{line.year}", f"{line.yuan:,.0f}", _text(line.citation)) for line in digest.lines]
    return _section("采用的标准线", "Lines used", _table(("名称", "年度", "元", "依据"), rows, (1, 2)))


def _problems(digest: Digest) -> str:
    """One row per file and sheet: a province has thousands of small oddities, and people go through them file by file."""
    if not digest.problems:
        return ""
    sheets: dict[tuple[str, str | None], dict[str, list[str]]] = {}
    for problem in digest.problems:
        kinds = sheets.setdefault((problem.source, problem.sheet), {})
        kinds.setdefault(problem.kind, []).append(problem_detail(problem.kind, problem.detail))
    rows = [
        (
            _text(source),
            _text(sheet),
            "<br>".join(_text("：".join(filter(None, (problem_words(k), "、".join(d))))) for k, d in kinds.items()),
        )
        for (source, sheet), kinds in sheets.items()
    ]
    note = "合计：" + "；".join(_text(total) for total in problem_totals(digest.problems)) + "。"
    return _section("需要留意的文件问题", "Problems in the sources", _table(("文件", "工作表", "问题"), rows), note)
