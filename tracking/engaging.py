"""What people did becomes a row a delivery, and is added to the roll-ups: set by set, in one transaction.

Everybody who writes here locks in one order: conversions, then engagements by delivery, then roll-ups by their key. So
two at once wait for each other and never in a circle.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import connection

from accounts.ids import array_of
from notifications.models.turnouts import NO_PART
from tracking.models import ReactionKind


class News(msgspec.Struct, frozen=True, gc=False):
    """One thing that was done with a delivery."""

    delivery_id: UUID
    kind: ReactionKind
    at: datetime


class Found(msgspec.Struct, frozen=True, gc=False):
    """What the log says of a delivery that somebody did something with."""

    id: UUID
    notification_id: UUID
    recipient_id: UUID | None
    channel: str
    state: str


#: Ids as arrays: PostgreSQL then looks into the partitions of their days alone. By primary key.
_FIND = """
    SELECT id, notification_id, recipient_id, channel, state
      FROM notifications_delivery
     WHERE id = ANY(%(ids)s::uuid[])
"""

#: Few: a campaign has one for each of its variants. By primary key.
_PURPOSES = """
    SELECT id, version_id, part_of, mode
      FROM notifications_notification
     WHERE id = ANY(%(ids)s::uuid[])
"""

#: A row for each delivery that had none.
_BEGIN = """
    INSERT INTO tracking_engagement
           (delivery_id, notification_id, recipient_id, channel, version_id, part_of, mode, opens, clicks)
    SELECT found.id, found.notification_id, found.recipient_id, found.channel,
           purpose.version_id, purpose.part_of, purpose.mode, 0, 0
      FROM unnest(%(ids)s::uuid[], %(notifications)s::uuid[], %(recipients)s::uuid[], %(channels)s::text[])
           AS found (id, notification_id, recipient_id, channel)
      JOIN unnest(%(purposes)s::uuid[], %(versions)s::uuid[], %(parts)s::uuid[], %(modes)s::text[])
           AS purpose (id, version_id, part_of, mode) ON purpose.id = found.notification_id
     ORDER BY found.id
        ON CONFLICT (delivery_id) DO NOTHING
"""

#: Whoever comes second sees, after this, what the first has written.
_LOCK = """
    SELECT delivery_id
      FROM tracking_engagement
     WHERE delivery_id = ANY(%(ids)s::uuid[])
     ORDER BY delivery_id
       FOR UPDATE
"""

#: `people` is who did it for the first time, and counts in the hour of the first of this news; a piece that is told
#: later and is older moves the engagement's moment back, and no count. The counts read what was there before the
#: update, as all parts of one statement do.
_ENGAGE = """
    WITH news AS MATERIALIZED (
        SELECT delivery_id, kind, at, row_number() OVER (PARTITION BY delivery_id, kind ORDER BY at) = 1 AS leads
          FROM unnest(%(ids)s::uuid[], %(kinds)s::text[], %(ats)s::timestamptz[]) AS told (delivery_id, kind, at)
    ), counted AS (
        SELECT date_trunc('hour', news.at, 'UTC') AS hour, version_id, part_of, channel, news.kind,
               count(*) FILTER (WHERE leads AND CASE news.kind WHEN 'opened' THEN opened_at
                                                               WHEN 'machine_opened' THEN machine_opened_at
                                                               WHEN 'clicked' THEN clicked_at
                                                               WHEN 'converted' THEN converted_at
                                                               WHEN 'unsubscribed' THEN unsubscribed_at
                                                               WHEN 'complained' THEN complained_at
                                                END IS NULL) AS people,
               count(*) AS times
          FROM news
          JOIN tracking_engagement AS engagement
            ON engagement.delivery_id = news.delivery_id AND engagement.delivery_id = ANY(%(ids)s::uuid[])
         GROUP BY 1, 2, 3, 4, 5
    ), summed AS (
        SELECT delivery_id,
               min(at) FILTER (WHERE kind = 'opened') AS opened_at,
               min(at) FILTER (WHERE kind = 'machine_opened') AS machine_opened_at,
               min(at) FILTER (WHERE kind = 'clicked') AS clicked_at,
               max(at) FILTER (WHERE kind = 'clicked') AS last_clicked_at,
               min(at) FILTER (WHERE kind = 'converted') AS converted_at,
               min(at) FILTER (WHERE kind = 'unsubscribed') AS unsubscribed_at,
               min(at) FILTER (WHERE kind = 'complained') AS complained_at,
               count(*) FILTER (WHERE kind = 'opened') AS opens,
               count(*) FILTER (WHERE kind = 'clicked') AS clicks
          FROM news
         GROUP BY delivery_id
    ), engaged AS (
        UPDATE tracking_engagement AS engagement
           SET opened_at = least(engagement.opened_at, summed.opened_at),
               machine_opened_at = least(engagement.machine_opened_at, summed.machine_opened_at),
               clicked_at = least(engagement.clicked_at, summed.clicked_at),
               last_clicked_at = greatest(engagement.last_clicked_at, summed.last_clicked_at),
               converted_at = least(engagement.converted_at, summed.converted_at),
               unsubscribed_at = least(engagement.unsubscribed_at, summed.unsubscribed_at),
               complained_at = least(engagement.complained_at, summed.complained_at),
               opens = engagement.opens + summed.opens,
               clicks = engagement.clicks + summed.clicks
          FROM summed
         WHERE engagement.delivery_id = summed.delivery_id AND engagement.delivery_id = ANY(%(ids)s::uuid[])
    )
    INSERT INTO tracking_reactioncount AS roll (hour, version_id, part_of, channel, kind, people, times)
    SELECT hour, version_id, part_of, channel, kind, people, times
      FROM counted
     ORDER BY hour, version_id, part_of, channel, kind
        ON CONFLICT (hour, version_id, part_of, channel, kind)
        DO UPDATE SET people = roll.people + excluded.people, times = roll.times + excluded.times
"""


def find(delivery_ids: Iterable[UUID]) -> Mapping[UUID, Found]:
    """What the log says of these deliveries; those that are gone from it are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"ids": array_of(set(delivery_ids))})
        return {row[0]: Found(*row) for row in cursor.fetchall()}


def engage(news: Sequence[News], found: Iterable[Found] = ()) -> None:
    """Add news to engagements and roll-ups, in the transaction of whatever brings it.

    `found` are deliveries that may have no engagement yet. News of one that has none, and is not found, is of a
    message that is gone from the log, and counts nowhere.
    """
    if not news:
        return
    ids = array_of({one.delivery_id for one in news})
    _begin(list(found))
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"ids": ids})
        cursor.execute(
            _ENGAGE,
            {
                "ids": array_of(one.delivery_id for one in news),
                "kinds": [one.kind.value for one in news],
                "ats": [one.at for one in news],
            },
        )


def _begin(found: Sequence[Found]) -> None:
    if not found:
        return
    with connection.cursor() as cursor:
        cursor.execute(_PURPOSES, {"ids": array_of({one.notification_id for one in found})})
        purposes = cursor.fetchall()
        cursor.execute(
            _BEGIN,
            {
                "ids": array_of(one.id for one in found),
                "notifications": array_of(one.notification_id for one in found),
                "recipients": [one.recipient_id for one in found],
                "channels": [one.channel for one in found],
                "purposes": array_of(row[0] for row in purposes),
                "versions": array_of(row[1] for row in purposes),
                "parts": array_of(row[2] or NO_PART for row in purposes),
                "modes": [row[3] for row in purposes],
            },
        )
