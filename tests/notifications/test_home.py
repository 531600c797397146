"""The home page: figures with the lists behind them, by a few statements that never read the log."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notifications import recovery
from notifications.models import Audience, DeadLetter, Delivery, Notification
from tests.api.shop import DATA, jimin, shop
from tests.builders import administrator, listed, shown

pytestmark = pytest.mark.django_db


def told(count: int, prefix: str = "person") -> None:
    people = [jimin(external_id=f"{prefix}-{number}").external_id for number in range(count)]
    assert shop().post(
        "/v1/notifications", {"template": "restock", "recipients": people, "data": DATA, "channels": ["sms"]}
    ).status_code == 202  # fmt: skip
    recovery.keep_tally()


def home(browser: Client | None = None) -> str:
    return unescape(shown((browser or administrator()).get(reverse("admin:index"))))


def figures(page: str) -> dict[str, tuple[int, str]]:
    found = re.findall(r'<dt>(\w+)</dt><dd><a href="([^"]+)">([\d,]+)</a>', page)
    return {label: (int(count.replace(",", "")), url) for label, url, count in found}


def test_each_figure_leads_to_the_rows_that_it_counts() -> None:
    told(6)
    rows = list(Delivery.objects.values_list("pk", flat=True))
    for pk, state in zip(rows, ["sent", "delivered", "failed", "suppressed", "expired", "queued"], strict=True):
        Delivery.objects.filter(pk=pk).update(state=state, reason="expired")
    recovery.keep_tally()
    browser = administrator()

    found = figures(home(browser))

    assert {label: count for label, (count, _) in found.items()} == {
        "Accepted": 5, "Delivered": 1, "Sent": 1, "Waiting": 1, "Failed": 2, "Suppressed": 1,
    }  # fmt: skip
    for count, url in found.values():
        assert len(listed(browser.get(url))) == count


def test_the_page_asks_as_little_of_a_long_log_as_of_a_short_one_and_never_reads_it() -> None:
    told(1, "few")
    browser = administrator()
    home(browser)
    with CaptureQueriesContext(
        connection,
    ) as few:
        home(browser)
    told(200, "many")
    for delivery in Delivery.objects.all()[:50]:
        DeadLetter.objects.create(
            delivery=delivery, notification_id=delivery.notification_id, queue="sms", at=delivery.planned_at
        )
    for notification in Notification.objects.all():
        Audience.objects.create(notification=notification, channels=["sms"])
    recovery.keep_tally()
    with CaptureQueriesContext(connection) as many:
        page = home(browser)

    assert len(many) == len(few) <= 12
    assert not [one["sql"] for one in many if re.search(r'FROM "?notifications_delivery\b', one["sql"])]
    assert figures(page)["Accepted"][0] == 201


def test_it_shows_to_each_what_they_may_see() -> None:
    told(1)
    person = User.objects.create_user("support", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_deadletter"))
    browser = Client()
    browser.force_login(person)

    page = home(browser)

    assert "Dead letters" in page
    assert "By channel" not in page
    assert "Provider accounts" not in page
    assert reverse("admin:accounts_recipient_changelist") not in page
    assert reverse("admin:notifications_deadletter_changelist") in page


def test_a_home_without_anything_opens() -> None:
    assert figures(home())["Accepted"][0] == 0
