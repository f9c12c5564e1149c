"""Cells of a sheet → typed columns, and a count of what they held that meant nothing or had to be read with care.

Two decisions need a look at whole columns, so the first reading counts the signs and a second one acts on them: a column in
which some number is not declared is a code table that nobody declared, so none of its numbers is trusted; and ID numbers that
went through a float are recognised by being, against all odds, numbers that a float can hold.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import polars as pl

from fupin_cli.ingest.headers import Header, Mapping, header_key, names_head, period_in, unit_in
from fupin_cli.ingest.profile import Field, SourceProfile
from fupin_cli.ingest.sheet_report import FIRST_ROWS
from fupin_cli.normalise.id_number import has_valid_check
from fupin_cli.normalise.spelling import once_per_spelling, replace_rows
from fupin_cli.normalise.values import has_two_digit_year, is_blank, is_excel_zero, is_lost, is_one_of
from fupin_cli.vocabulary import NOT_UNDERSTOOD

_ASIS = ("name_raw", "id_raw")
_ENOUGH = 3  # fewer numbers tell nothing of their column
_HEAD_ITSELF = ("户主", "本人", "户主本人", "本人或户主", "户主或本人", "本人（户主）", "户主（本人）", "01", "02")
_DATES = ("date", "month", "year")
_ROW = "_row:"  # begins a count that notes where a problem stands
_TAIL = ".0"  # of a number that somebody's program printed as a float

Counts = Counter[tuple[str, str]]  # (kind of problem, field) → cells


def first_rows(counts: Counts) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    """(kind of problem, field, first rows) of the dates that were not understood."""
    found: dict[tuple[str, str], list[int]] = {}
    for sign, field in counts:
        if sign.startswith(_ROW):
            kind, _, row = sign.removeprefix(_ROW).partition(":")
            found.setdefault((kind, field), []).append(int(row))
    return tuple((*key, tuple(sorted(rows)[:FIRST_ROWS])) for key, rows in sorted(found.items()))


@dataclass(frozen=True)
class Doubt:
    """What a first reading found out about a whole source: fields whose numbers nobody declared, and ID numbers from floats."""

    codes: frozenset[str] = frozenset()
    float_ids: bool = False

    @classmethod
    def of(cls, counts: Counts) -> Doubt:
        """The doubt that the counts of a first reading justify.

        A float holds one 18-digit number in 16 to 128; of an undamaged column's hardly any is wrong, of a damaged one's ten in
        eleven are.
        """
        codes = frozenset(name for (kind, name), count in counts.items() if kind == "undeclared_codes" and count)
        in_float, wrong = counts["_float_like", ""], counts["_float_wrong", ""]
        return cls(codes, wrong >= _ENOUGH and wrong * 4 >= in_float)


def type_cells(
    used: pl.DataFrame, header: Header, mapping: Mapping, profile: SourceProfile, unit: str | None, doubt: Doubt
) -> tuple[pl.DataFrame, Counts]:
    """`_at` and the profile's columns with their types, and the counts; `unit` is what the sheet says above its header.

    `used` has `_at` and the cells of the rows that are used; their columns are `c0`, `c1` …. The column NOT_UNDERSTOOD names the
    fields of a row whose cell holds something that has no value.
    """
    by_field, counts = mapping.by_field, Counts()
    used = _without_conflicts(used, header, mapping, profile, counts)
    read = [_Column.of(f, by_field[f.name], header, mapping, unit, doubt) for f in profile.fields if f.name in by_field]
    # one question for what is written as it should be: only what is not is looked at column by column
    plain = used.lazy().select(
        "_at", *(column.plain.alias(column.field.column) for column in read if column.plain is not None)
    )
    values = plain.collect()
    wanted = [sign for column in read for sign in column.signs()]
    signs = used.lazy().select(wanted).collect().row(0, named=True) if wanted else {}
    odd: list[pl.DataFrame] = []
    values = values.with_columns([_finished(column, used, values, signs, counts, doubt, odd) for column in read])
    values = values.with_columns(_named_by_row(odd, used.height))
    absent = [_constant(f, _said_by_header(f, header, by_field)) for f in profile.fields if f.name not in by_field]
    values = values.with_columns(absent)
    values = _with_own_names(values, used, header, mapping, counts)
    stand_ins = [pl.col(name) for name in profile.id_from if name in by_field]
    values = values.with_columns(pl.coalesce("id_raw", *stand_ins)) if stand_ins else values
    derived = [
        pl.coalesce(f.column, f.fill(pl.col(profile.field(f.from_digit.field).column)))
        for f in profile.fields
        if f.from_digit and f.from_digit.field in by_field
    ]
    return values.with_columns(derived) if derived else values, counts


def _with_own_names(
    values: pl.DataFrame, used: pl.DataFrame, header: Header, mapping: Mapping, counts: Counts
) -> pl.DataFrame:
    """The values; where the only names are the heads' and each row says who it is, no other member has the head's name."""
    by_field = mapping.by_field
    if not ({"name", "relation"} <= by_field.keys() and names_head(header.texts[by_field["name"]])):
        return values
    other = used.select(~is_one_of(pl.col(f"c{by_field['relation']}"), _HEAD_ITSELF)).to_series()
    named = other & values["name_raw"].is_not_null()
    counts["heads_name", "name"] += int(named.sum())
    return values.with_columns(pl.when(~named).then("name_raw").alias("name_raw"))


@dataclass(frozen=True)
class _Column:
    """One column of a sheet that a field is read from. `plain` is its value where a cell is written as it should be."""

    field: Field
    cell: str
    unit: str | None
    own_unit: bool
    period: str | None
    opposite: bool
    distrusted: bool
    plain: pl.Expr | None

    @classmethod
    def of(
        cls, f: Field, column: int, header: Header, mapping: Mapping, sheet_unit: str | None, doubt: Doubt
    ) -> _Column:
        text, own = header.texts[column], unit_in(header.texts[column])
        unit, period = own or sheet_unit, period_in(text) if f.type == "money" else None
        as_is = f.type == "raw" or f.column in _ASIS
        plain = pl.col(f"c{column}") if as_is else f.parse_plain(pl.col(f"c{column}"), unit, period)
        opposite, distrusted = f.name in mapping.opposite, f.name in doubt.codes
        return cls(f, f"c{column}", unit, own is not None, period, opposite, distrusted, plain)

    def signs(self) -> list[pl.Expr]:
        """What to count in the column before it is known whether anything in it needs a closer look."""
        text, found = pl.col(self.cell), []
        if self.field.type in ("id", "text"):
            found.append(text.str.contains_any(["e", "E"]).sum().alias(f"exponents:{self.field.name}"))
        if self.field.column == "id_raw":
            found += [_in_float(text).sum().alias("in_float"), _padded_with_noughts(text).sum().alias("padded")]
        return found

    def parse(self, spellings: pl.Series) -> pl.DataFrame:
        """The value of each of these texts, read with all care."""
        value = self.field.parse(
            pl.col("text"), self.unit, self.period, opposite=self.opposite, distrust_numbers=self.distrusted
        )
        return spellings.to_frame("text").select(value.alias("value"))


def _named_by_row(odd: list[pl.DataFrame], rows: int) -> pl.Series:
    """NOT_UNDERSTOOD of so many rows, out of the places and the field of each column's odd cells."""
    named = pl.repeat(None, rows, dtype=pl.String, eager=True).alias(NOT_UNDERSTOOD)
    if not odd:
        return named
    told = pl.concat(odd).group_by("at", maintain_order=True).agg(pl.col("field").str.join(" "))
    return named.scatter(told["at"], told["field"])


