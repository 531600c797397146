"""Which account sends: as the routes say, and what comes of it when that one cannot."""

from collections import Counter
from typing import Any, Final

import pytest
from django.utils import timezone

from accounts.channels import Mode
from accounts.models import Category
from notifications import vault
from notifications.breakers import FIRST_REST, LONGEST_PAUSE, Gate, breakers
from notifications.diversion import divert
from notifications.models import Delivery, DeliveryEvent, ProviderAccount, Route
from notifications.routes import routes
from notifications.timeline import timeline
from notifications.vocabulary import Lane, Queue
from tests.api.shop import jimin, shop
from tests.notifications.road import accepted, dispatched, now
from tests.notifications.written import active, route
from tests.sandbox.world import REGISTRATION_ID, Running

pytestmark = pytest.mark.django_db

KOREA, AMERICA, GERMANY = "+821012345678", "+12125550100", "+491701234567"


def text(to: str = KOREA, **changes: Any) -> Delivery:
    return accepted("sms", by=shop(), **{"recipients": [{"phone": to}]} | changes)[0]


def texts(many: int) -> list[Delivery]:
    return accepted("sms", by=shop(), recipients=[{"phone": f"+8210{number:08}"} for number in range(many)])


def sent_by() -> Counter[str]:
    return Counter(Delivery.objects.filter(state="sent").values_list("account", flat=True))


def story(delivery: Delivery) -> list[str]:
    """What the timeline says of its attempts."""
    return [f"{moment.what}: {moment.detail}" for moment in timeline(now(delivery))[2:]]


def row(sandbox: Running, delivery: Delivery) -> tuple[int, int]:
    """How often providers took it, and refused it."""
    found = sandbox.row(str(delivery.pk))
    return found["accepted"], found["refused"]


@pytest.fixture
def both(providers: Running) -> Running:
    """Twilio sends text messages; Vonage takes over."""
    active("vonage-live", "twilio-second")
    route("sms", "twilio-live", "vonage-live")
    return providers


# --- which route ---------------------------------------------------------------------------------------
def test_without_a_route_all_of_the_channel_serve_by_rank(providers: Running) -> None:
    active("vonage-live")
    ProviderAccount.objects.filter(name="vonage-live").update(rank=1)
    routes.forget()

    order = routes.directory(Queue.SMS, "", Mode.LIVE).order(text().pk, KOREA)

    assert [outlet.account.name for outlet in order] == ["vonage-live", "twilio-live"]


@pytest.mark.parametrize(
    ("number", "account"),
    [(KOREA, "vonage-live"), (AMERICA, "twilio-second"), ("+14155550100", "vonage-live"), (GERMANY, "twilio-live")],
)
def test_the_longest_prefix_names_the_account(both: Running, number: str, account: str) -> None:
    route("sms", "vonage-live", prefix="+82")
    route("sms", "twilio-second", prefix="+1")
    route("sms", "vonage-live", prefix="+1415")
    delivery = text(number)

    dispatched(Lane.SMS)

    assert now(delivery).account == account


def test_a_platform_s_route_comes_before_that_for_all_push(providers: Running) -> None:
    active("fcm-second", "apns-second")
    route("push", "fcm-second", "apns-live")
    route("push", "apns-second", queue="ios")
    jimin()
    deliveries = accepted("push")

    dispatched(Lane.IOS)
    dispatched(Lane.ANDROID)

    assert sorted(now(one).account for one in deliveries) == ["apns-second", "fcm-second"]


def test_a_device_s_own_push_service_alone_is_asked(providers: Running) -> None:
    route("push", "apns-live")  # says nothing about Google's
    jimin()
    accepted("push")

    dispatched(Lane.ANDROID)

    assert sent_by() == {"fcm-live": 1}


def test_test_keys_have_routes_of_their_own(both: Running) -> None:
    active("vonage-test")
    route("sms", "vonage-test", mode=Mode.TEST)
    (delivery,) = accepted("sms", by=shop(mode=Mode.TEST), recipients=[{"phone": KOREA}])

    dispatched(Lane.SMS)

    assert now(delivery).account == "vonage-test"


def test_a_route_is_all_there_is_even_when_none_of_it_is_active(both: Running) -> None:
    route("sms", "vonage-live", prefix="+82")
    ProviderAccount.objects.filter(name="vonage-live").update(is_active=False)
    routes.forget()
    delivery = text()

    dispatched(Lane.SMS)

    assert (now(delivery).state, now(delivery).reason) == ("retrying", "no_account")


def test_accounts_of_one_position_share_by_weight(providers: Running) -> None:
    active("vonage-live")
    route("sms", ("twilio-live", 1, 75), ("vonage-live", 1, 25))
    texts(400)

    dispatched(Lane.SMS)

    assert sent_by().total() == 400
    assert 70 <= sent_by()["vonage-live"] <= 130
    assert not DeliveryEvent.objects.exists(), "who is sent by either goes no detour"


