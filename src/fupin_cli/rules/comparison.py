"""What was compared: extracts with their rows and links, how far each reaches, and what its files say at all."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from threading import RLock
from typing import Any, TypeVar, cast

import polars as pl

from fupin_cli.normalise.regions import place_keys
from fupin_cli.rules.pack import DEPT, GIVEN, REGISTER
from fupin_cli.vocabulary import EXTRACTS, LINKS, NOT_UNDERSTOOD, Decision

SAME_NUMBER = "exact_id"  # the basis of a link between two rows that carry one ID number
KIND = "kind:"  # prefix: the label of a kind of extract, not of a field of the same name
Label = Callable[[str], str]
T = TypeVar("T")


@dataclass(frozen=True)
class Comparison:
    """The frames that were compared, those of this run's stages only, and the day on which we stand.

    `links` holds no rejected pair; `same_number` holds every pair with one ID number, whoever it turned out to be. `extracts`
    are those that have rows: `coverage` holds county keys, `has_numbers` and `has_households` say by what one can search them.
    Where some counties are judged alone, evidence and links are theirs, and `whole` is what was compared altogether; `kept` holds
    what was found out about that once. Of what is `apart` nothing more can be found out: its rows are elsewhere.
    """

    evidence: Mapping[str, pl.DataFrame]
    households: pl.DataFrame
    links: pl.DataFrame
    same_number: pl.DataFrame
    extracts: pl.DataFrame
    empty_kinds: frozenset[str]
    county_extracts: pl.DataFrame
    as_of: date
    stages: tuple[str, ...]
    whole: Comparison | None = field(default=None, repr=False)
    apart: bool = False
    kept: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)
    finding: RLock = field(default_factory=RLock, repr=False, compare=False)

    @property
    def everybody(self) -> Comparison:
        """What was compared altogether, however few are judged at a time."""
        return self.whole or self

    def once(self, key: Hashable, find: Callable[[Comparison], T]) -> T:
        """What `find` finds in all that was compared; asked again under the same key, it is not looked for again.

        Of counties that are judged side by side one looks, and the others wait for what it finds.
        """
        whole = self.everybody
        with whole.finding:
            if key not in whole.kept:
                if whole.apart:
                    raise LookupError("what hangs on everybody was not asked before counties were judged elsewhere")
                whole.kept[key] = find(whole)
        return cast("T", whole.kept[key])

    def without_rows(self) -> Comparison:
        """What was found out about all that was compared, to be taken to where some counties are judged."""
        return replace(
            self,
            evidence={kind: rows.clear() for kind, rows in self.evidence.items()},
            households=self.households.clear(),
            links=self.links.clear(),
            same_number=self.same_number.clear(),
            apart=True,
        )

    def __getstate__(self) -> dict[str, Any]:
        """All but the lock, which is this process's own."""
        return {name: value for name, value in self.__dict__.items() if name != "finding"}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state, finding=RLock())

    def extracts_of(self, kind: str, max_age_days: int | None = None) -> pl.DataFrame:
        """The extracts of one kind that are fresh enough."""

        def fresh(whole: Comparison) -> pl.DataFrame:
            oldest = date.min if max_age_days is None else whole.as_of - timedelta(days=max_age_days)
            young = pl.lit(max_age_days is None) | (pl.col("as_of") >= oldest)
            return whole.extracts.filter((pl.col("kind") == kind) & young)

        return self.once(("extracts", kind, max_age_days), fresh)

    def links_of(self, extracts: pl.DataFrame) -> pl.DataFrame:
        """The links to rows of these extracts, in their order."""
        return self.links.filter(pl.col("extract").is_in(extracts["extract"].implode()))

    def no_extract(self, kinds: Sequence[str], max_age_days: int | None, label: Label) -> str | None:
        """Why none of these kinds can be asked: there is no extract, none with a row, or none fresh. None where one can."""
        if any(kind == REGISTER or self.extracts_of(kind, max_age_days).height for kind in kinds):
            return None
        if stale := [kind for kind in kinds if self.extracts_of(kind).height]:
            return named(stale, label) + f"数据早于比对日期{max_age_days}天以上"
        empty = [kind for kind in kinds if kind in self.empty_kinds]
        return named(empty, label) + "数据没有数据行" if empty else "没有" + named(kinds, label) + "数据"


