"""Android phones that FCM does not reach: each by the service with which its app is registered."""

from typing import Any

import pytest

from accounts.models import Category, Recipient
from notifications.vocabulary import Lane
from tests.api.shop import shop
from tests.builders import person
from tests.notifications.road import accepted, dispatched, now
from tests.sandbox.world import PUSHY_TOKEN, REGISTRATION_ID, Running

pytestmark = pytest.mark.django_db

TOKENS = {"jpush": REGISTRATION_ID, "pushy": PUSHY_TOKEN}


def wei(**tokens: str) -> Recipient:
    """Somebody in China, with a device for each of these services."""
    owner = person("wei", locale="zh-CN", country="CN")
    for service, token in tokens.items():
        owner.devices.create(platform="android", service=service, token=token)
    return owner


def test_each_device_is_reached_by_its_own_service(providers: Running) -> None:
    wei(**TOKENS)
    deliveries = accepted("push", recipients=["wei"])

    dispatched(Lane.ANDROID)

    assert sorted(now(one).account for one in deliveries) == ["jpush-live", "pushy-live"]
    for one in deliveries:
        row = providers.row(str(one.pk))
        assert (f"{row['provider']}-live", row["accepted"]) == (now(one).account, 1)
        assert now(one).provider_ref


@pytest.mark.parametrize(
    ("service", "token"),
    [
        ("jpush", "1a0dead101100000000"),
        ("jpush", "1a1018970aa2b9e8c44"),
        ("pushy", "dead0400aaaaaaaaaaaaaa"),
        ("pushy", "dead0404aaaaaaaaaaaaaa"),
    ],
)
def test_a_dead_device_is_retired(providers: Running, service: str, token: str) -> None:
    owner = wei(**{service: token})
    (delivery,) = accepted("push", recipients=["wei"])

    dispatched(Lane.ANDROID)

    assert (now(delivery).state, now(delivery).reason) == ("failed", "address_dead")
    assert owner.devices.get().retired_at is not None


@pytest.mark.parametrize("service", TOKENS)
@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        ({"status": 503}, "retrying", "provider_unavailable"),
        ({"status": 401}, "retrying", "credential_refused"),
        ({"status": 429, "retry_after": 30}, "retrying", "throttled"),
        ({"status": 400}, "failed", "content_refused"),
    ],
)
def test_its_trouble_says_nothing_about_the_device(
    providers: Running, service: str, fault: dict[str, Any], state: str, reason: str
) -> None:
    owner = wei(**{service: TOKENS[service]})
    accepted("push", recipients=["wei"])
    dispatched(Lane.ANDROID)  # JPush has given its numbers by now
    (delivery,) = accepted("push", recipients=["wei"])
    providers.admin("PUT", f"faults/{service}", fault)

    dispatched(Lane.ANDROID)

    assert (now(delivery).state, now(delivery).reason) == (state, reason)
    assert owner.devices.get().retired_at is None


def test_pushy_knows_no_numbers_so_a_lost_answer_may_double_a_message(providers: Running) -> None:
    wei(pushy=PUSHY_TOKEN)
    shop()
    Category.objects.update(in_doubt="resend")
    (delivery,) = accepted("push", recipients=["wei"])
    providers.admin("PUT", "faults/pushy", {"mode": "reset_after_body", "remaining": 1})

    dispatched(Lane.ANDROID)
    due_at = now(delivery).due_at
    assert due_at is not None
    dispatched(Lane.ANDROID_RETRY, due_at)

    assert now(delivery).state == "sent"
    assert providers.row(str(delivery.pk))["accepted"] == 2
