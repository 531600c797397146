"""Lists of the log page by page: every row once, however they are filtered, and by an index alone."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.admin import keyset
from accounts.ids import floor_of
from accounts.models import ReceivedReply, Recipient
from notifications.models import Delivery, Notification
from tests.api.shop import DATA, jimin, shop
from tests.builders import administrator, listed, shown

pytestmark = pytest.mark.django_db

DELIVERIES = "admin:notifications_delivery_changelist"
#: Ids of one a millisecond, so that thousands of rows are one statement.
MANY = """
    INSERT INTO notifications_delivery (id, notification_id, recipient_id, attempt, failures, channel, queue, state,
                                        reason, locale, address)
    SELECT (lpad(to_hex(%(start)s + number), 12, '0') || '7000' || '8000' || lpad(to_hex(number), 12, '0'))::uuid,
           %(notification)s, %(recipient)s, 0, 0, 'sms', 'sms',
           CASE WHEN number %% %(every)s = 0 THEN 'failed' ELSE 'sent' END,
           CASE WHEN number %% %(every)s = 0 THEN 'expired' ELSE '' END, '', ''
      FROM generate_series(1, %(count)s) AS number
"""


def many(count: int, *, every: int = 10) -> Notification:
    """So many deliveries of today, of which one in `every` failed."""
    person = jimin()
    answer = shop().post(
        "/v1/notifications", {"template": "restock", "recipients": ["jimin"], "data": DATA, "channels": ["sms"]}
    )
    notification = Notification.objects.get(pk=answer.json()["id"])
    Delivery.objects.all().delete()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = int(midnight.timestamp() * 1000)
    with connection.cursor() as cursor:
        cursor.execute(
            MANY,
            {"start": start, "count": count, "every": every, "notification": notification.pk, "recipient": person.pk},
        )
        cursor.execute("ANALYZE notifications_delivery")
    return notification


def walk(browser: Client, url: str, link: str = "later_url") -> Iterator[list[str]]:
    """Page after page."""
    while url:
        page = browser.get(url)
        yield listed(page)
        following = getattr(page.context["cl"], link)
        url = urljoin(url, following) if following else ""


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 1_234),
        ("?state__exact=failed", 123),
        ("?q=jimin", 1_234),
        ("?q=jimin&state__exact=failed", 123),
        ("?day=today&state__in=failed", 123),
        ("?day=yesterday", 0),
    ],
)
def test_every_row_comes_once_in_order_and_back_again(query: str, count: int) -> None:
    many(1_234)
    browser = administrator()

    pages = list(walk(browser, reverse(DELIVERIES) + query))

    rows = [row for page in pages for row in page]
    assert len(rows) == len(set(rows)) == count
    assert rows == sorted(rows, reverse=True)
    last = reverse(DELIVERIES) + query
    for _ in pages[1:]:
        last = urljoin(last, browser.get(last).context["cl"].later_url)
    assert list(walk(browser, last, "earlier_url")) == pages[::-1]


def test_rows_that_come_meanwhile_move_nothing() -> None:
    notification = many(120)
    browser = administrator()
    first = browser.get(reverse(DELIVERIES))
    Delivery.objects.create(notification=notification, channel="sms", queue="sms", state="sent")

    second = listed(browser.get(urljoin(reverse(DELIVERIES), first.context["cl"].later_url)))

    assert not set(second) & set(listed(first))
    assert len(second) == 50


def test_a_page_looks_at_so_many_rows_and_offers_to_look_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyset, "LOOKED_AT", 200)
    many(1_000, every=400)
    browser = administrator()

    first = browser.get(reverse(DELIVERIES) + "?state__exact=failed")
    pages = list(walk(browser, reverse(DELIVERIES) + "?state__exact=failed"))

    assert first.context["cl"].looks_further
    assert "Look further" in shown(first)
    assert [len(page) for page in pages if page] == [1, 1]
    assert len(pages) <= 6


def plans(captured: CaptureQueriesContext) -> list[dict[str, Any]]:
    """The plans of every statement that read the log."""
    found = []
    for one in list(captured):
        if 'FROM "notifications_delivery"' in one["sql"]:
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + one["sql"])
                (plan,) = cursor.fetchone()
            found.append((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


@pytest.mark.parametrize("query", ["", "?state__exact=failed", "?day=today&state__in=failed", "deep"])
def test_a_page_reads_ranges_of_an_index_and_counts_nothing(query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyset, "LOOKED_AT", 2_000)
    many(60_000, every=20_000)
    browser = administrator()
    if query == "deep":
        middle = UUID(int=floor_of(datetime.now(UTC).replace(hour=0, minute=0, second=30)).int)
        query = f"?after={middle}"
    browser.get(reverse(DELIVERIES) + query)

    with CaptureQueriesContext(connection) as captured:
        shown(browser.get(reverse(DELIVERIES) + query))

    assert not [one["sql"] for one in captured if "COUNT(" in one["sql"]]
    found = plans(captured)
    assert found
    for plan in found:
        scans = [node for node in nodes(plan) if node.get("Relation Name", "").startswith("notifications_delivery")]
        read = [node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in scans]
        assert sum(read) <= 2_001, plan
        full = [one for one in scans if one["Node Type"] in {"Seq Scan", "Sort", "Bitmap Heap Scan"}]
        assert not [one for one in full if one["Actual Rows"]], plan


@pytest.mark.parametrize("written", ["x", "", "~", "0", "' OR 1=1", "01a2097b-7e4f-716d-8886-3d79fe1817b3~1"])
@pytest.mark.parametrize("way", ["after", "before"])
def test_a_place_that_is_none_leads_back_to_the_list(way: str, written: str) -> None:
    answer = administrator().get(reverse(DELIVERIES), {way: written})
    assert answer.status_code in {200, 302}


def test_a_place_is_no_part_of_a_filter_or_a_search() -> None:
    many(120)
    browser = administrator()
    second = browser.get(urljoin(reverse(DELIVERIES), browser.get(reverse(DELIVERIES)).context["cl"].later_url))

    text = shown(second)

    assert 'name="after"' not in text
    assert "after=" not in "".join(part for part in text.split('href="') if "state__exact" in part[:200])


def test_people_are_paged_likewise() -> None:
    Recipient.objects.bulk_create(Recipient(external_id=f"person-{number}") for number in range(130))
    pages = list(walk(administrator(), reverse("admin:accounts_recipient_changelist")))
    assert [len(page) for page in pages] == [50, 50, 30]


def test_replies_said_at_one_moment_are_all_shown() -> None:
    at = datetime.now(UTC)
    ReceivedReply.objects.bulk_create(
        ReceivedReply(
            phone=f"+8210123400{number:02}", wish="stop", keyword="STOP", account="x", ref=str(number),
            said_at=at - timedelta(seconds=number // 60),
        )
        for number in range(99)
    )  # fmt: skip
    pages = list(walk(administrator(), reverse("admin:accounts_receivedreply_changelist")))
    rows = [row for page in pages for row in page]
    assert len(rows) == len(set(rows)) == 99
