"""What people read for the codes of a digest; every face takes its words from here.

Workbooks and pages have a language of their own. A terminal speaks that of whoever types: it hands `pick` to what it asks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from fupin_cli.language import listed_on_paper, on_paper, pick_on_paper
from fupin_cli.report.digest import Problem
from fupin_cli.report.source_account import Tally
from fupin_cli.vocabulary import (
    BASES,
    EXIT_STATUS_LABELS,
    ID_STATUS_LABELS,
    OUTCOME_LABELS,
    SET_ASIDE_REASONS,
    STAGE_LABELS,
    Band,
    Decision,
    Outcome,
    Severity,
    label,
)

Pair = tuple[str, str]  # Chinese, English
Say = Callable[[Pair], str]
NOT_GIVEN = ("未注明", "not given")
CLUE_NOTE = (
    "疑点是线索，不是结论；请逐条核实，据实填写，不得仅凭本表作出处理。",
    "Findings are clues, not conclusions: check each; none is a reason to act by this list alone.",
)
NO_PLACE = {
    "county": ("未定县区", "county not known"),
    "township": ("未定乡镇", "township not known"),
    "village": ("未定村", "village not known"),
}
BAND_LABELS = {Band.ACCEPTED: ("可信", "sure"), Band.REVIEW: ("▲待核", "▲review")}
DECISION_LABELS = {
    Decision.ACCEPTED: ("采用", "accepted"),
    Decision.REVIEW: ("待核", "review"),
    Decision.REJECTED: ("不采用", "rejected"),
}
SEVERITY_SHORT = {
    Severity.VETO: ("一票否决项", "veto"),
    Severity.FAIL: ("退出标准", "exit standard"),
    Severity.LEAD: ("比对线索", "lead"),
    Severity.DQ: ("数据质量", "data quality"),
    Severity.INFO: ("提示", "note"),
}
DEPARTMENT_LABELS = {  # those of the shipped profiles; what a project calls one otherwise stands for itself
    "公安": "public security",
    "民政": "civil affairs",
    "残联": "disabled persons' federation",
    "住建": "housing and construction",
    "市场监管": "market supervision",
    "不动产登记": "real-estate registry",
    "医保": "medical insurance",
    "财政": "finance",
    "教育": "education",
    "人社": "human resources",
    "乡村振兴": "rural revitalisation",
    "住房公积金": "housing fund",
    "评估核查": "assessment",
    "其他": "others",
    "台账": "register",
}
KIND_LABELS = {
    "household_registration": ("户籍", "household registration"),
    "deaths": ("死亡名单", "deaths"),
    "vehicles": ("车辆", "vehicles"),
    "dibao": ("低保", "minimum living allowance"),
    "tekun": ("特困", "extreme poverty support"),
    "housing_appraisals": ("危房鉴定", "housing appraisals"),
    "real_estate": ("不动产登记", "real estate"),
    "disability": ("持证残疾人", "disability certificates"),
    "payroll": ("财政供养", "public payroll"),
    "companies": ("企业和个体工商户", "companies and businesses"),
    "medical_insurance": ("医保参保", "medical insurance"),
    "school_roll": ("学籍", "school roll"),
    "moves": ("户口迁移", "moves of residence"),
    "funerals": ("殡葬火化", "funerals and cremations"),
    "marriages": ("婚姻登记", "marriages"),
    "housing_presale": ("商品房预售", "housing presale"),
    "housing_fund": ("公积金", "housing fund"),
    "disability_subsidies": ("残疾人两项补贴", "disability subsidies"),
    "social_insurance": ("社保参保", "social insurance"),
    "family_insurance": ("家庭参保登记", "family insurance register"),
    "medical_treatment": ("医保治疗", "medical treatment"),
    "medical_aid_premium": ("医保资助参保", "subsidised medical premiums"),
    "employment": ("就业登记", "employment"),
    "employment_monthly": ("务工月监测", "monthly employment"),
    "taxes": ("税务", "taxes"),
    "household_survey": ("入户核验表", "household survey"),
    "household_documents": ("户档案资料", "household documents"),
    "process_events": ("程序环节", "steps of the procedure"),
    "visits": ("走访记录", "visits"),
    "places": ("村县情况", "facts of villages and counties"),
    "exit_sample": ("抽样核查", "exit sample"),
    "rural_households": ("未建档立卡农户", "other rural households"),
}
_COLUMNS, _CELLS, _ROWS = ("列", "columns"), ("个", "cells"), ("行", "rows")
_HOUSEHOLDS, _PERSONS = ("户", "households"), ("人", "persons")
_FILES, _SPOTS = ("个", "files"), ("处", "places")
PROBLEM_LABELS = {  # what is odd about a source, and the unit in which it is counted
    "unmapped_column": (("未识别的列（未使用）", "columns not recognised (not used)"), _COLUMNS),
    "missing_column": (("缺少的列", "columns that are missing"), _COLUMNS),
    "near_column": (
        (
            "不认识的列，像是规则要用而没找到的列（未使用；改表头，或在项目 rules/sources 中声明）",
            "columns that look like ones the rules lack (not used; mend the header, or declare it in rules/sources)",
        ),
        _COLUMNS,
    ),
    "duplicate_column": (("重复的列", "columns given twice"), _COLUMNS),
    "conflicting_duplicate": (
        ("同名列内容不一致（按未知处理）", "columns of one name that disagree (taken as unknown)"),
        _CELLS,
    ),
    "conflicting_household_values": (
        (
            "同户各行填写不一致的户级指标（按未知处理）",
            "household facts on which the rows of a household disagree (taken as unknown)",
        ),
        _HOUSEHOLDS,
    ),
    "unparsed_cells": (("看不懂的单元格（按未知处理）", "cells that make no sense (taken as unknown)"), _CELLS),
    "heads_name": (
        (
            "没有认出成员姓名列，户主姓名不作成员姓名（按未知处理）",
            "no column of members' names was recognised; the head's name is not a member's (taken as unknown)",
        ),
        _ROWS,
    ),
    "impossible_dates": (
        (
            "不可能的日期：表格零值、早于出生或晚于名单日期（按未知处理）",
            "dates that cannot be: a spreadsheet's zero, before birth, after the list's day (taken as unknown)",
        ),
        _CELLS,
    ),
    "unknown_labels": (("不认识的代码（按未知处理）", "codes not known (taken as unknown)"), _CELLS),
    "undeclared_codes": (
        ("未声明含义的数字代码（按未知处理）", "numeric codes whose meaning nobody declared (taken as unknown)"),
        _CELLS,
    ),
    "undeclared_unit": (
        ("未声明单位的金额（按未知处理）", "amounts without a declared unit (taken as unknown)"),
        _CELLS,
    ),
    "unit_from_sheet": (("按表头上方声明的单位换算", "amounts in the unit declared above the header"), _CELLS),
    "two_digit_year": (("两位数年份（按未知处理）", "years of two digits (taken as unknown)"), _CELLS),
    "numeric_id_column": (
        (
            "证件号码列是数字格式，末三位已丢失（请将该列设为文本后重新导出）",
            "ID numbers in a column of numbers, their last three digits lost (make it text and export again)",
        ),
        _CELLS,
    ),
    "float_ids": (
        ("经浮点数转换、末几位已变的证件号码", "ID numbers whose last digits changed in a floating-point number"),
        _CELLS,
    ),
    "lost_digits": (("被截断的长号码", "long numbers cut short"), _CELLS),
    "several_people": (("一格多人，已拆分", "several people in one cell, split"), _ROWS),
    "no_county": (
        (
            '台账没有县区：名单是否覆盖无从判断，请写 [register] county = "…县"',
            'register without counties: nobody can tell whether a list covers it; write [register] county = "…县"',
        ),
        _PERSONS,
    ),
    "no_township": (
        (
            "台账没有乡镇的人：其疑点只在县总表，不进任何乡镇的核查表",
            "people without a township: their findings are in the county's master only, on no township's checklist",
        ),
        _PERSONS,
    ),
    "shared_phone": (("一个电话登记在多户", "one telephone in several households"), _HOUSEHOLDS),
    "uncovered_township": (
        (
            "台账没有这个乡镇的人，部门名单却有（是否漏评无从判断）：请核对台账是否缺表",
            "people of townships where the register has nobody (left out or not, nobody can tell): does it lack a file?",
        ),
        _PERSONS,
    ),
    "unmatched_place": (
        ("台账中没有的地名（未猜测）", "places that the register does not have (not guessed)"),
        ("个", "places"),
    ),
    "unseen_village": (
        ("名单未见任何一户的村（各户按未知处理）", "villages of which a list shows no household (taken as unknown)"),
        ("个", "villages"),
    ),
    "hidden_rows": (("隐藏的行（已读入）", "hidden rows (read all the same)"), _ROWS),
    "hidden_columns": (("隐藏的列（已读入）", "hidden columns (read all the same)"), _COLUMNS),
    "hidden_sheet": (
        ("隐藏的工作表（已读入，请核对是否应报送）", "hidden sheets (read all the same: were they meant to be sent?)"),
        _ROWS,
    ),
    "only_identity": (("只有身份列、没有本类数据列的表", "sheets that say who, and nothing of their subject"), _ROWS),
    "not_a_table": (("像是另一类表（未采用）", "sheets that look like another kind of list (not used)"), _ROWS),
    "sheet_not_asked": (("fupin.toml 未选用的工作表", "sheets that fupin.toml does not ask for"), _ROWS),
    "likely_cut": (
        (
            "可能被截断（行数恰为表格上限，或末行不完整）",
            "sheets that may be cut short (as many rows as the format holds, or a broken last row)",
        ),
        _ROWS,
    ),
    "error_cells": (("错误单元格", "cells that hold an error"), _CELLS),
    "empty_formulas": (("没有结果的公式", "formulas without a result"), _CELLS),
    "other_file": (("压缩包中不是表格的文件（未读）", "files in archives that are no tables (not read)"), _FILES),
    "password_used": (("用密码打开", "opened with a password"), ("处", "files")),
    "unreadable": (("无法读取", "cannot be read"), _SPOTS),
}
# Each of these is one, named by a header or a file: a column headed 2019 is not 2,019 columns.
_NAMED = frozenset(
    {"unmapped_column", "near_column", "missing_column", "duplicate_column", "other_file", "password_used"}
)
_UNREADABLE = (
    (
        re.compile(r"([0-9]+) further header\(s\) with columns in another order"),
        "表中另有 {0} 个列序不同的表头，其下各行未能读懂：请分成不同的工作表",
    ),
    (re.compile(r"no header; ([0-9]+) of ([0-9]+) rows look like people"), "没有表头；{1} 行中有 {0} 行像是人员"),
)
_NEAR = re.compile(r"(?P<header>.*)（(?P<field>\w+)\?）")
_COUNTED = re.compile(r"(?:(?P<field>.*): )?(?P<count>[0-9]+)(?:; rows (?P<rows>[0-9, ]+))?")


def place(value: str | None, level: str, say: Say = pick_on_paper) -> str:
    """The name of a place, or the words for a place that is not known."""
    return value or say(NO_PLACE[level])


def stage_words(stage: str | None, say: Say = pick_on_paper) -> str:
    """The comparison round, in words."""
    return say(STAGE_LABELS.get(stage or "", _itself(stage)))


def band_words(band: str | None) -> str:
    """How sure a finding is, in words."""
    return _known(BAND_LABELS, band)


def decision_words(decision: str | None) -> str:
    """What became of a link, in words."""
    return _known(DECISION_LABELS, decision)


def severity_words(severity: str | None, say: Say = pick_on_paper) -> str:
    """What a hit weighs, in short words for a narrow column."""
    return say(next((both for code, both in SEVERITY_SHORT.items() if code == severity), _itself(severity)))


def basis_words(basis: str | None) -> str:
    """How a link was made, in words."""
    return pick_on_paper(BASES[basis]) if basis in BASES else basis or ""


def id_status_words(status: str | None, say: Say = pick_on_paper) -> str:
    """Why a person has no usable ID number, in words."""
    return say(ID_STATUS_LABELS.get(status or "missing", _itself(status)))


def reason_words(reason: str | None, say: Say = pick_on_paper) -> str:
    """Why a row was set aside, in words."""
    return say(SET_ASIDE_REASONS.get(reason or "", _itself(reason) if reason else NOT_GIVEN))


def reasons_words(reasons: Sequence[Tally], say: Say = pick_on_paper) -> str:
    """Why rows were set aside, and how many for each reason: 标题行 1；空行 1,204."""
    return say(("；", "; ")).join(f"{reason_words(reason.label, say)} {reason.count:,}" for reason in reasons)


def kind_words(kind: str | None) -> str:
    """What an extract is about, in words."""
    return _known(KIND_LABELS, kind)


def department_words(name: str | None, say: Say = pick_on_paper) -> str:
    """What a department is called; by the project's own word where that is none of the shipped ones."""
    return say((name or "", DEPARTMENT_LABELS.get(name or "", name or "")))


