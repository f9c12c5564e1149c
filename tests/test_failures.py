"""What a machine can do to a run: full disks, locked doors, files that change under the reader. A code, a sentence, nothing lost."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import FUPIN, fupin, fupin_process
from test_signals import LEAVES, told

MEDDLE = Path(__file__).with_name("meddle.py")
CHANGED = "低保.csv"
UNSHARED = (
    shutil.which("unshare")
    and not subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True
    ).returncode
)
PRLIMIT = shutil.which("prlimit")
_CAPS = "-dac_override,-dac_read_search"  # what lets root through every door
BOUND = [] if os.geteuid() else ["setpriv", "--bounding-set", _CAPS, "--inh-caps", _CAPS]


@pytest.fixture
def finished(small, tmp_path):
    """A finished run: the words of the command that makes it again, the folder of its folder, its files."""
    words = ["run", small, "-o", tmp_path / "out" / "run", "-q"]
    assert fupin(*words).returncode == 0
    return words, tmp_path / "out", told(tmp_path / "out" / "run")


def stands(out, before):
    """The earlier results are whole, nothing else lies about."""
    assert told(out / "run") == before
    assert sorted(p.name for p in out.iterdir()) == LEAVES


@pytest.mark.skipif(not PRLIMIT, reason="limits a file's size with prlimit, of Linux")
@pytest.mark.parametrize("most", [1, pytest.param(20_000, marks=pytest.mark.slow), 50_000])
def test_the_disk_fills_up_while_it_is_written_to(finished, most):
    """No file can become longer than so many bytes: code 74, and the words for it."""
    words, out, before = finished
    done = subprocess.run(
        [PRLIMIT, f"--fsize={most}", FUPIN, *map(str, words)], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 74, done.stderr
    assert "free some space" in done.stderr
    assert "untouched" in done.stderr
    stands(out, before)


@pytest.mark.skipif(not UNSHARED, reason="mounts small disks in a namespace of its own, which is not allowed here")
@pytest.mark.parametrize(
    ("mount", "code", "said"),
    [
        ("size=2m", 74, "MiB free, about"),
        ("size=100m,ro", 73, "Read-only"),
        ("size=100m,nr_inodes=8", 74, "No space left"),
    ],
    ids=["small", "read-only", "no more files"],
)
def test_a_disk_that_takes_nothing(small, tmp_path, mount, code, said):
    """A tiny disk is refused beforehand; one that may only be read, and one that takes no more files, are told by name."""
    (tmp_path / "disk").mkdir()
    script = 'mount -t tmpfs -o "$1" tmpfs "$2"; shift 2; "$@"; code=$?; ls -A "$(dirname "$6")" >&2; exit $code'
    target = tmp_path / "disk" / "run"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", mount, tmp_path / "disk", FUPIN, "run", small, "-q", "-o", target],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert ".partial" not in done.stderr


@pytest.mark.skipif(
    not shutil.which("setpriv") or os.geteuid() != 0, reason="becomes somebody else, which only root can"
)
def test_locked_doors(small, tmp_path):
    """An input that may not be read, and a folder that may not be written to."""
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*nobody, "test", "-x", Path(sys.executable).resolve()], check=False).returncode:
        pytest.skip("this Python lies where nobody but its owner may run it")
    free = Path("/tmp") / f"fupin-doors-{os.getpid()}"
    shutil.copytree(small, free / "project")
    try:
        subprocess.run(["chmod", "-R", "a+rwX", free], check=True)
        words = [*nobody, FUPIN, "run", free / "project", "-q", "-o"]
        (free / "closed").mkdir(mode=0o700)
        done = subprocess.run([*words, free / "closed" / "run"], capture_output=True, encoding="utf-8", check=False)
        assert (done.returncode, "Permission denied" in done.stderr) == (73, True), done.stderr
        (free / "project" / CHANGED).chmod(0)
        done = subprocess.run([*words, free / "run"], capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 77, done.stderr
        assert Path(CHANGED).name in done.stderr
        assert not (free / "run").exists()
    finally:
        shutil.rmtree(free)


@pytest.mark.skipif(BOUND != [] and not shutil.which("setpriv"), reason="gives up root's own keys with setpriv")
def test_a_locked_door_is_named(finished, small, tmp_path):
    """Whatever may not be opened, and whoever opens it: code 77 and its path; no fault of ours, and none of the results."""
    words, out, before = finished
    far = small / "县" / "一"
    for folder in (far, small / "rules" / "sources", small / "rules" / "exit"):
        folder.mkdir(parents=True)
    (small / CHANGED).rename(far / CHANGED)
    told = (small / "fupin.toml").read_text(encoding="utf-8")
    verify, explain = ["verify", words[3]], ["explain", "H1", "--run", words[3]]
    booked = ["cases", "round", words[3], "--ledger", tmp_path / "cases"]
    for pattern in ("县", "县/*/*.csv", "县/**/*.csv"):
        (small / "fupin.toml").write_text(told.replace(CHANGED, pattern), encoding="utf-8")
        refused(words, far)
    for door in ("fupin.toml", "县", "rules/sources", "rules/exit", ".fupin/cache"):
        refused(words, small / door)
    (small / "rules" / "exit" / "own.toml").touch()
    refused(words, small / "rules" / "exit" / "own.toml")
    for name, asked in (
        ("findings.parquet", verify), ("workbooks", verify), ("findings.parquet", explain), ("manifest.json", explain),
        ("digest.json", booked),
    ):  # fmt: skip
        refused(asked, out / "run" / name)
    stands(out, before)
    assert not (tmp_path / "cases").exists()


def refused(words, door):
    """The command, typed by somebody to whom this door is locked, ends with 77 and names it."""
    mode = door.stat().st_mode
    door.chmod(0)
    try:
        done = subprocess.run([*BOUND, FUPIN, *words], capture_output=True, encoding="utf-8", check=False)
    finally:
        door.chmod(mode)
    assert done.returncode == 77, done.stderr
    assert done.stderr.startswith(f"error: {door}: "), done.stderr


@pytest.mark.parametrize(
    ("deed", "stage"),
    [
        ("remove", "read_register"),
        ("change", "link_everyone"),
        ("change", "manifest"),
        pytest.param("change", "read_register", marks=pytest.mark.slow),
        pytest.param("remove", "link_everyone", marks=pytest.mark.slow),
        pytest.param("remove", "manifest", marks=pytest.mark.slow),
    ],
)
def test_a_file_that_goes_or_changes_while_it_is_read(finished, small, stage, deed):
    """Named, refused, and the earlier results stand; nothing is judged by half of one day and half of another."""
    words, out, before = finished
    done = subprocess.run(
        [sys.executable, MEDDLE, stage, deed, small / CHANGED, *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode in (65, 66), done.stderr
    assert Path(CHANGED).name in done.stderr
    assert "Traceback" not in done.stderr
    stands(out, before)


def test_a_clock_that_jumps_back_changes_nothing(finished):
    """Nothing of a run hangs on the clock: the same bytes, whatever the date of its inputs."""
    words, out, before = finished
    for path in Path(words[1]).rglob("*"):
        if path.is_file() and ".fupin" not in path.parts:
            os.utime(path, (1, 1))
    assert fupin_process(*words, TZ="Pacific/Kiritimati").returncode == 0
    stands(out, before)


def test_a_link_as_the_target_stays_a_link(small, tmp_path):
    """The results go where it leads; a link that somebody planted inside a run is a foreign file."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "latest").symlink_to(tmp_path / "disk" / "run")
    words = ["run", small, "-o", tmp_path / "latest", "-q"]
    for _ in range(2):
        assert fupin(*words).returncode == 0
        assert (tmp_path / "latest").is_symlink()
        assert (tmp_path / "disk" / "run" / "manifest.json").is_file()
    (tmp_path / "precious").write_text("mine", encoding="utf-8")
    (tmp_path / "disk" / "run" / "workbooks" / "x.xlsx").symlink_to(tmp_path / "precious")
    assert fupin(*words).returncode == 73
    (tmp_path / "disk" / "run" / "workbooks" / "x.xlsx").unlink()
    (tmp_path / "disk" / ".run.partial").symlink_to(tmp_path)
    assert fupin(*words).returncode == 0
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "mine"
