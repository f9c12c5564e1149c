"""How fast files are read, beside the bare libraries on the same data: python bench/read_scale.py [xlsx] [csv].

xlsx: 1 M rows × 15 columns. The bare library is python-calamine, its rows made into a Polars frame of text; fupin reads the same
file as a source: guards, accounts, typed columns. csv: 2 GB of GB18030. Polars scans the same table in UTF-8 into Parquet;
fupin reads the GB18030 file into Parquet, once as cells (the reader alone: decoding, rows, cells) and once as a source
(typed, accounted, hashed and stored). Each measurement runs in a process of its own, in turn with its baseline.
"""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import python_calamine as calamine
import xlsxwriter

from fupin_cli.ingest import Store, load_profiles
from fupin_cli.ingest.accounts import source_parts
from fupin_cli.ingest.delimited import read_delimited
from fupin_cli.ingest.grid import ahead
from fupin_cli.ingest.received import Received
from fupin_cli.normalise.id_number import check_character

ROOT = Path(__file__).parents[1]
DATA = ROOT / "bench" / "data"
XLSX_ROWS, CSV_ROWS, RUNS = 1_000_000, 12_000_000, 3
HEADERS = [
    "序号",
    "户编号",
    "姓名",
    "证件号码",
    "性别",
    "出生日期",
    "县",
    "乡镇",
    "行政村",
    "家庭住址",
    "联系电话",
    "银行账号",
    "是否享受低保",
    "人均纯收入（元）",
    "备注",
]


# --- data ----------------------------------------------------------------------------------------------------------------


