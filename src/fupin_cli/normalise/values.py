"""Text as received → typed value, or null where the text says nothing that can be trusted.

Every function takes a String expression and gives an expression. Nothing is guessed: a two-digit year, a month alone where
a whole day is needed, `1980.1` (January, or October with its nought lost) and an unknown label are null, and ingest counts
them. Dates are written in so many ways that a value is put into one spelling first and parsed once (data_formats.md, H32).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

BLANKS = (
    "",
    "-",
    "--",
    "—",
    "——",
    "/",
    "\\",
    "无",
    "暂无",
    "空",
    "不详",
    "NULL",
    "NONE",
    "NAN",
    "NAT",
    "N/A",
    "#N/A",
    "<NA>",
)
TRUE_LABELS = ("是", "有", "参加", "已参加", "享受", "已享受", "√", "✓", "✔", "☑", "对", "Y", "YES", "T", "TRUE")
FALSE_LABELS = (
    "否",
    "无",
    "没有",
    "没参加",
    "未参加",
    "没有参加",
    "不享受",
    "未享受",
    "×",
    "✗",
    "✘",
    "N",
    "NO",
    "F",
    "FALSE",
)

# answers to the question as it is asked; 参加 and 未享受 say the thing itself, whichever way the question goes
_PLAIN_YES_NO = ("是", "否", "有", "无", "没有", "对", *"√✓✔☑×✗✘YNTF", "YES", "NO", "TRUE", "FALSE")

_INVISIBLE = r"[\p{Cf}\p{Cc}]"
_LOST_DIGITS = r"^-?[0-9](?:\.[0-9]+)?[eE]\+?(?:1[5-9]|2[0-9])$"
_CHINESE_DIGITS = dict(zip("〇零○一二三四五六七八九", "000123456789", strict=True))
_MONTH_ONLY = r"^([0-9]{4})(?:[-/]([0-9]{1,2})|\.([0-9]{2})|年([0-9]{1,2})月?|([0-9]{2}))$"
_WHOLE_DAY = (
    r"^([0-9]{4})(?:[-./]([0-9]{1,2})[-./]([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})[日号]?|([0-9]{2})([0-9]{2}))$"
)
_SERIAL = r"^[1-6][0-9]{4}$"  # 1927 to 2091; a shorter serial looks like a year, so it is never read as one
_TWO_DIGIT_YEARS = (
    r"^[0-9]{2}[-./][0-9]{1,2}[-./][0-9]{1,2}$",
    r"^[0-9]{1,2}[-./][0-9]{1,2}[-./][0-9]{2}$",
    r"^[0-9]{2}年(?:度|[0-9]{1,2}月(?:[0-9]{1,2}[日号]?)?)?$",
    r"^(?:00|1[3-9]|[2-9][0-9])[-./](?:0?[1-9]|1[0-2])$",
    # 800105 and 191225; but 191205 is a month of 1912, as any six digits that can be one are
    r"^(?:0[0-9]|1[0-8]|2[1-9]|[3-9][0-9])(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])$",
    r"^(?:19|20)(?:0[1-9]|1[0-2])(?:1[3-9]|2[0-9]|3[01])$",
)
_EXCEL_EPOCH = 25569  # the serial of 1970-01-01 in the 1900 system
_YEARS = (1850, 2100)  # 9999-12-31 means "no end"; it is not a date
_YEAR = "(?:18[5-9][0-9]|19[0-9]{2}|20[0-9]{2}|2100)"  # the same in digits
# what an empty cell, 0 or 1 becomes in a column of dates: nobody wrote such a day
_EXCEL_ZERO = (date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1))
_NUMBER = r"^([-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?|[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?)$"
_UNITS = r"(?:元|人民币|个月|月|人|口|户|平方米|平米|㎡|m2|亩|周?岁|年|间|栋|辆|个|公里|天)$"
_SCALES = {"元": 1.0, "十元": 10.0, "百元": 100.0, "千元": 1e3, "万元": 1e4, "百万元": 1e6, "亿元": 1e8}


def is_blank(text: pl.Expr) -> pl.Expr:
    """True where the cell holds nothing, or one of the marks by which people write that it holds nothing."""
    return text.is_null() | _plain(text).str.to_uppercase().is_in(BLANKS)


def has_two_digit_year(text: pl.Expr) -> pl.Expr:
    """True where the cell is a date whose century nobody wrote (`80-1-5`, `80年1月`): readable by people, not by us."""
    return _plain_date(text).str.contains("|".join(_TWO_DIGIT_YEARS)).fill_null(value=False)


def is_excel_zero(text: pl.Expr) -> pl.Expr:
    """True where the cell is the day that a spreadsheet makes of nothing (1899-12-30, 1900-01-01); never null."""
    return _day_named(_plain_date(text)).is_in(_EXCEL_ZERO).fill_null(value=False)


def is_one_of(text: pl.Expr, spellings: Sequence[str]) -> pl.Expr:
    """True where the cell is one of these spellings, compared as labels are; never null."""
    keys = pl.lit(pl.Series(sorted({label_key(spelling) for spelling in spellings}), dtype=pl.String)).implode()
    return _label(text).is_in(keys).fill_null(value=False)


def is_bare_number(text: pl.Expr) -> pl.Expr:
    """True where the cell is digits and nothing else (a `.0` tail aside), as codes of a table are; never null."""
    return _label(text).str.contains(r"^[0-9]+$").fill_null(value=False)


def is_lost(text: pl.Expr) -> pl.Expr:
    """True where a number of 16 or more digits went through a spreadsheet and came back without its last ones."""
    return text.str.strip_chars().str.contains(_LOST_DIGITS).fill_null(value=False)


def to_text(text: pl.Expr) -> pl.Expr:
    """The text without invisible characters and outer blanks; a code that came as `13800000000.0` loses its `.0`."""
    return _none_if_empty(
        text.str.replace_all(_INVISIBLE, "").str.strip_chars().str.replace(r"^([0-9]{5,})\.0+$", "$1")
    )


def character_at(text: pl.Expr, at: int) -> pl.Expr:
    """The character at this place, from 1, of a number written without blanks; null where it is too short or damaged."""
    plain = _label(text)
    return pl.when(plain.str.contains(rf"^[0-9A-Z]{{{at},}}$")).then(plain.str.slice(at - 1, 1))


def plain_text(text: pl.Expr) -> pl.Expr:
    """The text where `to_text` would give it back unchanged; null where that would have to be looked at."""
    return pl.when(~text.str.contains(rf"^$|{_INVISIBLE}|^\s|\s$|^[0-9]{{5,}}\.0+$")).then(text)


def plain_number(text: pl.Expr) -> pl.Expr:
    """The number of a cell that holds bare digits; null where `to_number` would have to look at it."""
    number = text.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def plain_date(text: pl.Expr) -> pl.Expr:
    """The date of a cell written as 1980-01-05; null where `to_date` would have to look at it."""
    on = text.str.to_date("%Y-%m-%d", strict=False)
    return pl.when((text.str.len_bytes() == 10) & _is_meant(on)).then(on)


def plain_phone(text: pl.Expr) -> pl.Expr:
    """The number of a mobile telephone and nothing else; null where `to_phone` would have to look at it."""
    return pl.when(text.str.contains(r"^1[3-9][0-9]{9}$")).then(text)


def scale_of(unit: str | None) -> float | None:
    """How many yuan one of this unit is; None for none."""
    return _SCALES[unit] if unit else None


def to_date(text: pl.Expr, *, whole_day: bool = False) -> pl.Expr:
    """Date; a value that names only a month is its first day, unless `whole_day` asks for the day itself (then null)."""
    # what is worked out once is written once: an expression that stands twice is evaluated twice
    written = _in_parts(_plain_date(text))
    if not whole_day:
        written = written.str.replace(_MONTH_ONLY, "${1}-${2}${3}${4}${5}-1")
    serial = written.str.extract(rf"({_SERIAL})").cast(pl.Int32) - _EXCEL_EPOCH
    return pl.coalesce(_day(written), serial.cast(pl.Date)).replace(dict.fromkeys(_EXCEL_ZERO))


def to_month(text: pl.Expr) -> pl.Expr:
    """First day of the month that is named, as a Date."""
    return to_date(text).dt.month_start()


def to_year(text: pl.Expr) -> pl.Expr:
    """Year as Int64, from a year alone or from anything that to_date reads."""
    plain = _plain_date(text)
    year = plain.str.extract(rf"^({_YEAR})年?度?$").cast(pl.Int64)
    # A year alone looks like nothing that to_date knows, so the two never disagree.
    return pl.coalesce(year, to_date(text).dt.year().cast(pl.Int64))


def to_number(text: pl.Expr) -> pl.Expr:
    """Float64; thousands separators and a trailing unit (月, 人, 平方米 …) are allowed, anything else is null."""
    plain = _plain(text).str.replace_all(r"\s", "").str.replace(_UNITS, "")
    # 1,2 may be two numbers or one: a comma is dropped only where it parts thousands
    digits = plain.str.extract(_NUMBER).str.replace_all(",", "")
    number = digits.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def to_integer(text: pl.Expr) -> pl.Expr:
    """Int64; `3.0` is 3, but 3.5 is null."""
    number = to_number(text)
    return pl.when((number == number.round()) & (number.abs() < 2**53)).then(number).cast(pl.Int64)


def to_money(text: pl.Expr, unit: str | None) -> pl.Expr:
    """Yuan as Float64; `unit` is what a bare number of this column counts, a unit in the cell itself goes first.

    Without a unit only a cell that names its own has a value: 元 and 万元 are four digits apart.
    """
    plain = _plain(text).str.replace_all(r"[\s¥￥]", "").str.replace("^(?:人民币|RMB|CNY)", "")
    number = to_number(plain.str.replace("(?:百万|[十百千万亿])?元?整?$", ""))
    own = plain.str.extract("(百万|[十百千万亿])元?整?$") + "元"
    named = own.replace_strict(_SCALES, default=None, return_dtype=pl.Float64)
    in_yuan = pl.when(plain.str.contains("[^十百千万亿]元整?$")).then(1.0)
    return number * pl.coalesce(named, in_yuan, pl.lit(_SCALES[unit] if unit else None, dtype=pl.Float64))


def to_phone(text: pl.Expr) -> pl.Expr:
    """The telephone numbers of a cell as a set: digits only, sorted, each once, joined by 、.

    What is shorter than seven digits, hidden by stars or written as `1.38E+10` is no number that anybody could call.
    """
    plain = _plain(text).str.to_uppercase().str.replace(r"^([0-9]+)\.0+$", "$1")
    plain = pl.when(~plain.str.contains(r"[0-9]E\+?[0-9]")).then(plain)
    joined = (
        plain.str.replace_all(r"\((0[0-9]{2,3})\)", "${1}-")
        .str.replace_all(r"\b(1[0-9]{2})[\s-]([0-9]{4})[\s-]([0-9]{4})\b", "$1$2$3")
        .str.replace_all(r"\b(0[0-9]{2,3})\s+([0-9]{7,8})\b", "$1$2")
    )
    found = joined.str.extract_all(r"\b1[3-9][0-9]{9}\b|\b0[0-9]{2,3}-?[0-9]{7,8}\b|[0-9]{7,}")
    numbers = found.list.eval(pl.element().str.replace_all("-", "").str.replace(r"^(?:00)?86(1[3-9][0-9]{9})$", "$1"))
    return _none_if_empty(numbers.list.unique().list.sort().list.join("、"))


def to_bool(text: pl.Expr, true: Sequence[str] = (), false: Sequence[str] = (), *, opposite: bool = False) -> pl.Expr:
    """Boolean; blank is null, and so are 1 and 0 unless the profile lists them as its own labels.

    `opposite`: the header asks the opposite question, so 是, 否, 1 and 0 mean the other thing; a label that says the thing
    itself (安全, 未参保) means what it says under any header.
    """
    meaning = dict.fromkeys(map(label_key, FALSE_LABELS), False) | dict.fromkeys(map(label_key, TRUE_LABELS), True)
    meaning |= dict.fromkeys(map(label_key, false), False) | dict.fromkeys(map(label_key, true), True)
    if opposite:
        plain = set(map(label_key, _PLAIN_YES_NO))
        meaning = {key: value != (key in plain or key.isdigit()) for key, value in meaning.items()}
    return _label(text).replace_strict(meaning, default=None, return_dtype=pl.Boolean)


def to_code(text: pl.Expr, labels: Mapping[str, Sequence[str]]) -> pl.Expr:
    """The canonical label of a coded value; a label that no one declared is null, because 因学 is 3 here and 11 there."""
    canonical = {label_key(alias): name for name, aliases in labels.items() for alias in (*aliases, name)}
    return _label(text).replace_strict(canonical, default=None, return_dtype=pl.String)


def to_multi(text: pl.Expr, labels: Mapping[str, Sequence[str]] | None = None) -> pl.Expr:
    """Labels of a multi-select cell as a set: sorted, each once, joined by 、 (`技能培训,其他` = `其他、技能培训`).

    A label without an entry in `labels` stays as it is, but a bare number without one leaves the cell unknown: nobody said
    what it stands for.
    """
    parts = _none_if_empty(to_text(text).str.replace_all(r"[,，、;；|/\s]+", "、").str.strip_chars("、")).str.split(
        "、"
    )
    canonical = {alias: name for name, aliases in (labels or {}).items() for alias in (*aliases, name)}
    if canonical:
        parts = parts.list.eval(pl.element().replace(canonical))
    declared = pl.element().is_in(pl.lit(pl.Series(sorted(canonical), dtype=pl.String)).implode())
    undeclared = parts.list.eval(pl.element().str.contains(r"^[0-9]+$") & ~declared).list.any()
    return pl.when(~undeclared).then(parts.list.unique().list.sort().list.join("、"))


def label_key(label: str) -> str:
    """A label as `to_code` and `to_bool` compare it; the same steps as `_label`, for a Python string."""
    kept = unicodedata.normalize("NFKC", label).upper()
    if kept.isalnum():  # as nearly all of thousands are
        return kept
    plain = "".join(c for c in kept if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc"))
    return re.sub(r"^([0-9]+)\.0+$", r"\1", plain)


def _plain(text: pl.Expr) -> pl.Expr:
    return text.str.normalize("NFKC").str.replace_all(_INVISIBLE, "").str.strip_chars()


def _label(text: pl.Expr) -> pl.Expr:
    plain = text.str.normalize("NFKC").str.replace_all(rf"{_INVISIBLE}|\s", "").str.to_uppercase()
    return plain.str.replace(r"^([0-9]+)\.0+$", "$1")  # a code that went through a column of numbers


def _none_if_empty(text: pl.Expr) -> pl.Expr:
    return pl.when(text != "").then(text)


def _plain_date(text: pl.Expr) -> pl.Expr:
    """The date without time of day, blanks, a `.0` tail and Chinese numerals."""
    plain = (
        _plain(text)
        .str.replace(r"[T\s]+(?:[上下]午)?\s*[0-9]{1,2}[:：时].*$", "")
        .str.replace_all(r"\s", "")
        .str.replace(r"^([0-9]{8})(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9](?:\.0*)?$", "$1")
        .str.replace("年元月", "年1月")
        .str.replace(r"^([0-9]{4,8})\.0*$", "$1")
        .str.replace(r"^([1-6][0-9]{4})\.[0-9]+$", "$1")
    )
    numerals = (
        plain.str.extract("^([〇零○一二三四五六七八九]{4}年.*)$")
        .str.replace_all("([二三])十([一二三四五六七八九])", "${1}${2}")
        .str.replace_all("([二三])十", "${1}0")
        .str.replace_all("十([一二三四五六七八九])", "1${1}")
        .str.replace_all("十", "10")
        .str.replace_many(_CHINESE_DIGITS)
    )
    return pl.coalesce(numerals, plain)


def _day_named(plain: pl.Expr) -> pl.Expr:
    return _day(_in_parts(plain))


def _in_parts(plain: pl.Expr) -> pl.Expr:
    """A whole day as 1980-1-5, any other text as it is."""
    return plain.str.replace(_WHOLE_DAY, "${1}-${2}${4}${6}-${3}${5}${7}")


def _is_meant(day: pl.Expr) -> pl.Expr:
    """True for a day that somebody may have written: in a year of our time, and not a spreadsheet's word for nothing."""
    return day.dt.year().is_between(*_YEARS) & ~day.is_in(_EXCEL_ZERO)


def _day(written: pl.Expr) -> pl.Expr:
    """The day of a text such as 1980-1-5; null for any other, and for years that nobody means."""
    return written.str.extract(rf"^({_YEAR}-[0-9]{{1,2}}-[0-9]{{1,2}})$").str.to_date("%Y-%m-%d", strict=False)
