"""Rates from the answers of a sample, with intervals that follow from how it was drawn.

A rate is a ratio of two weighted sums; its variance is Taylor's (Särndal, Swensson and Wretman 1992, 5.6), summed over the stages
with their finite population corrections (ibid. 4.3; Lohr 2019, 6). Intervals are Korn and Graubard's (1998): Clopper and
Pearson's with the number of answers that the variance is worth, so that nobody of fifty is not nobody at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from fupin_cli.audit.intervals import LEVEL, clopper_pearson, t_quantile
from fupin_cli.rules.sampling import Composite, Plan, Rate

MET, NOT_MET, UNKNOWN = "达到", "未达到", "不能断定"
WHOLE = "全部"


@dataclass(frozen=True)
class Estimate:
    """One rate of one place (or WHOLE). `value` is None where nobody answered; shares are between 0 and 1.

    `worst` and `best` are the rate if everybody who gave no clear answer had answered one way or the other. `units` are the
    independent units that the interval rests on, `lonely` the drawn-alone ones whose spread could not be seen.
    """

    id: str
    title: str
    place: str
    drawn: int
    answered: int
    unclear: int
    counted: int
    value: float | None
    low: float | None
    high: float | None
    error: float | None
    worst: tuple[float, float] | None
    effective: float | None
    df: float | None
    lonely: int
    unsized: int
    limit: float | None
    side: str
    verdict: str


def estimate_all(sample: pl.DataFrame, plan: Plan, population: pl.DataFrame) -> list[Estimate]:
    """Every rate of the plan, over all and by each place of `tell_by`, then the composites.

    `sample` is a drawn SAMPLE with a column `q_<question>` of answers, null where there is none; `population` has stratum,
    households and persons of the whole frame.
    """
    told = []
    stages = len(plan.stages)
    for rate in plan.rates:
        told.append(estimate_rate(sample, rate, plan, stages, WHOLE, pl.lit(value=True)))
        for level in plan.tell_by:
            places = sample.select(pl.col(level).unique().sort()).to_series().drop_nulls().to_list()
            if len(places) > 1:
                told += [estimate_rate(sample, rate, plan, stages, place, pl.col(level) == place) for place in places]
    whole = {estimate.id: estimate for estimate in told if estimate.place == WHOLE}
    rates = {rate.id: rate for rate in plan.rates}
    return told + [_composed(composite, whole, rates, population) for composite in plan.composites]


def estimate_rate(sample: pl.DataFrame, rate: Rate, plan: Plan, stages: int, place: str, here: pl.Expr) -> Estimate:
    """One rate over the part of the sample that `here` picks."""
    question = next(question for question in plan.questions if question.id == rate.question)
    answer = pl.col(f"q_{rate.question}")
    size = pl.lit(1.0) if rate.of == "households" else pl.col("member_count").cast(pl.Float64)
    asked = sample.with_columns(
        _in=(pl.col("stratum").is_in(list(rate.among)) & here).fill_null(value=False),
        _clear=answer.is_not_null() & ~answer.is_in(list(question.unclear)),
        _size=size,
        _yes=answer.is_in(list(rate.counts)).fill_null(value=False),
    ).with_columns(_sized=pl.col("_size").is_not_null() & (pl.col("_size") > 0))
    domain = asked.filter("_in")
    used = pl.col("_in") & pl.col("_clear") & pl.col("_sized")
    asked = asked.with_columns(_used=used)
    counts = {
        "drawn": domain.height,
        "answered": domain.filter("_clear").height,
        "unclear": domain.filter(~pl.col("_clear"), answer.is_not_null()).height,
        "unsized": domain.filter("_clear", ~pl.col("_sized")).height,
        "counted": domain.filter("_clear", "_yes").height,
    }
    figures = _figures(asked, stages, plan.rho)
    verdict = judged(figures.low, figures.high, rate.limit, rate.side)
    return Estimate(
        rate.id, rate.title, place, counts["drawn"], counts["answered"], counts["unclear"], counts["counted"],
        figures.value, figures.low, figures.high, figures.error, _extremes(domain), figures.effective,
        figures.df if math.isfinite(figures.df) else None,
        figures.lonely, counts["unsized"], rate.limit, rate.side, verdict,
    )  # fmt: skip


def judged(low: float | None, high: float | None, limit: float | None, side: str) -> str:
    """Whether the whole interval is on the right side of the limit, on the wrong one, or on both; nothing without a limit."""
    if limit is None:
        return ""
    if low is None or high is None:
        return UNKNOWN
    right, wrong = (high < limit, low >= limit) if side == "below" else (low >= limit, high < limit)
    return MET if right else NOT_MET if wrong else UNKNOWN


@dataclass(frozen=True)
class _Figures:
    value: float | None = None
    low: float | None = None
    high: float | None = None
    error: float | None = None
    effective: float | None = None
    df: float = 0.0
    lonely: int = 0


def _figures(asked: pl.DataFrame, stages: int, rho: float) -> _Figures:
    """The ratio, its standard error and its interval."""
    if not asked["_used"].any():
        return _Figures()
    rows = _for_silence(asked, stages)
    used = rows["_used"].to_numpy()
    weight = np.where(used, rows["_weight"].to_numpy(), 0.0)
    size = rows["_size"].fill_null(0.0).to_numpy()
    yes = rows["_yes"].to_numpy().astype(float)
    total = float((weight * size).sum())
    value = float((weight * size * yes).sum()) / total
    n = int(used.sum())
    df = _degrees(rows, used, stages)
    if math.isinf(df):  # everybody was asked, and answered
        return _Figures(value, value, value, 0.0, float(n), df, 0)
    spread, lonely = _variance(rows, weight * size * (yes - value) / total, stages)
    if 0 < value < 1 and spread > 0:
        effective = min(value * (1 - value) / spread, float(n))
    else:  # no answer differs, and no spread can be seen: what the design could cost is taken from rho
        mass = weight[used] * size[used]
        alike = 1 + (n / len({*_clusters(rows, used, stages)}) - 1) * rho
        effective = min(float(mass.sum() ** 2 / (mass**2).sum()) / max(alike, 1.0), float(n))
    tail = 1 - (1 - LEVEL) / 2
    worth = effective * (t_quantile(tail, max(n - 1, 1)) / t_quantile(tail, df)) ** 2
    worth = min(worth, float(n))
    low, high = clopper_pearson(value * worth, worth)
    return _Figures(value, min(low, value), max(high, value), math.sqrt(spread), worth, df, lonely)


def _for_silence(asked: pl.DataFrame, stages: int) -> pl.DataFrame:
    """The rows with `_weight` and `_pi`, those who answered standing for those of their village and stratum who did not.

    Where nobody of a village's stratum answered, the stratum's other villages stand for it. Within a village those who answered
    are taken for drawn at random from all who were: that is an assumption, and `worst` shows what it could hide.
    """
    cell, pi = f"cell_{stages - 1}", f"pi_{stages - 1}"
    weight, used, inside = pl.col("weight"), pl.col("_used"), pl.col("_in")
    rows = asked.with_columns(
        _got=(used.sum() / inside.sum()).over(cell),
        _weight=pl.when(used).then(weight * (inside * weight).sum().over(cell) / (used * weight).sum().over(cell)),
    )
    silent = (inside * weight).sum().over("stratum") / pl.col("_weight").sum().over("stratum")
    return rows.with_columns(
        _weight=pl.when(used).then(pl.col("_weight") * silent).otherwise(0.0),
        _pi=pl.when(inside).then(pl.col(pi) * pl.col("_got")).otherwise(pl.col(pi)),
    )


def _chances(rows: pl.DataFrame, stages: int) -> list[np.ndarray]:
    return [rows["_pi" if k == stages - 1 else f"pi_{k}"].to_numpy() for k in range(stages)]


def _clusters(rows: pl.DataFrame, used: np.ndarray, stages: int) -> list[tuple[str, str]]:
    """For each used row the cell and the unit of the first stage at which chance came in; those of a full count left out."""
    chances, found = _chances(rows, stages), []
    cells = [rows[f"cell_{k}"].to_list() for k in range(stages)]
    units = [rows[f"unit_{k}"].to_list() for k in range(stages)]
    for at in np.flatnonzero(used):
        k = next((k for k in range(stages) if chances[k][at] < 1), None)
        if k is not None:
            found.append((f"{k}|{cells[k][at]}", f"{k}|{units[k][at]}"))
    return found


def _degrees(rows: pl.DataFrame, used: np.ndarray, stages: int) -> float:
    """Units less cells, at the first stage at which chance came in; infinite for a full count."""
    found = set(_clusters(rows, used, stages))
    return float(max(len({unit for _, unit in found}) - len({cell for cell, _ in found}), 1)) if found else math.inf


def _variance(rows: pl.DataFrame, part: np.ndarray, stages: int) -> tuple[float, int]:
    """The variance of the sum of `part`, each row's weighted part of the estimate; and how many units stood alone in their cell.

    From the last stage to the first: between the units of each cell, corrected for what of the cell was taken, and within
    them, for the share of units taken. With equal chances this is the textbook's, with unequal ones Brewer's (2002)
    approximation.
    """
    told = rows.select(
        *(pl.col(f"{name}_{k}") for k in range(stages) for name in ("cell", "unit")), "_pi", "_used"
    ).with_columns(u=pl.Series(part), v=pl.lit(0.0), pi=pl.col("_pi"))
    # who was drawn and did not answer is no unit of the last stage: those who did stand for them
    told, lonely = told.filter("_used"), 0
    for k in reversed(range(stages)):
        if k < stages - 1:
            told = told.group_by(f"unit_{k}").agg(pl.col("u").sum(), pl.col("v").sum())
            units = rows.select(
                f"unit_{k}", f"cell_{k}", pl.col(f"pi_{k}").alias("pi"), *([f"unit_{k - 1}"] if k else [])
            )
            # places where nobody of this kind was drawn are units, too: they have none of it
            told = (
                units.unique(f"unit_{k}")
                .join(told, on=f"unit_{k}", how="left")
                .with_columns(pl.col("u", "v").fill_null(0.0))
            )
        cells = _cells(told, f"cell_{k}", f"unit_{k - 1}" if k else None)
        lonely += int(cells["alone"].sum())
        if not k:
            return float(cells["variance"].sum()), lonely
        told = cells.select(pl.col("above").alias(f"unit_{k - 1}"), "u", pl.col("variance").alias("v"))
    raise AssertionError("a plan has stages")


def _cells(told: pl.DataFrame, cell: str, above: str | None) -> pl.DataFrame:
    """For each cell its sum u, its variance, and 1 where its only unit was drawn by chance."""
    chance = pl.col("pi") < 1
    open_ = 1 - pl.col("pi")
    told = told.with_columns(n=chance.sum().over(cell))
    mean = (pl.when(chance).then(open_ * pl.col("u")).sum() / pl.when(chance).then(open_).sum()).over(cell)
    # a unit drawn alone is held against nothing: the parts of the whole add up to nothing
    centre = pl.when(pl.col("n") > 1).then(mean).otherwise(0.0)
    factor = pl.when(pl.col("n") > 1).then(pl.col("n") / (pl.col("n") - 1)).otherwise(1.0)
    between = pl.when(chance).then(factor * open_ * (pl.col("u") - centre) ** 2).otherwise(0.0)
    return told.group_by(cell).agg(
        (pl.col(above).first() if above else pl.lit("").first()).alias("above"),
        pl.col("u").sum(),
        (between + pl.col("pi") * pl.col("v")).sum().alias("variance"),
        (chance.any() & (pl.col("n").first() == 1)).cast(pl.Int64).alias("alone"),
    )


def _extremes(domain: pl.DataFrame) -> tuple[float, float] | None:
    """The rate with everybody who gave no clear answer counted as none, and as all of them."""
    mass = domain.filter("_sized").select(
        all=(pl.col("weight") * pl.col("_size")).sum(),
        yes=(pl.col("weight") * pl.col("_size")).filter("_clear", "_yes").sum(),
        silent=(pl.col("weight") * pl.col("_size")).filter(~pl.col("_clear")).sum(),
    )
    whole, yes, silent = mass.row(0)
    return (yes / whole, (yes + silent) / whole) if whole else None


def _composed(
    composite: Composite, whole: dict[str, Estimate], rates: dict[str, Rate], population: pl.DataFrame
) -> Estimate:
    """Known poor people and those that rates point to, of everybody in the frame.

    The limits put the limits of each rate in its place, all at once: wider than need be, whatever ties the rates together.
    """
    persons = dict(population.select("stratum", "persons").rows())
    parts = [(whole[id_], sum(persons.get(name, 0) for name in rates[id_].among)) for id_ in composite.adds]
    total = sum(persons.values())
    poor = sum(persons.get(name, 0) for name in composite.poor)
    lacking = not total or any(not count or part.value is None for part, count in parts)

    def share(field: str) -> float | None:
        if lacking:
            return None
        return float(poor + sum(getattr(part, field) * count for part, count in parts)) / total

    low, high = share("low"), share("high")
    return Estimate(
        composite.id, composite.title, WHOLE, sum(part.drawn for part, _ in parts), sum(part.answered for part, _ in parts),
        sum(part.unclear for part, _ in parts), sum(part.counted for part, _ in parts), share("value"), low, high, None, None,
        None, None, 0, 0, composite.limit, composite.side,
        judged(low, high, composite.limit, composite.side),
    )  # fmt: skip


def rate_rows(estimates: Sequence[Estimate]) -> pl.DataFrame:
    """The estimates as rows of text and counts, for a workbook or a terminal."""
    rows = [
        {
            "title": e.title, "place": e.place, "drawn": e.drawn, "answered": e.answered, "unclear": e.unclear,
            "counted": e.counted, "value": percent(e.value),
            "interval": between(e.low, e.high) or "无法估计",
            "extremes": between(*e.worst) if e.worst else "",
            "limit": limit_words(e), "verdict": e.verdict, "remark": remark_words(e),
        }
        for e in estimates
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def percent(share: float | None) -> str:
    """A share as people read it, two digits behind the point."""
    return "—" if share is None else f"{100 * share:.2f}%"


def between(low: float | None, high: float | None) -> str:
    """Two shares as people read them; nothing where there are none."""
    return "" if low is None or high is None else f"{100 * low:.2f}–{100 * high:.2f}%"


def remark_words(estimate: Estimate) -> str:
    """What weakens an estimate, in words; nothing where nothing does."""
    told = []
    if not estimate.answered and estimate.drawn:
        told.append("没有一户答复")
    if not estimate.drawn:
        told.append("样本里没有这类户")
    if estimate.unsized:
        told.append(f"{estimate.unsized} 户人口数不明，未计入")
    if estimate.lonely:
        told.append(f"{estimate.lonely} 个单位在其上级单位中只抽中一个，差异按偏大估计")
    return "；".join(told)


def limit_words(estimate: Estimate) -> str:
    """The limit in words, nothing where there is none."""
    if estimate.limit is None:
        return ""
    return f"{'低于' if estimate.side == 'below' else '不低于'}{100 * estimate.limit:g}%"
