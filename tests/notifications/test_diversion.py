"""A live account's messages to the sandbox: nobody gets them, all see it, and it lasts until somebody ends it."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from notifications.models import ProviderAccount
from notifications.routes import routes
from notifications.vocabulary import Lane
from tests.api.shop import jimin
from tests.builders import administrator, shown
from tests.notifications.account_pages import address, named, spoilt, told
from tests.notifications.road import accepted, dispatched, now
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db


def sms() -> Any:
    (delivery,) = accepted("sms")
    dispatched(Lane.SMS)
    return now(delivery)


def test_a_diverted_account_is_stood_in_for_by_a_test_account(providers: Running) -> None:
    jimin()
    told(administrator(), "divert", named("twilio-live"))

    assert sms().account == "twilio-test"


def test_everybody_sees_that_messages_reach_nobody(providers: Running) -> None:
    browser = administrator()
    told(browser, "divert", named("twilio-live"))

    for page in (
        reverse("admin:index"),
        reverse("admin:notifications_delivery_changelist"),
        reverse("admin:notifications_provideraccount_changelist"),
        reverse("admin:notifications_provideraccount_change", args=[named("twilio-live").pk]),
    ):
        assert "Messages of twilio-live reach nobody" in shown(browser.get(page))
    page = shown(browser.get(reverse("admin:notifications_provideraccount_changelist")))
    assert "reaches nobody: twilio-test sends in its place" in page
    assert 'bongsu_diverted{account="twilio-live"} 1.0' in shown(Client().get("/metrics"))
    assert "twilio-live" not in shown(Client().get(reverse("admin:login")))


def test_the_timeline_says_that_nobody_got_it_even_later(providers: Running) -> None:
    jimin()
    browser = administrator()
    told(browser, "divert", named("twilio-live"))
    delivery = sms()
    told(browser, "restore", named("twilio-live"))

    page = shown(browser.get(reverse("admin:notifications_delivery_change", args=[delivery.pk])))

    assert "by twilio-test, which is for tests, in place of a live account: nobody got it" in page


def test_ended_it_sends_itself_again(providers: Running) -> None:
    jimin()
    browser = administrator()
    told(browser, "divert", named("twilio-live"))
    told(browser, "restore", named("twilio-live"))

    assert sms().account == "twilio-live"
    assert "reach nobody" not in shown(browser.get(reverse("admin:index")))


def test_receipts_of_what_left_before_are_still_believed(providers: Running) -> None:
    told(administrator(), "divert", named("twilio-live"))
    route = routes.named("twilio-live")
    assert route is not None
    assert route.account.name == "twilio-live"


def test_a_test_goes_the_way_the_messages_go(providers: Running) -> None:
    browser, account = administrator(), named("twilio-live")
    told(browser, "divert", account)
    spoilt(account)

    assert "twilio-test will send the test" in shown(browser.get(address("test", account)))
    assert 'class="success"' in told(browser, "test", account, {"to": "+821012345678"})


def test_one_of_several_stand_ins_can_be_chosen(providers: Running) -> None:
    second = named("twilio-test")
    second.pk, second.name, second._state.adding = None, "twilio-test-2", True
    second.save()
    account = named("twilio-live")

    page = shown(administrator().get(reverse("admin:notifications_provideraccount_change", args=[account.pk])))
    assert "twilio-test-2" in page
    browser = Client()
    browser.force_login(User.objects.get(username="admin"))
    told(browser, "divert", account, {"stand_in": str(second.pk)})
    assert named("twilio-live").diverted_to == second


@pytest.mark.parametrize("other", ["twilio-live", "vonage-test", "sendgrid-test", "nobody"])
def test_no_other_account_can_stand_in(providers: Running, other: str) -> None:
    key = "nobody" if other == "nobody" else str(named(other).pk)
    page = told(administrator(), "divert", named("twilio-live"), {"stand_in": key})
    assert 'class="error"' in page
    assert named("twilio-live").diverted_to is None


def test_without_a_test_account_there_is_no_switch(providers: Running) -> None:
    ProviderAccount.objects.filter(name="twilio-test").update(is_active=False)
    browser = administrator()
    page = shown(browser.get(reverse("admin:notifications_provideraccount_change", args=[named("twilio-live").pk])))
    assert "disabled" in page
    assert "It takes an active test account of twilio" in told(browser, "divert", named("twilio-live"))


def test_a_test_account_cannot_be_diverted(providers: Running) -> None:
    assert "reach nobody anyway" in told(administrator(), "divert", named("twilio-test"))


def test_a_stand_in_cannot_be_deleted_or_become_live_meanwhile(providers: Running) -> None:
    browser, stand_in = administrator(), named("twilio-test")
    told(browser, "divert", named("twilio-live"))

    browser.post(reverse("admin:notifications_provideraccount_delete", args=[stand_in.pk]), {"post": "yes"})
    assert named("twilio-test") == stand_in
    values = {"name": "twilio-test", "provider": "twilio", "endpoint": stand_in.endpoint, "rank": "100"}
    settings = {"settings": json.dumps(stand_in.settings)}
    for change in ({"mode": "live", "is_active": "on"}, {"mode": "test"}):
        page = shown(
            browser.post(
                reverse("admin:notifications_provideraccount_change", args=[stand_in.pk]),
                values | settings | {"new_credentials": ""} | change,
            )
        )
        assert "It sends in place of twilio-live" in page
    assert named("twilio-test").mode == "test"


def test_a_diverted_account_cannot_become_a_test_account(providers: Running) -> None:
    browser, account = administrator(), named("twilio-live")
    told(browser, "divert", account)
    values = {"name": "twilio-live", "provider": "twilio", "mode": "test", "endpoint": account.endpoint, "rank": "100"}
    page = shown(
        browser.post(
            reverse("admin:notifications_provideraccount_change", args=[account.pk]),
            values | {"settings": json.dumps(account.settings), "new_credentials": "", "is_active": "on"},
        )
    )
    assert "end that first" in page


def test_a_stand_in_that_was_switched_off_never_lets_messages_out(providers: Running) -> None:
    jimin()
    told(administrator(), "divert", named("twilio-live"))
    ProviderAccount.objects.filter(name="twilio-test").update(is_active=False, credentials=b"sealed with another key")
    routes.forget()

    assert sms().account != "twilio-live"
