"""Sealed folders open with their key only; what is old is really deleted, and that is recorded; unmasked output leaves a trace."""

import io
import json
import os
import pwd
import random
import shutil
import tarfile
import time
from datetime import date

import polars as pl
import pyrage
import pytest
from openpyxl import load_workbook

import fupin_cli.seal
from conftest import fupin_process
from fupin_cli.casework import writing_ledger
from fupin_cli.errors import BadDataError
from fupin_cli.report.masking import mask_id
from fupin_cli.seal import seal, unseal
from fupin_cli.traces import ACCESS, record
from fupin_cli.vocabulary import label
from loop_world import RULES, World
from test_signals import told


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def key(tmp_path):
    """A key: its file, and its public half."""
    done = fupin_process("seal", "key", tmp_path / "county.key")
    assert done.returncode == 0
    return tmp_path / "county.key", next(word for word in done.stdout.split() if word.startswith("age1"))


def test_a_sealed_run_opens_with_its_key_only(demo, tmp_path, key):
    """Byte for byte the same afterwards; no name and no number can be seen in the sealed file; another key, others' eyes, none."""
    file, public = key
    shutil.copytree(demo, tmp_path / "run")
    before = told(demo)
    assert fupin_process("seal", "close", tmp_path / "run", "--to", public, "--remove").returncode == 0
    assert not (tmp_path / "run").exists()
    sealed = tmp_path / "run.age"
    assert sealed.stat().st_mode & 0o777 == 0o600
    data = sealed.read_bytes()
    for said in (
        pl.read_parquet(demo / "persons.parquet").select("name", "id_number").head(200).unpivot()["value"].drop_nulls()
    ):
        assert said.encode() not in data
    other = tmp_path / "other.key"
    fupin_process("seal", "key", other)
    assert fupin_process("seal", "open", sealed, "--key", other).returncode == 65
    file.chmod(0o644)
    assert fupin_process("seal", "open", sealed, "--key", file).returncode == 77
    file.chmod(0o600)
    assert fupin_process("seal", "open", sealed, FUPIN_SEAL_KEY="").returncode == 66
    assert not (tmp_path / "run").exists()
    secret = file.read_text(encoding="ascii").splitlines()[1]
    assert fupin_process("seal", "open", sealed, FUPIN_SEAL_KEY=secret).returncode == 0
    assert told(tmp_path / "run") == before
    assert fupin_process("verify", tmp_path / "run").returncode == 0
    assert fupin_process("seal", "open", sealed, "--key", file).returncode == 73  # never over what is there


def test_a_damaged_sealed_file_leaves_nothing(tmp_path, key):
    """Cut anywhere or with a bit changed: refused whole, nothing of it is unpacked."""
    file, public = key
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a").write_bytes(random.Random(1).randbytes(300_000))
    assert fupin_process("seal", "close", tmp_path / "run", "--to", public, "--remove").returncode == 0
    data, rnd = (tmp_path / "run.age").read_bytes(), random.Random(2)
    for n in range(20):
        at = rnd.randrange(len(data))
        broken = data[:at] if n % 2 else data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        (tmp_path / "run.age").write_bytes(broken)
        with pytest.raises(Exception, match="does not open it"):
            unseal(tmp_path / "run.age", tmp_path / "out", file.read_text(encoding="ascii").splitlines()[1])
        assert sorted(p.name for p in tmp_path.iterdir() if "run.lock" not in p.name) == ["county.key", "run.age"]


