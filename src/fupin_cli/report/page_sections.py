"""The sections of the page: what the digest and the frames of a run say, as charts with the tables behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl
from markupsafe import Markup

from fupin_cli.report import charts
from fupin_cli.report.digest import Digest
from fupin_cli.report.page_parts import Figure, LedgerTable, PageFrames, Section, Table, number_table
from fupin_cli.report.page_sources import REGISTER
from fupin_cli.report.wording import (
    basis_words,
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
from fupin_cli.vocabulary import BASES, Band, is_note

_MOST_BARS = 16  # what a chart shows of many; the table behind it has them all
_BIN = 2.0  # bits
_OUTCOMES = ("met", "not_met", "unknown", "not_applicable")


def sections(digest: Digest, frames: PageFrames) -> list[Section]:
    """Those of which there is something to say, in the order in which a reader asks."""
    found = [
        _kinds(frames),
        _verdicts(digest),
        _stages(digest, frames),
        _sources(digest, frames),
        _links(digest, frames),
        _ledger(frames.ledger),
    ]
    return [section for section in found if section and section.figures]


def appendix(digest: Digest) -> list[Section]:
    """What an analyst looks up: rules and packs, lines, every sheet's account, oddities of files."""
    found = [_rules(digest), _accounts(digest), _problems(digest)]
    return [section for section in found if section.figures]


def _n(count: int) -> str:
    return f"{count:,}"


def _row(words: Iterable[object], counts: Iterable[int]) -> tuple[object, ...]:
    return (*words, *map(_n, counts))


def _banded(findings: pl.DataFrame, *by: str) -> list[tuple[Any, ...]]:
    """Groups with three counts: accepted, under review, notes for the county itself; most asked first."""
    note = is_note()
    review = pl.col("band").eq_missing(Band.REVIEW) & ~note
    told = findings.group_by(by).agg(
        (~note & ~review).sum().cast(pl.Int64).alias("sure"),
        review.sum().cast(pl.Int64).alias("review"),
        note.sum().cast(pl.Int64).alias("notes"),
    )
    asked = pl.sum_horizontal("sure", "review")
    return told.sort(-asked, -pl.col("notes"), *by, nulls_last=True).rows()


_Banded = tuple[str, tuple[str, ...], Sequence[int]]  # label of the bar, words of the table, counts of the bands


def _bands_figure(name: str, title: str, heads: Sequence[str], rows: Sequence[_Banded]) -> Figure:
    """Bars of what is asked of villages, sure or under review; notes for the county itself stand in the table alone."""
    asked = [(label, counts[:2]) for label, _, counts in rows if sum(counts[:2])]
    table = number_table(
        (*heads, "条数", "可信", "待核", "县级自查"),
        [_row(words, (sum(counts), *counts)) for _, words, counts in rows],
        len(heads),
    )
    rest = f"图中为前 {_MOST_BARS} 类，全部 {len(rows)} 类见数据表。" if len(asked) > _MOST_BARS else ""
    shown = asked[:_MOST_BARS]
    chart = charts.stacked(name, f"{title}的疑点条数，分可信和待核", shown, ("accepted", "review"), _with_review(shown))
    return Figure(title, table, chart, rest)


def _with_review(rows: Sequence[tuple[str, Sequence[int]]]) -> list[str]:
    """The sum of a bar, and how many of it are under review."""
    return [f"{sum(counts):,}" + (f" 待核 {counts[1]:,}" if counts[1] else "") for _, counts in rows]


def _kinds(frames: PageFrames) -> Section:
    found = frames.findings
    by_rule = [
        (title or rule, (title or rule, rule, severity_words(severity)), counts)
        for rule, title, severity, *counts in _banded(found, "rule_id", "title", "severity")
    ]
    by_department = [(name or "未注明", (name or "未注明",), counts) for name, *counts in _banded(found, "department")]
    by_weight = [(severity_words(one), (severity_words(one),), counts) for one, *counts in _banded(found, "severity")]
    figures = [
        _bands_figure("kinds", "按疑点类型", ("疑点类型", "规则", "性质"), by_rule),
        _bands_figure("departments", "按比对部门", ("比对部门",), by_department),
        _bands_figure("severities", "按疑点性质", ("性质",), by_weight),
    ]
    notes = sum(counts[2] for *_, counts in by_weight)
    note = "“待核”是人员对应关系尚待确认。"
    if notes:
        note += f"提示类 {notes:,} 条由县级自查、不下发乡镇，只列入数据表，不入图。"
    return Section("kinds", "疑点构成", "Findings by kind and department", figures if found.height else (), note)


