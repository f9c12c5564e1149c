"""What can go wrong with a cluster, in words of ours: what Spark, Java and py4j say may quote cells."""

from __future__ import annotations

from fupin_cli.errors import BusyError, ConfigurationError, DiskError, FupinError, InputMissingError
from fupin_cli.language import tr

PATIENCE = "spark.fupin.patience"  # how long nobody need work for us before we give up: a number of seconds


def not_begun(master: str, said: str) -> FupinError:
    """No session: Java, PySpark or the master; what was printed last says which. No row was read by then."""
    return DiskError(
        tr("Spark does not begin"),
        where=f"--master {master}",
        why=said,
        try_=tr("--master local[2], to see whether Java and PySpark work; then whether HOST:PORT can be reached"),
    )


def gone(master: str, patience: float) -> FupinError:
    """Everybody who worked for us is lost."""
    return DiskError(
        tr("the cluster went away: for {seconds:.0f} seconds no executor was left", seconds=patience),
        where=f"--master {master}",
        why=tr("nothing was written; earlier results are untouched"),
        try_=tr("the same command when the cluster is back; {key} in spark-defaults.conf waits longer", key=PATIENCE),
    )


def none_came(master: str, patience: float) -> FupinError:
    """Nobody has ever worked for us."""
    return BusyError(
        tr("the cluster gave no executor in {seconds:.0f} seconds", seconds=patience),
        where=f"--master {master}",
        why=tr("its queue is full, or its workers are away"),
        try_=tr("later; {key} in spark-defaults.conf waits longer", key=PATIENCE),
    )


def unseen() -> FupinError:
    """What was handed over is on one computer's disk alone."""
    return ConfigurationError(
        tr("the executors do not see the folder by which parts are handed over"),
        try_=tr("--scratch with a folder that all of them see: hdfs:///tmp, file:///SHARED"),
    )


def missing(uri: str) -> FupinError:
    """What somebody asked for is not where Spark looks."""
    return InputMissingError(
        tr("no such file or folder"),
        where=uri,
        try_=tr("a name that Spark reads: hdfs:///…, file:///…, or a path of this computer"),
    )


def in_words(error: BaseException, master: str, asked: str | None = None) -> FupinError:
    """What a library of Spark's says, in words of ours: its own may quote cells.

    `asked` is what somebody named, where that was looked for.
    """
    said = str(error)
    if "No module named 'fupin_cli'" in said:
        return ConfigurationError(
            tr("fupin is not installed where the executors' Python is"),
            where=f"--master {master}",
            try_=tr("give them the same environment: docs/spark.md"),
        )
    if "PYTHON_VERSION_MISMATCH" in said or "different version" in said:
        return ConfigurationError(
            tr("the executors run another version of Python"),
            where=f"--master {master}",
            try_=tr("give them the same environment: docs/spark.md"),
        )
    if "FileNotFoundException" in said or "PATH_NOT_FOUND" in said or "Path does not exist" in said:
        return missing(asked) if asked else unseen()
    return DiskError(
        tr("Spark gave up"),
        where=f"--master {master}",
        why=tr("it says {kind}; its own words may quote people and are not shown", kind=type(error).__name__),
        try_=tr("the logs of its executors; then the same command: earlier results are untouched"),
    )
