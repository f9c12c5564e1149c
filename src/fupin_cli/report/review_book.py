"""The clerical-review workbook: pairs about which a person must say whether both rows are one person.

One row a pair, both sides beside each other, rivals together, one answer with a dropdown. Besides the pairs in doubt there are
two samples, of the accepted and of the rejected: only with them can anybody say how good the links are. Rows may be sorted,
filtered and left out; what a row is about stands in it, right of the printed page.
"""

from __future__ import annotations

import hashlib
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
    TALLEST,
    Book,
    Styles,
    lines_needed,
    put,
    put_across,
    put_count,
    set_widths,
)
from fupin_cli.report.link_words import LEVEL_WORDS, agreement, percent
from fupin_cli.report.naming import sheet_names
from fupin_cli.report.wording import basis_words

YES, NO, UNSURE = "是同一人", "不是同一人", "无法确定"
ANSWERS = (YES, NO, UNSURE)
ROWS, ANSWER, CHECK = ("台账行序", "部门数据行序"), "是否同一人", "核对码"
SIDES = ("register", "extract")
VALUES = ("name", "id_number", "born", "place", "household")
_TOP = 4  # title, note, group row, header
_BATCH = 10_000  # rows that are Python objects at a time
_AS_OF = date(2000, 1, 1)  # a workbook's own date: no clock, so that the same pairs make the same bytes


@dataclass(frozen=True)
class Part:
    """One sheet: which pairs it holds, out of how many of their band, and why they are asked about."""

    name: str
    pairs: pl.DataFrame
    of: int
    why: str


@dataclass(frozen=True)
class _Field:
    header: str
    width: float
    centred: bool = True


_VALUES = (_Field("姓名", 7), _Field("证件号码", 10.2), _Field("出生日期、性别", 10.2), _Field("住址", 15, centred=False),
           _Field("户编号", 9.2))  # fmt: skip
_SEEN = (_Field("组", 4), *_VALUES, *_VALUES, _Field("比对情况", 24, centred=False), _Field("把握", 10.2))
_ASKED = (_Field(ANSWER, 8), _Field("核查说明", 11))
_BEYOND = (_Field(ROWS[0], 9), _Field(ROWS[1], 9), _Field("权重（比特）", 9), _Field("匹配依据", 20), _Field(CHECK, 10))
_COLUMNS = (*_SEEN, *_ASKED, *_BEYOND)
_LAST = len(_SEEN) + len(_ASKED) - 1  # of the printed page
_ANSWERED = len(_SEEN)


def write_review_book(path: Path, parts: Sequence[Part], files: Mapping[str, str], back: str | None) -> Path:
    """The path of the workbook with a cover and a sheet for each part.

    Pairs have the columns of LINKS with levels, `group` (rivals share one), and VALUES of both SIDES. `files` says what the two
    sides are, `back` what to type when the answers are there (None where nothing can be done with them but correct the file).
    """
    written = Book("人员比对人工核查表", _AS_OF)
    names = sheet_names(["填写说明", *(part.name for part in parts)])[1:]
    _write_cover(written, parts, names, files, back)
    for name, part in zip(names, parts, strict=True):
        _write_part(written, name, part, files)
    return written.save(path)


def check_code(*values: str | None) -> str:
    """Eight characters that follow from what a row shows of both sides: they tell whether an answer is about these files."""
    return hashlib.sha256("|".join(value or "" for value in values).encode()).hexdigest()[:8]


def check_codes(pairs: pl.DataFrame) -> list[str]:
    """The check code of each pair, from name and ID number of both sides."""
    shown = pairs.select(f"{side}_{value}" for side in SIDES for value in ("name", "id_number"))
    return [check_code(*row) for row in shown.rows()]


