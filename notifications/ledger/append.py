"""A plan becomes rows: the notification, its deliveries, and the batches in which they wait."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.channels import Channel, Mode
from accounts.ids import instant_of, new_ids
from notifications.ledger import digests
from notifications.ledger.batches import batch_rows, grouped
from notifications.ledger.copying import Rows, write_in
from notifications.ledger.digests import Kind
from notifications.ledger.escalations import escalation_rows
from notifications.ledger.events import Event, event_rows
from notifications.models import Delivery, Notification
from notifications.planning.values import Decision, Drop, Gather, Hold, Later, Plan, Send
from notifications.vocabulary import DeliveryState, EventKind, Lane, Reason, Urgency


@dataclass(frozen=True, slots=True)
class Header:
    """What all deliveries of a notification share. `digest_key`: under which those are known that are gathered.

    `part_of`: the bigger thing that it is a part of, by which its turnout is counted.
    """

    id: UUID
    application_id: UUID
    version_id: UUID
    category_id: UUID
    mode: Mode
    urgency: Urgency
    data: Mapping[str, Any] = field(repr=False)
    send_at: datetime | None = None
    expires_at: datetime | None = None
    digest_key: str = ""
    part_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """The ids that a decision's deliveries got.

    One of the suppressed kind for what is dropped, or stands for a part of a digest; none for what comes later.
    """

    decision: Decision
    delivery_ids: tuple[UUID, ...]


_NOTIFICATION = (
    "id", "application_id", "version_id", "category_id", "mode", "urgency", "data", "send_at", "expires_at",
    "part_of",
)  # fmt: skip
_DELIVERY = (
    "id", "notification_id", "recipient_id", "device_id", "due_at", "attempt",
    "channel", "queue", "state", "reason", "locale", "address", "data",
)  # fmt: skip
_Row = tuple[Any, ...]
#: Rules that hold are named as the reasons are; that somebody asked for a later moment needs none.
_REASONS = {reason.value: reason for reason in Reason}


def append(header: Header, plan: Plan, at: datetime) -> tuple[Sequence[Appended], set[Lane]]:
    """Write a notification and its plan in one transaction: three COPYs, whatever the size of the plan.

    Returns what was written, in the order of the plan, and the lanes in which something is due now.
    """
    return _append([_header_rows(header)], header, plan, at)


def append_header(header: Header) -> None:
    """Write the notification alone; its deliveries follow in chunks."""
    write_in([_header_rows(header)])


def append_plan(header: Header, plan: Plan, at: datetime) -> tuple[Sequence[Appended], set[Lane]]:
    """Write deliveries and batches of a notification that is there, in one transaction; returns what `append` does."""
    return _append([], header, plan, at)


def append_dropped(dropped: Sequence[tuple[UUID, Decision]]) -> None:
    """Write what is not sent after all, of notifications that are there, in the transaction of what it follows from."""
    rows, told = [], []
    for notification_id, decision in dropped:
        (delivery_id,) = new_ids(1)
        rows.append(_dropped_row(notification_id, decision, delivery_id))
        if event := _event(decision):
            told.append(event(delivery_id))
    write_in([Rows(Delivery._meta.db_table, _DELIVERY, rows), event_rows(told)])


def kind_of(header: Header) -> Kind:
    """Into what digests a notification's messages are gathered."""
    return Kind(header.application_id, header.version_id, header.mode, header.digest_key)


def _append(before: list[Rows], header: Header, plan: Plan, at: datetime) -> tuple[Sequence[Appended], set[Lane]]:
    if not (header.digest_key and plan.gathers):
        return _write(before, header, plan, at)
    with transaction.atomic(savepoint=False):
        # no digest is closed from here on until what goes into it is written
        joined = Plan(digests.joined(kind_of(header), plan.decisions, at))
        return _write(before, header, joined, at)


