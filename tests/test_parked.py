"""Tables that wait on the disk: the same to the last value, and nothing left lying about."""

import os
from datetime import date

import polars as pl
import pytest

from conftest import fupin, fupin_process
from fupin_cli import pipeline
from fupin_cli.parked import in_memory, on_disk
from test_signals import told

mapped = pytest.mark.skipif(os.name == "nt", reason="a file that is mapped cannot be removed")


@mapped
def test_a_frame_comes_back_as_it_was(tmp_path):
    """Every type that tables have, nulls and empty texts; the file has no name any more."""
    frame = pl.DataFrame(
        {
            "text": ["张三", "", None, "a long text that does not fit into the sixteen bytes of a view"],
            "whole": [1, None, -(2**62), 0],
            "number": [0.5, None, float("inf"), -0.0],
            "day": [date(2019, 11, 30), None, date(1880, 1, 1), date(2099, 12, 31)],
            "flag": [True, None, False, True],
            "kind": pl.Series(["b", None, "a", "b"], dtype=pl.Enum(["a", "b"])),
            "listed": [["x", "y"], None, [], [None]],
            "nothing": [None] * 4,
        }
    )
    parked = on_disk(tmp_path)(frame)
    assert parked.schema == frame.schema
    assert parked.equals(frame)
    assert parked.filter(pl.col("flag")).equals(frame.filter(pl.col("flag")))
    assert list(tmp_path.iterdir()) == []


def test_what_holds_nothing_stays_where_it_is(tmp_path):
    """A frame without rows or columns needs no file; in memory a frame is itself."""
    for empty in (pl.DataFrame(), pl.DataFrame(schema={"text": pl.String})):
        assert on_disk(tmp_path)(empty).equals(empty)
    frame = pl.DataFrame({"a": [1]})
    assert in_memory(frame) is frame


@mapped
def test_a_full_disk_is_an_os_error(tmp_path):
    """As with any other file: the run ends with its code and leaves the earlier results."""
    with pytest.raises(OSError, match="No such file"):
        on_disk(tmp_path / "gone")(pl.DataFrame({"a": [1]}))


@pytest.mark.parametrize("project", ["small", pytest.param("sample", marks=pytest.mark.slow)])
def test_little_memory_changes_nothing_that_is_said(project, tmp_path, request):
    """Every file of a run that keeps its tables on the disk is the same, byte for byte."""
    folder = request.getfixturevalue(project)
    for name, more in (("free", []), ("tight", ["--max-memory=512MiB"])):
        done = fupin_process("run", folder, "-o", tmp_path / name, "-q", "--stage", "county", *more)
        assert done.returncode == 0, done.stderr
    assert told(tmp_path / "tight") == told(tmp_path / "free")
    assert not list(tmp_path.rglob("*.arrow"))


@pytest.mark.parametrize("size", ["1MiB", "511MiB"])
def test_less_memory_than_the_program_takes_is_refused(small, size):
    """It could only be accepted and not kept."""
    done = fupin("run", small, f"--max-memory={size}")
    assert done.returncode == 2
    assert "the least is --max-memory=512MiB" in done.stderr


def test_memory_that_what_is_held_exceeds_is_told(small, monkeypatch):
    """The run is done, and whoever asked for less knows that it took more; a silent one has it in its log."""
    monkeypatch.setattr(pipeline, "least_memory", lambda _held: 3 << 30)
    done = fupin("run", small, "--max-memory=2GiB")
    assert done.returncode == 0
    assert "--max-memory cannot be kept" in done.stderr
    assert "3.0 GiB" in done.stderr
    assert "--max-memory cannot be kept" in (small / ".fupin" / "log.jsonl").read_text(encoding="utf-8")
    assert fupin("run", small, "--max-memory=2GiB", "--quiet").stderr == ""
    assert "cannot be kept" not in fupin("run", small, "--max-memory=4GiB").stderr
