"""When a campaign goes out: at once, once, or again and again. Pure: moments in, moments out.

What is planned is told by the clock on a wall in a zone, or on everybody's own (`wall_clock.THEIR_OWN`, whose moments
are those at which the first clock on earth shows that time). Moments are in UTC. Of what was missed: `lateness`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Final

from campaigns import crontabs
from campaigns.wall_clock import THEIR_OWN, moment_of, wall_at, zone_named

_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)


class Unit(StrEnum):
    """In what an interval is counted."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Now:
    """At once: at the moment, in UTC, at which it was asked for."""

    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Once:
    """When the clock on the wall shows `at`."""

    at: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Every:
    """At an interval. Days are those of the calendar: the time of day stays when the clock is set."""

    number: int
    unit: Unit

    @property
    def interval(self) -> timedelta:
        """How long it is between two, while no clock is set. Raises `OverflowError` for more than time has."""
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
    """The first moment after this one; None where there is none. Raises `BadCrontab` and `UnknownZone`."""
    return next(_after(schedule, moment), None)


def next_from(schedule: Schedule, moment: datetime) -> datetime | None:
    """The first moment from this one on, which it may be itself; None where there is none."""
    return next_after(schedule, moment - _INSTANT)


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
    try:
        match schedule:
            case Now(asked_at=asked_at):
                coming = iter((asked_at,))
            case Once(at=at, zone=zone):
                coming = iter((moment_of(at, zone_named(zone)),))
            case Recurring():
                coming = _recurring(schedule, moment)
        told = moment
        for one in coming:
            if one > told:
                told = one
                yield one
    except OverflowError:
        return


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
        raise ValueError("An interval needs a beginning from which it is counted.")
    zone, interval = zone_named(schedule.zone), every.interval
    first = moment_of(schedule.starts_at, zone)
    # one earlier than it seems, as a day may be an hour shorter than another
    number = max(0, (moment - first) // interval - 1)
    while True:
        if every.unit is Unit.DAYS:
            yield moment_of(schedule.starts_at + number * interval, zone)
        else:
            yield first + number * interval
        number += 1


def in_words(schedule: Schedule) -> str:
    """What people read: “Mondays at 09:00, Asia/Seoul, until 2026-12-31”."""
    match schedule:
        case Now():
            return "at once"
        case Once(at=at, zone=zone):
            return f"{at:%Y-%m-%d at %H:%M}, {_clock(zone)}"
        case Recurring(rule=Every(number=number, unit=unit)):
            every = f"every {number} {unit}" if number != 1 else f"every {unit.value.removesuffix('s')}"
            return f"{every}{_bounds(schedule)}"
        case Recurring(rule=str() as crontab):
            return f"{crontabs.in_words(crontab)}{_bounds(schedule)}"


def _bounds(schedule: Recurring) -> str:
    begins = f", from {schedule.starts_at:%Y-%m-%d %H:%M}" if schedule.starts_at else ""
    ends = f", until {schedule.ends_at:%Y-%m-%d %H:%M}" if schedule.ends_at else ""
    return f", {_clock(schedule.zone)}{begins}{ends}"


def _clock(zone: str) -> str:
    return "each recipient's local time" if zone == THEIR_OWN else zone
