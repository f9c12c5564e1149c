"""Candidate pairs of register person and extract row: hash joins on a few named keys, never a cross product.

Every function takes two KEYS frames (normalise.keys) and returns pairs (`register_row`, `extract_row`). Null keys never join.
"""

from __future__ import annotations

import polars as pl

PAIR = ["register_row", "extract_row"]
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1)  # GB 11643: weighted digits plus check ≡ 1 (mod 11)
_INVERSE = {w: next(i for i in range(11) if w * i % 11 == 1) for w in set(_WEIGHTS)}


def block_on_id(register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """Pairs whose usable ID numbers are the same."""
    return _join(register, extract, ["code"])


def block_on_repaired_id(register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """Pairs where one number is faulty and the other is one digit, or one swap of neighbours, away from it.

    Two valid numbers are never one such fault apart (MOD 11-2 detects both kinds), so only faulty ones need neighbours, and
    for each position the check equation admits one digit at most: 18 + 17 keys a row instead of a distance search.
    """
    there = _join(_repairs(register), extract, ["code"])
    back = _join(register, _repairs(extract), ["code"])
    return pl.concat([there, back])


def block_on_cut_id(register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """Pairs where one number lost its last three digits and the first fifteen agree; the name must do the rest."""
    key = ["fifteen", "name"]
    there = _join(_with_fifteen(register.filter("cut")), _with_fifteen(extract), key) if register["cut"].any() else None
    back = _join(_with_fifteen(register).filter(~register["cut"]), _with_fifteen(extract.filter("cut")), key)
    return back if there is None else pl.concat([there, back])


def _with_fifteen(people: pl.DataFrame) -> pl.DataFrame:
    return people.select("at", "name", first_fifteen().alias("fifteen"))


def first_fifteen(suffix: str = "") -> pl.Expr:
    """The first 15 digits of a number, usable or not, as Int64: all that is left of one that Excel cut."""
    left = pl.col(f"digits{suffix}").str.slice(0, 15)
    return pl.coalesce(
        pl.col(f"code{suffix}") // 100, pl.when(left.str.len_chars() == 15).then(left.cast(pl.Int64, strict=False))
    )


def block_on_same_text(register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """Pairs whose numbers are both unusable and wrong in the very same way."""
    return _join(
        register.filter(pl.col("code").is_null()), extract.filter(pl.col("code").is_null()), ["digits", "name"]
    )


def block_on_name_and_birth(register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """Pairs with one name and one birth date, where at least one side has no usable ID number."""
    return _either_without_id(register, extract, ["name", "birth"])


def block_on_name_and_village(register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """Pairs with one name in one village, where at least one side has no usable ID number."""
    return _either_without_id(register, extract, ["name", "village_code"])


def block_on_birth_and_village(register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """Pairs born on one day in one village, where at least one side has no usable ID number: names may be mistyped."""
    return _either_without_id(register, extract, ["birth", "village_code", "male"])


def block_on_all_but_id(register: pl.DataFrame, extract: pl.DataFrame) -> pl.DataFrame:
    """Pairs with one name, birth date and village, whatever their numbers: one person may have been given two."""
    return _join(register, extract, ["name", "birth", "village_code"])


def block_residue(register: pl.DataFrame, extract: pl.DataFrame, contested: pl.DataFrame) -> pl.DataFrame:
    """All pairs beyond equal ID numbers, each once; `repaired` marks those one fault apart.

    `contested` (`register_row`) names the register persons whose number led to somebody of another name: they are looked for
    by name as well, as if they had none.
    """
    disowned = register["at"].is_in(contested["register_row"].implode())
    without = register.with_columns(pl.when(~disowned).then(pl.col("code")).alias("code"))
    others = [
        block_on_cut_id(register, extract),
        block_on_same_text(register, extract),
        block_on_name_and_birth(without, extract),
        block_on_name_and_village(without, extract),
        block_on_birth_and_village(without, extract),
    ]
    repaired = block_on_repaired_id(register, extract).with_columns(pl.lit(value=True).alias("repaired"))
    pairs = pl.concat([repaired, pl.concat(others).with_columns(pl.lit(value=False).alias("repaired"))])
    return pairs.group_by(PAIR).agg(pl.col("repaired").any())


def _either_without_id(register: pl.DataFrame, extract: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    without = pl.col("code").is_null()
    bare = register["code"].is_null()
    there = _join(register.filter(bare), extract, key)
    back = _join(register.select("at", *key).filter(~bare), extract.filter(without), key)
    return pl.concat([there, back])


def _join(register: pl.DataFrame, extract: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    return register.select(pl.col("at").alias("register_row"), *key).join(
        extract.select(pl.col("at").alias("extract_row"), *key), on=key, how="inner"
    ).select(PAIR)  # fmt: skip


def _repairs(people: pl.DataFrame) -> pl.DataFrame:
    """Every valid number one fault away from each faulty one, as `code`, a row for each."""
    faulty = people.select("at", "digits").filter(people["faulty"])
    faulty = faulty.filter(pl.col("digits").str.contains(r"^\d{17}[\dX]$"))
    last = (
        pl.when(pl.col("digits").str.ends_with("X"))
        .then(10)
        .otherwise(pl.col("digits").str.slice(17).cast(pl.Int64, strict=False))
    )
    faulty = faulty.with_columns(pl.col("digits").str.slice(0, 17).cast(pl.Int64).alias("own"))
    faulty = faulty.with_columns(
        *((pl.col("own") // 10 ** (16 - i) % 10).alias(f"d{i}") for i in range(17)), last.cast(pl.Int64).alias("d17")
    )
    total = pl.sum_horizontal([pl.col(f"d{i}") * w for i, w in enumerate(_WEIGHTS)])
    faulty = faulty.with_columns(((1 - total) % 11).alias("short"))
    keys = (faulty.lazy().select("at", key.alias("code")).drop_nulls() for key in (*_substitutions(), *_swaps()))
    return pl.concat(pl.collect_all(keys))


def _substitutions() -> list[pl.Expr]:
    """For each position the number with the one digit that mends the sum; null where that digit would be 10."""
    mended: list[pl.Expr] = []
    for i in range(17):
        digit = (pl.col(f"d{i}") + pl.col("short") * _INVERSE[_WEIGHTS[i]]) % 11
        mended.append(pl.when(digit < 10).then(pl.col("own") + (digit - pl.col(f"d{i}")) * 10 ** (16 - i)))
    return [*mended, pl.col("own")]  # the last character alone wrong: the 17 digits stand


def _swaps() -> list[pl.Expr]:
    """For each pair of neighbours the number with them exchanged, where that mends the sum."""
    swapped: list[pl.Expr] = []
    for i in range(16):
        gain = (pl.col(f"d{i + 1}") - pl.col(f"d{i}")) * (_WEIGHTS[i] - _WEIGHTS[i + 1])
        moved = (pl.col(f"d{i + 1}") - pl.col(f"d{i}")) * (10 ** (16 - i) - 10 ** (15 - i))
        swapped.append(pl.when((gain - pl.col("short")) % 11 == 0).then(pl.col("own") + moved))
    return swapped
