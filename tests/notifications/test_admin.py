"""The pages on which people look for what became of a message."""

import json
import re
from collections.abc import Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.ids import new_id
from accounts.models import Recipient
from notifications import vault
from notifications.models import Batch, DeadLetter, Delivery, Notification, ProviderAccount
from tests.api.shop import DATA, jimin, shop
from tests.builders import administrator, shown

pytestmark = pytest.mark.django_db

TWILIO = {"account_sid": "AC" + "0" * 32, "auth_token": "f" * 32}
LISTS = ["notification", "delivery", "batch", "deadletter", "provideraccount"]


def told(*people: str) -> Notification:
    """A notification to these people by SMS."""
    answer = shop().post(
        "/v1/notifications", {"template": "restock", "recipients": list(people), "data": DATA, "channels": ["sms"]}
    )
    assert answer.status_code == 202, answer.content
    return Notification.objects.get(pk=answer.json()["id"])


def account(**values: object) -> ProviderAccount:
    usual = {"name": "sms-main", "provider": "twilio", "settings": {"sender": "+15005550006"}}
    return ProviderAccount.objects.create(**{**usual, "credentials": vault.seal(TWILIO), **values})


def listed(page: str) -> set[str]:
    """The ids in the rows of a list."""
    return set(re.findall(r'href="[^"]*/([0-9a-f-]{36})/change/', page))


def page_of(model: str, **query: str) -> str:
    return shown(administrator().get(reverse(f"admin:notifications_{model}_changelist"), query))


def everything() -> Delivery:
    """One row of every model."""
    jimin()
    notification = told("jimin")
    delivery = Delivery.objects.get(notification=notification)
    DeadLetter.objects.create(delivery=delivery, notification=notification, queue="sms", at=notification.accepted_at)
    account()
    return delivery


@pytest.mark.parametrize("model", LISTS)
def test_every_list_and_every_page_opens(model: str) -> None:
    everything()
    browser = administrator()

    page = shown(browser.get(reverse(f"admin:notifications_{model}_changelist")))
    links = re.findall(rf'href="(/admin/notifications/{model}/[^"]+/change/[^"]*)"', page)

    assert len(set(links)) == 1
    shown(browser.get(links[0]))


@pytest.mark.parametrize("model", LISTS)
def test_a_list_of_nothing_opens(model: str) -> None:
    shown(administrator().get(reverse(f"admin:notifications_{model}_changelist")))


@pytest.mark.parametrize("by", ["external id", "delivery id", "notification id"])
def test_a_delivery_is_found_by_whom_it_was_for_or_by_an_id(by: str) -> None:
    for name in ("jimin", "minsu"):
        jimin(external_id=name, phone="+821012345678")
    wanted, _other = told("jimin"), told("minsu")
    delivery = Delivery.objects.get(notification=wanted)
    term = {"external id": "jimin", "delivery id": str(delivery.pk), "notification id": str(wanted.pk)}[by]

    assert listed(page_of("delivery", q=f" {term} ")) == {str(delivery.pk)}


@pytest.mark.parametrize("term", ["nobody", "01a2097b-7e4f-716d-8886-3d79fe1817b3", "' OR 1=1 --", "%", "x" * 5000])
def test_a_search_for_what_is_not_there_finds_nothing(term: str) -> None:
    jimin()
    told("jimin")

    answer = administrator().get(reverse("admin:notifications_delivery_changelist"), {"q": term})

    assert answer.status_code in (200, 302)
    assert listed(answer.content.decode()) == set()


def test_a_notification_is_found_by_its_id_and_leads_to_its_deliveries() -> None:
    jimin()
    wanted, _other = told("jimin"), told("jimin")

    assert listed(page_of("notification", q=str(wanted.pk))) == {str(wanted.pk)}


