"""A register in parts that can be judged one after the other: whole counties, with what was compared of their people.

Nothing that a rule asks reaches from one county into another, but what is asked of everybody (`Comparison.everybody`), and
households that lie in several counties, or were one household across them: such counties stay together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from fupin_cli.rules.comparison import Comparison, is_given
from fupin_cli.rules.pack import GIVEN, REGISTER

_AT = "_bucket"
_ROW = ["extract", "extract_row"]


@dataclass(frozen=True)
class Bucket:
    """Some counties' persons and households, and what was compared of them."""

    persons: pl.DataFrame
    households: pl.DataFrame
    compared: Comparison

    def part_of(self, whole: Comparison | None) -> Bucket:
        """The same counties as part of `whole`; of nothing, while they are taken to where they are judged."""
        return replace(self, compared=replace(self.compared, whole=whole))


@dataclass(frozen=True)
class Reach:
    """What rules ask of rows beyond links: `given_x` of their files, rows found by a household's number, or by their place.

    `together` are columns of households whose equal values join households.
    """

    given: Collection[str]
    by_number: Collection[str]
    by_place: Collection[str]
    together: Collection[str]


def divide(
    persons: pl.DataFrame, households: pl.DataFrame, compared: Comparison, reach: Reach, most: int
) -> Iterator[Bucket]:
    """Everybody in buckets of `most` persons, more only where a single county has more; one bucket where that will do.

    A household is in the bucket of its first county, with all its members; whoever names no county is in the first.
    """
    if persons.height <= most:
        yield Bucket(persons, households, compared)
        return
    homes = _counties_of(persons, households)
    counties = _pack(_sizes(persons, homes), _neighbours(persons, households, homes, reach.together), most)
    homes = homes.join(counties, on="county_key", how="left").select("household_id", pl.col(_AT).fill_null(0))
    yield from _buckets(persons, households, compared, _bucket_of(persons, homes, counties), homes, counties, reach)


def only(
    wanted: pl.Series, persons: pl.DataFrame, households: pl.DataFrame, compared: Comparison, reach: Reach
) -> Bucket:
    """These households alone, with whoever of the register may be one of their members once more.

    What villages and counties add up to is not to be asked of them.
    """
    mine = pl.col("household_id").is_in(wanted.implode())
    members = persons.select("register_row", "household_id").filter(mine)
    twins = compared.links.filter(pl.col("extract") == REGISTER).join(members, on="register_row", how="semi")
    persons = persons.filter(mine | pl.col("register_row").is_in(twins["extract_row"].implode()))
    households = households.filter(pl.col("household_id").is_in(persons["household_id"].implode()))
    first = pl.lit(0, pl.UInt32).alias(_AT)
    people, homes = persons.select("register_row", first), households.select("household_id", first)
    nowhere = pl.DataFrame(schema={"county_key": pl.String, _AT: pl.UInt32})
    return next(_buckets(persons, households, compared, people, homes, nowhere, replace(reach, by_place=())))


def _buckets(
    persons: pl.DataFrame,
    households: pl.DataFrame,
    compared: Comparison,
    people: pl.DataFrame,
    homes: pl.DataFrame,
    counties: pl.DataFrame,
    reach: Reach,
) -> Iterator[Bucket]:
    """The buckets into which persons, households and counties were put."""
    of_homes = households.select("household_id").join(homes, on="household_id", how="left", maintain_order="left")
    linked = _linked(compared, people)
    rows = {kind: _rows_of(kind, compared, linked, homes, counties, reach) for kind in compared.evidence}
    links, same_number = (
        frame.join(people, on="register_row", maintain_order="left") for frame in (compared.links, compared.same_number)
    )
    mine = pl.col(_AT)
    for at in range(1 + int(counties[_AT].to_numpy().max(initial=0))):
        theirs = households.filter(of_homes[_AT].fill_null(0) == at)
        cut = replace(
            compared,
            evidence={kind: _cut(kind, compared, nth.filter(mine == at)["nth"], reach) for kind, nth in rows.items()},
            households=theirs,
            links=links.filter(mine == at).drop(_AT),
            same_number=same_number.filter(mine == at).drop(_AT),
            whole=compared,
        )
        yield Bucket(persons.filter(people[_AT] == at), theirs, cut)


def _counties_of(persons: pl.DataFrame, households: pl.DataFrame) -> pl.DataFrame:
    """household_id and the first of the counties that its members name; null where they name none."""
    named = persons.drop_nulls("household_id").group_by("household_id").agg(pl.col("county_key").min())
    every = households.select("household_id").drop_nulls().unique()
    return every.join(named, on="household_id", how="full", coalesce=True)


def _bucket_of(persons: pl.DataFrame, homes: pl.DataFrame, counties: pl.DataFrame) -> pl.DataFrame:
    """register_row and bucket of each person: that of the household, or of the county of whoever has none."""
    own = persons.select("household_id", "county_key")
    alone = own.join(counties, on="county_key", how="left", maintain_order="left")[_AT]
    at_home = own.join(homes, on="household_id", how="left", maintain_order="left")[_AT]
    return persons.select("register_row", pl.coalesce(at_home, alone, pl.lit(0, pl.UInt32)).alias(_AT))


