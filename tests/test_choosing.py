"""Which packs judge a round: by place, by the years of the round and of the households, by what is there, by the project's word."""

import json
from datetime import date

import pytest

from conftest import PROJECT, fupin
from fupin_cli.errors import ConfigurationError
from fupin_cli.rules import Occasion, choose_packs
from fupin_cli.rules.parameters import in_force_here
from office_files import write_xlsx
from rules_world import shipped
from test_intake import LI, SUN, WANG, ZHANG

HEADER = ["户编号", "姓名", "证件号码", "县", "行政村", "与户主关系", "脱贫属性", "脱贫年度", "人均纯收入（元）"]
HOMES = {
    "H1": ("张三", ZHANG, "已脱贫", "2019", "3300"),  # above one series of 2019, below the other
    "H2": ("李四", LI, "已脱贫", "2019", "9000"),
    "H3": ("王五", WANG, "未脱贫", "", "2000"),
    "H4": ("孙六", SUN, "已脱贫", "2016", "9000"),
}
TOML = PROJECT + 'files = ["低保.xlsx"]\n'
LINE = """
[[line]]
table = "income"
jurisdiction = "9901"
year = 2019
series = "working"
basis = "net_income"
yuan = 3747
citation = { title = "本市退出工作标准", provenance = "V" }
"""


@pytest.fixture
def project(tmp_path):
    """Four households and a list of nobody they know; `write(as_of, more columns, more TOML)` makes the project."""

    def write(as_of, columns=None, more="", place="990121"):
        columns = columns or {}
        rows = [
            [home, name, number, "青禾县", "柳树村", "户主", status, year, income, *(c[home] for c in columns.values())]
            for home, (name, number, status, year, income) in HOMES.items()
        ]
        write_xlsx(tmp_path / "台账.xlsx", {"s": [[*HEADER, *columns], *rows]})
        write_xlsx(
            tmp_path / "低保.xlsx", {"s": [["姓名", "身份证号", "县", "低保证号"], ["赵七", "", "青禾县", "D1"]]}
        )
        (tmp_path / "fupin.toml").write_text(TOML.format(as_of=as_of, place=place) + more, encoding="utf-8")
        return tmp_path

    return write


def digest_of(folder):
    done = fupin("run", folder, "--json", "--files", "-o", folder / "run", COLUMNS="200")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def judged(digest):
    return {pack["pack"] for pack in digest["packs"] if pack["judged"]}


def why(digest, name):
    return next(pack["why"] for pack in digest["packs"] if pack["pack"] == name)


def outcomes(digest, rule):
    found = next(report for report in digest["rules"] if report["rule_id"] == rule)
    return {key: found[key] for key in ("hits", "clears", "unknowns", "not_applicable", "line_dependent")}


def test_a_round_of_2019_is_judged_by_the_exit_standard(project):
    """Monitoring waits for 2021, though its column is there; near a line on which two series differ, that is said."""
    (folder := project("2019-11-30", {"监测对象类别": dict.fromkeys(HOMES, "边缘易致贫户")})).joinpath("rules").mkdir()
    (folder / "rules" / "lines.toml").write_text(LINE, encoding="utf-8")
    digest, said = digest_of(folder)
    assert "exit-national" in judged(digest)
    assert "monitoring" not in judged(digest)
    assert "2021年起" in why(digest, "monitoring")
    income = outcomes(digest, "NAT-H-1")
    assert income == {"hits": 1, "clears": 3, "unknowns": 0, "not_applicable": 0, "line_dependent": 1}
    assert "the series of lines chosen: NAT-H-1 1" in said
    assert "rule packs that did not judge" in said


def test_a_round_of_2022_is_monitoring_and_the_exit_standard_for_those_who_exited(project):
    """Whoever has an exit year of the old regime is judged by it, nobody else; monitoring is taken up by itself."""
    kinds = {"监测对象类别": {"H1": "边缘易致贫户", "H2": "", "H3": "", "H4": ""}}
    folder = project("2022-11-30", kinds, more='[rules]\nwithout = ["self-households"]\n')
    digest, said = digest_of(folder)
    assert {"exit-national", "monitoring"} <= judged(digest)
    assert "3户在此间退出" in why(digest, "exit-national")
    assert "自动启用，因为有台账“监测对象类别”列" in why(digest, "monitoring")
    assert outcomes(digest, "NAT-H-1")["not_applicable"] == 1
    assert "self-households" not in judged(digest), "what monitoring builds on lends its facts only"
    assert "自动启用" in said


