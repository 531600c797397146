"""Builders for planning: plain values with defaults, changed by keyword."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from accounts.channels import Channel
from notifications.planning.values import DeviceFact, Facts, Person, Policy
from notifications.vocabulary import Queue

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NEWS = UUID(int=1)
IPHONE = DeviceFact(UUID(int=11), Queue.IOS)
TABLET = DeviceFact(UUID(int=12), Queue.ANDROID)


def person(**changes: Any) -> Person:
    """Somebody who can be reached everywhere and has chosen nothing."""
    usual: Mapping[str, Any] = {
        "ref": "jimin",
        "recipient_id": UUID(int=21),
        "email": "jimin@example.com",
        "phone": "+821012345678",
        "locale": "ko-KR",
        "devices": (IPHONE, TABLET),
    }
    return Person(**{**usual, **changes})


def facts(*people: Person, **changes: Any) -> Facts:
    """An opt-out category, all channels, Korean text everywhere, nothing suppressed."""
    usual: Mapping[str, Any] = {
        "policy": Policy(NEWS, opt_in=False, is_critical=False),
        "channels": tuple(Channel),
        "people": people or (person(),),
        "suppressed": frozenset(),
        "locale_for": lambda _channel, _locale: "ko",
    }
    return Facts(**{**usual, **changes})
