"""Worked examples of rules and facts, run as tests: what is given, everything else unknown, and what must follow."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from fupin_cli.errors import ConfigurationError
from fupin_cli.language import tr
from fupin_cli.rules.asking import judge_frame
from fupin_cli.rules.bounds import HIGH, LOW
from fupin_cli.rules.derived import derive
from fupin_cli.rules.evidence import AT, told_by_rows
from fupin_cli.rules.grouped import over_members, share
from fupin_cli.rules.lines import Lines
from fupin_cli.rules.outcome import Kind, any_true, conclude
from fupin_cli.rules.pack import Derived, Example, Fact, FactExample, Pack, Rule
from fupin_cli.rules.parameters import in_force_here
from fupin_cli.rules.predicate import Predicate, evaluate
from fupin_cli.rules.shapes import Every, InOrder, Members, Rate, Reported
from fupin_cli.vocabulary import Outcome

UNKNOWN = "unknown"


@dataclass(frozen=True)
class ExampleResult:
    """One worked example of a rule or fact: what its author expects, and what really follows."""

    id: str
    where: str
    number: int
    expected: Any
    outcome: Any

    @property
    def passed(self) -> bool:
        """Whether the rule says what its author expects."""
        return same(self.outcome, self.expected)


def same(said: Any, expected: Any) -> bool:
    """Whether two answers are one: true is not 1."""
    return bool(said == expected and isinstance(said, bool) == isinstance(expected, bool))


def run_examples(
    packs: Sequence[Pack],
    lines: Lines,
    written_beside: Mapping[str, Lines] | None = None,
    only: Collection[str] | None = None,
) -> list[ExampleResult]:
    """The results of all examples, of disabled rules too. The income line of an example's year comes from `lines`.

    `written_beside` gives, by a pack's file, other lines beside which its examples were written: a project that confirms the line
    of a year does not make a shipped example wrong, which says that the year has none. With `only`, the packs of these files.
    """
    known = {fact.name: fact for pack in packs for fact in pack.facts}
    results = []
    for pack in (pack for pack in packs if only is None or pack.where in only):
        numbers, known_lines = numbers_of(pack, packs), (written_beside or {}).get(pack.where, lines)
        for rule in pack.rules:
            results += [
                ExampleResult(
                    rule.id, rule.where, n, example.then, outcome_of(rule, example, pack, known_lines, numbers)
                )
                for n, example in enumerate(rule.examples, 1)
            ]
        facts: list[Fact | Derived] = [*pack.facts, *pack.derived]
        for fact in facts:
            results += [
                ExampleResult(fact.name, fact.where, n, example.then, value_of(fact, example, known, numbers))
                for n, example in enumerate(fact.examples, 1)
            ]
    return results


def numbers_of(pack: Pack, packs: Sequence[Pack]) -> dict[str, float]:
    """Name → the number, of its last period, that the pack's own place reads in its examples."""
    here = in_force_here([p for other in packs for p in other.parameters], pack.jurisdiction)
    return {name: parameter.values[-1].value for name, parameter in here.items()}


def outcome_of(rule: Rule, example: Example, pack: Pack, lines: Lines, numbers: Mapping[str, float]) -> Outcome:
    """What a rule says of an example. Numbers of places are those of their last period, unless the example gives them."""
    given = {name: numbers[name] for name in rule.names if name in numbers} | dict(example.given)
    if rule.kind is Kind.VERDICT:
        members = pl.DataFrame({member: [given.get(member, Outcome.UNKNOWN.value)] for member in rule.members})
        return Outcome(members.select(conclude(rule.join, rule.members)).item())
    use = rule.line
    if use is not None and use.as_fact not in given and isinstance(year := given.get(use.year), int):
        line = lines.find(use.table, pack.jurisdiction, year, use.series or "nbs", "net_income")
        given |= {use.as_fact: line.yuan} if line else {}
    return Outcome(judge_frame(rule, _frame([given], rule.names, rule.where)).item())


