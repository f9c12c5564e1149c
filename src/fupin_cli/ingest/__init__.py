"""Files of departments → canonical frames: opened by content, headers found, values typed, every row accounted for."""

from fupin_cli.ingest.accounts import Each, SourceTable, as_it_is, counties_in, read_contents, read_source
from fupin_cli.ingest.compare_section import ComparedField, refuse_other_comparison
from fupin_cli.ingest.compared import read_compared
from fupin_cli.ingest.file_list import FileList, declare_files, list_files
from fupin_cli.ingest.frames import (
    household_conflicts,
    impossible_together,
    to_evidence,
    to_households,
    to_persons,
    without_impossible_dates,
)
from fupin_cli.ingest.inspection import ColumnReport, FileReport, SheetInspection, guess_profile, inspect_file
from fupin_cli.ingest.locked import Ask, no_password
from fupin_cli.ingest.people import People, PeopleBucket, read_bucket, read_people
from fupin_cli.ingest.profile import Field, SourceProfile, load_profiles
from fupin_cli.ingest.readers import Contents
from fupin_cli.ingest.sheet_report import SheetReport, counted_cells
from fupin_cli.ingest.store import Store

__all__ = [
    "Ask",
    "ColumnReport",
    "ComparedField",
    "Contents",
    "Each",
    "Field",
    "FileList",
    "FileReport",
    "People",
    "PeopleBucket",
    "SheetInspection",
    "SheetReport",
    "SourceProfile",
    "SourceTable",
    "Store",
    "as_it_is",
    "counted_cells",
    "counties_in",
    "declare_files",
    "guess_profile",
    "household_conflicts",
    "impossible_together",
    "inspect_file",
    "list_files",
    "load_profiles",
    "no_password",
    "read_bucket",
    "read_compared",
    "read_contents",
    "read_people",
    "read_source",
    "refuse_other_comparison",
    "to_evidence",
    "to_households",
    "to_persons",
    "without_impossible_dates",
]
