"""What is known of a character, and how two characters of one run differ: a table of all against all, built once.

Names repeat the same few thousand characters, so a pair of names is compared by looking up pairs of characters and never by
taking text apart. The knowledge stands in table.csv, which tools/build_characters.py makes (sources: NOTICE.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
from rapidfuzz import fuzz, process

from fupin_cli.characters.sounds import near

Array: TypeAlias = npt.NDArray[Any]

CODE_POINTS = 0x110000
# Codes that are no characters: beyond a name's end; a character that could not be written; one or more of those.
END, UNWRITTEN, RUN = 0, 1, 2
FIRST = 3
# The mean likeness, in per cent, of two characters' strokes and of their Cangjie letters, from which they look alike.
LOOKS_ALIKE = 75
# What stands where a system had no such character (data_formats.md, H26).
UNWRITTEN_SIGNS = r"[?□■◻◼▢\u{FFFD}\p{Co}\p{So}]"


class Kind(IntEnum):
    """How two characters differ, the least first; of several differences in a name the greatest counts."""

    SAME = 0
    ALIAS = 1
    SOUND = 2
    NEAR = 3
    SHAPE = 4
    UNLIKE = 5
    UNKNOWN = 6


@dataclass(frozen=True)
class Characters:
    """The knowledge of table.csv; a row is a form that stands for itself."""

    row_of: Array  # code point → row, or -1; variants lead to the form that they fold into
    alias: Array  # row → row of the common form of characters written for one another
    heard: Array  # a row for each reading it may have, as a surname or otherwise
    sound: Array  # … with the number of that syllable
    near_sound: Array  # … and the number of what ears and dialects make of it
    reading: list[str]  # row → its commonest reading, or ""
    surname: list[str]  # row → its reading as a surname, or ""
    strokes: list[str]  # row → its strokes in writing order, a letter each, or ""
    cangjie: list[str]  # row → the keys that type it by shape, or ""
    folds: dict[str, str]  # variant → standard form


@cache
def characters() -> Characters:
    """The shipped table, read once."""
    source = (files("fupin_cli.characters") / "table.csv").read_bytes()
    table = pl.read_csv(source, infer_schema=False).fill_null("")
    rows = table.filter(pl.col("fold") == "").with_row_index("row")
    variants = table.filter(pl.col("fold") != "").select("character", "fold")
    row_of = np.full(CODE_POINTS, -1, dtype=np.int32)
    row_of[code_points(rows["character"])] = np.arange(rows.height)
    row_of[code_points(variants["character"])] = row_of[code_points(variants["fold"])]
    heard = (
        rows.select("row", sound=pl.concat_str("readings", "surname", separator=" ").str.split(" "))
        .explode("sound")
        .filter(pl.col("sound") != "")
        .unique(maintain_order=True)
    )
    syllables = heard["sound"].unique().sort().to_list()
    nears = sorted({near(syllable) for syllable in syllables})
    sound = heard["sound"].replace_strict(syllables, range(len(syllables))).to_numpy()
    reading = pl.col("readings").str.extract(r"^(\S+)").fill_null("")
    surname = pl.col("surname").str.extract(r"^(\S+)").fill_null(reading)
    common = pl.when(pl.col("loose") == "").then("character").otherwise("loose")
    return Characters(
        row_of=row_of,
        alias=row_of[code_points(rows.select(common).to_series())],
        heard=heard["row"].to_numpy(),
        sound=sound,
        near_sound=np.array([nears.index(near(syllable)) for syllable in syllables])[sound],
        reading=rows.select(reading).to_series().to_list(),
        surname=rows.select(surname).to_series().to_list(),
        strokes=rows["strokes"].to_list(),
        cangjie=rows["cangjie"].to_list(),
        folds=dict(zip(variants["character"].to_list(), variants["fold"].to_list(), strict=True)),
    )


def folded(names: pl.Series) -> pl.Series:
    """The names with every traditional and variant form replaced by its standard form: a key, never to be printed."""
    return names.to_frame("name").select(pl.col("name").str.replace_many(characters().folds)).to_series()


def code_points(names: pl.Series) -> Array:
    """The code points of all the names, one after another."""
    text = names.str.join("").item() or ""
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


@dataclass(frozen=True)
class NameTable:
    """Codes for the characters of one run, and the Kind of each pair of them.

    Codes do not depend on the order of the names. Characters of which nothing is known have the highest codes; they are like
    none but themselves and share the last row and column of `kinds`.
    """

    code_of: Array  # code point → code; 0 where no name has that character
    kinds: Array  # code x code → Kind, as uint8
    alias: Array  # code → one code for all characters written for one another
    row: Array  # code → row of the shipped table, or -1
    han: Array  # code → whether it is a 汉字
    letter: Array  # code → whether it is some other letter
    bracket: Array  # code → whether it is a bracket

    @classmethod
    def of(cls, *names: pl.Series) -> NameTable:
        """The table over all characters that stand in these names."""
        known = characters()
        seen = np.zeros(CODE_POINTS, dtype=bool)
        for series in names:
            seen[code_points(series)] = True
        seen[ord("*")] = False
        present = np.flatnonzero(seen)
        text = pl.Series([chr(point) for point in present], dtype=pl.String)
        unwritten = text.str.contains(UNWRITTEN_SIGNS).to_numpy()
        present, text = present[~unwritten], text.filter(~pl.Series(unwritten, dtype=pl.Boolean))

        rows = np.unique(known.row_of[present])
        rows = rows[rows >= 0]
        in_table = known.row_of[present] >= 0
        size = FIRST + len(rows)
        count = size + int((~in_table).sum())
        code = np.empty(len(present), dtype=np.min_scalar_type(count))
        code[in_table] = FIRST + np.searchsorted(rows, known.row_of[present[in_table]])
        code[~in_table] = np.arange(size, count)

        code_of = np.zeros(CODE_POINTS, dtype=code.dtype)
        code_of[np.flatnonzero(seen)] = UNWRITTEN
        code_of[ord("?")], code_of[ord("*")] = UNWRITTEN, RUN
        code_of[present] = code
        row = np.full(count, -1, dtype=np.int32)
        row[FIRST:size] = rows
        alias = np.arange(count, dtype=code.dtype)
        alias[FIRST:size] = FIRST + _first_of_group(known.alias[rows])

        def which(pattern: str) -> Array:
            flags = np.zeros(count, dtype=bool)
            flags[code[text.str.contains(pattern).to_numpy()]] = True
            return flags

        han = which(r"\p{Han}")
        letter = which(r"\p{L}") & ~han
        return cls(code_of, _kinds(known, rows), alias, row, han, letter, which(r"[()\[\]{}【】<>《》]"))

    def kind(self, a: Array, b: Array) -> Array:
        """The Kind of each pair of codes."""
        last = len(self.kinds) - 1
        if len(self.row) <= last:
            return self.kinds.ravel().take(a * np.intp(last + 1) + b)
        found = self.kinds.ravel().take(np.minimum(a, last) * np.intp(last + 1) + np.minimum(b, last))
        found[(a == b) & (a >= last)] = Kind.SAME
        return found


def _first_of_group(groups: Array) -> Array:
    """For each member the position of the first member of its group."""
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    position: Array = first[group]
    return position


def _kinds(known: Characters, rows: Array) -> Array:
    """The Kind of each pair of codes; the lesser difference is written over the greater."""
    size = FIRST + len(rows)
    kinds = np.full((size + 1, size + 1), Kind.UNLIKE, dtype=np.uint8)
    a, b = _look_alikes([known.strokes[row] for row in rows], [known.cangjie[row] for row in rows])
    kinds[FIRST + a, FIRST + b] = kinds[FIRST + b, FIRST + a] = Kind.SHAPE
    drawn = np.array([known.strokes[row] for row in rows], dtype=np.str_)
    _mark_groups(kinds, FIRST + np.flatnonzero(drawn != ""), drawn[drawn != ""], Kind.SHAPE)
    here = np.isin(known.heard, rows)
    heard = FIRST + np.searchsorted(rows, known.heard[here])
    _mark_groups(kinds, heard, known.near_sound[here], Kind.NEAR)
    _mark_groups(kinds, heard, known.sound[here], Kind.SOUND)
    _mark_groups(kinds, np.arange(FIRST, size), known.alias[rows], Kind.ALIAS)
    kinds[np.arange(size), np.arange(size)] = Kind.SAME
    kinds[UNWRITTEN:FIRST, UNWRITTEN:] = kinds[UNWRITTEN:, UNWRITTEN:FIRST] = Kind.UNKNOWN
    return kinds


def _mark_groups(kinds: Array, codes: Array, groups: Array, kind: Kind) -> None:
    """Write the kind for all pairs of codes that share a group: a few members each, so no set is ever intersected."""
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    members = codes[np.argsort(group, kind="stable")]
    mates = np.repeat(sizes, sizes)  # of each member, itself among them
    start = np.repeat(np.cumsum(sizes) - sizes, sizes)
    nth = np.arange(mates.sum()) - np.repeat(np.cumsum(mates) - mates, mates)
    kinds[np.repeat(members, mates), members[np.repeat(start, mates) + nth]] = kind


def _look_alikes(strokes: list[str], cangjie: list[str]) -> tuple[Array, Array]:
    """Pairs of positions whose mean likeness of strokes and Cangjie reaches LOOKS_ALIKE; Cangjie alone where one has no strokes.

    A mean of 75 needs 50 from each, which three pairs of Cangjie in a hundred have: only those have their strokes compared.
    """
    least = 2 * LOOKS_ALIKE - 100
    likeness = process.cdist(cangjie, cangjie, scorer=fuzz.ratio, dtype=np.uint8, score_cutoff=least)
    a, b = np.nonzero(np.triu(likeness >= least, 1))
    has_keys = np.array([bool(keys) for keys in cangjie], dtype=bool)
    a, b = (side[has_keys[a] & has_keys[b]] for side in (a, b))
    order = np.array(strokes, dtype=object)
    by_keys = likeness[a, b].astype(np.int64)
    by_strokes = process.cpdist(order[a], order[b], scorer=fuzz.ratio, dtype=np.uint8).astype(np.int64)
    drawn = np.array([bool(order) for order in strokes], dtype=bool)
    by_strokes = np.where(drawn[a] & drawn[b], by_strokes, by_keys)
    alike = by_keys + by_strokes >= 2 * LOOKS_ALIKE
    return a[alike], b[alike]
