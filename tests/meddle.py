"""Runs fupin, and at the beginning of a stage does something to a file: python meddle.py STAGE remove|change FILE fupin-words…."""

import sys
from pathlib import Path

from fupin_cli import pipeline
from fupin_cli.cli.boundary import run_guarded
from fupin_cli.cli.main import main

if __name__ == "__main__":
    stage, deed, file, *words = sys.argv[1:]
    kept = getattr(pipeline, stage)

    def meddled(*given, **named):
        """The stage, after the deed."""
        path = Path(file)
        if deed == "remove":
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(path.read_bytes() + b"\n")
        return kept(*given, **named)

    setattr(pipeline, stage, meddled)
    sys.exit(run_guarded(lambda: main(words, standalone_mode=False)))
