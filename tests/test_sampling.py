"""Samples: plans say what they mean, draws are the same everywhere and as likely as they claim, intervals hold the truth."""

import math
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fupin_cli.audit.draw import allocate, draw_sample
from fupin_cli.audit.estimate import MET, NOT_MET, UNKNOWN, estimate_all, estimate_rate, judged, rate_rows
from fupin_cli.audit.frame import frame_of
from fupin_cli.audit.intervals import beta_below, clopper_pearson, t_quantile
from fupin_cli.audit.returns import compare_answers
from fupin_cli.errors import BadDataError, ConfigurationError, InputMissingError, UsageError
from fupin_cli.rules.sampling import Stage, find_plans, load_plan, open_plan
from fupin_cli.vocabulary import SAMPLING_FRAME
from sampling_world import COLUMNS, cover, population

PLANS = Path(__file__).parents[1] / "rules" / "sampling"
HOUSEHOLD = Stage("household", 20, "srs", "households", None)


@pytest.fixture(scope="module")
def county():
    return load_plan(PLANS / "county.toml", COLUMNS)


@pytest.fixture(scope="module")
def jiangsu():
    return load_plan(PLANS / "jiangsu.toml", COLUMNS)


@pytest.fixture(scope="module")
def world():
    """Five cities of four counties of eight villages."""
    return population(cities=5, counties=4, villages=8, homes=70, rate=0.1, alike=0.05, seed=3)


def simple(plan, *stages, rate="wrong_exit_rate"):
    """A plan of one rate over other stages, with one stratum."""
    only = replace(plan.strata[0], name="脱贫户", where=None, take=None)
    own = replace(next(r for r in plan.rates if r.id == rate), among=("脱贫户",))
    return replace(plan, stages=stages, strata=(only,), rates=(own,), composites=(), tell_by=(), allocation="given")


# --- plans ------------------------------------------------------------------------------------------------------------


def test_every_shipped_plan_loads_and_cites():
    """Each has a document behind it, and asks something that some rate counts."""
    plans = [load_plan(path, COLUMNS) for path in find_plans([PLANS.parent]).values()]
    assert {plan.id for plan in plans} == {"county", "jiangsu", "jilin"}
    for plan in plans:
        assert plan.citation.title
        assert plan.rates
        assert plan.note


def test_jiangsu_is_what_the_bulletin_says(jiangsu):
    """5 cities × 2 counties × 2 villages × 50 households, five groups, weak villages only."""
    assert [(stage.unit, stage.take) for stage in jiangsu.stages] == [
        ("city", 5),
        ("county", 2),
        ("village", 2),
        ("household", 50),
    ]
    assert jiangsu.groups == 5
    assert jiangsu.villages


def test_jilin_has_the_five_groups():
    """贫困户、边缘户、清退户、脱贫户、其他农户, each drawn apart."""
    plan = load_plan(PLANS / "jilin.toml", COLUMNS)
    assert [stratum.name for stratum in plan.strata] == ["贫困户", "边缘户", "清退户", "脱贫户", "其他农户"]


