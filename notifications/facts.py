"""Load all that planning must know about many recipients, in a fixed number of queries."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet, Value

from accounts.channels import Channel
from accounts.ids import Id
from accounts.models import Consent, Recipient, Refusal, Suppression
from accounts.models.kinds import any_of
from accounts.policies import USUAL_ORDER, Reach, Routing, WhenCapped
from accounts.traces import owned, with_traces
from notifications.ledger import people
from notifications.ledger.people import Aspects, Known
from notifications.planning.prices import FREE, Tariff
from notifications.planning.values import (
    CapRule,
    Choice,
    Criteria,
    DeviceFact,
    Facts,
    Itinerary,
    Person,
    Policy,
    QuietHours,
    Window,
    Wish,
)
from notifications.vocabulary import QUEUE_OF_PLATFORM, Urgency
from templates_app.catalogue import CategoryFacts, Edition
from templates_app.gathered import alone, is_given
from templates_app.variables import Asked

#: By the platform as it is stored.
_QUEUES: Final = {platform.value: queue for platform, queue in QUEUE_OF_PLATFORM.items()}


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a caller names: somebody by `external_id`, or a contact given inline. `data` is for them alone."""

    external_id: str = ""
    email: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    locale: str = ""
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """What planning is asked about: this edition, to these people, on these channels, in this span of time."""

    edition: Edition
    addressees: Sequence[Addressee]
    channels: tuple[Channel, ...]
    data: Mapping[str, Any] = field(repr=False)
    send_at: datetime | None = None
    expires_at: datetime | None = None
    wish: Wish | None = None
    tariff: Tariff = FREE
    digest_key: str = ""
    urgency: Urgency = Urgency.NORMAL

    @property
    def window(self) -> Window | None:
        """In what its messages are gathered; None for those that are sent. What is urgent never waits for others."""
        minutes = self.edition.category.digest_minutes
        if not (self.digest_key and minutes) or self.edition.category.is_critical or self.urgency is Urgency.CRITICAL:
            return None
        return Window(self.digest_key, timedelta(minutes=minutes))


@dataclass(frozen=True, slots=True)
class Page:
    """Up to `limit` recipients whose ids lie above `after` and below `before`."""

    after: UUID | None
    before: UUID
    limit: int


class UnknownRecipients(Exception):
    """Some external ids belong to nobody; `positions` are their places in the request."""

    def __init__(self, positions: Sequence[int]) -> None:
        super().__init__(f"{len(positions)} unknown recipients")
        self.positions = positions


def gather(question: Question) -> Facts:
    """Two queries, whatever the number of recipients: people with all that is theirs, and suppressions.

    Raises `UnknownRecipients` when an external id belongs to nobody.
    """
    ids = [addressee.external_id for addressee in question.addressees if addressee.external_id]
    rows = {row.external_id: row for row in people.named(ids, _aspects(question))} if ids else {}
    unknown = [
        position
        for position, addressee in enumerate(question.addressees)
        if addressee.external_id and addressee.external_id not in rows
    ]
    if unknown:
        raise UnknownRecipients(unknown)
    variables = _Variables.of(question)
    asked = tuple(
        _known(addressee, rows[addressee.external_id], question, variables)
        if addressee.external_id
        else _inline(position, addressee, variables)
        for position, addressee in enumerate(question.addressees)
    )
    return _facts(question, asked)


def gather_page(question: Question, criteria: Criteria, page: Page) -> tuple[Facts, UUID | None]:
    """The facts about the next recipients of an audience, and the last one's id; None when there are no more.

    Two queries, as for recipients who are named. The page is read in the order of the primary key.
    """
    rows = people.page_of(criteria, page.after, page.before, page.limit, _aspects(question))
    if not rows:
        return _facts(question, ()), None
    variables = _Variables.of(question)
    nobody = Addressee()
    audience = tuple(_known(nobody, row, question, variables) for row in rows)
    return _facts(question, audience), rows[-1].id


