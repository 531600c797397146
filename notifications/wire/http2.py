"""Many HTTP requests at once over few connections.

libcurl multiplexes them over HTTP/2 (one multi handle, reused easy handles). Every request ends in one of three
ways, and the difference decides whether it may be repeated:

- `Response`: an answer came, whatever it says.
- `NotSent`: the provider cannot have acted on it. Either libcurl never asked for the body (no name, no connection,
  no certificate, no free stream in time), or the server refused the stream unprocessed (RFC 9113, section 8.7).
- `NoAnswer`: the body, or a part of it, was handed over and no answer came.

libcurl repeats a request by itself when a reused connection dies before the first byte of the answer, also a POST
that the server may have acted on (github.com/curl/curl/pull/18417). To repeat it must rewind the body, and rewinding
is refused here, so that nothing leaves twice unseen.
"""

import time
from collections.abc import Collection
from io import BytesIO
from typing import Final

import pycurl

from notifications.providers.contract import Exchange, Forbidden, NoAnswer, NotSent, Request, Response
from notifications.wire.cork import Corks
from notifications.wire.guard import Guard
from notifications.wire.head import Head, header_lines
from notifications.wire.line import origin_of
from notifications.wire.rooms import Rooms
from notifications.wire.terms import CONNECT_TIMEOUT, Terms
from notifications.wire.ticket import Ticket

#: A server that allows 100 streams needs six of these for all in flight; one that speaks HTTP/1.1 needs them all.
CONNECTIONS_PER_HOST: Final = 16
#: In bytes; the longest real answer of a provider is a few kilobytes.
MAX_ANSWER: Final = 1 << 20
#: In bytes, for each request under way; libcurl's own 64 KB take 30 MB of a worker more, and few bodies are this long.
_UPLOAD_BUFFER: Final = 1 << 14
#: How often a request goes out before refusals ("go away", "too many streams") count as a failure.
MAX_REFUSALS: Final = 3

#: What libcurl says when it wanted to repeat a request and nothing else had gone wrong before. The first error of a
#: transfer is the one that is kept, so a connection that broke shows its own text instead.
_NOTHING_BUT_REFUSED: Final = "seek callback returned error"


