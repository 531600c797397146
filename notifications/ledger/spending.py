"""What messages cost, by template and by what they are a part of: noted with what was sent, and added up by a task.

Whatever costs nothing is not noted; how many of those were sent is known from turnouts.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection

from accounts.channels import Channel
from accounts.ids import array_of
from notifications.ledger.tally import TOGETHER
from notifications.models import NO_PART, SpendingNote


class Charge(msgspec.Struct, frozen=True, gc=False):
    """What one message costs, and on whose behalf. `currency` is empty where no price is known."""

    version_id: UUID
    part_of: UUID | None
    channel: Channel
    segments: int
    amount: Decimal = Decimal(0)
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent on a part, in one currency; an empty one is for messages of which no price was known."""

    of: UUID
    channel: Channel
    currency: str
    messages: int
    segments: int
    amount: Decimal


#: Notes become sums; as those of the tally become counts, and in the order of the key for the same reason.
_FOLD: Final = """
    WITH taken AS (
        DELETE FROM notifications_spendingnote
         WHERE id = ANY(ARRAY(SELECT id
                                FROM notifications_spendingnote
                               ORDER BY id
                               LIMIT %(limit)s
                                 FOR UPDATE SKIP LOCKED))
        RETURNING hour, version_id, part_of, channel, currency, messages, segments, amount
    ), summed AS (
        SELECT hour, version_id, part_of, channel, currency, sum(messages) AS messages, sum(segments) AS segments,
               sum(amount) AS amount, count(*) AS notes
          FROM taken
         GROUP BY hour, version_id, part_of, channel, currency
         ORDER BY hour, version_id, part_of, channel, currency
    ), kept AS (
        INSERT INTO notifications_spending AS spending
               (hour, version_id, part_of, channel, currency, messages, segments, amount)
        SELECT hour, version_id, part_of, channel, currency, messages, segments, amount
          FROM summed
            ON CONFLICT (hour, version_id, part_of, channel, currency)
            DO UPDATE SET messages = spending.messages + excluded.messages,
                          segments = spending.segments + excluded.segments,
                          amount = spending.amount + excluded.amount
    )
    SELECT coalesce(sum(notes), 0) FROM summed
"""

#: Served by spending_part: a row or two for each hour in which something of a part was sent.
_OF_PARTS: Final = """
    SELECT part_of, channel, currency, sum(messages), sum(segments), sum(amount)
      FROM notifications_spending
     WHERE part_of = ANY(%(parts)s::uuid[])
     GROUP BY part_of, channel, currency
     ORDER BY part_of, channel, currency
"""

_FORGET: Final = "DELETE FROM notifications_spending WHERE hour < %(before)s"


def note(charges: Iterable[Charge], at: datetime) -> None:
    """Note what was sent at a moment and is charged for; in the transaction that records that it was sent."""
    sums: defaultdict[tuple[UUID, UUID, Channel, str], list[Any]] = defaultdict(lambda: [0, 0, Decimal(0)])
    for charge in charges:
        sums_of_one = sums[charge.version_id, charge.part_of or NO_PART, charge.channel, charge.currency]
        sums_of_one[0] += 1
        sums_of_one[1] += charge.segments
        sums_of_one[2] += charge.amount
    hour = at.replace(minute=0, second=0, microsecond=0)
    SpendingNote.objects.bulk_create(
        SpendingNote(
            hour=hour,
            version_id=version_id,
            part_of=part_of,
            channel=channel,
            currency=currency,
            messages=messages,
            segments=segments,
            amount=amount,
        )
        for (version_id, part_of, channel, currency), (messages, segments, amount) in sums.items()
    )


def fold(*, limit: int = TOGETHER) -> int:
    """Add up to `limit` notes to the sums; says how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, {"limit": limit})
        return int(cursor.fetchone()[0])


def of_parts(parts: Iterable[UUID]) -> Sequence[Spent]:
    """What was spent on all that is a part of these, as of the latest fold."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_PARTS, {"parts": array_of(parts)})
        return [
            Spent(of, Channel(channel), currency, int(messages), int(segments), amount)
            for of, channel, currency, messages, segments, amount in cursor.fetchall()
        ]


def forget(before: datetime) -> None:
    """Delete the sums of hours before a moment."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"before": before})
