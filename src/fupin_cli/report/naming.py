"""Names of places as names of sheets and files: legal for Excel, Windows and Linux, each only once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from fupin_cli.report.masking import mask_text

_MAX_SHEET_NAME = 31
_MAX_FILE_NAME = 60
_RESERVED_FILES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def sheet_names(names: Iterable[str]) -> list[str]:
    """Legal and unique sheet names for the given names, in their order."""
    return _unique((_sheet_name(name) for name in names), _MAX_SHEET_NAME)


def file_names(names: Iterable[str]) -> list[str]:
    """Names, unique and safe as parts of a file name on Windows and Linux, in their order."""
    return _unique((_file_name(name) for name in names), _MAX_FILE_NAME)


def _sheet_name(name: str) -> str:
    clean = re.sub(r"[\[\]:*?/\\\x00-\x1f]", "_", unicodedata.normalize("NFC", name)).strip().strip("'").strip()
    return f"{clean}_" if clean.casefold() == "history" else clean or "_"  # Excel keeps the name History to itself


def _file_name(name: str) -> str:
    clean = re.sub(r"[<>:\"/\\|?*\s\x00-\x1f]+", "_", mask_text(unicodedata.normalize("NFC", name))).strip("._ ")
    return f"{clean}_" if clean.casefold() in _RESERVED_FILES else clean or "_"


def _unique(names: Iterable[str], longest: int) -> list[str]:
    """Names cut to length; where two would fall together (Excel and Windows ignore case), the later gets a number."""
    taken: set[str] = set()
    result = []
    for name in names:
        candidate, number = _cut(name, longest), 1
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{_cut(name, longest - len(f'-{number}'))}-{number}"
        taken.add(candidate.casefold())
        result.append(candidate)
    return result


def _cut(name: str, longest: int) -> str:
    # Excel counts UTF-16 units, and a rare character takes two.
    while len(name.encode("utf-16-le")) // 2 > longest:
        name = name[:-1]
    return name
