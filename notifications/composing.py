"""From claimed deliveries to the requests that send them: account, text, token, request."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from math import inf
from uuid import UUID

import msgspec

from accounts import links
from accounts.channels import Channel, Mode, Platform
from accounts.links import Subject
from notifications import charging, moulds, tokens
from notifications.breakers import breakers
from notifications.ledger.claim import Claim, Claimed, Shared
from notifications.ledger.spending import Charge
from notifications.moulds import Mould
from notifications.numbers import NoNumber, Numbers
from notifications.permits import Permits, Refusal
from notifications.planning.routing import Directory, starting_after, starting_with
from notifications.planning.segments import segments
from notifications.planning.values import Hold
from notifications.providers.contract import (
    BadAccount,
    CredentialBad,
    Crowd,
    Exchange,
    Message,
    Outgoing,
    Refused,
    Request,
    Throttled,
    Token,
    TokenUnavailable,
    Transient,
    Unsendable,
)
from notifications.routes import Outlet, routes
from notifications.silence import Silence
from notifications.vocabulary import CHANNEL_OF, Queue, Reason
from templates_app import catalogue
from templates_app.content import PLATFORM_OF, SmsText, Text


class Asleep(Exception):
    """It is night where the person is; the message has to wait until `until`. The text says why."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(hold.detail)
        self.until = hold.until


class NoAccount(Exception):
    """No active provider account serves this delivery."""


class MustWait(Exception):
    """No account that could serve may be sent to now; in `seconds` it is this delivery's turn at the first of them."""

    def __init__(self, refusal: Refusal, seconds: float) -> None:
        super().__init__(refusal.why)
        self.reason = refusal.reason
        self.seconds = seconds


class Unusable(Exception):
    """The account that was chosen cannot send this: `outcome` says whose fault that is, and why."""

    def __init__(self, outlet: Outlet, cause: BadAccount | Unsendable | NoNumber) -> None:
        super().__init__(str(cause))
        self.outlet = outlet
        self.outcome = _outcome(cause)


