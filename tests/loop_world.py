"""An invented register over months, as run directories, and the clerks of its villages, who answer real workbooks."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl
from openpyxl import load_workbook

from fupin_cli.rundir import write_manifest
from fupin_cli.vocabulary import EXTRACTS, FINDINGS, HOUSEHOLDS, OUTCOMES, PERSONS

RULES = {"CMP-VH1": "名下有机动车", "CMP-RE1": "名下有商品房", "CMP-ED1": "适龄儿童少年无学籍"}
PLACES = (
    ("青禾县", "河口镇", "上坪村"),
    ("青禾县", "河口镇", "下坪村"),
    ("青禾县", "云台乡", "松岭村"),
    ("白石县", "白石镇", "东沟村"),
)
COUNTY_RULES = {"CMP-ST1": "录入前未经县级比对"}  # the county's office answers these
HEADER = 5  # the row of a village's sheet in which the headers stand
_TYPES = {"register_row": pl.Int64}


@dataclass
class World:
    """People, and what the departments say of each by rule: an evidence number, None for clear, "?" for cannot tell."""

    people: int = 40
    said: dict[tuple[int, str], int | str | None] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    rules: dict[str, str] = field(default_factory=lambda: dict(RULES))
    severity: str = "lead"

    def turn(self, rnd: random.Random, share: float = 0.3) -> None:
        """A month passes: some findings appear, some change, some vanish, some cannot be told."""
        for person in range(self.people):
            for rule in RULES:
                if rnd.random() < share:
                    self.said[person, rule] = rnd.choice([None, None, "?", 1, 1, 2, 3])
        if rnd.random() < 0.3:
            self.gone.add(rnd.randrange(self.people))

    def run(self, folder: Path, as_of: date, *, shuffle: int = 0, stages: tuple[str, ...] = ("county",)) -> Path:
        """The run directory of this month; another `shuffle` is another row order."""
        folder.mkdir(parents=True)
        here = [person for person in range(self.people) if person not in self.gone]
        random.Random(shuffle).shuffle(here)
        people = [{**_person(person), "register_row": row} for row, person in enumerate(here)]
        findings, outcomes = [], []
        for row, person in enumerate(here):
            for rule, title in self.rules.items():
                said = self.said.get((person, rule))
                state = "unknown" if said == "?" else "clear" if said is None else "hit"
                outcomes.append(
                    {
                        "register_row": row,
                        "household_id": people[row]["household_id"],
                        "rule_id": rule,
                        "outcome": state,
                    }
                )
                if state == "hit":
                    found = _finding(rule, title, said, as_of, stages[-1])
                    key = f"{found['finding_key']}{person:05x}"
                    findings.append({**people[row], **found, "severity": self.severity, "finding_key": key})
        _write(folder, people, findings, outcomes, as_of, stages, self.rules)
        return folder


def _person(number: int) -> dict[str, object]:
    county, township, village = PLACES[number % len(PLACES)]
    household = number // len(PLACES) // 2 * len(PLACES) + number % len(PLACES)
    return {
        "household_id": f"9901{household:012d}", "person_id": f"9902{number:012d}", "county": county, "township": township,
        "village": village, "name": f"赵{'甲乙丙丁戊己庚辛'[number % 8]}{'一二三四五六七'[number % 7]}", "head_name": "赵户主",
        "id_number": f"99012119{60 + number % 40:02d}0101{number:03d}X", "relation": "之子", "source": "台账.xlsx", "sheet": "S", "row": number + 2,
    }  # fmt: skip


def _finding(rule: str, title: str, said: object, as_of: date, stage: str) -> dict[str, object]:
    return {
        "finding_key": f"{int.from_bytes(f'{rule}{said}'.encode()) % 16**11:011x}", "rule_id": rule, "severity": "lead", "band": "accepted", "stage": stage, "title": title,
        "department": "公安", "as_of": as_of, "register_value": "登记：无", "department_value": f"记录号：{said}",
        "evidence": "公安数据中有记录，建议核实。", "citation": "示例", "basis": "exact_id",
    }  # fmt: skip


def _write(folder, people, findings, outcomes, as_of, stages, asked) -> None:
    frame = pl.DataFrame(people, infer_schema_length=None)
    found = pl.DataFrame(findings, infer_schema_length=None) if findings else FINDINGS.empty()
    FINDINGS.conform(found).write_parquet(folder / "findings.parquet")
    PERSONS.conform(frame).write_parquet(folder / "persons.parquet")
    HOUSEHOLDS.conform(frame.unique("household_id", maintain_order=True)).write_parquet(folder / "households.parquet")
    each = pl.DataFrame(outcomes, infer_schema_length=None)
    worst = pl.col("outcome").replace_strict({"hit": 2, "unknown": 1, "clear": 0}).max()
    house = each.group_by("household_id", "rule_id").agg(worst).with_columns(
        pl.col("outcome").replace_strict({2: "hit", 1: "unknown", 0: "clear"}, return_dtype=pl.String)
    )  # fmt: skip
    OUTCOMES.conform(house).write_parquet(folder / "outcomes.parquet")
    each.select("register_row", "rule_id", "outcome").write_parquet(folder / "person_outcomes.parquet")
    EXTRACTS.empty().write_parquet(folder / "extracts.parquet")
    rules = [
        {
            "rule_id": rule,
            "level": "person",
            "not_run": None,
            "receiver": "county" if rule in COUNTY_RULES else "village",
        }
        for rule in asked
    ]
    (folder / "digest.json").write_text(json.dumps({"project": "南溟省比对", "rules": rules}), encoding="utf-8")
    write_manifest(folder, {"stages": list(stages), "as_of": as_of.isoformat(), "judged_for": {"jurisdiction": "99"}})


# --- the clerks -------------------------------------------------------------------------------------------------------


def village_sheets(book):
    """The sheets with cases, each with header → column."""
    for sheet in book:
        heads = {cell.value: cell.column for cell in sheet[HEADER] if cell.value}
        if "核查件编号" in heads:
            yield sheet, heads


def case_rows(sheet, heads) -> dict[str, int]:
    """Case number → row."""
    rows = range(HEADER + 1, sheet.max_row + 1)
    return {
        sheet.cell(row, heads["核查件编号"]).value: row for row in rows if sheet.cell(row, heads["核查件编号"]).value
    }


def answer(path: Path, target: Path, say, *, sign="2020-01-05", action: str | None = None) -> dict[str, str]:
    """Fills a workbook in as a clerk does; `say(case)` gives the verdict, None for a row left blank. case → verdict.

    `sign` is the day under every signature, as it is typed; False for none at all. Without `action` what is so is corrected, and
    what is not is kept.
    """
    book, said = load_workbook(path), {}
    for sheet, heads in village_sheets(book):
        for case, row in case_rows(sheet, heads).items():
            if (verdict := say(case)) is None:
                continue
            said[case] = verdict
            for header, text in (
                ("是否属实", verdict),
                ("情况说明", "录入错误"),
                ("处理意见", action or ("保留(附佐证)" if verdict == "不属实" else "已修改")),
                ("佐证材料", "证明"),
                ("核查人", "李某"),
            ):
                sheet.cell(row, heads[header]).value = text
    if sign is not False:
        sheet = book["签字登记"]
        for row in range(4, sheet.max_row + 1):
            sheet.cell(row, 4).value, sheet.cell(row, 5).value = f"{sheet.cell(row, 3).value}甲", sign
    target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)
    return said


def sort_rows(path: Path, rnd: random.Random) -> None:
    """Whole rows in another order, as sorting does it."""
    book = load_workbook(path)
    for sheet, heads in village_sheets(book):
        rows = list(case_rows(sheet, heads).values())
        values = [[cell.value for cell in sheet[row]] for row in rows]
        rnd.shuffle(values)
        for row, line in zip(rows, values, strict=True):
            for cell, value in zip(sheet[row], line, strict=True):
                if type(cell).__name__ == "Cell":
                    cell.value = value
    book.save(path)


OFFICE = shutil.which("soffice")  # LibreOffice, where the machine has it


def resave(path: Path, suffix: str, folder: Path) -> Path:
    """The workbook as LibreOffice saves it."""
    folder.mkdir(exist_ok=True)
    subprocess.run(
        [OFFICE, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", suffix, "--outdir", folder, path],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return folder / path.with_suffix(f".{suffix}").name
