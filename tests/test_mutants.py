"""Every shipped rule and fact, changed in one place: some worked example must fail. `make test-rule-mutants` runs only this."""

import pytest

from fupin_cli.rules.shapes import Reported
from rule_mutants import survivors
from rules_world import shipped


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_changed_rule_passes_its_examples():
    """A threshold or operator that no example holds in place could be mistyped and nobody would see it."""
    packs, lines = shipped()
    assert [f"{where}: {what}" for where, what in survivors(packs, lines)] == []


def test_every_fact_that_can_be_wrong_has_an_example():
    """A fact out of rows, or one that follows, says by examples what it means; what only hands on a column needs none."""
    for pack in shipped()[0]:
        for fact in pack.facts:
            assert fact.examples or fact.hidden or fact.condition.text == "TRUE", fact.name
        for fact in pack.derived:
            assert fact.examples or isinstance(fact.shape, Reported), fact.name
