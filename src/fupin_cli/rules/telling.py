"""What the answers of one rule become when somebody reads them: outcomes with their reasons, and findings."""

from __future__ import annotations

import polars as pl

from fupin_cli.rules.evidence import World
from fupin_cli.rules.failing import failing
from fupin_cli.rules.finding_text import NOTHING_TOLD
from fupin_cli.rules.findings import household_findings, person_findings
from fupin_cli.rules.involved import involved
from fupin_cli.rules.order import leaves
from fupin_cli.rules.outcome import Kind
from fupin_cli.rules.pack import AREAS, Level, Rule
from fupin_cli.rules.place_findings import place_findings
from fupin_cli.rules.reasons import lacking, of_homes, reason_of
from fupin_cli.rules.setting import Setting
from fupin_cli.vocabulary import OUTCOMES, Outcome

PERSON_OUTCOMES = pl.Schema(
    {"register_row": pl.Int64(), "rule_id": pl.String(), "outcome": pl.String(), "missing": pl.List(pl.String())}
)
NO_PERSON_OUTCOME = pl.DataFrame(schema=PERSON_OUTCOMES)
AREA_OUTCOMES = pl.Schema({"place": pl.String()} | {n: t for n, t in OUTCOMES.schema.items() if n != "household_id"})


def outcomes_of(rule: Rule, setting: Setting, at: pl.Series | None = None) -> pl.DataFrame:
    """OUTCOMES of one rule for the households, or places, `at` these places; for all of them, if none are given.

    Of a brief rule only those that must be looked at: hundreds of checks of every household would be sentences that nobody
    reads.
    """
    homes = setting.answers[rule.id].homes
    at = _all(homes) if at is None else at
    at = at.filter(_notable(homes.gather(at))) if rule.brief and rule.level not in AREAS else at
    if not at.len():
        return OUTCOMES.empty()
    level = rule.level if rule.level in AREAS else Level.HOUSEHOLD
    names = setting.facts.of(level, World.STRICT)["place" if level in AREAS else "household_id"]
    told = of_homes(rule, setting, at)
    return pl.DataFrame({"household_id": names.gather(at), "outcome": homes.gather(at).cast(pl.String)}).select(
        "household_id", pl.lit(rule.id).alias("rule_id"), "outcome", told["reason"], told["missing"]
    )


def person_outcomes_of(rule: Rule, setting: Setting, at: pl.Series | None = None) -> pl.DataFrame:
    """PERSON_OUTCOMES of one rule about persons, `at` these places or of all; of a brief one only those to be looked at."""
    outcome = setting.answers[rule.id].outcome
    at = _all(outcome) if at is None else at
    at = at.filter(_notable(outcome.gather(at))) if rule.brief else at
    if not at.len():
        return NO_PERSON_OUTCOME
    unknown = at.filter(outcome.gather(at) == Outcome.UNKNOWN.value)
    lacks = pl.DataFrame({"at": unknown}).with_columns(lacking(rule, setting, unknown))
    told = pl.DataFrame({"at": at}).join(lacks, on="at", how="left", maintain_order="left")
    return told.select(
        setting.facts.persons[World.STRICT]["register_row"].gather(at),
        pl.lit(rule.id).alias("rule_id"),
        outcome.gather(at).cast(pl.String).alias("outcome"),
        pl.col("missing").fill_null(pl.lit([], pl.List(pl.String))),
    )


def findings_of(rule: Rule, setting: Setting) -> pl.DataFrame:
    """TOLD of one check: sure hits, and hits that hang on a link under review or on a person who cannot be found.

    Where the rule asks for it (`on_unknown = "review"`), also whom it could not decide; not where it could not run at all.
    """
    answer = setting.answers[rule.id]
    if answer.found is None or answer.found.null_count() == answer.found.len():
        return NOTHING_TOLD
    at = answer.found.is_not_null().arg_true()
    hits = pl.DataFrame({"at": at, "band": answer.found.drop_nulls(), "_unknown": answer.only_unknown.gather(at)})
    if rule.level in AREAS:
        return place_findings(rule, hits, setting.facts.areas[rule.level], setting.compared, setting.label)
    if rule.level is Level.HOUSEHOLD:
        hits = hits.with_columns(involved(rule, setting, at).alias("_involved"))
    make = person_findings if rule.level is Level.PERSON else household_findings
    names = leaves(rule.names, setting.derived)
    asked = [setting.definitions[name] for name in names if name in setting.definitions]
    found = make(rule, hits, _told(rule, setting, hits["at"]), setting.facts, setting.compared, asked, setting.label)
    return _with_failing(rule, found, setting, hits["at"])


def _told(rule: Rule, setting: Setting, at: pl.Series) -> pl.Series:
    """What other rules say of the facts that they gave to this one; null where it reads none."""
    texts = [
        reason_of(name, rule.level, setting, at)
        for name in rule.names
        if name in setting.provided and setting.provided[name][0].level not in AREAS
    ]
    if not texts:
        return pl.repeat(None, at.len(), dtype=pl.String, eager=True)
    return pl.select(pl.concat_str(texts, separator="；", ignore_nulls=True)).to_series()


def _with_failing(rule: Rule, found: pl.DataFrame, setting: Setting, at: pl.Series) -> pl.DataFrame:
    """The findings of a check that reads a verdict, with the criteria that are not met before everything else.

    Without them a village would see a household whose every printed value looks fine.
    """
    given = [other for name in rule.names for other in setting.provided.get(name, ()) if other.kind is Kind.VERDICT]
    if not given or rule.level is not Level.HOUSEHOLD:
        return found
    names = setting.facts.households[World.STRICT]["household_id"].gather(at)
    lines = pl.DataFrame([names, failing(given, setting, at)])
    found = found.join(lines, on="household_id", how="left", maintain_order="left")
    shown = pl.when(pl.col("register_value") != "").then("register_value")
    told = pl.concat_str("failing", shown, separator="；", ignore_nulls=True)
    said = pl.format("台账登记：{}。{}", told, pl.lit(rule.advice))
    return found.with_columns(told.alias("register_value"), said.alias("evidence")).drop("failing")


def _notable(outcomes: pl.Series) -> pl.Series:
    """Whether an outcome says something that somebody must look at."""
    return (outcomes == Outcome.HIT.value) | (outcomes == Outcome.NOT_MET.value)


def _all(rows: pl.Series) -> pl.Series:
    return pl.Series(range(rows.len()), dtype=pl.UInt32)
