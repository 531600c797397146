"""The browser at the end of Web Push: it has the keys, and reads what the push service cannot (RFC 8291, 8188)."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

#: The order of P-256: SEC 2, section 2.4.2.
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Unreadable(Exception):
    """The browser would drop this body without a word; the message says why."""


class Browser:
    """One subscription's keys, derived from a secret and a name, so that each name has the same ones for ever."""

    def __init__(self, secret: str, name: str) -> None:
        drawn = int.from_bytes(_mac(secret.encode(), b"key of " + name.encode()), "big")
        self._private = ec.derive_private_key(drawn % (_ORDER - 1) + 1, ec.SECP256R1())
        self._point = self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self._auth = _mac(secret.encode(), b"auth of " + name.encode())[:16]

    def keys(self) -> dict[str, str]:
        """What `subscription.toJSON().keys` has in a browser."""
        return {"p256dh": _text(self._point), "auth": _text(self._auth)}

    def read(self, body: bytes) -> bytes:
        """What was encrypted to this browser. Raises `Unreadable`."""
        if len(body) < 21:
            raise Unreadable("the body is shorter than its header")
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, record = body[21 : 21 + length], body[21 + length :]
        if length != 65:
            raise Unreadable(f"the key id has {length} bytes where 65 are right")
        if not 18 <= len(record) <= size:
            raise Unreadable(f"a record of {len(record)} bytes where 18 to {size} are right")
        try:
            theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        except ValueError:
            raise Unreadable("the key id is not a point of P-256") from None
        shared = self._private.exchange(ec.ECDH(), theirs)
        # HKDF (RFC 5869) is two HMACs where no more than 32 bytes are wanted.
        secret = _mac(_mac(self._auth, shared), b"WebPush: info\0" + self._point + sender + b"\1")
        seed = _mac(salt, secret)
        key = _mac(seed, b"Content-Encoding: aes128gcm\0\1")[:16]
        nonce = _mac(seed, b"Content-Encoding: nonce\0\1")[:12]
        try:
            padded = AESGCM(key).decrypt(nonce, record, None)
        except InvalidTag:
            raise Unreadable("the body was not encrypted to this subscription") from None
        said = padded.rstrip(b"\0")
        if not said.endswith(b"\2"):
            raise Unreadable("the last record does not end as one")
        return said[:-1]


@lru_cache(maxsize=20_000)
def browser(secret: str, name: str) -> Browser:
    """The browser of this name."""
    return Browser(secret, name)


def _mac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
