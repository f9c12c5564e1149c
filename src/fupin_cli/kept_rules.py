"""The rules by which a round was judged, kept in its run directory: what explains or compares it later reads the same.

    rules/shipped/…   every file that came with fupin then
    rules/project/…   the project's own, which win over them

manifest.json holds the hash of each, under the same names.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from fupin_cli.below import files_below
from fupin_cli.errors import BadDataError, UsageError
from fupin_cli.language import listed, tr
from fupin_cli.rundir import MANIFEST, sha256

KEPT = "rules"
_PARTS = ("shipped", "project")
_MOST_NAMES = 5


def rule_files(folders: Sequence[Path]) -> dict[str, Path]:
    """Name → file of everything in the shipped folder and the project's own: shipped/exit/national.toml."""
    return {
        f"{part}/{path.relative_to(folder).as_posix()}": path
        for part, folder in zip(_PARTS, folders, strict=False)
        for path in files_below(folder, ".toml")
    }


def keep_rules(run: Path, folders: Sequence[Path]) -> None:
    """Copies all rule files into a run directory."""
    for name, path in rule_files(folders).items():
        kept = run / KEPT / name
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, kept)


def folders_for(run: Path, own: Path | None, today: Sequence[Path]) -> tuple[tuple[Path, ...], str]:
    """The rules folders to read a run by, and what a reader must know of them, or nothing.

    Those that the run keeps; with the rules of a project at hand (`own`), `today`'s. A run of an earlier version keeps none: it
    is read by today's. Raises BadDataError where the kept files were changed, UsageError where the project's are needed.
    """
    then = _hashes(run)
    now = {name: sha256(path) for name, path in rule_files(today).items()}
    kept = tuple(folder for part in _PARTS if (folder := run / KEPT / part).is_dir())
    if kept and own is None:
        held = {name: sha256(path) for name, path in rule_files(kept).items()}
        if changed := _changed(then, held):
            raise BadDataError(
                tr("the rules that this run keeps were changed: {named}", named=_named(changed)),
                where=str(run / KEPT),
                try_=tr("fupin run again, or --project with the folder of the rules that you mean"),
            )
        changed = _changed({n: h for n, h in then.items() if n.startswith(_PARTS[0])}, now)
        note = tr(
            "note: the shipped rules have changed since this round ({named}). Told by those of that time; --project for today's",
            named=_named(changed),
        )
        return kept, note if changed else ""
    if own is None and any(name.startswith(_PARTS[1]) for name in then):
        raise UsageError(
            tr("this run was judged by rules of its project, and keeps none of them"),
            where=str(run),
            try_=tr("--project with the project's folder, or fupin run again"),
        )
    changed = _changed(then, now)
    note = tr(
        "note: these rules are not those of this round ({named}). Told by today's, which may answer otherwise",
        named=_named(changed),
    )
    return tuple(today), note if changed and then else ""


def _hashes(run: Path) -> dict[str, str]:
    try:
        told = json.loads((run / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(told.get("rules", {})) if isinstance(told, dict) else {}


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _named(names: Sequence[str]) -> str:
    more = tr(" and more, files: {count}", count=len(names)) if len(names) > _MOST_NAMES else ""
    return listed(names[:_MOST_NAMES]) + more
