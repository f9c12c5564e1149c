"""Names and places: what is printed keeps every character, what is compared drops the typing."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fupin_cli.normalise.identity import add_identity
from fupin_cli.normalise.person_name import clean_names
from fupin_cli.normalise.regions import KnownPlaces, place_keys, settle_places

NAMES = """
张 三                 | 张三              | 张三
　张伟　              | 张伟              | 张伟
張偉                  | 張偉              | 张伟
户主：李四            | 李四              | 李四
李四(亡)              | 李四              | 李四
王芳2                 | 王芳              | 王芳
买买提．吐尔逊        | 买买提·吐尔逊     | 买买提吐尔逊
买买提•吐尔逊         | 买买提·吐尔逊     | 买买提吐尔逊
买买提 · 吐尔逊       | 买买提·吐尔逊     | 买买提吐尔逊
买买提吐尔逊          | 买买提吐尔逊      | 买买提吐尔逊
徐(莹加王旁)          | 徐(莹加王旁)      | 徐(莹加王旁)
𬱖某                  | 𬱖某              | 𬱖某
龑一                  | 龑一              | 䶮一
张三（户主）          | 张三              | 张三
王2芳                 | 王2芳             | 王2芳
王户主                | 王户主            | 王户主
买买提··吐尔逊        | 买买提·吐尔逊     | 买买提吐尔逊
，龑；                | 龑                | 䶮
张三，(亡)            | 张三              | 张三
欧阳(莹加王旁)        | 欧阳(莹加王旁)    | 欧阳(莹加王旁)
张(亡)                | 张(亡)            | 张(亡)
Ali Khan              | AliKhan           | ALIKHAN
"""


@pytest.mark.parametrize(
    "line", [line for line in NAMES.splitlines() if line], ids=lambda line: line.split("|")[0].strip()
)
def test_names_as_printed_and_as_compared(line):
    """A drawn table: as received, printed, key."""
    raw, printed, key = (part.strip(" ") for part in line.split("|"))
    assert clean_names(pl.Series([raw])).row(0) == (printed, key)


def test_nothing_left_is_null():
    """Blank, dots and numbers are no name."""
    assert clean_names(pl.Series([None, "", " ", "··", "123"]))["name"].to_list() == [None] * 5


@given(st.lists(st.text(max_size=12), max_size=5))
def test_cleaning_twice_is_cleaning_once(raw):
    """The printed name cleans to itself, and its key stays."""
    once = clean_names(pl.Series(raw, dtype=pl.String))
    again = clean_names(once["name"])
    assert again.equals(clean_names(again["name"]))


def test_places_from_columns_and_from_an_address():
    """Columns of their own beat the address; the key drops the administrative suffix."""
    frame = pl.DataFrame(
        {
            "address": ["南溟省云岭市青禾县平川镇柳树村3组", "平川镇柳树村委会", None],
            "county": [None, None, "白石县"],
            "village": [None, None, "石桥社区"],
        }
    )
    keys = place_keys(frame).select("county", "township", "village", "village_key").rows()
    assert keys == [
        ("青禾县", "平川镇", "柳树村", "柳树"),
        (None, "平川镇", "柳树村", "柳树"),
        ("白石县", None, "石桥社区", "石桥"),
    ]


def test_places_are_settled_as_the_register_names_them():
    """A lone township gets its county if there is one such; two spellings become the commoner; the rest stays."""

    def places(*rows):
        return place_keys(pl.DataFrame(rows, schema=["county", "township", "village"], orient="row", strict=False))

    register = places(
        ("青禾县", "平川镇", "柳树村"),
        ("青禾县", "平川镇", "柳树村"),
        ("青禾", "平川", "柳树"),
        ("白石县", "平塘镇", None),
        ("青禾县", "城关镇", None),
        ("白石县", "城关镇", None),
    )
    rows = places((None, "平川", "柳树村委会"), (None, "城关镇", None), (None, "别处镇", None), ("白石", "平塘", None))
    settled = settle_places(rows, KnownPlaces.of(register), "青禾县").select("county", "township", "village").rows()
    assert settled == [
        ("青禾县", "平川镇", "柳树村"), ("青禾县", "城关镇", None), ("青禾县", "别处镇", None), ("白石县", "平塘镇", None),
    ]  # fmt: skip
    assert settle_places(rows, KnownPlaces.of(register))["county"].to_list() == ["青禾县", None, None, "白石县"]
    assert set(settle_places(register, KnownPlaces.of(register))["village"].drop_nulls()) == {"柳树村"}


def test_identity_needs_no_column_at_all():
    """Absent columns are missing values, not errors."""
    got = add_identity(pl.DataFrame({"something": ["x", "y"]}))
    assert got["id_status"].to_list() == ["missing", "missing"]
    assert got["name_key"].to_list() == [None, None]


def test_a_former_name_has_a_key_of_its_own():
    """Cleaned as the name is; what the frame held beside it stays."""
    got = add_identity(pl.DataFrame({"name_raw": ["张 三"], "former_name": ["張 偉"], "sex": ["男"], "other": [1]}))
    assert got.select("name_raw", "name", "name_key", "former_name", "former_name_key", "sex", "other").rows() == [
        ("张 三", "张三", "张三", "張偉", "张伟", "男", 1)
    ]
    assert got.schema["birth_on"] == pl.Date
    assert got["birth_on"].to_list() == [None]
    most_empty = add_identity(pl.DataFrame({"name_raw": [None, None, "張 偉", None]}))
    assert most_empty["name_key"].to_list() == [None, None, "张伟", None]
