"""Simulated crowds whose true rates are known, and what theory says of the experiments that are made with them."""

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from random import Random
from statistics import NormalDist

from campaigns.experiments.bayes import Tally
from campaigns.experiments.thompson import shares

LETTERS = "ABCDEF"
NORMAL = NormalDist()


def successes(people: int, rate: float, dice: Random) -> int:
    """How many of `people` do it, each with the probability `rate`: an exact binomial draw.

    It goes from one success to the next, whose distance is geometric (Devroye, Non-Uniform Random Variate Generation,
    1986, X.4.3): as many steps as there are successes.
    """
    if rate <= 0:
        return 0
    found, at, failing = 0, 0, math.log1p(-rate)
    while True:
        at += int(math.log(1 - dice.random()) / failing) + 1
        if at > people:
            return found
        found += 1


def fixed(rates: Sequence[float], each: int, dice: Random) -> list[Tally]:
    """What comes of a fixed split: as many people for each variant."""
    return [Tally(letter, each, successes(each, rate, dice)) for letter, rate in zip(LETTERS, rates, strict=False)]


def peeked(rates: Sequence[float], each: int, looks: int, dice: Random) -> list[list[Tally]]:
    """What one would see of a fixed split at each of `looks` moments on the way."""
    steps = [fixed(rates, each // looks, dice) for _ in range(looks)]
    return list(accumulate(([*step] for step in steps), added))


def adaptive(rates: Sequence[float], batches: int, batch: int, dice: Random) -> list[Tally]:
    """What comes of shares that are made anew before each batch.

    Few draws are enough: each is a decision of its own, about the people whom it stands for.
    """
    known = [Tally(letter, 0, 0) for letter in LETTERS[: len(rates)]]
    for _ in range(batches):
        weights = (share.weight for share in shares(known, dice, draws=25))
        ends = [round(end * batch) for end in accumulate(weights, initial=0.0)]
        people = [upper - lower for lower, upper in pairwise(ends)]
        drawn = [successes(count, rate, dice) for count, rate in zip(people, rates, strict=True)]
        known = added(known, [Tally(tally.letter, *new) for tally, *new in zip(known, people, drawn, strict=True)])
    return known


def added(one: Sequence[Tally], other: Sequence[Tally]) -> list[Tally]:
    """Two tallies of each variant as one."""
    return [
        Tally(first.letter, first.people + second.people, first.successes + second.successes)
        for first, second in zip(one, other, strict=True)
    ]


def power(worse: float, better: float, each: int, bound: float) -> float:
    """How often the better of two is named: how often their difference, a normal variable, passes the bound."""
    deviation = math.sqrt((worse * (1 - worse) + better * (1 - better)) / each)
    return NORMAL.cdf((better - worse) / deviation - NORMAL.inv_cdf(bound))


def leads(rates: Sequence[float], each: int) -> float:
    """How often the best, which is the last, has the highest count: its normal variable is above all others.

    The integral of its density times what lies below, by the trapezoidal rule.
    """
    *others, best = (NormalDist(rate, math.sqrt(rate * (1 - rate) / each)) for rate in rates)
    step = best.stdev / 20
    places = [best.mean + place * step for place in range(-160, 161)]
    return math.fsum(step * best.pdf(x) * math.prod(other.cdf(x) for other in others) for x in places)


def error(part: float, repetitions: int) -> float:
    """The standard error of a part that was counted in so many repetitions."""
    return math.sqrt(part * (1 - part) / repetitions)
