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
from functools import cache

import numpy as np
import polars as pl

from fupin_cli.rules.bounds import HIGH, LOW, UNBOUNDED
from fupin_cli.rules.comparison import Comparison, Label, department_columns, named
from fupin_cli.rules.coverage import speaking
from fupin_cli.rules.pack import DEPT, GIVEN, REGISTER, Fact, Level
from fupin_cli.rules.predicate import evaluate, spoken
from fupin_cli.vocabulary import Decision

DISPUTED = "_disputed"  # the person's ID number stands under another name, and no department confirms it
HOUSE = "_house"  # the household, or the person alone where the register gives no household
_CANNOT_SEARCH = "覆盖该县的名单没有可用的证件号码、不完整或只列户主，无法查找"
_NOBODY_OF_THE_VILLAGE = "名单未见该村任何一户"
_NOT_OF_THIS_TIME = "没有覆盖该县、该时间的有效数据"
_CANNOT_SEARCH_HOUSES = "覆盖该县的名单没有户编号或不完整，无法查找"
MAYBE_LISTED = (
    "名单中有同名而证件号码不可用的人",
    "名单中有证件号码前15位相同、后三位丢失的人",
    "该证件号码出现在文件中未采用的行、列或工作表里",
)
UNKNOWN_BECAUSE = pl.Enum(
    [
        "比对关系待核",
        "部门数据该项空着、看不懂或不可能",
        "没有覆盖该县的有效数据",
        _NOT_OF_THIS_TIME,
        _NOBODY_OF_THE_VILLAGE,
        _CANNOT_SEARCH,
        _CANNOT_SEARCH_HOUSES,
        "证件号码在别处登记为他人，无法据此查找",
        "证件号码末几位丢失，无法据此查找",
        "证件号码不可用，无法查找",
        *MAYBE_LISTED,
    ]
)


class World(StrEnum):
    """How doubt is read: doubtful links as unknown, all of them as real, or whoever cannot be found as absent."""

    STRICT = "strict"
    EVERY = "every"
    NONE = "none"


AT = "_at"  # the place of a linked row's person among the persons


def linked_to(
    people: pl.DataFrame, facts: Sequence[Fact], compared: Comparison
) -> dict[tuple[str, bool], pl.DataFrame]:
    """For each kind of extract, and whether rows are found by household number: the rows that somebody has, sorted."""
    asked = sorted({(kind, fact.by_number) for fact in facts for kind in fact.kinds})
    places = people.select("register_row", pl.int_range(pl.len(), dtype=pl.UInt32).alias(AT))
    return {
        (kind, by_number): (
            _numbered_rows(kind, facts, compared, people) if by_number else _linked_rows(kind, facts, compared)
        )
        .join(places, on="register_row", how="inner")
        .sort("register_row", "extract", "extract_row")
        for kind, by_number in asked
    }


