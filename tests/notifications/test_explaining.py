"""Why somebody did, or did not, get something: on a page, and on the command line."""

from datetime import UTC, datetime, time, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.channels import Channel
from accounts.models import Category, Preference, Recipient, Refusal
from accounts.suppressions import Cause, suppress
from notifications import explaining
from notifications.explaining import Nobody, Span
from notifications.models import Delivery
from notifications.vocabulary import Lane
from tests.api.shop import jimin, opted_out, shop
from tests.builders import administrator, person, shown, witness
from tests.notifications.road import accepted, dispatched
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

PAGE = "/admin/notifications/delivery/why/"


@pytest.fixture
def browser() -> Client:
    return administrator()


def sent_and_spared(providers: Running) -> Recipient:
    """Jimin got a text message and wants no email."""
    api, who = shop(), jimin()
    opted_out(who, api.category, "email")
    accepted("sms", "email", by=api)
    dispatched(Lane.SMS)
    return who


def asked(browser: Client, who: str, **days: str) -> str:
    return shown(browser.get(PAGE, {"who": who, **days}))


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("explain", *arguments, stdout=out)
    return out.getvalue()


# --- the page -------------------------------------------------------------------------------------------
def test_the_page_tells_what_was_sent_and_what_was_not_and_why(providers: Running, browser: Client) -> None:
    who = sent_and_spared(providers)

    for name in ("jimin", who.email.upper(), who.phone):
        page = asked(browser, name)
        assert "attempt 1, by twilio-live" in page
        assert "The recipient opted out." in page
        assert "of this category on this channel" in page


def test_the_list_of_deliveries_leads_to_it(browser: Client) -> None:
    assert PAGE in shown(browser.get("/admin/notifications/delivery/"))
    assert "Recipient" in shown(browser.get(PAGE))


def test_days_are_chosen_and_nothing_else_is_shown(providers: Running, browser: Client) -> None:
    sent_and_spared(providers)

    page = asked(browser, "jimin", since="2020-01-01", until="2020-01-31")

    assert "Nothing was sent to them" in page
    assert "What applies at present" in page


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"who": "nobody-knows"}, "Nobody has this external id"),
        ({"who": "x", "since": "2026-02-02", "until": "2026-02-01"}, "comes after the last one"),
        ({"who": "x", "since": "2020-01-01", "until": "2026-02-01"}, "At most 92 days"),
        ({"who": "x", "since": "yesterday"}, "Enter a valid date"),
        ({"who": ""}, "This field is required"),
        ({"who": "x", "before": "no id"}, "valid UUID"),
        ({"who": "<script>alert(1)</script>"}, "Nobody has this external id"),
    ],
)
def test_what_cannot_be_looked_for_is_told(browser: Client, question: dict[str, str], says: str) -> None:
    page = shown(browser.get(PAGE, question))

    assert says in page or question.get("before")
    assert "<script>alert" not in page


def test_many_are_told_a_page_at_a_time(providers: Running, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "PAGE", 2)
    jimin()
    api = shop()
    for _ in range(3):
        accepted("sms", by=api)
    ids = [str(one) for one in Delivery.objects.order_by("-id").values_list("pk", flat=True)]

    first = asked(browser, "jimin")
    assert [f"delivery/{name}/change" in first for name in ids] == [True, True, False]
    assert f"before={ids[1]}" in first, "the next page begins after the last of this one"
    second = asked(browser, "jimin", before=ids[1])
    assert [f"delivery/{name}/change" in second for name in ids] == [False, False, True]


@pytest.mark.parametrize("rights", [[], ["view_delivery"], ["view_recipient"]])
def test_it_is_for_those_who_may_see_people_and_the_log(client: Client, rights: list[str]) -> None:
    user = User.objects.create_user("helper", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(user)

    assert client.get(PAGE).status_code == 403


def test_a_span_is_looked_up_by_the_index_of_its_person(django_assert_max_num_queries: Any) -> None:
    who = jimin()
    now = datetime.now(UTC)
    plan = Delivery.objects.to_person(who.pk).planned_between(now - timedelta(days=1), now).explain()

    assert "recipient_id" in plan
    assert plan.count("notifications_delivery_") <= 6, "days that are not asked for are left out"


# --- what applies at present ----------------------------------------------------------------------------
def now_for(who: Recipient) -> dict[Channel, str]:
    return {one.channel: one.because for one in explaining.applies_now(who, timezone.now())}


def test_it_says_for_every_channel_which_rule_would_decide() -> None:
    who = person(email="jimin@example.com", phone="+821012345678", country="KR")
    category = Category.objects.create(slug="news", name="News")
    assert now_for(who) == {
        Channel.PUSH: "There is no device.",
        Channel.SMS: "It would be sent.",
        Channel.EMAIL: "It would be sent.",
    }

    Refusal.objects.create(address=who.phone, channel="sms", category=category)
    assert "by a link in a message to this address" in now_for(who)[Channel.SMS]
    Refusal.objects.all().delete()

    suppress(Channel.EMAIL, "jimin@example.com", Cause.HARD_BOUNCE, timezone.now(), witness())
    Preference.objects.create(recipient=who, category=category, channel="sms", allowed=False)

    assert now_for(who)[Channel.SMS] == "The recipient opted out (of this category on this channel)."
    assert now_for(who)[Channel.EMAIL] == "The address is suppressed: hard_bounce."


def test_night_and_silence_are_told_as_well() -> None:
    who = person(phone="+821012345678", time_zone="Asia/Seoul")
    category = Category.objects.create(slug="news", name="News", consent="opt_in")
    assert "has not given it" in now_for(who)[Channel.SMS]

    Preference.objects.create(recipient=who, category=category, channel="", allowed=True)
    there = timezone.now() + timedelta(hours=9)
    Category.objects.update(
        quiet_from=(there - timedelta(hours=1)).time().replace(second=0, microsecond=0),
        quiet_until=(there + timedelta(hours=1)).time().replace(second=0, microsecond=0),
    )

    assert now_for(who)[Channel.SMS].startswith("Held by quiet hours ")
    Category.objects.update(quiet_from=None, quiet_until=None)
    Recipient.objects.update(quiet_from=time(0, 0), quiet_until=time(23, 59))
    who.refresh_from_db()
    assert "00:00-23:59 Asia/Seoul" in now_for(who)[Channel.SMS]


# --- the command ----------------------------------------------------------------------------------------
def test_the_command_tells_the_same(providers: Running) -> None:
    sent_and_spared(providers)

    text = told("jimin", "--since", "24h")

    assert "restock · sms · sent" in text
    assert "attempt 1, by twilio-live" in text
    assert "restock · email · suppressed" in text
    assert "At present:" in text


@pytest.mark.parametrize("arguments", [["nobody-knows"], ["jimin", "--since", "soon"], ["jimin", "--since", "d"]])
def test_the_command_refuses_what_it_cannot_look_for(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        told(*arguments)


def test_somebody_is_found_by_what_people_know_of_them() -> None:
    who = person(email="jimin@example.com", phone="+821012345678")

    for name in (who.external_id, " JIMIN@example.com ", "+82 10-1234-5678"):
        assert explaining.found(name) == who
    with pytest.raises(Nobody):
        explaining.found("")


def test_nothing_happened_before_there_was_anything() -> None:
    who = person()

    assert explaining.happened(who, Span(timezone.now() - timedelta(days=1), timezone.now())) == []
