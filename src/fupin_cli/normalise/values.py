"""Text as received → typed value, or null where the text says nothing that can be trusted.

Every function takes a String expression and gives an expression. Nothing is guessed: a two-digit year, a month alone where
a whole day is needed, `1980.1` (January, or October with its nought lost) and an unknown label are null, and ingest counts
them. Dates are written in so many ways that a value is put into one spelling first and parsed once (data_formats.md, H32).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

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

_INVISIBLE = r"[\p{Cf}\p{Cc}]"
_LOST_DIGITS = r"^-?\d(?:\.\d+)?[eE]\+?(?:1[5-9]|2\d)$"
_CHINESE_DIGITS = dict(zip("〇零○一二三四五六七八九", "000123456789", strict=True))
_MONTH_ONLY = r"^(\d{4})(?:-(\d{1,2})|[./](\d{2})|年(\d{1,2})月?|(\d{2}))$"
_WHOLE_DAY = r"^(\d{4})(?:[-./](\d{1,2})[-./](\d{1,2})|年(\d{1,2})月(\d{1,2})[日号]?|(\d{2})(\d{2}))$"
_SERIAL = r"^[1-6]\d{4}$"  # 1927 to 2091; a shorter serial looks like a year, so it is never read as one
_EXCEL_EPOCH = 25569  # the serial of 1970-01-01 in the 1900 system
_YEARS = (1850, 2100)  # 9999-12-31 means "no end"; it is not a date
_NUMBER = r"^([-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,2})?)$"
_UNITS = r"(?:元|人民币|个月|月|人|口|户|平方米|平米|㎡|m2|亩|周?岁|年|间|栋|辆|个|公里|天)$"
_SCALES = {"元": 1.0, "十元": 10.0, "百元": 100.0, "千元": 1e3, "万元": 1e4, "百万元": 1e6, "亿元": 1e8}


def is_blank(text: pl.Expr) -> pl.Expr:
    """True where the cell holds nothing, or one of the marks by which people write that it holds nothing."""
    return text.is_null() | _plain(text).str.to_uppercase().is_in(BLANKS)


def is_lost(text: pl.Expr) -> pl.Expr:
    """True where a number of 16 or more digits went through a spreadsheet and came back without its last ones."""
    return text.str.strip_chars().str.contains(_LOST_DIGITS).fill_null(value=False)


def to_text(text: pl.Expr) -> pl.Expr:
    """The text without invisible characters and outer blanks; a code that came as `13800000000.0` loses its `.0`."""
    return _none_if_empty(text.str.replace_all(_INVISIBLE, "").str.strip_chars().str.replace(r"^(\d{5,})\.0+$", "$1"))


def to_date(text: pl.Expr, *, whole_day: bool = False) -> pl.Expr:
    """Date; a value that names only a month is its first day, unless `whole_day` asks for the day itself (then null)."""
    plain = _plain_date(text)
    day = _from_parts(plain.str.replace(_WHOLE_DAY, "${1}-${2}${4}${6}-${3}${5}${7}"))
    serial = plain.str.extract(rf"({_SERIAL})").cast(pl.Int32) - _EXCEL_EPOCH
    found = pl.coalesce(day, serial.cast(pl.Date))
    return found if whole_day else pl.coalesce(found, _month_start(plain))


def to_month(text: pl.Expr) -> pl.Expr:
    """First day of the month that is named, as a Date."""
    return to_date(text).dt.month_start()


def to_year(text: pl.Expr) -> pl.Expr:
    """Year as Int64, from a year alone or from anything that to_date reads."""
    plain = _plain_date(text)
    year = plain.str.extract(r"^(\d{4})年?度?$").cast(pl.Int64)
    # A year alone looks like nothing that to_date knows, so the two never disagree.
    return pl.coalesce(pl.when(year.is_between(*_YEARS)).then(year), to_date(text).dt.year().cast(pl.Int64))


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


def to_money(text: pl.Expr, unit: str = "元") -> pl.Expr:
    """Yuan as Float64; `unit` is what a bare number of this column counts, a unit in the cell itself goes first."""
    plain = _plain(text).str.replace_all(r"[\s¥￥]", "").str.replace("^(?:人民币|RMB|CNY)", "")
    number = to_number(plain.str.replace("(?:百万|[十百千万亿])?元?整?$", ""))
    own = plain.str.extract("(百万|[十百千万亿])元?整?$") + "元"
    named = own.replace_strict(_SCALES, default=None, return_dtype=pl.Float64)
    in_yuan = pl.when(plain.str.contains("[^十百千万亿]元整?$")).then(1.0)
    return number * pl.coalesce(named, in_yuan, pl.lit(_SCALES[unit]))


def to_bool(text: pl.Expr, true: Sequence[str] = (), false: Sequence[str] = ()) -> pl.Expr:
    """Boolean; blank is null, and so are 1 and 0 unless the profile lists them as its own labels."""
    meaning = dict.fromkeys(map(label_key, FALSE_LABELS), False) | dict.fromkeys(map(label_key, TRUE_LABELS), True)
    meaning |= dict.fromkeys(map(label_key, false), False) | dict.fromkeys(map(label_key, true), True)
    return _label(text).replace_strict(meaning, default=None, return_dtype=pl.Boolean)


def to_code(text: pl.Expr, labels: Mapping[str, Sequence[str]]) -> pl.Expr:
    """The canonical label of a coded value; a label that no one declared is null, because 因学 is 3 here and 11 there."""
    canonical = {label_key(alias): name for name, aliases in labels.items() for alias in (*aliases, name)}
    return _label(text).replace_strict(canonical, default=None, return_dtype=pl.String)


def to_multi(text: pl.Expr, labels: Mapping[str, Sequence[str]] | None = None) -> pl.Expr:
    """Labels of a multi-select cell as a set: sorted, each once, joined by 、 (`技能培训,其他` = `其他、技能培训`).

    A label without an entry in `labels` stays as it is.
    """
    parts = _none_if_empty(to_text(text).str.replace_all(r"[,，、;；|/\s]+", "、").str.strip_chars("、")).str.split(
        "、"
    )
    if labels:
        canonical = {alias: name for name, aliases in labels.items() for alias in aliases}
        parts = parts.list.eval(pl.element().replace(canonical))
    return parts.list.unique().list.sort().list.join("、")


def label_key(label: str) -> str:
    """A label as `to_code` and `to_bool` compare it; the same steps as `_label`, for a Python string."""
    kept = unicodedata.normalize("NFKC", label).upper()
    return "".join(c for c in kept if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc"))


def _plain(text: pl.Expr) -> pl.Expr:
    return text.str.normalize("NFKC").str.replace_all(_INVISIBLE, "").str.strip_chars()


def _label(text: pl.Expr) -> pl.Expr:
    return text.str.normalize("NFKC").str.replace_all(rf"{_INVISIBLE}|\s", "").str.to_uppercase()


def _none_if_empty(text: pl.Expr) -> pl.Expr:
    return pl.when(text != "").then(text)


def _plain_date(text: pl.Expr) -> pl.Expr:
    """The date without time of day, blanks, a `.0` tail and Chinese numerals."""
    plain = (
        _plain(text)
        .str.replace(r"[T\s]+\d{1,2}[:：时].*$", "")
        .str.replace_all(r"\s", "")
        .str.replace(r"^(\d{4,8})\.0*$", "$1")
        .str.replace(r"^([1-6]\d{4})\.\d+$", "$1")
    )
    numerals = (
        plain.str.replace_all("([二三])十([一二三四五六七八九])", "${1}${2}")
        .str.replace_all("([二三])十", "${1}0")
        .str.replace_all("十([一二三四五六七八九])", "1${1}")
        .str.replace_all("十", "10")
        .str.replace_many(_CHINESE_DIGITS)
    )
    return pl.when(plain.str.contains("^[〇零○一二三四五六七八九]{4}年")).then(numerals).otherwise(plain)


def _month_start(plain: pl.Expr) -> pl.Expr:
    return _from_parts(plain.str.replace(_MONTH_ONLY, "${1}-${2}${3}${4}${5}-1"))


def _from_parts(iso: pl.Expr) -> pl.Expr:
    only_iso = pl.when(iso.str.contains(r"^\d{4}-\d{1,2}-\d{1,2}$")).then(iso)
    found = only_iso.str.to_date("%Y-%m-%d", strict=False)
    return pl.when(found.dt.year().is_between(*_YEARS)).then(found)
