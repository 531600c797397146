"""Twilio SendGrid, API v3: anymail composes the request."""

import warnings
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from re import compile as pattern
from typing import ClassVar, Final

import msgspec
from anymail.backends.sendgrid import EmailBackend
from anymail.exceptions import AnymailNotSupportedWarning

from accounts.channels import Channel
from notifications.providers import prototypes
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
from notifications.providers.mail import ascii_domain, message_id, one_line
from notifications.providers.prototypes import Prototype, Sender
from notifications.providers.sendgrid.receipts import public_key
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
#: What is known of a key's shape: SendGrid's documents show it, and do not promise it.
_API_KEY: Final = pattern(r"SG\.[A-Za-z0-9_.-]+")
_RECIPIENT: Final = pattern(r"personalizations\.\d+\.to\.\d+\.email")


class Complaint(msgspec.Struct):
    """One thing that SendGrid does not like about a request."""

    message: str | None = None
    field: str | None = None


class Refusal(msgspec.Struct):
    """The body of every answer but 202."""

    errors: list[Complaint] = []


_REFUSAL: Final = msgspec.json.Decoder(Refusal)


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
        """Raise `BadAccount` when the key is none of SendGrid's, or the sender is no address."""
        account.require(["api_key"])
        api_key = account.credentials["api_key"]
        if not _API_KEY.fullmatch(api_key):
            raise BadAccount(f"{account.name}: api_key is {self.credentials['api_key']}; one begins with SG.")
        if account.credentials.get("webhook_public_key"):
            public_key(account)
        prototypes.prototype(account, _composed)

    def authorise(self, _account: Account, _at: datetime, _exchange: Callable[[Request], Exchange]) -> None:
        """No token: the key goes with each request."""

    def compose(self, message: Message, account: Account, _token: Token | None) -> Request:
        """A request for one recipient, with a Message-ID that stays the same at every attempt."""
        text = message.text
        if not isinstance(text, EmailText):
            raise TypeError("SendGrid takes an email")
        prototype = prototypes.prototype(account, _composed)
        data = {
            **prototype.data,
            "personalizations": [
                {
                    "to": [{"email": ascii_domain(message.address)}],
                    "custom_args": {"bongsu_delivery_id": str(message.delivery_id)},
                }
            ],
            "headers": {
                "Message-ID": message_id(message.delivery_id, prototype.data["from"]["email"]),
                **message.headers,
            },
            "subject": one_line(text.subject),
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


@lru_cache(maxsize=64)
def _composed(sender: Sender) -> Prototype:
    with warnings.catch_warnings():
        # anymail no longer tests against SendGrid; our tests hold the result to SendGrid's own specification.
        warnings.simplefilter("ignore", AnymailNotSupportedWarning)
        backend = EmailBackend(api_key=sender.api_key, generate_message_id=False, api_url=f"{sender.endpoint}/v3/")
    return prototypes.compose(sender, backend)


def _content(text: EmailText) -> list[dict[str, str]]:
    # SendGrid wants plain text before HTML, and neither of them empty.
    parts = {"text/plain": text.text, "text/html": text.html}
    return [{"type": kind, "value": value} for kind, value in parts.items() if value]


def _until_reset(response: Response) -> float | None:
    """`X-RateLimit-Reset` is a moment, in seconds since 1970; the answer's own `Date` says what is left until then."""
    try:
        answered = parsedate_to_datetime(response.headers.get("date", ""))
        return max(0.0, int(response.headers.get("x-ratelimit-reset", "")) - answered.timestamp())
    except (TypeError, ValueError):
        return None
