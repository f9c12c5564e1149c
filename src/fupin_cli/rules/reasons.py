"""What a person reads beside an outcome: what was seen, which line was used, and what is missing for an answer.

Words are many times as large as the answers that they explain, so they are found for the rows that somebody reads only. `at`
are the places of these rows among the facts of the rule's level.
"""

from __future__ import annotations

import polars as pl

from fupin_cli.rules.areas import COUNTY
from fupin_cli.rules.asking import in_force, judge_frame, prepared, unit_of, with_line
from fupin_cli.rules.bounds import HIGH, LOW, ask
from fupin_cli.rules.derived import readable_lacking
from fupin_cli.rules.evidence import World
from fupin_cli.rules.facts import HOME, WHY, columns_of
from fupin_cli.rules.findings import describe
from fupin_cli.rules.outcome import Kind, when_holds
from fupin_cli.rules.pack import AREAS, Level, Rule
from fupin_cli.rules.setting import Setting, bottom
from fupin_cli.vocabulary import LINE_DEPENDENT, Outcome

_NOTHING = pl.lit([], pl.List(pl.String))


def reasons(rule: Rule, setting: Setting, at: pl.Series) -> pl.DataFrame:
    """`reason` and `missing`, the facts that are lacking for an answer, of these persons, households or places."""
    outcome = setting.answers[rule.id].outcome.gather(at).alias("outcome")
    if rule.brief:
        return _no_words(at.len())
    if rule.kind is Kind.VERDICT:
        return _of_verdict(rule, setting, at, outcome)
    frame = _read(rule, setting, at).with_columns(outcome)
    stopped = setting.answers[rule.id].stopped
    told = frame.select(
        "outcome",
        "_in_force",
        "_line",
        missing(rule).alias("missing"),
        pl.lit("未运行：" + "；".join(stopped)).alias("cause")
        if stopped
        else cause(rule, setting, frame).alias("cause"),
        _shown(rule, setting, frame).alias("shown"),
        pl.lit(None, pl.String).alias("dependence") if stopped else _line_dependence(rule, setting, frame, outcome),
    )
    return told.select(reason().alias("reason"), only_unknown("missing"))


def lacking(rule: Rule, setting: Setting, at: pl.Series) -> pl.Series:
    """`missing` alone of these persons, households or places: for whom no sentence is wanted, none is made."""
    if rule.brief or rule.kind is Kind.VERDICT:
        return reasons(rule, setting, at)["missing"]
    outcome = setting.answers[rule.id].outcome.gather(at).alias("outcome")
    frame = prepared(rule, setting, World.STRICT, at).with_columns(outcome, missing(rule).alias("missing"))
    return frame.select(only_unknown("missing")).to_series()


def causes(rule: Rule, setting: Setting, at: pl.Series) -> pl.Series:
    """In words, what these rows lack; each way of lacking something once."""
    frame = _read(rule, setting, at)
    read = [name for name in bottom(rule.names, setting.derived) if name in frame.columns]
    given = [pl.when(pl.col(name).is_not_null()).then(pl.lit(value=True)).alias(name) for name in read]
    ways = frame.select(*given, pl.col("_line"), pl.col(f"^{WHY}.*$")).unique()
    return ways.select(cause(rule, setting, ways)).to_series()


def home_reasons(rule: Rule, setting: Setting, at: pl.Series) -> pl.DataFrame:
    """The same of a rule about persons for these households: how many it is asked of, and why it cannot be answered."""
    yes, no = when_holds(rule.kind)
    notable, zh = (yes, "疑点") if rule.kind is Kind.CHECK else (no, "未达标")
    own = setting.answers[rule.id].outcome
    people = setting.facts.members_of(at)
    judged = pl.DataFrame({HOME: setting.facts.home.gather(people), "at": people, "outcome": own.gather(people)})
    unknown = pl.col("outcome") == Outcome.UNKNOWN.value
    grouped = judged.group_by(HOME).agg(
        (pl.col("outcome") != Outcome.NOT_APPLICABLE.value).sum().alias("asked"),
        (pl.col("outcome") == notable.value).sum().alias("notable"),
        unknown.sum().alias("unknown"),
    )
    doubtful = judged.filter(unknown)
    doubtful = doubtful.with_columns(reasons(rule, setting, doubtful["at"]).get_columns())
    lacking = doubtful.group_by(HOME).agg(
        pl.col("missing").explode(empty_as_null=True).drop_nulls().unique().sort(),
        pl.col("reason").drop_nulls().unique().sort().head(3).str.join("；").alias("causes"),
    )
    homes = pl.DataFrame({HOME: at.cast(pl.UInt32), "outcome": setting.answers[rule.id].homes.gather(at)})
    for found in (grouped, lacking):
        homes = homes.join(found, on=HOME, how="left", maintain_order="left")
    return homes.select(
        pl.when(pl.col("asked").fill_null(0) == 0)
        .then(pl.lit("没有适用的家庭成员"))
        .otherwise(
            pl.format("适用{}人", "asked")
            + pl.when(pl.col("notable") > 0).then(pl.format("，" + zh + "{}人", "notable")).otherwise(pl.lit(""))
            + pl.when(pl.col("unknown") > 0)
            .then(pl.format("，无法判断{}人（{}）", "unknown", "causes"))
            .otherwise(pl.lit(""))
        )
        .alias("reason"),
        only_unknown("missing"),
    )


