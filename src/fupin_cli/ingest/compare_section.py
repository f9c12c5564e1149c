"""The [compare] of a source profile: which headers are compared as what, where people have no Chinese names or resident IDs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fupin_cli.errors import ConfigurationError
from fupin_cli.language import tr
from fupin_cli.normalise import values
from fupin_cli.normalise.compared import KINDS
from fupin_cli.vocabulary import Compared

_KEYS = ("as", "headers", "follows")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = ("prior", "rivals")  # columns of links have these names
_EXAMPLE = 'name = { as = "text", headers = ["given name", "surname"] }'


@dataclass(frozen=True)
class ComparedField(Compared):
    """A Compared field with its headers: for each of its columns those that mean it, best first."""

    headers: tuple[tuple[str, ...], ...] = ()


def read_compare(data: Mapping[str, Any], path: Path) -> tuple[ComparedField, ...]:
    """The fields of a profile's [compare], in its order; () without one. Raises ConfigurationError with file and key."""
    section = data.get("compare", {})
    if not isinstance(section, dict) or ("compare" in data and not section):
        raise ConfigurationError(tr("[compare] holds one line for each field"), where=str(path), try_=_EXAMPLE)
    fields = tuple(_field(name, table, path) for name, table in section.items())
    _refuse_two_meanings(fields, path)
    _refuse_lost_leaders(fields, path)
    return fields


def refuse_other_comparison(ours: Sequence[Compared], theirs: Sequence[Compared], where: str) -> None:
    """Raises ConfigurationError where two profiles do not compare the same fields in the same way; headers may differ."""
    first, second = ({f.name: (f.kind, f.columns, f.follows) for f in fields} for fields in (ours, theirs))
    if first != second:
        name = next(name for name in (*first, *second) if first.get(name) != second.get(name))
        raise ConfigurationError(
            tr("the two profiles do not say the same of compare.{name}", name=name),
            where=where,
            why=tr("both files must have the same fields, compared in the same way; only the headers may differ"),
            try_=tr(
                "[compare] {name} = … in both profiles, with the same as, follows and number of headers", name=name
            ),
        )


def _field(name: str, table: object, path: Path) -> ComparedField:
    place = f"compare.{name}"
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise ConfigurationError(
            tr("{place} cannot be the name of a column of links", place=place),
            where=str(path),
            why=tr("names are a-z, 0-9 and _, and not {reserved}", reserved=" or ".join(_RESERVED)),
            try_=_EXAMPLE,
        )
    if not isinstance(table, dict):
        raise ConfigurationError(tr("{place} is a table", place=place), where=str(path), try_=_EXAMPLE)
    for key in table:
        if key not in _KEYS:
            raise ConfigurationError(
                tr("unknown key {key!r} in {place}", key=key, place=place),
                where=str(path),
                try_=f"{_nearest(key, _KEYS)} = …",
            )
    kind = table.get("as")
    if kind not in KINDS:
        what = (
            tr("{place}.as = {kind!r} means nothing", place=place, kind=kind)
            if kind is not None
            else tr('{place}: as = "…" is missing', place=place)
        )
        near = difflib.get_close_matches(str(kind), KINDS, 1)
        raise ConfigurationError(
            what,
            where=str(path),
            try_=tr('as = "{near}"', near=near[0]) if near else tr("one of: {kinds}", kinds=", ".join(KINDS)),
        )
    headers, follows = _headers(table.get("headers"), place, path), table.get("follows")
    if len(headers) > (2 if kind == "text" else 1):
        raise ConfigurationError(
            tr("{place} has too many headers", place=place),
            where=str(path),
            why=tr("two stand for the halves of a text that may be swapped (given name, surname); others have one"),
            try_=tr('headers = ["postcode|zip"] where one column has several names'),
        )
    if follows is not None and not isinstance(follows, str):
        raise ConfigurationError(
            tr("{place}.follows is the name of a field", place=place), where=str(path), try_=tr('follows = "suburb"')
        )
    return ComparedField(name, kind, len(headers), follows, headers)


def _headers(value: object, place: str, path: Path) -> tuple[tuple[str, ...], ...]:
    texts = value if isinstance(value, list) else []
    headers = tuple(tuple(filter(values.label_key, text.split("|"))) for text in texts if isinstance(text, str))
    if not headers or len(headers) != len(texts) or not all(headers):
        raise ConfigurationError(
            tr("{place}.headers is a list of the headers as they are printed", place=place),
            where=str(path),
            try_=tr('headers = ["postcode"]'),
        )
    return headers


def _refuse_two_meanings(fields: tuple[ComparedField, ...], path: Path) -> None:
    meaning: dict[str, str] = {}
    parts: dict[str, str] = {}
    for field in fields:
        for part, headers in zip(field.parts, field.headers, strict=True):
            if parts.setdefault(part, field.name) != field.name:
                raise ConfigurationError(
                    tr(
                        "compare.{name} and compare.{parts} both make a column {part}",
                        name=field.name,
                        parts=parts[part],
                        part=part,
                    ),
                    where=str(path),
                )
            for header in headers:
                other = meaning.setdefault(values.label_key(header), part)
                if other != part:
                    raise ConfigurationError(
                        tr(
                            "compare.{name}: {header!r} is a header of {other} already",
                            name=field.name,
                            header=header,
                            other=other,
                        ),
                        where=str(path),
                        try_=tr("each header in one field only: what is counted twice makes strangers look alike"),
                    )


def _refuse_lost_leaders(fields: tuple[ComparedField, ...], path: Path) -> None:
    """A field follows one that stands before it and has one column, so nothing can run in a circle."""
    before: list[str] = []
    for field in fields:
        if field.follows is not None and field.follows not in before:
            raise ConfigurationError(
                tr(
                    "compare.{name} follows {follows!r}, which is no field of one column before it",
                    name=field.name,
                    follows=field.follows,
                ),
                where=str(path),
                try_=tr('follows = "{nearest}"', nearest=_nearest(field.follows, before))
                if before
                else tr("leave follows out"),
            )
        before += [field.name] if field.columns == 1 else []


def _nearest(word: str, known: tuple[str, ...] | list[str]) -> str:
    return next(iter(difflib.get_close_matches(word, known, 1)), known[0])