def _verdicts(digest: Digest) -> Section:
    judged = [
        rule for rule in digest.rules if rule.kind in ("criterion", "verdict") and rule.level in ("household", "person")
    ]
    judged.sort(key=lambda rule: (rule.kind == "verdict", rule.rule_id))
    asked = [
        (rule, (rule.clears, rule.hits, rule.unknowns, rule.not_applicable)) for rule in judged if not rule.not_run
    ]
    figures = []
    if asked:
        drawn = [(rule.title, counts) for rule, counts in asked]
        about = "各项标准的达标、未达标、无法判断、不适用户数"
        chart = charts.stacked("criteria", about, drawn, _OUTCOMES, _short_of(drawn))
        rows = [
            (*_row((rule.title, rule.rule_id), counts), f"{100 * counts[2] / (sum(counts) or 1):.1f}%")
            for rule, counts in asked
        ]
        heads = ("标准", "规则", "达标", "未达标", "无法判断", "不适用", "无法判断占比")
        figures.append(Figure("逐项标准（户）", number_table(heads, rows, 2), chart))
    if digest.verdicts:
        figures.append(_by_county(digest))
    by = standards_words((use.rule_id, use.title, use.households) for use in digest.standards)
    note = (f"依：{by}。" if by else "") + (
        "依据台账登记内容和已认定的部门数据逐条判定，供复核参考。“无法判断”是事实缺失，单列，既不算达标也不算未达标。"
    )
    return Section("verdicts", "退出标准判定", "Verdicts, criterion by criterion", figures, note)


def _short_of(rows: Sequence[tuple[str, Sequence[int]]]) -> list[str]:
    """What must be read of a bar even where its part is too small to see: who falls short, and of whom nobody can tell."""
    return [f"未达标 {counts[1]:,}　无法判断 {counts[2]:,}" for _, counts in rows]


def _by_county(digest: Digest) -> Figure:
    statuses = digest.exit_statuses
    counts = [(verdict, tuple(getattr(verdict, name) for name in _OUTCOMES)) for verdict in digest.verdicts]
    rows = []
    for verdict, (met, not_met, unknown, idle) in counts:
        split = {tally.label: tally.count for tally in verdict.not_met_by_status}
        told = (
            met + not_met + unknown + idle,
            met,
            not_met,
            *(split.get(status, 0) for status in statuses),
            unknown,
            idle,
        )
        rows.append(_row((place(verdict.county, "county"),), told))
    heads = (
        "县（市、区）",
        "户数",
        "达标",
        "未达标",
        *(f"其中{exit_status_words(s)}" for s in statuses),
        "无法判断",
        "不适用",
    )
    drawn = [(place(verdict.county, "county"), told) for verdict, told in counts[:_MOST_BARS]]
    return Figure(
        "综合判定，按县（户）",
        number_table(heads, rows),
        charts.stacked("counties", "各县综合判定的户数", drawn, _OUTCOMES, _short_of(drawn)),
    )


def _stages(digest: Digest, frames: PageFrames) -> Section | None:
    """What the county's comparison saw, what only the province's did, what that cleared, and what skipped the county's."""
    if "province" not in digest.stages or len(digest.stages) < 2:
        return None
    found = frames.findings.filter(~pl.col("rule_id").is_in(list(frames.uncompared)))
    missed, cleared = (Counter[str](), Counter[str]())
    for counter, tallies in ((missed, digest.missed_by_county), (cleared, digest.cleared_by_province)):
        for tally in tallies:
            counter[tally.rule_id] += tally.count
    titles = dict(frames.cleared.select("rule_id", "title").rows()) | dict(found.select("rule_id", "title").rows())
    totals = dict(found.group_by("rule_id").len().rows()) | {rule: 0 for rule in cleared if rule not in titles}
    for rule in frames.uncompared:
        missed.pop(rule, None)
    moved = sorted(missed.keys() | cleared.keys(), key=lambda rule: (-missed[rule] - cleared[rule], rule))
    told = [
        (titles.get(rule) or rule, rule, (max(totals.get(rule, 0) - missed[rule], 0), missed[rule], cleared[rule]))
        for rule in moved
    ]
    figures = []
    if told:
        chart = charts.stacked(
            "stages", "各类疑点中县级已发现、仅省级发现、经省级排除的条数",
            [(title, counts) for title, _, counts in told[:_MOST_BARS]], ("known", "missed", "cleared"),
        )  # fmt: skip
        heads = ("疑点类型", "规则", "县级已发现", "仅省级发现", "经省级排除")
        figures.append(Figure("县级与省级比对", number_table(heads, [_row((t, r), c) for t, r, c in told], 2), chart))
    skipped = frames.findings.filter(pl.col("rule_id").is_in(list(frames.uncompared)))
    if skipped.height:
        counts = skipped.group_by("county").len().sort("county", nulls_last=True).rows()
        drawn = [(place(county, "county"), (count,)) for county, count in counts[:_MOST_BARS]]
        table = number_table(
            ("县（市、区）", "条数"), [_row((place(county, "county"),), (count,)) for county, count in counts]
        )
        figures.append(
            Figure(
                "未经县级比对即录入",
                table,
                charts.stacked("uncompared", "各县未经县级比对即录入的条数", drawn, ["all"]),
            )
        )
    note = (
        f"仅省级比对发现 {sum(missed.values()):,} 条，县级疑点经省级数据排除 {sum(cleared.values()):,} 条，"
        f"未经县级比对即录入 {skipped.height:,} 条。"
    )
    return Section("stages", "县级与省级两次比对", "County against province", figures, note)


