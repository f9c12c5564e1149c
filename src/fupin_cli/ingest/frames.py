"""Rows as read → persons, households and evidence: rows with one 户编号 are one household."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from fupin_cli.ingest.people_of_row import identity_rows
from fupin_cli.ingest.profile import SourceProfile
from fupin_cli.ingest.sheet_report import FIRST_ROWS
from fupin_cli.normalise.identity import add_identity
from fupin_cli.normalise.regions import place_keys
from fupin_cli.vocabulary import EVIDENCE, HOUSEHOLDS, NOT_UNDERSTOOD, PERSONS

_NO_CELLS = pl.DataFrame(schema={"source": pl.String, "sheet": pl.String, "row": pl.Int64, "field": pl.String})
_PLACES = ("county", "township", "village", "hamlet")
_HEAD = "户主"


def to_persons(rows: pl.DataFrame) -> pl.DataFrame:
    """PERSONS, one per register row, numbered in the order of the files; the profile's other fields follow.

    A household number that two counties both use (001) means two households: there it is preceded by the county's name
    (`青禾-001`). A row of such a number that names no county keeps the bare number, for nobody can tell whose it is.
    """
    people = add_identity(rows).with_columns(pl.col("data_row").alias("register_row"))
    people = people.with_columns(pl.col("household_id").str.strip_chars())
    return PERSONS.conform(_apart_by_county(people, rows))


def _apart_by_county(people: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The people with each household number that counties share told apart; only a column of counties counts, no address."""
    county = place_keys(rows.select("county"))["county_key"] if "county" in rows.columns else pl.Series([None])
    if county.drop_nulls().n_unique() < 2:
        return people
    homes = pl.DataFrame({"household_id": people["household_id"], "county": county})
    shared = pl.col("county").min().over("household_id") != pl.col("county").max().over("household_id")
    apart = pl.when(shared).then(pl.format("{}-{}", "county", "household_id"))
    return people.with_columns(homes.select(pl.coalesce(apart, "household_id").alias("household_id")).to_series())


def to_households(persons: pl.DataFrame, profile: SourceProfile) -> pl.DataFrame:
    """HOUSEHOLDS with every household-level field, sorted by number; `member_count_actual` counts the rows.

    A field's value is what the head's row gives; where it gives none, the value on which the other members' rows agree. Rows
    that disagree leave it unknown, whatever their order. Source, sheet and row are those of the head's row, or of the first
    member's where no row says 户主.
    """
    is_head = pl.col("relation").eq_missing(pl.lit(_HEAD))
    fields = [name for name in dict.fromkeys([*_PLACES, *_household_fields(profile)]) if name in persons.columns]
    told = persons.with_columns(
        *(pl.when(is_head).then(name).alias(f"_{name}") for name in fields),
        pl.when(is_head).then("name").alias("_head"),
    )
    homes = (
        told.sort(is_head.not_(), "register_row")
        .group_by("household_id", maintain_order=True)
        .agg(
            *(pl.coalesce(_agreed(f"_{name}"), _agreed(name)).alias(name) for name in fields),
            pl.coalesce(pl.col("_head").min(), pl.col("head_name", "name").min()).alias("head_name"),
            pl.col("source", "sheet", "row").first(),
            pl.len().cast(pl.Int64).alias("member_count_actual"),
        )
    )
    return HOUSEHOLDS.conform(homes).sort("household_id")


def household_conflicts(persons: pl.DataFrame, profile: SourceProfile) -> list[tuple[str, int]]:
    """(field, households) for each household-level field on which the rows of one household disagree."""
    fields = [name for name in _household_fields(profile) if name in persons.columns]
    differ = persons.group_by("household_id").agg(pl.col(name).min() != pl.col(name).max() for name in fields)
    counts = differ.select(pl.col(name).sum() for name in fields).row(0)
    return [(name, count) for name, count in zip(fields, counts, strict=True) if count]


def _household_fields(profile: SourceProfile) -> list[str]:
    return [field.column for field in profile.fields if field.level == "household"]


def _agreed(column: str) -> pl.Expr:
    """The one value that the rows of a group give; null where they give none, or several."""
    value = pl.col(column)
    return pl.when(value.min() == value.max()).then(value.min())


def without_impossible_dates(evidence: pl.DataFrame, profile: SourceProfile) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The evidence without dates before the person's birth or after the list's own day; and which cells those were.

    The second frame has source, sheet, field, cells, and the first rows. Only fields that are `in_life` are looked at: a house
    may be older than its owner, and a contract end next year.
    """
    born = pl.min_horizontal("id_birth_on", "birth_on")
    fields = [f.column for f in profile.fields if f.in_life and f.column in evidence.columns]
    frames = []
    for name in fields:
        wrong = ((pl.col(name) < born) | (pl.col(name) > pl.col("as_of"))).fill_null(value=False)
        at = evidence.filter(wrong).select("source", "sheet", "row", field=pl.lit(name)).unique(maintain_order=True)
        if not at.height:
            continue
        frames.append(at)
        evidence = evidence.with_columns(
            pl.when(~wrong).then(name).alias(name),
            pl.when(wrong)
            .then(pl.concat_str(NOT_UNDERSTOOD, pl.lit(name), separator=" ", ignore_nulls=True))
            .otherwise(NOT_UNDERSTOOD)
            .alias(NOT_UNDERSTOOD),
        )
    found = pl.concat([_NO_CELLS, *frames]).group_by("source", "sheet", "field", maintain_order=True)
    return evidence, found.agg(pl.len().alias("cells"), pl.col("row").head(FIRST_ROWS).alias("rows"))


def impossible_together(pieces: Sequence[pl.DataFrame], profile: SourceProfile) -> pl.DataFrame:
    """The second frames of `without_impossible_dates` of one list's pieces as that of the whole list, field by field."""
    order = {field.column: at for at, field in enumerate(profile.fields)}
    found = pl.concat(pieces).sort(pl.col("field").replace_strict(order, return_dtype=pl.Int64), maintain_order=True)
    whole = found.group_by("source", "sheet", "field", maintain_order=True)
    return whole.agg(pl.col("cells").sum(), pl.col("rows").explode(empty_as_null=False).head(FIRST_ROWS))


def to_evidence(rows: pl.DataFrame, origin: Mapping[str, object]) -> pl.DataFrame:
    """EVIDENCE, one per person that an extract row names; `origin` gives extract, kind, department, stage and as_of.

    Rows are numbered in file order; further people of a row are numbered behind the last one, so that each has a number.
    """
    people = add_identity(rows).with_columns(identity_rows(rows).alias("extract_row"))
    return EVIDENCE.conform(people.with_columns(pl.lit(value).alias(name) for name, value in origin.items()))