def source_words(department: str | None, kind: str | None) -> str:
    """What an extract is called: 民政低保; in English by what it is about alone, which names the department as well."""
    words, whose = kind_words(kind), department or ""
    return pick_on_paper((words if words.startswith(whose) else f"{whose}{words}", words or whose))


def problem_words(kind: str, say: Say = pick_on_paper) -> str:
    """What is odd about a source, in words."""
    return say(PROBLEM_LABELS.get(kind, (_itself(kind), _SPOTS))[0])


def problem_unit(kind: str, say: Say = pick_on_paper) -> str:
    """What the problems of one kind are counted in."""
    return say(PROBLEM_LABELS.get(kind, (_itself(kind), _SPOTS))[1])


def problem_count(kind: str, detail: str) -> int:
    """How many cells, rows or columns one problem is; one that names a column or file, or tells no number, is one."""
    counted = _counted(kind, detail)
    return int(counted["count"]) if counted else 1


def problem_detail(kind: str, detail: str, say: Say = pick_on_paper) -> str:
    """The field or header that a problem is about, in words, with its count: 证件号码 23 个; ID number, cells: 23."""
    for words, said in _UNREADABLE:
        if told := words.fullmatch(detail):
            return say((said.format(*told.groups()), detail))
    if counted := _counted(kind, detail):
        count, unit = int(counted["count"]), problem_unit(kind, say)
        number = say((f"{count:,} {unit}", f"{unit}: {count:,}"))
        if rows := counted["rows"]:
            more = rows.count(",") + 1 < count
            number += say((f"（第 {rows.replace(', ', '、')} 行{'等' * more}）", f" (rows {rows}{' …' * more})"))
        return say((" ", ", ")).join(filter(None, (_field(counted["field"], say), number)))
    if near := _NEAR.fullmatch(detail):
        field = _field(near["field"], say)
        return near["header"] + say((f"（疑为{field}）", f" (looks like {field})"))
    header, arrow, field = detail.rpartition(" → ")
    return f"{header}{arrow}{_field(field, say)}"


