"""What the sweep finds, and the log's days: made ahead, dropped whole."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.ids import floor_of
from notifications import recovery
from notifications.ledger.append import append_header
from notifications.ledger.claim import claim
from notifications.ledger.partitions import TABLES, Upkeep, keep_up
from notifications.ledger.sweep import LaneDepth, Reclaimed, depths
from notifications.models import Delivery, IdempotencyKey, Notification
from notifications.vocabulary import Lane
from tests.notifications.logbook import LEASE, NOW, SMS, appended, header

pytestmark = pytest.mark.django_db

#: A day long after the partitions that the test database was made with.
FAR = date(2041, 5, 17)


def days_of(table: str) -> list[date]:
    """The days for which a table has a partition, the earliest first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [table])
        names = [name for (name,) in cursor.fetchall() if not name.endswith("_default")]
    return sorted(datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC).date() for name in names)


def stray(at: datetime) -> Notification:
    """A notification of a day that has no partition."""
    head = header(id=floor_of(at))
    append_header(head)
    return Notification.objects.get(pk=head.id)


def test_partitions_are_made_ahead_for_every_table_of_the_log() -> None:
    keep_up(FAR, ahead=3, retention=90)

    wanted = [FAR + timedelta(days=days) for days in range(-1, 4)]
    assert {table: days_of(table)[-5:] for table in TABLES} == dict.fromkeys(TABLES, wanted)


def test_repeating_the_upkeep_makes_and_drops_nothing() -> None:
    keep_up(FAR, ahead=3, retention=90)

    assert keep_up(FAR, ahead=3, retention=90) == Upkeep(made=0, dropped=0, stray=0)


def test_retention_drops_whole_days_and_what_they_held() -> None:
    keep_up(FAR, ahead=0, retention=90)
    old = stray(datetime(FAR.year, FAR.month, FAR.day, 12, tzinfo=UTC))

    kept = keep_up(FAR + timedelta(days=90), ahead=0, retention=90)
    assert FAR in days_of("notifications_notification")
    done = keep_up(FAR + timedelta(days=91), ahead=0, retention=90)

    assert kept.dropped == len(TABLES), "the day before it, which upkeep makes as well"
    assert done.dropped == len(TABLES)
    assert FAR not in days_of("notifications_notification")
    assert not Notification.objects.filter(pk=old.pk).exists()


def test_a_row_whose_day_has_no_partition_is_kept_and_raises_an_alarm(settings: Settings) -> None:
    settings.PARTITION_DAYS_AHEAD, settings.RETENTION_DAYS = 0, 90
    kept = stray(datetime(2045, 1, 1, tzinfo=UTC))

    done = recovery.keep_partitions(clock=lambda: datetime(2044, 6, 1, tzinfo=UTC))

    assert done.stray == 1
    assert Notification.objects.filter(pk=kept.pk).exists()


def test_a_day_that_was_missed_is_made_good_with_the_rows_that_came_meanwhile() -> None:
    at = datetime(FAR.year, FAR.month, FAR.day, 12, tzinfo=UTC)
    kept = stray(at)

    done = keep_up(FAR, ahead=1, retention=90)

    assert done.stray == 0
    assert FAR in days_of("notifications_notification")
    assert Notification.objects.filter(pk=kept.pk).exists()


def test_the_default_partitions_are_empty_after_a_days_work() -> None:
    appended(5)

    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}_default")
            assert cursor.fetchone() == (0,), table


def test_upkeep_forgets_old_answers_to_idempotency_keys(settings: Settings) -> None:
    settings.IDEMPOTENCY_HOURS = 72
    owner = header().application_id
    now = timezone.now()
    for key, hours in (("old", 73), ("young", 71)):
        IdempotencyKey.objects.create(
            application_id=owner, key=key, digest=b"", created_at=now - timedelta(hours=hours)
        )

    recovery.keep_partitions(clock=lambda: now)

    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["young"]


# --- the sweep -----------------------------------------------------------------------------------------
def queued_tasks(redis_client: Any) -> set[str]:
    """The broker's queues in which something lies."""
    return {key.decode() for key in redis_client.keys("*") if redis_client.type(key) == b"list"}


def test_a_sweep_hints_what_is_due_whatever_became_of_its_hint(redis_client: Any) -> None:
    appended(2)
    redis_client.flushdb()

    swept = recovery.sweep_up(clock=lambda: NOW + timedelta(seconds=1))

    assert (swept.lanes, swept.reclaimed) == (1, Reclaimed())
    assert "sms" in queued_tasks(redis_client)


def test_a_sweep_hints_nothing_that_is_due_later(redis_client: Any) -> None:
    appended(2, head=header(send_at=NOW + timedelta(hours=1)))
    redis_client.flushdb()

    assert recovery.sweep_up(clock=lambda: NOW).lanes == 0
    assert "sms" not in queued_tasks(redis_client)


def test_depths_are_told_by_lane_with_the_oldest_moment() -> None:
    appended(2, at=NOW)
    appended(3, at=NOW + timedelta(seconds=5))

    assert depths(NOW + timedelta(seconds=9)) == [LaneDepth(Lane.SMS, 5, NOW)]
    assert depths(NOW - timedelta(seconds=1)) == []


def test_two_sweeps_at_once_settle_a_lease_once() -> None:
    appended(2)
    claim(SMS, at=NOW, lease_for=LEASE)
    late = NOW + LEASE + timedelta(seconds=1)

    swept = [recovery.sweep_up(clock=lambda: late).reclaimed for _ in range(2)]

    assert swept == [Reclaimed(requeued=0, resent=2, held=0), Reclaimed()]


def test_workers_that_are_lost_time_after_time_use_up_the_attempts() -> None:
    appended(1)
    at, lane = NOW, SMS
    for _ in range(3):
        assert claim(lane, at=at, lease_for=LEASE) is not None
        at, lane = at + LEASE + timedelta(seconds=1), Lane.SMS_RETRY
        recovery.sweep_up(clock=lambda moment=at: moment)  # type: ignore[misc]

    assert Delivery.objects.get().failures == 3
