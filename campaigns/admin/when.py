"""What a schedule means, while it is typed: in words, and the next moments at which it goes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from campaigns.models import Campaign
from campaigns.schedule_of import problems_of, schedule_of
from campaigns.schedules import (
    BadSchedule,
    Now,
    Once,
    Schedule,
    UnknownZone,
    in_words,
    next_after,
    next_from,
    wall_at,
    wall_everywhere,
    zone_named,
)
from campaigns.vocabulary import EveryUnit, ScheduleKind

#: Moments that are shown.
_SHOWN: Final = 3
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Foretold:
    """What comes of a schedule; `problems` by the names of fields."""

    words: str = ""
    moments: tuple[str, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


def foretold(campaign: Campaign, at: datetime) -> Foretold:
    """When a campaign would go out, were it started at `at`."""
    problems = {one.field: one.message for one in problems_of(campaign, at)}
    try:
        schedule = schedule_of(campaign, at)
        words = in_words(schedule)
        moments = tuple(_told(one, campaign) for one in _coming(schedule, at)) if not problems else ()
    except BadSchedule:
        return Foretold(problems=problems)
    return Foretold(words[:1].upper() + words[1:] + ".", moments, problems)


def typed(values: Mapping[str, str]) -> Campaign:
    """The schedule in a form that nobody saved."""
    kind = values.get("schedule_kind", "")
    unit = values.get("every_unit", "")
    every = values.get("every", "")
    return Campaign(
        schedule_kind=kind if kind in list(ScheduleKind) else ScheduleKind.NOW.value,
        starts_wall=values.get("starts_wall", "")[:16],
        ends_wall=values.get("ends_wall", "")[:16],
        crontab=values.get("crontab", "")[:_LONGEST],
        every=int(every) if every.isdecimal() and len(every) < 10 else None,
        every_unit=unit if unit in list(EveryUnit) else "",
        zone=values.get("zone", "")[:64],
        in_local_time=bool(values.get("in_local_time")) and kind != ScheduleKind.NOW,
    )


def on_the_wall(moment: datetime, zone: str) -> str:
    """A moment as people of a zone write it down; in UTC where there is no such zone."""
    try:
        seen = moment.astimezone(zone_named(zone))
    except UnknownZone:
        zone, seen = "UTC", moment.astimezone(ZoneInfo("UTC"))
    return f"{seen:%a %Y-%m-%d %H:%M}, {zone}"


def in_a_while(length: timedelta) -> str:
    """How long it is until something, as people say it: 41 seconds, 25 minutes, 1 h 25 min, 2 days 3 h."""
    seconds = round(length.total_seconds())
    if seconds < 60:
        return _so_many(seconds, "second")
    minutes = round(seconds / 60)
    if minutes < 60:
        return _so_many(minutes, "minute")
    if minutes < 24 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest} min" if rest else _so_many(hours, "hour")
    days, hours = divmod(round(minutes / 60), 24)
    return _so_many(days, "day") + (f" {hours} h" if hours else "")


def _so_many(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _coming(schedule: Schedule, at: datetime) -> list[datetime]:
    if isinstance(schedule, Now):
        return []
    if isinstance(schedule, Once):
        # by everybody's own clock it is still to come where it has passed for the first
        found = next_from(schedule, at - timedelta(days=2))
        return [found] if found else []
    coming: list[datetime] = []
    moment = next_from(schedule, at)
    while moment and len(coming) < _SHOWN:
        coming.append(moment)
        moment = next_after(schedule, moment)
    return coming


def _told(moment: datetime, campaign: Campaign) -> str:
    if campaign.in_local_time:
        return f"{wall_everywhere(moment):%a %Y-%m-%d %H:%M} on everybody's own clock"
    own = f"{wall_at(moment, zone_named(campaign.zone)):%a %Y-%m-%d %H:%M}"
    return own if campaign.zone == "UTC" else f"{own} ({moment:%H:%M} UTC)"
