"""Invented people: who lives in which household of which village, with names and ID numbers that belong to nobody.

A person is a pure function of (seed, world, index). Households come in blocks of 65 people and 20 households, so an index
says at once which household and which place in it is meant, and any slice can be made alone. ID numbers lie in region 9901,
which no county has; index within the county → (day of the year, sequence) is one to one, so no two people share a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil

import polars as pl

from fupin_cli.normalise.id_number import check_character
from fupin_cli.synth import words
from fupin_cli.synth.draws import Draw, look_up

PROVINCE, CITY = "南溟省", "云岭市"
BLOCK = 65  # people in a block, in 20 households
_SIZES = (3, 4, 1, 3, 2, 5, 4, 2, 3, 6, 1, 4, 2, 3, 7, 2, 5, 1, 4, 3)
_HOUSEHOLD_AT = [h for h, size in enumerate(_SIZES) for _ in range(size)]
_SLOT_AT = [slot for size in _SIZES for slot in range(size)]
_SIZE_AT = [size for size in _SIZES for _ in range(size)]

# Families by size: members in order and the years in which the head may be born.
# H head, S spouse, C child, D married son, W his wife, G grandchild, F father, M mother.
_FAMILIES: dict[int, tuple[tuple[str, int, int], ...]] = {
    1: (("H", 1936, 1975), ("H", 1936, 1958)),
    2: (("HS", 1938, 1970), ("HC", 1967, 1985), ("HM", 1962, 1985), ("HS", 1940, 1960)),
    3: (("HSC", 1967, 1985), ("HSC", 1967, 1985), ("HSM", 1967, 1985)),
    4: (("HSCC", 1967, 1985), ("HSCC", 1967, 1985), ("HSCM", 1967, 1985)),
    5: (("HSCCM", 1967, 1985), ("HSCCC", 1967, 1985), ("HSDWG", 1951, 1966)),
    6: (("HSCCFM", 1967, 1985), ("HSDWGG", 1951, 1966)),
    7: (("HSDWGGM", 1951, 1962), ("HSCCCFM", 1967, 1985)),
}
_FAMILY_LIST = [family for families in _FAMILIES.values() for family in families]
_FIRST_FAMILY = [0, *(sum(len(_FAMILIES[s]) for s in range(1, size)) for size in range(1, 8))]
_FAMILY_COUNT = [1, *(len(_FAMILIES[size]) for size in range(1, 8))]
_ROLE_AT = [role for members, _, _ in _FAMILY_LIST for role in members.ljust(8)]
_ORDER_AT = [members[:slot].count(members[slot : slot + 1]) for members, _, _ in _FAMILY_LIST for slot in range(8)]
_HEAD_FROM = [first for _, first, _ in _FAMILY_LIST]
_HEAD_SPAN = [last - first + 1 for _, first, last in _FAMILY_LIST]
_HEAD_IS_MALE = [any(role in members for role in "FM") for members, _, _ in _FAMILY_LIST]

_HEAD_IS_ALONE = ["S" not in members for members, _, _ in _FAMILY_LIST]

_DAYS, _SEQUENCES = 365, 490
_NUMBERS = _DAYS * _SEQUENCES  # people per region code
_STEP = 104_729  # a prime that shares no factor with _NUMBERS: walks through all of them once


@dataclass(frozen=True)
class World:
    """How large the invented province is; with the seed, all that people depend on."""

    seed: int
    persons: int
    counties: int = 2
    registered_share: float = 0.2
    absent_share: float = 0.0  # of the registered, one by one, who stand in no extract
    unlisted_share: float = 0.0  # of the members of registered households, who are not in the register themselves
    namesakes: float = 0.0  # share of people who bear one of the ten commonest full names
    dense: bool = False  # each county has one region code, so that numbers have neighbours

    @property
    def draw(self) -> Draw:
        """The streams of this world."""
        return Draw(self.seed)

    @cached_property
    def blocks(self) -> int:
        """How many blocks of 65 people there are, the last perhaps cut short."""
        return ceil(self.persons / BLOCK)

    @cached_property
    def first_block(self) -> list[int]:
        """The block with which each county begins, and the end of the last."""
        return [ceil(county * self.blocks / self.counties) for county in range(self.counties + 1)]

    @cached_property
    def villages(self) -> int:
        """Villages per county: about 1,200 people each, but never fewer than nine (few blocks: as many as there are)."""
        blocks = self.blocks // self.counties
        return max(1, min(blocks, max(9, blocks * BLOCK // 1200)))

    @cached_property
    def turns(self) -> pl.Series:
        """Of each person, how many before them have the county, birth date and sex of theirs."""
        born = _add_birth(_add_family(_add_place(_uids(0, self.persons), self), self), self)
        return born.select(pl.int_range(pl.len()).over("county_no", "birth_on", "sex").alias("turn")).to_series()

    @cached_property
    def townships(self) -> int:
        """Townships per county: about twelve villages each."""
        return max(1, min(self.villages, max(3, self.villages // 12), 240))


def county_name(county: pl.Expr) -> pl.Expr:
    """The name of each county by its number."""
    return look_up(words.COUNTIES, county)


def people(world: World, start: int, stop: int) -> pl.DataFrame:
    """One row per person with index start … stop − 1: place, family, name, birth, ID number."""
    first = start // BLOCK * BLOCK
    last = min(ceil(stop / BLOCK) * BLOCK, world.persons)
    frame = _add_place(_uids(first, last), world)
    frame = _add_family(frame, world)
    frame = _add_names(frame, world)
    frame = _add_birth(frame, world)
    frame = _add_id_number(frame, world)
    return frame.filter(pl.col("uid").is_between(start, stop - 1))


def _uids(start: int, stop: int) -> pl.DataFrame:
    return pl.select(uid=pl.int_range(start, stop, dtype=pl.Int64))


def _add_place(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    uid, block = pl.col("uid"), pl.col("block")
    at = uid % BLOCK
    frame = frame.with_columns(
        block=uid // BLOCK,
        slot=look_up(_SLOT_AT, at),
        household=uid // BLOCK * len(_SIZES) + look_up(_HOUSEHOLD_AT, at),
        size=look_up(_SIZE_AT, at),
    )
    # the very last household of the world may be cut short
    frame = frame.with_columns(size=pl.min_horizontal("size", world.persons - uid + pl.col("slot")))
    frame = frame.with_columns(county_no=block * world.counties // world.blocks)
    first = look_up(world.first_block, pl.col("county_no"))
    blocks = look_up(world.first_block, pl.col("county_no") + 1) - first
    frame = frame.with_columns(
        in_county=uid - first * BLOCK,
        village_no=(block - first) * world.villages // blocks,
        hamlet=(world.draw.below("hamlet", pl.col("household"), 8) + 1).cast(pl.String) + "组",
    )
    return with_village(frame, world).drop("block")


def with_village(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    """The frame with the names and the 12-digit code that belong to its county_no and village_no."""
    county, village = pl.col("county_no"), pl.col("village_no")
    township = village * world.townships // world.villages
    first_here = -(-(pl.col("township_no") * world.villages) // world.townships)
    towns = pl.col("township_no") < max(1, min(100, world.townships // 2 + 1))  # the first half are 镇, the others 乡
    frame = frame.with_columns(township_no=township)
    stem = look_up(words.TOWNSHIPS, (pl.col("township_no") + county * 3) % len(words.TOWNSHIPS))
    village_stem = look_up(words.VILLAGES, (village - first_here + pl.col("township_no") * 2) % len(words.VILLAGES))
    return frame.with_columns(
        county=county_name(county),
        township=stem + pl.when(towns).then(pl.lit("镇")).otherwise(pl.lit("乡")),
        village=village_stem + "村",
        village_code=(990121 + county) * 1_000_000
        + pl.when(towns).then(100 + pl.col("township_no")).otherwise(200 + pl.col("township_no")) * 1000
        + 200
        + village
        - first_here,
    )


def _add_family(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    draw, uid, house = world.draw, pl.col("uid"), pl.col("household")
    own_size = look_up(_SIZES, house % len(_SIZES))
    frame = frame.with_columns(
        family=look_up(_FIRST_FAMILY, own_size) + draw.below("family", house, look_up(_FAMILY_COUNT, own_size))
    )
    family, at = pl.col("family"), pl.col("family") * 8 + pl.col("slot")
    frame = frame.with_columns(role=look_up(_ROLE_AT, at), order=look_up(_ORDER_AT, at))
    role, order = pl.col("role"), pl.col("order")
    head_male = look_up(_HEAD_IS_MALE, family) | (draw.unit("head_sex", house) < 0.82)
    male = (
        pl.when(role == "H").then(head_male)
        .when(role == "S").then(~head_male)
        .when(role.is_in(["D", "F"])).then(True)
        .when(role.is_in(["W", "M"])).then(False)
        .otherwise(draw.unit("child_sex", uid) < 0.52)
    )  # fmt: skip
    head_year = look_up(_HEAD_FROM, family) + draw.below("head_year", house, look_up(_HEAD_SPAN, family))
    gap = draw.below("generation_gap", house, 4)
    year = (
        pl.when(role == "H").then(head_year)
        .when(role == "S").then(head_year - 3 + draw.below("spouse_year", house, 7))
        .when(role == "C").then(head_year + 22 + gap + 3 * order)
        .when(role == "D").then(head_year + 22 + gap)
        .when(role == "W").then(head_year + 22 + gap + draw.below("wife_year", house, 4))
        .when(role == "G").then(head_year + 45 + gap + 3 * order)
        .when(role == "F").then(head_year - 24 - gap)
        .otherwise(head_year - 22 - gap)
    )  # fmt: skip
    frame = frame.with_columns(
        sex=pl.when(male).then(pl.lit("男")).otherwise(pl.lit("女")),
        head_male=head_male,
        birth_year=year,
    )
    boy = pl.col("sex") == "男"
    relation = (
        pl.when(role == "H").then(pl.lit("户主"))
        .when(role == "S").then(pl.lit("配偶"))
        .when(role.is_in(["C", "D"])).then(pl.when(boy).then(pl.lit("之子")).otherwise(pl.lit("之女")))
        .when(role == "W").then(pl.lit("之儿媳"))
        .when(role == "G").then(pl.when(boy).then(pl.lit("之孙子")).otherwise(pl.lit("之孙女")))
        .when(role == "F").then(pl.lit("之父"))
        .otherwise(pl.lit("之母"))
    )  # fmt: skip
    return frame.with_columns(relation=relation)


def _add_names(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    """name, surname, a former name where there was one, and other_name: what the person would be called if renamed."""
    draw, uid, house = world.draw, pl.col("uid"), pl.col("household")
    place = pl.col("county_no") * 100_000 + pl.col("village_no")
    local = draw.unit("local_surname", house)
    family_name = (
        pl.when(local < 0.35).then(draw.pick("village_surname", place, words.SURNAMES))
        .when(local < 0.55).then(draw.pick("village_surname_2", place, words.SURNAMES))
        .otherwise(draw.pick("family_surname", house, words.SURNAMES))
    )  # fmt: skip
    role, male = pl.col("role"), pl.col("sex") == "男"
    of_family = (
        role.is_in(["C", "D", "G", "F"])
        | (male & role.is_in(["H", "S"]))
        | ((role == "H") & look_up(_HEAD_IS_ALONE, pl.col("family")))
    )
    people_of = draw.chance("ethnicity", house, {"彝族": 0.04, "维吾尔族": 0.012})
    frame = frame.with_columns(
        ethnicity=people_of.fill_null("汉族"),
        surname=pl.when(of_family).then(family_name).otherwise(draw.pick("own_surname", uid, words.SURNAMES)),
        clan=pl.when(of_family)
        .then(draw.pick("clan", house, words.CLANS))
        .otherwise(draw.pick("own_clan", uid, words.CLANS)),
    )
    if world.namesakes:
        bears = (pl.col("ethnicity") == "汉族") & (draw.unit("namesake", uid) < world.namesakes)
        men, women = (draw.pick("namesake", uid, words.COMMONEST[sex]) for sex in ("男", "女"))
        frame = frame.with_columns(whole_name=pl.when(bears).then(pl.when(male).then(men).otherwise(women)))
        frame = frame.with_columns(surname=pl.coalesce(pl.col("whole_name").str.head(1), "surname"))
    return frame.with_columns(
        name=pl.coalesce("whole_name", _full_name(draw)) if world.namesakes else _full_name(draw),
        other_name=_other_name(draw, "renamed"),
        former_name=pl.when(draw.unit("has_former_name", uid) < 0.04).then(_other_name(draw, "former")),
    ).with_columns(former_name=pl.when(pl.col("former_name") != pl.col("name")).then(pl.col("former_name")))


def _other_name(draw: Draw, stream: str) -> pl.Expr:
    """A plain name with the same surname: a former one, or the one after a change."""
    uid, male = pl.col("uid"), pl.col("sex") == "男"
    last = (
        pl.when(male)
        .then(draw.pick(stream, uid, words.GIVEN_OLD["男"]))
        .otherwise(draw.pick(stream, uid, words.GIVEN_OLD["女"]))
    )
    yi = (
        pl.when(male)
        .then(draw.pick(stream, uid, words.YI_GIVEN["男"]))
        .otherwise(draw.pick(stream, uid, words.YI_GIVEN["女"]))
    )
    return (
        pl.when(pl.col("ethnicity") == "彝族")
        .then(pl.col("clan") + "·" + yi)
        .when(pl.col("ethnicity") == "维吾尔族")
        .then(yi + "·" + draw.pick("father", pl.col("household"), words.UYGHUR_GIVEN["男"]))
        .otherwise(pl.col("surname") + draw.pick(f"{stream}:first", uid, words.GENERATION) + last)
    )


def _full_name(draw: Draw) -> pl.Expr:
    uid, house, role, male = pl.col("uid"), pl.col("household"), pl.col("role"), pl.col("sex") == "男"
    old = pl.col("birth_year") < 1975

    def by_sex(table: dict[str, list[str]], at: str, index: pl.Expr) -> pl.Expr:
        men = draw.pick(f"given:{at}", index, table["男"])
        return pl.when(male).then(men).otherwise(draw.pick(f"given:{at}", index, table["女"]))

    def sibling(table: dict[str, list[str]]) -> pl.Expr:
        # brothers and sisters take characters five apart in the list: alike in form, never the same
        turn = draw.below("given:sibling", house, 997) + 5 * pl.col("order")
        men = look_up(table["男"], turn % len(table["男"]))
        return pl.when(male).then(men).otherwise(look_up(table["女"], turn % len(table["女"])))

    first = pl.when(old).then(by_sex(words.GIVEN_OLD, "1", uid)).otherwise(by_sex(words.GIVEN_YOUNG, "1", uid))
    last = pl.when(old).then(by_sex(words.GIVEN_OLD, "2", uid)).otherwise(by_sex(words.GIVEN_YOUNG, "2", uid))
    last = pl.when(draw.unit("given:rare", uid) < 0.012).then(draw.pick("given:rare", uid, words.RARE)).otherwise(last)
    generation = draw.pick("generation", house * 2 + (role == "G").cast(pl.Int64), words.GENERATION)
    in_line = role.is_in(["C", "D", "G"]) & (draw.unit("has_generation", house) < 0.6)
    given = (
        pl.when(in_line)
        .then(generation + pl.when(old).then(sibling(words.GIVEN_OLD)).otherwise(sibling(words.GIVEN_YOUNG)))
        .when(draw.unit("given:common", uid) < 0.12).then(by_sex(words.COMMON_GIVEN, "common", uid))
        .when(draw.unit("given:single", uid) < 0.15).then(last)
        .otherwise(first + last)
    )  # fmt: skip
    father = draw.pick("father", house, words.UYGHUR_GIVEN["男"])
    return (
        pl.when(pl.col("ethnicity") == "彝族").then(pl.col("clan") + "·" + by_sex(words.YI_GIVEN, "yi", uid))
        .when(pl.col("ethnicity") == "维吾尔族").then(by_sex(words.UYGHUR_GIVEN, "uy", uid) + "·" + father)
        .otherwise(pl.col("surname") + given)
    )  # fmt: skip


def _number_in_county(world: World) -> pl.Expr:
    """A number below _NUMBERS that stands for a day of the year and a sequence: another one for each of so many people."""
    return (pl.col("in_county") % _NUMBERS * _STEP + 2019 + world.seed % _NUMBERS) % _NUMBERS


def _add_birth(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    day = _number_in_county(world) % _DAYS
    return frame.with_columns(birth_on=pl.date(pl.col("birth_year"), 1, 1) + pl.duration(days=day))


def _add_id_number(frame: pl.DataFrame, world: World) -> pl.DataFrame:
    sequence, code = _number_in_county(world) // _DAYS, pl.col("in_county") // _NUMBERS
    if world.dense:
        days = pl.col("birth_on").cast(pl.Int32) + 40_000  # since 1860: never below zero
        first = world.draw.below("sequence", days, _SEQUENCES)
        turn = pl.lit(world.turns).gather(pl.col("uid")).cast(pl.Int64)
        sequence, code = (first + 211 * turn) % _SEQUENCES, pl.lit(0)
    # leaves out 100, 200 …: a number must not end in 000, as those cut by Excel do
    sequence = sequence + sequence // 49
    frame = frame.with_columns(
        sequence=2 * sequence + pl.when(pl.col("sex") == "男").then(1).otherwise(2),
        region=990121 + pl.col("county_no") + world.counties * code,
    )
    day = (
        pl.col("birth_on").dt.year() * 10_000
        + pl.col("birth_on").dt.month().cast(pl.Int32) * 100
        + pl.col("birth_on").dt.day()
    )
    number = pl.col("region") * 10**11 + day.cast(pl.Int64) * 1000 + pl.col("sequence")
    return frame.with_columns(id_number=number.cast(pl.String) + check_character(number)).drop("sequence", "region")
