"""Everything that is known about one delivery, in the order in which it happened, in words."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings

from accounts.channels import Mode
from notifications.ledger.events import events_of
from notifications.models import Delivery, DeliveryEvent, Escalation, ProviderAccount
from notifications.vocabulary import REASON_TEXT, DeliveryState, EventKind, Reason, ReceiptKind, in_words


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a timeline."""

    at: datetime
    what: str
    detail: str = ""
    #: Another delivery that the line names, for a page to lead there.
    names: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """What other tables say of a delivery: its events, what waits for it, and which accounts are for tests."""

    events: Sequence[DeliveryEvent]
    escalations: Sequence[Escalation]
    for_tests: frozenset[str]


def noted_of(deliveries: Sequence[Delivery]) -> Sequence[Noted]:
    """For each of some deliveries, in three queries for all of them."""
    ids = [delivery.id for delivery in deliveries]
    events = events_of(ids)
    waiting = defaultdict[UUID, list[Escalation]](list)
    for row in Escalation.objects.filter(delivery_ids__overlap=ids):
        for delivery_id in row.delivery_ids:
            waiting[delivery_id].append(row)
    for_tests = frozenset(ProviderAccount.objects.filter(mode=Mode.TEST.value).values_list("name", flat=True))
    return [Noted(events.get(one, ()), waiting.get(one, ()), for_tests) for one in ids]


def timeline(delivery: Delivery, noted: Noted | None = None) -> Sequence[Moment]:
    """From acceptance to the last news. Whoever tells of many asks for what is `noted` of all at once."""
    if noted is None:
        (noted,) = noted_of([delivery])
    notification = delivery.notification
    version = notification.version
    events = sorted([*noted.events, *_sent(delivery, noted.events)], key=_order)
    stand_ins = noted.for_tests if notification.mode == Mode.LIVE else frozenset[str]()
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
        for row in noted.escalations
    ]
    return moments


_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
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


def _event(event: DeliveryEvent, stand_ins: frozenset[str]) -> Moment:
    if event.kind in _DECIDED and event.attempt == 0:
        is_held = event.kind == EventKind.HELD
        what = "gathered" if event.reason == Reason.DIGESTED else event.kind
        return Moment(event.at, what, event.detail if is_held else in_words(Reason(event.reason), event.detail))
    named = _ID.search(event.detail) if event.kind == EventKind.DIGESTED else None
    parts = [
        f"attempt {event.attempt}" if event.attempt else "",
        f"by {event.account}" if event.account else "",
        "which is for tests, in place of a live account: nobody got it" if event.account in stand_ins else "",
        REASON_TEXT[Reason(event.reason)] if event.reason else "",
        event.detail,
        f"provider's id {event.provider_ref}" if event.provider_ref else "",
    ]
    return Moment(event.at, event.kind, ", ".join(part for part in parts if part), named.group() if named else "")
