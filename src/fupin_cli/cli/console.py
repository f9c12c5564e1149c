"""What is shown while a command works and when it is done: on stderr, and moving only where somebody watches."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.status import Status

from fupin_cli.ingest.locked import Ask

_shown: list[Status] = []  # the line that moves, while there is one
_typed: dict[str, str] = {}  # passwords typed in this process, by file: nobody types one twice


@cache
def _stderr() -> Console:
    from rich.console import Console  # noqa: PLC0415 - loads slower than a small file is linked; --quiet needs none

    return Console(stderr=True, highlight=False)


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """A function that says what is being done now; silent unless stderr is a terminal."""
    if quiet or not _stderr().is_terminal:
        yield lambda _: None
        return
    with _stderr().status("…") as status:
        _shown.append(status)

        def say(text: str) -> None:
            status.update(text)

        try:
            yield say
        finally:
            _shown.remove(status)


def password_from(variable: str = Ask.variable) -> Ask:
    """Who knows the password of a file: the environment variable, else whoever sits at the terminal, else nobody."""

    def answer(name: str) -> str | None:
        if given := os.environ.get(variable):
            return given
        if name in _typed:
            return _typed[name]
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        for status in _shown:
            status.stop()
        _typed[name] = click.prompt(f"密码 password: {name}", hide_input=True, err=True)
        for status in _shown:
            status.start()
        return _typed[name]

    return Ask(variable, answer)


def show(renderable: RenderableType, *, to_stdout: bool = False) -> None:
    """Prints a table or text: to stderr beside data, to stdout where it is the answer itself."""
    from rich.console import Console  # noqa: PLC0415 - as above

    (Console(highlight=False) if to_stdout else _stderr()).print(renderable)
