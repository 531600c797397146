"""Web Push: one encrypted request a message to the push service that the browser chose (RFC 8030, 8188, 8291, 8292)."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar, Final

import msgspec

from accounts.channels import Channel
from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    BadAccount,
    ContentBad,
    CredentialBad,
    Exchange,
    Message,
    Outcome,
    Request,
    Response,
    Throttled,
    Token,
    Transient,
    Unsendable,
    Verdict,
)
from notifications.providers.webpush import vapid
from notifications.providers.webpush.encryption import PLAIN_LIMIT, Fresh, Reader, encrypted, fresh, padded
from notifications.vocabulary import Urgency
from templates_app.content import PushText, WebOnly

#: The shortest that one of the big push services keeps a message: firebase.google.com, "Set the lifespan of a message".
LONGEST_STORED: Final = timedelta(days=28)
#: RFC 8030, section 5.4.
_TOPIC: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
#: RFC 8292, section 2.1. Apple refuses a contact with a space, and one at localhost.
_SUBJECT: Final = re.compile(r"mailto:[^\s@<>]+@[^\s@<>]+\.[^\s@<>.]+|https://[^\s/]+\.[^\s/]+(/\S*)?")
#: RFC 8030, section 5.3: what a device on battery still wants to know.
_URGENCIES: Final = {Urgency.CRITICAL: "high", Urgency.NORMAL: "normal", Urgency.BULK: "low"}

#: Mozilla's `errno`: mozilla-services.github.io/autopush-rs/errors.html, read 2026-11.
ERRNOS: Final[Mapping[int, tuple[Verdict, str]]] = {
    101: (ContentBad, "crypto keys are missing"),
    102: (AddressDead, "the endpoint is not valid"),
    103: (AddressDead, "the endpoint has expired"),
    104: (ContentBad, "the body is too large"),
    105: (AddressDead, "the endpoint became unavailable"),
    106: (AddressDead, "the subscription is not valid"),
    # "URL corruption or an unsupported bridge": it may be the endpoint, or may not.
    108: (ContentBad, "the router type is not valid"),
    109: (CredentialBad, "the authentication is not valid"),
    110: (ContentBad, "crypto keys are not valid"),
    111: (ContentBad, "a header is missing"),
    112: (ContentBad, "the TTL is not valid"),
    113: (ContentBad, "the topic is not valid"),
    201: (Transient, "to be tried again, less and less often"),
    202: (Transient, "to be tried again"),
    900: (Transient, "a bridge is not set up well"),
    901: (Transient, "a bridge was refused"),
    902: (Transient, "a bridge could not be connected to"),
    903: (Transient, "a bridge did not answer"),
    999: (Transient, "an error at the push service"),
}

#: Apple's `reason`. The first: developer.apple.com, "Sending web push notifications in web apps and browsers"; the
#: second is seen in answers, and we know of no document that names it.
REASONS: Final[Mapping[str, tuple[Verdict, str]]] = {
    "BadJwtToken": (CredentialBad, "the token's signature, contact, origin or lifetime is wrong"),
    "VapidPkHashMismatch": (CredentialBad, "the subscription was made for another key"),
}

#: RFC 8030, sections 5 to 8.4; RFC 8292, section 4.2; 406: learn.microsoft.com, "Push notification service request and
#: response headers".
STATUSES: Final[Mapping[int, tuple[Verdict, str]]] = {
    400: (ContentBad, "the request is not valid"),
    401: (CredentialBad, "the authentication is missing or wrong"),
    403: (CredentialBad, "the authentication is wrong, or the subscription was made for another key"),
    404: (AddressDead, "there is no such subscription"),
    406: (Throttled, "too many messages"),
    410: (AddressDead, "the subscription has ended"),
    413: (ContentBad, "the body is too large"),
    415: (ContentBad, "the encoding is not known"),
    429: (Throttled, "too many messages"),
}


class Keys(msgspec.Struct, frozen=True, gc=False):
    """A subscription's keys, in base64url."""

    p256dh: str
    auth: str


class Subscription(msgspec.Struct, frozen=True, gc=False):
    """The address of a browser: accounts/subscriptions.py."""

    endpoint: str
    keys: Keys


class Refusal(msgspec.Struct):
    """What push services say of a refusal, where they say something: Mozilla a number, Apple a word."""

    errno: int = 0
    reason: str = ""


_SUBSCRIPTION: Final = msgspec.json.Decoder(Subscription)
_REFUSAL: Final = msgspec.json.Decoder(Refusal)


