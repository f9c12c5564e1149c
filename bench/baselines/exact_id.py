"""The floor: scan both files, join on the ID as it stands but for blanks and capitals, write the pairs."""

import sys

import polars as pl

register, extract, output = sys.argv[1:]
key = pl.col("id_number").str.strip_chars().str.to_uppercase()
paths = ((register, "register_row"), (extract, "extract_row"))
sides = [pl.scan_parquet(path).select(key.alias("id")).with_row_index(row) for path, row in paths]
# a cell without a number ("", 无) is nobody's
sides = [side.filter(pl.col("id").str.len_bytes() >= 15) for side in sides]
sides[0].join(sides[1], on="id").select(pl.col("register_row", "extract_row").cast(pl.Int64)).sink_parquet(output)
