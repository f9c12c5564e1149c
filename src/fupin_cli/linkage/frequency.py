"""How common a name is: the commoner, the less it says that two people share it. Counted in the files themselves.

The probability that the next person bears a name seen c times among n is (c + 1) · n(c + 1) / n(c) / n (Good 1953, Turing), where
n(c) names were seen c times: a name seen once is rarer than one in n. Inside a village a surname counts as often as it is
borne there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from fupin_cli.linkage.comparison import ONE_VILLAGE, like_kin

COUNT_ALL = 1_000_000  # rows up to which every name is counted; beyond, a sample that no order of rows can change
_PLACE = ["township_code", "village_code"]
_SMALL, _ENOUGH = 5, 100  # counts that are smoothed, where so many names have them
_TYPICAL, _UNSEEN = 0.0002, 1000.0  # how common a name is where nothing is known; people as whom that counts
_VILLAGERS, _MOST_BITS = 20.0, 5.0  # people by whom a village's surnames are drawn towards all surnames


@dataclass(frozen=True)
class Names:
    """The names of one list: `frequency` by name; `surnames` by initial; `local` by village and initial; Σ f² of both."""

    frequency: pl.DataFrame
    surnames: pl.DataFrame
    local: pl.DataFrame
    twice: float
    twice_nearby: float
    people: int


def sample(people: pl.DataFrame, most: int = COUNT_ALL, by: int = 7) -> pl.DataFrame:
    """At most about so many of the people, chosen by their numbers and not by their order; all, where they are fewer.

    A sample of a sample must be chosen `by` something else.
    """
    return _one_in(-(-people.height // most), people, by)


def represent(extract: pl.DataFrame, rows: int | None = None) -> pl.DataFrame:
    """The rows of an extract (KEYS) that stand for all of it where names are counted; or of a part of one of so many `rows`."""
    return _one_in(-(-(extract.height if rows is None else rows) // COUNT_ALL), extract, 11)


def _one_in(every: int, people: pl.DataFrame, by: int) -> pl.DataFrame:
    return people if every <= 1 else people.filter(pl.col("code") // by % every == 0)


def count_names(extract: pl.DataFrame, *, several: bool = False) -> Names:
    """How common names and surnames are in an extract (KEYS); `several` if a person has more than one row in it."""
    counted = extract.lazy().select("code", "name", *_PLACE).drop_nulls("name")
    if several:
        coded = pl.col("code").is_not_null() & pl.col("code").is_duplicated()
        counted = counted.with_columns(coded.alias("again"))
        counted = pl.concat([counted.filter("again").unique(), counted.filter(~pl.col("again"))])
    by_name, by_place = pl.collect_all(
        [
            counted.group_by("name").len("people"),
            counted.drop_nulls(_PLACE).group_by(*_PLACE, _initial(pl.col("name"))).len("people"),
        ]
    )
    by_initial = by_name.group_by(_initial(pl.col("name"))).agg(pl.col("people").sum())
    n = max(int(by_initial["people"].sum()), 1)
    surnames = by_initial.select("initial", (pl.col("people") / n).alias("surname"))
    villagers = pl.col("people").sum().over(_PLACE)
    local = by_place.join(surnames, on="initial").select(
        *_PLACE,
        "initial",
        "people",
        ((pl.col("people") + _VILLAGERS * pl.col("surname")) / (villagers + _VILLAGERS)).alias("surname_nearby"),
    )
    twice = total(surnames["surname"] ** 2)
    nearby = total(local["people"] * local["surname_nearby"]) / max(int(local["people"].sum()), 1)
    return Names(_smoothed(by_name, n), surnames, local.drop("people"), twice or 1.0, nearby or twice or 1.0, n)


def _smoothed(by_name: pl.DataFrame, n: int) -> pl.DataFrame:
    how_many = by_name.group_by("people").len("names").filter(pl.col("people") <= _SMALL + 1).sort("people")
    names = dict(how_many.rows())
    turing = {
        c: (c + 1) * names[c + 1] / names[c]
        for c in range(1, _SMALL + 1)
        if min(names.get(c, 0), names.get(c + 1, 0)) >= _ENOUGH
    }
    # without enough names to tell: those of the name besides the person who was seen
    others = pl.col("people").cast(pl.Float64) - 1
    expected = pl.when(pl.col("people").is_in(list(turing))).then(
        pl.col("people").replace_strict(turing, default=None, return_dtype=pl.Float64)
    ).otherwise(others) if turing else others  # fmt: skip
    # a short list is drawn from a county, in which a name that stands in it is borne by others, too
    return by_name.select("name", ((expected + _TYPICAL * _UNSEEN) / (n + _UNSEEN)).alias("name_frequency"))


def add_rarity(pairs: pl.DataFrame, e: pl.DataFrame, names: Names, concentration: float) -> pl.DataFrame:
    """The pairs with `name_frequency` (of the extract's name; where both live in one village: there) and `rarity`.

    `rarity` are the bits by which a shared surname says more than a shared surname does on average. Both are null for pairs whose
    names are held against relatives: those are most, and there it does not matter who else is called so.
    """
    strangers = pairs.select((~like_kin()).arg_true()).to_series()
    asked = pairs.select("extract_row", "place_level")[strangers]
    who = asked.select(
        e["name"].gather(asked["extract_row"]).alias("name"),
        *(e[part].gather(asked["extract_row"]).alias(part) for part in _PLACE),
        pl.col("place_level").is_in(list(ONE_VILLAGE)).fill_null(value=False).alias("near"),
    )
    who = who.with_columns(_initial(pl.col("name")))
    unseen = names.frequency["name_frequency"].min()
    found = (
        who.join(names.frequency, on="name", how="left", maintain_order="left")
        .join(names.surnames, on="initial", how="left", maintain_order="left")
        .join(names.local, on=[*_PLACE, "initial"], how="left", maintain_order="left")
    )
    least = float(unseen) if isinstance(unseen, float) else _TYPICAL
    anywhere, here = pl.col("surname").fill_null(least), pl.coalesce("surname_nearby", "surname").fill_null(least)
    lift = pl.when("near").then(here / anywhere * concentration).otherwise(1.0)
    known = names.people / (names.people + _UNSEEN)  # a short list says little of surnames
    average = pl.when("near").then(pl.lit(names.twice_nearby)).otherwise(pl.lit(names.twice))
    told = found.select(
        (pl.col("name_frequency").fill_null(least) * lift).clip(upper_bound=0.5).alias("name_frequency"),
        (average / pl.when("near").then(here).otherwise(anywhere))
        .log(2)
        .clip(-_MOST_BITS, _MOST_BITS)
        .mul(known)
        .alias("rarity"),
    )
    nothing = pl.repeat(None, pairs.height, dtype=pl.Float64, eager=True)
    return pairs.with_columns(nothing.scatter(strangers, column).alias(column.name) for column in told.get_columns())


def total(values: pl.Series) -> float:
    """The sum, the same to the last bit in whatever order the values come."""
    return float(np.sort(values.cast(pl.Float64).to_numpy()).sum())


def _initial(name: pl.Expr) -> pl.Expr:
    return name.str.slice(0, 1).alias("initial")
