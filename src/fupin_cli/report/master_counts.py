"""The master's counts: findings by kind and township, what the county itself must mend, and what every rule did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from xlsxwriter.worksheet import Worksheet

from fupin_cli.report import book
from fupin_cli.report.book import (
    LINE_HEIGHT,
    Book,
    Styles,
    finish_table,
    lines_needed,
    mark_counts,
    put,
    put_across,
    put_count,
    put_table_top,
)
from fupin_cli.report.digest import Digest
from fupin_cli.report.wording import CLUE_NOTE, place, severity_words, stage_words
from fupin_cli.vocabulary import Band, Outcome, RuleReport


@dataclass(frozen=True)
class County:
    """What a county master shows: the county's own findings, households and outcomes.

    `findings` are those that townships are asked about, `notes` those of severity info, which are the county's own business.
    """

    name: str
    findings: pl.DataFrame
    notes: pl.DataFrame
    households: pl.DataFrame
    outcomes: pl.DataFrame


def write_matrix(written: Book, county: County, titles: Mapping[str, str]) -> None:
    """Kind of finding × township, with totals both ways and the part that is under review."""
    sheet, styles = written.sheet("汇总"), written.styles
    townships = sorted(
        county.findings["township"].unique().to_list() + county.notes["township"].unique().to_list(),
        key=lambda name: (name is None, name or ""),
    )
    townships = list(dict.fromkeys(townships))
    headers = ["规则编号", "疑点类型", "性质", *(place(name, "township") for name in townships), "合计", "其中待核"]
    columns = list(zip(headers, (11, 34, 11, *(11 for _ in townships), 10, 10), strict=True))
    put_table_top(sheet, styles, f"{county.name}　疑点汇总（疑点类型 × 乡镇，单位：条）", columns)
    row = _write_counts(sheet, styles, 3, county.findings, townships, titles)
    if row > 3:
        mark_counts(sheet, 3, row - 1, len(headers) - 2, len(headers) - 1, styles)
    sums = _counted(county.findings, [], townships)
    _write_count_row(
        sheet, styles, row, ("", "合计", ""), sums.rows()[0] if sums.height else [0] * (len(townships) + 2)
    )
    if county.notes.height:
        put_across(sheet, row + 1, 0, len(headers) - 1, "县级自查（不下发乡镇，见“县级自查”表）", styles.group)
        _write_counts(sheet, styles, row + 2, county.notes, townships, titles)
    sheet.freeze_panes(3, 2)
    book.put_footer(sheet, f"{county.name}　汇总")


def _counted(findings: pl.DataFrame, by: list[str], townships: Sequence[str | None]) -> pl.DataFrame:
    """How many findings of each group are in each township, in all, and under review."""
    counts = [pl.col("township").eq_missing(name).sum().alias(f"at:{at}") for at, name in enumerate(townships)]
    counts += [pl.len().alias("all"), pl.col("band").eq_missing(Band.REVIEW).sum().alias("review")]
    return findings.group_by(by).agg(*counts).sort(by) if by else findings.select(counts)


def _write_counts(
    sheet: Worksheet,
    styles: Styles,
    row: int,
    findings: pl.DataFrame,
    townships: Sequence[str | None],
    titles: Mapping[str, str],
) -> int:
    """The row after a row of counts for every rule."""
    words = dict(findings.group_by("rule_id").agg(pl.col("title").min()).sort("rule_id").rows())
    weights = dict(findings.group_by("rule_id").agg(pl.col("severity_words").min()).sort("rule_id").rows())
    for rule, *counts in _counted(findings, ["rule_id"], townships).rows():
        title = words[rule] or titles.get(rule, rule)
        _write_count_row(sheet, styles, row, (rule, title, weights[rule]), counts)
        row += 1
    return row


def _write_count_row(
    sheet: Worksheet, styles: Styles, row: int, words: tuple[str, str, str], counts: Sequence[int]
) -> None:
    total = not words[0]
    for column, word in enumerate(words):
        put(sheet, row, column, word, styles.total if total else styles.cell if column == 1 else styles.cell_centre)
    for column, count in enumerate(counts, len(words)):
        bold = total or column >= len(words) + len(counts) - 2
        put_count(sheet, row, column, count, styles.number_total if bold else styles.number)
    sheet.set_row(row, LINE_HEIGHT * lines_needed(words[1], 34) + 8)


def write_own_business(written: Book, county: County) -> None:
    """Findings of severity info, a row per household and rule: they tell the county what to do again, not whom to visit."""
    sheet, styles = written.sheet("县级自查"), written.styles
    put_table_top(sheet, styles, f"{county.name}　县级自查（提示类，不下发乡镇；每户每类一行）", _OWN_BUSINESS)
    homes = county.notes.group_by("township", "village", "household_id", "rule_id", maintain_order=True).agg(
        pl.col("hamlet", "head_name", "title", "severity_words", "advice").drop_nulls().first(),
        pl.len().alias("count"),
        pl.col("register_source", "register_sheet").drop_nulls().unique(maintain_order=True).str.join("、"),
        pl.col("register_at").drop_nulls().cast(pl.String).str.join("、"),
        pl.col("finding_key").str.join("、"),
    )
    order = ["township", "village", "hamlet", "head_name", "household_id", "title", "rule_id", "count", "advice"]
    sources = ["register_source", "register_sheet", "register_at", "finding_key"]
    last = 2
    for last, values in enumerate(homes.select(*order, *sources).rows(), 3):
        for column, value in enumerate(values):
            if order[column : column + 1] == ["count"]:
                put_count(sheet, last, column, value, styles.number)
            else:
                put(sheet, last, column, value, styles.cell if column in _WORDY else styles.cell_centre)
        lines = (lines_needed(value, width) for value, (_, width) in zip(values, _OWN_BUSINESS, strict=True))
        sheet.set_row(last, min(400, LINE_HEIGHT * max(lines) + 4))
    finish_table(sheet, last, len(_OWN_BUSINESS) - 1, f"{county.name}　县级自查")
    sheet.freeze_panes(3, 5)


def write_rules(written: Book, county: County, digest: Digest, titles: Mapping[str, str]) -> None:
    """Every rule with what it did in all places compared and in this county, and the unit of each number.

    Those that found something here, or could not run, stand first and are printed; the others are there to be looked up.
    """
    sheet, styles = written.sheet("规则"), written.styles
    put_table_top(sheet, styles, f"{county.name}　规则与运行情况", _RULES, note="")
    put_across(sheet, 1, 0, 3, f"一户只计一次；“疑点（条）”一户可有多条。{_PRINTED}", styles.note)
    sheet.set_row(1, 2 * LINE_HEIGHT + 4)
    put_across(sheet, 1, 4, 8, "全部比对范围（各县合计，单位见“单位”列）", styles.group)
    put_across(sheet, 1, 9, 12, f"其中本县（{county.name}）", styles.group_answer)
    every = pl.concat([county.findings.select("rule_id"), county.notes.select("rule_id")])
    ours = dict(every.group_by("rule_id").len().sort("rule_id").rows())
    here = {rule: tuple(counts) for rule, *counts in _outcome_counts(county.outcomes).rows()}
    last = 2
    telling = [
        rule
        for rule in digest.rules
        if rule.rule_id in ours or _could_not_run(rule) or here.get(rule.rule_id, (0, 0))[1]
    ]
    for last, rule in enumerate([*telling, *(rule for rule in digest.rules if rule not in telling)], 3):
        title, found = titles.get(rule.rule_id, rule.title), ours.get(rule.rule_id, 0)
        words = (rule.rule_id, title, severity_words(rule.severity), _UNITS.get(rule.level, "户"))
        for column, value in enumerate(words):
            put(sheet, last, column, value, styles.cell if column == 1 else styles.cell_centre)
        counts = (*_everywhere(rule), *(here.get(rule.rule_id) or (None, found, None)), found)
        for column, count in enumerate(counts, len(words)):
            if rule.not_run:
                put(sheet, last, column, "未运行", styles.unsure)
            elif count is None:
                put(sheet, last, column, "不分县", styles.unsure)
            else:
                put_count(sheet, last, column, count, styles.number)
        put(sheet, last, 13, rule.citation, styles.cell)
        put(sheet, last, 14, why := _lacking(rule), styles.bad if rule.not_run else styles.cell)
        lines = max(lines_needed(rule.citation, 34), lines_needed(title, 26), lines_needed(why, 23))
        sheet.set_row(last, LINE_HEIGHT * max(2, lines) + 4)
    finish_table(sheet, last, len(_RULES) - 1, f"{county.name}　规则")
    sheet.print_area(0, 0, 2 + len(telling), len(_RULES) - 1)
    sheet.repeat_rows(1, 2)
    sheet.freeze_panes(3, 2)


def write_earlier_rounds(written: Book, county: County, digest: Digest, titles: Mapping[str, str]) -> None:
    """What every rule did in each round before the last, when fewer departments had been heard; printed as the rules are."""
    sheet, styles = written.sheet("前几轮规则"), written.styles
    title = f"{county.name}　最后一轮以前各轮的规则运行情况（全部比对范围）"
    put_table_top(sheet, styles, title, _EARLIER, note=CLUE_NOTE + _PRINTED)
    last = 2
    rounds = [(earlier.stage, rule) for earlier in digest.earlier_rounds for rule in earlier.rules]
    telling = [said for said in rounds if said[1].hits or _could_not_run(said[1])]
    for last, (stage, rule) in enumerate([*telling, *(said for said in rounds if said not in telling)], 3):
        title, why = titles.get(rule.rule_id, rule.title), _lacking(rule)
        words = (stage_words(stage), rule.rule_id, title, _UNITS.get(rule.level, "户"))
        for column, value in enumerate(words):
            put(sheet, last, column, value, styles.cell if column == 2 else styles.cell_centre)
        for column, count in enumerate(_everywhere(rule), len(words)):
            if rule.not_run:
                put(sheet, last, column, "未运行", styles.unsure)
            else:
                put_count(sheet, last, column, count, styles.number)
        put(sheet, last, len(_EARLIER) - 1, why, styles.bad if rule.not_run else styles.cell)
        sheet.set_row(last, LINE_HEIGHT * max(lines_needed(title, 30), lines_needed(why, 40)) + 6)
    finish_table(sheet, last, len(_EARLIER) - 1, f"{county.name}　前几轮规则")
    sheet.print_area(0, 0, 2 + len(telling), len(_EARLIER) - 1)
    sheet.freeze_panes(3, 3)


def _could_not_run(rule: RuleReport) -> bool:
    """Whether somebody should know that a rule looked at nobody: a check of columns that the register lacks is none."""
    return bool(rule.not_run) and not rule.brief


def _lacking(rule: RuleReport) -> str | None:
    """Why a rule did not run; else which facts no file gives, and how many answers hang on the series of lines."""
    if rule.not_run:
        return rule.not_run
    told = [f"缺少：{'、'.join(rule.missing)}"] if rule.missing else []
    told += [f"{rule.line_dependent} 户的结论取决于所用标准线"] if rule.line_dependent else []
    told += [
        f"{count} 户未判：{year} 年没有启用的标准线，查到文件后补入项目的 rules/lines.toml"
        for year, count in rule.years_without_line
    ]
    return "；".join(told) or None


def _everywhere(rule: RuleReport) -> tuple[int, int, int, int, int]:
    return rule.examined, rule.hits, rule.clears, rule.unknowns, rule.not_applicable


def _outcome_counts(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Households of one county that a rule looked at, that it found something in, and that it cannot tell of."""
    found = pl.col("outcome").is_in([Outcome.HIT, Outcome.NOT_MET])
    return (
        outcomes.group_by("rule_id")
        .agg(pl.len().alias("asked"), found.sum().alias("found"), (pl.col("outcome") == Outcome.UNKNOWN).sum())
        .sort("rule_id")
    )


