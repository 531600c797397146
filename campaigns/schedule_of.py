"""A campaign's row read as a schedule, and all that is wrong with it, by the names of its fields."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from campaigns.models import Campaign
from campaigns.schedules import (
    THEIR_OWN,
    BadSchedule,
    Every,
    Now,
    Once,
    Problem,
    Recurring,
    Schedule,
    UnknownZone,
    Window,
    check,
    zone_named,
)
from campaigns.vocabulary import EveryUnit, ScheduleKind

#: The fields that each kind of schedule asks for. Of another kind they would say nothing.
OF_KIND: Final[Mapping[ScheduleKind, tuple[str, ...]]] = {
    ScheduleKind.NOW: (),
    ScheduleKind.ONCE: ("starts_wall", "in_local_time"),
    ScheduleKind.CRONTAB: ("crontab", "starts_wall", "ends_wall", "in_local_time"),
    ScheduleKind.INTERVAL: ("every", "every_unit", "starts_wall", "ends_wall", "in_local_time"),
}
#: All of them.
TIMED: Final = tuple(dict.fromkeys(name for names in OF_KIND.values() for name in names))

#: How the times on the wall are written.
_WALL: Final = "%Y-%m-%dT%H:%M"
#: What a schedule calls its parts, where the row calls them otherwise.
_FIELDS: Final = {"at": "starts_wall", "starts_at": "starts_wall", "ends_at": "ends_wall"}


class BadField(BadSchedule):
    """A field says nothing that a schedule could be made of; `field` is its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def schedule_of(campaign: Campaign, at: datetime) -> Schedule:
    """When a campaign goes out, where it is asked for at `at`. Raises `BadField`; what else is wrong says `check`."""
    kind = ScheduleKind(campaign.schedule_kind)
    if kind is ScheduleKind.NOW:
        return Now(campaign.next_at or at)
    zone = THEIR_OWN if campaign.in_local_time else campaign.zone
    starts_at = _wall("starts_wall", campaign.starts_wall)
    if kind is not ScheduleKind.CRONTAB and starts_at is None:
        raise BadField("starts_wall", "Say when it begins, such as 2026-12-24T09:00.")
    if kind is ScheduleKind.ONCE and starts_at:
        return Once(starts_at, zone)
    rule = campaign.crontab if kind is ScheduleKind.CRONTAB else _every(campaign)
    return Recurring(rule, zone, starts_at, _wall("ends_wall", campaign.ends_wall))


def problems_of(campaign: Campaign, at: datetime) -> list[Problem]:
    """What is wrong with a campaign's schedule, were it to begin at `at`; the fields are those of the row."""
    if campaign.schedule_kind == ScheduleKind.NOW:
        return list(_at_once(campaign))
    try:
        schedule = schedule_of(campaign, at)
    except BadField as wrong:
        return [Problem(wrong.field, str(wrong))]
    return [Problem(_FIELDS.get(one.field, one.field), one.message) for one in check(schedule, at)]


def unasked(campaign: Campaign) -> list[Problem]:
    """Fields that say when, where its kind of schedule does not ask for them: who wrote them meant another."""
    kind = ScheduleKind(campaign.schedule_kind)
    return [
        Problem(name, f"The schedule “{kind}” does not ask for it: leave it out, or choose {kinds_that_ask([name])}.")
        for name in TIMED
        if name not in OF_KIND[kind] and getattr(campaign, name)
    ]


def kinds_that_ask(names: Iterable[str]) -> str:
    """The kinds of schedule that ask for all of some fields, in words; where none does, those that ask for any."""
    fitting = [kind.value for kind, asked in OF_KIND.items() if set(names) <= {*asked}]
    *others, last = fitting or [kind.value for kind, asked in OF_KIND.items() if asked]
    return f"{', '.join(others)} or {last}" if others else last


def late_limit_of(campaign: Campaign) -> timedelta:
    """How late a run may begin."""
    return timedelta(hours=campaign.late_hours)


def window_of(campaign: Campaign) -> Window | None:
    """The hours of the day in which it is sent; None for all of them."""
    if campaign.window_from is None or campaign.window_until is None:
        return None
    return Window(campaign.window_from, campaign.window_until)


def _at_once(campaign: Campaign) -> Iterator[Problem]:
    """The clock of its zone says when its window opens, and no clock when it begins."""
    try:
        zone_named(campaign.zone)
    except UnknownZone as unknown:
        yield Problem("zone", str(unknown))


def _wall(field: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, _WALL)  # noqa: DTZ007 - a time on a wall has no zone
    except ValueError:
        raise BadField(field, f"“{text}” is no date and time. Right would be 2026-12-24T09:00.") from None


def _every(campaign: Campaign) -> Every:
    if campaign.every is None:
        raise BadField("every", "Say after how many minutes, hours or days it goes out again.")
    if not campaign.every_unit:
        raise BadField("every_unit", "Say in what the interval is counted: minutes, hours or days.")
    return Every(campaign.every, EveryUnit(campaign.every_unit))
