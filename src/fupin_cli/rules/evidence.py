"""Facts out of extract rows: whether a person has one that satisfies a condition, how many, what they add up to, what they say.

A fact of a person is Kleene's OR over the linked rows of (the link is real AND the row satisfies the condition).
Without a true row it is false only where an extract of that kind covers the county, is fresh enough, has ID numbers to search
by, and the person can be found in it and may be no row whose number cannot be used; everything else is unknown. A link under
review is unknown in the strict world. To tell a doubtful link from a missing value, two more worlds ask what would follow if
every such link were real, or if those who cannot be found were absent: all but those whose number a spreadsheet cut, for
whom nobody has really looked.

Rows that carry the household's number (`by_number`: documents, visits, events) need no link: they are found by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import polars as pl

from fupin_cli.rules.bounds import HIGH, LOW, UNBOUNDED
from fupin_cli.rules.comparison import Comparison, Label, covered_by, department_columns, named
from fupin_cli.rules.pack import DEPT, GIVEN, REGISTER, Fact, Level
from fupin_cli.rules.predicate import evaluate
from fupin_cli.vocabulary import Decision

DISPUTED = "_disputed"  # the person's ID number stands under another name, and no department confirms it
HOUSE = "_house"  # the household, or the person alone where the register gives no household
_HEAD = "户主"
_CUT, _LEFT = "truncated", 15  # the status of a number that a spreadsheet cut, and the digits that it kept


class World(StrEnum):
    """How doubt is read: doubtful links as unknown, all of them as real, or whoever cannot be found as absent."""

    STRICT = "strict"
    EVERY = "every"
    NONE = "none"


def linked_rows(kind: str, facts: Sequence[Fact], compared: Comparison) -> pl.DataFrame:
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
    return links.filter(pl.col("extract").is_in(mine)).join(
        rows.select("extract", "extract_row", *_columns_read(kind, facts, rows)),
        on=["extract", "extract_row"],
        how="inner",
        maintain_order="left",
    )


def numbered_rows(kind: str, facts: Sequence[Fact], compared: Comparison, people: pl.DataFrame) -> pl.DataFrame:
    """The rows of this kind that carry a household's number, given to its first member; as `linked_rows` otherwise."""
    rows = compared.evidence.get(kind)
    nobody = linked_rows(kind, [], compared).clear()
    if rows is None or "household_id" not in rows.columns:
        return nobody
    first = people.drop_nulls("household_id").group_by("household_id").agg(pl.col("register_row").min())
    found = rows.select("household_id", "extract", "extract_row", *_columns_read(kind, facts, rows))
    found = found.join(first, on="household_id", how="inner", maintain_order="left").drop("household_id")
    certain = found.with_columns(
        pl.lit(kind).alias("kind"), link_accepted=pl.lit(value=True), rejected=pl.lit(value=False)
    )
    return pl.concat([nobody, certain], how="diagonal_relaxed")


def _columns_read(kind: str, facts: Sequence[Fact], rows: pl.DataFrame) -> list[pl.Expr]:
    asking = [fact for fact in facts if kind in fact.kinds]
    extra = [name for fact in asking for name in (fact.latest, fact.value) if name]
    return department_columns([*(name for fact in asking for name in fact.condition.names), *extra], rows)


def test_rows(fact: Fact, kind: str, linked: pl.DataFrame, people: pl.DataFrame, compared: Comparison) -> pl.DataFrame:
    """The linked rows that count, with `holds`, the truth of the fact's condition, and whether the link counts as accepted."""
    if kind != REGISTER:
        linked = linked.join(_speaking(fact, kind, compared), on="extract", how="semi")
    linked = linked if fact.links == "any" else linked.filter(~pl.col("rejected"))
    if fact.latest in linked.columns:
        newest = pl.col(fact.latest).filter(pl.col("link_accepted")).max().over("register_row")
        linked = linked.filter((pl.col(fact.latest) < newest).fill_null(value=False).not_())
    bare = [name for name in fact.condition.names if name in people.columns and name not in linked.columns]
    frame = linked.join(people.select("register_row", *bare), on="register_row", how="inner", maintain_order="left")
    named_ones = [*fact.condition.names, *([fact.value] if fact.value else [])]
    frame = frame.with_columns(pl.lit(None).alias(name) for name in named_ones if name not in frame.columns)
    return frame.select(
        "register_row",
        "extract",
        "extract_row",
        "kind",
        "basis",
        "match_weight",
        (pl.col("link_accepted") | pl.lit(fact.links == "any")).alias("accepted"),
        evaluate(frame, fact.condition, fact.where).alias("holds"),
        *([pl.col(fact.value).alias("value")] if fact.value else []),
    )


