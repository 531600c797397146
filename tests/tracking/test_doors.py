"""A link leads where was signed and nowhere else, whatever is broken; a picture is one pixel, and both are noted."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.urls import reverse
from django.utils import timezone
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.ids import new_id
from notifications.meters import readings
from notifications.tracked import click_token, destination, open_token
from notifications.vocabulary import ReceiptKind
from tests.tracking.seen import SHOP, fetched
from tracking import sightings, views
from tracking.sightings import STREAM, Door, Sighting

DELIVERY = new_id()


def link(url: str = SHOP) -> str:
    return f"/c/{click_token(DELIVERY, 3, destination(url))}"


def picture() -> str:
    return f"/e/{open_token(DELIVERY)}.gif"


def noted() -> list[Sighting | None]:
    return list(sightings.take(100).values())


def test_a_click_leads_where_was_signed_and_is_noted() -> None:
    answer = fetched(link())

    assert (answer.status_code, answer["Location"]) == (302, SHOP)
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert not answer.cookies
    (seen,) = noted()
    assert seen is not None
    assert (seen.delivery_id, seen.kind, seen.number, seen.machine) == (DELIVERY, ReceiptKind.CLICKED, 3, "")
    assert seen.url == "https://shop.example/products/12345"


def test_a_picture_is_one_pixel_that_nobody_keeps() -> None:
    answer = fetched(picture())

    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (200, "image/gif", "no-store")
    assert answer.content[:10] == b"GIF89a\x01\x00\x01\x00"
    assert not answer.cookies
    (seen,) = noted()
    assert seen is not None
    assert (seen.delivery_id, seen.kind) == (DELIVERY, ReceiptKind.OPENED)


def test_neither_asks_the_database() -> None:
    """Without the mark of pytest-django, every query would be an error here."""
    assert fetched(link()).status_code == 302
    assert fetched(picture()).status_code == 200
    assert fetched("/c/forged").status_code == 404


@pytest.mark.parametrize("path", [link(), picture()], ids=["link", "picture"])
@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("head", {}),
        ("get", {"Sec-Purpose": "prefetch"}),
        ("get", {"Sec-Purpose": "prefetch;prerender"}),
        ("get", {"Purpose": "prefetch"}),
        ("get", {"X-Moz": "prefetch"}),
        ("get", {"X-Purpose": "preview"}),
    ],
)
def test_what_only_looks_is_answered_and_not_noted(path: str, method: str, headers: dict[str, str]) -> None:
    assert fetched(path, method, **headers).status_code == (302 if path.startswith("/c/") else 200)
    assert noted() == []


@pytest.mark.parametrize(
    "path",
    [link()[:-1], link() + "A", "/c/x", "/c/" + "A" * 400, "/e/x.gif", f"/c/{open_token(DELIVERY)}", "/c/é"],
    ids=["cut", "longer", "short", "long", "no picture", "of a picture", "not ASCII"],
)
def test_what_was_not_signed_leads_nowhere(path: str) -> None:
    answer = fetched(path, **{"Accept-Language": "ko-KR,ko;q=0.9"})

    assert answer.status_code == 404
    assert "Location" not in answer
    assert "링크가 올바르지 않습니다" in answer.content.decode()
    assert "This link does not work" in fetched(path).content.decode()
    assert noted() == []


@pytest.mark.parametrize("path", ["/c/", "/e/", "/e/x", "/c/a/b"])
def test_other_addresses_are_not_there(path: str) -> None:
    assert fetched(path).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_links_are_only_followed(method: str) -> None:
    assert fetched(link(), method).status_code == 405


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://shop.example/상품?q=a&r=%20#끝", "https://shop.example/%EC%83%81%ED%92%88?q=a&r=%20#%EB%81%9D"),
        ("http://한국.kr:8080/x", "http://xn--3e0b707e.kr:8080/x"),
        ("https://a.example/'\"<>", "https://a.example/'%22%3C%3E"),
    ],
)
def test_other_scripts_are_written_as_headers_can_carry_them(url: str, location: str) -> None:
    assert fetched(link(url))["Location"] == location


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "https:evil"])
def test_what_cannot_have_been_signed_is_looked_at_again(url: str) -> None:
    with pytest.raises(ValueError):
        views._location(url)


def test_the_addresses_have_names() -> None:
    assert reverse("click", args=["x"]) == "/c/x"
    assert reverse("picture", args=["x"]) == "/e/x.gif"


def sighting() -> Sighting:
    return Sighting(DELIVERY, ReceiptKind.OPENED, timezone.now())


def away() -> Redis:
    return Redis(port=1, retry=Retry(NoBackoff(), retries=0))


def test_a_redirect_works_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "door", Door(away))
    answers = [fetched(link()) for _ in range(3)]
    assert [answer["Location"] for answer in answers] == [SHOP] * 3
    assert noted() == []


def test_what_came_while_redis_was_away_goes_in_when_it_is_back(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sightings, "_KEPT", 2)
    monkeypatch.setattr(sightings, "_REST", 0.0)
    servers = [away(), away(), away(), redis_client]
    door = Door(lambda: servers[0])
    for _ in range(3):
        door.put(sighting())
        servers.pop(0)

    door.put(sighting())

    assert len(noted()) == 3
    assert readings()[("sightings_lost",)] == 1


def test_whoever_comes_when_redis_is_back_brings_in_a_part_of_what_was_kept(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sightings, "_TOGETHER", 3)
    monkeypatch.setattr(sightings, "_REST", 0.0)
    servers = [away()]
    door = Door(lambda: servers[0])
    for _ in range(4):
        door.put(sighting())
    servers[0] = redis_client

    there = []
    for _ in range(3):
        door.put(sighting())
        there.append(redis_client.xlen(STREAM))

    assert there == [4, 6, 7]


def test_threads_that_bring_in_what_was_kept_lose_and_double_nothing(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sightings, "_TOGETHER", 7)
    monkeypatch.setattr(sightings, "_REST", 0.0)
    servers = [away()]
    door = Door(lambda: servers[0])
    for _ in range(200):
        door.put(sighting())
    servers[0] = redis_client

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(door.put, sighting()) for _ in range(100)]:
            done.result()

    assert redis_client.xlen(STREAM) == 300


def test_a_redis_that_does_not_answer_is_left_alone_for_a_moment() -> None:
    asked: list[Redis] = []

    def connect() -> Redis:
        asked.append(away())
        return asked[-1]

    door = Door(connect)
    for _ in range(5):
        door.put(sighting())
    assert len(asked) == 1


def test_what_nobody_takes_does_not_fill_redis(redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sightings, "LONGEST", 200)
    door = Door(lambda: redis_client)
    for _ in range(500):
        door.put(sighting())
    assert redis_client.xlen(STREAM) < 400
