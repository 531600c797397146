"""How far planning has walked through the audiences of notifications."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import connection

from accounts.channels import Channel
from accounts.ids import new_id
from notifications.models import Audience
from notifications.planning.values import Criteria, Wish


@dataclass(frozen=True, slots=True)
class Walk:
    """The right to plan an audience from a place in it; `lease_id` is the fencing token."""

    notification_id: UUID
    criteria: Criteria
    channels: tuple[Channel, ...]
    walked_to: UUID | None
    lease_id: UUID
    wish: Wish | None = None
    digest_key: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one step of a walk came to. `last` is None when there was nobody left."""

    last: UUID | None
    people: int
    planned: int
    suppressed: int


#: The oldest audience that is not walked to its end and in nobody's hands, also when its worker did not come back.
#: Served by audience_unfinished.
_TAKE = """
    UPDATE notifications_audience
       SET lease_id = %(lease)s, lease_until = %(until)s
     WHERE notification_id = (SELECT notification_id
                                FROM notifications_audience
                               WHERE finished_at IS NULL AND (lease_id IS NULL OR lease_until < %(at)s)
                               ORDER BY notification_id
                               LIMIT 1
                                 FOR UPDATE SKIP LOCKED)
    RETURNING notification_id, criteria::text, channels, walked_to, routing::text, digest_key
"""

#: One step, in the transaction that appends its deliveries. A worker that lost its lease, or whose notification was
#: cancelled, changes no row.
_ADVANCE = """
    UPDATE notifications_audience
       SET walked_to = coalesce(%(last)s, walked_to),
           people = people + %(people)s,
           planned = planned + %(planned)s,
           suppressed = suppressed + %(suppressed)s,
           lease_until = %(until)s,
           finished_at = CASE WHEN %(last)s::uuid IS NULL THEN %(at)s::timestamptz END
     WHERE notification_id = %(id)s AND lease_id = %(lease)s AND finished_at IS NULL
"""

_RELEASE = """
    UPDATE notifications_audience
       SET lease_id = NULL, lease_until = NULL
     WHERE notification_id = %(id)s AND lease_id = %(lease)s
"""


def begin(
    notification_id: UUID,
    criteria: Criteria,
    channels: Sequence[Channel],
    wish: Wish | None = None,
    digest_key: str = "",
) -> None:
    """Write an audience, to be walked from its beginning."""
    Audience.objects.create(
        notification_id=notification_id,
        criteria={name: value for name, value in asdict(criteria).items() if value},
        channels=[channel.value for channel in channels],
        routing=msgspec.to_builtins(wish) if wish else {},
        digest_key=digest_key,
    )


def are_open(at: datetime) -> bool:
    """Whether an audience waits for somebody who walks it."""
    waiting = Audience.objects.filter(finished_at__isnull=True)
    return waiting.filter(lease_id__isnull=True).exists() or waiting.filter(lease_until__lt=at).exists()


def take(at: datetime, *, lease_for: timedelta) -> Walk | None:
    """A lease on the oldest audience that nobody walks; None when there is none."""
    lease = new_id()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"at": at, "lease": lease, "until": at + lease_for})
        row = cursor.fetchone()
    if row is None:
        return None
    notification_id, criteria, channels, walked_to, routing, digest_key = row
    known = Criteria(**json.loads(criteria))
    asked = tuple(Channel(name) for name in channels)
    return Walk(notification_id, known, asked, walked_to, lease, _wish(routing), digest_key)


def _wish(text: str) -> Wish | None:
    return msgspec.json.decode(text, type=Wish) if text != "{}" else None


def advance(walk: Walk, chunk: Chunk, at: datetime, *, lease_for: timedelta) -> bool:
    """Note a step; False when the lease was lost or the notification cancelled, and nothing may be appended."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ADVANCE,
            {
                "id": walk.notification_id,
                "lease": walk.lease_id,
                "last": chunk.last,
                "people": chunk.people,
                "planned": chunk.planned,
                "suppressed": chunk.suppressed,
                "until": at + lease_for,
                "at": at,
            },
        )
        return bool(cursor.rowcount)


def release(walk: Walk) -> None:
    """Give the lease back, so that the next worker goes on at once."""
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, {"id": walk.notification_id, "lease": walk.lease_id})
