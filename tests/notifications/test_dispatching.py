"""Every class of outcome, as the stand-ins of the providers give it over HTTP/2, and what the log says after it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.channels import Mode
from accounts.models import Category, Device, Recipient, Suppression
from notifications import tokens, vault
from notifications.models import DeadLetter, Delivery, DeliveryEvent, Notification, ProviderAccount
from notifications.routes import routes
from notifications.vocabulary import Lane
from tests.api.shop import jimin, shop
from tests.notifications.road import EVERYWHERE, accepted, dispatched, last_event, now
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

PROVIDER_OF = {Lane.IOS: "apns", Lane.ANDROID: "fcm", Lane.SMS: "twilio", Lane.EMAIL: "sendgrid"}
CHANNEL_OF = {Lane.IOS: "push", Lane.ANDROID: "push", Lane.SMS: "sms", Lane.EMAIL: "email"}


def waiting_in(lane: Lane, *, person: Recipient | None = None, **changes: Any) -> Delivery:
    """The one delivery that waits in `lane`, for "jimin"."""
    owner = person or jimin()
    for platform in {"ios", "android"} - {lane.value}:
        owner.devices.filter(platform=platform).delete()
    (delivery,) = accepted(CHANNEL_OF[lane], **changes)
    return delivery


def with_token(platform: str, token: str) -> Recipient:
    """Somebody whose device of that platform has this token."""
    owner = jimin()
    owner.devices.filter(platform=platform).update(token=token)
    return owner


def tally(sandbox: Running, delivery: Delivery) -> tuple[int, int]:
    """How often its provider took and refused a delivery."""
    said = sandbox.admin("GET", f"record/{delivery.pk}")
    if said.status == 404:
        return 0, 0
    return said.json()["accepted"], said.json()["refused"]


# --- sent ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lane", EVERYWHERE)
def test_a_delivery_is_sent_once_and_the_log_names_its_account(providers: Running, lane: Lane) -> None:
    delivery = waiting_in(lane)

    done = dispatched(lane)

    assert (done.attempted, done.retry_in) == (1, None)
    assert tally(providers, delivery) == (1, 0)
    after = now(delivery)
    assert (after.state, after.reason, after.attempt, after.failures) == ("sent", "", 1, 0)
    assert after.account == f"{PROVIDER_OF[lane]}-live"
    assert after.sent_at is not None
    assert after.planned_at <= after.sent_at <= timezone.now()


def test_what_a_person_reads_is_the_text_in_their_language(providers: Running) -> None:
    delivery = waiting_in(Lane.SMS)

    dispatched(Lane.SMS)

    (attempt,) = providers.row(str(delivery.pk))["attempts"]
    assert attempt["address"] == "+821012345678"
    assert "%EC%9E%AC%EC%9E%85%EA%B3%A0" in attempt["body"], "재입고, as a form writes it"


def test_what_was_dispatched_is_not_sent_again(providers: Running) -> None:
    delivery = waiting_in(Lane.SMS)

    turns = [dispatched(Lane.SMS), dispatched(Lane.SMS), dispatched(Lane.SMS.retry)]

    assert [turn.attempted for turn in turns] == [1, 0, 0]
    assert tally(providers, delivery) == (1, 0)


def test_one_trouble_among_many_holds_up_nobody(providers: Running) -> None:
    caller = shop()
    numbers = ["+821000000001", "+15005550001", "+821000000002", "+15005550004", "+821000000003"]

    deliveries = accepted("sms", by=caller, recipients=[{"phone": number} for number in numbers])
    dispatched(Lane.SMS)

    assert [now(one).state for one in deliveries] == ["sent", "failed", "sent", "failed", "sent"]


# --- the address is at fault ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("lane", "token", "is_retired"),
    [
        (Lane.IOS, "dead0410" + "a" * 56, True),
        (Lane.IOS, "dead0411" + "a" * 56, True),
        (Lane.IOS, "dead0400" + "a" * 56, True),
        # known to be dead since yesterday; this one was registered after that
        (Lane.IOS, "dead0412" + "a" * 56, False),
        (Lane.ANDROID, "unregistered-" + "a" * 20, True),
    ],
)
def test_a_dead_token_retires_its_device_unless_it_was_registered_since(
    providers: Running, lane: Lane, token: str, *, is_retired: bool
) -> None:
    delivery = waiting_in(lane, person=with_token(lane.value, token))

    dispatched(lane)

    assert (now(delivery).state, now(delivery).reason) == ("failed", "address_dead")
    device = Device.objects.get()
    assert (device.retired_at is not None) == is_retired
    assert bool(device.retired_because) == is_retired


def test_a_token_that_was_registered_while_its_provider_was_asked_stays(providers: Running) -> None:
    delivery = waiting_in(Lane.ANDROID, person=with_token("android", "unregistered-" + "a" * 20))
    Device.objects.update(registered_at=timezone.now() + timedelta(seconds=10))

    dispatched(Lane.ANDROID)

    assert now(delivery).reason == "address_dead"
    assert Device.objects.get().retired_at is None


@pytest.mark.parametrize(
    ("phone", "reason", "cause"),
    [("+15005550001", "address_dead", "hard_bounce"), ("+15005550004", "provider_opt_out", "stop")],
)
def test_a_number_that_is_dead_or_opted_out_is_suppressed_from_then_on(
    providers: Running, phone: str, reason: str, cause: str
) -> None:
    delivery = waiting_in(Lane.SMS, person=jimin(phone=phone))

    dispatched(Lane.SMS)

    assert (now(delivery).state, now(delivery).reason) == ("failed", reason)
    assert list(Suppression.objects.values_list("channel", "address", "cause")) == [("sms", phone, cause)]
    (again,) = accepted("sms")
    assert (again.state, again.reason) == ("suppressed", "suppressed_address")


def test_a_refused_content_says_nothing_about_the_address(providers: Running) -> None:
    delivery = waiting_in(Lane.IOS)
    providers.admin("PUT", "faults/apns", {"status": 413, "reason": "PayloadTooLarge"})

    dispatched(Lane.IOS)

    assert (now(delivery).state, now(delivery).reason) == ("failed", "content_refused")
    assert Device.objects.get().retired_at is None


# --- it passes -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("lane", EVERYWHERE)
def test_a_provider_that_asks_for_time_gets_it_and_no_attempt_is_counted(providers: Running, lane: Lane) -> None:
    delivery = waiting_in(lane)
    reason = "QUOTA_EXCEEDED" if lane is Lane.ANDROID else ""
    providers.admin("PUT", f"faults/{PROVIDER_OF[lane]}", {"status": 429, "reason": reason, "retry_after": 30})
    at = timezone.now()

    done = dispatched(lane, at)

    after = now(delivery)
    assert (after.state, after.reason, after.attempt, after.failures) == ("retrying", "throttled", 1, 0)
    assert after.due_at is not None
    assert timedelta(seconds=30) <= after.due_at - at <= timedelta(seconds=34.25), "as asked, and a little jitter"
    assert done.retry_in == after.due_at - at
    assert dispatched(lane.retry, at + timedelta(seconds=29)).attempted == 0


@pytest.mark.parametrize("lane", EVERYWHERE)
@pytest.mark.parametrize("status", [500, 503])
def test_a_providers_own_trouble_is_tried_again_on_the_retry_lane(providers: Running, lane: Lane, status: int) -> None:
    delivery = waiting_in(lane)
    providers.admin("PUT", f"faults/{PROVIDER_OF[lane]}", {"status": status, "remaining": 1})
    dispatched(lane)

    after = now(delivery)
    assert (after.state, after.reason, after.failures) == ("retrying", "provider_unavailable", 1)
    assert after.due_at is not None
    dispatched(lane.retry, after.due_at)

    assert (now(delivery).state, now(delivery).attempt) == ("sent", 2)
    assert tally(providers, delivery) == (1, 1)
    assert list(DeliveryEvent.objects.values_list("kind", "attempt")) == [("retrying", 1)]


def test_a_provider_that_cannot_be_reached_was_sent_nothing(providers: Running) -> None:
    ProviderAccount.objects.filter(name="twilio-live").update(endpoint="https://127.0.0.1:9")
    routes.forget()
    delivery = waiting_in(Lane.SMS)

    dispatched(Lane.SMS)

    assert (now(delivery).state, now(delivery).reason) == ("retrying", "provider_unavailable")


def test_the_last_attempt_ends_in_a_dead_letter(providers: Running, settings: Settings) -> None:
    settings.MAX_ATTEMPTS = 1
    delivery = waiting_in(Lane.SMS)
    providers.admin("PUT", "faults/twilio", {"status": 503})

    dispatched(Lane.SMS)

    assert (now(delivery).state, now(delivery).reason) == ("failed", "attempts_exhausted")
    letter = DeadLetter.objects.get()
    assert (letter.delivery_id, letter.queue, letter.account) == (delivery.pk, "sms", "twilio-live")


# --- nobody knows --------------------------------------------------------------------------------------
@pytest.mark.parametrize("lane", EVERYWHERE)
@pytest.mark.parametrize(("in_doubt", "state"), [("resend", "retrying"), ("hold", "uncertain")])
def test_where_no_answer_came_the_category_decides(providers: Running, lane: Lane, in_doubt: str, state: str) -> None:
    shop()
    Category.objects.update(in_doubt=in_doubt)
    delivery = waiting_in(lane)
    providers.admin("PUT", f"faults/{PROVIDER_OF[lane]}", {"mode": "reset_after_body"})

    dispatched(lane)

    assert (now(delivery).state, now(delivery).reason) == (state, "no_answer")
    assert tally(providers, delivery) == (1, 0), "it had arrived, which nobody here can know"


# --- our own fault -------------------------------------------------------------------------------------
WRONG = {
    Lane.SMS: {"auth_token": "0" * 32},
    Lane.EMAIL: {"api_key": "SG." + "x" * 22 + "." + "y" * 43},
    Lane.IOS: {"key_p8": "no key at all"},
    Lane.ANDROID: {"service_account": "{}"},
}


@pytest.mark.parametrize("lane", EVERYWHERE)
def test_deliveries_wait_for_credentials_to_be_mended(providers: Running, lane: Lane) -> None:
    account = ProviderAccount.objects.get(name=f"{PROVIDER_OF[lane]}-live")
    right = account.credentials
    account.credentials = vault.seal(vault.unseal(right) | WRONG[lane])
    account.save(update_fields=["credentials"])
    routes.forget()
    delivery = waiting_in(lane)
    at = timezone.now()

    dispatched(lane, at)

    after = now(delivery)
    assert (after.state, after.reason) == ("retrying", "credential_refused")
    assert after.due_at is not None
    assert after.due_at - at >= timedelta(minutes=2)
    ProviderAccount.objects.filter(pk=account.pk).update(credentials=right)
    routes.forget()
    dispatched(lane.retry, after.due_at)
    assert now(delivery).state == "sent"


def test_a_stale_token_is_replaced_and_the_delivery_sent(providers: Running) -> None:
    delivery = waiting_in(Lane.IOS)
    providers.admin("PUT", "faults/apns", {"status": 403, "reason": "ExpiredProviderToken", "remaining": 1})
    dispatched(Lane.IOS)

    due_at = now(delivery).due_at
    assert due_at is not None
    dispatched(Lane.IOS_RETRY, due_at)

    assert now(delivery).state == "sent"


def test_a_token_service_in_trouble_is_a_trouble_that_passes(providers: Running) -> None:
    delivery = waiting_in(Lane.ANDROID)
    fcm = routes.named("fcm-live")
    assert fcm is not None
    tokens.forget(fcm.account)
    providers.admin("PUT", "faults/fcm", {"status": 503, "remaining": 1})
    dispatched(Lane.ANDROID)

    after = now(delivery)
    assert (after.state, after.reason) == ("retrying", "provider_unavailable")
    assert after.due_at is not None
    dispatched(Lane.ANDROID_RETRY, after.due_at)

    assert now(delivery).state == "sent"


@pytest.mark.parametrize("lane", EVERYWHERE)
def test_deliveries_wait_for_an_account_that_serves_them(providers: Running, lane: Lane) -> None:
    ProviderAccount.objects.filter(provider=PROVIDER_OF[lane]).update(is_active=False)
    routes.forget()
    delivery = waiting_in(lane)

    dispatched(lane)

    assert (now(delivery).state, now(delivery).reason) == ("retrying", "no_account")


def test_credentials_that_no_key_opens_are_in_nobodys_way(providers: Running) -> None:
    ProviderAccount.objects.filter(name="twilio-live").update(credentials=b"sealed with another key")
    routes.forget()
    waits, goes = waiting_in(Lane.SMS), accepted("email")[0]

    dispatched(Lane.SMS)
    dispatched(Lane.EMAIL)

    assert (now(waits).state, now(waits).reason) == ("retrying", "no_account")
    assert now(goes).state == "sent"


def test_a_device_that_was_removed_meanwhile_gets_nothing(providers: Running) -> None:
    delivery = waiting_in(Lane.IOS)
    Device.objects.all().delete()

    dispatched(Lane.IOS)

    assert (now(delivery).state, now(delivery).reason) == ("failed", "device_gone")
    assert tally(providers, delivery) == (0, 0)


def test_what_comes_too_late_is_not_sent(providers: Running) -> None:
    at = timezone.now()
    delivery = waiting_in(Lane.SMS, expires_at=(at + timedelta(minutes=5)).isoformat())

    dispatched(Lane.SMS, at + timedelta(minutes=5))

    assert (now(delivery).state, now(delivery).reason) == ("expired", "expired")
    assert tally(providers, delivery) == (0, 0)


def test_what_would_be_tried_again_too_late_expires_at_once(providers: Running) -> None:
    at = timezone.now()
    delivery = waiting_in(Lane.SMS, expires_at=(at + timedelta(minutes=1)).isoformat())
    providers.admin("PUT", "faults/twilio", {"status": 429, "retry_after": 120})

    dispatched(Lane.SMS)

    assert now(delivery).state == "expired"


def test_a_text_that_cannot_be_rendered_fails_with_what_was_missing(providers: Running) -> None:
    delivery = waiting_in(Lane.SMS)
    Notification.objects.update(data={})

    dispatched(Lane.SMS)

    assert (now(delivery).state, now(delivery).reason) == ("failed", "not_rendered")
    assert "user_name" in last_event(delivery).detail


# --- live and test -------------------------------------------------------------------------------------
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("lane", EVERYWHERE)
def test_a_key_reaches_the_accounts_of_its_own_mode_only(providers: Running, lane: Lane, mode: Mode) -> None:
    delivery = waiting_in(lane, by=shop(mode=mode))
    ProviderAccount.objects.exclude(mode=mode.value).update(rank=1)
    routes.forget()

    dispatched(lane)

    assert now(delivery).account == f"{PROVIDER_OF[lane]}-{mode}"


@pytest.mark.parametrize("lane", EVERYWHERE)
def test_a_test_key_reaches_nobody_where_only_live_accounts_are(providers: Running, lane: Lane) -> None:
    ProviderAccount.objects.filter(mode="test").delete()
    routes.forget()
    delivery = waiting_in(lane, by=shop(mode=Mode.TEST))

    dispatched(lane)

    assert (now(delivery).state, now(delivery).reason) == ("retrying", "no_account")
    assert tally(providers, delivery) == (0, 0)


# --- hostile answers -----------------------------------------------------------------------------------
@pytest.mark.parametrize("reason", ["a\0b", "x" * 200, "재입고\n\ttab\\N", "'; DROP TABLE notifications_delivery; --"])
@pytest.mark.parametrize("attempts", [1, 8])
def test_whatever_a_provider_writes_into_its_answer_can_be_recorded(
    providers: Running, settings: Settings, reason: str, attempts: int
) -> None:
    settings.MAX_ATTEMPTS = attempts
    delivery = waiting_in(Lane.IOS)
    providers.admin("PUT", "faults/apns", {"status": 503, "reason": reason})

    dispatched(Lane.IOS)

    assert now(delivery).state == ("failed" if attempts == 1 else "retrying")
