"""What is exhausted is listed, counted, and tried again when somebody says so."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from notifications import recovery
from notifications.ledger.claim import claim
from notifications.ledger.record import Letter, Result, record
from notifications.ledger.replay import Choice, dead_letters
from notifications.models import DeadLetter, Delivery, DeliveryEvent
from notifications.planning.retry import Step
from notifications.vocabulary import DeliveryState, Lane, Queue, Reason
from tests.notifications.logbook import LEASE, NOW, SMS, appended, header

pytestmark = pytest.mark.django_db

EXHAUSTED = Step(DeliveryState.FAILED, Reason.ATTEMPTS_EXHAUSTED)
LATER = NOW + timedelta(hours=1)


def buried(count: int = 2, *, account: str = "twilio") -> None:
    """Deliveries whose last attempt has failed."""
    appended(count, head=header())
    held = claim(SMS, at=NOW, lease_for=LEASE)
    assert held is not None
    record(
        [
            Result(
                one.id,
                one.attempt,
                EXHAUSTED,
                NOW,
                account,
                detail="503",
                letter=Letter(one.notification_id, one.queue),
            )
            for one in held.deliveries
        ],
        held.lease.lane,
    )


def replayed(choice: Choice) -> int:
    return recovery.replay(choice, clock=lambda: LATER)


def test_what_is_exhausted_is_a_dead_letter_and_nothing_else_is() -> None:
    buried(2)
    appended(1)
    held = claim(SMS, at=NOW, lease_for=LEASE)
    assert held is not None
    refused = Step(DeliveryState.FAILED, Reason.CONTENT_REFUSED)
    record(
        [
            Result(one.id, one.attempt, refused, NOW, letter=Letter(one.notification_id, one.queue))
            for one in held.deliveries
        ],
        held.lease.lane,
    )

    assert dead_letters() == {Queue.SMS: 2}
    assert set(DeadLetter.objects.values_list("account", "detail")) == {("twilio", "503")}


def test_a_replay_queues_them_again_with_all_their_attempts_before_them() -> None:
    buried(2)
    Delivery.objects.update(failures=8)

    assert replayed(Choice(queue=Queue.SMS)) == 2

    assert not DeadLetter.objects.exists()
    again = claim(Lane.SMS_RETRY, at=LATER, lease_for=LEASE)
    assert again is not None
    assert [(one.failures, one.attempt) for one in again.deliveries] == [(0, 2), (0, 2)]
    assert DeliveryEvent.objects.filter(kind="replayed").count() == 2


def test_a_second_replay_finds_nothing() -> None:
    buried(2)

    assert (replayed(Choice()), replayed(Choice())) == (2, 0)


@pytest.mark.parametrize(
    ("choice", "count"),
    [
        (Choice(), 3),
        (Choice(queue=Queue.SMS), 3),
        (Choice(queue=Queue.IOS), 0),
        (Choice(account="twilio"), 1),
        (Choice(account="vonage"), 2),
        (Choice(account="nobody"), 0),
    ],
)
def test_a_filter_chooses(choice: Choice, count: int) -> None:
    buried(1)
    buried(2, account="vonage")

    assert replayed(choice) == count
    assert DeadLetter.objects.count() == 3 - count


def test_being_asked_to_slow_down_uses_up_nothing() -> None:
    appended(1)
    held = claim(SMS, at=NOW, lease_for=LEASE)
    assert held is not None
    due_at = NOW + timedelta(seconds=2)
    slower = Step(DeliveryState.RETRYING, Reason.THROTTLED, due_at, counts=False)
    record([Result(one.id, one.attempt, slower, NOW) for one in held.deliveries], held.lease.lane)

    assert Delivery.objects.get().failures == 0
    again = claim(Lane.SMS_RETRY, at=due_at, lease_for=LEASE)
    assert again is not None
    failed = Step(DeliveryState.RETRYING, Reason.PROVIDER_UNAVAILABLE, LATER)
    record([Result(one.id, one.attempt, failed, NOW) for one in again.deliveries], again.lease.lane)

    assert Delivery.objects.get().failures == 1


def test_the_command_asks_for_a_choice() -> None:
    buried(2)

    with pytest.raises(CommandError, match="--all"):
        call_command("replay")
    call_command("replay", queue="sms")

    assert not DeadLetter.objects.exists()


def test_the_page_lists_them_and_tries_them_again() -> None:
    buried(2)
    admin = Client()
    admin.force_login(get_user_model().objects.create_superuser("admin"))
    page = reverse("admin:notifications_deadletter_changelist")
    one = DeadLetter.objects.earliest("delivery_id")

    assert str(one.pk) in admin.get(page).content.decode()
    told = admin.post(page, {"action": "replay", "_selected_action": [one.pk]}, follow=True)

    assert "1 are tried again" in told.content.decode()
    assert DeadLetter.objects.count() == 1
