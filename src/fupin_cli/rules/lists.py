"""The lists of the departments: whom each kind of them reaches, who can be searched for, and who may be on one anyway.

All facts that ask the same kind of lists share what is known of them.
"""

from __future__ import annotations

import polars as pl

from fupin_cli.rules.areas import VILLAGE
from fupin_cli.rules.comparison import Comparison, covered_by
from fupin_cli.rules.coverage import speaking
from fupin_cli.rules.evidence import AT, DISPUTED, HOUSE, MAYBE_LISTED, UNKNOWN_BECAUSE
from fupin_cli.rules.pack import REGISTER, Fact
from fupin_cli.vocabulary import Decision

_HEAD = "户主"
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
        one_each = _one_a_household(rows, people) if fact.by_household else numbered.clear()
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
            fresh = self._compared.extracts_of(kind, max_age_days)
            self._maybe[key] = _may_be_listed(self._people, kind, fresh, self._compared)
        return self._maybe[key]


def _in_villages(rows: pl.DataFrame, people: pl.DataFrame) -> pl.Expr:
    """Whether any household of the person's village stands in these rows.

    Papers and steps belong to every household of a village: where there are none at all, the village was not gathered yet, and
    lacks no single household's. Of a record of visits that is no excuse: a village that nobody went to is what is looked for.
    Households that name no village are one such place.
    """
    there = people[VILLAGE].gather(rows[AT].unique()).unique()
    named = pl.col(VILLAGE).is_in(there.drop_nulls().implode())
    return pl.when(pl.col(VILLAGE).is_null()).then(pl.lit(bool(there.null_count()))).otherwise(named)


def _one_a_household(rows: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """`extract` of those on which nobody was found together with another member: lists of heads, whoever that is by now."""
    found = rows.filter("accepted").select("extract", AT).unique()
    homes = found.with_columns(people[HOUSE].gather(found[AT])).group_by("extract", HOUSE).len("members")
    return homes.group_by("extract").agg(pl.col("members").max()).filter(pl.col("members") == 1).select("extract")


def _may_be_listed(people: pl.DataFrame, kind: str, fresh: pl.DataFrame, compared: Comparison) -> pl.Series:
    """Per person: which row without usable ID number, of nobody known, may be theirs after all; null where there is none.

    One bears their name, in their county or in an unknown one; or a spreadsheet cut its number, and what is left begins theirs;
    or their number stands elsewhere in the files, where no row was read under it.
    """
    rows = compared.evidence.get(kind)
    nobody = pl.repeat(None, people.height, dtype=UNKNOWN_BECAUSE, eager=True)
    if rows is None or kind == REGISTER:
        return nobody
    settled = compared.links.filter(pl.col("decision") == Decision.ACCEPTED.value)
    unnumbered = rows.filter(pl.col("id_number").is_null()).join(fresh, on="extract", how="semi")
    unnumbered = unnumbered.join(settled, on=["extract", "extract_row"], how="anti")
    elsewhere = fresh["mentioned"].explode(empty_as_null=True).drop_nulls().unique()
    if not unnumbered.height and not elsewhere.len():
        return nobody
    known = unnumbered.drop_nulls("name_key").group_by("name_key").agg(
        pl.col("county_key").is_null().any().alias("_anywhere"), pl.col("county_key").unique().alias("_there")
    )  # fmt: skip
    here = pl.col("county_key")
    same_place = pl.col("_anywhere") | here.is_null() | pl.col("_there").list.contains(here)
    asked = people["name_key", "county_key", "id_number", "id_digits"]
    met = asked.join(known, on="name_key", how="left", maintain_order="left")
    begun = unnumbered.filter(pl.col("id_status") == _CUT).select(pl.col("id_digits").str.slice(0, _LEFT)).to_series()
    begun = begun.filter((begun.str.len_chars() == _LEFT).fill_null(value=False)).unique()
    same_name, same_start, elsewhere_in_file = (pl.lit(text, UNKNOWN_BECAUSE) for text in MAYBE_LISTED)
    return met.select(
        pl.when(pl.col("_there").is_not_null() & same_place)
        .then(same_name)
        .when(pl.coalesce("id_number", "id_digits").str.slice(0, _LEFT).is_in(begun.implode()))
        .then(same_start)
        .when(pl.col("id_number").is_in(elsewhere.implode()))
        .then(elsewhere_in_file)
    ).to_series()