def _finished(
    column: _Column,
    used: pl.DataFrame,
    values: pl.DataFrame,
    signs: dict[str, int],
    counts: Counts,
    doubt: Doubt,
    odd: list[pl.DataFrame],
) -> pl.Series:
    """One column of values, what is odd about it looked at and counted; `odd` gets the places of such cells."""
    f, text = column.field, used[column.cell]
    if signs.get(f"exponents:{f.name}"):
        counts["lost_digits", f.name] += _count_lost(text)
    if f.column == "id_raw":
        counts["_ids", ""] += len(text) - text.null_count()
        counts["lost_digits", f.name] += signs["padded"]
        return (_from_floats(text, counts, doubt) if signs["in_float"] else text).alias(f.column)
    if column.plain is None:
        value = once_per_spelling(text, column.parse)["value"]
    else:
        value = values[f.column]
        if value.null_count() > text.null_count():
            left = (value.is_null() & text.is_not_null()).arg_true()
            careful = once_per_spelling(text.gather(left), column.parse)
            value = replace_rows(value.alias("value").to_frame(), left, careful)["value"]
    odd += _count_odd(column, text, value, used["_at"], counts)
    if f.type == "money" and column.unit and not column.own_unit and f.unit and f.unit != column.unit:
        counts["unit_from_sheet", f.name] += len(text) - text.null_count()
    return value.alias(f.column)


