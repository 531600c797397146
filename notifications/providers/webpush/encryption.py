"""Encryption to a browser: RFC 8291 on top of RFC 8188, content encoding `aes128gcm`, in one record.

The push service sees neither the text nor, thanks to padding, its exact length.
"""

import os
import struct
from base64 import urlsafe_b64decode
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

#: RFC 8291, section 3.1.
_CURVE: Final = SECP256R1()
#: In bytes. RFC 8291, section 4: a push service need not take a longer body.
BODY_LIMIT: Final = 4096
#: RFC 8188, section 2.1: salt, record size, length of the key id, and the key id, which is a public key here.
_HEADER: Final = 16 + 4 + 1 + 65
_TAG: Final = 16
#: Ends what is said in the last, here the only, record; zeros may follow. RFC 8188, section 2.
_DELIMITER: Final = b"\x02"
#: In bytes: what can be said in one body.
PLAIN_LIMIT: Final = BODY_LIMIT - _HEADER - _TAG - len(_DELIMITER)
#: Texts are padded to a multiple of this, so that their lengths tell little about which of a few was sent.
_GRAIN: Final = 128


class Fresh(msgspec.Struct, frozen=True):
    """What must be drawn anew for every message: a key pair and a salt."""

    key: EllipticCurvePrivateKey
    salt: bytes

    def __repr__(self) -> str:
        return "Fresh()"


def fresh() -> Fresh:
    """A new key pair and a new salt."""
    return Fresh(generate_private_key(_CURVE), os.urandom(16))


class Reader(msgspec.Struct, frozen=True):
    """Who can read it: the public key of a browser and the secret that it shared with us."""

    point: bytes
    public: EllipticCurvePublicKey
    auth: bytes

    @classmethod
    def of(cls, p256dh: str, auth: str) -> "Reader":
        """The keys as a subscription writes them, base64url without padding. Raises `ValueError` for what are none."""
        point = _decoded(p256dh)
        return cls(point, EllipticCurvePublicKey.from_encoded_point(_CURVE, point), _decoded(auth))

    def __repr__(self) -> str:
        return "Reader()"


def padded(plain: bytes) -> int:
    """To how many bytes a text is padded: the next grain, as far as the limit leaves room."""
    return max(len(plain), min(-(-len(plain) // _GRAIN) * _GRAIN, PLAIN_LIMIT))


def encrypted(plain: bytes, reader: Reader, new: Fresh, *, pad_to: int = 0) -> bytes:
    """The body of the request that carries `plain`, padded with zeros to `pad_to` bytes where it is shorter.

    The same key and salt give the same body, and must never be used twice. A body can be longer than `BODY_LIMIT`.
    """
    own = new.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    # RFC 8291, section 3.4
    secret = _derived(
        new.key.exchange(ECDH(), reader.public), reader.auth, b"WebPush: info\x00" + reader.point + own, 32
    )
    # RFC 8188, sections 2.2 and 2.3; of the only record the number is 0, so that the nonce is what is derived
    key = _derived(secret, new.salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derived(secret, new.salt, b"Content-Encoding: nonce\x00", 12)
    record = AESGCM(key).encrypt(nonce, (plain + _DELIMITER).ljust(pad_to + len(_DELIMITER), b"\x00"), None)
    # one record: its size, which must not be below what it has
    size = max(BODY_LIMIT, len(record))
    return new.salt + struct.pack("!IB", size, len(own)) + own + record


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
