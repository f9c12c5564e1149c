"""What is told of an audit beside its workbooks: how the sample came about, what came back, and the rates that follow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl

from fupin_cli.report.audit_book import SAMPLE_NUMBER
from fupin_cli.report.table_book import Part, write_table_book
from fupin_cli.rules.sampling import Plan
from fupin_cli.vocabulary import PLACES

LEVEL_WORDS = {"city": "市", "county": "县（市、区）", "township": "乡镇", "village": "行政村", "household": "户"}
_PLACES = tuple((level, LEVEL_WORDS[level], 13.0) for level in PLACES)
_GROUP = ("group", "审计组", 8.0)
_STRATUM = ("stratum", "抽样类别", 16.0)
_PERSON = (("sample_id", SAMPLE_NUMBER, 22.0), _GROUP, *_PLACES, ("head_name", "户主姓名", 10.0), _STRATUM)
_AT = (("source", "文件", 30.0), ("sheet", "工作表", 14.0), ("row", "行号", 7.0), ("sample_id", SAMPLE_NUMBER, 22.0))


def write_account(
    path: Path, plan: Plan, rows: pl.DataFrame, short: pl.DataFrame, outside: pl.DataFrame, population: pl.DataFrame,
    facts: Mapping[str, str], day: date,
) -> Path:  # fmt: skip
    """How the sample came about, for whoever checks it: chances, what was short, who could not be drawn and why."""
    stages = range(len(plan.stages))
    chances = rows.group_by("group", "city", *PLACES, "stratum", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("drawn"),
        *(pl.col(f"pi_{k}").first().round(6).cast(pl.String) for k in stages),
        pl.col("weight").first().round(4).cast(pl.String),
    )
    lost = outside.group_by("reason", *PLACES).agg(pl.len().cast(pl.Int64).alias("n"))
    counts = ("households", "persons", "unsized")
    cited = {"办法": plan.note or plan.title, "依据": str(plan.citation)}
    told = [
        Part("抽样框", "可抽的户，按抽样类别。",
             (_STRATUM, ("households", "户数", 12.0), ("persons", "人口数", 12.0), ("unsized", "人口数未知的户", 16.0)),
             population.with_columns(pl.col(*counts).cast(pl.Int64)).sort("stratum")),
        Part("入样概率", "每村、每类的户数、各阶段的入样概率和权重（1/各阶段概率之积）。",
             (_GROUP, ("city", "市", 12.0), *_PLACES, _STRATUM, ("drawn", "抽中户数", 10.0),
              *((f"pi_{k}", f"概率：{LEVEL_WORDS[plan.stages[k].unit]}", 12.0) for k in stages), ("weight", "权重", 12.0)),
             chances),
        Part("不足而全取", "这些单位的数量不足计划数，已全部抽取。",
             (("level", "单位", 14.0), ("place", "所在", 40.0), _STRATUM, ("asked", "计划", 10.0), ("present", "实有", 10.0)),
             short.with_columns(pl.col("level").replace(LEVEL_WORDS), pl.col("place").str.strip_chars("/"))),
        Part("未列入抽样框", "这些户不能抽，按原因和所在村计数；逐户见 outside.parquet。",
             (("reason", "原因", 44.0), *_PLACES, ("n", "户数", 10.0)), lost.sort("reason", *PLACES, nulls_last=True)),
        Part("抽样记录", "种子和指纹请写入会议记录。", (("name", "项目", 20.0), ("text", "内容", 100.0)),
             _pairs({**facts, **cited})),
    ]  # fmt: skip
    return write_table_book(path, f"{plan.title}　抽样说明", day, {part.name: part.rows.height for part in told}, told)


def result_parts(plan: Plan, rates: pl.DataFrame, sample: pl.DataFrame) -> list[Part]:
    """The rates as `rates` words them, and how many answered; `sample` has the answers under q_<question>."""
    shown = (
        ("title", "指标", 18.0), ("place", "范围", 14.0), ("drawn", "抽中", 8.0), ("answered", "有效答复", 9.0),
        ("unclear", "答不能确定", 10.0), ("counted", "计入", 8.0), ("value", "估计", 10.0), ("interval", "95%置信区间", 18.0),
        ("extremes", "未答全否–全是", 18.0), ("limit", "标准", 12.0), ("verdict", "与标准相比", 12.0), ("remark", "备注", 26.0),
    )  # fmt: skip
    counts = (("drawn", "抽中", 8.0), ("answered", "有答复", 8.0), ("clear", "各项明确", 9.0), ("share", "应答率", 9.0))
    asked = tuple((f"q_{q.id}", q.title, max(12.0, q.width)) for q in plan.questions)
    return [
        Part("估计结果", "加权估计和95%置信区间。区间整个在标准一侧才说“达到”或“未达到”，否则样本不够大，“不能断定”。", shown,
             rates),
        Part("应答情况", "各村各类抽中、有答复、各项都有明确答案的户数。应答率低的，看“未答全否–全是”一栏。",
             (_GROUP, *_PLACES, _STRATUM, *counts), _response(sample, plan)),
        Part("答复明细", "计入的答案，逐户。样本用来估计总体；其中答为有问题的户，另按规定核实处理。", (*_PERSON, *asked),
             sample.filter(_given(plan))),
    ]  # fmt: skip


def trouble_parts(
    sample: pl.DataFrame, plan: Plan, problems: pl.DataFrame, conflicts: pl.DataFrame, altered: pl.DataFrame,
    unreadable: Mapping[str, str],
) -> list[Part]:  # fmt: skip
    """What did not come back, what was not counted and what was changed."""
    who = sample.select("sample_id", "group", *PLACES, "head_name", "stratum")
    answer = ("title", "栏目", 18.0)
    return [
        Part("未反馈", "抽中而没有任何答复的户（未填写，或退回的表中删去了该行）。", _PERSON, sample.filter(~_given(plan))),
        Part("未采用的答案", "这些答案没有计入。请按“问题”改正后报回。",
             (*_AT, ("problem", "问题", 40.0), answer, ("came_back", "报回内容", 26.0)), problems),
        Part("答复矛盾", "同一户同一问报回了不同的答案，都没有计入。请核实后只报回一份。",
             (*_PERSON, answer, ("came_back", "报回的各种答案", 30.0), ("sources", "文件", 40.0)),
             conflicts.join(who, on="sample_id", how="left")),
        Part("改动的内容", "系统生成的内容被改动。改动不予采用，答案照常计入。",
             (*_AT, ("header", "栏目", 16.0), ("sent", "原内容", 26.0), ("came_back", "报回内容", 26.0)), altered),
        Part("读不了的文件", "这些文件没有读入。", (("name", "文件", 40.0), ("text", "原因", 80.0)), _pairs(unreadable)),
    ]  # fmt: skip


def method_part(plan: Plan) -> Part:
    """How the figures came about, in plain words."""
    rates = [f"{rate.title}的标准：{rate.citation}" for rate in plan.rates if rate.citation]
    sums = [
        f"{each.title}＝（{'、'.join(each.poor)}人口＋各率推算的人口）／抽样框内总人口；"
        f"上下限由各率的上下限代入，偏宽。{each.citation or ''}"
        for each in plan.composites
    ]
    lines = [
        "每户的权重是其入样概率的倒数；人口口径的率再乘以家庭人口数。",
        "方差按抽样设计逐级计算：同一村的户彼此相似，村与村之间的差异计入；抽去大部分的，差异按有限总体折减。",
        "区间用 Korn–Graubard 法：把方差折成等价的独立户数，再求 Clopper–Pearson 精确区间；抽中的人全无问题时，上限也不是零。",
        f"答案完全一致、差异无从测量时，村内相似程度按 ρ={plan.rho:g} 计。",
        "没有答复的户由同村同类有答复的户代表；同村同类全无答复的，由其他村的同类代表。",
        "由别人代表是假定；“未答全否–全是”是不作假定时估计值的范围。",
        "一个县只抽几个村时，区间会很宽：看整体，不要拿单县的估计比高低。",
        *rates,
        *sums,
    ]
    numbered = {f"{n}": line for n, line in enumerate(lines, 1)}
    return Part(
        "估计方法", "公式和出处见 docs/sampling.md。", (("name", "", 6.0), ("text", "说明", 130.0)), _pairs(numbered)
    )


def _response(sample: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """By place and stratum: drawn, with any answer, and with a clear answer to every counted question."""
    clear = [
        (pl.col(f"q_{q.id}").is_not_null() & ~pl.col(f"q_{q.id}").is_in(list(q.unclear)))
        | ~pl.col("stratum").is_in(list(q.asked_of))
        for q in plan.questions
        if q.choices
    ]
    counts = sample.group_by("group", *PLACES, "stratum", maintain_order=True).agg(
        drawn=pl.len().cast(pl.Int64),
        answered=_given(plan).sum().cast(pl.Int64),
        clear=(pl.all_horizontal(clear) if clear else _given(plan)).fill_null(value=False).sum().cast(pl.Int64),
    )
    return counts.with_columns(share=(100 * pl.col("answered") / pl.col("drawn")).round(1).cast(pl.String) + "%")


def _given(plan: Plan) -> pl.Expr:
    """Whether a household has any answer."""
    return pl.any_horizontal(pl.col(f"q_{question.id}").is_not_null() for question in plan.questions)


def _pairs(told: Mapping[str, str]) -> pl.DataFrame:
    schema = {"name": pl.String, "text": pl.String}
    return pl.DataFrame({"name": list(told), "text": list(told.values())}, schema=schema)
