"""Source profiles: what a department's table holds, and by which headers its columns are known.

A profile is a TOML file of `rules/sources/`. `_identity.toml` holds the fields that say who a row speaks of; every profile
has them, with its own headers for such a field tried before the shared ones. docs/sources.md tells every key, with an example.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fupin_cli.below import files_in
from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.ingest.compare_section import ComparedField, read_compare
from fupin_cli.ingest.field import DTYPES, PERIODS, UNITS, Digit, Field
from fupin_cli.language import tr
from fupin_cli.normalise import values
from fupin_cli.toml_text import read_toml

__all__ = ["DTYPES", "PERIODS", "UNITS", "Also", "Digit", "Field", "SourceProfile", "load_profiles"]

IDENTITY_FILE = "_identity.toml"
_PROFILE_KEYS = {
    "profile",
    "department",
    "title",
    "title_en",
    "required",
    "id_from",
    "hints",
    "also",
    "household",
    "compare",
    "fields",
}
_ALSO_KEYS = {"name", "id_number", "set"}
_FIELD_KEYS = {
    "type", "headers", "zh", "en", "level", "values", "unit", "per", "whole_day", "in_life", "by_name_header", "opposite",
    "unknown", "from_digit",
}  # fmt: skip
_ONLY_FOR = {
    "values": ("code", "bool", "multi"),
    "unit": ("money",),
    "per": ("money",),
    "whole_day": ("date",),
    "in_life": ("date",),
    "opposite": ("bool",),
    "unknown": ("code", "bool"),
    "from_digit": ("code",),
}
_LEVELS = ("person", "household")


@dataclass(frozen=True)
class Also:
    """A further person whom the same row names: the headers of that person's name and ID number, at least one of them.

    `set` gives that person values of other fields (role = 股东), whatever the row says of the first person.
    """

    name: tuple[str, ...]
    id_number: tuple[str, ...]
    set: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SourceProfile:
    """What one kind of table holds.

    Each entry of `required` is a field, or several joined by `|` of which one is enough. `id_from` names fields in which
    the ID number can be found where the ID column is absent or blank. `hints` are words in a title or file name that tell
    this kind from a similar one. `household` names the field that the members of one household share. `also` are the further
    persons of a row; a table that has the columns of one of them and none of the profile's own name and ID number is a table of
    that person. `compare` says which columns are compared as what, where people are not told by name and resident ID.
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
    also: tuple[Also, ...] = ()
    household: str = "household_id"
    compare: tuple[ComparedField, ...] = ()

    def field(self, name: str) -> Field:
        """The field of this name; a KeyError otherwise, which is a bug of ours."""
        return next(f for f in self.fields if f.name == name)

    @property
    def needs_household(self) -> bool:
        """True for a register: a row without a household cannot be judged."""
        return "household_id" in self.required

    @property
    def undeclared_money(self) -> dict[str, str]:
        """Money columns that no rule may compare yet, each with what must be written in its field first."""
        return {field.column: field.undeclared for field in self.fields if field.undeclared}


def load_profiles(folders: Sequence[Path]) -> dict[str, SourceProfile]:
    """Every profile of the folders by name; a later folder overrides an earlier one. A path to one file also counts.

    Raises ConfigurationError, with file and key, for anything wrong or unknown in any of them.
    """
    shared: dict[str, Field] = {}
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    for path in _toml_files(folders):
        data, _ = read_toml(path)
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
            raise InputMissingError(tr("no such folder of source profiles"), where=str(folder))
        files = files_in(folder, ".toml") if folder.is_dir() else [folder]
        # the shared identity fields of a folder apply to its profiles, so they come first
        yield from sorted(files, key=lambda path: path.name != IDENTITY_FILE)


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
        household=_text(data, "household", path) if "household" in data else "household_id",
        own=own,
        also=tuple(_also(entry, number, path) for number, entry in enumerate(_tables(data, "also", path), 1)),
        compare=read_compare(data, path),
    )
    _refuse_strangers(profile, path)
    _refuse_wrong_also(profile, path)
    return profile


