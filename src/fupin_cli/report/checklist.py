"""The township's workbook: one sheet per village with its findings, answer cells and room for signatures.

A village cadre prints it, knocks on doors with it, fills it in and signs it. So the printed page holds only what is needed
at the door, in letters of eight points or more on A4: what was compared at the left and locked, the answers at the right,
a household's findings together, and what needs a person's judgement of identity marked. Right of the printed page stands
what the county needs to look a finding up: its number, its rule, how the person was matched, where each record is. Answers on
paper end here; those that are to be booked are typed into the form of a batch (`dispatch_book`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl
from xlsxwriter.worksheet import Worksheet

from fupin_cli.language import pick_on_paper
from fupin_cli.report import book
from fupin_cli.report.book import Book, Styles, put, put_across, put_count, put_heading, put_paragraph
from fupin_cli.report.digest import Digest, ExtractReport
from fupin_cli.report.finding_rows import Field, write_findings
from fupin_cli.report.naming import sheet_names
from fupin_cli.report.wording import CLUE_NOTE, kind_words, stage_words
from fupin_cli.vocabulary import Band, is_note

VERDICTS = ("属实", "不属实", "部分属实")
REASONS = (
    "录入错误",
    "部门数据错误",
    "同名非本人",
    "挂名",
    "已过户/报废未注销",
    "婚前或他人财产",
    "已死亡未注销",
    "待系统开放后修改",
    "其他",
)
ACTIONS = ("已修改", "拟修改", "保留(附佐证)", "清退", "转部门核实")
_MAY_LACK = ("hamlet", "relation", "head_name", "household_id", "name", "id_shown")
_TOP = 5  # title, place and totals, note, group row, header

HEADER_ROW = _TOP  # 1-based: the row of a village's sheet in which the headers stand
COMPARED = (
    Field("seq", "序号", 3.2),
    Field("hamlet", "组", 4),
    Field("head_name", "户主姓名", 6.2),
    Field("household_id", "户编号", 8.2),  # 16 digits on two lines
    Field("name", "姓名", 6.2),
    Field("id_shown", "证件号码", 9.2),  # 18 digits on two lines of 9
    Field("relation", "与户主关系", 4.2),
    Field("title", "疑点类型", 10, centred=False),
    Field("band_words", "可信度", 6),
    Field("department_as_of", "比对部门、截止日期", 10),
    Field("register_cell", "系统登记内容", 17, centred=False),
    Field("department_cell", "部门数据内容", 18, centred=False),
    Field("advice", "疑点说明", 15, centred=False),
)
SIGNED_BY_HOME = "户主签字"
ANSWERS = (
    Field(None, "是否属实", 6, choices=VERDICTS),
    Field(None, "情况说明", 12.2, choices=REASONS),
    Field(None, "处理意见", 6.5, choices=ACTIONS),
    Field(None, "佐证材料", 9.1),
    Field(None, SIGNED_BY_HOME, 8.5),
)
# Right of the printed page: by these a finding is looked up.
BOOKED = (
    Field("finding_key", "疑点编号", 15),
    Field("rule_id", "规则编号", 10),
    Field("severity_words", "疑点性质", 10),
    Field("basis_words", "匹配依据", 16, centred=False),
    Field("listed_name", "部门登记姓名", 10),
    Field("listed_id", "部门登记证件号码", 19),
    Field("listed_place", "部门登记住址", 20, centred=False),
    Field("register_ref", "台账来源", 30, centred=False),
    Field("extract_ref", "部门数据来源", 30, centred=False),
)


@dataclass(frozen=True)
class Form:
    """The columns of a sheet: what was compared and the answers, which are printed; `booked` and `returned` right of them.

    `returned` is typed by whoever sends the sheet back as a file; a list of a run is not sent back so. `asks` stands over the
    answers, `title` over the sheet.
    """

    compared: tuple[Field, ...] = COMPARED
    answers: tuple[Field, ...] = ANSWERS
    booked: tuple[Field, ...] = BOOKED
    returned: tuple[Field, ...] = ()
    asks: str = "核查结果（请村级填写）"
    title: str = "建档立卡数据比对疑点核查表"

    @property
    def columns(self) -> tuple[Field, ...]:
        """All of them, in their order."""
        return (*self.compared, *self.answers, *self.booked, *self.returned)

    @property
    def last_printed(self) -> int:
        """The last column of the printed page."""
        return len(self.compared) + len(self.answers) - 1

    @property
    def signed(self) -> int | None:
        """The column that each household signs once; None where none does."""
        signed = [at for at, field in enumerate(self.columns) if field.header == SIGNED_BY_HOME]
        return signed[0] if signed else None

    def without_empty(self, findings: pl.DataFrame) -> Form:
        """The form without those columns that say nothing of any of these findings; the columns of texts get their room."""
        empty = {name for name in _MAY_LACK if findings[name].fill_null("").eq("").all()}
        if findings["band"].ne_missing(Band.REVIEW.value).all():
            empty.add("band_words")  # all are sure: it is worth saying only beside one that is not
        kept = [field for field in self.compared if field.column not in empty]
        texts = [field for field in kept if not field.centred]
        room = sum(field.width for field in self.compared if field.column in empty) / max(1, len(texts))
        return replace(
            self, compared=tuple(f if f.centred else replace(f, width=round(f.width + room, 1)) for f in kept)
        )


def write_checklist(
    path: Path, county: str, township: str, villages: Sequence[tuple[str, pl.DataFrame]], digest: Digest, as_of: date
) -> Path:
    """The path of a township's workbook, holding the given villages in their order and nothing else."""
    title = f"{county}{township}疑点核查表"
    written = Book(title, as_of)
    _write_cover(written, title, county, villages, digest, as_of)
    names = sheet_names(["填表说明", *(village for village, _ in villages)])[1:]
    form = Form().without_empty(pl.concat([findings for _, findings in villages]))
    for name, (village, findings) in zip(names, villages, strict=True):
        write_village(written, name, f"{county}　{township}　{village}", f"比对日期：{as_of}", findings, form)
    return written.save(path)


