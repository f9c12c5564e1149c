"""The shell's comfort: where one is and what is next, words that were nearly right, examples, completion."""

import json
import os
import re
import shutil
import subprocess
import time
from datetime import date
from pathlib import Path

import click
import polars as pl
import pytest
from click.shell_completion import ShellComplete

from conftest import FUPIN, SAMPLE, fupin
from fupin_cli.cases.schema import OPEN, STATES
from fupin_cli.cli.here import SETTLED, whereabouts
from fupin_cli.cli.main import main
from fupin_cli.report.book import text_width
from make_docs import at_the_top

DAY = date(2019, 12, 20)


def commands(command: click.Command = main, context: click.Context | None = None):
    """(words as typed, command) of every command and subcommand."""
    context = context or at_the_top()
    yield context.command_path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            yield from commands(child, click.Context(child, parent=context, info_name=name))


@pytest.mark.parametrize(("words", "command"), [pytest.param(*pair, id=pair[0]) for pair in commands()])
def test_every_help_shows_how_it_is_typed(words, command):
    """Examples of each command and subcommand, which begin with it or, in a group, with one of its own."""
    told = command.help or ""
    assert "Example" in told, f"{words} --help shows no example"
    examples = told.split("Example", 1)[1]
    assert f"{words.split()[0]} {' '.join(words.split()[1:])}".strip() in examples


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("rnu",), "run"),
        (("cases", "lsit"), "list"),
        (("rules", "shwo"), "show"),
        (("run", "--stgae", "county"), "--stage"),
        (("run", "--stage", "provnce"), "province"),
        (("cases", "list", "--state", "dispatchd"), "dispatched"),
        (("rules", "show", "NAT-H1"), "NAT-H-1"),
        (("rules", "list", "--pack", "shanxi"), "shaanxi"),
        (("completion", "bsh"), "bash"),
    ],
)
def test_what_was_meant_is_offered(words, meant):
    """A mistyped command, subcommand, option, stage, state, rule or pack is answered with the nearest one."""
    done = fupin(*words)
    assert done.returncode == 2
    assert meant in done.stderr.split("\n", 3)[-1] + done.stderr.split("\n")[-2]


def test_explain_offers_the_rule_that_was_meant(demo):
    """The rule of a finding, mistyped."""
    done = fupin("explain", "CMP-P1", "--run", demo)
    assert done.returncode == 2
    assert f"fupin explain CMP-PS1 --run {demo}" in done.stderr


def test_explain_lists_the_findings_of_a_rule(demo):
    """From the summary's rule to one finding by copying what is printed; nobody's full name on the way."""
    done = fupin("explain", "CMP-PS1", "--run", demo)
    last = done.stdout.splitlines()[-1]
    assert last.startswith("next: fupin explain ")
    told = fupin("explain", last.split()[3], "--run", demo)
    assert "CMP-PS1" in told.stdout
    assert "cited:" in told.stdout


@pytest.fixture
def ledger(demo, sample) -> Path:
    """The ledger of the sample's project, with one round booked."""
    done = fupin("cases", "round", demo, "--ledger", sample / "cases", "--on", "2019-11-30")
    assert done.returncode == 0, done.stderr
    return sample / "cases"


def test_the_example_of_a_dispatch_can_be_typed(ledger):
    """As it stands in the help, whatever day it is."""
    example = next(line for line in fupin("cases", "dispatch", "--help").stdout.splitlines() if "--due 20" in line)
    done = fupin(*example.split()[1:], "--ledger", ledger)
    assert done.returncode == 0, done.stderr
    assert "B0001" in done.stdout


def test_outside_a_project_one_is_told_how_to_begin(tmp_path):
    """Nothing here; a table here; a project below."""
    assert whereabouts(tmp_path, DAY)[-1].startswith("next: fupin init FOLDER")
    (tmp_path / "低保.xlsx").touch()
    assert whereabouts(tmp_path, DAY)[-1].startswith("next: fupin init .")
    (tmp_path / "一县").mkdir()
    (tmp_path / "一县" / "fupin.toml").touch()
    assert whereabouts(tmp_path, DAY)[-1] == "next: fupin run 一县"


