"""The sample, end to end: what was planted is found, nobody else is accused, and every promise that shows there holds."""

import json
import stat

import openpyxl
import polars as pl
import pytest

from check_demo import compare
from conftest import SAMPLE, fupin_process
from fupin_cli.rundir import sha256

DEPARTMENT_RULES = ["CMP-VH1", "CMP-RE1", "CMP-IC1", "CMP-CZ1", "CMP-PS1"]


def test_every_planted_discrepancy_is_found_and_nobody_else_is_accused(demo):
    """Accepted or review band for what was planted; the accepted band holds nothing else."""
    missed, extra = compare(demo, SAMPLE / "truth")
    assert missed.group_by("rule_id").len().rows() == []
    assert extra.filter(pl.col("band") == "accepted").group_by("rule_id").len().rows() == []


def test_true_links_are_accepted_and_accepted_links_are_true(demo):
    """Against the truth file: no accepted link leads to somebody else."""
    truth = pl.read_parquet(SAMPLE / "truth" / "truth.parquet").select("extract", "register_row", "extract_row")
    links = pl.read_parquet(demo / "links.parquet").filter(pl.col("extract") != "register")
    key = ["extract", "register_row", "extract_row"]
    accepted = links.filter(pl.col("decision") == "accepted")
    persons = pl.read_parquet(demo / "persons.parquet").select("register_row", "id_number", "name_key")
    wrong = accepted.join(truth, on=key, how="anti").join(persons, on="register_row")
    # the same person entered twice in the register is linked on both rows; the truth file names one of them
    twice = persons.group_by("id_number", "name_key").len().filter(pl.col("len") > 1)
    assert wrong.join(twice, on=["id_number", "name_key"], how="anti").height == 0
    found = truth.join(links.filter(pl.col("decision") != "rejected"), on=key, how="semi")
    assert found.height / truth.height > 0.98
    assert truth.join(accepted, on=key, how="semi").height / truth.height > 0.95


def test_outcomes_partition_the_households(demo):
    """met + not_met + unknown + not_applicable = households, for every rule: counted for all, written out unless it is brief.

    Of the brief checks of the register against itself, only whom somebody must look at is written.
    """
    outcomes = pl.read_parquet(demo / "outcomes.parquet")
    households = pl.read_parquet(demo / "households.parquet").height
    assert outcomes.group_by("rule_id", "household_id").len()["len"].max() == 1
    written = dict(outcomes.group_by("rule_id").len().rows())
    rules = json.loads((demo / "digest.json").read_text(encoding="utf-8"))["rules"]
    told = [rule for rule in rules if rule["level"] in ("person", "household")]
    for rule in told:
        parts = rule["hits"] + rule["clears"] + rule["unknowns"] + rule["not_applicable"]
        assert parts == rule["examined"] == households, rule["rule_id"]
        assert written.get(rule["rule_id"], 0) == (rule["hits"] if rule["brief"] else households), rule["rule_id"]
    assert len([rule for rule in told if rule["brief"]]) > 100
    assert {rule["rule_id"] for rule in told} >= set(written)


def test_rows_read_are_used_or_set_aside(demo):
    """Control totals hold for every sheet, and every row set aside is in set_aside.parquet."""
    digest = json.loads((demo / "digest.json").read_text(encoding="utf-8"))
    for account in digest["accounts"]:
        assert account["rows_read"] == account["rows_used"] + sum(reason["count"] for reason in account["reasons"])
    total = sum(account["rows_set_aside"] for account in digest["accounts"])
    assert pl.read_parquet(demo / "set_aside.parquet").height == total


def test_references_lead_to_the_row_in_the_office_file(demo):
    """Promise 3: file, sheet and row of a finding are where its person stands, in a workbook opened by another reader."""
    findings = pl.read_parquet(demo / "findings.parquet").filter(pl.col("register_source").is_not_null())
    books = {name: openpyxl.load_workbook(SAMPLE / name) for name in findings["register_source"].unique()}
    some = findings.filter(pl.col("name").is_not_null()).gather_every(7)
    raw = pl.read_parquet(demo / "persons.parquet").select("register_row", "name_raw")
    for row in some.join(raw, on="register_row").to_dicts():
        cells = [cell.value for cell in books[row["register_source"]][row["register_sheet"]][row["register_at"]]]
        assert row["name_raw"] in cells