def write_village(
    written: Book,
    name: str,
    where: str,
    when: str,
    findings: pl.DataFrame,
    form: Form,
    signatures: Sequence[Sequence[str]] = (),
    about: pl.DataFrame | None = None,
) -> int:
    """The row after the last finding, 0-based, on a new sheet of this name; `when` stands beside the place and the totals.

    `signatures` are the rows of four texts at the foot, the usual ones if none; `about` holds all findings that the rows speak
    of, where one row speaks of many.
    """
    sheet, styles = written.sheet(name), written.styles
    columns = form.columns
    for column, field in enumerate(columns):
        sheet.set_column(column, column, field.width)
    _write_top(sheet, styles, where, f"{when}　　{in_all(findings, about)}", findings, form)
    last = _write_findings(sheet, styles, findings, form)
    for column, field in enumerate(form.answers, len(form.compared)):
        if field.choices:
            _offer(sheet, _TOP, last, column, field)
    signatures = signatures or _SIGNATURES
    _write_signatures(sheet, styles, last + 1, signatures, form.last_printed)
    sheet.autofilter(_TOP - 1, 0, last, len(columns) - 1)
    sheet.freeze_panes(_TOP, 5)
    sheet.repeat_rows(_TOP - 2, _TOP - 1)
    sheet.print_area(0, 0, last + len(signatures), form.last_printed)
    sheet.ignore_errors({"number_stored_as_text": f"A1:AZ{last + 1}"})
    # No password: this keeps fingers off the compared columns, it is not security.
    sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})
    book.put_footer(sheet, where)
    return last + 1


def reviewed(findings: pl.DataFrame) -> int:
    """How many of the findings wait for somebody to say whether both sides are one person."""
    return int((findings["band"] == Band.REVIEW.value).sum())  # a column's own sum: thousands of books ask it


def in_all(rows: pl.DataFrame, about: pl.DataFrame | None = None) -> str:
    """How many findings, notes and households the rows of a sheet speak of; where one speaks of many, how many rows there are."""
    told = rows if about is None else about
    notes = told.filter(is_note()).height
    kinds = (("疑点", told.height - notes), ("提示", notes))
    counts = "、".join(f"{kind} {count} 条" for kind, count in kinds if count)
    homes = told["household_id"].drop_nulls().n_unique()
    of_homes = f"，涉及 {homes} 户" if homes else ""
    of_rows = f"，分 {rows.height} 行答复" if rows.height < told.height else ""
    return f"{counts}{of_homes}，其中待核 {reviewed(told)} 条{of_rows}"


