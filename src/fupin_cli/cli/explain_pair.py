"""A link by its row numbers: what `fupin explain link:…` means, and its answer from a file that `fupin link` wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from fupin_cli.cli.pairs_shown import DECISIONS
from fupin_cli.errors import BadDataError, UsageError
from fupin_cli.language import pick, tr
from fupin_cli.report.link_words import waterfall, why_review
from fupin_cli.vocabulary import BASES

_TARGET = re.compile(r"link:([0-9]{1,12}):(?:(.+):)?([0-9]{1,12})")
_NEEDED = {"match_weight", "match_probability", "decision", "basis", "tied", "bits_prior"}


def link_named(target: str, *, of_run: bool) -> tuple[int, str | None, int]:
    """Register row, extract and extract row of a target; only a run has several extracts."""
    found = _TARGET.fullmatch(target)
    if found is None or (found[2] is not None) != of_run:
        form = "link:REGISTER_ROW:EXTRACT:EXTRACT_ROW" if of_run else "link:REGISTER_ROW:EXTRACT_ROW"
        example = "fupin explain link:17:hukou:203" if of_run else "fupin explain link:17:203 --run links.parquet"
        raise UsageError(
            tr("a link is named by the rows that it joins"), why=tr("it is written {form}", form=form), try_=example
        )
    return int(found[1]), found[2], int(found[3])


def explain_row_pair(target: str, path: Path) -> list[str]:
    """The links between two rows in a file of `fupin link` or `fupin dedupe`, in words and bits.

    The file holds no names, so none are shown.
    """
    ours, _, theirs = link_named(target, of_run=False)
    links = _read(path)
    sides = ["row", "other_row"] if "other_row" in links.columns else ["register_row", "extract_row"]
    if not _NEEDED | set(sides) <= set(links.columns):
        raise BadDataError(
            tr("this is no file of links"), where=path.name, try_=tr("fupin link A B -o links.parquet writes one")
        )
    found = links.filter(pl.col(sides[0]) == ours, pl.col(sides[1]) == theirs).to_dicts()
    if not found:
        near = links.filter((pl.col(sides[0]) == ours) | (pl.col(sides[1]) == theirs)).select(sides).head(5).rows()
        names = " ".join(f"link:{a}:{b}" for a, b in near)
        raise UsageError(
            tr("no such pair in this file"),
            where=path.name,
            why=tr("rows count from 0 after the header; pairs that have next to nothing in common are not in the file"),
            try_=tr("fupin explain with one of: {names}", names=names)
            if names
            else tr("the columns {sides} list all pairs", sides=" and ".join(sides)),
        )
    lines = []
    for link in found:
        tied = tr(", tied") if link["tied"] else ""
        lines.append(
            tr(
                "rows {ours} ↔ {theirs}: {pick}{tied}",
                ours=ours,
                theirs=theirs,
                pick=pick((DECISIONS[link["decision"]], link["decision"])),
                tied=tied,
            )
        )
        lines.append(tr("  rows {what} and {what_2} below the headers", what=ours + 1, what_2=theirs + 1))
        if link.get("answer") is not None:
            said = tr("one person") if str(link["answer"]).lower() == "true" else tr("two people")
            lines.append(tr("  answered: {said}", said=said))
        lines.append("  " + tr("basis: {basis}", basis=pick(BASES[link["basis"]])))
        lines += [*(f"    {line}" for line in waterfall(link)), *waiting_lines(link)]
    return lines


def waiting_lines(link: Mapping[str, Any]) -> list[str]:
    """Why a link waits for a person, on a line; none of one that does not. It may be all but certain and wait all the same."""
    why = why_review(link)
    return [tr("    waits for review: {why}", why=tr(why))] if why else []


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_csv(path) if path.suffix.lower() == ".csv" else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError):
        raise BadDataError(
            tr("not readable as links"), where=path.name, try_=tr("fupin link A B -o links.parquet writes such a file")
        ) from None
