"""A schedule's moments: in order, each once, whichever clocks are set."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.schedules import (
    THEIR_OWN,
    BadSchedule,
    Every,
    Now,
    Once,
    Recurring,
    Schedule,
    between,
    first_moment,
    moment_of,
    next_after,
    next_from,
)
from campaigns.vocabulary import EveryUnit
from tests.campaigns.schedules.test_wall_clock import APIA, LONDON, LORD_HOWE, NEW_YORK, SEOUL, ZONES, utc, wall

NEVER = utc("2100-01-01")
DAILY = Every(1, EveryUnit.DAYS)


@pytest.mark.parametrize(
    ("schedule", "after", "moments"),
    [
        (Now(utc("2026-12-01T10:00")), "2026-12-01T09:00", ["2026-12-01T10:00"]),
        (Now(utc("2026-12-01T10:00")), "2026-12-01T10:00", []),
        (Once(wall("2026-12-24T09:00"), SEOUL), "2026-12-01", ["2026-12-24T00:00"]),
        (Once(wall("2026-12-24T09:00"), THEIR_OWN), "2026-12-01", ["2026-12-23T19:00"]),
        (Once(wall("2026-12-24T09:00"), SEOUL), "2026-12-24T00:00", []),
        (Recurring("0 9 * * mon", SEOUL), "2026-12-07", ["2026-12-14T00:00", "2026-12-21T00:00"]),
        # the beginning and the end are included
        (
            Recurring("0 9 * * *", SEOUL, wall("2026-12-05T09:00"), wall("2026-12-06T09:00")),
            "2026-12-01",
            ["2026-12-05T00:00", "2026-12-06T00:00"],
        ),
        (
            Recurring("0 9 * * *", SEOUL, wall("2026-12-05T09:01"), wall("2026-12-06T08:59")),
            "2026-12-01",
            [],
        ),
        (
            Recurring(Every(36, EveryUnit.HOURS), SEOUL, wall("2026-12-01T09:00")),
            "2026-12-02T12:00",
            ["2026-12-04T00:00", "2026-12-05T12:00"],
        ),
        # 02:30 is left out in New York on 8 March, and comes twice on 1 November as 01:30
        (
            Recurring("30 2 * * *", NEW_YORK),
            "2026-03-07T12:00",
            ["2026-03-08T07:00", "2026-03-09T06:30", "2026-03-10T06:30"],
        ),
        (
            Recurring("30 1 * * *", NEW_YORK),
            "2026-10-31T12:00",
            ["2026-11-01T05:30", "2026-11-02T06:30"],
        ),
        # asked within the second of the two hours
        (Recurring("30 1 * * *", NEW_YORK), "2026-11-01T06:10", ["2026-11-02T06:30"]),
        # several times that are left out are one moment
        (
            Recurring("*/15 2 * * *", LONDON),
            "2026-03-29T00:30",
            ["2026-03-29T01:00", "2026-03-29T01:15"],
        ),
        (
            Recurring("*/15 1 * * *", LONDON),
            "2026-03-29T00:30",
            ["2026-03-29T01:00", "2026-03-30T00:00"],
        ),
        # half an hour is left out
        (
            Recurring("*/15 2 * * *", LORD_HOWE),
            "2026-10-03T15:00",
            ["2026-10-03T15:30", "2026-10-03T15:45", "2026-10-04T15:00"],
        ),
        # days keep their time of day, hours their length
        (
            Recurring(DAILY, NEW_YORK, wall("2026-03-06T09:00")),
            "2026-03-07T13:00",
            ["2026-03-07T14:00", "2026-03-08T13:00"],
        ),
        (
            Recurring(Every(24, EveryUnit.HOURS), NEW_YORK, wall("2026-03-06T09:00")),
            "2026-03-07T13:00",
            ["2026-03-07T14:00", "2026-03-08T14:00"],
        ),
        # a day that Samoa did not have begins when the next one does
        (
            Recurring(DAILY, APIA, wall("2011-12-28T09:00")),
            "2011-12-29T00:00",
            ["2011-12-29T19:00", "2011-12-30T10:00", "2011-12-30T19:00"],
        ),
    ],
)
def test_its_moments_are_these(schedule: Schedule, after: str, moments: list[str]) -> None:
    expected = [utc(moment) for moment in moments]

    assert between(schedule, utc(after), NEVER, limit=max(1, len(moments))) == expected
    assert next_after(schedule, utc(after)) == (expected[0] if expected else None)


@pytest.mark.parametrize(
    ("schedule", "at", "first"),
    [
        (Now(utc("2026-12-01T10:00")), "2026-12-01T10:00", "2026-12-01T10:00"),
        # a date that has passed since it was checked is for the late limit to judge
        (Once(wall("2026-12-24T09:00"), SEOUL), "2026-12-24T01:00", "2026-12-24T00:00"),
        (Recurring("0 9 * * *", SEOUL), "2026-12-24T00:00", "2026-12-24T00:00"),
        (Recurring("0 9 * * *", SEOUL), "2026-12-24T00:01", "2026-12-25T00:00"),
        (Recurring("0 9 * * *", SEOUL, None, wall("2026-12-24T08:00")), "2026-12-24T00:00", None),
    ],
)
def test_it_begins_with_its_first_moment(schedule: Schedule, at: str, first: str | None) -> None:
    assert first_moment(schedule, utc(at)) == (utc(first) if first else None)


def test_an_interval_without_a_beginning_or_of_nothing_has_no_moments() -> None:
    for rule, starts_at in ((DAILY, None), (Every(0, EveryUnit.HOURS), wall("2026-12-01"))):
        with pytest.raises(BadSchedule):
            next_after(Recurring(rule, SEOUL, starts_at), utc("2026-12-01"))


@pytest.mark.parametrize(
    "schedule",
    [
        Recurring("0 0 30 2 *", SEOUL),
        Recurring("0 9 29 2 mon", SEOUL),
        Recurring(Every(2**31, EveryUnit.DAYS), SEOUL, wall("2026-12-01")),
        Once(wall("0001-01-01T00:00"), SEOUL),
        Once(wall("9999-12-31T23:59"), NEW_YORK),
        Recurring("0 9 * * *", SEOUL, wall("9999-12-31T23:59")),
    ],
)
def test_what_lies_beyond_all_calendars_never_comes_and_takes_no_time(schedule: Schedule) -> None:
    assert between(schedule, utc("2026-12-01"), utc("9000-01-01"), limit=10) == []


days = st.sampled_from(
    ["2026-03-08", "2026-11-01", "2026-03-29", "2026-10-25", "2026-10-04", "2026-04-05", "2011-12-30"]
)
crontabs = st.sampled_from(
    ["*/15 * * * *", "30 2 * * *", "5,35 0-3 * * *", "0 */6 * * *", "45 23 * * *", "0 9 * * mon"]
)


@settings(deadline=None)
@given(days, st.integers(-36 * 60, 36 * 60), crontabs, st.sampled_from(ZONES))
def test_between_two_moments_lie_all_that_a_walk_over_every_minute_finds(
    day: str, minutes: int, crontab: str, zone_name: str
) -> None:
    after = utc(day) + timedelta(minutes=minutes)
    until = after + timedelta(hours=30)
    schedule, zone = Recurring(crontab, zone_name), ZoneInfo(zone_name)

    walked = {moment for shown in _every_minute(day) if _holds(crontab, shown) for moment in [moment_of(shown, zone)]}

    assert between(schedule, after, until, limit=1000) == sorted(one for one in walked if after < one <= until)


def _every_minute(day: str) -> list[datetime]:
    start = wall(day) - timedelta(days=4)
    return [start + timedelta(minutes=minutes) for minutes in range(9 * 24 * 60)]


def _holds(crontab: str, shown: datetime) -> bool:
    minute, hour, *_, weekday = crontab.split()
    minutes = {"*/15": {0, 15, 30, 45}}.get(minute) or set(map(int, minute.split(",")))
    known = {"*": set(range(24)), "0-3": {0, 1, 2, 3}, "*/6": {0, 6, 12, 18}}
    hours = known.get(hour) or {int(hour)}
    return shown.minute in minutes and shown.hour in hours and (weekday == "*" or shown.isoweekday() == 1)


@given(
    days,
    st.integers(-36 * 60, 36 * 60),
    st.builds(Every, st.integers(1, 40), st.sampled_from(list(EveryUnit))),
    st.sampled_from(ZONES),
)
def test_an_interval_goes_on_from_wherever_it_is_asked(day: str, minutes: int, every: Every, zone: str) -> None:
    schedule = Recurring(every, zone, wall(day) - timedelta(days=3))
    after = utc(day) + timedelta(minutes=minutes)

    found = between(schedule, after, after + timedelta(days=90), limit=6)
    beginning = between(schedule, utc("2000-01-01"), after + timedelta(days=90), limit=20_000)

    assert found == [one for one in beginning if one > after][:6]
    assert all(before < later for before, later in pairwise(beginning))
    assert next_from(schedule, beginning[0]) == beginning[0]
    assert found[0].tzinfo is UTC
