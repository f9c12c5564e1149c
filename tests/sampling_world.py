"""Invented populations whose rates are known, drawn and estimated many times."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from fupin_cli.audit.draw import draw_sample
from fupin_cli.audit.estimate import estimate_all
from fupin_cli.rules.sampling import Plan
from fupin_cli.vocabulary import SAMPLING_FRAME

COLUMNS = {
    "exit_status",
    "exit_year",
    "income_per_head_yuan",
    "house_grade",
}  # what the shipped plans read of the register


@dataclass(frozen=True)
class Held:
    """What many draws of one design said of one rate."""

    truth: float
    draws: int
    held: float
    above: float
    below: float
    width: float
    mean: float


def population(
    *, cities: int, counties: int, villages: int, homes: int, rate: float, alike: float, seed: int
) -> pl.DataFrame:
    """A frame whose households answer yes with this rate, villages apart as `alike` (an intraclass correlation) says."""
    rng = np.random.default_rng(seed)
    rows = []
    for city in range(cities):
        for county in range(counties):
            for village in range(villages):
                share = rng.beta(rate * (1 / alike - 1), (1 - rate) * (1 / alike - 1)) if alike else rate
                n = int(homes * rng.uniform(0.4, 1.8))
                yes = rng.random(n) < share
                sizes = rng.integers(1, 7, n)
                exited = rng.random(n) < 0.8
                place = (f"市{city}", f"县{city}-{county}", "乡", f"村{village}")
                rows += [
                    (f"R|{city}-{county}-{village}-{h}", *place, int(size), "脱贫户" if out else "未脱贫户", bool(says))
                    for h, (says, size, out) in enumerate(zip(yes, sizes, exited, strict=True))
                ]
    names = ["unit_key", "city", "county", "township", "village", "member_count", "stratum", "yes"]
    return SAMPLING_FRAME.conform(pl.DataFrame(rows, schema=names, orient="row"))


def cover(frame: pl.DataFrame, plan: Plan, *, rate: str, draws: int, silent: float = 0.0, seed: int = 1) -> Held:
    """The rate estimated from many draws; `silent` is the share of households that do not answer, whoever they are."""
    asked = next(each for each in plan.rates if each.id == rate)
    size = pl.lit(1) if asked.of == "households" else pl.col("member_count")
    among = frame.filter(pl.col("stratum").is_in(list(asked.among)))
    truth = among.select((pl.col("yes") * size).sum() / size.sum()).item()
    yes, no = (
        asked.counts[0],
        next(c for q in plan.questions if q.id == asked.question for c in q.choices if c not in asked.counts),
    )
    people = frame.group_by("stratum").agg(households=pl.len(), persons=pl.col("member_count").sum())
    alone = replace(plan, rates=(asked,), composites=(), tell_by=())
    rng, told = np.random.default_rng(seed), []
    for draw in range(draws):
        rows = draw_sample(frame, plan, seed * 100_000 + draw).rows
        heard = pl.Series(rng.random(rows.height) >= silent)
        said = pl.when("yes").then(pl.lit(yes)).otherwise(pl.lit(no))
        rows = rows.with_columns(
            pl.when(heard & pl.col("stratum").is_in(list(asked.among))).then(said).alias(f"q_{asked.question}")
        )
        told.append(estimate_all(rows, alone, people)[0])
    low, high = np.array([e.low for e in told]), np.array([e.high for e in told])
    return Held(
        truth, draws, float(np.mean((low <= truth) & (truth <= high))), float(np.mean(low > truth)), float(np.mean(high < truth)),
        float(np.mean(high - low)), float(np.mean([e.value for e in told])),
    )  # fmt: skip