@pytest.mark.parametrize(
    ("old", "new", "what", "hint"),
    [
        ("groups_by", "groups_bye", "'groups_bye' is not a key here", "groups_by = …"),
        ('unit = "village"', 'unit = "vilage"', "unit must be one of", 'unit = "village"'),
        ('method = "pps"', 'method = "ppss"', "method must be one of", 'method = "pps"'),
        ("take = 5\nmethod", "take = 0\nmethod", "take must be 1 or more", "takes them all"),
        ('size = "households"', 'size = "houses"', "size must be one of", 'size = "households"'),
        ("exit_status = '已脱贫'", "exit_stauts = '已脱贫'", "'exit_stauts' is not a known fact", "exit_status"),
        ('asked_of = ["脱贫户"]', 'asked_of = ["脱贫"]', "asked_of: '脱贫' is not known here", "脱贫户"),
        ('counts = ["不符合"]', 'counts = ["不符"]', "counts: '不符' is not known here", "不符合"),
        ('counts = ["不符合"]', 'counts = ["不能确定"]', "counts: '不能确定' is not known here", "one of"),
        ('question = "wrong_exit"', 'question = "wrong_exits"', "question: 'wrong_exits' is not known here", "wrong_exit"),
        ('provenance = "V"', 'provenance = "R"', "recalled, not verified", "the document in which it stands"),
        ("limit = 0.02", "limit = 2", "limit is a share between 0 and 1", "limit = 0.02"),
        ('poor = ["未脱贫户"]', 'poor = ["贫困"]', "poor: '贫困' is not known here", "未脱贫户"),
        ('shows = ["member_count"', 'shows = ["member_cuont"', "shows: 'member_cuont' is not known here", "member_count"),
        ('name = "未脱贫户"', 'name = "脱贫户"', "two of [[stratum]] are called 脱贫户", "its own name"),
        ("take = 10\n[[stratum]]", "[[stratum]]", "stratum 脱贫户 does not say how many", "take = 10"),
        ('unit = "household"\nmethod', 'unit = "household"\ntake = 9\nmethod', "counted twice over", "no take"),
        ("groups = 2", "groups = 0", "at least one audit group", "groups = 1"),
        ('title = "是否漏评"', 'title = "是否认可"', "two of [[question]] are called 是否认可", "its own name"),
        ('unit = "village"\n', 'unit = "village"\nper = "village"\n', "a village does not lie within a village", "a wider level"),
        ('method = "systematic"', 'method = "systematic"\nsize = "persons"', "drawn in proportion to", 'method = "pps"'),
        ('method = "systematic"', 'method = "pps"', "households are drawn with equal chances", '"systematic" or "srs"'),
        ('method = "all"', 'method = "all"\ntake = 3', "all of them are taken", "leave take out"),
        ('unit = "county"', 'unit = "village"', "stages go from wide to narrow", 'unit = "household"'),
        ("take = 5\nmethod", "method", "stage village does not say how many", 'method = "all"'),
        ("groups = 2", 'groups = 2\nallocation = "equal"', "stratum 脱贫户 has a take", 'allocation = "given"'),
        ("take = 10\n[[stratum]]", "take = 0\n[[stratum]]", "take must be 1 or more", "take = 10"),
        ('counts = ["不符合"]', 'counts = ["不符合"]\namong = ["未脱贫户"]', "wrong_exit is not asked of 未脱贫户", '["脱贫户"]'),
        ('question = "wrong_exit"', 'question = "home"', "home is free text", "choices = […]"),
    ],
)  # fmt: skip
def test_a_wrong_plan_is_refused_with_its_line(tmp_path, old, new, what, hint):
    """File and line, what is wrong, and what to type instead."""
    text = (PLANS / "county.toml").read_text(encoding="utf-8").replace("\n\n", "\n")
    assert old in text
    path = tmp_path / "county.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        load_plan(path, COLUMNS)
    assert what in refused.value.what
    assert hint in str(refused.value.try_)
    assert str(refused.value.where).startswith("sampling/county.toml:")


def test_households_must_be_shared_among_strata_somehow(tmp_path):
    """No take anywhere, or one for all strata and no allocation: nobody would know how many of whom; all of them need none."""
    text = (PLANS / "county.toml").read_text(encoding="utf-8").replace("take = 10\n", "")
    text = text.replace("IN ('未脱贫', '返贫')\"\ntake = 5", "IN ('未脱贫', '返贫')\"")
    path = tmp_path / "own.toml"
    household = 'unit = "household"\n'
    told = {"": "household does not say how many", "take = 50\n": "how the households are shared among the strata"}
    for take, what in told.items():
        path.write_text(text.replace(household, household + take), encoding="utf-8")
        with pytest.raises(ConfigurationError, match=what):
            load_plan(path, COLUMNS)
    path.write_text(text.replace('method = "systematic"', 'method = "all"'), encoding="utf-8")
    assert open_plan(str(path), [], COLUMNS).stages[-1].method == "all"
    with pytest.raises(InputMissingError, match="no such plan"):
        open_plan(str(tmp_path / "gone.toml"), [], COLUMNS)


