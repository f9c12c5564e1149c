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


def print_table(table: Table) -> None:
    """Prints to stdout: the table is the answer."""
    Console(highlight=False).print(table)


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
            min_width=4 if number else _WHOLE.get(name),  # two characters of a heading stand side by side
        )
    for row in rows.select(name for _, name in columns).rows():
        table.add_row(
            *("" if value is None else escape(value) if isinstance(value, str) else f"{value:,}" for value in row)
        )
    return table