def _write_top(sheet: Worksheet, styles: Styles, where: str, when: str, findings: pl.DataFrame, form: Form) -> None:
    review = reviewed(findings)
    last = form.last_printed
    put_across(sheet, 0, 0, last, form.title, styles.title)
    put_across(sheet, 1, 0, last, f"{where}　　{when}", styles.subtitle)
    put_across(
        sheet,
        2,
        0,
        last,
        pick_on_paper(CLUE_NOTE) + ("标“▲待核”的，请先确认部门数据是否为本人。" if review else ""),
        styles.note,
    )
    groups = (
        (form.compared, "比对内容（由系统生成，已锁定，请勿改动）", styles.group, styles.header),
        (form.answers, form.asks, styles.group_answer, styles.header_answer),
        (form.booked, "编号、匹配依据与数据出处（不打印，请勿改动）", styles.group, styles.header),
        (form.returned, "电子报回时填写（不打印）", styles.group_answer, styles.header_answer),
    )
    start = 0
    for fields, title, over, style in groups:
        if not fields:
            continue
        put_across(sheet, 3, start, start + len(fields) - 1, title, over)
        for column, field in enumerate(fields, start):
            put(sheet, _TOP - 1, column, field.header, style)
        start += len(fields)
    for row, height in enumerate((34, 22, 20, 20, 42)):
        sheet.set_row(row, height)


def _write_findings(sheet: Worksheet, styles: Styles, findings: pl.DataFrame, form: Form) -> int:
    """The last row written; the answer cells are empty and unlocked, and each household signs on its first row only."""
    columns, signed = form.columns, form.signed
    placed = [(column, field) for column, field in enumerate(columns) if field.column]
    last = write_findings(sheet, styles, findings, placed, _TOP, least=34)
    open_columns = [column for column, field in enumerate(columns) if not field.column and column != signed]
    first = findings["household_block"].is_first_distinct()
    for row, signs in enumerate(first, _TOP):
        for column in open_columns:
            put(sheet, row, column, None, styles.answer)
        if signed is not None:
            put(sheet, row, signed, None if signs else "〃", styles.answer if signs else styles.same)
    return last


def _offer(sheet: Worksheet, first: int, last: int, column: int, field: Field) -> None:
    """A dropdown. A reason may also be written freely; the other answers are counted, so they must be of the list."""
    free = field.choices is REASONS
    code = sheet.data_validation(
        first,
        column,
        last,
        column,
        {
            "validate": "list",
            "source": list(field.choices),
            "error_type": "information" if free else "stop",
            "error_title": field.header,
            "error_message": "可从下拉列表选择，也可另行填写。" if free else "请从下拉列表中选择。",
        },
    )
    book.check(code, sheet)