def test_an_unknown_plan_names_the_nearest():
    """A slip of the pen is answered with what may have been meant."""
    with pytest.raises(UsageError, match="countty") as refused:
        open_plan("countty", [PLANS.parent], COLUMNS)
    assert "county" in refused.value.try_


# --- frames -----------------------------------------------------------------------------------------------------------


def register(rows):
    """persons and households of a small register: (household, village, exit_status, id_number)."""
    homes = pl.DataFrame(
        {
            "household_id": [r[0] for r in rows], "county": "青禾县", "township": "河口镇", "village": [r[1] for r in rows],
            "head_name": "赵甲", "member_count": 3, "exit_status": [r[2] for r in rows],
        },
        schema_overrides={"village": pl.String, "member_count": pl.Int64, "exit_status": pl.String},
    )  # fmt: skip
    return homes.select("household_id", pl.Series("id_number", [r[3] for r in rows])), homes


def test_whoever_cannot_be_drawn_is_told_with_the_reason(county):
    """Nobody disappears: frame + outside = register + list."""
    persons, homes = register(
        [
            ("1", "上坪村", "已脱贫", "X1"),
            ("2", "上坪村", None, "X2"),
            ("3", None, "未脱贫", "X3"),
            ("4", "上坪村", "其他", "X4"),
        ]
    )
    listed = pl.DataFrame(
        [("Y1", "上坪村", "钱甲"), ("X1", "上坪村", "赵甲"), ("Y1", "上坪村", "钱甲")],
        schema=["id_number", "village", "head_name"], orient="row",
    ).with_columns(county=pl.lit("青禾县"), township=pl.lit("河口镇"), household_id=pl.lit(None, pl.String),
                   hamlet=pl.lit(None, pl.String), member_count=pl.lit(2, pl.Int64), group_stated=pl.lit("其他农户"))  # fmt: skip
    frame = frame_of(county, persons, homes, listed)
    assert frame.households.height + frame.outside.height == 7
    assert dict(frame.outside.select("unit_key", "reason").rows()) == {
        "R|2": "unclear_stratum", "R|3": "no_place", "R|4": "no_stratum", "L|X1": "registered_already", "L|Y1#1": "listed_twice",
    }  # fmt: skip
    assert dict(frame.households.select("unit_key", "stratum").rows()) == {"L|Y1": "未建档立卡农户", "R|1": "脱贫户"}


def test_the_hash_of_a_frame_is_of_its_content(county):
    """Another order has the same fingerprint, another household another one."""
    persons, homes = register([(str(n), "上坪村", "已脱贫", f"X{n}") for n in range(9)])
    first = frame_of(county, persons, homes).sha256
    assert frame_of(county, persons.reverse(), homes.sample(fraction=1, shuffle=True, seed=1)).sha256 == first
    assert frame_of(county, persons, homes.head(8)).sha256 != first


def test_a_plan_among_listed_villages_needs_the_list(jiangsu, county):
    """Nobody guesses which villages are the weak ones; a name that is not in the frame is refused."""
    persons, homes = register([("1", "上坪村", "已脱贫", "X1"), ("2", "下坪村", "已脱贫", "X2")])
    with pytest.raises(UsageError, match="省定经济薄弱村"):
        frame_of(jiangsu, persons, homes)
    with pytest.raises(BadDataError, match="level city"):
        frame_of(jiangsu, persons, homes, villages=["青禾县/上坪村"])
    with pytest.raises(UsageError, match="上平村"):
        frame_of(county, persons, homes, villages=["青禾县/河口镇/上平村"])
    frame = frame_of(county, persons, homes, villages=["青禾县/河口镇/上坪村"])
    assert frame.households["household_id"].to_list() == ["1"]
    assert frame.outside["reason"].to_list() == ["other_village"]


# --- draws ------------------------------------------------------------------------------------------------------------


def test_the_same_seed_and_frame_give_the_same_sample_in_any_row_order(jiangsu, world):
    """Row order means nothing; another seed means another sample."""
    first = draw_sample(world, jiangsu, 7).rows
    assert draw_sample(world.sample(fraction=1, shuffle=True, seed=5), jiangsu, 7).rows.equals(first)
    assert not draw_sample(world, jiangsu, 8).rows["sample_id"].equals(first["sample_id"])


