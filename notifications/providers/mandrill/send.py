"""Mailchimp Transactional (Mandrill): anymail composes the request."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, Final

import msgspec
from anymail.backends.mandrill import EmailBackend

from accounts.channels import Channel
from notifications.providers import prototypes
from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    Ambiguous,
    BadAccount,
    ContentBad,
    CredentialBad,
    Exchange,
    Message,
    NoFunds,
    OptedOut,
    Outcome,
    Refused,
    Request,
    Response,
    Throttled,
    Token,
    Transient,
    Verdict,
)
from notifications.providers.mail import ascii_domain, message_id, one_line
from notifications.providers.prototypes import Prototype, Sender
from notifications.vocabulary import Urgency
from templates_app.content import EmailText

#: `reject_reason` of a result with status `rejected` (mailchimp.com/developer/transactional/api/messages, and its
#: OpenAPI document, version 1.4.0, read 2026-11). The same in the news of a rejection.
REJECTIONS: Final[Mapping[str, tuple[Verdict, str]]] = {
    "hard-bounce": (AddressDead, "an email to it bounced for good"),
    "invalid": (AddressDead, "not an address that takes email"),
    # On Mandrill's denylist for hours or days, after which it is tried again by itself.
    "soft-bounce": (Transient, "emails to it bounced of late"),
    "spam": (OptedOut, "the person reported an email as spam"),
    "unsub": (OptedOut, "the person unsubscribed"),
    # What the account's owner set up against an address or a text says nothing about the person.
    "custom": (ContentBad, "the address is on the account's own denylist"),
    "rule": (ContentBad, "a rule of the account rejects it"),
    "invalid-sender": (CredentialBad, "the sender is no address that may send"),
    "unsigned": (CredentialBad, "the sender's domain is not verified, or lacks SPF or DKIM"),
    "test-mode-limit": (NoFunds, "the limit of test emails is used up"),
}

#: `queued_reason` of a result with status `queued`, where the account stands still: whenever that ends, Mandrill sends
#: the email by itself, so it is in doubt. With any other reason, such as `attachments`, it is on its way.
STANDSTILLS: Final[Mapping[str, str]] = {
    "hourly-quota-exhausted": "the hourly quota is used up",
    "monthly-limit-reached": "the monthly limit is reached",
    "free-trial-sends-exhausted": "the free trial is used up",
    "sending-paused": "sending is paused",
    "sending-suspended": "sending is suspended",
    "account-suspended": "the account is suspended",
}

#: Names of errors that concern an email. The other methods' names, such as Unknown_Webhook, are unknown here.
ERRORS: Final[Mapping[str, tuple[Verdict, str]]] = {
    "Invalid_Key": (CredentialBad, "the API key is wrong or was revoked"),
    "PaymentRequired": (NoFunds, "the account's plan does not pay for this"),
    "RequestLimitExceeded": (Throttled, "too many requests"),
    "ValidationError": (ContentBad, "the message is malformed"),
    "Invalid_Tag_Name": (ContentBad, "a tag is malformed"),
    "Invalid_Template": (ContentBad, "the template is malformed"),
    "Unknown_Template": (ContentBad, "there is no such template"),
    "Unknown_MetadataField": (ContentBad, "there is no such field of metadata"),
    "Unknown_Subaccount": (CredentialBad, "there is no such subaccount"),
    "Unknown_Sender": (CredentialBad, "the sender is not known to the account"),
    "Unknown_Domain": (CredentialBad, "the sender's domain is not known to the account"),
    "Unknown_TrackingDomain": (CredentialBad, "the tracking domain is not known to the account"),
    "Unknown_Pool": (CredentialBad, "there is no such pool of IP addresses"),
    "Unknown_IP": (CredentialBad, "there is no such IP address"),
    "ServiceUnavailable": (Transient, "Mandrill is not available"),
    "GeneralError": (Transient, "an error at Mandrill"),
}

#: Where no known name is said: by a proxy, or by another service at this address.
STATUSES: Final[Mapping[int, tuple[Verdict, str]]] = {
    400: (ContentBad, "the message is malformed"),
    401: (CredentialBad, "the API key is wrong or was revoked"),
    402: (NoFunds, "the account's plan does not pay for this"),
    403: (CredentialBad, "the API key may not send"),
    404: (CredentialBad, "the endpoint is not Mandrill's"),
    405: (CredentialBad, "the endpoint is not Mandrill's"),
    413: (ContentBad, "the message is over 25 MB"),
    422: (ContentBad, "the message is malformed"),
    429: (Throttled, "too many requests"),
}

_UNKNOWN: Final[tuple[Verdict, str]] = (Transient, "not a word that is known")
_API_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
#: mailchimp.com/developer/marketing: 32 hexadecimal digits, a hyphen and a data centre.
_MARKETING_KEY: Final = re.compile(r"[0-9a-f]{32}-[a-z]{2}[0-9]+")
#: What is quoted of an answer: a name of theirs, which cannot be an address.
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,40}")


class Result(msgspec.Struct):
    """What became of one recipient."""

    status: str
    id: str = msgspec.field(default="", name="_id")
    reject_reason: str | None = None
    queued_reason: str | None = None


class Refusal(msgspec.Struct):
    """The body of every answer but 200."""

    name: str = ""


_RESULTS: Final = msgspec.json.Decoder(list[Result])
_REFUSAL: Final = msgspec.json.Decoder(Refusal)


class Mandrill:
    """Messages: send (mailchimp.com/developer/transactional/api/messages/send-new-message)."""

    name: ClassVar[str] = "mandrill"
    channel: ClassVar[Channel] = Channel.EMAIL
    default_endpoint: ClassVar[str] = "https://mandrillapp.com"
    credentials: ClassVar[Mapping[str, str]] = {
        "api_key": "an API key that may send messages",
        "webhook_key": "optional: the key of the webhook that calls back",
    }
    settings: ClassVar[Mapping[str, str]] = {
        "from_email": "the sender's address, of a verified domain",
        "from_name": "optional: the sender's name",
        "reply_to": "optional: where answers go",
    }

    def check(self, account: Account) -> None:
        """Raise `BadAccount` when the key is none of Mandrill's, or the sender is no address."""
        account.require(["api_key"])
        api_key = account.credentials["api_key"]
        if _MARKETING_KEY.fullmatch(api_key):
            raise BadAccount(f"{account.name}: api_key is for Mailchimp's marketing API; Mandrill has its own")
        if not _API_KEY.fullmatch(api_key):
            raise BadAccount(f"{account.name}: api_key is {self.credentials['api_key']}; no spaces or quotes are in it")
        prototypes.prototype(account, _composed)

    def authorise(self, _account: Account, _at: datetime, _exchange: Callable[[Request], Exchange]) -> None:
        """No token: the key goes with each request."""

    def compose(self, message: Message, account: Account, _token: Token | None) -> Request:
        """A request for one recipient, with a Message-ID that stays the same at every attempt.

        Not `async`: then the answer itself says whom Mandrill rejects, and why. Otherwise it is always "queued", and
        a dead address would be known by webhook alone, to those who have set one up.
        """
        text = message.text
        if not isinstance(text, EmailText):
            raise TypeError("Mandrill takes an email")
        prototype = prototypes.prototype(account, _composed)
        common: dict[str, Any] = prototype.data["message"]
        filled = {
            **common,
            "to": [{"email": ascii_domain(message.address), "type": "to"}],
            "headers": {
                **common.get("headers", {}),
                "Message-ID": message_id(message.delivery_id, common["from_email"]),
                **message.headers,
            },
            "metadata": {"bongsu_delivery_id": str(message.delivery_id)},
            # The text is rendered: what looks like a merge tag in it was written by a person.
            "merge": False,
            "important": message.urgency is Urgency.CRITICAL,
            "subject": one_line(text.subject),
            "text": text.text,
            "html": text.html,
        }
        said = {name: value for name, value in filled.items() if value != ""}
        data = {**prototype.data, "message": said, "async": False}
        return Request("POST", prototype.url, prototype.headers, msgspec.json.encode(data))

    def interpret(self, response: Response) -> Outcome:
        """The one recipient's result; without one, the error's name, and without that, the status."""
        if response.status == 200:
            return _of_results(response.read(_RESULTS) or [])
        name = (response.read(_REFUSAL) or Refusal()).name
        known = ERRORS.get(name) or STATUSES.get(response.status) or _UNKNOWN
        outcome = _judged(known, str(response.status), name)
        if isinstance(outcome, Throttled | Transient):
            return msgspec.structs.replace(outcome, retry_after=response.retry_after)
        return outcome


