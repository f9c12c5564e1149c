"""A run directory appears whole or not at all, whatever happens in between."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest

from fupin_cli import rundir
from fupin_cli.errors import BusyError, DiskError, OutputError
from fupin_cli.rundir import publish, replace_file, require_space, sha256, write_manifest


def write_run(target, text):
    with publish(target) as folder:
        (folder / "a.txt").write_text(text, encoding="utf-8")
        write_manifest(folder, {"as_of": "2019-11-30"})


def test_a_finished_run_takes_its_name_and_its_files_are_private(tmp_path):
    """The folder is there with its manifest; only the owner may read."""
    write_run(tmp_path / "run", "one")
    assert (tmp_path / "run" / "a.txt").read_text(encoding="utf-8") == "one"
    assert sha256(tmp_path / "run" / "a.txt") in (tmp_path / "run" / "manifest.json").read_text(encoding="utf-8")
    assert {oct((tmp_path / "run" / name).stat().st_mode & 0o777) for name in ("a.txt", "manifest.json")} == {"0o600"}


def test_a_failed_run_leaves_the_earlier_one_untouched(tmp_path):
    """An error inside the block: the old result stands, nothing half-written is left."""
    write_run(tmp_path / "run", "one")
    with pytest.raises(ValueError, match="stop"), publish(tmp_path / "run") as folder:
        (folder / "a.txt").write_text("two", encoding="utf-8")
        raise ValueError("stop")
    assert (tmp_path / "run" / "a.txt").read_text(encoding="utf-8") == "one"
    assert sorted(p.name for p in tmp_path.iterdir()) == [".run.lock", "run"]


def test_a_new_run_replaces_the_old_one(tmp_path):
    """Files of the earlier run do not linger."""
    write_run(tmp_path / "run", "one")
    with publish(tmp_path / "run") as folder:
        (folder / "b.txt").write_text("two", encoding="utf-8")
        write_manifest(folder, {})
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["b.txt", "manifest.json"]


def test_results_of_another_kind_are_not_replaced(tmp_path):
    """A sample that is out, a batch of cases, a worklist: a run takes the place of none, however untouched, nor they of a run."""
    facts = {"sample": {"kind": "sample"}, "visits": {"kind": "visits"}, "batch": {"batch": "B0001"}}
    for name, fact in facts.items():
        with publish(tmp_path / name, kind=name) as folder:
            write_manifest(folder, fact)
        with pytest.raises(OutputError, match="not replaced") as caught, publish(tmp_path / name):
            pass
        assert caught.value.exit_code == 73
        assert "-o" in str(caught.value)
    write_run(tmp_path / "run", "one")
    with pytest.raises(OutputError, match="the results of a run"), publish(tmp_path / "run", kind="sample"):
        pass
    assert (tmp_path / "run" / "a.txt").read_text(encoding="utf-8") == "one"


def test_somebody_elses_folder_is_left_alone(tmp_path):
    """A folder that is not a run is refused, with what to type instead."""
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="not a fupin run") as caught, publish(tmp_path / "papers"):
        pass
    assert caught.value.exit_code == 73
    assert "-o" in str(caught.value)


def test_an_answered_checklist_is_never_overwritten(tmp_path):
    """A file of the run that was changed, or one that somebody added, stops the next run before it starts."""
    for change in ("a.txt", "notes.txt"):
        write_run(tmp_path / change / "run", "one")
        (tmp_path / change / "run" / change).write_text("answered", encoding="utf-8")
        with pytest.raises(OutputError, match="changed or added") as caught:
            write_run(tmp_path / change / "run", "two")
        assert "-o" in str(caught.value)
        assert (tmp_path / change / "run" / change).read_text(encoding="utf-8") == "answered"


def test_somebody_elses_manifest_is_no_run_of_ours(tmp_path):
    """A web application has a manifest.json too."""
    (tmp_path / "webapp").mkdir()
    (tmp_path / "webapp" / "manifest.json").write_text('{"name": "app"}', encoding="utf-8")
    with pytest.raises(OutputError, match="not a fupin run"):
        write_run(tmp_path / "webapp", "one")


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path):
    """A file where the parent folder should be."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot be written here"), publish(tmp_path / "file" / "run"):
        pass


def test_two_runs_at_once(tmp_path):
    """The second stops at once, says so, and touches nothing."""
    with publish(tmp_path / "run"), pytest.raises(BusyError, match="another run") as caught, publish(tmp_path / "run"):
        pass
    assert caught.value.exit_code == 75


