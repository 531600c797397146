"""Why somebody did, or did not, get something: what was decided for them in a span of time, and what applies now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from accounts.channels import Channel
from accounts.models import Category, Device, Preference, Recipient, Refusal, Suppression
from accounts.recipients import Invalid, normal_email, normal_phone
from accounts.traces import owned
from accounts.zones import zone_of
from notifications.facts import policy_of, quiet_of
from notifications.models import Delivery
from notifications.planning.rules.consent import refused
from notifications.planning.rules.quiet_hours import Sleeper, silence
from notifications.planning.values import Candidate, Choice, Drop, Facts, Hold, Person, Policy
from notifications.timeline import Moment, timeline
from notifications.vocabulary import in_words
from templates_app.catalogue import facts_of

#: Deliveries that are told about on one page.
PAGE: Final = 50


class Nobody(Exception):
    """Nobody is known by this; the message says what would be looked for."""


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment until another, half-open; `before` is the last id of the page before."""

    since: datetime
    until: datetime
    before: UUID | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one message on one channel, and how it came to that."""

    delivery: Delivery
    story: Sequence[Moment]


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a message of this category would be sent on this channel now, and which rule says so."""

    category: str
    channel: Channel
    is_sent: bool
    because: str


def found(who: str) -> Recipient:
    """The person whom somebody means: by external id, email address or phone number. Raises `Nobody`."""
    asked = who.strip()
    by = Q(external_id=asked)
    for column, normal in (("email", normal_email), ("phone", normal_phone)):
        try:
            by |= Q(**{column: normal(asked)})
        except Invalid:
            continue
    person = Recipient.objects.filter(by).order_by("-external_id").first()
    if person is None:
        raise Nobody("Nobody has this external id, email address or phone number. Write it in full.")
    return person


def happened(person: Recipient, span: Span) -> Sequence[Told]:
    """What they were sent and spared, the newest first: a page. Served by delivery_recipient, day by day."""
    rows = (
        Delivery.objects.to_person(person.pk)
        .planned_between(span.since, span.until)
        .select_related("notification__version__template", "notification__category", "device")
    )
    if span.before:
        rows = rows.filter(pk__lt=span.before)
    return [Told(row, timeline(row)) for row in rows[:PAGE]]


def applies_now(person: Recipient, at: datetime) -> Sequence[Answer]:
    """For every category and channel: whether a message would be sent at this moment, as planning decides it."""
    choices = _choices(person)
    gone = set(Suppression.objects.standing([person.email, person.phone]).values_list("channel", "cause"))
    refusals = Refusal.objects.standing([person.email, person.phone]).values_list("category_id", "channel", "address")
    has_device = Device.objects.live().filter(recipient=person).exists()
    whose = owned([row[2] for row in refusals], [person.email, person.phone])
    there = {(category, Channel(channel), whose[address]) for category, channel, address in refusals}
    answers = []
    for category in Category.objects.order_by("name"):
        policy = policy_of(facts_of(category))
        for channel in Channel:
            because = (
                _unreachable(person, channel, gone, has_device=has_device)
                or _unwanted(policy, Candidate(_as_planned(person, choices), channel, ""), there)
                or _quiet(person, policy, at)
            )
            answers.append(Answer(category.name, channel, not because, because or _sent(category)))
    return answers


def _sent(category: Category) -> str:
    if category.digest_minutes and not category.is_critical:
        return f"It would be sent; with a digest key, gathered for {category.digest_minutes} minutes first."
    return "It would be sent."


def _choices(person: Recipient) -> Mapping[Choice, bool]:
    made = Preference.objects.filter(recipient=person).values_list("category_id", "channel", "allowed")
    return {(category, Channel(channel) if channel else None): allowed for category, channel, allowed in made}


def _unreachable(person: Recipient, channel: Channel, gone: set[tuple[str, str]], *, has_device: bool) -> str:
    address = {Channel.PUSH: has_device, Channel.SMS: person.phone, Channel.EMAIL: person.email}[channel]
    if not address:
        return "There is no device." if channel is Channel.PUSH else "There is no address."
    causes = sorted(cause for of, cause in gone if of == channel)
    return f"The address is suppressed: {', '.join(causes)}." if causes else ""


def _as_planned(person: Recipient, choices: Mapping[Choice, bool]) -> Person:
    return Person("", email=person.email, phone=person.phone, choices=choices)


def _unwanted(policy: Policy, candidate: Candidate, refusals: set[tuple[UUID, Channel, str]]) -> str:
    here = frozenset((channel, address) for category, channel, address in refusals if category == policy.category_id)
    asked = Facts(policy, (candidate.channel,), (), frozenset(), lambda _channel, _locale: "", refused=here)
    match refused(candidate, asked, datetime.min):  # noqa: DTZ901 - unread
        case Drop(reason=reason, detail=detail):
            return in_words(reason, detail)
        case _:
            return ""


def _quiet(person: Recipient, policy: Policy, at: datetime) -> str:
    own = f"{person.quiet_from} {person.quiet_until}" if person.quiet_from and person.quiet_until else None
    zone = zone_of(person.time_zone, person.country, settings.USUAL_TIME_ZONE)
    match silence(policy, Sleeper(str(person.pk), zone, quiet_of(own)), at):
        case Hold(detail=detail) | Drop(detail=detail):
            return f"{detail[:1].upper()}{detail[1:]}."
        case _:
            return ""
