"""fupin verify: any byte that changed since is found and named first; rounds follow from each other."""

import random
import shutil
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from conftest import fupin
from fupin_cli.cases import open_ledger
from fupin_cli.cases.ledger import check_ledger, next_link
from fupin_cli.cases.schema import MIGRATIONS
from fupin_cli.errors import BadDataError
from fupin_cli.proof import prove_ledger, prove_run
from loop_world import RULES, World


@pytest.fixture
def run(demo, tmp_path):
    """A copy of the sample run that a test may damage."""
    shutil.copytree(demo, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def booked(tmp_path):
    """A ledger of three rounds and a batch, and the run directories."""
    rnd = random.Random(3)
    world, ledger = (
        World(people=8, said={(person, rule): 1 for person in range(8) for rule in RULES}),
        tmp_path / "cases",
    )
    runs = []
    for month in (1, 2, 3):
        runs.append(world.run(tmp_path / f"r{month}", date(2020, month, 1)))
        assert fupin("cases", "round", runs[-1], "--ledger", ledger).returncode == 0
        world.turn(rnd)
    assert fupin("cases", "dispatch", "--due", "2100-01-01", "--ledger", ledger).returncode == 0
    return ledger, runs


def test_an_untouched_run_is_what_it_was(run, sample):
    """Files, inputs, rules and program: all counted, exit code 0."""
    done = fupin("verify", run, "--project", sample)
    assert (done.returncode, done.stderr) == (0, "")
    assert prove_run(run).outputs == len([p for p in run.rglob("*") if p.is_file()]) - 1


def test_a_single_bit_anywhere_is_found_and_named(run):
    """A flipped bit in each output in turn, a file gone, a file added, a file that is now a link."""
    rnd = random.Random(1)
    for path in sorted(p for p in run.rglob("*") if p.is_file() and p.name != "manifest.json"):
        data = path.read_bytes()
        at = rnd.randrange(len(data))
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << rnd.randrange(8)]) + data[at + 1 :])
        name = path.relative_to(run).as_posix()
        with pytest.raises(BadDataError) as caught:
            prove_run(run)
        assert caught.value.what == f"{name} was changed"
        path.unlink()
        with pytest.raises(BadDataError) as caught:
            prove_run(run)
        assert caught.value.what == f"{name} is gone"
        path.write_bytes(data)
    (run / "copy").write_bytes((run / "digest.json").read_bytes())
    with pytest.raises(BadDataError, match="copy was added"):
        prove_run(run)
    (run / "digest.json").unlink()
    (run / "copy").rename(run.parent / "elsewhere")
    (run / "digest.json").symlink_to(run.parent / "elsewhere")
    done = fupin("verify", run)
    assert done.returncode == 65
    assert "digest.json was changed" in done.stderr


def test_what_went_in_is_named_where_it_changed(run, sample):
    """An input, the configuration, a file that is gone."""
    changed = sample / "county" / "白石县" / "白石县住建局_农房鉴定台账.csv"
    for path, then in ((changed, "was changed"), (sample / "fupin.toml", "was changed"), (changed, "is gone")):
        data = path.read_bytes()
        path.write_bytes(data + b"\n") if then == "was changed" else path.unlink()
        done = fupin("verify", run, "--project", sample)
        assert done.returncode in (65, 66)
        assert path.name in done.stderr
        path.write_bytes(data)
    assert fupin("verify", run, "--project", sample).returncode == 0


def test_what_is_booked_or_explained_is_held_against_the_manifest_first(run, tmp_path):
    """Findings that were cut short or are other ones, a file that is gone, a digest that is none: named, and nothing is booked."""
    cut = pl.read_parquet(run / "findings.parquet").head(10)
    ledger = tmp_path / "cases"
    for name, deed, fault in (
        ("findings.parquet", cut.write_parquet, "was changed"),
        ("findings.parquet", cut.select("rule_id").write_parquet, "was changed"),
        ("persons.parquet", Path.unlink, "is gone"),
        ("digest.json", lambda path: path.write_text("{", encoding="utf-8"), "was changed"),
    ):
        whole = (run / name).read_bytes()
        deed(run / name)
        for words in (("cases", "round", run, "--ledger", ledger), ("explain", "CMP-PS1", "--run", run)):
            done = fupin(*words)
            assert (done.returncode, done.stdout) == (65, ""), done.stderr
            assert f"{name} {fault}" in done.stderr
            assert "into another one: fupin run PROJECT -o DIR" in done.stderr
        assert not ledger.exists()
        (run / name).write_bytes(whole)
    next(run.rglob("*.xlsx")).write_bytes(b"filled in meanwhile")
    assert fupin("cases", "round", run, "--ledger", ledger).returncode == 0


