"""One comparison round: a register against an extract, and a register against itself.

Keys first, probability second: equal usable ID numbers with agreeing names are settled by one join; only what is left over,
and the numbers that led to somebody of another name, go on to the careful comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from fupin_cli.linkage.assignment import CONTRADICTS, IDENTITY, Contest, decide, worth_showing
from fupin_cli.linkage.blocking import (
    PAIR,
    block_on_all_but_id,
    block_on_damaged_id,
    block_on_id,
    block_on_name,
    block_on_rare_name,
    block_on_similar_name,
    prepare,
    same_initial,
)
from fupin_cli.linkage.comparison import compare
from fupin_cli.linkage.frequency import add_rarity, count_names, represent
from fupin_cli.linkage.household import block_on_household, context, household_level, households
from fupin_cli.linkage.masked import add_masked, block_on_masked
from fupin_cli.linkage.model import Model
from fupin_cli.linkage.reach import AT_ONCE, Parted, part_buckets, part_strangers
from fupin_cli.linkage.training import (
    learn_births,
    learn_households,
    learn_names,
    learn_odds,
    learn_places,
    possible_pairs,
)
from fupin_cli.linkage.weights import BITS, FIELDS, STRATA, add_stratum, default_odds, field_bits, total_bits
from fupin_cli.normalise.spelling import replace_rows
from fupin_cli.vocabulary import LINKS

DETAIL = [f"{name}_level" for name in ("id_number", "masked", "name", "birth", "sex", "place", "phone", "household")]
_ENOUGH = 200  # pairs with equal numbers from which something can be learned
_DESCRIBED_BY = (
    "digits",
    "masked",
    "birth",
    "birth_in_id",
    "male",
    "village_code",
    "township_code",
    "household",
    "phone",
)
_LOOKED_FOR_BY = (
    "at",
    "code",
    "digits",
    "cut",
    "masked",
    "name",
    "born",
    "male",
    "county_code",
    "township_code",
    "village_code",
    "household",
)  # what blocking reads
_SELF = "register"
_NUMBERS = pl.Enum(["good", "bad", "disowned", "none"])  # what can be made of a person's number


@dataclass(frozen=True)
class Linked:
    """The links of two lists, and the model with all that was learned from them."""

    links: pl.DataFrame
    model: Model


def link_people(
    register: pl.DataFrame, extract: pl.DataFrame, model: Model, *, name: str | None = None
) -> pl.DataFrame:
    """LINKS (plus levels and bits) between register persons and extract rows, sorted by both row numbers.

    Both are KEYS frames (normalise.keys). Equal register rows (one number, one name: the same person entered twice) share a
    link; every other doubt is a review. `name` is what the links call the extract.
    """
    return link_and_learn(register, extract, model, name=name).links


def link_long(
    register: pl.DataFrame, rows: pl.DataFrame, keys: Callable[[pl.DataFrame], pl.DataFrame], model: Model, *, name: str
) -> pl.DataFrame:
    """The same of an extract's rows, of which `keys` makes KEYS; of a long one a million at a time, rather twice than held."""
    if rows.height <= AT_ONCE:
        return link_people(register, keys(rows), model, name=name)
    slices = [partial(keys, some) for some in rows.iter_slices(AT_ONCE)]
    return link_parted(register, part_buckets(slices, rows.height, register), model, name=name).links


def link_and_learn(register: pl.DataFrame, extract: pl.DataFrame, model: Model, *, name: str | None = None) -> Linked:
    """The same with the model as learned; a model that has been learned already is used as it is."""
    return link_parted(register, part_strangers(extract, register), model, name=name)


def link_parted(register: pl.DataFrame, extract: Parted, model: Model, *, name: str | None = None) -> Linked:
    """The same of an extract of which only those rows need be in memory that somebody of the register may be."""
    r, e = prepare(register), prepare(extract.near)
    by_id = _compare_equal_numbers(r, e)
    settled = by_id.filter(pl.col("name_level").is_in(list(CONTRADICTS)).not_().fill_null(value=True))
    people = max(r.height, extract.rows)
    known = households(settled, r, e)
    r = _add_number(r, by_id, settled, PAIR[0]).with_columns(
        pl.col("household").is_in(known["register_household"].implode()).fill_null(value=False).alias("mates")
    )
    met, counted = extract.meet(r, known)
    e = _add_number(pl.concat([e, *met]), by_id, settled, PAIR[1])
    e = e.with_columns(pl.int_range(pl.len()).alias("at"))
    left_out = extract.rows - e.height
    by_id = by_id.with_columns(_shared(by_id, settled).alias("found"))
    learns = by_id.height >= _ENOUGH and not model.odds
    if learns:
        model = learn_names(by_id.filter(~pl.col("found")), r, counted, model)
        model = learn_births(by_id, r, e, learn_places(by_id, r, counted, model))
        model = learn_households(context(known, r, extract.rows), model)
    elif not model.odds:
        model = learn_places(by_id.clear(), r, counted, model)
    residue = _residue(r, e, known).join(by_id, on=PAIR, how="anti")
    pairs = pl.concat([by_id, compare(_with_numbers(residue, r, e), r, e)], how="diagonal")
    pairs = add_stratum(_levels(pairs, known, r, e, counted).sort(PAIR))
    names = count_names(counted, several=bool(by_id[PAIR[0]].is_duplicated().any()))
    pairs = field_bits(add_rarity(pairs, e, names, model.concentration), model)
    pairs = _number_identities(pairs, r, PAIR[0], IDENTITY[0])
    pairs = _number_identities(pairs, e, PAIR[1], IDENTITY[1], described_by=_DESCRIBED_BY)
    odds, contest = _odds(model, people), Contest.of(pairs)
    if learns:
        fields = pairs.select("stratum", pl.sum_horizontal(FIELDS).alias("fields"))
        possible = possible_pairs(r, e.select("number", "open").filter("open"), left_out, pairs)
        odds = learn_odds(fields, contest, odds, possible)
        model = replace(model, odds=dict(zip(STRATA, odds, strict=True)))
    decided = decide(total_bits(pairs, odds, people), model, contest)
    return Linked(_as_links(decided, r, e, model, name), model)


