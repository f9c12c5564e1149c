"""What the files themselves say of m, u and the odds: learned without labels, drawn towards the model where there is little to see.

People with equal ID numbers and agreeing names are a free sample of what one person looks like in two lists (m); people taken at
random, from one village and from one household are samples of what two look like (u, near, kin). How often candidates of each kind
are one person is found by expectation and maximisation (Dempster, Laird and Rubin 1977), over all kinds at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from fupin_cli.characters import compare_names
from fupin_cli.linkage.assignment import Contest
from fupin_cli.linkage.blocking import PAIR
from fupin_cli.linkage.comparison import LEVELS, levels_of
from fupin_cli.linkage.frequency import sample
from fupin_cli.linkage.model import Model, Values, with_parts
from fupin_cli.linkage.weights import KINDS, STRATA

_AS_PAIRS = 300.0  # the model's own figures count as much as so many pairs
_ROUNDS, _SETTLED = 12, 0.01  # of EM at most; bits that no longer change anything
_AS_MATCHES, _FARTHEST = 2.0, 10.0  # pairs as which the prior odds count; bits by which they may be wrong
_PEOPLE, _PARTNERS, _NEIGHBOURS = 4000, 16, 400
_LEAST = 1e-7
_KNOWN_BY_NUMBER = 6  # kinds of pair whose candidates are all there is: their numbers agree


def learn_names(by_id: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame, model: Model) -> Model:
    """The model with m, u, near and kin of names, and the share of borrowed numbers, as these files have them.

    `by_id` are the pairs with equal numbers and their `name_level`.
    """
    near, concentration = _nearby(r, e, model)
    model = replace(model, near=near, kin=_kin(r, model), concentration=concentration)
    model = replace(model, u={**model.u, "name": _drawn(_count(_at_random(r, e)), model.u["name"])})
    return _names_of_one(by_id, model)


def learn_places(by_id: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame, model: Model) -> Model:
    """The model with m of places, from pairs with equal numbers and names, and u from how people are spread over them."""
    counts = by_id.filter(pl.col("name_level") == "exact")["place_level"].value_counts()
    m = with_parts(_drawn(_by_level(counts, "place")[:4], model.m["place"][:4]))
    return replace(
        model, m={**model.m, "place": m}, u={**model.u, "place": with_parts(_place_u(r, e))}, learned_from=by_id.height
    )


def learn_births(by_id: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame, model: Model) -> Model:
    """The model with m of birth dates, where both lists have a column for them."""
    pairs = by_id.filter(pl.col("name_level") == "exact")
    dates = pl.DataFrame(
        {side: people["birth"].gather(pairs[row]) for side, people, row in zip("re", (r, e), PAIR, strict=True)}
    )
    equal = dates.drop_nulls().select(pl.col("r") == pl.col("e")).to_series()
    wrong, share = len(equal) - int(equal.sum()), model.m["birth"][1] / (1 - model.m["birth"][0])
    counts = [float(equal.sum()), wrong * share, wrong * (1 - share)]
    return replace(model, m={**model.m, "birth": _drawn(counts, model.m["birth"])})


def learn_households(joined: tuple[float, float, int], model: Model) -> Model:
    """The model with m and u of household context: see household.context."""
    m, u, people = joined
    share = (m * people + model.m["household"][0] * _AS_PAIRS) / (people + _AS_PAIRS)
    u = min(max(u, _LEAST), 0.1)
    return replace(
        model, m={**model.m, "household": (share, 1 - share)}, u={**model.u, "household": (u, 1 - u)}
    )  # fmt: skip


def learn_odds(pairs: pl.DataFrame, contest: Contest, odds: Sequence[float], possible: Sequence[float]) -> list[float]:
    """Log2 odds of each stratum, by EM: pairs that one extract identity has with several people share its one chance.

    `pairs` have `stratum` and `fields` (the bits of all fields); `possible` pairs there are of each stratum, candidates or not.
    """
    stratum, fields = pairs["stratum"].to_numpy(), pairs["fields"].to_numpy()
    start, total = np.array(odds), np.array(possible)
    found = start
    for _ in range(_ROUNDS):
        bits = found[stratum] + fields
        true = np.bincount(stratum, _probability(bits + contest.left_less(bits)), minlength=len(start))
        share = (true + _AS_MATCHES) / (total + _AS_MATCHES / _probability(start))
        learned = np.clip(
            np.log2(share) - np.log2(np.maximum(1 - share, 2.0**-40)), start - _FARTHEST, start + _FARTHEST
        )
        before, found = found, np.where(total > 0, learned, start)
        if np.abs(found - before).max() < _SETTLED:
            break
    # the last digits depend on the order of sums
    return [round(float(bits), 6) for bits in found]


def possible_pairs(r: pl.DataFrame, e: pl.DataFrame, pairs: pl.DataFrame) -> list[float]:
    """How many pairs of each stratum there are between all people of both lists, whether or not blocking looked at them.

    Both have `number`: good, bad, disowned or none; register people also `found` (under the own number) and `mates` (somebody of
    the household was found): pairs of those are `joined`, or next to impossible. Pairs whose numbers agree, or whose households
    do, are all among the candidates.
    """

    def counted(people: pl.DataFrame) -> dict[str, float]:
        counts = dict(people.group_by("number").len().rows())
        return {kind: float(counts.get(kind, 0)) for kind in ("good", "bad", "disowned", "none")}

    theirs = counted(e)
    given = sum(theirs.values()) - theirs["none"]
    found: list[float] = []
    candidates = dict(pairs.group_by("stratum").len().rows())
    for again in (False, True):
        ours = counted(r.filter((pl.col("found") == again) & ~pl.col("mates")))
        known = sum(ours.values()) - ours["none"]
        totals = {
            "disowned": ours["disowned"] * given + (known - ours["disowned"]) * theirs["disowned"],
            "unlike": ours["bad"] * given + ours["good"] * theirs["bad"],
            "different": ours["good"] * theirs["good"],
            "no_number_in_register": ours["none"] * given,
            "no_number_in_extract": known * theirs["none"],
            "no_number": ours["none"] * theirs["none"],
        }
        found += [totals.get(kind, float(candidates.get(len(found) + n, 0))) for n, kind in enumerate(KINDS)]
    return [*found, *(float(candidates.get(n, 0)) for n in range(len(found), len(STRATA)))]


def _probability(bits: np.ndarray) -> np.ndarray:
    found: np.ndarray = 1 / (1 + np.exp2(-np.clip(bits, -500, 500)))
    return found


def _names_of_one(by_id: pl.DataFrame, model: Model) -> Model:
    """M of names and the share of borrowed numbers: two kinds of equal numbers, told apart by EM.

    `by_id` leaves out numbers that several names bear. A wholly other name may be a new one or somebody else's: nobody can tell
    which from names alone, so its m stays.
    """
    counts = _by_level(by_id["name_level"].value_counts(), "name")
    if not sum(counts):
        return model
    m, usual = list(model.m["name"]), 1 - model.number["exact"]
    borrowed = usual
    for _ in range(_ROUNDS):
        own = [_share((1 - borrowed) * a, borrowed * b) for a, b in zip(m, model.kin, strict=True)]
        theirs = sum(n * (1 - p) for n, p in zip(counts, own, strict=True))
        borrowed = (theirs + usual * _AS_PAIRS) / (sum(counts) + _AS_PAIRS)
        learned = _drawn([n * p for n, p in zip(counts, own, strict=True)], model.m["name"])
        m = [*learned[:-1], min(learned[-1], model.m["name"][-1])]
    return replace(model, m={**model.m, "name": tuple(m)}, number={**model.number, "exact": 1 - borrowed})


def _share(a: float, b: float) -> float:
    return a / (a + b)


def _at_random(r: pl.DataFrame, e: pl.DataFrame) -> pl.DataFrame:
    """Names of people taken at random, the same ones in whatever order the rows come."""
    ours, theirs = _few(r, _PEOPLE), _few(e, _PEOPLE)
    if not (ours.height and theirs.height):
        return _no_pairs()
    n = ours.height
    shifts = [1 + k * (theirs.height // _PARTNERS or 1) for k in range(_PARTNERS)]
    parts = [
        pl.DataFrame({"r": ours["name"], "a": ours["code"]}).hstack(
            theirs[pl.int_range(shift, shift + n, eager=True) % theirs.height].select(
                pl.col("name").alias("e"), pl.col("code").alias("b")
            )
        )
        for shift in shifts
    ]
    return pl.concat(parts).filter(pl.col("a") != pl.col("b")).select("r", "e")


def _nearby(r: pl.DataFrame, e: pl.DataFrame, model: Model) -> tuple[Values, float]:
    """Name levels between two people of one village, and how much commoner an exact name is there than surnames explain."""
    place = ["township_code", "village_code"]
    ours, theirs = _few(r.drop_nulls(place), _NEIGHBOURS), sample(e.drop_nulls(place), 200_000)
    pairs = ours.select(*place, pl.col("name").alias("r"), "code").join(
        theirs.select(*place, pl.col("name").alias("e"), pl.col("code").alias("other")), on=place
    )
    pairs = pairs.filter(pl.col("code") != pl.col("other"))
    counts = _count(pairs.select("r", "e"))
    if sum(counts) < _AS_PAIRS:
        return model.near, 1.0
    names = theirs.lazy().select("name", *place, initial=pl.col("name").str.slice(0, 1)).collect()
    by_name = names.group_by("name", "initial").len("people").with_columns(pl.col("people") / names.height)
    by_initial = by_name.group_by("initial").agg(pl.col("people").sum().alias("all"))
    # what surnames explain: both bear the village's surname, and the given name that goes with it anywhere
    given = by_name.join(by_initial, on="initial").select(pl.col("people") ** 2 / pl.col("all")).to_series()
    same = float(pairs.select((pl.col("r").str.slice(0, 1) == pl.col("e").str.slice(0, 1)).mean()).item())
    explained = same * math.fsum(given)
    seen = (counts[0] + 1) / (sum(counts) + 1 / max(explained, _LEAST))
    return _drawn(counts, model.near), min(max(seen / max(explained, _LEAST), 0.25), 16.0)


def _kin(r: pl.DataFrame, model: Model) -> Values:
    """Name levels between two members of one household of the register."""
    people = (
        r.drop_nulls(["household", "name", "code"])
        .select("household", "code", "name")
        .sort("household", "code", "name")
    )
    people = people.head(20 * _PEOPLE)
    pairs = people.select(
        pl.col("name").alias("r"), pl.col("name").shift(-1).over("household").alias("e"),
        (pl.col("code") != pl.col("code").shift(-1).over("household")).alias("two"),
    ).filter("two")  # fmt: skip
    return _drawn(_count(pairs.select("r", "e")), model.kin)


def _few(people: pl.DataFrame, most: int) -> pl.DataFrame:
    """So many people with number and name, spread over all of them by their numbers."""
    known = sample(people, 20 * most).drop_nulls(["code", "name"])
    return known.sort(pl.col("code") % 9973, "code", "name").head(most)


def _no_pairs() -> pl.DataFrame:
    return pl.DataFrame(schema={"r": pl.String, "e": pl.String})


def _count(names: pl.DataFrame) -> list[float]:
    names = names.drop_nulls()
    differing = names.filter(pl.col("r") != pl.col("e"))
    levels = compare_names(differing["r"], differing["e"]).cast(levels_of("name"))
    counts = _by_level(levels.alias("name_level").value_counts(), "name")
    counts[0] += names.height - differing.height
    return counts


def _by_level(counts: pl.DataFrame, field: str) -> list[float]:
    level = counts.columns[0]
    known = dict(counts.drop_nulls(level).select(pl.col(level).cast(pl.String), "count").rows())
    return [float(known.get(name, 0)) for name in LEVELS[field]]


def _drawn(counts: Sequence[float], towards: Sequence[float]) -> Values:
    """Shares of the counts, drawn towards what the model has."""
    weight = _AS_PAIRS / sum(towards)
    total = sum(counts) + _AS_PAIRS
    return tuple(max((n + weight * old) / total, _LEAST) for n, old in zip(counts, towards, strict=True))


def _place_u(r: pl.DataFrame, e: pl.DataFrame) -> Values:
    """How often two random rows share a village, a township only, a county only, or none."""

    def shared(parts: list[str]) -> float:
        known = [side.drop_nulls(parts[-1]).group_by(parts).len() for side in (r, e)]
        totals = [float(k["len"].sum()) for k in known]
        if not all(totals):
            return 0.0
        both = known[0].join(known[1], on=parts, nulls_equal=True)
        products = both.select((pl.col("len").cast(pl.Float64) * pl.col("len_right").cast(pl.Float64)).sum()).item()
        return float(products) / (totals[0] * totals[1])

    village = shared(["township_code", "village_code"])
    township, county = shared(["township_code"]), shared(["county_code"])
    floor = 0.0002
    return (
        min(max(village, floor), 0.5),
        min(max(township - village, floor), 0.9),
        min(max(county - township, floor), 0.98),
        min(max(1.0 - max(county, township), 0.05), 0.99),
    )
