"""Integrals of functions that are smooth on a short panel, by Gauss and Legendre.

The values of a function at `NODES` say its integral over the panel, and, by the polynomial through them, its integral
up to each node.
"""

import math
from collections.abc import Sequence
from operator import mul
from typing import Final

_POINTS: Final = 8


def _legendre(x: float) -> list[float]:
    """P_0(x) to P_8(x), by their recurrence (DLMF 18.9.1)."""
    found = [1.0, x]
    for n in range(1, _POINTS):
        found.append(((2 * n + 1) * x * found[n] - n * found[n - 1]) / (n + 1))
    return found


def _slope(x: float) -> float:
    """The derivative of P_8 at x (DLMF 18.9.17)."""
    found = _legendre(x)
    return _POINTS * (x * found[-1] - found[-2]) / (x * x - 1)


def _roots() -> tuple[float, ...]:
    """The roots of P_8, by Newton's steps from the cosines near them."""
    roots = []
    for place in range(_POINTS):
        x = -math.cos(math.pi * (place + 0.75) / (_POINTS + 0.5))
        for _ in range(8):  # four would do
            x -= _legendre(x)[-1] / _slope(x)
        roots.append(x)
    return tuple(roots)


#: Where between -1 and 1 a function is evaluated (DLMF 3.5(v)).
NODES: Final = _roots()
#: What each value counts in the integral from -1 to 1.
WEIGHTS: Final = tuple(2 / ((1 - x * x) * _slope(x) ** 2) for x in NODES)


def _up_to(end: float) -> tuple[float, ...]:
    """What each value counts in the integral from -1 to `end`.

    The polynomial through the values is the sum of (2n + 1) / 2 w_j P_n(x_j) P_n(x) y_j, and that of P_n, from -1, is
    (P_(n+1) - P_(n-1)) / (2n + 1).
    """
    at_end = _legendre(end)
    counts = []
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        at_node = _legendre(node)
        rest = math.fsum(at_node[n] * (at_end[n + 1] - at_end[n - 1]) for n in range(1, _POINTS))
        counts.append(weight / 2 * (end + 1 + rest))
    return tuple(counts)


_TO_NODES: Final = tuple(_up_to(node) for node in NODES)


def whole(values: Sequence[float]) -> float:
    """The integral from -1 to 1 of what has these values at the nodes."""
    return math.fsum(map(mul, WEIGHTS, values))


def running(values: Sequence[float]) -> list[float]:
    """The integrals from -1 to each node."""
    return [sum(map(mul, counts, values)) for counts in _TO_NODES]
