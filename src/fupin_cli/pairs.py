"""Pairs of people between two files, or inside one: whose rows they are, what a person is asked about them, what was answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from fupin_cli.errors import BadDataError, Place
from fupin_cli.ingest import Ask, People, no_password
from fupin_cli.linkage.clusters import clusters
from fupin_cli.linkage.evaluation import Audit, Expected, draw
from fupin_cli.linkage.model import Model
from fupin_cli.report.review_answers import read_answers
from fupin_cli.report.review_book import SIDES, VALUES, Part, check_codes, write_review_book
from fupin_cli.vocabulary import Decision

SAMPLE = 200  # pairs of each audit sample: if all are right, at least 98 % of the band are (Wilson, 95 %)
_ROWS = ["register_row", "extract_row"]


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
    rows = (people.rows_of(links[row]).alias(row) for row, people in zip(_ROWS, (ours, theirs), strict=True))
    return links.with_columns(*rows)


def with_values(links: pl.DataFrame, ours: People, theirs: People) -> pl.DataFrame:
    """The links with what both sides' rows say: register_name, extract_name … (see review_book.VALUES)."""
    for side, row, people in zip(SIDES, _ROWS, (ours, theirs), strict=True):
        shown = people.shown.select(pl.col("at").alias(row), *(pl.col(v).alias(f"{side}_{v}") for v in VALUES))
        links = links.join(shown, on=row, how="left", maintain_order="left")
    return links


def with_answers(links: pl.DataFrame, ours: People, theirs: People, answers: pl.DataFrame) -> pl.DataFrame:
    """The links with `answer`: true, false or null. Raises BadDataError where the answers are about other files than these."""
    rows = in_files(links, ours, theirs)
    at = rows.with_row_index("link").join(answers.select(_ROWS).unique(), on=_ROWS, how="semi")["link"]
    asked = (
        rows[at]
        .select(_ROWS)
        .with_columns(
            at.alias("link"), pl.Series("check", check_codes(with_values(links[at], ours, theirs)), pl.String)
        )
    )
    found = asked.join(answers, on=[*_ROWS, "check"], how="inner")
    others = answers.join(asked, on=_ROWS, how="semi").join(found, on=_ROWS, how="anti")
    if others.height or (answers.height and not found.height):
        first = (others if others.height else answers).row(0, named=True)
        raise BadDataError(
            "this answer is about other rows than these two files hold",
            where=Place(first["source"], first["sheet"], first["row"]),
            why="files were exchanged, sorted or changed since the workbook was written, or its check code was",
            try_="fupin link with the files from which the workbook was made, in the same order",
        )
    told = pl.repeat(None, links.height, dtype=pl.Boolean, eager=True).scatter(found["link"], found["answer"])
    return links.with_columns(told.alias("answer"))


def answers_of(labels: Sequence[Path], ask: Ask = no_password) -> pl.DataFrame | None:
    """What the workbooks say, or None without any."""
    return read_answers(labels, ask) if labels else None


def counted(answers: pl.DataFrame, links: pl.DataFrame) -> tuple[int, int, int, int]:
    """How many answers say yes, no and cannot tell, and how many sure ones are about pairs that are no candidates any more."""
    said = [int((answers["answer"] == value).sum()) for value in (True, False)]
    used = links["answer"].count() if "answer" in links.columns else 0
    return said[0], said[1], answers["answer"].null_count(), sum(said) - used


def write_review(
    target: Path, links: pl.DataFrame, ours: People, theirs: People, files: Mapping[str, str], back: str | None
) -> None:
    """Writes the pairs in doubt, and samples of the accepted and rejected ones, for a person to answer."""
    bands = {d: links.filter(pl.col("decision") == d.value) for d in Decision}
    if "answer" in links.columns:
        bands[Decision.REVIEW] = bands[Decision.REVIEW].filter(pl.col("answer").is_null())
    chosen = (
        ("待核", Decision.REVIEW, bands[Decision.REVIEW], "程序拿不准的，须由人判断。"),
        ("抽查_认定", Decision.ACCEPTED, draw(bands[Decision.ACCEPTED], SAMPLE), "随机抽取，用来推算认定的准确率。"),
        ("抽查_不认定", Decision.REJECTED, draw(bands[Decision.REJECTED], SAMPLE), "随机抽取，用来推算漏掉多少。"),
    )
    parts = []
    for name, decision, pairs, why in chosen:
        grouped = _together(pairs, one_list=ours is theirs)
        seen = in_files(with_values(grouped, ours, theirs), ours, theirs)
        parts.append(Part(name, seen, bands[decision].height, why))
    write_review_book(target, parts, files, back)


def add_clusters(pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs of one list with `cluster`: the first row of all whom accepted pairs make one person; null for other pairs."""
    accepted = pl.col("decision") == Decision.ACCEPTED.value
    ours, theirs = (pairs.filter(accepted)[row].to_numpy() for row in _ROWS)
    first = clusters(ours, theirs, 1 + max(int(pairs[row].to_numpy().max(initial=0)) for row in _ROWS))
    return pairs.with_columns(
        pl.when(accepted).then(pl.Series(first[pairs[_ROWS[0]].to_numpy()], dtype=pl.Int64)).alias("cluster")
    )


def _together(pairs: pl.DataFrame, *, one_list: bool) -> pl.DataFrame:
    """The pairs with `group`, counted from 1: those that share a row are rivals and stand together, the likeliest first."""
    if not pairs.height:
        return pairs.with_columns(pl.lit(0, pl.Int64).alias("group"))
    ours, theirs = (pairs[row].to_numpy() for row in _ROWS)
    behind = 0 if one_list else int(ours.max()) + 1
    first = clusters(ours, theirs + behind, int(max(ours.max(), theirs.max() + behind)) + 1)[ours]
    pairs = pairs.with_columns(pl.Series("group", np.unique(first, return_inverse=True)[1] + 1, dtype=pl.Int64))
    return pairs.sort("group", "match_weight", *_ROWS, descending=[False, True, False, False])
