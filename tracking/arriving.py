"""Clicks and opens arrive in the log: from the stream, as receipts of nobody's account, judged by who was so quick."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from accounts.masking import masked_beginning
from notifications import queues
from notifications.ledger import receipts
from notifications.meters import metered
from notifications.models import Delivery
from notifications.providers.contract import Receipt
from notifications.stopping import stopping
from notifications.vocabulary import MACHINE, ReceiptKind
from tracking import machines, sightings
from tracking.sightings import Sighting

log = structlog.get_logger(__name__)

#: Entries that are brought in with one transaction.
_TOGETHER: Final = 1000
#: Seconds after which whoever took entries and did not finish is held to be dead; a thousand take a tenth of one.
_DEAD_AFTER: Final = 60.0
#: Characters of where a click led.
_SHOWN: Final = 200


def arrive(*, clock: Callable[[], datetime]) -> int:
    """Bring in all that waits, first what a dead worker left behind; how many entries that was.

    Entries leave the stream once they are in the log. A worker that is killed in between brings them in twice, and the
    log takes them once.
    """
    total = 0
    try:
        for entries in _waiting():
            _bring_in(entries, clock())
            sightings.done(entries)
            total += len(entries)
            if stopping.is_wished():
                break
    except RedisError as error:
        log.warning("sightings.not_read", error=type(error).__name__)
    return total


def _waiting() -> Iterator[Mapping[bytes, Sighting | None]]:
    if left := sightings.left_behind(_TOGETHER, _DEAD_AFTER):
        yield left
    while entries := sightings.take(_TOGETHER):
        yield entries
        if len(entries) < _TOGETHER:
            return


def _bring_in(entries: Mapping[bytes, Sighting | None], at: datetime) -> None:
    seen = [one for one in entries.values() if one is not None]
    sent = dict(Delivery.objects.filter(pk__in={one.delivery_id for one in seen}).values_list("pk", "sent_at"))
    # what retention dropped has nobody who could be told of it
    known = [one for one in seen if one.delivery_id in sent]
    news = _once(_receipt(one, sent[one.delivery_id]) for one in known)
    if news:
        receipts.keep(news, "", at)
        queues.hint_receipts()
    with metered() as meters:
        for one in news:
            meters.count("sightings", "machine" if one.detail.startswith(MACHINE) else one.kind)
        meters.count("sightings", "unknown", by=len(seen) - len(known))
        meters.count("sightings", "unreadable", by=len(entries) - len(seen))


def _once(found: Iterable[Receipt]) -> Sequence[Receipt]:
    """Each piece of news once: the first."""
    news: dict[tuple[UUID, ReceiptKind, str], Receipt] = {}
    for one in found:
        news.setdefault((one.delivery_id, one.kind, one.event_ref), one)
    return list(news.values())


def _receipt(one: Sighting, sent_at: datetime | None) -> Receipt:
    """What the log is told. A mail is opened once, by people and by machines; a link is clicked once a minute.

    A machine that follows links has opened the mail, as far as that means anything, and clicked nothing.
    """
    seconds = (one.at - sent_at).total_seconds() if sent_at else None
    is_click = one.kind is ReceiptKind.CLICKED
    if machine := one.machine or machines.hasty(seconds):
        what = "followed a link" if is_click else "fetched the picture"
        return Receipt(one.delivery_id, ReceiptKind.OPENED, one.at, f"{MACHINE} {what}, {machine}", "pixel machine")
    if is_click:
        minute = int(one.at.timestamp() // 60)
        return Receipt(one.delivery_id, one.kind, one.at, shown(one.url), f"link {one.number} {minute}")
    return Receipt(one.delivery_id, one.kind, one.at, "", "pixel")


def shown(url: str) -> str:
    """Where a link leads, as far as a log may know: no query, in which people write addresses, and no password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return masked_beginning(f"{parts.scheme}://{host}{parts.path}", _SHOWN)
