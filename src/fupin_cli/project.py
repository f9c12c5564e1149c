"""fupin.toml, checked and frozen: which files are the register, which the extracts, and under which rules they are read."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.vocabulary import STAGES

PROJECT_FILE = "fupin.toml"
_KEYS = {
    "": {"project", "register", "extract", "rules"},
    "project": {"name", "as_of", "jurisdiction", "line_series", "income_basis", "mask_ids"},
    "register": {"files", "profile", "as_of"},
    "extract": {"id", "files", "profile", "stage", "coverage", "as_of", "department"},
    "rules": {"folder", "linkage"},
}


@dataclass(frozen=True)
class Source:
    """One extract, or the register: files that are read as one under one profile.

    `files` pairs the name people see (relative to the project) with the path. An empty `coverage` means everywhere.
    """

    id: str
    profile: str
    files: tuple[tuple[str, Path], ...]
    as_of: date
    stage: str | None = None
    coverage: tuple[str, ...] = ()
    department: str | None = None


@dataclass(frozen=True)
class Project:
    """Everything a run needs to know, resolved and checked; nothing in it changes afterwards."""

    path: Path
    name: str
    as_of: date
    jurisdiction: str
    register: Source
    extracts: tuple[Source, ...]
    line_series: str = "nbs"
    income_basis: str = "net_income"
    mask_ids: bool = False
    rules_folders: tuple[Path, ...] = field(default=())
    linkage_model: Path = field(default=Path())

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that have extracts, in the order in which rounds happen."""
        used = {extract.stage for extract in self.extracts}
        return tuple(stage for stage in STAGES if stage in used)


def shipped_rules() -> Path:
    """The folder of rules that came with fupin: inside the installed package, or beside it in a checkout."""
    inside = Path(str(resources.files("fupin_cli"))) / "shipped_rules"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "rules"


def rules_folders(own: Path | None) -> tuple[Path, ...]:
    """Where rules are looked for: the shipped folder, then the project's own, which overrides it file by file."""
    return (shipped_rules(), own) if own and own.is_dir() else (shipped_rules(),)


