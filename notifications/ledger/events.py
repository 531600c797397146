"""Lines of the timeline. An event's id begins as its delivery's does, so one index serves both.

The last 24 bits of a UUIDv7 are random; an event takes the first 104 bits of its delivery's id and says in the last 24
what it is. Thus the events of a delivery are one range of the primary key, in the partition of the delivery's day, and
the same event written twice has the same id.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

import msgspec

from accounts.ids import Id
from notifications.ledger.copying import Rows, copy_in
from notifications.models import DeliveryEvent
from notifications.vocabulary import EventKind, Reason, ReceiptKind

_COLUMNS: Final = ("id", "delivery_id", "at", "attempt", "kind", "reason", "account", "provider_ref", "detail")
_DETAIL_LENGTH, REF_LENGTH = 500, 200
#: Hexadecimal digits of a delivery's id that its events share, dashes included.
_SHARED: Final = 30
_PLACE_OF: Final = {kind.value: place for place, kind in enumerate(EventKind)}

#: The events of some deliveries: a range of the primary key for each, within the days of all.
_OF = """
    SELECT event.*
      FROM unnest(%(firsts)s::uuid[], %(lasts)s::uuid[]) AS range (first, last)
      JOIN notifications_deliveryevent AS event ON event.id BETWEEN range.first AND range.last
     WHERE event.id BETWEEN %(first)s AND %(last)s
     ORDER BY event.id
"""


class Event(msgspec.Struct, frozen=True, gc=False):
    """What happened to a delivery in one attempt; each kind happens at most once in each."""

    delivery_id: UUID
    at: datetime
    attempt: int
    kind: EventKind
    reason: Reason | None = None
    account: str = ""
    provider_ref: str = ""
    detail: str = ""


def foreign(text: str, longest: int = _DETAIL_LENGTH) -> str:
    """What a provider wrote, as the log can keep it: not too long, and without NUL, which PostgreSQL cannot store.

    One odd answer would else keep hundreds of others, recorded together with it, out of the log.
    """
    return text.replace("\0", "")[:longest]


def append_events(events: Sequence[Event]) -> None:
    """Write events by COPY, in the transaction of what they tell."""
    copy_in(DeliveryEvent._meta.db_table, _COLUMNS, [_row(event) for event in events])


def events_of(delivery_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[DeliveryEvent]]:
    """The events of some deliveries, in one query."""
    found: defaultdict[UUID, list[DeliveryEvent]] = defaultdict(list)
    if delivery_ids:
        firsts, lasts = zip(*map(DeliveryEvent.range_of, delivery_ids), strict=True)
        asked = {"firsts": list(firsts), "lasts": list(lasts), "first": min(firsts), "last": max(lasts)}
        for event in DeliveryEvent.objects.raw(_OF, asked):
            found[event.delivery_id].append(event)
    return found


def event_rows(events: Sequence[Event]) -> Rows:
    """Events to be written together with other rows."""
    return Rows(DeliveryEvent._meta.db_table, _COLUMNS, [_row(event) for event in events])


def _row(event: Event) -> tuple[UUID | str | int | datetime, ...]:
    return (
        attempt_event_id(event.delivery_id, event.kind, event.attempt),
        event.delivery_id,
        event.at,
        event.attempt,
        event.kind,
        event.reason or "",
        event.account,
        foreign(event.provider_ref, REF_LENGTH),
        foreign(event.detail),
    )


def attempt_event_id(delivery_id: UUID, kind: EventKind, attempt: int) -> UUID:
    """The id of what we did ourselves: 0, seven bits for the kind, sixteen for the attempt."""
    return Id.of(f"{str(delivery_id)[:_SHARED]}{_PLACE_OF[kind] << 16 | attempt:06x}")


def receipt_event_id(delivery_id: UUID, kind: ReceiptKind, event_ref: str) -> UUID:
    """The id of a provider's news: 1, five bits for the kind, eighteen of a hash of the provider's own id for it."""
    digest = int.from_bytes(sha256(event_ref.encode()).digest()[:3], "big") & 0x3FFFF
    return Id.of(f"{str(delivery_id)[:_SHARED]}{0x800000 | _PLACE_OF[kind] << 18 | digest:06x}")
