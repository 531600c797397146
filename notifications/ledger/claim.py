"""A worker takes what is due in its lane: a lease on batches, and their deliveries move to `sending`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection, transaction

from accounts.channels import Mode
from accounts.ids import array_of, new_id
from notifications.models import BATCH_SIZE
from notifications.vocabulary import Lane, Queue, Urgency


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to send certain batches until a moment. Another worker may take them after it."""

    id: UUID
    lane: Lane
    batch_ids: tuple[UUID, ...]
    until: datetime


class Claimed(msgspec.Struct, frozen=True, gc=False):
    """One delivery that this worker alone may send. `attempt` is its fencing token: every claim counts it up.
    `failures` are the attempts before it that count towards giving up.

    `address` is empty when the device of a push was removed or retired since it was planned. `account` is where the
    attempt before this one failed; `is_in_doubt` where no answer came to it.
    """

    id: UUID
    notification_id: UUID
    device_id: UUID | None
    attempt: int
    failures: int
    queue: Queue
    service: str
    locale: str
    address: str = ""
    data: Mapping[str, Any] | None = None
    account: str = ""
    is_in_doubt: bool = False
    recipient_id: UUID | None = None

    def __repr__(self) -> str:
        return f"Claimed({self.id}, attempt {self.attempt})"


@dataclass(frozen=True, slots=True)
class Shared:
    """What the deliveries of one notification share, as a worker needs it. While `paused_at` is set, none may leave."""

    id: UUID
    version_id: UUID
    mode: Mode
    urgency: Urgency
    expires_at: datetime | None
    resend_in_doubt: bool
    data: Mapping[str, Any] = field(repr=False)
    part_of: UUID | None = None
    paused_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a worker holds. `more` says that others may find work in the lane as well."""

    lease: Lease
    deliveries: Sequence[Claimed]
    notifications: Mapping[UUID, Shared]
    more: bool


#: Waiting → leased: the oldest due batches of a lane, together at most `limit` deliveries, or one batch.
#: Served by batch_waiting. Locked ones belong to a worker that is just claiming them. The first LIMIT keeps a claim
#: from locking hundreds of full batches to take one; it follows the size of the oldest.
_LEASE = """
    WITH oldest AS (
        SELECT size
          FROM notifications_batch
         WHERE lane = %(lane)s AND lease_id IS NULL AND due_at <= %(at)s
         ORDER BY due_at
         LIMIT 1
    ), waiting AS (
        SELECT id, size, due_at
          FROM notifications_batch
         WHERE lane = %(lane)s AND lease_id IS NULL AND due_at <= %(at)s
         ORDER BY due_at
         LIMIT (SELECT greatest(1, %(limit)s / size) FROM oldest)
           FOR UPDATE SKIP LOCKED
    ), taken AS (
        SELECT id
          FROM (SELECT id, sum(size) OVER (ORDER BY due_at, id) - size AS before FROM waiting) AS counted
         WHERE before < %(limit)s
    )
    UPDATE notifications_batch AS batch
       SET lease_id = %(lease)s, lease_until = %(until)s
      FROM taken
     WHERE batch.id = taken.id
    RETURNING batch.id, batch.delivery_ids
"""

#: scheduled, queued, retrying → sending, by primary key. A batch that is worked on twice claims nothing the second
#: time, because `state` is in the WHERE. 500 rows: about 10 ms. With the tokens of devices that are still alive, by
#: primary key.
_CLAIM = """
    WITH claimed AS (
        UPDATE notifications_delivery AS delivery
           SET state = 'sending', attempt = attempt + 1, due_at = NULL
         WHERE id = ANY(%(ids)s::uuid[])
           AND state IN ('scheduled', 'queued', 'retrying')
        RETURNING id, notification_id, device_id, attempt, failures, queue, locale, address, data, account,
                  reason = 'no_answer' AS is_in_doubt, recipient_id
    )
    SELECT claimed.*, device.service, device.token
      FROM claimed
      LEFT JOIN accounts_device AS device ON device.id = claimed.device_id AND device.retired_at IS NULL
"""

#: What the claimed deliveries' notifications say, by primary key.
_NOTIFICATIONS = """
    SELECT notification.id, version_id, mode, urgency, expires_at,
           category.in_doubt = 'resend', data, part_of, paused_at
      FROM notifications_notification AS notification
      JOIN accounts_category AS category ON category.id = category_id
     WHERE notification.id = ANY(%(ids)s)
"""


def claim(lane: Lane, *, at: datetime, lease_for: timedelta, limit: int = BATCH_SIZE) -> Claim | None:
    """Take what is due in `lane`, about `limit` deliveries; None where nothing is."""
    lease_id, until = new_id(), at + lease_for
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LEASE, {"lane": lane, "at": at, "limit": limit, "lease": lease_id, "until": until})
        batches = cursor.fetchall()
        if not batches:
            return None
        wanted = [delivery_id for _, ids in batches for delivery_id in ids]
        cursor.execute(_CLAIM, {"ids": array_of(wanted)})
        rows = cursor.fetchall()
        cursor.execute(_NOTIFICATIONS, {"ids": list({row[1] for row in rows})})
        notifications = {row[0]: _shared(row) for row in cursor.fetchall()}
    return Claim(
        Lease(lease_id, lane, tuple(batch_id for batch_id, _ in batches), until),
        [_claimed(row) for row in rows],
        notifications,
        more=len(wanted) >= limit,
    )


def _claimed(row: tuple[Any, ...]) -> Claimed:
    (
        delivery_id, notification_id, device_id, attempt, failures, queue, locale, address, data, account, is_in_doubt,
        recipient_id, service, token,
    ) = row  # fmt: skip
    return Claimed(
        id=delivery_id,
        notification_id=notification_id,
        device_id=device_id,
        attempt=attempt,
        failures=failures,
        queue=Queue(queue),
        service=service or "",
        locale=locale,
        address=(token or "") if device_id else address,
        data=json.loads(data) if data else None,
        account=account,
        is_in_doubt=is_in_doubt,
        recipient_id=recipient_id,
    )


def _shared(row: tuple[Any, ...]) -> Shared:
    identifier, version_id, mode, urgency, expires_at, resend, data, part_of, paused_at = row
    return Shared(
        id=identifier,
        version_id=version_id,
        mode=Mode(mode),
        urgency=Urgency(urgency),
        expires_at=expires_at,
        resend_in_doubt=resend,
        data=json.loads(data),
        part_of=part_of,
        paused_at=paused_at,
    )
