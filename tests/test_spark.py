"""A Spark cluster says what two threads say, to the last byte; executors may die, and a cluster that is gone is an error.

Not in the gate: PySpark is large. `make test-spark` installs it beside, and starts a master and two workers on this computer.
"""

import os
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest

from conftest import FUPIN, SAMPLE
from list_world import long_list

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not find_spec("pyspark"), reason="PySpark is not installed: make test-spark"),
    pytest.mark.timeout(600),
]
SAME = (
    "digest.json",
    "outcomes.parquet",
    "person_outcomes.parquet",
    "findings.parquet",
    "persons.parquet",
    "links.parquet",
)
PATIENCE = 15
DEFAULTS = f"""
spark.executor.memory 512m
spark.executor.cores 1
spark.driver.bindAddress 127.0.0.1
spark.driver.host 127.0.0.1
spark.eventLog.enabled true
spark.eventLog.compress false
spark.eventLog.rolling.enabled false
spark.fupin.patience {PATIENCE}
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> Path:
    """The run directory of the sample, judged by two threads."""
    folder = tmp_path_factory.mktemp("here") / "run"
    done = fupin("run", SAMPLE, "-o", folder, "-q")
    _, err = done.communicate(timeout=240)
    assert done.returncode == 0, err
    return folder


def fupin(*words, **environment) -> subprocess.Popen:
    return subprocess.Popen(
        [FUPIN, *map(str, words)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Cluster:
    """A master and its workers on loopback, one core each, as a Spark download starts them."""

    def __init__(self, folder: Path, workers: int) -> None:
        home = os.environ.get("SPARK_HOME") or Path(str(find_spec("pyspark").origin)).parent
        self.home, self.folder = Path(home), folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.master = f"spark://127.0.0.1:{port}"
        (folder / "conf").mkdir()
        events = folder / "events"
        events.mkdir()
        (folder / "conf" / "spark-defaults.conf").write_text(f"{DEFAULTS}spark.eventLog.dir {events.as_uri()}\n")
        own = ("--host", "127.0.0.1", "--webui-port", "0")
        self.started = [self._start("master.Master", *own, "--port", str(port))]
        wait_until(lambda: reachable(port), 60)
        for n in range(workers):
            words = (self.master, *own, "--cores", "1", "--memory", "600m", "--work-dir", str(folder / f"work-{n}"))
            self.started.append(self._start("worker.Worker", *words))

    def _start(self, name: str, *words: str) -> subprocess.Popen:
        environment = {
            **os.environ,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_HOME": str(self.home),
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            command = [self.home / "bin" / "spark-class", f"org.apache.spark.deploy.{name}", *words]
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def run(self, target: Path) -> subprocess.Popen:
        """The sample, judged here."""
        return fupin("run", SAMPLE, "-o", target, "-q", "--engine", "spark", "--master", self.master, **self.settings)

    @property
    def settings(self) -> dict[str, str]:
        """Where Spark's settings lie."""
        return {"SPARK_CONF_DIR": str(self.folder / "conf")}

    def executors(self) -> dict[int, bool]:
        """The executors that these workers have started: process → whether its Python is at work."""
        found = children([process.pid for process in self.started])
        told = {pid: command(pid) for pid in found}
        jvms = {pid for pid, line in told.items() if "CoarseGrainedExecutorBackend" in line}
        return {pid: any("pyspark" in command(child) for child in children([pid])) for pid in jvms}

    def happened(self) -> str:
        """What Spark wrote down of its own doings."""
        return "".join(
            path.read_text(encoding="utf-8") for path in (self.folder / "events").rglob("*") if path.is_file()
        )

    def end(self) -> None:
        """Every process of it is killed."""
        for pid in [*self.executors(), *(process.pid for process in self.started)]:
            os.kill(pid, signal.SIGKILL)
        for process in self.started:
            process.wait()


@pytest.fixture
def cluster(tmp_path):
    """Makes a cluster with so many workers; it ends with the test."""
    made = []

    def make(workers: int) -> Cluster:
        made.append(Cluster(tmp_path, workers))
        return made[0]

    yield make
    for each in made:
        each.end()


def test_a_local_session_says_the_same(here, tmp_path):
    """Two processes of Spark on one computer: digest, outcomes and facts are the same files."""
    run = fupin("run", SAMPLE, "-o", tmp_path / "run", "--engine", "spark", "--master", "local[2]", "--json")
    out, err = run.communicate(timeout=240)
    assert run.returncode == 0, err
    same(tmp_path / "run", here)
    assert out == (here / "digest.json").read_text(encoding="utf-8")  # nothing of Java's on stdout
    assert "WARN" not in err
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == sorted(path.name for path in here.iterdir())


def test_an_executor_killed_in_the_middle_changes_nothing(here, cluster, tmp_path):
    """kill -9 on one of two executors while its Python judges: its parts are judged again, and every byte is the same."""
    spark = cluster(2)
    run = spark.run(tmp_path / "run")
    working = wait_until(lambda: [pid for pid, at_work in spark.executors().items() if at_work], 120)
    os.kill(working[0], signal.SIGKILL)
    _, err = run.communicate(timeout=300)
    assert run.returncode == 0, err
    same(tmp_path / "run", here)
    assert "SparkListenerExecutorRemoved" in spark.happened()
    assert "ExecutorLostFailure" in spark.happened()


