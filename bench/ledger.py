"""The ledger at the size of a province: python bench/ledger.py [--cases 500000] [--townships 1000].

Writes invented run directories, books two rounds (the second with a tenth new, a tenth gone, a twentieth changed), asks for
cases by place, and sends 200 cases to each of the townships. Prints seconds and peak memory; the folder is deleted at the end.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import polars as pl

from fupin_cli.rundir import write_manifest
from fupin_cli.vocabulary import EXTRACTS, FINDINGS, HOUSEHOLDS, OUTCOMES, PERSONS

RULES = ("CMP-VH1", "CMP-RE1", "CMP-IC1", "CMP-CZ1", "CMP-ED1")
FUPIN = Path(sys.executable).with_name("fupin")


def findings(first: int, count: int, townships: int, changed: int) -> pl.DataFrame:
    """`count` findings about persons numbered from `first`; the evidence of the first `changed` is another one."""
    n = pl.int_range(first, first + count, eager=True).alias("n")
    township = pl.col("n") % townships
    return FINDINGS.conform(
        pl.DataFrame({"n": n}).select(
            finding_key=pl.format("k{}", "n"),
            rule_id=(pl.col("n") % 5).replace_strict(dict(enumerate(RULES)), return_dtype=pl.String),
            severity=pl.lit("lead"),
            band=pl.lit("accepted"),
            stage=pl.lit("county"),
            household_id=pl.format("99{}", (pl.col("n") // 2).cast(pl.String).str.zfill(14)),
            person_id=pl.format("98{}", pl.col("n").cast(pl.String).str.zfill(14)),
            register_row=pl.col("n"),
            county=pl.format("{}县", township // 20),
            township=pl.format("{}镇", township),
            village=pl.format("{}村", pl.col("n") // townships % 10),
            name=pl.lit("赵甲"),
            head_name=pl.lit("赵乙"),
            id_number=pl.format("990000190001{}X", (pl.col("n") % 100_000).cast(pl.String).str.zfill(5)),
            relation=pl.lit("之子"),
            title=pl.lit("名下有机动车"),
            department=pl.lit("公安"),
            as_of=pl.lit(date(2019, 11, 30)),
            register_value=pl.lit("贫困户属性：一般贫困户；脱贫属性：未脱贫"),
            department_value=pl.format(
                "车辆类型：小型轿车；号牌号码：溟A{}{}",
                "n",
                pl.when(pl.col("n") < first + changed).then(pl.lit("B")).otherwise(pl.lit("")),
            ),
            evidence=pl.lit("公安数据：车辆。建议核实。"),
        )
    )


def run_directory(folder: Path, found: pl.DataFrame, everybody: pl.DataFrame, as_of: str) -> Path:
    """What a run would have left, as far as the ledger reads it; nobody of `everybody` without a finding has one."""
    folder.mkdir()
    found.write_parquet(folder / "findings.parquet")
    homes = everybody.unique("household_id", maintain_order=True)
    HOUSEHOLDS.conform(homes.select("household_id", "county", "township", "village")).write_parquet(
        folder / "households.parquet"
    )
    persons = PERSONS.conform(
        everybody.select("register_row", "household_id", "person_id", "county", "township", "village")
    )
    persons.write_parquet(folder / "persons.parquet")
    clear = everybody.select("household_id", "register_row", "rule_id", outcome=pl.lit("clear"))
    OUTCOMES.conform(clear.select("household_id", "rule_id", "outcome")).unique(maintain_order=True).write_parquet(
        folder / "outcomes.parquet"
    )
    clear.select("register_row", "rule_id", "outcome").write_parquet(folder / "person_outcomes.parquet")
    EXTRACTS.empty().write_parquet(folder / "extracts.parquet")
    rules = [{"rule_id": rule, "level": "person", "not_run": None} for rule in RULES]
    (folder / "digest.json").write_text(json.dumps({"project": "规模测试", "rules": rules}), encoding="utf-8")
    write_manifest(folder, {"stages": ["county"], "as_of": as_of, "judged_for": {"jurisdiction": "99"}})
    return folder


def timed(what: str, *words: str) -> None:
    """Runs a command and prints how long it took."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([FUPIN, "cases", *words], capture_output=True, encoding="utf-8", check=False)
    spent = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss / (1 << 20)
    told = done.stdout.strip()[:100] or done.stderr.strip()[:300]
    print(f"{what:<48}{spent:8.1f} s   CPU {cpu:6.1f} s   peak so far {peak:.2f} GiB   {told}", flush=True)


def main() -> None:
    """Measures, and cleans up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=500_000)
    parser.add_argument("--townships", type=int, default=1_000)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        n, tenth = asked.cases, asked.cases // 10
        everybody = findings(0, n + tenth, asked.townships, 0)
        first = run_directory(folder / "r1", everybody.head(n), everybody, "2019-11-30")
        second = run_directory(folder / "r2", findings(tenth, n, asked.townships, tenth // 2), everybody, "2019-12-31")
        small = findings(0, 200 * asked.townships, asked.townships, 0)
        third = run_directory(folder / "r3", small, small, "2019-11-30")
        big, sent = ("--ledger", str(folder / "big")), ("--ledger", str(folder / "sent"))
        timed(f"round 1: {n:,} new", "round", str(first), *big, "--json")
        timed("round 2: a tenth new, a tenth gone, 5 % changed", "round", str(second), *big, "--json")
        timed("list: one village", "list", *big, "--county", "3县", "--township", "67镇", "--village", "4村", "--json")
        timed("list: a rule, first 50", "list", *big, "--rule", "CMP-VH1", "--limit", "50", "--json")
        for words in (
            ("--rule", "CMP-VH1"), ("--severity", "lead"), ("--state", "open"), ("--state", "cleared"), ("--county", "3县"),
            ("--township", "67镇"), ("--village", "4村"), ("--household", "9900000000000007"),
            ("--batch", "1"), ("--overdue",), (),
        ):  # fmt: skip
            timed(f"list {' '.join(words)}", "list", *big, *words)
        timed("list: a county, all of it as JSON", "list", *big, "--county", "3县", "--json")
        timed("warn", "warn", *big, "--json")
        timed("stats", "stats", *big, "--json")
        timed("round of 200 a township", "round", str(third), *sent, "--json")
        timed(f"dispatch: {asked.townships:,} workbooks of 200", "dispatch", "--due", "2030-01-01", *sent, "--json")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
