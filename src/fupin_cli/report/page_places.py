"""The tree of the page: county → township → village, with the findings and the households not met of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from fupin_cli.report.wording import place
from fupin_cli.vocabulary import PLACES, Band, Outcome, is_note

MOST_VILLAGES = 1_000  # beyond, a province's: the page keeps to townships, and the workbooks have the rest
_COUNTS = ("findings", "review", "notes", "touched", "homes", "not_met", "unknown")


@dataclass
class Place:
    """A place with its counts and the places in it; `township` is a path for the filter of cases, county/township.

    Its `findings` are the clues; `notes`, which accuse nobody, are counted apart.
    """

    name: str
    path: str
    counts: dict[str, int]
    below: list[Place] = field(default_factory=list)

    @property
    def parts(self) -> tuple[tuple[int, str], ...]:
        """The two parts of its bar: accepted and under review."""
        return (self.counts["findings"] - self.counts["review"], "accepted"), (self.counts["review"], "review")


def places(findings: pl.DataFrame, households: pl.DataFrame, decided: pl.DataFrame) -> list[Place]:
    """The counties with all that lies in them, those without a name last; villages only where they are not too many."""
    homes = households.select("household_id", *PLACES).unique("household_id", keep="first", maintain_order=True)
    homes = homes.join(decided.select("household_id", "outcome"), on="household_id", how="left", maintain_order="left")
    levels = [_counted(findings, homes, PLACES[:depth]) for depth in (1, 2, 3)]
    if levels[2].height > MOST_VILLAGES:
        levels.pop()
    found: dict[tuple[str | None, ...], Place] = {}
    roots: list[Place] = []
    for depth, level in enumerate(levels, 1):
        for *names, counts in level.select(*PLACES[:depth], pl.struct(_COUNTS)).rows():
            words = [place(name, kind) for name, kind in zip(names, PLACES, strict=False)]
            one = Place(words[-1], "/".join(words[:2]), counts)
            found[tuple(names)] = one
            (found[tuple(names[:-1])].below if depth > 1 else roots).append(one)
    return roots


def _counted(findings: pl.DataFrame, homes: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    note = is_note()
    asked = findings.group_by(by).agg(
        (~note).sum().cast(pl.Int64).alias("findings"),
        (pl.col("band").eq_missing(Band.REVIEW) & ~note).sum().cast(pl.Int64).alias("review"),
        note.sum().cast(pl.Int64).alias("notes"),
        pl.col("household_id").filter(~note).drop_nulls().n_unique().cast(pl.Int64).alias("touched"),
    )
    judged = homes.group_by(by).agg(
        pl.len().cast(pl.Int64).alias("homes"),
        *(
            (pl.col("outcome") == kind).fill_null(value=False).sum().cast(pl.Int64).alias(kind.value)
            for kind in (Outcome.NOT_MET, Outcome.UNKNOWN)
        ),
    )
    met = asked.join(judged, on=by, how="full", coalesce=True, nulls_equal=True)
    return met.with_columns(pl.col(*_COUNTS).fill_null(0)).sort(by, nulls_last=True)
