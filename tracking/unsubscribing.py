"""Who no longer wants something is put down to the last message of that kind that they got.

The log of consent is read to its end, again and again. Its ids are made before their transactions commit, so the last
minute is left for the next time: by then, whoever was writing has written.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection, transaction

from accounts.ids import floor_of
from accounts.models import Recipient
from accounts.models.kinds import any_of
from tracking.engaging import News, engage, find
from tracking.models import Place, ReactionKind

_PLACE: Final = "consent log"
_MARGIN: Final = timedelta(minutes=1)
#: A message that came earlier is not why.
WITHIN: Final = timedelta(days=7)
#: What waits for its time may have been planned so long before it was sent.
_PLANNED_BEFORE: Final = timedelta(days=60)

#: The next lines, whatever they say, by primary key.
_NEXT = """
    SELECT id, at, recipient_id, address, category, channel,
           after IN ('refused', 'suppressed: stop') AND actor <> 'admin' AND via <> 'receipt' AS is_told
      FROM accounts_consentchange
     WHERE id > %(place)s AND id < %(until)s
     ORDER BY id
     LIMIT %(limit)s
"""

#: For each line the last message that was sent to one of those whom it may be about. The bounds let PostgreSQL skip
#: partitions; served by delivery_recipient and delivery_contact.
_LAST_SENT = """
    SELECT DISTINCT ON (line.number) line.number, sent.id
      FROM unnest(%(numbers)s::int[], %(ats)s::timestamptz[], %(recipients)s::uuid[], %(addresses)s::text[],
                  %(categories)s::text[], %(channels)s::text[])
           AS line (number, at, recipient_id, address, category, channel)
     CROSS JOIN LATERAL (
           SELECT delivery.id, delivery.sent_at
             FROM (SELECT id, notification_id, channel, sent_at
                     FROM notifications_delivery
                    WHERE id >= %(first)s AND id < %(last)s
                      AND recipient_id = line.recipient_id AND (line.address = '' OR address = line.address)
                    UNION ALL
                   SELECT id, notification_id, channel, sent_at
                     FROM notifications_delivery
                    WHERE id >= %(first)s AND id < %(last)s
                      AND line.recipient_id IS NULL AND recipient_id IS NULL
                      AND address = line.address AND NOT address = '') AS delivery
             JOIN notifications_notification AS notification
               ON notification.id = delivery.notification_id
              AND notification.id >= %(first)s AND notification.id < %(last)s
             JOIN accounts_category AS category ON category.id = notification.category_id
            WHERE delivery.sent_at <= line.at AND delivery.sent_at > line.at - make_interval(days => %(days)s)
              AND (line.channel = '' OR delivery.channel = line.channel)
              AND (line.category = '' OR category.slug = line.category)
            ORDER BY delivery.sent_at DESC
            LIMIT 1) AS sent
     ORDER BY line.number, sent.sent_at DESC
"""


class Line(msgspec.Struct, frozen=True, gc=False):
    """Somebody does not want something any more: a person, or whoever has an address."""

    at: datetime
    recipient_id: UUID | None
    address: str
    category: str
    channel: str


def follow(at: datetime, *, limit: int) -> int:
    """Count up to `limit` lines more of the log, where nobody else does at this moment; says how many there were.

    What a person, or a product in their name, says is counted, and what a provider says when a message is refused; not
    what somebody at the admin does. A provider's later news names its delivery, and comes with other reactions.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        begin = floor_of(at - timedelta(days=settings.RETENTION_DAYS))
        Place.objects.get_or_create(name=_PLACE, defaults={"read_to": begin})
        place = Place.objects.select_for_update(skip_locked=True).filter(name=_PLACE).first()
        if place is None:
            return 0
        until = floor_of(at - _MARGIN)
        cursor.execute(_NEXT, {"place": place.read_to, "until": until, "limit": limit})
        rows = cursor.fetchall()
        if not rows:
            return 0
        place.read_to = rows[-1][0]
        place.save()
        deliveries = _last_sent([Line(*row[1:6]) for row in rows if row[6]])
        found = find(pk for pk, _ in deliveries)
        engage(
            [News(pk, ReactionKind.UNSUBSCRIBED, told_at) for pk, told_at in deliveries if pk in found],
            list(found.values()),
        )
    return len(rows)


def _last_sent(lines: Sequence[Line]) -> Sequence[tuple[UUID, datetime]]:
    """For each line, where there is one, the delivery that it is put down to, and when it was said."""
    if not lines:
        return ()
    asked = list(_asked(lines))
    earliest, latest = min(line.at for line in lines), max(line.at for line in lines)
    with connection.cursor() as cursor:
        cursor.execute(
            _LAST_SENT,
            {
                "numbers": [number for number, _ in asked],
                "ats": [lines[number].at for number, _ in asked],
                "recipients": [person for _, person in asked],
                "addresses": [lines[number].address for number, _ in asked],
                "categories": [lines[number].category for number, _ in asked],
                "channels": [lines[number].channel for number, _ in asked],
                "first": floor_of(earliest - WITHIN - _PLANNED_BEFORE),
                "last": floor_of(latest),
                "days": WITHIN.days,
            },
        )
        return [(delivery_id, lines[number].at) for number, delivery_id in cursor.fetchall()]


def _asked(lines: Sequence[Line]) -> Iterator[tuple[int, UUID | None]]:
    """By the number of a line, whose messages are looked at: for an address, of all who have it, and of nobody."""
    owners = _owners([line.address for line in lines if line.recipient_id is None])
    for number, line in enumerate(lines):
        if line.recipient_id is not None:
            yield number, line.recipient_id
            continue
        for person in (None, *owners.get(line.address, ())):
            yield number, person


def _owners(addresses: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
    found: dict[str, list[UUID]] = {}
    for column in ("email", "phone"):
        having = Recipient.objects.filter(any_of(column, addresses)).exclude(**{column: ""})
        for address, pk in having.values_list(column, "pk"):
            found.setdefault(address, []).append(pk)
    return found
