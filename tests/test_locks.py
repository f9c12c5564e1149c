"""One writer at a time: the second waits or is told whom for; who died holding a lock holds up nobody."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict

import pytest

from conftest import FUPIN, fupin, fupin_process
from fupin_cli.errors import BusyError
from fupin_cli.locks import Patience, locked, patience
from test_rundir import HANGS, write_run


@pytest.fixture
def hanging(tmp_path):
    """A process that is writing a run into tmp_path/run and will not end by itself."""
    with subprocess.Popen([sys.executable, "-c", HANGS, str(tmp_path / "run")], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_the_second_is_told_who(hanging, small, tmp_path):
    """Code 75 with process, machine and start; at once, and with --wait after so many seconds."""
    for words, least in ((("-q",), 0), (("--wait", "1"), 1), (("-q", "--wait", "1"), 1)):
        start = time.monotonic()
        done = fupin_process("run", small, "-o", tmp_path / "run", *words)
        assert time.monotonic() - start >= least
        assert done.returncode == 75
        assert f"process {hanging.pid} on {socket.gethostname()}, since 20" in done.stderr
        assert "--wait" in done.stderr
        assert ("waiting for" in done.stderr) == (words == ("--wait", "1"))


def test_a_dead_holder_holds_up_nobody(hanging, small, tmp_path):
    """After kill -9 the next run goes on, and says what had happened."""
    hanging.send_signal(signal.SIGKILL)
    hanging.wait()
    assert json.loads((tmp_path / ".run.lock").read_text(encoding="utf-8"))["pid"] == hanging.pid
    heard = []
    with locked(tmp_path / ".run.lock", tmp_path, "try") as died:
        heard.append(died)
        assert json.loads((tmp_path / ".run.lock").read_text(encoding="utf-8"))["pid"] == os.getpid()
    assert heard[0].pid == hanging.pid
    assert (tmp_path / ".run.lock").read_text(encoding="utf-8") == ""
    told = f"note: an earlier run was cut short and is cleaned up: process {hanging.pid} on "
    for words in ((), ("-q",)):
        (tmp_path / ".run.lock").write_text(json.dumps(asdict(heard[0])), encoding="utf-8")
        done = fupin_process("run", small, "-o", tmp_path / "run", *words)
        assert done.returncode == 0
        assert done.stderr.startswith(told) if not words else done.stderr == ""
    assert (small / ".fupin" / "log.jsonl").read_text(encoding="utf-8").count(told) == 2


def test_waiting_ends_when_the_other_ends(tmp_path):
    """The lock is taken as soon as it is free; how long is said beforehand."""
    said = []
    mark = patience.set(Patience(30, said.append))
    try:
        script = """
import sys, time; from pathlib import Path; from fupin_cli.locks import locked
with locked(Path(sys.argv[1]), Path("x"), "t"): print("in", flush=True); time.sleep(1)
"""
        with subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "lock")], stdout=subprocess.PIPE
        ) as process:
            process.stdout.readline()
            with locked(tmp_path / "lock", tmp_path, "try") as died:
                assert died is None
    finally:
        patience.reset(mark)
    assert len(said) == 1
    assert f"process {process.pid}" in said[0]


def test_a_lock_that_is_a_link_is_refused(tmp_path):
    """Somebody's file behind a planted link is not emptied."""
    (tmp_path / "precious").write_text("mine", encoding="utf-8")
    (tmp_path / ".run.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(Exception, match="cannot be written here"):
        write_run(tmp_path / "run", "one")
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "mine"


def test_no_seconds_is_a_usage_error(small, tmp_path):
    """A word after a bare --wait is no number: it is said how to write it."""
    for value in ("project", "-1", "nan"):
        done = fupin("run", f"--wait={value}", small, "-o", tmp_path / "run")
        assert done.returncode == 2
    assert fupin_process("run", small, "-o", tmp_path / "run", "-q", "--wait").returncode == 0


def in_turn(small, tmp_path, pairs) -> None:
    """Two runs of one target at once, so often: one does it and the other is sent away, or both in turn; never a mixture."""
    words = [FUPIN, "run", small, "-o", tmp_path / "run", "-q"]
    assert subprocess.run(words, check=False).returncode == 0
    before = (tmp_path / "run" / "manifest.json").read_bytes()
    for n in range(pairs):
        waits = ["--wait"] if n % 2 else []
        both = [subprocess.Popen([*words, *waits], stderr=subprocess.PIPE) for _ in range(2)]
        said = [child.communicate()[1].decode() for child in both]
        codes = sorted(child.returncode for child in both)
        assert codes == ([0, 0] if waits else [0, 75]), said
        assert (tmp_path / "run" / "manifest.json").read_bytes() == before
        assert fupin_process("verify", tmp_path / "run").returncode == 0
        assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == [".run.lock"]


@pytest.mark.slow
def test_two_at_once(small, tmp_path):
    """Once sent away, once waiting."""
    in_turn(small, tmp_path, 2)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_at_once_fifty_times(small, tmp_path):
    """Fifty pairs."""
    in_turn(small, tmp_path, 50)


def test_the_error_names_nobody_where_the_file_is_torn(tmp_path):
    """A lock held by a process that has not written its name yet, or wrote nonsense."""
    path = tmp_path / "lock"
    with locked(path, tmp_path, "try"):
        path.write_text("{torn", encoding="utf-8")
        with pytest.raises(BusyError) as caught, locked(path, tmp_path, "try"):
            pass
    assert "has not said who it is" in str(caught.value)
