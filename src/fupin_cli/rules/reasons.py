"""What a person reads beside an outcome: what was seen, which line was used, and what is missing for an answer."""

from __future__ import annotations

import polars as pl

from fupin_cli.rules.bounds import HIGH, LOW, ask
from fupin_cli.rules.derived import readable_lacking
from fupin_cli.rules.facts import WHY
from fupin_cli.rules.findings import describe
from fupin_cli.rules.pack import Rule
from fupin_cli.rules.setting import Setting, bottom
from fupin_cli.vocabulary import Outcome


def told(rule: Rule, setting: Setting, frame: pl.DataFrame) -> list[pl.Expr]:
    """What a reason is made of."""
    return [
        missing(rule).alias("missing"),
        cause(rule, setting, frame).alias("cause"),
        _shown(rule, setting, frame).alias("shown"),
        pl.col("_line"),
        pl.col("_in_force"),
    ]


def reason() -> pl.Expr:
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
        .replace("", None)
    )


def only_unknown(name: str) -> pl.Expr:
    """A list column, emptied wherever the outcome is known."""
    return (
        pl.when(pl.col("outcome") == Outcome.UNKNOWN.value).then(pl.col(name)).otherwise(pl.lit([], pl.List(pl.String)))
    )


def missing(rule: Rule) -> pl.Expr:
    """Names of the facts that are null, per row."""
    named = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in sorted(rule.names)]
    return pl.concat_list(named).list.drop_nulls() if named else pl.lit([], pl.List(pl.String))


def cause(rule: Rule, setting: Setting, frame: pl.DataFrame) -> pl.Expr:
    """In words, which facts are null and, for a department fact, why; of a derived fact, what it lacks."""
    texts = []
    for name in bottom(rule.names, setting.derived):
        known = pl.col(name).is_not_null() if name in frame.columns else pl.lit(value=False)
        why = pl.col(WHY + name) if WHY + name in frame.columns else pl.lit(None, pl.String)
        if rule.line and name == rule.line.as_fact:
            why = pl.col("_line")
        text = pl.lit(setting.label(name)) + pl.when(why.is_not_null() & (why != "")).then("（" + why + "）").otherwise(
            pl.lit("")
        )
        texts.append(pl.when(~known).then(text))
    joined = pl.concat_str(texts, separator="、", ignore_nulls=True) if texts else pl.lit("")
    return pl.when(joined != "").then("缺少：" + joined)


def _shown(rule: Rule, setting: Setting, frame: pl.DataFrame) -> pl.Expr:
    """What stands behind an outcome in words: the values that the rule shows, bounds, and what is surely lacking."""
    texts = [describe(rule.shows, frame, setting.label)]
    for name in rule.names:
        if LOW + name in frame.columns:
            low, high = pl.col(LOW + name), pl.col(HIGH + name)
            between = pl.format("{}在{}与{}之间", pl.lit(setting.label(name)), low.round(4), high.round(4))
            texts.append(pl.when(low != high).then(between))
    lacking = readable_lacking(rule.names, frame)
    texts += [] if lacking is None else [lacking]
    for exception in rule.unless:
        holds = pl.lit(ask(frame, exception.when, rule.where))
        texts.append(pl.when(holds).then(pl.lit(f"例外：{exception.zh}")))
    return pl.concat_str([pl.when(text != "").then(text) for text in texts], separator="；", ignore_nulls=True)
