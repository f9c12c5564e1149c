"""ID numbers of which part was hidden (340121********1234): what can be seen must agree, and is worth as much as it is rare.

A hidden number is no number to find people by, and never a different one: pairs come from names, and from the end of the number
together with the name or the village. Each place that both sides show adds the bits by which two people of these files share its
digit (the sum of squared shares): next to nothing for a county's region code, three for a digit of the order number.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from fupin_cli.linkage.blocking import PAIR
from fupin_cli.linkage.comparison import levels_of
from fupin_cli.linkage.frequency import sample
from fupin_cli.normalise.id_number import check_character

_HIDDEN, _SEX, _BIRTH = ord("*"), 16, slice(6, 14)
_AGREES = 0.98  # of the numbers of one person, as far as both can be seen: the rest are typing faults
_LEAST_SHARE = 0.01  # below which no digit's share is believed


def has_hidden(people: pl.DataFrame) -> bool:
    """True where some number was masked."""
    return people["masked"].null_count() < people.height


def block_on_masked(r: pl.DataFrame, e: pl.DataFrame) -> pl.DataFrame:
    """Pairs with one end of the number (four characters), of which one side at least was masked, and one name or village."""
    if not (has_hidden(r) or has_hidden(e)):
        return pl.DataFrame(schema=dict.fromkeys(PAIR, pl.Int64))
    hidden, whole = ([_ends(side, hidden=hidden) for side in (r, e)] for hidden in (True, False))
    sides = ((hidden[0], whole[1]), (whole[0], hidden[1]), (hidden[0], hidden[1]))
    keys = (["name", "end"], ["village_code", "end"])
    found = [ours.join(theirs, on=key, suffix="_e").select("at", "at_e") for ours, theirs in sides for key in keys]
    return pl.concat(found).unique().rename({"at": PAIR[0], "at_e": PAIR[1]})


def _ends(people: pl.DataFrame, *, hidden: bool) -> pl.DataFrame:
    text = pl.col("masked") if hidden else _whole()
    known = people.filter(pl.col("masked" if hidden else "code").is_not_null())
    ends = known.select("at", "name", "village_code", text.str.slice(14).alias("end"))
    return ends.filter(~pl.col("end").str.contains("*", literal=True))


def _whole() -> pl.Expr:
    """The 18 characters of a usable number."""
    return pl.col("code").cast(pl.String) + check_character(pl.col("code"))


def add_masked(pairs: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame, counted: pl.DataFrame) -> pl.DataFrame:
    """The pairs with `masked_level` and `bits_masked`.

    `counted` are people of the extract who stand for all of it. Null and 0 where neither number was masked, a side has none
    that can be used, or no place is seen on both.
    """
    nothing = pairs.with_columns(
        pl.lit(None, levels_of("masked")).alias("masked_level"), pl.lit(0.0).alias("bits_masked")
    )
    if not (has_hidden(r) or has_hidden(e)):
        return nothing
    sides = [
        side.select("masked", "code")[pairs[row]].select(
            pl.coalesce("masked", _whole()).alias("text"), pl.col("masked").is_not_null().alias("hidden")
        )
        for side, row in zip((r, e), PAIR, strict=True)
    ]
    texts = [side["text"] for side in sides]
    rows = ((sides[0]["hidden"] | sides[1]["hidden"]) & texts[0].is_not_null() & texts[1].is_not_null()).arg_true()
    if not len(rows):
        return nothing
    ours, theirs = (_characters(text.gather(rows)) for text in texts)
    level, bits = _evidence(ours, theirs, _worth(r, counted))
    return nothing.with_columns(
        nothing["masked_level"].scatter(rows, level), nothing["bits_masked"].scatter(rows, bits)
    )


def _characters(texts: pl.Series) -> np.ndarray:
    return np.frombuffer("".join(texts.to_list()).encode("ascii"), dtype=np.uint8).reshape(-1, 18)


def _evidence(ours: np.ndarray, theirs: np.ndarray, worth: np.ndarray) -> tuple[pl.Series, np.ndarray]:
    """Level and bits of each pair of numbers, given what each place is worth."""
    seen = (ours != _HIDDEN) & (theirs != _HIDDEN)
    differs = (seen & (ours != theirs)).any(axis=1)
    # a birth date that is seen whole on both sides is compared as a birth date, and not counted here
    counted = seen.copy()
    counted[seen[:, _BIRTH].all(axis=1), _BIRTH] = False
    alike = (counted * worth).sum(axis=1)
    unlike = math.log2(1 - _AGREES) - np.log2(np.maximum(1 - np.exp2(-alike), _LEAST_SHARE))
    bits = np.where(differs, np.minimum(unlike, 0.0), np.maximum(alike + math.log2(_AGREES), 0.0))
    level = pl.Series(np.where(differs, "differs", "agrees")).cast(levels_of("masked"))
    told = seen.any(axis=1)
    return level.to_frame("level").select(pl.when(pl.Series(told)).then("level")).to_series(), np.where(told, bits, 0.0)


def _worth(r: pl.DataFrame, e: pl.DataFrame) -> np.ndarray:
    """The bits that each of 18 places is worth, from the usable numbers of both lists."""
    known = [sample(side).filter(pl.col("code").is_not_null()).select(_whole().alias("number")) for side in (r, e)]
    numbers = pl.concat(known).lazy()
    at = [pl.col("number").str.slice(place, 1).alias(str(place)) for place in range(18)]
    shares = numbers.select(at).select(
        ((pl.all().value_counts().struct.field("count") / pl.len()) ** 2).sum().name.keep()
    )
    same = np.array([float(value or 1.0) for value in shares.collect().row(0)])
    bits = -np.log2(np.clip(same, _LEAST_SHARE, 1.0))
    bits[_SEX] = max(bits[_SEX] - 1.0, 0.0)  # odd or even says the sex, which is compared by itself
    found: np.ndarray = bits
    return found
