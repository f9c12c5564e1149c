"""The hazards of received files (H1–H38), each tied to the tests that build such files: docs/hazards.md is printed from here.

A test says which hazard it shows: `@hazard("H1", "…file…", "…file…")` names the files that it builds, at least two for each
hazard over all tests together.
"""

from dataclasses import dataclass

# hazard → what goes wrong, class (fix: mended and logged · tier: matched with less certainty · flag: reported · stop: refused),
# what fupin does
HAZARDS: dict[str, tuple[str, str, str]] = {}


@dataclass(frozen=True)
class Shown:
    """One test of a hazard, and the files that it builds."""

    hazard: str
    test: str
    files: tuple[str, ...]


SHOWN: list[Shown] = []


def hazard(name, *files):
    """Marks a test as one of a hazard's; `files` say in a few words what it builds."""

    def mark(test):
        SHOWN.append(Shown(name, f"{test.__module__}.{test.__name__}", files))
        return test

    return mark


def table() -> str:
    """docs/hazards.md's table."""
    lines = ["| # | hazard | class | what fupin does | test |", "| --- | --- | --- | --- | --- |"]
    for name, (what, kind, does) in HAZARDS.items():
        tests = "<br>".join(f"`{shown.test}`" for shown in SHOWN if shown.hazard == name)
        lines.append(f"| {name} | {what} | {kind} | {does} | {tests} |")
    return "\n".join(lines)
