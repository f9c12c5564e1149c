"""Places and numbers as they are compared: which spellings are one, which are told apart, and what is never guessed."""

import polars as pl
import pytest

from fupin_cli.cases import LedgerKey
from fupin_cli.normalise.codes import codes_of, read_code
from fupin_cli.normalise.compared import clean_compared
from fupin_cli.normalise.keys import person_keys
from fupin_cli.normalise.regions import (
    KnownPlaces,
    Renamed,
    place_codes,
    place_keys,
    rename_places,
    settle_places,
    unmatched_places,
)


def places(*rows):
    return place_keys(pl.DataFrame(rows, schema=["county", "township", "village"], orient="row", strict=False))


def keys(frame):
    return frame.select("county_key", "township_key", "village_key").rows()


# --- names of places --------------------------------------------------------------------------------------------------

SUFFIXES = [
    ("county", "青禾县", "青禾"), ("county", "青禾区", "青禾"), ("county", "青禾市", "青禾"), ("county", "青禾旗", "青禾"),
    ("county", "青禾自治县", "青禾"), ("county", "青禾自治旗", "青禾"), ("county", "青禾林区", "青禾"), ("county", "青禾特区", "青禾"),
    ("county", " 青 禾 县 ", "青禾"), ("county", "县中市", "县中"), ("county", "", None), ("county", None, None),
    ("township", "平川镇", "平川"), ("township", "平川乡", "平川"), ("township", "平川民族乡", "平川"), ("township", "平川街道", "平川"),
    ("township", "平川街道办事处", "平川"), ("township", "平川苏木", "平川"), ("township", "镇川", "镇川"),
    ("village", "柳树村", "柳树"), ("village", "柳树村委会", "柳树"), ("village", "柳树村民委员会", "柳树"), ("village", "柳树居委会", "柳树"),
    ("village", "柳树居民委员会", "柳树"), ("village", "柳树行政村", "柳树"), ("village", "柳树社区", "柳树"), ("village", "柳树嘎查", "柳树"),
    ("village", "村前", "村前"),
]  # fmt: skip


@pytest.mark.parametrize(("level", "written", "key"), SUFFIXES)
def test_a_suffix_of_administration_tells_no_places_apart(level, written, key):
    """What stands at the end of a name and says only what kind of place it is is not compared."""
    assert place_keys(pl.DataFrame({level: [written]}, schema={level: pl.String}))[f"{level}_key"].item() == key


ADDRESSES = [  # address | county | township | village | hamlet, compared
    ("南溟省云岭市青禾县平川镇柳树村3组", "青禾", "平川", "柳树", "3"),
    ("云岭市青禾县平川镇柳树村第三村民小组", "青禾", "平川", "柳树", "3"),
    ("青禾县平川乡柳树社区", "青禾", "平川", "柳树", None),
    ("黑河地区青禾旗平川苏木柳树嘎查东屯", "青禾", "平川", "柳树", "东"),
    ("青禾区平川街道", "青禾", "平川", None, None),
    ("平川镇柳树村十二组", None, "平川", "柳树", "12"),
    ("青禾县 平川镇\t柳树村 5 社", "青禾", "平川", "柳树", "5"),
    ("柳树村", None, None, None, None),  # without a township it may be any village
    ("某处", None, None, None, None),
    (None, None, None, None, None),
]


@pytest.mark.parametrize("told", ADDRESSES)
def test_an_address_is_read_from_the_county_down(told):
    """Everything above the county is passed over; a level that is not named is null, and nothing is guessed from the others."""
    address, *parts = told
    codes = place_codes(pl.DataFrame({"address": [address]}, schema={"address": pl.String}))
    assert [code if code is None else str(code) for code in codes.row(0)] == parts
    found = place_keys(pl.DataFrame({"address": [address]}, schema={"address": pl.String}))
    assert keys(found) == [tuple(parts[:3])]


@pytest.mark.parametrize("address", ["很久以前就从这里搬走的平川镇柳树村", "不知道在哪个地方", "柳树村"])
def test_an_address_that_does_not_read_from_its_beginning_names_no_place(address):
    """Its end could be taken for a township; that would be a guess."""
    assert place_keys(pl.DataFrame({"address": [address]})).select("county_key", "township_key", "village_key").row(
        0
    ) == (None, None, None)


