"""A register judged county after county says what it says when judged at once, to the last byte."""

from dataclasses import replace
from functools import cache

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from conftest import examples
from fupin_cli.judged import Judged, judge_in_parts, least_memory, persons_at_once
from rules_world import World, shipped, usual

COUNTIES = {"青禾": "青禾县", "白石": "白石县", "黄土": "黄土县", None: None}
VILLAGES = ("幸福", "新华", None)
KINDS = (
    "dibao",
    "vehicles",
    "disability",
    "medical_insurance",
    "household_documents",
    "visits",
    "deaths",
    "housing_appraisals",
)
NOBODY = {"id_number": None, "id_status": "missing", "person_id": None}


@cache
def packs():
    """All but the register's many small checks, and a province's that counts households that were one."""
    asked = tuple(pack for pack in usual() if not all(rule.brief for rule in pack.rules))
    return asked + tuple(replace(pack, opt_in=False) for pack in shipped()[0] if pack.id == "guangxi" and pack.opt_in)


@st.composite
def provinces(draw) -> World:
    """A few households over three counties, some of nowhere and some across two, with lists of every reach."""
    maybe, few = st.sampled_from([True, False, None]), st.sampled_from([2016, 2019, None])
    world = World()
    for n in range(draw(st.integers(2, 9))):
        county, village = draw(st.sampled_from(list(COUNTIES))), draw(st.sampled_from(VILLAGES))
        world.person(
            draw(st.sampled_from(["H1", "H2", "H3", "H4", None])),
            source=draw(st.sampled_from(["甲.xlsx", "乙.xlsx"])), county=COUNTIES[county], county_key=county,
            township="平川镇", township_key="平川", village=village, village_key=village, name_key=draw(st.sampled_from(["甲", f"人{n}"])),
            dibao=draw(maybe), resident_medical=draw(maybe), health=draw(st.sampled_from(["健康", "残疾", None])),
            relation=draw(st.sampled_from(["户主", "配偶"])), **draw(st.sampled_from([{}, {}, NOBODY])),
        )  # fmt: skip
    for home in [home for home in world.homes if home]:
        world.home(
            home, exit_status=draw(st.sampled_from(["已脱贫", None])), exit_year=draw(few), house_grade=draw(st.sampled_from(["A", "D", None])),
            income_per_head_yuan=draw(st.sampled_from([2000.0, 5000.0, None])), safe_water=draw(maybe),
            split_link=draw(st.sampled_from(["S1", "S2", None])), house_area=draw(st.sampled_from([60.0, None])), member_count=2,
        )  # fmt: skip
    world.homes.pop(None, None)
    for kind in draw(st.lists(st.sampled_from(KINDS), unique=True)):
        world.extract(kind, coverage=draw(st.sampled_from([None, ["青禾县"], ["青禾县", "黄土县"]])))
        for _ in range(draw(st.integers(0, 4))):
            county = draw(st.sampled_from(list(COUNTIES)))
            own = {
                "housing_appraisals": {"house_grade": "D"}, "visits": {"household_id": draw(st.sampled_from(["H1", "H3"]))},
                "household_documents": {"household_id": draw(st.sampled_from(["H1", "H2"])), "document": draw(st.sampled_from(["申请书", "其他"]))},
            }.get(kind, {})  # fmt: skip
            of = draw(st.none() | st.integers(0, len(world.people) - 1))
            who = {"id_number": draw(st.sampled_from(["A", "B", None])), "name_key": "甲", "county_key": county}
            world.row(kind, of, draw(st.sampled_from(["accepted", "review", "rejected"])), **who | own)
    if draw(st.booleans()):
        world.link(0, "register", 1, draw(st.sampled_from(["accepted", "review", "rejected"])))
    return world


def judged(world: World, folder, at_once: int) -> Judged:
    return judge_in_parts(world.inquire(packs=packs(), jurisdiction="450121"), folder / "parts", at_once, keep=True)


@examples(4)
@given(world=provinces())
def test_counties_say_together_what_is_said_of_all_at_once(world, tmp_path_factory):
    """Counts, reasons why rules did not run, findings with their keys, facts and outcomes: all are the same."""
    folders = [tmp_path_factory.mktemp(name) for name in ("whole", "parts")]
    whole, parts = (judged(world, folder, at_once) for folder, at_once in zip(folders, (10_000, 1), strict=True))
    assert parts.reports == whole.reports
    assert parts.lines == whole.lines
    assert_frame_equal(parts.uncovered, whole.uncovered)
    assert_frame_equal(parts.findings, whole.findings)
    asked = ["NAT-H-0", "GX-H-0"]
    assert_frame_equal(parts.outcomes_of(asked), whole.outcomes_of(asked))
    for folder, result in zip(folders, (whole, parts), strict=True):
        result.write(folder)
    for name in ("outcomes", "person_outcomes", "persons", "households"):
        one, other = ((folder / f"{name}.parquet").read_bytes() for folder in folders)
        assert one == other, name


def test_large_registers_are_judged_in_parts(tmp_path):
    """As many persons at a time as fit into the memory allowed, whole counties always; neighbours stay together."""
    frame = pl.DataFrame({"x": range(1_000_000)})
    assert persons_at_once(None, [frame]) == 200_000
    assert persons_at_once(1 << 30, [frame]) == pytest.approx(53_000, rel=0.02)
    assert persons_at_once(1, [frame]) == 10_000  # less than what is held already: the smallest part that is worth it
    assert least_memory([frame]) == pytest.approx(208_000_000, rel=0.01)
    world = World()
    for n, county in enumerate(["白石", "白石", "青禾", "黄土", None]):
        world.person(f"H{n}", county_key=county, county=COUNTIES[county])
    asked = world.inquire(packs=packs())
    sizes = [sorted(part.persons["county_key"].fill_null("?")) for part in asked.parts(2)]
    assert sizes == [["?", "白石", "白石"], ["青禾", "黄土"]]
    world.person("H2", county_key="白石", county="白石县")  # a household in two counties
    sizes = [part.persons["county_key"].n_unique() for part in world.inquire(packs=packs()).parts(2)]
    assert sizes == [3, 1]


def test_facts_of_single_households_are_those_of_the_round(tmp_path):
    """What a page tells of some cases is what was judged; a twin on the register comes along."""
    world = World()
    for n in range(4):
        world.person(f"H{n}", dibao=True)
    world.row("dibao", 1, household_id="H1", covered=True)
    world.link(1, "register", 3)
    whole = world.judge(packs=packs()).facts
    told = world.inquire(packs=packs()).facts_of(pl.Series(["H1"]))
    assert told.persons["household_id"].to_list() == ["H1", "H3"]
    here = pl.col("household_id").is_in(["H1", "H3"])
    assert_frame_equal(told.persons, whole.persons.filter(here), check_dtypes=False)
    assert_frame_equal(told.households, whole.households.filter(here), check_dtypes=False)
    assert told.rows["dept_dibao"].height == 1 if "dept_dibao" in told.rows else True
