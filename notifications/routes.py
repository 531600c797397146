"""Which provider account sends: the active ones by mode and provider or channel, the lowest rank first."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from accounts.channels import Channel, Mode
from notifications.buckets import Limits
from notifications.models import ProviderAccount
from notifications.providers import registry
from notifications.providers.contract import Account, NumberSource, Provider
from notifications.vault import Sealed, unseal

log = structlog.get_logger(__name__)

#: Seconds for which a process believes what it read: a changed account takes effect within these.
_FRESH_FOR: Final = 5.0


@dataclass(frozen=True, slots=True)
class Route:
    """A provider and the account to use it with."""

    provider: Provider
    account: Account
    mode: Mode
    limits: Limits
    calls_back: bool = False
    numbers: NumberSource | None = None


class Routes:
    """All active accounts, read again every few seconds; each is opened, and its provider loaded, when it is needed.

    One whose credentials no key opens serves nobody, and is in nobody's way.
    """

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._rows: tuple[ProviderAccount, ...] = ()
        self._opened: dict[str, Route | None] = {}

    def for_push(self, service: str, mode: Mode) -> Sequence[Route]:
        """The accounts for a device's push service, the first choice first."""
        return self._open_all(row for row in self._current() if row.provider == service and row.mode == mode)

    def for_channel(self, channel: Channel, mode: Mode) -> Sequence[Route]:
        """The accounts for text messages or email, the first choice first."""
        return self._open_all(
            row for row in self._current() if registry.channel_of(row.provider) is channel and row.mode == mode
        )

    def named(self, account: str) -> Route | None:
        """The account of this name: who calls back tells it in the webhook's address."""
        return next((self._open(row) for row in self._current() if row.name == account), None)

    def forget(self) -> None:
        """Read the accounts again at the next question."""
        self._read_at = float("-inf")

    def _current(self) -> tuple[ProviderAccount, ...]:
        now = time.monotonic()
        if now - self._read_at > _FRESH_FOR:
            accounts = ProviderAccount.objects.active().order_by("rank", "name")
            self._rows = tuple(row for row in accounts if row.provider in registry.NAMES)
            self._opened = {}
            self._read_at = now
        return self._rows

    def _open_all(self, rows: Iterable[ProviderAccount]) -> Sequence[Route]:
        return [route for route in map(self._open, rows) if route]

    def _open(self, row: ProviderAccount) -> Route | None:
        if row.name not in self._opened:
            try:
                self._opened[row.name] = _route(row)
            except Sealed as error:
                log.error("account.sealed", account=row.name, detail=str(error))
                self._opened[row.name] = None
        return self._opened[row.name]


routes: Final = Routes()


def _route(row: ProviderAccount) -> Route:
    provider = registry.provider(row.provider)
    endpoint = row.endpoint.rstrip("/") or provider.default_endpoint
    account = Account(row.name, endpoint, unseal(row.credentials), row.settings)
    limits = Limits(row.messages_per_s, row.segments_per_s, row.at_once)
    calls_back, numbers = registry.calls_back(row.provider), registry.numbers_of(row.provider)
    return Route(provider, account, Mode(row.mode), limits, calls_back, numbers)
