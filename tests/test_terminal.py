"""The end-of-run summary: counts on a narrow or wide terminal, never a person, never markup from a file."""

import contextlib
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import termios
from dataclasses import replace

import polars as pl
import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from conftest import FUPIN, SAMPLE, fupin_process
from fupin_cli.cli.progress_line import MovingLine, pace
from fupin_cli.language import speak
from fupin_cli.report.digest import Digest, Problem
from fupin_cli.report.source_account import Tally
from fupin_cli.report.terminal import summary
from report_world import World, id_number, make_world

REGISTER = SAMPLE / "register" / "青禾县_（自定义）脱贫人口信息_20191120.xlsx"
EXTRACT = SAMPLE / "county" / "青禾县" / "青禾县民政局_农村低保发放明细_201910.xlsx"


@pytest.fixture(scope="module")
def world() -> World:
    """One invented run."""
    return make_world()


def _shown(digest: Digest, width: int = 140, *, every: bool = True) -> str:
    stream = io.StringIO()
    then = ["next: fupin cases round runs/2019-11-30"]
    Console(file=stream, width=width).print(summary(digest, where="runs/2019-11-30", every=every, then=then))
    return stream.getvalue()


def test_what_it_says(world: World):
    """Rows, links, findings by band, verdicts, what was not run, and where to look."""
    digest = world.digest()
    text = _shown(digest)
    for word in (
        "rows: read",
        "same ID number",
        "名下有车辆",
        "review",
        "unknown",
        "没有工商数据",
        "runs/2019-11-30",
    ):
        assert word in text
    assert f"{digest.rows_read:,}" in text
    assert "clues, not conclusions: check each" in text


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("every", [True, False])
def test_no_person_on_the_terminal(world: World, width: int, every: bool):
    """No name, ID or household number is shown at any width."""
    text = _shown(world.digest(), width, every=every).replace("\n", "")
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
    assert lines["旧台账"][-2:] == ["4/0", "yes"]
    assert lines["Sheet1"][2:6] == ["64", "60", "4", "1"]
    assert lines["车辆"][-2:] == ["0/2", "yes"]
    assert f"rows to be mended by whoever sent them: {world.digest().rows_returned} " in told


def test_an_account_that_does_not_balance_is_named(world: World):
    """Of ninety sheets not all are shown; the one that does not add up is, and it is called by its name above."""
    digest = world.digest()
    off = replace(digest.accounts[-1], rows_used=digest.accounts[-1].rows_used - 1)
    many = tuple(replace(digest.accounts[0], source=f"f{n:03d}.xlsx") for n in range(90))
    text = _shown(replace(digest, accounts=(*many, off)))
    assert f"DOES NOT BALANCE: {off.source}" in text
    assert " NO" in text.replace("DOES NOT", "")
    assert "f001.xlsx" in text
    assert "f080.xlsx" not in text


def test_a_county_run_has_no_province_line(world: World):
    """Without a province stage nothing is said of what the county missed."""
    assert "found by the province only" in _shown(world.digest())
    assert "found by the province only" not in _shown(replace(world.digest(), stages=("county",)))


def test_problems_are_counted_in_cells(world: World):
    """kind: cells or columns, and over how many sheets; the details are the page's."""
    problems = (
        Problem("lost_digits", "a.xlsx", "1", "id_number: 80"),
        Problem("lost_digits", "a.xlsx", "2", "disability_no: 1"),
        Problem("unmapped_column", "a.xlsx", "1", "备注2"),
        Problem("unmapped_column", "a.xlsx", "1", "备注3"),
    )
    text = _shown(replace(world.digest(), problems=problems), 200)
    assert "long numbers cut short, cells: 81, sheets: 2" in text
    assert "columns not recognised (not used), columns: 2, sheets: 1" in text
    speak("zh")
    try:
        text = _shown(replace(world.digest(), problems=problems), 200)
    finally:
        speak("en")
    assert "被截断的长号码 81 个，涉及 2 张表" in text
    assert "未识别的列（未使用） 2 列，涉及 1 张表" in text


def test_the_screen_is_in_one_language(world: World):
    """In English nothing is Chinese but what others wrote: the project, files, places, the register's own words, why no data."""
    odd = ("lost_digits", "near_column", "unseen_village", "two_digit_year", "unreadable")
    problems = tuple(Problem(kind, "a.xlsx", "1", "id_number: 80") for kind in odd)
    digest = replace(world.digest(), problems=problems, packs=())
    named = [
        digest.project,
        *(rule.title for rule in digest.rules),
        *(rule.not_run for rule in digest.rules if rule.not_run),
        *(word for account in digest.accounts for word in (account.source, account.sheet or "")),
        *(verdict.county or "" for verdict in digest.verdicts),
    ]
    english = replace(
        digest, rules=tuple(replace(rule, title_en="A title" if n else "") for n, rule in enumerate(digest.rules))
    )
    for every in (False, True):
        text = _shown(english, 300, every=every)
        assert "A title" in text
        for name in sorted(filter(None, named), key=len, reverse=True):
            text = text.replace(name, "")
        assert re.findall("[\u4e00-\u9fff]+", text) in ([], ["退回更正"])


