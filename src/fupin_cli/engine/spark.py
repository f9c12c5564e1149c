"""A Spark cluster as an engine: parts go out as Parquet files, come back as Parquet files, and a lost cluster is an error.

    driver                                  scratch, on any filesystem that Spark reads      executors
    packs each part ─────────────────────►  in/part-000017.parquet ──► repartition by part ─► mapInArrow: the stage
    unpacks what was said, keeps the files ◄──────────────────────────────  out/*.parquet ◄── what it says, its files

Nothing of a part passes through the memory of the driver's JVM. Whatever dies among the executors, Spark does again what was
lost.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, ClassVar, Self, TypeVar

import polars as pl

from fupin_cli.engine.master import refuse_wrong_master
from fupin_cli.engine.packing import ROWS, as_rows, of_rows, pack, unpack
from fupin_cli.engine.place import Place, in_time
from fupin_cli.engine.threads import Kept
from fupin_cli.engine.troubles import PATIENCE, gone, in_words, none_came, not_begun, unseen
from fupin_cli.engine.worker import FAILED, FILE, OTHER, REFUSED, SAID, Order, files_in, this_program
from fupin_cli.errors import ConfigurationError, FupinError
from fupin_cli.language import preferred, tr
from fupin_cli.parquet import write_parquet

_PATIENCE = 120.0
_LOOK = 0.5  # seconds between two looks at the cluster
_FLOOR = (3, 3)
_A_CORE = 3  # parts for each core: the last to finish keeps the others waiting for less
_SETTINGS = {
    "spark.ui.enabled": "false",  # a page about this run that anybody on the network could open
    "spark.ui.showConsoleProgress": "false",
    # a row may hold 4 MiB: only so many are in memory at a time
    "spark.sql.execution.arrow.maxRecordsPerBatch": "16",
    "spark.sql.parquet.enableVectorizedReader": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.shuffle.partitions": "8",
    "spark.executorEnv.POLARS_MAX_THREADS": "1",  # a task has one core
}
_LOOPBACK = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}  # nobody else need reach it
_SCHEMA = "part long, tag string, nth long, data binary"
S = TypeVar("S")
P = TypeVar("P")
R = TypeVar("R")


@dataclass
class Spark:
    """Stages run on the executors of a Spark cluster; the session begins with the first of them.

    `master` is what Spark calls so: local[*], spark://HOST:7077, yarn, k8s://…; `scratch` is a folder that all its computers see,
    as they call it (hdfs://…, file:///…); without it a folder beside the results, which will do where they share a disk.
    """

    master: str
    scratch: str | None = None
    elsewhere: ClassVar[bool] = True
    _session: Any = field(default=None, repr=False)

    def __enter__(self) -> Self:
        """The same engine; what must be there is looked for at once, before anything is read."""
        refuse_wrong_master(self.master)
        _pyspark()
        if shutil.which("java") is None and not (Path(os.environ.get("JAVA_HOME", "")) / "bin" / "java").is_file():
            raise ConfigurationError(
                tr("Spark needs Java, and there is none on the PATH or in JAVA_HOME"),
                where=f"--master {self.master}",
                try_=tr("install Java 17 (a runtime will do), or set JAVA_HOME"),
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the session, if one was begun; the executors are given back."""
        session, self._session = self._session, None
        if session is not None:
            in_time(session.stop, 20.0)

    def at_once(self, rows: int, most: int) -> int:
        """So few that every core has some parts to work on, and no more than the program can take."""
        cores = int(self._begun().sparkContext.defaultParallelism)
        return max(1, min(most, rows // (_A_CORE * cores)))

    def map(self, stage: Callable[[S, P, Path], R], shared: S, parts: Iterable[P], folder: Path) -> Iterator[R]:
        """What the stage says of each part, in their order; the files that it writes are in `folder`.

        Raises ConfigurationError where executors are not set up for it, BusyError where the cluster gives none in time, DiskError
        where it went away.
        """
        with tempfile.TemporaryDirectory(dir=folder, prefix="spark-") as here:
            sent, back = Path(here) / "in", Path(here) / "out"
            sent.mkdir()
            count = 0
            for nth, part in enumerate(parts):
                rows = list(as_rows(nth, pack(part).items()))
                write_parquet(_frame(rows), sent / f"part-{nth:06}.parquet", row_group_size=16, statistics=False)
                count = nth + 1
            if not count:
                return
            place = Place.of(self._begun(), self.scratch, Path(here))
            try:
                place.put(sent, "in")
                self._run(stage, shared, place, "in", "out", 4 * count)
                place.get("out", back)
            finally:
                place.remove()
            yield from _answers(back, folder, count)

    @contextmanager
    def keep(
        self, stage: Callable[[S, tuple[int, Mapping[str, bytes]], Path], R], shared: S, files: Files, folder: Path
    ) -> Iterator[Kept]:
        """Works on files where they lie, on any filesystem that Spark reads; what the stage leaves of each stays on the cluster.

        `folder` is for what comes here meanwhile.
        """
        with tempfile.TemporaryDirectory(dir=folder, prefix="spark-") as here:
            place = Place.of(self._begun(), self.scratch, Path(here))
            try:
                numbers = Path(here) / "numbers"
                numbers.mkdir()
                write_parquet(files.numbered(), numbers / "0.parquet")
                place.put(numbers, "numbers")
                order = self._order(stage, shared)
                self._watched(lambda: _read_there(self._begun(), order, files.uri, place))
                said = self._told(place, "kept", len(files.names), Path(here))
                yield _Kept(self, place, Path(here), said)
            finally:
                place.remove()

    def list_there(self, uri: str) -> list[str]:
        """The Parquet files under a folder, as Spark calls them; or the one file of this name."""
        found: list[str] = []
        self._watched(lambda: found.extend(row[0] for row in _opened(self._begun(), uri).select("path").collect()), uri)
        return found

    def _told(self, place: Place, source: str, count: int, here: Path) -> list[Any]:
        """What was said of each part, without the files that stay."""
        said = f"{source}-said"
        rows = self._begun().read.schema(_SCHEMA).parquet(place.name(source))
        self._watched(lambda: rows.where(f"tag not like '{FILE}%'").write.parquet(place.name(said)))
        with tempfile.TemporaryDirectory(dir=here) as back:
            place.get(said, Path(back) / "said")
            return list(_answers(Path(back) / "said", Path(back), count))

    def _order(self, stage: Any, shared: Any) -> Order:
        return Order(stage, self._begun().sparkContext.broadcast(pack(shared)), this_program(), preferred())

    def _run(self, stage: Any, shared: Any, place: Place, source: str, target: str, partitions: int) -> None:
        """The stage on every part of one folder, answers in another one."""
        order, session = self._order(stage, shared), self._begun()

        def work() -> None:
            rows = session.read.schema(_SCHEMA).parquet(place.name(source))
            # more partitions than parts: two parts in one partition are worked on one after the other
            whole = rows.repartition(partitions, "part")
            whole.mapInArrow(order, _SCHEMA).write.parquet(place.name(target))

        self._watched(work)

    def _begun(self) -> Any:
        if self._session is None:
            self._session = _begin(self.master)
        return self._session

    def _watched(self, job: Callable[[], object], asked: str | None = None) -> None:
        """Waits until the job is done; not longer than there is patience for while no executor is left to do it."""
        context, failed = self._begun().sparkContext, list[BaseException]()
        patience, alone, anybody = _seconds(context.getConf().get(PATIENCE)), time.monotonic(), False

        def work() -> None:
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - it is told in words of ours, in the thread that waits
                failed.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(_LOOK)
            executors = in_time(lambda: _executors(context), patience)
            if executors:
                alone, anybody = time.monotonic(), True
            elif thread.is_alive() and time.monotonic() - alone > patience:
                in_time(context.cancelAllJobs, 5.0)
                raise gone(self.master, patience) if anybody else none_came(self.master, patience)
        if failed:
            raise in_words(failed[0], self.master, asked)


def _pyspark() -> Any:
    """The module; ConfigurationError where it is not installed, or older than what is known to serve."""
    # it warns of each pandas that is newer than itself
    warnings.filterwarnings("ignore", category=FutureWarning, module="pyspark")
    try:
        found = importlib.import_module("pyspark.sql")
        importlib.import_module("pandas")
        version = importlib.import_module("pyspark").__version__
    except ImportError:
        raise ConfigurationError(
            tr("--engine spark needs an extra part of fupin"), try_=tr("pip install 'fupin-cli[spark]'")
        ) from None
    if tuple(int(part) for part in version.split(".")[:2]) < _FLOOR:
        raise ConfigurationError(
            tr("this is PySpark {version}, and it takes 3.3 at least", version=version),
            try_=tr("pip install 'pyspark==X.Y.*', with X.Y as the cluster's Spark has it"),
        )
    return found


def _begin(master: str) -> Any:
    """A session of this cluster; what its JVM prints goes nowhere, since it quotes what failed tasks said."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    builder = _pyspark().SparkSession.builder.master(master).appName("fupin")
    for name, value in (_SETTINGS | (_LOOPBACK if master.startswith("local") else {})).items():
        builder = builder.config(name, value)
    heard, before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}, _children()
    with tempfile.TemporaryFile() as printed:
        try:
            with _printing_into(printed):
                session = builder.getOrCreate()
        except Exception as error:  # noqa: BLE001 - whatever py4j, Java and Spark raise
            printed.seek(0)
            last = printed.read().decode(errors="replace").strip().rpartition("\n")[2]  # no row was read yet
            raise not_begun(master, last or type(error).__name__) from None
        except BaseException:
            for begun in _children() - before:  # a JVM whose driver is gone before it could be called waits for ever
                os.kill(begun, signal.SIGTERM)
            raise
        finally:
            for number, handler in heard.items():
                signal.signal(number, handler)  # Spark's own would end in a traceback
    session.sparkContext.setLogLevel("OFF")
    return session


def _children() -> set[int]:
    """The processes that this one has started and that still run; nobody, where the system does not tell so plainly."""
    told = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(map(int, told.read_text(encoding="ascii").split())) if told.exists() else set()


@contextmanager
def _printing_into(file: IO[bytes]) -> Iterator[None]:
    """Meanwhile whatever is printed goes into the file; programs that are started now keep it so."""
    kept = {stream: os.dup(stream) for stream in (1, 2)}
    try:
        for stream in kept:
            os.dup2(file.fileno(), stream)
        yield
    finally:
        for stream, was in kept.items():
            os.dup2(was, stream)
            os.close(was)


@dataclass(frozen=True)
class Files:
    """A folder on a filesystem that Spark reads, and its files in their order: as Spark calls them → what we call each."""

    uri: str
    names: Mapping[str, str]

    def numbered(self) -> pl.DataFrame:
        """path, part (the file's number) and tag of each."""
        tags = [FILE + name for name in self.names.values()]
        numbers = pl.int_range(len(tags), dtype=pl.Int64, eager=True)
        return pl.DataFrame({"path": pl.Series(list(self.names), dtype=pl.String), "part": numbers, "tag": tags})


class _Kept:
    """What the executors have kept of files."""

    def __init__(self, engine: Spark, place: Place, here: Path, said: Sequence[Any]) -> None:
        self.said = said
        self._engine, self._place, self._here = engine, place, here

    def map(self, stage: Callable[[Any, tuple[int, Mapping[str, bytes]], Path], R], shared: Any) -> list[R]:
        """What the stage says of what was kept of each file, in their order."""
        self._engine._run(stage, shared, self._place, "kept", "met", 4 * len(self.said))  # noqa: SLF001 - one thing in two
        return self._engine._told(self._place, "met", len(self.said), self._here)  # noqa: SLF001


def _opened(session: Any, uri: str) -> Any:
    files = session.read.format("binaryFile").option("recursiveFileLookup", "true")
    return files.option("pathGlobFilter", "*.parquet").load(uri)


def _read_there(session: Any, order: Order, uri: str, place: Place) -> None:
    """Each file is one row, whole: its rows have an order then, and numbers that hold."""
    # read from a file: Spark 3.3 cannot make a table out of Python's own values under Python 3.11
    numbers = session.read.schema("path string, part long, tag string").parquet(place.name("numbers"))
    rows = _opened(session, uri).join(importlib.import_module("pyspark.sql.functions").broadcast(numbers), "path")
    rows = rows.selectExpr("part", "tag", "cast(0 as long) as nth", "content as data")
    at_once = "spark.sql.execution.arrow.maxRecordsPerBatch"
    session.conf.set(at_once, "1")
    try:
        rows.mapInArrow(order, _SCHEMA).write.parquet(place.name("kept"))
    finally:
        session.conf.set(at_once, _SETTINGS[at_once])


def _executors(context: Any) -> int:
    """How many computers work for us; where the driver does it itself, it counts."""
    known = context._jsc.sc().statusTracker().getExecutorInfos()  # noqa: SLF001 - Python's own tracker does not tell
    return len(known) - (not context.master.startswith("local"))


def _answers(back: Path, folder: Path, count: int) -> Iterator[Any]:
    """What was said of each part, in their order; files go where they belong."""
    where = {
        int(part): path
        for path in sorted(back.glob("*.parquet"))
        for part in pl.scan_parquet(path).select(pl.col("part").unique()).collect()["part"]
    }
    if set(where) != set(range(count)):
        raise unseen()
    for nth in range(count):
        mine = pl.scan_parquet(where[nth]).filter(pl.col("part") == nth).select(ROWS.names()).collect()
        tagged = of_rows(mine.rows())[nth]
        if OTHER in tagged:
            raise ConfigurationError(
                tr("the executors run another program than this one"),
                why=tr("here {here}; there {there}", here=this_program(), there=tagged[OTHER].decode()),
                try_=tr("give them the same environment: docs/spark.md"),
            )
        if refused := {tag.removeprefix(REFUSED): data for tag, data in tagged.items() if tag.startswith(REFUSED)}:
            raise unpack(refused)
        if FAILED in tagged:
            raise FupinError(
                tr("a part could not be worked on by an executor: {told}", told=tagged[FAILED].decode()),
                why=tr("this is a fault of fupin, not of your data; its details may quote people and are not shown"),
                try_=tr("the same command without --engine spark; and report the line above"),
            )
        for name, data in files_in(tagged).items():
            (folder / name).write_bytes(data)
        yield unpack({tag.removeprefix(SAID): data for tag, data in tagged.items() if tag.startswith(SAID)})


def _frame(rows: list[tuple[int, str, int, bytes]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=ROWS, orient="row")


def _seconds(told: str | None) -> float:
    if told and not re.fullmatch(r"\d+s?", told):
        raise ConfigurationError(
            tr("{key} is a number of seconds", key=PATIENCE), where="spark-defaults.conf", try_=f"{PATIENCE} 600"
        )
    return float(told.removesuffix("s")) if told else _PATIENCE
