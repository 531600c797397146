"""What was due by day and waited until night waits on until morning; and what it says before its texts."""

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from accounts.models import Category, Recipient
from notifications.ledger.claim import claim
from notifications.models import Delivery
from notifications.silence import Silence
from notifications.vocabulary import Lane
from templates_app.content import EmailText, PushText, SmsText, labelled
from tests.api.shop import DATA, jimin, shop
from tests.notifications.road import accepted, dispatched, last_event, now
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

#: A window around the moment at which the test runs, by the clock in Seoul.
SEOUL = timedelta(hours=9)


def quiet_around(moment: datetime) -> dict[str, time]:
    there = moment + SEOUL
    return {
        "quiet_from": (there - timedelta(minutes=30)).time().replace(second=0, microsecond=0),
        "quiet_until": (there + timedelta(hours=2)).time().replace(second=0, microsecond=0),
    }


def at_night(**who: Any) -> None:
    """It is night for Jimin from now on, by the category or by their own choice."""
    hours = quiet_around(datetime.now(UTC))
    if who:
        Recipient.objects.update(**hours)
    else:
        Category.objects.update(**hours)


def test_the_answer_says_until_when_it_is_held_and_why(providers: Running) -> None:
    api = shop()
    jimin()
    at_night()

    told = api.post(
        "/v1/notifications", {"template": "restock", "recipients": ["jimin"], "data": DATA, "channels": ["sms"]}
    ).json()["recipients"][0]

    assert (told["decision"], told["reason"]) == ("hold", "quiet_hours")
    assert told["explanation"].startswith("held by quiet hours ")
    assert datetime.fromisoformat(told["due_at"]) > datetime.now(UTC)
    (delivery,) = Delivery.objects.all()
    assert delivery.state == "scheduled"
    timeline = api.get(f"/v1/deliveries/{delivery.pk}").json()["timeline"]
    assert [moment["what"] for moment in timeline] == ["accepted", "held"]
    assert "Asia/Seoul" in timeline[1]["detail"]


@pytest.mark.parametrize("own", [False, True])
def test_what_was_due_by_day_is_not_sent_at_night(providers: Running, own: bool) -> None:
    jimin()
    (delivery,) = accepted("sms")
    later = datetime.now(UTC) + timedelta(minutes=2)
    at_night(**({"own": True} if own else {}))

    dispatched(Lane.SMS, later)

    after = now(delivery)
    assert (after.state, after.reason, after.failures) == ("retrying", "quiet_hours", 0)
    assert after.due_at is not None
    assert after.due_at > later + timedelta(hours=1)
    assert "held by quiet hours" in last_event(delivery).detail
    assert providers.admin("GET", f"record/{delivery.pk}").status == 404, "nobody was asked"


def test_in_the_morning_it_is_sent(providers: Running) -> None:
    jimin()
    (delivery,) = accepted("sms")
    at_night()
    dispatched(Lane.SMS)
    morning = now(delivery).due_at
    assert morning is not None

    dispatched(Lane.SMS.retry, morning + timedelta(seconds=1))

    assert now(delivery).state == "sent"


def test_a_critical_message_is_sent_at_night(providers: Running) -> None:
    jimin()
    (delivery,) = accepted("sms")
    at_night()
    Category.objects.update(is_critical=True)

    dispatched(Lane.SMS)

    assert now(delivery).state == "sent"


def test_nobody_is_asked_about_where_nothing_is_quiet(providers: Running, django_assert_num_queries: Any) -> None:
    jimin()
    accepted("sms")
    moment = datetime.now(UTC)
    held = claim(Lane.SMS, at=moment, lease_for=timedelta(seconds=60))
    assert held is not None
    Silence(held, moment)  # the template is looked up

    with django_assert_num_queries(0):
        Silence(held, moment)


@pytest.mark.parametrize(("channel", "lane"), [("push", Lane.IOS), ("sms", Lane.SMS), ("email", Lane.EMAIL)])
def test_a_label_stands_before_what_is_read_first(providers: Running, channel: str, lane: Lane) -> None:
    api = shop()
    jimin()
    Category.objects.update(label="(광고)")
    (delivery, *_) = accepted(channel, by=api)

    dispatched(lane)

    body = providers.row(str(delivery.pk))["attempts"][-1]["body"]
    said = {} if channel == "sms" else json.loads(body)
    first = {
        "sms": lambda: parse_qs(body)["Body"][0],
        "push": lambda: said["aps"]["alert"]["title"],
        "email": lambda: said["personalizations"][0].get("subject") or said["subject"],
    }[channel]()
    assert first.startswith("(광고) ")
    assert first.count("(광고)") == 1


@pytest.mark.parametrize(
    ("label", "subject", "read"),
    [
        ("", "재입고", "재입고"),
        ("(광고)", "재입고", "(광고) 재입고"),
        ("(광고)", "(광고) 재입고", "(광고) 재입고"),  # somebody wrote it already
        ("(광고)", " (광고)재입고", " (광고)재입고"),
        ("(광고)", "", "(광고)"),
    ],
)
def test_a_label_is_never_said_twice(label: str, subject: str, read: str) -> None:
    assert labelled(EmailText(subject=subject, text="…"), label) == EmailText(subject=read, text="…")
    assert labelled(SmsText(subject), label) == SmsText(read)
    assert labelled(PushText(title=subject, body="…"), label) == PushText(title=read, body="…")
