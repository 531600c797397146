"""So many people a minute and no more, also where a whole zone would leave at one moment. Pure: moments in and out.

Whoever is to leave gets a seat. Seats are counted from the run's moment on, as if from then on people left one after
the other without a break, so many a minute. What leaves is gathered by the beat, so that batches stay whole: all seats
of a beat have its beginning as their moment. Wherever a minute begins, it has no more seats than so many.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from campaigns.schedules.wall_clock import Window, wall_at, within

_MINUTE: Final = timedelta(minutes=1)
#: Beats of a minute; and of one in which so many people leave that a beat would be more than a thousand of them.
_BEATS: Final = 6
_QUICK_BEATS: Final = 60
_MANY: Final = 6_000


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `per_minute` people in any minute; their seats are counted from `begins` on."""

    begins: datetime
    per_minute: int

    @property
    def beats(self) -> int:
        """How many beats a minute has."""
        return _BEATS if self.per_minute <= _MANY else _QUICK_BEATS

    def moment_of(self, seat: int) -> datetime:
        """When somebody with this seat leaves. Seats that lie `per_minute` apart lie a minute apart, exactly."""
        return self.begins + seat * self.beats // self.per_minute * (_MINUTE / self.beats)

    def seat_from(self, moment: datetime) -> int:
        """The first seat whose moment is this one, or later."""
        beat = -((self.begins - moment) // (_MINUTE / self.beats))
        return -(-beat * self.per_minute // self.beats)


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody may leave from `moment` on, at which their window is open by the clock in their `zone`."""

    moment: datetime
    zone: tzinfo
    window: Window | None = None


class Seats:
    """Which seats are taken: ranges `(first, end)` in order, of which none touches another. It changes as they are."""

    def __init__(self, taken: Iterable[Sequence[int]] = ()) -> None:
        self.taken = [(first, end) for first, end in taken]

    def free_from(self, seat: int) -> int:
        """The first seat from this one on that is free."""
        at = self._at(seat)
        return max(seat, self.taken[at][1]) if at >= 0 else seat

    def take(self, seat: int) -> None:
        """Take a free seat."""
        first, end = seat, seat + 1
        at = self._at(seat)
        begins = at + 1
        if at >= 0 and self.taken[at][1] == seat:
            first, begins = self.taken[at][0], at
        ends = at + 1
        if ends < len(self.taken) and self.taken[ends][0] == end:
            end, ends = self.taken[ends][1], ends + 1
        self.taken[begins:ends] = [(first, end)]

    def forget(self, before: int) -> None:
        """Nobody asks for seats before this one any more."""
        self.taken = [one for one in self.taken if one[1] > before]

    def _at(self, seat: int) -> int:
        """Where the range stands that begins with this seat, or is the last that begins before it; -1 for none."""
        return bisect_right(self.taken, seat, key=lambda one: one[0]) - 1


def seated(wish: Wish, pace: Pace, seats: Seats) -> datetime:
    """When somebody leaves: with the first free seat at which they may. The seat is taken."""
    moment, is_opening = wish.moment, False
    while True:
        first = pace.seat_from(moment)
        seat = seats.free_from(first)
        found = pace.moment_of(seat)
        if wish.window is None or wish.window.holds(wall_at(found, wish.zone)):
            seats.take(seat)
            return found
        if is_opening and seat == first:
            # it closes before the next beat: nights count for more than the pace
            return wish.moment
        moment, is_opening = within(wish.window, found, wish.zone), True
