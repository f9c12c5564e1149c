"""The master's first sheet: how to use the book, which extracts were compared, control totals, lines of the policy."""

from __future__ import annotations

from datetime import date

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
    set_widths,
)
from fupin_cli.report.digest import Digest, SourceAccount
from fupin_cli.report.wording import (
    CLUE_NOTE,
    basis_words,
    coverage_words,
    decision_words,
    kind_words,
    reason_words,
    stage_words,
)


def write_cover(written: Book, county: str, digest: Digest, as_of: date) -> None:
    """The first sheet: what the book is for, what was compared, and the control totals of the county's files."""
    sheet, styles = written.sheet("说明"), written.styles
    set_widths(sheet, (32, 20, 15, 15, 18, 34, 16))
    put_across(sheet, 0, 0, 6, f"{county}　建档立卡数据比对疑点总表", styles.title)
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
    book.put_footer(sheet, f"{county}　说明")


def _write_extracts(sheet: Worksheet, styles: Styles, row: int, county: str, digest: Digest) -> int:
    rows = []
    for extract in digest.extracts:
        if extract.coverage and county not in extract.coverage:
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


def _write_accounts(sheet: Worksheet, styles: Styles, row: int, county: str, digest: Digest) -> int:
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


def _concerns(account: SourceAccount, county: str) -> bool:
    """Whether a file may be named in this county's book: it holds this county's rows, or no county is known for it."""
    return account.counties == () or county in account.counties


def _write_lines(sheet: Worksheet, styles: Styles, row: int, digest: Digest) -> None:
    if not digest.lines:
        return
    put_heading(sheet, row, 6, "采用的标准线", styles)
    for at, line in enumerate(digest.lines, row + 1):
        put(sheet, at, 0, line.name, styles.cell)
        put(sheet, at, 1, f"{line.year} 年", styles.cell_centre)
        put(sheet, at, 2, f"{line.yuan:,.0f} 元", styles.cell_centre)
        put_across(sheet, at, 3, 6, line.citation, styles.cell)


_HOW_TO = (
    "1. 本册供县级汇总、督办使用；各乡镇另有“疑点核查表”，每村一张工作表，印发核查后报回。疑点明细中的“疑点编号”是销号依据。",
    "2. 疑点是台账与部门数据不一致的线索。系统登记内容、部门数据内容、数据截止日期和匹配依据并列，由人核实后才有结论。",
    "3. 标“▲待核”的，部门数据与台账人员是否同一人尚未确定，须先确认身份。",
    "4. “无法判断”表示事实缺失：没有填写、没有相应部门数据、或部门数据不覆盖本县。它不等于达标，也不等于未达标。",
    "5. “未运行”的规则没有检查任何人，原因见“规则”表；不得理解为没有疑点。",
    "6. 没有行政村的疑点列入乡镇核查表的“未定村”；没有乡镇的（如部门名单上有、台账中没有的人员）只列在本册，由县级先行落实到村。",
)
