"""Records of what was done with people's data: who saw it unmasked, and what was deleted when. Lines of JSON, only ever added."""

from __future__ import annotations

import getpass
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from fupin_cli.errors import OutputError, system_words
from fupin_cli.language import tr

ACCESS, PURGED = "access.jsonl", "purged.jsonl"
_FOLDER = ".fupin"


def record(beside: Path, name: str, **facts: str | float) -> None:
    """Adds a line to the record `name` in the folder .fupin in `beside`, on the disk before this returns.

    Raises OutputError where it cannot be written: what must be recorded is not done without.
    """
    path = beside / _FOLDER / name
    try:
        who = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a process without a name, as in a container
        who = "?"
    line = json.dumps(
        {"time": datetime.now(tz=UTC).isoformat(timespec="seconds"), "user": who, **facts}, ensure_ascii=False
    )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            os.write(descriptor, f"{line}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise OutputError(
            tr("this must be recorded, and the record cannot be written"),
            where=str(path),
            why=system_words(error.errno),
        ) from None
