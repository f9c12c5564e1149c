"""SIGINT, SIGTERM and kill -9 at any moment: the earlier results stand whole, nothing unfinished is left, a rerun is as undisturbed."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from conftest import FUPIN, fupin_process
from fupin_cli.rundir import publish, sha256, write_manifest

MOST_SECONDS = 2.0
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}
LEAVES = [".run.lock", "run"]


def told(folder) -> dict[str, str]:
    """Every file of a folder with its hash."""
    return {p.relative_to(folder).as_posix(): sha256(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def stopped_at(words, moment, number) -> tuple[int, float, str]:
    """Exit code, seconds from the signal to the end, and stderr of a command that hears the signal after so many seconds."""
    with subprocess.Popen([FUPIN, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
        time.sleep(moment)
        at = time.monotonic()
        child.send_signal(number)
        said = child.communicate()[1].decode()
        return child.returncode, time.monotonic() - at, said


def done(project) -> bool:
    """Whether the last run of the project came to its end, by its own log."""
    return (
        json.loads((project / ".fupin" / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])["event"] == "done"
    )


def stop_often(project, folder, number, times, seed) -> list[float]:
    """Stops a run so often at random moments and looks at what is left each time; the seconds each took to end."""
    rnd = random.Random(seed)
    words = ["run", project, "-o", folder / "run", "-q", "--stage", "county"]
    assert fupin_process(*words).returncode == 0
    before = told(folder / "run")
    took = []
    shutil.rmtree(project / ".fupin")
    start = time.monotonic()
    assert fupin_process(*words).returncode == 0
    whole = time.monotonic() - start
    for _ in range(2 * times):
        if len(took) == times:
            break
        shutil.rmtree(project / ".fupin", ignore_errors=True)
        moment = rnd.uniform(0.4, whole)
        code, seconds, said = stopped_at(words, moment, number)
        assert told(folder / "run") == before
        if code == 0:
            continue
        if code == -number and number != signal.SIGKILL:
            # Python was still starting and nothing was begun, or it was ending and everything was done
            assert moment < 3 or done(project)
            assert sorted(p.name for p in folder.iterdir()) == LEAVES
            continue
        assert code == CODES[number], said
        took.append(seconds)
        if number != signal.SIGKILL:
            assert seconds < MOST_SECONDS
            assert "earlier results are untouched" in said or "the new results are in place" in said
            assert sorted(p.name for p in folder.iterdir()) == LEAVES
            assert not list(project.rglob(".partial*"))
    assert fupin_process(*words).returncode == 0
    assert told(folder / "run") == before
    assert sorted(p.name for p in folder.iterdir()) == LEAVES
    assert len(took) == times
    return took


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGTERM, id="term"),
        pytest.param(signal.SIGINT, id="int", marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, id="kill", marks=pytest.mark.slow),
    ],
)
def test_stopped_at_some_moments(small, tmp_path, number):
    """A moment of a small run; the slow test takes hundreds of the sample's."""
    stop_often(small, tmp_path / "out", number, 1, seed=7)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=["term", "int", "kill"])
def test_stopped_at_many_moments(sample, tmp_path, number):
    """As often as FUPIN_STOPS says."""
    times = int(os.environ.get("FUPIN_STOPS", "170"))
    took = stop_often(sample, tmp_path / "out", number, times, seed=int(os.environ.get("FUPIN_SEED", "1")))
    print(f"{number.name}: {len(took)} times, at most {max(took):.2f} s to end")  # noqa: T201 - a figure to report


DEAF = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    import polars as pl
    from fupin_cli.cli.boundary import run_guarded
    from fupin_cli.rundir import publish

    def work():
        with publish(Path(sys.argv[1])) as folder:
            (folder / "half.txt").write_text("half", encoding="utf-8")
            many = pl.LazyFrame({"a": range(3000)})
            pairs = many.join(many, how="cross", suffix="_1").join(many, how="cross", suffix="_2")
            print("deaf", flush=True)
            pairs.select((pl.col("a") * pl.col("a_1") + pl.col("a_2")).sum()).collect()

    sys.exit(run_guarded(work))
    """
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_in_the_middle_of_a_long_library_call(tmp_path, number):
    """A join of minutes, during which Python hears nothing: ended in two seconds all the same, the staging folder is gone."""
    target = tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, "-c", DEAF, str(target)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        time.sleep(0.3)
        at = time.monotonic()
        child.send_signal(number)
        said = child.stderr.read().decode()
        assert child.wait() == CODES[number]
    assert time.monotonic() - at < MOST_SECONDS
    assert "earlier results are untouched" in said
    assert [p.name for p in tmp_path.iterdir()] == [".run.lock"]


def test_what_nohup_ignores_stays_ignored(tmp_path):
    """A closed terminal does not end a run that was told to outlive it."""
    script = """
