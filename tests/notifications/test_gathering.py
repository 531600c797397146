"""Receipts that come one by one are applied together, and none is forgotten in between."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from accounts.channels import Channel
from notifications import queues, receiving
from notifications.clock import clock
from notifications.ledger import receipts
from notifications.models import Delivery, PendingReceipt
from notifications.providers.contract import Receipt
from notifications.vocabulary import ReceiptKind
from tests.notifications.logbook import appended


def hints() -> int:
    """How many hints for receipts lie in the broker."""
    found = queues.messages([queues.RECEIPTS_QUEUE])
    assert found is not None
    return found[queues.RECEIPTS_QUEUE]


def test_many_receipts_make_one_hint_and_after_a_while_another_where_the_first_was_taken() -> None:
    for _ in range(5):
        queues.hint_receipts()
    assert hints() == 1

    queues.receipts_taken()
    queues.hint_receipts()
    assert hints() == 1, "the worker that has just taken it is still waiting for more"

    time.sleep(queues.GATHER * 0.6)
    queues.hint_receipts()
    assert hints() == 2


def test_a_process_that_knows_nothing_of_a_hint_asks() -> None:
    queues.hint_receipts()
    queues.receipts_taken()
    queues.know_nothing()

    queues.hint_receipts()

    assert hints() == 2


@pytest.mark.django_db(transaction=True)
def test_what_comes_while_a_worker_gathers_is_applied_by_it() -> None:
    (sent,) = appended(1, channels=(Channel.SMS,))
    Delivery.objects.update(state="sent", attempt=1)
    now = timezone.now()

    def worker() -> int:
        try:
            return receiving.apply(clock=clock.now, gather=queues.GATHER)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        applied = pool.submit(worker)
        time.sleep(queues.GATHER / 2)
        receipts.keep([Receipt(sent.delivery_ids[0], ReceiptKind.DELIVERED, now, "", "r1")], "twilio-live", now)

        assert applied.result(timeout=20) == 1

    assert not PendingReceipt.objects.exists()
    assert Delivery.objects.get().state == "delivered"