def test_a_sealed_archive_cannot_write_elsewhere(tmp_path, key):
    """Sealed for us by somebody else, with names that climb out: refused, nothing is written outside."""
    file, public = key
    plain = tmp_path / "evil.tar"
    with tarfile.open(plain, "w") as archive:
        archive.add(file, arcname="../escaped")
    pyrage.encrypt_file(str(plain), str(tmp_path / "evil.age"), [pyrage.x25519.Recipient.from_str(public)])
    (tmp_path / "in").mkdir()
    done = fupin_process("seal", "open", tmp_path / "evil.age", "--key", file, "-o", tmp_path / "in" / "out")
    assert (done.returncode, "leads out of the folder; nothing was written" in done.stderr) == (65, True)
    assert not (tmp_path / "escaped").exists()
    assert not list((tmp_path / "in").iterdir())


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.symlink_to("/etc/hostname"),
        lambda path: path.symlink_to("../elsewhere"),
        lambda path: path.symlink_to(path.parent / "a"),  # inside, but by a path from the root
        lambda path: (path.with_name("b").symlink_to("deep/er"), path.symlink_to("b/../../../x")),
        lambda path: (path.with_name("b").symlink_to("."), path.symlink_to("deep/../b/deep/../../x")),
        os.mkfifo,
    ],
)
def test_what_could_not_be_opened_again_is_not_closed_and_not_removed(tmp_path, key, make):
    """A link that leads out, by its words or by other links, and a pipe: named by its path; nothing is written or removed."""
    _, public = key
    (tmp_path / "run" / "deep" / "er").mkdir(parents=True)
    (tmp_path / "run" / "a").write_text("kept", encoding="utf-8")
    make(tmp_path / "run" / "l")
    done = fupin_process("seal", "close", tmp_path / "run", "--to", public, "--remove")
    assert done.returncode == 65
    assert f"{tmp_path / 'run' / 'l'}: this" in done.stderr
    assert f"rm {tmp_path / 'run' / 'l'}" in done.stderr
    assert (tmp_path / "run" / "a").is_file()
    assert not (tmp_path / "run.age").exists()


def test_links_inside_a_folder_are_sealed_and_opened_again(tmp_path, key):
    """To a neighbour, up and down, to the folder itself, and a second name of one file: all is there afterwards."""
    file, public = key
    (tmp_path / "run" / "deep").mkdir(parents=True)
    (tmp_path / "run" / "a").write_text("kept", encoding="utf-8")
    (tmp_path / "run" / "also").hardlink_to(tmp_path / "run" / "a")
    (tmp_path / "run" / "deep" / "up").symlink_to("../a")
    (tmp_path / "run" / "self").symlink_to(".")
    assert fupin_process("seal", "close", tmp_path / "run", "--to", public, "--remove").returncode == 0
    assert fupin_process("seal", "open", tmp_path / "run.age", "--key", file).returncode == 0
    assert {(tmp_path / "run" / name).read_text(encoding="utf-8") for name in ("a", "also", "deep/up", "self/a")} == {
        "kept"
    }
    (tmp_path / "link").symlink_to("run")
    done = fupin_process("seal", "close", tmp_path / "link", "--to", public, "--remove")
    assert (done.returncode, "link to a folder" in done.stderr) == (65, True)
    assert (tmp_path / "link").is_symlink()


def test_a_folder_that_changes_while_it_is_sealed_is_not_removed(tmp_path, key, monkeypatch):
    """What went into the sealed file is read again while it is written, and is not what lay there: nothing is kept of it."""
    _, public = key
    (tmp_path / "run").mkdir()
    looked = fupin_cli.seal._held

    def then_changed(folder):
        held = looked(folder)
        (folder / "new").symlink_to("/etc/hostname")
        return held

    monkeypatch.setattr(fupin_cli.seal, "_held", then_changed)
    with pytest.raises(BadDataError, match="changed while it was sealed"):
        seal(tmp_path / "run", tmp_path / "run.age", public, gone=True)
    assert (tmp_path / "run").is_dir()
    assert not (tmp_path / "run.age").exists()


