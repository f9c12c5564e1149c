"""What people read for the codes of a digest, in Chinese; every face takes its words from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fupin_cli.vocabulary import (
    BASES,
    ID_STATUS_LABELS,
    OUTCOME_LABELS,
    SET_ASIDE_REASONS,
    Band,
    Decision,
    Outcome,
    Severity,
)

CLUE_NOTE = "疑点是线索，不是结论；请逐条核实，据实填写，不得仅凭本表作出处理。"
NO_PLACE = {"county": "未定县区", "township": "未定乡镇", "village": "未定村"}
STAGE_LABELS = {"county": "县级比对（录入前）", "city": "市级比对", "province": "省级比对（录入后）"}
BAND_LABELS = {Band.ACCEPTED: "可信", Band.REVIEW: "▲待核"}
DECISION_LABELS = {Decision.ACCEPTED: "采用", Decision.REVIEW: "待核", Decision.REJECTED: "不采用"}
SEVERITY_SHORT = {
    Severity.VETO: "一票否决项",
    Severity.FAIL: "退出标准",
    Severity.LEAD: "比对线索",
    Severity.DQ: "数据质量",
    Severity.INFO: "提示",
}
KIND_LABELS = {
    "household_registration": "户籍",
    "deaths": "死亡名单",
    "vehicles": "车辆",
    "dibao": "低保",
    "tekun": "特困",
    "housing_appraisals": "危房鉴定",
    "real_estate": "不动产登记",
    "disability": "持证残疾人",
    "payroll": "财政供养",
    "companies": "企业和个体工商户",
    "medical_insurance": "医保参保",
    "school_roll": "学籍",
}
PROBLEM_LABELS = {
    "unmapped_column": "未识别的列（未使用）",
    "missing_column": "缺少的列",
    "duplicate_column": "重复的列",
    "unparsed_cells": "看不懂的单元格（按未知处理）",
    "unknown_labels": "不认识的代码（按未知处理）",
    "lost_digits": "被截断的长号码",
    "hidden": "隐藏的行列（已读入）",
    "hidden_sheet": "隐藏的工作表（未采用）",
    "error_cells": "错误单元格",
    "empty_formulas": "没有结果的公式",
    "unreadable": "无法读取",
}


def place(value: str | None, level: str) -> str:
    """The name of a place, or the words for a place that is not known."""
    return value or NO_PLACE[level]


def stage_words(stage: str | None) -> str:
    """The comparison round, in words."""
    return STAGE_LABELS.get(stage or "", stage or "")


def band_words(band: str | None) -> str:
    """How sure a finding is, in words."""
    return _known(BAND_LABELS, band)


def decision_words(decision: str | None) -> str:
    """What became of a link, in words."""
    return _known(DECISION_LABELS, decision)


def severity_words(severity: str | None) -> str:
    """What a hit weighs, in short words for a narrow column."""
    return _known(SEVERITY_SHORT, severity)


def basis_words(basis: str | None) -> str:
    """How a link was made, in words."""
    return BASES[basis][0] if basis in BASES else basis or ""


def id_status_words(status: str | None) -> str:
    """Why a person has no usable ID number, in words."""
    return ID_STATUS_LABELS.get(status or "missing", (status or "", ""))[0]


def reason_words(reason: str | None) -> str:
    """Why a row was set aside, in words."""
    return SET_ASIDE_REASONS.get(reason or "", (reason or "未注明", ""))[0]


def kind_words(kind: str | None) -> str:
    """What an extract is about, in words."""
    return KIND_LABELS.get(kind or "", kind or "")


def problem_words(kind: str) -> str:
    """What is odd about a source, in words."""
    return PROBLEM_LABELS.get(kind, kind)


def outcome_words(outcome: str | None) -> str:
    """An outcome, in words."""
    return OUTCOME_LABELS[Outcome(outcome)][0] if outcome else ""


def coverage_words(coverage: tuple[str, ...]) -> str:
    """The counties that an extract covers, in words."""
    return "、".join(coverage) or "未注明"


def _known(words: Mapping[Any, str], code: str | None) -> str:
    return next((word for key, word in words.items() if key == code), code or "")
