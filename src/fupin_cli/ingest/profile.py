"""Source profiles: what a department's table holds, and by which headers its columns are known.

A profile is a TOML file of `rules/sources/`. `_identity.toml` holds the fields that say who a row speaks of; every profile
has them, with its own headers for such a field tried before the shared ones. docs/sources.md tells every key, with an example.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.normalise import values

DTYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "raw": pl.String(),
    "name": pl.String(),
    "id": pl.String(),
    "code": pl.String(),
    "multi": pl.String(),
    "bool": pl.Boolean(),
    "date": pl.Date(),
    "month": pl.Date(),
    "year": pl.Int64(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "money": pl.Float64(),
}
UNITS = ("元", "千元", "万元", "百万元", "亿元")
IDENTITY_FILE = "_identity.toml"
_RAW_COLUMNS = {"name": "name_raw", "id_number": "id_raw"}
_PROFILE_KEYS = {"profile", "department", "title", "title_en", "required", "id_from", "hints", "fields"}
_FIELD_KEYS = {"type", "headers", "zh", "en", "level", "values", "unit", "whole_day", "by_name_header"}
_LEVELS = ("person", "household")


@dataclass(frozen=True)
class Field:
    """One thing a profile knows how to read: its type, and the headers under which departments print it.

    `values` pairs a canonical label with the spellings that mean it; for a bool the labels are `true` and `false`.
    `whole_day` refuses a date that names only a month, for dates that rules compare to the day. `by_name_header` gives the
    value of every row where the file has no such column, but the header over the names says it (法定代表人).
    """

    name: str
    type: str
    headers: tuple[str, ...] = ()
    zh: str = ""
    en: str = ""
    level: str = "person"
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unit: str = "元"
    whole_day: bool = False
    by_name_header: tuple[tuple[str, str], ...] = ()

    @property
    def column(self) -> str:
        """The column that holds this field: name and ID number are kept raw, cleaning them is normalise's job."""
        return _RAW_COLUMNS.get(self.name, self.name)

    @property
    def dtype(self) -> pl.DataType:
        """The dtype of its column."""
        return DTYPES[self.type]

    @property
    def aliases(self) -> tuple[str, ...]:
        """Every header that means this field, best first; its own names always count, so files with them just work."""
        return tuple(dict.fromkeys((*self.headers, self.zh, self.name, self.column)))

    def parse(self, text: pl.Expr, unit: str | None = None) -> pl.Expr:
        """The typed value of a cell's text; `unit` overrides the declared one where a header names its own."""
        labels = dict(self.values)
        match self.type:
            case "code":
                value = values.to_code(text, labels)
            case "bool":
                value = values.to_bool(text, labels.get("true", ()), labels.get("false", ()))
            case "multi":
                value = values.to_multi(text, labels)
            case "date":
                value = values.to_date(text, whole_day=self.whole_day)
            case "money":
                value = values.to_money(text, unit or self.unit)
            case _:
                value = _SIMPLE.get(self.type, values.to_text)(text)
        return value


_SIMPLE = {"month": values.to_month, "year": values.to_year, "integer": values.to_integer, "number": values.to_number}


@dataclass(frozen=True)
class SourceProfile:
    """What one kind of table holds.

    Each entry of `required` is a field, or several joined by `|` of which one is enough. `id_from` names fields in which
    the ID number can be found where the ID column is absent or blank. `hints` are words in a title or file name that tell
    this kind from a similar one.
    """

    name: str
    department: str
    title: str
    title_en: str
    required: tuple[str, ...]
    fields: tuple[Field, ...]
    id_from: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()

    def field(self, name: str) -> Field:
        """The field of this name; a KeyError otherwise, which is a bug of ours."""
        return next(f for f in self.fields if f.name == name)

    @property
    def needs_household(self) -> bool:
        """True for a register: a row without a household cannot be judged."""
        return "household_id" in self.required


def load_profiles(folders: Sequence[Path]) -> dict[str, SourceProfile]:
    """Every profile of the folders by name; a later folder overrides an earlier one. A path to one file also counts.

    Raises ConfigurationError, with file and key, for anything wrong or unknown in any of them.
    """
    shared: dict[str, Field] = {}
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    for path in _toml_files(folders):
        data = _read(path)
        if path.name == IDENTITY_FILE:
            _refuse_unknown(data, {"fields"}, "the file", path)
            shared |= {field.name: field for field in _fields(data, {}, path)}
        else:
            name = _text(data, "profile", path)
            found[name] = (path, data)
    return {name: _profile(name, data, shared, path) for name, (path, data) in sorted(found.items())}


def _toml_files(folders: Sequence[Path]) -> Iterable[Path]:
    for folder in folders:
        if not folder.exists():
            raise InputMissingError("no such folder of source profiles", where=str(folder))
        files = sorted(folder.glob("*.toml")) if folder.is_dir() else [folder]
        # the shared identity fields of a folder apply to its profiles, so they come first
        yield from sorted(files, key=lambda path: path.name != IDENTITY_FILE)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("not readable as TOML", where=str(path), why=str(error)) from None


