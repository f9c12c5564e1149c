"""Control totals of every file and sheet: rows read, used, set aside by reason, hidden, and given back to be mended."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fupin_cli.report.set_aside_rows import Fate, with_fate
from fupin_cli.vocabulary import ACCOUNTS, EXTRACTS


@dataclass(frozen=True)
class Tally:
    """How many of one thing: rows per reason, persons per ID status, households per county. No label: not given."""

    label: str | None
    count: int


@dataclass(frozen=True)
class SourceAccount:
    """The control total of one sheet: read = used + set aside, or the account does not balance.

    Hidden rows and columns are read like all others. `rows_returned` are those of the rows set aside that whoever sent
    them is asked to mend. A workbook that two extracts share has an account for each. `counties` are those whose rows the
    sheet holds; empty where that is not known.
    """

    source: str
    sheet: str | None
    rows_read: int
    rows_used: int
    rows_set_aside: int
    rows_hidden: int
    columns_hidden: int
    reasons: tuple[Tally, ...]
    rows_returned: int = 0
    counties: tuple[str, ...] = ()
    extract: str | None = None

    @property
    def balanced(self) -> bool:
        """Whether every row read was used, or set aside with a reason."""
        return (
            self.rows_read
            == self.rows_used + self.rows_set_aside
            == self.rows_used + sum(r.count for r in self.reasons)
        )

    @property
    def rows_footer(self) -> int:
        """Totals and signatures below the table, which are part of the rows set aside."""
        return sum(reason.count for reason in self.reasons if reason.label == "footer")

    @property
    def other_reasons(self) -> tuple[Tally, ...]:
        """Why the rows were set aside that are no footer."""
        return tuple(reason for reason in self.reasons if reason.label != "footer")


def source_accounts(
    accounts: pl.DataFrame, set_aside: pl.DataFrame, counties: dict[str, tuple[str, ...]]
) -> tuple[SourceAccount, ...]:
    """One account per row of ACCOUNTS, sorted by file and sheet, each with the reasons of its own rows of SET_ASIDE.

    A workbook may serve two extracts; where both frames have the column `extract`, each gets its own reasons.
    """
    told = "extract" in accounts.columns and "extract" in set_aside.columns
    place = ["source", "sheet", "extract"] if told else ["source", "sheet"]
    by = [*place, "set_aside_reason"]
    returned = (pl.col("fate") == Fate.RETURNED).sum().cast(pl.Int64).alias("returned")
    counts = with_fate(set_aside).group_by(by).agg(pl.len().cast(pl.Int64), returned).sort(by, nulls_last=True)
    reasons: dict[tuple[str | None, ...], list[Tally]] = {}
    to_mend: dict[tuple[str | None, ...], int] = {}
    for *names, reason, count, back in counts.rows():
        where = tuple(names)
        reasons.setdefault(where, []).append(Tally(reason, count))
        to_mend[where] = to_mend.get(where, 0) + back
    columns = [*ACCOUNTS.names, *({"extract"} & set(accounts.columns))]
    sheets = accounts.select(columns).sort(place, nulls_last=True, maintain_order=True).to_dicts()
    known = {tuple(sheet[name] for name in place) for sheet in sheets}
    # A reason without an account would be a row lost from sight: give it an account that cannot balance.
    nothing = {name: 0 for name in ACCOUNTS.names if name not in place}
    lost = [dict(zip(place, where, strict=True)) | nothing for where in reasons if where not in known]
    return tuple(
        SourceAccount(
            **sheet,
            reasons=tuple(reasons.get(where, ())),
            rows_returned=to_mend.get(where, 0),
            counties=counties.get(sheet["source"], ()),
        )
        for sheet in [*sheets, *lost]
        for where in [tuple(sheet[name] for name in place)]
    )


def counties_of_sources(
    persons: pl.DataFrame, accounts: pl.DataFrame, extracts: pl.DataFrame
) -> dict[str, tuple[str, ...]]:
    """The counties of each file: its persons' for a register, its coverage for an extract, where accounts say whose."""
    pairs = [persons.select("source", "county")]
    if "extract" in accounts.columns:
        covered = EXTRACTS.conform(extracts).select("extract", county="coverage").explode("county")
        pairs.append(accounts.join(covered, on="extract", maintain_order="left").select("source", "county"))
    known = pl.concat(pairs).drop_nulls().unique().sort("source", "county")
    grouped = known.group_by("source", maintain_order=True).agg("county")
    return {source: tuple(counties) for source, counties in grouped.rows()}
