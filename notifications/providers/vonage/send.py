"""Vonage SMS, once Nexmo: one form a text message, and an answer that is always HTTP 200."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final
from urllib.parse import urlencode

import msgspec

from accounts.channels import Channel
from notifications.providers import senders
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
from notifications.providers.gsm import is_gsm
from templates_app.content import SmsText

#: Milliseconds for which Vonage tries to deliver; `ttl` in the specification of the SMS API, version 1.2.0.
TTL: Final = range(20_000, 604_800_001)
#: Characters that `callback` may have; the same specification. A longer one would be refused with every message.
CALLBACK_LIMIT: Final = 100

#: "x-errors" of the specification, and developer.vonage.com/api-errors/sms, read 2026-11.
STATUSES: Final[Mapping[int, tuple[Verdict, str]]] = {
    1: (Throttled, "faster than the account may send"),
    2: (ContentBad, "a parameter is missing"),
    3: (ContentBad, "a parameter is invalid"),
    4: (CredentialBad, "the API key and secret are wrong or disabled"),
    5: (Transient, "an error at Vonage"),
    # "Unable to process this message, for example, an unrecognized number prefix": it may be the number, or may not.
    6: (ContentBad, "the message cannot be processed"),
    7: (OptedOut, "the number is barred from getting messages"),
    8: (CredentialBad, "the account is suspended"),
    9: (NoFunds, "the account has no credit left"),
    10: (Throttled, "more connections than the account may have"),
    11: (CredentialBad, "the account may not use the SMS API"),
    12: (ContentBad, "the text is too long"),
    14: (CredentialBad, "the signature could not be verified"),
    # Of one country's making: the same sender may be good everywhere else.
    15: (ContentBad, "the sender is not allowed where this number is"),
    22: (ContentBad, "the network code does not belong to the number"),
    23: (CredentialBad, "the address for receipts is too long, or is none"),
    29: (CredentialBad, "a trial account, which may send to its listed numbers only"),
    32: (CredentialBad, "a signed request may not hold the secret too"),
    33: (AddressDead, "the number is no longer in use"),
}

#: For an answer that names no part of the message.
HTTP_STATUSES: Final[Mapping[int, Verdict]] = {401: CredentialBad, 403: CredentialBad, 429: Throttled}

_API_KEY: Final = re.compile(r"[0-9A-Za-z]{8}")
_API_SECRET: Final = re.compile(r"\S{6,32}")
#: developer.vonage.com/messaging/sms/guides/custom-sender-id: a number of up to 15 digits, or 11 characters, no space.
_SENDER: Final = re.compile(r"\+?[1-9]\d{2,14}|(?=.*[A-Za-z])[!-~]{1,11}", re.ASCII)


class Part(msgspec.Struct):
    """What became of one part of a text that takes several. `status` is 0 for one that was taken."""

    status: Annotated[int, msgspec.Meta(ge=0, le=999)]
    message_id: str = msgspec.field(default="", name="message-id")


class Answer(msgspec.Struct):
    """One entry a part; a request that is refused as a whole has one."""

    messages: list[Part] = []


#: Not strict, because Vonage writes its numbers as text.
_ANSWER: Final = msgspec.json.Decoder(Answer, strict=False)


class Vonage:
    """Vonage SMS API, 1.2.0 (developer.vonage.com/api/sms)."""

    name: ClassVar[str] = "vonage"
    channel: ClassVar[Channel] = Channel.SMS
    default_endpoint: ClassVar[str] = "https://rest.nexmo.com"
    credentials: ClassVar[Mapping[str, str]] = {
        "api_key": "the account's API key, 8 letters and digits",
        "api_secret": "one of the account's two API secrets, 6 to 32 characters",
        "signature_secret": "optional: the signature secret, for SHA-256 HMAC; without it no receipt is believed",
    }
    settings: ClassVar[Mapping[str, str]] = {
        "sender": "a number in E.164, a short code, or a name of up to 11 characters without spaces",
        "senders": senders.SENDERS,
    }

    def check(self, account: Account) -> None:
        """Raise `BadAccount` when something is missing or does not look like what Vonage gives out."""
        account.require(["api_key", "api_secret"], ["sender"])
        if not _API_KEY.fullmatch(account.credentials["api_key"]):
            raise BadAccount(f"{account.name}: api_key is {self.credentials['api_key']}")
        if not _API_SECRET.fullmatch(account.credentials["api_secret"]):
            raise BadAccount(f"{account.name}: api_secret is {self.credentials['api_secret']}")
        senders.check(account, _is_sender, self.settings["sender"])

    def authorise(self, _account: Account, _at: datetime, _exchange: Callable[[Request], Exchange]) -> None:
        """No token: the credentials go with each request."""

    def compose(self, message: Message, account: Account, _token: Token | None) -> Request:
        """The form that sends a message; numbers stand in it without their plus sign."""
        text = message.text
        if not isinstance(text, SmsText):
            raise TypeError("Vonage takes a text message")
        form = {
            "api_key": account.credentials.get("api_key", ""),
            "api_secret": account.credentials.get("api_secret", ""),
            "from": senders.sender_for(account.settings, message.address).removeprefix("+"),
            "to": message.address.removeprefix("+"),
            "text": text.body,
            "type": "text" if is_gsm(text.body) else "unicode",
            "client-ref": str(message.delivery_id),
        }
        # Receipts tell the delivery by their client-ref, which is signed as the address is not; and few characters fit.
        callback = message.callback_url.removesuffix(f"/{message.delivery_id}")
        if 0 < len(callback) <= CALLBACK_LIMIT:
            form["callback"] = callback
        if message.expires_at:
            left = (message.expires_at - message.at) // timedelta(milliseconds=1)
            form["ttl"] = str(min(max(left, TTL[0]), TTL[-1]))
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return Request("POST", f"{account.endpoint}/sms/json", headers, urlencode(form).encode())

    def interpret(self, response: Response) -> Outcome:
        """Every part must have been taken. Where no part is named the HTTP status decides, except for 200.

        A message of which only some parts were taken fails for good: a phone shows none of it, and to send it again
        would send, and charge, those parts twice.
        """
        parts = (response.read(_ANSWER) or Answer()).messages
        if not parts:
            return _without_parts(response)
        refused = [part.status for part in parts if part.status != 0]
        if not refused:
            return Accepted(parts[0].message_id)
        if len(refused) < len(parts):
            detail = verdict_of(refused[0]).detail
            return ContentBad(f"{len(refused)} of {len(parts)} parts were not taken, and the others were: {detail}")
        return _patient(verdict_of(refused[0]), response)


def _is_sender(sender: str) -> bool:
    return bool(_SENDER.fullmatch(sender))


def verdict_of(status: int) -> Refused:
    """What one of Vonage's statuses other than 0 means; an unknown one is `Transient`."""
    verdict, sentence = STATUSES.get(status, (Transient, "not in the table of known statuses"))
    return verdict(f"{status}: {sentence}")


def _without_parts(response: Response) -> Outcome:
    if response.status == 200:
        return Ambiguous("Vonage answered 200, and nothing readable that says whether it took the message")
    verdict = HTTP_STATUSES.get(response.status, Transient)
    return _patient(verdict(f"Vonage answered HTTP {response.status}"), response)


def _patient(outcome: Refused, response: Response) -> Refused:
    match outcome:
        case Throttled() | Transient():
            return msgspec.structs.replace(outcome, retry_after=response.retry_after)
        case _:
            return outcome
