"""Every change of state is a conditional UPDATE on the state before it."""

from datetime import timedelta

import pytest

from notifications.ledger.claim import Claim, claim
from notifications.ledger.record import Result, record
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


def test_what_was_sent_says_so_in_its_own_row() -> None:
    held = claimed(3)
    at = [NOW, NOW + timedelta(milliseconds=1), NOW + timedelta(seconds=1)]
    refs = ["SM1", "", 'quoted " and {braced}, with a \\']
    answers = zip(held.deliveries, at, refs, strict=True)

    record([Result(one.id, one.attempt, SENT, when, "twilio", ref) for one, when, ref in answers], SMS, [held.lease])

    logged = {row.id: (row.state, row.sent_at, row.account, row.provider_ref) for row in Delivery.objects.all()}
    assert [logged[one.id] for one in held.deliveries] == [
        ("sent", when, "twilio", ref) for when, ref in zip(at, refs, strict=True)
    ]
    assert not DeliveryEvent.objects.exists()
    assert not Batch.objects.exists()


def test_results_of_several_accounts_and_attempts_are_told_apart() -> None:
    held = claimed(2)
    one, other = held.deliveries
    Delivery.objects.filter(pk=other.id).update(attempt=5)

    record([Result(one.id, 1, SENT, NOW, "first"), Result(other.id, 5, SENT, NOW, "second")], held.lease.lane)

    assert set(Delivery.objects.values_list("attempt", "account", "state")) == {
        (1, "first", "sent"),
        (5, "second", "sent"),
    }


def test_what_was_not_sent_has_an_event_that_says_why() -> None:
    held = claimed()
    step = Step(DeliveryState.FAILED, Reason.CONTENT_REFUSED)

    record([Result(one.id, one.attempt, step, NOW, "twilio", "SM1") for one in held.deliveries], held.lease.lane)

    assert set(states().values()) == {DeliveryState.FAILED}
    assert set(DeliveryEvent.objects.values_list("kind", "reason", "account", "provider_ref")) == {
        ("failed", "content_refused", "twilio", "SM1")
    }


def test_a_repeated_record_changes_nothing_and_tells_nothing_twice() -> None:
    held = claimed()

    for _ in range(2):
        record(results(held, Step(DeliveryState.FAILED, Reason.CONTENT_REFUSED)), held.lease.lane)

    assert DeliveryEvent.objects.count() == 2


def test_what_failed_in_passing_waits_in_the_retry_lane_until_it_is_due() -> None:
    held = claimed()
    due_at = NOW + timedelta(seconds=8)

    has_put_off = record(
        results(held, Step(DeliveryState.RETRYING, Reason.PROVIDER_UNAVAILABLE, due_at)), held.lease.lane, [held.lease]
    )

    assert has_put_off
    assert claim(Lane.SMS_RETRY, at=due_at - timedelta(seconds=1), lease_for=LEASE) is None
    again = claim(Lane.SMS_RETRY, at=due_at, lease_for=LEASE)
    assert again is not None
    assert {one.attempt for one in again.deliveries} == {2}


def test_a_frozen_worker_that_wakes_up_records_nothing() -> None:
    frozen = claimed()
    reclaim(NOW + LEASE + timedelta(seconds=1))
    later = claim(Lane.SMS_RETRY, at=NOW + LEASE + timedelta(seconds=1), lease_for=LEASE)
    assert later is not None

    record(results(frozen), frozen.lease.lane, [frozen.lease])

    assert set(states().values()) == {DeliveryState.SENDING}
    assert set(Delivery.objects.values_list("attempt", flat=True)) == {2}
    assert not Delivery.objects.filter(sent_at__isnull=False).exists()
    assert Batch.objects.filter(lease_id=later.lease.id).exists()


def test_a_vanished_worker_leaves_doubt_which_is_sent_again_where_the_category_says_so() -> None:
    held = claimed(3)
    record(results(held)[:1], held.lease.lane)

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
