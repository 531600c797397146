"""However many want to leave at one moment, no minute has more of them than so many, and nobody leaves by night."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.schedules import Pace, Seats, Window, Wish, seated, wall_at, within, zone_named

MINUTE = timedelta(minutes=1)
SEOUL, TOKYO, YORK = "Asia/Seoul", "Asia/Tokyo", "America/New_York"
#: Nine on the first wall on earth.
BEGINS = datetime(2027, 2, 28, 19, 0, tzinfo=UTC)
#: Nine in Seoul.
NINE = datetime(2027, 3, 1, 0, 0, tzinfo=UTC)
DAY = Window(time(9), time(21))


def wish(moment: datetime, zone: str = SEOUL, window: Window | None = None) -> Wish:
    return Wish(moment, zone_named(zone), window)


def all_seated(wishes: Sequence[Wish], per_minute: int, seats: Seats | None = None) -> list[datetime]:
    taken = seats or Seats()
    return [seated(one, Pace(BEGINS, per_minute), taken) for one in wishes]


def fullest_minute(moments: Sequence[datetime]) -> int:
    """How many lie within any minute, wherever it begins."""
    ordered = sorted(moments)
    return max((sum(one <= other < one + MINUTE for other in ordered) for one in ordered), default=0)


@pytest.mark.parametrize(
    ("per_minute", "seconds"),
    [
        pytest.param(1, [0, 60, 120], id="one a minute"),
        pytest.param(2, [0, 30, 60, 90], id="two"),
        # a beat is ten seconds, and nobody has the third and the sixth
        pytest.param(4, [0, 10, 30, 40, 60, 70], id="four"),
        pytest.param(6, [0, 10, 20, 30, 40, 50, 60], id="one a beat"),
        pytest.param(9, [0, 0, 10, 20, 20, 30, 40, 40, 50, 60], id="two and one in turns"),
        pytest.param(18, [0, 0, 0, 10, 10, 10, 20], id="three a beat"),
    ],
)
def test_the_nth_person_leaves_with_the_nth_seat(per_minute: int, seconds: list[int]) -> None:
    moments = all_seated([wish(NINE)] * len(seconds), per_minute)

    assert [(one - NINE).total_seconds() for one in moments] == seconds


def test_where_very_many_leave_a_beat_is_a_second() -> None:
    moments = all_seated([wish(NINE)] * 601, 36_000)

    assert [moments.count(NINE + timedelta(seconds=one)) for one in range(2)] == [600, 1]


def test_zones_that_have_one_clock_share_its_minutes() -> None:
    moments = all_seated([wish(NINE, zone) for zone in (SEOUL, TOKYO) * 9], 6)

    assert fullest_minute(moments) == 6
    assert max(moments) == NINE + timedelta(seconds=170)


def test_whose_moment_is_still_busy_with_those_of_another_zone_waits_until_they_have_left() -> None:
    seats = Seats()
    all_seated([wish(NINE)] * 61, 1, seats)

    assert all_seated([wish(NINE + timedelta(hours=1), "Asia/Shanghai")], 1, seats) == [NINE + timedelta(minutes=61)]
    # and nobody waits for those who come later
    assert all_seated([wish(NINE - timedelta(hours=1), "Asia/Vladivostok")], 1, seats) == [NINE - timedelta(hours=1)]


@pytest.mark.parametrize(
    ("window", "minutes"),
    [
        pytest.param(Window(time(9), time(9, 2)), [0, 1, 24 * 60, 24 * 60 + 1, 48 * 60], id="the rest the next day"),
        pytest.param(Window(time(22), time(9, 1)), [0, 13 * 60, 13 * 60 + 1, 13 * 60 + 2], id="over midnight"),
        pytest.param(None, [0, 1, 2, 3], id="the whole day"),
    ],
)
def test_who_finds_no_seat_before_the_window_closes_leaves_when_it_opens_again(
    window: Window | None, minutes: list[int]
) -> None:
    moments = all_seated([wish(NINE, SEOUL, window)] * len(minutes), 1)

    assert [int((one - NINE) / MINUTE) for one in moments] == minutes


def test_a_window_that_opens_lets_no_more_out_than_any_other_minute() -> None:
    """Noon in Seoul: those whose moment was nine, and who had to wait for it."""
    noon = NINE + timedelta(hours=3)
    moments = all_seated([wish(noon, SEOUL, Window(time(12), time(21)))] * 30, 12)

    assert (min(moments), fullest_minute(moments)) == (noon, 12)


def test_a_window_that_is_shorter_than_a_beat_counts_for_more_than_the_pace() -> None:
    opens = NINE + timedelta(seconds=5)

    assert all_seated([wish(opens, SEOUL, Window(time(9, 0, 5), time(9, 0, 8)))] * 2, 6) == [opens, opens]


@pytest.mark.parametrize(
    ("taken", "seat", "then"),
    [
        pytest.param([], 5, [(5, 6)], id="the first"),
        pytest.param([(0, 5)], 5, [(0, 6)], id="after a range"),
        pytest.param([(6, 9)], 5, [(5, 9)], id="before a range"),
        pytest.param([(0, 5), (6, 9)], 5, [(0, 9)], id="between two"),
        pytest.param([(0, 3), (8, 9)], 5, [(0, 3), (5, 6), (8, 9)], id="touching none"),
        pytest.param([(-4, -2)], -2, [(-4, -1)], id="before the beginning"),
    ],
)
def test_seats_are_kept_as_few_ranges(taken: list[tuple[int, int]], seat: int, then: list[tuple[int, int]]) -> None:
    seats = Seats(taken)
    assert seats.free_from(seat) == seat

    seats.take(seat)

    assert seats.taken == then


def test_what_is_over_is_forgotten() -> None:
    seats = Seats([(0, 5), (7, 9), (12, 13)])

    seats.forget(8)

    assert seats.taken == [(7, 9), (12, 13)]


# --- for every pace, crowd and window --------------------------------------------------------------
def windows() -> st.SearchStrategy[Window | None]:
    hours = st.integers(0, 23).map(time)
    pairs = st.tuples(hours, hours).filter(lambda pair: pair[0] != pair[1])
    return st.none() | pairs.map(lambda pair: Window(*pair))


@st.composite
def chunks(draw: st.DrawFn) -> list[list[tuple[str, int]]]:
    """Of each chunk the people: their zone, and seconds from the beginning of the run to their moment."""
    zones = st.sampled_from([SEOUL, TOKYO, YORK, "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati"])
    moments = st.integers(0, 30).map(lambda half: half * 1800) | st.integers(0, 40_000)
    person = st.tuples(zones, moments)
    crowd = st.tuples(person, st.integers(1, 30)).map(lambda pair: [pair[0]] * pair[1])
    return draw(st.lists(st.lists(crowd, max_size=3).map(lambda crowds: list(chain(*crowds))), max_size=5))


def wishes_of(chunk: list[tuple[str, int]], window: Window | None) -> Iterator[Wish]:
    for zone, seconds in chunk:
        moment = BEGINS + timedelta(seconds=seconds)
        clock = zone_named(zone)
        yield Wish(within(window, moment, clock) if window else moment, clock, window)


@given(st.integers(1, 50) | st.sampled_from([100, 6_000, 6_001]), windows(), chunks())
def test_everybody_leaves_once_in_their_hours_not_before_their_moment_and_at_the_pace(
    per_minute: int, window: Window | None, planned: list[list[tuple[str, int]]]
) -> None:
    """Chunk by chunk, with what is taken written down and read again in between."""
    left: list[datetime] = []
    written: list[tuple[int, int]] = []
    for chunk in planned:
        wishes, seats = list(wishes_of(chunk, window)), Seats(written)
        moments = all_seated(wishes, per_minute, seats)
        for one, moment in zip(wishes, moments, strict=True):
            assert moment >= one.moment
            assert window is None or window.holds(wall_at(moment, one.zone))
        left, written = left + moments, seats.taken

    assert len(left) == sum(map(len, planned)) == sum(end - first for first, end in written)
    assert fullest_minute(left) <= per_minute


@given(st.integers(1, 20_000), st.integers(-200_000, 200_000))
def test_the_first_seat_from_a_moment_on_is_the_first(per_minute: int, seconds: int) -> None:
    pace, moment = Pace(BEGINS, per_minute), BEGINS + timedelta(seconds=seconds)

    seat = pace.seat_from(moment)

    assert pace.moment_of(seat - 1) < moment <= pace.moment_of(seat)
    assert pace.moment_of(seat + per_minute) == pace.moment_of(seat) + MINUTE
