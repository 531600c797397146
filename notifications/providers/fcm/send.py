"""Firebase Cloud Messaging, HTTP v1: pyfcm composes the body, google-auth trades the key for a token."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar, Final
from urllib.parse import quote

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.auth.exceptions import GoogleAuthError
from google.oauth2 import service_account
from pyfcm.baseapi import BaseAPI

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
    TokenUnavailable,
    Transient,
    Verdict,
    read,
)
from notifications.providers.fcm.key_file import KEY_FILE, instead_of
from notifications.vocabulary import Urgency
from templates_app.content import PushText

SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
#: A token lives an hour; renewed this much earlier, it outlives every request that carries it.
RENEW_BEFORE: Final = timedelta(minutes=5)
#: firebase.google.com, "Set and manage message priority and lifespan": at most four weeks.
LONGEST_STORED: Final = timedelta(days=28)
#: Where FCM asks for patience without saying how much: "wait at least a minute", "Scale FCM".
QUOTA_WAIT: Final = 60.0

#: firebase.google.com, "ErrorCode", read 2026-11. INVALID_ARGUMENT is decided by what it complains about.
CODES: Final[Mapping[str, tuple[Verdict, str]]] = {
    "UNREGISTERED": (AddressDead, "the app was removed, or the token was replaced"),
    "SENDER_ID_MISMATCH": (AddressDead, "the token belongs to another Firebase project"),
    "QUOTA_EXCEEDED": (Throttled, "too many messages for the project, the device or the topic"),
    "RESOURCE_EXHAUSTED": (Throttled, "too many messages for the project, the device or the topic"),
    "UNAVAILABLE": (Transient, "the service is overloaded"),
    "INTERNAL": (Transient, "an error at Google"),
    "THIRD_PARTY_AUTH_ERROR": (CredentialBad, "Firebase holds no valid APNs or web push key for this app"),
    "UNAUTHENTICATED": (CredentialBad, "the access token is missing, wrong or expired"),
    "PERMISSION_DENIED": (CredentialBad, "the service account may not send for this project"),
    "UNSPECIFIED_ERROR": (Transient, "Google does not say what happened"),
}

#: For an answer without a known code. 404 without one is a wrong project, not a dead token.
STATUSES: Final[Mapping[int, Verdict]] = {
    401: CredentialBad, 403: CredentialBad, 404: CredentialBad, 413: ContentBad, 429: Throttled,
}  # fmt: skip


class Violation(msgspec.Struct):
    """One field that Google refuses."""

    field: str = ""


class Detail(msgspec.Struct, rename="camel"):
    """One of several kinds of detail: `error_code` comes with FcmError, `field_violations` with BadRequest."""

    error_code: str = ""
    field_violations: list[Violation] = []


class Failure(msgspec.Struct):
    """What went wrong; `status` is Google's general word for it."""

    message: str = ""
    status: str = ""
    details: list[Detail] = []


class Answer(msgspec.Struct):
    """Either the message's name or what went wrong."""

    name: str = ""
    error: Failure | None = None


_ANSWER: Final = msgspec.json.Decoder(Answer)


class Fcm:
    """FCM HTTP v1 (firebase.google.com, "projects.messages")."""

    name: ClassVar[str] = "fcm"
    channel: ClassVar[Channel] = Channel.PUSH
    default_endpoint: ClassVar[str] = "https://fcm.googleapis.com"
    credentials: ClassVar[Mapping[str, str]] = {
        "service_account": "the service account's key, the text of the JSON file",
    }
    settings: ClassVar[Mapping[str, str]] = {
        "android_channel": "optional: the notification channel of the app, for its sound and importance",
    }

    def check(self, account: Account) -> None:
        """Raise `BadAccount` unless the service account is complete and its key readable."""
        _composer(account)

    def authorise(self, account: Account, at: datetime, exchange: Callable[[Request], Exchange]) -> Token:
        """An access token for an hour, from the token service that the service account names."""
        credentials = _composer(account).credentials
        token_service = _TokenService(exchange)
        try:
            credentials.refresh(token_service)
        except GoogleAuthError as error:
            said = str(error.args[0] if error.args else error)[:200]
            raise BadAccount(
                f"{account.name}: no access token for this service account; Google says: {said}"
            ) from error
        return Token(credentials.token, renew_at=at + max(timedelta(0), token_service.lifetime - RENEW_BEFORE))

    def compose(self, message: Message, account: Account, token: Token | None) -> Request:
        """A notification message; the app finds `bongsu_delivery_id` and `link` among its data."""
        text = message.text
        if token is None or not isinstance(text, PushText):
            raise TypeError("FCM takes a push text and a token")
        composer = _composer(account)
        data = {**message.data, **pushing.extras(text), "bongsu_delivery_id": str(message.delivery_id)}
        body: bytes = composer.parse_payload(
            fcm_token=message.address,
            notification_title=text.title,
            notification_body=text.body,
            notification_image=text.image,
            data_payload=data,
            android_config=_android(message, text, account.settings.get("android_channel", "")),
        )
        headers = {"authorization": f"Bearer {token.value}", "content-type": "application/json"}
        return Request("POST", _url(account, composer), headers, body)

    def interpret(self, response: Response) -> Outcome:
        """FCM's own code decides, then Google's general status, then the HTTP status."""
        answer = response.read(_ANSWER) or Answer()
        if response.status == 200:
            # projects/<the account's>/messages/<what tells it from others>
            return Accepted(answer.name.rpartition("/")[2])
        failure = answer.error or Failure()
        code = next((detail.error_code for detail in failure.details if detail.error_code), "")
        if "INVALID_ARGUMENT" in (code, failure.status):
            return _invalid_argument(failure)
        known = next((word for word in (code, failure.status) if word in CODES), None)
        if known:
            verdict, sentence = CODES[known]
            outcome = verdict(f"{known}: {sentence}")
        else:
            word = (code or failure.status)[:40]
            outcome = STATUSES.get(response.status, Transient)(f"FCM answered {response.status} {word}".rstrip())
        match outcome:
            case CredentialBad() if response.status == 401 and known != "THIRD_PARTY_AUTH_ERROR":
                return msgspec.structs.replace(outcome, stale_token=True)
            case Throttled():
                return msgspec.structs.replace(outcome, retry_after=response.retry_after or QUOTA_WAIT)
            case Transient():
                return msgspec.structs.replace(outcome, retry_after=response.retry_after)
            case _:
                return outcome


