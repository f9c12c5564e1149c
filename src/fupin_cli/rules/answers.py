"""One rule asked of every person or household: the outcome, why it is unknown, and what it would be in the other worlds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from fupin_cli.rules.comparison import Comparison, Label, is_given
from fupin_cli.rules.facts import WHY, Facts, World
from fupin_cli.rules.findings import describe
from fupin_cli.rules.lines import Lines
from fupin_cli.rules.outcome import Kind, decide
from fupin_cli.rules.pack import GIVEN, Fact, Level, LineUse, Rule
from fupin_cli.rules.predicate import answers, evaluate
from fupin_cli.vocabulary import LineUsed, Outcome

ANSWER = ["unit", "outcome", "missing", "reason", "every", "none"]


@dataclass(frozen=True)
class Setting:
    """What stays the same while rules are judged one by one."""

    facts: Facts
    compared: Comparison
    definitions: Mapping[str, Fact]
    lines: Lines
    jurisdiction: str
    series: str
    basis: str
    label: Label


def judge_frame(rule: Rule, frame: pl.DataFrame, lined: pl.Expr | None = None) -> pl.Series:
    """The outcome of each row of a frame that has the rule's facts as columns; `lined` replaces the line's fact."""
    frame = frame if lined is None or rule.line is None else frame.with_columns(lined.alias(rule.line.as_fact))
    applies = answers(frame, rule.when, rule.where)
    if "_in_force" in frame.columns:
        applies = applies & frame["_in_force"]
    if rule.condition is None:
        raise AssertionError(rule.id)
    asked = frame.select(
        applies.alias("applies"), answers(frame, rule.condition, rule.where, rule.denied).alias("holds")
    )
    return asked.select(decide(rule.kind, pl.col("applies"), pl.col("holds")).alias("outcome")).to_series()


def lines_used(rule: Rule, setting: Setting) -> list[LineUsed]:
    """The enabled lines that the rule's households were held against."""
    use = rule.line
    if use is None:
        return []
    years = _line_year(rule, use, setting.facts.of(rule.level, World.STRICT), setting.compared.as_of)
    table, place = setting.lines, setting.jurisdiction
    found = [table.find(use.table, place, y, setting.series, setting.basis) for y in years.drop_nulls().unique().sort()]
    return [LineUsed(f"{line.place} {line.series}", line.year, line.yuan, str(line.citation)) for line in found if line]


def with_line(rule: Rule, frame: pl.DataFrame, setting: Setting, series: str) -> pl.DataFrame:
    """The frame with the rule's line of each row's year, and `_line`, the text that says which row it was."""
    use = rule.line
    if use is None:
        return frame.with_columns(pl.lit(None, pl.String).alias("_line"))
    frame = frame.with_columns(_line_year(rule, use, frame, setting.compared.as_of).alias("_year"))
    table = setting.lines.by_year(
        use.table, setting.jurisdiction, frame["_year"].drop_nulls().unique().to_list(), series, setting.basis
    )
    table = table.select(_year="year", **{use.as_fact: pl.col("yuan"), "_line": pl.col("text")})
    return frame.join(table, on="_year", how="left", maintain_order="left")


def answer(rule: Rule, setting: Setting) -> tuple[pl.DataFrame, str | None]:
    """unit, outcome, missing, reason per person or household, and the outcome in the two other worlds; why it was not run."""
    facts = setting.facts
    absent = {name: reason for name in rule.names if (reason := _why_absent(rule, name, setting))}
    required = [reason for name, reason in absent.items() if name not in rule.optional]
    frame = _prepared(rule, setting, World.STRICT)
    judged = frame.select(
        pl.col(_unit(rule)).alias("unit"),
        judge_frame(rule, frame).alias("outcome"),
        _missing(rule).alias("missing"),
        _cause(rule, setting, frame).alias("cause"),
        describe(rule.shows, frame, setting.label).alias("shown"),
        pl.col("_line"),
        pl.col("_in_force"),
        _line_dependence(rule, setting, frame).alias("dependence"),
        every=judge_frame(rule, _prepared(rule, setting, World.EVERY)),
        none=judge_frame(rule, _prepared(rule, setting, World.NONE)),
    )
    if required:
        stopped = [_stopped(name).alias(name) for name in ("outcome", "every", "none")]
        judged = judged.with_columns(
            *stopped,
            missing=pl.lit(sorted(absent), pl.List(pl.String)),
            cause=pl.lit("未运行：" + "；".join(required)),
            dependence=pl.lit(None, pl.String),
        )
    judged = judged.with_columns(missing=only_unknown("missing"), reason=_reason())
    return judged.select(ANSWER), "；".join(required) or _all_unknown(judged, absent, facts)


def _prepared(rule: Rule, setting: Setting, world: World) -> pl.DataFrame:
    """The facts of one world with the rule's line, absent facts as nulls, and whether the rule is in force for each row."""
    frame = setting.facts.of(rule.level, world)
    frame = with_line(rule, frame, setting, setting.series)
    lacking = [name for name in rule.names if name not in frame.columns]
    frame = frame.with_columns(
        is_given(name, frame).alias(name) if name.startswith(GIVEN) else pl.lit(None).alias(name) for name in lacking
    )
    return frame.with_columns(_in_force(rule, frame, setting.compared.as_of).alias("_in_force"))


def _in_force(rule: Rule, frame: pl.DataFrame, as_of: date) -> pl.Expr:
    """Whether the rule's dates hold: at the end of the exit year for a standard, on the as-of date for a comparison."""
    on = pl.lit(as_of)
    if rule.kind is not Kind.CHECK and "exit_year" in frame.columns:
        on = pl.coalesce(pl.date(_year(frame, "exit_year"), 12, 31), on)
    start, end = rule.effective_from or date.min, rule.effective_to or date.max
    return (on >= pl.lit(start)) & (on <= pl.lit(end))


