"""What messages cost at present, for whoever is to take the cheapest channel."""

import time
from datetime import date, datetime
from typing import Final

from django.conf import settings

from accounts.channels import Channel, Mode
from notifications import pricing
from notifications.models import ProviderAccount
from notifications.planning.prices import FREE, Table, Tariff
from notifications.providers import registry

#: Seconds for which a process believes the prices that it read.
_FRESH_FOR: Final = 60.0
_read: Final[dict[date, tuple[float, Table]]] = {}


def current(at: datetime) -> Tariff:
    """What a push, an email and a text message cost today.

    As long as push and email cost nothing no text message can be cheaper, and its price is not asked for.
    """
    if not settings.PUSH_PRICE and not settings.EMAIL_PRICE:
        return FREE
    return Tariff(settings.PUSH_PRICE, settings.EMAIL_PRICE, settings.PRICE_CURRENCY, texts(at.date()))


def forget() -> None:
    """Read the prices again at the next question."""
    _read.clear()


def texts(on: date) -> Table:
    """What text messages cost by the account that comes first, of those whose prices are known."""
    held = _read.get(on)
    if held and held[0] > time.monotonic():
        return held[1]
    accounts = ProviderAccount.objects.active().filter(mode=Mode.LIVE.value).order_by("rank", "name")
    texting = (one for one in accounts if one.provider in registry.NAMES)
    tables = (pricing.table_of(one, on) for one in texting if registry.channel_of(one.provider) is Channel.SMS)
    found: Table = next((table for table in tables if table), {})
    _read.clear()
    _read[on] = (time.monotonic() + _FRESH_FOR, found)
    return found