def problem_totals(problems: Sequence[Problem], say: Say = pick_on_paper) -> list[str]:
    """How much of each kind there is and over how many sheets, most first: 被截断的长号码 81 个，涉及 16 张表."""
    counts, sheets = Counter[str](), dict[str, set[tuple[str, str | None]]]()
    for problem in problems:
        counts[problem.kind] += problem_count(problem.kind, problem.detail)
        sheets.setdefault(problem.kind, set()).add((problem.source, problem.sheet))
    total = say(("{words} {count:,} {unit}，涉及 {sheets:,} 张表", "{words}, {unit}: {count:,}, sheets: {sheets:,}"))
    return [
        total.format(
            words=problem_words(kind, say), count=count, unit=problem_unit(kind, say), sheets=len(sheets[kind])
        )
        for kind, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def exit_status_words(status: str | None, say: Say = pick_on_paper) -> str:
    """A household's exit status; one that the register calls by a word of its own stays so."""
    return say((status, EXIT_STATUS_LABELS.get(status, status))) if status else say(NOT_GIVEN)


def outcome_words(outcome: str | None) -> str:
    """An outcome, in words."""
    return pick_on_paper(OUTCOME_LABELS[Outcome(outcome)]) if outcome else ""


def standards_words(standards: Iterable[tuple[str, str, int]], say: Say = pick_on_paper) -> str:
    """Which verdicts (rule, title) decided of how many households: 贫困户五项否决（SN-H-0）1,200 户."""
    use = say(("{title}（{rule}）{count:,} 户", "{title} ({rule}), households: {count:,}"))
    return say(("；", "; ")).join(use.format(rule=rule, title=title, count=count) for rule, title, count in standards)


def coverage_words(coverage: tuple[str, ...]) -> str:
    """The counties that an extract covers, in words."""
    return listed_on_paper(coverage) or on_paper("all counties")


def _counted(kind: str, detail: str) -> re.Match[str] | None:
    return None if kind in _NAMED else _COUNTED.fullmatch(detail)


def _field(name: str | None, say: Say) -> str:
    return say((label(name or ""), label(name or "", "en")))


def _itself(code: str | None) -> Pair:
    """A code without words stands for itself in either language."""
    return (code or "", code or "")


def _known(words: Mapping[Any, Pair], code: str | None) -> str:
    return pick_on_paper(next((both for key, both in words.items() if key == code), _itself(code)))
