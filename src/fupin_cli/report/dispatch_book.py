"""The workbook that goes out: one receiving unit's cases, to be answered, signed and sent back.

Cover, a sheet per village, a table that counts the answers by itself, and a register of signatures. Whoever fills it in types
on the yellow cells only; whoever reads it back knows each row by its 核查件编号.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl
from xlsxwriter.utility import xl_col_to_name

from fupin_cli.language import pick_on_paper
from fupin_cli.report import book
from fupin_cli.report.book import Book, put, put_across, put_count, put_heading, put_paragraph, set_widths
from fupin_cli.report.checklist import (
    ACTIONS,
    ANSWERS,
    BOOKED,
    COMPARED,
    HEADER_ROW,
    REASONS,
    SIGNED_BY_HOME,
    VERDICTS,
    Form,
    in_all,
    reviewed,
    write_village,
)
from fupin_cli.report.finding_rows import Field
from fupin_cli.report.naming import sheet_names
from fupin_cli.report.wording import CLUE_NOTE

COVER, COUNTS, SIGNED, WHOM = "填表说明", "统计表", "签字登记", "涉及人员"
CASE, BATCH = "核查件编号", "批次"
STEP, PLACE, SHEET, SIGNER, SIGNED_ON = "环节", "行政村", "工作表", "签字人", "签字日期"
ANSWER_HEADERS = {  # the answer fields by what stands above them
    "verdict": "是否属实",
    "reason": "情况说明",
    "action": "处理意见",
    "material": "佐证材料",
    "checker": "核查人",
    "phone": "联系电话",
    "checked_on": "核查时间",
}
CHOICES = {"verdict": VERDICTS, "action": ACTIONS}  # answers that are counted; a reason may be written freely
_FINDING, *_PROVENANCE = BOOKED
# a case's number is longer than a finding's, and stands on one line: it is copied and read out
_BOOKED = (
    Field("batch", BATCH, 7),
    Field("again", "是否重复疑点", 9),
    replace(_FINDING, header=CASE, width=19),
    Field("of_finding", _FINDING.header, 17),  # as the lists of a run have it
    *_PROVENANCE,
)
RETURNED = (
    Field(None, "核查人", 10),
    Field(None, "联系电话", 13),
    Field(None, "核查时间", 12),
    Field(None, "村级(盖章)", 10),
)
FORM = Form(booked=_BOOKED, returned=RETURNED)
# What the county's office answers itself: a row may stand for many households, and nobody at home signs it.
_NOT_AT_A_HOME = ("hamlet", "relation", "band_words", "household_id")
COUNTY_REASONS = ("录入前已比对，记录未报送", "已补做比对", "录入错误", "部门数据错误", "其他")
COUNTY_FORM = Form(
    compared=(
        *(field for field in COMPARED if field.column not in _NOT_AT_A_HOME and field.column != "advice"),
        Field("advice", "疑点说明", 22, centred=False),
        Field("whom", "涉及范围", 22, centred=False),
    ),
    answers=tuple(
        replace(field, choices=COUNTY_REASONS) if field.choices is REASONS else field
        for field in ANSWERS
        if field.header != SIGNED_BY_HOME
    ),
    booked=_BOOKED,
    returned=tuple(replace(field, header="单位(盖章)") if "盖章" in field.header else field for field in RETURNED),
    asks="核查结果（请县级部门填写）",
    title="建档立卡数据比对疑点核查表（县级部门答复）",
)
# what a case shows and nobody may change, by column: held against what comes back
SHOWN = {
    field.column: field.header for field in (*COMPARED, *BOOKED) if field.column not in (None, "seq", "finding_key")
}
_COVER_WIDTHS = (24, 18, 18, 18, 24, 48)
_COUNT_HEADERS = ("序号", "{place}", "{rows}", "涉及户", "其中待核", "已填", "属实", "不属实", "部分属实", "未填")


@dataclass(frozen=True)
class Unit:
    """A receiving unit: its county, its township (None for the county itself), and who reads it on the cover."""

    county: str
    township: str | None
    name: str


@dataclass(frozen=True)
class Sending:
    """What stands over every workbook of a batch; `steps` and `county_steps` sign, by the chain of that name."""

    project: str
    batch: int
    day: date
    due: date
    steps: tuple[str, ...]
    chain: str
    county_steps: tuple[str, ...] = ()


def batch_name(batch: int) -> str:
    """How people read a batch's number."""
    return f"B{batch:04d}"


