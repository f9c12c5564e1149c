"""Place names: county, township and village as written → keys that compare, also out of one address cell.

A key is the name without its administrative suffix, so that 幸福村, 幸福村委会 and 幸福社区 are one place
inside one township.
Mergers and renamings are not guessed: the user lists them ([places] in fupin.toml).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from fupin_cli.normalise.spelling import once_per_spelling
from fupin_cli.vocabulary import COLUMNS

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
    r"(?P<hamlet>[^村]{1,8}?(?:村民小组|村民组|组|屯|社|队))?"
)
# 第三村民小组, 3组 and 三组 are one
_HAMLET = r"^第|(?:村民小组|村民组|小组|组|屯|社|队)$"
_DIGITS = "一二三四五六七八九"
_UNITS = dict(zip(_DIGITS, "123456789", strict=True))
_TENS = {f"{ten}十": n for n, ten in enumerate(("", *_DIGITS[1:]), 1)}
# the longest first: of two that begin at one place the first is taken, and 十 would leave the 一 of 十一 behind
_NUMERALS = (
    {ten + one: f"{n}{m}" for ten, n in _TENS.items() for one, m in _UNITS.items()}
    | {ten: f"{n}0" for ten, n in _TENS.items()}
    | _UNITS
)


def place_keys(frame: pl.DataFrame) -> pl.DataFrame:
    """county, township, village (as printed) and their three `_key` columns; null where the file does not say; maybe `hamlet`.

    Reads whichever of county, township, village, hamlet and address the frame has; a column of its own beats the address. Each
    distinct spelling of a place is read once.
    """
    absent = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    said = pl.DataFrame(dict.fromkeys((*_PARTS, *(f"{name}_key" for name in _PARTS)), absent))
    if "address" in frame.columns:
        said = once_per_spelling(frame["address"].cast(pl.String), _from_address)
    for name in _PARTS:
        if name in frame.columns:
            own = once_per_spelling(frame[name].cast(pl.String), partial(_from_column, part=name))
            said = said.with_columns(pl.coalesce(own[column], said[column]).alias(column) for column in own.columns)
    if "hamlet" in frame.columns:
        hamlet = frame["hamlet"].cast(pl.String)
        told = said["hamlet"] if "hamlet" in said.columns else absent
        said = said.with_columns(pl.coalesce(hamlet, told).alias("hamlet"))
    return said


@dataclass(frozen=True)
class Renamed:
    """A division of one level (county, township, village) that is now called, or belongs to, another.

    Two villages of one name are told apart by their township: 平川镇/杨树村. The new name may name a new township, too.
    """

    level: str
    old: str
    new: str


def rename_places(frame: pl.DataFrame, renamed: Sequence[Renamed]) -> pl.DataFrame:
    """The frame with old names of places, in all their spellings, replaced by the new ones. All changes happen at once."""
    levels = list(_PARTS)
    hit: dict[str, list[tuple[pl.Expr, str]]] = {name: [] for name in levels}
    for change in renamed:
        old, new = (_chain(name, change.level) for name in (change.old, change.new))
        same = [pl.col(f"{name}_key") == _bare(text, name) for name, text in old.items()]
        where = pl.all_horizontal(same)
        for name, text in new.items():
            hit[name].append((where, text))
    changes = []
    for name, cases in hit.items():
        printed, key = pl.col(name), pl.col(f"{name}_key")
        for where, text in cases:
            printed = pl.when(where).then(pl.lit(text)).otherwise(printed)
            key = pl.when(where).then(pl.lit(_bare(text, name))).otherwise(key)
        changes += [printed.alias(name), key.alias(f"{name}_key")] if cases else []
    return frame.with_columns(changes)


def _chain(name: str, level: str) -> dict[str, str]:
    """Level → name of `乡镇/村`, the last of them at the given level."""
    names = name.split("/")
    levels = list(_PARTS)[: list(_PARTS).index(level) + 1][-len(names) :]
    return dict(zip(levels, names[-len(levels) :], strict=True))


def _bare(name: str, level: str) -> str:
    return re.sub(_PARTS[level], "", re.sub(r"\s", "", name))


@dataclass(frozen=True)
class KnownPlaces:
    """What a register says of places: each with its usual spelling, by level, and which county a township's name means."""

    spelled: Mapping[str, pl.DataFrame]
    homes: pl.DataFrame

    @classmethod
    def of(cls, like: pl.DataFrame) -> KnownPlaces:
        """The places of a register's persons."""
        levels = list(_PARTS)
        keys = {name: [f"{part}_key" for part in levels[: at + 1]] for at, name in enumerate(levels)}
        homes = like.drop_nulls(["county_key", "township_key"]).group_by("township_key").agg(
            pl.col("county_key").unique().alias("counties")
        )  # fmt: skip
        spelled = {
            name: like.drop_nulls(path).group_by(path).agg(pl.col(name).drop_nulls().mode().min().alias("spelled"))
            for name, path in keys.items()
        }
        one = homes.filter(pl.col("counties").list.len() == 1)
        return cls(spelled, one.select("township_key", pl.col("counties").list.first().alias("home")))


