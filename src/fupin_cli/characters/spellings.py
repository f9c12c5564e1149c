"""Names of which the spelling varies rather than the characters: minority names in 汉字, and names in letters."""

from __future__ import annotations

import numpy as np
import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler, Levenshtein, Postfix, Prefix

from fupin_cli.characters.levels import LEVEL
from fupin_cli.characters.sounds import skeleton
from fupin_cli.characters.table import Array, characters, code_points

# Spellings of one name have a median of 1.0, different names of 0.71 (names_and_ids.md, 1.7); 吐尔逊 and 吐尔洪 stay close.
_SAME_SPELLING = 0.85
_SHORTEST_PART = 3
_TOKEN = 4  # letters that two names must begin or end with to share a word where no spaces are left


def same_spelling(register: pl.Series, extract: pl.Series) -> Array:
    """For each pair of long names whether one may be another spelling of the other, parts moved or left out.

    Spellings are compared by what is left of their sound. Different people's names pass too (吐尔逊, 吐尔洪): a reason to look
    at the birth date, not a proof.
    """
    sounds = _sounds(pl.concat([register, extract]).unique())
    pairs = pl.DataFrame({"r": register, "e": extract})
    for side in ("r", "e"):
        heard = sounds.rename({"in_order": f"{side}_in_order", "sorted": f"{side}_sorted"})
        pairs = pairs.join(heard, left_on=side, right_on="name", how="left", maintain_order="left")
    likeness = np.maximum(
        _likeness(pairs["r_in_order"], pairs["e_in_order"]), _likeness(pairs["r_sorted"], pairs["e_sorted"])
    )
    lengths = pl.col("r").str.len_chars().cast(pl.Int64), pl.col("e").str.len_chars().cast(pl.Int64)
    part_left_out = ((lengths[0] - lengths[1]).abs() >= _SHORTEST_PART - 1) & (
        pl.min_horizontal(lengths) >= _SHORTEST_PART
    )
    rows = pairs.select(part_left_out.arg_true()).to_series()
    letters = pairs.select(r=pl.col("r_in_order").gather(rows), e=pl.col("e_in_order").gather(rows))
    kept = pl.min_horizontal(pl.all().str.len_chars())
    for part in (letters.select(pl.all().str.head(kept)), letters.select(pl.all().str.tail(kept))):
        likeness[rows] = np.maximum(likeness[rows], _likeness(part["r"], part["e"]))
    same: Array = likeness >= _SAME_SPELLING
    return same


def levels_of_letters(register: pl.Series, extract: pl.Series) -> Array:
    """The level of each pair of names in letters, as a number; the order of words and spaces may differ."""
    bare = [side.str.replace_all(r"[^\p{L}\p{N}]", "") for side in (register, extract)]
    pairs = pl.DataFrame({"r": bare[0], "e": bare[1], "words_r": _words(register), "words_e": _words(extract)})
    # Jaro's measure may depend on which side comes first
    low, high = (pairs.select(of("r", "e")).to_series().to_list() for of in (pl.min_horizontal, pl.max_horizontal))
    near = process.cpdist(low, high, scorer=JaroWinkler.similarity, dtype=np.float64)
    head = process.cpdist(low, high, scorer=Prefix.similarity, dtype=np.int64)
    tail = process.cpdist(low, high, scorer=Postfix.similarity, dtype=np.int64)
    same_letters = pl.col("r").str.len_chars() == pl.col("e").str.len_chars()
    turned = same_letters & (pl.col("r") + pl.col("r")).str.contains(pl.col("e"), literal=True)
    moved = turned | (pl.col("words_r").list.sort() == pl.col("words_e").list.sort())
    one_word = pl.col("words_r").list.set_intersection("words_e").list.len() > 0
    level = (
        pl.when(pl.col("r") == pl.col("e")).then(LEVEL["exact"])
        .when(pl.col("near") >= 0.92).then(LEVEL["near_sound"])
        .when(pl.col("near") >= 0.88).then(LEVEL["shape"])
        .when(moved).then(LEVEL["swapped"])
        .when(one_word | (pl.col("shared") >= _TOKEN)).then(LEVEL["surname"])
        .otherwise(LEVEL["other"])
    )  # fmt: skip
    return (
        pairs.with_columns(near=near, shared=np.maximum(head, tail)).select(level.cast(pl.UInt8)).to_series().to_numpy()
    )


def _words(names: pl.Series) -> pl.Series:
    return names.str.extract_all(r"\p{L}{2,}")


def _sounds(names: pl.Series) -> pl.DataFrame:
    """What is left of the sound of each name: its syllables in order, and sorted, whatever the order of its parts."""
    known = characters()
    letters = [chr(point) for point in np.unique(code_points(names))]
    rows = known.row_of[[ord(letter) for letter in letters]]
    syllables = {
        letter: skeleton(known.reading[row]) + "," for letter, row in zip(letters, rows, strict=True) if row >= 0
    }
    heard = pl.col("name").str.replace_many(syllables).str.split(",")
    return names.to_frame("name").select("name", in_order=heard.list.join(""), sorted=heard.list.sort().list.join(""))


def _likeness(a: pl.Series, b: pl.Series) -> Array:
    """The normalised Levenshtein similarity of each pair."""
    likeness: Array = process.cpdist(
        a.to_list(), b.to_list(), scorer=Levenshtein.normalized_similarity, dtype=np.float64
    )
    return likeness
