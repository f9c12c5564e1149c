"""What offices count: where cases stand, who answers and in time, what turned out to be so, how rounds move."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from fupin_cli.cases.ledger import Ledger
from fupin_cli.cases.schema import STATES, TO_ASK
from fupin_cli.linkage.evaluation import wilson
from fupin_cli.rules import Limits

CORRECTED = ("已修改", "清退")  # answers that put the register right
NOT_THE_PERSON = "同名非本人"
REFUTED = "多数不属实"
_VERDICTS = {"so": "属实", "partly": "部分属实", "not_so": "不属实"}
_WEIGHTY = ("veto", "fail")


@dataclass(frozen=True)
class Figures:
    """One table: its code, what it shows, its columns (name, Chinese, English), its rows."""

    name: str
    title: str
    columns: tuple[tuple[str, str, str], ...]
    rows: pl.DataFrame


_COUNTS = (
    ("cases", "疑点", "cases"),
    ("to_send", "待下发", "to send"),
    ("out", "已下发未反馈", "out"),
    ("overdue", "其中逾期", "overdue"),
    ("answered", "已反馈", "answered"),
    ("disputed", "矛盾", "disputed"),
    ("closed", "已销号", "closed"),
    ("cleared", "数据消除", "cleared"),
    ("exempt", "豁免", "exempt"),
)
_TOLD = (
    ("told", "已核实", "verified"),
    ("so", "属实", "so"),
    ("partly", "部分属实", "partly"),
    ("not_so", "不属实", "not so"),
    ("so_share", "属实率%", "so %"),
    ("low", "下限%", "low %"),
    ("high", "上限%", "high %"),
    ("remark", "提示", "remark"),
)
_ROUNDS = (
    ("round", "轮次", "round"),
    ("as_of", "比对日期", "as of"),
    ("stage", "环节", "stage"),
    ("found", "疑点", "found"),
    ("new", "新增", "new"),
    ("continuing", "延续", "continuing"),
    ("changed", "证据有变", "changed"),
    ("reopened", "重新核查", "reopened"),
    ("cleared", "数据消除", "cleared"),
    ("gone", "已不在册", "gone"),
    ("untold", "无法判断", "untold"),
    ("missed_before", "前一环节未发现", "missed before"),
    ("cleared_before", "前一环节已消除", "cleared before"),
    ("not_compared", "未经县级比对", "not compared"),
    ("homes_in", "新增户", "households in"),
    ("homes_back", "返回户", "households back"),
    ("homes_out", "离册户", "households out"),
)
_RANKED = (
    ("rank", "排行", "rank"),
    ("county", "县（市、区）", "county"),
    ("township", "乡镇", "township"),
    ("sent", "下发", "sent"),
    ("back", "反馈", "answered"),
    ("back_share", "反馈率%", "answered %"),
    ("in_time", "按时", "in time"),
    ("in_time_share", "按时率%", "in time %"),
    ("late", "逾期未反馈", "overdue"),
    ("so", "属实", "so"),
    ("so_share", "属实率%", "so %"),
    ("corrected", "已整改", "corrected"),
    ("corrected_share", "整改率%", "corrected %"),
)
_NAMES = {
    "county": ("县（市、区）", "county"),
    "township": ("乡镇", "township"),
    "village": ("行政村", "village"),
    "department": ("比对部门", "department"),
    "rule_id": ("规则", "rule"),
    "title": ("疑点类型", "kind"),
    "case_id": ("疑点编号", "case"),
    "sent_batch": ("批次", "batch"),
    "due": ("截止日期", "due"),
    "days": ("逾期天数", "days late"),
    "cases": ("疑点", "cases"),
}
_BY = (
    ("by_county", "各县", ("county",)),
    ("by_township", "各乡镇", ("county", "township")),
    ("by_department", "各部门", ("department",)),
    ("by_rule", "各规则", ("rule_id", "title")),
)


def statistics(ledger: Ledger, day: date, limits: Limits) -> list[Figures]:
    """Where cases stand by place, department and rule; the townships' ranking; the precision of rules and departments."""
    cases = ledger.cases()
    told = [
        Figures(code, f"{title}疑点办理情况", (*_heads(*by), *_COUNTS), _counted(cases, by, day))
        for code, title, by in _BY
    ]
    told.append(_performance(cases, day))
    return told + [
        Figures(
            f"precision_{code}",
            f"{title}核实结果（属实率及95%区间）",
            (*_heads(*by), *_TOLD),
            precision(cases, by, limits),
        )
        for code, title, by in _BY[2:]
    ]