def test_full_width_names_of_places_are_one_with_plain_ones():
    """第２村 in a column of its own."""
    wide = place_keys(pl.DataFrame({"village": ["第２村", "第2村", "　"]}))
    assert wide["village_key"].to_list() == ["第2", "第2", None]


HAMLETS = ["第三村民小组", "三组", "3组", "3", "三", "３组", "三村民组", "第3小组", "三屯", "三社", "三队", " 三 组 "]


@pytest.mark.parametrize("written", HAMLETS)
def test_one_hamlet_in_many_spellings(written):
    """第三村民小组, 3组 and 三组 are one."""
    assert str(place_codes(pl.DataFrame({"hamlet": [written]}))["hamlet_code"].item()) == "3"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("进士第屯", "进士第"),
        ("十组", "10"),
        ("十一组", "11"),
        ("二十组", "20"),
        ("二十九组", "29"),
        ("三十组", "30"),
        ("九十九组", "99"),
        ("九组", "9"),
        ("一组", "1"),
        ("东组", "东"),
        ("组", None),
    ],
)
def test_the_numbers_of_hamlets(written, number):
    """Chinese numerals up to ninety-nine; a name stays a name, and nothing but a suffix is no hamlet."""
    code = place_codes(pl.DataFrame({"hamlet": [written]}))["hamlet_code"].item()
    assert (code if code is None else str(code)) == number


def test_a_column_of_its_own_beats_the_address_where_it_says_something():
    """Column by column and row by row: an empty cell leaves the address its word."""
    rows = {
        "address": ["青禾县平川镇柳树村3组", "青禾县平川镇柳树村3组"],
        "county": ["白石县", None],
        "village": [None, "石桥村"],
        "hamlet": [None, "五组"],
    }
    codes = place_codes(pl.DataFrame(rows)).select(pl.all().cast(pl.String)).rows()
    assert codes == [("白石", "平川", "柳树", "3"), ("青禾", "平川", "石桥", "5")]
    assert keys(place_keys(pl.DataFrame(rows))) == [("白石", "平川", "柳树"), ("青禾", "平川", "石桥")]
    without = place_codes(
        pl.DataFrame({"hamlet": [None, None], "x": [1, 2]}, schema={"hamlet": pl.String, "x": pl.Int64})
    )
    assert without.rows() == [(None,) * 4] * 2


# --- renamed, unmatched -----------------------------------------------------------------------------------------------


def test_renamed_places_are_renamed_in_all_their_spellings_and_all_at_once():
    """A village may move to another township; two of one name are told apart by theirs; A→B and B→C make no A→C."""
    rows = places(
        ("青禾县", "平川镇", "杨树村委会"),
        ("青禾县", "河口镇", "杨树村"),
        ("青禾县", "平川镇", "柳树村"),
        ("青禾县", None, "杨树村"),
        (None, "东乡", None),
        (None, "西乡", None),
    )
    changes = [
        Renamed("village", "平川/杨树村", "河口镇/白杨村"),
        Renamed("township", "东乡", "西乡"),
        Renamed("township", "西乡", "北乡"),
    ]
    renamed = rename_places(rows, changes)
    assert renamed.select("county", "township", "village").rows() == [
        ("青禾县", "河口镇", "白杨村"),
        ("青禾县", "河口镇", "杨树村"),
        ("青禾县", "平川镇", "柳树村"),
        ("青禾县", None, "杨树村"),
        (None, "西乡", None),
        (None, "北乡", None),
    ]
    assert keys(renamed)[0] == ("青禾", "河口", "白杨")
    assert keys(renamed)[4:] == [(None, "西", None), (None, "北", None)]
    assert rename_places(rows, []).equals(rows)


