"""Who is drawn: stage by stage, with every chance written down.

Every unit has a number that follows from the seed and its own name (BLAKE2b keyed with the seed), and draws go by these numbers:
so the same seed and frame give the same sample in any row order, on any machine and under any version of numpy, and a household
that joins the frame leaves the numbers of all others as they are (permanent random numbers: Ohlsson 1995).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import polars as pl

from fupin_cli.normalise.codes import codes_of
from fupin_cli.rules.sampling import LEVELS, Plan, Stage
from fupin_cli.vocabulary import SAMPLE

_SEEDS = 10**9  # nine digits: a seed is read out and copied into the minutes
_BITS = 2**62
_AT = "/"


@dataclass(frozen=True)
class Drawn:
    """The sample (SAMPLE, and five columns for each stage), and the units that were smaller than what was asked of them.

    `short` has level, place, stratum, asked and present: all of these were taken.
    """

    rows: pl.DataFrame
    short: pl.DataFrame


def new_seed() -> int:
    """A seed that nobody chose."""
    return secrets.randbelow(_SEEDS)


def draw_sample(frame: pl.DataFrame, plan: Plan, seed: int) -> Drawn:
    """The sample of a plan from a frame (SAMPLING_FRAME, in any row order).

    Stage k leaves cell_k (what was drawn apart), unit_k, pi_k (the unit's chance, given that the stages above chose its
    place), taken_k and present_k (units of the cell). The weight is 1 over the product of the chances.
    """
    rows, short = frame.sort("unit_key"), []
    for k, stage in enumerate(plan.stages):
        units = _units(rows, plan, k)
        units = _with_takes(units, plan, k)
        drawn = _drawn(units, stage, k, seed)
        short.append(_short(units, rows, plan, k))
        named = drawn.select(
            pl.col("cell").alias(f"cell_{k}"), pl.col("unit").alias(f"unit_{k}"), pl.col("pi").alias(f"pi_{k}"),
            pl.col("taken").alias(f"taken_{k}"), pl.col("present").alias(f"present_{k}"),
        )  # fmt: skip
        rows = rows.with_columns(_unit(stage.unit).alias(f"unit_{k}")).join(named, on=f"unit_{k}", how="inner")
    chances = pl.lit(1.0)
    for k in range(len(plan.stages)):
        chances = chances * pl.col(f"pi_{k}")
    rows = rows.with_columns(
        weight=1 / chances,
        sample_id=pl.Series(
            codes_of("S", (_digest(seed, f"sample|{key}") for key in rows["unit_key"])), dtype=pl.String
        ),
    )
    rows = _in_groups(rows, plan)
    order = ["group", *LEVELS[:-1], "stratum", "hamlet", "unit_key"]
    return Drawn(SAMPLE.conform(rows).sort(order, nulls_last=True), pl.concat(short))


def _unit(level: str) -> pl.Expr:
    """What a household belongs to at a level: the names of its places down to there, or itself."""
    if level == "household":
        return pl.col("unit_key")
    levels = LEVELS[: LEVELS.index(level) + 1]
    return pl.concat_str((pl.col(place).fill_null("") for place in levels), separator=_AT)


def _units(rows: pl.DataFrame, plan: Plan, k: int) -> pl.DataFrame:
    """cell, unit, size and place of everything that this stage can take; households come with their stratum."""
    stage = plan.stages[k]
    cell = [pl.col(f"unit_{k - 1}") if k else pl.lit("")]
    cell += [_unit(stage.per)] if stage.per else []  # two townships may bear one name
    cell += [pl.col("stratum")] if stage.unit == "household" else []
    size = pl.len() if stage.size == "households" else pl.col("member_count").fill_null(0).sum()
    return (
        rows.select(
            pl.concat_str(cell, separator="|").alias("cell"), _unit(stage.unit).alias("unit"), "member_count", "stratum",
            pl.col("hamlet").fill_null("").alias("listed_at"), (pl.col(f"unit_{k - 1}") if k else pl.lit("")).alias("above"),
        )
        .group_by("cell", "unit", "above")
        .agg(size.cast(pl.Int64).alias("size"), pl.col("stratum").first(), pl.col("listed_at").first())
        .sort("cell", "unit")
    )  # fmt: skip


def _with_takes(units: pl.DataFrame, plan: Plan, k: int) -> pl.DataFrame:
    """The units with `asked`, how many are to be taken of their cell, and `present`, how many there are."""
    stage = plan.stages[k]
    units = units.with_columns(present=pl.len().over("cell").cast(pl.Int64))
    if stage.method == "all":
        return units.with_columns(asked=pl.col("present"))
    if stage.take is not None and (stage.unit != "household" or len(plan.strata) == 1):
        return units.with_columns(asked=pl.lit(stage.take, pl.Int64))
    if plan.allocation == "given":
        takes = {stratum.name: stratum.take for stratum in plan.strata}
        return units.with_columns(asked=pl.col("stratum").replace_strict(takes, return_dtype=pl.Int64))
    names = [stratum.name for stratum in plan.strata]
    counts = units.group_by("above", "stratum").agg(pl.len().cast(pl.Int64).alias("n"))
    shared = []
    for part in counts.partition_by("above", maintain_order=False):
        here = dict(part.select("stratum", "n").rows())
        present = [name for name in names if name in here]
        takes_here = allocate([here[name] for name in present], stage.take or 0, plan.allocation)
        shared += [(part["above"][0], name, take) for name, take in zip(present, takes_here, strict=True)]
    schema = {"above": pl.String, "stratum": pl.String, "asked": pl.Int64}
    return units.join(pl.DataFrame(shared, schema=schema, orient="row"), on=["above", "stratum"], how="left")


def allocate(sizes: Sequence[int], take: int, how: str) -> list[int]:
    """How a take is shared among strata of these sizes: equally, or in proportion by largest remainders.

    In proportion each stratum gets two where it has them, one at least: with one its spread could not be seen.
    """
    if how == "equal":
        return [take // len(sizes) + (n < take % len(sizes)) for n in range(len(sizes))]
    total = sum(sizes)
    if take >= total:
        return list(sizes)
    least = [min(2, size) for size in sizes]
    exact = [take * size / total for size in sizes]
    shares = [max(int(part), low) for part, low in zip(exact, least, strict=True)]
    by_remainder = sorted(range(len(sizes)), key=lambda n: (shares[n] - exact[n], n))
    while sum(shares) < take:
        n = next(n for n in by_remainder if shares[n] < sizes[n])
        shares[n] += 1
        by_remainder = sorted(by_remainder, key=lambda n: (shares[n] - exact[n], n))
    while sum(shares) > take and any(share > low for share, low in zip(shares, least, strict=True)):
        n = max((n for n in range(len(sizes)) if shares[n] > least[n]), key=lambda n: (shares[n] - exact[n], -n))
        shares[n] -= 1
    return shares


def _drawn(units: pl.DataFrame, stage: Stage, k: int, seed: int) -> pl.DataFrame:
    """The units taken, with `pi`, `taken` and `present`."""
    taken = pl.min_horizontal("asked", "present")
    numbers = [_number(seed, f"{k}|{cell}|{unit}") for cell, unit in units.select("cell", "unit").rows()]
    units = units.with_columns(
        taken=taken,
        number=pl.Series(numbers, dtype=pl.Int64),
        start=_starts(units["cell"], k, seed),
    )  # fmt: skip
    if stage.method == "pps":
        return _in_proportion(units)
    if stage.method == "systematic":
        return _every_nth(units)
    by_number = units.sort("cell", "number", "unit")
    return by_number.filter(pl.int_range(pl.len()).over("cell") < pl.col("taken")).with_columns(
        pi=pl.col("taken") / pl.col("present")
    )


def _every_nth(units: pl.DataFrame) -> pl.DataFrame:
    """Systematic, by hamlet and number: an interval that need not be whole, in whole numbers, from a start drawn by the seed."""
    listed = units.sort("cell", "listed_at", "unit")
    at, n, present = pl.int_range(pl.len()).over("cell"), pl.col("taken"), pl.col("present")
    begun = pl.col("start") % present
    hit = ((at + 1) * n + begun) // present > (at * n + begun) // present
    return listed.filter(hit).with_columns(pi=n / present)


def _in_proportion(units: pl.DataFrame) -> pl.DataFrame:
    """Systematic in proportion to size, in random order (Hartley and Rao 1962). Whatever is larger than the interval is sure."""
    units = units.with_columns(size=pl.max_horizontal("size", pl.lit(1)), sure=pl.col("taken") >= pl.col("present"))
    while True:
        left = (pl.col("taken") - pl.col("sure").sum().over("cell")).alias("left")
        rest = pl.col("size").filter(~pl.col("sure")).sum().over("cell").alias("rest")
        told = units.with_columns(left, rest)
        large = (~pl.col("sure") & (pl.col("size") * pl.col("left") >= pl.col("rest")) & (pl.col("left") > 0)).alias(
            "large"
        )
        told = told.with_columns(large)
        if not told["large"].any():
            break
        units = told.with_columns(sure=pl.col("sure") | pl.col("large")).select(units.columns)
    sure = told.filter("sure").with_columns(pi=pl.lit(1.0))
    open_ = told.filter(~pl.col("sure"), pl.col("left") > 0).sort("cell", "number", "unit")
    upto, begun = pl.col("size").cum_sum().over("cell"), pl.col("start") % pl.col("rest")
    hit = (upto * pl.col("left") + begun) // pl.col("rest") > (
        (upto - pl.col("size")) * pl.col("left") + begun
    ) // pl.col("rest")
    drawn = open_.filter(hit).with_columns(pi=pl.col("size") * pl.col("left") / pl.col("rest"))
    return pl.concat([sure, drawn.select(sure.columns)]).sort("cell", "unit")


def _short(units: pl.DataFrame, rows: pl.DataFrame, plan: Plan, k: int) -> pl.DataFrame:
    """Cells that have fewer units than asked, and strata of a drawn place that have none."""
    stage = plan.stages[k]
    is_home = stage.unit == "household"
    named = [pl.lit(stage.unit).alias("level"), pl.col("above").alias("place"),
             (pl.col("stratum") if is_home else pl.lit(None, pl.String)).alias("stratum")]  # fmt: skip
    few = units.unique("cell", keep="first", maintain_order=True).filter(pl.col("asked") > pl.col("present"))
    few = few.select(*named, "asked", "present")
    if not is_home or len(plan.strata) == 1:
        return few.sort("place", "stratum")
    if plan.allocation != "given":  # what is shared out is the take of a whole place
        whole = units.group_by("above").agg(pl.len().cast(pl.Int64).alias("present"))
        whole = whole.with_columns(asked=pl.lit(stage.take, pl.Int64)).filter(pl.col("asked") > pl.col("present"))
        whole = whole.select(
            level=pl.lit("household"), place="above", stratum=pl.lit(None, pl.String), asked="asked", present="present"
        )
        return pl.concat([few, whole]).sort("place", "stratum", nulls_last=True)
    places = rows.select((pl.col(f"unit_{k - 1}") if k else pl.lit("")).alias("place")).unique()
    asked = {stratum.name: stratum.take for stratum in plan.strata}
    each = places.join(pl.DataFrame({"stratum": list(asked)}, schema={"stratum": pl.String}), how="cross")
    none = each.join(units, left_on=["place", "stratum"], right_on=["above", "stratum"], how="anti").select(
        level=pl.lit("household"), place="place", stratum="stratum",
        asked=pl.col("stratum").replace_strict(asked, return_dtype=pl.Int64), present=pl.lit(0, pl.Int64),
    )  # fmt: skip
    return pl.concat([few, none]).sort("place", "stratum")


def _in_groups(rows: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """The sample dealt out among the audit groups, whole places each, the largest first to whoever has least."""
    places = (
        rows.select(place=_unit(plan.groups_by))
        .group_by("place")
        .len("n")
        .sort(["n", "place"], descending=[True, False])
    )
    load = [0] * plan.groups
    dealt = {}
    for place, n in places.rows():
        least = load.index(min(load))
        dealt[place] = least + 1
        load[least] += n
    return rows.with_columns(group=_unit(plan.groups_by).replace_strict(dealt, return_dtype=pl.Int64, default=None))


def _starts(cells: pl.Series, k: int, seed: int) -> pl.Series:
    numbers = {cell: _number(seed, f"start|{k}|{cell}") for cell in cells.unique()}
    return cells.replace_strict(numbers, return_dtype=pl.Int64, default=None)


def _number(seed: int, text: str) -> int:
    return int.from_bytes(_digest(seed, text)[:8], "big") % _BITS


def _digest(seed: int, text: str) -> bytes:
    return blake2b(text.encode(), key=str(seed).encode(), person=b"fupin sample", digest_size=20).digest()
