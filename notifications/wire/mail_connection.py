"""One connection with a mail server: bytes there and back, without ever waiting for them."""

import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Generator
from typing import Final

import pycurl

from notifications.providers.contract import Envelope
from notifications.wire.dialogue import Listener, Refused, Reply, Say, Settled, Unfit, introduced, mailed
from notifications.wire.terms import CONNECT_TIMEOUT

#: In bytes: written and read at a time.
_CHUNK: Final = 1 << 14


class Connection:
    """A connection, and the mail that it carries at the moment.

    libcurl makes it and keeps its end open as long as we use ours, a copy of its descriptor: to close its end it would
    read what has come.
    """

    def __init__(
        self, multi: pycurl.CurlMulti, selector: selectors.BaseSelector, tls: ssl.SSLContext, envelope: Envelope
    ) -> None:
        self._multi = multi
        self._selector = selector
        self._context = tls
        scheme, _, origin = envelope.url.partition("://")
        self._host = origin.rpartition(":")[0].strip("[]") if _has_port(origin) else origin.strip("[]")
        self._wants_tls = is_tls_first = scheme == "smtps"
        self._socket: socket.socket | None = None
        self._is_shaking_hands = False
        self._listener = Listener()
        self._out = b""
        self._offset = 0
        self._abilities: frozenset[str] | None = None
        self._talk: Generator[Say, Reply, Settled] | None = None
        self._saying = Say("connect")
        self._tell: Callable[[Settled | str], None] | None = None
        self._was_refused = False
        #: Whether it has carried a mail before this one.
        self.is_used = False
        #: Whether the server has replied to anything of this mail.
        self.was_answered = False
        #: Whether the end of this mail's message may have been said.
        self.has_said_all = False
        #: Whether no mail can go by it any more.
        self.is_over = False
        self.idle_since = 0.0
        self._easy = _opening(self, origin if _has_port(origin) else f"{origin}:{465 if is_tls_first else 587}")
        multi.add_handle(self._easy)

    @property
    def command(self) -> str:
        """The command that the server has not replied to."""
        return self._saying.command

    def carry(self, envelope: Envelope, tell: Callable[[Settled | str], None]) -> None:
        """Take up a mail. `tell` is called, later, with what decides about it, or why nothing did."""
        self._tell = tell
        self.has_said_all = self.was_answered = False
        self._talk = self._conversation(envelope)
        self._saying = next(self._talk)
        self._out, self._offset = self._saying.data, 0
        if self._socket is not None:
            self.move()

    def rest(self) -> None:
        """Nobody needs it for now."""
        self.is_used = True
        self.idle_since = time.monotonic()

    def move(self) -> None:
        """Write and read what can be, and go on in the conversation by it."""
        if self._socket is None:
            return
        is_blocked = False
        try:
            self._shake_hands()
            try:
                self._write()
            except (ssl.SSLWantWriteError, BlockingIOError):
                is_blocked = True
            # also where it takes no more of a message: it may have said why
            self._read()
        except (ssl.SSLWantReadError, BlockingIOError):
            self._watch(writing=is_blocked or self._offset < len(self._out))
        except ssl.SSLWantWriteError:
            self._watch(writing=True)
        except (OSError, ValueError, Unfit) as error:  # ValueError: a name that no certificate can be for
            self._end(str(error) or type(error).__name__)

    def close(self) -> None:
        """End it, whoever waits."""
        self.is_over = True
        self._tell = self._talk = None
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None
        if self._easy is not None:
            self._multi.remove_handle(self._easy)
            self._easy.close()
            self._easy = None

    # --- what libcurl says of the connection ---------------------------------------------------------
    def stands(self) -> None:
        """It has come about."""
        self._socket = socket.socket(fileno=os.dup(self._easy.getinfo(pycurl.ACTIVESOCKET)))
        self._socket.settimeout(0)
        self._selector.register(self._socket, selectors.EVENT_READ, self)
        self.move()

    def failed(self, why: str) -> None:
        """It does not come about."""
        self._end(why)

    # --- bytes -----------------------------------------------------------------------------------------
    def _shake_hands(self) -> None:
        if self._wants_tls:
            self._begin_tls()
        if self._is_shaking_hands and isinstance(self._socket, ssl.SSLSocket):
            self._socket.do_handshake()
            self._is_shaking_hands = False

    def _write(self) -> None:
        assert self._socket is not None
        while self._offset < len(self._out):
            chunk = self._out[self._offset : self._offset + _CHUNK]
            if self._saying.is_message and self._offset + len(chunk) == len(self._out):
                self.has_said_all = True
            self._offset += self._socket.send(chunk)

    def _read(self) -> None:
        while self._socket is not None:
            data = self._socket.recv(_CHUNK)
            if not data:
                self._end("the server closed the connection")
                return
            self._listener.hear(data)
            while not self.is_over and (reply := self._listener.reply()):
                self._heard(reply)
            if self.is_over:
                return

    def _watch(self, *, writing: bool) -> None:
        if self._socket is not None and not self.is_over:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
            if self._selector.get_key(self._socket).events != events:
                self._selector.modify(self._socket, events, self)

    def _begin_tls(self) -> None:
        plain, self._socket, self._wants_tls = self._socket, None, False
        assert plain is not None
        self._selector.unregister(plain)
        self._socket = self._context.wrap_socket(plain, server_hostname=self._host, do_handshake_on_connect=False)
        self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._is_shaking_hands = True

    # --- the conversation ------------------------------------------------------------------------------
    def _conversation(self, envelope: Envelope) -> Generator[Say, Reply, Settled]:
        if self._abilities is None:
            try:
                self._abilities = yield from introduced(envelope)
            except Refused as refused:
                self.is_over = True
                return refused.settled
        settled = yield from mailed(envelope, self._abilities, after_refusal=self._was_refused)
        self._was_refused = not settled.reply.is_good
        return settled

    def _heard(self, reply: Reply) -> None:
        """Go on after a reply; one that nobody waits for ends the connection, such as a server's farewell."""
        if self._talk is None or self._offset < len(self._out):
            self._interrupted(reply)
            return
        self.was_answered = True
        if self._saying.then_tls and reply.is_good:
            if self._listener.has_more:
                raise Unfit("the server said something between STARTTLS and TLS")
            self._wants_tls = True
        try:
            self._saying = self._talk.send(reply)
        except StopIteration as end:
            tell, self._tell, self._talk = self._tell, None, None
            if tell:
                tell(end.value)
            return
        if self._saying.data:
            self._out, self._offset = self._saying.data, 0
            self._shake_hands()
            self._write()

    def _interrupted(self, reply: Reply) -> None:
        """The server speaks in the middle of a message, which it then does not take, or when it was not spoken to."""
        if self._saying.is_message and not reply.is_good:
            self.has_said_all = False
            self._end(Settled(self._saying.command, reply))
        else:
            self._end("the server spoke out of turn")

    def _end(self, news: Settled | str) -> None:
        """No mail can go by it any more, and this is what becomes of the one that it carries."""
        self.is_over = True
        tell, self._tell = self._tell, None
        if tell:
            tell(news)
        else:
            self.close()


def _has_port(origin: str) -> bool:
    return origin.rpartition(":")[2].isdigit() and not origin.endswith("]")


def _opening(connection: Connection, address: str) -> pycurl.Curl:
    """A handle that makes a connection and sends nothing on it."""
    easy = pycurl.Curl()
    easy.connection = connection
    for option, value in {
        # of the URL nothing is used but host and port
        pycurl.URL: f"http://{address}/",
        pycurl.CONNECT_ONLY: 1,
        pycurl.CONNECTTIMEOUT_MS: int(CONNECT_TIMEOUT * 1000),
        pycurl.TCP_KEEPALIVE: 1,
        pycurl.TCP_NODELAY: 1,
        pycurl.NOSIGNAL: 1,
        pycurl.NOPROXY: "*",
    }.items():
        easy.setopt(option, value)
    return easy