def compare_only(
    evidence: Mapping[str, pl.DataFrame],
    links: pl.DataFrame,
    extracts: pl.DataFrame,
    persons: pl.DataFrame,
    households: pl.DataFrame,
    as_of: date,
    stages: Sequence[str],
) -> Comparison:
    """The extracts of these stages with their rows and links, the register as one more kind, and no rejected link."""
    known = _with_contents(EXTRACTS.conform(extracts).select(EXTRACTS.names), evidence)
    empty_kinds = frozenset(known.filter(pl.col("has_numbers").is_null())["kind"].to_list())
    known = known.drop_nulls("has_numbers")
    extracts = known.filter(pl.col("stage").is_in(list(stages)) | pl.col("stage").is_null())
    everything = LINKS.conform(links).select(LINKS.names)
    own = everything.filter(pl.col("extract") == REGISTER)
    turned = own.with_columns(pl.col("extract_row").alias("register_row"), pl.col("register_row").alias("extract_row"))
    others = everything.join(extracts.select("extract"), on="extract", how="semi")
    keys = ["register_row", "extract", "extract_row"]
    order = {decision.value: place for place, decision in enumerate(Decision)}
    everything = (
        pl.concat([others, own, turned])
        .sort(*keys, pl.col("decision").replace_strict(order, return_dtype=pl.Int8), "basis")
        .unique(keys, keep="first", maintain_order=True)
    )
    links = everything.filter(pl.col("decision") != Decision.REJECTED.value)
    same_number = everything.filter(pl.col("basis") == SAME_NUMBER)
    register = persons.with_columns(pl.lit(REGISTER).alias("extract"), pl.col("register_row").alias("extract_row"))
    county = known.filter(pl.col("stage") == "county")  # what the county compared matters to the province's round too
    return Comparison(
        {**evidence, REGISTER: register},
        households,
        links,
        same_number,
        extracts.sort("extract"),
        empty_kinds,
        county,
        as_of,
        tuple(stages),
    )


def days(as_of: date) -> dict[str, pl.Expr]:
    """The facts that follow from the day on which we stand alone, DAY_FACTS."""
    school_year = date(as_of.year - (as_of < date(as_of.year, 9, 1)), 9, 1)
    return {
        "as_of": pl.lit(as_of),
        "as_of_year": pl.lit(as_of.year, pl.Int64),
        "year_on": pl.lit(date(as_of.year, 1, 1)),
        "school_year_on": pl.lit(school_year),
    }


def named(kinds: Sequence[str], label: Label) -> str:
    """How people call these kinds of extract."""
    return "、".join(label(KIND + kind).removeprefix(KIND) for kind in kinds)


def covered_by(extracts: pl.DataFrame) -> pl.Expr:
    """Whether one of these extracts reaches the row's county; null where the row names none and no extract reaches everywhere."""
    if extracts.filter(pl.col("coverage").list.len().fill_null(0) == 0).height:
        return pl.lit(value=True)
    return in_counties(extracts["coverage"].explode(empty_as_null=True).drop_nulls().unique().sort().to_list())


def in_counties(keys: Sequence[str]) -> pl.Expr:
    """Whether the row's county is one of these county keys; null where the row names no county."""
    return pl.when(pl.col("county_key").is_not_null()).then(pl.col("county_key").is_in(list(keys)))


def is_given(name: str, rows: pl.DataFrame) -> pl.Expr:
    """`given_x`: whether the file that a row comes from says x of anybody, so that a blank is no absent column.

    What it says counts though nobody understands it: a column of impossible dates is no absent column either.
    """
    column = name.removeprefix(GIVEN)
    if column not in rows.columns:
        return pl.lit(value=False)
    filled = pl.col(column).is_not_null()
    if NOT_UNDERSTOOD in rows.columns:
        filled |= pl.col(NOT_UNDERSTOOD).str.split(" ").list.contains(column).fill_null(value=False)
    return filled.any().over("source")


def department_columns(names: Sequence[str], rows: pl.DataFrame) -> list[pl.Expr]:
    """Those columns of extract rows that conditions read, under their names there: `dept_x`, `dept_given_x`."""
    wanted = sorted({name.removeprefix(DEPT) for name in names if name.startswith(DEPT)})
    return [
        (pl.col(name) if name in rows.columns else is_given(name, rows)).alias(DEPT + name)
        for name in wanted
        if name in rows.columns or name.startswith(GIVEN)
    ]


def _with_contents(extracts: pl.DataFrame, evidence: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The extracts with their coverage as county keys, and whether rows can be found by ID or household number.

    `has_numbers` is null for an extract without any row.
    """
    columns = {"extract": pl.String(), "id_number": pl.String(), "household_id": pl.String()}
    rows = pl.concat(
        [pl.DataFrame(schema=columns)]
        + [
            frame.select(
                (pl.col(n) if n in frame.columns else pl.lit(None)).cast(t).alias(n) for n, t in columns.items()
            )
            for frame in evidence.values()
        ]
    )
    numbers = rows.group_by("extract").agg(
        pl.col("id_number").is_not_null().any().alias("has_numbers"),
        pl.col("household_id").is_not_null().any().alias("has_households"),
    )
    named_so = extracts.select(pl.col("coverage").explode(empty_as_null=True).drop_nulls().unique()).to_series()
    keys = dict(zip(named_so, place_keys(named_so.to_frame("county"))["county_key"], strict=True))
    keyed = pl.col("coverage").list.eval(pl.element().replace_strict(keys, return_dtype=pl.String))
    return extracts.join(numbers, on="extract", how="left", maintain_order="left").with_columns(keyed)
