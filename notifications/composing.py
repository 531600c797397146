"""From claimed deliveries to the requests that send them: account, text, token, request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.channels import Channel, PushService
from notifications import tokens
from notifications.ledger.claim import Claimed, Shared
from notifications.providers.contract import Exchange, Message, Request, Token
from notifications.routes import Route, routes
from notifications.vocabulary import CHANNEL_OF
from templates_app import catalogue
from templates_app.content import Text


class NoAccount(Exception):
    """No active provider account serves this delivery."""


@dataclass(frozen=True, slots=True)
class Composed:
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
        self._routes: dict[tuple[Channel, str, str], Route | None] = {}
        self._tokens: dict[str, Token | None] = {}
        self._texts: dict[tuple[UUID, Channel, str], Text] = {}

    def compose(self, claimed: Claimed, shared: Shared) -> Composed:
        """The request for one delivery.

        Raises `NoAccount`, `RenderError` where the template says nothing sensible, and `BadAccount`.
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
        """The account by which a delivery goes. Raises `NoAccount`."""
        channel = CHANNEL_OF[claimed.queue]
        key = (channel, claimed.service, shared.mode.value)
        if key not in self._routes:
            is_push = channel is Channel.PUSH
            self._routes[key] = (
                routes.for_push(PushService(claimed.service), shared.mode)
                if is_push
                else routes.for_channel(channel, shared.mode)
            )
        route = self._routes[key]
        if route is None:
            raise NoAccount
        return route

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
