"""Circuit breakers: one provider's trouble stays its own."""

import json
import time

import pytest
import redis

from notifications import breakers as breaking
from notifications.breakers import ENOUGH, Breakers, Gate


def rest_is_over(redis_client: redis.Redis, account: str) -> None:
    """As if the pause had passed."""
    known = json.loads(redis_client.get(f"breaker:{account}") or b"{}")
    redis_client.set(f"breaker:{account}", json.dumps({**known, "until": time.time() - 1}))


def test_an_account_that_works_may_be_sent_everything() -> None:
    mine = Breakers()
    mine.saw("twilio", good=100, bad=5)

    assert mine.permission("twilio").gate is Gate.CLOSED


def test_too_many_failures_open_it_for_every_worker() -> None:
    Breakers().saw("twilio", good=5, bad=ENOUGH)

    permission = Breakers().permission("twilio")
    assert permission.gate is Gate.OPEN
    assert permission.until > time.time()
    assert set(breaking.opened()) == {"twilio"}


@pytest.mark.parametrize(("good", "bad"), [(0, ENOUGH - 1), (ENOUGH * 2, ENOUGH), (1000, 0)])
def test_few_failures_and_a_small_share_leave_it_closed(good: int, bad: int) -> None:
    mine = Breakers()
    mine.saw("twilio", good=good, bad=bad)

    assert mine.permission("twilio").gate is Gate.CLOSED


def test_another_account_is_not_touched() -> None:
    mine = Breakers()
    mine.saw("twilio", good=0, bad=ENOUGH)

    assert mine.permission("vonage").gate is Gate.CLOSED


def test_after_its_pause_one_worker_tries_and_a_success_closes_it(redis_client: redis.Redis) -> None:
    mine, other = Breakers(), Breakers()
    mine.saw("twilio", good=0, bad=ENOUGH)
    rest_is_over(redis_client, "twilio")

    assert [mine.permission("twilio").gate, other.permission("twilio").gate] == [Gate.HALF_OPEN, Gate.OPEN]
    mine.saw("twilio", good=5, bad=0)

    assert other.permission("twilio").gate is Gate.CLOSED


def test_a_probe_that_fails_opens_it_for_longer(redis_client: redis.Redis) -> None:
    mine = Breakers()
    mine.saw("twilio", good=0, bad=ENOUGH)
    first = mine.permission("twilio").until - time.time()
    rest_is_over(redis_client, "twilio")
    mine.permission("twilio")
    mine.saw("twilio", good=0, bad=5)

    again = mine.permission("twilio")
    assert again.gate is Gate.OPEN
    assert again.until - time.time() > first


def test_late_answers_of_before_do_not_close_it() -> None:
    mine = Breakers()
    mine.saw("twilio", good=0, bad=ENOUGH)
    mine.saw("twilio", good=50, bad=0)

    assert mine.permission("twilio").gate is Gate.OPEN


def test_a_clock_that_was_set_back_keeps_no_breaker_open(redis_client: redis.Redis) -> None:
    mine = Breakers()
    mine.saw("twilio", good=0, bad=ENOUGH)
    known = json.loads(redis_client.get("breaker:twilio") or b"{}")
    redis_client.set("breaker:twilio", json.dumps({**known, "until": known["until"] + 600}))

    assert mine.permission("twilio").gate is Gate.HALF_OPEN
