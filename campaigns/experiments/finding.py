"""What an experiment shows so far: which variant won, or that none differs, or that it is too early to tell.

A winner is named when the probability that it is the best passes a bound, and never before every variant has reached
`LEAST_PEOPLE`. The bound holds for one look, at the hour of the decision; whoever looks each minute and stops at the
first good moment is deceived more often (docs/explanations/experiments.md has the figures).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Final

from campaigns.experiments.bayes import Standing, Tally, standings
from campaigns.vocabulary import HOLD_OUT

#: With fewer people in any variant no winner is named: two or three clicks more would turn it round.
LEAST_PEOPLE: Final = 100
#: A tenth of a percentage point is not worth mentioning ...
_SMALL: Final = 0.001
#: ... unless rates are so low that it is more than this part of them.
_SMALL_PART: Final = 0.05


class Finding(StrEnum):
    """What kind of answer an experiment has."""

    ALONE = "alone"  # one variant, which there is nothing to compare with
    EARLY = "early"
    ALIKE = "alike"
    WON = "won"


@dataclass(frozen=True, slots=True)
class Reading:
    """All that can be told of the tallies.

    `arms` are in the order of their letters, `stands` begin with the most likely best. `alike` are the letters of those
    which it costs next to nothing to choose; that it is the first alone says only that it leads.
    """

    finding: Finding
    bound: float
    arms: tuple[Tally, ...]
    stands: tuple[Standing, ...]
    alike: tuple[str, ...]
    held_out: Tally | None

    def arm(self, letter: str) -> Tally:
        """The tally of one variant."""
        return next(arm for arm in self.arms if arm.letter == letter)


def read(tallies: Sequence[Tally], bound: float) -> Reading:
    """What the tallies show; the one with the letter `HOLD_OUT` is no variant."""
    if not 0.5 < bound < 1:
        raise ValueError(f"the bound for a winner is above 0.5 and below 1, not {bound}")
    letters = sorted(tally.letter for tally in tallies)
    if len(set(letters)) < len(letters):
        raise ValueError(f"each variant has one tally: {', '.join(letters)}")
    arms = sorted((tally for tally in tallies if tally.letter != HOLD_OUT), key=attrgetter("letter"))
    if not arms:
        raise ValueError("an experiment is read from the tally of at least one variant")
    held_out = next((tally for tally in tallies if tally.letter == HOLD_OUT), None)
    stands = sorted(standings(arms), key=attrgetter("best"), reverse=True)
    leader = next(arm for arm in arms if arm.letter == stands[0].letter)
    small = min(_SMALL, _SMALL_PART * leader.mean)
    alike = sorted(stand.letter for stand in stands if stand.loss < small)
    return Reading(_finding(arms, stands[0], bound, alike), bound, tuple(arms), tuple(stands), tuple(alike), held_out)


def _finding(arms: Sequence[Tally], leader: Standing, bound: float, alike: Sequence[str]) -> Finding:
    if len(arms) == 1:
        return Finding.ALONE
    if min(arm.people for arm in arms) < LEAST_PEOPLE:
        return Finding.EARLY
    if leader.best >= bound:
        return Finding.WON
    return Finding.ALIKE if len(alike) > 1 else Finding.EARLY
