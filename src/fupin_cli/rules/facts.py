"""What rules may read: register facts, facts that follow from them, and facts out of extracts in three worlds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from fupin_cli.rules.areas import COUNTY, VILLAGE, area_frames, derive_area, place_of
from fupin_cli.rules.comparison import Comparison, Label, covered_by
from fupin_cli.rules.derived import derive
from fupin_cli.rules.evidence import (
    DISPUTED,
    HOUSE,
    World,
    absence,
    linked_rows,
    numbered_rows,
    test_rows,
    told_by_rows,
    truths,
)
from fupin_cli.rules.grouped import over_members
from fupin_cli.rules.outcome import any_true
from fupin_cli.rules.pack import AREAS, REGISTER, Derived, Fact, Level, Parameter
from fupin_cli.rules.parameters import column
from fupin_cli.rules.shapes import FirstOf, Members
from fupin_cli.vocabulary import HOUSEHOLDS, Decision

WHY = "_why:"  # prefix: why this department fact is unknown
HOME = "_home"  # which row of the households a person belongs to


@dataclass(frozen=True)
class Facts:
    """Every fact of every person, household and place, in each world; the linked rows behind them; which are absent, and why.

    `doubtful` names the facts that may differ between the worlds; all others are the same in each.
    """

    persons: Mapping[World, pl.DataFrame]
    households: Mapping[World, pl.DataFrame]
    areas: Mapping[Level, pl.DataFrame]
    attached: Mapping[str, pl.DataFrame]
    absent: Mapping[str, str]
    doubtful: frozenset[str]

    def of(self, level: Level, world: World) -> pl.DataFrame:
        """One row per person, household or place, with all facts of one world; of places there is one world only."""
        if level in AREAS:
            return self.areas[level]
        return (self.persons if level is Level.PERSON else self.households)[world]


def derive_person_facts(persons: pl.DataFrame, households: pl.DataFrame, compared: Comparison) -> pl.DataFrame:
    """The register persons with their household's fields and the facts that follow from what the register says."""
    as_of = compared.as_of
    school_year = date(as_of.year - (as_of < date(as_of.year, 9, 1)), 9, 1)
    born = pl.coalesce("id_birth_on", "birth_on")
    entered = pl.col("entered_on") if "entered_on" in persons.columns else pl.lit(None, pl.Date)
    homes = derive_household_facts(households, as_of).drop("as_of", "as_of_year")
    shared = [name for name in homes.columns if name not in HOUSEHOLDS.names or name == "member_count"]
    return (
        persons.drop(shared, strict=False)
        .join(homes.select("household_id", *shared), on="household_id", how="left", maintain_order="left")
        .with_columns(
            pl.lit(as_of).alias("as_of"),
            pl.lit(as_of.year, pl.Int64).alias("as_of_year"),
            _years(born, as_of).alias("age"),
            _years(born, school_year).alias("age_at_school_start"),
            (pl.lit(as_of) - entered).dt.total_days().alias("days_since_entry"),
            _county_compared(entered, compared).alias("county_compared"),
            pl.coalesce("household_id", pl.format("#{}", "register_row")).rank("dense").alias(HOUSE),
        )
        .join(disputed_numbers(compared), on="register_row", how="left", maintain_order="left")
        .with_columns(pl.col(DISPUTED).fill_null(value=False))
        .sort("register_row")
        .join(
            homes.select("household_id", pl.int_range(pl.len(), dtype=pl.UInt32).alias(HOME)),
            on="household_id",
            how="left",
            maintain_order="left",
        )
        .with_columns(place_of("village", persons).alias(VILLAGE), place_of("county", persons).alias(COUNTY))
    )


def disputed_numbers(compared: Comparison) -> pl.DataFrame:
    """register_row of those whose ID number an extract or register row has under another name, confirmed by no extract.

    Somebody else's number may have been typed in: what a list does not hold under it says nothing of this person.
    """
    accepted = pl.col("decision") == Decision.ACCEPTED.value
    confirmed = (accepted & (pl.col("extract") != REGISTER)).any()
    by_person = compared.same_number.group_by("register_row").agg(((~accepted).any() & ~confirmed).alias(DISPUTED))
    return by_person.filter(DISPUTED)


