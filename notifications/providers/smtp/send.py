"""Any mail server by SMTP submission: RFC 5321, RFC 6409, RFC 4954, RFC 8314."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from functools import lru_cache
from typing import ClassVar, Final

from accounts.channels import Channel
from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    BadAccount,
    ContentBad,
    CredentialBad,
    Envelope,
    Exchange,
    Message,
    Outcome,
    Request,
    Response,
    Token,
    Transient,
    Unsendable,
    Verdict,
)
from notifications.providers.mail import (
    ascii_domain,
    domain_of,
    message_id,
    one_line,
    without_addresses,
)
from notifications.providers.smtp import mime
from notifications.providers.smtp.codes import CODES, PASSING, PERMANENT
from templates_app.content import EmailText

#: Replies to these speak of one recipient and one message; to the others, of the account, its sender, or the server.
_ABOUT_THE_MAIL: Final = frozenset({"rcpt", "data", "."})
#: Subjects that speak of the message wherever they are said: too big, or not to be read.
_ABOUT_THE_MESSAGE: Final = ("2.3", "3.4", "6.")
#: Postfix, Sendmail, Exchange and Exim refuse so, with 5.7.1 or without, whoever they do not take for their own.
_NOT_LOGGED_IN: Final = re.compile(
    rb"relay access denied|relaying denied|unable to relay|relay(ing)? (is )?not (permitted|allowed)", re.IGNORECASE
)
_COMMANDS: Final[Mapping[str, str]] = {
    "connect": "our connection",
    "ehlo": "our greeting",
    "starttls": "STARTTLS",
    "auth": "the login",
    "mail": "the sender",
    "rcpt": "the recipient",
    "data": "DATA",
    ".": "the message",
}
#: One address, as it stands between < and > (RFC 5321, section 4.1.2), without the spaces that quotes would allow.
_PATH: Final = re.compile(r"[^\s\x00-\x20\x7f<>@]+@[^\s\x00-\x20\x7f<>@]+")
_HOST: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_ENHANCED: Final = re.compile(rb"\d{3}[ -]([245])\.(\d{1,3}\.\d{1,3})\b")
#: What servers call the message in their logs: Postfix, Exim, Exchange.
_QUEUED_AS: Final = re.compile(rb"(?:queued as |\bid=|InternalId=)([A-Za-z0-9.-]{1,64})")


@dataclass(frozen=True, slots=True)
class Sender:
    """Everything that all mails of an account have in common. `head` is the headers that never change."""

    address: str
    bounces_to: str
    hello: str
    head: tuple[str, ...]


class Smtp:
    """A mail server that takes mail from those who log in, over TLS. It signs with DKIM, and passes on."""

    name: ClassVar[str] = "smtp"
    channel: ClassVar[Channel] = Channel.EMAIL
    #: There is none: everybody's server is another.
    default_endpoint: ClassVar[str] = ""
    credentials: ClassVar[Mapping[str, str]] = {
        "username": "who logs in",
        "password": "with which password",
    }
    settings: ClassVar[Mapping[str, str]] = {
        "from_email": "the sender's address, of a domain for which the server may send",
        "from_name": "optional: the sender's name",
        "reply_to": "optional: where answers go",
        "bounces_to": "optional: where servers report what they could not deliver; else to the sender",
        "hello": "optional: the name of the host by which we greet; else the sender's domain",
    }

    def check(self, account: Account) -> None:
        """Raise `BadAccount` where there is no server to send by, nobody who logs in, or no sender."""
        account.require(["username", "password"], ["from_email"])
        if not account.endpoint:
            raise BadAccount(f"{account.name} lacks an endpoint: smtp://host:587, or smtps://host:465")
        if "/" in account.endpoint.partition("://")[2]:
            raise BadAccount(f"{account.name}: the endpoint of a mail server has no path")
        sender_of(account)

    def authorise(self, _account: Account, _at: datetime, _exchange: Callable[[Request], Exchange]) -> None:
        """No token: whoever opens a connection logs in."""

    def compose(self, message: Message, account: Account, _token: Token | None) -> Envelope:
        """A mail to one recipient, with a Message-ID that stays the same at every attempt.

        Raises `Unsendable` for an address that would be read as something else, or as several.
        """
        text = message.text
        if not isinstance(text, EmailText):
            raise TypeError("SMTP takes an email")
        sender = sender_of(account)
        recipient = ascii_domain(message.address)
        if not _PATH.fullmatch(recipient):
            raise Unsendable(ContentBad("no mail server takes this for one address"))
        headers = (
            *sender.head,
            f"To: {mime.addr_spec(recipient)}",
            mime.header("Subject", one_line(text.subject)),
            f"Date: {mime.date(message.at)}",
            f"Message-ID: {message_id(message.delivery_id, sender.address)}",
            *(mime.header(name, value) for name, value in message.headers.items()),
        )
        parts = {"plain": text.text, "html": text.html}
        said = [(kind, content) for kind, content in parts.items() if content] or [("plain", "")]
        return Envelope(
            url=account.endpoint,
            hello=sender.hello,
            username=account.credentials["username"],
            password=account.credentials["password"],
            sender=sender.bounces_to,
            recipient=recipient,
            content=mime.message(headers, said, f"=_{message.delivery_id.hex}"),
        )

    def interpret(self, response: Response) -> Outcome:
        """The enhanced code decides, else the code; to which command it replied says whom it is about."""
        reply = response.body
        if 200 <= response.status < 300:
            queued = _QUEUED_AS.search(reply)
            return Accepted(queued[1].decode() if queued else "")
        enhanced = _ENHANCED.search(reply)
        kind, subject = (int(enhanced[1]), enhanced[2].decode()) if enhanced else (0, "")
        verdict, sentence = _meaning(response.status, kind, subject)
        command = response.headers.get("command", "")
        if verdict in {AddressDead, ContentBad} and command not in _ABOUT_THE_MAIL:
            if not subject.startswith(_ABOUT_THE_MESSAGE):
                verdict = CredentialBad
        elif verdict is ContentBad and _NOT_LOGGED_IN.search(reply):
            verdict, sentence = CredentialBad, "the server does not take us for one of its own"
        codes = f"{response.status} {kind}.{subject}" if enhanced else str(response.status)
        detail = f"{codes} to {_COMMANDS.get(command, 'a command')}: {sentence}"
        return verdict(detail if verdict is AddressDead else f"{detail} ({_said(reply)})")


def _meaning(code: int, kind: int, subject: str) -> tuple[Verdict, str]:
    """What a code and an enhanced code say. Where one of them says that it passes, it passes."""
    if code >= 500 and kind in {0, 5}:
        return PERMANENT.get(subject) or CODES.get(code) or (ContentBad, "refused")
    if code >= 500:
        return PASSING.get(subject) or (Transient, "refused for now")
    return PASSING.get(subject) or CODES.get(code) or (Transient, "refused for now")


def _said(reply: bytes) -> str:
    """The server's own words, which name what nobody else knows, such as the list on which it found us."""
    lines = [line[4:].strip() for line in reply.decode("utf-8", "replace").splitlines()]
    return without_addresses(" ".join(lines))