def test_inside_a_project_the_next_step_follows_from_what_was_done(sample, demo, ledger):
    """Not run yet; run but not booked; booked but not sent; sent; overdue. From a folder below as well."""
    away = ledger.rename(sample / "away")
    assert "no run here" in "\n".join(whereabouts(sample, DAY))
    assert whereabouts(sample, DAY)[-1] == "next: fupin run"
    assert whereabouts(sample / "county", DAY)[-1] == f"next: fupin run {sample}"
    away.rename(ledger)
    (sample / "runs").mkdir()
    run = sample / "runs" / "2019-11-30"
    run.symlink_to(demo)
    os.utime(demo / "manifest.json")
    lines = whereabouts(sample, DAY)
    assert any("findings: " in line for line in lines)
    assert lines[-1].startswith("next: fupin cases dispatch")
    done = fupin("cases", "dispatch", "--due", "2019-12-10", "--on", "2019-12-01", "--ledger", ledger)
    assert done.returncode == 0, done.stderr
    assert whereabouts(sample, date(2019, 12, 2))[-1].startswith("next: fupin cases import")
    late = whereabouts(sample, DAY)
    assert late[-1] == "next: fupin cases list --overdue"
    run.unlink()  # the run lies elsewhere, and its cases are out all the same
    assert whereabouts(sample, DAY)[-1] == "next: fupin cases list --overdue"
    (ledger / "ledger.db").unlink()
    (ledger / "ledger.db").write_bytes(b"not a database")
    assert "cannot be read" in "\n".join(whereabouts(sample, DAY))


