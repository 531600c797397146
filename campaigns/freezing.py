"""The audience of a run is written down at its start: chunk by chunk, each person once, and nobody later."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from accounts.ids import floor_of, new_id
from campaigns.models import CHUNK_SIZE, Campaign, Run
from campaigns.segments import keeping
from campaigns.segments.conditions import Where
from campaigns.segments.reading import UnusableRules
from campaigns.vocabulary import RunState

#: People of the first slice, so that the first messages leave at once, and of every further one: 25 ms.
FIRST_SLICE: Final = 2_000
SLICE: Final = 20_000
#: Parts into which the people of a minute are cut, where a run is throttled.
_PIECES: Final = 6
_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Freeze:
    """The right to write down the audience of a run from a place in it; `lease_id` is the fencing token."""

    run: Run
    where: Where
    lease_id: UUID


#: The oldest run whose audience is not written down and in nobody's hands. Served by run_unfinished.
_TAKE: Final = """
    UPDATE campaigns_run
       SET lease_id = %(lease)s, lease_until = %(until)s
     WHERE id = (SELECT id
                   FROM campaigns_run
                  WHERE state = 'starting'
                    AND started_at IS NOT NULL
                    AND (lease_id IS NULL OR lease_until < %(at)s)
                  ORDER BY id
                  LIMIT 1
                    FOR UPDATE SKIP LOCKED)
    RETURNING id
"""

#: The next people in the order of their ids, in chunks that begin where the one before ends.
_FREEZE: Final = """
    WITH page AS MATERIALIZED (
        SELECT recipient.id, row_number() OVER (ORDER BY recipient.id) - 1 AS place
          FROM accounts_recipient AS recipient
         WHERE recipient.id > %(after)s AND recipient.id < %(before)s AND ({where})
         ORDER BY recipient.id
         LIMIT %(limit)s
    ), chunks AS (
        SELECT place / %(size)s AS number, array_agg(id ORDER BY id) AS ids
          FROM page
         GROUP BY 1
    ), written AS (
        INSERT INTO campaigns_chunk (id, run_id, phase, after_id, recipient_ids, state)
        SELECT gen_random_uuid(), %(run)s, 1,
               coalesce(lag(ids[cardinality(ids)]) OVER (ORDER BY number), %(after)s), ids, 'open'
          FROM chunks
    )
    SELECT count(*), (array_agg(id ORDER BY id DESC))[1] FROM page
"""

#: Changes no row where the lease was lost or the run stopped; then nothing is written down.
_ADVANCE: Final = """
    UPDATE campaigns_run
       SET frozen_to = coalesce(%(last)s, frozen_to),
           people = people + %(people)s,
           lease_until = %(until)s
     WHERE id = %(run)s AND lease_id = %(lease)s AND state IN ('starting', 'paused')
"""

_END: Final = """
    UPDATE campaigns_run
       SET frozen_at = %(at)s,
           lease_id = NULL,
           lease_until = NULL,
           state = CASE WHEN people = 0 THEN 'failed' WHEN state = 'starting' THEN 'running' ELSE state END,
           paused_from = CASE WHEN state = 'paused' THEN 'running' ELSE paused_from END,
           finished_at = CASE WHEN people = 0 THEN %(at)s::timestamptz END,
           note = CASE WHEN people = 0 THEN 'Nobody is in the segment.' ELSE note END
     WHERE id = %(run)s AND lease_id = %(lease)s
"""


def take(at: datetime, *, lease_for: timedelta) -> Freeze | None:
    """A lease on the oldest run whose audience waits to be written down; None when there is none.

    A run whose segment cannot be used any more, since what its rules name is gone, is ended here and says so.
    """
    lease = new_id()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"at": at, "lease": lease, "until": at + lease_for})
        row = cursor.fetchone()
    if row is None:
        return None
    run = Run.objects.select_related("campaign__segment").get(pk=row[0])
    assert run.started_at is not None
    try:
        # of a run that began before audiences were kept, whoever is meant now
        meant = run.audience or keeping.kept(run.campaign.segment)
        return Freeze(run, keeping.compiled(meant, run.started_at), lease)
    except UnusableRules as error:
        _fail(run, lease, f"The segment “{run.campaign.segment}” cannot be used: {error}", at)
        return None


def freeze_slice(freeze: Freeze, at: datetime, *, lease_for: timedelta) -> bool:
    """Write down the next slice; whether there may be more.

    Who was not known when the run started is not in it, whenever the slice is written.
    """
    run = freeze.run
    limit = SLICE if run.frozen_to else FIRST_SLICE
    assert run.started_at is not None
    asked: dict[str, Any] = {
        **freeze.where.params,
        "run": run.id,
        "after": run.frozen_to or _NOBODY,
        "before": floor_of(run.started_at),
        "limit": limit,
        "size": chunk_size(run.campaign),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FREEZE.format(where=freeze.where.sql), asked)
        people, last = cursor.fetchone()
        moved = {"run": run.id, "lease": freeze.lease_id, "last": last, "people": people, "until": at + lease_for}
        cursor.execute(_ADVANCE, moved)
        if not cursor.rowcount:
            transaction.set_rollback(True)
            return False
        if people < limit:
            cursor.execute(_END, {"run": run.id, "lease": freeze.lease_id, "at": at})
            return False
    run.frozen_to = last
    return True


def release(freeze: Freeze) -> None:
    """Give the lease back, so that the next worker goes on at once."""
    Run.objects.filter(pk=freeze.run.pk, lease_id=freeze.lease_id).update(lease_id=None, lease_until=None)


def _fail(run: Run, lease: UUID, note: str, at: datetime) -> None:
    """Nothing more of it is written down or planned; what was planned before goes out."""
    starting = Run.objects.filter(pk=run.pk, lease_id=lease, state=RunState.STARTING)
    starting.update(state=RunState.FAILED, finished_at=at, note=note[:300], lease_id=None, lease_until=None)


def chunk_size(campaign: Campaign) -> int:
    """People of a chunk: a thousand, or fewer where that would be more than ten seconds' worth."""
    if campaign.throttle_per_minute is None:
        return CHUNK_SIZE
    return max(1, min(CHUNK_SIZE, campaign.throttle_per_minute // _PIECES))