def derive_household_facts(households: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The households with the facts that follow from the register."""
    now = {"as_of": pl.lit(as_of), "as_of_year": pl.lit(as_of.year, pl.Int64)}
    return households.with_columns(**now).sort("household_id")


def gather_facts(
    persons: pl.DataFrame,
    households: pl.DataFrame,
    compared: Comparison,
    facts: Sequence[Fact],
    numbers: Sequence[Parameter],
    label: Label,
) -> Facts:
    """The facts out of the register and the extracts, with the numbers that the place sets.

    A fact whose extracts or columns are absent is null for everybody, and listed.
    """
    people = _with_numbers(derive_person_facts(persons, households, compared), numbers, compared.as_of)
    homes = _with_numbers(derive_household_facts(households, compared.as_of), numbers, compared.as_of)
    areas = area_frames(people, compared)
    kinds = sorted({(kind, fact.by_number) for fact in facts for kind in fact.kinds})
    linked = {
        (kind, by_number): numbered_rows(kind, facts, compared, people)
        if by_number
        else linked_rows(kind, facts, compared)
        for kind, by_number in kinds
    }
    columns: dict[World, list[pl.Series]] = {world: [] for world in World}
    attached: dict[str, pl.DataFrame] = {}
    for fact in facts:
        rows = {kind: test_rows(fact, kind, linked[kind, fact.by_number], people, compared) for kind in fact.kinds}
        behind = pl.concat(rows.values(), how="vertical_relaxed").sort("register_row", "extract", "extract_row")
        attached[fact.name] = behind.drop("value", strict=False)
        truth = [truths(fact, kind, rows[kind], people, compared) for kind in fact.kinds]
        for world, series in _by_world(fact, truth, behind, people).items():
            columns[world] += series
        why = pl.select(pl.coalesce(frame["why"] for frame in truth)).to_series()
        columns[World.STRICT].append(why.alias(WHY + fact.name))
    own = {fact.name for fact in facts if fact.level is Level.HOUSEHOLD}
    of_people = {world: people.with_columns(columns[world]) for world in World}
    return Facts(
        persons=of_people,
        households={w: homes.with_columns(_of_homes(f, columns[w], own, homes.height)) for w, f in of_people.items()},
        areas={level: _with_numbers(frame, numbers, compared.as_of) for level, frame in areas.items()},
        attached=attached,
        absent={fact.name: reason for fact in facts if (reason := absence(fact, people, compared, label))},
        doubtful=frozenset(fact.name for fact in facts if fact.gives == "any"),
    )


def _with_numbers(frame: pl.DataFrame, numbers: Sequence[Parameter], as_of: date) -> pl.DataFrame:
    """The frame with the numbers that a place sets, as each row's day asks for them."""
    today = pl.lit(as_of)
    exited = pl.coalesce(pl.date("exit_year", 12, 31), today) if "exit_year" in frame.columns else today
    return frame.with_columns(column(number, today if number.by == "as_of" else exited) for number in numbers)


def _by_world(
    fact: Fact, truth: Sequence[pl.DataFrame], rows: pl.DataFrame, people: pl.DataFrame
) -> dict[World, list[pl.Series]]:
    """The columns of one fact, per person; a household's fact is the same for all of its members."""
    if fact.gives != "any":
        searched = pl.select(pl.all_horizontal(frame["searched"] for frame in truth)).to_series()
        return dict.fromkeys(World, told_by_rows(fact, rows, searched, people))
    found = {}
    for world in World:
        holds = pl.select(pl.any_horizontal(frame[world] for frame in truth).alias(fact.name)).to_series()
        if fact.level is Level.HOUSEHOLD:
            holds = people.select(HOUSE, t=holds).select(any_true(pl.col("t")).over(HOUSE).alias(fact.name)).to_series()
        found[world] = [holds]
    return found


def _of_homes(people: pl.DataFrame, columns: Sequence[pl.Series], own: set[str], homes: int) -> list[pl.Series]:
    """The household facts among person columns, one value per household in the households' order."""
    wanted = [
        series.name for series in columns if series.name.rpartition(":")[2] in own and not series.name.startswith(WHY)
    ]
    if not wanted:
        return []
    first = people.drop_nulls(HOME).unique(HOME, keep="first", maintain_order=True).select(HOME, *wanted)
    every = pl.DataFrame({HOME: pl.Series(range(homes), dtype=pl.UInt32)})
    return every.join(first, on=HOME, how="left", maintain_order="left").drop(HOME).get_columns()


def add_derived(facts: Facts, fact: Derived, compared: Comparison) -> Facts:
    """The facts with one more that follows from them; a household's fact is told of its members too."""
    shape = fact.shape
    if fact.level in AREAS:
        told = derive_area(fact, facts.persons[World.STRICT], facts.households[World.STRICT], facts.areas, compared)
        return replace(facts, areas={**facts.areas, fact.level: facts.areas[fact.level].with_columns(told)})
    worlds = list(World) if facts.doubtful & set(shape.reads) else [World.STRICT]
    told_in = {world: _derived(fact, facts, world) for world in worlds}
    told_in = {world: told_in.get(world, told_in[World.STRICT]) for world in World}
    extra = {fact.name, *([shape.conflict] if isinstance(shape, FirstOf) else [])} if len(worlds) > 1 else set()
    return add_columns(replace(facts, doubtful=facts.doubtful | extra), fact.level, told_in)


def _derived(fact: Derived, facts: Facts, world: World) -> list[pl.Series]:
    shape, frame = fact.shape, facts.of(fact.level, world)
    if not isinstance(shape, Members):
        return derive(fact.name, shape, frame, fact.where)
    if shape.by is None:
        rows, units = facts.persons[world], pl.Series(HOME, range(frame.height), dtype=pl.UInt32)
        return spread(over_members(fact.name, shape, rows, HOME, fact.where), HOME, units)
    # households that were one: those with one value here; a household that names none stands alone
    if shape.by not in frame.columns or not frame[shape.by].is_not_null().any():
        return [pl.Series(fact.name, [None] * frame.height, dtype=pl.Float64)]
    group = pl.coalesce(pl.format("@{}", shape.by), "household_id").alias("_group")
    rows = frame.with_columns(group)
    return spread(over_members(fact.name, shape, rows, "_group", fact.where), "_group", rows["_group"])


def spread(found: pl.DataFrame, key: str, units: pl.Series) -> list[pl.Series]:
    """The columns of `found`, one value per unit in their order; of a unit with nobody in it nothing is known."""
    joined = units.to_frame(key).join(found, on=key, how="left", maintain_order="left")
    return [joined[name] for name in found.columns if name != key]


def add_columns(facts: Facts, level: Level, told: Mapping[World, Iterable[pl.Series]]) -> Facts:
    """The facts with columns of persons or households added, in each world."""
    told = {world: list(series) for world, series in told.items()}
    if level is Level.PERSON:
        return replace(facts, persons={w: frame.with_columns(told[w]) for w, frame in facts.persons.items()})
    home = facts.persons[World.STRICT][HOME]
    persons = {
        w: frame.with_columns(series.gather(home).alias(series.name) for series in told[w])
        if facts.households[w].height
        else frame
        for w, frame in facts.persons.items()
    }
    households = {w: frame.with_columns(told[w]) for w, frame in facts.households.items()}
    return replace(facts, persons=persons, households=households)


def _years(born: pl.Expr, on: date) -> pl.Expr:
    """Completed years on a day."""
    before_birthday = (born.dt.month().cast(pl.Int32) * 100 + born.dt.day()) > on.month * 100 + on.day
    return (pl.lit(on.year) - born.dt.year() - before_birthday.cast(pl.Int32)).cast(pl.Int64)


def _county_compared(entered: pl.Expr, compared: Comparison) -> pl.Expr:
    """True where a county-stage extract that covers the county is no younger than the entry; false where all are younger.

    Where none covers the county although some cover others, false once the province compares. Unknown before that, where
    no county comparison is known at all (it may have been made elsewhere), and where a date or the county is missing.
    """
    county = compared.county_extracts
    reached, before = pl.lit(value=False), pl.lit(value=False)
    for nth, as_of in enumerate(county["as_of"].to_list()):
        here = covered_by(county[nth : nth + 1])
        reached, before = reached | here, before | (here & (entered >= pl.lit(as_of, pl.Date)))
    nobody = pl.lit(False if "province" in compared.stages and county.height else None, pl.Boolean)
    return pl.when(reached).then(before).when(~reached).then(nobody)
