"""Register and extract as a careful analyst prepares them for any linkage program: IDs and names cleaned, addresses taken apart.

Undoes what can be undone without knowing the other file: full-width digits, blanks, quotes, labels, 15 digits, remarks after
names, dots of minority names, traditional characters. Birth date and sex are those of their columns, or else of the ID.
"""

from pathlib import Path

import polars as pl
from opencc import OpenCC
from pypinyin import lazy_pinyin

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_FULL_WIDTH = {chr(0xFF01 + at): chr(0x21 + at) for at in range(94)} | {"Х": "X", "х": "X"}
_PLACE = r"^.*?市(?P<county>.+?[县区市])(?P<township>.+?[镇乡])(?P<village>.+?村)(?:民委员会)?(?P<hamlet>\d+组)?$"


def read_register(path: Path | str) -> pl.DataFrame:
    """The register's rows, cleaned."""
    rows = pl.read_parquet(
        path, columns=["name", "id_number", "birth_on", "sex", "county", "township", "village", "hamlet"]
    )
    rows = rows.with_columns(
        village=pl.col("village").str.replace("村民委员会$", "村"), former_name=pl.lit(None, pl.String)
    )
    return _cleaned(rows)


def read_extract(path: Path | str) -> pl.DataFrame:
    """The extract's rows, cleaned."""
    rows = pl.read_parquet(path, columns=["name", "former_name", "id_number", "birth_on", "sex", "address"])
    place = pl.col("address").str.extract_groups(_PLACE)
    return _cleaned(rows.with_columns(place.alias("place")).unnest("place"))


def _cleaned(rows: pl.DataFrame) -> pl.DataFrame:
    number = pl.col("id_number").str.replace_many(_FULL_WIDTH).str.to_uppercase().str.replace_all(r"[^0-9X]", "")
    rows = rows.with_row_index("unique_id").with_columns(
        pl.col("unique_id").cast(pl.Int64),
        pl.when(number.str.len_chars() >= 10).then(number).alias("number"),
        name=_clean_name("name"),
        former_name=_clean_name("former_name"),
        village=pl.concat_str("county", "township", "village"),
        township=pl.concat_str("county", "township"),
    )
    rows = rows.with_columns(
        id18=pl.when(pl.col("number").str.contains(r"^\d{15}$")).then(_from_15()).otherwise("number")
    )
    born = pl.col("id18").str.slice(6, 8)
    sex = pl.col("id18").str.slice(16, 1).cast(pl.Int8, strict=False)
    whole = pl.col("id18").str.len_chars() == 18
    rows = rows.with_columns(
        birth=pl.coalesce(
            pl.col("birth_on").str.replace_all("-", ""),
            pl.when(whole & born.str.to_date("%Y%m%d", strict=False).is_not_null()).then(born),
        ),
        sex=pl.coalesce(
            pl.col("sex").replace_strict({"男": 1, "女": 0}, default=None, return_dtype=pl.Int8),
            pl.when(whole).then(sex % 2),
        ),
        surname=pl.col("name").str.head(1),
        third_1=pl.col("id18").str.slice(0, 9),
        third_2=pl.when(whole).then(pl.col("id18").str.slice(9, 5)),
        third_3=pl.when(whole).then(pl.col("id18").str.slice(14, 4)),
        head_14=pl.when(whole).then(pl.col("id18").str.slice(0, 14)),
        tail_12=pl.when(whole).then(pl.col("id18").str.slice(6, 12)),
    )
    return rows.with_columns(pinyin=_sound(rows["name"])).drop("number", "id_number", "birth_on")


def _clean_name(column: str) -> pl.Expr:
    bare = pl.col(column).str.replace(r"[(（].*[)）]$", "").str.replace_all(r"[\s·.．•∙・●　]", "")
    return pl.when(bare != "").then(bare.str.replace_many(_simplified()))


def _simplified() -> dict[str, str]:
    convert = OpenCC("t2s").convert
    characters = [chr(point) for point in range(0x4E00, 0x9FA6)]
    return {one: other for one, other in zip(characters, convert("".join(characters)), strict=True) if one != other}


def _sound(names: pl.Series) -> pl.Series:
    """Toneless pinyin, character by character, as one word with a blank between syllables."""
    characters = names.drop_nulls().str.split("").explode().unique().drop_nulls().sort()
    sounds = {c: " " + lazy_pinyin(c)[0] for c in characters if c}
    return names.str.replace_many(sounds)


def _from_15() -> pl.Expr:
    """15 digits as 18: the century added, and the check character worked out."""
    body = pl.col("number").str.head(6) + "19" + pl.col("number").str.slice(6)
    total = pl.sum_horizontal(body.str.slice(at, 1).cast(pl.Int64, strict=False) * w for at, w in enumerate(WEIGHTS))
    return body + (total % 11).replace_strict(dict(enumerate("10X98765432")), return_dtype=pl.String)
