"""Which criteria of a verdict a household fails, as a village reads it: a short line for each, and one for what is unknown.

Nothing is said of what is fine. How each criterion came to its answer, and by which document, stands in the outcomes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from fupin_cli.rules.asking import prepared
from fupin_cli.rules.evidence import World
from fupin_cli.rules.facts import HOME
from fupin_cli.rules.findings import readable
from fupin_cli.rules.outcome import Kind
from fupin_cli.rules.pack import GIVEN, Level, Rule
from fupin_cli.rules.setting import Setting
from fupin_cli.vocabulary import Outcome

_NAME = "name"  # of the member who fails
_MOST_UNKNOWN = 2  # criteria that are named; of more the first
_NONE = pl.DataFrame(schema={HOME: pl.UInt32, "ground": pl.String, "said": pl.String})


def failing(verdicts: Iterable[Rule], setting: Setting, at: pl.Series) -> pl.Series:
    """What each of these households fails under these verdicts, and what nobody could answer; null where neither is so.

    A ground on which two criteria fail alike is told once.
    """
    verdicts = tuple(verdicts)
    failed = _once(part for verdict in verdicts for part in _failed(verdict, setting, at))
    unknown = _once(part for verdict in verdicts for part in _unknown(verdict, setting, at))
    few = pl.len() <= _MOST_UNKNOWN
    titles = (
        pl.when(few)
        .then(pl.col("said").str.join("、"))
        .otherwise(pl.format("{}等{}项", pl.col("said").first(), pl.len()))
    )
    told = pl.DataFrame({HOME: at.cast(pl.UInt32)})
    for lines in (
        failed.agg(failed=pl.format("未达到：{}", pl.col("said").str.join("；"))),
        unknown.agg(unknown=pl.format("无法判断：{}", titles)),
    ):
        told = told.join(lines, on=HOME, how="left", maintain_order="left")
    said = pl.concat_str("failed", "unknown", separator="；", ignore_nulls=True)
    return told.select(said.replace("", None).alias("failing")).to_series()


def _once(parts: Iterable[pl.DataFrame]) -> pl.dataframe.group_by.GroupBy:
    """The lines of each household, of those with the same ground the first."""
    lines = pl.concat([_NONE, *parts]).unique([HOME, "ground"], keep="first", maintain_order=True)
    return lines.group_by(HOME, maintain_order=True)


def _failed(verdict: Rule, setting: Setting, at: pl.Series) -> Iterator[pl.DataFrame]:
    """The lines of the criteria that these households fail, also of those of verdicts within this one."""
    at = at.filter(setting.answers[verdict.id].homes.gather(at) == Outcome.NOT_MET.value)
    wrong = Outcome.HIT if verdict.none_of else Outcome.NOT_MET
    for rule in _members(verdict, setting):
        if rule.kind is Kind.VERDICT:
            yield from _failed(rule, setting, at)
        else:
            yield _lines(rule, setting, at.filter(setting.answers[rule.id].homes.gather(at) == wrong.value), wrong)


def _unknown(verdict: Rule, setting: Setting, at: pl.Series) -> Iterator[pl.DataFrame]:
    """The titles of the criteria that nobody could answer for these households."""
    unknown = Outcome.UNKNOWN.value
    at = at.filter(setting.answers[verdict.id].homes.gather(at).is_in([Outcome.NOT_MET.value, unknown]))
    for rule in _members(verdict, setting):
        if rule.kind is Kind.VERDICT:
            yield from _unknown(rule, setting, at)
        else:
            mine = at.filter(setting.answers[rule.id].homes.gather(at) == unknown)
            title = pl.lit(rule.title)
            yield pl.DataFrame({HOME: mine.cast(pl.UInt32)}).with_columns(ground=title, said=title)


def _members(verdict: Rule, setting: Setting) -> list[Rule]:
    return [setting.rules[member] for member in verdict.members if member in setting.answers]


def _lines(rule: Rule, setting: Setting, homes: pl.Series, wrong: Outcome) -> pl.DataFrame:
    """A line for each of these households under one criterion, or for each of their members who fails it."""
    at, of_person = homes, rule.level is Level.PERSON
    if of_person:
        people = setting.facts.members_of(homes)
        at = people.filter(setting.answers[rule.id].outcome.gather(people) == wrong.value)
    asked = rule.shows or (rule.condition.names if rule.condition else ())
    frame = prepared(rule, setting, World.STRICT, at, (*asked, _NAME) if of_person else asked)
    home = (setting.facts.home.gather(at) if of_person else at).cast(pl.UInt32).alias(HOME)
    values = _compared(rule, frame, setting)
    if values is not None:
        return frame.select(home, values.alias("ground"), values.alias("said"))
    told = [name for name in asked if name in frame.columns and not name.startswith(GIVEN)]
    texts = [pl.lit(f"{_short(setting.label(name))} ") + readable(name, frame.schema[name]) for name in told]
    values = pl.concat_str(texts, separator="，", ignore_nulls=True) if texts else pl.lit("")
    whose = pl.format("姓名：{}", pl.col(_NAME)) if of_person and _NAME in frame.columns else pl.lit(None, pl.String)
    ground = pl.concat_str(whose, pl.when(values != "").then(values), separator="，", ignore_nulls=True)
    title = pl.lit(rule.title)
    titled = pl.format("{}（{}）", title, ground) if of_person else pl.format("{}：{}", title, ground)
    alone = pl.lit(value=not of_person and len(told) == 1)  # one value says enough
    return frame.select(
        home,
        ground=pl.when(ground != "").then(ground).otherwise(title),
        said=pl.when(ground == "").then(title).when(alone).then(ground).otherwise(titled),
    )


def _compared(rule: Rule, frame: pl.DataFrame, setting: Setting) -> pl.Expr | None:
    """`人均纯收入 3120元 ＜ 2019年标准线 3218元`, of a criterion that holds one amount against its line; None of others."""
    if rule.line is None or rule.condition is None:
        return None
    line = rule.line.as_fact
    amounts = [name for name in rule.condition.names if name != line]
    if len(amounts) != 1 or not frame.schema[amounts[0]].is_numeric():
        return None
    amount = pl.col(amounts[0])
    sign = (
        pl.when(amount < pl.col(line))
        .then(pl.lit("＜"))
        .when(amount > pl.col(line))
        .then(pl.lit("＞"))
        .otherwise(pl.lit("＝"))
    )
    return pl.format(
        "{} {} {} {}年标准线 {}",
        pl.lit(_short(setting.label(amounts[0]))),
        readable(amounts[0], frame.schema[amounts[0]]),
        sign,
        "_year",
        readable(line, frame.schema[line]),
    )


def _short(label: str) -> str:
    """What a value is called where it stands beside it: 人均纯收入 of 人均纯收入（元）, 参加大病保险 of 是否参加大病保险."""
    return label.removesuffix("（元）").removeprefix("是否")
