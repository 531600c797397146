"""The admin pages of `accounts`: each opens, and does what it says."""

import re
from datetime import time, timedelta
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from accounts.channels import Channel, Mode
from accounts.devices import registration
from accounts.models import AppKey, Cap, Category, Device, Preference, Recipient, Suppression
from accounts.replies import Reply, Wish
from accounts.suppressions import Cause, heed, suppress
from tests.builders import (
    Caller,
    administrator,
    apns_token,
    application,
    caller,
    category,
    complaints,
    device,
    fcm_token,
    iphone,
    listed,
    person,
    shown,
    witness,
)  # fmt: skip

pytestmark = pytest.mark.django_db

ADMIN = "/admin/accounts"


@pytest.fixture
def browser() -> Client:
    return administrator()


@pytest.fixture
def rows() -> dict[str, Model]:
    """One of each."""
    caller(name="shop")
    jimin = person(email="jimin@example.com", attributes={"grade": "gold"})
    device(jimin)
    Preference.objects.create(recipient=jimin, category=category(), channel="sms", allowed=False)
    suppress(Channel.EMAIL, "gone@example.com", Cause.HARD_BOUNCE, timezone.now(), witness())
    key = AppKey.objects.select_related("application").get()
    return {
        "application": key.application,
        "appkey": key,
        "recipient": jimin,
        "device": Device.objects.get(),
        "category": Category.objects.get(),
        "preference": Preference.objects.get(),
        "suppression": Suppression.objects.get(),
    }


PAGES = ["application", "appkey", "recipient", "device", "category", "preference", "suppression"]


@pytest.mark.parametrize("page", PAGES)
def test_every_list_opens_and_can_be_searched(browser: Client, rows: dict[str, Model], page: str) -> None:
    for question in ("", "?q=jimin", "?q=%20JIMIN@example.com%20", "?q=%00"):
        shown(browser.get(f"{ADMIN}/{page}/{question}", follow=True))


@pytest.mark.parametrize("page", PAGES)
def test_every_row_opens(browser: Client, rows: dict[str, Model], page: str) -> None:
    shown(browser.get(f"{ADMIN}/{page}/{rows[page].pk}/change/"))


@pytest.mark.parametrize("page", PAGES)
def test_every_kind_can_be_added_but_for_keys_and_devices(browser: Client, page: str) -> None:
    status = browser.get(f"{ADMIN}/{page}/add/").status_code

    assert status == (403 if page in ("appkey", "device") else 200)


def do(browser: Client, page: str, action: str, *chosen: Model) -> list[str]:
    """Run an action on rows of a list; what the page then says."""
    answer = browser.post(f"{ADMIN}/{page}/", {"action": action, "_selected_action": [row.pk for row in chosen]})
    assert answer.status_code == 302, answer.content
    return [str(message) for message in get_messages(answer.wsgi_request)]


def secret_in(messages: list[str]) -> Caller:
    (message,) = messages
    found = re.search(r"appKey <code>(bk_\w+)</code>, appSecret <code>(bs_[\w-]+)</code>", message)
    assert found, message
    return Caller(found[1], found[2])


@pytest.mark.parametrize(("action", "mode"), [("create_live_key", Mode.LIVE), ("create_test_key", Mode.TEST)])
def test_a_new_key_shows_its_secret_once(browser: Client, action: str, mode: Mode) -> None:
    owner = application()
    person()

    new = secret_in(do(browser, "application", action, owner))

    assert new.get("/v1/recipients/jimin").status_code == 200
    assert AppKey.objects.get().mode == mode
    pages = [f"application/{owner.pk}/change/", f"appkey/{quote(new.key)}/change/", "application/", "appkey/"]
    assert new.secret in shown(browser.get(f"{ADMIN}/{pages[0]}")), "told on the page that follows"
    assert not any(new.secret in shown(browser.get(f"{ADMIN}/{page}")) for page in pages)


def test_an_application_can_be_changed_beside_its_keys(browser: Client) -> None:
    old = caller(name="shop")
    key = AppKey.objects.get()

    answer = browser.post(
        f"{ADMIN}/application/{key.application_id}/change/",
        {
            "name": "boutique", "scopes": ["recipients:read"], "rate_limit": "9/s", "is_active": "on",
            "keys-TOTAL_FORMS": 1, "keys-INITIAL_FORMS": 1, "keys-0-key": old.key,
            "keys-0-application": key.application_id,
        },
    )  # fmt: skip

    assert answer.status_code == 302, answer.content
    changed = AppKey.objects.select_related("application").get().application
    assert (changed.name, changed.scopes, changed.rate_limit) == ("boutique", ["recipients:read"], "9/s")