def write_dispatch_book(
    path: Path,
    unit: Unit,
    villages: Sequence[tuple[str, pl.DataFrame]],
    sending: Sending,
    whom: pl.DataFrame | None = None,
    password: str | None = None,
) -> Path:
    """The path of a unit's workbook: its villages' cases in their order; cases are worded FINDINGS under their case's number.

    The county's own has one question a row, and `whom`: everybody whom its rows are about, under the row's number (`asked`).
    With a password the workbook is encrypted.
    """
    title = f"{unit.name}疑点核查反馈表"
    written = Book(title, sending.day)
    names = sheet_names([COVER, COUNTS, SIGNED, WHOM, *(village for village, _ in villages)])[4:]
    at_county = unit.township is None
    form = (COUNTY_FORM if at_county else FORM).without_empty(pl.concat([cases for _, cases in villages]))
    steps = sending.county_steps if at_county else sending.steps
    _write_cover(written, title, villages, sending, whom, at_county=at_county)
    signatures = _signature_rows(steps, "单位（盖章）：" if at_county else "村级（盖章）：")
    ends = [
        write_village(written, name, f"{unit.name}　{village}", _when(sending), cases, form, signatures, whom)
        for name, (village, cases) in zip(names, villages, strict=True)
    ]
    _write_counts(written, unit, list(zip(names, villages, ends, strict=True)), len(form.compared), sending, whom)
    _write_signed(written, unit, [village for village, _ in villages], steps, sending)
    if whom is not None:
        _write_whom(written, unit, whom)
    return written.save(path, password)


def _when(sending: Sending) -> str:
    return f"批次：{batch_name(sending.batch)}　　下发：{sending.day}　　请于 {sending.due} 前报回"


def _signature_rows(steps: Sequence[str], stamp: str) -> list[tuple[str, ...]]:
    """The foot of a sheet: the chain's signatures, four in a row, then the stamp."""
    texts = [f"{step}（签字）：{'＿' * 5}" for step in steps] + [
        stamp,
        f"日期：{'＿' * 3} 年 {'＿' * 2} 月 {'＿' * 2} 日",
    ]
    texts += [""] * (-len(texts) % 4)
    return [tuple(texts[at : at + 4]) for at in range(0, len(texts), 4)]


def _write_cover(
    written: Book,
    title: str,
    villages: Sequence[tuple[str, pl.DataFrame]],
    sending: Sending,
    whom: pl.DataFrame | None,
    *,
    at_county: bool,
) -> None:
    sheet, styles = written.sheet(COVER), written.styles
    set_widths(sheet, _COVER_WIDTHS)
    put_across(sheet, 0, 0, 5, title, styles.title)
    put_across(sheet, 1, 0, 5, f"{sending.project}　　{_when(sending)}", styles.subtitle)
    put_across(sheet, 2, 0, 5, pick_on_paper(CLUE_NOTE), styles.note)
    sheet.set_row(0, 34)
    total = in_all(pl.concat([cases for _, cases in villages]), whom)
    sheets = "张表" if at_county else "张村表"
    steps, how = (sending.county_steps, _HOW_TO_AT_COUNTY) if at_county else (sending.steps, _HOW_TO)
    lines = (
        f"1. 本表共有{total}；{len(villages)} {sheets}。请在 {sending.due} 前填好，纸质签字件和电子表一并报回。",
        *how,
        f"8. 签字：{'　→　'.join(steps)}（{sending.chain}）。",
        f"    纸质表在各表表尾签字；电子表在“{SIGNED}”登记签字人和日期，日期不得早于下发日期。",
        *_TO_CLOSE,
    )
    put_heading(sheet, 4, 5, "怎样填写", styles)
    for at, line in enumerate(lines, 5):
        put_paragraph(sheet, at, 5, line, styles, width=sum(_COVER_WIDTHS))
    sheet.protect("", {"format_columns": True, "format_rows": True})
    book.put_footer(sheet, f"{title}　{batch_name(sending.batch)}")


