"""Which cases somebody asks for, as conditions on their columns. A name that no case has is a slip of the pen, and is told."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from fupin_cli.cases.ledger import Ledger
from fupin_cli.errors import UsageError, typed
from fupin_cli.language import later, listed, tr
from fupin_cli.layout import in_ledger
from fupin_cli.vocabulary import PLACES

_WORDS = {  # columns as people call them
    "county": later("county"),
    "township": later("township"),
    "village": later("village"),
    "rule_id": later("rule"),
    "severity": later("severity"),
    "household": later("household"),
    "sent_batch": later("batch"),
}
_NAMED = 8  # names that an error offers


def chosen(ledger: Ledger, asked: Mapping[str, str | int | None]) -> tuple[list[str], list[str | int]]:
    """The terms of a condition and their values, for the columns that something is asked of.

    Raises UsageError for a value that no case has: an empty list would be read as good news.
    """
    given = {column: value for column, value in asked.items() if value is not None}
    for column, value in given.items():
        wider = PLACES[: PLACES.index(column)] if column in PLACES else ()
        within = {level: given[level] for level in wider if level in given}
        if not _any(ledger, within | {column: value}):
            raise _unknown(ledger, column, value, within)
    return [f"{column} = ?" for column in given], list(given.values())


def _any(ledger: Ledger, wanted: Mapping[str, str | int]) -> bool:
    where = " AND ".join(f"{column} = ?" for column in wanted)
    return bool(ledger.rows(f"SELECT 1 FROM cases WHERE {where} LIMIT 1", list(wanted.values())))


def _unknown(ledger: Ledger, column: str, value: str | int, within: Mapping[str, str | int]) -> UsageError:
    """The error, with the name that may have been meant, or those that there are."""
    where = " AND ".join([f"{column} IS NOT NULL", *(f"{level} = ?" for level in within)])
    query = f"SELECT DISTINCT {column} AS name FROM cases WHERE {where} ORDER BY 1"
    known = [str(row["name"]) for row in ledger.rows(query, list(within.values()))]
    near = difflib.get_close_matches(str(value), known, n=1, cutoff=0.5)
    place = "".join(str(name) for name in within.values())
    offered = near or known[:_NAMED]
    more = "…" if len(known) > len(offered) and not near else ""
    return UsageError(
        tr(
            "no case{what} has the {what_2} {value}",
            what=tr(" in {place}", place=place) if place else "",
            what_2=tr(_WORDS.get(column, column)),
            value=value,
        ),
        why=tr("none is called that"),
        try_=(
            tr("did you mean: {names}", names=listed(offered))
            if near
            else tr("one of: {names}", names=listed(offered) + more)
        )
        if known
        else typed("fupin", "cases", "stats", *in_ledger(ledger.folder)),
    )
