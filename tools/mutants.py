# ruff: noqa: INP001, T201, PLC0415 - a program that answers on stdout, not a package; it loads libraries where it forks
"""Changes the program in one place at a time and runs the tests that come by there: `mutants.py normalise cases rules`.

A mutant that no test notices has survived: a test is missing, or the change makes no difference, which `mutants.toml` says then,
with the reason. The score is the share that was noticed of those that make a difference. Each mutant is looked at up to twice:

1. The tests of a package are collected once. For each mutant that process forks, exchanges the code of the file's functions, and
   runs the tests that took the line when nothing was changed, up to the first that fails: most mutants cost a second or less.
2. What survives that, and what was changed outside functions, a fork loads anew, from the libraries on, and runs all tests that
   come by the file: what one test runs first, for a fixture or a cache, another may hold.
"""

import gc
import importlib.machinery
import importlib.util
import json
import os
import random
import shutil
import signal
import sys
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import CodeType, FunctionType
from typing import TypeVar

from changes import Mutant, mutants

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "fupin_cli"
KEPT = ROOT / ".venv" / "mutants"
_Key = TypeVar("_Key")
SAID = tomllib.loads((ROOT / "tools" / "mutants.toml").read_text(encoding="utf-8"))
_SIDE_BY_SIDE = 2
_MOST_SECONDS = 60.0  # of tests that a mutant is given at each look, as they take unchanged
_QUIET = ("-q", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "timeout=0")
_KEEPS_NOTHING = ("--capture=sys", "-o", "tmp_path_retention_policy=none")
_LOADED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # libraries are there before pytest is
_UNCHANGED = "module: unchanged"
_OUT_OF_REACH = 77  # ends a fork whose change is not in code that can be exchanged


@dataclass
class Known:
    """Which tests come by each line of each file, and how long each takes."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)

    def tests(self, file: str, line: int) -> list[str]:
        """The tests that come by a line, or, where none does, by the file; a file's tests together, the fastest first."""
        return self._ordered(set(self.lines.get(file, {}).get(line, ())) or self._all(file))

    def of_file(self, file: str, line: int) -> list[str]:
        """Those, and after them the others that come by the file."""
        first = self.tests(file, line)
        return first + self._ordered(self._all(file) - set(first))

    def longest(self, test: str) -> float:
        """The seconds of the slowest test in the same file: whichever runs first makes what several of them share."""
        return max(seconds for other, seconds in self.seconds.items() if _file(other) == _file(test))

    def _all(self, file: str) -> set[str]:
        """The tests that come by a file; by one that holds constants alone none comes, and any may notice."""
        return {test for tests in self.lines.get(file, {}).values() for test in tests} or set(self.seconds)

    def _ordered(self, found: set[str]) -> list[str]:
        chosen, spent, by_file = [], 0.0, defaultdict(float)
        for test in sorted(found, key=lambda test: (self.seconds[test], test)):
            spent += self.seconds[test]
            if chosen and spent > _MOST_SECONDS:
                break
            chosen.append(test)
            by_file[_file(test)] += self.seconds[test]
        return sorted(chosen, key=lambda test: (by_file[_file(test)], _file(test), self.seconds[test], test))


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
        todo = [(file, one) for file in files(package) for one in _of_file(file)]
        same = {(one["file"], one["change"]) for one in SAID.get("same", [])}
        todo = [(file, one) for file, one in todo if (file, one.name) not in same]
        if size := int(os.environ.get("SAMPLE", "0")):
            drawn = random.Random(int(os.environ.get("SEED", "1"))).sample(range(len(todo)), min(size, len(todo)))  # noqa: S311
            todo = [todo[at] for at in sorted(drawn)]
        begun = time.monotonic()
        verdicts = _judged(package, todo, known)
        low |= _tell(package, verdicts, time.monotonic() - begun) < SAID["least"]
    return int(low)


