"""What is said to a mail server, and in which order: SMTP without a socket (RFC 5321).

Every dialogue is a generator: it yields what to say, and is sent the reply to it. Where the server takes commands in a
row (RFC 2920), they are all said at once, and a mail takes two journeys instead of four.
"""

import re
from base64 import b64encode
from collections.abc import Generator, Sequence
from typing import Final

import msgspec

from notifications.providers.contract import Envelope

#: In bytes; a server's longest real reply is a page of text.
_MAX_REPLY: Final = 1 << 16
_LINE: Final = re.compile(rb"([2-5]\d\d)([ -]?)(.*)", re.DOTALL)
#: What may stand between < and >, and as the name that we greet by.
_PATH: Final = re.compile(r"[^\x00-\x20\x7f<>]{3,320}")
_NAME: Final = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
_URL: Final = re.compile(r"smtps?://[!-.0-~]+")
_MESSAGE_ENDS: Final = b".\r\n"


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What a server said to one command; `lines` are as they came."""

    code: int
    lines: bytes

    @property
    def is_good(self) -> bool:
        """Whether the command was done."""
        return self.code < 300

    def words(self) -> Sequence[str]:
        """The lines without their codes, in capitals."""
        return [line[4:].decode("latin-1").strip().upper() for line in self.lines.splitlines()]


class Say(msgspec.Struct, frozen=True, gc=False):
    """What to say next; the reply to `command` is what is waited for.

    Without `data` that reply follows one that has come. After a good reply with `then_tls`, TLS begins. `is_message`:
    once the last byte has left, the server may have taken the message.
    """

    command: str
    data: bytes = b""
    then_tls: bool = False
    is_message: bool = False


class Settled(msgspec.Struct, frozen=True, gc=False):
    """The reply that decides what became of a mail, and to which command it was."""

    command: str
    reply: Reply


#: What a server replies that takes ASCII alone; one that does not even know of anything else is not asked
#: (RFC 6531, sections 3.2 and 3.5).
_TOO_NARROW: Final = Reply(553, b"553 5.6.7 The server takes no address beyond ASCII\r\n")


class Refused(Exception):
    """The server lets us in by none of its doors."""

    def __init__(self, command: str, reply: Reply) -> None:
        super().__init__(f"{command}: {reply.code}")
        self.settled = Settled(command, reply)


class Unfit(Exception):
    """The server cannot be used as we want to, or does not speak SMTP. The message says why."""


Introduction = Generator[Say, Reply, frozenset[str]]
Transaction = Generator[Say, Reply, Settled]


class Listener:
    """Replies, cut out of what arrives."""

    def __init__(self) -> None:
        self._heard = b""

    @property
    def has_more(self) -> bool:
        """Whether something has come that belongs to no reply yet."""
        return bool(self._heard)

    def hear(self, data: bytes) -> None:
        """Take what arrived."""
        self._heard += data

    def reply(self) -> Reply | None:
        """The next whole reply. Raises `Unfit` for what is none."""
        start = 0
        while (end := self._heard.find(b"\n", start)) >= 0:
            line = _LINE.fullmatch(self._heard[start:end].rstrip(b"\r"))
            if line is None:
                raise Unfit("the server does not speak SMTP")
            start = end + 1
            if line[2] != b"-":
                said, self._heard = self._heard[:start], self._heard[start:]
                return Reply(int(line[1]), said)
        if len(self._heard) > _MAX_REPLY:
            raise Unfit("the server's reply does not end")
        return None


def check(envelope: Envelope) -> None:
    """Raise `ValueError` for an envelope that no SMTP can carry.

    A line break in an address, or one that is not CRLF in the message, would let whoever wrote it say commands of
    their own to the server.
    """
    if not _URL.fullmatch(envelope.url):
        raise ValueError("the address of a mail server is smtp://host:port or smtps://host:port")
    if not all(_PATH.fullmatch(path) for path in (envelope.sender, envelope.recipient or envelope.sender)):
        raise ValueError("sender and recipient must each be one address")
    if not _NAME.fullmatch(envelope.hello):
        raise ValueError("who greets must have the name of a host")
    breaks = envelope.content.count(b"\r\n")
    if not breaks == envelope.content.count(b"\n") == envelope.content.count(b"\r"):
        raise ValueError("a line of the message does not end with CRLF")


def introduced(envelope: Envelope) -> Introduction:
    """From the greeting to the login; returns what the server can do.

    Nothing but the greeting is said without TLS, and no password. Raises `Refused` and `Unfit`.
    """
    greeting = yield Say("connect")
    if not greeting.is_good:
        raise Refused("connect", greeting)
    abilities = yield from _greeted(envelope.hello)
    if envelope.url.startswith("smtp:"):
        if "STARTTLS" not in abilities:
            raise Unfit("the server offers no STARTTLS")
        reply = yield Say("starttls", b"STARTTLS\r\n", then_tls=True)
        if not reply.is_good:
            raise Refused("starttls", reply)
        # what was said before TLS may have been said by anybody (RFC 3207, section 4.2)
        abilities = yield from _greeted(envelope.hello)
    if envelope.username:
        yield from _logged_in(envelope, abilities)
    return frozenset(abilities)


def mailed(envelope: Envelope, abilities: frozenset[str], *, after_refusal: bool) -> Transaction:
    """One mail; returns the reply that decides. `after_refusal`: the mail before it was not taken."""
    is_wide = not (envelope.sender + envelope.recipient).isascii()
    if is_wide and "SMTPUTF8" not in abilities:
        return Settled("rcpt", _TOO_NARROW)
    if not envelope.recipient:
        return (yield from _asked(envelope.sender))
    opening = [("rset", b"RSET\r\n")] if after_refusal else []
    opening += [
        ("mail", f"MAIL FROM:<{envelope.sender}>{' BODY=8BITMIME SMTPUTF8' if is_wide else ''}\r\n".encode()),
        ("rcpt", f"RCPT TO:<{envelope.recipient}>\r\n".encode()),
        ("data", b"DATA\r\n"),
    ]
    refusal, permission = yield from (_in_a_row(opening) if "PIPELINING" in abilities else _one_by_one(opening))
    if refusal is None:
        return Settled(".", (yield Say(".", _dotted(envelope.content) + _MESSAGE_ENDS, is_message=True)))
    if permission:
        # it waits for a message to nobody (RFC 2920, section 3.1), and gets an empty one, which it refuses
        yield Say("data", _MESSAGE_ENDS)
    return refusal


def _asked(sender: str) -> Transaction:
    reply = yield Say("mail", f"MAIL FROM:<{sender}>\r\n".encode())
    return Settled("mail", reply)


_Opened = Generator[Say, Reply, tuple[Settled | None, bool]]


def _in_a_row(opening: Sequence[tuple[str, bytes]]) -> _Opened:
    """Say all of it; the first refusal, and whether the server nevertheless waits for the message."""
    together = b"".join(line for _, line in opening)
    refusal, reply = None, None
    for position, (command, _) in enumerate(opening):
        reply = yield Say(command, b"" if position else together)
        if refusal is None and not _is_taken(command, reply):
            refusal = Settled(command, reply)
            if reply.code == 421:  # it closes the connection, and replies to nothing more
                return refusal, False
    return refusal, reply is not None and reply.code == 354


def _one_by_one(opening: Sequence[tuple[str, bytes]]) -> _Opened:
    for command, line in opening:
        reply = yield Say(command, line)
        if not _is_taken(command, reply):
            return Settled(command, reply), False
    return None, True


def _is_taken(command: str, reply: Reply) -> bool:
    return reply.code == 354 if command == "data" else reply.is_good


def _greeted(hello: str) -> Generator[Say, Reply, set[str]]:
    reply = yield Say("ehlo", f"EHLO {hello}\r\n".encode())
    if not reply.is_good:
        raise Refused("ehlo", reply)
    # some write AUTH=LOGIN, as in a draft of 1997
    said = (line.replace("AUTH=", "AUTH ", 1).split() for line in reply.words()[1:])
    return {ability for words in said if words for ability in _abilities(words)}


def _abilities(words: Sequence[str]) -> Sequence[str]:
    return [f"AUTH {mechanism}" for mechanism in words[1:]] if words[0] == "AUTH" else words[:1]


def _logged_in(envelope: Envelope, abilities: set[str]) -> Generator[Say, Reply, None]:
    """RFC 4954, with RFC 4616's PLAIN or, where a server is older, LOGIN."""
    username, password = envelope.username.encode(), envelope.password.encode()
    if "AUTH PLAIN" in abilities:
        sequence = [b"AUTH PLAIN " + b64encode(b"\0" + username + b"\0" + password)]
    elif "AUTH LOGIN" in abilities:
        sequence = [b"AUTH LOGIN", b64encode(username), b64encode(password)]
    else:
        raise Unfit("the server offers no login by PLAIN or LOGIN")
    for said, line in enumerate(sequence, start=1):
        reply = yield Say("auth", line + b"\r\n")
        if reply.code != (235 if said == len(sequence) else 334):
            raise Refused("auth", reply)


def _dotted(content: bytes) -> bytes:
    """A dot at the beginning of a line is said twice (RFC 5321, section 4.5.2)."""
    whole = content if content.endswith(b"\r\n") or not content else content + b"\r\n"
    return (b"." if whole.startswith(b".") else b"") + whole.replace(b"\r\n.", b"\r\n..")
