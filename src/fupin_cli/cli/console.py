"""What is shown while a command works and when it is done: on stderr, and moving only where somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType

_STDERR = Console(stderr=True, highlight=False)


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """A function that says what is being done now; silent unless stderr is a terminal."""
    if quiet or not _STDERR.is_terminal:
        yield lambda _: None
        return
    with _STDERR.status("…") as status:

        def say(text: str) -> None:
            status.update(text)

        yield say


def show(renderable: RenderableType, *, to_stdout: bool = False) -> None:
    """Prints a table or text: to stderr beside data, to stdout where it is the answer itself."""
    (Console(highlight=False) if to_stdout else _STDERR).print(renderable)