def _write(before: list[Rows], header: Header, plan: Plan, at: datetime) -> tuple[Sequence[Appended], set[Lane]]:
    appended, rows, waiting, told, comes_later = [], [], [], [], False
    for decision in plan.decisions:
        verdict = decision.verdict
        if isinstance(verdict, Send):
            ids = new_ids(len(verdict.targets))
            rows += _sent_rows(header, decision, verdict, ids)
            due_at = verdict.hold.until if verdict.hold else at
            waiting += [
                ((Lane.for_urgency(target.queue, header.urgency), due_at), delivery_id)
                for target, delivery_id in zip(verdict.targets, ids, strict=True)
            ]
        elif isinstance(verdict, Later):
            ids, comes_later = [], True
        else:
            ids = new_ids(1)
            rows.append(_dropped_row(header.id, decision, ids[0]))
        appended.append(Appended(decision, tuple(ids)))
        if event := _event(decision):
            told += [event(delivery_id) for delivery_id in ids]
    by_due = grouped(waiting)
    deliveries = Rows(Delivery._meta.db_table, _DELIVERY, rows)
    batches = batch_rows(by_due, lambda _ids: header.expires_at)
    written = [(one.decision, one.delivery_ids) for one in appended] if comes_later or header.digest_key else []
    later = [escalation_rows(header.id, written, at)] if comes_later else []
    gathered = [digests.entry_rows(header.id, written, at)] if header.digest_key else []
    write_in([*before, deliveries, *([event_rows(told)] if told else []), batches, *later, *gathered])
    return appended, {lane for lane, due_at in by_due if due_at <= at}


def _event(decision: Decision) -> Callable[[UUID], Event] | None:
    """What the timeline tells of the rule that decided, where there is more to tell than the reason."""
    match decision.verdict:
        case Send(hold=Hold(rule=rule, detail=detail)):
            kind, reason, text = EventKind.HELD, _REASONS.get(rule), detail
        case Drop(reason=why, detail=detail) if detail:
            kind, reason, text = EventKind.SUPPRESSED, why, detail
        case Gather() as gather:
            kind, reason, text = EventKind.SUPPRESSED, Reason.DIGESTED, gather.in_words
        case _:
            return None
    return lambda delivery_id: Event(delivery_id, instant_of(delivery_id), 0, kind, reason, detail=text)


def _header_rows(header: Header) -> Rows:
    values = (
        header.id,
        header.application_id,
        header.version_id,
        header.category_id,
        header.mode,
        header.urgency,
        header.data,
        header.send_at,
        header.expires_at,
        header.part_of,
    )
    return Rows(Notification._meta.db_table, _NOTIFICATION, [values])


def _sent_rows(header: Header, decision: Decision, send: Send, ids: Sequence[UUID]) -> list[_Row]:
    person, channel = decision.candidate.person, decision.candidate.channel
    state = DeliveryState.SCHEDULED if send.hold else DeliveryState.QUEUED
    due_at = send.hold.until if send.hold else None
    own = person.own_data or None
    return [
        (
            delivery_id,
            header.id,
            person.recipient_id,
            target.device_id,
            due_at,
            0,
            channel,
            target.queue,
            state,
            "",
            send.locale,
            target.address,
            own,
        )
        for target, delivery_id in zip(send.targets, ids, strict=True)
    ]


def _dropped_row(notification_id: UUID, decision: Decision, delivery_id: UUID) -> _Row:
    candidate, verdict = decision.candidate, decision.verdict
    assert isinstance(verdict, Drop | Gather)
    address = {Channel.EMAIL: candidate.person.email, Channel.SMS: candidate.person.phone}.get(candidate.channel, "")
    return (
        delivery_id,
        notification_id,
        candidate.person.recipient_id,
        None,
        None,
        0,
        candidate.channel,
        "",
        DeliveryState.SUPPRESSED,
        verdict.reason if isinstance(verdict, Drop) else Reason.DIGESTED,
        candidate.locale or "",
        address,
        None,
    )
