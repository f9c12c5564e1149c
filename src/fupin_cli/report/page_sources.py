"""How sound each source is: its day, its reach, its rows, its ID numbers, and how many people it led to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from fupin_cli.vocabulary import STAGES

REGISTER = "register"
_SOUND = ("valid", "from_15", "from_disability")
_COUNTS = ("rows_read", "rows_used", "rows_set_aside", "people", "valid", "broken", "absent", "linked", "waiting")
_WORDS = ("extract", "department", "kind", "stage", "as_of", "coverage")


def sources_shown(
    register_as_of: date,
    extracts: pl.DataFrame,
    accounts: pl.DataFrame,
    identities: Iterable[pl.DataFrame],
    links: pl.DataFrame,
) -> pl.DataFrame:
    """A row for the register and one for each extract, by stage and name.

    `accounts` are ACCOUNTS with `extract`; `identities` hold `extract`, `name`, `id_raw` and `id_status` of every row.
    `people` counts the rows that name somebody: photos and villages name nobody. `linked` are register persons
    found in the source, `waiting` those of whom it is not sure yet.
    """
    stage = pl.col("stage").replace_strict(STAGES, range(len(STAGES)), default=len(STAGES), return_dtype=pl.Int64)
    extracts = extracts.sort(stage, "extract")
    one = pl.DataFrame({"extract": [REGISTER], "as_of": [register_as_of]})
    told = pl.concat([one, extracts.drop("complete", "mentioned", strict=False)], how="diagonal_relaxed")
    rows = accounts.group_by("extract").agg(pl.col("rows_read", "rows_used", "rows_set_aside").sum())
    named = pl.any_horizontal(pl.col("name", "id_raw").is_not_null())
    status = pl.col("id_status")
    ids = pl.concat([frame.lazy().filter(named).select("extract", "id_status") for frame in identities])
    ids = ids.group_by("extract").agg(
        pl.len().cast(pl.Int64).alias("people"),
        status.is_in(_SOUND).sum().cast(pl.Int64).alias("valid"),
        status.eq_missing("missing").sum().cast(pl.Int64).alias("absent"),
    )
    told = told.join(ids.collect(), on="extract", how="left", maintain_order="left")
    told = told.with_columns(broken=pl.col("people") - pl.col("valid") - pl.col("absent"))
    found = links.group_by("extract").agg(
        pl.col("register_row").filter(pl.col("decision") == decision).n_unique().cast(pl.Int64).alias(name)
        for decision, name in (("accepted", "linked"), ("review", "waiting"))
    )
    for frame in (rows, found):
        told = told.join(frame, on="extract", how="left", maintain_order="left")
    return told.select(*_WORDS, pl.col(_COUNTS).fill_null(0))
