"""All that is held on a person, table by table: how it is found, and what becomes of it when they are erased.

Whoever adds a table that says something of people adds a line here, or, in an app above this one, to a list of its own
that the setting HOLDINGS names; tests/shape/test_holdings.py asks for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils.module_loading import import_string

from accounts.channels import Channel
from accounts.ids import floor_of
from accounts.models import (
    ConsentChange,
    Device,
    Preference,
    ReceivedReply,
    Recipient,
    Refusal,
    SoftBounce,
    Suppression,
)
from accounts.traces import PREFIX, trace_of
from notifications.ledger import digests, escalations, stripping
from notifications.ledger.append import append_dropped
from notifications.ledger.events import Event, append_events
from notifications.models import Delivery, Digest, DigestEntry, Escalation, IdempotencyKey
from notifications.planning.values import Drop
from notifications.vocabulary import EventKind, Reason


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody to look for: as a person, and by the addresses under which contacts given inline were written to.

    `asked_at` is when their erasure was asked for: a contact given inline later is new. `place` is how far the answers
    that are kept were read.
    """

    recipient_id: UUID
    external_id: str
    email: str = field(repr=False)
    phone: str = field(repr=False)
    asked_at: datetime
    place: UUID | None = None

    @property
    def addresses(self) -> Sequence[str]:
        """Theirs, as far as there are any."""
        return [address for address in (self.email, self.phone) if address]


class Bit(NamedTuple):
    """What one step came to: rows, whether there may be more, and the place from which they are looked for."""

    rows: int
    is_all: bool = True
    place: UUID | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """A table that says something of people.

    `theirs` finds one person's rows. `erase` lets a bounded number of them go, or lose what they say; it may be
    run again at any time. `is_told` is whether an export has them.
    """

    model: type[Model]
    theirs: Callable[[Subject], QuerySet[Any]]
    erase: Callable[[QuerySet[Any], Subject], Bit]
    is_told: bool = True

    @property
    def name(self) -> str:
        """What it is called in an export, and where rows are counted."""
        return str(self.model._meta.verbose_name_plural).replace(" ", "_")


# --- how they are found ------------------------------------------------------------------------------
def by_recipient(model: type[Model]) -> Callable[[Subject], QuerySet[Any]]:
    """Rows that name the person."""
    return lambda subject: QuerySet(model).filter(recipient_id=subject.recipient_id)


def deliveries(subject: Subject) -> QuerySet[Delivery]:
    """What the person was sent or spared, and what went to their addresses as those of nobody in particular.

    Served by delivery_recipient and delivery_contact.
    """
    inline = Q(recipient=None, address__in=subject.addresses) & _asked_before(subject)
    return Delivery.objects.filter(Q(recipient_id=subject.recipient_id) | (inline & ~Q(address="")))


def escalations_of(subject: Subject) -> QuerySet[Escalation]:
    """What waits for its next channel: the person's, served by escalation_recipient, and that of contacts.

    For the latter all that waits is read, which is little: it is gone within minutes.
    """
    found = Q(recipient_id=subject.recipient_id)
    if subject.addresses:
        inline = Q(said__email__in=subject.addresses) | Q(said__phone__in=subject.addresses)
        found |= Q(recipient=None) & inline & _asked_before(subject)
    return Escalation.objects.filter(found)


def digest_entries_of(subject: Subject) -> QuerySet[DigestEntry]:
    """What is gathered for the person, and for contacts with their addresses. What waits is little, and read whole."""
    found = Q(digest__who=str(subject.recipient_id))
    if subject.addresses:
        inline = Q(said__email__in=subject.addresses) | Q(said__phone__in=subject.addresses)
        found |= Q(digest__recipient=None) & inline & _asked_before(subject)
    return DigestEntry.objects.filter(found)


def digests_of(subject: Subject) -> QuerySet[Digest]:
    """Their digests that are not sent yet; those of contacts are known by what is in them."""
    named = Q()
    for address in subject.addresses:
        named |= Q(who__startswith=f"{address} ") | Q(who__endswith=f" {address}")
    return Digest.objects.filter(
        Q(who=str(subject.recipient_id)) | (Q(recipient=None) & named if named else Q(pk=None))
    )


def _asked_before(subject: Subject) -> Q:
    """What was asked for before the erasure was, however late it is planned."""
    return Q(notification_id__lt=floor_of(subject.asked_at))


