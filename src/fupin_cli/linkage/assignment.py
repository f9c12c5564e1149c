"""From scored pairs to decisions: one register person for each extract identity, ties to review, three bands.

An identity is what an extract calls one person: rows with the same ID number and name, or, without a usable number, the same
digits, name, birth date and place. Its rows stand or fall together (one person may own three vehicles).
"""

from __future__ import annotations

import polars as pl

from fupin_cli.linkage.weights import Model, to_probability
from fupin_cli.vocabulary import Decision

_BASIS = {
    "exact": "exact_id", "repaired": "repaired_id", "damaged": "damaged_id", "same_text": "id_part_name",
}  # fmt: skip


def decide(pairs: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The pairs with `match_probability`, `decision`, `basis`, `tied`; needs `register_id` and `extract_id`.

    `register_id`, `extract_id` number the identities on each side. Rows of one identity are never rivals of each other. What
    is within `tie_bits` of a rival is tied and goes to review, so no order of rows can change who is linked.
    """
    pairs = pairs.with_columns(_contradicted().alias("contradicted"))
    rivals = pl.col("register_id").is_duplicated() | pl.col("extract_id").is_duplicated()
    judged = pairs.join(
        _rivalry(pairs.filter(rivals), model), on=["register_id", "extract_id"], how="left"
    ).with_columns(pl.col("tied", "beaten").fill_null(value=False))
    weight, contradicted = pl.col("match_weight"), pl.col("contradicted")
    # an inferred number needs a name that at least resembles, or the same village (people are renamed): in dense counties
    # one repair in twenty hits a stranger
    inferred = pl.col("id_level").is_in(["repaired", "damaged", "same_text"]).fill_null(value=False)
    elsewhere = (pl.col("place_level") != "village").fill_null(value=True)
    stranger = inferred & (pl.col("name_level") == "other") & elsewhere
    lost = (pl.col("beaten") & ~pl.col("tied")) | stranger.fill_null(False)
    sure = (weight >= model.accept_weight) & ~contradicted & ~pl.col("tied") & ~lost
    decision = (
        pl.when(sure).then(pl.lit(Decision.ACCEPTED.value))
        .when((weight >= model.review_weight) & ~lost).then(pl.lit(Decision.REVIEW.value))
        .otherwise(pl.lit(Decision.REJECTED.value))
    )  # fmt: skip
    return judged.with_columns(
        to_probability(weight).round(9).alias("match_probability"), decision.alias("decision"), _basis().alias("basis")
    ).drop("beaten", "contradicted")


def _contradicted() -> pl.Expr:
    """True where something speaks against the pair that no weight may outvote.

    A number typed into the wrong row, or borrowed from a relative, agrees perfectly: only the name can tell. Two usable
    numbers that differ are two numbers. An extract without names is believed on an equal number alone.
    """
    named = (pl.col("name_level") == "exact").fill_null((pl.col("id_level") == "exact").fill_null(False))
    return ~named | (pl.col("id_level") == "different").fill_null(False)


def _rivalry(pairs: pl.DataFrame, model: Model) -> pl.DataFrame:
    """For each pair of identities: does an equal rival stand beside it (`tied`), or a clearly better one (`beaten`)?

    Rivals for an extract identity are all its register persons. Rivals for a register person are other identities, except a
    further one whose ID number agrees too: an extract may spell one person's number in two ways. Contradicted pairs compete
    with nobody; they lose only where their extract identity has been surely found elsewhere.
    """
    key = ["register_id", "extract_id"]
    best = pairs.group_by(key).agg(
        pl.col("match_weight").max(),
        pl.col("id_level").is_in(list(_BASIS)).fill_null(False).any().alias("id_agrees"),
        pl.col("contradicted").all(),
    )
    clean = best.filter(~pl.col("contradicted"))
    for side in key:
        top = clean.group_by(side).agg(
            pl.col("match_weight").max().alias(f"first_{side}"),
            pl.col("match_weight").sort(descending=True).get(1, null_on_oob=True).alias(f"second_{side}"),
        )
        best = best.join(top, on=side, how="left")
    weight, tie = pl.col("match_weight"), model.tie_bits
    behind = {side: pl.col(f"first_{side}") - weight for side in key}
    gap = {
        side: pl.when(behind[side] == 0)
        .then(pl.col(f"first_{side}") - pl.col(f"second_{side}"))
        .otherwise(behind[side])
        for side in key
    }
    near = {side: (gap[side] < tie).fill_null(False) for side in key}
    far = {side: (behind[side] >= tie).fill_null(False) for side in key}
    tied = (near["extract_id"] | (near["register_id"] & ~pl.col("id_agrees"))) & (weight >= model.review_weight)
    beaten = far["extract_id"] | (far["register_id"] & ~pl.col("id_agrees"))
    found_elsewhere = (pl.col("first_extract_id") >= model.accept_weight).fill_null(False)
    return best.select(
        *key,
        (tied & ~pl.col("contradicted")).alias("tied"),
        pl.when("contradicted").then(found_elsewhere).otherwise(beaten).alias("beaten"),
    )


def _basis() -> pl.Expr:
    by_name = pl.when(pl.col("birth_level") == "equal").then(pl.lit("name_birth")).otherwise(pl.lit("name_place"))
    return pl.col("id_level").replace_strict(_BASIS, default=None, return_dtype=pl.String).fill_null(by_name)
