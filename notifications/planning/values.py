"""What goes into planning and what comes out: plain values, so that every rule can be tried on paper."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec

from accounts.channels import Channel
from accounts.policies import USUAL_ORDER, Reach, Routing, WhenCapped
from notifications.planning.prices import FREE, Tariff
from notifications.vocabulary import Queue, Reason


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A span of the day, by the clock on the wall, in which messages wait; it may reach over midnight."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class CapRule:
    """At most `most` messages to one person in any span of `window`.

    `category_id` None counts messages of every category together, `channel` None those of all channels.
    """

    category_id: UUID | None
    channel: Channel | None
    most: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Itinerary:
    """Which channels a message takes, in which order, where it does not take all. `reach`: to how many devices."""

    routing: Routing = Routing.ALL
    order: tuple[Channel, ...] = USUAL_ORDER
    seen_within: timedelta = timedelta(days=30)
    escalate_after: timedelta = timedelta(minutes=10)
    reach: Reach = Reach.ALL


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of an itinerary; None where they leave it to whoever decides otherwise."""

    routing: Routing | None = None
    order: tuple[Channel, ...] | None = None
    seen_within: timedelta | None = None
    escalate_after: timedelta | None = None
    reach: Reach | None = None

    def over(self, usual: Itinerary) -> Itinerary:
        """The itinerary that results."""
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(usual, **{name: value for name, value in said.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Policy:
    """What a category says about all of its messages. `opt_in`: silence means no. `name` is for explanations.

    `quiet_spread`: over how long a time what waited for the end of quiet hours goes out.
    """

    category_id: UUID
    opt_in: bool
    is_critical: bool
    name: str = ""
    quiet: QuietHours | None = None
    quiet_spread: timedelta = timedelta(minutes=15)
    itinerary: Itinerary = Itinerary()
    caps: tuple[CapRule, ...] = ()
    when_capped: WhenCapped = WhenCapped.DROP


class DeviceFact(msgspec.Struct, frozen=True, gc=False):
    """A device that could be reached, the queue in which its deliveries wait, and when its app was heard of last."""

    id: UUID
    queue: Queue
    seen_at: datetime | None = None


#: What a choice is about: a category and a channel, either of which may be "all" (None).
Choice = tuple[UUID | None, Channel | None]


class Person(msgspec.Struct, frozen=True, gc=False):
    """All that planning may know about one addressee.

    `ref` is what the caller called them; `recipient_id` is None for contacts given inline. `own_data` is what the
    caller says about this person alone; `choices` holds the preferences that were made, and nothing where none was.
    `lacks` names a variable of the template that nobody knows for this person. `time_zone` (IANA) and `country` are
    empty where they are unknown; `quiet` are the person's own quiet hours.
    """

    ref: str
    recipient_id: UUID | None = None
    email: str = ""
    phone: str = ""
    locale: str = ""
    devices: tuple[DeviceFact, ...] = ()
    choices: Mapping[Choice, bool] = msgspec.field(default_factory=dict)
    own_data: Mapping[str, Any] = msgspec.field(default_factory=dict)
    lacks: str = ""
    time_zone: str = ""
    country: str = ""
    quiet: QuietHours | None = None

    @property
    def who(self) -> str:
        """By what somebody is known where they are counted or gathered for: their id, or the addresses of a contact."""
        return str(self.recipient_id) if self.recipient_id else f"{self.email} {self.phone}"


class Window(msgspec.Struct, frozen=True, gc=False):
    """Messages of one key are gathered for so long, and sent as one."""

    key: str
    length: timedelta


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a plan follows from, besides the time.

    `locale_for` names the locale in which a person who wants `locale` is addressed on a channel, or None where
    the template says nothing there. `suppressed` holds the (channel, address) pairs that nobody may send to; `refused`
    those whose owners want nothing of this category. `usual_zone` is the time zone of people of whom neither zone nor
    country is known; `tariff` what messages cost. `digest`: where what would be sent is gathered instead.
    """

    policy: Policy
    channels: tuple[Channel, ...]
    people: tuple[Person, ...]
    suppressed: frozenset[tuple[Channel, str]]
    locale_for: Callable[[Channel, str], str | None]
    send_at: datetime | None = None
    expires_at: datetime | None = None
    usual_zone: str = "Asia/Seoul"
    tariff: Tariff = FREE
    refused: frozenset[tuple[Channel, str]] = frozenset()
    digest: Window | None = None


@dataclass(frozen=True, slots=True)
class Criteria:
    """Who belongs to an audience: everybody, or those who meet all of these. Empty ones ask for nothing."""

    country: str = ""
    locale: str = ""
    external_id_prefix: str = ""


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """One person on one channel, before anything is decided."""

    person: Person
    channel: Channel
    locale: str | None


class Target(msgspec.Struct, frozen=True, gc=False):
    """One address a message goes to: a device, or a phone number or email address."""

    queue: Queue
    device_id: UUID | None = None
    address: str = ""


class Drop(msgspec.Struct, frozen=True, gc=False):
    """It is not sent."""

    reason: Reason
    detail: str = ""


class Hold(msgspec.Struct, frozen=True, gc=False):
    """It waits. `rule` is the rule's name; `detail` what an admin reads beside it in the timeline."""

    until: datetime
    rule: str
    detail: str = ""


class Send(msgspec.Struct, frozen=True, gc=False):
    """It goes out to these addresses, now or when `hold` ends."""

    targets: tuple[Target, ...]
    locale: str
    hold: Hold | None = None


class Later(msgspec.Struct, frozen=True, gc=False):
    """It goes out only if nothing is heard of the channel `after` by then; everything is decided again at that time.

    `tried` are deliveries by channels before that one.
    """

    until: datetime
    after: Channel
    itinerary: Itinerary
    tried: tuple[UUID, ...] = ()


class Gather(msgspec.Struct, frozen=True, gc=False):
    """It goes into a digest, for which all is decided anew at `until`. `digest_id` is known once it is written."""

    until: datetime
    key: str
    digest_id: UUID | None = None

    @property
    def in_words(self) -> str:
        """What an admin reads beside the reason."""
        return f"{self.key}, due {self.until:%Y-%m-%d %H:%M:%S %Z}"


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What becomes of one candidate."""

    candidate: Candidate
    verdict: Send | Drop | Later | Gather


@dataclass(frozen=True, slots=True)
class Plan:
    """Every person on every channel asked for, exactly once each, in the order asked."""

    decisions: tuple[Decision, ...]

    @property
    def planned(self) -> int:
        """How many deliveries will be sent."""
        return sum(len(d.verdict.targets) for d in self.decisions if isinstance(d.verdict, Send))

    @property
    def suppressed(self) -> int:
        """How many person-channel pairs get nothing."""
        return sum(isinstance(d.verdict, Drop) for d in self.decisions)

    @property
    def gathers(self) -> bool:
        """Whether anything goes into a digest."""
        return any(isinstance(d.verdict, Gather) for d in self.decisions)


Rule = Callable[[Candidate, Facts, datetime], Drop | None]
