"""The rule packs that a command speaks of: those of a project or the shipped ones, and one of them by its id or file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from fupin_cli.errors import InputMissingError, UsageError
from fupin_cli.ingest import SourceProfile, load_profiles
from fupin_cli.project import rules_folders
from fupin_cli.rulebook import all_packs
from fupin_cli.rules import Lines, Pack, load_lines, nearest

project_option = click.option(
    "--project", type=click.Path(path_type=Path), help="项目文件夹，其 rules/ 覆盖随附规则 · project whose rules/ win"
)  # fmt: skip


@dataclass(frozen=True)
class OpenRules:
    """Packs, income lines and source profiles that belong together."""

    packs: tuple[Pack, ...]
    lines: Lines
    profiles: Mapping[str, SourceProfile]


def open_rules(project: Path | None, instead: Path | None = None) -> OpenRules:
    """The rules that a project would use, the shipped ones without a project; the file `instead` replaces the pack of its id."""
    if project and not project.is_dir():
        raise InputMissingError("no such project folder", where=str(project))
    folders = rules_folders(project / "rules" if project else None)
    profiles = load_profiles([folder / "sources" for folder in folders if (folder / "sources").is_dir()])
    return OpenRules(all_packs(folders, profiles, instead), load_lines(folders), profiles)


def open_pack(name: str, project: Path | None) -> tuple[Pack, OpenRules]:
    """One pack by its id, or from a TOML file, and the rules that it stands among."""
    path = Path(name)
    if path.suffix != ".toml":
        known = open_rules(project)
        return pick_pack(known.packs, name), known
    known = open_rules(project, path)
    return next(pack for pack in known.packs if pack.where == path.name), known


def pick_pack(packs: Sequence[Pack], name: str) -> Pack:
    """The pack of this id; UsageError, with the nearest one, where there is none."""
    known = {pack.id: pack for pack in packs}
    if name not in known:
        close = nearest(name, known)
        raise UsageError(
            f"no pack is called {name!r}", try_=f"--pack {close}" if close else f"one of: {', '.join(sorted(known))}"
        )
    return known[name]
