"""Quantiles and intervals of shares: Student's t, Clopper and Pearson, and Korn and Graubard for samples drawn in clusters.

Written out here because they are forty lines: a statistics library would weigh more than all of fupin's other dependencies.
"""

from __future__ import annotations

import math

LEVEL = 0.95
_TINY, _CLOSE, _HALVINGS = 1e-300, 1e-15, 200


def clopper_pearson(right: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """The exact limits of a share, right of n; both may be fractions, as effective numbers are (Clopper and Pearson 1934)."""
    tail = (1 - level) / 2
    low = 0.0 if right <= 0 else beta_quantile(tail, right, n - right + 1)
    high = 1.0 if right >= n else beta_quantile(1 - tail, right + 1, n - right)
    return low, high


def t_quantile(probability: float, df: float) -> float:
    """Student's t for a probability above one half; the normal's where df is infinite."""
    tail = 2 * (1 - probability)
    if math.isinf(df):
        df = 1e7
    x = beta_quantile(tail, df / 2, 0.5)  # P(|T| > t) = I(df / (df + t²); df / 2, 1 / 2)
    return math.sqrt(df * (1 - x) / x)


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x of which the beta distribution has this probability below it, by halving."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if beta_below(middle, a, b) < probability:
            low = middle
        else:
            high = middle
        if high - low <= _CLOSE * high:
            break
    return (low + high) / 2


def beta_below(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (Lentz; Press et al., Numerical Recipes 6.4)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > _TINY else _TINY)
    value = d
    for m in range(1, 5000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 + step * d, 1 + step / c
            d, c = 1 / (d if abs(d) > _TINY else _TINY), c if abs(c) > _TINY else _TINY
            value *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return value
