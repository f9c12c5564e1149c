"""The line that moves while a stage works: what is done, how much of it, how fast, and how long yet."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from fupin_cli.language import tr

_MEBIBYTE = 1 << 20
_ROOM_FOR_A_BAR = 80  # columns; on a narrower terminal the words and the figures need them


class MovingLine:
    """A `Say` that keeps one line of the terminal up to date; `shown` starts and stops it."""

    def __init__(self, console: Console) -> None:
        words = TextColumn(
            "{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)
        )
        bar = (BarColumn(bar_width=20),) if console.width >= _ROOM_FOR_A_BAR else ()
        self.shown = Progress(
            SpinnerColumn("line"), words, *bar, _Pace(table_column=Column(no_wrap=True, justify="right")),
            console=console, transient=True, expand=True,
        )  # fmt: skip
        self._stage = self.shown.add_task("…", total=None)
        self._of = (0, "")

    def __call__(self, what: str, done: int = 0, total: int = 0, unit: str = "", /) -> None:
        """Shows the stage; one with another total or unit is timed anew."""
        if not total or (total, unit) != self._of:
            self.shown.reset(self._stage, total=total or None, unit=unit, began=time.monotonic())
            self._of = (total, unit)
        self.shown.update(self._stage, description=what, completed=done)


class _Pace(ProgressColumn):
    """Time taken, rate and time left; the last two only where something is done of a known amount."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """As in `0:12 8.1 MiB/s 剩余 left 0:30`."""
        taken = time.monotonic() - task.fields.get("began", time.monotonic())
        return Text(pace(taken, task.completed, task.total, task.fields.get("unit", "")))


def pace(taken: float, done: float, total: float | None, unit: str) -> str:
    """What is known of a stage after `taken` seconds: the time, and with something done of a total the rate and what is left."""
    if not total or not done or taken <= 0:
        return _clock(taken)
    rate = done / taken
    told = f"{rate / _MEBIBYTE:,.1f} MiB/s" if unit == "B" else f"{rate:,.0f} {unit}/s"
    return tr("{clock} {told} left {rest}", clock=_clock(taken), told=told, rest=_clock((total - done) / rate))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