def of_homes(rule: Rule, setting: Setting, at: pl.Series) -> pl.DataFrame:
    """`reason` and `missing` of these households, or places, under a rule of any level."""
    if rule.brief:
        return _no_words(at.len())
    if rule.id in setting.said and setting.said[rule.id][0].equals(at):
        return setting.said[rule.id][1]
    told = (home_reasons if rule.level is Level.PERSON else reasons)(rule, setting, at)
    setting.said[rule.id] = at, told
    return told


def reason_of(provided: str, level: Level, setting: Setting, at: pl.Series) -> pl.Series:
    """Why a fact that another rule gives is as it is, for these rows of a level; null for a person without household."""
    rules = setting.provided[provided]
    homes = setting.facts.home.gather(at) if level is Level.PERSON else at
    asked = homes.drop_nulls().unique().sort()
    told = [_reason_if_asked(rule, setting, asked, named=len(rules) > 1) for rule in rules]
    every = pl.DataFrame({"_at": asked, "reason": pl.select(pl.concat_str(told, separator="；", ignore_nulls=True))})
    met = pl.DataFrame({"_at": homes}).join(every, on="_at", how="left", maintain_order="left")
    return met["reason"].alias(WHY + provided)


def _reason_if_asked(rule: Rule, setting: Setting, homes: pl.Series, *, named: bool) -> pl.Series:
    """Why these households are judged so by a rule, under its title where it is `named`; null where it does not apply."""
    told = of_homes(rule, setting, homes).select("reason")
    if not named:
        return told.to_series()
    asked = setting.answers[rule.id].homes.gather(homes) != Outcome.NOT_APPLICABLE.value
    return told.select(pl.when(asked).then(pl.format(rule.title + "：{}", "reason"))).to_series()


def _of_verdict(rule: Rule, setting: Setting, at: pl.Series, outcome: pl.Series) -> pl.DataFrame:
    """Which members failed, and which nobody could answer."""
    facts = setting.facts.of(rule.level, World.STRICT)
    frame = facts[columns_of((unit_of(rule), "exit_year", COUNTY), facts)][at]
    frame = frame.with_columns(outcome, in_force(rule, frame, setting.compared.as_of).alias("_in_force"))
    for member in rule.members:
        answered = setting.answers.get(member)
        lost = [pl.lit(Outcome.UNKNOWN.value).alias(member), pl.lit([member], pl.List(pl.String)).alias(f"{member}:")]
        told = [] if answered is None else [answered.homes.gather(at).alias(member)]
        if answered is not None:
            told.append(of_homes(setting.rules[member], setting, at)["missing"].alias(f"{member}:"))
        frame = frame.with_columns(told or lost)
    failed = Outcome.HIT if rule.none_of else Outcome.NOT_MET
    parts = [
        _if_any([_if(pl.col(m) == state.value, setting.label(m)) for m in rule.members], before)
        for state, before in ((failed, "命中：" if rule.none_of else "未达到："), (Outcome.UNKNOWN, "无法判断："))
    ]
    lacking = pl.concat_list(pl.col(f"{member}:") for member in rule.members).list.unique().list.sort()
    return frame.with_columns(lacking.alias("missing")).select(
        pl.when("_in_force")
        .then(pl.concat_str(parts, separator="；", ignore_nulls=True))
        .otherwise(pl.lit("不在规则有效期或适用地区内"))
        .alias("reason"),
        only_unknown("missing"),
    )


def _no_words(rows: int) -> pl.DataFrame:
    return pl.select(
        pl.repeat(None, rows, dtype=pl.String).alias("reason"),
        pl.repeat([], rows, dtype=pl.List(pl.String)).alias("missing"),
    )