def find_duplicates(register: pl.DataFrame, model: Model) -> pl.DataFrame:
    """LINKS of a register (KEYS) with itself, both ways round: one person on two rows, or one number on two names.

    `extract` is "register" and `extract_row` the other register row.
    """
    r = prepare(register)
    apart = pl.col(PAIR[0]) < pl.col(PAIR[1])
    by_id = _compare_equal_numbers(r, r).filter(apart)
    r = r.with_columns(pl.lit(value=False).alias("found"), _number(pl.lit(value=False)))
    bad = r.filter(pl.col("number") != "good")
    damaged = block_on_damaged_id(r, r)
    damaged = damaged.filter(pl.col("repaired") | same_initial(damaged, r, r))
    residue = _plain(
        [damaged, block_on_all_but_id(r, r), block_on_name(bad, r), block_on_name(r, bad), block_on_masked(r, r)]
    )
    residue = residue.with_columns(
        pl.min_horizontal(PAIR).alias(PAIR[0]), pl.max_horizontal(PAIR).alias(PAIR[1])
    ).filter(apart).join(by_id, on=PAIR, how="anti")  # fmt: skip
    residue = residue.group_by(PAIR).agg(pl.col("repaired", "slip").any())
    model = learn_places(by_id.clear(), r, r, model) if not model.odds else model
    nobody = households(by_id.clear(), r, r)
    pairs = pl.concat([by_id, compare(_with_numbers(residue, r, r), r, r)], how="diagonal")
    pairs = add_stratum(_levels(pairs, nobody, r, r, r).sort(PAIR))
    pairs = field_bits(add_rarity(pairs, r, count_names(represent(r)), model.concentration), model)
    # nobody competes here: three rows may well be one person
    pairs = pairs.with_columns(pl.int_range(pl.len()).alias(name) for name in IDENTITY)
    weighed = total_bits(pairs, _odds(replace(model, odds={}), r.height), r.height)
    decided = decide(weighed, model, Contest.of(pairs))
    links = _as_links(decided, r, r, model, _SELF)
    mirrored = links.with_columns(pl.col(PAIR[1]).alias(PAIR[0]), pl.col(PAIR[0]).alias(PAIR[1]))
    return pl.concat([links, mirrored]).sort(PAIR)


def _compare_equal_numbers(r: pl.DataFrame, e: pl.DataFrame) -> pl.DataFrame:
    """Pairs with equal usable numbers and all their levels."""
    no = pl.lit(value=False)
    pairs = block_on_id(r, e).with_columns(no.alias("repaired"), no.alias("slip"), no.alias("disowned"))
    return compare(pairs, r, e).with_columns(
        pl.lit(value=True).alias("given_r"), pl.lit(value=True).alias("given_e"), no.alias("found")
    )


def _shared(by_id: pl.DataFrame, settled: pl.DataFrame) -> pl.Series:
    """True where names disagree and the number was found with its own name elsewhere: then it was probably borrowed here."""
    ours, theirs = (by_id[row].is_in(settled[row].implode()) for row in PAIR)
    disputed = by_id["name_level"].cast(pl.String).is_in(list(CONTRADICTS)).fill_null(value=False)
    return (ours | theirs) & disputed


def _add_number(people: pl.DataFrame, by_id: pl.DataFrame, settled: pl.DataFrame, row: str) -> pl.DataFrame:
    """The people with `found` (settled under the own number), `open` (not so) and `number`.

    A number that led to somebody of another name, and to nobody else, may not be the person's own.
    """
    nobody = pl.repeat(value=False, n=people.height, eager=True)
    found = nobody.scatter(settled[row].unique(), values=True)
    disputed = nobody.clone().scatter(by_id[row].unique(), values=True) & ~found
    people = people.with_columns(found.alias("found"), (~found).alias("open"), _number(disputed))
    # birth date and sex inside somebody else's number are somebody else's
    disowned = (people["number"] == "disowned").arg_true()
    own = people.select("birth", "male", "code")[disowned].select(
        pl.lit(None, pl.Date).alias("birth_in_id"), pl.col("birth").alias("born"),
        pl.when(pl.col("male") != (pl.col("code") % 2 == 1)).then("male"),
    )  # fmt: skip
    return people.with_columns(replace_rows(people.select(own.columns), disowned, own))


