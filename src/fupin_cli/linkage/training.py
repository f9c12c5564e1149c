"""What the files themselves say of m, u and the odds: learned without labels, drawn towards the model where little is seen.

People with equal ID numbers and agreeing names are a free sample of what one person looks like in two lists (m); people taken at
random, from one village and from one household are samples of what two look like (u, near, kin). How often candidates of each
kind are one person is found by expectation and maximisation (Dempster, Laird and Rubin 1977), over all kinds at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from fupin_cli.characters import compare_names
from fupin_cli.linkage.assignment import Contest
from fupin_cli.linkage.blocking import PAIR
from fupin_cli.linkage.comparison import LEVELS, PLACES, levels_of
from fupin_cli.linkage.frequency import sample, total
from fupin_cli.linkage.model import Model, Values, probabilities, with_parts
from fupin_cli.linkage.weights import KINDS, STRATA

_AS_PAIRS = 300.0  # the model's own figures count as much as so many pairs
_ROUNDS, _SETTLED = 12, 0.01  # of EM at most; bits that no longer change anything
_AS_MATCHES, _FARTHEST = 2.0, 10.0  # pairs as which the prior odds count; bits by which they may be wrong
_VILLAGE = ["township_code", "village_code"]
_PEOPLE, _PARTNERS, _NEIGHBOURS, _ENOUGH = 3000, 12, 600, 50_000
_PLACED = 250_000  # people whose places tell how everybody is spread over them
_FEW = 3.0  # pairs as which the surnames' own share counts
_LEAST = 1e-7


def learn_names(by_id: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame, model: Model) -> Model:
    """The model with m, u, near and kin of names, and the share of borrowed numbers, as these files have them.

    `by_id` are the pairs with equal numbers and their `name_level`.
    """
    nearby = _nearby(r, e)
    random, near, kin = _count([_at_random(r, e), nearby, _kin(r)])
    model = replace(
        model,
        u={**model.u, "name": _drawn(random, model.u["name"])},
        near=_drawn(near, model.near),
        kin=_drawn(kin, model.kin),
        concentration=_concentration(near, nearby, e),
    )
    return _names_of_one(by_id, model)


def learn_places(by_id: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame, model: Model) -> Model:
    """The model with m of places, from pairs with equal numbers and names, and u from how people are spread over them."""
    counts = by_id.filter(pl.col("name_level") == "exact")["place_level"].value_counts()
    m = with_parts(_drawn(_by_level(counts, "place")[:PLACES], model.m["place"][:PLACES]))
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
    start, pairs_of = np.array(odds), np.array(possible)
    found, said = start, contest.silence()
    for _ in range(_ROUNDS):
        bits = found[stratum] + fields
        less, said = contest.sweep(bits, said)  # the messages settle while the odds do
        true = np.bincount(stratum, probabilities(bits + less), minlength=len(start))
        share = (true + _AS_MATCHES) / (pairs_of + _AS_MATCHES / probabilities(start))
        learned = np.clip(
            np.log2(share) - np.log2(np.maximum(1 - share, 2.0**-40)), start - _FARTHEST, start + _FARTHEST
        )
        before, found = found, np.where(pairs_of > 0, learned, start)
        if np.abs(found - before).max() < _SETTLED:
            break
    # the last digits depend on the order of sums
    return [round(float(bits), 6) for bits in found]


def possible_pairs(r: pl.DataFrame, e: pl.DataFrame, left_out: int, pairs: pl.DataFrame) -> list[float]:
    """How many pairs of each stratum there are between all people of both lists, whether or not blocking looked at them.

    Both have `number`: good, bad, disowned or none; register people also `found` (under the own number) and `mates` (somebody of
    the household was found): pairs of those are `joined`, or next to impossible. Pairs whose numbers agree, or whose households
    do, are all among the candidates. `left_out` rows of the extract, all with good numbers, met nobody.
    """

    def counted(people: pl.DataFrame) -> dict[str, float]:
        counts = dict(people.group_by("number").len().rows())
        return {kind: float(counts.get(kind, 0)) for kind in ("good", "bad", "disowned", "none")}

    theirs = counted(e)
    theirs["good"] += left_out
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
    ours, theirs = (_few(side.select("code", "name"), _PEOPLE) for side in (r, e))
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


def _nearby(r: pl.DataFrame, e: pl.DataFrame) -> pl.DataFrame:
    """Names of people of one village, who are not one person."""
    r, e = (side.select("code", "name", *_VILLAGE) for side in (r, e))
    ours, theirs = _few(r.drop_nulls(_VILLAGE), _NEIGHBOURS), sample(e, _ENOUGH).drop_nulls(_VILLAGE)
    pairs = ours.select(*_VILLAGE, pl.col("name").alias("r"), "code").join(
        theirs.select(*_VILLAGE, pl.col("name").alias("e"), pl.col("code").alias("other")), on=_VILLAGE
    )
    return pairs.filter(pl.col("code") != pl.col("other")).select("r", "e")


def _concentration(near: Sequence[float], nearby: pl.DataFrame, e: pl.DataFrame) -> float:
    """How much commoner an exact name is between neighbours than their surnames explain: generation names run in villages."""
    names = (
        sample(e.select("code", "name"), _ENOUGH)
        .lazy()
        .select("name", initial=pl.col("name").str.slice(0, 1))
        .drop_nulls()
    )
    by_name = names.group_by("name", "initial").len("people").with_columns(pl.col("people").cast(pl.Float64))
    all_ = pl.col("people").sum().over("initial")
    # two people of one surname, and the chance that they share the given name, too
    twice = by_name.select(pl.col("people") * (pl.col("people") - 1) / (all_ - 1).clip(lower_bound=1)).collect()
    given = total(twice.to_series()) / max(total(by_name.collect()["people"]), 1.0)
    same = nearby.select((pl.col("r").str.slice(0, 1) == pl.col("e").str.slice(0, 1)).sum()).item() or 0
    return min(max((near[0] + _FEW) / (same * given + _FEW), 0.25), 16.0)


def _kin(r: pl.DataFrame) -> pl.DataFrame:
    """Names of members of one household of the register, one after the other by their numbers."""
    known = r.select("household", "code", "name").drop_nulls()
    if known.height > _ENOUGH:  # whole households, and the same ones in whatever order the rows come
        known = known.filter(pl.col("household").str.slice(-1).is_in(["3", "7"]))
    people = known.sort("household", "code", "name").head(_ENOUGH)
    other = pl.all().shift(-1)
    pairs = people.hstack(people.select(other.name.suffix("_next")).get_columns())
    one_household = (pl.col("household") == pl.col("household_next")) & (pl.col("code") != pl.col("code_next"))
    return pairs.filter(one_household).select(pl.col("name").alias("r"), pl.col("name_next").alias("e"))


def _few(people: pl.DataFrame, most: int) -> pl.DataFrame:
    """So many people with number and name, spread over all of them by their numbers."""
    known = sample(people, 20 * most).drop_nulls(["code", "name"])
    return known.sort(pl.col("code") % 9973, "code", "name").head(most)


def _no_pairs() -> pl.DataFrame:
    return pl.DataFrame(schema={"r": pl.String, "e": pl.String})


def _count(samples: Sequence[pl.DataFrame]) -> list[list[float]]:
    """How often each level is seen in each sample of pairs of names; they are compared in one go."""
    of = [pl.lit(n).alias("sample") for n in range(len(samples))]
    names = pl.concat([pairs.drop_nulls().with_columns(n) for pairs, n in zip(samples, of, strict=True)])
    equal = names["r"] == names["e"]
    differing = names.filter(~equal)
    levels = compare_names(differing["r"], differing["e"]).cast(levels_of("name")).alias("name_level")
    counts = [_by_level(levels.filter(differing["sample"] == n).value_counts(), "name") for n in range(len(samples))]
    for n, same in names.filter(equal).group_by("sample").len().rows():
        counts[n][0] += same
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
    """How often two random rows share a hamlet, a village only, a township only, a county only, or none."""
    parts = ["county_code", "township_code", "village_code", "hamlet_code"]
    counts = [sample(side.select("code", *parts), _PLACED).group_by(parts).len() for side in (r, e)]

    def shared(parts: list[str]) -> float:
        known = [side.drop_nulls(parts[-1]).group_by(parts).agg(pl.col("len").sum()) for side in counts]
        totals = [float(k["len"].sum()) for k in known]
        if not all(totals):
            return 0.0
        both = known[0].join(known[1], on=parts, nulls_equal=True)
        return total(both.select(pl.col("len").cast(pl.Float64) * pl.col("len_right")).to_series()) / (
            totals[0] * totals[1]
        )

    hamlet, village, township = shared(parts[1:]), shared(parts[1:3]), shared(parts[1:2])
    county = shared(parts[:1])
    floor = 0.0002
    return (
        min(max(hamlet, floor / 4), 0.25),
        min(max(village - hamlet, floor), 0.5),
        min(max(township - village, floor), 0.9),
        min(max(county - township, floor), 0.98),
        min(max(1.0 - max(county, township), 0.05), 0.99),
    )
