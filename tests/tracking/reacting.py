"""Messages that were sent, and people who do something with them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from accounts.channels import Channel
from accounts.ids import new_id
from accounts.models import Recipient
from notifications import receiving
from notifications.clock import clock
from notifications.ledger import receipts
from notifications.ledger.append import Header
from notifications.models import Delivery, Notification
from notifications.providers.contract import Receipt
from notifications.vocabulary import DeliveryState, ReceiptKind
from tests.notifications.logbook import appended, header
from tracking import folding
from tracking.models import Engagement, ReactionCount, Revenue

#: The middle of the hour before this one.
NOW = (clock.now() - timedelta(hours=1)).replace(minute=30, second=0, microsecond=0)
PART = UUID("0190a5c0-0000-7000-8000-0000000000aa")


def sent(
    count: int = 1, channel: Channel = Channel.EMAIL, *, head: Header | None = None, ago: timedelta = timedelta(hours=1)
) -> Sequence[Delivery]:
    """Messages to as many people, each of which a provider took."""
    ids = [one.delivery_ids[0] for one in appended(count, channels=(channel,), head=head or header(), at=NOW)]
    Delivery.objects.filter(pk__in=ids).update(state=DeliveryState.SENT, attempt=1, sent_at=NOW - ago)
    Notification.objects.update(part_of=PART)
    return list(Delivery.objects.filter(pk__in=ids).order_by("pk"))


def said(delivery: Delivery, kind: str, at: datetime = NOW, *, detail: str = "") -> Receipt:
    """News of a delivery, which is not the same as any other."""
    return Receipt(delivery.pk, ReceiptKind(kind), at, detail, event_ref=str(new_id()))


def told(*news: Receipt, fold: bool = True) -> None:
    """Whoever sees it tells, a worker applies it, and another counts it."""
    receipts.keep(news, "", NOW)
    receiving.apply(clock=lambda: NOW)
    if fold:
        folding.fold(clock=lambda: NOW)


def clicked(delivery: Delivery, at: datetime = NOW) -> None:
    """Somebody clicks, and it is counted."""
    told(said(delivery, "clicked", at, detail="https://shop.example/sale"))


def counts() -> dict[str, tuple[int, int]]:
    """People and times, by kind, in all hours and for all purposes."""
    found: dict[str, tuple[int, int]] = {}
    for row in ReactionCount.objects.all():
        people, times = found.get(row.kind, (0, 0))
        found[row.kind] = people + row.people, times + row.times
    return found


def earned() -> dict[str, tuple[int, Decimal]]:
    """Conversions and what they were worth, by currency, in all hours and for all purposes."""
    found: dict[str, tuple[int, Decimal]] = {}
    for row in Revenue.objects.all():
        conversions, amount = found.get(row.currency, (0, Decimal(0)))
        found[row.currency] = conversions + row.conversions, amount + row.amount
    return found


def person_of(delivery: Delivery) -> Recipient:
    """Who got a delivery."""
    return Recipient.objects.get(pk=str(delivery.recipient_id))


def engagement(delivery: Delivery) -> Engagement:
    """What was done with a delivery."""
    return Engagement.objects.get(pk=delivery.pk)
