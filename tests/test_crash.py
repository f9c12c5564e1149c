"""kill -9 in the middle: the ledger opens, is whole, and doing it again gives what an undisturbed run gives."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from conftest import FUPIN, fupin_process
from fupin_cli.cases import open_ledger
from fupin_cli.cases.ledger import check_ledger
from loop_world import RULES, World, answer
from test_signals import MOST_SECONDS

STOPS = int(os.environ.get("FUPIN_STOPS", "100"))
CHILD = Path(__file__).with_name("die_at_line.py")


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Ledgers before each step of the loop, and the words of the step: a second round, a second dispatch, an import."""
    home, rnd = tmp_path_factory.mktemp("crash"), random.Random(5)
    world = World(people=12, said={(person, rule): 1 for person in range(12) for rule in RULES})
    before, ledger = {}, home / "live" / "cases"

    def step(name, *words):
        if ledger.exists():
            shutil.copytree(ledger, home / f"before-{name}")
        before[name] = (home / f"before-{name}", words)
        done = fupin_process("cases", *words, "--ledger", ledger)
        assert done.returncode == 0, done.stderr

    step("begin", "round", world.run(home / "r0", date(2020, 1, 1)), "--on", "2020-01-01")
    step("dispatch", "dispatch", "--due", "2020-01-20", "--on", "2020-01-02")
    for path in sorted((ledger / "batches" / "B0001").glob("*.xlsx")):
        answer(path, home / "back" / path.name, lambda _: rnd.choice(["属实", "不属实", None]))
    step("import", "import", *sorted((home / "back").iterdir()), "--on", "2020-01-15")
    world.turn(rnd)
    step("round", "round", world.run(home / "r1", date(2020, 2, 1)), "--on", "2020-02-01")
    del before["begin"]
    return before


def told(folder: Path) -> tuple:
    """Everything that a ledger says and holds, without what differs by chance."""
    with open_ledger(folder) as ledger:
        assert check_ledger(ledger) == []
        events = ledger.rows(
            "SELECT case_id, kind, day, round, batch, file, evidence, detail, once FROM events ORDER BY seq"
        )
        tables = [
            ledger.rows(f"SELECT {columns} FROM {name}")
            for name, columns in (("rounds", "*"), ("batches", "batch, day, due, chain"), ("files", "sha256, day"))
        ]
        people = ledger.people().rows()
    batches = {
        path.parent.name: pl.read_parquet(path).rows() for path in sorted(folder.glob("batches/B*/sent.parquet"))
    }
    books = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix in (".xlsx", ".parquet", ".partial")
    )
    return events, tables, people, batches, books


def survive(stage, name, tmp_path, kill) -> None:
    """Kills the step as `kill(words)` does it, then does it again: the ledger says what it says undisturbed."""
    home, words = stage[name]
    calm, torn = tmp_path / "calm", tmp_path / "torn"
    for folder in (calm, torn):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(home, folder)
    assert fupin_process("cases", *words, "--ledger", calm).returncode == 0
    wanted = told(calm)
    for _ in range(kill.times):
        shutil.rmtree(torn)
        shutil.copytree(home, torn)
        kill(["cases", *map(str, words), "--ledger", str(torn)])
        with open_ledger(torn) as ledger:
            assert check_ledger(ledger) == []
        done = fupin_process("cases", *words, "--ledger", torn)
        assert done.returncode == 0, done.stderr
        assert told(torn) == wanted


