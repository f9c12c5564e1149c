"""manifest.json as it is read: what a folder of ours holds is held against it, before anybody believes what stands there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fupin_cli.errors import BadDataError, InputMissingError
from fupin_cli.language import later, tr
from fupin_cli.rundir import MANIFEST, PROGRAM, present_files, sha256

# a run again in the same place would destroy what shows who changed what
_TRY = later("put the saved copy of the folder back, or run again into another one: fupin run PROJECT -o DIR")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder that fupin wrote.

    Raises InputMissingError where there is none or it is somebody else's, BadDataError where it cannot be read.
    """
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise no_run(folder) from None
    except ValueError:
        raise damaged(folder) from None
    signs = isinstance(told, dict) and (told.get("program") == PROGRAM, isinstance(told.get("outputs"), dict))
    if not signs or not any(signs):
        raise no_run(folder)
    if not all(signs):
        raise damaged(folder)
    return dict(told)


def refuse_changed(folder: Path, names: Iterable[str]) -> dict[str, Any]:
    """The manifest of a run, whose files of these names are as it says. Raises BadDataError for the first that is not."""
    told = read_manifest(folder)
    for name in names:
        if fault := _difference(name, folder / name, told["outputs"]):
            raise differs(fault, folder)
    return told


def differences(folder: Path, outputs: dict[str, str]) -> Iterator[str]:
    """Everything in which the folder differs from what was written, in words, by name."""
    for name in sorted({*outputs, *present_files(folder)}):
        if fault := _difference(name, folder / name, outputs):
            yield fault


def differs(fault: str, folder: Path) -> BadDataError:
    """The error for a run that is not as it was written."""
    return BadDataError(fault, where=str(folder), try_=tr(_TRY))


def damaged(folder: Path) -> BadDataError:
    """The error for a manifest that is there, is ours, and says nothing that could be."""
    return differs(tr("{name} was changed or is damaged", name=MANIFEST), folder)


def no_run(folder: Path) -> InputMissingError:
    """The error for a folder that no run was written to."""
    return InputMissingError(
        tr("this is no run directory"), where=str(folder), try_=tr("fupin run PROJECT -o DIR makes one")
    )


def _difference(name: str, path: Path, outputs: dict[str, str]) -> str | None:
    if not path.is_file():
        return tr("{name} is gone", name=name)
    if name not in outputs:
        return tr("{name} was added", name=name)
    return tr("{name} was changed", name=name) if path.is_symlink() or sha256(path) != outputs[name] else None
