"""The workbooks of a run: for every county one master and one checklist per township, each with its own places only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import polars as pl

from fupin_cli.language import report_language
from fupin_cli.report.checklist import write_checklist
from fupin_cli.report.digest import Digest, in_language_written, titled
from fupin_cli.report.english import each_said
from fupin_cli.report.finding_words import worded
from fupin_cli.report.master import write_master
from fupin_cli.report.master_counts import County
from fupin_cli.report.naming import file_names
from fupin_cli.report.wording import place
from fupin_cli.vocabulary import FINDINGS, HOUSEHOLDS, OUTCOMES, is_note

_PLACES = ("county", "township", "village")
_BY_RULES = ("register_cell", "department_value", "advice")  # what rules put together, in a master


def write_workbooks(
    folder: Path,
    digest: Digest,
    findings: pl.DataFrame,
    outcomes: pl.LazyFrame,
    households: pl.DataFrame,
    titles: Mapping[str, str],
    *,
    as_of: date,
    mask_ids: bool = False,
    said: Callable[[str], str] = str,
) -> list[Path]:
    """The paths of all workbooks written under the folder, sorted; every file is readable by its owner only.

    `said` says what rules wrote in the language that masters are written in.
    `outcomes` are read county by county: those of a province need not be held at once.
    A finding without a village goes to the township's sheet 未定村, one without a township to the county master only. So
    does one of severity info: it asks the county to mend its own work, and no village can answer it.
    """
    with report_language() as language:
        own_digest = in_language_written(digest, said)
    titles = titles if language == "zh" else {rule.rule_id: rule.title for rule in own_digest.rules}
    homes = located(HOUSEHOLDS.conform(households))
    written: list[Path] = []
    place_of = located(findings.select(_PLACES))
    counties = names(pl.concat([place_of.select("county"), homes.select("county")]), "county")
    for name, safe in zip(counties, file_names(place(name, "county") for name in counties), strict=True):
        found = ordered(located(FINDINGS.conform(findings.filter(place_of["county"].eq_missing(name)))))
        told = ours = worded(found, mask_ids=mask_ids)  # for the villages
        if language != "zh":
            with report_language():
                ours = worded(titled(found, digest), mask_ids=mask_ids)
            ours = each_said(ours, said, *_BY_RULES)
        here = homes.filter(pl.col("county").eq_missing(name))
        county = County(
            name=place(name, "county"),
            findings=numbered(ours.filter(~is_note())),
            notes=ours.filter(is_note()),
            households=here,
            outcomes=outcomes_in(outcomes, here),
            said=said,
        )
        master = folder / safe / f"{safe}_疑点总表_{as_of}.xlsx"
        written.append(write_master(master, county, own_digest, titles, as_of))
        written.extend(_write_checklists(folder / safe, safe, county.name, told.filter(~is_note()), digest, as_of))
    return sorted(written)


def outcomes_in(outcomes: pl.LazyFrame, households: pl.DataFrame) -> pl.DataFrame:
    """OUTCOMES of these households."""
    mine = households.lazy().select("household_id")
    return OUTCOMES.conform(outcomes.join(mine, on="household_id", how="semi", maintain_order="left").collect())


def _write_checklists(
    folder: Path, prefix: str, county: str, findings: pl.DataFrame, digest: Digest, as_of: date
) -> list[Path]:
    townships = [name for name in names(findings, "township") if name is not None]
    paths = []
    for township, safe in zip(townships, file_names(townships), strict=True):
        ours = findings.filter(pl.col("township") == township)
        villages = [
            (place(village, "village"), numbered(ours.filter(pl.col("village").eq_missing(village))))
            for village in names(ours, "village")
        ]
        path = folder / f"{prefix}_{safe}_疑点核查表_{as_of}.xlsx"
        paths.append(write_checklist(path, county, township, villages, digest, as_of))
    return paths


def names(frame: pl.DataFrame, level: str) -> list[str | None]:
    """The places of one level, sorted, the unknown one last."""
    return frame.select(pl.col(level).unique()).sort(level, nulls_last=True)[level].to_list()


def located(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with blank place names as null, so that one place has one name."""
    trimmed = pl.col(*_PLACES).str.strip_chars()
    return frame.with_columns(trimmed).with_columns(pl.when(pl.col(*_PLACES) != "").then(pl.col(*_PLACES)).name.keep())


def ordered(findings: pl.DataFrame) -> pl.DataFrame:
    """Findings by place, then household by household; what concerns a whole household comes before its members."""
    hamlet = pl.col("hamlet").min().over("county", "township", "village", "household_id")
    by = [
        *_PLACES,
        hamlet,
        "household_id",
        pl.col("register_row").fill_null(-1),
        "rule_id",
        "finding_key",
        *FINDINGS.names,
    ]
    return findings.sort(by, nulls_last=True, maintain_order=True)


def numbered(findings: pl.DataFrame) -> pl.DataFrame:
    """The findings of one sheet, numbered from 1, with the block number of each household for its shade."""
    # Without a household every finding is its own block.
    who = pl.coalesce("household_id", "finding_key")
    return findings.with_columns(
        pl.int_range(1, pl.len() + 1).alias("seq"),
        who.rle_id().cast(pl.Int64).alias("household_block"),
    )
