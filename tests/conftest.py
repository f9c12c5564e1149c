"""What several test files share: the sample run once, and the command line as a user types it."""

import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import settings

from fupin_cli import rulebook
from fupin_cli.cli import boundary
from fupin_cli.cli.main import entry
from fupin_cli.language import speak
from office_files import write_xlsx

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_data"
FUPIN = Path(sys.executable).with_name("fupin")

os.environ["FUPIN_LANG"] = "en"  # tests look for the words of the code, whatever the tester speaks
os.environ["FUPIN_REPORT_LANG"] = "zh"  # and for what workbooks and pages say to offices

TIMES = int(os.environ.get("FUPIN_EXAMPLES", "1"))  # `make properties` tries many times as many
settings.register_profile("fupin", derandomize=TIMES == 1, deadline=None, max_examples=100 * TIMES)
settings.load_profile("fupin")


def examples(count, **more) -> settings:
    """How many cases a property is tried on in the gate; `make properties` multiplies that."""
    return settings(max_examples=count * TIMES, **more)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A property's report carries on how many cases it was tried."""
    report = yield
    told = getattr(item, "hypothesis_statistics", "") if report.when == "teardown" else ""
    if cases := sum(map(int, re.findall(r"(\d+) passing", told))):
        report.user_properties.append(("cases", cases))
    return report


def pytest_terminal_summary(terminalreporter) -> None:
    """How many cases all properties were tried on, where more were asked for."""
    if TIMES > 1:
        reports = [report for found in terminalreporter.stats.values() for report in found]
        told = [dict(report.user_properties) for report in reports if getattr(report, "when", "") == "teardown"]
        terminalreporter.write_line(f"{sum(said.get('cases', 0) for said in told):,} generated cases")


@pytest.fixture(scope="session", autouse=True)
def rules_are_read_once():
    """A test process runs hundreds of small projects; each set of rule files is read and checked once, which takes a second."""
    read, known = rulebook.all_packs, {}

    def once(folders, profiles, instead=None):
        files = [path for folder in folders for path in sorted(folder.rglob("*.toml"))] + [instead] * bool(instead)
        key = *((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files), instead
        if key not in known:
            known[key] = read(folders, profiles, instead)
        return known[key]

    parse = tomllib.loads

    @cache
    def parsed(text):
        return pickle.dumps(parse(text))

    rulebook.all_packs, tomllib.loads = once, lambda text: pickle.loads(parsed(text))
    yield
    rulebook.all_packs, tomllib.loads = read, parse


def patient(seconds: float) -> float:
    """So many seconds; six times as many under `make coverage`, which looks at every line that is run."""
    return seconds * (6 if sys.gettrace() else 1)


def fupin(*words, **environment) -> subprocess.CompletedProcess:
    """Runs the command as it is typed, in this process, which has the libraries at hand: a second less than a new one takes.

    Help is spoken in the language in which a command was first loaded, so another language has a process of its own.
    """
    if "FUPIN_LANG" in environment or "--lang" in words:
        return fupin_process(*words, **environment)
    before, mask, code = dict(os.environ), os.umask(0o077), 0
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+", encoding="utf-8") as err:
        typed = patch.object(sys, "argv", ["fupin", *map(str, words)])
        with redirect_stdout(out), redirect_stderr(err), typed, patch.object(boundary, "heed_signals"):
            os.environ.update(environment)
            try:
                entry()
            except SystemExit as ended:
                code = ended.code
            finally:
                os.umask(mask)
                os.environ.clear()
                os.environ.update(before)
                speak("en")
        said = [stream.seek(0) or stream.read() for stream in (out, err)]
    return subprocess.CompletedProcess(words, code, *said)


def fupin_process(*words, **environment) -> subprocess.CompletedProcess:
    """Runs the installed command in a process of its own: for what hangs on that (signals, locks, threads, crashes)."""
    return subprocess.run(
        [str(FUPIN), *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Path:
    """The run directory of the sample data, made by the command line with two threads."""
    folder = tmp_path_factory.mktemp("demo") / "run"
    done = fupin_process("run", SAMPLE, "-o", folder, POLARS_MAX_THREADS="2")
    assert done.returncode == 0, done.stderr
    return folder


# one register and one list of a county; where the list comes from is written below it
PROJECT = """
[project]
name = "试"
as_of = {as_of}
jurisdiction = "{place}"
[register]
files = ["台账.xlsx"]
[[extract]]
id = "dibao"
profile = "dibao"
stage = "county"
coverage = ["青禾县"]
as_of = {as_of}
"""


@pytest.fixture
def small(tmp_path) -> Path:
    """A project of two homes and one list: for tests of what surrounds a run, which need no people."""
    folder = tmp_path / "project"
    folder.mkdir()
    header = ["户编号", "姓名", "证件号码", "县", "行政村", "与户主关系", "脱贫属性", "脱贫年度", "人均纯收入（元）"]
    homes = [
        ["H1", "张三", "", "青禾县", "柳树村", "户主", "已脱贫", "2019", "9000"],
        ["H2", "李四", "", "青禾县", "柳树村", "户主", "未脱贫", "", "2000"],
    ]
    write_xlsx(folder / "台账.xlsx", {"s": [header, *homes]})
    (folder / "低保.csv").write_text("姓名,身份证号,县,低保证号\n赵七,,青禾县,D1\n", encoding="utf-8")
    told = PROJECT.format(as_of="2019-11-30", place="990121") + 'files = ["低保.csv"]\n'
    told += '[rules]\nwithout = ["self-households", "self-people"]\n'
    (folder / "fupin.toml").write_text(told, encoding="utf-8")
    return folder


@pytest.fixture
def sample(tmp_path) -> Path:
    """A copy of the sample project that a test may damage."""
    kept = shutil.ignore_patterns(".fupin", "runs", "cases")  # of somebody who followed the tutorial
    shutil.copytree(SAMPLE, tmp_path / "project", ignore=kept)
    return tmp_path / "project"
