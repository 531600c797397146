"""The way a message takes: the category's, unless its template says otherwise, unless the request does."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Category
from notifications import walking
from notifications.models import Audience, Delivery, Escalation, Notification
from templates_app import catalogue
from templates_app.models import Template
from tests.api.shop import DATA, jimin, shop

pytestmark = pytest.mark.django_db

PATH = "/v1/notifications"


def decisions(**changes: Any) -> dict[str, str]:
    """What is decided for "jimin", by channel."""
    answer = shop().post(PATH, {"template": "restock", "recipients": ["jimin"], "data": DATA} | changes)
    assert answer.status_code == 202, answer.content
    return {one["channel"]: one["decision"] for one in answer.json()["recipients"]}


def test_the_request_says_more_than_the_template_and_the_template_more_than_the_category() -> None:
    shop()
    jimin()
    assert decisions() == {"push": "send", "sms": "send", "email": "send"}

    Category.objects.update(routing="first", routing_order=["email"])
    catalogue.forget()
    assert decisions() == {"push": "drop", "sms": "drop", "email": "send"}

    Template.objects.update(routing="escalate", routing_order=["sms", "push"], escalate_after=0)
    catalogue.forget()
    assert decisions() == {"push": "later", "sms": "send", "email": "drop"}
    assert Escalation.objects.get().escalate_after == 0

    assert decisions(routing={"policy": "all"}) == {"push": "send", "sms": "send", "email": "send"}
    assert decisions(routing={"policy": "first"}) == {"push": "drop", "sms": "send", "email": "drop"}
    assert decisions(routing={"order": ["push", "email"]}) == {"push": "send", "sms": "drop", "email": "later"}


def test_a_request_may_say_all_of_it() -> None:
    jimin()
    way = {"policy": "escalate", "order": ["push", "sms"], "escalate_after": 3, "devices": "latest"}

    assert decisions(routing=way) == {"push": "send", "sms": "later", "email": "drop"}

    assert Delivery.objects.filter(channel="push").count() == 1, "one of two devices"
    waiting = Escalation.objects.get()
    assert (waiting.channels, waiting.escalate_after, waiting.reach) == (["sms"], 180, "latest")


@pytest.mark.parametrize(
    ("routing", "field"),
    [
        ({"policy": "loudest"}, "routing.policy"),
        ({"policy": "escalate", "after": 3}, "routing.after"),
        ({"policy": "escalate", "escalate_after": -1}, "routing.escalate_after"),
        ({"policy": "escalate", "escalate_after": 1441}, "routing.escalate_after"),
        ({"policy": "escalate", "escalate_after": "soon"}, "routing.escalate_after"),
        ({"policy": "first", "escalate_after": 3}, "routing.escalate_after"),
        ({"policy": "all", "order": ["push"]}, "routing.order"),
        ({"policy": "escalate", "order": ["push"]}, "routing.order"),
        ({"policy": "first", "order": []}, "routing.order"),
        ({"policy": "first", "order": ["push", "push"]}, "routing.order"),
        ({"policy": "first", "order": ["pigeon"]}, "routing.order[0]"),
        ({"policy": "first", "order": "push"}, "routing.order"),
        ({"policy": "first", "seen_within_days": 3}, "routing.seen_within_days"),
        ({"devices": "some"}, "routing.devices"),
        ({}, "routing"),
        (None, "routing"),
        ("escalate", "routing"),
        ([], "routing"),
    ],
)
def test_what_cannot_be_meant_is_refused(routing: Any, field: str) -> None:
    jimin()

    answer = shop().post(PATH, {"template": "restock", "recipients": ["jimin"], "data": DATA, "routing": routing})

    assert answer.status_code == 422, answer.content
    assert field in [error["field"] for error in answer.json()["errors"]], answer.json()
    assert not Notification.objects.exists()


def test_an_order_of_channels_that_are_not_asked_for_is_refused() -> None:
    jimin()
    body = {"template": "restock", "recipients": ["jimin"], "data": DATA, "channels": ["sms"]}

    answer = shop().post(PATH, body | {"routing": {"policy": "first", "order": ["sms", "push"]}})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["routing.order"]


def test_an_audience_goes_the_way_that_was_asked_for() -> None:
    jimin()
    way = {"policy": "escalate", "order": ["sms", "email"], "escalate_after": 7}
    answer = shop().post(PATH, {"template": "restock", "audience": {}, "data": DATA, "routing": way})
    assert answer.status_code == 202, answer.content

    while walking.walk(clock=timezone.now):
        pass

    states = set(Delivery.objects.values_list("channel", "state", "reason"))
    assert states == {("sms", "queued", ""), ("push", "suppressed", "routed")}
    waiting = Escalation.objects.get()
    assert (waiting.channels, waiting.escalate_after) == (["email"], 420)
    assert Audience.objects.get().routing
