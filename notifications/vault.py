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


def reseal(sealed: bytes | memoryview) -> bytes:
    """The same credentials under the first of VAULT_KEYS; the same bytes where they are already.

    The step between adding a key and removing the old one. Raises `Sealed` when no key fits.
    """
    held = bytes(sealed)
    if not held or _is_current(held):
        return held
    try:
        return _keys().rotate(held)
    except InvalidToken:
        raise Sealed("No key in VAULT_KEYS opens these credentials.") from None


def _is_current(sealed: bytes) -> bool:
    try:
        Fernet(settings.VAULT_KEYS[0]).decrypt(sealed)
    except InvalidToken:
        return False
    return True


def _keys() -> MultiFernet:
    return _opened(tuple(settings.VAULT_KEYS))


@cache
def _opened(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
