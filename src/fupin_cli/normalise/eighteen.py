"""Eighteen characters read as a resident number, eight digits at a time: a column costs little more than its bytes.

Eight digits fit in one machine word. Each digit times ten plus its neighbour makes numbers of two digits; each of those times a
hundred plus its neighbour, of four; and once more, all eight. With two in the place of ten the same steps make the sum of
MOD 11-2 (ISO 7064), whose weights are the powers of two.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

_LENGTH = 18
_NONE = "0" * _LENGTH  # what stands for every other text
_ZEROS, _SIXES = (np.uint64(int.from_bytes(bytes([byte] * 8), "little")) for byte in (ord("0"), 6))
_ABOVE_NINE = np.uint64(0xF0F0F0F0F0F0F0F0)  # bits that no digit has, six added or not
_X = ord("X") - ord("0")
# bits by which neighbours are apart, and those that are kept once they are added
_STEPS = ((8, 0x00FF00FF00FF00FF), (16, 0x0000FFFF0000FFFF), (32, 0xFFFFFFFF))
_AT_ONCE = 8192  # numbers whose words stay in a processor's cache
_FIRST_DAY, _YEARS = 18_800_000, 220  # of birth dates as yyyymmdd: 1880–2099
_NO_DAY = np.iinfo(np.int32).min
_ONES = 11_111_111_111_111_111  # somebody's stand-in for a number


def read_eighteen(raw: pl.Series) -> pl.DataFrame:
    """code, birth_on, male, whole, clean of each text: 17 digits as Int64, what they say, and how far they can be believed.

    `whole`: written as a number should be, though its check character or date may be wrong; `clean`: right in these, too. Only of
    whole ones do the others mean anything; `birth_on` is null where no calendar has such a day (years 1880–2099).
    """
    long = pl.col("text").str.len_bytes() == _LENGTH
    texts = raw.to_frame("text").select(pl.when(long).then("text").otherwise(pl.lit(_NONE))).to_series()
    return _read(texts.cast(pl.Binary).bin.reinterpret(dtype=pl.Array(pl.UInt8, _LENGTH)).to_numpy())


def _read(characters: np.ndarray) -> pl.DataFrame:
    """The same of texts that all have eighteen bytes: an array of rows x 18."""
    rows = len(characters)
    first, day, second = (characters[:, at : at + 8].view("<u8")[:, 0] for at in (0, 6, 8))
    code, born = np.empty(rows, np.int64), np.empty(rows, np.int32)
    male, whole, clean = (np.empty(rows, np.bool_) for _ in range(3))
    for low in range(0, rows, _AT_ONCE):
        part = slice(low, low + _AT_ONCE)
        head, birth, tail = (word[part] ^ _ZEROS for word in (first, day, second))
        before, last, check = (characters[part, at] - np.uint8(ord("0")) for at in (15, 16, 17))
        check = np.where(check == _X, np.uint8(10), check)
        digits = ((head | (head + _SIXES) | tail | (tail + _SIXES)) & _ABOVE_NINE == 0) & (last < 10) & (check <= 10)
        eight = _number(head, 10)
        code[part] = eight * 10**9 + _number(tail, 10) * 10 + last
        # a number that ends in 000 may be one that Excel cut: 9 % of those pass the check by chance
        cut = (before | last | check) == 0
        inside = (eight >= 10**7) & (eight < 99999900)
        whole[part] = digits & inside & ~cut & (code[part] != _ONES)
        born[part] = _days()[np.minimum(_number(birth, 10) - _FIRST_DAY, 10_000 * _YEARS)]
        total = _number(head, 2) * 2**10 + _number(tail, 2) * 2**2 + last * np.uint64(2) + check
        clean[part] = whole[part] & (total - total // 11 * 11 == 1) & (born[part] != _NO_DAY)
        male[part] = last & 1
    read = pl.DataFrame({"code": code, "birth_on": born, "male": male, "whole": whole, "clean": clean})
    return read.with_columns(pl.when(pl.col("birth_on") != _NO_DAY).then("birth_on").cast(pl.Date))


def _number(digits: np.ndarray, base: int) -> np.ndarray:
    """Eight digits, a byte each and the first one lowest, as one number to this base."""
    for bits, kept in _STEPS:
        digits = (digits * np.uint64(base) + (digits >> np.uint64(bits))) & np.uint64(kept)
        base *= base
    return digits


@cache
def _days() -> np.ndarray:
    """The day since 1970 that each number yyyymmdd stands for, counted from the first, and one that is beyond them all."""
    days = pl.date_range(pl.date(1880, 1, 1), pl.date(1879 + _YEARS, 12, 31), eager=True)
    at = days.dt.year().cast(pl.Int64) * 10_000 + days.dt.month().cast(pl.Int64) * 100 + days.dt.day() - _FIRST_DAY
    table = np.full(10_000 * _YEARS + 1, _NO_DAY, dtype=np.int32)
    table[at.to_numpy()] = days.to_physical().to_numpy()
    return table
