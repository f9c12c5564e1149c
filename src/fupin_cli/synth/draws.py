"""Draws: numbers that look random and are a function of (seed, stream name, index) and of nothing else.

splitmix64 written as Polars expressions: no generator with a state, no library hash, no clock. Any row can be made alone,
in any chunk, on any machine and by any version, and is always the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import polars as pl

_RESOLUTION = 100_000  # probabilities of `chance` are kept to five decimals
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB


def _u64(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)


def look_up(values: Sequence[object], at: pl.Expr) -> pl.Expr:
    """The value that stands at each index of a short list."""
    return pl.lit(pl.Series(list(values))).gather(at)


@dataclass(frozen=True)
class Draw:
    """All streams of one seed; a stream is named by a word, so adding one never disturbs another."""

    seed: int

    def bits(self, stream: str, index: pl.Expr) -> pl.Expr:
        """64 mixed bits per index (splitmix64; UInt64 arithmetic wraps, as it should)."""
        start = int.from_bytes(blake2b(f"{self.seed}:{stream}".encode(), digest_size=8).digest(), "big")
        z = index.cast(pl.UInt64) * _u64(_GOLDEN) + _u64(start)
        z = (z ^ (z // _u64(1 << 30))) * _u64(_FIRST)
        z = (z ^ (z // _u64(1 << 27))) * _u64(_SECOND)
        return z ^ (z // _u64(1 << 31))

    def below(self, stream: str, index: pl.Expr, limit: int | pl.Expr) -> pl.Expr:
        """Whole numbers 0 … limit − 1 (Int64)."""
        return (self.bits(stream, index) // _u64(1 << 20)).cast(pl.Int64) % limit

    def unit(self, stream: str, index: pl.Expr) -> pl.Expr:
        """Numbers from 0 up to, not including, 1."""
        return (self.bits(stream, index) // _u64(1 << 11)).cast(pl.Float64) / float(1 << 53)

    def pick(self, stream: str, index: pl.Expr, values: Sequence[object]) -> pl.Expr:
        """One of the values, each equally likely; a value given twice is twice as likely."""
        return look_up(values, self.below(stream, index, len(values)))

    def chance(self, stream: str, index: pl.Expr, probabilities: Mapping[str, float]) -> pl.Expr:
        """One of the names with its probability, or null with what is left over."""
        names = [name for name, probability in probabilities.items() if probability > 0]
        codes: list[int] = []
        for code, name in enumerate(names):
            codes += [code] * round(probabilities[name] * _RESOLUTION)
        if len(codes) > _RESOLUTION:
            raise ValueError(f"probabilities of {stream} add up to more than 1")
        if not codes:
            return pl.lit(None, dtype=pl.String)
        at = self.below(stream, index, _RESOLUTION)
        code_at = look_up(codes, pl.when(at < len(codes)).then(at))
        return look_up(names, code_at)
