"""What is gathered for people until it is sent as one: rows that many join, and one closes.

Who joins holds the digest's row in a shared way until the commit, so those who join do not wait for each other; who
closes takes it alone and passes by what is being joined. Thus whatever is written for a digest is in it when it is
closed, and what comes later begins the next.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import OperationalError, connection, transaction

from accounts.channels import Channel, Mode
from accounts.ids import array_of, new_id, new_ids
from notifications.ledger.copying import Rows
from notifications.models import DigestEntry
from notifications.planning.values import Decision, Gather, Person
from notifications.vocabulary import Reason

#: Items of which one message consists at most; the next ones are the next message.
LARGEST: Final = 1000


class Open(msgspec.Struct, frozen=True, gc=False):
    """A digest that takes more."""

    id: UUID
    due_at: datetime


class Due(msgspec.Struct, frozen=True, gc=False):
    """A digest that is to be sent; held by this transaction."""

    id: UUID
    application_id: UUID
    version_id: UUID
    mode: Mode
    key: str
    recipient_id: UUID | None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One notification's part in a digest."""

    id: UUID
    digest_id: UUID
    notification_id: UUID
    gathered: Mapping[Channel, UUID]
    said: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Kind:
    """What digests have in common into which one notification is gathered."""

    application_id: UUID
    version_id: UUID
    mode: Mode
    key: str


_OF_KIND = """
    who = ANY(%(names)s) AND key = %(key)s AND version_id = %(version)s AND application_id = %(application)s
       AND mode = %(mode)s AND is_open
"""

#: What is due takes no more, though nobody has closed it yet. One that is being closed is waited for. Served by
#: digest_open_once.
_SHUT = f"""
    UPDATE notifications_digest
       SET is_open = false
     WHERE id IN (SELECT id
                    FROM notifications_digest
                   WHERE {_OF_KIND} AND due_at <= %(at)s
                   ORDER BY id
                     FOR NO KEY UPDATE)
"""  # noqa: S608 - our own columns

#: One for everybody who has none. Of two at once the second waits here, and finds the first one's below. All in one
#: order, so that two who begin many do not wait for each other.
_BEGIN = """
    INSERT INTO notifications_digest (id, application_id, version_id, mode, key, who, recipient_id, due_at, is_open)
    SELECT one.id, %(application)s, %(version)s, %(mode)s, %(key)s, one.who, one.recipient_id, %(due_at)s, true
      FROM unnest(%(ids)s::uuid[], %(names)s::text[], %(recipients)s::uuid[]) AS one (id, who, recipient_id)
     ORDER BY one.who
        ON CONFLICT (who, key, version_id, application_id, mode) WHERE is_open DO NOTHING
"""

#: Those that take more, held open until the commit. Served by digest_open_once.
_JOIN = f"""
    SELECT who, id, due_at
      FROM notifications_digest
     WHERE {_OF_KIND} AND due_at > %(at)s
     ORDER BY id
       FOR KEY SHARE
"""  # noqa: S608 - likewise

_PEEK = f"SELECT who, id, due_at FROM notifications_digest WHERE {_OF_KIND} AND due_at > %(at)s"  # noqa: S608 - likewise

#: Those that are due, for this transaction alone: another worker at the same moment takes others, and after the commit
#: they are gone. Served by digest_due.
_TAKE = """
    SELECT id, application_id, version_id, mode, key, recipient_id
      FROM notifications_digest
     WHERE due_at <= %(at)s
     ORDER BY due_at
     LIMIT %(limit)s
       FOR UPDATE SKIP LOCKED
"""

#: The oldest of each digest, no more than one message takes. Served by digest_entry_digest.
_ENTRIES = f"""
    SELECT entry.id, entry.digest_id, notification_id, channels, delivery_ids, said::text, at
      FROM unnest(%(ids)s::uuid[]) AS digest (id)
     CROSS JOIN LATERAL (SELECT *
                           FROM notifications_digestentry
                          WHERE digest_id = digest.id
                          ORDER BY at, id
                          LIMIT {LARGEST}) AS entry
     ORDER BY at, entry.id
"""  # noqa: S608 - our own number

_DELETE_ENTRIES = "DELETE FROM notifications_digestentry WHERE id = ANY(%(ids)s::uuid[])"

#: Those with more in them than one message takes stay, and are due: the next turn makes the next message of them.
_DELETE_EMPTY = """
    DELETE FROM notifications_digest AS digest
     WHERE id = ANY(%(ids)s::uuid[])
       AND NOT EXISTS (SELECT 1 FROM notifications_digestentry WHERE digest_id = digest.id)
"""

