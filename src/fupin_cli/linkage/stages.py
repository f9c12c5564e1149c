"""One comparison round: a register against an extract, and a register against itself.

Keys first, probability second: equal usable ID numbers with agreeing names are settled by one join; only what is left over,
and the numbers that led to somebody of another name, go on to the careful comparison.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from fupin_cli.linkage.assignment import decide
from fupin_cli.linkage.blocking import PAIR, block_on_id, block_residue, compact
from fupin_cli.linkage.comparison import compare
from fupin_cli.linkage.weights import Model, score
from fupin_cli.vocabulary import LINKS, Decision

DETAIL = ["id_level", "name_level", "birth_level", "sex_level", "place_level"]
BITS = ["bits_prior", "bits_id_number", "bits_name", "bits_birth", "bits_sex", "bits_place"]
_SHOWN_BELOW_REVIEW = 10.0  # bits: rejected pairs farther away than this explain nothing
_SELF = "register"


def link_extract(
    register: pl.DataFrame, extract: pl.DataFrame, model: Model, *, counties: Sequence[str] = ()
) -> pl.DataFrame:
    """LINKS (plus levels and bits) of one extract, only with register persons of the counties it covers (none named: all)."""
    covered = register.filter(pl.col("county").is_in(list(counties))) if counties else register
    name = extract["extract"].first() if extract.height else None
    links = link_people(covered, extract, model)
    return links.with_columns(pl.lit(name, pl.String).alias("extract"))


def link_people(register: pl.DataFrame, extract: pl.DataFrame, model: Model) -> pl.DataFrame:
    """LINKS (plus levels and bits) between `register_row`s and `extract_row`s, sorted by both.

    Both frames need those row numbers and the columns of vocabulary.IDENTITY. Equal register rows (one number, one name: the
    same person entered twice) share a link; every other doubt is a review.
    """
    r, e = compact(register, "register_row"), compact(extract, "extract_row")
    by_id = _with_names_agreeing(block_on_id(r, e), r, e)
    settled, disputed = by_id.filter("agrees").select(PAIR), by_id.filter(~pl.col("agrees")).select(PAIR)
    contested = disputed.join(settled, on="register_row", how="anti").select("register_row").unique()
    open_rows = e.join(settled, left_on="at", right_on="extract_row", how="anti")
    pairs = _all_pairs(by_id.select(PAIR), block_residue(r, open_rows, contested))
    scored = _score(pairs, r, e, model)
    scored = _number_identities(scored, r, "register_row", "register_id", ["code", "name"])
    scored = _number_identities(
        scored, e, "extract_row", "extract_id", ["code", "name"], ["digits", "birth", "sex", "village", "township"]
    )
    return _as_links(decide(scored, model), model)


def find_duplicates(register: pl.DataFrame, model: Model) -> pl.DataFrame:
    """LINKS of the register with itself, both ways round: one person on two rows (accepted), or one number on two names.

    `extract` is "register" and `extract_row` the other register row.
    """
    r = compact(register, "register_row")
    apart = pl.col("register_row") < pl.col("extract_row")
    by_id = block_on_id(r, r).filter(apart)
    none = by_id.clear().select("register_row")
    residue = block_residue(r, r, none).with_columns(
        pl.min_horizontal(PAIR).alias("register_row"), pl.max_horizontal(PAIR).alias("extract_row")
    )
    pairs = _all_pairs(by_id, residue.filter(apart))
    scored = _score(pairs, r, r, model)
    # nobody competes here: three rows may well be one person
    scored = scored.with_columns(
        pl.int_range(pl.len()).alias("register_id"), pl.int_range(pl.len()).alias("extract_id")
    )
    links = _as_links(decide(scored, model), model)
    mirrored = links.with_columns(
        pl.col("extract_row").alias("register_row"), pl.col("register_row").alias("extract_row")
    )
    return pl.concat([links, mirrored]).with_columns(pl.lit(_SELF).alias("extract")).sort(PAIR)


def _all_pairs(by_id: pl.DataFrame, residue: pl.DataFrame) -> pl.DataFrame:
    """Every pair once, sorted; one that several keys found is `repaired` if any of them says so."""
    pairs = pl.concat([by_id.with_columns(pl.lit(False).alias("repaired")), residue])
    return pairs.group_by(PAIR).agg(pl.col("repaired").any()).sort(PAIR)


def _with_names_agreeing(pairs: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame) -> pl.DataFrame:
    named = pairs.join(
        r.select(pl.col("at").alias("register_row"), pl.col("name").alias("name_r")), on="register_row"
    ).join(e.select(pl.col("at").alias("extract_row"), pl.col("name").alias("name_e")), on="extract_row")
    return named.with_columns((pl.col("name_r") == pl.col("name_e")).fill_null(True).alias("agrees"))


def _score(pairs: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame, model: Model) -> pl.DataFrame:
    compared = compare(pairs, r, e).join(
        _name_frequency(pairs, e, model), left_on="name_e", right_on="name", how="left", maintain_order="left"
    )
    prior = -math.log2(max(r.height, e.height, 2))
    return score(compared, model, prior_bits=prior, place_u=_place_u(r, e))


def _name_frequency(pairs: pl.DataFrame, e: pl.DataFrame, model: Model) -> pl.DataFrame:
    """How common each paired name is in the extract, drawn towards the typical: a rare name is stronger evidence."""
    paired = (
        e.join(pairs.select(pl.col("extract_row").alias("at")).unique(), on="at", how="semi").select("name").unique()
    )
    counts = e.join(paired, on="name", how="semi").group_by("name").len("people")
    smoothed = (pl.col("people") + model.pseudo_count * model.typical_frequency) / (e.height + model.pseudo_count)
    return counts.select("name", smoothed.alias("name_frequency"))


def _place_u(r: pl.DataFrame, e: pl.DataFrame) -> dict[str, float]:
    """How often two random rows share a village, a township only, a county only, or none: u of the place levels."""

    def shared(parts: list[str]) -> float:
        known = [side.drop_nulls(parts[-1]).group_by(parts).len() for side in (r, e)]
        totals = [float(k["len"].sum()) for k in known]
        if not all(totals):
            return 0.0
        both = known[0].join(known[1], on=parts, nulls_equal=True)
        products = both.select((pl.col("len").cast(pl.Int64) * pl.col("len_right").cast(pl.Int64)).sum()).item()
        return float(products) / (totals[0] * totals[1])

    village, township, county = shared(["township", "village"]), shared(["township"]), shared(["county"])
    floor = 0.001
    return {
        "village": min(max(village, floor), 0.5),
        "township": min(max(township - village, floor), 0.9),
        "county": min(max(county - township, floor), 0.98),
        "elsewhere": min(max(1.0 - max(county, township), 0.05), 0.99),
    }


def _number_identities(
    pairs: pl.DataFrame, people: pl.DataFrame, row: str, name: str, key: list[str], without_code: Sequence[str] = ()
) -> pl.DataFrame:
    """The pairs with `name`, the smallest row of each identity: rows sharing `key`, or, lacking a code, also `without_code`.

    With no `without_code` a row lacking a code is an identity of its own.
    """
    present = people.join(pairs.select(pl.col(row).alias("at")).unique(), on="at", how="semi")
    coded = present.filter(pl.col("code").is_not_null())
    bare = present.filter(pl.col("code").is_null())
    numbered = [coded.select("at", pl.col("at").min().over(key).alias(name))]
    more = [*key[1:], *without_code]
    numbered.append(bare.select("at", (pl.col("at").min().over(more) if without_code else pl.col("at")).alias(name)))
    return pairs.join(pl.concat(numbered), left_on=row, right_on="at", how="left")


def _as_links(pairs: pl.DataFrame, model: Model) -> pl.DataFrame:
    near = pl.col("match_weight") >= model.review_weight - _SHOWN_BELOW_REVIEW
    kept = pairs.filter((pl.col("decision") != Decision.REJECTED.value) | near)
    return LINKS.conform(kept.select(*(c for c in LINKS.names if c in kept.columns), *DETAIL, *BITS)).sort(PAIR)
