"""What report.html is made of: numbers, tables, figures and sections, as data; the template turns them into markup."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from markupsafe import Markup

from fupin_cli.language import on_paper
from fupin_cli.vocabulary import Band, Severity


@dataclass(frozen=True)
class Number:
    """One of the five at the top: what is counted, how many, a word beneath, and the change since the last round."""

    name: str
    count: int
    beneath: str
    change: int | None = None


@dataclass(frozen=True)
class Table:
    """Headers and rows of text; `numbers` are the columns to set right, `whole` those never to break.

    A last row of sums is told by `summed`.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[object]]
    numbers: frozenset[int] = frozenset()
    summed: bool = False
    whole: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Figure:
    """A chart with the table behind it, or a table alone; `open` shows the table at once."""

    title: str
    table: Table
    chart: Markup | None = None
    note: str = ""
    open: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the page, with its anchor, its heading and one sentence on how to read it."""

    anchor: str
    title: str
    figures: Sequence[Figure]
    note: str = ""
    folded: bool = False


@dataclass(frozen=True)
class LedgerTable:
    """A table of the ledger: its code (trend, by_county, precision_by_rule …), title, columns and rows.

    The title, and what stands above each column, are given in Chinese and in English; `english` says values of ours.
    """

    name: str
    title: tuple[str, str]
    columns: Sequence[tuple[str, str, str]]
    rows: pl.DataFrame
    english: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Before:
    """The round before this one: its day, its five numbers, the keys of its clues, and its manifest's hash."""

    as_of: str
    numbers: Sequence[int]
    keys: pl.Series
    manifest: str = ""


@dataclass(frozen=True)
class PageFrames:
    """What the page reads beside the digest, all of one run.

    `decided`: household_id and outcome by the standard that decides of it; `sources`: a row for each source, as sources_shown
    gives them; `links`: LINKS with levels and bits; `traces`: (household, rule) → the lines of the rule's trace, of the cases
    that are shown; `uncompared`: the rules that find entries which skipped the county's comparison; the thresholds are match
    weights in bits. `ledger` and `before` are there where they are known. `said` says what rules wrote in the language that is
    written.
    """

    findings: pl.DataFrame
    cleared: pl.DataFrame
    decided: pl.DataFrame
    households: pl.DataFrame
    links: pl.DataFrame
    sources: pl.DataFrame
    accept_bits: float
    review_bits: float
    uncompared: Sequence[str] = ()
    traces: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    ledger: Sequence[LedgerTable] = ()
    before: Before | None = None
    unmask: bool = False
    said: Callable[[str], str] = str


def five_numbers(told: Mapping[str, Any]) -> tuple[tuple[str, int, str], ...]:
    """Name, count and a word beneath: the people, the clues, whom they touch, and what the exit standard says.

    Notes accuse nobody: they are told beside the clues. `told` is a digest as digest.json has it, of this round or of an
    earlier one; both are counted by their kinds, for older digests called both findings.
    """
    homes = told["households"]
    touched = sum(tally["households"] for tally in told["findings_by_place"])
    kinds = told["findings_by_rule"]
    notes, clues = (
        sum(kind["count"] for kind in kinds if (kind["severity"] == Severity.INFO) is note) for note in (True, False)
    )
    review = sum(kind["count"] for kind in kinds if kind["band"] == Band.REVIEW and kind["severity"] != Severity.INFO)
    beneath = on_paper("under review: {review:,}", review=review) + (
        on_paper("; notes for the county itself: {notes:,}", notes=notes) if notes else ""
    )
    not_met, unknown = (sum(verdict[name] for verdict in told["verdicts"]) for name in ("not_met", "unknown"))
    return (
        (on_paper("Persons on the register"), told["persons"], on_paper("households: {homes:,}", homes=homes)),
        (on_paper("Findings"), clues, beneath),
        (on_paper("Households touched"), touched, _share(touched, homes)),
        (on_paper("Households below the exit standard"), not_met, _share(not_met, homes)),
        (on_paper("Households unknown"), unknown, on_paper("facts are missing: this does not mean met")),
    )


def number_table(
    heads: Sequence[str], rows: Iterable[Sequence[object]], words: int = 1, *, summed: bool = False
) -> Table:
    """A table whose first `words` columns are text and all others numbers."""
    return Table(heads, list(rows), frozenset(range(words, len(heads))), summed=summed)


def _share(part: int, whole: int) -> str:
    return on_paper("{share:.1f}% of the households", share=100 * part / whole) if whole else ""