def test_a_wrong_rate_limit_is_explained(browser: Client) -> None:
    page = browser.post(
        f"{ADMIN}/application/add/",
        {"name": "shop", "rate_limit": "fast", "keys-TOTAL_FORMS": 0, "keys-INITIAL_FORMS": 0},
    )

    assert "for example 200/s" in shown(page)


def test_rotating_a_secret_shows_the_new_one_and_revoking_ends_both(browser: Client) -> None:
    person()
    old = caller()
    key = AppKey.objects.get()

    new = secret_in(do(browser, "appkey", "rotate_secret", key))

    assert [who.get("/v1/recipients/jimin").status_code for who in (old, new)] == [200, 200]
    assert do(browser, "appkey", "revoke", key)[-1] == "1 revoked."
    assert [who.get("/v1/recipients/jimin").status_code for who in (old, new)] == [401, 401]
    assert "is revoked" in do(browser, "appkey", "rotate_secret", key)[-1]


def test_a_key_is_never_deleted(browser: Client) -> None:
    caller()
    key = AppKey.objects.get()

    assert browser.post(f"{ADMIN}/appkey/{key.pk}/delete/", {"post": "yes"}).status_code == 403
    browser.post(f"{ADMIN}/application/{key.application_id}/delete/", {"post": "yes"})
    assert AppKey.objects.exists()


def recipient_form(**values: Any) -> dict[str, Any]:
    usual = {"external_id": "jimin", "attributes": "{}"}
    inlines = {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0}
    return {
        **usual,
        **{f"{name}-{key}": value for name in ("devices", "preferences") for key, value in inlines.items()},
        **values,
    }


def test_a_person_is_kept_as_the_api_would_keep_them(browser: Client) -> None:
    browser.post(
        f"{ADMIN}/recipient/add/",
        recipient_form(email="Jimin@Example.com", phone="+82 10-1234-5678", locale="ko_kr", country="kr"),
    )

    jimin = Recipient.objects.get()
    assert (jimin.email, jimin.phone) == ("jimin@example.com", "+821012345678")
    assert (jimin.locale, jimin.country) == ("ko-KR", "KR")


BAD: list[tuple[str, dict[str, str]]] = [
    ("an external id", {"external_id": "a b"}),
    ("an email", {"email": "a@@b"}),
    ("a phone number", {"phone": "12"}),
    ("a locale", {"locale": "!"}),
    ("a country", {"country": "XX"}),
    ("a time zone", {"time_zone": "Seoul"}),
    ("attributes that are a list", {"attributes": "[1]"}),
    ("attributes nested too deeply", {"attributes": "[" * 5000}),
    ("attributes with half a character", {"attributes": '{"a": "\\ud800"}'}),
    ("attributes with NUL", {"attributes": '{"a": ["\\u0000"]}'}),
    ("an attribute no template can name", {"attributes": '{"a b": 1}'}),
]