def test_a_draw_is_the_same_on_every_machine(county):
    """Pinned: a change of these numbers would change every sample that somebody has to be able to draw again."""
    frame = SAMPLING_FRAME.conform(
        pl.DataFrame({"unit_key": [f"R|{n}" for n in range(12)], "county": "甲县", "village": [f"村{n % 3}" for n in range(12)],
                      "member_count": 3, "stratum": "脱贫户"})
    )  # fmt: skip
    plan = simple(county, Stage("village", 2, "srs", "households", None), replace(HOUSEHOLD, take=2))
    rows = draw_sample(frame, plan, 2019).rows
    assert rows.select("unit_key", "sample_id").rows() == PINNED


PINNED = [
    ("R|6", "S71737RWMEPFW0ZDF"),
    ("R|9", "SFWY8QJTJS0A2NWHS"),
    ("R|5", "SNKXDZEHWGGNPVBR1"),
    ("R|8", "S4XDTJX0V1N6RA5EG"),
]


def test_jiangsu_takes_twenty_villages_and_a_thousand_households(jiangsu, world):
    """Five groups of one city each; weights add up to about the households of the frame."""
    drawn = draw_sample(world, jiangsu, 1)
    rows = drawn.rows
    villages = rows.group_by("city", "county", "village").len()
    short = {place: present for level, place, _, _, present in drawn.short.rows() if level == "household"}
    assert villages.height == 20
    assert all(n == 50 or n in short.values() for n in villages["len"])
    assert rows.group_by("group").agg(pl.col("city").n_unique())["city"].to_list() == [1] * 5
    assert rows["sample_id"].n_unique() == rows.height
    assert rows["weight"].sum() == pytest.approx(world.height, rel=0.25)


def test_a_small_village_is_taken_wholly_and_told(county):
    """Fewer than asked: all of them, with a chance of one, and a line that says so."""
    plan = simple(county, Stage("village", 3, "srs", "households", None), replace(HOUSEHOLD, take=500))
    drawn = draw_sample(frame_of_sizes([40, 30, 60, 20]), plan, 1)
    assert set(drawn.rows["pi_1"]) == {1.0}
    assert drawn.short["asked"].to_list() == [500] * 3
    assert drawn.short["present"].sum() == drawn.rows.height


def test_a_stage_may_draw_in_each_of_a_wider_place(county, world):
    """per = "county": one village in each county of each city, though cities are no stage and counties bear one name."""
    world = world.with_columns(pl.col("county").str.replace(r"[0-9]+-", ""))
    plan = simple(county, Stage("village", 1, "srs", "households", "county"), HOUSEHOLD)
    rows = draw_sample(world.filter(pl.col("stratum") == "脱贫户"), plan, 1).rows
    assert rows.select("city", "county", "village").n_unique() == world.select("city", "county").n_unique() == 20
    assert rows["cell_0"].n_unique() == 20


@pytest.mark.parametrize("method", ["srs", "systematic", "pps"])
def test_units_are_drawn_as_often_as_their_chance_says(county, method):
    """Over 500 seeds every village comes up as often as its pi, within four standard errors."""
    sizes = [3, 5, 8, 13, 30, 4, 9, 60]
    frame = SAMPLING_FRAME.conform(
        pl.DataFrame(
            [(f"R|{v}-{h}", f"村{v}", 1, "脱贫户") for v, n in enumerate(sizes) for h in range(n)],
            schema=["unit_key", "village", "member_count", "stratum"], orient="row",
        )
    )  # fmt: skip
    plan = simple(county, Stage("village", 3, method, "households", None), replace(HOUSEHOLD, take=1))
    seeds, seen, chance = 500, {}, {}
    for seed in range(seeds):
        rows = draw_sample(frame, plan, seed).rows
        assert rows.height == 3
        for village, pi in rows.select("village", "pi_0").rows():
            seen[village] = seen.get(village, 0) + 1
            chance[village] = pi
    assert len(seen) == len(sizes)
    for village, pi in chance.items():
        assert abs(seen[village] / seeds - pi) <= 4 * math.sqrt(pi * (1 - pi) / seeds) + 1e-9, (village, pi)


