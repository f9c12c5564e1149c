"""The end-of-run summary: counts on a narrow or wide terminal, never a person, never markup from a file."""

import io
from dataclasses import replace

import polars as pl
import pytest
from rich.console import Console

from fupin_cli.report.digest import Digest, Problem
from fupin_cli.report.terminal import summary
from report_world import World, id_number, make_world


@pytest.fixture(scope="module")
def world() -> World:
    """One invented run."""
    return make_world()


def _shown(digest: Digest, width: int = 140) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(summary(digest, where="runs/2019-11-30"))
    return stream.getvalue()


def test_what_it_says(world: World):
    """Rows, links, findings by band, verdicts, what was not run, and where to look."""
    digest = world.digest()
    text = _shown(digest)
    for word in (
        "读入对账",
        "证件号码一致",
        "名下有车辆",
        "待核 review",
        "无法判断",
        "没有工商数据",
        "runs/2019-11-30",
    ):
        assert word in text
    assert f"{digest.rows_read:,}" in text
    assert "疑点是线索，不是结论" in text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_person_on_the_terminal(world: World, width: int):
    """No name, ID or household number is shown at any width."""
    text = _shown(world.digest(), width).replace("\n", "")
    personal = (
        set(world.persons["name"]) | set(world.persons["id_number"].drop_nulls()) | set(world.persons["household_id"])
    )
    assert not [value for value in personal if value in text]


def test_file_names_are_not_markup_and_are_masked(world: World):
    """A file called [red]… is shown as it is, and an ID number in a label is masked."""
    nasty = Problem("unreadable", "[red]x[/red].xlsx", None, f"列 {id_number(3)}")
    text = _shown(replace(world.digest(), problems=(nasty,)), 200)
    assert "[red]x[/red].xlsx" in text
    assert id_number(3) not in text


def test_every_sheet_is_accounted_for(world: World):
    """Each file and sheet has its line: read, used, set aside and why, footer, hidden rows/columns, and whether it balances."""
    told = _shown(world.digest(), 200)
    lines = {line.split()[1]: line.split() for line in told.splitlines() if line.strip().startswith("qinghe/")}
    assert lines["旧台账"][2:6] == ["4", "0", "4", "0"]
    assert lines["旧台账"][-2:] == ["4/0", "相符"]
    assert lines["Sheet1"][2:6] == ["64", "60", "4", "1"]
    assert lines["车辆"][-2:] == ["0/2", "相符"]
    assert f"退回更正 to be mended by whoever sent them: {world.digest().rows_returned} 行" in told


def test_an_account_that_does_not_balance_is_named(world: World):
    """Of ninety sheets not all are shown; the one that does not add up is, and it is called by its name above."""
    digest = world.digest()
    off = replace(digest.accounts[-1], rows_used=digest.accounts[-1].rows_used - 1)
    many = tuple(replace(digest.accounts[0], source=f"f{n:03d}.xlsx") for n in range(90))
    text = _shown(replace(digest, accounts=(*many, off)))
    assert f"DOES NOT BALANCE: {off.source}" in text
    assert "不符 NO" in text
    assert "f001.xlsx" in text
    assert "f080.xlsx" not in text


def test_a_county_run_has_no_province_line(world: World):
    """Without a province stage nothing is said of what the county missed."""
    assert "仅省级" in _shown(world.digest())
    assert "仅省级" not in _shown(replace(world.digest(), stages=("county",)))


def test_problems_are_counted_in_cells(world: World):
    """kind: cells or columns, and over how many sheets; the details are the page's."""
    problems = (
        Problem("lost_digits", "a.xlsx", "1", "id_number: 80"),
        Problem("lost_digits", "a.xlsx", "2", "disability_no: 1"),
        Problem("unmapped_column", "a.xlsx", "1", "备注2"),
        Problem("unmapped_column", "a.xlsx", "1", "备注3"),
    )
    text = _shown(replace(world.digest(), problems=problems), 200)
    assert "被截断的长号码 81 个，涉及 2 张表" in text
    assert "未识别的列（未使用） 2 列，涉及 1 张表" in text


def test_households_not_met_are_split_by_exit_status(world: World):
    """Where the register holds an exit status, those not met are split by it; without one there is no such column."""
    assert "其中" not in _shown(replace(world, findings=world.findings).digest(), 200).split("退出标准判定")[1]
    status = pl.when(pl.col("household_id").str.ends_with("4")).then(pl.lit("已脱贫")).otherwise(pl.lit("未脱贫"))
    digest = replace(world, households=world.households.with_columns(exit_status=status)).digest()
    text = _shown(digest, 200)
    assert "其中已脱贫" in text
    assert "其中未脱贫" in text
    for verdict in digest.verdicts:
        assert sum(tally.count for tally in verdict.not_met_by_status) == verdict.not_met