def truths(fact: Fact, kind: str, rows: pl.DataFrame, people: pl.DataFrame, compared: Comparison) -> pl.DataFrame:
    """One row per person: the fact's truth by this kind in each world, why it is unknown in the strict one, and `searched`."""
    found = _found(rows)
    flags = [name for name in found.columns if name != "register_row"]
    linked = pl.col("linked")
    reached, maybe = pl.col("_reached"), pl.col("_maybe").is_not_null() & ~linked
    covered = pl.col("_searchable") | (reached & linked)
    findable = pl.col("_findable") | linked
    cut = pl.col("_cut") & ~linked
    unclear = pl.col("sure_null") | pl.col("review_true") | pl.col("review_null") | maybe
    return (
        _reach(fact, kind, rows, people, compared)
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
            (covered & findable & ~maybe).alias("searched"),
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
            .then(pl.lit(_CANNOT_SEARCH_HOUSES if fact.by_number else _CANNOT_SEARCH))
            .when(pl.col("id_number").is_not_null() & ~findable)
            .then(pl.lit("证件号码在别处登记为他人，无法据此查找"))
            .when(cut)
            .then(pl.lit("证件号码末几位丢失，无法据此查找"))
            .when(~findable)
            .then(pl.lit("证件号码不可用，无法查找"))
            .alias("why"),
        )
    )


_CANNOT_SEARCH = "覆盖该县的名单没有可用的证件号码、不完整或只列户主，无法查找"
_CANNOT_SEARCH_HOUSES = "覆盖该县的名单没有户编号或不完整，无法查找"


def _found(rows: pl.DataFrame) -> pl.DataFrame:
    """Per person with linked rows: what the accepted and the doubtful ones say."""
    sure, holds, doubt = pl.col("accepted"), pl.col("holds"), pl.col("holds").is_null()
    return rows.group_by("register_row").agg(
        (sure & holds).any().alias("sure_true"),
        (sure & doubt).any().alias("sure_null"),
        (~sure & holds).any().alias("review_true"),
        (~sure & doubt).any().alias("review_null"),
        sure.any().alias("linked"),
        (~sure).any().alias("review"),
    )


def _reach(fact: Fact, kind: str, rows: pl.DataFrame, people: pl.DataFrame, compared: Comparison) -> pl.DataFrame:
    """Per person: does a list reach their county, can they be searched for in it and be found, and may they be on it anyway."""
    fresh = _speaking(fact, kind, compared)
    always = pl.lit(kind == REGISTER)
    number = "has_households" if fact.by_number else "has_numbers"
    numbered = fresh.filter(pl.col(number) & pl.col("complete").fill_null(value=True))
    one_each = _one_a_household(rows, people) if fact.by_household else numbered.clear()
    of_members = numbered.join(one_each, on="extract", how="anti")
    is_head = (pl.col("relation") == _HEAD).fill_null(value=False)
    # the department may still have another member as head: then the household is on the list
    listed = rows.filter("accepted").join(one_each, on="extract", how="semi").select("register_row").unique()
    homes = people.join(listed, on="register_row", how="semi")[HOUSE].unique()
    unlisted_head = is_head & ~pl.col(HOUSE).is_in(homes.implode())
    cut = (pl.col("id_status") == _CUT).fill_null(value=False)
    nobody = pl.Series("_maybe", [None], pl.String).new_from_index(0, people.height)
    return people.select(
        "register_row",
        "id_number",
        (always | covered_by(fresh)).fill_null(value=False).alias("_reached"),
        (always | covered_by(of_members) | (unlisted_head & covered_by(numbered)))
        .fill_null(value=False)
        .alias("_searchable"),
        (
            pl.col("household_id").is_not_null()
            if fact.by_number
            else pl.col("id_number").is_not_null() & ~pl.col(DISPUTED)
        ).alias("_findable"),
        (pl.lit(value=False) if fact.by_number else cut).alias("_cut"),
        (nobody if fact.by_number else _may_be_listed(people, kind, fresh, compared)).alias("_maybe"),
    )


