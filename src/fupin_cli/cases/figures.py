"""What offices count: where cases stand, who answers and in time, what turned out to be so, how rounds move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from fupin_cli.cases.ledger import CASE_COLUMNS, Ledger
from fupin_cli.cases.schema import CORRECTED, COUNTY, OPEN, PROMISE, TO_ASK, TRUE_VERDICTS, VILLAGE
from fupin_cli.linkage.evaluation import wilson
from fupin_cli.rules import Limits
from fupin_cli.vocabulary import STAGE_LABELS, Severity

NOT_THE_PERSON = "同名非本人"
REFUTED = "多数不属实"
_VERDICTS = {"so": "属实", "partly": "部分属实", "not_so": "不属实"}
_WEIGHTY = ("veto", "fail")


@dataclass(frozen=True)
class Figures:
    """One table: its code, what it shows (Chinese, English), its columns (name, Chinese, English), its rows."""

    name: str
    title: tuple[str, str]
    columns: tuple[tuple[str, str, str], ...]
    rows: pl.DataFrame


_COUNTS = (
    ("cases", "核查件", "cases"),
    ("notes", "提示", "notes"),
    ("to_send", "待下发", "to send"),
    ("out", "待反馈", "out"),
    ("overdue", "逾期", "overdue"),
    ("answered", "已反馈", "answered"),
    ("disputed", "矛盾", "disputed"),
    ("promised", "待更正", "promised"),
    ("closed", "已销号", "closed"),
    ("cleared", "已消除", "cleared"),
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
    ("found", "核查件", "cases"),
    ("notes", "其中提示", "of those notes"),
    ("new", "新增", "new"),
    ("continuing", "延续", "continuing"),
    ("changed", "证据有变", "changed"),
    ("reopened", "重新核查", "reopened"),
    ("cleared", "数据消除", "cleared"),
    ("gone", "已不在册", "gone"),
    ("confirmed", "已销号且数据已消除", "closed, and the data agree"),
    ("promised", "已承诺修改、尚未更正", "promised, not yet corrected"),
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
    ("to_correct", "应整改", "to correct"),
    ("corrected", "其中已整改并销号", "corrected, closed"),
    ("corrected_share", "整改率%", "corrected %"),
)
_NAMES = {
    "county": ("县（市、区）", "county"),
    "township": ("乡镇", "township"),
    "village": ("行政村", "village"),
    "department": ("比对部门", "department"),
    "rule_id": ("规则", "rule"),
    "title": ("疑点类型", "kind"),
    "case_id": ("核查件编号", "case"),
    "sent_batch": ("批次", "batch"),
    "due": ("截止日期", "due"),
    "days": ("逾期天数", "days late"),
    "cases": ("核查件", "cases"),
    "to_send": ("其中待下发", "to send"),
    "answered_on": ("答复日期", "answered"),
}
COUNTY_UNIT = "县级"
_TOO_FEW, _LOOK = "核实数太少", f"{REFUTED}：请检查规则和数据来源"
VALUES = {  # values of ours in the tables, in English
    COUNTY_UNIT: "county",
    _TOO_FEW: "too few verified",
    _LOOK: "mostly not so: check the rule and where the data come from",
}
REFUTED_RULES = (f"{REFUTED}的规则", "rules whose clues are mostly not so")
_TREND = ("历轮比对", "rounds")
_TO_SEND = f"sum(state IN {TO_ASK})"
_TALLIED: dict[str, tuple[str, pl.DataType]] = {  # what cases are counted by: column → SQL, type; numbers are flags
    "county": ("county", pl.String()),
    "township": (f"CASE receiver WHEN '{COUNTY}' THEN '{COUNTY_UNIT}' ELSE township END", pl.String()),
    "receiver": ("receiver", pl.String()),
    "note": (f"severity = '{Severity.INFO}'", pl.Int64()),
    "department": ("department", pl.String()),
    "rule_id": ("rule_id", pl.String()),
    "title": ("title", pl.String()),
    "state": ("state", pl.String()),
    "past": ("due < @day", pl.Int64()),
    "sent": ("sent_batch IS NOT NULL", pl.Int64()),
    "back": ("answered_batch = sent_batch", pl.Int64()),
    "in_time": ("answered_on <= due", pl.Int64()),
    "verdict": ("CASE WHEN disputed = 0 THEN verdict END", pl.String()),
    "mended": (
        f"state = 'closed' AND (action IN {CORRECTED} OR (action = '{PROMISE}' AND present = 0))",
        pl.Int64(),
    ),
}
_BY = (
    ("by_county", ("各县", "by county"), ("county",)),
    ("by_township", ("各乡镇", "by township"), ("county", "township")),
    ("by_department", ("各部门", "by department"), ("department",)),
    ("by_rule", ("各规则", "by rule"), ("rule_id", "title")),
)


SECTIONS = (
    "total", *(code for code, _, _ in _BY), "performance", "county_offices",
    *(f"precision_{code}" for code, _, _ in _BY[2:]),
)  # fmt: skip


def statistics(ledger: Ledger, day: date, limits: Limits) -> list[Figures]:
    """Where cases stand by place, department and rule; who answers, in time and truly; the precision of rules and departments.

    Townships are ranked by what their villages are asked; what the county's office must answer itself is counted as its own.
    """
    cases = tallied(ledger, day)
    told = [
        Figures("total", ("全部核查件办理情况", "where all cases stand"), _COUNTS, _counted(cases, ())),
        *(
            Figures(
                code, (f"{zh}核查件办理情况", f"where cases stand, {en}"), (*_heads(*by), *_COUNTS), _counted(cases, by)
            )
            for code, (zh, en), by in _BY
        ),
        _performance(cases),
        Figures(
            "county_offices",
            ("县级部门自办核查件反馈情况", "answers of county offices to cases of their own"),
            _RANKED,
            _performed(cases, COUNTY),
        ),
    ]
    return told + [
        Figures(
            f"precision_{code}",
            (f"{zh}核实结果（属实率及95%区间）", f"what turned out to be so, {en} (share, 95% interval)"),
            (*_heads(*by), *_TOLD), precision(cases, by, limits),
        )
        for code, (zh, en), by in _BY[2:]
    ]  # fmt: skip


def tallied(ledger: Ledger, day: date) -> pl.DataFrame:
    """How many cases (`n`) there are of each place, rule, state and answer: what all figures are sums of, counted by SQLite.

    `past`: its day is over; `back`: what was sent last is answered, `in_time` by its day; `verdict` only where no copies
    contradict each other; `mended`: closed, on an answer that the register is put right, or promised it and the data now agree.
    """
    asked = ", ".join(f"{sql} AS {name}" for name, (sql, _) in _TALLIED.items())
    places = ", ".join(str(n + 1) for n in range(len(_TALLIED)))
    query = f"SELECT {asked}, count(*) FROM cases WHERE first_round IS NOT NULL GROUP BY {places}"
    query = query.replace("@day", "?")
    schema = {name: kind for name, (_, kind) in _TALLIED.items()} | {"n": pl.Int64()}
    flags = [name for name, (_, kind) in _TALLIED.items() if isinstance(kind, pl.Int64)]
    return ledger.frame(query, schema, [day.isoformat()]).with_columns(pl.col(flags).fill_null(0).cast(pl.Boolean))


def precision(cases: pl.DataFrame, by: Sequence[str], limits: Limits) -> pl.DataFrame:
    """How many of the verified clues (`tallied`) of each rule or department were so, with a Wilson interval, and what that says.

    A share is a finding for whoever keeps the rules; nothing changes by itself. Notes are no clues, and one answer of a county's
    office may stand for hundreds of them.
    """
    told = cases.filter(pl.col("verdict").is_not_null(), ~pl.col("note")).group_by(by).agg(
        _sum("told"), *(_sum(name, pl.col("verdict") == verdict) for name, verdict in _VERDICTS.items())
    )  # fmt: skip
    n = pl.col("told")
    found = [wilson(so, told) for so, told in told.select("so", "told").rows()]  # a row for each rule
    shares = {"so_share": [s.value for s in found], "low": [s.low for s in found], "high": [s.high for s in found]}
    told = told.with_columns((100 * pl.Series(name, share, pl.Float64)).round(1) for name, share in shares.items())
    refuted = 100 * pl.col("not_so") > limits.not_so_percent * n
    remark = pl.when(n < limits.enough).then(pl.lit(_TOO_FEW)).when(refuted).then(pl.lit(_LOOK))
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
        texts = dict.fromkeys(("as_of", "stage"), pl.String())
        empty = pl.DataFrame(schema={name: texts.get(name, pl.Int64()) for name, _, _ in _ROUNDS})
        return Figures("trend", _TREND, _ROUNDS, empty)
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
    return Figures("trend", _TREND, _ROUNDS, rounds.select(name for name, _, _ in _ROUNDS))


def in_words(figures: Figures) -> pl.DataFrame:
    """The rows of a table as workbooks and pages show them: with their stages in words."""
    if "stage" not in figures.rows.columns:
        return figures.rows
    return figures.rows.with_columns(pl.col("stage").replace({stage: zh for stage, (zh, _) in STAGE_LABELS.items()}))


def warnings(ledger: Ledger, day: date, limits: Limits) -> list[Figures]:
    """What cannot wait: new cases of weight, overdue answers, contradictions, corrections that do not come, refuted rules."""
    cases, last = tallied(ledger, day), ledger.last("rounds")
    this_round = last["round"] if last else 0
    new_by, late_by = ("county", "township", "rule_id", "title"), ("county", "township", "sent_batch", "due")
    states, weighty = ", ".join(f"'{state}'" for state in OPEN), ", ".join(f"'{one}'" for one in _WEIGHTY)
    # whether it is out already or not: the round's weighty findings are told until somebody has dealt with them
    moved = "SELECT case_id FROM events WHERE round = ? AND kind IN ('changed', 'returned')"
    began = f"state IN ({states}) AND severity IN ({weighty}) AND (first_round = ? OR case_id IN ({moved}))"
    new = _grouped(ledger, new_by, {"to_send": _TO_SEND, "cases": "count(*)"}, began, (this_round, this_round))
    late = _grouped(ledger, late_by, {"cases": "count(*)"}, "state = 'dispatched' AND due < ?", (day.isoformat(),))
    days = (pl.lit(day) - pl.col("due").str.to_date()).dt.total_days()
    disputed = ("case_id", "county", "township", "village", "rule_id")
    since = (day - timedelta(days=limits.promised_days)).isoformat()
    waiting = _listed(ledger, (*disputed, "answered_on"), "state = 'promised' AND answered_on <= ?", (since,))
    claimed = _grouped(
        ledger, new_by, {"cases": "count(*)"},
        f"state = 'closed' AND present = 1 AND action IN {CORRECTED} AND answered_on < ?", (last["as_of"] if last else "",),
    )  # fmt: skip
    ranked = _performance(cases)
    slow = ranked.rows.filter(100 * pl.col("late") > limits.late_percent * pl.col("sent"))
    refuted = precision(cases, ("rule_id", "title"), limits).filter(pl.col("remark").str.starts_with(REFUTED))
    late_share, promised = f"{limits.late_percent:g}", limits.promised_days
    return [
        Figures(
            "new_weighty",
            ("本轮新增或证据有变的重点疑点，未办结", "cases of weight, new or changed in this round, still open"),
            _heads(*new_by, "cases", "to_send"),
            new,
        ),
        Figures(
            "overdue",
            ("逾期未反馈", "overdue answers"),
            _heads(*late_by, "days", "cases"),
            late.with_columns(days=days),
        ),
        Figures(
            "slow_units",
            (f"逾期超过{late_share}%的乡镇", f"townships with more than {late_share}% overdue"),
            ranked.columns,
            slow,
        ),
        Figures(
            "disputed",
            ("反馈矛盾待裁定", "answers that contradict, to be settled"),
            _heads(*disputed),
            _listed(ledger, disputed, "state = 'disputed'"),
        ),
        Figures(
            "promised",
            (f"已承诺修改、满{promised}天仍未更正", f"corrections promised {promised} days ago or more, not yet made"),
            _heads(*disputed, "answered_on"),
            waiting,
        ),
        Figures(
            "claimed",
            (
                "已报修改或清退、最近一轮数据仍未变化",
                "said to be corrected or removed, and the last data have not changed",
            ),
            _heads(*new_by, "cases"),
            claimed,
        ),
        Figures("refuted", REFUTED_RULES, (*_heads("rule_id", "title"), *_TOLD), refuted),
    ]


def _grouped(
    ledger: Ledger, by: Sequence[str], counts: Mapping[str, str], where: str, values: Sequence[object]
) -> pl.DataFrame:
    """The counts of the cases that `where` chooses, for each of `by`."""
    asked = ", ".join(_TALLIED[name][0] if name == "township" else name for name in by)
    told = ", ".join(counts.values())
    query = f"SELECT {asked}, {told} FROM cases WHERE first_round IS NOT NULL AND {where} GROUP BY {asked}"
    schema = {name: CASE_COLUMNS[name] for name in by} | dict.fromkeys(counts, pl.Int64())
    return ledger.frame(query, schema, values).sort(by, nulls_last=True)


def _listed(ledger: Ledger, columns: Sequence[str], where: str, values: Sequence[object] = ()) -> pl.DataFrame:
    return ledger.cases(where, values, columns)


def _heads(*names: str) -> tuple[tuple[str, str, str], ...]:
    return tuple((name, *_NAMES[name]) for name in names)


def _sum(name: str, which: pl.Expr | None = None) -> pl.Expr:
    """The number of cases, of those that `which` chooses, over tallies."""
    n = pl.col("n") if which is None else pl.when(which).then(pl.col("n")).otherwise(0)
    return n.sum().cast(pl.Int64).alias(name)


def _counted(cases: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    state = pl.col("state")
    tallies = (
        _sum("cases"),
        _sum("notes", pl.col("note")),
        _sum("to_send", state.is_in(TO_ASK)),
        _sum("out", state == "dispatched"),
        _sum("overdue", (state == "dispatched") & pl.col("past")),
        *(_sum(name, state == name) for name in ("answered", "disputed", "promised", "closed", "cleared", "exempt")),
    )
    return cases.group_by(by).agg(tallies).sort(by, nulls_last=True) if by else cases.select(tallies)


def _performance(cases: pl.DataFrame) -> Figures:
    """The ranking table: of what each township's villages were sent, how much was answered, in time, so, and put right."""
    return Figures(
        "performance", ("各乡镇反馈情况排行", "how townships answer, ranked"), _RANKED, _performed(cases, VILLAGE)
    )


