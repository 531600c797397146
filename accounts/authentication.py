"""appKey and appSecret → the application that calls.

A key is known for a few seconds in every process that has met it (`KEY_MEMORY`), because every call passes here:
revoking a key, deactivating an application and narrowing its scopes take effect within that time everywhere.
"""

import base64
import binascii
import re
import secrets
import string
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any, ClassVar, Final
from uuid import UUID

from django.db.models import F, Value
from django.utils import timezone
from django_ratelimit.core import get_usage
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.channels import Mode
from accounts.models import AppKey, Application, Scope

#: Seconds for which a process trusts what it read about a key.
KEY_MEMORY: Final = 5.0
#: Wrong secrets that one address may try on one key; then every call of the pair is refused until the minute is over.
WRONG_SECRETS: Final = "30/m"

_KEY_FORM: Final = re.compile(r"bk_(live|test)_[0-9A-Za-z]{20}")
_BASE62: Final = string.digits + string.ascii_letters


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its secret, which is shown this once and cannot be had again."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return f"NewKey(key={self.key!r})"


class KeyUnusable(Exception):
    """No such key, or it is revoked. Create a new one for the application."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The application behind a call: what DRF knows as `request.user`."""

    application_id: UUID
    application_name: str
    app_key: str
    mode: Mode
    scopes: frozenset[str]
    rate_limit: str
    is_authenticated: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What a process knows of a key, until a moment of its monotonic clock."""

    caller: Caller
    digest: bytes
    previous_digest: bytes
    previous_until: datetime | None
    until: float

    def fits(self, secret: str, at: datetime) -> bool:
        """Whether `secret` is valid at `at`; takes as long for a wrong one as for a right one."""
        given = _digest(secret)
        is_current = compare_digest(given, self.digest)
        is_previous = compare_digest(given, self.previous_digest)
        return is_current or (is_previous and self.previous_until is not None and at < self.previous_until)


_keys: dict[str, _Remembered] = {}
#: Pairs of key and address that guess, and until when (monotonic) they are refused without a look.
_guessing: dict[tuple[str, str], float] = {}


def create_key(application: Application, mode: Mode) -> NewKey:
    """A new key for an application; its secret is in the answer and nowhere else."""
    new = NewKey(f"bk_{mode}_{''.join(secrets.choice(_BASE62) for _ in range(20))}", _new_secret())
    AppKey.objects.create(key=new.key, application=application, mode=mode.value, digest=_digest(new.secret))
    return new


def rotate(key: str, at: datetime, overlap: timedelta) -> NewKey:
    """A new secret for a key; the one before stays valid for `overlap`, and any older one ends now.

    Raises `KeyUnusable` for a key that does not exist or is revoked.
    """
    new = NewKey(key, _new_secret())
    keeps = overlap > timedelta(0)
    changed = AppKey.objects.filter(pk=key, revoked_at__isnull=True).update(
        digest=_digest(new.secret),
        previous_digest=F("digest") if keeps else Value(None),
        previous_until=at + overlap if keeps else None,
    )
    if not changed:
        raise KeyUnusable(f"{key} does not exist or is revoked; create a new key.")
    _keys.pop(key, None)
    return new


def revoke(key: str, at: datetime) -> bool:
    """End a key and all of its secrets. False when it was revoked before, or never was."""
    changed = AppKey.objects.filter(pk=key, revoked_at__isnull=True).update(
        revoked_at=at, previous_digest=None, previous_until=None
    )
    _keys.pop(key, None)
    return bool(changed)


class AppKeyAuthentication(BaseAuthentication):
    """HTTP Basic (RFC 7617): the appKey is the user name, the appSecret the password."""

    def authenticate(self, request: Request) -> tuple[Caller, str] | None:
        """The caller and its key; None where nobody is named. Raises 401, or 429 for a pair that guesses."""
        scheme, _, encoded = get_authorization_header(request).partition(b" ")
        if not scheme:
            return None
        if scheme.lower() != b"basic":
            raise AuthenticationFailed(
                "Use HTTP Basic authentication: the appKey as user name, the appSecret as password."
            )
        key, secret = _credentials(encoded)
        address = str(request.META.get("REMOTE_ADDR", ""))
        _refuse_guessing(key, address)
        known = _remembered(key)
        if known is None or not known.fits(secret, timezone.now()):
            _count_wrong(request, key, address)
            raise AuthenticationFailed("The appKey or appSecret is wrong, or the key is revoked.")
        return known.caller, key

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Basic realm="bongsu"'


def needs(scope: Scope) -> type[BasePermission]:
    """The permission class for views that ask for `scope`."""

    class Needs(BasePermission):
        message = f"This application lacks the scope {scope.value}; an administrator can grant it."

        def has_permission(self, request: Request, view: Any) -> bool:
            """Whether the caller's application holds the scope."""
            caller: object = request.user
            return isinstance(caller, Caller) and scope.value in caller.scopes

    return Needs


class _AppKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API's description names this authentication."""

    target_class = AppKeyAuthentication
    name = "appKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """HTTP Basic."""
        return {"type": "http", "scheme": "basic", "description": "appKey as user name, appSecret as password."}


def _credentials(encoded: bytes) -> tuple[str, str]:
    try:
        key, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise AuthenticationFailed("The Authorization header is not Base64 of appKey:appSecret.") from None
    if not colon or not _KEY_FORM.fullmatch(key):
        raise AuthenticationFailed(
            "The user name is not an appKey; one looks like bk_live_ and twenty letters or digits."
        )
    return key, secret


def _remembered(key: str) -> _Remembered | None:
    now = time.monotonic()
    known = _keys.get(key)
    if known is not None and known.until > now:
        return known
    found = AppKey.objects.select_related("application").filter(pk=key, revoked_at__isnull=True).first()
    if found is None or not found.application.is_active:
        _keys.pop(key, None)
        return None
    application = found.application
    known = _Remembered(
        Caller(
            application.id,
            application.name,
            key,
            Mode(found.mode),
            frozenset(application.scopes),
            application.rate_limit,
        ),
        bytes(found.digest),
        bytes(found.previous_digest or b""),
        found.previous_until,
        now + KEY_MEMORY,
    )
    _keys[key] = known
    return known


def _refuse_guessing(key: str, address: str) -> None:
    until = _guessing.get((key, address))
    if until is None:
        return
    left = until - time.monotonic()
    if left <= 0:
        del _guessing[key, address]
        return
    raise Throttled(wait=left, detail="Too many wrong secrets for this appKey from this address.")


def _count_wrong(request: Request, key: str, address: str) -> None:
    usage = get_usage(
        request,
        group="authentication",
        key=lambda _group, _request: f"{key} {address}",
        rate=WRONG_SECRETS,
        increment=True,
    )
    if usage and usage["should_limit"]:
        # in the last second of a window nothing is left of it, and yet whoever guesses is refused
        _guessing[key, address] = time.monotonic() + max(1, usage["time_left"])
        _refuse_guessing(key, address)


def _new_secret() -> str:
    return f"bs_{secrets.token_urlsafe(32)}"


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
