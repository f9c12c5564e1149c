"""Pairs of people between two files, or inside one: whose rows they are, how many were answered, who is one person."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fupin_cli.ingest import People
from fupin_cli.linkage.blocking import PAIR
from fupin_cli.linkage.clusters import clusters
from fupin_cli.linkage.evaluation import Audit, Expected
from fupin_cli.linkage.model import Model
from fupin_cli.vocabulary import Decision


@dataclass(frozen=True)
class LinkedFiles:
    """The links of two files as written, who was read, the model that weighed them, and what is known of their quality.

    `expected` needs no labels; `audit` is about the links before answers decided any. `answers` counts yes, no, cannot tell, and
    the sure ones whose pair is no candidate any more.
    """

    links: pl.DataFrame
    people: tuple[People, People]
    model: Model
    expected: Expected | None
    audit: Audit | None = None
    answers: tuple[int, int, int, int] = (0, 0, 0, 0)


def in_files(links: pl.DataFrame, ours: People, theirs: People) -> pl.DataFrame:
    """The links with row numbers of the files, which differ from those of keys where a row speaks of several people."""
    rows = (people.rows_of(links[row]).alias(row) for row, people in zip(PAIR, (ours, theirs), strict=True))
    return links.with_columns(*rows)


def counted(answers: pl.DataFrame, links: pl.DataFrame) -> tuple[int, int, int, int]:
    """How many answers say yes, no and cannot tell, and how many sure ones are about pairs that are no candidates any more."""
    said = [int((answers["answer"] == value).sum()) for value in (True, False)]
    used = links["answer"].count() if "answer" in links.columns else 0
    return said[0], said[1], answers["answer"].null_count(), sum(said) - used


def add_clusters(pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs of one list with `cluster`: the first row of all whom accepted pairs make one person; null for other pairs."""
    accepted = pl.col("decision") == Decision.ACCEPTED.value
    ours, theirs = (pairs.filter(accepted)[row].to_numpy() for row in PAIR)
    first = clusters(ours, theirs, 1 + max(int(pairs[row].to_numpy().max(initial=0)) for row in PAIR))
    return pairs.with_columns(
        pl.when(accepted).then(pl.Series(first[pairs[PAIR[0]].to_numpy()], dtype=pl.Int64)).alias("cluster")
    )