def _year(frame: pl.DataFrame, name: str) -> pl.Expr:
    if name not in frame.columns:
        return pl.lit(None, pl.Int64)
    return (
        pl.col(name).dt.year().cast(pl.Int64)
        if frame.schema[name] == pl.Date
        else pl.col(name).cast(pl.Int64, strict=False)
    )


def _why_absent(rule: Rule, name: str, setting: Setting) -> str | None:
    """Why a fact that the rule reads is unknown for everybody, or None."""
    if name in setting.facts.absent:
        return setting.facts.absent[name]
    here = setting.facts.of(rule.level, World.STRICT).columns
    if name in here or name.startswith(GIVEN) or (rule.line and name == rule.line.as_fact):
        return None
    return f"台账没有“{setting.label(name)}”列"


def _all_unknown(judged: pl.DataFrame, absent: Mapping[str, str], facts: Facts) -> str | None:
    """Why a rule that was asked decided nothing at all: a column that is there, but empty from top to bottom."""
    decided = ~pl.col("outcome").is_in([Outcome.UNKNOWN.value, Outcome.NOT_APPLICABLE.value])
    if not facts.persons[World.STRICT].height or judged.filter(decided).height:
        return None
    asked = judged.filter(pl.col("outcome") == Outcome.UNKNOWN.value)
    causes = asked["cause"].drop_nulls().unique().sort().to_list()
    if not asked.height or (len(causes) > 1 and not absent):
        return None
    return "；".join([*absent.values(), *causes]) or None


def _line_year(rule: Rule, use: LineUse, frame: pl.DataFrame, as_of: date) -> pl.Series:
    """The year whose line counts for each row; null where the register does not say."""
    year = _year(frame, use.year)
    if use.this_year_when is not None and set(use.this_year_when.names) <= set(frame.columns):
        now = evaluate(frame, use.this_year_when, rule.where).fill_null(value=False)
        year = pl.when(year.is_null() & now).then(pl.lit(as_of.year)).otherwise(year)
    return frame.select(year.cast(pl.Int64).alias("year")).to_series()


def _missing(rule: Rule) -> pl.Expr:
    """Names of the facts that are null, per row."""
    named = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in sorted(rule.names)]
    return pl.concat_list(named).list.drop_nulls() if named else pl.lit([], pl.List(pl.String))


def _cause(rule: Rule, setting: Setting, frame: pl.DataFrame) -> pl.Expr:
    """In words, which facts are null and, for a department fact, why."""
    texts = []
    for name in rule.names:
        why = pl.col(WHY + name) if WHY + name in frame.columns else pl.lit(None, pl.String)
        if rule.line and name == rule.line.as_fact:
            why = pl.col("_line")
        text = pl.lit(setting.label(name)) + pl.when(why.is_not_null() & (why != "")).then("（" + why + "）").otherwise(
            pl.lit("")
        )
        texts.append(pl.when(pl.col(name).is_null()).then(text))
    joined = pl.concat_str(texts, separator="、", ignore_nulls=True) if texts else pl.lit("")
    return pl.when(joined != "").then("缺少：" + joined)


def _line_dependence(rule: Rule, setting: Setting, frame: pl.DataFrame) -> pl.Series:
    """Where another enabled series of lines would give another answer, a text that says so."""
    texts = [pl.Series("none", [None], pl.String).new_from_index(0, frame.height)]
    if rule.line is not None:
        own = judge_frame(rule, frame)
        use = rule.line
        for series in setting.lines.series(use.table, setting.jurisdiction, setting.basis):
            if series == setting.series:
                continue
            years = frame["_year"].drop_nulls().unique().to_list()
            other = setting.lines.by_year(use.table, setting.jurisdiction, years, series, setting.basis)
            lined = frame.select("_year").join(
                other, left_on="_year", right_on="year", how="left", maintain_order="left"
            )
            answer = judge_frame(rule, frame, pl.lit(lined["yuan"]))
            differs = (answer != own) & ~answer.is_in([Outcome.UNKNOWN.value]) & ~own.is_in([Outcome.UNKNOWN.value])
            text = pl.format("line-dependent：按{}则结论不同", lined["text"])
            texts.append(pl.select(pl.when(differs).then(text)).to_series())
    return pl.select(pl.concat_str(texts, separator="；", ignore_nulls=True).replace("", None)).to_series()


def _reason() -> pl.Expr:
    """What a person reads beside an outcome."""
    shown = pl.concat_str(
        pl.when(pl.col("shown") != "").then(pl.col("shown")),
        pl.col("_line"),
        pl.col("dependence"),
        separator="；",
        ignore_nulls=True,
    )
    return (
        pl.when(pl.col("outcome") == Outcome.UNKNOWN.value)
        .then(pl.col("cause"))
        .when(pl.col("outcome") == Outcome.NOT_APPLICABLE.value)
        .then(pl.when(pl.col("_in_force")).then(pl.lit("不适用")).otherwise(pl.lit("不在规则有效期内")))
        .otherwise(shown)
    )


def _stopped(name: str) -> pl.Expr:
    return (
        pl.when(pl.col(name) == Outcome.NOT_APPLICABLE.value)
        .then(pl.col(name))
        .otherwise(pl.lit(Outcome.UNKNOWN.value))
    )


def only_unknown(name: str) -> pl.Expr:
    """A list column, emptied wherever the outcome is known."""
    return (
        pl.when(pl.col("outcome") == Outcome.UNKNOWN.value).then(pl.col(name)).otherwise(pl.lit([], pl.List(pl.String)))
    )


def _unit(rule: Rule) -> str:
    return "register_row" if rule.level is Level.PERSON else "household_id"
