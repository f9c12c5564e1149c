"""Tables of cases on a terminal: names of places whole, counts at the right."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fupin_cli.language import pick

_WHOLE = {
    "county": 6,
    "township": 6,
    "village": 6,
    "rule_id": 7,
    "department": 8,
    "due": 10,
}  # cells of a few characters are not broken
_COUNTY = ("县区", "county")  # six characters over three would take two lines of every table


_NARROWEST = 8  # of words


def print_table(table: Table) -> None:
    """Prints to stdout: the table is the answer. Where a terminal is too narrow for it, lines run on: no column is lost."""
    least = sum((column.min_width or _NARROWEST) + 1 for column in table.columns) - 1
    Console(highlight=False, width=max(least, Console().width)).print(table, crop=False)


def table_of(columns: Sequence[tuple[str, str]], rows: pl.DataFrame) -> Table:
    """The rows under the given headings, each of which names a column; nothing for null."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    for heading, name in columns:
        number = rows.schema[name].is_numeric()
        table.add_column(
            pick(_COUNTY) if name == "county" else heading,
            justify="right" if number else "left",
            overflow="fold",
            no_wrap=name in ("case_id", "rule_id"),  # are copied
            min_width=_least(heading, rows[name]) if number else _WHOLE.get(name),
        )
    for row in rows.select(name for _, name in columns).rows():
        table.add_row(
            *("" if value is None else escape(value) if isinstance(value, str) else f"{value:,}" for value in row)
        )
    return table


def _least(heading: str, numbers: pl.Series) -> int:
    """Columns that a number keeps: its own, an English word of its heading, two characters of a Chinese one."""
    words = [word for word in heading.split() if word.isascii()]
    longest = numbers.abs().max()
    return max(4, *map(len, words), len(f"{float(longest):,.0f}") if isinstance(longest, int | float) else 0)