@pytest.mark.parametrize(
    "text",
    [
        "[project",
        "",
        "register = 3",
        "[project]\nname = 1\n[register]\nfiles = 3",
        "[register]\nfiles = ['/../*']",
        "\ud800",
    ],
)
def test_a_broken_project_never_fails(sample, text):
    """It says that something is wrong, and the command that says what."""
    (sample / "fupin.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    lines = whereabouts(sample, DAY)
    assert lines[-1].startswith("next: fupin run")


def test_a_run_outside_a_project_is_found_and_explained(tmp_path):
    """Results that were copied alone: what they found, and the rule that found most; what is of another program is no run."""
    for name, rules in (("2019-10", []), ("2019-11", [{"rule_id": "CMP-VH1", "severity": "fail", "count": 3}])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text('{"program": "fupin", "stages": []}', encoding="utf-8")
        digest = {"findings": 3, "findings_by_rule": rules}
        (tmp_path / name / "digest.json").write_text(json.dumps(digest), encoding="utf-8")
    os.utime(tmp_path / "2019-10" / "manifest.json", (0, 0))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "manifest.json").write_text('["fupin"]', encoding="utf-8")
    lines = whereabouts(tmp_path, DAY)
    assert "latest run: 2019-11　findings: 3" in lines
    assert lines[-1] == "next: fupin explain CMP-VH1 --run 2019-11"
    (tmp_path / "2019-11" / "digest.json").write_text("{}", encoding="utf-8")
    os.utime(tmp_path / "2019-10" / "manifest.json")
    (tmp_path / "2019-10" / "digest.json").unlink()
    assert any("digest.json cannot be read" in line for line in whereabouts(tmp_path, DAY))


def test_files_that_came_after_the_run_are_compared_first(small):
    """And what no file matches is told; a ledger that nobody can read is looked at before anything goes out."""
    assert fupin("run", small).returncode == 0
    run = small / "runs" / "2019-11-30"
    assert whereabouts(small, DAY)[-1].startswith("next: fupin cases round runs/")
    (small / "cases").mkdir()
    (small / "cases" / "ledger.db").write_bytes(b"not a database")
    assert whereabouts(small, DAY)[-1].startswith("next: fupin cases stats")
    os.utime(small / "低保.csv", (run.stat().st_mtime + 60,) * 2)
    assert whereabouts(small, DAY)[-1].endswith("files are newer than the run")
    (small / "低保.csv").unlink()
    lines = whereabouts(small, DAY)
    assert "  entries of fupin.toml that no file matches: 1" in lines
    assert lines[-1] == "next: fupin run"


def test_where_you_are_is_told_at_once_and_without_persons(sample):
    """No frame is loaded: a third of a second on an idle machine, and here a bound that a busy one keeps."""
    began = time.monotonic()
    done = subprocess.run([FUPIN], cwd=sample, capture_output=True, encoding="utf-8", check=True)
    assert time.monotonic() - began < 5
    assert "南溟省" in done.stdout
    code = "import sys; from fupin_cli.cli import here; sys.exit('polars' in sys.modules or 'rich' in sys.modules)"
    assert subprocess.run([FUPIN.with_name("python"), "-c", code], check=False).returncode == 0


def test_what_is_settled_is_what_the_ledger_says():
    """The ledger's own words load too slowly to be asked each time."""
    assert set(SETTLED) == set(STATES) - set(OPEN)


def offered(*words: str, incomplete: str = "") -> list[str]:
    """What click would complete."""
    return [
        item.value
        for item in ShellComplete(main, {}, "fupin", "_FUPIN_COMPLETE").get_completions(list(words), incomplete)
    ]


def test_words_are_completed(ledger):
    """Commands, stages, rules, packs; of a ledger places and case numbers, at most fifty."""
    assert offered(incomplete="ca") == ["cases", "cache"]
    assert offered("run", "--stage") == ["county", "city", "province"]
    assert "NAT-H-1" in offered("rules", "show", incomplete="nat-h-")
    assert offered("rules", "list", "--pack", incomplete="sha") == ["shaanxi", "shandong", "shangrao"]
    at = ("--ledger", str(ledger))
    assert offered("cases", "list", *at, "--county") == ["白石县", "青禾县"]
    assert "平川镇" in offered("cases", "list", *at, "--township", incomplete="平")
    numbers = offered("cases", "show", *at)
    assert len(numbers) == 50
    assert offered("cases", "show", *at, incomplete=numbers[7][:6].lower()) == [numbers[7]]
    wrong = numbers[7][:9] + ("1" if numbers[7][9] == "0" else "0") + numbers[7][10:]
    assert f"fupin cases show {numbers[7]}" in fupin("cases", "show", wrong, *at).stderr


def test_nothing_is_offered_where_nothing_can_be_read(tmp_path):
    """No ledger, a broken one: no words and no traceback."""
    assert offered("cases", "show", "--ledger", str(tmp_path)) == []
    (tmp_path / "ledger.db").write_bytes(b"no database")
    assert offered("cases", "show", "--ledger", str(tmp_path)) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_name_the_program(shell):
    """Each shell's own script."""
    done = fupin("completion", shell)
    assert done.returncode == 0
    assert "_FUPIN_COMPLETE" in done.stdout


def test_bash_completes_for_real(ledger):
    """The script is sourced, a line is half typed, and bash's own reply is read."""
    lines = (
        f"source <({FUPIN} completion bash)\n"
        f"COMP_WORDS=({FUPIN} cases show --ledger {ledger} C); COMP_CWORD=5\n"
        f"_fupin_completion {FUPIN}\n"
        'echo "${#COMPREPLY[@]} ${COMPREPLY[0]}"\n'
        f"COMPREPLY=(); COMP_WORDS=({FUPIN} rules show NAT-H-1); COMP_CWORD=3\n"
        f"_fupin_completion {FUPIN}\n"
        'echo "${COMPREPLY[0]}"\n'
    )
    done = subprocess.run(["bash", "-c", lines], capture_output=True, encoding="utf-8", check=True)
    count, rule = done.stdout.splitlines()
    assert count.startswith("50 C")
    assert rule.startswith("NAT-H-1")


# zsh completes only at a prompt: what it would be given to show is put where it can be read
ASKED = {
    "zsh": "compdef() {{ :; }}; _describe() {{ print -l -- ${{(P)3}}; }}; "
    "source <({fupin} completion zsh); words=({words} ''); CURRENT=$#words; _fupin_completion",
    "fish": "source ({fupin} completion fish | psub); complete -C '{words} '",
}


@pytest.mark.parametrize("shell", ASKED)
@pytest.mark.parametrize(("words", "first"), [("cases show --ledger {ledger}", "C"), ("rules show", "")])
def test_other_shells_complete_for_real(shell, words, first, ledger):
    """The script is sourced and the shell's own machinery asked; where the shell is not installed nothing can be told."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    typed = ASKED[shell].format(fupin=FUPIN, words=f"fupin {words.format(ledger=ledger)}")
    path = f"{FUPIN.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [shell, "-c", typed], capture_output=True, encoding="utf-8", check=False, env={**os.environ, "PATH": path}
    )
    offers = [line for line in done.stdout.splitlines() if line]
    assert len(offers) >= 50, done.stderr
    assert all(line.startswith(first) for line in offers)
    assert first or any("户" in line for line in offers)  # with its title


def test_scripts_get_json(sample, demo):
    """What prints a table for people prints JSON for programs."""
    register = next((SAMPLE / "register").glob("青*.xlsx"))
    rules = (("rules", "list"), ("rules", "check"), ("cache", SAMPLE))
    for words in (("dedupe", register), ("inspect", register), *rules, ("explain", "CMP-PS1", "--run", demo)):
        done = fupin(*words, "--json")
        assert done.returncode == 0, done.stderr
        assert done.stdout[0] in "{["
        assert not done.stderr


def test_an_explanation_for_programs_hides_what_it_hides_from_people(demo):
    """Every finding of a rule, with both sides' places; a person's name and number masked, in full where asked for."""
    shown = json.loads(fupin("explain", "CMP-PS1", "--run", demo, "--json").stdout)
    assert shown["kind"] == "rule"
    findings = pl.read_parquet(demo / "findings.parquet").filter(pl.col("rule_id") == "CMP-PS1")
    assert {one["finding_key"] for one in shown["findings"]} == set(findings["finding_key"])
    told = json.dumps(shown, ensure_ascii=False)
    assert not [number for number in findings["id_number"].drop_nulls() if number in told]
    assert not [number for number in findings["household_id"].drop_nulls() if number in told]
    one = findings.row(0, named=True)
    whole = json.loads(fupin("explain", one["finding_key"], "--run", demo, "--unmask", "--json").stdout)
    assert whole["kind"] == "finding"
    assert whole["findings"][0]["household_id"] == one["household_id"]
    assert whole["findings"][0]["register"]["row"] == one["register_at"]
    home = json.loads(fupin("explain", one["household_id"], "--run", demo, "--json").stdout)
    assert home["kind"] == "household"
    assert one["finding_key"] in {finding["finding_key"] for finding in home["findings"]}


def test_columns_of_chinese_help_stand_straight():
    """Every explanation begins in one column of the terminal, where a Chinese character takes two."""
    said = fupin("sample", "draw", "--help", FUPIN_LANG="zh").stdout
    options = [line for line in said[said.index("选项") :].splitlines()[1:] if line.startswith("  -")]
    gaps = {text_width(re.fullmatch(r"( +-.*? {2,})\S.*", line)[1]) for line in options}
    assert len(gaps) == 1, options


def test_a_folder_named_as_a_file_counts_what_lies_in_it(tmp_path):
    """files = ["register"] means all that the folder holds; nothing is said to be missing."""
    shutil.copytree(SAMPLE / "register", tmp_path / "register")
    text = (SAMPLE / "fupin.toml").read_text(encoding="utf-8").split("[[extract]]")[0]
    text = re.sub(r"files = \[[^]]*\]", 'files = ["register"]', text, count=1)
    (tmp_path / "fupin.toml").write_text(text, encoding="utf-8")
    told = "\n".join(whereabouts(tmp_path, DAY))
    assert "missing" not in told
    assert "next: fupin run" in told


@pytest.mark.parametrize(
    ("typed", "example"),
    [
        (("explain", "--run", "demo"), "fupin explain CMP-PS1 --run demo"),
        (("cases", "dispatch"), "fupin cases dispatch --due 2019-12-10 --on 2019-12-01"),
        (("cases", "list", "--state", "x"), "fupin cases list --state open --county 青禾县"),
        (("run", "--outt", "x"), "fupin run"),
    ],
)
def test_what_was_typed_wrongly_is_shown_rightly(typed, example):
    """Whatever click complains of, an example of the command's own help follows."""
    done = fupin(*typed)
    assert done.returncode == 2
    assert f"  for example: {example}" in done.stderr.splitlines()[-1]
