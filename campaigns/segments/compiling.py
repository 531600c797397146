"""Who is in a segment: one condition of SQL, for whoever counts, looks or writes an audience down."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.ids import instant_of
from campaigns.models import Segment
from campaigns.segments.conditions import Where, Writer
from campaigns.segments.reading import UnusableRules, read
from campaigns.segments.rules import Node, OnList
from campaigns.vocabulary import SegmentKind

__all__ = ["UnusableRules", "Where", "compiled", "count", "page_ids"]


def compiled(segment: Segment, at: datetime) -> Where:
    """The condition for those who are in `segment` at a moment, over `accounts_recipient AS recipient`.

    For statements of whoever freezes an audience. Its values have names of their own, `segment_1` and so on. Raises
    `UnusableRules`, also where what the rules name is not there any more.
    """
    tree: Node = OnList(segment.pk) if segment.kind == SegmentKind.LIST else read(segment.rules)
    writer = Writer()
    return Where(writer.where(tree), writer.params)


def count(segment: Segment, before: UUID) -> int:
    """How many are in it, of those whose id is smaller than `before`: `floor_of` the moment that is meant."""
    found: int = _rows(segment, "count(*)", before)[0][0]
    return found


def page_ids(segment: Segment, after: UUID | None, before: UUID, limit: int) -> list[UUID]:
    """The next of them after an id, in the order of their ids; `before` as for `count`."""
    rest = "AND (%(after)s::uuid IS NULL OR recipient.id > %(after)s::uuid) ORDER BY recipient.id LIMIT %(limit)s"
    return [row[0] for row in _rows(segment, "recipient.id", before, rest, after=after, limit=limit)]


def _rows(segment: Segment, what: str, before: UUID, rest: str = "", **values: Any) -> list[tuple[Any, ...]]:
    where = compiled(segment, instant_of(before))
    statement = f"""
        SELECT {what}
          FROM accounts_recipient AS recipient
         WHERE recipient.id < %(before)s AND {where.sql}
        {rest}
    """  # noqa: S608 - words of ours; every value has a place
    with connection.cursor() as cursor:
        cursor.execute(statement, {**where.params, "before": before, **values})
        return cursor.fetchall()
