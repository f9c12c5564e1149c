"""The master's first sheet: how to use the book, which extracts were compared, control totals, lines of the policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

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
    put_legend,
    put_paragraph,
    set_widths,
)
from fupin_cli.report.digest import Digest
from fupin_cli.report.source_account import SourceAccount
from fupin_cli.report.wording import (
    CLUE_NOTE,
    basis_words,
    coverage_words,
    decision_words,
    kind_words,
    reasons_words,
    stage_words,
)


def write_cover(written: Book, county: str, digest: Digest, as_of: date) -> None:
    """The first sheet: what the book is for, what was compared, and the control totals of the county's files."""
    sheet, styles = written.sheet("说明"), written.styles
    set_widths(sheet, _WIDTHS)
    put_across(sheet, 0, 0, _LAST, f"{county}　建档立卡数据比对疑点总表", styles.title)
    stages = "、".join(stage_words(stage) for stage in digest.stages)
    about = f"{digest.project}　　比对日期：{as_of}　　比对环节：{stages}　　程序版本：{digest.program_version}"
    put_across(sheet, 1, 0, _LAST, about, styles.subtitle)
    put_across(sheet, 2, 0, _LAST, CLUE_NOTE, styles.note)
    sheet.set_row(0, 34)
    put_heading(sheet, 4, _LAST, "本册内容与办理要求", styles)
    for row, line in enumerate(_HOW_TO, 5):
        put_paragraph(sheet, row, _LAST, line, styles, width=sum(_WIDTHS))
    row = _write_extracts(sheet, styles, 6 + len(_HOW_TO), county, digest)
    row = _write_accounts(sheet, styles, row + 1, county, digest)
    row = _write_lines(sheet, styles, row + 1, digest)
    row = _write_packs(sheet, styles, row, digest)
    row = put_legend(sheet, row, _LAST, _colours(styles), styles)
    put_heading(sheet, row + 1, _LAST, "来源与校验", styles)
    put_paragraph(sheet, row + 2, _LAST, _PROVENANCE, styles, width=sum(_WIDTHS))
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
        covered = coverage_words(extract.coverage)
        about = (f"{extract.department or ''}　{kind_words(extract.kind)}", extract.extract, str(extract.as_of or ""))
        rows.append((*about, covered, stage_words(extract.stage), how or "未关联到人员"))
    title = "部门数据：截止日期、覆盖范围与关联情况（关联人数为全部覆盖县区合计）"
    return _write_table(sheet, styles, row, title, _EXTRACTS, rows)


def _write_table(
    sheet: Worksheet,
    styles: Styles,
    row: int,
    title: str,
    columns: Sequence[tuple[str, int, int]],
    rows: Sequence[Sequence[str | None]],
) -> int:
    """The row after a heading and a table; each of its columns spans some of the sheet's, and the last is set left."""
    put_heading(sheet, row, _LAST, title, styles)
    for header, first, last in columns:
        put_across(sheet, row + 1, first, last, header, styles.header)
    for at, values in enumerate(rows, row + 2):
        lines = 1
        for value, (header, first, last) in zip(values, columns, strict=True):
            style = styles.cell if header == columns[-1][0] else styles.cell_centre
            put_across(sheet, at, first, last, value or "", style)
            lines = max(lines, lines_needed(value, sum(_WIDTHS[first : last + 1]) - 2))
        sheet.set_row(at, LINE_HEIGHT * lines + 6)
    return row + 2 + len(rows)


def _write_accounts(sheet: Worksheet, styles: Styles, row: int, county: str, digest: Digest) -> int:
    """The row after the control totals of every file and sheet, their sum, and where the rows are that can be mended."""
    accounts = [account for account in digest.accounts if _concerns(account, county)]
    title = "读入对账：读入 = 采用 + 搁置（逐文件、逐工作表；隐藏的行和列照常读入）"
    put_heading(sheet, row, _LAST, title, styles)
    for column, header in enumerate(_ACCOUNTS):
        put(sheet, row + 1, column, header, styles.header)
    sheet.set_row(row + 1, LINE_HEIGHT + 8)
    for at, account in enumerate(accounts, row + 2):
        reasons = reasons_words(account.other_reasons)
        put(sheet, at, 0, account.source, styles.cell)
        put(sheet, at, 1, account.sheet, styles.cell_centre)
        for column, count in enumerate(_counts(account), 2):
            put_count(sheet, at, column, count, styles.number)
        put(sheet, at, _LAST - 1, reasons, styles.cell)
        state, style = ("相符", styles.cell_centre) if account.balanced else ("不符", styles.bad)
        put(sheet, at, _LAST, state, style)
        lines = max(lines_needed(reasons, _WIDTHS[-2] - 2), lines_needed(account.source, _WIDTHS[0] - 2))
        sheet.set_row(at, LINE_HEIGHT * max(lines, lines_needed(account.sheet, _WIDTHS[1] - 2)) + 6)
    row += 2 + len(accounts)
    put_across(sheet, row, 0, 1, "合计", styles.total)
    for column, counts in enumerate(zip(*map(_counts, accounts), strict=True), 2):
        put_count(sheet, row, column, sum(counts), styles.number_total)
    put_across(sheet, row, _LAST - 1, _LAST, "", styles.total)
    sheet.set_row(row, LINE_HEIGHT + 6)
    if returned := sum(account.rows_returned for account in accounts):
        told = _RETURNED.format(rows=f"{returned:,}")
        put_paragraph(sheet, row + 1, _LAST, told, styles, width=sum(_WIDTHS))
        row += 1
    return row + 1


