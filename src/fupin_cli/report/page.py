"""report.html: the digest as one page to show, print or attach: Chinese first, inline style, drawn bars, no script.

It holds counts only. Every text is escaped, digit runs that could be numbers of persons are masked, and counts below five
are not told (see `disclosure`). Row totals of files are exact: they are rows of a file, not persons.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from fupin_cli.report.book import write_private
from fupin_cli.report.digest import Digest, PlaceTally, RulePlaceTally
from fupin_cli.report.disclosure import FEW, SMALLEST, WITHHELD, disclosed, shown
from fupin_cli.report.masking import mask_text
from fupin_cli.report.page_style import STYLE
from fupin_cli.report.wording import (
    CLUE_NOTE,
    basis_words,
    coverage_words,
    decision_words,
    id_status_words,
    kind_words,
    place,
    problem_words,
    reason_words,
    severity_words,
    stage_words,
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
        + f"<footer>fupin {_text(digest.program_version)}　·　本页只含汇总数，不含个人信息；"
        f"不足 {SMALLEST} 的数以“{_text(FEW)}”表示，为避免推算而隐去的数以“{WITHHELD}”表示。 "
        "Aggregates only.</footer>\n</main>\n</body>\n</html>\n"
    )


def _text(value: object) -> str:
    return escape(mask_text("" if value is None else str(value)), quote=True)


def _head(digest: Digest) -> str:
    stages = "、".join(stage_words(stage) for stage in digest.stages)
    not_run = f"{len(digest.not_run)} 条" if digest.not_run else "无"
    figures = (
        ("在册户 households", f"{shown(digest.households)}"),
        ("在册人 persons", f"{shown(digest.persons)}"),
        ("疑点 findings", f"{shown(digest.findings)}"),
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


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """A table of cells that are already markup; `numbers` are the columns to set right."""
    right = set(numbers)
    align = [' class="n"' if at in right else "" for at in range(len(headers))]
    head = "".join(f"<th{how}>{header}</th>" for how, header in zip(align, headers, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{how}>{cell}</td>" for how, cell in zip(align, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _bar(parts: Sequence[tuple[int, str]], longest: int) -> str:
    """A bar of parts, each a count and a class. A count below five has the length of five: a bar tells no secret either."""
    scale = _BAR / max(longest, SMALLEST)
    drawn, at = [], 0.0
    for count, kind in parts:
        if count:
            width = max(count, SMALLEST) * scale
            drawn.append(f'<rect class="{kind}" x="{at:.1f}" width="{width:.1f}" height="{_HEIGHT}"/>')
            at += width
    width = max(_BAR, round(at))
    return f'<svg class="bar" viewBox="0 0 {width} {_HEIGHT}" width="{width}" height="{_HEIGHT}">{"".join(drawn)}</svg>'


def _split(accepted: int, review: int, total: str) -> list[tuple[int, str]]:
    """The parts of a bar: accepted and review where both may be told, else one part."""
    if total in {FEW, WITHHELD}:
        return [(SMALLEST, "hidden")]
    if 0 < accepted < SMALLEST or 0 < review < SMALLEST:
        return [(accepted + review, "accepted")]
    return [(accepted, "accepted"), (review, "review")]


def _told_part(count: int, rest: int, total: str) -> str:
    """A part of a told total; hidden where it or the rest is small."""
    if total in {FEW, WITHHELD} or 0 < rest < SMALLEST <= count:
        return WITHHELD
    return shown(count)


def _kinds(digest: Digest) -> str:
    totals: dict[tuple[str, str], list[int]] = {}
    names: dict[tuple[str, str], str] = {}
    for tally in digest.findings_by_rule:
        key = (tally.rule_id, tally.severity or "")
        bands = totals.setdefault(key, [0, 0])
        bands[tally.band == "review"] += tally.count
        names.setdefault(key, tally.title or tally.rule_id)
    keys = sorted(totals, key=lambda key: (-sum(totals[key]), key))
    told = disclosed([sum(totals[key]) for key in keys])
    longest = max((sum(counts) for counts in totals.values()), default=0)
    rows = []
    for key, total in zip(keys, told, strict=True):
        accepted, review = totals[key]
        bar = _bar(_split(accepted, review, total), longest)
        what = (_text(names[key]), f"<code>{_text(key[0])}</code>", _text(severity_words(key[1])))
        rows.append((*what, bar, _text(total), _text(_told_part(review, accepted, total))))
    words = (("accepted", "可信 accepted"), ("review", "待核 under review"), ("hidden", "数小不示"))
    legend = "　".join(f'<i class="key {kind}"></i>{word}' for kind, word in words)
    table = _table(("疑点类型", "规则", "性质", legend, "条数", "其中待核"), rows, (4, 5))
    return _section("各类疑点", "Findings by kind", table if rows else "<p>没有疑点。</p>")


def _townships(digest: Digest) -> str:
    counties: dict[str | None, list[PlaceTally]] = {}
    for tally in digest.findings_by_place:
        counties.setdefault(tally.county, []).append(tally)
    told = disclosed([sum(t.findings for t in tallies) for tallies in counties.values()])
    longest = max((tally.findings for tally in digest.findings_by_place), default=0)
    rows = []
    for (county, tallies), total in zip(counties.items(), told, strict=True):
        hidden = total in {FEW, WITHHELD}
        cells = [WITHHELD] * len(tallies) if hidden else disclosed([tally.findings for tally in tallies])
        rows.append((f"<b>{_text(place(county, 'county'))}</b>", "<b>合计</b>", "", f"<b>{_text(total)}</b>", ""))
        for tally, cell in zip(tallies, cells, strict=True):
            bar = _bar(_split(tally.findings - tally.review, tally.review, cell), longest)
            homes = WITHHELD if cell in {FEW, WITHHELD} else shown(tally.households)
            rows.append(("", _text(place(tally.township, "township")), bar, _text(cell), _text(homes)))
    return _section(
        "各乡镇疑点", "Findings by township", _table(("县（市、区）", "乡镇", "", "条数", "涉及户"), rows, (3, 4))
    )


def _verdicts(digest: Digest) -> str:
    if not digest.verdicts:
        return ""
    rows = []
    for verdict in digest.verdicts:
        counts = [verdict.met, verdict.not_met, verdict.unknown, verdict.not_applicable]
        cells = disclosed(counts)
        kinds = ("met", "not_met", "unknown", "not_applicable")
        parts = [
            (count if cell not in {FEW, WITHHELD} else SMALLEST, kind if cell not in {FEW, WITHHELD} else "hidden")
            for count, cell, kind in zip(counts, cells, kinds, strict=True)
        ]
        bar = _bar(parts, sum(count for count, _ in parts))
        rows.append(
            (_text(place(verdict.county, "county")), bar, _text(shown(sum(counts))), *(_text(cell) for cell in cells))
        )
    headers = ("县（市、区）", "", "户数", "达标", "未达标", "无法判断", "不适用")
    note = "依据台账登记内容逐条判定，供复核参考；“无法判断”是事实缺失，不等于达标或未达标。"
    return _section(
        "退出标准判定", "Household verdicts (clues, not conclusions)", _table(headers, rows, range(2, 7)), note
    )


def _stages(digest: Digest) -> str:
    if "province" not in digest.stages:
        return ""
    missed = _by_rule(digest.missed_by_county)
    cleared = _by_rule(digest.cleared_by_province)
    body = (
        f"<h3>仅省级比对发现 <small>found by the province only</small></h3>{missed}"
        f"<h3>县级疑点经省级数据排除 <small>county findings that province evidence cleared</small></h3>{cleared}"
    )
    return _section("县级与省级两次比对", "Two comparisons", body)


def _by_rule(tallies: Sequence[RulePlaceTally]) -> str:
    """Counts of all counties together, each alone: their sum is not told, and single counties would be too small."""
    counts: dict[str, int] = {}
    names: dict[str, str] = {}
    for tally in tallies:
        counts[tally.rule_id] = counts.get(tally.rule_id, 0) + tally.count
        names.setdefault(tally.rule_id, tally.title or tally.rule_id)
    if not counts:
        return "<p>没有。</p>"
    rows = [
        (_text(names[rule]), f"<code>{_text(rule)}</code>", _text(shown(count)))
        for rule, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return _table(("疑点类型", "规则", "条数"), rows, (2,))


def _accounts(digest: Digest) -> str:
    rows: list[tuple[str, ...]] = []
    for account in digest.accounts:
        reasons = "；".join(f"{reason_words(reason.label)} {reason.count:,}" for reason in account.reasons)
        state = "相符" if account.balanced else '<b class="bad">不符</b>'
        counts = (f"{n:,}" for n in (account.rows_read, account.rows_used, account.rows_set_aside))
        rows.append((_text(account.source), _text(account.sheet), *counts, _text(reasons), state))
    totals = (f"<b>{n:,}</b>" for n in (digest.rows_read, digest.rows_used, digest.rows_set_aside))
    rows.append(("<b>合计</b>", "", *totals, "", ""))
    table = _table(("文件", "工作表", "读入", "采用", "搁置", "搁置原因", "对账"), rows, (2, 3, 4))
    return _section("读入对账", "Control totals: read = used + set aside", table)


def _links(digest: Digest) -> str:
    rows = []
    for extract in digest.extracts:
        how = "<br>".join(
            f"{_text(basis_words(link.basis))}（{_text(decision_words(link.decision))}）{_text(shown(link.persons))} 人"
            + (f"，并列 {_text(shown(link.tied))}" if link.tied else "")
            for link in extract.links
        )
        what = f"{extract.department or ''} {kind_words(extract.kind)}"
        about = (what, extract.as_of, coverage_words(extract.coverage), stage_words(extract.stage))
        rows.append((*(_text(value) for value in about), how or "未关联到人员"))
    without = "；".join(
        f"{_text(id_status_words(tally.label))} {_text(shown(tally.count))} 人" for tally in digest.persons_without_id
    )
    note = f"台账中没有可用证件号码的人员：{without or '无'}。"
    table = _table(("部门数据", "截止日期", "覆盖县区", "比对环节", "关联依据与人数"), rows)
    return _section("部门数据与人员关联", "Extracts and links", table, note)


def _rules(digest: Digest) -> str:
    rows: list[tuple[str, ...]] = []
    for rule in digest.rules:
        words = (f"<code>{_text(rule.rule_id)}</code>", _text(rule.title), _text(severity_words(rule.severity)))
        if rule.not_run:
            rows.append((*words, "–", "–", "–", f'<b class="bad">未运行：{_text(rule.not_run)}</b>'))
        else:
            counts = (_text(shown(n)) for n in (rule.examined, rule.unknowns, rule.not_applicable))
            rows.append((*words, *counts, _text(rule.citation)))
    headers = ("规则", "名称", "性质", "检查数", "无法判断", "不适用", "依据 / 未运行的原因")
    return _section(
        "规则运行情况", "Rules", _table(headers, rows, (3, 4, 5)), "未运行的规则没有检查任何人，不得理解为没有疑点。"
    )


def _lines(digest: Digest) -> str:
    if not digest.lines:
        return ""
    rows = [(_text(line.name), f"{line.year}", f"{line.yuan:,.0f}", _text(line.citation)) for line in digest.lines]
    return _section("采用的标准线", "Lines used", _table(("名称", "年度", "元", "依据"), rows, (1, 2)))


def _problems(digest: Digest) -> str:
    if not digest.problems:
        return ""
    rows = [(_text(problem_words(p.kind)), _text(p.source), _text(p.sheet), _text(p.detail)) for p in digest.problems]
    return _section("需要留意的文件问题", "Problems in the sources", _table(("问题", "文件", "工作表", "内容"), rows))
