"""Apps tell a thousand events at once; a bad one spoils nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.ids import new_id
from notifications import receiving
from notifications.models import Delivery, Notification, PendingReceipt
from tests.api.shop import DATA, Shop, jimin, shop
from tests.tracking.seen import events

pytestmark = pytest.mark.django_db


def pushed(caller: Shop, **values: Any) -> list[Delivery]:
    """Pushes that have left."""
    jimin()
    body = {"template": "restock", "recipients": ["jimin"], "data": DATA, "channels": ["push"]}
    told = caller.post("/v1/notifications", body).json()
    found = Delivery.objects.filter(notification_id=told["id"]).order_by("id")
    found.update(**{"state": "sent", "attempt": 1, "sent_at": timezone.now(), "account": "apns-live", **values})
    return list(found)


def tell(caller: Shop, *told: Any) -> Any:
    return caller.post("/v1/events", {"events": list(told)})


def test_what_is_told_twice_happened_once() -> None:
    caller = shop()
    one, other = pushed(caller)
    link = "https://shop.example/p/1?to=jimin"
    at = timezone.now().replace(second=30) - timedelta(minutes=5)

    for _ in range(2):
        answer = tell(
            caller,
            {"delivery": str(one.pk), "kind": "delivered"},
            {"delivery": str(one.pk), "kind": "opened", "at": at.isoformat()},
            {"delivery": str(one.pk), "kind": "clicked", "link": link, "at": at.isoformat()},
            {"delivery": str(other.pk), "kind": "clicked", "at": at.isoformat()},
        )
        assert (answer.status_code, answer.json()) == (202, {"accepted": 4, "rejected": 0, "results": []})
        caller.post(f"/v1/deliveries/{one.pk}/events", {"kind": "opened"})
        receiving.apply(clock=timezone.now)

    assert events(one) == [
        ("clicked", "https://shop.example/p/1"), ("delivered", "told by the app"), ("opened", "told by the app"),
    ]  # fmt: skip
    assert events(other) == [("clicked", "told by the app")]


def test_a_bad_event_is_told_by_its_index_and_the_good_ones_are_kept() -> None:
    caller = shop()
    good, _ = pushed(caller)

    answer = tell(
        caller,
        {"delivery": str(new_id()), "kind": "opened"},
        {"delivery": str(good.pk), "kind": "bounced"},
        {"delivery": str(good.pk), "kind": "clicked", "link": "javascript:alert(1)"},
        {"delivery": str(good.pk), "kind": "opened", "link": "https://a.example"},
        {"delivery": str(good.pk), "kind": "opened", "at": (timezone.now() + timedelta(hours=1)).isoformat()},
        {"delivery": str(good.pk), "kind": "opened", "at": "2020-01-01T00:00:00Z"},
        {"delivery": "x", "kind": "opened"},
        {"delivery": str(good.pk)},
        {"delivery": str(good.pk), "kind": "opened", "when": "now"},
        "opened",
        None,
        {"delivery": str(good.pk), "kind": "delivered"},
    ).json()

    assert (answer["accepted"], answer["rejected"]) == (1, 11)
    told = [
        (one["index"], one["status"], [error["field"] for error in one["problem"]["errors"]])
        for one in answer["results"]
    ]
    assert told == [
        (0, 404, ["delivery"]), (1, 422, ["kind"]), (2, 422, ["link"]), (3, 422, ["link"]), (4, 422, ["at"]),
        (5, 422, ["at"]), (6, 422, ["delivery"]), (7, 422, ["kind"]), (8, 422, ["when"]), (9, 422, ["body"]),
        (10, 422, ["body"]),
    ]  # fmt: skip
    assert PendingReceipt.objects.get().kind == "delivered"


def test_another_application_s_delivery_is_not_there() -> None:
    (delivery, _), stranger = pushed(shop()), shop()
    (told,) = tell(stranger, {"delivery": str(delivery.pk), "kind": "opened"}).json()["results"]
    assert told["status"] == 404
    assert not PendingReceipt.objects.exists()


def test_a_key_for_tests_tells_nothing_of_what_reached_people() -> None:
    caller = shop()
    (delivery, _) = pushed(caller)
    Notification.objects.update(mode="test")
    (told,) = tell(caller, {"delivery": str(delivery.pk), "kind": "opened"}).json()["results"]
    assert told["status"] == 404
    assert "of another application or mode" in told["problem"]["errors"][0]["message"]


def test_nobody_has_seen_what_has_not_left() -> None:
    caller = shop()
    delivery, _ = pushed(caller, state="queued", attempt=0, sent_at=None)
    (told,) = tell(caller, {"delivery": str(delivery.pk), "kind": "opened"}).json()["results"]
    assert told["status"] == 409
    assert "has not been sent" in told["problem"]["errors"][0]["message"]


@pytest.mark.parametrize("body", [{}, {"events": []}, {"events": {}}, {"events": [{}] * 1001}, [], {"event": []}])
def test_what_is_no_list_of_at_most_a_thousand_is_refused(body: Any) -> None:
    assert shop().post("/v1/events", body).status_code == 422


def test_a_key_that_may_only_send_tells_nothing() -> None:
    caller = shop(scopes=["notifications:write"])
    assert tell(caller, {"delivery": str(new_id()), "kind": "opened"}).status_code == 403


def test_a_thousand_events_cost_as_many_queries_as_one() -> None:
    caller = shop()
    delivery, _ = pushed(caller)

    def queries(count: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            told = [{"delivery": str(new_id()), "kind": "opened"} for _ in range(count - 1)]
            assert tell(caller, *told, {"delivery": str(delivery.pk), "kind": "opened"}).json()["accepted"] == 1
        return len(asked)

    queries(1)
    assert queries(1000) == queries(1)
