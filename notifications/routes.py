"""Which provider account sends: the active ones by mode and provider or channel, the lowest rank first."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from accounts.channels import Channel, Mode
from notifications.models import ProviderAccount
from notifications.providers import registry
from notifications.providers.contract import Account, Provider
from notifications.vault import unseal

#: Seconds for which a process believes what it read: a changed account takes effect within these.
_FRESH_FOR: Final = 5.0


@dataclass(frozen=True, slots=True)
class Route:
    """A provider and the account to use it with."""

    provider: Provider
    account: Account
    mode: Mode


class Routes:
    """All active accounts, read again every few seconds."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._routes: tuple[Route, ...] = ()

    def for_push(self, service: str, mode: Mode) -> Sequence[Route]:
        """The accounts for a device's push service, the first choice first."""
        return [r for r in self._current() if r.provider.name == service and r.mode is mode]

    def for_channel(self, channel: Channel, mode: Mode) -> Sequence[Route]:
        """The accounts for text messages or email, the first choice first."""
        return [r for r in self._current() if r.provider.channel is channel and r.mode is mode]

    def named(self, account: str) -> Route | None:
        """The account of this name: who calls back tells it in the webhook's address."""
        return next((r for r in self._current() if r.account.name == account), None)

    def forget(self) -> None:
        """Read the accounts again at the next question."""
        self._read_at = float("-inf")

    def _current(self) -> tuple[Route, ...]:
        now = time.monotonic()
        if now - self._read_at > _FRESH_FOR:
            accounts = ProviderAccount.objects.active().order_by("rank", "name")
            self._routes = tuple(_route(row) for row in accounts if row.provider in registry.NAMES)
            self._read_at = now
        return self._routes


routes: Final = Routes()


def _route(row: ProviderAccount) -> Route:
    provider = registry.provider(row.provider)
    endpoint = row.endpoint.rstrip("/") or provider.default_endpoint
    return Route(provider, Account(row.name, endpoint, unseal(row.credentials), row.settings), Mode(row.mode))
