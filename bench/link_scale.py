"""Linkage of 1 M register persons with 10 M extract rows, beside its floor: the bare scan, exact ID join and write.

Both read and write Parquet, as whole processes, in turn, on the same files in the same run; the machine may be noisy, so what
counts is the ratio of medians. Run: make bench, or python bench/link_scale.py --persons 100000 --rows 1000000 --runs 3
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from fupin_cli.synth import PRESETS, generate

KIND = "household_registration"  # everybody is in it
DATA = Path(__file__).parent / "data"
RESULTS = Path(__file__).parent / "results"

FLOOR = """
import sys, polars as pl
register, extract, output = sys.argv[1:]
key = pl.col("id_number").str.strip_chars().str.to_uppercase()
paths = ((register, "register_row"), (extract, "extract_row"))
sides = [pl.scan_parquet(path).select(key.alias("id")).with_row_index(row) for path, row in paths]
sides[0].join(sides[1], on="id").select("register_row", "extract_row").sink_parquet(output)
"""


def measure(command: list[str]) -> dict[str, float]:
    """Wall and CPU seconds and peak GiB of one process, from the operating system's own account of it.

    `held_gib` is the most that it held without the pages of files that lie mapped: the system takes those back when it must.
    """
    # an installed program is compiled once, not at every start
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=settings)
    held, done = 0, threading.Event()

    def watch() -> None:
        nonlocal held
        account = Path(f"/proc/{process.pid}/status")
        while not done.wait(0.05):
            with contextlib.suppress(OSError, IndexError):
                held = max(held, int(account.read_text().split("RssAnon:")[1].split()[0]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    done.set()
    watcher.join()
    wall = time.perf_counter() - started
    if status:
        sys.exit(f"failed with status {status}: {command[0]} …")
    peak, cpu = usage.ru_maxrss / 2**20, usage.ru_utime + usage.ru_stime
    return {"wall_s": wall, "cpu_s": cpu, "peak_gib": peak, "held_gib": held / 2**20}


def make_data(persons: int, rows: int) -> tuple[Path, Path]:
    """The register and the extract, made once and kept."""
    folder = DATA / f"link-{persons}-{rows}"
    register, extract = folder / "register.parquet", folder / f"{KIND}.parquet"
    if not extract.exists():
        share = persons / rows
        generate(
            folder,
            seed=20191130,
            persons=rows,
            counties=20,
            errors=PRESETS["easy"],
            registered_share=share,
            kinds=[KIND],
        )
    return register, extract


def main() -> None:
    """Measures, prints, and keeps the figures beside what machine they were taken on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    register, extract = make_data(options.persons, options.rows)
    out = DATA / "links.parquet"
    fupin = str(Path(sys.executable).with_name("fupin"))
    commands = {
        "floor": [sys.executable, "-c", FLOOR, str(register), str(extract), str(out)],
        "fupin": [fupin, "link", str(register), str(extract), "-o", str(out), "--quiet"],
    }
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(options.runs):
        for name, command in commands.items():
            taken[name].append(measure(command))
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in taken.items()
    }
    figures = {
        "persons": options.persons,
        "rows": options.rows,
        "runs": options.runs,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "medians": medians,
        "wall_ratio": medians["fupin"]["wall_s"] / medians["floor"]["wall_s"],
        "cpu_ratio": medians["fupin"]["cpu_s"] / medians["floor"]["cpu_s"],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"link-{options.persons}-{options.rows}.json").write_text(
        json.dumps(figures, indent=2) + "\n", encoding="utf-8"
    )
    for name, values in medians.items():
        print(f"{name}: {values['wall_s']:.1f} s wall, {values['cpu_s']:.1f} s CPU, {values['peak_gib']:.2f} GiB peak")
    print(f"fupin / floor: {figures['wall_ratio']:.1f} × wall, {figures['cpu_ratio']:.1f} × CPU")


if __name__ == "__main__":
    main()
