"""The clock on the wall: which moment it is when it shows a time, in one zone and everywhere on earth.

Twice a year many clocks are set. A time that is left out when they go forward (a gap) stands for the first moment after
the gap; one that comes twice when they go back stands for the first of the two. So what is planned for a time of day
happens on every day, and once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

#: Stands where the name of a zone would: everybody's own clock counts.
THEIR_OWN: Final = "local"
#: The first clocks on earth that show a time (Line Islands), and the last (Baker Island; nobody lives there).
_FIRST: Final = ZoneInfo("Etc/GMT-14")
_LAST: Final = ZoneInfo("Etc/GMT+12")
#: How long it takes until every clock on earth has shown a time.
SPAN: Final = timedelta(hours=26)
#: "localtime" is the clock of the machine that reads it, "Factory" that of a machine on which nobody has set it.
_ZONES: Final = frozenset(available_timezones()) - {"localtime", "Factory"}
_SECOND: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)


class BadSchedule(ValueError):
    """A schedule that makes no sense; the message says why, and what would."""


class UnknownZone(BadSchedule):
    """No time zone has that name; the message says what one looks like."""


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """The zone with this name; for `THEIR_OWN` the first on earth that shows a time. Raises `UnknownZone`."""
    if name == THEIR_OWN:
        return _FIRST
    if name not in _ZONES:
        raise UnknownZone(f"No time zone is called “{name[:40]}”. Right would be Asia/Seoul or America/New_York.")
    return ZoneInfo(name)


def moment_of(wall: datetime, zone: tzinfo) -> datetime:
    """The moment, in UTC, at which the clock on a wall in `zone` shows `wall` (see above for gaps and overlaps)."""
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if wall_at(moment, zone) == wall:
        return moment
    # In a gap: read with the offset of before it is too late, with that of after it too early.
    late, early = moment, wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _first_past(wall, zone, early, late)


def wall_at(moment: datetime, zone: tzinfo) -> datetime:
    """What the clock on a wall in `zone` shows at a moment."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def local_moment(wall: datetime, zone_name: str) -> datetime:
    """The moment, in UTC, at which it is `wall` for somebody who lives in that zone. Raises `UnknownZone`."""
    return moment_of(wall, zone_named(zone_name))


def local_due(wall: datetime, zone_name: str, at: datetime, late_limit: timedelta) -> datetime | None:
    """When somebody in that zone gets what is planned for `wall`: not before it is that late there, else at once.

    None: it was that late there more than `late_limit` ago, and is too late for them. Raises `UnknownZone`.
    """
    moment = local_moment(wall, zone_name)
    if at - moment > late_limit:
        return None
    return max(moment, at)


def span_of(wall: datetime) -> tuple[datetime, datetime]:
    """The first and the last moment, in UTC, at which a clock on earth shows `wall`."""
    return moment_of(wall, _FIRST), moment_of(wall, _LAST)


def wall_everywhere(planned_for: datetime) -> datetime:
    """The time that each recipient's own clock is to show, of what begins at this moment: `span_of` turned round."""
    return wall_at(planned_for, _FIRST)


@dataclass(frozen=True, slots=True)
class Window:
    """The hours of the day in which something may be sent, by the clock on the wall; they may cross midnight.

    The first minute belongs to it, the last does not. One that ends when it begins is the whole day.
    """

    opens: time
    closes: time

    def holds(self, wall: datetime) -> bool:
        """Whether it is open when the clock shows `wall`."""
        if self.opens < self.closes:
            return self.opens <= wall.time() < self.closes
        return wall.time() >= self.opens or wall.time() < self.closes


def within(window: Window, moment: datetime, zone: tzinfo) -> datetime:
    """The moment itself if the window is open then, else the next at which it opens, in UTC."""
    if window.holds(wall_at(moment, zone)):
        return moment
    return next(opening for opening in _openings(window, moment, zone) if opening >= moment)


def _openings(window: Window, moment: datetime, zone: tzinfo) -> Iterator[datetime]:
    """When it opens, day by day, without those that fall into a gap which swallows the whole window."""
    day = wall_at(moment, zone).date()
    while True:
        wall = datetime.combine(day, window.opens)
        again = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
        # in the second of two hours that the clock shows twice, it opens a second time
        for opening in (moment_of(wall, zone), again):
            if window.holds(wall_at(opening, zone)):
                yield opening
        day += _DAY


def _first_past(wall: datetime, zone: tzinfo, early: datetime, late: datetime) -> datetime:
    """The first moment at which the clock has gone past `wall`; not yet at `early`, but at `late`."""
    # clocks are set at whole seconds
    early, late = early.replace(microsecond=0), late.replace(microsecond=0)
    while late - early > _SECOND:
        middle = (early + (late - early) // 2).replace(microsecond=0)
        if wall_at(middle, zone) < wall:
            early = middle
        else:
            late = middle
    return late