def consent_of(subject: Subject) -> QuerySet[ConsentChange]:
    """What they agreed to, and what was said of their addresses. Served by an index for each."""
    return ConsentChange.objects.filter(Q(recipient_id=subject.recipient_id) | Q(address__in=subject.addresses))


def _admin_log(subject: Subject) -> QuerySet[LogEntry]:
    """What was done in the admin to the person, their devices and their choices; it calls them by name."""
    found = Q(content_type__model="recipient", object_id=str(subject.recipient_id))
    for model in (Device, Preference):
        ids = by_recipient(model)(subject).values_list("pk", flat=True)
        found |= Q(content_type__model=model._meta.model_name, object_id__in=[str(pk) for pk in ids])
    # one that is gone already is called by whose it was
    found |= Q(content_type__model="preference", object_repr__contains=str(subject.recipient_id))
    return LogEntry.objects.filter(found, content_type__app_label="accounts")


# --- what becomes of them ----------------------------------------------------------------------------
def gone(rows: QuerySet[Any], _subject: Subject) -> Bit:
    """They are deleted; there are few of them."""
    return Bit(rows.delete()[0])


def _nameless(rows: QuerySet[Any], _subject: Subject) -> Bit:
    """That something was done stays, and by whom; not to whom."""
    return Bit(rows.update(object_repr="erased", object_id=None, change_message=""))


def _traces(rows: QuerySet[Any], _subject: Subject) -> Bit:
    """Nobody sends to the address when it comes back; until then nobody can read it."""
    readable = list(rows.exclude(address__startswith=PREFIX).select_for_update())
    made = [
        Suppression(channel=one.channel, address=trace_of(one.address), cause=one.cause, created_at=one.created_at)
        for one in readable
    ]
    Suppression.objects.bulk_create(made, ignore_conflicts=True)
    Suppression.objects.filter(pk__in=[one.pk for one in readable]).delete()
    return Bit(len(made))


def _refusals(rows: QuerySet[Any], _subject: Subject) -> Bit:
    """Likewise: what the owner of an address does not want is not sent there when it comes back."""
    readable = list(rows.exclude(address__startswith=PREFIX).select_for_update())
    made = [
        Refusal(
            channel=one.channel, address=trace_of(one.address), category_id=one.category_id, created_at=one.created_at
        )
        for one in readable
    ]
    Refusal.objects.bulk_create(made, ignore_conflicts=True)
    Refusal.objects.filter(pk__in=[one.pk for one in readable]).delete()
    return Bit(len(made))


def _sealed(rows: QuerySet[Any], subject: Subject) -> Bit:
    """A proof stays a proof for whoever comes with the address, and says nothing of anybody else.

    Lines are never changed: the database sees to that. So they go, and others come, of the same ids.
    """
    found: list[ConsentChange] = list(rows.select_for_update().order_by("pk")[: stripping.TOGETHER])
    ConsentChange.objects.filter(pk__in=[line.pk for line in found]).delete()
    for line in found:
        # where a line has no address, that of its channel leads to it, or what else the person is known by
        first = [subject.email] if line.channel == Channel.EMAIL else []
        known = [line.address, *first, subject.phone, subject.email, subject.external_id]
        line.recipient, line.address, line.detail = None, trace_of(next(filter(None, known))), ""
    ConsentChange.objects.bulk_create(found)
    return Bit(len(found), len(found) < stripping.TOGETHER)


def _stripped(rows: QuerySet[Any], subject: Subject) -> Bit:
    found = stripping.strip(rows, subject.recipient_id, subject.asked_at)
    return Bit(found, found < stripping.TOGETHER)


def _withdrawn(rows: QuerySet[Any], _subject: Subject) -> Bit:
    """The channels that were left are not taken, which the log says of nobody. What is just going on is waited for."""
    found = escalations.erase(list(rows.values_list("pk", flat=True)[: stripping.TOGETHER]))
    append_dropped([drop for row in found for drop in escalations.left_out(row, Drop(Reason.ERASED))])
    return Bit(len(found), len(found) < stripping.TOGETHER)


def _ungathered(rows: QuerySet[Any], subject: Subject) -> Bit:
    """What was gathered is sent to nobody, which the log says of nobody."""
    found = list(rows.values_list("pk", flat=True)[: stripping.TOGETHER])
    stood_for = digests.forget(found)
    append_events([Event(one, subject.asked_at, 0, EventKind.CANCELLED, Reason.ERASED) for one in stood_for])
    return Bit(len(found), len(found) < stripping.TOGETHER)


