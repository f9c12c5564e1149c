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
    best = pairs.group_by("register_id", "extract_id").agg(
        pl.col("match_weight").max(), pl.col("id_level").is_not_null().any().alias("by_id"),
        pl.col("id_level").is_in(list(_BASIS)).any().alias("id_agrees"),
    )  # fmt: skip
    best = _against_rivals(best, model)
    judged = pairs.join(
        best.select("register_id", "extract_id", "tied", "beaten"), on=["register_id", "extract_id"], how="left"
    )
    weight = pl.col("match_weight")
    # a number typed into the wrong row, or borrowed from a relative, agrees perfectly: only the name can tell
    contradicted = (pl.col("name_level") != "exact").fill_null(pl.col("id_level").fill_null("") != "exact")
    sure = (weight >= model.accept_weight) & ~contradicted & ~pl.col("tied") & ~pl.col("beaten")
    possible = (weight >= model.review_weight) & (~pl.col("beaten") | pl.col("tied"))
    return judged.with_columns(
        to_probability(weight).round(9).alias("match_probability"),
        pl.when(sure).then(pl.lit(Decision.ACCEPTED.value)).when(possible).then(pl.lit(Decision.REVIEW.value))
        .otherwise(pl.lit(Decision.REJECTED.value)).alias("decision"),
        _basis().alias("basis"),
    ).drop("beaten")  # fmt: skip


def _against_rivals(best: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Marks pairs of identities that have an equal rival (`tied`) or a clearly better one (`beaten`).

    Rivals for an extract identity are all its register persons. Rivals for a register person are other identities, except a
    further one whose ID number agrees too: an extract may spell one person's number in two ways.
    """
    gaps = []
    for mine, other in (("extract_id", "register_id"), ("register_id", "extract_id")):
        top = best.group_by(mine).agg(
            pl.col("match_weight").max().alias("first"), pl.col("match_weight").sort(descending=True).get(1, null_on_oob=True).alias("second")
        )
        gaps.append(
            best.join(top, on=mine, how="left").select(
                "register_id", "extract_id",
                (pl.col("first") - pl.col("match_weight")).alias(f"behind_{other}"),
                pl.when(pl.col("match_weight") == pl.col("first")).then(pl.col("first") - pl.col("second"))
                .otherwise(pl.col("first") - pl.col("match_weight")).alias(f"gap_{other}"),
            )
        )  # fmt: skip
    key = ["register_id", "extract_id"]
    joined = best.join(gaps[0], on=key, how="left").join(gaps[1], on=key, how="left")
    matters = (pl.col("match_weight") >= model.review_weight)
    tie = model.tie_bits
    tied_here = (pl.col("gap_register_id") < tie) & matters
    tied_there = (pl.col("gap_extract_id") < tie) & matters & ~pl.col("id_agrees")
    beaten = (pl.col("behind_register_id") >= tie) | ((pl.col("behind_extract_id") >= tie) & ~pl.col("id_agrees"))
    return joined.with_columns((tied_here | tied_there).fill_null(False).alias("tied"), beaten.fill_null(False).alias("beaten"))


def _basis() -> pl.Expr:
    by_name = pl.when(pl.col("birth_level") == "equal").then(pl.lit("name_birth")).otherwise(pl.lit("name_place"))
    return pl.col("id_level").replace_strict(_BASIS, default=None, return_dtype=pl.String).fill_null(by_name)