def _sizes(persons: pl.DataFrame, homes: pl.DataFrame) -> pl.DataFrame:
    """county_key and `len`, how many persons are judged with it; none, where all live in households of another one."""
    own = persons.select("household_id", alone="county_key").join(homes, on="household_id", how="left")
    with_it = own.select(pl.coalesce("county_key", "alone")).drop_nulls().group_by("county_key").len()
    every = persons.select("county_key").drop_nulls().unique()
    return every.join(with_it, on="county_key", how="left").fill_null(0)


def _neighbours(
    persons: pl.DataFrame, households: pl.DataFrame, homes: pl.DataFrame, together: Collection[str]
) -> list[tuple[str, str]]:
    """Pairs of counties that share a household, or households that were one."""
    lived = persons.drop_nulls("household_id").select("household_id", "county_key")
    pairs = [_pairs(lived, "household_id")]
    for column in together:
        if column in households.columns:
            split = households.select("household_id", column).join(homes, on="household_id")
            pairs.append(_pairs(split.select(column, "county_key"), column))
    return list(pl.concat(pairs).unique().sort("county_key", "_other").rows())


def _pairs(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """The first county under each value of the key, with each of its others."""
    found = rows.drop_nulls().unique()
    first = found.group_by(key).agg(pl.col("county_key").min().alias("_other"))
    return found.join(first, on=key).filter(pl.col("county_key") != pl.col("_other")).select("county_key", "_other")


def _pack(sizes: pl.DataFrame, neighbours: Sequence[tuple[str, str]], most: int) -> pl.DataFrame:
    """county_key and its bucket: counties in the order of their names, neighbours together."""
    leader = {county: county for county in sizes["county_key"]}

    def led(county: str) -> str:
        while leader[county] != county:
            county = leader[county]
        return county

    for one, other in neighbours:
        first, last = sorted((led(one), led(other)))
        leader[last] = first
    groups: dict[str, list[tuple[str, int]]] = {}
    for county, persons in sizes.sort("county_key").rows():
        groups.setdefault(led(county), []).append((county, persons))
    placed, at, full = [], 0, 0
    for group in groups.values():
        size = sum(persons for _, persons in group)
        if full and full + size > most:
            at, full = at + 1, 0
        full += size
        placed += [(county, at) for county, _ in group]
    return pl.DataFrame(placed, schema={"county_key": pl.String, _AT: pl.UInt32}, orient="row")


def _linked(compared: Comparison, people: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Of each extract the rows that link to somebody, and the bucket of that person."""
    pairs = pl.concat([frame.select("register_row", *_ROW) for frame in (compared.links, compared.same_number)])
    return _by_extract(pairs.join(people, on="register_row").select(*_ROW, _AT))


def _by_extract(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    parts = rows.partition_by("extract", as_dict=True, include_key=False)
    return {str(extract): part for (extract,), part in parts.items()}


def _rows_of(
    kind: str,
    compared: Comparison,
    linked: Mapping[str, pl.DataFrame],
    homes: pl.DataFrame,
    counties: pl.DataFrame,
    reach: Reach,
) -> pl.DataFrame:
    """`nth` row of a kind of evidence, and each bucket that it is wanted in: rows that link, or number, or place joins to it."""
    rows = compared.evidence[kind]
    numbered = rows.select(*_ROW).with_row_index("nth")
    nobody = pl.DataFrame(schema={"nth": numbered.schema["nth"], _AT: pl.UInt32})
    held = ((part, linked.get(extract)) for extract, part in _by_extract(numbered).items())
    met = [part.join(pairs, on="extract_row").select("nth", _AT) for part, pairs in held if pairs is not None]
    found = [nobody, *met]
    if kind in reach.by_number and "household_id" in rows.columns:
        by_number = rows.select("household_id").with_row_index("nth").drop_nulls().join(homes, on="household_id")
        found.append(by_number.select("nth", _AT))
    if kind in reach.by_place and "county_key" in rows.columns:
        placed = rows.select("county_key").with_row_index("nth").join(counties, on="county_key", how="left")
        found.append(placed.select("nth", pl.col(_AT).fill_null(0)))
    return pl.concat(found).unique().sort("nth")


def _cut(kind: str, compared: Comparison, nth: pl.Series, reach: Reach) -> pl.DataFrame:
    """These rows of a kind, and whether their files say at all what rules ask of them."""
    rows = compared.evidence[kind]
    asked = sorted(name for name in reach.given if name.removeprefix(GIVEN) in rows.columns)
    told = compared.once(
        ("given", kind, tuple(asked)), lambda _: rows.select(is_given(name, rows).alias(name) for name in asked)
    )
    return rows[nth].with_columns(told[nth].get_columns() if asked else [])
