"""Twilio SendGrid, API v3: anymail composes the request.

The one adapter that needs Django, because anymail composes from Django's email messages.
"""

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime, quote
from functools import lru_cache
from html import escape
from re import IGNORECASE
from re import compile as pattern
from typing import Any, ClassVar, Final

import msgspec
from anymail.backends.sendgrid import EmailBackend
from anymail.exceptions import AnymailError, AnymailNotSupportedWarning
from django.core.mail import EmailMultiAlternatives

from accounts.channels import Channel
from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    BadAccount,
    ContentBad,
    CredentialBad,
    Exchange,
    Message,
    NoFunds,
    Outcome,
    Request,
    Response,
    Throttled,
    Token,
    Transient,
    Verdict,
)
from templates_app.content import EmailText

#: twilio.com/docs/sendgrid, "v3 API errors" and "Mail Send: responses", read 2026-11.
STATUSES: Final[Mapping[int, tuple[Verdict, str]]] = {
    400: (ContentBad, "the message is malformed"),
    401: (CredentialBad, "the API key is wrong or was revoked"),
    403: (CredentialBad, "the API key may not send, or the sender is not verified"),
    404: (CredentialBad, "the endpoint is not SendGrid's"),
    405: (CredentialBad, "the endpoint is not SendGrid's"),
    413: (ContentBad, "the message is over 30 MB"),
    429: (Throttled, "too many requests"),
}

#: Said with 401 or 403 once the plan's emails are used up.
_NO_CREDITS: Final = "maximum credits exceeded"
_RECIPIENT: Final = pattern(r"personalizations\.\d+\.to\.\d+\.email")
_BODY_TAG: Final = pattern(r"<body\b[^>]*>", IGNORECASE)
_PLACEHOLDER: Final = "recipient@example.com"


class Complaint(msgspec.Struct):
    """One thing that SendGrid does not like about a request."""

    message: str | None = None
    field: str | None = None


class Refusal(msgspec.Struct):
    """The body of every answer but 202."""

    errors: list[Complaint] = []


_REFUSAL: Final = msgspec.json.Decoder(Refusal)


@dataclass(frozen=True, slots=True)
class _Sender:
    """Everything that all messages of an account have in common."""

    endpoint: str
    api_key: str
    from_email: str
    from_name: str
    reply_to: str


@dataclass(frozen=True, slots=True)
class _Prototype:
    """A request as anymail composes it, and the backend that did."""

    url: str
    headers: Mapping[str, str]
    data: Mapping[str, Any]
    backend: EmailBackend


class SendGrid:
    """SendGrid Mail Send (twilio.com/docs/sendgrid/api-reference/mail-send)."""

    name: ClassVar[str] = "sendgrid"
    channel: ClassVar[Channel] = Channel.EMAIL
    default_endpoint: ClassVar[str] = "https://api.sendgrid.com"
    credentials: ClassVar[Mapping[str, str]] = {
        "api_key": "an API key that may send mail",
        "webhook_public_key": "optional: the verification key of the signed event webhook",
    }
    settings: ClassVar[Mapping[str, str]] = {
        "from_email": "the sender's address, of a verified domain",
        "from_name": "optional: the sender's name",
        "reply_to": "optional: where answers go",
    }

    def check(self, account: Account) -> None:
        """Raise `BadAccount` when the key is missing or the sender is no address."""
        _prototype(account)

    def authorise(self, _account: Account, _at: datetime, _exchange: Callable[[Request], Exchange]) -> None:
        """No token: the key goes with each request."""

    def compose(self, message: Message, account: Account, _token: Token | None) -> Request:
        """A request for one recipient, with a Message-ID that stays the same at every attempt.

        What anymail composed once for the account, with the personal fields put in: the same result at a tenth of
        the time, and an address that is never parsed as a list.
        """
        text = message.text
        if not isinstance(text, EmailText):
            raise TypeError("SendGrid takes an email")
        prototype = _prototype(account)
        delivery_id = str(message.delivery_id)
        data = {
            **prototype.data,
            "personalizations": [
                {
                    "to": [{"email": _ascii_domain(message.address, prototype.backend)}],
                    "custom_args": {"bongsu_delivery_id": delivery_id},
                }
            ],
            "headers": {"Message-ID": f"<{delivery_id}@{_domain(prototype.data['from']['email'])}>"},
            # A line break would end the header.
            "subject": " ".join(text.subject.split()),
            "content": _content(text),
        }
        return Request("POST", prototype.url, prototype.headers, msgspec.json.encode(data))

    def interpret(self, response: Response) -> Outcome:
        """The status decides, except that a refused recipient and used up credits are told by the body."""
        if response.status == 202:
            return Accepted(response.headers.get("x-message-id", ""))
        complaints = (response.read(_REFUSAL) or Refusal()).errors
        if any(_NO_CREDITS in (complaint.message or "").lower() for complaint in complaints):
            return NoFunds("the plan's emails are used up")
        fields = [complaint.field for complaint in complaints if complaint.field]
        if response.status == 400 and fields and all(_RECIPIENT.fullmatch(field) for field in fields):
            return AddressDead("400: not an email address")
        verdict, sentence = STATUSES.get(response.status, (Transient, "an error at SendGrid"))
        about = f" ({', '.join(fields)[:200]})" if fields else ""
        outcome = verdict(f"{response.status}: {sentence}{about}")
        match outcome:
            case Throttled():
                return msgspec.structs.replace(outcome, retry_after=response.retry_after or _until_reset(response))
            case Transient():
                return msgspec.structs.replace(outcome, retry_after=response.retry_after)
            case _:
                return outcome


