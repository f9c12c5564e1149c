"""Place names: county, township and village as written → keys that compare, also out of one address cell.

A key is the name without its administrative suffix, so that 幸福村, 幸福村委会 and 幸福社区 are one place
inside one township.
Mergers and renamings are not guessed: they would need a list from the user.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from fupin_cli.normalise.spelling import once_per_spelling

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
    said = pl.DataFrame({name: pl.repeat(None, frame.height, dtype=pl.String, eager=True) for name in _PARTS})
    if "address" in frame.columns:
        said = once_per_spelling(frame["address"].cast(pl.String), _taken_apart)
    own = [
        once_per_spelling(frame[name].cast(pl.String), _tidied).to_series().alias(name)
        for name in _PARTS
        if name in frame.columns
    ]
    places = said.with_columns(pl.coalesce(pl.lit(column), pl.col(column.name)).alias(column.name) for column in own)
    return places.hstack([once_per_spelling(places[name], _shortened(name)).to_series() for name in _PARTS])


def _taken_apart(addresses: pl.Series) -> pl.DataFrame:
    parts = pl.col("address").str.replace_all(_BLANK, "").str.extract_groups(_ADDRESS).alias("parts")
    return addresses.alias("address").to_frame().select(parts).unnest("parts")


def _shortened(name: str) -> Callable[[pl.Series], pl.DataFrame]:
    return lambda places: places.to_frame(name).select(pl.col(name).str.replace(_PARTS[name], "").alias(f"{name}_key"))


def _tidied(names: pl.Series) -> pl.DataFrame:
    text = pl.col("name").str.normalize("NFKC").str.replace_all(_BLANK, "")
    return names.to_frame("name").select(pl.when(text != "").then(text))
