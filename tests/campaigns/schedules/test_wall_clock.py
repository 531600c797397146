"""What is planned for a time of day happens at one moment of every day, wherever, and however clocks are set."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.schedules.wall_clock import (
    SPAN,
    THEIR_OWN,
    UnknownZone,
    Window,
    local_due,
    local_moment,
    moment_of,
    span_of,
    wall_at,
    wall_everywhere,
    within,
    zone_named,
)

SEOUL, NEW_YORK, LONDON = "Asia/Seoul", "America/New_York", "Europe/London"
LORD_HOWE, APIA = "Australia/Lord_Howe", "Pacific/Apia"
ZONES = (SEOUL, NEW_YORK, LONDON, LORD_HOWE, APIA)
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "shown", "moment"),
    [
        # no clock is set in Korea
        (SEOUL, "2026-03-08T02:30", "2026-03-07T17:30"),
        (SEOUL, "2026-11-01T01:30", "2026-10-31T16:30"),
        # New York: 02:00 is 03:00 on 8 March, and 02:00 is 01:00 on 1 November
        (NEW_YORK, "2026-03-08T01:59", "2026-03-08T06:59"),
        (NEW_YORK, "2026-03-08T02:00", "2026-03-08T07:00"),
        (NEW_YORK, "2026-03-08T02:30", "2026-03-08T07:00"),
        (NEW_YORK, "2026-03-08T03:00", "2026-03-08T07:00"),
        (NEW_YORK, "2026-03-08T03:01", "2026-03-08T07:01"),
        (NEW_YORK, "2026-11-01T00:59", "2026-11-01T04:59"),
        (NEW_YORK, "2026-11-01T01:30", "2026-11-01T05:30"),
        (NEW_YORK, "2026-11-01T02:00", "2026-11-01T07:00"),
        # London: 01:00 is 02:00 on 29 March, and 02:00 is 01:00 on 25 October
        (LONDON, "2026-03-29T01:15", "2026-03-29T01:00"),
        (LONDON, "2026-10-25T01:15", "2026-10-25T00:15"),
        (LONDON, "2026-10-25T02:00", "2026-10-25T02:00"),
        # Lord Howe sets its clock by half an hour: 02:00 is 02:30 on 4 October, and 02:00 is 01:30 on 5 April
        (LORD_HOWE, "2026-10-04T02:15", "2026-10-03T15:30"),
        (LORD_HOWE, "2026-10-04T02:30", "2026-10-03T15:30"),
        (LORD_HOWE, "2026-04-05T01:45", "2026-04-04T14:45"),
        (LORD_HOWE, "2026-04-05T02:00", "2026-04-04T15:30"),
        # Samoa had no 30 December in 2011
        (APIA, "2011-12-29T12:00", "2011-12-29T22:00"),
        (APIA, "2011-12-30T12:00", "2011-12-30T10:00"),
        (APIA, "2011-12-31T12:00", "2011-12-30T22:00"),
    ],
)
def test_a_time_that_is_left_out_is_the_first_after_and_one_that_comes_twice_the_first(
    zone: str, shown: str, moment: str
) -> None:
    assert moment_of(wall(shown), ZoneInfo(zone)) == utc(moment)
    assert local_moment(wall(shown), zone) == utc(moment)


#: Around the days on which clocks are set, as on any other.
walls = st.builds(
    lambda day, minutes: wall(day) + minutes * MINUTE,
    st.sampled_from(["2026-03-08", "2026-11-01", "2026-03-29", "2026-10-25", "2026-10-04", "2026-04-05", "2011-12-30"]),
    st.integers(-48 * 60, 48 * 60),
)


@given(walls, st.sampled_from(ZONES))
def test_it_is_the_first_moment_at_which_the_clock_has_come_so_far(shown: datetime, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    moment = moment_of(shown, zone)

    assert wall_at(moment, zone) >= shown
    before = [moment - minutes * MINUTE for minutes in range(1, 180)]
    assert not any(wall_at(one, zone) >= shown for one in before)


@given(walls, st.sampled_from([*ZONES, "Pacific/Kiritimati", "Etc/GMT+12", "Pacific/Pago_Pago"]))
def test_everybodys_own_moment_lies_in_the_span_of_the_earth(shown: datetime, zone: str) -> None:
    first, last = span_of(shown)

    assert first <= local_moment(shown, zone) <= last
    assert last - first == SPAN
    assert wall_everywhere(first) == shown
    assert local_moment(shown, THEIR_OWN) == first


@pytest.mark.parametrize(
    ("at", "due_at"),
    [
        ("2026-12-23T19:00", "2026-12-24T00:00"),  # it is not so late there yet
        ("2026-12-24T00:00", "2026-12-24T00:00"),
        ("2026-12-24T02:00", "2026-12-24T02:00"),  # within the limit: at once
        ("2026-12-24T02:01", None),  # too late
    ],
)
def test_everybody_gets_it_at_their_own_time_or_within_the_limit_or_not_at_all(at: str, due_at: str | None) -> None:
    found = local_due(wall("2026-12-24T09:00"), SEOUL, utc(at), timedelta(hours=2))

    assert found == (utc(due_at) if due_at else None)


@pytest.mark.parametrize(
    "name", ["", "Mars", "asia/seoul", "../etc/passwd", "/etc/passwd", "Asia", "\0", "a" * 5000, "localtime", "Factory"]
)
def test_what_is_no_zone_is_told_so(name: str) -> None:
    with pytest.raises(UnknownZone, match="Right would be Asia/Seoul"):
        zone_named(name)


DAY, NIGHT = Window(time(9), time(18)), Window(time(22), time(6))


@pytest.mark.parametrize(
    ("window", "zone", "asked", "sent"),
    [
        (DAY, SEOUL, "2026-12-24T09:00", "2026-12-24T09:00"),
        (DAY, SEOUL, "2026-12-24T17:59", "2026-12-24T17:59"),
        (DAY, SEOUL, "2026-12-24T18:00", "2026-12-25T09:00"),
        (DAY, SEOUL, "2026-12-24T08:59", "2026-12-24T09:00"),
        (NIGHT, SEOUL, "2026-12-24T23:00", "2026-12-24T23:00"),
        (NIGHT, SEOUL, "2026-12-24T05:59", "2026-12-24T05:59"),
        (NIGHT, SEOUL, "2026-12-24T06:00", "2026-12-24T22:00"),
        (Window(time(9), time(9)), SEOUL, "2026-12-24T03:00", "2026-12-24T03:00"),
        # it opens at a time that is left out: at the first after
        (Window(time(2, 30), time(18)), NEW_YORK, "2026-03-08T01:00", "2026-03-08T03:00"),
        # all of it is left out: on the next day
        (Window(time(2), time(2, 45)), NEW_YORK, "2026-03-08T01:00", "2026-03-09T02:00"),
        # a day without its date
        (DAY, APIA, "2011-12-29T19:00", "2011-12-31T09:00"),
    ],
)
def test_what_may_not_be_sent_now_waits_for_the_next_opening(window: Window, zone: str, asked: str, sent: str) -> None:
    there = ZoneInfo(zone)

    assert within(window, moment_of(wall(asked), there), there) == moment_of(wall(sent), there)


def test_in_the_second_of_two_hours_a_window_opens_a_second_time() -> None:
    there, window = ZoneInfo(NEW_YORK), Window(time(1, 30), time(18))
    second_hour = utc("2026-11-01T06:10")  # 01:10 again

    assert within(window, second_hour, there) == utc("2026-11-01T06:30")


hours = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))


@given(walls, st.sampled_from(ZONES), hours, hours)
def test_nothing_is_sent_outside_the_window_nor_later_than_two_days(
    shown: datetime, zone_name: str, opens: time, closes: time
) -> None:
    zone, window = ZoneInfo(zone_name), Window(opens, closes)
    asked = shown.replace(tzinfo=UTC)

    sent = within(window, asked, zone)

    assert window.holds(wall_at(sent, zone))
    assert asked <= sent < asked + timedelta(hours=49)
    assert sent == asked or not window.holds(wall_at(asked, zone))
