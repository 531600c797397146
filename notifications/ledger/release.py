"""A worker that ends gives back what it did not send."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from notifications.ledger.batches import enqueue
from notifications.ledger.claim import Claimed, Lease

#: sending → queued: it never left, so the next worker may send it at once. By primary key. `attempt` is the fence, as
#: in `record`: the attempt that was not made stays counted, because its number must never be given out again.
_GIVE_BACK = """
    UPDATE notifications_delivery AS delivery
       SET state = 'queued', due_at = %(at)s
      FROM unnest(%(ids)s::uuid[], %(attempts)s::smallint[]) AS unsent (id, attempt)
     WHERE delivery.id = unsent.id
       AND delivery.id = ANY(%(ids)s)
       AND delivery.state = 'sending'
       AND delivery.attempt = unsent.attempt
    RETURNING delivery.id
"""


def release(unsent: Sequence[Claimed], lease: Lease, at: datetime) -> int:
    """Let deliveries of `lease` that never left wait in its lane again, due at once; says how many.

    For those alone of which that is certain. What a worker that lost its lease gives back is left out.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _GIVE_BACK, {"ids": [one.id for one in unsent], "attempts": [one.attempt for one in unsent], "at": at}
        )
        back = [row[0] for row in cursor.fetchall()]
        enqueue([((lease.lane, at), delivery_id) for delivery_id in back])
    return len(back)