#: By primary key.
_POSTPONE = "UPDATE notifications_digest SET due_at = %(until)s WHERE id = ANY(%(ids)s::uuid[])"

#: One that is just being closed is waited for; what remains then is held, so that nobody closes it.
_HOLD = """
    SELECT id
      FROM notifications_digest
     WHERE id IN (SELECT digest_id FROM notifications_digestentry WHERE notification_id = %(notification)s)
     ORDER BY id
       FOR KEY SHARE
"""
_WITHDRAW = "DELETE FROM notifications_digestentry WHERE notification_id = %(notification)s RETURNING delivery_ids"

_HOLD_THESE = """
    SELECT id
      FROM notifications_digest
     WHERE id IN (SELECT digest_id FROM notifications_digestentry WHERE id = ANY(%(ids)s::uuid[]))
     ORDER BY id
       FOR UPDATE
"""
_FORGET = "DELETE FROM notifications_digestentry WHERE id = ANY(%(ids)s::uuid[]) RETURNING delivery_ids"

#: A delivery that stands for something gathered says why that is not sent. By primary key.
_EXPLAIN = """
    UPDATE notifications_delivery
       SET reason = %(reason)s
     WHERE id = ANY(%(ids)s::uuid[]) AND state = 'suppressed' AND reason = 'digested'
"""

#: Turns at finding digests that are open; each but the first means that somebody closed or began one in between.
_TURNS: Final = 50
_DEADLOCK: Final = "40P01"


class _Gone(Exception):
    """A digest was closed between two statements."""


def peeked(kind: Kind, decisions: Sequence[Decision], at: datetime) -> tuple[Decision, ...]:
    """The decisions with the digests that are open, for somebody who only wants to know."""
    people = _people(decisions)
    with connection.cursor() as cursor:
        found = _open(cursor, _PEEK, _asked(kind, list(people), at))
    return _placed(decisions, found)


def joined(kind: Kind, decisions: Sequence[Decision], at: datetime) -> tuple[Decision, ...]:
    """The decisions with their digests, begun where there was none; those stay open until the end of the transaction.

    An item is sent with the others when the window of the first ends.
    """
    people = _people(decisions)
    until = next(one.verdict.until for one in decisions if isinstance(one.verdict, Gather))
    with connection.cursor() as cursor:
        found = _open(cursor, _JOIN, _asked(kind, list(people), at))
    missing = {name: person for name, person in people.items() if name not in found}
    return _placed(decisions, {**found, **_begun_in_turns(kind, missing, until, at)} if missing else found)


def _begun_in_turns(kind: Kind, people: Mapping[str, Person], until: datetime, at: datetime) -> Mapping[str, Open]:
    """Open digests of all these people, each turn for all or none of them.

    To hold some and wait for others in the next turn would be a deadlock with whoever holds those. One is left, where
    a window ends between the clocks of two callers; then one of them is told, lets go, and comes again.
    """
    for turn in range(_TURNS):
        try:
            with transaction.atomic():
                return _begun(kind, people, until, at)
        except _Gone:
            continue
        except OperationalError as error:
            if turn > 2 or getattr(error.__cause__, "pgcode", "") != _DEADLOCK:
                raise
    raise RuntimeError("digests are closed faster than they can be joined")  # pragma: no cover


def _begun(kind: Kind, people: Mapping[str, Person], until: datetime, at: datetime) -> Mapping[str, Open]:
    """Open digests of all these people, held until the end of the transaction. Raises `_Gone`."""
    asked = _asked(kind, list(people), at)
    recipients = [str(person.recipient_id) if person.recipient_id else None for person in people.values()]
    begun = {**asked, "ids": array_of(new_ids(len(people))), "recipients": recipients, "due_at": until}
    with connection.cursor() as cursor:
        cursor.execute(_SHUT, asked)
        cursor.execute(_BEGIN, begun)
        found = _open(cursor, _JOIN, asked)
    if len(found) < len(people):
        raise _Gone
    return found


def _open(cursor: Any, statement: str, asked: Mapping[str, Any]) -> dict[str, Open]:
    cursor.execute(statement, asked)
    return {row[0]: Open(row[1], row[2]) for row in cursor.fetchall()}


