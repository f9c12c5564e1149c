"""The commands, as a user types them."""

import fcntl
import signal
import subprocess
import time

import polars as pl
import pytest

from conftest import FUPIN, SAMPLE, fupin
from fupin_cli.cli.main import COMMANDS

REGISTER = SAMPLE / "register" / "青禾县_（自定义）脱贫人口信息_20191120.xlsx"
EXTRACT = SAMPLE / "county" / "青禾县" / "青禾县民政局_农村低保发放明细_201910.xlsx"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches(name):
    """Help says what it does in both languages and shows examples."""
    for language, heading in (("en", "Examples:"), ("zh", "示例：")):
        done = fupin("--lang", language, name, "--help")
        assert done.returncode == 0
        assert heading in done.stdout
    assert any("\u4e00" <= character <= "\u9fff" for character in done.stdout)


def test_help_and_version_answer_alone():
    """The list of commands, and the version."""
    assert all(name in fupin("--help").stdout for name in COMMANDS)
    assert fupin("--version").stdout.startswith("fupin, version ")


def test_link_two_office_files(tmp_path):
    """The contract of links.parquet: names, dtypes, 0-based data rows."""
    out = tmp_path / "links.parquet"
    done = fupin("link", REGISTER, EXTRACT, "-o", out)
    assert done.returncode == 0, done.stderr
    links = pl.read_parquet(out)
    assert (
        dict(links.schema.items()).items()
        >= {
            "register_row": pl.Int64(),
            "extract_row": pl.Int64(),
            "match_weight": pl.Float64(),
            "match_probability": pl.Float64(),
            "decision": pl.String(),
            "basis": pl.String(),
            "tied": pl.Boolean(),
        }.items()
    )
    assert set(links["decision"]) <= {"accepted", "review", "rejected"}
    assert links.filter(pl.col("decision") == "accepted").height > 100
    assert links["register_row"].min() >= 0


def test_link_writes_what_its_name_says(tmp_path):
    """A .csv opens in Excel; a suffix that cannot be written is refused with one that can."""
    done = fupin("link", REGISTER, EXTRACT, "-o", tmp_path / "links.csv", "-q")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "links.csv").read_bytes().startswith(b"\xef\xbb\xbfregister_row")
    done = fupin("link", REGISTER, EXTRACT, "-o", tmp_path / "links.xlsx")
    assert done.returncode == 2
    assert "links.csv" in done.stderr


def test_link_with_a_profile_of_ones_own(tmp_path):
    """Headers that no shipped profile knows, named in a file."""
    people = "品名,凭证\n张伟,990121198506153016\n王芳,990121199001011228\n"
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(people, encoding="utf-8")
    refused = fupin("link", tmp_path / "a.csv", tmp_path / "b.csv", "-o", tmp_path / "l.parquet")
    assert refused.returncode == 65
    assert "--profile" in refused.stderr
    (tmp_path / "p.toml").write_text(
        'profile = "odd"\ndepartment = "某局"\ntitle = "某表"\ntitle_en = "some table"\nrequired = ["name"]\n'
        '[fields.name]\ntype = "name"\nheaders = ["品名"]\n[fields.id_number]\ntype = "id"\nheaders = ["凭证"]\n',
        encoding="utf-8",
    )
    done = fupin(
        "link", tmp_path / "a.csv", tmp_path / "b.csv", "-o", tmp_path / "l.parquet", "--profile", tmp_path / "p.toml"
    )
    assert done.returncode == 0, done.stderr
    accepted = pl.read_parquet(tmp_path / "l.parquet").filter(pl.col("decision") == "accepted")
    assert accepted.select("register_row", "extract_row").rows() == [(0, 0), (1, 1)]


def test_inspect_shows_how_a_file_is_read_and_no_person():
    """Container, header row, mapping, ID health; examples are masked."""
    done = fupin("inspect", REGISTER, COLUMNS="200")
    assert done.returncode == 0, done.stderr
    for word in ("xlsx", "register", "household_id", "ID numbers in ", " valid "):
        assert word in done.stdout


def test_init_drafts_a_project_that_runs(tmp_path, sample):
    """The draft names register, kinds, dates and coverage, and can be run as it is."""
    (sample / "fupin.toml").unlink()
    done = fupin("init", sample)
    assert done.returncode == 0, done.stderr
    text = (sample / "fupin.toml").read_text(encoding="utf-8")
    assert 'profile = "dibao"' in text
    assert 'coverage = ["青禾县"]' in text
    assert fupin("init", sample).returncode == 73
    ran = fupin("run", sample, "-o", tmp_path / "run", "-q", "--stage", "county")
    assert ran.returncode == 0, ran.stderr


