"""Receipts that never come: nobody waits for them for ever."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from accounts.ids import array_of, new_id

_AWAIT: Final = """
    INSERT INTO notifications_awaitedreceipts (id, due_at, delivery_ids)
    VALUES (%(id)s, %(due_at)s, %(ids)s::uuid[])
"""

#: What is due, and gone with the commit that marks it. Served by awaited_receipts_due.
_TAKE: Final = """
    DELETE FROM notifications_awaitedreceipts
     WHERE id = ANY(ARRAY(SELECT id
                            FROM notifications_awaitedreceipts
                           WHERE due_at <= %(at)s
                           ORDER BY due_at
                           LIMIT %(limit)s
                             FOR UPDATE SKIP LOCKED))
    RETURNING delivery_ids
"""

#: sent, still: the state stays, because the provider did take it and a late receipt is welcome. By primary key.
_GIVE_UP: Final = """
    UPDATE notifications_delivery
       SET reason = 'no_receipt'
     WHERE id = ANY(%(ids)s::uuid[])
       AND state = 'sent'
       AND reason = ''
    RETURNING queue
"""


def await_receipts(ids: Sequence[UUID], at: datetime) -> None:
    """Note that these were sent at about `at`, and that receipts of them are to come; in the caller's transaction."""
    if not ids:
        return
    due_at = at + timedelta(hours=settings.RECEIPT_HOURS)
    with connection.cursor() as cursor:
        cursor.execute(_AWAIT, {"id": new_id(), "due_at": due_at, "ids": array_of(ids)})


def give_up(at: datetime, *, limit: int = 20) -> Sequence[str] | None:
    """Mark deliveries of up to `limit` rows that are due and whose receipts have not come; the queue of each.

    None where nothing was due.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE, {"at": at, "limit": limit})
        rows = cursor.fetchall()
        if not rows:
            return None
        cursor.execute(_GIVE_UP, {"ids": array_of(delivery_id for (ids,) in rows for delivery_id in ids)})
        return [queue for (queue,) in cursor.fetchall()]