def precision(cases: pl.DataFrame, by: Sequence[str], limits: Limits) -> pl.DataFrame:
    """How many of the verified clues of each rule or department were so, with a Wilson interval, and what that says.

    A share is a finding for whoever keeps the rules; nothing changes by itself.
    """
    answered = cases.filter(pl.col("verdict").is_not_null(), pl.col("disputed") == 0)
    counts = {"told": pl.len(), **{name: (pl.col("verdict") == verdict).sum() for name, verdict in _VERDICTS.items()}}
    told = answered.group_by(by).agg(count.cast(pl.Int64).alias(name) for name, count in counts.items())
    n, found = (
        pl.col("told"),
        [wilson(so, told) for so, told in told.select("so", "told").rows()],
    )  # a row for each rule
    shares = {"so_share": [s.value for s in found], "low": [s.low for s in found], "high": [s.high for s in found]}
    told = told.with_columns((100 * pl.Series(name, share, pl.Float64)).round(1) for name, share in shares.items())
    refuted = 100 * pl.col("not_so") > limits.not_so_percent * n
    remark = (
        pl.when(n < limits.enough)
        .then(pl.lit("核实数太少"))
        .when(refuted)
        .then(pl.lit(f"{REFUTED}：请检查规则和数据来源"))
    )
    return told.with_columns(remark=remark).sort(
        "not_so", *by, descending=[True, *([False] * len(by))], nulls_last=True
    )


def labels(ledger: Ledger, people: pl.DataFrame) -> pl.DataFrame:
    """Answers that say whether both sides are one person: to train linkage with; nothing uses them by itself.

    case_id, both sides' name and number, basis and weight of the link, and `same_person`: False for 同名非本人, True where the
    clue was so.
    """
    answered = ledger.cases("verdict IS NOT NULL AND disputed = 0", columns=("case_id", "verdict", "reason"))
    linked = people.filter(pl.col("basis").is_not_null()).join(answered, on="case_id")
    same = (
        pl.when(pl.col("reason") == NOT_THE_PERSON)
        .then(pl.lit(value=False))
        .when(pl.col("verdict") == "属实")
        .then(pl.lit(value=True))
    )
    sides = ("extract", "name", "id_number", "listed_name", "listed_id", "basis", "match_weight")
    return linked.select("case_id", *sides, same_person=same).drop_nulls("same_person").sort("case_id")


def trend(ledger: Ledger) -> Figures:
    """The rounds in order: found, new, changed, reopened, cleared, gone; and households that entered, came back and left."""
    rounds = pl.DataFrame(ledger.rows("SELECT * FROM rounds ORDER BY round"), infer_schema_length=None)
    if not rounds.height:
        return Figures("trend", "历轮比对", _ROUNDS, pl.DataFrame(schema={name: pl.Int64() for name, _, _ in _ROUNDS}))
    moved = ledger.frame(
        "SELECT e.round, e.kind, count(DISTINCT c.household) FROM events e JOIN cases c USING (case_id) "
        "WHERE e.kind IN ('found', 'returned') OR (e.kind = 'cleared' AND json_extract(e.detail, '$.why') = 'left') "
        "GROUP BY 1, 2",
        {"round": pl.Int64(), "kind": pl.String(), "homes": pl.Int64()},
    )
    for kind, name in (("found", "homes_in"), ("returned", "homes_back"), ("cleared", "homes_out")):
        homes = moved.filter(pl.col("kind") == kind).select("round", pl.col("homes").alias(name))
        rounds = rounds.join(homes, on="round", how="left", maintain_order="left").with_columns(
            pl.col(name).fill_null(0)
        )
    return Figures("trend", "历轮比对", _ROUNDS, rounds.select(name for name, _, _ in _ROUNDS))


