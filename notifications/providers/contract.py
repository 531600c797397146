"""All that the author of a provider must read.

A provider is a folder with pure functions and a few facts: it turns a message into a request and a
response into an outcome, and a webhook into receipts. It opens no socket, reads no clock, touches no
database. The engine acts on the class of an outcome alone.

What is made for every single delivery is a msgspec struct: a value like any frozen dataclass, made in a tenth of the
time. Where it holds an address or a secret, its representation says neither.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from math import inf
from typing import ClassVar, Protocol, TypeVar
from uuid import UUID

import msgspec

from accounts.channels import Channel
from accounts.replies import Reply
from notifications.vocabulary import ReceiptKind, Urgency
from templates_app.content import PushText, Text

Shape = TypeVar("Shape")


# --- what goes in ----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Account:
    """A provider account as plain values. `endpoint` is scheme, host and port, without a final slash."""

    name: str
    endpoint: str
    credentials: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """A name that changes with the endpoint and the credentials, for what is kept from one use to the next."""
        whole = json.dumps([self.endpoint, dict(self.credentials)], sort_keys=True)
        return f"{self.name}:{sha256(whole.encode()).hexdigest()[:16]}"

    def require(self, credentials: Iterable[str] = (), settings: Iterable[str] = ()) -> None:
        """Raise `BadAccount` that names everything of these that the account lacks."""
        lacking = [f"credential {name}" for name in credentials if not self.credentials.get(name)]
        lacking += [f"setting {name}" for name in settings if not self.settings.get(name)]
        if lacking:
            raise BadAccount(f"{self.name} lacks {', '.join(lacking)}")


class Message(msgspec.Struct, frozen=True, gc=False):
    """One rendered message to one address, ready to be put into a provider's words.

    `at` is now; a lifetime is `expires_at - at`. `callback_url` is where receipts for this delivery go.
    `data` travels with a push to the app. `address` is a token, an E.164 number or an email address. `number` is the
    same in every attempt: the provider takes a message under it once; empty where it hands out none. `headers` are an
    email's own, in ASCII, besides those that every email has.
    """

    delivery_id: UUID
    address: str
    text: Text
    urgency: Urgency
    at: datetime
    expires_at: datetime | None = None
    callback_url: str = ""
    data: Mapping[str, str] = msgspec.field(default_factory=dict)
    number: str = ""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)

    def lifetime(self, longest: timedelta) -> timedelta:
        """For how long it is worth keeping: until it expires, or its text's own time is up, and `longest` at most."""
        left = min(self.expires_at - self.at, longest) if self.expires_at else longest
        if isinstance(self.text, PushText) and self.text.ttl is not None:
            left = min(left, timedelta(seconds=self.text.ttl))
        return max(left, timedelta(0))

    def __repr__(self) -> str:
        return f"Message({self.delivery_id})"


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token that several requests share, and the moment from which a new one is needed."""

    value: str = field(repr=False)
    renew_at: datetime


# --- what goes over the wire -----------------------------------------------------------------------
class Crowd(msgspec.Struct, frozen=True, gc=False):
    """Requests of which at most `at_once` may be under way together; those with the same `name` are one crowd."""

    name: str
    at_once: int


class Request(msgspec.Struct, frozen=True, gc=False):
    """One HTTP request. Header names are lower case. `timeout` is in seconds, for all of the exchange; None: as long as
    the wire gives everybody.

    `public_only`: where somebody else chose the host, the request goes to addresses on the internet alone, never into a
    private network.

    The engine sets two more: `crowd`, because an account may be limited to so many requests at once, and `start_by`, a
    moment of the monotonic clock after which it must not begin: it could outlast the lease under which it is sent.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    timeout: float | None = None
    crowd: Crowd | None = None
    start_by: float = inf
    public_only: bool = False

    def __repr__(self) -> str:
        return f"Request({self.method}, {len(self.body)} bytes)"


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """One mail transaction with one recipient (RFC 5321, section 3.3).

    `url` is `smtp://host:port`, where TLS is begun by STARTTLS or nothing is sent, or `smtps://host:port`, which is TLS
    from the first byte. Without a `username` nobody logs in; without a `recipient` nothing is sent, and the server only
    asked whether it takes mail from this sender. `hello` is the name by which we greet. `content` is the
    message as RFC 5322 wants it, with CRLF, its dots as they are. `timeout`, `crowd` and `start_by` are a request's.

    What answers it is a `Response`: the reply's code as the status, its lines as the body, and a header `command`, to
    which it replies: `connect`, `ehlo`, `starttls`, `auth`, `rset`, `mail`, `rcpt`, `data`, or `.` for the message.
    """

    url: str
    hello: str
    username: str
    password: str
    sender: str
    recipient: str
    content: bytes
    timeout: float | None = None
    crowd: Crowd | None = None
    start_by: float = inf

    def __repr__(self) -> str:
        return f"Envelope({len(self.content)} bytes)"


