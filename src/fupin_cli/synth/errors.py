"""Errors: what clerks, spreadsheets and neighbours' handwriting do to a name, an ID number, a date, a village.

One error at most per field and row, drawn from the rates; each that was really made is named in `errors`, so the truth says
not only who is who but what stood in the way. `id_kept` and `name_kept` are what a perfect cleaner could still read.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from fupin_cli.synth import words
from fupin_cli.synth.confusable import MISHEARD, MISREAD
from fupin_cli.synth.draws import Draw, look_up
from fupin_cli.synth.people import World, with_village

# what a careful reader undoes, and what takes the number away for good
ID_FORMS = (
    "id_full_width",
    "id_inner_blanks",
    "id_quote_prefix",
    "id_equals_quoted",
    "id_tab",
    "id_label",
    "id_lower_x",
    "id_cyrillic_x",
    "id_15_digits",
    "id_disability_number",
)
ID_LOST = (
    "id_missing", "id_placeholder", "id_wrong_digit", "id_wrong_birth_digit", "id_swapped", "id_dropped_digit", "id_number_typed",
    "id_exponent",
)  # fmt: skip
ID_FALSE = ("id_of_relative",)
NAME_FORMS = ("name_inner_space", "name_traditional", "name_dot_variant", "name_remark")
NAME_CHANGED = (
    "name_homophone", "name_shape", "name_dropped", "name_swapped", "name_renamed", "name_former", "name_rare_stand_in",
)  # fmt: skip
BIRTH = ("birth_wrong", "birth_missing", "birth_only_in_id")
SEX = ("sex_wrong",)
PLACE = ("village_moved", "village_suffix", "village_blank")
# Faults of the benchmark, which no other preset draws: at any digit, with characters from a list that the score does not know,
# in any village of the county, with a household book of one's own.
ID_ANYWHERE = ("id_any_digit", "id_any_swap", "id_any_dropped", "id_added_digit")
NAME_CONFUSED = ("name_misheard", "name_misread")
ELSEWHERE = ("village_elsewhere",)
HUKOU = ("hukou_apart",)
CLASSES = (
    *ID_FORMS, *ID_LOST, *ID_FALSE, *NAME_FORMS, *NAME_CHANGED, *BIRTH, *SEX, *PLACE,
    *ID_ANYWHERE, *NAME_CONFUSED, *ELSEWHERE, *HUKOU,
)  # fmt: skip

CLEAN: dict[str, float] = {}
# One fault a row, and only in the departments' files.
EASY = {
    "extract.id_wrong_digit": 0.025, "extract.id_missing": 0.025, "extract.id_swapped": 0.013, "extract.name_homophone": 0.012,
    "extract.name_shape": 0.012, "extract.name_inner_space": 0.012,
}  # fmt: skip
# Both sides at fault; the birth date is only inside the ID, so that a lost ID takes it along; one in ten has moved.
HARD = {
    "birth_only_in_id": 1.0, "id_missing": 0.05, "id_wrong_digit": 0.012, "id_wrong_birth_digit": 0.013, "id_swapped": 0.0125,
    "id_number_typed": 0.005, "id_dropped_digit": 0.003, "id_placeholder": 0.002, "id_of_relative": 0.0025,
    "id_full_width": 0.006, "id_inner_blanks": 0.006, "id_quote_prefix": 0.006, "id_tab": 0.006, "id_15_digits": 0.006,
    "name_homophone": 0.0125, "name_shape": 0.0125, "name_dropped": 0.003, "name_swapped": 0.002, "name_renamed": 0.005,
    "name_rare_stand_in": 0.003, "name_inner_space": 0.012, "name_traditional": 0.004, "name_dot_variant": 0.3,
    "extract.village_moved": 0.1, "village_suffix": 0.05,
}  # fmt: skip
# For measuring linkage: the register is worse than the extract, and either is wrong in ways that no scoring table foresaw.
BENCH = {
    "birth_only_in_id": 1.0,
    "register.id_missing": 0.05, "register.id_any_digit": 0.022, "register.id_any_swap": 0.0125,
    "register.id_any_dropped": 0.003, "register.id_added_digit": 0.003, "register.id_number_typed": 0.004,
    "register.id_15_digits": 0.006, "register.id_of_relative": 0.005,
    "register.id_full_width": 0.005, "register.id_inner_blanks": 0.006, "register.id_quote_prefix": 0.006,
    "register.id_equals_quoted": 0.003, "register.id_tab": 0.005, "register.id_label": 0.003, "register.id_lower_x": 0.05,
    "register.name_misheard": 0.0125, "register.name_misread": 0.0125, "register.name_dropped": 0.003,
    "register.name_swapped": 0.002, "register.name_renamed": 0.005, "register.name_former": 0.05,
    "register.name_rare_stand_in": 0.1, "register.name_inner_space": 0.012, "register.name_traditional": 0.005,
    "register.name_remark": 0.003,
    "extract.id_missing": 0.01, "extract.id_any_digit": 0.007, "extract.id_any_swap": 0.003,
    "extract.id_any_dropped": 0.001, "extract.id_added_digit": 0.001, "extract.id_number_typed": 0.001,
    "extract.id_15_digits": 0.003, "extract.id_inner_blanks": 0.002, "extract.id_full_width": 0.002,
    "extract.name_misheard": 0.005, "extract.name_misread": 0.005, "extract.name_dropped": 0.001,
    "extract.name_swapped": 0.0005, "extract.name_renamed": 0.001, "extract.name_rare_stand_in": 0.1,
    "extract.name_inner_space": 0.005, "extract.name_traditional": 0.002,
    "name_dot_variant": 0.3, "village_suffix": 0.03, "extract.village_elsewhere": 0.1, "extract.hukou_apart": 0.1,
}  # fmt: skip
# The committed sample: every class is there, and the police file, by which names are judged, spells names right.
SAMPLE = {
    **dict.fromkeys(ID_FORMS, 0.009),
    "id_15_digits": 0.012,
    "id_lower_x": 0.15,
    "id_cyrillic_x": 0.1,
    "id_disability_number": 0.12,
    "id_missing": 0.006,
    "id_placeholder": 0.004,
    "id_wrong_digit": 0.006,
    "id_swapped": 0.005,
    "id_number_typed": 0.006,
    "id_exponent": 0.003,
    "id_dropped_digit": 0.003,
    "name_inner_space": 0.02,
    "name_traditional": 0.04,
    "name_dot_variant": 0.5,
    "name_remark": 0.006,
    "extract.name_homophone": 0.008,
    "extract.name_shape": 0.006,
    "extract.name_dropped": 0.003,
    "extract.name_swapped": 0.002,
    "extract.name_rare_stand_in": 0.25,
    "register.name_former": 0.25,
    "extract.village_moved": 0.02,
    "village_suffix": 0.04,
    "register.village_suffix": 0.0,
    **dict.fromkeys((f"household_registration.{name}" for name in NAME_CHANGED), 0.0),
    # where a file has neither birth date nor village, a lost number or a changed name would leave nothing to go by
    **dict.fromkeys((f"{kind}.{name}" for kind in ("real_estate", "companies") for name in ID_LOST), 0.0),
    **dict.fromkeys((f"school_roll.{name}" for name in NAME_CHANGED), 0.0),
}
PRESETS: dict[str, dict[str, float]] = {"clean": CLEAN, "easy": EASY, "hard": HARD, "sample": SAMPLE, "bench": BENCH}

_FULL_WIDTH = dict(zip("0123456789X", "０１２３４５６７８９Ｘ", strict=True))


def rates_for(rates: Mapping[str, float], side: str, kind: str) -> dict[str, float]:
    """The rate of each class for one file: `kind.class` beats `side.class` beats `class`."""
    found = {
        name: rates.get(f"{kind}.{name}", rates.get(f"{side}.{name}", rates.get(name, 0.0)))
        for name in CLASSES
    }  # fmt: skip
    unknown = {name.rpartition(".")[2] for name in rates} - set(CLASSES)
    if unknown:
        raise ValueError(f"no such error class: {', '.join(sorted(unknown))}")
    return found


def damage(
    frame: pl.DataFrame, world: World, stream: str, rates: Mapping[str, float], number: str = "id_number"
) -> pl.DataFrame:
    """The frame, in no order, with name_written, id_written, name_kept, id_kept, id_fault and errors.

    sex, birth_on and the village are replaced by what is written. Reads draw_index, name, other_name, former_name, id_number,
    relative_id, disability_no, certified, sex, birth_on, the place columns and keeps_id, keeps_name; forced_id, forced_name,
    forced_birth, forced_sex name an error that must be made.
    """
    draw, index = world.draw, pl.col("draw_index")

    def drawn(field: str, classes: tuple[str, ...]) -> pl.Expr:
        return draw.chance(f"{stream}:{field}", index, {name: rates.get(name, 0.0) for name in classes})

    birth = drawn("birth", BIRTH)
    hidden = (birth == "birth_only_in_id").fill_null(value=False)
    # rates for numbers that end in X, minority names, rare characters or old people hold within that group
    frame = frame.with_columns(
        id_fault=pl.coalesce(
            "forced_id",
            drawn("id", (*ID_LOST, *ID_FALSE, *ID_FORMS[:6], *ID_ANYWHERE)),
            *(drawn(n, (n,)) for n in ID_FORMS[6:]),
        ),
        name_fault=pl.coalesce(
            "forced_name",
            drawn("name", (*NAME_CHANGED[:5], "name_inner_space", "name_remark", *NAME_CONFUSED)),
            *(drawn(n, (n,)) for n in ("name_former", "name_rare_stand_in", "name_dot_variant", "name_traditional")),
        ),
        birth_fault=pl.when(hidden).then(pl.lit("birth_only_in_id")).otherwise(pl.coalesce("forced_birth", birth)),
        sex_fault=pl.when(~hidden).then(pl.coalesce("forced_sex", drawn("sex", SEX))),
        place_fault=drawn("place", (*PLACE, *ELSEWHERE)),
        hukou_fault=drawn("hukou", HUKOU),
        id_written=pl.col(number),
        id_kept=pl.col("id_number"),
        name_written=pl.col("name"),
        name_kept=pl.col("name"),
        born_on=pl.col("birth_on"),
    )
    faults = [
        pl.col(name) for name in ("id_fault", "name_fault", "birth_fault", "sex_fault", "place_fault", "hukou_fault")
    ]
    frame = _spoil_birth_and_sex(frame, draw, stream)
    # few rows are touched elsewhere, and what is done to them is dear: they go a way of their own
    touched = pl.any_horizontal(pl.col(name).is_not_null() for name in ("id_fault", "name_fault", "place_fault"))
    spoilt = _spoil_numbers(frame.filter(touched), draw, stream, number)
    spoilt = _spoil_places(_spoil_names(spoilt, draw, stream), world, stream)
    untouched = frame.filter(~touched)
    frame = _set_apart(pl.concat([untouched, spoilt.select(untouched.columns)]))
    return frame.with_columns(errors=pl.concat_list(faults).list.drop_nulls())


def _apply(changed: Mapping[str, pl.Expr], fault: str, otherwise: str) -> pl.Expr:
    """What each fault makes of the cell; null where the fault does not apply to it (no X to write small …)."""
    made = [pl.when(pl.col(fault) == name).then(value) for name, value in changed.items()]
    return pl.coalesce(*made, pl.when(pl.col(fault).is_null()).then(pl.col(otherwise)))


def _spoil_numbers(frame: pl.DataFrame, draw: Draw, stream: str, number: str) -> pl.DataFrame:
    n, index = pl.col(number), pl.col("draw_index")
    born = pl.col("born_on").dt.strftime("%Y%m%d")
    turn = draw.below(f"{stream}:id_turn", index, 100)

    def with_digit_at(places: list[int]) -> pl.Expr:
        at = look_up(places, turn % len(places))
        digit = n.str.slice(at, 1).cast(pl.Int64, strict=False)
        other = (digit + 1 + draw.below(f"{stream}:digit", index, 9)) % 10
        return n.str.head(at) + other.cast(pl.String) + n.str.slice(at + 1)

    pair = pl.when((turn % 2 == 0) & (n.str.slice(14, 1) != n.str.slice(15, 1))).then(14).otherwise(
        pl.when(n.str.slice(15, 1) != n.str.slice(16, 1)).then(15).otherwise(2)  # 9901: its third and fourth always differ
    )  # fmt: skip
    swapped = n.str.head(pair) + n.str.slice(pair + 1, 1) + n.str.slice(pair, 1) + n.str.slice(pair + 2)
    near = draw.below(f"{stream}:id_place", index, 17)
    unlike = [
        pl.when(n.str.slice((near + k) % 17, 1) != n.str.slice((near + k) % 17 + 1, 1)).then((near + k) % 17)
        for k in range(4)
    ]
    first = pl.coalesce(*unlike, 2)
    any_swap = n.str.head(first) + n.str.slice(first + 1, 1) + n.str.slice(first, 1) + n.str.slice(first + 2)
    at = draw.below(f"{stream}:id_at", index, 18)
    drawn_digit = draw.below(f"{stream}:digit", index, 9)
    shifted = (n.str.slice(at, 1).cast(pl.Int64, strict=False).fill_null(9) + 1 + drawn_digit) % 10
    placeholder = (
        pl.when(turn < 70)
        .then("999999" + born + "0001")
        .otherwise(look_up(["999999999999999999", "无", "000000000000000000"], turn % 3))
    )
    ends_in_x = n.str.contains("X")
    cells = {
        "id_full_width": n.str.replace_many(_FULL_WIDTH),
        "id_inner_blanks": n.str.head(6) + " " + n.str.slice(6, 8) + " " + n.str.slice(14),
        "id_quote_prefix": "'" + n,
        "id_equals_quoted": '="' + n + '"',
        "id_tab": "\t" + n,
        "id_label": look_up(["身份证:", "公民身份号码：", "身份证号 "], turn % 3) + n,
        "id_lower_x": pl.when(ends_in_x).then(n.str.replace("X", "x")),
        "id_cyrillic_x": pl.when(ends_in_x).then(n.str.replace("X", "Х")),
        "id_15_digits": pl.when((pl.col("born_on").dt.year() < 2000) & (n.str.len_chars() == 18)).then(
            n.str.head(6) + n.str.slice(8, 9)
        ),
        "id_disability_number": pl.when(pl.col("certified") & pl.lit(number == "id_number")).then(
            pl.col("disability_no")
        ),
        "id_missing": look_up(["", "", "", "无"], turn % 4),
        "id_placeholder": placeholder,
        "id_wrong_digit": with_digit_at([4, 5, 14, 15, 16, 14, 15, 16]),
        "id_wrong_birth_digit": with_digit_at([8, 9, 11, 12, 13]),
        "id_swapped": swapped,
        "id_dropped_digit": n.str.head(14 + turn % 3) + n.str.slice(15 + turn % 3),
        "id_number_typed": n.str.head(15) + n.str.slice(15).str.replace_all(".", "0"),
        "id_exponent": n.str.head(1) + "." + n.str.slice(1, 5) + "E+17",
        "id_of_relative": pl.col("relative_id"),
        "id_any_digit": n.str.head(at) + shifted.cast(pl.String) + n.str.slice(at + 1),
        "id_any_swap": any_swap,
        "id_any_dropped": n.str.head(at) + n.str.slice(at + 1),
        "id_added_digit": n.str.head(at) + drawn_digit.cast(pl.String) + n.str.slice(at),
    }
    lost, false = pl.col("id_fault").is_in((*ID_LOST, *ID_ANYWHERE)), pl.col("id_fault") == "id_of_relative"
    not_allowed = (lost | false) & pl.col("keeps_id") & pl.col("forced_id").is_null()
    frame = frame.with_columns(id_fault=pl.when(~not_allowed).then("id_fault"))
    frame = frame.with_columns(id_written=_apply(cells, "id_fault", number))
    return frame.with_columns(
        id_fault=pl.when(pl.col("id_written").is_not_null()).then("id_fault"),
        id_written=pl.coalesce("id_written", number),
    ).with_columns(
        id_kept=pl.when(pl.col("id_fault") == "id_of_relative")
        .then("relative_id")
        .when(~pl.col("id_fault").is_in((*ID_LOST, *ID_ANYWHERE)).fill_null(False))
        .then("id_number")
    )


def _spoil_names(frame: pl.DataFrame, draw: Draw, stream: str) -> pl.DataFrame:
    name, length = pl.col("name"), pl.col("name").str.len_chars()
    index = pl.col("draw_index")
    turn = draw.below(f"{stream}:name_turn", index, 100)
    dotted = name.str.contains("·", literal=True)
    three = (length == 3) & ~dotted

    def alike(table: dict[str, str]) -> pl.Expr:
        last = name.str.head(length - 1) + name.str.slice(length - 1).replace_strict(table, default=None)
        middle = name.str.head(1) + name.str.slice(1, 1).replace_strict(table, default=None) + name.str.slice(2)
        return pl.coalesce(pl.when(~dotted).then(last), pl.when(three).then(middle))

    def confused(table: dict[str, str]) -> pl.Expr:
        def at(place: pl.Expr) -> pl.Expr:
            family = name.str.slice(place, 1).replace_strict(table, default=None)
            other = family.str.slice(draw.below(f"{stream}:confused", index, 60) % family.str.len_chars(), 1)
            return name.str.head(place) + other + name.str.slice(place + 1)

        drawn = pl.when(dotted | (turn < 50)).then(length - 1).when(turn < 85).then(pl.min_horizontal(1, length - 1))
        return pl.coalesce(*(at(place) for place in (drawn.otherwise(0), length - 1, pl.lit(1), pl.lit(0))))

    def if_other(changed: pl.Expr) -> pl.Expr:
        return pl.when(changed != name).then(changed)

    rare = "[" + "".join(words.RARE) + "]"
    cells = {
        "name_inner_space": pl.when(~dotted).then(
            name.str.head(1) + look_up([" ", "　", "  "], turn % 3) + name.str.slice(1)
        ),
        "name_traditional": if_other(name.str.replace_many(words.TRADITIONAL)),
        "name_dot_variant": if_other(
            name.str.replace("·", "\x00", literal=True).str.replace(
                "\x00", look_up(words.DOTS, turn % len(words.DOTS)), literal=True
            )
        ),
        "name_remark": name + look_up(["(户主)", "（本人）", "（已核）"], turn % 3),
        "name_homophone": alike(words.SOUNDS_LIKE),
        "name_shape": alike(words.LOOKS_LIKE),
        "name_dropped": pl.when(three).then(name.str.head(1) + name.str.slice(2)),
        "name_swapped": pl.when(three).then(if_other(name.str.head(1) + name.str.slice(2) + name.str.slice(1, 1))),
        "name_renamed": if_other(pl.col("other_name")),
        "name_former": pl.col("former_name"),
        "name_rare_stand_in": if_other(name.str.replace(rare, look_up(["?", "□", "*"], turn % 3))),
        "name_misheard": confused(MISHEARD),
        "name_misread": confused(MISREAD),
    }
    changed = pl.col("name_fault").is_in((*NAME_CHANGED, *NAME_CONFUSED))
    frame = frame.with_columns(
        name_fault=pl.when(~(changed & pl.col("keeps_name") & pl.col("forced_name").is_null())).then("name_fault")
    )
    frame = frame.with_columns(name_written=_apply(cells, "name_fault", "name"))
    # a name that must differ and has no look-alike becomes another name
    frame = frame.with_columns(
        name_fault=pl.when(pl.col("name_written").is_not_null())
        .then("name_fault")
        .when(pl.col("forced_name").is_not_null())
        .then(pl.lit("name_renamed")),
        name_written=pl.coalesce(
            "name_written", pl.when(pl.col("forced_name").is_not_null()).then("other_name"), "name"
        ),
    )
    return frame.with_columns(name_kept=pl.when(changed.fill_null(False)).then("name_written").otherwise("name"))


def _spoil_birth_and_sex(frame: pl.DataFrame, draw: Draw, stream: str) -> pl.DataFrame:
    earlier = pl.duration(days=10 + draw.below(f"{stream}:birth_shift", pl.col("draw_index"), 30))
    fault = pl.col("birth_fault").fill_null("")
    other_sex = pl.when(pl.col("sex") == "男").then(pl.lit("女")).otherwise(pl.lit("男"))
    return frame.with_columns(
        birth_on=pl.when(fault == "birth_wrong").then(pl.col("birth_on") - earlier).when(fault == "").then("birth_on"),
        sex=pl.when(pl.col("sex_fault").is_not_null()).then(other_sex).when(fault != "birth_only_in_id").then("sex"),
    )


def _spoil_places(frame: pl.DataFrame, world: World, stream: str) -> pl.DataFrame:
    fault, village, index = pl.col("place_fault").fill_null(""), pl.col("village_no"), pl.col("draw_index")
    elsewhere = village + 1 + world.draw.below(f"{stream}:elsewhere", index, max(1, world.villages - 1))
    moved = (
        pl.when(fault == "village_moved").then(village + 1)
        .when(fault == "village_elsewhere").then(elsewhere)
        .otherwise(village)
    )  # fmt: skip
    frame = with_village(frame.with_columns(village_no=moved % world.villages), world)
    hamlet = (world.draw.below(f"{stream}:hamlet", index, 8) + 1).cast(pl.String) + "组"
    return frame.with_columns(
        village=pl.when(fault == "village_suffix")
        .then(pl.col("village") + "民委员会")
        .when(fault != "village_blank")
        .then("village"),
        hamlet=pl.when(fault == "village_elsewhere").then(hamlet).otherwise("hamlet"),
    )


def _set_apart(frame: pl.DataFrame) -> pl.DataFrame:
    """Who has a household book of their own is the head of it."""
    if "hukou_no" not in frame.columns:
        return frame.with_columns(hukou_fault=pl.lit(None, pl.String))
    apart = pl.col("hukou_fault").is_not_null()
    own = "9902" + pl.col("uid").cast(pl.String).str.zfill(8)
    return frame.with_columns(
        hukou_no=pl.when(apart).then(own).otherwise("hukou_no"),
        relation=pl.when(apart).then(pl.lit("户主")).otherwise("relation"),
    )
