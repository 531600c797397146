"""What is wrong with a schedule, told before anything of it starts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from campaigns.schedules import crontabs
from campaigns.schedules.moments import Every, Now, Once, Recurring, Schedule, next_from
from campaigns.schedules.wall_clock import (
    THEIR_OWN,
    BadSchedule,
    UnknownZone,
    moment_of,
    span_of,
    wall_at,
    zone_named,
)
from campaigns.vocabulary import EveryUnit

#: No campaign goes out more often than this.
SHORTEST_BREAK: Final = timedelta(minutes=15)
_LONGEST_BREAK: Final = timedelta(days=366)
#: Whoever plans for later than this has mistyped the year.
_YEARS_AHEAD: Final = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong: which field of the schedule, and a message that says what would be right."""

    field: str
    message: str


def check(schedule: Schedule, at: datetime) -> list[Problem]:
    """All that is wrong with a schedule that is to begin at `at`; none where it can."""
    if isinstance(schedule, Now):
        return []
    try:
        zone = zone_named(schedule.zone)
    except UnknownZone as unknown:
        return [Problem("zone", str(unknown))]
    if isinstance(schedule, Once):
        return list(_with_once(schedule, zone, at))
    found = [*_with_rule(schedule, at), *_with_bounds(schedule, zone, at)]
    if not found and next_from(schedule, at) is None:
        found.append(Problem("ends_at", f"No run would begin before the end, {_wall(schedule.ends_at or at)}."))
    return found


def _with_once(schedule: Once, zone: tzinfo, at: datetime) -> Iterator[Problem]:
    if wrong := _too_far(schedule.at, at):
        yield Problem("at", wrong)
    elif _last_moment(schedule.at, schedule.zone) < at:
        yield Problem("at", _past(schedule.at, schedule.zone, zone, at))


def _with_bounds(schedule: Recurring, zone: tzinfo, at: datetime) -> Iterator[Problem]:
    starts_at, ends_at = schedule.starts_at, schedule.ends_at
    for field, wall in (("starts_at", starts_at), ("ends_at", ends_at)):
        if wall and (wrong := _too_far(wall, at)):
            yield Problem(field, wrong)
            return
    if starts_at and ends_at and ends_at < starts_at:
        yield Problem("ends_at", f"The end, {_wall(ends_at)}, is before the beginning, {_wall(starts_at)}.")
    elif ends_at and moment_of(ends_at, zone) < at:
        yield Problem("ends_at", _past(ends_at, schedule.zone, zone, at))


def _with_rule(schedule: Recurring, at: datetime) -> Iterator[Problem]:
    match schedule.rule:
        case Every() as every:
            yield from _with_interval(every, schedule)
        case text:
            if wrong := _with_crontab(text, at):
                yield Problem("crontab", wrong)


def _with_interval(every: Every, schedule: Recurring) -> Iterator[Problem]:
    if schedule.starts_at is None:
        yield Problem("starts_at", "An interval is counted from a beginning: give its date and time.")
    try:
        interval = every.interval
    except OverflowError:
        interval = timedelta.max
    except BadSchedule as wrong:
        yield Problem("every", str(wrong))
        return
    if interval < SHORTEST_BREAK:
        yield Problem("every", _too_often(interval))
    elif interval > _LONGEST_BREAK:
        yield Problem("every", "An interval is 366 days at most; choose a shorter one, or a date.")
    elif schedule.zone == THEIR_OWN and every.unit is not EveryUnit.DAYS:
        yield Problem("every", "In each recipient's local time an interval is counted in days: it has a time of day.")


def _with_crontab(text: str, at: datetime) -> str | None:
    try:
        crontab = crontabs.parse(text)
    except crontabs.BadCrontab as wrong:
        return str(wrong)
    today = at.date()
    if next(crontab.dates(today), None) is None:
        return (
            f"“{text}” never comes: no day of the next {crontabs.HORIZON_YEARS} years has this day of the month, month "
            "and day of the week together. Where a day and a weekday are given, both have to hold."
        )
    shortest = crontab.shortest_break(today)
    if shortest is not None and shortest < SHORTEST_BREAK:
        return _too_often(shortest)
    return None


def _too_often(shortest: timedelta) -> str:
    minutes = int(shortest.total_seconds()) // 60
    return (
        f"It would go out again after {minutes} min; at least 15 min lie between two runs, so that people are not sent "
        "the same thing over and over. Choose a longer interval, such as */15 in a crontab."
    )


def _too_far(wall: datetime, at: datetime) -> str | None:
    """Whether a date is out of any reason, on either side; beyond that no zone can be reckoned with either."""
    if abs(wall.year - at.year) <= _YEARS_AHEAD:
        return None
    return f"{_wall(wall)} is more than {_YEARS_AHEAD} years from today, {at:%Y-%m-%d}. Is the year right?"


def _past(wall: datetime, zone_name: str, zone: tzinfo, at: datetime) -> str:
    if zone_name == THEIR_OWN:
        return f"{_wall(wall)} has passed everywhere on earth; it is {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC now."
    return f"{_wall(wall)} is in the past; in {zone_name} it is {_wall(wall_at(at, zone))} now."


def _last_moment(wall: datetime, zone_name: str) -> datetime:
    """The moment after which it is past: by everybody's own clock, that of the last clock on earth."""
    return span_of(wall)[1] if zone_name == THEIR_OWN else moment_of(wall, zone_named(zone_name))


def _wall(wall: datetime) -> str:
    return f"{wall:%Y-%m-%d %H:%M}"
