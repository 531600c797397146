"""What became of claimed deliveries: their new states, events beside what was not sent, and batches to try again."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.ids import array_of
from notifications.ledger import spending
from notifications.ledger.awaited import await_receipts
from notifications.ledger.batches import enqueue
from notifications.ledger.claim import Lease
from notifications.ledger.copying import copy_in
from notifications.ledger.escalations import hurry
from notifications.ledger.events import REF_LENGTH, Event, append_events, foreign
from notifications.ledger.spending import Charge
from notifications.models import DeadLetter
from notifications.planning.escalation import ENDED
from notifications.planning.retry import Step
from notifications.vocabulary import DeliveryState, EventKind, Lane, Queue, Reason


class Letter(msgspec.Struct, frozen=True, gc=False):
    """What a dead letter says besides its result."""

    notification_id: UUID
    queue: Queue


class Result(msgspec.Struct, frozen=True, gc=False):
    """What one attempt came to. `at` is when its answer came; `account` the provider account's name.

    `detail`: where it was sent, why not by the account that comes first, which is an event of its own.
    `awaits_receipt`: where it was sent, its provider is to say later whether it arrived. `charge`: what it then cost.
    """

    delivery_id: UUID
    attempt: int
    step: Step
    at: datetime
    account: str = ""
    provider_ref: str = ""
    detail: str = ""
    letter: Letter | None = None
    awaits_receipt: bool = False
    charge: Charge | None = None


#: sending → sent, by primary key; the row itself says when, by which account, under which name. What differs from row
#: to row is looked up by the place of its id: joined with `unnest`, 250 rows take 5 ms instead of 1.
_SENT = """
    UPDATE notifications_delivery
       SET state = 'sent', reason = '', due_at = NULL, account = %(account)s,
           sent_at = (%(ats)s::timestamptz[])[array_position(%(ids)s::uuid[], id)],
           provider_ref = (%(refs)s::text[])[array_position(%(ids)s::uuid[], id)]
     WHERE id = ANY(%(ids)s::uuid[])
       AND state = 'sending'
       AND attempt = %(attempt)s
    RETURNING id
"""

#: sending → failed, uncertain, expired or suppressed: deliveries whose end is the same. By primary key. `attempt`
#: is the fence: a worker that was frozen past its lease finds another state or a higher attempt, and changes nothing.
#: 250 rows: about 1 ms.
_SETTLE = """
    UPDATE notifications_delivery
       SET state = %(state)s, reason = %(reason)s, due_at = NULL
     WHERE id = ANY(%(ids)s::uuid[])
       AND state = 'sending'
       AND attempt = %(attempt)s
    RETURNING id
"""

#: sending → retrying, each at a moment of its own, with the account that was tried, where one was. By primary key: the
#: ids stand there twice, because a join alone is planned as a scan over the day. 250 rows: about 5 ms.
_RETRY = """
    UPDATE notifications_delivery AS delivery
       SET state = 'retrying', reason = result.reason, due_at = result.due_at, failures = failures + result.counted,
           account = coalesce(nullif(result.account, ''), delivery.account)
      FROM unnest(%(ids)s::uuid[], %(attempts)s::smallint[], %(reasons)s::text[], %(dues)s::timestamptz[],
                  %(counted)s::smallint[], %(accounts)s::text[])
                  AS result (id, attempt, reason, due_at, counted, account)
     WHERE delivery.id = result.id
       AND delivery.id = ANY(%(ids)s)
       AND delivery.state = 'sending'
       AND delivery.attempt = result.attempt
    RETURNING delivery.id
"""

#: The batch is done. Whoever lost the lease deletes nothing.
_FINISH = """
    DELETE FROM notifications_batch
     WHERE id = ANY(%(ids)s) AND lease_id = %(lease)s
