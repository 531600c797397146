"""Apple Push Notification service: one HTTP/2 request a message, authenticated by a signed token."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar, Final
from urllib.parse import quote

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from accounts.channels import Channel
from notifications.providers import pushing
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
    Verdict,
)
from notifications.vocabulary import Urgency
from templates_app.content import IosOnly, PushText

# Apple refuses a token older than an hour (403 ExpiredProviderToken), and one that was renewed more than once in
# 20 minutes (429 TooManyProviderTokenUpdates).
RENEW_AFTER: Final = timedelta(minutes=40)
#: The longest that APNs keeps a message for a device that is off.
LONGEST_STORED: Final = timedelta(days=30)
#: In bytes of UTF-8, "Sending notification requests to APNs".
COLLAPSE_ID_LIMIT: Final = 64

#: developer.apple.com, "Handling notification responses from APNs", read 2026-11.
REASONS: Final[Mapping[str, tuple[Verdict, str]]] = {
    "Unregistered": (AddressDead, "the app was removed from the device"),
    "ExpiredToken": (AddressDead, "the device token has expired"),
    "BadDeviceToken": (AddressDead, "not a token of this environment (production or sandbox), or no token at all"),
    "DeviceTokenNotForTopic": (AddressDead, "the token belongs to another app than the account's topic"),
    "BadCollapseId": (ContentBad, "the collapse id is too long"),
    "BadExpirationDate": (ContentBad, "the expiration is not a date"),
    "BadMessageId": (ContentBad, "the apns-id is not a UUID"),
    "BadPriority": (ContentBad, "the priority is unknown"),
    "BadTopic": (ContentBad, "the topic is malformed"),
    "DuplicateHeaders": (ContentBad, "a header stands twice"),
    "InvalidPushType": (ContentBad, "the push type is unknown"),
    "MissingDeviceToken": (ContentBad, "the device token is missing"),
    "MissingTopic": (ContentBad, "the topic is missing"),
    "PayloadEmpty": (ContentBad, "the payload is empty"),
    "TopicDisallowed": (ContentBad, "pushing to this topic is not allowed"),
    "BadPath": (ContentBad, "the path is wrong"),
    "MethodNotAllowed": (ContentBad, "the method is not POST"),
    "PayloadTooLarge": (ContentBad, "the payload is over 4,096 bytes"),
    "BadCertificate": (CredentialBad, "the certificate is bad"),
    "BadCertificateEnvironment": (CredentialBad, "the certificate is for the other environment"),
    "Forbidden": (CredentialBad, "the action is not allowed"),
    "InvalidProviderToken": (CredentialBad, "key, key id and team id do not belong together"),
    "MissingProviderToken": (CredentialBad, "the authorization is missing"),
    "ExpiredProviderToken": (CredentialBad, "the provider token is stale"),
    "TooManyRequests": (Throttled, "too many messages to this device"),
    "TooManyProviderTokenUpdates": (Throttled, "the provider token is renewed too often"),
    "IdleTimeout": (Transient, "the connection was idle"),
    "InternalServerError": (Transient, "an error at Apple"),
    "ServiceUnavailable": (Transient, "the service is unavailable"),
    "Shutdown": (Transient, "the server is shutting down"),
}

#: As Apple gives them out.
_ID: Final = re.compile(r"[A-Z0-9]{10}")
#: "Set a bundle ID": letters, digits, hyphens and periods; some kinds of push end it with a word of their own.
_TOPIC: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")

#: For an answer whose reason is unknown or unreadable.
STATUSES: Final[Mapping[int, Verdict]] = {403: CredentialBad, 410: AddressDead, 413: ContentBad, 429: Throttled}


class Refusal(msgspec.Struct):
    """The body of every answer but 200. `timestamp`, in ms, comes with 410: when the token was last known dead."""

    reason: str
    timestamp: int | None = None


_REFUSAL: Final = msgspec.json.Decoder(Refusal)


class Apns:
    """APNs provider API (developer.apple.com, "Sending notification requests to APNs")."""

    name: ClassVar[str] = "apns"
    channel: ClassVar[Channel] = Channel.PUSH
    default_endpoint: ClassVar[str] = "https://api.push.apple.com"
    credentials: ClassVar[Mapping[str, str]] = {
        "key_p8": "the authentication key, the text of the .p8 file",
        "key_id": "the key's id, ten characters",
        "team_id": "the team's id, ten characters",
    }
    settings: ClassVar[Mapping[str, str]] = {"topic": "the app's bundle id, such as com.example.app"}

    def check(self, account: Account) -> None:
        """Raise `BadAccount` unless the key is an EC key on P-256 and nothing is missing."""
        account.require(self.credentials, self.settings)
        for name in ("key_id", "team_id"):
            if not _ID.fullmatch(account.credentials[name]):
                raise BadAccount(f"{account.name}: {name} is {self.credentials[name]}, in capitals")
        topic = account.settings["topic"]
        if not _TOPIC.fullmatch(topic):
            raise BadAccount(f"{account.name}: topic is {self.settings['topic']}")
        if topic.startswith(f"{account.credentials['team_id']}."):
            raise BadAccount(f"{account.name}: topic is the bundle id alone, without the team's id before it")
        _private_key(account)

    def authorise(self, account: Account, at: datetime, _exchange: Callable[[Request], Exchange]) -> Token:
        """A provider token, signed here; Apple is not asked."""
        account.require(self.credentials)
        claims = {"iss": account.credentials["team_id"], "iat": int(at.timestamp())}
        headers = {"kid": account.credentials["key_id"]}
        value = jwt.encode(claims, _private_key(account), algorithm="ES256", headers=headers)
        return Token(value, renew_at=at + RENEW_AFTER)

    def compose(self, message: Message, account: Account, token: Token | None) -> Request:
        """An alert; `apns-id` is the delivery's id, so that Apple's logs can be searched by it."""
        text = message.text
        if token is None or not isinstance(text, PushText):
            raise TypeError("APNs takes a push text and a token")
        headers = {
            "authorization": f"bearer {token.value}",
            "content-type": "application/json",
            "apns-topic": account.settings.get("topic", ""),
            "apns-push-type": "alert",
            "apns-id": str(message.delivery_id),
            # 5 lets the device wait for a moment that saves its battery.
            "apns-priority": "5" if message.urgency is Urgency.BULK else "10",
            "apns-expiration": _expiration(message),
        }
        if text.collapse_key:
            headers["apns-collapse-id"] = _collapse_id(text.collapse_key)
        url = f"{account.endpoint}/3/device/{quote(message.address, safe='')}"
        return Request("POST", url, headers, msgspec.json.encode(_payload(text, message.data)))

    def interpret(self, response: Response) -> Outcome:
        """Apple names the reason in the body; the status is a second best."""
        if response.status == 200:
            return Accepted(response.headers.get("apns-id", ""))
        refusal, reason = response.read(_REFUSAL), reason_of(response)
        if reason in REASONS:
            verdict, sentence = REASONS[reason]
            outcome = verdict(f"{reason}: {sentence}")
        else:
            outcome = STATUSES.get(response.status, Transient)(
                f"APNs answered {response.status} {reason[:40]}".rstrip()
            )
        match outcome:
            case AddressDead() if refusal and refusal.timestamp is not None:
                return msgspec.structs.replace(outcome, since=_instant(refusal.timestamp))
            case CredentialBad() if reason == "ExpiredProviderToken":
                return msgspec.structs.replace(outcome, stale_token=True)
            case Throttled() | Transient():
                return msgspec.structs.replace(outcome, retry_after=response.retry_after)
            case _:
                return outcome


def reason_of(response: Response) -> str:
    """Apple's own word for why a request was refused; empty where the answer has none."""
    refusal = response.read(_REFUSAL)
    return refusal.reason if refusal else ""


