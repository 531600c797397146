"""What the messages brought: how much more often those did it who got one than those who were held out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.experiments.bayes import Tally, interval, standings


@dataclass(frozen=True, slots=True)
class Uplift:
    """The difference of the two rates, between what it truly lies with 95 %, and how likely it is to be above 0."""

    reached: Tally
    difference: float
    low: float
    high: float
    helps: float


def uplift(arms: Sequence[Tally], held_out: Tally) -> Uplift:
    """What all variants together did beyond those who got nothing.

    The interval is made of those of the two rates by the square-and-add rule of Newcombe's method 10 (Statistics in
    Medicine 17, 1998), which holds for low rates too, where a normal one would not.
    """
    reached = Tally("all", sum(arm.people for arm in arms), sum(arm.successes for arm in arms))
    difference = reached.rate - held_out.rate
    ours, theirs = interval(reached), interval(held_out)
    return Uplift(
        reached,
        difference,
        difference - math.hypot(reached.rate - ours.low, theirs.high - held_out.rate),
        difference + math.hypot(ours.high - reached.rate, held_out.rate - theirs.low),
        standings((reached, held_out))[0].best,
    )
