"""A run is held, goes on, is withdrawn, or tries again what failed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from campaigns import chunks, launching, progress, retrying
from campaigns.models import Run
from campaigns.vocabulary import UNFINISHED, RunState
from notifications import queues
from notifications.ledger import pausing
from notifications.ledger.cancel import Cancelled, cancel


class CannotDo(Exception):
    """The run is in no state for that; the message says in which it is and what would be right."""


class UnknownVariant(CannotDo):
    """The run has no variant of this letter."""


@dataclass(frozen=True, slots=True)
class Retried:
    """How many deliveries are tried again: those that failed by then, and are queued again step by step."""

    replayed: int


def pause(run_id: UUID, at: datetime) -> None:
    """Plan nothing more of a run, and let nothing leave of what is planned. Raises `CannotDo`."""
    with transaction.atomic():
        run = _locked(run_id)
        if run.state == RunState.PAUSED:
            return
        if run.state not in UNFINISHED:
            raise CannotDo(f"The run is {run.state}: there is nothing left to pause.")
        run.paused_from, run.state = run.state, RunState.PAUSED.value
        run.save(update_fields=["paused_from", "state"])
        pausing.pause(run.notification_ids(), at)


def resume(run_id: UUID, at: datetime) -> None:
    """Go on where a run was paused. Raises `CannotDo`."""
    with transaction.atomic():
        run = _locked(run_id)
        if run.state in UNFINISHED and run.state != RunState.PAUSED:
            return
        if run.state != RunState.PAUSED:
            raise CannotDo(f"The run is {run.state}, not paused: there is nothing to go on with.")
        run.state, run.paused_from = run.paused_from, ""
        if run.next_chunk_at is not None:
            run.next_chunk_at = max(run.next_chunk_at, at)
        run.save(update_fields=["paused_from", "state", "next_chunk_at"])
        lanes = pausing.resume(run.notification_ids(), at)
        transaction.on_commit(launching.hint)
        transaction.on_commit(retrying.hint)
        transaction.on_commit(lambda: queues.hint(lanes))


def withdraw(run_id: UUID, at: datetime) -> Cancelled:
    """End a run: nothing more is planned, and what has not left does not leave. Repeating it withdraws nothing more.

    Raises `CannotDo` for a run that is over.
    """
    with transaction.atomic():
        run = _locked(run_id)
        if run.state not in UNFINISHED and run.state != RunState.CANCELLED:
            raise CannotDo(f"The run is {run.state}: nothing of it can be withdrawn.")
        if run.state != RunState.CANCELLED:
            run.state, run.finished_at, run.note = RunState.CANCELLED.value, at, run.note or "It was cancelled."
            run.lease_id = run.lease_until = None
            run.to_retry = 0
            run.save(update_fields=["state", "finished_at", "note", "lease_id", "lease_until", "to_retry"])
        # first what is not planned: a chunk that is just being appended is waited for, and withdrawn with the rest
        chunks.close(run.id)
    ended = [cancel(notification_id, at) for notification_id in run.notification_ids()]
    return Cancelled(sum(one.cancelled for one in ended), sum(one.too_late for one in ended))


def retry_failed(run_id: UUID, at: datetime) -> Retried:
    """Try again what failed by now because every attempt did; what a provider refused for good is not asked again.

    That happens in the background; a run that was over is running at once. Raises `CannotDo` for a cancelled run.
    """
    with transaction.atomic():
        run = _locked(run_id)
        if run.state == RunState.CANCELLED:
            raise CannotDo("The run is cancelled: what failed of it is not tried again.")
        return Retried(retrying.ask(run, run.notification_ids(), at))


def choose(run_id: UUID, letter: str, at: datetime) -> None:
    """A person decides which variant goes to the rest. Raises `CannotDo`, and `UnknownVariant` of those."""
    with transaction.atomic():
        run = _locked(run_id)
        letters = list(run.shares)
        if letter not in letters:
            raise UnknownVariant(f"There is no variant {letter[:10]!r}; there are {', '.join(letters)}.")
        if run.winner:
            raise CannotDo(f"{run.winner} was chosen already and is on its way.")
        if run.state not in UNFINISHED or run.test_percent == 100:
            raise CannotDo("Nobody waits for a decision: the variants went to everybody.")
        run.winner, run.decided_at, run.next_chunk_at = letter, at, at
        run.decided_on = progress.as_decided(progress.counts_of(list(run.arms.all())))
        if run.state == RunState.DECIDING:
            run.state = RunState.RUNNING.value
        elif run.paused_from == RunState.DECIDING:
            run.paused_from = RunState.RUNNING.value
        run.save(update_fields=["winner", "decided_at", "decided_on", "next_chunk_at", "state", "paused_from"])
        transaction.on_commit(launching.hint)


def _locked(run_id: UUID) -> Run:
    return Run.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=run_id)
