"""Apple's push service (developer.apple.com, "Sending notification requests to APNs")."""

import re
import uuid
from typing import Annotated, Any, Final, Literal

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sandbox.exchange import Answer, Call, Sight, Taken
from sandbox.keys import APNS_TOPIC, Keys

_TOKEN: Final = re.compile(r"[0-9a-fA-F]{64,200}")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
#: Bytes of payload; a VoIP push may be longer.
_LIMIT, _VOIP_LIMIT = 4096, 5120
#: "APNs rejects any request whose token contains a timestamp more than one hour in the past."
_OLDEST: Final = 3600
#: A clock may run this many seconds ahead of Apple's.
_SKEW: Final = 300
_REMEMBERED: Final = 1024

_PUSH_TYPES: Final = frozenset(
    {
        "alert", "background", "controls", "location", "voip", "complication", "fileprovider", "mdm", "liveactivity",
        "pushtotalk", "widgets",
    }
)  # fmt: skip
_TOPICS: Final = frozenset(
    APNS_TOPIC + suffix
    for suffix in ("", ".voip", ".complication", ".location-query", ".push-type.liveactivity", ".pushkit.fileprovider")
)

#: Device tokens that begin like this get this answer: sandbox/README.md.
_SPECIAL: Final = {
    "dead0400": (400, "BadDeviceToken"),
    "dead0404": (400, "DeviceTokenNotForTopic"),
    "dead0410": (410, "Unregistered"),
    "dead0411": (410, "ExpiredToken"),
    "dead0412": (410, "Unregistered"),
    "dead0429": (429, "TooManyRequests"),
    "dead0500": (500, "InternalServerError"),
    "dead0503": (503, "ServiceUnavailable"),
}
#: This one says that the token died a day ago, before any fresh registration.
_LONG_DEAD: Final = "dead0412"

_REASON_OF_STATUS: Final = {
    400: "BadMessageId",
    403: "InvalidProviderToken",
    404: "BadPath",
    405: "MethodNotAllowed",
    410: "Unregistered",
    413: "PayloadTooLarge",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}


class Aps(msgspec.Struct, rename="kebab"):
    """What iOS reads itself: developer.apple.com, "Generating a remote notification", "Payload key reference"."""

    alert: str | dict[str, Any] = ""
    badge: Annotated[int, msgspec.Meta(ge=0)] = 0
    sound: str | dict[str, Any] = ""
    thread_id: str = ""
    category: str = ""
    content_available: Literal[0, 1] = 0
    mutable_content: Literal[0, 1] = 0
    interruption_level: Literal["passive", "active", "time-sensitive", "critical"] = "active"


class Payload(msgspec.Struct):
    """The rest is the app's own."""

    aps: Aps


_payload: Final = msgspec.json.Decoder(Payload)


