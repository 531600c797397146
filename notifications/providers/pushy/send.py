"""Pushy (pushy.me): Android phones without Google's services, over a connection of its own."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar, Final
from urllib.parse import quote

import msgspec

from accounts.channels import Channel
from notifications.providers import pushing
from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    Ambiguous,
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
from templates_app.content import PushText

#: `time_to_live` of the Send Notifications API. Never 0, which might count as absent: 30 days.
SHORTEST_STORED: Final = timedelta(seconds=1)
LONGEST_STORED: Final = timedelta(days=365)
#: Characters of a `collapse_key`.
COLLAPSE_KEY_LIMIT: Final = 32
#: In seconds: the limit is counted by the minute, and Pushy does not say when the next one begins.
THROTTLED_WAIT: Final = 60.0

#: "API Error Reference" of pushy.me/docs/api and its Send Notifications API, by way of clients that list them: see the
#: README. Read 2026-11.
CODES: Final[Mapping[str, tuple[Verdict, str]]] = {
    # The request names one device: it is unknown, was deleted, or belongs to another app.
    "NO_RECIPIENTS": (AddressDead, "no such device in this app"),
    "NO_APNS_AUTH": (CredentialBad, "the app has no key for APNs, and the device is an iPhone"),
    "PAYLOAD_LIMIT_EXCEEDED": (ContentBad, "more than 4 KB"),
    "INVALID_PARAM": (ContentBad, "a parameter is missing or has a value that is not allowed"),
    "INVALID_API_KEY": (CredentialBad, "the secret API key is none of an app's"),
    "AUTH_LIMIT_EXCEEDED": (CredentialBad, "too many requests with a wrong key"),
    "ACCOUNT_SUSPENDED": (CredentialBad, "the account is suspended"),
    "RATE_LIMIT_EXCEEDED": (Throttled, "more requests than the account may make"),
    "INTERNAL_SERVER_ERROR": (Transient, "an error inside Pushy"),
}

#: For an answer without a code that is known.
HTTP_STATUSES: Final[Mapping[int, Verdict]] = {
    401: CredentialBad,
    403: CredentialBad,
    404: CredentialBad,
    413: ContentBad,
    429: Throttled,
}

_API_KEY: Final = re.compile(r"[0-9A-Za-z]{16,128}")


class Info(msgspec.Struct):
    """Which of the tokens are none of the app's."""

    failed: list[str] = []


class Answer(msgspec.Struct):
    """What Pushy says: an id, or a code and a sentence."""

    success: bool = False
    id: str = ""
    code: str = ""
    error: str = ""
    info: Info = msgspec.field(default_factory=Info)


_ANSWER: Final = msgspec.json.Decoder(Answer)


class Pushy:
    """Pushy's Send Notifications API (pushy.me/docs/api/send-notifications)."""

    name: ClassVar[str] = "pushy"
    channel: ClassVar[Channel] = Channel.PUSH
    default_endpoint: ClassVar[str] = "https://api.pushy.me"
    credentials: ClassVar[Mapping[str, str]] = {
        "api_key": "the app's Secret API Key, letters and digits",
    }
    settings: ClassVar[Mapping[str, str]] = {}

    def check(self, account: Account) -> None:
        """Raise `BadAccount` when the key is missing or does not look like one."""
        account.require(self.credentials)
        if not _API_KEY.fullmatch(account.credentials["api_key"]):
            raise BadAccount(f"{account.name}: api_key is {self.credentials['api_key']}")

    def authorise(self, _account: Account, _at: datetime, _exchange: Callable[[Request], Exchange]) -> None:
        """No token: the key goes with each request."""

    def compose(self, message: Message, account: Account, _token: Token | None) -> Request:
        """Data for one device, of which the app makes a notification: Pushy itself shows nothing on Android."""
        text = message.text
        if not isinstance(text, PushText):
            raise TypeError("Pushy takes a push text")
        push: dict[str, Any] = {"to": message.address, "data": _data(message, text)}
        if message.expires_at or text.ttl is not None:
            lifetime = max(message.lifetime(LONGEST_STORED), SHORTEST_STORED)
            push["time_to_live"] = int(lifetime.total_seconds())
        if text.collapse_key:
            push["collapse_key"] = _collapse_key(text.collapse_key)
        # The only place that Pushy has for it: nothing may write a request's address anywhere.
        url = f"{account.endpoint}/push?api_key={quote(account.credentials.get('api_key', ''), safe='')}"
        return Request("POST", url, {"content-type": "application/json"}, msgspec.json.encode(push))

    def interpret(self, response: Response) -> Outcome:
        """The code decides, then the HTTP status; a token may also be called unknown in an answer of success."""
        answer = response.read(_ANSWER) or Answer()
        if response.status == 200 and not (answer.code or answer.error):
            if answer.info.failed:
                verdict, sentence = CODES["NO_RECIPIENTS"]
                return verdict(f"failed: {sentence}")
            if answer.success and answer.id:
                return Accepted(answer.id)
            return Ambiguous("Pushy answered 200, and nothing readable that says whether it took the message")
        if answer.code in CODES:
            verdict, sentence = CODES[answer.code]
            outcome = verdict(f"{answer.code}: {sentence}")
        else:
            detail = f"Pushy answered HTTP {response.status} {answer.code[:40]}".rstrip()
            outcome = HTTP_STATUSES.get(response.status, Transient)(detail)
        match outcome:
            case Throttled():
                return msgspec.structs.replace(outcome, retry_after=response.retry_after or THROTTLED_WAIT)
            case Transient():
                return msgspec.structs.replace(outcome, retry_after=response.retry_after)
            case _:
                return outcome


def _data(message: Message, text: PushText) -> Mapping[str, str]:
    """`title` and `message` are the names that Pushy's own example of an Android app reads."""
    data = {**message.data, "title": text.title, "message": text.body}
    own = pushing.android(text)
    said = {
        "image": text.image,
        "sound": text.sound,
        "badge": "" if text.badge is None else str(text.badge),
        "channel_id": own.channel_id,
        "priority": own.priority,
        "icon": own.icon,
        "color": own.color,
    }
    data |= {name: value for name, value in said.items() if value}
    return {**data, **pushing.extras(text), "bongsu_delivery_id": str(message.delivery_id)}


def _collapse_key(key: str) -> str:
    # A longer key is not cut: two keys that begin alike would discard each other's messages.
    return key if len(key) <= COLLAPSE_KEY_LIMIT else sha256(key.encode()).hexdigest()[:COLLAPSE_KEY_LIMIT]