def _read(rule: Rule, setting: Setting, at: pl.Series) -> pl.DataFrame:
    """The facts behind a rule and its words, why those out of extracts are unknown, and what other rules said of theirs."""
    low = bottom(rule.names, setting.derived)
    also = (*rule.shows, *low, *(WHY + name for name in low))
    frame = prepared(rule, setting, World.STRICT, at, also)
    frame = with_line(rule, frame, setting) if rule.line is None else frame
    given = [(name, setting.provided[name][0].level) for name in low if name in setting.provided]
    here = [name for name, level in given if level is rule.level or not {level, rule.level} & set(AREAS)]
    return frame.with_columns(reason_of(name, rule.level, setting, at) for name in here)


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
        .then(pl.when(pl.col("_in_force")).then(pl.lit("不适用")).otherwise(pl.lit("不在规则有效期或适用地区内")))
        .otherwise(shown)
        .replace("", None)
    )


def only_unknown(name: str) -> pl.Expr:
    """A list column, emptied wherever the outcome is known."""
    return pl.when(pl.col("outcome") == Outcome.UNKNOWN.value).then(pl.col(name)).otherwise(_NOTHING).alias(name)


def missing(rule: Rule) -> pl.Expr:
    """Names of the facts that are null, per row."""
    named = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in sorted(rule.names)]
    return pl.concat_list(named).list.drop_nulls() if named else _NOTHING


def cause(rule: Rule, setting: Setting, frame: pl.DataFrame) -> pl.Expr:
    """In words, which facts are null and, for a department fact, why; of a derived fact, what it lacks."""
    texts = []
    for name in bottom(rule.names, setting.derived):
        known = pl.col(name).is_not_null() if name in frame.columns else pl.lit(value=False)
        why = pl.col(WHY + name).cast(pl.String) if WHY + name in frame.columns else pl.lit(None, pl.String)
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


def line_dependent(rule: Rule, setting: Setting, own: pl.Series) -> int:
    """How many of these outcomes, of everybody, would be others if another enabled series of lines counted."""
    if rule.line is None or rule.line.series is not None:
        return 0
    return _line_dependence(rule, setting, prepared(rule, setting, World.STRICT), own).drop_nulls().len()


def years_without_line(rule: Rule, setting: Setting, own: pl.Series) -> tuple[tuple[int, int], ...]:
    """(year, how many) of those, among everybody, whom nobody can answer because no line of their year is enabled."""
    if rule.line is None:
        return ()
    frame = prepared(rule, setting, World.STRICT).with_columns(own.alias("outcome"))
    lost = pl.col(rule.line.as_fact).is_null() & (pl.col("outcome") == Outcome.UNKNOWN.value)
    return tuple(frame.filter(lost).drop_nulls("_year").group_by("_year").len().sort("_year").rows())


def _line_dependence(rule: Rule, setting: Setting, frame: pl.DataFrame, own: pl.Series) -> pl.Series:
    """Where another enabled series of lines would give another answer than its own, a text that says so."""
    texts = [pl.Series("none", [None], pl.String).new_from_index(0, frame.height)]
    if rule.line is not None and rule.line.series is None:
        use = rule.line
        for series in setting.lines.series(use.table, setting.jurisdiction, setting.basis):
            if series == setting.series:
                continue
            years = frame["_year"].drop_nulls().unique().to_list()
            other = setting.lines.by_year(use.table, setting.jurisdiction, years, series, setting.basis)
            lined = frame.select("_year").join(
                other, left_on="_year", right_on="year", how="left", maintain_order="left"
            )
            answer = judge_frame(rule, frame, lined["yuan"])
            differs = (answer != own) & (answer != Outcome.UNKNOWN.value) & (own != Outcome.UNKNOWN.value)
            text = pl.format("结论取决于所用标准线（" + LINE_DEPENDENT + "）：按{}则结论不同", lined["text"])
            texts.append(pl.select(pl.when(differs).then(text)).to_series())
    joined = pl.concat_str(texts, separator="；", ignore_nulls=True).replace("", None)
    return pl.select(joined.alias("dependence")).to_series()


def _if(condition: pl.Expr, text: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(text))


def _if_any(texts: list[pl.Expr], before: str) -> pl.Expr:
    joined = pl.concat_str(texts, separator="、", ignore_nulls=True)
    return pl.when(joined != "").then(pl.lit(before) + joined)
