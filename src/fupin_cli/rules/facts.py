"""What rules may read: register facts, derived facts, and department facts in three worlds.

A department fact of a person is Kleene's OR over the linked rows of (the link is real AND the row satisfies the condition).
Without a true row it is false only where an extract of that kind covers the county, is fresh enough, has ID numbers to search
by, and the person can be found in it and may be no row whose number cannot be used; everything else is unknown. A link under
review is unknown in the strict world. To tell a doubtful link from a missing value, two more worlds ask what would follow if
every such link were real, or if those who cannot be found were absent: all but those whose number a spreadsheet cut, for
whom nobody has really looked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import polars as pl

from fupin_cli.rules.comparison import Comparison, Label, covered_by, department_columns, named
from fupin_cli.rules.outcome import any_true
from fupin_cli.rules.pack import DEPT, GIVEN, REGISTER, Fact, Level
from fupin_cli.rules.predicate import evaluate
from fupin_cli.vocabulary import HOUSEHOLDS, Decision

DISPUTED = "_disputed"  # the person's ID number stands under another name, and no department confirms it
_HEAD = "户主"
_CUT, _LEFT = "truncated", 15  # the status of a number that a spreadsheet cut, and the digits that it kept
HOUSE = "_house"  # the household, or the person alone where the register gives no household
WHY = "_why:"  # prefix: why this department fact is unknown


class World(StrEnum):
    """How doubt is read: doubtful links as unknown, all of them as real, or whoever cannot be found as absent."""

    STRICT = "strict"
    EVERY = "every"
    NONE = "none"


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


def derive_person_facts(persons: pl.DataFrame, households: pl.DataFrame, compared: Comparison) -> pl.DataFrame:
    """The register persons with their household's fields and the facts that follow from what the register says."""
    as_of = compared.as_of
    school_year = date(as_of.year - (as_of < date(as_of.year, 9, 1)), 9, 1)
    born = pl.coalesce("id_birth_on", "birth_on")
    entered = pl.col("entered_on") if "entered_on" in persons.columns else pl.lit(None, pl.Date)
    homes = derive_household_facts(households, as_of).drop("as_of")
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


