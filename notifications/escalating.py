"""The next channel: what was not heard of in time is planned again, with the channels that are left."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
import structlog
from django.db import OperationalError, transaction

from accounts.channels import Channel, Mode
from accounts.policies import Reach, Routing
from notifications import caps, facts, queues
from notifications.facts import Addressee, Question
from notifications.ledger import escalations
from notifications.ledger.append import Appended, Header, append_dropped, append_plan
from notifications.ledger.escalations import Pending
from notifications.ledger.events import Event, append_events
from notifications.liveness import signing
from notifications.meters import Meters, metered
from notifications.models import Notification
from notifications.planning.escalation import Heard, Onward, Patience, Tried, Wait, judged
from notifications.planning.plan import plan
from notifications.planning.values import Decision, Drop, Later, Plan, Policy, Send, Wish
from notifications.stopping import stopping
from notifications.vocabulary import EventKind, Lane, Reason, Urgency
from templates_app import catalogue

log = structlog.get_logger(__name__)

#: People whose messages are looked at in one transaction.
_TOGETHER: Final = 1000
#: After so long it is tried again with what could not be planned, which keeps nobody else waiting.
_LATER: Final = timedelta(minutes=1)


class _Next(msgspec.Struct, frozen=True, gc=False):
    """Somebody's message that takes its next channel, and what became of it on the one before."""

    row: Pending
    because: str
    tried: tuple[tuple[UUID, Tried], ...]


def escalate(*, clock: Callable[[], datetime]) -> int:
    """Settle every message that is due for its next channel; says for how many people.

    1. Take what is due: nobody else does meanwhile, and after the commit it is gone.
    2. What was heard of needs no other channel, which the log says; what cannot have been heard of yet waits on.
    3. The rest is planned as any message is, by the channels that are left: consent, quiet hours, suppressions and caps
       are asked again. What comes of it is appended in the same transaction, so a worker that is killed leaves all of
       it or nothing.
    """
    total = 0
    while not stopping.is_wished():
        signing.moved()
        with transaction.atomic(), metered() as meters:
            done = _settle(clock(), meters)
        total += done
        if done < _TOGETHER:
            break
    return total


@dataclass(slots=True)
class _Outcome:
    """What one round comes to."""

    done: list[UUID] = field(default_factory=list)
    waiting: dict[UUID, datetime] = field(default_factory=dict)
    dropped: list[tuple[UUID, Decision]] = field(default_factory=list)


def _settle(at: datetime, meters: Meters) -> int:
    """What is due at a moment, in one transaction; for how many people."""
    due = escalations.take(at, limit=_TOGETHER)
    if not due:
        return 0
    notifications = Notification.objects.in_bulk({row.notification_id for row in due})
    outcome = _Outcome()
    lanes: set[Lane] = set()
    for notification_id, together in _looked_at(due, notifications, outcome, at).items():
        went = _go_on(notifications[notification_id], together, at)
        if went is None:
            outcome.waiting |= {one.row.id: at + _LATER for one in together}
            continue
        outcome.done += [one.row.id for one in together]
        outcome.dropped += went.dropped
        lanes |= went.lanes
        meters.planned(went.decided)
    append_dropped(outcome.dropped)
    meters.planned(Plan(tuple(decision for _, decision in outcome.dropped)))
    escalations.settle(outcome.done)
    escalations.postpone(outcome.waiting)
    transaction.on_commit(lambda: queues.hint(lanes))
    return len(due)


def _looked_at(
    due: Sequence[Pending], notifications: Mapping[UUID, Notification], outcome: _Outcome, at: datetime
) -> Mapping[UUID, Sequence[_Next]]:
    """Those that go on, by their notification; what becomes of the others is in the outcome."""
    news = escalations.news_of([one for row in due for one in (*row.delivery_ids, *row.earlier_ids)])
    onward: defaultdict[UUID, list[_Next]] = defaultdict(list)
    for row in due:
        notification = notifications.get(row.notification_id)
        if notification is None or notification.cancelled_at:
            outcome.done.append(row.id)
            continue
        tried = tuple((one, news[one]) for one in row.delivery_ids if one in news)
        earlier = [news[one] for one in row.earlier_ids if one in news]
        patience = Patience(row.escalate_after, is_critical=notification.urgency == Urgency.CRITICAL)
        match judged([one for _, one in tried], earlier, patience, at):
            case Heard(channel=channel):
                outcome.dropped += escalations.left_out(row, Drop(Reason.NOT_NEEDED, channel.value))
                outcome.done.append(row.id)
            case Wait(until=until):
                outcome.waiting[row.id] = until
            case Onward(because=because):
                onward[row.notification_id].append(_Next(row, because, tried))
    return onward


