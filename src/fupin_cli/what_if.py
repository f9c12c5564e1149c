"""A finished round judged again: by one pack for the sake of its reasons, or by two for the sake of their difference.

Everything comes from the run directory, so nothing is read or linked again, and what the round knew is what both packs know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from fupin_cli.errors import BadDataError, UsageError
from fupin_cli.language import tr
from fupin_cli.manifest import read_manifest
from fupin_cli.rules import Judgement, Level, Lines, Pack, Rule, applies_to, gives, inquire, nearest, standards
from fupin_cli.rules.outcome import Kind
from fupin_cli.rules.pack import NATIONAL, PERSON_FACTS
from fupin_cli.vocabulary import EVIDENCE

_FRAMES = ("persons", "households", "evidence", "links", "extracts")


@dataclass(frozen=True)
class Round:
    """What a round knew before any rule was asked: people, evidence by kind, links, and for which place and day."""

    persons: pl.DataFrame
    households: pl.DataFrame
    evidence: Mapping[str, pl.DataFrame]
    links: pl.DataFrame
    extracts: pl.DataFrame
    stages: tuple[str, ...]
    as_of: date
    jurisdiction: str
    series: str
    basis: str


def read_round(folder: Path, packs: Sequence[Pack]) -> Round:
    """The round of a run directory, without what the rules said of it then.

    Raises InputMissingError where this is no run directory, BadDataError where it was written by an earlier version.
    """
    told = read_manifest(folder)
    try:
        persons, households, evidence, links, extracts = (
            pl.read_parquet(folder / f"{name}.parquet") for name in _FRAMES
        )
        judged_for = told["judged_for"]
    except (OSError, KeyError, pl.exceptions.PolarsError):
        raise BadDataError(
            tr("this run cannot be judged again"),
            where=str(folder),
            why=tr("it lacks a file that newer runs keep"),
            try_=tr("fupin run again"),
        ) from None
    said = _told_by_rules(packs)
    by_kind = {
        str(kind): EVIDENCE.conform(_filled(rows)) for (kind,), rows in evidence.group_by("kind", maintain_order=True)
    }
    return Round(
        persons.drop(said, strict=False),
        households.drop(said - {"member_count_actual"}, strict=False),
        by_kind,
        links,
        extracts,
        tuple(told["stages"]),
        date.fromisoformat(told["as_of"]),
        judged_for["jurisdiction"],
        judged_for["line_series"],
        judged_for["income_basis"],
    )


def standard_of(known: Round, packs: Sequence[Pack]) -> Pack:
    """The pack whose verdict decides who exits in the round's place: that of the narrowest place that holds it."""
    binding = [pack for pack in packs if applies_to(pack, known.jurisdiction) and not pack.opt_in]
    decisive = standards(binding, known.jurisdiction)[0]
    return next(pack for pack in binding if decisive in pack.rules)


def judge_again(known: Round, packs: Sequence[Pack], pack: Pack, lines: Lines, labels: Mapping[str, str]) -> Judgement:
    """What one pack says of a round, with those that it extends, as if it bound this place; reasons are given in full."""
    asked = with_extended(pack, packs)
    chosen = [
        replace(one, jurisdiction=NATIONAL, rules=tuple(replace(rule, brief=False) for rule in one.rules))
        if one.id in asked
        else replace(one, rules=())
        for one in packs
    ]
    return inquire(
        known.persons,
        known.households,
        known.evidence,
        known.links,
        known.extracts,
        chosen,
        lines,
        as_of=known.as_of,
        jurisdiction=known.jurisdiction,
        series=known.series,
        basis=known.basis,
        stages=known.stages,
        labels=labels,
    ).judge()


def with_extended(pack: Pack, packs: Sequence[Pack]) -> set[str]:
    """The ids of the pack and of all those that it builds on."""
    known, found, waiting = {one.id: one for one in packs}, set[str](), [pack.id]
    while waiting:
        name = waiting.pop()
        waiting += [other for other in known[name].extends if other not in found]
        found.add(name)
    return found


