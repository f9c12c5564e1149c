"""fupin.toml, checked and frozen: what is the register, what the extracts, and under which rules they are read."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from fupin_cli.below import files_below, matches
from fupin_cli.errors import ConfigurationError, FupinError, InputMissingError, typed
from fupin_cli.ingest import SourceProfile, counties_in, load_profiles
from fupin_cli.ingest.archive import plainly_no_table
from fupin_cli.ingest.database import Query, declare
from fupin_cli.ingest.file_list import FileList, declare_files
from fupin_cli.language import tr
from fupin_cli.layout import CASES, PROJECT_FILE, RUNS
from fupin_cli.toml_text import read_toml
from fupin_cli.vocabulary import STAGES

_READ = {"files", "sheets", "password_env", "source", "query", "table"}
_KEYS = {
    "": {"project", "register", "extract", "places", "rules"},
    "project": {"name", "as_of", "jurisdiction", "line_series", "income_basis", "mask_ids"},
    "register": {"profile", "as_of", "county"} | _READ,
    "extract": {"id", "profile", "stage", "coverage", "as_of", "department", "folder", "names"} | _READ,
    "places": {"county", "township", "village"},
    "rules": {"folder", "linkage", "packs", "without"},
}


@dataclass(frozen=True)
class Source:
    """One extract, or the register: files that are read as one under one profile, or what a database answers.

    `files` pairs the name people see (relative to the project) with the path; it is empty where `database` is set, or
    `listing`, a folder whose files are listed by their names and not read. `sheets`
    are patterns, none of them means all sheets. An empty `coverage` means everywhere.
    """

    id: str
    profile: str
    files: tuple[tuple[str, Path], ...]
    as_of: date
    stage: str | None = None
    coverage: tuple[str, ...] = ()
    department: str | None = None
    sheets: tuple[str, ...] = ()
    password_env: str = "FUPIN_PASSWORD"  # noqa: S105 - the name of a variable, not a password
    database: Query | None = None
    listing: FileList | None = None


@dataclass(frozen=True)
class Project:
    """Everything a run needs to know, resolved and checked; nothing in it changes afterwards.

    `places` holds (level, old name, new name) of divisions that were merged or renamed, which nobody may guess;
    `register_county` is the county of register rows that name none; `packs` names the rule packs that are judged beyond those
    that always are, `packs_left_out` those that are not judged even where they would be.
    """

    path: Path
    name: str
    as_of: date
    jurisdiction: str
    register: Source
    extracts: tuple[Source, ...]
    line_series: str = "nbs"
    income_basis: str = "net_income"
    mask_ids: bool = False
    places: tuple[tuple[str, str, str], ...] = ()
    register_county: str | None = None
    rules_folders: tuple[Path, ...] = field(default=())
    linkage_model: Path = field(default=Path())
    packs: tuple[str, ...] = ()
    packs_left_out: tuple[str, ...] = ()

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


def profiles_of(folders: Sequence[Path]) -> dict[str, SourceProfile]:
    """Every source profile of the rules folders by name; a later folder overrides an earlier one, file by file."""
    return load_profiles([folder / "sources" for folder in folders if (folder / "sources").is_dir()])


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
    own_rules = folder / rules.get("folder", "rules")
    ours = frozenset(p.resolve() for p in (path, folder / RUNS, folder / CASES, own_rules))
    folders = rules_folders(own_rules)

    def held() -> list[str]:
        try:
            files = _files(register, "[register]", folder, ours, where)
        except FupinError:
            files = ()
        return _counties(register, [path for _, path in files], folders)

    extracts = tuple(
        _extract(entry, n, folder, ours, where, held) for n, entry in enumerate(data.get("extract", []), 1)
    )
    _refuse_twins(extracts, where)
    return Project(
        path=path,
        name=_text(project, "name", "[project]", where),
        as_of=as_of,
        jurisdiction=_text(project, "jurisdiction", "[project]", where),
        register=Source(
            id="register",
            profile=_text(register, "profile", "[register]", where) if "profile" in register else "register",
            as_of=_date(register, "as_of", "[register]", where) if "as_of" in register else as_of,
            files=_files(register, "[register]", folder, ours, where),
            database=_database(register, "[register]", folder, where),
            sheets=tuple(_texts(register, "sheets", "[register]", where)),
            password_env=_variable(register, "[register]", where),
        ),
        extracts=extracts,
        line_series=_one_of(project, "line_series", ("nbs", "working"), where),
        income_basis=_one_of(project, "income_basis", ("net_income", "disposable_income"), where),
        mask_ids=_switch(project, "mask_ids", where),
        register_county=_text(register, "county", "[register]", where) if "county" in register else None,
        places=_places(data.get("places", {}), where),
        rules_folders=folders,
        linkage_model=_linkage_model(folders, rules.get("linkage", "default"), where),
        packs=tuple(_texts(rules, "packs", "[rules]", where)),
        packs_left_out=tuple(_texts(rules, "without", "[rules]", where)),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)[0]
    except (FileNotFoundError, NotADirectoryError):
        raise _no_project(path) from None


def _refuse_unknown(data: Mapping[str, Any], where: str) -> None:
    for section, known in _KEYS.items():
        tables = [data] if not section else data.get(section, {})
        if section == "extract":
            tables = data.get(section, [])
            if not isinstance(tables, list):
                raise ConfigurationError(
                    tr("extracts are a list"), where=where, try_=tr("[[extract]], with two brackets")
                )
        for table in tables if isinstance(tables, list) else [tables]:
            if not isinstance(table, dict):
                raise ConfigurationError(
                    tr("{section} is a section", section=section), where=where, try_=f"[{section}]"
                )
            for key in table:
                if key not in known:
                    raise _unknown_key(key, section, known, where)


def _unknown_key(key: str, section: str, known: Collection[str], where: str) -> ConfigurationError:
    """The error for a key that means nothing there, with the nearest that does, or all that may stand there."""
    heading = {"": tr("the file"), "extract": "[[extract]]"}.get(section, f"[{section}]")
    near = next(iter(difflib.get_close_matches(key.lower(), known, 1)), None)
    if near is None:
        try_ = tr("one of: {names}", names=", ".join(sorted(known)))
    elif section:
        try_ = f"{near} = …"
    else:
        try_ = "[[extract]]" if near == "extract" else f"[{near}]"
    return ConfigurationError(tr("unknown key {key!r} in {what}", key=key, what=heading), where=where, try_=try_)


def _no_project(path: Path) -> InputMissingError:
    """The error for a project that is not there: a folder that does not exist, with the nearest that does, or its file."""
    folder = path.parent if path.suffix == ".toml" else path
    if folder.exists():
        return InputMissingError(
            tr("no project file here"),
            where=str(path),
            try_=tr("{step}, or name a fupin.toml", step=typed("fupin", "init", folder)),
        )
    beside = [other.name for other in folder.parent.iterdir() if other.is_dir()] if folder.parent.is_dir() else []
    near = difflib.get_close_matches(folder.name, beside, 1)
    return InputMissingError(
        tr("no such folder"),
        where=str(folder),
        try_=tr("did you mean: {names}", names=folder.with_name(near[0]))
        if near
        else tr("ls {folder}", folder=folder.parent),
    )


def _table(data: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    table = data.get(name)
    if not isinstance(table, dict):
        raise ConfigurationError(
            tr("section [{name}] is missing", name=name),
            where=where,
            try_=tr(
                "{step}  writes a complete one, and keeps this",
                step=typed("fupin", "init", Path(where).parent, "--force"),
            ),
        )
    return table


def _text(table: Mapping[str, Any], key: str, section: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(tr('{section} needs {key} = "…"', section=section, key=key), where=where)
    return value


def _date(table: Mapping[str, Any], key: str, section: str, where: str) -> date:
    value = table.get(key)
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ConfigurationError(
            tr("{section} needs {key} = a date", section=section, key=key),
            where=where,
            why=tr("without it nobody can say what the data could not yet know"),
            try_=f"{key} = 2019-11-30",
        )
    return value


def _one_of(table: Mapping[str, Any], key: str, known: Sequence[str], where: str) -> str:
    value = table.get(key, known[0])
    if value not in known:
        raise ConfigurationError(
            tr("[project] {key} = {value!r} means nothing", key=key, value=value),
            where=where,
            try_=tr("one of: {known}", known=", ".join(known)),
        )
    return str(value)


def _switch(table: Mapping[str, Any], key: str, where: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise ConfigurationError(tr("[project] {key} is true or false", key=key), where=where, try_=f"{key} = true")
    return value


def _texts(table: Mapping[str, Any], key: str, section: str, where: str) -> list[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ConfigurationError(
            tr("{section}: {key} is a list of texts", section=section, key=key), where=where, try_=f'{key} = ["…"]'
        )
    return value


def _counties(register: Mapping[str, Any], files: Sequence[Path], folders: Sequence[Path]) -> list[str]:
    """The counties that the register holds, for whoever is to write down how far an extract reaches."""
    if isinstance(county := register.get("county"), str):
        return [county]
    profiles = profiles_of(folders)
    kind = register.get("profile", "register")
    return counties_in(files, profiles[kind]) if kind in profiles else []


def _extract(
    entry: Mapping[str, Any],
    number: int,
    folder: Path,
    ours: frozenset[Path],
    where: str,
    held: Callable[[], list[str]],
) -> Source:
    """One [[extract]]; `held` knows the counties of the register."""
    section = f"[[extract]] {entry.get('id', number)}"
    stage = _text(entry, "stage", section, where)
    if stage not in STAGES:
        raise ConfigurationError(
            tr("{section}: no such stage {stage!r}", section=section, stage=stage),
            where=where,
            try_=tr("one of: {stages}", stages=", ".join(STAGES)),
        )
    coverage = _coverage(entry, stage, section, where)
    if stage != "province" and not coverage:
        raise ConfigurationError(
            tr('{section} needs coverage = ["…县"]', section=section),
            where=where,
            why=tr("absence from a list means something only where the list reaches"),
            try_=tr(
                "coverage = [{counties}], those of them that the list reaches",
                counties=", ".join(f'"{county}"' for county in held() or ["…县"]),
            ),
        )
    return Source(
        id=_text(entry, "id", section, where),
        profile=_text(entry, "profile", section, where),
        files=_files(entry, section, folder, ours, where),
        as_of=_date(entry, "as_of", section, where),
        stage=stage,
        coverage=tuple(coverage),
        department=_text(entry, "department", section, where) if "department" in entry else None,
        database=_database(entry, section, folder, where),
        listing=_listing(entry, section, folder, where),
        sheets=tuple(_texts(entry, "sheets", section, where)),
        password_env=_variable(entry, section, where),
    )


def _coverage(entry: Mapping[str, Any], stage: str, section: str, where: str) -> list[str]:
    """The counties that an extract covers; none where it covers all."""
    if isinstance(entry.get("coverage"), str):
        leave = tr("leave the line out where it covers everything")
        raise ConfigurationError(
            tr("{section}: coverage is a list of counties, as the register names them", section=section),
            where=where,
            try_='coverage = ["某某县"]' + (tr("; or ") + leave if stage == "province" else ""),
        )
    return _texts(entry, "coverage", section, where)


def _files(
    table: Mapping[str, Any], section: str, folder: Path, ours: frozenset[Path], where: str
) -> tuple[tuple[str, Path], ...]:
    """The files that the patterns reach, each once; none where they come otherwise. `ours` is what fupin keeps here."""
    patterns = _texts(table, "files", section, where)
    given = [key for key in ("files", "source", "folder") if table.get(key)]
    if len(given) != 1:
        raise ConfigurationError(
            tr(
                '{section} needs either files = ["…"] or source = "postgresql://…" (or folder = "…", for photos)',
                section=section,
            ),
            where=where,
            why=tr("{given}: both are there", given=" and ".join(given)) if given else tr("neither is there"),
            try_=tr("take one of them out") if given else tr('files = ["台账.xlsx"]'),
        )
    found: dict[Path, Path] = {}
    for pattern in patterns:
        literal = folder / pattern
        if literal.is_file():
            found.setdefault(literal.resolve(), literal)
            continue
        found_here = [literal] if literal.exists() else matches(pattern, folder)
        tables = [file for path in found_here for file in _tables(path, section, ours, where)]
        if not tables:
            raise InputMissingError(
                tr("{section}: no file matches {pattern}", section=section, pattern=pattern),
                where=where,
                try_=tr("ls {folder}", folder=folder),
            )
        for file in tables:
            found.setdefault(file.resolve(), file)
    return tuple((_shown(path, folder), path) for path in found.values())


def received_files(folder: Path) -> list[Path]:
    """Every file below a folder that may be a table, sorted; not what fupin itself keeps there."""
    ours = frozenset((folder / name).resolve() for name in (PROJECT_FILE, RUNS, CASES, "rules"))
    runs = {path.parent.resolve() for path in folder.rglob("manifest.json")}
    found = (path for path in folder.rglob("*") if path.is_file() and _may_be_table(path, folder, ours | runs))
    return sorted(found)


def _tables(path: Path, section: str, ours: frozenset[Path], where: str) -> list[Path]:
    """The file, or every file below the folder, that may be a table. Raises InputMissingError for a folder without any."""
    if path.is_file():
        return [path] if _may_be_table(path, path.parent, ours) else []
    if path.resolve() in ours:
        return []
    tables = [file for file in files_below(path, hidden=False) if _may_be_table(file, path, ours)]
    if not tables:
        raise InputMissingError(
            tr("{section}: no table in the folder {path}", section=section, path=path),
            where=where,
            try_=tr("put the received files into it, or take it out"),
        )
    return tables


def _may_be_table(path: Path, top: Path, ours: frozenset[Path]) -> bool:
    """Whether a file found below `top` is neither ours, nor hidden, nor a lock file of an open workbook, nor plainly no table."""
    hidden = any(part.startswith((".", "~$")) for part in path.relative_to(top).parts)
    full = path.resolve()
    return not hidden and not plainly_no_table(path.name) and ours.isdisjoint((full, *full.parents))


def _database(table: Mapping[str, Any], section: str, folder: Path, where: str) -> Query | None:
    """The query or table of a database, where that is the source."""
    alone = [key for key in ("query", "table") if key in table]
    if "source" not in table:
        if alone:
            raise ConfigurationError(
                tr("{section}: {alone} is asked of a database", section=section, alone=alone[0]),
                where=where,
                try_=tr('source = "postgresql://…"'),
            )
        return None
    for key in ("sheets", "password_env"):
        if key in table:
            raise ConfigurationError(
                tr("{section}: {key} belongs to files, not to a database", section=section, key=key), where=where
            )
    if len(alone) != 1:
        raise ConfigurationError(
            tr('{section}: a database needs query = "SELECT …" or table = "…"', section=section),
            where=where,
            why=tr("both are there") if alone else tr("neither is there"),
        )
    return declare(
        _text(table, "source", section, where),
        text=_text(table, "query", section, where) if "query" in table else None,
        table=_text(table, "table", section, where) if "table" in table else None,
        folder=folder,
        where=f"{where}, {section}",
    )


def _listing(table: Mapping[str, Any], section: str, folder: Path, where: str) -> FileList | None:
    """The folder whose files are listed by their names, where that is the source."""
    names = _texts(table, "names", section, where)
    if "folder" not in table:
        if names:
            raise ConfigurationError(
                tr("{section}: names says how the files of a folder are named", section=section),
                where=where,
                try_=tr('folder = "照片"'),
            )
        return None
    for key in ("sheets", "password_env"):
        if key in table:
            raise ConfigurationError(
                tr("{section}: {key} belongs to files, not to a folder of photos", section=section, key=key),
                where=where,
            )
    name = _text(table, "folder", section, where)
    return declare_files(name, folder / name, names, f"{where}, {section}")


def _variable(table: Mapping[str, Any], section: str, where: str) -> str:
    """The name of the environment variable that holds the password of protected workbooks."""
    name = table.get("password_env", Source.password_env)
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ConfigurationError(  # what stands there may be the password itself: it is not repeated
            tr("{section}: password_env is the name of an environment variable, never the password", section=section),
            where=where,
            try_=tr('password_env = "{password_env}"', password_env=Source.password_env),
        )
    return name


def _places(levels: Mapping[str, Any], where: str) -> tuple[tuple[str, str, str], ...]:
    """(level, old name, new name) of each place that was merged or renamed."""
    found = []
    for level, names in levels.items():
        if not isinstance(names, dict):
            raise ConfigurationError(
                tr("[places] {level} is a section", level=level),
                where=where,
                try_=tr('[places.{level}] with lines "old name" = "new name"', level=level),
            )
        for old, new in names.items():
            line = f"[places.{level}] {old!r}"
            if not isinstance(new, str) or not new:
                raise ConfigurationError(tr("{line} needs its new name", line=line), where=where, try_=f'"{old}" = "…"')
            if new == old:
                raise ConfigurationError(
                    tr("{line} is renamed to itself", line=line), where=where, try_=tr("take the line out")
                )
            if new in names:
                raise ConfigurationError(
                    tr("{line} becomes {new!r}, which is an old name, too", line=line, new=new),
                    where=where,
                    why=tr("a chain of renamings is never followed"),
                    try_=f'"{old}" = "{names[new]}"',
                )
            found.append((level, old, new))
    return tuple(found)


def _shown(path: Path, folder: Path) -> str:
    """The name people see: the path from the project's folder, so that two files of one name stay two."""
    return Path(os.path.relpath(path, folder)).as_posix()


def _refuse_twins(extracts: Sequence[Source], where: str) -> None:
    seen: set[str] = set()
    for extract in extracts:
        if extract.id in seen or extract.id == "register":
            raise ConfigurationError(
                tr("two sources are called {id!r}", id=extract.id), where=where, try_=tr("give each its own id")
            )
        seen.add(extract.id)


def _linkage_model(folders: Sequence[Path], name: str, where: str) -> Path:
    for folder in reversed(folders):
        path = folder / "linkage" / f"{name}.toml"
        if path.exists():
            return path
    raise ConfigurationError(
        tr("no linkage model {name!r} under {names}", name=name, names=", ".join(str(f) for f in folders)), where=where
    )
