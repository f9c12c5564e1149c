"""Runs fupin once for every stage of the pipeline, each time failing there with an error that quotes a person.

    python fail_at_stage.py NAME ID-NUMBER fupin-words…

After each run a line `== STAGE CODE` is printed on stdout. A stage does its work before it fails, so that the next ones are new.
"""

import sys

import polars as pl

from fupin_cli import pipeline
from fupin_cli.cli.boundary import run_guarded
from fupin_cli.cli.main import main

STAGES = ("open_rule_book", "read_register", "read_extracts", "for_round", "link_everyone", "judge_round", "conclude",
          "sum_up", "write_frames", "write_faces", "manifest", "write_manifest")  # fmt: skip


def failing(work, how, name, number):
    """The stage, which does its work and then fails: as Polars does on a cell, or as anybody's code might."""

    def fail(*given, **named):
        work(*given, **named)
        match how % 4:
            case 0:
                pl.Series("姓名", [name, number]).str.to_date("%Y-%m-%d")
            case 1:
                pl.DataFrame({name: [number]}).select(pl.col("证件号码"))
            case 2:
                raise ValueError(f"cannot read {name} {number}") from RuntimeError(number)
            case _:
                {name: number}[number]

    return fail


if __name__ == "__main__":
    name, number, *words = sys.argv[1:]
    for how, stage in enumerate(STAGES):
        kept = getattr(pipeline, stage)
        setattr(pipeline, stage, failing(kept, how, name, number))
        code = run_guarded(lambda: main(words, standalone_mode=False))
        setattr(pipeline, stage, kept)
        print(f"== {stage} {code}", flush=True)  # noqa: T201 - read by the test