def derive_household_facts(households: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The households with the facts that follow from the register."""
    return households.with_columns(pl.lit(as_of).alias("as_of")).sort("household_id")


def gather_facts(
    persons: pl.DataFrame, households: pl.DataFrame, compared: Comparison, facts: Sequence[Fact], label: Label
) -> Facts:
    """All facts, ready to judge. A fact whose extracts or columns are absent is null for everybody, and listed."""
    people = derive_person_facts(persons, households, compared)
    homes = derive_household_facts(households, compared.as_of)
    linked = {kind: _linked_rows(kind, facts, compared) for kind in sorted({k for fact in facts for k in fact.kinds})}
    columns: dict[World, list[pl.Series]] = {world: [] for world in World}
    attached: dict[str, pl.DataFrame] = {}
    for fact in facts:
        rows = {kind: _test_rows(fact, kind, linked[kind], people, compared) for kind in fact.kinds}
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
    asking = [fact for fact in facts if kind in fact.kinds]
    read = [name for fact in asking for name in (*fact.condition.names, *([fact.latest] if fact.latest else []))]
    return links.filter(pl.col("extract").is_in(mine)).join(
        rows.select("extract", "extract_row", *department_columns(read, rows)),
        on=["extract", "extract_row"],
        how="inner",
        maintain_order="left",
    )


def _test_rows(fact: Fact, kind: str, linked: pl.DataFrame, people: pl.DataFrame, compared: Comparison) -> pl.DataFrame:
    """The linked rows that count, with `holds`, the truth of the fact's condition, and whether the link counts as accepted."""
    if kind != REGISTER:
        linked = linked.join(compared.extracts_of(kind, fact.max_age_days), on="extract", how="semi")
    linked = linked if fact.links == "any" else linked.filter(~pl.col("rejected"))
    if fact.latest in linked.columns:
        newest = pl.col(fact.latest).filter(pl.col("link_accepted")).max().over("register_row")
        linked = linked.filter((pl.col(fact.latest) < newest).fill_null(value=False).not_())
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
    fresh = compared.extracts_of(kind, fact.max_age_days)
    always = pl.lit(kind == REGISTER)
    numbered = fresh.filter(pl.col("has_numbers") & pl.col("complete").fill_null(value=True))
    one_each = _one_a_household(rows, people) if fact.by_household else numbered.clear()
    of_members = numbered.join(one_each, on="extract", how="anti")
    is_head = (pl.col("relation") == _HEAD).fill_null(value=False)
    # the department may still have another member as head: then the household is on the list
    listed = rows.filter("accepted").join(one_each, on="extract", how="semi").select("register_row").unique()
    homes = people.join(listed, on="register_row", how="semi")[HOUSE].unique()
    unlisted_head = is_head & ~pl.col(HOUSE).is_in(homes.implode())
    flags = [name for name in found.columns if name != "register_row"]
    linked = pl.col("linked")
    reached, maybe = pl.col("_reached"), pl.col("_maybe").is_not_null() & ~linked
    covered = pl.col("_searchable") | (reached & linked)
    findable = (pl.col("id_number").is_not_null() & ~pl.col(DISPUTED)) | linked
    cut = (pl.col("id_status") == _CUT).fill_null(value=False) & ~linked
    unclear = pl.col("sure_null") | pl.col("review_true") | pl.col("review_null") | maybe
    return (
        people.select(
            "register_row",
            "id_number",
            "id_status",
            DISPUTED,
            (always | covered_by(fresh)).fill_null(value=False).alias("_reached"),
            (always | covered_by(of_members) | (unlisted_head & covered_by(numbered)))
            .fill_null(value=False)
            .alias("_searchable"),
            _may_be_listed(people, kind, fresh, compared).alias("_maybe"),
        )
        .join(found, on="register_row", how="left", maintain_order="left")
        .with_columns(pl.col(flags).fill_null(value=False))
        .select(
            _truth(pl.col("sure_true"), unclear, covered & findable).alias(World.STRICT),
            _truth(
                pl.col("sure_true") | pl.col("review_true"),
                pl.col("sure_null") | pl.col("review_null") | maybe,
                covered & (findable | pl.col("review")),
            ).alias(World.EVERY),
            # whoever may be on the list is not absent from it: a doubtful link is a link to judge, not an accusation
            _truth(pl.col("sure_true"), unclear, covered & ~cut).alias(World.NONE),
            pl.when(pl.col("sure_true"))
            .then(None)
            .when(pl.col("review_true") | pl.col("review_null"))
            .then(pl.lit("比对关系待核"))
            .when(pl.col("sure_null"))
            .then(pl.lit("部门数据该项为空"))
            .when(maybe)
            .then("_maybe")
            .when(~reached)
            .then(pl.lit("没有覆盖该县的有效数据"))
            .when(~covered)
            .then(pl.lit("覆盖该县的名单没有可用的证件号码、不完整或只列户主，无法查找"))
            .when(pl.col("id_number").is_not_null() & ~findable)
            .then(pl.lit("证件号码在别处登记为他人，无法据此查找"))
            .when(cut)
            .then(pl.lit("证件号码末几位丢失，无法据此查找"))
            .when(~findable)
            .then(pl.lit("证件号码不可用，无法查找"))
            .alias("why"),
        )
    )


def _one_a_household(rows: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """`extract` of those on which nobody was found together with another member: lists of heads, whoever that is by now."""
    found = rows.filter("accepted").select("extract", "register_row").unique()
    homes = (
        found.join(people.select("register_row", HOUSE), on="register_row").group_by("extract", HOUSE).len("members")
    )
    return homes.group_by("extract").agg(pl.col("members").max()).filter(pl.col("members") == 1).select("extract")


def _may_be_listed(people: pl.DataFrame, kind: str, fresh: pl.DataFrame, compared: Comparison) -> pl.Series:
    """Per person: which row without usable ID number, of nobody known, may be theirs after all; null where there is none.

    One bears their name, in their county or in an unknown one; or a spreadsheet cut its number, and what is left begins theirs;
    or their number stands elsewhere in the files, where no row was read under it.
    """
    rows = compared.evidence.get(kind)
    if rows is None or kind == REGISTER:
        return pl.repeat(None, people.height, dtype=pl.String, eager=True)
    settled = compared.links.filter(pl.col("decision") == Decision.ACCEPTED.value)
    unnumbered = rows.filter(pl.col("id_number").is_null()).join(fresh, on="extract", how="semi")
    unnumbered = unnumbered.join(settled, on=["extract", "extract_row"], how="anti")
    known = unnumbered.drop_nulls("name_key").group_by("name_key").agg(
        pl.col("county_key").is_null().any().alias("_anywhere"), pl.col("county_key").unique().alias("_there")
    )  # fmt: skip
    here = pl.col("county_key")
    same_place = pl.col("_anywhere") | here.is_null() | pl.col("_there").list.contains(here)
    met = people.join(known, on="name_key", how="left", maintain_order="left")
    begun = unnumbered.filter(pl.col("id_status") == _CUT).select(pl.col("id_digits").str.slice(0, _LEFT)).to_series()
    begun = begun.filter((begun.str.len_chars() == _LEFT).fill_null(value=False)).unique()
    elsewhere = fresh["mentioned"].explode(empty_as_null=True).drop_nulls().unique()
    return met.select(
        pl.when(pl.col("_there").is_not_null() & same_place)
        .then(pl.lit("名单中有同名而证件号码不可用的人"))
        .when(pl.coalesce("id_number", "id_digits").str.slice(0, _LEFT).is_in(begun.implode()))
        .then(pl.lit("名单中有证件号码前15位相同、后三位丢失的人"))
        .when(pl.col("id_number").is_in(elsewhere.implode()))
        .then(pl.lit("该证件号码出现在文件中未采用的行、列或工作表里"))
    ).to_series()


def _truth(true: pl.Expr, unknown: pl.Expr, absent: pl.Expr) -> pl.Expr:
    nothing = pl.lit(None, pl.Boolean)
    return (
        pl.when(true).then(pl.lit(True)).when(unknown).then(nothing).when(absent).then(pl.lit(False)).otherwise(nothing)
    )


def _absence(fact: Fact, people: pl.DataFrame, compared: Comparison, label: Label) -> str | None:
    """Why this fact can say nothing of anybody: no such extract, or no such column."""
    if reason := compared.no_extract(fact.kinds, fact.max_age_days, label):
        return reason
    held = [kind for kind in fact.kinds if kind == REGISTER or compared.extracts_of(kind).height]
    for name in fact.condition.names:
        column = name.removeprefix(DEPT)
        if name in fact.optional or column.startswith(GIVEN):
            continue
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
