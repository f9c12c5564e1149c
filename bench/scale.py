"""The whole of `fupin run`, from files to workbooks, at growing sizes: time, memory and how both grow, beside the floor.

    python bench/scale.py --persons 100000 300000 1000000 --max-memory 4GiB

A register with ten times as many rows of 户籍, one county for every 50,000 persons; all rules. The floor is the bare scan, exact
ID join and write of the same files. Both are whole processes, in turn; the medians of --runs are kept.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import statistics
import sys
from pathlib import Path

import polars as pl

from fupin_cli.synth import PRESETS, generate
from link_scale import DATA, FLOOR, KIND, RESULTS, measure

ROWS_EACH = 10  # extract rows for each person of the register
A_COUNTY = 50_000  # persons of the register
PROJECT = """[project]
name = "scale"
as_of = 2019-11-30
jurisdiction = "99"
[register]
files = ["register.parquet"]
[[extract]]
id = "{kind}"
profile = "{kind}"
stage = "county"
files = ["{kind}.parquet"]
coverage = {counties}
as_of = 2019-11-30
"""


def make_project(persons: int) -> Path:
    """The project of so many register persons, made once and kept."""
    folder = DATA / f"scale-{persons}"
    if not (folder / "fupin.toml").exists():
        rows, counties = persons * ROWS_EACH, max(1, persons // A_COUNTY)
        share = persons / rows
        generate(
            folder, seed=20191130, persons=rows, counties=counties, errors=PRESETS["easy"], registered_share=share, kinds=[KIND]
        )  # fmt: skip
        names = pl.read_parquet(folder / "register.parquet", columns=["county"])["county"].drop_nulls().unique().sort()
        text = PROJECT.format(kind=KIND, counties=json.dumps(names.to_list(), ensure_ascii=False))
        (folder / "fupin.toml").write_text(text, encoding="utf-8")
    return folder


def growth(sizes: list[int], values: list[float]) -> float:
    """The exponent with which the values grow: the slope of a line through their logarithms."""
    return statistics.linear_regression([math.log(n) for n in sizes], [math.log(v) for v in values]).slope


def run_size(persons: int, runs: int, max_memory: str | None) -> dict[str, dict[str, float]]:
    """Medians of the floor and of the run at one size."""
    folder = make_project(persons)
    target, out = folder / "run", folder / "floor.parquet"
    fupin = [str(Path(sys.executable).with_name("fupin")), "run", str(folder), "-o", str(target), "--quiet"]
    commands = {
        "floor": [sys.executable, "-c", FLOOR, str(folder / "register.parquet"), str(folder / f"{KIND}.parquet"), str(out)],
        "fupin": [*fupin, *(["--max-memory", max_memory] if max_memory else [])],
    }  # fmt: skip
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            shutil.rmtree(folder / ".fupin", ignore_errors=True)  # nothing is known from an earlier run
            taken[name].append(measure(command))
    return {name: {key: statistics.median(one[key] for one in all_) for key in all_[0]} for name, all_ in taken.items()}


def main() -> None:
    """Measures, prints, and keeps the figures beside what machine they were taken on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--max-memory")
    options = parser.parse_args()
    found = {}
    print("| persons | rows | wall s | CPU s | peak GiB | held GiB | CPU µs a row | run / floor, wall |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for persons in options.persons:
        found[persons] = figures = run_size(persons, options.runs, options.max_memory)
        run, rows = figures["fupin"], persons * ROWS_EACH
        print(
            f"| {persons:,} | {rows:,} | {run['wall_s']:.1f} | {run['cpu_s']:.1f} | {run['peak_gib']:.2f} | "
            f"{run['held_gib']:.2f} | {1e6 * run['cpu_s'] / rows:.1f} | {run['wall_s'] / figures['floor']['wall_s']:.1f} |",
            flush=True,
        )
    if len(found) > 1:
        sizes = list(found)
        for key, name in (
            ("wall_s", "wall time"),
            ("cpu_s", "CPU time"),
            ("peak_gib", "peak memory"),
            ("held_gib", "held memory"),
        ):
            print(f"{name} grows as persons to the power {growth(sizes, [found[n]['fupin'][key] for n in sizes]):.2f}")
    RESULTS.mkdir(exist_ok=True)
    told = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "max_memory": options.max_memory,
        "sizes": found,
    }
    (RESULTS / f"scale-{options.max_memory or 'all'}.json").write_text(
        json.dumps(told, indent=2) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
