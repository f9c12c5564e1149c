"""Passwords of those who get workbooks: read from a file that is its owner's alone, and found again by a workbook's name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from fupin_cli.errors import ConfigurationError, InputMissingError, NoPermissionError, UsageError
from fupin_cli.ingest import Ask
from fupin_cli.language import listed, tr


def read_passwords(path: Path) -> dict[str, str]:
    """Recipient → password. The file is read only where nobody else may read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise NoPermissionError(
                tr("others may read this file of passwords"), where=str(path), try_=tr("chmod 600 {path}", path=path)
            )
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputMissingError(tr("no such file"), where=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):  # what stands there may be a password: it is not repeated
        raise ConfigurationError(
            tr("not readable as TOML"), where=str(path), try_=tr('"青禾县/平川镇" = "…", a line each')
        ) from None
    if not all(isinstance(password, str) and password for password in told.values()):
        raise ConfigurationError(
            tr("a password is a text"), where=str(path), try_=tr('"青禾县/平川镇" = "…", a line each')
        )
    return told


def refuse_lacking(recipients: Sequence[str], passwords: Mapping[str, str] | None) -> None:
    """Raises UsageError where passwords are given, but not for everybody."""
    if passwords is not None and (lacking := [name for name in recipients if name not in passwords]):
        raise UsageError(
            tr(
                "{count} of {count_2} recipients have no password: {names}",
                count=len(lacking),
                count_2=len(recipients),
                names=listed(lacking[:3]),
            ),
            why=tr("a workbook without one would go out open"),
            try_=tr('a line "{lacking}" = "…" in the file of passwords', lacking=lacking[0]),
        )


def ask_by_recipient(passwords: Mapping[str, str], others: Ask) -> Ask:
    """Knows the password of a workbook by the recipient in its name, which is kept when it is sent back."""
    by_name = {recipient.replace("/", "_"): password for recipient, password in passwords.items()}

    def answer(name: str) -> str | None:
        fitting = [key for key in by_name if Path(name).name.startswith(f"{key}_")]
        return by_name[max(fitting, key=len)] if fitting else others(name)

    return Ask(others.variable, answer)
