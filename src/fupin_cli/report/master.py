"""The county's master workbook: what was compared, all findings with their sources, every household's outcomes, every rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl
from xlsxwriter.format import Format

from fupin_cli.report import book
from fupin_cli.report.book import LINE_HEIGHT, Book, finish_table, lines_needed, put, put_table_top
from fupin_cli.report.digest import Digest
from fupin_cli.report.finding_rows import Field, write_findings
from fupin_cli.report.master_counts import County, write_earlier_rounds, write_matrix, write_own_business, write_rules
from fupin_cli.report.master_cover import write_cover
from fupin_cli.report.wording import outcome_words
from fupin_cli.vocabulary import LINE_DEPENDENT, OUTCOME_LABELS, Outcome

_ALL_FINDINGS = (
    Field("seq", "序号", 4),
    Field("finding_key", "疑点编号", 9),
    Field("township", "乡镇", 6),
    Field("village", "行政村", 6),
    Field("hamlet", "组", 4.5),
    Field("head_name", "户主姓名", 6),
    Field("household_id", "户编号", 9),
    Field("name", "姓名", 6),
    Field("id_shown", "证件号码", 18),
    Field("relation", "与户主关系", 5),
    Field("title", "疑点类型", 10, centred=False),
    Field("rule_id", "规则编号", 9),
    Field("severity_words", "疑点性质", 6),
    Field("stage_words", "比对环节", 8),
    Field("department", "比对部门", 8),
    Field("as_of", "数据截止日期", 10.5),
    Field("register_cell", "系统登记内容", 16, centred=False),
    Field("department_value", "部门数据内容", 20, centred=False),
    Field("listed_name", "部门登记姓名", 6),
    Field("listed_id", "部门登记证件号码", 18),
    Field("listed_place", "部门登记住址", 10, centred=False),
    Field("advice", "疑点说明", 20, centred=False),
    Field("basis_words", "匹配依据", 10, centred=False),
    Field("match_weight", "匹配权重（比特）", 6),
    Field("band_words", "可信度", 6.5),
    Field("citation", "政策依据", 18, centred=False),
    Field("register_source", "台账来源", 16, centred=False),
    Field("register_sheet", "台账工作表", 7),
    Field("register_at", "台账行号", 5.5),
    Field("extract", "数据源编号", 12),
    Field("extract_source", "部门数据来源", 16, centred=False),
    Field("extract_sheet", "部门数据工作表", 7),
    Field("extract_at", "部门数据行号", 5.5),
)


def write_master(path: Path, county: County, digest: Digest, titles: Mapping[str, str], as_of: date) -> Path:
    """The path of the county's master workbook."""
    written = Book(f"{county.name}疑点总表", as_of)
    write_cover(written, county.name, digest, as_of)
    write_matrix(written, county, titles)
    _write_all_findings(written, county)
    if county.notes.height:
        write_own_business(written, county)
    _write_households(written, county, digest, titles)
    write_rules(written, county, digest, titles)
    if digest.earlier_rounds:
        write_earlier_rounds(written, county, digest, titles)
    return written.save(path)


def _write_all_findings(written: Book, county: County) -> None:
    # A3: thirty columns would be too small to read on A4, and a county office has the paper.
    sheet, styles = written.sheet("疑点明细", book.A3), written.styles
    put_table_top(sheet, styles, f"{county.name}　疑点明细", [(field.header, field.width) for field in _ALL_FINDINGS])
    last = write_findings(sheet, styles, county.findings, list(enumerate(_ALL_FINDINGS)), 3, least=24)
    finish_table(sheet, last, len(_ALL_FINDINGS) - 1, f"{county.name}　疑点明细")
    sheet.freeze_panes(3, 8)


def _write_households(written: Book, county: County, digest: Digest, titles: Mapping[str, str]) -> None:
    """Household × criterion outcome; the household's verdict and what it rests on stand at the right."""
    sheet, styles = written.sheet("户判定"), written.styles
    rules = _criteria(county, digest)
    places = [("乡镇", 9), ("行政村", 9), ("组", 7), ("户主姓名", 9), ("户编号", 17), ("人口数", 6)]
    asked = [(titles.get(rule, rule), 10) for rule in rules]
    ends = [("判定说明", 46), ("台账来源", 24), ("工作表", 10), ("行号", 6)]
    columns = [*places, *asked, *ends]
    put_table_top(sheet, styles, f"{county.name}　户判定（依据台账登记内容，供复核参考）", columns)
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
        lines = (lines_needed(value, width) for value, (_, width) in zip(values, columns, strict=True))
        sheet.set_row(last, LINE_HEIGHT * max(lines) + 4)
    finish_table(sheet, last, after + len(ends) - 1, f"{county.name}　户判定")
    sheet.freeze_panes(3, 5)


def _criteria(county: County, digest: Digest) -> list[str]:
    """Rules that ask something of every household, the verdicts that decide who exits last."""
    asked = set(county.outcomes["rule_id"].drop_nulls().to_list())
    checks = {rule.rule_id for rule in digest.rules if rule.kind == "check"}
    decide = {use.rule_id for use in digest.standards}
    return sorted(asked - checks, key=lambda rule: (rule in decide, rule))


def _outcome_table(county: County, rules: Sequence[str]) -> pl.DataFrame:
    labels = {code.value: outcome_words(code) for code in Outcome}
    ours = county.outcomes.filter(pl.col("rule_id").is_in(rules)).sort("household_id", "rule_id", "outcome", "reason")
    words = ours.with_columns(pl.col("outcome").replace_strict(labels, default=pl.col("outcome")))
    wide = words.group_by("household_id", maintain_order=True).agg(
        pl.col("outcome").filter(pl.col("rule_id") == rule).first().alias(f"outcome:{rule}") for rule in rules
    )
    telling = ours.filter(
        ~pl.col("outcome").is_in([Outcome.MET, Outcome.CLEAR, Outcome.NOT_APPLICABLE])
        | pl.col("reason").str.contains(LINE_DEPENDENT, literal=True),
        pl.col("reason").is_not_null(),
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
