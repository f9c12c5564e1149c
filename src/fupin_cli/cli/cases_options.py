"""What the commands of `fupin cases` share: where the ledger is, which day it is, how a case is named."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from fupin_cli.cases.keys import read_case_id
from fupin_cli.cli.console import home
from fupin_cli.cli.groups import Workbook
from fupin_cli.errors import UsageError
from fupin_cli.language import tr
from fupin_cli.layout import CASES


class Day(click.ParamType[date]):
    """A day, as 2019-11-30."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day, or click's own complaint."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(tr("{value!r} is no day; write 2019-11-30", value=value), param, ctx)


class Batch(click.ParamType[int]):
    """A batch, as B0001."""

    name = "batch"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Its number, or click's own complaint."""
        digits = str(value).upper().removeprefix("B")
        if not digits.isdecimal():
            self.fail(tr("{value!r} is no batch; write B0001, as it stands on the workbooks", value=value), param, ctx)
        return int(digits)


def today() -> date:
    """The day on which the command is typed."""
    return datetime.now(tz=UTC).astimezone().date()


def case_number(text: str) -> str:
    """A case's number as typed, in its one form. Raises UsageError for what is none."""
    number = read_case_id(text)
    if number is None:
        raise UsageError(
            tr("{value!r} is no case number", value=text),
            try_=tr("a C and 16 letters or digits, as it stands under 核查件编号; or a 疑点编号 of the last round"),
        )
    return number


def _ledger_at_home(ctx: click.Context, option: click.Parameter, ledger: Path) -> Path:
    """The ledger that was named; else the one here, else that of the nearest project above, which is said."""
    named = ctx.get_parameter_source(option.name or "") is not ParameterSource.DEFAULT
    return ledger if named or ledger.exists() or ctx.resilient_parsing else home() / ledger


ledger_option = click.option(
    "--ledger", type=click.Path(path_type=Path), default=Path(CASES), show_default=True, callback=_ledger_at_home,
    help="the ledger's folder",
)  # fmt: skip
day_option = click.option("--on", "day", type=Day(), default=today, help="the day it happens on [today]")
json_option = click.option("--json", "as_json", is_flag=True, help="print JSON to stdout")
book_option = click.option("-o", "--output", type=Workbook(), help="write a workbook (.xlsx)")
