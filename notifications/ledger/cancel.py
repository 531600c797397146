"""Withdraw what has not been sent."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from accounts.ids import floor_of, instant_of
from notifications.ledger import escalations
from notifications.ledger.append import append_dropped
from notifications.ledger.events import Event, append_events
from notifications.planning.values import Drop
from notifications.vocabulary import EventKind, Reason

#: A walk through the notification's audience ends here; one that is just appending a chunk is waited for.
_STOP_WALK = """
    UPDATE notifications_audience
       SET finished_at = %(at)s, lease_id = NULL, lease_until = NULL
     WHERE notification_id = %(id)s AND finished_at IS NULL
"""

_MARK = """
    UPDATE notifications_notification
       SET cancelled_at = %(at)s
     WHERE id = %(id)s AND cancelled_at IS NULL
"""

#: scheduled, queued, retrying → cancelled. Served by delivery_notification. What a worker holds is too late: the row
#: lock decides between a claim and this.
_CANCEL = """
    UPDATE notifications_delivery
       SET state = 'cancelled', reason = 'cancelled', due_at = NULL
     WHERE notification_id = %(id)s
       AND id >= %(first)s
       AND state IN ('scheduled', 'queued', 'retrying')
    RETURNING id, attempt
"""

_LEFT = """
    SELECT count(*)
      FROM notifications_delivery
     WHERE notification_id = %(id)s
       AND id >= %(first)s
       AND state NOT IN ('cancelled', 'suppressed')
"""


_DROP = Drop(Reason.CANCELLED)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """How many deliveries were withdrawn, and for how many it was too late."""

    cancelled: int
    too_late: int


def cancel(notification_id: UUID, at: datetime) -> Cancelled:
    """Withdraw every delivery of a notification that no worker holds. Repeating it withdraws nothing more.

    Their batches stay: a worker that comes for them finds nothing to claim.
    """
    first = floor_of(instant_of(notification_id))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_STOP_WALK, {"id": notification_id, "at": at})
        cursor.execute(_MARK, {"id": notification_id, "at": at})
        # one that is just going on is waited for, and what comes of it is withdrawn below
        append_dropped(
            [drop for row in escalations.withdraw(notification_id) for drop in escalations.left_out(row, _DROP)]
        )
        cursor.execute(_CANCEL, {"id": notification_id, "first": first})
        withdrawn = cursor.fetchall()
        append_events(
            [
                Event(delivery_id, at, attempt, EventKind.CANCELLED, Reason.CANCELLED)
                for delivery_id, attempt in withdrawn
            ]
        )
        cursor.execute(_LEFT, {"id": notification_id, "first": first})
        (left,) = cursor.fetchone()
    return Cancelled(len(withdrawn), left)
