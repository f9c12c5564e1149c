"""Rows as read → persons, households and evidence: rows with one 户编号 are one household."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from fupin_cli.ingest.profile import SourceProfile
from fupin_cli.normalise.identity import add_identity
from fupin_cli.vocabulary import EVIDENCE, HOUSEHOLDS, PERSONS

_PLACES = ("county", "township", "village", "hamlet")
_HEAD = "户主"


def to_persons(rows: pl.DataFrame) -> pl.DataFrame:
    """PERSONS, one per register row, numbered in the order of the files; the profile's other fields follow."""
    people = add_identity(rows).with_columns(pl.col("data_row").alias("register_row"))
    people = people.with_columns(pl.col("household_id").str.strip_chars())
    return PERSONS.conform(people)


def to_households(persons: pl.DataFrame, profile: SourceProfile) -> pl.DataFrame:
    """HOUSEHOLDS with every household-level field, sorted by number; `member_count_actual` counts the rows.

    A field's value is the first one that any member's row gives, in row order; source, sheet and row are those of the head's
    row, or of the first member's where no row says 户主.
    """
    fields = [field.column for field in profile.fields if field.level == "household"]
    ordered = persons.sort(pl.col("relation").eq_missing(pl.lit(_HEAD)).not_(), "register_row")

    def first(column: str) -> pl.Expr:
        return pl.col(column).drop_nulls().first()

    wanted = dict.fromkeys([*_PLACES, *fields])
    head = pl.coalesce(pl.col("name").filter(pl.col("relation") == _HEAD).first(), first("head_name"), first("name"))
    homes = ordered.group_by("household_id", maintain_order=True).agg(
        *(first(column).alias(column) for column in wanted if column in persons.columns),
        head.alias("head_name"),
        pl.col("source", "sheet", "row").first(),
        pl.len().cast(pl.Int64).alias("member_count_actual"),
    )
    return HOUSEHOLDS.conform(homes).sort("household_id")


def to_evidence(rows: pl.DataFrame, origin: Mapping[str, object]) -> pl.DataFrame:
    """EVIDENCE, one per extract row, numbered in file order; `origin` gives extract, kind, department, stage and as_of."""
    people = add_identity(rows).with_columns(pl.col("data_row").alias("extract_row"))
    return EVIDENCE.conform(people.with_columns(pl.lit(value).alias(name) for name, value in origin.items()))