def _write_counts(
    written: Book,
    unit: Unit,
    villages: Sequence[tuple[str, tuple[str, pl.DataFrame], int]],
    verdicts: int,
    sending: Sending,
    whom: pl.DataFrame | None,
) -> None:
    """The table that is sent back with the list: it counts the answers of the sheets while they are typed.

    `verdicts` is the column in which they stand.
    """
    sheet, styles = written.sheet(COUNTS), written.styles
    heads = {"place": "行政村", "rows": "条数"} if unit.township else {"place": SHEET, "rows": "行数"}
    book.put_table_top(
        sheet, styles, f"{unit.name}疑点核查反馈统计表",
        [(header.format(**heads), 22 if "{" in header else 12) for header in _COUNT_HEADERS], _when(sending),
    )  # fmt: skip
    column = xl_col_to_name(verdicts)
    totals = [0] * 8
    for at, (name, (village, cases), end) in enumerate(villages, 3):
        about = cases if whom is None else whom
        fixed = [cases.height, about["household_id"].drop_nulls().n_unique(), reviewed(about)]
        put_count(sheet, at, 0, at - 2, styles.number)
        put(sheet, at, 1, village, styles.cell_centre)
        for place, count in enumerate(fixed):
            put_count(sheet, at, 2 + place, count, styles.number)
            totals[place] += count
        quoted = name.replace("'", "''")
        cells = f"'{quoted}'!${column}${HEADER_ROW + 1}:${column}${end}"
        formulas = [f"COUNTA({cells})", *(f'COUNTIF({cells},"{verdict}")' for verdict in VERDICTS)]
        for place, formula in enumerate(formulas, 5):
            book.put_formula(sheet, at, place, f"={formula}", 0, styles.number)
        book.put_formula(sheet, at, 9, f"=C{at + 1}-F{at + 1}", cases.height, styles.number)
        totals[7] += cases.height
    end = 3 + len(villages)
    put_across(sheet, end, 0, 1, "合计", styles.total)
    for place, total in enumerate(totals, 2):
        letter = xl_col_to_name(place)
        book.put_formula(sheet, end, place, f"=SUM({letter}4:{letter}{end})", total, styles.number_total)
    sheet.protect("", {"format_columns": True, "format_rows": True})
    book.put_footer(sheet, f"{unit.name}　统计表　{batch_name(sending.batch)}")


def _write_whom(written: Book, unit: Unit, whom: pl.DataFrame) -> None:
    """Everybody whom the county's rows are about, under the number of the row; nothing is filled in here."""
    sheet, styles = written.sheet(WHOM), written.styles
    columns = (
        ("asked", f"所属{CASE}", 22), ("title", "疑点类型", 20), ("township", "乡镇", 14), ("village", "行政村", 14),
        ("head_name", "户主姓名", 12), ("household_id", "户编号", 22), ("name", "姓名", 12), ("id_shown", "证件号码", 24),
        ("of_finding", _FINDING.header, 22),
    )  # fmt: skip
    note = f"第一列是答复表中的{CASE}：该行的答复适用于这里列出的各人。本表不用填写。"
    book.put_table_top(
        sheet, styles, f"{unit.name}疑点涉及人员", [(header, width) for _, header, width in columns], note
    )
    at = 2
    for at, row in enumerate(whom.select(name for name, _, _ in columns).rows(), 3):
        for column, text in enumerate(row):
            put(sheet, at, column, text, styles.cell_centre_alt if at % 2 else styles.cell_centre)
    sheet.freeze_panes(3, 0)
    sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})
    book.finish_table(sheet, at, len(columns) - 1, f"{unit.name}　涉及人员")


