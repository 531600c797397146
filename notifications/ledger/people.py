"""Reads about many recipients at once, for planning: by primary key or an index, as plain rows."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.ids import array_of
from notifications.planning.values import Criteria

#: The devices of some recipients that can be reached. Served by the index on recipient_id.
_DEVICES = """
    SELECT recipient_id, id, platform
      FROM accounts_device
     WHERE recipient_id = ANY(%(ids)s::uuid[]) AND retired_at IS NULL
"""

#: What some recipients chose, as far as it bears on a category. Served by preference_one_choice.
_CHOICES = """
    SELECT recipient_id, category_id, channel, allowed
      FROM accounts_preference
     WHERE recipient_id = ANY(%(ids)s::uuid[])
       AND (category_id = %(category)s OR category_id IS NULL)
"""

#: Those whom products know by some ids. Served by the unique index on external_id.
_NAMED = """
    SELECT external_id, id, email, phone, locale, attributes
      FROM accounts_recipient
     WHERE external_id = ANY(%(external_ids)s)
"""

#: The next recipients of an audience, in the order of the primary key. A criterion that is empty asks for nothing.
_PAGE = """
    SELECT external_id, id, email, phone, locale, attributes
      FROM accounts_recipient
     WHERE id > %(after)s AND id < %(before)s
       AND (%(country)s = '' OR country = %(country)s)
       AND (%(locale)s = '' OR locale = %(locale)s)
       AND starts_with(external_id, %(external_id_prefix)s)
     ORDER BY id
     LIMIT %(limit)s
"""

_FIRST = UUID(int=0)

Row = tuple[Any, ...]


def devices_of(recipient_ids: Iterable[UUID]) -> list[Row]:
    """Recipient id, device id and platform of every live device."""
    return _rows(_DEVICES, {"ids": array_of(recipient_ids)})


def choices_of(recipient_ids: Iterable[UUID], category_id: UUID) -> list[Row]:
    """Recipient id, category id, channel and whether it is allowed; None and "" speak for all."""
    return _rows(_CHOICES, {"ids": array_of(recipient_ids), "category": category_id})


def named(external_ids: Sequence[str]) -> list[Row]:
    """External id, id, email, phone, locale and attributes (JSON text) of those who are known."""
    return _rows(_NAMED, {"external_ids": list(external_ids)})


def page_of(criteria: Criteria, after: UUID | None, before: UUID, limit: int) -> Sequence[Row]:
    """External id, id, email, phone, locale and attributes (JSON text) of up to `limit` recipients between two ids."""
    return _rows(
        _PAGE,
        {
            "after": after or _FIRST,
            "before": before,
            "limit": limit,
            "country": criteria.country,
            "locale": criteria.locale,
            "external_id_prefix": criteria.external_id_prefix,
        },
    )


def _rows(statement: str, values: dict[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[Row] = cursor.fetchall()
        return rows
