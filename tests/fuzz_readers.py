"""Opens tens of thousands of damaged and hostile files: python tests/fuzz_readers.py --count 50000 --seed 1.

Whatever a file holds, it is read or refused with a FupinError that quotes no cell, within seconds and a gibibyte. A file for
which that does not hold is kept, with the last line of what went wrong. Exit code 1 if there is any.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing as mp
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import mutations
from fupin_cli.errors import FupinError
from fupin_cli.ingest import inspect_file, load_profiles, read_source, sandbox
from fupin_cli.ingest.readers import read_file

SHIPPED = Path(__file__).parents[1] / "rules" / "sources"
PROFILES = ("people", "dibao")
NAMED, FURTHER = ("xlsx", "xls", "csv", "html"), ("xlsm", "xlsb", "ods", "tsv", "xml2003", "mht", "zip", "parquet")
MOST_SECONDS, MOST_MEMORY = 10.0, 1 << 30
_LANES = 2
_STUCK_SECONDS = 120.0  # after which a worker is given up, wherever it hangs


class Outcome(NamedTuple):
    """What became of one file. `peak` is the memory above what was used before; `fault` is empty where all is well."""

    number: int
    kind: str
    state: str
    seconds: float
    peak: int
    child_peak: int
    fault: str


class Fuzzer:
    """Mutates and opens file after file; a seed and a number give the same file again."""

    def __init__(self, seed, kinds, folder: Path, *, every_step=False) -> None:
        self.seeds, self.kinds, self.seed = mutations.make_seeds(folder), kinds, seed
        self._path, self._every_step, profiles = folder / "file", every_step, load_profiles([SHIPPED])
        self._profiles = {name: profiles[name] for name in PROFILES}
        self._further = (self._inspect, *map(self._as_source, PROFILES))
        for kind in self.seeds:  # what is loaded once is not what a file costs
            self._path.write_bytes(self.seeds[kind][0].data)
            self._open(kind, 0)

    def file(self, number):
        """The kind and the bytes of a file."""
        kind = self.kinds[number % len(self.kinds)]
        return kind, mutations.mutated(self.seeds, kind, random.Random(f"{self.seed}:{number}"))

    def attempt(self, number):
        """The outcome of opening a file."""
        kind, data = self.file(number)
        self._path.write_bytes(data)
        before = _peak("self", reset=True)[1]
        _peak(_child(), reset=True)
        state, fault, seconds = self._open(kind, number)
        peak, child_peak = _peak("self")[0] - before, _peak(_child())[0]
        if not fault and seconds > MOST_SECONDS:
            fault = f"took {seconds:.0f} s"
        if not fault and max(peak, child_peak) > MOST_MEMORY + (len(data) << 4):
            fault = f"used {max(peak, child_peak) >> 20:,} MiB for {len(data):,} bytes"
        return Outcome(number, kind, "failed" if fault else state, seconds, peak, child_peak, fault)

    def _open(self, kind, number):
        """How it went: read or refused; what was wrong with that; the seconds that the slowest step took."""
        refused, fault, slowest = [], "", 0.0
        # what becomes of the cells takes ten times as long as to read them, so the files take turns at it
        turn = number // len(self.kinds) % len(self._further)
        for step in (self._read, *(self._further if self._every_step else self._further[turn : turn + 1])):
            start = _clock()
            try:
                fault = fault or step(f"{kind}.{number}")
            except FupinError as error:
                refused.append(error)
            except BaseException as error:  # a panic is no Exception
                if isinstance(error, KeyboardInterrupt | SystemExit):
                    raise
                return "failed", f"{step.__name__}: {''.join(traceback.format_exception(error)[-2:])}", slowest
            slowest = max(slowest, _passed(start))
            if refused and step == self._read:
                break  # nobody else will get further
        if quoted := [word for word in mutations.CANARIES for error in refused if word in str(error)]:
            fault = f"a message quotes {quoted}"
        if any("bug in fupin" in str(error) for error in refused):
            fault = "rows were lost"
        return "refused" if refused else "read", fault or "", slowest

    def _read(self, name):
        read_file(name, self._path)

    def _inspect(self, name):
        inspect_file(name, self._path, self._profiles)

    def _as_source(self, profile):
        def read_as(name):
            source = read_source([(name, self._path)], self._profiles[profile])
            read, used, aside = source.accounts.select("rows_read", "rows_used", "rows_set_aside").sum().row(0)
            balanced = (
                read == used + aside and used == source.rows["data_row"].n_unique() and aside == source.set_aside.height
            )
            return "" if balanced else f"{read} rows read, {used} used, {aside} set aside"

        return read_as


def _child():
    """The process number of the parser that waits for the next file."""
    return sandbox._idle[-1]._process.pid if sandbox._idle else None


def _clock():
    """The parser's process number, the time, and how long this process and the parser have been at work."""
    parser = _child()
    stats = (Path(f"/proc/{process}/stat") for process in ("self", parser))
    ticks = [stat.read_text().rpartition(")")[2].split()[11:13] for stat in stats if stat.exists()]
    return parser, time.perf_counter(), sum(int(tick) for own in ticks for tick in own) / os.sysconf("SC_CLK_TCK")


