"""When a digest is sent everything is decided anew: whether, where, when, and what is still in it."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import Cap, Category, Device, Preference, Recipient, Suppression
from notifications.models import Delivery, Digest, DigestEntry, Notification
from templates_app import catalogue
from tests.api.shop import jimin, opted_out
from tests.notifications.gathering import PATH, asked, closed, gathering_shop, in_time, lines, names, sent

pytestmark = pytest.mark.django_db

NUMBER = "+821012345678"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda: Suppression.objects.create(channel="sms", address="+821012345678", cause="stop"),
            "suppressed_address",
        ),
        (lambda: opted_out(Recipient.objects.get(), Category.objects.get()), "opted_out"),
        (lambda: Recipient.objects.update(phone=""), "no_address"),
    ],
)
def test_everything_is_asked_again_when_it_is_sent(change: Any, reason: str) -> None:
    caller = gathering_shop()
    jimin()
    item = asked(caller, "가")["recipients"][0]["deliveries"][0]
    asked(caller, "나")
    change()

    closed()

    assert not sent()
    refused = Delivery.objects.get(reason=reason)
    assert lines(Delivery.objects.get(pk=item))[-1] == f"digested: with another, as {refused.pk}"
    assert not Digest.objects.exists()


def test_it_goes_where_the_person_can_be_reached_by_then() -> None:
    caller = gathering_shop()
    jimin()
    asked(caller, "가", channels=["push"])
    Device.objects.filter(platform="ios").delete()
    Recipient.objects.update(locale="ko")

    closed()

    assert [one.queue for one in sent("push")] == ["android"]


def test_a_digest_waits_for_the_end_of_quiet_hours() -> None:
    due = in_time()
    caller = gathering_shop(
        quiet_from=(due - timedelta(minutes=5)).time(), quiet_until=(due + timedelta(hours=1)).time(), quiet_spread=0
    )
    jimin(time_zone="UTC")
    asked(caller, "가")
    asked(caller, "나")

    closed(due)

    (digest,) = sent()
    assert digest.state == "scheduled"
    assert digest.due_at is not None
    assert digest.due_at >= due + timedelta(minutes=59)


def test_a_digest_counts_once_against_a_cap() -> None:
    caller = gathering_shop()
    Cap.objects.create(category=caller.category, most=1, hours=24)
    catalogue.forget()
    jimin()
    for name in ("가", "나", "다"):
        assert asked(caller, name)["recipients"][0]["decision"] == "gather", "nothing counts before it is sent"
    asked(caller, "라", digest_key="post-2")

    closed()

    assert len(sent()) == 1
    assert Delivery.objects.filter(reason="capped").count() == 1


def test_a_category_that_sends_once_chooses_for_the_whole_digest() -> None:
    caller = gathering_shop(routing="first", routing_order=["email", "sms", "push"])
    jimin()
    asked(caller, "가", channels=None)
    asked(caller, "나", channels=None)

    closed()

    assert [names(one) for one in sent("email")] == [["가", "나"]]
    assert not sent("sms")
    assert Delivery.objects.filter(reason="routed").count() == 2


def test_a_category_that_escalates_does_so_with_its_digests() -> None:
    caller = gathering_shop(routing="escalate", routing_order=["sms", "email"])
    jimin()
    item = asked(caller, "가", channels=["sms", "email"])

    closed()

    assert len(sent("sms")) == 1
    by_email = Delivery.objects.get(pk=item["recipients"][1]["deliveries"][0])
    assert lines(by_email)[-1] == "digested: alone"


def test_items_with_other_channels_are_told_of_where_they_were_gathered() -> None:
    caller = gathering_shop()
    jimin()
    asked(caller, "가", channels=["sms", "email"])
    asked(caller, "나", channels=["sms"])

    assert closed() == 1

    assert [names(one) for one in sent("sms")] == [["가", "나"]]
    assert [names(one) for one in sent("email")] == [["가"]]


def test_what_was_cancelled_is_not_in_it() -> None:
    caller = gathering_shop()
    jimin()
    asked(caller, "가")
    second = asked(caller, "나")

    answer = caller.post(f"{PATH}/{second['id']}/cancel", {}).json()
    again = caller.post(f"{PATH}/{second['id']}/cancel", {}).json()
    closed()

    assert (answer, again) == ({"cancelled": 1, "too_late": 0}, {"cancelled": 0, "too_late": 0})
    assert [names(one) for one in sent()] == [["가"]]
    withdrawn = Delivery.objects.get(notification_id=second["id"])
    assert withdrawn.reason == "cancelled"
    assert lines(withdrawn)[-1].startswith("cancelled: ")


def test_what_went_in_a_digest_is_too_late_to_cancel() -> None:
    caller = gathering_shop()
    jimin()
    told = asked(caller, "가")
    closed()

    assert caller.post(f"{PATH}/{told['id']}/cancel", {}).json() == {"cancelled": 0, "too_late": 1}
    assert len(sent()) == 1


def test_a_digest_of_which_all_is_cancelled_ends() -> None:
    caller = gathering_shop()
    jimin()
    told = asked(caller, "가")
    caller.post(f"{PATH}/{told['id']}/cancel", {})

    assert closed() == 1

    assert Notification.objects.count() == 1
    assert not Digest.objects.exists()


def test_what_expires_meanwhile_is_not_in_it() -> None:
    caller = gathering_shop()
    jimin()
    short = asked(caller, "가", expires_at=(timezone.now() + timedelta(minutes=5)).isoformat())
    last = (timezone.now() + timedelta(minutes=50)).isoformat()
    asked(caller, "나", expires_at=(timezone.now() + timedelta(minutes=30)).isoformat())
    asked(caller, "다", expires_at=last)

    closed()

    (digest,) = sent()
    assert names(digest) == ["나", "다"]
    assert digest.notification.expires_at is not None
    assert digest.notification.expires_at.isoformat() == last.replace("Z", "+00:00"), "as long as one is of use"
    late = Delivery.objects.get(notification_id=short["id"])
    assert (late.state, late.reason) == ("suppressed", "expired")
    assert lines(late)[-1].startswith("expired: ")


def test_who_was_erased_is_written_to_no_more() -> None:
    caller = gathering_shop()
    person = jimin()
    asked(caller, "가")
    Device.objects.all().delete()
    Preference.objects.all().delete()
    person.delete()

    closed()

    assert not sent()
    assert [one.reason for one in Delivery.objects.all()] == ["erased"]
    assert not Digest.objects.exists()


def test_what_is_gathered_for_somebody_who_is_erased_is_forgotten() -> None:
    caller = gathering_shop()
    who = jimin()
    items = [asked(caller, name)["recipients"][0]["deliveries"][0] for name in ("가", "나")]
    inline = asked(caller, "다", recipients=[{"phone": NUMBER}])["recipients"][0]["deliveries"][0]
    other = asked(caller, "라", recipients=[{"phone": "+821099998888"}])["recipients"][0]["deliveries"][0]

    assert caller.delete(f"/v1/recipients/{who.external_id}").status_code == 204

    assert set(Delivery.objects.filter(reason="erased").values_list("pk", flat=True)) == {
        UUID(one) for one in (*items, inline)
    }
    assert lines(Delivery.objects.get(pk=items[0]))[-1].startswith("cancelled")
    closed()
    assert [one.address for one in sent()] == ["+821099998888"]
    assert lines(Delivery.objects.get(pk=other))[-1].startswith("digested")
    assert not Digest.objects.exists()
    assert not DigestEntry.objects.exists()


def test_what_is_gathered_is_told_to_whom_it_is_gathered_for() -> None:
    caller = gathering_shop()
    jimin()
    asked(caller, "가")
    asked(caller, "나", recipients=[{"phone": "+821099998888"}])

    export: Any = caller.get("/v1/recipients/jimin/export")
    told = json.loads(b"".join(export.streaming_content))

    assert [one["key"] for one in told["digests"]] == ["post-1"]
    assert len(told["digest_entries"]) == 1
