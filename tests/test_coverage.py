"""A list that says nothing of the time, or of the place, that a fact asks about proves nobody's absence."""

import json
from datetime import date

import pytest

from rules_world import World

NEXT_YEAR = date(2020, 1, 15)


def insured_world(*years: int | None, county: str = "青禾") -> World:
    """One person whose own row says 2019, on a list with other people's rows of these years."""
    world = World()
    who = world.person(resident_medical=True)
    world.row("medical_insurance", who, insured_status="正常参保", insured_year=2019)
    for year in years:
        world.row("medical_insurance", insured_year=year, county_key=county)
    return world


def test_last_years_list_of_the_insured_accuses_nobody():
    """Everybody on it has a valid row of 2019; in January 2020 the list does not cover the year: unknown, and it says so."""
    world = insured_world(2019)
    assert world.outcome("CMP-YB1") == ["clear"]
    judged = world.judge("CMP-YB1", as_of=NEXT_YEAR)
    assert judged.outcomes["outcome"].to_list() == ["unknown"]
    assert judged.findings.height == 0
    (report,) = judged.reports
    assert "没有一行满足" in report.not_run
    absent = World()
    absent.person(resident_medical=True)
    absent.row("medical_insurance", insured_year=2019)
    assert absent.outcome("CMP-YB1") == ["hit"]
    assert absent.outcome("CMP-YB1", as_of=NEXT_YEAR) == ["unknown"]


@pytest.mark.parametrize(
    ("county", "outcome"),
    [("青禾", "hit"), ("白石", "unknown"), (None, "hit")],  # rows that name no county may be of any
)
def test_a_list_of_this_year_covers_the_counties_that_it_names(county, outcome):
    """Half a list: another county's rows of this year say nothing of this one."""
    world = insured_world(2020, county=county)
    assert world.outcome("CMP-YB1", as_of=NEXT_YEAR) == [outcome]
    world.extracts[0]["coverage"] = ["青禾县", "白石县"]
    assert world.outcome("CMP-YB1", as_of=NEXT_YEAR) == [outcome]
    world.extracts[0]["coverage"] = ["青禾县"]
    assert world.outcome("CMP-YB1", as_of=NEXT_YEAR) == [outcome]


def test_a_list_without_years_is_of_the_year_of_its_date():
    """No column of years: the list's own date says which year it is of."""
    world = World()
    world.person(resident_medical=True)
    world.extract("medical_insurance")
    assert world.outcome("CMP-YB1") == ["hit"]
    assert world.outcome("CMP-YB1", as_of=NEXT_YEAR) == ["unknown"]


def test_two_years_of_one_person_are_not_insured_twice():
    """Employee last year and resident this year: no double insurance."""
    world = World()
    who = world.person()
    world.row("medical_insurance", who, insurance_kind="城镇职工", insured_year=2018)
    world.row("medical_insurance", who, insurance_kind="城乡居民", insured_year=2019)
    assert world.outcome("CMP-YB2") == ["clear"]


@pytest.mark.parametrize(("listed", "outcome"), [(date(2019, 8, 31), "unknown"), (date(2019, 9, 1), "hit")])
def test_last_school_years_roll_accuses_no_new_pupil(listed, outcome):
    """Whoever is six on 1 September stands on no roll of June."""
    world = World()
    born = date(2013, 9, 1)
    world.person(id_birth_on=born, birth_on=born)
    world.extract("school_roll", as_of=listed)
    assert world.outcome("CMP-ED1") == [outcome]


def test_a_title_says_no_more_than_the_list():
    """Whoever stands on the list as stopped is not said to be missing from it."""
    world = World()
    who = world.person(resident_medical=True)
    world.row("medical_insurance", who, insured_status="暂停参保", insured_year=2019)
    (finding,) = world.judge("CMP-YB1").findings.iter_rows(named=True)
    assert "无此人" not in finding["title"]
    assert "暂停参保" in finding["department_value"]


def photographed(*villages: str) -> World:
    """One household in each village; of the first two, the first has four photos and the second three."""
    world = World()
    for n, village in enumerate(villages):
        world.person(f"H{n}", village=village, village_key=village)
    for home, papers in (("H0", ("房前", "灶前", "主卧", "厅堂")), ("H1", ("房前", "灶前", "主卧"))):
        for paper in papers:
            world.row("household_documents", household_id=home, document=paper)
    return world


def test_a_village_of_which_the_list_holds_nothing_lacks_no_single_paper():
    """One village was photographed: a household of another lacks nothing, it is unknown, and says why."""
    world = photographed("新华村", "新华村", "新华村", "柳树村")
    judged = world.judge("SN-D1", jurisdiction="61").outcomes.sort("household_id")
    assert judged["outcome"].to_list() == ["met", "not_met", "not_met", "unknown"]
    assert "名单未见该村任何一户" in judged["reason"][3]


def test_the_summary_names_villages_that_a_list_holds_nothing_of(demo):
    """Only one village was photographed: of the county that the folder covers, the others are counted and named."""
    told = json.loads((demo / "digest.json").read_text(encoding="utf-8"))["problems"]
    (unseen,) = (problem["detail"] for problem in told if problem["kind"] == "unseen_village")
    names, _, count = unseen.partition(": ")
    assert int(count) == 8
    assert "新华村" not in names


def test_a_village_that_nobody_went_to_is_not_excused():
    """A record of visits is complete or it is none: nobody of the village visited is what Henan's rule looks for."""
    world = World()
    for n, village in enumerate(("新华村", "柳树村")):
        world.person(f"H{n}", village=village, village_key=village)
        world.home(f"H{n}", exit_status="未脱贫")
    world.row("visits", household_id="H0", visited_on=date(2019, 11, 1))
    assert world.outcome("HA-V1", jurisdiction="41") == ["clear", "hit"]
    assert world.outcome("HA-V1", jurisdiction="41", as_of=date(2019, 10, 1)) == ["unknown", "unknown"]
