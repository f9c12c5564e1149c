"""ID numbers that stand in a file where no row is read under them: rows set aside, unknown columns, cells of other fields.

A table glued below another one, a list with two people a row, a name and a number exchanged: whatever goes wrong in reading,
whoever's number stands somewhere in the file must not be called absent from it.
"""

from __future__ import annotations

import polars as pl

from fupin_cli.ingest.headers import Mapping
from fupin_cli.normalise.id_number import has_valid_check

_NUMBER = r"\d{17}[\dXx]"


def numbers_in(*frames: pl.DataFrame) -> pl.DataFrame:
    """`mentioned`: the different valid ID numbers in any cell of the frames."""
    empty = pl.Series("mentioned", [], pl.String)
    cells = [column.alias("mentioned") for frame in frames if frame.height for column in frame.get_columns()]
    texts = pl.concat([empty, *cells])
    found = texts.filter(texts.str.contains(_NUMBER).fill_null(value=False)).str.extract_all(_NUMBER)
    numbers = found.explode(empty_as_null=True).str.to_uppercase().unique().to_frame("mentioned")
    return numbers.filter(has_valid_check(pl.col("mentioned")).fill_null(value=False))


def loose_columns(mapping: Mapping) -> list[int]:
    """The columns whose header nobody knows, or that stand beside another one of the same meaning."""
    return [column for column, _ in mapping.unmapped] + [column for _, column in mapping.duplicates]


def without_number(used: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """The cells of those rows that hold no number where the ID number belongs."""
    column = mapping.by_field.get("id_number")
    cells = used.drop("_at")
    if column is None:
        return cells
    return cells.filter(~pl.col(f"c{column}").str.contains(_NUMBER).fill_null(value=False))
