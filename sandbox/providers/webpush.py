"""A push service of the web, and the browser that it serves (RFC 8030, 8292; refusals in the words of autopush).

Every name is a subscription: `/push/<name>`. It was made for our one customer's key, and takes messages of no other.
"""

import re
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Any, Final

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from sandbox.exchange import Answer, Call, Sight, Taken
from sandbox.keys import Keys
from sandbox.providers.webpush_browser import Unreadable, browser

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_VAPID: Final = re.compile(r"vapid +(?P<first>[tk]=[^,\s]+)\s*,\s*(?P<second>[tk]=[^,\s]+)\s*", re.IGNORECASE)
_TOPIC: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_URGENCIES: Final = frozenset({"very-low", "low", "normal", "high"})
#: Bytes of body: RFC 8291, section 4.
_LIMIT: Final = 4096
#: Seconds: autopush, "Error Codes", errno 112.
_LONGEST_TTL: Final = 2_592_000
#: Seconds: RFC 8292, section 2.
_LONGEST_TOKEN: Final = 86_400
_REMEMBERED: Final = 1024
#: The site whose service worker shows the message.
_SITE: Final = "shop.bongsu.example"

#: Subscriptions whose names begin like this get this answer: sandbox/README.md. The last is seconds of `Retry-After`.
_FATES: Final[dict[str, tuple[int, int, str, int | None]]] = {
    "unknown-": (404, 102, "Endpoint not found", None),
    "expired-": (410, 103, "Expired URL endpoint", None),
    "gone-": (410, 106, "Invalid subscription", None),
    "large-": (413, 104, "This message is intended for a constrained device and is limited in size", None),
    "mismatch-": (403, 109, "The key is not the one of the subscription", None),
    "keys-": (400, 110, "Invalid crypto keys specified", None),
    "busy-": (429, 201, "Too many requests", 30),
    "error-": (500, 999, "Unknown server error", None),
    "unavailable-": (503, 201, "Please slow down message send rate", 10),
}
_ERRNO_OF_STATUS: Final = {400: 101, 401: 109, 403: 109, 404: 102, 410: 106, 413: 104, 429: 201, 502: 902, 503: 201}
_NOT_NUMBERED: Final = 999


class Action(msgspec.Struct):
    """A button: notifications.spec.whatwg.org, "NotificationAction", and where it leads."""

    action: Annotated[str, msgspec.Meta(min_length=1)]
    title: Annotated[str, msgspec.Meta(min_length=1)]
    link: str = ""


class Shown(msgspec.Struct, rename={"require_interaction": "requireInteraction"}):
    """What the service worker of docs/how-to/receive-web-push.md passes on."""

    badge: Annotated[int, msgspec.Meta(ge=0)] = 0
    actions: list[Action] = []
    require_interaction: bool = False


_shown: Final = msgspec.json.Decoder(Shown)
_said: Final = msgspec.json.Decoder(dict[str, Any])


