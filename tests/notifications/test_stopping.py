"""A worker that is to end: what is answered is recorded, what is not is in doubt, what never left waits again."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Timer

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Category
from notifications import stopping as stopping_module
from notifications.dispatching import Dispatched
from notifications.ledger.claim import claim
from notifications.ledger.record import Result, finish, record
from notifications.ledger.release import release
from notifications.models import Batch, Delivery, DeliveryEvent, ProviderAccount
from notifications.planning.retry import Step
from notifications.routes import routes
from notifications.stopping import stopping
from notifications.vocabulary import DeliveryState, Lane
from tests.api.shop import shop
from tests.notifications.logbook import LEASE, NOW, SMS, appended, states
from tests.notifications.road import accepted, dispatched
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

#: Milliseconds that a provider takes where it does not answer in time.
SLOW = 8000


@pytest.fixture(autouse=True)
def _a_process_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "_begun_at", None)


@pytest.fixture
def _little_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping_module, "GRACE", 0.3)


@pytest.fixture
def known(providers: Running) -> Iterator[Running]:
    """A provider that has answered once, so that the wire sends it many requests at a time."""
    accepted("sms", by=shop(), recipients=[{"phone": "+821000000000"}])
    dispatched(Lane.SMS)
    Delivery.objects.all().delete()
    yield providers
    providers.admin("DELETE", "faults")


def waiting(count: int) -> None:
    """So many text messages, due at once."""
    accepted("sms", by=shop(), recipients=[{"phone": f"+82102{number:07}"} for number in range(count)])


def told_to_end_during_a_turn(*, after: float = 0.5) -> Dispatched:
    """A worker's turn, in the course of which SIGTERM comes."""
    timer = Timer(after, stopping.begin)
    timer.start()
    try:
        return dispatched(Lane.SMS)
    finally:
        timer.join()


def tally() -> dict[str, int]:
    return {state: list(states().values()).count(DeliveryState(state)) for state in set(states().values())}


def test_a_worker_that_is_to_end_claims_nothing(providers: Running) -> None:
    waiting(3)
    stopping.begin()

    assert dispatched(Lane.SMS).attempted == 0
    assert tally() == {"queued": 3}
    assert Batch.objects.filter(lease_id=None).count() == 1


def test_answers_that_come_within_the_grace_are_recorded(known: Running) -> None:
    waiting(3)
    known.admin("PUT", "faults/twilio", {"latency_ms": 1000})

    told_to_end_during_a_turn(after=0.3)

    assert tally() == {"sent": 3}
    assert not Batch.objects.exists()


@pytest.mark.usefixtures("_little_grace")
@pytest.mark.parametrize(("in_doubt", "state"), [("resend", "retrying"), ("hold", "uncertain")])
def test_what_has_no_answer_by_then_is_in_doubt_as_its_category_says(known: Running, in_doubt: str, state: str) -> None:
    Category.objects.update(in_doubt=in_doubt)
    waiting(3)
    known.admin("PUT", "faults/twilio", {"latency_ms": SLOW})

    told_to_end_during_a_turn()

    assert tally() == {state: 3}
    assert set(Delivery.objects.values_list("reason", flat=True)) == {"no_answer"}
    assert not Batch.objects.exclude(lease_id=None).exists(), "no lease is left to run out"


@pytest.mark.usefixtures("_little_grace")
def test_what_never_left_waits_again_at_once_in_its_lane(known: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.wire.line.MAX_IN_FLIGHT", 2)
    Category.objects.update(in_doubt="hold")
    waiting(7)
    known.admin("PUT", "faults/twilio", {"latency_ms": SLOW})

    told_to_end_during_a_turn()

    assert tally() == {"uncertain": 2, "queued": 5}
    again = claim(SMS, at=timezone.now(), lease_for=LEASE)
    assert again is not None
    assert len(again.deliveries) == 5
    assert {one.failures for one in again.deliveries} == {0}


@pytest.mark.usefixtures("_little_grace")
def test_requests_that_wait_for_a_providers_first_answer_never_left(providers: Running) -> None:
    waiting(4)
    Category.objects.update(in_doubt="hold")
    providers.admin("PUT", "faults/twilio", {"latency_ms": SLOW})

    told_to_end_during_a_turn()

    assert tally() == {"uncertain": 1, "queued": 3}
    providers.admin("DELETE", "faults")


# --- the ledger ------------------------------------------------------------------------------------------
def test_what_is_given_back_is_due_at_once_and_nobody_elses() -> None:
    appended(3)
    held = claim(SMS, at=NOW, lease_for=LEASE)
    assert held is not None

    assert release(held.deliveries, held.lease, NOW) == 3
    finish(held.lease)

    assert set(states().values()) == {DeliveryState.QUEUED}
    batch = Batch.objects.get()
    assert (batch.lane, batch.due_at, batch.lease_id, batch.size) == ("sms", NOW, None, 3)
    assert not DeliveryEvent.objects.exists()


def test_a_worker_that_gave_back_can_record_no_more() -> None:
    appended(2)
    held = claim(SMS, at=NOW, lease_for=LEASE)
    assert held is not None
    release(held.deliveries, held.lease, NOW)
    finish(held.lease)
    claim(SMS, at=NOW, lease_for=LEASE)

    record([Result(one.id, one.attempt, Step(DeliveryState.SENT), NOW) for one in held.deliveries], held.lease.lane)

    assert set(states().values()) == {DeliveryState.SENDING}
    assert set(Delivery.objects.values_list("attempt", flat=True)) == {2}


def test_what_could_be_answered_only_after_its_lease_never_leaves_under_it(known: Running, settings: Settings) -> None:
    settings.LEASE_SECONDS, settings.PROVIDER_SECONDS = 2, 1
    ProviderAccount.objects.update(at_once=1)
    routes.forget()
    waiting(5)
    known.admin("PUT", "faults/twilio", {"latency_ms": 700})

    dispatched(Lane.SMS)

    # the second begins 0.7 s after the claim, the third would at 1.4 s
    assert tally() == {"sent": 2, "queued": 3}
    assert not Batch.objects.exclude(lease_id=None).exists(), "no lease is left to run out"


def test_a_worker_that_lost_its_lease_gives_nothing_back() -> None:
    appended(2)
    slow = claim(SMS, at=NOW, lease_for=LEASE)
    assert slow is not None
    release(slow.deliveries, slow.lease, NOW)
    finish(slow.lease)
    assert claim(SMS, at=NOW + timedelta(seconds=1), lease_for=LEASE) is not None

    assert release(slow.deliveries, slow.lease, NOW) == 0
    assert set(states().values()) == {DeliveryState.SENDING}
