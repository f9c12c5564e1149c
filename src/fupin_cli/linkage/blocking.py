"""Candidate pairs of register person and extract row: hash joins on a few named keys, never a cross product.

Every function takes two frames of `prepare`d KEYS and returns pairs (`register_row`, `extract_row`): positions in those frames.
Null keys never join. Equal numbers settle most people; the other keys look only at what that leaves over.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fupin_cli.linkage.neighbours import neighbours

PAIR = ["register_row", "extract_row"]
_MOST_NAMESAKES = (
    24  # pairs of one name in one county, without a number: more of them, and none is likelier than chance
)
# of region and decade, rest of the birth date, order: any one fault leaves two whole
TWO_PARTS = ("but_last", "but_middle", "but_first")
TWO_CHARACTERS = ("first_second", "second_third", "first_third")


def prepare(people: pl.DataFrame) -> pl.DataFrame:
    """KEYS with `at` as the position in the frame, so that a pair's values are fetched and not joined, `born` and `masked`.

    `row` is what KEYS called `at`. `masked` are numbers of which part was hidden, as they stand; they are no `digits` then.
    """
    hidden = people["digits"].str.contains("*", literal=True)
    people = people.with_columns(pl.lit(None, pl.String).alias("masked"))
    if hidden.any():
        shown = pl.lit(hidden).fill_null(value=False)
        people = people.with_columns(
            pl.when(shown).then("digits").alias("masked"), pl.when(~shown).then("digits").alias("digits")
        )
    born = pl.coalesce("birth", "birth_in_id").alias("born")
    return people.with_columns(pl.col("at").alias("row"), pl.int_range(pl.len()).alias("at"), born)


def block_on_id(register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """Pairs whose usable ID numbers are the same."""
    return _join(register, extract, ["code"])


def block_on_all_but_id(register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """Pairs with one name, birth date and village, whatever their numbers: one person may have been given two."""
    return _join(register, extract, ["name", "born", "village_code"])


def block_on_damaged_id(register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """Pairs where one number is not usable and stands near the other; `repaired`, `slip` say that one fault explains it.

    One fault away; the last three digits lost; wrong in the same way on both sides; or two of three parts of it equal, which
    finds two faults, and a wholly wrong birth date.
    """
    bad = [damaged(side) for side in (register, extract)]
    good = [_usable(side, other) for side, other in zip((register, extract), bad[::-1], strict=True)]
    one_fault = [
        _join(neighbours(bad[0], good[1]["code"]), good[1], ["code"], "slip"),
        _join(good[0], neighbours(bad[1], good[0]["code"]), ["code"], "slip"),
    ]
    fifteen = [side.select("at", (pl.col("code") // 100).alias("fifteen")) for side in good]
    cut = [side.filter("cut") for side in bad]
    others = [*(_join(bad[0], bad[1], [key]) for key in ("digits", "fifteen")), *_either(cut, fifteen, ["fifteen"])]
    whole = [side.select("at", *two_parts(pl.col("code"))) for side in good]
    for two in TWO_PARTS:
        others += [*_either(bad, whole, [two]), _join(bad[0], bad[1], [two])]
    return pl.concat(
        [
            *(pairs.with_columns(pl.lit(value=True).alias("repaired")) for pairs in one_fault),
            pl.concat(others).with_columns(pl.lit(value=False).alias(name) for name in ("slip", "repaired")),
        ]
    )


def same_initial(pairs: pl.DataFrame, register: pl.DataFrame, extract: pl.DataFrame) -> pl.Series:
    """Do the names begin alike? Much of a number agrees by chance where many were born on one day. True without a name."""
    first = [
        side["name"].gather(pairs[row]).str.slice(0, 1) for side, row in zip((register, extract), PAIR, strict=True)
    ]
    return (first[0] == first[1]).fill_null(value=True)


def block_on_name(register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """Pairs of one name, and one birth date or village besides."""
    keys = (["name", "born"], ["name", "village_code", "township_code"])
    return pl.concat([_join(register, extract, key) for key in keys])


def block_on_similar_name(register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """Pairs of one village and birth date; where nobody wrote a date down, two of the first three characters of the name."""
    ours, theirs = (side.select("at", born_there(pl.col("male")).alias("born_there")) for side in (register, extract))
    pairs = [_join(ours, theirs, ["born_there"])]
    placed = [side.select("at", "born", "name", "village_code", "township_code") for side in (register, extract)]
    dateless = [side.filter(pl.col("born").is_null()) for side in placed]
    # whoever lives where somebody without a date does
    there = [
        side.filter(pl.col("village_code").is_in(other["village_code"].unique().implode()))
        for side, other in zip(placed, dateless[::-1], strict=True)
    ]
    dateless, there = ([with_two_characters(side) for side in sides] for sides in (dateless, there))
    for two in TWO_CHARACTERS:
        pairs += _either(dateless, there, [two])
    return pl.concat(pairs)


def block_on_rare_name(register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """Pairs with one name in one county, where few bear it: people move, and take their names along.

    Beyond that number nobody could be told from the others without more in common, for which there are the other keys.
    """
    key = ["name", "county_code"]
    ours, theirs = register.select("at", *key).drop_nulls("name"), extract.select("at", *key).drop_nulls("name")
    theirs = theirs.join(ours, on=key, how="semi")
    ours = ours.join(theirs, on=key, how="semi")
    pairs = ours.group_by(key).len().join(theirs.group_by(key).len(), on=key)
    few = pairs.filter(pl.col("len").cast(pl.Int64) * pl.col("len_right") <= _MOST_NAMESAKES).select(key)
    return _join(ours.join(few, on=key, how="semi"), theirs, key)


def born_there(male: pl.Expr | int = 0) -> pl.Expr:
    """Birth date, village and sex as one integer, which many rows are soon asked for; null where one of them is."""
    village = pl.col("village_code").to_physical().cast(pl.Int64)
    return pl.col("born").to_physical().cast(pl.Int64) * 2**33 + village * 2 + male


def first_fifteen(suffix: str = "") -> pl.Expr:
    """The first 15 digits of a number, usable or not, as Int64: all that is left of one that Excel cut."""
    left = pl.col(f"digits{suffix}").str.slice(0, 15)
    return pl.coalesce(
        pl.col(f"code{suffix}") // 100, pl.when(left.str.len_bytes() == 15).then(left.cast(pl.Int64, strict=False))
    )


def seventeen(suffix: str = "") -> pl.Expr:
    """The first 17 digits of a number of 18 characters, usable or not, as Int64."""
    digits = pl.col(f"digits{suffix}")
    left = pl.when(digits.str.len_bytes() == 18).then(digits.str.slice(0, 17)).cast(pl.Int64, strict=False)
    return pl.coalesce(f"code{suffix}", left)


def in_parts(number: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """17 digits as 9 + 5 + 3."""
    return number // 10**8, number // 1000 % 10**5, number % 1000


def two_parts(number: pl.Expr) -> list[pl.Expr]:
    """Two of the three parts as one integer each: joins on integers cost least."""
    first, middle, last = in_parts(number)
    pairs = (first * 10**5 + middle, first * 1000 + last, middle * 1000 + last)
    return [pair.alias(name) for name, pair in zip(TWO_PARTS, pairs, strict=True)]


def _usable(people: pl.DataFrame, others_bad: pl.DataFrame) -> pl.DataFrame:
    """Those with a usable number; nobody, where the other list has no faulty one that could be near."""
    known = people.select("at", "code")
    return known.drop_nulls("code") if others_bad.height else known.clear()


def damaged(people: pl.DataFrame) -> pl.DataFrame:
    """Those with a number that is not usable, and what is left of it; what was cut off is no part of it."""
    bad = people.select("at", "code", "digits", "cut").drop_nulls("digits")
    number = pl.when(~pl.col("cut")).then(seventeen())
    return bad.select("at", "digits", "cut", first_fifteen().alias("fifteen"), *two_parts(number))


def with_two_characters(people: pl.DataFrame) -> pl.DataFrame:
    """The people with each two of the first three characters of their names, and the place, as one integer.

    Null where there is no third, or no place. Should two texts ever share an integer, there is one more pair to compare.
    """
    name = pl.col("name")
    first, third = name.str.slice(0, 1), name.str.slice(2, 1)
    has_third = third != ""
    place = pl.col("township_code").to_physical().cast(pl.UInt64) * 2**32 + pl.col("village_code").to_physical()
    return people.lazy().select(
        "at", pl.when(name.is_not_null()).then(name.str.slice(0, 2).hash() ^ place).alias("first_second"),
        pl.when(has_third).then(name.str.slice(1, 2).hash() ^ place).alias("second_third"),
        pl.when(has_third).then(first.hash() ^ third.hash(1) ^ place).alias("first_third"),
    ).collect()  # fmt: skip


def _either(few: Sequence[pl.DataFrame], all_: Sequence[pl.DataFrame], key: list[str]) -> list[pl.DataFrame]:
    """Pairs in which at least one side is of the few."""
    return [_join(few[0], all_[1], key), _join(all_[0], few[1], key)]


def _join(register: pl.DataFrame, extract: pl.DataFrame, key: list[str], *also: str) -> pl.DataFrame:
    if not (register.height and extract.height):
        return pl.DataFrame(schema=dict.fromkeys(PAIR, pl.Int64) | dict.fromkeys(also, pl.Boolean))

    def side(people: pl.DataFrame, row: str) -> pl.DataFrame:
        kept = [name for name in also if name in people.columns]
        return people.select(pl.col("at").alias(row), *key, *kept)

    return side(register, PAIR[0]).join(side(extract, PAIR[1]), on=key, how="inner").select(*PAIR, *also)
