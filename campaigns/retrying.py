"""What failed of a run is tried again: asked for on a page, queued by workers step by step.

Each step is one transaction under the lock of the run's row, in which dead letters go, their deliveries are queued and
the run's count of what is left falls. A worker that is killed leaves a whole step or nothing, and whoever cancels the
run waits for the step that is under way and withdraws it with the rest.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Greatest

from campaigns.models import Run
from campaigns.vocabulary import RETRY, RunState
from notifications import queues
from notifications.ledger import replay
from notifications.ledger.replay import Choice, Replayed
from notifications.liveness import signing
from notifications.stopping import stopping

#: Deliveries of one step: a tenth of a second.
STEP: Final = 1_000
#: Seconds after which others have their turn, as with files.
_TURN: Final = 0.5


def ask(run: Run, notification_ids: Sequence[UUID], at: datetime) -> int:
    """Have tried again what failed of a run by now, in the transaction that locks its row; says how many wait for it.

    A run that was over is under way again. Whoever asks twice has what is left counted anew, and nothing tried twice.
    """
    found = replay.dead_letters_of(notification_ids, at)
    if not found:
        return 0
    run.to_retry, run.retry_asked_at = found, at
    if run.state == RunState.FINISHED:
        run.state, run.finished_at = RunState.RUNNING.value, None
    run.save(update_fields=["to_retry", "retry_asked_at", "state", "finished_at"])
    transaction.on_commit(hint)
    return found


def hint() -> None:
    """Say that something is to be tried again."""
    queues.hint_task(RETRY, queues.PLANNER_QUEUE)


def go_on(*, clock: Callable[[], datetime]) -> None:
    """Queue again what can be within a turn, of the run of which it was asked for first."""
    queues.task_taken(RETRY)
    since = time.monotonic()
    while retry_step(clock()):
        signing.moved()
        if stopping.is_wished() or time.monotonic() - since > _TURN:
            hint()
            return


def retry_step(at: datetime) -> bool:
    """Queue the next deliveries again; False where there is nothing to do, or others are at it."""
    with transaction.atomic():
        run = _waiting().select_for_update(skip_locked=True).order_by("retry_asked_at", "id").first()
        if run is None:
            return False
        done = _replayed(run, at)
        left = Greatest(Value(1), Value(run.to_retry - done.taken)) if done.taken else Value(0)
        Run.objects.filter(pk=run.pk).update(to_retry=left)
        transaction.on_commit(lambda: queues.hint(done.lanes))
    return True


def _waiting() -> QuerySet[Run]:
    """Of a run that is paused nothing is queued. Served by run_to_retry."""
    return Run.objects.filter(to_retry__gt=0).exclude(state__in=[RunState.PAUSED, RunState.CANCELLED])


def _replayed(run: Run, at: datetime) -> Replayed:
    """Some of one of its arms: of the first that has any left."""
    done = Replayed(0, 0, set())
    for notification_id in run.notification_ids():
        done = replay.replay(Choice(notification_id=notification_id, until=run.retry_asked_at), at, limit=STEP)
        if done.taken:
            break
    return done
