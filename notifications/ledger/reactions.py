"""What people did with messages, handed on to whoever counts it: written with the event, deleted by who has counted.

An outbox: the news is there exactly if its event is, and it is gone exactly if it is counted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from django.db import connection

from notifications.ledger.copying import Rows, write_in
from notifications.models import Reaction
from notifications.vocabulary import MACHINE, ReceiptKind

#: What a person does; everything else that providers tell is about the message's way.
_DOINGS: Final = frozenset({ReceiptKind.OPENED, ReceiptKind.CLICKED, ReceiptKind.COMPLAINED, ReceiptKind.OPTED_OUT})

_COLUMNS: Final = ("delivery_id", "kind", "at", "detail")

#: The oldest news, and gone with the commit that counts it. Two at once: the second passes over what the first has
#: taken. By primary key.
_TAKE = """
    DELETE FROM notifications_reaction
     WHERE id = ANY(ARRAY(SELECT id
                            FROM notifications_reaction
                           ORDER BY id
                           LIMIT %(limit)s
                             FOR UPDATE SKIP LOCKED))
    RETURNING delivery_id, kind, at, detail
"""


class Told(msgspec.Struct, frozen=True, gc=False):
    """What was done with a delivery. `by_machine`: an open that says nothing of a person."""

    delivery_id: UUID
    kind: ReceiptKind
    at: datetime
    by_machine: bool = False


def note(news: Sequence[Told]) -> None:
    """Hand on what of this is a person's doing, in the transaction that appends its events.

    Of what a provider wrote only the mark goes along: what waits here says nothing of anybody.
    """
    rows = [
        (one.delivery_id, one.kind, one.at, MACHINE if one.by_machine else "") for one in news if one.kind in _DOINGS
    ]
    write_in([Rows(Reaction._meta.db_table, _COLUMNS, rows)])


def take(limit: int) -> Sequence[Told]:
    """Up to `limit` pieces of news, which are gone with the commit of the transaction that this is called in."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"limit": limit})
        return [Told(row[0], ReceiptKind(row[1]), row[2], row[3] == MACHINE) for row in cursor.fetchall()]
