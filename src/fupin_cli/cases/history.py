"""What happened to one case, in words."""

from __future__ import annotations

import json

import polars as pl

from fupin_cli.cases.ledger import Ledger
from fupin_cli.cases.schema import STATES
from fupin_cli.vocabulary import STAGE_LABELS

KIND_WORDS = {  # what happens to a case
    "found": "发现",
    "changed": "证据有变",
    "returned": "再次发现",
    "cleared": "数据已消除",
    "dispatched": "下发",
    "answered": "反馈",
    "settled": "裁定",
    "signed": "签字",
    "filed": "登记材料",
    "closed": "销号",
    "promised": "签字齐全，待数据更正",
    "reopened": "重新核查",
    "exempted": "豁免",
    "lapsed": "豁免到期",
}
DETAIL_WORDS = {  # what an event tells; a telephone number is nobody's business here
    "stage": "比对环节",
    "receiver": "答复单位",
    "why": "原因",
    "verdict": "是否属实",
    "reason": "情况说明",
    "action": "处理意见",
    "material": "佐证材料",
    "checker": "核查人",
    "checked_on": "核查时间",
    "step": "环节",
    "by": "签字或经办",
    "on": "日期",
    "document": "文件",
    "until": "有效期至",
}
_SAID = {
    "village": "村",
    "county": "县级",
    "outcome": "本轮比对未再发现",
    "left": "已不在册",
}


def history(ledger: Ledger, case_id: str) -> pl.DataFrame:
    """Day, kind, round, batch and `what` (answers, reasons, in words) of one case's events, in order."""
    events = ledger.rows(
        "SELECT day, kind, round, batch, detail FROM events WHERE case_id = ? ORDER BY seq", (case_id,)
    )
    for event in events:
        told = json.loads(event["detail"] or "{}")
        event["what"] = "；".join(
            f"{word}：{_said(name, told[name])}" for name, word in DETAIL_WORDS.items() if told.get(name)
        )
    rows = [(e["day"], e["kind"], e["round"], e["batch"], e["what"]) for e in events]
    return pl.DataFrame(
        rows,
        schema={"day": pl.String, "kind": pl.String, "round": pl.Int64, "batch": pl.Int64, "what": pl.String},
        orient="row",
    )


def _said(name: str, value: str) -> str:
    """What an event tells, in words; `county` is a round as well as an office."""
    if name == "stage":
        return STAGE_LABELS[value][0] if value in STAGE_LABELS else value
    return _SAID.get(value, value)


def state_words(state: str) -> str:
    """A state, in Chinese."""
    return STATES[state][0] if state in STATES else state


def batch_words(column: str) -> pl.Expr:
    """The number of a batch as it stands on the workbooks: B0001."""
    return pl.format("B{}", pl.col(column).cast(pl.String).str.zfill(4)).alias(column)


def kind_words(column: str) -> pl.Expr:
    """What happened, in Chinese."""
    return pl.col(column).replace_strict(KIND_WORDS, default=pl.col(column))