def _sources(digest: Digest, frames: PageFrames) -> Section:
    told = frames.sources.to_dicts()
    rows = []
    for one in told:
        people = one["people"]
        rows.append(
            (
                _source_name(one),
                _short_stage(one["stage"]) or "—",
                f"{one['as_of'] or '未注明'}",
                _age(one["as_of"], digest.as_of),
                "、".join(sorted(one["coverage"] or ())) or "全部",
                *(_n(one[name]) for name in ("rows_read", "rows_used", "rows_set_aside")),
                f"{100 * one['valid'] / people:.1f}%" if people else "—",
                *(_n(one[name]) if one["extract"] != REGISTER and people else "—" for name in ("linked", "waiting")),
            )
        )
    heads = (
        "数据",
        "比对环节",
        "截止日期",
        "距今天数",
        "覆盖县区",
        "读入",
        "采用",
        "搁置",
        "号码有效率",
        "认定人数",
        "待核人数",
    )
    table = Table(heads, rows, frozenset({3, 5, 6, 7, 8, 9, 10}), whole=frozenset({1, 2}))
    people = [one for one in told if one["people"]]
    people.sort(
        key=lambda one: (one["extract"] != REGISTER, -(one["broken"] + one["absent"]) / one["people"], one["extract"])
    )
    flawed = [(_source_name(one), (one["broken"], one["absent"])) for one in people if one["broken"] + one["absent"]]
    ages = [
        (_source_name(one), ((digest.as_of - one["as_of"]).days,))
        for one in sorted(told, key=lambda one: (one["as_of"] or digest.as_of, one["extract"]))
        if one["as_of"] and one["as_of"] < digest.as_of
    ]
    figures = []
    if flawed:
        rows_of_ids = [
            _row((_source_name(one),), (one["people"], one["valid"], one["broken"], one["absent"])) for one in people
        ]
        chart = charts.stacked("ids", "各份数据中号码有误和未填写的行数", flawed[:_MOST_BARS], ("broken", "absent"))
        ids = number_table(("数据", "人员行", "号码有效", "号码有误", "未填写"), rows_of_ids)
        without = "；".join(f"{id_status_words(t.label)} {t.count:,} 人" for t in digest.persons_without_id)
        figures.append(
            Figure("不可用的证件号码（行）", ids, chart, f"台账中没有可用号码的：{without}。" if without else "")
        )
    if ages:
        listed = number_table(("数据", "天数"), [_row((name,), counts) for name, counts in ages])
        figures.append(
            Figure(
                "早于比对日期的天数",
                listed,
                charts.stacked("ages", "各份数据截止日期早于比对日期的天数", ages[:_MOST_BARS], ["all"]),
            )
        )
    figures.append(Figure("来源一览", table, open=True))
    note = "截止日期是部门数据所说的那一天；名单没有覆盖到的县区，“不在名单”不作数。"
    return Section("sources", "数据来源", "Health of the sources", figures, note)


def _source_name(one: Mapping[str, Any]) -> str:
    """What people call it: 民政低保（青禾县）."""
    if one["extract"] == REGISTER:
        return "台账"
    department, kind, where = one["department"] or "", kind_words(one["kind"]), one["coverage"] or []
    called = kind if kind.startswith(department) else f"{department}{kind}"
    return f"{called}（{where[0] if len(where) == 1 else _short_stage(one['stage'])}）"


def _short_stage(stage: str | None) -> str:
    return stage_words(stage).partition("比对")[0]


def _age(day: date | None, as_of: date) -> str:
    return "—" if day is None else _n((as_of - day).days)


