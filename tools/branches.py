# ruff: noqa: INP001, T201 - a program that answers on stdout, not a package
"""The share of branches that tests take, from the JSON that coverage writes; coverage's own total counts statements with them.

`branches.py branches.json 95` ends with 1 where the share is less than 95 %.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(file: str, least: str) -> int:
    """Says the share, and whether it is enough."""
    totals = json.loads(Path(file).read_text(encoding="utf-8"))["totals"]
    taken, all_ = totals["covered_branches"], totals["num_branches"]
    share = 100 * taken / all_
    print(f"branches: {share:.1f} % ({taken:,} of {all_:,}), asked for: {least} %")
    return int(share < float(least))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
