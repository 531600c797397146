"""Erase people everywhere, and let their log keep nothing but counts."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from redis.exceptions import RedisError

from accounts.models import Recipient
from notifications import caps
from notifications.ledger import holdings
from notifications.ledger.holdings import Bit, Holding, Subject
from notifications.liveness import signing
from notifications.models import Erasure
from notifications.stopping import stopping

log = structlog.get_logger(__name__)

#: Whoever was planning for the person when they were erased has written that down by then; so everything is looked
#: through once more.
SETTLES: Final = timedelta(minutes=5)
#: Until the next look, before that and while a worker is still sending.
_AGAIN: Final = timedelta(seconds=30)
#: Seconds that whoever asks is kept waiting at most, and after which a worker lets other work have a turn.
_AT_ONCE: Final = 1.0
_TURN: Final = 5.0


class AlreadyErased(Exception):
    """Somebody else erased this person a moment ago."""


def erase(person: Recipient, *, by: str, clock: Callable[[], datetime]) -> Erasure:
    """Forget a person. Raises `AlreadyErased`.

    1. In one transaction they go, with their devices, choices and replies; suppressions of their addresses become
       traces; and a row says that an erasure is under way. From now on nobody can be told to write to them.
    2. Their log follows, step by step: what waits is cancelled, what was sent loses its person. For most people that is
       done at once; for somebody with a long log a worker goes on (`carry_on`).
    """
    at = clock()
    with transaction.atomic():
        found = Recipient.objects.select_for_update().filter(pk=person.pk).first()
        if found is None:
            raise AlreadyErased
        erasure = Erasure.objects.create(
            asked_at=at,
            asked_by=by[:150],
            recipient_id=found.pk,
            external_id=found.external_id,
            email=found.email,
            phone=found.phone,
            due_at=at,
        )
        for holding in holdings.at_once():
            _erase(erasure, holding)
        erasure.save()
    _forget_counts(erasure)
    _turn(clock, seconds=_AT_ONCE, only=erasure.pk)
    return erasure


def carry_on(*, clock: Callable[[], datetime]) -> int:
    """Take the steps that are due, of whoever is being erased; says how many steps that were."""
    return _turn(clock, seconds=_TURN)


def _turn(clock: Callable[[], datetime], *, seconds: float, only: UUID | None = None) -> int:
    steps, ends_at = 0, time.monotonic() + seconds
    while time.monotonic() < ends_at and not stopping.is_wished():
        signing.moved()
        with transaction.atomic():
            due = Erasure.objects.filter(finished_at=None, due_at__lte=clock())
            if only:
                due = due.filter(pk=only)
            # two who carry on at once take the steps of two people
            erasure = due.order_by("due_at").select_for_update(skip_locked=True).first()
            if erasure is None:
                break
            at = clock()
            if erasure.due_at < erasure.asked_at + SETTLES <= at:
                # the last look: what is read in its order is read from the beginning
                erasure.due_at, erasure.place = at, None
            if not _step(erasure):
                _rest(erasure, at)
            erasure.save()
        steps += 1
    return steps


def _step(erasure: Erasure) -> bool:
    """Erase a bit of the first table that has something; whether one had.

    One table a step, because others lock rows of two in another order.
    """
    for holding in holdings.bit_by_bit():
        bit = _erase(erasure, holding)
        if bit.rows or not bit.is_all:
            return True
    return False


def _erase(erasure: Erasure, holding: Holding) -> Bit:
    theirs = _subject(erasure)
    bit = holding.erase(holding.theirs(theirs), theirs)
    if bit.rows:
        erasure.rows[holding.name] = erasure.rows.get(holding.name, 0) + bit.rows
    erasure.place = bit.place or erasure.place
    return bit


def _rest(erasure: Erasure, at: datetime) -> None:
    """Nothing is left that could be erased now: look again later, or be done."""
    is_settled = at >= erasure.asked_at + SETTLES and not holdings.deliveries(_subject(erasure)).exists()
    if not is_settled or not _forget_counts(erasure):
        erasure.due_at = at + _AGAIN
        return
    erasure.recipient_id, erasure.place, erasure.finished_at = None, None, at
    erasure.external_id = erasure.email = erasure.phone = ""
    log.info("recipient.erased", erasure=str(erasure.pk), by=erasure.asked_by, rows=erasure.rows)


def _forget_counts(erasure: Erasure) -> bool:
    """Caps know nothing of them any more, by whichever name; whether that could be done."""
    email, phone = erasure.email, erasure.phone
    try:
        caps.forget([str(erasure.recipient_id), f"{email} ", f" {phone}", f"{email} {phone}"])
    except RedisError as error:
        log.warning("erasure.caps_not_forgotten", error=type(error).__name__)
        return False
    return True


def _subject(erasure: Erasure) -> Subject:
    assert erasure.recipient_id is not None
    return Subject(
        recipient_id=erasure.recipient_id,
        external_id=erasure.external_id,
        email=erasure.email,
        phone=erasure.phone,
        asked_at=erasure.asked_at,
        place=erasure.place,
    )
