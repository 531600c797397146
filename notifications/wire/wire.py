"""The only sockets of the pipeline: everything that is sent to providers, at once, whatever they speak.

`http2` carries requests and `smtp` carries mail, both in one loop here, so that a slow mail server holds up no request,
and the other way round.
"""

import os
import select
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

import certifi
import pycurl
from django.conf import settings

from notifications.providers.contract import Envelope, Exchange, NotSent, Outgoing
from notifications.stopping import stopping
from notifications.wire.http2 import Http2
from notifications.wire.line import MAX_IN_FLIGHT, Line, origin_of
from notifications.wire.smtp import Smtp
from notifications.wire.terms import Terms
from notifications.wire.ticket import Ticket

#: Seconds for an exchange that names no time of its own.
USUAL_TIMEOUT: Final = 10.0
_LONGEST_WAIT: Final = 1.0


class Wire:
    """One set of connections, for one thread of one process.

    `ca_file` replaces the certificate authorities that are trusted, which are Mozilla's. `protocols` is which kinds of
    HTTP may be spoken, as libcurl's bit mask. `timeout`, in seconds, is for what names no time of its own.
    `private_hosts` may be named by requests that are `public_only`. As soon as `gives_up` says so, nothing more is sent
    or waited for: what has no answer then ends as if its connection had broken.
    """

    def __init__(
        self,
        *,
        ca_file: str = "",
        protocols: int = pycurl.PROTO_HTTPS,
        timeout: float = USUAL_TIMEOUT,
        private_hosts: Collection[str] = (),
        gives_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._gives_up = gives_up
        #: The origins that have answered.
        self._known: dict[str, int] = {}
        terms = Terms(ca_file or certifi.where(), protocols, timeout, private_hosts)
        self._http = Http2(self._known, terms)
        self._smtp = Smtp(self._known, terms)

    def exchange(self, outgoing: Iterable[Outgoing]) -> Iterator[tuple[int, Exchange]]:
        """Perform what is given; yields the position of each with what became of it, in the order of arrival.

        `outgoing` is read as places become free, so it may be a stream that makes them one by one. Close the iterator
        early and what is under way is dropped; it may have left.
        """
        return self._perform(Line(outgoing, self._known, self._room))

    def exchange_one(self, outgoing: Outgoing) -> Exchange:
        """Perform one and wait for it."""
        ((_, exchange),) = self.exchange([outgoing])
        return exchange

    def close(self) -> None:
        """Close every connection."""
        self._smtp.close()
        self._http.close()

    def _perform(self, line: Line) -> Iterator[tuple[int, Exchange]]:
        arrived: deque[Ticket] = deque()
        flying: set[Ticket] = set()
        try:
            while True:
                while numbered := line.next():
                    ticket = Ticket(*numbered, arrived)
                    flying.add(ticket)
                    self._launch(ticket)
                if not flying:
                    return
                self._pump(block=not arrived)
                if self._gives_up():
                    self._abandon(flying)
                while arrived:
                    ticket = arrived.popleft()
                    flying.remove(ticket)
                    line.ended(ticket.outgoing)
                    if ticket.exchange is not None:
                        yield ticket.position, ticket.exchange
        finally:
            for ticket in flying:
                if ticket.exchange is None:
                    self._carrier(ticket).drop(ticket, "dropped")

    def _abandon(self, flying: Iterable[Ticket]) -> None:
        for ticket in flying:
            if ticket.exchange is None:
                ticket.settle(self._carrier(ticket).drop(ticket, "given up: the worker ends"))

    def _room(self, one: Outgoing) -> int:
        """How many may be under way together to where this one goes; mails are counted as a crowd."""
        return MAX_IN_FLIGHT if isinstance(one, Envelope) else self._http.room(origin_of(one))

    def _carrier(self, ticket: Ticket) -> Http2 | Smtp:
        return self._smtp if isinstance(ticket.outgoing, Envelope) else self._http

    def _launch(self, ticket: Ticket) -> None:
        if self._gives_up():
            ticket.settle(NotSent("not begun: the worker ends"))
        elif time.monotonic() > ticket.outgoing.start_by:
            ticket.settle(NotSent("not begun: it was too late for it"))
        elif isinstance(ticket.outgoing, Envelope):
            self._smtp.launch(ticket, ticket.outgoing)
        else:
            self._http.launch(ticket, ticket.outgoing)

    def _pump(self, *, block: bool) -> None:
        """Let both read and write; with `block`, wait until there is something to do."""
        ended = self._http.perform()
        ended = self._smtp.perform() or ended
        if ended or not block:
            return
        due = self._http.until_due()
        wait = _LONGEST_WAIT if due is None else min(due, _LONGEST_WAIT)
        if self._smtp.is_busy:
            self._wait_for_both(min(wait, self._smtp.until_due()))
        else:
            self._http.wait(wait)

    def _wait_for_both(self, seconds: float) -> None:
        wanted: defaultdict[int, int] = defaultdict(int)
        for carrier in (self._http, self._smtp):
            reading, writing = carrier.descriptors()
            for descriptor in reading:
                wanted[descriptor] |= select.POLLIN
            for descriptor in writing:
                wanted[descriptor] |= select.POLLOUT
        poll = select.poll()
        for descriptor, events in wanted.items():
            poll.register(descriptor, events)
        poll.poll(seconds * 1000)


_mine = threading.local()
#: Wires of the process that this one was forked from. To close them would end the parent's connections.
_inherited: Final[list[Wire]] = []


def exchange(outgoing: Iterable[Outgoing]) -> Iterator[tuple[int, Exchange]]:
    """`Wire.exchange` over this process's own connections, which stay open between calls."""
    return _wire().exchange(outgoing)


def exchange_one(outgoing: Outgoing) -> Exchange:
    """`Wire.exchange_one` over this process's own connections."""
    return _wire().exchange_one(outgoing)


def _wire() -> Wire:
    wire: Wire | None = getattr(_mine, "wire", None)
    if wire is not None and _mine.pid != os.getpid():
        _inherited.append(wire)
        wire = None
    if wire is None:
        _mine.wire = wire = Wire(
            ca_file=settings.WIRE_CA_FILE,
            timeout=settings.PROVIDER_SECONDS,
            private_hosts=settings.WIRE_PRIVATE_HOSTS,
            gives_up=stopping.is_urgent,
        )
        _mine.pid = os.getpid()
    return wire
