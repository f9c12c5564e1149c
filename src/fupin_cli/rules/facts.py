"""What rules may read: register facts, facts that follow from them, and facts out of extracts in three worlds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from fupin_cli.rules.areas import COUNTY, VILLAGE, area_frames, derive_area, place_of
from fupin_cli.rules.bounds import HIGH, LOW
from fupin_cli.rules.comparison import Comparison, Label, covered_by, days
from fupin_cli.rules.derived import LACKING, derive
from fupin_cli.rules.evidence import (
    DISPUTED,
    HOUSE,
    World,
    absence,
    any_of_house,
    linked_to,
    test_rows,
    told_by_rows,
    truths,
)
from fupin_cli.rules.grouped import over_members
from fupin_cli.rules.lists import Lists
from fupin_cli.rules.pack import AREAS, GIVEN, REGISTER, Derived, Fact, Level, Parameter
from fupin_cli.rules.parameters import column
from fupin_cli.rules.shapes import FirstOf, Members
from fupin_cli.vocabulary import HOUSEHOLDS, Decision

WHY = "_why:"  # prefix: why this department fact is unknown
HOME = "_home"  # which row of the households a person belongs to


@dataclass(frozen=True)
class Facts:
    """Every fact of every person, household and place, in each world; the linked rows behind them; which are absent, and why.

    `doubtful` names the facts that may differ between the worlds; all others are the same in each. `speaker` is for each
    household the place of the person on whose row its own values stand.
    """

    persons: Mapping[World, pl.DataFrame]
    households: Mapping[World, pl.DataFrame]
    areas: Mapping[Level, pl.DataFrame]
    attached: Mapping[str, pl.DataFrame]
    absent: Mapping[str, str]
    doubtful: frozenset[str]
    speaker: pl.Series

    @property
    def home(self) -> pl.Series:
        """For each person the place of their household among the households; null for whoever has none."""
        return self.persons[World.STRICT][HOME]

    def members_of(self, homes: pl.Series) -> pl.Series:
        """The places of the persons who belong to the households at these places."""
        starts, order = self._by_home
        first, last = starts[homes.to_numpy()], starts[homes.to_numpy() + 1]
        sizes = last - first
        # each household's members stand side by side in `order`: the places of all of them, one after the other
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return pl.Series(np.sort(order[np.repeat(first, sizes) + within]), dtype=pl.UInt32)

    @cached_property
    def _by_home(self) -> tuple[np.ndarray, np.ndarray]:
        """Where each household's members begin in the second array, which holds the places of all persons by household."""
        home = self.home.cast(pl.Int64).fill_null(-1).to_numpy()
        order = np.argsort(home, kind="stable")
        homes = self.households[World.STRICT].height
        return np.searchsorted(home[order], np.arange(homes + 1)), order

    def of(self, level: Level, world: World) -> pl.DataFrame:
        """One row per person, household or place, with all facts of one world; of places there is one world only."""
        if level in AREAS:
            return self.areas[level]
        return (self.persons if level is Level.PERSON else self.households)[world]


