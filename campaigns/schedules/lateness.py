"""What becomes of moments that passed while nobody looked, as after a downtime.

The latest of them still counts if it is at most `late_limit` late; all earlier ones and what is too late are skipped,
each with its reason. Whenever, and however often, is asked: every moment is told once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from campaigns.schedules.moments import Now, Schedule, between, next_after
from campaigns.schedules.wall_clock import SPAN, THEIR_OWN

#: Moments that are told at once; what was missed beyond that comes with the next question.
TOGETHER: Final = 500
_MISSED: Final = "It passed while nothing could be started, and of such moments the latest counts alone."


@dataclass(frozen=True, slots=True)
class Skipped:
    """A moment that starts nothing; `because` is what people read."""

    moment: datetime
    because: str


@dataclass(frozen=True, slots=True)
class Due:
    """What a question comes to: the moment that runs, those that do not, and where the next question goes on.

    `seen_to`: up to here all is told, which is the next question's `last`. `then`: the first moment after that, None
    where the schedule has ended. It may be due already, where much was missed.
    """

    run: datetime | None
    skipped: tuple[Skipped, ...]
    seen_to: datetime
    then: datetime | None


def due(schedule: Schedule, last: datetime, at: datetime, late_limit: timedelta) -> Due:
    """What is to be done at `at`, all up to and with `last` having been told. Raises `BadSchedule`."""
    if at <= last:
        return Due(None, (), last, next_after(schedule, last))
    missed = between(schedule, last, at, TOGETHER + 1)
    more = len(missed) > TOGETHER
    if more:
        missed = missed[:TOGETHER]
    seen_to = missed[-1] if more else at
    then = next_after(schedule, seen_to)
    if more or not missed:
        return Due(None, tuple(Skipped(one, _MISSED) for one in missed), seen_to, then)
    *earlier, latest = missed
    skipped = [Skipped(one, f"{_MISSED} A later one was found: {latest:%Y-%m-%d %H:%M} UTC.") for one in earlier]
    late = _lateness(schedule, latest, at)
    if late > late_limit:
        return Due(None, (*skipped, Skipped(latest, _too_late(late, late_limit))), seen_to, then)
    return Due(latest, tuple(skipped), seen_to, then)


def _lateness(schedule: Schedule, moment: datetime, at: datetime) -> timedelta:
    """By everybody's own clock it is late only for all when the last clock on earth has shown the time."""
    is_their_own = not isinstance(schedule, Now) and schedule.zone == THEIR_OWN
    return at - moment - (SPAN if is_their_own else timedelta(0))


def _too_late(late: timedelta, late_limit: timedelta) -> str:
    return f"It could not be started in time: it was {_hours(late)} late, and may be {_hours(late_limit)} at most."


def _hours(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
