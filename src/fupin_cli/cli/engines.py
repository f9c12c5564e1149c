"""--engine, --master, --scratch: where the work is done, as people name it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import click

from fupin_cli.cli.groups import Choice
from fupin_cli.errors import UsageError
from fupin_cli.language import tr

if TYPE_CHECKING:
    from fupin_cli.engine.spark import Spark

ENGINES = ("local", SPARK := "spark")


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the three options."""
    for option in (
        click.option("--scratch", help="of Spark: a folder that all its computers see [beside the output]"),
        click.option("--master", help="of Spark: local[*], spark://HOST:7077, yarn [local[*]]"),
        click.option("--engine", type=Choice(ENGINES), default=ENGINES[0], help="where the work is done [local]"),
    ):
        command = option(command)
    return command


def cluster(engine: str, master: str | None, scratch: str | None) -> AbstractContextManager[Spark] | None:
    """The cluster, for as long as the block lasts; None where the work is done here."""
    if engine == SPARK:
        from fupin_cli.engine.spark import Spark  # noqa: PLC0415 - few have a cluster

        return Spark(master or "local[*]", scratch)
    for option, value in {"--master": master, "--scratch": scratch}.items():
        if value is not None:
            raise UsageError(
                tr("{option} is about Spark, and the engine is not", option=option), try_=tr("--engine spark as well")
            )
    return None
