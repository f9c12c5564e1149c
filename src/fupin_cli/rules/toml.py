"""TOML tables that say which file, rule and key is wrong, instead of raising KeyError."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.language import tr
from fupin_cli.rules.predicate import nearest
from fupin_cli.toml_text import read_toml


def open_toml(path: Path, name: str) -> Table:
    """A TOML file as a table whose messages say in which line something stands.

    Raises ConfigurationError for text that is no TOML, InputMissingError for no file.
    """
    try:
        data, text = read_toml(path)
    except FileNotFoundError:
        raise InputMissingError(tr("no such rules file"), where=str(path)) from None
    lines = tuple(text.splitlines())
    headings = tuple((n, line.split("#")[0].strip()) for n, line in enumerate(lines) if line.lstrip().startswith("["))
    return Table(data, name, "", lines, range(len(lines)), headings)


_FLAGS = {
    "true": "true",
    "yes": "true",
    "1": "true",
    "是": "true",
    "false": "false",
    "no": "false",
    "0": "false",
    "否": "false",
}


def _number_in(value: Any) -> str | None:
    """The number that somebody wrote as text: '2,952元' is 2952; None where there is none, or more than one."""
    found = re.findall(r"\d+(?:\.\d+)?", str(value).replace(",", "").replace("，", ""))
    return found[0] if len(found) == 1 and not isinstance(value, bool) else None


def _day_in(value: Any) -> str:
    """The day that somebody wrote in another way, as TOML has it: 2018.1.5, 2018年1月5日, or a time of that day."""
    found = re.findall(r"\d+", str(value))[:3]
    if isinstance(value, int) or not found or len(found[0]) != 4:
        return f"{value}-01-01" if isinstance(value, int) and 1900 < value < 2100 else "2014-01-01"
    return "-".join([found[0], *(part.zfill(2) for part in (*found[1:], "1", "1")[:2])])


@dataclass(frozen=True)
class Table:
    """One table of a TOML file, and how messages call it: `path` is its heading, `span` the lines that it may stand in.

    `headings` are all of the file's, each with its line: there are hundreds of tables, and thousands of lines.
    """

    data: dict[str, Any]
    where: str
    path: str = ""
    lines: tuple[str, ...] = ()
    span: range = range(0)
    headings: tuple[tuple[int, str], ...] = ()

    def named(self, name: str) -> Table:
        """The same table under the name that its reader knows: file and line, then `rule CMP-VH1`."""
        file = self.where.split(",")[0]
        return replace(self, where=f"{file}, {name}")

    def at(self, key: str) -> str:
        """Where a key of this table stands: file and line, as far as the line can be told, and the table's name."""
        file, _, name = self.where.partition(",")
        line = self._line_of(key)
        return (
            f"{file.split(':')[0]}:{line},{name}"
            if line and name
            else f"{file.split(':')[0]}:{line}"
            if line
            else self.where
        )

    def _line_of(self, key: str) -> int | None:
        name = re.escape(key)
        written = re.compile(
            rf"""\s*(?:"{name}"|{name})\s*[.=]|.*[{{,]\s*{name}\s*=|\s*\[\[?\s*(?:[\w.]+\.)?{name}\s*\]"""
        )
        for n in self.span:
            if written.match(self.lines[n]):
                return n + 1
        return None

    def allow(self, *keys: str) -> None:
        """Refuse any other key: a misspelt one would silently do nothing."""
        for key in self.data:
            if key not in keys:
                close = nearest(key, keys)
                raise ConfigurationError(
                    tr("{key!r} is not a key here", key=key),
                    where=self.at(key),
                    try_=self._written(close, self.data[key])
                    if close
                    else tr("one of: {names}", names=", ".join(sorted(keys))),
                )

    def _written(self, key: str, value: Any) -> str:
        """How a key stands in the file, going by what was given for it: a line, a [table] or a [[list of tables]]."""
        if isinstance(value, dict):
            return f"[{self._heading(key)}]"
        tables = isinstance(value, list) and value and isinstance(value[0], dict)
        return f"[[{self._heading(key)}]]" if tables else f"{key} = …"

    def table(self, key: str) -> Table:
        """The table under a key, which must be there."""
        value = self.data.get(key)
        if not isinstance(value, dict):
            raise ConfigurationError(
                tr("[{key}] is missing", key=key),
                where=self.where,
                try_=tr("[{what}] with its keys below it", what=self._heading(key)),
            )
        span = next(iter(self._spans(f"[{self._heading(key)}]")), self.span)
        return Table(value, f"{self.where}, {key}", self._heading(key), self.lines, span, self.headings)

    def tables(self, key: str) -> Sequence[Table]:
        """The tables of a [[key]], none where it is absent."""
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise ConfigurationError(
                tr("{key} is written [[{key}]]", key=key), where=self.at(key), try_=f"[[{self._heading(key)}]]"
            )
        spans = self._spans(f"[[{self._heading(key)}]]")
        found = []
        for n, item in enumerate(value, 1):
            span = spans[n - 1] if len(spans) == len(value) else self.span
            file, _, name = self.where.partition(",")
            line = f":{span.start + 1}" if len(spans) == len(value) else ""
            where = f"{file.split(':')[0]}{line},{name + ',' if name else ''} {key} {n}"
            found.append(Table(item, where, self._heading(key), self.lines, span, self.headings))
        return found

    def _heading(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def _spans(self, heading: str) -> list[range]:
        """The lines from each such heading to the next one that is not below it."""
        below = heading.strip("[]") + "."
        first, last = (bisect_left(self.headings, (line,)) for line in (self.span.start, self.span.stop))
        inside = self.headings[first:last]
        starts = [n for n, other in inside if other == heading]
        # an indented line may be a list inside a list
        ends = [n for n, other in inside if self.lines[n][0] == "[" and not other.strip("[] \t").startswith(below)]
        return [range(start, next((end for end in ends if end > start), self.span.stop)) for start in starts]

    def text(self, key: str, *, required: bool = True) -> str:
        """The text of a key, stripped; empty where it is absent and may be."""
        value = self.data.get(key, "")
        if not isinstance(value, str) or (required and not value.strip()):
            raise ConfigurationError(tr("{key} must be text", key=key), where=self.at(key), try_=f'{key} = "…"')
        return value.strip()

    def texts(self, key: str, *, required: bool = True) -> tuple[str, ...]:
        """One text or a list of them."""
        value = self.data.get(key, [])
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value) or (required and not value):
            raise ConfigurationError(
                tr("{key} must be text or a list of texts", key=key), where=self.at(key), try_=f'{key} = ["…", "…"]'
            )
        return tuple(value)

    def known(self, key: str, names: Collection[str]) -> tuple[str, ...]:
        """A list of names, each of them known."""
        given = self.texts(key, required=False)
        for name in given:
            if name not in names:
                raise ConfigurationError(
                    tr("{key}: {name!r} is not a known fact", key=key, name=name),
                    where=self.at(key),
                    try_=nearest(name, names),
                )
        return given

    def one_of(self, key: str, choices: Sequence[str], default: str | None = None) -> str:
        """One of a few words."""
        value = self.data.get(key, default)
        if value not in choices:
            close = nearest(str(value), choices)
            raise ConfigurationError(
                tr("{key} must be one of {choices}", key=key, choices=", ".join(choices)),
                where=self.at(key),
                why=tr("here: {value!r}", value=value) if key in self.data else tr("the key is absent"),
                try_=f'{key} = "{close}"' if close else tr("{key} = one of these words, in quotes", key=key),
            )
        return str(value)

    def integer(self, key: str) -> int | None:
        """A whole number, or None where the key is absent."""
        value = self.data.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            said = _number_in(value)
            meant = said if said and "." not in said else tr("a number of digits alone")
            raise ConfigurationError(
                tr("{key} must be a whole number", key=key),
                where=self.at(key),
                try_=tr("{key} = {what}, without quotes", key=key, what=meant),
            )
        return value

    def number(self, key: str) -> float:
        """A number, which must be there."""
        value = self.data.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ConfigurationError(
                tr("{key} must be a number", key=key),
                where=self.at(key),
                try_=tr("{key} = {what}, without quotes", key=key, what=_number_in(value) or "0.03"),
            )
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """A yes-or-no key: true or false, nothing else."""
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            raise ConfigurationError(
                tr("{key} must be true or false", key=key),
                where=self.at(key),
                try_=tr(
                    "{key} = {what}, without quotes",
                    key=key,
                    what=_FLAGS.get(str(value).strip().lower(), str(not default).lower()),
                ),
            )
        return value

    def day(self, key: str) -> date | None:
        """A date, written as TOML writes dates: 2014-01-01 without quotes."""
        value = self.data.get(key)
        if value is not None and type(value) is not date:
            raise ConfigurationError(
                tr("{key} must be a date", key=key),
                where=self.at(key),
                try_=tr("{key} = {day_in}, without quotes", key=key, day_in=_day_in(value)),
            )
        return value
