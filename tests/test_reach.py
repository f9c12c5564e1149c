"""Rows that no key of the register can meet are left out before anything is compared, and nothing that is said changes."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from conftest import examples
from fupin_cli.ingest import load_profiles, parquet, read_people
from fupin_cli.linkage import blocking, reach, stages
from fupin_cli.linkage.frequency import represent
from fupin_cli.linkage.neighbours import neighbours
from fupin_cli.linkage.stages import link_and_learn, link_long, link_people
from fupin_cli.normalise.keys import person_keys
from fupin_cli.project import shipped_rules
from fupin_cli.synth import PRESETS, generate
from linkage_world import MODEL, number, swapped, wrong_digit

KIND = "household_registration"
NUMBERS = [number(n) for n in ("99012119850615301", "99012119850615302", "99012119900101122", "99012119700505117")]
A = NUMBERS[0]
FAULTY = [
    wrong_digit(A), swapped(A), A[:7] + A[8:], A[:9] + "4" + A[9:], A[:15] + "000", A[:6] + "********" + A[14:], "无", None,
]  # fmt: skip
PLACES = ["柳树村", "下村", None]

person = st.fixed_dictionaries(
    {
        "name_raw": st.sampled_from(["王芳", "王小芳", "王大芳", "李国强", None]),
        "id_raw": st.sampled_from([*NUMBERS, *FAULTY]),
        "former_name": st.sampled_from(["李国强", None]),
        "birth_on": st.sampled_from([dt.date(1985, 6, 15), dt.date(1990, 1, 1), None]),
        "sex": st.sampled_from(["男", "女", None]),
        "county": st.sampled_from(["青禾县", "白石县", None]),
        "township": st.sampled_from(["平川镇", None]),
        "village": st.sampled_from(PLACES),
        "household_id": st.sampled_from(["甲", "乙", None]),
    }
)
lists = st.lists(person, min_size=1, max_size=8)


def keys(rows, row):
    """The rows as KEYS, numbered."""
    schema = {name: pl.Date if name == "birth_on" else pl.String for name in rows[0]}
    return person_keys(pl.DataFrame(rows, schema=schema).with_row_index(row).cast({row: pl.Int64}), row)


def with_everybody(*asked):
    """The same links where no stranger is parted from the others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "part_strangers", lambda e, _: reach.InParts(e, [], represent(e), e.height))
        return link_and_learn(*asked, MODEL)


OTHER = number("99012219700505117")
TWO_FAULTS = A[:10] + "77" + A[12:]
HOME = {"county": "青禾县", "township": "平川镇", "village": "柳树村"}
# the key, whom the register knows, and a row that it leads to and no other key does
KEYS_ALONE = [
    ("one digit dropped", {"id_raw": A[:7] + A[8:]}, {"name_raw": "王小芳"}),
    ("cut by Excel", {"id_raw": A[:15] + "000"}, {"name_raw": "王小芳"}),
    ("two of three parts", {"id_raw": TWO_FAULTS}, {"name_raw": "王小芳"}),
    ("the first two parts", {"id_raw": A[:14] + "777" + A[17:]}, {"name_raw": "王小芳"}),
    ("the last two parts", {"id_raw": "77" + A[2:]}, {"name_raw": "王小芳"}),
    ("a number with hidden digits", {"id_raw": "*" * 14 + A[14:]}, {}),
    ("name and birth date", {"birth_on": dt.date(1985, 6, 15)}, {}),
    ("name and village", {**HOME, "county": None, "birth_on": dt.date(1990, 1, 1)}, HOME),
    ("name and county", {"county": "青禾县"}, {"county": "青禾县"}),
    (
        "village, birth date and sex",
        {**HOME, "birth_on": dt.date(1985, 6, 15), "sex": "男"},
        {**HOME, "name_raw": "赵六"},
    ),
    ("two characters in one village", {**HOME, "name_raw": "王小芳"}, {**HOME, "name_raw": "王大芳"}),
    ("name, birth date and village", {**HOME, "id_raw": OTHER, "birth_on": dt.date(1985, 6, 15)}, HOME),
    (
        "a household that is joined",
        {"name_raw": "赵六", "household_id": "甲"},
        {"name_raw": "钱七", "household_id": "甲"},
    ),
]


@pytest.mark.parametrize(("key", "known", "row"), KEYS_ALONE, ids=[key for key, *_ in KEYS_ALONE])
def test_each_key_reaches_by_itself(key, known, row):
    """The row is asked for, a stranger beside it is not."""
    nothing = dict.fromkeys(
        ("name_raw", "id_raw", "former_name", "birth_on", "sex", "county", "township", "village", "household_id")
    )
    mate = nothing | {"name_raw": "孙八", "id_raw": NUMBERS[2], "household_id": "甲"}
    far = nothing | {"name_raw": "周九", "id_raw": number("99019919700505199"), "village": "上村", "household_id": "乙"}
    ours = [nothing | {"name_raw": "王芳"} | known, mate]
    theirs = [nothing | {"name_raw": "王芳", "id_raw": A} | row, mate, far]
    told, reached = [], reach.reached
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reach, "reached", lambda *asked: told.extend(reached(*asked)) or told)
        links = link_people(keys(ours, "register_row"), keys(theirs, "extract_row"), MODEL)
    assert pl.concat(told)["row"].to_list() == [0], key
    assert links.equals(with_everybody(keys(ours, "register_row"), keys(theirs, "extract_row")).links)


