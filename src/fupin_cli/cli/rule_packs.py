"""The rule packs that a command speaks of: those of a project or the shipped ones, and one of them by its id or file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from fupin_cli.errors import InputMissingError, UsageError
from fupin_cli.ingest import SourceProfile
from fupin_cli.kept_rules import folders_for
from fupin_cli.language import tr
from fupin_cli.project import profiles_of, rules_folders
from fupin_cli.rulebook import all_packs
from fupin_cli.rules import Lines, Pack, load_lines, nearest

project_option = click.option(
    "--project", type=click.Path(path_type=Path), help="project whose rules/ win"
)  # fmt: skip
judged_project_option = click.option(
    "--project",
    type=click.Path(path_type=Path),
    help="project whose rules of today are used [those that the run keeps]",
)


@dataclass(frozen=True)
class OpenRules:
    """Packs, income lines and source profiles that belong together; `note` says how they differ from those of the run."""

    packs: tuple[Pack, ...]
    lines: Lines
    profiles: Mapping[str, SourceProfile]
    note: str = ""


def open_rules(project: Path | None, instead: Path | None = None, run: Path | None = None) -> OpenRules:
    """The rules that a project would use, the shipped ones without a project; the file `instead` replaces the pack of its id.

    With a `run` and no project, those by which it was judged, which its directory keeps.
    """
    if project and not project.is_dir():
        raise InputMissingError(tr("no such project folder"), where=str(project))
    folders, note = rules_folders(project / "rules" if project else None), ""
    if run is not None:
        folders, note = folders_for(run, project, folders)
    profiles = profiles_of(folders)
    return OpenRules(all_packs(folders, profiles, instead), load_lines(folders), profiles, note)


def open_pack(name: str, project: Path | None, run: Path | None = None) -> tuple[Pack, OpenRules]:
    """One pack by its id, or from a TOML file, and the rules that it stands among."""
    path = Path(name)
    if path.suffix != ".toml":
        known = open_rules(project, run=run)
        return pick_pack(known.packs, name), known
    known = open_rules(project, path, run)
    return next(pack for pack in known.packs if pack.where == path.name), known


def pick_pack(packs: Sequence[Pack], name: str) -> Pack:
    """The pack of this id; UsageError, with the nearest one, where there is none."""
    known = {pack.id: pack for pack in packs}
    if name not in known:
        close = nearest(name, known)
        raise UsageError(
            tr("no pack is called {name!r}", name=name),
            try_=tr("--pack {close}", close=close) if close else tr("one of: {names}", names=", ".join(sorted(known))),
        )
    return known[name]
