"""One idempotency key, one notification, one answer, however many ask at once."""

from functools import partial
from typing import Any

import pytest

from notifications.models import Delivery, IdempotencyKey, Notification
from tests.api.shop import DATA, Shop, jimin, shop
from tests.at_once import in_threads

pytestmark = pytest.mark.django_db(transaction=True)

BODY = {"template": "restock", "recipients": ["jimin"], "data": DATA}


def asked_at_once(caller: Shop, bodies: list[Any]) -> list[Any]:
    """The answers to requests that leave at the same moment with the same key."""
    post = partial(caller.post, "/v1/notifications", **{"Idempotency-Key": "order-1"})
    return in_threads(*(partial(post, body) for body in bodies))


def test_twenty_at_once_get_one_notification_and_the_same_answer() -> None:
    jimin()

    answers = asked_at_once(shop(rate_limit="1000/s"), [BODY] * 20)

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert (Notification.objects.count(), Delivery.objects.count()) == (1, 4)


def test_of_different_bodies_at_once_one_is_accepted_and_the_others_are_refused() -> None:
    jimin()

    answers = asked_at_once(shop(rate_limit="1000/s"), [BODY | {"data": DATA | {"n": n}} for n in range(8)])

    assert sorted(answer.status_code for answer in answers) == [202] + [422] * 7
    assert Notification.objects.count() == 1


def test_a_key_belongs_to_the_application_that_used_it() -> None:
    jimin()

    ids = {shop().post("/v1/notifications", BODY, **{"Idempotency-Key": "k"}).json()["id"] for _ in range(2)}

    assert len(ids) == 2


def test_what_a_key_stands_for_is_the_address_and_the_body() -> None:
    jimin()
    caller = shop()
    caller.post("/v1/notifications", BODY, **{"Idempotency-Key": "k"})

    answer = caller.post("/v1/notifications/batch", {"notifications": [BODY]}, **{"Idempotency-Key": "k"})

    assert answer.status_code == 422
    assert Notification.objects.count() == 1


def test_a_batch_that_is_repeated_gets_its_first_answer() -> None:
    jimin()
    caller, bodies = shop(), {"notifications": [BODY, {}, BODY]}

    first, second = (
        caller.post("/v1/notifications/batch", bodies, **{"Idempotency-Key": "k"}).json() for _ in range(2)
    )

    assert first == second
    assert Notification.objects.count() == 2


@pytest.mark.parametrize("key", ["", "two words", "k" * 256, "키"])
def test_a_key_that_cannot_be_one_is_refused(key: str) -> None:
    jimin()

    answer = shop().post("/v1/notifications", BODY, **{"Idempotency-Key": key})

    assert answer.status_code == 422
    assert not IdempotencyKey.objects.exists()