def gather_again(question: Question, ids: Sequence[UUID | None]) -> tuple[Facts, Sequence[Person | None]]:
    """The facts about people who were planned for before, by the ids that they have or had, None for contacts.

    Who was erased meanwhile is None in the second part, which has the order of the question, and not in the facts.
    """
    known = [one for one in ids if one]
    rows = {row.id: row for row in people.identified(known, _aspects(question))} if known else {}
    variables = _Variables.of(question)
    everybody = [
        _inline(position, addressee, variables)
        if recipient_id is None
        else _known(addressee, rows[recipient_id], question, variables)
        if recipient_id in rows
        else None
        for position, (addressee, recipient_id) in enumerate(zip(question.addressees, ids, strict=True))
    ]
    return _facts(question, tuple(one for one in everybody if one)), everybody


def members(criteria: Criteria, before: UUID) -> QuerySet[Recipient]:
    """Everybody who meets `criteria` and whose id lies below `before`."""
    wanted = {
        "country": criteria.country,
        "locale": criteria.locale,
        "external_id__startswith": criteria.external_id_prefix,
    }
    return Recipient.objects.filter(pk__lt=before, **{name: value for name, value in wanted.items() if value})


def _facts(question: Question, everybody: tuple[Person, ...]) -> Facts:
    edition = question.edition
    suppressed, refused = _unwanted(everybody, question)
    return Facts(
        policy=_policy(question),
        channels=question.channels,
        people=everybody,
        suppressed=suppressed,
        locale_for=cache(edition.locale_for),
        send_at=question.send_at,
        expires_at=question.expires_at,
        refused=refused,
        usual_zone=settings.USUAL_TIME_ZONE,
        tariff=question.tariff,
        digest=question.window,
    )


def _policy(question: Question) -> Policy:
    policy = policy_of(question.edition.category)
    if question.wish is None:
        return policy
    return replace(policy, itinerary=question.wish.over(policy.itinerary))


def policy_of(category: CategoryFacts) -> Policy:
    """A category's rules, as planning takes them."""
    quiet = None
    if category.quiet_from is not None and category.quiet_until is not None:
        quiet = QuietHours(category.quiet_from, category.quiet_until)
    order = tuple(Channel(name) for name in category.routing_order) or USUAL_ORDER
    return Policy(
        category_id=category.id,
        opt_in=category.consent == Consent.OPT_IN,
        is_critical=category.is_critical,
        name=category.name,
        quiet=quiet,
        quiet_spread=timedelta(minutes=category.quiet_spread),
        itinerary=Itinerary(
            routing=Routing(category.routing),
            order=order,
            seen_within=timedelta(days=category.seen_within_days),
            escalate_after=timedelta(minutes=category.escalate_after),
            reach=Reach(category.reach),
        ),
        caps=tuple(
            CapRule(category_id, Channel(channel) if channel else None, most, timedelta(hours=hours))
            for category_id, channel, most, hours in category.caps
        ),
        when_capped=WhenCapped(category.when_capped),
    )