def sender_of(account: Account) -> Sender:
    """Who sends by this account. Raises `BadAccount` where that is nobody who could."""
    settings = account.settings
    try:
        return _sender(
            settings.get("from_email", ""),
            settings.get("from_name", ""),
            settings.get("reply_to", ""),
            settings.get("bounces_to", ""),
            settings.get("hello", ""),
        )
    except ValueError as error:
        raise BadAccount(f"{account.name}: {error}") from error


@lru_cache(maxsize=64)
def _sender(from_email: str, from_name: str, reply_to: str, bounces_to: str, hello: str) -> Sender:
    """Raises `ValueError`, which says what is wrong."""
    address = _one_address("from_email", from_email)
    head = [f"From: {mime.mailbox(one_line(from_name), address)}"]
    if reply_to:
        head.append(f"Reply-To: {mime.addr_spec(_one_address('reply_to', reply_to))}")
    greeting = hello or domain_of(address)
    if not _HOST.fullmatch(greeting):
        raise ValueError("hello must be the name of a host")
    return Sender(address, _one_address("bounces_to", bounces_to) if bounces_to else address, greeting, tuple(head))


def _one_address(name: str, given: str) -> str:
    try:
        parsed = Address(addr_spec=given)
        local, domain = parsed.username, parsed.domain
    except (ValueError, IndexError, MessageError):
        local, domain = "", ""
    address = ascii_domain(given)
    if not (local and domain and address.isascii() and address.isprintable() and " " not in address):
        raise ValueError(f"{name} must be one address, in ASCII before the @")
    return address
