"""Clerical review: what people are asked about pairs in doubt, and what they answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from fupin_cli.errors import BadDataError, Place, UsageError
from fupin_cli.ingest import Ask, People, no_password
from fupin_cli.language import tr
from fupin_cli.linkage.blocking import PAIR
from fupin_cli.linkage.clusters import clusters
from fupin_cli.linkage.evaluation import audit, draw
from fupin_cli.linkage.labels import decide_as_answered, relearn
from fupin_cli.linkage.stages import link_and_learn
from fupin_cli.pairs import LinkedFiles, counted, in_files
from fupin_cli.report.review_answers import read_answers
from fupin_cli.report.review_book import SIDES, VALUES, Part, check_codes, write_review_book
from fupin_cli.vocabulary import Decision

SAMPLE = 200  # pairs of each audit sample: if all are right, at least 98 % of the band are (Wilson, 95 %)


def given_answers(labels: Sequence[Path], ask: Ask) -> pl.DataFrame | None:
    """What stands in answered review workbooks; None without any."""
    return read_answers(labels, ask) if labels else None


def with_values(links: pl.DataFrame, ours: People, theirs: People) -> pl.DataFrame:
    """The links with what both sides' rows say: register_name, extract_name … (see review_book.VALUES)."""
    for side, row, people in zip(SIDES, PAIR, (ours, theirs), strict=True):
        shown = people.shown.select(pl.col("at").alias(row), *(pl.col(v).alias(f"{side}_{v}") for v in VALUES))
        links = links.join(shown, on=row, how="left", maintain_order="left")
    return links


def with_labels(found: LinkedFiles, answers: pl.DataFrame) -> tuple[pl.DataFrame, LinkedFiles]:
    """The links weighed anew and decided as answered, with `answer`; and what the answers say of the links as they were."""
    ours, theirs = found.people
    refuse_other_rows(answers, ours, theirs)
    asked = with_answers(found.links, ours, theirs, answers)
    learned = relearn(asked, ours.keys, theirs.keys, found.model)
    links = link_and_learn(ours.keys, theirs.keys, learned).links
    links = with_answers(links, ours, theirs, answers)
    # a pair that nobody would look at any more is still a pair that somebody was asked about
    gone = asked.filter(pl.col("answer").is_not_null()).join(links, on=PAIR, how="anti")
    links = decide_as_answered(pl.concat([links, gone]).sort(PAIR))
    return links, replace(found, model=learned, audit=audit(asked), answers=counted(answers, asked))


def with_answers(links: pl.DataFrame, ours: People, theirs: People, answers: pl.DataFrame) -> pl.DataFrame:
    """The links with `answer`: true, false or null."""
    rows = in_files(links, ours, theirs).select(PAIR).with_row_index("link")
    asked = rows.join(answers.select(PAIR).unique(), on=PAIR, how="semi")
    # a row may speak of several people: the code tells which of them
    codes = check_codes(with_values(links[asked["link"]], ours, theirs))
    asked = asked.with_columns(pl.Series("check", codes, pl.String))
    found = asked.join(answers.select(*PAIR, "check", "answer"), on=[*PAIR, "check"], how="inner")
    told = pl.repeat(None, links.height, dtype=pl.Boolean, eager=True).scatter(found["link"], found["answer"])
    return links.with_columns(told.alias("answer"))


def refuse_other_rows(answers: pl.DataFrame, ours: People, theirs: People) -> None:
    """Raises BadDataError unless every answer is about rows that look as they did when the workbook was written."""
    both = answers.with_row_index("nth")
    for side, row, people in zip(SIDES, PAIR, (ours, theirs), strict=True):
        values = people.shown.select(
            people.rows_of(people.shown["at"]).alias(row),
            *(pl.col(v).alias(f"{side}_{v}") for v in ("name", "id_number")),
        )
        both = both.join(values.with_columns(pl.lit(value=True).alias(f"in_{side}")), on=row, how="left")
    there = both.filter(pl.all_horizontal(f"in_{side}" for side in SIDES))
    same = there.filter(pl.Series(check_codes(there), dtype=pl.String) == there["check"])["nth"]
    others = answers.with_row_index("nth").filter(~pl.col("nth").is_in(same.implode()))
    if others.height:
        first = others.row(0, named=True)
        raise BadDataError(
            tr("this answer is about other rows than these two files hold"),
            where=Place(first["source"], first["sheet"], first["row"]),
            why=tr(
                "{height} of {height_2} answers are: files were exchanged, sorted or changed since the "
                "workbook was written, or its check codes were",
                height=others.height,
                height_2=answers.height,
            ),
            try_=tr("fupin link with the files from which the workbook was made, in the same order"),
        )


def refuse_answered(review: Path | None, ask: Ask = no_password) -> None:
    """Refuses to write a workbook over one that people have answered, or over any other file."""
    if review is None or not review.exists():
        return
    try:
        answers = read_answers([review], ask).height
    except BadDataError:
        raise UsageError(
            tr("there is a file of this name, and it is no review workbook"),
            where=review.name,
            try_=tr("--review with another name"),
        ) from None
    if answers:
        raise UsageError(
            tr("this workbook holds {answers} answers, which would be lost", answers=answers),
            where=review.name,
            try_=tr(
                "--labels {name} to read them, --review with another name for what is still to be asked",
                name=review.name,
            ),
        )


def write_review(
    target: Path, links: pl.DataFrame, ours: People, theirs: People, files: Mapping[str, str], back: str | None
) -> None:
    """Writes the pairs in doubt, and samples of the accepted and rejected ones, for a person to answer."""
    bands = {d: links.filter(pl.col("decision") == d.value) for d in Decision}
    open_ = {
        d: band.filter(pl.col("answer").is_null()) if "answer" in links.columns else band for d, band in bands.items()
    }
    doubtful = ("待核", Decision.REVIEW, open_[Decision.REVIEW], "程序拿不准的，须由人判断。")
    chosen = [
        doubtful,
        ("抽查_认定", Decision.ACCEPTED, draw(open_[Decision.ACCEPTED], SAMPLE), "随机抽取，用来推算认定的准确率。"),
        ("抽查_不认定", Decision.REJECTED, draw(open_[Decision.REJECTED], SAMPLE), "随机抽取，用来推算漏掉多少。"),
    ]
    if ours is theirs:  # nothing is estimated of duplicates: all of them are to be put right
        chosen = [doubtful, ("重复", Decision.ACCEPTED, open_[Decision.ACCEPTED], "认定为同一人，请核对后改正原表。")]
    parts = []
    for name, decision, pairs, why in chosen:
        grouped = _together(pairs, one_list=ours is theirs)
        seen = in_files(with_values(grouped, ours, theirs), ours, theirs)
        parts.append(Part(name, seen, bands[decision].height, why))
    write_review_book(target, parts, files, back)


def _together(pairs: pl.DataFrame, *, one_list: bool) -> pl.DataFrame:
    """The pairs with `group`, counted from 1: those that share a row are rivals and stand together, the likeliest first."""
    if not pairs.height:
        return pairs.with_columns(pl.lit(0, pl.Int64).alias("group"))
    ours, theirs = (pairs[row].to_numpy() for row in PAIR)
    behind = 0 if one_list else int(ours.max()) + 1
    first = clusters(ours, theirs + behind, int(max(ours.max(), theirs.max() + behind)) + 1)[ours]
    pairs = pairs.with_columns(pl.Series("group", np.unique(first, return_inverse=True)[1] + 1, dtype=pl.Int64))
    return pairs.sort("group", "match_weight", *PAIR, descending=[False, True, False, False])
