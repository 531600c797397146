"""When a campaign goes out: at once, once, or again and again. Pure: moments in, moments out.

What is planned is told by the clock on a wall in a zone, or on everybody's own (`wall_clock.THEIR_OWN`, whose moments
are those at which the first clock on earth shows that time). Moments are in UTC. Of what was missed: lateness.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from campaigns.schedules import crontabs
from campaigns.schedules.wall_clock import BadSchedule, moment_of, wall_at, zone_named
from campaigns.vocabulary import EveryUnit

_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Now:
    """At once: at the moment, in UTC, at which it was asked for."""

    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Once:
    """When the clock on the wall shows `at`, which is naive."""

    at: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Every:
    """At an interval. Days are those of the calendar: the time of day stays when the clock is set."""

    number: int
    unit: EveryUnit

    @property
    def interval(self) -> timedelta:
        """How long it is between two, while no clock is set. Raises `OverflowError` for more than time has."""
        if self.number < 1:
            raise BadSchedule(f"An interval is one of its units at least; this one is {self.number} {self.unit}.")
        return timedelta(**{self.unit.value: self.number})


@dataclass(frozen=True, slots=True)
class Recurring:
    """By a crontab or at an interval, from the beginning (which an interval must have) to the end, both included."""

    rule: str | Every
    zone: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None


Schedule = Now | Once | Recurring


def next_after(schedule: Schedule, moment: datetime) -> datetime | None:
    """The first moment after this one; None where there is none. Raises `BadSchedule`."""
    return next(_after(schedule, moment), None)


def next_from(schedule: Schedule, moment: datetime) -> datetime | None:
    """The first moment from this one on, which it may be itself; None where there is none."""
    return next_after(schedule, moment - _INSTANT)


def first_moment(schedule: Schedule, at: datetime) -> datetime | None:
    """With which moment a schedule begins that is made valid at `at`; None where it has ended by then.

    A date may have passed by then, since whoever approves it took their time: whether it counts is asked of lateness.
    """
    if isinstance(schedule, Recurring):
        return next_from(schedule, at)
    return next(_told(schedule, at), None)


def between(schedule: Schedule, after: datetime, until: datetime, limit: int) -> list[datetime]:
    """The moments after the one, up to and with the other, in order; at most `limit` of them."""
    found: list[datetime] = []
    for moment in islice(_after(schedule, after), limit):
        if moment > until:
            break
        found.append(moment)
    return found


def _after(schedule: Schedule, moment: datetime) -> Iterator[datetime]:
    """All moments after this one, in order, each once. What lies past the end of the calendar never comes."""
    told = moment
    try:
        for one in _told(schedule, moment):
            if one > told:
                told = one
                yield one
    except OverflowError:
        return


def _told(schedule: Schedule, moment: datetime) -> Iterator[datetime]:
    """As `_after`, with some that lie before, and some more than once."""
    match schedule:
        case Now(asked_at=asked_at):
            return iter((asked_at,))
        case Once(at=at, zone=zone):
            return iter((moment_of(at, zone_named(zone)),))
        case Recurring():
            return _recurring(schedule, moment)


def _recurring(schedule: Recurring, moment: datetime) -> Iterator[datetime]:
    """Moments in order, the first of which may lie before what is asked for; in a gap several are the same."""
    zone = zone_named(schedule.zone)
    last = moment_of(schedule.ends_at, zone) if schedule.ends_at else datetime.max.replace(tzinfo=UTC)
    first = moment_of(schedule.starts_at, zone) if schedule.starts_at else None
    match schedule.rule:
        case Every() as every:
            coming = _at_intervals(every, schedule, moment)
        case crontab:
            begins = wall_at(max(moment, first) if first else moment, zone).replace(second=0, microsecond=0)
            coming = (moment_of(wall, zone) for wall in crontabs.parse(crontab).walls(begins))
    for one in coming:
        if one > last:
            return
        if first is None or one >= first:
            yield one


def _at_intervals(every: Every, schedule: Recurring, moment: datetime) -> Iterator[datetime]:
    if schedule.starts_at is None:
        raise BadSchedule("An interval needs a beginning, from which it is counted.")
    zone, interval = zone_named(schedule.zone), every.interval
    first = moment_of(schedule.starts_at, zone)
    # one earlier than it seems, as a day may be an hour shorter than another
    number = max(0, (moment - first) // interval - 1)
    while True:
        if every.unit is EveryUnit.DAYS:
            yield moment_of(schedule.starts_at + number * interval, zone)
        else:
            yield first + number * interval
        number += 1
