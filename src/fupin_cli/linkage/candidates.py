"""Candidate pairs by the columns of a profile's [compare]: hash joins on every rare field, and on fields that are rare together.

A key is a field, or two or three fields at once. One under which few pairs would meet is used as it is; one with too many waits
for a further field. No value of a key that is used is left out for being common: that would cost the people who bear it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import polars as pl

from fupin_cli.linkage.blocking import PAIR
from fupin_cli.vocabulary import Compared

_PAIRS_EACH = 4  # for each person of both lists, so many pairs may meet under one key
_MOST_FIELDS = 3

Key = tuple[tuple[str, str], ...]  # columns of the first and of the second list that must be equal


def candidates(ours: pl.DataFrame, theirs: pl.DataFrame, fields: Sequence[Compared]) -> pl.DataFrame:
    """PAIR, positions in the two frames, each once and sorted; null values never meet."""
    found = [_join(ours, theirs, key) for key in _keys(ours, theirs, fields)]
    if not found:
        return pl.DataFrame(schema=dict.fromkeys(PAIR, pl.Int64))
    return pl.concat(found).unique().sort(PAIR)


def _keys(ours: pl.DataFrame, theirs: pl.DataFrame, fields: Sequence[Compared]) -> list[Key]:
    """The smallest sets of columns under which few enough pairs meet, and the halves of swapped texts.

    Where even all columns together are too common, they are the key all the same: better slow than nobody found.
    """
    most = _PAIRS_EACH * (ours.height + theirs.height)
    columns = [part for field in fields for part in field.parts]
    used: list[Key] = [
        ((first, second), (second, first)) for field in fields if field.columns == 2 for first, second in [field.parts]
    ]
    narrow: list[set[str]] = []
    for size in range(1, _MOST_FIELDS + 1):
        for chosen in combinations(columns, size):
            if any(key <= set(chosen) for key in narrow):
                continue
            key = tuple((column, column) for column in chosen)
            if _meeting(ours, theirs, key) <= most:
                narrow.append(set(chosen))
                used.append(key)
    return used if narrow else [*used, tuple((column, column) for column in columns[:_MOST_FIELDS])]


def _meeting(ours: pl.DataFrame, theirs: pl.DataFrame, key: Key) -> int:
    """How many pairs would meet under a key."""
    sides = [
        side.lazy()
        .select(names)
        .drop_nulls()
        .group_by(names)
        .len("people")
        .rename(dict(zip(names, common, strict=True)))
        for side, names, common in _sides(ours, theirs, key)
    ]
    both = sides[0].join(sides[1], on=list(_common(key)))
    pairs = (
        both.select((pl.col("people").cast(pl.Int64) * pl.col("people_right").cast(pl.Int64)).sum()).collect().item()
    )
    return int(pairs or 0)


def _join(ours: pl.DataFrame, theirs: pl.DataFrame, key: Key) -> pl.DataFrame:
    sides = [
        side.lazy()
        .select(
            pl.int_range(pl.len()).alias(row), *(pl.col(name).alias(at) for name, at in zip(names, common, strict=True))
        )
        .drop_nulls()
        for row, (side, names, common) in zip(PAIR, _sides(ours, theirs, key), strict=True)
    ]
    return sides[0].join(sides[1], on=list(_common(key))).select(PAIR).collect()


def _common(key: Key) -> tuple[str, ...]:
    return tuple(f"key_{n}" for n in range(len(key)))


def _sides(ours: pl.DataFrame, theirs: pl.DataFrame, key: Key) -> list[tuple[pl.DataFrame, list[str], tuple[str, ...]]]:
    first, second = zip(*key, strict=True)
    return [(ours, list(first), _common(key)), (theirs, list(second), _common(key))]
