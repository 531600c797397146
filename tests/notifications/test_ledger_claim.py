"""Only the holder of the lease sends."""

from collections import Counter
from datetime import timedelta

import pytest

from accounts.channels import Channel
from accounts.models import Device
from notifications.ledger.batches import enqueue
from notifications.ledger.claim import claim
from notifications.models import Batch, Delivery
from notifications.vocabulary import DeliveryState, Lane
from tests.notifications.logbook import LEASE, NOW, SMS, appended, header, states

pytestmark = pytest.mark.django_db


def test_a_claim_takes_every_waiting_delivery_of_its_lane_and_moves_it_to_sending() -> None:
    appended(3)

    held = claim(SMS, at=NOW, lease_for=LEASE)

    assert held is not None
    assert len(held.deliveries) == 3
    assert {one.attempt for one in held.deliveries} == {1}
    assert set(states().values()) == {DeliveryState.SENDING}
    assert held.lease.until == NOW + LEASE


def test_a_second_claim_finds_nothing() -> None:
    appended(3)
    claim(SMS, at=NOW, lease_for=LEASE)

    assert claim(SMS, at=NOW, lease_for=LEASE) is None


def test_a_claim_leaves_other_lanes_alone() -> None:
    appended(1, channels=(Channel.SMS, Channel.EMAIL))

    claim(SMS, at=NOW, lease_for=LEASE)

    assert Counter(Delivery.objects.values_list("queue", "state")) == {("sms", "sending"): 1, ("email", "queued"): 1}


def test_many_small_batches_are_taken_in_one_claim_up_to_the_limit() -> None:
    for _ in range(7):
        appended(1)

    first, second = (claim(SMS, at=NOW, lease_for=LEASE, limit=5) for _ in range(2))

    assert first is not None
    assert second is not None
    assert (len(first.deliveries), first.more) == (5, True)
    assert (len(second.deliveries), second.more) == (2, False)


def test_a_batch_larger_than_the_limit_is_still_taken_whole() -> None:
    appended(4)

    held = claim(SMS, at=NOW, lease_for=LEASE, limit=2)

    assert held is not None
    assert len(held.deliveries) == 4


def test_what_is_due_later_is_not_claimed_before_its_time() -> None:
    appended(1, head=header(send_at=NOW + timedelta(hours=1)))

    assert claim(SMS, at=NOW + timedelta(minutes=59), lease_for=LEASE) is None
    assert claim(SMS, at=NOW + timedelta(hours=1), lease_for=LEASE) is not None


def test_a_delivery_that_stands_in_two_batches_is_claimed_once() -> None:
    (one,) = appended(1)
    enqueue([((SMS, NOW), one.delivery_ids[0])])

    held = claim(SMS, at=NOW, lease_for=LEASE)

    assert held is not None
    assert len(held.lease.batch_ids) == 2
    assert len(held.deliveries) == 1


def test_a_push_is_claimed_with_the_token_that_its_device_has_now() -> None:
    appended(2, channels=(Channel.PUSH,))
    gone, there = Device.objects.order_by("id")
    Device.objects.filter(pk=gone.pk).update(retired_at=NOW)

    held = claim(Lane.IOS, at=NOW, lease_for=LEASE)

    assert held is not None
    assert {(one.device_id, one.address, one.service) for one in held.deliveries} == {
        (gone.pk, "", ""),
        (there.pk, there.token, "apns"),
    }


def test_a_claim_brings_what_the_deliveries_of_a_notification_share() -> None:
    head = header(in_doubt="hold", expires_at=NOW + timedelta(hours=1))
    appended(2, head=head)

    held = claim(SMS, at=NOW, lease_for=LEASE)

    assert held is not None
    (shared,) = held.notifications.values()
    assert (shared.data, shared.resend_in_doubt, shared.expires_at) == ({"name": "지민"}, False, head.expires_at)


def test_a_batch_knows_how_many_it_holds() -> None:
    appended(3)

    assert Batch.objects.get().size == 3
