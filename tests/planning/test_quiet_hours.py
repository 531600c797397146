"""At night messages wait: by the clock where the person is, until its end, and then not all at once."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.channels import Channel
from accounts.zones import ZONES, zone_of
from notifications.planning.plan import plan
from notifications.planning.rules.quiet_hours import end_of_quiet, is_quiet
from notifications.planning.values import Drop, Hold, Policy, QuietHours, Send
from notifications.vocabulary import Reason
from tests.planning.examples import NEWS, facts, person

NIGHT = QuietHours(time(21), time(8))
SEOUL, NEW_YORK, BERLIN = "Asia/Seoul", "America/New_York", "Europe/Berlin"


def at(zone: str, text: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def decided(
    now: datetime, *, policy: dict[str, Any] | None = None, who: dict[str, Any] | None = None, **more: Any
) -> Any:
    """What becomes of one text message."""
    rules = {"name": "marketing", "quiet": NIGHT, "quiet_spread": timedelta(0), **(policy or {})}
    category = Policy(NEWS, **{"opt_in": False, "is_critical": False, **rules})
    someone = person(**{"time_zone": SEOUL, **(who or {})})
    (decision,) = plan(facts(someone, channels=(Channel.SMS,), policy=category, **more), now).decisions
    return decision.verdict


def held_until(verdict: Any) -> datetime | None:
    return verdict.hold.until if isinstance(verdict, Send) and verdict.hold else None


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-02T20:59:59", None),  # the last second before
        ("2026-03-02T21:00:00", "2026-03-03T08:00:00"),  # the first quiet one
        ("2026-03-03T03:00:00", "2026-03-03T08:00:00"),  # past midnight, it is the same night
        ("2026-03-03T07:59:59", "2026-03-03T08:00:00"),
        ("2026-03-03T08:00:00", None),  # the end is not quiet any more
    ],
)
def test_a_message_waits_from_the_first_quiet_minute_until_the_last(now: str, until: str | None) -> None:
    assert held_until(decided(at(SEOUL, now))) == (at(SEOUL, until) if until else None)


@pytest.mark.parametrize(
    ("who", "zone"),
    [
        ({"time_zone": NEW_YORK, "country": "KR"}, NEW_YORK),  # their own zone, wherever they are from
        ({"time_zone": "", "country": "DE"}, BERLIN),  # else their country's
        ({"time_zone": "", "country": "US"}, NEW_YORK),  # where most people live
        ({"time_zone": "", "country": "ZZ"}, SEOUL),  # else the usual one
        ({"time_zone": "Mars/Olympus", "country": ""}, SEOUL),
        ({"time_zone": "../etc/passwd", "country": ""}, SEOUL),
    ],
)
def test_the_clock_is_the_one_where_the_person_is(who: dict[str, str], zone: str) -> None:
    assert held_until(decided(at(zone, "2026-03-02T22:30:00"), who=who)) == at(zone, "2026-03-03T08:00:00")
    assert held_until(decided(at(zone, "2026-03-02T12:00:00"), who=who)) is None


def test_the_reason_can_be_read_back() -> None:
    verdict = decided(at(SEOUL, "2026-03-02T23:15:00"))

    assert verdict.hold == Hold(
        at(SEOUL, "2026-03-03T08:00:00"),
        Reason.QUIET_HOURS,
        "held by quiet hours 21:00-08:00 Asia/Seoul, category marketing; due 2026-03-03 08:00",
    )


def test_a_critical_message_does_not_wait() -> None:
    assert held_until(decided(at(SEOUL, "2026-03-02T23:00:00"), policy={"is_critical": True})) is None


def test_what_expires_before_the_end_is_dropped_and_says_so() -> None:
    verdict = decided(at(SEOUL, "2026-03-02T23:00:00"), expires_at=at(SEOUL, "2026-03-03T07:00:00"))

    assert isinstance(verdict, Drop)
    assert verdict.reason is Reason.EXPIRED
    assert "quiet hours 21:00-08:00 Asia/Seoul" in verdict.detail


def test_a_later_moment_that_was_asked_for_waits_too_if_it_is_quiet() -> None:
    noon, night = at(SEOUL, "2026-03-02T12:00:00"), at(SEOUL, "2026-03-02T23:00:00")

    assert held_until(decided(noon, send_at=night)) == at(SEOUL, "2026-03-03T08:00:00")
    assert held_until(decided(night, send_at=at(SEOUL, "2026-03-03T12:00:00"))) == at(SEOUL, "2026-03-03T12:00:00")


@pytest.mark.parametrize(
    ("own", "now", "until"),
    [
        (QuietHours(time(22), time(9)), "2026-03-02T23:00:00", "2026-03-03T09:00:00"),  # the later end counts
        (QuietHours(time(8), time(10)), "2026-03-02T23:00:00", "2026-03-03T10:00:00"),  # one follows the other
        (QuietHours(time(13), time(14)), "2026-03-02T13:30:00", "2026-03-02T14:00:00"),  # a nap
        (QuietHours(time(13), time(14)), "2026-03-02T12:00:00", None),
    ],
)
def test_a_persons_own_quiet_hours_count_as_well(own: QuietHours, now: str, until: str | None) -> None:
    assert held_until(decided(at(SEOUL, now), who={"quiet": own})) == (at(SEOUL, until) if until else None)


def test_where_no_hour_of_the_day_is_left_the_message_is_dropped() -> None:
    verdict = decided(at(SEOUL, "2026-03-02T12:00:00"), who={"quiet": QuietHours(time(8), time(21))})

    assert verdict == Drop(Reason.QUIET_HOURS, "quiet hours leave no hour of the day")


@pytest.mark.parametrize(
    ("zone", "window", "now", "until", "fold"),
    [
        # New York springs forward at 02:00 on 8 March 2026: the night is an hour shorter
        (NEW_YORK, NIGHT, "2026-03-07T23:00:00", "2026-03-08T08:00:00", 0),
        # a window that ends at 02:30, which that night does not have, ends with the jump to 03:00
        (NEW_YORK, QuietHours(time(22), time(2, 30)), "2026-03-08T01:00:00", "2026-03-08T03:00:00", 0),
        # Berlin falls back at 03:00 on 25 October 2026: 02:30 comes twice, and the first ends the window
        (BERLIN, QuietHours(time(22), time(2, 30)), "2026-10-25T01:00:00", "2026-10-25T02:30:00", 0),
        # in the hour that comes again it is quiet again
        (BERLIN, QuietHours(time(22), time(2, 30)), "2026-10-25T02:15:00", "2026-10-25T02:30:00", 1),
    ],
)
def test_daylight_saving_neither_shortens_nor_doubles_a_night(
    zone: str, window: QuietHours, now: str, until: str, fold: int
) -> None:
    ended = end_of_quiet(at(zone, now, fold=fold), [window], ZoneInfo(zone))

    assert ended == at(zone, until, fold=fold)


def test_what_waited_goes_out_over_some_minutes_each_at_a_moment_of_their_own() -> None:
    spread, night = {"quiet_spread": timedelta(minutes=15)}, at(SEOUL, "2026-03-02T23:00:00")
    moments = [held_until(decided(night, policy=spread, who={"recipient_id": None, "ref": str(n)})) for n in range(300)]

    morning = at(SEOUL, "2026-03-03T08:00:00")
    assert all(one and morning <= one < morning + timedelta(minutes=15) for one in moments)
    assert len(set(moments)) > 200
    again = [held_until(decided(night, policy=spread, who={"recipient_id": None, "ref": str(n)})) for n in range(300)]
    assert moments == again


def test_every_zone_of_the_table_is_known() -> None:
    assert len(ZONES) > 240
    assert all(zone_of("", country, SEOUL).key == zone for country, zone in ZONES.items())


hours = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
windows = st.builds(QuietHours, hours, hours).filter(lambda one: one.start != one.end)
moments = st.timedeltas(timedelta(0), timedelta(days=1000)).map(
    lambda passed: datetime(2025, 1, 1, tzinfo=UTC) + passed
)
zones = st.sampled_from(
    [SEOUL, NEW_YORK, BERLIN, "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca"]
)


categories = st.fixed_dictionaries(
    {
        "quiet": windows,
        "is_critical": st.booleans(),
        "quiet_spread": st.integers(0, 120).map(lambda minutes: timedelta(minutes=minutes)),
    }
)


@given(moments, categories, st.none() | windows, zones)
def test_nothing_leaves_in_quiet_hours_unless_it_is_critical(
    now: datetime, policy: dict[str, Any], own: QuietHours | None, zone: str
) -> None:

    verdict = decided(now, policy=policy, who={"time_zone": zone, "quiet": own})

    if policy["is_critical"]:
        assert isinstance(verdict, Send)
        assert verdict.hold is None
    elif isinstance(verdict, Send):
        leaves_at = verdict.hold.until if verdict.hold else now
        assert leaves_at >= now
        assert not any(is_quiet(leaves_at, one, ZoneInfo(zone)) for one in (policy["quiet"], own) if one)
    else:
        assert verdict.reason is Reason.QUIET_HOURS


@given(moments, windows, zones)
def test_it_waits_no_longer_than_the_quiet_hours_last(now: datetime, window: QuietHours, zone: str) -> None:
    there = ZoneInfo(zone)
    ended = end_of_quiet(now, [window], there)

    assert ended is not None
    if ended > now:
        assert is_quiet(ended - timedelta(seconds=1), window, there)
        assert ended - now <= timedelta(hours=25)
