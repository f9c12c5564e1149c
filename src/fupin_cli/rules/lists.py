"""The lists of the departments: whom each kind of them reaches, who can be searched for, and who may be on one anyway.

All facts that ask the same kind of lists share what is known of them.
"""

from __future__ import annotations

import polars as pl

from fupin_cli.rules.areas import COUNTY, VILLAGE
from fupin_cli.rules.comparison import Comparison, covered_by
from fupin_cli.rules.coverage import speaking
from fupin_cli.rules.evidence import AT, DISPUTED, HOUSE, MAYBE_LISTED, UNKNOWN_BECAUSE
from fupin_cli.rules.pack import REGISTER, Fact
from fupin_cli.vocabulary import Decision

_HEAD = "户主"
_NUMBER = ("id_number", "id_digits", "id_status")
_CUT, _LEFT = "truncated", 15  # the status of a number that a spreadsheet cut, and the digits that it kept


class Lists:
    """What the lists of each kind can say of these people; worked out when a fact first asks."""

    def __init__(self, people: pl.DataFrame, compared: Comparison) -> None:
        self._people, self._compared = people, compared
        self._known: dict[tuple[str, int | None, bool, str, tuple[str, ...], str], pl.DataFrame] = {}
        self._maybe: dict[tuple[str, int | None], pl.Series] = {}

    def reach(self, fact: Fact, kind: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Per person: does a list reach their county, can they be searched for in it and be found, and may they be on it anyway.

        `rows` are those of the fact: what they say of lists of heads is that fact's alone.
        """
        if fact.by_household:
            return self._reach(fact, kind, rows)
        covers = fact.covers.sql if fact.covers else ""
        key = (kind, fact.max_age_days, fact.by_number, fact.each, fact.siblings, covers)
        if key not in self._known:
            self._known[key] = self._reach(fact, kind, rows)
        return self._known[key]

    def _reach(self, fact: Fact, kind: str, rows: pl.DataFrame) -> pl.DataFrame:
        people, fresh = self._people, speaking(fact, kind, self._compared)
        always = pl.lit(kind == REGISTER)
        number = "has_households" if fact.by_number else "has_numbers"
        numbered = fresh.filter(pl.col(number) & pl.col("complete").fill_null(value=True))
        one_each = _lists_of_heads(fact, kind, self._compared) if fact.by_household else numbered.clear()
        of_members = numbered.join(one_each, on="extract", how="anti")
        is_head = (pl.col("relation") == _HEAD).fill_null(value=False)
        # the department may still have another member as head: then the household is on the list
        listed = rows.filter("accepted").join(one_each, on="extract", how="semi")[AT].unique()
        homes = people[HOUSE].gather(listed).unique()
        unlisted_head = is_head & ~pl.col(HOUSE).is_in(homes.implode())
        headed = unlisted_head & covered_by(numbered) if fact.by_household else pl.lit(value=False)
        cut = (pl.col("id_status") == _CUT).fill_null(value=False)
        numbered_person = pl.col("id_number").is_not_null()
        by_number = pl.col("household_id").is_not_null()
        nobody = pl.repeat(None, people.height, dtype=UNKNOWN_BECAUSE, eager=True)
        maybe = nobody if fact.by_number else self._may_be_listed(kind, fact.max_age_days)
        return people.select(
            (_in_villages(rows, people) if fact.siblings and kind != REGISTER else pl.lit(value=True)).alias("_seen"),
            numbered_person.alias("_numbered"),
            (always | covered_by(fresh)).fill_null(value=False).alias("_reached"),
            (always | covered_by(of_members) | headed).fill_null(value=False).alias("_searchable"),
            (by_number if fact.by_number else numbered_person & ~pl.col(DISPUTED)).alias("_findable"),
            (pl.lit(value=False) if fact.by_number else cut).alias("_cut"),
            maybe.alias("_maybe"),
        )

    def _may_be_listed(self, kind: str, max_age_days: int | None) -> pl.Series:
        key = (kind, max_age_days)
        if key not in self._maybe:
            self._maybe[key] = _may_be_listed(self._people, kind, max_age_days, self._compared)
        return self._maybe[key]


def _in_villages(rows: pl.DataFrame, people: pl.DataFrame) -> pl.Expr:
    """Whether any household of the person's village stands in these rows.

    Papers and steps belong to every household of a village: where there are none at all, the village was not gathered yet, and
    lacks no single household's. Of a record of visits that is no excuse: a village that nobody went to is what is looked for.
    The households of a county that name no village are one such place.
    """
    place = pl.coalesce(VILLAGE, pl.format("{}|", COUNTY), pl.lit(""))
    there = people[[VILLAGE, COUNTY]][rows[AT].unique()].select(place.unique()).to_series()
    return place.is_in(there.implode())


def _lists_of_heads(fact: Fact, kind: str, compared: Comparison) -> pl.DataFrame:
    """`extract` of those on which nobody was found together with another member: lists of heads, whoever that is by now."""
    heads = compared.once(("one a household", kind, fact.links), lambda whole: _one_a_household(fact, kind, whole))
    return heads.join(speaking(fact, kind, compared), on="extract", how="semi")


def _one_a_household(fact: Fact, kind: str, compared: Comparison) -> pl.DataFrame:
    links = compared.links if fact.links != "any" else pl.concat([compared.links, compared.same_number])
    sure = (pl.col("decision") == Decision.ACCEPTED.value) | pl.lit(fact.links == "any")
    found = links.filter(sure).join(compared.extracts_of(kind), on="extract", how="semi")
    found = found.select("extract", "register_row").unique()
    homes = found.join(_homes(compared), on="register_row").group_by("extract", "home").len("members")
    return homes.group_by("extract").agg(pl.col("members").max()).filter(pl.col("members") == 1).select("extract")


def _homes(compared: Comparison) -> pl.DataFrame:
    """register_row and `home`: the household's number, or the person alone where the register gives none."""
    alone = pl.format("#{}", "register_row")
    return compared.evidence[REGISTER].select("register_row", pl.coalesce("household_id", alone).alias("home"))


def _may_be_listed(people: pl.DataFrame, kind: str, max_age_days: int | None, compared: Comparison) -> pl.Series:
    """Per person: which row without usable ID number, of nobody known, may be theirs after all; null where there is none.

    One bears their name, in their county or in an unknown one; or a spreadsheet cut its number, and what is left begins theirs;
    or their number stands elsewhere in the files, where no row was read under it.
    """
    nobody = pl.repeat(None, people.height, dtype=UNKNOWN_BECAUSE, eager=True)
    if kind == REGISTER or kind not in compared.evidence:
        return nobody
    told = compared.once(("unnumbered", kind, max_age_days), lambda whole: _unnumbered(kind, max_age_days, whole))
    if told is None:
        return nobody
    known, begun, elsewhere = told
    here = pl.col("county_key")
    same_place = pl.col("_anywhere") | here.is_null() | pl.col("_there").list.contains(here)
    asked = people["name_key", "county_key", "id_number", "id_digits"]
    met = asked.join(known, on="name_key", how="left", maintain_order="left")
    same_name, same_start, elsewhere_in_file = (pl.lit(text, UNKNOWN_BECAUSE) for text in MAYBE_LISTED)
    return met.select(
        pl.when(pl.col("_there").is_not_null() & same_place)
        .then(same_name)
        .when(pl.coalesce("id_number", "id_digits").str.slice(0, _LEFT).is_in(begun.implode()))
        .then(same_start)
        .when(pl.col("id_number").is_in(elsewhere.implode()))
        .then(elsewhere_in_file)
    ).to_series()


def _unnumbered(
    kind: str, max_age_days: int | None, compared: Comparison
) -> tuple[pl.DataFrame, pl.Series, pl.Series] | None:
    """Of rows of this kind without usable number, of nobody known: their names and counties, and how cut numbers begin.

    And the numbers that stand elsewhere in the files. None where there is nothing of all that.
    """
    fresh = compared.extracts_of(kind, max_age_days)
    rows = compared.evidence[kind].select("extract", "extract_row", "name_key", "county_key", *_NUMBER)
    rows = rows.filter(pl.col("id_number").is_null()).join(fresh, on="extract", how="semi")
    if rows.height:
        settled = compared.links_of(fresh).filter(pl.col("decision") == Decision.ACCEPTED.value)
        rows = rows.join(settled, on=["extract", "extract_row"], how="anti")
    elsewhere = fresh["mentioned"].explode(empty_as_null=True).drop_nulls().unique()
    if not rows.height and not elsewhere.len():
        return None
    known = rows.drop_nulls("name_key").group_by("name_key").agg(
        pl.col("county_key").is_null().any().alias("_anywhere"), pl.col("county_key").unique().alias("_there")
    )  # fmt: skip
    begun = rows.filter(pl.col("id_status") == _CUT).select(pl.col("id_digits").str.slice(0, _LEFT)).to_series()
    begun = begun.filter((begun.str.len_chars() == _LEFT).fill_null(value=False)).unique()
    return known, begun, elsewhere
