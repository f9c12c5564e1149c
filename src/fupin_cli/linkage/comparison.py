"""Comparison levels: how far each field of a candidate pair agrees, in a few named steps. Missing is a level of its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

import polars as pl

from fupin_cli.characters import NAME_LEVELS, compare_names
from fupin_cli.linkage.blocking import PAIR, first_fifteen, in_parts, seventeen

ID_LEVELS = ("exact", "repaired", "slip", "damaged", "same_text", "partial", "disowned", "unlike", "different")
ID_AGREES = ID_LEVELS[:6]
ONE_VILLAGE = ("hamlet", "village", "in_village")
PLACES = 5  # levels of place that say how far apart two rows are; the others say less
LEVELS: dict[str, tuple[str, ...]] = {
    "id_number": ID_LEVELS,
    "masked": ("agrees", "differs"),  # as far as both numbers can be seen
    "name": ("exact", "former", *NAME_LEVELS[1:]),
    "birth": ("equal", "one_fault", "different"),
    "sex": ("equal", "different"),
    # the last three: one village, township or county, and nobody says which part of it
    "place": ("hamlet", "village", "township", "county", "elsewhere", "in_village", "in_township", "in_county"),
    "phone": ("equal", "different"),
    "household": ("joined", "apart"),
}
_FIELDS = (
    "code", "digits", "cut", "name", "former_name", "birth", "birth_in_id", "male", "county_code", "township_code",
    "village_code", "hamlet_code", "phone",
)  # fmt: skip


def compare(pairs: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame) -> pl.DataFrame:
    """The pairs with `id_number`, `name`, `birth`, `sex`, `place` and `phone` as levels (Enum), null where a side says nothing.

    Pairs are positions in the two frames of `prepare`d KEYS; they carry `repaired` and `slip` (blocking found their numbers one
    fault apart) and `disowned` (one of the numbers belongs to somebody of another name).
    """
    both = pairs.hstack(_side(r, pairs[PAIR[0]], "r")).hstack(_side(e, pairs[PAIR[1]], "e"))
    levels = both.lazy().select(
        *pairs.columns, _id_number().alias("id_number_level"), _sex().alias("sex_level"), _place().alias("place_level"),
        _phone().alias("phone_level"),
    )  # fmt: skip
    return levels.collect().with_columns(_births(both).alias("birth_level"), _names(both).alias("name_level"))


def levels_of(field: str) -> pl.Enum:
    """The dtype of a field's levels."""
    return pl.Enum(LEVELS[field])


def _as(field: str, level: str) -> pl.Expr:
    # a byte a row; texts would be sixteen, and looked up once more
    return pl.lit(level, levels_of(field))


def _side(people: pl.DataFrame, rows: pl.Series, suffix: str) -> list[pl.Series]:
    return [people[name].gather(rows).alias(f"{name}_{suffix}") for name in _FIELDS]


def _id_number() -> pl.Expr:
    """The strongest way in which the two numbers agree; null where a side has no digits at all."""
    given = {side: pl.col(f"code_{side}").is_not_null() | pl.col(f"digits_{side}").is_not_null() for side in "re"}
    usable = pl.col("code_r").is_not_null() & pl.col("code_e").is_not_null()
    equal_parts = [a == b for a, b in zip(in_parts(seventeen("_r")), in_parts(seventeen("_e")), strict=True)]
    cut = pl.col("cut_r") | pl.col("cut_e")
    return (
        pl.when(~given["r"] | ~given["e"]).then(None)
        .when(usable & (pl.col("code_r") == pl.col("code_e"))).then(_as("id_number", "exact"))
        .when("disowned").then(_as("id_number", "disowned"))
        .when(usable).then(_as("id_number", "different"))
        .when(cut & (first_fifteen("_r") == first_fifteen("_e"))).then(_as("id_number", "damaged"))
        .when(pl.col("digits_r") == pl.col("digits_e")).then(_as("id_number", "same_text"))
        .when(pl.col("repaired") & ~pl.col("slip")).then(_as("id_number", "repaired"))
        .when("repaired").then(_as("id_number", "slip"))
        .when(~cut & (pl.sum_horizontal(equal_parts) >= 2)).then(_as("id_number", "partial"))
        .otherwise(_as("id_number", "unlike"))
    )  # fmt: skip


