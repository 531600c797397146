"""Who gets what in an experiment: told by a hash of who it is, so that the answer is never stored and never changes.

A person has a place between 0 and 1 for each purpose of each experiment. The places are spread evenly, and to know one
says nothing of another: whoever is held out, tested, or given B is a fair sample of everybody. Nothing is rolled: a
chunk that is planned a second time after a crash, and a report a month later, find everybody in the same place.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import accumulate
from operator import attrgetter
from typing import Final
from uuid import UUID

from campaigns.vocabulary import HOLD_OUT

#: What a place is for. At most 16 bytes: blake2b takes no longer ones.
_TO_HOLD_OUT: Final = "hold-out"
_TO_TEST: Final = "test"
_TO_VARY: Final = "variant"


@dataclass(frozen=True, slots=True)
class Share:
    """How much of the people one variant gets, as compared with the weights of the others; 0 is nobody."""

    letter: str
    weight: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and self.weight >= 0):
            raise ValueError(f"variant {self.letter}: a weight is 0 or more, not {self.weight}")


def place(experiment_id: UUID, person: UUID, purpose: str) -> float:
    """Where somebody stands between 0 (included) and 1 (not) for one purpose of one experiment; about a microsecond.

    The experiment is the salt of the hash and the purpose its personalization, 16 bytes at most, which makes each pair
    a hash function of its own (BLAKE2, 2.5 and 2.8). 53 bits of it are all that a float can tell apart.
    """
    digest = blake2b(person.bytes, digest_size=8, salt=experiment_id.bytes, person=purpose.encode()).digest()
    return (int.from_bytes(digest, "big") >> 11) * 2.0**-53


def arm_of(place: float, shares: Sequence[Share]) -> str:
    """The letter of the variant whose part of the line from 0 to 1 has `place` in it, in whatever order they come."""
    bounds, letters = _line(shares)
    return letters[bisect_right(bounds, place)]


@dataclass(frozen=True, slots=True)
class Design:
    """How the people of one experiment are divided: first who is held out, then who is in the test, then who gets what.

    `hold_out` and `test` are portions from 0 to 1; what is tested is a portion of those who are not held out. A portion
    that grows keeps everybody whom it had. Neither depends on the shares: whoever was held out still is when the
    weights have changed.
    """

    experiment_id: UUID
    shares: tuple[Share, ...]
    hold_out: float = 0.0
    test: float = 1.0
    _bounds: tuple[float, ...] = field(init=False, repr=False, compare=False)
    _letters: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, portion in (("hold-out", self.hold_out), ("test", self.test)):
            if not 0 <= portion <= 1:
                raise ValueError(f"the {name} is a portion from 0 to 1, not {portion}")
        bounds, letters = _line(self.shares)
        object.__setattr__(self, "_bounds", bounds)  # a frozen value is put together once
        object.__setattr__(self, "_letters", letters)

    def is_held_out(self, person: UUID) -> bool:
        """Whether they get nothing, whatever wins."""
        return self.hold_out > 0 and place(self.experiment_id, person, _TO_HOLD_OUT) < self.hold_out

    def is_tested(self, person: UUID) -> bool:
        """Whether they are of the portion that finds the winner, if they are not held out; the rest waits for it."""
        return self.test >= 1 or place(self.experiment_id, person, _TO_TEST) < self.test

    def variant_of(self, person: UUID) -> str:
        """The letter of what they would get by the shares, held out and tested or not."""
        return self._letters[bisect_right(self._bounds, place(self.experiment_id, person, _TO_VARY))]

    def arm_of(self, person: UUID) -> str | None:
        """Their letter: a variant's, `HOLD_OUT`, or None for those who wait until the winner is known."""
        if self.is_held_out(person):
            return HOLD_OUT
        return self.variant_of(person) if self.is_tested(person) else None


def _line(shares: Sequence[Share]) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Where one part of the line ends and the next begins, and whose the parts are, of which there is one more."""
    filled = sorted((share for share in shares if share.weight > 0), key=attrgetter("letter"))
    letters = tuple(share.letter for share in filled)
    if not letters:
        raise ValueError("an experiment needs a variant with a weight above 0")
    if len(set(letters)) < len(letters):
        raise ValueError(f"each variant has one share: {', '.join(letters)}")
    total = math.fsum(share.weight for share in filled)
    ends = accumulate(share.weight for share in filled)
    return tuple(end / total for end in ends)[:-1], letters