def _links(digest: Digest, frames: PageFrames) -> Section:
    outside = frames.links.filter(pl.col("extract") != REGISTER, pl.col("decision").is_in(["accepted", "review"]))
    if not outside.height or outside["match_weight"].null_count() == outside.height:
        return Section("links", "人员关联质量", "Quality of the links", ())
    return Section(
        "links",
        "人员关联质量",
        "Quality of the links",
        [_weights(outside, frames), _bases(outside), _by_source(digest)],
        "权重是证据的比特数，每多 1 比特，是同一人的可能就大一倍。过了认定线还须姓名等不相矛盾；两线之间由人核对，绝不自动认定。",
    )


def _weights(links: pl.DataFrame, frames: PageFrames) -> Figure:
    start = (pl.col("match_weight") / _BIN).floor() * _BIN
    told = links.drop_nulls("match_weight").group_by(start.alias("start")).agg(
        (pl.col("decision") == decision).sum().cast(pl.Int64).alias(decision) for decision in ("accepted", "review")
    ).sort("start")  # fmt: skip
    bins = [(low, (sure, waiting)) for low, sure, waiting in told.rows()]
    marks = [
        (frames.review_bits, f"待核线 {frames.review_bits:.1f}"),
        (frames.accept_bits, f"认定线 {frames.accept_bits:.1f}"),
    ]
    chart = charts.histogram(
        "weights", "比对关系的权重分布，虚线为待核线和认定线", bins, ["linked", "review"], _BIN, marks
    )
    rows = [_row((f"{low:g} 至 {low + _BIN:g}",), counts) for low, counts in bins]
    return Figure("权重分布（条）", number_table(("权重（比特）", "认定", "待核"), rows), chart, "纵轴每格十倍。")


def _bases(links: pl.DataFrame) -> Figure:
    told = links.group_by("basis").agg(
        *((pl.col("decision") == d).sum().cast(pl.Int64).alias(d) for d in ("accepted", "review")),
        pl.col("tied").fill_null(value=False).sum().cast(pl.Int64).alias("tied"),
    )
    order = {basis: n for n, basis in enumerate(BASES)}
    rows = sorted(told.rows(), key=lambda row: order.get(row[0], len(order)))
    whole = links.height
    drawn = [(basis_words(basis), (sure, waiting)) for basis, sure, waiting, _ in rows]
    table = number_table(
        ("依据", "认定", "待核", "其中并列", "占比"),
        [
            (*_row((basis_words(b),), (sure, waiting, tied)), f"{100 * (sure + waiting) / whole:.1f}%")
            for b, sure, waiting, tied in rows
        ],
    )
    return Figure(
        "关联依据（条）",
        table,
        charts.stacked("bases", "各种依据的认定和待核条数", drawn, ["linked", "review"], _with_review(drawn)),
    )


def _by_source(digest: Digest) -> Figure:
    rows = [
        _row((f"{extract.department or ''}{kind_words(extract.kind)}", stage_words(extract.stage), basis_words(link.basis)),
             (link.persons if link.decision == "accepted" else 0, link.persons if link.decision == "review" else 0, link.tied))
        for extract in digest.extracts
        for link in extract.links
    ]  # fmt: skip
    return Figure(
        "逐份数据的关联（人）", number_table(("部门数据", "比对环节", "依据", "认定", "待核", "其中并列"), rows, 3)
    )


def _ledger(tables: Sequence[LedgerTable]) -> Section:
    figures = []
    for one in tables:
        heads = tuple(zh for _, zh in one.columns)
        kinds = one.rows.schema
        numbers = frozenset(
            n for n, (name, _) in enumerate(one.columns) if kinds[name].is_numeric() and name != "round"
        )
        rows = [tuple(_cell(value) for value in row) for row in one.rows.rows()]
        figures.append(Figure(one.title, Table(heads, rows, numbers), _ledger_chart(one)))
    note = "取自疑点台账（ledger）：已登记的各轮和各村反馈。先登记本轮再出本页，即含本轮。"
    return Section("ledger", "反馈与趋势", "Answers and trend, from the ledger", figures, note)


def _ledger_chart(one: LedgerTable) -> Markup | None:
    rows = one.rows
    if one.name == "trend" and rows.height > 1:
        series = [
            (word, rows[name].to_list()) for name, word in (("found", "疑点"), ("new", "新增"), ("cleared", "数据消除"))
        ]
        return charts.lines("trend", "各轮的疑点、新增和数据消除条数", rows["as_of"].to_list(), series)
    if one.name == "by_county" and rows.height:
        looks = ("to_send", "out", "answered", "closed", "settled")
        settled = pl.sum_horizontal("cleared", "exempt").alias("settled")
        back = pl.sum_horizontal("answered", "disputed").alias("answered")
        told = rows.with_columns(settled, back).select("county", *looks).rows()
        return charts.stacked("states", "各县疑点的办理情况", [(place(c, "county"), n) for c, *n in told], looks)
    if one.name == "precision_by_rule" and rows.height:
        told = rows.select("title", "so", "partly", "not_so").rows()
        return charts.stacked(
            "precision", "各规则核实结果", [(t or "", n) for t, *n in told[:_MOST_BARS]], ("so", "partly", "not_so")
        )
    return None