class _Transfer:
    """One reusable easy handle, and the request that it carries at the moment."""

    __slots__ = (
        "_answer", "_ends_at", "_guard", "_head", "_method", "_offset", "_terms", "_timeout", "began", "body_asked",
        "easy", "origin", "refusals", "request", "ticket",
    )  # fmt: skip

    request: Request
    ticket: Ticket
    origin: str
    began: float

    def __init__(self, terms: Terms, corks: Corks) -> None:
        self._head, self._answer = BytesIO(), BytesIO()
        self._method, self._timeout = "", 0.0
        self._terms = terms
        self.easy = easy = pycurl.Curl()
        easy.transfer = self
        self._guard = Guard(easy, terms.private_hosts)
        for option, value in {
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS,
            pycurl.PIPEWAIT: 1,
            pycurl.PROTOCOLS: terms.protocols,
            pycurl.FOLLOWLOCATION: 0,
            pycurl.CAINFO: terms.ca_file,
            pycurl.CONNECTTIMEOUT_MS: int(CONNECT_TIMEOUT * 1000),
            pycurl.TCP_KEEPALIVE: 1,
            pycurl.TCP_NODELAY: 1,
            pycurl.NOSIGNAL: 1,
            pycurl.NOPROXY: "*",
            pycurl.USERAGENT: "bongsu",
            pycurl.MAXFILESIZE_LARGE: MAX_ANSWER,
            pycurl.UPLOAD_BUFFERSIZE: _UPLOAD_BUFFER,
            pycurl.SOCKOPTFUNCTION: corks.opened,
            pycurl.READFUNCTION: self._read,
            pycurl.SEEKFUNCTION: _refuse_to_rewind,
            pycurl.HEADERFUNCTION: self._head.write,
            pycurl.WRITEFUNCTION: self._answer.write,
        }.items():
            easy.setopt(option, value)

    def load(self, ticket: Ticket, request: Request) -> None:
        """Take up a request. Raises `ValueError` or `pycurl.error` for one that no HTTP can carry."""
        if request.public_only or self._guard.is_on:
            self._guard.watch(request)
        self.ticket, self.request, self.refusals = ticket, request, 0
        self.origin = origin_of(request)
        easy = self.easy
        easy.setopt(pycurl.URL, request.url)
        easy.setopt(pycurl.HTTPHEADER, header_lines(request.headers.items()))
        timeout = self._terms.time_for(request)
        self._ends_at = time.monotonic() + timeout
        self._wait_for(timeout)
        if (method := request.method) != self._method:
            self._take(method)
        if method == "POST":
            easy.setopt(pycurl.POSTFIELDSIZE_LARGE, len(request.body))
        self.rewind()

    def may_begin(self) -> bool:
        """Whether there is time for it yet. What it waited for is a part of its time, of which half must be left."""
        now = time.monotonic()
        if not self.refusals:
            return True
        self._wait_for(self._ends_at - now)
        return now <= self.request.start_by and self._timeout >= self._terms.time_for(self.request) / 2

    def _wait_for(self, seconds: float) -> None:
        if seconds != self._timeout:
            self.easy.setopt(pycurl.TIMEOUT_MS, max(1, int(seconds * 1000)))
            self._timeout = seconds

    def _take(self, method: str) -> None:
        if method not in ("GET", "POST"):
            raise ValueError(f"the wire knows GET and POST, not {method!r}")
        self.easy.setopt(pycurl.POST if method == "POST" else pycurl.HTTPGET, 1)
        self._method = method

    def rewind(self) -> None:
        """Forget what a try before this one read and wrote."""
        self.body_asked = False
        self._offset = 0
        for buffer in (self._head, self._answer):
            buffer.seek(0)
            buffer.truncate()

    def _read(self, size: int) -> bytes:
        self.body_asked = True
        chunk = self.request.body[self._offset : self._offset + size]
        self._offset += len(chunk)
        return chunk

    def answer(self) -> Response:
        """What came back, once libcurl says that it is complete."""
        status: int = self.easy.getinfo(pycurl.RESPONSE_CODE)
        return Response(status, Head(self._head.getvalue()), self._answer.getvalue(), self._elapsed())

    def failure(self, text: str, *, refused: bool) -> NotSent | NoAnswer | Forbidden:
        """What it means that no complete answer came."""
        if self._guard.is_on and (forbidden := self._guard.verdict(self._elapsed())):
            return forbidden
        left = self.body_asked or (not self.request.body and self.easy.getinfo(pycurl.REQUEST_SIZE) > 0)
        return (NoAnswer if left and not refused else NotSent)(text, self._elapsed())

    def _elapsed(self) -> float:
        seconds: float = self.easy.getinfo(pycurl.TOTAL_TIME)
        return seconds


