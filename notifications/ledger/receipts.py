"""Receipts: kept before the provider's call is answered, applied in batches afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from accounts.channels import Channel
from accounts.ids import new_id
from notifications.ledger.copying import Rows, copy_in, write_in
from notifications.ledger.escalations import hurry
from notifications.ledger.events import REF_LENGTH, foreign, receipt_event_id
from notifications.ledger.reactions import Told, note
from notifications.models import PendingReceipt
from notifications.providers.contract import Receipt
from notifications.vocabulary import MACHINE, DeliveryState, EventKind, Reason, ReceiptKind


@dataclass(frozen=True, slots=True)
class Applied:
    """A receipt that was new: which address of which channel it speaks of, and the account that told."""

    kind: ReceiptKind
    channel: Channel
    address: str
    detail: str
    at: datetime
    account: str


@dataclass(frozen=True, slots=True)
class Application:
    """What one round did. `waiting` receipts outran the delivery that they are about, or are about nobody's."""

    applied: Sequence[Applied]
    taken: int
    waiting: int


_PENDING = ("id", "delivery_id", "kind", "at", "detail", "event_ref", "account", "kept_at", "due_at")

#: A few receipts that are due, and gone with the commit that applies them. Served by pending_receipt_due.
_TAKE = """
    DELETE FROM notifications_pendingreceipt
     WHERE id = ANY(ARRAY(SELECT id
                            FROM notifications_pendingreceipt
                           WHERE due_at <= %(at)s
                           ORDER BY due_at
                           LIMIT %(limit)s
                             FOR UPDATE SKIP LOCKED))
    RETURNING id, delivery_id, kind, at, detail, event_ref, account, kept_at
"""

#: One event a receipt, for deliveries that exist. The same receipt has the same id, so its repetition does nothing.
#: What a provider writes about somebody who was erased is not kept.
_EVENTS = """
    INSERT INTO notifications_deliveryevent
           (id, delivery_id, at, attempt, kind, reason, account, provider_ref, detail)
    SELECT receipt.id, delivery.id, receipt.at, delivery.attempt, receipt.kind, '', receipt.account, '',
           CASE WHEN delivery.address = '' AND delivery.device_id IS NULL THEN '' ELSE receipt.detail END
      FROM unnest(%(event_ids)s::uuid[], %(ids)s::uuid[], %(ats)s::timestamptz[], %(kinds)s::text[],
                  %(accounts)s::text[], %(details)s::text[]) AS receipt (id, delivery_id, at, kind, account, detail)
      JOIN notifications_delivery AS delivery
        ON delivery.id = receipt.delivery_id AND delivery.id = ANY(%(ids)s)
        ON CONFLICT (id) DO NOTHING
    RETURNING id, delivery_id
"""

#: sent, uncertain, failed, expired → delivered. Receipts come in any order: whatever came before, it did arrive.
_DELIVERED = """
    UPDATE notifications_delivery
       SET state = 'delivered', reason = '', due_at = NULL
     WHERE id = ANY(%(ids)s) AND state IN ('sent', 'uncertain', 'failed', 'expired')
"""

#: sent, uncertain → failed: the provider took it and could not deliver it.
_FAILED = """
    UPDATE notifications_delivery
       SET state = 'failed', reason = %(reason)s
     WHERE id = ANY(%(ids)s) AND state IN ('sent', 'uncertain')
"""

#: uncertain → sent: it must have left, if somebody opened it or it is on its way.
_WAS_SENT = (
    "UPDATE notifications_delivery SET state = 'sent', reason = '' WHERE id = ANY(%(ids)s) AND state = 'uncertain'"
)

_ADDRESSES = "SELECT id, channel, address, state FROM notifications_delivery WHERE id = ANY(%(ids)s)"

#: Kinds after which a message goes on to its next channel.
_IN_VAIN = {ReceiptKind.BOUNCED, ReceiptKind.FAILED, ReceiptKind.BLOCKED}
#: Kinds that prove that the message left us, and nothing more.
_SIGNS_OF_LIFE = {ReceiptKind.DEFERRED, ReceiptKind.OPENED, ReceiptKind.CLICKED, ReceiptKind.COMPLAINED}


