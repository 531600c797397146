"""Variants side by side: what part of the people did what, between what the true part lies, and who is the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from campaigns import deciding
from campaigns.experiments.bayes import Interval, Tally, interval, standings
from campaigns.experiments.verdict import verdict
from campaigns.models import Run
from campaigns.progress import Counts
from campaigns.reports.counting import Counted
from campaigns.vocabulary import HOLD_OUT, Goal

#: What is compared, in the order in which it happens.
COMPARED: Final = ("opened", "clicked", "converted", "unsubscribed", "complained")


@dataclass(frozen=True, slots=True)
class Part:
    """What part of the reached people did something, and between what the true part lies with 95 %."""

    rate: float
    true: Interval


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant beside the others.

    `reached` are people to whom something has left. `best` is the probability that it is the best of all by the goal
    of the campaign; None where there is nothing to compare it with.
    """

    letter: str
    template: str
    people: int
    reached: int
    counted: Counted
    parts: Mapping[str, Part]
    best: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All variants, and what there is to say about them, the most important first."""

    goal: str
    variants: Sequence[Variant]
    sentences: Sequence[str]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is known of the arms of one letter."""

    template: str
    people: int
    counted: Counted


def compared(run: Run, gathered: Mapping[str, Gathered]) -> Comparison:
    """The variants of one run, by their letters, and who won; whoever is held out is passed over."""
    tallies = deciding.tallies(run, {letter: _counts(one) for letter, one in gathered.items()})
    goal = Goal(run.campaign.goal)
    if not any(tally.people for tally in tallies):
        return Comparison(goal.did, side_by_side(gathered), ())
    best = {one.letter: one.best for one in standings(tallies)} if len(tallies) > 1 else {}
    found = verdict(tallies, goal, run.campaign.sure_percent / 100)
    return Comparison(goal.did, side_by_side(gathered, best), found.sentences)


def side_by_side(gathered: Mapping[str, Gathered], best: Mapping[str, float] | None = None) -> Sequence[Variant]:
    """The variants of one run or several, by their letters, without the hold-out."""
    arms = {letter: one for letter, one in sorted(gathered.items()) if letter != HOLD_OUT}
    return [_variant(letter, one, (best or {}).get(letter)) for letter, one in arms.items()]


def _variant(letter: str, one: Gathered, best: float | None) -> Variant:
    reached = min(one.people, one.counted.sent)
    parts = {}
    for name in COMPARED:
        did: int = getattr(one.counted, name)
        tally = Tally(letter, max(reached, did), did)
        if tally.people:
            parts[name] = Part(tally.rate, interval(tally))
    return Variant(letter, one.template, one.people, reached, one.counted, parts, best)


def _counts(one: Gathered) -> Counts:
    told = one.counted
    return Counts(people=one.people, sent=told.sent, clicked=told.clicked, converted=told.converted)
