"""What things are called on the disk: by these names every part finds what another wrote, without loading it."""

from __future__ import annotations

PROJECT_FILE = "fupin.toml"
RUNS = "runs"  # beside fupin.toml: a folder per run
CASES = "cases"  # the ledger beside fupin.toml: what goes out and comes back there is no extract
DIGEST = "digest.json"  # in a run: its counts
LEDGER_FILE = "ledger.db"  # in the ledger's folder
