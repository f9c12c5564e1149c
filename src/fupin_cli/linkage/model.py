"""A Fellegi–Sunter model: what each comparison level is worth, as read from TOML, as learned from files, and written back.

Fellegi and Sunter (1969), "A Theory for Record Linkage". `m` is how often a level is seen between two rows of one person, `u`
between rows of two; the bits of a level are log2(m / u), and they add up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from fupin_cli.errors import ConfigurationError, InputMissingError
from fupin_cli.language import tr
from fupin_cli.linkage.comparison import ID_LEVELS, LEVELS, PLACES
from fupin_cli.toml_text import read_toml

Values = tuple[float, ...]  # one for each level of a field, in the order of LEVELS
FIELDS = tuple(name for name in LEVELS if name not in ("id_number", "masked"))
_ANY_TWO = ("disowned", "unlike", "different", "again")
NUMBERS = (*ID_LEVELS[:6], "shared", *_ANY_TWO)
_FROM_FILES = {
    ("name", "exact"),
    *(("place", level) for level in LEVELS["place"]),
}  # u that no file of weights need state
_UNSEEN = 1e-9


@dataclass(frozen=True)
class Model:
    """What each comparison level is worth, and where the bands begin.

    `u` of exact names is how common the name is, `concentration` times as much inside one village. `near` and `kin` are the u of
    name levels between two people of one village and of one household. `number` is for each ID level how many of such pairs are
    one person, or, where any two people are a pair, m; also for `shared` and `again`. `odds` are log2 odds that a candidate of a
    stratum (see weights.STRATA) is a true pair; one that is not there follows from `number`.
    """

    id: str
    version: int
    m: Mapping[str, Values]
    u: Mapping[str, Values]
    near: Values
    kin: Values
    number: Mapping[str, float]
    accept_probability: float
    accept_error: float
    review_probability: float
    tie_bits: float
    concentration: float = 1.0
    odds: Mapping[str, float] = field(default_factory=dict)
    learned_from: int = 0

    def bits(self, name: str) -> list[float]:
        """log2(m / u) of each level of a field."""
        return [math.log2(m / u) for m, u in zip(self.m[name], self.u[name], strict=True)]


def to_bits(probability: float) -> float:
    """A probability as log2 odds."""
    return math.log2(probability / (1 - probability))


def probabilities(bits: np.ndarray) -> np.ndarray:
    """`to_probability` of an array."""
    found: np.ndarray = 1 / (1 + np.exp2(-np.clip(bits, -500, 500)))
    return found


def to_probability(bits: pl.Expr) -> pl.Expr:
    """Log2 odds as a probability."""
    return 1 / (1 + (-bits * math.log(2)).exp())


def load_model(path: Path) -> Model:
    """The model in one TOML file. Raises ConfigurationError that names the file and the key."""
    try:
        data = read_toml(path)[0]
    except FileNotFoundError:
        raise InputMissingError(tr("no such linkage model"), where=str(path)) from None
    try:
        return _model(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(
            tr("linkage model: {what}", what=error.args[0] if error.args else error),
            where=str(path),
            try_=tr("compare with rules/linkage/default.toml"),
        ) from None


def _model(data: Mapping[str, Any]) -> Model:
    number = _number(data.get("id_number", {}))
    m, u = ({name: _values(data, name, which) for name in FIELDS} for which in ("m", "u"))
    decision, learned = data["decision"], data.get("learned", {})
    return Model(
        id=str(data["model"]["id"]),
        version=int(data["model"]["version"]),
        m=m,
        u=u,
        near=_values(data, "name", "near"),
        kin=_values(data, "name", "kin"),
        number=number,
        accept_probability=_probability(decision["accept_probability"], "accept_probability"),
        accept_error=_probability(decision["accept_error"], "accept_error"),
        review_probability=_probability(decision["review_probability"], "review_probability"),
        tie_bits=float(decision["tie_bits"]),
        concentration=float(learned.get("concentration", 1.0)),
        odds={str(name): float(bits) for name, bits in learned.get("odds", {}).items()},
        learned_from=int(learned.get("pairs", 0)),
    )


def _number(data: Mapping[str, Any]) -> dict[str, float]:
    found = {}
    for level in NUMBERS:
        if level not in data:
            raise KeyError(f"[id_number] {level} is missing")
        value = data[level]["m"] if level in _ANY_TWO else data[level]
        found[level] = _probability(value, f"[id_number] {level}")
    return found


def with_parts(place: Values) -> Values:
    """The values of all levels of place from those that say how far apart two rows are: who shares a village shares more."""
    hamlet, village, township, county, elsewhere = place[:PLACES]
    within = hamlet + village, hamlet + village + township, hamlet + village + township + county
    return hamlet, village, township, county, elsewhere, *within


def _values(data: Mapping[str, Any], name: str, which: str) -> Values:
    found = []
    for level in LEVELS[name][:PLACES] if name == "place" else LEVELS[name]:
        entry = data.get(name, {}).get(level)
        if entry is None:
            raise KeyError(f"[{name}] {level} is missing")
        if which not in entry and (which == "near" or (name, level) in _FROM_FILES):
            found.append(_UNSEEN)
        elif which not in entry:
            raise KeyError(f"[{name}] {level} has no {which}")
        else:
            found.append(_probability(entry[which], f"[{name}] {level} {which}"))
    return with_parts(tuple(found)) if name == "place" else tuple(found)


def _probability(value: object, where: str) -> float:
    if not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError(tr("{where} must lie above 0 and not above 1", where=where))
    return float(value)


def as_toml(model: Model, title: str) -> str:
    """The model as a file that `load_model` reads: all figures as they were learned."""
    lines = [
        f"# {title}",
        "# 由 fupin link --save-model 写出 · learned by fupin link --save-model; reused with --model",
        "",
        "[model]",
        f'id = "{model.id}"',
        f"version = {model.version}",
        "",
        "[decision]",
        f"accept_probability = {model.accept_probability!r}",
        f"accept_error = {model.accept_error!r}",
        f"review_probability = {model.review_probability!r}",
        f"tie_bits = {model.tie_bits!r}",
    ]
    lines += ["", "[id_number]"]
    for level, value in model.number.items():
        shown = f"{{ m = {_figure(value)} }}" if level in _ANY_TWO else _figure(value)
        lines.append(f"{level:<10} = {shown}")
    for name in FIELDS:
        lines += ["", f"[{name}]"]
        for n, level in enumerate(LEVELS[name][:PLACES] if name == "place" else LEVELS[name]):
            figures = {"m": model.m[name][n], "u": model.u[name][n]}
            if name == "name":
                figures |= {"near": model.near[n], "kin": model.kin[n]}
            known = ", ".join(f"{key} = {_figure(value)}" for key, value in figures.items() if value > _UNSEEN)
            lines.append(f"{level:<10} = {{ {known} }}")
    lines += ["", "[learned]", f"pairs = {model.learned_from}", f"concentration = {_figure(model.concentration)}"]
    lines += ["", "[learned.odds]  # log2 odds that a candidate pair of this kind is one person"]
    lines += [f'"{name}" = {bits:.4f}' for name, bits in sorted(model.odds.items())]
    return "\n".join(lines) + "\n"


def _figure(value: float) -> str:
    return f"{value:.6g}"