def _write_cover(
    written: Book, parts: Sequence[Part], names: Sequence[str], files: Mapping[str, str], back: str | None
) -> None:
    sheet, styles = written.sheet("填写说明"), written.styles
    widths = (30, 16, 16, 88)
    set_widths(sheet, widths)
    put_across(sheet, 0, 0, 3, "人员比对人工核查表", styles.title)
    put_across(sheet, 1, 0, 3, "　　".join(f"{side}：{file}" for side, file in files.items()), styles.subtitle)
    sheet.set_row(0, 34)
    told = _ONE_LIST if back is None else (*_HOW_TO, f"{len(_HOW_TO) + 1}. 填好后由比对人员运行：{back}")
    for row, line in enumerate(told, 3):
        book.put_paragraph(sheet, row, 3, line, styles, width=sum(widths))
    row = 4 + len(told)
    book.put_heading(sheet, row, 3, "各表内容", styles)
    for column, header in enumerate(("工作表", "本表对数", "同类总对数", "为什么要看")):
        put(sheet, row + 1, column, header, styles.header)
    for at, (name, part) in enumerate(zip(names, parts, strict=True), row + 2):
        put(sheet, at, 0, name, styles.cell_centre)
        put_count(sheet, at, 1, part.pairs.height, styles.number)
        put_count(sheet, at, 2, part.of, styles.number)
        put(sheet, at, 3, part.why, styles.cell)
        sheet.set_row(at, LINE_HEIGHT * lines_needed(part.why, widths[3]) + 6)
    sheet.protect("", {"format_columns": True, "format_rows": True})
    book.put_footer(sheet, "人员比对人工核查表　填写说明")


def _write_part(written: Book, name: str, part: Part, files: Mapping[str, str]) -> None:
    sheet, styles = written.sheet(name), written.styles
    set_widths(sheet, [field.width for field in _COLUMNS])
    put_across(sheet, 0, 0, _LAST, f"人员比对人工核查表　{name}", styles.title)
    put_across(sheet, 1, 0, _LAST, f"{part.why}请逐行填写右侧浅黄色的“{ANSWER}”。", styles.note)
    groups = (
        (1, "", styles.group),
        *((len(_VALUES), f"{side}：{file}", styles.group) for side, file in files.items()),
        (2, "比对", styles.group),
        (len(_ASKED), "核查结果（请填写）", styles.group_answer),
        (len(_BEYOND), "不打印，请勿改动", styles.group),
    )
    start = 0
    for width, title, style in groups:
        put_across(sheet, 2, start, start + width - 1, title, style)
        start += width
    for column, field in enumerate(_COLUMNS):
        asked = _ANSWERED <= column <= _LAST
        put(sheet, _TOP - 1, column, field.header, styles.header_answer if asked else styles.header)
    for row, height in enumerate((32, 20, 20, 32)):
        sheet.set_row(row, height)
    last = _write_rows(sheet, styles, part.pairs)
    _finish(sheet, last, name)


def _write_rows(sheet: Worksheet, styles: Styles, pairs: pl.DataFrame) -> int:
    """The last row written; groups alternate in shade, so that rivals are seen as one block."""
    at = _TOP - 1
    for batch in pairs.with_columns(_told().alias("told")).iter_slices(_BATCH):
        values = batch.select(f"{side}_{value}" for side in SIDES for value in VALUES).rows()
        links = batch.select(
            "group", "told", "match_probability", "register_row", "extract_row", "match_weight", "basis", "tied",
            pl.concat_list(_differs("name"), _differs("id_number")),
        ).rows()  # fmt: skip
        for shown, (group, told, sure, ours, theirs, weight, basis, tied, differs), code in zip(
            values, links, check_codes(batch), strict=True
        ):
            at += 1
            marked = {1 + n + side for n, other in enumerate(differs) if other for side in (0, len(VALUES))}
            said = f"▲有相近的候选人；{told}" if tied else told
            row = (
                group, *shown, said, f"{percent(100 * sure)}\n{weight:+.1f} 比特", None, None,
                ours, theirs, f"{weight:.2f}", basis_words(basis), code,
            )  # fmt: skip
            for column, (field, value) in enumerate(zip(_COLUMNS, row, strict=True)):
                style = styles.review if column in marked else _style(styles, column, field, shade=group % 2 == 0)
                put(sheet, at, column, value, style)
            lines = (lines_needed(value, field.width) for field, value in zip(_SEEN, row, strict=False))
            sheet.set_row(at, min(TALLEST, max(30, LINE_HEIGHT * max(lines) + 6)))
    return at


