"""An erasure while others are at work: workers that hold a message, messages that wait, people who come back."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
import redis
from django.db import OperationalError, connection
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.models import Cap, Category, Recipient, Suppression
from notifications import erasing
from notifications.clock import clock
from notifications.escalating import escalate
from notifications.ledger.claim import claim
from notifications.ledger.events import Event, append_events
from notifications.ledger.record import Result, record
from notifications.models import Delivery, Erasure, Escalation, PendingReceipt
from notifications.planning.retry import Step
from notifications.receiving import apply
from notifications.vocabulary import DeliveryState, EventKind, Lane, Reason
from templates_app import catalogue
from tests.api.shop import DATA, Shop, jimin, shop
from tests.builders import person
from tests.notifications.erased import later, tables_with, words_of
from tests.notifications.road import accepted, dispatched
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db


def test_what_a_worker_is_sending_is_looked_at_again(providers: Running) -> None:
    api, who = shop(), jimin()
    accepted("sms", by=api)
    Delivery.objects.update(state="sending", attempt=1)
    api.delete("/v1/recipients/jimin")

    erasing.carry_on(clock=later())
    assert Erasure.objects.get().finished_at is None
    held = Delivery.objects.get()
    assert (held.address, held.recipient_id) == ("", who.pk), "nothing more is sent, and it is found again"

    Delivery.objects.update(state="sent", provider_ref="SM1")
    append_events([Event(held.pk, timezone.now(), 1, EventKind.SENT, detail=f"took {who.phone}")])
    erasing.carry_on(clock=later(minutes=7))
    assert Erasure.objects.get().finished_at
    assert not tables_with(who.phone, str(who.pk))


@pytest.mark.parametrize("whose", ["person", "contact"])
def test_what_a_worker_gives_back_is_not_sent_again(providers: Running, whose: str) -> None:
    api, who = shop(), jimin()
    accepted("sms", by=api, recipients=["jimin" if whose == "person" else {"phone": who.phone}])
    held = claim(Lane.SMS, at=timezone.now(), lease_for=timedelta(minutes=1))
    assert held
    api.delete("/v1/recipients/jimin")
    again = Step(DeliveryState.RETRYING, Reason.THROTTLED, timezone.now())
    record([Result(held.deliveries[0].id, 1, again, timezone.now())], Lane.SMS, [held.lease])

    dispatched(Lane.SMS.retry, timezone.now() + timedelta(minutes=1))

    back = Delivery.objects.get()
    assert (back.state, back.reason, back.attempt) == ("suppressed", "erased", 2)
    erasing.carry_on(clock=later())
    assert not tables_with(who.phone, str(who.pk))


def escalating(api: Shop, *recipients: Any) -> None:
    Category.objects.update(routing="escalate", routing_order=["push", "sms", "email"], escalate_after=5)
    catalogue.forget()
    accepted("push", "sms", "email", by=api, recipients=list(recipients), data=DATA)


def test_what_waits_for_its_next_channel_goes_no_further(providers: Running) -> None:
    api, who = shop(), jimin()
    escalating(api, "jimin", {"email": who.email, "phone": who.phone})
    assert Escalation.objects.count() == 2
    asked = Delivery.objects.count() + sum(len(one.channels) for one in Escalation.objects.all())

    api.delete("/v1/recipients/jimin")

    assert not Escalation.objects.exists()
    assert Delivery.objects.count() == asked, "every channel that was asked for stands in the log"
    left = Delivery.objects.filter(reason="erased", state="suppressed")
    assert left.count() == 3
    assert not Delivery.objects.exclude(address="", recipient=None).exists()
    assert escalate(clock=later(minutes=10)) == 0
    assert erasing.carry_on(clock=later())
    assert not tables_with(*words_of(who))


def test_a_contacts_message_that_was_just_going_on_is_withdrawn(providers: Running) -> None:
    api, who = shop(), jimin()
    escalating(api, {"email": who.email, "phone": who.phone})
    waiting = Escalation.objects.get()
    Escalation.objects.all().delete()
    api.delete("/v1/recipients/jimin")
    # a worker that had taken the row commits now: the next channel is planned, and another one waits
    late = Delivery.objects.create(
        notification_id=waiting.notification_id, channel="email", queue="email", state="queued", address=who.email
    )
    waiting.save(force_insert=True)

    erasing.carry_on(clock=later())

    late.refresh_from_db()
    assert (late.state, late.reason, late.address) == ("cancelled", "erased", "")
    assert not Escalation.objects.exists()


def test_late_news_brings_nothing_back(providers: Running) -> None:
    api, who = shop(), jimin()
    accepted("sms", by=api)
    dispatched(Lane.SMS)
    api.delete("/v1/recipients/jimin")
    sent, now = Delivery.objects.get(), timezone.now()
    PendingReceipt.objects.create(
        delivery=sent, kind="bounced", at=now, detail=f"{who.phone} is gone", account="a", due_at=now
    )

    apply(clock=clock.now)

    sent.refresh_from_db()
    assert sent.state == DeliveryState.FAILED
    assert not tables_with(who.phone) - {"notifications_erasure"}
    assert not Suppression.objects.exists()


def test_a_long_log_is_gone_through_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    api, who = shop(), jimin()
    for _ in range(5):
        accepted("sms", by=api)
    monkeypatch.setattr("notifications.ledger.stripping.TOGETHER", 2)
    monkeypatch.setattr("notifications.erasing._AT_ONCE", 0.0)
    api.delete("/v1/recipients/jimin")
    assert Delivery.objects.filter(recipient_id=who.pk).count() == 5, "somebody with so long a log waits for no answer"

    assert erasing.carry_on(clock=clock.now) == 4, "two, two, one, and a look at all the rest"
    assert not Delivery.objects.exclude(address="").exists()
    assert erasing.carry_on(clock=clock.now) == 0, "a little later it looks again"


@pytest.mark.django_db(transaction=True)
def test_a_step_whose_worker_is_killed_is_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    api, who = shop(), jimin()
    for _ in range(5):
        accepted("sms", by=api)
    monkeypatch.setattr("notifications.ledger.stripping.TOGETHER", 2)
    monkeypatch.setattr("notifications.erasing._AT_ONCE", 0.0)
    api.delete("/v1/recipients/jimin")
    with monkeypatch.context() as dying:
        dying.setattr("notifications.ledger.stripping._NOTIFICATIONS", "SELECT pg_terminate_backend(pg_backend_pid())")
        with pytest.raises(OperationalError):
            erasing.carry_on(clock=clock.now)
    connection.close()
    assert Delivery.objects.filter(recipient_id=who.pk, state="queued").count() == 5, "all of a step, or nothing"

    erasing.carry_on(clock=later())

    assert Delivery.objects.filter(recipient=None, state="cancelled", reason="erased").count() == 5
    assert Erasure.objects.get().rows["deliveries"] == 5


def test_what_was_planned_meanwhile_is_found_by_the_second_look() -> None:
    api, who = shop(), jimin()
    api.delete("/v1/recipients/jimin")
    accepted("sms", by=api, recipients=[{"phone": "+821055556666"}])
    Delivery.objects.update(recipient_id=who.pk)

    erasing.carry_on(clock=later())

    late = Delivery.objects.get()
    assert (late.recipient_id, late.address, late.state, late.reason) == (None, "", "cancelled", "erased")


def test_whoever_comes_back_is_somebody_new() -> None:
    api, who = shop(), jimin()
    accepted("sms", by=api)
    api.delete("/v1/recipients/jimin")
    new = person("jimin", phone="+821077778888")
    body = {"template": "restock", "recipients": ["jimin"], "data": DATA, "channels": ["sms"]}
    first = api.post("/v1/notifications", body, **{"Idempotency-Key": "order-1"})

    erasing.carry_on(clock=later())

    assert Erasure.objects.get().finished_at
    assert Recipient.objects.get().pk == new.pk != who.pk
    assert Delivery.objects.get(recipient=new).state == "queued"
    again = api.post("/v1/notifications", body, **{"Idempotency-Key": "order-1"})
    assert again.json() == first.json(), "an answer about them names them"
    assert b"jimin" in first.content


def test_redis_knows_nothing_of_them_any_more(redis_client: redis.Redis) -> None:
    api, who = shop(), jimin()
    Cap.objects.create(category=None, most=3, hours=24)
    Cap.objects.create(category=api.category, channel="sms", most=2, hours=48)
    catalogue.forget()
    both = {"email": who.email, "phone": who.phone}
    accepted("sms", "email", by=api, recipients=["jimin", both, {"phone": who.phone}, {"email": who.email}])
    names = (str(who.pk), f"{who.email} {who.phone}", f" {who.phone}", f"{who.email} ")
    hashes = [sha256(name.encode()).hexdigest()[:24] for name in names]
    assert all(any(one in key for key in _keys(redis_client)) for one in hashes)

    api.delete("/v1/recipients/jimin")

    assert not [key for key in _keys(redis_client) for one in hashes if one in key]
    assert not [key for key in _keys(redis_client) if any(word in key for word in words_of(who))]


def _keys(client: redis.Redis) -> list[str]:
    return [key.decode() for key in client.scan_iter("*")]


def test_it_does_not_end_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    api, _who = shop(), jimin()
    Cap.objects.create(category=None, most=3, hours=24)
    away = redis.Redis(host="127.0.0.1", port=9, retry=Retry(NoBackoff(), retries=0))
    with monkeypatch.context() as patched:
        patched.setattr("notifications.caps.client", lambda: away)
        assert api.delete("/v1/recipients/jimin").status_code == 204
        erasing.carry_on(clock=later())
        assert Erasure.objects.get().finished_at is None

    erasing.carry_on(clock=later(minutes=7))
    assert Erasure.objects.get().finished_at


def test_a_contact_who_comes_after_the_erasure_is_new() -> None:
    api, who = shop(), jimin()
    api.delete("/v1/recipients/jimin")
    accepted("sms", by=api, recipients=[{"phone": who.phone}])

    erasing.carry_on(clock=later())

    assert Delivery.objects.get().address == who.phone
