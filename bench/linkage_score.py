"""What a set of links is worth against the truth.

Links are pairs with a weight. One-to-one is a greedy choice by weight, ties by row number, the same for every system.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from linkage_data import KIND

PAIR = ["register_row", "extract_row"]
# faults that any cleaner undoes, or that every row has
HARMLESS = (
    "birth_only_in_id", "village_suffix", "hukou_apart", "name_dot_variant", "name_inner_space", "name_traditional",
    "name_remark", "id_full_width", "id_inner_blanks", "id_quote_prefix", "id_equals_quoted", "id_tab", "id_label", "id_lower_x",
)  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """Who is who, and what is wrong with which row: faults has (register_row, register_faults) and the same for the extract."""

    links: pl.DataFrame
    register_faults: pl.DataFrame
    extract_faults: pl.DataFrame

    @classmethod
    def read(cls, folder: Path) -> Truth:
        """The truth as `generate` wrote it, without the faults that hinder nobody."""
        faults = pl.read_parquet(folder / "faults.parquet")
        real = pl.col("errors").list.set_difference(list(HARMLESS)).list.sort()
        faults = faults.with_columns(real).filter(pl.col("errors").list.len() > 0)
        sides = [
            faults.filter(pl.col("file") == file).select(pl.col("row").alias(row), pl.col("errors").alias(name))
            for file, row, name in (
                ("register", "register_row", "register_faults"),
                (KIND, "extract_row", "extract_faults"),
            )
        ]
        return cls(pl.read_parquet(folder / "truth.parquet").select(PAIR), *sides)

    def with_faults(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """The pairs with what is wrong on either side; nothing wrong is an empty list."""
        for row, faults in (("register_row", self.register_faults), ("extract_row", self.extract_faults)):
            pairs = pairs.join(faults, on=row, how="left", maintain_order="left")
        return pairs.with_columns(pl.col("register_faults", "extract_faults").fill_null([]))

    def without_borrowed(self) -> Truth:
        """The truth about rows that bear their own number."""
        return replace(self, links=self.own(self.links))

    def own(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """The pairs of which neither row bears a relative's number."""
        borrowed = [
            faults.filter(pl.col(name).list.contains("id_of_relative"))
            for faults, name in ((self.register_faults, "register_faults"), (self.extract_faults, "extract_faults"))
        ]
        return pairs.join(borrowed[0], on="register_row", how="anti").join(borrowed[1], on="extract_row", how="anti")


@dataclass(frozen=True)
class Score:
    """Right, false and missed links, and what follows from them."""

    right: int
    false: int
    missed: int

    @property
    def errors(self) -> int:
        """False and missed together."""
        return self.false + self.missed

    @property
    def precision(self) -> float:
        """Share of the links that are right."""
        return self.right / max(1, self.right + self.false)

    @property
    def recall(self) -> float:
        """Share of the truth that was found."""
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.right / max(1, 2 * self.right + self.errors)

    def figures(self) -> dict[str, float]:
        """All of it, for the JSON."""
        return asdict(self) | {"precision": self.precision, "recall": self.recall, "f1": self.f1}


def one_to_one(links: pl.DataFrame) -> pl.DataFrame:
    """The links chosen one by one by weight, each row once."""
    links = links.sort("match_weight", *PAIR, descending=[True, False, False])
    register, extract = (links[row].to_list() for row in PAIR)
    seen_register, seen_extract, keep = set(), set(), []
    for at, (r, e) in enumerate(zip(register, extract, strict=True)):
        if r not in seen_register and e not in seen_extract:
            seen_register.add(r)
            seen_extract.add(e)
            keep.append(at)
    return links[keep]


def score(links: pl.DataFrame, truth: pl.DataFrame) -> Score:
    """These links against these truths."""
    right = links.join(truth, on=PAIR, how="semi").height
    return Score(right, links.height - right, truth.height - right)


