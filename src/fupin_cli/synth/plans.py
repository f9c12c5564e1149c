"""Plans: which household is given which discrepancy, before any fact about it is made.

At most one plan per household, so that no planted discrepancy disturbs another; facts follow the plan (a household that is to
be wrongly exited is exited). `target` marks the member the plan is about.
"""

from __future__ import annotations

import polars as pl

from fupin_cli.synth.people import World

# Weights are relative: plans that need a child, a spouse or a small household are drawn more often, because some draws
# find none and then plant nothing.
REGISTERED = {
    "CMP-PS1": 1.2,
    "CMP-PS2": 1.5,
    "CMP-VH1": 1.0,
    "CMP-RE1": 1.0,
    "CMP-RE2": 1.0,
    "CMP-IC1": 1.0,
    "CMP-CZ1": 1.0,
    "CMP-MZ1": 1.0,
    "CMP-MZ2": 1.3,
    "CMP-MZ3": 0.8,
    "CMP-CL1": 1.0,
    "CMP-CL2": 1.3,
    "CMP-DUP1": 1.5,
    "CMP-DUP2": 1.5,
    "CMP-ID1": 0.9,
    "CMP-ID2": 0.9,
    "CMP-ID4": 1.5,
    "CMP-NM1": 1.0,
    "CMP-ED1": 3.0,
    "CMP-YB1": 1.0,
    "EX1:NAT-H-1": 0.8,
    "EX1:NAT-H-2": 0.7,
    "EX1:NAT-H-3": 0.7,
    "EX1:NAT-H-4": 2.5,
    "EX1:NAT-H-5": 0.8,
    "EX1:NAT-H-6": 0.8,
    "EX1:NAT-H-7": 0.8,
}
UNREGISTERED = {"CMP-UR1": 1.2, "CMP-UR2": 1.2}
# Looks like a discrepancy and is none: the kinds that the rules exempt.
DECOYS = dict.fromkeys(
    (
        "wheelchair",
        "homestead",
        "resettled",
        "cooperative",
        "closed_company",
        "public_post",
        "village_cadre",
        "survivor",
        "cancelled_certificate",
        "renovated",
        "taught_at_home",
        "exempt_from_school",
    ),
    0.02,
)

# A check about an absence says unknown of a person whose ID cannot be read: to be found at all, these keep a readable one.
# Those about the ID itself keep it so that what was planted is what is seen.
KEEPS_ID = (
    "CMP-MZ1", "CMP-CL1", "CMP-ED1", "CMP-YB1", "CMP-DUP1", "CMP-DUP2", "CMP-ID1", "CMP-ID2", "CMP-ID4", "CMP-NM1",
    "CMP-UR1", "CMP-UR2", "EX1:NAT-H-4",
)  # fmt: skip
KEEPS_NAME = ("CMP-DUP1", "CMP-DUP2", "CMP-ID4")  # another name would make of one person two


def add_plans(frame: pl.DataFrame, world: World, discrepancies: float) -> pl.DataFrame:
    """registered, plan, decoy (per household) and target (per person) beside whole households of people.

    `discrepancies` is the share of households that a plan of weight 1 is drawn for.
    """
    draw, house = world.draw, pl.col("household")
    possible = {name: weight for name, weight in REGISTERED.items() if name != "CMP-DUP2" or world.counties > 1}
    scaled = [{name: weight * discrepancies for name, weight in plans.items()} for plans in (possible, UNREGISTERED)]
    frame = frame.with_columns(
        registered=draw.unit("registered", house) < world.registered_share,
        age=2019 - pl.col("birth_year") - (pl.col("birth_on").dt.ordinal_day() > 334),
        school_age=_age_on_school_day(),
    ).with_columns(
        plan=pl.when("registered")
        .then(draw.chance("plan", house, scaled[0]))
        .otherwise(draw.chance("plan", house, scaled[1])),
        decoy=pl.when("registered").then(draw.chance("decoy", house, DECOYS)),
        pupil=pl.col("school_age").is_between(6, 15),
    )
    return (
        frame.with_columns(target=_target(world).fill_null(False))
        .with_columns(
            # a plan that found nobody is no plan
            plan=pl.when(pl.col("target").any().over("household")).then("plan"),
        )
        .with_columns(decoy=pl.when(pl.col("plan").is_null()).then("decoy"))
    )


def has_plan(*names: str) -> pl.Expr:
    """True for every member of a household with one of these plans."""
    return pl.col("plan").is_in(names).fill_null(False)


def is_target(*names: str) -> pl.Expr:
    """True for the member whom one of these plans is about."""
    return has_plan(*names) & pl.col("target")


def has_decoy(*names: str) -> pl.Expr:
    """True for every member of a household with one of these decoys."""
    return pl.col("decoy").is_in(names).fill_null(False)


def _age_on_school_day() -> pl.Expr:
    """Full years on 1 September 2019, the day on which compulsory school age is judged."""
    birthday = pl.col("birth_on").dt.month().cast(pl.Int64) * 100 + pl.col("birth_on").dt.day()  # a month is an Int8
    return 2019 - pl.col("birth_year") - (birthday > 901).cast(pl.Int64)


def _target(world: World) -> pl.Expr:
    draw, house, slot, size = world.draw, pl.col("household"), pl.col("slot"), pl.col("size")
    oldest = pl.col("birth_on") == pl.col("birth_on").min().over("household")
    first_pupil = pl.col("pupil") & (slot == slot.filter(pl.col("pupil")).min().over("household"))
    couple = (pl.col("role") == "S").any().over("household")
    spouse_turn = couple & (draw.unit("spouse_turn", house) < 0.4)
    adult = slot == spouse_turn.cast(pl.Int64)
    return (
        pl.when(pl.col("plan").is_null()).then(False)
        .when(has_plan("CMP-PS1")).then(oldest)
        .when(has_plan("CMP-PS2")).then((size > 1) & (slot == size - 1))
        .when(has_plan("CMP-VH1", "CMP-RE1", "CMP-IC1", "CMP-CZ1", "CMP-MZ3", "CMP-UR1", "CMP-UR2")).then(adult)
        .when(has_plan("CMP-RE2") | pl.col("plan").str.contains(r"NAT-H-[1-367]")).then(slot == 0)
        .when(has_plan("CMP-ID4", "CMP-DUP1")).then(pl.col("role") == "S")
        .when(has_plan("CMP-DUP2")).then(size <= 3)
        .when(has_plan("CMP-ED1", "EX1:NAT-H-4")).then(first_pupil)
        .otherwise(slot == draw.below("target", house, size))
    )  # fmt: skip
