"""Push, and if nothing is heard of it in time, a text message, then an email: each once, until one arrives."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.ids import new_id
from accounts.models import Category, Device, Recipient, Suppression
from notifications import escalating, receiving
from notifications.ledger import receipts
from notifications.models import Delivery, Escalation, Notification
from notifications.providers.contract import Receipt
from notifications.timeline import timeline
from notifications.vocabulary import ReceiptKind
from templates_app import catalogue
from tests.api.shop import DATA, Shop, jimin, opted_out, shop
from tests.notifications.road import dispatched_all
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

PATH = "/v1/notifications"


def escalating_shop(**values: Any) -> Shop:
    """A shop whose messages go on after ten minutes."""
    caller = shop()
    Category.objects.filter(pk=caller.category.pk).update(**{"routing": "escalate", "escalate_after": 10, **values})
    catalogue.forget()
    return caller


def asked(caller: Shop, **changes: Any) -> Any:
    """What is answered to a request for "jimin" by every channel, or as `changes` say."""
    answer = caller.post(PATH, {"template": "restock", "recipients": ["jimin"], "data": DATA} | changes)
    assert answer.status_code == 202, answer.content
    return answer.json()


def escalated(at: datetime | None = None) -> int:
    """A turn of the task, ten minutes and a second from now or at a moment."""
    moment = at or timezone.now() + timedelta(minutes=10, seconds=1)
    return escalating.escalate(clock=lambda: moment)


def states(channel: str = "") -> list[tuple[str, str, str]]:
    """Channel, state and reason of each delivery in the order planned."""
    rows = Delivery.objects.filter(**{"channel": channel} if channel else {})
    return list(rows.order_by("id").values_list("channel", "state", "reason"))


def lines(delivery: Delivery) -> list[str]:
    """The timeline of a delivery, as text."""
    return [f"{moment.what}: {moment.detail}" for moment in timeline(delivery)]


def confirmed(caller: Shop, delivery_id: str, kind: str = "delivered") -> None:
    """The app says that it got the message, and a worker applies it."""
    answer = caller.post(f"/v1/deliveries/{delivery_id}/events", {"kind": kind})
    assert answer.status_code == 204, answer.content
    receiving.apply(clock=timezone.now)


def test_the_answer_says_what_comes_later_and_when() -> None:
    caller = escalating_shop()
    jimin()

    told = asked(caller)

    push, sms, email = told["recipients"]
    assert [one["decision"] for one in (push, sms, email)] == ["send", "later", "later"]
    assert (sms["reason"], sms["deliveries"]) == ("escalated", [])
    assert sms["explanation"].startswith("If nothing is heard of push by ")
    assert email["explanation"].startswith("If nothing is heard of sms by ")
    assert (told["planned"], told["suppressed"]) == (2, 0)
    waiting = Escalation.objects.get()
    assert waiting.channels == ["sms", "email"]
    assert sorted(map(str, waiting.delivery_ids)) == sorted(push["deliveries"])


def test_a_dry_run_says_the_same_and_writes_nothing() -> None:
    caller = escalating_shop()
    jimin()

    told = asked(caller, dry_run=True)

    assert [one["decision"] for one in told["recipients"]] == ["send", "later", "later"]
    assert not Escalation.objects.exists()


def test_a_push_of_which_nothing_is_heard_goes_on_by_text_message_and_then_by_email(providers: Running) -> None:
    caller = escalating_shop()
    jimin()
    asked(caller)
    dispatched_all()
    assert escalated(timezone.now() + timedelta(minutes=9)) == 0, "it still has time"

    in_time = timezone.now() + timedelta(minutes=10, seconds=1)
    assert escalated(in_time) == 1

    assert states("sms") == [("sms", "queued", "")]
    assert not Delivery.objects.filter(channel="email").exists()
    dispatched_all(in_time)
    assert states("sms") == [("sms", "sent", "")]
    assert len(providers.row(str(Delivery.objects.get(channel="sms").pk))["attempts"]) == 1
    assert escalated(in_time + timedelta(minutes=9)) == 0
    later = in_time + timedelta(minutes=11)
    assert escalated(later) == 1
    dispatched_all(later)
    assert states("email") == [("email", "sent", "")]
    assert not Escalation.objects.exists()


def test_each_timeline_tells_its_part(providers: Running) -> None:
    caller = escalating_shop()
    jimin()
    asked(caller)
    dispatched_all()
    push = Delivery.objects.filter(channel="push").earliest("id")
    due = Escalation.objects.get().due_at
    assert lines(push)[-1] == f"next channel: sms, if nothing is heard by {due:%Y-%m-%d %H:%M:%S} UTC"

    escalated()

    assert lines(push)[-1] == "escalated: attempt 1, goes on by sms"
    text = Delivery.objects.get(channel="sms")
    assert "escalated: Nothing was heard of it on the channel before, so it takes this one as well (push)." in lines(
        text
    )
    assert lines(text)[-1].startswith("next channel: email, if nothing is heard by ")


@pytest.mark.parametrize("kind", ["delivered", "opened"])
def test_news_in_time_ends_it(providers: Running, kind: str) -> None:
    caller = escalating_shop()
    jimin()
    told = asked(caller)
    dispatched_all()
    confirmed(caller, told["recipients"][0]["deliveries"][0], kind)

    assert escalated() == 1

    assert states("sms") == [("sms", "suppressed", "not_needed")]
    assert states("email") == [("email", "suppressed", "not_needed")]
    assert not Escalation.objects.exists()
    text = Delivery.objects.get(channel="sms")
    assert "suppressed: It arrived on a channel before this one (push)." in lines(text)


def test_an_opened_push_stops_what_is_left_even_after_the_text_message(providers: Running) -> None:
    caller = escalating_shop()
    jimin()
    told = asked(caller)
    dispatched_all()
    in_time = timezone.now() + timedelta(minutes=10, seconds=1)
    escalated(in_time)
    dispatched_all(in_time)
    confirmed(caller, told["recipients"][0]["deliveries"][1], "opened")

    escalated(in_time + timedelta(minutes=11))

    assert states("sms") == [("sms", "sent", "")]
    assert states("email") == [("email", "suppressed", "not_needed")]


def test_the_last_device_that_dies_makes_it_due(providers: Running) -> None:
    caller = escalating_shop()
    jimin()
    asked(caller)
    Device.objects.update(retired_at=timezone.now())

    dispatched_all()

    assert set(states("push")) == {("push", "failed", "device_gone")}
    assert escalated(timezone.now() + timedelta(seconds=1)) == 1
    text = Delivery.objects.get(channel="sms")
    assert text.state == "queued"
    assert any(line.endswith("(push failed).") for line in lines(text))


def test_a_bounce_told_later_makes_it_due_as_well(providers: Running) -> None:
    caller = escalating_shop(routing_order=["sms", "push"])
    jimin()
    asked(caller, channels=["sms", "push"])
    dispatched_all()
    text = Delivery.objects.get(channel="sms")
    receipts.keep([Receipt(text.pk, ReceiptKind.FAILED, timezone.now(), event_ref="1")], "twilio-live", timezone.now())
    receiving.apply(clock=timezone.now)

    assert escalated(timezone.now() + timedelta(seconds=1)) == 1

    assert states("push") == [("push", "queued", "")] * 2


def test_what_still_waits_in_a_long_line_is_not_unheard_of_yet() -> None:
    caller = escalating_shop()
    jimin()
    asked(caller)
    due = timezone.now() + timedelta(minutes=10, seconds=1)

    assert escalated(due) == 1

    assert not Delivery.objects.filter(channel="sms").exists()
    assert Escalation.objects.get().due_at == due + timedelta(minutes=10)


def test_a_critical_message_waits_for_no_line() -> None:
    caller = escalating_shop()
    jimin()
    asked(caller, urgency="critical")

    escalated()

    assert states("sms") == [("sms", "queued", "")]


@pytest.mark.parametrize(
    ("change", "sms", "email"),
    [
        (
            lambda: Suppression.objects.create(channel="sms", address="+821012345678", cause="stop"),
            "suppressed",
            "queued",
        ),
        (lambda: opted_out(Recipient.objects.get(), Category.objects.get(), "sms"), "suppressed", "queued"),
        (lambda: opted_out(Recipient.objects.get(), Category.objects.get()), "suppressed", "suppressed"),
        (lambda: Recipient.objects.update(phone=""), "suppressed", "queued"),
    ],
)
def test_everything_is_asked_again_at_that_time(providers: Running, change: Any, sms: str, email: str) -> None:
    caller = escalating_shop()
    jimin()
    asked(caller)
    dispatched_all()
    change()

    escalated()

    assert [state for _, state, _ in states("sms")] == [sms]
    assert [state for _, state, _ in states("email")] == [email]


def test_the_next_channel_waits_for_the_end_of_quiet_hours(providers: Running) -> None:
    due = timezone.now() + timedelta(minutes=10, seconds=1)
    caller = escalating_shop()
    jimin(time_zone="UTC")
    asked(caller)
    dispatched_all()
    quiet = {"quiet_from": (due - timedelta(minutes=5)).time(), "quiet_until": (due + timedelta(hours=1)).time()}
    Category.objects.update(**quiet, quiet_spread=0)
    catalogue.forget()

    escalated(due)

    text = Delivery.objects.get(channel="sms")
    assert text.state == "scheduled"
    assert text.due_at is not None
    assert text.due_at >= due + timedelta(minutes=59)
    assert Escalation.objects.get().due_at == text.due_at + timedelta(minutes=10), (
        "the email waits for the text message"
    )


def test_a_push_that_is_held_until_morning_counts_as_available() -> None:
    now = timezone.now()
    caller = escalating_shop(
        quiet_from=(now - timedelta(hours=1)).time(), quiet_until=(now + timedelta(hours=1)).time(), quiet_spread=0
    )
    jimin(time_zone="UTC")

    told = asked(caller)

    assert [one["decision"] for one in told["recipients"]] == ["hold", "later", "later"]
    held = Delivery.objects.filter(channel="push").earliest("id")
    assert held.due_at is not None
    assert Escalation.objects.get().due_at == held.due_at + timedelta(minutes=10)


def test_what_was_cancelled_goes_no_further(providers: Running) -> None:
    caller = escalating_shop()
    jimin()
    told = asked(caller)
    dispatched_all()

    cancelled = caller.post(f"{PATH}/{told['id']}/cancel", {}).json()

    assert cancelled == {"cancelled": 0, "too_late": 2}
    assert not Escalation.objects.exists()
    assert escalated() == 0
    assert states("sms") == [("sms", "suppressed", "cancelled")]


def test_what_has_expired_goes_no_further(providers: Running) -> None:
    caller = escalating_shop()
    jimin()
    asked(caller, expires_at=(timezone.now() + timedelta(minutes=5)).isoformat())
    dispatched_all()

    escalated()

    assert states("sms") == [("sms", "suppressed", "expired")]
    assert states("email") == [("email", "suppressed", "expired")]
    assert not Escalation.objects.exists()


def test_who_was_erased_is_written_to_no_more(providers: Running) -> None:
    caller = escalating_shop()
    person = jimin()
    asked(caller)
    dispatched_all()
    Device.objects.all().delete()
    person.delete()

    escalated()

    assert states("sms") == [("sms", "suppressed", "erased")]
    assert not Delivery.objects.filter(reason="erased").exclude(recipient=None, address="").exists()


def test_contacts_that_are_given_inline_escalate_as_well(providers: Running) -> None:
    caller = escalating_shop(routing_order=["sms", "email"])
    who = {"email": "kim@example.com", "phone": "+821099998888", "data": {"user_name": "Kim"}}
    asked(caller, recipients=[who], channels=["sms", "email"])
    dispatched_all()

    in_time = timezone.now() + timedelta(minutes=10, seconds=1)
    escalated(in_time)
    dispatched_all(in_time)

    mail = Delivery.objects.get(channel="email")
    assert (mail.state, mail.address, mail.data) == ("sent", "kim@example.com", {"user_name": "Kim"})


def test_a_category_may_go_on_at_the_next_turn(providers: Running) -> None:
    caller = escalating_shop(escalate_after=0)
    jimin()
    asked(caller)
    dispatched_all()

    escalated(timezone.now())

    assert states("sms") == [("sms", "queued", "")]


def test_one_notification_that_cannot_be_planned_holds_up_no_other(providers: Running) -> None:
    caller = escalating_shop()
    jimin()
    broken = asked(caller)
    asked(caller)
    dispatched_all()
    Notification.objects.filter(pk=broken["id"]).update(version_id=new_id())
    due = timezone.now() + timedelta(minutes=10, seconds=1)

    escalated(due)

    assert states("sms") == [("sms", "queued", "")]
    assert Escalation.objects.get(notification_id=broken["id"]).due_at == due + timedelta(minutes=1)
