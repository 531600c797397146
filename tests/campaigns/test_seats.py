"""A throttle holds by everybody's own clock too: when a zone's hour comes, and when its window opens."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

import pytest

from accounts.models import Preference
from campaigns import chunks, estimating, launching
from campaigns.models import Run
from notifications.vocabulary import DeliveryState
from tests.at_once import in_threads
from tests.campaigns.schedules.test_pacing import fullest_minute
from tests.campaigns.stage import begun, campaign, crowd, deliveries, got, worked_off

pytestmark = pytest.mark.django_db

#: Nine on the first wall on earth, in Seoul, and in New York.
FIRST = datetime(2027, 2, 28, 19, 0, tzinfo=UTC)
SEOUL = datetime(2027, 3, 1, 0, 0, tzinfo=UTC)
YORK = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)


def planned(run: Run, since: datetime, turns: int) -> None:
    """Turns of a planner, as the pace of planning allows: every ten seconds one."""
    for turn in range(turns):
        worked_off(since + timedelta(seconds=10 * turn))


def due(run: Run) -> list[datetime]:
    """When each of its deliveries leaves, in order."""
    return sorted(one.due_at for one in deliveries(run) if one.due_at)


def seconds(moments: Sequence[datetime], since: datetime) -> Counter[int]:
    """How many leave so many seconds after a moment."""
    return Counter(int((one - since).total_seconds()) for one in moments)


def test_people_of_one_zone_leave_at_the_pace_from_their_hour_on() -> None:
    crowd(30, time_zone="Asia/Seoul")
    run = begun(campaign(in_local_time=True, throttle_per_minute=60), FIRST)

    planned(run, FIRST, 4)

    assert seconds(due(run), SEOUL) == {0: 10, 10: 10, 20: 10}
    assert set(got(run).values()) == {1}


def test_without_a_throttle_all_of_a_zone_leave_at_its_hour() -> None:
    crowd(30, time_zone="Asia/Seoul")
    run = begun(campaign(in_local_time=True), FIRST)

    worked_off(FIRST)

    assert seconds(due(run), SEOUL) == {0: 30}


def test_zones_with_one_clock_share_the_pace_and_others_have_their_own_hour() -> None:
    crowd(10, "seoul", time_zone="Asia/Seoul")
    crowd(10, "tokyo", time_zone="Asia/Tokyo")
    crowd(10, "york", time_zone="America/New_York")
    run = begun(campaign(in_local_time=True, throttle_per_minute=60), FIRST)

    planned(run, FIRST, 4)

    moments = due(run)
    assert seconds(moments[:20], SEOUL) == {0: 10, 10: 10}
    assert seconds(moments[20:], YORK) == {0: 10}


def test_who_is_planned_after_their_hour_leaves_at_the_pace_from_then_on() -> None:
    crowd(20, time_zone="Asia/Seoul")
    run = begun(campaign(in_local_time=True, throttle_per_minute=60), FIRST)
    late = SEOUL + timedelta(hours=1)

    planned(run, late, 3)

    # planning may catch up with ten seconds, leaving may not
    assert seconds(due(run), late) == {10: 10}
    assert Counter(one.state for one in deliveries(run)) == {DeliveryState.QUEUED: 10, DeliveryState.SCHEDULED: 10}


def test_seats_of_times_that_have_passed_are_not_kept() -> None:
    crowd(30, time_zone="Asia/Seoul")
    run = begun(campaign(in_local_time=True, throttle_per_minute=60), FIRST)

    for minutes in (0, 5, 10, 15):
        worked_off(SEOUL + timedelta(hours=1, minutes=minutes))

    run.refresh_from_db()
    assert len(deliveries(run)) == 30
    assert len(run.seats) == 1


def test_when_their_window_opens_they_leave_at_the_pace() -> None:
    crowd(30, time_zone="Asia/Seoul")
    run = begun(
        campaign(in_local_time=True, throttle_per_minute=60, window_from=time(12), window_until=time(21)), FIRST
    )

    planned(run, FIRST, 4)

    assert seconds(due(run), SEOUL + timedelta(hours=3)) == {0: 10, 10: 10, 20: 10}


def test_who_finds_no_seat_before_it_closes_leaves_when_it_opens_the_next_day() -> None:
    crowd(20, time_zone="Asia/Seoul")
    run = begun(
        campaign(in_local_time=True, throttle_per_minute=6, window_from=time(9), window_until=time(9, 2)), FIRST
    )

    planned(run, FIRST, 22)

    moments = due(run)
    assert (moments[0], moments[11]) == (SEOUL, SEOUL + timedelta(seconds=110))
    assert (moments[12], len(moments)) == (SEOUL + timedelta(days=1), 20)


def test_by_one_clock_a_window_that_opens_lets_people_out_at_the_pace() -> None:
    crowd(30)
    evening = datetime(2027, 3, 1, 13, 0, tzinfo=UTC)  # ten in Seoul
    run = begun(campaign(throttle_per_minute=60, window_from=time(9), window_until=time(21)), evening)
    opens = datetime(2027, 3, 2, 0, 0, tzinfo=UTC)

    assert worked_off(evening) == 0
    assert [worked_off(opens + timedelta(seconds=one)) for one in (0, 5, 10, 20)] == [10, 0, 10, 10]
    assert len(deliveries(run)) == 30


def test_who_wants_nothing_keeps_their_seat_empty_and_the_rest_leaves_no_faster() -> None:
    people = crowd(20, time_zone="Asia/Seoul")
    made = campaign(in_local_time=True, throttle_per_minute=60)
    category = made.variants.get().template.category
    Preference.objects.bulk_create(
        Preference(recipient=one, category=category, channel="email", allowed=False) for one in people[:5]
    )
    run = begun(made, FIRST)

    planned(run, FIRST, 3)

    assert seconds(due(run), SEOUL) == {0: 5, 10: 10}


def test_variants_and_those_who_waited_for_the_better_one_share_the_pace() -> None:
    crowd(120, time_zone="Asia/Seoul")
    made = campaign("sale", "outlet", in_local_time=True, throttle_per_minute=60, test_percent=50)
    run = begun(made, FIRST)
    planned(run, FIRST, 13)
    Run.objects.filter(pk=run.pk).update(winner="B")

    planned(run, FIRST + timedelta(minutes=5), 13)

    assert len(due(run)) == 120
    assert fullest_minute(due(run)) == 60
    assert max(due(run)) < SEOUL + timedelta(minutes=2)


def test_an_estimate_takes_no_seats() -> None:
    crowd(5, time_zone="Asia/Seoul")
    made = campaign(in_local_time=True, throttle_per_minute=60)
    run = begun(made, FIRST)

    estimating.estimate(made, FIRST, planned_for=FIRST)

    run.refresh_from_db()
    assert run.seats == []


def test_a_chunk_that_is_planned_again_leaves_the_lost_seats_empty_and_keeps_the_pace() -> None:
    crowd(20, time_zone="Asia/Seoul")
    run = begun(campaign(in_local_time=True, throttle_per_minute=60), FIRST)
    launching._freeze(lambda: FIRST)
    lost = chunks.take(FIRST, lease_for=LEASE)
    assert lost is not None
    launching._planned(run.arms.get(), lost.run, lost.recipient_ids, FIRST)  # and then its worker is killed

    planned(run, FIRST + 2 * LEASE, 3)

    assert seconds(due(run), SEOUL) == {10: 10, 20: 10}
    assert launching.plan_chunk(lost, FIRST + 2 * LEASE) == 0


@pytest.mark.django_db(transaction=True)
def test_planners_at_once_give_nobody_the_seat_of_another() -> None:
    people = [*crowd(150, "seoul", time_zone="Asia/Seoul"), *crowd(150, "york", time_zone="America/New_York")]
    run = begun(campaign("sale", "outlet", in_local_time=True, throttle_per_minute=60), FIRST)
    launching._freeze(lambda: FIRST)

    def taken() -> Iterator[chunks.Turn]:
        """All chunks, each in the hands of somebody."""
        for turn in range(40):
            if found := chunks.take(FIRST + timedelta(seconds=10 * turn), lease_for=timedelta(hours=1)):
                yield found

    turns = list(taken())
    hands = [turns[one::4] for one in range(4)]
    in_threads(*[lambda mine=mine: [launching.plan_chunk(turn, FIRST) for turn in mine] for mine in hands])

    assert got(run) == {person.pk: 1 for person in people}
    assert fullest_minute(due(run)) == 60
    assert [min(due(run)), due(run)[150]] == [SEOUL, YORK]
    # nobody's seat is empty: all have left after two and a half minutes
    assert max(due(run)[:150]) == SEOUL + timedelta(seconds=140)