def _number(disputed: pl.Series | pl.Expr) -> pl.Expr:
    """good, bad, disowned or none: what can be made of a person's number."""
    good, bad, disowned, none = (pl.lit(kind, _NUMBERS) for kind in _NUMBERS.categories)
    return (
        pl.when(pl.col("code").is_not_null()).then(pl.when(disputed).then(disowned).otherwise(good))
        .when(pl.col("digits").is_not_null()).then(bad).otherwise(none).alias("number")
    )  # fmt: skip


def _residue(r: pl.DataFrame, e: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """All pairs beyond equal ID numbers, each once.

    People who were found under their numbers are looked for again only where their name is found without a good number: an
    extract may hold several rows of one person.
    """
    ours, theirs = (side.select(*_LOOKED_FOR_BY, "number", "open").filter("open") for side in (r, e))
    bad = [side.filter(pl.col("number") != "good") for side in (ours, theirs)]
    # a national extract holds many who are on no register: names are looked up once, and only these go on to keys of texts
    called = theirs.filter(pl.col("name").is_in(ours["name"].unique().implode()))
    damaged = block_on_damaged_id(r, theirs)
    return _plain(
        [
            damaged.filter(pl.col("repaired") | same_initial(damaged, r, e)),
            block_on_name(r, bad[1]),
            block_on_name(bad[0], called),
            block_on_similar_name(ours, bad[1]),
            block_on_similar_name(bad[0], theirs),
            block_on_rare_name(ours, bad[1]),
            block_on_rare_name(bad[0], called),
            block_on_all_but_id(ours, called),
            block_on_household(known, ours, theirs),
            block_on_masked(ours, theirs),
        ]
    )


def _plain(found: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Each pair once; one that several keys found is `repaired` if any of them says so."""
    return pl.concat(found, how="diagonal").group_by(PAIR).agg(pl.col("repaired", "slip").any())


def _with_numbers(pairs: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame) -> pl.DataFrame:
    """The pairs with what is known of both sides' numbers: `disowned`, `given_r`, `given_e`, `found`."""
    sides = pl.DataFrame({"r": r["number"].gather(pairs[PAIR[0]]), "e": e["number"].gather(pairs[PAIR[1]])})
    disowned = (pl.col("r") == "disowned") | (pl.col("e") == "disowned")
    told = sides.select(
        disowned.alias("disowned"), (pl.col("r") != "none").alias("given_r"), (pl.col("e") != "none").alias("given_e")
    )
    return pairs.hstack(told).hstack([r["found"].gather(pairs[PAIR[0]]).alias("found")])


def _levels(
    pairs: pl.DataFrame, known: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame, counted: pl.DataFrame
) -> pl.DataFrame:
    return add_masked(pairs.with_columns(household_level(pairs, known, r, e)), r, e, counted)


def _odds(model: Model, people: int) -> list[float]:
    first = default_odds(model, people)
    return [model.odds.get(name, bits) for name, bits in zip(STRATA, first, strict=True)]


def _number_identities(
    pairs: pl.DataFrame, people: pl.DataFrame, row: str, identity: str, described_by: Sequence[str] = ()
) -> pl.DataFrame:
    """The pairs with `identity`, the first row of each identity: rows with one code and name, or `described_by` the same.

    With nothing to describe it by, a row without a code is an identity of its own.
    """
    present = people.select("at", "code", "name", *described_by)[pairs[row].unique().sort()]
    shared = pl.col("code").is_not_null() & pl.col("code").is_duplicated()
    groups = [(present.filter(shared), ["code", "name"])]
    if described_by:
        groups.append((present.filter(pl.col("code").is_null()), ["name", *described_by]))
    first = pl.int_range(people.height, eager=True)
    for rows, key in groups:
        first = first.scatter(rows["at"], rows.select(pl.col("at").min().over(key)).to_series())
    return pairs.with_columns(first.gather(pairs[row]).alias(identity))


def _as_links(pairs: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame, model: Model, name: str | None) -> pl.DataFrame:
    # one number under two names is a finding, however unlikely it is that they are one person
    one_number = (pl.col("id_number_level") == "exact").fill_null(value=False)
    kept = pairs.filter(worth_showing(model) | one_number)
    kept = kept.with_columns(
        r["row"].gather(kept[PAIR[0]]).alias(PAIR[0]),
        e["row"].gather(kept[PAIR[1]]).alias(PAIR[1]),
        pl.lit(name, pl.String).alias("extract"),
    )
    return LINKS.conform(kept.select(*LINKS.names, *DETAIL, pl.col(*BITS, "bits_rivals").round(6))).sort(PAIR)
