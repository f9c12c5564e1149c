"""The county's master workbook: what was compared, all findings with their sources, every household's outcomes, every rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from fupin_cli.report import book
from fupin_cli.report.book import (
    LINE_HEIGHT,
    Book,
    Styles,
    lines_needed,
    put,
    put_across,
    put_count,
    put_heading,
    put_paragraph,
)
from fupin_cli.report.digest import VERDICT_RULE, Digest, RuleReport, SourceAccount
from fupin_cli.report.finding_rows import Field, write_findings
from fupin_cli.report.wording import (
    CLUE_NOTE,
    basis_words,
    coverage_words,
    decision_words,
    kind_words,
    outcome_words,
    place,
    reason_words,
    severity_words,
    stage_words,
)
from fupin_cli.vocabulary import OUTCOME_LABELS, Outcome

_ALL_FINDINGS = (
    Field("seq", "序号", 4),
    Field("finding_key", "疑点编号", 8),
    Field("township", "乡镇", 6),
    Field("village", "行政村", 6),
    Field("hamlet", "组", 4.5),
    Field("head_name", "户主姓名", 6),
    Field("household_id", "户编号", 9),
    Field("name", "姓名", 6),
    Field("id_number", "证件号码", 18),
    Field("relation", "与户主关系", 5),
    Field("title", "疑点类型", 10, centred=False),
    Field("rule_id", "规则编号", 8),
    Field("severity_words", "疑点性质", 6),
    Field("stage_words", "比对环节", 8),
    Field("department", "比对部门", 6),
    Field("as_of", "数据截止日期", 9),
    Field("register_value", "系统登记内容", 14, centred=False),
    Field("department_value", "部门数据内容", 17, centred=False),
    Field("evidence", "疑点说明", 20, centred=False),
    Field("basis_words", "匹配依据", 9, centred=False),
    Field("match_weight", "匹配权重（比特）", 6),
    Field("band_words", "可信度", 6),
    Field("citation", "政策依据", 14, centred=False),
    Field("register_source", "台账来源", 12, centred=False),
    Field("register_sheet", "台账工作表", 7),
    Field("register_at", "台账行号", 5.5),
    Field("extract", "数据源编号", 10),
    Field("extract_source", "部门数据来源", 12, centred=False),
    Field("extract_sheet", "部门数据工作表", 7),
    Field("extract_at", "部门数据行号", 5.5),
)


@dataclass(frozen=True)
class County:
    """What a county master shows: the county's own findings, households and outcomes."""

    name: str
    findings: pl.DataFrame
    households: pl.DataFrame
    outcomes: pl.DataFrame


def write_master(path: Path, county: County, digest: Digest, titles: Mapping[str, str], as_of: date) -> Path:
    """The path of the county's master workbook."""
    written = Book(f"{county.name}疑点总表", as_of)
    _write_cover(written, county, digest, as_of)
    _write_matrix(written, county, titles)
    _write_all_findings(written, county)
    _write_households(written, county, digest, titles)
    _write_rules(written, county, digest, titles)
    return written.save(path)


def _write_cover(written: Book, county: County, digest: Digest, as_of: date) -> None:
    sheet, styles = written.sheet("说明"), written.styles
    _set_widths(sheet, (32, 20, 15, 15, 18, 34, 16))
    put_across(sheet, 0, 0, 6, f"{county.name}　建档立卡数据比对疑点总表", styles.title)
    stages = "、".join(stage_words(stage) for stage in digest.stages)
    about = f"{digest.project}　　比对日期：{as_of}　　比对环节：{stages}　　程序版本：{digest.program_version}"
    put_across(sheet, 1, 0, 6, about, styles.subtitle)
    put_across(sheet, 2, 0, 6, CLUE_NOTE, styles.note)
    sheet.set_row(0, 34)
    put_heading(sheet, 4, 6, "本册内容与办理要求", styles)
    for row, line in enumerate(_HOW_TO, 5):
        put_paragraph(sheet, row, 6, line, styles, width=150)
    row = _write_extracts(sheet, styles, 6 + len(_HOW_TO), county, digest)
    row = _write_accounts(sheet, styles, row + 1, county, digest)
    _write_lines(sheet, styles, row + 1, digest)
    book.put_footer(sheet, f"{county.name}　说明")


