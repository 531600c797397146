"""What still has to be done: batches of deliveries that wait in a lane."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from accounts.ids import array_of, new_id
from notifications.ledger.copying import Rows, copy_in
from notifications.models import BATCH_SIZE, Batch
from notifications.vocabulary import Lane

#: Whose some deliveries are, and which of those notifications come to be of no use. Both by primary key, and apart: a
#: join is planned as a scan over the day.
_OWNERS = "SELECT id, notification_id FROM notifications_delivery WHERE id = ANY(%(ids)s::uuid[])"
_EXPIRIES = """
    SELECT id, expires_at
      FROM notifications_notification
     WHERE id = ANY(%(ids)s::uuid[]) AND expires_at IS NOT NULL
"""

#: When a delivery is due, and in which lane.
Due = tuple[Lane, datetime]


def enqueue(waiting: Iterable[tuple[Due, UUID]]) -> set[Due]:
    """Write batches for deliveries that wait; in the transaction that makes them wait. Gives the lanes and times."""
    by_due = grouped(waiting)
    expiries = _expiries([delivery_id for ids in by_due.values() for delivery_id in ids])
    rows = batch_rows(by_due, lambda ids: min((expiries[one] for one in ids if one in expiries), default=None))
    copy_in(rows.table, rows.columns, rows.rows)
    return set(by_due)


def batch_rows(by_due: Mapping[Due, Sequence[UUID]], expires_at: Callable[[Sequence[UUID]], datetime | None]) -> Rows:
    """The rows of the batches in which deliveries wait; `expires_at` says when the first of some is of no use."""
    return Rows(
        Batch._meta.db_table,
        ("id", "lane", "due_at", "expires_at", "size", "delivery_ids"),
        [
            (new_id(), lane, due_at, expires_at(ids), len(ids), ids)
            for (lane, due_at), together in by_due.items()
            for start in range(0, len(together), BATCH_SIZE)
            for ids in [together[start : start + BATCH_SIZE]]
        ],
    )


def _expiries(delivery_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """When each delivery is of no use any more, of those that ever come to that."""
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS, {"ids": array_of(delivery_ids)})
        owners = dict(cursor.fetchall())
        cursor.execute(_EXPIRIES, {"ids": array_of(set(owners.values()))})
        expiries = dict(cursor.fetchall())
    return {one: expiries[owner] for one, owner in owners.items() if owner in expiries}


def grouped(waiting: Iterable[tuple[Due, UUID]]) -> Mapping[Due, Sequence[UUID]]:
    """Deliveries by when and where they are due."""
    by_due: defaultdict[Due, list[UUID]] = defaultdict(list)
    for due, delivery_id in waiting:
        by_due[due].append(delivery_id)
    return by_due
