"""fupin run from cron: silent but for the answer, a log without people, codes that mean something, room looked for beforehand."""

import json
import logging
import os
import re
import shutil
import subprocess
from logging.handlers import RotatingFileHandler

import polars as pl
import pytest

from conftest import FUPIN, ROOT, fupin_process
from fupin_cli.cli.journal import journal
from fupin_cli.errors import BusyError, DiskError
from fupin_cli.rundir import publish, require_space


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_only_the_answer_is_said_and_the_rest_is_in_the_log(sample, tmp_path):
    """stdout is the digest, stderr empty; the log tells begin, each step and the end, and nobody's name or number."""
    done = fupin_process(
        "run", sample, "-o", tmp_path / "run", "-q", "--json", "--wait", "5", "--exit-code", "--stage", "county"
    )
    assert (done.returncode, done.stderr) == (10, "")
    digest = json.loads(done.stdout)
    log = sample / ".fupin" / "log.jsonl"
    assert log.stat().st_mode & 0o777 == 0o600
    told = lines(log)
    assert [told[0]["event"], told[-1]["event"]] == ["begin", "done"]
    assert {"time", "pid", "command", "event", "seconds"} <= set.intersection(*map(set, told))
    assert told[-1]["findings"] == digest["findings"]
    assert told[-1]["code"] == 10
    text = log.read_text(encoding="utf-8")
    people = pl.read_parquet(tmp_path / "run" / "persons.parquet")
    for said in {*people["name"].drop_nulls(), *people["id_number"].drop_nulls(), *people["household_id"].drop_nulls()}:
        assert said not in text


def test_a_failure_is_in_the_log_with_its_code_and_without_its_words(sample, tmp_path):
    """What an error says may name a file; its kind and code are enough to know where to look."""
    shutil.rmtree(sample / "register")
    done = fupin_process("run", sample, "-o", tmp_path / "run", "-q", "--log", tmp_path / "log" / "runs.jsonl")
    assert done.returncode == 66
    log = tmp_path / "elsewhere.jsonl"
    for error, code in ((BusyError("secret"), 75), (ValueError("secret"), 70)):
        with pytest.raises(type(error)), journal(log, "run"):
            raise error
        assert (lines(log)[-1]["kind"], lines(log)[-1]["code"]) == (type(error).__name__, code)
    assert "secret" not in log.read_text(encoding="utf-8")


def test_the_log_turns_over(tmp_path):
    """A megabyte a file, five kept; each line whole."""
    with journal(tmp_path / "log.jsonl", "run") as note:
        for n in range(40_000):
            note("doing", what="x" * 120, n=n)
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["log.jsonl", *(f"log.jsonl.{n}" for n in range(1, 6))]
    for path in files:
        assert path.stat().st_size <= 1 << 20
        assert lines(path)
    assert not [handler for handler in logging.getLogger("fupin").handlers if isinstance(handler, RotatingFileHandler)]


def test_a_log_that_cannot_be_written_holds_up_nothing(tmp_path, capfd):
    """A file where its folder should be: the work goes on and says nothing about it."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with journal(tmp_path / "file" / "log.jsonl", "run") as note:
        note("doing", what="x")
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_is_told_before_anything_is_written(tmp_path):
    """More inputs than the disk has room for: code 74, with both figures, and nothing is left."""
    with pytest.raises(DiskError, match="MiB free, about .* MiB needed") as caught, publish(tmp_path / "run") as folder:
        require_space(folder, 1 << 60)
    free = shutil.disk_usage(tmp_path).free
    require_space(tmp_path, free // 9)
    with pytest.raises(DiskError, match="not enough room"):
        require_space(tmp_path, free // 9, tables=True)
    assert caught.value.exit_code == 74
    assert [path.name for path in tmp_path.iterdir()] == [".run.lock"]


def test_the_line_for_cron_keeps_the_last_good_digest(small):
    """As the document shows it: a run that fails leaves the digest of the one before, and its own is not taken for one."""
    shown = re.search(
        r"^15 2 \* \* \*  (.*)$", (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    line = ["sh", "-c", shown[1].replace("/data/county", str(small))]
    path = {**os.environ, "PATH": f"{FUPIN.parent}:{os.environ['PATH']}"}
    assert subprocess.run(line, capture_output=True, env=path, check=True).stderr == b""
    good = (small / "last.json").read_bytes()
    assert json.loads(good)["households"] == 2
    (small / "台账.xlsx").unlink()
    assert b"error" in subprocess.run(line, capture_output=True, env=path, check=False).stderr
    assert (small / "last.json").read_bytes() == good
