"""Fellegi–Sunter match weights: a model read from TOML, and the bits that each comparison level adds.

Fellegi and Sunter (1969), "A Theory for Record Linkage". Weights add up; a missing value adds nothing.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from fupin_cli.errors import ConfigurationError, InputMissingError

_LEVELS = {
    "id_number": ("exact", "repaired", "damaged", "same_text", "different", "unlike"),
    "name": ("exact", "one_edit", "other"),
    "birth": ("equal", "one_fault", "different"),
    "sex": ("equal", "different"),
    "place": ("village", "township", "county", "elsewhere"),
}
_U_FROM_DATA = {("name", "exact"), *(("place", level) for level in _LEVELS["place"])}


@dataclass(frozen=True)
class Model:
    """What each comparison level is worth, and where the bands begin.

    `m` and `u` are keyed by (field, level); u of exact names and of places comes from the files and is not here.
    """

    id: str
    version: int
    m: Mapping[tuple[str, str], float]
    u: Mapping[tuple[str, str], float]
    accept_probability: float
    review_probability: float
    tie_bits: float
    pseudo_count: float
    typical_frequency: float

    @property
    def accept_weight(self) -> float:
        """Bits at which a pair is accepted, if nothing contradicts it."""
        return to_bits(self.accept_probability)

    @property
    def review_weight(self) -> float:
        """Bits from which a person must look."""
        return to_bits(self.review_probability)

    def bits(self, field: str, level: str) -> float:
        """log2(m / u) of a level whose u the model holds."""
        return math.log2(self.m[field, level] / self.u[field, level])


def to_bits(probability: float) -> float:
    """A probability as log2 odds."""
    return math.log2(probability / (1 - probability))


def to_probability(bits: pl.Expr) -> pl.Expr:
    """Log2 odds as a probability."""
    return 1 / (1 + (-bits * math.log(2)).exp())


def load_model(path: Path) -> Model:
    """The model in one TOML file. Raises ConfigurationError that names the file and the key."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputMissingError("no such linkage model", where=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("not readable as TOML", where=str(path), why=str(error)) from None
    try:
        return _model(data)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"linkage model: {error}", where=str(path), try_="compare with rules/linkage/default.toml"
        ) from None


def _model(data: Mapping[str, Any]) -> Model:
    m: dict[tuple[str, str], float] = {}
    u: dict[tuple[str, str], float] = {}
    for field, levels in _LEVELS.items():
        for level in levels:
            try:
                entry = data[field][level]
            except KeyError:
                raise KeyError(f"[{field}] {level} is missing") from None
            m[field, level] = _probability(entry["m"], f"[{field}] {level} m")
            if (field, level) not in _U_FROM_DATA:
                u[field, level] = _probability(entry["u"], f"[{field}] {level} u")
    decision, name = data["decision"], data["name"]
    return Model(
        id=str(data["model"]["id"]),
        version=int(data["model"]["version"]),
        m=m,
        u=u,
        accept_probability=_probability(decision["accept_probability"], "accept_probability"),
        review_probability=_probability(decision["review_probability"], "review_probability"),
        tie_bits=float(decision["tie_bits"]),
        pseudo_count=float(name["pseudo_count"]),
        typical_frequency=_probability(name["typical_frequency"], "typical_frequency"),
    )


def _probability(value: object, where: str) -> float:
    if not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError(f"{where} must lie above 0 and not above 1")
    return float(value)


def score(pairs: pl.DataFrame, model: Model, *, prior_bits: float, place_u: Mapping[str, float]) -> pl.DataFrame:
    """The pairs with one `bits_*` column per field, and their sum with the prior as `match_weight`.

    Needs the level columns of `comparison.compare` and `name_frequency` (how common the extract's name is).
    """
    id_agrees = pl.col("id_level").is_in(["exact", "repaired", "damaged", "same_text"])
    name_exact = (pl.lit(model.m["name", "exact"]) / pl.col("name_frequency")).log(2)
    place = {level: math.log2(model.m["place", level] / u) for level, u in place_u.items()}
    fields = {
        "id_number": _weigh("id_level", {level: model.bits("id_number", level) for level in _LEVELS["id_number"]}),
        "name": pl.when(pl.col("name_level") == "exact")
        .then(name_exact)
        .otherwise(_weigh("name_level", {level: model.bits("name", level) for level in ("one_edit", "other")})),
        # birth date and sex are part of the ID number: where that agrees they are not counted a second time
        "birth": pl.when(id_agrees & pl.col("birth_level").is_in(["equal", "one_fault"]))
        .then(0.0)
        .otherwise(_weigh("birth_level", {level: model.bits("birth", level) for level in _LEVELS["birth"]})),
        "sex": pl.when(id_agrees & (pl.col("sex_level") == "equal"))
        .then(0.0)
        .otherwise(_weigh("sex_level", {level: model.bits("sex", level) for level in _LEVELS["sex"]})),
        "place": _weigh("place_level", place),
    }
    scored = pairs.with_columns(
        *(bits.alias(f"bits_{field}") for field, bits in fields.items()), pl.lit(prior_bits).alias("bits_prior")
    )
    total = pl.sum_horizontal([f"bits_{field}" for field in (*fields, "prior")])
    # six decimals: far below any threshold's meaning, and the same on every machine
    return scored.with_columns(total.round(6).alias("match_weight"))


def _weigh(column: str, bits: Mapping[str, float]) -> pl.Expr:
    return pl.col(column).replace_strict(list(bits), list(bits.values()), default=0.0, return_dtype=pl.Float64)
