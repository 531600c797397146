"""What an account's weight is multiplied by: less than 1 while it errs or is slower than its peers. Pure.

It falls at once to what the latest answers call for, and rises by a tenth every few seconds: whoever failed a moment
ago is not given everything again because of ten good answers.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

#: Seconds of answers that are looked at together.
WINDOW: Final = 30
#: Seconds between two looks.
PERIOD: Final = 5
#: Upper bounds of the times that are counted together, in seconds, each half as long again: a 95th percentile is exact
#: to that. What takes longer than the last is counted with it.
BOUNDS: Final = tuple(0.01 * 1.5**step for step in range(19))

#: Fewer answers say nothing; nor do fewer failures among them.
_ENOUGH: Final = 10
_ENOUGH_FAILURES: Final = 3
#: A share of failures that every service has at times.
_USUAL_SHARE: Final = 0.02
#: An account is slow that takes so many times as long as the fastest of its peers, and longer than so many seconds.
_TIMES_AS_SLOW: Final = 3.0
_NOTICED: Final = 0.3
#: What is left to the worst: a trickle shows when it works again.
LEAST: Final = 0.05
#: By how much it rises in a period.
_RISE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Sample:
    """An account's answers in the window: how many were good, how many failures, and how long they took, counted by
    the place of their bound in `BOUNDS`.
    """

    good: int = 0
    bad: int = 0
    times: Mapping[int, int] = field(default_factory=Counter)

    @property
    def answers(self) -> int:
        """All of them; being asked to slow down is neither good nor a failure, and not among them."""
        return self.good + self.bad

    @property
    def says_something(self) -> bool:
        """Whether it holds enough to judge by."""
        return self.answers >= _ENOUGH

    @property
    def p95(self) -> float | None:
        """Seconds within which 95 % of the answers came; None where there were too few."""
        wanted = math.ceil(0.95 * sum(self.times.values()))
        if not self.says_something or not wanted:
            return None
        passed = 0
        for place, count in sorted(self.times.items()):
            passed += count
            if passed >= wanted:
                return BOUNDS[place]
        return None


@dataclass(frozen=True, slots=True)
class Drift:
    """What a weight is multiplied by from now on, and why."""

    factor: float
    why: str


def bound_of(seconds: float) -> int:
    """The place in `BOUNDS` at which an answer that took so long is counted."""
    return min(bisect_left(BOUNDS, seconds), len(BOUNDS) - 1)


def drifted(factor: float, sample: Sample, peers: Sequence[Sample], periods: float) -> Drift:
    """What follows from the last window, when `factor` was found so many periods ago."""
    wanted = _wanted(sample, peers)
    if wanted.factor < factor:
        return wanted
    risen = min(wanted.factor, round(factor + _RISE * max(0.0, periods), 2))
    if wanted.factor < 1.0:
        return Drift(risen, wanted.why)
    bad = f"{sample.bad} of {sample.answers} answers in {WINDOW} s were failures"
    return Drift(risen, f"it works again: {bad}" if sample.says_something else "nothing speaks against it any more")


def resting(factor: float) -> Drift:
    """What follows from an open breaker: after it, the account begins with little."""
    return Drift(min(factor, LEAST), "its breaker is open")


def _wanted(sample: Sample, peers: Sequence[Sample]) -> Drift:
    if not sample.says_something:
        return Drift(1.0, "")
    share = sample.bad / sample.answers
    errs = share > _USUAL_SHARE and sample.bad >= _ENOUGH_FAILURES
    # a fifth of failures leaves 0.4 of the weight, a half next to nothing
    factor, whys = (1 - share) ** 4 if errs else 1.0, []
    if errs:
        whys.append(f"{sample.bad} of {sample.answers} answers in {WINDOW} s were failures")
    took, theirs = sample.p95, min((peer.p95 for peer in peers if peer.p95), default=None)
    if took and theirs and took > _NOTICED and took > _TIMES_AS_SLOW * theirs:
        factor *= _TIMES_AS_SLOW * theirs / took
        whys.append(f"95 % of its answers took up to {took:.2g} s, of a peer's up to {theirs:.2g} s")
    return Drift(max(LEAST, _rounded(factor)), " and ".join(whys))


def _rounded(factor: float) -> float:
    """To a twentieth, downwards: what changes by less is not worth telling."""
    return math.floor(factor * 20 + 1e-9) / 20
