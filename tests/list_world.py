"""A register, a long list, and the links of both as they are when the list is read at once."""

from pathlib import Path

import polars as pl

from fupin_cli.pairing import link_files
from fupin_cli.synth import PRESETS, generate

KIND = "household_registration"
LINKED = ("links.parquet", "model.toml")


def long_list(folder: Path) -> Path:
    """The folder with both; most of the list are strangers, one row names two people, and some at its end hold nothing."""
    generate(
        folder, seed=81, persons=4_000, errors=PRESETS["bench"], registered_share=0.3, absent_share=0.2, unlisted_share=0.2,
        discrepancies=0.0, kinds=[KIND],
    )  # fmt: skip
    rows = pl.read_parquet(folder / f"{KIND}.parquet")
    known = (
        pl.read_parquet(folder / "register.parquet").drop_nulls("id_number").filter(pl.col("name").str.len_chars() < 4)
    )
    two = pl.DataFrame({name: ["、".join(known[name].head(2))] for name in ("name", "id_number")})
    nothing = pl.DataFrame({rows.columns[0]: [None] * 7}, schema={rows.columns[0]: rows.dtypes[0]})
    rows = pl.concat([rows.head(500), two, rows.slice(500), nothing], how="diagonal")
    rows.write_parquet(folder / "list.parquet")
    link_files(
        folder / "register.parquet", folder / "list.parquet", folder / "links.parquet", save_model=folder / "model.toml"
    )
    return folder