@pytest.mark.parametrize(
    ("linked", "said"), [("/etc/hostname", "leads out of the folder"), (None, "neither a file nor a folder")]
)
def test_what_a_sealed_file_holds_that_may_not_be_is_told_always_the_same(tmp_path, key, linked, said):
    """Large enough that the rest is still on its way when the first member is refused; no pipe of ours is taken for stdout."""
    file, public = key
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        member = tarfile.TarInfo("run/l")
        member.type, member.linkname = (tarfile.SYMTYPE, linked) if linked else (tarfile.FIFOTYPE, "")
        archive.addfile(member)
        member = tarfile.TarInfo("run/z")
        member.size = 3_000_000
        archive.addfile(member, io.BytesIO(random.Random(1).randbytes(member.size)))
    pyrage.encrypt_file(
        str(tmp_path / "evil.tar"), str(tmp_path / "evil.age"), [pyrage.x25519.Recipient.from_str(public)]
    )
    for _ in range(3):
        done = fupin_process("seal", "open", tmp_path / "evil.age", "--key", file, "-o", tmp_path / "out")
        assert (done.returncode, said in done.stderr) == (65, True)
        assert "nothing was written" in done.stderr
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("names", [[], ["a", "b"]])
def test_a_sealed_file_of_no_folder_is_told_as_such(tmp_path, key, names):
    """Empty, or two things side by side: not what closing makes."""
    file, public = key
    with tarfile.open(tmp_path / "odd.tar", "w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    pyrage.encrypt_file(
        str(tmp_path / "odd.tar"), str(tmp_path / "odd.age"), [pyrage.x25519.Recipient.from_str(public)]
    )
    done = fupin_process("seal", "open", tmp_path / "odd.age", "--key", file)
    assert (done.returncode, "holds no folder" in done.stderr) == (65, True)


def test_a_key_is_never_overwritten_and_nonsense_is_said(tmp_path, key):
    """The second key into the same file is refused; what is no key is told as such and not repeated."""
    file, public = key
    assert fupin_process("seal", "key", file).returncode == 73
    assert file.stat().st_mode & 0o777 == 0o600
    (tmp_path / "x").mkdir()
    assert fupin_process("seal", "close", tmp_path / "x", "--to", "age1nonsense").returncode == 78
    assert fupin_process("seal", "close", tmp_path / "nowhere", "--to", public).returncode == 66
    assert fupin_process("seal", "close", tmp_path / "x", "--to", public, "-o", tmp_path / "x" / "y").returncode == 2


def aged(path, days):
    then = time.time() - days * 86_400
    for each in [path, *path.rglob("*")] if path.is_dir() else [path]:
        os.utime(each, (then, then))


def test_what_is_old_is_really_deleted_and_that_is_recorded(demo, sample, tmp_path):
    """An old run, an old sealed file and old cached rows go; a young one, an answered one and a stranger's folder stay."""
    runs = sample / "runs"
    for name in ("old", "young", "answered"):
        shutil.copytree(demo, runs / name)
    (runs / "old.age").write_bytes(b"x")
    (runs / "thesis").mkdir()
    (runs / "answered" / "notes.txt").write_text("mine", encoding="utf-8")
    for name in ("old", "answered", "old.age", "thesis"):
        aged(runs / name, 100)
    listed = fupin_process("purge", sample, "--older-than", "90", "--dry-run")
    assert "would be deleted" in listed.stdout
    assert (runs / "old").is_dir()
    done = fupin_process("purge", sample, "--older-than", "90")
    assert done.returncode == 0, done.stderr
    assert {p.name for p in runs.iterdir() if not p.name.startswith(".")} == {"young", "answered", "thesis"}
    size = sum(file.stat().st_size for file in (runs / "answered").rglob("*") if file.is_file())
    assert f"answered　{size:,} bytes　left alone" in done.stdout
    recorded = lines(sample / ".fupin" / "purged.jsonl")
    assert sorted((line["kind"], line["what"].split()[0]) for line in recorded) == [
        ("run", "old"),
        ("sealed", "old.age"),
    ]
    assert all(line["user"] and line["time"] and line["older_than_days"] == 90 for line in recorded)


def test_a_batch_goes_when_nobody_waits_for_it(tmp_path):
    """Its cases are out: it stays. They are cleared by the next round: it goes, the ledger is still whole."""
    world, ledger = (
        World(people=4, said={(person, rule): 1 for person in range(4) for rule in RULES}),
        tmp_path / "cases",
    )
    fupin_process("cases", "round", world.run(tmp_path / "r1", date(2020, 1, 1)), "--ledger", ledger)
    assert fupin_process("cases", "dispatch", "--due", "2100-01-01", "--ledger", ledger).returncode == 0
    aged(ledger / "batches", 400)
    done = fupin_process("purge", tmp_path, "--older-than", "365")
    assert "wait for answers" in done.stdout
    assert (ledger / "batches" / "B0001").is_dir()
    world.said = dict.fromkeys(world.said)
    fupin_process("cases", "round", world.run(tmp_path / "r2", date(2020, 2, 1)), "--ledger", ledger)
    assert fupin_process("purge", tmp_path, "--older-than", "365").returncode == 0
    assert not (ledger / "batches" / "B0001").exists()
    assert fupin_process("verify", "--ledger", ledger).returncode == 0


