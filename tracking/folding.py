"""What people did, from the outbox of the log into engagements and roll-ups; and the end of what is too old."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from accounts.ids import floor_of
from notifications.ledger import reactions
from notifications.ledger.reactions import Told
from notifications.liveness import signing
from notifications.stopping import stopping
from notifications.vocabulary import DeliveryState, ReceiptKind
from tracking import rollups, unsubscribing
from tracking.attributing import ask_to_look, look_again
from tracking.engaging import Found, News, engage, find
from tracking.models import ReactionKind

#: News that is counted in one transaction, and rows that are looked at, or deleted, in one.
TOGETHER: Final = 2_000
#: Lines of the log of consent that are read in one: each may ask for all that a person got in two months.
_LINES: Final = 500
#: Seconds after which a worker lets other work have a turn.
_TURN: Final = 5.0

_KINDS: Final = {
    ReceiptKind.OPENED: ReactionKind.OPENED,
    ReceiptKind.CLICKED: ReactionKind.CLICKED,
    ReceiptKind.COMPLAINED: ReactionKind.COMPLAINED,
    ReceiptKind.OPTED_OUT: ReactionKind.UNSUBSCRIBED,
}
#: What a provider says of an address to which it does not even try to send is about a message of long ago.
_OF_BEFORE: Final = {ReceiptKind.COMPLAINED, ReceiptKind.OPTED_OUT}

#: The rows of people's doings are found by ids, which begin with when they were made.
_FORGET: Final = (
    """
    DELETE FROM tracking_engagement
     WHERE delivery_id = ANY(ARRAY(SELECT delivery_id
                                     FROM tracking_engagement
                                    WHERE delivery_id < %(before)s
                                    ORDER BY delivery_id
                                    LIMIT %(limit)s
                                      FOR UPDATE SKIP LOCKED))
    """,
    """
    DELETE FROM tracking_conversion
     WHERE id = ANY(ARRAY(SELECT id
                            FROM tracking_conversion
                           WHERE id < %(before)s
                           ORDER BY id
                           LIMIT %(limit)s
                             FOR UPDATE SKIP LOCKED))
    """,
)


def fold(*, clock: Callable[[], datetime]) -> int:
    """Count what people did since the last time; says how much that was.

    1. News of the log: a piece is gone from the outbox exactly if it is counted, so a worker that is killed at any
       moment has counted nothing twice and lost nothing.
    2. Conversions whose click may have been counted late.
    3. What people no longer want, put down to what they got last.
    """
    total, ends_at = 0, time.monotonic() + _TURN
    for step, together in ((_count, TOGETHER), (look_again, TOGETHER), (unsubscribing.follow, _LINES)):
        while time.monotonic() < ends_at and not stopping.is_wished():
            signing.moved()
            done = step(clock(), limit=together)
            total += done
            if done < together:
                break
    return total


def forget(*, clock: Callable[[], datetime]) -> None:
    """Delete what is older than the log, a bounded number of rows at a time."""
    before = clock() - timedelta(days=settings.RETENTION_DAYS + 1)
    for statement in _FORGET:
        gone = TOGETHER
        while gone == TOGETHER and not stopping.is_wished():
            signing.moved()
            with connection.cursor() as cursor:
                cursor.execute(statement, {"before": floor_of(before), "limit": TOGETHER})
                gone = cursor.rowcount
    rollups.forget(before)


def _count(at: datetime, *, limit: int) -> int:
    with transaction.atomic():
        told = reactions.take(limit)
        if not told:
            return 0
        found = find(one.delivery_id for one in told)
        news = list(_news(told, found))
        clicks: dict[UUID, datetime] = {}
        for one in news:
            if one.kind is ReactionKind.CLICKED:
                clicks[one.delivery_id] = min(one.at, clicks.get(one.delivery_id, one.at))
        ask_to_look([(pk, found[pk].recipient_id, clicked_at) for pk, clicked_at in clicks.items()], at)
        engage(news, [found[pk] for pk in {one.delivery_id for one in news}])
    return len(told)


def _news(told: Sequence[Told], found: Mapping[UUID, Found]) -> Iterator[News]:
    for one in told:
        delivery = found.get(one.delivery_id)
        if delivery is None or (one.kind in _OF_BEFORE and delivery.state == DeliveryState.FAILED):
            continue
        yield News(one.delivery_id, ReactionKind.MACHINE_OPENED if one.by_machine else _KINDS[one.kind], one.at)
