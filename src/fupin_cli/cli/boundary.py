"""The edge of the program: every way a command can end becomes an exit code and, where needed, words.

Our own errors speak for themselves. Anybody else's text may quote a cell, which is personal data, so of a foreign exception only
its type and the line of ours that met it are shown. Exit code 1 is never used: Python, click's errors and click's abort claim it.
"""

from __future__ import annotations

import errno
import os
import select
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import click

from fupin_cli.cli.signals import INTERRUPTED, Stopped, heard_before, heed_signals, said
from fupin_cli.errors import DiskError, FupinError, NoPermissionError, system_words, typed
from fupin_cli.language import tr

BUG = 70
_HOME = Path(__file__).resolve().parents[1]


def run_guarded(command: Callable[[], object]) -> int:
    """The exit code of a command, whatever happens in it; every message is on stderr."""
    os.umask(0o077)  # outputs are about people: readable by their owner only
    heed_signals()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a GBK terminal must not fail on a rare character
    stdout = _file_of(sys.stdout)
    try:
        result = command()
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        if example := _example(error):
            _say(tr("  for example: {command}", command=example))
        return 2
    except FupinError as error:
        _say(tr("error: {error}", error=error))
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say(said(INTERRUPTED))
        return INTERRUPTED
    except Stopped as stopped:
        _say(said(stopped.code))
        return stopped.code
    except (BrokenPipeError, SystemExit) as error:  # click and rich end the program so when a pipe is closed
        if _read_by_nobody(stdout):
            return _nobody_reads()
        return _foreign(error.__context__ if isinstance(error.__context__, BrokenPipeError) else error)
    except BaseException as error:  # noqa: BLE001 a panic in a library is not an Exception, and nothing may leak past here
        if (code := heard_before()) is not None:
            _say(said(code))
            return code
        return _foreign(error)
    return result if isinstance(result, int) else 0


def _example(error: click.ClickException) -> str | None:
    """The first example of the command that was typed wrongly, out of its help."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    lines = (ctx.command.help or "").splitlines() if ctx and not isinstance(ctx.command, click.Group) else []
    return next((line.strip() for line in lines if line.strip().startswith("fupin ")), None)


def _file_of(stream: TextIO | None) -> tuple[int, int] | None:
    """Which file, pipe or terminal it is that a stream goes to, as the system tells; None where it goes nowhere."""
    try:
        status = os.fstat(stream.fileno()) if stream else None
    except (OSError, ValueError):
        status = None
    return status and (status.st_dev, status.st_ino)


def _read_by_nobody(before: tuple[int, int] | None) -> bool:
    """Whether it is our own output that nobody reads, and not some pipe between two parts of the program that broke.

    `before` is what stdout was at first: rich puts the null device in its place when its pipe is closed.
    """
    if not hasattr(select, "poll") or _file_of(sys.stdout) != before:
        return True
    polled = select.poll()
    for stream in (sys.stdout, sys.stderr):
        if _file_of(stream):
            polled.register(stream.fileno(), select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in polled.poll(0))


def _nobody_reads() -> int:
    """0: whoever read our output had enough (`| head`). Nothing more is written, not even by the interpreter's own end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def in_our_words(error: BaseException) -> FupinError | None:
    """What the system said through somebody else's exception, as an error of ours; None for what only we can mend."""
    if isinstance(error, FupinError):
        return error
    disk_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if disk_full or "os error 28" in str(error) or "os error 27" in str(error):
        return DiskError(
            tr("the disk is full"), why=tr("earlier results are untouched"), try_=tr("free some space and run again")
        )
    if isinstance(error, PermissionError):
        path = _door(Path(error.filename)) if isinstance(error.filename, str) else None  # a path is no cell
        return NoPermissionError(
            tr("the system does not allow this user to open it"),
            where=str(path) if path else tr("a file or folder"),
            why=system_words(error.errno),
            try_=tr("{command}  shows whose it is; its owner can open it", command=typed("ls", "-ld", path or "PATH")),
        )
    return None


def _door(path: Path) -> Path:
    """What is locked: the first folder on the way to a path that may not be entered, else the path itself."""
    return next((folder for folder in reversed(path.parents) if not os.access(folder, os.X_OK)), path)


def _foreign(error: BaseException) -> int:
    if told := in_our_words(error):
        _say(tr("error: {error}", error=told))
        return told.exit_code
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(_HOME)]
    where = (
        f"{Path(frames[-1].filename).relative_to(_HOME)}:{frames[-1].lineno} in {frames[-1].name}" if frames else "?"
    )
    _say(
        tr(
            "bug: {kind} at {where}\n"
            "  this is a fault of fupin, not of your data; its details may quote people and are not shown\n"
            "  try: fupin inspect FILE on the inputs, and report the line above; earlier results are untouched",
            kind=type(error).__name__,
            where=where,
        )
    )
    return BUG


def _say(text: str) -> None:
    click.echo(text, err=True)
