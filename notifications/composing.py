"""From claimed deliveries to the requests that send them: account, text, token, request."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from accounts.channels import Channel, PushService
from notifications import tokens
from notifications.ledger.claim import Claimed, Shared
from notifications.pacing import PROBES, Gate, Permission, breakers
from notifications.providers.contract import Exchange, Message, Request, Token
from notifications.routes import Route, routes
from notifications.vocabulary import CHANNEL_OF
from templates_app import catalogue
from templates_app.content import Text


class NoAccount(Exception):
    """No active provider account serves this delivery."""


class AllResting(Exception):
    """The breakers of all accounts that could serve are open; `until` (epoch seconds) the first is to be tried."""

    def __init__(self, account: str, until: float) -> None:
        super().__init__(f"the breaker of {account} is open")
        self.until = until


class Composed(msgspec.Struct, frozen=True, gc=False):
    """A request, and the account by which it goes."""

    route: Route
    request: Request


class Composer:
    """Composes one batch. What its deliveries have in common is found out once.

    `exchange_one` performs a request for providers that trade a key for a token. `public_url` is where they call back.
    """

    def __init__(self, exchange_one: Callable[[Request], Exchange], public_url: str, at: datetime) -> None:
        self._exchange_one = exchange_one
        self._public_url = public_url
        #: The moment at which the batch is composed.
        self.at = at
        self._routes: dict[tuple[Channel, str, str], Sequence[Route]] = {}
        self._permissions: dict[str, Permission] = {}
        self._probes: Counter[str] = Counter()
        self._tokens: dict[str, Token | None] = {}
        self._texts: dict[tuple[UUID, Channel, str], Text] = {}

    def compose(self, claimed: Claimed, shared: Shared) -> Composed:
        """The request for one delivery.

        Raises `NoAccount`, `AllResting`, `RenderError` where the template says nothing sensible, and `BadAccount`.
        """
        channel = CHANNEL_OF[claimed.queue]
        route = self.route(claimed, shared)
        message = Message(
            delivery_id=claimed.id,
            address=claimed.address,
            text=self._text(claimed, shared, channel),
            urgency=shared.urgency,
            at=self.at,
            expires_at=shared.expires_at,
            callback_url=f"{self._public_url}/v1/webhooks/{route.account.name}/{claimed.id}",
        )
        return Composed(route, route.provider.compose(message, route.account, self._token(route)))

    def route(self, claimed: Claimed, shared: Shared) -> Route:
        """The account by which a delivery goes: the first whose breaker lets it. Raises `NoAccount`, `AllResting`."""
        channel = CHANNEL_OF[claimed.queue]
        key = (channel, claimed.service, shared.mode.value)
        if key not in self._routes:
            is_push = channel is Channel.PUSH
            self._routes[key] = (
                routes.for_push(PushService(claimed.service), shared.mode)
                if is_push
                else routes.for_channel(channel, shared.mode)
            )
        candidates = self._routes[key]
        if not candidates:
            raise NoAccount
        for route in candidates:
            if self._may_send(route.account.name):
                return route
        soonest = min(candidates, key=lambda route: self._permissions[route.account.name].until)
        raise AllResting(soonest.account.name, self._permissions[soonest.account.name].until)

    def _may_send(self, account: str) -> bool:
        permission = self._permissions.get(account)
        if permission is None:
            permission = self._permissions[account] = breakers.permission(account)
        if permission.gate is Gate.HALF_OPEN:
            self._probes[account] += 1
            if self._probes[account] > PROBES:
                # the others wait for what these few come to
                self._permissions[account] = Permission(Gate.OPEN, time.time() + 1)
                return False
        return permission.gate is not Gate.OPEN

    def _text(self, claimed: Claimed, shared: Shared, channel: Channel) -> Text:
        """What is said; the same for all whose notification says nothing to them alone, in one language."""
        if claimed.data:
            return _rendered(claimed, shared, channel, {**shared.data, **claimed.data})
        key = (shared.id, channel, claimed.locale)
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = _rendered(claimed, shared, channel, shared.data)
        return text

    def _token(self, route: Route) -> Token | None:
        name = route.account.name
        if name not in self._tokens:
            self._tokens[name] = tokens.current(route.provider, route.account, self.at, self._exchange_one)
        return self._tokens[name]


def _rendered(claimed: Claimed, shared: Shared, channel: Channel, data: Mapping[str, Any]) -> Text:
    return catalogue.edition(shared.version_id).content.render(channel, claimed.locale, data)
