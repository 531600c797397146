"""Web and desktop browsers: the whole road, and what a push service, a hostile endpoint or a test key make of it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.channels import Mode
from accounts.devices import register, registration
from accounts.models import Device
from notifications.breakers import breakers
from notifications.models import Delivery, ProviderAccount
from notifications.routes import routes
from notifications.vocabulary import Lane
from notifications.wire import wire
from tests.api.shop import DATA, shop
from tests.builders import administrator, person, shown, subscription
from tests.notifications.road import accepted, dispatched, last_event, now
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db


def browser(providers: Running, name: str = "jimin", *, platform: str = "web") -> Device:
    """Somebody whose browser subscribed at the sandbox."""
    owner = person("jimin", locale="ko-KR")
    reported = registration(platform, json.dumps(providers.subscription(name)))
    return register(owner, reported, timezone.now())[0]


def at(token: str) -> Device:
    """Somebody whose device has this token, whoever let it in."""
    owner = person("jimin", locale="ko-KR")
    return Device.objects.create(recipient=owner, platform="web", service="webpush", token=token)


def pushed(**changes: Any) -> Delivery:
    """A push to "jimin", after a worker's turn at the lane of browsers."""
    (delivery,) = accepted("push", **changes)
    dispatched(Lane.WEB)
    return now(delivery)


@pytest.mark.parametrize("platform", ["web", "desktop"])
def test_a_message_reaches_the_browser_and_nobody_else_can_read_it(providers: Running, platform: str) -> None:
    browser(providers, platform=platform)

    delivery = pushed()

    assert (delivery.queue, delivery.state, delivery.account) == ("web", "sent", "webpush-live")
    assert delivery.provider_ref.startswith(f"{providers.url}/webpush/m/")
    row = providers.row(str(delivery.pk))
    assert (row["provider"], row["accepted"], row["refused"]) == ("webpush", 1, 0)
    [attempt] = row["attempts"]
    assert json.loads(attempt["body"]) == {
        "title": "재입고 알림",
        "body": f"안녕하세요, {DATA['user_name']}님! {DATA['product_name']}이 재입고되었습니다.",
        "delivery_id": str(delivery.pk),
    }


@pytest.mark.parametrize("name", ["gone-1", "expired-1", "unknown-1"])
def test_a_subscription_that_has_ended_is_retired(providers: Running, name: str) -> None:
    device = browser(providers, name)

    delivery = pushed()

    assert (delivery.state, delivery.reason) == ("failed", "address_dead")
    device.refresh_from_db()
    assert device.retired_at
    assert "errno" in device.retired_because


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("large-1", "failed", "content_refused"),
        ("keys-1", "failed", "content_refused"),
        ("mismatch-1", "retrying", "credential_refused"),
        ("busy-1", "retrying", "throttled"),
        ("error-1", "retrying", "provider_unavailable"),
    ],
)
def test_no_other_answer_retires_it(providers: Running, name: str, state: str, reason: str) -> None:
    device = browser(providers, name)

    delivery = pushed()

    assert (delivery.state, delivery.reason) == (state, reason)
    device.refresh_from_db()
    assert device.retired_at is None


def test_a_push_service_is_left_alone_for_as_long_as_it_asks(providers: Running) -> None:
    browser(providers, "busy-1")
    began = timezone.now()

    delivery = pushed()

    assert delivery.due_at
    assert delivery.due_at - began >= timedelta(seconds=30)


# --- its account -------------------------------------------------------------------------------------
def added(**changes: str) -> Any:
    """The answer of the admin to the form for a new account."""
    form = {
        "name": "browsers",
        "provider": "webpush",
        "mode": "live",
        "endpoint": "",
        "settings": json.dumps({"subject": "mailto:push@example.com"}),
        "rank": "100",
        "is_active": "on",
        "new_credentials": json.dumps({"vapid_private_key": "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"}),
    }
    return administrator().post(reverse("admin:notifications_provideraccount_add"), form | changes)


