"""The photos of one trial village, as a helper's telephone and a folder on a stick hold them, and what is wrong with them.

Nothing is on these photos: each is a JPEG that holds a comment and no picture. A name and its bytes are all that anybody asks.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

FOLDER = "county/青禾县/新华村四处照相"
EXTRACT = "qinghe-photos"
TRIAL = ("青禾县", "平川镇", "新华村")
PLACES = ("房前", "灶前", "主卧", "厅堂")
_STRAY = "IMG_20191103.jpg"


def write_photos(folder: Path, register: pl.DataFrame) -> pl.DataFrame:
    """Writes the photos of the trial village's households; comes back with what was planted, as planted.SCHEMA has it.

    By their place in the order of household numbers: the third lacks a photo, the fifth's has a name that nobody knows, the
    seventh's is empty, the ninth and tenth share one, and one file tells no household.
    """
    village = register.filter(
        pl.col("county") == TRIAL[0], pl.col("township") == TRIAL[1], pl.col("village") == TRIAL[2]
    )
    homes = (
        village.drop_nulls("household_id")
        .unique("household_id", keep="first", maintain_order=True)
        .sort("household_id")
    )
    numbers = homes["household_id"].to_list()
    files = {(home, place): _photo(f"{home} {place}") for home in numbers for place in PLACES}
    planted: list[tuple[str, str, str]] = []
    if len(numbers) >= 10:
        _, _, third, _, fifth, _, seventh, _, ninth, tenth = numbers[:10]
        del files[third, "灶前"]
        files[fifth, "卧室"] = files.pop((fifth, "主卧"))
        files[seventh, "厅堂"] = b""
        files[ninth, "房前"] = files[tenth, "房前"]
        planted = [
            ("NM-D1", third, "no photo of 灶前"),
            ("DOC-F2", fifth, "卧室 for 主卧"),
            ("DOC-F1", seventh, "an empty photo of 厅堂"),
            ("DOC-F3", ninth, "the photo of another household"),
            ("DOC-F3", tenth, "its photo stands with another household"),
        ]
    for (home, place), content in files.items():
        path = folder / FOLDER / home / f"{place}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if numbers:
        (folder / FOLDER / _STRAY).write_bytes(_photo("stray"))
    told = pl.DataFrame(planted, schema=["rule_id", "household_id", "note"], orient="row")
    told = told.cast({name: pl.String() for name in told.columns})
    where = homes.select("household_id", "register_row", "uid")
    return told.with_columns(stage=pl.lit("county"), extract=pl.lit(EXTRACT)).join(where, on="household_id", how="left")


def _photo(comment: str) -> bytes:
    text = comment.encode()
    return b"\xff\xd8\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + b"\xff\xd9"
