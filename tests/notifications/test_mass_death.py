"""When most addresses die at the same moment, the mistake is taken to be ours."""

import json
import time
from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from accounts.models import Device
from notifications import dispatching
from notifications.breakers import Gate, breakers
from notifications.models import Delivery
from notifications.vocabulary import Lane
from tests.builders import device, iphone, person
from tests.notifications.road import accepted, dispatched
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db


def told(*, alive: int, dead: int) -> None:
    """A push to people of whom the last ones have tokens that Apple calls dead."""
    names = [f"p{number:03}" for number in range(alive + dead)]
    for number, name in enumerate(names):
        start = "aaaa0000" if number < alive else "dead0410"
        device(person(name), iphone(f"{start}{number:056x}"))
    accepted("push", recipients=names)


def states() -> set[tuple[str, str]]:
    return set(Delivery.objects.values_list("state", "reason"))


def retired() -> int:
    return Device.objects.filter(retired_at__isnull=False).count()


def test_nobody_is_retired_when_most_of_many_die_at_once(providers: Running) -> None:
    told(alive=10, dead=50)

    dispatched(Lane.IOS)

    assert states() == {("sent", ""), ("retrying", "mass_death")}
    assert retired() == 0
    assert breakers.permission("apns-live").gate is Gate.OPEN


def test_nor_are_those_who_died_among_the_living_just_before(
    providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "_RECORD_TOGETHER", 50)
    monkeypatch.setattr(dispatching, "_RECORD_WITHIN", 60)
    told(alive=40, dead=60)

    dispatched(Lane.IOS)

    assert ("retrying", "mass_death") in states()
    assert retired() == 0


def test_nor_are_the_few_by_whom_the_account_is_tried_again(providers: Running, redis_client: redis.Redis) -> None:
    told(alive=10, dead=50)
    dispatched(Lane.IOS)
    redis_client.set("breaker:apns-live", json.dumps({"until": time.time() - 1, "strikes": 1}))

    dispatched(Lane.IOS.retry, timezone.now() + timedelta(seconds=30))

    assert states() == {("sent", ""), ("retrying", "mass_death"), ("retrying", "breaker_open")}
    assert retired() == 0
    assert json.loads(redis_client.get("breaker:apns-live") or b"{}")["strikes"] == 2


def test_a_few_dead_among_many_are_retired(providers: Running) -> None:
    told(alive=50, dead=10)

    dispatched(Lane.IOS)

    assert states() == {("sent", ""), ("failed", "address_dead")}
    assert retired() == 10
    assert breakers.permission("apns-live").gate is Gate.CLOSED