def _of_file(file: str) -> Iterator[Mutant]:
    return mutants((SOURCE / file).read_text(encoding="utf-8"))


def files(package: str) -> list[str]:
    """The files of a package that are mutated: all of it, or those that mutants.toml names."""
    named = SAID[package].get("files")
    paths = [SOURCE / package / f"{name}.py" for name in named] if named else (SOURCE / package).glob("*.py")
    only = os.environ.get("ONLY", "")
    return [path for path in (p.relative_to(SOURCE).as_posix() for p in sorted(paths)) if only in path]


def _file(test: str) -> str:
    return test.partition("::")[0]


# --- which tests come by ----------------------------------------------------------------------------------------------


def _known(package: str) -> Known:
    """What a process of its own finds out: this one loads nothing of the program. Asked again only after a change."""
    kept = KEPT / f"{package}.json"
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").glob("*.py"), ROOT / "tools" / "mutants.py"]
    if not kept.exists() or kept.stat().st_mtime < max(path.stat().st_mtime for path in sources):
        _apart(lambda: _trace(package), f"{package}: the tests fail without any change")
    told = json.loads(kept.read_text(encoding="utf-8"))
    return Known(told["seconds"], {file: {int(n): t for n, t in by.items()} for file, by in told["lines"].items()})


def _apart(work: Callable[[], int], complaint: str) -> None:
    """Does it in a process of its own."""
    for _, code in _forks([(None, work)]):
        if code:
            raise SystemExit(complaint)


def _trace(package: str) -> int:
    import coverage
    import pytest

    traced = coverage.Coverage(data_file=None, config_file=False, include=[str(SOURCE / package / "*.py")])
    seconds: dict[str, float] = defaultdict(float)

    class Watch:
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
            begun = time.monotonic()
            traced.switch_context(item.nodeid)
            try:
                return (yield)
            finally:
                traced.switch_context("")
                seconds[item.nodeid] += time.monotonic() - begun

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


def _judged(package: str, todo: Sequence[tuple[str, Mutant]], known: Known) -> list[Verdict]:
    """A verdict for each mutant; those of the first look stand in a file as they come, for whoever does not wait for the end."""
    tested = [(file, one) for file, one in todo if known.tests(file, one.line)]
    told = KEPT / f"{package}.jsonl"
    _apart(lambda: _first_look(package, tested, known, told), f"{package}: the tests could not be collected")
    killed = {tuple(json.loads(line)) for line in told.read_text(encoding="utf-8").splitlines()}
    left = [(file, one) for file, one in tested if (file, one.name) not in killed]
    print(f"{package}: {len(killed)} noticed at first look, {len(left)} to be looked at again", file=sys.stderr)
    killed |= {key for key, code in _second_look(package, left, known) if code}
    outcome = {(file, one.name): "killed" if (file, one.name) in killed else "survived" for file, one in tested}
    return [Verdict(file, one.line, one.name, outcome.get((file, one.name), "untested")) for file, one in todo]


def _first_look(package: str, todo: Sequence[tuple[str, Mutant]], known: Known, told: Path) -> int:
    """Writes down what a test noticed, of what was changed within functions."""
    import pytest

    jobs = [(file, one) for file, one in todo if not one.name.startswith("module:")]

    class Look:
        pytest_collection = staticmethod(_be_hasty)

        def pytest_runtestloop(self, session: pytest.Session) -> bool:
            _refuse_threads()
            items = {item.nodeid: item for item in session.items}
            functions = _functions()

            def work(file: str, one: Mutant, tests: Sequence[str]) -> Callable[[], int]:
                return lambda: _exchanged(file, one, [items[test] for test in tests], known, functions[file])

            unchanged = [
                ((file, _UNCHANGED), work(file, one, known.of_file(file, 0))) for file, one in _unchanged(todo)
            ]
            changed = [((file, one.name), work(file, one, known.tests(file, one.line))) for file, one in jobs]
            with told.open("w", encoding="utf-8") as out:
                for key, code in _forks(unchanged + changed):
                    _must_hold(key, code)
                    if code not in (0, _OUT_OF_REACH):
                        out.write(json.dumps(key, ensure_ascii=False) + "\n")
                        out.flush()
            return True

    return int(pytest.main([*_QUIET, *_KEEPS_NOTHING, *SAID[package]["tests"]], plugins=[Look()]))