@examples(15)
@given(lists, lists)
def test_nobody_who_could_be_met_is_left_out(register_rows, extract_rows):
    """Any faults of number, name, place, date and household on either side: the same links, to the last bit."""
    asked = keys(register_rows, "register_row"), keys(extract_rows, "extract_row")
    assert link_people(*asked, MODEL).equals(with_everybody(*asked).links)


@pytest.mark.parametrize("at_once", [1 << 20, 777])
def test_a_learned_model_is_the_same_too(tmp_path, monkeypatch, at_once):
    """Thousands of people from whom weights are learned, most of them strangers, in one part or in many."""
    generate(
        tmp_path, seed=78, persons=6_000, errors=PRESETS["bench"], registered_share=0.2, absent_share=0.2, unlisted_share=0.2,
        discrepancies=0.0, kinds=[KIND],
    )  # fmt: skip
    kinds = load_profiles([shipped_rules() / "sources"])
    asked = [read_people(tmp_path / f"{name}.parquet", kinds).keys for name in ("register", KIND)]
    monkeypatch.setattr(reach, "AT_ONCE", at_once)
    monkeypatch.setattr(stages, "AT_ONCE", at_once)
    parted = reach.part_strangers(asked[1], asked[0])
    strangers = sum(call().height for call in parted.strangers)
    assert strangers == asked[1].height - parted.near.height > asked[1].height / 2
    linked, everybody = link_and_learn(*asked, MODEL), with_everybody(*asked)
    assert linked.links.equals(everybody.links)
    assert linked.model == everybody.model
    assert link_long(asked[0], asked[1], _as_they_are, MODEL, name=KIND).equals(
        everybody.links.with_columns(pl.lit(KIND).alias("extract"))
    )


def _as_they_are(people):
    return people


@examples(40)
@given(st.lists(st.sampled_from([n for n in FAULTY if n]), min_size=1, max_size=5))
def test_a_sieve_lets_through_whoever_is_there(numbers):
    """All neighbours that stand among the numbers come through, and few others."""
    people = blocking.prepare(keys([{"id_raw": n, "name_raw": "王芳"} for n in numbers], "row"))
    codes = pl.Series([int(n[:17]) for n in NUMBERS])
    there = pl.col("code").is_in(codes.implode())
    all_, sieved = neighbours(people), neighbours(people, codes)
    assert_frame_equal(all_.filter(there), sieved.filter(there))
    assert sieved.filter(~there).height <= all_.height // 100


def test_a_long_table_is_read_in_batches(tmp_path, monkeypatch):
    """The same keys as of the whole at once; rows at the end without anything in them are none."""
    rows = {
        "姓名": ["张三", None, "李四", "王五", None, None],
        "身份证号": [*NUMBERS[:1], None, *NUMBERS[1:3], None, None],
        "村": ["柳树村", None, "下村", None, None, None],
    }
    pl.DataFrame(rows).write_parquet(tmp_path / "a.parquet")
    kinds = load_profiles([shipped_rules() / "sources"])
    small = read_people(tmp_path / "a.parquet", kinds).keys
    monkeypatch.setattr(parquet, "_SMALL", 0)
    for batch in (1, 2, 3, 100):
        monkeypatch.setattr(parquet, "_BATCH", batch)
        assert_frame_equal(read_people(tmp_path / "a.parquet", kinds).keys, small)
    assert small["at"].to_list() == [0, 1, 2, 3]


def test_a_late_row_of_several_people_is_seen(tmp_path, monkeypatch):
    """Two people in a cell of a later batch are two identities of one row, as they are in a short table."""
    pl.DataFrame(
        {"姓名": ["张三", "李四、王五"], "身份证号": [NUMBERS[0], f"{NUMBERS[1]}、{NUMBERS[2]}"]}
    ).write_parquet(tmp_path / "a.parquet")
    kinds = load_profiles([shipped_rules() / "sources"])
    small = read_people(tmp_path / "a.parquet", kinds)
    monkeypatch.setattr(parquet, "_SMALL", 0)
    monkeypatch.setattr(parquet, "_BATCH", 1)
    batched = read_people(tmp_path / "a.parquet", kinds)
    assert_frame_equal(batched.keys, small.keys)
    assert batched.data_row.to_list() == small.data_row.to_list() == [0, 1, 1]