def warnings(ledger: Ledger, day: date, limits: Limits) -> list[Figures]:
    """What cannot wait: new cases of weight, overdue answers by unit, contradictions, rules whose clues are mostly refuted."""
    cases, last = ledger.cases(), ledger.last("rounds")
    count = pl.len().cast(pl.Int64).alias("cases")
    weighty = cases.filter(
        pl.col("state").is_in(TO_ASK),
        pl.col("severity").is_in(_WEIGHTY),
        pl.col("first_round") == (last["round"] if last else 0),
    )
    late = cases.filter(pl.col("state") == "dispatched", pl.col("due") < day.isoformat())
    days = (pl.lit(day) - pl.col("due").str.to_date()).dt.total_days()
    new_by, late_by = ("county", "township", "rule_id", "title"), ("county", "township", "sent_batch", "due")
    disputed = ("case_id", "county", "township", "village", "rule_id")
    ranked = _performance(cases, day)
    slow = ranked.rows.filter(100 * pl.col("late") > limits.late_percent * pl.col("sent"))
    refuted = precision(cases, ("rule_id", "title"), limits).filter(pl.col("remark").str.starts_with(REFUTED))
    return [
        Figures("new_weighty", "本轮新增的重点疑点", _heads(*new_by, "cases"),
                weighty.group_by(new_by).agg(count).sort(new_by, nulls_last=True)),
        Figures("overdue", "逾期未反馈", _heads(*late_by, "days", "cases"),
                late.group_by(late_by).agg(count).with_columns(days=days).sort(late_by, nulls_last=True)),
        Figures("slow_units", f"逾期超过{limits.late_percent:g}%的乡镇", ranked.columns, slow),
        Figures("disputed", "反馈矛盾待裁定", _heads(*disputed), cases.filter(pl.col("state") == "disputed").select(disputed)),
        Figures("refuted", f"{REFUTED}的规则", (*_heads("rule_id", "title"), *_TOLD), refuted),
    ]  # fmt: skip


def _heads(*names: str) -> tuple[tuple[str, str, str], ...]:
    return tuple((name, *_NAMES[name]) for name in names)


def history(ledger: Ledger, case_id: str) -> pl.DataFrame:
    """Day, kind, round, batch and `what` (answers, reasons) of one case's events, in order."""
    events = ledger.rows(
        "SELECT day, kind, round, batch, detail FROM events WHERE case_id = ? ORDER BY seq", (case_id,)
    )
    for event in events:
        told = json.loads(event["detail"] or "{}")
        event["what"] = "；".join(f"{value}" for name, value in sorted(told.items()) if value and name != "phone")
    rows = [(e["day"], e["kind"], e["round"], e["batch"], e["what"]) for e in events]
    return pl.DataFrame(
        rows,
        schema={"day": pl.String, "kind": pl.String, "round": pl.Int64, "batch": pl.Int64, "what": pl.String},
        orient="row",
    )


def _counted(cases: pl.DataFrame, by: Sequence[str], day: date) -> pl.DataFrame:
    state = pl.col("state")
    is_out = state == "dispatched"
    tallies = {
        "cases": pl.len(),
        "to_send": state.is_in(TO_ASK).sum(),
        "out": is_out.sum(),
        "overdue": (is_out & (pl.col("due") < day.isoformat())).sum(),
        **{name: (state == name).sum() for name in ("answered", "disputed", "closed", "cleared", "exempt")},
    }
    return (
        cases.group_by(by)
        .agg(tally.cast(pl.Int64).alias(name) for name, tally in tallies.items())
        .sort(by, nulls_last=True)
    )


def _performance(cases: pl.DataFrame, day: date) -> Figures:
    """The ranking table: of what was sent to each township, how much was answered, in time, so, and put right."""
    sent = cases.filter(pl.col("sent_batch").is_not_null())
    back = pl.col("answered_batch") == pl.col("sent_batch")
    counts = {
        "sent": pl.len(),
        "back": back.sum(),
        "in_time": (back & (pl.col("answered_on") <= pl.col("due"))).sum(),
        "so": (back & (pl.col("verdict") == "属实")).sum(),
        "corrected": (back & pl.col("action").is_in(CORRECTED)).sum(),
        "late": (back.not_().fill_null(value=True) & (pl.col("due") < day.isoformat())).sum(),
    }
    told = sent.group_by("county", "township").agg(count.cast(pl.Int64).alias(name) for name, count in counts.items())
    shares = {
        "back_share": ("back", "sent"),
        "in_time_share": ("in_time", "sent"),
        "so_share": ("so", "back"),
        "corrected_share": ("corrected", "so"),
    }
    told = told.with_columns(
        pl.when(pl.col(of) > 0).then((100 * pl.col(part) / pl.col(of)).round(1)).alias(name)
        for name, (part, of) in shares.items()
    )
    told = told.sort(
        "in_time_share", "back_share", "county", "township", descending=[True, True, False, False], nulls_last=True
    )
    told = told.with_columns(rank=pl.struct("in_time_share", "back_share").rank("min", descending=True).cast(pl.Int64))
    return Figures("performance", "各乡镇反馈情况排行", _RANKED, told.select(name for name, _, _ in _RANKED))


def state_words(state: str) -> str:
    """A state, in Chinese."""
    return STATES[state][0] if state in STATES else state