def _performed(cases: pl.DataFrame, receiver: str) -> pl.DataFrame:
    """The ranking of one kind of receivers.

    `to_correct` are answers that a clue is so, whole or in part; `corrected` those of them that say what was put right and are
    closed, everybody having signed: the share cannot pass 100. Answers that contradict each other say neither so nor not so.
    """
    sent = cases.filter(pl.col("sent"), pl.col("receiver") == receiver)
    back, so = pl.col("back"), pl.col("verdict").is_in(TRUE_VERDICTS).fill_null(value=False)
    told = sent.group_by("county", "township").agg(
        _sum("sent"),
        _sum("back", back),
        _sum("in_time", back & pl.col("in_time")),
        _sum("so", back & (pl.col("verdict") == "属实").fill_null(value=False)),
        _sum("clear", back & pl.col("verdict").is_not_null()),
        _sum("to_correct", back & so),
        _sum("corrected", back & so & pl.col("mended")),
        _sum("late", ~back & pl.col("past")),
    )
    shares = {
        "back_share": ("back", "sent"),
        "in_time_share": ("in_time", "sent"),
        "so_share": ("so", "clear"),
        "corrected_share": ("corrected", "to_correct"),
    }
    told = told.with_columns(
        pl.when(pl.col(of) > 0).then((100 * pl.col(part) / pl.col(of)).round(1)).alias(name)
        for name, (part, of) in shares.items()
    )
    told = told.sort(
        "in_time_share", "back_share", "county", "township", descending=[True, True, False, False], nulls_last=True
    )
    told = told.with_columns(rank=pl.struct("in_time_share", "back_share").rank("min", descending=True).cast(pl.Int64))
    return told.select(name for name, _, _ in _RANKED)
