"""What still has to be done: batches of deliveries that wait in a lane."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from accounts.ids import new_id
from notifications.ledger.copying import copy_in
from notifications.models import BATCH_SIZE, Batch
from notifications.vocabulary import Lane

#: When a delivery is due, and in which lane.
Due = tuple[Lane, datetime]


def enqueue(waiting: Iterable[tuple[Due, UUID]]) -> set[Due]:
    """Write batches for deliveries that wait; in the transaction that makes them wait. Gives the lanes and times."""
    by_due: defaultdict[Due, list[UUID]] = defaultdict(list)
    for due, delivery_id in waiting:
        by_due[due].append(delivery_id)
    copy_in(
        Batch._meta.db_table,
        ("id", "lane", "due_at", "size", "delivery_ids"),
        [
            (new_id(), lane, due_at, len(ids), ids)
            for (lane, due_at), together in by_due.items()
            for start in range(0, len(together), BATCH_SIZE)
            for ids in [together[start : start + BATCH_SIZE]]
        ],
    )
    return set(by_due)