def _count_odd(
    column: _Column, text: pl.Series, value: pl.Series, rows: pl.Series, counts: Counts
) -> list[pl.DataFrame]:
    """Counts what was not understood: it holds something, and nobody declared that it says nothing. The places, if any.

    `rows` are those of the sheet (0-based); of dates the first ones are noted beside the counts.
    """
    if value.null_count() == text.null_count():
        return []
    cell, f = pl.col("text"), column.field
    at = (value.is_null() & text.is_not_null()).arg_true()
    odd = pl.DataFrame({"at": at, "text": text.gather(at)}).filter(~is_blank(cell) & ~f.says_unknown(cell))
    odd = odd.with_columns(_kind(f, cell, column.unit, distrusted=column.distrusted).alias("kind"))
    for kind, count in odd["kind"].value_counts().rows():
        counts[kind, f.name] += count
    if f.type in _DATES:
        firsts = odd.group_by("kind").agg(pl.col("at").head(FIRST_ROWS))
        for kind, at in firsts.explode("at").rows():
            counts[f"{_ROW}{kind}:{rows[at] + 1}", f.name] += 1
    return [odd.select("at", field=pl.lit(f.name))] if odd.height else []


def _kind(f: Field, cell: pl.Expr, unit: str | None, *, distrusted: bool) -> pl.Expr:
    """What kind of problem a cell is that was not understood."""
    if f.type in ("code", "bool"):
        number = f.undeclared_number(cell) | (cell.str.contains(r"^\s*\d+\s*$") & distrusted)
        return pl.when(number).then(pl.lit("undeclared_codes")).otherwise(pl.lit("unknown_labels"))
    if f.type in _DATES:
        short, zero = pl.when(has_two_digit_year(cell)), is_excel_zero(cell)
        other = pl.when(zero).then(pl.lit("impossible_dates")).otherwise(pl.lit("unparsed_cells"))
        return short.then(pl.lit("two_digit_year")).otherwise(other)
    return pl.lit("undeclared_unit" if f.type == "money" and not (unit or f.unit) else "unparsed_cells")


def _constant(f: Field, value: str | None) -> pl.Expr:
    return pl.lit(value).cast(f.dtype).alias(f.column)


def _said_by_header(f: Field, header: Header, by_field: dict[str, int]) -> str | None:
    """The value that the header over the names gives to a field without a column; the longest word that fits."""
    over_names = header.texts[by_field["name"]] if "name" in by_field else ""
    return next(
        (value for word, value in sorted(f.by_name_header, key=lambda p: -len(p[0])) if word in over_names), None
    )


