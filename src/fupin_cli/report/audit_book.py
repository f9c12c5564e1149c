"""An audit group's workbook: the households drawn for it, a sheet per village, with the plan's questions to be answered.

Cover, a sheet per village, and a table that counts the answers by itself, in the look of the workbooks that go to villages.
Whoever fills it in types on the yellow cells only; whoever reads it back knows each row by its 样本编号.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from fupin_cli.report import book
from fupin_cli.report.book import Book, Styles, put, put_across, put_count, put_heading, put_paragraph, set_widths
from fupin_cli.report.finding_rows import Field, write_findings
from fupin_cli.report.naming import sheet_names
from fupin_cli.rules.sampling import Plan, Question

COVER, COUNTS = "填表说明", "统计表"
SAMPLE_NUMBER = "样本编号"
_TOP = 5  # title, place and totals, note, group row, header
_NOT_ASKED = "—"
_COVER_WIDTHS = (24, 18, 18, 18, 24, 48)
_ROOM = 118  # narrow columns of a printed A4 page
_FIXED = (
    Field("seq", "序号", 4),
    Field("hamlet", "组", 5),
    Field("head_name", "户主姓名", 7),
    Field("household_id", "户编号", 9),
    Field("village", "行政村", 7),
    Field("stratum", "抽样类别", 9),
)
_CHECKED = (Field(None, "入户日期", 7.5), Field(None, "户主签字", 8))
_NUMBER = Field("sample_id", SAMPLE_NUMBER, 10)


@dataclass(frozen=True)
class AuditSheet:
    """One village of an audit group: where it is, and its households (SAMPLE with what the plan shows)."""

    place: str
    village: str
    rows: pl.DataFrame


def shown_headers(plan: Plan, labels: Mapping[str, str]) -> dict[str, str]:
    """What stands above each column that a workbook shows and nobody may change, by column."""
    own = {field.column: field.header for field in _FIXED if field.column and field.column != "seq"}
    return own | {name: labels.get(name, name) for name in plan.shows}


def shown_text(rows: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """The sample with every column that is shown as the text of its cell, under its own name."""
    columns = [field.column for field in _FIXED if field.column and field.column != "seq"]
    real = [name for name in plan.shows if rows.schema[name].is_float()]
    whole = [pl.when(pl.col(n) == pl.col(n).round(0)).then(pl.col(n).cast(pl.Int64, strict=False).cast(pl.String)).otherwise(
        pl.col(n).round(2).cast(pl.String)).alias(n) for n in real]  # fmt: skip
    other = [name for name in (*columns, *plan.shows) if name not in real]
    yes = [name for name in other if rows.schema[name] == pl.Boolean]
    told = [pl.when(name).then(pl.lit("是")).when(~pl.col(name)).then(pl.lit("否")).alias(name) for name in yes]
    return rows.with_columns(*whole, *told, *(pl.col(name).cast(pl.String) for name in other if name not in yes))


def write_audit_book(
    path: Path,
    plan: Plan,
    title: str,
    facts: Mapping[str, str],
    sheets: Sequence[AuditSheet],
    day: date,
    labels: Mapping[str, str],
    password: str | None = None,
) -> Path:
    """The path of a group's workbook, encrypted where there is a password.

    `facts` are told on its cover (seed, frame, numbers).
    """
    written = Book(title, day)
    names = sheet_names([COVER, *(sheet.village for sheet in sheets), COUNTS])
    _write_cover(written, plan, title, facts, sheets, day)
    columns = _columns(plan, labels)
    ends = [
        _write_village(written, name, plan, title, sheet, columns, day)
        for name, sheet in zip(names[1:-1], sheets, strict=True)
    ]
    _write_counts(written, plan, title, list(zip(names[1:-1], sheets, ends, strict=True)), columns)
    return written.save(path, password)


def _columns(plan: Plan, labels: Mapping[str, str]) -> tuple[Field, ...]:
    shows = [Field(name, labels.get(name, name), 7) for name in plan.shows]
    questions = [Field(None, question.title, question.width, choices=question.choices) for question in plan.questions]
    fields = (*_FIXED, *shows, *questions, *_CHECKED, _NUMBER)
    spare = _ROOM - sum(field.width for field in fields)
    # what is left of the page goes to what is written by hand
    free = [n for n, field in enumerate(fields) if field.column is None and not field.choices and field not in _CHECKED]
    if spare > 0 and free:
        fields = tuple(
            Field(f.column, f.header, f.width + spare / len(free), f.centred, f.choices) if n in free else f
            for n, f in enumerate(fields)
        )
    return fields


def _write_village(
    written: Book, name: str, plan: Plan, title: str, part: AuditSheet, columns: Sequence[Field], day: date
) -> int:
    """The row after the last household, 0-based."""
    sheet, styles = written.sheet(name), written.styles
    set_widths(sheet, [field.width for field in columns])
    last_column = len(columns) - 1
    put_across(sheet, 0, 0, last_column, title, styles.title)
    counts = part.rows.group_by("stratum", maintain_order=True).len().rows()
    words = "，".join(f"{stratum} {n} 户" for stratum, n in counts)
    put_across(sheet, 1, 0, last_column, f"{part.place}　　抽样日期：{day}　　{words}", styles.subtitle)
    put_across(
        sheet, 2, 0, last_column, "按抽中的户逐户入户，不得换户；见不到人的写明原因，有关栏目空着。", styles.note
    )
    first_answer, number = len(columns) - len(_CHECKED) - 1 - len(plan.questions), len(columns) - 1
    spans = (
        (0, first_answer - 1, "抽中的户（由系统生成，已锁定，请勿改动）", styles.group),
        (first_answer, number - 1, "入户核查结果（请审计组填写）", styles.group_answer),
        (number, number, "请勿改动", styles.group),
    )
    for start, end, text, style in spans:
        put_across(sheet, 3, start, end, text, style)
    for column, field in enumerate(columns):
        answer = first_answer <= column < number
        put(sheet, _TOP - 1, column, field.header, styles.header_answer if answer else styles.header)
    for row, height in enumerate((34, 22, 20, 20, 42)):
        sheet.set_row(row, height)
    rows = part.rows.with_columns(seq=pl.int_range(1, pl.len() + 1), household_block=pl.int_range(pl.len()))
    placed = [(column, field) for column, field in enumerate(columns) if field.column]
    last = write_findings(sheet, styles, rows, placed, _TOP, least=34)
    _open_answers(sheet, styles, plan.questions, rows["stratum"].to_list(), first_answer)
    for column, question in enumerate(plan.questions, first_answer):
        if question.choices:
            _offer(sheet, _TOP, last, column, question)
    _write_signatures(sheet, styles, last + 1, last_column)
    sheet.autofilter(_TOP - 1, 0, last, last_column)
    sheet.freeze_panes(_TOP, 4)
    sheet.repeat_rows(_TOP - 2, _TOP - 1)
    sheet.print_area(0, 0, last + 2, last_column)
    sheet.ignore_errors({"number_stored_as_text": f"A1:AZ{last + 1}"})
    # No password: this keeps fingers off what was drawn, it is not security.
    sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})
    book.put_footer(sheet, f"{title}　{part.place}")
    return last + 1


def _open_answers(
    sheet: Worksheet, styles: Styles, questions: Sequence[Question], strata: Sequence[str], first: int
) -> None:
    """Yellow cells where a question is asked, a locked dash where it is not."""
    for row, stratum in enumerate(strata, _TOP):
        for column, question in enumerate(questions, first):
            asked = stratum in question.asked_of
            put(sheet, row, column, None if asked else _NOT_ASKED, styles.answer if asked else styles.same)
        for column in range(first + len(questions), first + len(questions) + len(_CHECKED)):
            put(sheet, row, column, None, styles.answer)


def _offer(sheet: Worksheet, first: int, last: int, column: int, question: Question) -> None:
    code = sheet.data_validation(
        first, column, last, column,
        {"validate": "list", "source": list(question.choices), "error_type": "stop", "error_title": question.title[:32],
         "error_message": "请从下拉列表中选择。"},
    )  # fmt: skip
    book.check(code, sheet)


def _write_signatures(sheet: Worksheet, styles: Styles, row: int, last_column: int) -> None:
    """The foot that is signed once for each village, spread over the width of the page."""
    texts = (
        f"审计员（签字）：{'＿' * 8}", f"审计组长（签字）：{'＿' * 7}", f"村委会陪同人（签字）：{'＿' * 6}",
        f"日期：{'＿' * 3} 年 {'＿' * 2} 月 {'＿' * 2} 日",
    )  # fmt: skip
    width = (last_column + 1) / len(texts)
    for n, text in enumerate(texts):
        put_across(sheet, row, round(n * width), round((n + 1) * width) - 1, text, styles.sign)
    sheet.set_row(row, 36)


def _write_cover(
    written: Book, plan: Plan, title: str, facts: Mapping[str, str], sheets: Sequence[AuditSheet], day: date
) -> None:
    sheet, styles = written.sheet(COVER), written.styles
    set_widths(sheet, _COVER_WIDTHS)
    put_across(sheet, 0, 0, 5, title, styles.title)
    put_across(sheet, 1, 0, 5, f"{plan.title}　　抽样日期：{day}", styles.subtitle)
    put_across(
        sheet, 2, 0, 5, "抽中的户由随机数决定，不是疑点，也不是问题户。入户前不要告知村、户抽中了谁。", styles.note
    )
    sheet.set_row(0, 34)
    total = sum(part.rows.height for part in sheets)
    lines = [f"1. 本组共 {len(sheets)} 个村、{total} 户，每个村一张工作表。", *_HOW_TO]
    for question in plan.questions:
        offered = f"选择{'、'.join(question.choices)}" if question.choices else "直接写明"
        only = "" if len(question.asked_of) == len(plan.strata) else f"（只问{'、'.join(question.asked_of)}）"
        lines.append(f"　　{question.title}{only}：{offered}。{question.hint}{'。' if question.hint else ''}")
    told = [f"{name}：{text}" for name, text in facts.items()]
    end = _write_lines(sheet, styles, 4, "怎样填写", [*lines, *_AFTER])
    _write_lines(
        sheet, styles, end + 1, "怎样抽的", [f"办法：{plan.note or plan.title}", *told, f"依据：{plan.citation}"]
    )
    sheet.protect("", {"format_columns": True, "format_rows": True})
    book.put_footer(sheet, title)


def _write_lines(sheet: Worksheet, styles: Styles, row: int, heading: str, lines: Sequence[str]) -> int:
    """The row after a heading and its paragraphs."""
    put_heading(sheet, row, 5, heading, styles)
    for at, line in enumerate(lines, row + 1):
        put_paragraph(sheet, at, 5, line, styles, width=sum(_COVER_WIDTHS))
    return row + 1 + len(lines)


def _write_counts(
    written: Book, plan: Plan, title: str, villages: Sequence[tuple[str, AuditSheet, int]], columns: Sequence[Field]
) -> None:
    """How many households of each village have an answer to each question: it counts while they are typed."""
    sheet, styles = written.sheet(COUNTS), written.styles
    counted = [question for question in plan.questions if question.choices]
    heads = [("序号", 6), ("县、乡镇、村", 30), ("抽中（户）", 10), *((f"{q.title}：已填/应填", 16) for q in counted)]
    book.put_table_top(sheet, styles, f"{title}　填报进度", heads, "本表自动统计，不用填写。")
    first = len(columns) - len(_CHECKED) - 1 - len(plan.questions)
    at = 2
    for at, (name, part, end) in enumerate(villages, 3):
        put_count(sheet, at, 0, at - 2, styles.number)
        put(sheet, at, 1, part.place, styles.cell)
        put_count(sheet, at, 2, part.rows.height, styles.number)
        quoted = name.replace("'", "''")
        for place, question in enumerate(counted, 3):
            letter = xl_col_to_name(first + plan.questions.index(question))
            cells = f"'{quoted}'!${letter}${_TOP + 1}:${letter}${end}"
            due = part.rows.filter(pl.col("stratum").is_in(list(question.asked_of))).height
            formula = f'=COUNTA({cells})-COUNTIF({cells},"{_NOT_ASKED}")&"/{due}"'
            book.check(sheet.write_formula(at, place, formula, styles.cell_centre, f"0/{due}"), sheet)
    sheet.freeze_panes(3, 0)
    sheet.protect("", {"format_columns": True, "format_rows": True})
    book.put_footer(sheet, f"{title}　填报进度")


_HOW_TO = (
    "2. 左侧各栏由系统生成并已锁定；只填浅黄色的格子。标“—”的不向这类户提问。",
    "3. 抽中谁就查谁，不得换户、加户。户不在家、已搬走、已去世、拒答的，答案空着，在可以写字的栏里写明原因。",
    "4. 各栏的填法：",
)
_AFTER = (
    "5. 不要改动或删除“样本编号”，汇总时以它为准；可以筛选、调列宽。",
    "6. 纸质表由户主、审计员、审计组长和陪同人签字；电子表填好后原样报回，由抽样的人汇总：fupin sample estimate。",
    "7. 本表含个人信息，只供核查使用，不得转发、张贴；用完按规定保管或销毁。",
)
