"""Everything that is known about one delivery, in the order in which it happened, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from accounts.channels import Mode
from notifications.models import Delivery, DeliveryEvent, Escalation, ProviderAccount
from notifications.vocabulary import REASON_TEXT, DeliveryState, EventKind, Reason, ReceiptKind, in_words


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a timeline."""

    at: datetime
    what: str
    detail: str = ""


def timeline(delivery: Delivery) -> Sequence[Moment]:
    """From acceptance to the last news."""
    notification = delivery.notification
    version = notification.version
    noted = list(DeliveryEvent.objects.of(delivery.id))
    events = sorted([*noted, *_sent(delivery, noted)], key=_order)
    stand_ins = _stand_ins(events) if notification.mode == Mode.LIVE else frozenset()
    moments = [
        Moment(
            notification.accepted_at, "accepted", f"{version.template.name} v{version.number}, {notification.urgency}"
        ),
        *([] if any(event.attempt == 0 and event.kind in _DECIDED for event in events) else [_planned(delivery)]),
        *(_event(event, stand_ins) for event in events),
    ]
    if delivery.state == DeliveryState.RETRYING and delivery.due_at:
        moments.append(Moment(delivery.due_at, "next attempt", f"number {delivery.attempt + 1}"))
    if delivery.reason == Reason.NO_RECEIPT and delivery.sent_at:
        given_up_at = delivery.sent_at + timedelta(hours=settings.RECEIPT_HOURS)
        moments.append(Moment(given_up_at, "no receipt", delivery.reason_text))
    moments += [
        Moment(
            row.due_at, "next channel", f"{row.channels[0]}, if nothing is heard by {row.due_at:%Y-%m-%d %H:%M:%S %Z}"
        )
        for row in Escalation.objects.filter(delivery_ids__contains=[delivery.id])
    ]
    return moments


#: What tells how a delivery was planned, in more words than its row has.
_DECIDED = {EventKind.HELD, EventKind.SUPPRESSED, EventKind.ESCALATED}


def _order(event: DeliveryEvent) -> tuple[datetime, bool, datetime, int]:
    """By time; some providers tell whole seconds, so within one second our own notes come before their news."""
    return event.at.replace(microsecond=0), event.kind in set(ReceiptKind), event.at, event.attempt


def _sent(delivery: Delivery, events: Sequence[DeliveryEvent]) -> Sequence[DeliveryEvent]:
    """That it was sent stands in its own row; here it is an event like others, unless it is one, which says more."""
    told = any(event.kind == EventKind.SENT and event.attempt == delivery.attempt for event in events)
    if delivery.sent_at is None or told:
        return ()
    return (
        DeliveryEvent(
            at=delivery.sent_at,
            attempt=delivery.attempt,
            kind=EventKind.SENT.value,
            account=delivery.account,
            provider_ref=delivery.provider_ref,
        ),
    )


def _planned(delivery: Delivery) -> Moment:
    if delivery.state == DeliveryState.SUPPRESSED and not delivery.queue:
        return Moment(delivery.planned_at, "suppressed", delivery.reason_text)
    where = f"on the {delivery.queue} queue"
    if delivery.state == DeliveryState.SCHEDULED and delivery.due_at:
        return Moment(delivery.planned_at, "held", f"{where}, until {delivery.due_at:%Y-%m-%d %H:%M:%S %Z}")
    return Moment(delivery.planned_at, "queued", where)


def _stand_ins(events: Sequence[DeliveryEvent]) -> frozenset[str]:
    """Those of the accounts that are for tests: to a live message they were given in place of the real ones."""
    named = {event.account for event in events if event.account}
    found = ProviderAccount.objects.filter(name__in=named, mode=Mode.TEST.value) if named else ()
    return frozenset(account.name for account in found)


def _event(event: DeliveryEvent, stand_ins: frozenset[str]) -> Moment:
    if event.kind in _DECIDED and event.attempt == 0:
        is_held = event.kind == EventKind.HELD
        return Moment(event.at, event.kind, event.detail if is_held else in_words(Reason(event.reason), event.detail))
    parts = [
        f"attempt {event.attempt}" if event.attempt else "",
        f"by {event.account}" if event.account else "",
        "which is for tests, in place of a live account: nobody got it" if event.account in stand_ins else "",
        REASON_TEXT[Reason(event.reason)] if event.reason else "",
        event.detail,
        f"provider's id {event.provider_ref}" if event.provider_ref else "",
    ]
    return Moment(event.at, event.kind, ", ".join(part for part in parts if part))
