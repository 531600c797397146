"""What waits past the moment at which it is of no use any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from accounts.ids import array_of
from notifications.ledger.batches import enqueue
from notifications.ledger.events import Event, append_events
from notifications.vocabulary import EventKind, Lane, Queue, Reason


@dataclass(frozen=True, slots=True)
class Overdue:
    """What one round did: the batches that it looked at, and the queue of every delivery that it ended."""

    batches: int
    expired: Sequence[Queue]


#: A few waiting batches that hold something too late; what a worker is just claiming is left to it. Served by
#: batch_expiring.
_TAKE = """
    SELECT id, lane, due_at, delivery_ids
      FROM notifications_batch
     WHERE lease_id IS NULL AND expires_at <= %(at)s
     ORDER BY expires_at
     LIMIT %(limit)s
       FOR UPDATE SKIP LOCKED
"""

#: Whose they are, and which of those notifications are too late. By primary key.
_OWNERS = "SELECT DISTINCT notification_id FROM notifications_delivery WHERE id = ANY(%(ids)s::uuid[])"
_LATE = "SELECT id FROM notifications_notification WHERE id = ANY(%(ids)s::uuid[]) AND expires_at <= %(at)s"

#: scheduled, queued, retrying → expired. By primary key.
_EXPIRE = """
    UPDATE notifications_delivery
       SET state = 'expired', reason = 'expired', due_at = NULL
     WHERE id = ANY(%(ids)s::uuid[])
       AND notification_id = ANY(%(late)s::uuid[])
       AND state IN ('scheduled', 'queued', 'retrying')
    RETURNING id, queue, attempt
"""

#: What else stands in those batches and goes on waiting. By primary key.
_WAITING = """
    SELECT id
      FROM notifications_delivery
     WHERE id = ANY(%(ids)s::uuid[]) AND state IN ('scheduled', 'queued', 'retrying')
"""

_DELETE = "DELETE FROM notifications_batch WHERE id = ANY(%(ids)s::uuid[])"


def expire(at: datetime, *, limit: int = 50) -> Overdue:
    """End what is too late in up to `limit` batches, in one transaction; the rest of them waits as it did."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE, {"at": at, "limit": limit})
        batches = cursor.fetchall()
        if not batches:
            return Overdue(0, ())
        ids = array_of({delivery_id for *_, together in batches for delivery_id in together})
        cursor.execute(_OWNERS, {"ids": ids})
        owners = array_of(row[0] for row in cursor.fetchall())
        cursor.execute(_LATE, {"ids": owners, "at": at})
        late = array_of(row[0] for row in cursor.fetchall())
        cursor.execute(_EXPIRE, {"ids": ids, "late": late})
        expired = cursor.fetchall()
        append_events([Event(row[0], at, row[2], EventKind.EXPIRED, Reason.EXPIRED) for row in expired])
        cursor.execute(_WAITING, {"ids": ids})
        waiting = {row[0] for row in cursor.fetchall()}
        enqueue(
            ((Lane(lane), due_at), delivery_id)
            for _, lane, due_at, together in batches
            for delivery_id in together
            if delivery_id in waiting
        )
        cursor.execute(_DELETE, {"ids": array_of(row[0] for row in batches)})
    return Overdue(len(batches), [Queue(row[1]) for row in expired])
