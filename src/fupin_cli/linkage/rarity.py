"""How common the values of any column are: the commoner, the less it says that two people share one.

The chance that somebody else bears a value is counted among the others who bear it; for one that was seen once there are none to
count, and Good and Turing (Good 1953) tell from how many values were seen twice how many more are to come.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from fupin_cli.linkage.blocking import PAIR


def log_frequency(pairs: pl.DataFrame, r: pl.DataFrame, e: pl.DataFrame, part: str) -> np.ndarray:
    """Log2 of how common the commoner of the two values is among other people of both lists; 0 where both are null."""
    counts = [_others(side[part]) for side in (r, e)]
    n = max(sum(side[part].count() for side in (r, e)), 1)
    both = pl.concat(counts).group_by(part).agg((pl.col("others").sum() / n).log(2).alias("bits"))
    found = [
        side.select(part).join(both, on=part, how="left", maintain_order="left")["bits"].gather(pairs[row])
        for side, row in zip((r, e), PAIR, strict=True)
    ]
    return (
        pl.DataFrame({"r": found[0], "e": found[1]})
        .select(pl.max_horizontal("r", "e").fill_null(0.0))
        .to_series()
        .to_numpy()
    )


def _others(values: pl.Series) -> pl.DataFrame:
    """Each value of a list with how many others are expected to bear it, besides the one who was seen."""
    known = values.drop_nulls().to_frame().group_by(values.name).len("people")
    once, twice = (int((known["people"] == n).sum()) for n in (1, 2))
    unseen = min(1.0, 2 * (twice + 0.5) / (once + 1))
    return known.select(
        values.name, pl.max_horizontal(pl.col("people").cast(pl.Float64) - 1, pl.lit(unseen)).alias("others")
    )
