"""Operators write routes; what cannot work is refused with what would."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from notifications import drifting, vault
from notifications.breakers import Gate, breakers
from notifications.drifting import Answers
from notifications.models import ProviderAccount, Route, RouteStep
from tests.builders import administrator, complaints, shown

pytestmark = pytest.mark.django_db

TWILIO = {"account_sid": "AC" + "0" * 32, "auth_token": "f" * 32}


def account(name: str, provider: str = "twilio", mode: str = "live") -> ProviderAccount:
    endpoint = "https://sandbox.example" if mode == "test" else ""
    return ProviderAccount.objects.create(
        name=name, provider=provider, mode=mode, endpoint=endpoint, credentials=vault.seal(TWILIO)
    )


def form(*steps: tuple[ProviderAccount, object, object], **changes: str) -> dict[str, Any]:
    rows = {
        f"steps-{place}-{name}": str(value)
        for place, (one, position, weight) in enumerate(steps)
        for name, value in (("account", one.pk), ("position", position), ("weight", weight))
    }
    whole = {"mode": "live", "channel": "sms", "queue": "", "prefix": ""} | changes
    return whole | {"steps-TOTAL_FORMS": str(len(steps)), "steps-INITIAL_FORMS": "0"} | rows


def said(data: dict[str, Any], browser: Client | None = None) -> str:
    """What the page says after this was sent; empty where it was accepted."""
    answer = (browser or administrator()).post(reverse("admin:notifications_route_add"), data)
    return "" if answer.status_code == 302 else shown(answer)


def test_a_route_is_written_with_its_accounts() -> None:
    first, second = account("twilio-live"), account("vonage-live", "vonage")

    assert said(form((first, 1, 70), (second, 2, 30), prefix=" +82 ")) == ""

    route = Route.objects.get()
    assert (route.channel, route.prefix, str(route)) == ("sms", "+82", "live sms to +82…")
    steps = route.steps.order_by("position").values_list("account__name", "position", "weight")
    assert list(steps) == [("twilio-live", 1, 70), ("vonage-live", 2, 30)]


@pytest.mark.parametrize("prefix", ["+82", "+1", "+1415", "+8", "+4420", "+ 82 10"])
def test_a_country_or_more_digits_are_a_prefix(prefix: str) -> None:
    assert said(form((account("twilio-live"), 1, 1), prefix=prefix)) == ""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"prefix": "82"}, "+82"),
        ({"prefix": "+0"}, "No country"),
        ({"prefix": "+999"}, "No country"),
        ({"prefix": "+8x"}, "plus sign and digits"),
        ({"prefix": "KR"}, "plus sign and digits"),
        ({"prefix": "+" + "8" * 16}, "at most 16"),
        ({"prefix": "+٨٢"}, "plus sign and digits"),
        ({"queue": "ios"}, "Only push has platforms"),
        ({"channel": "email", "prefix": "+82"}, "Only text messages"),
        ({"channel": "fax"}, "valid choice"),
        ({"channel": ""}, "required"),
        ({"channel": "email"}, "twilio, which sends sms; this route is for email"),
        ({"mode": "test"}, "is a live account; what a test route sent by it would reach people"),
    ],
)
def test_what_cannot_work_is_refused_with_what_would(changes: dict[str, str], says: str) -> None:
    page = said(form((account("twilio-live"), 1, 1), **changes))

    assert says in page
    assert not Route.objects.exists()


def test_a_test_account_has_no_place_on_a_live_route() -> None:
    assert "would reach nobody" in said(form((account("twilio-test", mode="test"), 1, 1)))


def test_weights_of_nothing_but_zero_send_nothing() -> None:
    page = said(form((account("twilio-live"), 1, 0), (account("vonage-live", "vonage"), 2, 0)))

    assert "Every weight is 0" in page


def test_an_account_stands_on_a_route_once() -> None:
    one = account("twilio-live")

    assert "duplicate" in said(form((one, 1, 1), (one, 2, 1)))


def test_a_route_names_one_account_at_least() -> None:
    assert "at least 1" in said(form())


@pytest.mark.parametrize(("position", "weight"), [("0", "1"), ("1", "-1"), ("", "1"), ("1", "70000"), ("x", "y")])
def test_positions_and_weights_are_numbers_that_mean_something(position: str, weight: str) -> None:
    written = form((account("twilio-live"), position, weight))

    assert complaints(administrator().post(reverse("admin:notifications_route_add"), written))


def test_there_is_one_route_for_one_thing() -> None:
    one, browser = account("twilio-live"), administrator()
    assert said(form((one, 1, 1), prefix="+82"), browser) == ""

    assert "There is a route for exactly this already" in said(form((one, 1, 1), prefix="+82"), browser)
    with pytest.raises(IntegrityError), transaction.atomic():
        Route.objects.create(channel="sms", prefix="+82")


@pytest.mark.parametrize(
    "values",
    [
        {"channel": "sms", "queue": "ios"},
        {"channel": "push", "queue": "sms"},
        {"channel": "email", "prefix": "+82"},
        {"channel": "sms", "prefix": "82"},
        {"channel": "fax"},
        {"channel": "sms", "mode": "try"},
    ],
)
def test_the_database_refuses_what_no_form_was_asked_about(values: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Route.objects.create(**values)


def test_a_push_service_serves_its_own_platforms() -> None:
    assert "apns reaches no android devices" in said(
        form((account("apns-live", "apns"), 1, 1), channel="push", queue="android")
    )


# --- afterwards -----------------------------------------------------------------------------------------
def written() -> Route:
    route = Route.objects.create(channel="sms")
    for name, provider in (("twilio-live", "twilio"), ("vonage-live", "vonage")):
        RouteStep.objects.create(route=route, account=account(name, provider), weight=50)
    return route


def page_of(route: Route, browser: Client) -> str:
    return shown(browser.get(reverse("admin:notifications_route_change", args=[route.pk])))


def test_its_page_tells_what_became_of_the_weights_and_why() -> None:
    route, browser = written(), administrator()
    assert "No weight has changed by itself" in page_of(route, browser)
    rivals = {"twilio-live": frozenset({"vonage-live"}), "vonage-live": frozenset({"twilio-live"})}
    drifting.saw({"twilio-live": Answers(80, 20)}, rivals)
    breakers.open("vonage-live", "it failed")

    page = page_of(route, browser)

    assert "20 of 100 answers in 30 s were failures" in page
    assert "<td>20.0</td>" in page
    assert "breaker open" in page


def test_the_list_tells_every_route_in_a_line() -> None:
    written()

    page = shown(administrator().get(reverse("admin:notifications_route_changelist")))

    assert "1. twilio-live × 50, 1. vonage-live × 50" in page


def test_an_account_on_a_route_is_neither_deleted_nor_made_another() -> None:
    written()
    one = ProviderAccount.objects.get(name="twilio-live")
    browser = administrator()

    delete = browser.post(reverse("admin:notifications_provideraccount_delete", args=[one.pk]), {"post": "yes"})
    change = browser.post(
        reverse("admin:notifications_provideraccount_change", args=[one.pk]),
        {
            "name": one.name, "provider": "twilio", "mode": "test", "endpoint": "https://sandbox.example", "rank": "1",
            "settings": '{"sender": "+15005550006"}', "new_credentials": "",
        },
    )  # fmt: skip

    assert "twilio-live on live sms" in shown(delete)
    assert "take it out there first" in shown(change)
    assert ProviderAccount.objects.get(name="twilio-live").mode == "live"


def test_who_mended_an_account_closes_its_breaker() -> None:
    one = account("twilio-live")
    breakers.exhausted("twilio-live")
    assert breakers.permission("twilio-live").gate is Gate.OPEN

    answer = administrator().post(
        reverse("admin:notifications_provideraccount_changelist"),
        {"action": "try_now", "_selected_action": [str(one.pk)]},
    )

    assert answer.status_code == 302
    assert breakers.permission("twilio-live").gate is Gate.CLOSED