def test_persons_of_cases_go_when_the_cases_are_done(tmp_path):
    """Open ones are kept, and that is said; cleared ones are deleted and recorded; show says so, and the ledger goes on."""
    world, ledger = World(people=4, said={(person, "CMP-VH1"): 1 for person in range(4)}), tmp_path / "cases"
    fupin_process("cases", "round", world.run(tmp_path / "r1", date(2020, 1, 1)), "--ledger", ledger)
    done = fupin_process("purge", tmp_path, "--older-than", "0")
    assert "4/4" in done.stdout
    assert "open or exempt" in done.stdout
    assert persons(ledger).height == 4
    world.said = {(0, "CMP-VH1"): 1}  # the others are cleared by the data
    fupin_process("cases", "round", world.run(tmp_path / "r2", date(2020, 2, 1)), "--ledger", ledger)
    names = {row["name"]: row["case_id"] for row in persons(ledger).to_dicts()}
    assert len(names) == 4
    assert "nothing is that old" in fupin_process("purge", tmp_path, "--older-than", "30").stdout
    assert "would be deleted" in fupin_process("purge", tmp_path, "--older-than", "0", "--dry-run").stdout
    assert persons(ledger).height == 4
    assert fupin_process("purge", tmp_path, "--older-than", "0").returncode == 0
    left = persons(ledger)["name"].to_list()
    assert len(left) == 1
    assert all(name.encode() not in file.read_bytes() for name in names if name not in left for file in files(ledger))
    (line,) = lines(tmp_path / ".fupin" / "purged.jsonl")
    assert (line["kind"], line["what"].split()[1]) == ("people", "3/4")
    gone = next(case for name, case in names.items() if name not in left)
    shown = fupin_process("cases", "show", gone, "--ledger", ledger)
    assert shown.returncode == 0, shown.stderr
    assert "deleted under retention" in shown.stdout
    told = json.loads(fupin_process("cases", "show", gone, "--ledger", ledger, "--json").stdout)
    assert told["name"] is None
    assert date.fromisoformat(told["purged"]) >= date(2026, 1, 1)
    assert fupin_process("cases", "show", gone, "--ledger", ledger, "-o", tmp_path / "one.xlsx").returncode == 0
    (_, fact) = next(row for row in sheet_rows(tmp_path / "one.xlsx") if row[0] == label("evidence"))
    assert "已按保存期限删除" in fact
    assert "4" in fupin_process("cases", "list", "--ledger", ledger).stderr
    assert fupin_process("verify", "--ledger", ledger).returncode == 0
    assert fupin_process("cases", "dispatch", "--due", "2100-01-01", "--ledger", ledger).returncode == 0
    world.said = {(person, "CMP-VH1"): 2 for person in range(4)}
    fupin_process("cases", "round", world.run(tmp_path / "r3", date(2020, 3, 1)), "--ledger", ledger)
    assert persons(ledger).height == 4
    assert fupin_process("verify", "--ledger", ledger).returncode == 0


def test_a_closed_case_whose_person_is_gone_is_not_asked_again_without_a_round(tmp_path):
    """The next batch could not say whom it asks about: refused, and told what to type."""
    world, ledger = World(people=1, said={(0, "CMP-VH1"): 1}), tmp_path / "cases"
    fupin_process("cases", "round", world.run(tmp_path / "r1", date(2020, 1, 1)), "--ledger", ledger)
    case = persons(ledger)["case_id"][0]
    evidence = pl.DataFrame({"case_id": [case], "kind": ["closed"], "day": ["2020-01-05"]})
    with writing_ledger(ledger) as opened, opened.writing():
        opened.add_events(evidence.with_columns(evidence=opened.cases()["evidence"]))
    assert fupin_process("purge", tmp_path, "--older-than", "0").returncode == 0
    assert persons(ledger).height == 0
    done = fupin_process("cases", "reopen", case, "--reason", "群众反映", "--by", "李某", "--ledger", ledger)
    assert (done.returncode, "shows nobody any more" in done.stderr) == (2, True)
    assert "fupin cases round RUN" in done.stderr


