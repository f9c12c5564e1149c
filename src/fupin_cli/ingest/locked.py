"""Workbooks and archives under a password: who is asked for it, and how they open.

A password comes from an environment variable or from whoever sits at the terminal; it is never an argument, a log line or part
of a message.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import msoffcrypto
from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError, ParseError

from fupin_cli.errors import BadDataError
from fupin_cli.language import tr


@dataclass(frozen=True)
class Ask:
    """Who knows the passwords: asked with the name of a file, it gives one, or None where nobody answers.

    `variable` is the environment variable from which they come, for whoever has to set it.
    """

    variable: str = "FUPIN_PASSWORD"
    answer: Callable[[str], str | None] = lambda _: None

    def __call__(self, name: str) -> str | None:
        """The password of this file."""
        return self.answer(name)


no_password = Ask()


def is_locked(data: bytes) -> bool:
    """Whether an Office file in a compound container is encrypted; False also where that cannot be told."""
    try:
        return bool(msoffcrypto.OfficeFile(io.BytesIO(data)).is_encrypted())
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the parser will say so in better words
        return False


def unlocked(name: str, data: bytes, ask: Ask) -> bytes:
    """The workbook without its password. Raises BadDataError where there is none, or it is the wrong one."""
    password = ask(name)
    if password is None:
        raise locked(name, ask)
    opened = io.BytesIO()
    try:
        office = msoffcrypto.OfficeFile(io.BytesIO(data))
        office.load_key(password=password)
        office.decrypt(opened)
    except (InvalidKeyError, DecryptionError):
        raise wrong_password(name) from None
    except (FileFormatError, ParseError, ValueError, KeyError, OSError, IndexError, AttributeError, TypeError):
        raise BadDataError(
            tr("the workbook is protected in a way that cannot be opened here"),
            where=name,
            try_=tr("open it with the password, save a copy without one, and run again"),
        ) from None
    return opened.getvalue()


def locked(name: str, ask: Ask) -> BadDataError:
    """The error for a file whose password nobody gave."""
    return BadDataError(
        tr("the file is protected by a password"),
        where=name,
        try_=tr(
            "{variable}=… in the environment, or run it from a terminal and type the password there",
            variable=ask.variable,
        ),
    )


def wrong_password(name: str) -> BadDataError:
    """The error for a password that does not fit."""
    return BadDataError(
        tr("the password does not open this file"), where=name, try_=tr("ask the sender for the password again")
    )