def _births(both: pl.DataFrame) -> pl.Series:
    """The best agreement of any birth date on one side with any on the other: of its own column, or inside the ID number.

    Most dates are equal; only of the others is anything more asked. Two columns that differ are never equal, whatever the
    numbers say: one number may be borrowed.
    """
    dates = [(pl.col(f"{a}_r"), pl.col(f"{b}_e")) for a in ("birth", "birth_in_id") for b in ("birth", "birth_in_id")]
    known = reduce(or_, (a.is_not_null() & b.is_not_null() for a, b in dates))
    equal = reduce(or_, ((a == b).fill_null(value=False) for a, b in dates))
    # both have a column of their own: where those differ one of them is wrong, though a number says the same on both sides
    apart = (pl.col("birth_r") != pl.col("birth_e")).fill_null(value=False)
    level = pl.when(equal & ~apart).then(_as("birth", "equal")).when(known).then(_as("birth", "different"))
    levels = both.select(level.alias("level")).to_series()
    open_ = (levels == "different").fill_null(value=False).arg_true()
    near = [_one_fault(a, b).fill_null(value=False) for a, b in dates]
    close = reduce(or_, near[:-1]) | (near[-1] & ~apart)
    columns = [f"{name}_{side}" for name in ("birth", "birth_in_id") for side in "re"]
    faulty = open_.filter(
        both.lazy().select(pl.col(columns).gather(open_)).select(close.alias("close")).collect()["close"]
    )
    return levels.scatter(faulty, pl.repeat("one_fault", len(faulty), dtype=levels.dtype, eager=True))


def _one_fault(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Two dates that differ in one of year, month and day, or have the last two exchanged."""
    year, month, day = (getattr(a.dt, part)() == getattr(b.dt, part)() for part in ("year", "month", "day"))
    exchanged = (a.dt.month() == b.dt.day()) & (a.dt.day() == b.dt.month()) & year
    next_year = (a.dt.year().cast(pl.Int32) - b.dt.year().cast(pl.Int32)).abs() <= 10
    fault: pl.Expr = (year & month) | (year & day) | (month & day & next_year) | exchanged
    return fault


def _sex() -> pl.Expr:
    same = pl.col("male_r") == pl.col("male_e")
    return pl.when(same).then(_as("sex", "equal")).when(~same).then(_as("sex", "different"))


def _phone() -> pl.Expr:
    same = pl.col("phone_r") == pl.col("phone_e")
    return pl.when(same).then(_as("phone", "equal")).when(~same).then(_as("phone", "different"))


def _place() -> pl.Expr:
    same = {
        part: pl.col(f"{part}_code_r") == pl.col(f"{part}_code_e")
        for part in ("county", "township", "village", "hamlet")
    }
    known = {part: same[part].is_not_null() for part in same}
    not_other_county = same["county"].fill_null(value=True)
    township = pl.when(known["village"]).then(_as("place", "township")).otherwise(_as("place", "in_township"))
    village = (
        pl.when(same["hamlet"]).then(_as("place", "hamlet")).when(known["hamlet"]).then(_as("place", "village"))
        .otherwise(_as("place", "in_village"))
    )  # fmt: skip
    county = pl.when(known["township"]).then(_as("place", "county")).otherwise(_as("place", "in_county"))
    return (
        pl.when(same["village"] & same["township"].fill_null(value=True) & not_other_county).then(village)
        .when(same["township"] & not_other_county).then(township)
        .when(same["county"]).then(county)
        .when(known["county"] | known["township"] | known["village"]).then(_as("place", "elsewhere"))
    )  # fmt: skip


def _names(both: pl.DataFrame) -> pl.Series:
    """The level of the names; a former name that is the other side's name is `former`, whatever became of the present ones."""
    r, e, was_r, was_e = (pl.col(f"{column}_{side}") for column in ("name", "former_name") for side in "re")
    former = ((was_r == e).fill_null(value=False) | (r == was_e).fill_null(value=False)).alias("former")
    names = both.lazy().select(r, e, former).collect()
    equal = (names["name_r"] == names["name_e"]).fill_null(value=False)
    levels = names.lazy().select(
        pl.when(equal).then(_as("name", "exact")).when("former").then(_as("name", "former")).alias("level")
    ).collect()["level"]  # fmt: skip
    open_ = (levels.is_null() & names["name_r"].is_not_null() & names["name_e"].is_not_null()).arg_true()
    differing = names.select("name_r", "name_e")[open_]
    distinct = differing.unique()
    kinds = distinct.with_columns(level=compare_names(distinct["name_r"], distinct["name_e"]).cast(levels_of("name")))
    found = differing.join(kinds, on=["name_r", "name_e"], how="left", maintain_order="left")["level"]
    return levels.scatter(open_, found)


def like_kin() -> pl.Expr:
    """True where the likeliest other explanation of a pair is a relative, not a stranger."""
    exact, joined = pl.col("id_number_level") == "exact", pl.col("household_level") == "joined"
    return exact.fill_null(value=False) | joined.fill_null(value=False)


def table(field: str, bits: Sequence[float]) -> pl.Expr:
    """The bits that belong to each row's level of a field; 0 where a side says nothing."""
    return pl.lit(pl.Series(bits, dtype=pl.Float64)).gather(pl.col(f"{field}_level").to_physical()).fill_null(0.0)
