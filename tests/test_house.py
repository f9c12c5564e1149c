"""The house of the design: imports go down only, and the middle stages are strangers."""

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "fupin_cli"
# Each floor may import from the floors below it; rooms on one floor do not know each other unless a pair says so.
FLOORS = [
    {"cli"},
    {"purge"},
    {"feedback", "proof"},
    {"pipeline", "pairing", "casework", "fieldwork", "visiting"},
    {"results", "clerical", "round_page"},
    {"pairs", "bucketed", "on_cluster"},
    {"intake", "what_if", "seal"},
    {"rulebook", "kept_rules", "judged", "manifest"},
    {"report", "cases", "audit", "engine", "project", "rundir", "recipients", "synth"},
    {"ingest", "linkage", "rules"},
    {"normalise", "characters", "locks", "traces", "parked", "toml_text"},
    {"vocabulary", "errors", "unfinished", "parquet", "progress", "layout", "below"},
    {"language"},
]
FLOOR_OF = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
NEIGHBOURS = {
    ("vocabulary", "errors"),
    ("errors", "vocabulary"),
    ("engine", "rundir"),  # whose hash of the code tells whether executors run the same program
}


def room_of(path: Path) -> str:
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] + [
                f"{node.module}.{alias.name}" for alias in node.names if node.module == "fupin_cli"
            ]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        rooms |= {name.split(".")[1] for name in names if name.startswith("fupin_cli.") and name.count(".")}
    return rooms - {"__version__"}


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda p: str(p.relative_to(SRC)))
def test_imports_go_down_only(path: Path):
    """A room imports from lower floors, never from above or beside."""
    room = room_of(path)
    if room == "__init__":
        assert not imported_rooms(path)
        return
    assert room in FLOOR_OF, f"{room} has no floor: add it to the house, and say why"
    for other in imported_rooms(path) - {room}:
        assert other in FLOOR_OF, f"{room} imports {other}, which has no floor"
        assert FLOOR_OF[other] > FLOOR_OF[room] or (room, other) in NEIGHBOURS, f"{room} must not import {other}"


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda p: str(p.relative_to(SRC)))
def test_only_the_cli_knows_click(path: Path):
    """click and its exit codes stay in cli; rich only there and in report/terminal."""
    text = path.read_text(encoding="utf-8")
    if room_of(path) != "cli":
        assert "import click" not in text
        if path.name != "terminal.py":
            assert "import rich" not in text
            assert "from rich" not in text


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda p: str(p.relative_to(SRC)))
def test_bulk_data_stays_in_polars(path: Path):
    """No row loops over frames: no map_elements, iter_rows, to_pandas. Cells of a workbook come as Python objects, by row."""
    allowed = {"iter_rows"} if path.name == "workbook.py" and room_of(path) == "ingest" else set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            refused = {"map_elements", "map_rows", "iter_rows", "to_pandas"} - allowed
            assert node.attr not in refused, f"{path}:{node.lineno}"


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda p: str(p.relative_to(SRC)))
def test_nothing_is_sent_anywhere(path: Path):
    """No module that talks to another machine; a socket is our own two ends, or asks for this machine's name."""
    text = path.read_text(encoding="utf-8")
    for module in (
        "urllib.request",
        "http.client",
        "requests",
        "httpx",
        "ftplib",
        "smtplib",
        "ssl",
        "telnetlib",
        "asyncio",
    ):
        assert f"import {module}" not in text
        assert f"from {module} " not in text
    if "import socket" in text:
        assert path.name in ("locks.py", "signals.py")
        assert ".connect(" not in text
