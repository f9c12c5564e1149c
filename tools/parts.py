# ruff: noqa: INP001, T201 - a program that answers on stdout, not a package
"""What the program is made of: the parts that are needed to run it, their licences, and a bill of materials (SBOM).

    parts.py sbom      CycloneDX 1.6 as JSON on stdout, of what is installed: the same parts give the same bytes
    parts.py licences  every installed part whose licence is not allowed, tools for testing and building included

A licence is what a part's maker declares in its metadata; what a wheel holds inside of others' code is declared there or nowhere.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROGRAM = "fupin-cli"
EXTRAS = ("database", "seal", "synth")

# May be given on with an Apache-2.0 program, changed or not, by an office that never reads a licence.
ALLOWED = frozenset(
    "0BSD Apache-2.0 BSD BSD-2-Clause BSD-3-Clause CC0-1.0 ISC MIT MIT-0 MIT-CMU PSF-2.0 Zlib".split()  # noqa: SIM905 - a list to read
)
# File by file copyleft: in tools that stay with us, and in no bundle.
ALLOWED_TOOLS = ALLOWED | {"MPL-2.0"}

DECLARED = {  # words of classifiers and of License fields → SPDX; BSD alone does not say which of two
    "OSI Approved :: Apache Software License": "Apache-2.0",
    "OSI Approved :: BSD License": "BSD",
    "OSI Approved :: MIT License": "MIT",
    "OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "OSI Approved :: Python Software Foundation License": "PSF-2.0",
    "Apache-2.0": "Apache-2.0",
    "MIT": "MIT",
}
# Their metadata names none; read in the LICENSE file that each wheel brings.
READ_IN_FILE = {"axe-playwright-python": "MIT", "pyrage": "MIT"}

Parts = Mapping[str, Distribution]


def parts_in(*places: Path) -> Parts:
    """Name → part, of wheels and of folders where parts are installed; without places, of the running Python."""
    found = distributions(path=[str(place) for place in places]) if places else distributions()
    return {canonicalize_name(part.name): part for part in found}


def needs(part: Distribution, environment: Mapping[str, str], extras: Iterable[str] = ()) -> dict[str, Requirement]:
    """Name → requirement of what one part asks for in that environment (as in `packaging.markers`)."""
    asked = [Requirement(line) for line in part.requires or ()]
    situations = [{**environment, "extra": extra} for extra in ("", *extras)]
    return {
        canonicalize_name(requirement.name): requirement
        for requirement in asked
        if requirement.marker is None or any(map(requirement.marker.evaluate, situations))
    }


def closure(parts: Parts, environment: Mapping[str, str]) -> tuple[dict[str, list[str]], set[str]]:
    """Name → names of what it needs, from the program down, and the names that are needed and not among `parts`."""
    graph: dict[str, list[str]] = {}
    missing: set[str] = set()
    ahead = [(PROGRAM, EXTRAS)]
    while ahead:
        name, extras = ahead.pop()
        if name not in parts:
            missing.add(name)
        elif name not in graph:
            asked = needs(parts[name], environment, extras)
            graph[name] = sorted(asked)
            ahead += [(other, tuple(requirement.extras)) for other, requirement in asked.items()]
    return graph, missing


def licence(part: Distribution) -> str:
    """The SPDX expression of what its maker declares, or an empty string."""
    said = part.metadata
    if expression := said.get("License-Expression"):
        return expression
    classified = [line.removeprefix("License :: ") for line in said.get_all("Classifier", []) if "License ::" in line]
    known = [DECLARED[words] for words in (*classified, said.get("License") or "") if words in DECLARED]
    return known[0] if known else READ_IN_FILE.get(canonicalize_name(part.name), "")


def is_allowed(expression: str, allowed: frozenset[str]) -> bool:
    """Whether every AND has an allowed OR; where brackets would say otherwise this is the stricter reading."""
    each = expression.replace("(", "").replace(")", "").split(" AND ")
    return all(allowed.intersection(either.split(" OR ")) for either in each)


def refused(parts: Parts, shipped: Iterable[str]) -> list[str]:
    """One line for each part whose licence is not allowed: what is `shipped` by the short list, tools by the longer one."""
    given_on = set(shipped)
    return [
        f"{name} {part.version}: {licence(part) or 'says no licence'}"
        for name, part in sorted(parts.items())
        if not is_allowed(licence(part), ALLOWED if name in given_on else ALLOWED_TOOLS)
    ]


def sbom(parts: Parts, environment: Mapping[str, str], wheels: Mapping[str, Path]) -> str:
    """CycloneDX JSON of the program and all it needs; `wheels`, name → file, adds the SHA-256 of each.

    It holds no time, serial number or address, so that two of them can be compared as text.
    """
    graph, missing = closure(parts, environment)
    if missing:
        raise SystemExit(f"needed and not there: {', '.join(sorted(missing))}")
    components = [component(parts[name], wheels.get(name)) for name in sorted(graph)]
    at = {name: part["bom-ref"] for name, part in zip(sorted(graph), components, strict=True)}
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": next(part for part in components if part["name"] == PROGRAM)},
        "components": [part for part in components if part["name"] != PROGRAM],
        "dependencies": [
            {"ref": at[name], "dependsOn": [at[other] for other in graph[name]]} for name in sorted(graph)
        ],
    }
    return json.dumps(bill, indent=1, ensure_ascii=False) + "\n"


def component(part: Distribution, wheel: Path | None) -> dict[str, object]:
    """One part as CycloneDX writes it."""
    name = canonicalize_name(part.name)
    identity = f"pkg:pypi/{name}@{part.version}"
    said = licence(part)
    words = {"license": {"name": said}} if said == "BSD" else {"expression": said}
    hashes = [{"alg": "SHA-256", "content": sha256(wheel.read_bytes()).hexdigest()}] if wheel else []
    return {
        "type": "application" if name == PROGRAM else "library",
        "bom-ref": identity,
        "name": name,
        "version": part.version,
        **({"hashes": hashes} if hashes else {}),
        "licenses": [words],
        "purl": identity,
    }


def main(wanted: str) -> int:
    """0, or 1 where a licence is not allowed."""
    parts = parts_in()
    here = default_environment()
    if wanted == "sbom":
        print(sbom(parts, here, {}), end="")
        return 0
    not_allowed = refused(parts, closure(parts, here)[0])
    print(*not_allowed or [f"{len(parts)} parts, every licence allowed"], sep="\n")
    return 1 if not_allowed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or ["licences"]))