def test_nothing_is_drawn_or_compared_by_a_run_that_was_changed(run, sample, tmp_path):
    """A sample's frame, the round before on the page: the changed file is named, and nothing is written."""
    for name, words in (
        ("persons.parquet", ("sample", "draw", "county", run, "-o", tmp_path / "new")),
        ("findings.parquet", ("run", sample, "--previous", run, "-o", tmp_path / "new")),
    ):
        pl.read_parquet(run / name).head(10).write_parquet(run / name)
        done = fupin(*words)
        assert done.returncode == 65
        assert f"{name} was changed" in done.stderr
        assert not (tmp_path / "new").exists()


def test_a_damaged_manifest_is_no_missing_run(run, tmp_path):
    """It is there and cannot be read: told as that, and nobody is sent to write a new run over what is left."""
    whole = (run / "manifest.json").read_bytes()
    for damage in (
        whole[:-3],
        whole.replace(b'"as_of"', b'"bs_of"', 1),
        whole.replace(b'"program": "fupin"', b'"program": "gupin"'),
        b"\xff" + whole[1:],
    ):
        (run / "manifest.json").write_bytes(damage)
        told = [fupin("cases", "round", run, "--ledger", tmp_path / "cases")]
        told += [] if b'"bs_of"' in damage else [fupin("verify", run), fupin("explain", "CMP-PS1", "--run", run)]
        for done in told:
            assert done.returncode == 65, done.stderr
            assert "manifest.json was changed or is damaged" in done.stderr
            assert "into another one" in done.stderr
    (run / "manifest.json").write_text('{"name": "app"}', encoding="utf-8")
    assert fupin("verify", run).returncode == 66
    assert not (tmp_path / "cases").exists()


def test_no_run_and_nothing_to_verify(tmp_path):
    """A folder of somebody else's is missing input; no word at all is wrong use."""
    assert fupin("verify", tmp_path).returncode == 66
    assert fupin("verify").returncode == 2


def test_the_rounds_follow_from_each_other(booked):
    """The chain is each run's hash after the link before; a run that was never booked is told as such."""
    ledger, runs = booked
    proof = prove_ledger(ledger, runs[1])
    assert (proof.rounds, proof.batches, proof.here) == (3, 1, 1)
    with open_ledger(ledger) as opened:
        before = None
        for row in opened.rows("SELECT * FROM rounds ORDER BY round"):
            assert row["chain"] == next_link(opened, before, row, row["chained_until"])["chain"]
            before = row
    assert proof.chain == before["chain"]
    (runs[1] / "manifest.json").write_text(
        (runs[1] / "manifest.json").read_text(encoding="utf-8") + " ", encoding="utf-8"
    )
    with pytest.raises(BadDataError, match="not the run that round 2 was booked from") as caught:
        prove_ledger(ledger, runs[1])
    assert "cases round" not in caught.value.try_  # that would make a forged run a round
    other = World(people=8).run(ledger.parent / "never", date(2021, 1, 1))
    with pytest.raises(BadDataError, match="knows no round"):
        prove_ledger(ledger, other)


def test_a_second_run_of_one_day_is_booked_and_told(booked):
    """Corrected files may be compared again; nobody should do so without knowing. The same run is no second one."""
    ledger, runs = booked
    again = World(people=7).run(ledger.parent / "again", date(2020, 3, 1))
    for words, note in (((runs[2],), False), ((again,), True), ((again,), False)):
        done = fupin("cases", "round", *words, "--ledger", ledger)
        assert done.returncode == 0
        assert ("round 3 is of the same day and stage" in done.stderr) is note


