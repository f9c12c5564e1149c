"""One comparison round: a register against an extract, and a register against itself.

Keys first, probability second: equal usable ID numbers with agreeing names are settled by one join; only what is left over,
and the numbers that led to somebody of another name, go on to the careful comparison.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from fupin_cli.linkage.assignment import decide
from fupin_cli.linkage.blocking import PAIR, block_on_all_but_id, block_on_id, block_residue
from fupin_cli.linkage.comparison import compare
from fupin_cli.linkage.weights import Model, score
from fupin_cli.vocabulary import LINKS, Decision

DETAIL = ["id_level", "name_level", "birth_level", "sex_level", "place_level"]
BITS = ["bits_prior", "bits_id_number", "bits_name", "bits_birth", "bits_sex", "bits_place"]
_SHOWN_BELOW_REVIEW = 10.0  # bits: rejected pairs farther away than this explain nothing
_FEWEST = 1000  # a short list is still drawn from a county: two people of one village may share a name
_COUNT_ALL = 2_000_000  # rows up to which every name is counted
_DESCRIBED_BY = ("digits", "birth", "male", "village_code", "township_code")
_SELF = "register"


def link_people(
    register: pl.DataFrame, extract: pl.DataFrame, model: Model, *, name: str | None = None
) -> pl.DataFrame:
    """LINKS (plus levels and bits) between register persons and extract rows, sorted by both row numbers.

    Both are KEYS frames (normalise.keys). Equal register rows (one number, one name: the same person entered twice) share a
    link; every other doubt is a review. `name` is what the links call the extract.
    """
    r, e = _by_position(register), _by_position(extract)
    by_id = block_on_id(r, e)
    agrees = (r["name"].gather(by_id["register_row"]) == e["name"].gather(by_id["extract_row"])).fill_null(value=True)
    settled, disputed = by_id.filter(agrees), by_id.filter(~agrees)
    contested = disputed.join(settled, on="register_row", how="anti").select("register_row").unique()
    is_open = pl.repeat(value=True, n=e.height, eager=True).scatter(settled["extract_row"], values=False)
    residue = block_residue(r, e, contested)
    pairs = _all_pairs(by_id, residue.filter(is_open.gather(residue["extract_row"])))
    scored = _score(pairs, r, e, model)
    scored = _number_identities(scored, r, "register_row", "register_id")
    scored = _number_identities(scored, e, "extract_row", "extract_id", described_by=_DESCRIBED_BY)
    return _as_links(decide(scored, model), register, extract, model, name)


def find_duplicates(register: pl.DataFrame, model: Model) -> pl.DataFrame:
    """LINKS of a register (KEYS) with itself, both ways round: one person on two rows, or one number on two names.

    `extract` is "register" and `extract_row` the other register row.
    """
    r = _by_position(register)
    apart = pl.col("register_row") < pl.col("extract_row")
    by_id = block_on_id(r, r).filter(apart)
    residue = block_residue(r, r, by_id.clear()).with_columns(
        pl.min_horizontal(PAIR).alias("register_row"), pl.max_horizontal(PAIR).alias("extract_row")
    )
    two_numbers = block_on_all_but_id(r, r).filter(apart).join(residue, on=PAIR, how="anti")
    residue = pl.concat([residue, two_numbers.with_columns(pl.lit(value=False).alias("repaired"))])
    scored = _score(_all_pairs(by_id, residue.filter(apart)), r, r, model)
    # nobody competes here: three rows may well be one person
    alone = pl.int_range(pl.len())
    scored = scored.with_columns(alone.alias("register_id"), alone.alias("extract_id"))
    links = _as_links(decide(scored, model), register, register, model, _SELF)
    mirrored = links.with_columns(
        pl.col("extract_row").alias("register_row"), pl.col("register_row").alias("extract_row")
    )
    return pl.concat([links, mirrored]).sort(PAIR)


def _by_position(people: pl.DataFrame) -> pl.DataFrame:
    """KEYS numbered by their place in the frame, so that a pair's values are fetched and not joined."""
    return people.with_columns(pl.int_range(pl.len()).alias("at"))


