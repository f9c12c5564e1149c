"""`fupin explain` asked by what people hold: a row of the sheet, a number from a workbook, a name that it printed itself."""

import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from conftest import ROOT, fupin
from fupin_cli.cases import open_ledger
from fupin_cli.cases.identity import identify
from fupin_cli.casework import read_run
from fupin_cli.cli.explain_run import Run, locator, people_in_row
from fupin_cli.cli.rule_trace import folder_of
from fupin_cli.errors import InputMissingError, UsageError
from fupin_cli.manifest import read_manifest
from fupin_cli.rundir import write_manifest


def in_sheets(*rows: tuple[str, str | None, int]) -> Run:
    """A run whose register has one person in each (file, sheet, row)."""
    persons = pl.DataFrame(rows, schema={"source": pl.String, "sheet": pl.String, "row": pl.Int64}, orient="row")
    none = pl.DataFrame()
    return Run(Path("run"), persons.with_row_index("register_row"), none, none, none, none, none, none)


def rows_of(run: Run, target: str) -> list[int]:
    return people_in_row(run, target)["register_row"].to_list()


def test_a_row_is_the_row_of_the_sheet():
    """Not the program's own count of rows; everybody who stands in a row of that number, or of the sheet that is named."""
    run = in_sheets(("a县.xlsx", "河口镇", 3), ("a县.xlsx", "河口镇", 4), ("b县.xlsx", "云台乡", 3), ("c.csv", None, 9))
    assert rows_of(run, "row:3") == [0, 2]
    assert rows_of(run, "row:3@云台") == [2]
    assert rows_of(run, "row:3@a县") == [0]
    assert rows_of(run, "row:4") == [1]
    assert rows_of(run, "row:9@c.csv") == [3]
    for nobody in ("row:0", "row:2", "row:3@白石", "row:x"):
        with pytest.raises(UsageError):
            people_in_row(run, nobody)


def test_too_many_rows_are_offered_by_their_sheets():
    """More sheets than anybody reads at once: one name of each, which leads to it alone."""
    run = in_sheets(*((f"{n}镇 台账.xlsx", "Sheet1", 3) for n in range(8)))
    with pytest.raises(UsageError, match="row 3 stands in 8 sheets") as caught:
        people_in_row(run, "row:3")
    offered = re.findall(r"row:3@\S+", caught.value.try_)
    assert [rows_of(run, name) for name in offered] == [[n] for n in range(8)]


@pytest.mark.parametrize(
    "sheets",
    [
        [("a.xlsx", "S")],
        [("a.xlsx", "S"), ("b.xlsx", "S")],
        [("a.xlsx", "S"), ("a.xlsx", "S1"), ("a.xlsx", "S11")],
        [("a.xlsx", "b"), ("b.xlsx", "a"), ("b.xlsx", None)],
        [("x/台账.csv", None), ("y/台账.csv", None), ("y/台账.csv.xlsx", "x")],
    ],
)
def test_a_locator_leads_to_its_row_alone(sheets):
    """Whatever files and sheets are called: one that is part of another's name, the same in two folders, none at all."""
    run = in_sheets(*((source, sheet, 3) for source, sheet in sheets))
    for at, (source, sheet) in enumerate(sheets):
        assert rows_of(run, locator(run, source, sheet, 3)) == [at]


def test_a_person_is_named_as_the_register_has_them(demo):
    """The row that stands beside a finding in the workbooks leads to its person, and their links to themselves."""
    persons = pl.read_parquet(demo / "persons.parquet")
    linked = pl.read_parquet(demo / "links.parquet").filter(pl.col("extract") != "register")["register_row"]
    one = persons.filter(pl.col("register_row") != pl.col("row"), pl.col("register_row").is_in(linked.implode())).row(
        0, named=True
    )
    at = locator(Run(demo, persons, *[pl.DataFrame()] * 6), one["source"], one["sheet"], one["row"])
    told = fupin("explain", at, "--run", demo).stdout
    assert told.startswith(f"person {at}  ")
    assert f"register: {one['source']}, {one['sheet']}, row {one['row']};" in told
    link = re.search(r"link:\S+", told)[0]
    alone = fupin("explain", link, "--run", demo).stdout.splitlines()
    assert alone[0] == told.splitlines()[0]
    assert link in alone[1]
    assert set(alone) <= set(told.splitlines())