def _write_extracts(sheet: Worksheet, styles: Styles, row: int, county: County, digest: Digest) -> int:
    rows = []
    for extract in digest.extracts:
        if extract.coverage and county.name not in extract.coverage:
            continue
        how = "；".join(
            f"{basis_words(link.basis)}（{decision_words(link.decision)}）{link.persons} 人"
            + (f"，并列 {link.tied}" if link.tied else "")
            for link in extract.links
        )
        covered = coverage_words(extract.coverage)
        about = (f"{extract.department or ''}　{kind_words(extract.kind)}", extract.extract, extract.as_of, covered)
        rows.append((*about, stage_words(extract.stage), how or "未关联到人员"))
    put_heading(sheet, row, 6, "部门数据：截止日期、覆盖范围与关联情况（关联人数为全部覆盖县区合计）", styles)
    for column, header in enumerate(("部门、类别", "数据源编号", "数据截止日期", "覆盖县区", "比对环节")):
        put(sheet, row + 1, column, header, styles.header)
    put_across(sheet, row + 1, 5, 6, "关联依据与人数", styles.header)
    for at, values in enumerate(rows, row + 2):
        for column, value in enumerate(values[:5]):
            put(sheet, at, column, value, styles.cell_centre)
        put_across(sheet, at, 5, 6, values[5], styles.cell)
        lines = max(lines_needed(values[5], 46), lines_needed(values[3], 13), lines_needed(values[1], 17), 2)
        sheet.set_row(at, LINE_HEIGHT * lines + 4)
    return row + 2 + len(rows)


def _write_accounts(sheet: Worksheet, styles: Styles, row: int, county: County, digest: Digest) -> int:
    accounts = [account for account in digest.accounts if _concerns(account, county)]
    put_heading(sheet, row, 6, "读入对账：读入 = 采用 + 搁置（逐文件、逐工作表）", styles)
    for column, header in enumerate(("文件", "工作表", "读入行数", "采用行数", "搁置行数", "搁置原因", "对账")):
        put(sheet, row + 1, column, header, styles.header)
    for at, account in enumerate(accounts, row + 2):
        reasons = "；".join(f"{reason_words(reason.label)} {reason.count}" for reason in account.reasons)
        put(sheet, at, 0, account.source, styles.cell)
        put(sheet, at, 1, account.sheet, styles.cell_centre)
        for column, count in enumerate((account.rows_read, account.rows_used, account.rows_set_aside), 2):
            put_count(sheet, at, column, count, styles.number)
        put(sheet, at, 5, reasons, styles.cell)
        put(
            sheet, at, 6, "相符" if account.balanced else "不符", styles.cell_centre if account.balanced else styles.bad
        )
        sheet.set_row(at, LINE_HEIGHT * max(lines_needed(reasons, 30), lines_needed(account.source, 30)) + 6)
    return row + 2 + len(accounts)


def _concerns(account: SourceAccount, county: County) -> bool:
    """Whether a file may be named in this county's book: it holds this county's rows, or no county is known for it."""
    return account.counties == () or county.name in account.counties


def _write_lines(sheet: Worksheet, styles: Styles, row: int, digest: Digest) -> None:
    if not digest.lines:
        return
    put_heading(sheet, row, 6, "采用的标准线", styles)
    for at, line in enumerate(digest.lines, row + 1):
        put(sheet, at, 0, line.name, styles.cell)
        put(sheet, at, 1, f"{line.year} 年", styles.cell_centre)
        put(sheet, at, 2, f"{line.yuan:,.0f} 元", styles.cell_centre)
        put_across(sheet, at, 3, 6, line.citation, styles.cell)


def _write_matrix(written: Book, county: County, titles: Mapping[str, str]) -> None:
    """Township × kind of finding, with totals both ways and the part that is under review."""
    sheet, styles = written.sheet("汇总"), written.styles
    kinds = sorted(set(county.findings["rule_id"].drop_nulls().to_list()))
    cells = {
        (township, rule): count
        for township, rule, count in county.findings.group_by("township", "rule_id")
        .len()
        .sort("township", "rule_id")
        .rows()
    }
    review = dict(county.findings.filter(pl.col("band") == "review").group_by("township").len().sort("township").rows())
    townships = sorted({township for township, _ in cells}, key=lambda name: (name is None, name or ""))
    width = len(kinds) + 3
    _set_widths(sheet, (16, *(9 for _ in kinds), 9, 9, 2)[:width])
    put_across(sheet, 0, 0, width - 1, f"{county.name}　疑点汇总（乡镇 × 疑点类型，单位：条）", styles.title)
    put_across(sheet, 1, 0, width - 1, CLUE_NOTE, styles.note)
    sheet.set_row(0, 32)
    put(sheet, 3, 0, "乡镇", styles.header)
    found = dict(county.findings.group_by("rule_id").agg(pl.col("title").min()).sort("rule_id").rows())
    names = [found[kind] or titles.get(kind, kind) for kind in kinds]
    for column, header in enumerate([*names, "合计", "其中待核"], 1):
        put(sheet, 3, column, header, styles.header)
    for column, kind in enumerate(["规则编号", *kinds, "", ""]):
        put(sheet, 4, column, kind, styles.total)
    sheet.set_row(3, LINE_HEIGHT * max([2, *(lines_needed(name, 8.5) for name in names)]) + 6)
    sheet.set_row(4, 28)
    for row, township in enumerate(townships, 5):
        counts = [cells.get((township, kind), 0) for kind in kinds]
        put(sheet, row, 0, place(township, "township"), styles.cell_centre)
        for column, count in enumerate([*counts, sum(counts), review.get(township, 0)], 1):
            put_count(sheet, row, column, count, styles.number if column <= len(kinds) else styles.number_total)
        sheet.set_row(row, 22)
    end = 5 + len(townships)
    put(sheet, end, 0, "合计", styles.total)
    totals = [sum(cells.get((township, kind), 0) for township in townships) for kind in kinds]
    for column, count in enumerate([*totals, sum(totals), sum(review.values())], 1):
        put_count(sheet, end, column, count, styles.number_total)
    sheet.set_row(end, 24)
    sheet.freeze_panes(5, 1)
    sheet.repeat_rows(3, 4)
    book.put_footer(sheet, f"{county.name}　汇总")


