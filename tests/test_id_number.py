"""ID numbers: every form in which they arrive, and what is left of each."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fupin_cli.normalise.eighteen import read_eighteen
from fupin_cli.normalise.id_number import VALID_STATUSES, _describe, _read, check_character, clean_id_numbers

GOOD = "99012119491231002X"


def clean(*raw):
    return clean_id_numbers(pl.Series(list(raw), dtype=pl.String))


def check_digit_by_hand(seventeen: str) -> str:
    """GB 11643-1999, written out once more the slow way."""
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return "10X98765432"[sum(int(d) * w for d, w in zip(seventeen, weights, strict=True)) % 11]


GOOD = GOOD[:17] + check_digit_by_hand(GOOD[:17])

ARRIVES = f"""
{GOOD}                | valid           | {GOOD}
{GOOD.lower()}        | valid           | {GOOD}
{GOOD[:6]} {GOOD[6:]} | valid           | {GOOD}
'{GOOD}               | valid           | {GOOD}
="{GOOD}"             | valid           | {GOOD}
{GOOD}.0              | valid           | {GOOD}
身份证：{GOOD}（本人） | valid           | {GOOD}
{GOOD}44              | from_disability | {GOOD}
{GOOD}44B1            | from_disability | {GOOD}
9.90121194912310E+17  | truncated       | -
9.90121194912310E+19  | truncated       | -
990121194912310000    | truncated       | -
99012119491231000000  | truncated       | -
990121194912310       | truncated       | -
999999199001011234    | placeholder     | -
无                    | placeholder     | -
000000000000000000    | placeholder     | -
99012119491231        | malformed       | -
990121194913310026    | bad_date        | -
G{GOOD}               | valid           | {GOOD}
Ｇ {GOOD.lower()}     | valid           | {GOOD}
L{GOOD}               | placeholder     | -
J{GOOD}               | placeholder     | -
学籍号：J{GOOD}       | placeholder     | -
L{GOOD}（小学）       | placeholder     | -
{GOOD}5               | malformed       | -
{GOOD[:6]}-{GOOD[6:14]}-{GOOD[14:]}5 | malformed | -
"""


@pytest.mark.parametrize(
    "line", [line for line in ARRIVES.splitlines() if line], ids=lambda line: line.split("|")[1].strip()
)
def test_how_numbers_arrive_and_what_they_become(line):
    """A drawn table: as received, the status, the number."""
    raw, status, number = (part.strip() for part in line.split("|"))
    row = clean(raw).row(0, named=True)
    assert row["id_status"] == status
    assert row["id_number"] == (None if number == "-" else number)


@pytest.mark.parametrize("mark", ["-", "－", "–", "—"])
def test_a_number_printed_in_groups(mark):
    """Region, birth date and order with dashes between: the number as it is; any other grouping stays what it was."""
    number = next(s + check_digit_by_hand(s) for s in ["99012119491231001"])
    grouped = mark.join((number[:6], number[6:14], number[14:]))
    assert clean(grouped).row(0, named=True)["id_number"] == number
    assert clean(mark.join((number[:4], number[4:]))).row(0, named=True)["id_number"] is None


def test_invisible_and_look_alike_characters():
    """Full width, zero width, TAB and the Cyrillic, Greek and multiplication look-alikes of X."""
    seventeen = next(s for n in range(100) if check_digit_by_hand(s := f"99012119491231{n:03d}") == "X")
    wide = "".join(chr(ord(c) + 0xFEE0) for c in seventeen)
    spellings = [
        f"{wide}Ｘ",
        f"{seventeen}Х",
        f"{seventeen}Χ",
        f"{seventeen}×",
        f"\u200b{seventeen}x\t",
        f"\ufeff{seventeen}X\u202a",
    ]
    assert clean(*spellings)["id_number"].to_list() == [f"{seventeen}X"] * len(spellings)


def test_fifteen_digits_become_eighteen():
    """15 → 18: 19 after the sixth digit, then the check character."""
    row = clean(GOOD[:6] + GOOD[8:17]).row(0, named=True)
    assert (row["id_number"], row["id_status"]) == (GOOD, "from_15")


def test_a_cut_number_that_passes_the_check_by_chance_is_still_cut():
    """9 % of numbers that Excel cut carry a fitting check digit: three zeros decide."""
    by_chance = next(
        text
        for day in range(1, 29)
        for month in range(1, 13)
        if check_digit_by_hand((text := f"9901211990{month:02d}{day:02d}1000")[:17]) == "0"
    )
    row = clean(by_chance).row(0, named=True)
    assert (row["id_status"], row["id_number"], row["id_digits"]) == ("truncated", None, by_chance[:15])


def test_empty_is_missing():
    """Null, empty and blank are one thing, and nothing is invented for them."""
    assert clean(None, "", "  ", "\u3000")["id_status"].to_list() == ["missing"] * 4


def test_birth_date_and_sex_inside():
    """Characters 7–14 and the parity of the 17th; a damaged number still gives its date."""
    seventeen = "99012119850615301"
    row = clean(seventeen + check_digit_by_hand(seventeen)).row(0, named=True)
    assert (row["id_birth_on"], row["id_sex"]) == (dt.date(1985, 6, 15), "男")
    assert clean("990121198506153000")["id_birth_on"].to_list() == [dt.date(1985, 6, 15)]


def test_region_and_birth_year_never_invalidate():
    """An abolished county and a birth before numbers existed are both fine."""
    for seventeen in ("51020219100101101", "99999819701231205"):
        assert clean(seventeen + check_digit_by_hand(seventeen))["id_status"].item() == "valid"


seventeen_digits = st.builds(
    lambda region, day, order: f"99{region:04d}{day:%Y%m%d}{order:03d}",
    st.integers(0, 9998),
    st.dates(dt.date(1900, 1, 1), dt.date(2019, 12, 31)),
    st.integers(1, 998),
)


@given(seventeen_digits)
def test_the_table_look_ups_agree_with_the_sum(seventeen):
    """The vectorised check character is the one of the standard."""
    got = pl.select(check_character(pl.lit(int(seventeen), pl.Int64))).item()
    assert got == check_digit_by_hand(seventeen)


almost = st.builds(
    lambda seventeen, check, at, put: f"{seventeen}{check}"[:at] + put + f"{seventeen}{check}"[at + 1 :],
    seventeen_digits, st.sampled_from("0123456789X"), st.integers(0, 17), st.sampled_from("0123456789Xx９号 "),
)  # fmt: skip


@given(
    st.lists(
        st.one_of(seventeen_digits.map(lambda s: s + check_digit_by_hand(s)), almost, st.text("019X", min_size=18))
    )
)
def test_eighteen_at_once_agree_with_the_careful_reader(given_texts):
    """What is read eight digits at a time is what the regular expressions read: clean is valid, whole is written well."""
    texts = pl.Series(given_texts, dtype=pl.String)
    fast, careful = read_eighteen(texts), _describe(_read(texts))
    valid = careful["id_status"] == "valid"
    # whatever is written otherwise (in full width, with a small x) is left to the careful reader
    usual = texts.str.contains(r"^[1-9][0-9]{16}[0-9X]$") & ~texts.str.ends_with("000")
    assert (fast["clean"] == (valid & usual)).all()
    whole = pl.DataFrame({"told": careful["id_status"], "code": fast["code"].cast(pl.String), "text": texts}).filter(
        fast["whole"]
    )
    assert whole["told"].is_in(["valid", "bad_check_digit", "bad_date"]).all()
    assert (whole["code"] == whole["text"].str.slice(0, 17)).all()
    assert fast["birth_on"].filter(fast["clean"]).equals(careful["id_birth_on"].filter(fast["clean"]))


@given(st.lists(st.one_of(st.none(), st.text(max_size=30), seventeen_digits), max_size=8))
def test_cleaning_twice_is_cleaning_once_and_never_raises(raw):
    """A cleaned number cleans to itself; any text at all is answered with a known status."""
    once = clean(*raw)
    again = clean(*once["id_number"].to_list())
    assert again["id_number"].equals(once["id_number"])
    assert once.height == len(raw)
    assert (once["id_number"].is_not_null() == once["id_status"].is_in(VALID_STATUSES)).all()


@given(seventeen_digits, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_never_passes(seventeen, position, shift):
    """MOD 11-2 catches every single substitution."""
    good = seventeen + check_digit_by_hand(seventeen)
    wrong = good[:position] + str((int(good[position]) + shift) % 10) + good[position + 1 :]
    assert clean(wrong)["id_number"].item() is None


def test_what_is_no_number_of_seventeen_digits_has_no_check_character():
    """One more digit, or less than nothing."""
    codes = (
        pl.DataFrame({"code": [-1, 0, 10**17 - 1, 10**17]})
        .select(check_character(pl.col("code")))
        .to_series()
        .to_list()
    )
    assert codes == [None, "1", check_digit_by_hand("9" * 17), None]
