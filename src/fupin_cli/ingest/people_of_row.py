"""Rows that speak of several people → one identity for each, all tied to the one row.

A row may name them in columns of their own (two spouses, an owner and a co-owner: the profile's `also`), or in one cell
(`身份证:…，身份证:…`). What the row says is said of each of them; what it says of the first person's sex or birth is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from fupin_cli.ingest.profile import Also, SourceProfile

NTH = "person_of_row"  # 0 for the first person of a row
_ID = r"\d{15,22}[Xx]?(?:B\d)?"
_LENGTHS = (15, 18, 20, 22)
_GLUED = r"(^|[^0-9])(\d{17}[\dX])(\d{17}[\dX])(\d{17}[\dX])?([^0-9X]|$)"  # two or three numbers and nothing between
_LABEL = r"(?:居民|公民)?(?:身份证|证件|公民身份)(?:号码|号)?[:：]?|姓名[:：]?|权利人[:：]?"
_TWO_NUMBERS, _TWO_NAMES = 29, 12  # bytes that one number with its label, or one plain name, needs at most
_BETWEEN = r"[、，,;；/|\r\n]+"
_NAMES = r"^\s*[\p{Han}·]{2,}(?:[、，,;；/|\r\n]+\s*[\p{Han}·]{2,})+\s*$"
_OF_THE_FIRST = ("former_name", "sex", "birth_on", "person_id", "relation", "phone")


@dataclass(frozen=True)
class Further:
    """A further person of each row: what the profile says of such a person, and the cells of name and ID number."""

    also: Also
    name: pl.Series
    number: pl.Series


def every_person(
    rows: pl.DataFrame, profile: SourceProfile, further: Sequence[Further], first: Sequence[tuple[str, str]] = ()
) -> tuple[pl.DataFrame, int]:
    """The rows once for each person they name, with NTH, ordered by row; and how many rows named several in one cell.

    `first` are values that are said of the first person. A register row is about one person, whatever its cells hold. A row
    without anybody stays as it is.
    """
    rows = rows.with_columns(pl.lit(0, pl.Int64).alias(NTH), *_said(first, profile))
    if profile.needs_household:
        return rows, 0
    frames = [rows]
    for n, other in enumerate(further, 1):
        who = (other.name.alias("name_raw"), other.number.alias("id_raw"), pl.lit(n, pl.Int64).alias(NTH))
        person = _only_of_the_row(rows).with_columns(*who, *_said(other.also.set, profile))
        frames.append(person.filter(_somebody()))
    people = pl.concat(frames) if len(frames) > 1 else rows
    split, count = _split_cells(people)
    if len(frames) == 1 and not count:
        return rows, 0
    split = split.sort("_at", NTH, maintain_order=True)
    alone = pl.len().over("_at") == 1
    split = split.filter(_somebody() | alone)  # a row whose first person is blank is about the others
    return split.with_columns((pl.int_range(pl.len()).over("_at")).cast(pl.Int64).alias(NTH)), count


def _said(values: Sequence[tuple[str, str]], profile: SourceProfile) -> list[pl.Expr]:
    fields = ((profile.field(name), value) for name, value in values)
    return [pl.lit(value).cast(f.dtype).alias(f.column) for f, value in fields]


def identity_rows(rows: pl.DataFrame) -> pl.Series:
    """A number for each identity: the row's own for its first person; further ones are numbered behind the last row."""
    if NTH not in rows.columns:
        return rows["data_row"]
    first = pl.col(NTH) == 0
    behind = pl.col("data_row").max() + (~first).cum_sum()
    return rows.select(pl.when(first).then("data_row").otherwise(behind).cast(pl.Int64)).to_series()


def _somebody() -> pl.Expr:
    return pl.any_horizontal(pl.col("name_raw", "id_raw").is_not_null())


def _only_of_the_row(people: pl.DataFrame) -> pl.DataFrame:
    """The people without what their row says of its first person alone."""
    return people.with_columns(
        pl.lit(None, people.schema[name]).alias(name) for name in _OF_THE_FIRST if name in people.columns
    )


