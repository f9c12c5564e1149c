"""One rule asked of every person, household or place: the outcome, why, and what it would be in the other worlds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from fupin_cli.rules.bounds import answers, ask
from fupin_cli.rules.comparison import is_given
from fupin_cli.rules.evidence import World
from fupin_cli.rules.outcome import decide
from fupin_cli.rules.pack import AREAS, GIVEN, Level, LineUse, Rule
from fupin_cli.rules.predicate import evaluate
from fupin_cli.rules.reasons import cause, only_unknown, reason, told
from fupin_cli.rules.setting import Setting, why_absent
from fupin_cli.vocabulary import LINE_DEPENDENT, LineUsed, Outcome

ANSWER = ["unit", "outcome", "missing", "reason", "every", "none"]


def judge_frame(rule: Rule, frame: pl.DataFrame, lined: pl.Expr | None = None) -> pl.Series:
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
    applies = pl.lit(answers(frame, rule.when, rule.where))
    if "_in_force" in frame.columns:
        applies = applies & pl.col("_in_force")
    holds = pl.lit(answers(frame, rule.condition, rule.where, rule.denied))
    for exception in rule.unless:
        holds = holds & ~pl.lit(ask(frame, exception.when, rule.where))
    asked = frame.select(applies.alias("applies"), holds.alias("holds"))
    return asked.select(decide(rule.kind, pl.col("applies"), pl.col("holds")).alias("outcome")).to_series()


def lines_used(rule: Rule, setting: Setting) -> list[LineUsed]:
    """The enabled lines that the rule's households were held against."""
    use = rule.line
    if use is None:
        return []
    years = _line_year(rule, use, setting.facts.of(rule.level, World.STRICT), setting.compared.as_of)
    table, place = setting.lines, setting.jurisdiction
    series = use.series or setting.series
    found = [table.find(use.table, place, y, series, setting.basis) for y in years.drop_nulls().unique().sort()]
    return [LineUsed(f"{line.place} {line.series}", line.year, line.yuan, str(line.citation)) for line in found if line]


def with_line(rule: Rule, frame: pl.DataFrame, setting: Setting) -> pl.DataFrame:
    """The frame with the rule's line of each row's year, and `_line`, the text that says which row it was."""
    use = rule.line
    if use is None:
        return frame.with_columns(pl.lit(None, pl.String).alias("_line"))
    frame = frame.with_columns(_line_year(rule, use, frame, setting.compared.as_of).alias("_year"))
    table = setting.lines.by_year(
        use.table,
        setting.jurisdiction,
        frame["_year"].drop_nulls().unique().to_list(),
        use.series or setting.series,
        setting.basis,
    )
    table = table.select(_year="year", **{use.as_fact: pl.col("yuan"), "_line": pl.col("text")})
    return frame.join(table, on="_year", how="left", maintain_order="left")


def answer(rule: Rule, setting: Setting) -> tuple[pl.DataFrame, str | None]:
    """unit, outcome, missing, reason per unit, and the outcome in the two other worlds; why it was not run.

    A brief rule gives no reasons: hundreds of checks of every household would be sentences that nobody reads.
    """
    absent = {name: why for name in rule.names if (why := why_absent(rule, name, setting))}
    required = [why for name, why in absent.items() if name not in rule.optional]
    frame = _prepared(rule, setting, World.STRICT)
    own = judge_frame(rule, frame)
    stopped = [_stopped(name).alias(name) for name in ("outcome", "every", "none")] if required else []
    judged = frame.select(pl.col(_unit(rule)).alias("unit"), own, *_other_worlds(rule, setting, own)).with_columns(
        stopped
    )
    why_not = "；".join(dict.fromkeys(required)) or _all_unknown(rule, setting, judged, frame, absent)
    if rule.brief:
        nothing = {"missing": pl.lit([], pl.List(pl.String)), "reason": pl.lit(None, pl.String)}
        return judged.with_columns(**nothing).select(ANSWER), why_not
    return _explained(rule, setting, frame, judged, tuple(dict.fromkeys(required))).select(ANSWER), why_not


def _explained(
    rule: Rule, setting: Setting, frame: pl.DataFrame, judged: pl.DataFrame, required: tuple[str, ...]
) -> pl.DataFrame:
    """The answers with what is missing and the reason; of a person nobody reads one but where the answer is unknown."""
    judged = judged.with_row_index("_at")
    unknown = pl.col("outcome") == Outcome.UNKNOWN.value
    asked = judged.filter(unknown) if rule.level is Level.PERSON else judged
    part = frame[asked["_at"]]
    asked = asked.with_columns(
        *part.select(told(rule, setting, part)).get_columns(),
        (_line_dependence(rule, setting, part) if not required else pl.lit(None, pl.String)).alias("dependence"),
    )
    if required:
        asked = asked.with_columns(cause=pl.lit("未运行：" + "；".join(required)))
    asked = asked.select("_at", reason=reason(), missing=only_unknown("missing"))
    if asked.height == judged.height:
        return judged.with_columns(asked["reason"], asked["missing"])
    joined = judged.join(asked, on="_at", how="left", maintain_order="left")
    return joined.with_columns(pl.col("missing").fill_null(pl.lit([], pl.List(pl.String))))


