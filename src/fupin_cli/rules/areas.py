"""Facts of villages and counties: what their people add up to, what samples say, and what their own tables report.

The frame of a share is named in the pack, and whoever is in it but not in the places' tables is not counted anywhere: a person
whose village nobody wrote down belongs to no village. Such places are listed from the register and from tables about places.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from fupin_cli.rules.bounds import HIGH, LOW
from fupin_cli.rules.comparison import Comparison, department_columns
from fupin_cli.rules.derived import derive
from fupin_cli.rules.grouped import over_members, share
from fupin_cli.rules.pack import REGISTER, Derived, Level
from fupin_cli.rules.shapes import Members, Rate, Reported

VILLAGE, COUNTY = "_village", "_county"
_LOST = "_lost"
PLACES = "places"  # the kind of table whose rows are villages or counties
_KEY = {Level.VILLAGE: VILLAGE, Level.COUNTY: COUNTY}
_PARTS = {"village": ("county_key", "township_key", "village_key"), "county": ("county_key",)}
_NAMES = ("county", "township", "village")


def place_of(level: str, frame: pl.DataFrame) -> pl.Expr:
    """Which village or county a row belongs to; null where it does not name one down to its level."""
    parts = [pl.col(part) if part in frame.columns else pl.lit(None, pl.String) for part in _PARTS[level]]
    whole = parts[-1].is_not_null() & parts[0].is_not_null()
    return pl.when(whole).then(pl.concat_str([part.fill_null("") for part in parts], separator="|"))


def area_frames(people: pl.DataFrame, compared: Comparison) -> dict[Level, pl.DataFrame]:
    """One row per village and per county that the register or a table about places names, with `place` and names."""
    return {level: _places(level, people, compared) for level in _KEY}


def _places(level: Level, people: pl.DataFrame, compared: Comparison) -> pl.DataFrame:
    frames = [people, *(frame for kind, frame in sorted(compared.evidence.items()) if kind == PLACES)]
    names = _NAMES if level is Level.VILLAGE else _NAMES[:1]
    named = [
        frame.select(
            place_of(level.value, frame).alias("place"),
            *((pl.col(n) if n in frame.columns else pl.lit(None)).cast(pl.String).alias(n) for n in names),
        )
        for frame in frames
    ]
    rows = pl.concat(named).drop_nulls("place").group_by("place").agg(pl.col(names).drop_nulls().min())
    rows = rows.with_columns(pl.lit(None, pl.String).alias(name) for name in _NAMES if name not in names)
    return rows.with_columns(pl.lit(compared.as_of).alias("as_of")).sort("place")


def derive_area(
    fact: Derived, people: pl.DataFrame, homes: pl.DataFrame, areas: Mapping[Level, pl.DataFrame], compared: Comparison
) -> list[pl.Series]:
    """The columns of one fact of villages or counties, in the places' order."""
    frame, shape = areas[fact.level], fact.shape
    if not isinstance(shape, Members | Rate | Reported):
        return derive(fact.name, shape, frame, fact.where)
    if isinstance(shape, Reported):
        return _in_places(frame, _reported(shape, fact.level, fact.name, compared))
    if isinstance(shape, Rate):
        rows = _members(shape.over, fact, people, homes, compared)
        return _in_places(frame, share(fact.name, shape, rows, "place", fact.where))
    rows = _members(shape.by or "persons", fact, people, homes, compared)
    found = over_members(fact.name, shape, rows, "place", fact.where)
    found = found.with_columns(pl.lit(value=True).alias("_here"))
    joined = frame.select("place").join(found, on="place", how="left", maintain_order="left")
    lost = _lost(shape.by or "persons", joined["place"], rows, compared)
    return _with_lost(fact.name, shape.how, joined.with_columns(lost.alias(_LOST))).drop("place").get_columns()


def _lost(over: str, places: pl.Series, rows: pl.DataFrame, compared: Comparison) -> pl.Series:
    """For each place how many may live in it without naming it: those of its county, and all who name no county either."""
    nowhere = compared.once(("nowhere", over), lambda whole: _nowhere(over, whole))
    unplaced = rows.filter(pl.col("place").is_null()).drop_nulls(COUNTY).group_by(COUNTY).len(_LOST)
    county = places.to_frame("place").select(pl.col("place").str.split("|").list.first().alias(COUNTY))
    return county.join(unplaced, on=COUNTY, how="left", maintain_order="left")[_LOST].fill_null(0) + nowhere


def _nowhere(over: str, compared: Comparison) -> int:
    """How many persons, or households, name no county."""
    persons = compared.evidence[REGISTER]
    placed = persons.filter(pl.col("county_key").is_not_null())
    if over == "persons":
        return persons.height - placed.height
    return compared.households.join(placed, on="household_id", how="anti").height


def _in_places(frame: pl.DataFrame, found: pl.DataFrame) -> list[pl.Series]:
    return frame.select("place").join(found, on="place", how="left", maintain_order="left").drop("place").get_columns()


def _with_lost(name: str, how: str, joined: pl.DataFrame) -> pl.DataFrame:
    """A place where nobody lives holds nobody: 0, and all of them. Those who name no place may live in any that they may."""
    fact, empty, lost = pl.col(name), pl.col("_here").is_null(), pl.col(_LOST)
    if how == "count":
        low, high = pl.col(LOW + name).fill_null(0.0), pl.col(HIGH + name).fill_null(0.0) + lost
        exact = pl.when(low == high).then(low)
        return joined.select("place", exact.alias(name), low.alias(LOW + name), high.alias(HIGH + name))
    nobody = {"any": False, "all": True, "sum": 0}.get(how)
    here = pl.when(empty).then(pl.lit(nobody)).otherwise(fact)
    sure = {"any": here, "all": ~here}.get(how, pl.lit(value=False))
    return joined.select("place", pl.when((lost == 0) | sure).then(here).alias(name))


def _members(over: str, fact: Derived, people: pl.DataFrame, homes: pl.DataFrame, compared: Comparison) -> pl.DataFrame:
    key = _KEY[fact.level]
    if over == "persons":
        return people.with_columns(pl.col(key).alias("place"))
    if over == "households":
        return homes.with_columns(pl.col(key).alias("place"))
    rows = compared.evidence.get(over)
    if rows is None or not isinstance(fact.shape, Rate):
        return pl.DataFrame(schema={"place": pl.String})
    wanted = [name for part in (fact.shape.condition, fact.shape.among) if part for name in part.names]
    columns = department_columns(wanted, rows)
    return rows.select(place_of(fact.level.value, rows).alias("place"), *columns)


def _reported(shape: Reported, level: Level, name: str, compared: Comparison) -> pl.DataFrame:
    """`place` and the one value that the rows of that place give; rows that disagree give none."""
    rows = compared.evidence.get(shape.kind)
    field = shape.value.removeprefix("dept_")
    if rows is None or field not in rows.columns:
        return pl.DataFrame(schema={"place": pl.String, name: pl.Null})
    own = (
        pl.col("village_key").is_null()
        if level is Level.COUNTY and "village_key" in rows.columns
        else pl.lit(value=True)
    )
    values = (
        rows.filter(own).select(place_of(level.value, rows).alias("place"), pl.col(field).alias("value")).drop_nulls()
    )
    one = pl.when(pl.col("value").n_unique() == 1).then(pl.col("value").first())
    return values.group_by("place").agg(one.alias(name))
