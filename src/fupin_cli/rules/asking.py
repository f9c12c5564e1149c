"""A rule held against a frame: the facts that it reads, the line of each row's year, whether it is in force, the outcome."""

from __future__ import annotations

from datetime import date

import polars as pl

from fupin_cli.rules.areas import COUNTY
from fupin_cli.rules.bounds import answers, ask
from fupin_cli.rules.evidence import World
from fupin_cli.rules.facts import columns_of
from fupin_cli.rules.lines import SERIES
from fupin_cli.rules.outcome import decide
from fupin_cli.rules.pack import AREAS, GIVEN, Level, LineUse, Rule
from fupin_cli.rules.predicate import evaluate
from fupin_cli.rules.setting import Setting
from fupin_cli.vocabulary import LineUsed


def judge_frame(rule: Rule, frame: pl.DataFrame, lined: pl.Series | None = None) -> pl.Series:
    """The outcome of each row of a frame that has the rule's facts as columns; `lined` replaces the line's fact.

    An exception of a veto takes the hit away where it holds, and leaves it unknown where nobody knows whether it holds:

        condition | exception || check
        true      | false     || hit
        true      | true      || clear
        true      | unknown   || unknown
        unknown   | true      || clear
        unknown   | false     || unknown
        false     | -         || clear
    """
    frame = frame if lined is None or rule.line is None else frame.with_columns(lined.alias(rule.line.as_fact))
    if rule.condition is None:
        raise AssertionError(rule.id)
    applies = answers(frame, rule.when, rule.where)
    if "_in_force" in frame.columns:
        applies = applies & frame["_in_force"]
    holds = answers(frame, rule.condition, rule.where, rule.denied)
    for exception in rule.unless:
        holds = holds & ~ask(frame, exception.when, rule.where)
    asked = pl.DataFrame({"applies": applies, "holds": holds})
    return asked.select(decide(rule.kind, pl.col("applies"), pl.col("holds")).alias("outcome")).to_series()


def unit_of(rule: Rule) -> str:
    """The column that names each row of the facts that a rule reads."""
    return "register_row" if rule.level is Level.PERSON else "place" if rule.level in AREAS else "household_id"


def prepared(
    rule: Rule, setting: Setting, world: World, at: pl.Series | None = None, also: tuple[str, ...] = ()
) -> pl.DataFrame:
    """The facts of one world that the rule reads, absent ones as nulls, its line, and whether it is in force for each row.

    Only the rows `at` these places, where it is given; `also` names columns that are wanted too.
    """
    frame = setting.facts.of(rule.level, world)
    dated = [rule.line.year, *(rule.line.this_year_when.names if rule.line.this_year_when else ())] if rule.line else []
    frame = frame[columns_of((unit_of(rule), *rule.names, *dated, "exit_year", COUNTY, *also), frame)]
    frame = frame if at is None else frame[at]
    frame = with_line(rule, frame, setting) if rule.line else frame
    nothing = {name: False if name.startswith(GIVEN) else None for name in rule.names if name not in frame.columns}
    absent = [pl.lit(value).alias(name) for name, value in nothing.items()]
    return frame.with_columns(*absent, in_force(rule, frame, setting.compared.as_of).alias("_in_force"))


def in_force(rule: Rule, frame: pl.DataFrame, as_of: date) -> pl.Expr:
    """Per row, whether the rule binds it: by its county, and at the end of its exit year (a standard) or on the as-of date.

    Null where a rule of some counties meets a row that names none.
    """
    dates = _dates_hold(rule, frame, as_of)
    return dates & _in_county(frame).is_in(list(rule.counties)) if rule.counties else dates


def _in_county(frame: pl.DataFrame) -> pl.Expr:
    """The county key of each row: of persons and households their own, of a village or county that of its place."""
    if COUNTY in frame.columns:
        return pl.col(COUNTY)
    return pl.col("place").str.split("|").list.first() if "place" in frame.columns else pl.lit(None, pl.String)


def _dates_hold(rule: Rule, frame: pl.DataFrame, as_of: date) -> pl.Expr:
    start, end = rule.effective_from or date.min, rule.effective_to or date.max
    today = pl.lit(start <= as_of <= end)
    if rule.dated_by != "exit_year" or "exit_year" not in frame.columns:
        return today
    # 31 December of a year lies between two days where the year lies between these two
    first, last = start.year, end.year if (end.month, end.day) == (12, 31) else end.year - 1
    return pl.coalesce(year_of(frame, "exit_year").is_between(first, last), today)


def with_line(rule: Rule, frame: pl.DataFrame, setting: Setting) -> pl.DataFrame:
    """The frame with the rule's line of each row's year, and `_line`, the text that says which row it was."""
    use = rule.line
    if use is None:
        return frame.with_columns(pl.lit(None, pl.String).alias("_line"))
    frame = frame.with_columns(line_year(rule, use, frame, setting.compared.as_of).alias("_year"))
    table = setting.lines.by_year(
        use.table,
        setting.jurisdiction,
        frame["_year"].drop_nulls().unique().to_list(),
        use.series or setting.series,
        setting.basis,
    )
    table = table.select(_year="year", **{use.as_fact: pl.col("yuan"), "_line": pl.col("text")})
    return frame.join(table, on="_year", how="left", maintain_order="left")


def lines_used(rule: Rule, setting: Setting) -> list[LineUsed]:
    """The enabled lines that the rule's households were held against."""
    use = rule.line
    if use is None:
        return []
    years = line_year(rule, use, setting.facts.of(rule.level, World.STRICT), setting.compared.as_of)
    table, place = setting.lines, setting.jurisdiction
    series = use.series or setting.series
    found = [table.find(use.table, place, y, series, setting.basis) for y in years.drop_nulls().unique().sort()]
    return [
        LineUsed(f"{line.place} {SERIES.get(line.series, line.series)}", line.year, line.yuan, str(line.citation))
        for line in found
        if line
    ]


def line_year(rule: Rule, use: LineUse, frame: pl.DataFrame, as_of: date) -> pl.Series:
    """The year whose line counts for each row; null where the register does not say."""
    year = year_of(frame, use.year)
    if use.this_year_when is not None and set(use.this_year_when.names) <= set(frame.columns):
        now = evaluate(frame, use.this_year_when, rule.where).fill_null(value=False)
        year = pl.when(year.is_null() & now).then(pl.lit(as_of.year)).otherwise(year)
    return frame.select(year.cast(pl.Int64).alias("year")).to_series()


def year_of(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A column of years or of dates as years; null where there is none."""
    if name not in frame.columns:
        return pl.lit(None, pl.Int64)
    return (
        pl.col(name).dt.year().cast(pl.Int64)
        if frame.schema[name] == pl.Date
        else pl.col(name).cast(pl.Int64, strict=False)
    )
