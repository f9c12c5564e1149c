"""Must-visit lists: who must be visited, who was, who is left; what cannot be known is not called unvisited."""

import json
import shutil
import stat
from pathlib import Path

import polars as pl
import pytest
from openpyxl import Workbook, load_workbook

from conftest import SAMPLE, fupin
from fupin_cli.audit.coverage import MustVisit, cover, coverage_of, must_visit_rules
from fupin_cli.project import rules_folders
from fupin_cli.report.visit_book import share_words
from fupin_cli.rulebook import packs_of
from fupin_cli.vocabulary import HOUSEHOLDS

UNKNOWN, CLEAR, HIT, NOT = "unknown", "clear", "hit", "not_applicable"


@pytest.fixture(scope="module")
def must() -> MustVisit:
    packs = [pack for pack in packs_of(rules_folders(None)) if pack.id == "henan"]
    return must_visit_rules(packs)


def test_the_packs_say_who_must_be_visited(must):
    """Henan's four musts, by the rules that read the record of visits; Gansu's focus groups likewise."""
    assert [rule.id for rule in must.rules] == ["HA-V1", "HA-V1B", "HA-V2", "HA-V3"]
    assert [rule.id for rule in must.villages] == ["HA-V4L"]
    gansu = [pack for pack in packs_of(rules_folders(None)) if pack.id == "gansu"]
    assert [rule.id for rule in must_visit_rules(gansu).rules] == ["GS-SPV"]


# the outcomes of two rules (with what is missing), whether there is a record of a visit, and what follows
TABLE = [
    # HA-V1                    HA-V2                      visited | state
    ((CLEAR, []), (NOT, []), True, "visited"),
    ((CLEAR, []), (CLEAR, []), True, "visited"),
    ((HIT, []), (NOT, []), False, "left"),
    ((HIT, []), (UNKNOWN, ["exit_year"]), False, "left"),
    ((CLEAR, []), (UNKNOWN, ["exit_year"]), True, "visited"),
    ((UNKNOWN, ["visited"]), (NOT, []), None, "untold"),
    ((UNKNOWN, ["visited"]), (UNKNOWN, ["exit_year", "visited"]), None, "untold"),
    ((NOT, []), (UNKNOWN, ["exit_year"]), True, "done"),
    ((NOT, []), (UNKNOWN, ["exit_year"]), False, "unsure"),
    ((NOT, []), (UNKNOWN, ["exit_year", "visited"]), None, "unsure"),
    ((NOT, []), (NOT, []), False, None),
]


@pytest.mark.parametrize(("first", "second", "visited", "state"), TABLE)
def test_each_household_is_in_one_state(must, first, second, visited, state):
    """The table of audit/coverage.py, line by line."""
    # another household for which each rule could tell, so that no rule is blind
    rows = [("9", rule, HIT, "", []) for rule in ("HA-V1", "HA-V2")]
    rows += [("1", rule, outcome, "因", missing) for rule, (outcome, missing) in (("HA-V1", first), ("HA-V2", second))]
    schema = ["household_id", "rule_id", "outcome", "reason", "missing"]
    outcomes = pl.DataFrame(rows, schema=schema, orient="row", schema_overrides={"missing": pl.List(pl.String)})
    homes = HOUSEHOLDS.conform(pl.DataFrame({"household_id": ["1", "9"]})).with_columns(
        visited=pl.Series([visited, False], dtype=pl.Boolean)
    )
    found = cover(homes, outcomes, must, {}).households
    assert dict(found.select("household_id", "state").rows()).get("1") == state


def test_a_rule_that_cannot_tell_of_anybody_is_named_and_makes_nobody_doubtful(must):
    """No income of 2016 in the register: that rule is not judged, and the others are."""
    rows = [
        ("1", "HA-V1", HIT, "", []),
        ("1", "HA-V1B", UNKNOWN, "未运行", ["income"]),
        ("2", "HA-V1", NOT, "", []),
        ("2", "HA-V1B", UNKNOWN, "未运行", ["income"]),
    ]
    outcomes = pl.DataFrame(rows, schema=["household_id", "rule_id", "outcome", "reason", "missing"], orient="row",
                            schema_overrides={"missing": pl.List(pl.String)})  # fmt: skip
    homes = HOUSEHOLDS.conform(pl.DataFrame({"household_id": ["1", "2"]}))
    found = cover(homes, outcomes, must, {"HA-V1B": "没有入户核验表数据"})
    assert found.not_judged == {"HA-V1B": "没有入户核验表数据"}
    assert found.households.select("household_id", "state").rows() == [("1", "left")]


def test_coverage_lies_between_two_bounds():
    """Every doubt against, and every doubt for; one number where there is none."""
    states = ["visited"] * 6 + ["left"] * 2 + ["untold"] + ["unsure"] + ["done"] * 2
    rows = pl.DataFrame(
        {
            "county": ["甲"] * 12 + ["乙"] * 4 + ["丙"],
            "state": [*states, "visited", "visited", "visited", "left", "untold"],
        }
    )
    told = {row[0]: row[1:] for row in coverage_of(rows, ["county"]).select("county", "must", "low", "high").rows()}
    assert told["甲"] == (9, pytest.approx(6 / 10), pytest.approx(9 / 11))
    assert told["乙"] == (4, 0.75, 0.75)
    assert told["丙"] == (1, 0, 1)
    assert [share_words(low, high) for _, low, high in told.values()].count("无法判断") == 1
    assert share_words(0.9999, 0.9999) == "99.9%", "nothing but all of them is 100 %"
    assert share_words(None, None) == "—"


