"""From scored pairs to decisions: one register person for each extract identity, ties to review, three bands.

An identity is what an extract calls one person: rows with the same ID number and name, or, without a usable number, the same
digits, name, birth date and place. Its rows stand or fall together (one person may own three vehicles).

Whoever may be several people is likely to be none of them for certain. The probability of each pair, given that an extract
identity is one person at most, and a register person one identity at most, is found by belief propagation over the pairs
(sum-product for matchings); it takes a handful of sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from fupin_cli.linkage.comparison import ID_AGREES
from fupin_cli.linkage.model import Model, to_bits, to_probability
from fupin_cli.vocabulary import Decision

IDENTITY = ["register_id", "extract_id"]
_BASIS = {
    "exact": "exact_id", "repaired": "repaired_id", "slip": "repaired_id", "damaged": "damaged_id", "same_text": "id_part_name",
    "partial": "id_part_name",
}  # fmt: skip
# what no weight may outvote: brothers and sisters are called like this
CONTRADICTS = ("one_char", "surname", "other")
_SHOWN_BELOW_REVIEW = 10.0  # bits: rejected pairs farther away than this explain nothing
_SWEEPS, _MOST = 8, 60.0  # of messages; bits beyond which more certainty changes nothing


@dataclass(frozen=True)
class Contest:
    """Pairs that have rivals: `rows` among all pairs, and for each the pair of identities that it stands for.

    `register_id` and `extract_id` count from 0. `further` pairs do not compete for the register person: an extract may spell one
    person's number in two ways.
    """

    rows: np.ndarray
    stands_for: np.ndarray
    register_id: np.ndarray
    extract_id: np.ndarray
    further: np.ndarray

    @classmethod
    def of(cls, pairs: pl.DataFrame) -> Contest:
        """The contest of pairs with IDENTITY and `id_number_level`; rows of one identity are never rivals of each other."""
        alone = ~pairs.select(pl.any_horizontal(pl.col(name).is_duplicated() for name in IDENTITY)).to_series()
        rows = (~alone).arg_true().to_numpy()
        fought = pairs.select(
            *IDENTITY, pl.col("id_number_level").is_in(list(ID_AGREES)).fill_null(value=False).alias("agrees")
        )[rows]
        ids = [np.unique(fought[name].to_numpy(), return_inverse=True)[1] for name in IDENTITY]
        both, first, stands_for = np.unique(ids[0] * (len(rows) + 1) + ids[1], return_index=True, return_inverse=True)
        further = np.zeros(len(both), dtype=bool)
        further[stands_for[fought["agrees"].to_numpy()]] = True
        return cls(rows, stands_for, ids[0][first], ids[1][first], further)

    def best(self, bits: np.ndarray) -> np.ndarray:
        """The most that any row of each pair of identities has; `bits` of all pairs."""
        most = np.full(len(self.further), -np.inf)
        np.maximum.at(most, self.stands_for, bits[self.rows])
        return most

    def left_less(self, bits: np.ndarray) -> np.ndarray:
        """The bits that each pair's rivals leave it less; 0 for those without. By belief propagation (sum-product)."""
        return self.sweep(bits, self.silence(), _SWEEPS)[0]

    def silence(self) -> np.ndarray:
        """What register people say of their pairs before anybody has spoken."""
        return np.ones(len(self.further))

    def sweep(self, bits: np.ndarray, from_register: np.ndarray, sweeps: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """`left_less` after some more messages to and fro, and what register people say now."""
        odds = np.exp2(np.clip(self.best(bits), -_MOST, _MOST))
        from_extract = np.ones_like(odds)
        for _ in range(sweeps):
            wanted = odds * from_register
            from_extract = 1 / (1 + _others(self.extract_id, wanted))
            wanted = odds * from_extract
            from_register = np.where(self.further, 1.0, 1 / (1 + _others(self.register_id, wanted)))
        return self._to_rows(np.log2(from_register) + np.log2(from_extract), len(bits), 0.0), from_register

    def tied(self, bits: np.ndarray, left: np.ndarray, least: float, tie: float) -> np.ndarray:
        """True where a rival stands as near as cannot be told, and both are worth a look; those who have lost to others aside."""
        best, after = self.best(bits), self.best(left)
        standing = (best >= least) & (after >= least - tie - 2)
        near = _gap(self.extract_id, best, standing) < tie
        near |= (_gap(self.register_id, best, standing) < tie) & ~self.further
        return self._to_rows(near, len(bits), fill=False)

    def _to_rows(self, values: np.ndarray, rows: int, fill: float) -> np.ndarray:
        every = np.full(rows, fill, dtype=values.dtype)
        every[self.rows] = values[self.stands_for]
        return every


def _others(ids: np.ndarray, values: np.ndarray) -> np.ndarray:
    """For each value the sum of all others with its id.

    The largest are kept out of the sums: subtracted from itself, a large one would leave nothing but the rounding of the small
    ones, which depends on the order of rows.
    """
    if not len(ids):
        return values
    most = np.zeros(int(ids.max()) + 1)
    np.maximum.at(most, ids, values)
    small = np.where(values == most[ids], 0.0, values)
    large = values - small
    others: np.ndarray = np.maximum(np.bincount(ids, small)[ids] - small, 0) + (np.bincount(ids, large)[ids] - large)
    return others


def _gap(ids: np.ndarray, bits: np.ndarray, standing: np.ndarray) -> np.ndarray:
    """The distance to the next rival above or below, among those who stand."""
    gap = np.full(len(bits), np.inf)
    at = np.flatnonzero(standing)
    at = at[np.lexsort((bits[at], ids[at]))]
    apart = np.where(ids[at][1:] == ids[at][:-1], bits[at][1:] - bits[at][:-1], np.inf)
    gap[at[1:]] = apart
    gap[at[:-1]] = np.minimum(gap[at[:-1]], apart)
    return gap


def decide(pairs: pl.DataFrame, model: Model, contest: Contest) -> pl.DataFrame:
    """The pairs with `match_weight`, `match_probability`, `decision`, `basis`, `tied`; needs `bits` and levels."""
    based = pairs.with_columns(_basis().alias("basis"))
    return put_in_bands(based, model, contest, may=_may_be_accepted(), at_once=_nothing_but_number())


def put_in_bands(
    pairs: pl.DataFrame, model: Model, contest: Contest, *, may: pl.Expr, at_once: pl.Expr
) -> pl.DataFrame:
    """The same for pairs that have a `basis` already; `may` says which may be accepted, `at_once` which are, whatever they weigh.

    What is within `tie_bits` of a rival is tied and goes to review, so no order of rows can change who is linked.
    """
    bits = pairs["bits"].to_numpy()
    less = contest.left_less(bits)
    tied = contest.tied(bits, bits + less, to_bits(model.review_probability), model.tie_bits)
    # six decimals: far below any threshold's meaning, and the same on every machine
    weight = (pl.col("bits") + pl.col("bits_rivals")).round(6)
    pairs = pairs.with_columns(pl.Series("bits_rivals", less).round(6), pl.Series("tied", tied)).with_columns(
        weight.alias("match_weight"), to_probability(weight).round(9).alias("match_probability")
    )
    sure = may & ~pl.col("tied")
    floor = _accept_from(pairs.filter(sure)["match_probability"], model)
    likely = pl.col("match_probability") >= model.review_probability
    decision = (
        pl.when(sure & ((pl.col("match_probability") >= floor) | at_once)).then(pl.lit(Decision.ACCEPTED.value))
        .when(likely | pl.col("tied")).then(pl.lit(Decision.REVIEW.value))
        .otherwise(pl.lit(Decision.REJECTED.value))
    )  # fmt: skip
    return pairs.with_columns(decision.alias("decision"))


def worth_showing(model: Model) -> pl.Expr:
    """True for decided pairs that somebody may ask about: all but those rejected from afar."""
    near = pl.col("match_weight") >= to_bits(model.review_probability) - _SHOWN_BELOW_REVIEW
    return (pl.col("decision") != Decision.REJECTED.value) | near


def _accept_from(probability: pl.Series, model: Model) -> float:
    """The probability from which pairs are accepted: no more than `accept_error` of all accepted are expected to be wrong."""
    candidates = probability.filter(probability >= model.accept_probability).sort(descending=True)
    if not len(candidates):
        return model.accept_probability
    error = (1 - candidates).cum_sum() / pl.int_range(1, len(candidates) + 1, eager=True)
    within = candidates.filter(error <= model.accept_error)
    least = within.min()
    return float(least) if isinstance(least, float) else 1.0


def _nothing_but_number() -> pl.Expr:
    """An extract without names, or a name of which nothing can be read, is believed on an equal number alone."""
    return (pl.col("id_number_level") == "exact").fill_null(value=False) & pl.col("name_level").is_null()


def _may_be_accepted() -> pl.Expr:
    """False where something speaks against the pair that no weight may outvote.

    A number typed into the wrong row, or borrowed from a relative, agrees perfectly: only the name can tell. Two usable
    numbers that differ are two numbers, unless one of them is known to be another's and the household vouches for the pair.
    """
    exact = (pl.col("id_number_level") == "exact").fill_null(value=False)
    named = pl.col("name_level").is_in(list(CONTRADICTS)).not_().fill_null(exact)
    disowned = (pl.col("id_number_level") == "disowned") & (pl.col("household_level") == "joined").not_().fill_null(
        value=True
    )
    two_numbers = (disowned | (pl.col("id_number_level") == "different")).fill_null(value=False)
    # digits that both sides show and that differ are as good as two numbers
    return named & ~two_numbers & (pl.col("masked_level") == "differs").not_().fill_null(value=True)


def _basis() -> pl.Expr:
    by_name = pl.when(pl.col("birth_level") == "equal").then(pl.lit("name_birth")).otherwise(pl.lit("name_place"))
    by_number = pl.col("id_number_level").cast(pl.String).replace_strict(_BASIS, default=None, return_dtype=pl.String)
    in_part = pl.when(pl.col("masked_level") == "agrees").then(pl.lit("id_part_name"))
    return pl.coalesce(by_number, in_part, by_name)