def test_a_list_is_read_and_linked_where_it_lies(cluster, tmp_path):
    """Files of two buckets on a cluster of which one executor is killed while it reads: links and model are the same bytes."""
    world = long_list(tmp_path / "名单")
    rows = pl.read_parquet(world / "list.parquet")
    for n, part in enumerate(rows.iter_slices(700)):
        (world / "hukou" / f"bucket={n}").mkdir(parents=True)
        part.write_parquet(world / "hukou" / f"bucket={n}" / "部分 0.parquet")
    spark = cluster(2)
    words = (
        "--engine",
        "spark",
        "--master",
        spark.master,
        "--save-model",
        tmp_path / "model.toml",
        "--scratch",
        tmp_path / "传",
    )
    run = fupin(
        "link", world / "register.parquet", world / "hukou", "-o", tmp_path / "links.parquet", *words, **spark.settings
    )
    working = wait_until(lambda: [pid for pid, at_work in spark.executors().items() if at_work], 120)
    os.kill(working[0], signal.SIGKILL)
    _, err = run.communicate(timeout=300)
    assert run.returncode == 0, err
    assert (tmp_path / "links.parquet").read_bytes() == (world / "links.parquet").read_bytes()
    assert (tmp_path / "model.toml").read_text().splitlines()[1:] == (world / "model.toml").read_text().splitlines()[1:]
    assert "SparkListenerExecutorRemoved" in spark.happened()
    assert not any((tmp_path / "传").iterdir())


def test_what_is_refused_there_is_told_here(tmp_path):
    """A list of whose columns none says who somebody is: exit code 65, and what to try."""
    (tmp_path / "list").mkdir()
    pl.DataFrame({"x": [1], "y": [2]}).write_parquet(tmp_path / "list" / "a.parquet")
    words = ("--engine", "spark", "--master", "local[2]", "-q")
    pl.DataFrame({"姓名": ["张三"], "身份证号": ["1"]}).write_parquet(register := tmp_path / "台账.parquet")
    run = fupin("link", register, tmp_path / "list", "-o", tmp_path / "links.parquet", *words)
    _, err = run.communicate(timeout=200)
    assert run.returncode == 65, err
    assert "no header row" in err


@pytest.mark.parametrize("seconds", [0.0, 1.0, 2.0, 4.0])
def test_a_stopped_run_takes_its_jvm_along(tmp_path, seconds):
    """SIGTERM so many seconds after the JVM was started: exit code 143, nothing left, no process either."""
    run = fupin("run", SAMPLE, "-o", tmp_path / "run", "-q", "--engine", "spark", "--master", "local[2]")
    jvm = wait_until(lambda: [pid for pid in children([run.pid]) if "pyspark-shell" in command(pid)], 60)
    time.sleep(seconds)
    run.send_signal(signal.SIGTERM)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 143, err
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []
    wait_until(lambda: not any("pyspark" in command(pid) for pid in jvm), 20)


def test_a_cluster_that_is_gone_is_an_error(cluster, tmp_path):
    """Master, workers and executors are killed in mid-run: the run ends by itself, says so, and leaves nothing."""
    spark = cluster(2)
    run = spark.run(tmp_path / "out" / "run")
    wait_until(lambda: any(spark.executors().values()), 120)
    spark.end()
    gone = time.monotonic()
    _, err = run.communicate(timeout=300)
    assert time.monotonic() - gone < PATIENCE + 45
    assert run.returncode == 74, err
    assert "went away" in err or "Spark gave up" in err
    assert "Traceback" not in err
    assert [path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")] == []
    spark.started.clear()


def test_a_cluster_without_workers_is_told_after_the_time_that_was_named(cluster, tmp_path):
    """Nobody comes to work: exit code 75, try later."""
    run = cluster(0).run(tmp_path / "run")
    _, err = run.communicate(timeout=200)
    assert run.returncode == 75, err
    assert f"gave no executor in {PATIENCE} seconds" in err


def test_a_master_that_is_not_there_is_told(tmp_path):
    """Wrong host or port: exit code 74, and the command to try."""
    (tmp_path / "spark-defaults.conf").write_text(DEFAULTS.replace("eventLog.enabled true", "eventLog.enabled false"))
    words = ("--engine", "spark", "--master", "spark://127.0.0.1:9", "-q")
    run = fupin("run", SAMPLE, "-o", tmp_path / "run", *words, SPARK_CONF_DIR=str(tmp_path))
    _, err = run.communicate(timeout=300)
    assert run.returncode in (74, 75), err
    assert "--master" in err


def same(one: Path, other: Path) -> None:
    for name in SAME:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def wait_until(true, seconds):
    """What it gives as soon as it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.05)
    raise AssertionError("it never came true")


def reachable(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " ")
    except OSError:
        return ""


def children(parents: list[int]) -> set[int]:
    """The processes that these have started, and those in turn."""
    stats = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            stats[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, new = set(), set(parents)
    while new:
        new = {pid for pid, parent in stats.items() if parent in new} - found
        found |= new
    return found