@pytest.fixture(scope="module")
def henan(demo, tmp_path_factory) -> Path:
    """The sample as if it lay in Henan, with a record of visits of 青禾县: two in three households, one of them too late."""
    folder = tmp_path_factory.mktemp("henan")
    shutil.copytree(SAMPLE, folder / "project")
    homes = pl.read_parquet(demo / "households.parquet").filter(pl.col("county") == "青禾县").sort("household_id")
    book = Workbook()
    book.active.append(["户编号", "户主姓名", "走访日期", "走访人"])
    for n, (home, head) in enumerate(homes.select("household_id", "head_name").rows()):
        if n % 3:
            book.active.append([home, head, "2019-12-25" if n == 1 else f"2019-11-{1 + n % 15:02d}", "走访员"])
    book.save(folder / "project" / "county" / "青禾县" / "入户走访记录.xlsx")
    toml = folder / "project" / "fupin.toml"
    text = toml.read_text(encoding="utf-8").replace('jurisdiction = "99"', 'jurisdiction = "41"')
    head, *extracts = text.split("[[extract]]")
    own = '\nid = "visits"\nprofile = "visits"\nstage = "county"\nfiles = ["county/青禾县/入户走访记录.xlsx"]\nas_of = 2019-11-30\ncoverage = ["青禾县"]\n'
    toml.write_text("[[extract]]".join([head, extracts[0], own]), encoding="utf-8")
    done = fupin("run", folder / "project", "-o", folder / "run")
    assert done.returncode == 0, done.stderr
    return folder / "run"


def test_a_county_without_a_record_of_visits_is_unknown(henan):
    """白石县 sent no record: nobody there is called unvisited; 青禾县 is counted, and says what the pack's own rate says."""
    told = json.loads(fupin("visits", henan, "--json").stdout)
    by_county = {}
    for row in told["townships"]:
        sums = by_county.setdefault(row["county"], dict.fromkeys(("must", "visited", "left", "untold"), 0))
        for name in sums:
            sums[name] += row[name]
    assert by_county["白石县"]["left"] == by_county["白石县"]["visited"] == 0
    assert by_county["白石县"]["untold"] == by_county["白石县"]["must"] > 0
    assert by_county["青禾县"]["untold"] == 0
    assert by_county["青禾县"]["must"] == by_county["青禾县"]["visited"] + by_county["青禾县"]["left"]
    assert told["not_judged"].keys() == {"HA-V1B", "HA-V3"}, "no list of 特困, no income of 2016"
    digest = json.loads((henan / "digest.json").read_text(encoding="utf-8"))
    whole = next(rule for rule in digest["rules"] if rule["rule_id"] == "HA-V0")
    assert (whole["hits"], whole["clears"], whole["unknowns"]) == (1, 0, 1), (
        "青禾县 falls short, of 白石县 nobody knows"
    )


def test_whoever_must_be_visited_and_was_not_is_on_a_list_and_nobody_else(henan, tmp_path):
    """Outcomes and worklists agree, household by household; owner only; no name on the terminal."""
    done = fupin("visits", henan, "-o", tmp_path / "lists")
    assert done.returncode == 0, done.stderr
    outcomes = pl.read_parquet(henan / "outcomes.parquet").filter(pl.col("rule_id").is_in(["HA-V1", "HA-V2"]))
    homes = pl.read_parquet(henan / "households.parquet").select("household_id", "county", "head_name")
    qinghe = homes.filter(pl.col("county") == "青禾县")["household_id"].implode()
    left = set(outcomes.filter(pl.col("outcome") == HIT)["household_id"])
    listed = set()
    for path in (tmp_path / "lists").glob("青禾县_*.xlsx"):
        for sheet in load_workbook(path).worksheets[1:]:
            heads = {cell.value: cell.column for cell in sheet[4]}
            rows = [row for row in range(5, sheet.max_row + 1) if sheet.cell(row, heads["户编号"]).value]
            listed |= {sheet.cell(row, heads["户编号"]).value for row in rows}
            assert {sheet.cell(row, heads["现状"]).value for row in rows} <= {"未到", "是否应到无法判断"}
    assert left <= listed
    doubtful = set(outcomes.filter(pl.col("outcome") == UNKNOWN, pl.col("household_id").is_in(qinghe))["household_id"])
    assert listed <= left | doubtful
    assert {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "lists").iterdir()} == {0o600}
    assert not [name for name in homes["head_name"].drop_nulls().unique() if name in done.stdout + done.stderr]
    again = fupin("visits", henan, "-o", tmp_path / "again")
    assert again.returncode == 0
    for path in (tmp_path / "lists").iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_a_run_without_such_rules_says_what_to_do(demo):
    """南溟省 has no must-visit rule; and a rule that asks nothing of the kind is refused by name."""
    done = fupin("visits", demo)
    assert done.returncode == 2
    assert "fupin rules show HA-V1" in done.stderr


def test_one_rule_alone(henan):
    """--rule limits the list; a name that is none has the nearest told."""
    one = json.loads(fupin("visits", henan, "--rule", "HA-V1", "--json").stdout)
    every = json.loads(fupin("visits", henan, "--json").stdout)
    assert one["rules"] == ["HA-V1"]
    assert one["all"]["must"] < every["all"]["must"]
    wrong = fupin("visits", henan, "--rule", "HA-V9")
    assert wrong.returncode == 2
    assert "--rule HA-V" in wrong.stderr