@pytest.mark.parametrize("values", [case[1] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_value_is_explained_and_not_kept(browser: Client, values: dict[str, str]) -> None:
    page = browser.post(f"{ADMIN}/recipient/add/", recipient_form(**values))

    assert complaints(page)
    assert not Recipient.objects.exists()


def test_a_person_is_found_by_external_id_email_or_phone_in_full(browser: Client) -> None:
    jimin = person(email="jimin@example.com", phone="+821012345678")
    person("jimin2")

    for term in ("jimin", "Jimin@example.com", "%2B821012345678"):
        assert listed(browser.get(f"{ADMIN}/recipient/?q={term}")) == [str(jimin.pk)], term
    assert listed(browser.get(f"{ADMIN}/recipient/?q=jim")) == []


def test_a_choice_changed_beside_the_person_is_dated_and_signed(browser: Client) -> None:
    jimin = person()
    choice = Preference.objects.create(recipient=jimin, category=category(), allowed=True)

    answer = browser.post(
        f"{ADMIN}/recipient/{jimin.pk}/change/",
        recipient_form(**{
            "preferences-TOTAL_FORMS": 1, "preferences-INITIAL_FORMS": 1, "preferences-0-id": choice.pk,
            "preferences-0-recipient": jimin.pk, "preferences-0-category": category().pk,
            "preferences-0-channel": "sms", "preferences-0-allowed": "false", "preferences-0-source": "",
        }),
    )  # fmt: skip

    assert answer.status_code == 302, answer.content
    changed = Preference.objects.get()
    assert (changed.channel, changed.allowed, changed.source) == ("sms", False, "admin: admin")
    assert changed.changed_at > choice.changed_at
    assert Recipient.objects.get().updated_at > jimin.updated_at


def test_a_choice_made_on_its_own_page_is_dated_and_signed(browser: Client) -> None:
    browser.post(f"{ADMIN}/preference/add/", {"recipient": person().pk, "channel": "email", "allowed": ""})

    choice = Preference.objects.get()
    assert (choice.channel, choice.allowed, choice.source) == ("email", False, "admin: admin")


def test_a_token_is_shown_by_its_ending_only(browser: Client) -> None:
    owned = device(person())

    for page in (f"device/{owned.pk}/change/", "device/", f"recipient/{owned.recipient_id}/change/"):
        assert apns_token() not in shown(browser.get(f"{ADMIN}/{page}"))
    assert "… aaaaaa" in shown(browser.get(f"{ADMIN}/device/{owned.pk}/change/"))


def test_a_device_is_retired_with_the_name_of_who_did_it(browser: Client) -> None:
    owned = device(person())

    assert do(browser, "device", "retire", owned) == ["1 retired."]

    owned.refresh_from_db()
    assert (owned.retired_at is not None, owned.retired_because) == (True, "retired by admin")


@pytest.mark.parametrize(
    ("channel", "given", "kept"),
    [("email", " A@Example.com ", "a@example.com"), ("sms", "+82 10-1234-5678", "+821012345678")],
)
def test_a_suppressed_address_is_kept_as_senders_look_it_up(
    browser: Client, channel: str, given: str, kept: str
) -> None:
    browser.post(f"{ADMIN}/suppression/add/", {"channel": channel, "address": given, "cause": "manual"})

    assert Suppression.objects.get().address == kept


@pytest.mark.parametrize(("channel", "given"), [("email", "+821012345678"), ("sms", "a@example.com"), ("", "x")])
def test_an_address_of_another_channel_cannot_be_suppressed(browser: Client, channel: str, given: str) -> None:
    page = browser.post(f"{ADMIN}/suppression/add/", {"channel": channel, "address": given, "cause": "manual"})

    assert complaints(page)
    assert not Suppression.objects.exists()


def test_an_address_is_suppressed_once_for_each_cause(browser: Client) -> None:
    suppress(Channel.EMAIL, "a@example.com", Cause.MANUAL, timezone.now(), witness())

    page = browser.post(
        f"{ADMIN}/suppression/add/", {"channel": "email", "address": "A@example.com", "cause": "manual"}
    )

    assert "suppressed for this cause already" in shown(page)


def rules(**changes: str) -> dict[str, str]:
    """A category's form as it is filled in; an empty value is a box that is not ticked, or a field left empty."""
    usual = {
        "name": "News", "slug": "news", "consent": "opt_out", "quiet_spread": "15", "routing": "all", "reach": "all",
        "seen_within_days": "30", "escalate_after": "10", "when_capped": "drop", "attribution_days": "7",
        "caps-TOTAL_FORMS": "0", "caps-INITIAL_FORMS": "0",
    }  # fmt: skip
    return {name: value for name, value in (usual | changes).items() if value}


@pytest.mark.parametrize(
    ("consent", "critical", "chosen", "in_doubt"),
    [
        ("opt_in", "", "", "hold"),  # advertising: nobody wants it twice
        ("opt_out", "", "", "resend"),  # an order's news: nobody wants to miss it
        ("opt_in", "on", "", "resend"),  # critical: rather twice than not at all
        ("opt_in", "", "resend", "resend"),
        ("opt_out", "", "hold", "hold"),
    ],
)
def test_what_is_in_doubt_is_held_where_people_opted_in_and_sent_again_elsewhere_unless_chosen(
    browser: Client, consent: str, critical: str, chosen: str, in_doubt: str
) -> None:
    answer = browser.post(f"{ADMIN}/category/add/", rules(consent=consent, is_critical=critical, in_doubt=chosen))

    assert answer.status_code == 302, answer.content
    assert Category.objects.get().in_doubt == in_doubt


def test_silent_devices_are_flagged_and_can_be_asked_for(browser: Client) -> None:
    silent = device(person("silent"))
    Device.objects.update(seen_at=timezone.now() - timedelta(days=300))
    google = device(person("google"), registration("android", fcm_token()))
    Device.objects.filter(pk=google.pk).update(seen_at=timezone.now() - timedelta(days=300))
    fresh = device(person("fresh"), iphone(apns_token("b")))

    everybody = shown(browser.get(f"{ADMIN}/device/"))
    stale = shown(browser.get(f"{ADMIN}/device/?heard=stale"))
    expired = shown(browser.get(f"{ADMIN}/device/?heard=expired"))

    assert all(str(one.pk) in everybody for one in (silent, google, fresh))
    assert [str(one.pk) in stale for one in (silent, google, fresh)] == [True, True, False]
    assert [str(one.pk) in expired for one in (silent, google, fresh)] == [False, True, False]
    assert 'title="True"' in stale


def test_what_people_answered_is_shown_and_written_by_nobody(browser: Client) -> None:
    heed(Reply("+821012345678", Wish.STOP, "수신거부", timezone.now(), "SM1"), "twilio-live")

    assert "수신거부" in shown(browser.get(f"{ADMIN}/receivedreply/?q=%2B821012345678"))
    assert browser.get(f"{ADMIN}/receivedreply/add/").status_code == 403


def test_a_preset_sets_the_rules_that_belong_together(browser: Client) -> None:
    answer = browser.post(f"{ADMIN}/category/add/", rules(preset="korean_advertising"))

    assert answer.status_code == 302, answer.content
    made = Category.objects.get()
    assert (made.consent, made.in_doubt, made.label) == ("opt_in", "hold", "(광고)")
    assert (made.quiet_from, made.quiet_until) == (time(21), time(8))
    assert "21:00 to 08:00" in shown(browser.get(f"{ADMIN}/category/"))


def test_caps_are_written_beside_the_category(browser: Client) -> None:
    caps = {
        "caps-TOTAL_FORMS": "2",
        "caps-0-most": "3",
        "caps-0-hours": "24",
        "caps-1-most": "10",
        "caps-1-hours": "168",
    }

    answer = browser.post(f"{ADMIN}/category/add/", rules(**caps))

    assert answer.status_code == 302, answer.content
    assert sorted(Cap.objects.values_list("most", "hours")) == [(3, 24), (10, 168)]
    assert "3 in 24 h" in shown(browser.get(f"{ADMIN}/cap/"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"caps-TOTAL_FORMS": "1", "caps-0-most": "0", "caps-0-hours": "24"}, "one message at least"),
        ({"caps-TOTAL_FORMS": "1", "caps-0-most": "3", "caps-0-hours": "9000"}, "in 1 to 744 hours"),
        ({"is_critical": "on", "quiet_from": "21:00", "quiet_until": "08:00"}, "does not wait for quiet hours"),
        ({"is_critical": "on", "label": "(광고)"}, "no advertising"),
        ({"is_critical": "on", "digest_minutes": "10"}, "does not wait for others"),
        ({"digest_minutes": "0"}, "a minute at least, and a week at most"),
        ({"digest_minutes": "10081"}, "a minute at least, and a week at most"),
        ({"digest_minutes": "soon"}, "Enter a whole number"),
        ({"quiet_from": "21:00"}, "a beginning and an end"),
        ({"quiet_from": "21:00", "quiet_until": "21:00"}, "a beginning and an end"),
        ({"quiet_from": "25:00", "quiet_until": "08:00"}, "Enter a valid time"),
        ({"routing": "loudest"}, "not one of the available choices"),
        ({"routing": "escalate", "routing_order": "push"}, "nothing to go on to"),
        ({"routing": "all", "routing_order": "push"}, "there is no order"),
        ({"routing": "first", "routing_order": "push, pigeon"}, "is no channel; there are push, sms, email"),
        ({"routing": "first", "routing_order": "push, sms, push"}, "stands in the order once"),
    ],
)
def test_rules_that_cannot_be_meant_are_refused_with_the_reason(
    browser: Client, changes: dict[str, str], says: str
) -> None:
    page = shown(browser.post(f"{ADMIN}/category/add/", rules(**changes)))

    assert says in page
    assert not Category.objects.exists()
