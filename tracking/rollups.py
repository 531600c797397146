"""What reports read: sums by hour, purpose and channel. Nothing that is read here looks at deliveries one by one.

`parts` are what notifications are a part of, such as the arms of a campaign's runs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from accounts.channels import Channel, Mode
from accounts.ids import array_of
from tracking.models import ReactionKind


# --- what is read ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Reacted:
    """How many deliveries of a part or version were reacted to, and how often. `of` is its id."""

    of: UUID
    channel: Channel
    kind: ReactionKind
    people: int
    times: int


@dataclass(frozen=True, slots=True)
class ReactedInHour:
    """Likewise, in one hour."""

    hour: datetime
    of: UUID
    channel: Channel
    kind: ReactionKind
    people: int
    times: int


@dataclass(frozen=True, slots=True)
class Earned:
    """What came of a part or version, in one currency; empty for conversions without a value."""

    of: UUID
    channel: Channel
    currency: str
    conversions: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Converted:
    """What some people did by themselves: how many of them, how often, and what it was worth by currency."""

    people: int
    times: int
    revenue: Mapping[str, Decimal]


#: Served by reaction_count_part: some rows for each hour in which anybody reacted.
_OF_PARTS = """
    SELECT part_of, channel, kind, sum(people)::bigint, sum(times)::bigint
      FROM tracking_reactioncount
     WHERE part_of = ANY(%(parts)s::uuid[])
     GROUP BY part_of, channel, kind
     ORDER BY part_of, channel, kind
"""

_BY_HOUR = """
    SELECT hour, part_of, channel, kind, sum(people)::bigint, sum(times)::bigint
      FROM tracking_reactioncount
     WHERE part_of = ANY(%(parts)s::uuid[])
     GROUP BY hour, part_of, channel, kind
     ORDER BY hour, part_of, channel, kind
"""

#: Served by reaction_count_version.
_OF_VERSIONS = """
    SELECT version_id, channel, kind, sum(people)::bigint, sum(times)::bigint
      FROM tracking_reactioncount
     WHERE version_id = ANY(%(versions)s::uuid[]) AND hour >= %(since)s AND hour < %(until)s
     GROUP BY version_id, channel, kind
     ORDER BY version_id, channel, kind
"""

#: Served by revenue_part.
_REVENUE_OF_PARTS = """
    SELECT part_of, channel, currency, sum(conversions)::bigint, sum(amount)
      FROM tracking_revenue
     WHERE part_of = ANY(%(parts)s::uuid[])
     GROUP BY part_of, channel, currency
     ORDER BY part_of, channel, currency
"""

#: Served by revenue_version.
_REVENUE_OF_VERSIONS = """
    SELECT version_id, channel, currency, sum(conversions)::bigint, sum(amount)
      FROM tracking_revenue
     WHERE version_id = ANY(%(versions)s::uuid[]) AND hour >= %(since)s AND hour < %(until)s
     GROUP BY version_id, channel, currency
     ORDER BY version_id, channel, currency
"""

#: Whatever it is put down to. Served by conversion_recipient: 5 microseconds a person.
_OF_PEOPLE = """
    SELECT currency, count(DISTINCT conversion.recipient_id), count(*), sum(value)
      FROM unnest(%(people)s::uuid[]) AS person (id)
      JOIN tracking_conversion AS conversion
        ON conversion.recipient_id = person.id AND conversion.at >= %(since)s AND conversion.at < %(until)s
     WHERE conversion.mode = %(mode)s
     GROUP BY GROUPING SETS ((currency), ())
     ORDER BY currency NULLS FIRST
"""


def reactions_of(parts: Iterable[UUID]) -> Sequence[Reacted]:
    """What was done with all messages of some parts, by part, channel and kind."""
    rows = _rows(_OF_PARTS, parts=array_of(parts))
    return [Reacted(row[0], Channel(row[1]), ReactionKind(row[2]), row[3], row[4]) for row in rows]


def reactions_by_hour(parts: Iterable[UUID]) -> Sequence[ReactedInHour]:
    """Likewise by the hour in which it was done, the first hour first."""
    rows = _rows(_BY_HOUR, parts=array_of(parts))
    return [ReactedInHour(row[0], row[1], Channel(row[2]), ReactionKind(row[3]), row[4], row[5]) for row in rows]


def reactions_of_versions(version_ids: Iterable[UUID], since: datetime, until: datetime) -> Sequence[Reacted]:
    """What was done in a half-open span of hours with messages of some versions of templates."""
    rows = _rows(_OF_VERSIONS, versions=array_of(version_ids), since=since, until=until)
    return [Reacted(row[0], Channel(row[1]), ReactionKind(row[2]), row[3], row[4]) for row in rows]


def revenue_of(parts: Iterable[UUID]) -> Sequence[Earned]:
    """What conversions were worth that are put down to messages of some parts."""
    return [Earned(row[0], Channel(row[1]), *row[2:]) for row in _rows(_REVENUE_OF_PARTS, parts=array_of(parts))]


def revenue_of_versions(version_ids: Iterable[UUID], since: datetime, until: datetime) -> Sequence[Earned]:
    """Likewise for versions of templates, in a half-open span of hours."""
    rows = _rows(_REVENUE_OF_VERSIONS, versions=array_of(version_ids), since=since, until=until)
    return [Earned(row[0], Channel(row[1]), *row[2:]) for row in rows]


def conversions_of_people(
    recipient_ids: Iterable[UUID], since: datetime, until: datetime, mode: Mode = Mode.LIVE
) -> Converted:
    """What some people did in a half-open span, whatever it is put down to: a hold-out has nothing to click."""
    rows = _rows(_OF_PEOPLE, people=array_of(set(recipient_ids)), since=since, until=until, mode=mode.value)
    (_, people, times, _), *each = rows
    return Converted(people, times, {row[0]: row[3] for row in each if row[0]})


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


def _rows(statement: str, **asked: Any) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return list(cursor.fetchall())
