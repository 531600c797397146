"""Provider credentials: encrypted at rest (Fernet: AES-128-CBC with HMAC-SHA-256), decrypted here only."""

import json
from collections.abc import Mapping
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Sealed(Exception):
    """No key in VAULT_KEYS opens these credentials. Put the key they were sealed with back, last in the list."""


def seal(credentials: Mapping[str, str]) -> bytes:
    """Encrypt credentials with the first of VAULT_KEYS."""
    return _keys().encrypt(json.dumps(dict(credentials)).encode())


def unseal(sealed: bytes | memoryview) -> dict[str, str]:
    """The credentials again. Raises `Sealed` when no key fits."""
    if not sealed:
        return {}
    try:
        opened: dict[str, str] = json.loads(_keys().decrypt(bytes(sealed)))
    except InvalidToken:
        raise Sealed("No key in VAULT_KEYS opens these credentials.") from None
    return opened


def reseal(sealed: bytes) -> bytes:
    """The same credentials under the first of VAULT_KEYS: the step between adding a key and removing the old."""
    return _keys().rotate(bytes(sealed)) if sealed else b""


@cache
def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.VAULT_KEYS])
