"""Any file of people, without a project: which known kind of table it is, and who is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from fupin_cli.errors import BadDataError
from fupin_cli.ingest.accounts import SourceTable, read_grids
from fupin_cli.ingest.inspection import guess_sheet
from fupin_cli.ingest.profile import SourceProfile
from fupin_cli.ingest.readers import read_file
from fupin_cli.normalise.identity import add_identity


def read_people(path: Path, profiles: Mapping[str, SourceProfile], row: str) -> pl.DataFrame:
    """Who each row of a file speaks of: the columns of vocabulary.IDENTITY, and `row`, the 0-based data row.

    The kind of table is recognised by its headers; only what says who somebody is gets read. Raises BadDataError where no
    profile knows the headers.
    """
    people = add_identity(_read(path, profiles).rows)
    return people.with_columns(pl.col("data_row").alias(row))


def _read(path: Path, profiles: Mapping[str, SourceProfile]) -> SourceTable:
    grids = read_file(path.name, path).grids
    guesses = [guess for grid in grids for guess in guess_sheet(grid, profiles, path.name)]
    if not guesses:
        raise BadDataError(
            "no header row that any source profile knows",
            where=path.name,
            why="looked for a name and an ID number",
            try_=f"fupin inspect {path}, then --profile FILE with its headers",
        )
    best = max(guesses, key=lambda guess: guess[1])[0]
    return read_grids([(path.name, grids)], _who_only(profiles[best]))


def _who_only(profile: SourceProfile) -> SourceProfile:
    """The profile reduced to its identity fields, and those in which an ID number may hide."""
    kept = tuple(f for f in profile.fields if f.name not in profile.own or f.name in profile.id_from)
    return replace(profile, fields=kept, required=("name|id_number",))
