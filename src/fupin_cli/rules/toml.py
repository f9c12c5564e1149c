"""TOML tables that say which file, rule and key is wrong, instead of raising KeyError."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.rules.predicate import nearest


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds. Raises ConfigurationError for text that is no TOML, InputMissingError for no file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputMissingError("no such rules file", where=str(path)) from None
    except UnicodeDecodeError:
        raise ConfigurationError("the file is not UTF-8 text", where=str(path), try_="save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError("the file is not TOML", where=str(path), why=str(error)) from None


@dataclass(frozen=True)
class Table:
    """One table of a TOML file, and how messages call it."""

    data: dict[str, Any]
    where: str

    def named(self, name: str) -> Table:
        """The same table under the name that its reader knows: file, then `rule CMP-VH1`."""
        return Table(self.data, f"{self.where.split(',')[0]}, {name}")

    def allow(self, *keys: str) -> None:
        """Refuse any other key: a misspelt one would silently do nothing."""
        for key in self.data:
            if key not in keys:
                raise ConfigurationError(f"{key!r} is not a key here", where=self.where, try_=nearest(key, keys))

    def table(self, key: str) -> Table:
        """The table under a key, which must be there."""
        value = self.data.get(key)
        if not isinstance(value, dict):
            raise ConfigurationError(f"[{key}] is missing", where=self.where)
        return Table(value, f"{self.where}, {key}")

    def tables(self, key: str) -> Sequence[Table]:
        """The tables of a [[key]], none where it is absent."""
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise ConfigurationError(f"{key} is written [[{key}]]", where=self.where)
        return [Table(item, f"{self.where}, {key} {n}") for n, item in enumerate(value, 1)]

    def text(self, key: str, *, required: bool = True) -> str:
        """The text of a key, stripped; empty where it is absent and may be."""
        value = self.data.get(key, "")
        if not isinstance(value, str) or (required and not value.strip()):
            raise ConfigurationError(f"{key} must be text", where=self.where)
        return value.strip()

    def texts(self, key: str, *, required: bool = True) -> tuple[str, ...]:
        """One text or a list of them."""
        value = self.data.get(key, [])
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value) or (required and not value):
            raise ConfigurationError(f"{key} must be text or a list of texts", where=self.where)
        return tuple(value)

    def known(self, key: str, names: Collection[str]) -> tuple[str, ...]:
        """A list of names, each of them known."""
        given = self.texts(key, required=False)
        for name in given:
            if name not in names:
                raise ConfigurationError(
                    f"{key}: {name!r} is not a known fact", where=self.where, try_=nearest(name, names)
                )
        return given

    def one_of(self, key: str, choices: Sequence[str], default: str | None = None) -> str:
        """One of a few words."""
        value = self.data.get(key, default)
        if value not in choices:
            raise ConfigurationError(f"{key} must be one of {', '.join(choices)}", where=self.where)
        return str(value)

    def integer(self, key: str) -> int | None:
        """A whole number, or None where the key is absent."""
        value = self.data.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise ConfigurationError(f"{key} must be a whole number", where=self.where)
        return value

    def number(self, key: str) -> float:
        """A number, which must be there."""
        value = self.data.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ConfigurationError(f"{key} must be a number", where=self.where)
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """A yes-or-no key: true or false, nothing else."""
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            raise ConfigurationError(f"{key} must be true or false", where=self.where)
        return value

    def day(self, key: str) -> date | None:
        """A date, written as TOML writes dates: 2014-01-01 without quotes."""
        value = self.data.get(key)
        if value is not None and type(value) is not date:
            raise ConfigurationError(f"{key} must be a date such as 2014-01-01, without quotes", where=self.where)
        return value