def test_a_new_household_leaves_the_numbers_of_the_others(county):
    """Simple random draws are coordinated: whoever joins the frame displaces one at most."""
    frame = SAMPLING_FRAME.conform(
        pl.DataFrame(
            {"unit_key": [f"R|{n}" for n in range(60)], "village": "村", "member_count": 1, "stratum": "脱贫户"}
        )
    )
    plan = simple(county, HOUSEHOLD)
    before = set(draw_sample(frame, plan, 4).rows["unit_key"])
    grown = pl.concat([frame, frame.head(1).with_columns(unit_key=pl.lit("R|new"))])
    assert len(before - set(draw_sample(grown, plan, 4).rows["unit_key"])) <= 1


@given(st.lists(st.integers(1, 400), min_size=1, max_size=6), st.integers(1, 300))
def test_allocation_gives_out_what_there_is(sizes, take):
    """In proportion: no stratum more than it has, two where it has them, the whole take where that can be."""
    shares = allocate(sizes, take, "proportional")
    least = [min(2, size) for size in sizes]
    assert all(low <= share <= size for low, share, size in zip(least, shares, sizes, strict=True))
    assert sum(shares) == min(sum(sizes), max(take, sum(least)))
    assert sum(allocate(sizes, take, "equal")) == take


# --- intervals --------------------------------------------------------------------------------------------------------


def test_quantiles_are_those_of_the_tables():
    """Student's t and Clopper–Pearson limits as printed in textbooks."""
    assert t_quantile(0.975, 5) == pytest.approx(2.570582, abs=1e-6)
    assert t_quantile(0.975, 1) == pytest.approx(12.7062, abs=1e-4)
    assert t_quantile(0.975, math.inf) == pytest.approx(1.959964, abs=1e-5)
    assert clopper_pearson(0, 50) == (0.0, pytest.approx(1 - 0.025 ** (1 / 50)))
    assert clopper_pearson(8, 20) == (pytest.approx(0.1911901, abs=1e-6), pytest.approx(0.6394574, abs=1e-6))
    assert beta_below(0.3, 2, 5) == pytest.approx(0.579825)


@given(st.floats(0, 200), st.floats(1, 200))
def test_limits_hold_the_share_and_stay_within_0_and_1(right, n):
    """Whatever the effective numbers."""
    right = min(right, n)
    low, high = clopper_pearson(right, n)
    assert 0 <= low <= right / n + 1e-9
    assert right / n - 1e-9 <= high <= 1


def answered(rows, answers, question="wrong_exit"):
    return rows.with_columns(pl.Series(f"q_{question}", answers, pl.String))


def frame_of_sizes(villages, members=1):
    return SAMPLING_FRAME.conform(
        pl.DataFrame(
            [(f"R|{v}-{h}", f"村{v}", members, "脱贫户") for v, n in enumerate(villages) for h in range(n)],
            schema=["unit_key", "village", "member_count", "stratum"], orient="row",
        )
    )  # fmt: skip


PEOPLE = pl.DataFrame({"stratum": ["脱贫户"], "households": [1], "persons": [1]})


def test_nobody_of_fifty_is_not_nobody_at_all(county):
    """0 of 50 says: at most 7 % (at least 1 − 0.025^(1/50)); the interval is never of no width."""
    rows = draw_sample(frame_of_sizes([5000]), simple(county, replace(HOUSEHOLD, take=50)), 1).rows
    plan = simple(county, replace(HOUSEHOLD, take=50))
    found = estimate_all(answered(rows, ["符合"] * 50), plan, PEOPLE)[0]
    assert found.value == 0
    assert found.low == 0
    assert found.high >= 1 - 0.025 ** (1 / 50) - 1e-9
    everyone = estimate_all(answered(rows, ["不符合"] * 50), plan, PEOPLE)[0]
    assert everyone.low == pytest.approx(1 - found.high)