_OWN_BUSINESS = (
    ("乡镇", 9), ("行政村", 9), ("组", 6), ("户主姓名", 9), ("户编号", 18), ("类型", 22), ("规则编号", 11),
    ("条数（人）", 7), ("说明", 34), ("台账来源", 30), ("台账工作表", 10), ("台账行号", 14), ("疑点编号", 24),
)  # fmt: skip
_WORDY = {5, 8, 9}
_PRINTED = "查出疑点或未能运行的规则在前，只打印这些；其余供查阅。"
_RULES = (
    ("规则编号", 11), ("名称", 26), ("性质", 11), ("单位", 6),
    ("检查", 8), ("疑点/未达标", 9), ("未见异常/达标", 9), ("无法判断", 8), ("不适用", 8),
    ("检查", 8), ("疑点/未达标", 9), ("无法判断", 8), ("疑点（条）", 9),
    ("政策依据", 34), ("未运行的原因；缺少的列", 24),
)  # fmt: skip
_EARLIER = (
    ("比对环节", 18), ("规则编号", 11), ("名称", 30), ("单位", 6),
    ("检查", 8), ("疑点/未达标", 9), ("未见异常/达标", 9), ("无法判断", 8), ("不适用", 8), ("未运行的原因；缺少的列", 41),
)  # fmt: skip
_UNITS = {"village": "村", "county": "县", "extract": "人"}
