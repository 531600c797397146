"""Who we are to a push service: a signed token for its origin, and our public key (RFC 8292, "VAPID").

A token is a value of the key, the origin, the contact and the quarter of a day, and remembered by these: nothing must
be shared between workers, and a signature (30 microseconds) is made a few times a day in each process.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

#: A token is used for as long as this, and is good for at least as long after it: no clock is so wrong.
_USED_FOR: Final = timedelta(hours=6)
#: RFC 8292, section 2: `exp` "MUST NOT be more than 24 hours from the time of the request".
_GOOD_FOR: Final = timedelta(hours=12)
#: Origins of push services that people may name: those few that browsers use stay, the others come and go.
_REMEMBERED: Final = 1024


@lru_cache(maxsize=64)
def private_key(text: str) -> EllipticCurvePrivateKey:
    """The key in PEM, or its 32 bytes in base64url, as most tools write it. Raises `ValueError` for anything else."""
    if text.lstrip().startswith("-----BEGIN"):
        key = load_pem_private_key(text.encode(), password=None)
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise ValueError("not a key of the curve P-256")
        return key
    try:
        raw = urlsafe_b64decode(text.strip() + "=" * (-len(text.strip()) % 4))
    except binascii.Error:
        raise ValueError("neither PEM nor base64url") from None
    if len(raw) != 32:
        raise ValueError(f"{len(raw)} bytes where 32 are right")
    return derive_private_key(int.from_bytes(raw, "big"), SECP256R1())


def authorization(key: str, origin: str, subject: str, at: datetime) -> str:
    """The `Authorization` of a request to `origin` at the moment `at`."""
    quarter = int(at.timestamp() // _USED_FOR.total_seconds())
    return _signed(key, origin, subject, quarter)


@lru_cache(maxsize=_REMEMBERED)
def _signed(key: str, origin: str, subject: str, quarter: int) -> str:
    own = private_key(key)
    ends_at = quarter * _USED_FOR.total_seconds() + _GOOD_FOR.total_seconds()
    token = jwt.encode({"aud": origin, "exp": int(ends_at), "sub": subject}, own, algorithm="ES256")
    public = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    # RFC 8292, section 3
    return f"vapid t={token}, k={urlsafe_b64encode(public).rstrip(b'=').decode()}"
