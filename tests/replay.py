"""Runs what the documents show: every ```console block of a page, in order, in a folder that holds the sample data.

A line that begins with `$ ` is typed, with the lines after it that begin with `> `; the lines below, up to the next command, are
what it answered, and are written anew. The numbers of cases are keyed by a secret that is new each time, so one stands for all.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDTH = 100
_BLOCK = re.compile(r"(^```console\n)(.*?)(^```$)", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^\$ .*(?:\n> .*)*", re.MULTILINE)
_CASE = re.compile(r"\bC[0-9A-HJKMNP-TV-Z]{16}\b")


def replayed(page: str) -> str:
    """The page with what its commands answer now. Raises AssertionError where one of them fails."""
    commands = tuple(match[0] for block in _BLOCK.finditer(page) for match in _COMMAND.finditer(block[2]))
    answers = iter(_answers(commands))

    def anew(block: re.Match[str]) -> str:
        shown = "".join(f"{match[0]}\n{next(answers)}" for match in _COMMAND.finditer(block[2]))
        return f"{block[1]}{shown}{block[3]}"

    return _BLOCK.sub(anew, page)


@cache
def _answers(commands: tuple[str, ...]) -> tuple[str, ...]:
    """What each command prints, run one after the other in one folder. The same page in another language is not run again."""
    if not commands:
        return ()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(
            ROOT / "sample_data", Path(folder) / "sample_data", ignore=shutil.ignore_patterns(".fupin", "runs", "cases")
        )
        return tuple(_answer(command, folder) for command in commands)


def _answer(command: str, folder: str) -> str:
    """What one command prints; `cd` holds for those after it."""
    at = Path(folder) / ".at"
    line = "\n".join(line[2:] for line in command.splitlines())
    typed = (
        f"cd {shlex.quote(at.read_text().strip() if at.exists() else folder)} || exit\ntrap 'pwd > {at}' EXIT\n{line}\n"
    )
    done = subprocess.run(
        ["bash", "-c", typed],
        cwd=folder,
        capture_output=True,  # stderr is shown after stdout: in a pipe nobody knows which comes first
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        timeout=240,
        check=False,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("FUPIN")},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": str(WIDTH),
            "TERM": "dumb",
        },
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"{line}\nexits with {done.returncode}:\n{said}"
    assert folder not in said, f"{line}\nnames the folder in which it ran"
    text = _CASE.sub("C4G7Q2M9KX0BD5T1Z", said)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