def _write_all_findings(written: Book, county: County) -> None:
    # A3: thirty columns would be too small to read on A4, and a county office has the paper.
    sheet, styles = written.sheet("疑点明细", book.A3), written.styles
    _write_table(sheet, styles, f"{county.name}　疑点明细", [(field.header, field.width) for field in _ALL_FINDINGS])
    last = write_findings(sheet, styles, county.findings, list(enumerate(_ALL_FINDINGS)), 3, least=24)
    _finish_table(sheet, last, len(_ALL_FINDINGS) - 1, f"{county.name}　疑点明细")
    sheet.freeze_panes(3, 8)


def _write_households(written: Book, county: County, digest: Digest, titles: Mapping[str, str]) -> None:
    """Household × criterion outcome; the household's verdict and what it rests on stand at the right."""
    sheet, styles = written.sheet("户判定"), written.styles
    rules = _criteria(county, digest)
    places = [("乡镇", 9), ("行政村", 9), ("组", 7), ("户主姓名", 9), ("户编号", 14), ("人口数", 6)]
    asked = [(titles.get(rule, rule), 10) for rule in rules]
    ends = [("判定说明", 46), ("台账来源", 16), ("工作表", 10), ("行号", 6)]
    _write_table(sheet, styles, f"{county.name}　户判定（依据台账登记内容，供复核参考）", [*places, *asked, *ends])
    table = _outcome_table(county, rules)
    first, after = len(places), len(places) + len(rules)
    colours: dict[str, Format] = {
        OUTCOME_LABELS[Outcome.NOT_MET][0]: styles.bad,
        OUTCOME_LABELS[Outcome.HIT][0]: styles.bad,
        OUTCOME_LABELS[Outcome.UNKNOWN][0]: styles.unsure,
        OUTCOME_LABELS[Outcome.NOT_APPLICABLE][0]: styles.unsure,
    }
    last = 2
    for last, values in enumerate(table.rows(), 3):
        for column, value in enumerate(values):
            style = styles.cell if column == after else styles.cell_centre
            put(sheet, last, column, value, colours.get(value, style) if first <= column < after else style)
        sheet.set_row(last, LINE_HEIGHT * lines_needed(values[after], 46) + 4)
    _finish_table(sheet, last, after + len(ends) - 1, f"{county.name}　户判定")
    sheet.freeze_panes(3, 5)


def _criteria(county: County, digest: Digest) -> list[str]:
    """Rules that ask something of every household, the verdict last."""
    asked = set(county.outcomes["rule_id"].drop_nulls().to_list())
    checks = {rule.rule_id for rule in digest.rules if rule.kind == "check"}
    return sorted(asked - checks, key=lambda rule: (rule == VERDICT_RULE, rule))


def _outcome_table(county: County, rules: Sequence[str]) -> pl.DataFrame:
    labels = {code.value: outcome_words(code) for code in Outcome}
    ours = county.outcomes.filter(pl.col("rule_id").is_in(rules)).sort("household_id", "rule_id", "outcome", "reason")
    words = ours.with_columns(pl.col("outcome").replace_strict(labels, default=pl.col("outcome")))
    wide = words.group_by("household_id", maintain_order=True).agg(
        pl.col("outcome").filter(pl.col("rule_id") == rule).first().alias(f"outcome:{rule}") for rule in rules
    )
    telling = ours.filter(
        ~pl.col("outcome").is_in([Outcome.MET, Outcome.CLEAR, Outcome.NOT_APPLICABLE]), pl.col("reason").is_not_null()
    )
    why = telling.group_by("household_id", maintain_order=True).agg(
        pl.col("reason").unique(maintain_order=True).str.join("；").alias("why")
    )
    homes = county.households.sort("township", "village", "hamlet", "household_id", nulls_last=True)
    joined = homes.join(wide, on="household_id", how="left", maintain_order="left").join(
        why, on="household_id", how="left", maintain_order="left"
    )
    places = ["township", "village", "hamlet", "head_name", "household_id", "member_count"]
    return joined.select(*places, *(f"outcome:{rule}" for rule in rules), "why", "source", "sheet", "row")


