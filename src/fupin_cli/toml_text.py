"""TOML as people write it: read here and nowhere else, or said in their words what is wrong, where, and what to type next."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fupin_cli.errors import ConfigurationError, typed
from fupin_cli.language import tr
from fupin_cli.layout import PROJECT_FILE

_AT = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_BARE = re.compile(
    r"""\s*([\w-]+|".*?")\s*=\s*([^\s"'\[{#=][^"'#\[]*)"""
)  # a value that begins with no quote or bracket
_BARE_ITEM = re.compile(r"""[^\s"',\]\[]+""")
_KEY_END = re.compile(r"[\s=＝]")
_DAY = re.compile(r"\s*([\w-]+)\s*=\s*(\d{4}[-./年]\d[^#]*)")
_FULL_WIDTH = dict(zip("“”‘’＝，：［］（）", "\"\"''=,:[]()", strict=True))
_TWICE = ("Cannot overwrite", "Cannot declare", "Duplicate inline table key")
_UNQUOTED = (
    "Illegal character '\\n'",
    "Illegal character '\\r'",
    "Unterminated string",
    'Expected "\'"',
    "Expected '\"",
)
_UNCLOSED = ("Unclosed array", "Unclosed inline table", "Expected ']", "Expected ',' or '}'")


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """What a TOML file holds, and its text. Raises ConfigurationError for what is no TOML; no file is the caller's to tell."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(
            tr("the file is not UTF-8 text"), where=str(path), try_=tr("save it as UTF-8")
        ) from None
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, text, str(error)) from None


def _not_toml(path: Path, text: str, said: str) -> ConfigurationError:
    """The error for a text that tomllib refuses with these words: file, line and column, the fault, and how it is mended."""
    told = _AT.fullmatch(said)
    lines = text.split("\n")
    while len(lines) > 1 and not lines[-1].strip():
        lines.pop()
    said, row, column = (told[1], told[2], told[3]) if told else (said, None, None)
    number, at = int(row or len(lines)), int(column or len(lines[-1]) + 1)
    line = lines[number - 1] if number <= len(lines) else ""
    fault, remedy = next(_faults(said, line, at, ended=row is None))
    # the address of a database may hold a password
    shown = "" if "://" in line else line.strip()
    return ConfigurationError(
        tr("not readable as TOML: {fault}", fault=fault),
        where=f"{path}:{number}:{at}",
        why=tr("line {line}, column {column}: {shown}　({said})", line=number, column=at, shown=shown, said=said),
        try_=tr("{remedy}; then {step}", remedy=remedy, step=_next(path)),
    )


def _faults(said: str, line: str, at: int, *, ended: bool) -> Iterator[tuple[str, str]]:
    """What may be wrong in a line, from this column on, and what stands there once it is mended; the likeliest first."""
    rest = line[at - 1 :].strip()
    if sign := next((sign for sign in rest[:1] if sign in _FULL_WIDTH), None):
        yield tr("the full-width sign {sign}", sign=sign), tr("write {sign} instead", sign=_FULL_WIDTH[sign])
    if said.startswith(_TWICE):
        yield (
            tr("this key or table is there already"),
            tr("leave one of the two; [[extract]], with two brackets, may be repeated"),
        )
    if said.startswith("Invalid date") or (said.startswith("Expected newline") and _DAY.match(line)):
        key = day[1] if (day := _DAY.match(line)) else "as_of"
        yield tr("this is no date of the calendar"), tr("{key} = 2019-11-30, without quotes", key=key)
    if said.startswith(_UNQUOTED):
        yield tr("a text has no closing quote"), tr('the same quote at both ends: key = "text"')
    if said.startswith(_UNCLOSED) or (ended and said == "Invalid value"):
        yield (
            tr("a bracket is not closed before this place, or a comma is missing"),
            tr('close it: key = ["a", "b"], { a = 1 }, [table] or [[list of tables]]'),
        )
    if said.startswith("Unescaped"):
        yield tr("a backslash inside double quotes"), tr("write / instead, or take single quotes: 'C:\\data'")
    yield from _bare_faults(said, line, rest)


def _bare_faults(said: str, line: str, rest: str) -> Iterator[tuple[str, str]]:
    """The same of a value or a key that stands without quotes, and of all that is left."""
    shape = tr(
        'key = "text" in straight quotes, key = 2019, key = true, key = ["a", "b"], [table] or [[list of tables]]'
    )
    if said.startswith(("Invalid value", "Expected newline")):
        value = _BARE.match(line)
        if value and value[2].strip().lower() in ("true", "false"):
            yield tr("true and false are written small"), f"{value[1]} = {value[2].strip().lower()}"
        if value and "://" not in line:
            yield (
                tr("a text without quotes"),
                tr("{line}, in straight quotes", line=f'{value[1]} = "{value[2].strip()}"'),
            )
        if said.startswith("Invalid value") and (item := _BARE_ITEM.match(rest)):
            yield tr("a text without quotes"), tr("{line}, in straight quotes", line=f'["{item[0]}"]')
        if not rest:
            yield tr("nothing stands behind the ="), shape
        yield tr("something stands behind the value"), shape
    if said.startswith("Invalid statement") and rest and not rest[0].isascii():
        yield tr("a Chinese key without quotes"), f'"{_KEY_END.split(rest)[0]}" = …'
    if said.startswith("Expected '='"):
        yield tr("no = behind the key"), shape
    yield said, shape


def _next(path: Path) -> str:
    """The command that reads such a file again."""
    if path.name == PROJECT_FILE:
        return typed("fupin", "run", *(() if path.parent == Path() else (path.parent,)))
    project = next((folder for folder in path.parents if folder / "rules" in path.parents), None)
    return typed("fupin", "rules", "check", "--project", project) if project else tr("the same command again")