#: id, delivery_id, kind, at, detail, event_ref, account, kept_at
_Row = tuple[UUID, UUID, str, datetime, str, str, str, datetime]


def keep(receipts: Sequence[Receipt], account: str, at: datetime) -> None:
    """Write receipts down, all or none, to be applied soon."""
    rows = [
        (
            new_id(),
            one.delivery_id,
            one.kind,
            one.at,
            foreign(one.detail),
            foreign(one.event_ref, REF_LENGTH),
            account,
            at,
            at,
        )
        for one in receipts
    ]
    write_in([Rows(PendingReceipt._meta.db_table, _PENDING, rows)])


def apply(at: datetime, *, limit: int = 1000, patience: timedelta = timedelta(minutes=5)) -> Application:
    """Apply up to `limit` receipts that are due, in one transaction.

    A receipt can outrun our own commits: one whose delivery is not there, or whose delivery's answer is not recorded,
    is tried again until `patience` is over, counted from when we were told: the news itself may be older.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE, {"at": at, "limit": limit})
        rows = cursor.fetchall()
        if not rows:
            return Application((), 0, 0)
        ids = [row[1] for row in rows]
        cursor.execute(_ADDRESSES, {"ids": ids})
        found = cursor.fetchall()
        addresses = {row[0]: (Channel(row[1]), row[2]) for row in found}
        recorded = {row[0] for row in found if row[3] != DeliveryState.SENDING}
        too_early = {row[0] for row in rows if row[1] not in recorded and row[7] > at - patience}
        early = [row for row in rows if row[0] in too_early]
        known = [row for row in rows if row[1] in addresses and row[0] not in too_early]
        copy_in(
            PendingReceipt._meta.db_table,
            _PENDING,
            [(*row, at + timedelta(seconds=10)) for row in early],
        )
        new = _append_events(known)
        note([Told(row[1], ReceiptKind(row[2]), row[3], row[4].startswith(MACHINE)) for row in new])
        _move(new)
        if ended := [row[1] for row in new if row[2] in _IN_VAIN]:
            hurry(ended, at)
    applied = [Applied(ReceiptKind(row[2]), *addresses[row[1]], row[4], row[3], row[6]) for row in new]
    return Application(applied, len(rows), len(early))


def _append_events(rows: Sequence[_Row]) -> Sequence[_Row]:
    """Events for receipts that were not known yet; returns those."""
    if not rows:
        return ()
    by_id = {_event_id(row): row for row in rows}
    ids = [row[1] for row in by_id.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            _EVENTS,
            {
                "event_ids": list(by_id),
                "ids": ids,
                "ats": [row[3] for row in by_id.values()],
                "kinds": [EventKind(row[2]).value for row in by_id.values()],
                "accounts": [row[6] for row in by_id.values()],
                "details": [row[4] for row in by_id.values()],
            },
        )
        return [by_id[event_id] for event_id, _ in cursor.fetchall()]


def _event_id(row: _Row) -> UUID:
    """What a program opened and what a person opened are two events, also where the provider calls both the same."""
    mark = MACHINE if row[4].startswith(MACHINE) else ""
    return receipt_event_id(row[1], ReceiptKind(row[2]), mark + row[5])


def _move(rows: Sequence[_Row]) -> None:
    def about(*kinds: ReceiptKind) -> list[UUID]:
        return [row[1] for row in rows if row[2] in kinds]

    with connection.cursor() as cursor:
        cursor.execute(_DELIVERED, {"ids": about(ReceiptKind.DELIVERED)})
        cursor.execute(_FAILED, {"ids": about(ReceiptKind.BOUNCED), "reason": Reason.BOUNCED.value})
        undelivered = about(ReceiptKind.FAILED, ReceiptKind.BLOCKED)
        cursor.execute(_FAILED, {"ids": undelivered, "reason": Reason.UNDELIVERED.value})
        cursor.execute(_WAS_SENT, {"ids": about(*_SIGNS_OF_LIFE)})