import os, signal, time; from fupin_cli.cli.boundary import run_guarded
run_guarded(lambda: (os.kill(os.getpid(), signal.SIGHUP), time.sleep(0.2), print("lives")))
"""
    for told, lives in (
        ("SIG_IGN", True),
        ("SIG_DFL", False),
    ):  # said in both: these tests may be under nohup themselves
        text = f"import signal; signal.signal(signal.SIGHUP, signal.{told})\n{script}"
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, encoding="utf-8", check=False)
        assert ("lives" in done.stdout) == lives


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_what_fails_after_a_signal_that_a_library_lost_is_no_fault(number):
    """Where a library calls back into Python, the exception is lost there, and the next thing fails: the signal is told."""
    script = """
import os, sys; from fupin_cli.cli.boundary import run_guarded

class Lost:
    def __del__(self):  # an exception in here is printed and forgotten, as in a callback
        os.kill(os.getpid(), int(sys.argv[1]))
        for _ in range(100): pass

def work():
    lost = Lost()
    del lost
    raise TypeError("what came of it")

sys.exit(run_guarded(work))
"""
    ended = subprocess.run(
        [sys.executable, "-c", script, str(int(number))], capture_output=True, text=True, check=False
    )
    assert ended.returncode == CODES[number]
    assert "earlier results are untouched" in ended.stderr
    assert "bug" not in ended.stderr


TOO_LATE = """
import os, signal, sys
from pathlib import Path
from fupin_cli import rundir, unfinished
from fupin_cli.cli.boundary import run_guarded

where, sent = rundir if sys.argv[2] == "_swap" else unfinished, []
plain = getattr(where, sys.argv[2])

def stopped(*given):
    if not sent and (where is rundir or unfinished.has_landed()):
        sent.append(os.kill(os.getpid(), signal.SIGTERM))
        for _ in range(100): pass
    plain(*given)

setattr(where, sys.argv[2], stopped)

def work():
    with rundir.publish(Path(sys.argv[1])) as folder:
        (folder / "new.txt").write_text("new", encoding="utf-8")
        rundir.write_manifest(folder, {})

sys.exit(run_guarded(work))
"""


@pytest.mark.parametrize("at", ["_swap", "remove"])
def test_a_signal_that_comes_too_late_leaves_the_new_results_and_says_so(tmp_path, at):
    """While names are exchanged, which is not broken off, or while the earlier results are removed, which is done again."""
    target = tmp_path / "run"
    with publish(target) as folder:
        (folder / "old.txt").write_text("old", encoding="utf-8")
        write_manifest(folder, {})
    done = subprocess.run([sys.executable, "-c", TOO_LATE, target, at], capture_output=True, text=True, check=False)
    assert done.returncode == 143
    assert "the new results are in place" in done.stderr
    assert sorted(path.name for path in target.iterdir()) == ["manifest.json", "new.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".run.lock", "run"]


PIPES = """
import errno, os, sys
from fupin_cli.cli.boundary import run_guarded
def work():
    if sys.argv[1] == "rich":
        from rich.console import Console
        Console(highlight=False, markup=False).print("x\\n" * 50_000)
    elif sys.argv[1] == "stdout":
        print("x" * 100_000)
    else:
        try:
            raise BrokenPipeError(errno.EPIPE, "between two parts of ours")
        finally:
            if sys.argv[1] == "exit":
                sys.exit(1)  # as click does with it
sys.exit(run_guarded(work))
"""


@pytest.mark.parametrize(("way", "code"), [("stdout", 0), ("rich", 0), ("inner", 70), ("exit", 70)])
def test_only_our_own_output_can_have_lost_its_reader(way, code):
    """`| head` ends the program quietly; a pipe inside it that broke is a fault, and told."""
    with subprocess.Popen(
        [sys.executable, "-c", PIPES, way], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as child:
        if code == 0:
            child.stdout.close()
        told = child.stderr.read()
    assert child.returncode == code, told
    assert ("BrokenPipeError" in told) == (code == 70)
