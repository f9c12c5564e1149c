"""Who a row speaks of: the cleaned name, ID number and place beside the raw ones."""

from __future__ import annotations

import polars as pl

from fupin_cli.normalise.id_number import clean_id_numbers
from fupin_cli.normalise.person_name import clean_names
from fupin_cli.normalise.regions import place_keys


def add_identity(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every column of vocabulary.IDENTITY; a raw column that is absent counts as missing.

    A former name, where the file has one, gets a key of its own (`former_name_key`).
    """
    blank = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    name_raw = frame["name_raw"] if "name_raw" in frame.columns else blank
    id_raw = frame["id_raw"] if "id_raw" in frame.columns else blank
    added = [
        name_raw.alias("name_raw").to_frame(),
        id_raw.alias("id_raw").to_frame(),
        clean_names(name_raw),
        clean_id_numbers(id_raw),
        place_keys(frame),
    ]
    if "former_name" in frame.columns:
        former = clean_names(frame["former_name"])
        added.append(former.select(pl.col("name").alias("former_name"), pl.col("name_key").alias("former_name_key")))
    new = pl.concat(added, how="horizontal")
    kept = frame.drop([c for c in new.columns if c in frame.columns])
    for name, dtype in (("birth_on", pl.Date), ("sex", pl.String)):
        if name not in kept.columns:
            kept = kept.with_columns(pl.lit(None, dtype).alias(name))
    return pl.concat([kept, new], how="horizontal")
