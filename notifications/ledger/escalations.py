"""What waits for news of one channel before it takes the next: rows that are taken once, by whoever comes first."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from accounts.channels import Channel
from accounts.ids import array_of, new_id
from accounts.policies import Reach
from notifications.ledger.copying import Rows
from notifications.models import Escalation
from notifications.planning.escalation import Tried
from notifications.planning.values import Candidate, Decision, Drop, Later, Person, Send
from notifications.vocabulary import DeliveryState


class Pending(msgspec.Struct, frozen=True, gc=False):
    """One person's message and the channels that are left for it."""

    id: UUID
    notification_id: UUID
    recipient_id: UUID | None
    channels: tuple[Channel, ...]
    due_at: datetime
    escalate_after: timedelta
    reach: Reach
    delivery_ids: tuple[UUID, ...]
    earlier_ids: tuple[UUID, ...]
    said: Mapping[str, Any]


_COLUMNS = (
    "id", "notification_id", "recipient_id", "channels", "due_at", "escalate_after", "reach", "delivery_ids",
    "earlier_ids", "said",
)  # fmt: skip

#: Those that are due, for this transaction alone: another worker at the same moment takes others, and after the commit
#: they are gone. Served by escalation_due.
_TAKE = f"""
    SELECT {", ".join(_COLUMNS[:-1])}, said::text
      FROM notifications_escalation
     WHERE due_at <= %(at)s
     ORDER BY due_at
     LIMIT %(limit)s
       FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - our own columns

#: What was tried, by primary key.
_TRIED = """
    SELECT id, channel, state, attempt, sent_at, due_at
      FROM notifications_delivery
     WHERE id = ANY(%(ids)s::uuid[])
"""

#: Which of them somebody opened: a range of the primary key for each, within the days of all.
_OPENED = """
    SELECT one.id
      FROM unnest(%(ids)s::uuid[], %(firsts)s::uuid[], %(lasts)s::uuid[]) AS one (id, first, last)
     WHERE EXISTS (SELECT 1
                     FROM notifications_deliveryevent AS event
                    WHERE event.id BETWEEN one.first AND one.last
                      AND event.id BETWEEN %(first)s AND %(last)s
                      AND event.kind IN ('delivered', 'opened', 'clicked'))
"""

_DELETE = "DELETE FROM notifications_escalation WHERE id = ANY(%(ids)s::uuid[])"

#: Looked at again at a moment of its own. By primary key.
_POSTPONE = """
    UPDATE notifications_escalation AS escalation
       SET due_at = later.due_at
      FROM unnest(%(ids)s::uuid[], %(dues)s::timestamptz[]) AS later (id, due_at)
     WHERE escalation.id = later.id AND escalation.id = ANY(%(ids)s::uuid[])
"""

#: What waits for deliveries that have just ended, for this transaction alone: of two workers to whom the last two
#: devices of a person are dead, the second waits here, and then sees what the first found. Served by
#: escalation_deliveries; where nothing escalates, the table is empty.
_LOCK = """
    SELECT id
      FROM notifications_escalation
     WHERE delivery_ids && %(ids)s::uuid[] AND due_at > %(at)s
     ORDER BY id
       FOR UPDATE
"""

#: Due at once, where nothing is to be expected any more of all that was tried. By primary key.
_HURRY = """
    UPDATE notifications_escalation AS escalation
       SET due_at = %(at)s
     WHERE id = ANY(%(ids)s::uuid[])
       AND NOT EXISTS (SELECT 1
                         FROM notifications_delivery AS delivery
                        WHERE delivery.id = ANY(escalation.delivery_ids)
                          AND delivery.state NOT IN ('failed', 'expired', 'cancelled', 'suppressed'))
"""

#: Served by escalation_notification.
_WITHDRAW = f"""
    DELETE FROM notifications_escalation
     WHERE notification_id = %(id)s
    RETURNING {", ".join(_COLUMNS[:-1])}, said::text
"""  # noqa: S608 - likewise

#: By primary key.
_ERASE = f"""
    DELETE FROM notifications_escalation
     WHERE id = ANY(%(ids)s::uuid[])
    RETURNING {", ".join(_COLUMNS[:-1])}, said::text
"""  # noqa: S608 - likewise


def escalation_rows(notification_id: UUID, decided: Iterable[tuple[Decision, Sequence[UUID]]], at: datetime) -> Rows:
    """The rows of those whose other channels come later; a person's decisions stand together in a plan."""
    rows = []
    for _, together in groupby(decided, key=lambda one: id(one[0].candidate.person)):
        of_one = list(together)
        later = sorted(
            (
                (one.verdict.until, one.candidate.channel, one.verdict.tried)
                for one, _ in of_one
                if isinstance(one.verdict, Later)
            ),
            key=lambda turn: turn[0],
        )
        if not later:
            continue
        person = of_one[0][0].candidate.person
        itinerary = next(one.verdict.itinerary for one, _ in of_one if isinstance(one.verdict, Later))
        sent = [delivery_id for one, ids in of_one if isinstance(one.verdict, Send) for delivery_id in ids]
        place: Mapping[str, int] = {channel: number for number, channel in enumerate(itinerary.order)}
        rows.append(
            (
                new_id(),
                notification_id,
                person.recipient_id,
                "{" + ",".join(sorted([channel for _, channel, _ in later], key=place.__getitem__)) + "}",
                # whose first channel was held back by a cap goes on to the next at once
                later[0][0] if sent else at,
                int(itinerary.escalate_after.total_seconds()),
                itinerary.reach,
                sent,
                later[0][2],
                _said(person),
            )
        )
    return Rows(Escalation._meta.db_table, _COLUMNS, rows)


