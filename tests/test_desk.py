"""What somebody meets at a desk: own rules are known everywhere, names and folders in commands work, and what did not run says why."""

import json
from contextlib import chdir

from conftest import fupin

OWN_PROFILE = """
profile = "canteen"
department = "教育局"
title = "营养餐名册"
title_en = "school meals"
required = ["name"]
hints = ["营养餐"]
[fields.canteen_card]
type = "text"
headers = ["饭卡号"]
[fields.canteen_days]
type = "text"
headers = ["用餐天数"]
"""

OWN_PACK = """
[pack]
id = "ours"
title = "本县规则"
title_en = "ours"
jurisdiction = "990121"
regime = "2014-2020"
[[rule]]
id = "X-1"
title = "年龄过大"
title_en = "too old"
kind = "check"
level = "person"
severity = "lead"
effective_from = 2018-01-01
on_unknown = "unknown"
hit = "age > 120"
advice = "疑点：建议核实。"
citation = { title = "办法", locator = "第三条", provenance = "V" }
example = [{ given = { age = 121 }, then = "hit" }, { given = { age = 60 }, then = "clear" }, { given = {}, then = "unknown" }]
"""


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_init_knows_the_folders_own_profiles(tmp_path):
    """A file that only a profile of rules/sources explains is placed."""
    write(tmp_path / "rules" / "sources" / "canteen.toml", OWN_PROFILE)
    write(tmp_path / "名册.csv", "姓名,饭卡号,用餐天数\n张三,1,20\n")
    done = fupin("init", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "名册.csv: 教育局 营养餐名册 canteen" in done.stdout
    assert 'profile = "canteen"' in (tmp_path / "fupin.toml").read_text(encoding="utf-8")


def test_a_run_refuses_a_pack_of_its_own_that_fails_its_examples(small, tmp_path):
    """The rule, the example and the command that tells all; a pack whose examples hold is judged by."""
    write(small / "rules" / "checks" / "ours.toml", OWN_PACK)
    assert fupin("run", small, "-o", tmp_path / "run").returncode == 0
    write(small / "rules" / "checks" / "ours.toml", OWN_PACK.replace("age = 60", "age = 130"))
    done = fupin("run", small, "-o", tmp_path / "other")
    assert done.returncode == 78
    assert "X-1 example 2: expected clear, got hit" in done.stderr
    assert "checks/ours.toml" in done.stderr
    assert f"try: fupin rules test --project {small}" in done.stderr
    assert not (tmp_path / "other").exists()


def test_a_rule_without_findings_says_why(small, tmp_path):
    """It did not run, and why; it ran and found nothing; it is no rule of this run; it is no rule at all."""
    run = tmp_path / "run"
    assert fupin("run", small, "-o", run).returncode == 0
    rules = json.loads((run / "digest.json").read_text(encoding="utf-8"))["rules"]
    idle = next(rule for rule in rules if rule["not_run"])
    done = fupin("explain", idle["rule_id"], "--run", run)
    assert done.returncode == 0, done.stderr
    assert f"{idle['rule_id']} {idle['title_en']}: did not run" in done.stdout
    assert "because: no data: " in done.stdout
    assert idle["not_run"] in fupin("explain", idle["rule_id"], "--run", run, FUPIN_LANG="zh").stdout
    found = {tally["rule_id"] for tally in json.loads((run / "digest.json").read_text())["findings_by_rule"]}
    ran = next(rule for rule in rules if not rule["not_run"] and rule["rule_id"] not in found)
    assert "findings: 0" in fupin("explain", ran["rule_id"].lower(), "--run", run).stdout
    other = fupin("explain", "JS-H-1", "--run", run)
    assert other.returncode == 2 or "not judged in this run" in other.stdout
    assert "nothing in this run is called that" in fupin("explain", "X-NONE", "--run", run).stderr


def test_commands_look_for_the_project_upwards(small):
    """In a folder of a project run, explain and cases mean that project, and say so on stderr."""
    below = small / "报回"
    below.mkdir()
    said = f"project: {small}"
    with chdir(below):
        done = fupin("run")
        assert done.returncode == 0, done.stderr
        assert said in done.stderr
        assert not list(below.iterdir())
        run = small / "runs" / "2019-11-30"
        assert run.is_dir()
        rule = json.loads((run / "digest.json").read_text(encoding="utf-8"))["rules"][0]["rule_id"]
        done = fupin("explain", rule)
        assert done.returncode == 0, done.stderr
        assert said in done.stderr
        done = fupin("cases", "round", run)
        assert done.returncode == 0, done.stderr
        assert (small / "cases" / "ledger.db").exists()
        assert said in done.stderr
    with chdir(small):
        assert said not in fupin("cases", "stats").stderr


def test_a_profile_may_be_named_by_its_id(small, tmp_path):
    """A shipped profile's id is enough; a wrong one is told with those that there are."""
    files = small / "低保.csv", small / "低保.csv"
    done = fupin("link", *files, "-o", tmp_path / "links.csv", "--profile", "dibao")
    assert done.returncode == 0, done.stderr
    done = fupin("link", *files, "-o", tmp_path / "links.csv", "--profile", "dibaoo")
    assert done.returncode == 66
    assert "no such file, and no shipped profile is called that" in done.stderr
    assert "vehicles" in done.stderr
    assert "--profile dibao, or --profile with the path of a file" in done.stderr


def test_missing_coverage_is_told_with_the_registers_counties(small):
    """The line to write, with the counties that the register holds."""
    path = small / "fupin.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('coverage = ["青禾县"]\n', ""), encoding="utf-8")
    done = fupin("run", small)
    assert done.returncode == 78
    assert 'try: coverage = ["青禾县"], those of them that the list reaches' in done.stderr


def test_commands_that_are_suggested_find_the_folder(small, tmp_path):
    """What stands behind `try:` works where it is copied: with the project's, the run's or the ledger's folder."""
    assert f"fupin init {small} --force" in fupin("init", small).stderr
    bare = tmp_path / "bare"
    bare.mkdir()
    assert f"try: fupin init {bare}, or name a fupin.toml" in fupin("run", bare).stderr
    ledger = tmp_path / "book"
    assert f"fupin cases round RUN --ledger {ledger}" in fupin("cases", "stats", "--ledger", ledger).stderr
    assert f"--project {small}" in fupin("rules", "show", "X-NONE", "--project", small).stderr
    (small / "低保.csv").write_text("甲,乙\n1,2\n", encoding="utf-8")
    assert f"try: fupin inspect {small / '低保.csv'}" in fupin("run", small).stderr


def test_help_and_rules_speak_one_language():
    """In Chinese the kinds of values and the headings of a rule are Chinese; in English, English."""
    said = fupin("purge", "--help", FUPIN_LANG="zh").stdout
    assert "--older-than 数字" in said
    assert "RANGE" not in said
    said = fupin("cases", "list", "--limit", "x", FUPIN_LANG="zh").stderr
    assert "range" not in said
    said = fupin("rules", "show", "NAT-H-1", FUPIN_LANG="zh").stdout
    assert "\n  条件       " in said
    assert "condition" not in said
    said = fupin("rules", "show", "NAT-H-1").stdout
    assert "\n  condition  " in said
    assert "条件" not in said