def test_a_county_renamed_takes_its_townships_along():
    """A name of one level changes that level alone; a chain longer than its level counts from its end."""
    rows = places(("青禾县", "平川镇", "柳树村"))
    assert keys(rename_places(rows, [Renamed("county", "青禾县", "青禾市新区")])) == [("青禾市新", "平川", "柳树")]
    told = rename_places(rows, [Renamed("village", "青禾县/平川镇/柳树村", "青禾县/平川镇/杨 柳 村")])
    assert keys(told) == [("青禾", "平川", "杨柳")]
    assert keys(rename_places(rows, [Renamed("village", "白石县/平川镇/柳树村", "白石县/平川镇/杨柳村")])) == keys(rows)


def test_a_hamlet_of_its_own_column_stays_beside_an_address():
    """An address that names no hamlet takes none away; where there is no column, the address tells it."""
    addresses = ["青禾县平川镇柳树村", "青禾县平川镇柳树村3组", "青禾县平川镇柳树村3组"]
    both = pl.DataFrame({"hamlet": ["1组", None, "5组"], "address": addresses})
    assert place_keys(both)["hamlet"].to_list() == ["1组", "3组", "5组"]
    assert place_keys(both.select("hamlet"))["hamlet"].to_list() == ["1组", None, "5组"]


def test_places_are_called_as_the_register_calls_them():
    """The commoner spelling, of two as common the first; the one county that has such a township, whoever left it out."""
    register = places(
        ("青禾县", "平川镇", "柳树村"),
        ("青禾", "平川镇", "柳树村委会"),
        (None, "平川镇", "柳树村委会"),
        ("青禾县", "河口镇", None),
        ("白石县", "河口镇", None),
    )
    known = KnownPlaces.of(register)
    assert known.homes.rows() == [("平川", "青禾")]
    rows = places(("青禾", "平川乡", "柳树"), (None, "平川", None), (None, "河口", None), (None, None, None))
    settled = settle_places(rows, known)
    assert settled.select("county", "township", "village").rows() == [
        ("青禾县", "平川镇", "柳树村"),
        ("青禾县", "平川镇", None),
        (None, "河口", None),
        (None, None, None),
    ]
    alone = settle_places(rows, known, "黄土县")
    assert alone.select("county", "county_key").rows() == [("青禾县", "青禾")] * 2 + [("黄土县", "黄土")] * 2


def test_places_that_the_register_has_not_are_told_with_their_rows():
    """In counties that it has, the widest level first: a strange township's villages are no further news."""
    register = places(("青禾县", "平川镇", "柳树村"), ("青禾县", "河口镇", "上坪村"))
    rows = places(
        ("青禾县", "平川镇", "柳树村"),
        ("青禾", "平川", "石桥村"),
        ("青禾", "平川", "石桥"),
        ("青禾县", "新镇", "甲村"),
        ("青禾县", "新镇", "乙村"),
        ("白石县", "东镇", "丙村"),  # a county that the register does not hold
        ("青禾县", None, "丁村"),
        ("青禾县", "平川镇", None),
    )
    assert unmatched_places(rows, KnownPlaces.of(register), 2) == [
        ("township", ("新镇",), 2),
        ("village", ("石桥", "石桥村"), 2),
    ]
    assert unmatched_places(rows, KnownPlaces.of(register), 1)[1] == ("village", ("石桥",), 2)
    assert unmatched_places(register, KnownPlaces.of(register), 2) == []


# --- numbers of cases -------------------------------------------------------------------------------------------------


def test_a_code_is_a_letter_and_eighty_bits():
    """Crockford's digits, big end first; only the first ten bytes count."""
    assert codes_of("C", []) == []
    assert codes_of("C", [bytes(10), b"\xff" * 10, bytes(range(20))]) == [
        "C" + "0" * 16,
        "C" + "Z" * 16,
        "C000G40R40M30E209",
    ]
    assert codes_of("C", [bytes([1, *[0] * 9])]) == ["C0" + "4" + "0" * 14]
    assert codes_of("B", [bytes([*[0] * 9, 1])]) == ["B" + "0" * 15 + "1"]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("C0123456789ABCDEF", "C0123456789ABCDEF"),
        ("  c0123 456789abcdef\n", "C0123456789ABCDEF"),
        ("CO123456789ABCDEF", "C0123456789ABCDEF"),  # O for nought
        ("C0I23456789ABCDEF", "C0123456789ABCDEF"),
        ("C0L23456789ABCDEF", "C0123456789ABCDEF"),
        ("C0123456789ABCDEU", None),  # no digit of ours
        ("CU123456789ABCDEF", None),
        ("C0123456789ABCDE", None),
        ("C0123456789ABCDEFG", None),
        ("B0123456789ABCDEF", None),
        ("CGHJKMNPQRSTVWXYZ", "CGHJKMNPQRSTVWXYZ"),
        ("", None),
        (None, None),
    ],
)
def test_a_code_as_people_give_it_back(typed, read):
    """Blanks out, capitals, look-alikes undone; anything else is no number rather than a wrong one."""
    assert read_code(typed, "C") == read