def test_a_weight_of_nothing_gets_nothing(both: Running) -> None:
    Route.objects.all().delete()
    route("sms", ("twilio-live", 1, 0), ("vonage-live", 1, 1))
    texts(20)

    dispatched(Lane.SMS)

    assert sent_by() == {"vonage-live": 20}


# --- one that cannot ------------------------------------------------------------------------------------
#: What is wrong with Twilio, and the reason in the log.
TROUBLES: Final = {
    "provider_unavailable": {"status": 503},
    "throttled": {"status": 429, "retry_after": 600},
    "credential_refused": {"status": 401},
}


@pytest.mark.parametrize("reason", TROUBLES)
def test_what_one_account_cannot_do_now_the_next_does_at_once(both: Running, reason: str) -> None:
    delivery = text()
    both.admin("PUT", "faults/twilio", TROUBLES[reason])
    at = timezone.now()

    done = dispatched(Lane.SMS, at)

    after = now(delivery)
    assert (after.state, after.reason, after.account) == ("retrying", reason, "twilio-live")
    assert after.due_at is not None
    assert after.due_at <= at
    assert done.retry_in is not None
    dispatched(Lane.SMS_RETRY, at)
    after = now(delivery)
    assert (after.state, after.account, after.attempt) == ("sent", "vonage-live", 2)
    assert row(both, delivery) == (1, 1)
    assert story(delivery)[0].startswith("retrying: attempt 1, by twilio-live")
    assert story(delivery)[1].startswith("sent: attempt 2, by vonage-live, because twilio-live had failed")
    assert len(story(delivery)) == 2


def test_by_rank_alone_the_next_takes_over_as_well(providers: Running) -> None:
    active("vonage-live")
    delivery = text()
    providers.admin("PUT", "faults/twilio", {"status": 503})

    dispatched(Lane.SMS)
    dispatched(Lane.SMS_RETRY)

    assert now(delivery).account == "vonage-live"


def test_an_open_breaker_is_known_before_and_costs_no_attempt(both: Running) -> None:
    breakers.open("twilio-live", "24 of 24 answers in 10 s were failures")
    delivery = text()

    dispatched(Lane.SMS)

    assert (now(delivery).state, now(delivery).attempt) == ("sent", 1)
    because = "because twilio-live's breaker is open: 24 of 24 answers in 10 s were failures"
    assert story(delivery) == [
        f"sent: attempt 1, by vonage-live, {because}, provider's id {now(delivery).provider_ref}"
    ]


def test_when_all_have_failed_it_waits_before_the_next_round(both: Running) -> None:
    delivery = text()
    for provider in ("twilio", "vonage"):
        both.admin("PUT", f"faults/{provider}", {"status": 503, "retry_after": 60})
    at = timezone.now()

    dispatched(Lane.SMS, at)
    dispatched(Lane.SMS_RETRY, at)

    after = now(delivery)
    assert (after.attempt, after.failures, after.account) == (2, 2, "vonage-live")
    assert after.due_at is not None
    assert (after.due_at - at).total_seconds() >= 60
    both.admin("DELETE", "faults")
    dispatched(Lane.SMS_RETRY, after.due_at)
    assert now(delivery).account == "twilio-live", "whose turn it is again"


def test_those_who_all_ask_for_time_get_it_and_are_not_asked_in_turns(both: Running) -> None:
    delivery = text()
    for provider in ("twilio", "vonage"):
        both.admin("PUT", f"faults/{provider}", {"status": 429, "retry_after": 60})
    at = timezone.now()

    dispatched(Lane.SMS, at)
    dispatched(Lane.SMS_RETRY, at)
    done = dispatched(Lane.SMS_RETRY, at)

    after = now(delivery)
    assert (after.reason, after.attempt, after.failures, done.attempted) == ("throttled", 2, 0, 0)
    assert after.due_at is not None
    assert (after.due_at - at).total_seconds() >= 60


def test_no_other_is_asked_at_once_whose_breaker_is_open(both: Running) -> None:
    breakers.open("vonage-live", "it failed")
    delivery = text()
    both.admin("PUT", "faults/twilio", {"status": 503, "retry_after": 60})
    at = timezone.now()

    dispatched(Lane.SMS, at)

    due_at = now(delivery).due_at
    assert due_at is not None
    assert (due_at - at).total_seconds() >= 60
    both.admin("DELETE", "faults")
    dispatched(Lane.SMS_RETRY, due_at)
    assert now(delivery).account == "twilio-live", "there is nobody else"


def test_credentials_that_cannot_work_are_found_out_without_sending(both: Running) -> None:
    active("fcm-second")
    route("push", "fcm-live", "fcm-second")
    broken = ProviderAccount.objects.get(name="fcm-live")
    broken.credentials = vault.seal({"service_account": "{}"})
    broken.save(update_fields=["credentials"])
    routes.forget()
    jimin()
    (delivery,) = [one for one in accepted("push") if one.queue == "android"]

    dispatched(Lane.ANDROID)

    assert (now(delivery).state, now(delivery).account, now(delivery).attempt) == ("sent", "fcm-second", 1)
    assert "because fcm-live cannot be used: fcm-live" in story(delivery)[0]
    assert breakers.permission("fcm-live").gate is Gate.OPEN, "so that the next does not find it out again"


