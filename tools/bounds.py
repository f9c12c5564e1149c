# ruff: noqa: INP001, T201 - a program that answers on stdout, not a package
"""Prints the requirements under which the bounds of pyproject.toml are tested: `bounds.py oldest` or `bounds.py newest`.

oldest: the lowest version of each thing that pyproject.toml names, and of what these bring, whatever pip takes.
newest: whatever pip takes, within the bounds. What only tests, checks or builds stays as constraints.txt pins it.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def requirements(end: str) -> Iterator[str]:
    """One requirement a line, as pip reads them; `end` is oldest or newest."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = named["project"]
    extras = {
        name: lines for name, lines in project["optional-dependencies"].items() if name != "spark"
    }  # make test-spark
    ours = [*project["dependencies"], *(line for lines in extras.values() for line in lines)]
    for requirement in map(Requirement, ours):
        yield f"{requirement.name}=={lowest(requirement)}" if end == "oldest" else str(requirement)
    pinned = dict(
        re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    names = {canonicalize_name(Requirement(line).name) for line in ours}
    tools = [*named["dependency-groups"]["dev"], *named["build-system"]["requires"], "editables"]
    for name in (canonicalize_name(Requirement(line).name) for line in tools):
        if name not in names:
            yield f"{name}=={pinned[name]}"


def lowest(requirement: Requirement) -> str:
    """The version of its >= ; every requirement has one, and an upper bound."""
    versions = {found.operator: found.version for found in requirement.specifier}
    if set(versions) != {">=", "<"}:
        raise SystemExit(f"pyproject.toml: {requirement} must say both >= and <")
    return versions[">="]


if __name__ == "__main__":
    print(*requirements(sys.argv[1]), sep="\n")
