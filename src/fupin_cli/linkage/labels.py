"""What answers of people teach: which kinds of pairs and which likenesses of names are worth more, or less, than was thought.

People answer pairs that somebody chose for them, mostly the doubtful ones: so how many of them are true says nothing of the rest.
But given its weight, whether a pair is true does not depend on having been chosen. So only what the answers say beyond the
weights is learned: a logistic regression of the answers, with the weight as offset (Rubin 1976 on ignorable selection).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl

from fupin_cli.linkage.assignment import CONTRADICTS
from fupin_cli.linkage.blocking import PAIR
from fupin_cli.linkage.comparison import LEVELS
from fupin_cli.linkage.model import Model, probabilities
from fupin_cli.linkage.weights import STRATA, add_stratum, default_odds
from fupin_cli.vocabulary import Decision

_MAY_ERR = 2.0  # bits (one standard deviation) by which the figures may be wrong before anybody has answered
_ROUNDS, _SETTLED = 50, 1e-9


def relearn(links: pl.DataFrame, register: pl.DataFrame, extract: pl.DataFrame, model: Model) -> Model:
    """The model with the odds of each stratum and m of names as the answers move them.

    `links` are those that the model gave for these two KEYS frames, with their levels and `answer` (null: nobody knows). Each
    figure is moved to where it is likeliest, given the answers and that two bits either way would be no surprise: a few answers
    move little, many decide.
    """
    known = _with_stratum(links, register, extract).drop_nulls("answer")
    people = max(register.height, extract.height)
    odds = [model.odds.get(name, bits) for name, bits in zip(STRATA, default_odds(model, people), strict=True)]
    names = LEVELS["name"]
    level = known["name_level"].cast(pl.Enum(names)).to_physical().cast(pl.Int64).fill_null(len(names)).to_numpy()
    features = np.zeros((known.height, len(STRATA) + len(names) + 1))
    features[np.arange(known.height), known["stratum"].to_numpy()] = 1
    features[np.arange(known.height), len(STRATA) + level] = 1
    features[:, -1] = 0  # a name that is missing says nothing
    bits = _likeliest(known["match_weight"].to_numpy(), features, known["answer"].cast(pl.Float64).to_numpy())
    m = [value * 2.0**shift for value, shift in zip(model.m["name"], bits[len(STRATA) : -1], strict=True)]
    whole = sum(m)  # shares add up to one; what that takes away from every name goes to the odds
    odds = [round(o + shift + math.log2(whole), 6) for o, shift in zip(odds, bits[: len(STRATA)], strict=True)]
    return replace(
        model,
        m={**model.m, "name": tuple(value / whole for value in m)},
        odds=dict(zip(STRATA, odds, strict=True)),
    )


def decide_as_answered(links: pl.DataFrame) -> pl.DataFrame:
    """The links, those with an `answer` decided as it says; weight and basis stay, so that both can be compared."""
    told = pl.when("answer").then(pl.lit(Decision.ACCEPTED.value)).otherwise(pl.lit(Decision.REJECTED.value))
    known = pl.col("answer").is_not_null()
    return links.with_columns(
        pl.when(known).then(told).otherwise("decision").alias("decision"), (pl.col("tied") & ~known).alias("tied")
    )


def _with_stratum(links: pl.DataFrame, register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """The links with `stratum`, found again from their levels."""
    numbered = [
        people.filter(pl.col("code").is_not_null() | ~pl.col("digits").str.contains("*", literal=True))
        for people in (register, extract)
    ]
    given = [pl.col(row).is_in(people["at"].implode()) for row, people in zip(PAIR, numbered, strict=True)]
    exact = (pl.col("id_number_level") == "exact").fill_null(value=False)
    disputed = pl.col("name_level").is_in(list(CONTRADICTS)).fill_null(value=False)
    settled = links.filter(exact, ~disputed)
    ours, theirs = (pl.col(row).is_in(settled[row].implode()) for row in PAIR)
    found = pl.when(exact).then((ours | theirs) & disputed).otherwise(ours)
    return add_stratum(links.with_columns(given[0].alias("given_r"), given[1].alias("given_e"), found.alias("found")))


def _likeliest(weight: np.ndarray, features: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """The bits by which each feature moves the weights: the most likely ones, by Newton's method."""
    nat, drawn = math.log(2), 1 / _MAY_ERR**2
    bits = np.zeros(features.shape[1])
    for _ in range(_ROUNDS):
        chance = probabilities(weight + features @ bits)
        slope = nat * features.T @ (answer - chance) - drawn * bits
        bend = nat**2 * (features.T * (chance * (1 - chance))) @ features + drawn * np.eye(len(bits))
        step = np.linalg.solve(bend, slope)
        step *= min(1.0, 1.0 / max(np.abs(step).max(), 1e-12))  # no farther than a bit at a time
        bits = bits + step
        if np.abs(step).max() < _SETTLED:
            break
    found: np.ndarray = np.round(bits, 6)
    return found
