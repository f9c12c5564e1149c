"""What became of every finding: the ledger of cases, what a round changes in it, what went out and what came back."""

from fupin_cli.cases.answers import Returned, compare_returns
from fupin_cli.cases.identity import identify
from fupin_cli.cases.keys import LedgerKey, open_key
from fupin_cli.cases.ledger import Ledger, Receipt, open_ledger
from fupin_cli.cases.reconcile import Moves, RoundFrames, reconcile_round
from fupin_cli.cases.schema import ANSWER_FIELDS
from fupin_cli.cases.signoff import settled

__all__ = [
    "ANSWER_FIELDS",
    "Ledger",
    "LedgerKey",
    "Moves",
    "Receipt",
    "Returned",
    "RoundFrames",
    "compare_returns",
    "identify",
    "open_key",
    "open_ledger",
    "reconcile_round",
    "settled",
]