class WebPush:
    """Web Push with VAPID. `draw` gives each message its key and salt, and is the only thing here that is not fixed."""

    name: ClassVar[str] = "webpush"
    channel: ClassVar[Channel] = Channel.PUSH
    #: None: each subscription names its own.
    default_endpoint: ClassVar[str] = ""
    credentials: ClassVar[Mapping[str, str]] = {
        "vapid_private_key": "the private key of the application server, in PEM or as 43 characters of base64url"
    }
    settings: ClassVar[Mapping[str, str]] = {
        "subject": "whom a push service can ask: mailto:somebody@example.com or https://example.com/contact"
    }

    def __init__(self, draw: Callable[[], Fresh] = fresh) -> None:
        self._draw = draw

    def check(self, account: Account) -> None:
        """Raise `BadAccount` unless the key is one of P-256 and the contact is an address that services believe."""
        account.require(self.credentials, self.settings)
        try:
            vapid.private_key(account.credentials["vapid_private_key"])
        except (ValueError, TypeError) as error:
            raise BadAccount(f"{account.name}: vapid_private_key is not a readable P-256 key: {error}") from None
        if not _SUBJECT.fullmatch(account.settings["subject"]):
            raise BadAccount(f"{account.name}: subject must be mailto: with an address, or https: with a real domain")

    def authorise(self, account: Account, _at: datetime, _exchange: Callable[[Request], Exchange]) -> None:
        """None to share: a token is good for one push service, so `compose` asks for the one that fits (`vapid.py`)."""
        account.require(self.credentials)

    def compose(self, message: Message, account: Account, _token: Token | None) -> Request:
        """An encrypted message to the endpoint of the subscription.

        An account that names an endpoint sends to subscriptions there, and to no others: a test account reaches no
        browser of a person.
        """
        if not isinstance(message.text, PushText):
            raise TypeError("Web Push takes a push text")
        endpoint, reader = _addressed(message.address)
        if account.endpoint and not endpoint.startswith(f"{account.endpoint}/"):
            raise Unsendable(ContentBad("this account sends to subscriptions at its own endpoint only"))
        plain = msgspec.json.encode(_payload(message, message.text))
        if len(plain) > PLAIN_LIMIT:
            raise Unsendable(ContentBad(f"the message has {len(plain)} bytes; browsers take {PLAIN_LIMIT}"))
        headers = {
            "authorization": _authorization(account, endpoint, message.at),
            "content-type": "application/octet-stream",
            "content-encoding": "aes128gcm",
            "ttl": _ttl(message),
            "urgency": _URGENCIES[message.urgency],
        }
        if message.text.collapse_key:
            headers["topic"] = _topic(message.text.collapse_key)
        body = encrypted(plain, reader, self._draw(), pad_to=padded(plain))
        return Request("POST", endpoint, headers, body, public_only=True)

    def interpret(self, response: Response) -> Outcome:
        """Mozilla's number or Apple's word, where there is one that is known; else the status."""
        if 200 <= response.status < 300:
            return Accepted(response.headers.get("location", ""))
        refusal = response.read(_REFUSAL) or Refusal()
        if refusal.errno in ERRNOS and response.status not in (406, 429):
            verdict, sentence = ERRNOS[refusal.errno]
            outcome = verdict(f"{response.status}, errno {refusal.errno}: {sentence}")
        elif refusal.reason in REASONS:
            verdict, sentence = REASONS[refusal.reason]
            outcome = verdict(f"{response.status} {refusal.reason}: {sentence}")
        else:
            verdict, sentence = STATUSES.get(response.status, (Transient, "not in the table of known answers"))
            outcome = verdict(f"{response.status}: {sentence}")
        match outcome:
            case Throttled() | Transient():
                return msgspec.structs.replace(outcome, retry_after=response.retry_after)
            case _:
                return outcome


def _addressed(address: str) -> tuple[str, Reader]:
    """The endpoint of a subscription, and who reads what is sent there."""
    try:
        subscription = _SUBSCRIPTION.decode(address)
        reader = Reader.of(subscription.keys.p256dh, subscription.keys.auth)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Unsendable(AddressDead("not a push subscription")) from None
    if not subscription.endpoint.startswith("https://"):
        raise Unsendable(AddressDead("the endpoint is not an https URL"))
    return subscription.endpoint, reader


def _authorization(account: Account, endpoint: str, at: datetime) -> str:
    account.require(WebPush.credentials, WebPush.settings)
    # RFC 8292, section 2: the origin of the push resource's URL (RFC 6454, section 6.1)
    origin = "/".join(endpoint.split("/", 3)[:3])
    try:
        return vapid.authorization(account.credentials["vapid_private_key"], origin, account.settings["subject"], at)
    except (ValueError, TypeError) as error:
        raise BadAccount(f"{account.name}: vapid_private_key is not a readable P-256 key: {error}") from None


def _payload(message: Message, text: PushText) -> dict[str, Any]:
    """What the site's service worker gets: docs/how-to/receive-web-push.md."""
    said = {"title": text.title, "body": text.body, "image": text.image, "link": text.link, "tag": text.collapse_key}
    payload: dict[str, Any] = {name: value for name, value in said.items() if value}
    if text.badge is not None:
        payload["badge"] = text.badge
    if text.buttons:
        payload["actions"] = [
            {"action": button.id, "title": button.label} | ({"link": button.link} if button.link else {})
            for button in text.buttons
        ]
    if isinstance(text.own, WebOnly) and text.own.require_interaction:
        payload["requireInteraction"] = True
    if message.data:
        payload["data"] = message.data
    payload["delivery_id"] = str(message.delivery_id)
    return payload


def _ttl(message: Message) -> str:
    # 0 means "now or never", and is right for what has no second left.
    return str(int(message.lifetime(LONGEST_STORED).total_seconds()))


def _topic(key: str) -> str:
    # A longer key is not cut: two keys that begin alike would replace each other's messages.
    if _TOPIC.fullmatch(key):
        return key
    return urlsafe_b64encode(sha256(key.encode()).digest())[:32].decode()