def load_project(path: Path) -> Project:
    """The project in a fupin.toml, or in the folder that holds one.

    Raises InputMissingError for an absent file, ConfigurationError for anything in it that cannot be.
    """
    path = path / PROJECT_FILE if path.is_dir() else path
    data = _read(path)
    where = str(path)
    _refuse_unknown(data, where)
    project, register = _table(data, "project", where), _table(data, "register", where)
    rules = data.get("rules", {})
    folder = path.parent
    as_of = _date(project, "as_of", "[project]", where)
    extracts = tuple(_extract(entry, n, folder, where) for n, entry in enumerate(data.get("extract", []), 1))
    _refuse_twins(extracts, where)
    folders = rules_folders(folder / rules.get("folder", "rules"))
    return Project(
        path=path,
        name=_text(project, "name", "[project]", where),
        as_of=as_of,
        jurisdiction=_text(project, "jurisdiction", "[project]", where),
        register=Source(
            id="register",
            profile=_text(register, "profile", "[register]", where) if "profile" in register else "register",
            files=_files(register, "[register]", folder, where),
            as_of=_date(register, "as_of", "[register]", where) if "as_of" in register else as_of,
        ),
        extracts=extracts,
        line_series=_one_of(project, "line_series", ("nbs", "working"), where),
        income_basis=_one_of(project, "income_basis", ("net_income", "disposable_income"), where),
        mask_ids=_switch(project, "mask_ids", where),
        rules_folders=folders,
        linkage_model=_linkage_model(folders, rules.get("linkage", "default"), where),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputMissingError(
            "no project file here", where=str(path), try_="fupin init FOLDER, or name a fupin.toml"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("not readable as TOML", where=str(path), why=str(error)) from None


def _refuse_unknown(data: Mapping[str, Any], where: str) -> None:
    for section, known in _KEYS.items():
        tables = [data] if not section else data.get(section, {})
        for table in tables if isinstance(tables, list) else [tables]:
            for key in table:
                if key not in known:
                    near = difflib.get_close_matches(key, known, 1)
                    raise ConfigurationError(
                        f"unknown key {key!r} in {f'[{section}]' if section else 'the file'}",
                        where=where,
                        try_=f"{near[0]} = …" if near else f"one of: {', '.join(sorted(known))}",
                    )


def _table(data: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    table = data.get(name)
    if not isinstance(table, dict):
        raise ConfigurationError(
            f"section [{name}] is missing", where=where, try_="fupin init FOLDER writes a complete one"
        )
    return table


def _text(table: Mapping[str, Any], key: str, section: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f'{section} needs {key} = "…"', where=where)
    return value


def _date(table: Mapping[str, Any], key: str, section: str, where: str) -> date:
    value = table.get(key)
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ConfigurationError(
            f"{section} needs {key} = a date",
            where=where,
            why="without it nobody can say what the data could not yet know",
            try_=f"{key} = 2019-11-30",
        )
    return value


def _one_of(table: Mapping[str, Any], key: str, known: Sequence[str], where: str) -> str:
    value = table.get(key, known[0])
    if value not in known:
        raise ConfigurationError(
            f"[project] {key} = {value!r} means nothing", where=where, try_=f"one of: {', '.join(known)}"
        )
    return str(value)


def _switch(table: Mapping[str, Any], key: str, where: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise ConfigurationError(f"[project] {key} is true or false", where=where, try_=f"{key} = true")
    return value


def _texts(table: Mapping[str, Any], key: str, section: str, where: str) -> list[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ConfigurationError(f"{section}: {key} is a list of texts", where=where, try_=f'{key} = ["…"]')
    return value


def _extract(entry: Mapping[str, Any], number: int, folder: Path, where: str) -> Source:
    section = f"[[extract]] {entry.get('id', number)}"
    stage = _text(entry, "stage", section, where)
    if stage not in STAGES:
        raise ConfigurationError(
            f"{section}: no such stage {stage!r}", where=where, try_=f"one of: {', '.join(STAGES)}"
        )
    coverage = _texts(entry, "coverage", section, where)
    if stage != "province" and not coverage:
        raise ConfigurationError(
            f'{section} needs coverage = ["…县"]',
            where=where,
            why="absence from a list means something only where the list reaches",
        )
    return Source(
        id=_text(entry, "id", section, where),
        profile=_text(entry, "profile", section, where),
        files=_files(entry, section, folder, where),
        as_of=_date(entry, "as_of", section, where),
        stage=stage,
        coverage=tuple(coverage),
        department=_text(entry, "department", section, where) if "department" in entry else None,
    )


def _files(table: Mapping[str, Any], section: str, folder: Path, where: str) -> tuple[tuple[str, Path], ...]:
    patterns = _texts(table, "files", section, where)
    if not patterns:
        raise ConfigurationError(f'{section} needs files = ["…"]', where=where)
    found: dict[str, Path] = {}
    for pattern in patterns:
        literal = folder / pattern
        matches = [literal] if literal.exists() else sorted(folder.glob(pattern))
        if not matches:
            raise InputMissingError(f"{section}: no file matches {pattern}", where=where, try_=f"ls {folder}")
        found |= {_shown(match, folder): match for match in matches if match.is_file()}
    return tuple(found.items())


def _shown(path: Path, folder: Path) -> str:
    """The name people see: the path from the project's folder, so that two files of one name stay two."""
    return Path(os.path.relpath(path, folder)).as_posix()


def _refuse_twins(extracts: Sequence[Source], where: str) -> None:
    seen: set[str] = set()
    for extract in extracts:
        if extract.id in seen or extract.id == "register":
            raise ConfigurationError(f"two sources are called {extract.id!r}", where=where, try_="give each its own id")
        seen.add(extract.id)


def _linkage_model(folders: Sequence[Path], name: str, where: str) -> Path:
    for folder in reversed(folders):
        path = folder / "linkage" / f"{name}.toml"
        if path.exists():
            return path
    raise ConfigurationError(f"no linkage model {name!r} under {', '.join(str(f) for f in folders)}", where=where)
