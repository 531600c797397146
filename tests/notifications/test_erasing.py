"""Somebody who is erased is nowhere to be found, and the log still counts."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.channels import Channel
from accounts.consent import Choice, choose, refuse
from accounts.models import (
    ConsentChange,
    Device,
    Preference,
    ReceivedReply,
    Recipient,
    Refusal,
    SoftBounce,
    Suppression,
)
from accounts.replies import Reply, Wish
from accounts.suppressions import Actor, Cause, Via, Witness, heed, suppress
from accounts.traces import trace_of
from notifications import erasing
from notifications.ledger import holdings
from notifications.ledger.holdings import Subject
from notifications.models import (
    DeadLetter,
    Delivery,
    DeliveryEvent,
    Erasure,
    IdempotencyKey,
    Notification,
    PendingReceipt,
)
from notifications.vocabulary import Lane
from tests.api.shop import DATA, Shop, jimin, opted_out, shop
from tests.builders import administrator, device, person, shown
from tests.notifications.erased import later, tables_with, words_of
from tests.notifications.road import accepted, dispatched
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db


def known_everywhere(providers: Running) -> tuple[Shop, Recipient]:
    """Jimin, of whom every table has something; and Haneul, who must not be touched."""
    api, who = shop(), jimin()
    opted_out(who, api.category, "email")
    person("haneul", phone="+821099998888", email="haneul@people.example")
    for whom in ("jimin", "haneul", {"phone": who.phone}):
        accepted("sms", "email", by=api, recipients=[whom], data={**DATA, "user_name": "secret-name"})
    dispatched(Lane.SMS)
    accepted("sms", by=api, recipients=["jimin"], send_at=(timezone.now() + timedelta(hours=3)).isoformat())
    sent = Delivery.objects.filter(state="sent", recipient=who).get()
    DeadLetter.objects.create(
        delivery=sent, notification=sent.notification, queue="sms", detail=f"no {who.phone}", at=timezone.now()
    )
    PendingReceipt.objects.create(
        delivery=sent,
        kind="deferred",
        at=timezone.now(),
        detail=f"{who.phone} is off",
        account="a",
        due_at=timezone.now(),
    )
    heed(Reply(who.phone, Wish.STOP, "STOP", timezone.now(), "ref-1"), "twilio-live")
    LogEntry.objects.create(
        user=User.objects.create(username="helper"), content_type_id=_recipients(), object_id=str(who.pk),
        object_repr=str(who), action_flag=2, change_message="Changed phone",
    )  # fmt: skip
    return api, who


def _recipients() -> int:
    return ContentType.objects.get_for_model(Recipient).pk


def test_somebody_who_is_erased_stands_in_no_table_any_more(providers: Running) -> None:
    api, who = known_everywhere(providers)
    Notification.objects.filter(deliveries__recipient__external_id="haneul").update(data={})
    before = dict(Delivery.objects.order_by("id").values_list("id", "state"))
    assert {"accounts_recipient", "accounts_suppression", "notifications_deadletter"} <= tables_with(*words_of(who))

    assert api.delete("/v1/recipients/jimin").status_code == 204
    assert tables_with(*words_of(who)) == {"notifications_erasure"}, "which says whom to look for until it ends"
    assert erasing.carry_on(clock=later())

    assert tables_with(*words_of(who)) == set()
    after = dict(Delivery.objects.order_by("id").values_list("id", "state"))
    assert after.keys() == before.keys(), "the log still counts"
    changed = {(before[one], after[one]) for one in after if before[one] != after[one]}
    assert changed == {("scheduled", "cancelled")}
    waited = Delivery.objects.get(state="cancelled")
    assert waited.reason == "erased"
    assert DeliveryEvent.objects.of(waited.pk).get(kind="cancelled").reason == "erased"
    assert Recipient.objects.get().external_id == "haneul"
    assert Delivery.objects.filter(recipient__external_id="haneul", address="+821099998888").exists()


def test_what_is_left_says_when_and_by_whom_and_how_much(providers: Running) -> None:
    api, _who = known_everywhere(providers)
    api.delete("/v1/recipients/jimin")
    erasing.carry_on(clock=later())

    left = Erasure.objects.get()

    assert left.asked_by.startswith("application ")
    assert left.finished_at
    assert left.rows["deliveries"] == 4, "two channels, the contact with her number, and what waited"
    assert left.rows["recipients"] == left.rows["preferences"] == left.rows["suppressions"] == 1


def test_a_second_call_finds_nobody() -> None:
    api = shop()
    jimin()

    assert [api.delete("/v1/recipients/jimin").status_code for _ in range(2)] == [204, 404]
    assert api.get("/v1/recipients/jimin").status_code == 404
    assert Erasure.objects.count() == 1


def test_a_stop_outlasts_its_owner() -> None:
    api, who = shop(), jimin()
    suppress(
        Channel.SMS,
        who.phone,
        Cause.STOP,
        timezone.now(),
        Witness(Actor.RECIPIENT, Via.SMS_KEYWORD, "a", "answered STOP"),
    )
    api.delete("/v1/recipients/jimin")

    trace = Suppression.objects.get()
    assert who.phone not in trace.address
    assert (trace.cause, trace.detail) == (Cause.STOP, "")
    back = person("back", phone=who.phone)
    spared = accepted("sms", by=api, recipients=["back", {"phone": who.phone}])
    assert [one.reason for one in spared] == ["suppressed_address"] * 2

    heed(Reply(back.phone, Wish.START, "START", timezone.now(), "ref-2"), "twilio-live")
    assert not Suppression.objects.exists(), "their own word, and nobody else's, takes it back"


def test_another_key_makes_another_trace(settings: Any) -> None:
    first = trace_of("+821012345678")
    settings.ERASURE_KEY = "another"
    assert trace_of("+821012345678") != first


def test_what_was_said_to_others_as_well_stays_theirs() -> None:
    api = shop()
    jimin()
    person("haneul", phone="+821099998888")
    both = accepted("sms", by=api, recipients=["jimin", "haneul"])[0].notification_id
    alone = accepted("sms", by=api, recipients=["jimin"])[0].notification_id

    api.delete("/v1/recipients/jimin")

    assert Notification.objects.get(pk=both).data == DATA
    assert Notification.objects.get(pk=alone).data == {}


def test_answers_that_are_kept_for_repetitions_name_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    api = shop()
    jimin()
    person("jimin2", phone="+821099998888")
    for number in range(5):
        IdempotencyKey.objects.create(
            application=api.application,
            key=str(number),
            digest=b"",
            answer=json.dumps({"recipients": [{"recipient": "jimin" if number % 2 else "jimin2"}]}),
        )
    monkeypatch.setattr("notifications.ledger.stripping.TOGETHER", 2)

    api.delete("/v1/recipients/jimin")

    names = [json.loads(one.answer)["recipients"][0]["recipient"] for one in IdempotencyKey.objects.order_by("key")]
    assert names == ["jimin2", "erased", "jimin2", "erased", "jimin2"]


def test_a_persons_lines_are_found_by_indexes() -> None:
    who = jimin()
    subject = Subject(who.pk, who.external_id, who.email, who.phone, timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = holdings.deliveries(subject).explain()

    assert "Seq Scan" not in plan
    assert "recipient_id" in plan
    assert "address" in plan


# --- who may ------------------------------------------------------------------------------------------
def test_only_those_who_may_write_recipients_erase_one() -> None:
    jimin()
    reader = shop(scopes=["recipients:read"])

    assert reader.delete("/v1/recipients/jimin").status_code == 403
    assert Recipient.objects.exists()


def erase_page(who: Recipient) -> str:
    return f"/admin/notifications/erasure/erase/{who.pk}/"


def test_the_admin_asks_for_the_name_before_it_erases() -> None:
    who, browser = jimin(), administrator()
    device(who)
    assert erase_page(who) in shown(browser.get(f"/admin/accounts/recipient/{who.pk}/change/"))
    assert "cannot be undone" in shown(browser.get(erase_page(who)))

    assert "not this person" in shown(browser.post(erase_page(who), {"external_id": "jimi"}, follow=True))
    assert Recipient.objects.exists()
    assert "is erased" in shown(browser.post(erase_page(who), {"external_id": "jimin"}, follow=True))
    assert not Recipient.objects.exists()
    assert not Device.objects.exists()
    assert not Preference.objects.exists()
    assert not ReceivedReply.objects.exists()
    listed = shown(browser.get("/admin/notifications/erasure/"))
    assert "admin: admin" in listed
    noted = LogEntry.objects.get(content_type__model="erasure")
    assert (noted.user.username, noted.object_id) == ("admin", str(Erasure.objects.get().pk))
    assert "jimin" not in listed


@pytest.mark.parametrize("rights", [[], ["view_recipient", "change_recipient", "view_erasure"]])
def test_nobody_erases_without_the_right(client: Client, rights: list[str]) -> None:
    who = jimin()
    user = User.objects.create_user("helper", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(user)

    assert client.get(erase_page(who)).status_code == 403
    assert client.post(erase_page(who), {"external_id": "jimin"}).status_code == 403
    assert client.get(f"/admin/notifications/erasure/export/{who.pk}/").status_code == 403
    assert Recipient.objects.exists()


def test_a_row_is_never_just_deleted() -> None:
    who, browser = jimin(), administrator()

    assert browser.post(f"/admin/accounts/recipient/{who.pk}/delete/", {"post": "yes"}).status_code == 403


# --- consent ------------------------------------------------------------------------------------------
def test_a_refusal_outlasts_its_owner_and_their_own_word_takes_it_back() -> None:
    api, who = shop(), jimin()
    by = Witness(Actor.RECIPIENT, Via.SMS_LINK)
    refuse(Channel.SMS, who.phone, api.category, timezone.now(), by)
    api.delete("/v1/recipients/jimin")

    assert who.phone not in Refusal.objects.get().address
    back = person("back", phone=who.phone)
    spared = accepted("sms", by=api, recipients=["back", {"phone": who.phone}])
    assert [(one.state, one.reason) for one in spared] == [("suppressed", "opted_out")] * 2

    choose(back, [Choice(allowed=True, category=api.category)], timezone.now(), by)
    assert not Refusal.objects.exists()
    assert accepted("sms", by=api, recipients=["back"])[0].state == "queued"
    lifted = ConsentChange.objects.of(back).get(aspect="refusal")
    assert (lifted.address, lifted.before, lifted.after) == (who.phone, "refused", ""), "their log says whose it was"


def test_the_proof_of_consent_stays_for_whoever_comes_with_the_address() -> None:
    api, who = shop(), jimin()
    by = Witness(Actor.APPLICATION, Via.API, "crm", f"said so in the shop, {who.email}")
    choose(who, [Choice(allowed=True, category=api.category, channel=Channel.EMAIL)], timezone.now(), by)
    suppress(Channel.SMS, who.phone, Cause.STOP, timezone.now(), by)
    other = person("haneul", phone="+821099998888")
    choose(other, [Choice(allowed=True)], timezone.now(), Witness(Actor.RECIPIENT, Via.PREFERENCE_CENTRE))
    before = list(ConsentChange.objects.exclude(recipient=other).values_list("id", "at", "before", "after", "via"))

    api.delete("/v1/recipients/jimin")

    left = ConsentChange.objects.exclude(recipient=other).order_by("id")
    assert list(left.values_list("id", "at", "before", "after", "via")) == before
    assert {one.address for one in left} == {trace_of(who.email), trace_of(who.phone)}
    assert not tables_with(str(who.pk), who.email, who.phone) - {"notifications_erasure"}
    assert ConsentChange.objects.of(other).get().recipient == other


def test_mail_that_came_back_is_counted_for_nobody() -> None:
    api, who = shop(), jimin()
    SoftBounce.objects.create(address=who.email, times=[timezone.now()])

    api.delete("/v1/recipients/jimin")

    assert not SoftBounce.objects.exists()
