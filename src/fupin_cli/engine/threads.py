"""What an engine is, and the one that every computer has: two threads of this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

SIDE_BY_SIDE = 2  # parts at a time: alone, one leaves a third of two processors idle
S = TypeVar("S")
P = TypeVar("P")
R = TypeVar("R")


class Engine(Protocol):
    """Where stage functions run; `elsewhere` says that parts are taken to other processes, and what they need with them."""

    elsewhere: ClassVar[bool]

    def map(self, stage: Callable[[S, P, Path], R], shared: S, parts: Iterable[P], folder: Path) -> Iterator[R]:
        """What the stage says of each part, in their order; the files that it writes are in `folder` by then."""
        ...

    def at_once(self, rows: int, most: int) -> int:
        """How many of so many rows a part may hold, where the program can take so `most`: enough parts for everybody."""
        ...


class Kept(Protocol):
    """Files that were worked on where they lie, what was said of each, and what is kept of each for a second stage."""

    said: Sequence[Any]

    def map(self, stage: Callable[[Any, tuple[int, Mapping[str, bytes]], Path], R], shared: Any) -> list[R]:
        """What the stage says of each file's number (from 0) and what the first stage left of it."""
        ...


class Threads:
    """Parts are worked on in this process while the next are made; Polars holds no lock for long."""

    elsewhere: ClassVar[bool] = False

    def map(self, stage: Callable[[S, P, Path], R], shared: S, parts: Iterable[P], folder: Path) -> Iterator[R]:
        """What the stage says of each part, in their order; the files that it writes are in `folder`."""
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            waiting: deque[Future[R]] = deque()
            for part in parts:
                waiting.append(pool.submit(partial(stage, shared, part, folder)))
                if len(waiting) > SIDE_BY_SIDE:  # the next one waits for a thread, and no thread for the next one
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def at_once(self, rows: int, most: int) -> int:
        """As many as the program can take."""
        del rows
        return most