def _profile(name: str, data: Mapping[str, Any], shared: Mapping[str, Field], path: Path) -> SourceProfile:
    _refuse_unknown(data, _PROFILE_KEYS, "the file", path)
    fields = _fields(data, shared, path)
    own = frozenset(data.get("fields", {})) - set(shared)
    profile = SourceProfile(
        name=name,
        department=_text(data, "department", path),
        title=_text(data, "title", path),
        title_en=_text(data, "title_en", path),
        required=_texts(data, "required", path),
        fields=fields,
        id_from=_texts(data, "id_from", path),
        hints=_texts(data, "hints", path),
        own=own,
    )
    _refuse_strangers(profile, path)
    return profile


def _fields(data: Mapping[str, Any], shared: Mapping[str, Field], path: Path) -> tuple[Field, ...]:
    """The shared identity fields in their order, each with what this file adds to it, then the file's own fields."""
    tables = data.get("fields", {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ConfigurationError('fields are written as [fields.NAME] with type = "…"', where=str(path))
    merged = {
        name: _field(name, tables[name], shared[name], path) if name in tables else shared[name] for name in shared
    }
    return tuple(
        (
            merged | {name: _field(name, table, None, path) for name, table in tables.items() if name not in shared}
        ).values()
    )


def _field(name: str, table: Mapping[str, Any], base: Field | None, path: Path) -> Field:
    place = f"fields.{name}"
    _refuse_unknown(table, _FIELD_KEYS, place, path)
    base = base or Field(name, "text", zh=name, en=name)
    kind, unit, level = table.get("type", base.type), table.get("unit", base.unit), table.get("level", base.level)
    for key, value, known in (("type", kind, tuple(DTYPES)), ("unit", unit, UNITS), ("level", level, _LEVELS)):
        if value not in known:
            raise ConfigurationError(
                f"{place}.{key} = {value!r} means nothing", where=str(path), try_=f"one of: {', '.join(known)}"
            )
    labels = _labels(table, place, kind, path) or base.values
    if kind == "code" and not labels:
        raise ConfigurationError(f"{place} is a code without values", where=str(path), try_='values = { "男" = ["1"] }')
    return replace(
        base,
        type=kind,
        headers=tuple(dict.fromkeys((*_texts(table, "headers", path, place), *base.headers))),
        zh=table.get("zh", base.zh),
        en=table.get("en", base.en),
        level=level,
        values=labels,
        unit=unit,
        whole_day=bool(table.get("whole_day", base.whole_day)),
        by_name_header=_pairs(table, place, path) or base.by_name_header,
    )


def _labels(table: Mapping[str, Any], place: str, kind: str, path: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    labels = table.get("values", {})
    if not isinstance(labels, dict):
        raise ConfigurationError(f'{place}.values is a table: values = {{ "男" = ["1"] }}', where=str(path))
    if labels and kind not in ("code", "bool", "multi"):
        raise ConfigurationError(f"{place}.values only means something for code, bool and multi", where=str(path))
    if kind == "bool" and not set(labels) <= {"true", "false"}:
        raise ConfigurationError(f"{place}.values of a bool are true and false", where=str(path))
    pairs = tuple((name, _texts(labels, name, path, f"{place}.values")) for name in labels)
    seen: dict[str, str] = {}
    for name, spellings in pairs:
        for key in {values.label_key(text) for text in (name, *spellings)}:
            if seen.setdefault(key, name) != name:
                raise ConfigurationError(f"{place}.values: {key!r} means both {seen[key]} and {name}", where=str(path))
    return pairs


def _pairs(table: Mapping[str, Any], place: str, path: Path) -> tuple[tuple[str, str], ...]:
    pairs = table.get("by_name_header", {})
    if not isinstance(pairs, dict) or not all(isinstance(value, str) for value in pairs.values()):
        raise ConfigurationError(f"{place}.by_name_header is a table of texts", where=str(path))
    return tuple(pairs.items())


def _refuse_strangers(profile: SourceProfile, path: Path) -> None:
    known = {field.name for field in profile.fields}
    named = [name for entry in profile.required for name in entry.split("|")]
    for key, names in (("required", named), ("id_from", profile.id_from)):
        for name in names:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                raise ConfigurationError(
                    f"{key} names {name!r}, which is no field of profile {profile.name}",
                    where=str(path),
                    try_=near[0] if near else f"[fields.{name}]",
                )
    if not known & {"name", "id_number"}:
        raise ConfigurationError(
            f"profile {profile.name} has neither name nor id_number",
            where=str(path),
            why="nobody could be found in such a table",
            try_=f"read it together with {IDENTITY_FILE}, or add [fields.name]",
        )


def _refuse_unknown(table: Mapping[str, Any], known: set[str], place: str, path: Path) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise ConfigurationError(
                f"unknown key {key!r} in {place}",
                where=str(path),
                try_=f"{near[0]} = …" if near else f"one of: {', '.join(sorted(known))}",
            )


def _text(table: Mapping[str, Any], key: str, path: Path) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f'{key} = "…" is missing', where=str(path))
    return value


def _texts(table: Mapping[str, Any], key: str, path: Path, place: str = "") -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        where = f"{place}.{key}" if place else key
        raise ConfigurationError(f'{where} is a list of texts: {key} = ["…"]', where=str(path))
    return tuple(value)
