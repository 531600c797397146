"""A provider that takes a message and never says what became of it is not waited for for ever."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from notifications import recovery
from notifications.ledger.receipts import apply, keep
from notifications.models import AwaitedReceipts, Delivery
from notifications.providers.contract import Receipt
from notifications.timeline import timeline
from notifications.vocabulary import Lane, ReceiptKind
from tests.api.shop import jimin, shop
from tests.notifications.road import accepted, dispatched, now
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

LATER = timedelta(hours=73)


def a_text() -> Delivery:
    """A text message that was sent just now."""
    (delivery,) = accepted("sms", by=shop(), recipients=[{"phone": "+821012345678"}])
    dispatched(Lane.SMS)
    return now(delivery)


def given_up(after: timedelta) -> int:
    return recovery.give_up_receipts(clock=lambda: timezone.now() + after)


def received(delivery: Delivery, kind: ReceiptKind) -> None:
    at = timezone.now()
    keep([Receipt(delivery.pk, kind, at, event_ref=kind)], "twilio-live", at)
    apply(at)


def test_after_three_days_it_says_that_nobody_knows(providers: Running) -> None:
    delivery = a_text()

    assert given_up(LATER) == 1

    assert (now(delivery).state, now(delivery).reason) == ("sent", "no_receipt")
    assert timeline(now(delivery))[-1].what == "no receipt"
    assert not AwaitedReceipts.objects.exists()


def test_not_before_and_not_twice(providers: Running) -> None:
    delivery = a_text()

    assert given_up(timedelta(hours=71)) == 0
    assert now(delivery).reason == ""
    assert [given_up(LATER), given_up(LATER)] == [1, 0]


def test_how_long_is_a_setting(providers: Running, settings: Settings) -> None:
    settings.RECEIPT_HOURS = 1
    a_text()

    assert given_up(timedelta(hours=2)) == 1


@pytest.mark.parametrize(("kind", "state"), [("delivered", "delivered"), ("bounced", "failed")])
def test_one_whose_receipt_came_stays_as_it_is(providers: Running, kind: str, state: str) -> None:
    delivery = a_text()
    received(delivery, ReceiptKind(kind))

    assert given_up(LATER) == 0
    assert now(delivery).state == state
    assert now(delivery).reason != "no_receipt"


def test_a_receipt_that_comes_after_all_settles_it(providers: Running) -> None:
    delivery = a_text()
    given_up(LATER)

    received(delivery, ReceiptKind.DELIVERED)

    assert (now(delivery).state, now(delivery).reason) == ("delivered", "")


def test_nothing_is_awaited_where_the_provider_never_calls_back(providers: Running) -> None:
    jimin()
    accepted("push")
    dispatched(Lane.IOS)

    assert not AwaitedReceipts.objects.exists()


def test_nothing_is_awaited_of_what_was_not_sent(providers: Running) -> None:
    providers.admin("PUT", "faults/twilio", {"status": 503})

    a_text()

    assert not AwaitedReceipts.objects.exists()


def test_together_they_are_one_row(providers: Running) -> None:
    accepted("sms", by=shop(), recipients=[{"phone": f"+8210{number:08}"} for number in range(100)])
    dispatched(Lane.SMS)

    assert AwaitedReceipts.objects.count() <= 3
    assert given_up(LATER) == 100
