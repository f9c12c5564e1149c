"""Citizen ID numbers: as received → 18 characters that can be trusted, or null with the reason why not.

Sources: GB 11643-1999 (structure, check character by ISO 7064 MOD 11-2); 残疾人证 numbers (18 + class + level, 22 when
reissued). The region code and the birth year never make a number invalid: the code is where the person was registered when
numbers were first given out, and may have been abolished since.

The work is done once for each distinct spelling, and the many numbers that arrive clean take a short way round.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from fupin_cli.normalise.eighteen import read_eighteen
from fupin_cli.normalise.spelling import once_per_spelling, replace_rows

VALID_STATUSES = ("valid", "from_15", "from_disability")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
# NFKC unifies full width and Ⅹ, but not these look-alikes of X (measured): Cyrillic, Greek, multiplication sign.
_LOOKS_LIKE_X = dict.fromkeys("ХхΧχ×✕", "X")
_ENOUGH = 14  # region and birth date: fewer digits are no evidence either way
_PLACEHOLDER = (
    r"^(?:999999.*|0+|1+|9+|X+|无|暂无|没有|不详|未知|空|NULL|NONE|NAN|#N/A|-+|/+|待补.*"
    r"|[无没未][^0-9]{0,3}证[^0-9]*|[^0-9]*(?:未办|待办|补办|丢失|遗失)[^0-9]*)$"
)
# a pupil's number (全国学籍号): G is followed by the ID number, J by eighteen digits of the system's own, L by region, birth date
# and four random digits; one in eleven of those would pass for somebody's ID number
_PUPIL_WITHOUT_ID = r"(?:^|[^0-9A-Z])[JL][0-9]{17}[0-9X](?:[^0-9]|$)"  # a label or remark may stand beside it
_IN_GROUPS = (
    r"^([0-9]{6})[-–—]([0-9]{8})[-–—]([0-9]{3}[0-9X])$"  # region, birth date, order: how some programs print it
)
_WHOLE_IN_TEXT = r"(?:^|[^0-9])([0-9]{17}[0-9X])(?:[^0-9]|$)"
_HIDES = r"[*X●■#]"  # signs behind which digits are hidden; an X that belongs to the number is the last of it
_ONE_RUN = r"^([0-9]{0,14})\*{3,}([0-9]{0,13}[0-9X]?)$"
_EXPONENT = r"^([0-9])\.([0-9]{2,})E\+?(?:17|19|21)$"  # 18, 20 and 22 digits that went through a number


def clean_id_numbers(raw: pl.Series) -> pl.DataFrame:
    """One row per input value: id_number, id_status, id_digits, id_birth_on, id_sex.

    `id_number` is null unless the status is one of VALID_STATUSES; `id_digits` keeps whatever digits may still help to link
    (the full 18 of a wrong number, the first 15 of one that Excel cut). Never raises on any text.
    """
    raw = raw.cast(pl.String)
    read = read_eighteen(raw)
    clean = read.select(
        raw.alias("id_number"), pl.lit("valid").alias("id_status"), raw.alias("id_digits"),
        pl.col("birth_on").alias("id_birth_on"), pl.when("male").then(pl.lit("男")).otherwise(pl.lit("女")).alias("id_sex"),
    )  # fmt: skip
    odd = (~read["clean"]).arg_true()
    careful = once_per_spelling(raw.gather(odd), lambda spellings: _describe(_read(spellings)))
    return replace_rows(clean, odd, careful)


def number_keys(raw: pl.Series) -> pl.DataFrame:
    """code, digits, cut, birth_in_id, male_in_id of each input value: all that linking reads of a number.

    `code` is null unless the number is usable; `digits` is null if it is, or if too few digits are left to say anything.
    """
    raw = raw.cast(pl.String)
    read = read_eighteen(raw)
    keys = read.select(
        pl.when("clean").then("code"), pl.when(~pl.col("clean")).then(raw).alias("digits"),
        pl.lit(value=False).alias("cut"), pl.col("birth_on").alias("birth_in_id"),
        pl.when("clean").then("male").alias("male_in_id"),
    )  # fmt: skip
    odd = (~read["whole"]).arg_true()
    return replace_rows(keys, odd, once_per_spelling(raw.gather(odd), _careful_keys))


def _careful_keys(spellings: pl.Series) -> pl.DataFrame:
    left = pl.when(pl.col("id_number").is_null() & (pl.col("id_digits").str.len_chars() >= _ENOUGH)).then("id_digits")
    return _describe(_read(spellings)).select(
        _code(pl.col("id_number")).alias("code"),
        left.alias("digits"),
        (pl.col("id_status") == "truncated").alias("cut"),
        pl.col("id_birth_on").alias("birth_in_id"),
        (pl.col("id_sex") == "男").alias("male_in_id"),
    )


def _code(text: pl.Expr) -> pl.Expr:
    return text.str.slice(0, 17).cast(pl.Int64, strict=False)


def check_character(code: pl.Expr) -> pl.Expr:
    """The 18th character that belongs to a 17-digit Int64 (null for null): ISO 7064 MOD 11-2."""
    return pl.lit(pl.Series(list(_CHECK))).gather(_remainder(code))


def has_valid_check(text: pl.Expr) -> pl.Expr:
    """True where 18 characters of text carry their own check character and a possible birth date."""
    code = text.str.slice(0, 17).cast(pl.Int64, strict=False)
    return (check_character(code) == text.str.slice(17)) & _date_inside(text).is_not_null()


def _remainder(code: pl.Expr) -> pl.Expr:
    """Weighted digit sum modulo 11, by three table look-ups instead of seventeen divisions (6 + 6 + 5 digits)."""
    first, middle, last = _tables()
    inside = pl.when((code >= 0) & (code < 10**17)).then(code).cast(pl.Int64)
    total = (
        pl.lit(first).gather(inside // 10**11)
        + pl.lit(middle).gather(inside // 10**5 % 10**6)
        + pl.lit(last).gather(inside % 10**5)
    )
    return total % 11


@cache
def _tables() -> tuple[pl.Series, pl.Series, pl.Series]:
    def table(weights: tuple[int, ...]) -> pl.Series:
        sums = np.zeros(1, dtype=np.int16)
        for weight in weights:  # every number so far, and each digit that may follow it
            sums = (sums[:, None] + np.arange(10, dtype=np.int16) * weight).ravel()
        return pl.Series("part", sums % 11)

    return table(_WEIGHTS[:6]), table(_WEIGHTS[6:12]), table(_WEIGHTS[12:])


def _read(raw: pl.Series) -> pl.DataFrame:
    """id_number, id_status, id_digits of each spelling: the careful way."""
    spaced = pl.col("spaced")
    text = (
        spaced.str.replace_all(r"[\p{C}\p{Z}\s'\"‘’“”`]", "")
        .str.strip_prefix("=")
        .str.replace(r"\.0+$", "")
        .str.replace(_IN_GROUPS, "${1}${2}${3}")
        .fill_null("")
    )
    exponent = pl.col("text").str.replace(_EXPONENT, "${1}${2}")
    plain = pl.col("raw").str.normalize("NFKC").str.to_uppercase().str.replace_many(_LOOKS_LIKE_X)
    # each step is used by several later ones: as columns they are worked out once
    frame = raw.to_frame("raw").lazy().with_columns(plain.alias("spaced")).with_columns(text.alias("text"))
    frame = frame.with_columns(
        pl.when(pl.col("text").str.contains(_EXPONENT)).then(exponent).alias("cut"),
        # a label before or a remark after the number: take the longest run that could be one
        pl.coalesce(
            pl.col("text").str.extract(r"(?:^|[^0-9])([0-9]{17}[0-9X][0-9]{2}(?:[A-Z0-9]{2})?)(?:[^0-9A-Z]|$)"),
            pl.col("text").str.extract(_WHOLE_IN_TEXT),
            pl.col("text").str.extract(r"(?:^|[^0-9])([0-9]{15})(?:[^0-9X]|$)"),
            # a telephone beside it, with nothing but a blank between
            spaced.str.extract(_WHOLE_IN_TEXT),
            pl.col("text"),
        ).alias("digits"),
    )
    frame = frame.with_columns(_with_stars(pl.col("text")).alias("stars")).with_columns(_filled().alias("filled"))
    digits, length, first_18 = pl.col("digits"), pl.col("length"), pl.col("first_18")
    frame = frame.with_columns(_lengthened(digits).alias("long"))
    frame = frame.with_columns(pl.col("long").cast(pl.Int64, strict=False).alias("code"))
    frame = frame.with_columns((pl.col("long") + check_character(pl.col("code"))).alias("eighteen")).with_columns(
        _masked().alias("masked"),
        pl.when(_date_inside(pl.col("eighteen")).is_not_null()).then("eighteen").alias("upgraded"),
        digits.str.len_chars().alias("length"),
        digits.str.slice(0, 18).alias("first_18"),
    )
    looks_18 = first_18.str.contains(r"^[0-9]{17}[0-9X]$")
    old_15 = (length == 15) & pl.col("upgraded").is_not_null()
    cut_15 = (length == 15) & digits.str.contains(r"^[0-9]{15}$") & _date_inside(digits).is_not_null()
    status = (
        pl.when(pl.col("text") == "").then(pl.lit("missing"))
        .when(pl.col("text").str.contains(_PUPIL_WITHOUT_ID)).then(pl.lit("placeholder"))
        .when(pl.col("text").str.contains(_PLACEHOLDER) | first_18.str.starts_with("999999")).then(pl.lit("placeholder"))
        .when(pl.col("cut").is_not_null() | (length.is_in([18, 20, 22]) & digits.str.contains(r"^[0-9]{15}0+$")))
        .then(pl.lit("truncated"))
        .when(old_15).then(pl.lit("from_15"))
        .when(cut_15).then(pl.lit("truncated"))
        .when(pl.col("masked").is_not_null()).then(pl.lit("masked"))
        .when(~looks_18 | ~length.is_in([18, 20, 22])).then(pl.lit("malformed"))
        .when(_date_inside(first_18).is_null()).then(pl.lit("bad_date"))
        .when(~has_valid_check(first_18)).then(pl.lit("bad_check_digit"))
        .when(length > 18).then(pl.lit("from_disability"))
        .otherwise(pl.lit("valid"))
    )  # fmt: skip
    frame = frame.with_columns(status.alias("id_status"))
    return frame.select(
        pl.when(pl.col("id_status") == "from_15")
        .then(pl.col("upgraded"))
        .when(pl.col("id_status").is_in(VALID_STATUSES))
        .then(first_18)
        .alias("id_number"),
        "id_status",
        pl.when(pl.col("id_status") == "truncated")
        # fewer than 13 digits were only shown, not kept; from 13 on, zeros at the end were dropped
        .then(pl.coalesce(_padded(pl.col("cut")), digits.str.slice(0, 15)))
        .when(pl.col("id_status") == "masked")
        .then("masked")
        .when(pl.col("id_status").is_in(["bad_check_digit", "bad_date", "malformed"]))
        # nineteen may be eighteen with one too many; which one, the check character tells
        .then(
            pl.when(digits.str.contains(r"^[0-9]{14,}[0-9X]?")).then(
                pl.when(length == 19).then(digits).otherwise(first_18)
            )
        )
        .alias("id_digits"),
    ).collect()


def _with_stars(text: pl.Expr) -> pl.Expr:
    """The text with * for every sign behind which a digit is hidden."""
    last = (
        pl.when(text.str.contains(r"[0-9]X$"))
        .then(text.str.slice(-1))
        .otherwise(text.str.slice(-1).str.replace_all(_HIDES, "*"))
    )
    return text.str.slice(0, text.str.len_chars() - 1).str.replace_all(_HIDES, "*") + last


def _filled() -> pl.Expr:
    """`stars` with as many * as 18 characters need: one run of signs may be shorter than what it hides."""
    stars = pl.col("stars")
    before, after = stars.str.extract(_ONE_RUN, 1), stars.str.extract(_ONE_RUN, 2)
    whole, length = (before + "*" * 18).str.slice(0, 18 - after.str.len_chars()) + after, stars.str.len_chars()
    # fifteen places are an old number, whose digits stand elsewhere
    return pl.when(length == 18).then(stars).when(length != 15).then(whole)


def _masked() -> pl.Expr:
    """A number of which part was hidden as 18 characters with * in the hidden places; null for any other.

    At least two places are hidden, and four can be seen.
    """
    filled = pl.col("filled")
    seen, hidden = filled.str.count_matches(r"[0-9X]"), filled.str.count_matches("*", literal=True)
    return pl.when(filled.str.contains(r"^[0-9*]{17}[0-9X*]$") & (seen >= 4) & (hidden >= 2)).then(filled)


def _padded(cut: pl.Expr) -> pl.Expr:
    return pl.when(cut.str.len_chars() >= 13).then(cut.str.slice(0, 15).str.pad_end(15, "0")).otherwise(cut)


def _lengthened(digits: pl.Expr) -> pl.Expr:
    """A 15-digit number as 17 digits: 19 after the sixth; its date may be impossible."""
    return digits.str.extract("^([0-9]{15})$").str.replace("^([0-9]{6})", "${1}19")


def _date_inside(text: pl.Expr) -> pl.Expr:
    """The birth date at characters 7–14, or null where no calendar has such a day (years 1880–2099)."""
    on = text.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)
    return pl.when(on.is_between(pl.date(1880, 1, 1), pl.date(2099, 12, 31))).then(on)


def _describe(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds what the number itself says: birth date and sex, also of a damaged one where the digits are still there."""
    number = pl.coalesce("id_number", pl.when(pl.col("id_status") != "bad_date").then(pl.col("id_digits")))
    odd = _code(pl.col("id_number")) % 2 == 1
    return frame.select(
        "id_number",
        "id_status",
        pl.coalesce("id_digits", "id_number").alias("id_digits"),
        _date_inside(number).alias("id_birth_on"),
        pl.when(odd).then(pl.lit("男")).when(~odd).then(pl.lit("女")).alias("id_sex"),
    )