def test_simple_random_sampling_has_the_textbooks_error(county):
    """Variance of a mean: (1 − n/N) s²/n (Lohr 2019, 2.3)."""
    plan = simple(county, replace(HOUSEHOLD, take=40))
    rows = draw_sample(frame_of_sizes([100]), plan, 1).rows
    says = [1] * 7 + [0] * 33
    found = estimate_all(answered(rows, ["不符合" if s else "符合" for s in says]), plan, PEOPLE)[0]
    assert found.value == pytest.approx(7 / 40)
    assert found.error == pytest.approx(math.sqrt((1 - 40 / 100) * np.var(says, ddof=1) / 40))


def test_two_stages_have_the_textbooks_error(county):
    """A ratio over villages and households drawn at random: Lohr 2019, (5.28), with both corrections."""
    sizes = [20, 30, 25, 40, 35, 15, 28, 33]
    plan = simple(county, Stage("village", 4, "srs", "households", None), replace(HOUSEHOLD, take=10))
    rows = draw_sample(frame_of_sizes(sizes), plan, 6).rows
    rnd = random.Random(2)
    says = [int(rnd.random() < 0.3) for _ in range(rows.height)]
    found = estimate_all(answered(rows, ["不符合" if s else "符合" for s in says]), plan, PEOPLE)[0]
    told = rows.with_columns(y=pl.Series(says))
    each = [
        (part["present_1"][0], part["y"].mean(), part.height, part["y"].to_numpy())
        for part in told.partition_by("village", maintain_order=True)
    ]
    n, total = len(sizes), sum(m for m, *_ in each)
    ratio = sum(m * mean for m, mean, *_ in each) / total
    between = sum((m * mean - m * ratio) ** 2 for m, mean, *_ in each) / (4 - 1)
    within = sum(m**2 * (1 - k / m) * np.var(y - ratio, ddof=1) / k for m, _, k, y in each)
    size = n / 4 * total  # the estimated number of households
    variance = (n**2 * (1 - 4 / n) * between / 4 + n / 4 * within) / size**2
    assert found.value == pytest.approx(ratio)
    assert found.error == pytest.approx(math.sqrt(variance))
    assert found.df == 3


def test_a_full_count_with_every_answer_is_exact(county):
    """Nothing was left to chance, so there is no interval; one who does not answer brings it back."""
    plan = simple(
        county, Stage("village", None, "all", "households", None), Stage("household", None, "all", "households", None)
    )
    rows = draw_sample(frame_of_sizes([20, 30]), plan, 1).rows
    says = ["不符合"] * 5 + ["符合"] * 45
    exact = estimate_all(answered(rows, says), plan, PEOPLE)[0]
    assert (exact.low, exact.value, exact.high) == (0.1, 0.1, 0.1)
    silent = estimate_all(answered(rows, [*says[:-1], None]), plan, PEOPLE)[0]
    assert silent.low < 0.1 < silent.high
    assert silent.worst == (pytest.approx(5 / 50), pytest.approx(6 / 50))


def test_silence_and_unclear_answers_are_counted_and_never_an_answer(county):
    """Those who did not answer are represented by their village; unknown never becomes no."""
    plan = simple(county, Stage("village", None, "all", "households", None), replace(HOUSEHOLD, take=10))
    rows = draw_sample(frame_of_sizes([40, 40]), plan, 1).rows
    first = rows["village"] == "村0"
    says = [("不符合" if n % 2 else None) if village else "符合" for n, village in enumerate(first)]
    found = estimate_all(answered(rows, says), plan, PEOPLE)[0]
    assert (found.drawn, found.answered, found.unclear, found.counted) == (20, 15, 0, 5)
    assert found.value == pytest.approx(0.5), "village 0 said yes wherever it said anything"
    assert found.worst == (pytest.approx(0.25), pytest.approx(0.5))
    unclear = estimate_all(answered(rows, [s or "不能确定" for s in says]), plan, PEOPLE)[0]
    assert (unclear.value, unclear.unclear) == (found.value, 5)


