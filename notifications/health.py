"""Whether the workers of this machine get on: alive is not enough."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import DatabaseError

from notifications import queues
from notifications.ledger import sweep
from notifications.liveness import Sign, stuck
from notifications.vocabulary import Lane

log = structlog.get_logger(__name__)

#: How long the database may take to say what is due.
_DATABASE: Final = timedelta(seconds=3)
_LANES: Final = frozenset(lane.value for lane in Lane)


@dataclass(frozen=True, slots=True)
class Finding:
    """One worker, and what is wrong with it and what to do about it; an empty `trouble` is good health."""

    worker: str
    pid: int
    queues: tuple[str, ...]
    trouble: str


def examine(signs: Sequence[Sign], at: datetime, *, patience: float) -> Sequence[Finding]:
    """What each worker's sign of progress means at present.

    1. One that is in a task must have got on with it within `patience` seconds.
    2. One that waits must have turned its event loop, unless the broker does not answer: then it waits for that, and a
       new start would help nobody.
    3. One that has done nothing for as long must have had nothing to do: PostgreSQL knows what is due, and the broker
       whether it was told so. Without either of them nothing can be held against it.
    """
    now = time.monotonic()
    looked_at = [(sign, stuck(sign, now, patience)) for sign in signs]
    idle = [sign for sign, _ in looked_at if not sign.task and now - sign.moved_at > patience]
    waiting = queues.messages({queue for sign in idle for queue in sign.queues}) if idle else {}
    late = _late(at) if waiting else {}
    findings = []
    for sign, trouble in looked_at:
        if sign in idle and waiting is None:
            trouble = ""  # noqa: PLW2901 - excused
        elif sign in idle and not trouble:
            trouble = _unfed(sign, waiting or {}, late, now, patience)  # noqa: PLW2901
        findings.append(Finding(sign.worker, sign.pid, sign.queues, trouble))
    return findings


def _unfed(sign: Sign, waiting: Mapping[str, int], late: Mapping[str, float], now: float, patience: float) -> str:
    """What is wrong with a worker whose loop turns, and that takes none of what lies before it."""
    told = [queue for queue in sign.queues if waiting.get(queue)]
    overdue = [queue for queue in told if queue not in _LANES or late.get(queue, 0.0) > patience]
    if not overdue:
        return ""
    since = max((late.get(queue, 0.0) for queue in overdue), default=0.0)
    due = f", where deliveries are due since {since:.0f} s" if since else ""
    return (
        f"{sign.worker} (pid {sign.pid}) has taken nothing for {now - sign.moved_at:.0f} s, although messages wait in "
        f"{', '.join(overdue)}{due}: it has lost its hold on the broker. Start it anew."
    )


def _late(at: datetime) -> Mapping[str, float]:
    """For how many seconds the oldest delivery of each lane is due and in nobody's hands."""
    try:
        return {depth.lane.value: (at - depth.oldest).total_seconds() for depth in sweep.depths_within(at, _DATABASE)}
    except DatabaseError as error:
        log.warning("health.ledger_unread", error=type(error).__name__)
        return {}