def value_of(
    fact: Fact | Derived, example: FactExample, known: Mapping[str, Fact], numbers: Mapping[str, float]
) -> Any:
    """What a fact says of an example: its value, `unknown`, or [low, high] where it lies between two bounds."""
    given = dict(numbers) | dict(example.given)
    if isinstance(fact, Fact):
        return _told(fact.name, _from_rows(fact, example, given))
    shape = fact.shape
    if isinstance(shape, Reported):
        return UNKNOWN
    if isinstance(shape, Members | Rate):
        names = shape.reads or _names(shape.condition, getattr(shape, "among", None))
        rows = _frame([given | dict(row) for row in example.rows], names, fact.where)
        rows = rows.with_columns(pl.lit("one").alias("_group"))
        make = share(fact.name, shape, rows, "_group", fact.where) if isinstance(shape, Rate) else None
        found = over_members(fact.name, shape, rows, "_group", fact.where) if isinstance(shape, Members) else make
        return _told(fact.name, found.get_columns() if found is not None else [])
    if isinstance(shape, Every | InOrder) or example.rows:  # every row is like this: it follows from whether one is not
        columns = [part for name in shape.reads for part in _from_rows(known[name], example, given)]
        return _told(fact.name, derive(fact.name, shape, pl.DataFrame(columns), fact.where))
    return _told(fact.name, derive(fact.name, shape, _frame([given], shape.reads, fact.where), fact.where))


def _from_rows(fact: Fact, example: FactExample, given: Mapping[str, Any]) -> list[pl.Series]:
    """What the example's rows say, all of them surely this person's or household's and on a complete list."""
    if fact.covers is not None:
        listed = [{**given, **row} for row in (*example.rows, *example.others)]
        covering = evaluate(_frame(listed, fact.covers.names, fact.where), fact.covers, fact.where)
        if not covering.any():
            return [pl.Series(fact.name, [None], pl.Boolean)]
    names = (*fact.condition.names, *([fact.value] if fact.value else []))
    frame = _frame([{**given, **row} for row in example.rows], names, fact.where)
    holds = evaluate(frame, fact.condition, fact.where)
    if fact.gives == "any":
        return [holds.to_frame("holds").select(any_true(pl.col("holds")).alias(fact.name)).to_series()]
    value = frame[fact.value] if fact.value else pl.Series("value", [None] * frame.height)
    rows = pl.DataFrame({"extract": "x", "extract_row": range(frame.height), "accepted": True}).head(frame.height)
    rows = rows.with_columns(pl.lit(0, pl.UInt32).alias(AT), holds=holds, value=value)
    return told_by_rows(fact, rows, pl.Series([True]), pl.Series([0], dtype=pl.UInt32))


def _told(name: str, columns: Sequence[pl.Series]) -> Any:
    told = {series.name: series.item() for series in columns}
    if told.get(LOW + name) is not None and told[LOW + name] != told[HIGH + name]:
        return [told[LOW + name], told[HIGH + name]]
    return UNKNOWN if told.get(name) is None else told[name]


def _frame(rows: Sequence[Mapping[str, Any]], names: Sequence[str], where: str) -> pl.DataFrame:
    """The named facts as columns, unknown where not given; [low, high] is a number between two bounds."""
    columns: dict[str, list[Any]] = {}
    for name in names:
        values = [row.get(name) for row in rows]
        if any(isinstance(value, list) for value in values):
            ends = [value if isinstance(value, list) else [value, value] for value in values]
            columns |= {LOW + name: [end[0] for end in ends], HIGH + name: [end[1] for end in ends]}
            values = [None if isinstance(value, list) else value for value in values]
        columns[name] = values
    try:
        return pl.DataFrame({**columns, "_": [None] * len(rows)}, strict=False)
    except (TypeError, pl.exceptions.PolarsError):
        raise ConfigurationError(tr("an example gives a value of no known type"), where=where) from None


def _names(*parts: Predicate | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts if part for name in part.names))
