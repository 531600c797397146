"""What was sent is charged for: once, by the parts of the text as it was sent, and by the prices of the day."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.channels import Channel, Mode
from accounts.ids import new_id
from notifications import charging, recovery
from notifications.ledger import spending
from notifications.ledger.claim import claim
from notifications.ledger.record import Result, record
from notifications.ledger.spending import Charge, Spent
from notifications.models import Delivery, Notification, ProviderAccount, SmsPrice, Spending, SpendingNote
from notifications.planning.retry import Step
from notifications.routes import routes
from notifications.vocabulary import DeliveryState, Lane, Reason
from tests.api.shop import DATA, shop
from tests.notifications.logbook import LEASE, NOW, appended, header
from tests.notifications.road import accepted, dispatched
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

PHONE = {"phone": "+821012345678"}


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    charging.forget()
    yield
    charging.forget()


def priced(amount: str, destination: str = "KR", **values: Any) -> None:
    usual = {"provider": "twilio", "currency": "USD", "valid_from": timezone.now().date()}
    SmsPrice.objects.create(per_segment=amount, destination=destination, **{**usual, **values})


def spent() -> list[tuple[str, str, int, int, Decimal]]:
    """All that was, once it is added up."""
    recovery.keep_tally()
    assert not SpendingNote.objects.exists()
    return list(
        Spending.objects.order_by("channel", "currency").values_list(
            "channel", "currency", "messages", "segments", "amount"
        )
    )


def test_a_text_message_costs_what_its_parts_cost(providers: Running) -> None:
    priced("0.05")
    # 75 characters that are not GSM's: two parts
    accepted("sms", recipients=[PHONE, {"phone": "+821012345679"}], data={**DATA, "user_name": "지" * 62})
    dispatched(Lane.SMS)

    assert spent() == [("sms", "USD", 2, 4, Decimal("0.20"))]


def test_what_differs_from_person_to_person_is_charged_as_it_differs(providers: Running) -> None:
    priced("0.05")
    accepted("sms", recipients=[PHONE, {"phone": "+821012345679", "data": {"user_name": "지" * 62}}])
    dispatched(Lane.SMS)

    assert spent() == [("sms", "USD", 2, 3, Decimal("0.15"))]


def test_each_destination_has_its_price_and_each_currency_its_sum(providers: Running) -> None:
    priced("0.05")
    priced("0.02", "US", currency="EUR")
    accepted("sms", recipients=[PHONE, {"phone": "+12025550123"}, {"phone": "+447400123456"}])
    dispatched(Lane.SMS)

    assert spent() == [
        ("sms", "", 1, 1, Decimal(0)),
        ("sms", "EUR", 1, 1, Decimal("0.02")),
        ("sms", "USD", 1, 1, Decimal("0.05")),
    ]


def test_an_account_pays_what_it_agreed_to_and_the_prices_of_the_day(providers: Running) -> None:
    twilio = ProviderAccount.objects.get(name="twilio-live")
    priced("0.05")
    priced("0.01", provider="", account=twilio, valid_from=timezone.now().date() - timedelta(days=3))
    priced("0.99", provider="", account=twilio, valid_from=timezone.now().date() + timedelta(days=1))
    accepted("sms", recipients=[PHONE])
    dispatched(Lane.SMS)

    assert spent() == [("sms", "USD", 1, 1, Decimal("0.01"))]


def test_what_costs_nothing_is_not_noted(providers: Running) -> None:
    priced("0.05")
    accepted("sms", by=shop(mode=Mode.TEST), recipients=[PHONE])
    accepted("email", by=shop(), recipients=[{"email": "jimin@example.com"}])
    dispatched(Lane.SMS)
    dispatched(Lane.EMAIL)

    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    assert spent() == []


def test_where_a_test_account_stands_in_nothing_is_paid(providers: Running) -> None:
    priced("0.05")
    test = ProviderAccount.objects.get(name="twilio-test")
    ProviderAccount.objects.filter(name="twilio-live").update(diverted_to=test)
    routes.forget()
    accepted("sms", recipients=[PHONE])
    dispatched(Lane.SMS)
    routes.forget()

    assert set(Delivery.objects.values_list("account", flat=True)) == {"twilio-test"}
    assert spent() == []


def test_an_email_costs_what_the_settings_say(providers: Running, settings: Settings) -> None:
    settings.EMAIL_PRICE, settings.PRICE_CURRENCY = Decimal("0.001"), "EUR"
    accepted("email", recipients=[{"email": "a@example.com"}, {"email": "b@example.com"}])
    dispatched(Lane.EMAIL)

    assert spent() == [("email", "EUR", 2, 2, Decimal("0.002"))]


def test_what_reaches_no_provider_costs_nothing(providers: Running) -> None:
    priced("0.05")
    accepted("sms", recipients=[PHONE])
    ProviderAccount.objects.filter(name="twilio-live").update(endpoint="http://127.0.0.1:9")
    routes.forget()
    dispatched(Lane.SMS)
    routes.forget()

    assert not Delivery.objects.filter(state="sent").exists()
    assert spent() == []


def test_parts_are_told_apart(providers: Running) -> None:
    priced("0.05")
    one, other = (accepted("sms", by=shop(), recipients=[PHONE])[0].notification_id for _ in range(2))
    parts = [new_id(), new_id()]
    for notification, part in zip((one, other), parts, strict=True):
        Notification.objects.filter(pk=notification).update(part_of=part)
    dispatched(Lane.SMS)
    recovery.keep_tally()

    assert spending.of_parts(parts) == [
        Spent(part, Channel.SMS, "USD", 1, 1, Decimal("0.05")) for part in sorted(parts)
    ]


def test_a_worker_that_lost_its_lease_charges_for_nothing() -> None:
    """Whoever sends it in its place does."""
    appended(2, head=header())
    held = claim(Lane.SMS, at=NOW, lease_for=LEASE)
    assert held
    charge = Charge(new_id(), None, Channel.SMS, 2, Decimal("0.1"), "USD")
    results = [Result(one.id, one.attempt, Step(DeliveryState.SENT), NOW, charge=charge) for one in held.deliveries]
    Delivery.objects.filter(pk=results[0].delivery_id).update(attempt=2)

    record(results, Lane.SMS)
    record(results, Lane.SMS)

    assert spent() == [("sms", "USD", 1, 2, Decimal("0.1"))]


def test_what_is_not_sent_is_not_charged_for() -> None:
    appended(1, head=header())
    held = claim(Lane.SMS, at=NOW, lease_for=LEASE)
    assert held
    charge = Charge(new_id(), None, Channel.SMS, 1, Decimal("0.1"), "USD")
    step = Step(DeliveryState.FAILED, Reason.ADDRESS_DEAD)

    record([Result(one.id, one.attempt, step, NOW, charge=charge) for one in held.deliveries], Lane.SMS)

    assert spent() == []


def test_one_record_notes_what_is_alike_once() -> None:
    version, part = new_id(), new_id()
    charge = Charge(version, part, Channel.SMS, 3, Decimal("0.3"), "USD")

    spending.note([charge] * 250 + [replaced(charge, currency="EUR")], NOW)

    notes = SpendingNote.objects.order_by("currency").values_list(
        "part_of", "currency", "messages", "segments", "amount"
    )
    assert list(notes) == [(part, "EUR", 1, 3, Decimal("0.3")), (part, "USD", 250, 750, Decimal(75))]


def replaced(charge: Charge, **changes: Any) -> Charge:
    return Charge(**{**{name: getattr(charge, name) for name in Charge.__struct_fields__}, **changes})


@pytest.mark.django_db(transaction=True)
def test_two_who_add_up_at_once_count_nothing_twice() -> None:
    charges = [Charge(new_id(), None, Channel.SMS, 1, Decimal("0.01"), "USD") for _ in range(3)]
    for _ in range(20):
        spending.note(charges, NOW)

    def fold() -> None:
        while spending.fold(limit=7):
            pass
        connection.close()

    threads = [threading.Thread(target=fold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert spent() == [("sms", "USD", 20, 20, Decimal("0.2"))] * 3
