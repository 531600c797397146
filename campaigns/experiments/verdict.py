"""The verdict on an experiment, for programs and for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from campaigns.experiments.bayes import Tally
from campaigns.experiments.finding import Finding, read
from campaigns.experiments.wording import sentences
from campaigns.vocabulary import Goal

#: How likely a variant must be the best to be called the winner, where nothing else is said.
BOUND: Final = 0.95


@dataclass(frozen=True, slots=True)
class Verdict:
    """What there is to say: `leader` is the best with this `probability`, and the `winner` once that is enough."""

    finding: Finding
    winner: str | None
    leader: str
    probability: float
    sentences: tuple[str, ...]


def verdict(tallies: Sequence[Tally], goal: Goal, bound: float = BOUND, *, is_over: bool = False) -> Verdict:
    """Who won and with what probability, in words; `is_over`: nobody else will get a variant that is compared.

    A tally with the letter `HOLD_OUT` is compared with all others together, where the goal is a conversion.
    """
    reading = read(tallies, bound)
    leader = reading.stands[0]
    winner = leader.letter if reading.finding is Finding.WON else None
    return Verdict(reading.finding, winner, leader.letter, leader.best, sentences(reading, goal, is_over=is_over))


def is_decided(tallies: Sequence[Tally], bound: float = BOUND) -> bool:
    """Whether there is a winner; what `verdict` says, without the words."""
    return read(tallies, bound).finding is Finding.WON
