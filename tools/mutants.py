# ruff: noqa: INP001, T201, PLC0415 - a program that answers on stdout, not a package; it loads libraries where it forks
"""Changes the program in one place at a time and runs the tests that come by there: `mutants.py normalise cases rules`.

A mutant that no test notices has survived: a test is missing, or the change makes no difference, which `mutants.toml` says then,
with the reason. The score is the share that was noticed of those that make a difference. For each mutant only the tests run that
took its line when nothing was changed, the fastest first. The libraries are loaded once; each mutant is a fork that loads the
program anew, so that constants of a module can change, too.
"""

import importlib.machinery
import importlib.util
import json
import os
import signal
import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from changes import Mutant, mutants

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "fupin_cli"
KEPT = ROOT / ".venv" / "mutants"
SAID = tomllib.loads((ROOT / "tools" / "mutants.toml").read_text(encoding="utf-8"))
_SIDE_BY_SIDE = 2
_MOST_SECONDS = 20.0  # of tests that a mutant is given, as they take unchanged
_QUIET = ("-q", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist")
_LOADED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # libraries are there before pytest is
_UNCHANGED = "module: unchanged"


@dataclass
class Known:
    """Which tests come by each line of each file, and how long each takes."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)

    def tests(self, file: str, line: int, *, of_module: bool) -> list[str]:
        """The tests for a change in this line, fastest first; what no test runs, but loads, concerns all of the file's."""
        told = self.lines.get(file, {})
        found = set() if of_module else set(told.get(line, ()))
        found = found or {test for tests in told.values() for test in tests}
        chosen, spent = [], 0.0
        for test in sorted(found, key=lambda test: (self.seconds[test], test)):
            if chosen and spent + self.seconds[test] > _MOST_SECONDS:
                break
            chosen.append(test)
            spent += self.seconds[test]
        return chosen


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant: killed, survived, or untested where no test comes by."""

    file: str
    line: int
    name: str
    outcome: str


def main(packages: Sequence[str]) -> int:
    """Tells for each file how many mutants were noticed, and names those that were not; 1 where the score is too low."""
    low = False
    for package in packages:
        known = _known(package)
        todo = [one for file in files(package) for one in changed(file)]
        same = {(one["file"], one["change"]): one["why"] for one in SAID.get("same", [])}
        begun = time.monotonic()
        judged = _judged([one for one in todo if (one[0], one[1].name) not in same], known)
        told = list(_remembered(package, judged))
        if strange := [one.file for one in told if one.name == _UNCHANGED and one.outcome == "killed"]:
            raise SystemExit(f"{strange[0]}: its tests fail though nothing is changed: no verdict can be believed")
        verdicts = [one for one in told if one.name != _UNCHANGED]
        left_out = [file for file, mutant in todo if (file, mutant.name) in same]
        low |= _tell(package, verdicts, left_out, time.monotonic() - begun) < SAID["least"]
    return int(low)


def changed(file: str) -> list[tuple[str, Mutant]]:
    """The mutants of a file; and first, for a check of the checker, the file as it is."""
    text = (SOURCE / file).read_text(encoding="utf-8")
    found = list(mutants(text))
    as_it_is = [Mutant(_UNCHANGED, 1, text)] if found else []
    return [(file, one) for one in (*as_it_is, *found[:: int(os.environ.get("EVERY", "1"))])]


def files(package: str) -> list[str]:
    """The files of a package that are mutated: all of it, or those that mutants.toml names."""
    named = SAID[package].get("files")
    paths = [SOURCE / package / f"{name}.py" for name in named] if named else (SOURCE / package).glob("*.py")
    only = os.environ.get("ONLY", "")
    return [path for path in (p.relative_to(SOURCE).as_posix() for p in sorted(paths)) if only in path]


# --- which tests come by ----------------------------------------------------------------------------------------------


def _known(package: str) -> Known:
    """What a process of its own finds out: this one loads nothing of the program. Asked again only after a change."""
    kept = KEPT / f"{package}.json"
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").glob("*.py"), *(ROOT / "tools").glob("mut*")]
    if kept.exists() and kept.stat().st_mtime > max(path.stat().st_mtime for path in sources):
        return _read(kept)
    child = os.fork()
    if child == 0:
        os._exit(_trace(package))
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise SystemExit(f"{package}: the tests fail without any change")
    return _read(kept)


def _read(kept: Path) -> Known:
    told = json.loads(kept.read_text(encoding="utf-8"))
    return Known(told["seconds"], {file: {int(n): t for n, t in by.items()} for file, by in told["lines"].items()})


def _trace(package: str) -> int:
    import coverage
    import pytest

    traced = coverage.Coverage(data_file=None, config_file=False, include=[str(SOURCE / package / "*.py")])
    seconds: dict[str, float] = defaultdict(float)

    class Watch:
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
            test, begun = item.nodeid.partition("[")[0], time.monotonic()
            traced.switch_context(test)
            try:
                return (yield)
            finally:
                traced.switch_context("")
                seconds[test] += time.monotonic() - begun

    traced.start()
    ended = pytest.main([*_QUIET, *SAID[package]["tests"]], plugins=[Watch()])
    traced.stop()
    data = traced.get_data()
    lines = {
        Path(file).relative_to(SOURCE).as_posix(): {
            line: sorted(filter(None, tests)) for line, tests in data.contexts_by_lineno(file).items()
        }
        for file in data.measured_files()
    }
    KEPT.mkdir(exist_ok=True)
    text = json.dumps({"seconds": seconds, "lines": lines}, sort_keys=True)
    (KEPT / f"{package}.json").write_text(text, encoding="utf-8")
    return int(ended)


# --- what becomes of a mutant -----------------------------------------------------------------------------------------


def _judged(todo: Sequence[tuple[str, Mutant]], known: Known) -> Iterator[Verdict]:
    """A verdict for each mutant, as they come."""
    import hypothesis  # noqa: F401 - loaded here, before the forks
    import numpy as np  # noqa: F401
    import openpyxl  # noqa: F401
    import polars as pl  # noqa: F401
    import pytest  # noqa: F401

    running: dict[int, tuple[str, Mutant, float]] = {}
    for number, (file, mutant) in enumerate(todo):
        if sys.stderr.isatty() or number % 50 == 0:
            print(f"{number} of {len(todo)}  {file}", file=sys.stderr, end="\r" if sys.stderr.isatty() else "\n")
        tests = known.tests(file, mutant.line, of_module=mutant.name.startswith("module:"))
        if not tests:
            yield Verdict(file, mutant.line, mutant.name, "untested")
            continue
        while len(running) >= _SIDE_BY_SIDE:
            yield from _ended(running)
        limit = time.monotonic() + 20 + 10 * sum(known.seconds[test] for test in tests)
        child = os.fork()
        if child == 0:
            os.setsid()
            os._exit(_noticed(file, mutant, tests))
        running[child] = file, mutant, limit
    while running:
        yield from _ended(running)


def _ended(running: dict[int, tuple[str, Mutant, float]]) -> Iterator[Verdict]:
    """The verdicts of the forks that have ended; whatever takes far too long was changed so that it never ends."""
    child, status = os.waitpid(-1, os.WNOHANG)
    if child in running:
        file, mutant, _ = running.pop(child)
        survived = os.waitstatus_to_exitcode(status) == 0
        yield Verdict(file, mutant.line, mutant.name, "survived" if survived else "killed")
        return
    for late in [child for child, (_, _, limit) in running.items() if time.monotonic() > limit]:
        os.killpg(late, signal.SIGKILL)
    time.sleep(0.02)


def _noticed(file: str, mutant: Mutant, tests: Sequence[str]) -> int:
    """The exit code of the tests over the changed program: 0 where nobody notices."""
    import hypothesis
    import pytest

    path = SOURCE / file
    name = "fupin_cli." + file.removesuffix(".py").replace("/", ".")

    class Changed(importlib.machinery.SourceFileLoader):
        def get_code(self, _: str) -> object:
            return compile(mutant.text, str(path), "exec")

    class Finder:
        @staticmethod
        def find_spec(wanted: str, *_: object) -> importlib.machinery.ModuleSpec | None:
            return (
                importlib.util.spec_from_file_location(name, path, loader=Changed(name, str(path)))
                if wanted == name
                else None
            )

    class Hasty:
        def pytest_collection(self) -> None:  # a failing example need not be made small
            phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
            hypothesis.settings.register_profile("hasty", hypothesis.settings.get_profile("fupin"), phases=phases)
            hypothesis.settings.load_profile("hasty")

    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    sys.meta_path.insert(0, Finder())
    return int(pytest.main([*_QUIET, *_LOADED, *tests], plugins=[Hasty()]))


# --- what is told -----------------------------------------------------------------------------------------------------


def _remembered(package: str, verdicts: Iterator[Verdict]) -> Iterator[Verdict]:
    """The verdicts; each stands in a file as soon as it is known, for whoever does not wait for the end."""
    with (KEPT / f"{package}.jsonl").open("w", encoding="utf-8") as file:
        for verdict in verdicts:
            file.write(json.dumps(vars(verdict), ensure_ascii=False) + "\n")
            file.flush()
            yield verdict


def _tell(package: str, verdicts: Sequence[Verdict], left_out: Sequence[str], seconds: float) -> float:
    """Prints the table; the score of the package, in %."""
    for verdict in sorted(verdicts, key=lambda v: (v.file, v.line, v.name)):
        if verdict.outcome != "killed":
            print(f"{verdict.outcome}  {verdict.file}:{verdict.line}  {verdict.name}")
    print(f"{'file':<30} {'mutants':>8} {'killed':>8} {'survived':>8} {'untested':>8} {'same':>8} {'score':>8}")
    for file in [*sorted({v.file for v in verdicts}), package]:
        own = [v.outcome for v in verdicts if file in (v.file, package)]
        same = sum(file in (one, package) for one in left_out)
        killed = own.count("killed")
        score = 100 * killed / max(len(own), 1)
        counts = (len(own) + same, killed, own.count("survived"), own.count("untested"), same)
        print(f"{file:<30} " + " ".join(f"{n:>8,}" for n in counts) + f" {score:>6.1f} %")
    print(f"{seconds / 60:.0f} minutes")
    return score


if __name__ == "__main__":
    os.chdir(ROOT)
    os.environ["POLARS_MAX_THREADS"] = "1"
    sys.path.insert(0, str(ROOT / "tests"))
    sys.exit(main(sys.argv[1:]))
