"""A browser's push subscription (W3C Push API, "PushSubscription") as a push token: checked, and written in one way.

Its endpoint is a URL that the platform will call and that anybody who registers a device chooses. So it must lead out
to the internet: a name is looked at here, and the address behind it by the wire, whenever it connects.
"""

import binascii
import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Collection
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from accounts.internet import host_trouble
from accounts.recipients import Invalid

#: In characters. Endpoints have 150 to 700; more than 2,700 bytes of token would not fit into the index.
LONGEST_ENDPOINT: Final = 2048
#: RFC 8291, section 3.1 and 3.2: a point of P-256 in the uncompressed form of X9.62, and 16 octets.
_POINT: Final = 65
_AUTH: Final = 16

#: RFC 3986, section 3, without user information and fragment: nothing that two readers could take for different hosts.
_URL: Final = re.compile(
    r"https://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>/(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*(?:\?(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?)",
    re.ASCII,
)
_DOTS: Final = re.compile(r"/(?:\.|%2e){1,2}(?=[/?]|$)", re.IGNORECASE)
_SCHEME_AND_HOST: Final = re.compile(r"[A-Za-z]+://[^/?#]*")


class Keys(msgspec.Struct, frozen=True):
    """What the browser gives for encrypting to it, in base64url."""

    p256dh: str
    auth: str


class Subscription(msgspec.Struct, frozen=True):
    """What `JSON.stringify(subscription)` gives in a browser, as far as sending needs it."""

    endpoint: str
    keys: Keys


_subscription: Final = msgspec.json.Decoder(Subscription)


def normal_subscription(text: str, *, private_hosts: Collection[str] = ()) -> str:
    """A subscription as compact JSON, in which the same one is always the same text. Raises `Invalid`.

    `private_hosts` are names and addresses that an endpoint may name though they are not out on the internet.
    """
    try:
        given = _subscription.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise _invalid(
            f"Not a push subscription ({error}). Send JSON.stringify(subscription): "
            '{"endpoint": "https://…", "keys": {"p256dh": "…", "auth": "…"}}.'
        ) from None
    point = _bytes(given.keys.p256dh, "p256dh", _POINT)
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    except ValueError:
        raise _invalid("keys.p256dh is not a point of the curve P-256 in uncompressed form.") from None
    keys = Keys(_text(point), _text(_bytes(given.keys.auth, "auth", _AUTH)))
    return msgspec.json.encode(Subscription(_endpoint(given.endpoint, private_hosts), keys)).decode()


def _endpoint(url: str, private_hosts: Collection[str]) -> str:
    if len(url) > LONGEST_ENDPOINT:
        raise _invalid(f"endpoint has more than {LONGEST_ENDPOINT} characters.")
    lowered = _SCHEME_AND_HOST.sub(lambda found: found[0].lower(), url, count=1)
    found = _URL.fullmatch(lowered)
    if not found or _DOTS.search(found["rest"]):
        raise _invalid("endpoint is not a plain https:// URL with a path, without user name and fragment.")
    host, port = found["host"], int(found["port"] or 443)
    if not 0 < port < 65536:
        raise _invalid("endpoint names a port that does not exist.")
    if host not in private_hosts and (trouble := host_trouble(host)):
        raise _invalid(f"endpoint leads nowhere on the internet: {host} {trouble}.")
    return f"https://{host}{f':{port}' if port != 443 else ''}{found['rest']}"


def _bytes(text: str, name: str, length: int) -> bytes:
    """What base64 or base64url, padded or not, stands for. Raises `Invalid` unless it has `length` bytes."""
    try:
        plain = text.rstrip("=").replace("-", "+").replace("_", "/")
        decoded = b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _invalid(f"keys.{name} is not base64url.") from None
    if len(decoded) != length:
        raise _invalid(f"keys.{name} has {len(decoded)} bytes where {length} are right.")
    return decoded


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _invalid(message: str) -> Invalid:
    return Invalid(message, field="token")
