"""Records of what was done with people's data: who saw it unmasked, and what was deleted when. Lines of JSON, only ever added."""

from __future__ import annotations

import getpass
import json
import os
import sys
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
    line = json.dumps(
        {"time": datetime.now(tz=UTC).isoformat(timespec="seconds"), "user": _user(), **facts}, ensure_ascii=False
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


def _user() -> str:
    """Whose process this is, as the system knows it; its number where that has no name, as in a container.

    What the environment says (LOGNAME, USER) anybody can set.
    """
    if sys.platform == "win32":
        return getpass.getuser()
    import pwd  # noqa: PLC0415 - Windows has none

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
