"""ID numbers as linking and printing take them: sex and birth date of clean and of damaged ones, and what still helps to link."""

import datetime as dt

import polars as pl
import pytest

from fupin_cli.normalise.compared import KINDS
from fupin_cli.normalise.eighteen import read_eighteen
from fupin_cli.normalise.id_number import clean_id_numbers, number_keys

WOMAN, MAN = "990121194912310023", "990121198506153016"  # the 17th digit is even, and odd
NUMBERS = [  # as received | sex | usable | digits left for linking | cut by a spreadsheet | birth date
    (WOMAN, "女", True, None, False, dt.date(1949, 12, 31)),
    (MAN, "男", True, None, False, dt.date(1985, 6, 15)),
    (f" {WOMAN}", "女", True, None, False, dt.date(1949, 12, 31)),
    ("990121491231002", "女", True, None, False, dt.date(1949, 12, 31)),
    ("990121850615301", "男", True, None, False, dt.date(1985, 6, 15)),
    (WOMAN[:17] + "5", None, False, WOMAN[:17] + "5", False, dt.date(1949, 12, 31)),
    ("9.90121194912310E+17", None, False, "990121194912310", True, dt.date(1949, 12, 31)),
    ("990121194912310000", None, False, "990121194912310", True, dt.date(1949, 12, 31)),
    ("990121********0023", None, False, "990121********0023", False, None),
    ("9901***12***0023", None, False, None, False, None),  # two runs of signs, and nobody knows how long each is
    ("990121194913310023", None, False, "990121194913310023", False, None),
    ("9901211949123", None, False, None, False, None),  # fewer digits than region and birth date are no evidence
    ("99012119491231", None, False, "99012119491231", False, dt.date(1949, 12, 31)),
    (
        WOMAN + "4",
        None,
        False,
        WOMAN + "4",
        False,
        dt.date(1949, 12, 31),
    ),  # one too many: which, the check character tells
    (
        WOMAN[:17] + "544",
        None,
        False,
        WOMAN[:17] + "5",
        False,
        dt.date(1949, 12, 31),
    ),  # level of a disability behind a wrong one
    ("无", None, False, None, False, None),
    (None, None, False, None, False, None),
]


@pytest.mark.parametrize(("raw", "sex", "usable", "digits", "cut", "born"), NUMBERS)
def test_what_a_number_says_of_its_owner(raw, sex, usable, digits, cut, born):
    """Sex of usable ones alone; the date of damaged ones too; digits only where enough are left and the number is not usable."""
    raws = pl.Series([raw], dtype=pl.String)
    clean, keys = clean_id_numbers(raws).row(0, named=True), number_keys(raws).row(0, named=True)
    assert (clean["id_sex"], clean["id_birth_on"]) == (sex, born)
    assert (keys["code"] is not None) is usable
    assert keys["digits"] == digits
    assert keys["cut"] is cut
    assert keys["birth_in_id"] == born
    assert keys["male_in_id"] == (None if sex is None else sex == "男")
    assert keys["code"] is None or str(keys["code"]) == clean["id_number"][:17]


def eighteen(first: str) -> str:
    """The 17 digits with their check character, by the standard's own sum (GB 11643-1999)."""
    weights = [2**place % 11 for place in range(17, 0, -1)]
    return first + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(first, weights, strict=True)) % 11]


@pytest.mark.parametrize(
    ("born", "clean"),
    [
        ("18800101", True), ("20991231", True), ("20000229", True), ("19000228", True),
        ("18791231", False), ("21000101", False), ("19000229", False), ("20010229", False), ("19801301", False), ("19800100", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["001", "122", "980"])
def test_clean_numbers_are_known_at_once(born, clean, order):
    """The short way reads every day of 220 years, and leaves what no calendar has to the careful one."""
    number = eighteen(f"990121{born}{order}")
    read = read_eighteen(pl.Series([number])).row(0, named=True)
    day = dt.date.fromisoformat(f"{born[:4]}-{born[4:6]}-{born[6:]}") if clean else None
    assert (read["whole"], read["clean"], read["birth_on"]) == (True, clean, day)
    assert (read["code"], read["male"]) == (int(number[:17]), order == "001")


def test_the_kinds_of_a_compared_column_are_these():
    """What a profile may write."""
    assert KINDS == ("id", "text", "date", "code")


@pytest.mark.parametrize(
    ("raw", "status", "born"),
    [
        ("99012119491231A", "malformed", dt.date(1949, 12, 31)), ("证号999999199001011234", "placeholder", None),
        ("9901211949123100**", "masked", dt.date(1949, 12, 31)), ("99012119491231002*", "malformed", dt.date(1949, 12, 31)),
        ("990121188001011234", "bad_check_digit", dt.date(1880, 1, 1)), ("990121187912311234", "bad_date", None),
        ("990121209912311234", "bad_check_digit", dt.date(2099, 12, 31)), ("990121210001011234", "bad_date", None),
    ],
)  # fmt: skip
def test_numbers_at_the_edges(raw, status, born):
    """Just inside and just outside of what a number can be."""
    row = clean_id_numbers(pl.Series([raw])).row(0, named=True)
    assert (row["id_status"], row["id_birth_on"]) == (status, born)


def test_noughts_that_an_exponent_dropped_are_put_back():
    """From thirteen digits on, noughts at the end were dropped; fewer digits were only shown."""
    raws = pl.Series(["9.901211949123E+17", "9.9012119491E+17"])
    assert clean_id_numbers(raws)["id_digits"].to_list() == ["990121194912300", "99012119491"]
