"""A finished round judged again: explained by any pack, compared under two; and what two packs ask differently."""

import json
import shutil

import polars as pl
import pytest

from conftest import SAMPLE, fupin

NATIONAL = "exit/national.toml"


@pytest.fixture(scope="module")
def stricter(tmp_path_factory):
    """A copy of the national pack with a line a fifth higher."""
    folder = tmp_path_factory.mktemp("rules") / "copy"
    assert fupin("rules", "copy", folder).returncode == 0
    pack = folder / NATIONAL
    text = pack.read_text(encoding="utf-8")
    pack.write_text(
        text.replace("income_per_head_yuan > line_yuan", "income_per_head_yuan > 1.2 * line_yuan"), encoding="utf-8"
    )
    return pack


def test_diff_shows_the_changed_condition_alone(stricter):
    """A pack beside its changed copy: one rule, one key."""
    done = fupin("rules", "diff", "exit-national", stricter)
    assert done.returncode == 0, done.stderr
    assert "income_per_head_yuan > line_yuan → income_per_head_yuan > 1.2 * line_yuan" in done.stdout
    assert done.stdout.count("~") == 1
    assert "no difference" in fupin("rules", "diff", "exit-national", "exit-national").stdout
    assert "only in A" in fupin("rules", "diff", "shangrao", "chongqing").stdout


def test_compare_names_each_household_and_why(demo, stricter, tmp_path):
    """Households that pass today's line and not the higher one, with both reasons; nobody else."""
    done = fupin(
        "rules", "compare", "--pack", "exit-national", "--pack", stricter, "--run", demo, "--csv", tmp_path / "c.csv"
    )
    assert done.returncode == 0, done.stderr
    changes = pl.read_csv(tmp_path / "c.csv", schema_overrides={"household_id": pl.String}).filter(
        pl.col("rule_a") == "NAT-H-1"
    )
    homes = pl.read_parquet(demo / "outcomes.parquet").filter(
        (pl.col("rule_id") == "NAT-H-1") & (pl.col("outcome") == "met")
    )
    assert changes.height
    assert set(changes["household_id"]) <= set(homes["household_id"])
    assert changes.select("outcome_a", "outcome_b").unique().rows() == [("met", "not_met")]
    assert "标准线" in changes["reason_a"][0]


def test_programs_get_what_people_read(demo, stricter):
    """A rule, a difference, a comparison and a household's trace as JSON: the same counts, conditions and outcomes."""
    asked = json.loads(fupin("rules", "show", "NAT-H-1", "--json").stdout)
    assert (asked["condition"], asked["effective_to"]) == ("income_per_head_yuan > line_yuan", "2020-12-31")
    assert {"given": {"income_per_head_yuan": 2952.0, "exit_year": 2016}, "then": "not_met"} in asked["examples"]
    (changed,) = json.loads(fupin("rules", "diff", "exit-national", stricter, "--json").stdout)["changed"]
    assert changed == {
        "rule_id": "NAT-H-1",
        "key": "condition",
        "a": "income_per_head_yuan > line_yuan",
        "b": "income_per_head_yuan > 1.2 * line_yuan",
    }
    packs = ("--pack", "exit-national", "--pack", stricter, "--run", demo)
    told = json.loads(fupin("rules", "compare", *packs, "--json").stdout)
    homes = {row["household_id"] for row in told["households"] if row["rule_a"] == "NAT-H-1"}
    counted = next(row for row in told["differ"] if row["rule_a"] == "NAT-H-1")
    assert counted["households"] == len(homes) > 20, "all of them, not only those that fit a screen"
    home = min(homes)
    traced = json.loads(fupin("rules", "explain", home, "--pack", "exit-national", "--run", demo, "--json").stdout)
    written = pl.read_parquet(demo / "outcomes.parquet").filter(pl.col("household_id") == home)
    outcomes = {row["rule_id"]: row["outcome"] for row in traced["outcomes"]}
    assert outcomes.items() <= set(written.select("rule_id", "outcome").rows())
    assert any(line.startswith("NAT-H-1 ") for line in traced["lines"])


def test_judged_again_by_its_own_packs_nothing_changes(demo):
    """What a run directory keeps is enough to say the same again."""
    done = fupin("rules", "compare", "--pack", "exit-national", "--pack", "exit-national", "--run", demo)
    assert done.returncode == 0, done.stderr
    assert "households that differ 0" in done.stdout
    assert "\nhousehold " not in done.stdout


def test_packs_without_a_rule_in_common_are_compared_by_their_verdicts(demo):
    """A province's verdict beside the nation's; checks alone have nothing to compare."""
    done = fupin("rules", "compare", "--pack", "exit-national", "--pack", "shaanxi", "--run", demo)
    assert "NAT-H-0 Exit standard reached ↔ SN-H-0 Five household indicators" in done.stdout
    refused = fupin("rules", "compare", "--pack", "exit-national", "--pack", "shangrao", "--run", demo)
    assert refused.returncode == 2
    assert "shangrao has no verdict" in refused.stderr
    assert "try: fupin rules compare" in refused.stderr
    several = fupin("rules", "compare", "--pack", "exit-national", "--pack", "guangxi", "--run", demo).stdout
    assert "NAT-H-0 Exit standard reached ↔ GX-H-0 Eight haves and one above" in several, (
        "a standard beside a standard, not beside a list of vetoes"
    )
    assert "GX-X-0" in several
    named = ["--rule", "NAT-H-1", "--rule", "gx-x-5"]
    chosen = fupin("rules", "compare", "--pack", "exit-national", "--pack", "guangxi", *named, "--run", demo)
    assert "NAT-H-1 Net income per head above the line ↔ GX-X-5" in chosen.stdout
    wrong = fupin(
        "rules", "compare", "--pack", "exit-national", "--pack", "guangxi", *named[:3], "GX-X-O", "--run", demo
    )
    assert "guangxi has no rule 'GX-X-O'" in wrong.stderr