def _without_conflicts(
    used: pl.DataFrame, header: Header, mapping: Mapping, profile: SourceProfile, counts: Counts
) -> pl.DataFrame:
    """The cells; where the same header stands twice, what either column says, and nothing where both say different things.

    Of names and ID numbers the leftmost counts: a row of two people is about the first of them.
    """
    for name, other in mapping.duplicates:
        column = mapping.by_field[name]
        if header_key(header.texts[other]) != header_key(header.texts[column]) or f"c{other}" not in used.columns:
            continue
        text, twin = pl.col(f"c{column}"), pl.col(f"c{other}")
        differ = (text != twin).fill_null(value=False)
        counts["conflicting_duplicate", name] += int(used.select(differ.sum()).item())
        either = pl.coalesce(text, twin)
        kept = either if profile.field(name).column in _ASIS else pl.when(~differ).then(either)
        used = used.with_columns(kept.alias(f"c{column}"))
    return used


def _count_lost(text: pl.Series) -> int:
    """How many codes came as numbers that had lost their last digits."""
    suspects = text.filter(text.str.contains_any(["e", "E"]))
    return int(suspects.to_frame("text").select(is_lost(pl.col("text")).sum()).item())


def _padded_with_noughts(text: pl.Expr) -> pl.Expr:
    """True for a number of 18, 20 or 22 digits of which a spreadsheet kept fifteen and wrote noughts for the rest."""
    lengths = ((18, "000"), (20, "00000"), (22, "0000000"))
    padded = pl.any_horizontal((text.str.len_bytes() == n) & text.str.ends_with(noughts) for n, noughts in lengths)
    return (padded & ~text.str.starts_with("000")).fill_null(value=False)


def _in_float(text: pl.Expr) -> pl.Expr:
    """True for an 18-digit number that a float can hold, other than those that show their damage by ending in 000."""
    bare = text.str.strip_suffix(_TAIL)
    whole = bare.cast(pl.Int64, strict=False)
    held = whole == whole.cast(pl.Float64).cast(pl.Int64, strict=False)
    return ((bare.str.len_bytes() == 18) & held & ~bare.str.ends_with("000")).fill_null(value=False)


def _from_floats(text: pl.Series, counts: Counts, doubt: Doubt) -> pl.Series:
    """The ID numbers; those that a float can hold are counted, and marked as damaged where the source is in doubt.

    One that ends in `.0` says itself that it was a number, and is in doubt wherever it stands.
    """
    at = text.to_frame("text").select(_in_float(pl.col("text"))).to_series().arg_true()
    like = text.gather(at).to_frame("text").with_columns(
        pl.col("text").str.strip_suffix(_TAIL), pl.col("text").str.ends_with(_TAIL).alias("tail"), at.alias("at")
    )  # fmt: skip
    counts["_float_like", ""] += like.height
    counts["_float_wrong", ""] += int(
        like.select((~has_valid_check(pl.col("text"))).fill_null(value=True).sum()).item()
    )
    like = like if doubt.float_ids else like.filter("tail")
    if not like.height:
        return text
    counts["float_ids", "id_number"] += like.height
    return text.clone().scatter(like["at"], _as_damaged(like["text"]))


def _as_damaged(numbers: pl.Series) -> pl.Series:
    """The numbers with the digits that a float leaves certain, written as a spreadsheet shows them: everybody knows that sign.

    A float is off by half of its spacing at most, which reaches the fifteenth digit where the last three are near 000: where it
    could even reach the birth date, twelve digits are kept. Where all are that near, Excel had cut them before.
    """
    whole = pl.col("whole")
    half = pl.when(whole >= 2**59).then(64).when(whole >= 2**58).then(32).otherwise(16)
    low, high, rounded = (whole - half) // 1000, (whole + half) // 1000, (whole + 500) // 1000
    frame = pl.DataFrame({"whole": numbers.cast(pl.Int64)})
    cut_before = frame.height >= _ENOUGH and frame.select(((whole - rounded * 1000).abs() <= half).all()).item()
    digits = (rounded if cut_before else whole // 1000).cast(pl.String)
    kept = pl.when(low // 10 == high // 10).then(15).otherwise(12) if not cut_before else pl.lit(15)
    shown = pl.format("{}.{}E+17", digits.str.slice(0, 1), digits.str.slice(1, kept - 1))
    return frame.select(shown.alias("text")).to_series()
