"""Dead letters: how many there are, and another try for those that an operator chooses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from accounts.ids import array_of
from notifications.ledger.batches import enqueue
from notifications.ledger.events import Event, append_events
from notifications.models import DeadLetter
from notifications.vocabulary import EventKind, Lane, Queue


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters are meant; what is empty asks for nothing."""

    delivery_ids: tuple[UUID, ...] = ()
    notification_id: UUID | None = None
    queue: Queue | None = None
    account: str = ""
    #: Those alone whose attempts were used up by then: what fails once more is not tried without end.
    until: datetime | None = None


class Replayed(NamedTuple):
    """What one step came to: dead letters that are gone, how many of them are queued again, and in which lanes.

    A dead letter whose delivery has not failed any more, as after a late receipt, is gone and not queued.
    """

    taken: int
    again: int
    lanes: set[Lane]


#: Some dead letters, gone with the commit that queues their deliveries again; another replay at the same moment takes
#: others. Served by the primary key, dead_letter_of_notification or dead_letter_queue.
_TAKE = """
    DELETE FROM notifications_deadletter
     WHERE delivery_id = ANY(ARRAY(SELECT delivery_id
                                     FROM notifications_deadletter
                                    WHERE (%(ids)s = '{}' OR delivery_id = ANY(%(ids)s::uuid[]))
                                      AND (%(notification)s::uuid IS NULL OR notification_id = %(notification)s::uuid)
                                      AND (%(queue)s = '' OR queue = %(queue)s)
                                      AND (%(account)s = '' OR account = %(account)s)
                                      AND (%(until)s::timestamptz IS NULL OR at <= %(until)s::timestamptz)
                                    ORDER BY at
                                    LIMIT %(limit)s
                                      FOR UPDATE SKIP LOCKED))
    RETURNING delivery_id
"""

#: failed → retrying, with all attempts before it again. By primary key.
_AGAIN = """
    UPDATE notifications_delivery
       SET state = 'retrying', reason = '', failures = 0, due_at = %(at)s
     WHERE id = ANY(%(ids)s::uuid[]) AND state = 'failed'
    RETURNING id, queue, attempt
"""

#: Those of the latest alone, as many as `most`: where there are a million, nobody waits for their number.
_COUNT_LATEST = """
    SELECT queue, count(*)
      FROM (SELECT queue FROM notifications_deadletter ORDER BY delivery_id DESC LIMIT %(most)s) AS latest
     GROUP BY queue
     ORDER BY queue
"""

_COUNT = "SELECT queue, count(*) FROM notifications_deadletter GROUP BY queue"


def replay(choice: Choice, at: datetime, *, limit: int = 1000) -> Replayed:
    """Queue up to `limit` dead letters again, the oldest first."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                "ids": array_of(choice.delivery_ids),
                "notification": choice.notification_id,
                "queue": choice.queue or "",
                "account": choice.account,
                "until": choice.until,
                "limit": limit,
            },
        )
        ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return Replayed(0, 0, set())
        cursor.execute(_AGAIN, {"ids": array_of(ids), "at": at})
        again = cursor.fetchall()
        append_events([Event(row[0], at, row[2], EventKind.REPLAYED) for row in again])
        dues = enqueue([((Lane(queue).retry, at), delivery_id) for delivery_id, queue, _ in again])
    return Replayed(len(ids), len(again), {lane for lane, _ in dues})


def dead_letters_of(notification_ids: Sequence[UUID], until: datetime) -> int:
    """How many deliveries of some notifications had used up their attempts by a moment.

    Served by dead_letter_of_notification alone: a million take a tenth of a second.
    """
    return DeadLetter.objects.filter(notification_id__in=notification_ids, at__lte=until).count()


def dead_letters() -> dict[Queue, int]:
    """How many there are, by queue."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT)
        return {Queue(queue): int(count) for queue, count in cursor.fetchall()}


def latest_dead_letters(most: int) -> dict[Queue, int]:
    """How many of the latest there are, by queue; `most` of them at most."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_LATEST, {"most": most})
        return {Queue(queue): int(count) for queue, count in cursor.fetchall()}
