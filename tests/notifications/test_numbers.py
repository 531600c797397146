"""A delivery has one number in all its attempts, so that what was repeated for want of an answer arrives once."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.models import Category, Recipient
from notifications import numbers
from notifications.models import Delivery
from notifications.numbers import NoNumber, Numbers, forget, settle
from notifications.providers.contract import Account, NumberSource, Throttled, Transient
from notifications.providers.jpush.numbers import JpushNumbers
from notifications.routes import routes
from notifications.vocabulary import Lane
from notifications.wire import wire
from tests.api.shop import jimin, shop
from tests.builders import person
from tests.notifications.road import accepted, dispatched, now
from tests.sandbox.world import REGISTRATION_ID, Running

SOURCE: NumberSource = JpushNumbers()
HOUR = 3600


def account() -> Account:
    route = routes.named("jpush-live")
    assert route is not None
    return route.account


def numbers_for(deliveries: Sequence[UUID]) -> Numbers:
    """The numbers of one worker's claim."""
    return Numbers(SOURCE, account(), deliveries, wire.exchange_one)


def given(deliveries: Sequence[UUID]) -> list[str]:
    held = numbers_for(deliveries)
    return [held.of(delivery_id) for delivery_id in deliveries]


def some(count: int) -> list[UUID]:
    return [uuid4() for _ in range(count)]


def asked(sandbox: Running) -> int:
    """How often JPush was asked for numbers: every request that was about no message."""
    counts = sandbox.admin("GET", "counts").json()["providers"].get("jpush")
    return counts["requests"] - counts["accepted"] - counts["refused"] if counts else 0


def calls(asked_of_redis: Counter[str]) -> int:
    """How many scripts this process had Redis run."""
    return asked_of_redis["eval"] + asked_of_redis["evalsha"]


def binding(redis_client: redis.Redis, delivery_id: UUID) -> Any:
    """The key under which a delivery's number is kept."""
    [key] = redis_client.keys(f"number:*:{delivery_id.hex}")
    return key


# --- of a claim --------------------------------------------------------------------------------------
def test_every_delivery_gets_a_number_of_its_own_and_keeps_it(providers: Running) -> None:
    deliveries = some(25)
    first = given(deliveries)
    assert len(set(first)) == 25
    assert given(deliveries) == first, "another worker, another attempt"
    assert given(deliveries[::-1]) == first[::-1]


def test_two_claims_share_no_number(providers: Running) -> None:
    mine, theirs = some(15), some(15)
    one, other = numbers_for(mine), numbers_for(theirs)
    found = [held.of(claim[place]) for place in range(15) for held, claim in ((one, mine), (other, theirs))]
    assert len(set(found)) == 30


def test_what_is_left_of_a_handful_serves_the_next_claim(providers: Running) -> None:
    for _ in range(10):
        given(some(1))
    assert asked(providers) == 1


def test_jpush_is_asked_as_often_as_it_must_be(providers: Running) -> None:
    given(some(35))
    assert asked(providers) == 4, "ten at a time"
    given(some(5))
    assert asked(providers) == 4


def test_a_claim_for_which_there_are_enough_costs_one_call(providers: Running, asked_of_redis: Counter[str]) -> None:
    given(some(1))
    before = calls(asked_of_redis)
    given(some(9))
    assert calls(asked_of_redis) - before == 1


def test_a_retry_costs_one_call_and_asks_nobody(providers: Running, asked_of_redis: Counter[str]) -> None:
    deliveries = some(25)
    given(deliveries)
    before, so_far = calls(asked_of_redis), asked(providers)
    given(deliveries)
    assert (calls(asked_of_redis) - before, asked(providers) - so_far) == (1, 0)


def test_other_credentials_have_numbers_of_their_own(providers: Running) -> None:
    [delivery_id] = some(1)
    [first] = given([delivery_id])
    keys = account().credentials
    other = Account("jpush-live", account().endpoint, {**keys, "master_secret": "0" * 24})
    with pytest.raises(NoNumber, match="1004"):
        Numbers(SOURCE, other, [delivery_id], wire.exchange_one).of(delivery_id)
    assert given([delivery_id]) == [first]


