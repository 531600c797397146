"""Twilio Programmable Messaging: one form a text message."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar, Final
from urllib.parse import urlencode

import msgspec

from accounts.channels import Channel
from notifications.providers import senders
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
from templates_app.content import SmsText

#: Seconds that Twilio may keep a message in its queue; its specification of the Messages resource.
VALIDITY: Final = range(1, 36_001)

#: twilio.com/docs/api/errors, read 2026-11. The same codes come with answers and with receipts.
CODES: Final[Mapping[int, tuple[Verdict, str]]] = {
    20003: (CredentialBad, "account SID and auth token do not belong together"),
    20429: (Throttled, "too many requests"),
    21211: (AddressDead, "not a phone number"),
    21408: (ContentBad, "the account may not send to this region"),
    21603: (CredentialBad, "the sender is missing"),
    21606: (CredentialBad, "the sender is not a number of this account, or cannot send texts"),
    21610: (OptedOut, "the person answered STOP to this sender"),
    21611: (Throttled, "the sender's queue is full"),
    21614: (AddressDead, "not a mobile number"),
    21617: (ContentBad, "the text is over 1,600 characters"),
    21635: (AddressDead, "a landline"),
    30001: (Throttled, "the sender's queue is full"),
    30002: (NoFunds, "the account is suspended"),
    30003: (Transient, "the phone is off or out of reach"),
    30004: (ContentBad, "the network or the person blocks this message"),
    30005: (AddressDead, "the number is unknown or no longer in service"),
    30006: (AddressDead, "a landline, or a network that cannot be reached"),
    30007: (ContentBad, "filtered as unwanted by Twilio or the network"),
    30008: (Transient, "an error that Twilio cannot explain"),
    30036: (ContentBad, "it was too late to be of use"),
    63017: (Throttled, "too many messages for the account"),
}

#: For an answer without a known code.
STATUSES: Final[Mapping[int, Verdict]] = {401: CredentialBad, 403: CredentialBad, 429: Throttled}


#: Part of every URL, and so the pattern of Twilio's specification to the letter.
_ACCOUNT_SID: Final = re.compile(r"AC[0-9a-fA-F]{32}")
_SID: Final = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
_SERVICE_SID: Final = re.compile(r"MG[0-9a-fA-F]{32}")
_SHORT_CODE: Final = re.compile(r"[1-9][0-9]{2,7}")
#: twilio.com/docs/glossary/what-alphanumeric-sender-id; the console takes these four signs too.
_SENDER_NAME: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +\-_&]{1,11}")


class Answer(msgspec.Struct):
    """A message resource (`sid`) or an error (`code`)."""

    sid: str | None = None
    code: int | None = None


_ANSWER: Final = msgspec.json.Decoder(Answer)


class Twilio:
    """Twilio Messages resource, 2010-04-01 (twilio.com/docs/messaging/api/message-resource)."""

    name: ClassVar[str] = "twilio"
    channel: ClassVar[Channel] = Channel.SMS
    default_endpoint: ClassVar[str] = "https://api.twilio.com"
    credentials: ClassVar[Mapping[str, str]] = {
        "account_sid": "the account's SID, AC and 32 hexadecimal digits",
        "auth_token": "the account's auth token; Twilio signs its webhooks with it too",
    }
    settings: ClassVar[Mapping[str, str]] = {
        "sender": "a number in E.164, a short code, a name of up to 11 letters, digits and spaces, or a messaging "
        "service's SID (MG…)",
        "senders": senders.SENDERS,
    }

    def check(self, account: Account) -> None:
        """Raise `BadAccount` when something is missing or the SID is not one."""
        account.require(self.credentials, ["sender"])
        sid, auth_token = account.credentials["account_sid"], account.credentials["auth_token"]
        if sid.startswith("SK"):
            raise BadAccount(f"{account.name}: account_sid is an API key's, not {self.credentials['account_sid']}")
        if not _ACCOUNT_SID.fullmatch(sid):
            raise BadAccount(f"{account.name}: account_sid is {self.credentials['account_sid']}")
        if _SID.fullmatch(auth_token):
            raise BadAccount(f"{account.name}: auth_token is a SID; the token stands beside it in the console")
        if not auth_token.isascii() or not auth_token.isprintable() or " " in auth_token:
            raise BadAccount(f"{account.name}: auth_token is {self.credentials['auth_token']}; no spaces are in it")
        senders.check(account, _is_sender, self.settings["sender"])

    def authorise(self, _account: Account, _at: datetime, _exchange: Callable[[Request], Exchange]) -> None:
        """No token: the credentials go with each request."""

    def compose(self, message: Message, account: Account, _token: Token | None) -> Request:
        """The form that creates a message."""
        text = message.text
        if not isinstance(text, SmsText):
            raise TypeError("Twilio takes a text message")
        sender = senders.sender_for(account.settings, message.address)
        form = {
            "To": message.address,
            "MessagingServiceSid" if sender.startswith("MG") else "From": sender,
            "Body": text.body,
        }
        if message.callback_url:
            form["StatusCallback"] = message.callback_url
        if message.expires_at:
            left = int((message.expires_at - message.at).total_seconds())
            form["ValidityPeriod"] = str(min(max(left, VALIDITY[0]), VALIDITY[-1]))
        headers = {"authorization": authorization(account), "content-type": "application/x-www-form-urlencoded"}
        return Request("POST", f"{resource_of(account)}/Messages.json", headers, urlencode(form).encode())

    def interpret(self, response: Response) -> Outcome:
        """Twilio's code decides, then the HTTP status."""
        answer = response.read(_ANSWER) or Answer()
        if response.status == 201:
            return Accepted(answer.sid or "")
        if answer.code is not None and answer.code in CODES:
            outcome = verdict_of(answer.code)
        else:
            code = f" with code {answer.code}" if answer.code else ""
            outcome = STATUSES.get(response.status, Transient)(f"Twilio answered {response.status}{code}")
        match outcome:
            case Throttled() | Transient():
                return msgspec.structs.replace(outcome, retry_after=response.retry_after)
            case _:
                return outcome


def resource_of(account: Account) -> str:
    """The URL of the account, below which everything of it lies."""
    return f"{account.endpoint}/2010-04-01/Accounts/{account.credentials.get('account_sid', '')}"


def authorization(account: Account) -> str:
    """The header of that name (RFC 7617)."""
    sid, auth_token = account.credentials.get("account_sid", ""), account.credentials.get("auth_token", "")
    return "Basic " + b64encode(f"{sid}:{auth_token}".encode()).decode()


def _is_sender(sender: str) -> bool:
    if _SERVICE_SID.fullmatch(sender) or _SHORT_CODE.fullmatch(sender) or senders.is_e164(sender):
        return True
    return bool(_SENDER_NAME.fullmatch(sender)) and not _SID.fullmatch(sender)


def verdict_of(code: int) -> Refused:
    """What one of Twilio's codes means, in an answer or in a receipt; an unknown one is `Transient`."""
    verdict, sentence = CODES.get(code, (Transient, "not in the table of known codes"))
    return verdict(f"{code}: {sentence}")
