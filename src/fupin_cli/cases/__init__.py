"""What became of every finding: the ledger of cases, what a round changes in it, what went out and what came back.

Only the ledger itself is at hand here; the other modules are imported one by one: whoever lists cases needs nothing of rounds.
"""

from fupin_cli.cases.keys import LedgerKey, open_key
from fupin_cli.cases.ledger import Ledger, Receipt, open_ledger

__all__ = ["Ledger", "LedgerKey", "Receipt", "open_key", "open_ledger"]
