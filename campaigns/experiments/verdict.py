"""What an experiment says, for programs and in plain words: which variant won, or why none has yet.

A winner is named when the probability that it is the best passes a bound, and never before every variant has reached
`LEAST_PEOPLE`. The bound holds for one look, at the hour of the decision; whoever looks each minute and stops at the
first good moment is deceived more often (docs/explanations/experiments.md has the figures).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Final

from campaigns.experiments.assignment import HOLD_OUT
from campaigns.experiments.bayes import Interval, Standing, Tally, interval, standings

#: With fewer people in any variant no winner is named: two or three clicks more would turn it round.
LEAST_PEOPLE: Final = 100
#: A tenth of a percentage point: what nobody would mention ...
_SMALL: Final = 0.001
#: ... unless rates are so low that it is more than this part of them.
_SMALL_PART: Final = 0.05


class Goal(StrEnum):
    """What is hoped for of the people."""

    CLICK = "click"
    CONVERSION = "conversion"

    @property
    def did(self) -> str:
        """What those have done who are counted as successes."""
        return "clicked" if self is Goal.CLICK else "converted"


class Finding(StrEnum):
    """What kind of answer an experiment has."""

    ALONE = "alone"  # one variant, which there is nothing to compare with
    EARLY = "early"
    ALIKE = "alike"
    WON = "won"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`leader` is the variant most likely to be best, with this `probability`; `winner` says the same once it is certain enough."""

    finding: Finding
    winner: str | None
    leader: str
    probability: float
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Uplift:
    """By how much more often people did what was hoped for because they got a message.

    `helps` is the probability that the difference is above 0.
    """

    difference: float
    low: float
    high: float
    helps: float


def verdict(tallies: Sequence[Tally], goal: Goal, bound: float = 0.95) -> Verdict:
    """Who won and with what probability, in words; a tally with the letter `HOLD_OUT` is compared with all others together."""
    arms, held_out = _told_apart(tallies)
    stands = sorted(standings(arms), key=attrgetter("best"), reverse=True)
    by_letter = {arm.letter: arm for arm in arms}
    leader = stands[0]
    finding = _finding(arms, stands, bound)
    match finding:
        case Finding.ALONE:
            sentences = [
                f"{_counted(arms[0], goal)} {_between(arms[0])}. There is no other variant to compare it with."
            ]
        case Finding.WON:
            sentences = _won(stands, by_letter, goal)
        case Finding.ALIKE:
            sentences = _alike(stands, by_letter, goal)
        case Finding.EARLY:
            sentences = _early(stands, by_letter, goal, bound)
    if held_out is not None and goal is Goal.CONVERSION:  # who got nothing cannot click on it
        sentences.append(_against_hold_out(arms, held_out))
    winner = leader.letter if finding is Finding.WON else None
    return Verdict(finding, winner, leader.letter, leader.best, tuple(sentences))


def is_decided(tallies: Sequence[Tally], bound: float = 0.95) -> bool:
    """Whether there is a winner; what `verdict` says, without the words."""
    arms, _ = _told_apart(tallies)
    return _finding(arms, sorted(standings(arms), key=attrgetter("best"), reverse=True), bound) is Finding.WON


def uplift(arms: Sequence[Tally], held_out: Tally) -> Uplift:
    """What all variants together did beyond those who got nothing, with its 95 % interval.

    The interval is made of those of the two rates by the square-and-add rule of Newcombe's method 10 (Statistics in
    Medicine 17, 1998), which holds at small rates too, where a normal one would not.
    """
    reached = Tally("all", sum(arm.people for arm in arms), sum(arm.successes for arm in arms))
    difference = reached.mean - held_out.mean
    ours, theirs = interval(reached), interval(held_out)
    return Uplift(
        difference,
        difference - math.hypot(reached.mean - ours.low, theirs.high - held_out.mean),
        difference + math.hypot(ours.high - reached.mean, held_out.mean - theirs.low),
        standings((reached, held_out))[0].best,
    )


def _told_apart(tallies: Sequence[Tally]) -> tuple[list[Tally], Tally | None]:
    arms = [tally for tally in tallies if tally.letter != HOLD_OUT]
    letters = [tally.letter for tally in tallies]
    if not arms:
        raise ValueError("a verdict needs the tally of at least one variant")
    if len(set(letters)) < len(letters):
        raise ValueError(f"each variant has one tally: {', '.join(letters)}")
    return arms, next((tally for tally in tallies if tally.letter == HOLD_OUT), None)


def _finding(arms: Sequence[Tally], stands: Sequence[Standing], bound: float) -> Finding:
    """What there is to say; `stands` begins with the leader."""
    if not 0.5 < bound < 1:
        raise ValueError(f"the bound for a winner is above 0.5 and below 1, not {bound}")
    if len(arms) == 1:
        return Finding.ALONE
    if min(arm.people for arm in arms) < LEAST_PEOPLE:
        return Finding.EARLY
    if stands[0].best >= bound:
        return Finding.WON
    return Finding.ALIKE if len(_alike_at_the_top(stands, arms)) > 1 else Finding.EARLY


