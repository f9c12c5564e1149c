"""How far two names agree, in named levels.

The errors of registers are those of ears, keyboards and eyes (张红 and 张宏, 侯 and 候), while brothers and sisters differ in
one whole character (刘建国 and 刘建华). An edit distance sees no difference between the two; pairs of characters do.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from fupin_cli.characters.coded import Coded, by_width
from fupin_cli.characters.levels import LEVEL, NAME_LEVELS, NO_LEVEL, levels_by_character
from fupin_cli.characters.spellings import levels_of_letters, same_spelling
from fupin_cli.characters.table import FIRST, Array, NameTable

_LONG = 5  # characters, from which a name has parts and no surname
_AT_ONCE = 200_000  # pairs, so that the arrays in between stay in the cache
# 徐(莹加王旁), 王(+瑩): a character told by its parts
_PARTS = r"[(\[{【<《][^()\[\]{}【】<>《》]*[)\]}】>》]"


def compare_names(register: pl.Series, extract: pl.Series, table: NameTable | None = None) -> pl.Series:
    """The level of each pair of cleaned names, an Enum of NAME_LEVELS; sides may be exchanged, and rows stand for themselves.

    Null, which speaks neither for nor against, where a side is null or empty, where too little is left that both sides could
    write, and where one name is in 汉字 and the other in letters. `table` may be one over more names; else it is made for these.
    """
    table = table or NameTable.of(register, extract)
    parts = range(0, len(register), _AT_ONCE)
    levels = [_levels_as_written(register.slice(low, _AT_ONCE), extract.slice(low, _AT_ONCE), table) for low in parts]
    found = pl.Series("name_level", np.concatenate([np.empty(0, np.uint8), *levels]))
    spoken = found.to_frame().select(pl.when(pl.col("name_level") != NO_LEVEL).then("name_level"))
    return spoken.to_series().cat.to(pl.Enum(NAME_LEVELS))


def _levels_as_written(register: pl.Series, extract: pl.Series, table: NameTable) -> Array:
    """The levels as numbers; characters that are spelled out count as unknown ones."""
    if not (table.letter.any() or table.bracket.any()):
        return _levels(register, extract, table)
    r, e = Coded.of(register, table), Coded.of(extract, table)
    spelled = [side.holds(table.bracket) | (side.holds(table.letter) & side.holds(table.han)) for side in (r, e)]
    rows = np.flatnonzero(spelled[0] | spelled[1])
    signs = _with_signs(register.gather(rows)), _with_signs(extract.gather(rows))
    return _levels(register.scatter(rows, signs[0]), extract.scatter(rows, signs[1]), table)


def _levels(register: pl.Series, extract: pl.Series, table: NameTable) -> Array:
    """The levels as numbers, of names whose unknown characters are signs."""
    r, e = Coded.of(register, table), Coded.of(extract, table)
    level = np.full(len(register), NO_LEVEL, dtype=np.uint8)
    todo = (r.length > 0) & (e.length > 0)
    if table.letter.any():
        in_letters = [side.holds(table.letter) & ~side.holds(table.han) for side in (r, e)]
        signs = np.arange(len(table.row)) < FIRST
        whole = ~r.holds(signs) & ~e.holds(signs)
        rows = np.flatnonzero(in_letters[0] & in_letters[1] & whole)
        level[rows] = levels_of_letters(register.gather(rows), extract.gather(rows))
        todo[rows] = False
        todo &= in_letters[0] == in_letters[1]
    rows = np.flatnonzero(todo)
    longer = np.maximum(r.length, e.length)
    for width, at in by_width(longer[rows]):
        level[rows[at]] = levels_by_character(r, e, rows[at], width, table)
    # a long name has no surname, and its parts are worth more than one character of it
    rows = rows[(longer[rows] >= _LONG) & (level[rows] >= LEVEL["segments"]) & (level[rows] != NO_LEVEL)]
    level[rows[level[rows] == LEVEL["surname"]]] = LEVEL["other"]
    level[rows[same_spelling(register.gather(rows), extract.gather(rows))]] = LEVEL["segments"]
    return level


def _with_signs(names: pl.Series) -> pl.Series:
    """The names with ? for each character told by its parts, and * for letters beside 汉字, which are one character or more."""
    plain = pl.col("name").str.replace_all(_PARTS, "?")
    beside = pl.when(plain.str.contains(r"\p{Han}")).then(plain.str.replace_all(r"[\p{L}--\p{Han}]+", "*"))
    return names.to_frame("name").select(beside.otherwise(plain)).to_series()