def _all_pairs(by_id: pl.DataFrame, residue: pl.DataFrame) -> pl.DataFrame:
    """Every pair once, sorted; one that several keys found is `repaired` if any of them says so."""
    fresh = residue.join(by_id, on=PAIR, how="anti")
    return pl.concat([by_id.with_columns(pl.lit(value=False).alias("repaired")), fresh]).sort(PAIR)


def _score(pairs: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame, model: Model) -> pl.DataFrame:
    compared = compare(pairs, r, e)
    compared = compared.join(
        _name_frequency(compared, e, model), left_on="name_e", right_on="name", how="left", maintain_order="left"
    )
    prior = -math.log2(max(r.height, e.height, _FEWEST))
    return score(compared, model, prior_bits=prior, place_u=_place_u(r, e))


def _name_frequency(compared: pl.DataFrame, e: pl.DataFrame, model: Model) -> pl.DataFrame:
    """How common each paired name is in the extract, drawn towards the typical: a rare name is stronger evidence.

    In a large extract every n-th person by ID number is counted: a sample that no order of rows can change.
    """
    every = e.height // _COUNT_ALL + 1
    counted = e.select("name", "code")
    counted = counted if every == 1 else counted.filter(pl.col("code") // 10 % every == 0)
    counts = counted.group_by("name").len("people")
    typical = model.pseudo_count * model.typical_frequency
    people = pl.col("people").fill_null(0)
    return (
        compared.select(pl.col("name_e").alias("name"))
        .unique()
        .join(counts, on="name", how="left")
        .select("name", ((people + typical) / (counted.height + model.pseudo_count)).alias("name_frequency"))
    )


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

    village = shared(["township_code", "village_code"])
    township, county = shared(["township_code"]), shared(["county_code"])
    floor = 0.001
    return {
        "village": min(max(village, floor), 0.5),
        "township": min(max(township - village, floor), 0.9),
        "county": min(max(county - township, floor), 0.98),
        "elsewhere": min(max(1.0 - max(county, township), 0.05), 0.99),
    }


def _number_identities(
    pairs: pl.DataFrame, people: pl.DataFrame, row: str, identity: str, described_by: Sequence[str] = ()
) -> pl.DataFrame:
    """The pairs with `identity`, the first row of each identity: rows with one code and name, or `described_by` the same.

    With nothing to describe it by, a row without a code is an identity of its own.
    """
    present = people[pairs[row].unique().sort()].select("at", "code", "name", *described_by)
    shared = pl.col("code").is_not_null() & pl.col("code").is_duplicated()
    groups = [(present.filter(shared), ["code", "name"])]
    if described_by:
        groups.append((present.filter(pl.col("code").is_null()), ["name", *described_by]))
    first = pl.int_range(people.height, eager=True)
    for rows, key in groups:
        first = first.scatter(rows["at"], rows.select(pl.col("at").min().over(key)).to_series())
    return pairs.with_columns(first.gather(pairs[row]).alias(identity))


def _as_links(
    pairs: pl.DataFrame, register: pl.DataFrame, extract: pl.DataFrame, model: Model, name: str | None
) -> pl.DataFrame:
    near = pl.col("match_weight") >= model.review_weight - _SHOWN_BELOW_REVIEW
    kept = pairs.filter((pl.col("decision") != Decision.REJECTED.value) | near)
    kept = kept.with_columns(
        register["at"].gather(kept["register_row"]).alias("register_row"),
        extract["at"].gather(kept["extract_row"]).alias("extract_row"),
        pl.lit(name, pl.String).alias("extract"),
    )
    return LINKS.conform(kept.select(*LINKS.names, *DETAIL, *BITS)).sort(PAIR)
