"""Files of departments → canonical frames: opened by content, headers found, values typed, every row accounted for."""

from fupin_cli.ingest.accounts import SheetReport, SourceTable, read_source
from fupin_cli.ingest.frames import household_conflicts, to_evidence, to_households, to_persons
from fupin_cli.ingest.inspection import ColumnReport, FileReport, SheetInspection, guess_profile, inspect_file
from fupin_cli.ingest.people import read_people
from fupin_cli.ingest.profile import Field, SourceProfile, load_profiles

__all__ = [
    "ColumnReport",
    "Field",
    "FileReport",
    "SheetInspection",
    "SheetReport",
    "SourceProfile",
    "SourceTable",
    "guess_profile",
    "household_conflicts",
    "inspect_file",
    "load_profiles",
    "read_people",
    "read_source",
    "to_evidence",
    "to_households",
    "to_persons",
]
