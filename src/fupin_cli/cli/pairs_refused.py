"""Names of outputs that `fupin link` and `fupin dedupe` refuse, before anything is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fupin_cli.errors import UsageError
from fupin_cli.language import tr


def refuse_suffix(output: Path) -> None:
    """Refuses a name whose suffix says a format in which pairs cannot be written."""
    if output.suffix.lower() not in (".parquet", ".csv"):
        raise UsageError(
            tr("cannot write pairs as {what}", what=output.suffix or tr("a file without a suffix")),
            where=output.name,
            try_=tr("-o {stem}.parquet for programs, -o {stem}.csv for Excel", stem=output.stem),
        )


def refuse_no_workbook(path: Path | None) -> None:
    """Refuses a review workbook under a name that no spreadsheet program opens."""
    if path and path.suffix.lower() != ".xlsx":
        raise UsageError(
            tr("a review workbook is an .xlsx file"), where=path.name, try_=tr("--review {stem}.xlsx", stem=path.stem)
        )


def refuse_overwriting(read: Sequence[Path | None], written: Sequence[Path | None]) -> None:
    """Refuses an output that is a file which the command reads, or another of its outputs."""
    taken = {path.resolve() for path in read if path}
    for path in filter(None, written):
        if path.resolve() in taken:
            raise UsageError(
                tr("this file would be written over what the same command reads or writes"),
                where=path.name,
                try_=tr("the same command with another name for it"),
            )
        taken.add(path.resolve())
