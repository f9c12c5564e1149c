"""The leak hunt: everybody in the sample is looked for, whole and in part, in all that is shown, logged, named or left behind."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
import pytest

from canaries import Canaries
from conftest import ROOT, SAMPLE, fupin
from fail_at_stage import STAGES
from test_signals import told

PEOPLE_ARE_HERE = (".xlsx", ".parquet")  # workbooks are for those who check; parquet is for other programs


@pytest.fixture(scope="module")
def canaries(demo) -> Canaries:
    """Everybody; a name that is also a word of rules, documents or the project is nobody's."""
    texts = [
        path.read_text(encoding="utf-8", errors="replace")
        for folder in (ROOT / "rules", ROOT / "docs", ROOT / "src")
        for path in folder.rglob("*")
        if path.suffix in (".toml", ".md", ".py")
    ]
    places = pl.read_parquet(demo / "persons.parquet").select("county", "township", "village").unpivot()["value"]
    found = Canaries(
        demo, "\n".join([*texts, *places.drop_nulls().unique(), (SAMPLE / "fupin.toml").read_text("utf-8")])
    )
    assert found.count > 1_000
    assert len(found.windows) > 20_000
    return found


def test_the_hunter_finds_what_it_hunts(canaries, demo):
    """In the findings themselves it must find people, or it would find them nowhere."""
    findings = pl.read_parquet(demo / "findings.parquet")
    assert canaries.found_in(" ".join(findings["name"].drop_nulls()))
    number = next(n for n in findings["id_number"].drop_nulls() if n[:9].isdigit())
    assert canaries.found_in(f"x{number[5:14]}y")
    assert canaries.found_in_bytes(number.encode("utf-16-le"))
    assert not canaries.found_in(f"{number[:3]}***********{number[-4:]}")


@pytest.fixture
def watched(tmp_path, canaries, monkeypatch):
    """A function that runs fupin, looks at everything it says, and at its temp folder, which must be empty afterwards.

    In this process, or as another `program` in one of its own.
    """
    temp = tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temp))
    elsewhere = {"TMPDIR": str(temp), "TEMP": str(temp), "COLUMNS": "200"}

    def run(*words, code=(0,), program=None):
        if program is None:
            done = fupin(*words, **elsewhere)
        else:
            command = [*map(str, program), *map(str, words)]
            done = subprocess.run(
                command, capture_output=True, encoding="utf-8", check=False, env={**os.environ, **elsewhere}
            )
        assert done.returncode in code, done.stderr
        for stream in (done.stdout, done.stderr):
            for word in words:  # what somebody typed may be said back
                stream = stream.replace(str(word), "")  # noqa: PLW2901
            assert canaries.found_in(stream) == []
        assert list(temp.rglob("*")) == []
        return done.stdout

    return run


def nobody_in(folder: Path, canaries: Canaries) -> None:
    """Nobody in any file of the folder that is not meant to show people, nor in any file's name."""
    for path in folder.rglob("*"):
        assert canaries.found_in(path.relative_to(folder).as_posix()) == []
        if path.is_file() and path.suffix not in PEOPLE_ARE_HERE:
            assert canaries.found_in_bytes(path.read_bytes()) == [], path.name


@pytest.mark.timeout(900)
def test_nobody_is_where_they_may_not_be(sample, tmp_path, canaries, watched):
    """The whole way once: looking, drafting, running, explaining, booking, sending, listing, verifying, purging."""
    run, ledger = tmp_path / "run", tmp_path / "cases"
    watched("run", sample, "-o", run, "--stage", "county")
    nobody_in(run, canaries)
    for path in sorted(p for p in sample.rglob("*") if p.suffix in (".xlsx", ".xls", ".csv"))[::8]:
        watched("inspect", path, "--rows", "20", code=(0, 65))
    watched("link", *sorted((sample / "register").iterdir()), "-o", tmp_path / "links.parquet", code=(0, 2, 65))
    watched("dedupe", min((sample / "register").iterdir()), code=(0, 2))
    people = pl.read_parquet(run / "persons.parquet")
    for row in people.filter(pl.col("id_number").is_not_null()).head(1).to_dicts():
        watched("explain", row["household_id"], "--run", run)
        watched("explain", f"row:{row['row']}", "--run", run)
    for key in pl.read_parquet(run / "findings.parquet")["finding_key"][:2]:
        watched("explain", key, "--run", run)
    watched("cases", "round", run, "--ledger", ledger)
    watched("cases", "dispatch", "--due", "2100-01-01", "--ledger", ledger)
    for words in (("list",), ("list", "--state", "open"), ("stats",), ("warn",), ("trend",), ("list", "--json")):
        watched("cases", *words, "--ledger", ledger)
    case = next(
        word
        for word in watched("cases", "list", "--ledger", ledger).split()
        if word.startswith("C") and len(word) == 17
    )
    watched("cases", "show", case, "--ledger", ledger)
    watched("explain", case, "--run", run, "--ledger", ledger)
    watched("cases", "import", *sorted((ledger / "batches" / "B0001").glob("*.xlsx")), "--ledger", ledger)
    nobody_in(ledger, canaries)
    watched("verify", run, "--project", sample, "--ledger", ledger)
    watched("purge", sample, "--older-than", "0", "--dry-run")
    nobody_in(sample / ".fupin", canaries)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_failure_at_any_stage_tells_nobody(sample, tmp_path, canaries, watched):
    """Twelve stages, four kinds of error that quote a cell: code 70, our own line and no word of theirs; the results stand."""
    run = tmp_path / "run"
    watched("run", sample, "-o", run, "--json", "--stage", "county")
    before = told(run)
    person = pl.read_parquet(run / "persons.parquet").filter(pl.col("id_number").is_not_null()).row(5, named=True)
    said = watched(
        person["name"], person["id_number"], "run", sample, "-o", run, "-q", "--stage", "county",
        program=(sys.executable, Path(__file__).with_name("fail_at_stage.py")),
    )  # fmt: skip
    assert [line.split()[1:] for line in said.splitlines() if line.startswith("==")] == [
        [stage, "70"] for stage in STAGES
    ]
    assert told(run) == before
    assert sorted(p.name for p in tmp_path.iterdir() if "run" in p.name) == [".run.lock", "run"]
    nobody_in(sample / ".fupin", canaries)
