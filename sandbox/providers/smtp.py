"""A company's mail server, as it judges a sender, a recipient and a message. RFC 5321, 5322, 3463, 4954, 6409."""

import hmac
import re
import secrets
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import Final

from sandbox.exchange import Answer, Call, Sight, Taken
from sandbox.keys import MAIL_DOMAIN, SMTP_USER, Keys

#: In bytes, of a whole message.
LIMIT: Final = 25 * 1024 * 1024
#: In bytes, of a line with its end (RFC 5321, section 4.5.3.1.6).
_LINE: Final = 1000
_EMAIL: Final = re.compile(r"[^@\s\x00-\x20<>\",]{1,64}@[^@\s\x00-\x20<>\",]+\.[^@\s\x00-\x20<>\".,]+")
#: The domain says what is replied to the recipient, or to the message: sandbox/README.md.
_FATE: Final = re.compile(r"(?P<where>rcpt|data)-(?P<code>[45]\d\d)(?:-(?P<class>[45])-(?P<y>\d{1,3})-(?P<z>\d{1,3}))?")
#: Headers of which there is one (RFC 5322, section 3.6), and none of these two may lack.
_ONCE: Final = ("from", "sender", "reply-to", "to", "cc", "message-id", "subject", "date")
_NEEDED: Final = ("from", "date")
_DELIVERY: Final = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@[^<>\s]+>", re.IGNORECASE)
#: The enhanced code that usually goes with a code.
_USUAL: Final[Mapping[int, str]] = {
    421: "4.3.2", 450: "4.2.0", 451: "4.3.0", 452: "4.3.1", 454: "4.7.0", 530: "5.7.0", 534: "5.7.9", 535: "5.7.8",
    538: "5.7.11", 550: "5.1.1", 551: "5.1.6", 552: "5.2.2", 553: "5.1.3", 554: "5.7.1",
}  # fmt: skip
_WORDS: Final[Mapping[str, str]] = {
    "1.1": "no such mailbox here",
    "1.2": "no such domain",
    "1.3": "not an address",
    "2.1": "mailbox is disabled",
    "2.2": "mailbox is full",
    "7.1": "rejected by policy",
}


class Smtp:
    """The judgement; who speaks and listens is sandbox/mail.py."""

    name = "smtp"

    def __init__(self, keys: Keys) -> None:
        self._password = keys.smtp_password.encode()

    def lets_in(self, username: str, password: str) -> bool:
        """Whether this is the one account's password."""
        return hmac.compare_digest(password.encode(), self._password) and username == SMTP_USER

    def sender(self, address: str) -> Answer:
        """The reply to MAIL: the account sends for its own domain."""
        if address.rpartition("@")[2].lower() != MAIL_DOMAIN:
            return reply(553, "5.7.1", f"<{address}>: Sender address rejected: not owned by user {SMTP_USER}")
        return reply(250, "2.1.0", "Ok")

    def recipient(self, address: str) -> Answer:
        """The reply to RCPT."""
        taken = (Taken("", address),)
        if not _EMAIL.fullmatch(address):
            return reply(501, "5.1.3", "Bad recipient address syntax", taken)
        fate = _fate(address)
        if fate and fate["where"] == "rcpt":
            return _ordered(fate, f"<{address}>: ", taken)
        return reply(250, "2.1.5", "Ok")

    def answer(self, call: Call) -> Answer:
        """The reply to a whole message. `path` is its recipient; `headers` say what MAIL announced."""
        message = message_from_bytes(call.body)
        taken = (Taken(_delivery(message), call.path),)
        trouble = _trouble(call, message)
        if trouble:
            return reply(*trouble, taken)
        fate = _fate(call.path)
        if fate and fate["where"] == "data":
            return _ordered(fate, "", taken)
        queued = secrets.token_hex(5).upper()
        return Answer(250, (), f"2.0.0 Ok: queued as {queued}".encode(), taken, "", queued)

    def fault(self, status: int, reason: str, retry_after: int | None) -> Answer:
        """A refusal as an operator asked for it; `reason` may be an enhanced code. When to come again is never said."""
        enhanced = reason or _USUAL.get(status, f"{status // 100}.0.0")
        return reply(status, enhanced, _WORDS.get(enhanced[2:], "an operator's wish"))

    def sight(self, body: bytes, part: int) -> Sight:
        """The mail as its reader opens it."""
        message = message_from_bytes(body, policy=policy.default)
        return Sight(
            kind="email",
            sender=str(message["from"] or ""),
            title=str(message["subject"] or ""),
            body=_text(message, "plain"),
            html=_text(message, "html"),
        )


def reply(code: int, enhanced: str, words: str, messages: tuple[Taken, ...] = ()) -> Answer:
    """What is said; a refusal unless the code is good."""
    return Answer(
        code, (), f"{enhanced} {words}".encode(), messages if code >= 400 else (), f"{code} {enhanced}" * (code >= 400)
    )


def domain_of(address: str) -> str:
    """What decides over an address."""
    return address.rpartition("@")[2].lower()


def _fate(address: str) -> re.Match[str] | None:
    return _FATE.fullmatch(domain_of(address).removesuffix(".example"))


def _ordered(fate: re.Match[str], whose: str, taken: tuple[Taken, ...]) -> Answer:
    code = int(fate["code"])
    if not fate["class"]:
        # as old servers reply, which know of no enhanced codes
        return Answer(code, (), f"{whose}refused".encode(), taken, str(code))
    detail = f"{fate['y']}.{fate['z']}"
    return reply(code, f"{fate['class']}.{detail}", f"{whose}{_WORDS.get(detail, 'refused')}", taken)


def _trouble(call: Call, message: Message) -> tuple[int, str, str] | None:
    """What is wrong with a message that anybody could read."""
    if len(call.body) > LIMIT:
        return 552, "5.3.4", "Message size exceeds fixed limit"
    if any(len(line) + 2 > _LINE for line in call.body.split(b"\r\n")):
        return 554, "5.6.0", "A line is longer than 998 characters"
    if not call.body.isascii() and call.headers.get("body") != "8BITMIME":
        return 554, "5.6.1", "8-bit content without BODY=8BITMIME"
    head = call.body.partition(b"\r\n\r\n")[0]
    if not head.isascii() and not call.headers.get("smtputf8"):
        return 554, "5.6.9", "8-bit headers without SMTPUTF8"
    for name in _ONCE:
        if len(message.get_all(name, [])) > 1:
            return 550, "5.6.0", f"There are several {name} headers"
    for name in _NEEDED:
        if name not in message:
            return 550, "5.6.0", f"There is no {name} header"
    try:
        parsedate_to_datetime(str(message["date"]))
    except ValueError:
        return 550, "5.6.0", "The date header holds no date"
    authors = getaddresses([str(message["from"])])
    if not authors or any(domain_of(address) != MAIL_DOMAIN for _, address in authors):
        return 550, "5.7.1", "The From header is not of a domain of this account"
    if any(part.defects for part in message.walk()):
        return 554, "5.6.0", "The message is malformed"
    return None


def _delivery(message: Message) -> str:
    """Whose delivery it is: the Message-ID stays the same at every attempt."""
    found = _DELIVERY.fullmatch(str(message["message-id"] or "").strip())
    return found[1].lower() if found else ""


def _text(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return part.get_content().replace("\r\n", "\n").rstrip("\n") if part is not None else ""
