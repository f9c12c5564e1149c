"""Match weights: the bits that each field adds to a candidate pair, and the prior of the kind of pair that it is.

Numbers are not weighed by a table but by how often candidates of their kind are one person: that is the *stratum* of a pair. Two
sorts of chance are told apart. A stranger shares a name as often as the name is common. A relative shares surname,
village and household for certain: so where the ID number itself may be borrowed (it agrees exactly), or the household agrees,
names are held against those of one household, and the shared place says nothing more.
"""

from __future__ import annotations

import math

import polars as pl

from fupin_cli.linkage.comparison import ID_AGREES, ID_LEVELS, ONE_VILLAGE, like_kin, table
from fupin_cli.linkage.model import Model, to_bits

BITS = [
    "bits_prior",
    "bits_id_number",
    "bits_masked",
    "bits_name",
    "bits_birth",
    "bits_sex",
    "bits_place",
    "bits_phone",
    "bits_household",
]
FIELDS = [*BITS[2:8], "bits_apart"]
_UNKNOWN = ("no_number_in_register", "no_number_in_extract", "no_number")  # beyond ID_LEVELS: nothing to compare
KINDS = (*ID_LEVELS, *_UNKNOWN)
# again: the person was found under the own number, or, where the numbers are equal, the number with its own name;
# joined: others of the household vouch for the pair
STRATA = tuple(f"{kind}{again}{joined}" for joined in ("", ", joined") for again in ("", ", again") for kind in KINDS)
_AGAIN, _JOINED = len(KINDS), 2 * len(KINDS)
_SAME_SURNAME = ("former", "alias", "sound", "near_sound", "shape", "wildcard", "swapped", "gap", "one_char", "surname")
_STRANGE, _FEWEST = 5.0, 8192  # bits; a short list is still drawn from a county


def add_stratum(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs with `stratum`, an index into STRATA; needs `id_number_level`, `given_r`, `given_e` and `found`."""
    kind = pl.col("id_number_level").to_physical().cast(pl.Int32)
    nothing = pl.when("given_e").then(0).when("given_r").then(1).otherwise(2) + len(ID_LEVELS)
    repaired = pl.col("id_number_level").is_in(list(ID_AGREES[1:])).fill_null(value=False)
    again = pl.col("found") & ~repaired
    # whose number was borrowed lives in the household, too: there it says nothing that the number has not said
    joined = (
        (pl.col("household_level") == "joined") & (pl.col("id_number_level") != "exact").fill_null(True)
    ).fill_null(False)
    stratum = pl.coalesce(kind, nothing) + again.cast(pl.Int32) * _AGAIN + joined.cast(pl.Int32) * _JOINED
    return pairs.with_columns(stratum.cast(pl.Int32).alias("stratum"))


def prior_bits(people: int) -> float:
    """Log2 odds that two rows taken at random are one person, where the larger side has so many people."""
    return -math.log2(max(people, _FEWEST))


def default_odds(model: Model, people: int) -> list[float]:
    """Log2 odds of each stratum as the model has them, before anything is learned."""
    prior, number = prior_bits(people), model.number
    agree = [to_bits(number[level]) for level in ID_AGREES]
    others = [prior + math.log2(number[level]) for level in ID_LEVELS[len(ID_AGREES) :]] + [prior] * len(_UNKNOWN)
    again = math.log2(number["again"])
    alone = [*agree, *others, to_bits(number["shared"]), *(bits + again for bits in (*agree[1:], *others))]
    return [*alone, *(bits + model.bits("household")[0] for bits in alone)]


def field_bits(pairs: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The pairs with the bits of every field that the stratum does not know, each 0 where a side says nothing.

    Needs the levels of `comparison.compare`, `household_level`, and the columns of `frequency.add_rarity`.
    """
    kin = like_kin()
    agrees = pl.col("id_number_level").is_in(list(ID_AGREES)).fill_null(value=False)
    return pairs.with_columns(
        _name_bits(model, kin).alias("bits_name"),
        # birth date and sex are part of the ID number: where that agrees they are not counted a second time
        _unless(agrees, "birth", model).alias("bits_birth"),
        _unless(agrees, "sex", model).alias("bits_sex"),
        pl.when(kin).then(0.0).otherwise(table("place", model.bits("place"))).alias("bits_place"),
        table("phone", model.bits("phone")).alias("bits_phone"),
        pl.when(pl.col("household_level") == "apart")
        .then(model.bits("household")[1])
        .otherwise(0.0)
        .alias("bits_apart"),
    )


def total_bits(pairs: pl.DataFrame, odds: list[float], people: int) -> pl.DataFrame:
    """The pairs with `bits_prior`, `bits_id_number`, `bits_household`, which make up the odds of the stratum, and all `bits`."""
    prior, every = prior_bits(people), pl.lit(pl.Series(odds, dtype=pl.Float64))
    alone = every.gather(pl.col("stratum") % _JOINED)
    return pairs.with_columns(
        pl.lit(prior).alias("bits_prior"),
        (alone - prior).alias("bits_id_number"),
        (every.gather("stratum") - alone + pl.col("bits_apart")).alias("bits_household"),
    ).with_columns(pl.sum_horizontal(BITS).alias("bits"))


def _unless(agrees: pl.Expr, field: str, model: Model) -> pl.Expr:
    bits = table(field, model.bits(field))
    return pl.when(agrees).then(pl.min_horizontal(bits, pl.lit(0.0)).clip(lower_bound=-_STRANGE)).otherwise(bits)


def _name_bits(model: Model, kin: pl.Expr) -> pl.Expr:
    m, u = model.m["name"], model.u["name"]
    exact = pl.col("name_level") == "exact"
    among_kin = [math.log2(a / b) for a, b in zip(m, model.kin, strict=True)]
    anywhere = [math.log2(a / b) for a, b in zip(m, u, strict=True)]
    nearby = [math.log2(a / b) for a, b in zip(m, model.near, strict=True)]
    village = pl.col("place_level").is_in(list(ONE_VILLAGE)).fill_null(value=False)
    by_frequency = math.log2(m[0]) - pl.col("name_frequency").log(2)
    rarity = pl.when(pl.col("name_level").is_in(list(_SAME_SURNAME))).then("rarity").otherwise(0.0)
    other = pl.when(village).then(table("name", nearby)).otherwise(table("name", anywhere)) + rarity
    # a resemblance is never worth more than the very same name
    return (
        pl.when(pl.col("name_level").is_null()).then(0.0)
        .when(kin).then(table("name", among_kin))
        .when(exact).then(by_frequency)
        .otherwise(pl.min_horizontal(other, by_frequency))
    )  # fmt: skip