def _alike_at_the_top(stands: Sequence[Standing], arms: Sequence[Tally]) -> list[Standing]:
    """Those which it costs next to nothing to choose. That the leader is one of them says only that it leads."""
    mean = next(arm.mean for arm in arms if arm.letter == stands[0].letter)
    return [stand for stand in stands if stand.loss < min(_SMALL, _SMALL_PART * mean)]


def _won(stands: Sequence[Standing], arms: dict[str, Tally], goal: Goal) -> list[str]:
    """Who won, against whom, and whether it matters."""
    best, second = arms[stands[0].letter], arms[stands[1].letter]
    better = (
        f"better than {second.letter}"
        if len(stands) == 2
        else f"the best of {_letters([stand.letter for stand in stands])}"
    )
    sentences = [
        f"{best.letter} is {better} with {_chance(stands[0].best)}: "
        f"{_counted(best, goal)}, {_percent(second.rate)} of {second.letter} {_between(best)}."
    ]
    if stands[1].loss < min(_SMALL, _SMALL_PART * best.mean):
        sentences.append(f"It matters little: to choose {second.letter} would cost {_points(stands[1].loss)}.")
    return sentences


def _alike(stands: Sequence[Standing], arms: dict[str, Tally], goal: Goal) -> list[str]:
    """Between whom there is no difference, and who is behind them."""
    alike = sorted(stand.letter for stand in _alike_at_the_top(stands, list(arms.values())))
    behind = sorted(set(arms) - set(alike))
    sentences = [
        f"No difference worth mentioning between {_letters(alike)}: whichever you choose, it costs less than "
        f"{_points(max(stand.loss for stand in stands if stand.letter in alike))} to be wrong.",
        _all_counted(sorted(arms.values(), key=attrgetter("letter")), goal),
    ]
    if behind:
        sentences.insert(1, f"{_letters(behind)} {'is' if len(behind) == 1 else 'are'} behind.")
    return sentences


def _early(stands: Sequence[Standing], arms: dict[str, Tally], goal: Goal, bound: float) -> list[str]:
    """What is missing, and who leads so far."""
    few = [arm for arm in arms.values() if arm.people < LEAST_PEOPLE]
    if few:
        told = ", ".join(f"{arm.letter} has {arm.people}" for arm in few)
        return [
            f"Too early to tell: {told} of the {LEAST_PEOPLE} people that each variant needs before there is a winner."
        ]
    leader = stands[0]
    return [
        f"Too early to tell: {leader.letter} leads with {_chance(leader.best)}, and {_chance(bound)} are needed.",
        _all_counted(sorted(arms.values(), key=attrgetter("letter")), goal),
    ]


def _against_hold_out(arms: Sequence[Tally], held_out: Tally) -> str:
    """What the messages brought, compared with those who got none."""
    people = sum(arm.people for arm in arms)
    if min(people, held_out.people) < LEAST_PEOPLE:
        return (
            f"Too early to tell what the messages bring: {people} people got one and {held_out.people} are held out, "
            f"and {LEAST_PEOPLE} of each are needed."
        )
    found = uplift(arms, held_out)
    got = sum(arm.successes for arm in arms) / people
    more = f"{_points(abs(found.difference))} {'more' if found.difference >= 0 else 'less'}"
    return (
        f"{_percent(got)} of those who got a message {Goal.CONVERSION.did}, {_percent(held_out.rate)} of those held out: "
        f"{more} (the true difference lies between {_signed(found.low)} and {_signed(found.high)} percentage points "
        f"with 95 %). The message helps with {_chance(found.helps)}."
    )


def _counted(tally: Tally, goal: Goal) -> str:
    return f"{_percent(tally.rate)} of those who got {tally.letter} {goal.did}"


def _all_counted(tallies: Sequence[Tally], goal: Goal) -> str:
    parts = ", ".join(f"{_percent(tally.rate)} of {tally.letter} {_range(interval(tally))}" for tally in tallies)
    return f"So far {goal.did}: {parts}; in brackets, where the true rate lies with 95 %."


def _between(tally: Tally) -> str:
    true = interval(tally)
    return f"(the true rate of {tally.letter} lies between {_percent(true.low)} and {_percent(true.high)} with 95 %)"


def _range(found: Interval) -> str:
    return f"({_percent(found.low)} to {_percent(found.high)})"


def _percent(part: float) -> str:
    """12.4 %, and 0.35 % where the first digit would be lost."""
    return f"{part:.1%}".replace("%", " %") if part >= 0.01 or part == 0 else f"{part:.2%}".replace("%", " %")


def _chance(probability: float) -> str:
    """Cut off, not rounded: what has not passed 95 % is not told as 95 %, and nothing is certain."""
    if probability > 0.999:
        return "more than 99.9 %"
    tenths = math.floor(probability * 1000 + 1e-9) / 10
    return f"{tenths:.1f} %" if tenths > 99 else f"{math.floor(tenths)} %"


def _points(difference: float) -> str:
    return f"{100 * difference:.2f} percentage points"


def _signed(difference: float) -> str:
    return f"{100 * difference:+.2f}"


def _letters(letters: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(letters[:-1]), letters[-1])))
