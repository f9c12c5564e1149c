"""What each kind of evidence adds: the hard world linked again and again, each time without one of them.

The baselines of bench/linkage.py are given all of it but households: the row without those is what to hold against them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

import polars as pl

from fupin_cli.characters import NAME_LEVELS
from fupin_cli.ingest import load_profiles, read_people
from fupin_cli.linkage import blocking, comparison, load_model, stages, training
from fupin_cli.linkage.model import Model
from fupin_cli.linkage.neighbours import neighbours
from fupin_cli.project import shipped_rules
from linkage_data import Case
from linkage_score import Truth, judge

Without = tuple[str, Callable[[], AbstractContextManager[Any]], tuple[str, ...]]


def _same_or_not(a: pl.Series, b: pl.Series) -> pl.Series:
    """Names without any table of characters: the same, one character apart, one surname, or different."""
    one, other = pl.col("a"), pl.col("b")
    as_long = one.str.len_chars() == other.str.len_chars()
    unlike = pl.sum_horizontal(one.str.slice(n, 1) != other.str.slice(n, 1) for n in range(4))
    level = (
        pl.when(one == other).then(pl.lit("exact")).when(as_long & (unlike == 1)).then(pl.lit("one_char"))
        .when(one.str.slice(0, 1) == other.str.slice(0, 1)).then(pl.lit("surname")).otherwise(pl.lit("other"))
    )  # fmt: skip
    return pl.DataFrame({"a": a, "b": b}).select(level.cast(pl.Enum(NAME_LEVELS))).to_series()


@contextmanager
def _plain_names() -> Iterator[None]:
    """Both places that compare names, with `_same_or_not`."""
    with (
        patch.object(comparison, "compare_names", _same_or_not),
        patch.object(training, "compare_names", _same_or_not),
    ):
        yield


def _no_neighbours(people: pl.DataFrame) -> pl.DataFrame:
    return neighbours(people.clear())


def _no_parts(_: pl.Expr) -> list[pl.Expr]:
    return [pl.lit(None, pl.Int64).alias(name) for name in blocking.TWO_PARTS]


def _nothing_shared(by_id: pl.DataFrame, _: pl.DataFrame) -> pl.Series:
    return pl.repeat(value=False, n=by_id.height, eager=True)


def _one_frequency(pairs: pl.DataFrame, *_: object) -> pl.DataFrame:
    """Every name as common as names are on average, no surname rarer than another."""
    return pairs.with_columns(pl.lit(1 / 30_000).alias("name_frequency"), pl.lit(0.0).alias("rarity"))


def _keep(_: object, __: object, ___: object, model: Model) -> Model:
    return model


def _same_odds(_: object, __: object, odds: list[float], ___: object) -> list[float]:
    return odds


def _in_stages(name: str, stand_in: object) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: patch.object(stages, name, stand_in)


WITHOUT: tuple[Without, ...] = (
    ("nothing left out", nullcontext, ()),
    ("household context", nullcontext, ("household",)),
    ("hamlets", nullcontext, ("hamlet_code",)),
    ("households and hamlets", nullcontext, ("household", "hamlet_code")),
    ("all places", nullcontext, ("county_code", "township_code", "village_code", "hamlet_code")),
    ("former names", nullcontext, ("former_name",)),
    ("sound, shape and fold of characters", _plain_names, ()),
    ("how common names are", _in_stages("add_rarity", _one_frequency), ()),
    ("the check equation", lambda: patch.object(blocking, "neighbours", _no_neighbours), ()),
    ("parts of numbers (9-5-4)", lambda: patch.object(blocking, "two_parts", _no_parts), ()),
    ("who else bears the number", _in_stages("_shared", _nothing_shared), ()),
    ("odds learned by EM", _in_stages("learn_odds", _same_odds), ()),
    ("names learned from these files", _in_stages("learn_names", _keep), ()),
)


def measure_ablation(case: Case, seed: int) -> list[dict[str, Any]]:
    """A row for each kind of evidence left out, printed as a table too."""
    known = load_profiles([shipped_rules() / "sources"])
    model = load_model(shipped_rules() / "linkage" / "default.toml")
    sides = [read_people(path, known).keys for path in case.files(seed)]
    truth = Truth.read(case.folder(seed))
    found = []
    print(
        "| without | F1, no labels | false + missed | F1, best cut | accepted: false, recall | accepted + review: recall |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for name, stand_in, columns in WITHOUT:
        nothing = [pl.lit(None).cast(sides[0].schema[column]).alias(column) for column in columns]
        ours, theirs = (side.with_columns(nothing) for side in sides)
        with stand_in():
            figures = judge(stages.link_and_learn(ours, theirs, model).links, truth)
        one, best = figures["at_half"], figures["best_cut"]
        accepted, either = figures["accepted"], figures["accepted_or_review"]
        print(
            f"| {name} | {one['f1']:.5f} | {one['false']:,} + {one['missed']:,} | {best['f1']:.5f} | "
            f"{accepted['false']:,}, {accepted['recall']:.4f} | {either['recall']:.4f} |",
            flush=True,
        )
        found.append({"without": name} | figures)
    return found
