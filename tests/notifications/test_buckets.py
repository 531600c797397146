"""A bucket lets through so many a second, whoever asks; who is held back has a place in a line."""

import time
from collections.abc import Callable

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from notifications import buckets
from notifications.buckets import LONGEST_LINE, Unit, give_back, line_up, take
from notifications.vocabulary import Urgency

Later = Callable[[float], None]


@pytest.fixture
def later(redis_client: redis.Redis) -> Later:
    """Lets seconds pass, for buckets and lines alone."""

    def pass_by(seconds: float) -> None:
        for key in [*redis_client.scan_iter("bucket:*"), *redis_client.scan_iter("line:*")]:
            moments = (redis_client.get(key) or b"").split()
            redis_client.set(key, " ".join(str(float(one) - seconds) for one in moments), keepttl=True)

    return pass_by


def of_messages(wanted: int, *, rate: float = 100, urgency: Urgency = Urgency.CRITICAL) -> int:
    return take("twilio", Unit.MESSAGES, wanted, rate, urgency)


def test_a_full_bucket_holds_the_worth_of_a_second() -> None:
    assert of_messages(500) == 100
    assert of_messages(1) <= 1, "a few milliseconds have passed"


def test_it_fills_again_at_the_rate(later: Later) -> None:
    of_messages(500)
    later(0.5)

    assert 50 <= of_messages(500) <= 55


def test_over_a_long_time_no_more_leaves_than_the_rate_allows(later: Later) -> None:
    sent, began = 0, time.monotonic()
    for _ in range(100):
        sent += of_messages(37)
        later(0.1)
    passed = time.monotonic() - began  # Redis' own clock went on as well

    assert 900 <= sent <= 1110 + 100 * passed, "ten seconds at 100, and what the bucket held at first"


@pytest.mark.parametrize(("urgency", "room"), [("critical", 100), ("normal", 75), ("bulk", 50)])
def test_what_matters_more_finds_room_that_bulk_must_leave(urgency: Urgency, room: int) -> None:
    assert room <= of_messages(500, urgency=Urgency(urgency)) <= room + 1


def test_bulk_waits_until_what_is_urgent_is_paid_back(later: Later) -> None:
    of_messages(500, urgency=Urgency.BULK)
    assert of_messages(40) == 40
    later(0.3)
    assert of_messages(1, urgency=Urgency.BULK) == 0
    later(0.2)
    assert of_messages(1, urgency=Urgency.BULK) == 1


def test_the_slowest_rate_lets_one_through_at_a_time(later: Later) -> None:
    assert of_messages(5, rate=0.1, urgency=Urgency.BULK) == 1
    later(9)
    assert of_messages(5, rate=0.1, urgency=Urgency.BULK) == 0
    later(1)
    assert of_messages(5, rate=0.1, urgency=Urgency.BULK) == 1


def test_messages_and_their_parts_are_counted_apart_and_so_is_every_account() -> None:
    of_messages(500)

    assert take("twilio", Unit.SEGMENTS, 10, 100, Urgency.NORMAL) == 10
    assert take("vonage", Unit.MESSAGES, 10, 100, Urgency.NORMAL) == 10


def test_what_was_taken_and_not_used_goes_back() -> None:
    of_messages(100)
    give_back("twilio", Unit.MESSAGES, 60, 100)

    assert 60 <= of_messages(500) <= 62


def test_those_who_wait_stand_one_behind_the_other(later: Later) -> None:
    first = line_up("twilio", Urgency.BULK, 50, 10)
    second = line_up("twilio", Urgency.BULK, 1, 10)

    assert first == pytest.approx(0, abs=0.05)
    assert second == pytest.approx(5, abs=0.05)
    assert line_up("twilio", Urgency.CRITICAL, 1, 10) == pytest.approx(0, abs=0.05), "a line of its own"
    later(4)
    assert line_up("twilio", Urgency.BULK, 1, 10) == pytest.approx(1.1, abs=0.05)


def test_a_line_does_not_move_before_its_time() -> None:
    assert line_up("fcm", Urgency.BULK, 10, 10, not_before=30) == pytest.approx(30, abs=0.05)
    assert line_up("fcm", Urgency.BULK, 1, 10, not_before=5) == pytest.approx(31, abs=0.05)


def test_nobody_is_told_to_wait_for_hours() -> None:
    waits = [line_up("twilio", Urgency.BULK, 500, 1) for _ in range(20)]

    assert max(waits) <= LONGEST_LINE
    assert min(waits[-10:]) >= LONGEST_LINE / 4, "they do not all come back at once either"


def test_a_clock_that_was_set_back_holds_up_nobody(later: Later) -> None:
    of_messages(500)
    line_up("twilio", Urgency.BULK, 100, 10)
    later(-600)

    assert of_messages(500) == 100
    assert line_up("twilio", Urgency.BULK, 1, 10) == pytest.approx(0, abs=0.05)


def test_without_redis_nobody_is_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = redis.Redis(port=9, retry=Retry(NoBackoff(), retries=0))
    monkeypatch.setattr(buckets, "client", lambda: gone)

    assert of_messages(500) == 500
    assert line_up("twilio", Urgency.BULK, 1, 1, not_before=2) == 2
    give_back("twilio", Unit.MESSAGES, 1, 1)
