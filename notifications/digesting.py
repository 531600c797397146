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
from accounts.policies import Routing
from notifications import caps, facts, queues, tariffs
from notifications.facts import Addressee, Question
from notifications.ledger import digests
from notifications.ledger.append import Appended, Header, append_many
from notifications.ledger.digests import Due, Entry
from notifications.ledger.events import Event, append_events
from notifications.liveness import signing
from notifications.meters import Meters, metered
from notifications.models import Notification
from notifications.planning.digest import Bundle, Item, bundles, together
from notifications.planning.plan import plan
from notifications.planning.values import Decision, Drop, Facts, Later, Person, Plan, Send
from notifications.stopping import stopping
from notifications.vocabulary import EventKind, Lane, Reason, Urgency, in_words
from templates_app import catalogue
from templates_app.catalogue import Edition

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
    3. Plan the rest as any message: consent, suppressions, quiet hours, routing and caps as they are now. The digest is
       a notification of its own, appended in the same transaction, so a worker that is killed leaves all or nothing.
    4. Every delivery that stood for an item tells in which digest that went.
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


@dataclass(slots=True)
class _Closed:
    """What one round comes to."""

    gone: list[UUID] = field(default_factory=list)
    failed: list[UUID] = field(default_factory=list)
    lanes: set[Lane] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)

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
    closed = _Closed()
    for version_id, parcels in _parcels(due, entries, closed, at).items():
        went = _went(version_id, parcels, closed, at)
        if went is None:
            closed.failed += [parcel.due.id for parcel in parcels]
        else:
            meters.planned(went)
    failed = set(closed.failed)
    append_events(closed.events)
    digests.settle(
        [one.id for one in due if one.id not in failed],
        [entry.id for entry in entries if entry.digest_id not in failed or entry.id in closed.gone],
        at,
    )
    digests.postpone(closed.failed, at + _LATER)
    transaction.on_commit(lambda: queues.hint(closed.lanes))
    return len(due)


def _parcels(
    due: Sequence[Due], entries: Sequence[Entry], closed: _Closed, at: datetime
) -> Mapping[UUID, Sequence[_Parcel]]:
    """What is to be sent, by template version; what is left out is told."""
    notifications = Notification.objects.in_bulk({entry.notification_id for entry in entries})
    by_digest: defaultdict[UUID, list[Entry]] = defaultdict(list)
    late: list[Item] = []
    for entry in entries:
        of = notifications.get(entry.notification_id)
        if of is None or of.cancelled_at:
            closed.gone.append(entry.id)
        elif (item := _item(entry, of)).is_late(at):
            closed.gone.append(entry.id)
            late.append(item)
        else:
            by_digest[entry.digest_id].append(entry)
    closed.leave_out(late, Reason.EXPIRED, at)
    found: defaultdict[UUID, list[_Parcel]] = defaultdict(list)
    for one in due:
        if of_it := by_digest.get(one.id):
            whose = [notifications[entry.notification_id] for entry in of_it]
            items = tuple(_item(entry, of) for entry, of in zip(of_it, whose, strict=True))
            urgency = min((Urgency(of.urgency) for of in whose), key=_MOST_URGENT.index)
            found[one.version_id].append(_Parcel(one, items, of_it[-1].said, urgency))
    return found


def _item(entry: Entry, of: Notification) -> Item:
    return Item(
        entry.id, of.id, entry.at, entry.gathered, {**of.data, **entry.said.get("data", {})}, of.expires_at
    )


def _went(version_id: UUID, parcels: Sequence[_Parcel], closed: _Closed, at: datetime) -> Plan | None:
    """Plan and append digests of one version; None where that failed, which is to hold up nobody else."""
    events = len(closed.events)
    try:
        with transaction.atomic():
            return _sent(catalogue.edition(version_id), parcels, closed, at)
    except OperationalError:
        raise
    except Exception:
        log.exception("digest.failed", version=str(version_id), digests=len(parcels))
        del closed.events[events:]
        return None


class _Message(msgspec.Struct, frozen=True, gc=False):
    """One message of a digest, to a person as they are now."""

    parcel: _Parcel
    bundle: Bundle


def _sent(edition: Edition, parcels: Sequence[_Parcel], closed: _Closed, at: datetime) -> Plan:
    routing = Routing(edition.category.routing)
    messages = [_Message(parcel, bundle) for parcel in parcels for bundle in bundles(parcel.items, routing)]
    known, people = facts.gather_again(
        _question(edition, messages, at), [message.parcel.due.recipient_id for message in messages]
    )
    decisions: dict[UUID, list[tuple[Decision, Bundle]]] = {}
    for message, person in zip(messages, people, strict=True):
        if person is None:
            closed.leave_out(message.bundle.items, Reason.ERASED, at)
            continue
        decided = _decided(known, message.bundle, person, at)
        decisions.setdefault(message.parcel.due.id, []).extend((one, message.bundle) for one in decided)
    flat = [(digest_id, *one) for digest_id, of_it in decisions.items() for one in of_it]
    # counted twice, as when this is planned again after a crash, a message counts once
    counted = caps.counted(
        Plan(tuple(decision for _, decision, _ in flat)), known, [digest_id for digest_id, _, _ in flat], at
    )
    final = [_in_time(one, bundle, at) for one, (_, _, bundle) in zip(counted.decisions, flat, strict=True)]
    by_digest: defaultdict[UUID, list[tuple[Decision, Bundle]]] = defaultdict(list)
    for (digest_id, _, bundle), decision in zip(flat, final, strict=True):
        by_digest[digest_id].append((decision, bundle))
    going = [parcel for parcel in parcels if parcel.due.id in by_digest]
    parts = [
        (_header(parcel, edition), Plan(tuple(one for one, _ in by_digest[parcel.due.id]))) for parcel in going
    ]
    appended, lanes = append_many(parts, at)
    for parcel, written in zip(going, appended, strict=True):
        closed.events += _told(parcel, written, [bundle for _, bundle in by_digest[parcel.due.id]], at)
    closed.lanes |= lanes
    return Plan(tuple(final))