#: What a provider composes, and the wire carries.
Outgoing = Request | Envelope


class Response(msgspec.Struct, frozen=True, gc=False):
    """The answer to a request. Header names are lower case; `elapsed` is in seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: float = 0.0

    def read(self, decoder: msgspec.json.Decoder[Shape]) -> Shape | None:
        """The body as `decoder` shapes it; None where it is something else, such as a proxy's error page."""
        return read(self.body, decoder)

    @property
    def retry_after(self) -> float | None:
        """The seconds that `Retry-After` asks for (RFC 9110, section 10.2.3), counted from the answer's own `Date`."""
        value = self.headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit():
            return float(value[:6])
        try:
            until, answered = parsedate_to_datetime(value), parsedate_to_datetime(self.headers.get("date", ""))
            return max(0.0, (until - answered).total_seconds())
        except (TypeError, ValueError):  # no date, or one with a time zone and one without
            return None


def read(body: bytes, decoder: msgspec.json.Decoder[Shape]) -> Shape | None:
    """Foreign JSON as `decoder` shapes it, or None: it may be cut, huge, nested a thousand deep, or not JSON at all."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


class NotSent(msgspec.Struct, frozen=True, gc=False):
    """The request never left: no connection, or the server refused the stream unprocessed. Safe to repeat."""

    detail: str
    elapsed: float = 0.0


class NoAnswer(msgspec.Struct, frozen=True, gc=False):
    """The request, or a part of it, left and no answer came: the provider may have acted on it."""

    detail: str
    elapsed: float = 0.0


class Forbidden(msgspec.Struct, frozen=True, gc=False):
    """The address leads to where requests that are `public_only` do not go. Nothing left."""

    detail: str
    elapsed: float = 0.0


Exchange = Response | NotSent | NoAnswer | Forbidden


# --- what comes out --------------------------------------------------------------------------------
class Accepted(msgspec.Struct, frozen=True, gc=False):
    """The provider took it. `provider_ref` is its own id for the message."""

    provider_ref: str = ""


class AddressDead(msgspec.Struct, frozen=True, gc=False):
    """The address itself is dead. `since`: when the provider last knew that; a later registration revives it."""

    detail: str
    since: datetime | None = None


class OptedOut(msgspec.Struct, frozen=True, gc=False):
    """The provider knows that this person opted out."""

    detail: str


class ContentBad(msgspec.Struct, frozen=True, gc=False):
    """The message is at fault, never the address."""

    detail: str


class CredentialBad(msgspec.Struct, frozen=True, gc=False):
    """Our credentials or our set-up are at fault; nothing this account sends will pass.

    `stale_token` asks for one fresh token before that conclusion is drawn.
    """

    detail: str
    stale_token: bool = False


class NoFunds(msgspec.Struct, frozen=True, gc=False):
    """The account's balance or quota is used up."""

    detail: str


class Throttled(msgspec.Struct, frozen=True, gc=False):
    """Too fast. `retry_after` in seconds, where the provider says."""

    detail: str
    retry_after: float | None = None


