"""How a stage tells what it is doing, to whoever listens: what, and where it is known how much is done of how much."""

from __future__ import annotations

from typing import Protocol


class Say(Protocol):
    """Says what is done now; with a `total`, how many `unit` of it are `done`. Nothing personal is ever said."""

    def __call__(self, what: str, done: int = 0, total: int = 0, unit: str = "", /) -> None:
        """Takes note, or does not."""


def silent(_what: str, _done: int = 0, _total: int = 0, _unit: str = "", /) -> None:
    """Where nobody listens."""