class Apns:
    """`POST /3/device/<token>`. Provider tokens are verified once and remembered."""

    name = "apns"

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        public = load_pem_private_key(keys.apns_private.encode(), None).public_key()
        assert isinstance(public, EllipticCurvePublicKey)
        self._public = public
        self._issued_at: dict[str, float] = {}

    def answer(self, call: Call) -> Answer:
        """What APNs would answer; the delivery is the one named by `apns-id`."""
        token = call.path.removeprefix("/3/device/")
        apns_id = call.headers.get("apns-id") or str(uuid.uuid4()).upper()
        messages = (Taken(apns_id.lower(), token),)
        trouble = self._trouble(call, token, apns_id)
        if trouble is None:
            return Answer(200, (("apns-id", apns_id),), b"", messages, "", apns_id)
        status, reason = trouble
        return _refusal(status, reason, _since(token, call.at) if status == 410 else None, apns_id, messages)

    def fault(self, status: int, reason: str, retry_after: int | None) -> Answer:
        """An error as APNs words it."""
        answer = _refusal(status, reason or _REASON_OF_STATUS.get(status, "InternalServerError"))
        if retry_after is None:
            return answer
        return msgspec.structs.replace(answer, headers=(*answer.headers, ("retry-after", str(retry_after))))

    def sight(self, body: bytes, part: int) -> Sight:
        """The notification as iOS shows it."""
        payload = msgspec.json.decode(body)
        alert: Any = payload["aps"].get("alert", "")
        if not isinstance(alert, dict):
            alert = {"body": alert}
        own = {key: value for key, value in payload.items() if isinstance(value, str)}
        return Sight(
            kind="ios",
            sender="Bongsu",
            title=str(alert.get("title", "")),
            body=str(alert.get("body", "")),
            link=own.get("link", ""),
            image=own.get("image", ""),
        )

    def _trouble(self, call: Call, token: str, apns_id: str) -> tuple[int, str] | None:
        """Why the request is refused, in the order in which APNs looks, or None."""
        if call.http_version != "2":
            return 505, "HTTPVersionNotSupported"
        if call.method != "POST":
            return 405, "MethodNotAllowed"
        if not call.path.startswith("/3/device/"):
            return 404, "BadPath"
        return (
            self._bad_provider_token(call)
            or _bad_headers(call, apns_id)
            or _bad_payload(call)
            or _bad_device_token(token)
        )

    def _bad_provider_token(self, call: Call) -> tuple[int, str] | None:
        header = call.headers.get("authorization") or ""
        scheme, _, token = header.partition(" ")
        if not token:
            return 403, "MissingProviderToken"
        issued_at = self._issued_at.get(token)
        if issued_at is None:
            issued_at = self._verified(token) if scheme.lower() == "bearer" else None
            if issued_at is None:
                return 403, "InvalidProviderToken"
            if len(self._issued_at) >= _REMEMBERED:
                self._issued_at.clear()
            self._issued_at[token] = issued_at
        if issued_at < call.at - _OLDEST:
            return 403, "ExpiredProviderToken"
        return (403, "InvalidProviderToken") if issued_at > call.at + _SKEW else None

    def _verified(self, token: str) -> float | None:
        """When a provider token was issued; None if it is not of our customer."""
        try:
            if jwt.get_unverified_header(token).get("kid") != self._keys.apns_key_id:
                return None
            claims = jwt.decode(
                token,
                self._public,
                algorithms=["ES256"],
                issuer=self._keys.apns_team_id,
                options={"require": ["iss", "iat"], "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return None
        issued_at = claims["iat"]
        return float(issued_at) if isinstance(issued_at, int | float) else None


def _bad_headers(call: Call, apns_id: str) -> tuple[int, str] | None:
    get = call.headers.get
    topic, push_type, priority = get("apns-topic"), get("apns-push-type", "alert"), get("apns-priority", "10")
    if not topic:
        return 400, "MissingTopic"
    if push_type not in _PUSH_TYPES:
        return 400, "InvalidPushType"
    if topic not in _TOPICS:
        return 400, "TopicDisallowed"
    # "Specifying 10 for a notification that has no alert, sound or badge is an error": 5 or 1 for the background.
    if priority not in {"10", "5", "1"} or (push_type == "background" and priority == "10"):
        return 400, "BadPriority"
    if not get("apns-expiration", "0").isdecimal():
        return 400, "BadExpirationDate"
    if len(get("apns-collapse-id", "").encode()) > 64:
        return 400, "BadCollapseId"
    return None if _UUID.fullmatch(apns_id) else (400, "BadMessageId")


def _bad_payload(call: Call) -> tuple[int, str] | None:
    size = len(call.body)
    if not size:
        return 400, "PayloadEmpty"
    if size > _LIMIT and (size > _VOIP_LIMIT or call.headers.get("apns-push-type") != "voip"):
        return 413, "PayloadTooLarge"
    try:
        _payload.decode(call.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # Apple has no reason for this: it takes such a payload and shows nothing, which would help nobody here.
        return 400, "PayloadEmpty"
    return None


def _bad_device_token(token: str) -> tuple[int, str] | None:
    if not token:
        return 400, "MissingDeviceToken"
    if not _TOKEN.fullmatch(token):
        return 400, "BadDeviceToken"
    return _SPECIAL.get(token[:8].lower())


def _since(token: str, at: float) -> int:
    """When the token was last known to be dead, in milliseconds."""
    return int((at - 86_400 if token[:8].lower() == _LONG_DEAD else at) * 1000)


def _refusal(
    status: int, reason: str, timestamp: int | None = None, apns_id: str = "", messages: tuple[Taken, ...] = ()
) -> Answer:
    body: dict[str, Any] = {"reason": reason}
    if timestamp is not None:
        body["timestamp"] = timestamp
    headers = (("apns-id", apns_id or str(uuid.uuid4()).upper()), ("content-type", "application/json"))
    return Answer(status, headers, msgspec.json.encode(body), messages, f"{status} {reason}", apns_id)