# --- an empty balance -----------------------------------------------------------------------------------
def test_an_empty_balance_rests_the_account_for_longer() -> None:
    breakers.exhausted("twilio-live")

    permission = breakers.permission("twilio-live")

    assert permission.until - timezone.now().timestamp() > LONGEST_PAUSE
    assert permission.until - timezone.now().timestamp() <= FIRST_REST


def test_what_finds_the_balance_empty_goes_elsewhere_and_so_does_all_after_it(providers: Running) -> None:
    active("mandrill-live")
    route("email", "mandrill-live", "sendgrid-live")
    providers.admin("PUT", "faults/mandrill", {"status": 402})
    jimin()
    (first,) = accepted("email")

    dispatched(Lane.EMAIL)
    dispatched(Lane.EMAIL_RETRY)
    (second,) = accepted("email")
    dispatched(Lane.EMAIL)

    assert (now(first).account, now(first).attempt) == ("sendgrid-live", 2)
    assert (now(second).account, now(second).attempt) == ("sendgrid-live", 1)
    assert "because mandrill-live's breaker is open: its balance is used up" in story(second)[0]


# --- nothing is sent twice ------------------------------------------------------------------------------
@pytest.mark.parametrize(("in_doubt", "state", "times"), [("hold", "uncertain", 1), ("resend", "sent", 2)])
def test_what_may_have_left_goes_elsewhere_only_where_the_category_resends(
    both: Running, in_doubt: str, state: str, times: int
) -> None:
    shop()
    Category.objects.update(in_doubt=in_doubt)
    delivery = text()
    both.admin("PUT", "faults/twilio", {"mode": "reset_after_body"})

    dispatched(Lane.SMS)
    dispatched(Lane.SMS_RETRY)

    assert now(delivery).state == state
    assert row(both, delivery)[0] == times


def test_what_waits_for_a_turn_elsewhere_is_not_given_back_to_the_one_that_failed(both: Running) -> None:
    ProviderAccount.objects.filter(name="vonage-live").update(messages_per_s=0.01)
    routes.forget()
    texts(1)
    both.admin("PUT", "faults/twilio", {"status": 503})
    dispatched(Lane.SMS)
    dispatched(Lane.SMS_RETRY)
    assert sent_by() == {"vonage-live": 1}
    late = text(AMERICA)
    dispatched(Lane.SMS)

    dispatched(Lane.SMS_RETRY)

    assert (now(late).state, now(late).reason, now(late).attempt) == ("retrying", "paced", 2)
    assert now(late).account == "twilio-live", "where it failed, which is still known"


def test_where_a_message_is_taken_once_the_same_account_is_asked_again_about_what_is_in_doubt(
    providers: Running,
) -> None:
    active("jpush-second")
    route("push", "jpush-live", "jpush-second")
    shop()
    Category.objects.update(in_doubt="resend")
    phone = jimin(external_id="li")
    phone.devices.filter(platform="ios").delete()
    phone.devices.update(service="jpush", token=REGISTRATION_ID)
    accepted("push", recipients=["li"])
    dispatched(Lane.ANDROID)  # which leaves numbers for the next: the fault is to strike the message
    (delivery,) = accepted("push", recipients=["li"])
    providers.admin("PUT", "faults/jpush", {"mode": "reset_after_body", "remaining": 1})

    dispatched(Lane.ANDROID)

    due_at = now(delivery).due_at
    assert now(delivery).reason == "no_answer"
    assert due_at is not None
    dispatched(Lane.ANDROID_RETRY, due_at)
    assert (now(delivery).state, now(delivery).account) == ("sent", "jpush-live")
    assert row(providers, delivery)[0] == 1


def test_what_a_stand_in_cannot_send_reaches_nobody_by_another_account(both: Running) -> None:
    diverted, sandbox = (ProviderAccount.objects.get(name=f"twilio-{mode}") for mode in ("live", "test"))
    divert(diverted, sandbox, by="tests", at=timezone.now())
    routes.forget()
    delivery = text()
    both.admin("PUT", "faults/twilio", {"status": 503, "remaining": 1})

    dispatched(Lane.SMS)

    due_at = now(delivery).due_at
    assert due_at is not None
    dispatched(Lane.SMS_RETRY, due_at)
    assert (now(delivery).state, now(delivery).account) == ("sent", "twilio-test")


def test_what_an_account_cannot_send_is_not_lost_in_the_sandbox_of_another(both: Running) -> None:
    diverted, sandbox = (ProviderAccount.objects.get(name=f"vonage-{mode}") for mode in ("live", "test"))
    active("vonage-test")
    divert(diverted, sandbox, by="tests", at=timezone.now())
    routes.forget()
    delivery = text()
    breakers.open("twilio-live", "it failed")

    dispatched(Lane.SMS)

    assert (now(delivery).state, now(delivery).reason) == ("retrying", "breaker_open")
