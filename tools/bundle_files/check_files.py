# ruff: noqa: INP001, T201 - a program that the install scripts start
"""Ends with 1 where this is another Python than the wheels are for, or where a file is not as SHA256SUMS says."""

import platform
import sys
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).resolve().parent


def faults(python: str) -> list[str]:
    """What is wrong, in both languages; a file that is not listed is as wrong as one that was changed."""
    running = platform.python_version()
    if not running.startswith(f"{python}.") or sys.maxsize < 2**32:
        return [f"需要 64 位 Python {python}，这里是 {running} · needs 64-bit Python {python}, this is {running}"]
    lines = (HERE / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    there = {path.relative_to(HERE).as_posix(): path for path in HERE.rglob("*") if path.is_file()}
    there.pop("SHA256SUMS")
    found = {name: sha256(path.read_bytes()).hexdigest() for name, path in there.items()}
    wrong = sorted(name for name in listed.keys() | found.keys() if listed.get(name) != found.get(name))
    return [f"文件缺失、被改或多出 missing, changed or not ours: {name}" for name in wrong]


if __name__ == "__main__":
    told = faults(sys.argv[1])
    print(*told, sep="\n", end="\n" if told else "", file=sys.stderr)
    sys.exit(1 if told else 0)
