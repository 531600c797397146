"""What became of claimed deliveries: their new states, the events beside them, and the batches to try again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from accounts.ids import new_id
from notifications.ledger.batches import Due, enqueue
from notifications.ledger.claim import Lease
from notifications.ledger.copying import copy_in
from notifications.models import DeliveryEvent
from notifications.planning.retry import Step
from notifications.vocabulary import DeliveryState, EventKind


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt came to. `at` is when its answer came; `account` the provider account's name."""

    delivery_id: UUID
    attempt: int
    step: Step
    at: datetime
    account: str = ""
    provider_ref: str = ""
    detail: str = ""


_EVENT = ("id", "delivery_id", "at", "attempt", "kind", "reason", "account", "provider_ref", "detail")
_DETAIL_LENGTH, _REF_LENGTH = 500, 200

#: sending → sent, failed, retrying, uncertain, expired or suppressed, by primary key. `attempt` is the fence: a worker
#: that was frozen past its lease finds another state or a higher attempt, and changes nothing. The bounds let
#: PostgreSQL skip the partitions of other days. 500 rows: about 6 ms.
_RECORD = """
    UPDATE notifications_delivery AS delivery
       SET state = result.state, reason = result.reason, due_at = result.due_at
      FROM unnest(%(ids)s::uuid[], %(attempts)s::smallint[], %(states)s::text[], %(reasons)s::text[],
                  %(dues)s::timestamptz[]) AS result (id, attempt, state, reason, due_at)
     WHERE delivery.id = result.id
       AND delivery.id BETWEEN %(first)s AND %(last)s
       AND delivery.state = 'sending'
       AND delivery.attempt = result.attempt
    RETURNING delivery.id
"""

#: The batch is done. Whoever lost the lease deletes nothing.
_FINISH = """
    DELETE FROM notifications_batch
     WHERE id = ANY(%(ids)s) AND lease_id = %(lease)s
"""


def record(results: Sequence[Result], lease: Lease) -> set[Due]:
    """Write the results of a part of what `lease` covers, in one transaction.

    Results of a worker that lost its lease meanwhile are left out. Returns when and where retries are due.
    """
    with transaction.atomic():
        changed = _move(results)
        kept = [result for result in results if result.delivery_id in changed]
        copy_in(DeliveryEvent._meta.db_table, _EVENT, [_event(result) for result in kept])
        again = [
            ((lease.lane.retry, result.step.due_at), result.delivery_id)
            for result in kept
            if result.step.state is DeliveryState.RETRYING and result.step.due_at
        ]
        return enqueue(again) if again else set()


def finish(lease: Lease) -> None:
    """Give the lease back: everything it covered has been recorded."""
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, {"ids": list(lease.batch_ids), "lease": lease.id})


def _move(results: Sequence[Result]) -> set[UUID]:
    ids = [result.delivery_id for result in results]
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD,
            {
                "ids": ids,
                "attempts": [result.attempt for result in results],
                "states": [result.step.state.value for result in results],
                "reasons": [result.step.reason.value if result.step.reason else "" for result in results],
                "dues": [result.step.due_at for result in results],
                "first": min(ids),
                "last": max(ids),
            },
        )
        return {row[0] for row in cursor.fetchall()}


def _event(result: Result) -> tuple[UUID | str | int | datetime, ...]:
    return (
        new_id(),
        result.delivery_id,
        result.at,
        result.attempt,
        EventKind(result.step.state.value),
        result.step.reason or "",
        result.account,
        result.provider_ref[:_REF_LENGTH],
        result.detail[:_DETAIL_LENGTH],
    )