# --- how long ----------------------------------------------------------------------------------------
def test_a_number_is_bound_for_less_than_the_day_on_which_it_is_known(
    providers: Running, redis_client: redis.Redis
) -> None:
    [delivery_id] = some(1)
    given([delivery_id])
    assert 22 * HOUR < redis_client.ttl(binding(redis_client, delivery_id)) <= 23 * HOUR


def test_who_was_sent_gives_the_number_up_soon_but_not_to_a_worker_that_comes_late(
    providers: Running, redis_client: redis.Redis
) -> None:
    [delivery_id] = some(1)
    [number] = given([delivery_id])
    settle([(account(), delivery_id)])
    assert 0 < redis_client.ttl(binding(redis_client, delivery_id)) <= HOUR
    assert given([delivery_id]) == [number]
    assert redis_client.ttl(binding(redis_client, delivery_id)) > 22 * HOUR, "it is under way again"


def test_what_lay_in_the_pool_for_half_a_day_is_thrown_away(providers: Running, redis_client: redis.Redis) -> None:
    given(some(1))
    [pool] = redis_client.keys("numbers:*")
    entries: Any = redis_client.lrange(pool, 0, -1)
    kept = [entry.decode().split() for entry in entries]
    redis_client.delete(pool)
    redis_client.lpush(pool, *(f"{int(ends) - 12 * HOUR} {number}" for ends, number in kept))
    [fresh] = given(some(1))
    assert fresh not in {number for _, number in kept}
    assert asked(providers) == 2


def test_a_number_that_the_provider_does_not_know_is_replaced(providers: Running) -> None:
    [delivery_id] = some(1)
    [first] = given([delivery_id])
    forget(account(), delivery_id)
    assert given([delivery_id]) != [first]


# --- trouble -----------------------------------------------------------------------------------------
def test_a_provider_that_gives_none_is_not_asked_again_for_this_claim(providers: Running) -> None:
    providers.admin("PUT", "faults/jpush", {"status": 429, "retry_after": 30})
    deliveries = some(5)
    held = numbers_for(deliveries)
    for delivery_id in deliveries:
        with pytest.raises(NoNumber) as refused:
            held.of(delivery_id)
        assert isinstance(refused.value.outcome, Throttled)
        assert refused.value.outcome.retry_after == 30
    assert providers.admin("GET", "counts").json()["providers"]["jpush"]["requests"] == 1


@pytest.mark.parametrize("mode", ["reset", "reset_after_body"])
def test_a_lost_answer_to_the_question_for_numbers_is_no_doubt_about_a_message(providers: Running, mode: str) -> None:
    providers.admin("PUT", "faults/jpush", {"mode": mode})
    [delivery_id] = some(1)
    with pytest.raises(NoNumber) as refused:
        numbers_for([delivery_id]).of(delivery_id)
    assert isinstance(refused.value.outcome, Transient)