def _exchanged(file: str, one: Mutant, items: Sequence, known: Known, functions: Sequence[FunctionType]) -> int:
    """The verdict of the tests over the file's functions as changed: 0 where nobody notices."""
    _hush()
    try:
        new = _codes(compile(one.text, str(SOURCE / file), "exec"))
        for function in functions:
            if function.__code__.co_qualname in new:
                function.__code__ = new[function.__code__.co_qualname]
    except ValueError:  # it holds variables of another function no longer, or others
        return _OUT_OF_REACH
    for item, following in zip(items, [*items[1:], None], strict=True):
        _give(known.longest(item.nodeid))
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if item.session.testsfailed:
            return 1
    return 0


def _functions() -> dict[str, list[FunctionType]]:
    """All functions of each file of the program, wherever they are kept."""
    found: dict[str, list[FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(str(SOURCE)):
            found[Path(one.__code__.co_filename).relative_to(SOURCE).as_posix()].append(one)
    return found


def _codes(code: CodeType) -> dict[str, CodeType]:
    """The code of every function in it, by its full name; without those of which it holds several, as lambdas."""

    def inside(code: CodeType) -> Iterator[CodeType]:
        for one in code.co_consts:
            if isinstance(one, CodeType):
                yield one
                yield from inside(one)

    found = list(inside(code))
    times = Counter(one.co_qualname for one in found)
    return {one.co_qualname: one for one in found if times[one.co_qualname] == 1}


def _second_look(
    package: str, todo: Sequence[tuple[str, Mutant]], known: Known
) -> Iterator[tuple[tuple[str, str], int]]:
    """Each mutant with the exit code of the tests over the program loaded anew."""
    import hypothesis  # noqa: F401 - loaded here, before the forks
    import numpy as np  # noqa: F401
    import openpyxl  # noqa: F401
    import polars as pl  # noqa: F401
    import pytest  # noqa: F401

    jobs = [
        ((file, one.name), lambda file=file, one=one: _loaded_anew(package, file, one, known))
        for file, one in [*_unchanged(todo), *todo]
    ]
    for key, code in _forks(jobs):
        _must_hold(key, code)
        if key[1] != _UNCHANGED:
            yield key, code


def _loaded_anew(package: str, file: str, mutant: Mutant, known: Known) -> int:
    import pytest

    path, name = SOURCE / file, "fupin_cli." + file.removesuffix(".py").replace("/", ".")
    tests = known.of_file(file, mutant.line)
    rank = {test: at for at, test in enumerate(tests)}

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

    class Look:
        pytest_collection = staticmethod(_be_hasty)

        def pytest_collection_modifyitems(self, items: list) -> None:
            items[:] = sorted((item for item in items if item.nodeid in rank), key=lambda item: rank[item.nodeid])

        def pytest_runtest_logstart(self, nodeid: str) -> None:
            _give(known.longest(nodeid))

    _hush()
    _give(10)  # to load
    sys.meta_path.insert(0, Finder())
    wanted = sorted({_file(test) for test in tests}, key=SAID[package]["tests"].index)
    return int(pytest.main([*_QUIET, *_KEEPS_NOTHING, *_LOADED, *wanted], plugins=[Look()]))


def _unchanged(todo: Iterable[tuple[str, Mutant]]) -> list[tuple[str, Mutant]]:
    """Each file as it is: for a check of the checker."""
    named = sorted({file for file, _ in todo})
    return [(file, Mutant(_UNCHANGED, 0, (SOURCE / file).read_text(encoding="utf-8"))) for file in named]


def _must_hold(key: tuple[str, str], code: int) -> None:
    if key[1] == _UNCHANGED and code:
        raise SystemExit(f"{key[0]}: its tests fail though nothing is changed: no verdict can be believed")


def _refuse_threads() -> None:
    """A fork has no threads but its own: of Polars begun before it, it would wait for ever."""
    tasks = Path("/proc/self/task")
    if any((task / "comm").read_text(encoding="utf-8").startswith("polars-0") for task in tasks.iterdir()):
        raise SystemExit("a test file uses Polars while it is loaded; let it do so when a test runs")


def _be_hasty() -> None:
    """A failing example need not be made small."""
    import hypothesis

    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("hasty", hypothesis.settings.get_profile("fupin"), phases=phases)
    hypothesis.settings.load_profile("hasty")


def _hush() -> None:
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)


def _give(seconds: float) -> None:
    """Ends this process after ten times as long, and some more: whatever takes so long was changed so that it never ends.

    A computer that does other things, too, may be several times as slow.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 30 + 10 * seconds)


def _forks(jobs: Sequence[tuple[_Key, Callable[[], int]]]) -> Iterator[tuple[_Key, int]]:
    """The exit code of each job, done in forks side by side; not 0 where a signal ended it."""
    running: dict[int, _Key] = {}
    for number, (key, work) in enumerate(jobs):
        if number and number % 50 == 0:
            print(f"{number} of {len(jobs)}", file=sys.stderr)
        while len(running) >= _SIDE_BY_SIDE:
            yield _ended(running)
        child = os.fork()
        if child == 0:
            code = 70
            with suppress(BaseException):
                os.setsid()
                folder = _folder_of(os.getpid())
                folder.mkdir(parents=True)
                # of a folder in common, each would make a clean sweep
                os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)
                code = work()
            os._exit(code)
        running[child] = key
    while running:
        yield _ended(running)


def _folder_of(fork: int) -> Path:
    return KEPT / f"tmp-{fork}"


def _ended(running: dict[int, _Key]) -> tuple[_Key, int]:
    child, status = os.wait()
    with suppress(ProcessLookupError):  # whatever it has started
        os.killpg(child, signal.SIGKILL)
    shutil.rmtree(_folder_of(child), ignore_errors=True)
    return running.pop(child), os.waitstatus_to_exitcode(status)


# --- what is told -----------------------------------------------------------------------------------------------------


def _tell(package: str, verdicts: Sequence[Verdict], seconds: float) -> float:
    """Prints the table; the score of the package, in %."""
    (KEPT / f"{package}-verdicts.json").write_text(json.dumps([asdict(one) for one in verdicts]), encoding="utf-8")
    for verdict in sorted(verdicts, key=lambda v: (v.file, v.line, v.name)):
        if verdict.outcome != "killed":
            print(f"{verdict.outcome}  {verdict.file}:{verdict.line}  {verdict.name}")
    print(f"{'file':<30} {'mutants':>8} {'killed':>8} {'survived':>8} {'untested':>8} {'score':>8}")
    for file in [*sorted({v.file for v in verdicts}), package]:
        own = [v.outcome for v in verdicts if file in (v.file, package)]
        score = 100 * own.count("killed") / max(len(own), 1)
        counts = (len(own), own.count("killed"), own.count("survived"), own.count("untested"))
        print(f"{file:<30} " + " ".join(f"{n:>8,}" for n in counts) + f" {score:>6.1f} %")
    print(f"{seconds / 60:.1f} minutes")
    return score


if __name__ == "__main__":
    os.chdir(ROOT)
    os.environ["POLARS_MAX_THREADS"] = "1"
    sys.path.insert(0, str(ROOT / "tests"))
    sys.exit(main(sys.argv[1:]))