def test_nobody_asked_is_no_rate_at_all(county):
    """No answer: no estimate, and nothing said of the limit."""
    plan = simple(county, HOUSEHOLD)
    rows = draw_sample(frame_of_sizes([40]), plan, 1).rows
    found = estimate_all(answered(rows, [None] * rows.height), plan, PEOPLE)[0]
    assert (found.value, found.low, found.verdict) == (None, None, UNKNOWN)


def test_what_weakens_an_estimate_is_said_beside_it(county):
    """Nobody of the kind was drawn, nobody answered, a size nobody knows, a village that stands alone in its township."""
    plan = simple(county, HOUSEHOLD)
    rows = draw_sample(frame_of_sizes([40]), plan, 1).rows
    told = rate_rows(estimate_all(answered(rows, [None] * rows.height), plan, PEOPLE)).row(0, named=True)
    assert (told["value"], told["interval"], told["remark"]) == ("—", "无法估计", "没有一户答复")
    others = rows.with_columns(stratum=pl.lit("未脱贫户"))
    none = rate_rows(estimate_all(answered(others, ["符合"] * rows.height), plan, PEOPLE)).row(0, named=True)
    assert (none["drawn"], none["extremes"], none["remark"]) == (0, "", "样本里没有这类户")
    rate = replace(plan.rates[0], of="persons")
    unsized = rows.with_columns(member_count=pl.when(pl.int_range(pl.len()) > 1).then("member_count"))
    found = estimate_rate(answered(unsized, ["不符合"] * rows.height), rate, plan, 1, "全部", pl.lit(value=True))
    assert found.unsized == 2
    assert rate_rows([found])["remark"].item().startswith("2 户人口数不明")
    two = simple(county, Stage("village", 1, "srs", "households", None), replace(HOUSEHOLD, take=10))
    alone = draw_sample(frame_of_sizes([40, 40]), two, 1).rows
    lonely = estimate_all(answered(alone, ["不符合", *["符合"] * (alone.height - 1)]), two, PEOPLE)[0]
    assert "在其上级单位中只抽中一个" in rate_rows([lonely])["remark"].item()


@pytest.mark.parametrize(
    ("low", "high", "side", "verdict"),
    [
        (0.001, 0.015, "below", MET), (0.001, 0.02, "below", UNKNOWN), (0.02, 0.09, "below", NOT_MET), (0.01, 0.03, "below", UNKNOWN),
        (0.9, 0.97, "at_least", MET), (0.88, 0.97, "at_least", UNKNOWN), (0.7, 0.89, "at_least", NOT_MET), (None, None, "below", UNKNOWN),
    ],
)  # fmt: skip
def test_a_limit_is_met_only_where_the_whole_interval_is(low, high, side, verdict):
    """below 2 %: the upper limit; at least 90 %: the lower one; else nobody can say."""
    assert judged(low, high, 0.02 if side == "below" else 0.9, side) == verdict


@pytest.mark.parametrize(("rate", "silent"), [(0.3, 0.0), (0.02, 0.0), (0.95, 0.15)])
def test_intervals_hold_the_truth(jiangsu, rate, silent):
    """60 draws of an invented population; bench/sampling.py does 500 for three designs."""
    frame = population(cities=5, counties=4, villages=8, homes=70, rate=rate, alike=0.04, seed=5)
    held = cover(frame, jiangsu, rate="wrong_exit_rate", draws=60, silent=silent)
    assert held.held >= 0.88
    assert abs(held.mean - held.truth) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.3, 0.05, 0.02, 0.005])
@pytest.mark.parametrize("name", ["jiangsu", "county"])
def test_intervals_hold_the_truth_in_many_draws(name, rate, county, jiangsu):
    """400 draws: 95 % and no less than luck allows (0.95 − 2.5 standard errors)."""
    plan = jiangsu
    if name == "county":
        plan = replace(county, strata=county.strata[:2])
    frame = population(cities=5, counties=4, villages=12, homes=80, rate=rate, alike=0.04, seed=6)
    held = cover(frame, plan, rate="wrong_exit_rate", draws=400)
    assert held.held >= 0.95 - 2.5 * math.sqrt(0.95 * 0.05 / 400)


