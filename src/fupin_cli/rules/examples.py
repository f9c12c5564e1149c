"""Worked examples of rules, run as tests: given facts, everything else unknown, the outcome must follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from fupin_cli.errors import ConfigurationError
from fupin_cli.rules.answers import judge_frame
from fupin_cli.rules.lines import Lines
from fupin_cli.rules.outcome import Kind, conclude
from fupin_cli.rules.pack import Example, Pack, Rule
from fupin_cli.vocabulary import Outcome


@dataclass(frozen=True)
class ExampleResult:
    """One worked example and the outcome that the rule really gave."""

    rule: Rule
    number: int
    example: Example
    outcome: Outcome

    @property
    def passed(self) -> bool:
        """Whether the rule says what its author expects."""
        return self.outcome == self.example.then


def run_examples(packs: Sequence[Pack], lines: Lines) -> list[ExampleResult]:
    """The results of all examples, of disabled rules too. The income line of an example's year comes from `lines`."""
    return [
        ExampleResult(rule, number, example, _outcome(rule, example, pack, lines))
        for pack in packs
        for rule in pack.rules
        for number, example in enumerate(rule.examples, 1)
    ]


def _outcome(rule: Rule, example: Example, pack: Pack, lines: Lines) -> Outcome:
    given = dict(example.given)
    if rule.kind is Kind.VERDICT:
        members = pl.DataFrame({member: [given.get(member, Outcome.UNKNOWN.value)] for member in rule.all_of})
        return Outcome(members.select(conclude(rule.kind, rule.all_of)).item())
    use = rule.line
    if use is not None and use.as_fact not in given and isinstance(year := given.get(use.year), int):
        line = lines.find(use.table, pack.jurisdiction, year, "nbs", "net_income")
        given |= {use.as_fact: line.yuan} if line else {}
    try:
        frame = pl.DataFrame({name: [given.get(name)] for name in rule.names})
    except (TypeError, pl.exceptions.PolarsError):
        raise ConfigurationError("an example gives a value of no known type", where=rule.where) from None
    frame = frame if frame.height else pl.DataFrame({"_": [None]})
    return Outcome(judge_frame(rule, frame).item())
