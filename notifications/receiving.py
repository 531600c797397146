"""Late news from providers: verified, kept, then applied to the log; what people answer is heeded at once."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction

from accounts import soft_bounces, suppressions
from accounts.channels import Channel
from accounts.replies import Reply
from accounts.soft_bounces import Bounce
from accounts.suppressions import Actor, Cause, Via, Witness
from notifications import queues
from notifications.ledger import receipts
from notifications.ledger.receipts import Applied
from notifications.liveness import signing
from notifications.meters import metered
from notifications.providers import registry
from notifications.providers.contract import Callback, Receipt
from notifications.routes import routes
from notifications.stopping import stopping
from notifications.vocabulary import ReceiptKind

log = structlog.get_logger(__name__)

#: Receipts that are applied in one transaction.
_TOGETHER: Final = 1000


class NobodyListens(Exception):
    """No active account of this name belongs to a provider that calls back."""


def receive(account: str, callback: Callback) -> int:
    """Verify a provider's call and keep what it says; how many pieces of news that was.

    Receipts are applied by a worker; a person's STOP or START is heeded here and now.
    Raises `NobodyListens` for an unknown account and `Forged` for a wrong signature; nothing is kept then.
    """
    outlet = routes.named(account)
    reader = registry.receipts_of(outlet.provider.name) if outlet else None
    if outlet is None or reader is None:
        raise NobodyListens(account)
    reader.verify(callback, outlet.account)
    news = reader.parse(callback)
    found = [one for one in news if isinstance(one, Receipt)]
    replies = [one for one in news if isinstance(one, Reply)]
    if found:
        receipts.keep(found, account, callback.at)
        queues.hint_receipts()
    for reply in replies:
        with metered() as meters:
            if suppressions.heed(reply, account):
                meters.count("replies", account, reply.wish)
    return len(news)


def told_by_app(delivery_id: UUID, kind: ReceiptKind, at: datetime) -> None:
    """Keep what the app that got a message says of it: news as a provider's, and once, however often it is told."""
    receipts.keep([Receipt(delivery_id, kind, at, "told by the app", event_ref="app")], "", at)
    queues.hint_receipts()


def apply(*, clock: Callable[[], datetime], gather: float = 0.0) -> int:
    """Apply every receipt that is due, and what follows for the addresses. Says how many.

    Those that come within `gather` seconds are waited for: providers that call for each receipt would else have each
    applied by itself, at ten times the cost. A worker that is to end leaves the rest to the next one.
    """
    queues.receipts_taken()
    time.sleep(gather)
    total = 0
    while True:
        with metered() as meters:
            with transaction.atomic():
                done = receipts.apply(clock(), limit=_TOGETHER)
                # in the same transaction: a worker that is killed in between would have forgotten who said stop
                _suppress(done.applied, clock())
            for one in done.applied:
                meters.count("receipts", one.channel, one.kind)
        signing.moved()
        total += done.taken
        if done.taken < _TOGETHER or stopping.is_wished():
            return total


#: What news of a delivery says about its address.
_CAUSES: Final = {
    ReceiptKind.BOUNCED: Cause.HARD_BOUNCE,
    ReceiptKind.COMPLAINED: Cause.COMPLAINT,
    ReceiptKind.OPTED_OUT: Cause.STOP,
}


def _suppress(applied: Sequence[Applied], at: datetime) -> None:
    suppressions.suppress_many(
        [
            (one.channel, one.address, _CAUSES[one.kind], _witness(one))
            for one in applied
            if one.kind in _CAUSES and one.channel is not Channel.PUSH and one.address
        ],
        at,
    )
    mail = [one for one in applied if one.channel is Channel.EMAIL and one.address]
    soft_bounces.heed(
        [Bounce(one.address, one.at, _witness(one)) for one in mail if one.kind is ReceiptKind.BLOCKED],
        [(one.address, one.at) for one in mail if one.kind is ReceiptKind.DELIVERED],
        at,
    )


def _witness(one: Applied) -> Witness:
    # what a person asked for at the provider's is told by the provider
    return Witness(Actor.PROVIDER, Via.RECEIPT, one.account, one.detail)
