"""A conversion is put down to the person's last click before it, where that is not too long ago.

How long that is says the category of what was clicked. Only clicks on messages of the conversion's own mode count. A
conversion for which there is no such click is looked at again: a minute later, for a click that was just being counted
when it came, and whenever a click of that person is counted late.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from accounts.ids import array_of
from tracking.engaging import News, engage
from tracking.models import ReactionKind
from tracking.rollups import Earning, earn

#: Whoever was writing something down when a conversion came has done so by then.
LOOK_AGAIN: Final = timedelta(minutes=1)
#: The longest that a category may let pass after a click.
_LONGEST_DAYS: Final = 90

#: For each of some conversions the person's last click. A contact whom no product knows by an id has the clicks of the
#: delivery that was named. Of a delivery that was clicked again after the conversion its first click counts, as those
#: between are not kept here. Served by engagement_recipient.
_LAST_CLICKS = """
    SELECT conversion.id, conversion.at, conversion.value, conversion.currency,
           clicked.delivery_id, clicked.version_id, clicked.part_of, clicked.channel
      FROM tracking_conversion AS conversion
     CROSS JOIN LATERAL (
           SELECT engagement.delivery_id, engagement.version_id, engagement.part_of, engagement.channel
             FROM (SELECT *
                     FROM tracking_engagement
                    WHERE recipient_id = conversion.recipient_id
                    UNION ALL
                   SELECT *
                     FROM tracking_engagement
                    WHERE delivery_id = conversion.delivery_id AND conversion.recipient_id IS NULL) AS engagement
             JOIN templates_app_templateversion AS version ON version.id = engagement.version_id
             JOIN templates_app_template AS template ON template.id = version.template_id
             JOIN accounts_category AS category ON category.id = template.category_id
            CROSS JOIN LATERAL (
                  SELECT CASE WHEN engagement.last_clicked_at <= conversion.at THEN engagement.last_clicked_at
                              ELSE engagement.clicked_at
                         END AS at) AS click
            WHERE engagement.clicked_at <= conversion.at
              AND engagement.mode = conversion.mode
              AND click.at >= conversion.at - make_interval(days => category.attribution_days)
            ORDER BY click.at DESC, engagement.delivery_id DESC
            LIMIT 1) AS clicked
     WHERE conversion.id = ANY(%(ids)s::uuid[]) AND conversion.attributed_to IS NULL
"""

_ATTRIBUTE = """
    UPDATE tracking_conversion AS conversion
       SET attributed_to = clicked.delivery_id, part_of = clicked.part_of, look_again_at = NULL
      FROM unnest(%(ids)s::uuid[], %(deliveries)s::uuid[], %(parts)s::uuid[]) AS clicked (id, delivery_id, part_of)
     WHERE conversion.id = clicked.id AND conversion.id = ANY(%(ids)s::uuid[])
"""

#: Those that are due, a few at a time. Two at once: the second passes over what the first holds. Served by
#: conversion_to_look.
_DUE = """
    SELECT id
      FROM tracking_conversion
     WHERE look_again_at <= %(at)s
     ORDER BY look_again_at
     LIMIT %(limit)s
       FOR UPDATE SKIP LOCKED
"""

_LOOKED = (
    "UPDATE tracking_conversion SET look_again_at = NULL WHERE id = ANY(%(ids)s::uuid[]) AND attributed_to IS NULL"
)

#: What these clicks may have led to and is put down to nothing. Whoever looks at one of them at this moment may have
#: looked too early, so it is waited for. Served by conversion_recipient and conversion_contact.
_LED_TO = """
    SELECT conversion.id
      FROM unnest(%(deliveries)s::uuid[], %(recipients)s::uuid[], %(ats)s::timestamptz[])
           AS click (delivery_id, recipient_id, at)
     CROSS JOIN LATERAL (
           SELECT id
             FROM tracking_conversion
            WHERE recipient_id = click.recipient_id AND attributed_to IS NULL
              AND at BETWEEN click.at AND click.at + make_interval(days => %(days)s)
            UNION ALL
           SELECT id
             FROM tracking_conversion
            WHERE click.recipient_id IS NULL
              AND recipient_id IS NULL AND delivery_id = click.delivery_id AND attributed_to IS NULL
              AND at BETWEEN click.at AND click.at + make_interval(days => %(days)s)) AS conversion
"""

_MARK = """
    UPDATE tracking_conversion
       SET look_again_at = %(at)s
     WHERE id = ANY(ARRAY(SELECT id
                            FROM tracking_conversion
                           WHERE id = ANY(%(ids)s::uuid[]) AND attributed_to IS NULL
                           ORDER BY id
                             FOR UPDATE))
"""


def attribute(conversion_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
    """Put conversions down to clicks, and count those for which there is one: which delivery's it was.

    In the transaction that has written, or locked, these conversions.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LAST_CLICKS, {"ids": array_of(conversion_ids)})
        rows = cursor.fetchall()
        if not rows:
            return {}
        clicked = {
            "ids": array_of(row[0] for row in rows),
            "deliveries": array_of(row[4] for row in rows),
            "parts": array_of(row[6] for row in rows),
        }
        cursor.execute(_ATTRIBUTE, clicked)
    engage([News(row[4], ReactionKind.CONVERTED, row[1]) for row in rows])
    earn([Earning(at=row[1], amount=row[2], currency=row[3], purpose=(row[5], row[6], row[7])) for row in rows])
    return {row[0]: row[4] for row in rows}


def look_again(at: datetime, *, limit: int) -> int:
    """Look once more for what some conversions are owed to; says how many of them were due."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DUE, {"at": at, "limit": limit})
        due = [row[0] for row in cursor.fetchall()]
        if due:
            attribute(due)
            cursor.execute(_LOOKED, {"ids": array_of(due)})
    return len(due)


def ask_to_look(clicks: Sequence[tuple[UUID, UUID | None, datetime]], at: datetime) -> None:
    """Have looked at again what these clicks may have led to: a delivery, whose, and when it was clicked.

    In the transaction that counts the clicks, and before it locks an engagement.
    """
    if not clicks:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _LED_TO,
            {
                "deliveries": array_of(click[0] for click in clicks),
                "recipients": [click[1] for click in clicks],
                "ats": [click[2] for click in clicks],
                "days": _LONGEST_DAYS,
            },
        )
        if found := {row[0] for row in cursor.fetchall()}:
            cursor.execute(_MARK, {"ids": array_of(found), "at": at})
