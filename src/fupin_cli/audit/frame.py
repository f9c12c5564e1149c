"""The sampling frame: every household that a plan can draw, each in one stratum, and those that it cannot, with the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from fupin_cli.errors import BadDataError, UsageError
from fupin_cli.language import tr
from fupin_cli.rules.predicate import evaluate
from fupin_cli.rules.sampling import LEVELS, OWN_FACTS, Plan
from fupin_cli.vocabulary import PLACES, SAMPLING_FRAME

OUTSIDE = {  # why a household cannot be drawn
    "no_place": "缺少抽样所需的市、县、乡镇或村名",
    "other_village": "所在村不在抽查范围",
    "no_stratum": "不属于计划中的任何一类",
    "unclear_stratum": "缺少数据，无法判断属于哪一类",
    "several_strata": "同时属于计划中的几类",
    "registered_already": "名单上的户，户主已在台账中",
    "listed_twice": "名单上的户，与前面一行是同一户",
}
_SEPARATOR = "\x1f"


@dataclass(frozen=True)
class SampleFrame:
    """Households that can be drawn (SAMPLING_FRAME and what is shown), those outside with `reason`, and the frame's hash.

    The hash is of the content: the same households in another order have the same one.
    """

    households: pl.DataFrame
    outside: pl.DataFrame
    sha256: str


def frame_of(
    plan: Plan,
    persons: pl.DataFrame,
    households: pl.DataFrame,
    listed: pl.DataFrame | None = None,
    villages: Sequence[str] | None = None,
) -> SampleFrame:
    """The frame of a plan: the register's households and, with `listed`, households outside the register.

    `listed` has head_name, id_number, household_id, the places, member_count and group_stated. `villages` limits the frame to
    these (县/乡镇/村 or 县/村). Raises BadDataError where a level that the plan draws at is written nowhere.
    """
    if plan.villages and villages is None:
        raise UsageError(
            tr("this plan draws among {villages} only, and nobody says which these are", villages=plan.villages),
            why=tr("no register has that column"),
            try_=tr("--villages FILE, with a line 县/乡镇/村 for each of them"),
        )
    told = _registered(persons, households)
    if listed is not None:
        told = pl.concat([told, _listed(listed, persons)], how="diagonal_relaxed")
    told = told.with_columns(reason=pl.lit(None, pl.String) if "reason" not in told.columns else pl.col("reason"))
    needed = [level for level in LEVELS[:-1] if level in plan.levels or level == "village"]
    needed += [stage.per for stage in plan.stages if stage.per]
    for level in needed:
        if not told[level].is_not_null().any():
            raise BadDataError(
                tr("the plan draws at the level {level}, and no household names one", level=level),
                where=plan.path.name,
                try_=tr(
                    'a column for it in the register, or another plan without [[stage]] unit = "{level}"', level=level
                ),
            )
    told = _because(told, pl.any_horizontal(pl.col(level).is_null() for level in needed), "no_place")
    if villages is not None:
        told = _because(told, ~_in_villages(told, villages), "other_village")
    told = _in_strata(told, plan)
    known = SAMPLING_FRAME.conform(told.drop("_size"))
    keep = [*SAMPLING_FRAME.names, *(name for name in plan.shows if name not in SAMPLING_FRAME.names)]
    known = known.with_columns(pl.lit(None).alias(name) for name in keep if name not in known.columns)
    known = known.with_columns(pl.Series("reason", told["reason"])).sort("unit_key")
    frame = known.filter(pl.col("reason").is_null()).select(keep)
    outside = known.filter(pl.col("reason").is_not_null()).select(*SAMPLING_FRAME.names, "reason")
    return SampleFrame(frame, outside, _hash(frame))


def _registered(persons: pl.DataFrame, households: pl.DataFrame) -> pl.DataFrame:
    """The register's households with their city, which only persons' rows carry."""
    city = pl.col("city") if "city" in persons.columns else pl.lit(None, pl.String)
    cities = persons.group_by("household_id").agg(city.drop_nulls().min().alias("city"))
    own = households.drop("city", "registered", "group_stated", strict=False)
    return own.join(cities, on="household_id", how="left").with_columns(
        unit_key="R|" + pl.col("household_id"),
        registered=pl.lit(value=True),
        group_stated=pl.lit(None, pl.String),
        _size=pl.lit(0),
    )


def _listed(listed: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """Households of the list; `reason` where the head is in the register, or the household stands on the list already."""
    number = pl.col("id_number")
    who = pl.concat_str(*PLACES, "head_name", "household_id", separator=_SEPARATOR, ignore_nulls=True)
    told = listed.with_columns(
        unit_key="L|" + pl.coalesce(number, who),
        registered=pl.lit(value=False),
        _size=pl.lit(0),
        _known=number.is_in(persons["id_number"].drop_nulls().unique().implode()).fill_null(value=False),
    ).sort("unit_key", "household_id", "village", "head_name", "group_stated", nulls_last=True)
    again = ~pl.col("unit_key").is_first_distinct()
    reason = pl.when("_known").then(pl.lit("registered_already")).when(again).then(pl.lit("listed_twice"))
    # whoever stands twice has one key: the later rows are told apart, or they would be one row in every join
    key = (
        pl.when(again)
        .then(pl.format("{}#{}", "unit_key", pl.int_range(pl.len()).over("unit_key")))
        .otherwise("unit_key")
    )
    return told.with_columns(reason=reason, unit_key=key).drop("_known", "id_number")


def _in_villages(told: pl.DataFrame, villages: Sequence[str]) -> pl.Series:
    """Which households live in the villages named. Raises UsageError for a village that the frame does not have, or has twice."""
    three, two = (
        pl.concat_str(*levels, separator="/", ignore_nulls=False) for levels in (PLACES, ("county", "village"))
    )
    named = told.select(three.alias("three"), two.alias("two"))
    for line in villages:
        found = named.filter((pl.col("three") == line) | (pl.col("two") == line))["three"].n_unique()
        if found != 1:
            raise UsageError(
                tr(
                    "the list of villages names {line}, and the frame has {what} of that name",
                    line=line,
                    what=found or "none",
                ),
                try_=tr("a line for each: 县/乡镇/村, written as in the register"),
            )
    wanted = list(villages)
    return named.select(
        (pl.col("three").is_in(wanted) | pl.col("two").is_in(wanted)).fill_null(value=False)
    ).to_series()


def _in_strata(told: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """The households with `stratum`; what is in none, in several, or cannot be told, has the reason."""
    if plan.strata[0].where is None:
        return told.with_columns(stratum=pl.lit(plan.strata[0].name))
    names = {name for stratum in plan.strata if stratum.where for name in stratum.where.names}
    asked = told.with_columns(pl.lit(None).alias(name) for name in sorted(names - set(told.columns)))
    truths = [
        evaluate(asked, stratum.where, f"{plan.path.name}, stratum {stratum.name}").alias(stratum.name)
        for stratum in plan.strata
        if stratum.where
    ]
    each = pl.DataFrame(truths)
    picked = each.select(
        yes=pl.sum_horizontal(pl.all().fill_null(value=False)),
        doubt=pl.any_horizontal(pl.all().is_null()),
        stratum=pl.coalesce(pl.when(name).then(pl.lit(name)) for name in each.columns),
    )
    told = told.with_columns(stratum=picked["stratum"])
    told = _because(told, picked["yes"] > 1, "several_strata")
    told = _because(told, picked["doubt"], "unclear_stratum")
    return _because(told, picked["yes"] == 0, "no_stratum")


def _because(told: pl.DataFrame, where: pl.Expr | pl.Series, reason: str) -> pl.DataFrame:
    """The frame with this reason where it holds and nothing else was said before."""
    here = told.select(where.alias("_here")).to_series() if isinstance(where, pl.Expr) else where
    return told.with_columns(reason=pl.when(pl.col("reason").is_null() & here).then(pl.lit(reason)).otherwise("reason"))


def _hash(frame: pl.DataFrame) -> str:
    """SHA-256 over the sorted rows as text: the same on every machine, in any order."""
    columns = [name for name in SAMPLING_FRAME.names if name not in OWN_FACTS]
    lines = frame.select(
        pl.concat_str(*(pl.col(name).cast(pl.String).fill_null("") for name in columns), separator=_SEPARATOR)
    ).to_series()
    return hashlib.sha256("\n".join(lines.sort()).encode()).hexdigest()
