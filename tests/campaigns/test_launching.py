"""A run freezes its audience and plans it chunk by chunk, each person once."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Recipient
from campaigns import chunks, freezing, launching
from campaigns.models import Arm, Campaign, Chunk, Run
from campaigns.vocabulary import HOLD_OUT, ChunkState, RunState
from notifications.models import Notification
from notifications.vocabulary import DeliveryState
from templates_app import catalogue
from tests.at_once import in_threads
from tests.campaigns.stage import begun, campaign, crowd, deliveries, got, segment, worked_off

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=60)


def later(seconds: float = 1) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


def test_everybody_in_the_segment_is_planned_once() -> None:
    people = crowd(2_500)
    run = begun(campaign())

    assert worked_off() == 2_500

    assert got(run) == {person.pk: 1 for person in people}
    run.refresh_from_db()
    assert (run.state, run.people) == (RunState.RUNNING, 2_500)


def test_chunks_are_sorted_begin_where_others_end_and_have_everybody_once() -> None:
    people = sorted(person.pk for person in crowd(2_500))
    run = begun(campaign())
    worked_off()

    found = list(Chunk.objects.filter(run=run).order_by("after_id"))

    assert [one for chunk in found for one in chunk.recipient_ids] == people
    assert all(chunk.recipient_ids == sorted(chunk.recipient_ids) for chunk in found)
    assert [chunk.after_id for chunk in found[1:]] == [chunk.recipient_ids[-1] for chunk in found[:-1]]
    assert max(len(chunk.recipient_ids) for chunk in found) <= 1000


def half_frozen(of: Campaign) -> Run:
    """A run of which the first slice is written down."""
    run = begun(of)
    launching._freeze(lambda: later(2))
    run.refresh_from_db()
    assert run.frozen_at is None
    return run


def test_who_is_meant_is_kept_when_it_begins_whatever_its_segments_say_later() -> None:
    crowd(2_100, "kr", country="KR")
    crowd(10, "jp", country="JP")
    inner = segment("inner", {"field": "country", "is": "is", "value": "KR"})
    outer = segment("outer", {"field": "segment", "is": "in", "value": str(inner.pk)})
    run = half_frozen(campaign(segment=outer))

    inner.rules, outer.rules = {}, {}
    inner.save()
    outer.save()

    assert worked_off(later(2)) == 2_100
    run.refresh_from_db()
    assert (run.state, run.people) == (RunState.RUNNING, 2_100)


def test_who_comes_after_the_start_is_not_in_it() -> None:
    crowd(3, "early")
    at = later()
    begun(campaign(), at)
    Recipient.objects.bulk_create(
        [Recipient(id="7fffffff-ffff-7000-8000-000000000000", external_id="late", email="late@example.com")]
    )

    assert worked_off(at) == 3


def test_who_leaves_the_segment_after_it_was_frozen_is_still_in_it() -> None:
    crowd(3, country="KR")
    at = later()
    run = begun(campaign(segment=segment("koreans", {"field": "country", "is": "one of", "value": ["KR"]})), at)
    freeze = freezing.take(at, lease_for=LEASE)
    assert freeze is not None
    freezing.freeze_slice(freeze, at, lease_for=LEASE)

    Recipient.objects.update(country="JP")

    assert worked_off(at) == 3
    assert len(deliveries(run)) == 3


def test_an_empty_segment_fails_the_run_and_says_why() -> None:
    run = begun(campaign())

    worked_off()

    run.refresh_from_db()
    assert (run.state, run.note) == (RunState.FAILED, "Nobody is in the segment.")


def test_a_segment_that_names_what_is_gone_fails_the_run_says_why_and_holds_up_no_other() -> None:
    crowd(3)
    rules = {"field": "clicked", "is": "ever", "campaign": str(campaign("outlet").pk)}
    at = later()
    broken, sound = begun(campaign("sale", segment=segment("fans", rules)), at), begun(campaign("fair"), at)
    Campaign.objects.filter(variants__template__name="outlet").delete()

    assert worked_off(at) == 3

    broken.refresh_from_db()
    assert (broken.state, broken.finished_at, broken.lease_id) == (RunState.FAILED, at, None)
    assert broken.note.startswith("The segment “fans” cannot be used: campaign: there is no campaign")
    assert len(deliveries(sound)) == 3


def test_a_template_that_is_published_no_more_fails_the_run_before_it_begins() -> None:
    crowd(1)
    made = campaign()
    made.variants.get().template.versions.all().delete()
    catalogue.forget()

    run = begun(made)

    assert (run.state, run.note) == (RunState.FAILED, "No version of sale is published.")
    assert not Notification.objects.exists()


def test_a_chunk_that_is_planned_twice_plans_nobody_twice() -> None:
    crowd(5)
    at = later()
    run = begun(campaign(), at)
    launching._freeze(lambda: at)
    first = chunks.take(at, lease_for=LEASE)
    assert first is not None
    # its worker is held to be lost, and another takes the chunk
    second = chunks.take(at + 2 * LEASE, lease_for=LEASE)
    assert second is not None

    assert second.chunk_id == first.chunk_id
    assert launching.plan_chunk(second, at) == 5
    assert launching.plan_chunk(first, at) == 0
    assert len(deliveries(run)) == 5


def test_a_worker_that_dies_in_the_middle_of_a_chunk_leaves_nothing_of_it() -> None:
    crowd(5)
    at = later()
    run = begun(campaign(), at)
    launching._freeze(lambda: at)
    turn = chunks.take(at, lease_for=LEASE)
    assert turn is not None

    with transaction.atomic():
        launching.plan_chunk(turn, at)
        transaction.set_rollback(True)

    assert deliveries(run) == []
    assert worked_off(at + 2 * LEASE) == 5
    assert len(deliveries(run)) == 5


@pytest.mark.django_db(transaction=True)
def test_several_planners_at_once_plan_everybody_once() -> None:
    people = crowd(6_000)
    run = begun(campaign())
    at = later()  # of one moment: none waits for a turn that another took a blink later

    in_threads(*[lambda: worked_off(at)] * 4)

    assert got(run) == {person.pk: 1 for person in people}


def test_two_runs_have_their_turns_one_after_the_other() -> None:
    crowd(4_000)
    at = later()
    one, other = begun(campaign("sale"), at), begun(campaign("outlet"), at)
    for _ in range(4):
        launching._freeze(lambda: at)
    order = []
    for step in range(6):
        turn = chunks.take(at + timedelta(seconds=step + 1), lease_for=LEASE)
        assert turn is not None
        order.append(turn.run.pk)

    assert order == [one.pk, other.pk] * 3


def test_people_are_divided_by_the_weights_and_the_hold_out_gets_nothing() -> None:
    crowd(3_000)
    made = campaign("sale", "outlet", holdout_percent=10)
    made.variants.filter(letter="B").update(weight=3)
    run = begun(made)
    worked_off()

    people = dict(Arm.objects.filter(run=run).values_list("letter", "people"))

    assert sum(people.values()) == 3_000
    assert 220 < people[HOLD_OUT] < 380
    assert 2.6 < people["B"] / people["A"] < 3.4
    assert len(deliveries(run)) == people["A"] + people["B"]


def test_a_test_portion_leaves_the_rest_waiting_for_the_better_variant() -> None:
    crowd(2_000)
    run = begun(campaign("sale", "outlet", test_percent=20))
    worked_off()

    waiting = list(Chunk.objects.filter(run=run, phase=2))
    assert 1_450 < sum(len(chunk.recipient_ids) for chunk in waiting) < 1_750
    assert len(deliveries(run)) + sum(len(chunk.recipient_ids) for chunk in waiting) == 2_000

    Run.objects.filter(pk=run.pk).update(winner="B")
    worked_off()

    assert sum(got(run).values()) == 2_000
    assert max(got(run).values()) == 1
    assert not Chunk.objects.filter(run=run, state=ChunkState.OPEN).exists()


def test_a_throttle_lets_a_sixth_of_a_minutes_people_out_every_ten_seconds() -> None:
    crowd(500)
    at = later()
    run = begun(campaign(throttle_per_minute=600), at)

    planned = [worked_off(at + timedelta(seconds=step)) for step in (0, 5, 10, 15, 20, 60)]

    # the first slice, then what the pace allows; what was missed while nobody planned is not caught up
    assert planned == [100, 0, 100, 0, 100, 200]
    assert len(deliveries(run)) == 500


SEOUL_AT_NINE = datetime(2027, 3, 1, 0, 0, tzinfo=UTC)


def test_in_local_time_everybody_gets_it_when_their_own_clock_says_so() -> None:
    crowd(1, "seoul", time_zone="Asia/Seoul")
    crowd(1, "york", time_zone="America/New_York")
    # nine on the first wall on earth, which is 14 hours ahead
    first = datetime(2027, 2, 28, 19, 0, tzinfo=UTC)
    run = begun(campaign(in_local_time=True), first)
    worked_off(first)

    due = {one.recipient.external_id: one.due_at for one in deliveries(run) if one.recipient}

    assert due == {
        "seoul0": datetime(2027, 3, 1, 0, 0, tzinfo=UTC),
        "york0": datetime(2027, 3, 1, 14, 0, tzinfo=UTC),
    }


def test_in_local_time_who_is_reached_too_late_is_left_out_with_a_reason() -> None:
    crowd(1, "seoul", time_zone="Asia/Seoul")
    first = datetime(2027, 2, 28, 19, 0, tzinfo=UTC)
    made = campaign(in_local_time=True, late_hours=3)
    run = Run.objects.create(campaign=made, planned_for=first)
    at = first + timedelta(hours=9)
    launching.begin(run, at)
    worked_off(at)

    (one,) = deliveries(run)

    assert (one.state, one.reason) == (DeliveryState.SUPPRESSED, "expired")


def test_outside_the_window_nothing_is_planned_until_it_opens() -> None:
    crowd(1)
    at = datetime(2027, 3, 1, 13, 0, tzinfo=UTC)  # ten in the evening in Seoul
    run = begun(campaign(window_from=time(9), window_until=time(21)), at)

    assert worked_off(at) == 0
    assert worked_off(datetime(2027, 3, 1, 23, 59, tzinfo=UTC)) == 0
    assert worked_off(datetime(2027, 3, 2, 0, 0, tzinfo=UTC)) == 1
    assert [one.state for one in deliveries(run)] == [DeliveryState.QUEUED]


def test_a_run_whose_window_is_closed_holds_up_no_other() -> None:
    crowd(3)
    at = datetime(2027, 3, 1, 13, 0, tzinfo=UTC)
    begun(campaign("sale", window_from=time(9), window_until=time(21)), at)
    begun(campaign("outlet"), at)

    assert worked_off(at) == 3


def test_in_local_time_the_window_is_that_of_everybodys_own_wall() -> None:
    crowd(1, "seoul", time_zone="Asia/Seoul")
    first = datetime(2027, 2, 28, 19, 0, tzinfo=UTC)  # nine on the first wall on earth
    run = begun(campaign(in_local_time=True, window_from=time(12), window_until=time(21)), first)
    worked_off(first)

    (one,) = deliveries(run)

    assert (one.state, one.due_at) == (DeliveryState.SCHEDULED, datetime(2027, 3, 1, 3, 0, tzinfo=UTC))


def test_nothing_is_planned_while_very_much_waits_to_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(3_000)
    at = later()
    begun(campaign(), at)
    monkeypatch.setattr(chunks, "MOST_WAITING", 1_000)

    assert worked_off(at) == 1_000


def test_a_run_begins_once_however_often_it_is_asked_to() -> None:
    crowd(1)
    run = begun(campaign())

    launching.begin(run, later())

    assert run.arms.count() == 1
    assert Notification.objects.count() == 1