class Composed(msgspec.Struct, frozen=True, gc=False):
    """A request, and the account by which it goes.

    `order` is that of all accounts for this delivery; `detour` says why it does not go by the first of them, and is
    empty where it does. `charge` is what it costs once it is sent; None where that is nothing.
    """

    outlet: Outlet
    request: Outgoing
    order: Sequence[Outlet]
    detour: str = ""
    charge: Charge | None = None

    @property
    def others(self) -> Sequence[str]:
        """The names of the accounts whose turn comes after this one's."""
        return [outlet.account.name for outlet in self.order[self.order.index(self.outlet) + 1 :]]


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
        self._directories: dict[tuple[Queue, str, Mode], Directory[Outlet]] = {}
        self._silence = Silence(held, at)
        self._permits = Permits(len(held.deliveries))
        self._tokens: dict[str, Token | None] = {}
        self._numbers: dict[str, Numbers] = {}
        self._moulds: dict[tuple[UUID, Channel, str, Platform | None], Mould] = {}
        #: The delivery that is being composed, and what is said in it.
        self._said: tuple[Claimed, Text] | None = None

    def compose(self, claimed: Claimed) -> Composed:
        """The request for one delivery.

        Raises `Asleep`, `NoAccount`, `MustWait`, `Unusable`, and `RenderError` where the template says nothing
        sensible.
        """
        shared = self._notifications[claimed.notification_id]
        try:
            if hold := self._silence.of(claimed, shared):
                raise Asleep(hold)
            order = self._order(claimed, shared)
            if claimed.account:
                return self._by_another(claimed, shared, order)
            return self._by_first(claimed, shared, order)
        finally:
            self._permits.done_with_one()

    def close(self) -> None:
        """Nothing more is composed."""
        self._permits.close()

    def _order(self, claimed: Claimed, shared: Shared) -> Sequence[Outlet]:
        """The accounts by which a delivery can go, the first choice first."""
        key = (claimed.queue, claimed.service, shared.mode)
        directory = self._directories.get(key)
        if directory is None:
            directory = self._directories[key] = routes.directory(*key)
        return directory.order(claimed.id, claimed.address)

    def _by_another(self, claimed: Claimed, shared: Shared, order: Sequence[Outlet]) -> Composed:
        """What failed at one account goes by the one that comes after it, if there is any."""
        failed = next((outlet for outlet in order if outlet.account.name == claimed.account), None)
        if failed is None:
            return self._by_first(claimed, shared, order)
        # one that takes a message once, however often it is asked, is the one to ask about what is in doubt
        again = claimed.is_in_doubt and failed.numbers is not None
        turn = starting_with(order, failed) if again else starting_after(order, failed)
        composed = self._by_first(claimed, shared, turn)
        if composed.outlet is failed:
            return msgspec.structs.replace(composed, order=order)
        why = f"{claimed.account} had failed" + (f" and {composed.detour}" if composed.detour else "")
        return msgspec.structs.replace(composed, order=order, detour=why)

    def _by_first(self, claimed: Claimed, shared: Shared, order: Sequence[Outlet]) -> Composed:
        """By the first account whose breaker is closed, whose buckets have room, and that can be used at all."""
        refusals: list[Refusal] = []
        unusable: list[Unusable] = []
        for place, outlet in enumerate(order):
            if refusals and outlet.account.name == claimed.account and _any_may_soon(refusals):
                break  # better the turn of another than at once the one that failed
            refusal = self._permits.refusal(outlet, shared.urgency, lambda: self._segments(claimed, shared))
            if refusal:
                refusals.append(refusal)
                continue
            try:
                request = self._request(outlet, claimed, shared)
            except Unsendable as error:
                raise Unusable(outlet, error) from None
            except (BadAccount, NoNumber) as error:
                unusable.append(Unusable(outlet, error))
                if len(order) > 1 and not isinstance(unusable[-1].outcome, Throttled):
                    breakers.useless(outlet.account.name, str(error))
                continue
            charge = self._charge(outlet, claimed, shared)
            if not place:
                return Composed(outlet, request, order, charge=charge)
            why = [f"{one.outlet.account.name} cannot be used: {one}" for one in unusable]
            return Composed(outlet, request, order, " and ".join([*(one.why for one in refusals), *why]), charge)
        if refusals:
            soonest = min(refusals, key=lambda refusal: refusal.wait)
            raise MustWait(soonest, self._permits.place(soonest, shared.urgency))
        if unusable:
            raise unusable[0]
        raise NoAccount

    def _request(self, outlet: Outlet, claimed: Claimed, shared: Shared) -> Outgoing:
        message = Message(
            delivery_id=claimed.id,
            address=claimed.address,
            text=self._text(claimed, shared),
            urgency=shared.urgency,
            at=self.at,
            expires_at=shared.expires_at,
            callback_url=f"{self._public_url}/v1/webhooks/{outlet.account.name}/{claimed.id}",
            number=self._number(outlet, claimed),
            headers=_headers(claimed, shared),
        )
        request = outlet.provider.compose(message, outlet.account, self._token(outlet))
        at_once = outlet.limits.at_once
        crowd = Crowd(outlet.account.name, at_once) if at_once else None
        return msgspec.structs.replace(request, crowd=crowd, start_by=self._start_by)

    def _segments(self, claimed: Claimed, shared: Shared) -> int:
        text = self._text(claimed, shared)
        return segments(text.body) if isinstance(text, SmsText) else 1

    def _charge(self, outlet: Outlet, claimed: Claimed, shared: Shared) -> Charge | None:
        channel = CHANNEL_OF[claimed.queue]
        if charging.is_free(outlet.mode, channel):
            return None
        parts = self._segments(claimed, shared)
        price = charging.price(outlet.account.name, channel, claimed.address, parts, self.at.date())
        return Charge(shared.version_id, shared.part_of, channel, parts, price.amount, price.currency)

    def _text(self, claimed: Claimed, shared: Shared) -> Text:
        """What is said, with the links and the picture that tell what this person did with it."""
        if self._said is None or self._said[0] is not claimed:
            self._said = (claimed, self._rendered(claimed, shared))
        return self._said[1]

    def _rendered(self, claimed: Claimed, shared: Shared) -> Text:
        """Rendered once for all to whom the same is said in one language, but for what is each one's own link."""
        channel = CHANNEL_OF[claimed.queue]
        edition = catalogue.edition(shared.version_id)
        said = (channel, claimed.locale)
        platform = PLATFORM_OF.get(claimed.service)
        asked = edition.content.links_on(channel)
        own = links.urls(asked, _subject(claimed), edition.category.id) if asked else {}
        if not claimed.data and edition.content.writes_links_as_they_are(channel):
            key = (shared.id, *said, platform)
            mould = self._moulds.get(key)
            if mould is None:
                text = edition.render(*said, {**shared.data, **moulds.marks(asked)}, platform)
                mould = self._moulds[key] = moulds.moulded(text, edition.category)
            if mould.fits_all:
                return mould.filled(claimed.id, own)
        text = edition.render(*said, {**shared.data, **(claimed.data or {}), **own}, platform)
        return moulds.moulded(text, edition.category).filled(claimed.id, own)

    def _token(self, outlet: Outlet) -> Token | None:
        name = outlet.account.name
        if name not in self._tokens:
            self._tokens[name] = tokens.current(outlet.provider, outlet.account, self.at, self._exchange_one)
        return self._tokens[name]

    def _number(self, outlet: Outlet, claimed: Claimed) -> str:
        """The number under which the provider takes this delivery once; "" where it hands out none."""
        if outlet.numbers is None:
            return ""
        name = outlet.account.name
        if name not in self._numbers:
            alike = [one.id for one in self._deliveries if one.service == claimed.service]
            self._numbers[name] = Numbers(outlet.numbers, outlet.account, alike, self._exchange_one)
        return self._numbers[name].of(claimed.id)


def _outcome(cause: BadAccount | Unsendable | NoNumber) -> Refused:
    match cause:
        case Unsendable() | NoNumber():
            return cause.outcome
        case TokenUnavailable():  # a token service that does not answer passes; credentials that cannot work do not
            return Transient(str(cause))
        case _:
            return CredentialBad(str(cause))


def _any_may_soon(refusals: Sequence[Refusal]) -> bool:
    """Whether one of these accounts only waits for its turn."""
    return any(refusal.reason is Reason.PACED for refusal in refusals)


def _headers(claimed: Claimed, shared: Shared) -> Mapping[str, str]:
    """What an email carries besides: the way to unsubscribe, where one may."""
    if claimed.queue is not Queue.EMAIL:
        return {}
    category = catalogue.edition(shared.version_id).category
    return {} if category.is_critical else links.headers(_subject(claimed), category.id)


def _subject(claimed: Claimed) -> Subject:
    return Subject(CHANNEL_OF[claimed.queue], claimed.recipient_id, claimed.address)