class Grant(msgspec.Struct):
    """The part of a token service's answer that google-auth counts from a clock of its own."""

    expires_in: int = 3600


_GRANT: Final = msgspec.json.Decoder(Grant, strict=False)


class _TokenService:
    """What google-auth calls to reach the token service (`google.auth.transport.Request`)."""

    def __init__(self, exchange: Callable[[Request], Exchange]) -> None:
        self._exchange = exchange
        self.lifetime = timedelta(0)

    def __call__(
        self, url: str, method: str, body: bytes, headers: Mapping[str, str], **_options: object
    ) -> "_TokenAnswer":
        lower = {name.lower(): value for name, value in headers.items()}
        answer = self._exchange(Request(method, url, lower, body))
        if not isinstance(answer, Response):
            raise TokenUnavailable(f"the token service did not answer: {answer.detail}")
        if answer.status >= 500 or answer.status in (408, 429):
            # google-auth would sleep and ask again, in the middle of a batch.
            raise TokenUnavailable(f"the token service answered {answer.status}")
        self.lifetime = timedelta(seconds=min((answer.read(_GRANT) or Grant()).expires_in, 86_400))
        return _TokenAnswer(answer)


class _TokenAnswer:
    """An answer as google-auth reads it (`google.auth.transport.Response`)."""

    def __init__(self, response: Response) -> None:
        self.status, self.headers, self.data = response.status, response.headers, response.body


class _Composer(BaseAPI):  # type: ignore[misc]
    """pyfcm's composer, writing names as the specification does.

    pyfcm adds `validate_only`, the old spelling of `validateOnly`; both default to false, so neither is needed.
    """

    def json_dumps(self, data: Mapping[str, Any]) -> bytes:
        return msgspec.json.encode({"message": data["message"]})


def url_of(account: Account) -> str:
    """Where messages of the service account's project go. Raises `BadAccount`."""
    return _url(account, _composer(account))


def _url(account: Account, composer: "_Composer") -> str:
    return f"{account.endpoint}/v1/projects/{quote(composer.credentials.project_id, safe='')}/messages:send"


def _composer(account: Account) -> _Composer:
    account.require(Fcm.credentials)
    try:
        return _composer_for(account.credentials["service_account"])
    except (ValueError, TypeError, UnsupportedAlgorithm, GoogleAuthError) as error:
        why = instead_of(account.credentials["service_account"])
        raise BadAccount(f"{account.name}: service_account is {why}") from error


@lru_cache(maxsize=64)
def _composer_for(key_file: str) -> _Composer:
    # google-auth takes anything here, and would fail when it signs.
    key = read(key_file.encode(), KEY_FILE)
    if key is None or not isinstance(load_pem_private_key(key.private_key.encode(), password=None), RSAPrivateKey):
        raise ValueError("a service account's key has a project_id, a client_email, a token_uri and an RSA private_key")
    credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
        json.loads(key_file), scopes=[SCOPE]
    )
    return _Composer(credentials=credentials, project_id=key.project_id)


def _android(message: Message, text: PushText, channel: str) -> dict[str, Any]:
    android: dict[str, Any] = {
        "priority": "NORMAL" if message.urgency is Urgency.BULK else "HIGH",
        # 0 s is FCM's "now or never".
        "ttl": f"{int(message.lifetime(LONGEST_STORED).total_seconds())}s",
    }
    if text.collapse_key:
        android["collapseKey"] = text.collapse_key
    own = pushing.android(text)
    wanted = {
        "sound": text.sound,
        "channelId": own.channel_id or channel,
        "icon": own.icon,
        "color": own.color,
        "clickAction": own.click_action,
        "notificationPriority": own.priority and f"PRIORITY_{own.priority.upper()}",
    }
    look: dict[str, Any] = {name: value for name, value in wanted.items() if value}
    if text.badge is not None:
        look["notificationCount"] = text.badge
    if look:
        android["notification"] = look
    return android


def _invalid_argument(failure: Failure) -> AddressDead | ContentBad:
    # "FCM error codes": a bad token comes as FcmError without a field, or names the field message.token.
    fields = [violation.field for detail in failure.details for violation in detail.field_violations]
    if any(field in ("message.token", "token") for field in fields):
        return AddressDead("INVALID_ARGUMENT: not a registration token")
    if not fields and "registration token" in failure.message:
        return AddressDead("INVALID_ARGUMENT: not a registration token")
    return ContentBad(f"INVALID_ARGUMENT: {', '.join(fields)[:200] or 'the message is malformed or too large'}")
