"""A key under which names that sound alike meet, for finding candidate pairs."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from fupin_cli.characters.coded import Coded, by_width
from fupin_cli.characters.sounds import near
from fupin_cli.characters.table import CODE_POINTS, END, UNWRITTEN_SIGNS, Array, characters

# A number that is odd and of which the bits look drawn (2^64 over the golden ratio): multiplied in, it keeps keys apart.
_MIX = np.uint64(0x9E3779B97F4A7C15)
_LETTER = r"[\p{L}--\p{Han}]"
_UNREADABLE = rf"{UNWRITTEN_SIGNS}|[*()\[\]{{}}【】<>《》]|\p{{Han}}.*{_LETTER}|{_LETTER}.*\p{{Han}}"


def sound_key(names: pl.Series) -> pl.Series:
    """A number per name (UInt64), equal for homophones, near sounds and exchanged given characters; null where a part is unknown.

    It is made of the surname's sound and the sounds of the given characters in one order, each by its commonest reading: of two
    characters that share a rarer reading only, it knows nothing. Names in letters have the letters in one order.
    """
    readable = (pl.col("name") != "") & ~pl.col("name").str.contains(_UNREADABLE)
    coded = Coded.of(names.to_frame("name").select(pl.when(readable).then("name")).to_series())
    first, given = _near_sounds()
    key = np.zeros(len(names), dtype=np.uint64)
    for width, rows in by_width(coded.length):
        points = coded.columns(rows, width)
        sounds = given[points]
        head = first[points[0]]
        led = head != points[0]  # by a character with a reading; letters are all alike
        sounds[0, led] = END
        sounds.sort(axis=0)
        mixed = np.where(led, head, END).astype(np.uint64)
        for sound in sounds.astype(np.uint64):
            mixed = np.where(sound == END, mixed, (mixed ^ (mixed >> np.uint64(29))) * _MIX + sound)
        key[rows] = mixed
    keys = pl.DataFrame({"sound_key": key, "length": coded.length})
    return keys.select(pl.when(pl.col("length") > 0).then("sound_key")).to_series()


@cache
def _near_sounds() -> tuple[Array, Array]:
    """For each code point the number of its near sound as a surname and as a given character; itself where it has no reading."""
    known = characters()
    syllables = sorted({near(reading) for reading in (*known.surname, *known.reading) if reading})
    number = {syllable: CODE_POINTS + at for at, syllable in enumerate(syllables)}
    written = known.row_of >= 0
    tables = []
    for readings in (known.surname, known.reading):
        sounds = np.arange(CODE_POINTS, dtype=np.int32)
        of_row = np.array([number.get(near(reading), 0) for reading in readings], dtype=np.int32)
        own = of_row[known.row_of[written]]
        sounds[written] = np.where(own > 0, own, sounds[written])
        tables.append(sounds)
    return tables[0], tables[1]
