"""Who is in a segment: one condition of SQL, for whoever counts, looks or writes an audience down."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from accounts.ids import instant_of
from campaigns.models import Segment
from campaigns.segments.conditions import Where, where
from campaigns.segments.naming import Names, on_list, resolve
from campaigns.segments.reading import UnusableRules, read
from campaigns.vocabulary import SegmentKind

__all__ = [
    "Person", "UnusableRules", "Where", "checked", "compiled", "count", "page_ids", "sample", "with_memory",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is in a segment, for people who look whether it is whom they mean."""

    id: UUID
    external_id: str
    email: str
    phone: str
    locale: str
    country: str


def compiled(segment: Segment, at: datetime) -> Where:
    """The condition for those who are in `segment` at a moment, over `accounts_recipient AS recipient`.

    Its values have names of their own, `segment_1` and so on. Raises `UnusableRules`, also where what the rules name is
    not there any more. Who freezes an audience asks `keeping.compiled`.
    """
    if segment.kind == SegmentKind.LIST:
        return where(on_list(segment), Names(), at)
    return checked(segment.rules, at, own=segment.pk)


def checked(rules: Any, at: datetime, own: UUID | None = None) -> Where:
    """The condition for `rules`, as JSON, which may be those of segment `own`. Raises `UnusableRules`."""
    tree = read(rules)
    return where(tree.root, resolve(tree, own), at)


def count(segment: Segment | Where, before: UUID) -> int:
    """How many are in it, of those whose id is smaller than `before`: `floor_of` the moment that is meant."""
    found: int = _rows(segment, "count(*)", before)[0][0]
    return found


def page_ids(segment: Segment | Where, after: UUID | None, before: UUID, limit: int) -> list[UUID]:
    """The next of them after an id, in the order of their ids; `before` as for `count`."""
    rest = f"{'AND recipient.id > %(after)s' if after else ''} ORDER BY recipient.id LIMIT %(limit)s"
    return [row[0] for row in _rows(segment, "recipient.id", before, rest, after=after, limit=limit)]


def sample(segment: Segment | Where, before: UUID, n: int = 10) -> list[Person]:
    """Some of them: those who became known last."""
    columns = "recipient.id, external_id, email, phone, locale, country"
    rest = "ORDER BY recipient.id DESC LIMIT %(limit)s"
    return [Person(*row) for row in _rows(segment, columns, before, rest, limit=n)]


#: What a step of a plan may keep in memory: enough for the ids of a million people, who would otherwise be looked up
#: one by one wherever rules have an "any" over what they did.
_MEMORY: Final = "32MB"


@contextmanager
def with_memory() -> Iterator[None]:
    """A transaction whose statements may keep the ids of many people in memory."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('work_mem', %s, true)", [_MEMORY])
        yield


def _rows(segment: Segment | Where, what: str, before: UUID, rest: str = "", **values: Any) -> list[tuple[Any, ...]]:
    who = segment if isinstance(segment, Where) else compiled(segment, instant_of(before))
    statement = f"""
        SELECT {what}
          FROM accounts_recipient AS recipient
         WHERE recipient.id < %(before)s AND {who.sql}
        {rest}
    """  # noqa: S608 - words of ours; every value has a place
    with with_memory(), connection.cursor() as cursor:
        cursor.execute(statement, {**who.params, "before": before, **values})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