def test_households_not_met_are_split_by_exit_status(world: World):
    """Where the register holds an exit status, those not met are split by it; without one there is no such column."""
    assert (
        "of those"
        not in _shown(replace(world, findings=world.findings).digest(), 200).split("verdicts on exit standards")[1]
    )
    status = pl.when(pl.col("household_id").str.ends_with("4")).then(pl.lit("已脱贫")).otherwise(pl.lit("未脱贫"))
    digest = replace(world, households=world.households.with_columns(exit_status=status)).digest()
    text = _shown(digest, 200)
    assert "of those exited" in text
    assert "of those not exited" in text
    for verdict in digest.verdicts:
        assert sum(tally.count for tally in verdict.not_met_by_status) == verdict.not_met


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("every", [True, False])
def test_no_line_is_wider_than_the_terminal(world: World, width: int, every: bool):
    """A Chinese character takes two cells; rules between cells stand below each other."""
    lines = _shown(world.digest(), width, every=every).splitlines()
    assert max(cell_len(line.rstrip()) for line in lines) <= width


def test_the_summary_is_one_screen(world: World):
    """Of ninety sheets and fifty kinds of findings: those that lost rows by name, the rest counted; what to type next is last."""
    digest = world.digest()
    fine = replace(
        digest.accounts[-1], rows_read=9, rows_used=8, rows_set_aside=1, reasons=(Tally("header", 1),), rows_returned=0
    )
    many = tuple(replace(fine, source=f"f{n:03d}.xlsx") for n in range(90))
    tally = digest.findings_by_rule[0]
    kinds = tuple(replace(tally, rule_id=f"X-{n:02d}", count=n + 1) for n in range(50))
    text = _shown(replace(digest, accounts=(*many, *digest.accounts), findings_by_rule=kinds), 100, every=False)
    assert len(text.splitlines()) < 60
    assert "f001.xlsx" not in text
    assert "旧台账" in text
    assert "X-49" in text
    assert "X-01" not in text
    assert "38 more kinds" in text
    assert text.rstrip().splitlines()[-1].startswith("next:")


def test_what_is_copied_is_never_broken(world: World):
    """Paths, commands and rule numbers are whole, however narrow the terminal; lists of numbers break between them."""
    long = "runs/" + "很长的文件夹名" * 8
    then = [f"next: fupin cases round {long} --ledger {long}/cases"]
    stream = io.StringIO()
    digest = world.digest()
    idle = [replace(digest.not_run[0], rule_id=f"CMP-XX{n:02}") for n in range(20)]
    digest = replace(digest, rules=(*digest.rules, *idle))
    Console(file=stream, width=60).print(summary(digest, where=long, then=then), crop=False)
    lines = [line.strip() for line in stream.getvalue().splitlines()]
    assert f"look at: {long}" in lines
    assert then[0] in lines
    assert all(any(rule.rule_id in line for line in lines) for rule in digest.not_run)


def test_the_years_without_a_line_are_told(world: World):
    """Whom nobody judged by income, of which year and how many; self-checks do not count."""
    digest = world.digest()
    lined = replace(digest.rules[0], rule_id="NAT-H-1", years_without_line=((2017, 3), (2018, 1_200)))
    text = _shown(replace(digest, rules=(lined, replace(lined, rule_id="REG-N04", brief=True))), every=False)
    assert "not judged by income" in text
    assert re.search("NAT-H-1 2017: 3,\\s+NAT-H-1 2018: 1,200", text)
    assert "REG-N04" not in text
    assert "[[line]] with year = 2017、2018 in rules/lines.toml" in text.replace("\n", " ")


def test_pace_is_told_where_it_is_known():
    """Nothing done, or no total: the time only. Rates and what is left follow from what is done."""
    assert pace(12, 0, None, "") == "0:12"
    assert pace(12, 0, 100, "rows") == "0:12"
    assert pace(10, 50, 100, "rows") == "0:10 5 rows/s left 0:10"
    assert pace(60, 60 << 20, 3660 << 20, "B") == "1:00 1.0 MiB/s left 1:00:00"


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_moving_line_is_one_line(width: int):
    """However narrow, and with characters of two cells, it never wraps."""
    stream = io.StringIO()
    line = MovingLine(Console(file=stream, width=width, force_terminal=True))
    line("比对人员 linking 青禾县民政局_农村低保发放明细_201910 (12/21)", 5_000, 9_000_000, "rows")
    line("比对人员 linking 青禾县民政局_农村低保发放明细_201910 (13/21)", 6_000, 9_000_000, "rows")
    with line.shown:
        pass
    shown = [Text.from_ansi(part).plain for part in stream.getvalue().replace("\r", "\n").splitlines()]
    assert max(cell_len(part.rstrip()) for part in shown) <= width
    assert sum("比对人员" in part for part in shown) <= 3


def _watched(*words: str, **environment: str) -> str:
    """What a command shows on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    seen = []
    with subprocess.Popen(
        [FUPIN, *words], stdout=theirs, stderr=theirs, stdin=theirs, env={**os.environ, **environment}
    ) as running:
        os.close(theirs)
        with contextlib.suppress(OSError):  # the end of a terminal
            while part := os.read(ours, 1 << 16):
                seen.append(part)
    os.close(ours)
    assert running.returncode == 0
    return b"".join(seen).decode("utf-8", "replace")


def test_colour_and_motion_only_where_they_can_be_shown(tmp_path):
    """A terminal sees the line move; NO_COLOR has no colour, TERM=dumb no escape at all and each stage once; a pipe nothing."""
    words = ("link", str(REGISTER), str(EXTRACT), "-o", str(tmp_path / "links.parquet"))
    moving = _watched(*words, TERM="xterm-256color")
    assert "\x1b[" in moving
    assert "reading" in moving
    plain = _watched(*words, TERM="xterm-256color", NO_COLOR="1")
    assert not re.findall(r"\x1b\[[0-9;]*[34]\d(?:;[0-9;]*)?m", plain)
    dumb = _watched(*words, TERM="dumb")
    assert "\x1b" not in dumb
    assert dumb.count("reading") == 1
    piped = fupin_process(*words)
    assert "reading" not in piped.stderr + piped.stdout
