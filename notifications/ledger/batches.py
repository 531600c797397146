"""What still has to be done: batches of deliveries that wait in a lane."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from accounts.ids import new_id
from notifications.ledger.copying import Rows, copy_in
from notifications.models import BATCH_SIZE, Batch
from notifications.vocabulary import Lane

#: When a delivery is due, and in which lane.
Due = tuple[Lane, datetime]


def enqueue(waiting: Iterable[tuple[Due, UUID]]) -> set[Due]:
    """Write batches for deliveries that wait; in the transaction that makes them wait. Gives the lanes and times."""
    by_due = grouped(waiting)
    rows = batch_rows(by_due)
    copy_in(rows.table, rows.columns, rows.rows)
    return set(by_due)


def batch_rows(by_due: Mapping[Due, Sequence[UUID]]) -> Rows:
    """The rows of the batches in which deliveries wait."""
    return Rows(
        Batch._meta.db_table,
        ("id", "lane", "due_at", "size", "delivery_ids"),
        [
            (new_id(), lane, due_at, len(ids), ids)
            for (lane, due_at), together in by_due.items()
            for start in range(0, len(together), BATCH_SIZE)
            for ids in [together[start : start + BATCH_SIZE]]
        ],
    )


def grouped(waiting: Iterable[tuple[Due, UUID]]) -> Mapping[Due, Sequence[UUID]]:
    """Deliveries by when and where they are due."""
    by_due: defaultdict[Due, list[UUID]] = defaultdict(list)
    for due, delivery_id in waiting:
        by_due[due].append(delivery_id)
    return by_due
