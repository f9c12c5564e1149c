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
DETAIL_WORDS = {  # what an event tells, in Chinese and in English; a telephone number is nobody's business here
    "stage": ("比对环节", "round"),
    "receiver": ("答复单位", "who answers"),
    "why": ("原因", "why"),
    "verdict": ("是否属实", "is it so"),
    "reason": ("情况说明", "explanation"),
    "action": ("处理意见", "what is done"),
    "material": ("佐证材料", "papers"),
    "checker": ("核查人", "checked by"),
    "checked_on": ("核查时间", "checked on"),
    "step": ("环节", "step"),
    "by": ("签字或经办", "signed or handled by"),
    "on": ("日期", "on"),
    "document": ("文件", "document"),
    "until": ("有效期至", "valid until"),
}
_CODES = {
    "village": ("村", "the village"),
    "county": ("县级", "the county"),
    "outcome": ("本轮比对未再发现", "no longer found"),
    "left": ("已不在册", "no longer on the register"),
}
_CHOICES = {  # of the forms; whatever else somebody typed stays
    "verdict": {"属实": "so", "部分属实": "partly so", "不属实": "not so"},
    "reason": {
        "录入错误": "mistyped",
        "部门数据错误": "the department is wrong",
        "同名非本人": "another person of that name",
        "挂名": "in name only",
        "已过户/报废未注销": "sold or scrapped, not cancelled",
        "婚前或他人财产": "from before the marriage, or another's",
        "已死亡未注销": "died, not cancelled",
        "待系统开放后修改": "to be corrected once the system opens",
        "录入前已比对，记录未报送": "compared before entry, the record was not sent in",
        "已补做比对": "compared since",
        "其他": "other",
    },
    "action": {
        "已修改": "corrected",
        "拟修改": "to be corrected",
        "保留(附佐证)": "kept, with papers",
        "清退": "removed",
        "转部门核实": "passed to the department",
    },
}


def history(ledger: Ledger, case_id: str, *, english: bool = False) -> pl.DataFrame:
    """Day, kind, round, batch and `what` (answers, reasons, in words) of one case's events, in order."""
    events = ledger.rows(
        "SELECT day, kind, round, batch, detail FROM events WHERE case_id = ? ORDER BY seq", (case_id,)
    )
    colon, semicolon = (": ", "; ") if english else ("：", "；")
    for event in events:
        told = json.loads(event["detail"] or "{}")
        event["what"] = semicolon.join(
            f"{words[english]}{colon}{_said(name, told[name], english=english)}"
            for name, words in DETAIL_WORDS.items()
            if told.get(name)
        )
    rows = [(e["day"], e["kind"], e["round"], e["batch"], e["what"]) for e in events]
    return pl.DataFrame(
        rows,
        schema={"day": pl.String, "kind": pl.String, "round": pl.Int64, "batch": pl.Int64, "what": pl.String},
        orient="row",
    )


def _said(name: str, value: str, *, english: bool) -> str:
    """What an event tells, in words; `county` is a round as well as an office."""
    both = (STAGE_LABELS if name == "stage" else _CODES).get(value, (value, value))
    return _CHOICES.get(name, {}).get(value, both[1]) if english else both[0]


def state_words(state: str) -> str:
    """A state, in Chinese."""
    return STATES[state][0] if state in STATES else state


def batch_words(column: str) -> pl.Expr:
    """The number of a batch as it stands on the workbooks: B0001."""
    return pl.format("B{}", pl.col(column).cast(pl.String).str.zfill(4)).alias(column)


def kind_words(column: str) -> pl.Expr:
    """What happened, in Chinese."""
    return pl.col(column).replace_strict(KIND_WORDS, default=pl.col(column))
