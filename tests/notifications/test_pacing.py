"""An account is sent no more than it may be: the rest waits for its turn, and the urgent does not wait behind it."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications import composing
from notifications.breakers import breakers
from notifications.ledger.sweep import next_due
from notifications.models import Delivery, ProviderAccount
from notifications.permits import RETURNING_PER_S
from notifications.providers.contract import Crowd
from notifications.routes import routes
from notifications.vocabulary import Lane
from tests.api.shop import shop
from tests.notifications.road import accepted, dispatched, now
from tests.sandbox.world import Running
from tests.waiting import until

pytestmark = pytest.mark.django_db


def limited(**limits: float) -> ProviderAccount:
    """The account for text messages, with these limits."""
    ProviderAccount.objects.filter(name="twilio-live").update(**limits)
    routes.forget()
    return ProviderAccount.objects.get(name="twilio-live")


def a_second_account() -> None:
    """Another account for text messages, the second choice."""
    account = ProviderAccount.objects.get(name="twilio-live")
    account.pk, account.name, account.rank = None, "twilio-second", 200
    account.messages_per_s = account.segments_per_s = None
    account._state.adding = True
    account.save()
    routes.forget()


def texts(many: int, **changes: Any) -> list[Delivery]:
    numbers = [{"phone": f"+8210{number:08}"} for number in range(many)]
    return accepted("sms", by=shop(), **{"recipients": numbers} | changes)


def outcomes() -> Counter[tuple[str, str]]:
    return Counter(Delivery.objects.values_list("state", "reason"))


def sent() -> int:
    return outcomes()["sent", ""]


def test_what_is_too_much_waits_and_costs_no_attempt(providers: Running) -> None:
    limited(messages_per_s=20)
    texts(40)

    done = dispatched(Lane.SMS)

    assert 15 <= sent() <= 18, "three quarters of a second's worth, and what the turn's time added"
    assert outcomes()["retrying", "paced"] == 40 - sent()
    assert set(Delivery.objects.filter(state="retrying").values_list("failures", flat=True)) == {0}
    assert done.retry_in is not None
    assert done.retry_in <= timedelta(seconds=0.5)


def test_those_who_wait_come_back_as_fast_as_the_account_may_send(providers: Running) -> None:
    limited(messages_per_s=20)
    texts(200)
    at = timezone.now()

    dispatched(Lane.SMS, at)

    waits = sorted((due - at).total_seconds() for due in Delivery.objects.values_list("due_at", flat=True) if due)
    for second in range(1, 9):
        assert 20 * second - 6 <= sum(wait <= second for wait in waits) <= 20 * second + 6
    assert next_due(Lane.SMS_RETRY) == Delivery.objects.earliest("due_at").due_at


def test_all_of_them_are_sent_in_the_end(providers: Running) -> None:
    limited(messages_per_s=200)
    deliveries = texts(400)
    dispatched(Lane.SMS)

    until(lambda: dispatched(Lane.SMS_RETRY).attempted >= 0 and sent() == len(deliveries))

    assert all(providers.row(str(one.pk))["accepted"] == 1 for one in deliveries)


def test_what_is_urgent_goes_ahead_of_bulk_that_fills_the_account(providers: Running) -> None:
    limited(messages_per_s=20)
    texts(60, urgency="bulk")
    dispatched(Lane.SMS_BULK)
    assert sent() < 20

    urgent = texts(5, urgency="critical")
    dispatched(Lane.SMS_CRITICAL)

    assert {now(one).state for one in urgent} == {"sent"}


def test_a_message_of_several_parts_counts_as_several(providers: Running) -> None:
    limited(segments_per_s=40)
    texts(30, data={"user_name": "지" * 60, "product_name": "운" * 60})

    dispatched(Lane.SMS)

    assert 10 <= sent() <= 16, "three quarters of forty segments, with two or three a message"
    assert outcomes()["retrying", "paced"] == 30 - sent()


def test_another_account_takes_what_is_too_much_for_the_first(providers: Running) -> None:
    limited(messages_per_s=20)
    a_second_account()
    texts(40)

    dispatched(Lane.SMS)

    by_account = Counter(Delivery.objects.values_list("account", flat=True))
    assert set(by_account) == {"twilio-live", "twilio-second"}
    assert by_account["twilio-live"] <= 18
    assert sent() == 40


def test_an_account_without_limits_asks_nobody(providers: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.buckets.take", None)
    texts(40)

    dispatched(Lane.SMS)

    assert sent() == 40


def test_what_was_granted_and_could_not_be_used_is_the_next_ones(providers: Running) -> None:
    limited(messages_per_s=20)
    ours, theirs = texts(10), texts(10, expires_at=(timezone.now() + timedelta(hours=1)).isoformat())
    assert len(ours) == len(theirs)

    dispatched(Lane.SMS, timezone.now() + timedelta(hours=2))  # half of them are too late, which costs no room

    assert sent() == 10
    texts(5)
    dispatched(Lane.SMS)
    assert sent() == 15


def test_a_breaker_that_opens_in_mid_turn_is_heeded_at_once(
    providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts(60)
    composed = 0
    original = composing.Composer.compose

    def compose(self: composing.Composer, *about: Any) -> composing.Composed:
        nonlocal composed
        composed += 1
        if composed == 31:
            breakers.open("twilio-live", "answers that came meanwhile")
        return original(self, *about)

    monkeypatch.setattr(composing.Composer, "compose", compose)

    dispatched(Lane.SMS)

    assert outcomes() == {("sent", ""): 30, ("retrying", "breaker_open"): 30}


def test_a_crowd_that_waits_for_a_breaker_comes_back_spread_out(providers: Running) -> None:
    texts(500)
    breakers.open("twilio-live", "it failed")
    at = timezone.now()

    dispatched(Lane.SMS, at)

    waits = [(due - at).total_seconds() for due in Delivery.objects.values_list("due_at", flat=True) if due]
    assert len(waits) == 500
    assert min(waits) >= 4
    assert max(waits) - min(waits) <= 500 / RETURNING_PER_S + 0.5
    assert len(set(waits)) <= 3, "in few batches"


def test_the_number_of_requests_at_once_goes_with_every_request(
    providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(at_once=3)
    crowds = []
    original = composing.Composer.compose

    def compose(self: composing.Composer, *about: Any) -> composing.Composed:
        composed = original(self, *about)
        crowds.append(composed.request.crowd)
        return composed

    monkeypatch.setattr(composing.Composer, "compose", compose)
    texts(20)

    dispatched(Lane.SMS)

    assert sent() == 20
    assert set(crowds) == {Crowd("twilio-live", 3)}