def _other_worlds(rule: Rule, setting: Setting, own: pl.Series) -> list[pl.Series]:
    """The outcome if all doubtful links were real, and if nobody were on a list unseen; the same where no link is read."""
    if rule.level in AREAS or not setting.facts.doubtful & set(rule.names):
        return [own.alias("every"), own.alias("none")]
    return [
        judge_frame(rule, _prepared(rule, setting, world)).alias(name)
        for world, name in ((World.EVERY, "every"), (World.NONE, "none"))
    ]


def _prepared(rule: Rule, setting: Setting, world: World) -> pl.DataFrame:
    """The facts of one world with the rule's line, absent facts as nulls, and whether the rule is in force for each row."""
    frame = setting.facts.of(rule.level, world)
    frame = with_line(rule, frame, setting)
    lacking = [name for name in rule.names if name not in frame.columns]
    frame = frame.with_columns(
        is_given(name, frame).alias(name) if name.startswith(GIVEN) else pl.lit(None).alias(name) for name in lacking
    )
    return frame.with_columns(in_force(rule, frame, setting.compared.as_of).alias("_in_force"))


def in_force(rule: Rule, frame: pl.DataFrame, as_of: date) -> pl.Expr:
    """Per row, whether the rule's dates hold: for a standard at the end of the exit year, for a comparison on the as-of date."""
    on = pl.lit(as_of)
    if rule.dated_by == "exit_year" and "exit_year" in frame.columns:
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


def _all_unknown(
    rule: Rule, setting: Setting, judged: pl.DataFrame, frame: pl.DataFrame, absent: Mapping[str, str]
) -> str | None:
    """Why a rule that was asked decided nothing at all: a column that is there, but empty from top to bottom."""
    decided = ~pl.col("outcome").is_in([Outcome.UNKNOWN.value, Outcome.NOT_APPLICABLE.value])
    if not judged.height or judged.filter(decided).height:
        return None
    for name in rule.when.names if rule.when else ():
        if name.startswith(GIVEN) and not frame[name].any():
            return f"台账没有填写“{setting.label(name.removeprefix(GIVEN))}”"
    unknown = judged["outcome"] == Outcome.UNKNOWN.value
    causes = (
        frame.filter(unknown).select(cause(rule, setting, frame)).to_series().drop_nulls().unique().sort().to_list()
    )
    if not unknown.any() or (len(causes) > 1 and not absent):
        return None
    return "；".join([*dict.fromkeys(absent.values()), *causes]) or None


def _line_year(rule: Rule, use: LineUse, frame: pl.DataFrame, as_of: date) -> pl.Series:
    """The year whose line counts for each row; null where the register does not say."""
    year = _year(frame, use.year)
    if use.this_year_when is not None and set(use.this_year_when.names) <= set(frame.columns):
        now = evaluate(frame, use.this_year_when, rule.where).fill_null(value=False)
        year = pl.when(year.is_null() & now).then(pl.lit(as_of.year)).otherwise(year)
    return frame.select(year.cast(pl.Int64).alias("year")).to_series()


def _line_dependence(rule: Rule, setting: Setting, frame: pl.DataFrame) -> pl.Series:
    """Where another enabled series of lines would give another answer, a text that says so."""
    texts = [pl.Series("none", [None], pl.String).new_from_index(0, frame.height)]
    if rule.line is not None and rule.line.series is None:
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
            text = pl.format("结论取决于所用标准线（" + LINE_DEPENDENT + "）：按{}则结论不同", lined["text"])
            texts.append(pl.select(pl.when(differs).then(text)).to_series())
    return pl.select(pl.concat_str(texts, separator="；", ignore_nulls=True).replace("", None)).to_series()


def _stopped(name: str) -> pl.Expr:
    return (
        pl.when(pl.col(name) == Outcome.NOT_APPLICABLE.value)
        .then(pl.col(name))
        .otherwise(pl.lit(Outcome.UNKNOWN.value))
    )


def _unit(rule: Rule) -> str:
    return {Level.PERSON: "register_row", Level.HOUSEHOLD: "household_id"}.get(rule.level, "place")
