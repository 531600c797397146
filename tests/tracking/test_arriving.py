"""What people do with a mail arrives in its log: once, however often it is brought in, and machines apart."""

from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.utils import timezone
from redis import Redis

from accounts.ids import new_id
from accounts.models import Category
from notifications.meters import readings
from notifications.models import Delivery, PendingReceipt
from notifications.planning.segments import segments
from notifications.text_costs import cost_of
from notifications.timeline import timeline
from notifications.tracked import read_click
from notifications.vocabulary import Lane, ReceiptKind
from templates_app import catalogue
from tests.notifications.road import accepted, dispatched, now
from tests.sandbox.world import Running
from tests.tracking.seen import SHOP, arrived, events, fetched, html_of, linked, mailed, paths
from tracking import arriving, sightings
from tracking.sightings import STREAM, Sighting, door

pytestmark = pytest.mark.django_db


def test_a_mail_tells_that_it_was_opened_and_which_link_was_followed(providers: Running) -> None:
    delivery = mailed()
    html = html_of(providers, delivery)
    (link,), (picture,) = paths(html, "c"), paths(html, "e")
    assert read_click(link.removeprefix("/c/")).url == SHOP
    assert len(paths(html, "u")) == 1

    for _ in range(3):
        fetched(picture)
        fetched(link)
    arrived()
    fetched(picture)
    arrived()

    assert events(delivery) == [("clicked", "https://shop.example/products/12345"), ("opened", "")]
    told = [f"{moment.what} {moment.detail}" for moment in timeline(now(delivery))]
    assert any("https://shop.example/products/12345" in line for line in told)
    assert not any("jimin" in line or "utm" in line for line in told)
    assert readings()[("sightings", "clicked")] == 1


def test_machines_are_told_apart_and_click_nothing(providers: Running) -> None:
    delivery = mailed()
    html = html_of(providers, delivery)
    (link,), (picture,) = paths(html, "c"), paths(html, "e")

    fetched(picture, user_agent="Mozilla/5.0")
    fetched(link, user_agent="python-requests/2.32.0")
    arrived()
    assert events(delivery) == [("opened", "machine: fetched the picture, Apple's privacy proxy")]

    fetched(picture)
    arrived()
    assert len(events(delivery)) == 2


def test_who_is_quicker_than_people_is_a_machine(providers: Running) -> None:
    delivery = mailed(seconds_ago=0)
    (link,) = paths(html_of(providers, delivery), "c")

    fetched(link)
    arrived()

    assert events(delivery) == [("opened", "machine: followed a link, within 2 seconds of sending")]


@pytest.mark.parametrize("flags", [{"is_critical": True}, {"track_opens": False, "track_clicks": False}])
def test_nothing_is_followed_where_the_category_does_not_want_it(providers: Running, flags: dict[str, bool]) -> None:
    html = html_of(providers, mailed(linked(**flags)))
    assert SHOP in html
    assert not paths(html, "[ce]")


def test_a_text_message_costs_what_it_is_with_its_links(providers: Running) -> None:
    (plain,) = accepted("sms", by=linked())
    dispatched(Lane.SMS)
    before = cost_of(now(plain))
    Category.objects.update(track_texts=True)
    catalogue.forget()
    (followed,) = accepted("sms", by=None)
    dispatched(Lane.SMS)
    body = parse_qs(providers.row(str(followed.pk))["attempts"][0]["body"])["Body"][0]
    (link,) = paths(body, "c")
    assert read_click(link.removeprefix("/c/")).delivery_id == followed.pk
    after = cost_of(now(followed))
    assert before is not None
    assert after is not None
    assert (before.segments, after.segments) == (1, segments(body))
    assert segments(body) == 2


def seen(delivery: Delivery, **values: object) -> None:
    door.put(Sighting(**{"delivery_id": delivery.pk, "kind": ReceiptKind.OPENED, "at": timezone.now(), **values}))  # type: ignore[arg-type]


def test_what_a_killed_worker_had_taken_is_brought_in_by_the_next(
    providers: Running, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = mailed()
    seen(delivery)
    assert len(sightings.take(10)) == 1

    arrived()
    assert events(delivery) == []

    monkeypatch.setattr(arriving, "_DEAD_AFTER", 0.0)
    arrived()
    assert events(delivery) == [("opened", "")]
    assert redis_client.xlen(STREAM) == 0
    assert redis_client.xpending(STREAM, "arrivals")["pending"] == 0


def test_what_was_brought_in_and_not_acknowledged_happened_once(
    providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = mailed()
    seen(delivery, kind=ReceiptKind.CLICKED, url="https://a.example/")
    monkeypatch.setattr(sightings, "done", lambda _ids: None)
    arrived()
    monkeypatch.undo()
    monkeypatch.setattr(arriving, "_DEAD_AFTER", 0.0)

    arrived()

    assert events(delivery) == [("clicked", "https://a.example/")]


def test_a_link_is_clicked_once_a_minute(providers: Running) -> None:
    delivery = mailed()
    moment = timezone.now().replace(second=10)
    for seconds, number in [(0, 0), (20, 0), (0, 1), (60, 0)]:
        at = moment + timedelta(seconds=seconds)
        seen(delivery, kind=ReceiptKind.CLICKED, at=at, number=number, url="https://a.example/")
    arrived()
    assert len(events(delivery)) == 3


def test_what_is_of_no_delivery_or_cannot_be_read_is_dropped(redis_client: Redis) -> None:
    door.put(Sighting(new_id(), ReceiptKind.OPENED, timezone.now()))
    redis_client.xadd(STREAM, {"e": b"\xff"})
    redis_client.xadd(STREAM, {"other": "x"})

    assert arriving.arrive(clock=timezone.now) == 3

    assert not PendingReceipt.objects.exists()
    assert redis_client.xlen(STREAM) == 0
    counted = readings()
    assert (counted[("sightings", "unknown")], counted[("sightings", "unreadable")]) == (1, 2)


def test_an_emptied_redis_is_no_trouble(redis_client: Redis) -> None:
    assert arriving.arrive(clock=timezone.now) == 0
    redis_client.flushdb()
    door.put(Sighting(new_id(), ReceiptKind.OPENED, timezone.now()))
    assert arriving.arrive(clock=timezone.now) == 1


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/p?q=1#x", "https://a.example/p"),
        ("https://name:secret@a.example/p", "https://a.example/p"),
        ("https://a.example/u/jimin@example.com/x", "https://a.example/u/j***@example.com/x"),
        ("https://a.example/" + "가" * 300, "https://a.example/" + "가" * 182),
        ("https://a.example", "https://a.example"),
    ],
)
def test_the_log_is_not_told_who_somebody_is(url: str, shown: str) -> None:
    assert arriving.shown(url) == shown