"""


def record(results: Sequence[Result], lane: Lane, ended: Sequence[Lease] = ()) -> bool:
    """Write results of deliveries that were claimed in `lane`, and give back the leases that `ended` with them.

    In one transaction. Results of a worker that lost its lease meanwhile are left out. Says whether any of them waits
    in the retry lane now.
    """
    with transaction.atomic(savepoint=False):
        lost = _move(results)
        kept = [result for result in results if result.delivery_id not in lost] if lost else results
        if events := [_event(result) for result in kept if _is_told(result)]:
            append_events(events)
        _bury(kept)
        if in_vain := [result.delivery_id for result in kept if result.step.state in ENDED]:
            hurry(in_vain, results[0].at)
        await_receipts(
            [result.delivery_id for result in kept if result.awaits_receipt and _is_sent(result)], results[0].at
        )
        if charges := [result.charge for result in kept if result.charge and _is_sent(result)]:
            spending.note(charges, results[0].at)
        again = [
            ((lane.retry, result.step.due_at), result.delivery_id)
            for result in kept
            if result.step.state is DeliveryState.RETRYING and result.step.due_at
        ]
        for lease in ended:
            finish(lease)
        if again:
            enqueue(again)
        return bool(again)


def _bury(results: Sequence[Result]) -> None:
    """A dead letter for every delivery whose attempts are used up."""
    dead = [
        (
            result.delivery_id,
            result.letter.notification_id,
            result.letter.queue,
            result.account,
            foreign(result.detail),
            result.at,
        )
        for result in results
        if result.letter and result.step.reason is Reason.ATTEMPTS_EXHAUSTED
    ]
    if dead:
        columns = ("delivery_id", "notification_id", "queue", "account", "detail", "at")
        copy_in(DeadLetter._meta.db_table, columns, dead)


def _is_sent(result: Result) -> bool:
    return result.step.state is DeliveryState.SENT


def _is_told(result: Result) -> bool:
    """Whether the timeline gets a line of it: not of what is plainly sent, nor of every look at what is paused."""
    return bool(result.detail) or not (_is_sent(result) or result.step.reason is Reason.PAUSED)


def finish(lease: Lease) -> None:
    """Give the lease back: everything it covered has been recorded."""
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, {"ids": list(lease.batch_ids), "lease": lease.id})


def _move(results: Sequence[Result]) -> set[UUID]:
    """One statement for all that were sent, which are nearly all, one for those that end alike in another way, and one
    for all retries. Returns those not moved.
    """
    sent: defaultdict[tuple[str, int], list[Result]] = defaultdict(list)
    alike: defaultdict[tuple[DeliveryState, Reason | None, int], list[UUID]] = defaultdict(list)
    again: list[Result] = []
    for result in results:
        if result.step.due_at:
            again.append(result)
        elif result.step.state is DeliveryState.SENT:
            sent[result.account, result.attempt].append(result)
        else:
            alike[result.step.state, result.step.reason, result.attempt].append(result.delivery_id)
    lost: set[UUID] = set()
    with connection.cursor() as cursor:
        for (account, attempt), together in sent.items():
            ids = [result.delivery_id for result in together]
            cursor.execute(
                _SENT,
                {
                    "ids": array_of(ids),
                    "account": account,
                    "attempt": attempt,
                    "ats": "{" + ",".join([result.at.isoformat() for result in together]) + "}",
                    "refs": [_ref(result) for result in together],
                },
            )
            lost |= _not_among(ids, cursor)
        for (state, reason, attempt), ids in alike.items():
            about = {"ids": array_of(ids), "state": state, "reason": reason or "", "attempt": attempt}
            cursor.execute(_SETTLE, about)
            lost |= _not_among(ids, cursor)
        if again:
            ids = [result.delivery_id for result in again]
            cursor.execute(
                _RETRY,
                {
                    "ids": ids,
                    "attempts": [result.attempt for result in again],
                    "reasons": [result.step.reason or "" for result in again],
                    "dues": [result.step.due_at for result in again],
                    "counted": [int(result.step.counts) for result in again],
                    "accounts": [result.account for result in again],
                },
            )
            lost |= _not_among(ids, cursor)
    return lost


def _not_among(ids: Sequence[UUID], cursor: CursorWrapper) -> set[UUID]:
    """Those of `ids` whose rows the last statement left alone; nearly always none, and then its rows are not read."""
    if cursor.rowcount == len(ids):
        return set()
    return set(ids).difference(row[0] for row in cursor.fetchall())


def _event(result: Result) -> Event:
    return Event(
        result.delivery_id,
        result.at,
        result.attempt,
        EventKind(result.step.state.value),
        result.step.reason,
        result.account,
        _ref(result),
        result.detail,
    )


def _ref(result: Result) -> str:
    """The provider's id; some take ours for theirs, and it stands there already."""
    return "" if result.provider_ref == str(result.delivery_id) else foreign(result.provider_ref, REF_LENGTH)
