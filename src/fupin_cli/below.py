"""The files below a folder, all of them or an error: a folder that may not be listed is not an empty one, as glob has it."""

from __future__ import annotations

import errno
import glob
import os
from pathlib import Path


def files_below(folder: Path, suffix: str = "", *, hidden: bool = True) -> list[Path]:
    """Every file at any depth whose name ends so, sorted; without `hidden` no folder is entered whose name begins with a dot.

    None where there is no such folder. Raises PermissionError for a folder that may not be listed or entered.
    """
    found = []
    for top, folders, names in os.walk(folder, onerror=_raise_unless_gone):
        folders[:] = [name for name in folders if hidden or not name.startswith(".")]
        found += [path for name in names if name.endswith(suffix) and (path := Path(top, name)).is_file()]
    return sorted(found)


def files_in(folder: Path, suffix: str) -> list[Path]:
    """Every file right in the folder whose name ends so, sorted; otherwise as `files_below`."""
    if not folder.is_dir():
        return []
    refuse_locked(folder)
    return sorted(path for path in folder.iterdir() if path.name.endswith(suffix) and path.is_file())


def matches(pattern: str, folder: Path) -> list[Path]:
    """What a pattern matches, sorted. Raises PermissionError for a folder on its way that may not be listed or entered."""
    parts = Path(pattern).parts
    for upto in range(len(parts)):
        for name in glob.glob(os.path.join(*parts[:upto], ""), root_dir=folder, recursive=True):  # noqa: PTH118, PTH207
            refuse_locked(folder / name)
    return sorted(folder / name for name in glob.glob(pattern, root_dir=folder, recursive=True))  # noqa: PTH207 - Path.glob refuses absolute patterns


def refuse_locked(folder: Path) -> None:
    """Nothing, unless the folder may not be listed or entered: then PermissionError, which names it."""
    if not os.access(folder, os.R_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error