class Transient(msgspec.Struct, frozen=True, gc=False):
    """A passing failure of the provider or the way to it. `stale_number` asks for another number next time."""

    detail: str
    retry_after: float | None = None
    stale_number: bool = False


class Ambiguous(msgspec.Struct, frozen=True, gc=False):
    """Nobody can say whether the provider acted on it."""

    detail: str


#: What a provider says when it does not take a message. Each has a `detail`, fit for a log.
Refused = AddressDead | OptedOut | ContentBad | CredentialBad | NoFunds | Throttled | Transient

Outcome = Accepted | Refused | Ambiguous | Forbidden

#: One of those classes, for which a detail is enough: what the code tables of the providers hold.
Verdict = Callable[[str], Refused]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Late news of one delivery. `event_ref` is the provider's id of this very piece of news, for deduplication."""

    delivery_id: UUID
    kind: ReceiptKind
    at: datetime
    detail: str = ""
    event_ref: str = ""


@dataclass(frozen=True, slots=True)
class Callback:
    """A webhook call as it came in: the exact URL, lower-case headers, the raw body."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime


class Forged(Exception):
    """The signature of a callback does not fit, or its timestamp is too old. Answer 403 and keep nothing."""


class BadAccount(Exception):
    """The account's credentials or settings cannot be used; the message says which and what would be right."""


class Unsendable(Exception):
    """No request can carry this message to this address: `outcome` is what the provider would say if it were asked."""

    def __init__(self, outcome: AddressDead | ContentBad) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


class TokenUnavailable(BadAccount):
    """The account cannot be used just now: the service that trades its key for a token failed in passing."""


# --- what a provider is ----------------------------------------------------------------------------
class Provider(Protocol):
    """The facts and functions of one outside service."""

    name: ClassVar[str]
    channel: ClassVar[Channel]
    default_endpoint: ClassVar[str]
    #: Names of the credentials an account must hold; the value says what each is, for forms and errors.
    credentials: ClassVar[Mapping[str, str]]
    #: Likewise for the settings that are not secret.
    settings: ClassVar[Mapping[str, str]]

    def check(self, account: Account) -> None:
        """Raise `BadAccount` when the account cannot possibly work (an unreadable key, a missing setting)."""

    def authorise(self, account: Account, at: datetime, exchange: Callable[[Request], Exchange]) -> Token | None:
        """A token to share between requests; None where the credentials themselves go with each request.

        `exchange` performs one request through the wire, for services that trade a key for a token.
        Raises `BadAccount` when no token can be had with these credentials.
        """

    def compose(self, message: Message, account: Account, token: Token | None) -> Outgoing:
        """The request, or the envelope, that sends `message`.

        Raises `Unsendable` for one that cannot be sent, `BadAccount` likewise.
        """

    def interpret(self, response: Response) -> Outcome:
        """What an answer means. An unknown answer is `Transient`, with the status and code in its detail."""


class ReceiptReader(Protocol):
    """What a provider that calls back has besides: `receipts.py`."""

    def verify(self, callback: Callback, account: Account) -> None:
        """Raise `Forged` unless the callback was signed with this account's key."""

    def parse(self, callback: Callback) -> Sequence[Receipt | Reply]:
        """The receipts in a callback, or the keyword that a person sent; what is not ours or not known is left out."""


class NumberSource(Protocol):
    """What a provider has besides that hands out numbers under each of which it takes one message: `numbers.py`.

    A delivery keeps its number through all attempts. So a request whose answer was lost can be repeated: the provider
    answers as it did the first time, and the person gets the message once.
    """

    #: For how long a number is certain to be known, from the moment it was handed out.
    lifetime: ClassVar[timedelta]
    #: How many to ask for at least: those that are left over serve the next claim.
    handful: ClassVar[int]

    def ask(self, account: Account, count: int) -> Request:
        """The request for `count` numbers, or for as many as may be asked for together."""

    def read(self, response: Response) -> Sequence[str] | Refused:
        """The numbers in the answer, at least one; or why there are none."""
