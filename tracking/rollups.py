"""Sums by hour, purpose and channel of what people did and what it was worth, which reports add up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from django.db import connection

from accounts.channels import Channel
from accounts.ids import array_of
from tracking.models import ReactionKind


# --- what is read ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Reacted:
    """How many deliveries of a part, such as an arm of a campaign's run, were reacted to, and how often."""

    of: UUID
    channel: Channel
    kind: ReactionKind
    people: int
    times: int


#: Served by reaction_count_part: some rows for each hour in which anybody reacted.
_OF_PARTS = """
    SELECT part_of, channel, kind, sum(people)::bigint, sum(times)::bigint
      FROM tracking_reactioncount
     WHERE part_of = ANY(%(parts)s::uuid[])
     GROUP BY part_of, channel, kind
     ORDER BY part_of, channel, kind
"""


def reactions_of(parts: Iterable[UUID]) -> Sequence[Reacted]:
    """What was done with all messages of some parts, by part, channel and kind."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_PARTS, {"parts": array_of(parts)})
        rows = cursor.fetchall()
    return [Reacted(row[0], Channel(row[1]), ReactionKind(row[2]), row[3], row[4]) for row in rows]


# --- what is written ---------------------------------------------------------------------------------
class Earning(msgspec.Struct, frozen=True, gc=False):
    """One conversion that is put down to a message: of which version, part and channel."""

    at: datetime
    amount: Decimal
    currency: str
    purpose: tuple[UUID, UUID, str]


_EARN = """
    INSERT INTO tracking_revenue AS roll (hour, version_id, part_of, channel, currency, conversions, amount)
    SELECT date_trunc('hour', at, 'UTC') AS hour, version_id, part_of, channel, currency, count(*), sum(amount)
      FROM unnest(%(ats)s::timestamptz[], %(versions)s::uuid[], %(parts)s::uuid[], %(channels)s::text[],
                  %(currencies)s::text[], %(amounts)s::numeric[])
           AS earning (at, version_id, part_of, channel, currency, amount)
     GROUP BY 1, 2, 3, 4, 5
     ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (hour, version_id, part_of, channel, currency)
        DO UPDATE SET conversions = roll.conversions + excluded.conversions, amount = roll.amount + excluded.amount
"""

#: Of hours of which the log has nothing any more. A handful of rows for each; served by the unique indexes.
_FORGET = (
    "DELETE FROM tracking_reactioncount WHERE hour < %(before)s",
    "DELETE FROM tracking_revenue WHERE hour < %(before)s",
)


def earn(earnings: Sequence[Earning]) -> None:
    """Add to the revenue, in the transaction that puts the conversions down."""
    with connection.cursor() as cursor:
        cursor.execute(
            _EARN,
            {
                "ats": [one.at for one in earnings],
                "versions": array_of(one.purpose[0] for one in earnings),
                "parts": array_of(one.purpose[1] for one in earnings),
                "channels": [one.purpose[2] for one in earnings],
                "currencies": [one.currency for one in earnings],
                "amounts": [one.amount for one in earnings],
            },
        )


def forget(before: datetime) -> None:
    """Delete the sums of hours before."""
    with connection.cursor() as cursor:
        for statement in _FORGET:
            cursor.execute(statement, {"before": before})
