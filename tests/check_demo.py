"""Compares a run's findings with the planted truth: python tests/check_demo.py RUN TRUTH.

Every planted discrepancy must be found, in the accepted or the review band; nobody who was not planted may stand in the
accepted band. Prints counts only, and exits with 1 where that does not hold.
"""

import sys
from pathlib import Path

import polars as pl

# findings about a household: any member may carry the evidence
HOUSEHOLD_RULES = ["CMP-EX1", "CMP-RE2", "REG-F03", "NM-D1", "DOC-F1", "DOC-F2", "DOC-F3"]
LISTED_RULES = ["CMP-UR1", "CMP-UR2"]  # findings about a person whom only the department knows


def keyed(frame: pl.DataFrame) -> pl.DataFrame:
    """What identifies a finding on both sides: the person of the register, the household, or the row of the extract."""
    listed = pl.col("rule_id").is_in(LISTED_RULES)
    household = pl.col("rule_id").is_in(HOUSEHOLD_RULES)
    return frame.with_columns(
        pl.when(~listed).then(pl.col("household_id")).alias("at_household"),
        pl.when(~listed & ~household).then(pl.col("person_id")).alias("at_person"),
        pl.when(listed).then(pl.col("extract")).alias("at_extract"),
        pl.when(listed).then(pl.col("extract_row")).alias("at_row"),
    )


def compare(run: Path, truth: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(planted but not found, found but not planted)."""
    planted = keyed(pl.read_parquet(truth / "planted.parquet"))
    rows = pl.read_parquet(run / "evidence.parquet").select("extract", "source", "sheet", "row", "extract_row")
    found = pl.read_parquet(run / "findings.parquet").join(
        rows,
        left_on=["extract", "extract_source", "extract_sheet", "extract_at"],
        right_on=["extract", "source", "sheet", "row"],
        how="left",
        nulls_equal=True,
    )
    found, key = keyed(found), ["rule_id", "at_household", "at_person", "at_extract", "at_row"]
    return (
        planted.join(found, on=key, how="anti", nulls_equal=True),
        found.join(planted, on=key, how="anti", nulls_equal=True),
    )


def main() -> None:
    """Prints the two differences by rule, and fails where the promise is broken."""
    missed, extra = compare(Path(sys.argv[1]), Path(sys.argv[2]))
    accused = extra.filter(pl.col("band") == "accepted")
    doubted = extra.filter(pl.col("band") == "review")
    print(
        f"planted and not found: {missed.height}; accused and not planted: {accused.height}; "
        f"to review and not planted: {doubted.height}"
    )
    for title, frame in (("not found", missed), ("accused", accused), ("to review", doubted)):
        for rule, count in frame.group_by("rule_id").len().sort("rule_id").rows():
            print(f"  {title}: {rule} {count}")
    sys.exit(1 if missed.height or accused.height else 0)


if __name__ == "__main__":
    main()
