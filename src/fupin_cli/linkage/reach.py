"""Extract rows that no key can meet: most of a long list is about people of whom the register knows nothing.

A row whose usable number stands nowhere in the register can only be found by what else it says. Where no key of `blocking` leads
anybody of the register to it, it is left out before anything is compared. It would have formed no pair: links are the same with
it and without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial, reduce
from operator import or_
from typing import Protocol, TypeVar

import polars as pl

from fupin_cli.linkage.blocking import (
    PAIR,
    TWO_CHARACTERS,
    TWO_PARTS,
    born_there,
    damaged,
    prepare,
    two_parts,
    with_two_characters,
)
from fupin_cli.linkage.frequency import represent
from fupin_cli.linkage.masked import block_on_masked
from fupin_cli.linkage.neighbours import neighbours

_CODE = pl.col("code")
AT_ONCE = 1 << 20  # rows
P = TypeVar("P")
T = TypeVar("T")


class Parted(Protocol):
    """An extract as it is linked, of which most rows need not be here."""

    @property
    def near(self) -> pl.DataFrame:
        """The rows (KEYS) whose number the register knows, or that have none that can be used."""
        ...

    @property
    def rows(self) -> int:
        """How many there are, far ones included."""
        ...

    def meet(self, r: pl.DataFrame, known: pl.DataFrame) -> tuple[Sequence[pl.DataFrame], pl.DataFrame]:
        """Those of all others whom a key leads to (see `reached`); and the rows that stand for all where names are counted."""
        ...


@dataclass(frozen=True)
class InParts:
    """An extract of which this process has the rows.

    Each call of `strangers` gives some of those who are not near, prepared; a few calls are made at a time, and need not be held
    together.
    """

    near: pl.DataFrame
    strangers: Sequence[Callable[[], pl.DataFrame]]
    counted: pl.DataFrame
    rows: int

    def meet(self, r: pl.DataFrame, known: pl.DataFrame) -> tuple[Sequence[pl.DataFrame], pl.DataFrame]:
        """Those of the strangers whom a key leads to; and the rows that stand for all."""
        return reached(self.strangers, r, known), self.counted


def part_strangers(extract: pl.DataFrame, register: pl.DataFrame) -> InParts:
    """An extract that is in memory (KEYS), parted."""
    slices = list(extract.iter_slices(AT_ONCE)) if extract.height else [extract]
    return part_buckets([rows.clone for rows in slices], extract.height, register)


def part_buckets(buckets: Sequence[Callable[[], pl.DataFrame]], rows: int, register: pl.DataFrame) -> InParts:
    """An extract of so many rows, of which each call gives some (KEYS), in order; every call is made twice."""
    codes = register["code"]

    def part(bucket: Callable[[], pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
        people = bucket()
        return near_among(people, codes), represent(people, rows)

    def strangers(bucket: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        return strangers_among(bucket(), codes)

    near, counted = zip(*_side_by_side(part, buckets), strict=True)
    return InParts(pl.concat(near), [partial(strangers, bucket) for bucket in buckets], pl.concat(counted), rows)


def near_among(people: pl.DataFrame, codes: pl.Series) -> pl.DataFrame:
    """Those of the people (KEYS) whose number is one of these codes, or who have none that can be used."""
    return people.filter(~_stranger(codes))


def strangers_among(people: pl.DataFrame, codes: pl.Series) -> pl.DataFrame:
    """The others, prepared."""
    return prepare(people.filter(_stranger(codes)))


def _stranger(codes: pl.Series) -> pl.Expr:
    return _CODE.is_not_null() & ~_in(_CODE, codes)


def reached(
    strangers: Sequence[Callable[[], pl.DataFrame]], r: pl.DataFrame, known: pl.DataFrame
) -> list[pl.DataFrame]:
    """Those of the strangers whom a key leads to, part by part.

    `r` are register people (prepared KEYS with `number` and `open`), `known` the households that are joined already.
    """
    ours = r.filter("open")
    bad = ours.filter(pl.col("number") != "good")
    here, by_name = reduce(or_, [*_by_number(bad), *_by_home(bad, known)]), _by_name(ours, bad)

    def part(call: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        people = call()
        near = people.select(here).to_series()
        found = [near.arg_true(), *by_name(people.filter(~near)), block_on_masked(ours, people)[PAIR[1]]]
        return people[pl.concat([at.cast(pl.Int64) for at in found]).unique()]

    return list(_side_by_side(part, strangers))


def _side_by_side(do: Callable[[P], T], parts: Iterable[P]) -> Iterator[T]:
    """What is done with each of the parts, in their order, a thread for each processor. Small parts use memory again."""
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        yield from pool.map(do, parts)


def _by_number(bad: pl.DataFrame) -> list[pl.Expr]:
    """Near a number of the register that is faulty: see blocking.block_on_damaged_id."""
    left = damaged(bad)
    near = [_in(_CODE, neighbours(left)["code"]), _in(_CODE // 100, left.filter("cut")["fifteen"])]
    return [*near, *(_in(part, left[name]) for name, part in zip(TWO_PARTS, two_parts(_CODE), strict=True))]


def _by_home(bad: pl.DataFrame, known: pl.DataFrame) -> list[pl.Expr]:
    """Born in the village on the day of somebody without a number, or of a household that is joined already."""
    born = bad.select(born_there(pl.col("male"))).to_series()
    return [_in(born_there(pl.col("male")), born), _in(pl.col("household"), known["extract_household"])]


def _by_name(ours: pl.DataFrame, bad: pl.DataFrame) -> Callable[[pl.DataFrame], list[pl.Series]]:
    """What gives the positions of those who share a name, and a birth date or a place besides: see blocking.block_on_name.

    What the register asks for is gathered once, for all parts.
    """
    dateless, village = bad.filter(pl.col("born").is_null()), pl.col("village_code").to_physical()
    called, there = _in(pl.col("name"), bad["name"]), _in(born_there(), ours.select(born_there()).to_series())
    where, two = _in(village, dateless.select(village).to_series()), with_two_characters(dateless)
    alike = reduce(or_, [_in(pl.col(name), two[name]) for name in TWO_CHARACTERS])
    keys = (["name", "born"], ["name", "village_code", "township_code"], ["name", "county_code"])

    def positions(strangers: pl.DataFrame) -> list[pl.Series]:
        asked = strangers.select("at", "name", "born", "county_code", "township_code", "village_code")
        namesakes = asked.filter(called)
        found = [namesakes.join(bad, on=key, how="semi") for key in keys]
        found += [asked.filter(there).join(ours, on=["name", "born", "village_code"], how="semi")]
        found += [with_two_characters(asked.filter(where)).filter(alike)]
        return [people["at"] for people in found]

    return positions


def _in(value: pl.Expr, values: pl.Series) -> pl.Expr:
    return value.is_in(values.drop_nulls().unique().implode()).fill_null(value=False)
