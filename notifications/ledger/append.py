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
    """What all deliveries of a notification share. `digest_key`: into which digests they go that are gathered."""

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


@dataclass(frozen=True, slots=True)
class Appended:
    """The ids that a decision's deliveries got (one of the suppressed kind for a drop, none for what comes later)."""

    decision: Decision
    delivery_ids: tuple[UUID, ...]


_NOTIFICATION = (
    "id", "application_id", "version_id", "category_id", "mode", "urgency", "data", "send_at", "expires_at",
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
    return _append(header, plan, at, is_new=True)


def append_header(header: Header) -> None:
    """Write the notification alone; its deliveries follow in chunks."""
    write_in([_header_rows([header])])


def append_plan(header: Header, plan: Plan, at: datetime) -> tuple[Sequence[Appended], set[Lane]]:
    """Write deliveries and batches of a notification that is there, in one transaction; returns what `append` does."""
    return _append(header, plan, at, is_new=False)


def append_many(parts: Sequence[tuple[Header, Plan]], at: datetime) -> tuple[Sequence[Sequence[Appended]], set[Lane]]:
    """Write several notifications and their plans at once, as few statements as for one; what was written of each."""
    return _write([_header_rows([header for header, _ in parts])], parts, at)


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
    """Into what digests a notification is gathered."""
    return Kind(header.application_id, header.version_id, header.mode, header.digest_key)


def _append(header: Header, plan: Plan, at: datetime, *, is_new: bool) -> tuple[Sequence[Appended], set[Lane]]:
    before = [_header_rows([header])] if is_new else []
    if not (header.digest_key and plan.gathers):
        (appended,), lanes = _write(before, [(header, plan)], at)
        return appended, lanes
    with transaction.atomic(savepoint=False):
        decisions = digests.joined(kind_of(header), plan.decisions, at)
        (appended,), lanes = _write(before, [(header, Plan(decisions))], at)
        digests.shut_full(decisions, at)
    return appended, lanes


def _write(
    before: list[Rows], parts: Sequence[tuple[Header, Plan]], at: datetime
) -> tuple[Sequence[Sequence[Appended]], set[Lane]]:
    sheets = [_laid_out(header, plan, at) for header, plan in parts]
    by_due = grouped(one for sheet in sheets for one in sheet.waiting)
    if len(parts) == 1:
        first_expiry = _Expiry({}, parts[0][0].expires_at)
    else:
        expiries = {
            delivery_id: header.expires_at
            for (header, _), sheet in zip(parts, sheets, strict=True)
            if header.expires_at
            for _, delivery_id in sheet.waiting
        }
        first_expiry = _Expiry(expiries, None)
    told = [one for sheet in sheets for one in sheet.told]
    write_in(
        [
            *before,
            Rows(Delivery._meta.db_table, _DELIVERY, [row for sheet in sheets for row in sheet.rows]),
            *([event_rows(told)] if told else []),
            batch_rows(by_due, first_expiry.of),
            *(rows for sheet in sheets for rows in sheet.others),
        ]
    )
    return [sheet.appended for sheet in sheets], {lane for lane, due_at in by_due if due_at <= at}


@dataclass(frozen=True, slots=True)
class _Expiry:
    """When the first of some deliveries is of no use any more: by delivery, or the same for all."""

    by_id: Mapping[UUID, datetime]
    usual: datetime | None

    def of(self, ids: Sequence[UUID]) -> datetime | None:
        if not self.by_id:
            return self.usual
        return min((self.by_id[one] for one in ids if one in self.by_id), default=None)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The rows of one notification's plan."""

    appended: list[Appended] = field(default_factory=list)
    rows: list[_Row] = field(default_factory=list)
    waiting: list[tuple[tuple[Lane, datetime], UUID]] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)
    others: list[Rows] = field(default_factory=list)


def _laid_out(header: Header, plan: Plan, at: datetime) -> _Sheet:
    sheet = _Sheet()
    comes_later = gathers = False
    for decision in plan.decisions:
        verdict = decision.verdict
        if isinstance(verdict, Send):
            ids = new_ids(len(verdict.targets))
            sheet.rows.extend(_sent_rows(header, decision, verdict, ids))
            due_at = verdict.hold.until if verdict.hold else at
            sheet.waiting.extend(
                ((Lane.for_urgency(target.queue, header.urgency), due_at), delivery_id)
                for target, delivery_id in zip(verdict.targets, ids, strict=True)
            )
        elif isinstance(verdict, Later):
            ids, comes_later = [], True
        else:
            ids, gathers = new_ids(1), gathers or isinstance(verdict, Gather)
            sheet.rows.append(_dropped_row(header.id, decision, ids[0]))
        sheet.appended.append(Appended(decision, tuple(ids)))
        if event := _event(decision):
            sheet.told.extend(event(delivery_id) for delivery_id in ids)
    written = [(one.decision, one.delivery_ids) for one in sheet.appended]
    if comes_later:
        sheet.others.append(escalation_rows(header.id, written, at))
    if gathers:
        sheet.others.append(digests.entry_rows(header.id, written, at))
    return sheet


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


def _header_rows(headers: Sequence[Header]) -> Rows:
    values = [
        (
            header.id,
            header.application_id,
            header.version_id,
            header.category_id,
            header.mode,
            header.urgency,
            header.data,
            header.send_at,
            header.expires_at,
        )
        for header in headers
    ]
    return Rows(Notification._meta.db_table, _NOTIFICATION, values)


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