class _Went(msgspec.Struct, frozen=True, gc=False):
    """What came of a notification's next channels."""

    decided: Plan
    dropped: Sequence[tuple[UUID, Decision]]
    lanes: set[Lane]


def _go_on(notification: Notification, together: Sequence[_Next], at: datetime) -> _Went | None:
    """Plan the next channels of a notification's people; None where that failed, which is to hold up nobody else."""
    try:
        with transaction.atomic():
            return _planned(notification, together, at)
    except OperationalError:
        raise
    except Exception:
        log.exception("escalation.failed", notification=str(notification.id), people=len(together))
        return None


def _planned(notification: Notification, together: Sequence[_Next], at: datetime) -> _Went:
    question = _question(notification, [one.row for one in together])
    known, people = facts.gather_again(question, [one.row.recipient_id for one in together])
    decisions: list[Decision] = []
    whose: list[_Next] = []
    dropped: list[tuple[UUID, Decision]] = []
    policies: dict[_Way, Policy] = {}
    for one, person in zip(together, people, strict=True):
        if person is None:
            # their address is gone, and so is their name from what is written of them
            dropped += escalations.left_out(msgspec.structs.replace(one.row, recipient_id=None), Drop(Reason.ERASED))
            continue
        way = (one.row.channels, one.row.escalate_after, one.row.reach)
        if way not in policies:
            policies[way] = _policy(known.policy, one.row)
        asked = replace(known, people=(person,), channels=one.row.channels, policy=policies[way])
        decided = plan(asked, at).decisions
        decisions += [_with_past(decision, one.row) for decision in decided]
        whose += [one] * len(decided)
    header = _header(notification)
    # counted twice, as when this is planned again after a crash, a message counts once
    planned = caps.counted(Plan(tuple(decisions)), known, header.id, at)
    appended, lanes = append_plan(header, planned, at)
    append_events(_told(appended, whose, at))
    return _Went(planned, dropped, lanes)


#: Channels, patience and reach: those who share them are planned by one policy.
_Way = tuple[tuple[Channel, ...], timedelta, Reach]


def _policy(usual: Policy, row: Pending) -> Policy:
    """The category's rules as they are now, but for the way, which was fixed when the message was accepted."""
    wish = Wish(Routing.ESCALATE, row.channels, escalate_after=row.escalate_after, reach=row.reach)
    return replace(usual, itinerary=wish.over(usual.itinerary))


def _with_past(decision: Decision, row: Pending) -> Decision:
    """What comes later also knows what was tried before: it may still arrive."""
    if not isinstance(decision.verdict, Later):
        return decision
    past = (*row.earlier_ids, *row.delivery_ids)
    return Decision(decision.candidate, msgspec.structs.replace(decision.verdict, tried=past))


def _told(appended: Sequence[Appended], whose: Sequence[_Next], at: datetime) -> list[Event]:
    """What the timelines tell: of the next channel why it was taken, and of the one before which one took over."""
    events = []
    for written, one in zip(appended, whose, strict=True):
        if not isinstance(written.decision.verdict, Send):
            continue
        events += [
            Event(delivery_id, at, 0, EventKind.ESCALATED, Reason.ESCALATED, detail=one.because)
            for delivery_id in written.delivery_ids
        ]
        events += [
            Event(
                delivery_id,
                at,
                tried.attempt,
                EventKind.ESCALATED,
                detail=f"goes on by {written.decision.candidate.channel}",
            )
            for delivery_id, tried in one.tried
            if tried.attempt
        ]
    return events


def _question(notification: Notification, rows: Sequence[Pending]) -> Question:
    return Question(
        catalogue.edition(notification.version_id),
        [
            Addressee(
                email=row.said.get("email", ""),
                phone=row.said.get("phone", ""),
                locale=row.said.get("locale", ""),
                data=row.said.get("data", {}),
            )
            for row in rows
        ],
        tuple(dict.fromkeys(channel for row in rows for channel in row.channels)),
        notification.data,
        notification.send_at,
        notification.expires_at,
    )


def _header(notification: Notification) -> Header:
    return Header(
        id=notification.id,
        application_id=notification.application_id,
        version_id=notification.version_id,
        category_id=notification.category_id,
        mode=Mode(notification.mode),
        urgency=Urgency(notification.urgency),
        data=notification.data,
        send_at=notification.send_at,
        expires_at=notification.expires_at,
    )
