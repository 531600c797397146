"""What is paid for a message as it leaves, by the account that takes it and the prices of the day."""

import time
from datetime import date
from decimal import Decimal
from typing import Final

from django.conf import settings

from accounts.channels import Channel, Mode
from notifications import pricing
from notifications.models import ProviderAccount
from notifications.planning.prices import Money, Table, cost

#: No price is known.
UNKNOWN: Final = Money(Decimal(0), "")

#: Seconds for which a process believes the prices that it read.
_FRESH_FOR: Final = 60.0
#: By account, of the day that was asked for last.
_read: Final[dict[str, tuple[float, date, Table]]] = {}


def is_free(mode: Mode, channel: Channel) -> bool:
    """Whether nobody asks anything for it: an account for tests does not, which may stand in for a live one."""
    if mode is not Mode.LIVE:
        return True
    return channel is not Channel.SMS and not _flat(channel)


def price(account: str, channel: Channel, to: str, segments: int, on: date) -> Money:
    """What one message to an address costs by an account on a day (UTC), a text message by its parts; or `UNKNOWN`."""
    if channel is not Channel.SMS:
        return Money(_flat(channel), settings.PRICE_CURRENCY)
    return cost(segments, to, _table(account, on)) or UNKNOWN


def forget() -> None:
    """Read the prices again at the next question."""
    _read.clear()


def _flat(channel: Channel) -> Decimal:
    amount: Decimal = settings.PUSH_PRICE if channel is Channel.PUSH else settings.EMAIL_PRICE
    return amount


def _table(account: str, on: date) -> Table:
    held = _read.get(account)
    if held and held[0] > time.monotonic() and held[1] == on:
        return held[2]
    row = ProviderAccount.objects.filter(name=account).first()
    found: Table = pricing.table_of(row, on) if row else {}
    _read[account] = (time.monotonic() + _FRESH_FOR, on, found)
    return found
