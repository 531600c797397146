"""An experiment in plain words: short sentences that a person can repeat, each with the figures it rests on."""

import math
from collections.abc import Sequence

from campaigns.experiments.bayes import Tally, interval
from campaigns.experiments.finding import LEAST_PEOPLE, Finding, Reading
from campaigns.experiments.uplift import uplift
from campaigns.vocabulary import Goal


def sentences(reading: Reading, goal: Goal, *, is_over: bool = False) -> tuple[str, ...]:
    """What there is to say, the most important first; `is_over`: there will be no more people."""
    told = _compared(reading, goal, is_over=is_over)
    if reading.held_out and goal is Goal.CONVERSION:  # whoever got nothing cannot click on it
        told.append(_brought(reading.arms, reading.held_out))
    return tuple(told)


def _compared(reading: Reading, goal: Goal, *, is_over: bool) -> list[str]:
    match reading.finding:
        case Finding.ALONE:
            return _alone(reading, goal)
        case Finding.EARLY:
            return _early(reading, goal, is_over=is_over)
        case Finding.ALIKE:
            return _alike(reading, goal)
        case Finding.WON:
            return _won(reading, goal)


def _alone(reading: Reading, goal: Goal) -> list[str]:
    return [f"{_counted(reading.arms[0], goal)} {_between(reading.arms[0])}.", "There is nothing to compare it with."]


def _early(reading: Reading, goal: Goal, *, is_over: bool) -> list[str]:
    """What is missing, and who leads so far. Who waits for it in vain is told so."""
    few = [f"{arm.letter} has {arm.people}" for arm in reading.arms if arm.people < LEAST_PEOPLE]
    if few:
        told = f"Too {'few people' if is_over else 'early'} to tell"
        return [f"{told}: {_listed(few)} of the {LEAST_PEOPLE} people that each variant needs."]
    leader, bound = reading.stands[0], f"{100 * reading.bound:g} %"
    told = f"Too {'close' if is_over else 'early'} to tell"
    return [
        f"{told}: {leader.letter} leads with {_chance(leader.best)}, and {bound} are needed.",
        _all_counted(reading.arms, goal),
    ]


def _alike(reading: Reading, goal: Goal) -> list[str]:
    """Between whom there is no difference, and who is behind them."""
    cost = _points(max(stand.loss for stand in reading.stands if stand.letter in reading.alike))
    same = f"No difference worth mentioning between {_listed(reading.alike)}: to choose the wrong one costs {cost}."
    behind = [arm.letter for arm in reading.arms if arm.letter not in reading.alike]
    worse = [f"{_listed(behind)} {'is' if len(behind) == 1 else 'are'} behind."] if behind else []
    return [same, *worse, _all_counted(reading.arms, goal)]


def _won(reading: Reading, goal: Goal) -> list[str]:
    """Who won, against whom, and whether it matters."""
    first, next_best = reading.stands[:2]
    best, second = reading.arm(first.letter), reading.arm(next_best.letter)
    letters = [arm.letter for arm in reading.arms]
    better = f"better than {second.letter}" if len(letters) == 2 else f"the best of {_listed(letters)}"
    counted = f"{_counted(best, goal)}, {_percent(second.rate)} of {second.letter} {_between(best)}"
    told = [f"{best.letter} is {better} with {_chance(first.best)}: {counted}."]
    if second.letter in reading.alike:
        told.append(f"It matters little: to choose {second.letter} would cost {_points(next_best.loss)}.")
    return told


def _brought(arms: Sequence[Tally], held_out: Tally) -> str:
    """What the messages brought, compared with those who got none."""
    found = uplift(arms, held_out)
    reached = found.reached
    if min(reached.people, held_out.people) < LEAST_PEOPLE:
        return (
            f"Too early to tell what the messages bring: {reached.people:,} people got one and {held_out.people:,} "
            f"are held out, and {LEAST_PEOPLE} of each are needed."
        )
    more = f"{_points(abs(found.difference))} {'more' if found.difference >= 0 else 'less'}"
    true = f"between {100 * found.low:+.2f} and {100 * found.high:+.2f} with 95 %"
    return (
        f"{_percent(reached.rate)} of those who got a message {Goal.CONVERSION.did}, {_percent(held_out.rate)} of "
        f"those held out: {more} (the true difference lies {true}); the message helps with {_chance(found.helps)}."
    )


def _counted(tally: Tally, goal: Goal) -> str:
    return f"{_percent(tally.rate)} of those who got {tally.letter} {goal.did}"


def _between(tally: Tally) -> str:
    true = interval(tally)
    return f"(the true rate of {tally.letter} lies between {_percent(true.low)} and {_percent(true.high)} with 95 %)"


def _all_counted(arms: Sequence[Tally], goal: Goal) -> str:
    """The rates of all, for those cases in which nobody stands out."""
    told = []
    for arm in arms:
        true = interval(arm)
        told.append(f"{_percent(arm.rate)} of {arm.letter} ({_percent(true.low)} to {_percent(true.high)})")
    return f"So far {goal.did}: {_listed(told)}; in brackets, where the true rate lies with 95 %."


def _percent(part: float) -> str:
    """12.4 %, and 0.35 % where the digit before the last would be lost."""
    return f"{100 * part:.1f} %" if part >= 0.01 or part == 0 else f"{100 * part:.2f} %"


def _chance(probability: float) -> str:
    """Cut off, not rounded: what has not reached 95 % is not told as 95 %, and nothing is certain."""
    if probability > 0.999:
        return "more than 99.9 %"
    tenths = math.floor(1000 * probability + 1e-9)
    return f"{tenths / 10:.1f} %" if tenths > 990 else f"{tenths // 10} %"


def _points(difference: float) -> str:
    return f"{100 * difference:.2f} percentage points"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
