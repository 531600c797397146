"""A database that is away for a moment: what providers answered meanwhile is written down afterwards."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from pytest_django import Settings

from notifications import dispatching
from notifications.composing import Composer
from notifications.ledger.claim import claim
from notifications.ledger.outages import until_written
from notifications.ledger.record import record
from notifications.models import Batch, Delivery
from notifications.vocabulary import Lane
from tests.api.shop import shop
from tests.notifications.road import accepted, dispatched
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db


def failing(times: int, original: Callable[..., Any], error: type[Exception] = OperationalError) -> Callable[..., Any]:
    """`original`, after it has failed so often."""
    left = times

    def call(*about: Any, **named: Any) -> Any:
        nonlocal left
        if left:
            left -= 1
            raise error("the database system is starting up")
        return original(*about, **named)

    return call


def in_turn(*calls: Callable[..., Any]) -> Callable[..., Any]:
    """The first of these for the first call, the second for the second."""
    left = iter(calls)

    def call(*about: Any, **named: Any) -> Any:
        return next(left)(*about, **named)

    return call


def nothing(*_about: Any, **_named: Any) -> None:
    """A claim that finds nothing due."""


@pytest.fixture(autouse=True)
def same_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's transaction lives in the one connection that there is."""
    monkeypatch.setattr("notifications.ledger.outages.connection.close", lambda: None)
    monkeypatch.setattr("notifications.ledger.outages._PAUSE", 0)


def texts(many: int) -> list[Delivery]:
    return accepted("sms", by=shop(), recipients=[{"phone": f"+8210{number:08}"} for number in range(many)])


def states() -> list[tuple[str, int]]:
    return sorted(set(Delivery.objects.values_list("state", "attempt")))


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_write_is_tried_until_the_database_is_back(error: type[Exception]) -> None:
    assert until_written(failing(3, lambda: "written", error), seconds=5) == "written"


def test_it_is_given_up_in_the_end_and_nothing_is_hidden() -> None:
    with pytest.raises(OperationalError):
        until_written(failing(3, lambda: None), seconds=0)
    with pytest.raises(ZeroDivisionError):
        until_written(lambda: 1 / 0, seconds=5)


def test_answers_are_recorded_when_the_database_is_back(providers: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    deliveries = texts(5)
    monkeypatch.setattr(dispatching, "record", failing(3, record))

    dispatched(Lane.SMS)

    assert states() == [("sent", 1)]
    assert {providers.row(str(one.pk))["accepted"] for one in deliveries} == {1}
    assert not Batch.objects.exists()


def test_a_claim_that_fails_in_mid_turn_forgets_no_answer(providers: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    texts(5)
    monkeypatch.setattr(dispatching, "claim", in_turn(claim, failing(9, claim)))

    dispatched(Lane.SMS)

    assert states() == [("sent", 1)]


def test_what_cannot_be_composed_never_left_and_waits_again(
    providers: Running, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    deliveries = texts(5)
    original, composed = Composer.compose, 0

    def compose(self: Composer, *about: Any) -> Any:
        nonlocal composed
        composed += 1
        if composed == 3:
            raise OperationalError("terminating connection due to administrator command")
        return original(self, *about)

    monkeypatch.setattr(Composer, "compose", compose)
    monkeypatch.setattr(dispatching, "claim", in_turn(claim, nothing, nothing))

    dispatched(Lane.SMS)

    assert states() == [("queued", 1), ("sent", 1)]
    assert Delivery.objects.filter(state="queued").count() == 3
    assert sum(providers.row(str(one.pk))["accepted"] for one in deliveries if one.pk in sent_ids()) == 2


def sent_ids() -> set[Any]:
    return set(Delivery.objects.filter(state="sent").values_list("pk", flat=True))
