"""Late news from providers: verified, kept, then applied to the log."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

import structlog
from django.db import transaction

from accounts import consent
from accounts.channels import Channel
from notifications import queues
from notifications.ledger import receipts
from notifications.ledger.receipts import Applied
from notifications.liveness import signing
from notifications.meters import metered
from notifications.providers import registry
from notifications.providers.contract import Callback
from notifications.routes import routes
from notifications.stopping import stopping
from notifications.vocabulary import ReceiptKind

log = structlog.get_logger(__name__)

#: Receipts that are applied in one transaction.
_TOGETHER: Final = 1000


class NobodyListens(Exception):
    """No active account of this name belongs to a provider that calls back."""


def receive(account: str, callback: Callback) -> int:
    """Verify a provider's call and keep its receipts; says how many. They are applied by a worker.

    Raises `NobodyListens` for an unknown account and `Forged` for a wrong signature; nothing is kept then.
    """
    outlet = routes.named(account)
    reader = registry.receipts_of(outlet.provider.name) if outlet else None
    if outlet is None or reader is None:
        raise NobodyListens(account)
    reader.verify(callback, outlet.account)
    found = reader.parse(callback)
    if found:
        with transaction.atomic():
            receipts.keep(found, account, callback.at)
            transaction.on_commit(queues.hint_receipts)
    return len(found)


def apply(*, clock: Callable[[], datetime]) -> int:
    """Apply every receipt that is due, and what follows for the addresses. Says how many.

    A worker that is to end leaves the rest to the next one.
    """
    queues.receipts_taken()
    total = 0
    while True:
        with metered() as meters:
            done = receipts.apply(clock(), limit=_TOGETHER)
            _suppress(done.applied, clock())
            for one in done.applied:
                meters.count("receipts", one.channel, one.kind)
        signing.moved()
        total += done.taken
        if done.taken < _TOGETHER or stopping.is_wished():
            return total


def _suppress(applied: Iterable[Applied], at: datetime) -> None:
    causes = {
        ReceiptKind.BOUNCED: consent.Cause.HARD_BOUNCE,
        ReceiptKind.COMPLAINED: consent.Cause.COMPLAINT,
        ReceiptKind.OPTED_OUT: consent.Cause.STOP,
    }
    for one in applied:
        cause = causes.get(one.kind)
        if cause and one.channel is not Channel.PUSH:
            consent.suppress(one.channel, one.address, cause, at, detail=one.detail)