def unmatched_places(frame: pl.DataFrame, known: KnownPlaces, most: int) -> list[tuple[str, tuple[str, ...], int]]:
    """(level, some names, rows) for townships and villages that the register has not, in counties that it has.

    They are told, not guessed: the place may have been merged or renamed, or hold no registered household.
    """
    here = frame.filter(pl.col("county_key").is_in(known.spelled["county"]["county_key"].implode()))
    found = []
    for level in ("township", "village"):
        places = known.spelled[level].drop("spelled")
        keys = places.columns
        strange = here.drop_nulls(keys).join(places, on=keys, how="anti")
        if strange.height:
            names = strange[level].drop_nulls().unique().sort().head(most).to_list()
            found.append((level, tuple(names), strange.height))
        here = here.join(
            strange.select(keys).unique(), on=keys, how="anti"
        )  # a strange township's villages are strange
    return found


def settle_places(frame: pl.DataFrame, known: KnownPlaces, only_county: str | None = None) -> pl.DataFrame:
    """The frame with its places named as the register names them.

    A row that names just a township gets the county in which the register has it, if that is one county; else `only_county`. One
    place spelled in two ways (青禾, 青禾县) gets the commoner spelling, so that it is one place on every list.
    """
    settled = frame.join(known.homes, on="township_key", how="left", maintain_order="left")
    spare = pl.lit(only_county, pl.String)
    settled = settled.with_columns(
        pl.coalesce("county_key", "home", spare.str.replace(_PARTS["county"], "")).alias("county_key"),
        pl.coalesce("county", pl.when(pl.col("home").is_null()).then(spare)).alias("county"),
    ).drop("home")
    for part, spelled in known.spelled.items():
        settled = settled.join(spelled, on=spelled.columns[:-1], how="left", maintain_order="left")
        settled = settled.with_columns(pl.coalesce("spelled", part).alias(part)).drop("spelled")
    return settled.select(frame.columns)


def place_codes(frame: pl.DataFrame) -> pl.DataFrame:
    """county_code, township_code, village_code, hamlet_code: keys as codes into a table of names that all files share."""
    codes: dict[str, pl.Series] = {}
    if "address" in frame.columns:
        said = once_per_spelling(frame["address"].cast(pl.String), _coded_address)
        codes = {column.name: column for column in said.get_columns()}
    for name in _PARTS:
        if name in frame.columns:
            own = once_per_spelling(frame[name].cast(pl.String), partial(_coded_column, part=name)).to_series()
            other = codes.get(own.name)
            codes[own.name] = (
                own if other is None else own.to_frame().select(pl.coalesce(own.name, pl.lit(other))).to_series()
            )
    if "hamlet" in frame.columns and frame["hamlet"].null_count() < frame.height:
        own = once_per_spelling(
            frame["hamlet"].cast(pl.String), lambda names: _coded_hamlet(names, "hamlet")
        ).to_series()
        codes["hamlet_code"] = own.zip_with(own.is_not_null(), codes["hamlet_code"]) if "hamlet_code" in codes else own
    absent = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    return pl.DataFrame(
        {
            f"{name}_code": codes.get(f"{name}_code", absent).cast(COLUMNS[f"{name}_code"].dtype)
            for name in (*_PARTS, "hamlet")
        }
    )


def _coded(places: pl.DataFrame) -> pl.DataFrame:
    return places.select(
        pl.col(f"{name}_key").cast(COLUMNS[f"{name}_code"].dtype).alias(f"{name}_code")
        for name in _PARTS
        if f"{name}_key" in places.columns
    )


def _coded_address(addresses: pl.Series) -> pl.DataFrame:
    places = _from_address(addresses)
    return _coded(places).hstack(_coded_hamlet(places["hamlet"], "hamlet"))


def _coded_hamlet(names: pl.Series, column: str) -> pl.DataFrame:
    text = pl.col(column).str.normalize("NFKC").str.replace_all(_BLANK, "").str.replace_all(_HAMLET, "")
    key = text.str.replace_many(_NUMERALS, leftmost=True)
    return names.to_frame(column).select(
        pl.when(key != "").then(key).cast(COLUMNS["hamlet_code"].dtype).alias("hamlet_code")
    )


def _coded_column(names: pl.Series, part: str) -> pl.DataFrame:
    return _coded(_from_column(names, part))


def _from_address(addresses: pl.Series) -> pl.DataFrame:
    parts = pl.col("address").str.replace_all(_BLANK, "").str.extract_groups(_ADDRESS).alias("parts")
    places = addresses.alias("address").to_frame().select(parts).unnest("parts")
    return places.with_columns(
        pl.col(name).str.replace(suffix, "").alias(f"{name}_key") for name, suffix in _PARTS.items()
    )


def _from_column(names: pl.Series, part: str) -> pl.DataFrame:
    text = pl.col(part).str.normalize("NFKC").str.replace_all(_BLANK, "")
    place = names.to_frame(part).select(pl.when(text != "").then(text))
    return place.with_columns(pl.col(part).str.replace(_PARTS[part], "").alias(f"{part}_key"))