class AtLines:
    """Dies at lines spread over the whole of the ledger's code, the same ones each time."""

    def __init__(self, times: int, seed: int) -> None:
        self.times, self.rnd, self.lines = times, random.Random(seed), 0

    def __call__(self, words):
        """Starts the command and lets it die."""
        if not self.lines:
            copy = Path(words[-1]).with_name("count")
            shutil.copytree(words[-1], copy)
            done = subprocess.run(
                [sys.executable, CHILD, "0", *words[:-1], copy], capture_output=True, encoding="utf-8", check=True
            )
            self.lines = int(done.stderr.split()[-1])
            shutil.rmtree(copy)
            assert self.lines > 60
        line = self.rnd.randrange(1, self.lines)
        done = subprocess.run([sys.executable, CHILD, str(line), *words], capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL


class AtTimes:
    """Dies after a random time within the command's own, wherever that is: in SQLite's commit, too. Counts those that died.

    One that may still say something, unlike after kill -9, has two seconds for it.
    """

    def __init__(self, times: int, seed: int, number: int = signal.SIGKILL) -> None:
        self.times, self.rnd, self.span, self.landed = times, random.Random(seed), 0.0, 0
        self.number, self.longest = number, 0.0

    def __call__(self, words):
        """Starts the command and kills it."""
        if not self.span:
            copy = Path(words[-1]).with_name("timed")
            shutil.copytree(words[-1], copy)
            start = time.perf_counter()
            subprocess.run([FUPIN, *words[:-1], copy], capture_output=True, check=True)
            self.span = time.perf_counter() - start
            shutil.rmtree(copy)
        child = subprocess.Popen([FUPIN, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # most of the time is loading the program: two of three kills fall into the half in which it works
        share = self.rnd.uniform(0.4, 1.0) if self.rnd.random() < 0.67 else self.rnd.uniform(0.0, 1.0)
        time.sleep(share * self.span)
        start = time.perf_counter()
        child.send_signal(self.number)
        if child.wait() in (-self.number, 128 + self.number):
            self.landed += 1
        else:
            self.span *= 0.9  # it had ended: the machine was busier when its time was taken
        self.longest = max(self.longest, time.perf_counter() - start)


@pytest.mark.parametrize(
    "name", ["round", pytest.param("dispatch", marks=pytest.mark.slow), pytest.param("import", marks=pytest.mark.slow)]
)
def test_killed_at_any_line(stage, name, tmp_path):
    """A few lines of a round, and of the other steps where there is time; the slow test takes a hundred of each."""
    survive(stage, name, tmp_path, AtLines(2, seed=1))


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", ["dispatch", "import", "round"])
def test_killed_hundreds_of_times(stage, name, tmp_path, capsys):
    """As many lines of each step, and random moments of each, as FUPIN_STOPS says; tells how many died."""
    lines, moments = AtLines(STOPS, seed=2), AtTimes(STOPS, seed=3)
    survive(stage, name, tmp_path, lines)
    survive(stage, name, tmp_path, moments)
    with capsys.disabled():
        told = f"{lines.times} killed at lines of {lines.lines}, {moments.landed} of {moments.times} at moments"
        sys.stdout.write(f"\n{name}: {told}\n")
    assert moments.landed >= moments.times // 2


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", ["dispatch", "import", "round"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_stopped_often(stage, name, number, tmp_path, capsys):
    """The same by signals that a command hears: it ends within two seconds."""
    moments = AtTimes(STOPS, seed=4, number=number)
    survive(stage, name, tmp_path, moments)
    with capsys.disabled():
        told = f"{moments.landed} of {moments.times} stopped, {moments.longest:.2f} s at most"
        sys.stdout.write(f"\n{name}, {number.name}: {told}\n")
    assert moments.landed >= moments.times // 2
    assert moments.longest < MOST_SECONDS


def test_two_at_once_give_one_result(stage, tmp_path):
    """Two processes at the same step: one does it, the other is told to wait or finds it done; nothing is doubled."""
    for name, (home, words) in stage.items():
        folder, calm = tmp_path / name, tmp_path / f"{name}-calm"
        shutil.copytree(home, folder)
        shutil.copytree(home, calm)
        assert fupin_process("cases", *words, "--ledger", calm).returncode == 0
        both = [
            subprocess.Popen(
                [FUPIN, "cases", *map(str, words), "--ledger", folder],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            for _ in range(2)
        ]
        for child in both:
            child.communicate()
        codes = sorted(child.returncode for child in both)
        assert codes in ([0, 0], [0, 75])
        assert told(folder) == told(calm)
