"""The packs of one province over 0.1, 1 and 4 M persons and their evidence: seconds of judging, and whether they grow in step.

The people are drawn here column by column, since what is measured is judging, not reading and linking: every field of every
source profile is filled, every person has evidence of most kinds, one row in twenty hangs on a doubtful link. Each size is a
process of its own. Run: make bench-rules, or python bench/rules.py --sizes 100000 --only checks-register
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from fupin_cli.ingest import SourceProfile, load_profiles
from fupin_cli.judged import AT_ONCE, judge_in_parts
from fupin_cli.parked import mapped, on_disk
from fupin_cli.project import shipped_rules
from fupin_cli.rulebook import all_packs
from fupin_cli.rules import applies_to, inquire, load_lines
from fupin_cli.rules.pack import NATIONAL
from fupin_cli.vocabulary import EVIDENCE, EXTRACTS, HOUSEHOLDS, LINKS, PERSONS

AS_OF = date(2019, 11, 30)
PLACE = "610000"  # Shaanxi has packs of its own beyond the national ones
SIZES = (100_000, 1_000_000, 4_000_000)
RESULTS = Path(__file__).parent / "results"
DATA = Path(__file__).parent / "data"
HOUSEHOLD_SIZE = 3
COUNTY = 70_000 * HOUSEHOLD_SIZE  # persons
FRAMES = ("persons", "households", "links", "extracts")
HEADS_ONLY = ("household_survey", "household_documents", "process_events", "visits", "exit_sample")
SHARES = {
    "household_registration": 0.98,
    "medical_insurance": 0.97,
    "school_roll": 0.15,
    "dibao": 0.2,
    "disability": 0.06,
}
RARE = 0.02  # on any other list
FLAGS = {
    "dibao": "dibao",
    "tekun": "tekun",
    "resident_medical": "medical_insurance",
}  # what the register says of a list
ILL = (
    "wrongly", "missed", "problem", "uninsured", "dilapidated", "tekun", "dibao", "nominal", "cadre", "luxury",
    "hires", "fraud", "habits", "absent", "dropout", "explain", "abroad", "pension", "big_farm", "outside",
    "after_2014", "no_house", "jump", "drop", "disaster", "serious_illness", "home_teaching",
    "education_exempt", "conflict", "overseas", "military", "no_labour", "relocated", "secretary", "employee", "pays_tax",
    "unattended", "scarce", "risk_of",
)  # fmt: skip


USUAL = {
    "student_status": "非在校生", "education": "初中", "health": "健康", "exit_status": "已脱贫", "labour": "普通劳动力",
    "house_grade": "A", "dept_house_grade": "A", "cert_status": "有效", "hukou_status": "正常", "insured_status": "正常参保",
}  # fmt: skip
SELDOM = (
    "disability_type",
    "dropout_reason",
    "relocation",
    "risk_",
    "monitor",
    "cleared",
    "cause_",
    "post",
    "after_",
    "stop_",
)
RANGES = {
    "months": 12,
    "_mu": 9,
    "road_km": 4,
    "house_area": 110,
    "_pct": 100,
    "income_dibao": 0,
    "income_tekun": 0,
    "age_stated": 40,
    "pension": 0,
    "wage": 60_000,
}
AGES = [45, 43, 22]  # of head, spouse and child, about
TRANSFERS = ("family_planning", "dibao", "tekun", "pension", "ecology", "other_transfer")
INCOMES = ("wage", "business", "property", "transfer")


def draw(name: str, kind: str, labels: list[str], rows: int, random: np.random.Generator) -> pl.Series:
    """A column of this dtype: one value in fifty is blank, and few speak of anything that a check looks for."""
    blank = random.random(rows) < (0.98 if any(word in name for word in SELDOM) else 0.02)
    match kind:
        case "bool":
            values = pl.Series(random.random(rows) < (0.01 if any(word in name for word in ILL) else 0.99))
        case "date" | "month":
            values = pl.Series(random.integers(0, 2500, rows)).cast(pl.Int32)
            values = (pl.Series([AS_OF - timedelta(days=2500)]).cast(pl.Int32).item() + values).cast(pl.Date)
        case "year":
            values = pl.Series(random.integers(2014, 2020, rows) if name != "insured_year" else np.full(rows, 2019))
        case "integer":
            values = pl.Series(random.integers(0, 90, rows))
        case "number" | "money":
            most = next((most for word, most in RANGES.items() if word in name), 8000)
            values = pl.Series(np.round(random.random(rows) * most, 2))
        case _:
            words = pl.Series([USUAL[name], *labels] if name in USUAL else labels or ["甲", "乙", "丙"])
            values = words.gather(random.integers(0, words.len(), rows) * (random.random(rows) < 0.05))
    return values.set(pl.Series(blank), None)


def fields(profile: SourceProfile, rows: int, random: np.random.Generator, skip: set[str]) -> dict[str, pl.Series]:
    """Every field of a profile that says nothing of who is meant."""
    return {
        field.column: draw(field.column, field.type, [name for name, _ in field.values], rows, random)
        for field in profile.fields
        if field.column not in skip
    }


def world(persons: int) -> dict[str, object]:
    """persons, households, evidence, links and extracts of so many invented persons, drawn once and kept in bench/data/."""
    folder = DATA / f"rules-{persons}"
    if not (folder / "made").exists():
        for first in range(0, persons, COUNTY):
            made = county(first, min(COUNTY, persons - first))
            frames = {
                **{name: made[name] for name in FRAMES},
                **{f"evidence-{k}": f for k, f in made["evidence"].items()},
            }
            for name, frame in frames.items():
                (folder / name).mkdir(parents=True, exist_ok=True)
                frame.write_ipc(folder / name / f"{first:09}.arrow")
        (folder / "made").touch()
    read = {path.name: _mapped(path) for path in sorted(folder.iterdir()) if path.is_dir()}
    evidence = {name.removeprefix("evidence-"): frame for name, frame in read.items() if name.startswith("evidence-")}
    extracts = read["extracts"].unique(maintain_order=True)
    return {name: read[name] for name in FRAMES} | {"evidence": evidence, "extracts": extracts}


def _mapped(folder: Path) -> pl.DataFrame:
    """The frame that lies there county by county, mapped into memory: what is not looked at now takes none."""
    return pl.concat([mapped(path) for path in sorted(folder.glob("*.arrow"))], rechunk=False)


def county(first: int, persons: int) -> dict[str, Any]:
    """The same of one county, whose register rows begin at `first`."""
    random, profiles = np.random.default_rng(20191130 + first), load_profiles([shipped_rules() / "sources"])
    row = pl.Series(range(first, first + persons))
    home = row // HOUSEHOLD_SIZE
    who = pl.DataFrame(
        {
            "register_row": row,
            "household_id": pl.select(pl.format("H{}", home)).to_series(),
            "person_id": pl.select(pl.format("P{}", row)).to_series(),
            "name_key": pl.select(pl.format("人{}", row)).to_series(),
            "id_number": pl.select(pl.format("{}", 990_121_198_000_000_000 + row)).to_series(),
            "id_status": "valid",
            "county": f"县{first // COUNTY}",
            "village": pl.select(pl.format("村{}", home // 300)).to_series(),
            "source": "台账",
        }
    ).with_columns(county_key="county", village_key="village", township_key="county", name="name_key")
    day = pl.select(
        draw("", "date", [], persons, random)
        - pl.duration(days=365 * pl.lit(pl.Series(AGES).gather((row % HOUSEHOLD_SIZE).to_numpy())))
    ).to_series()
    born = {"birth_on": day, "id_birth_on": day, "age_stated": AS_OF.year - day.dt.year()}
    relation = pl.Series(["户主", "配偶", "之子"]).gather((row % HOUSEHOLD_SIZE).to_numpy())
    listed = {kind: pl.Series(random.random(persons) < SHARES.get(kind, RARE)) for kind in profiles}
    own = fields(profiles["register"], persons, random, {*PERSONS.names, *HOUSEHOLDS.names})
    own["split_link"] = pl.select(
        pl.format("拆{}", home // 2)
    ).to_series()  # households that were one lie in one county
    own |= {flag: listed[kind] ^ pl.Series(random.random(persons) < 0.005) for flag, kind in FLAGS.items()}
    people = who.with_columns(*(s.alias(n) for n, s in (own | born).items()), relation=relation, id_raw="id_number")
    people = people.with_columns(consistent())
    levels = {field.column: field.level for field in profiles["register"].fields}
    of_home = [name for name in own if levels[name] == "household"]
    homes = people.unique("household_id", keep="first", maintain_order=True).select(
        "household_id", "county", "source", *of_home
    )
    people = people.drop(of_home)
    evidence, links, extracts = {}, [], []
    for kind, profile in profiles.items():
        if kind in ("register", "people"):
            continue
        on = row.filter(row % HOUSEHOLD_SIZE == 0) if kind in HEADS_ONLY else row.filter(listed[kind])
        on = row.gather_every(HOUSEHOLD_SIZE * 300) if kind == "places" else on
        rows = fields(profile, on.len(), random, {*EVIDENCE.names})
        mine = who.select(
            "name",
            "name_key",
            "id_number",
            "household_id",
            "county",
            "county_key",
            "village",
            "village_key",
            "township_key",
        )
        evidence[kind] = mine[on.to_numpy() - first].with_columns(
            *(s.alias(n) for n, s in rows.items()), extract=pl.lit(kind), extract_row=on,
            kind=pl.lit(kind), source=pl.lit(kind),
        )  # fmt: skip
        evidence[kind] = EVIDENCE.conform(evidence[kind])
        if kind not in (*HEADS_ONLY, "places"):
            doubt = pl.Series(random.random(on.len()) < 0.05)
            links.append(
                pl.DataFrame({"extract": kind, "register_row": on, "extract_row": on, "match_weight": 20.0})
                .with_columns(
                    decision=pl.select(pl.when(doubt).then(pl.lit("review")).otherwise(pl.lit("accepted"))).to_series(),
                    basis=pl.select(pl.when(doubt).then(pl.lit("name_birth")).otherwise(pl.lit("exact_id"))).to_series(),
                )
            )  # fmt: skip
        extracts.append({"extract": kind, "kind": kind, "department": "部门", "stage": "county", "as_of": AS_OF})
    return {
        "persons": PERSONS.conform(people),
        "households": HOUSEHOLDS.conform(homes),
        "evidence": evidence,
        "links": LINKS.conform(pl.concat(links)),
        "extracts": EXTRACTS.conform(pl.DataFrame(extracts)),
    }


def consistent() -> list[pl.Expr]:
    """What a register that was filled in with care says: sums add up, and what belongs together agrees."""
    money = "income_{}_yuan".format
    transfer = pl.sum_horizontal(map(money, TRANSFERS), ignore_nulls=False)
    total = pl.sum_horizontal(map(money, INCOMES[:-1]), ignore_nulls=False) + transfer
    return [
        transfer.alias(money("transfer")),
        total.alias(money("total")),
        (total - pl.col("expense_business_yuan")).alias(money("net")),
        (pl.col("returned_mu") + pl.col("forest_mu")).alias("forest_mu"),
        pl.max_horizontal("exit_year", pl.col("first_identified_year") + 1).alias("exit_year"),
        pl.lit("缺技术").alias("cause_main"),
        pl.col("id_number").first().over("household_id").alias("head_id_number"),
    ]


def measure(persons: int, only: str | None, at_once: int, *, outcomes_too: bool) -> dict[str, float | int]:
    """What it costs to judge so many persons by the packs of one place, with `only` by one pack or by `all`.

    `at_once` of them at a time. The findings are written, with their keys; reasons of outcomes only with `outcomes_too`.
    """
    folder = shipped_rules()
    every = all_packs([folder], load_profiles([folder / "sources"]))
    packs = [pack for pack in every if applies_to(pack, PLACE) and not pack.opt_in]
    if only is not None:
        packs = [replace(pack, jurisdiction=NATIONAL) for pack in every if only in ("all", pack.id)]
    frames = world(persons)
    watched, held = _Watch(), _anonymous()
    started, busy = time.perf_counter(), time.process_time()
    asked = inquire(
        **frames, packs=packs, lines=load_lines([folder]), as_of=AS_OF, jurisdiction=PLACE, stages=("county", "province")
    )  # fmt: skip
    parts: list[int] = []
    with TemporaryDirectory(dir=DATA) as kept:
        judged = judge_in_parts(
            asked, Path(kept) / "parts", at_once, keep=outcomes_too, tell=lambda done, *_: parts.append(done),
            park=on_disk(Path(kept)),
        )  # fmt: skip
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - busy
        told = _rows(Path(kept) / "parts", "outcomes")
    return {
        "persons": persons,
        "at_once": at_once,
        "parts": len(parts),
        "outcome_rows": told,
        "rules": len(judged.reports),
        "evidence_rows": sum(frame.height for frame in frames["evidence"].values()),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "findings": judged.findings.height,
        "inputs_gib": round(held / 2**20, 1),
        "peak_gib": round(watched.stop() / 2**20, 1),
    }


def _rows(folder: Path, name: str) -> int:
    return sum(int(pl.scan_parquet(path).select(pl.len()).collect().item()) for path in folder.glob(f"{name}-*"))


class _Watch:
    """The most memory that the process took since it is watched, in kB, looked up ten times a second."""

    def __init__(self) -> None:
        self._most, self._done = 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._done.wait(0.1):
            self._most = max(self._most, _anonymous())

    def stop(self) -> int:
        self._done.set()
        self._thread.join()
        return self._most


def _anonymous() -> int:
    """The memory of this process now, without what it maps of files, in kB."""
    return int(Path("/proc/self/status").read_text(encoding="ascii").split("RssAnon:")[1].split()[0])


def main() -> None:
    """Measures each size in a process of its own, and prints how the cost of a person grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--only", help="one pack by its id, or all of them")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="persons judged at a time")
    parser.add_argument("--outcomes", action="store_true", help="write every outcome with its reason, too")
    parser.add_argument("--make", action="store_true", help="only draw the people of one size")
    parser.add_argument("--here", action="store_true", help="measure one size in this process")
    options = parser.parse_args()
    if options.make:
        world(options.sizes[0])
        return
    if options.here:
        print(json.dumps(measure(options.sizes[0], options.only, options.at_once, outcomes_too=options.outcomes)))
        return
    taken: list[dict[str, float]] = []
    for size in options.sizes:
        subprocess.run([sys.executable, __file__, "--make", "--sizes", str(size)], check=True)
        command = [sys.executable, __file__, "--here", "--sizes", str(size), "--at-once", str(options.at_once)]
        command += ["--only", options.only] if options.only else []
        command += ["--outcomes"] if options.outcomes else []
        taken.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        print(taken[-1], flush=True)
    for cost in ("seconds", "cpu_seconds"):
        first = taken[0][cost] / taken[0]["persons"]
        print(f"{cost} a person, beside the smallest size:", {
            one["persons"]: round(one[cost] / one["persons"] / first, 2) for one in taken
        })  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "rules.json").write_text(json.dumps(taken, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
