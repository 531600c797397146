"""Which provider accounts send: those of the route that operators wrote, or else all of a channel by their ranks."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from accounts.channels import Channel, Mode
from notifications import drifting
from notifications.buckets import Limits
from notifications.models import ProviderAccount, Route
from notifications.planning import routing
from notifications.planning.routing import Choice, Directory, Table, Written, WrittenStep
from notifications.providers import registry
from notifications.providers.contract import Account, NumberSource, Provider
from notifications.vault import Sealed, unseal
from notifications.vocabulary import CHANNEL_OF, Queue

log = structlog.get_logger(__name__)

#: Seconds for which a process believes what it read: a changed account or route takes effect within these.
_FRESH_FOR: Final = 5.0
#: Likewise for what weights are multiplied by, where any account shares a position.
_DRIFT_FRESH_FOR: Final = 2.0


@dataclass(frozen=True, slots=True)
class Outlet:
    """A provider and the account to use it with."""

    provider: Provider
    account: Account
    mode: Mode
    limits: Limits
    calls_back: bool = False
    numbers: NumberSource | None = None


#: Queue, push service where it is one, and mode: deliveries for which the same accounts come into question.
_Kind = tuple[Queue, str, Mode]


class Routes:
    """All active accounts and all routes, read again every few seconds; each account is opened, and its provider
    loaded, when it is needed.

    One whose credentials no key opens serves nobody, and is in nobody's way.
    """

    def __init__(self) -> None:
        self._read_at = self._drift_read_at = float("-inf")
        self._rows: tuple[ProviderAccount, ...] = ()
        self._opened: dict[str, Outlet | None] = {}
        self._written: Mapping[tuple[str, str], Sequence[_Row]] = {}
        self._rivals: Mapping[str, frozenset[str]] = {}
        self._factors: Mapping[str, float] = {}
        self._directories: dict[_Kind, Directory[Outlet]] = {}

    def directory(self, queue: Queue, service: str, mode: Mode) -> Directory[Outlet]:
        """The accounts for a queue's deliveries; `service` is the push service of a device, or empty."""
        self.refresh()
        kind = (queue, service, mode)
        if kind not in self._directories:
            self._directories[kind] = self._made(queue, service, mode)
        return self._directories[kind]

    def named(self, account: str) -> Outlet | None:
        """The account of this name: who calls back tells it in the webhook's address."""
        self.refresh()
        return next((self._open(row) for row in self._rows if row.name == account), None)

    @property
    def rivals(self) -> Mapping[str, frozenset[str]]:
        """The accounts that share a position of a route, each with those it shares it with; as they were last read."""
        return self._rivals

    def forget(self) -> None:
        """Read everything again at the next question."""
        self._read_at = self._drift_read_at = float("-inf")
        self._rivals, self._factors = {}, {}

    def refresh(self) -> None:
        """Read again what is older than a few seconds."""
        now = time.monotonic()
        if now - self._read_at > _FRESH_FOR:
            accounts = ProviderAccount.objects.active().select_related("diverted_to").order_by("rank", "name")
            self._rows = tuple(row for row in accounts if row.provider in registry.NAMES)
            self._written = _written()
            self._rivals = self._competing()
            self._opened, self._directories = {}, {}
            self._read_at = now
        if self._rivals and now - self._drift_read_at > _DRIFT_FRESH_FOR:
            if (factors := drifting.factors()) != self._factors:
                self._factors, self._directories = factors, {}
            self._drift_read_at = now

    # --- reading -----------------------------------------------------------------------------------
    def _competing(self) -> Mapping[str, frozenset[str]]:
        """Accounts that a delivery could be sent by as well as by others. A device has but one push service."""
        active = {row.name: row.provider for row in self._rows}
        return routing.rivals(
            _of(row.written, {name for name in active if channel != Channel.PUSH or active[name] == service})
            for (channel, _), rows in self._written.items()
            for row in rows
            for service in (set(row.providers.values()) if channel == Channel.PUSH else {""})
        )

    def _open(self, row: ProviderAccount) -> Outlet | None:
        if row.name not in self._opened:
            try:
                self._opened[row.name] = outlet_of(row)
            except Sealed as error:
                log.error("account.sealed", account=row.name, detail=str(error))
                self._opened[row.name] = None
        return self._opened[row.name]

    # --- making a directory ------------------------------------------------------------------------
    def _choice(self, row: ProviderAccount) -> Choice[Outlet] | None:
        """An account that can be used. Where a test account stands in, it sends under its own name, which nobody takes
        for the real thing; where that cannot be opened, nobody sends.
        """
        if row.diverted_to:
            return Choice(self._open(row.diverted_to), 1.0, kind="stand-in")
        outlet = self._open(row)
        return Choice(outlet, 1.0) if outlet else None

    def _made(self, queue: Queue, service: str, mode: Mode) -> Directory[Outlet]:
        channel = CHANNEL_OF[queue]
        serving = [row for row in self._rows if row.mode == mode and _serves(row.provider, channel, service)]
        usable = {row.name: choice for row in serving if (choice := self._choice(row))}
        written = [
            _of(row.written, {name for name, provider in row.providers.items() if _serves(provider, channel, service)})
            for row in self._written.get((channel, mode), ())
        ]
        tables = {
            prefix: Table(routing.ladder(route, usable, self._factors))
            for prefix, route in routing.fitting(written, queue).items()
        }
        by_rank = Table([[choice] for choice in usable.values()])
        return Directory(tables.pop("", by_rank), tables)


routes: Final = Routes()


@dataclass(frozen=True, slots=True)
class _Row:
    """A route out of the database, and the providers of its accounts."""

    written: Written
    providers: Mapping[str, str]


def _written() -> Mapping[tuple[str, str], Sequence[_Row]]:
    """All routes, by channel and mode. A step whose account has changed its mode since is left out."""
    found: dict[tuple[str, str], list[_Row]] = {}
    for route in Route.objects.prefetch_related("steps__account"):
        steps = [step for step in route.steps.all() if step.account.mode == route.mode]
        written = Written(
            route.queue,
            route.prefix,
            tuple(WrittenStep(step.account.name, step.position, step.weight) for step in steps),
        )
        providers = {step.account.name: step.account.provider for step in steps}
        found.setdefault((route.channel, route.mode), []).append(_Row(written, providers))
    return found


def _of(written: Written, accounts: Iterable[str]) -> Written:
    """A route without the steps of other accounts."""
    return Written(written.queue, written.prefix, tuple(step for step in written.steps if step.account in accounts))


def _serves(provider: str, channel: Channel, service: str) -> bool:
    """Whether a provider sends this channel's messages, and to devices of this push service alone where it is push."""
    if provider not in registry.NAMES or registry.channel_of(provider) is not channel:
        return False
    return channel is not Channel.PUSH or provider == service


def outlet_of(row: ProviderAccount) -> Outlet:
    """An account, opened. Raises `Sealed`."""
    provider = registry.provider(row.provider)
    endpoint = row.endpoint.rstrip("/") or provider.default_endpoint
    account = Account(row.name, endpoint, unseal(row.credentials), row.settings)
    limits = Limits(row.messages_per_s, row.segments_per_s, row.at_once)
    calls_back, numbers = registry.calls_back(row.provider), registry.numbers_of(row.provider)
    return Outlet(provider, account, Mode(row.mode), limits, calls_back, numbers)