def _write_rules(written: Book, county: County, digest: Digest, titles: Mapping[str, str]) -> None:
    sheet, styles = written.sheet("规则"), written.styles
    headers = (
        "规则编号",
        "名称",
        "性质",
        "政策依据",
        "检查数",
        "疑点/未达标",
        "未见异常/达标",
        "无法判断",
        "不适用",
        "本县疑点",
        "未运行的原因",
    )
    widths = (11, 30, 12, 34, 9, 10, 11, 9, 9, 9, 34)
    _write_table(
        sheet,
        styles,
        f"{county.name}　规则与运行情况（本县疑点以外的各数为全部比对范围）",
        list(zip(headers, widths, strict=True)),
    )
    ours = dict(county.findings.group_by("rule_id").len().sort("rule_id").rows())
    cited = dict(
        county.findings.drop_nulls("citation").group_by("rule_id").agg(pl.col("citation").min()).sort("rule_id").rows()
    )
    last = 2
    for last, rule in enumerate(digest.rules, 3):
        title, citation = titles.get(rule.rule_id, rule.title), rule.citation or cited.get(rule.rule_id)
        words = (rule.rule_id, title, severity_words(rule.severity), citation)
        for column, value in enumerate(words):
            put(sheet, last, column, value, styles.cell if column in {1, 3} else styles.cell_centre)
        for column, count in enumerate((*_counts(rule), ours.get(rule.rule_id, 0)), 4):
            if rule.not_run and column < 9:
                put(sheet, last, column, "未运行", styles.unsure)
            else:
                put_count(sheet, last, column, count, styles.number)
        put(sheet, last, 10, rule.not_run, styles.bad if rule.not_run else styles.cell)
        lines = max(lines_needed(citation, 34), lines_needed(title, 30), lines_needed(rule.not_run, 33))
        sheet.set_row(last, LINE_HEIGHT * lines + 8)
    _finish_table(sheet, last, len(headers) - 1, f"{county.name}　规则")
    sheet.freeze_panes(3, 2)


def _counts(rule: RuleReport) -> tuple[int, int, int, int, int]:
    return rule.examined, rule.hits, rule.clears, rule.unknowns, rule.not_applicable


def _write_table(sheet: Worksheet, styles: Styles, title: str, columns: Sequence[tuple[str, float]]) -> None:
    """Title, note and header row: the frame that every table of the master has."""
    _set_widths(sheet, [width for _, width in columns])
    put_across(sheet, 0, 0, len(columns) - 1, title, styles.title)
    put_across(sheet, 1, 0, len(columns) - 1, CLUE_NOTE, styles.note)
    for column, (header, _) in enumerate(columns):
        put(sheet, 2, column, header, styles.header)
    sheet.set_row(0, 32)
    sheet.set_row(1, 18)
    sheet.set_row(2, LINE_HEIGHT * max(lines_needed(header, width) for header, width in columns) + 8)
    sheet.repeat_rows(2)


def _finish_table(sheet: Worksheet, last: int, last_column: int, name: str) -> None:
    sheet.autofilter(2, 0, last, last_column)
    sheet.ignore_errors({"number_stored_as_text": f"A1:AZ{last + 1}"})
    book.put_footer(sheet, name)


def _set_widths(sheet: Worksheet, widths: Sequence[float]) -> None:
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)


_HOW_TO = (
    "1. 本册供县级汇总、督办使用；各乡镇另有“疑点核查表”，每村一张工作表，印发核查后报回。疑点明细中的“疑点编号”是销号依据。",
    "2. 疑点是台账与部门数据不一致的线索。系统登记内容、部门数据内容、数据截止日期和匹配依据并列，由人核实后才有结论。",
    "3. 标“▲待核”的，部门数据与台账人员是否同一人尚未确定，须先确认身份。",
    "4. “无法判断”表示事实缺失：没有填写、没有相应部门数据、或部门数据不覆盖本县。它不等于达标，也不等于未达标。",
    "5. “未运行”的规则没有检查任何人，原因见“规则”表；不得理解为没有疑点。",
    "6. 没有行政村的疑点列入乡镇核查表的“未定村”；没有乡镇的（如部门名单上有、台账中没有的人员）只列在本册，由县级先行落实到村。",
)