def test_without_its_input_an_opt_in_pack_says_what_is_missing(project):
    """2022 and no column of monitored households: not silent, and not judged."""
    digest, said = digest_of(project("2022-11-30"))
    assert "monitoring" not in judged(digest)
    assert "缺台账“监测对象类别”列、" in why(digest, "monitoring")
    assert "缺台账“监测对象类别”列" in said.replace("\n", "")


def test_the_project_has_the_last_word(project):
    """packs takes up what would wait, without leaves out what would be judged."""
    digest, _ = digest_of(
        project("2022-11-30", more='[rules]\npacks = ["monitoring", "self-blanks"]\nwithout = ["exit-national"]\n')
    )
    assert {"monitoring", "self-blanks"} <= judged(digest)
    assert "exit-national" not in judged(digest)
    assert "without" in why(digest, "exit-national")
    assert not any(rule["rule_id"] == "NAT-H-1" for rule in digest["rules"])


@pytest.mark.parametrize(
    ("words", "said"),
    [('packs = ["gansu"]', "binds 62"), ('without = ["exit-nationel"]', "exit-national"), ('pack = ["x"]', "packs")],
)
def test_packs_that_cannot_be_are_refused(project, words, said):
    """Another province's, a misspelt one, a misspelt key: the error says what to type."""
    done = fupin("run", project("2019-11-30", more=f"[rules]\n{words}\n"))
    assert done.returncode == 78
    assert said in done.stderr
    assert "try:" in done.stderr


PILOT = """
[pack]
id = "pilot"
title = "低收入人口监测试点"
title_en = "pilot for people of low income"
jurisdiction = "990121"
regime = "2025+"
extends = ["exit-national"]

[[parameter]]
name = "monitored_share_limit"
zh = "监测对象规模上限"
en = "limit"
[[parameter.value]]
value = 0.08
from = 2020-01-01
citation = { title = "试点方案", provenance = "V" }
"""


@pytest.mark.parametrize(
    ("place", "as_of", "taken"),
    [("990121", "2025-06-30", True), ("990121", "2024-06-30", False), ("990122", "2025-06-30", None)],
)
def test_a_pilot_of_one_county_from_one_year_on(project, place, as_of, taken):
    """A pack of a county and a regime: judged there, from that year; of other counties' packs nothing is said."""
    folder = project(as_of, more='[rules]\npacks = ["monitoring"]\n', place=place)
    (folder / "rules" / "provinces").mkdir(parents=True)
    (folder / "rules" / "provinces" / "pilot.toml").write_text(PILOT, encoding="utf-8")
    digest, _ = digest_of(folder)
    assert {pack["pack"]: pack["judged"] for pack in digest["packs"]}.get("pilot") is taken


def test_a_pack_of_one_county_is_told_of_in_its_provinces_round(project):
    """A province does not use it, and does not keep silent about it either."""
    folder = project("2025-06-30", place="99")
    (folder / "rules" / "provinces").mkdir(parents=True)
    (folder / "rules" / "provinces" / "pilot.toml").write_text(PILOT, encoding="utf-8")
    digest, _ = digest_of(folder)
    assert "pilot" not in judged(digest)
    assert "一部分" in why(digest, "pilot")


def test_a_province_extends_the_nation_and_a_county_overrides_its_numbers():
    """Shaanxi's 3 % takes the place of the national 2 %, in Shaanxi alone."""
    packs = shipped()[0]
    limits = {}
    for place in ("610124", "370000"):
        occasion = Occasion(place, date(2019, 11, 30), {}, {"places"})
        chosen, _ = choose_packs(packs, occasion, str, "fupin.toml")
        assert {"exit-national", "exit-national-areas"} <= {pack.id for pack in chosen}
        numbers = in_force_here([number for pack in chosen for number in pack.parameters], place)
        limits[place] = numbers["poverty_rate_limit"].values[0].value
    assert limits == {"610124": 0.03, "370000": 0.02}


def test_a_pack_of_another_place_is_never_taken_up_by_name():
    """Not even where the name is right: what it would say is for fupin rules compare."""
    occasion = Occasion("99", date(2019, 11, 30), {}, (), ("shaanxi",))
    with pytest.raises(ConfigurationError, match="binds 61"):
        choose_packs(shipped()[0], occasion, str, "fupin.toml")