class Refused(Exception):
    """The push service refuses, with this status, number and sentence."""

    def __init__(self, status: int, errno: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.errno, self.retry_after = status, errno, retry_after


class WebPush:
    """`POST /push/<name>`. `urls` are where the sandbox can be reached, the first of which subscriptions name."""

    name = "webpush"

    def __init__(self, keys: Keys, urls: Iterable[str]) -> None:
        self._origins = tuple(urls)
        self._secret = keys.webpush_secret
        private = load_pem_private_key(keys.webpush_private.encode(), None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        self._customer = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        #: When the tokens end that were verified lately.
        self._ends_at: dict[str, float] = {}

    def subscription(self, name: str) -> dict[str, Any] | None:
        """What `JSON.stringify(subscription)` gives in the browser of this name; None where that is no name."""
        if not _NAME.fullmatch(name):
            return None
        endpoint = f"{self._origins[0]}/{self.name}/push/{name}"
        return {"endpoint": endpoint, "expirationTime": None, "keys": browser(self._secret, name).keys()}

    def application_server_key(self) -> str:
        """The customer's public key, as a site hands it to `pushManager.subscribe`."""
        return urlsafe_b64encode(self._customer).rstrip(b"=").decode()

    def answer(self, call: Call) -> Answer:
        """What the push service would answer; the delivery is the one that the message names, once it is decrypted."""
        clear, name = b"", call.path.removeprefix("/push/")
        try:
            _check_address(call, name)
            clear = self._read(name, call.body)
            _check_headers(call)
            self._check_token(call)
            _check_body(call.body, clear)
            _meet_fate(name)
        except Refused as refusal:
            return msgspec.structs.replace(_refusal(refusal), messages=_messages(clear, name), clear=clear)
        ref = f"{self._origins[0]}/{self.name}/m/{uuid.uuid4().hex}"
        return Answer(
            201,
            (("location", ref), ("ttl", call.headers.get("ttl"))),
            messages=_messages(clear, name),
            ref=ref,
            clear=clear,
        )

    def fault(self, status: int, reason: str, retry_after: int | None) -> Answer:
        """An error as autopush words it; a reason that is a number is its `errno`."""
        errno = int(reason) if reason.isdecimal() else _ERRNO_OF_STATUS.get(status, _NOT_NUMBERED)
        return _refusal(Refused(status, errno, reason or "An operator asked for this", retry_after))

    def sight(self, body: bytes, _part: int) -> Sight:
        """The notification as a desktop browser shows it."""
        said = _object(body)
        texts = {name: value for name, value in said.items() if isinstance(value, str)}
        return Sight(
            kind="desktop",
            sender=_SITE,
            title=texts.get("title", ""),
            body=texts.get("body", "") if said else body.decode("utf-8", "replace"),
            link=texts.get("link", ""),
            image=texts.get("image", ""),
        )

    def _read(self, name: str, body: bytes) -> bytes:
        """What the browser reads, whatever else is wrong: the record is to know whose message was refused."""
        try:
            return browser(self._secret, name).read(body)
        except Unreadable:
            return b""

    def _check_token(self, call: Call) -> None:
        header = call.headers.get("authorization")
        if not header:
            raise Refused(401, 109, "Missing Authorization header")
        ends_at = self._ends_at.get(header)
        if ends_at is None:
            ends_at = self._verified(header)
            if len(self._ends_at) >= _REMEMBERED:
                self._ends_at.clear()
            self._ends_at[header] = ends_at
        if ends_at <= call.at:
            raise Refused(401, 109, "The token has expired")
        if ends_at > call.at + _LONGEST_TOKEN:
            raise Refused(401, 109, "The token ends more than 24 hours from now")

    def _verified(self, header: str) -> float:
        """When a token ends. Raises `Refused` for one that is not our customer's, or not for us."""
        found = _VAPID.fullmatch(header)
        parts = dict(part.split("=", 1) for part in (found["first"], found["second"])) if found else {}
        if set(parts) != {"t", "k"}:
            raise Refused(401, 109, "Authorization is not: vapid t=…, k=…")
        try:
            point = urlsafe_b64decode(parts["k"] + "=" * (-len(parts["k"]) % 4))
            public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            claims = jwt.decode(
                parts["t"],
                public,
                algorithms=["ES256"],
                audience=self._origins,
                options={"require": ["aud", "exp", "sub"], "verify_exp": False},
            )
        except (jwt.InvalidTokenError, ValueError) as error:
            raise Refused(401, 109, f"The token is not valid: {type(error).__name__}") from None
        if not isinstance(claims["exp"], int | float):
            raise Refused(401, 109, "The token's exp is not a time")
        if not claims["sub"].startswith(("mailto:", "https://")):
            raise Refused(401, 109, "The token's sub is neither mailto: nor https:")
        if point != self._customer:
            raise Refused(403, 109, "The key is not the one of the subscription")
        return float(claims["exp"])


def _check_address(call: Call, name: str) -> None:
    if call.method != "POST":
        raise Refused(405, _NOT_NUMBERED, "Only POST is allowed here")
    if not call.path.startswith("/push/") or not _NAME.fullmatch(name):
        raise Refused(404, 102, "Endpoint not found")


def _check_headers(call: Call) -> None:
    get = call.headers.get
    ttl, topic = get("ttl"), get("topic")
    if ttl is None:
        raise Refused(400, 111, "Missing TTL header")
    if not (ttl.isascii() and ttl.isdecimal() and int(ttl[:10]) <= _LONGEST_TTL):
        raise Refused(400, 112, "Invalid TTL header value")
    if topic is not None and not _TOPIC.fullmatch(topic):
        raise Refused(400, 113, "Invalid Topic header value")
    if get("urgency", "normal") not in _URGENCIES:
        raise Refused(400, 111, "Invalid Urgency header value")
    if get("content-encoding") is None:
        raise Refused(400, 111, "Missing Content-Encoding header")
    if get("content-encoding") != "aes128gcm":
        raise Refused(400, 110, "Unknown Content-Encoding")


def _check_body(body: bytes, clear: bytes) -> None:
    if len(body) > _LIMIT:
        raise Refused(413, 104, "Data payload too large")
    if not clear:
        raise Refused(400, 110, "The browser cannot read this: it is empty, or not encrypted to it")
    try:
        _shown.decode(clear)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if _object(clear):  # no push service can see this: the site's service worker would fail on it
            raise Refused(400, 110, f"The service worker cannot show this: {error}") from None


def _meet_fate(name: str) -> None:
    for beginning, fate in _FATES.items():
        if name.startswith(beginning):
            raise Refused(*fate)


def _messages(clear: bytes, name: str) -> tuple[Taken, ...]:
    delivery_id = _object(clear).get("delivery_id", "")
    return (Taken(delivery_id.lower() if isinstance(delivery_id, str) else "", name),)


def _object(body: bytes) -> dict[str, Any]:
    try:
        return _said.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _refusal(why: Refused) -> Answer:
    body = {
        "code": why.status,
        "errno": why.errno,
        "error": HTTPStatus(why.status).phrase if why.status in list(HTTPStatus) else "",
        "message": str(why),
    }
    headers = [("content-type", "application/json")]
    if why.retry_after is not None:
        headers.append(("retry-after", str(why.retry_after)))
    return Answer(why.status, tuple(headers), msgspec.json.encode(body), refused=f"{why.status} errno {why.errno}")