def _fields(data: Mapping[str, Any], shared: Mapping[str, Field], path: Path) -> tuple[Field, ...]:
    """The shared identity fields in their order, each with what this file adds to it, then the file's own fields."""
    tables = data.get("fields", {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ConfigurationError(tr('fields are written as [fields.NAME] with type = "…"'), where=str(path))
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
    kind, level = table.get("type", base.type), table.get("level", base.level)
    for key, known in (("type", tuple(DTYPES)), ("unit", UNITS), ("per", PERIODS), ("level", _LEVELS)):
        if key in table and table[key] not in known:
            raise ConfigurationError(
                tr("{place}.{key} = {table!r} means nothing", place=place, key=key, table=table[key]),
                where=str(path),
                try_=tr("one of: {known}", known=", ".join(known)),
            )
    for key, kinds in _ONLY_FOR.items():
        if key in table and kind not in kinds:
            raise ConfigurationError(
                tr("{place}.{key} only means something for {listed}", place=place, key=key, listed=_listed(kinds)),
                where=str(path),
            )
    labels = _labels(table, place, kind, path) or base.values
    unknown = _texts(table, "unknown", path, place) or base.unknown
    _refuse_known_unknown(labels, unknown, place, path)
    if kind == "code" and not labels:
        raise ConfigurationError(
            tr("{place} is a code without values", place=place), where=str(path), try_=tr('values = { "男" = ["1"] }')
        )
    return replace(
        base,
        type=kind,
        headers=tuple(dict.fromkeys((*_texts(table, "headers", path, place), *base.headers))),
        zh=table.get("zh", base.zh),
        en=table.get("en", base.en),
        level=level,
        values=labels,
        unit=table.get("unit", base.unit),
        per=table.get("per", base.per),
        whole_day=bool(table.get("whole_day", base.whole_day)),
        in_life=bool(table.get("in_life", base.in_life)),
        by_name_header=_pairs(table, "by_name_header", place, path) or base.by_name_header,
        opposite=_texts(table, "opposite", path, place) or base.opposite,
        unknown=unknown,
        from_digit=_digit(table, place, path) or base.from_digit,
    )


def _labels(table: Mapping[str, Any], place: str, kind: str, path: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    labels = table.get("values", {})
    if not isinstance(labels, dict):
        raise ConfigurationError(
            tr('{place}.values is a table: values = {{ "男" = ["1"] }}', place=place), where=str(path)
        )
    if kind == "bool" and not set(labels) <= {"true", "false"}:
        raise ConfigurationError(tr("{place}.values of a bool are true and false", place=place), where=str(path))
    pairs = tuple((name, _texts(labels, name, path, f"{place}.values")) for name in labels)
    seen: dict[str, str] = {}
    for name, spellings in pairs:
        for key in {values.label_key(text) for text in (name, *spellings)}:
            if seen.setdefault(key, name) != name:
                raise ConfigurationError(
                    tr(
                        "{place}.values: {key!r} means both {seen} and {name}",
                        place=place,
                        key=key,
                        seen=seen[key],
                        name=name,
                    ),
                    where=str(path),
                )
    return pairs


def _refuse_known_unknown(
    labels: tuple[tuple[str, tuple[str, ...]], ...], unknown: tuple[str, ...], place: str, path: Path
) -> None:
    meaning = {values.label_key(text): name for name, spellings in labels for text in (name, *spellings)}
    for text in unknown:
        if values.label_key(text) in meaning:
            name = meaning[values.label_key(text)]
            raise ConfigurationError(
                tr("{place}: {value!r} means both {name} and unknown", place=place, value=text, name=name),
                where=str(path),
            )


def _pairs(table: Mapping[str, Any], key: str, place: str, path: Path) -> tuple[tuple[str, str], ...]:
    pairs = table.get(key, {})
    if not isinstance(pairs, dict) or not all(isinstance(value, str) for value in pairs.values()):
        raise ConfigurationError(tr("{place}.{key} is a table of texts", place=place, key=key), where=str(path))
    return tuple(pairs.items())


def _digit(table: Mapping[str, Any], place: str, path: Path) -> Digit | None:
    if "from_digit" not in table:
        return None
    match table["from_digit"]:
        case {"field": str(field), "at": int(at), **rest} if not rest and at > 0 and at is not True:
            return Digit(field, at)
    raise ConfigurationError(
        tr("{place}.from_digit names a field and a place, from 1", place=place),
        where=str(path),
        try_=tr('from_digit = { field = "disability_no", at = 19 }'),
    )


def _also(entry: Mapping[str, Any], number: int, path: Path) -> Also:
    place = f"also {number}"
    _refuse_unknown(entry, _ALSO_KEYS, place, path)
    also = Also(
        name=_texts(entry, "name", path, place),
        id_number=_texts(entry, "id_number", path, place),
        set=_pairs(entry, "set", place, path),
    )
    if not (also.name or also.id_number):
        raise ConfigurationError(
            tr("{place} has neither name nor id_number", place=place), where=str(path), try_=tr('name = ["共有人"]')
        )
    return also


def _refuse_wrong_also(profile: SourceProfile, path: Path) -> None:
    """Refuse a header that would tell two persons, or a person and something else, and a value that its field cannot hold."""
    if not profile.also:
        return
    meaning = {values.label_key(alias): f.name for f in profile.fields for alias in (*f.aliases, *f.opposite_aliases)}
    for number, also in enumerate(profile.also, 1):
        for header in (*also.name, *also.id_number):
            other = meaning.setdefault(values.label_key(header), f"also {number}")
            if other != f"also {number}":
                raise ConfigurationError(
                    tr(
                        "also {number}: {header!r} is a header of {other} already",
                        number=number,
                        header=header,
                        other=other,
                    ),
                    where=str(path),
                )
        for name, value in also.set:
            field = next((f for f in profile.fields if f.name == name), None)
            if field is None or field.type not in ("code", "text"):
                raise ConfigurationError(
                    tr("also {number}.set: {name!r} is no code or text field", number=number, name=name),
                    where=str(path),
                )
            if field.type == "code" and value not in dict(field.values):
                labels = ", ".join(dict(field.values))
                raise ConfigurationError(
                    tr("also {number}.set: {name} is never {value!r}", number=number, name=name, value=value),
                    where=str(path),
                    try_=tr("one of: {labels}", labels=labels),
                )


def _refuse_strangers(profile: SourceProfile, path: Path) -> None:
    known = {field.name for field in profile.fields}
    named = [name for entry in profile.required for name in entry.split("|")]
    others = [field.from_digit.field for field in profile.fields if field.from_digit]
    household = () if profile.household == "household_id" else (profile.household,)
    for key, names in (
        ("required", named), ("id_from", profile.id_from), ("household", household), ("from_digit", others),
    ):  # fmt: skip
        for name in names:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                raise ConfigurationError(
                    tr(
                        "{key} names {name!r}, which is no field of profile {name_2}",
                        key=key,
                        name=name,
                        name_2=profile.name,
                    ),
                    where=str(path),
                    try_=near[0] if near else f"[fields.{name}]",
                )
    if not known & {"name", "id_number"}:
        raise ConfigurationError(
            tr("profile {name} has neither name nor id_number", name=profile.name),
            where=str(path),
            why=tr("nobody could be found in such a table"),
            try_=tr("read it together with {identity_file}, or add [fields.name]", identity_file=IDENTITY_FILE),
        )


def _refuse_unknown(table: Mapping[str, Any], known: set[str], place: str, path: Path) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise ConfigurationError(
                tr("unknown key {key!r} in {place}", key=key, place=place),
                where=str(path),
                try_=f"{near[0]} = …" if near else tr("one of: {names}", names=", ".join(sorted(known))),
            )


def _text(table: Mapping[str, Any], key: str, path: Path) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(tr('{key} = "…" is missing', key=key), where=str(path))
    return value


def _texts(table: Mapping[str, Any], key: str, path: Path, place: str = "") -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        where = f"{place}.{key}" if place else key
        raise ConfigurationError(tr('{where} is a list of texts: {key} = ["…"]', where=where, key=key), where=str(path))
    return tuple(value)


def _tables(table: Mapping[str, Any], key: str, path: Path) -> list[dict[str, Any]]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ConfigurationError(tr("{key} is written as [[{key}]]", key=key), where=str(path))
    return value


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