def _split_cells(people: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The people with every cell that names several taken apart.

    Names go with numbers in their order where there are as many of each. Where there are not, nobody can tell whose number is
    whose: the numbers stand without names, and a single number beside the names is one more identity.
    """
    # two numbers or two names take room: few cells pass, and only those are looked at closely
    long = (pl.col("id_raw").str.len_bytes() > _TWO_NUMBERS) | (pl.col("name_raw").str.len_bytes() > _TWO_NAMES)
    doubtful = people.lazy().select(long.fill_null(value=False)).collect().to_series().arg_true()
    several = (pl.col("id_raw").str.count_matches(r"\d{15}") > 1) | pl.col("name_raw").str.contains(_NAMES)
    several_here = people[doubtful].lazy().select(several.fill_null(value=False)).collect().to_series()
    at = pl.repeat(value=False, n=people.height, eager=True).scatter(doubtful, several_here)
    if not at.any():
        return people, 0
    found = people.filter(at).with_columns(_numbers().alias("_numbers"), _names(_BETWEEN).alias("_names"))
    # a blank parts two names (张三 李四) or stands inside one (欧阳 修文): only the count of numbers can tell
    spaced = pl.when(pl.col("_numbers").list.len() > 1).then(_names(r"\s+"))
    fits = spaced.list.len() == pl.col("_numbers").list.len()
    found = found.with_columns(pl.when(fits).then(spaced).otherwise("_names").alias("_names"))
    numbers, names = pl.col("_numbers"), pl.col("_names")
    many = (numbers.list.len() > 1) | (names.list.len() > 1)
    paired, few = numbers.list.len() == names.list.len(), numbers.list.len() < 2
    nothing = pl.lit(None, pl.String)
    blank_numbers = names.list.eval(pl.when(pl.element().is_null()).then(pl.element()))
    blank_names = numbers.list.eval(pl.when(pl.element().is_null()).then(pl.element()))
    split = found.filter(many).with_columns(
        pl.when(paired)
        .then(names)
        .when(few)
        .then(pl.concat_list(blank_names, names))
        .otherwise(blank_names)
        .alias("_names"),
        pl.when(paired)
        .then(numbers)
        .when(few)
        .then(pl.concat_list(numbers, blank_numbers))
        .otherwise(numbers)
        .alias("_numbers"),
    )
    count = split.height
    split = split.with_columns(pl.int_ranges(pl.col("_numbers").list.len()).alias("_nth")).explode(
        "_numbers", "_names", "_nth"
    )
    later = pl.col("_nth") > 0
    split = split.with_columns(
        pl.col("_names").alias("name_raw"),
        pl.col("_numbers").alias("id_raw"),
        *(
            pl.when(~later).then(name).otherwise(nothing.cast(people.schema[name])).alias(name)
            for name in _OF_THE_FIRST
            if name in people.columns
        ),
    )
    rest = pl.concat([people.filter(~at), found.filter(~many)], how="diagonal")
    return pl.concat([rest.select(people.columns), split.select(people.columns)]), count


def _numbers() -> pl.Expr:
    """The different ID numbers in the cell; an old number of 15 digits is the one of 18 that holds it."""
    text = pl.col("id_raw").str.normalize("NFKC").str.replace_all("[xхХχΧ×]", "X")
    found = text.str.replace_all(_GLUED, "$1$2、$3、$4$5").str.extract_all(_ID)
    return (
        found.list.eval(
            pl.element()
            .filter(pl.element().str.len_chars().is_in(_LENGTHS))
            .sort_by(
                pl.element().filter(pl.element().str.len_chars().is_in(_LENGTHS)).str.len_chars() == 15,
                maintain_order=True,
            )
        )
        .list.eval(pl.element().filter(_core().is_first_distinct()))
        .fill_null([])
    )


def _core() -> pl.Expr:
    """The fifteen digits that an old and a new number of one person share."""
    number = pl.element()
    return pl.when(number.str.len_chars() == 15).then(number).otherwise(
        pl.concat_str(number.str.slice(0, 6), number.str.slice(8, 9))
    )  # fmt: skip


def _names(between: str) -> pl.Expr:
    """The names in the cell, without labels, parted by these marks."""
    text = pl.col("name_raw").str.normalize("NFKC").str.replace_all(_LABEL, "").str.strip_chars()
    text = text.str.replace_all(between, "、")
    parts = text.str.strip_chars("、").str.split("、")
    return parts.list.eval(pl.element().filter(pl.element() != "")).fill_null([])
