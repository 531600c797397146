"""What hangs, and what nobody was told about: the statements behind the sweep."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from notifications.ledger.batches import enqueue
from notifications.ledger.events import Event, append_events
from notifications.vocabulary import EventKind, Lane, Reason


@dataclass(frozen=True, slots=True)
class LaneDepth:
    """How much is due in a lane that nobody holds, and since when."""

    lane: Lane
    waiting: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class LaneLoad:
    """All that is in a lane: due and in nobody's hands, since when, waiting for its time, and in workers' hands."""

    lane: Lane
    due: int
    waiting: int
    leased: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Reclaimed:
    """What was found under leases that ran out."""

    requeued: int = 0
    resent: int = 0
    held: int = 0


#: Per lane, what is due and not leased. Served by batch_waiting; reads as many rows as there are waiting batches.
_DEPTHS = """
    SELECT lane, sum(size), min(due_at)
      FROM notifications_batch
     WHERE lease_id IS NULL AND due_at <= %(at)s
     GROUP BY lane
"""

#: Reads every batch, of up to 500 deliveries each: never the log.
_LOADS = """
    SELECT lane,
           coalesce(sum(size) FILTER (WHERE lease_id IS NULL AND due_at <= %(at)s), 0),
           coalesce(sum(size) FILTER (WHERE lease_id IS NULL AND due_at > %(at)s), 0),
           coalesce(sum(size) FILTER (WHERE lease_id IS NOT NULL), 0),
           min(due_at) FILTER (WHERE lease_id IS NULL AND due_at <= %(at)s)
      FROM notifications_batch
     GROUP BY lane
"""

#: When the next in a lane is due. Served by batch_waiting; reads one row.
_NEXT = "SELECT min(due_at) FROM notifications_batch WHERE lane = %(lane)s AND lease_id IS NULL"

_PATIENCE = "SELECT set_config('statement_timeout', %(milliseconds)s, true)"

#: A few batches whose lease ran out; another sweep at the same moment takes others. Served by batch_leased.
_EXPIRED = """
    SELECT id, lane, delivery_ids
      FROM notifications_batch
     WHERE lease_id IS NOT NULL AND lease_until < %(at)s
     ORDER BY lease_until
     LIMIT %(limit)s
       FOR UPDATE SKIP LOCKED
"""

#: sending → uncertain: they may have left the machine with the worker that vanished. By primary key.
_DOUBT = """
    UPDATE notifications_delivery AS delivery
       SET state = 'uncertain', reason = 'worker_lost'
      FROM notifications_notification AS notification
      JOIN accounts_category AS category ON category.id = notification.category_id
     WHERE delivery.id = ANY(%(ids)s)
       AND delivery.state = 'sending'
       AND notification.id = delivery.notification_id
    RETURNING delivery.id, delivery.queue, delivery.attempt, category.in_doubt = 'resend'
"""

#: uncertain → retrying, where the category would rather send twice than not at all. By primary key.
_RESEND = """
    UPDATE notifications_delivery
       SET state = 'retrying', due_at = %(at)s, failures = failures + 1
     WHERE id = ANY(%(ids)s) AND state = 'uncertain'
    RETURNING id, queue
"""

#: Which of a batch's deliveries never left: they simply wait again. By primary key.
_UNTOUCHED = """
    SELECT id
      FROM notifications_delivery
     WHERE id = ANY(%(ids)s) AND state IN ('scheduled', 'queued', 'retrying')
"""

_DELETE = "DELETE FROM notifications_batch WHERE id = ANY(%(ids)s)"

_FORGET = "DELETE FROM notifications_idempotencykey WHERE created_at < %(before)s"


def depths(at: datetime) -> list[LaneDepth]:
    """Every lane in which something is due and in nobody's hands."""
    with connection.cursor() as cursor:
        cursor.execute(_DEPTHS, {"at": at})
        return [LaneDepth(Lane(lane), int(waiting), oldest) for lane, waiting, oldest in cursor.fetchall()]


def loads(at: datetime) -> list[LaneLoad]:
    """Every lane in which there is anything, in the order in which people know them."""
    with connection.cursor() as cursor:
        cursor.execute(_LOADS, {"at": at})
        found = {
            lane: LaneLoad(Lane(lane), int(due), int(waiting), int(leased), oldest)
            for lane, due, waiting, leased, oldest in cursor.fetchall()
        }
    return [found[lane] for lane in Lane if lane in found]


def next_due(lane: Lane) -> datetime | None:
    """When the next of what waits in a lane, in nobody's hands, is due; None where nothing waits."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"lane": lane})
        due_at: datetime | None = cursor.fetchone()[0]
    return due_at


def depths_within(at: datetime, patience: timedelta) -> list[LaneDepth]:
    """`depths`, for somebody who looks whether the database hangs. Raises `OperationalError` after `patience`."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_PATIENCE, {"milliseconds": str(int(patience.total_seconds() * 1000))})
        return depths(at)


def reclaim(at: datetime, *, limit: int = 200) -> Reclaimed:
    """Settle up to `limit` batches whose worker did not come back.

    1. What was being sent becomes uncertain, with an event that says why.
    2. Where the category wants at least once, it is queued again on the retry lane; else a receipt or an operator
       decides.
    3. What had not been touched waits again in its lane.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_EXPIRED, {"at": at, "limit": limit})
        batches = cursor.fetchall()
        if not batches:
            return Reclaimed()
        ids = [delivery_id for _, _, together in batches for delivery_id in together]
        cursor.execute(_DOUBT, {"ids": ids})
        doubted = cursor.fetchall()
        append_events([Event(row[0], at, row[2], EventKind.UNCERTAIN, Reason.WORKER_LOST) for row in doubted])
        resend = [row[0] for row in doubted if row[3]]
        cursor.execute(_RESEND, {"ids": resend, "at": at})
        again = [((Lane(queue).retry, at), delivery_id) for delivery_id, queue in cursor.fetchall()]
        cursor.execute(_UNTOUCHED, {"ids": ids})
        untouched = {row[0] for row in cursor.fetchall()} - set(resend)
        back = [((Lane(lane), at), delivery_id) for _, lane, together in batches for delivery_id in together
                if delivery_id in untouched]  # fmt: skip
        enqueue([*again, *back])
        cursor.execute(_DELETE, {"ids": [row[0] for row in batches]})
    return Reclaimed(requeued=len(back), resent=len(again), held=len(doubted) - len(again))


def forget_answers(before: datetime) -> int:
    """Delete the answers to idempotency keys that are older than `before`; says how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"before": before})
        return int(cursor.rowcount)
