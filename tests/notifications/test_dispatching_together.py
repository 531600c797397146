"""Workers beside each other and beside the database: who holds what while a provider thinks."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from notifications import dispatching
from notifications.models import Delivery
from notifications.vocabulary import Lane
from tests.api.shop import shop
from tests.notifications.road import accepted
from tests.sandbox.world import Running
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

#: Connections of others in this database that have begun a transaction and wait for their client.
_IDLE = """
    SELECT count(*)
      FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'
"""


def numbers(count: int) -> list[dict[str, str]]:
    return [{"phone": f"+82102{number:07}"} for number in range(count)]


def as_worker(work: Callable[[], int]) -> int:
    """Work on a connection of its own, which is closed afterwards."""
    try:
        return work()
    finally:
        connection.close()


def turn() -> int:
    return dispatching.dispatch(Lane.SMS, clock=timezone.now).attempted


def test_no_transaction_is_open_while_a_provider_is_asked(providers: Running) -> None:
    accepted("sms", by=shop(), recipients=numbers(3))
    providers.admin("PUT", "faults/twilio", {"latency_ms": 1500})

    with ThreadPoolExecutor(1) as pool:
        working: Future[int] = pool.submit(as_worker, turn)
        until(lambda: Delivery.objects.filter(state="sending").count() == 3)
        with connection.cursor() as cursor:
            cursor.execute(_IDLE)
            (idle,) = cursor.fetchone()
        is_asking = not working.done()

    assert is_asking, "the provider was still thinking"
    assert idle == 0
    assert working.result() == 3
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_workers_that_come_at_once_send_everything_once(providers: Running) -> None:
    caller = shop()
    for start in range(6):
        accepted("sms", by=caller, recipients=numbers(60)[start * 10 : start * 10 + 10])

    with ThreadPoolExecutor(4) as pool:
        attempted = [working.result() for working in [pool.submit(as_worker, turn) for _ in range(4)]]

    assert sum(attempted) == 60
    tally = providers.admin("GET", "counts").json()["providers"]["twilio"]
    assert (tally["accepted"], tally["accepted_again"]) == (60, 0)
    assert Delivery.objects.filter(state="sent", attempt=1).count() == 60