def _linked_rows(kind: str, facts: Sequence[Fact], compared: Comparison) -> pl.DataFrame:
    """The rows of this kind that are linked to somebody, with the columns that conditions read, prefixed `dept_`.

    Pairs of one ID number that linkage rejected come too: only facts with `links = "any"` look at them.
    """
    rows = compared.evidence.get(kind)
    mine = [REGISTER] if kind == REGISTER else compared.extracts_of(kind)["extract"].to_list()
    rejected = compared.same_number.filter(pl.col("decision") == Decision.REJECTED.value)
    links = pl.concat([compared.links, rejected]).filter(pl.col("extract").is_in(mine))
    links = links.select(
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
    read = rows.select("extract", "extract_row", *_columns_read(kind, facts, rows))
    return links.join(read, on=["extract", "extract_row"], how="inner", maintain_order="left")


def _numbered_rows(kind: str, facts: Sequence[Fact], compared: Comparison, people: pl.DataFrame) -> pl.DataFrame:
    """The rows of this kind that carry a household's number, given to its first member; as `_linked_rows` otherwise."""
    rows = compared.evidence.get(kind)
    nobody = _linked_rows(kind, [], compared).clear()
    if rows is None or "household_id" not in rows.columns:
        return nobody
    first = people.drop_nulls("household_id").group_by("household_id").agg(pl.col("register_row").min())
    found = rows.select("household_id", "extract", "extract_row", *_columns_read(kind, facts, rows))
    found = found.join(compared.extracts_of(kind), on="extract", how="semi")
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
    fresh = speaking(fact, kind, compared)
    if kind != REGISTER and fresh.height < compared.extracts_of(kind).height:
        linked = linked.join(fresh, on="extract", how="semi", maintain_order="left")
    if fact.links != "any" and linked["rejected"].any():
        linked = linked.filter(~pl.col("rejected"))
    if fact.latest in linked.columns:
        newest = pl.col(fact.latest).filter(pl.col("link_accepted")).max().over("register_row")
        linked = linked.filter((pl.col(fact.latest) < newest).fill_null(value=False).not_())
    asked = [*fact.condition.names, *([fact.value] if fact.value else [])]
    bare = [name for name in fact.condition.names if name in people.columns and name not in linked.columns]
    frame = linked.with_columns(people[bare][linked[AT]].get_columns() if bare else [])
    frame = frame.with_columns(pl.lit(None).alias(name) for name in asked if name not in frame.columns)
    return frame.select(
        "register_row",
        "extract",
        "extract_row",
        "kind",
        "basis",
        "match_weight",
        (pl.col("link_accepted") | pl.lit(fact.links == "any")).alias("accepted"),
        evaluate(frame, fact.condition, fact.where).alias("holds"),
        AT,
        *([pl.col(fact.value).alias("value")] if fact.value else []),
    )


def truths(fact: Fact, rows: pl.DataFrame, reach: pl.DataFrame, *, explain: bool) -> pl.DataFrame:
    """One row per person: the fact's truth by one kind in each world, and `searched`; with `explain`, why it is unknown.

    `reach` says how far the lists of that kind reach.
    """
    linked = pl.col("linked")
    reached, maybe = pl.col("_reached"), pl.col("_maybe").is_not_null() & ~linked
    covered = (pl.col("_searchable") | (reached & linked)) & pl.col("_seen")
    findable = pl.col("_findable") | linked
    cut = pl.col("_cut") & ~linked
    unclear = pl.col("sure_null") | pl.col("review_true") | pl.col("review_null") | maybe
    why = (
        pl.when(pl.col("sure_true"))
        .then(None)
        .when(pl.col("review_true") | pl.col("review_null"))
        .then(_why("比对关系待核"))
        .when(pl.col("sure_null"))
        .then(_why("部门数据该项空着、看不懂或不可能"))
        .when(maybe)
        .then("_maybe")
        .when(~reached)
        .then(_why(_NOT_OF_THIS_TIME if fact.covers else "没有覆盖该县的有效数据"))
        .when(~pl.col("_seen"))
        .then(_why(_NOBODY_OF_THE_VILLAGE))
        .when(~covered)
        .then(_why(_CANNOT_SEARCH_HOUSES if fact.by_number else _CANNOT_SEARCH))
        .when(pl.col("_numbered") & ~findable)
        .then(_why("证件号码在别处登记为他人，无法据此查找"))
        .when(cut)
        .then(_why("证件号码末几位丢失，无法据此查找"))
        .when(~findable)
        .then(_why("证件号码不可用，无法查找"))
        .alias("why")
    )
    return reach.with_columns(_found(rows, reach.height)).select(
        _truth(pl.col("sure_true"), unclear, covered & findable).alias(World.STRICT),
        _truth(
            pl.col("sure_true") | pl.col("review_true"),
            pl.col("sure_null") | pl.col("review_null") | maybe,
            covered & (findable | pl.col("review")),
        ).alias(World.EVERY),
        # whoever may be on the list is not absent from it: a doubtful link is a link to judge, not an accusation
        _truth(pl.col("sure_true"), unclear, covered & ~cut).alias(World.NONE),
        (covered & findable & ~maybe).alias("searched"),
        *([why] if explain else []),
    )


@cache
def _why(text: str) -> pl.Expr:
    return pl.lit(text, UNKNOWN_BECAUSE)


def _found(rows: pl.DataFrame, people: int) -> list[pl.Series]:
    """For each of so many persons: what the accepted and the doubtful rows say."""
    sure, holds, doubt = pl.col("accepted"), pl.col("holds"), pl.col("holds").is_null()
    said = rows.select(
        (sure & holds).alias("sure_true"),
        (sure & doubt).alias("sure_null"),
        (~sure & holds).alias("review_true"),
        (~sure & doubt).alias("review_null"),
        sure.alias("linked"),
        (~sure).alias("review"),
    )
    nobody = _any_of(rows[AT].clear(), people)
    return [(_any_of(rows[AT].filter(truth), people) if truth.any() else nobody).alias(truth.name) for truth in said]


def _any_of(at: pl.Series, rows: int) -> pl.Series:
    """True at these places of so many, false elsewhere."""
    marked = np.zeros(rows, dtype=bool)
    marked[at.to_numpy()] = True
    return pl.Series(marked)


def _how_many(numbered: pl.Series) -> int:
    """How many persons or households are numbered here, from 0 on; one where there is nobody."""
    return int(numbered.to_numpy().max(initial=0)) + 1


def any_of_house(holds: pl.Series, house: pl.Series) -> pl.Series:
    """Kleene's OR over each household, for each of its members."""
    houses = _how_many(house)
    told = pl.DataFrame(
        {"true": _any_of(house.filter(holds), houses), "null": _any_of(house.filter(holds.is_null()), houses)}
    )
    return (
        told.select(pl.col("true") | pl.when("null").then(None).otherwise(pl.lit(value=False)))
        .to_series()
        .gather(house)
        .alias(holds.name)
    )


def told_by_rows(fact: Fact, rows: pl.DataFrame, searched: pl.Series, house: pl.Series) -> list[pl.Series]:
    """What a fact that is no yes-or-no says, per person: how many rows, their sum, or the one value that they name.

    A row under review, or of which nobody knows whether it counts, leaves a count between two bounds and the rest unknown.
    Nothing found is a count and a sum of 0 only for whoever was surely searched for; it is never a value.
    """
    of_house = fact.level is Level.HOUSEHOLD
    unit = house if of_house else pl.Series(range(house.len()), dtype=pl.UInt32)
    units = _how_many(unit)
    rows = rows.with_columns(unit.gather(rows[AT]).alias("unit"))
    if of_house and not fact.by_number:
        rows = rows.unique(["unit", "extract", "extract_row"], keep="first", maintain_order=True)
    sure = pl.col("accepted") & pl.col("holds")
    doubt = (pl.col("holds").is_null() | (~pl.col("accepted") & pl.col("holds"))).fill_null(value=True)
    rows = rows.with_columns(sure.fill_null(value=False).alias("sure"), doubt.alias("doubt"))
    name = fact.name
    if fact.gives == "value":
        return [_one_value(rows, units).gather(unit).alias(name)]
    value = pl.col("value") if fact.value else pl.lit(None)
    said = rows.group_by("unit").agg(
        pl.col("sure").sum().cast(pl.Float64).alias("count"),
        pl.col("doubt").sum().cast(pl.Float64),
        (value.filter("sure").sum() if fact.gives == "sum" else pl.lit(None)).alias("sum"),
        value.filter("sure").is_null().any().alias("blank"),
    )
    looked = pl.DataFrame({"unit": unit, "searched": searched}).group_by("unit").agg(pl.col("searched").all())
    met = unit.to_frame("unit").join(looked, on="unit", how="left", maintain_order="left")
    met = met.join(said, on="unit", how="left", maintain_order="left").with_columns(
        pl.col("count", "doubt").fill_null(0.0)
    )
    if fact.gives == "sum":
        clear = pl.col("searched") & (pl.col("doubt") == 0)
        total = pl.when(pl.col("count") == 0).then(0).when(~pl.col("blank")).then(pl.col("sum"))
        return met.select(pl.when(clear).then(total).alias(name)).get_columns()
    high = pl.when(pl.col("searched")).then(pl.col("count") + pl.col("doubt")).otherwise(UNBOUNDED)
    exact = pl.when(high == pl.col("count")).then(pl.col("count"))
    return met.select(exact.alias(name), pl.col("count").alias(LOW + name), high.alias(HIGH + name)).get_columns()


def _one_value(rows: pl.DataFrame, units: int) -> pl.Series:
    """For each of so many persons or households the value that its rows name; null where one is doubtful, or they differ."""
    named = rows.filter(pl.col("sure") & pl.col("value").is_not_null())
    first = np.full(units, named.height)  # beyond the last: nothing named
    first[named["unit"].to_numpy()[::-1]] = np.arange(named.height)[::-1]
    at = pl.Series(first)
    value = named["value"].gather(at.set(at == named.height, None))
    differs = named["unit"].filter(named["value"] != value.gather(named["unit"]))
    unclear = _any_of(pl.concat([differs, rows["unit"].filter(rows["doubt"])]), units)
    return value.set(unclear, None)


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
    if fact.siblings and not any(speaking(fact, kind, compared).height for kind in held):
        return f"{named(held, label)}数据中没有{'、'.join(fact.siblings)}"
    if fact.covers and not any(speaking(fact, kind, compared).height for kind in held):
        return f"{named(held, label)}数据没有一行满足“{spoken(fact.covers, label)}”，不说明比对日期的情况"
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