def _private_key(account: Account) -> EllipticCurvePrivateKey:
    written = account.credentials["key_p8"]
    try:
        key = load_pem_private_key(written.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadAccount(f"{account.name}: key_p8 is {_instead_of_key(written)}; paste the whole .p8 file") from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise BadAccount(f"{account.name}: key_p8 is a key of another kind; Apple's .p8 files hold a P-256 key")
    if not isinstance(key.curve, SECP256R1):
        raise BadAccount(f"{account.name}: key_p8 is a key on {key.curve.name}; Apple's .p8 files hold a P-256 key")
    return key


def _instead_of_key(written: str) -> str:
    """What stands in the place of a private key."""
    kinds = {
        "CERTIFICATE": "a certificate, not a key",
        "PUBLIC KEY": "a public key, not the private one",
        "ENCRYPTED": "an encrypted key, which Apple's are not",
    }
    return next((words for mark, words in kinds.items() if mark in written), "not a readable key")


def _expiration(message: Message) -> str:
    lifetime = message.lifetime(LONGEST_STORED)
    if isinstance(message.text, PushText) and message.text.ttl == 0:
        return "0"  # now or never: Apple does not keep the message for a device that is off
    return str(int((message.at + lifetime).timestamp()))


def _collapse_id(key: str) -> str:
    # A longer key is not cut: two keys that begin alike would replace each other's messages.
    if key.isascii() and key.isprintable() and len(key) <= COLLAPSE_ID_LIMIT:
        return key
    return sha256(key.encode()).hexdigest()


def _payload(text: PushText, data: Mapping[str, str]) -> dict[str, Any]:
    aps: dict[str, Any] = {"alert": {"title": text.title, "body": text.body}}
    if text.sound:
        aps["sound"] = text.sound
    if text.collapse_key:
        aps["thread-id"] = text.collapse_key
    if text.badge is not None:
        aps["badge"] = text.badge
    payload: dict[str, Any] = {**data, "aps": aps}
    if text.link:
        payload["link"] = text.link
    if text.image:
        # Wakes the app's service extension, which fetches the picture.
        aps["mutable-content"] = 1
        payload["image"] = text.image
    if text.buttons:
        # iOS shows the buttons of a category that the app has registered; its service extension may make one of these.
        aps |= {"mutable-content": 1, "category": ".".join(button.id for button in text.buttons)}
        payload["buttons"] = pushing.buttons(text)
    if isinstance(text.own, IosOnly):
        _add_own(aps, text.own)
    return payload


def _add_own(aps: dict[str, Any], own: IosOnly) -> None:
    if own.subtitle:
        aps["alert"]["subtitle"] = own.subtitle
    named = {
        "interruption-level": own.interruption_level,
        "thread-id": own.thread_id,
        "category": own.category,
    }
    aps |= {name: value for name, value in named.items() if value}


def _instant(milliseconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None
