"""Comparison levels: how far each field of a candidate pair agrees, in a few named steps. Missing is a level of its own."""

from __future__ import annotations

import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import OSA

from fupin_cli.linkage.blocking import PAIR, first_fifteen
from fupin_cli.vocabulary import KEYS

_FIELDS = [name for name in KEYS.names if name not in ("at", "faulty")]
# what stands where a system had no such character (data_formats.md, H26): ? and boxes, private code points, emoji, its parts
_NO_CHARACTER = r"\([^()]+\)|\[[^\[\]]+\]|[?*□■◻◼▢\u{FFFD}\p{Co}\p{So}]"


def compare(pairs: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame) -> pl.DataFrame:
    """The pairs with a level per field and both names.

    Columns `id_level`, `name_level`, `birth_level`, `sex_level`, `place_level` (null where a side says nothing), `name_r` and
    `name_e`. Pairs are positions in the two KEYS frames; they carry `repaired` (blocking found their numbers one fault apart).
    """
    both = pairs.hstack(_side(r, pairs["register_row"], "r")).hstack(_side(e, pairs["extract_row"], "e"))
    both = both.with_columns(
        _id_level().alias("id_level"), _birth_level().alias("birth_level"), _sex_level().alias("sex_level"),
        _place_level().alias("place_level"),
    )  # fmt: skip
    return _name_level(both).select(
        *PAIR, "id_level", "name_level", "birth_level", "sex_level", "place_level", "name_r", "name_e"
    )


def _side(people: pl.DataFrame, rows: pl.Series, suffix: str) -> list[pl.Series]:
    return [people[name].gather(rows).alias(f"{name}_{suffix}") for name in _FIELDS]


def _id_level() -> pl.Expr:
    """The strongest way in which the two numbers agree; null where a side has no digits at all."""
    given = {side: pl.col(f"code_{side}").is_not_null() | pl.col(f"digits_{side}").is_not_null() for side in "re"}
    usable = pl.col("code_r").is_not_null() & pl.col("code_e").is_not_null()
    return (
        pl.when(~given["r"] | ~given["e"]).then(None)
        .when(usable & (pl.col("code_r") == pl.col("code_e"))).then(pl.lit("exact"))
        .when(usable).then(pl.lit("different"))
        .when((pl.col("cut_r") | pl.col("cut_e")) & (first_fifteen("_r") == first_fifteen("_e"))).then(pl.lit("damaged"))
        .when(pl.col("digits_r") == pl.col("digits_e")).then(pl.lit("same_text"))
        .when("repaired").then(pl.lit("repaired"))
        .otherwise(pl.lit("unlike"))
    )  # fmt: skip


def _birth_level() -> pl.Expr:
    r, e = pl.col("birth_r"), pl.col("birth_e")
    equal = (r == e) | (pl.col("birth_in_id_r") == pl.col("birth_in_id_e")) | (r == pl.col("birth_in_id_e"))
    year, month, day = (getattr(r.dt, part)() == getattr(e.dt, part)() for part in ("year", "month", "day"))
    exchanged = (r.dt.month() == e.dt.day()) & (r.dt.day() == e.dt.month()) & year
    two_of_three = (year & month) | (year & day) | (month & day)
    return (
        pl.when(r.is_null() | e.is_null()).then(None)
        .when(equal).then(pl.lit("equal"))
        .when(two_of_three | exchanged).then(pl.lit("one_fault"))
        .otherwise(pl.lit("different"))
    )  # fmt: skip


def _sex_level() -> pl.Expr:
    return pl.when(pl.col("male_r") == pl.col("male_e")).then(pl.lit("equal")).when(
        pl.col("male_r") != pl.col("male_e")
    ).then(pl.lit("different"))  # fmt: skip


def _place_level() -> pl.Expr:
    same = {part: pl.col(f"{part}_code_r") == pl.col(f"{part}_code_e") for part in ("county", "township", "village")}
    known = {part: same[part].is_not_null() for part in same}
    not_other_county = same["county"].fill_null(True)
    return (
        pl.when(same["village"] & same["township"].fill_null(True) & not_other_county).then(pl.lit("village"))
        .when(same["township"] & not_other_county).then(pl.lit("township"))
        .when(same["county"]).then(pl.lit("county"))
        .when(known["county"] | known["township"] | known["village"]).then(pl.lit("elsewhere"))
    )  # fmt: skip


def _name_level(pairs: pl.DataFrame) -> pl.DataFrame:
    """exact, one_edit (same first character and one wrong, missing, added or exchanged), other.

    Null without a name, and where two names differ only in characters that one side could not write: that speaks neither for
    nor against. Distances are taken once for each distinct pair of differing names, in C.
    """
    names = pairs.filter(pl.col("name_r") != pl.col("name_e")).select("name_r", "name_e").unique(maintain_order=True)
    distance = process.cpdist(names["name_r"].to_list(), names["name_e"].to_list(), scorer=OSA.distance)
    same_surname = pl.col("name_r").str.slice(0, 1) == pl.col("name_e").str.slice(0, 1)
    names = names.with_columns(pl.Series("distance", distance, dtype=pl.Int32), _unwritten(names)).with_columns(
        pl.when("unwritten")
        .then(None)
        .when((pl.col("distance") <= 1) & same_surname)
        .then(pl.lit("one_edit"))
        .otherwise(pl.lit("other"))
        .alias("near")
    )
    return (
        pairs.join(names.select("name_r", "name_e", "near"), on=["name_r", "name_e"], how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("name_r").is_null() | pl.col("name_e").is_null()).then(None)
            .when(pl.col("name_r") == pl.col("name_e")).then(pl.lit("exact"))
            .otherwise(pl.col("near"))
            .alias("name_level")
        )
        .drop("near")
    )  # fmt: skip


def _unwritten(names: pl.DataFrame) -> pl.Series:
    """True where two names agree in every character that both sides could write; only names with a sign of it are taken apart."""
    sides = {side: _with_question_marks(pl.col(f"name_{side}")).alias(side) for side in "re"}
    signs = names.lazy().select(**sides).with_row_index("pair")
    signs = signs.filter(pl.any_horizontal(pl.col("r", "e").str.contains("?", literal=True)))
    same_length = pl.col("r").str.len_chars() == pl.col("e").str.len_chars()
    letters = signs.filter(same_length).with_columns(pl.col("r", "e").str.split("")).explode("r", "e")
    fits = (pl.col("r") == pl.col("e")) | (pl.col("r") == "?") | (pl.col("e") == "?")
    agree = letters.group_by("pair").agg(fits.all().alias("fits")).filter("fits").collect()["pair"]
    return pl.repeat(value=False, n=names.height, eager=True).scatter(agree, values=True).alias("unwritten")


def _with_question_marks(name: pl.Expr) -> pl.Expr:
    """The name with a question mark for each character that could not be written; letters beside 汉字 stand for one, too."""
    plain = name.str.replace_all(_NO_CHARACTER, "?")
    return pl.when(plain.str.contains(r"\p{Han}")).then(plain.str.replace_all("[A-Z]+", "?")).otherwise(plain)
