"""Most cells are clean and most others repeat: the careful reading is done once for each odd spelling."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl


def once_per_spelling(text: pl.Series, read: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
    """What `read` makes of the column, row by row; it sees every distinct text once, and null at most once."""
    coded = text.cast(pl.Categorical(pl.Categories.random()))
    spellings = coded.unique()
    codes = spellings.to_physical()
    known = (
        read(spellings.cast(pl.String)).with_columns(codes.alias("_code")).sort("_code", nulls_last=True).drop("_code")
    )
    index = coded.to_physical().fill_null(len(spellings) - 1)
    return known.select(pl.all().gather(index))


def replace_rows(frame: pl.DataFrame, at: pl.Series, rows: pl.DataFrame) -> pl.DataFrame:
    """The frame with the rows at these positions replaced, column by column."""
    if not len(at):
        return frame
    return pl.DataFrame([column.clone().scatter(at, rows[column.name]) for column in frame.get_columns()])