# --- what comes back --------------------------------------------------------------------------------------------------

HEADERS = {"head_name": "户主姓名", "household_id": "户编号", "village": "行政村"}


def sent(county):
    ids = ["S0123456789ABCDEF", "S1123456789ABCDEF", "S2123456789ABCDEF"]
    return pl.DataFrame(
        {
            "sample_id": ids, "stratum": ["脱贫户", "脱贫户", "未脱贫户"], "shown_head_name": ["赵甲", "赵乙", "赵丙"],
            "shown_household_id": ["1", "2", "3"], "shown_village": ["村"] * 3,
        }
    )  # fmt: skip


def back(row, number, name, home, *, wrong_exit=None, approves=None, source="a.xlsx", village="村"):
    return {
        "source": source, "sheet": "村", "row": row, "sample_text": number, "head_name": name, "household_id": home, "village": village,
        "q_home": None, "q_wrong_exit": wrong_exit, "q_missed": None, "q_approves": approves,
    }  # fmt: skip


def compared(county, *rows):
    frame = pl.DataFrame(
        list(rows), schema_overrides={f"q_{q.id}": pl.String for q in county.questions} | {"sample_text": pl.String}
    )
    return compare_answers(frame, sent(county), county.questions, HEADERS)


def test_answers_are_known_by_their_number_alone(county):
    """Lower case, spaces and O for zero are read; a blank, a dash and a full stop mean what they mean."""
    told = compared(county, back(9, " so12 3456789abcdef", "赵甲", "1", wrong_exit="符合。", approves="—"))
    assert told.sample["q_wrong_exit"].to_list() == ["符合", None, None]
    assert told.problems.height == told.conflicts.height == told.altered.height == 0


def test_what_does_not_count_is_told(county):
    """A number that was never drawn, none beside an answer, another household's, a word not offered, a question not asked."""
    told = compared(
        county,
        back(6, "SZZZZZZZZZZZZZZZZ", "赵甲", "1", wrong_exit="符合"),
        back(7, None, "赵甲", "1", wrong_exit="符合"),
        back(8, "S0123456789ABCDEF", "赵乙", "2", wrong_exit="符合"),
        back(9, "S1123456789ABCDEF", "赵乙", "2", wrong_exit="还行"),
        back(10, "S2123456789ABCDEF", "赵丙", "3", wrong_exit="符合", approves="认可"),
        back(30, None, "审计员（签字）：", None),
    )
    assert dict(told.problems.select("row", "problem").rows()) == {
        6: "unknown",
        7: "no_number",
        8: "misplaced",
        9: "not_offered",
        10: "not_asked",
    }
    assert told.sample["q_wrong_exit"].to_list() == [None, None, None]
    assert told.sample["q_approves"].to_list() == [None, None, "认可"]


def test_copies_that_disagree_count_for_neither(county):
    """The same answer twice is one answer; two different ones are a conflict, in whatever order they come."""
    rows = [
        back(6, "S0123456789ABCDEF", "赵甲", "1", wrong_exit="符合", approves="认可"),
        back(6, "S0123456789ABCDEF", "赵甲", "1", wrong_exit="不符合", approves="认可", source="b.xlsx"),
    ]
    for told in (compared(county, *rows), compared(county, *reversed(rows))):
        assert told.sample["q_wrong_exit"].to_list() == [None, None, None]
        assert told.sample["q_approves"].to_list() == ["认可", None, None]
        assert told.conflicts.rows() == [("S0123456789ABCDEF", "是否符合退出标准", "不符合；符合", "a.xlsx、b.xlsx")]


def test_an_altered_name_is_told_and_the_answer_counts(county):
    """One of who a row is about may have been retyped."""
    told = compared(county, back(6, "S0123456789ABCDEF", "赵假", "1", wrong_exit="符合"))
    assert told.sample["q_wrong_exit"].to_list()[0] == "符合"
    assert told.altered.select("header", "sent", "came_back").rows() == [("户主姓名", "赵甲", "赵假")]