def _speaking(fact: Fact, kind: str, compared: Comparison) -> pl.DataFrame:
    """The fresh extracts of a kind that can tell of this fact: those that name it or any of its siblings."""
    fresh, rows = compared.extracts_of(kind, fact.max_age_days), compared.evidence.get(kind)
    column = fact.each.removeprefix(DEPT)
    if not fact.siblings or rows is None or column not in rows.columns:
        return fresh
    naming = rows.filter(pl.col(column).is_in(fact.siblings))["extract"].unique()
    return fresh.filter(pl.col("extract").is_in(naming.implode()))


def told_by_rows(fact: Fact, rows: pl.DataFrame, searched: pl.Series, people: pl.DataFrame) -> list[pl.Series]:
    """What a fact that is no yes-or-no says, per person: how many rows, their sum, or the one value that they name.

    A row under review, or of which nobody knows whether it counts, leaves a count between two bounds and the rest unknown.
    Nothing found is a count and a sum of 0 only for whoever was surely searched for; it is never a value.
    """
    unit = "register_row" if fact.level is Level.PERSON else HOUSE
    units = people.select("register_row", HOUSE, searched.alias("searched"))
    looked = units.group_by(unit).agg(pl.col("searched").all())
    rows = rows.join(units.select("register_row", HOUSE), on="register_row", how="inner")
    rows = rows.unique([unit, "extract", "extract_row"], keep="first", maintain_order=True)
    sure = pl.col("accepted") & pl.col("holds")
    doubt = (pl.col("holds").is_null() | (~pl.col("accepted") & pl.col("holds"))).fill_null(value=True)
    value = pl.col("value") if fact.value else pl.lit(None)
    said = rows.group_by(unit).agg(
        sure.sum().cast(pl.Float64).alias("count"),
        doubt.sum().cast(pl.Float64).alias("doubt"),
        value.filter(sure).drop_nulls().n_unique().alias("different"),
        value.filter(sure).drop_nulls().first().alias("one"),
        (value.filter(sure).sum() if fact.gives == "sum" else pl.lit(None)).alias("sum"),
        value.filter(sure).is_null().any().alias("blank"),
    )
    met = looked.join(said, on=unit, how="left").with_columns(pl.col("count", "doubt").fill_null(0.0))
    met = units.select(unit).join(met, on=unit, how="left", maintain_order="left")
    name, clear = fact.name, pl.col("searched") & (pl.col("doubt") == 0)
    if fact.gives == "value":
        one = pl.when((pl.col("doubt") == 0) & (pl.col("different") == 1)).then(pl.col("one"))
        return met.select(one.alias(name)).get_columns()
    if fact.gives == "sum":
        total = pl.when(pl.col("count") == 0).then(0).when(~pl.col("blank")).then(pl.col("sum"))
        return met.select(pl.when(clear).then(total).alias(name)).get_columns()
    high = pl.when(pl.col("searched")).then(pl.col("count") + pl.col("doubt")).otherwise(UNBOUNDED)
    exact = pl.when(high == pl.col("count")).then(pl.col("count"))
    return met.select(exact.alias(name), pl.col("count").alias(LOW + name), high.alias(HIGH + name)).get_columns()


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


def absence(fact: Fact, people: pl.DataFrame, compared: Comparison, label: Label) -> str | None:
    """Why this fact can say nothing of anybody: no such extract, or no such column."""
    if reason := compared.no_extract(fact.kinds, fact.max_age_days, label):
        return reason
    held = [kind for kind in fact.kinds if kind == REGISTER or compared.extracts_of(kind).height]
    if fact.siblings and not any(_speaking(fact, kind, compared).height for kind in held):
        return f"{named(held, label)}数据中没有{'、'.join(fact.siblings)}"
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
