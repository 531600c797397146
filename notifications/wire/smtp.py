"""Mail to mail servers: connections that stay open, one mail at a time on each, many at once.

libcurl speaks SMTP too, but waits for the reply to a message without letting anything else on (docs/decisions/
0020-smtp-on-the-wire.md), so only connections are left to it: names, both families of addresses, time limits. Every
mail ends in one of three ways:

- `Response`: the server replied, whatever it says; to the message or to a command before it.
- `NotSent`: the end of the message was never said, without which no server may take it (RFC 5321, section 4.1.1.4).
- `NoAnswer`: it was said, and no reply came.
"""

import selectors
import ssl
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection
from typing import Final

import pycurl

from notifications.providers.contract import Envelope, Exchange, NoAnswer, NotSent, Response
from notifications.wire.dialogue import Settled, check
from notifications.wire.line import origin_of
from notifications.wire.mail_connection import Connection
from notifications.wire.terms import Terms
from notifications.wire.ticket import Ticket

#: Seconds for which a connection that nobody needs stays open: servers close theirs after five minutes, busy ones
#: after ten seconds (RFC 5321, section 4.5.3.2.7; postconf(5), smtpd_timeout).
IDLE_FOR: Final = 30.0
#: How often a mail is begun on a connection that turns out to have ended meanwhile.
MAX_TRIES: Final = 3


class _Mail:
    """One mail under way."""

    __slots__ = ("began", "connection", "ends_at", "envelope", "ticket", "tries")

    connection: Connection

    def __init__(self, ticket: Ticket, envelope: Envelope, timeout: float) -> None:
        self.ticket, self.envelope = ticket, envelope
        self.began = time.monotonic()
        self.ends_at = self.began + timeout
        self.tries = 0

    def answer(self, settled: Settled) -> Response:
        """The reply as the provider reads it."""
        return Response(settled.reply.code, {"command": settled.command}, settled.reply.lines, self._elapsed())

    def failure(self, text: str) -> NotSent | NoAnswer:
        """What it means that no reply came."""
        return (NoAnswer if self.connection.has_said_all else NotSent)(text, self._elapsed())

    def _elapsed(self) -> float:
        return time.monotonic() - self.began


class Smtp:
    """The mails of one wire. `known` is shared with the whole wire: the origins that have answered."""

    def __init__(self, known: dict[str, int], terms: Terms) -> None:
        #: Makes connections, and keeps its end of them.
        self._multi = pycurl.CurlMulti()
        self._known = known
        self._terms = terms
        self._selector = selectors.DefaultSelector()
        self._flying: dict[Ticket, _Mail] = {}
        #: By whom they may be used again; the latest used last.
        self._idle: defaultdict[tuple[str, ...], deque[Connection]] = defaultdict(deque)
        self._tls: ssl.SSLContext | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a mail is under way."""
        return bool(self._flying)

    def descriptors(self) -> tuple[Collection[int], Collection[int]]:
        """What to read from and to write to as soon as that is possible."""
        reading, writing, _ = self._multi.fdset()
        # epoll's and kqueue's own: readable as soon as there is something to do
        return [*reading, self._selector.fileno()], writing

    def until_due(self) -> float:
        """Seconds until a mail has taken too long, or libcurl wants to be asked again."""
        due = max(0.0, min(mail.ends_at for mail in self._flying.values()) - time.monotonic())
        milliseconds: int = self._multi.timeout()
        return due if milliseconds < 0 else min(due, milliseconds / 1000)

    def launch(self, ticket: Ticket, envelope: Envelope) -> None:
        """Begin a mail. What no SMTP can carry is settled at once."""
        try:
            check(envelope)
        except ValueError as error:
            ticket.settle(NotSent(f"not a mail that SMTP can carry: {error}"))
            return
        mail = self._flying[ticket] = _Mail(ticket, envelope, self._terms.time_for(envelope))
        self._begin(mail)

    def perform(self) -> bool:
        """Read and write what can be; says whether a mail has ended."""
        flying = len(self._flying)
        if flying:
            self._connect()
        for key, _ in self._selector.select(0):
            key.data.move()
        if self._flying:
            now = time.monotonic()
            for mail in [mail for mail in self._flying.values() if mail.ends_at <= now]:
                self._fail(mail, f"no reply to {mail.connection.command} in time")
        return len(self._flying) < flying

    def drop(self, ticket: Ticket, why: str) -> NotSent | NoAnswer:
        """Break a mail off; what that means for it."""
        mail = self._flying.pop(ticket)
        mail.connection.close()
        return mail.failure(why)

    def close(self) -> None:
        """Close every connection."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()
        self._selector.close()
        self._multi.close()

    def _connect(self) -> None:
        self._multi.perform()
        more = 1
        while more:
            more, made, failed = self._multi.info_read()
            for easy in made:
                easy.connection.stands()
            for easy, code, text in failed:
                easy.connection.failed(text or f"libcurl error {code}")

    def _begin(self, mail: _Mail) -> None:
        mail.tries += 1
        # only a login of now shows that an account is let in
        connection = self._reusable(mail.envelope) if mail.envelope.recipient else None
        if connection is None:
            if self._tls is None:
                self._tls = _trusting(self._terms.ca_file)
            connection = Connection(self._multi, self._selector, self._tls, mail.envelope)
        mail.connection = connection
        connection.carry(mail.envelope, self._settling(mail))

    def _settling(self, mail: _Mail) -> Callable[[Settled | str], None]:
        return lambda news: self._fail(mail, news) if isinstance(news, str) else self._answer(mail, news)

    def _reusable(self, envelope: Envelope) -> Connection | None:
        """The connection that was used last; those that nobody has needed for long are closed."""
        idle, now = self._idle[_user(envelope)], time.monotonic()
        while idle and (idle[0].is_over or now - idle[0].idle_since > IDLE_FOR):
            idle.popleft().close()
        while idle:
            connection = idle.pop()
            if not connection.is_over:
                return connection
            connection.close()
        return None

    def _answer(self, mail: _Mail, settled: Settled) -> None:
        connection = mail.connection
        if settled.reply.code == 421 and settled.command in {"rset", "mail"} and self._may_begin_again(mail):
            # it closes connections that are old or have carried much, and says so to whoever comes next
            connection.close()
            self._begin(mail)
            return
        self._known.setdefault(origin_of(mail.envelope), 0)
        idle = self._idle[_user(mail.envelope)]
        if connection.is_over or settled.reply.code == 421 or not mail.envelope.recipient:
            connection.close()
        else:
            connection.rest()
            idle.append(connection)
        self._end(mail, mail.answer(settled))

    def _fail(self, mail: _Mail, text: str) -> None:
        again = not mail.connection.was_answered and self._may_begin_again(mail)
        mail.connection.close()
        if again:
            self._begin(mail)
        else:
            self._end(mail, mail.failure(text))

    def _may_begin_again(self, mail: _Mail) -> bool:
        return (
            mail.connection.is_used
            and not mail.connection.has_said_all
            and mail.tries < MAX_TRIES
            and time.monotonic() < mail.ends_at
        )

    def _end(self, mail: _Mail, exchange: Exchange) -> None:
        del self._flying[mail.ticket]
        mail.ticket.settle(exchange)


def _user(envelope: Envelope) -> tuple[str, ...]:
    return (envelope.url, envelope.hello, envelope.username, envelope.password)


def _trusting(ca_file: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(ca_file)
    return context
