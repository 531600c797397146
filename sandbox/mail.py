"""SMTP, as a mail server speaks it: one session a connection, TLS before anything else, a login before any mail."""

import asyncio
import base64
import binascii
import re
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NoReturn

from sandbox.exchange import Answer, Call, Taken
from sandbox.faults import Mode
from sandbox.providers.smtp import LIMIT, Smtp, domain_of, reply

#: In bytes: more than this in one line is no command and no text (RFC 5321, section 4.5.3.1).
_LONGEST: Final = 12_288
#: Seconds in which something must be said (RFC 5321, section 4.5.3.2.7).
_IDLE: Final = 300.0
_HELD: Final = 600.0
_RECIPIENTS: Final = 100
_LOGINS: Final = 3
#: Addresses that are remembered as greylisted.
_GREY: Final = 10_000
_PATH: Final = re.compile(r"(?:FROM|TO):\s*<([^<>]*)>((?: [^ ]+)*)", re.IGNORECASE)
#: What may be said before TLS (RFC 3207, section 4), and before a login.
_WITHOUT_TLS: Final = {"ehlo", "helo", "starttls", "noop", "rset", "quit"}
_WITHOUT_LOGIN: Final = _WITHOUT_TLS | {"auth", "vrfy"}

#: Judges a call, notes it down, and says whether an operator wants it to fail.
Decide = Callable[[Call], Awaitable[tuple[Answer, Mode | None]]]
#: Notes down what was refused before there was a message.
Note = Callable[[Call, Answer], None]


class MailServer:
    """Who listens, and what all sessions have in common."""

    def __init__(self, simulator: Smtp, decide: Decide, note: Note) -> None:
        self.simulator, self.decide, self.note = simulator, decide, note
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._grey: dict[str, None] = {}
        self._listening: list[asyncio.Server] = []
        self._sessions: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def listen(self, host: str, smtp: int, smtps: int) -> None:
        """Accept connections: at the one port plain, until STARTTLS, at the other by TLS alone."""
        for port, tls in ((smtp, None), (smtps, self.tls)):
            self._listening.append(
                await asyncio.start_server(self._meet, host, port, ssl=tls, limit=_LONGEST, backlog=1024)
            )

    async def close(self) -> None:
        """Accept nothing more, and end every session."""
        for listening in self._listening:
            listening.close()
        for writer in self._sessions.values():
            writer.transport.abort()
        if self._sessions:
            await asyncio.wait(self._sessions, timeout=1)

    def is_first_time(self, address: str) -> bool:
        """Whether nobody tried this address before; from now on somebody has."""
        if address in self._grey:
            return False
        while len(self._grey) >= _GREY:
            del self._grey[next(iter(self._grey))]
        self._grey[address] = None
        return True

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions[task] = writer
        task.add_done_callback(self._sessions.pop)
        with suppress(_Over, OSError, EOFError, asyncio.LimitOverrunError, TimeoutError):
            await _Session(self, reader, writer).run()
        writer.close()


class _Over(Exception):
    """The session has ended."""