@dataclass(frozen=True, slots=True)
class _Variables:
    """What the template's text asks for: attributes of the person, and what the caller did not give for all."""

    attributes: tuple[str, ...]
    open_paths: tuple[str, ...]
    stands_alone: bool
    shared: Mapping[str, Any]

    @classmethod
    def of(cls, question: Question) -> "_Variables":
        asked = Asked()
        for channel in question.channels:
            asked |= question.edition.content.asked_on(channel)
        return cls(
            attributes=tuple({path.split(".")[1] for path in asked.mentioned if path.startswith("recipient.")}),
            open_paths=tuple(
                path
                for path in sorted(_required(asked, of_items=bool(question.digest_key)))
                if not knows(question.data, path)
            ),
            stands_alone=bool(question.digest_key) and question.window is None,
            shared=question.data,
        )

    def said_of(self, own: Mapping[str, Any], attributes: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
        """The data for one person alone, attributes included as they are now, and the first variable it lacks.

        The attributes are copied because a delivery must read the same on its tenth attempt as on its first.
        """
        given = own
        if self.attributes:
            own = {**own, "recipient": {name: attributes[name] for name in self.attributes if name in attributes}}
        lacks = next((path for path in self.open_paths if not knows(own, path)), "")
        return {**own, **alone({**self.shared, **given})} if self.stands_alone else own, lacks


def _required(asked: Asked, *, of_items: bool) -> frozenset[str]:
    """What the caller must say: with a digest key also of each item, and nothing of what a digest is given besides."""
    if not of_items:
        return asked.required
    return frozenset(path for path in asked.required if not is_given(path)) | asked.of_items


def unsaid(question: Question) -> list[str]:
    """What the template needs on any channel and the data for all does not hold."""
    asked = question.edition.content.asked
    required = _required(asked, of_items=bool(question.digest_key))
    return [path for path in sorted(required) if not knows(question.data, path)]


def said(question: Question, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data of one person as the template is given it."""
    return {**data, **alone(data)} if question.digest_key else data


def knows(data: Mapping[str, Any], path: str) -> bool:
    """Whether `data` holds something at a dotted path."""
    value: Any = data
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return False
        value = value[name]
    return True


def _aspects(question: Question) -> Aspects:
    return Aspects(question.edition.category.id, with_devices=Channel.PUSH in question.channels)


def _known(addressee: Addressee, row: Known, question: Question, variables: _Variables) -> Person:
    own, lacks = variables.said_of(addressee.data, json.loads(row.attributes) if variables.attributes else {})
    return Person(
        ref=row.external_id,
        recipient_id=row.id,
        email=row.email,
        phone=row.phone,
        locale=addressee.locale or row.locale,
        devices=_devices(row.devices) if row.devices else (),
        choices=_choices(row.choices, question.edition.category.id) if row.choices else {},
        own_data=own,
        lacks=lacks,
        time_zone=row.time_zone,
        country=row.country,
        quiet=quiet_of(row.quiet),
    )


@lru_cache(1024)
def quiet_of(text: str | None) -> QuietHours | None:
    """A person's own quiet hours, as statements give them: "from until"."""
    if text is None:
        return None
    start, end = text.split(" ")
    return QuietHours(time.fromisoformat(start), time.fromisoformat(end))


def _inline(position: int, addressee: Addressee, variables: _Variables) -> Person:
    own, lacks = variables.said_of(addressee.data, {})
    return Person(
        ref=f"recipients[{position}]",
        email=addressee.email,
        phone=addressee.phone,
        locale=addressee.locale,
        own_data=own,
        lacks=lacks,
    )


def _devices(text: str) -> tuple[DeviceFact, ...]:
    return tuple(
        DeviceFact(Id.of(device_id), _QUEUES[platform], datetime.fromtimestamp(float(seen), UTC))
        for device_id, platform, seen in (one.split(" ") for one in text.split(","))
    )


@lru_cache(1024)
def _choices(text: str, category_id: UUID) -> dict[Choice, bool]:
    return {
        (category_id if names_category == "t" else None, Channel(channel) if channel else None): allowed == "1"
        for allowed, names_category, channel in (one.split(" ") for one in text.split(","))
    }


_Addresses = frozenset[tuple[Channel, str]]


def _unwanted(everybody: Sequence[Person], question: Question) -> tuple[_Addresses, _Addresses]:
    """Addresses that nobody may send to, and those whose owners want nothing of this category; in one query."""
    channels = question.channels
    addresses = [person.email for person in everybody if person.email and Channel.EMAIL in channels]
    addresses += [person.phone for person in everybody if person.phone and Channel.SMS in channels]
    if not addresses:
        return frozenset(), frozenset()
    meant = any_of("address", with_traces(addresses))
    standing = Suppression.objects.filter(meant).values_list("channel", "address", Value(False))  # noqa: FBT003 - SQL
    refused = Refusal.objects.filter(meant, category_id=question.edition.category.id)
    found = list(standing.union(refused.values_list("channel", "address", Value(True)), all=True))  # noqa: FBT003 - SQL
    if not found:
        return frozenset(), frozenset()
    whose = owned([row[1] for row in found], addresses)
    return (
        frozenset((Channel(channel), whose[address]) for channel, address, is_refusal in found if not is_refusal),
        frozenset((Channel(channel), whose[address]) for channel, address, is_refusal in found if is_refusal),
    )