def _style(styles: Styles, column: int, field: _Field, *, shade: bool) -> Format:
    if _ANSWERED <= column <= _LAST:
        return styles.answer
    if field.centred:
        return styles.cell_centre_alt if shade else styles.cell_centre
    return styles.cell_alt if shade else styles.cell


def _differs(field: str) -> pl.Expr:
    return (pl.col(f"{field}_level").cast(pl.String) != "exact").fill_null(value=False)


def _finish(sheet: Worksheet, last: int, name: str) -> None:
    if last >= _TOP:
        validation = {
            "validate": "list",
            "source": list(ANSWERS),
            "error_title": ANSWER,
            "error_message": "请从下拉列表中选择。",
        }
        book.check(sheet.data_validation(_TOP, _ANSWERED, last, _ANSWERED, validation), sheet)
    last = max(last, _TOP - 1)
    sheet.autofilter(_TOP - 1, 0, last, len(_COLUMNS) - 1)
    sheet.freeze_panes(_TOP, 2)
    sheet.repeat_rows(_TOP - 2, _TOP - 1)
    sheet.print_area(0, 0, last, _LAST)
    sheet.ignore_errors({"number_stored_as_text": f"A1:AZ{last + 1}"})
    # No password: this keeps fingers off the compared columns, it is not security.
    sheet.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})
    book.put_footer(sheet, f"人员比对人工核查表　{name}")


def _told() -> pl.Expr:
    """What agrees and how far, in words; a birth date or sex that agrees inside an ID number is not told twice."""
    said = {field: agreement(field) for field in LEVEL_WORDS}
    said |= {field: pl.when(pl.col(f"bits_{field}") != 0).then(said[field]) for field in ("birth", "sex")}
    return pl.concat_str(list(said.values()), separator="；", ignore_nulls=True)


_HOW_TO = (
    "1. 每行是一对：左边台账一行，右边部门数据一行。请判断两边是不是同一个人；同一“组”内的各行互为候选，排在一起，底色相同。",
    f"2. 只填浅黄色的两栏。“{ANSWER}”从下拉列表选：{'、'.join(ANSWERS)}。拿不准就选“{UNSURE}”，不要猜。",
    "3. “比对情况”写明哪些一致、一致到什么程度；“把握”是程序估计的可能性，只供参考，请以户口簿、身份证或入户了解的情况为准。",
    "4. 姓名、证件号码两边不一致的以橙色标出。号码一致而姓名不同的，可能借用了亲属的号码；兄弟姐妹姓名常差一字，不要当作同一人。",
    "5. 标“▲有相近的候选人”的，同组各行都要填：是其中哪一个，就把其余的填“不是同一人”。",
    "6. 两张抽查表是随机抽取的，请全部填写：认定得准不准、漏了多少，只能由它们推算。",
    "7. 可以筛选；要排序，先撤销工作表保护（没有密码）。请勿改动最右侧不打印的各列，程序凭它们认出每一行；行序从 0 数起。",
    "8. 本表含个人信息，只供核查使用，不得转发；用完按规定保管或销毁。",
)
_ONE_LIST = (
    "1. 每行是一对：左右两边是同一张表里的两行。请判断是不是同一个人被登记了两次，或者两个人用了同一个证件号码。",
    "2. “待核”由人判断；“重复”是程序认定的，也请核对。同一“组”内的各行互相有关，排在一起，底色相同。",
    *_HOW_TO[2:4],
    f"5. 右侧浅黄色的两栏供记录核对结果：{'、'.join(ANSWERS)}。核对后请在原表中改正，再比对一次。",
    "6. 最右侧不打印的各列是原表的行序：从 0 数起，表头下第一行是 0。",
    "7. 本表含个人信息，只供核查使用，不得转发；用完按规定保管或销毁。",
)