def rejection(reason: str) -> Refused:
    """What a `reject_reason` says of the address, the message or the account."""
    return _judged(REJECTIONS.get(reason, _UNKNOWN), "rejected", reason)


def _of_results(results: list[Result]) -> Outcome:
    if len(results) != 1:
        return Transient("200: not one result for one recipient")
    result = results[0]
    match result.status:
        case "sent" | "scheduled":
            return Accepted(result.id)
        case "queued":
            reason = result.queued_reason or ""
            if reason in STANDSTILLS:
                return Ambiguous(f"queued {reason}: {STANDSTILLS[reason]}")
            return Accepted(result.id)
        case "rejected":
            return rejection(result.reject_reason or "")
        case "invalid":
            return ContentBad("invalid: the message cannot be sent to anybody")
        case status:
            return _judged(_UNKNOWN, "200", status)


def _judged(known: tuple[Verdict, str], kind: str, word: str) -> Refused:
    verdict, sentence = known
    return verdict(f"{kind} {word}: {sentence}" if _WORD.fullmatch(word) else f"{kind}: {sentence}")


@lru_cache(maxsize=64)
def _composed(sender: Sender) -> Prototype:
    return prototypes.compose(sender, EmailBackend(api_key=sender.api_key, api_url=f"{sender.endpoint}/api/1.4/"))
