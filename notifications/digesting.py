"""Digests: what was gathered for a while is planned and sent as one."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from django.db import OperationalError, transaction

from accounts.channels import Channel
from accounts.ids import new_id
from notifications import caps, facts, queues, tariffs
from notifications.facts import Addressee, Question
from notifications.ledger import digests
from notifications.ledger.append import Appended, Header, append
from notifications.ledger.digests import Due, Entry
from notifications.ledger.events import Event, append_events
from notifications.liveness import signing
from notifications.meters import Meters, metered
from notifications.models import Notification
from notifications.planning.digest import Bundle, Item, bundles
from notifications.planning.plan import plan
from notifications.planning.values import Facts, Person, Plan
from notifications.stopping import stopping
from notifications.vocabulary import EventKind, Lane, Reason, Urgency
from templates_app import catalogue
from templates_app.catalogue import Edition
from templates_app.gathered import together

log = structlog.get_logger(__name__)

#: Digests that are closed in one transaction; whoever has something new for one of them waits for its end.
_TOGETHER: Final = 200
#: After so long it is tried again with what could not be planned, which keeps nobody else waiting.
_LATER: Final = timedelta(minutes=1)
_MOST_URGENT: Final = (Urgency.CRITICAL, Urgency.NORMAL, Urgency.BULK)


def close(*, clock: Callable[[], datetime]) -> int:
    """Send every digest whose time has come; says how many.

    1. Take what is due: nobody else does meanwhile, nothing is added any more, and after the commit it is gone.
    2. Leave out what was cancelled, has expired, or belongs to somebody who was erased; their deliveries say so.
    3. Plan the rest as any message: consent, suppressions, quiet hours, routing and caps as they are now. What comes of
       it is a notification, appended in the same transaction, so a worker that is killed leaves all or nothing.
    4. Every delivery that stood for an item tells by which that went.
    """
    total = 0
    while not stopping.is_wished():
        signing.moved()
        with transaction.atomic(), metered() as meters:
            done = _close(clock(), meters)
        total += done
        if done < _TOGETHER:
            break
    return total


class _Parcel(msgspec.Struct, frozen=True, gc=False):
    """A digest that is to be sent, with the items that are good, and what was said last of whom it is for."""

    due: Due
    items: tuple[Item, ...]
    said: Mapping[str, Any]
    urgency: Urgency


class _Message(msgspec.Struct, frozen=True, gc=False):
    """One message of a digest; nearly always there is no other."""

    parcel: _Parcel
    bundle: Bundle
    data: Mapping[str, Any]


@dataclass(slots=True)
class _Went:
    """What comes of some digests."""

    events: list[Event] = field(default_factory=list)
    lanes: set[Lane] = field(default_factory=set)
    counted: list[tuple[Plan, Facts, UUID]] = field(default_factory=list)

    def leave_out(self, items: Iterable[Item], reason: Reason, at: datetime) -> None:
        """These are not sent."""
        ids = [delivery_id for item in items for delivery_id in item.gathered.values()]
        digests.explain(ids, reason)
        kind = EventKind.EXPIRED if reason is Reason.EXPIRED else EventKind.CANCELLED
        self.events += [Event(one, at, 0, kind, reason) for one in ids]


def _close(at: datetime, meters: Meters) -> int:
    """What is due at a moment, in one transaction; how many digests."""
    due = digests.take(at, limit=_TOGETHER)
    if not due:
        return 0
    entries = digests.entries_of(due)
    total = _Went()
    failed: set[UUID] = set()
    for version_id, parcels in _parcels(due, entries, total, at).items():
        went = _go(version_id, parcels, at)
        if went is None:
            failed |= {parcel.due.id for parcel in parcels}
            continue
        total.events += went.events
        total.lanes |= went.lanes
        for decided, _, _ in went.counted:
            meters.planned(decided)
    append_events(total.events)
    digests.settle(
        [one.id for one in due if one.id not in failed],
        [entry.id for entry in entries if entry.digest_id not in failed],
    )
    digests.postpone(list(failed), at + _LATER)
    transaction.on_commit(lambda: queues.hint(total.lanes))
    return len(due)


def _parcels(
    due: Sequence[Due], entries: Sequence[Entry], total: _Went, at: datetime
) -> Mapping[UUID, Sequence[_Parcel]]:
    """What is to be sent, by template version; what is left out says so."""
    notifications = Notification.objects.in_bulk({entry.notification_id for entry in entries})
    good: defaultdict[UUID, list[tuple[Entry, Notification]]] = defaultdict(list)
    late: list[Item] = []
    for entry in entries:
        of = notifications.get(entry.notification_id)
        if of is None or of.cancelled_at:
            continue
        if of.expires_at and of.expires_at <= at:
            late.append(_item(entry, of))
        else:
            good[entry.digest_id].append((entry, of))
    total.leave_out(late, Reason.EXPIRED, at)
    found: defaultdict[UUID, list[_Parcel]] = defaultdict(list)
    for one in due:
        if of_it := good.get(one.id):
            items = tuple(_item(entry, of) for entry, of in of_it)
            urgency = min((Urgency(of.urgency) for _, of in of_it), key=_MOST_URGENT.index)
            found[one.version_id].append(_Parcel(one, items, of_it[-1][0].said, urgency))
    return found


def _item(entry: Entry, of: Notification) -> Item:
    data = {**of.data, **entry.said.get("data", {})}
    return Item(entry.id, entry.at, entry.gathered, data, of.expires_at)


def _go(version_id: UUID, parcels: Sequence[_Parcel], at: datetime) -> _Went | None:
    """Plan and append the digests of one version; None where that failed, which is to hold up no other."""
    went = _Went()
    try:
        with transaction.atomic():
            _plan(catalogue.edition(version_id), parcels, went, at)
    except OperationalError:
        raise
    except Exception:
        log.exception("digest.failed", version=str(version_id), digests=len(parcels))
        for decided, known, notification_id in went.counted:
            caps.give_back(decided, known, notification_id, at)
        return None
    return went


def _plan(edition: Edition, parcels: Sequence[_Parcel], went: _Went, at: datetime) -> None:
    routing = facts.policy_of(edition.category).itinerary.routing
    messages = [
        _Message(parcel, bundle, together([item.data for item in bundle.items]))
        for parcel in parcels
        for bundle in bundles(parcel.items, routing)
    ]
    known, people = facts.gather_again(
        _question(edition, messages, at), [message.parcel.due.recipient_id for message in messages]
    )
    for message, person in zip(messages, people, strict=True):
        if person is None:
            went.leave_out(message.bundle.items, Reason.ERASED, at)
        else:
            _send(message, _header(message, edition), _alone(known, person, message.bundle), went, at)


def _send(message: _Message, header: Header, known: Facts, went: _Went, at: datetime) -> None:
    planned = plan(known, at)
    decided = caps.counted(planned, known, header.id, at)
    went.counted.append((decided, known, header.id))
    appended, lanes = append(header, decided, at)
    went.lanes |= lanes
    went.events += _told(message, appended, at)


def _alone(known: Facts, person: Person, bundle: Bundle) -> Facts:
    """The facts about one message. What the text is told of its items stands with the notification, once."""
    own = {name: value for name, value in person.own_data.items() if name == "recipient"}
    whose = msgspec.structs.replace(person, own_data=own)
    return replace(known, people=(whose,), channels=bundle.channels, expires_at=bundle.expires_at)


def _told(message: _Message, appended: Sequence[Appended], at: datetime) -> list[Event]:
    """What the timelines tell: of the digest how much is in it, and of each item by what it went."""
    items, due = message.bundle.items, message.parcel.due
    into = f"{len(items)} gathered under {due.key} since {items[0].at:%Y-%m-%d %H:%M:%S %Z}"
    by_channel: dict[Channel, Sequence[UUID]] = {}
    events = []
    for written in appended:
        by_channel[written.decision.candidate.channel] = written.delivery_ids
        events += [Event(one, at, 0, EventKind.DIGESTED, detail=into) for one in written.delivery_ids]
    company = {1: "alone", 2: "with another"}.get(len(items), f"with {len(items) - 1} others")
    for item in items:
        for channel, delivery_id in item.gathered.items():
            if channel in by_channel:
                went_as = f", as {' and '.join(map(str, by_channel[channel]))}" if by_channel[channel] else ""
                events.append(Event(delivery_id, at, 0, EventKind.DIGESTED, detail=f"{company}{went_as}"))
    return events


def _question(edition: Edition, messages: Sequence[_Message], at: datetime) -> Question:
    channels = {channel for message in messages for channel in message.bundle.channels}
    return Question(
        edition,
        [
            Addressee(
                email=message.parcel.said.get("email", ""),
                phone=message.parcel.said.get("phone", ""),
                locale=message.parcel.said.get("locale", ""),
                data=message.data,
            )
            for message in messages
        ],
        tuple(channel for channel in Channel if channel in channels),
        {},
        tariff=tariffs.current(at),
    )


def _header(message: _Message, edition: Edition) -> Header:
    due = message.parcel.due
    return Header(
        id=new_id(),
        application_id=due.application_id,
        version_id=edition.version_id,
        category_id=edition.category.id,
        mode=due.mode,
        urgency=message.parcel.urgency,
        data=message.data,
        expires_at=message.bundle.expires_at,
    )
