"""The Beta distribution: how much of it lies below a value, and below which value a part of it lies.

The standard library has neither. The tests hold both against closed forms, exact sums and values of thirty digits.
"""

import math
from statistics import NormalDist
from typing import Final

#: Where the continued fraction has settled.
_SETTLED: Final = 1e-15
#: It takes some sqrt(max(a, b)) terms at worst: a thousand for a million people.
_MOST_TERMS: Final = 200_000
_MOST_STEPS: Final = 200


def log_density(x: float, a: float, b: float) -> float:
    """The logarithm of the density of Beta(a, b) at x, from 0 to 1."""
    if not 0 < x < 1:
        at_edge = a if x == 0 else b
        return math.log(max(a, b)) if at_edge == 1 else -math.inf
    return (a - 1) * math.log(x) + (b - 1) * math.log1p(-x) - _log_beta(a, b)


def cdf(x: float, a: float, b: float) -> float:
    """The part of Beta(a, b) below x: the regularized incomplete beta function I_x(a, b).

    By its continued fraction (DLMF 8.17.22, evaluated by Lentz's method as in Numerical Recipes, 3rd edition, 6.4), on
    the side of the mean where that converges fast; the other side is DLMF 8.17.4, I_x(a, b) = 1 - I_(1-x)(b, a).
    """
    if a <= 0 or b <= 0:
        raise ValueError(f"the parameters of a Beta distribution are above 0, not {a} and {b}")
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - _log_beta(a, b))
    if x < (a + 1) / (a + b + 2):
        return min(front * _fraction(x, a, b) / a, 1.0)
    return max(1 - front * _fraction(1 - x, b, a) / b, 0.0)


def quantile(part: float, a: float, b: float) -> float:
    """The value below which `part` of Beta(a, b) lies.

    Newton's steps from the quantile of the normal distribution with the same mean and deviation, kept inside a bracket
    that each step narrows: a step that leaves it is replaced by its middle.
    """
    if not 0 < part < 1:
        raise ValueError(f"a quantile is asked for a part between 0 and 1, not {part}")
    mean = a / (a + b)
    deviation = math.sqrt(mean * (1 - mean) / (a + b + 1))
    low, high = 0.0, 1.0
    x = mean + NormalDist().inv_cdf(part) * deviation
    if not low < x < high:
        x = mean / 8 if x <= low else 1 - (1 - mean) / 8
    for _ in range(_MOST_STEPS):
        missing = part - cdf(x, a, b)
        low, high = (x, high) if missing > 0 else (low, x)
        density = math.exp(log_density(x, a, b))
        step = missing / density if density > 0 else math.inf
        following = x + step if low < x + step < high else (low + high) / 2
        if abs(following - x) <= 1e-12 * min(x, 1 - x):
            return following
        x = following
    return x


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of DLMF 8.17.22, its even and odd terms two at a time.

    With x below the mean all denominators stay away from 0, so that Lentz's guards against it are not needed.
    """
    both = a + b
    c = 1.0
    d = 1 / (1 - both * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / (1 + even * d)
        c = 1 + even / c
        value *= d * c
        odd = -(a + m) * (both + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / (1 + odd * d)
        c = 1 + odd / c
        change = d * c
        value *= change
        if abs(change - 1) <= _SETTLED:
            return value
    raise ArithmeticError(f"I_x(a, b) did not settle for x = {x}, a = {a}, b = {b}")
