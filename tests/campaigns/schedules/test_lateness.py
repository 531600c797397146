"""After a downtime the latest moment counts, if it is not too late; all others are told, and none is told twice."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.schedules import THEIR_OWN, Every, Now, Once, Recurring, Schedule, between, due
from campaigns.schedules.lateness import TOGETHER
from campaigns.vocabulary import EveryUnit
from tests.campaigns.schedules.test_wall_clock import LONDON, LORD_HOWE, NEW_YORK, SEOUL, utc, wall

DAILY = Recurring("0 9 * * *", SEOUL)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("at", "run", "skipped", "then"),
    [
        ("2026-12-01T23:59", None, [], "2026-12-02T00:00"),
        ("2026-12-02T00:00", "2026-12-02T00:00", [], "2026-12-03T00:00"),
        ("2026-12-02T05:00", "2026-12-02T00:00", [], "2026-12-03T00:00"),
        ("2026-12-04T01:00", "2026-12-04T00:00", ["2026-12-02T00:00", "2026-12-03T00:00"], "2026-12-05T00:00"),
        ("2026-12-02T05:01", None, ["2026-12-02T00:00"], "2026-12-03T00:00"),
        ("2026-12-03T06:00", None, ["2026-12-02T00:00", "2026-12-03T00:00"], "2026-12-04T00:00"),
        ("2026-11-20T00:00", None, [], "2026-12-02T00:00"),  # a clock that was set back
    ],
)
def test_the_latest_moment_runs_within_the_limit_and_the_others_are_told(
    at: str, run: str | None, skipped: list[str], then: str
) -> None:
    found = due(DAILY, utc("2026-12-01T12:00"), utc(at), 5 * HOUR)

    assert found.run == (utc(run) if run else None)
    assert [one.moment for one in found.skipped] == [utc(moment) for moment in skipped]
    assert found.then == utc(then)


def test_whoever_reads_of_a_skipped_moment_learns_why() -> None:
    earlier, latest = due(DAILY, utc("2026-12-01T12:00"), utc("2026-12-03T06:30"), 5 * HOUR).skipped

    assert earlier.because == (
        "It passed while nothing could be started, and of such moments the latest counts alone. "
        "A later one was found: 2026-12-03 00:00 UTC."
    )
    assert latest.because == "It could not be started in time: it was 6 h 30 min late, and may be 5 h at most."


def test_a_schedule_that_has_told_all_its_moments_has_ended() -> None:
    once = Once(wall("2026-12-24T09:00"), SEOUL)

    assert due(once, utc("2026-12-23"), utc("2026-12-24T00:00"), HOUR).then is None
    assert due(Now(utc("2026-12-24")), utc("2026-12-23"), utc("2026-12-24"), HOUR).then is None


def test_in_everybodys_own_time_it_is_late_once_the_last_clock_has_shown_it() -> None:
    once = Once(wall("2026-12-24T09:00"), THEIR_OWN)
    last_clock = utc("2026-12-24T21:00")

    assert due(once, utc("2026-12-20"), last_clock + HOUR, HOUR).run == utc("2026-12-23T19:00")
    assert due(once, utc("2026-12-20"), last_clock + HOUR + timedelta(seconds=1), HOUR).run is None


def test_what_was_missed_for_months_is_told_in_portions() -> None:
    often = Recurring("*/15 * * * *", SEOUL)
    last, at = utc("2026-01-01"), utc("2026-02-01T00:07")

    told, runs = [], []
    for _ in range(20):
        found = due(often, last, at, HOUR)
        told += [one.moment for one in found.skipped]
        runs += [found.run] if found.run else []
        assert len(found.skipped) <= TOGETHER
        last = found.seen_to

    assert told == between(often, utc("2026-01-01"), utc("2026-01-31T23:59"), limit=10_000)
    assert runs == [utc("2026-02-01T00:00")]


schedules: st.SearchStrategy[Schedule] = st.sampled_from(
    [
        Recurring("*/15 * * * *", LONDON),
        Recurring("30 2 * * *", NEW_YORK),
        Recurring("*/30 1-2 * * *", LORD_HOWE),
        Recurring("0 9 * * *", THEIR_OWN, None, wall("2026-03-20T09:00")),
        Recurring(Every(6, EveryUnit.HOURS), NEW_YORK, wall("2026-03-01T01:00")),
        Recurring(Every(1, EveryUnit.DAYS), LONDON, wall("2026-03-01T01:30")),
        Once(wall("2026-03-08T02:30"), NEW_YORK),
        Now(datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ]
)
waits = st.one_of(
    st.timedeltas(timedelta(0), timedelta(seconds=10)),
    st.timedeltas(timedelta(0), timedelta(hours=3)),
    st.timedeltas(timedelta(0), timedelta(days=9)),
    st.timedeltas(timedelta(hours=-1), timedelta(0)),  # another machine, whose clock is behind
)


@given(schedules, st.lists(waits, max_size=40), st.integers(0, 48))
def test_no_moment_is_lost_or_doubled_whenever_it_is_asked(
    schedule: Schedule, passed: list[timedelta], late_hours: int
) -> None:
    begin = utc("2026-03-07T00:00")
    last = at = begin
    told: list[datetime] = []

    for wait in passed:
        at += wait
        found = due(schedule, last, at, timedelta(hours=late_hours))
        told += [one.moment for one in found.skipped] + ([found.run] if found.run else [])
        assert found.run is None or found.run <= at
        assert found.then is None or found.then > found.seen_to
        last = found.seen_to

    assert told == between(schedule, begin, last, limit=100_000)