def _prototype(account: Account) -> _Prototype:
    account.require(["api_key"], ["from_email"])
    settings = account.settings
    sender = _Sender(
        account.endpoint,
        account.credentials["api_key"],
        settings["from_email"],
        settings.get("from_name", ""),
        settings.get("reply_to", ""),
    )
    try:
        return _composed(sender)
    except (AnymailError, ValueError) as error:
        raise BadAccount(f"{account.name}: from_email and reply_to must each be one address ({error})") from error


@lru_cache(maxsize=64)
def _composed(sender: _Sender) -> _Prototype:
    with warnings.catch_warnings():
        # anymail no longer tests against SendGrid; our tests hold the result to SendGrid's own specification.
        warnings.simplefilter("ignore", AnymailNotSupportedWarning)
        backend = EmailBackend(api_key=sender.api_key, generate_message_id=False, api_url=f"{sender.endpoint}/v3/")
    email = EmailMultiAlternatives(
        subject="",
        body="",
        from_email=f'"{quote(sender.from_name)}" <{sender.from_email}>' if sender.from_name else sender.from_email,
        to=[_PLACEHOLDER],
        reply_to=[sender.reply_to] if sender.reply_to else None,
    )
    composed = backend.build_message_payload(email, {}).get_request_params(backend.api_url)
    headers = {name.lower(): value for name, value in composed["headers"].items()}
    return _Prototype(composed["url"], headers, json.loads(composed["data"]), backend)


def _ascii_domain(address: str, backend: EmailBackend) -> str:
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        encoded: str = backend.idna_encode(domain)
    except AnymailError:
        return address  # SendGrid will name the field
    return f"{local}{at}{encoded}"


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _content(text: EmailText) -> list[dict[str, str]]:
    # SendGrid wants plain text before HTML, and neither of them empty.
    parts = {"text/plain": text.text, "text/html": _with_preheader(text.html, text.preheader)}
    return [{"type": kind, "value": value} for kind, value in parts.items() if value]


def _with_preheader(html: str, preheader: str) -> str:
    """Put the line that mail programs show beside the subject first, hidden from the page itself."""
    if not (html and preheader):
        return html
    hidden = f'<div style="display:none;max-height:0;overflow:hidden">{escape(preheader)}</div>'
    body = _BODY_TAG.search(html)
    start = body.end() if body else 0
    return html[:start] + hidden + html[start:]


def _until_reset(response: Response) -> float | None:
    """`X-RateLimit-Reset` is a moment, in seconds since 1970; the answer's own `Date` says what is left until then."""
    try:
        answered = parsedate_to_datetime(response.headers.get("date", ""))
        return max(0.0, int(response.headers.get("x-ratelimit-reset", "")) - answered.timestamp())
    except (TypeError, ValueError):
        return None