def test_the_township_workbook_is_ready_to_send(demo):
    """One sheet per village, IDs as text, dropdowns where an answer is expected."""
    books = sorted((demo / "workbooks").rglob("*疑点核查表*.xlsx"))
    assert len(books) >= 6
    book = openpyxl.load_workbook(books[0])
    villages = [sheet for sheet in book if sheet.title.endswith(("村", "社区"))]
    assert villages
    assert all(sheet.data_validations.dataValidation for sheet in villages)


def test_outputs_are_private(demo):
    """Every file 0600, every folder 0700."""
    for path in demo.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path.name


def test_the_manifest_names_every_input_and_output(demo):
    """sha256 of what went in and of what came out."""
    manifest = json.loads((demo / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["outputs"]["digest.json"] == sha256(demo / "digest.json")
    files = {p.relative_to(demo).as_posix() for p in demo.rglob("*") if p.is_file()} - {"manifest.json"}
    assert set(manifest["outputs"]) == files
    listed = "qinghe-photos county/青禾县/新华村四处照相"  # a folder's list has one hash, whatever is on the photos
    assert len(manifest["inputs"].pop(listed)) == 64
    for name, digest in manifest["inputs"].items():
        assert sha256(SAMPLE / name) == digest
    assert "shipped/exit/national.toml" in manifest["rules"]


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """The sample run once more: by one thread, with another hash seed, and saying all that it says as JSON on a wide screen."""
    folder = tmp_path_factory.mktemp("again") / "run"
    settings = {"POLARS_MAX_THREADS": "1", "PYTHONHASHSEED": "7", "COLUMNS": "300"}
    return fupin_process("run", SAMPLE, "-o", folder, "--json", "--exit-code", **settings), folder


def test_same_inputs_same_bytes(demo, again):
    """Another process, one thread, another hash seed: every output is the same, byte for byte."""
    folders = demo, again[1]
    outputs = [json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["outputs"] for folder in folders]
    assert outputs[0] == outputs[1]


def test_no_person_on_the_terminal(again):
    """Neither names nor numbers reach stdout or stderr; with --json, stdout holds the digest and nothing else."""
    done, folder = again
    assert done.returncode == 10
    assert json.loads(done.stdout)["findings"] > 0
    persons = pl.read_parquet(folder / "persons.parquet")
    for column in ("id_number", "household_id", "person_id"):
        shown = [
            value for value in persons[column].drop_nulls().unique() if value in done.stdout or value in done.stderr
        ]
        assert not shown
    long_names = persons["name"].drop_nulls().unique().to_frame().filter(pl.col("name").str.len_chars() >= 3)["name"]
    assert not [name for name in long_names if name in done.stdout or name in done.stderr]


def test_the_county_round_alone(demo, tmp_path):
    """--stage county knows no province extract: those rules are reported as not run, never as clear."""
    done = fupin_process("run", SAMPLE, "-o", tmp_path / "run", "--stage", "county")
    assert done.returncode == 0
    digest = json.loads((tmp_path / "run" / "digest.json").read_text(encoding="utf-8"))
    assert digest["stages"] == ["county"]
    rules = {rule["rule_id"]: rule for rule in digest["rules"]}
    assert rules["CMP-VH1"]["not_run"]
    assert rules["CMP-VH1"]["clears"] == 0
    outcomes = pl.read_parquet(tmp_path / "run" / "outcomes.parquet").filter(pl.col("rule_id") == "CMP-VH1")
    assert set(outcomes["outcome"]) == {"unknown"}


@pytest.mark.parametrize("rule", DEPARTMENT_RULES)
def test_a_finding_stands_on_both_sides_values_date_and_basis(demo, rule):
    """Promise 5: register value, department value, as-of date and match basis side by side, and worded as a clue."""
    findings = pl.read_parquet(demo / "findings.parquet").filter(pl.col("rule_id") == rule)
    assert findings.height
    for column in ("department_value", "as_of", "basis", "evidence", "extract_source", "extract_at"):
        assert findings[column].null_count() == 0, column