class Http2:
    """The requests of one wire, and its connections to whoever takes them.

    `known` is shared with the whole wire: the origins that have answered, and in which version of HTTP, as libcurl's
    number.
    """

    def __init__(self, known: dict[str, int], terms: Terms) -> None:
        self._known = known
        self._terms = terms
        self._flying: dict[Ticket, _Transfer] = {}
        self._idle: list[_Transfer] = []
        self._rooms: Rooms[_Transfer] = Rooms()
        self._corks = Corks(on_open=self._rooms.opened)
        #: Requests that libcurl took over since it last wrote.
        self._launched = 0
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, 2)  # CURLPIPE_MULTIPLEX
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_HOST)

    def room(self, origin: str) -> int:
        """How many requests may be under way to an origin together."""
        return self._rooms.limit(origin)

    def launch(self, ticket: Ticket, request: Request) -> None:
        """Begin an exchange. What no HTTP can carry is settled at once."""
        transfer = self._idle.pop() if self._idle else _Transfer(self._terms, self._corks)
        self._flying[ticket] = transfer
        try:
            transfer.load(ticket, request)
        except (ValueError, pycurl.error) as error:
            self._release(transfer)
            ticket.settle(NotSent(f"not a request that HTTP can carry: {error}"))
            return
        self._begin(transfer)

    def _begin(self, transfer: _Transfer) -> None:
        """Hand a transfer to libcurl, for the first time or again, unless it is too late for that."""
        if not transfer.may_begin():
            self._end(transfer, NotSent("refused, and then it was too late for it"))
            return
        self._launched += 1
        transfer.began = self._rooms.begin(transfer.origin)
        self._multi.add_handle(transfer.easy)

    def perform(self) -> bool:
        """Let libcurl read and write; says whether a request has ended."""
        with self._corks.held(self._launched):
            self._multi.perform()
        self._launched = 0
        found = False
        more = 1
        while more:
            more, answered, failed = self._multi.info_read()
            origins = {easy.transfer.origin for easy in (*answered, *(easy for easy, _, _ in failed))}
            for easy in answered:
                self._answered(easy.transfer)
            for easy, code, text in failed:
                self._failed(easy.transfer, code, text)
            for origin in origins:
                while refused := self._rooms.next(origin):
                    self._begin(refused)
            found = found or bool(answered or failed)
        return found

    def until_due(self) -> float | None:
        """Seconds until libcurl wants to be asked again, whatever happens; None where it does not."""
        milliseconds: int = self._multi.timeout()
        return None if milliseconds < 0 else milliseconds / 1000

    def wait(self, seconds: float) -> None:
        """Until there is something to do, for so long at most."""
        self._multi.select(seconds)

    def descriptors(self) -> tuple[Collection[int], Collection[int]]:
        """What to read from and to write to as soon as that is possible."""
        reading, writing, _ = self._multi.fdset()
        return reading, writing

    def drop(self, ticket: Ticket, why: str) -> NotSent | NoAnswer | Forbidden:
        """Break an exchange off; what that means for its request."""
        transfer = self._flying[ticket]
        if self._rooms.forget(transfer.origin, transfer):
            self._release(transfer)
            return NotSent(why)
        self._take_out(transfer)
        failure = transfer.failure(why, refused=False)
        self._release(transfer)
        return failure

    def close(self) -> None:
        """Close every connection."""
        for transfer in self._idle:
            transfer.easy.close()
        self._idle.clear()
        self._multi.close()

    def _answered(self, transfer: _Transfer) -> None:
        version = self._known.get(transfer.origin)
        if version is None:
            version = self._known[transfer.origin] = transfer.easy.getinfo(pycurl.INFO_HTTP_VERSION)
        self._rooms.answered(
            transfer.origin,
            transfer.easy.getinfo(pycurl.ACTIVESOCKET),
            transfer.began,
            multiplexes=version == pycurl.CURL_HTTP_VERSION_2_0,
        )
        self._take_out(transfer)
        self._end(transfer, transfer.answer())

    def _failed(self, transfer: _Transfer, code: int, text: str) -> None:
        """A transfer goes once more where the server refused it unprocessed, and ends where it failed."""
        self._take_out(transfer)
        refused = (
            code == pycurl.E_SEND_FAIL_REWIND
            and text.startswith(_NOTHING_BUT_REFUSED)
            and self._known.get(transfer.origin) == pycurl.CURL_HTTP_VERSION_2_0
        )
        transfer.refusals += refused
        if refused:
            self._rooms.refused(transfer.origin, transfer.easy.getinfo(pycurl.ACTIVESOCKET))
        else:
            self._rooms.failed(transfer.origin)
        if refused and transfer.refusals < MAX_REFUSALS:
            transfer.rewind()
            self._rooms.wait(transfer.origin, transfer)
            return
        reason = "the server refused the stream unprocessed" if refused else text or f"libcurl error {code}"
        self._end(transfer, transfer.failure(reason, refused=refused))

    def _take_out(self, transfer: _Transfer) -> None:
        self._multi.remove_handle(transfer.easy)
        self._rooms.end(transfer.origin, transfer.began)

    def _end(self, transfer: _Transfer, exchange: Exchange) -> None:
        ticket = transfer.ticket
        self._release(transfer)
        ticket.settle(exchange)

    def _release(self, transfer: _Transfer) -> None:
        del self._flying[transfer.ticket]
        del transfer.request, transfer.ticket  # an idle handle would keep its last body alive
        self._idle.append(transfer)


def _refuse_to_rewind(_offset: int, _origin: int) -> int:
    result: int = pycurl.SEEKFUNC_FAIL
    return result
