"""What the policy says: packs are loaded and checked, facts gathered, rules judged, findings written."""

from fupin_cli.rules.evidence import World
from fupin_cli.rules.examples import ExampleResult, run_examples
from fupin_cli.rules.judge import Judgement, judge
from fupin_cli.rules.lines import Line, Lines, load_lines
from fupin_cli.rules.loading import load_packs
from fupin_cli.rules.pack import Citation, Fact, Pack, Rule

__all__ = [
    "Citation",
    "ExampleResult",
    "Fact",
    "Judgement",
    "Line",
    "Lines",
    "Pack",
    "Rule",
    "World",
    "judge",
    "load_lines",
    "load_packs",
    "run_examples",
]
