"""What is too late is ended, also where no worker would come for it."""

from datetime import datetime, timedelta

import pytest
from django.db import connection

from accounts.channels import Channel
from notifications import recovery
from notifications.ledger import overdue
from notifications.ledger.claim import claim
from notifications.ledger.record import Result, finish, record
from notifications.ledger.release import release
from notifications.ledger.sweep import reclaim
from notifications.models import Batch, Delivery, DeliveryEvent
from notifications.planning.retry import Step
from notifications.vocabulary import DeliveryState, Lane, Reason
from tests.notifications.logbook import LEASE, NOW, SMS, appended, header, states

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
END = NOW + HOUR


def expired_at(at: datetime) -> int:
    return recovery.expire(clock=lambda: at)


def test_what_waits_in_a_lane_without_a_worker_expires_with_a_reason() -> None:
    appended(3, head=header(expires_at=END))

    assert expired_at(END) == 3
    assert set(Delivery.objects.values_list("state", "reason", "due_at")) == {("expired", "expired", None)}
    assert DeliveryEvent.objects.filter(kind="expired", reason="expired").count() == 3
    assert not Batch.objects.exists()


def test_nothing_expires_before_its_time_or_without_one() -> None:
    appended(2, head=header(expires_at=END))
    appended(2)

    assert expired_at(END - timedelta(seconds=1)) == 0
    assert expired_at(END + 100 * HOUR) == 2
    assert sorted(states().values()) == ["expired", "expired", "queued", "queued"]


def test_what_is_scheduled_expires_too() -> None:
    appended(1, head=header(send_at=NOW + timedelta(minutes=59), expires_at=END))

    assert expired_at(END) == 1


def test_what_a_worker_holds_is_left_to_it() -> None:
    appended(2, head=header(expires_at=END))
    claim(SMS, at=NOW, lease_for=2 * HOUR)

    assert expired_at(END) == 0
    assert set(states().values()) == {DeliveryState.SENDING}


@pytest.mark.parametrize("way", ["retried", "given back", "reclaimed"])
def test_what_waits_again_still_expires(way: str) -> None:
    appended(2, head=header(expires_at=END))
    held = claim(SMS, at=NOW, lease_for=LEASE)
    assert held is not None
    if way == "retried":
        step = Step(DeliveryState.RETRYING, Reason.BREAKER_OPEN, NOW + timedelta(minutes=1), counts=False)
        record([Result(one.id, one.attempt, step, NOW) for one in held.deliveries], held.lease.lane)
        finish(held.lease)
    elif way == "given back":
        release(held.deliveries, held.lease, NOW)
        finish(held.lease)
    else:
        reclaim(NOW + LEASE + timedelta(seconds=1))

    assert expired_at(END) == 2
    assert set(states().values()) == {DeliveryState.EXPIRED}


def test_of_a_batch_of_several_notifications_only_those_expire_whose_time_has_come() -> None:
    due_at = NOW + timedelta(minutes=1)
    results = []
    for head in (header(expires_at=END), header(expires_at=END + HOUR), header()):
        appended(1, head=head)
    held = claim(SMS, at=NOW, lease_for=LEASE)
    assert held is not None
    results = [
        Result(one.id, one.attempt, Step(DeliveryState.RETRYING, Reason.THROTTLED, due_at), NOW)
        for one in held.deliveries
    ]
    record(results, held.lease.lane)
    finish(held.lease)

    counts = [expired_at(END), expired_at(END), expired_at(END + HOUR)]

    assert counts == [1, 0, 1]
    rest = claim(Lane.SMS_RETRY, at=due_at, lease_for=LEASE)
    assert rest is not None
    assert len(rest.deliveries) == 1


def test_two_who_expire_at_once_tell_it_once() -> None:
    appended(2, head=header(expires_at=END))

    assert [expired_at(END), expired_at(END)] == [2, 0]
    assert DeliveryEvent.objects.count() == 2


def test_a_backlog_is_ended_a_few_batches_at_a_time() -> None:
    for _ in range(5):
        appended(1, head=header(expires_at=END), channels=(Channel.EMAIL,))

    assert [overdue.expire(END, limit=2).batches for _ in range(4)] == [2, 2, 1, 0]


def plan_of(statement: str, **values: datetime | int | str) -> str:
    """How PostgreSQL would go about it, in a table too small for it to read otherwise than whole."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {statement}", values)
        return "\n".join(row[0] for row in cursor.fetchall())


def test_what_is_too_late_is_found_by_its_index() -> None:
    appended(1, head=header(expires_at=END))

    assert "batch_expiring" in plan_of(overdue._TAKE, at=END, limit=50)


def test_what_is_too_late_is_ended_by_index_in_the_partition_of_its_day() -> None:
    (one,) = appended(1, head=header(expires_at=END))
    owner = Delivery.objects.get().notification_id

    plan = plan_of(overdue._EXPIRE, ids=f"{{{one.delivery_ids[0]}}}", late=f"{{{owner}}}")

    assert "Seq Scan" not in plan
    assert plan.count("Index Scan") == 1, plan