def test_rules_list_show_check_test_and_copy(tmp_path):
    """The packs are listed, explained, checked and tested; a copy can be changed and is then used."""
    packs = fupin("rules", "list").stdout
    assert "exit-national  National exit standard" in packs
    assert "monitoring" in packs
    assert "NAT-H-1" not in packs
    assert "NAT-H-1 " in fupin("rules", "list", "--all").stdout
    assert "NAT-H-1 " in fupin("rules", "list", "--pack", "exit-national").stdout
    shown = fupin("rules", "show", "NAT-H-1").stdout
    assert "income_per_head_yuan > line_yuan" in shown
    assert "厅字〔2016〕16号" in shown
    assert fupin("rules", "check").returncode == 0
    tested = fupin("rules", "test")
    assert tested.returncode == 0
    assert "failed 0" in tested.stdout
    near = fupin("rules", "show", "NAT-H-9")
    assert near.returncode == 2
    assert "fupin rules show NAT-H-" in near.stderr
    assert fupin("rules", "copy", tmp_path / "rules").returncode == 0
    pack = tmp_path / "rules" / "exit" / "national.toml"
    pack.write_text(
        pack.read_text(encoding="utf-8").replace("income_per_head_yuan = 3500.0", "income_per_head_yuan = 2500.0", 1),
        encoding="utf-8",
    )
    failed = fupin("rules", "test", "--project", tmp_path)
    assert failed.returncode == 78
    assert "NAT-H-1" in failed.stdout


def test_explain_a_household_a_person_and_a_finding(demo):
    """Which fact, from which file and row, under which rule and citation; masked unless asked for."""
    findings = pl.read_parquet(demo / "findings.parquet").filter(pl.col("rule_id") == "CMP-EX1")
    home = findings["household_id"][0]
    done = fupin("explain", home, "--run", demo)
    assert done.returncode == 0, done.stderr
    for word in ("NAT-H-1", "cited:", "register/", "row ", "CMP-EX1"):
        assert word in done.stdout
    persons = pl.read_parquet(demo / "persons.parquet").filter(pl.col("household_id") == home)
    assert not [n for n in persons["id_number"].drop_nulls() if n in done.stdout]
    plain = fupin("explain", home, "--run", demo, "--unmask").stdout
    assert persons["name"].drop_nulls()[0] in plain
    person = fupin("explain", persons["id_number"].drop_nulls()[0], "--run", demo)
    assert "bits" in person.stdout
    twice = pl.read_parquet(demo / "findings.parquet").filter(pl.col("rule_id") == "CMP-DUP2").row(0, named=True)
    masked = fupin("explain", twice["finding_key"], "--run", demo).stdout
    assert not [twice[key] for key in ("name", "listed_name", "id_number") if twice[key] in masked]
    one = fupin("explain", findings["finding_key"][0][:10], "--run", demo)
    assert one.returncode == 0
    assert "CMP-EX1 Exited without reaching the standard" in one.stdout
    nothing = fupin("explain", "nobody", "--run", demo)
    assert nothing.returncode == 2
    assert "copy the number of a finding or of a household" in nothing.stderr


def test_office_files_are_of_two_counties(tmp_path):
    """What --office does not heed is refused, and nothing is written."""
    done = fupin("synth", tmp_path / "new", "--office", "--counties", "1")
    assert done.returncode == 2
    assert "--counties does not go with --office" in done.stderr
    assert f"fupin synth {tmp_path / 'new'} --office" in done.stderr
    assert not (tmp_path / "new").exists()


def test_synth_is_the_same_each_time(tmp_path):
    """Two calls, the same bytes."""
    for name in ("a", "b"):
        assert fupin("synth", tmp_path / name, "--persons", "300").returncode == 0
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_by_a_signal(tmp_path, sent, code):
    """A run that is told to stop leaves with the code for that, and nothing under the final name."""
    words = [str(FUPIN), "run", str(SAMPLE), "-o", str(tmp_path / "run")]
    with subprocess.Popen(words, stderr=subprocess.PIPE, encoding="utf-8") as process:
        while not (tmp_path / ".run.partial").exists():
            time.sleep(0.02)
        process.send_signal(sent)
        errors = process.communicate()[1]
    assert process.returncode == code
    assert "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir()] == [".run.lock"]


def test_two_runs_at_once(small, tmp_path):
    """While one run holds the folder the other leaves with 75."""
    with (tmp_path / ".run.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = fupin("run", small, "-o", tmp_path / "run")
    assert done.returncode == 75
    assert "another run" in done.stderr
