"""A finished round judged again: explained by any pack, compared under two; and what two packs ask differently."""

import polars as pl
import pytest

from conftest import fupin

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
    assert "没有不同" in fupin("rules", "diff", "exit-national", "exit-national").stdout
    assert "只在 A" in fupin("rules", "diff", "shangrao", "chongqing").stdout


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


def test_judged_again_by_its_own_packs_nothing_changes(demo):
    """What a run directory keeps is enough to say the same again."""
    done = fupin("rules", "compare", "--pack", "exit-national", "--pack", "exit-national", "--run", demo)
    assert done.returncode == 0, done.stderr
    assert "：0 户" in done.stdout
    assert "\n户 " not in done.stdout


def test_packs_without_a_rule_in_common_are_compared_by_their_verdicts(demo):
    """A province's verdict beside the nation's; checks alone have nothing to compare."""
    done = fupin("rules", "compare", "--pack", "exit-national", "--pack", "shaanxi", "--run", demo)
    assert "NAT-H-0 达到退出标准 ↔ SN-H-0 贫困户五项否决" in done.stdout
    refused = fupin("rules", "compare", "--pack", "exit-national", "--pack", "shangrao", "--run", demo)
    assert refused.returncode == 2
    assert "shangrao has no verdict" in refused.stderr
    assert "try: fupin rules compare" in refused.stderr
    several = fupin("rules", "compare", "--pack", "exit-national", "--pack", "guangxi", "--run", demo).stdout
    assert "NAT-H-0 达到退出标准 ↔ GX-H-0 八有一超" in several, (
        "a standard beside a standard, not beside a list of vetoes"
    )
    assert "GX-X-0" in several
    named = ["--rule", "NAT-H-1", "--rule", "gx-x-5"]
    chosen = fupin("rules", "compare", "--pack", "exit-national", "--pack", "guangxi", *named, "--run", demo)
    assert "NAT-H-1 年人均纯收入超过标准 ↔ GX-X-5" in chosen.stdout
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
    done = fupin("rules", "explain", row["household_id"], "--pack", "checks-departments", "--run", demo)
    assert done.returncode == 0, done.stderr
    for word in ("CMP-VH1 名下有机动车：疑点", "条件 condition   名下有机动车", "名下有机动车 = 是", "依据 citation"):
        assert word in done.stdout
    assert f"{row['extract_source']}" in done.stdout
    assert f"第 {row['extract_at']} 行，符合" in done.stdout
    assert row["name"] not in done.stdout
    assert "成员 member" in done.stdout
    assert " AND " not in done.stdout, "conditions are said in Chinese"
    by_place = fupin("rules", "explain", row["household_id"], "--run", demo).stdout
    assert "规则包 pack exit-national" in by_place, "without --pack the standard of the place"
    assert fupin("rules", "explain", "nobody", "--pack", "checks-departments", "--run", demo).returncode == 2


def test_a_misspelt_pack_is_told_the_nearest(demo):
    """The nearest id stands in what to type next."""
    done = fupin("rules", "list", "--pack", "shanxi")
    assert done.returncode == 2
    assert "--pack shaanxi" in done.stderr