def test_a_finding_says_whom_it_is_about_and_what_to_type_next(demo):
    """By a row of the register, as nobody's number may be shown; who is in no register has none."""
    findings = pl.read_parquet(demo / "findings.parquet")
    for rule in ("CMP-PS1", "CMP-EX1"):
        row = findings.filter(pl.col("rule_id") == rule).row(0, named=True)
        lines = fupin("explain", row["finding_key"], "--run", demo).stdout.splitlines()
        assert row["household_id"] not in "".join(lines)
        assert "household 990" in lines[1]
        step = lines[-1].removeprefix("next: fupin ").split()
        assert step[1] in lines[1]
        told = fupin(*step).stdout
        assert f"row {row['register_at']};" in told
        assert row["finding_key"] in told
    shown = fupin("explain", row["finding_key"], "--run", demo, "--unmask").stdout
    assert f"next: fupin explain {row['household_id']} " in shown
    nobody = findings.filter(pl.col("register_at").is_null()).row(0, named=True)
    assert "next:" not in fupin("explain", nobody["finding_key"], "--run", demo).stdout


@pytest.fixture
def booked(demo, tmp_path):
    """A copy of the run beside the ledger that booked it, and one of its cases with the key of its finding."""
    run = shutil.copytree(demo, tmp_path / "run")
    done = fupin("cases", "round", run, "--ledger", tmp_path / "cases", "--on", "2019-12-01")
    assert done.returncode == 0, done.stderr
    frames, _ = read_run(run)
    with open_ledger(tmp_path / "cases") as ledger:
        case = identify(frames.findings, frames.levels, ledger.key).row(7, named=True)
    return run, case["case_id"], case["finding_key"]


def test_a_case_is_explained_as_its_finding(booked, tmp_path):
    """By the number of a workbook that was sent out, with the ledger named or found beside the run, and however it is typed."""
    run, case, key = booked
    told = fupin("explain", case, "--run", run)
    assert told.returncode == 0, told.stderr
    assert re.match(rf"case {case}  new\n(?:finding|note) {key}  ", told.stdout)
    assert told.stdout.split("\n", 1)[1] == fupin("explain", key, "--run", run).stdout
    for words in ((case.lower(), "--ledger", tmp_path / "cases"), (f"{case[:9]} {case[9:]}",)):
        assert fupin("explain", *words, "--run", run).stdout == told.stdout


def test_a_case_that_cannot_be_explained_leads_to_the_ledger(booked, tmp_path):
    """Cleared since, or of another ledger: the error says which, and how the ledger is asked."""
    run, case, key = booked
    findings = pl.read_parquet(run / "findings.parquet")
    findings.filter(pl.col("finding_key") != key).write_parquet(run / "findings.parquet")
    write_manifest(run, read_manifest(run))  # another run, and not one that was changed afterwards
    gone = fupin("explain", case, "--run", run)
    assert gone.returncode == 2
    assert f"fupin cases show {case} --ledger {tmp_path / 'cases'}" in gone.stderr
    other = fupin("explain", "C0000000000000000", "--run", run)
    assert other.returncode == 66
    assert "fupin cases show C0000000000000000 --ledger DIR" in other.stderr
    assert fupin("explain", case, "--run", run, "--ledger", tmp_path / "none").returncode == 66


def test_the_run_that_is_meant(tmp_path, monkeypatch):
    """A drawn table: the one that is named, else the newest under runs, else the tutorial's demo, else what to type."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputMissingError, match="no run found under ./runs or ./demo"):
        folder_of(None)
    for name in ("demo", "runs/2019-10", "runs/2019-11"):
        Path(name).mkdir(parents=True)
        (Path(name) / "manifest.json").write_text("{}", encoding="utf-8")
        assert folder_of(None) == Path(name)
    assert folder_of(Path("demo")) == Path("demo")


def test_examples_name_households_of_the_sample(demo):
    """What the help shows can be typed after the tutorial."""
    shown = set(re.findall(r"explain (99\d+)", (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")))
    assert shown
    assert shown <= set(pl.read_parquet(demo / "households.parquet")["household_id"])
