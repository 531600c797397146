"""What apps tell of messages that they got."""

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from accounts.authentication import create_key
from accounts.channels import Mode
from accounts.ids import new_id
from notifications import receiving
from notifications.models import Delivery, DeliveryEvent, Notification, PendingReceipt
from notifications.timeline import timeline
from tests.api.shop import DATA, Shop, jimin, shop

pytestmark = pytest.mark.django_db


def pushed(caller: Shop, **values: Any) -> Delivery:
    """A push to an iPhone, which has left."""
    jimin()
    body = {"template": "restock", "recipients": ["jimin"], "data": DATA, "channels": ["push"]}
    told = caller.post("/v1/notifications", body).json()
    delivery = Delivery.objects.filter(notification_id=told["id"]).earliest("id")
    Delivery.objects.filter(pk=delivery.pk).update(
        **{"state": "sent", "attempt": 1, "sent_at": timezone.now(), "account": "apns-live", **values}
    )
    return delivery


def report(caller: Shop, delivery_id: object, body: Any) -> Any:
    return caller.post(f"/v1/deliveries/{delivery_id}/events", body)


def test_what_is_told_twice_happened_once() -> None:
    caller = shop()
    delivery = pushed(caller)

    for _ in range(2):
        assert report(caller, delivery.pk, {"kind": "delivered"}).status_code == 204
        assert report(caller, delivery.pk, {"kind": "opened"}).status_code == 204
        receiving.apply(clock=timezone.now)

    assert Delivery.objects.get(pk=delivery.pk).state == "delivered"
    assert list(DeliveryEvent.objects.of(delivery.pk).order_by("kind").values_list("kind", flat=True)) == [
        "delivered", "opened",
    ]  # fmt: skip
    delivery.refresh_from_db()
    lines = [f"{moment.what}: {moment.detail}" for moment in timeline(delivery)]
    assert "delivered: attempt 1, told by the app" in lines


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "bounced"}, "kind"),
        ({}, "kind"),
        ({"kind": "opened", "at": "now"}, "at"),
        ({"kind": ["opened"]}, "kind"),
    ],
)
def test_what_no_app_can_tell_is_refused(body: Any, field: str) -> None:
    caller = shop()
    delivery = pushed(caller)

    answer = report(caller, delivery.pk, body)

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert not PendingReceipt.objects.exists()


def test_another_application_s_delivery_is_not_there() -> None:
    delivery = pushed(shop())

    assert report(shop(), delivery.pk, {"kind": "opened"}).status_code == 404
    assert report(shop(), new_id(), {"kind": "opened"}).status_code == 404


def test_a_key_that_may_only_read_tells_nothing() -> None:
    caller = shop()
    delivery = pushed(caller)
    reader = shop(scopes=["notifications:read"])
    Notification.objects.update(application=reader.application)

    assert report(reader, delivery.pk, {"kind": "opened"}).status_code == 403


@pytest.mark.parametrize("state", ["queued", "cancelled"])
def test_nobody_has_seen_what_has_not_left(state: str) -> None:
    caller = shop()
    delivery = pushed(caller, state=state, attempt=0, sent_at=None, reason="cancelled" if state == "cancelled" else "")

    answer = report(caller, delivery.pk, {"kind": "opened"})

    assert answer.status_code == 409
    assert "has not been sent" in answer.json()["detail"]
    assert not PendingReceipt.objects.exists()


def test_a_key_for_tests_tells_nothing_of_live_messages() -> None:
    caller = shop()
    delivery = pushed(caller)
    key = create_key(caller.application, Mode.TEST)
    tester = replace(caller, key=key.key, secret=key.secret)

    assert report(tester, delivery.pk, {"kind": "opened"}).status_code == 404
    assert not PendingReceipt.objects.exists()