def people(rows: int, seed: int) -> pl.DataFrame:
    """Invented people as text columns: region 9901, valid check characters."""
    random = np.random.default_rng(seed)

    def draw(low: int, high: int) -> pl.Series:
        return pl.Series(random.integers(low, high, rows))

    surnames, given = list("赵钱孙李周吴郑王冯陈"), list("伟芳秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂")
    parts = [pl.Series(part).gather(draw(0, len(part))) for part in (surnames, given, given)]
    frame = pl.DataFrame(
        {
            "n": pl.int_range(rows, eager=True),
            "name": parts[0] + parts[1] + parts[2],
            "day": draw(0, 32_000),
            "order": draw(0, 1000),
            "place": draw(1, 21),
            "house": draw(1, 300),
            "phone": draw(13_000_000_000, 20_000_000_000),
            "bank": draw(10**14, 10**15),
            "income": draw(100_000, 2_000_000),
        }
    ).with_columns(born=pl.date(1930, 1, 1) + pl.duration(days="day"))
    code = pl.lit(990121) * 10**11 + pl.col("born").dt.to_string("%Y%m%d").cast(pl.Int64) * 1000 + pl.col("order")
    town, village = pl.format("平川{}镇", "place"), pl.format("柳树{}村", pl.col("house") % 20 + 1)
    return frame.with_columns(code=code).select(
        (pl.col("n") + 1).cast(pl.String).alias(HEADERS[0]),
        pl.format("9901210010{}", (pl.col("n") // 3).cast(pl.String).str.zfill(8)).alias(HEADERS[1]),
        pl.col("name").alias(HEADERS[2]),
        pl.concat_str(pl.col("code").cast(pl.String), check_character(pl.col("code"))).alias(HEADERS[3]),
        pl.when(pl.col("code") % 2 == 1).then(pl.lit("男")).otherwise(pl.lit("女")).alias(HEADERS[4]),
        pl.col("born").dt.to_string("%Y-%m-%d").alias(HEADERS[5]),
        pl.lit("青禾县").alias(HEADERS[6]),
        town.alias(HEADERS[7]),
        village.alias(HEADERS[8]),
        pl.format("南溟省青禾县{}{}{}组{}号", town, village, pl.col("house") % 30 + 1, "house").alias(HEADERS[9]),
        pl.col("phone").cast(pl.String).alias(HEADERS[10]),
        pl.format("6217{}", "bank").alias(HEADERS[11]),
        pl.when(pl.col("house") % 2 == 0).then(pl.lit("是")).otherwise(pl.lit("否")).alias(HEADERS[12]),
        (pl.col("income") / 100).cast(pl.String).alias(HEADERS[13]),
        pl.lit("").alias(HEADERS[14]),
    )


def make_xlsx(path: Path) -> None:
    """The workbook; income is a number, everything else text."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as workbook:
        sheet = workbook.add_worksheet("名单")
        sheet.write_row(0, 0, HEADERS)
        for r, row in enumerate(people(XLSX_ROWS, 1).rows(), 1):
            for c, cell in enumerate(row):
                sheet.write_number(r, c, float(cell)) if c == 13 else sheet.write_string(r, c, cell)


def make_csv(gb: Path, utf8: Path) -> None:
    """The same rows in GB18030 and in UTF-8."""
    with gb.open("w", encoding="gb18030", newline="") as one, utf8.open("w", encoding="utf-8", newline="") as two:
        for part in range(CSV_ROWS // XLSX_ROWS):
            text = people(XLSX_ROWS, 100 * part).write_csv(include_header=part == 0, quote_style="never")
            one.write(text)
            two.write(text)


# --- what is measured ------------------------------------------------------------------------------------------------------


def bare_calamine(path: Path) -> int:
    """python-calamine alone: every cell as text in a Polars frame."""
    with calamine.CalamineWorkbook.from_path(path) as workbook:
        rows = workbook.get_sheet_by_index(0).to_python()
    columns = zip(*rows, strict=True)
    frame = pl.DataFrame(
        {
            f"c{n}": pl.Series([c if c.__class__ is str else str(c) for c in column], dtype=pl.String)
            for n, column in enumerate(columns)
        }
    )
    return frame.height


def source_of(path: Path, store: Path | None = None) -> int:
    """fupin: the file as a source, rows used."""
    profile = load_profiles([ROOT / "rules" / "sources"])["register"]
    parts = source_parts([(path.name, path)], profile, store=Store(store))
    return sum(part.report.rows_used for part in parts)


def cells_of(path: Path, target: Path) -> int:
    """Fupin's reader alone: the cells of a delimited file into Parquet, batch by batch."""
    rows = 0
    with ThreadPoolExecutor(1) as pool:
        written = None
        for n, cells in enumerate(ahead(read_delimited(Received(path.name, path))[0].batches())):
            rows += cells.height
            if written:
                written.result()
            written = pool.submit(cells.write_parquet, target / f"{n:05}.parquet", compression="lz4", statistics=False)
    return rows


def scan_of(path: Path, target: Path) -> int:
    """Polars alone: the UTF-8 file into Parquet, every column as text."""
    pl.scan_csv(path, infer_schema=False).sink_parquet(target / "all.parquet", compression="lz4", statistics=False)
    return CSV_ROWS


MEASURED: dict[str, Callable[[], int]] = {
    "bare calamine": lambda: bare_calamine(DATA / "read.xlsx"),
    "fupin xlsx": lambda: source_of(DATA / "read.xlsx"),
    "polars utf-8": lambda: scan_of(DATA / "read.utf8.csv", fresh()),
    "fupin cells": lambda: cells_of(DATA / "read.gb18030.csv", fresh()),
    "fupin source": lambda: source_of(DATA / "read.gb18030.csv", fresh()),
}


def fresh() -> Path:
    """An empty folder for outputs."""
    folder = DATA / "out"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def measure(name: str) -> dict[str, float]:
    """Seconds and the peak memory (of the largest process) of one measurement in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--only", name], capture_output=True, check=True, text=True)
    return json.loads(done.stdout)


def compare(baseline: str, *others: str) -> None:
    """Prints medians of several runs in turn, and ratios to the baseline of the same turn."""
    runs = {name: [] for name in (baseline, *others)}
    for _ in range(RUNS):
        for name, seen in runs.items():
            seen.append(measure(name))
    for name, seen in runs.items():
        ratios = [one["seconds"] / base["seconds"] for one, base in zip(seen, runs[baseline], strict=True)]
        print(
            f"{name:16} {statistics.median(r['seconds'] for r in seen):7.1f} s  "
            f"{max(r['memory'] for r in seen):5.2f} GiB  ratio {statistics.median(ratios):.2f}"
        )


def main() -> None:
    """Makes the data that are missing, and measures what was asked for."""
    if sys.argv[1:2] == ["--only"]:
        start = time.perf_counter()
        MEASURED[sys.argv[2]]()
        seconds = time.perf_counter() - start
        peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        print(json.dumps({"seconds": seconds, "memory": peak / (1 << 20)}))
        return
    wanted = sys.argv[1:] or ["xlsx", "csv"]
    DATA.mkdir(parents=True, exist_ok=True)
    if "xlsx" in wanted:
        if not (DATA / "read.xlsx").exists():
            make_xlsx(DATA / "read.xlsx")
        compare("bare calamine", "fupin xlsx")
    if "csv" in wanted:
        if not (DATA / "read.gb18030.csv").exists():
            make_csv(DATA / "read.gb18030.csv", DATA / "read.utf8.csv")
        print(f"{(DATA / 'read.gb18030.csv').stat().st_size / 1e9:.2f} GB of GB18030")
        compare("polars utf-8", "fupin cells", "fupin source")
    shutil.rmtree(DATA / "out", ignore_errors=True)


if __name__ == "__main__":
    main()
