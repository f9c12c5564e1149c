"""ID numbers one fault away from a faulty one, by solving the check equation instead of searching for small edit distances.

MOD 11-2 (GB 11643-1999, ISO 7064) detects every single wrong digit and every swap of neighbours, so two valid numbers are never
one such fault apart and only faulty ones need neighbours. At each place the equation admits one digit at most: 18 substitutions
and 17 swaps for 18 characters, 18 insertions for 17, 19 deletions for 19.
"""

from __future__ import annotations

import numpy as np
import polars as pl

_WEIGHTS = np.array(
    (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1)
)  # of the digits and of the check character
_INVERSE = np.array([pow(int(weight), -1, 11) for weight in _WEIGHTS])
_TENS = 10 ** np.arange(16, -1, -1, dtype=np.int64)
_LENGTHS = (17, 18, 19)
_AT_ONCE = 4096  # rows whose neighbours fit in a processor's cache
_HOLES, _SPREAD = 24, np.uint64(0x9E3779B97F4A7C15)  # bits of a hole's number; Knuth's multiplier for 64 bits
_NUMBER = r"^\d{16,18}[\dX]$"


def neighbours(people: pl.DataFrame, among: pl.Series | None = None) -> pl.DataFrame:
    """`at`, `code` (first 17 digits of a number that is valid) and `slip` (a digit was dropped or added, not changed).

    A row for each number that one fault could have turned into the `digits` of a row; two faults may give one number twice. Of
    those that do not stand `among` these numbers, most are left out.
    """
    sieve = None if among is None else _sieve(among)
    damaged = people.select("at", "digits").filter(pl.col("digits").str.contains(_NUMBER))
    parts = [_empty()]
    for length, solve in zip(_LENGTHS, (_with_one_more, _with_one_changed, _with_one_less), strict=True):
        rows = damaged.filter(pl.col("digits").str.len_bytes() == length)
        digits, at = _matrix(rows["digits"], length), rows["at"].to_numpy()
        for first in range(0, rows.height, _AT_ONCE):
            codes, whole = solve(digits[first : first + _AT_ONCE].astype(np.int64))
            if sieve is not None:
                whole &= sieve[_hole(codes)]
            which, place = np.nonzero(whole)
            found = pl.DataFrame({"at": at[first : first + _AT_ONCE][which], "code": codes[which, place]})
            parts.append(found.with_columns(pl.lit(value=length != 18).alias("slip")))
    return pl.concat(parts)


def _sieve(codes: pl.Series) -> np.ndarray:
    """True in the hole of each of the numbers: what falls through is hardly ever another (a Bloom filter with one hash)."""
    holes = np.zeros(1 << _HOLES, dtype=bool)
    holes[_hole(codes.drop_nulls().to_numpy())] = True
    return holes


def _hole(codes: np.ndarray) -> np.ndarray:
    found: np.ndarray = (codes.astype(np.uint64) * _SPREAD) >> np.uint64(64 - _HOLES)
    return found


def _empty() -> pl.DataFrame:
    return pl.DataFrame(schema={"at": pl.Int64, "code": pl.Int64, "slip": pl.Boolean})


def _matrix(digits: pl.Series, length: int) -> np.ndarray:
    """A row of small integers for each number; X is 10."""
    text = np.frombuffer("".join(digits.to_list()).encode("ascii"), dtype=np.uint8).reshape(-1, length)
    return np.where(text == ord("X"), np.uint8(10), text - ord("0"))


def _short(digits: np.ndarray) -> np.ndarray:
    """What is missing from a weighted sum of 1 (mod 11)."""
    short: np.ndarray = (1 - digits @ _WEIGHTS) % 11
    return short


def _with_one_changed(digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    own, short = digits[:, :17] @ _TENS, _short(digits)
    mended = (digits + short[:, None] * _INVERSE) % 11
    codes = own[:, None] + (mended - digits)[:, :17] * _TENS
    fits = mended[:, :17] < 10
    gain = (digits[:, 1:] - digits[:, :-1]) * (_WEIGHTS[:-1] - _WEIGHTS[1:])
    swaps = (gain - short[:, None]) % 11 == 0
    swapped = own[:, None] + (digits[:, 1:17] - digits[:, :16]) * (_TENS[:-1] - _TENS[1:])
    # the last digit and the check character exchanged: the check character becomes the last digit
    last = own - digits[:, 16] + digits[:, 17]
    swaps[:, 16] &= digits[:, 17] < 10
    alone = np.ones((len(digits), 1), dtype=bool)  # the check character alone is wrong: the 17 digits stand
    return np.hstack([codes, own[:, None], swapped, last[:, None]]), np.hstack([fits, alone, swaps])


def _with_one_more(digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A digit was dropped: put one back at each place."""
    before = np.cumsum(digits * _WEIGHTS[:17], axis=1)
    after = np.cumsum((digits * _WEIGHTS[1:])[:, ::-1], axis=1)[:, ::-1]
    zero = np.zeros((len(digits), 1), dtype=np.int64)
    total = np.hstack([zero, before]) + np.hstack([after, zero])
    put = (1 - total) * _INVERSE % 11
    wide = np.stack([np.insert(digits, at, put[:, at], axis=1) for at in range(18)], axis=1)
    return _codes(wide)


def _with_one_less(digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A digit too many: take each away in turn."""
    wide = np.stack([np.delete(digits, at, axis=1) for at in range(19)], axis=1)
    return _codes(wide)


def _codes(wide: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First 17 digits, and whether all 18 make a number: of digits throughout, with the check character that belongs to them."""
    return wide[:, :, :17] @ _TENS, (wide[:, :, :17] < 10).all(axis=2) & ((wide @ _WEIGHTS) % 11 == 1)
