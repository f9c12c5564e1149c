"""Small invented registers and extracts for the linkage tests, written as tables."""

import polars as pl

from fupin_cli.linkage import load_model
from fupin_cli.normalise.keys import person_keys
from fupin_cli.project import shipped_rules

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
MODEL = load_model(shipped_rules() / "linkage" / "default.toml")


def number(seventeen: str) -> str:
    """A valid 18-character number from its first 17 digits (GB 11643-1999), found without the program's help."""
    weighted = sum(int(digit) * weight for digit, weight in zip(seventeen, _WEIGHTS, strict=True))
    return seventeen + "10X98765432"[weighted % 11]


def wrong_digit(full: str, at: int = 9) -> str:
    """The number with one digit wrong."""
    return full[:at] + str((int(full[at]) + 1) % 10) + full[at + 1 :]


def swapped(full: str) -> str:
    """The number with its first two unequal neighbours among the last digits exchanged."""
    at = next(i for i in range(12, 16) if full[i] != full[i + 1])
    return full[:at] + full[at + 1] + full[at] + full[at + 2 :]


def people(row: str, *rows: tuple, **columns) -> pl.DataFrame:
    """Rows of (name, id[, village[, birth]]) as KEYS."""
    names = ["name_raw", "id_raw", "village", "birth_on"]
    full = [(*r, *[None] * (4 - len(r))) for r in rows]
    frame = pl.DataFrame(
        full, schema=dict(zip(names, [pl.String, pl.String, pl.String, pl.Date], strict=True)), orient="row"
    )
    frame = frame.with_columns(
        pl.lit(columns.get("county", "青禾县")).alias("county"),
        pl.lit(columns.get("township", "平川镇")).alias("township"),
    )
    return person_keys(frame.with_row_index(row).cast({row: pl.Int64}), row)


def register(*rows, **columns):
    return people("register_row", *rows, **columns)


def extract(*rows, **columns):
    return people("extract_row", *rows, **columns)
