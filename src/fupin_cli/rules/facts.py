"""What rules may read: register facts, derived facts, and department facts in three worlds.

A department fact of a person is Kleene's OR over the linked rows of (the link is real AND the row satisfies the condition).
Without a true row it is false only where an extract of that kind covers the county, is fresh enough, and the person can be
found in it; everything else is unknown. A link under review is unknown in the strict world. To tell a doubtful link from
a missing value, two more worlds ask what would follow if every such link were real, or if those who cannot be found were absent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import polars as pl

from fupin_cli.rules.outcome import any_true
from fupin_cli.rules.pack import DEPT, REGISTER, Fact, Level
from fupin_cli.rules.predicate import evaluate
from fupin_cli.vocabulary import EXTRACTS, HOUSEHOLDS, LINKS, Decision

SAME_NUMBER = "exact_id"  # the basis of a link between two rows that carry one ID number
DISPUTED = "_disputed"  # the person's ID number stands under another name, and no department confirms it
HOUSE = "_house"  # the household, or the person alone where the register gives no household
KIND = "kind:"  # prefix: the label of a kind of extract, not of a field of the same name
WHY = "_why:"  # prefix: why this department fact is unknown
Label = Callable[[str], str]


class World(StrEnum):
    """How doubt is read: doubtful links as unknown, all of them as real, or whoever cannot be found as absent."""

    STRICT = "strict"
    EVERY = "every"
    NONE = "none"


@dataclass(frozen=True)
class Comparison:
    """The frames that were compared, those of this run's stages only, and the day on which we stand.

    `links` holds no rejected pair; `same_number` holds every pair with one ID number, whoever it turned out to be.
    """

    evidence: Mapping[str, pl.DataFrame]
    links: pl.DataFrame
    same_number: pl.DataFrame
    extracts: pl.DataFrame
    county_extracts: pl.DataFrame
    as_of: date
    stages: tuple[str, ...]

    def extracts_of(self, kind: str) -> pl.DataFrame:
        """The extracts of one kind."""
        return self.extracts.filter(pl.col("kind") == kind)


@dataclass(frozen=True)
class Facts:
    """Every fact of every person and household, in each world; the linked rows behind them; and which are absent, and why."""

    persons: Mapping[World, pl.DataFrame]
    households: Mapping[World, pl.DataFrame]
    attached: Mapping[str, pl.DataFrame]
    absent: Mapping[str, str]

    def of(self, level: Level, world: World) -> pl.DataFrame:
        """One row per person or household, with all facts of one world."""
        return (self.persons if level is Level.PERSON else self.households)[world]


def compare_only(
    evidence: Mapping[str, pl.DataFrame],
    links: pl.DataFrame,
    extracts: pl.DataFrame,
    persons: pl.DataFrame,
    as_of: date,
    stages: Sequence[str],
) -> Comparison:
    """The extracts of these stages with their rows and links, the register as one more kind, and no rejected link."""
    known = EXTRACTS.conform(extracts)
    extracts = known.filter(pl.col("stage").is_in(list(stages)) | pl.col("stage").is_null())
    everything = LINKS.conform(links).select(LINKS.names)
    own = everything.filter(pl.col("extract") == REGISTER)
    turned = own.with_columns(pl.col("extract_row").alias("register_row"), pl.col("register_row").alias("extract_row"))
    others = everything.join(extracts.select("extract"), on="extract", how="semi")
    keys = ["register_row", "extract", "extract_row"]
    order = {decision.value: place for place, decision in enumerate(Decision)}
    everything = (
        pl.concat([others, own, turned])
        .sort(*keys, pl.col("decision").replace_strict(order, return_dtype=pl.Int8), "basis")
        .unique(keys, keep="first", maintain_order=True)
    )
    links = everything.filter(pl.col("decision") != Decision.REJECTED.value)
    same_number = everything.filter(pl.col("basis") == SAME_NUMBER)
    register = persons.with_columns(pl.lit(REGISTER).alias("extract"), pl.col("register_row").alias("extract_row"))
    county = known.filter(pl.col("stage") == "county")  # what the county compared matters to the province's round too
    return Comparison(
        {**evidence, REGISTER: register}, links, same_number, extracts.sort("extract"), county, as_of, tuple(stages)
    )


def derive_person_facts(persons: pl.DataFrame, households: pl.DataFrame, compared: Comparison) -> pl.DataFrame:
    """The register persons with their household's fields and the facts that follow from what the register says."""
    as_of = compared.as_of
    school_year = date(as_of.year - (as_of < date(as_of.year, 9, 1)), 9, 1)
    born = pl.coalesce("id_birth_on", "birth_on")
    entered = pl.col("entered_on") if "entered_on" in persons.columns else pl.lit(None, pl.Date)
    homes = derive_household_facts(households, persons, as_of).drop("as_of")
    shared = [name for name in homes.columns if name not in HOUSEHOLDS.names or name == "member_count"]
    return (
        persons.drop(shared, strict=False)
        .join(homes.select("household_id", *shared), on="household_id", how="left", maintain_order="left")
        .with_columns(
            pl.lit(as_of).alias("as_of"),
            _years(born, as_of).alias("age"),
            _years(born, school_year).alias("age_at_school_start"),
            (pl.lit(as_of) - entered).dt.total_days().alias("days_since_entry"),
            _county_compared(entered, compared).alias("county_compared"),
            pl.coalesce("household_id", pl.format("#{}", "register_row")).alias(HOUSE),
        )
        .join(disputed_numbers(compared), on="register_row", how="left", maintain_order="left")
        .with_columns(pl.col(DISPUTED).fill_null(value=False))
        .sort("register_row")
    )


