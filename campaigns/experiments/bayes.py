"""What is known of the true rate of each variant, once some people have clicked and others have not.

Before anybody is asked every rate from 0 to 1 is taken to be as likely as any other: the uniform prior, Beta(1, 1). It
favours no variant, needs nothing to be tuned, weighs as much as two people, and keeps every density finite. After s of
n people the rate is distributed as Beta(s + 1, n - s + 1) (Gelman et al., Bayesian Data Analysis, 3rd edition, 2.1 to
2.4).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from campaigns.experiments.beta import log_density, quantile
from campaigns.experiments.quadrature import NODES, WEIGHTS, running, whole

#: A density that is e^40 times lower than at its highest is nothing.
_NOTHING: Final = -40.0


@dataclass(frozen=True, slots=True)
class Tally:
    """How many people got a variant, and how many of them did what was hoped for; each person counts once."""

    letter: str
    people: int
    successes: int

    def __post_init__(self) -> None:
        if not 0 <= self.successes <= self.people:
            raise ValueError(
                f"variant {self.letter}: successes are people, 0 to {self.people} of them, not {self.successes}"
            )

    @property
    def alpha(self) -> int:
        """The first parameter of what is known of the rate."""
        return self.successes + 1

    @property
    def beta(self) -> int:
        """The second parameter of what is known of the rate."""
        return self.people - self.successes + 1

    @property
    def rate(self) -> float:
        """The part that was counted; 0 of nobody."""
        return self.successes / self.people if self.people else 0.0

    @property
    def mean(self) -> float:
        """The rate to be expected: that which was counted, drawn a little towards a half by the prior."""
        return self.alpha / (self.alpha + self.beta)


@dataclass(frozen=True, slots=True)
class Interval:
    """The true rate lies between `low` and `high` with the probability that was asked for."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How one variant stands against all others.

    `best` is the probability that its true rate is the highest; `loss` how far below the highest it is to be expected,
    which is what it costs to choose it (0.001 is one success in a thousand people).
    """

    letter: str
    best: float
    loss: float


def interval(tally: Tally, level: float = 0.95) -> Interval:
    """Where the true rate lies with the probability `level`, and as likely above as below."""
    tail = (1 - level) / 2
    return Interval(quantile(tail, tally.alpha, tally.beta), quantile(1 - tail, tally.alpha, tally.beta))


def standings(tallies: Sequence[Tally]) -> tuple[Standing, ...]:
    """How each variant stands, in the order given: to eight digits and the same each time.

    The best one has a rate x, and all others a lower one: P(i is best) is the integral of f_i(x) times the F_j(x) of
    the others, f being densities and F what lies below x. With another x in the integral, and over all i, it is the
    highest rate that is to be expected. No dice are thrown; six variants of a million people each take milliseconds.
    """
    if not tallies:
        return ()
    curves = [_Curve.of(tally) for tally in tallies]
    reference = max(curve.mean for curve in curves)
    below = [0.0] * len(curves)
    chances = [0.0] * len(curves)
    above_reference = 0.0
    for left, width in _panels(curves):
        half = width / 2
        places = [left + half * (1 + node) for node in NODES]
        logs = [(math.log(x), math.log1p(-x)) for x in places]
        densities = [curve.densities(logs, left, left + width) for curve in curves]
        # where there is next to nothing, the polynomial may swing below 0
        lower = [
            [max(start + half * more, 0.0) for more in running(density)]
            for start, density in zip(below, densities, strict=True)
        ]
        for i, density in enumerate(densities):
            others = lower[:i] + lower[i + 1 :]
            parts = [math.prod(column) for column in zip(density, WEIGHTS, *others, strict=True)]
            chances[i] += half * math.fsum(parts)
            above_reference += half * math.fsum(part * (x - reference) for part, x in zip(parts, places, strict=True))
        below = [start + half * whole(f) for start, f in zip(below, densities, strict=True)]
    total = math.fsum(chances)
    return tuple(
        Standing(tally.letter, chance / total, max(above_reference / total + reference - curve.mean, 0.0))
        for tally, curve, chance in zip(tallies, curves, chances, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Curve:
    """A density, with what is needed to walk along it; nothing of it lies below `low` or above `high`."""

    alpha: int
    beta: int
    mean: float
    deviation: float
    constant: float
    low: float
    high: float

    @classmethod
    def of(cls, tally: Tally) -> "_Curve":
        alpha, beta, mean = tally.alpha, tally.beta, tally.mean
        deviation = math.sqrt(mean * (1 - mean) / (alpha + beta + 1))
        constant = math.lgamma(alpha + beta) - math.lgamma(alpha) - math.lgamma(beta)
        mode = tally.rate if tally.people else 0.5
        return cls(alpha, beta, mean, deviation, constant, _edge(alpha, beta, mode, 0.0), _edge(alpha, beta, mode, 1.0))

    def densities(self, logs: Sequence[tuple[float, float]], left: float, right: float) -> list[float]:
        """The density at places between `left` and `right` whose logarithms, of x and of 1 - x, are given."""
        if right <= self.low or left >= self.high:
            return [0.0] * len(logs)
        p, q, constant = self.alpha - 1, self.beta - 1, self.constant
        return [math.exp(constant + p * of_x + q * of_rest) for of_x, of_rest in logs]


def _edge(alpha: int, beta: int, mode: float, end: float) -> float:
    """Beyond where, towards `end`, there is nothing of a density that is highest at `mode`."""
    nothing = log_density(mode, alpha, beta) + _NOTHING
    if log_density(end, alpha, beta) > nothing:
        return end
    inside, outside = mode, end
    for _ in range(30):
        middle = (inside + outside) / 2
        if log_density(middle, alpha, beta) > nothing:
            inside = middle
        else:
            outside = middle
    return outside


def _panels(curves: Sequence[_Curve]) -> Iterator[tuple[float, float]]:
    """Where each panel begins and how wide it is, from the first to the last place where a rate may be.

    As wide as one deviation of the narrowest curve near by; further off in proportion to the distance, so that no curve
    is stepped over, however narrow it is beside the others.
    """
    left, last = min(curve.low for curve in curves), max(curve.high for curve in curves)
    while left < last:
        width = min(max(curve.deviation, abs(left - curve.mean) / 3) for curve in curves)
        width = min(width, last - left)
        yield left, width
        left += width
        if last - left < 1e-15:
            return
