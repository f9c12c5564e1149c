"""The levels of agreement, and how position by position they follow from kinds of characters."""

from __future__ import annotations

import numpy as np

from fupin_cli.characters.coded import Coded
from fupin_cli.characters.surnames import COMPOUND
from fupin_cli.characters.table import FIRST, RUN, Array, Kind, NameTable

NAME_LEVELS = (
    "exact",  # the same after folding traditional and variant forms
    "alias",  # characters written for one another: 肖 and 萧
    "sound",  # characters that share a reading, tones apart
    "near_sound",  # characters that sound alike in a dialect
    "shape",  # one character that looks alike; the others sound alike at worst
    "wildcard",  # the same in all that both sides could write
    "swapped",  # given characters in another order
    "gap",  # one character missing or added after the surname
    "segments",  # a long name in another spelling, or its parts in another order or left out
    "one_char",  # one given character of two or more is another: brothers and sisters look like this
    "surname",  # nothing but the surname, or one that sounds the same
    "other",
)
LEVEL = {name: level for level, name in enumerate(NAME_LEVELS)}
NO_LEVEL = len(NAME_LEVELS)


def levels_by_character(r: Coded, e: Coded, rows: Array, width: int, table: NameTable) -> Array:
    """The level of these pairs, as a number; all names fit in `width` characters."""
    a, b = r.columns(rows, width), e.columns(rows, width)
    length_a, length_b = r.length[rows], e.length[rows]
    _stretch_runs(a, length_a, b, length_b)
    kinds = np.stack([table.kind(x, y) for x, y in zip(a, b, strict=True)])
    worst = kinds.max(axis=0)
    level: Array = worst.copy()  # the first levels are the first kinds
    rows = np.flatnonzero((worst > Kind.NEAR) & (worst < Kind.UNKNOWN))
    level[rows] = _levels_of_unlike(a[:, rows], b[:, rows], length_a[rows], length_b[rows], kinds[:, rows], table)
    rows = np.flatnonzero(worst == Kind.UNKNOWN)
    level[rows] = _levels_of_unknown(a[:, rows], b[:, rows], length_a[rows], length_b[rows], kinds[:, rows], table)
    return level


def _levels_of_unlike(a: Array, b: Array, length_a: Array, length_b: Array, kinds: Array, table: NameTable) -> Array:
    """The level of pairs that differ by more than sound; what is better is written over what is worse."""
    count = np.min_scalar_type(len(kinds))
    unlike = (kinds == Kind.UNLIKE).sum(axis=0, dtype=count)
    different = (kinds > Kind.ALIAS).sum(axis=0, dtype=count)
    same_length, same_first = length_a == length_b, kinds[0] <= Kind.ALIAS
    head, level = _surnames_only(a, b, length_a, length_b, kinds, table)

    siblings = (unlike == 1) & (different == 1) & (level == LEVEL["surname"]) & same_length & (length_a - head >= 2)
    level[siblings] = LEVEL["one_char"]
    rows = np.flatnonzero(same_first & (np.abs(length_a - length_b) == 1) & (np.minimum(length_a, length_b) >= 2))
    level[rows[_one_missing(table.alias[a[:, rows]], table.alias[b[:, rows]])]] = LEVEL["gap"]
    rows = np.flatnonzero(same_first & same_length & (length_a >= 3) & (length_a <= 4) & (different >= 2))
    level[rows[_exchanged(table.alias[a[1:4, rows]], table.alias[b[1:4, rows]])]] = LEVEL["swapped"]
    rows = np.flatnonzero(unlike == 0)
    level[rows[(kinds[:, rows] == Kind.SHAPE).sum(axis=0) == 1]] = LEVEL["shape"]
    return level


def _levels_of_unknown(a: Array, b: Array, length_a: Array, length_b: Array, kinds: Array, table: NameTable) -> Array:
    """The level of pairs in which a side has a sign for a character that could not be written.

    The surname or two characters must be left to agree; less is too little to speak, unless it disagrees.
    """
    unknown = kinds == Kind.UNKNOWN
    known = (np.arange(len(kinds))[:, None] < np.minimum(length_a, length_b)) & ~unknown
    _, level = _surnames_only(a, b, length_a, length_b, kinds, table)
    agree = np.where(unknown, Kind.SAME, kinds).max(axis=0) <= Kind.ALIAS
    enough = known[0] | (known.sum(axis=0) >= 2)
    level[agree & enough] = LEVEL["wildcard"]
    level[(agree & ~enough) | ~known.any(axis=0)] = NO_LEVEL
    return level


def _surnames_only(
    a: Array, b: Array, length_a: Array, length_b: Array, kinds: Array, table: NameTable
) -> tuple[Array, Array]:
    """The length of the surname, and the level as far as it follows from the surname alone."""
    head, other = _surname_lengths(a, length_a, table), _surname_lengths(b, length_b, table)
    same = (head == other) & (kinds[0] <= Kind.SOUND) & ((head == 1) | (kinds[1] <= Kind.SOUND))
    return head, np.where(same, LEVEL["surname"], LEVEL["other"]).astype(np.uint8)


def _surname_lengths(codes: Array, length: Array, table: NameTable) -> Array:
    """2 where a compound surname leads a longer name, else 1."""
    pairs = table.code_of[[[ord(character) for character in surname] for surname in COMPOUND]].astype(np.int64)
    starts = np.zeros(len(table.row), dtype=bool)
    starts[pairs[(pairs >= FIRST).all(axis=1), 0]] = True
    rows = np.flatnonzero(starts[codes[0]] & (length > 2))
    count = len(table.row)
    leading = codes[0, rows].astype(np.int64) * count + codes[1, rows]
    lengths = np.ones(len(length), dtype=np.int64)
    lengths[rows[np.isin(leading, pairs[:, 0] * count + pairs[:, 1])]] = 2
    return lengths


def _one_missing(a: Array, b: Array) -> Array:
    """Whether the names are the same when one character after the first is left out of the longer one."""
    end = np.zeros((1, a.shape[1]), dtype=a.dtype)
    head = np.logical_and.accumulate(a == b)
    found = np.zeros(a.shape[1], dtype=bool)
    for longer, shorter in ((a, b), (b, a)):
        tail = np.logical_and.accumulate((np.concatenate([longer[1:], end]) == shorter)[::-1])[::-1]
        found |= (head[:-1] & tail[1:]).any(axis=0)
    return found


def _exchanged(a: Array, b: Array) -> Array:
    """Whether the codes are the same in some order; most pairs fail by their sums, which cost less than an order."""
    found: Array = a.sum(axis=0, dtype=np.int64) == b.sum(axis=0, dtype=np.int64)
    rows = np.flatnonzero(found)
    found[rows] = (np.sort(a[:, rows], axis=0) == np.sort(b[:, rows], axis=0)).all(axis=0)
    return found


def _stretch_runs(a: Array, length_a: Array, b: Array, length_b: Array) -> None:
    """Let a lone sign for one or more characters fill the shorter name up to the other's length."""
    for short, length, other in ((a, length_a, length_b), (b, length_b, length_a)):
        runs = short == RUN
        if not runs.any():
            continue
        rows = np.flatnonzero((runs.sum(axis=0) == 1) & (length < other))
        run, more = runs[:, rows].argmax(axis=0), (other - length)[rows]
        at = np.arange(len(short))[:, None]
        source = np.where(at <= run, at, np.maximum(at - more, run))
        short[:, rows] = np.take_along_axis(short[:, rows], source, axis=0)
        length[rows] = other[rows]