HANGS = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from fupin_cli.rundir import publish
    with publish(Path(sys.argv[1])) as folder:
        (folder / "half.txt").write_text("half", encoding="utf-8")
        print("writing", flush=True)
        time.sleep(60)
    """
)


def test_kill_9_in_the_middle_and_then_a_rerun(tmp_path):
    """A killed run leaves no lock and nothing under the final name; the next one is as an undisturbed one."""
    write_run(tmp_path / "run", "one")
    with subprocess.Popen([sys.executable, "-c", HANGS, str(tmp_path / "run")], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (tmp_path / "run" / "a.txt").read_text(encoding="utf-8") == "one"
    write_run(tmp_path / "run", "two")
    assert (tmp_path / "run" / "a.txt").read_text(encoding="utf-8") == "two"
    assert sorted(p.name for p in tmp_path.iterdir()) == [".run.lock", "run"]


def test_killed_between_the_two_renames_the_old_run_comes_back(tmp_path):
    """The old run had stepped aside and the new one had not taken its name yet: the next start puts it back."""
    write_run(tmp_path / "run", "one")
    (tmp_path / "run").rename(tmp_path / ".run.previous")
    with pytest.raises(ValueError, match="stop"), publish(tmp_path / "run"):
        raise ValueError("stop")
    assert (tmp_path / "run" / "a.txt").read_text(encoding="utf-8") == "one"


def test_what_stepped_aside_for_a_run_that_is_there_goes(tmp_path):
    """Both the new run and the old one are found: the new one had its name, so the old one is what was left over."""
    write_run(tmp_path / "run", "one")
    write_run(tmp_path / ".run.previous", "nought")
    write_run(tmp_path / "run", "two")
    assert (tmp_path / "run" / "a.txt").read_text(encoding="utf-8") == "two"
    assert not (tmp_path / ".run.previous").exists()


@pytest.mark.parametrize("lacking", [None, "linux", "call"])
def test_where_names_cannot_be_exchanged_the_old_run_steps_aside(tmp_path, monkeypatch, lacking):
    """Another system, an old C library, a disk that cannot: two renames instead of one stroke, and the same in the end."""
    write_run(tmp_path / "run", "one")
    if lacking == "linux":
        monkeypatch.setattr(rundir.sys, "platform", "darwin")
    elif lacking == "call":
        monkeypatch.setattr(rundir, "_renameat2", lambda: object().renameat2)
    else:
        monkeypatch.setattr(rundir, "_renameat2", lambda: lambda *_: -1)
    write_run(tmp_path / "run", "two")
    assert (tmp_path / "run" / "a.txt").read_text(encoding="utf-8") == "two"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".run.lock", "run"]


def test_a_second_rename_that_fails_gives_the_old_run_its_name_back(tmp_path, monkeypatch):
    """Whatever happens between the two renames, somebody has the name in the end."""
    write_run(tmp_path / "run", "one")
    monkeypatch.setattr(rundir, "_exchanged", lambda *_: False)
    rename = Path.rename

    def failing(self, to):
        if self.name.endswith(".partial"):
            raise OSError(errno.EIO, "no")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(DiskError, match="writing the results failed"):
        write_run(tmp_path / "run", "two")
    assert (tmp_path / "run" / "a.txt").read_text(encoding="utf-8") == "one"


def test_too_little_room_is_told_before_anything_is_written(tmp_path, monkeypatch):
    """With the tables of register and extracts more is needed; the numbers of both sides are told."""
    monkeypatch.setattr(rundir.shutil, "disk_usage", lambda _: SimpleNamespace(free=(256 << 20) + (40 << 20)))
    require_space(tmp_path, 1 << 20)
    with pytest.raises(DiskError, match=r"not enough room on the disk: 296 MiB free, about [0-9,]+ MiB needed"):
        require_space(tmp_path, 1 << 30, tables=True)


@pytest.mark.parametrize(
    ("error", "kind", "why"),
    [
        (OSError(errno.ENOSPC, "full"), DiskError, "No space left on device"),
        (OSError("failed to write: (os error 28)"), DiskError, "No space left on device"),  # as Polars says it
        (OSError(errno.EACCES, "no"), OutputError, "Permission denied"),
        (OSError("something else"), OutputError, "OSError"),
    ],
)
def test_a_file_that_cannot_be_replaced_stays_and_the_reason_is_told(tmp_path, error, kind, why):
    """The file is the old one, nothing half-written lies beside it, and a full disk is told from a locked door."""
    target = tmp_path / "a.json"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(kind) as caught, replace_file(target) as staged:
        staged.write_text("new", encoding="utf-8")
        raise error
    assert caught.value.why == why
    assert target.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_the_callers_umask_is_given_back(tmp_path):
    """Private files are our duty, not a side effect on the caller."""
    before = os.umask(0o022)
    try:
        write_run(tmp_path / "run", "one")
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def test_a_whole_disk_is_no_place_for_results():
    """The root has no name that could be given to something else: said, with what to type."""
    with pytest.raises(OutputError, match="whole disk") as caught, publish(Path("/")):
        pass
    assert caught.value.try_ == "-o with a new folder or file on it: /fupin"
    with pytest.raises(OutputError, match="whole disk"), replace_file(Path("/")):
        pass


def test_what_befalls_another_file_is_not_told_of_the_results(tmp_path):
    """An input that is locked, a rule file: the system's error goes on as it is, though it lies beside the results."""
    for name in ("rules/own.toml", ".runs.lock"):
        with pytest.raises(PermissionError) as caught, publish(tmp_path / "run"):
            raise PermissionError(errno.EACCES, "no", str(tmp_path / name))
        assert caught.value.filename == str(tmp_path / name)
    for name in ("run/a.txt", ".run.partial/a.txt", "."):
        with pytest.raises(OutputError, match="cannot be written here"), publish(tmp_path / "run"):
            raise PermissionError(errno.EACCES, "no", str(tmp_path / name))
