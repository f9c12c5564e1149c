"""One rule asked of every person, household or place: the outcome of each, and who must be looked at.

Only codes are worked out here, one small number per row. The words beside them are in `reasons.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from fupin_cli.rules.areas import COUNTY
from fupin_cli.rules.asking import in_force, judge_frame, prepared, unit_of
from fupin_cli.rules.evidence import World
from fupin_cli.rules.facts import columns_of
from fupin_cli.rules.findings import band
from fupin_cli.rules.outcome import Kind, conclude, of_households, said
from fupin_cli.rules.pack import AREAS, GIVEN, Level, OnUnknown, Rule
from fupin_cli.rules.reasons import causes
from fupin_cli.rules.setting import Answer, Setting, Undecided, why_absent
from fupin_cli.vocabulary import Outcome


def answer(rule: Rule, setting: Setting) -> Answer:
    """What the rule says of everybody whom the facts of its level hold."""
    if rule.kind is Kind.VERDICT:
        return _conclude(rule, setting)
    absent = {name: why for name in rule.names if (why := why_absent(rule, name, setting))}
    stopped = tuple(dict.fromkeys(why for name, why in absent.items() if name not in rule.optional))
    own = _ask(rule, setting, World.STRICT)
    own = _all_unknown(own) if stopped else own
    every = none = own
    if not stopped and rule.level not in AREAS and setting.facts.doubtful & set(rule.names):
        every, none = _ask(rule, setting, World.EVERY), _ask(rule, setting, World.NONE)
    undecided = Undecided() if stopped else _undecided(rule, setting, own, absent)
    found, only_unknown = None, pl.Series([], dtype=pl.Boolean)
    if rule.kind is Kind.CHECK:
        judged = pl.DataFrame({"outcome": own, "every": every, "none": none})
        told = [judged.select(band(and_unknown=too)).to_series() for too in (False, True)]
        found = told[not stopped and rule.on_unknown is OnUnknown.REVIEW]
        only_unknown = told[False].is_null()
    homes = own if rule.level is not Level.PERSON else _of_homes(own, setting)
    return Answer(own, homes, found, only_unknown, stopped, undecided, tuple(map(setting.label, absent)))


def _ask(rule: Rule, setting: Setting, world: World) -> pl.Series:
    return judge_frame(rule, prepared(rule, setting, world))


def _of_homes(outcomes: pl.Series, setting: Setting) -> pl.Series:
    """One outcome per household out of one per person."""
    facts = setting.facts
    return of_households(outcomes, facts.home, facts.households[World.STRICT].height)


def _conclude(rule: Rule, setting: Setting) -> Answer:
    """The verdict out of its members, those that do not apply left out."""
    facts = setting.facts.of(rule.level, World.STRICT)
    frame = facts[columns_of((unit_of(rule), "exit_year", COUNTY), facts)]
    frame = frame.with_columns(in_force(rule, frame, setting.compared.as_of).alias("_in_force"))
    known = [setting.answers[member].homes.alias(member) for member in rule.members if member in setting.answers]
    # a criterion that is switched off leaves a gap that nobody may take for met
    lost = [member for member in rule.members if member not in setting.answers]
    frame = frame.with_columns(*known, *(said(Outcome.UNKNOWN).alias(member) for member in lost))
    concluded = (
        pl.when("_in_force")
        .then(conclude(rule.join, rule.members))
        .when(pl.col("_in_force").is_null())
        .then(said(Outcome.UNKNOWN))
        .otherwise(said(Outcome.NOT_APPLICABLE))
    )
    own = frame.select(concluded.alias("outcome")).to_series()
    return Answer(own, own, None, pl.Series([], dtype=pl.Boolean), (), Undecided(), lost=tuple(lost))


def _undecided(rule: Rule, setting: Setting, own: pl.Series, absent: Mapping[str, str]) -> Undecided:
    """What a rule that was asked lacks, where it decided nothing at all: a column may be there, but empty from top to bottom."""
    unknown = own == Outcome.UNKNOWN.value
    if not own.len() or not (unknown | (own == Outcome.NOT_APPLICABLE.value)).all():
        return Undecided(asked=bool(own.len()), decided=True)
    frame = setting.facts.of(rule.level, World.STRICT)
    empty = [
        f"台账没有填写“{setting.label(name.removeprefix(GIVEN))}”"
        for name in (rule.when.names if rule.when else ())
        if name.startswith(GIVEN) and not (name in frame.columns and frame[name].any())
    ]
    lacks = causes(rule, setting, unknown.arg_true()).drop_nulls().unique().to_list()
    return Undecided(
        asked=True,
        unknown=bool(unknown.any()),
        empty=tuple(empty),
        lacks=frozenset(lacks),
        absent=tuple(dict.fromkeys(absent.values())),
    )


def _all_unknown(outcomes: pl.Series) -> pl.Series:
    """The outcomes of a rule that could not run: unknown for everybody to whom it applies."""
    applies = pl.col("outcome") != Outcome.NOT_APPLICABLE.value
    return (
        outcomes.to_frame()
        .select(pl.when(applies).then(said(Outcome.UNKNOWN)).otherwise("outcome"))
        .to_series()
        .alias("outcome")
    )