def _counts(account: SourceAccount) -> tuple[int, ...]:
    aside = (account.rows_set_aside, account.rows_footer)
    return (account.rows_read, account.rows_used, *aside, account.rows_hidden, account.columns_hidden)


def _concerns(account: SourceAccount, county: str) -> bool:
    """Whether a file may be named in this county's book: it holds this county's rows, or no county is known for it."""
    return account.counties == () or county in account.counties


def _write_lines(sheet: Worksheet, styles: Styles, row: int, digest: Digest) -> int:
    """The row after the lines of the policy that households were held against."""
    rows = [(line.name, f"{line.year} 年", f"{line.yuan:,.0f} 元", line.citation) for line in digest.lines]
    return _write_table(sheet, styles, row, "采用的标准线", _LINES, rows) + 1 if rows else row


def _write_packs(sheet: Worksheet, styles: Styles, row: int, digest: Digest) -> int:
    """The row after the packs of the place, used or not, and why."""
    rows = [
        (f"{pack.title}（{pack.pack}）", f"{pack.rules} 条" if pack.judged else "未采用", pack.why)
        for pack in digest.packs
    ]
    title = "规则包：采用与未采用的，及其原因"
    return _write_table(sheet, styles, row, title, _PACKS, rows) + 1 if rows else row


def _colours(styles: Styles) -> list[tuple[str, Format, str]]:
    """Every colour of the book that means something: its word, its look, its meaning."""
    return [
        (
            "▲待核",
            styles.review,
            "部门数据与台账人员是否同一人尚未确定，先确认身份（疑点明细）；汇总表中“其中待核”大于零的同色",
        ),
        (
            "未达标　疑点　不符　未运行",
            styles.bad,
            "未达标准、检查出疑点、对账不符，或规则没有运行（户判定、规则、本表）",
        ),
        ("无法判断　不适用", styles.unsure, "事实缺失，无从判断；或规则不问此户（户判定、规则）"),
        ("深浅相间", styles.cell_alt, "同一户的各条疑点同一底色，换户换色（疑点明细），别无含义"),
        ("由浅到深", styles.group, "汇总表“合计”一栏，疑点越多颜色越深"),
    ]


_WIDTHS = (32, 20, 10, 10, 10, 8, 8, 8, 34, 10)  # 150 in all, which A4 takes in letters of some 9 points
_LAST = len(_WIDTHS) - 1
_ACCOUNTS = (
    "文件",
    "工作表",
    "读入行数",
    "采用行数",
    "搁置行数",
    "其中表尾",
    "隐藏行",
    "隐藏列",
    "其余搁置原因",
    "对账",
)
_EXTRACTS = (  # header, first and last column of the sheet
    ("部门、类别", 0, 0),
    ("数据源编号", 1, 1),
    ("数据截止日期", 2, 3),
    ("覆盖县区", 4, 5),
    ("比对环节", 6, 7),
    ("关联依据与人数", 8, _LAST),
)
_LINES = (("名称", 0, 0), ("年度", 1, 1), ("金额", 2, 3), ("依据", 4, _LAST))
_PACKS = (("规则包", 0, 1), ("规则", 2, 3), ("原因", 4, _LAST))
_RETURNED = (
    "搁置的行中有 {rows} 行缺少人员、户的信息或表头，未能采用。已按报送单位分册列入与本县文件夹并列的“退回更正”文件夹，"
    "每行注明原文件、工作表、行号、原因和更正办法：请转报送单位更正后重报。"
)
_PROVENANCE = (
    "本册由程序据上列数据和规则生成，没有外部链接和公式。每个输入文件、规则文件和本册自身的校验值（SHA-256）见同次结果文件夹的"
    " manifest.json；每条疑点的来源文件、工作表、行号见“疑点明细”右端各栏。"
)
_HOW_TO = (
    "1. 本册供县级汇总、督办使用；各乡镇另有“疑点核查表”，每村一张工作表，供打印核查。“疑点编号”供 fupin explain 说明由来。",
    "2. 疑点是台账与部门数据不一致的线索。系统登记内容、部门数据内容、数据截止日期和匹配依据并列，由人核实后才有结论。",
    "3. 标“▲待核”的，部门数据与台账人员是否同一人尚未确定，须先确认身份。",
    "4. “无法判断”表示事实缺失：没有填写、没有相应部门数据、或部门数据不覆盖本县。它不等于达标，也不等于未达标。",
    "5. “未运行”的规则没有检查任何人，原因见“规则”表；不得理解为没有疑点。",
    "6. 没有行政村的疑点列入乡镇核查表的“未定村”；没有乡镇的（如部门名单上有、台账中没有的人员）只列在本册，由县级先行落实到村。",
    "7. 要收电子答复、登记销号的，用 fupin cases round、fupin cases dispatch 下发“疑点核查反馈表”，以其中的“核查件编号”为准。",
)