def _emptied(rows: QuerySet[Any], _subject: Subject) -> Bit:
    """Digests in which nothing is left; one into which somebody new has put something stays."""
    empty = ~Exists(DigestEntry.objects.filter(digest=OuterRef("pk")))
    return Bit(rows.filter(empty).delete()[0])


def _unnamed(_rows: QuerySet[Any], subject: Subject) -> Bit:
    return Bit(*stripping.unname(subject.external_id, subject.place, subject.asked_at))


SUPPRESSIONS: Final = Holding(Suppression, lambda subject: Suppression.objects.standing(subject.addresses), _traces)
ESCALATIONS: Final = Holding(Escalation, escalations_of, _withdrawn)
GATHERED: Final = Holding(DigestEntry, digest_entries_of, _ungathered)
DIGESTS: Final = Holding(Digest, digests_of, _emptied)

REFUSALS: Final = Holding(Refusal, lambda subject: Refusal.objects.standing(subject.addresses), _refusals)
BOUNCES: Final = Holding(SoftBounce, lambda subject: SoftBounce.objects.filter(address__in=subject.addresses), gone)
CONSENT: Final = Holding(ConsentChange, consent_of, _sealed)

#: What goes in the transaction in which an erasure begins.
_AT_ONCE: Final = (
    SUPPRESSIONS,
    REFUSALS,
    BOUNCES,
    CONSENT,
    ESCALATIONS,
    GATHERED,
    DIGESTS,
    Holding(LogEntry, _admin_log, _nameless, is_told=False),
    Holding(ReceivedReply, lambda subject: ReceivedReply.objects.filter(phone__in=subject.addresses), gone),
    Holding(Device, by_recipient(Device), gone),
    Holding(Preference, by_recipient(Preference), gone),
)
_PERSON: Final = Holding(Recipient, lambda subject: Recipient.objects.filter(pk=subject.recipient_id), gone)

#: What goes afterwards, step by step: there may be very many. A worker that was just sending may have noted a bounce
#: meanwhile, and what was just accepted may go on to another channel, so those are looked at again.
_BIT_BY_BIT: Final = (
    SUPPRESSIONS,
    REFUSALS,
    BOUNCES,
    CONSENT,
    # with its events, its dead letter, what is still to be noted of it, and the data of its notification
    Holding(Delivery, deliveries, _stripped),
    ESCALATIONS,
    GATHERED,
    DIGESTS,
    # a copy of an answer, for repetitions of the request; it names whom the request named
    Holding(IdempotencyKey, lambda _subject: IdempotencyKey.objects.all(), _unnamed, is_told=False),
)

#: Tables that go with the deliveries they are about: see `stripping`.
WITH_DELIVERIES: Final = ("DeliveryEvent", "DeadLetter", "PendingReceipt", "Notification")

#: Tables with a column that looks like a person's and says nothing of one.
IMPERSONAL: Final = {
    "AwaitedReceipts": "ids of deliveries",
    "Batch": "ids of deliveries",
    "Audience": "criteria that many people meet",
    "Erasure": "empties itself when it ends",
    "Reaction": "ids of deliveries, until what was done with them is counted",
    "Upload": "what came of a file for a list, with some names that nobody knows here; it is forgotten after a day",
    "UploadPart": "a piece of such a file, which is deleted once it is read, and within a day",
    "ExportPart": "a piece of a file of a run's deliveries, which somebody asked for; it is deleted after a day",
}


@dataclass(frozen=True, slots=True)
class Held:
    """What an app above this one holds, as the module that the setting HOLDINGS names says it."""

    at_once: Sequence[Holding] = ()
    bit_by_bit: Sequence[Holding] = ()


@cache
def at_once() -> Sequence[Holding]:
    """What goes with the person, of all apps. What others point to comes last."""
    return (*_AT_ONCE, *chain.from_iterable(held.at_once for held in _above()), _PERSON)


@cache
def bit_by_bit() -> Sequence[Holding]:
    """What goes afterwards, of all apps."""
    return (*_BIT_BY_BIT, *chain.from_iterable(held.bit_by_bit for held in _above()))


def _above() -> Sequence[Held]:
    """Looked up when it is first asked for: those apps import this one."""
    return [import_string(name) for name in settings.HOLDINGS]
