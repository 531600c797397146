"""Try a provider account: ask the provider what it thinks of the credentials, or send one message to oneself.

A person waits for the answer, so both end within ten seconds. Whatever happens is told in words, none of them secret.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec

from accounts.channels import Channel, PushService
from accounts.devices import SERVICES_OF, registration
from accounts.ids import new_id
from accounts.models import Device, Recipient, Suppression
from accounts.recipients import Invalid, normal_email, normal_phone
from notifications import tokens
from notifications.providers import registry
from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    Ambiguous,
    BadAccount,
    ContentBad,
    CredentialBad,
    Exchange,
    Forbidden,
    Message,
    NoAnswer,
    NoFunds,
    NotSent,
    OptedOut,
    Outcome,
    Outgoing,
    Provider,
    Request,
    Response,
    Throttled,
    Token,
    TokenUnavailable,
    Transient,
    Unsendable,
)
from notifications.providers.probing import Judgement, Standing
from notifications.vocabulary import Urgency
from notifications.wire import wire
from templates_app.content import EmailText, PushText, SmsText, Text

#: Seconds for each of the two requests that it may take: one for a token, one for the answer.
PATIENCE: Final = 4.5
#: Devices of one person that a test goes to by one account; a person waits for each.
_MOST_DEVICES: Final = 5


class NoAddress(Exception):
    """Nobody can be reached there by this account; the message says why."""


class _Failed(Exception):
    """No answer that could be judged; what there is to say instead."""

    def __init__(self, says: str) -> None:
        super().__init__(says)
        self.judgement = Judgement(Standing.UNCLEAR, says)


def check(provider: Provider, account: Account, at: datetime) -> Judgement:
    """What the provider thinks of these credentials; nobody is sent anything."""
    prober = registry.prober_of(provider.name)
    if prober is None:
        return Judgement(Standing.UNCLEAR, f"{provider.name} has no harmless request to ask with; send a test instead.")
    try:
        provider.check(account)
        # a token that is held already would hide that its key was revoked since
        token = _token(provider, account, at, provider.authorise if prober.renews_token else None)
        return prober.judge(_answer(prober.probe(account, token)))
    except _Failed as failed:
        return failed.judgement
    except BadAccount as error:
        return _of_bad(error)


def send(provider: Provider, account: Account, address: str, at: datetime, text: Text | None = None) -> Judgement:
    """Send `text`, or a short one about the account, to `address`, and tell what became of it."""
    message = Message(new_id(), address, text or _text(provider.channel, account, at), Urgency.NORMAL, at)
    try:
        outcome = _sent(provider, account, message)
        if isinstance(outcome, CredentialBad) and outcome.stale_token:
            tokens.forget(account)
            outcome = _sent(provider, account, message)
    except _Failed as failed:
        return failed.judgement
    except Unsendable as unsendable:
        return _told(unsendable.outcome)
    except BadAccount as error:
        return _of_bad(error)
    return _told(outcome)


def address_of(given: str, provider: Provider) -> str:
    """The address that a person means: one written out, or that of a recipient by their external id.

    Raises `NoAddress`, also for an address that nobody may send to.
    """
    return addresses_of(given, provider)[0]


def addresses_of(given: str, provider: Provider) -> list[str]:
    """As `address_of`; of a recipient all devices that a push provider reaches, the one that was seen last first."""
    written = given.strip()
    known = Recipient.objects.known_as([written]).first()
    try:
        addresses = _addresses_of(known, provider) if known else [_normal(written, provider)]
    except Invalid as error:
        raise NoAddress(f"{error} Or write a recipient's external id.") from None
    suppressed = Suppression.objects.filter(channel=provider.channel)
    left = [one for one in addresses if not suppressed.standing([one]).exists()]
    if not left:
        raise NoAddress("This address is suppressed: nobody may send to it. Its suppression says why.")
    return left


def _addresses_of(known: Recipient, provider: Provider) -> list[str]:
    if provider.channel is not Channel.PUSH:
        address = known.phone if provider.channel is Channel.SMS else known.email
        if not address:
            raise NoAddress(f"{known.external_id} has no {'phone' if provider.channel is Channel.SMS else 'email'}.")
        return [address]
    devices = Device.objects.live().filter(recipient=known, service=provider.name).order_by("-seen_at")
    if not devices:
        raise NoAddress(f"{known.external_id} has no device that {provider.name} reaches.")
    return [device.token for device in devices[:_MOST_DEVICES]]


def _normal(written: str, provider: Provider) -> str:
    match provider.channel:
        case Channel.SMS:
            return normal_phone(written)
        case Channel.EMAIL:
            return normal_email(written)
        case Channel.PUSH:
            service = PushService(provider.name)
            platform = next(platform for platform, services in SERVICES_OF.items() if service in services)
            return registration(platform, written, service=service).token


def _text(channel: Channel, account: Account, at: datetime) -> Text:
    body = f"This is a test of {account.name}, sent {at:%Y-%m-%d %H:%M} UTC."
    match channel:
        case Channel.SMS:
            return SmsText(f"Bongsu: {body}")
        case Channel.EMAIL:
            return EmailText(subject="Bongsu: a test", text=body, html=f"<p>{body}</p>")
        case Channel.PUSH:
            return PushText(title="Bongsu: a test", body=body)


def _sent(provider: Provider, account: Account, message: Message) -> Outcome:
    token = _token(provider, account, message.at, None)
    return provider.interpret(_answer(provider.compose(message, account, token)))


_Authorise = Callable[[Account, datetime, Callable[[Request], Exchange]], Token | None]


def _token(provider: Provider, account: Account, at: datetime, anew: _Authorise | None) -> Token | None:
    return anew(account, at, _exchange) if anew else tokens.current(provider, account, at, _exchange)


def _exchange(outgoing: Outgoing) -> Exchange:
    return wire.exchange_one(msgspec.structs.replace(outgoing, timeout=min(outgoing.timeout or PATIENCE, PATIENCE)))


def _answer(outgoing: Outgoing) -> Response:
    host = urlsplit(outgoing.url).netloc
    match _exchange(outgoing):
        case Response() as response:
            return response
        case NotSent(detail=detail):
            raise _Failed(f"{host} could not be reached: {detail}.")
        case NoAnswer(detail=detail):
            raise _Failed(f"{host} gave no answer: {detail}.")
        case Forbidden(detail=detail):
            raise _Failed(f"{host} is no place to send to: {detail}.")


def _of_bad(error: BadAccount) -> Judgement:
    standing = Standing.UNCLEAR if isinstance(error, TokenUnavailable) else Standing.REFUSED
    return Judgement(standing, f"{error}.")


def _told(outcome: Outcome) -> Judgement:
    match outcome:
        case Accepted(provider_ref=ref):
            return Judgement(Standing.WORKS, f"The provider took it{f', as {ref}' if ref else ''}.")
        case CredentialBad(detail=detail) | NoFunds(detail=detail):
            return Judgement(Standing.REFUSED, f"The account is refused. {detail}.")
        case AddressDead(detail=detail):
            return Judgement(Standing.UNCLEAR, f"The account is taken, the address is not. {detail}.")
        case OptedOut(detail=detail):
            return Judgement(Standing.UNCLEAR, f"The account is taken, but this person opted out. {detail}.")
        case ContentBad(detail=detail):
            return Judgement(Standing.UNCLEAR, f"The account is taken, the message is not. {detail}.")
        case Throttled(detail=detail):
            return Judgement(Standing.UNCLEAR, f"Too fast; try again in a while. {detail}.")
        case Transient(detail=detail):
            return Judgement(Standing.UNCLEAR, f"A passing failure; try again. {detail}.")
        case Forbidden(detail=detail):
            return Judgement(Standing.UNCLEAR, f"The address leads where nothing is sent. {detail}.")
        case Ambiguous(detail=detail):
            return Judgement(Standing.UNCLEAR, f"Nobody can say whether it was sent. {detail}.")
