"""What the policy says: packs are loaded and checked, facts gathered, rules judged, findings written."""

from fupin_cli.rules.buckets import Bucket
from fupin_cli.rules.choosing import Occasion, choose_packs
from fupin_cli.rules.evidence import World
from fupin_cli.rules.examples import ExampleResult, run_examples
from fupin_cli.rules.judge import GatheredFacts, Inquiry, Judgement, inquire
from fupin_cli.rules.lines import Line, Lines, load_lines
from fupin_cli.rules.loading import load_packs
from fupin_cli.rules.order import gives, leaves
from fupin_cli.rules.pack import (
    Citation,
    Derived,
    Fact,
    Level,
    Limits,
    Pack,
    Parameter,
    Rule,
    SignOff,
    applies_to,
    binds_part,
    sign_off,
    standards,
)
from fupin_cli.rules.predicate import nearest

__all__ = [
    "Bucket",
    "Citation",
    "Derived",
    "ExampleResult",
    "Fact",
    "GatheredFacts",
    "Inquiry",
    "Judgement",
    "Level",
    "Limits",
    "Line",
    "Lines",
    "Occasion",
    "Pack",
    "Parameter",
    "Rule",
    "SignOff",
    "World",
    "applies_to",
    "binds_part",
    "choose_packs",
    "gives",
    "inquire",
    "leaves",
    "load_lines",
    "load_packs",
    "nearest",
    "run_examples",
    "sign_off",
    "standards",
]
