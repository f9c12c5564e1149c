"""How good the links are: what the probabilities promise without any label, and what answers of people say.

Without labels the shares follow from the probabilities themselves, as in fastLink (Enamorado, Fifield and Imai 2019). With labels
each band is a stratum from which some pairs were answered; its share of right pairs counts for the whole band (Horvitz and
Thompson 1952, "A Generalization of Sampling Without Replacement From a Finite Universe").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from fupin_cli.linkage.model import probabilities
from fupin_cli.vocabulary import Decision

FEW = 30  # pairs; a share of fewer says little, and even all of them are but a sample of the next ones
_Z = 1.959964  # 95 %
_SEED = 20191130
_CERTAIN = 100.0  # bits
# By how many bits all weights together may be wrong. Chosen on synth, 60 worlds of four presets, 3,000 to 200,000 people, dense
# counties and many namesakes: 2 bits hold the share of false links in all of them, 4 bits the share of missed ones in 59. The
# second is the larger because nobody weighs a person who was never a candidate.
_FALSE_MAY_ERR, _MISSED_MAY_ERR = 2.0, 4.0
_BINS = (0.0, 0.1, 0.5, 0.9, 0.99, 0.999)


@dataclass(frozen=True)
class Share:
    """A share and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Expected:
    """What the probabilities promise: the share of accepted pairs that are false, and of true pairs that are not accepted."""

    false_share: Share
    missed_share: Share


@dataclass(frozen=True)
class Answered:
    """A band, or a range of probabilities: how many pairs it has, how many of them were answered, and how many are one person.

    `predicted` is the mean probability of those that were answered.
    """

    name: str
    pairs: int
    answered: int
    right: int
    predicted: float

    @property
    def share(self) -> Share:
        """The share of right pairs among these; nothing is known without an answer, everything with all of many."""
        return wilson(self.right, self.answered, self.pairs)

    @property
    def chance(self) -> Share:
        """The share of right pairs among all that could have been like these: what `predicted` is held against."""
        return wilson(self.right, self.answered)


@dataclass(frozen=True)
class Audit:
    """What answers say of the links as the weights alone decided them.

    `recall` is about the true pairs among all that were looked at; those who were no candidates of each other are beyond it.
    """

    precision: Share
    recall: Share
    bands: tuple[Answered, ...]
    calibration: tuple[Answered, ...]


def expected_errors(links: pl.DataFrame) -> Expected | None:
    """Expected shares of false and of missed links with intervals, from LINKS alone; None where nothing was accepted.

    The interval is that of a sum of unequal chances (Poisson-binomial), between weights that are all some bits too high and some
    bits too low. Pairs that no key brought together are not in the sum.
    """
    accepted = pl.col("decision") == Decision.ACCEPTED.value
    weight = pl.col("match_weight")
    if "answer" in links.columns:  # an answer leaves no doubt
        weight = pl.when("answer").then(_CERTAIN).when(~pl.col("answer")).then(-_CERTAIN).otherwise(weight)
    ours, rest = (links.filter(which).select(weight).to_series().to_numpy() for which in (accepted, ~accepted))
    if not len(ours):
        return None
    false, missed = _count(-ours, _FALSE_MAY_ERR), _count(rest, _MISSED_MAY_ERR)
    found = len(ours) - false.value
    return Expected(
        _of_few(Share(*(min(n / len(ours), 1.0) for n in (false.value, false.low, false.high))), len(ours)),
        _of_few(Share(*(n / max(n + found, 1e-9) for n in (missed.value, missed.low, missed.high))), len(ours)),
    )


def _of_few(share: Share, pairs: int) -> Share:
    """The share of so many pairs; where they are FEW, its upper limit is no lower than if nothing at all was wrong with them."""
    return share if pairs >= FEW else Share(share.value, share.low, max(share.high, wilson(0, pairs).high))


def draw(band: pl.DataFrame, most: int) -> pl.DataFrame:
    """At most so many of the pairs, drawn by chance and the same each time, in the order in which they come."""
    chance = np.random.default_rng(_SEED).random(band.height)
    return band[np.sort(np.argsort(chance)[:most])]


def wilson(right: int, answered: int, pairs: int | None = None) -> Share:
    """The share right / answered with the interval of Wilson (1927); narrower where few of all `pairs` are left unanswered.

    Where all pairs are FEW it is not: three of three right is no 100 % that anybody could rely on.
    """
    if not answered:
        return Share(0.5, 0.0, 1.0)
    p, n = right / answered, float(answered)
    if pairs is not None and pairs >= FEW:
        if answered >= pairs:
            return Share(p, p, p)
        n *= (pairs - 1) / (pairs - answered)
    centre, z = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n), _Z / (1 + _Z**2 / n)
    half = z * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n))
    return Share(p, min(p, max(0.0, centre - half)), max(p, min(1.0, centre + half)))


def audit(links: pl.DataFrame) -> Audit:
    """Precision and recall with intervals, from LINKS with `answer`: true, false, or null where nobody knows.

    The pairs answered in each band must be drawn without looking (as the review workbook draws them), or be all of it. The
    limits of the bands are brought together as their squared distances (MOVER: Zou and Donner 2008).
    """
    bands = tuple(_answered(d.value, links.filter(pl.col("decision") == d.value)) for d in Decision)
    # of a band that nobody looked at, the weights are the best that is known
    shares = [
        band.share if band.answered else Share(_mean(links, band.name), 0.0, 1.0) for band in bands
    ]  # accepted, review, rejected

    def recall(at: int | None = None, limit: str = "value") -> float:
        """The recall if the share of one band is at a limit."""
        true = [
            band.pairs * getattr(share, limit if n == at else "value")
            for n, (band, share) in enumerate(zip(bands, shares, strict=True))
        ]
        return float(true[0] / sum(true)) if sum(true) else 0.0

    value = recall()
    down = math.hypot(*(value - recall(n, "high" if n else "low") for n in range(len(bands))))
    up = math.hypot(*(value - recall(n, "low" if n else "high") for n in range(len(bands))))
    edges = zip(_BINS, [*_BINS[1:], 1.1], strict=True)
    probability = pl.col("match_probability")
    bins = (_answered(f"{least:g}", links.filter(probability >= least, probability < most)) for least, most in edges)
    return Audit(shares[0], Share(value, max(0.0, value - down), min(1.0, value + up)), bands, tuple(bins))


def _count(bits: np.ndarray, err: float) -> Share:
    """How many of these pairs are expected to be true."""

    def expected(shift: float) -> tuple[float, float]:
        chance = probabilities(np.sort(bits) + shift)
        return float(chance.sum()), float(np.sqrt((chance * (1 - chance)).sum()))

    (value, _), (few, apart), (many, wide) = expected(0.0), expected(-err), expected(err)
    return Share(value, max(0.0, few - _Z * apart), many + _Z * wide)


def _answered(name: str, pairs: pl.DataFrame) -> Answered:
    known = pairs.drop_nulls("answer")
    predicted = known["match_probability"].mean() if known.height else 0.0
    return Answered(
        name, pairs.height, known.height, int(known["answer"].sum()), predicted if isinstance(predicted, float) else 0.0
    )


def _mean(links: pl.DataFrame, decision: str) -> float:
    mean = links.filter(pl.col("decision") == decision)["match_probability"].mean()
    return float(mean) if isinstance(mean, float) else 0.0
