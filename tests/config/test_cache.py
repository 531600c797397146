"""The counters behind rate limits, on a real Redis."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.core.cache import caches

from notifications.redis_client import client


@pytest.fixture
def key() -> Iterator[str]:
    name = f"counter-{uuid4()}"
    yield name
    caches["counters"].delete(name)


def test_a_counter_is_added_once_and_then_counted(key: str) -> None:
    counters = caches["counters"]

    assert counters.add(key, 1, 60)
    assert [counters.incr(key) for _ in range(3)] == [2, 3, 4]
    assert not counters.add(key, 1, 60)


def test_a_counter_that_is_known_is_not_added_in_vain(key: str) -> None:
    counters = caches["counters"]
    counters.add(key, 1, 60)

    client().delete(counters.make_key(key))

    assert not counters.add(key, 1, 60), "Redis was not asked"


def test_counting_goes_on_after_redis_was_emptied(key: str) -> None:
    counters = caches["counters"]
    counters.add(key, 1, 60)
    counters.incr(key)
    client().delete(counters.make_key(key))

    assert not counters.add(key, 1, 60)
    assert [counters.incr(key), counters.incr(key)] == [1, 2]
    assert 0 < client().ttl(counters.make_key(key)) <= 60


def test_what_was_never_added_cannot_be_counted(key: str) -> None:
    with pytest.raises(ValueError, match="not found"):
        caches["counters"].incr(key)
