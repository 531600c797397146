"""The deliveries of a run, line by line, each with what became of it and what its reader did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

from accounts.ids import array_of, floor_of, instant_of
from accounts.masking import masked
from campaigns.models import Export, Run
from campaigns.reports.cells import Cell
from notifications.vocabulary import REASON_TEXT, Reason

#: What a line says; addresses come last, as not everybody may see them.
COLUMNS: Final = (
    "external_id", "channel", "variant", "state", "reason", "planned_at", "sent_at", "opened_at", "clicked_at",
    "converted_at", "address",
)  # fmt: skip
#: Clocks of machines differ by less.
_LEEWAY: Final = timedelta(minutes=1)

#: A page of the primary key, from the last line on: what was planned for one run lies close together, so that little
#: else is passed over. What is joined is found by primary keys.
_AFTER: Final = """
    SELECT delivery.id, delivery.notification_id, person.external_id, delivery.channel, delivery.state, delivery.reason,
           delivery.sent_at, engagement.opened_at, engagement.clicked_at, engagement.converted_at, delivery.address
      FROM (SELECT id, notification_id, recipient_id, channel, state, reason, sent_at, address
              FROM notifications_delivery
             WHERE id > %(after)s
               AND id <= %(up_to)s
               AND notification_id = ANY (%(notifications)s::uuid[])
             ORDER BY id
             LIMIT %(limit)s) AS delivery
      LEFT JOIN accounts_recipient AS person ON person.id = delivery.recipient_id
      LEFT JOIN tracking_engagement AS engagement ON engagement.delivery_id = delivery.id
     ORDER BY delivery.id
"""

#: The last that a clock has planned which is ahead of this one. Served by the end of the primary key.
_AHEAD: Final = """
    SELECT id
      FROM notifications_delivery
     WHERE id > %(now)s
       AND id < %(until)s
       AND notification_id = ANY (%(notifications)s::uuid[])
     ORDER BY id DESC
     LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries a file has: of these notifications, by the letters of their variants, planned in this span."""

    letters: Mapping[UUID, str]
    first: UUID
    up_to: UUID

    @classmethod
    def of(cls, export: Export) -> "Wanted":
        """Those of its run that were planned before the file was asked for."""
        first = floor_of((export.run.started_at or export.created_at) - _LEEWAY)
        return cls(_letters(export.run), first, export.up_to or export.id)


class DeliveryLine(NamedTuple):
    """One delivery."""

    delivery_id: UUID
    external_id: str
    channel: str
    variant: str
    state: str
    reason: str
    sent_at: datetime | None
    opened_at: datetime | None
    clicked_at: datetime | None
    converted_at: datetime | None
    address: str

    def cells(self, *, shows_addresses: bool) -> Sequence[Cell]:
        """In the order of `COLUMNS`. Without addresses, ids that are some are masked as well."""
        told: tuple[Cell, ...] = (
            self.external_id if shows_addresses else masked(self.external_id),
            self.channel,
            self.variant,
            self.state,
            REASON_TEXT[Reason(self.reason)] if self.reason else "",
            instant_of(self.delivery_id),
            self.sent_at,
            self.opened_at,
            self.clicked_at,
            self.converted_at,
        )
        return (*told, self.address) if shows_addresses else told


def last_of(run: Run, now: UUID) -> UUID:
    """The highest id that a delivery of a run can have by now: `now`, unless a clock is ahead that planned it."""
    until = floor_of(instant_of(now) + _LEEWAY)
    asked: dict[str, Any] = {"now": now, "until": until, "notifications": array_of(_letters(run))}
    with connection.cursor() as cursor:
        cursor.execute(_AHEAD, asked)
        row = cursor.fetchone()
    return row[0] if row else now


def after(wanted: Wanted, place: UUID | None, limit: int) -> Sequence[DeliveryLine]:
    """The next deliveries after `place`, in the order in which they were planned."""
    asked: dict[str, Any] = {
        "after": place or wanted.first,
        "up_to": wanted.up_to,
        "notifications": array_of(wanted.letters),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_AFTER, asked)
        return [_line(row, wanted.letters[row[1]]) for row in cursor.fetchall()]


def _letters(run: Run) -> Mapping[UUID, str]:
    """What its notifications are called."""
    arms = run.arms.exclude(notification_id=None)
    return {arm.notification_id: arm.letter for arm in arms if arm.notification_id}


def _line(row: tuple[Any, ...], variant: str) -> DeliveryLine:
    delivery_id, _, external_id, channel, *told = row
    return DeliveryLine(delivery_id, external_id or "", channel, variant, *told)
