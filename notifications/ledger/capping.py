"""What people were sent, or are to be sent, as far as frequency caps look back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from accounts.channels import Channel
from accounts.ids import array_of, floor_of


@dataclass(frozen=True, slots=True)
class Counted:
    """One message on one channel: when it left or is to leave, and the name under which caps know it."""

    recipient_id: UUID
    category_id: UUID
    channel: Channel
    at: datetime
    name: str


#: Messages of some people, each once however many devices it went to. Served by delivery_recipient, in the partitions
#: of the days on which they may have been planned: what is held until later is of an earlier day.
_SINCE = """
    SELECT delivery.recipient_id, notification.category_id, delivery.channel,
           min(coalesce(delivery.sent_at, delivery.due_at, %(epoch)s::timestamptz
                        + ('x' || lpad(left(replace(delivery.id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint
                          * interval '1 millisecond')),
           delivery.notification_id || ' ' || delivery.channel
      FROM notifications_delivery AS delivery
      JOIN notifications_notification AS notification ON notification.id = delivery.notification_id
     WHERE delivery.recipient_id = ANY(%(recipients)s::uuid[])
       AND delivery.id >= %(planned_since)s
       AND notification.id >= %(planned_since)s
       AND delivery.state NOT IN ('suppressed', 'cancelled', 'expired')
     GROUP BY delivery.recipient_id, notification.category_id, delivery.channel, delivery.notification_id
"""


def since(recipients: Sequence[UUID], moment: datetime, *, planned_since: datetime) -> list[Counted]:
    """What these people were sent since a moment, or are to be sent yet, in one query."""
    if not recipients:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _SINCE,
            {
                "recipients": array_of(recipients),
                "planned_since": floor_of(planned_since),
                "epoch": "1970-01-01 00:00:00+00",
            },
        )
        found = [Counted(row[0], row[1], Channel(row[2]), row[3], row[4]) for row in cursor.fetchall()]
    return [one for one in found if one.at > moment]
