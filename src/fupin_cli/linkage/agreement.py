"""How far the columns of a profile's [compare] agree, in named levels: names in letters, opaque numbers, dates.

Typing faults are counted as in the optimal string alignment of Damerau (1964): a character wrong, dropped, added, or two
neighbours exchanged. Texts are held against each other by Jaro-Winkler (Winkler 1990) at the two thresholds of fastLink
(Enamorado, Fifield and Imai 2019).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from fupin_cli.linkage.blocking import PAIR
from fupin_cli.vocabulary import Compared

FIELD_LEVELS = {
    "id": ("exact", "one_edit", "two_edits", "different"),
    "text": ("exact", "near", "alike", "different"),
    "swappable": ("exact", "swapped", "near", "alike", "different"),  # the halves of a text in two columns
    "date": ("exact", "one_fault", "two_edits", "different"),
    "code": ("exact", "different"),
}
_NEAR, _ALIKE = 0.92, 0.88
_EXACT, _CLOSE, _AWAY, _OTHER, _SWAPPED = 0, 1, 2, 3, 4


def levels_of_part(field: Compared) -> tuple[str, ...]:
    """The levels of each column of a field."""
    return FIELD_LEVELS["swappable" if field.columns == 2 else field.kind]


def compare_fields(
    pairs: pl.DataFrame, ours: pl.DataFrame, theirs: pl.DataFrame, fields: Sequence[Compared]
) -> pl.DataFrame:
    """The level (Enum) of each part of each field for each pair, as `part_level`; null where a side says nothing.

    Pairs are positions in the two frames, whose columns are the parts as normalise.compared cleans them. Halves that stand in
    each other's column make the first `swapped`, and the second null: it was told by the first.
    """
    found = []
    for field in fields:
        sides = [
            [side[part].gather(pairs[row]) for part in field.parts]
            for side, row in zip((ours, theirs), PAIR, strict=True)
        ]
        grades = [_grades(r, e, field.kind) for r, e in zip(*sides, strict=True)]
        if field.columns == 2:
            grades = _with_swapped(
                grades, [_grades(r, e, field.kind) for r, e in zip(sides[0], sides[1][::-1], strict=True)]
            )
        found += [_named(grade, field).alias(f"{part}_level") for grade, part in zip(grades, field.parts, strict=True)]
    return pl.DataFrame(found)


def _grades(r: pl.Series, e: pl.Series, kind: str) -> pl.Series:
    """How far the values of each pair agree, as numbers; null where one of them is null."""
    grades = pl.select(pl.when(r == e).then(pl.lit(_EXACT, pl.Int8))).to_series()
    differing = (r != e).arg_true()  # null where a side is null
    return grades.scatter(differing, _graded(pl.DataFrame({"r": r, "e": e})[differing], kind))


def _graded(differing: pl.DataFrame, kind: str) -> pl.Series:
    """The same of values that differ, neither of them null."""
    r, e = (differing[name].to_list() for name in ("r", "e"))
    if kind == "code":
        close = away = np.zeros(len(r), dtype=bool)
    elif kind == "text":
        alike = process.cpdist(r, e, scorer=JaroWinkler.normalized_similarity, dtype=np.float64)
        close, away = alike >= _NEAR, alike >= _ALIKE
    else:
        edits = process.cpdist(r, e, scorer=OSA.distance, dtype=np.int32, score_cutoff=2)
        close, away = edits <= 1, edits <= 2
    if kind == "date":
        close |= differing.select(_one_part_differs()).to_series().to_numpy()
    return pl.Series(np.where(close, _CLOSE, np.where(away, _AWAY, _OTHER)).astype(np.int8))


def _one_part_differs() -> pl.Expr:
    """True where two dates (yyyymmdd) share two of year, month and day, or have the last two exchanged."""
    parts = [[pl.col(side).str.slice(*at) for at in ((0, 4), (4, 2), (6, 2))] for side in ("r", "e")]
    shared = pl.sum_horizontal((a == b).cast(pl.Int8) for a, b in zip(*parts, strict=True)) >= 2
    exchanged = (parts[0][0] == parts[1][0]) & (parts[0][1] == parts[1][2]) & (parts[0][2] == parts[1][1])
    whole = (pl.col("r").str.len_bytes() == 8) & (pl.col("e").str.len_bytes() == 8)
    return (whole & (shared | exchanged)).fill_null(value=False)


def _with_swapped(straight: Sequence[pl.Series], crossed: Sequence[pl.Series]) -> list[pl.Series]:
    """Swapped where both halves are near across, and not both of them where they stand."""

    def both_near(grades: Sequence[pl.Series]) -> pl.Series:
        return ((grades[0] <= _CLOSE) & (grades[1] <= _CLOSE)).fill_null(value=False)

    swapped = both_near(crossed) & ~both_near(straight)
    told = pl.DataFrame({"first": straight[0], "second": straight[1], "swapped": swapped}).select(
        pl.when("swapped").then(pl.lit(_SWAPPED, pl.Int8)).otherwise("first").alias("first"),
        pl.when(~pl.col("swapped")).then("second"),
    )
    return told.get_columns()


def _named(grades: pl.Series, field: Compared) -> pl.Series:
    """Grades as the field's levels."""
    levels = levels_of_part(field)
    plain = [name for name in levels if name != "swapped"]
    names = {grade: plain[min(grade, len(plain) - 1)] for grade in range(_SWAPPED)} | {_SWAPPED: "swapped"}
    known = {grade: name for grade, name in names.items() if name in levels}
    return grades.replace_strict(known, default=None, return_dtype=pl.Enum(levels))
