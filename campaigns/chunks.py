"""Whose turn it is: one chunk after the other of the runs that are on their way, each in one worker's hands."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from accounts.ids import new_id
from campaigns.models import Chunk, Run
from campaigns.schedule_of import window_of
from campaigns.schedules import within, zone_named
from campaigns.vocabulary import ChunkState
from notifications.vocabulary import Lane


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to plan one chunk; `lease_id` is the fencing token."""

    run: Run
    chunk_id: UUID
    phase: int
    after_id: UUID
    recipient_ids: list[UUID]
    lease_id: UUID


#: The run that had its turn longest ago, of those that have something open: none holds up another. Whoever comes at
#: the same time waits for the row, which is locked for this statement and the next. Served by run_unfinished and
#: chunk_open.
_RUN: Final = """
    SELECT run.id
      FROM campaigns_run AS run
     WHERE run.state IN ('starting', 'running')
       AND run.next_chunk_at <= %(at)s
       AND EXISTS (SELECT 1
                     FROM campaigns_chunk AS chunk
                    WHERE chunk.run_id = run.id
                      AND chunk.state = 'open'
                      AND (chunk.phase = 1 OR run.winner <> '')
                      AND (chunk.lease_id IS NULL OR chunk.lease_until < %(at)s))
     ORDER BY run.next_chunk_at, run.id
     LIMIT 1
       FOR UPDATE OF run
"""

#: Its next chunk. Served by chunk_open.
_OPEN: Final = """
    SELECT id
      FROM campaigns_chunk
     WHERE run_id = %(run)s
       AND state = 'open'
       AND (phase = 1 OR %(decided)s)
       AND (lease_id IS NULL OR lease_until < %(at)s)
     ORDER BY phase, after_id
     LIMIT 1
"""

#: Who lost the lease, or whose run was cancelled, plans nothing.
_DONE: Final = """
    UPDATE campaigns_chunk
       SET state = 'planned', planned_at = %(at)s, lease_id = NULL, lease_until = NULL
     WHERE id = %(chunk)s AND lease_id = %(lease)s AND state = 'open'
"""

_PEOPLE: Final = "UPDATE campaigns_arm SET people = people + %(people)s WHERE id = %(arm)s"

#: Whether so many deliveries wait in the lanes, without counting all: some thousand batches at most. Served by
#: batch_waiting.
_CROWDED: Final = """
    SELECT coalesce(sum(size), 0) >= %(most)s
      FROM (SELECT size
              FROM notifications_batch
             WHERE lease_id IS NULL AND due_at <= %(at)s AND lane = ANY(%(lanes)s)
             LIMIT 5000) AS waiting
"""
#: Deliveries that may wait for a first attempt before planning waits for them: what is planned can be stopped or
#: steered no more as quickly. Some seconds' worth. What fails waits in lanes of its own, and holds nothing up.
MOST_WAITING: Final = 60_000
_LANES: Final = [lane.value for lane in Lane if lane is not lane.retry and not lane.is_critical]


def take(at: datetime, *, lease_for: timedelta) -> Turn | None:
    """A lease on the next chunk that may be planned now; None when there is none.

    Where the run is throttled its next chunk may be taken once the people of this one have had their time. Outside the
    hours of its window a run is not planned: what was planned by night would all leave in the minute that they begin.
    """
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_RUN, {"at": at})
            row = cursor.fetchone()
            if row is None:
                return None
            run = Run.objects.select_related("campaign").get(pk=row[0])
            opens_at = _opening(run, at)
            if opens_at is None:
                return _taken(run, at, lease_for)
            Run.objects.filter(pk=run.pk).update(next_chunk_at=opens_at)


def _taken(run: Run, at: datetime, lease_for: timedelta) -> Turn | None:
    """A lease on the next chunk of a run, whose row is locked."""
    lease = new_id()
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"run": run.id, "at": at, "decided": bool(run.winner)})
        row = cursor.fetchone()
    if row is None:  # somebody took the last one while this one waited
        return None
    chunk = Chunk.objects.get(pk=row[0])
    Chunk.objects.filter(pk=chunk.pk).update(lease_id=lease, lease_until=at + lease_for)
    Run.objects.filter(pk=run.pk).update(next_chunk_at=_next(run, len(chunk.recipient_ids), at))
    return Turn(run, chunk.pk, chunk.phase, chunk.after_id, chunk.recipient_ids, lease)


def done(turn: Turn, at: datetime) -> bool:
    """Note that a chunk is planned, in the transaction that appends its deliveries; False: append nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_DONE, {"chunk": turn.chunk_id, "lease": turn.lease_id, "at": at})
        return bool(cursor.rowcount)


def put_off(turn: Turn, people: list[UUID]) -> None:
    """Those of a chunk who wait for the better variant, in the transaction that plans the others."""
    if people:
        Chunk.objects.create(run=turn.run, phase=2, after_id=turn.after_id, recipient_ids=people)


def count_people(arm_id: UUID, people: int) -> None:
    """Add to those who were planned for an arm; last in its transaction, as others wait for the row."""
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, {"arm": arm_id, "people": people})


def are_crowded(at: datetime) -> bool:
    """Whether so much waits to be sent that nothing more should be planned."""
    with connection.cursor() as cursor:
        cursor.execute(_CROWDED, {"at": at, "most": MOST_WAITING, "lanes": _LANES})
        return bool(cursor.fetchone()[0])


def are_left(run_id: UUID, phase: int) -> bool:
    """Whether anything of a phase is not planned yet."""
    return Chunk.objects.filter(run_id=run_id, phase=phase, state=ChunkState.OPEN.value).exists()


def close(run_id: UUID) -> None:
    """Nothing more of a run is planned; a chunk that is just being appended is waited for."""
    open_ones = Chunk.objects.filter(run_id=run_id, state=ChunkState.OPEN.value)
    open_ones.update(state=ChunkState.CLOSED.value, lease_id=None, lease_until=None)


def _opening(run: Run, at: datetime) -> datetime | None:
    """When the hours begin in which a run is sent; None where it is sent now, or by each recipient's own clock."""
    window = window_of(run.campaign)
    if window is None or run.campaign.in_local_time:
        return None
    opens_at = within(window, at, zone_named(run.campaign.zone))
    return opens_at if opens_at > at else None


def _next(run: Run, people: int, at: datetime) -> datetime:
    throttle = run.campaign.throttle_per_minute
    if throttle is None or run.next_chunk_at is None:
        return at
    # a worker that comes a little late does not slow the whole down, one that comes much later catches nothing up
    begins = max(run.next_chunk_at, at - timedelta(seconds=10))
    return begins + timedelta(minutes=people / throttle)
