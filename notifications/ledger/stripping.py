"""Lines of the log lose what they say of a person; that something was sent, and how it ended, stays to be counted."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from accounts.ids import array_of, floor_of, instant_of
from notifications.ledger.events import Event, append_events
from notifications.models import DeliveryEvent
from notifications.vocabulary import DeliveryState, EventKind, Reason

#: Deliveries that lose their person in one transaction, and answers that are read in one.
TOGETHER: Final = 500

#: scheduled, queued, retrying → cancelled; every other state stays. What a worker is sending at this moment loses its
#: address, so that no other attempt is made, and keeps the id of somebody who is gone: by that it is found when the
#: worker has noted what came of it. By primary key.
_STRIP = """
    UPDATE notifications_delivery AS delivery
       SET recipient_id = CASE WHEN delivery.state = 'sending' THEN %(person)s ELSE NULL END,
           device_id = NULL, address = '', data = NULL, provider_ref = '',
           state = CASE WHEN before.waits THEN 'cancelled' ELSE state END,
           reason = CASE WHEN before.waits THEN 'erased' ELSE reason END,
           due_at = CASE WHEN before.waits THEN NULL ELSE due_at END
      FROM unnest(%(ids)s::uuid[], %(waits)s::boolean[]) AS before (id, waits)
     WHERE delivery.id = before.id AND delivery.id = ANY(%(ids)s::uuid[])
    RETURNING delivery.id, delivery.attempt, before.waits
"""

#: What providers wrote may hold an address. Each delivery's events are one range of the primary key; the ranges alone
#: join, because PostgreSQL would read a whole day's events for anything it can hash.
_EVENTS = """
    UPDATE notifications_deliveryevent AS event
       SET detail = '', provider_ref = ''
      FROM unnest(%(firsts)s::uuid[], %(lasts)s::uuid[]) AS range (first, last)
     WHERE event.id BETWEEN range.first AND range.last
       AND (event.detail <> '' OR event.provider_ref <> '')
"""

_DEAD_LETTERS = "DELETE FROM notifications_deadletter WHERE delivery_id = ANY(%(ids)s::uuid[])"

#: Few wait at any time.
_RECEIPTS = "UPDATE notifications_pendingreceipt SET detail = '' WHERE delivery_id = ANY(%(ids)s::uuid[])"

#: What was said to a person alone goes; what was said to others as well, or to an audience, is theirs too. The look for
#: others is written so that it is made once a notification, by delivery_notification, and ends with the first.
_NOTIFICATIONS = """
    UPDATE notifications_notification AS notification
       SET data = '{}'
     WHERE notification.id = ANY(%(ids)s::uuid[])
       AND notification.data <> '{}'
       AND (SELECT audience.notification_id
              FROM notifications_audience AS audience
             WHERE audience.notification_id = notification.id) IS NULL
       AND (SELECT delivery.id
              FROM notifications_delivery AS delivery
             WHERE delivery.notification_id = notification.id
               AND delivery.id >= %(first)s
               AND (delivery.recipient_id IS NOT NULL OR delivery.address <> '')
             LIMIT 1) IS NULL
"""

#: The next answers that are kept, and which of them name somebody. In the order of the primary key. Requests that came
#: after the erasure speak of somebody else, who has the same external id.
_ANSWERS = """
    SELECT id, position(%(name)s IN answer) > 0
      FROM notifications_idempotencykey
     WHERE id > %(place)s AND id < %(before)s
     ORDER BY id
     LIMIT %(limit)s
"""

_UNNAME = """
    UPDATE notifications_idempotencykey
       SET answer = replace(answer, %(name)s, '"recipient": "erased"')
     WHERE id = ANY(%(ids)s::uuid[])
"""

_FIRST = UUID(int=0)
_WAITS = {state.value for state in (DeliveryState.SCHEDULED, DeliveryState.QUEUED, DeliveryState.RETRYING)}


def strip(rows: QuerySet[Any], person_id: UUID, at: datetime) -> int:
    """The next of these deliveries lose their person, in a transaction; how many. What waits is cancelled.

    What somebody else is changing at this moment is left until the next time.
    """
    sending = {"state": DeliveryState.SENDING.value, "address": "", "device": None, "data": None}
    found = list(
        rows.exclude(recipient=person_id, **sending)
        .select_for_update(skip_locked=True, of=("self",))
        .values_list("pk", "notification_id", "state")[:TOGETHER]
    )
    if not found:
        return 0
    ids = [row[0] for row in found]
    notifications = sorted({row[1] for row in found})
    ranges = [DeliveryEvent.range_of(delivery_id) for delivery_id in ids]
    with connection.cursor() as cursor:
        waits = [row[2] in _WAITS for row in found]
        cursor.execute(_STRIP, {"ids": array_of(ids), "waits": waits, "person": person_id})
        withdrawn = [(delivery_id, attempt) for delivery_id, attempt, waited in cursor.fetchall() if waited]
        firsts, lasts = zip(*ranges, strict=True)
        cursor.execute(_EVENTS, {"firsts": array_of(firsts), "lasts": array_of(lasts)})
        cursor.execute(_DEAD_LETTERS, {"ids": array_of(ids)})
        cursor.execute(_RECEIPTS, {"ids": array_of(ids)})
        cursor.execute(
            _NOTIFICATIONS, {"ids": array_of(notifications), "first": floor_of(instant_of(notifications[0]))}
        )
    append_events(
        [Event(delivery_id, at, attempt, EventKind.CANCELLED, Reason.ERASED) for delivery_id, attempt in withdrawn]
    )
    return len(ids)


def unname(external_id: str, place: UUID | None, before: datetime) -> tuple[int, bool, UUID | None]:
    """The next answers after `place` no longer name somebody: how many did, whether they were the last, and the place.

    An external id needs no escaping in JSON, so it stands in an answer as it is.
    """
    name = f'"recipient": "{external_id}"'
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {"name": name, "place": place or _FIRST, "before": floor_of(before), "limit": TOGETHER}
        cursor.execute(_ANSWERS, asked)
        read = cursor.fetchall()
        naming = [answer_id for answer_id, names in read if names]
        if naming:
            cursor.execute(_UNNAME, {"name": name, "ids": array_of(naming)})
    return len(naming), len(read) < TOGETHER, read[-1][0] if read else place
