"""Person names: as received → what we print, and a key for comparing.

The printed name keeps every character a person has; the key drops what differs only in typing (spaces, the separator inside
minority names, brackets with remarks, titles) and folds traditional and variant characters. The separator of record is
U+00B7 (民委发〔2016〕33号); files hold a dozen others, which NFKC does not unify.
"""

from __future__ import annotations

import polars as pl

SCHEMA = pl.Schema({"name": pl.String(), "name_key": pl.String()})

_DOTS = r"[·•∙・●⋅᛫‧﹒．.｡。､]"
_INVISIBLE = r"[\p{Cc}\p{Cf}\p{Z}\s\u{FE00}-\u{FE0F}\u{E0100}-\u{E01EF}]"
_REMARK = r"[(\[{【<《].*$"
_EDGES = "·'\"‘’“”,，;；:："
_TITLE = r"^(?:户主|姓名|权利人|车主|所有人|申请人|本人)[:：]?"
# Traditional and variant forms that names in registers really show; the key only, never what is printed.
_FOLD = {pair[0]: pair[1] for pair in ().split()}


def clean_names(raw: pl.Series) -> pl.DataFrame:
    """One row per input value: `name` (to print; null when nothing is left) and `name_key` (to compare)."""
    frame = pl.DataFrame({"raw": raw.cast(pl.String)})
    plain = frame.select(pl.col("raw").str.contains(r"^[\u{4E00}-\u{9FFF}]{2,4}$").fill_null(False)).to_series()
    odd = frame.filter(~plain).unique(maintain_order=True)
    cleaned = odd.with_columns(_printed(pl.col("raw")).alias("name"))
    names = (
        frame.join(cleaned, on="raw", how="left", maintain_order="left", nulls_equal=True).select(
            pl.when(plain).then(pl.col("raw")).otherwise(pl.col("name")).alias("name")
        )
        if odd.height
        else frame.rename({"raw": "name"})
    )
    return names.with_columns(_key(pl.col("name")).alias("name_key"))


def _printed(raw: pl.Expr) -> pl.Expr:
    text = (
        raw.str.normalize("NFKC")
        .str.replace_all(_INVISIBLE, "")
        .str.replace(_TITLE, "")
        .str.replace_all(_DOTS, "·")
        .str.replace_all(r"·+", "·")
        .str.strip_chars(_EDGES)
    )
    # 张三(户主) loses its remark; 徐(莹加王旁) spells out a character the system lacked, and keeps it
    bare = text.str.replace(_REMARK, "").str.replace(r"\d+$", "").str.strip_chars(_EDGES)
    text = pl.when(bare.str.len_chars() >= 2).then(bare).otherwise(text)
    return pl.when(text.str.contains(r"[\p{L}\p{Co}?□*]")).then(text)


def _key(name: pl.Expr) -> pl.Expr:
    return name.str.replace_all("·", "", literal=True).str.to_uppercase().str.replace_many(_FOLD)
