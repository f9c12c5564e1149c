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
A_WORLD = 1_000_000  # persons of the register that are invented; beyond it they are put into further regions
# beginnings of numbers that are nobody's, and whose weighted sum modulo 11 is that of 9901
ELSEWHERE = ("9901", "9928", "9936", "9944", "9952", "9960", "9979", "9987", "9995", "4801")
NUMBERS = ("id_number", "household_id", "person_id", "hukou_no")
SIGNS = "甲乙丙丁戊己庚辛壬癸"
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
    """The project of so many register persons, made once and kept; of millions, several worlds of a million side by side."""
    folder = DATA / f"scale-{persons}"
    if not (folder / "fupin.toml").exists():
        if persons > A_WORLD:
            put_side_by_side(make_project(A_WORLD), folder, persons // A_WORLD)
        else:
            invent(folder, persons)
        names = pl.read_parquet(folder / "register.parquet", columns=["county"])["county"].drop_nulls().unique().sort()
        text = PROJECT.format(kind=KIND, counties=json.dumps(names.to_list(), ensure_ascii=False))
        (folder / "fupin.toml").write_text(text, encoding="utf-8")
    return folder


def invent(folder: Path, persons: int) -> None:
    """A world of so many register persons and ten times as many rows."""
    rows, counties = persons * ROWS_EACH, max(1, persons // A_COUNTY)
    generate(
        folder,
        seed=20191130,
        persons=rows,
        counties=counties,
        errors=PRESETS["easy"],
        registered_share=persons / rows,
        kinds=[KIND],
    )


def put_side_by_side(world: Path, folder: Path, copies: int) -> None:
    """The same people so many times, in counties of other names, and with numbers that begin otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    counties = pl.read_parquet(world / "register.parquet", columns=["county"])["county"].drop_nulls().unique().to_list()
    for file in ("register.parquet", f"{KIND}.parquet"):
        people = pl.scan_parquet(world / file)
        moved = [moved_to(people, code, sign, counties) for code, sign in zip(ELSEWHERE[:copies], SIGNS, strict=False)]
        pl.concat(moved).sink_parquet(folder / file)


def moved_to(people: pl.LazyFrame, code: str, sign: str, counties: list[str]) -> pl.LazyFrame:
    """The people elsewhere; check characters that were right are, and those that were wrong are not."""
    columns = people.collect_schema()
    places = pl.col([name for name in ("county", "address") if name in columns])
    return people.with_columns(
        pl.col([name for name in columns if name in NUMBERS]).str.replace("^9901", code),
        places.str.replace_many(counties, [sign + county for county in counties]),
    )


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
