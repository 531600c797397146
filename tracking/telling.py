"""What apps tell of the messages that they got, many at once: pushes above all, of which no provider tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from notifications import queues
from notifications.ledger import receipts
from notifications.models import Delivery
from notifications.providers.contract import Receipt
from notifications.vocabulary import ReceiptKind
from tracking.arriving import shown
from tracking.converting import Teller


@dataclass(frozen=True, slots=True)
class Told:
    """One event: `index` is its place in what was told. `link` is where a click led, if that was said."""

    index: int
    delivery_id: UUID
    kind: ReceiptKind
    at: datetime
    link: str = ""


class Unknown(Exception):
    """The delivery is not there, another application's, or of the other mode."""


class NeverSent(Exception):
    """Nobody can have seen what has not left."""


def keep(told: Sequence[Told], by: Teller, at: datetime) -> Mapping[int, type[Unknown | NeverSent]]:
    """Keep what is told of the teller's own deliveries; what is wrong with the rest, by index. One query for all.

    It is applied within a second. Told again, also of one delivery alone, it changes nothing.
    """
    asked = {one.delivery_id for one in told}
    own = Delivery.objects.filter(
        pk__in=asked, notification__application_id=by.application_id, notification__mode=by.mode
    )
    attempts = dict(own.values_list("pk", "attempt"))
    wrong: dict[int, type[Unknown | NeverSent]] = {}
    news = []
    for one in told:
        if one.delivery_id not in attempts:
            wrong[one.index] = Unknown
        elif not attempts[one.delivery_id]:
            wrong[one.index] = NeverSent
        else:
            news.append(_receipt(one))
    if news:
        receipts.keep(news, "", at)
        queues.hint_receipts()
    return wrong


def _receipt(one: Told) -> Receipt:
    """As `notifications.receiving.told_by_app` has it; a link counts once a minute, as a tracked one does."""
    if one.kind is not ReceiptKind.CLICKED:
        return Receipt(one.delivery_id, one.kind, one.at, "told by the app", "app")
    link = blake2b(one.link.encode(), digest_size=8).hexdigest()
    detail = shown(one.link) if one.link else "told by the app"
    return Receipt(one.delivery_id, one.kind, one.at, detail, f"app {link} {int(one.at.timestamp() // 60)}")
