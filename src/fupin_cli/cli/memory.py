"""--max-memory: how much the program may take, as people write it."""

from __future__ import annotations

import re
from typing import Any

import click

from fupin_cli.language import tr

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT])i?B?", re.IGNORECASE)
_POWER = {"K": 1, "M": 2, "G": 3, "T": 4}
_LEAST = 512 * 1024**2  # program, libraries and rules take some 360 MiB before anybody is judged


class Size(click.ParamType[int]):
    """A number of bytes: 4GiB, 4G, 512MB; each unit is 1,024 of the one before."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The bytes, or a complaint that says how it is written."""
        if isinstance(value, int):
            return value
        told = _SIZE.fullmatch(str(value).strip())
        if told is None or not (size := int(float(told[1]) * 1024 ** _POWER[told[2].upper()])):
            self.fail(tr("{value!r} is no size; write --max-memory=4GiB", value=value), param, ctx)
        if size < _LEAST:
            self.fail(
                tr(
                    "{value!r} cannot be kept: the program alone takes more; the least is --max-memory=512MiB",
                    value=value,
                ),
                param,
                ctx,
            )
        return size