def _passed(start):
    """The seconds of work since then; where the parser was killed meanwhile, the time, which others may have used, too."""
    parser, now, worked = _clock()
    return worked - start[2] if parser and parser == start[0] else now - start[1]


def _peak(process, *, reset=False):
    """The peak and the present size of a process in bytes; where that is not told, 0."""
    with contextlib.suppress(OSError):
        if reset:
            Path(f"/proc/{process}/clear_refs").write_text("5")
        said = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
        return tuple(int(said[key].split()[0]) << 10 for key in ("VmHWM", "VmRSS"))
    return 0, 0


def _work(connection, numbers, seed, kinds, every_step):
    """Sends the outcomes of these files, one after the other."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(seed, kinds, Path(folder), every_step=every_step)
        for number in numbers:
            connection.send(fuzzer.attempt(number))


def lane(seed, kinds, numbers, hear, *, every_step=False) -> None:
    """Has these files opened in a process of its own; what kills it or makes it hang is the outcome of that file."""
    spawn = mp.get_context("spawn")
    while numbers:
        connection, end = spawn.Pipe(duplex=False)
        process = spawn.Process(target=_work, args=(end, numbers, seed, kinds, every_step), daemon=True)
        process.start()
        end.close()
        fault = ""
        while numbers and not fault:
            number, numbers = numbers[0], numbers[1:]
            try:
                fault = "" if connection.poll(_STUCK_SECONDS) else "hangs"
                outcome = connection.recv() if not fault else None
            except EOFError:
                fault = "killed its reader"
            hear(Outcome(number, kinds[number % len(kinds)], "failed", 0, 0, 0, fault) if fault else outcome)
        process.kill() if fault else process.join()


class Tally:
    """Takes in outcomes, keeps the files of those that must not be, and prints what there was."""

    def __init__(self, seed, kinds, keep: Path) -> None:
        self.seed, self.kinds, self.keep = seed, kinds, keep
        self.outcomes: list[Outcome] = []

    def hear(self, outcome):
        """Takes in one outcome."""
        self.outcomes.append(outcome)
        if outcome.fault:
            print(f"{outcome.kind}.{outcome.number}: {outcome.fault.strip()}", flush=True)
            (self.keep / f"{self.seed}.{outcome.number}.{outcome.kind}.txt").write_text(outcome.fault)
        if not len(self.outcomes) % 5000:
            print(f"{len(self.outcomes):,} files", flush=True)

    def write(self):
        """Prints a line for each kind; the number of files for which something was wrong."""
        print(
            f"{'kind':8} {'tried':>7} {'read':>7} {'refused':>7} {'failed':>7} {'slowest':>8} {'memory':>9} {'parser':>9}"
        )
        for kind in self.kinds:
            own = [outcome for outcome in self.outcomes if outcome.kind == kind]
            count = Counter(outcome.state for outcome in own)
            slowest, peak, child = (
                (max(column, default=0) for column in zip(*(o[3:6] for o in own), strict=True)) if own else (0, 0, 0)
            )
            print(
                f"{kind:8} {len(own):7,} {count['read']:7,} {count['refused']:7,} {count['failed']:7,} {slowest:6.1f} s "
                f"{peak >> 20:5,} MiB {child >> 20:5,} MiB"
            )
        for outcome in sorted(self.outcomes, key=lambda o: -o.seconds)[:3]:
            print(f"slow: {outcome.kind}.{outcome.number}, {outcome.seconds:.1f} s")
        return sum(bool(outcome.fault) for outcome in self.outcomes)


def main(words=None):
    """Fuzzes as the words ask; 1 where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--kinds", default=",".join(NAMED), help=f"of {','.join(NAMED + FURTHER)}")
    parser.add_argument("--every-step", action="store_true", help="inspect each file and read it under each profile")
    parser.add_argument(
        "--keep", type=Path, default=Path(tempfile.gettempdir()) / "fupin-fuzz", help="folder for files that failed"
    )
    given = parser.parse_args(words)
    kinds = given.kinds.split(",")
    given.keep.mkdir(parents=True, exist_ok=True)
    tally, numbers = Tally(given.seed, kinds, given.keep), range(given.first, given.first + given.count)
    start = time.perf_counter()
    with ThreadPoolExecutor(_LANES) as pool:
        each = (numbers[n::_LANES] for n in range(_LANES))
        list(pool.map(lambda own: lane(given.seed, kinds, own, tally.hear, every_step=given.every_step), each))
    failed = tally.write()
    seconds = time.perf_counter() - start
    print(f"{given.count:,} files with seed {given.seed} in {seconds:.0f} s: {failed:,} must not be; see {given.keep}")
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(given.seed, kinds, Path(folder))
        for outcome in tally.outcomes:
            if outcome.fault:
                (given.keep / f"{given.seed}.{outcome.number}.{outcome.kind}").write_bytes(
                    fuzzer.file(outcome.number)[1]
                )
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
