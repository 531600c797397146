"""Every change of state is a conditional UPDATE on the state before it."""

from datetime import timedelta

import pytest

from notifications.ledger.claim import Claim, claim
from notifications.ledger.record import Result, finish, record
from notifications.ledger.sweep import Reclaimed, depths, reclaim
from notifications.models import Batch, Delivery, DeliveryEvent
from notifications.planning.retry import Step
from notifications.vocabulary import DeliveryState, Lane, Reason
from tests.notifications.logbook import LEASE, NOW, SMS, appended, header, states

pytestmark = pytest.mark.django_db

SENT = Step(DeliveryState.SENT)


def claimed(count: int = 2, *, in_doubt: str = "resend") -> Claim:
    appended(count, head=header(in_doubt=in_doubt))
    held = claim(SMS, at=NOW, lease_for=LEASE)
    assert held is not None
    return held


def results(held: Claim, step: Step = SENT) -> list[Result]:
    return [Result(one.id, one.attempt, step, NOW, "twilio", f"SM{one.attempt}") for one in held.deliveries]


def test_results_move_deliveries_and_stand_beside_them_as_events() -> None:
    held = claimed()

    record(results(held), held.lease)
    finish(held.lease)

    assert set(states().values()) == {DeliveryState.SENT}
    assert set(DeliveryEvent.objects.values_list("kind", "account", "provider_ref")) == {("sent", "twilio", "SM1")}
    assert not Batch.objects.exists()


def test_a_repeated_record_changes_nothing_and_tells_nothing_twice() -> None:
    held = claimed()

    for _ in range(2):
        record(results(held), held.lease)

    assert DeliveryEvent.objects.count() == 2


def test_what_failed_in_passing_waits_in_the_retry_lane_until_it_is_due() -> None:
    held = claimed()
    due_at = NOW + timedelta(seconds=8)

    dues = record(results(held, Step(DeliveryState.RETRYING, Reason.PROVIDER_UNAVAILABLE, due_at)), held.lease)
    finish(held.lease)

    assert dues == {(Lane.SMS_RETRY, due_at)}
    assert claim(Lane.SMS_RETRY, at=due_at - timedelta(seconds=1), lease_for=LEASE) is None
    again = claim(Lane.SMS_RETRY, at=due_at, lease_for=LEASE)
    assert again is not None
    assert {one.attempt for one in again.deliveries} == {2}


def test_a_frozen_worker_that_wakes_up_records_nothing() -> None:
    frozen = claimed()
    reclaim(NOW + LEASE + timedelta(seconds=1))
    later = claim(Lane.SMS_RETRY, at=NOW + LEASE + timedelta(seconds=1), lease_for=LEASE)
    assert later is not None

    record(results(frozen), frozen.lease)
    finish(frozen.lease)

    assert set(states().values()) == {DeliveryState.SENDING}
    assert set(Delivery.objects.values_list("attempt", flat=True)) == {2}
    assert not DeliveryEvent.objects.filter(kind="sent").exists()
    assert Batch.objects.filter(lease_id=later.lease.id).exists()


def test_a_vanished_worker_leaves_doubt_which_is_sent_again_where_the_category_says_so() -> None:
    held = claimed(3)
    record(results(held)[:1], held.lease)

    found = reclaim(NOW + LEASE + timedelta(seconds=1))

    assert found == Reclaimed(requeued=0, resent=2, held=0)
    assert sorted(states().values()) == ["retrying", "retrying", "sent"]
    assert DeliveryEvent.objects.filter(kind="uncertain", reason="worker_lost").count() == 2


def test_a_vanished_worker_leaves_doubt_which_is_held_where_the_category_says_so() -> None:
    claimed(2, in_doubt="hold")

    found = reclaim(NOW + LEASE + timedelta(seconds=1))

    assert found == Reclaimed(requeued=0, resent=0, held=2)
    assert set(Delivery.objects.values_list("state", "reason")) == {("uncertain", "worker_lost")}
    assert not Batch.objects.exists()


def test_a_lease_that_still_stands_is_left_alone() -> None:
    claimed()

    assert reclaim(NOW + LEASE) == Reclaimed()


def test_what_a_vanished_worker_had_not_touched_waits_again_in_its_lane() -> None:
    held = claimed()
    Delivery.objects.update(state="queued")  # as if it had not come to claim these

    assert reclaim(NOW + LEASE + timedelta(seconds=1)).requeued == len(held.deliveries)
    assert claim(SMS, at=NOW + timedelta(minutes=5), lease_for=LEASE) is not None


def test_the_depth_of_a_lane_counts_what_is_due_and_in_nobodys_hands() -> None:
    appended(3)
    appended(2, head=header(send_at=NOW + timedelta(hours=1)))

    (depth,) = depths(NOW + timedelta(seconds=9))

    assert (depth.lane, depth.waiting, depth.oldest) == (SMS, 3, NOW)
