"""Findings as rows of a sheet: which column shows what, in which style, and how tall a row must be to be read on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from fupin_cli.report.book import LINE_HEIGHT, TALLEST, Styles, lines_needed, put, put_count
from fupin_cli.report.wording import band_words
from fupin_cli.vocabulary import Band

_BAND = "band_words"


@dataclass(frozen=True)
class Field:
    """One column: the frame column under it (none for answers), its header, its width, its picklist."""

    column: str | None
    header: str
    width: float
    centred: bool = True
    choices: tuple[str, ...] = ()


def write_findings(
    sheet: Worksheet,
    styles: Styles,
    findings: pl.DataFrame,
    placed: Sequence[tuple[int, Field]],
    top: int,
    least: float,
) -> int:
    """The last row written, counting from `top`; each field stands in the column it is placed with.

    Households alternate in shade, so that one household's findings are seen as one block.
    """
    names = [field.column for _, field in placed if field.column]
    last = top - 1
    rows = findings.select(*names, pl.col("household_block") % 2 == 1).rows()
    for last, (*values, shade) in enumerate(rows, top):
        lines = 1
        for (column, field), value in zip(placed, values, strict=True):
            if isinstance(value, int | float):
                put_count(sheet, last, column, value, styles.plain_number_alt if shade else styles.plain_number)
                continue
            put(sheet, last, column, value, _style(styles, field, value, shade=shade))
            lines = max(lines, lines_needed(value, field.width))
        sheet.set_row(last, min(TALLEST, max(least, lines * LINE_HEIGHT + 6)))
    return last


def _style(styles: Styles, field: Field, value: object, *, shade: bool) -> Format:
    if field.column == _BAND and value == band_words(Band.REVIEW):
        return styles.review
    if field.centred:
        return styles.cell_centre_alt if shade else styles.cell_centre
    return styles.cell_alt if shade else styles.cell
