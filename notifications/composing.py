"""From claimed deliveries to the requests that send them: account, text, token, request."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from math import inf
from typing import Any
from uuid import UUID

import msgspec

from accounts.channels import Channel, PushService
from notifications import tokens
from notifications.ledger.claim import Claim, Claimed, Shared
from notifications.numbers import NoNumber, Numbers
from notifications.permits import Permits, Refusal
from notifications.planning.segments import segments
from notifications.providers.contract import (
    BadAccount,
    CredentialBad,
    Crowd,
    Exchange,
    Message,
    Outgoing,
    Refused,
    Request,
    Token,
    TokenUnavailable,
    Transient,
    Unsendable,
)
from notifications.routes import Route, routes
from notifications.vocabulary import CHANNEL_OF
from templates_app import catalogue
from templates_app.content import SmsText, Text


class NoAccount(Exception):
    """No active provider account serves this delivery."""


class MustWait(Exception):
    """No account that could serve may be sent to now; in `seconds` it is this delivery's turn at the first of them."""

    def __init__(self, refusal: Refusal, seconds: float) -> None:
        super().__init__(f"{refusal.account}: {refusal.reason}")
        self.reason = refusal.reason
        self.seconds = seconds


class Unusable(Exception):
    """The account that was chosen cannot send this: `outcome` says whose fault that is, and why."""

    def __init__(self, route: Route, cause: BadAccount | Unsendable | NoNumber) -> None:
        super().__init__(str(cause))
        self.route = route
        self.outcome = _outcome(cause)


class Composed(msgspec.Struct, frozen=True, gc=False):
    """A request, and the account by which it goes."""

    route: Route
    request: Outgoing


class Composer:
    """Composes what one claim holds. What its deliveries have in common is found out once.

    `exchange_one` performs a request for providers that trade a key for a token. `public_url` is where they call back.
    After `start_by`, a moment of the monotonic clock, none of its requests may begin. Close it when all is composed, so
    that what accounts were granted and did not send is theirs again.
    """

    def __init__(
        self,
        held: Claim,
        exchange_one: Callable[[Request], Exchange],
        public_url: str,
        at: datetime,
        *,
        start_by: float = inf,
    ) -> None:
        self._notifications = held.notifications
        self._start_by = start_by
        self._deliveries = held.deliveries
        self._exchange_one = exchange_one
        self._public_url = public_url
        #: The moment at which the batch is composed.
        self.at = at
        self._routes: dict[tuple[Channel, str, str], Sequence[Route]] = {}
        self._permits = Permits(len(held.deliveries))
        self._tokens: dict[str, Token | None] = {}
        self._numbers: dict[str, Numbers] = {}
        self._texts: dict[tuple[UUID, Channel, str], Text] = {}

    def compose(self, claimed: Claimed) -> Composed:
        """The request for one delivery.

        Raises `NoAccount`, `MustWait`, `Unusable`, and `RenderError` where the template says nothing sensible.
        """
        shared = self._notifications[claimed.notification_id]
        try:
            route = self._route(claimed, shared)
        finally:
            self._permits.done_with_one()
        text = self._text(claimed, shared)
        try:
            message = Message(
                delivery_id=claimed.id,
                address=claimed.address,
                text=text,
                urgency=shared.urgency,
                at=self.at,
                expires_at=shared.expires_at,
                callback_url=f"{self._public_url}/v1/webhooks/{route.account.name}/{claimed.id}",
                number=self._number(route, claimed),
            )
            request = route.provider.compose(message, route.account, self._token(route))
        except (BadAccount, Unsendable, NoNumber) as error:
            raise Unusable(route, error) from None
        at_once = route.limits.at_once
        crowd = Crowd(route.account.name, at_once) if at_once else None
        return Composed(route, msgspec.structs.replace(request, crowd=crowd, start_by=self._start_by))

    def close(self) -> None:
        """Nothing more is composed."""
        self._permits.close()

    def _route(self, claimed: Claimed, shared: Shared) -> Route:
        """The account by which a delivery goes: the first whose breaker is closed and whose buckets have room."""
        refusals = []
        for route in self._candidates(claimed, shared):
            refusal = self._permits.refusal(route, shared.urgency, lambda: self._segments(claimed, shared))
            if refusal is None:
                return route
            refusals.append(refusal)
        if not refusals:
            raise NoAccount
        soonest = min(refusals, key=lambda refusal: refusal.wait)
        raise MustWait(soonest, self._permits.place(soonest, shared.urgency))

    def _candidates(self, claimed: Claimed, shared: Shared) -> Sequence[Route]:
        channel = CHANNEL_OF[claimed.queue]
        key = (channel, claimed.service, shared.mode.value)
        if key not in self._routes:
            is_push = channel is Channel.PUSH
            self._routes[key] = (
                routes.for_push(PushService(claimed.service), shared.mode)
                if is_push
                else routes.for_channel(channel, shared.mode)
            )
        return self._routes[key]

    def _segments(self, claimed: Claimed, shared: Shared) -> int:
        text = self._text(claimed, shared)
        return segments(text.body) if isinstance(text, SmsText) else 1

    def _text(self, claimed: Claimed, shared: Shared) -> Text:
        """What is said; the same for all whose notification says nothing to them alone, in one language."""
        channel = CHANNEL_OF[claimed.queue]
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

    def _number(self, route: Route, claimed: Claimed) -> str:
        """The number under which the provider takes this delivery once; "" where it hands out none."""
        if route.numbers is None:
            return ""
        name = route.account.name
        if name not in self._numbers:
            alike = [one.id for one in self._deliveries if one.service == claimed.service]
            self._numbers[name] = Numbers(route.numbers, route.account, alike, self._exchange_one)
        return self._numbers[name].of(claimed.id)


def _outcome(cause: BadAccount | Unsendable | NoNumber) -> Refused:
    match cause:
        case Unsendable() | NoNumber():
            return cause.outcome
        case TokenUnavailable():  # a token service that does not answer passes; credentials that cannot work do not
            return Transient(str(cause))
        case _:
            return CredentialBad(str(cause))


def _rendered(claimed: Claimed, shared: Shared, channel: Channel, data: Mapping[str, Any]) -> Text:
    return catalogue.edition(shared.version_id).content.render(channel, claimed.locale, data)
