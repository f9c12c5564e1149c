"""The log of runs: a line of JSON for each thing that happened, for whoever finds in the morning what cron did at night.

No cell, no name of a file and no text of an error goes into it: what is being done, how it ended, counts and seconds.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from fupin_cli import __version__
from fupin_cli.cli.boundary import BUG, in_our_words
from fupin_cli.cli.signals import Stopped

LOG = Path(".fupin") / "log.jsonl"
_MOST_BYTES, _KEPT = 1 << 20, 5
Note = Callable[..., None]


class _Quiet(RotatingFileHandler):
    """A log that cannot be written holds up no work and says nothing on stderr."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is the library's
        """Nothing."""


@contextmanager
def journal(path: Path, command: str) -> Iterator[Note]:
    """A function `note(event, **facts)` that writes a line; the begin is noted here, and the end where it is an error."""
    logger = logging.getLogger("fupin")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    handler = None
    with contextlib.suppress(OSError):  # a project on a read-only disk is run all the same
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = _Quiet(path, maxBytes=_MOST_BYTES, backupCount=_KEPT, encoding="utf-8")
        logger.addHandler(handler)
    start = time.monotonic()

    def note(event: str, **facts: str | float | bool) -> None:
        seconds = round(time.monotonic() - start, 3)
        about = {
            "time": datetime.now(tz=UTC).isoformat(timespec="milliseconds"),
            "pid": os.getpid(),
            "command": command,
        }
        logger.info(json.dumps({**about, "event": event, "seconds": seconds, **facts}, ensure_ascii=False))

    note("begin", version=__version__)
    try:
        yield note
    except BaseException as error:
        told = in_our_words(error)
        code = error.code if isinstance(error, Stopped) else told.exit_code if told else BUG
        note("failed", kind=type(told or error).__name__, code=code)
        raise
    finally:
        if handler:
            logger.removeHandler(handler)
            handler.close()
