"""Place names: county, township and village as written → keys that compare, also out of one address cell.

A key is the name without its administrative suffix, so that 幸福村, 幸福村委会 and 幸福社区 are one place inside one township.
Mergers and renamings are not guessed: they would need a list from the user.
"""

from __future__ import annotations

import polars as pl

_COUNTY = r"(?:自治县|自治旗|林区|特区|县|市|区|旗)$"
_TOWNSHIP = r"(?:民族乡|街道办事处|街道|镇|乡|苏木)$"
_VILLAGE = r"(?:村民委员会|居民委员会|村委会|居委会|行政村|嘎查|社区|村)$"
_BLANK = r"[\p{C}\p{Z}\s]"
# 南溟省云岭市青禾县平川镇柳树村3组: everything up to the county, then township, then village
_ADDRESS = r"^(?:.*?省)?(?:.*?(?:市|州|盟|地区))?(?P<county>[^省市州]{1,10}?(?:县|区|旗|市))?(?P<township>[^县区旗]{1,10}?(?:镇|乡|街道|苏木))(?P<village>[^镇乡]{1,10}?(?:村|社区|嘎查))?"


def place_keys(frame: pl.DataFrame) -> pl.DataFrame:
    """county, township, village (as printed) and their three `_key` columns; null where the file does not say.

    Reads whichever of county, township, village and address the frame has; a column of its own beats the address.
    """
    if "address" in frame.columns:
        parts = frame.select(
            pl.col("address").cast(pl.String).str.replace_all(_BLANK, "").str.extract_groups(_ADDRESS).alias("parts")
        ).unnest("parts")
    else:
        parts = pl.DataFrame(schema=dict.fromkeys(("county", "township", "village"), pl.String))
        parts = parts.clear(frame.height)
    own = {
        name: frame[name].cast(pl.String) if name in frame.columns else pl.Series(name, [None], pl.String).new_from_index(0, frame.height)
        for name in ("county", "township", "village")
    }
    return pl.DataFrame(own).select(
        *(pl.coalesce(_tidy(pl.col(name)), parts[name]).alias(name) for name in own)
    ).with_columns(
        pl.col("county").str.replace(_COUNTY, "").alias("county_key"),
        pl.col("township").str.replace(_TOWNSHIP, "").alias("township_key"),
        pl.col("village").str.replace(_VILLAGE, "").alias("village_key"),
    )  # fmt: skip


def _tidy(name: pl.Expr) -> pl.Expr:
    text = name.str.normalize("NFKC").str.replace_all(_BLANK, "")
    return pl.when(text != "").then(text)