def _write_signatures(
    sheet: Worksheet, styles: Styles, row: int, signatures: Sequence[Sequence[str]], end: int
) -> None:
    """The foot that is signed and stamped once, spread over the width of the page."""
    starts = (0, *((end + 1) * part // 18 for part in (6, 10, 13)))
    spans = tuple(zip(starts, (*(start - 1 for start in starts[1:]), end), strict=True))
    for offset, texts in enumerate(signatures, row):
        for (first, last), text in zip(spans, texts, strict=True):
            put_across(sheet, offset, first, last, text, styles.sign)
        sheet.set_row(offset, 36)


def _write_cover(
    written: Book, title: str, county: str, villages: Sequence[tuple[str, pl.DataFrame]], digest: Digest, as_of: date
) -> None:
    sheet, styles = written.sheet("填表说明"), written.styles
    for column, width in enumerate((24, 18, 18, 18, 24, 48)):
        sheet.set_column(column, column, width)
    put_across(sheet, 0, 0, 5, title, styles.title)
    put_across(sheet, 1, 0, 5, f"{digest.project}　　比对日期：{as_of}", styles.subtitle)
    put_across(sheet, 2, 0, 5, pick_on_paper(CLUE_NOTE), styles.note)
    row = _write_text(sheet, styles, 4, "怎样填写", _HOW_TO)
    row = _write_text(sheet, styles, row + 1, "用于比对的部门数据（截止日期）", _compared_with(county, digest))
    _write_villages(sheet, styles, row + 1, villages)
    sheet.set_row(0, 34)
    sheet.protect("", {"format_columns": True, "format_rows": True})
    book.put_footer(sheet, title)


def _write_text(sheet: Worksheet, styles: Styles, row: int, heading: str, lines: Sequence[str]) -> int:
    put_heading(sheet, row, 5, heading, styles)
    for at, line in enumerate(lines, row + 1):
        put_paragraph(sheet, at, 5, line, styles, width=150)
    return row + 1 + len(lines)


def _write_villages(sheet: Worksheet, styles: Styles, row: int, villages: Sequence[tuple[str, pl.DataFrame]]) -> None:
    """The one table of the cover stands last, so that its header can stand on every page that it takes."""
    put_heading(sheet, row, 5, "各村疑点数", styles)
    for column, header in enumerate(("行政村", "疑点（条）", "涉及户", "其中待核（条）")):
        put(sheet, row + 1, column, header, styles.header)
    totals = [0, 0, 0]
    for at, (village, findings) in enumerate(villages, row + 2):
        review = reviewed(findings)
        counts = [findings.height, findings["household_id"].drop_nulls().n_unique(), review]
        put(sheet, at, 0, village, styles.cell_centre)
        for column, count in enumerate(counts):
            put_count(sheet, at, column + 1, count, styles.number)
            totals[column] += count
    end = row + 2 + len(villages)
    put(sheet, end, 0, "合计", styles.total)
    for column, count in enumerate(totals, 1):
        put_count(sheet, end, column, count, styles.number_total)
    sheet.repeat_rows(row + 1)


def _compared_with(county: str, digest: Digest) -> list[str]:
    """A line for each round: the departments' lists that reach this county, each with its day."""
    # Other counties in the coverage are none of this township's business.
    ours = [extract for extract in digest.extracts if not extract.coverage or county in extract.coverage]
    stages = dict.fromkeys(extract.stage for extract in ours)
    return [
        f"{stage_words(stage)}："
        + "、".join(f"{_named(extract)}（{extract.as_of or '日期不详'}）" for extract in ours if extract.stage == stage)
        for stage in stages
    ]


def _named(extract: ExtractReport) -> str:
    """A list's department and kind, which may begin with the department's name."""
    department, kind = extract.department or "", kind_words(extract.kind)
    return kind if kind.startswith(department) else f"{department}{kind}"


_SIGNATURES = (
    (
        f"核查人（签字）：{'＿' * 8}",
        f"联系电话：{'＿' * 6}",
        f"核查时间：{'＿' * 3} 年 {'＿' * 2} 月 {'＿' * 2} 日",
        "村级（盖章）：",
    ),
    (
        f"村党组织书记（签字）：{'＿' * 6}",
        f"第一书记（签字）：{'＿' * 4}",
        f"驻村工作队长（签字）：{'＿' * 6}",
        f"乡镇审核人（签字）：{'＿' * 6}",
    ),
)
_HOW_TO = (
    "1. 每个村一张工作表。左侧“比对内容”由系统生成并已锁定；只填右侧浅黄色的“核查结果”各栏。同一户的疑点排在一起，底色相同。",
    f"2. 是否属实：{'、'.join(VERDICTS)}。入户或查证后选择，不要凭本表推断。",
    f"3. 情况说明：可从列表选择（{'、'.join(REASONS)}），也可直接写明情况。",
    f"4. 处理意见：{'、'.join(ACTIONS)}。部门数据有误的，选“转部门核实”并附佐证材料。",
    "5. 佐证材料：写明材料名称或编号（如车辆过户协议、注销证明、死亡证明、学籍证明、照片）。",
    "6. 标“▲待核”的疑点，部门数据与本人是否同一人尚不能确定：先核对〔部门登记…〕各项；不是本人的选“不属实”“同名非本人”。",
    "7. 户主签字每户一处（〃 表示同上户）；核查人、联系电话、核查时间和村级盖章在表尾，每村一处。A4 横向打印即可。",
    "8. 打印范围右侧的“疑点编号”用来查找这条疑点的由来（fupin explain），请勿改动。",
    "9. 本表供打印、入户核查、签字存档，不能作为电子表报回。要用电子表报回、登记销号的，请填县级另行下发的“疑点核查反馈表”。",
    "10. 本表含个人信息，只供核查使用，不得转发、张贴；用完按规定保管或销毁。",
)
