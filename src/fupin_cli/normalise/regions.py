"""Place names: county, township and village as written → keys that compare, also out of one address cell.

A key is the name without its administrative suffix, so that 幸福村, 幸福村委会 and 幸福社区 are one place
inside one township.
Mergers and renamings are not guessed: they would need a list from the user.
"""

from __future__ import annotations

import polars as pl

_PARTS = {
    "county": r"(?:自治县|自治旗|林区|特区|县|市|区|旗)$",
    "township": r"(?:民族乡|街道办事处|街道|镇|乡|苏木)$",
    "village": r"(?:村民委员会|居民委员会|村委会|居委会|行政村|嘎查|社区|村)$",
}
_BLANK = r"[\p{C}\p{Z}\s]"
# 南溟省云岭市青禾县平川镇柳树村3组: everything up to the county, then township, then village
_ADDRESS = (
    r"^(?:.*?省)?(?:.*?(?:市|州|盟|地区))?"
    r"(?P<county>[^省市州]{1,10}?(?:县|区|旗|市))?"
    r"(?P<township>[^县区旗]{1,10}?(?:镇|乡|街道|苏木))"
    r"(?P<village>[^镇乡]{1,10}?(?:村|社区|嘎查))?"
)


def place_keys(frame: pl.DataFrame) -> pl.DataFrame:
    """county, township, village (as printed) and their three `_key` columns; null where the file does not say.

    Reads whichever of county, township, village and address the frame has; a column of its own beats the address. Each
    distinct spelling of a place is read once.
    """
    given = frame.with_columns(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(pl.String).alias(f"{name}_raw")
        for name in (*_PARTS, "address")
    ).select(f"{name}_raw" for name in (*_PARTS, "address"))
    spellings = given.unique(maintain_order=True)
    address = pl.col("address_raw").str.replace_all(_BLANK, "").str.extract_groups(_ADDRESS)
    places = spellings.with_columns(address.alias("parts")).with_columns(
        pl.coalesce(_tidy(pl.col(f"{name}_raw")), pl.col("parts").struct.field(name)).alias(name) for name in _PARTS
    )
    keys = [pl.col(name).str.replace(suffix, "").alias(f"{name}_key") for name, suffix in _PARTS.items()]
    known = places.select(*given.columns, *_PARTS, *keys)
    return given.join(known, on=given.columns, how="left", nulls_equal=True, maintain_order="left").drop(given.columns)


def _tidy(name: pl.Expr) -> pl.Expr:
    text = name.str.normalize("NFKC").str.replace_all(_BLANK, "")
    return pl.when(text != "").then(text)