def _said(person: Person) -> Mapping[str, Any]:
    """What is known of a person from the request alone. Attributes are left out: they are read again."""
    own = {name: value for name, value in person.own_data.items() if name != "recipient"}
    said = {"locale": person.locale, "data": own}
    if person.recipient_id is None:
        said |= {"ref": person.ref, "email": person.email, "phone": person.phone}
    return {name: value for name, value in said.items() if value}


def take(at: datetime, *, limit: int) -> Sequence[Pending]:
    """Up to `limit` that are due, held until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"at": at, "limit": limit})
        return [_pending(row) for row in cursor.fetchall()]


def news_of(delivery_ids: Sequence[UUID]) -> Mapping[UUID, Tried]:
    """What became of deliveries; those that are gone with their day of the log are left out."""
    if not delivery_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_TRIED, {"ids": array_of(delivery_ids)})
        found = {row[0]: row[1:] for row in cursor.fetchall()}
        open_ = sorted((one for one, row in found.items() if row[1] not in _TELLING), key=str)
        opened: set[UUID] = set()
        if open_:
            shared = [str(one)[:30] for one in open_]
            firsts, lasts = [f"{one}000000" for one in shared], [f"{one}ffffff" for one in shared]
            asked: dict[str, Any] = {
                "ids": array_of(open_),
                "firsts": firsts,
                "lasts": lasts,
                "first": firsts[0],
                "last": lasts[-1],
            }
            cursor.execute(_OPENED, asked)
            opened = {row[0] for row in cursor.fetchall()}
    return {
        one: Tried(Channel(channel), DeliveryState(state), attempt, sent_at, due_at, one in opened)
        for one, (channel, state, attempt, sent_at, due_at) in found.items()
    }


#: Of these it is known without their events whether anybody saw them.
_TELLING = {DeliveryState.DELIVERED, DeliveryState.SCHEDULED, DeliveryState.QUEUED, DeliveryState.CANCELLED}


def settle(ids: Sequence[UUID]) -> None:
    """These wait no more; in the transaction that took them."""
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(_DELETE, {"ids": array_of(ids)})


def postpone(until: Mapping[UUID, datetime]) -> None:
    """Look at these again at a moment of their own; in the transaction that took them."""
    if until:
        with connection.cursor() as cursor:
            cursor.execute(_POSTPONE, {"ids": list(until), "dues": list(until.values())})


def hurry(ended: Sequence[UUID], at: datetime) -> None:
    """Let what waits for these deliveries, which ended in vain, go on at once; in the transaction that ended them."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"ids": array_of(ended), "at": at})
        if waiting := [row[0] for row in cursor.fetchall()]:
            cursor.execute(_HURRY, {"ids": array_of(waiting), "at": at})


def withdraw(notification_id: UUID) -> Sequence[Pending]:
    """End all of a notification's; returns them. One that is just being settled is waited for."""
    with connection.cursor() as cursor:
        cursor.execute(_WITHDRAW, {"id": notification_id})
        return [_pending(row) for row in cursor.fetchall()]


def erase(ids: Sequence[UUID]) -> Sequence[Pending]:
    """End these; returns them as nobody's. One that is just being settled is waited for, and is not among them."""
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_ERASE, {"ids": array_of(ids)})
        ended = [_pending(row) for row in cursor.fetchall()]
    return [msgspec.structs.replace(row, recipient_id=None, said={}) for row in ended]


def left_out(row: Pending, because: Drop) -> list[tuple[UUID, Decision]]:
    """The channels that were left, none of which is taken."""
    person = Person(
        ref="", recipient_id=row.recipient_id, email=row.said.get("email", ""), phone=row.said.get("phone", "")
    )
    return [(row.notification_id, Decision(Candidate(person, channel, None), because)) for channel in row.channels]


def _pending(row: tuple[Any, ...]) -> Pending:
    one_id, notification_id, recipient_id, channels, due_at, seconds, reach, ids, earlier, said = row
    return Pending(
        one_id,
        notification_id,
        recipient_id,
        tuple(Channel(name) for name in channels),
        due_at,
        timedelta(seconds=seconds),
        Reach(reach),
        tuple(ids),
        tuple(earlier),
        json.loads(said),
    )
