"""Reads about many recipients at once, for planning: by primary key or an index, as plain rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from accounts.ids import array_of
from notifications.planning.values import Criteria

#: What is read of a recipient; devices that can be reached and choices that bear on the category come as text, both in
#: one row with the recipient, because three statements cost a request more than all they read. Served by the indexes
#: on recipient_id and by preference_one_choice.
_COLUMNS = """
    external_id, id, email, phone, locale, attributes, time_zone, country, quiet_from || ' ' || quiet_until,
    (SELECT string_agg(device.id || ' ' || platform || ' ' || extract(epoch FROM seen_at), ',')
       FROM accounts_device AS device
      WHERE device.recipient_id = recipient.id AND retired_at IS NULL AND %(with_devices)s),
    (SELECT string_agg(concat_ws(' ', allowed::int, category_id IS NOT NULL, channel), ',')
       FROM accounts_preference AS preference
      WHERE preference.recipient_id = recipient.id AND (category_id = %(category)s OR category_id IS NULL))
"""

#: Those whom products know by some ids. Served by the unique index on external_id.
_NAMED = f"""
    SELECT {_COLUMNS}
      FROM accounts_recipient AS recipient
     WHERE external_id = ANY(%(external_ids)s)
"""  # noqa: S608 - our own columns

#: Those who are known by our own ids. By primary key.
_IDENTIFIED = f"""
    SELECT {_COLUMNS}
      FROM accounts_recipient AS recipient
     WHERE id = ANY(%(ids)s::uuid[])
"""  # noqa: S608 - likewise

#: The next recipients of an audience, in the order of the primary key. A criterion that is empty asks for nothing.
_PAGE = f"""
    SELECT {_COLUMNS}
      FROM accounts_recipient AS recipient
     WHERE id > %(after)s AND id < %(before)s
       AND (%(country)s = '' OR country = %(country)s)
       AND (%(locale)s = '' OR locale = %(locale)s)
       AND starts_with(external_id, %(external_id_prefix)s)
     ORDER BY id
     LIMIT %(limit)s
"""  # noqa: S608 - likewise

_FIRST = UUID(int=0)


class Known(msgspec.Struct, frozen=True, gc=False):
    """What is stored of a recipient, as far as planning needs it.

    `attributes` is JSON that few templates ask for. `devices` and `choices` are the text that the statement makes of
    them, empty for most people: "id platform seen" and "allowed category channel", with commas between; `quiet` is
    "from until".
    """

    external_id: str
    id: UUID
    email: str
    phone: str
    locale: str
    attributes: str
    time_zone: str
    country: str
    quiet: str | None
    devices: str | None
    choices: str | None


@dataclass(frozen=True, slots=True)
class Aspects:
    """What is asked about everybody: choices that bear on this category, and devices, if a push is thought of."""

    category_id: UUID
    with_devices: bool


#: Of deliveries that are about to leave: where their recipients are, and their own quiet hours. By primary key, twice.
_SLEEPERS = """
    SELECT delivery.id, coalesce(recipient.id::text, delivery.address), coalesce(time_zone, ''), coalesce(country, ''),
           quiet_from || ' ' || quiet_until
      FROM notifications_delivery AS delivery
      LEFT JOIN accounts_recipient AS recipient ON recipient.id = delivery.recipient_id
     WHERE delivery.id = ANY(%(ids)s::uuid[])
"""


class Asleep(msgspec.Struct, frozen=True, gc=False):
    """What tells whether it is night for somebody. `quiet` is "from until" of their own quiet hours, or None."""

    name: str
    time_zone: str
    country: str
    quiet: str | None


def behind(delivery_ids: Sequence[UUID]) -> dict[UUID, Asleep]:
    """The people to whom these deliveries go."""
    with connection.cursor() as cursor:
        cursor.execute(_SLEEPERS, {"ids": array_of(delivery_ids)})
        return {row[0]: Asleep(*row[1:]) for row in cursor.fetchall()}


def named(external_ids: Sequence[str], aspects: Aspects) -> list[Known]:
    """Those who are known by these ids."""
    return _known(_NAMED, {"external_ids": list(external_ids)}, aspects)


def identified(ids: Sequence[UUID], aspects: Aspects) -> list[Known]:
    """Those of these recipients who are still there."""
    return _known(_IDENTIFIED, {"ids": array_of(ids)}, aspects)


def page_of(criteria: Criteria, after: UUID | None, before: UUID, limit: int, aspects: Aspects) -> list[Known]:
    """Up to `limit` recipients between two ids, in their order."""
    about = {
        "after": after or _FIRST,
        "before": before,
        "limit": limit,
        "country": criteria.country,
        "locale": criteria.locale,
        "external_id_prefix": criteria.external_id_prefix,
    }
    return _known(_PAGE, about, aspects)


def _known(statement: str, values: dict[str, Any], aspects: Aspects) -> list[Known]:
    asked = {**values, "category": aspects.category_id, "with_devices": aspects.with_devices}
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return [Known(*row) for row in cursor.fetchall()]
