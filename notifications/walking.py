"""Planning for an audience: chunk by chunk, each in a transaction of its own, so that a restart changes nothing."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from accounts.channels import Mode
from accounts.ids import floor_of, instant_of
from notifications import caps, facts, queues, tariffs
from notifications.ledger import audiences
from notifications.ledger.append import Header, append_plan
from notifications.ledger.audiences import Chunk, Walk
from notifications.liveness import signing
from notifications.meters import metered
from notifications.models import Notification
from notifications.planning.plan import plan
from notifications.stopping import stopping
from notifications.vocabulary import Urgency
from templates_app import catalogue

#: Recipients that are planned in one transaction.
_TOGETHER: Final = 1000
#: Seconds after which a walker lets other work of its worker have a turn.
_TURN: Final = 2.0


def walk(*, clock: Callable[[], datetime]) -> int:
    """Plan the next chunks of the oldest audience; says for how many people.

    1. Take a lease: nobody else walks this audience meanwhile.
    2. A chunk: gather the facts about the next thousand, plan, append. The place in the audience moves in the same
       transaction, so a worker that is killed leaves whole chunks or nothing.
    3. Hint the lanes, and go on for a turn. Then give the lease back and ask for the next turn.
    """
    queues.planner_taken()
    current = audiences.take(clock(), lease_for=_lease())
    if current is None:
        return 0
    header = _header(current)
    total, ends_at = 0, time.monotonic() + _TURN
    while time.monotonic() < ends_at and not stopping.is_wished():
        signing.moved()
        chunk = _step(current, header, clock())
        if chunk is None or chunk.last is None:
            break
        total += chunk.people
        current = replace(current, walked_to=chunk.last)
    audiences.release(current)
    queues.hint_planner()
    return total


def _step(current: Walk, header: Header, at: datetime) -> Chunk | None:
    """Plan one chunk; None when the walk is not ours any more."""
    edition = catalogue.edition(header.version_id)
    question = facts.Question(
        edition,
        (),
        current.channels,
        header.data,
        header.send_at,
        header.expires_at,
        current.wish,
        tariffs.current(at),
    )
    page = facts.Page(current.walked_to, floor_of(instant_of(header.id)), _TOGETHER)
    known, last = facts.gather_page(question, current.criteria, page)
    # counted twice, as when this chunk is planned again after a crash, a message counts once
    decided = caps.counted(plan(known, at), known, header.id, at)
    chunk = Chunk(last, len(known.people), decided.planned, decided.suppressed)
    with transaction.atomic(), metered() as meters:
        if not audiences.advance(current, chunk, at, lease_for=_lease()):
            return None
        if decided.decisions:
            _, lanes = append_plan(header, decided, at)
            transaction.on_commit(lambda: queues.hint(lanes))
            meters.planned(decided)
    return chunk


def _header(current: Walk) -> Header:
    row = Notification.objects.get(pk=current.notification_id)
    return Header(
        id=row.id,
        application_id=row.application_id,
        version_id=row.version_id,
        category_id=row.category_id,
        mode=Mode(row.mode),
        urgency=Urgency(row.urgency),
        data=row.data,
        send_at=row.send_at,
        expires_at=row.expires_at,
    )


def _lease() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)
