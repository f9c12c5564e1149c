"""The register: one row per registered person, with whatever was planted and written wrongly in it."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from fupin_cli.synth.draws import look_up
from fupin_cli.synth.errors import damage, rates_for
from fupin_cli.synth.people import World, with_village
from fupin_cli.synth.plans import KEEPS_ID, KEEPS_NAME, has_plan, is_target

FIELDS = (
    "county", "township", "village", "hamlet", "household_id", "person_id", "head_name", "name", "id_type", "id_number", "sex",
    "birth_on", "relation", "ethnicity", "education", "student_status", "dropout_reason", "health", "disability_type", "labour",
    "work_months", "resident_medical", "employee_medical", "critical_illness_ins", "dibao", "tekun", "home_teaching",
    "education_exempt", "entered_on", "poverty_attr", "exit_status", "exit_year", "first_identified_year", "cause_main",
    "member_count", "income_total_yuan", "income_net_yuan", "income_per_head_yuan", "income_wage_yuan", "house_grade",
    "dilapidated", "renovation_year", "safe_water", "food_ok", "clothing_ok", "monitor_class",
)  # fmt: skip
_COPY = 50_000_000  # added to the person number of a second entry of the same person


def register_rows(facts: pl.DataFrame, world: World, rates: Mapping[str, float]) -> pl.DataFrame:
    """Register rows of the given people, true columns and written ones side by side, in village order."""
    listed = facts.filter("registered").with_columns(copy=pl.lit(0), draw_index=pl.col("uid"))
    if world.unlisted_share:
        listed = listed.filter(world.draw.unit("unlisted", pl.col("uid")) >= world.unlisted_share)
    rows = pl.concat([listed, *_second_entries(listed, world)], how="vertical_relaxed")
    rows = with_village(rows, world).with_columns(
        number_in_village=pl.col("household") % 4999 + 5000 * pl.col("copy"),
        person_id=(990121 + pl.col("county_no")).cast(pl.String)
        + (pl.col("uid") + _COPY * pl.col("copy")).cast(pl.String).str.zfill(8),
    )
    rows = rows.with_columns(
        household_id=pl.col("village_code").cast(pl.String) + pl.col("number_in_village").cast(pl.String).str.zfill(4),
        keeps_id=has_plan(*KEEPS_ID),
        keeps_name=has_plan(*KEEPS_NAME),
        forced_id=pl.when(is_target("CMP-ID4")).then(pl.lit("id_of_relative")),
        forced_name=pl.when(is_target("CMP-NM1")).then(
            world.draw.pick(
                "planted_name", pl.col("uid"), ["name_homophone", "name_shape", "name_dropped", "name_renamed"]
            )
        ),
        forced_birth=pl.when(is_target("CMP-ID2")).then(pl.lit("birth_wrong")),
        forced_sex=pl.when(is_target("CMP-ID1")).then(pl.lit("sex_wrong")),
    )
    rows = damage(rows, world, "register", rates_for(rates, "register", "register")).sort("uid", "copy")
    return rows.with_columns(
        head_name=pl.col("name_kept").first().over("household_id"),
        id_type=pl.when(pl.col("id_fault") == "id_disability_number")
        .then(pl.lit("残疾人证"))
        .otherwise(pl.lit("居民身份证")),
    )


def written(rows: pl.DataFrame) -> pl.DataFrame:
    """The register as it is sent: text in every cell, one column per canonical field."""
    yes = {name: pl.when(name).then(pl.lit("是")).otherwise(pl.lit("否")) for name in ("dibao", "tekun")}
    special = {
        name: pl.when("pupil").then(pl.when(name).then(pl.lit("是")).otherwise(pl.lit("否")))
        for name in ("home_teaching", "education_exempt")
    }
    return rows.with_columns(**yes, **special).select(
        *_text_columns(rows, FIELDS, {"name": "name_written", "id_number": "id_written"}),
    )


def _text_columns(rows: pl.DataFrame, fields: tuple[str, ...], sources: Mapping[str, str]) -> list[pl.Expr]:
    return [
        pl.col(sources.get(name, name)).cast(pl.String).alias(name)
        for name in fields
        if sources.get(name, name) in rows.columns
    ]


def _second_entries(listed: pl.DataFrame, world: World) -> list[pl.DataFrame]:
    """Rows of people entered twice: alone in the next village (DUP1), or the whole household in another county (DUP2)."""
    again = pl.lit(1)
    alone = listed.filter(is_target("CMP-DUP1")).with_columns(
        copy=again,
        draw_index=pl.col("uid") + 10**9,
        village_no=(pl.col("village_no") + 1) % world.villages,
        relation=pl.lit("户主"),
        member_count=pl.lit(1, pl.Int64),
        # another clerk's entry of one person alone: no work, no cause that needs the others
        work_months=pl.lit(None, pl.Int64),
        income_wage_yuan=pl.lit(0, pl.Int64),
        cause_main=pl.lit("缺技术"),
        labour=pl.when(pl.col("labour").is_in(["无劳动力", "丧失劳动力"])).then(pl.lit("弱劳动力或半劳动力")).otherwise("labour"),
        hamlet=look_up([f"{n}组" for n in range(1, 9)], pl.col("uid") % 8),
        **{
            name: pl.col(name) // pl.col("size")
            for name in ("income_net_yuan", "income_total_yuan")
        },
    )  # fmt: skip
    elsewhere = listed.filter(has_plan("CMP-DUP2")).with_columns(
        copy=again, draw_index=pl.col("uid") + 10**9, county_no=(pl.col("county_no") + 1) % world.counties
    )
    return [alone, elsewhere]
