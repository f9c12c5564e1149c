"""--wait: how long a command that writes is patient with another one that writes in the same place."""

from __future__ import annotations

import math
from typing import Any

import click

from fupin_cli.language import tr
from fupin_cli.locks import Patience, patience


class Seconds(click.ParamType[float]):
    """A number of seconds; none given means as long as it takes."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds, or a complaint that says how it is written: a word after a bare --wait is taken for them."""
        try:
            seconds = float(value)
        except ValueError:
            self.fail(
                tr("{value!r} is no number of seconds; write --wait=60, or put --wait at the end", value=value),
                param,
                ctx,
            )
        if math.isnan(seconds) or seconds < 0:
            self.fail(tr("nobody can wait for less than 0 seconds"), param, ctx)
        return seconds


def _be_patient(ctx: click.Context, param: click.Parameter, seconds: float | None) -> None:
    if seconds is not None:
        # asked when there is something to say: by then all options are known
        patience.set(Patience(seconds, lambda text: None if ctx.params.get("quiet") else click.echo(text, err=True)))


wait_option = click.option(
    "--wait",
    is_flag=False,
    flag_value="inf",
    type=Seconds(),
    expose_value=False,
    callback=_be_patient,
    help="wait for another run to finish, at most so many seconds [without end]",
)
