"""Notifications of which nothing leaves for a while, and their going on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from accounts.ids import array_of
from notifications.planning.retry import LONGEST_PAUSE
from notifications.vocabulary import Lane

#: By primary key. What a worker has claimed by then still leaves; whatever is claimed from here on is put off.
_PAUSE = """
    UPDATE notifications_notification
       SET paused_at = %(at)s
     WHERE id = ANY(%(ids)s::uuid[]) AND paused_at IS NULL
"""

_RESUME = """
    UPDATE notifications_notification
       SET paused_at = NULL
     WHERE id = ANY(%(ids)s::uuid[]) AND paused_at IS NOT NULL
"""

#: What was put off waits in retry lanes, in batches of what was put off together: one that has something of these
#: notifications in it is due now, and the little else that may be in it is put off again. Served by batch_waiting; of
#: each batch, deliveries are looked up by primary key until one is found. A batch that a worker holds is put off once
#: more at most.
_HURRY = """
    WITH put_off AS (
        SELECT id
          FROM notifications_batch AS batch
         WHERE lane = ANY(%(lanes)s) AND lease_id IS NULL AND due_at > %(at)s AND due_at <= %(latest)s
           AND EXISTS (SELECT 1
                         FROM notifications_delivery AS delivery
                        WHERE delivery.id = ANY(batch.delivery_ids)
                          AND delivery.state = 'retrying'
                          AND delivery.reason = 'paused'
                          AND delivery.notification_id = ANY(%(ids)s::uuid[]))
         ORDER BY id
           FOR UPDATE SKIP LOCKED
    )
    UPDATE notifications_batch AS batch
       SET due_at = %(at)s
      FROM put_off
     WHERE batch.id = put_off.id
    RETURNING lane
"""

_RETRY_LANES: Final = sorted({lane.retry for lane in Lane})


def pause(notification_ids: Sequence[UUID], at: datetime) -> None:
    """Let nothing more of some notifications leave. Repeating it changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_PAUSE, {"ids": array_of(notification_ids), "at": at})


def resume(notification_ids: Sequence[UUID], at: datetime) -> set[Lane]:
    """Let some notifications go on, and what was put off meanwhile at once; says in which lanes that waits.

    One that was cancelled stays so.
    """
    ids = array_of(notification_ids)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_RESUME, {"ids": ids})
        latest = at + LONGEST_PAUSE + timedelta(seconds=1)
        cursor.execute(_HURRY, {"ids": ids, "lanes": _RETRY_LANES, "at": at, "latest": latest})
        return {Lane(lane) for (lane,) in cursor.fetchall()}