def curve(chosen: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Right and false links at or above each weight, highest first; equal weights fall together."""
    known = truth.with_columns(is_right=pl.lit(1))
    ranked = chosen.join(known, on=PAIR, how="left").with_columns(pl.col("is_right").fill_null(0))
    by_weight = ranked.group_by("match_weight").agg(right=pl.col("is_right").sum(), links=pl.len())
    by_weight = by_weight.sort("match_weight", descending=True).with_columns(pl.col("right", "links").cum_sum())
    return by_weight.select("match_weight", "right", false=pl.col("links").cast(pl.Int64) - pl.col("right"))


def best_cut(chosen: pl.DataFrame, truth: pl.DataFrame) -> Score:
    """The score at the weight that the truth itself says is best: nobody knows it, so it flatters."""
    points = curve(chosen, truth)
    right, false = points["right"].to_numpy(), points["false"].to_numpy()
    at = int(np.argmax(2 * right / (right + false + truth.height)))
    return Score(int(right[at]), int(false[at]), truth.height - int(right[at]))


def recall_at(chosen: pl.DataFrame, truth: pl.DataFrame, precision: float) -> float:
    """The largest share of the truth that is found above some weight with at least this precision."""
    points = curve(chosen, truth)
    enough = points.filter(pl.col("right") >= precision * (pl.col("right") + pl.col("false")))
    return (enough["right"].max() or 0) / truth.height


def judge(links: pl.DataFrame, truth: Truth) -> dict[str, object]:
    """Every figure of one system; those of fupin's own decisions only where it made any."""
    for_all = _judge(links, truth.links)
    own = _judge(truth.own(links), truth.without_borrowed().links)
    return for_all | {"without_borrowed": own}


def _judge(links: pl.DataFrame, truth: pl.DataFrame) -> dict[str, object]:
    if "decision" in links.columns:
        kept = links.filter(pl.col("decision") != "rejected")
        accepted = score(links.filter(pl.col("decision") == "accepted"), truth)
        either = score(kept, truth)
        figures: dict[str, object] = {"accepted": accepted.figures(), "accepted_or_review": either.figures()}
        chosen = one_to_one(kept)
    else:
        figures, chosen = {}, one_to_one(links)
    return figures | {
        "best_cut": best_cut(chosen, truth).figures(),
        "at_half": score(chosen.filter(pl.col("match_probability") >= 0.5), truth).figures(),
        "recall_at_9999": recall_at(chosen, truth, 0.9999),
    }


def final_links(links: pl.DataFrame, truth: Truth) -> pl.DataFrame:
    """The links by which a system's errors are counted: fupin's at its own cut, the others' at their best one."""
    if "decision" in links.columns:
        kept = links.filter((pl.col("decision") != "rejected") & (pl.col("match_probability") >= 0.5))
        return one_to_one(kept)
    chosen = one_to_one(links)
    points = curve(chosen, truth.links)
    gain = 2 * points["right"] / (points["right"] + points["false"] + truth.links.height)
    return chosen.filter(pl.col("match_weight") >= points["match_weight"][int(gain.arg_max() or 0)])


def by_fault(links: pl.DataFrame, truth: Truth) -> pl.DataFrame:
    """False and missed links per fault of either row; a pair with two faults is counted under both."""
    parts = [
        links.join(truth.links, on=PAIR, how="anti").select(*PAIR, kind=pl.lit("false")),
        truth.links.join(links, on=PAIR, how="anti").select(*PAIR, kind=pl.lit("missed")),
        truth.links.select(*PAIR, kind=pl.lit("pairs")),
    ]
    sides = [
        pl.col("register_faults").list.eval("register " + pl.element()),
        pl.col("extract_faults").list.eval("extract " + pl.element()),
    ]
    labelled = truth.with_faults(pl.concat(parts)).with_columns(fault=pl.concat_list(sides))
    labelled = labelled.explode("fault").with_columns(pl.col("fault").fill_null("none"))
    counted = [(pl.col("kind") == kind).sum().alias(kind) for kind in ("pairs", "false", "missed")]
    return labelled.group_by("fault").agg(counted)


def calibration(links: pl.DataFrame, truth: Truth) -> pl.DataFrame:
    """What was predicted and what was true, per range of match_probability: links, their mean probability, the share right."""
    known = truth.links.with_columns(is_right=pl.lit(1))
    cuts = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999]
    judged = links.join(known, on=PAIR, how="left").with_columns(
        pl.col("is_right").fill_null(0), range=pl.col("match_probability").cut(cuts).cast(pl.String)
    )
    by_range = judged.group_by("range").agg(
        links=pl.len(), predicted=pl.col("match_probability").mean(), true=pl.col("is_right").mean()
    )
    return by_range.sort("predicted")