def entry_rows(notification_id: UUID, decided: Iterable[tuple[Decision, Sequence[UUID]]], at: datetime) -> Rows:
    """What a notification adds to digests; a person's decisions stand together in a plan."""
    rows = []
    for _, together in groupby(decided, key=lambda one: id(one[0].candidate.person)):
        gathered = [
            (decision.candidate, decision.verdict.digest_id, ids[0])
            for decision, ids in together
            if isinstance(decision.verdict, Gather)
        ]
        if not gathered:
            continue
        person, digest_id = gathered[0][0].person, gathered[0][1]
        rows.append(
            (
                new_id(),
                digest_id,
                notification_id,
                "{" + ",".join(candidate.channel for candidate, _, _ in gathered) + "}",
                [delivery_id for _, _, delivery_id in gathered],
                _said(person),
                at,
            )
        )
    columns = ("id", "digest_id", "notification_id", "channels", "delivery_ids", "said", "at")
    return Rows(DigestEntry._meta.db_table, columns, rows)


def take(at: datetime, *, limit: int) -> Sequence[Due]:
    """Up to `limit` that are due, held until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"at": at, "limit": limit})
        return [Due(row[0], row[1], row[2], Mode(row[3]), row[4], row[5]) for row in cursor.fetchall()]


def entries_of(due: Sequence[Due]) -> Sequence[Entry]:
    """What is in digests that were taken, the oldest first, as much as fits into each."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, {"ids": array_of([one.id for one in due])})
        return [
            Entry(
                id=row[0],
                digest_id=row[1],
                notification_id=row[2],
                gathered=dict(zip(map(Channel, row[3]), row[4], strict=True)),
                said=json.loads(row[5]),
                at=row[6],
            )
            for row in cursor.fetchall()
        ]


def settle(digest_ids: Sequence[UUID], entry_ids: Sequence[UUID]) -> None:
    """These items were sent, or have ended, and with them the digests; in the transaction that took them."""
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_ENTRIES, {"ids": array_of(entry_ids)})
        cursor.execute(_DELETE_EMPTY, {"ids": array_of(digest_ids)})


def postpone(digest_ids: Sequence[UUID], until: datetime) -> None:
    """Look at these again later; in the transaction that took them."""
    if digest_ids:
        with connection.cursor() as cursor:
            cursor.execute(_POSTPONE, {"ids": array_of(digest_ids), "until": until})


def withdraw(notification_id: UUID) -> Sequence[UUID]:
    """Take a notification's items out of digests that were not sent; gives the deliveries that stood for them.

    A digest that is just being sent is waited for: what is in it goes.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, {"notification": notification_id})
        cursor.execute(_WITHDRAW, {"notification": notification_id})
        withdrawn = [delivery_id for (ids,) in cursor.fetchall() for delivery_id in ids]
    explain(withdrawn, Reason.CANCELLED)
    return withdrawn


def forget(entry_ids: Sequence[UUID]) -> Sequence[UUID]:
    """Take items of people who are erased out of their digests; gives the deliveries that stood for them.

    A digest that is just being sent is waited for: what comes of it is in the log then.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD_THESE, {"ids": array_of(entry_ids)})
        cursor.execute(_FORGET, {"ids": array_of(entry_ids)})
        forgotten = [delivery_id for (ids,) in cursor.fetchall() for delivery_id in ids]
    explain(forgotten, Reason.ERASED)
    return forgotten


def explain(delivery_ids: Sequence[UUID], reason: Reason) -> None:
    """What these stood for is not sent, for this reason."""
    if delivery_ids:
        with connection.cursor() as cursor:
            cursor.execute(_EXPLAIN, {"ids": array_of(delivery_ids), "reason": reason.value})


def _people(decisions: Sequence[Decision]) -> Mapping[str, Person]:
    people = [one.candidate.person for one in decisions if isinstance(one.verdict, Gather)]
    return {person.who: person for person in people}


def _asked(kind: Kind, names: Sequence[str], at: datetime) -> dict[str, Any]:
    return {
        "names": list(names),
        "key": kind.key,
        "version": kind.version_id,
        "application": kind.application_id,
        "mode": kind.mode,
        "at": at,
    }


def _placed(decisions: Sequence[Decision], found: Mapping[str, Open]) -> tuple[Decision, ...]:
    return tuple(
        Decision(one.candidate, Gather(into.due_at, one.verdict.key, into.id))
        if isinstance(one.verdict, Gather) and (into := found.get(one.candidate.person.who))
        else one
        for one in decisions
    )


def _said(person: Person) -> Mapping[str, Any]:
    """What is known of a person from the request alone. Attributes are left out: they are read again."""
    own = {name: value for name, value in person.own_data.items() if name != "recipient"}
    said = {"locale": person.locale, "data": own}
    if person.recipient_id is None:
        said |= {"email": person.email, "phone": person.phone}
    return {name: value for name, value in said.items() if value}
