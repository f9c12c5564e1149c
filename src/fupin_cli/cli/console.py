"""What is shown while a command works: on stderr, and moving only where somebody watches; and what it shows when it is done."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress

from fupin_cli.ingest.locked import Ask
from fupin_cli.language import tr
from fupin_cli.layout import project_above
from fupin_cli.progress import Say, silent

_shown: list[Progress] = []  # the line that moves, while there is one
_typed: dict[str, str] = {}  # passwords typed in this process, by file: nobody types one twice


def home(*, quiet: bool = False) -> Path:
    """The folder of the project that is meant where none is named: this one, or the nearest above, which is said aloud."""
    folder = project_above(Path.cwd())
    if folder in (None, Path.cwd()):
        return Path()
    if not quiet:
        click.echo(tr("project: {shown}", shown=folder), err=True)
    return folder


@cache
def _stderr() -> Console:
    from rich.console import Console  # noqa: PLC0415 - loads slower than a small file is linked; --quiet needs none

    return Console(stderr=True, highlight=False)


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Say]:
    """A function that says what is being done now, how fast and for how long yet; silent unless stderr is a terminal.

    A terminal that cannot move its cursor (TERM=dumb) is told each stage once, on a line of its own.
    """
    if quiet or not _stderr().is_terminal:
        yield silent
        return
    if _stderr().is_dumb_terminal:
        yield _Lines()
        return
    from fupin_cli.cli.progress_line import MovingLine  # noqa: PLC0415 - as above

    line = MovingLine(_stderr())
    with line.shown:
        _shown.append(line.shown)
        try:
            yield line
        finally:
            _shown.remove(line.shown)


class _Lines:
    """Says each stage once."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, what: str, _done: int = 0, _total: int = 0, _unit: str = "", /) -> None:
        if what != self._last:
            click.echo(what, err=True)
        self._last = what


def password_from(variable: str = Ask.variable) -> Ask:
    """Who knows the password of a file: the environment variable, else whoever sits at the terminal, else nobody."""

    def answer(name: str) -> str | None:
        if given := os.environ.get(variable):
            return given
        if name in _typed:
            return _typed[name]
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        for line in _shown:
            line.stop()
        _typed[name] = click.prompt(tr("password: {name}", name=name), hide_input=True, err=True)
        for line in _shown:
            line.start()
        return _typed[name]

    return Ask(variable, answer)


def show(renderable: RenderableType, *, to_stdout: bool = False) -> None:
    """Prints a table or text: to stderr beside data, to stdout where it is the answer itself.

    A text is one line, however long, and no line is cut: what is copied out of it must be whole.
    """
    from rich.console import Console  # noqa: PLC0415 - as above

    where = Console(highlight=False) if to_stdout else _stderr()
    where.print(renderable, soft_wrap=isinstance(renderable, str), crop=False)