def test_every_number_of_a_case_reads_back_as_itself():
    """Whatever was hashed."""
    numbers = LedgerKey(b"k" * 32).case_ids(map(str, range(200)))
    assert [read_code(number, "C") for number in numbers] == numbers
    assert len(set(numbers)) == 200


# --- what [compare] compares ------------------------------------------------------------------------------------------

COMPARED = [
    ("text", " Ｊosé  O'Brien-Smith ", "jose obrien smith"), ("text", "Ｚoë", "zoe"), ("text", "김철수", "김철수"), ("text", "--", None), ("text", "?!", None),
    ("text", "张 三", "张 三"), ("text", "it’s", "its"), ("text", "a`b", "ab"), ("text", "无", None),
    ("id", " 12-34 ab ", "1234AB"), ("id", "１２３.0", "123"), ("id", "123.00", "123"), ("id", "1.5", "15"), ("id", "a1.0", "A10"),
    ("id", "///", None), ("code", "b-01", "B01"), ("code", None, None),
    ("date", "1980年1月5日", "19800105"), ("date", "1980-01-05", "19800105"), ("date", "1980-13-45", "19801345"),
    ("date", "１９８０－１３－４５", "19801345"), ("date", "1980-01", "198001"), ("date", "不详", None), ("date", "何时", None), ("date", "１９８０－０１－０５", "19800105"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "cell", "clean"), COMPARED)
def test_cells_as_they_are_compared(kind, cell, clean):
    """What typing habits add is taken away; a fault in a date is left as it was typed; nothing left is null."""
    frame = pl.DataFrame({"x": [cell]}, schema={"x": pl.String})
    assert frame.select(clean_compared(pl.col("x"), kind)).item() == clean


# --- what linking compares --------------------------------------------------------------------------------------------


def test_a_persons_keys_say_what_the_columns_say_and_else_the_number():
    """Sex is the column's, or else the number's; an absent column is missing; the household is whichever column is named."""
    people = pl.DataFrame(
        {
            "n": [7, 8, 9],
            "name_raw": ["张 三", None, "李四"],
            "id_raw": ["990121194912310023", "990121194912310023", None],
            "sex": ["男", None, "女"],
            "family": ["F1", "F2", None],
            "former_name": ["张伟", None, None],
            "phone": ["13800000000", None, None],
            "birth_on": ["1950-01-01", None, None],
            "county": ["青禾县", None, None],
        }
    ).with_columns(pl.col("birth_on").str.to_date())
    got = person_keys(people, "n", "family")
    assert got["at"].to_list() == [7, 8, 9]
    assert got["name"].to_list() == ["张三", None, "李四"]
    assert got["former_name"].to_list() == ["张伟", None, None]
    assert got["household"].to_list() == ["F1", "F2", None]
    assert got["phone"].to_list() == ["13800000000", None, None]
    assert [str(day) for day in got["birth"]] == ["1950-01-01", "None", "None"]
    assert [str(day) for day in got["birth_in_id"]] == ["1949-12-31", "1949-12-31", "None"]
    assert got["male"].to_list() == [True, False, False]
    assert [str(code) for code in got["county_code"]] == ["青禾", "None", "None"]
    bare = person_keys(people.select("n"), "n")
    assert bare.select("name", "household", "phone", "birth", "male", "village_code").rows() == [(None,) * 6] * 3