def pair_rules(first: Pack, second: Pack, named: Sequence[str] = ()) -> tuple[tuple[Rule, Rule], ...]:
    """Which rule of one pack is compared with which of the other: the two that are `named`, else those of one ID.

    Where there are none, verdict with verdict: of several that which joins the most rules, no list of vetoes beside a standard.
    Raises UsageError where nothing can be compared.
    """
    sides = [{rule.id: rule for rule in pack.rules if rule.enabled} for pack in (first, second)]
    if named:
        return (_named_pair(first, second, sides, named),)
    same = tuple((rule, sides[1][rule.id]) for rule in sides[0].values() if rule.id in sides[1])
    if same:
        return same
    verdicts = [_verdicts(side.values()) for side in sides]
    if not all(verdicts):
        lacking = next(pack.id for pack, found in zip((first, second), verdicts, strict=True) if not found)
        raise UsageError(
            tr("{id} and {id_2} have nothing to compare", id=first.id, id_2=second.id),
            why=tr("no rule of one ID in both, and {lacking} has no verdict about households", lacking=lacking),
            try_=tr(
                "fupin rules compare --pack {id} --pack {id_2} --rule A --rule B; fupin rules list --pack ID",
                id=first.id,
                id_2=second.id,
            ),
        )
    return ((verdicts[0][0], verdicts[1][0]),)


def other_verdicts(pair: tuple[Rule, Rule], first: Pack, second: Pack) -> tuple[Rule, ...]:
    """The verdicts about households that were not compared, though they could be."""
    return tuple(rule for pack in (first, second) for rule in _verdicts(pack.rules) if rule not in pair)


def _verdicts(rules: Iterable[Rule]) -> list[Rule]:
    """The enabled verdicts about households: standards before vetoes, those of the most rules first."""
    found = [rule for rule in rules if rule.kind is Kind.VERDICT and rule.level is Level.HOUSEHOLD and rule.enabled]
    return sorted(found, key=lambda rule: (bool(rule.none_of), -len(rule.members)))


def _named_pair(
    first: Pack, second: Pack, sides: Sequence[Mapping[str, Rule]], named: Sequence[str]
) -> tuple[Rule, Rule]:
    if len(named) != 2:
        raise UsageError(tr("--rule is given twice: a rule of the first pack, then one of the second"))
    found = []
    for pack, side, name in zip((first, second), sides, named, strict=True):
        rule = side.get(name.upper())
        if rule is None or rule.level not in (Level.PERSON, Level.HOUSEHOLD):
            raise UsageError(
                tr("{id} has no rule {name!r} about households", id=pack.id, name=name),
                try_=nearest(name.upper(), side) or tr("fupin rules list --pack {id}", id=pack.id),
            )
        found.append(rule)
    return found[0], found[1]


def changed_outcomes(first: Judgement, second: Judgement, pairs: Iterable[tuple[Rule, Rule]]) -> pl.DataFrame:
    """household_id, both rules, both outcomes and both reasons, of every household whose outcome is another, sorted."""
    parts = []
    for ours, theirs in pairs:
        sides = [
            told.outcomes.filter(pl.col("rule_id") == rule.id).select(
                "household_id", pl.col("outcome").alias(f"outcome_{side}"), pl.col("reason").alias(f"reason_{side}")
            )
            for told, rule, side in ((first, ours, "a"), (second, theirs, "b"))
        ]
        met = sides[0].join(sides[1], on="household_id", how="inner", maintain_order="left")
        other = met.filter(pl.col("outcome_a") != pl.col("outcome_b"))
        parts.append(other.with_columns(rule_a=pl.lit(ours.id), rule_b=pl.lit(theirs.id)))
    columns = ["household_id", "rule_a", "outcome_a", "reason_a", "rule_b", "outcome_b", "reason_b"]
    return pl.concat(parts).select(columns).sort("rule_a", "household_id")


def _told_by_rules(packs: Sequence[Pack]) -> set[str]:
    """Names of columns that a round's frames hold because rules once said them."""
    names = set(PERSON_FACTS)
    for pack in packs:
        names |= {fact.name for fact in pack.facts} | {name for fact in pack.derived for name in gives(fact)}
        names |= {rule.provides for rule in pack.rules if rule.provides} | {number.name for number in pack.parameters}
    return names - {"former_name_key"}


def _filled(rows: pl.DataFrame) -> pl.DataFrame:
    """One kind's rows without the columns that only other kinds have."""
    return rows.select(name for name in rows.columns if name == "kind" or rows[name].null_count() < rows.height)