def persons(ledger):
    (file,) = (ledger / "people").iterdir()
    return pl.read_parquet(file)


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def sheet_rows(path):
    return [[str(cell.value or "") for cell in row[:2]] for row in load_workbook(path)["核查件"].iter_rows()]


def test_who_sees_people_unmasked_is_recorded_or_sees_nothing(demo, tmp_path):
    """A line for each --unmask, itself without the full number; where no line can be written, nothing is shown."""
    shutil.copytree(demo, tmp_path / "run")
    home = pl.read_parquet(demo / "persons.parquet")["household_id"].drop_nulls()[0]
    assert fupin_process("explain", home, "--run", tmp_path / "run").returncode == 0
    access = tmp_path / ".fupin" / "access.jsonl"
    assert not access.exists()
    assert fupin_process("explain", home, "--run", tmp_path / "run", "--unmask").returncode == 0
    (line,) = lines(access)
    assert line["run"] == "run"
    assert home not in access.read_text(encoding="utf-8")
    assert fupin_process("rules", "explain", home, "--run", tmp_path / "run", "--unmask").returncode == 0
    assert len(lines(access)) == 2
    assert access.stat().st_mode & 0o777 == 0o600
    shutil.rmtree(tmp_path / ".fupin")
    (tmp_path / ".fupin").write_text("", encoding="utf-8")
    done = fupin_process("explain", home, "--run", tmp_path / "run", "--unmask")
    assert (done.returncode, done.stdout) == (73, "")


def test_what_was_shown_is_recorded_where_it_is_nobodys_number(demo, tmp_path):
    """A rule, a finding by its whole key, however it was typed; the user is the system's, whatever the environment says."""
    shutil.copytree(demo, tmp_path / "run")
    found = pl.read_parquet(demo / "findings.parquet").sort("finding_key")
    key, rule = found["finding_key"][0], found["rule_id"][0]
    home = pl.read_parquet(demo / "persons.parquet")["household_id"].drop_nulls()[0]
    for target in (rule.lower(), key[:12], home, "row:9"):
        done = fupin_process("explain", target, "--run", tmp_path / "run", "--unmask", LOGNAME="nobody-else", USER="x")
        assert done.returncode == 0, done.stderr
    recorded = lines(tmp_path / ".fupin" / "access.jsonl")
    assert [line["shown"] for line in recorded] == [rule, key, mask_id(home), "***"]
    assert {line["user"] for line in recorded} == {pwd.getpwuid(os.getuid()).pw_name}


def test_a_user_without_a_name_is_recorded_by_number(tmp_path, monkeypatch):
    """As in a container."""
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_123)
    record(tmp_path, ACCESS, shown="CMP-PS1")
    (line,) = lines(tmp_path / ".fupin" / "access.jsonl")
    assert line["user"] == "4000000123"


def test_people_in_a_file_are_recorded_or_not_written(tmp_path):
    """A case's workbook and labels have people in full: a line beside the ledger first; the terminal is masked, and needs none."""
    world, ledger = World(people=1, said={(0, "CMP-VH1"): 1}), tmp_path / "cases"
    fupin_process("cases", "round", world.run(tmp_path / "r1", date(2020, 1, 1)), "--ledger", ledger)
    case = persons(ledger)["case_id"][0]
    assert fupin_process("cases", "show", case, "--ledger", ledger).returncode == 0
    access = tmp_path / ".fupin" / "access.jsonl"
    assert not access.exists()
    book = tmp_path / "one.xlsx"
    assert fupin_process("cases", "show", case, "--ledger", ledger, "-o", book).returncode == 0
    (line,) = lines(access)
    assert (line["ledger"], line["shown"]) == ("cases", case)
    assert fupin_process("cases", "labels", "--ledger", ledger, "-o", tmp_path / "labels.csv").returncode == 0
    assert lines(access)[-1]["shown"] == "labels"
    book.unlink()
    shutil.rmtree(tmp_path / ".fupin")
    (tmp_path / ".fupin").write_text("", encoding="utf-8")
    assert fupin_process("cases", "show", case, "--ledger", ledger, "-o", book).returncode == 73
    assert not book.exists()
