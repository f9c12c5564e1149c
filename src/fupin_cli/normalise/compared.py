"""Cells of a profile's [compare] as they are compared: what typing habits add is taken away, what may tell people apart stays."""

from __future__ import annotations

import polars as pl

from fupin_cli.normalise.values import is_blank, to_date

KINDS = ("id", "text", "date", "code")
_MARKS = r"\p{M}"  # accents, after the letters that bear them were taken apart
_NO_SIGN = r"[^\p{L}\p{N}]+"


def clean_compared(cell: pl.Expr, kind: str) -> pl.Expr:
    """The cell as String, null where it is blank or nothing is left of it.

    `id` and `code` are upper-case letters and digits alone; `text` is lower-case words without accents, one blank between them;
    a `date` is yyyymmdd, and one that cannot be a date is left as the digits that were typed: a fault in it can still be told.
    """
    given = pl.when(~is_blank(cell)).then(cell)
    if kind == "text":
        plain = given.str.normalize("NFKD").str.replace_all(_MARKS, "").str.normalize("NFC").str.to_lowercase()
        words = plain.str.replace_all(r"['’`]", "").str.replace_all(_NO_SIGN, " ").str.strip_chars()
        return pl.when(words != "").then(words)
    if kind == "date":
        typed = given.str.normalize("NFKC").str.replace_all(r"[^0-9]", "")
        read = pl.coalesce(to_date(given, whole_day=True).dt.to_string("%Y%m%d"), typed)
        return pl.when(read != "").then(read)
    signs = (
        given.str.normalize("NFKC")
        .str.replace(r"^([0-9]+)\.0+$", "$1")
        .str.to_uppercase()
        .str.replace_all(_NO_SIGN, "")
    )
    return pl.when(signs != "").then(signs)
