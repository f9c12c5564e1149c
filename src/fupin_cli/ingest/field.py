"""One field of a source profile: the headers under which departments print it, and how its cells are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from fupin_cli.normalise import values

DTYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "raw": pl.String(),
    "name": pl.String(),
    "id": pl.String(),
    "phone": pl.String(),
    "code": pl.String(),
    "multi": pl.String(),
    "bool": pl.Boolean(),
    "date": pl.Date(),
    "month": pl.Date(),
    "year": pl.Int64(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "money": pl.Float64(),
}
UNITS = ("元", "千元", "万元", "百万元", "亿元")
PERIODS = ("month", "year", "once")
_MONTHS = {"month": 1, "year": 12}
_RAW_COLUMNS = {"name": "name_raw", "id_number": "id_raw"}
_SIMPLE: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "phone": values.to_phone,
    "month": values.to_month,
    "year": values.to_year,
    "integer": values.to_integer,
    "number": values.to_number,
}


class Digit(NamedTuple):
    """The place of a character (`at`, from 1) in another field's text, such as the class in a disability number."""

    field: str
    at: int


@dataclass(frozen=True)
class Field:
    """One thing a profile knows how to read: its type, and the headers under which departments print it.

    `values` pairs a canonical label with the spellings that mean it; for a bool the labels are `true` and `false`.
    `unknown` are the spellings that say that nobody knows. `opposite` are headers that ask a bool's opposite question.
    `unit` is what a bare amount counts and `per` the time that it is for; None is undeclared, and never guessed.
    `whole_day` refuses a date that names only a month, for dates that rules compare to the day. `in_life`: it happened to the
    person before the list was made, so a date before the birth or after the list is none. `by_name_header` gives the
    value of every row where the file has no such column, but the header over the names says it (经营者), and `from_digit`
    tells where else a code can be read where its cell is blank.
    """

    name: str
    type: str
    headers: tuple[str, ...] = ()
    zh: str = ""
    en: str = ""
    level: str = "person"
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unit: str | None = None
    per: str | None = None
    whole_day: bool = False
    in_life: bool = False
    by_name_header: tuple[tuple[str, str], ...] = ()
    opposite: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    from_digit: Digit | None = None

    @property
    def column(self) -> str:
        """The column that holds this field: name and ID number are kept raw, cleaning them is normalise's job."""
        return _RAW_COLUMNS.get(self.name, self.name)

    @property
    def dtype(self) -> pl.DataType:
        """The dtype of its column."""
        return DTYPES[self.type]

    @property
    def aliases(self) -> tuple[str, ...]:
        """Every header that means this field, best first; its own names always count, so files with them just work."""
        return tuple(dict.fromkeys((*self.headers, self.zh, self.name, self.column)))

    @property
    def opposite_aliases(self) -> tuple[str, ...]:
        """The headers whose 是 means false here."""
        return self.opposite

    @property
    def undeclared(self) -> str:
        """What a profile would have to write before a rule may compare this money; empty if nothing, and for other types."""
        if self.type != "money":
            return ""
        return ", ".join(
            hint for value, hint in ((self.unit, 'unit = "元"'), (self.per, 'per = "year"')) if value is None
        )

    def parse(
        self,
        text: pl.Expr,
        unit: str | None = None,
        period: str | None = None,
        *,
        opposite: bool = False,
        distrust_numbers: bool = False,
    ) -> pl.Expr:
        """The typed value of a cell's text.

        `unit` and `period` are what the header, or a line above the table, says of amounts; they go before what is declared,
        and an amount for another period than declared is converted. `opposite` says that the header is an opposite one, and
        `distrust_numbers` that no number of this column may be read as a code, because not all of them are declared.
        """
        if self.type == "money":
            return self._in_declared_period(values.to_money(text, unit or self.unit), period)
        if self.type == "date":
            return values.to_date(text, whole_day=self.whole_day)
        if self.type == "multi":
            return values.to_multi(text, dict(self.values))
        if self.type not in ("code", "bool"):
            return _SIMPLE.get(self.type, values.to_text)(text)
        labels = dict(self.values)
        if self.type == "code":
            value = values.to_code(text, labels)
        else:
            value = values.to_bool(text, labels.get("true", ()), labels.get("false", ()), opposite=opposite)
        if self.unknown:
            value = pl.when(~self.says_unknown(text)).then(value)
        return pl.when(~values.is_bare_number(text)).then(value) if distrust_numbers else value

    def parse_plain(self, text: pl.Expr, unit: str | None = None, period: str | None = None) -> pl.Expr | None:
        """What `parse` gives for cells written as most are, and null for all others, at a fraction of the cost.

        None for types that have no such way.
        """
        match self.type:
            case "text":
                return values.plain_text(text)
            case "date":
                return values.plain_date(text)
            case "number":
                return values.plain_number(text)
            case "phone":
                return values.plain_phone(text)
            case "money":
                scale = values.scale_of(unit or self.unit)
                return self._in_declared_period(values.plain_number(text) * scale, period) if scale else None
            case _:
                return None

    def says_unknown(self, text: pl.Expr) -> pl.Expr:
        """True where the cell says, in a declared spelling, that nobody knows: understood, and null; never null itself."""
        return values.is_one_of(text, self.unknown)

    def undeclared_number(self, text: pl.Expr) -> pl.Expr:
        """True where the cell is a bare number that no value and no `unknown` of this code or bool declares; never null."""
        if self.type not in ("code", "bool"):
            return values.is_one_of(text, ())
        spelled = (spelling for name, spellings in self.values for spelling in (name, *spellings))
        return values.is_bare_number(text) & ~values.is_one_of(text, (*spelled, *self.unknown))

    def fill(self, other: pl.Expr) -> pl.Expr:
        """What `from_digit` reads in the cell of the other field: null where that is too short, or no run of letters and digits.

        A field without `from_digit` has nothing to fill.
        """
        if self.from_digit is None:
            return values.to_code(other, {})
        return values.to_code(values.character_at(other, self.from_digit.at), dict(self.values))

    def _in_declared_period(self, amount: pl.Expr, period: str | None) -> pl.Expr:
        """The amount for the declared period, where the header's is another; as it is where either says nothing of time."""
        if period is None or self.per is None or not {period, self.per} <= _MONTHS.keys():
            return amount
        return amount * _MONTHS[self.per] / _MONTHS[period]