def test_without_redis_messages_have_no_number_and_nobody_is_held_up(
    providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = redis.Redis(port=9, retry=Retry(NoBackoff(), retries=0))
    monkeypatch.setattr(numbers, "client", lambda: gone)
    assert given(some(3)) == ["", "", ""]
    assert asked(providers) == 0
    settle([(account(), uuid4())])
    forget(account(), uuid4())


# --- on the road -------------------------------------------------------------------------------------
def wei() -> Recipient:
    """Somebody in China, whose phone is registered with JPush."""
    owner = person("wei", locale="zh-CN")
    owner.devices.create(platform="android", service="jpush", token=REGISTRATION_ID)
    return owner


def waiting(**changes: Any) -> Delivery:
    (delivery,) = accepted("push", recipients=["wei"], **changes)
    return delivery


def sent_under(sandbox: Running, delivery: Delivery) -> list[str]:
    """The cid of each attempt that JPush looked at."""
    return [json.loads(attempt["body"])["cid"] for attempt in sandbox.row(str(delivery.pk))["attempts"]]


def again(delivery: Delivery) -> None:
    """The retry, when it is due."""
    due_at = now(delivery).due_at
    assert due_at is not None
    dispatched(Lane.ANDROID_RETRY, due_at)


def test_a_push_whose_answer_was_lost_is_repeated_under_its_number_and_reaches_the_person_once(
    providers: Running,
) -> None:
    wei()
    shop()
    Category.objects.update(in_doubt="resend")
    given(some(1))  # the fault is to strike the message, not the question for its number
    delivery = waiting()
    providers.admin("PUT", "faults/jpush", {"mode": "reset_after_body", "remaining": 1})

    dispatched(Lane.ANDROID)
    doubtful = now(delivery)
    again(delivery)

    assert (doubtful.state, doubtful.reason) == ("retrying", "no_answer")
    after = now(delivery)
    assert (after.state, after.attempt, after.account) == ("sent", 2, "jpush-live")
    assert after.provider_ref.isdecimal()
    row = providers.row(str(delivery.pk))
    assert (row["accepted"], row["refused"]) == (1, 0)
    assert providers.admin("GET", "counts").json()["providers"]["jpush"]["requests"] == 3, "numbers, and both attempts"


def test_what_failed_in_passing_is_tried_under_the_same_number(providers: Running) -> None:
    wei()
    given(some(1))
    delivery = waiting()
    providers.admin("PUT", "faults/jpush", {"status": 503, "remaining": 1})

    dispatched(Lane.ANDROID)
    again(delivery)

    assert now(delivery).state == "sent"
    first, second = sent_under(providers, delivery)
    assert first == second


def test_a_number_that_jpush_does_not_know_is_replaced_for_the_next_attempt(
    providers: Running, redis_client: redis.Redis
) -> None:
    wei()
    delivery = waiting()
    given([delivery.pk])
    key = binding(redis_client, delivery.pk)
    ends = redis_client.get(key).split()[0].decode()  # type: ignore[union-attr]
    redis_client.set(key, f"{ends} {account().credentials['app_key']}-{uuid4()}", keepttl=True)

    dispatched(Lane.ANDROID)
    assert (now(delivery).state, now(delivery).reason) == ("retrying", "provider_unavailable")
    again(delivery)

    assert now(delivery).state == "sent"
    first, second = sent_under(providers, delivery)
    assert first != second


def test_what_was_sent_gives_its_number_up(providers: Running, redis_client: redis.Redis) -> None:
    wei()
    delivery = waiting()
    dispatched(Lane.ANDROID)
    assert now(delivery).state == "sent"
    assert redis_client.ttl(binding(redis_client, delivery.pk)) <= HOUR


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 503}, "provider_unavailable"),
        ({"status": 401}, "credential_refused"),
        # of a question that is wrong, neither the message nor the device is guilty
        ({"status": 400}, "provider_unavailable"),
        ({"status": 400, "reason": "1011"}, "provider_unavailable"),
        ({"status": 429, "retry_after": 30}, "throttled"),
        ({"mode": "reset"}, "provider_unavailable"),
    ],
)
def test_where_no_number_can_be_had_the_message_waits(providers: Running, fault: dict[str, Any], reason: str) -> None:
    wei()
    delivery = waiting()
    providers.admin("PUT", "faults/jpush", fault)
    at = timezone.now()

    dispatched(Lane.ANDROID, at)

    after = now(delivery)
    assert (after.state, after.reason) == ("retrying", reason)
    if reason == "throttled":
        assert after.due_at is not None
        assert after.due_at - at >= timedelta(seconds=30)
        assert after.failures == 0
    assert providers.admin("GET", f"record/{delivery.pk}").status == 404


def test_a_provider_without_numbers_costs_no_call(
    providers: Running, redis_client: redis.Redis, asked_of_redis: Counter[str]
) -> None:
    jimin()
    before = calls(asked_of_redis)
    accepted("push")
    dispatched(Lane.ANDROID)
    assert calls(asked_of_redis) == before
    assert redis_client.keys("number*") == []
