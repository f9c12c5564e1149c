"""Linking by the columns that a profile's [compare] declares: Fellegi-Sunter, learned from the two lists alone.

u comes from people taken at random and from how common a value is, m and the number of true pairs by EM over the candidates (as
Winkler 1988 and fastLink do), in which rivals for one person leave each other less. Missing is no evidence. The odds are those
of all pairs and not of the candidates: what no key brings together is taken for two people.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from fupin_cli.linkage.agreement import compare_fields, levels_of_part
from fupin_cli.linkage.assignment import IDENTITY, Contest, put_in_bands, worth_showing
from fupin_cli.linkage.blocking import PAIR
from fupin_cli.linkage.candidates import candidates
from fupin_cli.linkage.model import Model, probabilities
from fupin_cli.linkage.rarity import log_frequency
from fupin_cli.vocabulary import LINKS, Compared

# where learning begins, and what a handful of pairs is drawn towards: typists err in one field of ten
_M = {
    "exact": 0.9,
    "swapped": 0.01,
    "near": 0.04,
    "one_edit": 0.04,
    "one_fault": 0.04,
    "alike": 0.02,
    "two_edits": 0.02,
    "different": 0.03,
}
_U = {
    "exact": 0.01,
    "swapped": 1e-5,
    "near": 0.002,
    "one_edit": 0.002,
    "one_fault": 0.002,
    "alike": 0.004,
    "two_edits": 0.01,
    "different": 0.97,
}
_AS_PAIRS = 20.0  # observed pairs as which these count
_UNSEEN = 0.5  # and so many for a level that was never seen (Krichevsky and Trofimov 1981)
_RANDOM, _SEED = 400_000, 20191130  # random pairs from which u is learned; all pairs, where they are fewer
_ROUNDS, _SETTLED = 50, 1e-4


@dataclass(frozen=True)
class _Part:
    """One column of a field: its levels, m and u, and of candidates and random pairs the level (-1: says nothing)."""

    name: str
    levels: tuple[str, ...]
    m: np.ndarray
    u: np.ndarray
    seen: np.ndarray
    at_random: np.ndarray
    frequency: tuple[np.ndarray, np.ndarray]  # log2 of how common the commoner of the two values is

    def bits(self, *, random: bool = False) -> np.ndarray:
        """log2(m / u) of each pair; an exact value counts by how common it is, and no resemblance more than the very same."""
        level, frequency = (self.at_random, self.frequency[1]) if random else (self.seen, self.frequency[0])
        exact = np.log2(self.m[0]) - frequency
        worth = np.append(np.log2(self.m / self.u), 0.0)[level]
        capped = (level > 0) & (level != self._swapped)
        other = np.where(capped, np.minimum(worth, np.maximum(exact, 0.0)), worth)
        found: np.ndarray = np.where(level == 0, exact, other)
        return found

    @property
    def _swapped(self) -> int:
        return self.levels.index("swapped") if "swapped" in self.levels else -2

    def learned(self, true: np.ndarray, false: np.ndarray) -> _Part:
        """The part with m from candidates and u from random pairs, given how likely each of them is one person or two."""
        m, u = (
            _shares(level, weight, np.array([start[name] for name in self.levels]))
            for level, weight, start in ((self.seen, true, _M), (self.at_random, false, _U))
        )
        return replace(self, m=m, u=u)


def link_declared(ours: pl.DataFrame, theirs: pl.DataFrame, fields: Sequence[Compared], model: Model) -> pl.DataFrame:
    """LINKS of two lists, plus `part_level` and `bits_part` for each column compared, sorted by both row numbers.

    Frames have `at` and the parts of all fields (ingest.read_compared). Rows with the same values throughout are one identity:
    they stand or fall together. `model` says where the bands begin.
    """
    r, e = (_in_order(side, fields, alike=True) for side in (ours, theirs))
    pairs = candidates(r, e, fields)
    every = float(r.height) * e.height
    decided = _weighed(pairs, r, e, fields, model, every, rivals=True)
    rows = decided.with_columns(
        side["rows"].gather(decided[row]).alias(row) for side, row in zip((r, e), PAIR, strict=True)
    )
    return _as_links(rows.explode(PAIR[0]).explode(PAIR[1]), fields)


def find_declared_duplicates(people: pl.DataFrame, fields: Sequence[Compared], model: Model) -> pl.DataFrame:
    """LINKS of one list with itself, each pair once: register_row < extract_row.

    Nobody competes: three rows may be one person.
    """
    r = _in_order(people, fields, alike=False)
    pairs = candidates(r, r, fields).filter(pl.col(PAIR[0]) != pl.col(PAIR[1]))
    pairs = (
        pairs.select(pl.min_horizontal(PAIR).alias(PAIR[0]), pl.max_horizontal(PAIR).alias(PAIR[1])).unique().sort(PAIR)
    )
    decided = _weighed(pairs, r, r, fields, model, r.height * (r.height - 1) / 2, rivals=False)
    rows = decided.with_columns(r["rows"].list.first().gather(decided[row]).alias(row) for row in PAIR)
    rows = rows.with_columns(pl.min_horizontal(PAIR).alias(PAIR[0]), pl.max_horizontal(PAIR).alias(PAIR[1]))
    return _as_links(rows, fields)


def _in_order(people: pl.DataFrame, fields: Sequence[Compared], *, alike: bool) -> pl.DataFrame:
    """The people sorted by what they hold, so that no order of rows changes anything; `rows` are their numbers.

    `alike`: rows with the same values are one.
    """
    parts = [part for field in fields for part in field.parts]
    told = people.filter(pl.any_horizontal(pl.col(parts).is_not_null()))
    if alike:
        return told.group_by(parts).agg(pl.col("at").sort().alias("rows")).sort(parts, nulls_last=True)
    return told.sort(*parts, "at", nulls_last=True).with_columns(pl.concat_list("at").alias("rows")).drop("at")


def _weighed(
    pairs: pl.DataFrame,
    r: pl.DataFrame,
    e: pl.DataFrame,
    fields: Sequence[Compared],
    model: Model,
    every: float,
    *,
    rivals: bool,
) -> pl.DataFrame:
    """The pairs with levels, bits and what `put_in_bands` adds."""
    if rivals:
        pairs = pairs.with_columns(pl.col(row).alias(name) for row, name in zip(PAIR, IDENTITY, strict=True))
    else:
        pairs = pairs.with_columns(pl.int_range(pl.len()).alias(name) for name in IDENTITY)
    pairs = pairs.with_columns(pl.lit(None, pl.String).alias("id_number_level"), pl.lit("fields").alias("basis"))
    levels, contest = compare_fields(pairs, r, e, fields), Contest.of(pairs)
    parts, prior = _learn(_parts(pairs, levels, r, e, fields), contest, every, min(r.height, e.height))
    bits = [pl.Series(f"bits_{part.name}", part.bits()) for part in parts]
    pairs = pairs.hstack(levels).hstack(bits).with_columns(pl.lit(prior).alias("bits_prior"))
    pairs = pairs.with_columns(pl.sum_horizontal("bits_prior", *(b.name for b in bits)).alias("bits"))
    every_pair = pl.lit(value=True)
    decided = put_in_bands(pairs, model, contest, may=every_pair, at_once=~every_pair)
    return decided.filter(worth_showing(model))


def _parts(
    pairs: pl.DataFrame, levels: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame, fields: Sequence[Compared]
) -> list[_Part]:
    random = _at_random(r, e)
    by_chance = compare_fields(random, r, e, fields)
    parts = []
    for field in fields:
        for name in field.parts:
            known = levels_of_part(field)
            frequency = tuple(log_frequency(which, r, e, name) for which in (pairs, random))
            seen, at_random = (_numbers(which, name, field.follows) for which in (levels, by_chance))
            m, u = (np.array([start[level] for level in known]) for start in (_M, _U))
            parts.append(_Part(name, known, m / m.sum(), u / u.sum(), seen, at_random, (frequency[0], frequency[1])))
    return parts


def _numbers(levels: pl.DataFrame, name: str, follows: str | None) -> np.ndarray:
    """Levels as numbers; -1 where a side says nothing, or where the field that this one follows has said it."""
    number = pl.col(f"{name}_level").to_physical().cast(pl.Int16)
    if follows is not None:
        number = pl.when((pl.col(f"{follows}_level") != "exact").fill_null(value=True)).then(number)
    return levels.select(number.fill_null(-1)).to_series().to_numpy()


def _at_random(r: pl.DataFrame, e: pl.DataFrame) -> pl.DataFrame:
    """Pairs of people taken at random, the same ones in whatever order the rows come: all of them, where they are few."""
    if r.height * e.height <= _RANDOM:
        rows = np.divmod(np.arange(r.height * e.height), max(e.height, 1))
    else:
        drawn = np.random.default_rng(_SEED)
        rows = drawn.integers(r.height, size=_RANDOM), drawn.integers(e.height, size=_RANDOM)
    pairs = pl.DataFrame(dict(zip(PAIR, rows, strict=True)), schema=dict.fromkeys(PAIR, pl.Int64))
    return pairs.filter(pl.col(PAIR[0]) != pl.col(PAIR[1])) if r is e else pairs


def _learn(parts: list[_Part], contest: Contest, every: float, smaller: int) -> tuple[list[_Part], float]:
    """The parts with m and u as learned, and the log2 odds that any two rows are one person."""
    most = max(float(smaller), 1.0)
    true = most / 2
    for _ in range(_ROUNDS):
        prior = _log_odds(true, every)
        bits = prior + np.sum([part.bits() for part in parts], axis=0)
        chance = probabilities(bits + contest.left_less(bits))
        two = 1 - probabilities(prior + np.sum([part.bits(random=True) for part in parts], axis=0))
        before, parts = parts, [part.learned(chance, two) for part in parts]
        last, true = true, min(max(float(chance.sum()), 1.0), most)
        moved = max(float(np.abs(new.m - old.m).max()) for new, old in zip(parts, before, strict=True))
        if moved < _SETTLED and abs(true - last) < _SETTLED * true:
            break
    return parts, _log_odds(true, every)


def _log_odds(true: float, every: float) -> float:
    """Log2 odds that one of all pairs is a true one; even where there is but one pair."""
    return math.log2(true / max(every - true, 1.0))


def _shares(level: np.ndarray, weight: np.ndarray, start: np.ndarray) -> np.ndarray:
    """How often each level is seen among weighted pairs, drawn a little towards where learning began."""
    told = level >= 0
    counts = np.bincount(level[told], weight[told], minlength=len(start)) + _UNSEEN + _AS_PAIRS * start / start.sum()
    shares: np.ndarray = counts / counts.sum()
    return shares


def _as_links(rows: pl.DataFrame, fields: Sequence[Compared]) -> pl.DataFrame:
    names = [part for field in fields for part in field.parts]
    detail = [f"{name}_level" for name in names]
    bits = [f"bits_{name}" for name in ("prior", *names, "rivals")]
    rows = rows.with_columns(pl.lit(None, pl.String).alias("extract"))
    return LINKS.conform(rows.select(*LINKS.names, *detail, pl.col(bits).round(6))).sort(PAIR)