def derive_person_facts(persons: pl.DataFrame, households: pl.DataFrame, compared: Comparison) -> pl.DataFrame:
    """The register persons with their household's fields and the facts that follow from what the register says."""
    as_of, today = compared.as_of, days(compared.as_of)
    born = pl.coalesce("id_birth_on", "birth_on")
    entered = pl.col("entered_on") if "entered_on" in persons.columns else pl.lit(None, pl.Date)
    homes = derive_household_facts(households, as_of).drop(today)
    shared = _shared(homes)
    return (
        persons.drop(shared, strict=False)
        .join(homes.select("household_id", *shared), on="household_id", how="left", maintain_order="left")
        .with_columns(**today)
        .with_columns(
            _years(born, today["as_of"]).alias("age"),
            _years(born, today["school_year_on"]).alias("age_at_school_start"),
            (pl.lit(as_of) - entered).dt.total_days().alias("days_since_entry"),
            _county_compared(entered, compared).alias("county_compared"),
            (pl.coalesce("household_id", pl.format("#{}", "register_row")).rank("dense") - 1).alias(HOUSE),
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
    return households.with_columns(**days(as_of)).sort("household_id")


def gather_facts(
    persons: pl.DataFrame,
    households: pl.DataFrame,
    compared: Comparison,
    facts: Sequence[Fact],
    numbers: Sequence[Parameter],
    read: Collection[str],
    explained: Collection[str],
    label: Label,
) -> Facts:
    """The facts out of the register and the extracts, with the numbers that the place sets.

    A fact whose extracts or columns are absent is null for everybody, and listed. `read` are all names that somebody reads,
    `explained` those of which it is told why they are unknown.
    """
    as_of = compared.as_of
    people = _with_numbers(derive_person_facts(persons, households, compared), numbers, as_of)
    people = _with_given(people, Level.PERSON, read, compared)
    homes = _with_places(derive_household_facts(households, as_of), people)
    homes = _with_given(_with_numbers(homes, numbers, as_of), Level.HOUSEHOLD, read, compared)
    areas = area_frames(people, compared)
    first = _first_members(homes.height, people)
    linked = linked_to(people, facts, compared)
    lists = Lists(people, compared)
    of_people: dict[World, list[pl.Series]] = {world: [] for world in World}
    of_homes: dict[World, list[pl.Series]] = {world: [] for world in World}
    attached: dict[str, pl.DataFrame] = {}
    doubtful = set()
    for fact in facts:
        rows = {kind: test_rows(fact, kind, linked[kind, fact.by_number], people, compared) for kind in fact.kinds}
        behind = rows[fact.kinds[0]]
        if len(rows) > 1:
            behind = pl.concat(rows.values(), how="vertical_relaxed").sort("register_row", "extract", "extract_row")
        attached[fact.name] = behind.drop("value", strict=False)
        truth = [
            truths(fact, rows[kind], lists.reach(fact, kind, rows[kind]), explain=fact.name in explained)
            for kind in fact.kinds
        ]
        told = _by_world(fact, truth, behind, people)
        doubtful |= {fact.name} if any(told[world] is not told[World.STRICT] for world in World) else set()
        for world, series in told.items():
            of_people[world] += series
        if fact.level is Level.HOUSEHOLD:
            for world, series in _gathered(told, first).items():
                of_homes[world] += series
        if fact.name in explained:
            why = pl.select(pl.coalesce(frame["why"] for frame in truth)).to_series()
            of_people[World.STRICT].append(why.alias(WHY + fact.name))
            if fact.by_number:  # the household's number stands for all of it, so its reason is that of any member
                of_homes[World.STRICT].append(why.gather(first).alias(WHY + fact.name))
    return Facts(
        persons={world: people.with_columns(of_people[world]) for world in World},
        households={world: homes.with_columns(of_homes[world]) for world in World},
        areas={level: _with_numbers(frame, numbers, as_of) for level, frame in areas.items()},
        attached=attached,
        absent={fact.name: reason for fact in facts if (reason := absence(fact, people, compared, label))},
        doubtful=frozenset(doubtful),
        speaker=_speakers(homes, people),
    )


def _first_members(homes: int, people: pl.DataFrame) -> pl.Series:
    """For each household the place of the first of its members among the persons; null where it has none."""
    members = people.select(HOME, pl.int_range(pl.len(), dtype=pl.UInt32).alias("person")).drop_nulls(HOME)
    first = members.unique(HOME, keep="first")
    every = pl.DataFrame({HOME: pl.Series(range(homes), dtype=pl.UInt32)})
    return every.join(first, on=HOME, how="left", maintain_order="left")["person"]


def _speakers(homes: pl.DataFrame, people: pl.DataFrame) -> pl.Series:
    """For each household the place of the person on whose row of the register its own values stand; null where there is none."""
    at = ["household_id", "source", "sheet", "row"]
    first = people.select(*at, pl.int_range(pl.len(), dtype=pl.UInt32).alias("person"))
    first = first.unique(at, keep="first")
    return homes.select(at).join(first, on=at, how="left", nulls_equal=True, maintain_order="left")["person"]


def columns_of(names: Iterable[str], frame: pl.DataFrame) -> list[str]:
    """Those of these facts that the frame holds, each once, and what belongs to them: bounds, and which parts are lacking."""
    held = set(frame.columns)
    return [
        column
        for name in dict.fromkeys(names)
        for column in (name, LOW + name, HIGH + name, LACKING + name)
        if column in held
    ]


def _with_given(frame: pl.DataFrame, level: Level, read: Collection[str], compared: Comparison) -> pl.DataFrame:
    """The frame with `given_x` for every x of its columns of which somebody reads that: whether its file says x of anybody."""
    asked = tuple(sorted({name.removeprefix(GIVEN) for name in read if name.startswith(GIVEN)} & set(frame.columns)))
    told = compared.once(("given", level, asked), lambda whole: _sources_that_give(level, asked, whole))
    found = frame.select("source").join(told, on="source", how="left", nulls_equal=True, maintain_order="left")
    return frame.with_columns(found[n].alias(GIVEN + n) for n in asked if n in found.columns)


def _sources_that_give(level: Level, columns: Sequence[str], compared: Comparison) -> pl.DataFrame:
    """`source`, and for each of these columns whether any person, or household, of that file has a value in it."""
    persons, homes = compared.evidence[REGISTER], compared.households
    frame = homes
    if level is Level.PERSON:
        own = [name for name in columns if name in persons.columns and name not in _shared(homes)]
        theirs = [name for name in columns if name in _shared(homes)]
        frame = persons.select("source", "household_id", *own)
        frame = frame.join(homes.select("household_id", *theirs), on="household_id", how="left") if theirs else frame
    return frame.group_by("source").agg(pl.col(name).is_not_null().any() for name in columns if name in frame.columns)


def _shared(homes: pl.DataFrame) -> list[str]:
    """The columns of households that stand beside each of their members."""
    return [name for name in homes.columns if name not in HOUSEHOLDS.names or name == "member_count"]


def _with_places(homes: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The households with the village and county that their first member to name one names."""
    named = people.group_by(HOME).agg(pl.col(VILLAGE, COUNTY).drop_nulls().first())
    at = pl.DataFrame({HOME: pl.Series(range(homes.height), dtype=pl.UInt32)})
    return homes.with_columns(at.join(named, on=HOME, how="left", maintain_order="left").get_columns())


def _with_numbers(frame: pl.DataFrame, numbers: Sequence[Parameter], as_of: date) -> pl.DataFrame:
    """The frame with the numbers that a place sets, as each row's day asks for them."""
    today = pl.lit(as_of)
    exited = pl.coalesce(pl.date("exit_year", 12, 31), today) if "exit_year" in frame.columns else today
    for number in numbers:
        day = today if number.by == "as_of" else exited
        if not number.counties:
            frame = frame.with_columns(column(number, day))
            continue
        # a county's own number takes the place of the wider place's, in its own rows alone
        wider = pl.col(number.name) if number.name in frame.columns else pl.lit(None, pl.Float64)
        here = _county_of(frame).is_in(list(number.counties))
        own = pl.when(here).then(column(number, day, wider)).otherwise(pl.when(here.is_not_null()).then(wider))
        frame = frame.with_columns(own.alias(number.name))
    return frame


def _county_of(frame: pl.DataFrame) -> pl.Expr:
    return pl.col(COUNTY) if COUNTY in frame.columns else pl.col("place").str.split("|").list.first()


def _by_world(
    fact: Fact, truth: Sequence[pl.DataFrame], rows: pl.DataFrame, people: pl.DataFrame
) -> dict[World, list[pl.Series]]:
    """The columns of one fact, per person; a household's fact is the same for all of its members.

    A world that says what the strict one says shares its columns.
    """
    if fact.gives != "any":
        searched = pl.select(pl.all_horizontal(frame["searched"] for frame in truth)).to_series()
        return dict.fromkeys(World, told_by_rows(fact, rows, searched, people[HOUSE]))
    found: dict[World, list[pl.Series]] = {}
    for world in World:
        holds = pl.select(pl.any_horizontal(frame[world] for frame in truth).alias(fact.name)).to_series()
        if fact.level is Level.HOUSEHOLD:
            holds = any_of_house(holds, people[HOUSE])
        same = next((known for known in found.values() if known[0].equals(holds)), None)
        found[world] = same or [holds]
    return found


def add_derived(facts: Facts, fact: Derived, compared: Comparison) -> Facts:
    """The facts with one more that follows from them; a household's fact is told of its members too."""
    shape = fact.shape
    if fact.level in AREAS:
        told = derive_area(fact, facts.persons[World.STRICT], facts.households[World.STRICT], facts.areas, compared)
        return replace(facts, areas={**facts.areas, fact.level: facts.areas[fact.level].with_columns(told)})
    worlds = list(World) if facts.doubtful & set(shape.reads) else [World.STRICT]
    told_in = {world: _derived(fact, facts, world, compared) for world in worlds}
    told_in = {world: told_in.get(world, told_in[World.STRICT]) for world in World}
    extra = {fact.name, *([shape.conflict] if isinstance(shape, FirstOf) else [])} if len(worlds) > 1 else set()
    return add_columns(replace(facts, doubtful=facts.doubtful | extra), fact.level, told_in)


def _derived(fact: Derived, facts: Facts, world: World, compared: Comparison) -> list[pl.Series]:
    shape, frame = fact.shape, facts.of(fact.level, world)
    if not isinstance(shape, Members):
        return derive(fact.name, shape, frame[columns_of(("household_id", *shape.reads), frame)], fact.where)
    if shape.by is None:
        rows, units = facts.persons[world], pl.Series(HOME, range(frame.height), dtype=pl.UInt32)
        rows = rows[columns_of((HOME, *shape.reads), rows)]
        return spread(over_members(fact.name, shape, rows, HOME, fact.where), HOME, units)
    # households that were one: those with one value here; a household that names none stands alone
    by = shape.by
    named = compared.once(("joined", by), lambda whole: _names_any(whole.households, by))
    if not (_names_any(frame, by) if named is None else named):
        return [pl.Series(fact.name, [None] * frame.height, dtype=pl.Float64)]
    group = pl.coalesce(pl.format("@{}", by), "household_id").alias("_group")
    rows = frame[columns_of(("household_id", *shape.reads), frame)].with_columns(group)
    return spread(over_members(fact.name, shape, rows, "_group", fact.where), "_group", rows["_group"])


def _names_any(homes: pl.DataFrame, column: str) -> bool | None:
    """Whether any household has a value in this column; None where there is no such column."""
    return bool(homes[column].is_not_null().any()) if column in homes.columns else None


def spread(found: pl.DataFrame, key: str, units: pl.Series) -> list[pl.Series]:
    """The columns of `found`, one value per unit in their order; of a unit with nobody in it nothing is known."""
    joined = units.to_frame(key).join(found, on=key, how="left", maintain_order="left")
    return [joined[name] for name in found.columns if name != key]


def add_columns(facts: Facts, level: Level, told: Mapping[World, Sequence[pl.Series]]) -> Facts:
    """The facts with columns of persons or households added, in each world; worlds that are told alike share them."""
    if level is Level.PERSON:
        return replace(facts, persons={w: frame.with_columns(told[w]) for w, frame in facts.persons.items()})
    households = {w: frame.with_columns(told[w]) for w, frame in facts.households.items()}
    of_members = _gathered(told, facts.home)
    persons = {w: frame.with_columns(of_members[w]) for w, frame in facts.persons.items()}
    return replace(facts, persons=persons, households=households)


def _gathered(told: Mapping[World, Sequence[pl.Series]], at: pl.Series) -> dict[World, list[pl.Series]]:
    """The same columns for other rows: those at these places, null for none; worlds that are told alike share them."""
    once = {id(columns): columns for columns in told.values()}
    found = {key: [_at(series, at) for series in columns] for key, columns in once.items()}
    return {world: found[id(columns)] for world, columns in told.items()}


def _at(series: pl.Series, places: pl.Series) -> pl.Series:
    """The values at these places; where there are no values at all, nothing is known of anybody."""
    if series.len():
        return series.gather(places).alias(series.name)
    return pl.repeat(None, places.len(), dtype=series.dtype, eager=True).alias(series.name)


def _years(born: pl.Expr, on: pl.Expr) -> pl.Expr:
    """Completed years on a day."""
    in_year = [day.dt.month().cast(pl.Int32) * 100 + day.dt.day() for day in (born, on)]
    return (on.dt.year() - born.dt.year() - (in_year[0] > in_year[1]).cast(pl.Int32)).cast(pl.Int64)


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