def test_an_account_needs_no_endpoint_because_each_browser_names_its_own() -> None:
    assert added().status_code == 302
    route = routes.named("browsers")
    assert route
    assert route.account.endpoint == ""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"new_credentials": '{"vapid_private_key": "AAAA"}'}, "not a readable P-256 key: 3 bytes where 32 are right"),
        ({"new_credentials": "{}"}, "lacks credential vapid_private_key"),
        ({"settings": '{"subject": "push@example.com"}'}, "subject must be mailto:"),
        ({"mode": "test"}, "must name the sandbox"),
    ],
)
def test_an_account_that_cannot_work_is_refused_with_the_reason(changes: dict[str, str], says: str) -> None:
    assert says in shown(added(**changes))
    assert not ProviderAccount.objects.exists()


# --- endpoints that nobody should call ---------------------------------------------------------------
@pytest.fixture
def open_account(providers: Running, settings: Settings) -> Running:
    """Production: the live account sends to any push service, and no private host is named."""
    ProviderAccount.objects.filter(name="webpush-live").update(endpoint="")
    settings.WIRE_PRIVATE_HOSTS = frozenset()
    if mine := vars(wire._mine).pop("wire", None):
        mine.close()
    routes.forget()
    return providers


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_an_address_that_leads_inside_is_not_called_and_the_delivery_says_so(open_account: Running, host: str) -> None:
    inside = json.dumps(open_account.subscription("jimin")).replace("localhost", host)
    device = at(inside)

    delivery = pushed()

    assert (delivery.state, delivery.reason) == ("failed", "address_forbidden")
    assert "which is not public" in last_event(delivery).detail
    assert "webpush" not in open_account.admin("GET", "counts").json()["providers"]
    device.refresh_from_db()
    assert device.retired_at is None  # a resolver that lies for a while must not cost everybody's devices


def test_addresses_that_lead_inside_speak_against_no_account(open_account: Running) -> None:
    owner = person("jimin", locale="ko-KR")
    for number in range(30):
        token = json.dumps(open_account.subscription(f"jimin-{number}"))
        Device.objects.create(recipient=owner, platform="web", service="webpush", token=token)

    accepted("push")
    dispatched(Lane.WEB)

    assert set(Delivery.objects.values_list("reason", flat=True)) == {"address_forbidden"}
    assert breakers.permission("webpush-live").gate == "closed"


@pytest.mark.parametrize("token", ["not-a-subscription-but-long-enough", '{"endpoint":"https://x"}'])
def test_a_token_that_is_no_subscription_is_dead_and_does_not_stop_the_others(providers: Running, token: str) -> None:
    broken = at(token)
    sound = register(
        broken.recipient, registration("web", json.dumps(providers.subscription("jimin"))), timezone.now()
    )[0]

    accepted("push")
    dispatched(Lane.WEB)

    states = dict(Delivery.objects.values_list("device_id", "state"))
    assert states == {broken.pk: "failed", sound.pk: "sent"}
    broken.refresh_from_db()
    assert broken.retired_because == "not a push subscription"


def test_a_test_key_reaches_no_persons_browser(providers: Running) -> None:
    device = at(subscription())

    delivery = pushed(by=shop(mode=Mode.TEST))

    assert (delivery.state, delivery.reason) == ("failed", "content_refused")
    assert "its own endpoint only" in last_event(delivery).detail
    device.refresh_from_db()
    assert device.retired_at is None


def test_what_fits_no_browser_fails_and_keeps_the_device(providers: Running) -> None:
    device = browser(providers)

    # what is said to the first is tried when it is accepted, what is said to the others when it is sent
    long = {"external_id": "jimin", "data": {**DATA, "product_name": "x" * 3900}}
    deliveries = accepted("push", recipients=[{"phone": "+82 10-9876-5432"}, long])
    dispatched(Lane.WEB)
    delivery = now(deliveries[-1])

    assert (delivery.state, delivery.reason) == ("failed", "content_refused")
    assert "browsers take 3993" in last_event(delivery).detail
    device.refresh_from_db()
    assert device.retired_at is None