def _write_signed(written: Book, unit: Unit, villages: Sequence[str], steps: Sequence[str], sending: Sending) -> None:
    """The register of signatures: a row for each village and step, to be typed from the signed paper."""
    sheet, styles = written.sheet(SIGNED), written.styles
    columns = ((BATCH, 12), (PLACE if unit.township else SHEET, 26), (STEP, 34), (SIGNER, 26), (SIGNED_ON, 26))
    note = "纸质表签字后，请照抄签字人和日期；日期写成 2019-12-05，不填日期的签字不计。每张表的每个环节各一行。"
    book.put_table_top(sheet, styles, f"{unit.name}签字登记表", columns, note)
    for header in (3, 4):
        put(sheet, 2, header, columns[header][0], styles.header_answer)
    at = 2
    for number, village in enumerate(villages):
        look = styles.cell_centre_alt if number % 2 else styles.cell_centre
        for step in steps:
            at += 1
            for column, text in enumerate((batch_name(sending.batch), village, step)):
                put(sheet, at, column, text, look)
            for column in (3, 4):
                put(sheet, at, column, None, styles.answer)
            sheet.set_row(at, 20)
    sheet.freeze_panes(3, 0)
    sheet.protect("", {"format_columns": True, "format_rows": True})
    book.put_footer(sheet, f"{unit.name}　签字登记　{batch_name(sending.batch)}")


_HOW_TO = (
    "2. 每个村一张工作表。左侧“比对内容”由系统生成并已锁定；只填右侧浅黄色的“核查结果”各栏。同一户的疑点排在一起，底色相同。",
    f"3. 是否属实：{'、'.join(VERDICTS)}。入户或查证后选择，不要凭本表推断。每一条都要选；不选的按未反馈处理。",
    f"4. 情况说明：从列表选，或直接写明（{'、'.join(REASONS)}）。",
    f"5. 处理意见：{'、'.join(ACTIONS)}。部门数据有误的，选“转部门核实”并写明佐证材料。",
    "6. 标“▲待核”的疑点，部门数据与本人是否同一人尚不能确定：先核对〔部门登记…〕各项；不是本人的选“不属实”“同名非本人”。",
    f"7. 不要增加、删除人员，不要改动左侧各栏和“{CASE}”“{BATCH}”；发现登记有误的，写在情况说明里。可以筛选、隐藏列、调列宽。",
)
_HOW_TO_AT_COUNTY = (
    f"2. 本表由县级部门自己答复，不发到乡镇、村，也不用户主签字。一行是一个问题，答复适用于“{WHOM}”中列在该行的各人。",
    f"3. 是否属实：{'、'.join(VERDICTS)}。每一行都要选；不选的按未反馈处理。",
    f"4. 情况说明：从列表选，或直接写明（{'、'.join(COUNTY_REASONS)}）。",
    f"5. 处理意见：{'、'.join(ACTIONS)}。已补做比对的选“已修改”，准备补做的选“拟修改”。",
    "6. 只填右侧浅黄色的“核查结果”各栏；左侧由系统生成并已锁定。",
    f"7. 不要增加、删除行，不要改动“{CASE}”“{BATCH}”；登记有误的，写在情况说明里。可以筛选、隐藏列、调列宽。",
)
_TO_CLOSE = (
    "9. 答复“拟修改”的，签字齐全后等数据更正；数据更正以前一直列为“待更正”，逾期预警。",
    "10. 答复矛盾、缺签字、缺佐证材料的疑点不能销号，会退回补正；已答复并销号的，数据没有变化不再下发。",
    "11. 本表含个人信息，只供核查使用，不得转发、张贴；用完按规定保管或销毁。",
)