def test_explain_reads_a_household_aloud(demo):
    """Fact, value, file and row, condition, outcome and citation; names masked."""
    found = pl.read_parquet(demo / "findings.parquet").filter(
        (pl.col("rule_id") == "CMP-VH1") & (pl.col("band") == "accepted")
    )
    row = found.row(0, named=True)
    aloud = {
        "zh": (
            "CMP-VH1 名下有机动车：疑点\n",
            "条件        名下有机动车\n",
            "名下有机动车 = 是",
            "依据",
            "成员",
            "行，符合",
        ),
        "en": (
            "CMP-VH1 Owns a motor vehicle: clue\n",
            "condition   Owns a motor vehicle\n",
            "vehicle = yes",
            "citation",
            "member",
            ", so",
        ),
    }
    for language, words in aloud.items():
        asked = ("rules", "explain", row["household_id"], "--pack", "checks-departments", "--run", demo)
        done = fupin(*asked, FUPIN_LANG=language)
        assert done.returncode == 0, done.stderr
        for word in (*words, row["extract_source"]):
            assert word in done.stdout
        assert row["name"] not in done.stdout
        assert row["household_id"] not in done.stdout
        assert " AND " not in done.stdout, "conditions are said in words"
        assert ("member" in done.stdout) == (language == "en"), "in one language"
    by_place = fupin("rules", "explain", row["household_id"], "--run", demo).stdout
    assert "pack exit-national" in by_place, "without --pack the standard of the place"
    assert fupin("rules", "explain", "nobody", "--pack", "checks-departments", "--run", demo).returncode == 2


def test_a_misspelt_pack_is_told_the_nearest(demo):
    """The nearest id stands in what to type next."""
    done = fupin("rules", "list", "--pack", "shanxi")
    assert done.returncode == 2
    assert "--pack shaanxi" in done.stderr


@pytest.fixture(scope="module")
def own_line(tmp_path_factory, demo):
    """A project whose own line of 2019 is far higher than the shipped one, and its run."""
    folder = tmp_path_factory.mktemp("own") / "project"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns(".fupin", "truth"))
    lines = folder / "rules" / "lines.toml"
    lines.write_text(
        '[[line]]\ntable = "income"\njurisdiction = "99"\nyear = 2019\nseries = "nbs"\nbasis = "net_income"\nyuan = 99999\n'
        'citation = { title = "本省标准", provenance = "V" }\n',
        encoding="utf-8",
    )
    run = folder / "run"
    assert fupin("run", folder, "-o", run, "--stage", "county").returncode == 0
    return run


def test_a_run_is_explained_by_the_rules_that_judged_it(own_line, demo):
    """The project's own line is kept with the run: explain and compare say what the run said, without --project."""
    judged = pl.read_parquet(own_line / "outcomes.parquet").filter(pl.col("rule_id") == "NAT-H-1")
    home = judged.filter(pl.col("reason").str.contains("99999"))["household_id"][0]
    done = fupin("rules", "explain", home, "--pack", "exit-national", "--run", own_line)
    assert "99999" in done.stdout, done.stderr
    assert "note:" not in done.stdout
    assert fupin("rules", "explain", home, "--pack", "nanming", "--run", own_line).returncode == 0
    done = fupin("rules", "compare", "--pack", "exit-national", "--pack", "exit-national", "--run", own_line)
    assert "households that differ 0" in done.stdout
    other = fupin("rules", "explain", home, "--pack", "exit-national", "--run", own_line, "--project", demo)
    assert "these rules are not those of this round" in other.stdout
    assert "project/lines.toml" in other.stdout


def test_kept_rules_that_were_changed_are_refused(own_line):
    """Nobody explains a round by files that it was not judged by."""
    kept = own_line / "rules" / "project" / "lines.toml"
    before = kept.read_text(encoding="utf-8")
    kept.write_text(before.replace("99999", "1"), encoding="utf-8")
    done = fupin("rules", "explain", "1", "--run", own_line)
    kept.write_text(before, encoding="utf-8")
    assert done.returncode == 65
    assert "project/lines.toml" in done.stderr


def test_a_run_that_keeps_no_rules_says_so(own_line, tmp_path):
    """A run of an earlier version: the project's rules must be named, or today's are compared with its hashes."""
    old = tmp_path / "old"
    shutil.copytree(own_line, old)
    shutil.rmtree(old / "rules")
    done = fupin("rules", "explain", "1", "--run", old)
    assert done.returncode == 2
    assert "--project" in done.stderr


def test_what_was_not_in_force_is_named_with_its_dates(demo):
    """Of a household that exited before a standard began, its rules are named with the dates; papers are what must be there."""
    homes = pl.read_parquet(demo / "households.parquet").sort("household_id")
    early = homes.filter(pl.col("exit_year") == 2016)["household_id"][0]
    told = fupin("rules", "explain", early, "--pack", "shaanxi", "--run", demo).stdout
    for rule in ("SN-D1", "SN-H4", "SN-H-0"):
        (line,) = (line for line in told.splitlines() if line.startswith(rule))
        assert "not in force, valid 2017-01-01 – 2020-12-31; exit year of the household 2016" in line
    later = homes.filter((pl.col("exit_year") > 2016) & (pl.col("village") != "新华村"))["household_id"][0]
    told = fupin("rules", "explain", later, "--pack", "shaanxi", "--run", demo).stdout
    assert "四处照相 = unknown (must have: 房前, 灶前, 主卧, 厅堂)" in told
    assert "the list shows no household of the village" in told