def test_a_changed_ledger_is_found(booked, tmp_path):
    """A round put in another's place, a removed round, a changed batch: the triggers were dropped by whoever did it."""
    ledger, _ = booked
    for statement in (
        "UPDATE rounds SET run = 'x' WHERE round = 1",
        "UPDATE rounds SET chain = NULL WHERE round = 2",
        "DELETE FROM rounds WHERE round = 2",
        "UPDATE batches SET manifest = 'x'",
        "UPDATE events SET day = '2019-01-01' WHERE seq = 1",
        "UPDATE rounds SET found = found + 100 WHERE round = 1",
        "UPDATE rounds SET as_of = '2019-01-01', people = 'x' WHERE round = 2",
        "UPDATE cases SET county = '他县', title = '无' WHERE rowid = 1",
        "UPDATE cases SET household = NULL WHERE rowid = 2",
    ):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(ledger, copy)
        with closing(sqlite3.connect(copy / "ledger.db", isolation_level=None)) as connection:
            for name in (
                "rounds_are_never_changed", "rounds_are_never_deleted", "events_are_never_changed", "cases_stay_what_they_are_about",
            ):  # fmt: skip
                connection.execute(f"DROP TRIGGER {name}")
            assert connection.execute(statement).rowcount
        done = fupin("verify", "--ledger", copy)
        assert done.returncode == 65, statement
        if "events" in statement:  # the next link holds the very first event, too
            assert "round 2 does not follow" in done.stderr
            assert "what its events say" not in done.stderr  # nobody looked: the first thing that differs is told
    book = next((ledger / "batches" / "B0001").glob("*.xlsx"))
    book.write_bytes(book.read_bytes() + b" ")
    with pytest.raises(BadDataError, match="B0001: .*was changed"):
        prove_ledger(ledger)


def test_rounds_cannot_be_changed(booked):
    """The file itself refuses; and what a case is about stays."""
    with open_ledger(booked[0]) as ledger:
        for statement in ("UPDATE rounds SET run = 'x'", "DELETE FROM rounds"):
            with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
                ledger.connection.execute(statement)
        with pytest.raises(sqlite3.IntegrityError, match="never changes"):
            ledger.connection.execute("UPDATE cases SET county = 'x'")


def test_what_cases_show_is_held_too(booked):
    """A byte of the file beside the ledger."""
    ledger, _ = booked
    shown = max((ledger / "people").iterdir())
    shown.write_bytes(shown.read_bytes() + b" ")
    with pytest.raises(BadDataError, match=f"people/{shown.name} was changed"):
        prove_ledger(ledger)
    shown.write_bytes(shown.read_bytes()[:-900])
    with open_ledger(ledger) as opened:
        case = opened.rows("SELECT case_id FROM cases")[0]["case_id"]
    done = fupin("cases", "show", case, "--ledger", ledger)
    assert done.returncode == 65
    assert "was changed or is damaged" in done.stderr


def test_a_ledger_that_is_gone_is_not_begun_anew(booked):
    """Emptied or deleted, with its key beside it: everybody would be asked twice. Nothing is written by asking."""
    ledger, runs = booked
    for gone in (False, True):
        (ledger / "ledger.db").unlink() if gone else (ledger / "ledger.db").write_bytes(b"")
        for name in ("ledger.db-wal", "ledger.db-shm"):
            (ledger / name).unlink(missing_ok=True)
        for words in (
            ("verify", "--ledger", ledger),
            ("cases", "list", "--ledger", ledger),
            ("cases", "round", runs[0], "--ledger", ledger),
        ):
            done = fupin(*words)
            assert done.returncode == 65
            assert "its key is still there" in done.stderr
        assert (ledger / "ledger.db").exists() is not gone
        assert gone or not (ledger / "ledger.db").stat().st_size


def test_a_ledger_from_before_the_chain_goes_on(booked):
    """Its old rounds have no link; the next one begins the chain."""
    ledger, _ = booked
    with closing(sqlite3.connect(ledger / "ledger.db", isolation_level=None)) as connection:
        for name in ("rounds_are_never_changed", "rounds_are_never_deleted"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DROP TRIGGER cases_stay_what_they_are_about")
        for name in ("chain", "chained_until", "notes", "holds", "people_sha256"):
            connection.execute(f"ALTER TABLE rounds DROP COLUMN {name}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) - 3}")
    with open_ledger(ledger) as opened:
        assert opened.connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
        assert check_ledger(opened) == []
    assert prove_ledger(ledger).chain is None
    run = World(people=8).run(ledger.parent / "r4", date(2020, 4, 1))
    assert fupin("cases", "round", run, "--ledger", ledger).returncode == 0
    assert prove_ledger(ledger, run).chain
