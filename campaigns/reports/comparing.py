"""Variants side by side: what part of the people did what, between what the true part lies, and who is the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from campaigns import deciding, progress
from campaigns.experiments.bayes import Interval, Tally, interval, standings
from campaigns.experiments.finding import Finding
from campaigns.experiments.verdict import Verdict, verdict
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

    `reached` are people to whom something has left. `parts` are of those, or of those of the test alone, once a winner
    of it went to the rest. `best` is the probability that it is the best of all by the goal of the campaign; None where
    there is nothing to compare it with, or it is too early to tell.
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
    """All variants, and what there is to say about them, the most important first.

    `is_of_test`: the people of the test are compared, as they were when the winner was chosen. The winner's others got
    it at another time, and the losing variants have none such.
    """

    goal: str
    variants: Sequence[Variant]
    sentences: Sequence[str]
    is_of_test: bool = False


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is known of the arms of one letter."""

    template: str
    people: int
    counted: Counted


def compared(run: Run, gathered: Mapping[str, Gathered]) -> Comparison:
    """The variants of one run, by their letters, and who won; whoever is held out is passed over."""
    goal = Goal(run.campaign.goal)
    counts = {letter: _counts(one) for letter, one in gathered.items()}
    found = judged(run, counts)
    if found is None:
        return Comparison(goal.did, side_by_side(gathered), ())
    tested = progress.tested(run)
    best = {}
    if found.finding not in (Finding.EARLY, Finding.ALONE):
        best = {one.letter: one.best for one in standings(deciding.tallies(run, tested or counts))}
    return Comparison(goal.did, side_by_side(gathered, best, tested), found.sentences, is_of_test=bool(tested))


def judged(run: Run, by_letter: Mapping[str, Counts]) -> Verdict | None:
    """What the variants of a run show, and of whom; None before anybody was reached."""
    tested = progress.tested(run)
    tallies = deciding.tallies(run, tested or by_letter)
    if not any(tally.people for tally in tallies):
        return None
    sure = run.campaign.sure_percent / 100
    found = verdict(tallies, Goal(run.campaign.goal), sure, is_over=not deciding.may_change(run))
    if not tested:
        return found
    people = sum(tally.people for tally in tallies)
    told = f"Compared are the {people:,} people of the test, and what they did until {run.winner} was chosen"
    return replace(found, sentences=(*found.sentences, f"{told}; whoever got {run.winner} afterwards is not."))


def side_by_side(
    gathered: Mapping[str, Gathered],
    best: Mapping[str, float] | None = None,
    tested: Mapping[str, Counts] | None = None,
) -> Sequence[Variant]:
    """The variants of one run or several, by their letters, without the hold-out. `tested`: whose rates are told."""
    arms = {letter: one for letter, one in sorted(gathered.items()) if letter != HOLD_OUT}
    return [_variant(letter, one, (best or {}).get(letter), (tested or {}).get(letter)) for letter, one in arms.items()]


def _variant(letter: str, one: Gathered, best: float | None, tested: Counts | None) -> Variant:
    reached = min(one.people, one.counted.sent)
    did_what: Counted | Counts = tested or one.counted
    whole = tested.reached if tested else reached
    parts = {}
    for name in COMPARED:
        did: int = getattr(did_what, name)
        tally = Tally(letter, max(whole, did), did)
        if tally.people:
            parts[name] = Part(tally.rate, interval(tally))
    return Variant(letter, one.template, one.people, reached, one.counted, parts, best)


def _counts(one: Gathered) -> Counts:
    told = one.counted
    return Counts(people=one.people, sent=told.sent, clicked=told.clicked, converted=told.converted)