def disputed_numbers(compared: Comparison) -> pl.DataFrame:
    """register_row of those whose ID number an extract or register row has under another name, confirmed by no extract.

    Somebody else's number may have been typed in: what a list does not hold under it says nothing of this person.
    """
    accepted = pl.col("decision") == Decision.ACCEPTED.value
    confirmed = (accepted & (pl.col("extract") != REGISTER)).any()
    by_person = compared.same_number.group_by("register_row").agg(((~accepted).any() & ~confirmed).alias(DISPUTED))
    return by_person.filter(DISPUTED)


def derive_household_facts(households: pl.DataFrame, persons: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The households with the facts that follow from the register."""
    counted = persons.group_by("household_id").agg(pl.len().cast(pl.Int64).alias("member_count_actual"))
    return (
        households.join(counted, on="household_id", how="left", maintain_order="left")
        .with_columns(pl.lit(as_of).alias("as_of"), pl.col("member_count_actual").fill_null(0))
        .sort("household_id")
    )


def gather_facts(
    persons: pl.DataFrame, households: pl.DataFrame, compared: Comparison, facts: Sequence[Fact], label: Label
) -> Facts:
    """All facts, ready to judge. A fact whose extracts or columns are absent is null for everybody, and listed."""
    people = derive_person_facts(persons, households, compared)
    homes = derive_household_facts(households, persons, compared.as_of)
    linked = {kind: _linked_rows(kind, facts, compared) for kind in sorted({k for fact in facts for k in fact.kinds})}
    columns: dict[World, list[pl.Series]] = {world: [] for world in World}
    attached: dict[str, pl.DataFrame] = {}
    for fact in facts:
        rows = {kind: _test_rows(fact, linked[kind], people) for kind in fact.kinds}
        attached[fact.name] = pl.concat(rows.values()).sort("register_row", "extract", "extract_row")
        truths = [_truths(fact, kind, rows[kind], people, compared) for kind in fact.kinds]
        for world in World:
            truth = pl.select(pl.any_horizontal(frame[world] for frame in truths)).to_series()
            if fact.level is Level.HOUSEHOLD:
                truth = people.select(HOUSE, t=truth).select(any_true(pl.col("t")).over(HOUSE)).to_series()
            columns[world].append(truth.alias(fact.name))
        why = pl.select(pl.coalesce(frame["why"] for frame in truths)).to_series()
        columns[World.STRICT].append(why.alias(WHY + fact.name))
    own = [fact.name for fact in facts if fact.level is Level.HOUSEHOLD]
    of_people = {world: people.with_columns(columns[world]) for world in World}
    of_homes = {
        world: homes.join(
            frame.group_by("household_id", maintain_order=True).agg(pl.col(own).first()),
            on="household_id",
            how="left",
            maintain_order="left",
        )
        for world, frame in of_people.items()
    }
    absent = {fact.name: reason for fact in facts if (reason := _absence(fact, people, compared, label))}
    return Facts(of_people, of_homes, attached, absent)


def named(kinds: Sequence[str], label: Label) -> str:
    """How people call these kinds of extract."""
    return "、".join(label(KIND + kind).removeprefix(KIND) for kind in kinds)


def covering(kind: str, compared: Comparison, max_age_days: int | None = None) -> tuple[bool, list[str]]:
    """Whether an extract of this kind, fresh enough, reaches everywhere; and else which counties such extracts reach."""
    fresh = compared.extracts_of(kind)
    if max_age_days is not None:
        fresh = fresh.filter(pl.col("as_of") >= compared.as_of - timedelta(days=max_age_days))
    everywhere = fresh.filter(pl.col("coverage").is_null() | (pl.col("coverage").list.len() == 0)).height > 0
    counties = (
        fresh.select(pl.col("coverage").explode(empty_as_null=True).drop_nulls().unique().sort()).to_series().to_list()
    )
    return everywhere or kind == REGISTER, counties


def in_counties(counties: Sequence[str], prefix: str = "") -> pl.Expr:
    """Whether the row's county is one of these, as printed or without its suffix; null where the row names no county."""
    names = list(counties)
    return pl.col(f"{prefix}county").is_in(names) | pl.col(f"{prefix}county_key").is_in(names)


def _linked_rows(kind: str, facts: Sequence[Fact], compared: Comparison) -> pl.DataFrame:
    """The rows of this kind that are linked to somebody, with the columns that conditions read, prefixed `dept_`.

    Pairs of one ID number that linkage rejected come too: only facts with `links = "any"` look at them.
    """
    rows = compared.evidence.get(kind)
    rejected = compared.same_number.filter(pl.col("decision") == Decision.REJECTED.value)
    links = pl.concat([compared.links, rejected]).select(
        "register_row",
        "extract",
        "extract_row",
        pl.lit(kind).alias("kind"),
        "basis",
        "match_weight",
        pl.col("basis").alias("link_basis"),
        pl.col("match_weight").alias("link_weight"),
        (pl.col("decision") == Decision.ACCEPTED.value).alias("link_accepted"),
        (pl.col("decision") == Decision.REJECTED.value).alias("rejected"),
    )
    if rows is None:
        return links.clear()
    mine = [REGISTER] if kind == REGISTER else compared.extracts_of(kind)["extract"].to_list()
    read = {name for fact in facts if kind in fact.kinds for name in fact.condition.names if name.startswith(DEPT)}
    wanted = sorted(name.removeprefix(DEPT) for name in read)
    return links.filter(pl.col("extract").is_in(mine)).join(
        rows.select("extract", "extract_row", *(pl.col(n).alias(DEPT + n) for n in wanted if n in rows.columns)),
        on=["extract", "extract_row"],
        how="inner",
        maintain_order="left",
    )


def _test_rows(fact: Fact, linked: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The linked rows with `holds`, the truth of the fact's condition, and whether the link counts as accepted."""
    linked = linked if fact.links == "any" else linked.filter(~pl.col("rejected"))
    bare = [name for name in fact.condition.names if name in people.columns and name not in linked.columns]
    frame = linked.join(people.select("register_row", *bare), on="register_row", how="inner", maintain_order="left")
    frame = frame.with_columns(pl.lit(None).alias(name) for name in fact.condition.names if name not in frame.columns)
    return frame.select(
        "register_row",
        "extract",
        "extract_row",
        "kind",
        "basis",
        "match_weight",
        (pl.col("link_accepted") | pl.lit(fact.links == "any")).alias("accepted"),
        evaluate(frame, fact.condition, fact.where).alias("holds"),
    )


def _truths(fact: Fact, kind: str, rows: pl.DataFrame, people: pl.DataFrame, compared: Comparison) -> pl.DataFrame:
    """One row per person: the fact's truth by this kind in each world, and why it is unknown in the strict one."""
    sure, holds, doubt = pl.col("accepted"), pl.col("holds"), pl.col("holds").is_null()
    found = rows.group_by("register_row").agg(
        (sure & holds).any().alias("sure_true"),
        (sure & doubt).any().alias("sure_null"),
        (~sure & holds).any().alias("review_true"),
        (~sure & doubt).any().alias("review_null"),
        sure.any().alias("linked"),
        (~sure).any().alias("review"),
    )
    everywhere, counties = covering(kind, compared, fact.max_age_days)
    flags = [name for name in found.columns if name != "register_row"]
    covered = pl.col("_covered")
    findable = (pl.col("id_number").is_not_null() & ~pl.col(DISPUTED)) | pl.col("linked")
    unclear = pl.col("sure_null") | pl.col("review_true") | pl.col("review_null")
    return (
        people.select(
            "register_row",
            "id_number",
            DISPUTED,
            (pl.lit(everywhere) | in_counties(counties)).fill_null(value=False).alias("_covered"),
        )
        .join(found, on="register_row", how="left", maintain_order="left")
        .with_columns(pl.col(flags).fill_null(value=False))
        .select(
            _truth(pl.col("sure_true"), unclear, covered & findable).alias(World.STRICT),
            _truth(
                pl.col("sure_true") | pl.col("review_true"),
                pl.col("sure_null") | pl.col("review_null"),
                covered & (findable | pl.col("review")),
            ).alias(World.EVERY),
            # whoever may be on the list is not absent from it: a doubtful link is a link to judge, not an accusation
            _truth(pl.col("sure_true"), unclear, covered).alias(World.NONE),
            pl.when(pl.col("sure_true"))
            .then(None)
            .when(pl.col("review_true") | pl.col("review_null"))
            .then(pl.lit("比对关系待核"))
            .when(pl.col("sure_null"))
            .then(pl.lit("部门数据该项为空"))
            .when(~covered)
            .then(pl.lit("没有覆盖该县的有效数据"))
            .when(pl.col("id_number").is_not_null() & ~findable)
            .then(pl.lit("证件号码在别处登记为他人，无法据此查找"))
            .when(~findable)
            .then(pl.lit("证件号码不可用，无法查找"))
            .alias("why"),
        )
    )


def _truth(true: pl.Expr, unknown: pl.Expr, absent: pl.Expr) -> pl.Expr:
    nothing = pl.lit(None, pl.Boolean)
    return (
        pl.when(true).then(pl.lit(True)).when(unknown).then(nothing).when(absent).then(pl.lit(False)).otherwise(nothing)
    )


def _absence(fact: Fact, people: pl.DataFrame, compared: Comparison, label: Label) -> str | None:
    """Why this fact can say nothing of anybody: no such extract, or no such column."""
    held = [kind for kind in fact.kinds if kind == REGISTER or compared.extracts_of(kind).height]
    if not held:
        return "没有" + named(fact.kinds, label) + "数据"
    for name in fact.condition.names:
        if name in fact.optional:
            continue
        column = name.removeprefix(DEPT)
        frames = [compared.evidence[kind] for kind in held if kind in compared.evidence]
        if name.startswith(DEPT) and frames and all(column not in frame.columns for frame in frames):
            return named(held, label) + f"数据没有“{label(column)}”列"
        if not name.startswith((DEPT, "link_")) and name not in people.columns:
            return f"台账没有“{label(name)}”列"
    return None


def _years(born: pl.Expr, on: date) -> pl.Expr:
    """Completed years on a day."""
    before_birthday = (born.dt.month().cast(pl.Int32) * 100 + born.dt.day()) > on.month * 100 + on.day
    return (pl.lit(on.year) - born.dt.year() - before_birthday.cast(pl.Int32)).cast(pl.Int64)


def _county_compared(entered: pl.Expr, compared: Comparison) -> pl.Expr:
    """True where a county-stage extract that covers the county is no younger than the entry; false where all are younger.

    Where none covers the county, false once the province compares, and unknown before. Unknown too where a date is missing.
    """
    county = compared.county_extracts
    reached, before = pl.lit(False), pl.lit(False)
    for counties, as_of in zip(county["coverage"].to_list(), county["as_of"].to_list(), strict=True):
        here = in_counties(counties).fill_null(value=False) if counties else pl.lit(True)
        reached, before = reached | here, before | (here & (entered >= pl.lit(as_of, pl.Date)))
    return pl.when(reached).then(before).otherwise(pl.lit(False if "province" in compared.stages else None, pl.Boolean))