def test_a_notifications_page_counts_its_deliveries_by_state() -> None:
    jimin()
    notification = told("jimin")

    page = shown(administrator().get(reverse("admin:notifications_notification_change", args=[notification.pk])))

    assert "queued: 1" in page
    assert f"?q={notification.pk}" in page


def test_a_deliverys_page_tells_its_story() -> None:
    jimin()
    notification = told("jimin")
    delivery = Delivery.objects.get(notification=notification)
    shop().get(f"/v1/notifications/{notification.pk}")

    page = shown(administrator().get(reverse("admin:notifications_delivery_change", args=[delivery.pk])))

    assert page.index("accepted") < page.index("on the sms queue")
    assert "restock v1, normal" in page


def test_a_delivery_to_somebody_who_was_erased_still_opens() -> None:
    jimin()
    delivery = Delivery.objects.get(notification=told("jimin"))
    Recipient.objects.all().delete()

    browser = administrator()
    shown(browser.get(reverse("admin:notifications_delivery_change", args=[delivery.pk])))
    page = shown(browser.get(reverse("admin:notifications_delivery_changelist")))
    assert listed(page) == {str(delivery.pk)}


@pytest.mark.parametrize("model", ["notification", "delivery", "batch", "deadletter"])
def test_nobody_writes_the_log_by_hand(model: str) -> None:
    everything()
    row = {"notification": Notification, "delivery": Delivery, "batch": Batch, "deadletter": DeadLetter}[model]
    key = row._default_manager.get().pk
    browser = administrator()

    answers = [
        browser.get(reverse(f"admin:notifications_{model}_add")),
        browser.post(reverse(f"admin:notifications_{model}_change", args=[key]), {"state": "sent"}),
        browser.post(reverse(f"admin:notifications_{model}_delete", args=[key]), {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


# --- the cost ------------------------------------------------------------------------------------------
def counts(queries: Sequence[dict[str, str]]) -> list[str]:
    return [query["sql"] for query in queries if "COUNT(" in query["sql"].upper()]


@pytest.mark.parametrize("model", ["notification", "delivery"])
@pytest.mark.parametrize("query", [{}, {"q": "jimin"}, {"q": str(new_id())}, {"p": "2"}])
def test_a_list_never_counts_the_log(model: str, query: dict[str, str]) -> None:
    jimin()
    told("jimin")
    browser = administrator()

    with CaptureQueriesContext(connection) as captured:
        browser.get(reverse(f"admin:notifications_{model}_changelist"), query)

    unbounded = [sql for sql in counts(captured.captured_queries) if "LIMIT" not in sql]
    assert unbounded == []


def test_a_longer_list_takes_no_more_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(30):
        jimin(external_id=f"p{number}", phone="+821012345678")
        told(f"p{number}")
    browser = administrator()

    with django_assert_max_num_queries(6):
        shown(browser.get(reverse("admin:notifications_delivery_changelist")))


# --- provider accounts ---------------------------------------------------------------------------------
def form(**changes: str) -> dict[str, str]:
    usual = {
        "name": "sms-main",
        "provider": "twilio",
        "mode": "live",
        "endpoint": "",
        "settings": json.dumps({"sender": "+15005550006"}),
        "rank": "100",
        "is_active": "on",
        "new_credentials": json.dumps(TWILIO),
    }
    return usual | changes


def added(**changes: str) -> str:
    """What the page says after the form for a new account was sent; empty where it was accepted."""
    answer = administrator().post(reverse("admin:notifications_provideraccount_add"), form(**changes))
    return "" if answer.status_code == 302 else shown(answer)


def test_credentials_are_encrypted_when_they_are_given() -> None:
    assert added() == ""

    stored = ProviderAccount.objects.get()
    assert TWILIO["auth_token"].encode() not in bytes(stored.credentials)
    assert vault.unseal(stored.credentials) == TWILIO


def test_credentials_are_never_shown_again() -> None:
    one = account()
    browser = administrator()

    for address in (
        reverse("admin:notifications_provideraccount_changelist"),
        reverse("admin:notifications_provideraccount_change", args=[one.pk]),
        reverse("admin:notifications_provideraccount_history", args=[one.pk]),
    ):
        page = shown(browser.get(address))
        assert TWILIO["auth_token"] not in page
        assert bytes(one.credentials).decode() not in page


def test_left_empty_the_stored_credentials_stay() -> None:
    one = account()

    answer = administrator().post(
        reverse("admin:notifications_provideraccount_change", args=[one.pk]), form(new_credentials="", rank="7")
    )

    assert answer.status_code == 302
    after = ProviderAccount.objects.get()
    assert (after.rank, vault.unseal(after.credentials)) == (7, TWILIO)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"new_credentials": ""}, "credential"),
        ({"new_credentials": json.dumps({"account_sid": "AC1"})}, "auth_token"),
        ({"new_credentials": "{"}, "Not valid JSON"),
        ({"new_credentials": "[1]"}, "JSON object"),
        ({"new_credentials": '{"auth_token": 5}'}, "JSON object"),
        ({"settings": "{}"}, "setting"),
        ({"settings": "[1]"}, "JSON object"),
        ({"settings": '"text"'}, "JSON object"),
        ({"settings": '{"sender": 5}'}, "JSON object"),
        ({"settings": "[" * 5000}, "valid JSON"),
        ({"mode": "test"}, "sandbox"),
        ({"provider": "pigeon"}, "valid choice"),
        ({"endpoint": "not a URL"}, "https://host"),
        ({"endpoint": "http://api.twilio.com"}, "https://host"),
        ({"endpoint": "https://"}, "https://host"),
        ({"endpoint": "https://[::1"}, "https://host"),
        ({"endpoint": "https://api.twilio.com/?a=b"}, "https://host"),
        ({"endpoint": "https://name:secret@api.twilio.com"}, "https://host"),
        ({"endpoint": "smtp://mail.example:587"}, "https://host"),
        ({"provider": "smtp", "endpoint": "https://mail.example"}, "smtp://host:587 or smtps://host:465"),
        ({"provider": "smtp", "endpoint": "smtp://"}, "smtp://host:587"),
        ({"provider": "smtp", "endpoint": "", "new_credentials": "{}", "settings": "{}"}, "lacks"),
        ({"new_credentials": "[" * 100_000}, "Not valid JSON"),
        ({"name": "two words"}, "slug"),
        ({"provider": "apns", "new_credentials": '{"key_p8": "no key"}'}, ""),
        ({"provider": "fcm", "new_credentials": '{"service_account": "{}"}'}, ""),
    ],
)
def test_what_cannot_work_is_refused_before_it_is_saved(changes: dict[str, str], says: str) -> None:
    page = added(**changes)

    assert "errornote" in page
    assert says in page
    assert TWILIO["auth_token"] not in re.sub(r"<textarea.*?</textarea>", "", page, flags=re.DOTALL)
    assert not ProviderAccount.objects.exists()


@pytest.mark.parametrize("endpoint", ["smtp://mail.example:587", "smtps://mail.example:465", "smtp://mail.example"])
def test_a_mail_server_is_an_account_too(endpoint: str) -> None:
    added(
        provider="smtp",
        endpoint=endpoint,
        new_credentials=json.dumps({"username": "postbote", "password": "geheim"}),
        settings=json.dumps({"from_email": "hello@bongsu.example"}),
    )

    assert ProviderAccount.objects.get().endpoint == endpoint


def test_credentials_that_no_key_opens_can_be_replaced() -> None:
    one = account(credentials=b"sealed with another key")
    browser, address = administrator(), reverse("admin:notifications_provideraccount_change", args=[one.pk])

    assert "VAULT_KEYS" in shown(browser.post(address, form(new_credentials="")))
    assert browser.post(address, form()).status_code == 302
    assert vault.unseal(ProviderAccount.objects.get().credentials) == TWILIO
