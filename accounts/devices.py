"""Register, move and retire push tokens."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from accounts.channels import USUAL_SERVICE, Platform, PushService
from accounts.models import Device, Recipient
from accounts.recipients import Invalid
from accounts.subscriptions import normal_subscription

#: Which services can issue tokens for which platform.
SERVICES_OF: Final[Mapping[Platform, frozenset[PushService]]] = {
    Platform.IOS: frozenset({PushService.APNS}),
    Platform.ANDROID: frozenset({PushService.FCM, PushService.JPUSH, PushService.PUSHY}),
    Platform.WEB: frozenset({PushService.WEBPUSH}),
    Platform.DESKTOP: frozenset({PushService.WEBPUSH}),
}
#: What a token looks like, and how to say so. Apple: "APNs device tokens are of variable length. Don't hard-code their
#: size"; they come as bytes, which apps write in hexadecimal. JPush: community.jiguang.cn/article/408910. The others
#: are opaque: printable, without spaces; those in Pushy's documents have 20 and 22 hexadecimal digits. Browsers have
#: subscriptions: accounts/subscriptions.py.
_FORMS: Final[Mapping[PushService, tuple[re.Pattern[str], str]]] = {
    PushService.APNS: (re.compile(r"(?:[0-9a-f]{2}){32,100}"), "64 to 200 hexadecimal digits"),
    PushService.FCM: (re.compile(r"[A-Za-z0-9_:.=%-]{20,4096}"), "20 to 4096 letters, digits and _ : . = % -"),
    PushService.JPUSH: (
        re.compile(r"[0-9a-f]{11}(?:[0-9a-f]{8})?"),
        "11 or 19 digits 0-9 and a-f, the registration id",
    ),
    PushService.PUSHY: (re.compile(r"[0-9A-Za-z]{20,64}"), "20 to 64 letters and digits"),
}


#: How often a registration may lose a race before that is an error. Each time, somebody else must have registered the
#: token and somebody have retired it in between.
_RACES: Final = 10


@dataclass(frozen=True, slots=True)
class Registration:
    """A push token as an app reports it, in its normal form. Made by `registration`."""

    platform: Platform
    service: PushService
    token: str = field(repr=False)
    app_version: str = ""


def registration(platform: str, token: str, *, service: str = "", app_version: str = "") -> Registration:
    """Check what an app reports. Raises `Invalid`, which names the field."""
    if platform not in list(Platform):
        raise Invalid(f"Not a platform; one of {', '.join(Platform)}.", field="platform")
    kind = Platform(platform)
    issuer = service or USUAL_SERVICE[kind]
    if issuer not in SERVICES_OF[kind]:
        raise Invalid(f"{kind} tokens come from {' or '.join(sorted(SERVICES_OF[kind]))}.", field="service")
    written = _normal_token(PushService(issuer), token.strip())
    if len(app_version) > 40 or not app_version.isprintable():
        raise Invalid("An app version has at most 40 printable characters.", field="app_version")
    return Registration(kind, PushService(issuer), written, app_version)


def _normal_token(issuer: PushService, token: str) -> str:
    if issuer is PushService.WEBPUSH:
        return normal_subscription(token, private_hosts=settings.WIRE_PRIVATE_HOSTS)
    form, words = _FORMS[issuer]
    written = token.lower() if issuer is PushService.APNS else token
    if not form.fullmatch(written):
        raise Invalid(f"Not a token of {issuer}: it has {words}.", field="token")
    return written


def register(recipient: Recipient, reported: Registration, at: datetime) -> tuple[Device, bool]:
    """The device behind a token; True when the recipient did not have it.

    A token reaches one installation, so registering one that somebody else has moves it: whoever is signed in on the
    phone now gets its messages, and nobody before them. One that was retired is a new device: it lives again.
    """
    with transaction.atomic():
        for _ in range(_RACES):
            found = _holder(reported.service, reported.token).first()
            if found is not None:
                return _moved(found, recipient, reported, at)
            # An app that starts twice at once registers twice at once. If the other one was first, look again: it may
            # be retired by now.
            with suppress(IntegrityError):
                return _made(recipient, reported, at), True
        return _made(recipient, reported, at), True


def renew(recipient: Recipient, before: str, reported: Registration, at: datetime) -> tuple[Device, bool]:
    """The device behind a token that takes the place of `before`, which its push service has exchanged for it.

    It stays the same device, so what is on its way to it goes to the new token. Where somebody else had the old token,
    or the new one is registered already, the old one is retired: one installation has one token.
    """
    with transaction.atomic():
        old = _holder(reported.service, before).first()
        if old is not None and before != reported.token:
            if old.recipient_id == recipient.id and not _holder(reported.service, reported.token).exists():
                with suppress(IntegrityError):  # registered in this very moment, and so another device
                    return _renewed(old, reported, at), False
            retire(old, at, "its token was replaced by another")
        return register(recipient, reported, at)


def _moved(found: Device, recipient: Recipient, reported: Registration, at: datetime) -> tuple[Device, bool]:
    is_new = found.recipient_id != recipient.id
    found.recipient = recipient
    found.platform, found.app_version = reported.platform, reported.app_version
    found.registered_at = found.seen_at = at
    found.save(update_fields=["recipient", "platform", "app_version", "registered_at", "seen_at"])
    return found, is_new


def _renewed(old: Device, reported: Registration, at: datetime) -> Device:
    """Raises `IntegrityError` where somebody has the new token."""
    old.token, old.platform, old.app_version = reported.token, reported.platform, reported.app_version
    old.registered_at = old.seen_at = at
    with transaction.atomic():
        old.save(update_fields=["token", "platform", "app_version", "registered_at", "seen_at"])
    return old


def _holder(service: PushService, token: str) -> QuerySet[Device]:
    return Device.objects.live().select_for_update().filter(service=service, token=token)


def _made(recipient: Recipient, reported: Registration, at: datetime) -> Device:
    """Raises `IntegrityError` for a token that somebody has."""
    with transaction.atomic():
        return Device.objects.create(
            recipient=recipient,
            platform=reported.platform,
            service=reported.service,
            token=reported.token,
            app_version=reported.app_version,
            registered_at=at,
            seen_at=at,
        )


def retire(device: Device, at: datetime, why: str) -> None:
    """Nothing is sent to this token any more, until an app registers it again."""
    retire_many([(device.id, None, why)], at)


#: By primary key. A token that was registered after the provider saw it dead is alive again, and stays.
_RETIRE = """
    UPDATE accounts_device AS device
       SET retired_at = %(at)s, retired_because = dead.why
      FROM unnest(%(ids)s::uuid[], %(sinces)s::timestamptz[], %(whys)s::text[]) AS dead (id, since, why)
     WHERE device.id = dead.id
       AND device.retired_at IS NULL
       AND (dead.since IS NULL OR device.registered_at <= dead.since)
"""


def retire_many(dead: Sequence[tuple[UUID, datetime | None, str]], at: datetime) -> int:
    """Retire devices: each with the moment since which the provider knows it dead, if it says so, and why.

    Says how many; one that was registered after that moment stays.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _RETIRE,
            {
                "at": at,
                "ids": [device_id for device_id, _, _ in dead],
                "sinces": [since for _, since, _ in dead],
                "whys": [why[:200] for _, _, why in dead],
            },
        )
        return int(cursor.rowcount)
