"""SIGINT, SIGTERM and SIGHUP end the program within two seconds, whatever it is doing, and leave nothing half done.

Python itself only hears a signal between two of its own steps: in the middle of a long library call that can be a minute
later. So there are two ways out. In order: the main thread raises `Stopped`, and every block on the way out removes what it
had begun. At once: where that has not come about after a moment, or the signal comes twice, a thread that waits for signals
removes what is unfinished and ends the process. Libraries work without Python's global lock, so that thread runs meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from types import FrameType

from fupin_cli.language import tr
from fupin_cli.unfinished import has_landed, hold, remove_unfinished

INTERRUPTED, TERMINATED = 130, 143
_HEARD = tuple(
    number for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if (number := getattr(signal, name, None))
)
_GRACE = 1.0  # seconds to end in order
_stopped_by: list[int] = []  # the signal that was heard first


class Stopped(BaseException):
    """A signal as an exception; `code` is the exit code. No `except Exception` holds it up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = _code(number)


def heard_before() -> int | None:
    """The exit code for the signal that was heard; None where none was.

    An exception is lost where a library of another language calls back: what fails there afterwards fails because of the signal.
    """
    return _code(_stopped_by[0]) if _stopped_by else None


def _code(number: int) -> int:
    return INTERRUPTED if number == signal.SIGINT else TERMINATED


def said(code: int) -> str:
    """What a program that a signal ended says last."""
    if has_landed():
        done = tr("the new results are in place")
        return tr("interrupted; {done}", done=done) if code == INTERRUPTED else tr("terminated; {done}", done=done)
    if code == INTERRUPTED:
        return tr("interrupted; earlier results are untouched")
    return tr("terminated; earlier results are untouched")


def heed_signals() -> None:
    """From now on signals end the program as this module says; those that whoever started us ignores (nohup) stay ignored."""
    heard, told = socket.socketpair()
    told.setblocking(False)
    signal.set_wakeup_fd(told.detach(), warn_on_full_buffer=False)
    for number in _HEARD:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    threading.Thread(target=_watch, args=(heard,), name="signals", daemon=True).start()


def _stop(number: int, frame: FrameType | None) -> None:
    for each in _HEARD:  # the way out is not interrupted again; the watching thread still hears
        signal.signal(each, _nothing)
    _stopped_by.append(number)
    stopped = Stopped(number)
    if not hold(stopped):
        raise stopped


def _nothing(number: int, frame: FrameType | None) -> None:
    """A handler, and not SIG_IGN, so that the watching thread is woken."""


def _watch(heard: socket.socket) -> None:
    """Ends the process if it does not end itself."""
    number = 0
    while number not in _HEARD:
        number = heard.recv(1)[0]
    heard.settimeout(_GRACE)
    with contextlib.suppress(TimeoutError):
        heard.recv(1)
    code = _code(number)
    remove_unfinished()
    with contextlib.suppress(OSError):
        os.write(2, f"{said(code)}\n".encode())
    os._exit(code)
