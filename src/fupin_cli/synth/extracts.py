"""The departments' extracts: which fields each kind has, and the lists as they are written and mixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from fupin_cli.synth.errors import damage, rates_for
from fupin_cli.synth.lists import LISTS
from fupin_cli.synth.people import BLOCK, CITY, PROVINCE, World
from fupin_cli.synth.plans import KEEPS_ID, has_plan, is_target

SHUFFLED = 16 * BLOCK  # rows of so many people are mixed with each other, and no others: chunks are whole multiples

FIELDS: dict[str, tuple[str, ...]] = {
    "household_registration": (
        "name",
        "former_name",
        "id_number",
        "sex",
        "birth_on",
        "hukou_no",
        "relation",
        "address",
        "hukou_status",
    ),
    "deaths": ("name", "id_number", "sex", "birth_on", "address", "death_on", "cancel_kind", "cancelled_on"),
    "vehicles": (
        "name",
        "id_number",
        "address",
        "plate_no",
        "vehicle_type",
        "use",
        "brand_model",
        "first_registered_on",
        "vehicle_status",
    ),
    "dibao": (
        "county",
        "township",
        "village",
        "head_name",
        "name",
        "id_number",
        "sex",
        "birth_on",
        "relation",
        "welfare_cert_no",
        "welfare_kind",
        "covered",
        "amount_month_yuan",
        "start_month",
    ),
    "tekun": (
        "county",
        "township",
        "village",
        "name",
        "id_number",
        "sex",
        "birth_on",
        "welfare_cert_no",
        "welfare_kind",
        "support_mode",
        "covered",
        "amount_month_yuan",
        "start_month",
    ),
    "housing_appraisals": (
        "township",
        "village",
        "name",
        "id_number",
        "address",
        "house_structure",
        "house_grade",
        "appraised_on",
        "renovated_on",
    ),
    "real_estate": (
        "right_no",
        "name",
        "id_number",
        "location",
        "area",
        "use",
        "obtain_mode",
        "co_own",
        "registered_on",
    ),
    "disability": (
        "county",
        "township",
        "village",
        "name",
        "sex",
        "birth_on",
        "disability_no",
        "disability_class",
        "disability_level",
        "issued_on",
        "cert_status",
    ),
    "payroll": ("employer", "name", "id_number", "sex", "birth_on", "post_kind", "salary_month_yuan"),
    "companies": (
        "company_name",
        "credit_code",
        "name",
        "id_number",
        "role",
        "capital_yuan",
        "founded_on",
        "company_status",
        "annual_report_year",
    ),
    "medical_insurance": (
        "county",
        "township",
        "village",
        "name",
        "id_number",
        "sex",
        "birth_on",
        "insurance_kind",
        "insured_status",
        "insured_year",
    ),
    "school_roll": (
        "name",
        "id_number",
        "sex",
        "birth_on",
        "student_no",
        "school",
        "grade",
        "enrolled_on",
        "attendance",
    ),
}


# what the later steps need of every row, whatever its kind
_CARRIED = (
    "uid",
    "draw_index",
    "household",
    "county_no",
    "township_no",
    "village_no",
    "village_code",
    "county",
    "township",
    "village",
    "hamlet",
    "name",
    "other_name",
    "former_name",
    "id_number",
    "relative_id",
    "disability_no",
    "certified",
    "sex",
    "birth_on",
    "plan",
    "target",
)


@dataclass(frozen=True)
class Source:
    """One extract as sent: its id, kind, comparison stage, and the county it covers (None: the whole province)."""

    id: str
    kind: str
    stage: str
    county_no: int | None = None


def extract_rows(facts: pl.DataFrame, source: Source, world: World, rates: Mapping[str, float]) -> pl.DataFrame:
    """Rows of one extract about the given people, true columns and written ones side by side, mixed within their block."""
    draw = world.draw
    listed = facts.with_columns(draw_index=pl.col("uid"), copy=pl.lit(0))
    if source.county_no is not None:
        listed = listed.filter(pl.col("county_no") == source.county_no)
    if source.stage == "county":
        listed = listed.filter(~pl.col("province_only"))
    if world.absent_share:
        absent = pl.col("registered") & (draw.unit("absent", pl.col("uid")) < world.absent_share)
        listed = listed.filter(~absent)
    rows = LISTS[source.kind](listed, world)
    rows = rows.select(
        list(dict.fromkeys([*_CARRIED, *(name for name in FIELDS[source.kind] if name in rows.columns)]))
    )
    # names are judged by the police file, and an unlinked UR row must be a stranger for sure
    rows = rows.with_columns(
        keeps_name=False,
        keeps_id=is_target("CMP-UR1", "CMP-UR2")
        | (has_plan(*KEEPS_ID) & pl.lit(source.kind == "household_registration")),
        forced_id=pl.lit(None, pl.String),
        forced_name=pl.lit(None, pl.String),
        forced_birth=pl.lit(None, pl.String),
        forced_sex=pl.lit(None, pl.String),
    )
    number = "disability_no" if source.kind == "disability" else "id_number"
    rows = damage(rows, world, source.id, rates_for(rates, "extract", source.kind), number)
    mixed = draw.bits(f"{source.id}:order", pl.col("draw_index"))
    return rows.sort(pl.col("uid") // SHUFFLED, mixed, maintain_order=True)


def written(rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """The extract as it is sent: text in every cell, one column per canonical field."""
    sources = {"name": "name_written", "id_number": "id_written"}
    if kind == "disability":
        sources["disability_no"] = "id_written"
    place = PROVINCE + CITY + pl.col("county") + pl.col("township")
    address = place + pl.col("village").fill_null("") + pl.col("hamlet")
    return rows.with_columns(address=address).select(
        pl.col(sources.get(name, name)).cast(pl.String).alias(name) for name in FIELDS[kind]
    )