class _Session:
    """What one client has said so far."""

    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._is_safe = writer.get_extra_info("ssl_object") is not None
        self._has_met = self._is_known = False
        self._failed_logins = 0
        self._announced: dict[str, str] | None = None
        self._recipients: list[str] = []

    async def run(self) -> None:
        """Reply to one command after the other, until one of the two has had enough."""
        commands: dict[str, Callable[[str], Awaitable[None]]] = {
            "ehlo": self._ehlo, "helo": self._helo, "starttls": self._starttls, "auth": self._auth,
            "mail": self._mail, "rcpt": self._rcpt, "data": self._data, "rset": self._rset,
            "noop": self._noop, "vrfy": self._vrfy, "quit": self._quit,
        }  # fmt: skip
        self._say(220, "mail.bongsu.example ESMTP sandbox")
        while True:
            line = await self._line()
            said = line.decode("utf-8", "replace").strip()
            verb, _, rest = said.partition(" ")
            command = commands.get(verb.lower())
            if command is None:
                self._say(500, "5.5.2 Error: command not recognized")
            elif not self._is_safe and verb.lower() not in _WITHOUT_TLS:
                self._say(530, "5.7.0 Must issue a STARTTLS command first")
            elif not self._is_known and verb.lower() not in _WITHOUT_LOGIN:
                self._say(530, "5.7.0 Authentication required")
            else:
                await command(rest.strip())
            await self._writer.drain()

    # --- who is there ------------------------------------------------------------------------------
    async def _ehlo(self, name: str) -> None:
        if not name:
            self._say(501, "5.5.4 Syntax: EHLO hostname")
            return
        self._has_met = True
        self._announced = None
        offers = ["mail.bongsu.example", "PIPELINING", f"SIZE {LIMIT}", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8"]
        offers.append("AUTH PLAIN LOGIN" if self._is_safe else "STARTTLS")
        self._writer.write("".join(f"250-{offer}\r\n" for offer in offers[:-1]).encode())
        self._say(250, offers[-1])

    async def _helo(self, name: str) -> None:
        self._has_met = bool(name)
        self._say(*((250, "mail.bongsu.example") if name else (501, "5.5.4 Syntax: HELO hostname")))

    async def _starttls(self, _rest: str) -> None:
        if self._is_safe:
            self._say(503, "5.5.1 Error: TLS already active")
            return
        self._say(220, "2.0.0 Ready to start TLS")
        await self._writer.drain()
        if self._reader._buffer:  # type: ignore[attr-defined] # noqa: SLF001
            self._leave()  # what was said before TLS is not believed
        await self._writer.start_tls(self._server.tls)
        # Python 3.11 forgets to tell the reader, which would hold back the wrong transport.
        self._reader._transport = self._writer.transport  # type: ignore[attr-defined] # noqa: SLF001
        self._is_safe, self._has_met = True, False

    async def _auth(self, rest: str) -> None:
        mechanism, _, first = rest.partition(" ")
        if self._is_known or self._announced is not None or not self._has_met:
            self._say(503, "5.5.1 Error: not now")
            return
        try:
            match mechanism.upper():
                case "PLAIN":
                    _, username, password = (await self._told(first, "")).split("\0")
                case "LOGIN":
                    username = await self._told(first, "VXNlcm5hbWU6")
                    password = await self._told("", "UGFzc3dvcmQ6")
                case _:
                    self._say(504, "5.5.4 Unrecognized authentication type")
                    return
        except (binascii.Error, ValueError):
            self._say(501, "5.5.2 Malformed authentication")
            return
        if self._server.simulator.lets_in(username, password):
            self._is_known = True
            self._say(235, "2.7.0 Authentication successful")
            return
        self._failed_logins += 1
        self._server.note(Call("AUTH", "", {}, b"", time.time(), "smtp"), reply(535, "5.7.8", ""))
        self._say(535, "5.7.8 Error: authentication failed")
        if self._failed_logins >= _LOGINS:
            self._say(421, "4.7.0 Error: too many errors")
            self._leave()

    async def _told(self, first: str, prompt: str) -> str:
        if not first:
            self._say(334, prompt)
            first = (await self._line()).decode().strip()
        return base64.b64decode(first, validate=True).decode()

    # --- one mail ----------------------------------------------------------------------------------
    async def _mail(self, rest: str) -> None:
        found = _PATH.fullmatch(rest)
        if not self._has_met or self._announced is not None:
            self._say(503, "5.5.1 Error: nested MAIL command" if self._has_met else "5.5.1 Error: send EHLO first")
        elif found is None or not rest.upper().startswith("FROM:"):
            self._say(501, "5.5.4 Syntax: MAIL FROM:<address>")
        else:
            parameters = dict(word.upper().partition("=")[::2] for word in found[2].split())
            if unknown := set(parameters) - {"SIZE", "BODY", "SMTPUTF8", "AUTH"}:
                self._say(555, f"5.5.4 Unsupported option: {min(unknown)[:20]}")
            elif parameters.get("SIZE", "0").isdecimal() and int(parameters.get("SIZE", "0")[:12]) > LIMIT:
                self._say(552, "5.3.4 Message size exceeds fixed limit")
            elif not found[1].isascii() and "SMTPUTF8" not in parameters:
                self._say(553, "5.6.7 Must declare SMTPUTF8 to send a non-ASCII address")
            else:
                self._begun(found[1], parameters)

    def _begun(self, sender: str, parameters: dict[str, str]) -> None:
        answer = self._server.simulator.sender(sender)
        if not answer.refused:
            self._announced = {"from": sender, "body": parameters.get("BODY", "")}
            if "SMTPUTF8" in parameters:
                self._announced["smtputf8"] = "yes"
            self._recipients = []
        else:
            self._server.note(Call("MAIL", sender, {}, b"", time.time(), "smtp"), answer)
        self._say(answer.status, answer.body.decode())

    async def _rcpt(self, rest: str) -> None:
        found = _PATH.fullmatch(rest)
        if self._announced is None:
            self._say(503, "5.5.1 Error: need MAIL command")
        elif found is None or not rest.upper().startswith("TO:"):
            self._say(501, "5.5.4 Syntax: RCPT TO:<address>")
        elif not found[1].isascii() and "smtputf8" not in self._announced:
            self._say(553, "5.6.7 Must declare SMTPUTF8 to send to a non-ASCII address")
        elif len(self._recipients) >= _RECIPIENTS:
            self._say(452, "4.5.3 Error: too many recipients")
        else:
            self._addressed(found[1])

    def _addressed(self, address: str) -> None:
        answer = self._server.simulator.recipient(address)
        if domain_of(address) == "greylisted.example" and self._server.is_first_time(address):
            answer = reply(451, "4.7.1", f"<{address}>: Greylisted, try again later", (Taken("", address),))
        if answer.refused:
            self._server.note(Call("RCPT", address, {}, b"", time.time(), "smtp"), answer)
        else:
            self._recipients.append(address)
        self._say(answer.status, answer.body.decode())
        if answer.status == 421:
            self._leave()

    async def _data(self, _rest: str) -> None:
        if self._announced is None or not self._recipients:
            self._say(554 if self._announced else 503, "5.5.1 Error: no valid recipients")
            return
        if domain_of(self._recipients[-1]) == "dropped.example":
            self._abort()
        self._say(354, "End data with <CR><LF>.<CR><LF>")
        lines = []
        while (line := await self._line()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        content, announced = b"".join(lines), self._announced
        self._announced = None
        decided = [
            await self._server.decide(Call("DATA", recipient, announced, content, time.time(), "smtp"))
            for recipient in self._recipients
        ]
        await self._finish(self._recipients[-1], *decided[-1])

    async def _finish(self, recipient: str, answer: Answer, strikes: Mode | None) -> None:
        match strikes:
            case Mode.TIMEOUT:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._reader.read(1), _HELD)
                self._abort()
            case Mode.RESET | Mode.RESET_AFTER_BODY:
                self._abort()
            case _:
                pass
        if domain_of(recipient) == "reset.example":
            self._abort()
        self._say(answer.status, answer.body.decode())
        if answer.status == 421:
            self._leave()

    async def _rset(self, _rest: str) -> None:
        self._announced = None
        self._say(250, "2.0.0 Ok")

    async def _noop(self, _rest: str) -> None:
        self._say(250, "2.0.0 Ok")

    async def _vrfy(self, _rest: str) -> None:
        self._say(252, "2.5.2 Cannot VRFY user, but will accept the message")

    async def _quit(self, _rest: str) -> None:
        self._say(221, "2.0.0 Bye")
        await self._writer.drain()
        self._leave()

    # --- bytes ---------------------------------------------------------------------------------------
    def _say(self, code: int, words: str) -> None:
        self._writer.write(f"{code} {words}\r\n".encode())

    async def _line(self) -> bytes:
        """The next line. One that ends without a carriage return could hide a message in another."""
        async with asyncio.timeout(_IDLE):
            line = await self._reader.readuntil(b"\r\n")
        if b"\n" in line[:-2] or b"\r" in line[:-2]:
            self._say(521, "5.5.2 Error: bare <LF> or <CR> received")
            self._leave()
        return line

    def _leave(self) -> NoReturn:
        raise _Over

    def _abort(self) -> NoReturn:
        self._writer.transport.abort()
        raise _Over
