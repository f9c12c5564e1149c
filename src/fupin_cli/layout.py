"""What things are called on the disk: by these names every part finds what another wrote, without loading it."""

from __future__ import annotations

from pathlib import Path

PROJECT_FILE = "fupin.toml"
RUNS = "runs"  # beside fupin.toml: a folder per run
CASES = "cases"  # the ledger beside fupin.toml: what goes out and comes back there is no extract
DIGEST = "digest.json"  # in a run: its counts
LEDGER_FILE = "ledger.db"  # in the ledger's folder


def project_above(here: Path) -> Path | None:
    """The nearest folder with a fupin.toml: this one, or one above it."""
    return next((folder for folder in (here, *here.parents) if (folder / PROJECT_FILE).is_file()), None)


def in_ledger(ledger: Path) -> tuple[str, ...]:
    """The option that names a ledger, where it is not the one that is looked for by itself."""
    return () if ledger.absolute() == Path(CASES).absolute() else ("--ledger", str(ledger))