def _cell(value: object) -> str:
    if value is None:
        return "—"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _rules(digest: Digest) -> Section:
    rows: list[tuple[object, ...]] = []
    few = digest.self_checks_not_run
    for rule in (rule for rule in digest.rules if rule not in few):
        words = (rule.rule_id, rule.title, severity_words(rule.severity))
        if rule.not_run:
            rows.append((*words, "—", "—", "—", f"未运行：{rule.not_run}"))
        else:
            rows.append((*_row(words, (rule.examined, rule.unknowns, rule.not_applicable)), rule.citation or ""))
    if few:
        ids = "、".join(rule.rule_id for rule in few)
        words = ("REG-…", f"台账自查 {len(few)} 条", severity_words("dq"))
        rows.append((*words, "—", "—", "—", f"未运行，台账没有所读的列：{ids}"))
    heads = ("规则", "名称", "性质", "检查数", "无法判断", "不适用", "依据 / 未运行的原因")
    figures = [Figure("规则运行情况", Table(heads, rows, frozenset({3, 4, 5})))] if rows else []
    if digest.packs:
        packs = [(p.pack, p.title, f"{p.rules} 条" if p.judged else "未用", p.why) for p in digest.packs]
        figures.append(Figure("规则包", Table(("规则包", "名称", "采用的规则", "原因"), packs, frozenset({2}))))
    if digest.lines:
        lines = [(line.name, f"{line.year}", f"{line.yuan:,.0f}", line.citation) for line in digest.lines]
        figures.append(Figure("采用的标准线", Table(("名称", "年度", "元", "依据"), lines, frozenset({1, 2}))))
    return Section("rules", "规则", "Rules", figures, "未运行的规则没有检查任何人，不得理解为没有疑点。", folded=True)


def _accounts(digest: Digest) -> Section:
    rows: list[tuple[object, ...]] = []
    for account in digest.accounts:
        counts = (account.rows_read, account.rows_used, account.rows_set_aside, account.rows_footer)
        hidden = (account.rows_hidden, account.columns_hidden)
        state = "相符" if account.balanced else "不符"
        words = (account.source, account.sheet)
        rows.append((*_row(words, counts), reasons_words(account.other_reasons), *map(_n, hidden), state))
    totals = (digest.rows_read, digest.rows_used, digest.rows_set_aside, sum(a.rows_footer for a in digest.accounts))
    hidden = (sum(a.rows_hidden for a in digest.accounts), sum(a.columns_hidden for a in digest.accounts))
    rows.append((*_row(("合计", ""), totals), "", *map(_n, hidden), ""))
    heads = ("文件", "工作表", "读入", "采用", "搁置", "其中表尾", "其余搁置原因", "隐藏行", "隐藏列", "对账")
    note = "逐文件、逐工作表；隐藏的行和列照常读入。"
    if digest.rows_returned:
        note += f"搁置的行中有 {digest.rows_returned:,} 行退回报送单位更正，见 workbooks/退回更正。"
    table = Table(heads, rows, frozenset({2, 3, 4, 5, 7, 8}), summed=True)
    return Section("accounts", "读入对账", "Read = used + set aside", [Figure("读入对账", table)], note, folded=True)


def _problems(digest: Digest) -> Section:
    """One row per file and sheet: a province has thousands of small oddities, and people go through them file by file."""
    sheets: dict[tuple[str, str | None], dict[str, list[str]]] = {}
    for problem in digest.problems:
        kinds = sheets.setdefault((problem.source, problem.sheet), {})
        kinds.setdefault(problem.kind, []).append(problem_detail(problem.kind, problem.detail))
    rows = [
        (
            source,
            sheet or "",
            "\n".join("：".join(filter(None, (problem_words(k), "、".join(d)))) for k, d in kinds.items()),
        )
        for (source, sheet), kinds in sheets.items()
    ]
    note = "合计：" + "；".join(problem_totals(digest.problems)) + "。"
    figures = [Figure("文件问题", Table(("文件", "工作表", "问题"), rows))] if rows else []
    return Section("problems", "需要留意的文件问题", "Problems in the sources", figures, note, folded=True)
